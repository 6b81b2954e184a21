"""How numbers are spread: columns of neighbouring bands with limits drawn, and classes held against each other.

The same grammar as `visualisation.charts`: a table in, a picture with words out.
"""

import re
import textwrap
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from crmlib.visualisation import charts
from crmlib.visualisation.charts import Chart, Heading, Show
from crmlib.visualisation.theme import BLUE, GREY, INK, ORANGE, SOFT, WIDTH, drawable, house_look

HOURS = re.compile(r"h\d\d_\d\d")
PALE = "#8FC1DE"
MOST_PANELS = 6
MOST_ROWS = 8  # of a panel


def columns(
    table: pd.DataFrame,
    *,
    low: str,
    high: str,
    size: str,
    title: str,
    about: str,
    heading: Heading,
    show: Show,
    axis: str,
    marks: Mapping[str, float] | None = None,
) -> Chart | None:
    """Columns of neighbouring bands, their edges beneath, and limits as lines across.

    Parameters
    ----------
    table : `low` and `high`, the ends of each band (the last may have no `high`), and `size`
    axis : what the bands are of, as a column's name
    marks : what a limit is called → where it stands, on the scale of the edges
    """
    rows = table.reset_index(drop=True)
    if rows.empty or not rows[size].astype(float).sum():
        return None
    begins, sizes = rows[low].astype(float), rows[size].astype(float)
    edges = np.array([*begins, *rows[high].astype(float).fillna(np.inf).tail(1)])
    limits = dict(marks or {})

    def draw(ax: Axes) -> None:
        first = min((_between(edges, at) for at in limits.values()), default=len(rows))
        tones = [BLUE if place + 0.5 < first else PALE for place in rows.index]
        ax.bar(rows.index + 0.5, sizes, width=0.94, color=tones, linewidth=0)
        for place in rows.index if len(rows) <= 13 else ():
            text = show(size, rows[size][place])
            charts._beside(ax, text, place + 0.5, sizes[place], offset=(0, 7), align="center")
        top = sizes.max()
        named = {f"{heading(name)}: {show(low, at)}": _between(edges, at) for name, at in limits.items()}
        _limits(ax, named, top * 1.06, across=len(rows))
        ax.set_xticks(*_edges_named(edges, lambda edge: show(low, edge)))
        ax.tick_params(axis="x", labelsize=9)
        ax.set(xlabel=heading(axis), ylabel=heading(size), xlim=(0, len(rows)), ylim=(0, top * 1.2))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda at, _: show(size, at)))
        ax.yaxis.set_major_locator(MaxNLocator(5, integer=True))

    largest = rows[sizes > 0].sort_values(size, ascending=False, kind="stable").head(3)
    said = [f"{_band(row, low, high, show)}: {show(size, row[size])}" for _, row in largest.iterrows()]
    said += [f"{heading(name)}: {show(low, at)}" for name, at in limits.items()]
    return charts._chart(draw, title, about, f"{title}. {heading(size)}: {'; '.join(said)}", height=3.6)


def _limits(ax: Axes, named: Mapping[str, float], height: float, *, across: int) -> None:
    """Limits as lines across, each with its words beside it; `across` is how many columns there are."""
    for text, place in named.items():
        ax.axvline(place, color=ORANGE, linewidth=2)
        # At the right end there is no room but to its left.
        side, align = (-0.01, "right") if place > 0.8 * across else (0.01, "left")
        ax.text(place + side * across, height, drawable(text), color=INK, ha=align, va="bottom", fontsize=9)


def _edges_named(edges: np.ndarray, write: Callable[[float], str]) -> tuple[list[float], list[str]]:
    """Where edges of columns are named, and how; a last band without an end has a name of its own.

    >>> _edges_named(np.array([0.0, 10.0, np.inf]), str)
    ([0, 1.5], ['0.0', '> 10.0'])
    """
    is_open = not np.isfinite(edges[-1])
    last = len(edges) - (2 if is_open else 1)
    step = max(-(-(len(edges) - 1) // 9), 1)
    places = list(range(0, last + (not is_open), step))
    names = [write(edges[place]) for place in places]
    return ([*places, last + 0.5], [*names, f"> {write(edges[last])}"]) if is_open else (places, names)


def _between(edges: np.ndarray, at: float) -> float:
    """Where a number lies among equally wide columns; beyond the last edge, at its end.

    >>> _between(np.array([0.0, 10.0, 30.0]), 20.0)
    1.5
    """
    finite = edges[np.isfinite(edges)]
    return float(np.interp(at, finite, np.arange(len(finite))))


def _band(row: pd.Series, low: str, high: str, show: Show) -> str:
    end = f"–{show(low, row[high])}" if pd.notna(row[high]) else "+"
    return f"{show(low, row[low])}{end}"


def ordinal(
    table: pd.DataFrame,
    *,
    label: str,
    size: str,
    title: str,
    about: str,
    heading: Heading,
    show: Show,
    level: float | None = None,
) -> Chart | None:
    """Upright columns of a label that has an order of its own: weekdays, months. `level` draws a line across."""
    rows = table.dropna(subset=[size]).reset_index(drop=True)
    if rows.empty or not rows[size].astype(float).sum():
        return None

    def draw(ax: Axes) -> None:
        sizes = rows[size].astype(float)
        tones = [BLUE if level is None or size_ >= level else PALE for size_ in sizes]
        ax.bar(rows.index, sizes, width=0.8, color=tones, linewidth=0)
        for place, tone in zip(rows.index, tones, strict=True):
            # Where a line lies across, at the foot of the column, so that it is not written over.
            inside = level is not None and sizes[place] > 0.15 * sizes.max()
            text, colour = show(size, sizes[place]), "white" if inside and tone == BLUE else INK
            at, more = (
                (place, 0 if inside else sizes[place]),
                {"ha": "center", "va": "center", "color": colour},
            )
            offset = {"xytext": (0, 10 if inside else 7), "textcoords": "offset points"}
            ax.annotate(drawable(text), at, fontsize=9 if len(rows) <= 8 else 8, **offset, **more)
        if level is not None:
            ax.axhline(level, color=INK, linewidth=1, linestyle=":")
        ax.set_xticks(rows.index, charts._words(rows[label]))
        ax.set(xlabel="", ylabel=heading(size), ylim=(0, sizes.max() * 1.14))
        ax.set_yticks([])
        ax.tick_params(axis="x", length=0, labelsize=9)
        ax.spines["left"].set_visible(False)

    said = charts._said(rows, label, size, show)
    return charts._chart(draw, title, about, f"{title}. {heading(size)}: {said}", height=3.0)


def week(
    table: pd.DataFrame,
    *,
    label: str,
    size: str,
    title: str,
    about: str,
    heading: Heading,
    show: Show,
) -> Chart | None:
    """Days by their orders; where the table tells times of day (`h09_12` …), a shaded grid of both."""
    hours = [name for name in table.columns if HOURS.fullmatch(name) and table[name].sum()]
    words = {"title": title, "about": about, "heading": heading, "show": show}
    if hours:
        return charts.heat(table[[label, *hours]], **words)
    return ordinal(table, label=label, size=size, **words)


def panels(
    table: pd.DataFrame,
    *,
    panel: str,
    label: str = "level",
    value: str = "value",
    title: str,
    about: str,
    heading: Heading,
    show: Show,
) -> Chart | None:
    """A small picture for each question, the same classes in each, every one from zero on its own scale (V09).

    Parameters
    ----------
    table : `panel`, `label`, `value`, in the order of classes; `…_low` and `…_high` where it has intervals, `unit`
        where the panels differ in theirs
    """
    rows = table.dropna(subset=[value])
    names = [*dict.fromkeys(rows[panel])][:MOST_PANELS]
    labels = [*dict.fromkeys(rows[label])][:MOST_ROWS]
    if not names or len(labels) < 2:
        return None
    across = 2 if len(names) in (2, 4) else min(len(names), 3)
    down = -(-len(names) // across)
    with house_look():
        figure = Figure(figsize=(WIDTH, 0.9 + down * (0.55 + 0.3 * len(labels))), layout="constrained")
        axes = np.atleast_1d(figure.subplots(down, across, sharey=True)).ravel()
        for ax in axes[len(names) :]:
            ax.set_axis_off()
        # Of one unit all are drawn on one scale, else every panel has its own.
        reach = None if "unit" in rows else _reach(rows, value)
        for ax, name in zip(axes, names, strict=False):
            mine = rows[(rows[panel] == name) & rows[label].isin(labels)]
            _row_of_dots(ax, mine, labels, (label, value), show=show, reach=reach)
            words = textwrap.fill(drawable(str(name)[:60]), 24)
            ax.set_title(words, fontsize=10, fontweight="normal", loc="left")
        charts.titled(figure, title)
        png = charts._png(figure, about)
    said = "; ".join(
        f"{name}: " + ", ".join(f"{r[label]} {_told(r, value, show)}" for _, r in mine.iterrows())
        for name, mine in rows[rows[panel].isin(names)].groupby(panel, sort=False)
    )
    return Chart(png, f"{title}. {said}")


def _told(row: pd.Series, value: str, show: Show) -> str:
    return show(value, row[value], row["unit"]) if "unit" in row else show(value, row[value])


def _reach(rows: pd.DataFrame, value: str) -> tuple[float, float]:
    """From the least to the most of values and intervals, zero among them."""
    seen = rows[[c for c in (value, f"{value}_low", f"{value}_high") if c in rows]].astype(float).stack()
    return min(seen.min(), 0.0), max(seen.max(), 0.0)


def _row_of_dots(
    ax: Axes,
    mine: pd.DataFrame,
    labels: list[str],
    columns_: tuple[str, str],
    *,
    show: Show,
    reach: tuple[float, float] | None,
) -> None:
    """One panel: a line from zero to each class's point, its value beside it, its interval beneath it."""
    label, value = columns_
    places = [labels.index(name) for name in mine[label]]
    points = mine[value].astype(float).to_numpy()
    ax.hlines(places, 0, points, color=GREY, linewidth=1)
    ends = points
    if f"{value}_low" in mine:
        low, high = (mine[f"{value}_{end}"].astype(float) for end in ("low", "high"))
        ax.hlines(places, low, high, color=BLUE, linewidth=4, alpha=0.45)
        ends = np.fmax(points, high.to_numpy())
    ax.plot(points, places, "o", color=BLUE, markersize=6)
    for (_, row), place, end in zip(mine.iterrows(), places, ends, strict=True):
        charts._beside(ax, _told(row, value, show), max(end, 0), place, offset=(7, 0))
    ax.set_yticks(range(len(labels)), charts._words(pd.Series(labels)))
    ax.set_ylim(len(labels) - 0.5, -0.6)
    least, most = reach or _reach(mine, value)
    wide = (most - least) or 1.0
    ax.set_xlim(least - 0.03 * wide, most + 0.62 * wide)
    ax.axvline(0, color=SOFT, linewidth=0.8)
    ax.set_xticks([])
    ax.tick_params(axis="y", length=0)
    ax.spines[["bottom", "left"]].set_visible(False)
