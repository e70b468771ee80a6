// Pointer, wheel and keyboard on the picture.

import { cameraOf } from "./camera.js";
import { choose, click, focusOn } from "./choosing.js";
import { pen } from "./drawing.js";
import { describe, hover, pick } from "./hover.js";
import { fit, moved, soon, zoomBy } from "./motion.js";
import { highlight, redraw } from "./stage.js";
import { set } from "./state.js";
import { NOTHING, clamp, listen } from "./tools.js";

/** Where an event is on the picture. @param {App} app @param {MouseEvent} e @returns {[number, number]} */
function at(app, e) {
	const box = app.els.over.getBoundingClientRect();
	return [e.clientX - box.left, e.clientY - box.top];
}

/** @param {App} app */
export function listenToPointer(app) {
	const { state, els: { over } } = app;
	listen(over, {
		pointerdown(e) {
			if (e.button || !state.scene) return;
			const [x, y] = at(app, e), selects = (e.shiftKey || state.lasso) && app.view.movable;
			state.drag = { x, y, cam: { ...cameraOf(app) }, path: selects ? [[x, y]] : null, far: false };
			over.setPointerCapture(e.pointerId);
		},
		pointermove(e) {
			const [x, y] = at(app, e), { drag } = state;
			if (!drag) return state.scene && hover(app, pick(app, x, y), x, y);
			if (Math.hypot(x - drag.x, y - drag.y) > 4) drag.far = true;
			if (!drag.far) return;
			app.els.tip.hidden = true;
			if (drag.path) {
				drag.path.push([x, y]);
				soon(app, () => drawBrush(app, drag.path));
			} else if (app.view.movable) {
				Object.assign(cameraOf(app), { x: drag.cam.x + x - drag.x, y: drag.cam.y + y - drag.y });
				moved(app);
			}
		},
		pointerup(e) {
			const { drag } = state;
			if (!drag) return;
			const [x, y] = at(app, e), add = e.ctrlKey || e.metaKey;
			state.drag = null;
			cancelAnimationFrame(state.frame);
			if (!drag.far) click(app, pick(app, x, y), add || e.shiftKey);
			else if (drag.path) choose(app, app.view.inside(app, (px, py) => inPolygon(drag.path, px, py)), add);
			else if (app.view.movable) redraw(app);
		},
		pointercancel() { state.drag = null; },
		pointerleave: () => !state.drag && state.scene && hover(app, NOTHING),
		dblclick: (e) => state.scene && focusOn(app, pick(app, ...at(app, e))),
	});
	listen(over, { wheel(e) {
		if (!app.view.movable || !state.scene) return;
		e.preventDefault();
		zoomBy(app, Math.exp(-clamp(e.deltaY, -120, 120) * 0.0022), ...at(app, e));
	} }, { passive: false });
}

/** @param {App} app @param {number[][]} path */
function drawBrush(app, path) {
	highlight(app);
	const ctx = app.els.over.getContext("2d");
	pen(ctx, app.look.text, 1, 0.12);
	path.forEach(([x, y]) => ctx.lineTo(x, y));
	ctx.closePath();
	ctx.fillStyle = app.look.text;
	ctx.fill();
	ctx.globalAlpha = 1;
	ctx.setLineDash([4, 3]);
	ctx.stroke();
	ctx.setLineDash([]);
}

/** Whether a line to the right of a point crosses a polygon an odd number of times. @param {number[][]} path @param {number} x @param {number} y */
function inPolygon(path, x, y) {
	let inside = false;
	path.forEach(([ax, ay], k) => {
		const [bx, by] = path[(k + 1) % path.length];
		if (ay > y !== by > y && x < ax + ((bx - ax) * (y - ay)) / (by - ay)) inside = !inside;
	});
	return inside;
}

/** Go to the next node, hyperedge or bar, from the largest on. @param {App} app @param {number} by @param {"node" | "edge" | "bar"} what */
function step(app, by, what) {
	const s = app.scene, view = app.view;
	const order = { bar: () => [...Array(view.bars?.(app) ?? 0).keys()], node: () => [...s.degreeOrder], edge: () => [...s.sizeOrder] }[what]();
	const now = order.indexOf(app.state.hover[what]);
	const one = order[(now + by + order.length + (now < 0 && by < 0 ? 1 : 0)) % order.length] ?? -1;
	const next = { ...NOTHING, [what]: one };
	hover(app, next, ...(one < 0 || !view.at ? [60, 60] : view.at(app, next)));
	app.els.spoken.textContent = describe(app, app.state.hover).join(", ");
}

/** @type {Record<string, (app: App, e: KeyboardEvent) => void>} */
const KEYS = {
	n: (app) => step(app, 1, app.view.bars ? "bar" : "node"),
	p: (app) => step(app, -1, app.view.bars ? "bar" : "node"),
	e: (app) => step(app, 1, "edge"),
	r: (app) => step(app, -1, "edge"),
	Enter: (app, e) => click(app, app.state.hover, e.shiftKey),
	f: (app) => focusOn(app, app.state.hover),
	"+": (app) => zoomBy(app, 1.4),
	"=": (app) => zoomBy(app, 1.4),
	"-": (app) => zoomBy(app, 1 / 1.4),
	0: (app) => fit(app),
	ArrowLeft: (app) => shift(app, 40, 0),
	ArrowRight: (app) => shift(app, -40, 0),
	ArrowUp: (app) => shift(app, 0, 40),
	ArrowDown: (app) => shift(app, 0, -40),
	Escape: (app) => {
		hover(app, NOTHING);
		app.goInto(null);
		set(app, { selection: [], focus: null, slots: null });
	},
};

function shift(app, dx, dy) {
	if (!app.view.movable) return;
	const cam = cameraOf(app);
	cam.x += dx;
	cam.y += dy;
	moved(app);
}

/** @param {App} app */
export function listenToKeys(app) {
	listen(app.els.over, { keydown(e) {
		if (!app.scene || e.ctrlKey || e.metaKey || e.altKey || !KEYS[e.key]) return;
		e.preventDefault();
		e.stopPropagation();
		KEYS[e.key](app, e);
	} });
}
