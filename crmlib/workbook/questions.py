"""What an analyst asks of the notebooks beyond what they tell: each question is a function, its answer exhibits.

The widgets of `workbook.explore` call them with what was chosen; tests and other programs call them as they are.
Numbers of customers are masked, money is in main units, and nothing is added to the notebook's own book.
"""

import difflib
from collections.abc import Callable, Mapping
from fractions import Fraction

import pandas as pd

from crmlib import client as clients
from crmlib import tables
from crmlib.analysis import drill, explained, prediction, satisfaction, tally, value
from crmlib.analysis.history import Past
from crmlib.analysis.tally import Tally
from crmlib.classification import facts
from crmlib.classification.beside import ATTRIBUTES, HABITS
from crmlib.cleaning import delivery as cleaning
from crmlib.cleaning.outcome import Cleaned
from crmlib.errors import Refused
from crmlib.exhibits import UNITS, Exhibit
from crmlib.findings import Book
from crmlib.language.words import WORDS
from crmlib.measures import measure
from crmlib.outlook import Outlook
from crmlib.period import Period
from crmlib.visualisation import charts, tracks

CLASSES = (
    "tier",
    "value",
    "abc",
    "behaviour",
    "loyalty",
    "satisfaction",
    "frequency",
    "scorecard",
    "cluster",
)
KINDS = (*ATTRIBUTES, *HABITS)
DIMENSIONS = tally.ATTRIBUTES
AMOUNTS = ("customers", "share")
MOST_ROWS = 15  # groups that a figure can show
MOST_NAMED = 50  # customers listed
EVERYTHING = "all"
BOUGHT = ("sales.identified", "customers.active")  # counted from who bought in the period


def fresh(book: Book) -> Book:
    """A book of the same step in which nothing stands: what is asked aside is no part of the notebook."""
    return Book(book.step, book.client, book.period)


def set_aside(book: Book, cleaned: Mapping[str, Cleaned], *, table: str, reason: str) -> Exhibit:
    """Rows set aside (02): where each stands in which file, why, and the money it holds; its cells are not shown.

    Parameters
    ----------
    table, reason : a table and a reason, or `all`
    """
    rows = cleaning.quarantine(dict(cleaned))
    for column, wanted in (("table", table), ("reason", reason)):
        rows = rows if wanted == EVERYTHING else rows[rows[column] == wanted]
    shown = rows[["table", "reason", "source_file", "source_row", "column", "money"]]
    page = fresh(book)
    return page.exhibit(
        "explore.set_aside",
        shown.reset_index(drop=True),
        title="Rows set aside, as chosen",
        about=page.about(len(rows), "records", "quarantine"),
        serves="ledger.{table}.rows_quarantined",
        units={"source_row": "count"},
        sought=True,
    )


def crossed(book: Book, *, client: str, period: str, by: str, attribute: str, shown: str) -> Exhibit:
    """Any class crossed with any attribute or other class (03), as customers or as shares of each row.

    Parameters
    ----------
    client, period : whose classes, as a run of notebook 03 wrote them
    by : a class (columns); attribute : an attribute or class (rows, the most customers first)
    shown : `customers` or `share`

    Raises
    ------
    Refused : no such client or run, or twice the same
    """
    if by == attribute:
        raise Refused(book.text("Choose two different things to cross."))
    who, span = clients.load(client), Period.parse(period)
    judged = tables.frame(who.built(span), tables.CLASSES)
    counted = pd.crosstab(judged[attribute].astype(object), judged[by].astype(object))
    counted = counted.loc[counted.sum(axis=1).sort_values(ascending=False, kind="stable").index[:MOST_ROWS]]
    known = [level for level in WORDS if level in counted.columns]  # the library's own order
    counted = counted[known + sorted(set(counted.columns) - set(known))]
    table = counted.div(counted.sum(axis=1), axis=0) if shown == "share" else counted
    page = Book("03-classification", who, span)
    unit = "share" if shown == "share" else "count"
    return page.exhibit(
        "explore.crossed",
        table.rename_axis(columns=None).reset_index(),
        title="Customers by class and attribute",
        about=page.about(int(counted.to_numpy().sum()), "customers", "classes"),
        serves="tier.{level}.customers",
        units=dict.fromkeys(counted.columns, unit) | {attribute: _unit(attribute)},
        draw=charts.heat,
    )


def _unit(attribute: str) -> str:
    """Whether the levels of an attribute are words of the library or names as delivered."""
    return UNITS.get(attribute, "word" if attribute in CLASSES else "name")


def performance(
    book: Book, past: Past, tallies: Mapping[str, Callable[[], Tally]], *, kpi: str, dimension: str
) -> list[Exhibit]:
    """A measure over time, its change by the groups of a dimension, and which group moved apart (05).

    Parameters
    ----------
    past : every measure of this period and those before
    tallies : measure → what it is counted from in this period and the one before; made only when asked for
    """
    page, told = fresh(book), tallies[kpi]()
    if any(dimension not in side for side in told.sides) and not told.why:
        raise Refused(page.text("{what:word} is not supplied for this measure.", what=dimension))
    why = explained.explained(told, dimension)
    about = page.about(0 if told.why else why.n, told.of, told.source)
    asked = {"about": about, "serves": f"change.{told.id}.residual", "units": why.units}
    title = "The measure by group, then and now"
    levels = page.exhibit("explore.breakdown", breakdown(told, dimension), title=title, **asked)
    title = "Its change since the previous period by group, part by part"
    parts = page.exhibit("explore.change", explained.grouped(why), title=title, **asked)
    title = "Groups that moved apart from all others, the farthest first"
    apart = page.exhibit("explore.segments", drill.shown(told, drill.drill(told)), title=title, **asked)
    return [over_time(page, past, kpi, told.source), levels, parts, apart]


def over_time(page: Book, past: Past, kpi: str, source: str) -> Exhibit:
    """A measure in every period in which it is known, as a line."""
    names = {one.span.as_of: one.span.name for one in past.periods}
    course = [(names.get(end, str(end)), told) for _, end, told in past.series().get(kpi, [])]
    return page.exhibit(
        "explore.history",
        pd.DataFrame(course, columns=["period", "value"]),
        title="The measure over time",
        about=page.about(len(course), "periods", source),
        serves=kpi,
        units={"value": measure(kpi).unit},
        main_units=True,
        draw=charts.lines,
        x="period",
        y="value",
    )


def breakdown(counted: Tally, dimension: str) -> pd.DataFrame:
    """A measure by the groups of a dimension in both periods: the dimension, n (units now), then, today."""
    columns = [dimension, "n", "then", "today"]
    if counted.why:
        return pd.DataFrame(columns=columns)
    nobody = 0.0 if counted.additive else None  # nobody's sum is 0, nobody's rate is none
    told: dict[str, dict] = {}
    for name, side in zip(("then", "today"), counted.sides, strict=True):
        for group, rows in side.groupby(side[dimension].astype("str")):
            total, weight = (sum(map(Fraction, rows[c].tolist()), Fraction(0)) for c in ("value", "weight"))
            rate = total if counted.additive else total / weight if weight else None
            one = told.setdefault(group, {dimension: group, "n": 0, "then": nobody, "today": nobody})
            one[name] = None if rate is None else float(rate)
            one["n"] = rows["unit"].nunique() if name == "today" else 0
    rows = sorted(told.values(), key=lambda row: (-row["n"], row[dimension]))
    return pd.DataFrame(rows, columns=columns)


def content(
    book: Book, answers: pd.DataFrame | None, judged: pd.DataFrame, *, aspect: str, group: str
) -> Exhibit:
    """Satisfaction with an aspect, or with all but recommending, by a class or attribute (06)."""
    page = fresh(book)
    aspects = [] if answers is None else sorted(set(answers["aspect"]) - {"recommend"})
    chosen = aspects if aspect == EVERYTHING else [aspect]
    of = judged.set_index("customer_id")[group]
    scores = satisfaction.by_group(answers, book.period, of, chosen)
    return page.exhibit(
        "explore.content",
        scores,
        title="Satisfaction by group, as chosen",
        about=page.about(int(scores["n"].sum()), "answers", "surveys"),
        serves="satisfaction.mean",
        units={"group": _unit(group)},
        draw=charts.intervals,
        label="group",
        value="score",
    )


def foretold(
    book: Book,
    model: prediction.Model,
    people: pd.DataFrame | None,
    judged: pd.DataFrame,
    *,
    margin: float | None = None,
    correction: float = 1.0,
    horizon_months: int,
    discount: float,
    by: str,
) -> Exhibit:
    """What each class will be worth within another horizon, at another discount (07)."""
    page, client = fresh(book), book.client
    rule = Outlook.model_validate(
        client.value.model_dump() | {"horizon_months": horizon_months, "discount": discount}
    )
    classed = judged[["customer_id", by]]
    made = {"decimals": client.decimals, "margin": margin, "correction": correction}
    found = value.worth(model, people, classed, rule, **made)
    order = tuple(word for word in WORDS if word in set(judged[by]))
    return page.exhibit(
        "explore.value",
        value.by_class(found, judged, by, order),
        title="Predicted value by class, for the horizon and discount chosen",
        about=page.about(len(found.table), "customers", "transactions"),
        serves="value.amount",
        units=value.UNITS,
        draw=tracks.foretold,
        label=by,
        told="predicted",
    )


def explain(book: Book, figures: Mapping[str, Mapping], *, id: str) -> list[Exhibit]:
    """A figure by its id: value, interval, formula and source, and the customers behind it where they are known (12).

    Raises
    ------
    Refused : no such figure; the nearest are named
    """
    if id not in figures:
        near = difflib.get_close_matches(id, figures, 3)
        raise Refused(book.text("No figure {id}. Near: {near:names}.", id=id or "?", near=near))
    page, told = fresh(book), figures[id]
    fact = {name: told.get(name) for name in ("value", "value_low", "value_high", "previous")}
    fact |= {"value_low": told.get("low"), "value_high": told.get("high")}
    row = {"figure_id": id, "label": book.text(told["label"]), "unit": told["unit"], **fact, "n": told["n"]}
    row |= {"formula": book.text(told["formula"]), "source": told["source"], "why": told.get("why", "")}
    what = page.exhibit(
        "explore.figure",
        pd.DataFrame([row]),
        title="The figure",
        about=page.about(int(told["n"] or 0), "customers", told["source"]),
        serves=id,
        units={"label": "text", "figure_id": "text"}
        | dict.fromkeys(fact, "row")
        | {"n": "count", "why": "phrase"},
        main_units=True,
    )
    people = behind(book, id)
    if people is None:
        return [what]
    who = page.exhibit(
        "explore.behind",
        people.head(MOST_NAMED),
        title="Customers behind it, the largest first",
        about=page.about(len(people), "customers", "facts"),
        serves=id,
    )
    return [what, who]


def behind(book: Book, id: str) -> pd.DataFrame | None:
    """The customers a figure counts: those of a class (`tier.high.customers`), or who bought in the period.

    Returns
    -------
    customer_id, tier, and net (so far) or gross (of the period), in the smallest unit; the largest first.
    None for a figure that is not counted customer by customer.
    """
    of, _, rest = id.partition(".")
    level, _, what = rest.rpartition(".")
    judged = tables.frame(book.folder, tables.CLASSES)
    if what == "customers" and of in judged.columns:
        amounts = tables.frame(book.folder, tables.FACTS)[["customer_id", "net"]]
        rows = judged.loc[judged[of].astype("str") == level, ["customer_id", "tier"]]
    elif id in BOUGHT and facts.source(book.client) == tables.TRANSACTIONS.name:
        lines = tables.relation(book.client.delivery, tables.TRANSACTIONS, until=book.period.day_range[1])
        amounts = facts.activity(lines, book.period).query("orders > 0")[["customer_id", "gross"]]
        rows = judged.loc[judged["customer_id"].isin(amounts["customer_id"]), ["customer_id", "tier"]]
    else:
        return None
    rows = rows.merge(amounts, on="customer_id", how="left", validate="one_to_one")
    by = [amounts.columns[-1], "customer_id"]
    return rows.sort_values(by, ascending=[False, True], na_position="last", ignore_index=True)
