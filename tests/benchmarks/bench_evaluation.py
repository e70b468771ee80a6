"""Time and memory of an evaluation, part by part, against what one would otherwise use.

    python -m tests.benchmarks.bench_evaluation --out reports/results/benchmarks/evaluation.csv

Both sides of a comparison take turns in one process, so that other load hits both; times are CPU times of one thread
(the best of some rounds), memory is what was allocated beyond the inputs at the worst moment. ``--only`` picks parts.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

import hyperctr as hc
from hyperctr.data.dataset import Dataset
from hyperctr.data.features import FeatureTable
from hyperctr.data.negatives import CandidatePool, candidate_pool, distinct_clicks, streamed_pool
from hyperctr.data.splits import part_number
from hyperctr.evaluation import evaluate
from hyperctr.metrics import auc_from_scores
from hyperctr.metrics.user_wins import UserWins
from hyperctr.model.history import Targets
from hyperctr.model.hyperctr import HyperCTR, State
from hyperctr.runs.scoring import build_model, interest_of
from hyperctr.runtime import rng, write_atomic
from hyperctr.split_data import SplitData
from hyperctr.statistics import PooledAUCDraws
from hyperctr.training.scoring import PoolScores, score_pool, targets_of
from tests.benchmarks.measuring import peak, process_gb, restart_peak, timed

Row = dict[str, Any]


def scores(positives: int, count: int, users: int) -> tuple[PoolScores, np.ndarray]:
    """Draw float32 scores of a pool, with ties, and the user of each negative; users differ."""
    draw = rng(0, "bench", "evaluation")
    user = np.sort(draw.integers(0, users, positives))
    shift = draw.normal(size=users).astype(np.float32)
    rows = (draw.standard_normal(positives, dtype=np.float32) + 1 + shift[user]).round(4)
    negatives = draw.standard_normal((positives, count), dtype=np.float32)
    negatives += shift[user, None] * np.float32(0.5)
    items = np.broadcast_to(np.arange(count, dtype=np.int32), (positives, count))
    labels, zeros = np.ones(positives, dtype=bool), np.zeros(positives, np.int64)
    pool = CandidatePool(np.arange(positives), labels, user, zeros, zeros, items, "sampled", "test")
    return PoolScores(pool, rows, negatives.round(4)), user


def random_data(users: int, items: int, clicks: int) -> Dataset:
    """Draw clicks on popular items (rank^-0.8) over three years, and two modalities."""
    draw = rng(0, "bench", "data")
    bounds = np.cumsum(np.arange(1, items + 1) ** -0.8)
    item = np.searchsorted(bounds / bounds[-1], draw.random(clicks))
    columns = {"user_id": draw.integers(0, users, clicks), "item_id": draw.permutation(items)[item]}
    log = pd.DataFrame(columns | {"timestamp": 1_000_000_000 + draw.integers(0, 3 * 365 * 86_400, clicks)})
    log = log.drop_duplicates(["user_id", "item_id"])
    tables = [FeatureTable(name, draw.normal(size=(items, 32))) for name in ("visual", "textual")]
    return Dataset("random", log, tables, items=np.arange(items))


def exact_auc(options: argparse.Namespace) -> Iterator[Row]:
    """Pooled AUC against scikit-learn's."""
    pooled, _ = scores(options.scores // options.candidates, options.candidates, 1000)
    labels = np.repeat([1, 0], [len(pooled.rows), pooled.negatives.size])
    flat = np.append(pooled.rows, pooled.negatives)
    calls = {
        "ours": lambda: auc_from_scores(pooled.rows, pooled.negatives),
        "scikit-learn": lambda: roc_auc_score(labels, flat),
    }
    seconds, memory, values = dict.fromkeys(calls, np.inf), {}, {}
    for name in ("ours", "scikit-learn", "ours"):
        start = time.process_time()
        memory[name], values[name] = peak(calls[name])
        seconds[name] = min(seconds[name], time.process_time() - start)
    if abs(values["ours"] - values["scikit-learn"]) > 1e-12:
        raise SystemExit(f"the two AUCs differ: {values}")
    for name in calls:
        row = {"part": "exact AUC", "what": name, "size": flat.size, "seconds": seconds[name]}
        yield row | {"peak_mb": memory[name]}


def former_loop(data: Dataset, pool: CandidatePool, count: int) -> np.ndarray:
    """Candidates as they were drawn before: a generator and a sample without replacement for each click."""
    users, items, begin = distinct_clicks(data, np.arange(len(data.clicked)))
    before = items - (np.arange(len(items)) - begin[users])
    drawn = np.full((len(pool), count), -1, dtype=np.int32)
    for row, (user, item, moment) in enumerate(zip(pool.users, pool.items, pool.timestamps, strict=True)):
        generator = rng(0, "candidates", str(data.users[user]), str(data.items[item]), int(moment))
        free = int(data.num_items - (begin[user + 1] - begin[user]))
        ranks = generator.choice(free, size=min(count, free), replace=False, shuffle=True)
        passed = np.searchsorted(before[begin[user] : begin[user + 1]], ranks, side="right")
        drawn[row, : len(ranks)] = ranks + passed
    return drawn


def candidates(options: argparse.Namespace) -> Iterator[Row]:
    """Drawing candidates against the loop over clicks."""
    data = random_data(options.users, options.items, options.clicks)
    split = hc.split(data)
    pool = candidate_pool(data, split, count=options.candidates)
    if part_number("test") != 2 or (pool.negatives < 0).any():
        raise SystemExit("every user must have enough items left for this comparison")
    few = candidate_pool(data, split, count=options.candidates, max_rows=2000)
    seconds = timed(
        {
            "ours": lambda: candidate_pool(data, split, count=options.candidates),
            "a loop over clicks": lambda: former_loop(data, few, options.candidates),
        },
        options.rounds,
    )
    memory, _ = peak(lambda: candidate_pool(data, split, count=options.candidates))
    for name, rows, peak_mb in (("ours", len(pool), memory), ("a loop over clicks", len(few), np.nan)):
        row = {"part": "candidates, a row", "what": name, "size": rows, "peak_mb": peak_mb}
        yield row | {"seconds": seconds[name], "microseconds_a_row": seconds[name] / rows * 1e6}


def bootstrap(options: argparse.Namespace) -> Iterator[Row]:
    """1000 replicates of the pooled AUC at growing numbers of users, two clicks and 200 candidates each."""
    for users in options.bootstrap_users:
        pooled, user = scores(2 * users, 100, users)
        owners = np.repeat(user, 100)

        def counted(pooled: PoolScores = pooled, owners: np.ndarray = owners, users: int = users) -> UserWins:
            wins = UserWins(pooled.rows, pooled.pool.users, users)
            wins.add(pooled.negatives.ravel(), owners)
            return wins

        wins = counted()
        draw = lambda wins=wins: PooledAUCDraws.of(wins, replicates=1000)  # noqa: E731
        seconds = timed({"count": counted, "1000 replicates": draw}, options.rounds)
        for name, call in (("count", counted), ("1000 replicates", draw)):
            row = {"part": f"bootstrap, {name}", "what": f"{users} users", "size": users, "peak_mb": peak(call)[0]}
            yield row | {"seconds": seconds[name], "microseconds_a_row": seconds[name] / users * 1e6}


def naive_scores(model: HyperCTR, state: State, targets: Targets, items: Tensor) -> Tensor:
    """The prediction network as it is drawn: every pair of user and item goes through all of it."""
    encoded, slots = model.encode(state, targets), targets.slot[:, None].expand_as(items)
    vectors = model.item_vectors(state, items.flatten(), slots.flatten()).view(*items.shape, -1)
    weight, logits = torch.cat([model.from_user.weight, model.from_item.weight], 1), torch.empty(items.shape)
    for tokens in encoded.tokens:
        some = torch.arange(len(items)) if tokens.target is None else tokens.target
        seen = tokens.attended(model.query(vectors[some]), tokens.values)
        fused = model.fusion(seen, model.fusion.contract(encoded.group[some]))
        hidden = nn.functional.linear(torch.cat([fused, vectors[some]], -1), weight, model.from_user.bias).relu_()
        logits[some] = model.last(model.second(hidden).relu_()).squeeze(-1)
    return logits


def scoring(options: argparse.Namespace) -> Iterator[Row]:
    """Scoring a pool with HyperCTR against its network without a split first layer, and as a run scores it."""
    data = random_data(options.users, options.items, options.clicks)
    config = hc.Config(interest_epochs=1, slot_months=6)
    split_data = SplitData.open(data, config)
    model = build_model(split_data, config, interest_of(split_data, config, "cpu"))
    model.eval().requires_grad_(False)
    assert isinstance(model, HyperCTR)
    drawn = {"count": options.candidates, "max_rows": options.positives}
    # As a run scores it: candidates are drawn where they are read. First, so that no memory is left from before.
    restart_peak()
    held, start = process_gb("VmRSS"), time.process_time()
    score_pool(model, split_data, streamed_pool(data, split_data.split, **drawn))
    as_a_run = {"seconds": time.process_time() - start, "peak_mb": 1000 * (process_gb("VmHWM") - held)}

    pool, batch = candidate_pool(data, split_data.split, **drawn), 256
    targets, state, width = targets_of(split_data, pool.rows), model.refresh(), 1 + pool.negatives.shape[1]
    few = min(len(pool), options.naive_positives or len(pool))

    def in_batches(score: Callable[[Targets, Tensor], Tensor], count: int = len(pool)) -> Tensor:
        scored = []
        for part in (slice(first, min(first + batch, count)) for first in range(0, count, batch)):
            items = np.concatenate([pool.items[part, None], pool.negatives[part]], axis=1)
            scored.append(score(targets[part], torch.from_numpy(items).long()))
        return torch.cat(scored)

    def divided(asked: Targets, items: Tensor) -> Tensor:
        return model.score(state, model.encode(state, asked), asked, items)

    def whole(asked: Targets, items: Tensor) -> Tensor:
        return naive_scores(model, state, asked, items)

    difference = (in_batches(divided, few) - in_batches(whole, few)).abs().max().item()
    if difference > 1e-4:
        raise SystemExit(f"the two networks differ by {difference}")
    calls: dict[str, tuple[int, Callable[[], Any]]] = {
        "split first layer": (len(pool), lambda: in_batches(divided)),
        "whole network for each pair": (few, lambda: in_batches(whole, few)),
        "users' side alone": (len(pool), lambda: in_batches(lambda asked, _: model.encode(state, asked).group)),
    }
    seconds = timed({name: call for name, (_, call) in calls.items()}, options.rounds)
    costs = {name: (count, {"seconds": seconds[name]}) for name, (count, _) in calls.items()}
    for name, (count, cost) in {**costs, "score_pool, candidates drawn": (len(pool), as_a_run)}.items():
        row = {"part": "scoring, a row", "what": name, "size": count * width, **cost}
        yield row | {"microseconds_a_row": cost["seconds"] / count * 1e6}


def whole_evaluation(options: argparse.Namespace) -> Iterator[Row]:
    """All numbers of one row of a table, once its scores are there."""
    pooled, _ = scores(options.scores // options.candidates, options.candidates, options.users)

    def fresh() -> dict[str, float]:
        return evaluate(PoolScores(pooled.pool, pooled.rows, pooled.negatives))

    start = time.process_time()
    memory, _ = peak(fresh)
    row = {"part": "evaluate", "what": "all metrics", "size": pooled.negatives.size + len(pooled.rows)}
    yield row | {"seconds": time.process_time() - start, "peak_mb": memory}


PARTS = {function.__name__: function for function in (exact_auc, candidates, bootstrap, scoring, whole_evaluation)}


def main() -> None:
    """Measure, print the ratios and write the table to --out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    for name, default in (("scores", 20_000_000), ("candidates", 1000), ("positives", 1024), ("rounds", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    for name, default in (("users", 10_000), ("items", 10_000), ("clicks", 500_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--naive-positives", type=int, help="clicks that the whole network scores (default: all)")
    parser.add_argument("--bootstrap-users", type=int, nargs="+", default=[4000, 16_000, 64_000])
    parser.add_argument("--out", type=Path, help="write the table here as CSV")
    options = parser.parse_args()
    torch.set_num_threads(1)

    rows: list[Row] = []
    for part in options.only:
        for row in PARTS[part](options):
            rows.append(row | {"load": round(os.getloadavg()[0], 1)})
            print(rows[-1], flush=True)
    table = pd.DataFrame(rows, columns=["part", "what", "size", "seconds", "microseconds_a_row", "peak_mb", "load"])
    cost = table["seconds"].where(~table["part"].str.endswith("a row"), table["microseconds_a_row"])
    table["times_the_first"] = cost / cost.groupby(table["part"]).transform("first")
    print(table.to_string(index=False, float_format=lambda value: f"{value:.4g}", na_rep=""))
    if options.out:
        write_atomic(options.out, table.to_csv(index=False, float_format="%.6g"))


if __name__ == "__main__":
    main()
