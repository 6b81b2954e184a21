"""How customers respond to price: who buys below the list price oftener than others, and whether less is bought for more.

Of a customer, the share of lines below the list price is told with what is known of all of their kind (a beta
prior fitted to them), because one line in two is no habit and twenty in forty is. Of a class, the pieces a line are held
against the price paid for the same product by the same customer, so that dear products and large buyers decide
nothing. Who responds is a need group (X03) of behaviour, held beside the one customers state.
Source: Casella (1985), The American Statistician 39, 83–87 (empirical Bayes); Cameron & Miller (2015), Journal of Human
Resources 50, 317–372 (variance by customer).
"""

from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
from scipy import stats

from crmlib.analysis.bought import kinds, named
from crmlib.analysis.intervals import LEVEL
from crmlib.classification import needs
from crmlib.classification.facts import in_memory

SENSITIVE, OTHER, NOT_TOLD = "price_sensitive", "pays_list_price", "not_told"
EACH = ["customer_id", "kind", "lines", "discounted", "share", "share_low", "share_high", "response"]
SLOPES = ["level", "customers", "lines", "elasticity", "elasticity_low", "elasticity_high", "why"]
TENTH = 0.1  # a discount of so much is what a response is told for


def lines(transactions: Any, customers: pd.DataFrame, *, as_of: int) -> pd.DataFrame:
    """Lines of known customers with a price, alike ones as one row with their number.

    Returns
    -------
    customer_id, kind, item, price, quantity, discount (share given off; empty where not supplied), lines
    """
    sold = named(transactions, as_of=as_of).filter(
        nw.col("kind") == "sale", nw.col("known"), nw.col("price") > 0, nw.col("quantity") > 0
    )
    keys = ["customer_id", "item", "price", "quantity", "discount"]
    rows = in_memory(sold.group_by(*keys).agg(nw.len().alias("lines")))
    rows = rows.sort_values(keys, ignore_index=True)
    return rows.assign(kind=kinds(rows["customer_id"], customers)).astype(
        {"price": float, "quantity": float, "discount": float}
    )


def at_discount(rows: pd.DataFrame, *, at_least: int) -> pd.DataFrame:
    """Each customer's share of lines below the list price with its 90 % interval, and whether that is a habit.

    Parameters
    ----------
    rows : as `lines` gives them
    at_least : customers of a kind, without whom nobody is told anything

    Returns
    -------
    customer_id, kind, lines, discounted, share (0–1, drawn towards the mean of the kind), share_low, share_high;
    response: price_sensitive where the whole interval lies above the kind's mean, pays_list_price where it
    lies below, else not_told
    """
    told = rows.dropna(subset=["discount"])
    if told.empty:
        return pd.DataFrame(columns=EACH)
    told = told.assign(discounted=told["lines"].where(told["discount"] > 0, 0))
    each = told.groupby(["customer_id", "kind"], as_index=False)[["lines", "discounted"]].sum()
    parts = [_with_share(part) for _, part in each.groupby("kind") if len(part) >= at_least]
    parts = [part for part in parts if part is not None]
    if not parts:
        return pd.DataFrame(columns=EACH)
    return pd.concat(parts).sort_values("customer_id", ignore_index=True)[EACH]


def _with_share(part: pd.DataFrame) -> pd.DataFrame | None:
    """Shares of one kind; None where nobody, or everybody always, buys below the list price."""
    n, k = part["lines"].to_numpy(dtype=float), part["discounted"].to_numpy(dtype=float)
    mean = k.sum() / n.sum()
    if mean in (0.0, 1.0):
        return None
    # How far customers differ beyond chance: the variance of shares less what lines alone would bring.
    weight = n.sum() - (n**2).sum() / n.sum()
    between = max(
        ((n * (k / n - mean) ** 2).sum() - (len(n) - 1) * mean * (1 - mean)) / max(weight, 1e-9), 1e-6
    )
    size = max(mean * (1 - mean) / between - 1, 0.1)
    posterior = stats.beta(k + mean * size, n - k + (1 - mean) * size)
    low, high = posterior.interval(LEVEL)
    response = np.where(low > mean, SENSITIVE, np.where(high < mean, OTHER, NOT_TOLD))
    return part.assign(share=posterior.mean(), share_low=low, share_high=high, response=response)


def elasticities(rows: pd.DataFrame, levels: pd.Series, *, at_least: int, by: str = "price") -> pd.DataFrame:
    """By how much more pieces a line are bought for a price higher by one per cent, by level of customer.

    Parameters
    ----------
    rows : as `lines` gives them
    levels : level of each customer, by customer_id
    at_least : customers who bought one product at two prices, without whom a level is refused
    by : price (as paid) or discount (what was given off: the response to a list price lowered by one per cent is
        its negative)

    Returns
    -------
    level (and all of them, first), customers, lines, elasticity with its 90 % interval, why it is refused: too_few_varied,
    or nothing_varies where pieces or prices never do
    """
    rows = rows.dropna(subset=[by])
    rows = rows.assign(level=rows["customer_id"].map(levels))
    rows["y"], rows["x"] = (
        np.log(rows["quantity"]),
        np.log(rows["price"] if by == "price" else 1 - rows[by].clip(upper=0.95)),
    )
    cell = [rows["customer_id"], rows["item"]]
    for name in ("x", "y"):
        total = (rows[name] * rows["lines"]).groupby(cell).transform("sum")
        rows[name] -= total / rows["lines"].groupby(cell).transform("sum")
    moved = rows["x"].abs().groupby(cell).transform("max") > 1e-9
    rows = rows[moved]
    parts = [("all", rows), *rows.groupby("level")] if rows["level"].nunique() > 1 else [("all", rows)]
    return pd.DataFrame([_slope(level, part, at_least) for level, part in parts], columns=SLOPES)


def _slope(level: str, rows: pd.DataFrame, at_least: int) -> tuple:
    customers, lines = rows["customer_id"].nunique(), int(rows["lines"].sum())
    weighted = rows["x"] * rows["lines"]
    size = float((weighted * rows["x"]).sum())
    why = (
        "too_few_varied"
        if customers < at_least
        else "nothing_varies"
        if not (rows["y"].abs() > 1e-9).any()
        else ""
    )
    if why or size <= 0:
        return (level, customers, lines, np.nan, np.nan, np.nan, why or "nothing_varies")
    slope = float((weighted * rows["y"]).sum()) / size
    strayed = weighted * (rows["y"] - slope * rows["x"])
    each = strayed.groupby(rows["customer_id"]).sum()
    # As many degrees of freedom as customers allow: with few of them the root of the sum is too small.
    error = np.sqrt(float((each**2).sum()) * customers / max(customers - 1, 1)) / size
    reach = stats.t.ppf((1 + LEVEL) / 2, max(customers - 1, 1)) * error
    return (level, customers, lines, slope, slope - reach, slope + reach, "")


def beside_stated(each: pd.DataFrame, classes: pd.DataFrame) -> tuple[pd.DataFrame, dict]:
    """Who responds to price, by the need they state; and how often the two agree.

    Returns
    -------
    Table of need, customers, and customers of each response. Agreement as `needs.agreement` tells it: of customers who
    stated a need and whose response is told, the share of whom both or neither say price.
    """
    whole = classes[["customer_id", "need", "need_source"]].merge(
        each[["customer_id", "response"]], on="customer_id"
    )
    stated = whole[whole["need_source"] == "stated"]
    counts = pd.crosstab(stated["need"], stated["response"]).reindex(
        columns=[SENSITIVE, OTHER, NOT_TOLD], fill_value=0
    )
    table = counts.assign(customers=counts.sum(axis=1)).rename_axis(index="need", columns=None).reset_index()
    said = whole["need"].where(whole["need"] == SENSITIVE, OTHER)
    told = whole["response"].where(whole["response"] != NOT_TOLD, needs.NOT_KNOWN)
    agreed = needs.agreement(whole.assign(need=said), told)
    return table[["need", "customers", SENSITIVE, OTHER, NOT_TOLD]], agreed


def of_levels(each: pd.DataFrame, levels: pd.Series) -> pd.DataFrame:
    """Lines below the list price by level: level, customers, lines, share with its 90 % interval, by customers."""
    part = each.assign(level=each["customer_id"].map(levels)).dropna(subset=["level"])
    rows = []
    for level, mine in part.groupby("level"):
        n, k = mine["lines"].sum(), mine["discounted"].sum()
        share = k / n
        error = np.sqrt(((mine["discounted"] - share * mine["lines"]) ** 2).sum()) / n
        reach = stats.norm.ppf((1 + LEVEL) / 2) * error
        sensitive = int((mine["response"] == SENSITIVE).sum())
        rows.append(
            (level, len(mine), int(n), share, max(share - reach, 0), min(share + reach, 1), sensitive)
        )
    names = ["level", "customers", "lines", "share", "share_low", "share_high", SENSITIVE]
    return pd.DataFrame(rows, columns=names)
