// Difference: what two slots or thresholds do not share. Grey: in both; hollow: only in the other; filled: only here.

import { drawNodes } from "../drawing.js";
import { drawTree, trees } from "./trees.js";

/** @type {View} */
export const difference = {
	...trees,
	label: "Difference",
	paint(ctx, app) {
		const { look, placed } = app, s = app.scene;
		if (!s.marks) return trees.paint(ctx, app);
		for (const mark of [0, 2, 1])
			for (const k of placed.drawn)
				if (s.marks[k] === mark)
					drawTree(ctx, app, k, mark ? look.colours[s.edge_modality[k]] : look.muted, [0.1, 0.25, 0][mark], mark ? 0.9 : 0.35, [1, 1.5, 1.7][mark]);
		drawNodes(ctx, app, app.placed);
	},
};
