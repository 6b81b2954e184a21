"""A whole column read by what its cells tell, and one question where they leave it open."""

import datetime as dt
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crmlib import tables
from crmlib.collection import readings, sources, values
from crmlib.collection.readings import Form
from crmlib.errors import SourceError


def read(kind, cells: list[str], **said) -> list:
    """Values of a column; "bad" for a cell that cannot be read."""
    found, _ = both(kind, cells, **said)
    return found


def both(kind, cells: list[str], *, optional: bool = False, **said) -> tuple[list, list[tuple]]:
    """The same, and the repairs: row, old, new, rule."""
    collected = sources.from_text("transactions", pd.DataFrame({"Col": cells}))
    engine = tables.engine()
    collected.delivered(engine)
    form = () if kind in (readings.identifier, readings.year) else (Form("transactions", **said),)
    column = kind(engine, "Col", *form, optional=optional)
    rows = engine.sql(
        f"SELECT {column.value}, {column.bad} FROM delivered {readings.joins([column])} ORDER BY _row"
    ).fetchall()
    path = readings.repairs(engine, "transactions", [column])
    told = pq.read_table(path).to_pylist() if path else []
    return (
        ["bad" if bad else value for value, bad in rows],
        [(line["source_row"], line["old"], line["new"], line["rule"]) for line in told],
    )


def test_a_plain_column_is_read_as_it_stands_and_nothing_is_repaired():
    assert both(readings.number, ["12", "-3.5", "0.25", ""]) == (
        [Decimal(12), Decimal("-3.5"), Decimal("0.25"), None],
        [],
    )


def test_every_cell_that_is_not_plain_is_told_with_its_rule():
    found, repairs = both(
        readings.number, ["12.50", "¥1,234.50", "(3)", "１２", "+4", "3.2万", "面议", "-", "无"]
    )
    assert found == [Decimal("12.5"), Decimal("1234.5"), -3, 12, 4, 32000, "bad", None, None]
    assert repairs == [
        (3, "¥1,234.50", "1234.5", "currency"),
        (4, "(3)", "-3", "negative"),
        (5, "１２", "12", "width"),
        (7, "3.2万", "32000", "unit"),
    ]


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["1.234,56", "1.234", "12"], ["1234.56", "1234", "12"]),
        (["1,234.56", "1,234", "12"], ["1234.56", "1234", "12"]),
        (["1,5", "12"], ["1.5", "12"]),
        (["1,234", "12.50"], ["1234", "12.5"]),
        (["1.234", "12.50"], ["1.234", "12.5"]),
        (["￥1,234", "1,500"], ["1234", "1500"]),
        (["1.234.567", "1.234"], ["1234567", "1234"]),
    ],
)
def test_the_decimal_sign_is_what_the_column_tells(cells, numbers):
    assert read(readings.number, cells) == [Decimal(n) for n in numbers]


@pytest.mark.parametrize("cells", [["12", "1,234"], ["1.234", "2.500"], ["1,50", "1.50"]])
def test_a_column_that_does_not_tell_its_decimal_sign_is_asked_for(cells):
    with pytest.raises(SourceError) as refused:
        read(readings.number, cells, config="data/acme/client.yml")
    odd = next(cell for cell in cells if cell != "12")
    assert str(refused.value) == (
        f"transactions: memory, row {cells.index(odd) + 2}, column 'Col' holds '{odd}', and the column does not tell "
        'whether its decimal sign is a point or a comma. Say decimal: "." or decimal: "," under tables.transactions '
        "in data/acme/client.yml."
    )


def test_what_the_client_says_of_the_decimal_sign_holds():
    assert read(readings.number, ["1.234", "1,5"], decimal=",") == [1234, Decimal("1.5")]
    assert read(readings.number, ["1.234", "1,234", "1,5"], decimal=".") == [Decimal("1.234"), 1234, "bad"]


def test_one_comma_among_many_points_is_a_slip_and_its_row_waits():
    assert read(readings.number, [*["2.50"] * 9, "1,5", "1,234"])[-2:] == ["bad", 1234]


def test_among_as_good_as_both_signs_an_open_cell_is_not_guessed():
    assert read(readings.number, ["2.50", "2.75", "1,5", "1,234", "1.234"]) == [
        *(Decimal("2.5"), Decimal("2.75")),
        *("bad", "bad", "bad"),
    ]


def test_another_currency_refuses_the_whole_source():
    with pytest.raises(SourceError) as refused:
        read(readings.number, ["12", "￥5", "US$7"], currency="CNY", config="client.yml")
    assert str(refused.value) == (
        "transactions: memory, row 4, column 'Col' holds 'US$7', but the client's currency is CNY, and two currencies "
        "are never summed. Deliver each currency as a client of its own, or mend currency in client.yml."
    )


@pytest.mark.parametrize(
    ("cells", "days"),
    [
        (["03/04/2024", "13/04/2024"], ["2024-04-03", "2024-04-13"]),
        (["03/04/2024", "04/13/2024"], ["2024-03-04", "2024-04-13"]),
        (["04/04/2024", "2024-04-05"], [None, "2024-04-05"]),
        (["45356", "2024-03-06", "2024年3月7日"], ["2024-03-05", "2024-03-06", "2024-03-07"]),
        (["45356", "45357"], ["2024-03-05", "2024-03-06"]),
    ],
)
def test_the_order_of_day_and_month_is_what_the_column_tells(cells, days):
    expected = [dt.datetime.fromisoformat(day) if day else "bad" for day in days]
    assert read(readings.moment, cells) == expected


def test_a_column_of_open_dates_is_asked_for():
    with pytest.raises(SourceError) as refused:
        read(readings.moment, ["2024-05-06", "04/05/2024", "03/04/2024"])
    assert str(refused.value) == (
        "transactions: memory, row 4, column 'Col' holds '03/04/2024', and the column does not tell whether day or "
        "month comes first. Say day_first: true or day_first: false under tables.transactions in client.yml."
    )


def test_what_the_client_says_of_the_order_holds_and_who_contradicts_waits():
    day = dt.datetime(2024, 4, 3)
    assert read(readings.moment, ["03/04/2024", "04/13/2024"], day_first=True) == [day, "bad"]
    assert read(readings.moment, ["04/03/2024", "13/04/2024"], day_first=False) == [day, "bad"]
    assert read(readings.moment, ["03/04/2024", "04/13/2024"], date_format="%d/%m/%Y") == [day, "bad"]


def test_a_contradicting_date_waits_and_among_many_it_casts_no_doubt():
    assert read(readings.moment, ["13/04/2024"] * 9 + ["04/13/2024", "03/04/2024"])[-2:] == [
        "bad",
        dt.datetime(2024, 4, 3),
    ]
    assert read(readings.moment, ["13/04/2024", "14/04/2024", "04/13/2024", "03/04/2024"])[-2:] == [
        "bad",
        "bad",
    ]


def test_an_excel_serial_is_repaired_and_an_empty_century_is_nothing():
    assert both(readings.moment, ["2024-03-05", "45356.5", "9999-12-31", "soon"]) == (
        [dt.datetime(2024, 3, 5), dt.datetime(2024, 3, 5, 12), None, "bad"],
        [(3, "45356.5", "2024-03-05 12:00:00", "excel-serial"), (4, "9999-12-31", "", "no-date")],
    )


def test_a_plain_time_that_the_clocks_skip_waits_and_others_of_that_day_are_plain():
    cells = ["2024-03-31 00:30", "2024-03-31 01:30", "2024-03-31 02:30", "2024-03-31"]
    assert both(readings.moment, cells, zone="Europe/London") == (
        [dt.datetime(2024, 3, 31, 0, 30), "bad", dt.datetime(2024, 3, 31, 2, 30), dt.datetime(2024, 3, 31)],
        [],
    )


@pytest.mark.parametrize(
    ("cells", "reach"),
    [
        (["2024-03-01 10:00", "", "2024-05-02"], ["2024-03-01", "2024-05-02"]),
        (["2024-03-01", "2024-03-31 01:30"], ["2024-03-01", "2024-03-01"]),  # there is no such time
        (["2024-03-31 01:30", "2024-05-02"], ["2024-05-02", "2024-05-02"]),
        (["2024-03-31 02:30", "2024-05-02"], ["2024-03-31", "2024-05-02"]),
        (["2024-03-01", "2024-03-31 01:30", "2024-05-02"], ["2024-03-01", "2024-05-02"]),
        (["2024-03-01", "2024年5月5日"], ["2024-03-01", "2024-05-05"]),
        (["2024-03-01", "2025-01-01"], ["2024-03-01", "2024-03-01"]),  # after the newest that may be
        (["infinity", "2024-03-01", "290000-01-01", "someday"], ["2024-03-01", "2024-03-01"]),
        (["", " "], None),
    ],
)
def test_a_column_reaches_from_its_first_day_to_its_last(cells, reach):
    engine, days = (
        tables.engine(),
        [(dt.date.fromisoformat(d) - dt.date(1970, 1, 1)).days for d in reach or ()],
    )
    sources.from_text("transactions", pd.DataFrame({"cell": cells})).delivered(engine)
    newest = (dt.date(2024, 12, 31) - dt.date(1970, 1, 1)).days
    form = Form("transactions", zone="Europe/London")
    assert readings.days(engine, "cell", form, newest) == (tuple(days) or None)


def test_ids_are_trimmed_and_narrow_and_nothing_else():
    cells = [" 007", "007.0", "Ｃ００７", "客户1", "NA", "", "\u3000", "1.38E+10", "1.3800138001E+10"]
    assert both(readings.identifier, cells) == (
        ["007", "007.0", "C007", "客户1", "NA", None, None, "bad", "13800138001"],
        [(4, "Ｃ００７", "C007", "width"), (10, "1.3800138001E+10", "13800138001", "exponent")],
    )


def test_a_telephone_without_its_digits_is_emptied_and_that_is_told():
    assert both(readings.identifier, ["13800138001", "1.38E+10"], optional=True)[1] == [
        (3, "1.38E+10", "", "digits-lost")
    ]


def test_of_a_date_of_birth_the_year_is_kept_and_told():
    assert both(readings.year, ["1980", "1991年5月", "unknown", "-"], optional=True) == (
        [1980, 1991, "bad", None],
        [(3, "1991年5月", "1991", "year"), (4, "unknown", "", "unreadable-number")],
    )


def test_a_column_called_text_or_value_is_a_column_like_any_other():
    collected = sources.from_text(
        "transactions", pd.DataFrame({"text": ["¥5"], "value": ["6"], "rule": ["7"]})
    )
    engine = tables.engine()
    collected.delivered(engine)
    columns = [readings.number(engine, name, Form("transactions")) for name in ("text", "value", "rule")]
    parts = ", ".join(column.value for column in columns)
    assert engine.sql(f"SELECT {parts} FROM delivered {readings.joins(columns)}").fetchall() == [(5, 6, 7)]


def test_more_odd_cells_than_are_read_at_once_are_all_read(monkeypatch):
    monkeypatch.setattr(readings, "AT_ONCE", 7)
    cells = [f"￥{n},000.50" for n in range(1, 100)]
    assert read(readings.number, cells) == [Decimal(n * 1000) + Decimal("0.5") for n in range(1, 100)]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.decimals(-(10**9), 10**9, places=2), min_size=1, max_size=30), st.booleans())
def test_a_column_of_numbers_written_anyhow_is_the_same_numbers(numbers, german):
    def written(place: int, number: Decimal) -> str:
        form = (f"{number:.2f}", f"{number:,.2f}", f"￥{number:,.2f}", f"{number:,.2f}元")[place % 4]
        return form.translate(str.maketrans(",.", ".,")) if german else form

    cells = [written(place, number) for place, number in enumerate(numbers)]
    assert read(readings.number, cells) == numbers


def test_plain_means_the_same_to_the_database_and_to_the_careful_reader():
    cells = ["0", "-0", "007", "12.5", ".5", "-.5", "1" * 18, "0.1234567891", "123456789012345678.123456789"]
    careful = [values.number_of(cell)[0] for cell in cells]
    assert read(readings.number, cells) == careful


def test_thousands_are_told_by_what_smaller_numbers_lack():
    engine = tables.engine()
    cells = [f"{n},{n:03}" for n in range(10, 45)] + ["856", "12"]
    engine.register("delivered", pa.table({"people": cells, "_file": ["f"] * 37, "_row": list(range(37))}))
    read = readings.number(engine, "people", readings.Form("places"))
    total = engine.sql(f"SELECT sum({read.value}) FROM delivered {readings.joins([read])}").fetchall()[0][0]
    assert total == sum(1000 * n + n for n in range(10, 45)) + 868


@pytest.mark.parametrize("more", [["4500"], []], ids=["a thousand without its comma", "no small number"])
def test_thousands_are_not_told_where_a_comma_might_be_decimal(more):
    engine = tables.engine()
    cells = [f"{n},{n:03}" for n in range(10, 45)] + (["856", *more] if more else [])
    rows = list(range(len(cells)))
    engine.register("delivered", pa.table({"people": cells, "_file": ["f"] * len(cells), "_row": rows}))
    with pytest.raises(SourceError, match="does not tell whether its decimal sign"):
        readings.number(engine, "people", readings.Form("places"))
