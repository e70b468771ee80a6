// Types that the modules share, for `tsc --checkJs`; nothing here is served.

/** What is pointed at: position of a node, of a hyperedge, of a bar; -1 is none. */
interface Hover { node: number; edge: number; bar: number }
interface Camera { k: number; x: number; y: number }
interface Look {
	width: number; height: number; font: string; background: string; text: string; muted: string; node: string;
	faint: string; grid: string; joint: string; colours: string[]; strong: number;
}
/** Screen places of nodes and hyperedges. */
interface Placed { X: Float32Array; Y: Float32Array; EX: Float32Array; EY: Float32Array }
/** What drawing code may use: the browser's own context, or the one that records SVG. */
type Pen = CanvasRenderingContext2D;
/** What Python sent (`hyperctr/widgets/scene.py`) and what `unpack` adds. */
interface Scene {
	nodes: any[]; titles: string[]; edge_labels: any[]; edge_titles: string[]; modalities: string[];
	node_kind: string; edge_kind: string; side: string; slot: number; delta: number; around: string; rule: string;
	x: Float32Array; y: Float32Array; degree: Int32Array; edge_offsets: Int32Array; edge_nodes: Int32Array;
	edge_modality: Uint8Array; edge_weight: Float32Array; edge_number: Int32Array; marks?: Uint8Array;
	n: number; e: number; index: Map<any, number>; nodeStart: Int32Array; nodeEdges: Int32Array;
	ex: Float32Array; ey: Float32Array; sizeOrder: Int32Array; degreeOrder: Int32Array;
	trees?: number[][]; columns?: any; combinations?: Map<number, { pairs: number[]; nodes: Set<number> }>; frames?: any;
	against?: [number, number];
}
/** Nodes and hyperedges to bring out: those hovered over, else those of what is selected. */
interface Lit { nodes: Set<number>; edges: Set<number>; hovering: boolean }
/** One way to draw a scene. */
interface View {
	label: string;
	/** Whether it can be moved and zoomed, nodes standing at places (`app.placed`). */
	movable: boolean;
	/** Views of one name share a camera. */
	camera: string;
	/** Hover and selection change the picture itself, and nothing is drawn above it. */
	repaints?: boolean;
	/** Dragging selects a box, without Shift. */
	brushes?: boolean;
	places?(s: Scene): { x: Float32Array; y: Float32Array; ex: Float32Array; ey: Float32Array };
	paint(ctx: Pen, app: App): void;
	highlight?(ctx: Pen, app: App, lit: Lit): void;
	/** What an exported picture has on top. */
	finish?(ctx: Pen, app: App): void;
	pick(app: App, x: number, y: number): Hover;
	boxed?(app: App, left: number, top: number, right: number, bottom: number): number[];
	/** What a bar says, and which nodes it holds. */
	bars?(app: App): number;
	bar?(app: App, bar: number): { words: string[]; nodes: Iterable<number> };
}
/** One inspector on a page: all its state. */
interface App {
	model: any; about: any; uid: string; els: Record<string, any>; state: any; chosen: Set<number>;
	cleanups: (() => void)[]; look: Look; placed: Placed; drawnAt: Camera | null; get(name: string): any;
}
