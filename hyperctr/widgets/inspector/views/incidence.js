// Incidence: a matrix with a row for each hyperedge and a column for each node.

import { label, pen, veil, write } from "../drawing.js";
import { edgesOf, membersOf, size } from "../scene.js";
import { NOTHING, plural, short } from "../tools.js";

/** Order of rows and columns, and the size of a cell. @param {App} app */
function gridOf(app) {
	const { look } = app, s = app.state.scene, order = app.state.sort;
	s.frames ??= {};
	if (!s.frames[order]) {
		const list = (length) => Array.from({ length }, (_, i) => i);
		const bySize = order === "size";
		const rows = list(s.e).sort((a, b) => s.edge_modality[a] - s.edge_modality[b] ||
			(bySize ? size(s, b) - size(s, a) : s.ex[a] - s.ex[b]) || a - b);
		const cols = list(s.n).sort((a, b) => (bySize ? s.degree[b] - s.degree[a] : 0) || s.x[a] - s.x[b] || a - b);
		const inverse = (from) => from.reduce((to, one, rank) => ((to[one] = rank), to), new Int32Array(from.length));
		s.frames[order] = { rows, cols, rowOf: inverse(rows), colOf: inverse(cols) };
	}
	const top = 34, bottom = 30, right = 14;
	const high = (look.height - top - bottom) / Math.max(s.e, 1);
	const left = look.width > 700 ? 238 : look.width > 520 ? 190 : 90;
	return { ...s.frames[order], left, top, high: Math.min(high, 26), wide: Math.min((look.width - left - right) / Math.max(s.n, 1), 26) };
}

/** Cells of some hyperedges. @param {Pen} ctx @param {App} app @param {any} grid @param {Iterable<number>} edges @param {Set<number> | null} nodes */
function drawCells(ctx, app, grid, edges, nodes = null) {
	const { left, top, high, wide, rowOf, colOf } = grid, s = app.state.scene;
	const gapX = wide > 4 ? 1 : 0, gapY = high > 4 ? 1 : 0;
	ctx.globalAlpha = 1;
	for (const k of edges) {
		ctx.fillStyle = app.look.colours[s.edge_modality[k]];
		const y = top + rowOf[k] * high;
		for (const i of membersOf(s, k))
			if (!nodes || nodes.has(i)) ctx.fillRect(left + colOf[i] * wide, y, Math.max(wide - gapX, 0.7), Math.max(high - gapY, 0.7));
		if (!nodes) ctx.fillRect(left - 7, y, 4, Math.max(high - gapY, 0.7));
	}
}

/** @type {View} */
export const incidence = {
	label: "Incidence",
	movable: false,
	camera: "incidence",
	brushes: true,
	paint(ctx, app) {
		const { look } = app, s = app.state.scene, grid = gridOf(app), { left, top, high, wide } = grid;
		ctx.globalAlpha = 1;
		ctx.fillStyle = look.faint;
		ctx.fillRect(left, top, wide * s.n, high * s.e);
		drawCells(ctx, app, grid, grid.rows);
		write(ctx, look, `${plural(s.n, s.node_kind)} →`, left, top - 16, "left", look.muted);
		/** @type {number[][]} */
		const taken = [];
		for (const k of grid.rows) {
			const y = top + (grid.rowOf[k] + 0.5) * high;
			if (y > 12) label(ctx, look, taken, s.edge_titles[k], left - 12, y, { align: "right", most: left - 18 });
		}
		if (wide > 13)
			for (const i of grid.cols.slice(0, 400))
				label(ctx, look, taken, short(String(s.nodes[i]), 8), left + (grid.colOf[i] + 0.5) * wide, top + s.e * high + 12);
	},
	highlight(ctx, app, { edges, hovering }) {
		const { look, chosen } = app, s = app.state.scene, grid = gridOf(app), { left, top, high, wide, rowOf, colOf } = grid;
		const { node, edge } = app.state.hover;
		if (!hovering && !chosen.size) return;
		veil(ctx, look, 0.6);
		if (edge >= 0) drawCells(ctx, app, grid, [edge]);
		const lit = node >= 0 ? new Set([node]) : edge >= 0 ? null : chosen;
		if (lit) drawCells(ctx, app, grid, new Set([...lit].flatMap((i) => [...edgesOf(s, i)])), lit);
		pen(ctx, look.text, 1.2);
		if (edge >= 0) ctx.rect(left - 1, top + rowOf[edge] * high - 1, wide * s.n + 2, Math.max(high, 1) + 1);
		if (node >= 0) ctx.rect(left + colOf[node] * wide - 1, top - 1, Math.max(wide, 1) + 1, high * s.e + 2);
		ctx.stroke();
		ctx.fillStyle = look.text;
		for (const i of chosen) ctx.fillRect(left + colOf[i] * wide, top - 7, Math.max(wide - 1, 1), 5);
		/** @type {number[][]} */
		const taken = [];
		for (const k of edges) if (k === edge || taken.length < 40) {
			ctx.fillStyle = look.background;
			ctx.fillRect(0, top + rowOf[k] * high, left - 8, high);
			label(ctx, look, taken, s.edge_titles[k], left - 12, top + (rowOf[k] + 0.5) * high, { align: "right", bold: true, most: left - 18 });
		}
	},
	pick(app, x, y) {
		const s = app.state.scene, f = gridOf(app);
		const row = Math.floor((y - f.top) / f.high), col = Math.floor((x - f.left) / f.wide);
		const edge = row >= 0 && row < s.e ? f.rows[row] : -1, node = col >= 0 && col < s.n ? f.cols[col] : -1;
		if (edge >= 0 && x < f.left) return { ...NOTHING, edge };
		if (node >= 0 && edge >= 0) return membersOf(s, edge).includes(node) ? { ...NOTHING, node, edge } : { ...NOTHING, node };
		return NOTHING;
	},
	boxed(app, l, t, r, b) {
		const s = app.state.scene, f = gridOf(app), found = new Set();
		const row = (y) => Math.floor((y - f.top) / f.high), col = (x) => Math.floor((x - f.left) / f.wide);
		for (const k of f.rows.slice(Math.max(row(t), 0), row(b) + 1))
			for (const i of membersOf(s, k)) if (f.colOf[i] >= col(l) && f.colOf[i] <= col(r)) found.add(i);
		return [...found];
	},
};
