"""Who answers for which goal, and whether sub-goals make the whole; sums worked out by hand."""

import datetime as dt

import pytest

from crmlib.analysis import answering, goals
from crmlib.goals import Goal

AS_OF = dt.date(2024, 9, 30)
YEAR = {"start": dt.date(2024, 1, 1), "by": dt.date(2024, 12, 31)}


def goal(**given) -> Goal:
    usual = {"name": "g", "kpi": "sales.identified", "target": 100, "serves": "growth"}
    return Goal(**usual | YEAR | given)


def region(name: str, target: float, **given) -> Goal:
    return goal(name=name, kpi=f"sales.identified.region.{name}", target=target, parent="all", **given)


def one_row(tree: dict) -> tuple:
    table = answering.parts(tree)
    assert len(table) == 1
    return tuple(table.loc[0, ["divided", "target", "sub_goals", "nobodys", "together"]])


def test_regions_that_leave_a_part_of_the_target_to_nobody_are_told_by_how_much():
    tree = {"all": goal(target=100), "n": region("N", 60), "s": region("S", 25)}
    assert one_row(tree) == ("by_group", 100, 85, 15, "parts_short")
    told = answering.undivided(answering.parts(tree))
    assert told["wholes"] == 1
    assert told["wrong"] == [{"fact": "g", "word": None, "unit": "money", "inside": 85, "others": 100}]


def test_regions_that_make_the_whole_are_equal_also_by_fractions():
    tree = {"all": goal(target=0.3), "n": region("N", 0.1), "s": region("S", 0.2)}
    assert one_row(tree) == ("by_group", 0.3, pytest.approx(0.3), 0, "parts_equal")
    assert answering.undivided(answering.parts(tree))["wrong"] == []


def test_parts_that_promise_more_than_the_whole_are_told_too():
    kept, won = (goal(kpi=f"value.{name}", target=70, parent="all") for name in ("retained", "acquired"))
    assert one_row({"all": goal(), "k": kept, "w": won}) == ("by_part", 100, 140, -40, "parts_more")


def test_quarters_that_share_out_a_year_make_it():
    quarters = {
        f"q{n}": goal(
            target=30,
            parent="all",
            start=dt.date(2024, 3 * n - 2, 1),
            by=dt.date(2024, 3 * n, 30 if n in (2, 3) else 31),
        )
        for n in (1, 2, 3, 4)
    }
    assert one_row({"all": goal()} | quarters) == ("by_time", 100, 120, -20, "parts_more")
    # Without the last quarter they do not share the year out, and nothing is held against it.
    assert answering.parts({"all": goal()} | {k: quarters[k] for k in ("q1", "q2", "q3")}).empty


def test_what_does_not_add_up_is_not_added_up():
    tree = {
        "all": goal(),
        "keep": goal(kpi="retention.rate", target=0.7, parent="all"),
        "later": region("N", 60, by=dt.date(2025, 6, 30)),
        "rate": goal(kpi="retention.rate", target=0.7),
        "half": goal(kpi="retention.rate", target=0.3, parent="rate"),
    }
    assert answering.parts(tree).empty


def test_every_supervisor_with_those_who_answer():
    tree = {
        "a": goal(name="A", target=400, owner="Li", supervisor="Wu"),
        "b": goal(name="B", target=50, owner="An", supervisor="Wu"),
        "c": goal(name="C", kpi="nps.score", target=5, owner="Bo"),
        "d": goal(name="D", kpi="churn.rate", target=0.1, supervisor="Ma"),
    }
    past = {"sales.identified": [(dt.date(2024, 7, 1), AS_OF, 90.0)]}
    standing = goals.standing(tree, past, as_of=AS_OF)
    table = answering.answering(standing)
    rows = table[["supervisor", "owner", "goal", "status"]].astype(object).where(table.notna(), None)
    assert rows.values.tolist() == [
        ["Ma", None, "D", "not_computed"],
        ["Wu", "An", "B", "attained"],
        ["Wu", "Li", "A", "behind"],
        [None, "Bo", "C", "not_computed"],
    ]
    assert answering.answered(table) == {"goals": 4, "open": 2, "names": ["D", "C"]}
    assert answering.most_behind(table) == {"first": "Wu", "late": 1, "names": ["A"], "behind": 1, "known": 2}
    assert answering.uncomputed(standing) == {"goals": 4, "names": ["C", "D"]}


def test_no_goals_have_nobody_to_answer_for_them():
    table = answering.answering(goals.standing({}, {}, as_of=AS_OF))
    assert answering.answered(table)["goals"] == 0
    assert answering.most_behind(table)["first"] == ""
    assert answering.undivided(answering.parts({})) == {"wholes": 0, "wrong": []}


def test_what_goals_lack_is_told_before_anything_is_computed():
    tree = {
        "all": goal(owner="Li", supervisor="Wu"),
        "n": region("N", 60, owner="An", supervisor="Li"),
        "old": goal(kpi="nps.score", serves="", start=None, by=dt.date(2024, 9, 30), owner="Bo"),
    }
    assert answering.beforehand(tree, supplied={"transactions"}, as_of=AS_OF) == [
        ("old", "no_supervisor", ""),
        ("old", "serves_nothing", ""),
        ("old", "day_is_past", "2024-09-30"),
        ("old", "source_not_supplied", "surveys"),
        ("all", "parts_short", "60 of 100"),
    ]
