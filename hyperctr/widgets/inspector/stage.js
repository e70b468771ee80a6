// The two canvases: the picture below, hover and selection above. Sizes, colours and places are read anew each time.

import { cameraOf } from "./camera.js";
import { drawLegend, legendHeight } from "./colours.js";
import { veil } from "./drawing.js";
import { edgesOf, membersOf } from "./scene.js";
import { VIEWS, viewName, whyView } from "./views.js";

/** Size and colours, as the page has them now. @param {App} app */
export function readLook(app) {
	const { root, stage, over } = app.els, { joint, colours, tints } = app.about, style = getComputedStyle(root);
	const css = (name) => style.getPropertyValue("--hc-" + name).trim();
	app.look = { width: stage.clientWidth, height: stage.clientHeight, font: style.fontFamily, background: css("bg"), text: css("text"),
		muted: css("muted"), node: css("node"), faint: css("faint"), grid: css("grid"), joint,
		colours, tints, strong: +css("strong"), legend: 0 };
	app.look.legend = legendHeight(over.getContext("2d"), app);
}

/** Let a new camera show all, and put everything in its place. @param {App} app */
function place(app) {
	const { state } = app;
	if (!state.scene) return;
	if (!state.cameras[app.view.camera]) {
		cameraOf(app);
		app.view.fit?.(app);
	}
	app.placed = null;
	app.view.place?.(app);
}

/** A clean context for a canvas of the stage's size, as fine as the screen. @param {App} app @param {HTMLCanvasElement} canvas */
function contextOf(app, canvas) {
	const ratio = globalThis.devicePixelRatio || 1;
	const [w, high] = [Math.round(app.look.width * ratio), Math.round(app.look.height * ratio)];
	if (canvas.width !== w || canvas.height !== high) [canvas.width, canvas.height] = [w, high];
	const ctx = canvas.getContext("2d");
	ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
	ctx.clearRect(0, 0, w, high);
	return ctx;
}

/** Draw the picture with its legend. @param {App} app @param {Pen} ctx */
export function paint(app, ctx) {
	if (!app.scene) return;
	app.view.paint(ctx, app);
	if (!app.view.repaints) drawLegend(ctx, app); // overlap colours no nodes
}

/** Draw everything. @param {App} app */
export function redraw(app) {
	app.view = VIEWS[viewName(app)];
	readLook(app);
	if (!app.look.width || !app.look.height) return;
	const start = performance.now(), { base } = app.els;
	place(app);
	app.els.how.textContent = whyView(app);
	base.style.transform = "";
	paint(app, contextOf(app, base));
	app.drawnAt = { ...cameraOf(app) };
	app.state.times.draw = performance.now() - start;
	highlight(app);
}

/** Draw hover and selection. @param {App} app */
export function highlight(app) {
	if (!app.look?.width) return;
	const { base, over } = app.els, ctx = contextOf(app, over);
	if (!app.scene) return;
	if (app.view.repaints) return paint(app, contextOf(app, base));
	const lit = litBy(app);
	if (lit.hovering || app.chosen.size) {
		veil(ctx, app.look, lit.hovering ? 0.72 : 0.5);
		app.view.highlight(ctx, app, lit);
	} else app.view.finish?.(ctx, app);
	drawLegend(ctx, app);
}

/** @param {App} app @returns {Lit} */
function litBy(app) {
	const s = app.scene, { node, edge } = app.state.hover;
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
