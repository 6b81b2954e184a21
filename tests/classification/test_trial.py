"""Other rules tried: who would be in which tier, and who would move with what money."""

import builders
import pandas as pd
import pytest
from pydantic import ValidationError

from crmlib.classification import classes, thresholds, trial
from crmlib.classification.beside import Beside
from crmlib.classification.grades import Kept
from crmlib.rules import Classes, Cuts, Shares, TierRule, TierWeights, ValueRule

# Spend alone decides, by 100 and 50 in main units, so that every tier can be read off the amounts.
ALONE = TierWeights(frequency=0, loyalty=0, lifetime=0)
SAVED = Classes(value=ValueRule(spend=Cuts(high=100, medium=50)), tier=TierRule(weights=ALONE))
TRIED = thresholds.with_values(SAVED, {"classes.value.spend.high": 60, "classes.value.spend.medium": 51})
NETS = (12_000, 6_000, 5_000, 3_000)


def known(**more) -> trial.Grounds:
    facts = builders.facts(*({"net": net, "gross": net, "orders": 1} for net in NETS))
    return trial.grounds(facts, decimals=2, **more)


def tried(grounds: trial.Grounds, rules: Classes = TRIED) -> trial.Trial:
    return trial.trial(grounds, rules=rules, saved=trial.tiers(grounds, SAVED))


def test_each_tier_is_counted_beside_the_tier_as_saved():
    found = tried(known()).tiers
    # As saved 120 is high, 60 and 50 are medium, 30 is low; tried, 60 is high too and 50 is low.
    assert found[["tier", "customers", "customers_saved", "entered", "left"]].values.tolist() == [
        ["high", 2, 1, 1, 0],
        ["medium", 0, 2, 0, 2],
        ["low", 2, 1, 1, 0],
    ]
    assert found["share"].tolist() == [0.5, 0, 0.5]
    assert found["gross"].tolist() == [18_000, 0, 8_000]
    assert found["share_of_sales"].tolist() == [18 / 26, 0, 8 / 26]


def test_who_would_move_stands_with_the_money_involved():
    found = tried(known())
    assert found.movers.values.tolist() == [["c2", "medium", "high", 6_000], ["c3", "medium", "low", 5_000]]
    assert found.told == {"moved": 2, "up": 1, "down": 1, "other": 0, "net_up": 6_000, "net_down": 5_000}
    assert found.flow.values.tolist() == [
        ["high", "high", 1],
        ["medium", "high", 1],
        ["medium", "low", 1],
        ["low", "low", 1],
    ]


def test_by_the_rules_as_saved_nobody_moves():
    found = tried(known(), SAVED)
    assert found.movers.empty
    assert found.told["moved"] == found.told["net_up"] == 0
    assert (found.tiers["customers"] == found.tiers["customers_saved"]).all()


def test_cost_of_serving_is_told_by_tier_and_not_as_nothing_where_nobody_supplies_it():
    assert tried(known()).tiers["service"].isna().all()
    costs = pd.DataFrame(
        {
            "kind": "serve",
            "customer_id": ["c1", "c2", "c4"],
            "known": True,
            "amount": [500, 100, 40],
            "cost_day": 19_000,
            "channel": None,
        }
    )
    found = tried(known(beside=Beside(costs=costs)))
    # c1 and c2 are high; of the low only c4 has a known cost; nobody is left in the middle.
    assert found.tiers["service"].tolist() == [600, 0, 40]


def test_customers_of_whom_no_amount_is_known_have_no_sales_rather_than_none():
    facts = builders.facts({"orders": 2}, {"orders": 1}).assign(gross=pd.array([pd.NA] * 2, "Int64"))
    grounds = trial.grounds(facts.assign(net=facts["gross"]), decimals=2)
    found = trial.trial(grounds, rules=TRIED, saved=trial.tiers(grounds, SAVED))
    assert found.tiers["gross"].isna().all()
    assert found.tiers["share_of_sales"].isna().all()
    assert found.tiers["tier"].tolist() == ["high", "medium", "low", "not_graded"]


def test_nobody_at_all_is_no_tier_and_no_mover():
    grounds = trial.grounds(builders.facts().astype({"customer_id": object}), decimals=2)
    found = trial.trial(grounds, rules=TRIED, saved=trial.tiers(grounds, SAVED))
    assert found.tiers["customers"].sum() == 0
    assert found.told["moved"] == 0
    assert found.flow.empty


CHANGES = [
    {"classes.tier.cuts.high": 2.25},
    {"classes.tier.weights.loyalty": 3},
    {"classes.tier.weights.activity": 1, "classes.tier.weights.satisfaction": 0.5},
    {"classes.frequency.shares.first": 0.2},
    {"classes.value.shares.first": 0.3, "classes.value.shares.second": 0.6},
    {"classes.lifetime.cuts.high": 900, "classes.lifetime.cuts.medium": 100},
    {"classes.loyalty.orders.high": 9, "classes.loyalty.tenure_days.medium": 400},
    {"classes.behaviour.active_days": 10, "classes.behaviour.own_rhythm_from": 9},
    {"classes.satisfaction.satisfied": 90},
    {},
]


def test_what_a_rule_does_not_touch_is_not_graded_again_and_nothing_else_changes():
    rows = [
        {
            "net": 400 * n * n,
            "gross": 410 * n * n,
            "profit": 90 * n,
            "orders": 1 + n % 12,
            "orders_a_year": 0.5 + n % 7,
            "recency_days": 5 * n,
            "gap_days": 3.0 + n % 20,
            "tenure_days": 30 * n,
        }
        for n in range(60)
    ]
    answers = builders.answers(*((f"c{n}", "2024-05-01", "service", 1 + n % 5) for n in range(1, 50)))
    grounds = trial.grounds(builders.facts(*rows), answers, decimals=2)
    kept, rules = Kept(), Classes()
    for change in (*CHANGES, *reversed(CHANGES)):
        rules = thresholds.with_values(rules, change)
        again = classes.tiered(grounds.facts, answers, rules, decimals=2, lifetime=grounds.lifetime)
        assert trial.tiers(grounds, rules, kept).tolist() == again["tier"].tolist(), change


def test_every_limit_of_the_rules_is_a_threshold_with_what_it_may_be():
    found = {one.key: one for one in thresholds.thresholds(Classes())}
    share = found["classes.abc.shares.second"]
    assert (share.value, share.low, share.high, share.above, share.below) == (0.95, 0, 1, True, True)
    days = found["classes.behaviour.active_days"]
    assert (days.value, days.low, days.high, days.whole) == (90, 1, None, True)
    assert found["classes.value.spend.high"].value is None
    assert found["classes.value.spend.high"].money
    assert all(one.value == one.default for one in found.values())


def test_the_limits_of_a_tier_are_those_that_decide_it_now():
    by_share = {one.key for one in thresholds.of_tiers(Classes())}
    assert "classes.lifetime.shares.first" in by_share
    amounts = thresholds.with_values(
        Classes(), {"classes.lifetime.cuts.high": 9, "classes.lifetime.cuts.medium": 1}
    )
    by_amount = {one.key for one in thresholds.of_tiers(amounts)}
    assert by_amount - by_share == {"classes.lifetime.cuts.high", "classes.lifetime.cuts.medium"}
    assert by_share - by_amount == {"classes.lifetime.shares.first", "classes.lifetime.shares.second"}


@pytest.mark.parametrize(
    ("values", "key", "why"),
    [
        ({"classes.tier.cuts.high": 1.5}, "classes.tier.cuts", "rule_out_of_order"),
        ({"classes.abc.shares.first": 0.97}, "classes.abc.shares", "rule_out_of_order"),
        ({"classes.behaviour.active_days": 180}, "classes.behaviour", "rule_out_of_order"),
        (
            dict.fromkeys(
                (f"classes.tier.weights.{w}" for w in ("frequency", "spend", "loyalty", "lifetime")), 0
            ),
            "classes.tier.weights",
            "rule_all_zero",
        ),
        ({"classes.tier.weights.spend": -1}, "classes.tier.weights.spend", "rule_out_of_range"),
        ({"classes.abc.shares.first": 1}, "classes.abc.shares.first", "rule_out_of_range"),
        ({"classes.behaviour.active_days": 9.5}, "classes.behaviour.active_days", "rule_not_whole"),
        ({"classes.tier.cuts.high": None}, "classes.tier.cuts.high", "rule_empty"),
        ({"classes.value.spend.high": 5}, "classes.value.spend.medium", "rule_empty"),
    ],
)
def test_a_value_that_cannot_be_is_told_by_its_key_and_why(values, key, why):
    with pytest.raises(ValidationError) as problem:
        thresholds.with_values(Classes(), values)
    (fault,) = thresholds.faults(problem.value)
    assert (fault.key, fault.why) == (key, why)


def test_one_end_of_a_pair_is_written_with_the_other():
    # Of ABC the second share is 0.95, of every other rule 0.8: alone, the first would bring a wrong second.
    changed = thresholds.with_values(
        Classes(), {"classes.abc.shares.first": 0.7, "classes.tier.weights.spend": 2}
    )
    assert changed.abc.shares == Shares(first=0.7, second=0.95)
    assert thresholds.whole_pairs(Classes(), changed) == {
        "classes.abc.shares": {"first": 0.7, "second": 0.95},
        "classes.tier.weights.spend": 2,
    }


def test_amounts_taken_away_are_written_as_none():
    given = thresholds.with_values(
        Classes(), {"classes.value.spend.high": 5, "classes.value.spend.medium": 1}
    )
    back = thresholds.with_values(
        given, {"classes.value.spend.high": None, "classes.value.spend.medium": None}
    )
    assert back == Classes()
    assert thresholds.whole_pairs(given, back) == {"classes.value.spend": None}
