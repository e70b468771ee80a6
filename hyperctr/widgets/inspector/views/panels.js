// Panels: one for each modality, side by side. A hyperedge is a region with a tint and a name of its own; nodes that lie
// on none of a panel's hyperedges stand back. Hover and selection show in all panels at once.

import { cameraOf, span } from "../camera.js";
import { legendHeight, tonesOf } from "../colours.js";
import { box, circle, drawNodes, label, pen, radius, ring, veil, write } from "../drawing.js";
import { edgesOf, membersOf } from "../scene.js";
import { NOTHING, clamp, number, short } from "../tools.js";
import { around } from "./maps.js";
import { inRegion, regionsOf, traceArms, traceRegion } from "./regions.js";

const NAMED = 10; // regions in a panel; more hide what they name
const HEAD = 24, GAP = 8, MARGIN = 30; // pixels: a panel's head, what is between two, what is kept free in a large one

/** A grid over the stage, but for some pixels at the bottom: as many beside each other as make them largest. @param {App} app @param {number} many @returns {Frame[]} */
export function grid({ look, state }, many, kept = 0) {
	const wide = look.width - GAP, high = look.height - GAP - legendHeight(state.scene) - kept;
	const room = (cols) => Math.min(wide / cols, (1.3 * high) / Math.ceil(many / cols));
	let cols = 1;
	for (let k = 2; k <= many; k++) if (room(k) > room(cols) + 1) cols = k;
	const w = wide / cols, h = high / Math.ceil(many / cols);
	return Array.from({ length: many }, (_, k) => ({ x: GAP + (k % cols) * w, y: GAP + Math.floor(k / cols) * h, w: w - GAP, h: h - GAP }));
}

/** A panel for each modality; one without hyperedges is a line at the bottom that says so. @param {App} app @returns {Frame[]} */
function framesOf(app) {
	const { look } = app, s = app.scene, chosen = app.get("modalities"), any = new Set(s.edge_modality);
	const shown = [...s.modalities.keys()].filter((m) => chosen.includes(s.modalities[m]));
	const full = shown.filter((m) => any.has(m)), lines = shown.filter((m) => !any.has(m));
	const w = (look.width - GAP) / lines.length, y = look.height - legendHeight(s) - GAP - HEAD;
	const places = [...grid(app, full.length, lines.length && HEAD + GAP), ...lines.map((_, k) => ({ x: GAP + k * w, y, w: w - GAP, h: HEAD }))];
	return [...full, ...lines].map((m, k) => ({ ...places[k], m, name: s.modalities[m], colour: look.colours[m],
		total: app.state.stats?.modalities?.find((row) => row.modality === s.modalities[m])?.hyperedges }));
}

/** What a panel shows when it is not moved: the part of its layout that holds the nodes. @param {App} app */
function fitPanels(app) {
	const s = app.scene;
	app.state.boxes = s.modalities.map((_, m) => {
		const own = [s.px, s.py].map((v) => span(v.subarray(m * s.n, (m + 1) * s.n)));
		return own.map(([low, high]) => [(low + high) / 2, Math.max((high - low) / 2, 0.04)]);
	});
}

/** Put the nodes into each panel, and say which hyperedges it holds. @param {App} app @param {Frame[]} frames @param {ArrayLike<number>} of the panel or modality of each hyperedge @param {(frame: Frame, p: number) => number} which of them a panel has */
export function placeIn(app, frames, of, which) {
	const s = app.scene, { k, x, y } = cameraOf(app);
	if (!app.state.boxes || app.state.boxes.length !== s.modalities.length) fitPanels(app);
	tonesOf(s);
	const panels = frames.map((frame) => {
		const [[cx, rx], [cy, ry]] = app.state.boxes[frame.m], at = frame.m * s.n;
		const free = Math.min(MARGIN, Math.min(frame.w, frame.h) / 8), [mx, my] = middleOf(frame);
		const a = (k * (frame.w / 2 - free)) / rx, b = (k * ((frame.h - HEAD) / 2 - free)) / ry;
		const X = Float32Array.from({ length: s.n }, (_, i) => mx + x + a * (s.px[at + i] - cx));
		const Y = Float32Array.from({ length: s.n }, (_, i) => my + y + b * (s.py[at + i] - cy));
		return { frame, X, Y, reach: clamp(Math.min(frame.w, frame.h) / 30, 5, 12) };
	});
	app.placed = { panels, edges: frames.map((frame, p) => s.sizeOrder.filter((e) => of[e] === which(frame, p))) };
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
	const { look } = app, s = app.scene, region = regionsOf(s)[e];
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
	const s = app.scene, { corners } = regionsOf(s)[e];
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

/** Nodes of a panel: members as dots, the others as faint points. @param {Pen} ctx @param {App} app @param {any} panel @param {Set<number>} members */
function drawPanelNodes(ctx, app, { X, Y, reach }, members) {
	const s = app.scene, { look } = app;
	ctx.globalAlpha = 0.35;
	ctx.fillStyle = look.node;
	ctx.beginPath();
	for (let i = 0; i < s.n; i++) if (!members.has(i)) circle(ctx, X[i], Y[i], 1.5);
	ctx.fill();
	drawNodes(ctx, s, X, Y, look, members, 0, reach / 2);
}

/** Frame and head. @param {Pen} ctx @param {App} app @param {Frame} frame @param {number} many */
function drawFrame(ctx, app, frame, many) {
	const { look } = app, { x, y, w, h, name, colour, total = many } = frame;
	pen(ctx, look.grid, 1, 0.5);
	ctx.rect(x + 0.5, y + 0.5, w - 1, h - 1);
	ctx.stroke();
	box(ctx, look.faint, x + 1, y + 1, w - 2, HEAD - 2);
	if (colour) box(ctx, colour, x + 8, y + 7, 10, 10);
	const left = x + (colour ? 24 : 8);
	write(ctx, look, name, left, y + HEAD / 2, "left", look.text, "600 ");
	const after = left + 6 + ctx.measureText(name).width, room = x + w - 6 - after, count = `${number(many)} of ${number(total)}`;
	const words = total ? [`${count} hyperedges`, count, `${many}/${total}`, ""] : ["no hyperedge here", "none", ""];
	write(ctx, look, words.find((text) => (ctx.measureText(text).width * 12) / 11.5 < room), after, y + HEAD / 2, "left", look.muted);
}

/** Each panel with its members. @param {App} app @param {(panel: any, edges: Int32Array, members: Set<number>) => void} act */
function each(app, act) {
	const s = app.scene, { panels, edges } = app.placed;
	panels.forEach((panel, p) => {
		const members = new Set();
		for (const e of edges[p]) for (const i of membersOf(s, e)) members.add(i);
		act(panel, edges[p], members);
	});
}

/** @type {View} */
export const panels = {
	label: "Panels",
	movable: true,
	camera: "panels",
	lasso: true,
	place: (app) => placeIn(app, framesOf(app), app.scene.edge_modality, ({ m }) => m),
	fit: fitPanels,
	centre(app, x, y) {
		const all = app.placed.panels.map(({ frame }) => frame), under = all.find((frame) => holds(frame, x, y)) || all[0];
		return /** @type {[number, number]} */ (under ? middleOf(under) : [x, y]);
	},
	at(app, { node, edge }) {
		const s = app.scene, own = node >= 0 ? [...edgesOf(s, node)] : [edge];
		const panel = app.placed.panels.find((_, p) => own.some((e) => app.placed.edges[p].includes(e))) || app.placed.panels[0];
		const i = node >= 0 ? node : membersOf(s, edge)[0];
		return panel ? [panel.X[i], panel.Y[i]] : [60, 60];
	},
	paint(ctx, app) {
		const s = app.scene;
		each(app, (panel, edges, members) => {
			drawFrame(ctx, app, panel.frame, edges.length);
			inPanel(ctx, panel.frame, () => {
				const fill = clamp(0.9 / edges.length, 0.02, 0.14), crowd = edges.length > 20;
				for (const e of edges) drawRegion(ctx, app, panel, e, fill, crowd ? 0.5 : 0.9, crowd ? 1 : 1.4);
				drawPanelNodes(ctx, app, panel, members);
				/** @type {number[][]} */
				const taken = [], most = clamp((panel.frame.w * panel.frame.h) / 20000, 1, NAMED);
				for (const e of edges) if (taken.length < most) nameRegion(ctx, app, panel, e, taken);
				const room = taken.length + (cameraOf(app).k > 1.5 ? 30 : 0);
				for (const i of s.degreeOrder)
					if (taken.length < room && members.has(i)) nameNode(ctx, app, panel, i, taken, { ...app.look, text: app.look.muted });
			});
		});
	},
	highlight(ctx, app, lit) {
		const { look, chosen } = app, s = app.scene, { node, edge } = app.state.hover;
		if (!lit.hovering && !chosen.size) return;
		veil(ctx, look, lit.hovering ? 0.74 : 0.5);
		const label_ = edge >= 0 ? s.edge_labels[edge] : null;
		const all = around(s, lit);
		each(app, (panel, edges, members) => {
			const { frame, X, Y, reach } = panel, own = edges.filter((e) => lit.edges.has(e));
			drawFrame(ctx, app, frame, edges.length);
			inPanel(ctx, frame, () => {
				for (const e of edges) if (!lit.edges.has(e) && s.edge_labels[e] === label_) drawRegion(ctx, app, panel, e, 0.06, 0.7, 1.2);
				for (const e of own) drawRegion(ctx, app, panel, e, 0.22, 1, 2);
				const ghosts = [...all].filter((i) => !members.has(i));
				pen(ctx, look.muted, 1.2);
				for (const i of ghosts) circle(ctx, X[i], Y[i], 3.5);
				ctx.stroke();
				drawNodes(ctx, s, X, Y, look, [...all].filter((i) => members.has(i)), 0.4, reach / 2);
				ring(ctx, s, X, Y, look, chosen);
				/** @type {number[][]} */
				const taken = [];
				if (node >= 0) {
					ring(ctx, s, X, Y, look, [node]);
					nameNode(ctx, app, panel, node, taken, look, { bold: true, force: holds(frame, X[node], Y[node]) });
				}
				for (const e of own) if (taken.length < 20) nameRegion(ctx, app, panel, e, taken, e === edge);
				for (const i of [...chosen].slice(0, 24)) nameNode(ctx, app, panel, i, taken);
			});
		});
	},
	finish(ctx, app) {
		each(app, ({ frame, X, Y }) => inPanel(ctx, frame, () => ring(ctx, app.scene, X, Y, app.look, app.chosen)));
	},
	pick(app, x, y) {
		const s = app.scene, p = app.placed.panels.findIndex(({ frame }) => holds(frame, x, y));
		if (p < 0) return NOTHING;
		const panel = app.placed.panels[p], edges = app.placed.edges[p];
		const members = new Set([...edges].flatMap((e) => [...membersOf(s, e)]));
		let node = -1, least = 100;
		for (let i = 0; i < s.n; i++) {
			const far = (panel.X[i] - x) ** 2 + (panel.Y[i] - y) ** 2 + (members.has(i) ? 0 : 40);
			if (far < least) [node, least] = [i, far];
		}
		if (node >= 0) return { ...NOTHING, node };
		const edge = [...edges].reverse().find((e) => inRegion(regionsOf(s)[e], panel.X, panel.Y, panel.reach, x, y));
		return edge === undefined ? NOTHING : { ...NOTHING, edge };
	},
	inside(app, holdsPoint) {
		const found = new Set();
		for (const { frame, X, Y } of app.placed.panels)
			for (let i = 0; i < X.length; i++) if (holds(frame, X[i], Y[i]) && holdsPoint(X[i], Y[i])) found.add(i);
		return [...found];
	},
};
