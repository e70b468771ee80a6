"""Make the report whose numbers this repository records, keep its small files, and write the pages that show them.

    python tools/results.py ml-trailers --data-dir D --seeds 3    makes the report (what is done is kept), then writes
    python tools/results.py planted --switches                    also the switches of hyperctr+, on validation
    python tools/results.py --pages                               only renders the pages from the committed files

Everything between the markers comes from reports/results/.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import shlex
import shutil
import sys
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import pandas as pd

from hyperctr.reporting.paper import counterpart

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "reports" / "results"
BUDGET = "quick"  # the pages say so
KEPT = re.compile(r"(table\d|costs|claims|protocols|figure\d)\.(csv|tex|json|png)")
SMALL = 600_000  # bytes; a bigger file is no small result
PICTURE = "figure8"  # of the learning curves: what README shows
Row = dict[Hashable, Any]


def publish_results(report: Path, dataset: str) -> Path:
    """Copy the small results of a finished report to ``reports/results/<dataset>/`` and return that folder.

    These are the paper's tables and figures with their numbers, ``runs.csv`` and ``card.json``. No path of this
    machine goes with them.
    """
    folder = RESULTS / dataset
    for kind in ("tables", "figures"):
        shutil.rmtree(folder / kind, ignore_errors=True)
        for path in sorted((report / kind).glob("*")):
            if KEPT.fullmatch(path.name) and path.stat().st_size > SMALL:
                print(f"{path.name} is left out: {path.stat().st_size:,} bytes")
            elif KEPT.fullmatch(path.name):
                (folder / kind).mkdir(parents=True, exist_ok=True)
                _copy(path, folder / kind / path.name)
    _copy(report / "runs.csv", folder / "runs.csv")
    card = json.loads((report / "card.json").read_text(encoding="utf-8"))
    words = shlex.split(card["command"])
    if "--data-dir" in words:
        words[words.index("--data-dir") + 1] = "DATA"
    card["command"] = shlex.join(words)
    (folder / "card.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return folder


def _copy(source: Path, target: Path) -> None:
    """Copy a file; messages in tables name files of the checkout by their place in it."""
    if source.suffix == ".csv":
        target.write_text(source.read_text(encoding="utf-8").replace(f"{ROOT}/", ""), encoding="utf-8")
    else:
        shutil.copyfile(source, target)


def collect_switches(dataset: str, data_dir: str | None, seed: int = 0) -> None:
    """Train ``hyperctr+`` without each of its parts, and keep the best validation AUC of each."""
    import hyperctr as hc
    from hyperctr.config import MODEL_PRESETS, Config

    data = hc.load_dataset(dataset, data_dir=data_dir)
    folder = RESULTS / (data.name if dataset != "table" else Path(str(data_dir)).name)
    folder.mkdir(parents=True, exist_ok=True)
    full = Config.preset("hyperctr+", BUDGET, seed=seed)
    plain = Config.preset("hyperctr", BUDGET, seed=seed)
    variants = {
        "hyperctr+": full,
        "without matching": plain.replace(**MODEL_PRESETS["hyperctr+"] | {"matching": False}),
    }
    variants["without hypergraphs"] = full.replace(graph="none")
    variants["with the paper's training settings"] = full.replace(
        **{name: getattr(plain, name) for name in MODEL_PRESETS["hyperctr+"] if name != "matching"}
    )
    variants["hyperctr"] = plain
    lines = [{"variant": variant, "validation_auc": hc.train(data, config).metrics["best_validation_auc"]}
             for variant, config in variants.items()]  # fmt: skip
    pd.DataFrame(lines).to_csv(folder / "switches.csv", index=False, float_format="%.5f")


def read_table(name: str, table: str) -> pd.DataFrame:
    """Return our rows of a committed table; the printed rows are in the paper."""
    return pd.read_csv(RESULTS / name / "tables" / f"{table}.csv").query("state != 'printed'")


def number(value: Any, form: str = ".4f") -> str:
    """Return a number as text, a dash where there is none."""
    return format(value, form) if isinstance(value, int | float) and math.isfinite(value) else "–"


def with_interval(row: Row, column: str, form: str = ".4f") -> str:
    """Return ``value [low, high]``, or the value alone where it has no interval."""
    return interval(row, column, form) if math.isfinite(row[f"{column}_low"]) else number(row[column], form)


def measured(name: str, frame: pd.DataFrame) -> str:
    """Say what a committed table was measured on."""
    card = json.loads((RESULTS / name / "card.json").read_text(encoding="utf-8"))
    seeds = int(frame["seeds"].max())
    protocols = ", ".join(f"`{one}`" for one in frame["protocol"].dropna().unique())
    return (
        f"protocol {protocols}, random 7:2:1 split, sampled labels, preset {BUDGET}, "
        f"{seeds} seed{'s' if seeds > 1 else ''} (`{card['command']}`)"
    )


def table3_text(name: str) -> str:
    """Return Table 3 of one data set in Markdown: ours beside the nearest printed column, if there is one."""
    frame = read_table(name, "table3")
    held = bool(frame["paper_auc"].notna().any())
    lines = [f"**{name}** (Table 3), {measured(name, frame)}:", ""]
    lines.append(
        "| model | AUC, 95 % interval | GAUC | log loss | seeds |"
        + (f" {counterpart(name)} as printed: AUC | log loss |" if held else "")
    )
    lines.append("| --- |" + " --- |" * (6 if held else 4))
    for row in frame.to_dict("records"):
        if row["state"] == "no run" and not held:
            continue
        words = "" if row["state"] in ("done", "no run") else f" ({row['state']})"
        cells = [f"{row['model']}{words}", with_interval(row, "auc"), number(row["gauc"]), number(row["logloss"])]
        cells += [number(int(row["seeds"]), "d")]
        cells += [number(row["paper_auc"]), number(row["paper_logloss"])] if held else []
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def table4_text(name: str) -> str:
    """Return Table 4 of one data set in Markdown."""
    frame = read_table(name, "table4")
    held = bool(frame["paper_auc"].notna().any())
    lines = [f"**{name}** (Table 4), {measured(name, frame)}:", ""]
    lines.append(
        "| row | AUC, 95 % interval | behind multi-modal, paired 95 % interval |"
        + (f" {counterpart(name)} as printed: AUC |" if held else "")
    )
    lines.append("| --- |" + " --- |" * (3 if held else 2))
    for row in frame.to_dict("records"):
        words = "" if row["state"] == "done" else f" ({row['state']})"
        cells = [f"{row['model']}{words}", with_interval(row, "auc"), with_interval(row, "behind", "+.4f")]
        cells += [number(row["paper_auc"])] if held else []
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def picture(name: str) -> str:
    """Return the picture of one data set, if there is one."""
    path = RESULTS / name / "figures" / f"{PICTURE}.png"
    title = f"Learning curves of all models on {name} (Figure 8)"
    return f"![{title}]({path.relative_to(ROOT).as_posix()})" if path.exists() else ""


def interval(row: Row, column: str, form: str) -> str:
    """Return ``value [low, high]`` of a column and its two bounds."""
    value, low, high = (format(row[column + end], form) for end in ("", "_low", "_high"))
    return f"{value} [{low}, {high}]"


def switches_table(name: str) -> str:
    """Return the Markdown table of what each switch is worth on validation."""
    rows = pd.read_csv(RESULTS / name / "switches.csv").to_dict("records")
    lines = [
        f"Best validation AUC on {name}, preset quick, one seed:",
        "",
        "| variant | validation AUC |",
        "| --- | --- |",
    ]
    return "\n".join(lines + [f"| {row['variant']} | {row['validation_auc']:.4f} |" for row in rows])


def interest_table() -> str:
    """Return the Markdown table of how well each reading of the pre-training recovers the planted interest."""
    frame = pd.read_csv(RESULTS / "planted" / "interest.csv")
    seeds = sorted(frame["seed"].unique())
    table = frame.pivot(index="reading", columns="seed", values="recovery_auc").loc[frame["reading"].unique()]
    lines = [
        "| reading, planted data, mean over modalities | " + " | ".join(f"seed {seed}" for seed in seeds) + " |",
        "| --- |" + " --- |" * len(seeds),
    ]
    lines += [f"| {reading} | " + " | ".join(f"{value:.3f}" for value in row) + " |"
              for reading, row in zip(table.index, table.to_numpy(), strict=True)]  # fmt: skip
    return "\n".join(lines)


def render(page: str, marker: str, text: str) -> str:
    """Return the page with what stands between the markers replaced."""
    begin, end = f"<!-- {marker}:begin -->", f"<!-- {marker}:end -->"
    head, rest = page.split(begin)
    return f"{head}{begin}\n\n{text}\n\n{end}{rest.split(end)[1]}"


def pages() -> dict[Path, str]:
    """Return the pages as they have to be, given the committed results."""
    names = sorted(path.name for path in RESULTS.iterdir() if path.is_dir())
    shown: list[str] = []
    for name in names:
        if (RESULTS / name / "tables" / "table3.csv").exists():
            shown += [table3_text(name), picture(name)]
    for name in names:
        if (RESULTS / name / "tables" / "table4.csv").exists():
            shown.append(table4_text(name))
    switches = [name for name in names if (RESULTS / name / "switches.csv").exists()]
    readme, method = ROOT / "README.md", ROOT / "docs" / "method.md"
    sections = render(method.read_text(), "switches", "\n\n".join(map(switches_table, switches)))
    return {
        readme: render(readme.read_text(), "results", "\n\n".join(filter(None, shown))),
        method: render(sections, "interest", interest_table()),
    }


def main() -> int:
    """Make a report and keep its results if a data set is named, then write the pages; 1 if the report has failures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", nargs="?")
    parser.add_argument("--data-dir")
    parser.add_argument("--seeds", type=int, default=0, help="how many (default: as preset quick says)")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--switches", action="store_true", help="also train hyperctr+ without each of its parts")
    parser.add_argument("--pages", action="store_true")
    options = parser.parse_args()
    code = 0
    if options.dataset:
        from hyperctr.reporting.report import build_report

        out = ROOT / "reports" / "out" / options.dataset / BUDGET
        report = build_report(options.dataset, BUDGET, seeds=options.seeds, data_dir=options.data_dir, out=out,
                              workers=options.workers)  # fmt: skip
        print(report)
        code = report.exit_code
        publish_results(out, options.dataset if options.dataset != "table" else Path(options.data_dir).name)
        if options.switches:
            collect_switches(options.dataset, options.data_dir)
    for path, text in pages().items():
        path.write_text(text)
    return code


if __name__ == "__main__":
    sys.exit(main())
