"""Claims about Figures 4-7 (sections 3.3.2 to 3.4.2 of the paper), in the order of the text and in our words.

They are checked on runs of ours only: the figures are printed without numbers. The best value of a setting is chosen
on validation, and its test AUC is what is compared.
"""

from __future__ import annotations

from hyperctr.paper.claims.claim import FLAT, Verdict, about_columns, claim, judge, not_testable
from hyperctr.paper.claims.published import Evidence
from hyperctr.paper.numbers import paper_numbers, stated_best
from hyperctr.sweeps.seeds import records

NEAR_LINEAR = 0.8  # of a perfect speed-up; the paper says "very close to linear" and gives no number
BUSY = 0.5  # cores; with more than that taken by others, a speed-up says little
NO_NUMBERS = "the figure is printed without numbers"


def _no_values(evidence: Evidence) -> Verdict:
    return not_testable(NO_NUMBERS if evidence.source == "paper" else "no such runs")


@claim("3.3.2, Figure 4", "One convolution layer is worse than any other depth.")
def one_layer_is_worst(evidence: Evidence) -> Verdict:
    """Each other depth against one layer."""
    depths = [value for value in evidence.values("layers") if value != 1]
    return judge(evidence.compare("layers", value, 1.0) for value in depths) if depths else _no_values(evidence)


@claim("3.3.2, Figure 4", "Three layers are better than one.")
def three_layers_beat_one(evidence: Evidence) -> Verdict:
    """Three layers against one."""
    return judge([evidence.compare("layers", 3.0, 1.0)]) if evidence.values("layers") else _no_values(evidence)


@claim("3.3.2, Figure 4", f"On Kuaishou and MV1.7M three layers are enough (more gain at most {FLAT} AUC).")
def three_layers_are_enough(evidence: Evidence) -> Verdict:
    """Each deeper model against three layers: no gain beyond the margin."""
    if (elsewhere := about_columns(evidence, "Kuaishou", "MV1.7M")) is not None:
        return elsewhere
    deeper = [value for value in evidence.values("layers") if value > 3]
    if not deeper:
        return _no_values(evidence)
    return judge((evidence.compare("layers", value, 3.0) for value in deeper), FLAT)


@claim("3.3.2, Figure 4", "On MovieLens more than three layers help further.")
def deeper_helps_on_movielens(evidence: Evidence) -> Verdict:
    """The best deeper model, chosen on validation, against three layers."""
    if (elsewhere := about_columns(evidence, "MovieLens")) is not None:
        return elsewhere
    best = evidence.chosen("layers", [value for value in evidence.values("layers") if value > 3])
    return _no_values(evidence) if best is None else judge([evidence.compare("layers", best, 3.0)])


# 3.3.3, Figure 5


@claim("3.3.3, Figure 5", "The best time slot is half a year on Kuaishou, three months on MV1.7M, a year on MovieLens.")
def best_granularity(evidence: Evidence) -> Verdict:
    """The stated length against every other length."""
    return _best_is_inside(evidence, "slot_months")


def _best_is_inside(evidence: Evidence, setting: str, anywhere: bool = False) -> Verdict:
    """The best value inside the stated range, chosen on validation, against every value outside."""
    stated = [one for one in stated_best(setting) if anywhere or one["dataset"] == evidence.column]
    values = evidence.values(setting)
    if not values:
        return _no_values(evidence)
    if not stated:
        return not_testable("the paper names the best value for its own data sets only")
    low, high = stated[0]["low"], stated[0].get("high", stated[0]["low"])
    inside = [value for value in values if low <= value <= high]
    best = evidence.chosen(setting, inside)
    if best is None:
        return not_testable(f"no finished run from {low} to {high}" if high > low else f"no finished run at {low}")
    return judge(evidence.compare(setting, best, value) for value in values if value not in inside)


def _stated_range(setting: str) -> tuple[float, float]:
    """The smallest and largest value that the paper states as best on any data set; of d, the one that it reports."""
    stated = stated_best(setting)
    if not stated:
        reported = float(paper_numbers()["figure6"]["reported_embedding_size"])
        return reported, reported
    return float(min(one["low"] for one in stated)), float(max(one.get("high", one["low"]) for one in stated))


@claim("3.3.3, Figure 5", "The shortest time slot is worse than the best one.")
def short_slots_are_worse(evidence: Evidence) -> Verdict:
    """The best length, chosen on validation among the others, against the shortest."""
    return _end_is_worse(evidence, "slot_months", 0)


@claim("3.3.3, Figure 5", "The longest time slot is worse than the best one.")
def long_slots_are_worse(evidence: Evidence) -> Verdict:
    """The best length, chosen on validation among the others, against the longest."""
    return _end_is_worse(evidence, "slot_months", -1)


def _end_is_worse(evidence: Evidence, setting: str, end: int) -> Verdict:
    """The best value of the others against the smallest (end 0) or largest (-1), if that is beyond the stated best."""
    values = evidence.values(setting)
    if len(values) < 2:
        return _no_values(evidence)
    low, high = _stated_range(setting)
    if not (values[end] < low if end == 0 else values[end] > high):
        return not_testable(f"no run {'below' if end == 0 else 'above'} {low if end == 0 else high:g}")
    best = evidence.chosen(setting, [value for value in values if value != values[end]])
    return _no_values(evidence) if best is None else judge([evidence.compare(setting, best, values[end])])


# 3.4.1, Figure 6


@claim("3.4.1, Figure 6", "The AUC rises with the latent dimension: the smallest is worse than the best.")
def larger_dimension_is_better(evidence: Evidence) -> Verdict:
    """The best dimension, chosen on validation among the others, against the smallest."""
    return _end_is_worse(evidence, "embedding_size", 0)


@claim("3.4.1, Figure 6", f"The AUC then flattens: the largest dimension gains at most {FLAT} over the one before.")
def dimension_flattens(evidence: Evidence) -> Verdict:
    """The largest dimension against the next smaller one."""
    values = evidence.values("embedding_size")
    if len(values) < 2:
        return _no_values(evidence)
    if values[-1] <= _stated_range("embedding_size")[1]:
        return not_testable(f"no run above {values[-1]:g}")
    return judge([evidence.compare("embedding_size", values[-1], values[-2])], FLAT)


@claim("3.1.3, Figure 6", f"A latent dimension of 64 does well: no other gains more than {FLAT} AUC over it.")
def dimension_64_does_well(evidence: Evidence) -> Verdict:
    """Each other dimension against 64."""
    values = evidence.values("embedding_size")
    others = [value for value in values if value != 64]
    if not others:
        return _no_values(evidence)
    return judge((evidence.compare("embedding_size", value, 64.0) for value in others), FLAT)


@claim("3.4.1, Figure 6", "The best number of sampled neighbours lies between 15 and 25.")
def best_neighbours(evidence: Evidence) -> Verdict:
    """The best K inside, chosen on validation, against every K outside."""
    return _best_is_inside(evidence, "neighbours", anywhere=True)


@claim("3.4.1, Figure 6", "Few neighbours are too few: the smallest K is worse than the best.")
def few_neighbours_are_worse(evidence: Evidence) -> Verdict:
    """The best K, chosen on validation among the others, against the smallest."""
    return _end_is_worse(evidence, "neighbours", 0)


@claim("3.4.1, Figure 6", "Many neighbours are too many: the largest K is worse than the best.")
def many_neighbours_are_worse(evidence: Evidence) -> Verdict:
    """The best K, chosen on validation among the others, against the largest."""
    return _end_is_worse(evidence, "neighbours", -1)


# 3.4.2, Figure 7


@claim("3.4.2, Figure 7", f"The speed-up is close to linear up to 24 threads (here: at least {NEAR_LINEAR:.0%} of it).")
def near_linear_speedup(evidence: Evidence) -> Verdict:
    """Speed-up of a training step by threads; what the machine cannot show is not decided."""
    frame = evidence.speedup
    rows = [] if frame is None else [row for row in records(frame) if row["threads"] > 1]
    rows = [row for row in rows if row["what"] == "training step"] or rows
    if not rows:
        return not_testable(NO_NUMBERS if evidence.source == "paper" else "not measured with more than one thread")
    worst = min(rows, key=lambda row: row["speedup"] / row["linear"])
    shares = [worst[name] / worst["linear"] for name in ("speedup", "speedup_low", "speedup_high")]
    why = (
        f"{worst['speedup']:.2f} times with {worst['threads']} threads, {shares[0]:.0%} of linear "
        f"(rounds {shares[1]:.0%} to {shares[2]:.0%})"
    )
    busy = frame.attrs.get("busy_cores", 0.0) if frame is not None else 0.0
    if busy > BUSY:
        return Verdict("not decided", f"{why}; but {busy:.1f} cores were busy with something else")
    if any(row["speedup_high"] < NEAR_LINEAR * row["linear"] for row in rows):
        return Verdict("fails", why)
    most, wanted = max(row["threads"] for row in rows), paper_numbers()["figure7"]["threads"][1]
    if most < wanted:
        return Verdict("not decided", f"{why}; measured up to {most} of {wanted} threads")
    sure = all(row["speedup_low"] >= NEAR_LINEAR * row["linear"] for row in rows)
    return Verdict("holds" if sure else "not decided", why)
