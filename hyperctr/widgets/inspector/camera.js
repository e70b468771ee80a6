// Where the camera stands: one for each family of views, kept while the reader looks at others.

/** The camera of the view shown: places are scaled by k about the middle, then moved by x and y pixels. @param {App} app @returns {Camera} */
export const cameraOf = (app) => (app.state.cameras[app.view.camera] ??= { k: 1, x: 0, y: 0 });

/** The part of a layout that holds some places: middle and half of each axis. @param {Float32Array[]} axes @returns {Box} */
export const boxOf = (...axes) => axes.map(span).map(([low, high]) => [(low + high) / 2, Math.max((high - low) / 2, 0.04)]);

/** Least and greatest value of some. @param {Iterable<number>} values @returns {[number, number]} */
export function span(values) {
	let low = Infinity, high = -Infinity;
	for (const one of values) [low, high] = [Math.min(low, one), Math.max(high, one)];
	return low > high ? [-1, 1] : [low, high];
}
