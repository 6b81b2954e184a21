"""The measures of a period: sales, customers, retention, repurchase, churn, profit.

Each function returns figures by the ids of `crmlib.measures`: `{id: {value, n, low, high, why}}`,
money in the smallest unit. What cannot be had is None with a `why`, never 0. Values are exact; `low` and
`high` are the ends of `analysis.intervals` and tell how far chance alone moves such a figure. Where they are
lacking beside a value, `why` tells it, or the figure is no matter of chance: what stands at a date (customers
so far, churned) has been counted in full, and of lines without a known customer nobody knows which are one's.
"""

from collections.abc import Iterable
from typing import Any

import narwhals as nw
import pandas as pd

from crmlib.analysis import intervals
from crmlib.classification.classes import NOT_GRADED
from crmlib.classification.facts import in_memory, known_lines
from crmlib.classification.rfm import NOT_SUPPLIED as SILENT
from crmlib.measures import change, measure
from crmlib.period import Period

Figures = dict[str, dict]
NOBODY = "nobody bought in the previous period"
NOT_SUPPLIED = "not supplied"
NO_DATA = "before the data begins"
UNKNOWN = {"value": None, "n": 0, "why": NO_DATA}


SALES = (
    *("sales.all", "sales.identified", "sales.unidentified", "sales.returns", "sales.returns.identified"),
    *("sales.net", "sales.abnormal", "sales.all.without_abnormal"),
)


EVERY_SALE = (*SALES, "sales.unidentified.rows", "sales.lines", "sales.abnormal.rows")


def began(transactions: Any) -> int | None:
    """The day of the first order line; None where there is no line."""
    first = in_memory(nw.from_native(transactions).lazy().select(nw.col("order_day").min()))[
        "order_day"
    ].iloc[0]
    return None if pd.isna(first) else int(first)


def _covered(lines: nw.LazyFrame, span: Period) -> bool:
    """Whether the data reaches into a period: before its first line nothing is known, which is not 0."""
    first = began(lines.to_native())
    return first is not None and first <= span.day_range[1]


def sales(transactions: Any, span: Period) -> Figures:
    """Sales of a period, customer known or not, returns, and what of it is abnormal.

    A period before the first order line has no sales that anybody knows of: None, not 0.
    """
    first, last = span.day_range
    lines = nw.from_native(transactions).lazy()
    during = lines.filter(nw.col("order_day") >= first, nw.col("order_day") <= last)
    parts = in_memory(counted_lines(during))
    if not _covered(lines, span):
        return dict.fromkeys(EVERY_SALE, UNKNOWN)
    return sold(parts)


def counted_lines(lines: nw.LazyFrame, *by: str) -> nw.LazyFrame:
    """Lines of what may be sales, counted by kind, known, abnormal, takes_back and whose: what `sold` takes.

    Of known customers by customer, whose lines hang together; of all others as one.
    """
    return (
        lines.with_columns(
            nw.when(nw.col("flags").str.contains("abnormal")).then(1).otherwise(0).alias("abnormal"),
            nw.when(nw.col("returned") < 0).then(1).otherwise(0).alias("takes_back"),
            nw.when(nw.col("known")).then(nw.col("customer_id")).otherwise(nw.lit("")).alias("whose"),
        )
        .group_by(*by, "kind", "known", "abnormal", "takes_back", "whose")
        .agg(nw.len().alias("lines"), nw.col("amount").sum(), nw.col("returned").sum())
    )


def sold(parts: pd.DataFrame) -> Figures:
    """The figures of lines counted by `counted_lines`."""
    sold, known = parts["kind"] == "sale", parts["known"].astype(bool)
    back, odd = parts["takes_back"] == 1, parts["abnormal"] == 1

    def total(column: str, which: pd.Series) -> dict:
        chosen = parts[which]
        return {"value": int(chosen[column].sum()), "n": int(chosen["lines"].sum())}

    every, identified = total("amount", sold), total("amount", sold & known)
    unidentified, abnormal = total("amount", sold & ~known), total("amount", sold & odd)
    returned = total("returned", back & known)
    net = {"value": identified["value"] + returned["value"], "n": identified["n"] + returned["n"]}
    count = {"value": identified["n"], "n": identified["n"]}
    gross = parts["amount"].where(sold & known, 0)
    given_back = parts["returned"].where(back & known, 0)
    return {
        "sales.all": every,
        "sales.identified": identified | _chance(gross, parts["whose"]),
        "sales.unidentified": unidentified,
        "sales.unidentified.rows": {"value": unidentified["n"], "n": unidentified["n"]},
        "sales.lines": count | _chance(parts["lines"].where(sold & known, 0), parts["whose"]),
        "sales.returns": total("returned", back),
        "sales.returns.identified": returned | _chance(given_back, parts["whose"]),
        "sales.net": net | _chance(gross + given_back, parts["whose"]),
        "sales.abnormal": abnormal,
        "sales.abnormal.rows": {"value": abnormal["n"], "n": abnormal["n"]},
        "sales.all.without_abnormal": {
            "value": every["value"] - abnormal["value"],
            "n": every["n"] - abnormal["n"],
        },
    }


def _chance(amounts: pd.Series, whose: pd.Series) -> dict:
    """Low and high of a total over customers, or why there are none."""
    return _ends(intervals.total(amounts.groupby(whose).sum()))


def _ends(interval: dict) -> dict:
    """What an interval adds to a figure that is known exactly: low and high, or why there are none."""
    return {name: interval[name] for name in ("low", "high", "why") if name in interval}


def orders(transactions: Any, span: Period) -> Figures:
    """Orders of a period with a sale by known customers, and their mean.

    An order is an order number: lines of several customers on one number are one order, which hangs together
    with the other orders of the first of them.
    """
    first, last = span.day_range
    lines = known_lines(transactions, first_day=first, last_day=last).filter(nw.col("kind") == "sale")
    return ordered(in_memory(counted_orders(lines)))


def counted_orders(sales: nw.LazyFrame, *by: str) -> nw.LazyFrame:
    """Orders and their amount by customer: what `ordered` takes."""
    numbers = sales.group_by(*by, "order_id").agg(nw.col("amount").sum(), nw.col("customer_id").min())
    return numbers.group_by(*by, "customer_id").agg(nw.len().alias("orders"), nw.col("amount").sum())


def ordered(table: pd.DataFrame) -> Figures:
    """The figures of orders counted by `counted_orders`."""
    count, gross = int(table["orders"].sum()), int(table["amount"].sum())
    mean = {"value": None, "n": 0, "why": "no orders in the period"}
    if count:
        mean = {"value": gross / count, "n": count} | _ends(intervals.ratio(table["amount"], table["orders"]))
    return {"orders.count": _count(count) | _ends(intervals.total(table["orders"])), "orders.mean": mean}


def customers(facts: pd.DataFrame, now: pd.DataFrame, before: pd.DataFrame, span: Period) -> Figures:
    """Customers of a period, retention and repurchase.

    Parameters
    ----------
    facts : `classification.facts.facts` as of the period's last day
    now, before : `classification.facts.activity` of this period and of the previous one
    """
    first, _ = span.day_range
    active, earlier = _buyers(now), _buyers(before)
    twice = int((now["orders"] >= 2).sum())
    return {
        "customers.active": intervals.count(len(active)),
        "customers.new": intervals.count(int((facts["first_day"] >= first).sum())),
        "customers.total": _count(len(facts)),
        "customers.one_order": {"value": int((facts["orders"] == 1).sum()), "n": len(facts)},
        "retention.rate": _share(len(active & earlier), len(earlier), NOBODY),
        "repurchase.rate": _share(twice, len(active), "nobody bought in the period"),
    }


def _buyers(activity: pd.DataFrame) -> set[str]:
    return set(activity.loc[activity["orders"] > 0, "customer_id"])


def _count(value: int) -> dict:
    return {"value": value, "n": value}


def _share(count: int, total: int, why: str) -> dict:
    found = intervals.share(count, total)
    return found if total else found | {"why": why}


def churn(classes: pd.DataFrame, before: pd.DataFrame) -> Figures:
    """Who churned: in all, and since the previous as_of.

    Parameters
    ----------
    classes, before : customer_id, behaviour, at `as_of` and at the previous `as_of`
    """
    if len(classes) and (classes["behaviour"] == NOT_GRADED).all():
        unknown = {"value": None, "n": 0, "why": NOT_SUPPLIED}
        return {"churn.customers": unknown, "churn.rate": unknown}
    lost = set(classes.loc[classes["behaviour"] == "churned", "customer_id"])
    stayed = set(before.loc[before["behaviour"] != "churned", "customer_id"])
    return {
        "churn.customers": {"value": len(lost), "n": len(classes)},
        "churn.rate": _share(
            len(lost & stayed), len(stayed), "no customer was left to lose at the previous date"
        ),
    }


def profit(now: pd.DataFrame) -> Figures:
    """Profit of a period's known customers, and its share of the sales whose profit is known.

    Parameters
    ----------
    now : `classification.facts.activity` of the period
    """
    known = now[now["profit"].notna()]
    if known.empty:
        return {id: {"value": None, "n": 0, "why": NOT_SUPPLIED} for id in ("profit.amount", "profit.margin")}
    amount, made_on = int(known["profit"].sum()), int(known["profit_on"].sum())
    profit, sold = known["profit"].astype(float), known["profit_on"].astype(float)
    margin = {"value": None, "n": len(known), "why": "no sales with a known profit"}
    if made_on > 0:
        margin = {"value": amount / made_on, "n": len(known)} | _ends(intervals.ratio(profit, sold))
    whole = {"value": amount, "n": len(known)} | _ends(intervals.total(profit))
    return {"profit.amount": whole, "profit.margin": margin}


def rfm(facts: pd.DataFrame) -> Figures:
    """Means of recency, frequency and money over all customers with a sale by as_of, as far as known."""
    parts = {"recency": "recency_days", "frequency": "orders", "monetary": "gross"}
    why = NOT_SUPPLIED if len(facts) else "no customer has bought yet"
    figures: Figures = {}
    for name, column in parts.items():
        known = facts[column].dropna()
        mean = {"value": None, "why": why}
        if len(known):
            mean = {"value": int(known.sum()) / len(known)} | _ends(intervals.mean(known))
        figures[f"rfm.{name}.mean"] = mean | {"n": len(known)}
    return figures


def classed(classes: pd.DataFrame) -> Figures:
    """How many customers each tier, behaviour and segment holds."""
    graded = classes[classes["tier"].isin(["high", "medium", "low"])]
    figures: Figures = {}
    for level in ("high", "medium", "low"):
        held = int((graded["tier"] == level).sum())
        # Where nobody could be graded, no tier is empty: it is not known.
        counted = {"value": held} if len(graded) else {"value": None, "why": "too few"}
        figures[f"tier.{level}.customers"] = counted | {"n": len(graded)}
        figures[f"tier.{level}.share"] = _share(held, len(graded), "too few")
    for state in ("active", "dormant", "churned"):
        held = int((classes["behaviour"] == state).sum())
        counted = {"value": held} if _told(classes, state) else {"value": None, "why": NOT_SUPPLIED}
        figures[f"behaviour.{state}.customers"] = counted | {"n": len(classes)}
    for segment, held in classes["segment"].value_counts().drop(SILENT, errors="ignore").sort_index().items():
        figures[f"segment.{segment}.customers"] = {"value": int(held), "n": len(classes)}
    return figures


def _told(classes: pd.DataFrame, state: str) -> bool:
    """Whether anybody could be found in a state: a mark of having left tells nothing of dormancy."""
    by = "behaviour_fixed" if state == "dormant" else "behaviour"
    return not len(classes) or bool((classes[by] != NOT_GRADED).any())


def moved(figures: Figures, before: Figures, id: str) -> dict:
    """A figure for a sentence: value, low, high, the value before, growth and its size, n of both."""
    now, then = figures[id], before.get(id, {})
    growth = change(measure(id).unit, now.get("value"), then.get("value"))
    bounds = {"low": now.get("low"), "high": now.get("high")}
    values = {"value": now.get("value"), "before": then.get("value")}
    counts = {"least": min(now.get("n") or 0, then.get("n") or 0), "n_before": then.get("n") or 0}
    return values | bounds | counts | {"growth": growth, "size": None if growth is None else abs(growth)}


def held(figures: Figures, before: Figures, id: str) -> bool | None:
    """Whether a figure is not below the previous period's by more than chance; None where it is not known.

    >>> now, then = {"value": 0.5, "low": 0.4, "high": 0.6}, {"value": 0.8, "low": 0.7, "high": 0.9}
    >>> held({"x": now}, {"x": then}, "x"), held({"x": then}, {"x": now}, "x"), held({"x": now}, {}, "x")
    (False, True, True)
    """
    if figures[id].get("value") is None:
        return None
    high = intervals.difference(figures[id], before.get(id, {})).get("high")
    return high is None or high >= 0


def balance(people: Figures) -> dict:
    """Who left and who came: churn rate, customers lost since the previous period, new customers.

    `told` is False where it is not known who came.
    """
    rate, stayed = people["churn.rate"].get("value"), people["churn.rate"]["n"]
    return {
        "rate": rate,
        "left": round((rate or 0) * stayed),
        "new": people["customers.new"]["value"] or 0,
        "stayed": stayed,
        "told": people["customers.new"]["value"] is not None,
    }


def beside(now: Figures, before: Figures, ids: Iterable[str]) -> pd.DataFrame:
    """Figures of this period with the previous one beside them.

    Returns
    -------
    id, unit, value, value_low, value_high, previous, change (of shares and scores the difference, else
    relative), n, and, where any of them has no value, why.
    """
    rows = []
    for id in ids:
        value, previous = now[id].get("value"), before.get(id, {}).get("value")
        rows.append(
            {
                "id": id,
                "unit": measure(id).unit,
                "value": value,
                "value_low": now[id].get("low"),
                "value_high": now[id].get("high"),
                "previous": previous,
                "change": change(measure(id).unit, value, previous),
                "n": now[id].get("n"),
                "why": now[id].get("why"),
            }
        )
    table = pd.DataFrame(rows)
    return table if len(table) and table["why"].notna().any() else table.drop(columns="why", errors="ignore")
