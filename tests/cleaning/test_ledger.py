"""The account that must balance: rows and money in = kept + merged + set aside."""

import datetime as dt
import random

import pandas as pd
import pytest
from builders import CONFIG, made, text
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crmlib.cleaning import delivery, ledger
from crmlib.collection import sources
from crmlib.errors import SchemaError

ORDER = st.sampled_from(["A1", "A2", "TH1", "TH2", "", "小计", "合计", "Total"])
CUSTOMER = st.sampled_from(["c1", "c2", "c9", "", "NA"])
DAY = st.sampled_from(["2024-10-01", "2024/10/2", "2024年12月31日", "2024-02-30", "2026-01-01", "", "soon"])
PIECES = st.sampled_from(["1", "2", "-1", "0", "", "two", "-2"])
PRICE = st.sampled_from(["10", "0", "-5", "0.01", "1,000", "", "free"])
# Two copies, so that something is always merged; the point tells that 1,000 is a thousand.
GOOD = ["G1,c1,2024-10-01,1,5.00"] * 2


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(dirty=st.lists(st.tuples(ORDER, CUSTOMER, DAY, PIECES, PRICE), max_size=25), keep=st.booleans())
def test_no_row_and_no_cent_is_lost_whatever_a_firm_sends(home, dirty, keep):
    rows = [",".join(cell.replace(",", ";") for cell in row) for row in dirty]
    # as many good dates as bad ones, or the file is refused as a whole
    good = [f"G{n},c2,2024-11-01,1,7" for n in range(len(rows))]
    config = CONFIG + ("    exact_duplicates: keep\n" if keep else "")
    client = made(home, config, files={})
    table = text("order,customer,day,pieces,price", *GOOD, *rows, *good)
    table["price"] = table["price"].str.replace(";", ",")
    collected = {"transactions": sources.from_text("transactions", table)}
    found = delivery.cleaned(collected, client, delivered_on=dt.date(2025, 1, 6))
    lines = delivery.account(found, collected)
    part = found["transactions"]
    assert lines["rows_in"].iloc[0] == len(table)
    merged = int(lines["rows_merged"].sum())
    assert part.kept.num_rows + len(part.quarantine) + merged == len(table)
    # the money of every line, worked out here: pieces × price where both are plain numbers
    worth = 0
    for pieces, price in zip(table["pieces"], table["price"].str.replace(",", ""), strict=True):
        try:
            worth += round(int(pieces) * float(price) * 100)
        except ValueError:
            continue
    assert lines["money_in"].iloc[0] == worth
    kept = sum(part.kept["amount"].to_pylist())
    assert worth == kept + int(lines["money_merged"].sum()) + int(part.quarantine["money"].sum())
    seen = part.kept["source_row"].to_pylist() + part.quarantine["source_row"].tolist()
    assert len(seen) == len(set(seen))


def test_each_step_receives_what_the_one_before_it_kept():
    fates = pd.DataFrame(
        {"reason": [None, "a", "exact-duplicate"], "rows": [5, 2, 3], "money": [50, -20, 30]}
    )
    lines = ledger.ledger(fates, "t", ["a", "exact-duplicate", "never"])
    assert lines.drop(columns="table").values.tolist() == [
        ["a", 10, 8, 0, 2, 60, 80, 0, -20],
        ["exact-duplicate", 8, 5, 3, 0, 80, 50, 30, 0],
        ["never", 5, 5, 0, 0, 50, 50, 0, 0],
    ]


def test_a_reason_that_no_step_looks_for_is_a_mistake():
    with pytest.raises(ValueError, match=r"reasons without a step: \['b'\]"):
        ledger.ledger(pd.DataFrame({"reason": ["b"], "rows": [1], "money": [0]}), "t", ["a"])


@pytest.mark.parametrize(
    ("kept", "message"),
    [
        (
            (7, 800),
            "The ledger of t does not balance in rows: 10 came in, but 7 kept + 0 merged + 2 set aside = 9.",
        ),
        (
            (8, 799),
            "The ledger of t does not balance in money: 950 came in, but 799 kept + 0 merged + 150 set aside = 949.",
        ),
    ],
)
def test_a_ledger_that_does_not_balance_stops_the_run(kept, message):
    fates = pd.DataFrame({"reason": [None, "a"], "rows": [8, 2], "money": [800, 150]})
    lines = ledger.ledger(fates, "t", ["a"])
    assert len(ledger.balanced(lines, {"t": (8, 800)})) == 1
    with pytest.raises(SchemaError) as refused:
        ledger.balanced(lines, {"t": kept})
    assert str(refused.value) == message


def test_the_order_of_rows_changes_no_sum(home):
    rows = ["A1,c1,2024-10-01,1,5", "A2,c1,2024-10-02,-1,0", "TH1,c1,2024-10-03,-1,5", "A1,c1,2024-10-01,1,5"]
    rows += [f"B{n},c{n},2024-11-01,{n},3.10" for n in range(1, 30)]
    seen = set()
    for seed in range(4):
        mixed = random.Random(seed).sample(rows, len(rows))
        client = made(home, files={})
        table = text("order,customer,day,pieces,price", *mixed)
        collected = {"transactions": sources.from_text("transactions", table)}
        found = delivery.cleaned(collected, client, delivered_on=dt.date(2025, 1, 6))
        seen.add(delivery.account(found, collected).to_json())
    assert len(seen) == 1
