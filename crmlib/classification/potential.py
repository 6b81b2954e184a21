"""Potential high-value customers (X15), by rule: who is not in the high tier but behaves like it of late.

Four signs, each with the yardstick that the high tier itself gives: *spend* (one more year like the
last reaches the high cut of spend), *frequency* (orders in the last year reach the high cut),
*order_size* (the mean order is that of the high tier's middle customer), *breadth* (so are the
product groups). Low tiers are looked at like any other. Nothing is forecast.
"""

import pandas as pd

from crmlib.classification.beside import Beside
from crmlib.classification.grades import graded
from crmlib.rules import Classes

SIGNS = ("spend", "frequency", "order_size", "breadth")
NOT_SUPPLIED, TOO_FEW = "not_supplied", "too_few"
YEAR = 365


def yardsticks(
    facts: pd.DataFrame, tier: pd.Series, habits: pd.DataFrame, rules: Classes, *, decimals: int
) -> dict[str, float]:
    """What is asked of each sign: net spend and mean order (smallest unit), orders a year, product groups.

    A cut that the client gives is taken; else it is the least value of those whom the rule calls high.
    NaN where nobody is high; of breadth also where the high tier's middle customer buys one group, which
    everybody does.
    """
    main = 10**decimals
    of = facts.merge(habits[["customer_id", "breadth"]], on="customer_id", how="left", validate="one_to_one")
    best = (tier == "high").to_numpy()
    value, often = rules.value, rules.frequency
    net, orders = of["net"].astype(float), of["orders_a_year"].astype(float)
    spend = graded(net / main, value.spend, value.shares, value.at_least)
    frequency = graded(orders, often.cuts, often.shares, often.at_least)
    broad = of["breadth"][best].median()
    return {
        "spend": value.spend.high * main if value.spend else net[spend == "high"].min(),
        "frequency": often.cuts.high if often.cuts else orders[frequency == "high"].min(),
        "order_size": (of["gross"] / of["orders"].where(of["orders"] > 0)).astype(float)[best].median(),
        "breadth": broad if broad > 1 else float("nan"),
    }


def pace(
    facts: pd.DataFrame, tier: pd.Series, recent: pd.DataFrame, asked: dict[str, float], *, days: int
) -> pd.DataFrame:
    """What each customer outside the high tier did of late, and which signs that shows.

    Parameters
    ----------
    facts, tier : a row per customer, in the same order
    recent : customer_id, orders, gross, net, breadth within the last `days`
    asked : the yardsticks

    Returns
    -------
    customer_id, tier, net (so far), spend (net after one more year like the last), frequency (orders a
    year), order_size (mean order), breadth, signs (names of `SIGNS`, comma between), shown (how many).
    """
    of = facts[["customer_id", "net"]].assign(tier=tier.to_numpy())
    of = of[of["tier"] != "high"].merge(
        recent.rename(columns={"net": "recent_net", "breadth": "recent_breadth"}),
        on="customer_id",
        how="inner",
        validate="one_to_one",
    )
    year = YEAR / days
    found = of[["customer_id", "tier", "net"]].assign(
        spend=(of["net"] + of["recent_net"] * year).astype(float),
        frequency=of["orders"] * year,
        order_size=of["gross"] / of["orders"],
        breadth=of["recent_breadth"].astype(float),
    )
    shows = pd.DataFrame({sign: found[sign] >= asked[sign] for sign in SIGNS})
    named = [",".join(sign for sign, yes in zip(SIGNS, row, strict=True) if yes) for row in shows.to_numpy()]
    return found.assign(signs=pd.Series(named, index=found.index, dtype="str"), shown=shows.sum(axis=1))


def potential(
    facts: pd.DataFrame,
    tier: pd.Series,
    habits: pd.DataFrame | None,
    recent: pd.DataFrame | None,
    rules: Classes,
    *,
    decimals: int,
) -> pd.Series:
    """The signs of each potential high-value customer, in the order of `facts`; empty for everyone else.

    `not_supplied` for everybody where there are no order lines, `too_few` where the high tier has too few
    customers to compare with.
    """
    told = _told(tier, habits, recent, rules)
    if told:
        return pd.Series(told, index=facts.index, dtype="str")
    asked = yardsticks(facts, tier, habits, rules, decimals=decimals)
    found = pace(facts, tier, recent, asked, days=rules.potential.days)
    enough = found[found["shown"] >= rules.potential.signs].set_index("customer_id")["signs"]
    return facts["customer_id"].map(enough).fillna("").astype("str")


def _told(tier: pd.Series, habits, recent, rules: Classes) -> str:
    """Why nothing can be said, or nothing."""
    if habits is None or recent is None:
        return NOT_SUPPLIED
    return TOO_FEW if (tier == "high").sum() < rules.potential.at_least else ""


def asked(
    facts: pd.DataFrame, classes: pd.DataFrame, beside: Beside, rules: Classes, *, decimals: int
) -> pd.DataFrame:
    """What each sign asks for: sign, least, unit (of least); no rows where potential cannot be told."""
    units = {"spend": "money", "frequency": "number", "order_size": "money", "breadth": "number"}
    if _told(classes["tier"], beside.habits, beside.recent, rules):
        return pd.DataFrame({"sign": [], "least": [], "unit": []})
    found = yardsticks(facts, classes["tier"], beside.habits, rules, decimals=decimals)
    rows = [(sign, found[sign], unit) for sign, unit in units.items() if pd.notna(found[sign])]
    return pd.DataFrame(rows, columns=["sign", "least", "unit"])


def listed(
    facts: pd.DataFrame, classes: pd.DataFrame, beside: Beside, rules: Classes, *, decimals: int
) -> pd.DataFrame:
    """The potential high-value customers with what they did of late, most signs and largest spend first.

    Returns
    -------
    customer_id, tier, signs, net, spend_ahead, orders_a_year, mean_order, breadth; no rows where potential
    cannot be told.
    """
    names = {"spend": "spend_ahead", "frequency": "orders_a_year", "order_size": "mean_order"}
    columns = ["customer_id", "tier", "signs", "net", *names.values(), "breadth"]
    if _told(classes["tier"], beside.habits, beside.recent, rules):
        return pd.DataFrame(columns=columns)
    yard = yardsticks(facts, classes["tier"], beside.habits, rules, decimals=decimals)
    rows = pace(facts, classes["tier"], beside.recent, yard, days=rules.potential.days)
    marked = classes.loc[classes["potential"] != "", "customer_id"]
    rows = rows[rows["customer_id"].isin(marked)]
    order = ["shown", "spend", "customer_id"]
    rows = rows.sort_values(order, ascending=[False, False, True], ignore_index=True)
    return rows.rename(columns=names)[columns]


def figures(classes: pd.DataFrame) -> dict[str, dict]:
    """Potential high-value customers, of all outside the high tier; no value where it cannot be told."""
    rest = classes[classes["tier"] != "high"]
    if rest["potential"].isin([NOT_SUPPLIED, TOO_FEW]).any():
        why = "no order lines, or too few customers in the high tier to compare with"
        return {"potential.customers": {"value": None, "why": why}}
    return {"potential.customers": {"value": int((rest["potential"] != "").sum()), "n": len(rest)}}


def held(classes: pd.DataFrame) -> dict[str, float]:
    """Potential high-value customers, how many of them in the low tier, and of how many outside the high one."""
    rest = classes[classes["tier"] != "high"]
    marked = rest[~rest["potential"].isin(["", NOT_SUPPLIED, TOO_FEW])]
    told = not (rest["potential"] == NOT_SUPPLIED).any()
    return {
        "customers": len(marked),
        "low": int((marked["tier"] == "low").sum()),
        "rest": len(rest),
        "high": len(classes) - len(rest),
        "told": told,
    }
