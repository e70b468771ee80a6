"""Write the pages that show the recorded results: what stands between markers comes from reports/results/."""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from benchmark_tables import benchmark_text, scale_table
from format_tables import formats_table
from gates import gates_text
from page_tables import best_rival, gains_of_ways, hyperedges_worth, markdown, recorded_by, with_interval

from hyperctr.config import SYSTEMS
from hyperctr.display.table import Table
from hyperctr.figures.model_drawing import model_svg
from hyperctr.paper.numbers import counterpart
from hyperctr.paper.tables.rows import variant_of
from hyperctr.written import EMPTY

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "reports" / "results"
BUDGET = "quick"  # the pages say so
# digits of the columns of costs
COSTS = {"best_validation_auc": 4, "auc": 4, "parameters": 0, "best_epoch": 1, "epochs": 1, "seconds_per_epoch": 2}
COSTS |= {"times_hyperctr": 2, "minutes": 1, "peak_memory_mib": 0}
PICTURE = "figure8"  # of the learning curves
SUMMARY, PLANTED = "ml-trailers", "planted"  # what README sums up: real data, and generated data


def read_table(name: str, table: str) -> pd.DataFrame:
    """Return the measured rows of a committed table, with the variant of each; the others are in the paper."""
    frame = pd.read_csv(RESULTS / name / "tables" / f"{table}.csv").query("state != 'published'")
    labels = frame["label"].fillna(frame["model"])
    return frame.assign(variant=list(map(variant_of, labels, frame["model"])))


def measured(name: str, frame: pd.DataFrame) -> str:
    """Say what a committed table was measured on, and by which commands."""
    done = frame.loc[frame["seeds"] > 0, "seeds"]
    fewest, seeds = (0, 0) if done.empty else (int(done.min()), int(done.max()))
    protocols = ", ".join(f"`{protocol}`" for protocol in frame["protocol"].dropna().unique())
    plan = "causal" if "causal" in protocols else "systems" if any(frame["variant"]) else ""
    return (
        f"protocol {protocols}, random 7:2:1 split, sampled labels, budget {BUDGET}, "
        f"{seeds if fewest == seeds else f'{fewest} to {seeds}'} seed{'s' if seeds > 1 else ''}, "
        f"{recorded(name)} ({commands(name, plan)})"
    )


def read_card(name: str) -> dict[str, Any]:
    """Return what the report of a data set noted of how to repeat it."""
    card: dict[str, Any] = json.loads((RESULTS / name / "card.json").read_text(encoding="utf-8"))
    return card


def commands(name: str, plan: str) -> str:
    """Return the commands for the report of a data set, after that for a plan that reports do not train, if any."""
    parser = argparse.ArgumentParser()
    parser.add_argument("dataset")
    parser.add_argument("--budget", "--preset", default=BUDGET)  # version 0.1.0 wrote --preset
    parser.add_argument("--seeds")
    parser.add_argument("--data-dir")
    parser.add_argument("--only", nargs="+")
    asked = vars(parser.parse_args(shlex.split(read_card(name)["command"])[2:]))
    dataset, only, options = asked.pop("dataset"), asked.pop("only"), []
    for option, value in asked.items():
        options += [f"--{option.replace('_', '-')}", value] if value else []
    report = shlex.join(["hyperctr", "report", dataset, *options, *(["--only", *only] if only else [])])
    sweep = shlex.join(["hyperctr", "sweep", "run", plan, "--dataset", dataset, *options])
    return f"`{sweep}`, then `{report}`" if plan else f"`{report}`"


def version(name: str) -> str:
    """Return the version of the library that made the recorded results of a data set."""
    return next((text for text in read_card(name)["versions"] if text.startswith("hyperctr ")), "hyperctr")


def recorded(name: str) -> str:
    """Say which version and which code made the recorded runs of a data set."""
    runs = pd.read_csv(RESULTS / name / "runs.csv")
    code = runs.loc[runs["model"] == "hyperctr", "code_fingerprint"].iloc[0]
    return f"recorded by {version(name)}, code `{code[:8]}`"


def table3_text(name: str) -> str:
    """Return Table 3 of one data set: measured beside the nearest published column, if any; a table a protocol."""
    frame = read_table(name, "table3")
    compared = bool(frame["paper_auc"].notna().any())
    state = frame["state"].where(~frame["state"].isin(["done", "no run"]), "")
    notes = [", ".join(filter(None, words)) for words in zip(state, frame["variant"], strict=True)]
    frame["model"] += [f" ({words})" if words else "" for words in notes]
    frame["interval"] = with_interval(frame, "auc")
    titles = {"model": "model", "interval": "AUC, 95 % interval", "gauc": "GAUC", "logloss": "log loss"}
    if "logloss_calibrated" in frame:  # else recorded before there was one
        titles["logloss_calibrated"] = "calibrated"
    titles["seeds"] = "seeds"
    if compared:
        titles |= {"paper_auc": f"{counterpart(name)} as published: AUC", "paper_logloss": "log loss"}
    texts = []
    for protocol in frame["protocol"].dropna().unique():
        not_run = frame["protocol"].isna() & (protocol == "as-published") & compared
        rows = frame[(frame["protocol"] == protocol) | not_run]
        texts += [f"**{name}** (Table 3), {measured(name, rows)}:", markdown(rows, titles)]
    return "\n\n".join(texts)


def table4_text(name: str) -> str:
    """Return Table 4 of one data set."""
    frame = read_table(name, "table4")
    worth = hyperedges_worth(frame)
    frame["model"] += [f" ({state})" if state != "done" else "" for state in frame["state"]]
    frame["interval"], frame["distance"] = with_interval(frame, "auc"), with_interval(frame, "auc_deficit", "+.4f")
    titles = {"model": "row", "interval": "AUC, 95 % interval", "distance": "behind multi-modal, paired 95 % interval"}
    if frame["paper_auc"].notna().any():
        titles["paper_auc"] = f"{counterpart(name)} as published: AUC"
    shown = [f"**{name}** (Table 4), {measured(name, frame)}:", markdown(frame, titles), worth]
    return "\n\n".join(filter(None, shown))


def summary_text() -> str:
    """Return what README says of the results: six rows of Table 3, and what hyperedges are worth on each data set."""
    frame = read_table(SUMMARY, "table3").query("protocol == 'as-published'").set_index("model")
    rival, systems = best_rival(frame)
    shown = ["hyperctr", "hyperctr+", rival, "content matrix factorisation", "popularity", "item mean"]
    rows = frame.loc[shown].reset_index()
    rows.loc[rows["model"] == rival, "model"] += f", the best of {systems} other systems"
    rows["interval"] = with_interval(rows, "auc")
    titles = {"model": "model", "interval": "test AUC, 95 % interval", "gauc": "GAUC"}
    table = markdown(rows, titles | {"logloss_calibrated": "log loss, calibrated", "seeds": "seeds"})
    told = f"**{SUMMARY}**, protocol `as-published`, random split, sampled labels, budget {BUDGET}, {recorded(SUMMARY)}"
    told_of = [hyperedges_worth(read_table(name, "table4"), f"on {name}") for name in (SUMMARY, PLANTED)]
    auc = read_table(PLANTED, "table3").query("protocol == 'as-published'").set_index("model")["auc"]
    best_first = auc[["hyperctr", "hyperctr+", "content matrix factorisation"]].sort_values(ascending=False)
    order = ", ".join(f"{model} {value:.4f}" for model, value in best_first.items())
    told_of += [f"The test AUC on {PLANTED}, which is generated: {order}."]
    return "\n\n".join([f"{told}:", table, " ".join(told_of)])


def costs_text(name: str) -> str:
    """Return what each variant of each model took on one data set, and what validation said of it."""
    frame = _with_variant(RESULTS / name / "tables" / "costs.csv")
    frame["model"] += np.where(frame["reported"], " *", "")
    titles = {column: column.replace("_", " ") for column in ("model", "protocol", "seeds", *COSTS)}
    titles |= {"model": "model, variant (* in Table 3)", "best_validation_auc": "validation AUC", "auc": "test AUC"}
    titles |= {"seconds_per_epoch": "seconds an epoch", "peak_memory_mib": "peak memory, MiB"}
    heading = f"**{name}**, {frame['minutes'].sum():.0f} minutes of runs in all, {recorded(name)}"
    return f"{heading}:\n\n{markdown(frame, titles, **COSTS)}"


def _with_variant(path: Path) -> pd.DataFrame:
    frame = pd.read_csv(path, dtype={"variant": "str"})
    return frame.assign(model=frame["model"] + (", " + frame["variant"]).fillna(""))


def variants_text() -> str:
    """Return what each system's variants set, beside the defaults of all models."""

    def words(changes: Mapping[str, Any]) -> str:
        flat = {**changes, **changes.get("options", {})}
        listed = (f"{key} {list(value) if isinstance(value, tuple) else value}" for key, value in flat.items())
        return ", ".join(text for text in listed if not text.startswith("options "))

    rows = []
    for name, spec in SYSTEMS.items():
        author = "the same" if spec.author in (None, spec.settings) else words(spec.author or {})
        rows.append([f"`{name}`", words(spec.settings), author, words(spec.budgets.get(BUDGET, {})) or EMPTY])
    return Table(["system", "table2", "author", f"changed at budget {BUDGET}"], rows).markdown()


def speed_text() -> str:
    """Return the seconds of an epoch of every variant over those of HyperCTR, as the benchmark measured them."""
    frame = _with_variant(RESULTS / "planted" / "speed.csv")
    titles = {"model": "model, variant", "ratio": "times hyperctr", "seconds_per_epoch": "seconds an epoch"}
    titles |= {"steps_per_epoch": "steps", "step_ms": "ms a step", "point_ms": "ms a validation point"}
    table = markdown(frame, titles, ratio=2, seconds_per_epoch=1, step_ms=0, point_ms=0)
    where = f"planted, budget {BUDGET}, one thread of a CPU, seconds of the process, {recorded_by(frame)}"
    return f"{where}:\n\n{table}"


def picture(name: str) -> str:
    """Return the picture of one data set, if there is one."""
    path = RESULTS / name / "figures" / f"{PICTURE}.png"
    title = f"Learning curves of all models on {name} (Figure 8)"
    return f"![{title}](../{path.relative_to(ROOT).as_posix()})" if path.exists() else ""


def switches_table(name: str) -> str:
    """Return what each switch is worth on validation: means of the seeds, differences seed by seed."""
    frame = pd.read_csv(RESULTS / name / "switches.csv")
    auc = frame.pivot(index="variant", columns="seed", values="validation_auc").loc[frame["variant"].unique()]
    change = (auc - auc.iloc[0]).iloc[1:]
    table = pd.DataFrame({"auc": auc.mean(axis=1), "mean": change.mean(axis=1)}, index=auc.index)
    table = table.assign(least=change.min(axis=1), most=change.max(axis=1)).reset_index()
    titles = {"variant": "variant", "auc": "validation AUC", "mean": f"against {auc.index[0]}"}
    seeds = auc.shape[1]
    shown = markdown(table, titles | ({"least": "least", "most": "most"} if seeds > 1 else {}))
    of = f"means of {seeds} seeds" if seeds > 1 else "one seed"
    return f"Best validation AUC on {name}, budget {BUDGET}, {of}, {recorded_by(frame)}:\n\n{shown}"


def search_table(name: str) -> str:
    """Return the points of the paper's grid that were tried beside the settings that are used, best first."""
    frame = pd.read_csv(RESULTS / name / "search.csv").sort_values("best_validation_auc", ascending=False)
    grid = frame[frame["point"] == "of the grid"]
    ours = float(frame.loc[frame["point"] == "as set", "best_validation_auc"].iloc[0])
    ahead = int((grid["best_validation_auc"] > ours).sum())
    told = (
        f"`hyperctr` on {name}, budget {BUDGET}, seed 0: {len(grid)} of the {frame['points'].iloc[0]} points of the "
        f"paper's grid, chosen by the tree-structured Parzen estimator; {ahead or 'none'} of them "
        f"{'is' if ahead < 2 else 'are'} ahead of the settings that it has, {recorded_by(frame)}:"
    )
    settings = ("batch_size", "embedding_size", "learning_rate", "weight_decay")
    titles = {"point": "point"} | {setting: setting.replace("_", " ") for setting in settings}
    frame = frame.assign(**{setting: frame[setting].map("{:g}".format) for setting in settings})
    return f"{told}\n\n{markdown(frame, titles | {'best_validation_auc': 'validation AUC'})}"


def tried_table(name: str) -> str:
    """Return what was tried, with its effect on validation."""
    frame = pd.read_csv(RESULTS / name / "tried.csv")
    shown = markdown(frame, {str(column): str(column).replace("_", " ").replace("auc", "AUC") for column in frame})
    return f"**{name}**\n\n{shown}"


def labels_table(name: str) -> str:
    """Return what negatives that were shown are worth, against what nobody chose to show and against what was shown."""
    frame = pd.read_csv(RESULTS / name / "labels.csv")
    means = frame.groupby(["training", "model"], sort=False)[["auc", "auc_impressions"]].mean().reset_index()
    titles = {"training": "negatives of training", "model": "model", "auc": "AUC, sampled"}
    shown = markdown(means, titles | {"auc_impressions": "AUC, impressions"})
    seeds = frame["seed"].nunique()
    return f"{name}, budget {BUDGET}, means of {seeds} seeds, {recorded_by(frame)}:\n\n{shown}"


def interest_table() -> str:
    """Return how well each reading of the pre-training recovers the planted interest."""
    frame = pd.read_csv(RESULTS / "planted" / "interest.csv")
    table = frame.pivot(index="reading", columns="seed", values="recovery_auc").loc[frame["reading"].unique()]
    table = table.add_prefix("seed ").reset_index()
    titles = {name: name for name in table.columns} | {"reading": "reading, planted data, mean over modalities"}
    shown = markdown(table, titles, **dict.fromkeys(table.columns[1:], 3))
    return f"{shown}\n\nThe table was {recorded_by(frame)}."


def render(page: str, marker: str, text: str) -> str:
    """Return the page with what stands between the markers replaced."""
    begin, end = f"<!-- {marker}:begin -->", f"<!-- {marker}:end -->"
    head, rest = page.split(begin)
    return f"{head}{begin}\n\n{text}\n\n{end}{rest.split(end)[1]}"


def pages() -> dict[Path, str]:
    """Return the pages as they have to be, given the committed results."""

    def having(file: str) -> list[str]:
        return sorted(path.name for path in RESULTS.iterdir() if (path / file).exists())

    shown = [part for name in having("tables/table3.csv") for part in (table3_text(name), picture(name))]
    shown += [table4_text(name) for name in having("tables/table4.csv")]
    sections = {
        ROOT / "README.md": {"summary": summary_text()},
        ROOT / "docs" / "results.md": {"results": "\n\n".join(filter(None, shown))},
        ROOT / "docs" / "benchmarks.md": {
            "gates": gates_text(RESULTS / "benchmarks"),
            "benchmarks": "\n\n".join(map(benchmark_text, sorted((RESULTS / "benchmarks").glob("*.csv")))),
        },
        ROOT / "docs" / "import-formats.md": {"formats": formats_table()},
        ROOT / "docs" / "scale.md": {"scale": scale_table(RESULTS / "benchmarks" / "training.csv", BUDGET)},
        ROOT / "docs" / "method.md": {
            "switches": "\n\n".join(map(switches_table, having("switches.csv"))),
            "search": "\n\n".join(map(search_table, having("search.csv"))),
            "tried": "\n\n".join(map(tried_table, having("tried.csv"))),
            "interest": interest_table(),
            "labels": "\n\n".join(map(labels_table, having("labels.csv"))),
            "ways": gains_of_ways(pd.read_csv(RESULTS / "benchmarks" / "rounds.csv")),
        },
        ROOT / "docs" / "systems.md": {
            "costs": "\n\n".join(map(costs_text, having("tables/costs.csv"))),
            "variants": variants_text(),
            "speed": speed_text(),
        },
    }
    written = {ROOT / "docs" / "model.svg": model_svg("../hyperctr", alone=True)}
    for page, texts in sections.items():
        written[page] = page.read_text(encoding="utf-8")
        for marker, text in texts.items():
            written[page] = render(written[page], marker, text)
    return written
