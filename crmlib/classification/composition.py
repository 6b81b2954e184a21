"""What value is made of (X13): sales of customers who stayed, and sales of customers who were won.

Our reading of a term whose source lacks a word: the value of retention and loyalty (维系) is what
customers held before the period bought in it, the value of acquisition what those bought whose first
order lies in it. Every sale of the period belongs to one of the two, exactly.
"""

import pandas as pd

from crmlib import tables
from crmlib.classification.facts import activity, source
from crmlib.client import Client
from crmlib.period import Period
from crmlib.rules import AbcRule

MOST_POINTS = 200  # a curve of more points looks the same


def composition(
    sales: pd.DataFrame, facts: pd.DataFrame, classes: pd.DataFrame, *, column: str, first_day: int
) -> pd.DataFrame:
    """Sales of a period by class, from customers held before it and from customers won in it.

    Parameters
    ----------
    sales : customer_id, gross: what each customer bought in the period
    facts : customer_id, first_day
    classes : customer_id and the class
    column : the class to go by
    first_day : the period's first day

    Returns
    -------
    level, customers (who bought in the period), retained and acquired (sales, smallest unit), gross (their
    sum), share_of_sales; the largest sales first, equal ones by name.
    """
    bought = sales[sales["gross"] > 0][["customer_id", "gross"]]
    rows = bought.merge(facts[["customer_id", "first_day"]], on="customer_id", validate="one_to_one")
    rows = rows.merge(
        classes[["customer_id", column]].rename(columns={column: "level"}),
        on="customer_id",
        validate="one_to_one",
    )
    won = rows["first_day"] >= first_day
    rows = rows.assign(acquired=rows["gross"].where(won, 0), retained=rows["gross"].where(~won, 0))
    table = rows.groupby("level").agg(
        customers=("customer_id", "size"),
        retained=("retained", "sum"),
        acquired=("acquired", "sum"),
        gross=("gross", "sum"),
    )
    table = table.reset_index().sort_values(["gross", "level"], ascending=[False, True], ignore_index=True)
    return table.assign(share_of_sales=table["gross"] / max(int(table["gross"].sum()), 1))


def sales(client: Client, span: Period) -> pd.DataFrame:
    """What each customer bought in a period: customer_id, gross; no rows without order lines."""
    if source(client) != tables.TRANSACTIONS.name:
        return pd.DataFrame({"customer_id": pd.Series(dtype="str"), "gross": pd.Series(dtype="int64")})
    lines = tables.relation(client.delivery, tables.TRANSACTIONS, until=span.day_range[1])
    return activity(lines, span)[["customer_id", "gross"]]


def whole(table: pd.DataFrame) -> dict[str, float]:
    """Of a composition: retained, acquired, gross, and the share of what was retained; 0 without sales."""
    sums = {name: int(table[name].sum()) for name in ("retained", "acquired", "gross")}
    return sums | {
        "share": sums["retained"] / max(sums["gross"], 1),
        "customers": int(table["customers"].sum()),
    }


def figures(table: pd.DataFrame) -> dict[str, dict]:
    """Sales of a period from customers held before it and from customers won in it."""
    all_of = whole(table)
    return {
        f"value.{name}": {"value": all_of[name], "n": all_of["customers"]}
        for name in ("retained", "acquired")
    }


def curve(facts: pd.DataFrame, rule: AbcRule) -> pd.DataFrame:
    """How sales pile up from the largest customer down (X05): the curve on which ABC is cut.

    Returns
    -------
    share_of_customers, share_of_sales (0–1, from the largest customer down); equal customers are one step,
    about 200 steps at most, those that end A and B among them. No rows where nobody bought.
    """
    amounts = facts["gross"].dropna().astype(float)
    amounts = amounts[amounts > 0]
    if amounts.empty:
        return pd.DataFrame({"share_of_customers": [], "share_of_sales": []})
    steps = amounts.groupby(amounts).agg(["size", "sum"]).sort_index(ascending=False).cumsum()
    told = pd.DataFrame(
        {
            "share_of_customers": steps["size"] / int(facts["gross"].notna().sum()),
            "share_of_sales": steps["sum"] / amounts.sum(),
        }
    )
    each = max(-(-len(told) // MOST_POINTS), 1)
    ends = {
        int((told["share_of_sales"] >= cut - 1e-12).argmax())
        for cut in (rule.shares.first, rule.shares.second)
    }
    kept = told.iloc[sorted({*range(0, len(told), each), len(told) - 1, *ends})]
    return kept.reset_index(drop=True)


def cut_points(facts: pd.DataFrame, abc: pd.Series, rule: AbcRule) -> pd.DataFrame:
    """Where the curve is cut: grade, from_share (of sales, where it begins), customers, least (purchases), share.

    Grades that hold nobody are left out, as are customers without a grade.
    """
    begins = {"A": 0.0, "B": rule.shares.first, "C": rule.shares.second}
    rows = []
    for grade, share in begins.items():
        held = facts["gross"][(abc == grade).to_numpy()]
        if len(held):
            rows.append((grade, share, len(held), int(held.min()), len(held) / len(facts)))
    return pd.DataFrame(rows, columns=["grade", "from_share", "customers", "least_gross", "share"])
