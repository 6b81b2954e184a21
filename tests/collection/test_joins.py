"""A table that a query makes of several files: what it reads, what it may not, and whose rows they stay."""

import pytest
from builders import made

from crmlib.cleaning import delivery as cleaning
from crmlib.collection import accounts, joins, sources
from crmlib.errors import ConfigError, SourceError

ITEMS = "order,thing,price\nA1,pen,10.50\nA1,ink,3\nA2,desk,100\nA3,lamp,7\n"
HEADS = "order,customer,day\nA1,c1,2024-10-01\nA2,c2,2024-11-15\n"
JOIN = "SELECT items.*, 订单.customer, 订单.day FROM items JOIN 订单 ON items.order = 订单.order"
CONFIG = """\
name: Acme
currency: CNY
delivered_on: 2025-01-06
sources:
  items: {{files: [items.csv]}}
  订单: {{files: [heads.csv]}}
tables:
  transactions:
    sql: |
      {sql}
    columns: {{order_id: order, customer_id: customer, ordered_at: day, product: thing, price: price}}
"""


def joined(home, sql=JOIN, items=ITEMS, heads=HEADS, config=CONFIG):
    return made(home, config.format(sql=sql), {"items.csv": items, "heads.csv": heads})


def refusal(client) -> str:
    with pytest.raises(SourceError) as refused:
        sources.delivery(client)
    return str(refused.value)


def test_lines_and_their_orders_in_two_files_are_one_table(home):
    found = sources.delivery(joined(home))["transactions"]
    assert found.rows.to_pylist() == [
        {"order": "A1", "thing": "pen", "price": "10.50", "customer": "c1", "day": "2024-10-01", "_row": 2, "_file": "items.csv"},
        {"order": "A1", "thing": "ink", "price": "3", "customer": "c1", "day": "2024-10-01", "_row": 3, "_file": "items.csv"},
        {"order": "A2", "thing": "desk", "price": "100", "customer": "c2", "day": "2024-11-15", "_row": 4, "_file": "items.csv"},
    ]  # fmt: skip


def test_joined_lines_are_cleaned_and_balance(home):
    client = joined(home, items=ITEMS + "A2,free\n")
    delivery = sources.delivery(client)
    cleaned = cleaning.cleaned(delivery, client, delivered_on=client.delivered_on)
    cleaning.account(cleaned, delivery)
    assert cleaned["transactions"].kept["amount"].to_pylist() == [1050, 300, 10000]
    # A record of a source that fits no header is told of by the table whose query names the source.
    assert cleaned["transactions"].quarantine[["source_file", "source_row", "reason", "raw"]].values.tolist() == [
        ["items.csv", 6, "missing-cell", "A2,free"]
    ]  # fmt: skip


def test_a_join_tells_what_it_lost_and_what_it_repeated(home):
    # A1 stands twice among the orders: its two lines come twice. A3 has no order: its line is lost.
    client = joined(home, heads=HEADS + "A1,c9,2024-10-02\n")
    parts = sources.named(client)
    delivery = sources.delivery(client, parts)
    queries = {"transactions": client.tables.transactions.sql}
    assert joins.account(delivery, queries, parts).values.tolist() == [["transactions", "items", 4, 5, 1, 2]]
    rows = delivery["transactions"].rows.to_pylist()
    assert [(row["_file"], row["_row"], row["customer"]) for row in rows] == [
        ("items.csv", 2, "c1"),
        ("items.csv", 3, "c1"),
        ("items.csv", 4, "c2"),
        ("items.csv, copy 2", 2, "c9"),
        ("items.csv, copy 2", 3, "c9"),
    ]


def test_lines_repeated_by_a_join_are_set_aside_one_by_one(home):
    bad = ITEMS.replace("10.50", "soon")
    client = joined(home, items=bad, heads=HEADS + "A1,c9,2024-10-02\n")
    delivery = sources.delivery(client)
    cleaned = cleaning.cleaned(delivery, client, delivered_on=client.delivered_on)
    cleaning.account(cleaned, delivery)
    assert cleaned["transactions"].quarantine["source_file"].tolist() == ["items.csv", "items.csv, copy 2"]


def test_a_query_that_adds_up_gives_rows_of_its_own_in_an_order_of_their_content(home):
    sql = (
        'SELECT items.order, customer, CAST(day AS DATE) AS day, "sum"(CAST(price AS DECIMAL(9,2))) AS price, '
        "count(*) > 1 AS many, 'all' AS thing FROM items JOIN 订单 USING (\"order\") GROUP BY ALL ORDER BY price DESC"
    )
    found = sources.delivery(joined(home, sql))["transactions"]
    assert [list(row.values()) for row in found.rows.to_pylist()] == [
        ["A1", "c1", "2024-10-01", "13.50", "TRUE", "all", 1, "sql"],
        ["A2", "c2", "2024-11-15", "100.00", "FALSE", "all", 2, "sql"],
    ]


def test_of_two_places_the_first_named_is_kept(home):
    sql = "SELECT items.*, 订单.* FROM items LEFT JOIN 订单 ON items.order = 订单.order"
    found = sources.delivery(joined(home, sql))["transactions"]
    assert found.headers == ["order", "thing", "price", "order_1", "customer", "day"]
    assert found.rows["_file"].to_pylist() == ["items.csv"] * 4
    assert found.rows["customer"].to_pylist() == ["c1", "c1", "c2", ""]


def test_every_named_source_is_told_of_whether_a_table_needs_it_or_not(home):
    config = CONFIG.replace("sources:\n", "sources:\n  places: {{files: [places.csv]}}\n")
    client = joined(home, config=config)
    (client.raw / "places.csv").write_text("zip,lat\n1,2.5\n1,2.5\n1,2.5\n2,3.5\n", "utf-8")
    parts = sources.named(client)
    figures = {id: told for part in parts.values() for id, told in accounts.delivered(part).items()}
    assert figures["delivered.places.rows"] == {"value": 4, "n": 4}
    assert figures["delivered.places.lat.sum"] == {"value": 11.0, "n": 4}
    assert figures["delivered.places.lat.mean"] == {"value": 2.75, "n": 4}
    assert figures["delivered.places.duplicates"] == {"value": 2, "n": 4}
    assert figures["delivered.items.price.sum"] == {"value": 120.5, "n": 4}
    assert not [id for id in figures if "customer" in id]
    account = accounts.files({**parts, **sources.delivery(client, parts)})
    assert account[["table", "file", "records"]].values.tolist() == [
        ["places", "places.csv", 4],
        ["items", "items.csv", 4],
        ["订单", "heads.csv", 2],
    ]


REFUSED = {
    "SELECT 1; SELECT 2": "only one SELECT is answered; this is SELECT and SELECT.",
    "COPY items TO 'out.csv'": "only one SELECT is answered; this is COPY.",
    "ATTACH 'x.db'": "only one SELECT is answered; this is ATTACH.",
    "INSTALL spatial": "only one SELECT is answered; this is LOAD.",
    "LOAD httpfs": "only one SELECT is answered; this is LOAD.",
    "PRAGMA database_list": "only one SELECT is answered; this is PRAGMA.",
    "SET lock_configuration = false": "only one SELECT is answered; this is SET.",
    "CREATE TABLE t AS SELECT 1": "only one SELECT is answered; this is CREATE.",
    "EXPLAIN ANALYZE SELECT 1": "only one SELECT is answered; this is EXPLAIN.",
    "-- nothing": "only one SELECT is answered; this is nothing.",
}


@pytest.mark.parametrize("sql", REFUSED)
def test_anything_but_one_select_is_refused(home, sql):
    assert refusal(joined(home, sql)) == f"data/acme/client.yml: tables.transactions.sql: {REFUSED[sql]}"


@pytest.mark.parametrize(
    "sql",
    [
        "FROM read_csv('/etc/passwd')",
        "FROM read_text('/etc/passwd')",
        "FROM read_blob('/etc/passwd')",
        "FROM '/etc/passwd'",
        "FROM glob('/etc/*')",
        "FROM sniff_csv('/etc/passwd')",
        "FROM read_parquet('/etc/passwd')",
        "FROM read_json('https://example.org/x.json')",
        "SELECT * FROM query('FROM read_text(''/etc/passwd'')')",
        "WITH x AS (COPY items TO 'x.csv') FROM x",
        "FROM sql",  # a variable of the library that asks
        "FROM engine",
    ],
)
def test_a_query_reaches_no_file_and_no_variable(home, sql):
    message = refusal(joined(home, sql))
    assert message.startswith("data/acme/client.yml: tables.transactions.sql")
    assert "root:" not in message


def test_a_name_that_is_no_source_is_told_with_those_there_are(home):
    assert refusal(joined(home, "FROM orders")) == (
        "data/acme/client.yml: tables.transactions.sql cannot be answered: Catalog Error: Table with name orders "
        "does not exist. It may read these sources and nothing else: items, 订单."
    )


def test_a_value_that_cannot_be_converted_is_not_shown(home):
    message = refusal(joined(home, "SELECT CAST(customer AS INTEGER) AS customer FROM 订单"))
    assert "c1" not in message and "use TRY_CAST" in message


def test_bytes_are_refused_by_the_name_of_their_column(home):
    assert refusal(joined(home, "SELECT CAST(thing AS BLOB) AS picture FROM items")) == (
        "data/acme/client.yml: tables.transactions.sql: column 'picture' holds bytes (BLOB), which are no text. "
        "Leave it out of the SELECT."
    )


def test_a_query_without_a_mapped_column_is_told_what_it_selects(home):
    assert refusal(joined(home, "SELECT items.* FROM items")) == (
        "data/acme/client.yml: tables.transactions.sql selects no column 'customer', which data/acme/client.yml "
        "maps to tables.transactions.customer_id. It has: order, thing, price."
    )


def test_a_missing_file_of_a_source_is_named_by_its_key(home):
    client = joined(home)
    (client.raw / "items.csv").unlink()
    assert "mend sources.items.files." in refusal(client)


def test_a_source_may_not_bear_the_name_of_a_table(home):
    with pytest.raises(ConfigError) as refused:
        joined(home, config=CONFIG.replace("items:", "surveys:"))
    assert str(refused.value) == (
        "data/acme/client.yml, line 4: sources: surveys is the name of a table or of another source; "
        "call it something else."
    )


def test_the_same_join_gives_the_same_bytes(home):
    client = joined(home, heads=HEADS + "A1,c9,2024-10-02\n")
    first = sources.delivery(client)["transactions"].path.read_bytes()
    assert sources.delivery(client)["transactions"].path.read_bytes() == first


OLIST = """\
name: Olist
currency: BRL
delivered_on: 2018-12-31
sources:
  orders: {{files: [{0}/olist_orders_dataset.csv]}}
  items: {{files: [{0}/olist_order_items_dataset.csv]}}
  payments: {{files: [{0}/olist_order_payments_dataset.csv]}}
  reviews: {{files: [{0}/olist_order_reviews_dataset.csv]}}
  places: {{files: [{0}/olist_geolocation_dataset.csv]}}
  people: {{files: [{0}/olist_customers_dataset.csv]}}
tables:
  transactions:
    sql: |
      SELECT items.*, people.customer_unique_id, orders.order_purchase_timestamp
      FROM items JOIN orders USING (order_id) JOIN people USING (customer_id)
    columns: {{order_id: order_id, customer_id: customer_unique_id, ordered_at: order_purchase_timestamp, price: price, product_id: product_id}}
"""


def test_olist_is_all_there(home, shared):
    client = made(home, OLIST.format(shared / "data" / "olist_sample"), {})
    parts = sources.named(client)
    figures = {id: told["value"] for part in parts.values() for id, told in accounts.delivered(part).items()}
    # ../shared/data/README.md
    assert figures["delivered.payments.payment_value.sum"] == 1428602.81
    assert figures["delivered.items.price.sum"] == 1093264.35
    assert round(figures["delivered.reviews.review_score.mean"], 4) == 3.2716
    assert figures["delivered.places.duplicates"] == 9028
    delivery = sources.delivery(client, parts)
    lines = accounts.delivered(delivery["transactions"])
    assert lines["delivered.transactions.price.sum"]["value"] == 1093264.35
    told = joins.account(delivery, {"transactions": client.tables.transactions.sql}, parts)
    assert told[["source", "lost", "repeated"]].values.tolist() == [["items", 0, 0]]
