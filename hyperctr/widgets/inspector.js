// The hypergraph inspector: draws scenes that Python sends, answers pointer and keyboard. No build step, nothing fetched.
// All state lives inside render(), so inspectors do not meet. Settings are traits; scenes come as messages with buffers.

const VIEWS = { outlines: "Outlines", bipartite: "Bipartite", incidence: "Incidence", overlap: "Overlap", difference: "Difference" };
const MAPS = ["outlines", "bipartite", "difference"]; // views that show nodes at places, to be moved, zoomed and named
const KIND = { f4: Float32Array, i4: Int32Array, u1: Uint8Array };
const TAU = 2 * Math.PI;
const NOTHING = { node: -1, edge: -1, bar: -1 };

const number = (value) => value.toLocaleString("en-US");
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const plural = (many, word) => `${number(many)} ${word}${many === 1 ? "" : "s"}`;
const short = (text, most = 28) => (text.length > most ? text.slice(0, most - 1).trimEnd() + "…" : text);

/** Make an element. */
function h(tag, props = {}, ...children) {
	const made = document.createElement(tag);
	made.dataset.lmSuppressShortcuts = ""; // else JupyterLab takes its keys
	for (const [key, value] of Object.entries(props)) {
		if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
		else if (value !== false && value != null) made.setAttribute(key, value === true ? "" : value);
	}
	made.append(...children.flat().filter((child) => child != null));
	return made;
}

// ---- scenes

/** Turn a header and buffers into a scene: typed arrays, who lies on what, outlines, orders. */
function unpack(header, buffers) {
	const s = { ...header };
	header.buffers.forEach((part, k) => {
		const view = buffers[k];
		const bytes = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
		s[part.name] = new KIND[part.dtype](bytes);
	});
	const n = (s.n = s.nodes.length);
	const e = (s.e = s.edge_labels.length);
	const { edge_offsets: offsets, edge_nodes: members, x, y } = s;
	s.index = new Map(s.nodes.map((id, i) => [id, i]));
	const start = (s.nodeStart = new Int32Array(n + 1));
	for (const i of members) start[i + 1]++;
	for (let i = 0; i < n; i++) start[i + 1] += start[i];
	const at = start.slice();
	s.nodeEdges = new Int32Array(members.length);
	s.ex = new Float32Array(e);
	s.ey = new Float32Array(e);
	s.outline = new Array(e);
	for (let k = 0; k < e; k++) {
		const own = members.subarray(offsets[k], offsets[k + 1]);
		for (const i of own) {
			s.nodeEdges[at[i]++] = k;
			s.ex[k] += x[i] / own.length;
			s.ey[k] += y[i] / own.length;
		}
		s.outline[k] = tree(own, x, y);
	}
	s.sizeOrder = Int32Array.from({ length: e }, (_, k) => k).sort((a, b) => size(s, b) - size(s, a) || a - b);
	s.degreeOrder = Int32Array.from({ length: n }, (_, i) => i).sort((a, b) => s.degree[b] - s.degree[a] || a - b);
	return s;
}

const size = (s, k) => s.edge_offsets[k + 1] - s.edge_offsets[k];
const membersOf = (s, k) => s.edge_nodes.subarray(s.edge_offsets[k], s.edge_offsets[k + 1]);
const edgesOf = (s, i) => s.nodeEdges.subarray(s.nodeStart[i], s.nodeStart[i + 1]);

/** The shortest tree that joins some points (Prim), as pairs of them: [a, b, c, d, ...] has the edges ab and cd. */
function tree(own, x, y) {
	const far = new Float32Array(own.length).fill(Infinity), from = new Int32Array(own.length), pairs = [];
	for (let now = 0, left = own.length - 1; left > 0; left--) {
		far[now] = -1; // joined
		let next = -1;
		for (let k = 0; k < own.length; k++) {
			if (far[k] < 0) continue;
			const away = (x[own[k]] - x[own[now]]) ** 2 + (y[own[k]] - y[own[now]]) ** 2;
			if (away < far[k]) [far[k], from[k]] = [away, now];
			if (next < 0 || far[k] < far[next]) next = k;
		}
		pairs.push(own[from[next]], own[next]);
		now = next;
	}
	return pairs;
}

/** Places of nodes and hyperedges in two columns, neighbours side by side. */
function columns(s) {
	if (s.columns) return s.columns;
	const even = (order) => {
		const place = new Float32Array(order.length);
		order.forEach((one, rank) => (place[one] = (2 * (rank + 0.5)) / order.length - 1));
		return place;
	};
	const by = (length, key) => Array.from({ length }, (_, i) => i).sort((a, b) => key(a) - key(b) || a - b);
	const py = even(by(s.n, (i) => s.y[i]));
	const mean = Array.from({ length: s.e }, (_, k) => {
		let sum = 0;
		for (const i of membersOf(s, k)) sum += py[i];
		return sum / size(s, k);
	});
	const ey = even(by(s.e, (k) => s.edge_modality[k] * 4 + mean[k]));
	s.columns = { x: new Float32Array(s.n).fill(-0.68), y: py, ex: new Float32Array(s.e).fill(0.45), ey };
	return s.columns;
}

/** The (node, label) pairs of each combination of modalities. */
function combinations(s) {
	if (s.combinations) return s.combinations;
	const labels = new Map();
	const code = new Map();
	for (let k = 0; k < s.e; k++) {
		if (!labels.has(s.edge_labels[k])) labels.set(s.edge_labels[k], labels.size);
		const base = labels.get(s.edge_labels[k]) * s.n;
		for (const i of membersOf(s, k)) code.set(base + i, (code.get(base + i) || 0) | (1 << s.edge_modality[k]));
	}
	const found = new Map();
	for (const [pair, mask] of code) {
		if (!found.has(mask)) found.set(mask, { pairs: [], nodes: new Set() });
		found.get(mask).pairs.push(pair % s.n);
		found.get(mask).nodes.add(pair % s.n);
	}
	s.combinations = found;
	return found;
}

// ---- drawing

/** Text with a rim; skipped where it would hit another. */
function label(ctx, look, taken, text, x, y, { bold = false, align = "center", force = false, most = 1e9 } = {}) {
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

/** Plain text. */
function write(ctx, look, words, x, y, align, colour, bold = "") {
	ctx.font = `${bold}11.5px ${look.font}`;
	ctx.textAlign = align;
	ctx.textBaseline = "middle";
	ctx.fillStyle = colour;
	ctx.fillText(words, x, y);
}

/** Begin a path of one colour and width. */
function pen(ctx, colour, width, alpha = 1) {
	ctx.strokeStyle = colour;
	ctx.lineWidth = width;
	ctx.globalAlpha = alpha;
	ctx.beginPath();
}

function circle(ctx, x, y, r) {
	ctx.moveTo(x + r, y);
	ctx.arc(x, y, r, 0, TAU);
}

function radius(s, i) {
	const base = s.n > 4000 ? 0.9 : s.n > 1200 ? 1.5 : s.n > 300 ? 2.2 : 3.2;
	return base * (1 + 0.28 * Math.min(Math.sqrt(s.degree[i]), 5));
}

function drawNodes(ctx, s, X, Y, look, which = null, grow = 0, most = 99) {
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

function follow(ctx, pairs, X, Y) {
	for (let k = 0; k < pairs.length; k += 2) {
		ctx.moveTo(X[pairs[k]], Y[pairs[k]]);
		ctx.lineTo(X[pairs[k + 1]], Y[pairs[k + 1]]);
	}
}

const reach = (s, k) => (s.e > 60 ? 2.5 : 5) + (s.edge_modality[k] % 4) * 2; // pixels around a member; modalities do not hide each other

/** A hyperedge's outline, along the tree of its members. */
function drawOutline(ctx, s, { X, Y }, k, colour, fill, line, width, look) {
	ctx.beginPath();
	follow(ctx, s.outline[k], X, Y);
	ctx.lineCap = ctx.lineJoin = "round";
	const wide = 2 * reach(s, k);
	for (const [style, alpha, w] of [[colour, line, wide], [look.background, fill ? 0.9 : 1, wide - 2 * width], [colour, fill, wide - 2 * width]]) {
		ctx.strokeStyle = style;
		ctx.globalAlpha = style === colour ? Math.min(alpha * look.strong, 1) : alpha;
		ctx.lineWidth = w;
		ctx.stroke();
	}
}

/** All outlines; thousands of them are drawn plainly, one path for each modality. */
function drawOutlines(ctx, s, at, look) {
	const { X, Y } = at;
	if (s.e > 300) {
		look.colours.forEach((colour, m) => {
			pen(ctx, colour, 0.8, 0.3 * look.strong);
			for (let k = 0; k < s.e; k++) if (s.edge_modality[k] === m) follow(ctx, s.outline[k], X, Y);
			ctx.stroke();
		});
		return;
	}
	const line = clamp(6 / Math.sqrt(s.e + 1), 0.28, 0.85);
	for (let m = look.colours.length - 1; m >= 0; m--) for (const k of s.sizeOrder) if (s.edge_modality[k] === m) drawOutline(ctx, s, at, k, look.colours[m], 0.22, line, 1.3, look);
}

function drawLinks(ctx, s, X, Y, EX, EY, look, which = null, alpha = 0) {
	const links = s.edge_nodes.length;
	const dense = Math.min((alpha || clamp(14 / Math.sqrt(links + 1), 0.05, 0.5)) * look.strong, 1);
	for (let m = 0; m < look.colours.length; m++) {
		pen(ctx, look.colours[m], links > 2000 && !which ? 0.7 : 1.1, dense);
		for (const k of which || s.sizeOrder) {
			if (s.edge_modality[k] !== m) continue;
			for (const i of membersOf(s, k)) {
				const middle = (X[i] + EX[k]) / 2;
				ctx.moveTo(X[i], Y[i]);
				ctx.bezierCurveTo(middle, Y[i], middle, EY[k], EX[k], EY[k]);
			}
		}
		ctx.stroke();
	}
}

function drawSquares(ctx, s, EX, EY, look, which = null, grow = 0) {
	const half = (s.e > 400 ? 2 : s.e > 100 ? 3.2 : 5) + grow;
	ctx.globalAlpha = 1;
	for (const k of which || s.sizeOrder) {
		ctx.fillStyle = look.colours[s.edge_modality[k]];
		ctx.fillRect(EX[k] - half, EY[k] - half, 2 * half, 2 * half);
	}
}

/** Labels left of nodes and right of hyperedges, as many as fit. */
function columnLabels(ctx, s, X, Y, EX, EY, look, taken) {
	for (const i of s.degreeOrder) {
		if (taken.length > 120) break;
		if (Y[i] > 24) label(ctx, look, taken, short(s.titles[i]), X[i] - 12, Y[i], { align: "right" });
	}
	const most = taken.length + 120;
	for (const k of s.sizeOrder) {
		if (taken.length > most) break;
		if (EY[k] > 24) label(ctx, look, taken, s.edge_titles[k], EX[k] + 12, EY[k], { align: "left", most: look.width - EX[k] - 18 });
	}
}

function incidenceFrame(s, look, order) {
	if (!s.frames) s.frames = {};
	if (!s.frames[order]) {
		const list = (length) => Array.from({ length }, (_, i) => i);
		const bySize = order === "size";
		const rows = list(s.e).sort((a, b) => s.edge_modality[a] - s.edge_modality[b] ||
			(bySize ? size(s, b) - size(s, a) : s.ex[a] - s.ex[b]) || a - b);
		const cols = list(s.n).sort((a, b) => (bySize ? s.degree[b] - s.degree[a] : 0) || s.x[a] - s.x[b] || a - b);
		const inverse = (from) => from.reduce((to, one, rank) => ((to[one] = rank), to), new Int32Array(from.length));
		s.frames[order] = { rows, cols, rowOf: inverse(rows), colOf: inverse(cols) };
	}
	const top = 34, bottom = 30, right = 14;
	const high = (look.height - top - bottom) / Math.max(s.e, 1);
	const left = look.width > 700 ? 238 : look.width > 520 ? 190 : 90;
	return { ...s.frames[order], left, top, high: Math.min(high, 26), wide: Math.min((look.width - left - right) / Math.max(s.n, 1), 26) };
}

function drawIncidence(ctx, s, look, frame, which = null) {
	const { left, top, high, wide, rows, rowOf, colOf } = frame;
	const gapX = wide > 4 ? 1 : 0, gapY = high > 4 ? 1 : 0;
	ctx.globalAlpha = 1;
	if (!which) {
		ctx.fillStyle = look.faint;
		ctx.fillRect(left, top, wide * s.n, high * s.e);
	}
	for (const k of which ? which.edges : rows) {
		ctx.fillStyle = look.colours[s.edge_modality[k]];
		const y = top + rowOf[k] * high;
		for (const i of membersOf(s, k))
			if (!which || !which.nodes || which.nodes.has(i))
				ctx.fillRect(left + colOf[i] * wide, y, Math.max(wide - gapX, 0.7), Math.max(high - gapY, 0.7));
		if (!which) ctx.fillRect(left - 7, y, 4, Math.max(high - gapY, 0.7));
	}
	if (which) return;
	write(ctx, look, `${plural(s.n, s.node_kind)} →`, left, top - 16, "left", look.muted);
	const taken = [];
	for (const k of rows) {
		const y = top + (rowOf[k] + 0.5) * high;
		if (y > 12) label(ctx, look, taken, s.edge_titles[k], left - 12, y, { align: "right", most: left - 18 });
	}
	if (wide > 13)
		for (const i of frame.cols.slice(0, 400))
			label(ctx, look, taken, short(String(s.nodes[i]), 8), left + (colOf[i] + 0.5) * wide, top + s.e * high + 12);
}

/** Geometry of the UpSet picture: one bar for each combination of modalities. */
function upsetFrame(s, stats, look) {
	const names = s.modalities;
	const shown = combinations(s);
	const bars = (stats ? stats.overlap : []).map((row) => {
		const mask = row.modalities.reduce((all, name) => all | (1 << names.indexOf(name)), 0);
		return { mask, total: row.count, shown: shown.get(mask) || { pairs: [], nodes: new Set() } };
	});
	const left = look.width > 520 ? 230 : 120, top = 52, bottom = look.height - 40 - 31 * names.length;
	const step = Math.min(72, (look.width - left - 24) / Math.max(bars.length, 1));
	return { bars, left, top, bottom, step, most: Math.max(...bars.map((bar) => bar.total), 1) };
}

function drawUpset(ctx, s, stats, look, chosen, hovered) {
	const { bars, left, top, bottom, step, most } = upsetFrame(s, stats, look);
	const wide = Math.min(step * 0.66, 44);
	const text = (words, x, y, align = "left", colour = look.text, bold = "") => write(ctx, look, words, x, y, align, colour, bold);
	ctx.globalAlpha = 1;
	text(`(${s.node_kind}, ${s.edge_kind}) pairs that lie on a hyperedge in exactly these modalities`, left - 4, 16);
	text("pale: the whole hypergraph · full: the hyperedges shown · outlined: selected", left - 4, 33, "left", look.muted);
	const y = (value) => bottom - ((bottom - top - 16) * value) / most;
	const row = (m) => bottom + 30 + 31 * m;
	s.modalities.forEach((name, m) => {
		ctx.fillStyle = look.faint;
		if (m % 2 === 0) ctx.fillRect(12, row(m) - 15, look.width - 24, 31);
		const sum = (stats?.modalities || []).find((one) => one.modality === name);
		text(name, left - 26, row(m) - (sum ? 6 : 0), "right", look.text, "600 ");
		if (sum) text(plural(sum.incidences, "pair"), left - 26, row(m) + 7, "right", look.muted);
		ctx.fillStyle = look.colours[m];
		ctx.fillRect(left - 20, row(m) - 9, 5, 18);
	});
	bars.forEach((bar, b) => {
		const x = left + step * (b + 0.5);
		const single = s.modalities.map((_, m) => m).filter((m) => bar.mask >> m & 1);
		const colour = single.length === 1 ? look.colours[single[0]] : look.joint;
		ctx.fillStyle = colour;
		ctx.globalAlpha = hovered === b ? 0.5 : 0.28;
		ctx.fillRect(x - wide / 2, y(bar.total), wide, bottom - y(bar.total));
		ctx.globalAlpha = 1;
		ctx.fillRect(x - wide / 2, y(bar.shown.pairs.length), wide, bottom - y(bar.shown.pairs.length));
		const picked = chosen.size ? bar.shown.pairs.reduce((sum, i) => sum + chosen.has(i), 0) : 0;
		if (picked) {
			pen(ctx, look.text, 2);
			ctx.rect(x - wide / 2 - 2, y(picked), wide + 4, bottom - y(picked));
			ctx.stroke();
		}
		text(number(bar.total), x, y(bar.total) - 10, "center", look.text, hovered === b ? "600 " : "");
		pen(ctx, look.text, 2);
		ctx.moveTo(x, row(single[0] ?? 0));
		ctx.lineTo(x, row(single[single.length - 1] ?? 0));
		ctx.stroke();
		s.modalities.forEach((_, m) => {
			ctx.beginPath();
			ctx.arc(x, row(m), 6, 0, TAU);
			ctx.fillStyle = bar.mask >> m & 1 ? look.colours[m] : look.background;
			ctx.fill();
			ctx.strokeStyle = bar.mask >> m & 1 ? look.background : look.grid;
			ctx.lineWidth = 1.2;
			ctx.stroke();
		});
	});
	pen(ctx, look.grid, 1);
	ctx.moveTo(left - 4, bottom + 0.5);
	ctx.lineTo(look.width - 16, bottom + 0.5);
	ctx.stroke();
}

/** Grey: in both; hollow: only in the other; filled: only here. */
function drawDifference(ctx, s, places, look) {
	for (const mark of [0, 2, 1])
		for (const k of s.sizeOrder)
			if (s.marks[k] === mark) drawOutline(ctx, s, places, k, mark ? look.colours[s.edge_modality[k]] : look.muted, [0.1, 0.25, 0][mark], mark ? 0.9 : 0.35, [1, 1.5, 1.7][mark], look);
	drawNodes(ctx, s, places.X, places.Y, look);
}

// ---- the widget

function render({ model, el }) {
	const uid = "hctr" + Math.random().toString(36).slice(2); // each widget loads this module anew
	const about = model.get("about");
	const colours = about.colours;
	const state = { scene: null, stats: null, hover: NOTHING, sort: "size",
		playing: false, tab: "selection", times: {}, cameras: {}, changed: 0, said: "",
		quiet: 9000 }; // ms without an answer until the reader is told what to do
	const chosen = new Set(); // positions in the scene of the selected ids
	const cleanups = [];
	const get = (name) => model.get(name);
	const set = (changes) => {
		for (const [name, value] of Object.entries(changes)) model.set(name, value);
		state.changed = performance.now();
		try { model.save_changes(); } catch { lost(); }
		sync();
		ask({ type: "ping" }); // answered after what was changed
	};
	const ask = (message) => {
		state.timer ??= setTimeout(lost, state.quiet);
		try { model.send(message); } catch { lost(); }
	};
	const own = () => state.scene ? state.scene.node_kind : "user";

	// ---- elements
	const base = h("canvas", { class: "hc-base", "aria-hidden": "true" });
	const over = h("canvas", { class: "hc-over", tabindex: "0", role: "application", "aria-describedby": uid + "keys",
		"aria-label": about.words.keys });
	const tip = h("div", { class: "hc-tip", hidden: true });
	const banner = h("div", { class: "hc-banner", role: "alert", hidden: true });
	const spoken = h("div", { class: "hc-spoken", "aria-live": "polite" });
	const hint = h("span", { class: "hc-hint", id: uid + "keys" });
	const ruleText = h("span", { class: "hc-rule", role: "status" }, "waiting for the kernel…");
	const button = (text, act, props = {}) => h("button", { type: "button", onclick: act, ...props }, text);
	const choice = (name, options, pick) => h("div", { class: "hc-group", role: "group", "aria-label": name },
		Object.entries(options).map(([key, text]) => button(text, () => pick(key), { "data-key": key })));
	const views = choice("view", VIEWS, (view) => set({ view }));
	const sides = choice("hypergraph", { user: "User hypergraph", item: "Item hypergraph" }, (side) => set({ side, focus: null }));
	const swap = button("⇄ Swap roles", () => set({ swap: !get("swap"), focus: null }), { title: "Nodes become hyperedges and hyperedges nodes" });
	const range = (name, max, step, act) => h("input", { type: "range", min: 0, max, step, id: uid + name, "data-key": name, oninput: (e) => act(+e.target.value) });
	const field = (name, text, ...kids) => h("div", { class: "hc-field" }, h("label", { for: uid + name }, text), ...kids);
	const last = about.slots.length - 1;
	const slot = range("slot", last, 1, (value) => set({ slot: value }));
	const slotText = h("output", {});
	const play = button("▶", () => playing(!state.playing), { disabled: !last, class: "hc-play", "aria-label": "play the slots", title: "Play" });
	const delta = range("delta", 1, 0.01, (value) => set({ delta: value }));
	const deltaText = h("output", {});
	const select = (name, values, act) => h("select", { id: uid + name, "data-key": name, onchange: (e) => act(+e.target.value) },
		values.map(([value, text]) => h("option", { value }, text)));
	const neighbours = select("neighbours", [[0, "all"], ...[2, 5, 10, 20, 50, 100].map((v) => [v, v])], (v) => set({ neighbours: v }));
	const limit = select("limit", [15, 30, 60, 150, 300, 1000, 5000, 20000].map((v) => [v, number(v)]), (v) => set({ limit: v }));
	const chips = h("div", { class: "hc-chips", role: "group", "aria-label": "modalities" }, about.modalities.map((name, m) =>
		button([h("i", { style: `background:${colours[m]}` }), name], () => toggle("modalities", name), { class: "hc-chip", "data-key": name })));
	const search = h("input", { type: "search", id: uid + "query", "data-key": "query", placeholder: "user, item or title",
		oninput: () => { clearTimeout(state.typed); state.typed = setTimeout(() => set({ query: search.value.trim() }), 200); } });
	const found = h("ul", { class: "hc-found", hidden: true });
	const focusChip = button("", () => set({ focus: null }), { class: "hc-focus", title: "Show everything again" });
	const sort = h("select", { id: uid + "sort", "aria-label": "order of the matrix", onchange: (e) => { state.sort = e.target.value; redraw(); } },
		[["size", "largest first"], ["place", "alike together"]].map(([value, text]) => h("option", { value }, text)));
	const compareSlot = select("compare_slot", about.slots.map((text, k) => [k, text]), (v) => set({ compare_slot: v }));
	const compareDelta = range("compare_delta", 1, 0.01, (v) => set({ compare_delta: v }));
	const compareText = h("output", {});
	const extra = { incidence: h("div", { class: "hc-extra" }, field("sort", "Order", sort)),
		difference: h("div", { class: "hc-extra" }, field("compare_slot", "Against slot", compareSlot), field("compare_delta", "and δ", compareDelta, compareText)) };
	const zoom = h("div", { class: "hc-zoom" }, button("+", () => zoomBy(1.4), { "aria-label": "zoom in" }),
		button("−", () => zoomBy(1 / 1.4), { "aria-label": "zoom out" }), button("⤢", () => fit(), { "aria-label": "fit", title: "Fit" }));
	const stage = h("div", { class: "hc-stage" }, base, over, zoom, tip, banner);
	const saves = h("div", { class: "hc-group", role: "group", "aria-label": "export" },
		["png", "csv", "hif"].map((kind) => button(kind.toUpperCase(), () => save(kind), { "data-key": kind, title: about.words[kind] })));
	const TABS = { selection: "Selection", user: "User", why: "Why", numbers: "Numbers" };
	const tabs = h("div", { class: "hc-tabs", role: "tablist" }, Object.entries(TABS).map(([key, text]) =>
		button(text, () => showTab(key), { role: "tab", "data-key": key, id: uid + key, "aria-controls": uid + key + "p" })));
	const panels = Object.fromEntries(Object.keys(TABS).map((key) => [key,
		h("div", { class: "hc-panel", role: "tabpanel", id: uid + key + "p", "aria-labelledby": uid + key, "data-key": key })]));
	const aside = h("div", { class: "hc-aside" }, tabs, Object.values(panels));
	const root = h("div", { class: "hctr" },
		h("div", { class: "hc-bar" }, views, sides, swap, h("span", { class: "hc-gap" }), saves),
		h("div", { class: "hc-controls" },
			field("slot", "Slot", play, slot, slotText), chips, field("delta", "δ", delta, deltaText),
			field("neighbours", "Neighbours", neighbours), field("limit", "Show", limit),
			h("div", { class: "hc-field hc-search" }, h("label", { for: uid + "query" }, "Find"), search, found), focusChip,
			extra.incidence, extra.difference),
		h("div", { class: "hc-body" }, stage, aside),
		h("div", { class: "hc-foot" }, ruleText, hint), spoken);
	el.append(root);

	const away = h("p", { class: "hc-none", "data-key": "away" }), listed = h("div");
	panels.selection.append(away, listed);
	const whyUser = h("input", { id: uid + "wu", "data-key": "user", placeholder: "user id", oninput: () => dim() });
	const whyItem = h("input", { id: uid + "wi", "data-key": "item", placeholder: "item id", oninput: () => dim() });
	const whyOut = h("div", { class: "hc-why" });
	panels.why.append(h("div", { class: "hc-pair", onkeydown: (e) => e.key === "Enter" && explain() },
		h("label", { for: uid + "wu" }, "User", whyUser), h("label", { for: uid + "wi" }, "Item", whyItem),
		button("Explain", explain, { class: "hc-main" })), whyOut);

	// ---- settings to elements
	const press = (group, key) => { for (const b of group.children) b.setAttribute("aria-pressed", String(b.dataset.key === key)); };
	function sync() {
		press(views, get("view"));
		press(sides, get("side"));
		swap.setAttribute("aria-pressed", String(get("swap")));
		for (const b of chips.children) b.setAttribute("aria-pressed", String(get("modalities").includes(b.dataset.key)));
		slot.value = get("slot");
		slotText.value = about.slots[get("slot")];
		slot.setAttribute("aria-valuetext", slotText.value);
		delta.value = get("delta");
		deltaText.value = get("delta").toFixed(2);
		for (const [element, value] of [[neighbours, get("neighbours")], [limit, get("limit")]]) {
			if (![...element.options].some((o) => +o.value === value)) element.append(h("option", { value }, number(value)));
			element.value = value;
		}
		if (root.ownerDocument.activeElement !== search) search.value = get("query");
		found.hidden = !get("query");
		const focus = get("focus");
		focusChip.hidden = !focus;
		focusChip.textContent = `around ${state.scene?.around || "…"}  ×`;
		extra.incidence.hidden = get("view") !== "incidence";
		extra.difference.hidden = get("view") !== "difference";
		const against = get("compare_slot") ?? (get("slot") ? get("slot") - 1 : Math.min(1, last));
		compareSlot.value = against;
		compareDelta.value = get("compare_delta") ?? get("delta");
		compareText.value = (+compareDelta.value).toFixed(2);
		hint.textContent = about.words[get("view")] || about.words.hint;
		zoom.hidden = !movable();
		root.dataset.view = get("view");
	}
	const movable = () => MAPS.includes(get("view"));
	function toggle(trait, name) {
		const now = get(trait);
		const next = now.includes(name) ? now.filter((one) => one !== name) : [...now, name];
		set({ [trait]: trait === "modalities" ? about.modalities.filter((one) => next.includes(one)) : next });
	}
	function playing(on) {
		state.playing = on;
		play.textContent = on ? "❚❚" : "▶";
		play.setAttribute("aria-label", on ? "pause" : "play the slots");
		clearTimeout(state.next);
		if (on) set({ slot: get("slot") >= last ? 0 : get("slot") + 1 });
	}
	function showTab(key) {
		state.tab = key;
		for (const b of tabs.children) {
			b.setAttribute("aria-selected", String(b.dataset.key === key));
			b.tabIndex = b.dataset.key === key ? 0 : -1;
		}
		for (const [name, panel] of Object.entries(panels)) panel.hidden = name !== key;
	}
	tabs.addEventListener("keydown", (e) => {
		const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
		if (!step) return;
		const keys = Object.keys(TABS);
		showTab(keys[(keys.indexOf(state.tab) + step + keys.length) % keys.length]);
		root.ownerDocument.getElementById(uid + state.tab)?.focus();
	});

	// ---- looks, sizes, places
	let look = null;
	function readLook() {
		const style = getComputedStyle(root);
		const css = (name) => style.getPropertyValue(name).trim();
		look = { width: stage.clientWidth, height: stage.clientHeight, font: style.fontFamily, background: css("--hc-bg"), text: css("--hc-text"),
			muted: css("--hc-muted"), node: css("--hc-node"), faint: css("--hc-faint"), grid: css("--hc-grid"), joint: about.joint, colours, strong: +css("--hc-strong") };
	}
	const camera = () => (state.cameras[get("view") === "bipartite" ? "bipartite" : "map"] ??= { k: 1, x: 0, y: 0 });
	let placed = null; // screen places of the scene in this view
	function screen(x, y, cam) {
		const a = (look.width / 2 - 34) * cam.k, b = (look.height / 2 - 34) * cam.k;
		const cx = look.width / 2 + cam.x, cy = look.height / 2 + cam.y;
		const X = new Float32Array(x.length), Y = new Float32Array(y.length);
		for (let i = 0; i < x.length; i++) {
			X[i] = cx + a * x[i];
			Y[i] = cy + b * y[i];
		}
		return { X, Y };
	}
	const crowd = () => Math.max((look.height * camera().k) / state.scene.n / 1.6, 1); // room for a node in its column
	function place() {
		const s = state.scene, cam = camera();
		const at = get("view") === "bipartite" ? columns(s) : s;
		placed = screen(at.x, at.y, cam);
		Object.assign(placed, Object.fromEntries(Object.entries(screen(at.ex, at.ey, cam)).map(([k, v]) => ["E" + k, v])));
	}

	function paint(ctx) {
		const s = state.scene, view = get("view");
		ctx.setLineDash([]);
		ctx.clearRect(0, 0, look.width, look.height);
		if (!s) return;
		if (view === "incidence") return drawIncidence(ctx, s, look, incidenceFrame(s, look, state.sort));
		if (view === "overlap") return drawUpset(ctx, s, state.stats, look, chosen, state.hover.bar);
		if (view === "difference" && s.marks) drawDifference(ctx, s, placed, look);
		else if (view === "bipartite") {
			drawLinks(ctx, s, placed.X, placed.Y, placed.EX, placed.EY, look);
			drawSquares(ctx, s, placed.EX, placed.EY, look);
			drawNodes(ctx, s, placed.X, placed.Y, look, null, 0, crowd());
		} else {
			drawOutlines(ctx, s, placed, look);
			drawNodes(ctx, s, placed.X, placed.Y, look);
		}
	}
	/** Names in the upper canvas, round those the highlight has written: taken. */
	function names(ctx, s, taken = [], shade = look) {
		if (get("view") !== "bipartite") return mapLabels(ctx, s, taken, shade);
		const cam = camera();
		[[-0.68, `${plural(s.n, s.node_kind)} (nodes)`], [0.45, `${plural(s.e, s.edge_kind + " hyperedge")}`]].forEach(([x, words]) =>
			label(ctx, look, taken, words, look.width / 2 + cam.x + (look.width / 2 - 34) * cam.k * x, 12, { bold: true }));
		columnLabels(ctx, s, placed.X, placed.Y, placed.EX, placed.EY, shade, taken);
	}
	/** Name the nodes on most hyperedges, and as many more as there is room for when few are in sight. */
	function mapLabels(ctx, s, taken, look) {
		const inside = [];
		for (const i of s.degreeOrder) {
			if (placed.X[i] > 0 && placed.X[i] < look.width && placed.Y[i] > 0 && placed.Y[i] < look.height) inside.push(i);
			if (inside.length > 200) break;
		}
		const room = taken.length + (inside.length > 80 ? 10 : 26);
		for (const i of inside) {
			if (taken.length >= room) break;
			label(ctx, look, taken, short(s.titles[i], 24), placed.X[i], placed.Y[i] - radius(s, i) - 9);
		}
	}
	function size2(canvas, ratio = globalThis.devicePixelRatio || 1) {
		const [w, height] = [Math.round(look.width * ratio), Math.round(look.height * ratio)];
		if (canvas.width !== w || canvas.height !== height) [canvas.width, canvas.height] = [w, height];
		const ctx = canvas.getContext("2d");
		ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
		return ctx;
	}
	let drawnAt = null; // the camera the base picture was drawn with
	function redraw() {
		readLook();
		if (!look.width || !look.height) return;
		const start = performance.now();
		if (state.scene) place();
		base.style.transform = "";
		paint(size2(base));
		drawnAt = { ...camera() };
		state.times.draw = performance.now() - start;
		highlight();
	}

	// ---- hover and selection, on the upper canvas
	function lit() {
		const s = state.scene, { node, edge, bar } = state.hover;
		const nodes = new Set(), edges = new Set();
		if (bar >= 0 && get("view") === "overlap") {
			const frame = upsetFrame(s, state.stats, look).bars[bar];
			for (const i of frame ? frame.shown.nodes : []) nodes.add(i);
		}
		if (edge >= 0) {
			edges.add(edge);
			for (const i of membersOf(s, edge)) nodes.add(i);
		}
		if (node >= 0) {
			nodes.add(node);
			if (edge < 0) for (const k of edgesOf(s, node)) edges.add(k);
		}
		if (!nodes.size && chosen.size && chosen.size <= 40) for (const i of chosen) for (const k of edgesOf(s, i)) edges.add(k);
		return { nodes, edges };
	}
	function highlight() {
		if (!look?.width) return;
		const ctx = size2(over), s = state.scene, view = get("view");
		ctx.clearRect(0, 0, look.width, look.height);
		if (!s) return;
		const { nodes, edges } = lit();
		const hovering = nodes.size > 0;
		if (view !== "incidence" && !movable()) return paint(size2(base));
		if (!hovering && !chosen.size) return movable() && names(ctx, s);
		const veil = (alpha) => {
			ctx.globalAlpha = alpha;
			ctx.fillStyle = look.background;
			ctx.fillRect(0, 0, look.width, look.height);
			ctx.globalAlpha = 1;
		};
		if (view === "incidence") return highlightMatrix(ctx, s, edges, veil);
		veil(hovering ? 0.72 : 0.45);
		const { X, Y, EX, EY } = placed;
		if (view === "bipartite") {
			drawLinks(ctx, s, X, Y, EX, EY, look, edges, 0.75);
			drawSquares(ctx, s, EX, EY, look, edges, 1);
		} else {
			const many = edges.size;
			for (const k of s.sizeOrder) if (edges.has(k)) drawOutline(ctx, s, placed, k, look.colours[s.edge_modality[k]], 0.3, many > 40 ? 0.5 : 0.95, 1.6, look);
		}
		const neighbours = new Set(nodes);
		if (edges.size && edges.size <= 400) for (const k of edges) for (const i of membersOf(s, k)) neighbours.add(i);
		drawNodes(ctx, s, X, Y, look, neighbours, 0.3, view === "bipartite" ? crowd() + 1 : 99);
		ring(ctx, s, X, Y, chosen);
		const taken = [];
		const side = view === "bipartite" ? { align: "right" } : {};
		const at = (i) => (view === "bipartite" ? [X[i] - 12, Y[i]] : [X[i], Y[i] - radius(s, i) - 10]);
		if (state.hover.node >= 0) {
			ring(ctx, s, X, Y, [state.hover.node]);
			label(ctx, look, taken, short(s.titles[state.hover.node]), ...at(state.hover.node), { bold: true, force: true, ...side });
		}
		for (const k of edges.size <= 400 ? s.sizeOrder : []) {
			if (!edges.has(k) || taken.length > 30) continue;
			if (view === "bipartite") label(ctx, look, taken, s.edge_titles[k], EX[k] + 12, EY[k], { align: "left", bold: true, most: look.width - EX[k] - 18 });
			else if (k === state.hover.edge) label(ctx, look, taken, short(s.edge_titles[k]), EX[k], EY[k], { bold: true, force: true });
		}
		for (const i of [...chosen].slice(0, 24)) label(ctx, look, taken, short(s.titles[i], 24), ...at(i), { bold: true, ...side });
		names(ctx, s, taken, { ...look, text: look.muted });
	}
	function ring(ctx, s, X, Y, which) {
		pen(ctx, look.text, 2);
		for (const i of which) circle(ctx, X[i], Y[i], radius(s, i) + 3);
		ctx.stroke();
	}
	function highlightMatrix(ctx, s, edges, veil) {
		const frame = incidenceFrame(s, look, state.sort), { left, top, high, wide, rowOf, colOf } = frame;
		const { node, edge } = state.hover;
		veil(0.6);
		if (edge >= 0) drawIncidence(ctx, s, look, frame, { edges: [edge] });
		const columnsLit = node >= 0 ? new Set([node]) : edge >= 0 ? null : chosen;
		if (columnsLit) drawIncidence(ctx, s, look, frame, { edges: new Set([...columnsLit].flatMap((i) => [...edgesOf(s, i)])), nodes: columnsLit });
		pen(ctx, look.text, 1.2);
		if (edge >= 0) ctx.rect(left - 1, top + rowOf[edge] * high - 1, wide * s.n + 2, Math.max(high, 1) + 1);
		if (node >= 0) ctx.rect(left + colOf[node] * wide - 1, top - 1, Math.max(wide, 1) + 1, high * s.e + 2);
		ctx.stroke();
		ctx.fillStyle = look.text;
		for (const i of chosen) ctx.fillRect(left + colOf[i] * wide, top - 7, Math.max(wide - 1, 1), 5);
		const taken = [];
		for (const k of edges) if (k === edge || taken.length < 40) {
			ctx.fillStyle = look.background;
			ctx.fillRect(0, top + rowOf[k] * high, left - 8, high);
			label(ctx, look, taken, s.edge_titles[k], left - 12, top + (rowOf[k] + 0.5) * high, { align: "right", bold: true, most: left - 18 });
		}
	}
	/** What lies under the pointer. */
	function pick(x, y) {
		const s = state.scene, none = NOTHING;
		if (!s?.n) return none;
		const view = get("view");
		if (view === "incidence") {
			const f = incidenceFrame(s, look, state.sort);
			const row = Math.floor((y - f.top) / f.high), col = Math.floor((x - f.left) / f.wide);
			const edge = row >= 0 && row < s.e ? f.rows[row] : -1, node = col >= 0 && col < s.n ? f.cols[col] : -1;
			if (edge >= 0 && x < f.left) return { ...none, edge };
			if (node >= 0 && edge >= 0) return membersOf(s, edge).includes(node) ? { ...none, node, edge } : { ...none, node };
			return none;
		}
		if (view === "overlap") {
			const f = upsetFrame(s, state.stats, look), bar = Math.floor((x - f.left) / f.step);
			return { ...none, bar: bar >= 0 && bar < f.bars.length && y > f.top - 10 ? bar : -1 };
		}
		if (!movable()) return none;
		const node = nearest(placed.X, placed.Y, x, y);
		if (node >= 0) return { ...none, node };
		if (view === "bipartite") return { ...none, edge: nearest(placed.EX, placed.EY, x, y) };
		for (let r = s.e - 1; r >= 0; r--) if (within(s.sizeOrder[r], x, y)) return { ...none, edge: s.sizeOrder[r] };
		return none;
	}
	function nearest(X, Y, x, y) {
		let best = -1, least = 121; // 11 pixels
		for (let i = 0; i < X.length; i++) {
			const far = (X[i] - x) ** 2 + (Y[i] - y) ** 2;
			if (far < least) [best, least] = [i, far];
		}
		return best;
	}
	/** Whether a point lies in a hyperedge's outline. */
	function within(k, x, y) {
		const { X, Y } = placed, pairs = state.scene.outline[k], most = reach(state.scene, k) ** 2;
		for (let p = 0; p < pairs.length; p += 2) {
			const [a, b] = [pairs[p], pairs[p + 1]], dx = X[b] - X[a], dy = Y[b] - Y[a];
			const t = clamp(((x - X[a]) * dx + (y - Y[a]) * dy) / (dx * dx + dy * dy || 1), 0, 1);
			if ((x - X[a] - t * dx) ** 2 + (y - Y[a] - t * dy) ** 2 < most) return true;
		}
		return false;
	}
	function hover(next, x = 0, y = 0) {
		const start = performance.now(), old = state.hover;
		if (old.node !== next.node || old.edge !== next.edge || old.bar !== next.bar) {
			state.hover = next;
			highlight();
			const words = describe(next);
			tip.replaceChildren(...words.map((line, k) => h(k ? "div" : "b", {}, line)));
			tip.hidden = !words.length;
		}
		if (!tip.hidden) {
			const right = x > look.width - 240;
			tip.style.transform = `translate(${Math.round(x + (right ? -14 : 14))}px, ${Math.round(clamp(y + 14, 4, look.height - 84))}px)${right ? " translateX(-100%)" : ""}`;
		}
		over.style.cursor = next.node >= 0 || next.edge >= 0 || next.bar >= 0 ? "pointer" : movable() ? "grab" : "crosshair";
		state.times.hover = performance.now() - start;
	}
	function describe({ node, edge, bar }) {
		const s = state.scene;
		if (bar >= 0) {
			const one = upsetFrame(s, state.stats, look).bars[bar];
			return [s.modalities.filter((_, m) => one.mask >> m & 1).join(" + "), plural(one.total, "pair"), `${plural(one.shown.nodes.size, s.node_kind)} among those shown`];
		}
		if (edge >= 0) {
			const lines = [`${s.modalities[s.edge_modality[edge]]}: ${s.edge_titles[edge]}`,
				`${s.edge_kind} ${s.edge_labels[edge]} · ${plural(size(s, edge), "member")} · weight ${s.edge_weight[edge].toFixed(2)}`];
			if (s.marks) lines.push(["in both", "only here", "only there"][s.marks[edge]]);
			return node >= 0 ? [...lines, `with ${s.titles[node]}`] : lines;
		}
		if (node < 0) return [];
		const per = s.modalities.map((name, m) => [name, edgesOf(s, node).reduce((sum, k) => sum + (s.edge_modality[k] === m), 0)]);
		const name = `${s.node_kind} ${s.nodes[node]}`;
		return [s.titles[node], `${name === s.titles[node] ? "" : name + " · "}on ${plural(s.degree[node], "hyperedge")}`,
			per.filter(([, many]) => many).map(([name, many]) => `${name} ${many}`).join(" · ")];
	}
	function choose(positions, add = false) {
		const s = state.scene, ids = positions.map((i) => s.nodes[i]);
		const before = get("selection");
		let next = ids;
		if (add) {
			const all = new Set(before);
			if (ids.length === 1 && all.has(ids[0])) all.delete(ids[0]);
			else ids.forEach((id) => all.add(id));
			next = [...all];
		} else if (ids.length === 1 && before.length === 1 && before[0] === ids[0]) next = [];
		set({ selection: next });
		spoken.textContent = `${plural(next.length, own())} selected`;
	}
	function click(at, add) {
		const s = state.scene;
		if (at.bar >= 0) choose([...upsetFrame(s, state.stats, look).bars[at.bar].shown.nodes], add);
		else if (at.node >= 0) { choose([at.node], add); fillPair(s.node_kind, s.nodes[at.node]); }
		else if (at.edge >= 0) { choose([...membersOf(s, at.edge)], add); fillPair(s.edge_kind, s.edge_labels[at.edge]); }
		else if (!add && get("selection").length) set({ selection: [] });
	}
	const fillPair = (kind, id) => { (kind === "user" ? whyUser : whyItem).value = id; dim(); };
	/** A score of another pair than the one typed stands back. */
	const dim = () => whyOut.classList.toggle("hc-old", get("pair").slice(0, 2).some((id, k) => String(id) !== typed()[k]));
	function focusOn({ node, edge }) {
		const s = state.scene;
		if (node >= 0) set({ focus: ["node", s.nodes[node]] });
		else if (edge >= 0) set({ focus: ["hyperedge", s.edge_number[edge]] });
	}

	// ---- pointer and keyboard
	let drag = null, frame = 0;
	const at = (e) => { const box = over.getBoundingClientRect(); return [e.clientX - box.left, e.clientY - box.top]; };
	const soon = (act) => { cancelAnimationFrame(frame); frame = requestAnimationFrame(act); };
	/** Follow the camera: draw anew if that is quick, else move the last picture and draw once it rests. */
	function moved() {
		clearTimeout(state.rest);
		if (state.times.draw < 14 || !drawnAt) return soon(redraw);
		soon(() => {
			const cam = camera(), f = cam.k / drawnAt.k;
			const dx = look.width / 2 + cam.x - f * (look.width / 2 + drawnAt.x), dy = look.height / 2 + cam.y - f * (look.height / 2 + drawnAt.y);
			base.style.transform = `translate(${dx}px,${dy}px) scale(${f})`;
			over.getContext("2d").clearRect(0, 0, look.width, look.height);
		});
		state.rest = setTimeout(() => !drag && redraw(), 160);
	}
	function zoomBy(factor, x = look.width / 2, y = look.height / 2) {
		const cam = camera(), k = clamp(cam.k * factor, 0.4, 60), f = k / cam.k;
		cam.x = x - look.width / 2 - f * (x - look.width / 2 - cam.x);
		cam.y = y - look.height / 2 - f * (y - look.height / 2 - cam.y);
		cam.k = k;
		moved();
	}
	function fit() {
		const cam = camera();
		Object.assign(cam, { k: 1, x: 0, y: 0 });
		if (state.scene?.n && get("view") !== "bipartite") {
			readLook();
			const span = (v) => [Math.min(...v), Math.max(...v)], { x, y } = state.scene, [l, r] = span(x), [t, b] = span(y);
			cam.k = clamp(1.9 / Math.max(r - l, b - t, 0.12), 1, 12);
			cam.x = -((l + r) / 2) * (look.width / 2 - 34) * cam.k;
			cam.y = -((t + b) / 2) * (look.height / 2 - 34) * cam.k;
		}
		redraw();
	}
	over.addEventListener("pointerdown", (e) => {
		if (e.button || !state.scene) return;
		const [x, y] = at(e);
		drag = { x, y, cam: { ...camera() }, box: (e.shiftKey && movable()) || get("view") === "incidence", far: false };
		over.setPointerCapture(e.pointerId);
	});
	over.addEventListener("pointermove", (e) => {
		const [x, y] = at(e);
		if (!drag) return state.scene && hover(pick(x, y), x, y);
		if (Math.hypot(x - drag.x, y - drag.y) > 4) drag.far = true;
		if (!drag.far) return;
		tip.hidden = true;
		if (drag.box) {
			soon(() => {
				highlight();
				const ctx = over.getContext("2d");
				ctx.globalAlpha = 1;
				ctx.strokeStyle = look.text;
				ctx.setLineDash([4, 3]);
				ctx.strokeRect(drag.x, drag.y, x - drag.x, y - drag.y);
				ctx.setLineDash([]);
			});
		} else if (movable()) {
			Object.assign(camera(), { x: drag.cam.x + x - drag.x, y: drag.cam.y + y - drag.y });
			moved();
		}
	});
	over.addEventListener("pointerup", (e) => {
		if (!drag) return;
		const [x, y] = at(e), done = drag, add = e.shiftKey || e.ctrlKey || e.metaKey;
		drag = null;
		cancelAnimationFrame(frame);
		if (!done.far) return click(pick(x, y), add);
		if (done.box) choose(boxed(Math.min(x, done.x), Math.min(y, done.y), Math.max(x, done.x), Math.max(y, done.y)), e.ctrlKey || e.metaKey);
		else if (movable()) redraw();
	});
	over.addEventListener("pointercancel", () => (drag = null));
	function boxed(l, t, r, b) {
		const s = state.scene;
		if (get("view") !== "incidence") return [...s.nodes.keys()].filter((i) => placed.X[i] >= l && placed.X[i] <= r && placed.Y[i] >= t && placed.Y[i] <= b);
		const f = incidenceFrame(s, look, state.sort), found = new Set();
		const row = (y) => Math.floor((y - f.top) / f.high), col = (x) => Math.floor((x - f.left) / f.wide);
		for (const k of f.rows.slice(Math.max(row(t), 0), row(b) + 1)) for (const i of membersOf(s, k)) if (f.colOf[i] >= col(l) && f.colOf[i] <= col(r)) found.add(i);
		return [...found];
	}
	over.addEventListener("pointerleave", () => !drag && state.scene && hover(NOTHING));
	over.addEventListener("dblclick", (e) => state.scene && focusOn(pick(...at(e))));
	over.addEventListener("wheel", (e) => {
		if (!movable() || !state.scene) return;
		e.preventDefault();
		zoomBy(Math.exp(-clamp(e.deltaY, -120, 120) * 0.0022), ...at(e));
	}, { passive: false });
	over.addEventListener("keydown", (e) => {
		const s = state.scene, cam = camera();
		if (!s || e.ctrlKey || e.metaKey || e.altKey) return;
		const step = (by, what = get("view") === "overlap" ? "bar" : "node") => {
			const order = [...{ bar: upsetFrame(s, state.stats, look).bars.keys(), node: s.degreeOrder, edge: s.sizeOrder }[what]], now = order.indexOf(state.hover[what]);
			const one = order[(now + by + order.length + (now < 0 && by < 0 ? 1 : 0)) % order.length] ?? -1;
			const { X, Y, EX, EY } = placed;
			hover({ ...NOTHING, [what]: one }, ...(!movable() || one < 0 ? [60, 60] : what === "edge" ? [EX[one], EY[one]] : [X[one], Y[one]]));
			spoken.textContent = describe(state.hover).join(", ");
		};
		const keys = { n: () => step(1), p: () => step(-1), e: () => step(1, "edge"), r: () => step(-1, "edge"), Enter: () => click(state.hover, e.shiftKey), f: () => focusOn(state.hover),
			"+": () => zoomBy(1.4), "=": () => zoomBy(1.4), "-": () => zoomBy(1 / 1.4), 0: () => fit(),
			ArrowLeft: () => (cam.x += 40), ArrowRight: () => (cam.x -= 40), ArrowUp: () => (cam.y += 40), ArrowDown: () => (cam.y -= 40),
			Escape: () => { hover(NOTHING); set({ selection: [], focus: null }); } };
		if (!keys[e.key]) return;
		e.preventDefault();
		e.stopPropagation();
		keys[e.key]();
		if (e.key.startsWith("Arrow") && movable()) moved();
	});

	// ---- what Python says
	function say(text) {
		if (banner.textContent !== text) banner.textContent = text;
		banner.hidden = !text;
	}
	function lost() {
		say(about.words.lost);
	}
	const handlers = {
		scene(message, buffers) {
			const start = performance.now(), [marks] = buffers.slice(message.scene.buffers.length);
			const s = (state.scene = unpack(message.scene, buffers));
			if (marks) s.marks = new Uint8Array(marks.buffer, marks.byteOffset, s.e);
			s.against = message.against;
			state.stats = message.stats;
			state.times.layout = performance.now() - start;
			state.hover = NOTHING;
			tip.hidden = true;
			const near = message.stats.nearest_run;
			ruleText.textContent = s.rule + (near ? ` · test AUC ${near.auc.toFixed(4)} at δ = ${near.delta}` : "");
			state.said = s.e ? "" : s.around ? s.rule : about.words.empty;
			selected();
			sync();
			const of = s.node_kind + s.around; // nodes of another kind stand elsewhere
			if (of !== state.of) fit();
			else redraw();
			state.of = of;
			state.times.paint = performance.now() - start;
			state.times.trip = performance.now() - state.changed;
			root.dataset.scenes = +(root.dataset.scenes || 0) + 1;
			panels.numbers.innerHTML = message.numbers;
			if (state.playing && get("slot") >= last) playing(false);
			else if (state.playing) state.next = setTimeout(() => playing(true), 900);
		},
		table(message) { state.rows = message.ids; fill(listed, message.html); },
		user(message) { fill(panels.user, message.html); },
		why(message) { [whyUser.value = "", whyItem.value = ""] = get("pair"); fill(whyOut, message.html); dim(); },
		found(message) {
			found.replaceChildren(...message.rows.map((row) => h("li", {}, button(`${row.kind} · ${short(row.title, 40)}`,
				() => set({ focus: row.focus, query: "" }), { disabled: !row.focus, title: row.focus ? "" : "on no hyperedge here" }))));
			if (!message.rows.length) found.append(h("li", {}, "nothing found"));
		},
		file(message) { download(new Blob([message.text], { type: message.mime }), message.name); },
		error(message) { state.said = message.text; playing(false); },
	};
	function heard(message, buffers) {
		clearTimeout(state.timer);
		state.timer = null;
		handlers[message.type]?.(message, buffers || []);
		say(state.said); // of the last scene, whatever came after it
	}
	function selected() {
		chosen.clear();
		for (const id of get("selection")) if (state.scene?.index.has(id)) chosen.add(state.scene.index.get(id));
		const all = get("selection").length;
		root.dataset.selected = all;
		away.textContent = all > chosen.size ? `${all - chosen.size} of ${all} not in this picture` : "";
	}

	// ---- panels
	/** Show what Python wrote, and keep the keyboard where it was. */
	function fill(box, html) {
		const key = box.contains(document.activeElement) && document.activeElement.dataset.key;
		box.innerHTML = html;
		if (key) box.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
	}
	const acts = { remove: (b) => toggle("removed", b.dataset.key), modality: (b) => toggle("removed_modalities", b.dataset.key), clear: () => set({ selection: [] }),
		restore: () => set({ removed: [], removed_modalities: [] }),
		show: (b) => { const [side, slot, edge] = whereIs(b); set({ side, slot: +slot, swap: false, focus: ["hyperedge", +edge] }); }, focus: () => set({ focus: ["node", get("selection")[0]] }),
		row: (b) => { const id = state.rows[b.dataset.key]; fillPair(own(), id); spoken.textContent = `${own()} ${id} is ready to be explained`; } };
	const acted = (e) => { const b = e.target.closest("[data-act]"); if (b) acts[b.dataset.act](b); };
	aside.addEventListener("click", acted);
	aside.addEventListener("keydown", (e) => e.key === "Enter" && e.target.tagName === "TR" && acted(e));
	aside.addEventListener("mouseover", (e) => {
		const row = e.target.closest("tr[data-act]"), i = row ? state.scene?.index.get(state.rows[row.dataset.key]) : null;
		if (i != null) hover({ ...NOTHING, node: i }, placed.X[i], placed.Y[i]);
	});
	const whereIs = (e) => e.closest("[data-edge]")?.dataset.edge.split(":"); // side, slot, number
	/** Light the hyperedge of a contribution where it is in the picture. */
	const ofBar = (e) => {
		const [side, slot, edge] = whereIs(e.target) || [], s = state.scene;
		if (side && s && get("view") !== "overlap") hover({ ...NOTHING, edge: side === s.side && side === s.node_kind && +slot === s.slot ? s.edge_number.indexOf(+edge) : -1 }, 14, 14);
	};
	for (const kind of ["mouseover", "focusin"]) aside.addEventListener(kind, ofBar);
	for (const kind of ["mouseleave", "focusout"]) aside.addEventListener(kind, () => state.scene && hover(NOTHING));
	const typed = () => [whyUser, whyItem].map((box) => box.value.trim());
	function explain() {
		if (typed().every(Boolean)) set({ pair: typed(), removed: [], removed_modalities: [] });
	}
	// ---- files
	function download(blob, name) {
		const link = h("a", { href: URL.createObjectURL(blob), download: name });
		root.append(link);
		link.click();
		link.remove();
		setTimeout(() => URL.revokeObjectURL(link.href), 10000);
	}
	function save(kind) {
		if (!state.scene) return;
		const name = `${get("view")}-${get("side")}-slot${get("slot")}`;
		if (kind !== "png") return ask({ type: "export", kind });
		const sheet = h("canvas"), ctx = size2(sheet, 3); // fine enough for print
		paint(ctx);
		if (movable()) {
			ring(ctx, state.scene, placed.X, placed.Y, chosen);
			names(ctx, state.scene);
		}
		ctx.globalCompositeOperation = "destination-over";
		ctx.fillStyle = look.background;
		ctx.fillRect(0, 0, look.width, look.height);
		ctx.globalCompositeOperation = "source-over";
		sheet.toBlob((blob) => download(blob, name + ".png"));
	}

	// ---- life
	const on = (name, act) => { model.on(name, act); cleanups.push(() => model.off(name, act)); };
	on("msg:custom", heard);
	on("change", sync);
	on("change:view", () => { state.hover = NOTHING; tip.hidden = true; redraw(); });
	on("change:selection", () => { selected(); highlight(); });
	on("comm_live_update", () => ask({ type: "ping" })); // a restarted kernel leaves no one to answer
	const resized = new ResizeObserver(() => {
		root.classList.toggle("hc-narrow", root.clientWidth < 860);
		cancelAnimationFrame(state.fitting);
		state.fitting = requestAnimationFrame(redraw);
	});
	resized.observe(stage);
	resized.observe(root);
	const themed = new MutationObserver(() => requestAnimationFrame(redraw));
	themed.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-jp-theme-name", "class"] });
	cleanups.push(() => resized.disconnect(), () => themed.disconnect(), () => clearTimeout(state.timer), () => clearTimeout(state.next), () => clearTimeout(state.rest));
	root.inspector = { times: state.times, at: (id) => { const i = state.scene.index.get(id); return [placed.X[i], placed.Y[i]]; }, state };
	showTab("selection");
	sync();
	readLook();
	ask({ type: "hello" });
	return () => cleanups.forEach((act) => act());
}

export default { render };
