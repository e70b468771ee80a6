// An inspector without Python, in a saved notebook, a report or a file: the same front end over what the page holds.

import { render } from "../main.js";
import { h } from "../tools.js";
import { createSavedModel, sceneFor } from "./model.js";

const WIDGET = ".jp-OutputArea-output.lm-Panel, .jupyter-widgets, .hctr"; // what JupyterLab makes of one, present or lost
const LOST = ".jupyter-widgets-disconnected, .hc-banner:not([hidden])"; // one restored from the notebook, and nobody answers
const PATIENCE = 1500; // ms that a live widget may take to appear

/** Read what Python wrote: gzip of the length of some JSON, the JSON, and the arrays of its scenes. @param {string} text */
async function readSaved(text) {
	const packed = Uint8Array.from(atob(text.trim()), (letter) => letter.charCodeAt(0));
	const all = await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
	const start = 4 + new DataView(all).getUint32(0, true), saved = JSON.parse(new TextDecoder().decode(new Uint8Array(all, 4, start - 4)));
	let at = start;
	for (const scene of saved.scenes) {
		scene.buffers = scene.sizes.map((size) => new DataView(all, (at += size) - size, size));
	}
	return saved;
}

/** Whether what is behind an element is dark. @param {Element} box */
function isDark(box) {
	for (let e = box.parentElement; e; e = e.parentElement) {
		const colour = getComputedStyle(e).backgroundColor, [r, g, b, a = 1] = colour.slice(colour.indexOf("(") + 1, -1).split(",").map(Number);
		if (a > 0.5) return r + g + b < 384;
	}
	return false;
}

/** Hide what the page has no answer to. @param {HTMLElement} box @param {any} saved */
function hideControls(box, saved) {
	const { traits } = saved, all = (selector) => /** @type {HTMLElement[]} */ ([...box.querySelectorAll(selector)]);
	for (const name of ["delta", "limit", "neighbours", "colour_by", "min_size", "max_size", "min_degree", "min_modalities"])
		for (const e of all(`label > [data-key="${name}"]`)) e.parentElement.hidden = true;
	for (const e of all('[data-key="swap"], [data-key="csv"], [data-key="hif"]')) e.hidden = true;
	for (const e of all('[data-key="compare_slot"], [data-key="compare_delta"]')) e.setAttribute("disabled", "");
	const has = (asked) => sceneFor(saved, { ...traits, view: "", slots: null, focus: null, ...asked });
	for (const view of ["difference", "slots"]) for (const e of all(`.hc-bar [data-key="${view}"]`)) e.hidden = !has({ view });
	for (const side of ["user", "item"]) for (const e of all(`.hc-bar [data-key="${side}"]`)) e.hidden = side !== traits.side && !has({ side });
	for (const e of all(".hc-tabs [data-key=user]")) e.hidden = !Object.keys(saved.user).length;
	for (const e of all(".hc-tabs [data-key=why]")) e.hidden = !saved.why;
	all(".hc-bars-of-slots i").forEach((bar, slot) => bar.classList.toggle("hc-not", !has({ slot })));
}

/** Draw, and again when the page turns dark, light or to paper. @param {HTMLElement} box */
async function start(box) {
	const saved = await readSaved(box.querySelector("script[type='text/plain']").textContent);
	const model = createSavedModel(saved), dark = matchMedia("(prefers-color-scheme: dark)");
	let stop = () => {};
	const draw = (paper) => {
		stop();
		box.querySelector(".hctr")?.remove();
		if (document.body.dataset.jpThemeLight === undefined) box.dataset.jpThemeLight = String(paper || !isDark(box));
		stop = render({ model, el: box });
		hideControls(box, saved);
		box.append(box.querySelector(".hc-says-saved") || h("p", { class: "hc-says-saved" }, saved.note));
	};
	draw(false);
	dark.addEventListener("change", () => draw(false));
	addEventListener("beforeprint", () => draw(true));
	addEventListener("afterprint", () => draw(false));
}

/**
 * Show the saved inspector where no live one answers. In JupyterLab the live one is the output before; where nothing is
 * known of the page, any that has a picture.
 * @param {HTMLElement} box
 */
function stand(box) {
	const child = /** @type {HTMLElement} */ (box.closest(".jp-OutputArea-child, .output_area") || box), before = /** @type {HTMLElement | null} */ (child.previousElementSibling);
	const beside = before && (before.matches(WIDGET) || before.querySelector(WIDGET)) ? before : null;
	const area = beside || box.closest(".jp-OutputArea, .output") || document.body;
	const begun = performance.now();
	let started = null;
	const decide = () => {
		const alive = [...area.querySelectorAll(".hctr[data-scenes]")].some((e) => !e.closest(".hctr-saved"));
		const gone = !beside || started || beside.textContent.includes("Error displaying widget") || beside.querySelector(LOST);
		const shown = !alive && (gone || (!beside.querySelector(".hctr") && performance.now() - begun >= PATIENCE));
		child.style.display = shown ? "" : "none";
		if (beside) beside.style.display = shown ? "none" : "";
		box.classList.toggle("hc-on", Boolean(shown));
		if (shown) started ??= start(box);
	};
	new MutationObserver(decide).observe(area, { subtree: true, childList: true, attributeFilter: ["data-scenes", "hidden"] });
	setTimeout(decide, PATIENCE);
	decide();
}

const savedBox = /** @type {HTMLElement | null} */ (document.querySelector(".hctr-saved:not([data-found])"));
if (savedBox) {
	savedBox.dataset.found = "";
	stand(savedBox);
}
