"""KPIs over time: every measure of a period, of the periods before it and of the same one a year ago.

Each period is told as of its own end, by today's rules, from four questions to the order lines, however many
periods there are: what was sold by period, orders by period, what each customer did in each, and on which
days each ordered. The figures are then those of `crmlib.analysis.kpis`.
"""

import datetime as dt
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from crmlib import tables
from crmlib.analysis import breakdown, kpis, satisfaction, totals
from crmlib.classification import classes, facts, stated
from crmlib.client import Client
from crmlib.errors import ConfigError
from crmlib.measures import measure
from crmlib.period import Period

# Enough for odds: four years of quarters and three of months, so that every season is known more than twice.
PERIODS = {"year": 9, "quarter": 17, "month": 37, "days": 9}
DAYS_A_YEAR = 365
Series = dict[str, list[tuple[dt.date, dt.date, float]]]
# Measures of tables of their own, each a function of client and period that sees nothing after it: a line each.
FURTHER: tuple[Callable[[Client, Period], kpis.Figures], ...] = ()
# They need not know a period from its first day: their means are of what was said or decided in it.
OWN_DAYS = ("satisfaction.", "nps.", "finance.")
# Who is kept or lost is known only where the period before is known whole too, and who is new only where a year
# before it is: when the data begins everybody seems new.
OF_TWO = ("retention.rate", "churn.rate", "churn.customers")
OF_A_YEAR = ("customers.new", "cac.amount")


@dataclass(frozen=True)
class Told:
    """A period and its figures, as of its own end.

    `whole`: the data covers it from its first day; `both`: the period before it as well; `year`: a year before it.
    """

    span: Period
    figures: kpis.Figures
    whole: bool
    both: bool
    year: bool

    def figure(self, id: str) -> dict:
        """A figure that may be held against another period's: empty where it is not of a whole period."""
        if id in OF_A_YEAR:
            known = self.both and self.year
        else:
            known = id.startswith(OWN_DAYS) or (self.both if id in OF_TWO else self.whole)
        return self.figures.get(id, {}) if known else {}


@dataclass(frozen=True)
class Past:
    """A period, those before it (oldest first, itself last), and the same period a year ago."""

    periods: tuple[Told, ...]
    last_year: Told | None
    decimals: int

    @property
    def now(self) -> Told:
        """The period itself."""
        return self.periods[-1]

    @property
    def before(self) -> Told | None:
        """The period before it."""
        return self.periods[-2] if len(self.periods) > 1 else None

    def series(self) -> Series:
        """KPI → (first day, last day, value in main units) of every period in which it is known.

        Of a client with less than a year before every period, new customers are as far as can be told.
        """
        found: Series = {}
        for id in dict.fromkeys(id for told in self.periods for id in told.figures):
            known = [(told, told.figure(id)) for told in self.periods if told.figure(id)]
            if not known and id in OF_A_YEAR:
                known = [(told, told.figures.get(id, {})) for told in self.periods if told.both]
            scale = 10**self.decimals if measure(id).unit == "money" else 1
            values = [
                (told.span.start, told.span.as_of, float(figure["value"]) / scale)
                for told, figure in known
                if figure.get("value") is not None
            ]
            if values:
                found[id] = values
        return found


def past(client: Client, span: Period, *, periods: int | None = None, groups: Sequence[str] = ()) -> Past:
    """Every measure of a period, of those before it and of the same one a year ago.

    Parameters
    ----------
    periods : how many, this one among them; `PERIODS` of its unit unless said
    groups : ids of single groups that are wanted too, as in `sales.identified.region.华东`
    """
    chain = [span]
    while len(chain) < (periods or PERIODS[span.unit]) and _comparable(chain[0].previous):
        chain.insert(0, chain[0].previous())
    found = [*_told(client, chain, newest=span, groups=groups)]
    known = {told.span: told for told in found}
    if _comparable(span.last_year) and span.last_year() not in known:
        known |= {told.span: told for told in _told(client, [span.last_year()], newest=span, groups=groups)}
    year = known.get(span.last_year()) if _comparable(span.last_year) else None
    return Past(tuple(found), year, client.decimals)


def history(client: Client, span: Period, periods: int | None = None) -> Series:
    """KPI → (first day, last day, value in main units) of this period and those before it, oldest first.

    A period that began before the data is left out: it is not covered whole. A KPI that cannot be computed in a
    period has no value there, and one that never can is absent.
    """
    named = [one.kpi for one in (*client.goals.values(), *client.undertakings.values())]
    return past(client, span, periods=periods, groups=named).series()


def _comparable(period: Callable[[], Period]) -> bool:
    """Whether there is such a period, and one before it: before the first year there is none."""
    try:
        period().previous()
    except ConfigError:
        return False
    return True


def _told(client: Client, chain: list[Period], *, newest: Period, groups: Sequence[str]) -> Iterator[Told]:
    """Periods that follow each other, oldest first; `newest` is the one that all are told for."""
    spans = [chain[0].previous(), *chain]
    last = spans[-1].day_range[1]
    lines = tables.relation(client.delivery, tables.TRANSACTIONS, until=last)
    # Answers without a day are taken to be of the newest period, never of two.
    answers = stated.answers(client, as_of=newest.day_range[1])
    asked = _Asked.of(lines, spans)
    dated = facts.source(client) == tables.TRANSACTIONS.name
    ends = zip(spans, _standing(client, asked, spans, newest=newest), strict=True)
    for (before, (_, judged_before)), (part, (known, judged)) in itertools.pairwise(ends):
        figures = asked.figures(part, known) | kpis.churn(judged, judged_before)
        figures = totals.instead(figures, known, client) | satisfaction.satisfaction(answers, part)
        figures |= _groups(client, part, groups)
        for further in FURTHER:
            figures |= further(client, part)
        starts = (part.day_range[0], before.day_range[0], part.day_range[0] - DAYS_A_YEAR)
        known = (not dated or (asked.began is not None and day >= asked.began) for day in starts)
        yield Told(part, figures, *known)


def _standing(
    client: Client, asked: "_Asked", spans: list[Period], *, newest: Period
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Customers at the end of every period: what is known of each, and whether active, dormant or churned."""
    of_lines = facts.source(client) == tables.TRANSACTIONS.name
    for part, known in zip(spans, asked.standing(spans), strict=True):
        last = part.day_range[1]
        if not of_lines:  # totals without a day belong to the newest period, never to two
            known = facts.known(client, as_of=last, dated=part != newest)
        said = stated.stated(client, as_of=last)
        yield known, classes.judged_behaviour(known, client.classes.behaviour, said)


@dataclass(frozen=True)
class _Asked:
    """What the order lines answered, by period: a row for each `span`, the place of a period in its chain.

    sold : lines counted as `kpis.sold` takes them
    ordered : orders counted as `kpis.ordered` takes them
    active : what each customer did, as `facts.activity` tells it
    days : what each customer ordered: orders, order_days, first_day, last_day
    """

    spans: list[Period]
    began: int | None
    sold: pd.DataFrame
    ordered: pd.DataFrame
    active: pd.DataFrame
    days: pd.DataFrame

    @classmethod
    def of(cls, transactions: Any, spans: list[Period]) -> "_Asked":
        """Four questions over all periods; what lies before the first of them is of place −1."""
        last, numbered = spans[-1].day_range[1], _numbered(spans)
        every = facts.lines(transactions).filter(nw.col("order_day") <= last).with_columns(numbered)
        within = every.filter(nw.col("span") >= 0)
        known = within.filter(nw.col("known"))
        dated = facts.orders(transactions, last_day=last).filter(~nw.col("order_day").is_null())
        days = dated.group_by("customer_id", "order_day").agg(nw.len().alias("orders")).with_columns(numbered)
        return cls(
            spans,
            kpis.began(transactions),
            facts.in_memory(kpis.counted_lines(within, "span")),
            facts.in_memory(kpis.counted_orders(known.filter(nw.col("kind") == "sale"), "span")),
            facts.collected(_active(known)),
            facts.in_memory(
                days.group_by("customer_id", "span").agg(
                    nw.col("orders").sum(),
                    nw.len().alias("order_days"),
                    nw.col("order_day").min().alias("first_day"),
                    nw.col("order_day").max().alias("last_day"),
                )
            ),
        )

    def figures(self, part: Period, known: pd.DataFrame) -> kpis.Figures:
        """The figures of one period that lines tell; `known`: customers at its end."""
        place = self.spans.index(part)
        now, before = (self.active[self.active["span"] == n].drop(columns="span") for n in (place, place - 1))
        sold, ordered = (table[table["span"] == place] for table in (self.sold, self.ordered))
        covered = self.began is not None and self.began <= part.day_range[1]
        found = kpis.sold(sold) if covered else dict.fromkeys(kpis.EVERY_SALE, kpis.UNKNOWN)
        found |= kpis.customers(known, now, before, part) | kpis.profit(now)
        return found | kpis.ordered(ordered)

    def standing(self, spans: list[Period]) -> Iterator[pd.DataFrame]:
        """Facts at the end of every period: customer_id, first_day, orders, recency_days, gap_days.

        An order belongs to the day of its first sale, so one day that was known remains as it was.
        """
        rows = self.days
        codes, names = pd.factorize(rows["customer_id"], sort=True)
        orders, days = (np.zeros(len(names), np.int64) for _ in range(2))
        first, last = np.full(len(names), np.iinfo(np.int64).max), np.zeros(len(names), np.int64)
        for place, part in enumerate(spans):
            # All that lies before the first period comes with it.
            new = (rows["span"] == place) | ((rows["span"] < 0) & (place == 0))
            at = codes[new]
            orders += np.bincount(at, rows["orders"][new], len(names)).astype(np.int64)
            days += np.bincount(at, rows["order_days"][new], len(names)).astype(np.int64)
            np.minimum.at(first, at, rows["first_day"][new].to_numpy(np.int64))
            np.maximum.at(last, at, rows["last_day"][new].to_numpy(np.int64))
            here = days > 0
            table = {"first_day": first, "last_day": last, "orders": orders, "order_days": days}
            yield _facts(names[here], {c: values[here] for c, values in table.items()}, part.day_range[1])


def _facts(names: pd.Index, columns: dict[str, np.ndarray], as_of: int) -> pd.DataFrame:
    """What of `facts.facts` the figures of a period take, in its dtypes."""
    gaps = columns["order_days"] - 1
    table = pd.DataFrame({"customer_id": names} | columns).reset_index(drop=True)
    silence = {"recency_days": as_of - table["last_day"]}
    between = (table["last_day"] - table["first_day"]) / pd.Series(gaps).where(gaps > 0)
    return table.assign(**silence, gap_days=between)


def _numbered(spans: list[Period]) -> nw.Expr:
    """The place of the period that a day lies in; −1 before the first. Periods follow each other."""
    begun = [nw.when(nw.col("order_day") >= part.day_range[0]).then(1).otherwise(0) for part in spans]
    return (sum(begun[1:], begun[0]) - 1).alias("span")


def _active(known: nw.LazyFrame) -> nw.LazyFrame:
    """What each customer did in each period, in the columns of `facts.activity` and `span`."""
    sale, profit = nw.col("kind") == "sale", nw.col("profit")
    orders = known.with_columns(
        nw.when(sale).then(1).otherwise(0).alias("orders"),
        nw.when(sale).then(nw.col("amount")).otherwise(0).alias("gross"),
        nw.when(profit.is_null()).then(0).otherwise(nw.col("amount")).alias("profit_on"),
    )
    sums = ("gross", "returned", "profit", "profit_on")
    numbers = orders.group_by("span", "customer_id", "order_id").agg(
        nw.col("orders").max(), profit.count().alias("profit_lines"), nw.col(*sums).sum()
    )
    return numbers.group_by("span", "customer_id").agg(nw.col("orders", "profit_lines", *sums).sum())


def _groups(client: Client, part: Period, wanted: Sequence[str]) -> kpis.Figures:
    """Identified sales of single groups in a period; a group that sold nothing has 0 where others sold."""
    found: kpis.Figures = {}
    ids = [id for id in wanted if re.fullmatch(r"sales\.identified\.[^.]+\..+", id)]
    for dimension in sorted({id.split(".")[2] for id in ids}):
        table = _by(client, part, dimension)
        figures = breakdown.grouped(table, dimension) if table is not None else {}
        none = {"value": 0, "n": 0} if figures else {"value": None, "n": 0, "why": kpis.NOT_SUPPLIED}
        mine = [id for id in ids if id.split(".")[2] == dimension]
        found |= {id: figures.get(id, none) for id in mine}
    return found


def _by(client: Client, part: Period, dimension: str) -> pd.DataFrame | None:
    """Identified sales of a period by a dimension of lines or customers; None where neither has it."""
    last = part.day_range[1]
    lines = tables.relation(client.delivery, tables.TRANSACTIONS, until=last)
    if dimension in ("product_group", "channel"):
        return breakdown.by_line(lines, part, dimension)
    customers, now = tables.customers(client.delivery, until=last), facts.activity(lines, part)
    if dimension == "region":
        return breakdown.by_region(lines, part, now, customers)
    return breakdown.by_attribute(now, customers, dimension) if dimension in customers.columns else None
