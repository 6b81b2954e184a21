"""Tables on disk: what is promised is there, and a changed file is noticed."""

import os

import pandas as pd
import pyarrow as pa
import pytest
from builders import day, lines

from crmlib import tables
from crmlib.errors import MissingStep, SchemaError

TWO = (
    {"customer": "c1", "day": "2024-10-01", "amount": 500},
    {"customer": None, "day": "2024-12-31", "amount": 700},
)


def test_what_is_written_is_read_back(tmp_path):
    tables.write(lines(*TWO), tmp_path, tables.TRANSACTIONS)
    assert tables.arrow(tmp_path, tables.TRANSACTIONS).equals(lines(*TWO))


def test_a_table_that_lacks_a_column_is_refused_with_what_it_has():
    with pytest.raises(SchemaError) as refused:
        tables.conform(pd.DataFrame({"table": ["a"], "step": ["b"]}), tables.LEDGER)
    assert str(refused.value) == (
        "ledger lacks rows_in, rows_kept, rows_merged, rows_quarantined, money_in, money_kept, money_merged, "
        "money_quarantined (rows; rows; rows that said nothing new; rows set aside with a reason; smallest unit; "
        "smallest unit; smallest unit; smallest unit). It has: table, step."
    )


def test_columns_that_nobody_promised_are_left_out_and_order_does_not_matter():
    wild = pd.DataFrame(
        {"extra": [1], "raw": ["{}"], "source_row": [2], "source_file": ["f"], "sheet": [""], "column": [""]}
    )
    wild = wild.assign(money=5, reason="missing-date", table="transactions")
    kept = tables.conform(wild, tables.QUARANTINE)
    assert kept.column_names == [
        *("table", "reason", "money", "source_file", "sheet", "source_row", "column", "raw")
    ]
    assert kept.schema.metadata is None


def test_a_number_that_does_not_fit_its_promise_is_not_bent():
    wild = pd.DataFrame({"table": ["a"], "reason": ["r"], "money": [0.5], "source_file": ["f"]})
    with pytest.raises(pa.ArrowInvalid):
        tables.conform(wild.assign(source_row=2, raw="", sheet="", column=""), tables.QUARANTINE)


def test_the_same_table_written_twice_is_the_same_bytes(tmp_path):
    for folder in ("one", "two"):
        tables.write(lines(*TWO), tmp_path / folder, tables.TRANSACTIONS)
    first, second = ((tmp_path / folder / "transactions.parquet").read_bytes() for folder in ("one", "two"))
    assert first == second


@pytest.mark.parametrize("place", [10, -10])
def test_one_flipped_bit_is_noticed(tmp_path, place):
    path = tables.write(lines(*TWO), tmp_path, tables.TRANSACTIONS)
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    with pytest.raises(SchemaError) as refused:
        tables.arrow(tmp_path, tables.TRANSACTIONS)
    assert str(refused.value) == (
        "transactions.parquet is not the file that 02-cleaning wrote (its fingerprint differs): damaged or "
        "changed by hand. Run notebook 02-cleaning again; built/ can be deleted at any time."
    )


def test_a_table_exchanged_for_another_is_noticed_by_the_lazy_reader_too(tmp_path):
    path = tables.write(lines(*TWO), tmp_path, tables.TRANSACTIONS)
    path.write_bytes(tables.write(lines(TWO[0]), tmp_path / "other", tables.TRANSACTIONS).read_bytes())
    with pytest.raises(SchemaError, match="its fingerprint differs"):
        tables.relation(tmp_path, tables.TRANSACTIONS)


def test_a_table_without_its_fingerprint_is_not_trusted(tmp_path):
    path = tables.write(lines(*TWO), tmp_path, tables.TRANSACTIONS)
    path.with_suffix(".sha256").unlink()
    with pytest.raises(SchemaError, match="its fingerprint differs"):
        tables.frame(tmp_path, tables.TRANSACTIONS)


def test_a_table_that_no_step_has_written_names_the_notebook_to_run(tmp_path):
    with pytest.raises(MissingStep) as refused:
        tables.frame(tmp_path, tables.FACTS)
    assert str(refused.value) == (
        "facts.parquet is not there yet: 03-classification writes it. "
        "Run notebook 03-classification for this client first."
    )


@pytest.mark.parametrize("broken", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path, monkeypatch, broken):
    path = tables.write(lines(*TWO), tmp_path, tables.TRANSACTIONS)
    before = path.read_bytes()

    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, broken, full_disk)
    with pytest.raises(OSError, match="No space left"):
        tables.write(lines(TWO[0]), tmp_path, tables.TRANSACTIONS)
    assert path.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["transactions.parquet", "transactions.sha256"]
    assert tables.frame(tmp_path, tables.TRANSACTIONS)["amount"].tolist() == [500, 700]


def test_nothing_after_as_of_is_read(tmp_path):
    tables.write(lines(*TWO), tmp_path, tables.TRANSACTIONS)
    until = day("2024-12-30")
    assert tables.frame(tmp_path, tables.TRANSACTIONS, until)["amount"].tolist() == [500]
    assert tables.relation(tmp_path, tables.TRANSACTIONS, until).aggregate("sum(amount)").fetchall() == [
        (500,)
    ]
    whole = tables.relation(tmp_path, tables.TRANSACTIONS, day("2024-12-31"))
    assert whole.aggregate("sum(amount)").fetchall() == [(1200,)]


@pytest.mark.parametrize(
    ("listed", "supplied"), [(["transactions", "surveys"], True), (["transactions"], False)]
)
def test_a_survey_left_from_an_earlier_delivery_is_no_part_of_this_one(tmp_path, listed, supplied):
    tables.write(tables.SURVEYS.schema.empty_table(), tmp_path, tables.SURVEYS)
    zero = dict.fromkeys(tables.LEDGER.schema.names[2:], 0)
    tables.write(pd.DataFrame([{"table": t, "step": "s", **zero} for t in listed]), tmp_path, tables.LEDGER)
    assert (tables.supplied(tmp_path, tables.SURVEYS) is not None) is supplied
