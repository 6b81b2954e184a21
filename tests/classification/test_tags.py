"""Free tags: conditions of `client.yml` over facts and classes."""

import builders
import pandas as pd
import pytest

from crmlib.classification import tags
from crmlib.rules import TAGS, TagRule


def classed(count: int, **columns) -> pd.DataFrame:
    return pd.DataFrame({"customer_id": [f"c{n + 1}" for n in range(count)]} | columns)


def test_a_customer_may_have_several_tags_or_none():
    known = builders.facts(
        {"orders": 1, "tenure_days": 90, "gross": 100, "returned": -20},
        {"orders": 2, "tenure_days": 91, "gross": 100, "returned": -19},
        {"orders": 1, "tenure_days": 900, "gross": 0, "returned": 0},
        {"orders": None, "tenure_days": None, "gross": None, "returned": None},
    ).assign(discount_share=[0.5, 0.49, None, None])
    judged = classed(4, served=["not_supplied", "at_a_loss", "with_profit", "not_supplied"])
    assert tags.tags(known, judged, TAGS, decimals=2).tolist() == [
        "discount_buyer,new,one_order,returns_much",
        "at_a_loss",
        "one_order",
        "",
    ]
    counted = tags.counted(judged.assign(tags=tags.tags(known, judged, TAGS, decimals=2)), TAGS)
    assert counted.set_index("tag")["customers"].to_dict() == {
        "at_a_loss": 1,
        "discount_buyer": 1,
        "new": 1,
        "one_order": 2,
        "returns_much": 1,
    }


@pytest.mark.parametrize(
    ("rule", "held"),
    [
        (TagRule(column="net", at_least=100), [True, False, False]),  # money in main units
        (TagRule(column="net", at_least=50, at_most=99.99), [False, True, False]),
        (TagRule(column="region", equals=["北京市", "上海市"]), [True, False, True]),
        (TagRule(column="region", equals="广东省"), [False, True, False]),
        (TagRule(column="tier_points", at_most=2), [False, True, False]),
    ],
)
def test_bounds_are_included_and_what_is_not_known_is_not_true(rule, held):
    known = builders.facts({"net": 10000}, {"net": 9999}, {"net": None})
    judged = classed(3, region=["北京市", "广东省", "上海市"], tier_points=[2.5, 2.0, None])
    told = tags.asked(known, judged)
    assert tags.holds(told, rule, decimals=2).tolist() == held


def test_a_column_that_this_client_lacks_makes_no_tag():
    known = builders.facts({"orders": 1}).drop(columns="discount_share", errors="ignore")
    rule = TagRule(column="discount_share", at_least=0.1)
    assert tags.tags(known, classed(1), {"cheap": rule}, decimals=2).tolist() == [""]
    assert tags.tags(known, classed(1), {}, decimals=2).tolist() == [""]
