"""The tables of docs/method.md: what each part, choice and reading is worth, from the recorded frames."""

from __future__ import annotations

import math

import pandas as pd
from page_tables import BUDGET, markdown, recorded_by, with_interval

from hyperctr.sweeps.seeds import paired


def switches_table(frame: pd.DataFrame, name: str) -> str:
    """Return what each switch is worth on validation: means of the seeds, differences seed by seed."""
    auc = frame.pivot(index="variant", columns="seed", values="validation_auc").loc[frame["variant"].unique()]
    change = (auc - auc.iloc[0]).iloc[1:]
    table = pd.DataFrame({"auc": auc.mean(axis=1), "mean": change.mean(axis=1)}, index=auc.index)
    table = table.assign(least=change.min(axis=1), most=change.max(axis=1)).reset_index()
    titles = {"variant": "variant", "auc": "validation AUC", "mean": f"against {auc.index[0]}"}
    seeds = auc.shape[1]
    shown = markdown(table, titles | ({"least": "least", "most": "most"} if seeds > 1 else {}))
    of = f"means of {seeds} seeds" if seeds > 1 else "one seed"
    return f"Best validation AUC on {name}, budget {BUDGET}, {of}, {recorded_by(frame)}:\n\n{shown}"


def search_table(frame: pd.DataFrame, name: str) -> str:
    """Return the points of the paper's grid that were tried beside the settings that are used, best first."""
    frame = frame.sort_values("best_validation_auc", ascending=False)
    grid = frame[frame["point"] == "of the grid"]
    ours = float(frame.loc[frame["point"] == "as set", "best_validation_auc"].iloc[0])
    ahead = int((grid["best_validation_auc"] > ours).sum())
    how_many = {0: "none", 1: "one"}.get(ahead, ahead)
    told = (
        f"`hyperctr` on {name}, budget {BUDGET}, seed 0: {len(grid)} of the {frame['points'].iloc[0]} points of the "
        "paper's grid, the first ten drawn at random, the others by the tree-structured Parzen estimator; "
        f"{how_many} of them {'is' if ahead < 2 else 'are'} ahead of the settings that it has, {recorded_by(frame)}:"
    )
    settings = ("batch_size", "embedding_size", "learning_rate", "weight_decay")
    titles = {"point": "point"} | {setting: setting.replace("_", " ") for setting in settings}
    frame = frame.assign(**{setting: frame[setting].map("{:g}".format) for setting in settings})
    return f"{told}\n\n{markdown(frame, titles | {'best_validation_auc': 'validation AUC'})}"


def tried_table(frame: pd.DataFrame, name: str) -> str:
    """Return what was tried, with its effect on validation."""
    shown = markdown(frame, {str(column): str(column).replace("_", " ").replace("auc", "AUC") for column in frame})
    return f"**{name}**\n\n{shown}"


def labels_table(frame: pd.DataFrame, name: str) -> str:
    """Return what negatives that were shown are worth, against what nobody chose to show and against what was shown."""
    rows, told = [], []
    ours = frame["model"].iloc[0]
    for training, block in frame.groupby("training", sort=False):
        impressions = block.assign(auc=block["auc_impressions"])
        groups: dict[str, list[str]] = {"ahead of": [], "behind": [], "not told apart from": []}
        for model, part in block.groupby("model", sort=False):
            lead = None if model == ours else paired(impressions, "model", ours, model)
            means = {"training": training, "model": model, **part[["auc", "auc_impressions"]].mean()}
            bounds = (lead.value, lead.low, lead.high) if lead else (math.nan,) * 3
            rows.append(means | dict(zip(("ahead", "ahead_low", "ahead_high"), bounds, strict=True)))
            if lead:
                side = "ahead of" if lead.low > 0 else "behind" if lead.high < 0 else "not told apart from"
                groups[side].append(str(model))
        found = [f"{words} {', '.join(models)}" for words, models in groups.items() if models]
        told.append(f"With negatives *{training}*, `{ours}` is {'; '.join(found)} on impressions.")
    table = pd.DataFrame(rows)
    table["ahead"] = with_interval(table, "ahead", sign=True)
    titles = {"training": "negatives of training", "model": "model", "auc": "AUC, sampled"}
    titles |= {"auc_impressions": "AUC, impressions", "ahead": f"{ours} minus this, impressions"}
    count = frame["seed"].nunique()
    where = f"{name}, budget {BUDGET}, means of {count} seeds, {recorded_by(frame)}"
    return f"{where}. {' '.join(told)}\n\n{markdown(table, titles)}"


def interest_table(frame: pd.DataFrame) -> str:
    """Return how well each reading of the pre-training recovers the planted interest."""
    table = frame.pivot(index="reading", columns="seed", values="recovery_auc").loc[frame["reading"].unique()]
    table = table.add_prefix("seed ").reset_index()
    titles = {name: name for name in table.columns} | {"reading": "reading, planted data, mean over modalities"}
    shown = markdown(table, titles, **dict.fromkeys(table.columns[1:], 3))
    return f"{shown}\n\nThe table was {recorded_by(frame)}."
