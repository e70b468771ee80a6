"""The committed results: what is kept of a report, and the pages that show it."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from hyperctr.paper.tables.costs import costs_frame
from hyperctr.paper.tables.table3_overall import table3_frame
from hyperctr.paper.tables.table4_modalities import table4_frame
from tests.paper.frames import baselines_frame, results_frame, sweep_of

ROOT = Path(__file__).parents[2]


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """tools/results.py, with an empty folder of results."""
    monkeypatch.syspath_prepend(ROOT / "tools")
    for name in ("result_pages", "results"):
        module = importlib.import_module(name)
        monkeypatch.setattr(module, "RESULTS", tmp_path / "results")
    return module


@pytest.fixture
def pages(results: ModuleType) -> ModuleType:
    """tools/result_pages.py, on the same folder."""
    return importlib.import_module("result_pages")


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """What a finished report holds that matters here."""
    folder = tmp_path / "report"
    (folder / "tables").mkdir(parents=True)
    (folder / "figures").mkdir()
    auc = {"hyperctr": [0.84, 0.86], "hyperctr+": [0.88, 0.9], "dstn": 0.83}
    runs = results_frame(auc, failed={"gru4rec": "no memory"})
    runs.loc[runs["label"] == "dstn", "label"] = "dstn, author"
    runs["model"] = runs["label"].str.partition(",")[0]
    costs_frame(runs).to_csv(folder / "tables" / "costs.csv", index=False)
    table3_frame(sweep_of(runs, baselines_frame(2), dataset="ml-trailers")).to_csv(
        folder / "tables" / "table3.csv", index=False
    )
    rows = {"multi-modal": 0.85, "(-) hypergraph": 0.84}
    behind = results_frame(rows, auc_deficit=0.01, auc_deficit_low=0.005, auc_deficit_high=0.015)
    table4_frame(sweep_of(behind)).to_csv(folder / "tables" / "table4.csv", index=False)
    for name in ("figures/figure8.png", "figures/interest.csv", "tables/split.csv", "tables/table3.tex"):
        (folder / name).write_text("x")
    (folder / "figures" / "figure4.json").write_text("x" * 700_000)
    code = {"model": ["hyperctr"], "code_fingerprint": ["abcdef12" * 2]}
    runs = {"what": ["modalities: with edge information"] * 2 + ["modalities: (-) hypergraph"] * 2, "seed": [0, 1] * 2}
    runs |= {"auc": [0.84, 0.86, 0.83, 0.83], "run": ["0" * 12] * 4, "state": ["done"] * 4}
    pd.DataFrame(runs | {name: values * 4 for name, values in code.items()}).to_csv(folder / "runs.csv", index=False)
    command = "hyperctr report ml-trailers --budget quick --seeds 2 --data-dir '/home/me/my data'"
    (folder / "card.json").write_text(json.dumps({"command": command, "versions": ["hyperctr 1.2.3"]}))
    return folder


def test_small_results_are_kept_without_paths(
    results: ModuleType, report: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = results.RESULTS / "ml-trailers"
    folder.mkdir(parents=True)
    (folder / "switches.csv").write_text("stays")
    results.publish_results(report, folder)
    kept = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert kept == {
        *("tables/costs.csv", "tables/table3.csv", "tables/table3.tex", "tables/table4.csv", "figures/figure8.png"),
        *("runs.csv", "card.json", "switches.csv"),
    }
    assert capsys.readouterr().out == "figure4.json is left out: 700,000 bytes\n"
    card = json.loads((folder / "card.json").read_text())
    assert card["command"] == "hyperctr report ml-trailers --budget quick --seeds 2 --data-dir DATA"


def test_pages_show_the_numbers_of_the_files(results: ModuleType, pages: ModuleType, report: Path) -> None:
    results.publish_results(report, results.RESULTS / "ml-trailers")
    text = pages.table3_text("ml-trailers")
    given = "--budget quick --seeds 2 --data-dir DATA"
    code = "recorded by hyperctr 1.2.3, code `abcdef12`"
    assert f"2 seeds, {code} (`hyperctr sweep run systems --dataset ml-trailers {given}`, then `hyperctr report" in text
    assert f"1 seed, {code} (`hyperctr report ml-trailers {given}`)" in pages.table4_text("ml-trailers")
    frame = pd.read_csv(report / "tables" / "table3.csv")
    row = frame[(frame["model"] == "hyperctr") & (frame["state"] == "done")].iloc[0]
    stated = f"{row['paper_auc']:.4f} | {row['paper_logloss']:.4f}"
    numbers = f"0.8500 [{row['auc_low']:.4f}, {row['auc_high']:.4f}] | 0.8585 | 0.8300 | {row['logloss']:.4f} | 0.5250"
    behind = f"+{row['auc_deficit']:.4f} [+{row['auc_deficit_low']:.4f}, +{row['auc_deficit_high']:.4f}]"
    assert f"| hyperctr | {numbers} | {behind} | 2 | {stated} |" in text
    assert "| gru4rec (failed) | – | – | – | – | – | – | 0 |" in text
    assert "| dstn (author) | 0.8300 [" in text and "| thacil | – | – | – | – | – | – | 0 |" in text
    assert "| centred | GAUC | log loss | calibrated | behind the first, paired | seeds |" in text
    costs = pages.costs_text("ml-trailers")
    assert "**ml-trailers**, 6 minutes of runs in all" in costs
    assert (
        "| dstn, author * | as-published | 2 | 0.8350 | 0.8300 | 100,000 | 3.0 | 4.0 | 12.00 | 1.00 | 2.0 | 800 |"
        in costs
    )
    assert "| dstn, table2 | as-published |" not in costs
    fourth = pages.table4_text("ml-trailers")
    assert "| (-) hypergraph | 0.8400 [0.8300, 0.8500] | +0.0100 [+0.0050, +0.0150] |" in fourth
    assert "| multi-modal | 0.8500 [0.8400, 0.8600] | – |" in fourth
    assert "single clicks change the AUC by +0.0100 [+0.0050, +0.0150]." in fourth
    assert "(row *with edge information*) it is +0.0200 [−0.1071, +0.1471]." in fourth
    tables = importlib.import_module("page_tables")
    row = {"model": "(-) hypergraph", "auc_deficit": -0.001, "paper_auc": 0.8}
    full = {"model": "multi-modal", "paper_auc": 0.83}
    nothing = "change the AUC by −0.0010 [−0.0020, +0.0010], which is within chance"
    for low, high, words in (
        (-0.002, -0.0005, "change the AUC by −0.0010 [−0.0020, −0.0005]"),
        (-0.002, 0.001, nothing),
    ):
        told = tables.hyperedges_worth(pd.DataFrame([full, row | {"auc_deficit_low": low, "auc_deficit_high": high}]))
        assert told == f"Hyperedges in place of single clicks {words}; the paper reports +0.0300."
    unknown = {"auc_deficit_low": float("nan"), "auc_deficit_high": float("nan")}
    assert "change the AUC by −0.0010; the paper" in tables.hyperedges_worth(pd.DataFrame([full, row | unknown]))
    rows = pd.DataFrame({"model": ["a", "b", "c", "constant"], "auc": [0.9, 0.8, 0.7, 0.5]})
    rows["auc_centred"] = [0.82, 0.83, 0.72, 0.5]
    assert tables.centred_order(rows) == (
        "By the AUC with each user's mean score subtracted (*centred*), the order begins b 0.8300, a 0.8200, c 0.7200; "
        "it lowers a most (−0.0800); it raises b most (+0.0300)."
    )
    lead = pd.DataFrame(
        {"model": ["a", "b"] * 2, "seed": [0, 0, 1, 1], "auc": [0.9, 0.88, 0.9, 0.86], "hyperctr": "1.2.3"}
    )
    assert tables.lead_text(lead) == (
        "Over 2 seeds the AUC of `a` minus that of `b` is +0.0300 [−0.0971, +0.1571], recorded by hyperctr 1.2.3."
    )
    auc = {"hyperctr+": [0.82, 0.81], "all hyperedges": [0.8, 0.82]}
    switches = [(variant, seed, value[seed]) for seed in (0, 1) for variant, value in auc.items()]
    frame = pd.DataFrame(switches, columns=["variant", "seed", "validation_auc"]).assign(hyperctr="1.2.3")
    frame.to_csv(results.RESULTS / "ml-trailers" / "switches.csv", index=False)
    lines = importlib.import_module("method_tables").switches_table(frame, "ml-trailers").splitlines()
    assert "ml-trailers, budget quick, means of 2 seeds, recorded by hyperctr 1.2.3:" in lines[0]
    assert lines[4:] == [
        "| hyperctr+ | 0.8150 | – | – | – |",
        "| all hyperedges | 0.8100 | −0.0050 | −0.0200 | 0.0100 |",
    ]
