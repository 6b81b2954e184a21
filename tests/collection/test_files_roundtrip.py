"""Whatever a firm writes into its cells comes back: random tables in every dialect, and real files."""

import csv
import gzip
import io
import os

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from readings import aside, numbers, records

from crmlib.collection import encodings
from crmlib.collection.files import text_table

EXAMPLES = int(os.environ.get("CRM_EXAMPLES", "300"))
FREE = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

# Whatever a cell may hold, and often what makes trouble in one.
LETTERS = st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from(list(',;\t| "\n\r09Aa张㐀𠮷'))
CELL = st.text(LETTERS, max_size=8) | st.sampled_from(
    ["", '"', '""', "\n", "\r\n", ",", "NA", "007", "a\n1,2"]
)
TABLE = st.integers(1, 5).flatmap(
    lambda width: st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=1, max_size=8)
)


@FREE
@given(
    table=TABLE,
    delimiter=st.sampled_from(",;\t| "),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030"]),
    # Where only what must be quoted is, Python quotes no other line end than its own.
    quoting=st.sampled_from(
        [(csv.QUOTE_ALL, end) for end in ("\n", "\r\n", "\r")] + [(csv.QUOTE_MINIMAL, "\r\n")]
    ),
    block=st.sampled_from([3, 17, 2 * 1024**2]),
)
@example([["\ufeff", '"']], ",", "utf-8", (csv.QUOTE_MINIMAL, "\r\n"), 3)
def test_whatever_is_written_into_cells_comes_back(home, table, delimiter, encoding, quoting, block):
    header = [f"column{n}" for n in range(len(table[0]))]
    sink = io.StringIO(newline="")
    writer = csv.writer(sink, delimiter=delimiter, quoting=quoting[0], lineterminator=quoting[1])
    writer.writerows([header, *table])
    path = home / "random.csv"
    path.write_bytes(sink.getvalue().encode(encoding))
    # GB18030 that happens to be UTF-8 as well cannot be told apart by anyone: the client says which.
    stated = "gb18030" if encoding == "gb18030" else None
    usual, encodings.BLOCK = encodings.BLOCK, block
    try:
        found = text_table(path, expected=set(header), delimiter=delimiter, encoding=stated)
        kept = [(n, row) for n, row in enumerate(table, 2) if any(cell.strip() for cell in row)]
        assert records(found) == [row for _, row in kept]
        assert numbers(found) == [n for n, _ in kept]
        assert (aside(found), found.repairs) == ([], [])
    finally:
        encodings.BLOCK = usual


# The 3,755 characters of everyday Chinese, as GB 2312 lists them.
EVERYDAY = [bytes([row, cell]).decode("gb2312") for row in range(0xB0, 0xD7) for cell in range(0xA1, 0xFA)]
COMMON = st.text(st.sampled_from(EVERYDAY), min_size=2, max_size=6)


@FREE
@given(
    table=st.lists(st.tuples(COMMON, COMMON), min_size=3, max_size=9),
    encoding=st.sampled_from(["utf-8", "gb18030"]),
)
def test_chinese_is_told_from_chinese_without_being_told(home, table, encoding):
    text = "\n".join(["编号,客户,城市", *(f"c{n},{a},{b}" for n, (a, b) in enumerate(table))])
    path = home / "random.csv"
    path.write_bytes(text.encode(encoding))
    found = text_table(path, expected={"编号", "客户"})
    assert records(found) == [[f"c{n}", a, b] for n, (a, b) in enumerate(table)]


FAULTS = [
    "x",
    "x,y,z,w",
    'x,"y,z',
    'x,"y"z,w',
    'x,y",z',
    '"',
    '""",x',
    "x;y;z",
    "",
    ",,",
    "a,b,c",
    "合计,,3",
    "\x00,1,2",
]


@FREE
@given(lines=st.lists(st.sampled_from([*FAULTS, "A1,1,2", 'A2,"1, 2",3', 'A3,"1\n2",3']), max_size=12))
def test_every_line_of_a_faulty_file_is_a_record_or_set_aside_or_blank(home, lines):
    # The last two lines close what a stray mark opened.
    text = "\n".join(["a,b,c", *lines, 'Z,"1, 2",3', 'Z,"3, 4",5']) + "\n"
    path = home / "faulty.csv"
    path.write_text(text, newline="")
    found = text_table(path, expected={"a", "b", "c"})
    kept = records(found)
    assert kept[-1] == ["Z", "3, 4", "5"]
    assert {row[0] for row in kept} <= {"A1", "A2", "A3", "Z", "x", ""}
    told = [1 + sum(cell.count("\n") for cell in row) for row in kept]
    told += [1 + raw.count("\n") for _, _, raw in aside(found)]
    assert text.count("\n") == 1 + found.blank + sum(told)


REAL = [
    "cdnow/cdnow_sample.csv",
    *(f"olist_sample/olist_{name}_dataset.csv" for name in ("customers", "order_reviews", "products")),
    *(f"telco_multi/Telco_customer_churn_{name}.csv" for name in ("demographics", "services")),
    "satisfaction_ecsi/plspm_mobile.csv",
]


@pytest.mark.parametrize("name", REAL)
def test_a_real_file_is_what_pythons_own_reader_makes_of_it(shared, name):
    data = (shared / "data" / name).read_bytes()
    text = data.decode("utf-8").removeprefix("\ufeff")
    first, *rest = csv.reader(io.StringIO(text, newline=""))
    found = text_table(shared / "data" / name, expected={cell for cell in first if cell})
    assert len(found.headers) == len(first)
    assert records(found) == [row for row in rest if any(cell.strip() for cell in row)]
    assert aside(found) == []


def test_half_a_million_real_lines_are_all_there(shared):
    path = shared / "data" / "online_retail.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        first, *rest = csv.reader(file)
    found = text_table(path, expected=set(first))
    assert found.records == len(rest) == 541_909
    for place in (0, 2):
        assert found.rows[first[place]].to_pylist() == [row[place] for row in rest]
