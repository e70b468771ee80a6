// Marks on a canvas that several views share: text with a rim, nodes, rings. All places are pixels of the stage.

import { TAU, clamp, short } from "./tools.js";

/**
 * Text with a rim; skipped where it would hit another, which stands in `taken`.
 * @param {Pen} ctx
 * @param {Look} look
 * @param {number[][]} taken
 * @param {string} text
 * @param {number} x
 * @param {number} y
 * @param {{bold?: boolean, align?: CanvasTextAlign, force?: boolean, most?: number}} [how]
 */
export function label(ctx, look, taken, text, x, y, { bold = false, align = "center", force = false, most = 1e9 } = {}) {
	ctx.font = `${bold ? "600 " : ""}11.5px ${look.font}`;
	while (text.length > 3 && ctx.measureText(text).width > most) text = short(text, text.length - 1);
	const width = ctx.measureText(text).width;
	x = align === "center" ? clamp(x, width / 2 + 4, Math.max(look.width - width / 2 - 4, width / 2 + 4)) : x;
	const left = align === "center" ? x - width / 2 : align === "right" ? x - width : x;
	const box = [left - 3, y - 7, left + width + 3, y + 7];
	if (!force && (box[0] < 0 || box[2] > look.width || box[1] < 0 || box[3] > look.height)) return;
	if (!force && taken.some((b) => b[0] < box[2] && b[2] > box[0] && b[1] < box[3] && b[3] > box[1])) return;
	taken.push(box);
	ctx.textAlign = align;
	ctx.textBaseline = "middle";
	ctx.lineJoin = "round";
	ctx.globalAlpha = 0.85;
	ctx.fillStyle = ctx.strokeStyle = look.background;
	if (bold) ctx.fillRect(left - 3, y - 8, width + 6, 16);
	ctx.globalAlpha = 1;
	ctx.lineWidth = 3.5;
	ctx.strokeText(text, x, y);
	ctx.fillStyle = look.text;
	ctx.fillText(text, x, y);
}

/**
 * Plain text.
 * @param {Pen} ctx @param {Look} look @param {string} words @param {number} x @param {number} y
 * @param {CanvasTextAlign} [align] @param {string} [colour] @param {string} [bold] `"600 "` or nothing
 */
export function write(ctx, look, words, x, y, align = "left", colour = look.text, bold = "") {
	ctx.font = `${bold}11.5px ${look.font}`;
	ctx.textAlign = align;
	ctx.textBaseline = "middle";
	ctx.fillStyle = colour;
	ctx.fillText(words, x, y);
}

/** Begin a path of one colour and width. @param {Pen} ctx @param {string} colour @param {number} width */
export function pen(ctx, colour, width, alpha = 1) {
	ctx.strokeStyle = colour;
	ctx.lineWidth = width;
	ctx.globalAlpha = alpha;
	ctx.beginPath();
}

/** A circle for the path in hand. @param {Pen} ctx @param {number} x @param {number} y @param {number} r */
export function circle(ctx, x, y, r) {
	ctx.moveTo(x + r, y);
	ctx.arc(x, y, r, 0, TAU);
}

/** Radius of a node's dot: the more hyperedges, the larger. @param {Scene} s @param {number} i */
export function radius(s, i) {
	const base = s.n > 4000 ? 0.9 : s.n > 1200 ? 1.5 : s.n > 300 ? 2.2 : 3.2;
	return base * (1 + 0.28 * Math.min(Math.sqrt(s.degree[i]), 5));
}

/**
 * Dots of all nodes, or of some.
 * @param {Pen} ctx @param {Scene} s @param {Float32Array} X @param {Float32Array} Y @param {Look} look
 * @param {Iterable<number> | null} [which]
 * @param {number} [grow] @param {number} [most] largest radius
 */
export function drawNodes(ctx, s, X, Y, look, which = null, grow = 0, most = 99) {
	const inside = (i) => X[i] > -9 && X[i] < look.width + 9 && Y[i] > -9 && Y[i] < look.height + 9;
	ctx.globalAlpha = 1;
	ctx.fillStyle = look.node;
	if (!which && s.n > 3000) {
		for (let i = 0; i < s.n; i++) {
			if (!inside(i)) continue;
			const r = radius(s, i) + grow;
			ctx.fillRect(X[i] - r, Y[i] - r, 2 * r, 2 * r);
		}
		return;
	}
	ctx.beginPath();
	for (const i of which || s.degreeOrder) {
		if (!inside(i)) continue;
		circle(ctx, X[i], Y[i], Math.min(radius(s, i) + grow, most));
	}
	ctx.fill();
	ctx.lineWidth = 1;
	ctx.strokeStyle = look.background;
	if (s.n <= 1200 && most > 3) ctx.stroke();
}

/** Rings round some nodes. @param {Pen} ctx @param {Scene} s @param {Float32Array} X @param {Float32Array} Y @param {Look} look @param {Iterable<number>} which */
export function ring(ctx, s, X, Y, look, which) {
	pen(ctx, look.text, 2);
	for (const i of which) circle(ctx, X[i], Y[i], radius(s, i) + 3);
	ctx.stroke();
}

/** Fade what is below. @param {Pen} ctx @param {Look} look @param {number} alpha */
export function veil(ctx, look, alpha) {
	ctx.globalAlpha = alpha;
	ctx.fillStyle = look.background;
	ctx.fillRect(0, 0, look.width, look.height);
	ctx.globalAlpha = 1;
}
