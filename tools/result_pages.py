"""Write the pages that show the recorded results: what stands between markers comes from reports/results/."""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from benchmark_tables import benchmark_text, scale_table
from format_tables import formats_table
from gates import gates_text
from method_tables import interest_table, labels_table, search_table, switches_table, tried_table
from page_tables import (
    BUDGET,
    best_rival,
    centred_order,
    gains_of_ways,
    hyperedges_gain,
    hyperedges_worth,
    lead_text,
    markdown,
    recorded_by,
    same_exchange,
    with_interval,
)

from hyperctr.config import SYSTEMS
from hyperctr.display.table import Table
from hyperctr.figures.model_drawing import model_svg
from hyperctr.paper.numbers import counterpart
from hyperctr.paper.tables.rows import variant_of
from hyperctr.written import EMPTY

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "reports" / "results"
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
    titles = {"model": "model", "interval": "AUC, 95 % interval", "auc_centred": "centred", "gauc": "GAUC"}
    titles |= {"logloss": "log loss", "logloss_calibrated": "calibrated", "behind": "behind the first, paired"}
    frame["behind"] = with_interval(frame, "auc_deficit", sign=True)
    titles["seeds"] = "seeds"
    if compared:
        titles |= {
            "paper_auc": f"{counterpart(name)} as published: AUC",
            "paper_logloss": "log loss, beside calibrated",
        }
    texts = []
    for protocol in frame["protocol"].dropna().unique():
        not_run = frame["protocol"].isna() & (protocol == "as-published") & compared
        rows = frame[(frame["protocol"] == protocol) | not_run]
        lead = RESULTS / name / "lead.csv"
        more = lead_text(pd.read_csv(lead)) if lead.exists() and protocol == "as-published" else ""
        table = markdown(rows, titles)
        texts += [f"**{name}** (Table 3), {measured(name, rows)}:", table, f"{centred_order(rows)} {more}".strip()]
    return "\n\n".join(filter(None, texts))


def choices_text(name: str) -> str:
    """Return what protocol, split, labels and sampler are worth on one data set: AUC with one and with the other."""
    frame = pd.read_csv(RESULTS / name / "tables" / "protocols.csv")
    words = frame[["choice", "start", "end"]].apply(lambda column: column.str.replace("_", " "))
    frame["choice"] = words["choice"] + ": " + words["start"] + " → " + words["end"]
    frame["changed"] = with_interval(frame, "change", sign=True)
    titles = {"choice": "choice", "model": "model", "auc_start": "AUC with the first", "auc_end": "with the second"}
    shown = markdown(frame, titles | {"changed": "change, 95 % interval", "seeds": "seeds"})
    return f"**{name}**, what the choices of the experiment are worth, {recorded(name)}:\n\n{shown}"


def table4_text(name: str) -> str:
    """Return Table 4 of one data set."""
    frame = read_table(name, "table4")
    worth = hyperedges_worth(frame)
    frame["model"] += [f" ({state})" if state != "done" else "" for state in frame["state"]]
    frame["interval"], frame["distance"] = with_interval(frame, "auc"), with_interval(frame, "auc_deficit", sign=True)
    titles = {"model": "row", "interval": "AUC, 95 % interval", "distance": "behind multi-modal, paired 95 % interval"}
    if frame["paper_auc"].notna().any():
        titles["paper_auc"] = f"{counterpart(name)} as published: AUC"
    worth = f"{worth} {same_exchange(pd.read_csv(RESULTS / name / 'runs.csv'))}".strip()
    shown = [f"**{name}** (Table 4), {measured(name, frame)}:", markdown(frame, titles), worth]
    return "\n\n".join(filter(None, shown))


def summary_text() -> str:
    """Return what README says of the results: six rows of Table 3, and what hyperedges are worth on each data set."""
    frame = by_model(SUMMARY)
    rival, systems = best_rival(frame)
    shown = ["hyperctr", "hyperctr+", rival, "content matrix factorisation", "popularity", "item mean"]
    rows = frame.loc[shown].reset_index()
    rows.loc[rows["model"] == rival, "model"] += f", the best of {systems} other systems"
    rows["interval"] = with_interval(rows, "auc")
    titles = {"model": "model", "interval": "test AUC, 95 % interval", "gauc": "GAUC"}
    table = markdown(rows, titles | {"logloss_calibrated": "log loss, calibrated", "seeds": "seeds"})
    told = f"**{SUMMARY}**, protocol `as-published`, random split, sampled labels, budget {BUDGET}, {recorded(SUMMARY)}"
    gains = {name: hyperedges_gain(read_table(name, "table4")) for name in (SUMMARY, PLANTED)}
    parts = [
        f"{found[0]} on {name}" + (f" (the paper: {found[1]})" if found[1] else "")
        for name, found in gains.items()
        if found
    ]
    gained = f"AUC gained by hyperedges in place of single clicks: {', '.join(parts)}. An interval with 0 is no gain."
    return "\n\n".join([f"{told}:", table, f"{gained} {planted_text(by_model(PLANTED))}"])


def by_model(name: str) -> pd.DataFrame:
    """Return the rows of Table 3 under the paper's protocol, by model."""
    return read_table(name, "table3").query("protocol == 'as-published'").set_index("model")


def planted_text(frame: pd.DataFrame) -> str:
    """Return the test AUC of HyperCTR, the best rival and a simple model, and how many are ahead of HyperCTR."""
    rival, systems = best_rival(frame)
    named = {name: name for name in ("hyperctr", "hyperctr+", "content matrix factorisation")}
    named[rival] = f"{rival} (the best of {systems} other systems)"
    auc = frame["auc"].dropna().sort_values(ascending=False)
    order = ", ".join(f"{named[model]} {value:.4f}" for model, value in auc.items() if model in named)
    ahead = int((auc > auc["hyperctr"]).sum())
    behind = f"{ahead} of {len(auc) - 1} models are ahead of hyperctr"
    return f"The test AUC on {PLANTED}, which is generated: {order}; {behind}."


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


def render(page: str, marker: str, text: str) -> str:
    """Return the page with what stands between the markers replaced."""
    begin, end = f"<!-- {marker}:begin -->", f"<!-- {marker}:end -->"
    head, rest = page.split(begin)
    return f"{head}{begin}\n\n{text}\n\n{end}{rest.split(end)[1]}"


def pages() -> dict[Path, str]:
    """Return the pages as they have to be, given the committed results."""

    def having(file: str) -> list[str]:
        return sorted(path.name for path in RESULTS.iterdir() if (path / file).exists())

    def every(table: Callable[[pd.DataFrame, str], str], file: str) -> str:
        return "\n\n".join(table(pd.read_csv(RESULTS / name / file), name) for name in having(file))

    shown = [part for name in having("tables/table3.csv") for part in (table3_text(name), picture(name))]
    shown += [table4_text(name) for name in having("tables/table4.csv")]
    shown += [choices_text(name) for name in having("tables/protocols.csv")]
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
            "switches": every(switches_table, "switches.csv"),
            "search": every(search_table, "search.csv"),
            "tried": every(tried_table, "tried.csv"),
            "interest": interest_table(pd.read_csv(RESULTS / PLANTED / "interest.csv")),
            "labels": every(labels_table, "labels.csv"),
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
