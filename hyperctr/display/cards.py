"""How data set, split, slots, interest and hypergraph look in a notebook; settings and runs: ``run_cards``.

The classes name these functions (:func:`hyperctr.lazy.lazy_function`); a card says what somebody looks for first.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hyperctr.data.splits import PARTS, Split
from hyperctr.display.card import card, columns, drawing, facts, share_bar, soft, table, written
from hyperctr.display.colours import LOW, MODALITY_COLOURS, NEUTRAL, diverging, modality_colour
from hyperctr.written import EMPTY, show_number

if TYPE_CHECKING:
    from hyperctr.data.dataset import Dataset
    from hyperctr.hypergraph.incidence import Hypergraph
    from hyperctr.hypergraph.interest import Interest
    from hyperctr.runs.session import Session
    from hyperctr.slots import Slots

BINS, USERS = 40, 60  # of the distribution of degrees; columns of the map of users
REST = 0.005  # share of degrees on either side that the axis need not reach
LABELLED = 12  # slots that each get their number


def dataset(data: Dataset) -> str:
    """Return the card of a data set: its row of Table 1, its modalities, and what was noticed when it was read."""
    row = data.table1_row()
    counts = {name.replace("_", "-"): show_number(row[name]) for name in ("users", "items", "clicks", "non_clicks")}
    counts |= {"sparsity": show_number(row["sparsity"]), "clock": row["clock"], "from": row["first"], "to": row["last"]}
    names = list(data.modalities)
    rows = [
        (
            html.escape(name),
            f"{values.dim:,}",
            f"{int(values.present.sum()):,}",
            share_bar(float(values.present.mean()), modality_colour(name, names)),
            f"{values.present.mean():.1%}",
        )
        for name, values in data.features.items()
    ]
    features = table(["modality", "dimensions", "items with it", "", "share"], rows) if rows else "no features"
    noted = len(data.warnings)
    told = f"{noted} note{'s' * (noted > 1)} on what was dropped, masked or merged: see its attribute warnings"
    return card(f"Data set {data.name}", "", facts(counts), features, soft(told) if noted else "")


def hypergraph(H: Hypergraph) -> str:
    """Return the card of a hypergraph: a row per modality."""
    from hyperctr.hypergraph.stats import modalities

    measured, isolated, names = modalities(H), int((H.by_node[0].diff() == 0).sum()), list(H.group_names)
    rows = []
    for m, name in enumerate(names):
        number, incidences, mean, largest, _, covered = (column[m] for column in measured.columns.values())
        bar = share_bar(float(covered), modality_colour(name, names))
        cells = (f"{number:,}", f"{incidences:,}", f"{mean:.2f}", f"{largest:,}", f"{covered:.1%}", bar)
        rows.append((html.escape(name), *cells))
    about = "" if H.slot is None else f"slot {H.slot}"
    counts = {f"{H.node_kind}s": f"{H.num_nodes:,}, {isolated:,} of them isolated"}
    counts |= {"hyperedges": f"{H.num_hyperedges:,}", "incidences": f"{H.nnz:,}"}
    head = ["modality", "hyperedges", "incidences", "mean size", "largest", f"{H.node_kind}s on one", ""]
    return card("Hypergraph", about, facts(counts), table(head, rows))


def session(session: Session) -> str:
    """Return the cards of a session's split and slots."""
    return split(session.split) + slots(session.slots)


def slots(slots: Slots) -> str:
    """Return the card of time slots: a bar of clicks for each."""
    counted = "rows" if slots.clicks is None else "clicks"
    counts = np.bincount(slots.index, minlength=slots.count) if slots.clicks is None else slots.clicks
    long = f"{slots.months} months each" if slots.months else "equally long"
    empty = int((counts == 0).sum())
    says = {"slots": slots.count, counted: f"{counts.sum():,}", "length": long, "empty": empty}
    wide, high, step = 640, 90, 640 / slots.count
    bars = columns(counts.tolist(), [MODALITY_COLOURS["visual"]] * slots.count, width=wide, height=high)
    titles = "".join(
        f'<rect x="{slot * step:.1f}" y="-14" width="{step:.1f}" height="{high + 14}" fill="transparent">'
        f"<title>{html.escape(label)}: {count:,} {counted}</title></rect>"
        for slot, (label, count) in enumerate(zip(slots.labels, counts.tolist(), strict=True))
        if slots.count <= 100
    )
    texts = ""
    if slots.count <= LABELLED:
        for slot, count in enumerate(counts.tolist()):
            texts += written(
                (slot + 0.5) * step, high * (1 - count / max(counts.max(), 1)) - 3, f"{count:,}", anchor="middle"
            )
    for slot, anchor in {0: "start", slots.count - 1: "end"}.items():
        texts += written(0 if slot == 0 else wide, high + 14, slots.labels[slot], anchor=anchor)
        if slots.count == 1:
            break
    frame = f'<g transform="translate(0 16)"><path d="M0 {high}H{wide}" stroke="{NEUTRAL}"/>{bars}{texts}{titles}</g>'
    picture = drawing(frame, width=wide, height=high + 36, says=f"{counted} in each of {slots.count} slots")
    return card("Time slots", f"{slots.clock} clock", facts(says), picture)


def split(split: Split) -> str:
    """Return the card of a split: clicks, users and what is new to training, for each part."""
    total = int(split.clicked.sum())
    known = {name: None if index is None else np.unique(index[split.train]) for name, index in _who(split).items()}
    rows = []
    for part in PARTS:
        clicks = split.rows(part)
        share = len(clicks) / max(total, 1)
        row = [part, f"{len(clicks):,}", share_bar(share, MODALITY_COLOURS["visual"]), f"{share:.1%}"]
        row.append(f"{len(split.non_clicks(part)):,}")
        for name, index in _who(split).items():
            here, before = (None, None) if index is None else (np.unique(index[clicks]), known[name])
            row.append(EMPTY if here is None else f"{len(here):,}")
            cold = EMPTY if here is None or before is None else f"{len(np.setdiff1d(here, before)):,}"
            row.append(EMPTY if part == "train" else cold)
        rows.append(row)
    head = ["part", "clicks", "", "share", "non-clicks", "users", "cold users", "items", "cold items"]
    asked = " : ".join(f"{ratio:g}" for ratio in split.ratios)
    about = f"{split.kind}, {asked}" + (f", seed {split.seed}" if split.kind == "random" else "")
    caption = f"Cold: no training click. Checksum {split.checksum[:12]}."
    return card("Split", about, table(head, rows, caption))


def _who(split: Split) -> dict[str, Any]:
    return {"user": split.user, "item": split.item}


def interest(interest: Interest) -> str:
    """Return the card of the interest: how degrees lie around the threshold, and the interests of users as a map."""
    delta, names = interest.threshold, list(interest.modalities)
    low, high = _ends(interest.degree, delta)
    edges = np.linspace(low, high, BINS + 1)
    colours = [diverging(0.5 + np.sign(middle - delta) / 2) for middle in (edges[:-1] + edges[1:]) / 2]
    rows = []
    for m, name in enumerate(names):
        degree = interest.degree[:, m][np.isfinite(interest.degree[:, m])]
        counts = np.histogram(np.clip(degree, low, high), edges)[0]  # bars at the ends have what lies beyond
        bars = columns(counts.tolist(), colours, width=240, height=34)
        at = 240 * (delta - low) / (high - low)
        line = f'<path d="M{at:.1f} 0V34" stroke="currentColor" stroke-dasharray="2 2"/>'
        said = f"degrees of interest in {name}, from {low:g} to {high:g}"
        picture = drawing(bars + line, width=240, height=35, says=said)
        middle, above = (np.median(degree), (degree >= delta).mean()) if len(degree) else (np.nan, np.nan)
        share = f"{above:.1%}" if len(degree) else EMPTY
        rows.append((_swatch(modality_colour(name, names), name), picture, show_number(float(middle), 3), share))
    slots, users, _ = interest.matrix.shape
    says = {"training clicks": f"{len(interest.degree):,}", "users": f"{users:,}", "slots": slots}
    if interest.losses:
        many = len(interest.losses)
        says["loss"] = f"{interest.losses[0]:.3f} to {interest.losses[-1]:.3f} in {many} epoch{'s' * (many > 1)}"
    head = ["degree of interest", f"training clicks, {low:g} to {high:g}", "median", f"at least δ = {delta:g}"]
    return card(
        "Interest", "pre-trained, in each modality", facts(says), table(head, rows), _map_of_users(interest, names)
    )


def _ends(degree: NDArray[np.floating[Any]], delta: float) -> tuple[float, float]:
    """Return the ends of one axis for all modalities: round numbers around nearly all degrees and the threshold."""
    known = degree[np.isfinite(degree)]
    nearly = np.quantile(known, [REST, 1 - REST]).tolist() if len(known) else [0.0, 1.0]
    low, high = min(*nearly, delta), max(*nearly, delta)
    step = 10 ** np.floor(np.log10(max(high - low, 0.01) / 4))
    return max(0.0, np.floor(low / step - 0.5) * step), min(1.0, np.ceil(high / step + 0.5) * step)


def _map_of_users(interest: Interest, names: list[str]) -> str:
    """Draw mean interest, modalities by users, who are put beside those who are like them."""
    every = -(-interest.matrix.shape[1] // 20_000)  # of a million users, some
    matrix = interest.matrix[:, ::every].astype(np.float64)
    known = np.isfinite(matrix)
    mean = np.where(known, matrix, 0).sum(0) / np.maximum(known.sum(0), 1)  # [U, M]
    mean = mean[known.any((0, 2))]
    if not len(mean):
        return ""
    delta, first = interest.threshold, mean.argmax(1)
    ordered = mean[np.lexsort((-mean.max(1), first))]
    parts = [part.mean(0) for part in np.array_split(ordered, min(USERS, len(ordered)))]
    reach = max(0.01, float(np.abs(np.array(parts) - delta).max()))
    wide, high, left = 8, 16, 90
    body = ""
    for m, name in enumerate(names):
        body += written(left - 8, m * (high + 2) + 12, name, anchor="end", soft=False)
        cells: dict[str, str] = {}
        for place, part in enumerate(parts):
            steps = round((0.5 + (part[m] - delta) / reach / 2) * 12) / 12  # few colours: one path each
            where = f"M{left + place * wide} {m * (high + 2)}h{wide}v{high}h-{wide}z"
            cells[diverging(steps)] = cells.get(diverging(steps), "") + where
        body += "".join(f'<path fill="{colour}" d="{path}"/>' for colour, path in cells.items())
    size = {"width": left + wide * len(parts), "height": len(names) * (high + 2)}
    said = f"mean interest of {len(mean):,} users in each modality"
    scale = f"{_swatch(LOW, f'{delta - reach:.2f}')} {_swatch(diverging(0.5), f'δ = {delta:g}')} "
    scale += _swatch(diverging(1), f"{delta + reach:.2f}")
    each = len(mean) / len(parts)
    words = f"Users, sorted by the modality they like most; a column is the mean of about {each:,.0f}."
    return f"{drawing(body, **size, says=said)}{soft(words)}<div>{scale}</div>"


def _swatch(colour: str, text: str) -> str:
    box = f'<span style="display:inline-block;width:10px;height:10px;border-radius:2px;background:{colour}"></span>'
    return f"{box} {html.escape(text)}"
