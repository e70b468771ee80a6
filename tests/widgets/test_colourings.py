"""What colours nodes, and filters of hyperedges, against counts by hand."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pytest
import traitlets

import hyperctr as hc
from hyperctr.display.colours import CATEGORY_COLOURS
from hyperctr.errors import ConfigError
from hyperctr.widgets.colourings import category, column
from hyperctr.widgets.scene import Scene
from hyperctr.widgets.scenes import Scenes
from tests.widgets.conftest import Trained

ALL = 10**6


def value_of(scene: Scene) -> dict[Any, Any]:
    """The colour of each node: its number, or its label, None where it has none."""
    assert scene.colouring is not None and scene.node_colour is not None
    labels = scene.colouring.labels
    values = scene.node_colour.tolist()
    return {
        node: value if not labels else None if np.isnan(value) else labels[int(value)]
        for node, value in zip(scene.nodes, values, strict=True)
    }


def test_nodes_are_coloured_by_what_is_known_of_them(scenes: Scenes) -> None:
    data, rows, slots = scenes.data, scenes.split_data.split.train, scenes.split_data.slots
    assert {*scenes.colourings["user"]} > {"degree", "popularity", "interest: visual", "leading modality", "true group"}
    assert "true visual topic" in scenes.colourings["item"] and "true group" not in scenes.colourings["item"]

    groups = value_of(scenes.build(colour_by="true group", limit=ALL))
    assert groups == {user: str(data.truth.groups[data.users_to_index([user])[0]]) for user in groups}

    few = scenes.build(side="item", slot=1, colour_by="degree", limit=4)
    everything = scenes.build(side="item", slot=1, limit=ALL)
    whole = Counter(name for edge in range(len(everything)) for name in everything.members(edge))
    assert value_of(few) == {item: whole[item] for item in few.nodes}, "of the whole slot"

    clicks = Counter(data.items[data.item_index[rows]].tolist())
    popularity = value_of(scenes.build(side="item", colour_by="popularity"))
    assert popularity == {item: clicks[item] for item in popularity}

    scene = scenes.build(slot=1, colour_by="interest: acoustic", limit=ALL)
    m = scenes.modalities.index("acoustic")
    for user, value in value_of(scene).items():
        assert value == pytest.approx(scenes.interest.matrix[1, data.users_to_index([user])[0], m], nan_ok=True)
    assert (scene.colouring.low, scene.colouring.high) == (0, 1)  # type: ignore[union-attr]
    of_items = value_of(scenes.build(side="item", slot=1, colour_by="interest: acoustic", limit=ALL))
    for item, value in list(of_items.items())[:9]:
        here = (data.items[data.item_index[rows]] == item) & (slots.index[rows] == 1)
        degrees = scenes.interest.degree[here, m]
        assert value == pytest.approx(np.nanmean(degrees) if np.isfinite(degrees).any() else np.nan, nan_ok=True)

    for user, name in value_of(scenes.build(slot=1, colour_by="leading modality", limit=ALL)).items():
        interest = scenes.interest.matrix[1, data.users_to_index([user])[0]]
        assert name == scenes.modalities[int(np.nanargmax(interest))]


def test_communities_are_near_the_planted_groups_and_know_nothing_of_them() -> None:
    draw = np.random.default_rng(0)
    group = np.arange(200) % 4
    pairs = [(node, 10 * group[node] + label) for node in range(200) for label in draw.choice(10, 4, replace=False)]
    H = hc.Hypergraph(np.array(pairs).T, 200, 40, node_kind="user")
    inspector = hc.Inspector(H, limit=40, colour_by="community")
    found = value_of(inspector.scene)
    assert len(found) == 200 and inspector.scene.colouring is not None
    kinds = {(int(group[int(node)]), label) for node, label in found.items()}
    assert len(kinds) == len(inspector.scene.colouring.labels) in range(4, 7), "each lies in one group"
    with pytest.raises(traitlets.TraitError, match="did you mean 'community'"):
        inspector.colour_by = "comunity"


def test_a_column_of_items_colours_by_number_or_by_kind() -> None:
    genres = [f"genre {k % 15}" for k in range(40)] + ["genre 0"] * 9 + [None]
    made = category("genre", genres)
    assert made.labels[0] == "genre 0" and made.labels[-1] == "other" and len(made.labels) == len(CATEGORY_COLOURS)
    assert np.isnan(made.values[-1]) and made.values[0] == 0
    assert column("year", pd.Series([1990.5, *range(20), None])).kind == "number"
    assert column("seasons", pd.Series([10, 2, 1, 2])).labels == ("1", "2", "10")


def test_a_colour_that_is_none_is_refused_with_the_choices(trained: Trained) -> None:
    with pytest.raises(ConfigError, match="'popularty': did you mean 'popularity'. Items: degree, .*; users: degree"):
        trained.scenes.build(colour_by="popularty")
    inspector = hc.Inspector(trained.data, trained.run, colour_by="true visual topic")
    assert inspector.scene.colouring is None, "users have no topic"
    assert inspector.about["colourings"]["user"] == list(trained.scenes.colourings["user"])
    inspector.side = "item"
    header, buffers = inspector.scene.pack()
    names = [part["name"] for part in header["buffers"]]
    values = np.frombuffer(buffers[names.index("node_colour")], "<f4").astype(int)
    topics = trained.data.truth.topics["visual"][trained.data.items_to_index(inspector.scene.nodes)]
    assert [header["colouring"]["labels"][value] for value in values] == topics.astype(str).tolist()
    assert len(header["colouring"]["colours"]) == len(header["colouring"]["labels"])
    with pytest.raises(traitlets.TraitError, match="'smell': not known"):
        inspector.colour_by = "smell"


def test_filters_keep_what_they_say(scenes: Scenes) -> None:
    scene = scenes.build(delta=0.3, limit=ALL)
    sets = {key: {*scene.members(e)} for e, key in enumerate(scene.edge_keys())}
    assert {len(members) for members in sets.values()} > {2, 3, 4}

    def kept(**asked: int) -> dict[Any, set[Any]]:
        cut = scenes.build(delta=0.3, limit=ALL, **asked)
        assert "hyperedges with" in cut.rule or "hyperedges on" in cut.rule or "hyperedges of" in cut.rule
        return {key: {*cut.members(e)} for e, key in enumerate(cut.edge_keys())}

    assert kept(min_size=3, max_size=4) == {key: members for key, members in sets.items() if len(members) in (3, 4)}
    degree = Counter(name for members in sets.values() for name in members)
    left = {key: {name for name in members if degree[name] >= 4} for key, members in sets.items()}
    assert kept(min_degree=4) == {key: members for key, members in left.items() if len(members) > 1} != sets
    mixed = Counter(label for _, label in sets)
    assert kept(min_modalities=2) == {key: members for key, members in sets.items() if mixed[key[1]] > 1} != sets
    with pytest.raises(ConfigError, match="below 0"):
        scenes.build(min_size=-1)
