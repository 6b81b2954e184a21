"""What is proposed, to whom, and how it was tried."""

import numpy as np
import pandas as pd
import pytest

from crmlib.analysis import proposals
from crmlib.preferences import Preferences

RULE = Preferences(at_least=10, proposed=1)
NOTHING = pd.DataFrame({"customer_id": [], "item": [], "day": []})


def rows(*bought):
    """Rows of customer, day, product; an order a day."""
    table = pd.DataFrame(bought, columns=["customer_id", "day", "item"])
    return table.assign(order=table.groupby(["customer_id", "day"]).ngroup(), kind="every")


def told(table, back=NOTHING, rule=RULE, way="popular"):
    found = proposals.Tried(pd.DataFrame(), way)
    made = proposals.proposals(table, back, rule, found)
    return made[made["place"] == 1].set_index("customer_id")["item"].to_dict()


SHOP = [(f"c{n}", day, "tea") for n in range(8) for day in (1, 5)]
SHOP += [(f"c{n}", day, "milk") for n in range(4) for day in (2, 6)] + [("c9", 1, "milk"), ("c9", 4, "milk")]


def test_what_most_buy_is_proposed_first():
    assert told(rows(*SHOP))["c9"] == "tea"


def test_what_was_just_returned_is_never_proposed():
    back = pd.DataFrame({"customer_id": ["c9"], "item": ["tea"], "day": [7]})
    table = rows(*SHOP, ("c9", 3, "tea"))
    assert told(table)["c9"] == "tea"
    for way in proposals.WAYS:
        assert told(table, back, way=way).get("c9") != "tea"


def test_what_was_bought_again_after_its_return_may_be_proposed():
    back = pd.DataFrame({"customer_id": ["c9"], "item": ["tea"], "day": [7]})
    assert told(rows(*SHOP, ("c9", 3, "tea"), ("c9", 9, "tea")), back)["c9"] == "tea"


def test_what_one_owns_of_what_nobody_buys_twice_is_never_proposed():
    table = rows(*[(f"c{n}", 1, "house") for n in range(9)], *SHOP)
    owners = {f"c{n}" for n in range(9)}
    for way in proposals.WAYS:
        assert "house" not in {item for who, item in told(table, way=way).items() if who in owners}
    anything = told(table, rule=Preferences(at_least=10, proposed=1, bought_again=0))
    assert "house" in {anything[who] for who in owners}


def test_buyers_alike_are_asked_and_not_the_crowd():
    crowd = [(f"c{n}", day, "tea") for n in range(30) for day in (1, 5)]
    few = [
        (f"d{n}", day, item)
        for n in range(6)
        for day, item in ((1, "nails"), (2, "hammer"), (5, "nails"), (6, "hammer"))
    ]
    table = rows(*crowd, *few, ("x", 1, "nails"), ("x", 9, "nails"))
    made = proposals.proposals(
        table, NOTHING, Preferences(proposed=2), proposals.Tried(pd.DataFrame(), "item_to_item")
    )
    assert made.loc[made["customer_id"] == "x", "item"].tolist() == ["nails", "hammer"]


def test_a_hidden_day_is_hit_as_counted_by_hand():
    # Everybody bought tea first. Last, c0 to c5 bought tea again, c6 to c9 milk: popularity proposes tea to all.
    early = [(f"c{n}", day, "tea") for n in range(10) for day in (1, 2)] + [
        ("c0", 3, "milk"),
        ("c1", 3, "milk"),
    ]
    late = [(f"c{n}", 9, "tea" if n < 6 else "milk") for n in range(10)]
    found = proposals.tried(rows(*early, *late), NOTHING, RULE)
    popular = found.table.set_index("way").loc["popular"]
    assert (popular["hits"], popular["customers"], popular["share"]) == (6, 10, 0.6)
    assert popular["coverage"] == 0.5  # tea alone, of tea and milk
    assert found.chosen == "popular"  # nothing beats it


def test_a_way_that_beats_popularity_is_chosen():
    # Half always buy tea, half always milk, of which there is more: habit knows each.
    faithful = [(f"c{n}", day, "tea" if n % 2 else "milk") for n in range(60) for day in (1, 4, 9)]
    found = proposals.tried(rows(*faithful), NOTHING, RULE)
    by = found.table.set_index("way")
    assert (by.loc["popular", "share"], by.loc["own_habit", "share"]) == (0.5, 1.0)
    assert found.chosen == "item_to_item" or by.loc[found.chosen, "share"] == 1.0
    assert by.loc[found.chosen, "beats_low"] > 0


def test_what_came_after_changes_no_trial():
    faithful = [(f"c{n}", day, "tea" if n % 2 else "milk") for n in range(60) for day in (1, 4, 9)]
    table = rows(*faithful)
    hidden = table["day"] == 9
    other = table.assign(item=table["item"].where(~hidden, table["item"].map({"tea": "milk", "milk": "tea"})))
    one, two = (proposals.tried(part, NOTHING, RULE).table.set_index("way") for part in (table, other))
    # Habit proposes from before the hidden day alone: where all hits were, none is.
    assert (one.loc["own_habit", "share"], two.loc["own_habit", "share"]) == (1.0, 0.0)


def test_too_few_customers_or_one_product_are_said():
    assert proposals.tried(rows(*SHOP[:4]), NOTHING, RULE).why == "few_customers"
    tea = [(f"c{n}", day, "tea") for n in range(40) for day in (1, 5)]
    assert proposals.tried(rows(*tea), NOTHING, RULE).why == "one_product"
    assert proposals.proposals(
        rows(*tea), NOTHING, RULE, proposals.Tried(pd.DataFrame(), why="one_product")
    ).empty


def test_who_lacks_what_goes_with_what_they_have():
    table = rows(
        ("a", 1, "loan"),
        ("a", 2, "loan"),
        ("b", 1, "loan"),
        ("b", 1, "payroll"),
        ("c", 1, "payroll"),
        ("d", 1, "tea"),
    )
    pairs = pd.DataFrame({"product": ["loan"], "other": ["payroll"], "times_chance": [1.5]})
    made = proposals.cross_sales(table, NOTHING, pairs)
    assert made.drop(columns="times_chance").values.tolist() == [
        ["a", "loan", "payroll", 2],
        ["c", "payroll", "loan", 1],
    ]
    back = pd.DataFrame({"customer_id": ["a"], "item": ["payroll"], "day": [3]})
    assert proposals.cross_sales(table, back, pairs)["customer_id"].tolist() == ["c"]
    assert proposals.cross_sales(table, NOTHING, pairs.head(0)).empty


def test_the_order_of_rows_decides_nothing():
    rng = np.random.default_rng(0)
    table = rows(
        *{(f"c{rng.integers(40)}", int(rng.integers(30)), f"p{rng.integers(6)}") for _ in range(400)}
    )
    mixed = table.sample(frac=1, random_state=1)
    for way in proposals.WAYS:
        assert told(table, way=way) == told(mixed, way=way)


@pytest.mark.parametrize("way", proposals.WAYS)
def test_nobody_is_proposed_a_thing_twice(way):
    made = proposals.proposals(
        rows(*SHOP), NOTHING, Preferences(proposed=3), proposals.Tried(pd.DataFrame(), way)
    )
    assert not made.duplicated(["customer_id", "item"]).any()
