"""Numbers that look like another's: told, and never merged."""

import pytest
from builders import ORDERS, made, text

from crmlib.cleaning import alike_numbers, delivery
from crmlib.cleaning.alike_numbers import alike
from crmlib.collection import sources

CYRILLIC = "С007"  # its first letter is not Latin


def cleaned(home, *numbers: str):
    lines = [f"A{n},{number},2024-10-0{n},1,{n}0.00" for n, number in enumerate(numbers, 1)]
    client = made(home)
    came = {"transactions": sources.from_text("transactions", text(ORDERS.splitlines()[0], *lines))}
    return delivery.cleaned(came, client, delivered_on=client.delivered_on)


@pytest.mark.parametrize(
    ("one", "other", "ways"),
    [
        ("007", "007.0", "decimal_part"),
        ("007", "7", "leading_zeros"),
        ("C007", CYRILLIC, "other_script"),
        ("C007", "c007", "capitals"),
        ("C007", "C-007", "separators"),
        ("C007", "с 7", "capitals, other_script, separators, leading_zeros"),
    ],
)
def test_two_numbers_that_look_alike_are_told_with_how_they_differ(one, other, ways):
    assert alike_numbers.bare(one) == alike_numbers.bare(other)
    assert alike_numbers.differences(one, other) == ways


@pytest.mark.parametrize(("one", "other"), [("C007", "C070"), ("A1", "B1"), ("7.5", "7.0"), ("C07", "C077")])
def test_numbers_of_two_customers_are_not_alike(one, other):
    assert alike_numbers.bare(one) != alike_numbers.bare(other)


def test_alike_numbers_stay_two_customers_and_are_listed_with_their_money(home):
    found = cleaned(home, "007", "007.0", "C1", "C2")
    table = alike(found)
    assert table[["customer_id", "other_id", "differ_by", "lines"]].values.tolist() == [
        ["007", "007.0", "decimal_part", 1]
    ]
    assert table["money"].tolist() == [2000]  # one line of 20.00
    assert found["transactions"].count == 4


def test_a_delivery_without_such_numbers_lists_none(home):
    assert alike(cleaned(home, "C1", "C2", "C3")).empty
