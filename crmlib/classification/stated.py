"""What a firm says of its customers itself: totals at a date, and classes it has given them.

A customer snapshot and a tier table hold no order lines. Facts are taken from them as far as they
tell, what they do not tell stays empty, and a class that cannot be computed is as stated.
"""

import datetime as dt

import numpy as np
import pandas as pd

from crmlib import tables
from crmlib.client import Client
from crmlib.period import Period, day_of

DAYS_A_MONTH = 365.25 / 12
DAYS_A_YEAR = 365.25
GIVEN = ("frequency", "activity", "loyalty", "satisfaction", "tier")
COLUMNS = ["customer_id", "churned", *GIVEN, "lifetime_value"]


def totals(client: Client, *, as_of: int, dated: bool = False) -> pd.DataFrame | None:
    """Each known customer's newest totals by a day; None where no snapshot is supplied.

    Totals without a day belong to any period, but never to two of them: with `dated` they are left
    out, so that a period is not compared with itself.
    """
    rows = tables.supplied(client.delivery, tables.SNAPSHOT)
    if rows is None:
        return None
    undated = rows["taken_day"].isna() & (not dated)
    seen = rows[rows["known"] & (undated | (rows["taken_day"] <= as_of))]
    ordered = seen.sort_values(["customer_id", "taken_day"], na_position="first", kind="stable")
    return ordered.drop_duplicates("customer_id", keep="last", ignore_index=True)


def newest_period(client: Client, delivered_on: dt.date) -> Period:
    """The newest period that a delivery covers whole.

    A client that has only totals, all taken since that period ended, is shown as of the day of the
    newest ones, looking back for as long.
    """
    period = Period.newest_complete(delivered_on, client.unit)
    rows = tables.supplied(client.delivery, tables.SNAPSHOT)
    if rows is None or not len(rows) or tables.delivered(client.delivery, tables.TRANSACTIONS):
        return period
    first, last = rows["taken_day"].min(), rows["taken_day"].max()
    if rows["taken_day"].isna().any() or first <= period.day_range[1]:
        return period
    return Period.days(day_of(last) - (period.as_of - period.start), day_of(last))


def table(client: Client, *, dated: bool = False) -> pd.DataFrame | None:
    """The firm's own tier table; None where none is supplied. It has no date."""
    rows = tables.supplied(client.delivery, tables.TIERS)
    return rows if rows is None or not dated else rows.head(0)


def facts(client: Client, *, as_of: int, dated: bool = False) -> pd.DataFrame:
    """Facts per customer from totals: what no total tells is empty, never 0.

    Returns
    -------
    The columns of `tables.FACTS`. Spend stands as gross and as net, because nothing is said of
    returns; days since the last order only where that day is given.
    """
    rows = totals(client, as_of=as_of, dated=dated)
    if rows is None:
        rows = table(client, dated=dated)
    if rows is None:
        rows = pd.DataFrame(columns=tables.TIERS.schema.names)
    empty = pd.Series(np.nan, index=rows.index)
    first, last, months = (
        rows.get(c, empty).astype(float) for c in ("first_day", "last_day", "tenure_months")
    )
    tenure = (as_of - first).fillna((months * DAYS_A_MONTH).round())
    orders = rows["orders"].astype(float)
    return tables.conform(
        pd.DataFrame(
            dict.fromkeys(tables.FACTS.schema.names)
            | {
                "customer_id": rows["customer_id"],
                "first_day": first,
                "last_day": last,
                "orders": orders,
                "gross": rows["spend"],
                "net": rows["spend"],
                "profit": rows["profit"],
                "recency_days": as_of - last,
                "tenure_days": tenure,
                "orders_a_year": orders / tenure.clip(lower=DAYS_A_YEAR) * DAYS_A_YEAR,
            }
        ),
        tables.FACTS,
    ).to_pandas()


def stated(client: Client, *, as_of: int) -> pd.DataFrame:
    """What the firm itself says of each customer; what has no date is as delivered.

    Returns
    -------
    customer_id, churned (a mark of having left), frequency, activity, loyalty, satisfaction, tier
    (words of `tables.TIERS`), lifetime_value (smallest unit); a row per customer of the snapshot or
    the tier table, no rows where neither is supplied.
    """
    parts = [totals(client, as_of=as_of), table(client)]
    taken = []
    for part, columns in zip(parts, (("churned", "lifetime_value"), GIVEN), strict=True):
        if part is not None:
            taken.append(part.set_index("customer_id")[list(columns)])
    found = pd.concat(taken, axis=1) if taken else pd.DataFrame(index=pd.Index([], name="customer_id"))
    return found.rename_axis("customer_id").reset_index().reindex(columns=COLUMNS)


def answers(client: Client, *, as_of: int) -> pd.DataFrame | None:
    """Survey answers by a day; where there is no survey, the snapshot's scores as answers to `overall`.

    Scores without a day belong to any period. None where neither is supplied.
    """
    asked = tables.supplied(client.delivery, tables.SURVEYS, until=as_of)
    source = client.tables.snapshot
    if asked is not None or source is None or source.satisfaction_scale is None:
        return asked
    rows = tables.frame(client.delivery, tables.SNAPSHOT).dropna(subset=["satisfaction"])
    seen = rows[rows["taken_day"].isna() | (rows["taken_day"] <= as_of)]
    low, high = source.satisfaction_scale
    scored = seen.assign(answered_day=seen["taken_day"].fillna(as_of), aspect="overall")
    full = scored.assign(score=seen["satisfaction"], low=low, high=high)
    return tables.conform(full, tables.SURVEYS).to_pandas()
