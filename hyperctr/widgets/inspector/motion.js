// Moving and zooming the picture.

import { cameraOf, readLook, redraw } from "./stage.js";
import { clamp } from "./tools.js";
import { viewOf } from "./views.js";

/** Do something once before the next frame. @param {App} app @param {() => void} act */
export function soon(app, act) {
	cancelAnimationFrame(app.state.frame);
	app.state.frame = requestAnimationFrame(act);
}

/** Follow the camera: draw anew if that is quick, else move the last picture and draw once it rests. @param {App} app */
export function moved(app) {
	const { state, drawnAt } = app;
	clearTimeout(state.rest);
	if (state.times.draw < 14 || !drawnAt) return soon(app, () => redraw(app));
	soon(app, () => {
		const cam = cameraOf(app), f = cam.k / drawnAt.k, { look } = app;
		const dx = look.width / 2 + cam.x - f * (look.width / 2 + drawnAt.x), dy = look.height / 2 + cam.y - f * (look.height / 2 + drawnAt.y);
		app.els.base.style.transform = `translate(${dx}px,${dy}px) scale(${f})`;
		app.els.over.getContext("2d").clearRect(0, 0, look.width, look.height);
	});
	state.rest = setTimeout(() => !state.drag && redraw(app), 160);
}

/** Zoom about a point. @param {App} app @param {number} factor @param {number} [x] @param {number} [y] */
export function zoomBy(app, factor, x = app.look.width / 2, y = app.look.height / 2) {
	const { look } = app, cam = cameraOf(app), k = clamp(cam.k * factor, 0.4, 60), f = k / cam.k;
	cam.x = x - look.width / 2 - f * (x - look.width / 2 - cam.x);
	cam.y = y - look.height / 2 - f * (y - look.height / 2 - cam.y);
	cam.k = k;
	moved(app);
}

/** Show all of it. @param {App} app */
export function fit(app) {
	const cam = cameraOf(app), s = app.state.scene;
	Object.assign(cam, { k: 1, x: 0, y: 0 });
	if (s?.n && !viewOf(app).places) {
		readLook(app);
		const span = (v) => v.reduce(([low, high], one) => [Math.min(low, one), Math.max(high, one)], [Infinity, -Infinity]);
		const { look } = app, [l, r] = span(s.x), [t, b] = span(s.y);
		cam.k = clamp(1.9 / Math.max(r - l, b - t, 0.12), 1, 12);
		cam.x = -((l + r) / 2) * (look.width / 2 - 34) * cam.k;
		cam.y = -((t + b) / 2) * (look.height / 2 - 34) * cam.k;
	}
	redraw(app);
}
