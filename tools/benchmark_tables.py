"""The pages' tables of benchmarks: as they were measured, and what training costs at sizes beyond them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from page_tables import markdown, three_digits, with_interval

from hyperctr.config import Config

ROOT = Path(__file__).resolve().parent.parent
# what a benchmark's table says of itself, and what is shown of a wide one
MEASURED_BY = ["processor", "cores", "busy_cores", "torch", "python", "hyperctr", "code", "command", "date"]
BENCHMARKS = {
    "training": {
        **{"system": "system", "loader": "loader", "interactions": "interactions", "examples_per_second": "examples/s"},
        **{"low": "least", "high": "most", "times_smallest": "times smallest", "times_peer": "times peer"},
        **{"epoch_seconds": "seconds an epoch", "interest_clicks_per_second": "interest, clicks/s"},
        **{"build_seconds": "hypergraphs, s", "peak_memory_mib": "peak memory, MiB"},
    },
    "verdicts": {name: name for name in ("place", "claim", "small", "large", "stands")},
}


def benchmark_text(path: Path) -> str:
    """Return the table of a benchmark with where and how it was measured, and its picture, if there is one."""
    frame = pd.read_csv(path)
    by = frame.iloc[0]
    for name in [str(name) for name in frame if {f"{name}_low", f"{name}_high"} <= set(frame)]:
        frame[name] = with_interval(frame, name, sign=True)
        frame = frame.drop(columns=[f"{name}_low", f"{name}_high"])
    every = {str(name): str(name).replace("_", " ") for name in frame if name not in MEASURED_BY}
    titles = BENCHMARKS.get(path.stem, every)
    numbers = frame[list(titles)].select_dtypes("float").abs()
    for name in numbers.columns[numbers.max() > 100 * numbers.min()]:
        frame[name] = three_digits(frame[name])
    largest = frame[list(titles)].max(numeric_only=True).to_dict()
    digits = {str(k): 0 if v > 100 else 3 - len(str(int(v))) if v >= 1 else 4 for k, v in largest.items()}
    machine = f"{by['processor']}, {by['cores']} cores, {by['busy_cores']} busy before, {by['date']}"
    versions = f"Python {by['python']}, torch {by['torch']}, hyperctr {by['hyperctr']}, code `{by['code']}`"
    picture = path.parent / "figures" / f"{path.stem}.png"
    shown = f"![{path.stem} by size](../{picture.relative_to(ROOT).as_posix()})" if picture.exists() else ""
    text = f"**{path.stem}**, {machine}; {versions} (`{by['command']}`):\n\n{markdown(frame, titles, **digits)}"
    counts = dict(frame["stands"].value_counts()) if path.stem == "verdicts" else {}
    summed = ", ".join(f"{count} {name}" for name, count in ({"opposite": 0} | counts).items()) if counts else ""
    return "\n\n".join(filter(None, [text, summed and f"Of {len(frame)} claims: {summed}.", shown]))


def scale_table(path: Path, budget: str) -> str:
    """Return what training costs at the sizes measured, and on straight lines through the outer two at larger ones."""
    if not path.exists():
        return ""
    config = Config.for_model("hyperctr", budget)
    frame = pd.read_csv(path).query("system == 'HyperCTR'").sort_values("interactions", ignore_index=True)
    costs = ["epoch_seconds", "build_seconds", "interest_epoch_seconds", "peak_memory_mib"]
    frame["interest_epoch_seconds"] = frame["train_clicks"] / frame["interest_clicks_per_second"]
    small, large = frame.iloc[0], frame.iloc[-1]
    more = []
    for size in (10**9, 10**10):
        times = size / large["interactions"]
        row = {"interactions": size, "slots": large["slots"]}
        row |= {name: large[name] * times for name in ("users", "items")}
        for name in costs:
            slope = (large[name] - small[name]) / (large["interactions"] - small["interactions"])
            row[name] = large[name] + slope * (size - large["interactions"])
        more.append(row | {"how": "extrapolated"})
    table = pd.concat([frame.assign(how="measured"), pd.DataFrame(more)], ignore_index=True)
    rows = table["slots"] * (table["users"] + table["items"])  # the most that there can be
    table["traffic_gib"] = config.rounds_per_epoch * 2 * rows * large["d"] * 4 / 2**30
    table["peak_memory_gib"] = table["peak_memory_mib"] / 1024
    table["hours"] = table["epoch_seconds"] / 3600
    titles = {"how": "", "interactions": "interactions", "users": "users", "items": "items"}
    titles |= {"epoch_seconds": "epoch, s", "hours": "epoch, h", "interest_epoch_seconds": "interest epoch, s"}
    titles |= {"build_seconds": "hypergraphs, s", "peak_memory_gib": "memory, GiB"}
    titles |= {"traffic_gib": "traffic an epoch, GiB"}
    whole = dict.fromkeys(("users", "items", "epoch_seconds", "interest_epoch_seconds"), 0)
    shown = markdown(table, titles, **whole, hours=2, build_seconds=1, peak_memory_gib=1, traffic_gib=1)
    return f"{shown}\n\nOne process, {int(large['cores'])} cores ({large['processor']}), d = {int(large['d'])}."
