// Clusters of nodes that stand together, and what they share: the density view is drawn from these.

import { membersOf } from "../scene.js";
import { clamp } from "../tools.js";

const ROUNDS = 10, SEEN = 3000; // nodes that centres are taken from

/**
 * Clusters of a scene's nodes by their places (k-means from evenly spread starts), and the hyperedges between them.
 * @param {Scene} s
 * @returns {{of: Int32Array, list: Cluster[], links: [number, number, number][]}}
 */
export function clustersOf(s) {
	if (s.clusters) return s.clusters;
	const { x, y, n } = s, many = Math.min(clamp(Math.round(Math.sqrt(n) / 3.5), 6, 40), n), step = Math.ceil(n / SEEN);
	const some = Array.from({ length: Math.ceil(n / step) || 0 }, (_, k) => k * step).sort((a, b) => Math.round(3 * x[a]) - Math.round(3 * x[b]) || y[a] - y[b] || a - b);
	const start = Array.from({ length: many }, (_, c) => some[Math.floor(((c + 0.5) * some.length) / many)]);
	const cx = Float64Array.from(start, (i) => x[i]), cy = Float64Array.from(start, (i) => y[i]);
	const closest = (i) => {
		let least = Infinity, best = 0;
		for (let c = 0; c < many; c++) {
			const far = (x[i] - cx[c]) ** 2 + (y[i] - cy[c]) ** 2;
			if (far < least) [least, best] = [far, c];
		}
		return best;
	};
	for (let round = 0; round < ROUNDS; round++) {
		const sx = new Float64Array(many), sy = new Float64Array(many), count = new Int32Array(many);
		for (const i of some) {
			const c = closest(i);
			sx[c] += x[i];
			sy[c] += y[i];
			count[c]++;
		}
		for (let c = 0; c < many; c++) if (count[c]) [cx[c], cy[c]] = [sx[c] / count[c], sy[c] / count[c]];
	}
	const of = Int32Array.from({ length: n }, (_, i) => closest(i));
	return (s.clusters = { of, ...shared(s, of, Array.from(cx, (x, c) => [x, cy[c]])) });
}

/** Members of each cluster, how much of each modality they have, and hyperedges with members in two. @param {Scene} s @param {Int32Array} of @param {number[][]} centres */
function shared(s, of, centres) {
	const many = centres.length, pairs = new Int32Array(many * many), inside = new Int32Array(many);
	const list = centres.map(([x, y]) => ({ x, y, nodes: [], top: -1, share: new Float64Array(s.modalities.length), edges: 0 }));
	for (const i of s.degreeOrder) {
		const cluster = list[of[i]];
		if (cluster.nodes.push(i) < 2) cluster.top = i;
	}
	for (let k = 0; k < s.e; k++) {
		const touched = [];
		for (const i of membersOf(s, k)) if (!inside[of[i]]++) touched.push(of[i]);
		for (const c of touched) {
			list[c].share[s.edge_modality[k]] += inside[c];
			if (inside[c] > 1) list[c].edges++;
			inside[c] = 0;
			for (const d of touched) if (c < d) pairs[c * many + d]++;
		}
	}
	const links = [...pairs.keys()].filter((pair) => pairs[pair]).map((pair) => /** @type {[number, number, number]} */ ([Math.floor(pair / many), pair % many, pairs[pair]]));
	return { list, links: links.sort((a, b) => b[2] - a[2]) };
}
