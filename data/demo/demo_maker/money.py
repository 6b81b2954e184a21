"""What is true of costs, applications and groups of customers in each period, in plain integers.

As in `facts`: nothing of `crmlib` may be used. Money is in cents.
"""

import numpy as np
import pandas as pd

from . import days
from .facts import CHURNED_AFTER, CHURNED_DAYS, PERIODS, bounds, rhythm, silent_beyond


def periods() -> list[str]:
    """Every quarter, and the other periods that facts are counted for."""
    every = pd.period_range(str(days.START), str(days.END), freq="Q")
    return list(
        dict.fromkeys([*(f"{name.year}-Q{name.quarter}" for name in every), *PERIODS, *PERIODS.values()])
    )


def spent(made: pd.DataFrame) -> dict:
    """Costs of winning (in all, by channel) and of serving by period, and how many known customers serving names."""
    told: dict = {"unit": "cents"}
    for period in periods():
        now = made[made["day"].between(*bounds(period))]
        won, served = now[now["kind"] == "获客"], now[now["kind"] == "服务"]
        known = served[~served["stranger"]]
        channels = won.groupby("channel")["cents"].sum()
        told[period] = {
            "acquisition": int(won["cents"].sum()),
            "channels": {name: int(cents) for name, cents in channels.items()},
            "service": int(served["cents"].sum()),
            "served": int(known["customer"].nunique()),
            "service_named": int(known["cents"].sum()),
        }
    return told


def won(lines: pd.DataFrame) -> dict:
    """Known customers whose first order lies in each period."""
    first = lines[lines["known"] & lines["sold"]].groupby("customer")["day"].min()
    return {period: int(first.between(*bounds(period)).sum()) for period in periods()}


def applications(made: pd.DataFrame) -> dict:
    """Applications made, decided and granted by period, in all and by what they differ in."""
    told: dict = {"unit": "cents", "by": "day of the decision"}
    for period in PERIODS:
        first, last = bounds(period)
        settled = made["decided"].between(first, last) & (made["decision"] != "pending")
        decided = made[settled]
        late = (made["decision"] == "pending") | (made["decided"] > last)
        told[period] = {
            "made": int(made["day"].between(first, last).sum()),
            "pending": int((late & (made["day"] <= last)).sum()),
            "days": int((decided["decided"] - decided["day"]).sum()),
            **_granted(decided),
        }
        for column in ("grade", "type", "product", "purpose"):
            groups = decided.groupby(column)
            told[period][column] = {name: _granted(group) for name, group in groups}
    return told


def _granted(decided: pd.DataFrame) -> dict:
    yes = decided[decided["decision"] == "approved"]
    cents = int(yes["amount"].sum()) * 100
    return {"decided": len(decided), "approved": len(yes), "granted": cents}


def groups(lines: pd.DataFrame, folk: pd.DataFrame) -> dict:
    """Each period's customers, sales, profit and churn by type and province; churn by fixed days in all."""
    told: dict = {"unit": "cents"}
    for period, previous in PERIODS.items():
        seen = _seen(lines, period, previous)
        told[period] = {"all": {name: int(seen[name].sum()) for name in seen}}
        for column in ("type", "province"):
            sums = seen.groupby(folk[column].reindex(seen.index)).sum()
            told[period][column] = {
                name: {what: int(value) for what, value in row.items()} for name, row in sums.iterrows()
            }
    return told


def _seen(lines: pd.DataFrame, period: str, previous: str) -> pd.DataFrame:
    """A row per customer with a line by the period's end: what each counts in."""
    first, last = bounds(period)
    known = lines[lines["known"] & (lines["day"] <= last)]
    sold = known[known["sold"]]
    now = known[known["day"] >= first]
    orders = sold[sold["day"] >= first].groupby("customer")["doc"].nunique()
    before = sold[sold["day"].between(*bounds(previous))]["customer"].unique()
    made = pd.DataFrame(index=np.sort(known["customer"].unique()))
    made["orders"] = orders.reindex(made.index, fill_value=0)
    made["active"] = made["orders"] > 0
    made["repurchase"] = made["orders"] >= 2
    made["buyers_before"] = made.index.isin(before)
    made["retained"] = made["active"] & made["buyers_before"]
    bought = now[now["sold"]].groupby("customer")["amount"].sum()
    made["sales"] = bought.reindex(made.index, fill_value=0)
    for name, column in (("net", "amount"), ("profit", "profit")):
        made[name] = now.groupby("customer")[column].sum().reindex(made.index, fill_value=0)
    for name, gone_by in (("churn", _silent), ("fixed", _long_silent)):
        gone, then = (gone_by(rhythm(lines, day)) for day in (last, bounds(previous)[1]))
        stayed = made.index.isin(then.index[~then])
        made[f"{name}_customers"] = made.index.isin(gone.index[gone])
        made[f"{name}_before"] = stayed
        made[f"{name}_lost"] = stayed & made[f"{name}_customers"]
    return made.astype("int64")


def _silent(past: pd.DataFrame) -> pd.Series:
    """Churned by own rhythm, and by fixed days where there is none."""
    return silent_beyond(past, gaps=CHURNED_AFTER, fixed=CHURNED_DAYS)


def _long_silent(past: pd.DataFrame) -> pd.Series:
    """Churned by fixed days for everyone."""
    return past["silence"] > CHURNED_DAYS
