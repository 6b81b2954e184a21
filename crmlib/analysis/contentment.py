"""The satisfied, the neutral and the dissatisfied (X04): how many, of which classes, and what they are worth."""

from collections.abc import Sequence

import pandas as pd

from crmlib.analysis import apart
from crmlib.classification.grades import NOT_GRADED
from crmlib.classification.profiles import in_order

LEVELS = ("satisfied", "neutral", "dissatisfied")
DIMENSIONS = ("customer_type", "tier", "behaviour", "region")
NOT_TOLD = ("not_supplied", "not_graded", "unknown")
WORTH = ["level", "customers", "share", "net", "share_of_sales", "active"]
SPREAD = ["class", "level", "asked_customers", "dissatisfied", "share", "share_low", "share_high", "against"]
UNITS = {"active": "count", "asked_customers": "count", "dissatisfied": "count", "against": "word"}


def worth(judged: pd.DataFrame, facts: pd.DataFrame, active: set[str]) -> pd.DataFrame:
    """Customers by how content they are, and what they brought so far.

    Parameters
    ----------
    judged, facts : a row a customer, in the columns of `tables.CLASSES` and `tables.FACTS`
    active : who bought in the period

    Returns
    -------
    level (satisfied, neutral, dissatisfied, not_graded), customers, share of all, net (smallest unit; empty where
    nobody's is known), share_of_sales (of all net sales), active (customers who bought in the period)
    """
    if not len(judged) or (judged["satisfaction"] == NOT_GRADED).all():
        return pd.DataFrame(columns=WORTH)
    both = judged.merge(facts[["customer_id", "net"]], on="customer_id", validate="one_to_one")
    both["here"] = both["customer_id"].isin(active)
    grouped = both.groupby("satisfaction")
    net = grouped["net"].sum(min_count=1).astype("Float64").round().astype("Int64")
    table = pd.DataFrame({"customers": grouped.size(), "net": net, "active": grouped["here"].sum()})
    names = [name for name in (*LEVELS, NOT_GRADED) if name in table.index]
    table = table.loc[names].rename_axis("level").reset_index()
    total = both["net"].sum()
    table["share"] = table["customers"] / len(both)
    table["share_of_sales"] = (table["net"].astype(float) / float(total)) if total > 0 else float("nan")
    return table[WORTH]


def figures(table: pd.DataFrame) -> dict[str, dict]:
    """Customers of each level and their share of those with a level; what the dissatisfied brought so far."""
    graded = table[table["level"] != NOT_GRADED]
    asked = int(graded["customers"].sum())
    if not asked:
        return {"content.dissatisfied.customers": {"value": None, "n": 0, "why": "not supplied"}}
    found: dict[str, dict] = {}
    for name in LEVELS:
        row = graded[graded["level"] == name]
        count = int(row["customers"].sum())
        found[f"content.{name}.customers"] = {"value": count, "n": asked}
        found[f"content.{name}.share"] = {"value": count / asked, "n": asked}
        known = row["net"].dropna()
        net = (
            {"value": int(known.sum())} if len(known) or not count else {"value": None, "why": "not supplied"}
        )
        found[f"content.{name}.net"] = net | {"n": count}
    return found


def spread(judged: pd.DataFrame, dimensions: Sequence[str] = DIMENSIONS) -> pd.DataFrame:
    """How many of those who were asked are dissatisfied, class by class.

    Returns
    -------
    class, level, asked_customers, dissatisfied, share with its 90 % interval, against (`apart.shares`)
    """
    graded = judged[judged["satisfaction"] != NOT_GRADED]
    parts = []
    for name in dimensions:
        known = graded[~graded[name].isin(NOT_TOLD)]
        levels = in_order(set(known[name]))
        counts = known[name].value_counts().reindex(levels)
        sad = (
            known.loc[known["satisfaction"] == "dissatisfied", name].value_counts().reindex(levels).fillna(0)
        )
        table = pd.DataFrame({"asked_customers": counts, "dissatisfied": sad.astype("int64")})
        parts.append(table.rename_axis("level").reset_index().assign(**{"class": name}))
    filled = [part for part in parts if len(part)]
    if not filled:
        return pd.DataFrame(columns=SPREAD)
    counts = pd.concat(filled, ignore_index=True)
    return apart.shares(counts, count="dissatisfied", of="asked_customers")[SPREAD]


def lost(table: pd.DataFrame) -> dict:
    """What is told of the dissatisfied: asked, dissatisfied, share of those asked, net, share_of_sales, active."""
    graded = table[table["level"] != NOT_GRADED] if len(table) else table
    sad = graded[graded["level"] == "dissatisfied"]
    asked, count = int(graded["customers"].sum()), int(sad["customers"].sum())
    net = sad["net"].dropna()
    return {
        "asked": asked,
        "dissatisfied": count,
        "share": count / max(asked, 1),
        "net": int(net.sum()) if len(net) else None,
        "sales": float(sad["share_of_sales"].sum()),
        "active": int(sad["active"].sum()),
    }
