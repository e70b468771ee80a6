// Colours of nodes, by the values that Python sent, and tints that tell the hyperedges of one modality apart.

import { circle, write } from "./drawing.js";
import { clamp, number } from "./tools.js";

const SHADES = 24; // shades of a number

/** @param {string} hex @returns {number[]} */
const rgb = (hex) => [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16));

/** A colour between those of a list, at a place from 0 to 1. @param {string[]} colours @param {number} at */
function between(colours, at) {
	const place = clamp(at, 0, 1) * (colours.length - 1), k = Math.min(Math.floor(place), colours.length - 2);
	const a = rgb(colours[k]), b = rgb(colours[k + 1]);
	return `rgb(${a.map((v, c) => Math.round(v + (b[c] - v) * (place - k))).join(",")})`;
}

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
	const kinds = c.kind === "category";
	const tone = Int8Array.from(s.node_colour, (v) => (Number.isNaN(v) ? -1 : kinds ? v : Math.round(clamp(scale(v), 0, 1) * (SHADES - 1))));
	const palette = kinds ? c.colours : Array.from({ length: SHADES }, (_, k) => between(c.colours, k / (SHADES - 1)));
	return (s.tones = { tone, palette });
}

/** Height of the legend's strip under a picture. @param {Scene} s */
export const legendHeight = (s) => (s?.colouring ? 28 : 0);

/** What the colours of nodes mean, in a strip at the bottom. @param {Pen} ctx @param {App} app */
export function drawLegend(ctx, app) {
	const { look } = app, s = app.state.scene, c = s.colouring, y = look.height - 14;
	if (!c) return;
	ctx.globalAlpha = 1;
	ctx.fillStyle = look.background;
	ctx.fillRect(0, look.height - 28, look.width, 28);
	write(ctx, look, c.name, 12, y, "left", look.text, "600 ");
	let x = 12 + ctx.measureText(c.name).width + 14;
	if (c.kind === "number") {
		const text = (v) => number(+v.toPrecision(3));
		write(ctx, look, text(c.low), x, y, "left", look.muted);
		x += ctx.measureText(text(c.low)).width + 6;
		tonesOf(s).palette.forEach((colour, k) => {
			ctx.fillStyle = colour;
			ctx.fillRect(x + 5 * k, y - 5, 5.5, 10);
		});
		write(ctx, look, `${text(c.high)}${c.log ? " (logarithmic)" : ""}`, x + 5 * SHADES + 6, y, "left", look.muted);
		return;
	}
	const room = look.width - 130; // the buttons to zoom stand at the right
	for (const [k, name] of c.labels.entries()) {
		const words = name.length > 18 ? name.slice(0, 17) + "…" : name;
		if (x + 14 + ctx.measureText(words).width > room) return write(ctx, look, `… ${c.labels.length - k} more`, x, y, "left", look.muted);
		ctx.fillStyle = c.colours[k];
		ctx.beginPath();
		circle(ctx, x + 4, y, 4.5);
		ctx.fill();
		write(ctx, look, words, x + 12, y, "left", look.text);
		x += 12 + ctx.measureText(words).width + 14;
	}
}

/** @param {string} hex @returns {[number, number, number]} hue, saturation, lightness, from 0 to 1 */
function hsl(hex) {
	const [r, g, b] = rgb(hex).map((v) => v / 255), high = Math.max(r, g, b), low = Math.min(r, g, b), d = high - low;
	const l = (high + low) / 2, sat = d ? d / (1 - Math.abs(2 * l - 1)) : 0;
	const hue = !d ? 0 : high === r ? (((g - b) / d + 6) % 6) / 6 : high === g ? ((b - r) / d + 2) / 6 : ((r - g) / d + 4) / 6;
	return [hue, sat, l];
}

/** One of the tints of a modality's colour, so that neighbours in a list differ. @param {string} hex @param {number} rank */
export function tint(hex, rank) {
	const [hue, sat, l] = hsl(hex), turn = [0, 0.03, -0.03, 0.015, -0.015][rank % 5], light = [0, 0.1, -0.09, 0.17][(rank * 3) % 4];
	return `hsl(${Math.round((hue + turn + 1) * 360) % 360}, ${Math.round(clamp(sat, 0.35, 0.95) * 100)}%, ${Math.round(clamp(l + light, 0.24, 0.66) * 100)}%)`;
}

/** Say how large the dots of nodes are. @param {Scene} s @param {string} how `degree`, `colour` (a number that colours them) or `equal` */
export function sizeNodes(s, how) {
	const { tone, palette } = tonesOf(s);
	const weight = { equal: () => 0.4, colour: (i) => (tone && s.colouring.kind === "number" ? Math.max(tone[i], 0) / (palette.length - 1) : 0.4) }[how];
	s.weight = Float32Array.from(s.degree, (d, i) => (weight ? weight(i) : Math.min(Math.sqrt(d), 5) / 5));
}
