// Panels: one for each modality, side by side. A hyperedge is a region with a tint and a name of its own; nodes that lie
// on none of a panel's hyperedges stand back. Of many hyperedges only the largest are regions, and the others show when a
// node of theirs is pointed at. Hover and selection show in all panels at once. A cell left over shows the overlap.

import { boxOf, cameraOf, span } from "../camera.js";
import { tonesOf } from "../colours.js";
import { box, circle, drawNodes, fitting, label, pen, radius, ring, write } from "../drawing.js";
import { clearest, edgesOf, membersOf } from "../scene.js";
import { set } from "../state.js";
import { NOTHING, clamp, number, short } from "../tools.js";
import { around, nearest } from "./maps.js";
import { overlap } from "./overlap.js";
import { inRegion, regionOf, traceArms, traceRegion } from "./regions.js";

const NAMED = 10; // regions in a panel; more hide what they name
const HEAD = 24, GAP = 8, MARGIN = 30; // pixels: a panel's head, what is between two, what is kept free in a large one

/** How many regions can be told apart in a panel. @param {Frame} frame */
const readable = ({ w, h }) => clamp(Math.round((w * h) / 9000), 15, 40);

/** A grid over the stage, but for some pixels at the bottom: at least as many cells, as large as can be. @param {App} app @param {number} many @returns {Frame[]} */
export function grid({ look }, many, kept = 0) {
	const wide = look.width - GAP, high = look.height - GAP - look.legend - kept;
	const room = (cols) => Math.min(wide / cols, (1.3 * high) / Math.ceil(many / cols));
	let cols = 1;
	for (let k = 2; k <= many; k++) if (room(k) > room(cols) + 1) cols = k;
	const rows = Math.ceil(many / cols), w = wide / cols, h = high / rows;
	return Array.from({ length: cols * rows }, (_, k) => ({ x: GAP + (k % cols) * w, y: GAP + Math.floor(k / cols) * h, w: w - GAP, h: h - GAP }));
}

/** A panel for each modality; one without hyperedges is a line at the bottom that says so. Then the cell left over. @param {App} app @returns {[Frame[], Frame | undefined]} */
function framesOf(app) {
	const { look } = app, s = app.scene, chosen = app.get("modalities"), any = new Set(s.edge_modality);
	const shown = [...s.modalities.keys()].filter((m) => chosen.includes(s.modalities[m]));
	const full = shown.filter((m) => any.has(m)), lines = shown.filter((m) => !any.has(m));
	const w = (look.width - GAP) / lines.length, y = look.height - look.legend - GAP - HEAD;
	const cells = grid(app, full.length, lines.length && HEAD + GAP);
	const places = [...cells.slice(0, full.length), ...lines.map((_, k) => ({ x: GAP + k * w, y, w: w - GAP, h: HEAD }))];
	const frames = [...full, ...lines].map((m, k) => ({ ...places[k], m, name: s.modalities[m], colour: look.colours[m],
		total: app.state.stats?.modalities?.find((row) => row.modality === s.modalities[m])?.hyperedges }));
	return [frames, cells[full.length]];
}

/** What a panel shows when it is not moved: the part of its layout that holds the nodes. @param {App} app */
function fitPanels(app) {
	const s = app.scene;
	app.state.boxes = s.modalities.map((_, m) => boxOf(...[s.px, s.py].map((v) => v.subarray(m * s.n, (m + 1) * s.n))));
}

/** Put the nodes into each panel, and say which hyperedges it holds and draws. @param {App} app @param {Frame[]} frames @param {ArrayLike<number>} of the panel or modality of each hyperedge @param {(frame: Frame, p: number) => number} which of them a panel has */
export function placeIn(app, frames, of, which) {
	const s = app.scene, { k, x, y } = cameraOf(app);
	tonesOf(s);
	let most = 0;
	const panels = frames.map((frame, p) => {
		const [[cx, rx], [cy, ry]] = app.state.boxes[frame.m], at = frame.m * s.n;
		const free = Math.min(MARGIN, Math.min(frame.w, frame.h) / 8), [mx, my] = middleOf(frame);
		const a = (k * (frame.w / 2 - free)) / rx, b = (k * ((frame.h - HEAD) / 2 - free)) / ry;
		const px = s.px.subarray(at, at + s.n), py = s.py.subarray(at, at + s.n), has = (e) => of[e] === which(frame, p), count = readable(frame);
		const X = px.map((v) => mx + x + a * (v - cx)), Y = py.map((v) => my + y + b * (v - cy));
		const { edges, members, cut } = (s.drawn[frame.name + count] ??= clearest(s, s.sizeOrder.filter(has), count, px, py));
		if (cut) most = Math.max(most, edges.length);
		return { frame, X, Y, has, edges, members, reach: clamp(Math.min(frame.w, frame.h) / 30, 5, 12) };
	});
	app.placed = { panels, says: most && `${most} regions a panel, ${app.about.words.partly}` };
}

const middleOf = (frame) => [frame.x + frame.w / 2, frame.y + HEAD + (frame.h - HEAD) / 2];
const holds = ({ x, y, w, h }, px, py) => px >= x && px < x + w && py >= y + HEAD && py < y + h;
const insideOf = ({ x, y, w, h }) => ({ x, y: y + HEAD, w, h: h - HEAD });

/** Draw within a panel only. @param {Pen} ctx @param {Frame} frame @param {() => void} draw */
function inPanel(ctx, frame, draw) {
	const { x, y, w, h } = insideOf(frame);
	ctx.save();
	ctx.beginPath();
	ctx.rect(x, y, w, h);
	ctx.clip();
	draw();
	ctx.restore();
}

/** @param {Pen} ctx @param {App} app @param {any} panel @param {number} e @param {number} fill @param {number} line @param {number} width */
function drawRegion(ctx, app, { X, Y, reach }, e, fill, line, width) {
	const { look } = app, s = app.scene, region = regionOf(s, e);
	const tints = look.tints[s.edge_modality[e]], colour = tints[s.rankOf[e] % tints.length];
	traceRegion(ctx, region, X, Y, reach);
	ctx.fillStyle = ctx.strokeStyle = colour;
	ctx.globalAlpha = Math.min(fill * look.strong, 1);
	ctx.fill();
	ctx.globalAlpha = line;
	ctx.lineWidth = width;
	ctx.stroke();
	pen(ctx, colour, width, line * 0.7);
	traceArms(ctx, region, X, Y);
	ctx.stroke();
}

/** The name of a hyperedge, above its region or where else there is room. @param {Pen} ctx @param {App} app @param {any} panel @param {number} e @param {number[][]} taken @param {boolean} [force] */
function nameRegion(ctx, app, { frame, X, Y, reach }, e, taken, force = false) {
	const s = app.scene, { corners } = regionOf(s, e);
	const [l, r] = span(corners.map((i) => X[i])), [t, b] = span(corners.map((i) => Y[i]));
	const text = short(s.edge_titles[e], frame.w < 260 ? 18 : 26), inside = insideOf(frame), many = taken.length;
	for (const y of [t - reach - 8, b + reach + 8, (t + b) / 2]) {
		if (taken.length > many || l > inside.x + inside.w || r < inside.x || b < inside.y || t > inside.y + inside.h) return;
		label(ctx, app.look, taken, text, (l + r) / 2, force ? clamp(y, inside.y + 9, inside.y + inside.h - 9) : y, { bold: true, force, frame: inside });
	}
}

/** The name of a node, above it. @param {Pen} ctx @param {App} app @param {any} panel @param {number} i @param {number[][]} taken @param {Look} [look] @param {object} [how] */
function nameNode(ctx, app, { frame, X, Y }, i, taken, look = app.look, how = {}) {
	const s = app.scene;
	label(ctx, look, taken, short(s.titles[i], 20), X[i], Y[i] - radius(s, i) - 10, { frame: insideOf(frame), ...how });
}

/** Nodes of a panel: members of its regions as dots, the others as faint points. @param {Pen} ctx @param {App} app @param {any} panel */
function drawPanelNodes(ctx, app, panel) {
	const s = app.scene, { X, Y, reach, members } = panel;
	ctx.globalAlpha = 0.35;
	ctx.fillStyle = app.look.node;
	for (let i = 0; i < s.n; i++) if (!members.has(i)) ctx.fillRect(X[i] - 1.2, Y[i] - 1.2, 2.4, 2.4);
	drawNodes(ctx, app, panel, members, 0, reach / 2);
}

/** Frame and head, with some ways to say what is in it. @param {Pen} ctx @param {App} app @param {Frame} frame @param {string[]} ways */
function drawFrame(ctx, { look }, { x, y, w, h, name, colour }, ways) {
	pen(ctx, look.grid, 1, 0.5);
	ctx.rect(x + 0.5, y + 0.5, w - 1, h - 1);
	ctx.stroke();
	box(ctx, look.faint, x + 1, y + 1, w - 2, HEAD - 2);
	if (colour) box(ctx, colour, x + 8, y + 7, 10, 10);
	const left = x + (colour ? 24 : 8);
	write(ctx, look, name, left, y + HEAD / 2, "left", look.text, true);
	const after = left + 6 + ctx.measureText(name).width;
	write(ctx, look, fitting(ctx, ways, (x + w - 6 - after) * 1.04), after, y + HEAD / 2, "left", look.muted); // measured bold
}

/** How many regions a panel has, of how many hyperedges. @param {any} panel */
function countOf({ edges, frame: { name, total = edges.length } }) {
	const count = `${edges.length} of ${number(total)}`;
	return !total ? ["no hyperedge here", "none"] : name === "hyperedges" ? [count] : [`${count} hyperedges`, count];
}

/** The cell left over: in how many modalities at once pairs of a node and a hyperedge lie. @param {Pen} ctx @param {App} app */
function drawSpare(ctx, app) {
	const { look, placed: { spare } } = app, words = app.about.words.overlap_inset;
	if (!spare) return;
	drawFrame(ctx, app, { ...spare, name: "overlap" }, [words, words.split(",")[0]]);
	ctx.save();
	ctx.translate(spare.x, spare.y + HEAD);
	overlap.paint(ctx, { ...app, state: { ...app.state, hover: NOTHING }, look: { ...look, inset: true, width: spare.w, height: spare.h - HEAD } });
	ctx.restore();
}

/** @type {View} */
export const panels = {
	label: "Panels",
	movable: true,
	camera: "panels",
	place(app) {
		const [frames, spare] = framesOf(app);
		placeIn(app, frames, app.scene.edge_modality, ({ m }) => m);
		if (spare?.w > 250 && spare.h > 190 && app.state.stats?.overlap[0]) app.placed.spare = spare;
	},
	fit: fitPanels,
	centre(app, x, y) {
		const all = app.placed.panels.map(({ frame }) => frame), under = all.find((frame) => holds(frame, x, y)) || all[0];
		return /** @type {[number, number]} */ (under ? middleOf(under) : [x, y]);
	},
	at(app, { node, edge }) {
		const s = app.scene, own = node >= 0 ? [...edgesOf(s, node)] : [edge];
		const panel = app.placed.panels.find(({ has }) => own.some(has)) || app.placed.panels[0];
		const i = node >= 0 ? node : membersOf(s, edge)[0];
		return panel ? [panel.X[i], panel.Y[i]] : [60, 60];
	},
	paint(ctx, app) {
		const s = app.scene;
		app.placed.panels.forEach((panel) => {
			const { edges, members } = panel;
			drawFrame(ctx, app, panel.frame, countOf(panel));
			inPanel(ctx, panel.frame, () => {
				const fill = clamp(0.9 / edges.length, 0.02, 0.14), crowd = edges.length > 20;
				for (const e of edges) drawRegion(ctx, app, panel, e, fill, crowd ? 0.5 : 0.9, crowd ? 1 : 1.4);
				drawPanelNodes(ctx, app, panel);
				/** @type {number[][]} */
				const taken = [], most = clamp((panel.frame.w * panel.frame.h) / 20000, 1, NAMED);
				for (const e of edges) if (taken.length < most) nameRegion(ctx, app, panel, e, taken);
				const room = taken.length + (cameraOf(app).k > 1.5 ? 30 : 0);
				for (const i of s.degreeOrder)
					if (taken.length < room && members.has(i)) nameNode(ctx, app, panel, i, taken, { ...app.look, text: app.look.muted });
			});
		});
		drawSpare(ctx, app);
	},
	highlight(ctx, app, lit) {
		const { look, chosen } = app, s = app.scene, { node, edge } = app.state.hover;
		const all = around(s, lit), alike = edge < 0 ? [] : [...s.edge_labels.keys()].filter((e) => e !== edge && s.edge_labels[e] === s.edge_labels[edge]);
		app.placed.panels.forEach((panel) => {
			const { frame, X, Y, reach, has } = panel, own = [...lit.edges].filter(has), there = (i) => edgesOf(s, i).some(has);
			drawFrame(ctx, app, frame, countOf(panel));
			inPanel(ctx, frame, () => {
				for (const e of alike) if (has(e)) drawRegion(ctx, app, panel, e, 0.06, 0.7, 1.2);
				for (const e of own) drawRegion(ctx, app, panel, e, clamp(2 / own.length, 0.03, 0.22), 1, own.length > 20 ? 1.2 : 2);
				const ghosts = [...all].filter((i) => !there(i));
				pen(ctx, look.muted, 1.2);
				for (const i of ghosts) circle(ctx, X[i], Y[i], 3.5);
				ctx.stroke();
				drawNodes(ctx, app, panel, [...all].filter(there), 0.4, reach / 2);
				ring(ctx, app, panel, chosen);
				/** @type {number[][]} */
				const taken = [];
				if (node >= 0) {
					ring(ctx, app, panel, [node]);
					nameNode(ctx, app, panel, node, taken, look, { bold: true, force: holds(frame, X[node], Y[node]) });
				}
				for (const e of own) if (taken.length < 20) nameRegion(ctx, app, panel, e, taken, e === edge);
				for (const i of [...chosen].slice(0, 24)) nameNode(ctx, app, panel, i, taken);
			});
		});
		drawSpare(ctx, app);
	},
	finish(ctx, app) {
		app.placed.panels.forEach((panel) => inPanel(ctx, panel.frame, () => ring(ctx, app, panel, app.chosen)));
	},
	pick(app, x, y) {
		const s = app.scene, { panels, spare } = app.placed, panel = panels.find(({ frame }) => holds(frame, x, y));
		if (!panel) return { ...NOTHING, bar: spare && holds(spare, x, y) ? 0 : -1 };
		const { edges, members, X, Y, reach } = panel, node = nearest(X, Y, x, y, (i) => (members.has(i) ? 0 : 40));
		if (node >= 0) return { ...NOTHING, node };
		return { ...NOTHING, edge: [...edges].reverse().find((e) => inRegion(regionOf(s, e), X, Y, reach, x, y)) ?? -1 };
	},
	inside(app, holdsPoint) {
		const found = new Set();
		for (const { frame, X, Y } of app.placed.panels)
			for (let i = 0; i < X.length; i++) if (holds(frame, X[i], Y[i]) && holdsPoint(X[i], Y[i])) found.add(i);
		return [...found];
	},
	bar: () => ({ nodes: [], words: ["Overlap"] }),
	enter: (app) => set(app, { view: "overlap" }),
};
