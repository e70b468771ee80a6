"""How clicks become hyperedges, from data; and the model as a drawing whose modules exist."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

import hyperctr as hc
from hyperctr.figures.model_drawing import ARROWS, PARTS, WIDE, model, model_svg
from hyperctr.figures.six_clicks import MEAN, clicks_frame, draw_clicks, six_clicks

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def session() -> hc.Session:
    return hc.Session("planted", budget="smoke")


def test_six_clicks_are_those_of_one_user_and_slot_with_the_hyperedges_they_really_lie_on(session: hc.Session) -> None:
    frame = clicks_frame(session)
    data, train, delta = session.data, session.split.train, session.config.interest_threshold
    user = data.users_to_index([type(data.users[0].item())(frame.attrs["user"])])[0]
    slot = list(session.slots.labels).index(frame.attrs["slot"])
    rows = np.flatnonzero((data.user_index[train] == user) & (session.slots.index[train] == slot))
    assert len(rows) == frame["click"].nunique() == 6
    rows = rows[np.argsort(data.timestamp[train[rows]], kind="stable")]
    degree = session.interest.degree[rows]
    wide = frame.pivot(index="click", columns="modality", values="degree")[list(data.modalities)]
    np.testing.assert_allclose(wide.to_numpy(), degree, rtol=1e-6)
    interest = frame.drop_duplicates("modality")["interest"].to_numpy()
    np.testing.assert_allclose(interest, np.nanmean(degree, axis=0), rtol=1e-5)
    for row in frame.to_dict("records"):
        alone = (wide[row["modality"]] >= delta).sum() < 2  # with one member a hyperedge is dropped
        assert (row["item_members"] > 0) == (row["degree"] >= delta and not alone), row
        if row["user_members"]:
            assert row["interest"] >= delta and row["user_members"] >= 2
    joined = frame[frame["item_members"] > 0].groupby("modality")["item_members"]
    assert (joined.nunique() == 1).all() and (joined.first() == joined.size()).all(), "all six clicks are shown"


def test_the_clicks_are_drawn_with_their_mean_their_lines_and_their_groups(session: hc.Session) -> None:
    shown = six_clicks(session)
    frame, delta = shown.frame, session.config.interest_threshold
    assert frame is not None and shown.name == "six_clicks"
    heat = shown.chart.data[0]
    assert heat.y[-1] == MEAN and heat.z.shape == (7, 3)
    assert (heat.zmin + heat.zmax) / 2 == pytest.approx(delta), "colours part at the threshold"
    lines = [line for line in shown.chart.data[1:] if line.mode == "lines+markers"]
    on_items = frame[frame["item_members"] > 0]
    joined = on_items.groupby("modality").size()
    assert {line.x[0]: len(line.y) for line in lines} == joined.to_dict()
    words = [text for dots in shown.chart.data[1:] if dots.mode == "markers+text" for text in dots.text]
    assert words == [f"{count} users" for count in frame.loc[frame["user_members"] > 0, "user_members"]]
    for name, rows in frame.groupby("modality", sort=False):
        side = "reaches" if rows["interest"].iloc[0] >= delta else "stays below"
        assert re.search(rf"\*\*{name}\*\*: (\d|none) of these clicks .* {side} δ", shown.note)


def test_an_item_without_a_modality_stays_blank(session: hc.Session) -> None:
    frame = clicks_frame(session)
    frame.loc[0, "degree"] = np.nan
    chart = draw_clicks(frame)
    assert chart.data[0].text[0][list(frame["modality"].unique()).index(frame.loc[0, "modality"])] == ""


def test_every_part_of_the_drawing_names_a_module_that_is_there() -> None:
    for part in PARTS.values():
        assert (ROOT / "hyperctr" / f"{part.module.replace('.', '/')}.py").is_file(), part.module
    assert {name for ends in ARROWS for name in ends} == set(PARTS), "every part is joined to another"
    table = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for name in ("attention", "interest", "graphs", "convolution", "fusion", "prediction"):
        assert f"hyperctr/{PARTS[name].module.replace('.', '/')}.py" in table, "the table of equations says the same"


def test_the_drawing_is_markup_whose_links_lead_to_the_modules_and_whose_words_fit() -> None:
    tree = ET.fromstring(model_svg("../hyperctr", alone=True))
    space = {"s": "http://www.w3.org/2000/svg"}
    links = [link.attrib["href"] for link in tree.findall(".//s:a", space)]
    assert len(links) == len(PARTS) and all((ROOT / "docs" / link).resolve().is_file() for link in links)
    for part in PARTS.values():
        assert 0.6 * 10.5 * len(part.module) < WIDE and 0.5 * 13.5 * len(part.equation) < WIDE, "the words fit the box"
    assert "<a " not in model()._repr_html_() and "prefers-color-scheme" not in model()._repr_html_()
