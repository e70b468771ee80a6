// What Python says: scenes, tables, explanations, files. One handler a type.

import { fill } from "./aside.js";
import { dim } from "./choosing.js";
import { playing, sync } from "./controls.js";
import { download } from "./files.js";
import { fit } from "./motion.js";
import { unpack } from "./scene.js";
import { redraw } from "./stage.js";
import { answered, say, set } from "./state.js";
import { NOTHING, button, h, short } from "./tools.js";

/** @type {Record<string, (app: App, message: any, buffers: DataView[]) => void>} */
const HANDLERS = {
	scene(app, message, buffers) {
		const start = performance.now(), { state, els, about } = app, [marks] = buffers.slice(message.scene.buffers.length);
		const s = (state.scene = unpack(message.scene, buffers));
		if (marks) s.marks = new Uint8Array(marks.buffer, marks.byteOffset, s.e);
		s.against = message.against;
		state.stats = message.stats;
		state.times.layout = performance.now() - start;
		state.hover = NOTHING;
		els.tip.hidden = true;
		const near = message.stats.nearest_run;
		els.rule.textContent = s.rule + (near ? ` · test AUC ${near.auc.toFixed(4)} at δ = ${near.delta}` : "");
		state.said = s.e ? "" : s.around ? s.rule : about.words.empty;
		selected(app);
		sync(app);
		const of = s.node_kind + s.around; // nodes of another kind stand elsewhere
		if (of !== state.of) fit(app);
		else redraw(app);
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
	error(app, message) {
		app.state.said = message.text;
		playing(app, false);
	},
};

/** @param {App} app @param {any} message @param {DataView[]} [buffers] */
export function heard(app, message, buffers) {
	answered(app);
	HANDLERS[message.type]?.(app, message, buffers || []);
	say(app, app.state.said); // of the last scene, whatever came after it
}

/** Find the selected ids in the scene. @param {App} app */
export function selected(app) {
	const { chosen, state, els } = app, ids = app.get("selection");
	chosen.clear();
	for (const id of ids) if (state.scene?.index.has(id)) chosen.add(state.scene.index.get(id));
	els.root.dataset.selected = ids.length;
	els.away.textContent = ids.length > chosen.size ? `${ids.length - chosen.size} of ${ids.length} not in this picture` : "";
}
