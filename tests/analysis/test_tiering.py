"""Was the last tiering right? By hand."""

import pandas as pd
import pytest

from crmlib.analysis import tiering


def activity(*bought: tuple[str, int, int, int]) -> pd.DataFrame:
    return pd.DataFrame(bought, columns=["customer_id", "orders", "gross", "returned"])


def behaviours(**states: str) -> pd.DataFrame:
    return pd.DataFrame({"customer_id": list(states), "behaviour": list(states.values())})


def test_of_each_tier_it_is_told_who_bought_again_what_they_brought_and_who_left():
    given = pd.Series(
        {"a": "high", "b": "high", "c": "low", "d": "low", "e": "low", "f": "new", "g": "not_graded"}
    )
    now = activity(("a", 2, 500, -100), ("b", 0, 0, -50), ("c", 1, 90, 0), ("f", 1, 1000, 0))
    then = behaviours(a="active", b="dormant", c="active", d="churned", e="active")
    today = behaviours(a="active", b="churned", c="active", d="churned", e="churned", f="active")
    table = tiering.since(given, now, today, then)
    told = ["level", "customers", "bought", "bought_share", "net_each", "churned_share"]
    assert table[told].values.tolist() == [
        ["high", 2, 1, 0.5, 175.0, 0.5],  # (400 - 50) ÷ 2; b of a and b has left
        ["low", 3, 1, pytest.approx(1 / 3), 30.0, 0.5],  # of c and e, e has left; d had left before
    ]
    # Wilson with the correction for continuity, of 1 of 2 at 90 %: as if 1/2 of 2, and then Wilson's lower end
    z = 1.6448536269514722
    half = z * (2 * 0.25 * 0.75 + z * z / 4) ** 0.5
    assert table.loc[0, "bought_share_low"] == pytest.approx((0.5 + z * z / 2 - half) / (2 + z * z))


def shares(*levels: tuple[str, int, int]) -> pd.DataFrame:
    """Tiers of so many customers, of whom so many bought."""
    ids = {level: [f"{level}{n}" for n in range(count)] for level, count, _ in levels}
    given = pd.Series({id: level for level, mine in ids.items() for id in mine})
    now = activity(*((id, 1, 100, 0) for level, _, bought in levels for id in ids[level][:bought]))
    nobody = behaviours()
    return tiering.since(given, now, nobody, nobody)


@pytest.mark.parametrize(
    ("levels", "right"),
    [
        ([("high", 100, 90), ("medium", 100, 60), ("low", 100, 20)], True),
        ([("high", 100, 60), ("medium", 100, 60), ("low", 100, 20)], False),
        ([("high", 100, 20), ("medium", 100, 60), ("low", 100, 90)], False),
        ([("high", 4, 4), ("low", 4, 2)], False),  # 4 of 4 may be 60 %, 2 of 4 may be 81 %
        ([("high", 100, 60)], None),
        ([], None),
    ],
)
def test_the_tiering_was_right_if_each_tier_did_better_than_the_next_beyond_chance(levels, right):
    assert tiering.judged(shares(*levels))["right"] is right


def test_where_no_behaviour_is_known_nobody_is_said_to_have_stayed():
    figures = tiering.figures(shares(("high", 2, 1)))
    assert figures["tiering.high.churned"] == {"value": None, "why": "too few", "n": 2}
    assert figures["tiering.high.bought"]["value"] == 0.5
