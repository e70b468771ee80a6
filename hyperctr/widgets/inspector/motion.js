// Moving and zooming the picture.

import { cameraOf } from "./camera.js";
import { drawLegend } from "./colours.js";
import { redraw } from "./stage.js";
import { clamp } from "./tools.js";

/** Do something once before the next frame. @param {App} app @param {() => void} act */
export function soon(app, act) {
	cancelAnimationFrame(app.state.frame);
	app.state.frame = requestAnimationFrame(act);
}

/** Follow the camera: draw anew if that is quick, else move the last picture and draw once it rests. @param {App} app */
export function moved(app) {
	const { state, drawnAt, view } = app;
	clearTimeout(state.rest);
	if (state.times.draw < 7 || !drawnAt || !view.slides) return soon(app, () => redraw(app));
	soon(app, () => {
		const cam = cameraOf(app), f = cam.k / drawnAt.k, [cx, cy] = view.centre(app, 0, 0);
		const dx = cx + cam.x - f * (cx + drawnAt.x), dy = cy + cam.y - f * (cy + drawnAt.y);
		app.els.base.style.transform = `translate(${dx}px,${dy}px) scale(${f})`;
		const ctx = app.els.over.getContext("2d");
		ctx.clearRect(0, 0, app.look.width, app.look.height);
		view.rim?.(ctx, app);
		drawLegend(ctx, app);
	});
	state.rest = setTimeout(() => !state.drag && redraw(app), 160);
}

/** Zoom about a point. @param {App} app @param {number} factor @param {number} [x] @param {number} [y] */
export function zoomBy(app, factor, x = app.look.width / 2, y = app.look.height / 2) {
	if (!app.view.movable || !app.scene) return;
	const cam = cameraOf(app), k = clamp(cam.k * factor, 0.4, 80), f = k / cam.k, [cx, cy] = app.view.centre(app, x, y);
	cam.x = x - cx - f * (x - cx - cam.x);
	cam.y = y - cy - f * (y - cy - cam.y);
	cam.k = k;
	moved(app);
}

/** Show all of it. @param {App} app */
export function fit(app) {
	delete app.state.cameras[app.view.camera];
	redraw(app);
}
