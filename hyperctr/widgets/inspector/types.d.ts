// Types that the modules share, for `tsc --checkJs`; nothing here is served.

/** What is pointed at: position of a node, of a hyperedge, of a bar or cluster; -1 is none. */
interface Hover { node: number; edge: number; bar: number }
interface Camera { k: number; x: number; y: number }
/** A rectangle of the stage; as a panel, it has the layout of one modality, a name, and `total` hyperedges to show. */
interface Frame { x: number; y: number; w: number; h: number; m?: number; name?: string; colour?: string; total?: number }
/** Pixels of the stage where nodes are. */
interface Places { X: Float32Array; Y: Float32Array }
/** Middle and half of the range of each axis. */
type Box = [number, number][];
interface Look {
	width: number; height: number; font: string; background: string; text: string; muted: string; node: string;
	faint: string; grid: string; joint: string; colours: string[]; tints: string[][]; strong: number;
	/** Height of the legend at the bottom. */
	legend: number;
	/** Drawn as a part of another view, under that one's words. */
	inset?: boolean;
}
/** What drawing code may use: the browser's own context, or the one that records SVG. */
type Pen = CanvasRenderingContext2D;
/** Nodes that are the corners of a hyperedge's region, and pairs (stray member, nearest in the region). */
interface Region { corners: number[]; arms: [number, number][] }
/** Hyperedges drawn, the nodes on them, whether there are others. */
interface Drawn { edges: Int32Array; members: Set<number>; cut: boolean }
interface Cluster { x: number; y: number; nodes: number[]; top: number; share: Float64Array; edges: number }
/** What colours nodes (`hyperctr/widgets/colourings.py`). */
interface Colouring { name: string; kind: "number" | "category"; labels: string[]; low: number; high: number; log: boolean; colours: string[] }
/** What Python sent (`hyperctr/widgets/scene.py`) and what `worked` adds; the rest is worked out when first needed. */
interface Scene {
	nodes: any[]; titles: string[]; edge_labels: any[]; edge_titles: string[]; modalities: string[];
	node_kind: string; edge_kind: string; side: string; slot: number; slot_label: string; threshold: string; delta: number; around: string; rule: string;
	x: Float32Array; y: Float32Array; px: Float32Array; py: Float32Array; node_colour: Float32Array; colouring: Colouring | null;
	degree: Int32Array; edge_offsets: Int32Array; edge_nodes: Int32Array;
	edge_modality: Uint8Array; edge_weight: Float32Array; edge_number: Int32Array; marks?: Uint8Array;
	against?: [number, number]; name?: string; part?: Uint8Array; panels?: { slot: number; label: string; total: number }[];
	n: number; e: number; index: Map<any, number>; nodeStart: Int32Array; nodeEdges: Int32Array; rankOf: Int32Array;
	ex: Float32Array; ey: Float32Array; sizeOrder: Int32Array; turnOrder: Int32Array; degreeOrder: Int32Array; weight: Float32Array;
	trees?: number[][]; columns?: any; combinations?: Map<number, { pairs: number[]; nodes: Set<number> }>; orders?: any;
	regions?: Region[]; clusters?: any; drawn: Record<string, Drawn>; tones?: { tone: Int8Array | null; palette: string[] };
}
/** Nodes and hyperedges to bring out: those hovered over, else those of what is selected. */
interface Lit { nodes: Set<number>; edges: Set<number>; hovering: boolean }
/** One way to draw a scene. */
interface View {
	label: string;
	/** What it is called in a sentence, where it may be chosen by itself. */
	long?: string;
	/** Whether it can be moved and zoomed. */
	movable: boolean;
	/** Views of one name share a camera. */
	camera: string;
	/** A slow picture may be moved as a whole while it is dragged. */
	slides?: boolean;
	/** Hover and selection change the picture itself, and nothing is drawn above it. */
	repaints?: boolean;
	/** What a click on a bar does, where it does not select its nodes. */
	enter?(app: App, bar: number): void;
	/** Let a new camera show all of the scene. */
	fit?(app: App): void;
	/** Put things in their places: sets `app.placed`, which is the view's own. */
	place?(app: App): void;
	/** What stays where it is when the picture is zoomed at a point. */
	centre?(app: App, x: number, y: number): [number, number];
	/** Where something is on the stage. */
	at?(app: App, what: Hover): [number, number];
	paint(ctx: Pen, app: App): void;
	highlight?(ctx: Pen, app: App, lit: Lit): void;
	/** What does not slide with it, above it: names at its sides. */
	rim?(ctx: Pen, app: App): void;
	/** What stands on top while nothing is hovered over or selected, and in an exported picture. */
	finish?(ctx: Pen, app: App): void;
	pick(app: App, x: number, y: number): Hover;
	/** Nodes under a lasso. */
	inside?(app: App, holds: (x: number, y: number) => boolean): number[];
	/** Bars or clusters: how many, what one is called and says, which nodes it holds. */
	bars?(app: App): number;
	bar?(app: App, bar: number): { name?: string; words: string[]; nodes: Iterable<number> };
}
/** One inspector on a page: all its state. */
interface App {
	model: any; about: any; readonly scene: Scene | any; uid: string; els: Record<string, any>; state: any; chosen: Set<number>; cleanups: (() => void)[];
	look: Look; view: View; placed: any; drawnAt: Camera | null; get(name: string): any;
	goInto(nodes: Iterable<number> | null, name?: string): void;
}
