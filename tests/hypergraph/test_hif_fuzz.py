"""Damaged HIF files, seeded: the reader says what is wrong, or reads exactly what the file says.

``HYPERCTR_FUZZ`` sets how many files are tried (default: 600).
"""

from __future__ import annotations

import json
import os
import random
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hyperctr.errors import DataError
from hyperctr.hypergraph.incidence import Hypergraph
from tests.hypergraph.conftest import same

jsonschema = pytest.importorskip("jsonschema")
FILES = int(os.environ.get("HYPERCTR_FUZZ", 600))
SCHEMA = Path(__file__).parents[2] / "hyperctr" / "hypergraph" / "hif_schema_v0.1.0.json"
FOREIGN = {
    "network-type": "directed",
    "metadata": {"a": [1, {"b": None}]},
    "incidences": [
        {"edge": "e", "node": 1, "weight": 2.5, "direction": "head"},
        {"edge": 7, "node": "ü", "attrs": {"x": True}},
        {"edge": "e", "node": 2},
        {"edge": "e", "node": 1, "weight": -1},
    ],
    "nodes": [{"node": 1, "weight": 2, "attrs": {"x": "y"}}, {"node": 9}],
    "edges": [{"edge": "e", "weight": 0.5}, {"edge": "f", "attrs": {"label": 3, "weight": 2}}],
}
VALIDATOR = jsonschema.Draft7Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
# what people and programs put where something else belongs
TOKENS = [*'{}[],:"0-9', "\\", "null", "true", "-1", "1e999", "NaN", "1.5", '""', "[]", "{}", "9" * 20, "\x00"]
VALUES = [
    None,
    True,
    -1,
    0,
    1.0,
    1.5,
    1e39,
    10**400,
    "",
    "1",
    1,
    "e",
    7,
    "head",
    "asc",
    "visual",
    [],
    {},
    [1],
    {"weight": 2},
]
KEYS = ["edge", "node", "weight", "attrs", "direction", "index", "label", "modality", "hyperctr", "slot", "incidences"]


def damaged(raw: bytes, draw: random.Random) -> bytes:
    """Values of the file changed, dropped or doubled, or its bytes, or both."""
    how = draw.choice(["values", "bytes", "both"])
    for _ in range(draw.randint(1, 3) if how != "bytes" else 0):
        content = json.loads(raw)
        change_value(content, draw)
        raw = json.dumps(content).encode()
    for _ in range(draw.randint(1, 3) if how != "values" else 0):
        raw = change_bytes(raw, draw)
    return raw


def change_value(content: Any, draw: random.Random) -> None:
    """Change, drop, double or rename something anywhere in a JSON value."""
    inner: list[Any] = [content]
    for value in inner:
        inner += [
            part for part in (value.values() if isinstance(value, dict) else value) if isinstance(part, dict | list)
        ]
    place = draw.choice([value for value in inner if value] or [content])
    key = draw.choice(list(place) if isinstance(place, dict) else range(len(place)))
    what = draw.choice(["change", "change", "drop", "double", "rename"])
    if what == "drop":
        del place[key]
    elif what == "double" and isinstance(place, list):
        place.append(place[key])
    elif what == "rename" and isinstance(place, dict):
        place[draw.choice(KEYS)] = place.pop(key)
    else:
        place[key] = draw.choice(VALUES)


def change_bytes(raw: bytes, draw: random.Random) -> bytes:
    """Put a byte, a token or a stretch of the file anywhere, in place of none or a few bytes."""
    at, start = draw.randrange(len(raw) + 1), draw.randrange(len(raw) + 1)
    new = draw.choice([b"", bytes([draw.randrange(256)]), draw.choice(TOKENS).encode(), raw[start : start + 20]])
    return raw[:at] + new + raw[at + draw.choice([0, 1, 1, 2, 5, 30]) :]


def strict(raw: bytes) -> Any:
    """Return what the JSON says, by another route than the reader's.

    Raises:
        ValueError: it is no JSON, has a key twice, or a number that is none.
    """

    def constant(text: str) -> Any:
        raise ValueError(text)

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in items}) < len(items):
            raise ValueError("twice")
        return dict(items)

    content = json.loads(raw.decode("utf-8-sig"), parse_constant=constant, object_pairs_hook=pairs)
    if "Infinity" in json.dumps(content):
        raise ValueError("too large")
    return content


def expected(raw: bytes) -> dict[str, Any] | None:
    """Return the content if it is valid HIF with weights that W may have."""
    try:
        content = strict(raw)
        VALIDATOR.validate(content)
    except (ValueError, RecursionError, jsonschema.ValidationError):
        return None
    weights = [edge.get("weight", 1) for edge in content.get("edges", [])]
    return content if all(0 <= weight <= float(np.finfo(np.float32).max) for weight in weights) else None


def agrees(H: Hypergraph, content: dict[str, Any], ours: bool) -> bool:
    """Whether the hypergraph has exactly the nodes, hyperedges, incidences and weights that the content lists."""
    lists = {kind: content.get(f"{kind}s", []) for kind in ("node", "edge")}
    members = {(r["edge"], r["node"]) for r in content["incidences"]}
    nodes = {r["node"] for r in lists["node"]} | {v for _, v in members}
    edges = {r["edge"] for r in lists["edge"]} | {e for e, _ in members}
    read = {(H.hyperedge_ids[e], H.node_ids[v]) for v, e in H.incidence.T.tolist()}
    weight = dict(zip(H.hyperedge_ids, H.weight.tolist(), strict=True))
    given: dict[Any, float] = {}
    for record in lists["edge"]:
        value = record.get("weight", record.get("attrs", {}).get("weight") if ours else None)
        if value is not None:
            given.setdefault(record["edge"], value)
    weights = {edge: float(np.float32(given.get(edge, 1))) for edge in edges}
    whole = (len(H.node_ids), len(H.hyperedge_ids), H.nnz) == (len(nodes), len(edges), len(members))
    return whole and (set(H.node_ids), set(H.hyperedge_ids), read) == (nodes, edges, members) and weight == weights


def outcome(path: Path) -> tuple[Hypergraph | None, str]:
    try:
        with warnings.catch_warnings(action="ignore"):
            return Hypergraph.from_hif(path), ""
    except DataError as error:
        return None, str(error)


@pytest.mark.parametrize("which", ["foreign", "ours", "mixed"])
def test_a_damaged_file_is_refused_or_read_as_it_stands(which: str, modal: Hypergraph, tmp_path: Path) -> None:
    path, count = tmp_path / "h.json", FILES // 3
    marked = modal.annotate(node_ids=list("abcd") + [5], hyperedge_attrs=[{"label": 2}, {}, {"z": None}, {}])
    marked = marked.annotate(incidence_weights=range(marked.nnz))
    marked.to_hif(path)
    base = {"foreign": json.dumps(FOREIGN).encode(), "ours": path.read_bytes()}
    base["mixed"] = json.dumps(FOREIGN | {"metadata": json.loads(base["ours"])["metadata"]}).encode()
    read = refused = 0
    for number in range(count):
        raw = damaged(base[which], random.Random(f"{which} {number}"))
        path.write_bytes(raw)
        content = expected(raw)
        marked_as = (content or {}).get("metadata", {}).get("hyperctr")
        mark = isinstance(marked_as, dict) and "version" in marked_as
        H, error = outcome(path)
        if H is None:
            refused += 1
            assert error.startswith(str(path)) and "\n" not in error, raw
            assert content is None or mark, (raw, error)  # a valid file is refused for keys of ours alone
            continue
        read += 1
        assert content is not None, raw
        assert agrees(H, content, mark), raw
        H.to_hif(path)
        with warnings.catch_warnings(action="ignore"):
            assert same(Hypergraph.from_hif(path), H), raw
    assert read > count / 20 and refused > count / 4, (read, refused)
