// What the views share that show nodes at places: names, rings, what lies under the pointer.

import { label, radius, ring } from "../drawing.js";
import { short } from "../tools.js";

/** Name the nodes on most hyperedges, and as many more as there is room for when few are in sight. @param {Pen} ctx @param {App} app @param {number[][]} taken @param {Look} look */
export function mapLabels(ctx, app, taken, look) {
	const s = app.state.scene, { X, Y } = app.placed;
	const inside = [];
	for (const i of s.degreeOrder) {
		if (X[i] > 0 && X[i] < look.width && Y[i] > 0 && Y[i] < look.height) inside.push(i);
		if (inside.length > 200) break;
	}
	const room = taken.length + (inside.length > 80 ? 10 : 26);
	for (const i of inside) {
		if (taken.length >= room) break;
		label(ctx, look, taken, short(s.titles[i], 24), X[i], Y[i] - radius(s, i) - 9);
	}
}

/** Members of what is lit, and what is lit itself. @param {Scene} s @param {Lit} lit */
export function around(s, { nodes, edges }) {
	const all = new Set(nodes);
	if (edges.size && edges.size <= 400)
		for (const k of edges) for (let p = s.edge_offsets[k]; p < s.edge_offsets[k + 1]; p++) all.add(s.edge_nodes[p]);
	return all;
}

/**
 * Rings and names of what is selected and hovered over, then names of others in grey.
 * @param {Pen} ctx
 * @param {App} app
 * @param {Lit} lit
 * @param {{at: (i: number) => [number, number], side?: object, edge: (k: number, taken: number[][]) => void, names: (taken: number[][], look: Look) => void}} how
 */
export function nameLit(ctx, app, { edges }, how) {
	const { look, chosen } = app, s = app.state.scene, { X, Y } = app.placed, node = app.state.hover.node;
	/** @type {number[][]} */
	const taken = [];
	ring(ctx, s, X, Y, look, chosen);
	if (node >= 0) {
		ring(ctx, s, X, Y, look, [node]);
		label(ctx, look, taken, short(s.titles[node]), ...how.at(node), { bold: true, force: true, ...how.side });
	}
	for (const k of edges.size <= 400 ? s.sizeOrder : []) if (edges.has(k) && taken.length <= 30) how.edge(k, taken);
	for (const i of [...chosen].slice(0, 24)) label(ctx, look, taken, short(s.titles[i], 24), ...how.at(i), { bold: true, ...how.side });
	how.names(taken, { ...look, text: look.muted });
}

/** The place nearest to a point, at most 11 pixels away, else -1. @param {Float32Array} X @param {Float32Array} Y @param {number} x @param {number} y */
export function nearest(X, Y, x, y) {
	let best = -1, least = 121;
	for (let i = 0; i < X.length; i++) {
		const far = (X[i] - x) ** 2 + (Y[i] - y) ** 2;
		if (far < least) [best, least] = [i, far];
	}
	return best;
}

/** Nodes in a box. @param {App} app @param {number} l @param {number} t @param {number} r @param {number} b */
export function nodesInBox(app, l, t, r, b) {
	const { X, Y } = app.placed;
	return [...X.keys()].filter((i) => X[i] >= l && X[i] <= r && Y[i] >= t && Y[i] <= b);
}
