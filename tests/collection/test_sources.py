"""A whole delivery: every file accounted for, and messages that name file, column and mend."""

import gzip

import pytest
from builders import CONFIG, ORDERS, made

from crmlib.cleaning import delivery as cleaning
from crmlib.collection import accounts, sources
from crmlib.errors import SourceError


def refusal(client) -> str:
    with pytest.raises(SourceError) as refused:
        sources.delivery(client)
    return str(refused.value)


def test_every_file_of_a_delivery_is_accounted_for(acme):
    delivery = sources.delivery(acme)
    account = accounts.files(delivery)
    assert account.drop(columns=["sha256", "sheet"]).values.tolist() == [
        ["transactions", "orders.csv", "UTF-8, comma", 0, 4, 0, "used"]
    ]


def test_a_file_that_is_not_there_is_named_with_those_that_are(home):
    client = made(home, files={"Orders 2024.csv": ORDERS})
    assert refusal(client) == (
        "transactions: data/acme/raw/orders.csv does not exist (named in data/acme/client.yml). "
        "data/acme/raw holds: Orders 2024.csv. Put the file there or mend tables.transactions.files."
    )


def test_an_empty_raw_folder_is_said_to_be_empty(home):
    client = made(home, files={})
    assert "data/acme/raw holds: nothing. " in refusal(client)


def test_a_column_that_is_not_there_is_named_with_the_one_that_was_meant(home):
    client = made(home, files={"orders.csv": ORDERS.replace("pieces", "Peices")})
    assert refusal(client) == (
        "data/acme/raw/orders.csv has no column 'pieces', which data/acme/client.yml maps to "
        "tables.transactions.quantity. It has: order, customer, day, Peices, price. Did you mean 'Peices'?"
    )


def test_a_mapping_to_a_column_that_no_table_has_is_refused(home):
    client = made(home, CONFIG.replace("quantity: pieces", "quantitiy: pieces"))
    assert refusal(client) == (
        "data/acme/client.yml: tables.transactions.columns.quantitiy is no column of transactions. "
        "Did you mean quantity?"
    )


def test_a_mapping_without_dates_or_money_says_what_it_needs(home):
    client = made(home, CONFIG.replace("ordered_at: day, ", "").replace(", price: price", ""))
    assert refusal(client) == (
        "data/acme/client.yml: tables.transactions.columns needs amount and ordered_at or ordered_at and price; "
        "it has order_id, customer_id, quantity."
    )


def test_a_file_delivered_twice_is_used_once_whatever_its_name(home):
    config = CONFIG.replace("[orders.csv]", '["*.csv"]')
    client = made(home, config, {"a.csv": ORDERS, "b.csv": ORDERS, "c.csv": ORDERS.replace("A1", "A9")})
    found = sources.delivery(client)["transactions"]
    assert found.records == 8
    assert found.files[["file", "records", "use"]].values.tolist() == [
        ["a.csv", 4, "used"],
        ["c.csv", 4, "used"],
        ["b.csv", 0, "delivered twice"],
    ]


def test_monthly_files_with_their_columns_in_another_order_are_one_table(home):
    config = CONFIG.replace("[orders.csv]", '["*.csv"]')
    other = "price,pieces,day,customer,order,remark\n9,1,2024-12-24,c3,A4,by phone\n"
    found = sources.delivery(made(home, config, {"a.csv": ORDERS, "b.csv": other}))["transactions"]
    rows = found.rows.to_pylist()
    assert rows[-1]["order"] == "A4"
    assert (rows[-1]["remark"], rows[0]["remark"]) == ("by phone", "")


def test_what_came_is_summed_before_anything_is_cleaned(acme):
    figures = accounts.delivered(sources.delivery(acme)["transactions"])
    assert figures["delivered.transactions.rows"] == {"value": 4, "n": 4}
    assert figures["delivered.transactions.pieces.sum"] == {"value": 3.0, "n": 4}  # 2 + 1 + 1 − 1
    assert figures["delivered.transactions.price.sum"] == {"value": 124.0, "n": 4}  # 10.5 + 3 + 100 + 10.5
    assert figures["delivered.transactions.price.mean"] == {"value": 31.0, "n": 4}
    assert "delivered.transactions.customer.sum" not in figures


def test_telephones_are_never_summed(home):
    config = (
        CONFIG
        + "  customers:\n    files: [c.csv]\n    columns: {customer_id: id, contact: phone, birth_year: born}\n"
    )
    client = made(home, config, {"orders.csv": ORDERS, "c.csv": "id,phone,born\n1,555,1980\n2,777,1990\n"})
    figures = accounts.delivered(sources.delivery(client)["customers"])
    assert set(figures) == {
        "delivered.customers.rows",
        "delivered.customers.born.sum",
        "delivered.customers.born.mean",
    }


def test_the_reach_of_the_orders_leaves_out_days_that_stand_for_none(home):
    odd = ORDERS + "A8,c2,9999-12-31,1,5\nA9,c2,1900-01-01,1,5\nA7,c2,2025-03-01,1,5\n"
    client = made(home, files={"orders.csv": odd})
    first, last = sources.span(client, sources.delivery(client)["transactions"])
    assert (first.isoformat(), last.isoformat()) == ("2024-10-01", "2024-12-01")


def test_without_a_day_of_delivery_it_is_the_newest_date_in_the_data(home):
    client = made(home, CONFIG.replace("delivered_on: 2025-01-06\n", ""))
    sources.write(client, sources.delivery(client))
    assert sources.delivered_on(client).isoformat() == "2024-12-01"


def test_a_delivery_is_read_back_as_it_was_collected(home):
    client = made(home, files={"orders.csv": ORDERS + "A5,c1\n"})
    delivery = sources.delivery(client)
    sources.write(client, delivery)
    again = sources.as_collected(client)["transactions"]
    assert again.rows.equals(delivery["transactions"].rows)
    assert again.broken.values.tolist() == [["orders.csv", "", 6, "missing-cell", "A5,c1"]]


def test_a_packed_file_and_its_plain_twin_give_the_same_orders(home):
    plain = sources.delivery(made(home))["transactions"].rows
    config = CONFIG.replace("orders.csv", "orders.csv.gz")
    packed = sources.delivery(made(home, config, {"orders.csv.gz": gzip.compress(ORDERS.encode())}, name="b"))
    assert packed["transactions"].rows.drop_columns("_file").equals(plain.drop_columns("_file"))


def test_two_branches_that_both_send_an_orders_csv_keep_their_rows_apart(home):
    # cleaning's `aside` joins each row with both files' rows of that number.
    # Both files hold an unreadable date in row 2; each row set aside must show its own text, once.
    config = CONFIG.replace("[orders.csv]", '["*/orders.csv"]')
    north = "order,customer,day,pieces,price\nN1,n1,soon,1,5\nN2,n1,2024-10-01,1,5\nN3,n1,2024-10-02,1,5\n"
    south = "order,customer,day,pieces,price\nS1,s1,later,1,7\nS2,s1,2024-10-01,1,7\nS3,s1,2024-10-02,1,7\n"
    client = made(home, config, {"north/orders.csv": north, "south/orders.csv": south})
    found = cleaning.cleaned(sources.delivery(client), client, delivered_on=client.delivered_on)[
        "transactions"
    ]
    assert sorted(found.quarantine["money"]) == [500, 700]
    assert sum('"N1"' in raw for raw in found.quarantine["raw"]) == 1
    assert sum('"S1"' in raw for raw in found.quarantine["raw"]) == 1


@pytest.mark.parametrize("pattern", ['""', '"a**b"'])
def test_a_file_pattern_that_is_none_is_one_message_and_no_traceback(home, pattern):
    from crmlib.errors import Refused

    with pytest.raises(Refused):
        sources.delivery(made(home, CONFIG.replace("[orders.csv]", f"[{pattern}]")))


def test_two_headers_that_differ_in_case_alone_are_refused(home):
    # DuckDB takes Price and price for one column: 99 was read where 10.50 was mapped.
    client = made(
        home, files={"orders.csv": "order,customer,day,pieces,Price,price\nA1,c1,2024-10-01,2,99,10.50\n"}
    )
    with pytest.raises(SourceError) as refused:
        sources.delivery(client)
    assert str(refused.value) == (
        "data/acme/raw/orders.csv names a column twice: Price, price. Rename one of them."
    )


def test_the_same_column_of_two_files_may_differ_in_case(home):
    config = CONFIG.replace("[orders.csv]", "[a.csv, b.csv]")
    rows = "A{0},c1,2024-10-01,1,5,x\nB{0},c1,2024-10-01,1,5,y\n"
    head = "order,customer,day,pieces,price,"
    files = {"a.csv": f"{head}Note\n{rows.format(1)}", "b.csv": f"{head}note\n{rows.format(2)}"}
    found = sources.delivery(made(home, config, files))["transactions"]
    assert found.rows["Note"].to_pylist() == ["x", "y", "x", "y"]


def test_a_file_whose_name_looks_like_a_pattern_is_found(home):
    config = CONFIG.replace("[orders.csv]", '["orders [2].csv"]')
    assert sources.delivery(made(home, config, {"orders [2].csv": ORDERS}))["transactions"].records == 4


def test_a_file_without_its_header_shows_nobodys_telephone(home):
    client = made(home, files={"orders.csv": "A1,张三,13800001111\nA2,李四,13800002222\n"})
    with pytest.raises(SourceError) as refused:
        sources.delivery(client)
    assert "13800001111" not in str(refused.value)
    assert "row 1: 3 cells; row 2: 3 cells" in str(refused.value)


def test_of_telephones_nobody_mapped_not_even_a_sum_is_told(home):
    rows = "A1,c1,2024-10-01,1,5,13800001111\nA2,c1,2024-10-01,1,5,13800002222\n"
    client = made(home, files={"orders.csv": f"order,customer,day,pieces,price,手机\n{rows}"})
    told = accounts.delivered(sources.delivery(client)["transactions"])
    assert not [id for id in told if "手机" in id]
    assert told["delivered.transactions.price.sum"] == {"value": 10.0, "n": 2}


def test_a_form_of_dates_that_is_none_is_refused(home):
    client = made(home, CONFIG.replace("    returns:", "    date_format: '%Q'\n    returns:"))
    with pytest.raises(SourceError, match=r"tables.transactions.date_format '%Q' is no form of a date."):
        sources.delivery(client)
