// Files that the reader takes away: the picture from here, with what it shows in words; the selection from Python.

import { box, fitted, font, write } from "./drawing.js";
import { paint } from "./stage.js";
import { ask } from "./state.js";
import { createSvg } from "./svg.js";
import { h } from "./tools.js";

const FINE = 3; // times the screen: fine enough for print
const TITLE = 46; // pixels above the picture

/** @param {App} app @param {Blob} blob @param {string} name */
export function download(app, blob, name) {
	const link = h("a", { href: URL.createObjectURL(blob), download: name });
	app.els.root.append(link);
	link.click();
	link.remove();
	setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

/** The picture below a title that says what it shows: hypergraph, slot, threshold, how many. @param {App} app @param {any} ctx */
function drawSheet(app, ctx) {
	const { look, view } = app, s = app.scene;
	const title = [`${view.label}: ${app.about.own ? "" : s.side + " "}hypergraph over ${s.node_kind}s`, s.slot_label, s.threshold].filter(Boolean).join(", ");
	box(ctx, look.background, 0, 0, look.width, look.height + TITLE);
	for (const [words, y, colour, bold] of [[title, 16, look.text, true], [s.rule, 34, look.muted, false]]) {
		font(ctx, look, bold);
		write(ctx, look, fitted(ctx, words, look.width - 24), 12, y, "left", colour, bold);
	}
	ctx.save();
	ctx.translate(0, TITLE);
	paint(app, ctx);
	view.finish?.(ctx, app);
	ctx.restore();
}

/** @param {App} app @param {string} kind `png`, `svg`, `csv` or `hif` */
export function save(app, kind) {
	if (!app.scene) return;
	if (kind !== "png" && kind !== "svg") return ask(app, { type: "export", kind });
	const { look } = app, s = app.scene, high = look.height + TITLE, sheet = h("canvas"), ctx = sheet.getContext("2d");
	const name = `${app.els.root.dataset.view}-${s.side}-slot${s.slot}.${kind}`;
	if (kind === "svg") {
		const svg = createSvg(ctx, look.width, high);
		drawSheet(app, svg);
		return download(app, new Blob([svg.text(look.font)], { type: "image/svg+xml" }), name);
	}
	[sheet.width, sheet.height] = [FINE * look.width, FINE * high];
	ctx.scale(FINE, FINE);
	drawSheet(app, ctx);
	sheet.toBlob((blob) => download(app, blob, name));
}
