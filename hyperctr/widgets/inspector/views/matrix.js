// Matrix: a row for each node, a column for each hyperedge, drawn as a line through the dots of its members. Columns stand
// in groups by modality. Rows and columns are as wide as all of them need, until the reader zooms in.

import { cameraOf } from "../camera.js";
import { tonesOf } from "../colours.js";
import { box, circle, disc, fitting, font, label, pen, write } from "../drawing.js";
import { membersOf } from "../scene.js";
import { NOTHING, clamp, number, plural, short } from "../tools.js";
import { orderOf } from "./order.js";

const WIDEST = 22; // pixels of a row or column when all fit

/** Order, and where rows and columns stand. @param {App} app */
function placeMatrix(app) {
	const { look } = app, s = app.scene, { k, x, y } = cameraOf(app), order = orderOf(s, app.state.sort);
	tonesOf(s);
	const left = look.width > 700 ? 170 : look.width > 420 ? 120 : 88, groups = new Set(s.edge_modality).size;
	const gap = Math.max(0.6, s.e / 80); // columns left free between two groups
	const room = { w: look.width - left - 16, h: look.height - 8 - look.legend };
	const wide = k * Math.min(room.w / (s.e + gap * (groups - 1) || 1), WIDEST);
	const top = 42 + clamp((wide - 8) * 33, 0, 116); // with room for names of columns
	const high = k * Math.min((room.h - top) / Math.max(s.n, 1), WIDEST);
	const X = new Float32Array(s.e), heads = [];
	order.cols.forEach((e, c) => {
		const m = s.edge_modality[e];
		if (heads.at(-1)?.m !== m) heads.push({ m, from: c + heads.length * gap, many: 0 });
		heads.at(-1).many++;
		X[e] = left + x + (c + (heads.length - 1) * gap + 0.5) * wide;
	});
	const Y = Float32Array.from({ length: s.n }, (_, i) => top + y + (order.rowOf[i] + 0.5) * high);
	app.placed = { X, Y, order, left, top, wide, high, heads, x0: left + x, right: look.width - 8, bottom: look.height - look.legend - 4 };
}

/** Columns of some hyperedges: lines, then dots. @param {Pen} ctx @param {App} app @param {Iterable<number>} edges @param {number} alpha */
function drawColumns(ctx, app, edges, alpha = 1) {
	const { look } = app, s = app.scene, { X, Y, wide, high, left, top, right, bottom, order: { ends } } = app.placed;
	const dot = clamp(Math.min(wide, high) * 0.36, 0.7, 6), flat = dot < 1.6, half = flat ? clamp(wide * 0.36, 0.6, 5) : dot, tall = flat ? clamp(high * 0.5, 0.7, 1.6) : dot;
	const ink = flat ? clamp((wide * high * s.n * s.e) / (s.edge_nodes.length * 4 * half * tall), 0.12, 1) : 1; // fainter where many dots fall on one pixel
	const byModality = look.colours.map(() => []);
	for (const e of edges) if (X[e] > left - 12 && X[e] < right + 12) byModality[s.edge_modality[e]].push(e);
	byModality.forEach((own, m) => {
		pen(ctx, look.colours[m], clamp(wide * 0.12, 0.4, 2), alpha * (flat ? 0.3 : 0.7));
		if (wide > 0.3)
			for (const e of own) {
				ctx.moveTo(X[e], Y[ends[e][0]]);
				ctx.lineTo(X[e], Y[ends[e][1]]);
			}
		ctx.stroke();
		ctx.globalAlpha = alpha * ink;
		ctx.fillStyle = look.colours[m];
		ctx.beginPath();
		for (const e of own)
			for (const i of membersOf(s, e)) {
				if (Y[i] < top - 12 || Y[i] > bottom + 12) continue;
				if (ink < 1) ctx.fillRect(X[e] - half, Y[i] - tall, 2 * half, 2 * tall);
				else if (flat) ctx.rect(X[e] - half, Y[i] - tall, 2 * half, 2 * tall);
				else circle(ctx, X[e], Y[i], dot);
			}
		ctx.fill();
	});
}

/** Draw among the cells only. @param {Pen} ctx @param {App} app @param {() => void} draw */
function inCells(ctx, { placed: { left, top, right, bottom } }, draw) {
	ctx.save();
	ctx.beginPath();
	ctx.rect(left - 4, top - 4, right - left + 8, bottom - top + 4);
	ctx.clip();
	draw();
	ctx.restore();
}

/** Ground of a row. @param {Pen} ctx @param {App} app @param {number} i */
function drawStripe(ctx, { look, placed: { Y, left, right, high } }, i) {
	const tall = Math.max(high, 3);
	box(ctx, look.faint, left - 4, Y[i] - tall / 2, right - left + 8, tall);
}

/** Name of a row, with the node's colour. @param {Pen} ctx @param {App} app @param {number} i @param {number[][]} taken @param {boolean} [bold] */
function nameRow(ctx, app, i, taken, bold = false) {
	const { look } = app, s = app.scene, { Y, left, top, bottom } = app.placed, { tone, palette } = tonesOf(s);
	if (Y[i] < top || Y[i] > bottom) return;
	const many = taken.length;
	label(ctx, look, taken, s.titles[i], left - 18, Y[i], { align: "right", most: left - 24, bold, force: bold });
	if (taken.length === many || !tone || tone[i] < 0) return;
	disc(ctx, palette[tone[i]], left - 9, Y[i], 4);
}

/** Name of a column, upright. @param {Pen} ctx @param {App} app @param {number} e @param {boolean} bold */
function nameColumn(ctx, app, e, bold) {
	const { look } = app, { X, top, left, right } = app.placed;
	if (X[e] < left || X[e] > right) return;
	ctx.save();
	ctx.translate(X[e], top - 8);
	ctx.rotate(-Math.PI / 2);
	write(ctx, look, short(app.scene.edge_titles[e], 18), 0, 0, "left", bold ? look.text : look.muted, bold);
	ctx.restore();
}

/** Heads of the groups of columns. @param {Pen} ctx @param {App} app */
function drawHeads(ctx, app) {
	const { look } = app, s = app.scene, { heads, wide, x0, left, right } = app.placed;
	for (const { m, from, many } of heads) {
		const l = Math.max(x0 + from * wide, left), r = Math.min(x0 + (from + many) * wide, right);
		if (r - l < 6) continue;
		box(ctx, look.colours[m], l, 24, r - l, 3);
		const name = s.modalities[m], words = [`${name}: ${plural(many, "hyperedge")}`, `${name} ${number(many)}`, name];
		font(ctx, look, true);
		write(ctx, look, fitting(ctx, name === "hyperedges" ? words.slice(1) : words, r - l + 4), l, 13, "left", look.text, true);
	}
	write(ctx, look, fitting(ctx, [plural(s.n, s.node_kind), number(s.n)], left - 22), left - 18, 13, "right", look.muted);
}

/** @type {View} */
export const matrix = {
	label: "Matrix",
	long: "a matrix",
	movable: true,
	slides: true,
	camera: "matrix",
	place: placeMatrix,
	centre: (app) => [app.placed.left, app.placed.top],
	at(app, { node, edge }) {
		const { X, Y, left } = app.placed;
		return node >= 0 ? [left - 9, Y[node]] : [X[edge], Y[membersOf(app.scene, edge)[0]]];
	},
	paint(ctx, app) {
		const { high, order } = app.placed;
		inCells(ctx, app, () => {
			if (high > 3) order.rows.forEach((i, r) => r % 2 || drawStripe(ctx, app, i));
			drawColumns(ctx, app, order.cols);
		});
	},
	finish(ctx, app) {
		const { look } = app, s = app.scene, { left, top, bottom, high, wide, order } = app.placed;
		box(ctx, look.background, 0, 0, look.width, top - 4);
		box(ctx, look.background, 0, 0, left - 4, bottom + 4);
		drawHeads(ctx, app);
		/** @type {number[][]} */
		const taken = [];
		for (const i of high > 14 ? order.rows : s.degreeOrder) if (taken.length < 80) nameRow(ctx, app, i, taken);
		if (wide > 11) for (const e of order.cols) nameColumn(ctx, app, e, false);
	},
	highlight(ctx, app, { edges, hovering }) {
		const { look, chosen } = app, s = app.scene, { X, Y, left, top, bottom, high, wide } = app.placed;
		const { node, edge } = app.state.hover;
		if (!hovering) matrix.finish(ctx, app); // else only what is lit has a name: the pointer is not kept waiting
		const rows = node >= 0 ? [node] : edge >= 0 ? [...membersOf(s, edge)] : [...chosen];
		inCells(ctx, app, () => {
			for (const i of rows) drawStripe(ctx, app, i);
			drawColumns(ctx, app, edge >= 0 ? [edge] : edges);
			pen(ctx, look.text, 1.3);
			if (edge >= 0) ctx.rect(X[edge] - Math.max(wide, 5) / 2, top - 3, Math.max(wide, 5), bottom - top);
			for (const i of chosen) ctx.rect(left - 3, Y[i] - Math.max(high, 4) / 2, 3, Math.max(high, 4));
			ctx.stroke();
		});
		drawHeads(ctx, app);
		/** @type {number[][]} */
		const taken = [];
		for (const i of rows.slice(0, 60)) nameRow(ctx, app, i, taken, taken.length < 1 || high > 12);
		if (wide > 11) for (const e of edge >= 0 ? [edge] : edges) nameColumn(ctx, app, e, true);
	},
	rim(ctx, app) {
		placeMatrix(app);
		matrix.finish(ctx, app);
	},
	pick(app, x, y) {
		const s = app.scene, { X, Y, wide, high, left, top, bottom, order } = app.placed;
		if (y < top || y > bottom) return NOTHING;
		const row = Math.floor((y - (Y[order.rows[0]] - high / 2)) / high), node = order.rows[row] ?? -1;
		if (x < left) return { ...NOTHING, node };
		let edge = -1, near = Math.max(wide / 2, 3);
		for (let e = 0; e < s.e; e++) if (Math.abs(X[e] - x) < near) [edge, near] = [e, Math.abs(X[e] - x)];
		if (edge >= 0 && node >= 0 && membersOf(s, edge).includes(node)) return { ...NOTHING, node, edge };
		if (edge >= 0) {
			const [low, up] = order.ends[edge];
			if (y > Y[low] - high && y < Y[up] + high) return { ...NOTHING, edge };
		}
		return { ...NOTHING, node };
	},
	inside(app, holds) {
		const s = app.scene, { X, Y } = app.placed, found = new Set();
		for (let e = 0; e < s.e; e++) for (const i of membersOf(s, e)) if (holds(X[e], Y[i])) found.add(i);
		return [...found];
	},
};
