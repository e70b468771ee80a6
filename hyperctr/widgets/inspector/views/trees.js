// Trees: hyperedges as soft tubes along the shortest tree that joins their members, one colour a modality. Of many, the largest
// are drawn, and the others show when a node of theirs is pointed at.

import { drawNodes, label, radius, ring } from "../drawing.js";
import { clearest, treeOf } from "../scene.js";
import { NOTHING, clamp, short } from "../tools.js";
import { around, atPlace, centreOfMap, fitMap, mapLabels, nameLit, nearest, nodesInside, placeMap } from "./maps.js";

const FOLLOWED = 40; // trees that can be followed

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
	follow(ctx, treeOf(s, k), placed.X, placed.Y);
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

/** Put everything in its place, and say what is drawn. @param {App} app */
function placeTrees(app) {
	const s = app.scene, { edges, members, cut } = (s.drawn.trees ??= clearest(s, s.turnOrder, FOLLOWED, s.x, s.y));
	placeMap(app);
	Object.assign(app.placed, { drawn: edges, members, says: cut && `${edges.length} trees, ${app.about.words.partly}` });
}

/** Tubes, the last modality below. @param {Pen} ctx @param {App} app */
function drawTrees(ctx, app) {
	const { look, placed: { drawn } } = app, s = app.scene, line = clamp(6 / Math.sqrt(drawn.length + 1), 0.28, 0.85);
	for (let m = look.colours.length - 1; m >= 0; m--)
		for (const k of drawn) if (s.edge_modality[k] === m) drawTree(ctx, app, k, look.colours[m], 0.22, line, 1.3);
}

/** Whether a point lies in a hyperedge's tube. @param {App} app @param {number} k @param {number} x @param {number} y */
function inTree(app, k, x, y) {
	const { X, Y } = app.placed, s = app.scene, pairs = treeOf(s, k), most = reach(s, k) ** 2;
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
	camera: "map",
	place: placeTrees,
	fit: fitMap,
	centre: centreOfMap,
	at: atPlace,
	paint(ctx, app) {
		const { members, says } = app.placed;
		if (says) drawNodes(ctx, app, app.placed, null, -0.5, 1);
		drawTrees(ctx, app);
		drawNodes(ctx, app, app.placed, members);
	},
	highlight(ctx, app, lit) {
		const { look, placed: { X, Y, EX, EY } } = app, s = app.scene;
		for (const k of s.sizeOrder)
			if (lit.edges.has(k)) drawTree(ctx, app, k, look.colours[s.edge_modality[k]], 0.3, lit.edges.size > 40 ? 0.5 : 0.95, 1.6);
		drawNodes(ctx, app, app.placed, around(s, lit), 0.3);
		nameLit(ctx, app, lit, {
			at: (i) => [X[i], Y[i] - radius(s, i) - 10],
			edge: (k, taken) => k === app.state.hover.edge && label(ctx, look, taken, short(s.edge_titles[k]), EX[k], EY[k], { bold: true, force: true }),
			names: (taken, grey) => mapLabels(ctx, app, taken, grey),
		});
	},
	finish(ctx, app) {
		ring(ctx, app, app.placed, app.chosen);
		mapLabels(ctx, app, [], app.look);
	},
	pick(app, x, y) {
		const node = nearest(app.placed.X, app.placed.Y, x, y);
		if (node >= 0) return { ...NOTHING, node };
		return { ...NOTHING, edge: [...app.placed.drawn].reverse().find((k) => inTree(app, k, x, y)) ?? -1 };
	},
	inside: nodesInside,
};
