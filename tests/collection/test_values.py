"""Cells as text: what is there, what firms write for nothing, and what is quoted for the database."""

import duckdb
import pytest

from crmlib.collection import values


def read(expression: str, cell: str):
    return duckdb.execute(f"SELECT {expression} FROM (SELECT ? AS cell)", [cell]).fetchall()[0][0]


@pytest.mark.parametrize("cell", ["", " ", "\u3000", "-", "--", "N/A", "NULL", r"\N", "无", "未知"])
def test_what_firms_write_for_nothing_is_nothing(cell):
    assert read(values.given("cell"), cell) is False


@pytest.mark.parametrize("cell", ["NA", "1,5", "两笔", "9" * 30])
def test_what_is_no_number_is_not_overlooked(cell):
    assert read(values.given("cell"), cell) is True


@pytest.mark.parametrize("cell", ["NA", "None", "null", "无"])
def test_a_customer_called_na_is_a_customer(cell):
    assert read(values.text("cell"), cell) == cell


@pytest.mark.parametrize(
    ("cell", "text"), [(" c1\t", "c1"), ("\u3000张三\u3000", "张三"), ("", None), (" \n", None)]
)
def test_blanks_around_a_name_are_no_part_of_it(cell, text):
    assert read(values.text("cell"), cell) == text


def test_headers_with_quotes_and_values_with_apostrophes_are_text():
    name, literal = values.name('a"b'), values.literal("x'); DROP TABLE t; --")
    assert duckdb.execute(f'SELECT {name} FROM (SELECT 1 AS "a""b")').fetchall() == [(1,)]
    assert duckdb.execute(f"SELECT {literal}").fetchall() == [("x'); DROP TABLE t; --",)]
