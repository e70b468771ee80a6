"""Time slots against calendar arithmetic by hand."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperctr.data.dataset import Dataset
from hyperctr.data.interactions import Interactions
from hyperctr.errors import ConfigError, DataError
from hyperctr.slots import make_slots

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")


def built(timestamps, clock="calendar") -> Dataset:
    frame = pd.DataFrame({"user_id": 1, "item_id": range(len(timestamps)), "timestamp": timestamps})
    return Dataset("tiny", Interactions(frame, clock=clock))


seconds = st.integers(0, 4_000_000_000)


@settings(deadline=None)
@given(st.lists(seconds, min_size=1, max_size=30), st.integers(1, 18))
def test_calendar_slots_count_whole_months(timestamps, months):
    data = built(timestamps)
    slots = make_slots(data, months=months)
    dates = [datetime.fromtimestamp(int(moment), UTC) for moment in data.timestamp]
    month = np.array([date.year * 12 + date.month for date in dates])
    np.testing.assert_array_equal(slots.index, (month - month.min()) // months)
    assert slots.count == slots.index.max() + 1 == len(slots.labels) == len(slots.edges) - 1
    np.testing.assert_array_equal(slots.of(data.timestamp), slots.index)


@settings(deadline=None)
@given(st.lists(st.integers(0, 2**62), min_size=2, max_size=20, unique=True), st.data())
def test_equal_slots_are_equal_and_exact(timestamps, more):
    data = built(timestamps, clock="ordinal")
    first, span = int(data.timestamp[0]), int(data.timestamp[-1]) - int(data.timestamp[0]) + 1
    count = more.draw(st.integers(1, min(span, 40)))
    slots = make_slots(data, count=count)
    assert slots.index.tolist() == [(int(t) - first) * count // span for t in data.timestamp]
    assert slots.count == count
    assert slots.labels[-1] == f"slot {count - 1}"
    widths = np.diff(slots.edges)
    assert widths.max() - widths.min() <= 1


def test_labels_edges_and_clipping():
    moments = np.array(["2017-11-30T23:59:59", "2017-12-01", "2019-01-15"], "datetime64[s]").astype(np.int64)
    data = built(moments)
    half_years = make_slots(data, months=6)
    assert half_years.labels == ["2017-11 to 2018-04", "2018-05 to 2018-10", "2018-11 to 2019-04"]
    assert half_years.index.tolist() == [0, 0, 2]
    assert str(half_years.edges.astype("datetime64[s]")[1]) == "2018-05-01T00:00:00"
    assert half_years.of([[-(10**12), moments[0]], [moments[2], 10**12]]).tolist() == [[0, 0], [2, 2]]
    assert make_slots(data, months=1).labels[:2] == ["2017-11", "2017-12"]
    by_width = make_slots(data, count=2)
    assert by_width.labels == ["2017-11-30 to 2018-06-23", "2018-06-24 to 2019-01-15"]
    assert make_slots(data).months == 6
    assert make_slots(built(range(24), clock="ordinal")).count == 12


def test_what_is_refused():
    ordinal, calendar = built(range(24), clock="ordinal"), built([0, 10**8])
    with pytest.raises(ConfigError, match=r"ordinal clock.*make_slots\(data, count=12\)"):
        make_slots(ordinal, months=6)
    with pytest.raises(ConfigError, match="not both"):
        make_slots(calendar, months=6, count=2)
    for months in (0, 19, 6.0, True, "6"):
        with pytest.raises(ConfigError, match="from 1 to 18"):
            make_slots(calendar, months=months)
    for count in (0, 25, 2.5, True):
        with pytest.raises(ConfigError, match="from 1 to 24"):
            make_slots(ordinal, count=count)
    with pytest.raises(DataError, match="float64"):
        make_slots(calendar).of(np.array([1.5]))
