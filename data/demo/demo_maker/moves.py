"""Customers whose tier changes between two quarters, each for one reason that is known.

They are persons who banked here before the history begins. Their orders are written anew, so that all
parts of their tier but one stand far from every cut, on whichever seed: usual cuts by share lie near
2.1 and 4.3 orders a year, 45,000 and 330,000 yuan of spend, 12,000 and 95,000 of profit.
"""

import numpy as np
import pandas as pd

from .customers import PERSONAL
from .orders import PRODUCTS

# Days are counted from days.START; the quarter that moves them runs from 1004 to 1095.
THEN, NOW = "2024-09-30", "2024-12-31"
QUARTER = "2024-10-01"
EACH = 4
PRODUCT = "理财管理费"
MARGIN = 0.3
LARGE = 150  # pieces: some 100,000 yuan
# story: cause, tier then and now, order days with pieces (a negative number takes back), and what the
# customer says of recommending, before the quarter and in it; nothing where it must not matter
STORIES = {
    "one_large_sale": ("money", "low", "medium", {403: 1, 700: 1, 1040: LARGE}, None),
    "one_large_return": ("money", "medium", "low", {403: 1, 760: LARGE, 1030: -LARGE}, None),
    "burst_of_orders": (
        "frequency",
        "low",
        "medium",
        {403: 1, 700: 1} | dict.fromkeys(range(1010, 1090, 8), 1),
        None,
    ),
    # five orders in their first year, then none: 4.8 a year become 3.9
    "no_more_orders": ("frequency", "high", "medium", dict.fromkeys((623, 690, 760, 830, 890), 26), None),
    "won_over": ("satisfaction", "low", "medium", dict.fromkeys((53, 300, 560, 800), 1), ("6", "10")),
    "disappointed": ("satisfaction", "medium", "low", dict.fromkeys((53, 300, 560, 800), 1), ("10", "6")),
    # 680 days a customer become 772: two years are passed
    "two_years": ("time", "low", "medium", {323: 1, 500: 1}, None),
    # under the standards before, a 9 was no promoter
    "promoter_by_rule": ("rule", "low", "medium", dict.fromkeys((53, 400, 800), 1), ("9", "9")),
}
# These move only where activity weighs in the tier and the customer's spend alone beside it.
WITH_ACTIVITY = {"spend": 1, "activity": 1, "frequency": 0, "loyalty": 0, "lifetime": 0}
SILENCES = {
    "fell_silent": ("recency", "medium", "low", {403: 1, 914: 1}, None),
    "came_back": ("recency", "low", "medium", {403: 1, 703: 1, 1060: 1}, None),
}
ALL = STORIES | SILENCES


def chosen(rng, folk: pd.DataFrame, lines: pd.DataFrame, said: pd.DataFrame, *, spoilt: list[str]):
    """Who moves: customer and story. No one with a planted role, or with a spoilt survey form."""
    first = lines.groupby("customer")["day"].min().reindex(folk.index)
    fit = (folk["type"] == PERSONAL) & (folk["role"] == "") & folk["held"] & ~folk["id"].isin(spoilt)
    fit &= first < 900  # nobody becomes a customer of another quarter
    late = folk["id"].isin(said.loc[said["answered_on"] >= QUARTER, "respondent"])
    early = folk["id"].isin(said.loc[said["answered_on"] < QUARTER, "respondent"])
    free, found = rng.permutation(np.flatnonzero(fit)), []
    asked = (early & late).to_numpy()
    # Those who must have answered come first: there are fewest of them.
    for story, (*_, says) in sorted(ALL.items(), key=lambda item: item[1][-1] is None):
        able = free[asked[free]] if says else free
        picked = able[:EACH]
        free = np.setdiff1d(free, picked, assume_unique=True)
        found += [(int(customer), story) for customer in picked]
    return pd.DataFrame(found, columns=["customer", "story"])


def ordered(rng, lines: pd.DataFrame, movers: pd.DataFrame) -> pd.DataFrame:
    """The order lines with those of the movers written anew."""
    product = int(PRODUCTS.index[PRODUCTS["product"] == PRODUCT][0])
    rows, doc = [], int(lines["doc"].max())
    for mover in movers.itertuples():
        price = round(int(PRODUCTS["price"][product]) * rng.uniform(0.9, 1.3))
        for day, pieces in ALL[mover.story][3].items():
            doc += 1
            profit = round(price * pieces * MARGIN)
            kind = "sale" if pieces > 0 else "return"
            rows.append(
                (mover.customer, day, int(rng.integers(4)), doc, product, price, pieces, profit, kind)
            )
    names = ["customer", "day", "channel", "doc", "product", "price", "quantity", "profit", "kind"]
    kept = lines[~lines["customer"].isin(movers["customer"])]
    # What movers buy is never at a discount, so that nothing but their own story moves them.
    return pd.concat([kept, pd.DataFrame(rows, columns=names).assign(off=0)], ignore_index=True)


def answered(said: pd.DataFrame, movers: pd.DataFrame, *, folk: pd.DataFrame) -> pd.DataFrame:
    """The survey with what the movers say of recommending; nothing where it must not matter."""
    said = said.copy()
    for mover in movers.itertuples():
        theirs = said["respondent"] == folk["id"][mover.customer]
        early, late = ALL[mover.story][4] or ("", "")
        said.loc[theirs & (said["answered_on"] < QUARTER), "recommend"] = early
        said.loc[theirs & (said["answered_on"] >= QUARTER), "recommend"] = late
    return said


def truth(movers: pd.DataFrame, *, folk: pd.DataFrame) -> dict:
    """Who moves, from which tier to which, and why."""

    def told(stories: dict) -> dict:
        mine = movers[movers["story"].isin(stories)]
        return {
            folk["id"][mover.customer]: {
                "story": mover.story,
                **dict(zip(("cause", "from", "to"), stories[mover.story], strict=False)),
            }
            for mover in mine.itertuples()
        }

    return {
        "from": THEN,
        "to": NOW,
        "customers": told(STORIES),
        "with_activity": {"weights": WITH_ACTIVITY, "customers": told(SILENCES)},
    }
