"""The options of a data set: what its files do not say themselves, kept in ``table.toml`` beside them.

The same keys are keyword arguments of :func:`hyperctr.load_dataset`, ``--option key=value`` on the command line and
the parameter ``data_options`` of notebooks; what is given there counts more than the file.
"""

from __future__ import annotations

import dataclasses
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from hyperctr.data.rules import ClickRule, check_time, is_format
from hyperctr.errors import ConfigError, DataError, did_you_mean, say
from hyperctr.settings import setting, toml_text, toml_value, validate

TABLE_TOML = "table.toml"
SEPARATORS = {"tab": "\t", "\\t": "\t", "space": " ", "comma": ",", "semicolon": ";", "bar": "|"}
ALLOWED_SEPARATORS = (",", ";", "\t", "|", "::", " ")
OURS = ("user_id", "item_id", "timestamp")
# What `data_options` and `--option` are given as: a table of values, or texts "key=value", or one such text.
Given: TypeAlias = Mapping[str, Any] | Sequence[str]


@dataclass(frozen=True)
class TableOptions:
    """How the files of a ``table`` data set are to be read, and what it is called.

    Raises:
        DataError: unknown key (with a hint), wrong type, a value that is not allowed, keys that contradict each other.

    >>> options = TableOptions().with_overrides(["click=rating >= 4", "columns.user_id=userId", "ignore=tab,hour"])
    >>> options.click, options.columns, options.ignore
    ('rating >= 4', {'user_id': 'userId'}, ('tab', 'hour'))
    >>> TableOptions().with_overrides({"clok": "ordinal"})
    Traceback (most recent call last):
    hyperctr.errors.DataError: data set 'table' has no option 'clok'; did you mean 'clock'?
    """

    name: str = setting("", "What the data set is called in reports; empty: table.")
    clock: Literal["calendar", "ordinal"] = setting("calendar", "`ordinal`: times only tell the order.")
    click: str = setting(
        "", "A column of 0 and 1, a rule such as `rating >= 4`, or `all`; empty: column clicked, if any."
    )
    time: str = setting("s", "s, ms, us, ns or days since 1970, or a strptime format (UTC).")
    separator: str = setting(",", "Between the fields of csv files: one of , ; | :: tab space.")
    on_bad: Literal["error", "mask"] = setting("error", "`mask`: vectors with NaN or infinity count as missing.")
    on_bad_rows: Literal["error", "skip"] = setting("error", "`skip`: rows without an id or time are left out.")
    ignore: tuple[str, ...] = setting((), "Columns of the log that are known not to be used.")
    slot_months: int = setting(
        0, "Months of a time slot where settings leave their default; 0: theirs.", low=0, high=18
    )
    slot_count: int = setting(0, "Number of equal time slots instead of months; 0: not so.", low=0)
    licence: str = setting("", "Text that must travel with the data.")
    columns: Mapping[str, str] = field(
        default_factory=dict, metadata={"help": "Names in the files: ours = theirs.", "low": None, "high": None}
    )

    def __post_init__(self) -> None:
        try:
            validate(self, "option")
        except ConfigError as error:
            raise DataError(str(error)) from error
        object.__setattr__(self, "separator", SEPARATORS.get(self.separator, self.separator))
        if self.separator not in ALLOWED_SEPARATORS:
            raise DataError(f"option separator = {self.separator!r} is not known; allowed: , ; | :: tab space")
        for ours in self.columns:
            if ours not in OURS:
                hint = say("click", self.columns[ours]) if ours == "clicked" else did_you_mean(ours, OURS)
                raise DataError(f"option columns.{ours} names no column of ours; {hint}")
        check_time(self.time)
        _ = self.rule
        if self.clock == "ordinal" and self.time != "s" and not is_format(self.time):
            raise DataError(f"option time = {self.time!r}: the numbers of an ordinal clock have no unit; leave it out")
        if self.slot_months and self.slot_count:
            raise DataError(f"options slot_months = {self.slot_months} and slot_count = {self.slot_count}: give one")
        if self.slot_months and self.clock == "ordinal":
            raise DataError(f"option slot_months = {self.slot_months}: an ordinal clock has no months; give slot_count")

    @property
    def rule(self) -> ClickRule | None:
        """Which rows are clicks; None: a column ``clicked`` says so, and without one all are."""
        return ClickRule.parse(self.click) if self.click else None

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TableOptions:
        """Build from plain values; a column may be named as ``columns.<ours>``.

        Raises:
            DataError: as the class.
        """
        return cls().with_overrides(values)

    @classmethod
    def from_toml(cls, path: str | Path) -> TableOptions:
        """Read ``table.toml``.

        Raises:
            DataError: no such file, no TOML, or as the class; names the file.
        """
        try:
            return cls.from_dict(tomllib.loads(Path(path).read_text(encoding="utf-8-sig")))
        except FileNotFoundError as error:
            raise DataError(f"{path}: there is no such file") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            raise DataError(f"{path}: is not valid TOML ({error}); write key = value, texts in quotes") from error
        except DataError as error:
            raise DataError(f"{path}: {error}") from error

    @classmethod
    def of_folder(cls, folder: str | Path, given: Given = ()) -> TableOptions:
        """Return the options in a folder's ``table.toml``, if it has one, with those ``given`` instead of them."""
        path = Path(folder) / TABLE_TOML
        return (cls.from_toml(path) if path.is_file() else cls()).with_overrides(given)

    def with_overrides(self, given: Given) -> TableOptions:
        """Return a copy with some options changed, as values or as texts ``key=value``; columns are added.

        Raises:
            DataError: as the class, or a text that is not ``key=value``.
        """
        now: dict[str, Any] = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        for key, value in parse_options(given).items():
            name, _, entry = key.partition(".")
            if name not in now or (entry and name != "columns"):
                raise DataError(f"data set 'table' has no option {key!r}; {did_you_mean(name, now)}")
            if name == "columns":
                if not entry and not isinstance(value, Mapping):
                    raise DataError(f'option columns = {value!r} must be a table: columns.user_id = "their name"')
                now["columns"] = {**now["columns"], **({entry: value} if entry else value)}
            else:
                now[name] = value
        return TableOptions(**now)

    def to_toml(self) -> str:
        """Return what differs from the defaults as text that :meth:`from_toml` reads back unchanged.

        >>> print(TableOptions(click="rating >= 4", columns={"user_id": "userId"}).to_toml(), end="")
        click = "rating >= 4"
        [columns]
        user_id = "userId"
        """
        usual = TableOptions()
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        plain = [f"{k} = {toml_text(v)}" for k, v in values.items() if k != "columns" and v != getattr(usual, k)]
        table = [f"{ours} = {toml_text(theirs)}" for ours, theirs in self.columns.items()]
        return "".join(f"{line}\n" for line in [*plain, *(["[columns]", *table] if table else [])])


def parse_options(given: Given) -> dict[str, Any]:
    """Return options as a table of values; texts ``key=value`` are written as in TOML, bare words are strings.

    A text stays a text where the option is one (``name=2018``), and a list may be written ``ignore=tab,hour``.

    Raises:
        DataError: a text that is not ``key=value``.

    >>> parse_options(["slot_count=24", "time=ms", "ignore=tab"])
    {'slot_count': 24, 'time': 'ms', 'ignore': ['tab']}
    """
    if isinstance(given, Mapping):
        return dict(given)
    if isinstance(given, str) and given.strip().startswith(("[", "{")):  # `papermill -p data_options '["time=ms"]'`
        try:
            return parse_options(json.loads(given))
        except json.JSONDecodeError as error:
            raise DataError(f"options {given!r} are no JSON list of key=value ({error})") from error
    if not isinstance(given, Sequence):
        raise DataError(f"options {given!r} must be a table, or a list of texts key=value")
    kinds = {f.name: f.type for f in dataclasses.fields(TableOptions)}
    values: dict[str, Any] = {}
    for text in [given] if isinstance(given, str) else given:
        key, sign, right = str(text).partition("=")
        key = key.strip()
        if not sign or not key:
            raise DataError(f"option {text!r} must be written key=value, for example time=ms")
        kind, value = kinds.get(key, "str" if key.startswith("columns.") else ""), toml_value(right)
        if kind == "str" and not isinstance(value, str):
            value = right.strip()
        elif str(kind).startswith("tuple") and not isinstance(value, list):
            value = [word.strip() for word in right.split(",") if word.strip()]
        elif key == "separator" and not value:
            value = right or value
        values[key] = value
    return values


def option_texts(given: Given) -> list[str]:
    """Return options as texts ``key=value`` that :func:`parse_options` reads back unchanged.

    >>> option_texts({"click": "rating >= 4", "ignore": ["a", "b"], "columns": {"user_id": "u"}})
    ['click=rating >= 4', 'ignore=["a", "b"]', 'columns.user_id=u']
    """
    texts = []
    for key, value in parse_options(given).items():
        if isinstance(value, Mapping):
            texts += [f"{key}.{ours}={theirs}" for ours, theirs in value.items()]
        else:
            texts.append(f"{key}={value if isinstance(value, str) else toml_text(value)}")
    return texts
