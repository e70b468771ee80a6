// Part of a scene: the hyperedges among some of its nodes, so that a cluster can be looked at by itself.

import { membersOf, worked } from "./scene.js";
import { plural } from "./tools.js";

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
	const cut = (which, ...names) => names.map((name) => [name, s[name]?.constructor.from(which, (k) => s[name][k])]);
	const layouts = (list) => Float32Array.from(s.modalities.flatMap((_, m) => kept.map((i) => list[m * s.n + i])));
	const same = ["side", "slot", "slot_label", "threshold", "node_kind", "edge_kind", "modalities", "around", "colouring", "against"].map((name) => [name, s[name]]);
	return worked({ ...Object.fromEntries([...same, ...cut(kept, "nodes", "titles", "x", "y", "node_colour"),
		...cut(edges, "edge_labels", "edge_titles", "edge_modality", "edge_weight", "edge_number", "marks")]), name, degree,
		rule: `${name}: ${plural(kept.length, s.node_kind)} and ${plural(edges.length, "hyperedge")} that two or more of them share`,
		px: layouts(s.px), py: layouts(s.py), edge_offsets: Int32Array.from(offsets), edge_nodes: Int32Array.from(members) });
}
