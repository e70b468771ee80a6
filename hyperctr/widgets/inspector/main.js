// The hypergraph inspector: draws scenes that Python sends, answers pointer and keyboard. Nothing is fetched.
// Python joins these modules into one text (hyperctr/widgets/front_end.py). All state lives in an `app`, so that several
// inspectors on a page do not meet.

import { createAside, showTab } from "./aside.js";
import { createControls } from "./controls.js";
import { listenToKeys, listenToPointer } from "./input.js";
import { goInto, heard, selected } from "./messages.js";
import { highlight, redraw } from "./stage.js";
import { ask, createApp } from "./state.js";
import { sync } from "./sync.js";
import { NOTHING } from "./tools.js";

/** What anywidget calls. @param {{model: any, el: HTMLElement}} widget */
export function render({ model, el }) {
	const app = createApp(model), { els, state, cleanups } = app;
	app.goInto = (nodes, name) => goInto(app, nodes, name);
	createControls(app, createAside(app));
	el.append(els.root);
	listenToPointer(app);
	listenToKeys(app);
	const on = (name, act) => {
		model.on(name, act);
		cleanups.push(() => model.off(name, act));
	};
	on("msg:custom", (message, buffers) => heard(app, message, buffers));
	on("change", () => sync(app));
	on("change:view", () => {
		state.hover = NOTHING;
		els.tip.hidden = true;
		redraw(app);
		sync(app);
	});
	on("change:selection", () => {
		selected(app);
		highlight(app);
	});
	on("comm_live_update", () => ask(app, { type: "ping" })); // a restarted kernel leaves no one to answer
	const resized = new ResizeObserver(() => {
		for (const [look, most] of [["hc-narrow", 860], ["hc-tight", 720]]) els.root.classList.toggle(look, els.root.clientWidth < most);
		cancelAnimationFrame(state.fitting);
		state.fitting = requestAnimationFrame(() => redraw(app));
	});
	resized.observe(els.stage);
	resized.observe(els.root);
	const themed = new MutationObserver(() => requestAnimationFrame(() => redraw(app)));
	themed.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-jp-theme-name", "class"] });
	cleanups.push(() => resized.disconnect(), () => themed.disconnect(), ...["timer", "next", "rest"].map((name) => () => clearTimeout(state[name])));
	els.root.inspector = { times: state.times, state, placed: () => app.placed, at: (id) => {
		return app.view.at(app, { ...NOTHING, node: state.scene.index.get(id) });
	} };
	showTab(app, "selection");
	redraw(app);
	sync(app);
	ask(app, { type: "hello" });
	return () => cleanups.forEach((act) => act());
}

export default { render };
