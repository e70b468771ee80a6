// The two canvases: the picture below, hover and selection above. Sizes, colours and places are read anew each time.

import { edgesOf, membersOf } from "./scene.js";
import { viewOf } from "./views.js";

/** Size and colours, as the page has them now. @param {App} app */
export function readLook(app) {
	const { root, stage } = app.els, style = getComputedStyle(root);
	const css = (name) => style.getPropertyValue(name).trim();
	app.look = { width: stage.clientWidth, height: stage.clientHeight, font: style.fontFamily, background: css("--hc-bg"), text: css("--hc-text"),
		muted: css("--hc-muted"), node: css("--hc-node"), faint: css("--hc-faint"), grid: css("--hc-grid"), joint: app.about.joint,
		colours: app.about.colours, strong: +css("--hc-strong") };
}

/** The camera of the view shown. @param {App} app @returns {Camera} */
export const cameraOf = (app) => (app.state.cameras[viewOf(app).camera] ??= { k: 1, x: 0, y: 0 });

/** Pixels of places within [-1, 1]. @param {App} app @param {Float32Array} x @param {Float32Array} y */
function screen({ look }, x, y, cam) {
	const a = (look.width / 2 - 34) * cam.k, b = (look.height / 2 - 34) * cam.k;
	const cx = look.width / 2 + cam.x, cy = look.height / 2 + cam.y;
	const X = new Float32Array(x.length), Y = new Float32Array(y.length);
	for (let i = 0; i < x.length; i++) {
		X[i] = cx + a * x[i];
		Y[i] = cy + b * y[i];
	}
	return [X, Y];
}

/** @param {App} app */
function place(app) {
	const s = app.state.scene, cam = cameraOf(app), at = viewOf(app).places?.(s) ?? s;
	const [X, Y] = screen(app, at.x, at.y, cam), [EX, EY] = screen(app, at.ex, at.ey, cam);
	app.placed = { X, Y, EX, EY };
}

/** A context for a canvas of the stage's size, as fine as the screen or as asked. @param {App} app @param {HTMLCanvasElement} canvas */
export function contextOf(app, canvas, ratio = globalThis.devicePixelRatio || 1) {
	const [w, high] = [Math.round(app.look.width * ratio), Math.round(app.look.height * ratio)];
	if (canvas.width !== w || canvas.height !== high) [canvas.width, canvas.height] = [w, high];
	const ctx = canvas.getContext("2d");
	ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
	return ctx;
}

/** @param {App} app @param {Pen} ctx */
export function paint(app, ctx) {
	ctx.setLineDash([]);
	ctx.clearRect(0, 0, app.look.width, app.look.height);
	if (app.state.scene) viewOf(app).paint(ctx, app);
}

/** Draw everything. @param {App} app */
export function redraw(app) {
	readLook(app);
	if (!app.look.width || !app.look.height) return;
	const start = performance.now(), { base } = app.els;
	if (app.state.scene) place(app);
	base.style.transform = "";
	paint(app, contextOf(app, base));
	app.drawnAt = { ...cameraOf(app) };
	app.state.times.draw = performance.now() - start;
	highlight(app);
}

/** Draw hover and selection. @param {App} app */
export function highlight(app) {
	if (!app.look?.width) return;
	const { base, over } = app.els, ctx = contextOf(app, over), view = viewOf(app);
	ctx.clearRect(0, 0, app.look.width, app.look.height);
	if (!app.state.scene) return;
	if (view.repaints) return paint(app, contextOf(app, base));
	view.highlight(ctx, app, litBy(app));
}

/** @param {App} app @returns {Lit} */
function litBy(app) {
	const s = app.state.scene, { node, edge } = app.state.hover;
	const nodes = new Set(), edges = new Set();
	if (edge >= 0) {
		edges.add(edge);
		for (const i of membersOf(s, edge)) nodes.add(i);
	}
	if (node >= 0) {
		nodes.add(node);
		if (edge < 0) for (const k of edgesOf(s, node)) edges.add(k);
	}
	const hovering = nodes.size > 0;
	if (!hovering && app.chosen.size && app.chosen.size <= 40) for (const i of app.chosen) for (const k of edgesOf(s, i)) edges.add(k);
	return { nodes, edges, hovering };
}
