// One inspector's state, and its talk with Python: settings are traits, questions and answers are messages.

import { NOTHING } from "./tools.js";

/** @param {any} model @returns {App} */
export function createApp(model) {
	const state = { scene: null, stats: null, hover: NOTHING, sort: "alike", playing: false, tab: "selection", times: {}, cameras: {}, changed: 0, said: "", sizeBy: "degree", lasso: false, working: false, whole: null,
		quiet: 9000 }; // ms without an answer until the reader is told what to do
	return { model, state, get scene() { return state.scene; }, about: model.get("about"), uid: "hctr" + Math.random().toString(36).slice(2), els: {}, chosen: new Set(),
		cleanups: [], look: null, placed: null, drawnAt: null, view: null, goInto: null, get: (name) => model.get(name) };
}

/** The traits of a score as the model gives it. */
export const UNCHANGED = { removed: [], removed_modalities: [], removed_clicks: [], explained_delta: null, explained_neighbours: null };

/** Change traits; the model's own event brings the elements up to date. @param {App} app @param {Record<string, any>} changes */
export function set(app, changes) {
	for (const [name, value] of Object.entries(changes)) app.model.set(name, value);
	app.state.changed = performance.now();
	try { app.model.save_changes(); } catch { lost(app); }
	ask(app, { type: "ping" }); // answered after what was changed
}

/** Switch a name of a list on or off. @param {App} app @param {string} trait @param {string} name */
export function toggle(app, trait, name) {
	const now = app.get(trait);
	const next = now.includes(name) ? now.filter((one) => one !== name) : [...now, name];
	set(app, { [trait]: trait === "modalities" ? app.about.modalities.filter((one) => next.includes(one)) : next });
}

/** Ask Python something, and say so if no answer comes. @param {App} app @param {Record<string, any>} message */
export function ask(app, message) {
	expect(app);
	try { app.model.send(message); } catch { lost(app); }
}

/** Wait for an answer. @param {App} app */
export function expect(app) {
	app.state.timer ??= setTimeout(() => unanswered(app), app.state.quiet);
}

/** An answer came. @param {App} app */
export function answered(app) {
	clearTimeout(app.state.timer);
	app.state.timer = app.state.patience = null;
}

/** Show a notice over the picture, or none. @param {App} app @param {string} text */
export function say(app, text) {
	const { banner } = app.els;
	if (banner.textContent !== text) banner.textContent = text;
	banner.hidden = !text;
}

/** Nothing was heard; one that said it is at work gets more time. @param {App} app */
function unanswered(app) {
	if (app.state.working && (app.state.patience ??= 10) > 0) {
		app.state.patience--;
		app.state.timer = setTimeout(() => unanswered(app), app.state.quiet);
	} else lost(app);
}

const lost = (app) => say(app, app.about.words.lost);

/** What a node is. @param {App} app */
export const own = (app) => app.scene?.node_kind ?? "user";
