// The timeline: slots as bars as high as they have clicks. A click goes to one, a drag chooses several; the slider under the
// bars, which nobody sees, is for the keyboard.

import { set } from "./state.js";
import { button, clamp, h, number, range } from "./tools.js";

/** The slots shown, the first and the last. @param {App} app @returns {[number, number]} */
const spanOf = ({ get }) => get("slots") ?? [get("slot"), get("slot")];

/** Choose the slots from one to another, which is then the slot of everything that has one. @param {App} app @param {number} from @param {number} to */
const choose_ = (app, from, to) => set(app, { slot: to, slots: from === to ? null : [Math.min(from, to), Math.max(from, to)] });

/** @param {App} app */
export function createTimeline(app) {
	const { els, about, state, get } = app, last = about.slots.length - 1, most = Math.max(...about.slot_counts, 1);
	els.slot = range("slot", last, 1, (slot) => set(app, { slot, slots: null }));
	els.slot.setAttribute("aria-label", "slot");
	els.slotText = h("output");
	els.oneSlot = button("×", () => set(app, { slots: null }), { class: "hc-one", key: "one_slot", "aria-label": "one slot", title: about.words.one_slot });
	els.bars = h("div.hc-bars-of-slots", { "aria-hidden": "true" }, about.slots.map((_, k) => h("i", { style: `height:${Math.max((100 * about.slot_counts[k]) / most, 4)}%` })));
	els.play = button("▶", () => playing(app, !state.playing), { class: "hc-play", "aria-label": "play the slots", title: "Play the slots" });
	const under = (e) => {
		const box = els.bars.getBoundingClientRect();
		return clamp(Math.floor(((last + 1) * (e.clientX - box.left)) / box.width), 0, last);
	};
	const drop = (e) => {
		if (state.brush != null && e.type === "pointerup") choose_(app, state.brush, under(e));
		state.brush = null;
	};
	els.timeline = h("div.hc-timeline", { onpointerup: drop, onpointercancel: drop, ondblclick: () => set(app, { slots: null }),
		onpointerdown: (e) => {
			if (e.button) return;
			e.preventDefault();
			els.slot.focus();
			els.timeline.setPointerCapture(e.pointerId);
			state.brush = under(e);
		},
		onpointermove: (e) => state.brush != null && light(app, [state.brush, under(e)].sort((a, b) => a - b)),
		onkeydown: (e) => {
			const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[e.key], slot = get("slot"), [a, b] = spanOf(app);
			if (e.key === "Escape") set(app, { slots: null });
			else if (step && e.shiftKey) choose_(app, slot === a ? b : a, clamp(slot + step, 0, last)); // what the slot is not stays
			else return;
			e.preventDefault();
			e.stopPropagation();
		} }, els.bars, els.slot);
	return h("div.hc-field", { hidden: !last }, els.play, els.timeline, els.slotText, els.oneSlot);
}

/** Bring out the bars of some slots, and say when they are. @param {App} app @param {number[]} span */
export function light({ els, about }, [a, b]) {
	els.slotText.value = a === b ? about.slots[a] : `${about.slot_ends[a][0]} to ${about.slot_ends[b][1]}`;
	[...els.bars.children].forEach((bar, k) => bar.classList.toggle("hc-on", k >= a && k <= b));
}

/** Bring it up to the traits. @param {App} app */
export function syncTimeline(app) {
	const { els, about, get } = app, [a, b] = spanOf(app);
	light(app, [a, b]);
	els.oneSlot.hidden = !get("slots");
	els.slot.value = get("slot");
	els.slot.setAttribute("aria-valuetext", els.slotText.value);
	els.timeline.title = `${els.slotText.value}: ${number(about.slot_counts.slice(a, b + 1).reduce((sum, one) => sum + one, 0))} ${about.slot_unit}; ${about.words.timeline}`;
}

/** Go through the slots, or stop. @param {App} app @param {boolean} on */
export function playing(app, on) {
	const { play } = app.els, last = app.about.slots.length - 1;
	app.state.playing = on;
	play.textContent = on ? "❚❚" : "▶";
	play.setAttribute("aria-label", on ? "pause" : "play the slots");
	clearTimeout(app.state.next);
	if (on) set(app, { slot: app.get("slot") >= last ? 0 : app.get("slot") + 1, slots: null });
}
