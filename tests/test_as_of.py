"""What happens later changes nothing that was told before."""

import datetime as dt

import builders
import pandas as pd
import pyarrow as pa
import pytest
from builders import CONFIG, answers, day, lines, made, text

from crmlib import as_of, tables
from crmlib.analysis import breakdown, distribution, kpis, satisfaction
from crmlib.classification import classes, cohorts, facts, rfm
from crmlib.cleaning import view
from crmlib.contracts import DAYS, NOT_YET
from crmlib.period import Period
from crmlib.rules import Classes

QUARTER, BEFORE = Period.parse("2024-Q3"), Period.parse("2024-Q2")


def early() -> list[dict]:
    """Forty customers, each with one to five orders by the end of September 2024."""
    return [
        {
            "customer": f"c{n}",
            "day": f"2024-{4 + (n + k) % 6:02d}-{1 + n % 28:02d}",
            "amount": 100 * n + k,
            "order": f"A{n}-{k}",
            "channel": "web" if n % 2 else "shop",
            "profit": n,
        }
        for n in range(1, 41)
        for k in range(n % 5 + 1)
    ]


# The day after as_of and later: more of the same, returns, a giant, an old order gone on, a newcomer.
LATER = [
    {"customer": "c1", "day": "2024-10-01 00:00", "amount": 99999900, "order": "L1", "profit": 5},
    {"customer": "c2", "day": "2024-10-02", "amount": -100, "order": "L2"},
    {"customer": "c3", "day": "2024-12-31", "amount": 50, "order": "A3-0"},
    {"customer": "new", "day": "2024-11-11", "amount": 700, "order": "L3"},
]
SAID = [(f"c{n}", f"2024-08-{n:02d}", "service", 1 + n % 5) for n in range(1, 21)]
SAID += [(f"c{n}", f"2024-08-{n:02d}", "recommend", n % 11) for n in range(1, 21)]
SAID_LATER = [(f"c{n}", "2024-10-01", aspect, 1) for n in range(1, 21) for aspect in ("service", "recommend")]


def told(folder, rows: list[dict], said: list[tuple]) -> dict:
    """Facts, classes and figures of the third quarter, as the notebooks make them from files."""
    tables.write(lines(*rows), folder, tables.TRANSACTIONS)
    tables.write(answers(*said), folder, tables.SURVEYS)
    last = QUARTER.day_range[1]
    orders = tables.relation(folder, tables.TRANSACTIONS, until=last)
    spoken = tables.frame(folder, tables.SURVEYS, until=last)
    known, rules = facts.facts(orders, as_of=last), Classes()
    judged = classes.classes(known, rfm.rfm(known, rules.rfm), spoken, rules, decimals=2)
    tables.write(known, folder, tables.FACTS)
    tables.write(judged, folder, tables.CLASSES)
    now, before = (facts.activity(orders, span) for span in (QUARTER, BEFORE))
    then = classes.judged_behaviour(facts.facts(orders, as_of=BEFORE.day_range[1]), rules.behaviour)
    figures = kpis.sales(orders, QUARTER) | kpis.customers(known, now, before, QUARTER) | kpis.profit(now)
    figures |= (
        kpis.orders(orders, QUARTER) | kpis.churn(judged, then) | kpis.rfm(known) | kpis.classed(judged)
    )
    figures |= breakdown.grouped(breakdown.by_line(orders, QUARTER, "channel"), "channel")
    figures |= satisfaction.satisfaction(spoken, QUARTER)
    figures["months"] = {"value": distribution.monthly(orders, QUARTER).values.tolist()}
    return {
        "facts": (folder / "facts.parquet").read_bytes(),
        "classes": (folder / "classes.parquet").read_bytes(),
        "figures": figures,
    }


def test_later_orders_change_no_cohort_and_no_month():
    last, seen = QUARTER.day_range[1], []
    for rows in (early(), early() + LATER):
        table = lines(*rows)
        seen.append(
            [
                cohorts.cohorts(table, as_of=last),
                cohorts.monthly_states(table, as_of=last, rule=Classes().behaviour),
            ]
        )
    for before, after in zip(*seen, strict=True):
        pd.testing.assert_frame_equal(before, after)
        assert len(before) > 5


def test_later_orders_and_answers_change_no_byte_of_an_earlier_quarter(tmp_path):
    before = told(tmp_path / "before", early(), SAID)
    after = told(tmp_path / "after", early() + LATER, SAID + SAID_LATER)
    assert after["facts"] == before["facts"]
    assert after["classes"] == before["classes"]
    assert after["figures"] == before["figures"]
    assert before["figures"]["customers.total"]["value"] == 40


def test_the_functions_themselves_look_no_further_than_as_of(tmp_path):
    # Without the reader's own cut: an analyst may hand over all lines.
    last = QUARTER.day_range[1]
    for name, rows in (("before", early()), ("after", early() + LATER)):
        table = lines(*rows)
        tables.write(facts.facts(table, as_of=last), tmp_path / name, tables.FACTS)
        tables.write_arrow(
            pa.Table.from_pandas(facts.activity(table, QUARTER)), tmp_path / name / "activity.parquet"
        )
        monthly = distribution.monthly(table, QUARTER)
        tables.write_arrow(pa.Table.from_pandas(monthly), tmp_path / name / "monthly.parquet")
    for file in ("facts", "activity", "monthly"):
        one, two = (tmp_path / name / f"{file}.parquet" for name in ("before", "after"))
        assert one.read_bytes() == two.read_bytes(), file


def test_a_line_of_the_day_itself_does_change_it(tmp_path):
    # so that the two tests above could fail
    changed = [{"customer": "c2", "day": "2024-09-30 23:59", "amount": 5, "order": "L9"}]
    before = told(tmp_path / "before", early(), SAID)
    after = told(tmp_path / "after", early() + changed, SAID)
    assert after["facts"] != before["facts"]
    assert after["figures"] != before["figures"]


def test_lines_appended_to_a_delivery_leave_the_cleaned_earlier_ones_as_they_were(home):
    from crmlib.cleaning import delivery
    from crmlib.collection import sources

    header, client = "order,customer,day,pieces,price", builders.made(home, files={})
    old = [f"A{n},c{n % 7},2024-0{n % 9 + 1}-10,{n % 3 + 1},{n + 1}" for n in range(60)]
    new = ["B1,c1,2024-12-01,1,30", "B2,new,2024-12-02,2,20", "TH3,c1,2024-12-03,-1,5", old[0]]

    def kept(rows) -> pd.DataFrame:
        collected = {"transactions": sources.from_text("transactions", builders.text(header, *rows))}
        found = delivery.cleaned(collected, client, delivered_on=dt.date(2025, 1, 6))
        return found["transactions"].kept.to_pandas()

    before, after = kept(old), kept(old + new)
    pd.testing.assert_frame_equal(before, after[after["order_day"] <= day("2024-11-30")].head(len(before)))
    assert len(after) == len(before) + 3


@pytest.mark.parametrize("until", ["2024-09-29", "2024-09-30", "2024-10-01"])
def test_that_day_counts_whole_and_the_next_not_at_all(until):
    table = lines(
        {"customer": "c1", "day": "2024-09-30 00:00", "amount": 1, "order": "A1"},
        {"customer": "c1", "day": "2024-09-30 23:59:59", "amount": 2, "order": "A2"},
        {"customer": "c1", "day": "2024-10-01 00:00", "amount": 4, "order": "A3"},
    )
    gross = {"2024-09-29": [], "2024-09-30": [3], "2024-10-01": [7]}[until]
    assert facts.facts(table, as_of=day(until))["gross"].tolist() == gross


def test_where_a_customer_moves_to_later_does_not_move_an_earlier_quarter(home):
    from crmlib.cleaning import customers, delivery
    from crmlib.collection import sources

    config = CONFIG.replace("price: price", "price: price, region: region, city: city")
    client = made(home, config, files={})
    header = "order,customer,day,pieces,price,region,city"
    table = text(header, "A1,c1,2024-10-01,1,5,North,Nord", "A2,c1,2025-01-02,1,5,South,Süd")
    collected = {"transactions": sources.from_text("transactions", table)}
    found = delivery.cleaned(collected, client, delivered_on=dt.date(2025, 1, 6))
    told = customers.from_lines(found["transactions"], collected["transactions"], client)
    tables.write(told, client.delivery, tables.CUSTOMERS)
    cities = [
        tables.customers(client.delivery, day(d))["city"].tolist() for d in ("2024-12-31", "2025-01-02")
    ]
    assert cities == [["Nord"], ["Süd"]]
    assert found["transactions"].kept["region"].to_pylist() == ["North", "South"]


LAST, NEXT = dt.datetime(2024, 9, 30, 23, 59, 59), dt.datetime(2024, 10, 1)
BEGAN, LAST_DAY, NEXT_DAY = day("2024-09-01"), day("2024-09-30"), day("2024-10-01")
# Rows of September, in each table one told of on its last day and one after it; and what is known on that day.
TOLD_LATER = {
    "interactions": (
        [
            {"opened_day": BEGAN, "answered_at": LAST, "resolved_at": LAST},
            {"opened_day": BEGAN, "answered_at": NEXT, "resolved_at": NEXT},
        ],
        {"answered_at": [LAST, None], "resolved_at": [LAST, None]},
    ),
    "applications": (
        [
            {"applied_day": BEGAN, "decided_day": LAST_DAY, "decision": "approved"},
            {"applied_day": BEGAN, "decided_day": NEXT_DAY, "decision": "declined"},
            {"applied_day": BEGAN, "decision": "撤回"},
        ],
        {"decided_day": [LAST_DAY, None, None], "decision": ["approved", "pending", "撤回"]},
    ),
    "campaigns": (
        [{"began_day": BEGAN, "ended_day": LAST_DAY}, {"began_day": BEGAN, "ended_day": NEXT_DAY}],
        {"ended_day": [LAST_DAY, None]},
    ),
}


@pytest.mark.parametrize("name", TOLD_LATER)
def test_what_a_row_only_told_later_is_not_known_yet(tmp_path, name):
    table, (rows, expected) = tables.ALL[name], TOLD_LATER[name]
    tables.write(pa.Table.from_pylist(rows, schema=table.schema), tmp_path, table)
    eager = tables.frame(tmp_path, table, until=LAST_DAY)
    lazy = tables.relation(tmp_path, table, until=LAST_DAY).to_arrow_table()
    assert lazy.schema.names == table.schema.names
    assert lazy.select(list(expected)).to_pydict() == expected
    for column, told in expected.items():
        assert eager[column].astype(object).where(eager[column].notna(), None).tolist() == told
    # A day later, or asked without a day, all is told.
    end = tables.frame(tmp_path, table, until=NEXT_DAY)
    pd.testing.assert_frame_equal(end, tables.frame(tmp_path, table))


def test_a_complaint_that_is_put_right_after_as_of_is_still_open():
    complaint = {"customer_id": "c1", "known": True, "kind": "complaint"}
    calls = [row | complaint for row in TOLD_LATER["interactions"][0]]
    people = pa.Table.from_pylist([{"customer_id": "c1"}], schema=tables.CUSTOMERS.schema)

    def still_open(until: int) -> list[int]:
        rows = pa.Table.from_pylist(calls, schema=tables.INTERACTIONS.schema)
        known = as_of.known(rows, tables.INTERACTIONS, until)
        return view.view({"customers": people, "interactions": known})["open_interactions"].to_pylist()

    assert [still_open(until) for until in (LAST_DAY, NEXT_DAY)] == [[1], [0]]


def test_every_day_that_a_row_can_tell_later_than_its_own_is_named():
    # of order lines and answers the moment is that of the row; totals and customers are as delivered
    for name, own in DAYS.items():
        days = [c.name for c in tables.ALL[name].columns if c.name.endswith(("_day", "_at"))]
        further = set(days) - {own, own.replace("_day", "_at"), "ordered_at"}
        assert name == "snapshot" or further == {told.since for told in NOT_YET.get(name, {}).values()}
