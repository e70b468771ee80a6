// The views by their names in Python, in the order of their buttons. A further one is a file in views/ and a line here.

import { bipartite } from "./views/bipartite.js";
import { difference } from "./views/difference.js";
import { incidence } from "./views/incidence.js";
import { overlap } from "./views/overlap.js";
import { trees } from "./views/trees.js";

/** @type {Record<string, View>} */
export const VIEWS = { outlines: { ...trees, label: "Outlines" }, bipartite, incidence, overlap, difference };

/** The view shown. @param {App} app */
export const viewOf = (app) => VIEWS[app.get("view")];
