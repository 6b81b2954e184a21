"""The charting grammar: a handful of charts, each drawn from one table.

Every chart carries its title, what stands on its axes, and at its foot the number of customers, the
as-of date and the source. `alt` says in words what the picture shows. Where there is nothing to draw
there is no chart (None), never an empty axis.

All take the same four things beside their columns: `title` and `about` as text, `heading` (column →
its name in the reader's language) and `show` (column, value → how the value is written).
"""

import io
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from crmlib.visualisation.theme import BLUE, GREY, INK, ORANGE, SCALE, SOFT, WIDTH, drawable, house_look

Heading = Callable[[str], str]
Show = Callable[[str, float], str]


MOST_BARS = 15  # more cannot be read at a glance; the table beneath has them all


@dataclass(frozen=True)
class Chart:
    """A finished picture and its words."""

    png: bytes
    alt: str


def bars(
    table: pd.DataFrame, *, label: str, size: str, title: str, about: str, heading: Heading, show: Show
) -> Chart | None:
    """Horizontal bars in the table's order, each with its value beside it."""
    rows = table.dropna(subset=[size]).head(MOST_BARS)
    if rows.empty:
        return None

    def draw(ax: Axes) -> None:
        # By place, not by label: two long names may be cut to the same one.
        places = range(len(rows))
        sns.barplot(x=rows[size].astype(float), y=places, ax=ax, color=BLUE, orient="h", errorbar=None)
        ax.set_yticks(places, _words(rows[label]))
        for place, value in enumerate(rows[size]):
            _beside(ax, show(size, value), max(value, 0), place)
        ax.set(xlabel=heading(size), ylabel="")
        # The values stand at the bars; ticks would say them again.
        ax.set_xticks([])
        ax.spines["bottom"].set_visible(False)
        ax.margins(x=0.14)

    said = _said(rows.head(6), label, size, show)
    return _chart(draw, title, about, f"{title}. {heading(size)}: {said}", height=1.1 + 0.34 * len(rows))


def lines(
    table: pd.DataFrame, *, x: str, y: str, title: str, about: str, heading: Heading, show: Show
) -> Chart | None:
    """One line over time, from zero."""
    if table.empty:
        return None
    height = table[y].astype(float)

    def draw(ax: Axes) -> None:
        sns.lineplot(x=table[x], y=height, ax=ax, color=BLUE, marker="o", legend=False)
        ax.set(xlabel="", ylabel=heading(y), ylim=(0, None))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: show(y, value)))
        step = max(len(table) // 8, 1)
        ax.set_xticks(range(0, len(table), step), table[x].iloc[::step])
        ax.margins(x=0.04)

    said = _said(table.iloc[sorted({0, len(table) - 1})], x, y, show)
    return _chart(draw, title, about, f"{title}. {heading(y)}: {said}", height=3.4)


def intervals(
    table: pd.DataFrame, *, label: str, value: str, title: str, about: str, heading: Heading, show: Show
) -> Chart | None:
    """Points with their intervals (`…_low`, `…_high`); rings for the period before (`…_before`)."""
    rows = table.dropna(subset=[value]).reset_index(drop=True)
    if rows.empty:
        return None
    before = rows.get(f"{value}_before", pd.Series(float("nan"), index=rows.index))
    axis = heading(value) + (f"   ○ {heading(f'{value}_before')}" if before.notna().any() else "")

    def draw(ax: Axes) -> None:
        ax.hlines(
            rows.index, rows[f"{value}_low"], rows[f"{value}_high"], color=BLUE, linewidth=3, alpha=0.45
        )
        ax.plot(rows[value], rows.index, "o", color=BLUE)
        if before.notna().any():
            ax.plot(before, rows.index, "o", markerfacecolor="none", color=ORANGE)
        for place, point in rows[value].items():
            _beside(ax, show(value, point), point, place, offset=(0, 9), centre=True)
        ax.set_yticks(rows.index, _words(rows[label]))
        ax.set(xlabel=axis, ylabel="", ylim=(-0.7, len(rows) - 0.3))

    said = _said(rows, label, value, show)
    return _chart(draw, title, about, f"{title}. {heading(value)}: {said}", height=1.3 + 0.5 * len(rows))


def heat(table: pd.DataFrame, *, title: str, about: str, heading: Heading, show: Show) -> Chart | None:
    """A table of counts as shaded cells: first column the rows' names, the others the columns."""
    grid = table.set_index(table.columns[0]).astype(float)
    if not grid.size:
        return None
    across = _words(pd.Series([heading(column) for column in grid.columns]))
    written = pd.DataFrame({c: [show(c, value) for value in grid[c]] for c in grid.columns}, index=grid.index)

    def draw(ax: Axes) -> None:
        names = {"yticklabels": _words(pd.Series(grid.index)), "xticklabels": across}
        sns.heatmap(grid, ax=ax, cmap=SCALE, annot=written, fmt="", cbar=False, linewidths=1, **names)
        ax.set(xlabel="", ylabel=drawable(heading(table.columns[0])))
        ax.tick_params(left=False, bottom=False)
        ax.tick_params(axis="both", rotation=0)

    top = grid.stack().sort_values(ascending=False, kind="stable").head(3)
    said = "; ".join(f"{row} × {heading(column)}: {show(column, v)}" for (row, column), v in top.items())
    return _chart(draw, title, about, f"{title}. {said}", height=1.2 + 0.36 * len(grid))


def curve(
    table: pd.DataFrame, *, x: str, y: str, mark: float, title: str, about: str, heading: Heading, show: Show
) -> Chart | None:
    """A curve from the origin, with the line of equality; the point nearest to `mark` is named."""
    if table.empty:
        return None
    point = table.loc[(table[x] - mark).abs().idxmin()]
    named = f"{show(x, point[x])}: {show(y, point[y])}"

    def draw(ax: Axes) -> None:
        ax.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=":")
        ax.plot([0, *table[x]], [0, *table[y]], color=BLUE)
        ax.plot(point[x], point[y], "o", color=ORANGE)
        _beside(ax, named, point[x], point[y], offset=(10, -12))
        ax.set(xlabel=heading(x), ylabel=heading(y), xlim=(0, 1), ylim=(0, 1.02))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: show(x, value)))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: show(y, value)))

    return _chart(draw, title, about, f"{title}. {heading(x)}, {heading(y)}: {named}", height=3.6)


def _chart(draw: Callable[[Axes], None], title: str, about: str, alt: str, height: float) -> Chart:
    with house_look():
        figure = Figure(figsize=(WIDTH, min(height, 9)), layout="constrained")
        ax = figure.add_subplot()
        draw(ax)
        ax.set_title(drawable(title))
        figure.supxlabel(drawable(about), x=0.01, ha="left", fontsize=8, color=SOFT)
        sink = io.BytesIO()
        # No version of the library in the file: the same chart gives the same bytes.
        figure.savefig(sink, format="png", metadata={"Software": None})
    return Chart(sink.getvalue(), alt)


def _beside(
    ax: Axes,
    text: str,
    x: float,
    y: float,
    *,
    offset: tuple[int, int] = (4, 0),
    centre: bool = False,
) -> None:
    """A text at a point, some points of type away from it."""
    ax.annotate(
        drawable(text),
        (x, y),
        xytext=offset,
        textcoords="offset points",
        ha="center" if centre else "left",
        va="center",
        color=INK,
    )


def _said(rows: pd.DataFrame, label: str, value: str, show: Show) -> str:
    return "; ".join(f"{n}: {show(value, v)}" for n, v in zip(rows[label], rows[value], strict=True))


def _words(names: pd.Series) -> list[str]:
    """Labels of an axis: long ones cut, characters that no font has marked."""
    shown = [drawable(str(name)) for name in names]
    return [name if len(name) <= 24 else f"{name[:23]}…" for name in shown]
