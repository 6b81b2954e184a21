"""One page for the person who decides: of all that was found, what asks for a decision, what goes well.

Which form of a finding is bad news and which is good is said here, once for every finding of every notebook,
the most pressing first. What is neither stays in its notebook: a summary that repeats everything tells nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from crmlib.client import Client
from crmlib.findings import DELIVERY_STEPS, STEPS, findings
from crmlib.language import Language
from crmlib.measures import change
from crmlib.period import Period
from crmlib.sentences import Answer, Finding

Values = Mapping[str, object]
MOST = 10  # sentences under one heading: as many as are still read


@dataclass(frozen=True)
class When:
    """Forms of a finding, and what its values must be besides."""

    forms: tuple[str, ...]
    also: Callable[[Values], bool] = lambda values: True

    def meets(self, finding: Finding) -> bool:
        """Whether a finding came out so."""
        return finding.form in self.forms and self.also(finding.values)


YES, NO, EITHER = When(("yes",)), When(("no",)), When(("yes", "no"))


def _told(values: Values, name: str) -> float:
    """A value of a sentence as a number; what it lacks is 0."""
    value = values.get(name)
    return float(value) if isinstance(value, int | float) else 0.0


def _lower(values: Values) -> bool:
    return _told(values, "value") < _told(values, "before")


def _higher(values: Values) -> bool:
    return _told(values, "value") > _told(values, "before")


def _fell_apart(values: Values) -> bool:
    """Whether the segment that moved apart from all others went down; a place names its unit and its value."""
    then, today = values["then_1"], values["today_1"]
    return today[1] < then[1]


def _rose_apart(values: Values) -> bool:
    return not _fell_apart(values)


# What a segment moved apart in, where less of it is worse.
SEGMENTS = ("sales.identified", "retention.rate", "satisfaction.mean", "finance.success_rate")
# Finding → when it asks for a decision; the most pressing first: what the data cannot carry before what it says.
ASKS = {
    "summary.complete": NO,
    "performance.comparable": NO,
    "leaving.leak": NO,
    "collection.units": YES,
    "collection.unlike": YES,
    "goals.standing": NO,
    "goals.computed": NO,
    "sales.chance": When(("yes",), lambda values: _told(values, "moved") < 0),
    "kpis.worse": NO,
    "effects.told": NO,
    "retention.change": NO,
    "churn.balance": NO,
    "behaviour.lifecycle": NO,
    **{f"segment.{of}": When(("yes",), _fell_apart) for of in SEGMENTS},
    "falls.cause": YES,
    "satisfaction.change": When(("yes",), _lower),
    "market.rivals": NO,
    "expectation.gap": YES,
    "content.worth": YES,
    "value.loose": YES,
    "leaving.causes": YES,
    "leaving.threshold": YES,
    "profit.tier": NO,
    "classes.at_a_loss": NO,
    "cac.change": NO,
    "efficiency.change": NO,
    "loans.success": NO,
    "risk.reach": YES,
    "influence.effect": YES,
    "risk.rivals": YES,
    "leaving.drift": NO,
    "complaints.waits": YES,
    "complaints.first": YES,
    "voices.balance": When(("yes",), lambda values: _told(values, "bad") > _told(values, "before")),
    "market.moved": NO,
    "campaigns.reach": NO,
    "response.weighted": YES,
    "classes.moved": When(("yes",), lambda values: _told(values, "fell") > _told(values, "rose")),
    "classes.tiering": NO,
    "classes.ruled": YES,
    "goals.parts": NO,
    "goals.figures": NO,
    "goals.answered": NO,
    "cleaning.alike_numbers": YES,
    "cleaning.same_person": When(("yes",), lambda values: _told(values, "pairs") > 0),
}
# Finding → when it is good news, the best first.
WELL = {
    "goals.standing": YES,
    "sales.chance": When(("yes",), lambda values: _told(values, "moved") > 0),
    "kpis.better": YES,
    "effects.told": When(("yes",), lambda values: bool(values.get("better"))),
    "churn.balance": YES,
    **{f"segment.{of}": When(("yes",), _rose_apart) for of in SEGMENTS},
    "satisfaction.change": When(("yes",), _higher),
    "market.rivals": YES,
    "market.moved": When(("yes",), lambda values: _told(values, "rose") > 0),
    "efficiency.change": YES,
    "recommend.afterwards": YES,
    "classes.moved": When(("yes",), lambda values: _told(values, "rose") >= _told(values, "fell")),
    "classes.potential": YES,
    "introductions.reached": YES,
    "profit.tier": YES,
    "value.loose": NO,
    "classes.at_a_loss": YES,
    "expectation.gap": NO,
    "classes.tiering": YES,
    "preferences.cross_sales": YES,
}
# What the firm rests on, however it is.
RESTS = (
    *("sales.change", "because.sales.identified.1", "classes.champions", "classes.tier"),
    *("value.worth", "value.backtest", "value.staying", "drivers.recommend"),
    *("leaving.at_risk", "demand.next", "proposals.way"),
)
# Told in their notebooks alone.
BACKGROUND = (
    *("behaviour.once", "behaviour.what", "classes.behaviour", "classes.clusters", "classes.cohorts"),
    *(
        "classes.lifetime",
        "classes.needs",
        "classes.regraded",
        "classes.score_levels",
        "classes.scorecard",
        "classes.standard",
    ),
    *("cleaning.abnormal", "cleaning.accuracy", "cleaning.conflicts", "cleaning.kept", "cleaning.kinds"),
    *("cleaning.strangers", "cleaning.suspicious", "cleaning.unmarked", "cleaning.worth"),
    *("collection.fresh", "collection.joins", "collection.misfits", "collection.supplied"),
    *("distribution.region", "distribution.type", "sales.region", "groups.retention"),
    *("churn.rules", "mix.shift", "cac.channel", "loans.grades", "goals.supervised", "drivers.coming_back"),
    *("response.bias", "content.spread", "recommend.classes", "satisfaction.since", "falls"),
    *("satisfaction.place", "satisfaction.weakest", "value.rhythm"),
    *("value.overlap", "value.alive", "value.recommend", "value.word_of_mouth"),
    *("distribution.map", "distribution.age", "groups.sorted", "groups.traits", "groups.needs"),
    *("behaviour.amounts", "behaviour.gaps", "behaviour.weekdays", "behaviour.seasons"),
    *("behaviour.months", "behaviour.cohorts"),
    *("relations.graph", "influence.held", "communities.worth"),
    *("leaving.choice", "leaving.model", "leaving.calibrated", "leaving.held"),
    *("value.pareto", "classes.composition", "leaving.rate", "preferences.rule"),
    *("preferences.complements", "preferences.substitutes"),
    *("demand.way", "demand.wishes", "price.needs", "price.elasticity"),
)


@dataclass(frozen=True)
class Page:
    """The findings of a run by what they mean to the person who decides."""

    asks: Answer
    well: Answer
    rests: Answer
    untold: Answer
    others: int  # told in their notebooks alone


def page(client: Client, period: Period, own: list[Finding]) -> Page:
    """What a run found, weighed; each sentence stands once and leads to its evidence.

    Parameters
    ----------
    own : what the summary itself has said so far
    """
    order = [*reversed(STEPS[2:-1]), *DELIVERY_STEPS]
    every = [f for step in order for f in findings(client, period, step) if not f.aside]
    # Two sentences are one where they read alike in the language of the keys, whatever the reader's is.
    plain = Language("en", client.currency, client.classes.words)
    return weighed([*own, *{plain.text(f.key, **f.values): f for f in every}.values()])


def weighed(every: list[Finding]) -> Page:
    """Findings under their headings, in the order of `ASKS`, `WELL` and `RESTS`, at most `MOST` under each."""
    asks, well = _those(every, ASKS), _those(every, WELL)
    rests = _those(every, dict.fromkeys(RESTS, EITHER))
    # That chance alone would move a measure so is told; no cause is missing.
    untold = [f for f in every if f.form in ("few", "absent") and not f.id.startswith("because.")]
    shown = [*asks, *well, *rests, *untold]
    others = len([finding for finding in every if finding not in shown])
    return Page(*(Answer(part, linked=True) for part in (asks, well, rests, untold)), others)


def _those(every: list[Finding], rules: Mapping[str, When]) -> list[Finding]:
    met = [f for id, rule in rules.items() for f in every if f.id == id and rule.meets(f)]
    return met[:MOST]


# Shown only where order lines are not what is known of customers.
OF_TOTALS = ("totals.spend", "totals.orders", "totals.profit", "churn.customers")
HEADLINE = (
    *(
        "sales.all",
        "sales.all.without_abnormal",
        "sales.identified",
        "sales.net",
        "profit.amount",
        "profit.margin",
    ),
    *("customers.active", "customers.new", "customers.total", "orders.count", "orders.mean"),
    *("retention.rate", "repurchase.rate", "churn.rate", "satisfaction.mean", "nps.score"),
)


def headline(figures: Mapping[str, Mapping], ids: tuple[str, ...] = HEADLINE) -> pd.DataFrame:
    """The figures a summary shows: id, unit, value, previous, change; in main units.

    A client without order lines is shown by its totals, and of all else what is known.
    """
    totals = "totals.customers" in figures
    rows = []
    for id in (*OF_TOTALS, *ids) if totals else ids:
        if id in figures and not (totals and figures[id]["value"] is None):
            figure = figures[id]
            value, previous = figure["value"], figure.get("previous")
            moved = change(figure["unit"], value, previous)
            rows.append((id, figure["unit"], value, previous, moved))
    return pd.DataFrame(rows, columns=["id", "unit", "value", "previous", "change"])


def group(figures: Mapping[str, Mapping], pattern: str, names: tuple[str, ...]) -> pd.DataFrame:
    """Figures that differ in one place of their id, as a table: level, customers; known ones only."""
    found = [(name, figures[pattern.format(name)]) for name in names if pattern.format(name) in figures]
    rows = [(name, figure["value"]) for name, figure in found if figure["value"] is not None]
    return pd.DataFrame(rows, columns=["level", "customers"])
