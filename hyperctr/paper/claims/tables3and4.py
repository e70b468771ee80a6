"""Claims about Tables 3 and 4 (sections 3.2 and 3.3.1 of the paper), in the order of the text and in our words.

Sentences that name data sets are checked on those, and on the data set of ours that stands nearest to one of them.
"""

from __future__ import annotations

import math

from hyperctr.paper.claims.claim import Verdict, about_columns, claim, judge, not_testable
from hyperctr.paper.claims.published import Comparison, Evidence
from hyperctr.paper.numbers import OWN_MODEL, paper_numbers

OWN, BASE, GRAPHLESS, SINGLE = "hyperctr", "multi-modal", "(-) hypergraph", "-modal"
ROUNDING = 0.01  # percent points, what two printed digits can differ by


def _baselines() -> list[str]:
    """The paper's other systems; of ours also those without a run, which leave a claim about all of them open."""
    return [row["model"] for row in paper_numbers()["table3"]["rows"] if row["method"] != OWN_MODEL]


def _single(evidence: Evidence) -> list[str]:
    return [name for name in evidence.rows("modalities") if name.endswith(SINGLE) and name != BASE]


# 3.2, Table 3


@claim("3.2, Table 3", "HyperCTR has a lower log loss than each of the seven other systems.", "logloss")
@claim("3.2, Table 3", "HyperCTR has a higher AUC than each of the seven other systems.", "auc")
def beats_every_baseline(evidence: Evidence, metric: str) -> Verdict:
    """HyperCTR is the best of Table 3."""
    return judge(evidence.compare("overall", OWN, other, metric) for other in _baselines())


@claim("3.2, Table 3", "The log loss gain over the best other system: 1.49, 4.51 and 1.03 %.", "logloss")
@claim("3.2, Table 3", "The AUC gain over the best other system: 3.18, 7.43 and 3.85 % on the three data sets.", "auc")
def improvement(evidence: Evidence, metric: str) -> Verdict:
    """Printed: the figure follows from the cells. Ours: the gain is at least the printed one."""
    if not evidence.column:
        return not_testable("the paper prints no figure for these data, nor for similar ones")
    stated = paper_numbers()["table3"]["improvement_percent"][evidence.column][metric]
    found = [evidence.compare("overall", OWN, other, metric) for other in _baselines()]
    done = [one for one in found if one.decision != "missing"]
    if not done:
        return not_testable("none of the seven systems has a result")
    least = min(done, key=lambda one: one.gain)
    gain, low, high = (100 * value / least.of_b for value in (least.gain, least.low, least.high))
    why = f"{gain:.3f} % over {least.b}, printed {stated} %"
    if evidence.source == "paper":
        return Verdict("holds" if abs(gain - stated) < ROUNDING else "fails", why)
    why += f", interval [{low:.2f}, {high:.2f}]" if math.isfinite(low) else ", no interval"
    if high < stated:
        return Verdict("fails", why)
    if low >= stated and len(done) == len(found):
        return Verdict("holds", why)
    missing = len(found) - len(done)
    return Verdict("not decided", why + (f"; {missing} of the seven have no result" if missing else ""))


@claim("3.2", "Every model gets better when it is given all modalities.")
def models_improve_with_modalities(evidence: Evidence) -> Verdict:
    """Rows "<model>, no modalities" beside rows "<model>" of a plan ``inputs``."""
    rows = evidence.rows("inputs")
    pairs = [(name, f"{name}, no modalities") for name in rows if f"{name}, no modalities" in rows]
    if not pairs:
        return not_testable("no system is shown with and without modalities")
    return judge(evidence.compare("inputs", a, b) for a, b in pairs)


# 3.3.1, Table 4


@claim("3.3.1, Table 4", "All modalities together have a lower log loss than each alone.", "logloss")
@claim("3.3.1, Table 4", "All modalities together have a higher AUC than each alone.", "auc")
def together_beat_each_alone(evidence: Evidence, metric: str) -> Verdict:
    """multi-modal against each single modality."""
    return judge(evidence.compare("modalities", BASE, one, metric) for one in _single(evidence))


@claim("3.3.1, Table 4", "Of the single modalities, the visual one is the most effective (log loss).", "logloss")
@claim("3.3.1, Table 4", "Of the single modalities, the visual one is the most effective (AUC).", "auc")
def visual_is_best_alone(evidence: Evidence, metric: str) -> Verdict:
    """visual-modal against each other single modality."""
    return _first_of("visual-modal", evidence, metric)


def _first_of(name: str, evidence: Evidence, metric: str, last: bool = False) -> Verdict:
    others = [one for one in _single(evidence) if one != name]
    if name not in _single(evidence) or not others:
        return not_testable(f"no {name} beside another single modality")
    pairs = [(one, name) if last else (name, one) for one in others]
    return judge(evidence.compare("modalities", a, b, metric) for a, b in pairs)


@claim("3.3.1, Table 4", "The acoustic modality tells more than the textual one (log loss).", "logloss")
@claim("3.3.1, Table 4", "The acoustic modality tells more than the textual one (AUC).", "auc")
def acoustic_above_textual(evidence: Evidence, metric: str) -> Verdict:
    """acoustic-modal against textual-modal."""
    return judge([evidence.compare("modalities", "acoustic-modal", "textual-modal", metric)])


@claim("3.3.1, Table 4", "The textual modality contributes least (log loss).", "logloss")
@claim("3.3.1, Table 4", "The textual modality contributes least (AUC).", "auc")
def textual_is_least(evidence: Evidence, metric: str) -> Verdict:
    """Each other single modality against textual-modal."""
    return _first_of("textual-modal", evidence, metric, last=True)


@claim("3.3.1, Table 4", "The textual modality lags less behind the others on MovieLens than elsewhere (AUC).")
def smaller_textual_gap_on_movielens(evidence: Evidence) -> Verdict:
    """Gap of textual-modal to the best other single modality, against that of each other data set."""
    if (elsewhere := about_columns(evidence, "MovieLens")) is not None:
        return elsewhere
    own, others = _textual_gap(evidence), [(one.dataset, _textual_gap(one)) for one in evidence.others]
    return _across(own, [(name, gap) for name, gap in others if gap is not None], smaller=True)


def _textual_gap(evidence: Evidence) -> Comparison | None:
    rows = [one for one in _single(evidence) if one != "textual-modal"]
    found = [evidence.compare("modalities", one, "textual-modal") for one in rows]
    done = [one for one in found if one.decision != "missing"]
    return max(done, key=lambda one: one.gain) if done else None


def _across(own: Comparison | None, others: list[tuple[str, Comparison]], *, smaller: bool) -> Verdict:
    """Compare a gain with that on other data sets, independent of it: the wider interval decides."""
    if own is None or own.decision == "missing" or not others:
        return not_testable("it compares data sets, and there is only one here")
    kinds, words = set(), []
    for name, other in others:
        more = (other.gain - own.gain) * (1 if smaller else -1)
        below, above = own.gain - own.low, own.high - own.gain
        other_below, other_above = other.gain - other.low, other.high - other.gain
        spread = math.hypot(max(below, above), max(other_below, other_above))
        spread = spread if math.isfinite(spread) else math.inf
        kinds.add("better" if more > spread else "worse" if more < -spread else "open")
        words.append(f"{own.gain:+.4f} here, {other.gain:+.4f} on {name}")
    kind = "fails" if "worse" in kinds else "holds" if kinds == {"better"} else "not decided"
    return Verdict(kind, "; ".join(words))  # type: ignore[arg-type]


@claim("3.3.1, Table 4", "With hyperedges the log loss is lower than without, on all data sets.", "logloss")
@claim("3.3.1, Table 4", "With hyperedges the AUC is higher than without, on all data sets.", "auc")
def hyperedges_help(evidence: Evidence, metric: str) -> Verdict:
    """multi-modal against (-) hypergraph."""
    return judge([evidence.compare("modalities", BASE, GRAPHLESS, metric)])


@claim("3.3.1, Table 4", "Hyperedges gain less on Kuaishou, with two modalities, than with three elsewhere (AUC).")
def hyperedges_gain_less_with_two_modalities(evidence: Evidence) -> Verdict:
    """Gain over (-) hypergraph, against that of each other data set."""
    if (elsewhere := about_columns(evidence, "Kuaishou")) is not None:
        return elsewhere
    own = evidence.compare("modalities", BASE, GRAPHLESS)
    others = [(one.dataset, one.compare("modalities", BASE, GRAPHLESS)) for one in evidence.others]
    return _across(own, [(name, one) for name, one in others if one.decision != "missing"], smaller=True)
