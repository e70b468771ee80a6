"""Reproduction cards: what it takes to repeat a table, a page or a report, merged from those who know a part of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def merge_cards(cards: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Make one card of several; where they differ (two splits, two seeds), every value is shown once.

    A text that is a list itself, by semicolons, is taken apart first.

    >>> merge_cards([{"seeds": [0], "split": "random"}, {"seeds": [0, 1], "split": "temporal"}])
    {'seeds': [0, 1], 'split': ['random', 'temporal']}
    """
    merged: dict[str, list[Any]] = {}
    for card in cards:
        for key, value in card.items():
            seen = merged.setdefault(key, [])
            for one in value if isinstance(value, list) else [value]:
                parts = one.split("; ") if isinstance(one, str) else [_word(one)]
                seen += [part for part in parts if part not in seen]
    return dict(merged)


def _word(value: Any) -> Any:
    return ("no", "yes")[value] if isinstance(value, bool) else value


def index_card(report: Mapping[str, Any], cards: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the card of a whole report: what the runner knows, and what notebooks say alike.

    What is one notebook's own business (its command, its training time, how many of its runs are done) stays on its
    page.
    """
    own = ("repeat the page", "repeat the runs", "training time", "runs", "run", "machine")
    return {**report, **merge_cards([{k: v for k, v in card.items() if k not in own} for card in cards])}


def page_card(report: Mapping[str, Any], cards: Sequence[Mapping[str, Any]], wall_time: str) -> dict[str, Any]:
    """Return the card under the tables of one notebook: its own, then versions, machine and the wall time of its page.

    Args:
        report: what the runner knows, see :class:`hyperctr.report.pages.About`.
        cards: what the notebook published under the name ``reproduction``.
        wall_time: of the notebook, for people.
    """
    shared = {key: report[key] for key in ("versions", "machine") if key in report}
    again = {"repeat the report": report["command"]} if "command" in report else {}
    return {**shared, **merge_cards(cards), "wall time of the notebook": wall_time, **again}
