// What lies under the pointer, brought out and put into words.

import { edgesOf, size } from "./scene.js";
import { highlight } from "./stage.js";
import { NOTHING, clamp, h, plural } from "./tools.js";

/** @param {App} app @param {number} x @param {number} y @returns {Hover} */
export const pick = (app, x, y) => (app.scene?.n ? app.view.pick(app, x, y) : NOTHING);

/** Bring something out; its words stand beside a point. @param {App} app @param {Hover} next */
export function hover(app, next, x = 0, y = 0) {
	const start = performance.now(), { state, look } = app, { tip, over } = app.els, old = state.hover;
	if (old.node !== next.node || old.edge !== next.edge || old.bar !== next.bar) {
		state.hover = next;
		highlight(app);
		const words = describe(app, next);
		tip.replaceChildren(...words.map((line, k) => h(k ? "div" : "b", {}, line)));
		tip.hidden = !words.length;
	}
	if (!tip.hidden) {
		const right = x > look.width - 240;
		tip.style.transform = `translate(${Math.round(x + (right ? -14 : 14))}px, ${Math.round(clamp(y + 14, 4, look.height - 84))}px)${right ? " translateX(-100%)" : ""}`;
	}
	over.style.cursor = next.node >= 0 || next.edge >= 0 || next.bar >= 0 ? "pointer" : app.view.movable ? "grab" : "crosshair";
	state.times.hover = performance.now() - start;
}

/** Lines about a thing, the first its name. @param {App} app @param {Hover} what @returns {string[]} */
export function describe(app, { node, edge, bar }) {
	/** @type {Scene} */
	const s = app.scene;
	if (bar >= 0) return app.view.bar(app, bar).words;
	if (edge >= 0) {
		const lines = [(s.modalities[1] ? s.modalities[s.edge_modality[edge]] + ": " : "") + s.edge_titles[edge],
			`${s.edge_kind} ${s.edge_labels[edge]} · ${plural(size(s, edge), "member")} · weight ${s.edge_weight[edge].toFixed(2)}`];
		if (s.marks) lines.push(["in both", "only here", "only there"][s.marks[edge]]);
		if (s.panels) lines.push(s.panels[s.part[edge]].label);
		return node >= 0 ? [...lines, `with ${s.titles[node]}`] : lines;
	}
	if (node < 0) return [];
	const name = `${s.node_kind} ${s.nodes[node]}`, on = [...edgesOf(s, node)];
	const per = s.modalities.map((modality, m) => /** @type {[string, number]} */ ([modality, on.filter((k) => s.edge_modality[k] === m).length]));
	return [s.titles[node], `${name === s.titles[node] ? "" : name + " · "}on ${plural(s.degree[node], "hyperedge")}`,
		per.filter(([, many]) => many).map(([modality, many]) => `${modality} ${many}`).join(" · ")];
}
