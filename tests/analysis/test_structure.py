"""How the mix of customers moves: by hand."""

import pandas as pd
import pytest

from crmlib.analysis import structure


def judged(*tiers: str, need: str = "not_known") -> pd.DataFrame:
    return pd.DataFrame({"tier": list(tiers), "need": need}).astype("object")


def test_the_share_of_each_level_beside_the_previous_period():
    now = judged(*["high"] * 2, *["low"] * 6, "medium", "medium", "not_graded")
    before = judged(*["high"] * 1, *["low"] * 3)
    table = structure.mix(now, before, ["tier", "need"])
    assert table[["class", "level", "customers", "share", "share_before"]].fillna(0).values.tolist() == [
        ["tier", "high", 2, 0.2, 0.25],
        ["tier", "medium", 2, 0.2, 0.0],  # nobody was then: that is known
        ["tier", "low", 6, 0.6, 0.75],
    ]
    assert table["change"].tolist() == pytest.approx([-0.05, 0.2, -0.15])
    assert table["change"].sum() == pytest.approx(0)
    moved = structure.shift(table)
    assert (moved["level"], moved["rose"], moved["moved"]) == (["medium"], True, True)
    assert structure.figures(table) == {}  # tiers have an id of their own


def test_without_a_previous_period_no_change_is_told():
    table = structure.mix(judged("high", "low", need="personalised"), judged(), ["tier", "need"])
    assert table["change"].isna().all()
    assert table["customers_before"].isna().all()
    assert structure.shift(table)["moved"] is None
    assert structure.figures(table)["mix.need.personalised"]["value"] == 1.0


def test_a_mix_that_stays_is_told_to_stay():
    same = judged(*["high"] * 500, *["low"] * 500)
    other = judged(*["high"] * 505, *["low"] * 495)
    assert structure.shift(structure.mix(other, same, ["tier"]))["moved"] is False
    assert structure.mix(judged(), judged(), ["tier"]).empty
    assert structure.shift(structure.mix(judged(), judged(), ["tier"]))["moved"] is None
