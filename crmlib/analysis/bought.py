"""What was bought with what, by whom and when: order lines as rules, proposals and forecasts see them.

One row per order and product comes into memory, never a line. A product is called by its name, or by its number
or group where lines carry no name.
"""

from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from crmlib.analysis.itemsets import Baskets, baskets
from crmlib.classification.facts import in_memory, lines

EVERY, UNKNOWN = "every", "unknown"  # the kind of a customer where nobody has one, or this one has none
COLUMNS = ["order", "customer_id", "item", "day", "kind"]


def named(transactions: Any, *, as_of: int) -> nw.LazyFrame:
    """Lines up to a day with `item` (the product) and `group` (its group, else itself), as far as named."""
    name = nw.coalesce("product", "product_id", "product_group")
    group = nw.coalesce("product_group", "product", "product_id")
    rows = lines(transactions).filter(nw.col("order_day") <= as_of)
    return rows.with_columns(name.alias("item"), group.alias("group")).filter(~nw.col("item").is_null())


def bought(transactions: Any, customers: pd.DataFrame, *, as_of: int) -> pd.DataFrame:
    """One row per order and product sold by `as_of`, customers known or not.

    Parameters
    ----------
    transactions : order lines in the columns of `tables.TRANSACTIONS`, on an exact engine
    customers : customer_id, customer_type

    Returns
    -------
    order (a number); customer_id (None where nobody is known); item; day (the first of them); kind (type of customer)
    """
    sold = named(transactions, as_of=as_of).filter(nw.col("kind") == "sale")
    who = nw.when(nw.col("known")).then(nw.col("customer_id")).alias("customer_id")
    rows = in_memory(
        sold.with_columns(who)
        .group_by("order_id", "customer_id", "item")
        .agg(nw.col("order_day").min().alias("day"))
    )
    rows = rows.sort_values(["day", "order_id", "customer_id", "item"], ignore_index=True)
    numbers = rows.groupby(["order_id", "customer_id"], dropna=False, sort=False).ngroup()
    rows = rows.assign(order=numbers, customer_id=rows["customer_id"].astype(object))
    rows["customer_id"] = rows["customer_id"].where(rows["customer_id"].notna(), None)
    return rows.assign(kind=kinds(rows["customer_id"], customers))[COLUMNS]


def kinds(whose: pd.Series, customers: pd.DataFrame) -> pd.Series:
    """Each customer's type: `unknown` where it is not known, `every` where nobody's is."""
    told = customers.dropna(subset=["customer_type"]).set_index("customer_id")["customer_type"]
    return whose.map(told).fillna(UNKNOWN).astype("str") if len(told) else pd.Series(EVERY, index=whose.index)


def returned(transactions: Any, *, as_of: int) -> pd.DataFrame:
    """What known customers took back, and when last: customer_id, item, day."""
    back = named(transactions, as_of=as_of).filter(nw.col("kind") == "return", nw.col("known"))
    rows = in_memory(back.group_by("customer_id", "item").agg(nw.col("order_day").max().alias("day")))
    return rows.sort_values(["customer_id", "item"], ignore_index=True)


def groups(transactions: Any, *, as_of: int) -> dict[str, str]:
    """The product group of each product: the one most of its lines name."""
    rows = in_memory(named(transactions, as_of=as_of).group_by("item", "group").agg(nw.len().alias("lines")))
    rows = rows.sort_values(["lines", "item", "group"], ascending=[False, True, True])
    return rows.drop_duplicates("item").set_index("item")["group"].to_dict()


def by_order(rows: pd.DataFrame) -> tuple[Baskets, np.ndarray, np.ndarray]:
    """Orders as baskets, the kind of customer of each, and a number of its customer (each nobody is one's own)."""
    of = baskets(rows.rename(columns={"order": "basket"})[["basket", "item"]])
    first = rows.drop_duplicates("order")  # baskets are numbered as they first come
    whose = (
        first["customer_id"]
        .astype("str")
        .where(first["customer_id"].notna(), "#" + first["order"].astype("str"))
    )
    return of, first["kind"].to_numpy(dtype=object), pd.factorize(whose)[0]


def by_customer(rows: pd.DataFrame) -> tuple[Baskets, np.ndarray, np.ndarray]:
    """All that each known customer ever bought as one basket, and the kind of customer of each."""
    known = rows[rows["customer_id"].notna()]
    of = baskets(known.rename(columns={"customer_id": "basket"})[["basket", "item"]])
    first = known.drop_duplicates("customer_id")
    return of, first["kind"].to_numpy(dtype=object), np.arange(of.n)
