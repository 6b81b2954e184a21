"""How customers are spread: the tables behind the distribution charts (V01–V04)."""

from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from crmlib.classification.facts import in_memory, known_lines
from crmlib.cleaning import normal
from crmlib.period import Period

UNKNOWN = "unknown"


def by(customers: pd.DataFrame, attribute: str, most: int | None = 12) -> pd.DataFrame:
    """Customers by any attribute: attribute, customers, share; the largest first, the rest as "other".

    No rows where the attribute is empty for everyone: it was not supplied. `most` None joins nobody.

    >>> by(pd.DataFrame({"city": ["A", "A", "B", None]}), "city").values.tolist()
    [['A', 2, 0.5], ['B', 1, 0.25], ['unknown', 1, 0.25]]
    """
    known = customers[attribute].astype("str")
    counts = known.fillna(UNKNOWN).value_counts() if known.notna().any() else known.value_counts()
    table = counts.rename_axis(attribute).reset_index(name="customers")
    table = table.sort_values(["customers", attribute], ascending=[False, True], ignore_index=True)
    if most is not None and len(table) > most:
        rest = pd.DataFrame({attribute: ["other"], "customers": [table["customers"][most - 1 :].sum()]})
        table = pd.concat([table.head(most - 1), rest], ignore_index=True)
    return table.assign(share=table["customers"] / max(table["customers"].sum(), 1))


def crossed(customers: pd.DataFrame, rows: str, columns: str, order: tuple[str, ...] = ()) -> pd.DataFrame:
    """Customers by two attributes, a row a value of the first; empty ones left out.

    In the `order` given where the attributes have one, else the largest first.
    """
    known = customers.dropna(subset=[rows, columns])
    table = pd.crosstab(known[rows], known[columns])
    down, across = (
        [name for name in order if name in sums.index]
        or list(sums.sort_values(ascending=False, kind="stable").index)
        for sums in (table.sum(axis=1), table.sum(axis=0))
    )
    return table.loc[down, across].rename_axis(columns=None).reset_index()


GENDERS = dict.fromkeys(("female", "male", UNKNOWN), "count")
PYRAMID = {"label": "age", "sides": ("female", "male"), "rest": UNKNOWN}  # how it is drawn
AGE_EDGES = (0, 18, 30, 40, 50, 60, 70, 111)
AGE_BANDS = ("under 18", "18–29", "30–39", "40–49", "50–59", "60–69", "70 and over")


def ages(customers: pd.DataFrame, year: int) -> pd.DataFrame:
    """Persons by age band in a year: age, customers, share. Ages below 0 or above 110 are unknown.

    >>> ages(pd.DataFrame({"birth_year": [2000, 1960, None]}), 2024).values.tolist()
    [['18–29', 1, 0.5], ['60–69', 1, 0.5]]
    """
    bands = _bands(customers, year).value_counts(sort=False)
    bands = bands[bands > 0]
    return pd.DataFrame(
        {
            "age": bands.index.astype(str),
            "customers": bands.to_numpy(),
            "share": bands.to_numpy() / max(bands.sum(), 1),
        }
    )


def _bands(customers: pd.DataFrame, year: int) -> pd.Series:
    """The age band of everyone whose year of birth is known and possible."""
    age = year - customers["birth_year"].dropna().astype(int)
    return pd.cut(age[age.between(0, 110)], list(AGE_EDGES), right=False, labels=list(AGE_BANDS))


def ages_by_gender(customers: pd.DataFrame, year: int) -> pd.DataFrame:
    """Persons by age band and gender in a year, of those whose year of birth is known and possible.

    Returns
    -------
    age, male, female, unknown (customers; of whom another word or nothing is told), customers (all of the band),
    share. Bands between the youngest and the oldest are shown also where nobody is in them.

    >>> born = pd.DataFrame({"birth_year": [2000, 1999, 1990], "gender": ["女", "男", None]})
    >>> ages_by_gender(born, 2024).iloc[:, :5].values.tolist()
    [['18–29', 1, 1, 0, 2], ['30–39', 0, 0, 1, 1]]
    """
    bands = _bands(customers, year)
    gender = normal.gender(customers["gender"].astype(object)[bands.index])
    gender = gender.where(gender.isin(["male", "female"]), UNKNOWN)
    table = pd.crosstab(bands.astype(str), gender).reindex(columns=["male", "female", UNKNOWN], fill_value=0)
    there = [place for place, name in enumerate(AGE_BANDS) if name in table.index]
    shown = AGE_BANDS[there[0] : there[-1] + 1] if there else ()
    table = (
        table.reindex(list(shown), fill_value=0).rename_axis("age").rename_axis(columns=None).reset_index()
    )
    table = table.assign(customers=table[["male", "female", UNKNOWN]].sum(axis=1))
    return table.assign(share=table["customers"] / max(int(table["customers"].sum()), 1))


def largest_band(table: pd.DataFrame) -> dict:
    """The band of `ages_by_gender` with the most persons, its share, n, and the share of women of known gender."""
    n = int(table["customers"].sum()) if len(table) else 0
    values = {"n": n, "names": [], "share": 0.0, "women": 0.0, "known": 0}
    if not n:
        return values
    first = table.sort_values("customers", ascending=False, kind="stable").iloc[0]
    known = int(table[["male", "female"]].to_numpy().sum())
    women = int(table["female"].sum()) / max(known, 1)
    return values | {"names": [first["age"]], "share": float(first["share"]), "women": women, "known": known}


def order_counts(facts: pd.DataFrame, most: int = 10) -> pd.DataFrame:
    """Customers by how many orders they have placed: placed ("10+" for the rest), customers, share."""
    known = facts["orders"].dropna().astype("int64")
    capped = known.clip(upper=most).value_counts().sort_index()
    names = [f"{n}+" if n == most else str(n) for n in capped.index]
    share = capped.to_numpy() / max(len(known), 1)
    return pd.DataFrame({"placed": names, "customers": capped.to_numpy(), "share": share})


def monthly(transactions: Any, span: Period, months: int = 24) -> pd.DataFrame:
    """Identified sales by month up to the period's end: month (2024-12), gross, orders, customers.

    A month without sales is 0 and shown; months before the first sale are left out.
    """
    last = span.as_of.year * 12 + span.as_of.month - 1
    lines = known_lines(transactions, last_day=span.day_range[1]).filter(
        nw.col("kind") == "sale", nw.col("order_month") > last - months
    )
    per = lines.group_by("order_month", "customer_id", "order_id").agg(nw.col("amount").sum())
    per_customer = per.group_by("order_month", "customer_id").agg(
        nw.col("amount").sum(), nw.len().alias("orders")
    )
    table = in_memory(
        per_customer.group_by("order_month").agg(
            nw.col("amount").sum().alias("gross"), nw.col("orders").sum(), nw.len().alias("customers")
        )
    ).set_index("order_month")
    if table.empty:
        return pd.DataFrame({"month": [], "gross": [], "orders": [], "customers": []})
    whole = table.reindex(range(int(table.index.min()), last + 1), fill_value=0)
    return (
        whole.astype("int64")
        .reset_index()
        .assign(month=lambda t: [f"{m // 12}-{m % 12 + 1:02d}" for m in t["order_month"]])[
            ["month", "gross", "orders", "customers"]
        ]
    )


def yearly(months: pd.DataFrame) -> dict:
    """Sales of the last twelve months against the twelve before: months (there are), gross, more (0.1: a tenth more), change (its size).

    >>> yearly(pd.DataFrame({"gross": [1] * 12 + [2] * 12}))
    {'months': 24, 'gross': 24, 'more': 1.0, 'change': 1.0}
    """
    now, before = months["gross"].tail(12).sum(), months["gross"].iloc[:-12].tail(12).sum()
    more = (now - before) / before if before > 0 else 0.0
    return {"months": len(months), "gross": int(now), "more": float(more), "change": abs(float(more))}


def pareto(facts: pd.DataFrame, steps: int = 50) -> pd.DataFrame:
    """The concentration curve: share of customers, largest first, and the share of sales they make.

    Read at `steps` equally distant shares of customers; the largest customer begins the list.
    """
    amounts = np.sort(facts["gross"].dropna().to_numpy())[::-1]
    if not len(amounts) or amounts.sum() <= 0:
        return pd.DataFrame({"customers": [], "share_of_customers": [], "share_of_sales": []})
    heads = np.unique(np.ceil(np.linspace(0, 1, steps + 1)[1:] * len(amounts)).astype(int))
    made = np.cumsum(amounts)[heads - 1] / amounts.sum()
    return pd.DataFrame(
        {"customers": heads, "share_of_customers": heads / len(amounts), "share_of_sales": made}
    )


def top_share(facts: pd.DataFrame, part: float = 0.1) -> float | None:
    """Share of sales made by the largest part of customers (rounded up to a whole customer).

    >>> top_share(pd.DataFrame({"gross": [90, 5, 5]}), 1 / 3)
    0.9
    """
    amounts = facts["gross"].dropna().sort_values(ascending=False)
    if amounts.sum() <= 0:
        return None
    return float(amounts.head(int(np.ceil(part * len(amounts) - 1e-9))).sum() / amounts.sum())


def concentration(facts: pd.DataFrame) -> dict:
    """Share of sales made by the largest tenth of customers, of those whose spend is known, and their number.

    `told` is False where nobody's spend is known.
    """
    known = int(facts["gross"].notna().sum())
    return {"share": top_share(facts), "customers": known, "told": bool(known) or not len(facts)}


def largest(table: pd.DataFrame, most: int = 3) -> dict:
    """The largest named groups of a table of `by` (first column): their names and joint share."""
    label = table.columns[0]
    named = table[~table[label].isin([UNKNOWN, "other"])].head(most)
    return {"names": named[label].tolist(), "share": float(named["share"].sum())}


def counted(table: pd.DataFrame) -> int:
    """How many customers a table of `crossed` counts."""
    return int(table.iloc[:, 1:].to_numpy().sum())


def counts_of(table: pd.DataFrame) -> dict[str, str]:
    """Units of a table of `crossed`, whose columns are a client's own words: counts all."""
    return dict.fromkeys(table.columns[1:], "count")


def once(facts: pd.DataFrame) -> dict[str, float]:
    """Share of customers with a single order so far, of those whose orders are known, and their number.

    `told` is False where nobody's orders are known.
    """
    known = facts["orders"].dropna()
    share = float((known == 1).mean()) if len(known) else 0.0
    return {"share": share, "customers": len(known), "told": bool(len(known)) or not len(facts)}
