"""Cells of order lines: units, currencies, marks of returns, ids that lost digits; and lines that fit no memory."""

import datetime as dt

import pandas as pd
import pyarrow as pa
import pytest
from builders import CONFIG, day, made, text

from crmlib import tables
from crmlib.cleaning import delivery, order_cells, outcome, transactions
from crmlib.collection import sources
from crmlib.errors import SourceError

HEADER = "order,customer,day,pieces,price"
SALE = "A1,c1,2024-10-01,2,10.50"


@pytest.fixture
def clean(home):
    """Cleans typed order lines under a client.yml: the order lines, and everything cleaned."""

    def cleaned(*rows: str, config: str = CONFIG, header: str = HEADER):
        client = made(home, config, files={})
        collected = {"transactions": sources.from_text("transactions", text(header, *rows))}
        found = delivery.cleaned(collected, client, delivered_on=dt.date(2025, 1, 6))
        delivery.account(found, collected)
        return found["transactions"]

    return cleaned


def kept(found, *columns: str) -> list[list]:
    rows = found.kept.to_pandas()[list(columns)]
    return rows.astype(object).where(rows.notna(), None).values.tolist()


def aside(found) -> list[tuple]:
    return list(found.quarantine[["source_row", "reason", "column"]].itertuples(index=False, name=None))


def repaired(found) -> list[tuple]:
    return [
        (line["source_row"], line["column"], line["old"], line["new"], line["rule"])
        for line in found.repairs.to_pylist()
    ]


def test_pieces_and_prices_with_units_are_read_and_told(clean):
    found = clean(SALE, "A2,c2,2024年10月2日,10次,1.2万元", "A3,c3,2024-10-03,１,￥5.50")
    assert kept(found, "quantity", "price", "amount") == [
        [2, 1050, 2100],
        [10, 1200000, 12000000],
        [1, 550, 550],
    ]
    assert repaired(found) == [
        (3, "day", "2024年10月2日", "2024-10-02 00:00:00", "year-first"),
        (3, "pieces", "10次", "10", "unit"),
        (3, "price", "1.2万元", "12000", "unit"),
        (4, "pieces", "１", "1", "width"),
        (4, "price", "￥5.50", "5.5", "currency"),
    ]
    assert found.repairs.schema == tables.REPAIRS.schema
    assert set(found.repairs["table"].to_pylist()) == {"transactions"}
    assert {*found.repairs["source_file"].to_pylist()} == {"memory"}


def test_a_clean_delivery_has_nothing_repaired(clean):
    assert clean(SALE).repairs.num_rows == 0


def test_a_unit_of_another_kind_is_set_aside_with_the_header_of_its_cell(clean):
    found = clean(SALE, "A2,c1,2024-10-01,1元,5", "A3,c1,2024-10-01,1,5件", "A4,c1,2024-10-01,1,12%")
    assert aside(found) == [
        (3, "unreadable-number", "pieces"),
        (4, "unreadable-number", "price"),
        (5, "unreadable-number", "price"),
    ]


# row, reason, header of the cell at fault
FAULTS = [
    ("小计,,,3,", "not-a-record", ""),
    ("A2,c1,,1,5", "missing-date", "day"),
    ("A2,c1,9999-12-31,1,5", "missing-date", "day"),
    ("A2,c1,2024-02-30,1,5", "unreadable-date", "day"),
    ("A2,c1,2024-10-01 24:00,1,5", "unreadable-date", "day"),
    ("A2,c1,2025-01-07,1,5", "future-date", "day"),
    ("A2,c1,2024-10-01,two,5", "unreadable-number", "pieces"),
    ("A2,c1,2024-10-01,1,inf", "unreadable-number", "price"),
    ("A2,c1,2024-10-01,1_000,5", "unreadable-number", "pieces"),
    ("A2,c1,2024-10-01,,5", "missing-number", "pieces"),
    ("A2,c1,2024-10-01,1,N/A", "missing-number", "price"),
    ("A2,c1,2024-10-01,1,(5)", "bookkeeping-entry", "price"),
    ("A2,c1,2024-10-01,-9,0", "stock-correction", "pieces"),
    ("A2,c1,2024-10-01,2-,5", "unmarked-return", "pieces"),
    ("A2,1.38E+10,2024-10-01,1,5", "digits-lost", "customer"),
    ("1.2E+15,c1,2024-10-01,1,5", "digits-lost", "order"),
]


@pytest.mark.parametrize(("row", "reason", "column"), FAULTS, ids=[row for row, _, _ in FAULTS])
def test_a_row_that_waits_names_the_cell_at_fault(clean, row, reason, column):
    found = clean(SALE, "A3,c2,2024-10-02,1,1", row, "A4,c2,2024-10-03,1,1")
    assert aside(found) == [(4, reason, column)]


def test_an_id_of_full_width_digits_is_the_same_customer_and_that_is_told(clean):
    found = clean("A1,c００7,2024-10-01,1,5", "ＴＨ2,c007,2024-10-02,-1,5", "A3,c007.0,2024-10-03,1,5")
    assert kept(found, "customer_id", "order_id", "kind") == [
        ["c007", "A1", "sale"],
        ["c007", "TH2", "return"],
        ["c007.0", "A3", "sale"],
    ]
    assert repaired(found) == [
        (2, "customer", "c００7", "c007", "width"),
        (3, "order", "ＴＨ2", "TH2", "width"),
    ]


MARKED = CONFIG.replace("{order_id_starts_with: TH}", "{column: back, values: [是, yes]}")


def test_a_marked_line_is_a_return_however_the_mark_is_spelt(clean):
    found = clean(
        *("A1,c1,2024-10-01,-1,10,是", "A2,c1,2024-10-02,-1,10,ＹＥＳ", "A3,c1,2024-10-03,-1,10, Yes "),
        *("A4,c1,2024-10-04,-1,10,no", "A5,c1,2024-10-05,1,10,"),
        config=MARKED,
        header=HEADER + ",back",
    )
    assert kept(found, "kind", "amount", "returned") == [
        *(["return", -1000, -1000],) * 3,
        ["sale", 1000, 0],
    ]
    assert aside(found) == [(5, "unmarked-return", "pieces")]


def test_a_marked_positive_line_stays_a_sale_and_is_taken_back_on_its_day(clean):
    found = clean("A1,c1,2024-10-01,2,10,yes", config=MARKED, header=HEADER + ",back")
    assert kept(found, "kind", "amount", "returned", "order_day") == [
        ["sale", 2000, -2000, day("2024-10-01")]
    ]


def test_without_words_any_mark_at_all_is_a_return_but_a_dash_is_none(clean):
    config = CONFIG.replace("{order_id_starts_with: TH}", "{column: back}")
    found = clean(
        *("A1,c1,2024-10-01,1,10,broken", "A2,c1,2024-10-01,1,10,", "A3,c1,2024-10-01,1,10,-"),
        config=config,
        header=HEADER + ",back",
    )
    assert kept(found, "returned") == [[-1000], [0], [0]]


def test_a_missing_column_of_returns_is_told_when_the_file_is_read(home):
    client = made(home, MARKED)
    with pytest.raises(
        SourceError, match=r"has no column 'back', which .* maps to tables\.transactions\.returns"
    ):
        sources.delivery(client)


CURRENCY = CONFIG.replace("price: price", "price: price, currency: money")


def test_a_currency_column_in_the_clients_own_currency_changes_nothing(clean):
    header = HEADER + ",money"
    found = clean(
        f"{SALE},CNY", "A2,c2,2024-10-02,1,5,人民币", "A3,c2,2024-10-02,1,5,", config=CURRENCY, header=header
    )
    assert kept(found, "amount") == [[2100], [500], [500]]


def test_two_currencies_are_never_summed(clean):
    with pytest.raises(SourceError) as refused:
        clean(
            f"{SALE},CNY",
            "A2,c2,2024-10-02,1,5,USD",
            "A3,c2,2024-10-02,1,5,USD",
            config=CURRENCY,
            header=HEADER + ",money",
        )
    assert str(refused.value) == (
        "transactions: column 'money' holds 'USD' on 2 lines (the first in memory, row 3), but the client's currency is "
        "CNY, and two currencies are never summed. Deliver each currency as a client of its own, or mend currency in "
        "data/acme/client.yml."
    )


def test_short_dates_follow_the_column_and_a_contradiction_waits(clean):
    found = clean(
        *[f"A{n},c1,{n}/10/2024,1,1" for n in range(13, 23)], "A1,c1,10/23/2024,1,1", "A2,c1,1/2/2024,1,1"
    )
    assert aside(found) == [(12, "unreadable-date", "day")]
    assert kept(found, "order_day")[-1] == [day("2024-02-01")]


def test_an_order_half_past_midnight_in_shanghai_is_of_that_day(clean):
    config = CONFIG.replace("decimals: 2", "decimals: 2\ntimezone: Asia/Shanghai")
    found = clean("A1,c1,2024-09-30T16:30:00Z,1,5", "A2,c1,2024-10-01T00:30:00+08:00,1,5", config=config)
    assert kept(found, "order_day") == [[day("2024-10-01")], [day("2024-10-01")]]


def test_a_price_in_a_trillion_of_the_finest_unit_is_still_exact(clean):
    config = CONFIG.replace("decimals: 2", "decimals: 6")
    found = clean("A1,c1,2024-10-01,1,123456789012.345678", "A2,c1,2024-10-01,3,0.100001", config=config)
    assert kept(found, "amount") == [[123456789012345678], [300003]]


def test_a_line_of_twenty_million_is_a_line_like_any_other(clean):
    assert kept(clean("A1,c1,2024-10-01,100,200000.50"), "amount", "flags") == [[2000005000, ""]]


def test_rows_whose_columns_run_together_alike_are_no_copies(clean):
    # "ab" + "c" and "a" + "bc": equal only if the columns were glued
    found = clean("ab,c,2024-10-01,1,5", "a,bc,2024-10-01,1,5", "ab,c,2024-10-01,1,5")
    assert kept(found, "source_row") == [[2], [3]]
    assert int(found.ledger["rows_merged"].sum()) == 1


@pytest.mark.parametrize("few", [0, 10**9])
def test_copies_are_the_same_whether_few_columns_tell_rows_apart_or_all_must(clean, monkeypatch, few):
    monkeypatch.setattr(order_cells, "FEW", few)
    found = clean(
        "A1,x,c1,2024-10-01,1,5",
        "A1,x,c1,2024-10-01,2,5",
        "A1,x,c1,2024-10-01,1,5",
        "A2,x,c1,2024-10-01,1,5",
        "A2,x,c1,2024-10-01,1,5",
        config=CONFIG.replace("{order_id: order", "{order_id: order, product_id: thing"),
        header="order,thing,customer,day,pieces,price",
    )
    assert kept(found, "source_row") == [[2], [3], [5]]
    assert int(found.ledger["rows_merged"].sum()) == 2


def test_lines_are_numbered_through_all_files_of_a_delivery(home):
    client = made(
        home,
        CONFIG.replace("[orders.csv]", "[b.csv, a.csv]"),
        files={
            "b.csv": HEADER + "\nB1,c1,2024-10-01,1,5\n",
            "a.csv": HEADER + "\nA1,c1,2024-10-01,1,5\nA2,c1,2024-10-01,1,5\n",
        },
    )
    found = delivery.cleaned(sources.delivery(client), client, delivered_on=dt.date(2025, 1, 6))[
        "transactions"
    ]
    assert kept(found, "line_id", "order_id") == [[1, "A1"], [2, "A2"], [3, "B1"]]


def test_lines_are_kept_in_a_file_and_handed_on_a_part_at_a_time(clean, tmp_path, monkeypatch):
    monkeypatch.setattr(outcome, "AT_ONCE", 3)
    found = clean(*[f"A{n},c{n},2024-10-01,1,5" for n in range(10)])
    assert [batch.num_rows for batch in found.batches()] == [3, 3, 3, 1]
    assert (found.count, found.kept.num_rows) == (10, 10)
    assert found.asked("SELECT sum(amount) FROM kept") == [(5000,)]
    path = tables.write(found.rows, tmp_path, tables.TRANSACTIONS)
    assert tables.verified(path, "02-cleaning")
    assert tables.arrow(tmp_path, tables.TRANSACTIONS).equals(found.kept)


def test_lines_keep_their_order_whatever_cells_are_looked_at_one_by_one(clean):
    odd = {0: "2024年10月{}日,1,5", 1: "2024-10-{},1次,5", 2: "2024-10-{},1,￥5"}
    lines = [f"A{n},c{n % 7}," + odd.get(n % 5, "2024-10-{},1,5").format(n % 9 + 10) for n in range(5000)]
    found = clean(*lines, *lines[:100])
    assert kept(found, "line_id", "order_id") == [[n + 1, f"A{n}"] for n in range(5000)]


@pytest.mark.parametrize("part", [1, 2, 3, 1000])
def test_the_file_of_lines_is_the_same_bytes_in_whatever_parts_they_are_taken(clean, monkeypatch, part):
    lines = [f"A{n},c{n % 3},2024-10-0{n % 8 + 1},{n % 4},5" for n in range(10)] + ["A1,c1,2024-10-02,1,5"]
    monkeypatch.setattr(outcome, "AT_ONCE", 4)
    whole = clean(*lines).rows.read_bytes()
    monkeypatch.setattr(transactions, "AT_ONCE", part)
    assert clean(*lines).rows.read_bytes() == whole


@pytest.mark.parametrize("pieces, price", [("0", "0"), ("-1", "5")])
def test_lines_of_which_none_tells_a_price_are_judged_without_one(clean, pieces, price):
    assert set(kept(clean(f"A1,c1,2024-10-01,{pieces},{price}", SALE), "flags")[-1]) == {""}
    assert clean(f"A1,c1,2024-10-01,{pieces},{price}").quarantine["reason"].isin(["unmarked-return"]).all()


def test_a_small_table_hands_on_alike():
    rows = pa.table({"customer_id": ["a", "b"], "amount": [1, 2]})
    found = outcome.Cleaned(rows, pd.DataFrame(), pd.DataFrame())
    assert pa.Table.from_batches(found.batches()).equals(rows)
    assert (found.count, found.columns) == (2, ["customer_id", "amount"])
    assert found.asked("SELECT count(*), sum(amount) FROM kept") == [(2, 3)]
    assert found.repairs.num_rows == 0


def test_every_table_tells_its_repairs(home):
    config = CONFIG + (
        "  customers:\n    files: [c.csv]\n    columns: {customer_id: id, contact: phone, opened_day: opened}\n"
        "  surveys:\n    files: [s.csv]\n    columns: {customer_id: who, answered_day: on}\n    answers:\n"
        "      service: {column: service, scale: [1, 10]}\n"
    )
    client = made(home, config, files={})
    collected = {
        "customers": sources.from_text(
            "customers",
            text("id,phone,opened", "c1,1.38E+10,2020/1/2", "c2,13800138001,someday", "1.2E+09,1,"),
        ),
        "transactions": sources.from_text("transactions", text(HEADER, SALE)),
        "surveys": sources.from_text(
            "surveys", text("who,on,service", "c1,2024-10-05,8分", "c2,2024-10-05,８", "c2,,7")
        ),
    }
    found = delivery.cleaned(collected, client, delivered_on=dt.date(2025, 1, 6))
    delivery.account(found, collected)
    told = pa.Table.from_batches(delivery.repairs(found, collected), tables.REPAIRS.schema).to_pylist()
    assert [(t["table"], t["source_row"], t["column"], t["old"], t["new"], t["rule"]) for t in told] == [
        ("customers", 2, "opened", "2020/1/2", "2020-01-02 00:00:00", "year-first"),
        ("customers", 2, "phone", "1.38E+10", "", "digits-lost"),
        ("customers", 3, "opened", "someday", "", "unreadable-date"),
        ("surveys", 2, "service", "8分", "8", "unit"),
        ("surveys", 3, "service", "８", "8", "width"),
    ]
    assert aside(found["customers"]) == [(4, "digits-lost", "id")]
    assert aside(found["surveys"]) == [(4, "unreadable-date", "on")]
    customers = found["customers"].kept.to_pandas()
    assert customers["contact"].tolist()[1] == "13800138001"
    assert customers["contact"].isna().tolist() == [True, False]


@pytest.mark.parametrize("other", ["A9,c9,2024-10-09,1,￥5", "A9,c9,2024-10-09,123456789012,1234567.5"])
def test_a_line_is_worth_the_same_whatever_stands_on_other_lines(clean, other):
    lines = (SALE, "A2,c1,2024-10-02,12,0.1", "A3,c2,2024-10-03,-3,.95", "A4,c2,2024-10-04,007,019.90")
    lines += (
        "A5,c3,2024-10-05,2.5,0.2",
        "A6,c3,2024-10-06,,3",
        "A7,c3,2024-10-07,0,0",
        "A8,c3,2024-10-08,1,-4",
    )
    worth = [[2, 1050, 2100], [12, 10, 120], [7, 1990, 13930], [2.5, 20, 50], [0, 0, 0]]
    set_aside = [
        (4, "unmarked-return", "pieces"),
        (7, "missing-number", "pieces"),
        (9, "bookkeeping-entry", "price"),
    ]
    alone, beside = clean(*lines), clean(*lines, other)
    assert kept(alone, "quantity", "price", "amount") == worth
    assert kept(beside, "quantity", "price", "amount")[:5] == worth
    assert aside(alone) == set_aside == aside(beside)[:3]
