// What Python says: scenes, tables, explanations, files. One handler a type.

import { fill } from "./aside.js";
import { dim } from "./choosing.js";
import { sizeNodes } from "./colours.js";
import { partOf } from "./drill.js";
import { download } from "./files.js";
import { unpack } from "./scene.js";
import { redraw } from "./stage.js";
import { answered, expect, say, set } from "./state.js";
import { sync } from "./sync.js";
import { playing } from "./timeline.js";
import { NOTHING, button, h, short } from "./tools.js";

/** @type {Record<string, (app: App, message: any, buffers: DataView[]) => void>} */
const HANDLERS = {
	scene(app, message, buffers) {
		const start = performance.now(), { state, els, about } = app, s = unpack(message.scene, buffers);
		state.stats = message.stats;
		state.times.layout = performance.now() - start;
		state.said = s.e ? "" : s.around ? s.rule : about.words.empty;
		state.whole = null;
		const of = s.node_kind + s.around + !s.panels; // nodes of another kind stand elsewhere
		show(app, s, of !== state.of);
		state.of = of;
		state.times.paint = performance.now() - start;
		state.times.trip = performance.now() - state.changed;
		els.root.dataset.scenes = +(els.root.dataset.scenes || 0) + 1;
		els.panels.numbers.innerHTML = message.numbers;
		if (state.playing && app.get("slot") >= about.slots.length - 1) playing(app, false);
		else if (state.playing) state.next = setTimeout(() => playing(app, true), 900);
	},
	table(app, message) {
		app.state.rows = message.ids;
		fill(app.els.listed, message.html);
	},
	user(app, message) { fill(app.els.panels.user, message.html); },
	why(app, message) {
		[app.els.whyUser.value = "", app.els.whyItem.value = ""] = app.get("pair");
		fill(app.els.whyOut, message.html);
		dim(app);
	},
	found(app, message) {
		const { found } = app.els;
		found.replaceChildren(...message.rows.map((row) => h("li", {}, button(`${row.kind} · ${short(row.title, 40)}`,
			() => set(app, { focus: row.focus, query: "" }), { disabled: !row.focus, title: row.focus ? "" : "on no hyperedge here" }))));
		if (!message.rows.length) found.append(h("li", {}, "nothing found"));
	},
	file(app, message) { download(app, new Blob([message.text], { type: message.mime }), message.name); },
	working(app, message) {
		app.state.working = true;
		expect(app);
		app.els.working.textContent = message.text;
		app.els.working.hidden = false;
	},
	error(app, message) {
		app.state.said = message.text;
		playing(app, false);
	},
};

/** @param {App} app @param {any} message @param {DataView[]} [buffers] */
export function heard(app, message, buffers) {
	answered(app);
	app.state.working = false;
	app.els.working.hidden = true;
	HANDLERS[message.type]?.(app, message, buffers || []);
	say(app, app.state.said); // of the last scene, whatever came after it
}

/** Put a scene, or a part of one, on the stage. @param {App} app @param {Scene} s @param {boolean} anew whether the camera is to show all of it */
function show(app, s, anew) {
	const { state, els } = app;
	Object.assign(state, { scene: s, hover: NOTHING });
	els.tip.hidden = true;
	sizeNodes(s, state.sizeBy);
	if (anew) Object.assign(state, { cameras: {}, boxes: null });
	const near = state.stats?.nearest_run, own = near && Math.abs(near.delta - s.delta) < 1e-9; // no AUC of another threshold
	els.rule.textContent = s.rule + (own ? ` · test AUC ${near.auc.toFixed(4)} at δ = ${near.delta}` : "");
	selected(app);
	redraw(app);
	sync(app);
}

/** Show some nodes and what they share by themselves; null goes back to all. @param {App} app @param {Iterable<number> | null} nodes @param {string} [name] */
export function goInto(app, nodes, name = "") {
	const { state } = app;
	if (!nodes && !state.whole) return;
	const whole = state.whole || state.scene;
	const part = nodes ? partOf(state.scene, nodes, name) : whole;
	state.whole = nodes ? whole : null;
	show(app, part, true);
}

/** Find the selected ids in the scene. @param {App} app */
export function selected(app) {
	const { chosen, state, els } = app, ids = app.get("selection");
	chosen.clear();
	for (const id of ids) if (state.scene?.index.has(id)) chosen.add(state.scene.index.get(id));
	els.root.dataset.selected = ids.length;
	els.away.textContent = ids.length > chosen.size ? `${ids.length - chosen.size} of ${ids.length} not in this picture` : "";
}
