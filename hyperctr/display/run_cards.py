"""How settings and runs look in a notebook; see :mod:`hyperctr.display.cards`."""

from __future__ import annotations

import dataclasses
import html
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from hyperctr.config import Config
from hyperctr.display.card import card, facts, learning_curve, soft, table
from hyperctr.display.colours import MODALITY_COLOURS
from hyperctr.display.table import value_cell
from hyperctr.errors import RunError
from hyperctr.runtime import duration
from hyperctr.written import EMPTY, show_interval, show_number

if TYPE_CHECKING:
    from hyperctr.runs.run import Run

# the first setting of each group, as in hyperctr/config.py
GROUPS = {
    "model": "What is predicted, and what a prediction may look at",
    "interest_epochs": "Interest and hypergraphs",
    "embedding_size": "The model",
    "epochs": "Training and evaluation",
}


def config(config: Config) -> str:
    """Return the card of settings, in groups; those that differ from the default are marked with it."""
    groups: dict[str, list[str]] = {}
    for setting in _settings(config):
        groups.setdefault(setting.group, []).append(_setting(setting))
    parts = [f'<b>{html.escape(name)}</b><div class="hc-row">{" ".join(each)}</div>' for name, each in groups.items()]
    changed = sum(setting.changed for setting in _settings(config))
    return card("Settings", f"{config.model}; {changed} differ from the default", *parts)


@dataclasses.dataclass(frozen=True)
class _Setting:
    """A setting of a run, or an option of its model."""

    group: str
    name: str
    value: Any
    usual: Any
    help: str

    @property
    def changed(self) -> bool:
        return bool(self.value != self.usual)


def _settings(config: Config) -> Iterator[_Setting]:
    group = ""
    for field in dataclasses.fields(config):
        group = GROUPS.get(field.name, group)
        if field.name != "options":
            yield _Setting(group, field.name, getattr(config, field.name), field.default, field.metadata["help"])
    for option in () if config.options is None else dataclasses.fields(config.options):
        value, name = getattr(config.options, option.name), f"options.{option.name}"
        yield _Setting(f"Of {config.model} alone", name, value, option.default, option.metadata["help"])


def _setting(setting: _Setting) -> str:
    name, value, usual, text = setting.name, setting.value, setting.usual, setting.help
    shown, mark = f"{html.escape(name)} <b>{html.escape(_value(value))}</b>", ""
    if setting.changed:
        mark = f' style="border-left:3px solid {MODALITY_COLOURS["acoustic"]};padding-left:5px"'
        shown += f' <span class="hc-soft">default {html.escape(_value(usual))}</span>'
    return f'<span title="{html.escape(text)}"{mark}>{shown}</span>'


def run(run: Run) -> str:
    """Return the card of a run: its metrics beside the baselines, its curve, and what its settings change."""
    metrics, config = run.metrics, run.config
    records, points = (cast("list[dict[str, Any]]", frame.to_dict("records")) for frame in (run.rows, run.events))
    about = f"{metrics['model']} on {metrics['dataset']}, protocol {config.protocol}, {config.split} split, "
    about += f"seed {config.seed}"
    if "seconds" in metrics:  # those of another library's model are not known
        about += f", {duration(metrics['seconds'])}" + (f" on {metrics['device']}" if "device" in metrics else "")
    lines: list[list[str]] = []
    for row in records:
        line = [f"<b>{html.escape(row['model'])}</b>" if not lines else html.escape(row["model"])]
        for name, digits in (("auc", 4), ("gauc", 4), ("logloss_calibrated", 4)):
            known = (float(row.get(f"{name}{end}", np.nan)) for end in ("", "_low", "_high"))
            line.append(value_cell(*known, bold=not lines, digits=digits).html())
        lines.append([*line, _ahead(row)])
    head = ["", "AUC", "GAUC", "log loss, calibrated", f"AUC of {metrics['model']} minus this"]
    caption = f"{metrics['test_clicks']:,} test clicks, {config.test_candidates:,} sampled items each; 95 % intervals."
    changed = {setting.name: _value(setting.value) for setting in _settings(config) if setting.changed}
    settings = (
        f"{soft('Settings that differ from the default')}{facts(changed)}" if changed else soft("Default settings")
    )
    # the end of its path: a report that is passed on says nothing of the machine
    folder = html.escape("/".join(run.folder.parts[-3:]))
    place = f'<span class="hc-soft">in</span> <code>{folder}</code>'
    return card(
        f"Run {run.id}",
        about,
        table(head, lines, caption),
        learning_curve(points),
        settings,
        place,
        warnings=_suspicious(run),
    )


def _ahead(row: Mapping[str, Any]) -> str:
    """Write the gain of a run over a row of its table, with its interval and what that says."""
    gain, low, high = (float(row.get(name, np.nan)) for name in ("auc_gain", "auc_gain_low", "auc_gain_high"))
    if not np.isfinite(gain):
        return ""
    word, tone = ("ahead", "good") if low > 0 else ("behind", "bad") if high < 0 else ("not told apart", "")
    colour = f' style="color:var(--hc-{tone})"' if tone else ""
    bounds = show_interval(low, high, sign=True)
    return f"<span{colour}>{show_number(gain, sign=True)} {word}</span> <small>{bounds}</small>"


def _suspicious(run: Run) -> list[str]:
    """Return what a reader of a run's numbers should know."""
    from hyperctr.runs.stale import why_stale

    notes = [f"Mind: {note}." for note in run.metrics.get("warnings") or []]
    try:
        changed = why_stale(str(run.folder), data=False)
    except RunError:  # not of the store
        changed = ""
    return [*notes, f"Stale, {changed}."] if changed else notes


def _value(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(_value, value)) or EMPTY
    return (
        "yes" if value is True else "no" if value is False else f"{value:g}" if isinstance(value, float) else str(value)
    )
