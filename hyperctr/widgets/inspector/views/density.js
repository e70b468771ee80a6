// Density: thousands of nodes as a cloud of points, with clusters as discs. A disc is as large as it has members, its ring
// says how much of each modality they lie on, lines join clusters that share hyperedges. A click goes into a cluster.

import { disc, drawNodes, label, line, pen, veil, write } from "../drawing.js";
import { edgesOf } from "../scene.js";
import { NOTHING, TAU, clamp, number, plural, short } from "../tools.js";
import { clustersOf } from "./clusters.js";
import { centreOfMap, fitMap, nodesInside, placeMap, screen } from "./maps.js";

const LINKS = 150; // the strongest
const LARGEST = 30; // pixels

/** @param {App} app */
function placeDensity(app) {
	placeMap(app);
	const s = app.scene, { list, links } = clustersOf(s), most = Math.max(...list.map((c) => c.nodes.length), 1);
	const [CX, CY] = screen(app, Float32Array.from(list, (c) => c.x), Float32Array.from(list, (c) => c.y), app.state.map);
	const R = list.map((c) => (c.nodes.length ? clamp(LARGEST * Math.sqrt(c.nodes.length / most), 6, LARGEST) : 0));
	for (let a = 0; a < list.length; a++) // neighbours do not hide each other
		for (let b = 0; b < a; b++) {
			const room = 0.52 * Math.hypot(CX[a] - CX[b], CY[a] - CY[b]);
			if (R[a] > room && R[b] > room) R[a] = R[b] = Math.max(room, 4);
		}
	Object.assign(app.placed, { list, links: links.slice(0, LINKS), CX, CY, R });
}

/** @param {Pen} ctx @param {App} app @param {(a: number, b: number) => boolean} wanted @param {number} alpha */
function drawBonds(ctx, app, wanted, alpha) {
	const { links, CX, CY } = app.placed, most = links[0]?.[2] || 1;
	for (const [a, b, count] of links) {
		if (!wanted(a, b)) continue;
		line(ctx, app.look.node, 0.4 + 5 * (count / most), CX[a], CY[a], CX[b], CY[b], alpha * (0.25 + (0.75 * count) / most));
	}
}

/** A disc with its ring. @param {Pen} ctx @param {App} app @param {number} c @param {boolean} strong */
function drawDisc(ctx, app, c, strong) {
	const { look, placed: { list, CX, CY, R } } = app, { share, nodes } = list[c], sum = share.reduce((a, b) => a + b, 0) || 1;
	if (!nodes.length) return;
	disc(ctx, look.background, CX[c], CY[c], R[c]);
	let from = -TAU / 4;
	share.forEach((part, m) => {
		if (!part) return;
		const to = from + (TAU * part) / sum;
		pen(ctx, look.colours[m], strong ? 7 : 5);
		ctx.arc(CX[c], CY[c], R[c] - 2, from, to);
		ctx.stroke();
		from = to;
	});
	ctx.globalAlpha = 1;
	if (R[c] > 12) write(ctx, look, number(nodes.length), CX[c], CY[c], "center", look.text, true);
}

/** @type {View} */
export const density = {
	label: "Density",
	long: "a density map of clusters",
	movable: true,
	slides: true,
	camera: "map",
	enter(app, bar) {
		const { name, nodes } = this.bar(app, bar);
		app.goInto(nodes, name);
	},
	place: placeDensity,
	fit: fitMap,
	centre: centreOfMap,
	at: (app, { node, bar }) => (bar >= 0 ? [app.placed.CX[bar], app.placed.CY[bar]] : [app.placed.X[node], app.placed.Y[node]]),
	paint(ctx, app) {
		const { look, placed: { list, CX, CY, R } } = app, s = app.scene;
		ctx.save();
		drawNodes(ctx, app, app.placed, null, -0.2, 1.6);
		ctx.restore();
		veil(ctx, look, 0.35);
		drawBonds(ctx, app, () => true, 0.5);
		list.forEach((_, c) => drawDisc(ctx, app, c, false));
		/** @type {number[][]} */
		const taken = list.map((_, c) => [CX[c] - R[c], CY[c] - R[c], CX[c] + R[c], CY[c] + R[c]]);
		list.forEach(({ top }, c) => top >= 0 && label(ctx, look, taken, `around ${short(s.titles[top], 20)}`, CX[c], CY[c] + R[c] + 10));
	},
	finish(ctx, app) {
		const { look, placed: { list, links } } = app, { bar } = app.state.hover;
		if (bar < 0) return;
		const linked = (a, b) => a === bar || b === bar;
		veil(ctx, look, 0.6);
		drawBonds(ctx, app, linked, 0.9);
		links.forEach(([a, b]) => linked(a, b) && drawDisc(ctx, app, a === bar ? b : a, false));
		drawNodes(ctx, app, app.placed, list[bar].nodes, 0.4);
		drawDisc(ctx, app, bar, true);
	},
	highlight(ctx, app, { nodes }) {
		const { look, chosen, placed: { X, Y } } = app, s = app.scene;
		if (app.state.hover.bar >= 0) return density.finish(ctx, app);
		drawNodes(ctx, app, app.placed, [...nodes, ...chosen], 1.2);
		/** @type {number[][]} */
		const taken = [];
		for (const i of [...nodes, ...chosen].slice(0, 24)) label(ctx, look, taken, short(s.titles[i], 24), X[i], Y[i] - 11, { bold: true });
	},
	pick(app, x, y) {
		const { CX, CY, R } = app.placed;
		const bar = R.findIndex((r, c) => r && Math.hypot(CX[c] - x, CY[c] - y) <= r + 2);
		return { ...NOTHING, bar };
	},
	inside: nodesInside,
	bars: (app) => app.placed.list.length,
	bar(app, c) {
		const s = app.scene, { nodes, top, edges } = app.placed.list[c];
		const name = `cluster around ${s.titles[top] ?? "nobody"}`;
		const per = s.modalities.map((modality, m) => `${modality} ${number(app.placed.list[c].share[m])}`).join(" · ");
		return { name, nodes, words: [name, `${plural(nodes.length, s.node_kind)}, ${plural(edges, "hyperedge")} with two or more of them`, `memberships: ${per}`,
			top >= 0 ? `${s.titles[top]} is on ${number(edgesOf(s, top).length)}` : "", "click to go in"].filter(Boolean) };
	},
};
