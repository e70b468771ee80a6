"""Check HIF files against the published schema (MIT, beside this file), and what we ask beyond it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from hyperctr.errors import DataError
from hyperctr.hypergraph.annotations import LARGEST, Record
from hyperctr.hypergraph.arrays import LIMIT

PUBLISHED = "hif_schema_v0.1.0.json"
MARK = "hyperctr"  # key in the metadata of files that we wrote
KEYS = ("index", "modality", "weight", "label", "slot", "attributes")  # ours, in the attrs of nodes and edges there
SHOWN = 60  # characters of a value in a message

WEIGHT = {"type": "number", "minimum": 0, "maximum": LARGEST}
EDGE_WEIGHTS = {"properties": {"edges": {"items": {"properties": {"weight": WEIGHT}}}}}  # W of Eq 5
NUMBER = {"type": "integer", "minimum": 0, "maximum": LIMIT - 1}
ATTRS = {"index": NUMBER, "label": NUMBER, "modality": {"type": "string"}, "weight": WEIGHT}
OUR_RECORDS = {"items": {"properties": {"attrs": {"properties": ATTRS | {"attributes": {"type": "object"}}}}}}
OUR_MARK = {
    "required": ["node_kind", "slot", "modalities"],
    "properties": {
        "version": {"enum": [1]},
        "node_kind": {"type": "string"},
        "slot": {"type": ["integer", "string", "null"]},
        "modalities": {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"type": "string"}},
    },
}
OURS = {"properties": {"metadata": {"properties": {MARK: OUR_MARK}}, "nodes": OUR_RECORDS, "edges": OUR_RECORDS}}


def read_hif_content(path: Path) -> tuple[Record, bool]:
    """Return the valid content of a HIF file, and whether we wrote it.

    Raises:
        DataError: no such file, no JSON in UTF-8, a key twice in one object, a number beyond float64, or no valid HIF:
            the message names file, JSON path, value and what is allowed.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        content = json.loads(text, object_pairs_hook=_unique, parse_float=_finite, parse_constant=_no_constant)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: is not a JSON file ({error})") from error
    _validate(path, "published", content)
    _validate(path, "weights", content)
    mark = content.get("metadata", {}).get(MARK)
    ours = isinstance(mark, dict) and "version" in mark
    if ours:
        _validate(path, "ours", content)
    return content, ours


def _unique(pairs: list[tuple[str, Any]]) -> Record:
    record = dict(pairs)
    if len(record) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)!r} stands twice in an object")
    return record


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is beyond the numbers of 64 bits")
    return value


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is not a number in JSON")


@cache
def _validator(name: str) -> Callable[[Any], Any]:
    import fastjsonschema

    published = json.loads((files(__package__) / PUBLISHED).read_text(encoding="utf-8"))
    compiled: Callable[[Any], Any] = fastjsonschema.compile(
        {"published": published, "weights": EDGE_WEIGHTS, "ours": OURS}[name]
    )
    return compiled


def _validate(path: Path, schema: str, content: Any) -> None:
    import fastjsonschema

    try:
        _validator(schema)(content)
    except fastjsonschema.JsonSchemaValueException as error:
        raise DataError(f"{path}: {_explain(error)}") from error


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= SHOWN else text[:SHOWN] + "..."


def _explain(error: Any) -> str:
    """Word what the validator found: JSON path, value, what is allowed."""
    place, rule, wanted = "$" + error.name.removeprefix("data"), error.rule, error.rule_definition
    value = _shown(error.value)
    if rule == "required":
        missing = next(name for name in wanted if name not in error.value)
        return f"{place} lacks the key '{missing}'; required: {', '.join(wanted)}"
    if rule == "additionalProperties":
        allowed = list(error.definition["properties"])
        unknown = next(name for name in error.value if name not in allowed)
        return f"{place} has the key '{unknown}' ({_shown(error.value[unknown])}); allowed: {', '.join(allowed)}"
    if rule == "type":
        return f"{place} is {value}; allowed: {' or '.join([wanted] if isinstance(wanted, str) else wanted)}"
    if rule == "enum":
        return f"{place} is {value}; allowed: {', '.join(map(str, wanted))}"
    if rule in ("minimum", "maximum"):
        return f"{place} is {value}; allowed: {'at least' if rule == 'minimum' else 'at most'} {wanted}"
    return f"{place} is {value}: {error.message}"
