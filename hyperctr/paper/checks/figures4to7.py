"""Claims about Figures 4 to 7 (sections 3.3.2 to 3.4.2 of the paper), in the order of the text and in our words.

They are checked on measured runs only: the figures are published without numbers. The best value of a setting is chosen
on validation, and its test AUC is what is compared.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from hyperctr.paper.checks.claim import FLAT, Claim, claims_at, verdict_of
from hyperctr.paper.checks.results import Results
from hyperctr.paper.checks.verdict import Verdict, not_applicable, not_run
from hyperctr.paper.numbers import paper_numbers, stated_best
from hyperctr.sweeps.seeds import records

NEAR_LINEAR = 0.8  # of a perfect speed-up; the paper says "very close to linear" and gives no number
BUSY = 0.5  # cores; with more than that taken by others, a speed-up says little
Check = Callable[[Results], Verdict]


def others_against(setting: str, value: float, *, above: float = 0, margin: float | None = None) -> Check:
    """Each other value above a bound is better than one value; with a margin, none gains more than that over it."""

    def check(results: Results) -> Verdict:
        others = [other for other in results.values(setting) if other != value and other > above]
        return verdict_of((results.compare(setting, other, value) for other in others), margin, results.none)

    return check


def best_is_inside(setting: str, *, on_any_data: bool = False) -> Check:
    """The best value inside the stated range, chosen on validation, is better than every value outside."""

    def check(results: Results) -> Verdict:
        stated = [best for best in stated_best(setting) if on_any_data or best["dataset"] == results.column]
        values = results.values(setting)
        if not values:
            return results.none
        if not stated:
            return not_applicable("the paper names the best value for its own data sets only")
        low, high = stated[0]["low"], stated[0].get("high", stated[0]["low"])
        inside = [value for value in values if low <= value <= high]
        best = results.chosen(setting, inside)
        if best is None:
            return not_run(f"no finished run from {low} to {high}" if high > low else f"no finished run at {low}")
        return verdict_of(results.compare(setting, best, value) for value in values if value not in inside)

    return check


def end_is_worse(setting: str, end: Literal[0, -1]) -> Check:
    """The best other value, chosen on validation, is better than the first or last, if that is beyond the stated."""

    def check(results: Results) -> Verdict:
        values = results.values(setting)
        if len(values) < 2:
            return results.none
        low, high = _stated_range(setting)
        if end == 0 and values[0] >= low:
            return not_run(f"no run below {low}")
        if end == -1 and values[-1] <= high:
            return not_run(f"no run above {high:g}")
        best = results.chosen(setting, [value for value in values if value != values[end]])
        return results.none if best is None else verdict_of([results.compare(setting, best, values[end])])

    return check


def _stated_range(setting: str) -> tuple[float, float]:
    """The smallest and largest value that the paper states as best on any data set; of d, the one that it reports."""
    reported = paper_numbers()["figure6"]["reported_embedding_size"]
    stated = stated_best(setting) or [{"low": reported}]
    return float(min(best["low"] for best in stated)), float(max(best.get("high", best["low"]) for best in stated))


def _deeper_helps(results: Results) -> Verdict:
    """The best deeper model, chosen on validation, against three layers."""
    best = results.chosen("layers", [value for value in results.values("layers") if value > 3])
    return results.none if best is None else verdict_of([results.compare("layers", best, 3.0)])


def _dimension_flattens(results: Results) -> Verdict:
    """The largest dimension against the next smaller one."""
    values = results.values("embedding_size")
    if len(values) < 2:
        return results.none
    if values[-1] <= _stated_range("embedding_size")[1]:
        return not_run(f"no run above {values[-1]:g}")
    return verdict_of([results.compare("embedding_size", values[-1], values[-2])], FLAT)


def _near_linear(results: Results) -> Verdict:
    """Speed-up of a training step by threads; what the machine cannot show is inconclusive."""
    frame = results.speedup
    rows = [] if frame is None else [row for row in records(frame) if row["threads"] > 1]
    rows = [row for row in rows if row["what"] == "training step"] or rows
    if frame is None or not rows:
        if results.source == "published":
            return results.none
        one_core = frame is not None and len(frame) > 0
        return not_applicable("this machine has one core") if one_core else not_run("not timed by number of threads")
    worst = min(rows, key=lambda row: row["speedup"] / row["linear"])
    shares = [worst[name] / worst["linear"] for name in ("speedup", "speedup_low", "speedup_high")]
    why = (
        f"{worst['speedup']:.2f} times with {worst['threads']} threads, {shares[0]:.0%} of linear "
        f"(rounds {shares[1]:.0%} to {shares[2]:.0%})"
    )
    busy = frame.attrs.get("busy_cores", 0.0)
    if busy > BUSY:
        return Verdict("inconclusive", f"{why}; but {busy:.1f} cores were busy with something else")
    if any(row["speedup_high"] < NEAR_LINEAR * row["linear"] for row in rows):
        return Verdict("contradicted", why)
    most, wanted = max(row["threads"] for row in rows), paper_numbers()["figure7"]["threads"][1]
    if most < wanted:
        return Verdict("inconclusive", f"{why}; measured up to {most} of {wanted} threads")
    sure = all(row["speedup_low"] >= NEAR_LINEAR * row["linear"] for row in rows)
    return Verdict("supported" if sure else "inconclusive", why)


CLAIMS: list[Claim] = claims_at(
    "3.3.2, Figure 4",
    one_layer_is_worst=("One convolution layer is worse than any other depth.", others_against("layers", 1)),
    three_layers_beat_one=(
        "Three layers are better than one.",
        lambda on: verdict_of([on.compare("layers", 3.0, 1.0)] if on.values("layers") else [], none=on.none),
    ),
    three_layers_are_enough=(
        f"On Kuaishou and MV1.7M three layers are enough (more gain at most {FLAT} AUC).",
        others_against("layers", 3, above=3, margin=FLAT),
        *("Kuaishou", "MV1.7M"),
    ),
    deeper_helps_on_movielens=("On MovieLens more than three layers help further.", _deeper_helps, "MovieLens"),
)
CLAIMS += claims_at(
    "3.3.3, Figure 5",
    best_granularity=(
        "The best time slot is half a year on Kuaishou, three months on MV1.7M, a year on MovieLens.",
        best_is_inside("slot_months"),
    ),
    short_slots_are_worse=("The shortest time slot is worse than the best one.", end_is_worse("slot_months", 0)),
    long_slots_are_worse=("The longest time slot is worse than the best one.", end_is_worse("slot_months", -1)),
)
CLAIMS += claims_at(
    "3.4.1, Figure 6",
    larger_dimension_is_better=(
        "The AUC rises with the latent dimension: the smallest is worse than the best.",
        end_is_worse("embedding_size", 0),
    ),
    dimension_flattens=(
        f"The AUC then flattens: the largest dimension gains at most {FLAT} over the one before.",
        _dimension_flattens,
    ),
)
CLAIMS += claims_at(
    "3.1.3, Figure 6",
    dimension_64_does_well=(
        f"A latent dimension of 64 does well: no other gains more than {FLAT} AUC over it.",
        others_against("embedding_size", 64, margin=FLAT),
    ),
)
CLAIMS += claims_at(
    "3.4.1, Figure 6",
    best_neighbours=(
        "The best number of sampled neighbours lies between 15 and 25.",
        best_is_inside("max_neighbours", on_any_data=True),
    ),
    few_neighbours_are_worse=(
        "Few neighbours are too few: the smallest K is worse than the best.",
        end_is_worse("max_neighbours", 0),
    ),
    many_neighbours_are_worse=(
        "Many neighbours are too many: the largest K is worse than the best.",
        end_is_worse("max_neighbours", -1),
    ),
)
CLAIMS += claims_at(
    "3.4.2, Figure 7",
    near_linear_speedup=(
        f"The speed-up is close to linear up to 24 threads (here: at least {NEAR_LINEAR:.0%} of it).",
        _near_linear,
    ),
)
