"""A KPI over time: its values in the periods before this one, each computed as of its own end."""

import datetime as dt

from crmlib import tables
from crmlib.analysis import kpis, satisfaction
from crmlib.classification import classes, facts, stated
from crmlib.client import Client
from crmlib.measures import measure
from crmlib.period import Period

PERIODS = 9  # eight changes: enough for odds, and two years of quarters


def history(
    client: Client, span: Period, periods: int = PERIODS
) -> dict[str, list[tuple[dt.date, dt.date, float]]]:
    """KPI → (first day, last day, value in main units) of this period and those before it, oldest first.

    A period that began before the data is left out: it is not covered whole. A KPI that cannot be computed in a
    period has no value there, and one that never can is absent.
    """
    spans = [span]
    while len(spans) < periods:
        spans.append(spans[-1].previous())
    lines = tables.relation(client.delivery, tables.TRANSACTIONS, until=span.day_range[1])
    began = kpis.began(lines)
    found: dict[str, list[tuple[dt.date, dt.date, float]]] = {}
    for part in reversed(spans):
        if began is None or part.day_range[0] < began:
            continue
        for id, figure in _figures(client, part, whole=part.previous().day_range[0] >= began).items():
            if figure["value"] is not None:
                scale = 10**client.decimals if measure(id).unit == "money" else 1
                found.setdefault(id, []).append((part.start, part.as_of, float(figure["value"]) / scale))
    return found


def _figures(client: Client, span: Period, *, whole: bool) -> kpis.Figures:
    """The KPIs of one period, nothing after it being seen; `whole`: the period before it is known whole too."""
    last = span.day_range[1]
    lines = tables.relation(client.delivery, tables.TRANSACTIONS, until=last)
    now, before = (facts.activity(lines, part) for part in (span, span.previous()))
    known = facts.facts(lines, as_of=last)
    found = kpis.sales(lines, span) | kpis.customers(known, now, before, span)
    found |= kpis.orders(lines, span) | kpis.profit(now)
    found |= satisfaction.satisfaction(stated.answers(client, as_of=last), span)
    if not whole:  # who is new, and who was retained, is not known of the first period of the data
        return {id: figure for id, figure in found.items() if id not in ("customers.new", "retention.rate")}
    known_before = facts.facts(lines, as_of=span.previous().day_range[1])
    said = (stated.stated(client, as_of=part.day_range[1]) for part in (span, span.previous()))
    judged = (
        classes.judged_behaviour(rows, client.classes.behaviour, says)
        for rows, says in zip((known, known_before), said, strict=True)
    )
    return found | kpis.churn(*judged)
