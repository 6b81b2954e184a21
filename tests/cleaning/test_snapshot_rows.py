"""Customer snapshots: totals as delivered, one row a customer and day, nothing lost."""

import datetime as dt

import pytest
from builders import day, made, text

from crmlib import tables
from crmlib.cleaning import delivery, snapshot
from crmlib.collection import sources
from crmlib.errors import ConfigError, SchemaError

CONFIG = """\
name: Bank
currency: CNY
tables:
  snapshot:
    files: [s.csv]
    columns: {customer_id: id, name: who, region: city, taken_day: taken, orders: times, spend: paid,
              last_day: last, satisfaction: score, churned: left, lifetime_value: worth}
    satisfaction_scale: [1, 5]
"""
HEADER = "id,who,city,taken,times,paid,last,score,left,worth"


@pytest.fixture
def clean(home):
    def cleaned(*rows: str, config: str = CONFIG, known=None):
        client = made(home, config, files={})
        collected = sources.from_text("snapshot", text(HEADER, *rows))
        return snapshot.snapshot(collected, client, delivered_on=dt.date(2025, 1, 6), known=known)

    return cleaned


def ends(found) -> tuple[int, ...]:
    """Rows, then money: in, kept, merged, set aside."""
    part = found.ledger
    return tuple(
        total
        for what in ("rows", "money")
        for total in (
            *(int(part[f"{what}_in"].iloc[0]), int(part[f"{what}_kept"].iloc[-1])),
            *(int(part[f"{what}_merged"].sum()), int(part[f"{what}_quarantined"].sum())),
        )
    )


def test_totals_are_read_as_they_stand(clean):
    found = clean("7,Li,A,2024-12-31,3,120.50,2024-12-01,4,No,1000", "8,Wu,B,,,,,,是,")
    rows = found.kept.to_pylist()
    assert [rows[0][c] for c in ("customer_id", "known", "taken_day", "orders", "spend")] == [
        *("7", True, day("2024-12-31")),
        *(3, 12050),
    ]
    assert [rows[0][c] for c in ("last_day", "satisfaction", "churned", "lifetime_value")] == [
        *(day("2024-12-01"), 4.0),
        *(False, 100000),
    ]
    # What the second customer's cells do not say is empty, never 0.
    told = [rows[1][c] for c in ("taken_day", "orders", "spend", "profit", "last_day", "satisfaction")]
    assert told == [None] * 6
    assert rows[1]["churned"] is True
    assert ends(found) == (2, 2, 0, 0, 12050, 12050, 0, 0)


def test_each_row_that_cannot_be_read_waits_with_its_reason_its_column_and_its_worth(clean):
    found = clean(
        *(",,A,,1,10,,,,", "1,,A,,1.5,10,,,,", "2,,A,,-1,10,,,,", "3,,A,,1,ten,,,,"),
        *("4,,A,,1,10,2024-02-30,,,", "5,,A,2025-01-07,1,10,,,,", "6,,A,,1,10,,6,,", "合计,,,,9,100,,,,"),
        *("9,,A,,1,10,,,,", "9,,A,,1,10,,,,"),
    )
    assert found.quarantine[["source_row", "reason", "column", "money"]].values.tolist() == [
        [2, "missing-id", "id", 1000],
        [3, "unreadable-number", "times", 1000],
        [4, "unreadable-number", "times", 1000],
        [5, "unreadable-number", "paid", 0],
        [6, "unreadable-date", "last", 1000],
        [7, "future-date", "taken", 1000],
        [8, "out-of-scale", "score", 1000],
        [9, "not-a-record", "", 10000],
    ]
    assert found.kept["customer_id"].to_pylist() == ["9"]
    # 10 rows: 1 kept, 1 exact copy, 8 set aside; 18,000 in all, of which 16,000 set aside.
    assert ends(found) == (10, 1, 1, 8, 18000, 1000, 1000, 16000)


def test_a_customer_called_total_with_a_city_is_a_customer(clean):
    assert clean("Total,TotalEnergies,Paris,,1,10,,,,").kept["customer_id"].to_pylist() == ["Total"]


def test_two_rows_of_one_customer_and_day_are_one_and_their_money_balances(clean):
    found = clean("7,Li,A,2024-12-31,3,100,,,No,", "7,,B,2024-12-31,,150,2024-12-01,,,")
    (row,) = found.kept.to_pylist()
    # The later row wins field by field; what it leaves empty stays as the earlier one said.
    assert (row["orders"], row["spend"], row["last_day"], row["churned"]) == (
        *(3, 15000),
        *(day("2024-12-01"), False),
    )
    assert (row["source_file"], row["source_row"]) == ("memory", 3)
    assert ends(found) == (2, 1, 1, 0, 25000, 15000, 10000, 0)


def test_the_same_customer_on_two_days_has_two_totals(clean):
    found = clean("7,Li,A,2024-09-30,3,100,,,No,", "7,Li,B,2024-12-31,4,150,,,Yes,")
    assert found.kept["taken_day"].to_pylist() == [day("2024-09-30"), day("2024-12-31")]
    assert found.people.select(["customer_id", "name", "region", "as_from_day"]).to_pylist() == [
        {"customer_id": "7", "name": "Li", "region": "A", "as_from_day": day("2024-09-30")},
        {"customer_id": "7", "name": "Li", "region": "B", "as_from_day": day("2024-12-31")},
    ]


def test_a_mark_that_is_no_yes_or_no_is_emptied_and_told_and_its_row_stays(clean):
    found = clean("7,,A,,1,10,,,maybe,", "8,,A,,1,10,,,CHURNED,", "9,,A,,1,10,,,无,")
    assert found.kept["churned"].to_pylist() == [None, True, None]
    told = [(r["rule"], r["source_row"], r["column"], r["old"], r["new"]) for r in found.repairs.to_pylist()]
    assert told == [("unknown-word", 2, "left", "maybe", "")]
    assert found.repairs.schema == tables.REPAIRS.schema


def test_customers_whom_the_customer_table_does_not_list_are_kept_and_not_known(clean):
    found = clean("7,,A,,1,10,,,,", "8,,A,,1,10,,,,", known={"7"})
    assert found.kept["known"].to_pylist() == [True, False]


def test_money_finer_than_the_client_keeps_is_refused_where_it_stands(clean):
    with pytest.raises(SchemaError) as refused:
        clean("7,,A,,1,10.125,,,,", "8,,A,,1,10.50,,,,")
    assert str(refused.value) == (
        "memory, row 2, column 'paid': money finer than 2 decimals (1 such rows). "
        "Say decimals: 3 in client.yml, or more."
    )


def test_a_score_without_its_scale_is_refused(home):
    config = CONFIG.replace("    satisfaction_scale: [1, 5]\n", "")
    with pytest.raises(ConfigError) as refused:
        made(home, config, files={})
    assert (
        str(refused.value)
        .splitlines()[0]
        .startswith(
            "data/acme/client.yml, line 4: tables.snapshot: columns.satisfaction and satisfaction_scale go together"
        )
    )


def test_row_order_decides_nothing_where_nothing_conflicts(clean):
    rows = ["7,Li,A,2024-12-31,3,120.50,2024-12-01,4,No,1000", "8,Wu,B,,1,5,,1,Yes,2", "9,,C,,2,6,,,,"]
    told = [c for c in tables.SNAPSHOT.schema.names if not c.startswith("source_")]
    first, second = (clean(*order).kept.select(told).to_pylist() for order in (rows, rows[::-1]))
    assert first == second


def test_a_whole_delivery_of_totals_balances_and_names_its_customers(home):
    client = made(
        home, CONFIG, files={"s.csv": f"{HEADER}\n7,Li,A,2024-12-31,3,120.50,,4,No,\n合计,,,,3,120.50,,,,\n"}
    )
    collected = sources.delivery(client)
    found = delivery.cleaned(collected, client, delivered_on=dt.date(2025, 1, 6))
    lines = delivery.account(found, collected)
    assert delivery.reasons(lines).values.tolist() == [["snapshot", "not-a-record", "set_aside", 1, 0]]
    people = delivery.customer_table(found, collected, client)
    assert people.select(["customer_id", "name", "region"]).to_pylist() == [
        {"customer_id": "7", "name": "Li", "region": "A"}
    ]
    assert delivery.kept(found, tables.TRANSACTIONS).num_rows == 0
