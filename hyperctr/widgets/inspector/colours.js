// Colours of nodes, by the values that Python sent.

import { box, disc, write } from "./drawing.js";
import { clamp, number, short } from "./tools.js";

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

/** Height of the legend's strip under a picture. @param {Scene} s */
export const legendHeight = (s) => (s?.colouring ? 28 : 0);

/** What the colours of nodes mean, in a strip at the bottom. @param {Pen} ctx @param {App} app */
export function drawLegend(ctx, app) {
	const { look } = app, s = app.scene, c = s.colouring, y = look.height - 14;
	if (!c) return;
	box(ctx, look.background, 0, look.height - 28, look.width, 28);
	write(ctx, look, c.name, 12, y, "left", look.text, "600 ");
	let x = 12 + ctx.measureText(c.name).width + 14;
	if (c.kind === "number") {
		const text = (v) => number(+v.toPrecision(3));
		write(ctx, look, text(c.low), x, y, "left", look.muted);
		x += ctx.measureText(text(c.low)).width + 6;
		c.colours.forEach((colour, k) => box(ctx, colour, x + 5 * k, y - 5, 5.5, 10));
		write(ctx, look, `${text(c.high)}${c.log ? " (logarithmic)" : ""}`, x + 5 * c.colours.length + 6, y, "left", look.muted);
		return;
	}
	const room = look.width - 130; // the buttons to zoom stand at the right
	for (const [k, name] of c.labels.entries()) {
		const words = short(name, 18);
		if (x + 14 + ctx.measureText(words).width > room) return write(ctx, look, `… ${c.labels.length - k} more`, x, y, "left", look.muted);
		disc(ctx, c.colours[k], x + 4, y, 4.5);
		write(ctx, look, words, x + 12, y, "left", look.text);
		x += 12 + ctx.measureText(words).width + 14;
	}
}

/** Say how large the dots of nodes are. @param {Scene} s @param {string} how `degree`, `colour` (a number that colours them) or `equal` */
export function sizeNodes(s, how) {
	const { tone, palette } = tonesOf(s);
	const weight = { equal: () => 0.4, colour: (i) => (tone && s.colouring.kind === "number" ? Math.max(tone[i], 0) / (palette.length - 1) : 0.4) }[how];
	s.weight = Float32Array.from(s.degree, (d, i) => (weight ? weight(i) : Math.min(Math.sqrt(d), 5) / 5));
}
