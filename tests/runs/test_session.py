"""What a notebook opens: the same data whatever the seed of the run, as on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

import hyperctr as hc
from hyperctr.data.registry import SMOKE_PLANTED


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run store of its own."""
    monkeypatch.setenv("HYPERCTR_RUNS", str(tmp_path))


def test_a_seed_redraws_the_run_and_not_the_data() -> None:
    first, second = hc.Session("planted", budget="smoke"), hc.Session("planted", budget="smoke", seed=1)
    assert first.data.fingerprint == second.data.fingerprint == hc.load_dataset("planted", **SMOKE_PLANTED).fingerprint
    assert first.split.checksum != second.split.checksum
    assert (first.config.replace(seed=1), second.config.seed) == (second.config, 1)


def test_data_in_hand_and_settings_of_ones_own() -> None:
    data, config = hc.load_dataset("planted", **SMOKE_PLANTED), hc.Config.for_model("hyperctr", "smoke", slot_months=3)
    session = hc.Session(data, config)
    assert session.data is data and session.config is config
    assert session.slots.count == len(session.hypergraphs["user"]) == 4
    assert session.frame.set_index("part")["clicks"].to_dict() == {"train": 2800, "validation": 800, "test": 400}
    with pytest.raises(hc.ConfigError, match="slot 4 does not exist; slots are 0 to 3, or -1: the busiest"):
        session.slot_number(4)


def test_test_clicks_are_numbered_from_the_most_active_user() -> None:
    session = hc.Session("planted", budget="smoke")
    users = len(set(session.data.user_index[session.split.test].tolist()))
    assert session.test_click(0)[0] != session.test_click(users - 1)[0]
    for number in (-1, users, 10**6, "a", 0.5):
        with pytest.raises(hc.ConfigError, match=f"test_click.*whole number from 0 to {users - 1}, of {users} users"):
            session.test_click(number)  # type: ignore[arg-type]


def test_outside_notebooks_a_session_and_its_interest_are_a_line() -> None:
    session = hc.Session("planted", budget="smoke")
    assert (
        repr(session) == "Session(hyperctr on planted: 150 users, 300 items, 4,000 clicks; visual, acoustic, textual)"
    )
    assert repr(session.interest) == ("Interest(150 users, 2 slots, 2,800 training clicks; visual, acoustic, textual)")


def test_the_card_names_the_run_once_there_is_one() -> None:
    session = hc.Session("planted", budget="smoke")
    assert session.card()["split"] == f"random, seed 0, checksum {session.split.checksum[:16]}"
    assert "run" not in session.card()
    run = session.run
    assert run is session.run
    assert session.card()["run"] == run.id
    assert (session.card()["device"], session.card()["deterministic"]) == ("cpu", True)
    assert session.card()["convolution"] == run.metrics["convolution"] == "torch", "small data are not for numba"
    assert session.interest.matrix.tobytes() == run.interest.matrix.tobytes(), "the run's, not pre-trained again"
