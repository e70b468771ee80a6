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
	const { n, degree, edge_offsets: from, edge_nodes: members } = s, weight = new Float64Array(n), sum = new Float64Array(n), middle = new Float64Array(n);
	for (let i = 0; i < n; i++) weight[component[i]] += degree[i];
	for (let step = 0; step < STEPS; step++) {
		sum.fill(0);
		middle.fill(0);
		for (let i = 0; i < n; i++) middle[component[i]] += (degree[i] * value[i]) / weight[component[i]];
		for (let k = 0; k < s.e; k++) {
			let mean = 0;
			for (let p = from[k]; p < from[k + 1]; p++) mean += value[members[p]] / (from[k + 1] - from[k]);
			for (let p = from[k]; p < from[k + 1]; p++) sum[members[p]] += mean;
		}
		// half steps: no flipping; only the order counts, so values may shrink
		for (let i = 0; i < n; i++) value[i] = 0.5 * (value[i] + sum[i] / Math.max(degree[i], 1)) - middle[component[i]];
	}
	return value;
}

/**
 * Nodes and, modality by modality, hyperedges in order.
 * @param {Scene} s @param {string} how `alike` or `size`
 * @returns {{rows: number[], cols: number[], rowOf: Int32Array, ends: [number, number][]}} `ends`: first and last node of each hyperedge
 */
export function orderOf(s, how) {
	s.orders ??= {};
	if (s.orders[how]) return s.orders[how];
	const list = (length) => Array.from({ length }, (_, k) => k);
	const rowOf = new Int32Array(s.n);
	const component = componentsOf(s), spectral = spectrum(s, component), many = new Int32Array(s.n);
	for (const root of component) many[root]++;
	const rows = how === "size" ? [...s.degreeOrder] : list(s.n).sort((a, b) => many[component[b]] - many[component[a]] || component[a] - component[b] || spectral[a] - spectral[b]);
	rows.forEach((i, row) => (rowOf[i] = row));
	const value = list(s.e).map((k) => (how === "size" ? -size(s, k) : membersOf(s, k).reduce((sum, i) => sum + rowOf[i], 0) / size(s, k)));
	const cols = list(s.e).sort((a, b) => s.edge_modality[a] - s.edge_modality[b] || value[a] - value[b] || a - b);
	const ends = list(s.e).map((k) => {
		const own = [...membersOf(s, k)].sort((a, b) => rowOf[a] - rowOf[b]);
		return /** @type {[number, number]} */ ([own[0], own[own.length - 1]]);
	});
	return (s.orders[how] = { rows, cols, rowOf, ends });
}
