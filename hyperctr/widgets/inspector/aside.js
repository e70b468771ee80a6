// The panels beside the picture: Python writes their tables, here they are shown and answer clicks.

import { dim, explain, fillPair } from "./choosing.js";
import { hover } from "./hover.js";
import { UNCHANGED, ask, own, set, toggle } from "./state.js";
import { NOTHING, button, h, listen } from "./tools.js";

const TABS = { selection: "Selection", user: "User", why: "Why", numbers: "Numbers" };

/** Make the panels. @param {App} app @returns {HTMLElement} */
export function createAside(app) {
	const { els, uid } = app;
	els.tabs = h("div.hc-tabs", { role: "tablist" }, Object.entries(TABS).map(([key, text]) =>
		button(text, () => showTab(app, key), { role: "tab", key, id: uid + key, "aria-controls": uid + key + "p" })));
	els.panels = Object.fromEntries(Object.keys(TABS).map((key) => [key,
		h("div.hc-panel", { role: "tabpanel", id: uid + key + "p", "aria-labelledby": uid + key, key })]));
	els.away = h("p.hc-none", { key: "away" });
	els.listed = h("div");
	els.panels.selection.append(els.away, els.listed);
	els.whyUser = h("input", { key: "user", placeholder: "user id", oninput: () => dim(app) });
	els.whyItem = h("input", { key: "item", placeholder: "item id", oninput: () => dim(app) });
	els.whyOut = h("div.hc-why");
	els.panels.why.append(h("div.hc-pair", { onkeydown: (e) => e.key === "Enter" && explain(app) },
		h("label", {}, "User", els.whyUser), h("label", {}, "Item", els.whyItem),
		button("Explain", () => explain(app), { class: "hc-main" })), els.whyOut);
	listen(els.tabs, { keydown(e) {
		const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
		if (!step) return;
		const keys = Object.keys(TABS).filter((key) => !els.tabs.querySelector(`[data-key=${key}]`).hidden);
		showTab(app, keys[(keys.indexOf(app.state.tab) + step + keys.length) % keys.length]);
		els.root.ownerDocument.getElementById(uid + app.state.tab)?.focus();
	} });
	if (app.about.own) for (const key of ["user", "why"]) els.tabs.querySelector(`[data-key=${key}]`).hidden = true; // there are no clicks, no scores
	const aside = h("div.hc-aside", {}, els.tabs, Object.values(els.panels));
	listenToRows(app, aside);
	return aside;
}

/** @param {App} app @param {string} key */
export function showTab(app, key) {
	app.state.tab = key;
	for (const b of app.els.tabs.children) {
		b.setAttribute("aria-selected", String(b.dataset.key === key));
		b.tabIndex = b.dataset.key === key ? 0 : -1;
	}
	for (const [name, panel] of Object.entries(app.els.panels)) panel.hidden = name !== key;
}

/** Show what Python wrote, and keep the keyboard where it was. @param {any} box @param {string} html */
export function fill(box, html) {
	const key = box.contains(document.activeElement) && /** @type {HTMLElement} */ (document.activeElement).dataset.key;
	box.innerHTML = html;
	if (key) box.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
}

/** Side, slot and number of the hyperedge that a row is about. @param {Element} e @returns {string[] | undefined} */
const whereIs = (e) => /** @type {HTMLElement | null} */ (e.closest("[data-edge]"))?.dataset.edge.split(":");

/** What a click on a `data-act` does. @type {Record<string, (app: App, b: HTMLElement) => void>} */
const ACTS = {
	remove: (app, b) => toggle(app, "removed", b.dataset.key),
	modality: (app, b) => toggle(app, "removed_modalities", b.dataset.key),
	clear: (app) => set(app, { selection: [] }),
	strike: (app, b) => {
		const now = app.get("removed_clicks"), left = now.filter((click) => JSON.stringify(click) !== b.dataset.key);
		set(app, { removed_clicks: left.length < now.length ? left : [...now, JSON.parse(b.dataset.key)] });
	},
	restore: (app) => set(app, UNCHANGED),
	save: (app) => ask(app, { type: "export", kind: "why" }),
	show: (app, b) => {
		const [side, slot, edge] = whereIs(b);
		set(app, { side, slot: +slot, slots: null, swap: false, focus: ["hyperedge", +edge] });
	},
	focus: (app) => set(app, { focus: ["node", app.get("selection")[0]] }),
	row: (app, b) => {
		const id = app.state.rows[b.dataset.key];
		fillPair(app, own(app), id);
		app.els.spoken.textContent = `${own(app)} ${id} is ready to be explained`;
	},
};

/** @param {App} app @param {HTMLElement} aside */
function listenToRows(app, aside) {
	const { state } = app;
	const acted = (e) => {
		const b = e.target.closest("[data-act]");
		if (b) ACTS[b.dataset.act](app, b);
	};
	/** Light the hyperedge of a contribution where it is in the picture. */
	const ofBar = (e) => {
		const [side, slot, edge] = whereIs(e.target) || [], s = state.scene;
		if (side && s && app.view.movable)
			hover(app, { ...NOTHING, edge: side === s.side && side === s.node_kind && +slot === s.slot ? s.edge_number.indexOf(+edge) : -1 }, 14, 14);
	};
	const leave = () => state.scene && hover(app, NOTHING);
	listen(aside, {
		click: acted,
		input(e) { // not on change: JupyterLab keeps Enter to itself
			const { dataset, value, validity } = e.target;
			clearTimeout(state.typed);
			if (dataset.set && value && validity.valid) state.typed = setTimeout(() => set(app, { [dataset.set]: +value }), 300);
		},
		keydown: (e) => e.key === "Enter" && e.target.tagName === "TR" && acted(e),
		mouseover(e) {
			const row = e.target.closest("tr[data-act]"), i = row && state.scene?.index.get(state.rows[row.dataset.key]);
			if (i != null) hover(app, { ...NOTHING, node: i }, ...app.view.at(app, { ...NOTHING, node: i }));
			ofBar(e);
		},
		focusin: ofBar,
		mouseleave: leave,
		focusout: leave,
	});
}
