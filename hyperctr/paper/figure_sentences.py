"""One paragraph under each figure, written from its numbers alone: what was chosen, what can be told apart, what not.

Selection is by validation, the claim is the test value of what was chosen. A difference is called one only if its
interval leaves zero out; one seed gives no interval for a difference, and then none is claimed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from hyperctr.paper.figures.settings_frame import REPORTED, missing_runs
from hyperctr.paper.numbers import counterpart, is_printed, notes, paper_numbers
from hyperctr.paper.settings import Axis, axis_of


def join(words: Sequence[str]) -> str:
    """Write a list as text.

    >>> join(["a"]), join(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def axis_paragraph(frame: pd.DataFrame, dataset: str = "") -> str:
    """Say what Figures 4-6 show, a paragraph per setting of an :func:`~.settings_frame.axis_frame`.

    Args:
        frame: the frame.
        dataset: name of ours, to say how the paper's relate to it; empty says nothing.

    >>> from hyperctr.paper.figures.settings_frame import axis_frame
    >>> runs = pd.DataFrame({"axis": "layers", "value": [1.0, 2.0], "label": ["1", "2"], "seed": 0, "run": "r",
    ...     "state": "done", "auc": [0.7, 0.8], "auc_low": 0.6, "auc_high": 0.9, "best_validation_auc": [0.7, 0.81]})
    >>> axis_paragraph(axis_frame(runs)).split(";")[0]
    '**Convolution layers.** Best on validation: 2 layers (0.8100)'
    """
    settings = dict.fromkeys(frame["setting"].dropna())
    simple = frame[frame["kind"] == "reference"]
    parts = []
    for setting in settings:
        ours = frame[frame["setting"] == setting]
        axis = axis_of(str(setting))
        means = ours[(ours["kind"] == "mean") & (ours["seeds"] > 0)]
        words = [f"**{axis.title[0].upper()}{axis.title[1:]}.**"]
        if means.empty:
            words.append("No run has a result, so nothing can be said.")
        else:
            words += _choice(means, axis)
            words += _differences(means, axis)
            words += _beside(means, simple)
            words += _agreement(ours[ours["kind"] == "paper"], means, axis)
        lost = missing_runs(ours)
        if lost:
            words.append(f"Without a result: {'; '.join(lost)}.")
        parts.append(" ".join(words))
    if dataset and not is_printed(dataset):
        near = counterpart(dataset)
        parts.append(f"None of the paper's data sets is {dataset}{f'; {near} is the nearest' if near else ''}.")
    return "\n\n".join(parts)


def _choice(means: pd.DataFrame, axis: Axis) -> list[str]:
    chosen = means[means["chosen"]]
    if chosen.empty:
        return ["No validation AUC was recorded, so no value is chosen."]
    best = chosen.iloc[0]
    tied = means[(means["validation_auc"] == best["validation_auc"]) & (means["seeds"] == best["seeds"])]
    text = f"Best on validation: {axis.words(best['value'])} ({best['validation_auc']:.4f})"
    if len(tied) > 1:
        others = [axis.words(value) for value in tied["value"] if value != best["value"]]
        text += f", tied with {join(others)}, of which the smallest is taken"
    text += f"; its test AUC is {_interval(best)}."
    words = [text]
    top = means.sort_values("auc").iloc[-1]
    if top["auc"] > best["auc"]:
        words.append(
            f"On test {axis.words(top['value'])} would be higher ({top['auc']:.4f}); it is not chosen by that."
        )
    places = dict(zip(means["value"], axis.places(means["value"], means["value"]), strict=True))
    if len(places) > 1 and places[best["value"]] in (min(places.values()), max(places.values())):
        words.append("That is the end of the range tried, so the best may lie beyond it.")
    return words


def _interval(row: Any) -> str:
    text = f"{row['auc']:.4f}"
    return text + (f" ({row['auc_low']:.4f} to {row['auc_high']:.4f})" if np.isfinite(row["auc_low"]) else "")


def _differences(means: pd.DataFrame, axis: Axis) -> list[str]:
    """Tell the range, and hold the chosen value against each of the others."""
    if len(means) < 2:
        return ["There is no other value with a result to compare it with."]
    order = sorted(means["value"], key=lambda value: axis.places([value], means["value"])[0])
    lowest, highest = (means.sort_values("auc").iloc[place] for place in (0, -1))
    span = (
        f"Between {axis.words(order[0])} and {axis.words(order[-1])} test AUC moves by "
        f"{highest['auc'] - lowest['auc']:.4f}, from {lowest['auc']:.4f} ({axis.words(lowest['value'])}) to "
        f"{highest['auc']:.4f} ({axis.words(highest['value'])})."
    )
    chosen, others = means[means["chosen"]], means[np.isfinite(means["behind_low"].to_numpy(np.float64))]
    if chosen.empty or others.empty:
        return [span, "With one seed there is no interval for the difference between two values."]
    told: dict[str, list[str]] = {"higher than with": [], "lower than with": [], "": []}
    for row in others.to_dict("records"):
        name, low, high = axis.words(row["value"]), row["behind_low"], row["behind_high"]
        side = "higher than with" if low > 0 else "lower than with" if high < 0 else ""
        if side:
            ends = sorted((abs(low), abs(high)))
            name += f" (by {abs(row['behind']):.4f}, {ends[0]:.4f} to {ends[1]:.4f})"
        told[side].append(name)
    best, seeds = axis.words(chosen["value"].iloc[0]), int(chosen["seeds"].iloc[0])
    how = f"Over {seeds} seeds" if seeds > 1 else "Paired over the test users of one seed"
    words = [f"{how}, test AUC with {best} is {side} {join(names)}." for side, names in told.items() if side and names]
    if told[""]:
        each = "The interval of its difference" if words else f"{how}, the interval of the difference of {best}"
        words.append(f"{each} to {join(told[''])} includes zero.")
    return [span, *words]


def _beside(means: pd.DataFrame, simple: pd.DataFrame) -> list[str]:
    chosen = means[means["chosen"]]
    if chosen.empty or simple.empty:
        return []
    best, strongest = chosen.iloc[0], simple.sort_values("auc").iloc[-1]
    side = "above" if best["auc"] > strongest["auc"] else "below" if best["auc"] < strongest["auc"] else "equal to"
    return [f"The chosen value is {side} the strongest simple model, {strongest['label']} ({strongest['auc']:.4f})."]


def _agreement(stated: pd.DataFrame, means: pd.DataFrame, axis: Axis) -> list[str]:
    """Set the chosen value beside those the paper states; the data sets are not the same, so no more than that."""
    chosen = means[means["chosen"]]
    if stated.empty or chosen.empty:
        return []
    best = float(chosen["value"].iloc[0])
    agree: list[str] = []
    differ: list[str] = []
    for one in stated[stated["label"] != REPORTED].to_dict("records"):
        low, high = one["value"], one["value_high"]
        if not np.isfinite(high):
            range_ = f"{axis.words(low)} or more"
        else:
            range_ = axis.words(low) if low == high else f"{axis.words(low)} to {high:g}"
        inside = low <= best <= high
        tried = ((means["value"] >= low) & (means["value"] <= high)).any()
        name = f"{one['label']} ({range_}{'' if tried else ', not tried here'})"
        (agree if inside else differ).append(name)
    used = [axis.words(value) for value in stated.loc[stated["label"] == REPORTED, "value"]]
    if not agree and not differ:
        return [f"The paper names no best value; its results are those of {join(used)}."]
    text = "What the paper states as best on its data sets"
    if agree:
        text += f" agrees with the value chosen here for {join(agree)}"
    if differ:
        text += f"{',' if agree else ''} differs from it for {join(differ)}"
    return [f"{text}."]


def with_notes(text: str, figure: str) -> str:
    r"""Return a paragraph with what has to be said of the paper's own figure below it.

    >>> with_notes("Ours.", "figure8").split(":")[0]
    'Ours.\n\n*On the paper*'
    """
    return "\n\n".join([text, *(f"*On the paper*: {note}" for note in notes(figure))])


def scaling_paragraph(frame: pd.DataFrame, machine: dict[str, Any], busy_cores: float) -> str:
    """Say what Figure 7 shows.

    Args:
        frame: a :func:`~hyperctr.paper.figures.figure7_scaling.speedup_frame`.
        machine: ``processor`` and ``cores``.
        busy_cores: how many were busy at the start; nan if unknown.
    """
    most = int(frame["threads"].max())
    if most == 1:
        text = "one core" if machine["cores"] == 1 else "one thread"
        rate = frame.iloc[0]
        return (
            f"Measured with {text} only ({machine['processor']}), so there is no speed-up to show: "
            f"{rate['per_second']:.1f} training steps a second."
        )
    words = []
    for row in frame[frame["threads"] == most].to_dict("records"):
        what = f"a {row['what']}" if row["what"] == "training step" else f"the {row['what']} alone"
        words.append(
            f"{what} is {row['speedup']:.2f} times as fast as with one ({row['speedup_low']:.2f} to "
            f"{row['speedup_high']:.2f} over {row['rounds']} rounds), {row['speedup'] / most:.0%} of a linear "
            "speed-up"
        )
    text = f"With {most} threads, {join(words)}."
    paper = paper_numbers()["figure7"]
    text += (
        f" This machine has {machine['cores']} cores ({machine['processor']}); the paper's had {paper['cores']}, with "
    )
    text += f"{paper['threads'][0]} to {paper['threads'][1]} threads. {paper['note']}"
    if most > machine["cores"]:
        text += " More threads than cores were asked for, so a linear speed-up cannot be expected."
    if np.isfinite(busy_cores):
        text += f" When the measurement began, {busy_cores:.1f} cores were busy"
        text += ": the speed-ups are lower than on an idle machine." if busy_cores >= 0.5 else "."
    return text


def curves_paragraph(frame: pd.DataFrame) -> str:
    """Say what Figure 8 shows, a sentence per panel of a :func:`~.figure8_curves.curves_frame`."""
    if frame.empty:
        return "No run has finished, so there is no curve."
    words = []
    for label, ours in frame.groupby("label", sort=False):
        best = ours[ours["best"]]
        if best.empty:
            words.append(f"**{label}**: no validation AUC was recorded.")
            continue
        lasts = ours.groupby("run")["seen"].max()
        still = int((best.set_index("run")["seen"] == lasts.reindex(best["run"])).sum())
        after = best["seen"].mean()
        text = (
            f"**{label}**: best validation AUC {best['validation_auc'].mean():.4f} after {after:.2f} passes over "
            f"the training set, of {lasts.mean():.2f} trained"
        )
        text += f" (means over {len(best)} seeds)" if len(best) > 1 else ""
        if still:
            which = "its last point" if len(best) == 1 else f"the last point in {still} of {len(best)} seeds"
            text += f"; the best is {which}, so longer training might help"
        words.append(f"{text}.")
    return " ".join(words)
