"""Who is not in the high tier but behaves like it."""

import builders
import pandas as pd

from crmlib.classification import potential
from crmlib.classification.beside import Beside
from crmlib.rules import Classes, Cuts, FrequencyRule, PotentialRule, ValueRule

RULES = Classes(
    value=ValueRule(spend=Cuts(high=100, medium=50)),
    frequency=FrequencyRule(cuts=Cuts(high=12, medium=4)),
    potential=PotentialRule(signs=2, at_least=1),
)


def recent(*rows: tuple) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["customer_id", "orders", "gross", "net", "breadth"])


def told(tier: list[str], *rows: tuple, rules: Classes = RULES) -> list[str]:
    """Signs of customers with 60 net so far; the high one has a mean order of 10 and three product groups."""
    known = builders.facts(*[{"net": 6000, "gross": 10000, "orders": 10}] * len(tier))
    habits = pd.DataFrame({"customer_id": known["customer_id"], "breadth": 3})
    return potential.potential(known, pd.Series(tier), habits, recent(*rows), rules, decimals=2).tolist()


def test_each_sign_is_held_against_the_high_tiers_own_yardstick():
    found = told(
        ["high", "low", "low", "medium", "low", "low"],
        ("c1", 50, 90000, 90000, 9),  # already there
        ("c2", 4, 4000, 4000, 3),  # 60 + 40 reaches 100; mean order 10; three groups; four orders
        ("c3", 12, 4000, 3999, 1),  # a unit short in spend; twelve orders a year; mean order 3.33
        ("c4", 12, 12000, 3999, 2),  # frequency and size of order
        ("c5", 1, 900, 900, 1),
    )
    assert found == ["", "spend,order_size,breadth", "", "frequency,order_size", "", ""]


def test_half_a_year_is_taken_for_a_whole_one():
    half = RULES.model_copy(update={"potential": PotentialRule(signs=1, at_least=1, days=73)})
    # 73 days are a fifth of a year: 8 net are 40 a year, 3 orders are 15
    found = told(["high", "low"], ("c2", 3, 800, 800, 1), rules=half)
    assert found == ["", "spend,frequency"]


def test_without_order_lines_it_is_not_supplied_and_without_a_high_tier_too_few():
    known = builders.facts({"net": 1})
    low = pd.Series(["low"])
    assert potential.potential(known, low, None, None, RULES, decimals=2).tolist() == ["not_supplied"]
    assert told(["low"], ("c1", 99, 99, 99, 9)) == ["too_few"]
    judged = pd.DataFrame({"tier": ["low"], "potential": ["too_few"]})
    assert potential.figures(judged)["potential.customers"]["value"] is None


def test_where_everybody_buys_one_product_group_breadth_is_no_sign():
    known = builders.facts(*[{"net": 6000, "gross": 10000, "orders": 10}] * 2)
    habits = pd.DataFrame({"customer_id": known["customer_id"], "breadth": 1})
    asked = potential.yardsticks(known, pd.Series(["high", "low"]), habits, RULES, decimals=2)
    assert pd.isna(asked["breadth"])
    assert asked["spend"] == 10000
    found = potential.pace(known, pd.Series(["high", "low"]), recent(("c2", 1, 1, 1, 1)), asked, days=365)
    assert found["shown"].tolist() == [0]


def test_the_list_begins_with_most_signs_and_the_largest_spend():
    known = builders.facts(*[{"net": 6000, "gross": 10000, "orders": 10}] * 4)
    tier = pd.Series(["high", "low", "low", "medium"])
    habits = pd.DataFrame({"customer_id": known["customer_id"], "breadth": 3})
    late = recent(("c2", 12, 12000, 10, 1), ("c3", 4, 4000, 4000, 3), ("c4", 12, 12000, 20, 1))
    signs = potential.potential(known, tier, habits, late, RULES, decimals=2)
    judged = pd.DataFrame({"customer_id": known["customer_id"], "tier": tier, "potential": signs})
    around = Beside(habits=habits, recent=late)
    listed = potential.listed(known, judged, around, RULES, decimals=2)
    assert listed["customer_id"].tolist() == ["c3", "c4", "c2"]
    asked = potential.asked(known, judged, around, RULES, decimals=2)
    assert asked.values.tolist() == [
        ["spend", 10000, "money"],
        ["frequency", 12, "number"],
        ["order_size", 1000, "money"],
        ["breadth", 3, "number"],
    ]
    assert potential.listed(known, judged, Beside(), RULES, decimals=2).empty
    assert potential.held(judged) == {"customers": 3, "low": 2, "rest": 3, "high": 1, "told": True}
