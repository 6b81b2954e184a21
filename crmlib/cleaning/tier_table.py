"""The customer tier-management table (客户分级管理表) as a source: many firms have nothing else.

Twelve columns, values with units (`10次`, `10000元`, `3.2万`), classes as words (高/中/低). What the
firm says is kept as it says it; whether its tiers follow from its own figures is for classification.
"""

from collections.abc import Mapping

import pandas as pd

from crmlib import tables
from crmlib.cleaning.customers import WORDS
from crmlib.cleaning.ledger import ledger
from crmlib.cleaning.snapshot import fates, judge, newest, people, set_aside, superseded, typed
from crmlib.cleaning.transactions import MISFITS, Cleaned, misfit_fates
from crmlib.cleaning.words import CONTENT, LEVELS, TIERS, meaning, worded
from crmlib.client import Client
from crmlib.collection.sources import Collected

STEPS = [*MISFITS, "not-a-record", "exact-duplicate", "missing-id", "unreadable-number", "same-customer"]
LISTS = {
    **dict.fromkeys(("frequency", "activity", "loyalty"), LEVELS),
    "satisfaction": CONTENT,
    "tier": TIERS,
}


def tiers(collected: Collected, client: Client, *, numbers: Mapping[str, str] | None = None) -> Cleaned:
    """One row per customer of the firm's own tier table.

    Without a column of customer numbers the name is the number. Two different rows of one name may
    be two customers: both are kept, numbered apart, and `namesakes` tells of them.

    Parameters
    ----------
    numbers : customer number by name, of names that only one customer of the delivery has

    Returns
    -------
    `kept` in the columns of `tables.TIERS`, `people` in those of `tables.CUSTOMERS`.
    """
    source = client.tables.tiers
    rows = typed(collected, source, tables.TIERS, decimals=client.decimals)
    rows, repairs = worded(rows, LISTS, source.columns, "tiers")
    needs = {cell: meaning(cell, WORDS["need"]) or cell for cell in rows["need"].dropna().unique()}
    rows["need"] = rows["need"].map(needs)
    if "customer_id" not in source.columns:
        rows["customer_id"] = rows["name"]
    judge(rows, source)
    if "customer_id" not in source.columns:
        rows["customer_id"] = numbered(rows, numbers or {})
    good = rows[rows["reason"].isna()]
    kept = newest(good, ["customer_id"])
    rows.loc[superseded(rows, ["customer_id"]), "reason"] = "same-customer"
    return Cleaned(
        tables.conform(kept, tables.TIERS),
        set_aside(rows, collected),
        ledger(pd.concat([fates(rows, kept), misfit_fates(collected)]), "tiers", STEPS),
        repairs=repairs,
        people=people(kept, collected, source, as_from=pd.Series(pd.NA, index=kept.index)),
    )


def numbered(rows: pd.DataFrame, numbers: Mapping[str, str]) -> pd.Series:
    """A customer number for rows that have only a name.

    The number another table has for that name, else the name itself; where several rows have one
    name, the name and a count in the order of what they say, so that row order decides nothing.
    """
    good = rows[rows["reason"].isna()]
    alone = ~good["name"].duplicated(keep=False)
    told = [c for c in tables.TIERS.schema.names if not c.startswith(("customer_id", "source_"))]
    words = good[told].astype(object).where(good[told].notna(), "").astype(str)
    ordered = words[~alone].sort_values(told, kind="stable")
    count = ordered.groupby("name").cumcount() + 1
    several = ordered["name"] + " (" + count.astype(str) + ")"
    single = good.loc[alone, "name"].map(lambda name: numbers.get(name, name))
    return pd.concat([single, several]).reindex(rows.index).fillna(rows["name"])


def namesakes(cleaned: Cleaned) -> dict[str, int]:
    """Names that several rows of the table share, and how many rows: candidates for one customer."""
    names = cleaned.kept["name"].to_pandas().dropna()
    shared = names[names.duplicated(keep=False)]
    return {"names": int(shared.nunique()), "rows": len(shared)}


def unread(cleaned: Cleaned) -> pd.DataFrame:
    """Cells that hold no word of their list: column, cells; what they say stands in the repairs."""
    if cleaned.repairs is None:
        return pd.DataFrame({"column": [], "cells": []})
    return cleaned.repairs.groupby("column").size().rename("cells").reset_index()
