// The menu of options: what nodes are coloured and sized by, and which hyperedges are left out.

import { sizeNodes } from "./colours.js";
import { redraw } from "./stage.js";
import { set } from "./state.js";
import { field, h, select } from "./tools.js";

const FILTERS = { min_size: "Members, at least", max_size: "Members, at most", min_degree: "Hyperedges of a node, at least", min_modalities: "Modalities of a hyperedge's label, at least" };

/** A button that opens a box. @param {string} text @param {string} key @param {any[]} kids */
export const menu = (text, key, ...kids) => h("details", { class: "hc-menu", "data-key": key }, h("summary", { "data-key": key + "_menu" }, text), h("div", { class: "hc-box" }, kids));

/** @param {App} app */
export function createOptions(app) {
	const { els, uid, about } = app;
	els.colourBy = select(uid, "colour_by", [], (name) => set(app, { colour_by: name }));
	els.sizeBy = select(uid, "size_by", [["degree", "degree"], ["colour", "what colours it"], ["equal", "nothing: all alike"]], (how) => {
		app.state.sizeBy = how;
		if (app.state.scene) sizeNodes(app.state.scene, how);
		redraw(app);
	});
	els.neighbours = select(uid, "neighbours", [[0, "all"], ...[2, 5, 10, 20, 50, 100].map((v) => [v, v])], (v) => set(app, { neighbours: +v }));
	els.filters = Object.fromEntries(Object.keys(FILTERS).map((name) => [name,
		h("input", { type: "number", min: 0, step: 1, id: uid + name, "data-key": name, oninput: (e) => {
			clearTimeout(app.state.typed);
			app.state.typed = setTimeout(() => set(app, { [name]: Math.max(0, Math.round(+e.target.value) || 0) }), 300);
		} })]));
	els.options = menu("Options", "options", field(uid, "colour_by", "Colour nodes by", els.colourBy), field(uid, "size_by", "Size nodes by", els.sizeBy),
		about.own ? null : field(uid, "neighbours", "Neighbours sampled (K)", els.neighbours), Object.entries(FILTERS).map(([name, text]) => field(uid, name, text, els.filters[name])));
	return els.options;
}

/** Bring the menu up to the traits. @param {App} app */
export function syncOptions(app) {
	const { els, get, about } = app, kind = about.kinds[(get("side") === "user") !== get("swap") ? 0 : 1];
	if (els.colourBy.dataset.kind !== kind) {
		els.colourBy.replaceChildren(...["", ...(about.colourings?.[kind] || [])].map((name) => h("option", { value: name }, name || "nothing")));
		els.colourBy.dataset.kind = kind;
	}
	els.colourBy.value = get("colour_by");
	let active = 0;
	for (const [name, box] of Object.entries(els.filters)) {
		if (box.ownerDocument.activeElement !== box) box.value = get(name);
		active += get(name) > 0 ? 1 : 0;
	}
	els.options.firstChild.textContent = active ? `Options (${active})` : "Options";
}
