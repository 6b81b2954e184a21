"""A report is put in its place whole or not at all, and says the same about the same input."""

import csv
import datetime as dt
import json
import stat

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from python_calamine import load_workbook

from crmlib import tables
from crmlib.classification import standards
from crmlib.period import Period
from crmlib.privacy import key, mask
from crmlib.workbook import exchange, publish, runs
from crmlib.workbook.execution import Failure

Q4 = Period.parse("2024-Q4")


def published(home, client, period=Q4):
    return publish.publish(publish.Run(client, period, home.hand_over(client, period)))


def test_a_report_that_cannot_be_finished_leaves_the_last_good_one(home, monkeypatch):
    client = home.client("tiny")
    place = published(home, client)
    before = (place / "manifest.json").read_bytes()

    def full(*_args: object, **_settings: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(publish.excel, "exhibits", full)
    with pytest.raises(OSError, match="No space left"):
        published(home, client)
    assert (place / "manifest.json").read_bytes() == before


def test_a_ledger_that_does_not_balance_fails_the_run(home):
    client = home.client("tiny")
    ledger = json.loads((home.root / "books" / "02-cleaning.json").read_text())["figures"]
    ledger["ledger.transactions.money_kept"]["value"] = 20.2
    home.book("02-cleaning", figures=ledger)
    message = r"does not balance in money: 40.3 in, but 20.2 kept \+ 10.1 merged \+ 10.1 quarantined"
    with pytest.raises(Failure, match=message):
        published(home, client)


def test_two_publishes_of_the_same_input_give_the_same_bytes(home):
    client = home.client("tiny")
    place = published(home, client)
    names = [
        "results.json",
        "exhibits.xlsx",
        "report.html",
        *(f"tables/{p.name}" for p in place.glob("tables/*")),
    ]
    before = {name: (place / name).read_bytes() for name in names}
    published(home, client)
    assert {name: (place / name).read_bytes() for name in names} == before
    assert list(json.loads(before["results.json"])) == sorted(json.loads(before["results.json"]))


def test_a_new_report_takes_the_old_ones_place_and_leaves_no_file_of_it(home):
    client = home.client("tiny")
    place = published(home, client)
    (place / "left-over.txt").write_text("of the old report")
    published(home, client)
    assert not (place / "left-over.txt").exists()


@pytest.mark.parametrize("in_one_step", [True, False])
def test_two_folders_change_places_on_any_system(tmp_path, monkeypatch, in_one_step):
    if not in_one_step:
        monkeypatch.setattr(exchange, "_exchanged", lambda one, other: False)
    for name in ("new", "place"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "text").write_text(name)
    exchange.put(tmp_path / "new", tmp_path / "place")
    assert [path.name for path in tmp_path.iterdir()] == ["place"]
    assert (tmp_path / "place" / "text").read_text() == "new"


def test_a_swap_cut_off_between_its_two_steps_is_undone_at_the_next_start(tmp_path):
    for name in (".old-2024-Q4", ".old-2024-Q3", "2024-Q3", ".staging-1-dead"):
        (tmp_path / name).mkdir()
    (tmp_path / ".old-2024-Q4" / "report.html").write_text("last good")
    exchange.recovered(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2024-Q3", "2024-Q4"]
    assert (tmp_path / "2024-Q4" / "report.html").read_text() == "last good"


def test_published_tables_are_masked_and_end_with_the_period(home):
    client = home.client("tiny")
    place = published(home, client)
    lines = pq.read_table(place / "tables" / "transactions.parquet").to_pylist()
    secret = key(client)
    assert [line["customer_id"] for line in lines] == [mask("1", secret)] * 2, "a line of January is in it"
    people = pq.read_table(place / "tables" / "customers.parquet").to_pylist()
    assert [person["name"] for person in people] == [mask("Zhang San", secret, "N"), None]
    assert "raw" not in pq.read_schema(place / "tables" / "quarantine.parquet").names


def test_published_records_are_as_they_were_known_on_the_last_day(home):
    config = "  interactions:\n    files: [calls.csv]\n    columns: {customer_id: id, opened_at: on, resolved_at: done}\n"
    client = home.client("tiny", more=config)
    calls = [  # of 30 December 2024, which is day 20,087
        {"opened_day": 20_087, "resolved_at": dt.datetime(2024, 12, 31, 23, 59)},
        {"opened_day": 20_087, "resolved_at": dt.datetime(2025, 1, 1)},
    ]
    rows = pa.Table.from_pylist(calls, schema=tables.INTERACTIONS.schema)
    tables.write(rows, client.delivery, tables.INTERACTIONS)
    # Of a customer known from order lines a later version, as the order of January told it.
    people = tables.frame(client.delivery, tables.CUSTOMERS).assign(as_from_day=[20_087, 20_089])
    tables.write(people, client.delivery, tables.CUSTOMERS)
    place = published(home, client) / "tables"
    told = pq.read_table(place / "interactions.parquet")["resolved_at"].to_pylist()
    assert told == [dt.datetime(2024, 12, 31, 23, 59), None]
    assert pq.read_table(place / "customers.parquet")["as_from_day"].to_pylist() == [20_087]


def test_no_name_in_clear_stands_outside_internal(home):
    client = home.client("tiny")
    place = published(home, client)
    for path in place.rglob("*"):
        if path.is_file() and path.parent.name != "internal":
            assert b"Zhang San" not in path.read_bytes(), path


def test_only_the_owner_reads_what_names_people(home):
    client = home.client("tiny")
    internal = published(home, client) / "internal"
    assert stat.S_IMODE(internal.stat().st_mode) == 0o700
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in internal.iterdir()} == {
        "tiers.xlsx": 0o600,
        "quarantine.xlsx": 0o600,
    }


def test_rows_set_aside_stand_in_the_workbook_as_they_came(home):
    client = home.client("tiny")
    sheet = load_workbook(str(published(home, client) / "internal" / "quarantine.xlsx"))
    assert sheet.sheet_names == ["How to correct", "transactions"]
    header, row = sheet.get_sheet_by_name("transactions").to_python()
    assert header == ["reason", "source_file", "sheet", "source_row", "row_mark", "id", "day", "amount"]
    assert [*row[:4], *row[5:]] == ["=no date", "orders.csv", "", 3.0, "=1+1", "someday", "0010"]


def test_a_row_that_no_workbook_holds_stands_whole_beside_it_and_no_other_does(home):
    client = home.client("tiny")
    assert not (published(home, client) / "internal" / "quarantine.csv").exists()
    aside = tables.frame(client.delivery, tables.QUARANTINE)
    long = "=" + "长" * 32_767
    rows = pd.concat([aside, aside.assign(raw=f"7,{long}", reason="undecodable")], ignore_index=True)
    tables.write(rows, client.delivery, tables.QUARANTINE)
    path = published(home, client) / "internal" / "quarantine.csv"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (row,) = csv.DictReader(path.open(encoding="utf-8-sig"))
    assert (row["source_file"], row["reason"]) == ("orders.csv", "undecodable")
    assert json.loads(row["row"]) == {"extra 1": "7", "extra 2": long}


def test_exhibits_are_numbers_and_text_stays_text(home):
    client = home.client("tiny")
    book = load_workbook(str(published(home, client) / "exhibits.xlsx"))
    assert book.sheet_names == ["Contents", "sales.by_month", "Thresholds"]
    rows = book.get_sheet_by_name("sales.by_month").to_python()
    assert rows[0][0] == "Sales by month"
    assert rows[3:] == [
        ["Month", "Sales", "Share of sales", "Region"],
        [dt.date(2024, 10, 1), 1234.56, 0.25, "=HYPERLINK(1)"],
        [dt.date(2024, 11, 1), "", 0.75, "0012"],
    ]


def test_an_exhibit_without_rows_says_in_its_sheet_that_there_is_none(home):
    client = home.client("tiny")
    columns = [{"name": "field", "heading": "Field", "unit": "fields"}]
    bare = {"title": "T", "about": [], "columns": columns, "row_units": ["text"]}
    found = [
        bare | {"id": "empty", "rows": [], "nothing": "None."},
        bare | {"id": "full", "rows": [["name, birth_year"]]},
    ]
    home.book("03-classification", exhibits=found)
    book = load_workbook(str(published(home, client) / "exhibits.xlsx"))
    cells = [book.get_sheet_by_name(name).to_python()[3:] for name in ("empty", "full")]
    assert cells == [[["Field"], ["None."]], [["Field"], ["Name, Year of birth"]]]


def test_a_period_past_the_delivery_is_marked_incomplete_everywhere(home):
    client = home.client("tiny")
    place = published(home, client, Period.parse("2025-Q1"))
    assert json.loads((place / "manifest.json").read_text("utf-8"))["incomplete"] is True
    assert "Incomplete period: the delivery ends before 31 Mar 2025." in (place / "report.html").read_text(
        "utf-8"
    )
    index = runs.write_index().read_text("utf-8")
    assert '<span class="mark">incomplete</span>' in index


def test_the_index_lists_every_run_with_its_headline_figures(home):
    one, other = home.client("one", shown="<b>One</b>"), home.client("other")
    published(home, one)
    published(home, one, Period.parse("2024-Q3"))
    published(home, other)
    index = runs.write_index().read_text("utf-8")
    places = [
        index.index(f'href="{run}/report.html"') for run in ("one/2024-Q4", "one/2024-Q3", "other/2024-Q4")
    ]
    assert places == sorted(places)
    assert "&lt;b&gt;One&lt;/b&gt; (one)" in index
    assert index.count("CN¥1,234") == 3 and index.count("50.0%") == 3 and index.count("—") == 6


def test_the_standards_of_a_run_are_published_for_the_next_ones_to_know(home):
    client = home.client("tiny")
    written = standards.written(client.built(Q4), client.classes)
    place = published(home, client)
    assert (place / "rules.json").read_bytes() == written.read_bytes()
    written.unlink()
    found = standards.in_force(client, Q4)
    assert (found.source, found.rules) == ("run", client.classes)
