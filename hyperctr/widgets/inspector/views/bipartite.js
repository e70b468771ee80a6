// Bipartite: nodes in a left column, hyperedges as squares in a right one, joined where one lies on the other.

import { box, drawNodes, label, pen, ring } from "../drawing.js";
import { membersOf } from "../scene.js";
import { NOTHING, clamp, plural, short } from "../tools.js";
import { around, atPlace, centreOfMap, nameLit, nearest, nodesInside, placeMap } from "./maps.js";
import { orderOf } from "./order.js";

const LINES = 6000; // lines that can be told from an area

/** Places in two columns, in the order of the matrix: what is alike side by side. @param {App} app */
function placeColumns(app) {
	const s = app.scene, { rows, cols } = orderOf(s, "alike");
	const even = (order) => {
		const place = new Float32Array(order.length);
		order.forEach((one, rank) => (place[one] = (2 * (rank + 0.5)) / order.length - 1));
		return place;
	};
	s.columns ??= { x: new Float32Array(s.n).fill(-0.68), y: even(rows), ex: new Float32Array(s.e).fill(0.45), ey: even(cols) };
	placeMap(app, s.columns, [[0, 1], [0, 1]]);
	const step = Math.ceil(s.edge_nodes.length / LINES), drawn = cols.filter((_, c) => c % step === 0);
	Object.assign(app.placed, { drawn, says: step > 1 && `one in ${step} ${app.about.words.lines}` });
}

/** Lines of all hyperedges, or of some. @param {Pen} ctx @param {App} app @param {Set<number> | null} [which] @param {number} [alpha] */
function drawLinks(ctx, app, which = null, alpha = 0) {
	const { look, placed: { X, Y, EX, EY, drawn } } = app, s = app.scene, links = s.edge_nodes.length;
	const dense = Math.min((alpha || clamp(600 / (links + 1), 0.04, 0.5)) * look.strong, 1);
	for (let m = 0; m < look.colours.length; m++) {
		pen(ctx, look.colours[m], links > 2000 && !which ? 0.7 : 1.1, dense);
		for (const k of which || drawn) {
			if (s.edge_modality[k] !== m) continue;
			for (const i of membersOf(s, k)) {
				const middle = (X[i] + EX[k]) / 2;
				ctx.moveTo(X[i], Y[i]);
				ctx.bezierCurveTo(middle, Y[i], middle, EY[k], EX[k], EY[k]);
			}
		}
		ctx.stroke();
	}
}

/** @param {Pen} ctx @param {App} app @param {Set<number> | null} [which] @param {number} [grow] */
function drawSquares(ctx, app, which = null, grow = 0) {
	const s = app.scene, { EX, EY } = app.placed;
	const half = (s.e > 400 ? 2 : s.e > 100 ? 3.2 : 5) + grow;
	for (const k of which || s.sizeOrder) box(ctx, app.look.colours[s.edge_modality[k]], EX[k] - half, EY[k] - half, 2 * half, 2 * half);
}

/** Heads of the columns; labels left of nodes and right of hyperedges, as many as fit. @param {Pen} ctx @param {App} app @param {number[][]} taken @param {Look} shade */
function columnLabels(ctx, app, taken, shade) {
	const { look, placed: { X, Y, EX, EY } } = app, s = app.scene;
	label(ctx, look, taken, plural(s.n, s.node_kind), X[0] ?? 0, 12, { bold: true });
	label(ctx, look, taken, plural(s.e, [...new Set([s.edge_kind, "hyperedge"])].join(" ")), EX[0] ?? look.width / 2, 12, { bold: true });
	for (const i of s.degreeOrder) {
		if (taken.length > 120) break;
		if (Y[i] > 24) label(ctx, shade, taken, short(s.titles[i]), X[i] - 12, Y[i], { align: "right" });
	}
	const most = taken.length + 120;
	for (const k of s.sizeOrder) {
		if (taken.length > most) break;
		if (EY[k] > 24) label(ctx, shade, taken, s.edge_titles[k], EX[k] + 12, EY[k], { align: "left", most: look.width - EX[k] - 18 });
	}
}

/** Room for a node in its column. @param {App} app */
const crowd = ({ look, state }) => Math.max((look.height * state.cameras.bipartite.k) / state.scene.n / 1.6, 1);

/** @type {View} */
export const bipartite = {
	label: "Bipartite",
	movable: true,
	slides: true,
	camera: "bipartite",
	place: placeColumns,
	centre: centreOfMap,
	at: atPlace,
	paint(ctx, app) {
		drawLinks(ctx, app);
		drawSquares(ctx, app);
		drawNodes(ctx, app, app.placed, null, 0, crowd(app));
	},
	highlight(ctx, app, lit) {
		const { look, placed: { X, Y, EX, EY } } = app, s = app.scene;
		drawLinks(ctx, app, lit.edges, 0.75);
		drawSquares(ctx, app, lit.edges, 1);
		drawNodes(ctx, app, app.placed, around(s, lit), 0.3, crowd(app) + 1);
		nameLit(ctx, app, lit, {
			at: (i) => [X[i] - 12, Y[i]],
			side: { align: "right" },
			edge: (k, taken) => label(ctx, look, taken, s.edge_titles[k], EX[k] + 12, EY[k], { align: "left", bold: true, most: look.width - EX[k] - 18 }),
			names: (taken, grey) => columnLabels(ctx, app, taken, grey),
		});
	},
	finish(ctx, app) {
		ring(ctx, app, app.placed, app.chosen);
		columnLabels(ctx, app, [], app.look);
	},
	pick(app, x, y) {
		const { X, Y, EX, EY } = app.placed, node = nearest(X, Y, x, y);
		return node >= 0 ? { ...NOTHING, node } : { ...NOTHING, edge: nearest(EX, EY, x, y) };
	},
	inside: nodesInside,
};
