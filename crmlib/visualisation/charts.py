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

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter
from PIL import Image

from crmlib.visualisation.theme import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    SCALE,
    SOFT,
    WIDTH,
    cut,
    drawable,
    folded,
    house_look,
)

Heading = Callable[[str], str]
Show = Callable[[str, float], str]


COLOURS = 128  # of a picture, the shades of the edges of letters among them
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
    known = table.dropna(subset=[size])
    rows, many = known.head(MOST_BARS), len(known)
    if rows.empty:
        return None

    def draw(ax: Axes) -> None:
        # By place, not by label: two long names may be cut to the same one.
        places = range(len(rows))
        sns.barplot(x=rows[size].astype(float), y=places, ax=ax, color=BLUE, orient="h", errorbar=None)
        ax.set_yticks(places, _words(rows[label]))
        for place, value in enumerate(rows[size]):
            _beside(ax, show(size, value), max(value, 0), place)
        # Those that have no room are counted, so that nobody takes the first for all.
        cut = f" ({len(rows)} / {many})" if many > len(rows) else ""
        ax.set(xlabel=heading(size) + cut, ylabel="")
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
            _beside(ax, show(value, point), point, place, offset=(0, 9), align="center")
        ax.set_yticks(rows.index, _words(rows[label]))
        ax.set(xlabel=axis, ylabel="", ylim=(-0.7, len(rows) - 0.3))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda at, _: show(value, at)))

    said = _said(rows, label, value, show)
    return _chart(draw, title, about, f"{title}. {heading(value)}: {said}", height=1.3 + 0.5 * len(rows))


def heat(
    table: pd.DataFrame,
    *,
    title: str,
    about: str,
    heading: Heading,
    show: Show,
    across: str | None = None,
) -> Chart | None:
    """A table as shaded cells: first column the rows' names, the others the columns; `across` names what they are."""
    grid = table.set_index(table.columns[0]).astype(float)
    if not grid.size:
        return None
    names_across = _words(pd.Series([heading(column) for column in grid.columns]))
    written = pd.DataFrame({c: [show(c, value) for value in grid[c]] for c in grid.columns}, index=grid.index)

    def draw(ax: Axes) -> None:
        names = {"yticklabels": _words(pd.Series(grid.index)), "xticklabels": names_across}
        sns.heatmap(grid, ax=ax, cmap=SCALE, annot=written, fmt="", cbar=False, linewidths=1, **names)
        ax.set(xlabel=drawable(heading(across)) if across else "", ylabel=drawable(heading(table.columns[0])))
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


def flows(
    table: pd.DataFrame,
    *,
    source: str,
    target: str,
    size: str,
    title: str,
    about: str,
    heading: Heading,
    show: Show,
) -> Chart | None:
    """How a whole moved from classes then to classes now: bands as wide as they are many.

    Rows name the classes from the highest down. Who stayed is grey, who rose blue, who fell orange, who
    stands on one side only green.
    """
    rows = table[table[size] > 0].reset_index(drop=True)
    if rows.empty:
        return None
    names = [[*dict.fromkeys(table[side])] for side in (source, target)]
    rank = {name: place for place, name in enumerate(dict.fromkeys(names[0] + names[1]))}
    total, gap = float(rows[size].sum()), 0.035
    sides = ((source, target), (target, source))
    ends = [_stacked(rows[[*pair, size]], rank, gap * total) for pair in sides]

    ways = [_way(a, b, names) for a, b in zip(rows[source], rows[target], strict=True)]

    def draw(ax: Axes) -> None:
        _bands(ax, [end[0] for end in ends], rows[size], ways, show)
        for x, (_, blocks, _) in enumerate(ends):
            for name, (top, many) in blocks.items():
                ax.add_patch(Rectangle((x - 0.015, top - many), 0.03, many, color=INK, linewidth=0.5))
                text, side, align = f"{name}  {show(size, many)}", 2 * x - 1, ("right", "left")[x]
                _beside(ax, text, x + 0.015 * side, top - many / 2, offset=(5 * side, 0), align=align)
        _named_ways(ax, [way for way in FLOW if way in ways], heading)
        ax.set(xlim=(-0.3, 1.3), ylim=(min(end[2] for end in ends), total * 0.02))
        ax.set_xticks([0, 1], [drawable(heading(source)), drawable(heading(target))])
        ax.xaxis.tick_top()
        ax.tick_params(axis="x", length=0)
        ax.set_yticks([])
        ax.spines[:].set_visible(False)

    told = _largest_moves(rows, source, target, size).iterrows()
    said = "; ".join(f"{r[source]} → {r[target]}: {show(size, r[size])}" for _, r in told)
    return _chart(draw, title, about, f"{title}. {heading(size)}: {said}", height=4.6)


def _largest_moves(rows: pd.DataFrame, source: str, target: str, size: str) -> pd.DataFrame:
    """The largest moves; where nobody moved, who stayed is all there is to say."""
    largest = rows.sort_values(size, ascending=False, kind="stable")
    moved = largest[largest[source] != largest[target]]
    return (moved if len(moved) else largest).head(6)


FLOW = {"stayed": "#D5D5D5", "rose": BLUE, "fell": ORANGE, "one_side": GREEN}
# Where a band has its number: bands that cross at different distances from the left.
COUNTED = {"rose": 0.2, "fell": 0.08, "one_side": 0.14}


def _eased(x: float) -> float:
    """The way of a band from side to side: level at both ends.

    >>> _eased(0), _eased(0.5), _eased(1)
    (0, 0.5, 1)
    """
    return x * x * (3 - 2 * x)


def _way(source: str, target: str, names: list[list[str]]) -> str:
    """Whether a band stays, rises, falls, or stands on one side only."""
    if source == target:
        return "stayed"
    if source not in names[1] or target not in names[0]:
        return "one_side"
    return "rose" if names[0].index(target) < names[0].index(source) else "fell"


def _stacked(rows: pd.DataFrame, rank: dict[str, int], gap: float) -> tuple[dict, dict, float]:
    """Upper edge of each band on one side, the blocks (upper edge, height) by name, and the lowest edge.

    `rows` hold the name on this side, the one on the other, and the size.
    """
    edges, blocks, top = {}, {}, 0.0
    here, other, size = (rows[c] for c in rows.columns)
    for name in sorted(here.unique(), key=rank.get):
        start = top
        for place in sorted(rows.index[here == name], key=lambda row: rank[other[row]]):
            edges[place] = top
            top -= float(size[place])
        blocks[name] = (start, start - top)
        top -= gap
    return edges, blocks, top


def _bands(ax: Axes, edges: list[dict], sizes: pd.Series, ways: list[str], show: Show) -> None:
    """The bands, level where they leave and where they arrive; the movers' with their numbers."""
    x = np.linspace(0, 1, 60)
    # Who stayed lies beneath: the movers are what the eye looks for.
    for place in sorted(sizes.index, key=lambda row: ways[row] != "stayed"):
        (left, right), many, way = (side[place] for side in edges), sizes[place], ways[place]
        upper = left + (right - left) * _eased(x)
        # The edge keeps a band of few in sight.
        ax.fill_between(x * 0.97 + 0.015, upper - many, upper, color=FLOW[way], alpha=0.75, linewidth=1)
        if way in COUNTED:
            height = left + (right - left) * _eased(COUNTED[way]) - many / 2
            _beside(
                ax,
                show(str(sizes.name), many),
                COUNTED[way],
                height,
                offset=(0, 1),
                align="center",
                halo=True,
            )


def _named_ways(ax: Axes, ways: list[str], heading: Heading) -> None:
    """What the colours mean, in their colours, in one line under the bands."""
    for place, way in enumerate(ways):
        at = (place + 1) / (len(ways) + 1)
        mark = Line2D(
            [at - 0.06], [-0.03], marker="s", color=FLOW[way], transform=ax.transAxes, clip_on=False
        )
        ax.add_line(mark)
        ax.text(at - 0.04, -0.03, drawable(heading(way)), transform=ax.transAxes, va="center", color=INK)


def _chart(draw: Callable[[Axes], None], title: str, about: str, alt: str, height: float) -> Chart:
    with house_look():
        figure = Figure(figsize=(WIDTH, min(height, 9)), layout="constrained")
        ax = figure.add_subplot()
        draw(ax)
        titled(figure, title)
        return Chart(_png(figure, about), alt)


def titled(figure: Figure, title: str, most: int = 84) -> None:
    """A title at the figure's own edge: however wide the names of rows are, it is not cut."""
    figure.suptitle(folded(drawable(title), most), x=0.01, ha="left", fontsize=12)


def _png(figure: Figure, about: str) -> bytes:
    """A figure with its foot as a picture; drawn within `house_look`."""
    figure.supxlabel(drawable(about), x=0.01, ha="left", fontsize=8, color=SOFT)
    return packed(figure)


def packed(figure: Figure) -> bytes:
    """A figure as a small picture; drawn within `house_look`."""
    sink, small = io.BytesIO(), io.BytesIO()
    figure.savefig(sink, format="png")
    # A chart has few colours: told by a table of them it is a third as large and looks the same. Nor does the file
    # name a version of any library: the same chart gives the same bytes.
    picture = Image.open(sink).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    picture.save(small, format="png", optimize=True)
    return small.getvalue()


def _beside(
    ax: Axes,
    text: str,
    x: float,
    y: float,
    *,
    offset: tuple[int, int] = (4, 0),
    align: str = "left",
    halo: bool = False,
) -> None:
    """A text at a point, some points of type away from it; with a halo where it stands on a colour."""
    ax.annotate(
        drawable(text),
        (x, y),
        xytext=offset,
        textcoords="offset points",
        ha=align,
        va="center",
        color=INK,
        path_effects=[withStroke(linewidth=2.5, foreground="white")] if halo else None,
    )


def _said(rows: pd.DataFrame, label: str, value: str, show: Show) -> str:
    return "; ".join(f"{n}: {show(value, v)}" for n, v in zip(rows[label], rows[value], strict=True))


def _words(names: pd.Series) -> list[str]:
    """Labels of an axis: long ones cut, characters that no font has marked."""
    return [cut(drawable(str(name)), 24) for name in names]
