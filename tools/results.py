"""Make the report whose numbers this repository records, keep its small files, and write the pages that show them.

    python tools/results.py ml-trailers --data-dir D --seeds 3    makes the report (what is done is kept), then writes
    python tools/results.py ml-trailers ... --plans systems       trains a plan first that reports do not train
    python tools/results.py planted --switches --seeds 3          what each part of hyperctr+ is worth, on validation
    python tools/results.py ml-trailers --labels --seeds 3        what negatives that were shown are worth
    python tools/results.py ml-trailers --search 20               tries points of the paper's grid, on validation
    python tools/results.py ml-trailers --lead --seeds 6          hyperctr+ against hyperctr, on more seeds
    python tools/results.py --pages                               only renders the pages from the committed files
    python tools/results.py --figures                             also draws Figures 4 to 6 and 8 from their CSV files

The pages are README and those of docs/ that have markers.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import shutil
import sys
from pathlib import Path

import pandas as pd
from page_tables import BUDGET
from redraw import redraw_all
from result_pages import RESULTS, ROOT, pages

import hyperctr as hc
from hyperctr.config import Config
from hyperctr.data.dataset import Dataset
from hyperctr.data.registry import open_data
from hyperctr.report.build import build_report
from hyperctr.sweeps.local import run_plans
from hyperctr.sweeps.plan import open_plan
from hyperctr.sweeps.search import Search, open_search

KEPT = re.compile(r"(table\d|costs|claims|protocols|figure\d)\.(csv|tex|json|png)")
SMALL = 600_000  # bytes; a bigger file is no small result


def publish_results(report: Path, folder: Path) -> None:
    """Copy the small results of a finished report to ``folder``, ``reports/results/<data set>/``.

    These are the paper's tables and figures with their numbers, ``runs.csv`` and ``card.json``. No path of this
    machine goes with them.
    """
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


def _copy(source: Path, target: Path) -> None:
    """Copy a file; messages in tables name files of the checkout by their place in it."""
    if source.suffix == ".csv":
        target.write_text(source.read_text(encoding="utf-8").replace(f"{ROOT}/", ""), encoding="utf-8")
    else:
        shutil.copyfile(source, target)


def collect_switches(data: Dataset, seeds: int) -> pd.DataFrame:
    """Train ``hyperctr+`` without each of its parts; return the best validation AUC of each with each seed."""
    full = Config.for_model("hyperctr+", BUDGET)
    paper = {name: getattr(Config(), name) for name in ("embedding_size", "negatives", "weight_decay")}
    variants = {"hyperctr+": full, "without matching: hyperctr": Config.for_model("hyperctr", BUDGET)}
    variants["without hypergraphs"] = full.replace(graph="none")
    variants["with edge information"] = full.replace(edge_information=True)
    variants["without averaged weights"] = full.replace(average_epochs=0.0)
    variants["with d 64, 1 negative, weight decay 0.1"] = full.replace(**paper)
    lines = []
    for seed in range(seeds):
        for variant, config in variants.items():
            run = hc.train(data, config.replace(seed=seed))
            lines.append({"variant": variant, "seed": seed, "validation_auc": run.metrics["best_validation_auc"]})
    return pd.DataFrame(lines)


def collect_labels(data: Dataset, seeds: int) -> pd.DataFrame:
    """Train ``hyperctr+`` without and with negatives that were shown; return its AUC under both labellings.

    The rows beside it, content matrix factorisation among them, have the same negatives.
    """
    rows = []
    for training, share in (("sampled", 0.0), ("one of them shown and not clicked", 1.0)):
        for seed in range(seeds):
            run = hc.train(data, Config.for_model("hyperctr+", BUDGET, seed=seed, non_click_negatives=share))
            frame = run.rows[["model", "auc", "auc_impressions"]]
            rows.append(frame[frame["model"] != "constant"].assign(training=training, seed=seed, run=run.id))
    return pd.concat(rows)


def collect_lead(data: Dataset, seeds: int) -> pd.DataFrame:
    """Train ``hyperctr+`` and ``hyperctr`` on more seeds than the report has; return the test AUC of each."""
    lines = []
    for seed in range(seeds):
        for model in ("hyperctr+", "hyperctr"):
            run = hc.train(data, Config.for_model(model, BUDGET, seed=seed))
            lines.append({"model": model, "seed": seed, "auc": run.metrics["auc"], "run": run.id})
    return pd.DataFrame(lines)


def collect_search(search: Search, trials: int, workers: int | None) -> pd.DataFrame:
    """Try points of the paper's grid with ``hyperctr``, beside the settings it has; return their validation AUC."""
    print(search.run(trials, workers=workers))
    # Two workers may have tried one point at once.
    found = search.frame().drop(columns=["trial", "runs"]).drop_duplicates()
    config = Config.for_model(search.model, BUDGET)
    ours = {name: getattr(config, name) for name in search.space}
    ours["best_validation_auc"] = hc.train(search.data, config).metrics["best_validation_auc"]
    found = pd.concat([found.assign(point="of the grid"), pd.DataFrame([ours]).assign(point="as set")])
    return found.assign(points=search.points)


def main() -> int:
    """Make a report and keep its results if a data set is named, then write the pages; 1 if the report has failures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", nargs="?", help="a data set; without one only the pages are written")
    parser.add_argument("--data-dir")
    parser.add_argument(
        "--seeds", type=int, default=0, help="how many (default: as budget quick says; where no report is made 1)"
    )
    parser.add_argument("--workers", type=int)
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--plans", nargs="+", default=[], help="plans to train before the report, such as systems and causal"
    )
    what.add_argument("--switches", action="store_true", help="only train hyperctr+ without each of its parts")
    what.add_argument("--labels", action="store_true", help="only train hyperctr+ with negatives that were shown")
    what.add_argument("--lead", action="store_true", help="only train hyperctr+ and hyperctr")
    what.add_argument(
        "--search", type=int, metavar="N", help="only try points of the paper's grid, N in all, on seed 0"
    )
    what.add_argument("--pages", action="store_true", help="only write the pages")
    what.add_argument("--figures", action="store_true", help="draw the recorded figures again, then write the pages")
    options = parser.parse_args()
    code = 0
    if options.figures:
        redraw_all()
    elif options.dataset and not options.pages:
        code = record(options)
    for path, text in pages().items():
        path.write_text(text)
    return code


def record(options: argparse.Namespace) -> int:
    """Train what the options name and keep its small files; return the exit code of the report, if one was made."""
    dataset, data_dir, seeds = options.dataset, options.data_dir or "", options.seeds or 1
    name_of_data = Path(data_dir if dataset == "table" and data_dir else dataset).name
    folder = RESULTS / name_of_data

    def keep(name: str, frame: pd.DataFrame) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        frame.assign(hyperctr=hc.__version__).to_csv(folder / f"{name}.csv", index=False, float_format="%.6g")

    if options.search is not None:
        search = open_search("search", dataset, BUDGET, data_dir=data_dir)
        keep("search", collect_search(search, options.search, options.workers))
        return 0
    for name, collect in (("labels", collect_labels), ("lead", collect_lead), ("switches", collect_switches)):
        if getattr(options, name):
            keep(name, collect(open_data(dataset, BUDGET, data_dir), seeds))
            return 0
    given = {"seeds": options.seeds, "data_dir": data_dir}
    plans = [open_plan(name, dataset, BUDGET, **given) for name in options.plans]
    if plans:
        print(run_plans(plans, workers=options.workers))
    out = ROOT / "reports" / "out" / name_of_data / BUDGET
    report = build_report(dataset, BUDGET, **given, out=out, workers=options.workers)
    print(report)
    publish_results(out, folder)
    return report.exit_code


if __name__ == "__main__":
    sys.exit(main())
