"""Two spellings of one thing have one normal form; two things keep two."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlib.cleaning import normal


def forms(function, *values, **settings) -> list:
    return function(pd.Series(list(values), dtype=object), **settings).tolist()


@pytest.mark.parametrize(
    "spellings",
    [
        ("陈伟", "陳偉", " 陈 伟 ", "陈\u200b伟", "陈·伟", "陳　偉"),
        ("O'Brien", "o’brien", "O BRIEN", "Ｏ＇Ｂｒｉｅｎ"),
        ("赵㭎", "趙㭎"),
        ("NA", "na", "ＮＡ"),
    ],
)
def test_a_name_has_one_form_however_it_is_written(spellings):
    assert len(set(forms(normal.name, *spellings))) == 1


def test_names_that_a_program_may_take_for_nothing_stay_names():
    assert forms(normal.name, "NA", "None", "null", "无") == ["na", "none", "null", "无"]


def test_a_cell_without_a_letter_or_digit_is_empty():
    assert forms(normal.name, "", "…", " - ", None) == [None] * 4


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("广州瑞恒科技有限公司", "广州瑞恒科技"),
        ("广州瑞恒科技有限责任公司", "广州瑞恒科技"),
        ("廣州瑞恆科技股份有限公司", "广州瑞恒科技"),
        ("广州瑞恒科技（集团）有限公司", "广州瑞恒科技"),
        ("广州瑞恒科技集团", "广州瑞恒科技"),
        ("Northwind Traders Co., Ltd.", "northwind traders"),
        ("Müller Maschinenbau GmbH", "müller maschinenbau"),
        ("Acme, Inc.", "acme"),
        ("Acme L.L.C.", "acme l l c"),  # dots part letters: left apart rather than guessed
        ("Ltd", "ltd"),
        ("瑞恒科技有限公司上海分公司", "瑞恒科技上海分公司"),
        ("瑞恒科技（上海）分公司", "瑞恒科技上海分公司"),
    ],
)
def test_a_firm_loses_its_legal_form_and_a_branch_keeps_its_mark(name, form):
    assert forms(normal.name, name) == [form]


@pytest.mark.parametrize(
    ("first", "second"),
    [("瑞恒科技", "瑞恒科技上海分公司"), ("永辉一店", "永辉二店"), ("Acme branch 1", "Acme branch 2")],
)
def test_houses_of_one_firm_have_different_marks(first, second):
    mine, other = forms(normal.marks, first, second)
    assert mine != other


def test_a_telephone_has_one_form_with_the_country_of_the_client():
    spellings = (
        "13900001111",
        "139-0000-1111",
        "+86 139 0000 1111",
        "0086 13900001111",
        "１３９００００１１１１",
    )
    assert set(forms(normal.contact, *spellings, "8613900001111", region="CN")) == {"+8613900001111"}
    landline = ("020-88887777", "（020）8888 7777", "+86 20 8888 7777")
    assert set(forms(normal.contact, *landline, region="CN")) == {"+862088887777"}


def test_the_same_digits_are_another_telephone_in_another_country():
    assert forms(normal.contact, "020 7946 0000", region="GB") == ["+442079460000"]
    assert forms(normal.contact, "020 7946 0000") == ["02079460000"]


def test_two_extensions_of_one_switchboard_are_two_contacts():
    assert forms(normal.contact, "020-88887777转12", "020-88887777 ext. 13", region="CN") == [
        "+862088887777x12",
        "+862088887777x13",
    ]


def test_stopgaps_reach_nobody():
    assert forms(normal.contact, "00000000000", "11111111111", "123", "无", "-", region="CN") == [None] * 5


def test_an_email_is_its_small_letters():
    assert forms(normal.contact, " Ann@ACME.com ", "ａｎｎ＠acme.com") == ["ann@acme.com"] * 2


@pytest.mark.parametrize(
    ("zone", "currency", "country"),
    [
        ("Asia/Shanghai", "CNY", "CN"),
        ("UTC", "CNY", "CN"),
        ("Europe/London", "EUR", "GB"),
        ("UTC", "EUR", None),
    ],
)
def test_a_clients_country_is_that_of_its_clock_else_of_its_money(zone, currency, country):
    assert normal.country(zone, currency) == country


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=12), max_size=8))
def test_a_normal_form_is_its_own_normal_form_or_shorter_and_never_fails(names):
    for function in (normal.text, normal.name, normal.place, normal.gender, normal.contact, normal.marks):
        assert len(forms(function, *names)) == len(names)
    once = forms(normal.text, *names)
    twice = forms(normal.text, *once)
    assert [form for form in twice if form] == [form for form in once if form]
