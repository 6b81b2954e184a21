"""Rows 16 and 18–33 of the catalogue: what is one record, and what is none."""

import json

import pytest
from readings import aside, numbers, records, refusal

from crmlib.collection import encodings
from crmlib.collection.files import text_table

PLAIN = "order,day,pieces\nA1,2024-10-01,1\nA2,2024-10-02,2\nA3,2024-10-03,3\nA4,2024-10-04,4\n"
TWIN = [
    ["A1", "2024-10-01", "1"],
    ["A2", "2024-10-02", "2"],
    ["A3", "2024-10-03", "3"],
    ["A4", "2024-10-04", "4"],
]


@pytest.fixture(params=[2 * 1024**2, 16], ids=["one-block", "tiny-blocks"])
def block(request, monkeypatch):
    """Every fault is found wherever a block of the file ends."""
    monkeypatch.setattr(encodings, "BLOCK", request.param)


def read(path, **how):
    return text_table(path, expected=how.pop("expected", {"order", "day"}), **how)


def changed(line: int, new: str) -> str:
    """The plain table with one line in another's place."""
    lines = PLAIN.splitlines()
    lines[line - 1] = new
    return "\n".join(lines) + "\n"


def without(*rows: int) -> list[list[str]]:
    """The plain table's records without those of some rows."""
    return [record for row, record in enumerate(TWIN, 2) if row not in rows]


SPECTRUM = [
    *("comma_in_quotes", "empty", "empty_crlf", "escaped_quotes", "json", "location_coordinates"),
    *("newlines", "newlines_crlf", "quotes_and_newlines", "simple", "simple_crlf", "utf8"),
]


@pytest.mark.parametrize("name", SPECTRUM)
def test_the_twelve_files_of_csv_spectrum_are_what_their_json_says(shared, name):
    folder = shared / "corpora" / "csv-spectrum"
    truth = json.loads((folder / "json" / f"{name}.json").read_text("utf-8"))
    if name == "location_coordinates":  # one object, whose telephone is not its file's
        truth = [truth | {"Contact Phone Number": "2095257564"}]
    found = text_table(folder / "csvs" / f"{name}.csv", expected=set(truth[0]))
    assert [dict(zip(found.headers, record, strict=True)) for record in records(found)] == truth
    assert aside(found) == []


def test_the_twelve_are_all_of_csv_spectrum(shared):
    there = {path.stem for path in (shared / "corpora" / "csv-spectrum" / "csvs").iterdir()}
    assert there == set(SPECTRUM)


@pytest.mark.parametrize("mark", [",", ";", "\t", "|", " "])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends_change_nothing(file, block, mark, end):
    found = read(file(PLAIN.replace(",", mark).replace("\n", end)))
    assert (records(found), numbers(found), aside(found)) == (TWIN, [2, 3, 4, 5], [])


def test_line_ends_of_all_kinds_in_one_file_change_nothing(file, block):
    text = "order,day,pieces\r\nA1,2024-10-01,1\rA2,2024-10-02,2\nA3,2024-10-03,3\r\nA4,2024-10-04,4"
    assert records(read(file(text))) == TWIN


@pytest.mark.parametrize("tail", [",", ",,,"])
def test_a_delimiter_at_the_end_of_every_record_shifts_nothing(file, block, tail):
    head, *rest = PLAIN.splitlines()
    found = read(file("\n".join([head, *(line + tail for line in rest)]) + "\n"))
    assert (records(found), aside(found)) == (TWIN, [])
    assert found.notes == [("trailing-delimiter", str(len(tail)))]


def test_where_every_record_ends_with_a_delimiter_one_that_says_more_is_set_aside(file, block):
    head, *rest = PLAIN.splitlines()
    lines = [head, *(line + "," for line in rest)]
    lines[3] += "more"
    found = read(file("\n".join(lines)))
    assert records(found) == without(4)
    assert aside(found) == [(4, "extra-cell", "A3,2024-10-03,3,more")]


def test_a_delimiter_at_the_end_of_the_header_makes_no_column(file, block):
    head, *rest = PLAIN.splitlines()
    found = read(file("\n".join([head + ",", *rest])))
    assert (found.headers, records(found)) == (["order", "day", "pieces"], TWIN)
    assert found.notes == [("trailing-delimiter-header", "1")]


@pytest.mark.parametrize("row", [2, 3, 5], ids=["first", "middle", "last"])
@pytest.mark.parametrize("cell", ["x", ""])
def test_one_record_with_a_cell_too_many_is_set_aside_and_the_others_stay(file, block, row, cell):
    line = PLAIN.splitlines()[row - 1] + "," + cell
    found = read(file(changed(row, line)))
    assert (records(found), aside(found)) == (without(row), [(row, "extra-cell", line)])


@pytest.mark.parametrize("row", [2, 3, 5])
@pytest.mark.parametrize("line", ["A9", "A9,2024-10-09", '"A9"'])
def test_a_record_with_a_cell_too_few_is_set_aside(file, block, row, line):
    found = read(file(changed(row, line)))
    assert (records(found), aside(found)) == (without(row), [(row, "missing-cell", line)])


def test_a_record_with_another_delimiter_is_set_aside(file, block):
    found = read(file(changed(4, "A3;2024-10-03;3")))
    assert (records(found), aside(found)) == (without(4), [(4, "other-delimiter", "A3;2024-10-03;3")])


@pytest.mark.parametrize(
    "line", ['A2,"2024-10-02,2', '"A2,2024-10-02,2', 'A2,2024-10-02,"2', 'A2,"2024-10-02"",2', 'A2,"x"y,2']
)
def test_a_stray_quotation_mark_costs_its_own_line_only(file, block, line):
    later = 'A5,"2024-10-05, at noon",5\n'  # the next honest mark, where the swallowing ends
    found = read(file(changed(3, line) + later))
    assert records(found) == [*without(3), ["A5", "2024-10-05, at noon", "5"]]
    assert aside(found) == [(3, "stray-quote", line)]
    assert numbers(found) == [2, 4, 5, 6]


def test_two_stray_marks_that_make_one_cell_of_three_records_are_seen(file, block):
    # The marks stand where they may: only what the lines hold tells that they are records.
    text = changed(3, 'A2,"2024-10-02,2')
    text = text.replace("A4,2024-10-04,4", 'A4,2024-10-04",4') + "A5,2024-10-05,5\n"
    found = read(file(text))
    assert records(found) == [TWIN[0], TWIN[2], ["A5", "2024-10-05", "5"]]
    assert [row[:2] for row in aside(found)] == [(3, "stray-quote"), (5, "stray-quote")]


def test_where_swallowed_lines_cannot_be_told_all_of_them_are_set_aside(file, block):
    text = 'order,day,said\nA1,1,"it was\nsaid, "quoted" here\nand more",\nA2,2,fine\n'
    found = read(file(text))
    assert records(found) == [["A2", "2", "fine"]]
    assert aside(found) == [
        (2, "stray-quote", 'A1,1,"it was'),
        (3, "stray-quote", 'said, "quoted" here'),
        (4, "stray-quote", 'and more",'),
    ]


def test_a_mark_that_is_never_closed_is_refused_with_the_line_that_opened_it(file, block):
    assert refusal(file(changed(4, 'A3,"2024-10-03,3')), expected={"order"}) == (
        "f.csv, line 4: a quotation mark is opened and never closed; all that follows would be one cell. "
        'Close it or double it (""), or ask for the file again.'
    )


def test_the_line_of_an_open_mark_is_counted_in_lines_of_the_file(file, block):
    text = 'Report\n\norder,day\nA1,"two\nlines"\nA2,"open\n'
    assert refusal(file(text), expected={"order", "day"}).startswith("f.csv, line 6: ")


def test_inches_within_a_cell_are_text(file, block):
    found = read(file('order,day,what\nA1,1,5" pipe\nA2,2,"6"" pipe"\n'))
    assert (records(found), aside(found)) == ([["A1", "1", '5" pipe'], ["A2", "2", '6" pipe']], [])


def test_a_cell_of_several_lines_is_one_cell(file, block):
    found = read(file('order,day,said\nA1,1,"a\r\nb,c\n\nd"\nA2,2,"say ""yes""\n"\n'))
    assert records(found) == [["A1", "1", "a\r\nb,c\n\nd"], ["A2", "2", 'say "yes"\n']]
    assert (numbers(found), aside(found)) == ([2, 3], [])


@pytest.mark.parametrize("quote", ['"', ""])
def test_a_cell_of_two_hundred_thousand_letters_is_no_cell(file, quote):
    found = read(file(changed(3, f"A2,{quote}{'x' * 200_000}{quote},2")))
    assert records(found) == without(3)
    (row, reason, raw) = aside(found)[0]
    assert (row, reason, raw.endswith("… (200,007 characters)")) == (
        3,
        "oversized-cell",
        bool(quote),
    ) or not quote
    assert len(raw) < 33_000


def test_a_cell_of_thirty_megabytes_is_set_aside(file):
    found = read(file(changed(3, f'A2,"{"x" * 30_000_000}",2')))
    assert records(found) == without(3)
    assert [row[:2] for row in aside(found)] == [(3, "oversized-cell")]


def test_a_header_that_comes_again_is_no_record(file, block):
    found = read(file(changed(4, "order,day,pieces")))
    assert (records(found), aside(found)) == (without(4), [(4, "repeated-header", "order,day,pieces")])


@pytest.mark.parametrize(
    ("line", "record"),
    [
        ("合计,,10", False),
        (",总计,10", False),
        ("小计：,1,10", False),
        ('Grand total,,"1,234.50"', False),
        ("Total,,¥10.00", False),
        ("Total,2024-10-03,3", True),  # a firm of that name
        ("A3,合计,3", True),
        ("合计,see below,3", True),
    ],
)
def test_a_total_is_no_record_and_a_firm_called_total_is_one(file, block, line, record):
    found = read(file(changed(4, line)))
    assert [row[:2] for row in aside(found)] == ([] if record else [(4, "not-a-record")])
    assert len(records(found)) == (4 if record else 3)


def test_blank_lines_are_counted_and_are_no_records(file, block):
    found = read(file("order,day\n\nA1,1\n  ,\n,\n\nA2,2\n\n"))
    assert (records(found), numbers(found), found.records) == ([["A1", "1"], ["A2", "2"]], [3, 7], 2)
    assert found.notes == [("blank-rows", "5")]


def test_a_file_can_be_read_twice(file):
    found = read(file(changed(3, "A9") + "\n"))
    assert [sum(batch.num_rows for batch in found.batches()) for _ in range(2)] == [3, 3]
    assert (found.records, len(found.broken), found.blank) == (4, 1, 1)


def test_every_record_of_a_long_file_is_there_wherever_faults_stand(file):
    # 120,000 lines, several blocks: a fault in every ten thousandth.
    faults = {0: "A,1", 1: "A,1,2,3", 2: 'A,"1,2', 3: "", 4: 'A,"a""b",2'}
    lines = [f"A{n},{n % 31},{n % 7}" for n in range(120_000)]
    for n in range(12):
        lines[n * 10_000 + 17] = faults[n % 5]
    found = read(file("order,day,pieces\n" + "\n".join(lines) + '\nB,"x, y",1\n'))
    counts = {
        reason: sum(broken[1] == reason for broken in aside(found)) for reason in {b[1] for b in aside(found)}
    }
    assert counts == {"missing-cell": 3, "extra-cell": 3, "stray-quote": 2}
    assert found.blank == 2
    assert found.rows.num_rows == 120_001 - 3 - 3 - 2 - 2
    assert records(found)[-1] == ["B", "x, y", "1"]
    assert numbers(found)[-1] == 120_002
