"""Rows 9–15 of the catalogue: packed, damaged, misnamed and hostile files."""

import datetime as dt
import gzip
import io
import json
import random
import zipfile
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from readings import aside, numbers, records, refusal

from crmlib.collection.files import text_table
from crmlib.errors import SourceError

PLAIN = "order,day\nA1,2024-10-01\nA2,2024-10-02\n"
TWIN = [["A1", "2024-10-01"], ["A2", "2024-10-02"]]


def zipped(**members: bytes | str) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "."), content)
    return sink.getvalue()


def parquet(table: pa.Table, **how) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **how)
    return sink.getvalue()


ORDERS = pa.table({"order": ["A1", "A2"], "day": [dt.date(2024, 10, 1), dt.date(2024, 10, 2)]})
JSON = '{"order": "A1", "day": "2024-10-01"}\n{"order": "A2", "day": "2024-10-02"}\n'


@pytest.mark.parametrize("name", ["f.csv", "f.xls", "f.xlsx", "f", "f.parquet"])
@pytest.mark.parametrize(
    "content",
    [
        PLAIN.encode(),
        gzip.compress(PLAIN.encode()),
        gzip.compress(PLAIN.encode()[:20]) + gzip.compress(PLAIN.encode()[20:]),
        zipped(f__csv=PLAIN),
        gzip.compress(zipped(f__csv=PLAIN)),
        parquet(ORDERS),
        gzip.compress(parquet(ORDERS)),
        zipped(f__parquet=parquet(ORDERS)),
        JSON.encode(),
        zipped(f__jsonl=JSON),
    ],
    ids=["csv", "gz", "gz-gz", "zip", "zip-gz", "parquet", "parquet-gz", "parquet-zip", "json", "json-zip"],
)
def test_what_a_file_is_its_bytes_tell_and_not_its_name(file, content, name):
    found = text_table(file(content, name), expected={"order"})
    assert (found.headers, records(found), aside(found)) == (["order", "day"], TWIN, [])
    assert found.path.name == name


def test_a_packed_file_leaves_nothing_behind(file, tmp_path, monkeypatch):
    monkeypatch.setattr("crmlib.tables.spill", lambda: tmp_path)
    before = set(tmp_path.iterdir())
    path = file(gzip.compress(PLAIN.encode()), "f.gz")
    found = text_table(path, expected={"order"})
    assert records(found) == TWIN
    del found
    assert set(tmp_path.iterdir()) - before == {path}


def test_an_archive_of_several_files_is_refused_until_one_is_named(file):
    path = file(zipped(a__csv=PLAIN, b__csv=PLAIN.replace("A", "B")), "all.zip")
    assert refusal(path, expected={"order"}) == (
        "all.zip holds 2 files: a.csv, b.csv. Say which one is meant (`sheet` in client.yml), "
        "or unpack it and deliver them apart."
    )
    found = text_table(path, expected={"order"}, sheet="b.csv")
    assert records(found)[0] == ["B1", "2024-10-01"]
    assert (found.sheet, found.notes) == ("b.csv", [("member", "b.csv")])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (gzip.compress(PLAIN.encode() * 99, mtime=0)[:-30], "f is incomplete or damaged (gzip). Ask for the file again."),
        (zipped(f__csv=PLAIN * 99)[:-60], "f is incomplete or damaged (zip). Ask for the file again."),
        (parquet(ORDERS)[:300], "f is incomplete or damaged (Parquet). Ask for the file again."),
        (zipped(), "f holds no file. Ask for it again."),
        (b"<html><table><tr><td>1", "f is a web page or XML, whatever its name says. Open it in Excel and save it as xlsx, or ask for CSV."),
        (b"\xef\xbb\xbf \n<!DOCTYPE html>", "f is a web page or XML, whatever its name says. Open it in Excel and save it as xlsx, or ask for CSV."),
        (b'<?xml version="1.0"?><Workbook/>', "f is a web page or XML, whatever its name says. Open it in Excel and save it as xlsx, or ask for CSV."),
        (b"%PDF-1.7", "f is a PDF. Ask for the table itself, as CSV or xlsx."),
        (b"Rar!\x1a\x07", "f is a RAR archive. Unpack it, or pack it as zip."),
        (b"SQLite format 3\x00", "f is an SQLite database. Name it under `database` in client.yml, with a `query`."),
        (b"\t\x04\x06\x00\x00\x00", "f is a workbook of Excel 5 or older. Save it as xlsx."),
        (zipped(**{"xl/workbook__bin": "x"}), "f is a binary workbook (xlsb). Open it in Excel and save it as xlsx."),
        (zipped(mimetype="x", content__xml="x"), "f is an OpenDocument file. Save it as xlsx."),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le"),
            "f is protected by a password. Open it in Excel, take the password off and save it as xlsx.",
        ),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "WordDocument".encode("utf-16-le"),
            "f is an Office file, but no workbook. Save the table as xlsx.",
        ),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "Workbook".encode("utf-16-le"),
            "f is incomplete or damaged (workbook). Save it as xlsx again.",
        ),
        (b'[{"order": 1}]', "f is one JSON list. Save it as JSON lines (one object on each line) or as CSV."),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_its_mend(file, content, said):
    assert refusal(file(content, "f"), expected={"order"}) == said


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(b"a,b\n" + bytes(100_000_000), 9),
        zipped(f__csv=bytes(100_000_000)),
        zipped(**{"[Content_Types]__xml": "<a/>", "xl/workbook__xml": bytes(100_000_000)}),
    ],
    ids=["gz", "zip", "xlsx"],
)
def test_a_small_file_that_swells_to_a_hundred_megabytes_is_refused(file, content):
    assert len(content) < 120_000
    assert refusal(file(content)).endswith("bytes; that is no honest export.")


def test_an_archive_that_lies_about_its_size_is_stopped_too(file):
    content = bytearray(zipped(f__csv=bytes(60_000_000)))
    at = content.rfind(b"PK\x01\x02")
    content[at + 24 : at + 28] = (1000).to_bytes(4, "little")  # the size that it declares
    assert "f.csv" in refusal(file(bytes(content)))


def test_every_flipped_bit_in_an_archive_is_noticed_or_harmless(file):
    content, dice = zipped(f__csv=PLAIN * 50), random.Random(5)
    for _ in range(150):
        broken = bytearray(content)
        broken[dice.randrange(len(broken))] ^= 1 << dice.randrange(8)
        try:
            found = text_table(file(bytes(broken), "f.zip"), expected={"order"})
            assert len(records(found)) == 50 * 2 and records(found)[0] == TWIN[0] and found.records == 149
        except SourceError as refused:
            assert str(refused).startswith("f.zip")


def test_every_flipped_bit_in_parquet_with_checksums_is_noticed(file):
    dice = random.Random(5)
    table = pa.table({"order": [f"A{n}" for n in range(500)]})
    content = parquet(table, write_page_checksum=True)
    for _ in range(150):
        broken = bytearray(content)
        broken[dice.randrange(len(broken))] ^= 1 << dice.randrange(8)
        try:
            found = text_table(file(bytes(broken), "f.parquet"), expected={"order"})
            assert records(found) == [[f"A{n}"] for n in range(500)]
        except SourceError as refused:
            assert str(refused).startswith("f.parquet")


def test_typed_values_of_parquet_become_canonical_text(file):
    zone = dt.timezone(dt.timedelta(hours=8))
    table = pa.table(
        {
            "order": pa.array(["A1", None]).dictionary_encode(),
            "big": pa.array([123456789012345678, None], pa.int64()),
            "price": pa.array([Decimal("10.50"), None], pa.decimal128(10, 2)),
            "rate": pa.array([0.1 + 0.2, float("nan")]),
            "phone": pa.array([13800138000.0, None]),
            "paid": pa.array([True, None]),
            "day": pa.array([dt.date(2024, 3, 5), None]),
            "at": pa.array([dt.datetime(2024, 3, 5, 0, 30), None]),
            "midnight": pa.array([dt.datetime(2024, 3, 5), None]),
            "zoned": pa.array([dt.datetime(2024, 3, 5, 0, 30, tzinfo=zone), None], pa.timestamp("us", "Asia/Shanghai")),
            "tags": pa.array([[{"of": "广州"}], None]),
            "bytes": pa.array(["北京".encode(), None]),
        }
    )  # fmt: skip
    found = text_table(file(parquet(table)), expected={"order"})
    assert records(found) == [
        ["A1", "123456789012345678", "10.50", "0.3", "13800138000", "TRUE", "2024-03-05", "2024-03-05 00:30:00",
         "2024-03-05", "2024-03-05 00:30:00+08:00", '[{"of": "广州"}]', "北京"],
    ]  # fmt: skip
    assert (numbers(found), found.blank, found.form) == ([1], 1, "Parquet")


def test_an_id_that_parquet_holds_as_a_number_with_lost_digits_is_set_aside(file):
    table = pa.table({"order": [1.0, 123456789012345678.0, 3.0]})
    found = text_table(file(parquet(table)), expected={"order"})
    assert records(found) == [["1"], ["3"]]
    assert aside(found) == [(2, "digits-lost", "1.23456789012346e+17")]


def test_bytes_in_parquet_that_are_no_text_are_set_aside(file):
    found = text_table(file(parquet(pa.table({"order": [b"A1", b"\xff"]}))), expected={"order"})
    assert (records(found), aside(found)) == ([["A1"]], [(2, "undecodable", r"\xff")])


def test_json_lines_keep_their_numbers_as_written_and_what_is_nested_as_json(file):
    lines = [
        '{"id": 123456789012345678, "at": {"city": "广州", "no": [1, 2.5]}}',
        "",
        '{"phone": 1.38E+10, "id": 0.10, "paid": true, "none": null}',
    ]
    found = text_table(file("\n".join(lines)), expected={"id"})
    assert found.headers == ["id", "at", "phone", "paid", "none"]
    assert records(found) == [
        ["123456789012345678", '{"city": "广州", "no": [1, 2.5]}', "", "", ""],
        ["0.10", "", "1.38E+10", "TRUE", ""],
    ]
    assert (numbers(found), found.form, found.notes) == ([1, 3], "UTF-8, JSON lines", [("blank-rows", "1")])


def test_a_line_that_is_no_object_is_set_aside(file):
    lines = ['{"id": 1}', '{"id": 2', "[3]", '{"id": 4, "id": 5}', json.dumps({"id": "x" * 200_000})]
    found = text_table(file("\n".join(lines)), expected={"id"})
    assert records(found) == [["1"]]
    assert [row[:2] for row in aside(found)] == [
        (2, "not-json"), (3, "not-json"), (4, "repeated-key"), (5, "oversized-cell"),
    ]  # fmt: skip


def test_json_lines_in_gb18030_equal_their_twin(file):
    text = '{"客户": "张三丰", "城市": "广州"}\n'
    found = text_table(file(text.encode("gb18030")), expected={"客户"})
    assert records(found) == [["张三丰", "广州"]]


def test_a_file_without_the_mapped_keys_says_so(file):
    assert refusal(file('{"a": 1}\n'), expected={"order"}).startswith("f.csv has no known header: ")


def mutated(content: bytes, dice: random.Random) -> bytes:
    """The same with some bytes changed, put in, taken out or copied."""
    new = bytearray(content)
    for _ in range(dice.choice([1, 2, 5, 30])):
        at = dice.randrange(len(new) + 1)
        put = dice.choice(
            [b'"', b",", b"\n", b"\r", b"\xff", b"\0", b"{", b"\xef\xbb\xbf", b"order,day\n", b""]
        )
        new[at : at + dice.choice([0, 1, 1, 9])] = put
    return bytes(new) or b"x"


KINDS = {
    "csv": (PLAIN + 'A3,"a, b"\n张三,北京\n').encode(),
    "gb18030": (PLAIN + 'A3,"a, b"\n张三,北京\n').encode("gb18030"),
    "utf-16": PLAIN.encode("utf-16"),
    "json": JSON.encode(),
    "parquet": parquet(ORDERS),
    "gz": gzip.compress(PLAIN.encode()),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_damaged_anyhow_is_read_or_refused_in_one_message(file, kind):
    dice = random.Random(kind)
    for _ in range(150):
        path = file(mutated(KINDS[kind], dice))
        try:
            found = text_table(path, expected={"order", "day"})
            assert found.records == found.rows.num_rows + len(found.broken)
        except SourceError as refused:
            assert str(refused).startswith("f.csv")
