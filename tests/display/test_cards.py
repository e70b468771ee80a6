"""Cards: their numbers are those of what they show, nothing in them is markup or a script of somebody else."""

from __future__ import annotations

import dataclasses
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import hyperctr as hc
from hyperctr.display.card import MOST_POINTS, learning_curve
from hyperctr.display.colours import diverging
from tests.conftest import Tiny


class Page(HTMLParser):
    """Text of a card by tag, and what must not be there."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.text, self.tags, self.ids, self._open = "", [], [], []  # type: ignore[var-annotated]
        self.feed(page)
        assert not self._open, "every tag is closed"
        assert not {"script", "img", "iframe", "link"} & set(self.tags) and not self.ids

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._open.append(tag)
        self.ids += [value for name, value in attrs if name == "id" or name.startswith("on")]
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        if "style" in self._open:
            return
        self.text += data
        if {"td", "th"} & set(self._open):
            self.rows[-1][-1] += data


@pytest.fixture(scope="module")
def session(tiny: Tiny) -> hc.Session:
    session = hc.Session(tiny.data, tiny.run.config)
    session._run = tiny.run
    return session


def test_cards_are_small_whole_and_without_scripts(session: hc.Session, tiny_store: Path) -> None:
    for thing in (session.run, session.data, session.split, session.slots, session.interest, session.config):
        page = thing._repr_html_()
        assert Page(page).text and len(page) < 14_000, type(thing).__name__
    for H in session.hypergraphs["user"]:
        assert len(H._repr_html_()) < 6_000


def test_the_card_of_a_run_has_its_numbers_beside_the_baselines(tiny: Tiny, tiny_store: Path) -> None:
    run, page = tiny.run, Page(tiny.run._repr_html_())
    rows = run.rows
    assert [row[0] for row in page.rows[1:]] == rows["model"].tolist()
    for shown, row in zip(page.rows[1:], rows.to_dict("records"), strict=True):
        assert shown[1] == f"{row['auc']:.4f} [{row['auc_low']:.4f}, {row['auc_high']:.4f}]"
        assert shown[2].startswith(f"{row['gauc']:.4f}") and shown[3] == f"{row['logloss_calibrated']:.4f}"
        if np.isfinite(row["auc_gain"]):
            told = "ahead" if row["auc_gain_low"] > 0 else "behind" if row["auc_gain_high"] < 0 else "not told apart"
            low = f"{row['auc_gain_low']:+.4f}"
            assert shown[4].replace("−", "-").startswith(f"{row['auc_gain']:+.4f} {told} [{low}, ")
    assert rows["auc"].iloc[0] == run.metrics["auc"]
    best = run.events["validation_auc"].max()
    assert f"best {best:.4f} at epoch" in page.text and run.id in page.text
    assert "/".join(run.folder.parts[-3:]) in page.text and str(run.folder) not in page.text
    assert "epochs 2" in page.text and "layers" in page.text and "learning_rate" not in page.text  # of the settings
    assert page.text.count("Mind: ") == len(run.metrics["warnings"]) and "Stale" not in page.text


def test_a_run_of_other_code_says_that_it_is_stale(tiny: Tiny, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny.run.folder, tmp_path / tiny.run.id)
    code = folder / "code.json"
    code.write_text(code.read_text().replace('"slots.py"', '"gone.py"'))
    assert "Stale, code: hyperctr/gone.py is gone, hyperctr/slots.py is new." in hc.load_run(str(folder))._repr_html_()


def test_the_card_of_a_split_counts_clicks_and_who_is_new(tiny: Tiny) -> None:
    data, split = tiny.data, hc.split(tiny.data, kind="temporal")
    rows = {row[0]: row for row in Page(split._repr_html_()).rows[1:]}
    known = set(data.user_index[split.train])
    for part in ("train", "validation", "test"):
        clicks = split.rows(part)
        users, items = set(data.user_index[clicks]), set(data.item_index[clicks])
        cold = (
            ["–", "–"]
            if part == "train"
            else [str(len(users - known)), str(len(items - set(data.item_index[split.train])))]
        )
        share = f"{len(clicks) / data.clicked.sum():.1%}"
        counts = [f"{len(clicks):,}", "", share, f"{len(split.non_clicks(part)):,}"]
        assert rows[part] == [part, *counts, str(len(users)), cold[0], str(len(items)), cold[1]]
    bare = dataclasses.replace(split, user=None, item=None)
    assert Page(bare._repr_html_()).rows[3][5:] == ["–"] * 4


def test_the_card_of_slots_counts_clicks(tiny: Tiny) -> None:
    slots = hc.make_slots(tiny.data, months=3)
    counts = np.bincount(slots.index[tiny.data.clicked], minlength=slots.count)
    page = slots._repr_html_()
    for label, count in zip(slots.labels, counts, strict=True):
        assert f"<title>{label}: {count:,} clicks</title>" in page
    heights = [float(h) for h in re.findall(r"v-([\d.]+)h", page)]
    np.testing.assert_allclose(heights, 90 * counts / counts.max(), atol=0.06)
    many = hc.make_slots(tiny.data, count=3000)._repr_html_()
    assert len(many) < 120_000 and "<title>" not in many


def test_the_card_of_interest_turns_at_the_threshold(session: hc.Session) -> None:
    interest = dataclasses.replace(session.interest, threshold=0.4)
    page = interest._repr_html_()
    for name, row in zip(interest.modalities, Page(page).rows[1:], strict=True):
        degree = interest.degree[:, interest.modalities.index(name)]
        degree = degree[np.isfinite(degree)]
        assert row[0].strip() == name and row[2:] == [f"{np.median(degree):.3f}", f"{(degree >= 0.4).mean():.1%}"]
    assert "at least δ = 0.4" in page
    axes = re.findall(r'aria-label="degrees of interest in \w+, from ([\d.]+) to ([\d.]+)">(.*?)</svg>', page)
    (low, high), shown = map(float, axes[0][:2]), interest.degree[np.isfinite(interest.degree)]
    assert len({axis[:2] for axis in axes}) == 1 and len(axes) == 3, "one scale, stated"
    assert f"training clicks, {low:g} to {high:g}" in page and low < 0.4 < high
    assert ((shown < low) | (shown > high)).mean() <= 0.01 and high - low < 2 * np.ptp(np.append(shown, 0.4)) + 0.02
    assert min(axis[2].count("M") for axis in axes) > 8, "a shape, not a spike"
    low, high = (page.count(f'fill="{diverging(side)}" d="M') for side in (0, 1))
    assert low >= 1 and high >= 1
    nobody = dataclasses.replace(interest, degree=interest.degree[:0], matrix=np.full_like(interest.matrix, np.nan))
    assert Page(nobody._repr_html_()).rows[1][2:] == ["–", "–"]


def test_the_interest_of_a_session_knows_the_threshold_of_its_settings(tiny: Tiny) -> None:
    for changes, expected in (({"interest_threshold": 0.4}, 0.4), ({"threshold_is_quantile": True}, 0.5)):
        config = tiny.run.config.replace(interest_epochs=0, **changes)
        assert hc.Session(tiny.data, config).interest.threshold == expected


def test_the_card_of_settings_has_all_and_marks_what_differs() -> None:
    config = hc.Config.for_model("gru4rec", "quick", options={"units": 33}, seed=3)
    page, text = config._repr_html_(), Page(config._repr_html_()).text
    for field in dataclasses.fields(config):
        assert field.name == "options" or f"{field.name} " in text, field.name
    assert "seed 3 default 0" in text and "options.units 33 default" in text and "dropout" in text
    usual = hc.Config()
    changed = [f.name for f in dataclasses.fields(config) if getattr(config, f.name) != getattr(usual, f.name)]
    assert page.count(">default ") == len(changed)  # options count as one here: one was given


def test_what_a_data_set_brings_is_escaped() -> None:
    log = pd.DataFrame({"user_id": ["<i>", "b"], "item_id": [1, 1], "timestamp": [0, 9]})
    nasty = "<script>alert(1)</script>"
    data = hc.Dataset(nasty, log, [hc.FeatureTable("visual", [[1.0]])])
    page = data._repr_html_()
    assert nasty not in page and "&lt;script&gt;" in page and nasty in Page(page).text
    assert nasty not in hc.Hypergraph([[0], [0]], 1, 1, group_names=(nasty,))._repr_html_()


def test_a_long_curve_is_thinned_but_keeps_its_best_and_its_end() -> None:
    points = [{"epoch": k / 20, "loss": 1 / (k + 1), "validation_auc": 0.5 + (k == 777) / 3} for k in range(1500)]
    drawn = learning_curve(points)
    first = re.findall(r'points="([^"]*)"', drawn)[0].split()
    assert len(first) <= MOST_POINTS + 2 and f"{777 / 20:.1f}" in drawn and "best 0.8333 at epoch 38.9" in drawn
    assert first[-1].startswith("332.0,") and f'cx="{46 + 286 * 777 / 1499:.1f}"' in drawn
    assert "nan" not in learning_curve([{"epoch": k, "loss": np.nan, "validation_auc": 0.5} for k in (1, 2)])


def test_a_session_shows_its_split_and_slots(session: hc.Session, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[dict[str, str]] = []
    monkeypatch.setattr("IPython.display.display", lambda thing, **_: shown.append(thing))
    hc.show(session)
    assert shown[0]["text/html"] == session.split._repr_html_() + session.slots._repr_html_()
    assert shown[0]["text/plain"].splitlines()[0].split() == ["part", "clicks", "non", "clicks", "users", "slots"]
