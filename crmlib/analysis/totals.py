"""What is known of a client without order lines: the totals of a snapshot or a tier table.

Totals tell how much so far, not when. What needs the day of an order (sales of a period, new
customers, retention) is not known, and says so.
"""

import pandas as pd

from crmlib.analysis.kpis import Figures
from crmlib.classification import facts as known_facts
from crmlib.client import Client

NO_LINES = "no order lines"


def figures(facts: pd.DataFrame, stated: pd.DataFrame, client: Client) -> Figures:
    """Customers and the sums of their totals; none where order lines are supplied, which tell more.

    Parameters
    ----------
    facts : `classification.facts.known`
    stated : `classification.stated.stated`
    """
    if known_facts.source(client) == "transactions":
        return {}
    if not len(facts):
        return {"totals.customers": {"value": None, "n": 0, "why": "no totals by the end of the period"}}
    value = stated.set_index("customer_id")["lifetime_value"]
    return {
        "totals.customers": {"value": len(facts), "n": len(facts)},
        "totals.orders": _sum(facts["orders"]),
        "totals.spend": _sum(facts["gross"]),
        "totals.profit": _sum(facts["profit"]),
        "totals.lifetime_value": _sum(value),
    }


def _sum(values: pd.Series) -> dict:
    """The sum of what is known; None where nothing is."""
    known = values.dropna()
    if not len(known):
        return {"value": None, "n": 0, "why": "not supplied"}
    return {"value": int(known.sum()), "n": len(known)}


def instead(of_lines: Figures, facts: pd.DataFrame, client: Client) -> Figures:
    """The figures of a period as order lines tell them; without order lines, what totals tell.

    Parameters
    ----------
    of_lines : figures by id, computed from the client's order lines, which may be none

    Returns
    -------
    The same ids. Without order lines each is None with its reason, apart from the number of
    customers, those of one order, and who has churned.
    """
    if known_facts.source(client) == "transactions":
        return of_lines
    told = {id: figure for id, figure in of_lines.items() if id.startswith("churn.")}
    if "customers.total" in of_lines:
        orders = facts["orders"].dropna()
        told["customers.total"] = {"value": len(facts), "n": len(facts)}
        told["customers.one_order"] = {"value": int((orders == 1).sum()), "n": len(orders)}
    known = {id: figure for id, figure in told.items() if figure["n"]}
    return {id: {"value": None, "n": 0, "why": NO_LINES} for id in of_lines} | known


def counted(figures: Figures) -> tuple[int, str]:
    """Whom a table of figures is about: the active customers, or all where nobody knows who was active."""
    active = figures["customers.active"]["value"]
    of = "customers" if active is None else "active customers"
    return (figures["customers.total"]["value"] or 0 if active is None else active), of
