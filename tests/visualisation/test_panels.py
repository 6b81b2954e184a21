"""Sparklines and bullets: many measures in one picture, each in its own unit, and all of it in words."""

import io

import pandas as pd
import pytest
from PIL import Image

from crmlib.visualisation import panels

ABOUT = "n = 3 customers · as of 31 Dec 2024 · source: transactions"
PERIODS = ["2023-Q4", "2024-Q1", "2024-Q2", "2024-Q3", "2024-Q4"]


def show(column, value, unit):
    return f"{value:.0%}" if unit == "share" else f"{value:g}"


WORDS = {"title": "How they moved", "about": ABOUT, "heading": lambda name: name, "show": show}


def measures(*rows: dict) -> pd.DataFrame:
    sides = dict.fromkeys(["last_year", "value_low", "value_high", "moved", "moved_on_last_year"])
    return pd.DataFrame([sides | {"unit": "count"} | row for row in rows])


def line(name: str, *values, **given) -> dict:
    return {"id": name} | dict(zip(PERIODS, values, strict=True)) | given


def sparklines(table: pd.DataFrame, year_before: str = "2023-Q4"):
    return panels.sparklines(
        table, label="id", value="value", periods=PERIODS, year_before=year_before, **WORDS
    )


def test_a_movement_is_told_in_words():
    moved = {"last_year": 0.6, "moved": "fell", "moved_on_last_year": "rose", "unit": "share"}
    chart = sparklines(
        measures(
            line("Retention", 0.6, 0.6, 0.7, 0.8, 0.7, value_low=0.65, value_high=0.75, **moved),
            line("㐀商行 $x$ <b>", 1, None, 3, None, 5),
        )
    )
    assert chart.alt == (
        "How they moved. Retention: 70%, previous 80% (fell), last_year 60% (rose); 㐀商行 $x$ <b>: 5"
    )
    assert Image.open(io.BytesIO(chart.png)).format == "PNG"


@pytest.mark.parametrize(
    "values", [(1, 1, 1, 1, 1), (None, None, 7, None, 4), (None, 3, 3, 3, None), (-5, 0, 5, 0, -5)]
)
def test_what_never_moved_is_known_once_or_falls_below_zero_is_drawn(values):
    chart = sparklines(measures(line("a", *values, last_year=values[0], moved_on_last_year="held")))
    assert chart is not None
    assert chart.alt.startswith("How they moved. a: ")


def test_a_year_before_that_lies_before_the_line_has_a_place_left_of_it():
    table = measures(line("a", 1, 2, 3, 4, 5, last_year=9, moved_on_last_year="fell"))
    assert sparklines(table, year_before="2022-Q4").png != sparklines(table).png


def test_measures_that_nobody_knows_make_no_picture():
    assert sparklines(measures(line("a", *[None] * 5))) is None
    assert sparklines(measures(line("a", *[None] * 4, 5))) is None  # one period is no movement
    assert sparklines(measures(line("a", 1, 2, 3, 4, 5)).head(0)) is None


def goals(*rows: dict) -> pd.DataFrame:
    empty = dict.fromkeys(["actual", "plan", "benchmark", "usual_low", "usual_high"])
    return pd.DataFrame(
        [{"goal": "g", "unit": "count", "status": "Behind plan"} | empty | row for row in rows]
    )


def bullets(table: pd.DataFrame):
    return panels.bullets(table, label="goal", value="actual", **WORDS)


def test_a_bullet_says_what_it_shows():
    table = goals(
        {"goal": "Sales", "actual": 50, "plan": 60, "target": 100, "usual_low": 80, "usual_high": 110},
        {"goal": "Churn", "actual": 0.2, "target": 0.1, "unit": "share", "benchmark": 0.08},
        {"goal": "Score", "actual": -12.0, "target": 0, "usual_low": -20, "usual_high": -10},
        {"goal": "Unknown", "target": 5, "status": "Cannot be computed"},
        {"goal": "Nothing", "actual": 0, "target": 0},
    )
    chart = bullets(table)
    assert chart.alt == (
        "How they moved. Sales: Behind plan, actual 50, target 100, plan 60, usual 80 – 110; "
        "Churn: Behind plan, actual 20%, target 10%, benchmark 8%; "
        "Score: Behind plan, actual -12, target 0, usual -20 – -10; "
        "Unknown: Cannot be computed, target 5; Nothing: Behind plan, actual 0, target 0"
    )


def test_no_goals_have_no_bullets():
    assert bullets(goals({"target": 1}).head(0)) is None


def test_the_same_goals_give_the_same_bytes_narrow_enough_for_a_telephone():
    table = goals({"goal": "名" * 60, "actual": 5, "target": 9, "status": "很长的说明" * 9})
    chart = bullets(table)
    assert chart.png == bullets(table).png
    assert Image.open(io.BytesIO(chart.png)).width <= 600
