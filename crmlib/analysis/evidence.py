"""What was known of each customer on a day in the past: the inputs that leaving is learnt from (M03).

Every number is taken from rows dated up to the cut-off, as they stood on it (`crmlib.as_of`): rows that came later,
or words that were said later, change nothing. What the customer table says has no date; of it only what
hardly changes is used (type, region, trade, scale, gender, year of birth), never a grade or a need that the firm may have
written down since.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa

from crmlib import as_of, tables
from crmlib.classification import classes, facts, habits
from crmlib.client import Client
from crmlib.rules import BehaviourRule

YEAR = 365
HOUR = pd.Timedelta(hours=1)
OWN = ("orders", "mean_order", "recency_days", "tenure_year", "gap_days", "own_gaps", "orders_a_year")
OWN += ("orders_year", "gross_year", "pace", "discount_share", "products", "returned_share")
ASKED = ("score", "score_change", "recommend")
SERVED = ("contacts_year", "complaints_year", "longest_wait", "open_cases")
TIED = ("ties", "ties_gone")
NUMBERS = (*OWN, *ASKED, *SERVED, *TIED, "age")
WORDS = ("customer_type", "region", "industry", "scale", "gender", "habit_channel")
SERVICE = {"enquiry", "complaint", "after_sales", "contact"}  # what waits for an answer; posts do not


@dataclass(frozen=True)
class Evidence:
    """A client's order lines and what is known beside them; each table may be missing.

    Parameters
    ----------
    orders : order lines on an engine of `facts.EXACT`
    customers : as delivered, in the columns of `tables.CUSTOMERS`
    beside : surveys, interactions, feedback, relations as Arrow tables, by name
    """

    orders: Any
    customers: pd.DataFrame
    beside: dict[str, pa.Table] = field(default_factory=dict)

    @cached_property
    def _facts(self) -> dict[int, pd.DataFrame]:
        return {}

    def facts(self, day: int) -> pd.DataFrame:
        """Facts per customer by a day; asked once."""
        if day not in self._facts:
            self._facts[day] = facts.facts(self.orders, as_of=day)
        return self._facts[day]

    def behaviour(self, day: int, rule: BehaviourRule) -> pd.Series:
        """active, dormant or churned (X02) on a day, by customer_id."""
        judged = classes.judged_behaviour(self.facts(day), rule)
        return judged.set_index("customer_id")["behaviour"]

    def known(self, name: str, day: int) -> pd.DataFrame | None:
        """A table beside the orders as it stood on a day, without rows that have no day; None where not supplied."""
        if name not in self.beside:
            return None
        rows = as_of.known(self.beside[name], tables.ALL[name], day).to_pandas()
        return rows[rows[tables.DAYS[name]].notna()]


def evidence(client: Client, *, until: int) -> Evidence | None:
    """What a client supplies by a day; None where no order lines are.

    Returns
    -------
    Evidence; surveys, interactions, feedback and relations where they are supplied
    """
    if not tables.delivered(client.delivery, tables.TRANSACTIONS):
        return None
    orders = tables.relation(client.delivery, tables.TRANSACTIONS, until=until)
    named = ("surveys", "interactions", "feedback", "relations")
    beside = {
        name: as_of.known(tables.arrow(client.delivery, tables.ALL[name]), tables.ALL[name], until)
        for name in named
        if tables.delivered(client.delivery, tables.ALL[name])
    }
    return Evidence(orders, tables.frame(client.delivery, tables.CUSTOMERS), beside)


def features(found: Evidence, *, cut_off: int, rule: BehaviourRule) -> pd.DataFrame:
    """Every customer with an order by the cut-off, in figures and words known on that day.

    Parameters
    ----------
    cut_off : day number; nothing dated later is seen

    Returns
    -------
    customer_id; orders, mean_order (smallest unit), recency_days, tenure_year (days since the first order, at most 365: as far as
    every cut-off can look back), gap_days, own_gaps (silence in own
    mean gaps, from the orders on from which these say anything), orders_a_year, orders_year and gross_year (of the
    365 days before), pace (orders_year ÷ orders_a_year), discount_share, products, returned_share; score (mean
    of the last form, 0-100), score_change (on the one before), recommend (0-100); contacts_year, complaints_year,
    longest_wait (hours, of the year's service records; 0 without one), open_cases; ties, ties_gone (share of tied customers who
    are churned); age; customer_type, region, industry, scale, gender, habit_channel. Empty where not known; columns
    that nobody supplies are left out.
    """
    own = found.facts(cut_off).set_index("customer_id")
    parts = [_own(own, rule), _year(found, cut_off), _asked(found, cut_off), _served(found, cut_off)]
    parts += [_tied(found, cut_off, rule), _people(found.customers, cut_off), _channel(found, cut_off)]
    rows = pd.concat([part.reindex(own.index) for part in parts if part is not None], axis=1)
    counts = [
        name
        for name in ("contacts_year", "complaints_year", "longest_wait", "open_cases", "ties")
        if name in rows
    ]
    rows[counts] = rows[counts].fillna(0.0)  # supplied, and nothing there: none
    rows["pace"] = rows["orders_year"] / rows["orders_a_year"]
    numbers = [name for name in NUMBERS if name in rows and rows[name].notna().any()]
    words = [name for name in WORDS if name in rows and rows[name].notna().any()]
    kinds = dict.fromkeys(numbers, float) | dict.fromkeys(words, object)
    return rows[[*numbers, *words]].astype(kinds).rename_axis("customer_id").reset_index()


def _own(rows: pd.DataFrame, rule: BehaviourRule) -> pd.DataFrame:
    told = rows["orders"] >= rule.own_rhythm_from
    return pd.DataFrame(
        {
            **{name: rows[name].astype(float) for name in OWN if name in rows},
            "tenure_year": rows["tenure_days"].clip(upper=YEAR).astype(float),
            "mean_order": rows["gross"] / rows["orders"],
            "own_gaps": (rows["recency_days"] / rows["gap_days"]).where(told),
            "returned_share": -rows["returned"] / rows["gross"].where(rows["gross"] > 0),
        }
    )


def _year(found: Evidence, day: int) -> pd.DataFrame:
    """The 365 days up to a day; nothing bought in them is 0."""
    lazy = facts.customers(found.orders, first_day=day - YEAR + 1, last_day=day)
    rows = facts.collected(lazy.select("customer_id", "orders", "gross", "profit", "profit_lines"))
    rows = rows.set_index("customer_id")[["orders", "gross"]].astype(float)
    every = found.facts(day)["customer_id"]
    return rows.reindex(every).fillna(0.0).set_axis(["orders_year", "gross_year"], axis=1)


def _asked(found: Evidence, day: int) -> pd.DataFrame | None:
    """The last survey form and its change on the one before, recommending apart."""
    rows = found.known("surveys", day)
    if rows is None:
        return None
    rows = rows[rows["known"]]
    share = 100 * (rows["score"] - rows["low"]) / (rows["high"] - rows["low"])
    forms = rows.assign(share=share, recommending=rows["aspect"] == "recommend")
    keys = ["recommending", "customer_id", "answered_day"]
    forms = forms.groupby(keys)["share"].mean().reset_index().sort_values(keys)
    judged = forms[~forms["recommending"]]
    before = judged.groupby("customer_id")["share"].shift(1)
    last = judged.assign(score_change=judged["share"] - before).groupby("customer_id").tail(1)
    last = last.set_index("customer_id")[["share", "score_change"]].rename(columns={"share": "score"})
    said = forms[forms["recommending"]].groupby("customer_id")["share"].last().rename("recommend")
    return pd.concat([last, said], axis=1)


def _served(found: Evidence, day: int) -> pd.DataFrame | None:
    """Service records of the 365 days up to a day; what is still open waits until that day's end."""
    rows = found.known("interactions", day)
    said = found.known("feedback", day)
    if rows is None and said is None:
        return None
    parts = {}
    if rows is not None:
        fresh = rows["known"] & rows["kind"].isin(SERVICE) & (rows["opened_day"] > day - YEAR)
        rows = rows[fresh.astype(bool)]
        end = pd.Timestamp("1970-01-01") + pd.Timedelta(days=day + 1)
        waited = (rows["resolved_at"].fillna(end) - rows["opened_at"]) / HOUR
        by = rows.assign(wait=waited, open=rows["resolved_at"].isna()).groupby("customer_id")
        parts = {"contacts_year": by.size(), "longest_wait": by["wait"].max(), "open_cases": by["open"].sum()}
    complaints = [
        part.loc[
            part["known"].astype(bool) & (part["kind"] == "complaint") & (part[at] > day - YEAR),
            "customer_id",
        ]
        for part, at in ((rows, "opened_day"), (said, "said_day"))
        if part is not None
    ]
    parts["complaints_year"] = pd.concat(complaints).value_counts()
    return pd.DataFrame(parts).rename_axis("customer_id")


def _tied(found: Evidence, day: int, rule: BehaviourRule) -> pd.DataFrame | None:
    """Ties to other customers by a day, and the share of these who are churned on it."""
    rows = found.known("relations", day)
    if rows is None:
        return None
    ends = ("customer_id", "other_id")
    both = [rows[[a, b]].set_axis(list(ends), axis=1) for a, b in (ends, ends[::-1])]
    tied = pd.concat(both).drop_duplicates()
    gone = (
        tied["other_id"]
        .map(found.behaviour(day, rule))
        .map(lambda state: float(state == "churned"), na_action="ignore")
    )
    by = tied.assign(gone=gone.astype(float)).groupby("customer_id")
    return pd.DataFrame({"ties": by.size(), "ties_gone": by["gone"].mean()})


def _people(customers: pd.DataFrame, day: int) -> pd.DataFrame:
    """What the customer table says, of each customer the version known on a day."""
    seen = customers[customers["as_from_day"].isna() | (customers["as_from_day"] <= day)]
    rows = seen.sort_values(["customer_id", "as_from_day"], kind="stable").drop_duplicates(
        "customer_id", keep="last"
    )
    rows = rows.set_index("customer_id")
    year = 1970 + day / 365.25
    born = rows["birth_year"].astype(float)
    return rows[[name for name in WORDS if name in rows]].assign(age=np.floor(year) - born)


def _channel(found: Evidence, day: int) -> pd.DataFrame:
    lines = habits.sold(found.orders, last_day=day)
    told = facts.in_memory(habits.main(lines, "channel", weight=nw.lit(1)))
    return told.set_index("customer_id").rename(columns={"channel": "habit_channel"})
