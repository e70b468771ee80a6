"""Retrieval: against classic BM25, term by term and record by record."""

from __future__ import annotations

import math
from collections import Counter
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch

from hyperctr.baselines.ubr4ctr.retrieval import CodeIndex, item_codes, top_records
from tests.small import small

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")


def bm25(query: list[Any], records: list[list[Any]], catalogue: Counter[Any], total: float) -> list[float]:
    """Classic BM25 of each record, term by term, with k1 = 1.2 and b = 0.75."""
    length, scores = sum(map(len, records)) / max(1, len(records)), []
    for record in records:
        score = 0.0
        for term in query:
            n, often = catalogue[term], record.count(term)
            idf = math.log(1 + (total - n + 0.5) / (n + 0.5))
            score += idf * often * (1.2 + 1) / (often + 1.2 * (1 - 0.75 + 0.75 * len(record) / length))
        scores.append(score)
    return scores


@pytest.mark.parametrize("seed", range(3))
def test_the_search_is_bm25_over_the_records(seed: int) -> None:
    """Scores are BM25's up to one factor, and so are the records returned; what an item lacks matches nothing."""
    study, draw = small(seed, items=40), np.random.default_rng(seed)
    codes, slots = item_codes(study.data), 3
    lacking = (codes < 0).any(0)
    assert lacking.any() and codes.shape == (4, 40) and codes[0].tolist() == list(range(40))
    index = CodeIndex(study.data, slots).double()

    def terms(item: int, slot: int, where: int) -> list[Any]:
        own = [(f, int(code)) if code >= 0 else ("nothing", f, where) for f, code in enumerate(codes[:, item])]
        return [*own, ("slot", slot)]

    catalogue: Counter[Any] = Counter(term for item in range(40) for term in terms(item, 0, 0) if term[0] != "slot")
    catalogue |= Counter({("slot", slot): 40 / slots for slot in range(slots)})
    items, past, past_slot = draw.integers(40, size=(8, 5)), draw.integers(40, size=(8, 30)), draw.integers(3, size=30)
    valid = torch.arange(30) < torch.tensor(draw.integers(31, size=(8, 1)))
    action = torch.tensor(draw.random((8, 5, 5)) < 0.6)
    weight = action * index.idf[torch.tensor(items)]
    same = torch.tensor(past_slot == 1) & valid
    scores = index(torch.tensor(items), weight, index.records(torch.tensor(past), valid), same)
    found = top_records(scores, 4)
    returned = set()
    for b, n in product(range(8), range(5)):
        candidate = terms(int(items[b, n]), 1, -1)
        query = [term for f, term in enumerate(candidate) if action[b, n, f] and term[0] != "nothing"]
        records = [terms(int(past[b, t]), int(past_slot[t]), t) for t in range(int(valid[b].sum()))]
        expected = np.array(bm25(query, records, catalogue, 40))
        own = scores[b, n].numpy()
        np.testing.assert_allclose(own[: len(records)], expected, rtol=0, atol=1e-6)
        assert not own[len(records) :].any()
        best = sorted(np.flatnonzero(expected > 0), key=lambda t: (-round(float(expected[t]), 5), t))[:4]
        assert found[b, n].nonzero()[:, 0].tolist() == sorted(best)
        returned.add(len(best))
    assert returned == {0, 1, 2, 3, 4} or {0, 4} < returned


def test_ties_go_to_the_most_recent_and_few_or_no_records_are_enough() -> None:
    scores = torch.tensor([[1.0, 2.0, 1.0, 2.0, 1.0], [0.0, 0.0, 3.0, 0.0, 0.0], [0.0] * 5, [1.0] * 5])
    expected = [[0, 1, 3], [2], [], [0, 1, 2]]
    assert [row.nonzero()[:, 0].tolist() for row in top_records(scores, 3)] == expected
    assert torch.equal(top_records(scores, 20), scores > 0)
    assert top_records(torch.zeros(2, 3, 0), 20).shape == (2, 3, 0)
