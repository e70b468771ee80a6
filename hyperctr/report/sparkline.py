"""A learning curve as a picture of a line's height: SVG that stands in a table's cell and needs no script."""

from __future__ import annotations

from collections.abc import Sequence

WIDTH, HEIGHT, EDGE = 120.0, 26.0, 3.0


def sparkline(points: Sequence[tuple[float, float]]) -> str:
    """Return an inline SVG of (epoch, validation AUC) points, the best one as a dot; empty for no points.

    Each curve fills its own height: the words behind it, also read out by a screen reader, say from where to where.

    >>> print(sparkline([(1, 0.5), (2, 0.75), (3, 0.7)]).partition("<polyline")[2].partition("/>")[0])
     points="3.0,23.0 60.0,3.0 117.0,7.0"
    >>> sparkline([])
    ''
    """
    if not points:
        return ""
    xs, ys = [point[0] for point in points], [point[1] for point in points]
    wide, high = max(xs) - min(xs) or 1.0, max(ys) - min(ys) or 1.0
    places = [
        (EDGE + (x - min(xs)) / wide * (WIDTH - 2 * EDGE), HEIGHT - EDGE - (y - min(ys)) / high * (HEIGHT - 2 * EDGE))
        for x, y in points
    ]
    words = f"validation AUC {ys[0]:.3f} to {ys[-1]:.3f} in {xs[-1]:.3g} epochs, best {max(ys):.3f}"
    x, y = places[ys.index(max(ys))]
    line = " ".join(f"{left:.1f},{top:.1f}" for left, top in places)
    return (
        f'<svg class="sparkline" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" width="{WIDTH:g}" height="{HEIGHT:g}" role="img">'
        f'<title>{words}</title><polyline points="{line}"/><circle cx="{x:.1f}" cy="{y:.1f}" r="2.5"/></svg>'
    )
