"""Which ids join, and which exports are which table."""

from pathlib import Path

import pyarrow as pa

from crmlib.collection import proposal, relating
from crmlib.collection.relating import Link, Look
from crmlib.collection.samples import Export


def export(name: str, **columns: list[str]) -> Export:
    rows = pa.table({header: pa.array(cells, pa.string()) for header, cells in columns.items()})
    return Export(name, (Path(f"{name}.csv"),), rows, whole=True, records=rows.num_rows)


def looks(*exports: Export) -> dict[str, Look]:
    return {one.name: Look(one) for one in exports}


ORDERS = export("orders", order_id=["A1", "A2", "A3"], customer_id=["c1", "c1", "c2"])
PEOPLE = export("people", 客户编号=["c1", "c2", "c3"], 省份=["浙江", "江苏", "浙江"])


def test_ids_join_by_their_values_whatever_their_headers():
    assert relating.links(looks(ORDERS, PEOPLE)) == [
        Link("orders", "customer_id", "people", "客户编号", 1.0, True)
    ]


def test_a_key_that_comes_twice_joins_nothing():
    twice = export("people", 客户编号=["c1", "c1", "c2"], 省份=["浙江", "江苏", "浙江"])
    assert relating.links(looks(ORDERS, twice)) == []


def test_small_numbers_of_other_things_are_no_ids():
    lines = export("lines", line=[str(n) for n in range(1, 40)], units=[str(n % 9 + 1) for n in range(39)])
    places = export("places", place=[str(n) for n in range(1, 40)])
    assert relating.links(looks(lines, places)) == []


def test_a_base_reaches_others_from_key_to_key_only():
    found = [Link("items", "o", "orders", "o", 1, True), Link("orders", "c", "people", "c", 1, True)]
    assert relating.paths("items", found) == {"items": [], "orders": found[:1], "people": found}
    assert relating.paths("people", found) == {"people": []}


def test_money_stays_with_the_lines_and_is_never_looked_up():
    # The order's total would count once for each of its lines.
    heads = export(
        "heads",
        order_id=["A1", "A2", "A3"],
        order_date=["2024-01-01", "2024-01-02", "2024-01-03"],
        customer_id=["c1", "c1", "c2"],
        amount=["30.5", "20.5", "10.5"],
    )
    lines = export(
        "lines",
        order_id=["A1", "A1", "A2", "A3"],
        product_id=["p1", "p2", "p1", "p2"],
        quantity=["1", "2", "1", "1"],
        price=["10.5", "10", "20.5", "10.5"],
    )
    made = proposal.proposal([heads, lines]).tables["transactions"]
    assert made.base.name == "lines"
    assert {column: choice.export for column, choice in made.choices.items()} == {
        "customer_id": "heads",
        "order_id": "lines",
        "ordered_at": "heads",
        "product_id": "lines",
        "quantity": "lines",
        "price": "lines",
    }


def test_a_number_that_is_another_for_every_order_is_no_customers():
    orders = export(
        "orders", order_id=["A1", "A2", "A3"], order_date=["2024-01-01"] * 3, customer_id=["x1", "x2", "x3"]
    )
    items = export("items", order_id=["A1", "A2", "A3"], price=["5.5", "6.5", "7.5"])
    people = export("people", customer_id=["x1", "x2", "x3"], customer_unique_id=["p1", "p1", "p2"])
    made = proposal.proposal([orders, items, people]).tables["transactions"]
    assert made.choices["customer_id"].header == "customer_unique_id"


def test_sql_takes_any_name():
    assert [relating.spelt(name) for name in ("select", 'a"b', "订单 ID")] == [
        '"select"',
        '"a""b"',
        '"订单 ID"',
    ]
