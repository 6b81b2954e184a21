"""One cell as a number, an id or a currency: read exactly, or not at all."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlib.collection import values

READ = [
    ("12", "12", ""),
    ("-3.5", "-3.5", ""),
    ("+3", "3", ""),
    (" 7\u3000", "7", ""),
    (".5", "0.5", ""),
    ("000123", "123", ""),
    ("9999999999999999.99", "9999999999999999.99", ""),  # a float would round this up
    ("１２３", "123", "width"),
    ("－１２．５", "-12.5", "width"),
    ("−5", "-5", "width"),  # the minus sign of mathematics
    ("1,234", "1234", "thousands"),
    ("1,234,567.89", "1234567.89", "thousands"),
    ("１，２３４．５０", "1234.50", "thousands"),
    ("1e5", "100000", "exponent"),
    ("1.38E+10", "13800000000", "exponent"),
    ("1E-2", "0.01", "exponent"),
    ("(1,234)", "-1234", "negative"),
    ("（12）", "-12", "negative"),
    ("12-", "-12", "negative"),
    ("￥1,234.50", "1234.50", "currency"),
    ("¥12.50", "12.5", "currency"),
    ("-¥5", "-5", "currency"),
    ("¥-5", "-5", "currency"),
    ("(¥5)", "-5", "currency"),
    ("$1,234", "1234", "currency"),
    ("€5", "5", "currency"),
    ("£5", "5", "currency"),
    ("12.50 USD", "12.5", "currency"),
    ("CNY 12", "12", "currency"),
    ("RMB12", "12", "currency"),
    ("人民币12", "12", "currency"),
    ("10000元", "10000", "currency"),
    ("10,000.00 元", "10000", "currency"),
    ("100块", "100", "currency"),
    ("12%", "0.12", "percent"),
    ("-0.5 %", "-0.005", "percent"),
    ("１２％", "0.12", "percent"),
    ("3.2万", "32000", "unit"),
    ("3.2万元", "32000", "unit"),
    ("￥3.2萬", "32000", "unit"),
    ("1.5亿", "150000000", "unit"),
    ("2千", "2000", "unit"),
    ("3百万", "3000000", "unit"),
    ("10k", "10000", "unit"),
    ("10 K", "10000", "unit"),
    ("50分", "0.5", "unit"),
    ("3角", "0.3", "unit"),
    ("10次", "10", "unit"),
    ("2 台", "2", "unit"),
    ("5件", "5", "unit"),
    ("5 pcs", "5", "unit"),
    ("2万件", "20000", "unit"),
]


@pytest.mark.parametrize(("cell", "number", "rule"), READ, ids=[cell for cell, _, _ in READ])
def test_a_number_is_read_exactly_and_its_rule_is_told(cell, number, rule):
    assert values.number_of(cell) == (Decimal(number), rule)


@pytest.mark.parametrize(
    "cell",
    [
        *("", "-", "面议", "two", "inf", "-inf", "nan", "1_000", "0x1F", "1e99", "--5", "1.2.3", "5."),
        *("1,5", "12,34", "1,2345", "0,123", "1.234,56", "1 234", "1,234e2"),
        *(
            "10²",
            "①",
            "½",
            "٣",
            "10M",
            "10W",
            "10kg",
            "5箱装",
            "件",
            "%",
            "5%%",
            "12%元",
            "¥",
            "¥5件",
            "5USDX",
        ),
        *("(5", "5)", "-(5)", "(-5)", "-5-", "¥5 $", "9" * 20, "1" * 65),
    ],
)
def test_what_is_not_surely_a_number_is_none(cell):
    assert values.number_of(cell) is None


def test_a_comma_is_a_decimal_sign_only_where_the_column_says_so():
    assert values.number_of("1.234,56", decimal=",") == (Decimal("1234.56"), "decimal-comma")
    assert values.number_of("1.234", decimal=",") == (Decimal("1234"), "thousands")
    assert values.number_of("1,234.56", decimal=",") is None
    assert values.number_of("1.5", decimal=",") is None


def test_fen_are_money_in_a_price_and_points_in_a_survey():
    assert values.number_of("8分", units=values.MONEY) == (Decimal("0.08"), "unit")
    assert values.number_of("8分", units=values.POINTS) == (Decimal(8), "unit")


def test_a_unit_of_another_kind_of_column_is_no_number_there():
    assert values.number_of("5元", units=values.COUNTS) is None
    assert values.number_of("5件", units=values.MONEY) is None
    assert values.number_of("12%", units=values.MONEY) is None


@pytest.mark.parametrize("cell", ["US$5", "5 USD", "€5", "£5", "5美元", "HK$5"])
def test_another_currency_is_no_number_of_a_client_in_yuan_and_is_told_apart(cell):
    assert values.number_of(cell, currency="CNY") is None
    assert values.foreign(cell, "CNY")


@pytest.mark.parametrize("cell", ["¥5", "￥5", "5元", "RMB 5", "CNY5", "5", "5件", "five", ""])
def test_the_clients_own_currency_is_not_foreign_and_neither_is_what_is_no_money(cell):
    assert not values.foreign(cell, "CNY")


number = st.decimals(min_value=-(10**12), max_value=10**12, places=3, allow_nan=False)


@settings(max_examples=300)
@given(number)
def test_whatever_form_a_number_is_written_in_it_is_that_number(x):
    size = abs(x)
    german = f"{size:,.3f}".translate(str.maketrans(",.", ".,"))
    assert values.number_of(format(x, "f"))[0] == x
    assert values.number_of(f"{x:,.3f}")[0] == x
    assert values.number_of(german, decimal=",")[0] == size
    assert values.number_of(f"({size:,.3f})")[0] == -size
    assert values.number_of(f"{size:.3f}-")[0] == -size
    assert values.number_of(f"￥{size:,.3f}")[0] == size
    assert values.number_of(f"{size:.3f}元")[0] == size
    assert values.number_of(f"{size:.3f}万")[0] == size * 10_000
    assert values.number_of(f"{size:.3f}%")[0] == size / 100
    wide = str.maketrans("0123456789.-", "０１２３４５６７８９．－")
    assert values.number_of(format(x, "f").translate(wide))[0] == x


@settings(max_examples=300)
@given(st.text(max_size=20))
def test_no_text_makes_a_reader_stumble(text):
    for read in (values.number_of, values.decimal_told, values.id_of, values.currency_of):
        read(text)
    values.foreign(text, "CNY")


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("1,234.50", "."),
        ("1,234,567", "."),
        ("12.50", "."),
        ("0.123", "."),
        ("1234.567", "."),
        ("1.234,50", ","),
        ("1.234.567", ","),
        ("1,5", ","),
        ("0,123", ","),
        ("1,234", "either"),
        ("1.234", "either"),
        ("$1,234", "either"),
        ("€1.234", "either"),
        ("￥1,234", "."),  # who writes yuan writes a point
        ("1,234元", "."),
        ("1.234万", "."),
        ("12", None),
        ("1,23,4", None),
        ("soon", None),
    ],
)
def test_a_cell_tells_which_sign_is_its_decimal_one(cell, told):
    assert values.decimal_told(cell) == told


@pytest.mark.parametrize(
    ("cell", "read"),
    [
        (" 007 ", ("007", "")),
        ("007.0", ("007.0", "")),  # may be another than 007
        ("Ｃ００７", ("C007", "width")),
        ("C007", ("C007", "")),
        ("С007", ("С007", "")),  # a Cyrillic letter: another customer
        ("12E5", ("12E5", "")),
        ("1E10", ("1E10", "")),
        ("1.38E+10", None),
        ("1.3800138E+10", None),
        ("1.23456789012346E+17", None),
        ("1.3800138001E+10", ("13800138001", "exponent")),
        ("NA", ("NA", "")),
        ("None", ("None", "")),
    ],
)
def test_an_id_keeps_its_zeros_and_letters_and_never_lacks_digits_in_silence(cell, read):
    assert values.id_of(cell) == read


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        ("CNY", {"CNY"}),
        ("usd", {"USD"}),
        ("人民币", {"CNY"}),
        ("¥", {"CNY", "JPY"}),
        ("XYZ", set()),
        ("5", set()),
    ],
)
def test_a_currency_is_known_by_its_code_its_sign_or_its_name(cell, meant):
    assert values.currency_of(cell) == meant
