// A scene as the browser holds it: what Python sent, and what is worked out from it once.

const KIND = { f4: Float32Array, i4: Int32Array, u1: Uint8Array };

/**
 * Turn a header and buffers into a scene: typed arrays, who lies on what, trees, orders.
 * @param {any} header
 * @param {DataView[]} buffers
 * @returns {Scene}
 */
export function unpack(header, buffers) {
	const s = { ...header };
	header.buffers.forEach((part, k) => {
		const view = buffers[k];
		const bytes = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
		s[part.name] = new KIND[part.dtype](bytes);
	});
	return worked(s);
}

/** Work out who lies on what, middles and orders. @param {any} s @returns {Scene} */
export function worked(s) {
	const n = (s.n = s.nodes.length);
	const e = (s.e = s.edge_labels.length);
	const { edge_offsets: offsets, edge_nodes: members, x, y } = s;
	s.index = new Map();
	s.nodes.forEach((id, i) => s.index.set(id, i));
	const start = (s.nodeStart = new Int32Array(n + 1));
	for (const i of members) start[i + 1]++;
	for (let i = 0; i < n; i++) start[i + 1] += start[i];
	const at = start.slice();
	s.nodeEdges = new Int32Array(members.length);
	s.ex = new Float32Array(e);
	s.ey = new Float32Array(e);
	for (let k = 0; k < e; k++) {
		const own = members.subarray(offsets[k], offsets[k + 1]);
		for (const i of own) {
			s.nodeEdges[at[i]++] = k;
			s.ex[k] += x[i] / own.length;
			s.ey[k] += y[i] / own.length;
		}
	}
	s.drawn = {};
	s.sizeOrder = largestFirst(e, (k) => size(s, k));
	const seen = new Map(), many = new Int32Array(256);
	s.rankOf = new Int32Array(e); // among those of its modality, the same in every panel
	for (const k of s.sizeOrder) {
		const name = s.edge_number[k];
		if (!seen.has(name)) seen.set(name, many[s.edge_modality[k]]++);
		s.rankOf[k] = seen.get(name);
	}
	s.turnOrder = largestFirst(e, (k) => -s.rankOf[k]); // the largest of each modality in turn, as Python chooses them
	s.degreeOrder = largestFirst(n, (i) => s.degree[i]);
	return s;
}

/** Numbers from 0 on, those of large whole values first: sorting plain numbers is fast. @param {number} many @param {(k: number) => number} value */
const largestFirst = (many, value) => Int32Array.from(Float64Array.from({ length: many }, (_, k) => k - many * value(k)).sort(), (key) => ((key % many) + many) % many);

/** Members of a hyperedge, how many. @param {Scene} s @param {number} k */
export const size = (s, k) => s.edge_offsets[k + 1] - s.edge_offsets[k];
/** Positions of its members. @param {Scene} s @param {number} k */
export const membersOf = (s, k) => s.edge_nodes.subarray(s.edge_offsets[k], s.edge_offsets[k + 1]);
/** The hyperedges that a node lies on. @param {Scene} s @param {number} i */
export const edgesOf = (s, i) => s.nodeEdges.subarray(s.nodeStart[i], s.nodeStart[i + 1]);

/** The shortest tree that joins a hyperedge's members, worked out when first drawn. @param {Scene} s @param {number} k */
export const treeOf = (s, k) => ((s.trees ??= [])[k] ??= tree(membersOf(s, k), s.x, s.y));

/**
 * The shortest tree that joins some points (Prim), as pairs of them: [a, b, c, d, ...] has the edges ab and cd.
 * @param {Int32Array} own
 * @param {Float32Array} x
 * @param {Float32Array} y
 */
function tree(own, x, y) {
	const far = new Float32Array(own.length).fill(Infinity), from = new Int32Array(own.length), pairs = [];
	for (let now = 0, left = own.length - 1; left > 0; left--) {
		far[now] = -1; // joined
		let next = -1;
		for (let k = 0; k < own.length; k++) {
			if (far[k] < 0) continue;
			const away = (x[own[k]] - x[own[now]]) ** 2 + (y[own[k]] - y[own[now]]) ** 2;
			if (away < far[k]) [far[k], from[k]] = [away, now];
			if (next < 0 || far[k] < far[next]) next = k;
		}
		pairs.push(own[from[next]], own[next]);
		now = next;
	}
	return pairs;
}

/**
 * Of many hyperedges those to draw: of the first of a list, the largest, those whose members stand closest together.
 * @param {Scene} s @param {Int32Array} list @param {number} most that can be told apart
 * @param {Float32Array} x where nodes stand @param {Float32Array} y
 * @returns {Drawn} them, their members, whether others are left out
 */
export function clearest(s, list, most, x, y) {
	let edges = list;
	if (list.length > most && list.reduce((sum, k) => sum + size(s, k), 0) > 12 * most) {
		const spread = new Map(), some = list.slice(0, Math.max(8 * most, list.length / 10));
		for (const k of some) {
			const mean = (value) => membersOf(s, k).reduce((sum, i) => sum + value(i), 0) / size(s, k), mx = mean((i) => x[i]), my = mean((i) => y[i]);
			spread.set(k, mean((i) => Math.hypot(x[i] - mx, y[i] - my)));
		}
		const least = [...spread.values()].sort((a, b) => a - b)[Math.ceil(most * 0.6) - 1];
		edges = some.filter((k) => spread.get(k) <= least);
	}
	return { edges, members: new Set([...edges].flatMap((k) => [...membersOf(s, k)])), cut: edges.length < list.length };
}

/** The (node, label) pairs of each combination of modalities. @param {Scene} s */
export function combinationsOf(s) {
	if (s.combinations) return s.combinations;
	const labels = new Map();
	const code = new Map();
	for (let k = 0; k < s.e; k++) {
		if (!labels.has(s.edge_labels[k])) labels.set(s.edge_labels[k], labels.size);
		const base = labels.get(s.edge_labels[k]) * s.n;
		for (const i of membersOf(s, k)) code.set(base + i, (code.get(base + i) || 0) | (1 << s.edge_modality[k]));
	}
	const found = new Map();
	for (const [pair, mask] of code) {
		if (!found.has(mask)) found.set(mask, { pairs: [], nodes: new Set() });
		found.get(mask).pairs.push(pair % s.n);
		found.get(mask).nodes.add(pair % s.n);
	}
	return (s.combinations = found);
}
