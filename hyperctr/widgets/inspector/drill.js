// Part of a scene: the hyperedges among some of its nodes, so that a cluster can be looked at by itself.

import { membersOf, worked } from "./scene.js";

/**
 * Cut a scene down to some nodes and the hyperedges that at least two of them share.
 * @param {Scene} s @param {Iterable<number>} nodes @param {string} name what the part is called
 * @returns {Scene}
 */
export function partOf(s, nodes, name) {
	const kept = [...nodes].sort((a, b) => a - b), place = new Int32Array(s.n).fill(-1);
	kept.forEach((i, at) => (place[i] = at));
	const edges = [], offsets = [0], members = [], degree = new Int32Array(kept.length);
	for (let k = 0; k < s.e; k++) {
		const own = membersOf(s, k).filter((i) => place[i] >= 0);
		if (own.length < 2) continue;
		edges.push(k);
		for (const i of own) {
			members.push(place[i]);
			degree[place[i]]++;
		}
		offsets.push(members.length);
	}
	const of = (list, which) => list.constructor.from(which, (k) => list[k]);
	const layouts = (list) => Float32Array.from({ length: kept.length * s.modalities.length }, (_, k) => list[Math.floor(k / kept.length) * s.n + kept[k % kept.length]]);
	const { side, slot, delta, node_kind, edge_kind, modalities, around, colouring, against } = s;
	return worked({ side, slot, delta, node_kind, edge_kind, modalities, around, colouring, against, name,
		rule: `${name}: ${kept.length.toLocaleString("en-US")} ${node_kind}s and ${edges.length.toLocaleString("en-US")} hyperedges that two or more of them share`,
		nodes: of(s.nodes, kept), titles: of(s.titles, kept), x: of(s.x, kept), y: of(s.y, kept), px: layouts(s.px), py: layouts(s.py),
		node_colour: of(s.node_colour, kept), degree, edge_labels: of(s.edge_labels, edges), edge_titles: of(s.edge_titles, edges),
		edge_offsets: Int32Array.from(offsets), edge_nodes: Int32Array.from(members), edge_modality: of(s.edge_modality, edges),
		edge_weight: of(s.edge_weight, edges), edge_number: of(s.edge_number, edges), marks: s.marks && of(s.marks, edges) });
}
