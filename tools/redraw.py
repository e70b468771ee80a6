"""Draw the recorded Figures 4 to 6 and 8 again from their CSV files: the looks change, the numbers do not."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
from page_tables import BUDGET
from result_pages import RESULTS

from hyperctr.config import Config
from hyperctr.paper.figures.figure8_curves import curves_chart
from hyperctr.paper.figures.figures4to6_settings import BASELINES, settings_frame
from hyperctr.paper.figures.settings_chart import settings_chart
from hyperctr.report.images import write_images
from hyperctr.sweeps.seeds import records

MODELS = {label: model for model, label in BASELINES.items()}


def redraw(folder: Path) -> str:
    """Write ``figures/*.json`` and ``.png`` of one data set anew; return what was done about the PNG files."""
    for name in ("figure4", "figure5", "figure6"):
        rows = pd.read_csv(folder / "figures" / f"{name}.csv")
        runs = rows[rows["kind"] == "run"].rename(columns={"validation_auc": "best_validation_auc"})
        runs["label"] = [f"{value:g}" for value in runs["value"]]
        beside = rows[rows["kind"] == "baseline"]
        beside = beside.assign(model=beside["label"].map(MODELS))
        stated = rows[rows["kind"] == "paper"].rename(
            columns={"label": "dataset", "value": "low", "value_high": "high"}
        )
        base = Config.for_model("hyperctr", BUDGET)
        defaults = {name: float(getattr(base, name)) for name in runs["setting"].unique()}
        frame = settings_frame(runs, beside, records(stated), None, defaults)
        before = json.loads((folder / "figures" / f"{name}.json").read_text(encoding="utf-8"))["layout"]["title"]
        measured = before["subtitle"]["text"].replace("<br>", " ").split("; ")[0]
        chart = settings_chart(frame, before["text"], measured)
        (folder / "figures" / f"{name}.json").write_text(chart.to_json(), encoding="utf-8")
    curves = curves_chart(pd.read_csv(folder / "figures" / "figure8.csv"), folder.name)
    (folder / "figures" / "figure8.json").write_text(curves.to_json(), encoding="utf-8")
    return write_images(folder)


def redraw_all() -> None:
    """Draw the figures of every recorded data set."""
    for folder in sorted(RESULTS.iterdir()):
        if (folder / "figures" / "figure4.csv").is_file():
            print(f"{folder.name}: {redraw(folder)}")
