// Clusters of nodes that stand together, and what they share: the density view is drawn from these.

import { membersOf } from "../scene.js";
import { clamp } from "../tools.js";

const ROUNDS = 10;

/**
 * Clusters of a scene's nodes by their places (k-means from evenly spread starts), and the hyperedges between them.
 * @param {Scene} s
 * @returns {{of: Int32Array, list: Cluster[], links: [number, number, number][]}}
 */
export function clustersOf(s) {
	if (s.clusters) return s.clusters;
	const many = Math.min(clamp(Math.round(Math.sqrt(s.n) / 3.5), 6, 40), s.n), of = new Int32Array(s.n);
	const start = Array.from({ length: s.n }, (_, i) => i).sort((a, b) => Math.round(3 * s.x[a]) - Math.round(3 * s.x[b]) || s.y[a] - s.y[b] || a - b);
	const cx = Float64Array.from({ length: many }, (_, c) => s.x[start[Math.floor(((c + 0.5) * s.n) / many)]]);
	const cy = Float64Array.from({ length: many }, (_, c) => s.y[start[Math.floor(((c + 0.5) * s.n) / many)]]);
	for (let round = 0; round < ROUNDS; round++) {
		const sx = new Float64Array(many), sy = new Float64Array(many), count = new Int32Array(many);
		for (let i = 0; i < s.n; i++) {
			let least = Infinity;
			for (let c = 0; c < many; c++) {
				const far = (s.x[i] - cx[c]) ** 2 + (s.y[i] - cy[c]) ** 2;
				if (far < least) [least, of[i]] = [far, c];
			}
			const c = of[i];
			sx[c] += s.x[i];
			sy[c] += s.y[i];
			count[c]++;
		}
		for (let c = 0; c < many; c++) if (count[c]) [cx[c], cy[c]] = [sx[c] / count[c], sy[c] / count[c]];
	}
	return (s.clusters = { of, ...shared(s, of, Array.from(cx, (x, c) => [x, cy[c]])) });
}

/** Members of each cluster, how much of each modality they have, and hyperedges with members in two. @param {Scene} s @param {Int32Array} of @param {number[][]} centres */
function shared(s, of, centres) {
	const kinds = s.modalities.length, pairs = new Map();
	const list = centres.map(([x, y]) => ({ x, y, nodes: [], top: -1, share: new Float64Array(kinds), edges: 0 }));
	for (const i of s.degreeOrder) {
		const cluster = list[of[i]];
		if (cluster.top < 0) cluster.top = i;
		cluster.nodes.push(i);
	}
	for (let k = 0; k < s.e; k++) {
		const touched = new Map();
		for (const i of membersOf(s, k)) touched.set(of[i], (touched.get(of[i]) || 0) + 1);
		const all = [...touched.keys()].sort((a, b) => a - b);
		for (const [c, inside] of touched) {
			list[c].share[s.edge_modality[k]] += inside;
			if (inside > 1) list[c].edges++;
		}
		for (let a = 0; a < all.length; a++) for (let b = a + 1; b < all.length; b++) pairs.set(all[a] * 1000 + all[b], (pairs.get(all[a] * 1000 + all[b]) || 0) + 1);
	}
	const links = [...pairs].map(([pair, count]) => /** @type {[number, number, number]} */ ([Math.floor(pair / 1000), pair % 1000, count])).sort((a, b) => b[2] - a[2]);
	return { list, links };
}
