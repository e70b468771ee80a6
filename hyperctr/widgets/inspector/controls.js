// The toolbar and the frame around the picture: elements, and what they do.

import { save } from "./files.js";
import { fit, zoomBy } from "./motion.js";
import { createOptions, menu } from "./options.js";
import { redraw } from "./stage.js";
import { set, toggle } from "./state.js";
import { createTimeline } from "./timeline.js";
import { button, field, h, listen, number, press, range, select } from "./tools.js";
import { VIEWS } from "./views.js";

const FILES = ["png", "svg", "csv", "hif"];
const LIMITS = [15, 30, 60, 150, 300, 1000, 5000, 20000];

/** Make everything but the panels beside the picture. @param {App} app @param {HTMLElement} aside */
export function createControls(app, aside) {
	const { els, about, uid } = app;
	createStage(app);
	const choice = (name, options, pick) => h("div.hc-group", { role: "group", "aria-label": name },
		Object.entries(options).map(([key, text]) => button(text, () => pick(key), { key, title: about.words[key + "_view"] })));
	const labels = Object.fromEntries(Object.entries(VIEWS).map(([key, view]) => [key, view.label]));
	els.views = choice("view", { auto: "Auto", ...labels }, (view) => set(app, { view: view === "auto" ? null : view }));
	const kinds = about.kinds.map((kind) => kind[0].toUpperCase() + kind.slice(1) + "s");
	els.sides = choice("hypergraph over", { user: kinds[0], item: kinds[1] }, (side) => set(app, { side, focus: null }));
	const files = h("div.hc-group", { role: "group", "aria-label": "export" },
		FILES.map((kind) => button(kind.toUpperCase(), () => save(app, kind), { key: kind, title: about.words[kind] })));
	els.delta = range("delta", 1, 0.01, (value) => set(app, { delta: value }));
	els.deltaText = h("output");
	els.limit = select("limit", LIMITS.map((v) => [v, number(v)]), (v) => set(app, { limit: +v }));
	els.chips = h("div.hc-chips", { hidden: !about.modalities[1], role: "group", "aria-label": "modalities" }, about.modalities.map((name, m) =>
		button([h("i", { style: `background:${about.colours[m]}` }), name], () => toggle(app, "modalities", name), { class: "hc-chip", key: name, title: `show or hide ${name}` })));
	els.search = h("input", { type: "search", key: "query", placeholder: `${about.kinds.join(", ")} or title`, "aria-label": "find",
		oninput: () => {
			clearTimeout(app.state.typed);
			app.state.typed = setTimeout(() => set(app, { query: els.search.value.trim() }), 200);
		} });
	els.found = h("ul.hc-found", { hidden: true });
	els.focusChip = button("", () => set(app, { focus: null }), { class: "hc-focus", title: about.words.everything });
	els.partChip = button("", () => app.goInto(null), { class: "hc-focus", key: "part", title: about.words.clusters });
	els.hint = h("span.hc-hint", { id: uid + "keys" });
	els.rule = h("span.hc-rule", { role: "status" }, "waiting for the kernel…");
	els.how = h("b.hc-how", { key: "how" });
	els.root = h("div.hctr", {},
		h("div.hc-bar", {}, els.views, els.sides, createOptions(app), menu("Save", "save", files)),
		h("div.hc-controls", {}, createTimeline(app), els.chips,
			h("div.hc-field", { hidden: about.own }, field("δ", els.delta, els.deltaText)),
			h("div", { class: "hc-field hc-search" }, els.search, els.found), els.focusChip, els.partChip),
		h("div.hc-body", {}, els.stage, aside),
		h("div.hc-foot", {}, els.zoom, field("Show", els.limit), createExtras(app), els.how, els.rule, els.hint), els.spoken);
	listen(els.root, { pointerdown(e) { // a menu closes when the reader goes elsewhere
		for (const box of els.root.querySelectorAll("details.hc-menu[open]")) if (!box.contains(e.target)) box.open = false;
	} });
}

/** The picture's frame. @param {App} app */
function createStage(app) {
	const { els, about, uid } = app;
	els.base = h("canvas.hc-base", { "aria-hidden": "true" });
	els.over = h("canvas.hc-over", { tabindex: "0", role: "application", "aria-describedby": uid + "keys", "aria-label": about.words.keys });
	els.tip = h("div.hc-tip", { hidden: true });
	els.banner = h("div.hc-banner", { role: "alert", hidden: true });
	els.working = h("div.hc-working", { role: "status", hidden: true });
	els.spoken = h("div.hc-spoken", { "aria-live": "polite" });
	els.lasso = button("◌", () => {
		app.state.lasso = !app.state.lasso;
		press(els.lasso, app.state.lasso);
	}, { "aria-label": "lasso", "aria-pressed": "false", title: about.words.lasso });
	els.zoom = h("div.hc-zoom", {}, els.lasso, button("+", () => zoomBy(app, 1.4), { "aria-label": "zoom in" }),
		button("−", () => zoomBy(app, 1 / 1.4), { "aria-label": "zoom out" }), button("⤢", () => fit(app), { "aria-label": "fit", title: "Fit" }));
	els.stage = h("div.hc-stage", {}, els.base, els.over, els.tip, els.working, els.banner);
}

/** What only some views need. @param {App} app */
function createExtras(app) {
	const { els, about } = app;
	els.sort = select("sort", [["alike", "alike together"], ["size", "largest first"]], (value) => {
		app.state.sort = value;
		redraw(app);
	});
	els.compareSlot = select("compare_slot", about.slots.map((text, k) => [k, text]), (v) => set(app, { compare_slot: +v }));
	els.compareDelta = range("compare_delta", 1, 0.01, (v) => set(app, { compare_delta: v }));
	els.compareText = h("output");
	els.extra = { matrix: field("Order", els.sort), difference: h("div.hc-field", {}, field("Against slot", els.compareSlot),
		about.own ? null : field("and δ", els.compareDelta, els.compareText)) };
	return Object.values(els.extra);
}
