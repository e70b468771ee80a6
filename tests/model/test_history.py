"""What a prediction may see: windows and counts against a plain search through the training clicks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperctr.model.history import ClickHistory, Targets, Window
from tests.small import nearest, small, visible

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")
PROTOCOLS = st.sampled_from(["as-published", "causal"])
# user, timestamp; -1 and 99 lie outside the data's clock (0..29)
NEW = st.lists(st.tuples(st.integers(0, 4), st.integers(-1, 99)), max_size=12)


def make_targets(study, new):
    """All training clicks as targets of their own, then new moments of any user."""
    clicks = study.clicks
    slot = study.slots.of(np.array([t for _, t in new], dtype=np.int64)).tolist()
    rows = [(u, s, t, c) for c, (u, _, s, t) in enumerate(clicks)]
    rows += [(u, s, t, -1) for (u, t), s in zip(new, slot, strict=True)]
    return rows, Targets(*torch.tensor(rows, dtype=torch.int64).reshape(-1, 4).T.contiguous())


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32), PROTOCOLS, st.sampled_from([1, 2, 5, 40]), NEW)
def test_windows_hold_the_visible_clicks_nearest_in_time(seed, protocol, length, new):
    study = small(seed, ticks=12)  # few ticks, many ties
    rows, targets = make_targets(study, new)
    window = ClickHistory(study, protocol).window(targets, length)
    for b, (user, slot, timestamp, hidden) in enumerate(rows):
        expected = visible(study, protocol, user, slot, timestamp, hidden, most=length)
        valid = window.valid[b]
        assert window.items[b][valid].tolist() == [item for _, _, item, _ in expected]
        assert window.short[b][valid].tolist() == [s == slot for _, _, _, s in expected]
        assert window.timestamp[b][valid].tolist() == [when for when, _, _, _ in expected]
        assert window.position[b][valid].tolist() == list(range(len(expected)))
        assert not window.short[b][~valid].any() and not window.items[b][~valid].any()
    assert window.position.min() >= 0 and window.position.max() < length


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32), PROTOCOLS, st.sampled_from([1, 2, 5, 40]), NEW)
def test_non_clicks_follow_the_same_rule_and_no_click_hides_one(seed, protocol, length, new):
    study = small(seed, ticks=12)
    rows, targets = make_targets(study, new)
    shown, data = study.split.non_clicks("train"), study.data
    window = ClickHistory(study, protocol).of_non_clicks().window(targets, length)
    for b, (user, slot, timestamp, _) in enumerate(rows):
        own = [r for r in shown if data.user_index[r] == user]
        paper = protocol == "as-published"
        seen = [r for r in own if (study.slots.index[r] <= slot if paper else data.timestamp[r] < timestamp)]
        seen = sorted(seen, key=lambda r: (data.timestamp[r], r), reverse=True)
        seen = [seen[k] for k in nearest(data.timestamp[seen].tolist(), timestamp, length)]
        assert window.items[b][window.valid[b]].tolist() == data.item_index[seen].tolist()
        assert window.timestamp[b][window.valid[b]].tolist() == data.timestamp[seen].tolist()
        turned = window.oldest_first()
        assert window.lengths[b] == len(seen) and turned.valid[b].tolist() == window.valid[b].tolist()
        assert turned.items[b][: len(seen)].tolist() == data.item_index[seen[::-1]].tolist()
        assert turned.position[b][: len(seen)].tolist() == list(range(len(seen)))[::-1]


@pytest.mark.parametrize("protocol", ["as-published", "causal"])
def test_clicks_out_of_sight_leave_windows_as_they_are(protocol):
    study = small(1, rows=90)
    seen = [c for c, (_, _, s, t) in enumerate(study.clicks) if (s <= 1 if protocol == "as-published" else t < 12)]
    later = study.without([c for c in range(len(study.clicks)) if c not in seen])
    targets = Targets(*torch.tensor([(u, 1, 12, -1) for u in range(5)]).T.contiguous())
    windows = [ClickHistory(s, protocol).window(targets, 9) for s in (study, later)]
    for a, b in zip(vars(windows[0]).values(), vars(windows[1]).values(), strict=True):
        assert torch.equal(a[windows[0].valid], b[windows[1].valid])


@pytest.mark.parametrize("protocol", ["as-published", "causal"])
def test_a_hidden_click_leaves_no_trace(protocol):
    """Bit for bit the window of data that never held the click."""
    study = small(2, rows=80)
    for c, (user, _, slot, timestamp) in enumerate(study.clicks):
        own, none = (Targets(*torch.tensor([[user], [slot], [timestamp], [k]])) for k in (c, -1))
        seen = []
        for s, targets in ((study, own), (study.without([c]), none)):
            seen.append([*vars(ClickHistory(s, protocol).window(targets, 3)).values()])
        assert all(torch.equal(a, b) for a, b in zip(*seen, strict=True))


def test_the_sum_of_a_window_is_over_the_root_of_its_size():
    valid = torch.tensor([[True, False, True], [False, False, False]])
    zeros = torch.zeros(2, 3, dtype=torch.int64)
    window = Window(torch.tensor([[2, 0, 1], [0, 0, 0]]), valid, valid, zeros, zeros)
    items = torch.tensor([[9.0, 9.0], [1.0, 2.0], [3.0, 5.0]], dtype=torch.float64)
    expected = torch.tensor([[4.0, 7.0], [0.0, 0.0]], dtype=torch.float64)
    expected[0] /= 2**0.5
    torch.testing.assert_close(window.summed(items), expected, rtol=0, atol=1e-15)
    moved = items.flip(0)
    torch.testing.assert_close(window.summed(moved, len(items) - 1 - window.items), expected, rtol=0, atol=1e-15)


def test_targets_are_cut_together():
    targets = Targets(*torch.arange(20).view(4, 5))
    assert len(targets) == 5
    part = targets[torch.tensor([4, 1])]
    columns = (part.user, part.slot, part.timestamp, part.click)
    assert [column.tolist() for column in columns] == [[4, 1], [9, 6], [14, 11], [19, 16]]
    assert len(targets[slice(1, 3)].to(torch.device("cpu"))) == 2
