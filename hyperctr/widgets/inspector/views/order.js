// Orders for the matrix: alike together, by the spectrum of the incidence matrix, or largest first.

import { membersOf, size } from "../scene.js";

const STEPS = 60;

/** Which nodes hang together, a number for each. @param {Scene} s */
function componentsOf(s) {
	const parent = Int32Array.from({ length: s.n }, (_, i) => i);
	const root = (i) => {
		while (parent[i] !== i) i = parent[i] = parent[parent[i]];
		return i;
	};
	for (let k = 0; k < s.e; k++) {
		const own = membersOf(s, k);
		for (const i of own) parent[root(i)] = root(own[0]);
	}
	return Int32Array.from({ length: s.n }, (_, i) => root(i));
}

/**
 * A value for each node that is alike for nodes with hyperedges in common: the second vector of reciprocal averaging,
 * in each component by itself.
 * @param {Scene} s @param {Int32Array} component
 */
function spectrum(s, component) {
	const value = Float64Array.from({ length: s.n }, (_, i) => s.x[i] + 0.3 * s.y[i] + 1e-4 * Math.sin(i));
	const mean = new Float64Array(s.e), sum = new Float64Array(s.n), weight = new Float64Array(s.n);
	for (const i of s.edge_nodes) weight[component[i]]++;
	for (let step = 0; step < STEPS; step++) {
		const middle = new Float64Array(s.n), spread = new Float64Array(s.n);
		for (const i of s.edge_nodes) middle[component[i]] += value[i] / weight[component[i]];
		for (const i of s.edge_nodes) spread[component[i]] += (value[i] - middle[component[i]]) ** 2 / weight[component[i]];
		for (let i = 0; i < s.n; i++) value[i] = (value[i] - middle[component[i]]) / (Math.sqrt(spread[component[i]]) || 1);
		sum.fill(0);
		for (let k = 0; k < s.e; k++) {
			const own = membersOf(s, k);
			mean[k] = 0;
			for (const i of own) mean[k] += value[i] / own.length;
			for (const i of own) sum[i] += mean[k];
		}
		for (let i = 0; i < s.n; i++) value[i] = 0.5 * value[i] + (0.5 * sum[i]) / Math.max(s.degree[i], 1); // half steps: no flipping
	}
	return value;
}

/**
 * Nodes and, modality by modality, hyperedges in order.
 * @param {Scene} s @param {string} how `alike` or `size`
 * @returns {{rows: number[], cols: number[], rowOf: Int32Array, colOf: Int32Array}}
 */
export function orderOf(s, how) {
	s.orders ??= {};
	if (s.orders[how]) return s.orders[how];
	const list = (length) => Array.from({ length }, (_, k) => k);
	const inverse = (from) => from.reduce((to, one, rank) => ((to[one] = rank), to), new Int32Array(from.length));
	let rows, key;
	if (how === "size") {
		rows = [...s.degreeOrder];
		key = (k) => -size(s, k);
	} else {
		const component = componentsOf(s), value = spectrum(s, component), many = new Int32Array(s.n);
		for (const root of component) many[root]++;
		rows = list(s.n).sort((a, b) => many[component[b]] - many[component[a]] || component[a] - component[b] || value[a] - value[b]);
	}
	const rowOf = inverse(rows);
	if (!key) {
		const mean = list(s.e).map((k) => membersOf(s, k).reduce((sum, i) => sum + rowOf[i], 0) / size(s, k));
		key = (k) => mean[k];
	}
	const value = list(s.e).map(key);
	const cols = list(s.e).sort((a, b) => s.edge_modality[a] - s.edge_modality[b] || value[a] - value[b] || a - b);
	return (s.orders[how] = { rows, cols, rowOf, colOf: inverse(cols) });
}
