// The toolbar and the frame around the picture: elements, and what they do.

import { save } from "./files.js";
import { fit, zoomBy } from "./motion.js";
import { createOptions, menu } from "./options.js";
import { redraw } from "./stage.js";
import { set, toggle } from "./state.js";
import { button, field, h, number, range, select } from "./tools.js";
import { VIEWS } from "./views.js";

const FILES = ["png", "svg", "csv", "hif"];
const LIMITS = [15, 30, 60, 150, 300, 1000, 5000, 20000];

/** Make everything but the panels beside the picture. @param {App} app @param {HTMLElement} aside */
export function createControls(app, aside) {
	const { els, about, uid } = app;
	createStage(app);
	const choice = (name, options, pick) => h("div", { class: "hc-group", role: "group", "aria-label": name },
		Object.entries(options).map(([key, text]) => button(text, () => pick(key), { "data-key": key, title: about.words[key + "_view"] })));
	const labels = Object.fromEntries(Object.entries(VIEWS).map(([key, view]) => [key, view.label]));
	els.views = choice("view", { auto: "Auto", ...labels }, (view) => set(app, { view: view === "auto" ? null : view }));
	const kinds = about.kinds.map((kind) => kind[0].toUpperCase() + kind.slice(1) + "s");
	els.sides = choice("hypergraph over", { user: kinds[0], item: kinds[1] }, (side) => set(app, { side, focus: null }));
	els.swap = button("⇄", () => set(app, { swap: !app.get("swap"), focus: null }), { "aria-label": "Swap roles", title: "Swap roles: nodes become hyperedges and hyperedges nodes" });
	const files = h("div", { class: "hc-group", role: "group", "aria-label": "export" },
		FILES.map((kind) => button(kind.toUpperCase(), () => save(app, kind), { "data-key": kind, title: about.words[kind] })));
	els.delta = range(uid, "delta", 1, 0.01, (value) => set(app, { delta: value }));
	els.deltaText = h("output", {});
	els.limit = select(uid, "limit", LIMITS.map((v) => [v, number(v)]), (v) => set(app, { limit: +v }));
	els.chips = h("div", { class: "hc-chips", role: "group", "aria-label": "modalities" }, about.modalities.map((name, m) =>
		button([h("i", { style: `background:${about.colours[m]}` }), name], () => toggle(app, "modalities", name), { class: "hc-chip", "data-key": name, title: `show or hide ${name}` })));
	els.search = h("input", { type: "search", id: uid + "query", "data-key": "query", placeholder: `${about.kinds.join(", ")} or title`, "aria-label": "find",
		oninput: () => {
			clearTimeout(app.state.typed);
			app.state.typed = setTimeout(() => set(app, { query: els.search.value.trim() }), 200);
		} });
	els.found = h("ul", { class: "hc-found", hidden: true });
	els.focusChip = button("", () => set(app, { focus: null }), { class: "hc-focus", title: "Show everything again" });
	els.partChip = button("", () => app.goInto(null), { class: "hc-focus", "data-key": "part", title: "Back to all clusters" });
	els.hint = h("span", { class: "hc-hint", id: uid + "keys" });
	els.rule = h("span", { class: "hc-rule", role: "status" }, "waiting for the kernel…");
	els.how = h("b", { class: "hc-how", "data-key": "how" });
	els.root = h("div", { class: "hctr" },
		h("div", { class: "hc-bar" }, els.views, els.sides, els.swap, h("span", { class: "hc-gap" }), createOptions(app), menu("Save", "save", files)),
		h("div", { class: "hc-controls" }, createTimeline(app), els.chips,
			h("div", { class: "hc-field", hidden: about.own }, field(uid, "delta", "δ", els.delta, els.deltaText)), field(uid, "limit", "Show", els.limit),
			h("div", { class: "hc-field hc-search" }, els.search, els.found), els.focusChip, els.partChip, createExtras(app)),
		h("div", { class: "hc-body" }, els.stage, aside),
		h("div", { class: "hc-foot" }, els.how, els.rule, els.hint), els.spoken);
	els.root.addEventListener("pointerdown", (e) => { // a menu closes when the reader goes elsewhere
		for (const box of els.root.querySelectorAll("details.hc-menu[open]")) if (!box.contains(e.target)) box.open = false;
	});
}

/** The picture's frame. @param {App} app */
function createStage(app) {
	const { els, about, uid } = app;
	els.base = h("canvas", { class: "hc-base", "aria-hidden": "true" });
	els.over = h("canvas", { class: "hc-over", tabindex: "0", role: "application", "aria-describedby": uid + "keys", "aria-label": about.words.keys });
	els.tip = h("div", { class: "hc-tip", hidden: true });
	els.banner = h("div", { class: "hc-banner", role: "alert", hidden: true });
	els.working = h("div", { class: "hc-working", role: "status", hidden: true });
	els.spoken = h("div", { class: "hc-spoken", "aria-live": "polite" });
	els.lasso = button("◌", () => {
		app.state.lasso = !app.state.lasso;
		els.lasso.setAttribute("aria-pressed", String(app.state.lasso));
	}, { "aria-label": "lasso", "aria-pressed": "false", title: "Lasso: drag round what to select (or hold Shift)" });
	els.zoom = h("div", { class: "hc-zoom" }, els.lasso, button("+", () => zoomBy(app, 1.4), { "aria-label": "zoom in" }),
		button("−", () => zoomBy(app, 1 / 1.4), { "aria-label": "zoom out" }), button("⤢", () => fit(app), { "aria-label": "fit", title: "Fit" }));
	els.stage = h("div", { class: "hc-stage" }, els.base, els.over, els.zoom, els.tip, els.working, els.banner);
}

/** Slots as bars as high as they have clicks, under a slider that nobody sees. @param {App} app */
function createTimeline(app) {
	const { els, about, uid } = app, last = about.slots.length - 1, most = Math.max(...about.slot_counts, 1);
	els.slot = range(uid, "slot", last, 1, (value) => set(app, { slot: value }));
	els.slot.setAttribute("aria-label", "slot");
	els.slotText = h("output", {});
	els.bars = h("div", { class: "hc-bars-of-slots", "aria-hidden": "true" }, about.slots.map((_, k) => h("i", { style: `height:${Math.max((100 * about.slot_counts[k]) / most, 4)}%` })));
	els.play = button("▶", () => playing(app, !app.state.playing), { disabled: !last, class: "hc-play", "aria-label": "play the slots", title: "Play the slots" });
	els.timeline = h("div", { class: "hc-timeline", style: `--hc-slots:${last + 1}` }, els.bars, els.slot);
	return h("div", { class: "hc-field" }, els.play, els.timeline, els.slotText);
}

/** What only some views need. @param {App} app */
function createExtras(app) {
	const { els, about, uid } = app;
	els.sort = select(uid, "sort", [["alike", "alike together"], ["size", "largest first"]], (value) => {
		app.state.sort = value;
		redraw(app);
	});
	els.compareSlot = select(uid, "compare_slot", about.slots.map((text, k) => [k, text]), (v) => set(app, { compare_slot: +v }));
	els.compareDelta = range(uid, "compare_delta", 1, 0.01, (v) => set(app, { compare_delta: v }));
	els.compareText = h("output", {});
	els.extra = { matrix: h("div", { class: "hc-extra" }, field(uid, "sort", "Order", els.sort)),
		difference: h("div", { class: "hc-extra" }, field(uid, "compare_slot", "Against slot", els.compareSlot), field(uid, "compare_delta", "and δ", els.compareDelta, els.compareText)) };
	return Object.values(els.extra);
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
