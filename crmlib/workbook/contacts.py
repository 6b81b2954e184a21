"""Whom to ask to stay, as a panel: move the threshold and the budget, see how many and what it may bring.

The figures come from `verdict.contacted`, which needs no front end; without one the panel shows nothing and does nothing.
"""

import ipywidgets as widgets
import pandas as pd

from crmlib.analysis import verdict
from crmlib.findings import Book

SAID = (
    "{customers:count} customers from {threshold:share} on; contacts cost {cost:money}, and are expected to bring "
    "{gain:money} after that. They may take {loss:money} with them."
)


def contacts(
    book: Book, table: pd.DataFrame, terms: verdict.Terms, *, threshold: float | None
) -> widgets.Widget:
    """The panel over the customers at risk, as `verdict.risks` gives them."""
    return Contacts(book, table, terms, threshold=threshold).box


class Contacts:
    """The panel's parts, and what it says."""

    def __init__(self, book: Book, table: pd.DataFrame, terms: verdict.Terms, *, threshold: float | None):
        self.book, self.table, self.terms = book, table, terms
        most = 0.0 if table.empty else book.money(terms.cost) * len(table)
        say = book.text
        start = 0.5 if threshold is None else threshold
        self.threshold = widgets.FloatSlider(start, min=0, max=1, step=0.01, description=say("Threshold"))
        self.budget = widgets.FloatSlider(
            most, min=0, max=max(most, 1), step=max(most, 1) / 100, description=say("Budget")
        )
        self.said = widgets.Label()
        for slider in (self.threshold, self.budget):
            slider.observe(self.tell, "value")
        self.tell()
        self.box = widgets.VBox([self.threshold, self.budget, self.said])

    def tell(self, _change: object = None) -> None:
        """What the sliders mean, in a sentence."""
        scale = 10**self.book.client.decimals
        budget, cost = self.budget.value * scale, self.terms.cost
        asked = verdict.contacted(self.table, threshold=self.threshold.value, budget=budget, cost=cost)
        values = {
            "customers": len(asked),
            "threshold": self.threshold.value,
            "cost": self.book.money(cost * len(asked)),
            "gain": self.book.money(float(asked["expected_gain"].sum())),
            "loss": self.book.money(float(asked["expected_loss"].sum())),
        }
        self.said.value = self.book.text(SAID, **values)
