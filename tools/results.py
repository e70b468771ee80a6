"""Train what the README and docs/method.md show, write reports/results/, and put the numbers into both pages.

    python tools/results.py ml-trailers --data-dir D     trains what is missing (runs are cached), then writes
    python tools/results.py --pages                      only renders the pages from the committed CSV files

No number in those pages is typed by hand: everything between the markers comes from reports/results/.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "reports" / "results"
COLUMNS = [
    "auc",
    "auc_low",
    "auc_high",
    "gauc",
    "logloss",
    "logloss_corrected",
    "auc_exposed",
    "ahead",
    "ahead_low",
    "ahead_high",
]
ORDER = ["hyperctr+", "hyperctr", "content matrix factorisation", "popularity", "item mean", "constant"]
BUDGET = "quick"  # the pages say so
FACTS = ["model", "seed", "best_validation_auc", "test_clicks", "epochs", "seconds", "device", "data_fingerprint",
         "split_checksum"]  # fmt: skip


def collect(dataset: str, data_dir: str | None, seeds: list[int]) -> None:
    """Train both models for every seed, and ``hyperctr+`` without each of its parts for the first seed."""
    import hyperctr as hc
    from hyperctr.config import MODEL_PRESETS, Config

    data = hc.load_dataset(dataset, data_dir=data_dir)
    name = data.name if dataset != "table" else Path(str(data_dir)).name
    tables, facts = [], []
    for seed in seeds:
        for model in ("hyperctr+", "hyperctr"):
            run = hc.train(data, Config.preset(model, BUDGET, seed=seed))
            rows = run.rows
            own = rows[rows["model"] == model].drop(columns=["ahead", "ahead_low", "ahead_high"], errors="ignore")
            against = rows[rows["model"] == "content matrix factorisation"].iloc[0]
            own = own.assign(**{column: against[column] for column in ("ahead", "ahead_low", "ahead_high")})
            nothing = dict.fromkeys(("ahead", "ahead_low", "ahead_high"), float("nan"))
            others = rows[rows["model"] != model].assign(**nothing)
            tables.append(pd.concat([own, others]).assign(seed=seed))
            facts.append({"run": run.id, **{name: run.metrics[name] for name in FACTS}})
    folder = RESULTS / name
    folder.mkdir(parents=True, exist_ok=True)
    frame = pd.concat(tables).drop_duplicates(["model", "seed"])[["model", "seed", *COLUMNS]]
    frame["model"] = pd.Categorical(frame["model"], ORDER, ordered=True)
    frame.sort_values(["model", "seed"]).to_csv(folder / "overall.csv", index=False, float_format="%.5f")
    pd.DataFrame(facts).to_csv(folder / "runs.csv", index=False, float_format="%.5f")
    full = Config.preset("hyperctr+", BUDGET, seed=seeds[0])
    plain = Config.preset("hyperctr", BUDGET, seed=seeds[0])
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


def collect_ablation(dataset: str, data_dir: str | None, seeds: list[int]) -> None:
    """Train the rows of Table 4 and compare each with the multi-modal model on the same candidates.

    Single modalities are far behind and take the first seed; "(-) hypergraph" is close and takes all.
    """
    import hyperctr as hc
    from hyperctr.config import Config
    from hyperctr.runs.compare import compare_runs

    data = hc.load_dataset(dataset, data_dir=data_dir)
    lines = []
    for seed in seeds:
        whole = Config.preset("hyperctr", BUDGET, seed=seed)
        variants = {"multi-modal": whole}
        if seed == seeds[0]:
            variants |= {f"{name} only": whole.replace(modalities=(name,)) for name in data.modalities}
        variants["(-) hypergraph"] = whole.replace(graph="bipartite")
        runs = {variant: hc.train(data, config) for variant, config in variants.items()}
        for variant, run in runs.items():
            gap = compare_runs(runs["multi-modal"], run)
            measured = {name: run.metrics[name] for name in ("auc", "auc_low", "auc_high")}
            behind = {"behind": gap.value, "behind_low": gap.low, "behind_high": gap.high}
            lines.append({"variant": variant, "seed": seed, **measured, **behind, "run": run.id})
    folder = RESULTS / data.name
    folder.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(lines).to_csv(folder / "ablation.csv", index=False, float_format="%.5f")


def ablation_table(name: str) -> str:
    """Return the Markdown table of the ablation of one data set."""
    lines = [
        f"**{name}**, `hyperctr` with one modality, or a plain graph instead of hypergraphs (Table 4):",
        "",
        "| variant | seed | test AUC, 95 % interval | behind multi-modal, paired 95 % interval |",
        "| --- | --- | --- | --- |",
    ]
    frame = pd.read_csv(RESULTS / name / "ablation.csv")
    for row in frame.to_dict("records"):
        behind = "" if row["variant"] == "multi-modal" else interval(row, "behind", "+.4f")
        lines.append(f"| {row['variant']} | {row['seed']} | {interval(row, 'auc', '.4f')} | {behind} |")
    plain = frame[frame["variant"] == "(-) hypergraph"]
    # Seeds have splits and candidates of their own, so their errors are taken as independent.
    half = ((plain["behind_high"] - plain["behind_low"]) / 2).pow(2).sum() ** 0.5 / len(plain)
    mean = plain["behind"].mean()
    row = {"behind": mean, "behind_low": mean - half, "behind_high": mean + half}
    lines.append(f"| (-) hypergraph | mean | {plain['auc'].mean():.4f} | {interval(row, 'behind', '+.4f')} |")
    return "\n".join(lines)


def interval(row: dict[Any, Any], column: str, form: str) -> str:
    """Return ``value [low, high]`` of a column and its two bounds."""
    value, low, high = (format(row[column + end], form) for end in ("", "_low", "_high"))
    return f"{value} [{low}, {high}]"


def overall_table(name: str) -> str:
    """Return the Markdown table of one data set: means over seeds, and the paired difference of every seed."""
    frame = pd.read_csv(RESULTS / name / "overall.csv")
    seeds = sorted(frame["seed"].unique())
    lines = [
        f"**{name}**, protocol `paper`, random 7:2:1 split, sampled labels, preset quick, "
        + (f"mean of {len(seeds)} seeds ({', '.join(map(str, seeds))}):" if len(seeds) > 1 else f"seed {seeds[0]}:"),
        "",
        "| model | AUC | GAUC | log loss, 1:1 | log loss, prior-corrected | AUC, exposed labels "
        "| AUC ahead of content matrix factorisation, 95 % interval of each seed |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for model in [model for model in ORDER if model in set(frame["model"])]:
        some = frame[frame["model"] == model]
        spread = f" ({some['auc'].min():.4f} to {some['auc'].max():.4f})" if len(seeds) > 1 else ""
        known = some[some["ahead"].notna()].to_dict("records")
        ahead = "; ".join(interval(row, "ahead", "+.4f") for row in known)
        means = [f"{some[column].mean():.4f}" for column in ("gauc", "logloss", "logloss_corrected", "auc_exposed")]
        lines.append(f"| {model} | {some['auc'].mean():.4f}{spread} | {' | '.join(means)} | {ahead} |")
    return "\n".join(lines)


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
    names = sorted(path.parent.name for path in RESULTS.glob("*/overall.csv"))
    ablations = sorted(path.parent.name for path in RESULTS.glob("*/ablation.csv"))
    shown = [*map(overall_table, names), *map(ablation_table, ablations)]
    readme, method = ROOT / "README.md", ROOT / "docs" / "method.md"
    sections = render(method.read_text(), "switches", "\n\n".join(map(switches_table, names)))
    return {
        readme: render(readme.read_text(), "results", "\n\n".join(shown)),
        method: render(sections, "interest", interest_table()),
    }


def main() -> None:
    """Train if a data set is named, then write the pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", nargs="?")
    parser.add_argument("--data-dir")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--ablation", type=int, nargs="+", metavar="SEED", help="also Table 4, on these seeds")
    parser.add_argument("--pages", action="store_true")
    options = parser.parse_args()
    if options.dataset:
        collect(options.dataset, options.data_dir, options.seeds)
        if options.ablation:
            collect_ablation(options.dataset, options.data_dir, options.ablation)
    for path, text in pages().items():
        path.write_text(text)


if __name__ == "__main__":
    main()
