// Colours of nodes, by the values that Python sent.

import { box, disc, font, write } from "./drawing.js";
import { clamp, number, short } from "./tools.js";

const ROW = 19; // pixels between the rows of a legend

/**
 * The number of each node's colour, -1 where nothing is known, and the colours.
 * @param {Scene} s
 * @returns {{tone: Int8Array | null, palette: string[]}}
 */
export function tonesOf(s) {
	if (s.tones) return s.tones;
	const c = s.colouring;
	if (!c) return (s.tones = { tone: null, palette: [] });
	const scale = (v) => (c.log ? Math.log(Math.max(v, 1e-9) / c.low) / Math.log(c.high / c.low) : (v - c.low) / (c.high - c.low));
	const tone = Int8Array.from(s.node_colour, (v) => (Number.isNaN(v) ? -1 : c.kind === "category" ? v : Math.round(clamp(scale(v), 0, 1) * (c.colours.length - 1))));
	return (s.tones = { tone, palette: c.colours });
}

/** The kinds that colours stand for, in as many rows as they take: their words, place and row. @param {Pen} ctx @param {App} app @returns {[string, number, number][]} */
function entriesOf(ctx, { look, scene: { colouring: c } }) {
	font(ctx, look, true);
	const from = 26 + ctx.measureText(c.name).width;
	font(ctx, look);
	let x = from, row = 0;
	return c.labels.map((label) => {
		const words = short(label, 18), wide = 26 + ctx.measureText(words).width;
		if (x + wide > look.width && x > from) [x, row] = [from, row + 1];
		x += wide;
		return [words, x - wide, row];
	});
}

/** Height of the legend under a picture. @param {Pen} ctx @param {App} app */
export const legendHeight = (ctx, app) => (app.scene?.colouring ? 28 + ROW * (entriesOf(ctx, app).at(-1)?.[2] ?? 0) : 0);

/** What the colours of nodes mean, at the bottom. @param {Pen} ctx @param {App} app */
export function drawLegend(ctx, app) {
	const { look } = app, c = app.scene.colouring, y = look.height - look.legend + 14;
	if (!c) return;
	box(ctx, look.background, 0, y - 14, look.width, look.legend);
	write(ctx, look, c.name, 12, y, "left", look.text, true);
	if (c.kind === "number") {
		let x = 26 + ctx.measureText(c.name).width;
		const text = (v) => number(+v.toPrecision(3));
		write(ctx, look, text(c.low), x, y, "left", look.muted);
		x += ctx.measureText(text(c.low)).width + 6;
		c.colours.forEach((colour, k) => box(ctx, colour, x + 5 * k, y - 5, 5.5, 10));
		write(ctx, look, `${text(c.high)}${c.log ? " (logarithmic)" : ""}`, x + 5 * c.colours.length + 6, y, "left", look.muted);
	}
	entriesOf(ctx, app).forEach(([words, x, row], k) => {
		disc(ctx, c.colours[k], x + 4, y + ROW * row, 4.5);
		write(ctx, look, words, x + 12, y + ROW * row);
	});
}

/** Say how large the dots of nodes are. @param {Scene} s @param {string} how `degree`, `colour` (a number that colours them) or `equal` */
export function sizeNodes(s, how) {
	const { tone, palette } = tonesOf(s);
	const weight = { equal: () => 0.4, colour: (i) => (tone && s.colouring.kind === "number" ? Math.max(tone[i], 0) / (palette.length - 1) : 0.4) }[how];
	s.weight = Float32Array.from(s.degree, (d, i) => (weight ? weight(i) : Math.min(Math.sqrt(d), 5) / 5));
}
