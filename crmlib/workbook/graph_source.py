"""A run's tables → the graph that page and panel show."""

import pandas as pd

from crmlib import tables
from crmlib.analysis import relations
from crmlib.analysis.picture import Picture, picture
from crmlib.classification import facts
from crmlib.client import Client
from crmlib.period import Period


def people(client: Client, period: Period) -> pd.DataFrame:
    """Every customer a relation may name, as known at the period's end."""
    last = period.day_range[1]
    customers = tables.customers(client.delivery, until=last)
    built = client.built(period)
    with_orders = facts.source(client) == tables.TRANSACTIONS.name
    orders = tables.relation(client.delivery, tables.TRANSACTIONS, until=last) if with_orders else None
    done = None if orders is None else facts.activity(orders, period)
    return relations.people(
        customers, tables.frame(built, tables.FACTS), tables.frame(built, tables.CLASSES), done
    )


def of_run(client: Client, period: Period) -> Picture:
    """The graph of a client at a period's end; without customers where no relations are supplied."""
    ties = tables.supplied(client.delivery, tables.RELATIONS, until=period.day_range[1])
    return picture(relations.graph(ties, people(client, period), client.relations))
