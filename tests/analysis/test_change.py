"""A change split into parts: what closes, what each part means, against tables worked out by hand."""

from fractions import Fraction

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlib.analysis import change


def table(rows: list[tuple]) -> pd.DataFrame:
    """Unit, group, value, weight."""
    return pd.DataFrame(rows, columns=["unit", "group", "value", "weight"]).astype(
        {"unit": "str", "group": "str", "value": "int64", "weight": "int64"}
    )


UNITS = st.dictionaries(
    st.integers(0, 30),
    st.tuples(st.sampled_from("abcd"), st.integers(-(10**12), 10**12), st.integers(0, 50)),
    max_size=25,
)


@given(UNITS, UNITS)
@settings(max_examples=1000, deadline=None)
def test_every_total_closes_to_the_last_unit(before, now):
    first, last = (table([(u, *r) for u, r in part.items()]) for part in (before, now))
    found = change.total(first, last)
    parts = [[int(v) for v in found[c]] for c in change.PARTS]
    assert sum(map(sum, parts)) == sum(r[1] for r in now.values()) - sum(r[1] for r in before.values())
    assert [sum(row) for row in zip(*parts, strict=True)] == found["change"].tolist()


@given(UNITS, UNITS)
@settings(max_examples=1000, deadline=None)
def test_every_ratio_closes(before, now):
    first, last = (table([(u, *r) for u, r in part.items()]) for part in (before, now))
    weights = [sum(r[2] for r in part.values()) for part in (before, now)]
    found = change.ratio(first, last)
    if not all(weights):
        assert found is None
        return
    then, today = (
        Fraction(sum(r[1] for r in part.values()), w) for part, w in zip((before, now), weights, strict=True)
    )
    # The fractions close exactly (else SchemaError); as floats they close as far as floats do.
    size = max(found[["mix", "rate", "new", "lost"]].abs().to_numpy().max(), 1e-300)
    assert sum(found["change"]) == pytest.approx(float(today - then), abs=size * 1e-9)


def test_customers_who_come_and_go_bring_and_take_all_they_spend():
    before = table([("stays", "x", 100, 1), ("leaves", "x", 70, 2)])
    now = table([("stays", "x", 100, 1), ("comes", "y", 30, 3)])
    found = change.total(before, now).set_index("group")
    assert found.loc["y", ["new", "change"]].tolist() == [30, 30]
    assert found.loc["x", ["lost", "change"]].tolist() == [-70, -70]
    assert not found[["volume", "mix", "rate"]].to_numpy().any()


def test_more_pieces_at_the_same_price_are_volume_and_a_higher_price_is_rate():
    before = table([("a", "x", 1000, 10)])
    assert change.total(before, table([("a", "x", 1500, 15)]))["volume"].tolist() == [500]
    assert change.total(before, table([("a", "x", 1300, 10)]))["rate"].tolist() == [300]


def test_moving_to_the_dearer_group_is_mix():
    # Ten orders both times; at 10 and 20 apiece; five move to the dearer: 150 becomes 175 or so.
    before = table([("a", "cheap", 50, 5), ("b", "dear", 100, 5)])
    now = table([("a", "cheap", 20, 2), ("b", "dear", 160, 8)])
    found = change.total(before, now)
    assert found["mix"].sum() == 30
    assert found[["volume", "rate", "new", "lost"]].to_numpy().sum() == 0
    # Both the shrinking cheap and the growing dear group carry it, by how far they lie from the middle.
    assert found.set_index("group")["mix"].to_dict() == {"cheap": 20, "dear": 10}


def test_a_ratio_by_hand():
    # Satisfaction 50 and 90 (mean 70), then 60 and 90, and a newcomer at 30: mean 60.
    before = table([("a", "x", 50, 1), ("b", "y", 90, 1)])
    now = table([("a", "x", 60, 1), ("b", "y", 90, 1), ("c", "x", 30, 1)])
    found = change.ratio(before, now).set_index("group")
    assert found.loc["x", "rate"] == 5
    assert found.loc["x", "new"] == -15
    assert found["change"].sum() == -10


def test_nobody_stayed():
    found = change.ratio(table([("a", "x", 4, 10)]), table([("b", "x", 8, 10)]))
    assert found[["new", "lost"]].round(12).values.tolist() == [[0.2, 0.2]]


def test_order_of_rows_does_not_matter():
    before = table([(n, "ab"[n % 2], n * 37, n % 4) for n in range(20)])
    now = table([(n, "ab"[n % 2], n * 41 + 3, n % 5) for n in range(5, 28)])
    again = change.total(before.sample(frac=1, random_state=1), now.sample(frac=1, random_state=2))
    pd.testing.assert_frame_equal(change.total(before, now), again)


def test_nothing_at_all():
    assert change.total(table([]), table([])).empty
    assert change.ratio(table([]), table([])) is None
