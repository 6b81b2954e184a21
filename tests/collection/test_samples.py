"""A first look at files: their header rows, sheets and names."""

import gzip

import openpyxl
import pytest

from crmlib.collection import samples
from crmlib.errors import Refused, SourceError

LINES = "order_id,order_date,amount\nA1,2024-01-05,10\nA2,2024-01-06,20\n"


@pytest.mark.parametrize(
    "content",
    [
        LINES.encode(),
        b"\xef\xbb\xbf" + LINES.encode(),
        LINES.encode("utf-16"),
        LINES.replace(",", ";").encode(),
        LINES.replace(",", "\t").encode(),
        gzip.compress(LINES.encode(), mtime=0),
        ("2024年订单报表\n\n" + LINES).encode("gb18030"),
    ],
)
def test_the_header_is_found_in_every_encoding_dialect_and_below_titles(tmp_path, content):
    file = tmp_path / "orders.csv"
    file.write_bytes(content)
    (found,) = samples.exports([file])
    assert (found.headers, found.records) == (["order_id", "order_date", "amount"], 2)


def test_sheets_that_hold_no_table_are_passed_over(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "说明"
    book.active["A1"] = "本报表由系统导出"
    lines, hidden = book.create_sheet("明细"), book.create_sheet("旧")
    for row in (["销售明细"], [], ["订单 号", "金额"], ["A1", 10]):
        lines.append(row)
    hidden.append(["订单号", "金额"])
    hidden.sheet_state = "hidden"
    book.save(tmp_path / "book.xlsx")
    (found,) = samples.exports([tmp_path / "book.xlsx"])
    assert (found.sheet, found.headers, found.titles) == ("明细", ["订单 号", "金额"], 2)


def test_months_of_one_header_are_one_export_and_a_folder_is_its_files(tmp_path):
    for month in ("01", "02"):
        (tmp_path / f"orders-2024-{month}.csv").write_text(LINES, "utf-8")
    (tmp_path / "README.md").write_text("# About", "utf-8")
    (tmp_path / "~$orders.xlsx").write_text("lock", "utf-8")
    (found,) = samples.exports([tmp_path])
    assert (found.name, found.records, len(found.paths)) == ("orders", 4, 2)


def test_names_are_short_each_its_own_and_no_tables(tmp_path):
    for name in ("shop_customers_export", "shop_orders_export", "shop_1st_export"):
        (tmp_path / f"{name}.csv").write_text(f"id,{name},amount\n1,2,3\n", "utf-8")
    assert [found.name for found in samples.exports([tmp_path])] == ["t_1st", "customers_file", "orders"]


def test_a_large_file_is_sampled_from_all_its_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(samples, "LARGE", 1000)
    monkeypatch.setattr(samples, "HEAD", 2000)
    monkeypatch.setattr(samples, "PIECE", 200)
    file = tmp_path / "orders.csv"
    file.write_text("order_id,amount\n" + "".join(f"A{n:05d},{n}\n" for n in range(2000)), "utf-8")
    (found,) = samples.exports([file])
    seen = [int(cell) for cell in found.rows["amount"].to_pylist()]
    assert not found.whole
    assert len(seen) < 500
    assert seen[0] == 0 and max(seen) > 1900


def test_lines_far_down_a_large_file_are_each_read_whole_in_their_own_encoding(tmp_path, monkeypatch):
    for name, size in {"LARGE": 1000, "HEAD": 1000, "PIECE": 400}.items():
        monkeypatch.setattr(samples, name, size)
    cities = ["上海".encode("gb18030"), "北京".encode(), b"\xff\xffBonn"]
    lines = [b"A%d,%s" % (n, b"Bonn" if n < 300 else cities[n % 3]) for n in range(900)]
    file = tmp_path / "orders.csv"
    file.write_bytes(b"\n".join([b"order_id,city", *lines, b""]))
    (found,) = samples.exports([file])
    # One in three of the later lines is in no encoding: it is no part of the sample, nor is a part of it.
    assert set(found.rows["city"].to_pylist()) == {"Bonn", "上海", "北京"}
    numbers = [int(cell[1:]) for cell in found.rows["order_id"].to_pylist()]
    assert max(numbers) > 800 and not [n for n in numbers if n >= 300 and n % 3 == 2]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty. Ask for the file again."),
        (
            "1,2024-01-01,张三\n2,2024-01-02,李四\n".encode(),
            "has no row that names its columns: its first row has 3 cells that look like a record. Put a header above it.",
        ),
        (b"PK\x03\x04broken", "is incomplete or damaged. Ask for the file again."),
        (
            gzip.compress(LINES.encode() * 99, mtime=0)[:40],
            "is incomplete or damaged (gzip). Ask for the file again.",
        ),
        (b"order_id,amount\n\xff\xff,1\n", "is not text in UTF-8, UTF-16 or GB18030. Save it as UTF-8."),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_files_name_and_no_cell(tmp_path, content, said):
    file = tmp_path / "orders.csv"
    file.write_bytes(content)
    with pytest.raises(SourceError) as refused:
        samples.exports([file])
    assert str(refused.value) == f"{file} {said}"


def test_columns_named_twice_are_refused_with_the_files_name(tmp_path):
    file = tmp_path / "orders.csv"
    file.write_text("order_id,amount,amount\nA1,1,2\n", "utf-8")
    with pytest.raises(SourceError, match=r"orders\.csv names a column twice: amount"):
        samples.exports([file])


def test_a_folder_without_data_is_refused(tmp_path):
    with pytest.raises(Refused, match="No data file among"):
        samples.exports([tmp_path])
