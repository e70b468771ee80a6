// The toolbar and the frame around the picture; `sync` brings every control up to what the traits say.

import { save } from "./files.js";
import { fit, zoomBy } from "./motion.js";
import { redraw } from "./stage.js";
import { set, toggle } from "./state.js";
import { button, h, number } from "./tools.js";
import { VIEWS, viewOf } from "./views.js";

/** Make everything but the panels beside the picture. @param {App} app @param {HTMLElement} aside */
export function createControls(app, aside) {
	const { els, about, uid } = app, last = about.slots.length - 1;
	els.base = h("canvas", { class: "hc-base", "aria-hidden": "true" });
	els.over = h("canvas", { class: "hc-over", tabindex: "0", role: "application", "aria-describedby": uid + "keys", "aria-label": about.words.keys });
	els.tip = h("div", { class: "hc-tip", hidden: true });
	els.banner = h("div", { class: "hc-banner", role: "alert", hidden: true });
	els.spoken = h("div", { class: "hc-spoken", "aria-live": "polite" });
	els.hint = h("span", { class: "hc-hint", id: uid + "keys" });
	els.rule = h("span", { class: "hc-rule", role: "status" }, "waiting for the kernel…");
	const choice = (name, options, pick) => h("div", { class: "hc-group", role: "group", "aria-label": name },
		Object.entries(options).map(([key, text]) => button(text, () => pick(key), { "data-key": key })));
	const range = (name, max, step, act) => h("input", { type: "range", min: 0, max, step, id: uid + name, "data-key": name, oninput: (e) => act(+e.target.value) });
	const select = (name, values, act) => h("select", { id: uid + name, "data-key": name, onchange: (e) => act(+e.target.value) },
		values.map(([value, text]) => h("option", { value }, text)));
	const field = (name, text, ...kids) => h("div", { class: "hc-field" }, h("label", { for: uid + name }, text), ...kids);
	els.views = choice("view", Object.fromEntries(Object.entries(VIEWS).map(([key, view]) => [key, view.label])), (view) => set(app, { view }));
	els.sides = choice("hypergraph", { user: "User hypergraph", item: "Item hypergraph" }, (side) => set(app, { side, focus: null }));
	els.swap = button("⇄ Swap roles", () => set(app, { swap: !app.get("swap"), focus: null }), { title: "Nodes become hyperedges and hyperedges nodes" });
	els.slot = range("slot", last, 1, (value) => set(app, { slot: value }));
	els.slotText = h("output", {});
	els.play = button("▶", () => playing(app, !app.state.playing), { disabled: !last, class: "hc-play", "aria-label": "play the slots", title: "Play" });
	els.delta = range("delta", 1, 0.01, (value) => set(app, { delta: value }));
	els.deltaText = h("output", {});
	els.neighbours = select("neighbours", [[0, "all"], ...[2, 5, 10, 20, 50, 100].map((v) => [v, v])], (v) => set(app, { neighbours: v }));
	els.limit = select("limit", [15, 30, 60, 150, 300, 1000, 5000, 20000].map((v) => [v, number(v)]), (v) => set(app, { limit: v }));
	els.chips = h("div", { class: "hc-chips", role: "group", "aria-label": "modalities" }, about.modalities.map((name, m) =>
		button([h("i", { style: `background:${about.colours[m]}` }), name], () => toggle(app, "modalities", name), { class: "hc-chip", "data-key": name })));
	els.search = h("input", { type: "search", id: uid + "query", "data-key": "query", placeholder: "user, item or title",
		oninput: () => {
			clearTimeout(app.state.typed);
			app.state.typed = setTimeout(() => set(app, { query: els.search.value.trim() }), 200);
		} });
	els.found = h("ul", { class: "hc-found", hidden: true });
	els.focusChip = button("", () => set(app, { focus: null }), { class: "hc-focus", title: "Show everything again" });
	const sort = h("select", { id: uid + "sort", "aria-label": "order of the matrix", onchange: (e) => { app.state.sort = e.target.value; redraw(app); } },
		[["size", "largest first"], ["place", "alike together"]].map(([value, text]) => h("option", { value }, text)));
	els.compareSlot = select("compare_slot", about.slots.map((text, k) => [k, text]), (v) => set(app, { compare_slot: v }));
	els.compareDelta = range("compare_delta", 1, 0.01, (v) => set(app, { compare_delta: v }));
	els.compareText = h("output", {});
	els.extra = { incidence: h("div", { class: "hc-extra" }, field("sort", "Order", sort)),
		difference: h("div", { class: "hc-extra" }, field("compare_slot", "Against slot", els.compareSlot), field("compare_delta", "and δ", els.compareDelta, els.compareText)) };
	els.zoom = h("div", { class: "hc-zoom" }, button("+", () => zoomBy(app, 1.4), { "aria-label": "zoom in" }),
		button("−", () => zoomBy(app, 1 / 1.4), { "aria-label": "zoom out" }), button("⤢", () => fit(app), { "aria-label": "fit", title: "Fit" }));
	els.stage = h("div", { class: "hc-stage" }, els.base, els.over, els.zoom, els.tip, els.banner);
	const saves = h("div", { class: "hc-group", role: "group", "aria-label": "export" },
		["png", "csv", "hif"].map((kind) => button(kind.toUpperCase(), () => save(app, kind), { "data-key": kind, title: about.words[kind] })));
	els.root = h("div", { class: "hctr" },
		h("div", { class: "hc-bar" }, els.views, els.sides, els.swap, h("span", { class: "hc-gap" }), saves),
		h("div", { class: "hc-controls" },
			field("slot", "Slot", els.play, els.slot, els.slotText), els.chips, field("delta", "δ", els.delta, els.deltaText),
			field("neighbours", "Neighbours", els.neighbours), field("limit", "Show", els.limit),
			h("div", { class: "hc-field hc-search" }, h("label", { for: uid + "query" }, "Find"), els.search, els.found), els.focusChip,
			Object.values(els.extra)),
		h("div", { class: "hc-body" }, els.stage, aside),
		h("div", { class: "hc-foot" }, els.rule, els.hint), els.spoken);
}

/** Settings to elements. @param {App} app */
export function sync(app) {
	const { els, get, about } = app, last = about.slots.length - 1;
	const press = (group, key) => { for (const b of group.children) b.setAttribute("aria-pressed", String(b.dataset.key === key)); };
	press(els.views, get("view"));
	press(els.sides, get("side"));
	els.swap.setAttribute("aria-pressed", String(get("swap")));
	for (const b of els.chips.children) b.setAttribute("aria-pressed", String(get("modalities").includes(b.dataset.key)));
	els.slot.value = get("slot");
	els.slotText.value = about.slots[get("slot")];
	els.slot.setAttribute("aria-valuetext", els.slotText.value);
	els.delta.value = get("delta");
	els.deltaText.value = get("delta").toFixed(2);
	for (const [element, value] of [[els.neighbours, get("neighbours")], [els.limit, get("limit")]]) {
		if (![...element.options].some((o) => +o.value === value)) element.append(h("option", { value }, number(value)));
		element.value = value;
	}
	if (els.root.ownerDocument.activeElement !== els.search) els.search.value = get("query");
	els.found.hidden = !get("query");
	els.focusChip.hidden = !get("focus");
	els.focusChip.textContent = `around ${app.state.scene?.around || "…"}  ×`;
	for (const [name, box] of Object.entries(els.extra)) box.hidden = get("view") !== name;
	els.compareSlot.value = get("compare_slot") ?? (get("slot") ? get("slot") - 1 : Math.min(1, last));
	els.compareDelta.value = get("compare_delta") ?? get("delta");
	els.compareText.value = (+els.compareDelta.value).toFixed(2);
	els.hint.textContent = about.words[get("view")] || about.words.hint;
	els.zoom.hidden = !viewOf(app).movable;
	els.root.dataset.view = get("view");
}

/** Go through the slots, or stop. @param {App} app @param {boolean} on */
export function playing(app, on) {
	const { play } = app.els, last = app.about.slots.length - 1;
	app.state.playing = on;
	play.textContent = on ? "❚❚" : "▶";
	play.setAttribute("aria-label", on ? "pause" : "play the slots");
	clearTimeout(app.state.next);
	if (on) set(app, { slot: app.get("slot") >= last ? 0 : app.get("slot") + 1 });
}
