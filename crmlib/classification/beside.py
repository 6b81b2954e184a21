"""What is known of customers beside their facts: attributes, needs, costs, habits; each may be missing."""

from dataclasses import dataclass

import pandas as pd

from crmlib import tables
from crmlib.classification import habits as habitual
from crmlib.classification import needs
from crmlib.classification.facts import source
from crmlib.client import Client

ATTRIBUTES = ("customer_type", "scale", "credit_grade", "industry", "region")
HABITS = ("habit_group", "habit_channel", "habit_season")
NOT_SUPPLIED, UNKNOWN = "not_supplied", "unknown"


@dataclass(frozen=True)
class Beside:
    """Tables that a class may need, by as_of; None where the client does not supply them.

    people (`tables.CUSTOMERS`), need (as stated, by customer_id), costs (`tables.COSTS`), habits
    (`classification.habits.habits`), recent (`classification.habits.recent`).
    """

    people: pd.DataFrame | None = None
    need: pd.Series | None = None
    costs: pd.DataFrame | None = None
    habits: pd.DataFrame | None = None
    recent: pd.DataFrame | None = None


def beside(client: Client, *, as_of: int) -> Beside:
    """Everything a client supplies beside the facts, by a day; what has no date is as delivered."""
    people = tables.customers(client.delivery, until=as_of)
    survey = tables.supplied(client.delivery, tables.NEEDS, until=as_of)
    given = tables.supplied(client.delivery, tables.TIERS)
    said = needs.stated(
        None if survey is None else needs.newest(survey),
        *(None if t is None else t.set_index("customer_id")["need"] for t in (people, given)),
    )
    costs = tables.supplied(client.delivery, tables.COSTS, until=as_of)
    if source(client) != tables.TRANSACTIONS.name:
        return Beside(people, said, costs)
    lines = tables.relation(client.delivery, tables.TRANSACTIONS, until=as_of)
    since = as_of - client.classes.potential.days + 1
    return Beside(
        people,
        said,
        costs,
        habitual.habits(lines, client.classes.need, as_of=as_of),
        habitual.recent(lines, first_day=since, last_day=as_of),
    )


def attributes(ids: pd.Series, known: Beside) -> pd.DataFrame:
    """Customer type (X06), scale, credit grade, industry, region and habits (X07), in the order of `ids`.

    `unknown` where nobody knows of this customer, `not_supplied` where nobody knows of any.
    """
    parts = [(known.people, name) for name in ATTRIBUTES] + [(known.habits, name) for name in HABITS]
    return pd.DataFrame({name: _told(ids, table, name) for table, name in parts}, index=ids.index)


def _told(ids: pd.Series, table: pd.DataFrame | None, name: str) -> pd.Series:
    if table is None or not table[name].notna().any():
        return pd.Series(NOT_SUPPLIED, index=ids.index, dtype="str")
    return ids.map(table.set_index("customer_id")[name]).astype(object).fillna(UNKNOWN).astype("str")


def counted(classes: pd.DataFrame, *, most: int = 6) -> pd.DataFrame:
    """Customers by each attribute and habit: class, level, customers, share.

    The `most` largest levels of each, equal ones by name; the others together are `other`. What nobody
    supplies has one row, `not_supplied`.
    """
    rows = []
    for name in (*ATTRIBUTES, *HABITS):
        held = classes[name].value_counts().rename_axis("level").reset_index(name="customers")
        held = held.sort_values(["customers", "level"], ascending=[False, True], ignore_index=True)
        shown = held.head(most)
        rows += [(name, *pair) for pair in shown.itertuples(index=False)]
        rest = int(held["customers"].sum() - shown["customers"].sum())
        rows += [(name, "other", rest)] if rest else []
    table = pd.DataFrame(rows, columns=["class", "level", "customers"])
    return table.assign(share=table["customers"] / max(len(classes), 1))
