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
 * @param {{bold?: boolean, align?: CanvasTextAlign, force?: boolean, most?: number, frame?: Frame}} [how]
 */
export function label(ctx, look, taken, text, x, y, { bold = false, align = "center", force = false, most = 1e9, frame } = {}) {
	const { x: l, y: t, w, h } = frame || { x: 0, y: 0, w: look.width, h: look.height };
	const hits = (from, to) => taken.some((b) => b[0] < to && b[2] > from && b[1] < y + 7 && b[3] > y - 7);
	if (!force && align !== "center" && hits(x, x)) return; // most of thousands: to measure text is slow
	font(ctx, look, bold);
	text = fitted(ctx, text, most);
	const width = ctx.measureText(text).width;
	if (align === "center") x = clamp(x, l + width / 2 + 4, Math.max(l + w - width / 2 - 4, l + width / 2 + 4));
	const left = align === "center" ? x - width / 2 : align === "right" ? x - width : x;
	const at = [left - 3, y - 7, left + width + 3, y + 7];
	const out = at[0] < l || at[2] > l + w || at[1] < t || at[3] > t + h;
	if (!force && (out || hits(at[0], at[2]))) return;
	taken.push(at);
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

/** The font of all words, in which they are measured. @param {Pen} ctx @param {Look} look @param {boolean} [bold] */
export const font = (ctx, look, bold) => (ctx.font = `${bold ? "600 " : ""}11.5px ${look.font}`);

/** As much of a text as has room. @param {Pen} ctx @param {string} text @param {number} most */
export function fitted(ctx, text, most) {
	while (text.length > 3 && ctx.measureText(text).width > most) text = short(text, text.length - 1);
	return text;
}

/** Of several ways to say something the first that has room. @param {Pen} ctx @param {string[]} ways @param {number} room */
export const fitting = (ctx, ways, room) => ways.find((text) => ctx.measureText(text).width <= room) ?? "";

/**
 * Plain text.
 * @param {Pen} ctx @param {Look} look @param {string} words @param {number} x @param {number} y
 * @param {CanvasTextAlign} [align] @param {string} [colour] @param {boolean} [bold]
 */
export function write(ctx, look, words, x, y, align = "left", colour = look.text, bold = false) {
	font(ctx, look, bold);
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

/** A straight line. @param {Pen} ctx @param {string} colour @param {number} width @param {number} x @param {number} y @param {number} toX @param {number} toY */
export function line(ctx, colour, width, x, y, toX, toY, alpha = 1) {
	pen(ctx, colour, width, alpha);
	ctx.moveTo(x, y);
	ctx.lineTo(toX, toY);
	ctx.stroke();
}

/** A filled rectangle. @param {Pen} ctx @param {string} colour @param {number} x @param {number} y @param {number} w @param {number} h */
export function box(ctx, colour, x, y, w, h, alpha = 1) {
	ctx.globalAlpha = alpha;
	ctx.fillStyle = colour;
	ctx.fillRect(x, y, w, h);
}

/** A filled circle, which is then the path in hand. @param {Pen} ctx @param {string} colour @param {number} x @param {number} y @param {number} r */
export function disc(ctx, colour, x, y, r) {
	ctx.globalAlpha = 1;
	ctx.fillStyle = colour;
	ctx.beginPath();
	circle(ctx, x, y, r);
	ctx.fill();
}

/** A circle for the path in hand. @param {Pen} ctx @param {number} x @param {number} y @param {number} r */
export function circle(ctx, x, y, r) {
	ctx.moveTo(x + r, y);
	ctx.arc(x, y, r, 0, TAU);
}

/** Radius of a node's dot. @param {Scene} s @param {number} i */
export function radius(s, i) {
	const base = s.n > 4000 ? 0.9 : s.n > 1200 ? 1.5 : s.n > 300 ? 2.2 : 3.2;
	return base * (1 + 1.4 * s.weight[i]);
}

/**
 * Dots of all nodes, or of some, in the colours of what they are coloured by.
 * @param {Pen} ctx @param {App} app @param {Places} places
 * @param {Iterable<number> | null} [which] all, if none are given
 * @param {number} [grow] @param {number} [most] largest radius
 */
export function drawNodes(ctx, { scene: s, look }, { X, Y }, which = null, grow = 0, most = 99) {
	const inside = (i) => X[i] > -9 && X[i] < look.width + 9 && Y[i] > -9 && Y[i] < look.height + 9;
	const { tone, palette } = s.tones || { tone: null, palette: [] }, plain = !which && s.n > 3000;
	const order = [...(which || s.degreeOrder)].filter(inside);
	ctx.globalAlpha = 1;
	for (let k = -1; k < palette.length; k++) {
		ctx.fillStyle = k < 0 ? look.node : palette[k];
		ctx.beginPath();
		for (const i of order) {
			if (tone && tone[i] !== k) continue;
			const r = Math.min(radius(s, i) + grow, most);
			if (plain) ctx.fillRect(X[i] - r, Y[i] - r, 2 * r, 2 * r);
			else circle(ctx, X[i], Y[i], r);
		}
		if (!plain) ctx.fill();
		ctx.lineWidth = 1;
		ctx.strokeStyle = look.background;
		if (s.n <= 1200 && most > 3) ctx.stroke();
	}
}

/** Rings round some nodes. @param {Pen} ctx @param {App} app @param {Places} places @param {Iterable<number>} which */
export function ring(ctx, { scene: s, look }, { X, Y }, which) {
	pen(ctx, look.text, 2);
	for (const i of which) circle(ctx, X[i], Y[i], radius(s, i) + 3);
	ctx.stroke();
}

/** Fade what is below. @param {Pen} ctx @param {Look} look @param {number} alpha */
export function veil(ctx, look, alpha) {
	box(ctx, look.background, 0, 0, look.width, look.height, alpha);
	ctx.globalAlpha = 1;
}
