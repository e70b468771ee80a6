// Slots: several side by side, a panel for each with the hyperedges of all modalities. A node has one place and a hyperedge
// one tint in all of them. A click beside nodes and hyperedges goes to the slot.

import { set } from "../state.js";
import { NOTHING, plural } from "../tools.js";
import { grid, panels, placeIn } from "./panels.js";

/** @type {View} */
export const slots = {
	...panels,
	label: "Slots",
	camera: "slots",
	place(app) {
		const s = app.scene;
		if (!s.panels) return panels.place(app); // those of the slots are on their way
		const cells = grid(app, s.panels.length);
		placeIn(app, s.panels.map(({ label, total }, p) => ({ ...cells[p], m: 0, name: label, total })), s.part, (_, p) => p);
	},
	at: (app, what) => {
		if (what.bar < 0) return panels.at(app, what);
		const { x, y } = app.placed.panels[what.bar].frame;
		return [x + 8, y + 8];
	},
	pick(app, x, y) {
		const what = panels.pick(app, x, y);
		const bar = app.placed.panels.findIndex(({ frame: f }) => x >= f.x && x < f.x + f.w && y >= f.y && y < f.y + f.h);
		return what.node < 0 && what.edge < 0 ? { ...NOTHING, bar } : what;
	},
	bars: (app) => app.placed.panels.length,
	bar(app, p) {
		const { edges, members, frame: { name, total } } = app.placed.panels[p];
		return { nodes: members, words: [name, `${edges.length} of ${plural(total, "hyperedge")} · ${plural(members.size, app.scene.node_kind)}`, "click to go there"] };
	},
	enter(app, p) {
		const panel = app.scene.panels?.[p];
		if (panel) set(app, { slot: panel.slot, slots: null, view: null });
	},
};
