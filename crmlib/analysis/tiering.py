"""Was the last tiering right (P04)? What the tiers of the previous period did since."""

import pandas as pd

from crmlib.analysis import intervals
from crmlib.classification.classes import LEVELS

Figures = dict[str, dict]
COLUMNS = ["level", "customers", "bought", "bought_share", "bought_share_low", "bought_share_high"]
COLUMNS += ["net_each", "churned_share"]


def since(
    given: pd.Series, now: pd.DataFrame, behaviours: pd.DataFrame, behaviours_before: pd.DataFrame
) -> pd.DataFrame:
    """What the customers of each tier of the previous period did in this one.

    Parameters
    ----------
    given : the tier that was given then, by customer_id; who has none of the three is left out
    now : `classification.facts.activity` of this period; without rows nobody knows who bought
    behaviours, behaviours_before : customer_id, behaviour, at both dates

    Returns
    -------
    level (high, medium, low, as far as anybody had it), customers, bought (of these, who bought in the
    period), bought_share with its 90 % interval, net_each (net sales of the period a customer,
    smallest unit), churned_share (churned now, of those who had not churned then; empty where nobody had
    not, or nobody's behaviour is known).
    """
    active = now.set_index("customer_id")
    net = (active["gross"] + active["returned"]).reindex(given.index).fillna(0)
    bought = (active["orders"] > 0).reindex(given.index, fill_value=False)
    then, today = (
        part.set_index("customer_id")["behaviour"].reindex(given.index)
        for part in (behaviours_before, behaviours)
    )
    stayed = then.isin(["active", "dormant"])
    rows = []
    for level in LEVELS if len(now) else ():
        mine = given == level
        if count := int(mine.sum()):
            again = intervals.share(int(bought[mine].sum()), count)
            left, of = int((today[mine & stayed] == "churned").sum()), int((mine & stayed).sum())
            share = [again[name] for name in ("value", "low", "high")]
            each = float(net[mine].sum()) / count
            rows.append((level, count, int(bought[mine].sum()), *share, each, left / of if of else None))
    return pd.DataFrame(rows, columns=COLUMNS)


def judged(table: pd.DataFrame) -> dict:
    """Whether each tier did better than the one below it, beyond chance.

    Returns
    -------
    right (their shares of buying again fall from tier to tier and no interval reaches the next; None
    with fewer than two tiers), best and worst (levels as words), best_share, worst_share, best_net,
    worst_net, least (customers of the smallest tier)
    """
    if len(table) < 2:
        nothing = dict.fromkeys(("best_share", "worst_share", "best_net", "worst_net"))
        return nothing | {"right": None, "best": [], "worst": [], "least": 0}
    first, last = table.iloc[0], table.iloc[-1]
    apart = table["bought_share_low"].to_numpy()[:-1] > table["bought_share_high"].to_numpy()[1:]
    return {
        "right": bool(apart.all()),
        "best": [first["level"]],
        "worst": [last["level"]],
        "best_share": float(first["bought_share"]),
        "worst_share": float(last["bought_share"]),
        "best_net": float(first["net_each"]),
        "worst_net": float(last["net_each"]),
        "least": int(table["customers"].min()),
    }


def figures(table: pd.DataFrame) -> Figures:
    """The rows of `since` as figures."""
    found: Figures = {}
    for row in table.to_dict("records"):
        low, high, count = row["bought_share_low"], row["bought_share_high"], row["customers"]
        found[f"tiering.{row['level']}.bought"] = {
            "value": row["bought_share"],
            "low": low,
            "high": high,
            "n": count,
        }
        left = row["churned_share"]
        known = {"value": None, "why": "too few"} if pd.isna(left) else {"value": left}
        found[f"tiering.{row['level']}.churned"] = known | {"n": count}
    return found
