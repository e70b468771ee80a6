// The views by their names in Python, in the order of their buttons. A further one is a file in views/ and a line here.

import { bipartite } from "./views/bipartite.js";
import { density } from "./views/density.js";
import { difference } from "./views/difference.js";
import { matrix } from "./views/matrix.js";
import { overlap } from "./views/overlap.js";
import { panels } from "./views/panels.js";
import { plural } from "./tools.js";
import { slots } from "./views/slots.js";
import { trees } from "./views/trees.js";

/** @type {Record<string, View>} */
export const VIEWS = { panels, trees, matrix, density, bipartite, overlap, difference, slots };

/** The view for some hyperedges where the reader has chosen none. @param {App} app */
const automatic = ({ about, state }) => about.automatic.find(([, most]) => most === null || (state.scene?.e ?? 0) <= most)[0];

/** Name of the view to show: the one chosen, else what suits the number of hyperedges. @param {App} app @returns {string} */
export const viewName = (app) => app.get("view") ?? automatic(app);

/** Say why this view, where the reader has not chosen it, or what it leaves out. @param {App} app */
export function whyView(app) {
	const s = app.scene, { long } = app.view;
	if (!s || app.get("view") || !long) return app.placed?.says || "";
	return `${plural(s.e, "hyperedge")}: shown as ${long}; ${app.about.words.regions}`;
}
