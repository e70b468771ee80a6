// What the views share that show nodes at places: where they are on the stage, names, what lies under the pointer.

import { boxOf, cameraOf } from "../camera.js";
import { tonesOf } from "../colours.js";
import { label, radius, ring } from "../drawing.js";
import { short } from "../tools.js";

const EDGE = 34; // pixels kept free at the sides

/** What does not move when the picture is scaled. @param {App} app @returns {[number, number]} */
export const centreOfMap = ({ look }) => [look.width / 2, (look.height - look.legend) / 2];

/** Pixels of places; what `box` holds fills the stage. @param {App} app @param {Float32Array} x @param {Float32Array} y @param {Box} box */
export function screen(app, x, y, [[cx, rx], [cy, ry]]) {
	const cam = cameraOf(app), [mx, my] = centreOfMap(app), a = ((mx - EDGE) * cam.k) / rx, b = ((my - EDGE) * cam.k) / ry;
	return [x.map((v) => mx + cam.x + a * (v - cx)), y.map((v) => my + cam.y + b * (v - cy))];
}

/** Put nodes and hyperedges where the scene has them, or where `of` says. @param {App} app */
export function placeMap(app, of = app.scene, box = app.state.map) {
	tonesOf(app.scene);
	const [X, Y] = screen(app, of.x, of.y, box), [EX, EY] = screen(app, of.ex, of.ey, box);
	app.placed = { X, Y, EX, EY };
}

/** Let the picture show all nodes, large. @param {App} app */
export function fitMap(app) {
	app.state.map = boxOf(app.scene.x, app.scene.y);
}

/** Where a node or a hyperedge is on the stage. @param {App} app @param {Hover} what @returns {[number, number]} */
export const atPlace = ({ placed: { X, Y, EX, EY } }, { node, edge }) => (node >= 0 ? [X[node], Y[node]] : [EX[edge], EY[edge]]);

/** Name the nodes on most hyperedges, and as many more as there is room for when few are in sight. @param {Pen} ctx @param {App} app @param {number[][]} taken @param {Look} look */
export function mapLabels(ctx, app, taken, look) {
	const s = app.scene, { X, Y } = app.placed, high = look.height - look.legend;
	const inside = [];
	for (const i of s.degreeOrder) {
		if (X[i] > 0 && X[i] < look.width && Y[i] > 0 && Y[i] < high) inside.push(i);
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
	const { look, chosen } = app, s = app.scene, node = app.state.hover.node;
	/** @type {number[][]} */
	const taken = [];
	ring(ctx, app, app.placed, chosen);
	if (node >= 0) {
		ring(ctx, app, app.placed, [node]);
		label(ctx, look, taken, short(s.titles[node]), ...how.at(node), { bold: true, force: true, ...how.side });
	}
	for (const k of edges.size <= 400 ? s.sizeOrder : []) if (edges.has(k) && taken.length <= 30) how.edge(k, taken);
	for (const i of [...chosen].slice(0, 24)) label(ctx, look, taken, short(s.titles[i], 24), ...how.at(i), { bold: true, ...how.side });
	how.names(taken, { ...look, text: look.muted });
}

/** The place nearest to a point, at most 11 pixels away, else -1. @param {Float32Array} X @param {Float32Array} Y @param {number} x @param {number} y @param {(i: number) => number} [back] how much one stands back */
export function nearest(X, Y, x, y, back = () => 0) {
	let best = -1, least = 121;
	for (let i = 0; i < X.length; i++) {
		const far = (X[i] - x) ** 2 + (Y[i] - y) ** 2 + back(i);
		if (far < least) [best, least] = [i, far];
	}
	return best;
}

/** Nodes that stand where a test says. @param {App} app @param {(x: number, y: number) => boolean} holds */
export function nodesInside(app, holds) {
	const { X, Y } = app.placed;
	return [...X.keys()].filter((i) => holds(X[i], Y[i]));
}
