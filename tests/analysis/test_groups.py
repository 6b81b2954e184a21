"""Customers in groups: sorted by whatever is asked, and held against each other."""

import builders
import pandas as pd
import pytest

from crmlib.analysis import groups

KNOWN = builders.facts(
    {"net": 100, "orders": 1, "recency_days": 5},
    {"net": 50, "orders": 4, "recency_days": 9},
    {"net": 80, "orders": 2, "recency_days": 1},
    {"net": 10, "orders": 1, "recency_days": 7},
)
JUDGED = pd.DataFrame({"customer_id": ["c1", "c2", "c3", "c4"], "tier": ["high", "low", "medium", "low"]})
PEOPLE = pd.DataFrame({"customer_id": ["c1", "c2", "c3"], "industry": ["Tin", "Oil", "Oil"], "city": None})


def test_groups_of_an_attribute_have_what_their_customers_bring_and_the_unknown_come_last():
    found = groups.classed(JUDGED, KNOWN, PEOPLE, "industry")
    assert found[groups.CLASSED].values.tolist() == [
        ["Oil", 2, 0.5, 130.0, 65.0, 3.0, 5.0],
        ["Tin", 1, 0.25, 100.0, 100.0, 1.0, 5.0],
        ["unknown", 1, 0.25, 10.0, 10.0, 1.0, 7.0],
    ]
    assert groups.classed(JUDGED, KNOWN, PEOPLE, "city").empty


@pytest.mark.parametrize(
    ("by", "order", "expected"),
    [
        ("net", "descending", ["Oil", "Tin", "unknown"]),
        ("net", "ascending", ["Tin", "Oil", "unknown"]),
        ("net_each", "descending", ["Tin", "Oil", "unknown"]),
        ("recency_days", "ascending", ["Oil", "Tin", "unknown"]),  # alike: by name
        ("group", "ascending", ["Tin", "Oil", "unknown"]),
        ("group", "descending", ["Oil", "Tin", "unknown"]),
    ],
)
def test_groups_stand_in_the_order_that_the_reader_asks_for(by, order, expected):
    table = groups.classed(JUDGED, KNOWN, PEOPLE, "industry")
    assert groups.sorted_by(table, by, order)["group"].tolist() == expected


def test_classes_sorted_by_themselves_go_from_high_to_low():
    table = groups.classed(JUDGED, KNOWN, PEOPLE, "tier")
    assert groups.sorted_by(table, "group")["group"].tolist() == ["high", "medium", "low"]
    assert groups.sorted_by(table, "group", "ascending")["group"].tolist() == ["low", "medium", "high"]


def test_sorting_loses_nobody_and_does_not_hang_on_the_order_of_rows():
    table = groups.classed(JUDGED, KNOWN, PEOPLE, "industry")
    shuffled = table.sample(frac=1, random_state=3)
    for by in table.columns:
        pd.testing.assert_frame_equal(groups.sorted_by(table, by), groups.sorted_by(shuffled, by))
        assert sorted(groups.sorted_by(table, by)["group"]) == sorted(table["group"])


def test_an_attribute_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(KeyError, match="called 'colour'; there are: group, customers, share"):
        groups.sorted_by(groups.classed(JUDGED, KNOWN, PEOPLE, "tier"), "colour")


def test_the_group_with_most_sales_is_told_whatever_the_order():
    table = groups.sorted_by(groups.classed(JUDGED, KNOWN, PEOPLE, "industry"), "net", "ascending")
    told = groups.most_sales(table)
    assert (told["names"], told["groups"], told["share"], told["n"]) == (["Oil"], 2, 0.5, 4)
    assert told["sales"] == pytest.approx(130 / 240)
    assert groups.most_sales(table.assign(net=float("nan")))["groups"] == 0


def test_a_need_that_nobody_of_a_class_has_is_shown_as_none():
    needs = pd.DataFrame(
        [
            ("high", "price", 6, 0.6, 0.4, 0.8, 10),
            ("high", "fun", 4, 0.4, 0.2, 0.6, 10),
            ("low", "price", 9, 1.0, 0.9, 1.0, 9),
        ],
        columns=["level", "need", "customers", "share", "share_low", "share_high", "asked"],
    )
    found = groups.completed(needs)
    assert found[["need", "level", "customers", "share"]].values.tolist() == [
        ["price", "high", 6, 0.6],
        ["price", "low", 9, 1.0],
        ["fun", "high", 4, 0.4],
        ["fun", "low", 0, 0.0],
    ]
    assert groups.completed(needs.head(0)).empty


def test_a_need_leads_only_where_its_interval_lies_above_the_next():
    needs = pd.DataFrame(
        [
            ("high", "price", 0.7, 0.6, 0.8, 50),
            ("high", "fun", 0.3, 0.2, 0.4, 50),
            ("low", "fun", 0.5, 0.4, 0.6, 50),
            ("low", "price", 0.5, 0.4, 0.6, 50),
        ],
        columns=["level", "need", "share", "share_low", "share_high", "asked"],
    )
    told = groups.needed(needs)
    assert (told["groups"], told["names"]) == (2, ["price"])
    nobody = groups.needed(needs.astype({"level": "str"}).head(0))
    assert nobody == {"groups": 0, "names": [], "led": [], "n": 0}
    unknown = needs.assign(need="not_known")
    assert groups.needed(unknown)["groups"] == 0
    assert groups.completed(unknown.assign(customers=1)).empty


def test_medians_of_classes_become_a_row_a_fact_with_its_unit():
    medians = pd.DataFrame(
        {"level": ["high", "low"], "customers": [1, 2], "net": [900.0, 5.0], "gap_days": [3.0, None]}
    )
    assert groups.compared(medians).values.tolist() == [
        ["net", "high", 900.0, "money"],
        ["net", "low", 5.0, "money"],
        ["gap_days", "high", 3.0, "days"],
    ]
