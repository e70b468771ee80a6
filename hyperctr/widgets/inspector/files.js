// Files that the reader takes away: the picture from here, with what it shows in words; the selection from Python.

import { write } from "./drawing.js";
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
	const { look, about, view } = app, s = app.state.scene;
	const title = `${view.label}: ${s.side} hypergraph over ${s.node_kind}s, ${about.slots[s.slot]}, δ = ${s.delta.toFixed(2)}`;
	const fitting = (words, bold) => {
		ctx.font = `${bold}11.5px ${look.font}`;
		while (words.length > 9 && ctx.measureText(words).width > look.width - 24) words = words.slice(0, -2).trimEnd() + "…";
		return words;
	};
	write(ctx, look, fitting(title, "600 "), 12, 16, "left", look.text, "600 ");
	write(ctx, look, fitting(s.rule, ""), 12, 34, "left", look.muted);
	ctx.save();
	ctx.translate(0, TITLE);
	paint(app, ctx);
	view.finish?.(ctx, app);
	ctx.restore();
}

/** @param {App} app @param {string} kind `png`, `svg`, `csv` or `hif` */
export function save(app, kind) {
	if (!app.state.scene) return;
	if (kind !== "png" && kind !== "svg") return ask(app, { type: "export", kind });
	const { look } = app, s = app.state.scene, high = look.height + TITLE, sheet = h("canvas"), ctx = sheet.getContext("2d");
	const name = `${app.els.root.dataset.view}-${s.side}-slot${s.slot}.${kind}`;
	if (kind === "svg") {
		const svg = createSvg(ctx, look.width, high, look.background);
		drawSheet(app, svg);
		return download(app, new Blob([svg.text(look.font)], { type: "image/svg+xml" }), name);
	}
	[sheet.width, sheet.height] = [FINE * look.width, FINE * high];
	ctx.scale(FINE, FINE);
	drawSheet(app, ctx);
	ctx.setTransform(1, 0, 0, 1, 0, 0);
	ctx.globalCompositeOperation = "destination-over";
	ctx.globalAlpha = 1;
	ctx.fillStyle = look.background;
	ctx.fillRect(0, 0, sheet.width, sheet.height);
	sheet.toBlob((blob) => download(app, blob, name));
}
