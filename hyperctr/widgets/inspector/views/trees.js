// Trees: every hyperedge as a soft tube along the shortest tree that joins its members, one colour a modality.

import { drawNodes, pen, radius, ring, veil, label } from "../drawing.js";
import { treesOf } from "../scene.js";
import { NOTHING, clamp, short } from "../tools.js";
import { around, atPlace, centreOfMap, fitMap, mapLabels, nameLit, nearest, nodesInside, placeMap } from "./maps.js";

/** Pixels around a member; modalities do not hide each other. @param {Scene} s @param {number} k */
const reach = (s, k) => (s.e > 60 ? 2.5 : 5) + (s.edge_modality[k] % 4) * 2;

function follow(ctx, pairs, X, Y) {
	for (let k = 0; k < pairs.length; k += 2) {
		ctx.moveTo(X[pairs[k]], Y[pairs[k]]);
		ctx.lineTo(X[pairs[k + 1]], Y[pairs[k + 1]]);
	}
}

/**
 * One hyperedge's tube: `fill` and `line` are how opaque its inside and its rim are.
 * @param {Pen} ctx @param {App} app @param {number} k @param {string} colour
 * @param {number} fill @param {number} line @param {number} width of the rim
 */
export function drawTree(ctx, app, k, colour, fill, line, width) {
	const { look, placed } = app, s = app.scene;
	ctx.beginPath();
	follow(ctx, treesOf(s)[k], placed.X, placed.Y);
	ctx.lineCap = ctx.lineJoin = "round";
	const wide = 2 * reach(s, k);
	/** @type {[string, number, number][]} */
	const coats = [[colour, line, wide], [look.background, fill ? 0.9 : 1, wide - 2 * width], [colour, fill, wide - 2 * width]];
	for (const [style, alpha, w] of coats) {
		ctx.strokeStyle = style;
		ctx.globalAlpha = style === colour ? Math.min(alpha * look.strong, 1) : alpha;
		ctx.lineWidth = w;
		ctx.stroke();
	}
}

/** All tubes; thousands of them are drawn plainly, one path for each modality. @param {Pen} ctx @param {App} app */
function drawTrees(ctx, app) {
	const { look, placed } = app, s = app.scene;
	if (s.e > 300) {
		const trees = treesOf(s);
		look.colours.forEach((colour, m) => {
			pen(ctx, colour, 0.8, 0.3 * look.strong);
			for (let k = 0; k < s.e; k++) if (s.edge_modality[k] === m) follow(ctx, trees[k], placed.X, placed.Y);
			ctx.stroke();
		});
		return;
	}
	const line = clamp(6 / Math.sqrt(s.e + 1), 0.28, 0.85);
	for (let m = look.colours.length - 1; m >= 0; m--)
		for (const k of s.sizeOrder) if (s.edge_modality[k] === m) drawTree(ctx, app, k, look.colours[m], 0.22, line, 1.3);
}

/** Whether a point lies in a hyperedge's tube. @param {App} app @param {number} k @param {number} x @param {number} y */
function inTree(app, k, x, y) {
	const { X, Y } = app.placed, s = app.scene, pairs = treesOf(s)[k], most = reach(s, k) ** 2;
	for (let p = 0; p < pairs.length; p += 2) {
		const [a, b] = [pairs[p], pairs[p + 1]], dx = X[b] - X[a], dy = Y[b] - Y[a];
		const t = clamp(((x - X[a]) * dx + (y - Y[a]) * dy) / (dx * dx + dy * dy || 1), 0, 1);
		if ((x - X[a] - t * dx) ** 2 + (y - Y[a] - t * dy) ** 2 < most) return true;
	}
	return false;
}

/** @type {View} */
export const trees = {
	label: "Trees",
	movable: true,
	slides: true,
	lasso: true,
	camera: "map",
	place: placeMap,
	fit: fitMap,
	centre: centreOfMap,
	at: atPlace,
	paint(ctx, app) {
		drawTrees(ctx, app);
		drawNodes(ctx, app.scene, app.placed.X, app.placed.Y, app.look);
	},
	highlight(ctx, app, lit) {
		const { look, chosen, placed: { X, Y, EX, EY } } = app, s = app.scene;
		if (!lit.hovering && !chosen.size) return mapLabels(ctx, app, [], look);
		veil(ctx, look, lit.hovering ? 0.72 : 0.45);
		for (const k of s.sizeOrder)
			if (lit.edges.has(k)) drawTree(ctx, app, k, look.colours[s.edge_modality[k]], 0.3, lit.edges.size > 40 ? 0.5 : 0.95, 1.6);
		drawNodes(ctx, s, X, Y, look, around(s, lit), 0.3);
		nameLit(ctx, app, lit, {
			at: (i) => [X[i], Y[i] - radius(s, i) - 10],
			edge: (k, taken) => k === app.state.hover.edge && label(ctx, look, taken, short(s.edge_titles[k]), EX[k], EY[k], { bold: true, force: true }),
			names: (taken, grey) => mapLabels(ctx, app, taken, grey),
		});
	},
	finish(ctx, app) {
		ring(ctx, app.scene, app.placed.X, app.placed.Y, app.look, app.chosen);
		mapLabels(ctx, app, [], app.look);
	},
	pick(app, x, y) {
		const s = app.scene, node = nearest(app.placed.X, app.placed.Y, x, y);
		if (node >= 0) return { ...NOTHING, node };
		for (let r = s.e - 1; r >= 0; r--) if (inTree(app, s.sizeOrder[r], x, y)) return { ...NOTHING, edge: s.sizeOrder[r] };
		return NOTHING;
	},
	inside: nodesInside,
};
