"""Needs as stated, and as purchases tell them."""

import builders
import pandas as pd
import pytest
from builders import day

from crmlib import tables
from crmlib.classification import needs
from crmlib.rules import NeedRule

RULE = NeedRule(orders=2, discount_share=0.5, price_index=1.2, breadth=3)


def survey(*rows: tuple) -> pd.DataFrame:
    """Answers of the needs survey from (customer, day or None, need)."""
    full = [
        dict.fromkeys(tables.NEEDS.schema.names)
        | {"customer_id": who, "known": who is not None, "need": need, "source_file": "s", "source_row": row}
        | {"asked_day": None if on is None else day(on)}
        for row, (who, on, need) in enumerate(rows, start=2)
    ]
    return pd.DataFrame(full, columns=tables.NEEDS.schema.names)


def habits(*rows: tuple) -> pd.DataFrame:
    """Habits from (customer, paid, usual, breadth)."""
    return pd.DataFrame(rows, columns=["customer_id", "paid", "usual", "breadth"])


def test_the_newest_answer_that_names_a_need_counts():
    said = survey(
        ("c1", "2024-01-01", "personalised"),
        ("c1", "2024-06-01", "quality_seeking"),
        ("c1", "2024-09-01", None),  # answered, but named no need
        ("c2", None, "price_sensitive"),  # undated: older than any dated one
        ("c2", "2023-01-01", "personalised"),
        ("c3", "2024-01-01", "price_sensitive"),
        ("c3", "2024-01-01", "personalised"),  # the same day: the later row
        (None, "2024-01-01", "personalised"),
    )
    found = needs.newest(said)
    assert found.to_dict() == {"c1": "quality_seeking", "c2": "personalised", "c3": "personalised"}


def test_the_survey_goes_before_the_customer_table_and_that_before_the_tier_table():
    asked, listed, given = (
        {"a": "1"},
        {"a": "2", "b": "2", "d": None},
        {"a": "3", "b": "3", "c": "3", "d": "3"},
    )
    found = needs.stated(*(pd.Series(s, dtype=object) for s in (asked, listed, given)))
    assert found.to_dict() == {"a": "1", "b": "2", "c": "3", "d": "3"}
    assert needs.stated(None, None).empty


@pytest.mark.parametrize(
    ("paid", "usual", "breadth", "discount", "orders", "need"),
    [
        (100, 100, 1, 0.5, 2, "price_sensitive"),  # half bought at a discount, on the cut
        (130, 100, 3, 0.5, 2, "price_sensitive"),  # the first that holds
        (120, 100, 3, 0.4, 2, "quality_seeking"),  # 1.2 times the usual price, on the cut
        (119, 100, 3, 0.4, 2, "personalised"),
        (119, 100, 2, 0.4, 2, "not_known"),
        (119, 100, 2, None, 2, "not_known"),
        (None, None, None, None, 2, "not_known"),
        (130, 0, 1, None, 2, "not_known"),  # nothing to hold the price against
        (200, 100, 9, 0.9, 1, "not_known"),  # one order is no habit
    ],
)
def test_purchases_tell_the_first_need_whose_cut_they_reach(paid, usual, breadth, discount, orders, need):
    known = builders.facts({"orders": orders}).assign(discount_share=pd.Series([discount], dtype=float))
    assert needs.derived(known, habits(("c1", paid, usual, breadth)), RULE).tolist() == [need]


def test_without_order_lines_and_discounts_no_need_is_derived():
    known = builders.facts({"orders": 9}).drop(columns="discount_share", errors="ignore")
    assert needs.derived(known, None, RULE).tolist() == ["not_known"]


def test_a_stated_need_is_never_overruled_by_a_derived_one():
    known = builders.facts(*[{"orders": 5}] * 3)
    seen = habits(("c1", 200, 100, 1), ("c2", 200, 100, 1), ("c3", 100, 100, 1))
    found = needs.needs(known, pd.Series({"c1": "personalised", "c3": "谈判"}), seen, RULE)
    assert found.values.tolist() == [
        ["personalised", "stated", "quality_seeking"],
        ["quality_seeking", "derived", "quality_seeking"],
        ["谈判", "stated", "not_known"],
    ]
    assert needs.groups(found)[["need", "stated", "derived", "customers"]].values.tolist() == [
        ["quality_seeking", 0, 1, 1],
        ["personalised", 1, 0, 1],
        ["谈判", 1, 0, 1],
    ]


def test_agreement_is_counted_where_both_are_known_and_beside_chance():
    classes = pd.DataFrame({"need": ["a", "a", "b", "b", "a"], "need_source": ["stated"] * 4 + ["derived"]})
    told = pd.Series(["a", "b", "b", "not_known", "a"])
    # Known of both: (a, a), (a, b), (b, b): 2 of 3. By chance: 2/3 · 1/3 + 1/3 · 2/3 = 4/9.
    found = needs.agreement(classes, told)
    assert (found["n"], found["agree"]) == (3, 2)
    assert found["share"] == pytest.approx(2 / 3)
    assert found["by_chance"] == pytest.approx(4 / 9)
    assert needs.agreement(classes.head(0), told.head(0)) == {"n": 0, "agree": 0, "share": 0, "by_chance": 0}


def test_too_few_known_of_both_give_no_share():
    classes = pd.DataFrame({"need": ["personalised"] * 29, "need_source": ["stated"] * 29})
    few = needs.agreement(classes, classes["need"])
    assert needs.figures(classes, few, RULE)["need.agreement"]["value"] is None
    assert needs.figures(classes, few | {"n": 30}, RULE)["need.agreement"]["value"] == 1
