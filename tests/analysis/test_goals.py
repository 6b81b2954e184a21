"""Goals: five criteria, plan line, odds, the sub-goal that drives a miss; each against figures worked out by hand."""

import datetime as dt

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import stats

from crmlib.analysis import goals
from crmlib.goals import Goal, checked_tree

AS_OF = dt.date(2024, 9, 30)
QUARTERS = [
    (
        dt.date(2022 + n // 4, n % 4 * 3 + 1, 1),
        dt.date(2022 + n // 4, n % 4 * 3 + 3, 30 if n % 4 in (1, 2) else 31),
    )
    for n in range(11)
]


def history(kpi: str, values) -> dict:
    return {
        kpi: [(*days, float(value)) for days, value in zip(QUARTERS[-len(values) :], values, strict=True)]
    }


def goal(**given) -> Goal:
    return Goal(**{"name": "g", "kpi": "retention.rate", "target": 0.7, "by": dt.date(2024, 12, 31)} | given)


def linted(one: Goal, past: dict) -> dict:
    return (
        goals.linted({"g": one}, past, as_of=AS_OF).set_index("criterion")[["met", "why"]].T.to_dict("list")
    )


def test_a_sound_goal_meets_every_criterion():
    past = history("retention.rate", [0.6, 0.65, 0.61, 0.66, 0.68, 0.66, 0.69, 0.68])
    found = linted(goal(owner="A", serves="loyalty"), past)
    assert all(met is True for met, _ in found.values())


def test_what_a_goal_lacks_is_named():
    past = history("retention.rate", [0.60, 0.61, 0.60, 0.61, 0.60, 0.61, 0.60, 0.61])
    found = linted(goal(target=0.95, by=dt.date(2024, 6, 30)), past)
    assert found["specific"] == [False, "no_owner"]
    assert found["relevant"] == [False, "serves_nothing"]
    assert found["time_bound"] == [False, "day_is_past"]
    assert linted(goal(target=0.95), past)["attainable"] == [False, "beyond_its_history"]
    assert linted(goal(target=0.95, benchmarks={"B": 0.96}), past)["attainable"][0] is True
    # Reached once in its own past, though the odds are small: it can be reached.
    once = history("retention.rate", [0.60, 0.96, 0.60, 0.61, 0.60, 0.61, 0.60, 0.61])
    assert linted(goal(target=0.95), once)["attainable"] == [True, "history_reached_it"]
    assert linted(goal(), {})["measurable"] == [False, "not_computed"]
    assert linted(goal(), history("retention.rate", [0.6] * 6))["attainable"] == [None, "history_too_short"]


def test_odds_of_a_level_are_those_of_the_next_draw_about_it():
    # Eleven values about 100 without order: the next is t-distributed about their mean, wider by 1/11.
    values = np.array([103, 98, 101, 95, 104, 99, 97, 102, 96, 105, 100.0])
    logs = np.log(values)
    spread = logs.std(ddof=1) * np.sqrt(1 + 1 / 11)
    by_hand = stats.t.sf((np.log(102) - logs.mean()) / spread, 10)
    one = goal(kpi="orders.mean", target=102.0)
    found = goals.probability(one, history("orders.mean", values), as_of=AS_OF)
    assert found == pytest.approx(by_hand, abs=0.05)  # other ways of going on have a little weight too
    never = goal(kpi="orders.mean", target=200.0)
    assert goals.probability(never, history("orders.mean", values), as_of=AS_OF) == pytest.approx(1 / 12)


def test_what_every_fourth_quarter_reached_is_expected_of_the_next():
    # The third quarter is under way to the fourth: 130 in each fourth quarter, near 100 in all others.
    noise = [1, -1, 0, 2, -2, 1, 0, -1, 1, 0, -1]
    values = [
        100 + part + (30 if day.month == 12 else 0) for part, (_, day) in zip(noise, QUARTERS, strict=True)
    ]
    one = goal(kpi="orders.mean", target=120.0)
    assert goals.probability(one, history("orders.mean", values), as_of=AS_OF) > 0.85
    spring = goal(kpi="orders.mean", target=120.0, by=dt.date(2025, 3, 31))
    assert goals.probability(spring, history("orders.mean", values), as_of=AS_OF) < 0.15


def test_a_trend_is_carried_on():
    values = [100, 104, 107, 112, 116, 119, 125, 128, 132, 136, 139.0]  # nearly four more each time
    near = goal(kpi="orders.mean", target=141.0)
    far = goal(kpi="orders.mean", target=150.0)
    assert goals.probability(near, history("orders.mean", values), as_of=AS_OF) > 0.8
    assert goals.probability(far, history("orders.mean", values), as_of=AS_OF) < 0.15


def test_a_period_without_a_value_is_a_gap_and_no_step():
    values = [100, 104, 107, 112, 116, 119, 125, 128, 132, 136, 139.0]
    known = history("orders.mean", values)["orders.mean"]
    gone = {"orders.mean": known[:4] + known[5:]}
    one = goal(kpi="orders.mean", target=143.0)
    whole = goals.probability(one, {"orders.mean": known}, as_of=AS_OF)
    assert goals.probability(one, gone, as_of=AS_OF) == pytest.approx(whole, abs=0.1)


def test_when_the_day_has_come_there_are_no_odds():
    past = history("retention.rate", [0.6, 0.71])
    assert goals.probability(goal(by=AS_OF), past, as_of=AS_OF) == 1.0
    assert goals.probability(goal(by=AS_OF, target=0.72), past, as_of=AS_OF) == 0.0


def test_a_total_is_summed_from_its_start_and_planned_by_days():
    past = history("sales.identified", [50, 100, 120, 130])
    year = goal(kpi="sales.identified", target=732.0, start=dt.date(2024, 1, 1), by=dt.date(2024, 12, 31))
    assert goals.actual(year, past, as_of=AS_OF) == 350
    assert goals.planned(year, past, as_of=AS_OF) == pytest.approx(732 * 274 / 366)  # 2024 leaps
    table = goals.standing({"year": year}, past, as_of=AS_OF)
    assert table["status"].tolist() == ["behind"]
    assert table["short"].tolist() == [382]


def test_a_level_is_planned_from_where_it_stood():
    past = history("retention.rate", [0.50, 0.55, 0.58])
    year = goal(target=0.70, start=dt.date(2024, 4, 1), by=dt.date(2024, 12, 31))
    # 0.50 before April; 183 of 275 days are gone.
    assert goals.planned(year, past, as_of=AS_OF) == pytest.approx(0.5 + 0.2 * 183 / 275)


def test_less_may_be_the_aim():
    past = history("churn.rate", [0.2, 0.1])
    low = goal(kpi="churn.rate", target=0.15, direction="down")
    assert goals.standing({"g": low}, past, as_of=AS_OF)[["short", "status"]].values.tolist() == [
        [0.0, "on_plan"]
    ]


def test_the_sub_goal_that_drives_a_miss_is_the_deepest_that_lacks_most():
    tree = {
        "all": goal(kpi="sales.identified", target=400, serves="growth"),
        "keep": goal(kpi="retention.rate", target=0.8, parent="all"),
        "win": goal(kpi="customers.new", target=100, parent="all"),
        "win_web": goal(kpi="orders.count", target=50, parent="win"),
        "fine": goal(kpi="orders.mean", target=10, parent="all"),
    }
    past = history("sales.identified", [300]) | history("retention.rate", [0.76])
    past |= history("customers.new", [80]) | history("orders.count", [20]) | history("orders.mean", [11])
    table = goals.standing(tree, past, as_of=AS_OF)
    assert goals.driver(table, "all") == "win_web"  # 60 % are lacking; retention lacks 5 %
    assert goals.driver(table, "keep") is None


def test_goals_that_make_no_sense_are_refused_with_their_key():
    with pytest.raises(ValidationError, match="GLOSSARY"):
        goal(kpi="happiness")
    with pytest.raises(ValidationError, match="before by"):
        goal(start=dt.date(2025, 1, 1))
    with pytest.raises(ValidationError):
        goal(target=float("nan"))
    with pytest.raises(ValueError, match="no goal here"):
        checked_tree({"a": goal(parent="b")})
    with pytest.raises(ValueError, match="circle"):
        checked_tree({"a": goal(parent="b"), "b": goal(parent="a")})


def test_a_goal_whose_kpi_cannot_be_computed_says_so_and_the_others_stand():
    tree = {"a": goal(), "b": goal(kpi="orders.mean", target=10)}
    table = goals.standing(tree, history("orders.mean", [11.0]), as_of=AS_OF)
    assert table["status"].tolist() == ["not_computed", "on_plan"]
    assert table["short"].isna().tolist() == [True, False]


def test_a_total_without_a_start_is_that_of_its_last_period():
    # Each quarter brings about 100: 105 of one is a matter of chance, of a sum with the one before it is certain.
    values = [103, 98, 101, 95, 104, 99, 97, 102, 96, 105, 100.0]
    one = goal(kpi="customers.new", target=101.0)
    assert 0.25 < goals.probability(one, history("customers.new", values), as_of=AS_OF) < 0.6
    begun = goal(kpi="customers.new", target=101.0, start=dt.date(2024, 7, 1))
    assert goals.probability(begun, history("customers.new", values), as_of=AS_OF) > 0.9


def test_the_usual_range_of_a_total_is_of_as_many_periods_as_the_goal_lasts():
    past = history("sales.identified", [50, 100, 120, 130])
    half = goal(kpi="sales.identified", target=300, start=dt.date(2024, 7, 1))
    assert goals.usual(half, past) == (150, 250)  # 50 + 100 … 120 + 130
    assert goals.usual(goal(kpi="sales.identified", target=300), past) == (50, 130)
    long = goal(kpi="sales.identified", target=900, start=dt.date(2024, 1, 1), by=dt.date(2025, 12, 31))
    assert goals.usual(long, past) == (None, None)
    assert goals.usual(goal(), {}) == (None, None)


def test_the_best_competitor_is_the_least_where_less_is_the_aim():
    low = goal(kpi="churn.rate", target=0.1, direction="down", benchmarks={"A": 0.12, "B": 0.08})
    high = goal(benchmarks={"A": 0.6, "B": 0.7})
    more = goal(benchmarks={"C": 0.9})
    assert goals.best(low) == ("B", 0.08)
    assert goals.benchmarked({"l": low, "h": high, "m": more, "n": goal(kpi="nps.score")}) == {
        "churn.rate": 0.08,
        "retention.rate": 0.9,
    }


def test_a_goal_that_has_not_begun_is_neither_on_plan_nor_behind():
    past = history("sales.identified", [50, 60])
    later = goal(kpi="sales.identified", target=9, start=dt.date(2024, 10, 1))
    table = goals.standing({"g": later}, past, as_of=AS_OF)
    assert table["status"].tolist() == ["not_begun"]
    assert goals.counted(table) == {
        "goals": 1,
        "known": 0,
        "well": 0,
        "behind": 0,
        "likely": 0,
        "worst": "",
        "odds": None,
    }


def test_what_a_reader_sees_of_goals():
    tree = {
        "all": goal(name="All", kpi="sales.identified", target=400, serves="growth"),
        "keep": goal(name="Keep", kpi="retention.rate", target=0.8, parent="all"),
        "fine": goal(name="Fine", kpi="orders.mean", target=10, parent="all", owner="B"),
    }
    past = (
        history("sales.identified", [300]) | history("retention.rate", [0.6]) | history("orders.mean", [11])
    )
    table = goals.standing(tree, past, as_of=AS_OF)
    shown = goals.shown(table).set_index("goal")
    assert shown["status"].to_dict() == {"All": "behind", "Keep": "behind", "Fine": "on_plan"}
    assert shown["driver"].to_dict() == {"All": "Keep", "Keep": "", "Fine": ""}
    told = goals.counted(table)
    assert (told["goals"], told["known"], told["well"], told["behind"], told["odds"]) == (3, 3, 1, 2, None)
    lacking = goals.lacking(goals.linted(tree, past, as_of=AS_OF), tree)
    assert ("Fine", "specific") not in set(zip(lacking["goal"], lacking["criterion"], strict=True))
    assert set(lacking["met"]) == {"not_met", "not_known"}


def test_no_goals_are_an_empty_table():
    table = goals.standing({}, {}, as_of=AS_OF)
    assert goals.shown(table).empty
    assert goals.lacking(goals.linted({}, {}, as_of=AS_OF), {}).empty
    assert goals.counted(table)["goals"] == 0
