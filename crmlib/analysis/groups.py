"""Customers in groups by any attribute: sorted as the reader asks (V06), and held against each other (V09)."""

import pandas as pd

from crmlib.analysis import intervals
from crmlib.analysis.distribution import UNKNOWN
from crmlib.classification.profiles import BY_RULE, NO_CLASS, NUMBERS, SILENT, in_order
from crmlib.pictures import ATTRIBUTES

NOT_KNOWN = "not_known"  # a need
LAST = (UNKNOWN, "other", *NO_CLASS)  # no group: what is left, whatever it is sorted by
CLASSED = ["group", "customers", "share", "net", "net_each", "orders_each", "recency_days"]
UNITS = {"orders_each": "number", "recency_days": "days", "net_each": "money"}
COMPARED = ("net", "orders", "days_silent", "gap_days", "profit_margin", "discount_share")
PANELS = ["fact", "level", "value", "unit"]


def classed(
    judged: pd.DataFrame, known: pd.DataFrame, customers: pd.DataFrame, attribute: str
) -> pd.DataFrame:
    """Customers in groups by an attribute or a class, with what each group brings.

    Parameters
    ----------
    judged, known, customers : in the columns of `tables.CLASSES`, `tables.FACTS` and `tables.CUSTOMERS`
    attribute : a column of `pictures.ATTRIBUTES` as delivered, or of `pictures.CLASSED`

    Returns
    -------
    group ("unknown" where empty), customers, share, net (of the group, so far), net_each (net a customer),
    orders_each (orders a customer), recency_days (median days since the last order); money in the smallest unit,
    empty where not known of anybody. The largest net first. No rows where the attribute is empty for everyone.
    """
    table = customers if attribute in ATTRIBUTES and attribute in customers else judged
    named = known["customer_id"].map(table.drop_duplicates("customer_id").set_index("customer_id")[attribute])
    if named.isna().all() or named.dropna().isin(NO_CLASS).all():
        return pd.DataFrame(columns=CLASSED)
    numbers = known[["net", "orders", "recency_days"]].astype("Float64")
    grouped = numbers.assign(group=named.astype(object).where(named.notna(), UNKNOWN).astype(str)).groupby(
        "group"
    )
    sums, means = grouped[["net", "orders"]].sum(min_count=1), grouped[["net", "orders"]].mean()
    size = grouped.size()
    found = pd.DataFrame(
        {
            "customers": size,
            "share": size / size.sum(),
            "net": sums["net"],
            "net_each": means["net"],
            "orders_each": means["orders"],
            "recency_days": grouped["recency_days"].median(),
        }
    )
    found[CLASSED[3:]] = found[CLASSED[3:]].astype(float)
    return sorted_by(found.rename_axis("group").reset_index()[CLASSED], "net")


def sorted_by(table: pd.DataFrame, by: str, order: str = "descending") -> pd.DataFrame:
    """A table of groups in the order of any of its columns (V06): what a widget and `client.yml` ask for.

    Parameters
    ----------
    table : `group` and other columns
    by : a column; by `group` classes stand in their own order (high, medium, low), other names in the alphabet's
    order : descending or ascending

    Returns
    -------
    The same rows. Equal values stand by name; empty values, and what is left ("unknown", "other"), come last.

    Raises
    ------
    KeyError : no such column; it names those there are

    >>> rows = pd.DataFrame({"group": ["unknown", "a", "b"], "customers": [9, 1, 2]})
    >>> sorted_by(rows, "customers")["group"].tolist(), sorted_by(rows, "customers", "ascending")["group"].tolist()
    (['b', 'a', 'unknown'], ['a', 'b', 'unknown'])
    """
    if by not in table:
        raise KeyError(f"nothing to sort by called {by!r}; there are: {', '.join(table.columns)}")
    if order not in ("ascending", "descending"):
        raise ValueError(f"order is {order!r}; it is ascending or descending")
    place = {name: n for n, name in enumerate(in_order(set(table["group"])))}
    ranked = table.assign(_rest=table["group"].isin(LAST), _name=table["group"].map(place))
    wanted = "_name" if by == "group" else by
    # The order of classes goes from high to low: descending by itself.
    rising = (order == "ascending") != (by == "group")
    ranked = ranked.sort_values(
        ["_rest", wanted, "_name"], ascending=[True, rising, True], na_position="last"
    )
    return ranked[list(table.columns)].reset_index(drop=True)


def most_sales(table: pd.DataFrame) -> dict:
    """The group with the most net sales: names, share (of customers), sales (its share of them), groups, n.

    `groups` counts named groups; 0 where nobody knows what any of them spent.
    """
    n = int(table["customers"].sum()) if len(table) else 0
    named = table[~table["group"].isin(LAST)]
    values = {"n": n, "groups": len(named), "names": [], "share": 0.0, "sales": 0.0}
    if not len(named):
        return values
    if named["net"].isna().all():
        return values | {"groups": 0}
    top, whole = named.loc[named["net"].idxmax()], float(table["net"].sum())
    return values | {
        "names": [top["group"]],
        "share": float(top["share"]),
        "sales": float(top["net"]) / whole if whole > 0 and pd.notna(top["net"]) else 0.0,
    }


def described(labels: pd.Series) -> int:
    """How many customers have a class."""
    return int((labels.notna() & ~labels.isin(NO_CLASS)).sum())


def compared(medians: pd.DataFrame) -> pd.DataFrame:
    """The median customer of each class, a row for each fact and class: fact, level, value, unit (V09).

    Parameters
    ----------
    medians : as `classification.profiles.medians` returns it
    """
    units = NUMBERS | {new: NUMBERS[old] for old, new in SILENT.items()} | {"orders": "number"}
    rows = [
        (fact, level, value, units[fact])
        for fact in COMPARED
        if fact in medians
        for level, value in zip(medians["level"], medians[fact], strict=True)
        if pd.notna(value)
    ]
    return pd.DataFrame(rows, columns=PANELS)


def differing(traits: pd.DataFrame, of: str) -> dict:
    """In which facts classes differ from all others by more than chance, their own rule left aside.

    Parameters
    ----------
    traits : as `classification.profiles.traits` returns it
    of : the column of classes

    Returns
    -------
    groups (classes described), facts (the strongest first), compared (facts that were looked at)
    """
    open_ones = traits[~traits["fact"].isin(BY_RULE.get(of, ()))]
    told = open_ones[open_ones["told"]]
    strength = told["effect"].abs().groupby(told["fact"]).max().sort_values(ascending=False, kind="stable")
    compared = open_ones["fact"].nunique()
    return {"groups": traits["level"].nunique(), "facts": strength.index.tolist(), "compared": int(compared)}


def completed(needs: pd.DataFrame) -> pd.DataFrame:
    """Needs of classes with a row also for a need that nobody of a class has: the columns of `profiles.needs`.

    Classes stand in the order they came in, needs by how many have them. No rows where no need is known.
    """
    known = needs.dropna(subset=["share"])
    if (known["need"] == NOT_KNOWN).all():
        return needs.head(0)
    ordered = known.groupby("need")["customers"].sum().sort_values(ascending=False, kind="stable").index
    rows = []
    for need in ordered:
        for level, mine in known.groupby("level", sort=False):
            here = mine[mine["need"] == need]
            asked = int(mine["asked"].iloc[0])
            none = intervals.share(0, asked)
            empty = (level, need, 0, 0.0, none["low"], none["high"], asked)
            rows.append(tuple(here.iloc[0]) if len(here) else empty)
    return pd.DataFrame(rows, columns=list(needs.columns))


def needed(needs: pd.DataFrame) -> dict:
    """What classes need most, each of them: groups (with shares), names (different first needs), n asked.

    Parameters
    ----------
    needs : as `classification.profiles.needs` returns it
    """
    known = needs[needs["need"] != NOT_KNOWN].dropna(subset=["share"])
    known = known.sort_values("share", ascending=False, kind="stable")
    top = known.drop_duplicates("level")
    if top.empty:
        return {"groups": 0, "names": [], "led": [], "n": 0}
    # A need leads in a class where its interval lies above the next one's.
    second = known[known.duplicated("level")].drop_duplicates("level").set_index("level")["share_high"]
    led = top[top["share_low"] > top["level"].map(second).fillna(0.0)]
    return {
        "groups": len(top),
        "names": list(dict.fromkeys(led["need"])),
        "led": [[row.need, row.level] for row in led.itertuples()],
        "n": int(top["asked"].sum()),
    }
