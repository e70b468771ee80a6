// Files that the reader takes away: the picture from here, the selection from Python.

import { ask } from "./state.js";
import { contextOf, paint } from "./stage.js";
import { h } from "./tools.js";
import { viewOf } from "./views.js";

const FINE = 3; // times the screen: fine enough for print

/** @param {App} app @param {Blob} blob @param {string} name */
export function download(app, blob, name) {
	const link = h("a", { href: URL.createObjectURL(blob), download: name });
	app.els.root.append(link);
	link.click();
	link.remove();
	setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

/** @param {App} app @param {string} kind `png`, `csv` or `hif` */
export function save(app, kind) {
	if (!app.state.scene) return;
	if (kind !== "png") return ask(app, { type: "export", kind });
	const { look } = app, sheet = h("canvas"), ctx = contextOf(app, sheet, FINE);
	paint(app, ctx);
	viewOf(app).finish?.(ctx, app);
	ctx.globalCompositeOperation = "destination-over";
	ctx.fillStyle = look.background;
	ctx.fillRect(0, 0, look.width, look.height);
	ctx.globalCompositeOperation = "source-over";
	sheet.toBlob((blob) => download(app, blob, `${app.get("view")}-${app.get("side")}-slot${app.get("slot")}.png`));
}
