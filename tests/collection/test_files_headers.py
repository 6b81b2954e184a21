"""Rows 28–31 and 34 of the catalogue: where the header stands and what its columns are called."""

import pytest
from readings import numbers, records, refusal

from crmlib.collection.files import text_table

MAPPED = {"order", "day", "pieces", "price"}


def test_records_without_a_header_are_refused_and_nobody_is_named(file):
    text = "张三,13800138000,北京\n李四,13900139000,上海\n王五,13700137000,广州\n"
    assert refusal(file(text), expected={"name", "phone"}) == (
        "f.csv has no known header: none of the mapped columns (name, phone) is in its first 3 rows. "
        "It begins with row 1: 3 cells; row 2: 3 cells; row 3: 3 cells. "
        "Mend `columns` in client.yml, or say `header_row`."
    )


def test_a_list_of_names_without_a_header_is_not_shown_either(file):
    said = refusal(file("张三,北京\n李四,上海\n"), expected={"name"})
    assert "张三" not in said
    assert "李四" not in said


@pytest.mark.parametrize(
    "above", ["Sales of Acme\n", "Sales of Acme,,,\n\nas of 2024,,,\n", '"Sales, all",\n', "\n\n"]
)
def test_titles_are_passed_over(file, above):
    found = text_table(file(above + "order,day\nA1,2024-10-01\n"), expected=MAPPED)
    assert (found.headers, records(found)) == (["order", "day"], [["A1", "2024-10-01"]])
    assert found.titles == above.count("\n")
    assert numbers(found) == [found.titles + 2]


@pytest.mark.parametrize(
    ("head", "titles"),
    [("order,day,money,\n,,pieces,price\n", 0), ("Sales\ngroup,,money,\norder,day,pieces,price\n", 2)],
)
def test_a_header_over_two_rows_names_every_column(file, head, titles):
    found = text_table(file(head + "A1,2024-10-01,1,9.90\n"), expected=MAPPED)
    assert found.headers == ["order", "day", "pieces", "price"]
    assert (found.titles, records(found)) == (titles, [["A1", "2024-10-01", "1", "9.90"]])


@pytest.mark.parametrize("second", ["day,order", "order,price", "order,day,pieces"])
def test_two_tables_in_one_file_are_refused(file, second):
    text = f"order,day\nA1,1\n\n{second}\nx,y\n"
    assert refusal(file(text), expected=MAPPED).startswith(
        "f.csv holds two headers that differ, in rows 1 and 4: two tables in one file. "
    )


def test_a_second_table_far_below_is_seen_too(file):
    text = "order,day\n" + "A1,1\n" * 40 + "day,price\n" + "1,9\n" * 3
    assert refusal(file(text), expected=MAPPED) == (
        "f.csv holds two headers that differ, in rows 1 and 42: two tables in one file. Deliver them apart, "
        "or say which is meant (`header_row` in client.yml) and take out the other."
    )


def test_a_stated_header_row_is_the_header(file):
    path = file("about,this\norder,day\nA1,1\n")
    found = text_table(path, expected={"nothing known"}, header_row=2)
    assert (found.headers, found.titles, records(found)) == (["order", "day"], 1, [["A1", "1"]])
    assert refusal(path, header_row=7) == (
        "f.csv has no header in row 7, which `header_row` in client.yml names. Mend it."
    )


def test_a_column_named_twice_with_the_same_cells_is_one_column(file):
    found = text_table(file("order,day,order\nA1,1,A1\nA2,2,A2\n"), expected=MAPPED)
    assert (found.headers, records(found)) == (["order", "day"], [["A1", "1"], ["A2", "2"]])
    assert found.notes == [("repeated-column-dropped", "order")]


def test_a_column_named_twice_with_other_cells_is_refused(file):
    text = "order,day,order\n" + "A1,1,A1\n" * 50 + "A2,2,A3\n"
    assert refusal(file(text), expected=MAPPED) == "f.csv names a column twice: order. Rename one of them."


@pytest.mark.parametrize("second", ["客户\u3000编号", "客户\u200b 编号", " 客户 编号", "客户 编号\ufeff"])
def test_two_headers_that_are_one_once_tidied_are_refused(file, second):
    said = refusal(file(f"客户 编号,{second}\n1,1\n"), expected={"客户 编号"})
    assert said == "f.csv names a column twice: 客户 编号. Rename one of them."


def test_a_nameless_column_that_holds_nothing_is_left_out(file):
    found = text_table(file("order,,day,\nA1,,1, \nA2,,2,\n"), expected=MAPPED)
    assert (found.headers, records(found)) == (["order", "day"], [["A1", "1"], ["A2", "2"]])
    assert found.notes == [("empty-columns-dropped", "2, 4")]


def test_a_nameless_column_that_holds_something_is_kept_under_a_name(file):
    text = "order,,day\n" + "A1,,1\n" * 50 + "A2,x,2\n"
    found = text_table(file(text), expected=MAPPED)
    assert found.headers == ["order", "column 2", "day"]
    assert records(found)[-1] == ["A2", "x", "2"]
    assert found.notes == [("unnamed-column", "column 2")]


@pytest.mark.parametrize(
    "header",
    [
        "客户 编号",
        " 客户\u3000编号 ",
        "客户 编号\u200b",
        "\ufeff客户 编号",
        "客户  编号",
        "客\u00ad户 编\x00号",
    ],
)
def test_a_header_in_any_spelling_is_the_header_that_is_mapped(file, header):
    assert text_table(file(f"{header},城市\n1,2\n"), expected={"客户 编号"}).headers == ["客户 编号", "城市"]


def test_full_width_letters_in_a_header_are_letters(file):
    found = text_table(file("Ｏｒｄｅｒ　ＩＤ,day\n1,2\n"), expected={"Order ID"})
    assert found.headers == ["Order ID", "day"]


def test_a_sentence_is_not_parted_at_its_blanks(file):
    found = text_table(file("said\nvery good\nnot so good\n"), expected={"said"})
    assert records(found) == [["very good"], ["not so good"]]


def test_without_known_headers_the_delimiter_is_the_one_that_agrees(file):
    text = "a;b;c\n1,5;2;x\n3,7;4;y, z\n"
    found = text_table(file(text), expected=set())
    assert (found.form, records(found)[0]) == ("UTF-8, semicolon", ["1,5", "2", "x"])
