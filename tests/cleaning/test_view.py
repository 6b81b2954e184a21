"""The customer 360° view: one row a customer, what is not supplied empty, what is not there 0."""

import datetime as dt

import pyarrow as pa
import pyarrow.parquet as pq
from builders import answers, day, lines

from crmlib import tables
from crmlib.cleaning import view


def table(contract: tables.Table, *rows: dict) -> pa.Table:
    """Rows of a contract from what matters; the rest empty, whoever is named known."""
    usual = {"known": True, "other_known": True}
    full = [
        {
            **{name: usual.get(name) for name in contract.schema.names},
            "source_file": "typed",
            "source_row": n,
            **row,
        }
        for n, row in enumerate(rows, start=2)
    ]
    return pa.Table.from_pylist(full, schema=contract.schema)


def people(*ids: str, **more) -> pa.Table:
    return table(tables.CUSTOMERS, *({"customer_id": id, **more} for id in ids))


def seen(found: dict) -> dict[str, dict]:
    """What the view says of each customer, empty columns left out."""
    rows = view.view(found).to_pylist()
    return {
        row.pop("customer_id"): {name: value for name, value in row.items() if value is not None}
        for row in rows
    }


ORDERS = lines(
    {"customer": "c1", "day": "2024-10-01", "amount": 2100, "order": "A1"},
    {"customer": "c1", "day": "2024-10-01", "amount": 300, "order": "A1"},
    {"customer": "c1", "day": "2024-11-05", "amount": 500, "order": "A2"},
    {"customer": "c1", "day": "2024-12-01", "amount": -1000, "order": "TH1", "returned": -1000},
    {"customer": "x9", "day": "2024-12-01", "amount": 70, "order": "A3", "known": False},
    {"customer": None, "day": "2024-12-01", "amount": 90, "order": "A4"},
)


def test_a_customer_table_alone_says_who_there_is_and_nothing_else():
    assert seen({"customers": people("c2", "c1", region="华东")}) == {
        "c1": {"region": "华东", "sources": 0},
        "c2": {"region": "华东", "sources": 0},
    }


def test_orders_are_counted_once_however_many_lines_and_returns_taken_off():
    # 21 + 3 + 5 − 10 = 19.00; the last order is of 5 November, the reversal is no order
    assert seen({"customers": people("c1", "c2"), "transactions": ORDERS}) == {
        "c1": {"sources": 1, "orders": 2, "net": 1900, "last_order_day": day("2024-11-05")},
        "c2": {"sources": 0, "orders": 0, "net": 0},
    }


def test_the_last_score_is_the_mean_of_the_latest_form_without_recommendation():
    said = answers(
        *(
            ("c1", "2024-03-01", "service", 1),
            ("c1", "2024-09-01", "service", 4),
            ("c1", "2024-09-01", "product", 5),
        ),
        *(("c1", "2024-09-01", "recommend", 0), ("c1", "2024-12-01", "recommend", 10)),
    )
    found = seen({"customers": people("c1", "c2"), "surveys": tables.conform(said, tables.SURVEYS)})
    # 4 and 5 on 1–5 are 75 and 100
    assert found["c1"] == {"sources": 1, "answers": 5, "last_score": 87.5}
    assert found["c2"] == {"sources": 0, "answers": 0}


def test_every_source_adds_its_columns_and_a_stranger_adds_none():
    morning = dt.datetime(2024, 6, 1, 9)
    found = {
        "customers": people("c1", "c2", need="price_sensitive"),
        "needs": table(
            tables.NEEDS,
            {"customer_id": "c1", "asked_day": 2, "need": "personalised"},
            {"customer_id": "c1", "asked_day": 9, "need": "quality_seeking"},
            {"customer_id": "c1", "asked_day": 10, "need": None},
        ),
        "feedback": table(
            tables.FEEDBACK,
            {"customer_id": "c1", "said_day": 5, "kind": "complaint"},
            {"customer_id": "c1", "said_day": 7, "kind": "review"},
            {"customer_id": "x9", "said_day": 9, "kind": "review", "known": False},
            {"customer_id": None, "said_day": 9, "kind": "review", "known": False},
        ),
        "interactions": table(
            tables.INTERACTIONS,
            {"customer_id": "c1", "opened_at": morning, "kind": "complaint", "resolved_at": morning},
            {"customer_id": "c1", "opened_at": morning, "kind": "enquiry"},
            {"customer_id": "c1", "opened_at": morning, "kind": "post"},
        ),
        "relations": table(
            tables.RELATIONS,
            {"customer_id": "c1", "other_id": "c2"},
            {"customer_id": "c1", "other_id": "x9", "other_known": False},
        ),
        "applications": table(
            tables.APPLICATIONS,
            *(
                {"customer_id": "c1", "decision": word}
                for word in ("approved", "approved", "declined", "pending")
            ),
            {"customer_id": "c1", "decision": "撤回"},
        ),
        "costs": table(
            tables.COSTS,
            {"customer_id": "c1", "kind": "serve", "amount": 150},
            {"customer_id": "c1", "kind": "serve", "amount": 50},
            {"customer_id": "c1", "kind": "acquisition", "amount": 900},
            {"customer_id": None, "kind": "serve", "amount": 7000, "known": False},
        ),
    }
    seen_of = seen(found)
    assert seen_of["c1"] == {
        "sources": 6,
        "needs": 3,
        "need": "quality_seeking",
        "feedback": 2,
        "last_feedback_day": 7,
        "complaints": 2,
        "interactions": 3,
        "open_interactions": 1,
        "relations": 2,
        "applications": 5,
        "approved": 2,
        "declined": 1,
        "pending": 1,
        "cost_to_serve": 200,
    }
    assert seen_of["c2"] == {
        "sources": 1,
        "needs": 0,
        "need": "price_sensitive",
        "feedback": 0,
        "complaints": 0,
        "interactions": 0,
        "open_interactions": 0,
        "relations": 1,
        "applications": 0,
        "approved": 0,
        "declined": 0,
        "pending": 0,
        "cost_to_serve": 0,
    }


def test_a_source_that_never_says_such_a_thing_is_not_zero_of_it():
    told = seen(
        {
            "customers": people("c1"),
            # costs by channel only; feedback without kinds; enquiries whose end is never noted
            "costs": table(tables.COSTS, {"customer_id": None, "kind": "serve", "amount": 5, "known": False}),
            "feedback": table(tables.FEEDBACK, {"customer_id": "c1", "said_day": 5}),
            "interactions": table(
                tables.INTERACTIONS, {"customer_id": "c1", "opened_at": dt.datetime(2024, 6, 1)}
            ),
        }
    )
    assert told == {"c1": {"sources": 2, "feedback": 1, "last_feedback_day": 5, "interactions": 1}}


def test_a_source_that_came_empty_holds_nothing_of_anybody():
    empty = {"customers": people("c1"), "feedback": tables.FEEDBACK.schema.empty_table()}
    assert seen(empty) == {"c1": {"sources": 0, "feedback": 0, "complaints": 0}}


def test_customers_known_from_their_orders_alone_have_one_row_with_their_newest_region():
    changing = table(
        tables.CUSTOMERS,
        {"customer_id": "c1", "region": "North", "as_from_day": 1},
        {"customer_id": "c1", "region": "South", "as_from_day": 9},
    )
    assert seen({"customers": changing}) == {"c1": {"region": "South", "sources": 0}}


def test_tables_in_files_give_the_same_view(tmp_path):
    inside = {"customers": people("c1", "c2"), "transactions": ORDERS}
    files = {name: tmp_path / f"{name}.parquet" for name in inside}
    for name, path in files.items():
        pq.write_table(inside[name], path)
    assert view.view(files).equals(view.view(inside))


def test_the_order_of_rows_changes_nothing():
    backwards = ORDERS.take(list(range(ORDERS.num_rows))[::-1])
    whole = {"customers": people("c1", "c2"), "transactions": ORDERS}
    assert view.view(whole | {"transactions": backwards}).equals(view.view(whole))


def test_coverage_counts_customers_strangers_and_records_of_nobody():
    found = {
        "customers": people("c1", "c2", "c3", "c4"),
        "transactions": ORDERS,
        "relations": table(
            tables.RELATIONS,
            {"customer_id": "c1", "other_id": "c2"},
            {"customer_id": "c3", "other_id": "x9", "other_known": False},
        ),
    }
    covered = view.coverage(found).set_index("table")
    # six lines, of c1 alone among four; one of a stranger, one of nobody
    assert covered.loc["transactions"].tolist() == [6, 1, 0.25, 1, 1]
    assert covered.loc["relations"].tolist() == [2, 3, 0.75, 1, 0]
    assert covered.loc["feedback"].isna().all()
    assert view.reach(view.coverage(found)) == {"sources": 2, "strangers": 2, "records": 8}


def test_coverage_of_no_customers_has_no_share():
    assert (
        view.coverage({"customers": people(), "needs": tables.NEEDS.schema.empty_table()})["share"]
        .isna()
        .all()
    )
