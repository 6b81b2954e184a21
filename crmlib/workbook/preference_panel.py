"""Preferences to play with in notebook 09: how rare a rule may be, how far ahead demand is foretold.

Nothing is computed before somebody moves something. `looked` is the same without a screen: what a test or a script asks.
"""

import html
from dataclasses import dataclass

import ipywidgets as widgets

from crmlib import client as clients
from crmlib import tables
from crmlib.analysis import association, bought, demand, demanded, itemsets, preferences_told, together
from crmlib.errors import Refused
from crmlib.exhibits import Exhibit
from crmlib.language import Language
from crmlib.period import Period

SUPPORTS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05)
MOST_RULES = 15


@dataclass(frozen=True)
class Looked:
    """Rules and demand for one choice of settings, as exhibits."""

    rules: Exhibit
    demand: Exhibit

    @property
    def html(self) -> str:
        """Both, one under the other."""
        return self.rules.html() + self.demand.html()


def looked(name: str, period: str, *, support: float, ahead: int) -> Looked:
    """Rules of at least so much support, and order lines expected so many months or weeks ahead.

    Parameters
    ----------
    name : a client
    period : year, quarter, month, or FROM_TO; nothing after its end is seen
    support : least share of orders that hold all of a rule
    ahead : months or weeks
    """
    who, span = clients.load(name), Period.parse(period)
    last, rule = span.day_range[1], who.preferences
    customers = tables.customers(who.delivery, until=last)
    orders = tables.relation(who.delivery, tables.TRANSACTIONS, until=last)
    language = Language(who.languages[0], who.currency, who.classes.words)
    of, kinds, whose = bought.by_order(bought.bought(orders, customers, as_of=last))
    sets = itemsets.frequent(of, support=support, longest=rule.longest)
    rules = association.telling(association.rules(sets, confidence=rule.confidence))
    pairs = together.pairs(of, kinds=kinds, whose=whose)
    past = demanded.demanded(orders, customers, as_of=last, by=rule.by)
    coming = preferences_told.ahead(demand.demand(past, ahead=ahead), past, shown=1)
    given = {"language": language, "units": preferences_told.UNITS, "sought": True}
    shown = preferences_told.shown_rules(rules, pairs).head(MOST_RULES)
    return Looked(
        Exhibit("explore.rules", title="Rules beyond chance, the surest first", table=shown, **given),
        Exhibit("explore.demand", title="Order lines to come", table=coming, **given),
    )


def panel(name: str, period: str) -> widgets.Widget:
    """The panel; without a front end an object that shows nothing and does nothing."""
    who = clients.load(name)
    language = Language(who.languages[0], who.currency, who.classes.words)
    text, rule = language.text, who.preferences
    start = min(SUPPORTS, key=lambda share: abs(share - rule.support))
    choices = [(language.show(share, "share"), share) for share in SUPPORTS]
    support = widgets.SelectionSlider(
        description=text("Least support"), options=choices, value=start, continuous_update=False
    )
    ahead = widgets.IntSlider(
        description=text("Steps ahead"), value=rule.ahead, min=1, max=12, continuous_update=False
    )
    out = widgets.HTML()

    def show(_change: object) -> None:
        try:
            out.value = looked(name, period, support=support.value, ahead=ahead.value).html
        except Refused as problem:
            out.value = html.escape(str(problem))

    for part in (support, ahead):
        part.observe(show, "value")
    return widgets.VBox([widgets.HBox([support, ahead]), out])
