"""Whether customers buy what they say they want, and how much more demand that makes (M05).

Those asked at the same time who wanted something else are what buying would have been without the wish: customers
of one kind, who answered the same survey. Only the difference to them is more demand; what everybody buys anyway is in
past orders already.
"""

import numpy as np
import pandas as pd
from scipy import stats

from crmlib.analysis.intervals import LEVEL

COLUMNS = ["asked", "bought", "others", "bought_others", "more", "more_low", "more_high"]


def answered(wishes: pd.DataFrame | None, rows: pd.DataFrame) -> pd.DataFrame:
    """Wishes for products that are sold: customer_id, day, item, kind; no row where nobody was asked.

    Parameters
    ----------
    wishes : the needs survey: customer_id, known, asked_day, product_preference
    rows : as `bought.bought` gives them
    """
    names = ["customer_id", "day", "item", "kind"]
    if wishes is None:
        return pd.DataFrame(columns=names)
    told = wishes[wishes["known"]].dropna(subset=["customer_id", "asked_day", "product_preference"])
    told = told.rename(columns={"asked_day": "day", "product_preference": "item"})[names[:3]]
    told = told[told["item"].isin(rows["item"])]
    kinds = (
        rows.dropna(subset=["customer_id"]).drop_duplicates("customer_id").set_index("customer_id")["kind"]
    )
    told = told.assign(kind=told["customer_id"].map(kinds)).dropna(subset=["kind"])
    return told.astype({"day": "int64"}).sort_values(names, ignore_index=True)


def kept(told: pd.DataFrame, rows: pd.DataFrame, *, days: int, as_of: int) -> dict:
    """Of wishes whose time is over, how many were bought within so many days, beside what others bought of the same.

    Returns
    -------
    asked (wishes), bought (of these, a share), others (the same products, not wished for by others of their kind asked
    within half a year of them), bought_others (a share), more (the difference) with its 90 % interval; foretells (None
    where nobody can say; whether more is above 0 beyond chance)
    """
    nothing = dict.fromkeys(COLUMNS, 0) | {"foretells": None}
    over = told[told["day"] + days <= as_of]
    if over.empty:
        return nothing
    pairs = over.merge(over[["customer_id", "day", "kind", "item"]], on="kind", suffixes=("", "_other"))
    near = (pairs["day"] - pairs["day_other"]).abs() <= 183
    pairs = pairs[near & (pairs["item"] != pairs["item_other"])]
    # The product one wished for, asked of somebody who wished for another.
    others = pairs[["customer_id_other", "day_other", "item", "kind"]].drop_duplicates()
    others.columns = ["customer_id", "day", "item", "kind"]
    mine, theirs = (_bought(part, rows, days) for part in (over, others))
    # Kinds and products weigh as they do among wishes.
    rate = theirs.groupby([others["kind"].to_numpy(), others["item"].to_numpy()]).agg(["mean", "size"])
    place = pd.MultiIndex.from_arrays([over["kind"], over["item"]])
    known = place.isin(rate.index)
    if not known.any():
        return nothing
    expected = rate["mean"].reindex(place[known]).to_numpy()
    own = mine.to_numpy()[known]
    spread = own.var() / len(own) + float(
        (expected * (1 - expected) / rate["size"].reindex(place[known]).to_numpy()).mean()
    )
    reach = stats.norm.ppf((1 + LEVEL) / 2) * np.sqrt(spread)
    more = float(own.mean() - expected.mean())
    return {
        "asked": len(own),
        "bought": float(own.mean()),
        "others": len(others),
        "bought_others": float(expected.mean()),
        "more": more,
        "more_low": more - reach,
        "more_high": more + reach,
        "foretells": bool(more - reach > 0),
    }


def _bought(told: pd.DataFrame, rows: pd.DataFrame, days: int) -> pd.Series:
    """Whether each of these bought the product within so many days after."""
    numbered = told.reset_index(drop=True).reset_index(names="wish")
    met = numbered.merge(
        rows[["customer_id", "item", "day"]], on=["customer_id", "item"], suffixes=("", "_bought")
    )
    met = met[(met["day_bought"] > met["day"]) & (met["day_bought"] <= met["day"] + days)]
    return numbered["wish"].isin(met["wish"]).astype(float)


def extra(
    told: pd.DataFrame, rows: pd.DataFrame, found: dict, *, groups: dict[str, str], days: int, as_of: int
) -> dict:
    """Lines that open wishes add to each series (product group, kind); nothing where wishes foretell nothing.

    Open is a wish of the last so many days that is not bought yet.
    """
    if not found["foretells"]:
        return {}
    open_now = told[told["day"] + days > as_of].reset_index(drop=True)
    still = open_now[_bought(open_now, rows, days) == 0]
    counts = still.groupby([still["item"].map(groups), "kind"]).size()
    lines = {key: int(np.floor(number * found["more"] + 0.5)) for key, number in counts.items()}
    return {key: number for key, number in lines.items() if number}


def wanted(told: pd.DataFrame, rows: pd.DataFrame, *, since: int) -> pd.DataFrame:
    """What was wished for lately beside what the same customers had bought: item, wishes, share, owned_share."""
    late = told[told["day"] >= since]
    mine = rows[rows["customer_id"].isin(late["customer_id"])]
    ever = set(zip(mine["customer_id"], mine["item"], strict=True))
    owned = [pair in ever for pair in zip(late["customer_id"], late["item"], strict=True)]
    table = (
        late.assign(owned_share=np.array(owned, dtype=float))
        .groupby("item")
        .agg(wishes=("owned_share", "size"), owned_share=("owned_share", "mean"))
    )
    table = table.reset_index().sort_values(["wishes", "item"], ascending=[False, True], ignore_index=True)
    return table.assign(share=table["wishes"] / max(len(late), 1))[["item", "wishes", "share", "owned_share"]]
