// Brings every control up to what the traits and the scene say.

import { syncOptions } from "./options.js";
import { syncTimeline } from "./timeline.js";
import { h, number, press } from "./tools.js";
import { viewName } from "./views.js";

/** @param {App} app */
export function sync(app) {
	const { els, get, about, state } = app, last = about.slots.length - 1, view = viewName(app);
	const pressed = [get("view") ?? "auto", get("side"), ...get("modalities")];
	for (const group of [els.views, els.sides, els.chips]) for (const b of group.children) press(b, pressed.includes(b.dataset.key));
	for (const b of els.views.children) b.classList.toggle("hc-now", !get("view") && b.dataset.key === view);
	press(els.swap, get("swap"));
	syncTimeline(app);
	els.delta.value = get("delta");
	els.deltaText.value = get("delta").toFixed(2);
	for (const [element, value] of [[els.neighbours, get("neighbours")], [els.limit, get("limit")]]) {
		if (![...element.options].some((o) => +o.value === value)) element.append(h("option", { value }, number(value)));
		element.value = value;
	}
	if (els.root.ownerDocument.activeElement !== els.search) els.search.value = get("query");
	els.found.hidden = !get("query");
	els.focusChip.hidden = !get("focus");
	els.focusChip.textContent = `around ${state.scene?.around || "…"}  ×`;
	els.partChip.hidden = !state.whole;
	els.partChip.textContent = `${state.scene?.name || ""}  ×`;
	for (const [name, box] of Object.entries(els.extra)) box.hidden = view !== name;
	els.sort.value = state.sort;
	els.compareSlot.value = get("compare_slot") ?? (get("slot") ? get("slot") - 1 : Math.min(1, last));
	els.compareDelta.value = get("compare_delta") ?? get("delta");
	els.compareText.value = (+els.compareDelta.value).toFixed(2);
	syncOptions(app);
	els.hint.textContent = about.words[view] || about.words.hint;
	els.zoom.hidden = !app.view.movable;
	els.root.dataset.view = view;
}
