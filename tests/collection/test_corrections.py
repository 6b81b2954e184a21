"""Rows that were set aside, corrected in the quarantine's own workbook, and sent back."""

import openpyxl
import pytest
from builders import CONFIG, made
from click.testing import CliRunner

from crmlib.cleaning import delivery as cleaning
from crmlib.cleaning import ledger
from crmlib.collection import accounts, corrections, sources
from crmlib.errors import SourceError
from crmlib.language import Language
from crmlib.workbook import excel, publish
from crmlib.workbook.cli import main

ORDERS = """\
order,customer,day,pieces,price,note
A1,c1,2024-10-01,2,10.50,
A2,c2,soon,1,100,=1+1
A3,c3,2024-11-15,one,7,0012
A4,c4,2024-12-01
"""
BACK = CONFIG.replace("tables:", "corrections: [back.xlsx]\ntables:", 1)


def run(client):
    """Steps 01 and 02, as the notebooks do them: cleaned tables, ledger, and the quarantine sent out."""
    collection = corrections.applied(sources.delivery(client), client)
    sources.write(client, collection)
    collection = sources.as_collected(client)
    cleaned = cleaning.cleaned(collection, client, delivered_on=client.delivered_on)
    lines = cleaning.account(cleaned, collection)
    rows = cleaning.quarantine(cleaned)
    path = client.folder / "quarantine.xlsx"
    excel.quarantine(path, rows, Language("en", "CNY"), client=client, headers=sources.headers(client))
    return cleaned, ledger.totals(lines).set_index("table"), path


def sent_back(home, path, changes, config=BACK, files=None, name="back.xlsx"):
    """The quarantine with some cells changed, {(order, header): text}, in the client's raw folder."""
    book = openpyxl.load_workbook(path)
    rows = book["transactions"]
    at = {cell.value: cell.column for cell in rows[1]}
    for (order, header), text in changes.items():
        for row in range(2, rows.max_row + 1):
            if rows.cell(row, at["order"]).value == order:
                rows.cell(row, at[header]).value = text
    client = made(home, config, {"orders.csv": ORDERS} if files is None else files)
    book.save(client.raw / name)
    return client


def first(home, orders=ORDERS):
    client = made(home, files={"orders.csv": orders})
    return (client, *run(client))


def kept(cleaned):
    lines = cleaned["transactions"].kept.select(["order_id", "amount", "source_file", "source_row"])
    return [tuple(line.values()) for line in lines.to_pylist()]


def test_the_quarantine_goes_out_as_text_with_what_is_wrong_and_how_to_correct_it(home):
    *_, path = first(home)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["How to correct", "transactions"]
    assert [row[0].value.split()[0] for row in book["How to correct"]] == ["Correct", "Save"]
    rows = [[cell.value for cell in row] for row in book["transactions"]]
    assert rows[0] == [
        "reason",
        "source_file",
        "sheet",
        "source_row",
        "row_mark",
        *ORDERS.split("\n")[0].split(","),
    ]
    assert [row[:4] + row[5:] for row in rows[1:]] == [
        ["a date that is none: day", "orders.csv", None, 3, "A2", "c2", "soon", "1", "100", "=1+1"],
        [
            "a number that is none: pieces",
            "orders.csv",
            None,
            4,
            "A3",
            "c3",
            "2024-11-15",
            "one",
            "7",
            "0012",
        ],
        ["fewer cells than the header", "orders.csv", None, 5, "A4", "c4", "2024-12-01", None, None, None],
    ]
    assert {cell.data_type for row in book["transactions"] for cell in row} <= {"s", "n"}  # no formula


def test_a_corrected_row_is_kept_and_the_delivered_one_leaves_with_its_money(home):
    _, _, before, path = first(home)
    assert before.loc["transactions", "money_quarantined"] == 10000
    client = sent_back(home, path, {("A2", "day"): "2024-11-20"})
    cleaned, total, _ = run(client)
    assert kept(cleaned) == [("A2", 10000, "back.xlsx", 2), ("A1", 2100, "orders.csv", 2)]
    assert total.loc["transactions"].to_dict() == {
        "rows_in": 5, "rows_kept": 2, "rows_merged": 1, "rows_quarantined": 2,
        "money_in": 22100, "money_kept": 12100, "money_merged": 10000, "money_quarantined": 0,
    }  # fmt: skip
    # The rows that nobody changed still wait, in their own place.
    aside = cleaned["transactions"].quarantine
    assert aside[["source_file", "source_row"]].values.tolist() == [["orders.csv", 4], ["orders.csv", 5]]


def test_checking_a_client_counts_what_was_corrected_as_a_run_would(home):
    *_, path = first(home)
    sent_back(home, path, {("A2", "day"): "2024-11-20"})
    said = CliRunner().invoke(main, ["check", "acme"])
    assert said.exit_code == 0, said.output
    lines = [line.strip() for line in said.stdout.splitlines()]
    assert "transactions: back.xlsx, sheet transactions, 1 records, correction" in lines
    assert "transactions: 1 rows merged: replaced by a corrected row" in lines
    assert not any("a date that is none" in line for line in lines)


def test_the_same_correction_gives_the_same_result_however_often(home):
    *_, path = first(home)
    client = sent_back(home, path, {("A2", "day"): "2024-11-20"})
    once, total, _ = run(client)
    written = {p.name: p.read_bytes() for p in (client.delivery / "collected").iterdir()}
    again, total_again, _ = run(client)
    assert kept(once) == kept(again) and total.equals(total_again)
    assert {p.name: p.read_bytes() for p in (client.delivery / "collected").iterdir()} == written
    # Sent twice, under two names, it is still one correction.
    config = BACK.replace("[back.xlsx]", "[back.xlsx, copy.xlsx]")
    client = sent_back(home, path, {("A2", "day"): "2024-11-20"}, config, name="copy.xlsx")
    twice, total_twice, _ = run(client)
    assert kept(twice) == kept(once) and total_twice.equals(total)


def test_a_record_with_too_few_cells_can_be_completed(home):
    *_, path = first(home)
    client = sent_back(home, path, {("A4", "pieces"): 3, ("A4", "price"): 2.5})
    cleaned, total, _ = run(client)
    assert kept(cleaned) == [("A4", 750, "back.xlsx", 4), ("A1", 2100, "orders.csv", 2)]
    assert total.loc[
        "transactions", ["rows_in", "rows_kept", "rows_merged", "rows_quarantined"]
    ].tolist() == [5, 2, 1, 2]


@pytest.mark.parametrize(
    ("extra", "place"), [("3", ["back.xlsx", 5, "extra-cell"]), (None, ["back.xlsx", 5, "kept"])]
)
def test_a_record_with_too_many_cells_is_set_aside_until_they_are_gone(home, extra, place):
    orders = ORDERS + "A5,c5,2024-12-02,1,5,well,3\n"
    *_, path = first(home, orders)
    changes = {("A5", "price"): "6", ("A5", "extra 1"): extra}
    cleaned, *_ = run(sent_back(home, path, changes, files={"orders.csv": orders}))
    aside = cleaned["transactions"].quarantine[["source_file", "source_row", "reason"]].values.tolist()
    assert place in aside + [[file, row, "kept"] for _, amount, file, row in kept(cleaned) if amount == 600]


def test_a_correction_that_is_wrong_again_can_be_corrected_again(home):
    *_, path = first(home)
    client = sent_back(home, path, {("A2", "day"): "later"})
    cleaned, total, second = run(client)
    assert total.loc[
        "transactions", ["rows_in", "rows_kept", "rows_merged", "rows_quarantined"]
    ].tolist() == [5, 1, 1, 3]
    config = BACK.replace("[back.xlsx]", "[back.xlsx, again.xlsx]")
    client = sent_back(home, second, {("A2", "day"): "2024-11-21"}, config, name="again.xlsx")
    cleaned, total, _ = run(client)
    assert ("A2", 10000, "again.xlsx", 2) in kept(cleaned)
    assert total.loc[
        "transactions", ["rows_in", "rows_kept", "rows_merged", "rows_quarantined"]
    ].tolist() == [6, 2, 2, 2]


def test_exact_copies_of_a_corrected_row_leave_with_it(home):
    orders = ORDERS + "A2,c2,soon,1,100,=1+1\n"
    *_, path = first(home, orders)
    cleaned, total, _ = run(
        sent_back(home, path, {("A2", "day"): "2024-11-20"}, files={"orders.csv": orders})
    )
    assert [order for order, *_ in kept(cleaned)] == ["A2", "A1"]
    assert total.loc["transactions", ["rows_in", "rows_merged", "money_merged"]].tolist() == [6, 2, 20000]


def test_a_correction_of_no_delivered_row_is_set_aside(home):
    *_, path = first(home)
    # Another delivery under the same name: row 3 is another order now.
    other = ORDERS.replace("A2,c2,soon,1,100", "B7,c9,later,1,50")
    client = sent_back(home, path, {("A2", "day"): "2024-11-20"}, files={"orders.csv": other})
    cleaned, total, _ = run(client)
    aside = cleaned["transactions"].quarantine
    assert aside.loc[
        aside["source_file"] == "back.xlsx", ["reason", "source_row", "sheet"]
    ].values.tolist() == [["unknown-row", 2, "transactions"]]
    assert total.loc[
        "transactions", ["rows_in", "rows_kept", "rows_merged", "rows_quarantined"]
    ].tolist() == [5, 1, 0, 4]


def test_two_ways_to_correct_one_row_are_refused(home):
    *_, path = first(home)
    sent_back(home, path, {("A2", "day"): "2024-11-20"})
    config = BACK.replace("[back.xlsx]", "[back.xlsx, other.xlsx]")
    client = sent_back(home, path, {("A2", "day"): "2024-11-21"}, config, name="other.xlsx")
    with pytest.raises(SourceError) as refused:
        run(client)
    assert str(refused.value) == (
        "data/acme/raw/other.xlsx, sheet transactions, row 2: row 3 of orders.csv is corrected in another way "
        "in back.xlsx, row 2. Keep one of the two."
    )


def test_what_came_is_summed_as_it_came_whatever_was_corrected(home):
    *_, path = first(home)
    client = sent_back(home, path, {("A2", "price"): "1", ("A2", "day"): "2024-11-20"})
    came = sources.delivery(client)
    corrections.applied(came, client)
    assert accounts.delivered(came["transactions"])["delivered.transactions.price.sum"]["value"] == 117.5
    account = accounts.files(corrections.applied(came, client))
    assert account[["file", "records", "use"]].values.tolist() == [
        ["orders.csv", 4, "used"],
        ["back.xlsx", 1, "correction"],
    ]
    assert set(publish._inputs(client)["corrections"]) == {"back.xlsx"}


def test_corrections_that_are_no_longer_named_are_undone(home):
    *_, path = first(home)
    run(sent_back(home, path, {("A2", "day"): "2024-11-20"}))
    cleaned, _, _ = run(made(home, files={"orders.csv": ORDERS}))
    assert [order for order, *_ in kept(cleaned)] == ["A1"]


def test_a_missing_correction_is_named_by_its_key(home):
    client = made(home, BACK, {"orders.csv": ORDERS})
    with pytest.raises(SourceError) as refused:
        run(client)
    assert str(refused.value).startswith("corrections: data/acme/raw/back.xlsx does not exist")
    assert str(refused.value).endswith("Put the file there or mend corrections.")


def test_a_workbook_that_is_no_quarantine_is_refused(home):
    client = made(home, BACK, {"orders.csv": ORDERS})
    book = openpyxl.Workbook()
    book.active.title = "Orders"
    book.save(client.raw / "back.xlsx")
    with pytest.raises(SourceError) as refused:
        run(client)
    assert str(refused.value) == (
        "data/acme/raw/back.xlsx has no sheet named after a table (transactions). It has: Orders."
    )
    (client.raw / "back.xlsx").write_bytes(b"order,customer\n")
    with pytest.raises(SourceError, match="cannot be read as a workbook"):
        run(client)


AWKWARD = ["=1+1", "@x", "0012", " spaced ", 'say "hi"', "两\n行", "x" * 40_000, "_x000D_", "1e5"]


@pytest.mark.parametrize("text", AWKWARD)
def test_cells_that_were_not_touched_stay_exactly_as_delivered(home, text):
    quoted = text.replace('"', '""')
    orders = f'order,customer,day,pieces,price,note\nA1,c1,2024-10-01,2,10.50,\nA2,c2,soon,1,100,"{quoted}"\n'
    *_, path = first(home, orders)
    untouched, *_ = run(sent_back(home, path, {}, files={"orders.csv": orders}))
    assert untouched["transactions"].quarantine["source_file"].tolist() == ["orders.csv"]
    client = sent_back(home, path, {("A2", "day"): "2024-11-20"}, files={"orders.csv": orders})
    run(client)
    rows = sources.as_collected(client)["transactions"].rows.to_pylist()
    assert [row["note"] for row in rows if row["order"] == "A2"] == [text]


def test_a_header_that_is_called_like_one_of_ours_can_be_corrected_too(home):
    orders = ORDERS.replace("note", "reason")
    *_, path = first(home, orders)
    client = sent_back(home, path, {("A2", "day"): "2024-11-20"}, files={"orders.csv": orders})
    run(client)
    rows = sources.as_collected(client)["transactions"].rows.to_pylist()
    assert [row["reason"] for row in rows if row["order"] == "A2"] == ["=1+1"]


def test_a_survey_form_and_a_customer_are_corrected_alike(home):
    config = BACK + (
        "  customers: {files: [c.csv], columns: {customer_id: id, name: name}}\n"
        "  surveys: {files: [s.csv], columns: {customer_id: id, answered_day: day},\n"
        "            answers: {overall: {column: all, scale: [1, 5]}, service: {column: help, scale: [1, 5]}}}\n"
    )
    files = {
        "orders.csv": ORDERS,
        "c.csv": "id,name\nc1,张三\n,李四\n",
        "s.csv": "id,day,all,help\nc1,2024-12-01,9,4\nc1,2024-12-02,9,8\n",
    }
    client = made(home, config.replace("corrections: [back.xlsx]\n", ""), files)
    cleaned, _, path = run(client)
    assert sorted(cleaned["surveys"].kept["score"].to_pylist()) == [4.0]
    book = openpyxl.load_workbook(path)
    rows = [[cell.value for cell in row] for row in book["surveys"]]
    assert len(rows) == 3  # two answers of the second form are wrong, and it is one row to correct
    book["surveys"].cell(2, 8).value = 5
    book["customers"].cell(2, 6).value = "c2"
    client = made(home, config, files)
    book.save(client.raw / "back.xlsx")
    cleaned, total, _ = run(client)
    assert sorted(cleaned["surveys"].kept["score"].to_pylist()) == [4.0, 5.0]
    assert sorted(cleaned["customers"].kept["customer_id"].to_pylist()) == ["c1", "c2"]
    assert total.loc[["surveys", "customers"], "rows_merged"].tolist() == [1, 1]
