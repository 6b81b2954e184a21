"""Tables that a database answers: exact text, read only, and nothing of its URL in any message."""

import json
import os
import sqlite3
from urllib.parse import urlsplit

import pytest
from builders import made

from crmlib.cleaning import delivery as cleaning
from crmlib.collection import accounts, sources
from crmlib.errors import SourceError
from crmlib.workbook import execution, publish

COLUMNS = "columns: {order_id: id, customer_id: customer, ordered_at: day, price: price}"
CONFIG = """\
name: Acme
currency: CNY
timezone: Asia/Shanghai
delivered_on: 2025-01-06
tables:
  transactions:
    database: SHOP_DB
    query: {query}
    {columns}
"""
ASKED = "SELECT id, customer, day, price FROM orders ORDER BY id"
SECRETS = ("tops3cret", "hush", "shopuser", "127.0.0.1", "localhost", "secret-place")


def client_of(home, monkeypatch, url, query=ASKED):
    if url:
        monkeypatch.setenv("SHOP_DB", url)
    else:
        monkeypatch.delenv("SHOP_DB", raising=False)
    return made(home, CONFIG.format(query=f'"{query}"', columns=COLUMNS), {})


def refusal(client) -> str:
    with pytest.raises(SourceError) as refused:
        sources.delivery(client)
    # No chain of causes, so that no traceback tells what the message hides.
    assert refused.value.__context__ is None or refused.value.__suppress_context__
    message = str(refused.value)
    assert not [secret for secret in SECRETS if secret in message]
    assert message.startswith("data/acme/client.yml: tables.transactions")
    return message


def shop(home):
    """A shop's SQLite database, three orders and things that are awkward."""
    path = home / "secret-place.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE orders (id TEXT, customer, day DATE, price NUMERIC, note)")
        database.executemany(
            "INSERT INTO orders VALUES (?, ?, ?, ?, ?)",
            [
                ("A1", "c1", "2024-10-01", 10.5, None),
                ("A2", 7, "2024-11-15", 100, "十"),
                ("A3", "NA", "2024-12-24", "0.10", 'say "hi"'),
            ],
        )
        database.execute("CREATE TABLE pictures (id TEXT, picture BLOB)")
        database.execute("INSERT INTO pictures VALUES ('A1', x'00ff')")
    database.close()
    return path


def test_orders_of_a_sqlite_database_are_cleaned_as_those_of_a_file(home, monkeypatch):
    client = client_of(home, monkeypatch, f"sqlite:///{shop(home)}")
    delivery = sources.delivery(client)
    assert delivery["transactions"].rows.to_pylist() == [
        {"id": "A1", "customer": "c1", "day": "2024-10-01", "price": "10.5", "_row": 1, "_file": "SHOP_DB"},
        {"id": "A2", "customer": "7", "day": "2024-11-15", "price": "100", "_row": 2, "_file": "SHOP_DB"},
        {"id": "A3", "customer": "NA", "day": "2024-12-24", "price": "0.1", "_row": 3, "_file": "SHOP_DB"},
    ]
    account = accounts.files(delivery).drop(columns="sha256")
    assert account.values.tolist() == [["transactions", "SHOP_DB", "SQLite", "", 0, 3, 0, "used", ""]]
    cleaned = cleaning.cleaned(delivery, client, delivered_on=client.delivered_on)
    cleaning.account(cleaned, delivery)
    assert cleaned["transactions"].kept["amount"].to_pylist() == [1050, 10000, 10]


def test_a_path_that_does_not_begin_at_the_root_is_meant_from_the_raw_folder(home, monkeypatch):
    client = client_of(home, monkeypatch, "sqlite:///shop #1.db")
    os.rename(shop(home), client.raw / "shop #1.db")
    assert sources.delivery(client)["transactions"].records == 3


def test_the_same_question_gives_the_same_fingerprint(home, monkeypatch):
    client = client_of(home, monkeypatch, f"sqlite:///{shop(home)}")
    first, again = (sources.delivery(client)["transactions"].files["sha256"].item() for _ in "12")
    assert first == again and len(first) == 64


def test_a_long_table_whose_first_rows_are_empty_is_read_whole(home, monkeypatch):
    path = shop(home)
    with sqlite3.connect(path) as database:
        database.executemany("INSERT INTO orders (id) VALUES (?)", [(f"B{n:05}",) for n in range(5000)])
        database.execute("INSERT INTO orders VALUES ('C1', 'c9', '2024-10-01', 3, 'late')")
    query = "SELECT id, customer, day, price, note FROM orders WHERE id > 'B' ORDER BY id"
    found = sources.delivery(client_of(home, monkeypatch, f"sqlite:///{path}", query))["transactions"]
    assert found.records == 5001
    assert found.rows.slice(4999).drop_columns(["_row", "_file"]).to_pylist() == [
        {"id": "B04999", "customer": "", "day": "", "price": "", "note": ""},
        {"id": "C1", "customer": "c9", "day": "2024-10-01", "price": "3", "note": "late"},
    ]


def test_a_table_without_rows_keeps_its_columns(home, monkeypatch):
    query = ASKED.replace("ORDER", "WHERE 0 ORDER")
    found = sources.delivery(client_of(home, monkeypatch, f"sqlite:///{shop(home)}", query))["transactions"]
    assert (found.records, found.headers) == (0, ["id", "customer", "day", "price"])


def test_a_named_source_may_come_from_a_database_and_join_a_file(home, monkeypatch):
    monkeypatch.setenv("SHOP_DB", f"sqlite:///{shop(home)}")
    config = f"""\
name: Acme
currency: CNY
delivered_on: 2025-01-06
sources:
  orders_db: {{database: SHOP_DB, query: "{ASKED}"}}
  regions: {{files: [regions.csv]}}
tables:
  transactions:
    sql: SELECT orders_db.*, regions.region FROM orders_db JOIN regions USING (customer)
    columns: {{order_id: id, customer_id: customer, ordered_at: day, price: price, region: region}}
"""
    client = made(home, config, {"regions.csv": "customer,region\nc1,North\n7,South\n"})
    parts = sources.named(client)
    assert accounts.delivered(parts["orders_db"])["delivered.orders_db.price.sum"]["value"] == 110.6
    rows = sources.delivery(client, parts)["transactions"].rows.to_pylist()
    assert [(row["region"], row["_file"], row["_row"]) for row in rows] == [
        ("North", "SHOP_DB", 1),
        ("South", "SHOP_DB", 2),
    ]


def test_any_other_database_is_asked_by_its_sqlalchemy_url(home, monkeypatch):
    client = client_of(home, monkeypatch, f"sqlite+pysqlite:///{shop(home)}")
    found = sources.delivery(client)["transactions"]
    assert found.rows["price"].to_pylist() == ["10.5", "100", "0.1"]
    assert found.rows["customer"].to_pylist() == ["c1", "7", "NA"]
    assert found.files["form"].tolist() == ["sqlite"]


@pytest.mark.parametrize("scheme", ["sqlite", "sqlite+pysqlite"])
@pytest.mark.parametrize(
    ("query", "cause"),
    [
        ("SELECT * FROM nope", "the query names a table that is not there (nope)."),
        ("SELECT nope FROM orders", "the query names a column that is not there"),
        ("SELECT * FROM orders WHERE", None),
        ("SELECT id, picture FROM pictures", "column 'picture' holds bytes, which are no text. Leave it out"),
    ],
)
def test_a_question_that_cannot_be_answered_is_one_message(home, monkeypatch, scheme, query, cause):
    message = refusal(client_of(home, monkeypatch, f"{scheme}:///{shop(home)}", query))
    assert message.startswith(
        "data/acme/client.yml: tables.transactions: no rows came from the database of SHOP_DB: "
    )
    assert cause is None or cause in message


@pytest.mark.parametrize("scheme", ["sqlite", "sqlite+pysqlite", "postgresql"])
@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM orders",
        "SELECT 1; DELETE FROM orders",
        "SELECT 1 /* ; */; DROP TABLE orders; --",
        "ATTACH 'x.db' AS x",
        "PRAGMA user_version = 3",
        "  ",
        "-- nothing",
    ],
)
def test_anything_but_one_select_is_not_even_asked(home, monkeypatch, scheme, query):
    path = shop(home)
    message = refusal(client_of(home, monkeypatch, f"{scheme}:///{path}", query))
    assert message == (
        "data/acme/client.yml: tables.transactions.query: only one SELECT is asked, "
        "and nothing that changes the database."
    )
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT count(*) FROM orders").fetchone() == (3,)


def test_a_semicolon_in_a_text_or_at_the_end_is_no_second_statement(home, monkeypatch):
    query = "SELECT id, customer, day, price, ';' AS mark FROM orders; -- the end;"
    found = sources.delivery(client_of(home, monkeypatch, f"sqlite:///{shop(home)}", query))["transactions"]
    assert found.rows["mark"].to_pylist() == [";"] * 3


def test_a_variable_that_is_not_set_is_named(home, monkeypatch):
    assert refusal(client_of(home, monkeypatch, None)) == (
        "data/acme/client.yml: tables.transactions: the environment variable SHOP_DB is not set. It should hold "
        "the URL of the database, as in postgresql://user:password@host/database; set it before the run."
    )


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("sqlite:////nowhere/secret-place.db", "the file of the SQLite database does not exist."),
        ("sqlite:///", "the file of the SQLite database does not exist."),
        ("hush", "it holds no database URL. Write it like postgresql://user:password@host/database."),
        ("nosuch://shopuser:hush@localhost/x", "its URL needs a driver that is not installed."),
        ("mysql://shopuser:hush@localhost/x", "its URL needs a driver that is not installed (MySQLdb)."),
        ("postgresql://shopuser:hush@127.0.0.1:1/x", "no server answers at its address."),
        ("postgresql://shopuser:hush@localhost.invalid/x", "no server answers at its address."),
        ("postgresql://shopuser:hush hush@/x", "the database cannot be reached or asked."),
        ("postgres://[hush", "the database cannot be reached or asked."),
    ],
)
def test_a_database_that_cannot_be_had_is_one_message_without_its_url(home, monkeypatch, url, cause):
    assert refusal(client_of(home, monkeypatch, url)) == (
        f"data/acme/client.yml: tables.transactions: no rows came from the database of SHOP_DB: {cause}"
    )


def test_a_file_that_is_no_database_is_said_to_be_none(home, monkeypatch):
    client = client_of(home, monkeypatch, "sqlite:///shop.db")
    (client.raw / "shop.db").write_text("order,customer\n" * 100)
    assert refusal(client).endswith(": its file is no SQLite database.")


def test_text_that_is_no_text_is_refused(home, monkeypatch):
    path = shop(home)
    with sqlite3.connect(path) as database:
        database.execute("INSERT INTO orders (id, note) VALUES ('A9', CAST(x'ff' AS TEXT))")
    query = "SELECT id, customer, day, price, note FROM orders"
    assert "UTF-8" in refusal(client_of(home, monkeypatch, f"sqlite:///{path}", query))


@pytest.fixture
def server(postgres):
    """The orders of a shop on a real PostgreSQL, in a schema of this test's own."""
    import adbc_driver_postgresql.dbapi as postgresql

    with postgresql.connect(postgres, autocommit=True) as database, database.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS shop CASCADE")
        cursor.execute("CREATE SCHEMA shop")
        cursor.execute(
            "CREATE TABLE shop.orders (id int, customer text, day timestamptz, price numeric, paid boolean,"
            " tags text[], about jsonb, shipped date, weight float8, picture bytea)"
        )
        cursor.execute(
            "INSERT INTO shop.orders VALUES"
            " (1, '张三', '2024-12-31 16:30+00', 12345678901.10, true, '{a,b}', '{\"a\": [1]}', '2024-03-05', 0.1, null),"
            " (2, null, null, null, null, null, null, null, null, '\\x00')"
        )
    return postgres


WIDE = "SELECT id, customer, day, price, paid, tags, about, shipped, weight FROM shop.orders ORDER BY id"


def test_every_type_of_postgresql_becomes_plain_text(home, monkeypatch, server):
    found = sources.delivery(client_of(home, monkeypatch, server, WIDE))["transactions"]
    assert [list(row.values()) for row in found.rows.to_pylist()] == [
        ["1", "张三", "2025-01-01 00:30:00+08:00", "12345678901.10", "TRUE", '["a","b"]', '{"a": [1]}',
         "2024-03-05", "0.1", 1, "SHOP_DB"],
        ["2", "", "", "", "", "", "", "", "", 2, "SHOP_DB"],
    ]  # fmt: skip
    assert found.files["form"].tolist() == ["PostgreSQL"]


def test_a_hundred_thousand_rows_keep_the_order_they_were_asked_in(home, monkeypatch, server):
    query = "SELECT 'A' || n AS id, 'c' AS customer, '2024-10-01' AS day, n * 0.01 AS price FROM generate_series(1, 100000) AS n ORDER BY n DESC"
    found = sources.delivery(client_of(home, monkeypatch, server, query))["transactions"]
    assert found.records == 100_000
    assert found.rows["id"].to_pylist()[:2] == ["A100000", "A99999"]
    assert found.rows["price"].to_pylist()[-1] == "0.01"


@pytest.mark.parametrize(
    ("query", "cause"),
    [
        ("SELECT * FROM nope", "the query names a table that is not there (nope) (SQLSTATE 42P01)."),
        ("SELECT nope FROM shop.orders", "the query names a column that is not there (nope) (SQLSTATE 42703)."),
        ("SELECT id FROM", "it does not understand the query (SQLSTATE 42601)."),
        ("SELECT id, picture FROM shop.orders", "column 'picture' holds bytes, which are no text. Leave it out of the query."),
        ("SELECT 1/0 AS id", "the database cannot be reached or asked (SQLSTATE 22012)."),
        ("SELECT setval('shop.numbers', 5) AS id", "the query names a table that is not there (shop.numbers) (SQLSTATE 42P01)."),
    ],
)  # fmt: skip
def test_postgresql_is_told_in_words_of_ours(home, monkeypatch, server, query, cause):
    message = refusal(client_of(home, monkeypatch, server, query))
    assert message.endswith(f"no rows came from the database of SHOP_DB: {cause}")


def test_a_query_cannot_change_a_postgresql(home, monkeypatch, server):
    import adbc_driver_postgresql.dbapi as postgresql

    with postgresql.connect(server, autocommit=True) as database, database.cursor() as cursor:
        cursor.execute("CREATE SEQUENCE shop.numbers")
    message = refusal(client_of(home, monkeypatch, server, "SELECT nextval('shop.numbers') AS id"))
    assert message.endswith("the query would change the database, and it is only read.")


def test_a_wrong_password_tells_nothing_of_the_server(home, monkeypatch, server):
    parts = urlsplit(server)
    wrong = server.replace(f":{parts.password}@", ":hush@")
    message = refusal(client_of(home, monkeypatch, wrong))
    assert message.endswith(": the database refused the user or the password.")
    assert parts.username not in message and str(parts.port) not in message


def test_a_database_the_server_has_not(home, monkeypatch, server):
    parts = urlsplit(server)
    message = refusal(client_of(home, monkeypatch, server.removesuffix(parts.path) + "/nothere"))
    assert message.endswith(": the server has no such database.")
    assert "nothere" not in message


def everything_written(home) -> dict[str, bytes]:
    return {
        str(path): path.read_bytes() for path in home.rglob("*") if path.is_file() and path.suffix != ".db"
    }


def test_neither_notebook_nor_file_holds_the_url(home, monkeypatch, caplog, capfd):
    # In a real kernel: what a driver says reaches stderr, logs and tracebacks there.
    client = client_of(home, monkeypatch, f"sqlite:///{shop(home)}")
    execution.execute("01-collection", client, None, home / "good.ipynb")
    monkeypatch.setenv("SHOP_DB", "postgresql://shopuser:tops3cret@127.0.0.1:1/hush")
    with pytest.raises(execution.Failure) as failed:
        execution.execute("01-collection", client, None, home / "bad.ipynb")
    assert failed.value.refused
    assert failed.value.message.endswith("the database of SHOP_DB: no server answers at its address.")
    inputs = json.dumps(publish._inputs(client))
    said = capfd.readouterr()
    told = everything_written(home) | {
        "log": caplog.text.encode(),
        "out": (said.out + said.err + inputs).encode(),
    }
    assert len(told) > 5 and "SHOP_DB" in inputs
    assert [
        (where, secret) for where, text in told.items() for secret in SECRETS if secret.encode() in text
    ] == []
