"""Free tags (X12): several at once, each one condition on a fact or a class, as `client.yml` says."""

from collections.abc import Mapping

import pandas as pd

from crmlib.contract import TEXT
from crmlib.rules import TAGGED, TagRule

# On disk money and counts are whole numbers alike; a condition says money in main units.
MONEY = frozenset(("gross", "returned", "net", "profit", "lifetime_value"))


def asked(facts: pd.DataFrame, classes: pd.DataFrame) -> pd.DataFrame:
    """Everything a tag may ask about, a row per customer: facts, classes, and `returned_share` (of gross)."""
    gross = facts["gross"].astype(float)
    share = -facts["returned"].astype(float) / gross.where(gross > 0)
    own = facts.drop(columns="customer_id").assign(returned_share=share)
    return pd.concat([own, classes.drop(columns=own.columns.intersection(classes.columns))], axis=1)


def holds(told: pd.DataFrame, rule: TagRule, *, decimals: int) -> pd.Series:
    """Of whom a tag's condition is true; what is not known is not true. Money is asked in main units."""
    if rule.column not in told.columns:
        return pd.Series(False, index=told.index)
    values = told[rule.column]
    if TAGGED[rule.column] == TEXT:
        words = [rule.equals] if isinstance(rule.equals, str) else list(rule.equals)
        return values.isin(words)
    amounts = values.astype("Float64").astype(float)
    if rule.column in MONEY:
        amounts = amounts / 10**decimals
    found = amounts.notna()
    if rule.at_least is not None:
        found &= amounts >= rule.at_least
    return found & (amounts <= rule.at_most) if rule.at_most is not None else found


def tags(
    facts: pd.DataFrame, classes: pd.DataFrame, rules: Mapping[str, TagRule], *, decimals: int
) -> pd.Series:
    """The tags of each customer by name, comma between; empty where none holds.

    Parameters
    ----------
    facts, classes : a row per customer, in the same order
    """
    told = asked(facts.reset_index(drop=True), classes.reset_index(drop=True))
    found = {name: holds(told, rules[name], decimals=decimals) for name in sorted(rules)}
    marks = [[name if yes else "" for yes in mine] for name, mine in found.items()]
    rows = [",".join(filter(None, row)) for row in zip(*marks, strict=True)] if marks else [""] * len(facts)
    return pd.Series(rows, index=classes.index, dtype="str")


def counted(classes: pd.DataFrame, rules: Mapping[str, TagRule]) -> pd.DataFrame:
    """Customers by tag: tag, condition (as in `client.yml`), customers, share; tags that nobody has are 0."""
    held = classes["tags"].str.split(",").explode().value_counts()
    rows = []
    for name in sorted(rules):
        customers = int(held.get(name, 0))
        rows.append((name, condition(rules[name]), customers, customers / max(len(classes), 1)))
    return pd.DataFrame(rows, columns=["tag", "condition", "customers", "share"])


def figures(counted: pd.DataFrame, customers: int) -> dict[str, dict]:
    """Customers with each tag."""
    return {
        f"tag.{tag}.customers": {"value": int(held), "n": customers}
        for tag, held in zip(counted["tag"], counted["customers"], strict=True)
    }


def condition(rule: TagRule) -> str:
    """A tag's condition as it may stand in `client.yml`.

    >>> condition(TagRule(column="orders", at_most=1))
    'orders ≤ 1'
    """
    if rule.equals is not None:
        words = rule.equals if isinstance(rule.equals, str) else " | ".join(rule.equals)
        return f"{rule.column} = {words}"
    least = f"{rule.at_least:g} ≤ " if rule.at_least is not None else ""
    most = f" ≤ {rule.at_most:g}" if rule.at_most is not None else ""
    return f"{least}{rule.column}{most}"
