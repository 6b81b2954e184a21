"""What customers will be worth: the sales expected of each, their profit, and who is still there (M04).

Sales are gross sales of order lines, as in every customer measure; money of a later day counts less. Profit is
those sales at the margin that the period's lines with a known profit had. No class looks at any of this:
predicted value stands beside the lifetime value asked for (X09), which is what it is so far.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from crmlib.analysis import bgnbd, prediction
from crmlib.analysis.backtest import Backtest, helped
from crmlib.analysis.estimation import LEVEL, SPREAD
from crmlib.analysis.prediction import Model, Played
from crmlib.analysis.purchases import EVERY
from crmlib.language import WORDS
from crmlib.outlook import Outlook

GONE = 0.5  # P(alive) below which somebody is likelier gone than not
# As far as an estimate of a parameter may reach, so far may what is told from it: a factor of some 700.
BOUNDED = float(np.exp(2 * SPREAD * stats.norm.ppf((1 + LEVEL) / 2)))
COLUMNS = ["customer_id", "orders", "so_far", "alive", "purchases", "order_value", "predicted"]
COLUMNS += ["predicted_low", "predicted_high", "predicted_profit"]
UNITS = {
    "orders": "count",
    "so_far": "money",
    "alive": "share",
    "purchases": "score",
    "order_value": "money",
    "predicted": "money",
    "predicted_low": "money",
    "predicted_high": "money",
    "predicted_profit": "money",
    "lifetime_value": "money",
    "one_time": "count",
    "likely_gone": "count",
}
HABITS = {"estimate": "row", "estimate_low": "row", "estimate_high": "row"}
PARAMETERS = dict.fromkeys(HABITS, "number") | {"fit": "word"}


@dataclass(frozen=True)
class Worth:
    """Every customer's prediction, in the columns of `COLUMNS`; the plays behind it; what corrected it."""

    table: pd.DataFrame
    play: Played | None = None
    correction: float = 1.0


def worth(
    model: Model,
    people: pd.DataFrame | None,
    classes: pd.DataFrame,
    rule: Outlook,
    *,
    decimals: int,
    margin: float | None = None,
    correction: float = 1.0,
) -> Worth:
    """What is expected of each customer within the horizon; no rows where that is not estimable.

    Parameters
    ----------
    people : as `purchases.purchases` gives them
    classes : customer_id and classes, for whose members sums are kept
    margin : profit ÷ sales; None where no profit is known
    correction : a factor on purchases, from the backtest

    Returns
    -------
    customer_id; orders and so_far (days with an order, their gross sales); alive (0-1); purchases (within the
    horizon); order_value (expected of an order); predicted (discounted sales) with the 90 % interval of what
    may come; predicted_profit (the same × margin). Money in the smallest unit.
    """
    if not model.values_too or people is None:
        return Worth(pd.DataFrame(columns=COLUMNS))
    each = prediction.spend(model, people, decimals=decimals)
    groups = people[["customer_id"]].merge(classes, on="customer_id", how="left", validate="one_to_one")
    groups = groups.drop(columns="customer_id").fillna("not_graded")
    play = prediction.played(model, people, groups, days=rule.days, decimals=decimals, discount=rule.discount)
    value = prediction.discounted(model, people, rule) * each * correction
    table = pd.DataFrame(
        {
            "customer_id": people["customer_id"],
            "orders": people["repeats"] + 1,
            "so_far": people["first_spend"] + people["repeat_spend"],
            "alive": prediction.alive(model, people),
            "purchases": prediction.expected(model, people, days=rule.days) * correction,
            "order_value": each,
            "predicted": value,
            "predicted_low": play.low * correction,
            "predicted_high": play.high * correction,
            "predicted_profit": value * (np.nan if margin is None else margin),
        }
    )
    return Worth(table, play, correction)


def by_class(found: Worth, classes: pd.DataFrame, name: str, order: tuple[str, ...] = ()) -> pd.DataFrame:
    """Predicted value by a class, beside what was sold and kept so far.

    Parameters
    ----------
    classes : customer_id, the class, lifetime_value (X09; empty where no cost is known)
    order : the class's levels, highest first

    Returns
    -------
    the class, customers, so_far, lifetime_value (empty where none is known), purchases, predicted with
    the 90 % interval of what may come, predicted_profit
    """
    columns = [name, "customers", "so_far", "lifetime_value", "purchases", "predicted"]
    columns += ["predicted_low", "predicted_high", "predicted_profit"]
    if found.play is None:
        return pd.DataFrame(columns=columns)
    rows = found.table.merge(classes[["customer_id", name, "lifetime_value"]], on="customer_id", how="left")
    rows = rows.assign(customers=1, lifetime_value=rows["lifetime_value"].astype(float))
    rows[name] = rows[name].fillna("not_graded")
    sums = rows.groupby(name)[
        ["customers", "so_far", "lifetime_value", "purchases", "predicted", "predicted_profit"]
    ].sum(min_count=1)
    span = found.play.interval(name) * found.correction
    sums = sums.assign(predicted_low=span["low"], predicted_high=span["high"])
    places = {level: place for place, level in enumerate(order)}
    sums = sums.sort_index(key=lambda index: [(places.get(level, len(places)), level) for level in index])
    return sums.rename_axis(name).reset_index()[columns]


def top(found: Worth, most: int = 10) -> pd.DataFrame:
    """The customers with the largest predicted value."""
    ordered = found.table.sort_values(["predicted", "customer_id"], ascending=[False, True])
    return ordered.head(most).reset_index(drop=True)


def probably_gone(found: Worth, most: int = 10) -> pd.DataFrame:
    """Customers who are likelier gone than not, the largest so far first: without what is expected of them."""
    gone = found.table[found.table["alive"] < GONE]
    ordered = gone.sort_values(["so_far", "customer_id"], ascending=[False, True])
    return ordered.head(most)[["customer_id", "orders", "so_far", "alive", "predicted"]].reset_index(
        drop=True
    )


def still_there(found: Worth, classes: pd.DataFrame) -> pd.DataFrame:
    """P(alive) by behaviour (X02): behaviour, customers, one_time (whose P(alive) is 1 by construction),
    alive (its mean over the others), likely_gone (of them), predicted.
    """
    columns = ["behaviour", "customers", "one_time", "alive", "likely_gone", "predicted"]
    if found.table.empty:
        return pd.DataFrame(columns=columns)
    rows = found.table.merge(classes[["customer_id", "behaviour"]], on="customer_id", how="left")
    again = rows["orders"] > 1
    rows = rows.assign(
        customers=1,
        one_time=~again,
        likely_gone=again & (rows["alive"] < GONE),
        alive=rows["alive"].where(again),
        behaviour=rows["behaviour"].fillna("not_graded"),
    )
    sums = rows.groupby("behaviour").agg(
        customers=("customers", "sum"),
        one_time=("one_time", "sum"),
        alive=("alive", "mean"),
        likely_gone=("likely_gone", "sum"),
        predicted=("predicted", "sum"),
    )
    known = [state for state in ("active", "dormant", "churned", "not_graded") if state in sums.index]
    return sums.loc[known].reset_index()[columns]


def parameters(model: Model) -> pd.DataFrame:
    """Every parameter of the fits that are used: fit, customer_type, parameter, estimate with its
    interval, customers."""
    fits = {} if model.why else {(f"buying_{model.leaving}", EVERY): model.buying}
    fits |= {("spending", kind): fit for kind, fit in model.kinds.items()} if fits else {}
    rows = [
        (*fit, name, value, *found.interval(name), found.customers)
        for fit, found in fits.items()
        for name, value in zip(found.names, found.values, strict=True)
    ]
    columns = ["fit", "customer_type", "parameter", "estimate", "estimate_low", "estimate_high", "customers"]
    return pd.DataFrame(rows, columns=columns)


def habits(model: Model, *, decimals: int) -> pd.DataFrame:
    """What the fits say in words: fact, customer_type, estimate and its interval, unit.

    Of customers who still buy: days between purchases of the middle one and of the busiest tenth, the chance
    to leave after a purchase, and what the mean customer's order is worth, by type where types differ. What the
    data hardly bound has no row: an interval that spans a factor of 700 tells nobody anything.
    """
    columns = ["fact", "customer_type", "estimate", "estimate_low", "estimate_high", "unit"]
    if model.why:
        return pd.DataFrame(columns=columns)
    sets = bgnbd.whole(np.vstack([model.buying.logs, model.buying.draws]), model.leaving)
    r, alpha, a, b = sets.T
    days = [bgnbd.WEEK / stats.gamma.ppf(share, r, scale=1 / alpha) for share in (0.5, 0.9)]
    rows = [("gap_middle", EVERY, *_told(days[0]), "days"), ("gap_busiest", EVERY, *_told(days[1]), "days")]
    rows += [("leaving", EVERY, *_told(a / (a + b)), "share")] if model.leaving != "none" else []
    for kind, fit in model.kinds.items():
        p, q, gamma = np.exp(np.vstack([fit.logs, fit.draws])).T
        rows.append(("order_mean", kind, *_told(p * gamma / (q - 1) * 10**decimals), "money"))
    return pd.DataFrame([row for row in rows if row[4] <= BOUNDED * row[3]], columns=columns)


def _told(values: np.ndarray) -> tuple[float, float, float]:
    """The first of the values, and the 90 % interval of the others."""
    low, high = np.quantile(values[1:], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(values[0]), float(low), float(high)


def fitted(model: Model) -> dict[str, dict]:
    """The fits as figures: of the whole model (`value.bgnbd`), of what is used, of amounts."""
    found = model.full.figures("value.bgnbd") | model.spending.figures("value.gamma_gamma")
    if not model.why and model.leaving != "own":
        found |= model.buying.figures("value.buying")
    for kind, fit in model.kinds.items():
        if kind != EVERY:
            found |= fit.figures(f"value.gamma_gamma.{kind}")
    return found


def figures(found: Worth, why: str) -> dict[str, dict]:
    """What all customers together are expected to buy and to be worth, and how many are still there."""
    ids = ("value.amount", "value.profit", "value.purchases", "value.alive.share")
    if found.play is None:
        return {id: {"value": None, "why": WORDS.get(why, why)} for id in ids}
    rows, again = found.table, found.table["orders"] > 1
    low, high = (part * found.correction for part in found.play.total())
    least, most = (part * found.correction for part in found.play.total(of="counts"))
    known = bool(rows["predicted_profit"].notna().any())
    rate = float(rows["predicted_profit"].sum() / rows["predicted"].sum()) if known else np.nan
    people, sums = len(rows), rows[["predicted", "purchases", "predicted_profit"]].sum()
    profit = {"value": float(sums["predicted_profit"]), "low": low * rate, "high": high * rate, "n": people}
    alive = {"value": float(rows["alive"][again].mean()), "n": int(again.sum())}
    return {
        "value.amount": {"value": float(sums["predicted"]), "low": low, "high": high, "n": people},
        "value.profit": profit if known else {"value": None, "why": "no profit is supplied"},
        "value.purchases": {"value": float(sums["purchases"]), "low": least, "high": most, "n": people},
        "value.alive.share": alive if again.any() else {"value": None, "why": WORDS["all_one_time"]},
    }


def tested(test: Backtest) -> dict[str, dict]:
    """What the backtest foretold, what came, and the correction learnt before it."""
    ids = ("foreseen", "came", "off", "sales_foreseen", "sales_came", "correction")
    if test.why:
        return {f"value.backtest.{id}": {"value": None, "why": WORDS.get(test.why, test.why)} for id in ids}
    told, found = test.totals, {}
    n = int(told["customers"])
    for id in ("foreseen", "sales_foreseen"):
        value, low, high = (told[id + end] for end in ("", "_low", "_high"))
        known = {"value": value, "low": low, "high": high, "n": n}
        found[id] = {"value": None, "why": "amounts are not estimable"} if pd.isna(value) else known
    found |= {id: {"value": told[id], "n": n} for id in ("came", "sales_came")}
    off = told["foreseen"] / told["came"] - 1 if told["came"] else None
    found["off"] = {"value": off, "n": n, **({} if told["came"] else {"why": "nobody came again"})}
    found["correction"] = {"value": test.correction, "n": len(test.folds)}
    return {f"value.backtest.{id}": found[id] for id in ids}


def of_tiers(table: pd.DataFrame) -> dict[str, dict]:
    """The predicted value of each tier as figures."""
    return {
        f"value.tier.{row['tier']}.amount": {
            "value": row["predicted"],
            "low": row["predicted_low"],
            "high": row["predicted_high"],
            "n": int(row["customers"]),
        }
        for _, row in table.iterrows()
    }


def written(found: Worth) -> pd.DataFrame:
    """The table as `tables.PREDICTED` keeps it."""
    numbers = dict.fromkeys(COLUMNS[3:], float) | dict.fromkeys(COLUMNS[1:3], "int64")
    return found.table.astype({"customer_id": "str"} | numbers)


def used(test: Backtest) -> float:
    """The correction that predictions take: what the calibration chose, if the hold-out bore it out."""
    return test.correction if helped(test) else 1.0
