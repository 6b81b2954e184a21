"""Who moved, and what moved them: by hand, and against every set of causes tried out in plain Python."""

import json
from itertools import chain, combinations, product

import builders
import numpy as np
import pandas as pd
import pytest
from builders import CONFIG, answers, made

from crmlib.classification import migration, passage, standards
from crmlib.period import Period
from crmlib.rules import Classes, Shares

CUTS = {
    "value": {"spend": {"high": 100, "medium": 50}, "profit": {"high": 20, "medium": 10}},
    "frequency": {"cuts": {"high": 4, "medium": 2}},
}


def rules(**more) -> Classes:
    return Classes.model_validate(CUTS | more)


USUAL = {
    "net": 6000,
    "profit": 1200,
    "orders_a_year": 2.5,
    "orders": 3,
    "tenure_days": 500,
    "recency_days": 10,
}


def moved(then: dict, now: dict, *, said=(None, None), standard=None, before=None):
    """The steps of one customer from usual facts that differ in these; all are medium."""
    known = []
    for facts, spoken in zip((then, now), said, strict=True):
        forms = [] if spoken is None else [("c1", "2024-09-01", "recommend", spoken)]
        known.append(passage.Known(builders.facts(USUAL | facts), answers(*forms)))
    standard = standard or rules()
    way = passage.Passage(*known, standard, before or standard, 2)
    return migration.moves(way, passage.steps(way))


# All parts medium are 2 points; two of them high 2.5, which is high.
@pytest.mark.parametrize(
    ("then", "now", "cause", "fact", "values"),
    [
        ({}, {"net": 10000, "profit": 2000}, "money", "net", (6000, 10000)),
        ({"profit": 2000}, {"profit": 2000, "net": 10000}, "money", "net", (6000, 10000)),
        ({"profit": 2000}, {"profit": 2000, "orders_a_year": 4.0}, "frequency", "orders_a_year", (2.5, 4.0)),
        ({"profit": 2000, "orders": 3}, {"profit": 2000, "orders": 4}, "frequency", "orders", (3, 4)),
        ({"profit": 2000}, {"profit": 2000, "tenure_days": 730}, "time", "tenure_days", (500.0, 730.0)),
        ({}, {"orders_a_year": 4.0, "profit": 2000}, "money+frequency", "profit", (1200, 2000)),
    ],
)
def test_the_group_of_facts_that_alone_makes_the_move_is_its_cause(then, now, cause, fact, values):
    (row,) = moved(then, now).to_dict("records")
    assert (row["before"], row["now"], row["cause"], row["fact"]) == ("medium", "high", cause, fact)
    assert (row["previous"], row["value"]) == values


def test_an_answer_alone_moves_by_satisfaction():
    # Loyalty (2+2+1)/3 is medium; with a 10, (2+2+3)/3 is 2.33, medium still. With four orders (3+2+1)/3 = 2
    # becomes (3+2+3)/3 = 2.67: high.
    four = {"profit": 2000, "orders": 4}
    (row,) = moved(four, four, said=(5, 10)).to_dict("records")
    assert (row["before"], row["now"], row["cause"], row["fact"]) == (
        "medium",
        "high",
        "satisfaction",
        "recommend",
    )
    assert (row["previous"], row["value"]) == (5.0, 10.0)


def test_silence_moves_only_where_activity_weighs():
    now = {"recency_days": 102}
    assert moved({}, now).empty
    weighed = rules(
        tier={"weights": {"frequency": 0, "spend": 0, "loyalty": 0, "lifetime": 0, "activity": 1}}
    )
    (row,) = moved({}, now, standard=weighed).to_dict("records")
    assert (row["before"], row["now"], row["cause"]) == ("high", "medium", "recency")
    assert (row["fact"], row["unit"], row["previous"], row["value"]) == ("recency_days", "days", 10.0, 102.0)


def test_a_changed_rule_is_told_by_its_key_and_never_as_a_customers_movement():
    before = rules(tier={"cuts": {"high": 2.5, "medium": 2.25}})
    table = moved({}, {}, before=before)
    assert table.drop(columns=["net", "net_change"]).values.tolist() == [
        ["c1", "low", "medium", "rule", "classes.tier.cuts", "text", "2.5 / 2.25", "2.5 / 1.5"]
    ]


def test_a_rule_and_own_facts_are_two_steps_of_one_way():
    before = rules(tier={"cuts": {"high": 2.5, "medium": 2.25}})
    table = moved({}, {"net": 10000, "profit": 2000}, before=before)
    assert table[["before", "now", "cause"]].values.tolist() == [
        ["medium", "high", "money"],
        ["low", "medium", "rule"],
    ]


def crowd(*nets: int, first: int = 0) -> pd.DataFrame:
    return builders.facts(*({"customer_id": f"c{n + first}", "net": net} for n, net in enumerate(nets)))


def test_who_is_passed_by_others_is_moved_by_the_cut_and_not_by_own_facts():
    # By share of spend alone: of 100, 40 and 40 the first begins at 0 and is high (below 0.5); 40 begins at 0.56:
    # medium. When one of them spends 1000, 100 begins at 0.88: low; so does the other 40.
    standard = Classes.model_validate(
        {
            "value": {"at_least": 3},
            "tier": {"weights": {"frequency": 0, "spend": 1, "loyalty": 0, "lifetime": 0}},
        }
    )
    way = passage.Passage(
        passage.Known(crowd(10000, 4000, 4000)),
        passage.Known(crowd(10000, 100000, 4000)),
        standard,
        standard,
        2,
    )
    table = migration.moves(way, passage.steps(way))
    assert table[["customer_id", "before", "now", "cause", "fact", "previous", "value"]].values.tolist() == [
        ["c1", "medium", "high", "money", "net", 4000, 100000],
        ["c0", "high", "low", "cut", "net_needed", 10000, 100000],
        ["c2", "medium", "low", "cut", "net_needed", 4000, 100000],
    ]


def test_new_and_gone_customers_are_told_apart_and_did_not_move():
    standard = Classes.model_validate(CUTS)
    way = passage.Passage(
        passage.Known(crowd(6000, 6000)), passage.Known(crowd(6000, 20000, first=1)), standard, standard, 2
    )
    steps = passage.steps(way)
    assert steps[["then", "now"]].to_dict("index") == {
        "c0": {"then": "low", "now": "gone"},
        "c1": {"then": "low", "now": "low"},
        "c2": {"then": "new", "now": "medium"},
    }
    table = migration.moves(way, steps)
    assert table.empty
    assert list(table.columns) == migration.MOVES
    values = migration.told(table, steps)
    assert (values["both"], values["own"], values["new"], values["gone"]) == (1, 0, 1, 1)
    flow = migration.flow(way, steps)
    assert flow.values.tolist() == [
        ["medium", "medium", 0, 0],
        ["low", "low", 1, 0],
        ["low", "gone", 1, 0],
        ["new", "medium", 1, 20000],
    ]


def test_what_moved_most_is_told_by_group_even_where_several_moved_together():
    rows = [("a", "low", "medium", "money+time"), ("b", "low", "high", "time"), ("c", "high", "low", "cut")]
    table = pd.DataFrame(rows, columns=["customer_id", "before", "now", "cause"]).assign(
        net=5, net_change=None
    )
    table = table.astype({"net": "Int64", "net_change": "Int64"})
    steps = pd.DataFrame(
        {"then": ["low", "low", "high"], "now": ["medium", "high", "low"]}, index=list("abc")
    )
    values = migration.told(table, steps)
    assert (values["own"], values["rose"], values["fell"], values["cut"], values["net"]) == (2, 2, 0, 1, 10)
    assert values["decided"] == ["time"]
    found = migration.figures(table, steps)
    assert found["tier.moved.time.customers"] == {"value": 2, "n": 3}
    assert found["tier.moved.money.customers"] == {"value": 1, "n": 3}


def test_the_money_is_the_periods_net_sales_and_its_change():
    standard = rules()
    way = passage.Passage(passage.Known(crowd(6000)), passage.Known(crowd(11000)), standard, standard, 2)
    assert migration.money(way, crowd(4000)).loc["c0"].tolist() == [5000, 3000]


def test_nobody_is_graded_where_the_list_is_too_short_and_then_nobody_moved():
    way = passage.Passage(passage.Known(crowd(1, 2)), passage.Known(crowd(3, 9)), Classes(), Classes(), 2)
    steps = passage.steps(way)
    assert set(steps.to_numpy().ravel()) == {"not_graded"}
    assert migration.moves(way, steps).empty
    told = migration.figures(migration.moves(way, steps), steps)
    assert told["tier.moved.customers"] == {"value": None, "n": 0, "why": "too few"}


@pytest.mark.parametrize(
    ("values", "cuts"),
    [
        ([50, 30, 10, 10], (50, 30)),
        ([7, 7, 7], (7, 7)),
        ([90, 5, 5], (90, 90)),
        ([0, 0, 0], (np.nextafter(0, 1), np.nextafter(0, 1))),
    ],
)
def test_the_amounts_behind_shares_give_the_same_classes(values, cuts):
    found = passage.effective(pd.Series(values, dtype=float), Shares(first=0.5, second=0.8), 3)
    assert (found.high, found.medium) == cuts


# Every combination of the facts then and now that lies on either side of a cut.
VALUES = {
    "net": (4000, 6000, 11000),
    "profit": (900, 2500),
    "orders_a_year": (1.0, 4.5),
    "orders": (2, 4),
    "tenure_days": (400, 800),
    "recency_days": (10, 200),
}
GROUP = {"net": "money", "profit": "money", "orders_a_year": "frequency", "orders": "frequency"}
GROUP |= {"tenure_days": "time", "recency_days": "recency"}
WEIGHED = rules(tier={"weights": {"activity": 1}})


def plain_tier(facts: dict) -> str:
    """The combined tier as its decision page tells it, for one customer with absolute cuts."""

    def points(value, high, medium):
        return 3 if value >= high else 2 if value >= medium else 1

    loyal = points((points(facts["orders"], 4, 2) + points(facts["tenure_days"], 730, 365)) / 2, 2.5, 1.5)
    active = 3 if facts["recency_days"] <= 90 else 2 if facts["recency_days"] <= 180 else 1
    parts = [points(facts["net"] / 100, 100, 50), points(facts["profit"] / 100, 20, 10), loyal, active]
    parts.append(points(facts["orders_a_year"], 4, 2))
    return {3: "high", 2: "medium", 1: "low"}[points(sum(parts) / 5, 2.5, 1.5)]


def test_every_move_has_the_smallest_cause_that_makes_it_and_who_did_not_move_is_not_listed():
    states = [dict(zip(VALUES, chosen, strict=True)) for chosen in product(*VALUES.values())]
    random = np.random.default_rng(5)
    pairs = [(states[a], states[b]) for a, b in random.integers(len(states), size=(1200, 2))]
    ids = [f"c{n:04d}" for n in range(len(pairs))]
    then, now = (
        passage.Known(
            builders.facts(*(pair[side] | {"customer_id": id} for id, pair in zip(ids, pairs, strict=True)))
        )
        for side in (0, 1)
    )
    way = passage.Passage(then, now, WEIGHED, WEIGHED, 2)
    table = migration.moves(way, passage.steps(way)).set_index("customer_id")
    assert table.index.is_unique
    groups = sorted(set(GROUP.values()))
    for id, (old, new) in zip(ids, pairs, strict=True):
        if plain_tier(old) == plain_tier(new):
            assert id not in table.index
            continue
        row = table.loc[id]
        assert (row["before"], row["now"]) == (plain_tier(old), plain_tier(new))
        makes = [
            set(names)
            for names in chain.from_iterable(combinations(groups, size) for size in range(6))
            if plain_tier(old | {f: new[f] for f in VALUES if GROUP[f] in names}) == plain_tier(new)
        ]
        cause = set(row["cause"].split("+"))
        assert cause in makes
        assert len(cause) == min(map(len, makes))
        assert row["previous"] != row["value"]
        assert GROUP[row["fact"]] in cause


def test_the_order_of_rows_changes_nothing():
    random = np.random.default_rng(7)
    rows = [{"customer_id": f"c{n}", "net": int(random.integers(20000))} for n in range(60)]
    later = [row | {"net": int(random.integers(20000))} for row in rows]
    told = []
    for turn in (slice(None), slice(None, None, -1)):
        known = [passage.Known(builders.facts(*part[turn])) for part in (rows, later)]
        way = passage.Passage(*known, Classes(), Classes(), 2)
        told.append(migration.moves(way, passage.steps(way)))
    assert len(told[0])
    pd.testing.assert_frame_equal(*told)


def test_the_standards_of_the_client_go_before_those_a_run_wrote(home):
    before, today = Period.parse("2024-Q3"), CONFIG + "classes:\n  abc: {at_least: 7}\n"
    client = made(home, today)
    assert standards.in_force(client, before).source == "unknown"
    standards.written(client.built(before), rules())
    found = standards.in_force(client, before)
    assert (found.source, found.rules) == ("run", rules())
    standards.written(client.report(before), Classes())
    assert standards.in_force(client, before).rules == Classes()
    client = made(home, today + "classes_before:\n  rfm: {at_least: 40}\n")
    found = standards.in_force(client, before)
    assert (found.source, found.rules.rfm.at_least, found.rules.abc.at_least) == ("client", 40, 7)


def test_what_an_older_version_wrote_tells_nothing(home):
    client, before = made(home), Period.parse("2024-Q3")
    path = standards.written(client.built(before), Classes())
    path.write_text(json.dumps({"strange": 1}), "utf-8")
    assert standards.in_force(client, before).source == "unknown"


def test_settings_that_contradict_each_other_are_never_put_together():
    then = Classes.model_validate({"behaviour": {"active_days": 30, "dormant_days": 60}})
    assert standards.changed(then, Classes()) == [
        "classes.behaviour.active_days",
        "classes.behaviour.dormant_days",
    ]
    assert standards.exchanged(then, Classes(), ("classes.behaviour.active_days",)) is None
    assert standards.exchanged(then, Classes(), tuple(standards.changed(then, Classes()))) == Classes()
