"""Cells as numbers and dates: only what is plainly one."""

import datetime as dt
from decimal import Decimal

import duckdb
import pytest

from crmlib.collection import values


def read(expression: str, cell: str):
    return duckdb.execute(f"SELECT {expression} FROM (SELECT ? AS cell)", [cell]).fetchall()[0][0]


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("12", "12"),
        ("-3", "-3"),
        ("+3", "3"),
        (" 7 ", "7"),
        ("1,234", "1234"),
        ("1,234,567.89", "1234567.89"),
        ("¥12.50", "12.5"),
        ("￥1,000", "1000"),
        (".5", "0.5"),
        ("0.1", "0.1"),
        ("1e3", "1000"),
        ("1E-2", "0.01"),
        ("000123", "123"),
        ("9999999999999999.99", "9999999999999999.99"),  # a float would round this up
        (
            "\t7",
            "7",
        ),
        ("7\u3000", "7"),
        ("7\u00a0", "7"),
    ],
)
def test_what_is_plainly_a_number_is_read_exactly(cell, number):
    assert read(values.number("cell"), cell) == Decimal(number)
    assert read(values.given("cell"), cell) is True


@pytest.mark.parametrize(
    "cell",
    # 1,5 is not 15; 12,34 is not 1234; 1e99 is no price
    [
        "1,5",
        "12,34",
        "1.234,56",
        "5.",
        "1 234",
        "(100)",
        "45%",
        "0x1F",
        "nan",
        "inf",
        "--5",
        "1.2.3",
        "两笔",
        "面议",
        "12元",
        "1e99",
        "NA",
        "9" * 30,
    ],
)
def test_what_is_not_plainly_a_number_is_none_and_is_not_overlooked(cell):
    assert read(values.number("cell"), cell) is None
    assert read(values.given("cell"), cell) is True


@pytest.mark.parametrize("cell", ["", " ", "\u3000", "-", "--", "N/A", "NULL", r"\N", "无", "未知"])
def test_what_firms_write_for_nothing_is_nothing(cell):
    assert read(values.given("cell"), cell) is False
    assert read(values.number("cell"), cell) is None


@pytest.mark.parametrize("cell", ["NA", "None", "null", "无"])
def test_a_customer_called_na_is_a_customer(cell):
    assert read(values.text("cell"), cell) == cell


@pytest.mark.parametrize(
    ("cell", "text"), [(" c1\t", "c1"), ("\u3000张三\u3000", "张三"), ("", None), (" \n", None)]
)
def test_blanks_around_a_name_are_no_part_of_it(cell, text):
    assert read(values.text("cell"), cell) == text


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("2024-03-05", dt.datetime(2024, 3, 5)),
        ("2024/3/5", dt.datetime(2024, 3, 5)),
        ("2024.3.5", dt.datetime(2024, 3, 5)),
        ("2024年3月5日", dt.datetime(2024, 3, 5)),
        ("20240305", dt.datetime(2024, 3, 5)),
        (" 2024-03-05\u3000", dt.datetime(2024, 3, 5)),
        ("2024-03-05 14:30", dt.datetime(2024, 3, 5, 14, 30)),
        ("2024-03-05T14:30:59", dt.datetime(2024, 3, 5, 14, 30, 59)),
        ("2024年3月5日 4:05", dt.datetime(2024, 3, 5, 4, 5)),
        ("2024-02-29", dt.datetime(2024, 2, 29)),
    ],
)
def test_a_date_with_its_year_first_needs_no_format(cell, moment):
    assert read(values.moment("cell"), cell) == moment


@pytest.mark.parametrize(
    "cell",
    [
        "2023-02-29",
        "2024-02-30",
        "2024-13-05",
        "2024-04-31",
        "20241301",
        "2024-03-05 25:00",
        "05/03/2024",
        "3/5/24",
        "45356",
        "2024",
        "2024-3",
        "待定",
        "31日",
        "",
    ],
)
def test_a_day_that_does_not_exist_or_might_be_another_is_no_date(cell):
    assert read(values.moment("cell"), cell) is None


def test_day_first_dates_are_read_as_the_client_says():
    assert read(values.moment("cell", "%d/%m/%Y"), "05/03/2024") == dt.datetime(2024, 3, 5)
    assert read(values.moment("cell", "%m/%d/%Y %H:%M"), "05/03/2024 8:26") == dt.datetime(2024, 5, 3, 8, 26)
    assert read(values.moment("cell", "%d/%m/%Y"), "2024-03-05") is None


def test_an_order_just_before_midnight_is_of_that_day():
    # 2024-12-31 is day 20,088 since 1970
    assert read(values.day("cell"), "2024-12-31 23:59:59") == 20088
    assert read(values.day("cell"), "1969-12-31") == -1


def test_headers_with_quotes_and_values_with_apostrophes_are_text():
    name, literal = values.name('a"b'), values.literal("x'); DROP TABLE t; --")
    assert duckdb.execute(f'SELECT {name} FROM (SELECT 1 AS "a""b")').fetchall() == [(1,)]
    assert duckdb.execute(f"SELECT {literal}").fetchall() == [("x'); DROP TABLE t; --",)]
