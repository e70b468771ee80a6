// Overlap (UpSet): one bar for each combination of modalities, how many (node, label) pairs lie in exactly these.

import { box, disc, line, pen, write } from "../drawing.js";
import { combinationsOf } from "../scene.js";
import { NOTHING, number, plural } from "../tools.js";

/** Bars and where they stand. @param {App} app */
function frameOf(app) {
	const { look } = app, { scene: s, stats } = app.state;
	const shown = combinationsOf(s);
	const bars = (stats ? stats.overlap : []).map((row) => {
		const mask = row.modalities.reduce((all, name) => all | (1 << s.modalities.indexOf(name)), 0);
		return { mask, total: row.count, shown: shown.get(mask) || { pairs: [], nodes: new Set() } };
	});
	const left = look.width > 520 ? 230 : 112, top = look.inset ? 16 : 52, bottom = look.height - (look.inset ? 22 : 40) - 31 * s.modalities.length;
	const step = Math.min(120, (look.width - left - 24) / Math.max(bars.length, 1));
	return { bars, left, top, bottom, step, most: Math.max(...bars.map((bar) => bar.total), 1) };
}

/** @type {View} */
export const overlap = {
	label: "Overlap",
	movable: false,
	camera: "overlap",
	repaints: true,
	at: (app, { bar }) => {
		const f = frameOf(app);
		return [f.left + (bar + 0.5) * f.step, 60];
	},
	paint(ctx, app) {
		const { look, chosen } = app, { scene: s, stats, hover } = app.state;
		const { bars, left, top, bottom, step, most } = frameOf(app);
		const wide = Math.min(step * 0.66, 64);
		ctx.globalAlpha = 1;
		if (!look.inset) {
			const head = look.width - left < 470 ? 12 : left - 4;
			write(ctx, look, `(${s.node_kind}, ${s.edge_kind}) ${app.about.words.overlap_head}`, head, 16);
			write(ctx, look, app.about.words.overlap_bars, head, 33, "left", look.muted);
		}
		const y = (value) => bottom - ((bottom - top - 16) * value) / most;
		const row = (m) => bottom + 30 + 31 * m;
		s.modalities.forEach((name, m) => {
			if (m % 2 === 0) box(ctx, look.faint, 12, row(m) - 15, look.width - 24, 31);
			const sum = (stats?.modalities || []).find((one) => one.modality === name);
			write(ctx, look, name, left - 26, row(m) - (sum ? 6 : 0), "right", look.text, true);
			if (sum) write(ctx, look, plural(sum.incidences, "pair"), left - 26, row(m) + 7, "right", look.muted);
			box(ctx, look.colours[m], left - 20, row(m) - 9, 5, 18);
		});
		bars.forEach((bar, b) => {
			const x = left + step * (b + 0.5);
			const single = [...s.modalities.keys()].filter((m) => (bar.mask >> m) & 1);
			const stand = (many, alpha) => box(ctx, single.length === 1 ? look.colours[single[0]] : look.joint, x - wide / 2, y(many), wide, bottom - y(many), alpha);
			stand(bar.total, hover.bar === b ? 0.5 : 0.28);
			stand(bar.shown.pairs.length, 1);
			const picked = chosen.size ? bar.shown.pairs.reduce((sum, i) => sum + (chosen.has(i) ? 1 : 0), 0) : 0;
			if (picked) {
				pen(ctx, look.text, 2);
				ctx.rect(x - wide / 2 - 2, y(picked), wide + 4, bottom - y(picked));
				ctx.stroke();
			}
			write(ctx, look, step < 40 ? bar.total.toLocaleString("en-US", { notation: "compact", maximumFractionDigits: step < 30 ? 0 : 1 }) : number(bar.total), x, y(bar.total) - 10, "center", look.text, hover.bar === b);
			line(ctx, look.text, 2, x, row(single[0] ?? 0), x, row(single[single.length - 1] ?? 0));
			s.modalities.forEach((_, m) => {
				const on = (bar.mask >> m) & 1;
				disc(ctx, on ? look.colours[m] : look.background, x, row(m), 6);
				ctx.strokeStyle = on ? look.background : look.grid;
				ctx.lineWidth = 1.2;
				ctx.stroke();
			});
		});
		line(ctx, look.grid, 1, left - 4, bottom + 0.5, look.width - 16, bottom + 0.5);
	},
	pick(app, x, y) {
		const f = frameOf(app), bar = Math.floor((x - f.left) / f.step);
		return { ...NOTHING, bar: bar >= 0 && bar < f.bars.length && y > f.top - 10 ? bar : -1 };
	},
	bars: (app) => frameOf(app).bars.length,
	bar(app, bar) {
		const s = app.scene, { mask, total, shown } = frameOf(app).bars[bar];
		const names = s.modalities.filter((_, m) => (mask >> m) & 1).join(" + ");
		return { words: [names, plural(total, "pair"), `${plural(shown.nodes.size, s.node_kind)} among those shown`], nodes: shown.nodes };
	},
};
