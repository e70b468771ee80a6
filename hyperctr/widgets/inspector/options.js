// The menu of options: what nodes are coloured and sized by, and which hyperedges are left out.

import { sizeNodes } from "./colours.js";
import { redraw } from "./stage.js";
import { set } from "./state.js";
import { button, field, h, select } from "./tools.js";

const FILTERS = ["min_size", "max_size", "min_degree", "min_modalities"];

/** A button that opens a box. @param {string} text @param {string} key @param {any[]} kids */
export const menu = (text, key, ...kids) => h("details.hc-menu", { key }, h("summary", { key: key + "_menu" }, text), h("div.hc-box", {}, kids));

/** @param {App} app */
export function createOptions(app) {
	const { els, about } = app;
	els.colourBy = select("colour_by", [], (name) => set(app, { colour_by: name }));
	els.sizeBy = select("size_by", [["degree", "degree"], ["colour", "what colours it"], ["equal", "nothing: all alike"]], (how) => {
		app.state.sizeBy = how;
		if (app.scene) sizeNodes(app.scene, how);
		redraw(app);
	});
	els.neighbours = select("neighbours", [[0, "all"], ...[2, 5, 10, 20, 50, 100].map((v) => [v, v])], (v) => set(app, { neighbours: +v }));
	els.filters = Object.fromEntries(FILTERS.map((name) => [name,
		h("input", { type: "number", min: 0, step: 1, key: name, oninput: (e) => {
			clearTimeout(app.state.typed);
			app.state.typed = setTimeout(() => set(app, { [name]: Math.max(0, Math.round(+e.target.value) || 0) }), 300);
		} })]));
	els.swap = button("Swap roles", () => set(app, { swap: !app.get("swap"), focus: null }), { key: "swap", title: about.words.swap });
	els.options = menu("Options", "options", els.swap, field("Colour nodes by", els.colourBy), field("Size nodes by", els.sizeBy),
		about.own ? null : field("Neighbours sampled (K)", els.neighbours), FILTERS.map((name) => field(about.words[name], els.filters[name])));
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
	let active = +get("swap");
	for (const [name, box] of Object.entries(els.filters)) {
		if (box.ownerDocument.activeElement !== box) box.value = get(name);
		active += get(name) > 0 ? 1 : 0;
	}
	els.options.firstChild.textContent = active ? `Options (${active})` : "Options";
}
