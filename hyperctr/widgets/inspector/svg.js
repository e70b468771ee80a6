// A context that writes SVG: the same drawing code makes the screen's picture and a file for a paper.

const ALIGN = { left: "start", center: "middle", right: "end" };
const escaped = (text) => String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
const round = (v) => +v.toFixed(2);

/**
 * Make a recorder with the part of a canvas context that the drawing code uses; `text()` returns the file.
 * @param {CanvasRenderingContext2D} measure a context that measures text
 * @param {number} width @param {number} height
 * @returns {any}
 */
export function createSvg(measure, width, height) {
	const parts = [], saved = [];
	let path = "", open = 0, clips = 0;
	const style = { fillStyle: "#000", strokeStyle: "#000", lineWidth: 1, globalAlpha: 1, font: "", textAlign: "left", textBaseline: "middle", lineCap: "butt", lineJoin: "miter" };
	const add = (tag, attributes, inside = "") => {
		const own = Object.entries(attributes).map(([name, value]) => ` ${name}="${typeof value === "number" ? round(value) : escaped(value)}"`).join("");
		parts.push(`<${tag}${own}${inside ? `>${escaped(inside)}</${tag}>` : "/>"}`);
	};
	const group = (attribute) => {
		parts.push(`<g ${attribute}>`);
		open++;
	};
	const faded = () => (pen.globalAlpha < 1 ? { opacity: pen.globalAlpha } : {});
	const lines = () => ({ fill: "none", stroke: pen.strokeStyle, "stroke-width": pen.lineWidth, "stroke-linecap": pen.lineCap, "stroke-linejoin": pen.lineJoin, ...faded() });
	const words = (text, x, y, look) => {
		const bold = pen.font.startsWith("600") ? { "font-weight": 600 } : {};
		if (text) add("text", { x, y, "text-anchor": ALIGN[pen.textAlign], "dominant-baseline": "central", ...bold, ...look, ...faded() }, text);
	};
	const pen = { ...style,
		beginPath: () => (path = ""),
		moveTo: (x, y) => (path += `M${round(x)} ${round(y)}`),
		lineTo: (x, y) => (path += `${path ? "L" : "M"}${round(x)} ${round(y)}`),
		bezierCurveTo: (...at) => (path += "C" + at.map(round).join(" ")),
		rect: (x, y, w, h) => (path += `M${round(x)} ${round(y)}h${round(w)}v${round(h)}h${round(-w)}z`),
		closePath: () => (path += path ? "z" : ""),
		arc(x, y, r, from, to) {
			const at = (angle) => `${round(x + r * Math.cos(angle))} ${round(y + r * Math.sin(angle))}`, turn = to - from;
			path += `${path ? "L" : "M"}${at(from)}`;
			if (turn > 6.28) path += `A${round(r)} ${round(r)} 0 1 1 ${at(from + Math.PI)}`;
			path += `A${round(r)} ${round(r)} 0 ${turn > Math.PI && turn < 6.28 ? 1 : 0} 1 ${at(to)}`;
		},
		fill: () => path && add("path", { d: path, fill: pen.fillStyle, ...faded() }),
		stroke: () => path && add("path", { d: path, ...lines() }),
		fillRect: (x, y, w, h) => add("rect", { x, y, width: Math.max(w, 0), height: Math.max(h, 0), fill: pen.fillStyle, ...faded() }),
		fillText: (text, x, y) => words(text, x, y, { fill: pen.fillStyle }),
		strokeText: (text, x, y) => words(text, x, y, { ...lines(), fill: "none" }),
		measureText(text) {
			measure.font = pen.font;
			return measure.measureText(text);
		},
		save() {
			saved.push([Object.fromEntries(Object.keys(style).map((name) => [name, pen[name]])), open]);
		},
		restore() {
			const [look, depth] = saved.pop();
			while (open > depth) {
				parts.push("</g>");
				open--;
			}
			Object.assign(pen, look);
		},
		clip() {
			parts.push(`<clipPath id="c${++clips}"><path d="${path}"/></clipPath>`);
			group(`clip-path="url(#c${clips})"`);
		},
		translate: (x, y) => group(`transform="translate(${round(x)} ${round(y)})"`),
		rotate: (angle) => group(`transform="rotate(${round((angle * 180) / Math.PI)})"`),
		text: (font) => `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${escaped(font)}" font-size="11.5">` +
			`${parts.join("")}${"</g>".repeat(open)}</svg>` };
	return pen;
}
