// Part of a saved scene, packed as Python packs scenes; what is found in one; the table of what is selected in it.

import { edgesOf, membersOf, unpack } from "../scene.js";
import { button, h, plural } from "../tools.js";

const FOUND = 20, LISTED = 200; // rows

/**
 * Some hyperedges of a scene and the nodes on them.
 * @param {{message: any, buffers: DataView[]}} kept
 * @param {(s: Scene, k: number) => boolean} holds which hyperedges stay
 * @param {(s: Scene, many: number) => Record<string, any>} told what its header says instead
 */
export function cutScene({ message, buffers }, holds, told) {
	const header = message.scene, s = unpack(header, buffers), { n } = s;
	const edges = [...s.edge_labels.keys()].filter((k) => holds(s, k)), place = new Int32Array(n).fill(-1);
	const nodes = [...new Set(edges.flatMap((k) => [...membersOf(s, k)]))].sort((a, b) => a - b);
	nodes.forEach((i, at) => (place[i] = at));
	const offsets = [0], members = [], degree = new Int32Array(nodes.length);
	for (const k of edges) {
		for (const i of membersOf(s, k)) {
			members.push(place[i]);
			degree[place[i]]++;
		}
		offsets.push(members.length);
	}
	const layouts = s.modalities.flatMap((_, m) => nodes.map((i) => m * n + i));
	const from = { x: nodes, y: nodes, node_colour: nodes, px: layouts, py: layouts }; // all else is of hyperedges
	const made = { degree, edge_offsets: Int32Array.from(offsets), edge_nodes: Int32Array.from(members) };
	const parts = header.buffers.map(({ name }) => made[name] ?? s[name].constructor.from(from[name] ?? edges, (k) => s[name][k]));
	const of = (list, which) => which.map((k) => list[k]);
	const scene = { ...header, nodes: of(s.nodes, nodes), titles: of(s.titles, nodes), edge_labels: of(s.edge_labels, edges), edge_titles: of(s.edge_titles, edges), ...told(s, edges.length) };
	const numbers = `<p class="hc-none">Of everything in this slot:</p>${message.numbers}`;
	return { message: { ...message, scene, numbers }, buffers: parts.map((list) => new DataView(list.buffer)) };
}

/** The hyperedges around a focus, and its title; -1 where it is not in the scene. @param {Scene} s @param {[string, any]} focus */
export function aroundFocus(s, [kind, id]) {
	if (kind === "node") {
		const i = s.index.get(id) ?? -1;
		return { edges: new Set(i < 0 ? [] : edgesOf(s, i)), title: s.titles[i] };
	}
	const centre = s.edge_number.indexOf(id), edges = new Set();
	if (centre >= 0) for (const i of membersOf(s, centre)) for (const k of edgesOf(s, i)) edges.add(k);
	return { edges, title: centre < 0 ? "" : `${s.modalities[s.edge_modality[centre]]}: ${s.edge_titles[centre]}` };
}

/** Nodes and hyperedges whose title or id holds a text, as Python answers it. @param {Scene} s @param {string} text */
export function foundIn(s, text) {
	const rows = [], known = new Set(), wanted = text.toLowerCase();
	const look = (kind, id, title, focus) => {
		const words = title.toLowerCase(), exact = wanted === words || wanted === String(id).toLowerCase();
		if (known.has(kind + id) || (!exact && !words.includes(wanted))) return;
		known.add(kind + id);
		rows.push({ kind, title, focus, order: exact ? 0 : title.length });
	};
	s.nodes.forEach((id, i) => look(s.node_kind, id, s.titles[i], ["node", id]));
	s.edge_labels.forEach((id, k) => look(s.edge_kind, id, s.edge_titles[k], ["hyperedge", s.edge_number[k]]));
	return rows.sort((a, b) => a.order - b.order).slice(0, FOUND);
}

/** The selected nodes, and on how many hyperedges of the picture they lie. @param {Scene} s @param {any[]} ids @param {string[]} colours */
export function selectionTable(s, ids, colours) {
	if (!ids.length) return h("p", { class: "hc-none" }, "Nothing is selected. Click a node, a hyperedge or a bar, or draw round them with shift held.");
	const act = (name, text) => button(text, () => {}, { "data-act": name, "data-key": name });
	const row = (id, at) => {
		const i = s.index.get(id), on = i === undefined ? [] : [...edgesOf(s, i)];
		return h("tr", { tabindex: 0, "data-act": "row", "data-key": at, title: `${s.node_kind} ${id}` }, h("td", {}, i === undefined ? `${s.node_kind} ${id}` : s.titles[i]),
			s.modalities.map((_, m) => h("td", {}, i === undefined ? "–" : on.filter((k) => s.edge_modality[k] === m).length)));
	};
	return h("div", {}, h("p", {}, h("b", {}, `${plural(ids.length, s.node_kind)} selected`), ids.length > LISTED ? `, the first ${LISTED} listed ` : " ", act("focus", "Focus"), act("clear", "Clear")),
		h("table", {}, h("thead", {}, h("tr", {}, h("th", {}, s.node_kind), s.modalities.map((name, m) => h("th", {}, h("i", { style: `background:${colours[m]}` }), name)))),
			h("tbody", {}, ids.slice(0, LISTED).map(row))),
		h("p", { class: "hc-none" }, "Numbers: on how many hyperedges of this picture each lies."));
}
