"""The columns of a log: which of theirs is which of ours, which look like a label, and which are not used."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd

from hyperctr.data.rules import DECIMAL_COMMA, WORDS, ClickRule
from hyperctr.errors import DataError, did_you_mean, say

# What others call our columns, without blanks and signs, in lower case.
OTHERS = {
    "user_id": r"u|uid|(?:user|viewer|reviewer|listener|visitor|member|customer|client|account)(?:id|idx|index)?",
    "item_id": r"i|iid|vid|(?:parent)?asin|(?:final)?(?:item|video|photo|movie|film|product|article|news|post|clip)"
    r"(?:id|idx|index)?",
    "timestamp": r"t|ts|\w*time(?:ms|s|stamps?|stampms)?|(?:created|watched|clicked)at|date(?:time)?",
}
# Words in the names of columns that say what a user thought of an item; with any ending, such as likes and liked.
LABEL = (
    r"rat(?:ed?|ings?|io)|y|fav|(?:star|scor|click|label|like|dislike|watch|finish|view|complet|play|dwell|target|conver|"
    r"purchas|buy|bought|cart|favou?r|collect|share|follow|comment|forward|hate|feedback|respon|reward|engage|interact|"
    r"event|action|behavi|relevan|vote|upvote|prefer|satisf|skip)[a-z]*"
)
# Words in the names of columns that may hold a few small numbers and yet are no label.
NO_LABEL = (
    r"ids?|cat(?:e|egory)?|tab|hour(?:min)?|(?:week)?day|week|month|year|date|age|gender|sex|device|city|channel|type|source|"
    r"platform|os|country|level|index|idx|pos(?:ition)?|rank|slot|session|number|no|count|duration"
)
LIKELY = ("click", "pos", "positive", "like", "yes", "true", "buy", "purchase", "play", "view", "watch")
MISSING = ("NULL", "null", "nan", "NaN", "None", "NA")
MOST_WORDS, MOST_NUMBERS = 20, 11  # different values that a label of words, and one of numbers by any name, may have


def plain_name(name: str) -> str:
    """Return a column's name without blanks, signs and capitals.

    >>> plain_name("User_ID"), plain_name("item id")
    ('userid', 'itemid')
    """
    return re.sub(r"[^a-z0-9]", "", name.lower())


def our_names(
    header: Sequence[str],
    required: Sequence[str],
    optional: Sequence[str] = (),
    columns: Mapping[str, str] | None = None,
    *,
    source: str,
    told: list[str],
) -> list[str]:
    """Return a header with our names for the columns that are ours, the others as they are.

    ``columns`` says ours = theirs. A name that differs from ours only in capitals, blanks and signs is ours, which is
    added to ``told``.

    Raises:
        DataError: a required column is missing; the message says what was found, and what to type.

    >>> our_names(["userId", "film"], ["user_id", "item_id"], columns={"item_id": "film"}, source="log.csv", told=[])
    ['user_id', 'item_id']
    """
    names, place = list(header), {name: at for at, name in enumerate(header)}
    chosen: dict[str, int] = {}
    for ours in (*required, *optional):
        theirs = (columns or {}).get(ours, ours)
        alike = [at for at, name in enumerate(header) if plain_name(name) == plain_name(theirs)]
        if theirs in place:
            chosen[ours] = place[theirs]
        elif len(alike) == 1:
            chosen[ours] = alike[0]
            told.append(f"{source}: column {header[alike[0]]!r} was read as {ours}")
        elif theirs != ours and ours in place:
            chosen[ours] = place[ours]  # a file of ours beside one of theirs, such as pairs to score
            told.append(
                f"{source}: column {theirs!r}, named by the option columns.{ours}, is missing; {ours!r} was read"
            )
        elif theirs != ours:
            hint = did_you_mean(theirs, header)
            raise DataError(f"{source}: column {theirs!r}, named by the option columns.{ours}, is missing; {hint}")
    missing = [ours for ours in required if ours not in chosen]
    if missing:
        raise DataError(_missing(header, missing, required, optional, set(chosen.values()), source))
    for at, name in enumerate(header):
        if name in (*required, *optional) and chosen.get(name, at) != at:
            names[at] = f"{name} (not used)"
    for ours, at in chosen.items():
        names[at] = ours
    return names


def _missing(
    header: Sequence[str],
    missing: list[str],
    required: Sequence[str],
    optional: Sequence[str],
    taken: set[int],
    source: str,
) -> str:
    free = [name for at, name in enumerate(header) if at not in taken]
    meant = {}
    for ours in missing:
        other = next((name for name in free if re.fullmatch(OTHERS.get(ours, ""), plain_name(name))), "")
        meant[ours] = other or next(iter(get_close_matches(ours, free, n=1)), "")
    left = [name for name in free if name not in meant.values()]
    unclear = [ours for ours in missing if not meant[ours]]
    if len(left) == len(unclear) == 1 and not _says_label(left[0]):
        meant[unclear[0]] = left[0]
    hints, advice = [], []
    for ours in missing:
        hint = f"did you mean {meant[ours]!r}?" if meant[ours] else did_you_mean(ours, free or header)
        hints.append(f"{ours!r} ({hint})")
        if ours in OTHERS:
            advice.append(say(f"columns.{ours}", meant[ours] or "THEIR_NAME"))
    line = ",".join(header)[:200]
    rename = f"rename the columns, or {' and '.join(advice)}" if advice else "rename the columns"
    expected = ", ".join(required) + (f" and perhaps {', '.join(optional)}" if optional else "")
    return f"{source}: column {', '.join(hints)} is missing; found {line!r}, expected {expected}: {rename}"


def check_unused(
    frame: pd.DataFrame, used: Iterable[str], ignore: Iterable[str], decided: bool, *, source: str, told: list[str]
) -> None:
    """Refuse columns that look like a label where nothing else says what a click is; add the others to ``told``.

    Args:
        frame: the log.
        used: columns that are.
        ignore: columns that the user knows not to be.
        decided: whether something says which rows are clicks.
        source: where the log comes from.
        told: takes what there is to tell.

    Raises:
        DataError: a column looks like a label; the message says how to use it.
    """
    unused = [str(name) for name in frame.columns if name not in {*used, *ignore}]
    rules = {} if decided else {name: rule for name in unused if (rule := label_rule(name, frame[name]))}
    if rules:
        first = sorted(rules, key=lambda name: "click" not in name.lower())
        columns, looks = (
            ("columns", "look like labels and are") if len(rules) > 1 else ("column", "looks like a label and is")
        )
        advice = ", ".join(say("click", rules[name]) for name in first[:3])
        names = ", ".join(map(repr, first))
        raise DataError(
            f"{source}: {columns} {names} {looks} not used, so that every row would be a click: {advice}, "
            f"or, if every row is a click, {say('click', 'all')}"
        )
    if unused:
        names = ", ".join(map(repr, unused))
        words = f"{'columns' if len(unused) > 1 else 'column'} {names} {'are' if len(unused) > 1 else 'is'} not used"
        told.append(f"{source}: {words}; {say('ignore', unused)} to leave this unsaid")


def check_ignored(header: Sequence[str], ignore: Iterable[str], *, source: str) -> None:
    """Refuse to ignore a column that is not there: a mistyped one would go unnoticed.

    Raises:
        DataError: there is no such column.

    >>> check_ignored(["user_id", "tab"], ["tabs"], source="log.csv")
    Traceback (most recent call last):
    hyperctr.errors.DataError: log.csv: column 'tabs', named by the option ignore, is missing; did you mean 'tab'?
    """
    for name in ignore:
        if name not in header:
            hint = did_you_mean(name, header)
            raise DataError(f"{source}: column {name!r}, named by the option ignore, is missing; {hint}")


def refuse_unknown(frame: pd.DataFrame, known: Sequence[str], ignore: Iterable[str], *, source: str) -> None:
    """Refuse columns of a file that has no use for any other; a mistyped one would go unnoticed.

    Raises:
        DataError: a column is not known.
    """
    for name in map(str, frame.columns):
        if name not in {*known, *ignore}:
            fix = f"{did_you_mean(name, known)} If it is not to be used, {say('ignore', [name])}"
            raise DataError(f"{source}: column {name!r} is not known; {fix}")


def label_rule(name: str, column: pd.Series[Any]) -> str:
    """Return the rule of clicks that would use a column that looks like a label; empty: it does not.

    >>> label_rule("rating", pd.Series([1, 5, 3])), label_rule("liked", pd.Series(["0", "1"]))
    ('rating >= 4', 'liked')
    >>> label_rule("cate_id", pd.Series([1, 5, 3]))
    ''
    """
    listed = column.dtype == object and isinstance(column.iloc[0], (list, dict, np.ndarray))
    values = pd.Series(dtype=object) if listed else pd.Series(pd.unique(column)).dropna()
    if len(values) < 2:
        return ""
    words, by_name = _words(name), _says_label(name)
    other = any(re.fullmatch(NO_LABEL, word) for word in words)
    some = values.iloc[: MOST_WORDS + 1].astype("str").str.strip()
    if len(values) <= len(WORDS) and set(some.str.lower()) <= WORDS.keys():
        return name
    texts = values.astype("str").str.strip()
    commas = texts.str.fullmatch(DECIMAL_COMMA).to_numpy(dtype=bool)  # numbers to a person, though not to a rule
    numbers = pd.to_numeric(values.where(~commas, texts.str.replace(",", ".")), errors="coerce")
    if len(values) - numbers.isna().sum() >= len(values) - some.isin(["", *MISSING]).sum():
        numbers = numbers.dropna()
        few = len(numbers) <= min(MOST_NUMBERS, len(column) // 4) and numbers.min() >= -1 and numbers.max() <= 10
        return _threshold(name, numbers) if len(numbers) > 1 and (by_name or (few and not other)) else ""
    if by_name and len(values) <= min(MOST_WORDS, len(column) - 1):
        likely = sorted(some[some != ""], key=lambda text: [word not in text.lower() for word in LIKELY])
        return f"{name} == {likely[0]}"
    return ""


def _words(name: str) -> list[str]:
    return re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower())


def _says_label(name: str) -> bool:
    """Whether the name of a column has a word for what a user thought of an item."""
    words = _words(name)
    return any(re.fullmatch(LABEL, word) for word in words) and "id" not in words


def _threshold(name: str, numbers: pd.Series[float]) -> str:
    """Return a rule that calls the upper part of the values clicks: of ratings up to 5 those from 4 on."""
    low, high = float(numbers.min()), float(numbers.max())
    usual = 0.5 if low >= 0 and high <= 1 else 4.0 if low >= 0 and 4 <= high <= 5 else float(numbers.median())
    if low < 0 <= high <= 1:
        return f"{name} > 0"
    return f"{name} >= {usual:g}" if low < usual <= high else f"{name} > {low:g}"


def rule_column(rule: ClickRule, frame: pd.DataFrame, *, source: str, told: list[str]) -> str:
    """Return the name in the log of the column that a rule of clicks looks at.

    Raises:
        DataError: there is none.
    """
    names = [str(name) for name in frame.columns]
    if not rule.column or rule.column in names:
        return rule.column
    alike = [name for name in names if plain_name(name) == plain_name(rule.column)]
    if len(alike) != 1:
        hint = f"{did_you_mean(rule.column, names)}; if every row is a click, {say('click', 'all')}"
        raise DataError(f"{source}: column {rule.column!r}, named by the option click, is missing; {hint}")
    told.append(f"{source}: column {alike[0]!r} was read as {rule.column!r} of the option click")
    return alike[0]
