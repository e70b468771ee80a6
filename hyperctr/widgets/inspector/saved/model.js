// Stands in for Python: keeps the traits, and answers from the scenes that the page holds.

import { unpack } from "../scene.js";
import { aroundFocus, cutScene, foundIn, selectionTable } from "./part.js";

const FREE = ["view", "selection", "query", "side", "slot", "slots", "modalities", "focus"]; // traits that need no Python by themselves
const PICTURE = ["side", "slot", "slots", "modalities", "focus"];
const SEVERAL = ["difference", "slots"]; // views whose scenes are their own
const REFUSED = "This page does not hold that: it takes a running kernel.";

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** The scene that some traits ask for: as saved, or cut from a saved one; null if it takes Python. @param {any} saved @param {any} asked */
export function sceneFor(saved, asked) {
	const of = (kept) => kept.side === asked.side && kept.view === asked.view && same(kept.slots, asked.slots) && (asked.view === "slots" || kept.slot === asked.slot);
	const kept = saved.scenes.filter((one) => of(one) && asked.modalities.every((name) => one.modalities.includes(name)));
	const exact = kept.find((one) => same(one.modalities, asked.modalities) && same(one.focus, asked.focus));
	if (exact) return exact;
	const base = kept.find((one) => asked.focus && same(one.focus, asked.focus)) || kept.find((one) => !one.focus);
	if (!base) return null;
	const focus = base.focus ? null : asked.focus, { message, buffers } = base;
	const centre = focus && aroundFocus(unpack(message.scene, buffers), focus);
	if (centre && !centre.edges.size) return null;
	const around = centre ? centre.title : message.scene.around;
	return cutScene(base, (s, k) => asked.modalities.includes(s.modalities[s.edge_modality[k]]) && (!centre || centre.edges.has(k)),
		(s, many) => ({ around, rule: `${around ? `around ${around}: ` : ""}${many} of the ${s.e} hyperedges saved of this picture` }));
}

/** What `render` takes for anywidget's model. @param {any} saved */
export function createSavedModel(saved) {
	const { traits } = saved, acts = {};
	let changes = {}, now = null, refused = false;
	const emit = (event, ...told) => [...(acts[event] || [])].forEach((act) => act(...told));
	const tell = (message, buffers = []) => emit("msg:custom", message, buffers);
	const own = ({ view }) => (SEVERAL.includes(view) ? view : ""), look = (of) => sceneFor(saved, { ...of, view: own(of) });
	const scene = () => now && unpack(now.message.scene, now.buffers);
	const tellTable = () => {
		const s = scene(), box = s && selectionTable(s, traits.selection, traits.about.colours);
		if (box) tell({ type: "table", ids: traits.selection, html: box.outerHTML });
	};
	const tellUser = () => tell({ type: "user", html: saved.user[traits.slot] || "" });
	const refuse = () => {
		refused = true;
		emit("change"); // the controls go back to what is
		tell({ type: "error", text: REFUSED });
	};
	return {
		get: (name) => traits[name],
		set: (name, value) => { changes[name] = value; },
		on: (event, act) => (acts[event] ??= []).push(act),
		off: (event, act) => { acts[event] = acts[event].filter((one) => one !== act); },
		save_changes() {
			const wish = { ...traits, ...changes };
			changes = {};
			if (wish.side !== traits.side) Object.assign(wish, { focus: null, selection: [] }); // users are not items
			if (own(wish) && !look(wish)) wish.view = null; // the plain scene may be here
			const changed = Object.keys(wish).filter((name) => !same(wish[name], traits[name]));
			const next = changed.every((name) => FREE.includes(name)) ? look(wish) : null;
			if (!next) return refuse();
			if (refused) tell({ type: "error", text: "" });
			refused = false;
			const moved = changed.some((name) => PICTURE.includes(name)) || own(wish) !== own(traits);
			Object.assign(traits, wish);
			for (const name of changed) emit(`change:${name}`);
			if (changed.length) emit("change");
			now = next;
			if (moved) {
				tell(now.message, now.buffers);
				tellUser();
			}
			if (moved || changed.includes("selection")) tellTable();
			if (changed.includes("query") && traits.query) tell({ type: "found", rows: foundIn(scene(), traits.query) });
		},
		send({ type }) {
			if (type === "ping") tell({ type: "pong" });
			else if (type === "hello") {
				now = look(traits);
				tell(now.message, now.buffers);
				tellTable();
				tellUser();
				if (saved.why) tell({ type: "why", html: saved.why });
			} else refuse();
		},
	};
}
