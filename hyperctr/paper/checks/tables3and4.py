"""Claims about Tables 3 and 4 (sections 3.2 and 3.3.1 of the paper), in the order of the text and in our words."""

from __future__ import annotations

import math
from functools import partial

from hyperctr.paper.checks.claim import Claim, claims_at, verdict_of
from hyperctr.paper.checks.results import Results
from hyperctr.paper.checks.verdict import Comparison, Kind, Verdict, not_applicable, not_run
from hyperctr.paper.numbers import paper_numbers
from hyperctr.written import show_number

MODEL, ALL, GRAPHLESS, SINGLE = "hyperctr", "multi-modal", "(-) hypergraph", "-modal"
VISUAL, ACOUSTIC, TEXTUAL = (f"{name}{SINGLE}" for name in ("visual", "acoustic", "textual"))
ROUNDING = 0.01  # percent points, what two published digits can differ by


def _against_systems(results: Results, metric: str) -> list[Comparison]:
    """HyperCTR against the seven others; one without a run leaves a claim about all of them open."""
    others = [row["model"] for row in paper_numbers()["table3"]["rows"] if row["model"] != MODEL]
    return [results.compare("overall", MODEL, other, metric) for other in others]


def _improvement(results: Results, metric: str) -> Verdict:
    """Published: the figure follows from the cells. Measured: the gain is at least the published one."""
    if not results.column:
        return not_applicable("the paper prints no figure for these data, nor for similar ones")
    stated = paper_numbers()["table3"]["improvement_percent"][results.column][metric]
    pairs = _against_systems(results, metric)
    done = [pair for pair in pairs if pair.has_result]
    if not done:
        return not_run("none of the seven systems has a result")
    least = min(done, key=lambda pair: pair.gain)
    gain, low, high = (100 * value / least.of_b for value in (least.gain, least.low, least.high))
    why = f"{gain:.3f} % over {least.b}, published {stated} %"
    wanted = stated * least.of_b / 100
    if results.source == "published":
        return Verdict("supported" if abs(gain - stated) < ROUNDING else "contradicted", why, least, wanted)
    why += f", interval [{low:.2f}, {high:.2f}]" if math.isfinite(low) else ", no interval"
    missing = len(pairs) - len(done)
    if high < stated:
        return Verdict("contradicted", why, least, wanted)
    if low >= stated and not missing:
        return Verdict("supported", why, least, wanted)
    why += f"; {missing} of the seven have no result" if missing else ""
    return Verdict("inconclusive", why, least, wanted)


def _with_modalities(results: Results) -> Verdict:
    """Rows "<model>" against rows "<model>, no modalities" of a plan ``inputs``."""
    rows = results.rows("inputs")
    pairs = [(name, f"{name}, no modalities") for name in rows if f"{name}, no modalities" in rows]
    none = Verdict(results.none.kind, "no system is shown with and without modalities")
    return verdict_of((results.compare("inputs", *pair) for pair in pairs), none=none)


def _single(results: Results, without: str = "") -> list[str]:
    """The rows of single modalities."""
    return [name for name in results.rows("modalities") if name.endswith(SINGLE) and name not in (ALL, without)]


def _compare(results: Results, name: str, others: list[str], metric: str) -> list[Comparison]:
    return [results.compare("modalities", name, other, metric) for other in others]


def _ranked(results: Results, metric: str, *, first: str = "", last: str = "") -> Verdict:
    """One single modality against each other, the first or the last of all."""
    name = first or last
    others = _single(results, name)
    if name not in results.rows("modalities") or not others:
        why = f"no {name} beside another single modality"
        return not_applicable(why) if results.rows("modalities") else not_run(why)
    pairs = [(name, other) if first else (other, name) for other in others]
    return verdict_of(results.compare("modalities", *pair, metric) for pair in pairs)


def _best_gain(results: Results, over: str) -> Comparison | None:
    """The best single modality over another; all together over the model without hyperedges."""
    names = [ALL] if over == GRAPHLESS else _single(results, over)
    pairs = [results.compare("modalities", name, over) for name in names]
    return max((pair for pair in pairs if pair.has_result), key=lambda pair: pair.gain, default=None)


def _smaller_than_elsewhere(results: Results, over: str) -> Verdict:
    """A gain here against those on other data sets, independent of it: the wider interval decides."""
    here = _best_gain(results, over)
    elsewhere = [(other.dataset, there) for other in results.others if (there := _best_gain(other, over)) is not None]
    if here is None or not elsewhere:
        return not_applicable("it compares data sets, and there is only one here")
    # how much smaller it is here, and what that would have to exceed; without an interval nothing exceeds it
    excess = [(there.gain - here.gain, math.hypot(_spread(here), _spread(there))) for _, there in elsewhere]
    larger = any(smaller < -spread for smaller, spread in excess)
    smaller_everywhere = all(smaller > spread for smaller, spread in excess)
    kind: Kind = "contradicted" if larger else "supported" if smaller_everywhere else "inconclusive"
    told = (
        f"{show_number(here.gain, sign=True)} here, {show_number(there.gain, sign=True)} on {name}"
        for name, there in elsewhere
    )
    return Verdict(kind, "; ".join(told), here)


def _spread(pair: Comparison) -> float:
    spread = max(pair.gain - pair.low, pair.high - pair.gain)
    return spread if math.isfinite(spread) else math.inf


CLAIMS: list[Claim] = claims_at(
    "3.2, Table 3",
    beats_every_baseline=(
        "HyperCTR has a {higher} {metric} than each of the seven other systems.",
        lambda results, metric: verdict_of(_against_systems(results, metric)),
    ),
    improvement_auc=(
        "The AUC gain over the best other system: 3.18, 7.43 and 3.85 % on the three data sets.",
        partial(_improvement, metric="auc"),
    ),
    improvement_logloss=(
        "The log loss gain over the best other system: 1.49, 4.51 and 1.03 %.",
        partial(_improvement, metric="logloss"),
    ),
)
CLAIMS += claims_at(
    "3.2", models_improve_with_modalities=("Every model gets better when it is given all modalities.", _with_modalities)
)
CLAIMS += claims_at(
    "3.3.1, Table 4",
    together_beat_each_alone=(
        "All modalities together have a {higher} {metric} than each alone.",
        lambda results, metric: verdict_of(_compare(results, ALL, _single(results), metric)),
    ),
    visual_is_best_alone=(
        "Of the single modalities, the visual one is the most effective ({metric}).",
        partial(_ranked, first=VISUAL),
    ),
    acoustic_above_textual=(
        "The acoustic modality tells more than the textual one ({metric}).",
        lambda results, metric: verdict_of(_compare(results, ACOUSTIC, [TEXTUAL], metric)),
    ),
    textual_is_least=("The textual modality contributes least ({metric}).", partial(_ranked, last=TEXTUAL)),
    smaller_textual_gap_on_movielens=(
        "The textual modality lags less behind the others on MovieLens than elsewhere (AUC).",
        partial(_smaller_than_elsewhere, over=TEXTUAL),
        "MovieLens",
    ),
    hyperedges_help=(
        "With hyperedges the {metric} is {higher} than without, on all data sets.",
        lambda results, metric: verdict_of(_compare(results, ALL, [GRAPHLESS], metric)),
    ),
    hyperedges_gain_less_with_two_modalities=(
        "Hyperedges gain less on Kuaishou, with two modalities, than with three elsewhere (AUC).",
        partial(_smaller_than_elsewhere, over=GRAPHLESS),
        "Kuaishou",
    ),
)
