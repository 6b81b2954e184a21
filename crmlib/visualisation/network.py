"""The graph of customers as one picture that prints: the few that matter named, the rest by community.

A dot is a customer, as large as their net sales and coloured by behaviour; who belongs together stands together on a
disc. With few ties each is drawn, its kind told by the line; with many, only those of the named, and between two
communities one line as thick as they are many. Names stand at the sides, where they do not cover what they name.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle
from matplotlib.patheffects import withStroke

from crmlib.visualisation.charts import Chart, Heading, Show, _png, titled
from crmlib.visualisation.theme import BLUE, GREY, INK, ORANGE, RED, SOFT, WIDTH, drawable, house_look

COLOURS = {"active": BLUE, "dormant": ORANGE, "churned": RED, "never_bought": INK}
LINES = ("-", "--", ":", "-.", (0, (1, 3)), (0, (6, 1, 1, 1, 1, 1)))  # then over again
USUAL = ("partner", "influencer", "competitor")  # these always look the same
DISC, EDGE, TIE = "#EEF2F6", "#D5DCE4", "#B4BCC5"
MOST_TIES = 1200  # each drawn; of more only those of the named, the others together
MOST_BANDS = 80  # between communities, the thickest
MOST_DISCS = 9  # communities with their number on them
SMALL, LARGE = 5.0, 130.0  # area of a dot, in points
ROOMY = 700  # customers; of more each has less room


def network(
    table: pd.DataFrame,
    *,
    nodes: pd.DataFrame,
    ties: pd.DataFrame,
    named: Mapping[int, int],
    title: str,
    about: str,
    heading: Heading,
    show: Show,
) -> Chart | None:
    """Who is tied to whom.

    Parameters
    ----------
    table : customers by influence: customer_id (masked), place, reach_1
    nodes : x, y, net, behaviour, community, sad; a row a customer
    ties : source, target (rows of `nodes`), kind
    named : row of `table` → row of `nodes`
    """
    if nodes.empty or ties.empty:
        return None
    styles = line_styles(ties["kind"])
    with house_look():
        figure = Figure(figsize=(WIDTH, 6.4), layout="constrained")
        ax = figure.add_subplot()
        _discs(ax, nodes)
        _ties(ax, nodes, ties, styles, set(named.values()))
        _dots(ax, nodes, set(named.values()))
        _names(ax, nodes, table, named=named, heading=heading, show=show)
        _legend(ax, nodes, styles, heading, show)
        ax.set_axis_off()
        ax.set_aspect("equal")
        titled(figure, title)
        return Chart(_png(figure, about), _said(table, nodes, ties, title=title, heading=heading, show=show))


def line_styles(kinds: pd.Series) -> dict[str, object]:
    """Each kind's line: the usual ones have their own, others those that are left, in order of name.

    >>> list(line_styles(pd.Series(["母公司", "partner"])).items())
    [('partner', '-'), ('母公司', '-.')]
    """
    there = set(kinds)
    others = sorted(there - set(USUAL))
    order = [*USUAL, *others]
    return {kind: LINES[order.index(kind) % len(LINES)] for kind in order if kind in there}


def short(names: pd.Series) -> list[str]:
    """Masks cut to as many signs as still tell them apart, at least eight.

    >>> short(pd.Series(["C-0123456789", "C-0123457789"]))
    ['C-0123456', 'C-0123457']
    """
    shown = [str(name) for name in names]
    most = max(map(len, shown), default=0)
    for signs in range(8, most + 1):
        if len({name[:signs] for name in shown}) == len(set(shown)):
            return [drawable(name[:signs]) for name in shown]
    return [drawable(name) for name in shown]


def areas(net: pd.Series) -> np.ndarray:
    """The area of each dot: in proportion to net sales, and never too small to see."""
    amounts = net.fillna(0).astype(float).clip(lower=0).to_numpy()
    most = amounts.max(initial=0)
    return room(len(net)) * (SMALL + (LARGE - SMALL) * (amounts / most if most else amounts))


def room(customers: int) -> float:
    """By how much dots shrink where there are many.

    >>> room(10), room(7000)
    (1.0, 0.15)
    """
    return min(max(ROOMY / max(customers, 1), 0.15), 1.0)


def _discs(ax: Axes, nodes: pd.DataFrame) -> None:
    """The largest communities as pale discs with their number; of many customers every community."""
    sizes = nodes.loc[nodes["community"] > 0, "community"].value_counts()
    order = sorted(sizes.index, key=lambda c: (-sizes[c], c))
    for place, number in enumerate(order[: MOST_DISCS if len(nodes) <= ROOMY else None]):
        part = nodes[nodes["community"] == number]
        middle = part[["x", "y"]].to_numpy()[part["rank"].to_numpy(float).argmax()]
        edge = np.hypot(*(part[["x", "y"]].to_numpy() - middle).T).max() + 0.8
        ax.add_patch(Circle(middle, edge, facecolor=DISC, edgecolor=EDGE, linewidth=0.8, zorder=1))
        if place >= MOST_DISCS:
            continue
        ax.text(
            middle[0], middle[1] + edge, str(number), ha="center", va="center", fontsize=8, color=SOFT, zorder=6,
            path_effects=[withStroke(linewidth=2.5, foreground="white")],
        )  # fmt: skip


def _ties(ax: Axes, nodes: pd.DataFrame, ties: pd.DataFrame, styles: dict, named: set[int]) -> None:
    """Every tie, or those of the named and one line for all between two communities."""
    at = nodes[["x", "y"]].to_numpy(float)
    theirs = ties["source"].isin(named) | ties["target"].isin(named)
    if len(ties) > MOST_TIES:
        _together(ax, nodes, ties)
        ties, theirs = ties[theirs], theirs[theirs]
    for kind, style in styles.items():
        for near, colour, width in ((False, TIE, 0.6), (True, INK, 0.9)):
            part = ties[(ties["kind"] == kind) & (theirs == near)]
            ends = np.stack([at[part["source"]], at[part["target"]]], axis=1)
            ax.add_collection(
                LineCollection(ends, colors=colour, linewidths=width, linestyles=[style], zorder=2 + near)
            )


def _together(ax: Axes, nodes: pd.DataFrame, ties: pd.DataFrame) -> None:
    """One line for all ties between two communities."""
    groups = nodes["community"].to_numpy()
    pairs = pd.DataFrame({"a": groups[ties["source"]], "b": groups[ties["target"]]})
    pairs = pairs[(pairs["a"] != pairs["b"]) & (pairs > 0).all(axis=1)]
    counted = pd.DataFrame(np.sort(pairs.to_numpy(), axis=1)).value_counts().sort_index()
    counted = counted.sort_values(ascending=False, kind="stable").head(MOST_BANDS)
    if counted.empty:
        return
    middle = nodes.groupby("community")[["x", "y"]].mean()
    ends = [[middle.loc[a].tolist(), middle.loc[b].tolist()] for a, b in counted.index]
    widths = 0.3 + 3 * counted.to_numpy() / counted.max()
    ax.add_collection(LineCollection(ends, colors="#C9CFD6", linewidths=widths, zorder=0))


def _dots(ax: Axes, nodes: pd.DataFrame, named: set[int]) -> None:
    """A dot a customer; a ring around the named, a red one around dissatisfied influencers."""
    colours = nodes["behaviour"].map(COLOURS).fillna(GREY)
    area = areas(nodes["net"])
    order = np.argsort(-area, kind="stable")  # the small above the large
    ax.scatter(
        nodes["x"].iloc[order], nodes["y"].iloc[order], s=area[order], c=colours.iloc[order],
        linewidths=0.3, edgecolors="white" if len(nodes) <= ROOMY else "none", zorder=4,
    )  # fmt: skip
    sad = [at for at in np.flatnonzero(nodes["sad"]) if len(nodes) <= ROOMY or at in named]
    for ring, colour in ((sorted(named), INK), (sad, RED)):
        part = nodes.iloc[ring]
        wide = area[ring] + (30 if colour == INK else 60)
        ax.scatter(
            part["x"], part["y"], s=wide, facecolors="none", edgecolors=colour, linewidths=1.1, zorder=5
        )
    # The sides are for names.
    low, high = nodes[["x", "y"]].min(), nodes[["x", "y"]].max()
    wide = max(high["x"] - low["x"], 2.0)
    ax.set_xlim(low["x"] - 0.3 * wide, high["x"] + 0.3 * wide)
    tall = max(high["y"] - low["y"], 2.0)
    ax.set_ylim(low["y"] - 0.06 * tall, high["y"] + 0.09 * tall)


def _names(
    ax: Axes,
    nodes: pd.DataFrame,
    table: pd.DataFrame,
    *,
    named: Mapping[int, int],
    heading: Heading,
    show: Show,
) -> None:
    """The named at the sides, each led to, in the order of height."""
    labels = dict(zip(named, short(table["customer_id"].iloc[list(named)]), strict=True))
    middle = nodes["x"].iloc[list(named.values())].median() if named else 0.0
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    sides: dict[bool, list[tuple[float, int]]] = {True: [], False: []}
    for row, place in named.items():
        sides[bool(nodes["x"].iloc[place] > middle)].append((float(nodes["y"].iloc[place]), row))
    for is_right, members in sides.items():
        heights = np.linspace(high - 0.08 * (high - low), low + 0.06 * (high - low), max(len(members), 2))
        for height, (_, row) in zip(heights, sorted(members, reverse=True), strict=False):
            place = nodes.iloc[named[row]]
            reach = f"{heading('reach_1')}: {show('reach_1', table['reach_1'].iloc[row])}"
            text = f"{labels[row]}\n{drawable(reach)}"
            ax.annotate(
                text, (place["x"], place["y"]), (right if is_right else left, height),
                ha="right" if is_right else "left", va="center", fontsize=7.5, color=INK, zorder=7,
                arrowprops={"arrowstyle": "-", "color": SOFT, "linewidth": 0.5, "shrinkA": 1, "shrinkB": 4},
            )  # fmt: skip


def _legend(ax: Axes, nodes: pd.DataFrame, styles: dict, heading: Heading, show: Show) -> None:
    """What lines, colours, rings and sizes mean, under the picture."""
    marks = [
        Line2D([], [], color=INK, linestyle=style, label=drawable(heading(kind)))
        for kind, style in styles.items()
    ]
    there = [state for state in COLOURS if (nodes["behaviour"] == state).any()]
    for state in there:
        marks.append(_dot(COLOURS[state], 7, heading(state)))
    if (~nodes["behaviour"].isin(list(COLOURS))).any():
        marks.append(_dot(GREY, 7, heading("not_graded")))
    if nodes["sad"].any():
        ring = Line2D(
            [], [], marker="o", linestyle="", markersize=9, markerfacecolor="none", markeredgecolor=RED
        )
        ring.set_label(drawable(heading("sad")))
        marks.append(ring)
    most = nodes["net"].astype(float).max()
    if most > 0:
        marks.append(_dot(SOFT, np.sqrt(room(len(nodes)) * LARGE), f"{heading('net')} {show('net', most)}"))
        marks.append(
            _dot(
                SOFT,
                np.sqrt(room(len(nodes)) * (SMALL + (LARGE - SMALL) / 10)),
                f"{heading('net')} {show('net', most / 10)}",
            )
        )
    if (nodes["community"] > 0).any():
        disc = Line2D(
            [], [], marker="o", linestyle="", markersize=10, markerfacecolor=DISC, markeredgecolor=EDGE
        )
        disc.set_label(drawable(heading("community")))
        marks.append(disc)
    place = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.01)}
    ax.legend(handles=marks, ncols=4, frameon=False, fontsize=8, **place)


def _dot(colour: str, size: float, label: str) -> Line2D:
    return Line2D(
        [],
        [],
        marker="o",
        linestyle="",
        color=colour,
        markersize=size,
        markeredgewidth=0,
        label=drawable(label),
    )


def _said(
    table: pd.DataFrame, nodes: pd.DataFrame, ties: pd.DataFrame, *, title: str, heading: Heading, show: Show
) -> str:
    """The picture in words: how many, of which kinds, and who comes first."""
    kinds = ties["kind"].value_counts().sort_index().sort_values(ascending=False, kind="stable")
    counted = ", ".join(f"{heading(kind)} {show('ties', many)}" for kind, many in kinds.items())
    first = "; ".join(
        f"{name}: {heading('reach_1')} {show('reach_1', reach)}"
        for name, reach in zip(short(table["customer_id"].head(3)), table["reach_1"].head(3), strict=True)
    )
    return f"{title}. {heading('customers')}: {show('customers', len(nodes))}. {counted}. {first}"
