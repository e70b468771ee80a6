// Selecting, focusing, and putting what was clicked into the question of the panel Why.

import { membersOf } from "./scene.js";
import { UNCHANGED, own, set } from "./state.js";
import { plural } from "./tools.js";

/** Select nodes by their positions; `add` keeps what was selected. @param {App} app @param {number[]} positions */
export function choose(app, positions, add = false) {
	const ids = positions.map((i) => app.scene.nodes[i]), before = app.get("selection");
	let next = ids;
	if (add) {
		const all = new Set(before);
		if (ids.length === 1 && all.has(ids[0])) all.delete(ids[0]);
		else ids.forEach((id) => all.add(id));
		next = [...all];
	} else if (ids.length === 1 && before.length === 1 && before[0] === ids[0]) next = [];
	set(app, { selection: next });
	app.els.spoken.textContent = `${plural(next.length, own(app))} selected`;
}

/** @param {App} app @param {Hover} at @param {boolean} add */
export function click(app, at, add) {
	const s = app.scene;
	if (at.bar >= 0) {
		if (app.view.enter && !add) app.view.enter(app, at.bar);
		else choose(app, [...app.view.bar(app, at.bar).nodes], add);
	} else if (at.node >= 0) {
		choose(app, [at.node], add);
		fillPair(app, s.node_kind, s.nodes[at.node]);
	} else if (at.edge >= 0) {
		choose(app, [...membersOf(s, at.edge)], add);
		fillPair(app, s.edge_kind, s.edge_labels[at.edge]);
	} else if (!add && app.get("selection").length) set(app, { selection: [] });
}

/** Show only the neighbourhood of a node or hyperedge. @param {App} app @param {Hover} at */
export function focusOn(app, { node, edge }) {
	const s = app.scene;
	if (node >= 0) set(app, { focus: ["node", s.nodes[node]] });
	else if (edge >= 0) set(app, { focus: ["hyperedge", s.edge_number[edge]] });
}

/** Write an id into the question. @param {App} app @param {string} kind @param {any} id */
export function fillPair(app, kind, id) {
	(kind === "user" ? app.els.whyUser : app.els.whyItem).value = id;
	dim(app);
}

/** The user and the item typed. @param {App} app @returns {string[]} */
const typed = ({ els }) => [els.whyUser, els.whyItem].map((box) => box.value.trim());

/** A score of another pair than the one typed stands back. @param {App} app */
export function dim(app) {
	const ids = typed(app);
	app.els.whyOut.classList.toggle("hc-old", app.get("pair").slice(0, 2).some((id, k) => String(id) !== ids[k]));
}

/** Explain the pair typed. @param {App} app */
export function explain(app) {
	const pair = typed(app);
	if (pair.every(Boolean)) set(app, { pair, ...UNCHANGED });
}
