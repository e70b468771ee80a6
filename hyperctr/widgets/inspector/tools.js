// Small things that every other module uses: numbers in words, elements.

export const TAU = 2 * Math.PI;
/** @type {Hover} */
export const NOTHING = { node: -1, edge: -1, bar: -1 };

export const number = (/** @type {number} */ value) => value.toLocaleString("en-US");
export const clamp = (/** @type {number} */ value, /** @type {number} */ low, /** @type {number} */ high) => Math.min(high, Math.max(low, value));
export const plural = (/** @type {number} */ many, /** @type {string} */ word) => `${number(many)} ${word}${many === 1 ? "" : "s"}`;
export const short = (/** @type {string} */ text, most = 28) => (text.length > most ? text.slice(0, most - 1).trimEnd() + "…" : text);

/**
 * Make an element, perhaps of a class (`div.hc-box`); `onclick` and the like become listeners, `key` is what it is found by.
 * @param {string} tag
 * @param {Record<string, any>} [props]
 * @param {...any} children
 * @returns {any}
 */
export function h(tag, props = {}, ...children) {
	const [name, look] = tag.split("."), made = document.createElement(name);
	if (look) made.className = look;
	made.dataset.lmSuppressShortcuts = ""; // else JupyterLab takes its keys
	for (const [key, value] of Object.entries(props)) {
		if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
		else if (value !== false && value != null) made.setAttribute(key === "key" ? "data-key" : key, value === true ? "" : value);
	}
	made.append(...children.flat(3).filter((child) => child != null));
	return made;
}

/** Say whether a button is pressed. @param {Element} b @param {boolean} on */
export const press = (b, on) => b.setAttribute("aria-pressed", String(on));

/** Do something on each kind of event. @param {Element} e @param {Record<string, (e: any) => void>} acts @param {AddEventListenerOptions} [how] */
export function listen(e, acts, how) {
	for (const [kind, act] of Object.entries(acts)) e.addEventListener(kind, act, how);
}

/** A button that does something. @param {any} text @param {() => void} act @param {Record<string, any>} [props] */
export const button = (text, act, props = {}) => h("button", { type: "button", onclick: act, ...props }, text);

/** A slider. @param {string} key @param {number} max @param {number} step @param {(value: number) => void} act */
export const range = (key, max, step, act) => h("input", { type: "range", min: 0, max, step, key, oninput: (e) => act(+e.target.value) });

/** A list to choose from. @param {string} key @param {any[][]} values value and text of each @param {(value: string) => void} act */
export const select = (key, values, act) => h("select", { key, onchange: (e) => act(e.target.value) },
	values.map(([value, text]) => h("option", { value }, text)));

/** A control with its label. @param {string} text @param {any[]} kids */
export const field = (text, ...kids) => h("label.hc-field", {}, h("span", {}, text), ...kids);
