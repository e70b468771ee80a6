"""Write the pages that show the recorded results: what stands between markers comes from reports/results/."""

from __future__ import annotations

import json
import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from hyperctr.config import SYSTEMS
from hyperctr.paper.numbers import counterpart
from hyperctr.paper.tables.rows import preset_of

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "reports" / "results"
BUDGET = "quick"  # the pages say so
PICTURE = "figure8"  # of the learning curves: what README shows
Row = dict[Hashable, Any]


def read_table(name: str, table: str) -> pd.DataFrame:
    """Return our rows of a committed table, with the preset of each; the printed rows are in the paper."""
    frame = pd.read_csv(RESULTS / name / "tables" / f"{table}.csv").query("state != 'printed'")
    labels = frame["label"].fillna(frame["model"])
    return frame.assign(preset=list(map(preset_of, labels, frame["model"])))


def number(value: Any, form: str = ".4f") -> str:
    """Return a number as text, a dash where there is none."""
    return format(value, form) if isinstance(value, int | float) and math.isfinite(value) else "–"


def with_interval(row: Row, column: str, form: str = ".4f") -> str:
    """Return ``value [low, high]``, or the value alone where it has no interval."""
    if not math.isfinite(row[f"{column}_low"]):
        return number(row[column], form)
    value, low, high = (format(row[column + end], form) for end in ("", "_low", "_high"))
    return f"{value} [{low}, {high}]"


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def measured(name: str, frame: pd.DataFrame) -> str:
    """Say what a committed table was measured on, and by which commands."""
    card = json.loads((RESULTS / name / "card.json").read_text(encoding="utf-8"))
    done = frame.loc[frame["seeds"] > 0, "seeds"]
    fewest, seeds = (0, 0) if done.empty else (int(done.min()), int(done.max()))
    protocols = ", ".join(f"`{one}`" for one in frame["protocol"].dropna().unique())
    plan = "causal" if "causal" in protocols else "systems" if any(frame["preset"]) else ""
    sweep = card["command"].replace(f"report {card['command'].split()[2]}", f"sweep run {plan} --dataset {name}")
    commands = f"`{sweep}`, then `{card['command']}`" if plan else f"`{card['command']}`"
    return (
        f"protocol {protocols}, random 7:2:1 split, sampled labels, preset {BUDGET}, "
        f"{seeds if fewest == seeds else f'{fewest} to {seeds}'} seed{'s' if seeds > 1 else ''} ({commands})"
    )


def table3_text(name: str) -> str:
    """Return Table 3 of one data set: ours beside the nearest printed column, if there is one; a table a protocol."""
    frame = read_table(name, "table3")
    held = bool(frame["paper_auc"].notna().any())
    texts = []
    for protocol in frame["protocol"].dropna().unique():
        own = frame[(frame["protocol"] == protocol) | (frame["protocol"].isna() & (protocol == "paper") & held)]
        head = ["model", "AUC, 95 % interval", "GAUC", "log loss", "seeds"]
        head += [f"{counterpart(name)} as printed: AUC", "log loss"] if held else []
        rows = []
        for row in own.to_dict("records"):
            words = [] if row["state"] in ("done", "no run") else [row["state"]]
            words += [row["preset"]] if row["preset"] else []
            noted = f" ({', '.join(words)})" if words else ""
            cells = [
                f"{row['model']}{noted}",
                with_interval(row, "auc"),
                number(row["gauc"]),
                number(row["logloss"]),
                number(int(row["seeds"]), "d"),
            ]
            rows.append(cells + ([number(row["paper_auc"]), number(row["paper_logloss"])] if held else []))
        texts += [f"**{name}** (Table 3), {measured(name, own)}:", markdown(head, rows)]
    return "\n\n".join(texts)


def table4_text(name: str) -> str:
    """Return Table 4 of one data set."""
    frame = read_table(name, "table4")
    held = bool(frame["paper_auc"].notna().any())
    head = ["row", "AUC, 95 % interval", "behind multi-modal, paired 95 % interval"]
    head += [f"{counterpart(name)} as printed: AUC"] if held else []
    rows = []
    for row in frame.to_dict("records"):
        words = "" if row["state"] == "done" else f" ({row['state']})"
        cells = [f"{row['model']}{words}", with_interval(row, "auc"), with_interval(row, "behind", "+.4f")]
        rows.append(cells + ([number(row["paper_auc"])] if held else []))
    return f"**{name}** (Table 4), {measured(name, frame)}:\n\n{markdown(head, rows)}"


def costs_text(name: str) -> str:
    """Return what each preset of each model took on one data set, and what validation said of it."""
    frame = pd.read_csv(RESULTS / name / "tables" / "costs.csv").fillna({"preset": ""})
    rows = [
        [
            f"{row['model']}{', ' + row['preset'] if row['preset'] else ''}{' *' if row['reported'] else ''}",
            row["protocol"],
            str(row["seeds"]),
            number(row["best_validation_auc"]),
            number(row["auc"]),
            number(row["parameters"], ",.0f"),
            number(row["best_epoch"], ".1f"),
            number(row["epochs"], ".1f"),
            number(row["seconds_per_epoch"], ".2f"),
            number(row["times_hyperctr"], ".2f"),
            number(row["minutes"], ".1f"),
            number(row["peak_memory_mib"], ",.0f"),
        ]
        for row in frame.to_dict("records")
    ]
    head = [
        "model, preset (* in Table 3)",
        "protocol",
        "seeds",
        "validation AUC",
        "test AUC",
        "parameters",
        "best epoch",
        "epochs",
        "seconds an epoch",
        "times hyperctr",
        "minutes",
        "peak memory, MiB",
    ]
    return f"**{name}**, {frame['minutes'].sum():.0f} minutes of runs in all:\n\n{markdown(head, rows)}"


def variants_text() -> str:
    """Return what each system's variants set, beside the defaults of all models."""

    def words(changes: Mapping[str, Any]) -> str:
        flat = {**changes, **changes.get("options", {})}
        listed = (f"{key} {list(value) if isinstance(value, tuple) else value}" for key, value in flat.items())
        return ", ".join(text for text in listed if not text.startswith("options "))

    rows = [
        [
            f"`{name}`",
            words(spec.settings),
            "the same" if spec.author in (None, spec.settings) else words(spec.author or {}),
            words(spec.budgets.get(BUDGET, {})) or "–",
        ]
        for name, spec in SYSTEMS.items()
    ]
    return markdown(["system", "table2", "author", f"changed at budget {BUDGET}"], rows)


def speed_text() -> str:
    """Return the seconds of an epoch of every preset over those of HyperCTR, as the benchmark measured them."""
    rows = pd.read_csv(RESULTS / "planted" / "speed.csv").fillna({"preset": ""}).to_dict("records")
    cells = [
        [
            ", ".join(filter(None, (row["model"], row["preset"]))),
            number(row["ratio"], ".2f"),
            number(row["seconds_per_epoch"], ".1f"),
            number(row["steps_per_epoch"], "d"),
            number(row["step_ms"], ".0f"),
            number(row["point_ms"], ".0f"),
        ]
        for row in rows
    ]
    head = ["model, preset", "times hyperctr", "seconds an epoch", "steps", "ms a step", "ms a validation point"]
    return f"planted, preset {BUDGET}, one thread of a CPU, seconds of the process:\n\n{markdown(head, cells)}"


def picture(name: str) -> str:
    """Return the picture of one data set, if there is one."""
    path = RESULTS / name / "figures" / f"{PICTURE}.png"
    title = f"Learning curves of all models on {name} (Figure 8)"
    return f"![{title}]({path.relative_to(ROOT).as_posix()})" if path.exists() else ""


def switches_table(name: str) -> str:
    """Return what each switch is worth on validation."""
    rows = pd.read_csv(RESULTS / name / "switches.csv").to_dict("records")
    table = markdown(["variant", "validation AUC"], [[row["variant"], number(row["validation_auc"])] for row in rows])
    return f"Best validation AUC on {name}, preset quick, one seed:\n\n{table}"


def interest_table() -> str:
    """Return how well each reading of the pre-training recovers the planted interest."""
    frame = pd.read_csv(RESULTS / "planted" / "interest.csv")
    table = frame.pivot(index="reading", columns="seed", values="recovery_auc").loc[frame["reading"].unique()]
    head = ["reading, planted data, mean over modalities", *(f"seed {seed}" for seed in table.columns)]
    rows = zip(table.index, table.to_numpy(), strict=True)
    return markdown(head, [[reading, *(number(float(value), ".3f") for value in row)] for reading, row in rows])


def render(page: str, marker: str, text: str) -> str:
    """Return the page with what stands between the markers replaced."""
    begin, end = f"<!-- {marker}:begin -->", f"<!-- {marker}:end -->"
    head, rest = page.split(begin)
    return f"{head}{begin}\n\n{text}\n\n{end}{rest.split(end)[1]}"


def pages() -> dict[Path, str]:
    """Return the pages as they have to be, given the committed results."""
    every = sorted(path for path in RESULTS.iterdir() if path.is_dir())

    def having(file: str) -> list[str]:
        return [path.name for path in every if (path / file).exists()]

    shown = [part for name in having("tables/table3.csv") for part in (table3_text(name), picture(name))]
    shown += [table4_text(name) for name in having("tables/table4.csv")]
    sections = {
        ROOT / "README.md": {"results": "\n\n".join(filter(None, shown))},
        ROOT / "docs" / "method.md": {
            "switches": "\n\n".join(map(switches_table, having("switches.csv"))),
            "interest": interest_table(),
        },
        ROOT / "docs" / "systems.md": {
            "costs": "\n\n".join(map(costs_text, having("tables/costs.csv"))),
            "variants": variants_text(),
            "speed": speed_text(),
        },
    }
    found = {}
    for page, texts in sections.items():
        found[page] = page.read_text(encoding="utf-8")
        for marker, text in texts.items():
            found[page] = render(found[page], marker, text)
    return found
