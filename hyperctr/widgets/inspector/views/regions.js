// Regions: the round convex outline of a hyperedge's members. Those that stand far off hang on by an arm, so that one
// stray member does not blow the region up over all others.

import { membersOf } from "../scene.js";

const FAR = 2.6; // times the median distance from the middle

/** Corners of the convex hull, turning to growing angles (monotone chain). @param {number[]} own @param {ArrayLike<number>} x @param {ArrayLike<number>} y */
function hull(own, x, y) {
	const order = [...own].sort((a, b) => x[a] - x[b] || y[a] - y[b]).filter((i, k, all) => !k || x[i] !== x[all[k - 1]] || y[i] !== y[all[k - 1]]);
	if (order.length < 3) return order;
	const half = (list) => {
		const kept = [];
		for (const i of list) {
			while (kept.length > 1) {
				const [a, b] = kept.slice(-2);
				if ((x[b] - x[a]) * (y[i] - y[a]) - (y[b] - y[a]) * (x[i] - x[a]) > 0) break;
				kept.pop();
			}
			kept.push(i);
		}
		return kept.slice(0, -1);
	};
	return [...half(order), ...half(order.reverse())];
}

/**
 * A hyperedge's region, by numbers of nodes: corners, and arms from each stray member to the nearest in the region.
 * @param {Int32Array} own @param {ArrayLike<number>} x @param {ArrayLike<number>} y
 * @returns {Region}
 */
function outline(own, x, y) {
	const middle = (values) => values.sort((a, b) => a - b)[values.length >> 1];
	const list = [...own], cx = middle(list.map((i) => x[i])), cy = middle(list.map((i) => y[i]));
	const away = (i) => Math.hypot(x[i] - cx, y[i] - cy);
	const most = FAR * middle(list.map(away)) + 0.05;
	let core = list.filter((i) => away(i) <= most);
	if (core.length < 2) core = list;
	const arms = list.filter((i) => !core.includes(i)).map((i) => {
		const near = core.reduce((a, b) => (Math.hypot(x[b] - x[i], y[b] - y[i]) < Math.hypot(x[a] - x[i], y[a] - y[i]) ? b : a));
		return /** @type {[number, number]} */ ([i, near]);
	});
	return { corners: hull(core, x, y), arms };
}

/** Region of a hyperedge, in the layout of its own modality. @param {Scene} s @param {number} k @returns {Region} */
export function regionOf(s, k) {
	const at = s.edge_modality[k] * s.n, own = (places) => places.subarray(at, at + s.n);
	return ((s.regions ??= [])[k] ??= outline(membersOf(s, k), own(s.px), own(s.py)));
}

/** The way round a region, `reach` pixels away from its corners. @param {Pen} ctx @param {Region} region @param {Float32Array} X @param {Float32Array} Y @param {number} reach */
export function traceRegion(ctx, { corners }, X, Y, reach) {
	const many = corners.length;
	ctx.beginPath();
	if (many === 1) ctx.arc(X[corners[0]], Y[corners[0]], reach, 0, 2 * Math.PI);
	else
		corners.forEach((i, k) => {
			const before = corners[(k + many - 1) % many], after = corners[(k + 1) % many];
			const come = Math.atan2(Y[i] - Y[before], X[i] - X[before]) - Math.PI / 2, go = Math.atan2(Y[after] - Y[i], X[after] - X[i]) - Math.PI / 2;
			const turn = (go - come + 4 * Math.PI) % (2 * Math.PI);
			if (turn < 3.3) ctx.arc(X[i], Y[i], reach, come, come + turn); // else rounding has dented the line
		});
	ctx.closePath();
}

/** Lines to stray members, for the path in hand. @param {Pen} ctx @param {Region} region @param {Float32Array} X @param {Float32Array} Y */
export function traceArms(ctx, { arms }, X, Y) {
	for (const [a, b] of arms) {
		ctx.moveTo(X[a], Y[a]);
		ctx.lineTo(X[b], Y[b]);
	}
}

/** Whether a point lies in a region. @param {Region} region @param {Float32Array} X @param {Float32Array} Y @param {number} reach @param {number} x @param {number} y */
export function inRegion({ corners }, X, Y, reach, x, y) {
	if (corners.length === 1) return Math.hypot(X[corners[0]] - x, Y[corners[0]] - y) <= reach;
	return corners.every((i, k) => {
		const j = corners[(k + 1) % corners.length], dx = X[j] - X[i], dy = Y[j] - Y[i];
		return ((x - X[i]) * dy - (y - Y[i]) * dx) / (Math.hypot(dx, dy) || 1) <= reach;
	}) && (corners.length > 2 || corners.some((i) => Math.hypot(X[i] - x, Y[i] - y) < Math.hypot(X[corners[0]] - X[corners[1]], Y[corners[0]] - Y[corners[1]]) + reach));
}
