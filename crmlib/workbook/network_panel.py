"""The graph in a notebook's last section: choose kinds, a least value, a community; see figure and counts.

`shown` is what the widgets do, without any widget: tests, batch and the page keep to it.
"""

import base64
import html
from collections.abc import Iterable
from dataclasses import dataclass

import ipywidgets as widgets
import numpy as np
import pandas as pd
from IPython.display import HTML, display

from crmlib.analysis import influence
from crmlib.analysis.picture import MOST_NAMED, Picture
from crmlib.exhibits import Exhibit
from crmlib.findings import Book
from crmlib.privacy import key, masked
from crmlib.visualisation import network

EVERY = 0  # community: all of them


@dataclass(frozen=True)
class Shown:
    """What is left of a graph.

    Parameters
    ----------
    customers : places of the customers shown, in the order of the graph's nodes
    ties : source, target, kind of the ties shown
    """

    customers: np.ndarray
    ties: pd.DataFrame


def shown(
    picture: Picture, *, kinds: Iterable[str] | None = None, least: float = 0, community: int = EVERY
) -> Shown:
    """The ties of these kinds between customers of at least this value, of this community, and whose they are.

    Whoever is left without a tie is not shown.

    Parameters
    ----------
    kinds : None for all
    least : net sales so far, smallest unit; at 0 also those of whom none are known or who cost more
    community : its number, or `EVERY`
    """
    nodes, ties = picture.nodes, picture.ties
    keep = np.ones(len(nodes), dtype=bool)
    if least > 0:
        keep = keep & (nodes["net"].astype(float).fillna(-np.inf) >= least).to_numpy()
    if community != EVERY:
        keep = keep & (nodes["community"] == community).to_numpy()
    some = np.ones(len(ties), dtype=bool) if kinds is None else ties["kind"].isin(list(kinds)).to_numpy()
    some = some & keep[ties["source"].to_numpy(int)] & keep[ties["target"].to_numpy(int)]
    left = ties[some].reset_index(drop=True)
    there = np.unique(left[["source", "target"]].to_numpy(int))
    return Shown(there, left)


def counted(book: Book, picture: Picture, part: Shown) -> str:
    """How much of the graph is shown, in the reader's language."""
    return book.text(
        "{customers:count} of {all:count} customers, {ties:count} of {every:count} relations shown.",
        customers=len(part.customers),
        all=len(picture.graph),
        ties=len(part.ties),
        every=len(picture.ties),
    )


def drawn(book: Book, picture: Picture, part: Shown) -> network.Chart | None:
    """The part as the report's figure is drawn, its most influential customers named; None where nothing is left."""
    if not len(part.customers):
        return None
    ranked = picture.ranked[picture.ranked["at"].isin(part.customers)]
    moving = ranked[ranked["reach_1"] > 0].reset_index(drop=True)
    numbers = masked(moving["customer_id"].head(MOST_NAMED), key(book.client))
    table = influence.listed(moving.head(MOST_NAMED)).assign(customer_id=numbers)
    place = pd.Series(np.arange(len(part.customers)), index=part.customers)
    ties = part.ties.assign(
        source=place[part.ties["source"]].to_numpy(), target=place[part.ties["target"]].to_numpy()
    )
    title = book.text("Relations between customers")
    exhibit = Exhibit("explored", title, table, book.language, influence.UNITS)
    nodes = picture.nodes.iloc[part.customers].reset_index(drop=True)
    nodes = nodes.assign(net=[book.money(value) for value in nodes["net"]])
    named = {row: int(place[at]) for row, at in enumerate(moving["at"].head(MOST_NAMED))}
    about = book.about(len(part.customers), "customers", "relations").told(book.language)
    words = {"title": title, "about": about, "heading": exhibit.heading, "show": exhibit.axis}
    return network.network(exhibit.words(), nodes=nodes, ties=ties, named=named, **words)


def panel(book: Book, picture: Picture) -> widgets.Widget:
    """The widgets, and beneath them figure and counts, drawn anew at every change."""
    language = book.language
    if not len(picture.graph):
        return widgets.HTML(
            html.escape(book.text("No relations between known customers: nothing to explore."))
        )
    kinds = [
        *picture.ties["kind"].value_counts().sort_index().sort_values(ascending=False, kind="stable").index
    ]
    choose = {"layout": {"width": "26rem"}, "style": {"description_width": "10rem"}}
    main = 10**book.client.decimals
    boxes = {
        "kinds": widgets.SelectMultiple(
            options=[(language.show(kind, "word"), kind) for kind in kinds],
            value=tuple(kinds),
            rows=min(len(kinds), 6),
            description=book.text("Kinds of relation"),
            **choose,
        ),
        "least": widgets.SelectionSlider(
            options=_values(book, picture), description=book.text("Least net sales"), **choose
        ),
        "community": widgets.Dropdown(
            options=_communities(book, picture), description=book.text("Community"), **choose
        ),
    }

    def show(kinds: tuple[str, ...], least: float, community: int) -> None:
        part = shown(picture, kinds=kinds, least=least * main, community=community)
        display(HTML(f'<p class="shown-count">{html.escape(counted(book, picture, part))}</p>'))
        chart = drawn(book, picture, part)
        if chart is not None:
            content = base64.b64encode(chart.png).decode()
            display(HTML(f'<img src="data:image/png;base64,{content}" alt="{html.escape(chart.alt)}">'))

    return widgets.VBox([*boxes.values(), widgets.interactive_output(show, boxes)])


def _values(book: Book, picture: Picture) -> list[tuple[str, float]]:
    """Least values to choose from: 0, and the tenths of what customers brought; main units."""
    net = picture.nodes["net"].dropna().astype(float)
    tenths = sorted({round(book.money(int(net.quantile(n / 10)))) for n in range(1, 10)}) if len(net) else []
    return [(book.language.show(v, "short_money"), float(v)) for v in [0, *(t for t in tenths if t > 0)]]


def _communities(book: Book, picture: Picture) -> list[tuple[str, int]]:
    """All, and each community with how many customers it has."""
    sizes = picture.nodes.loc[picture.nodes["community"] > 0, "community"].value_counts().sort_index()
    found = [(book.text("All customers"), EVERY)]
    key = "{number:count}: {customers:count} customers"
    return found + [(book.text(key, number=c, customers=n), int(c)) for c, n in sizes.items()]
