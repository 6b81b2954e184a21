"""Charts of what customers say: aspects by importance and performance, and scores over time.

The same grammar as `visualisation.charts`: a table in, a picture with words out, nothing computed but places.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from crmlib.visualisation import charts
from crmlib.visualisation.charts import Chart, Heading, Show
from crmlib.visualisation.theme import BLUE, GREY, ORANGE, SOFT, WIDTH, drawable, house_look

# A place is told by colour and by the shape of its point, so that grey print tells it too.
PLACES = {"put_right": (ORANGE, "s"), "keep": (BLUE, "o"), "watch": (ORANGE, "D"), "leave": (BLUE, "^")}
ELSE = (GREY, "o")
SAME = ("not_told", "by_rule")  # no point of its own
FAINT = "#E2E2E2"
MOST_PANELS = 6  # more lines of small pictures are no overview; the table beneath has them all


def quadrant(
    table: pd.DataFrame,
    *,
    label: str,
    x: str,
    y: str,
    title: str,
    about: str,
    heading: Heading,
    show: Show,
    place: str = "quadrant",
    sure: str = "own_low",
) -> Chart | None:
    """Points by two numbers, parted at both means; `place` names the column that says in words where each stands.

    A point is filled where its bound `sure` lies above zero, so that it is told from chance; else a grey ring.
    """
    rows = table.dropna(subset=[x, y]).reset_index(drop=True)
    if len(rows) < 2:
        return None
    middle = rows[x].mean(), rows[y].mean()
    names = charts._words(rows[label])
    looks = [_look(rows.loc[row], (x, y), middle, rows[sure][row] > 0) for row in rows.index]

    def draw(ax: Axes) -> None:
        ax.axvline(middle[0], color=SOFT, linewidth=0.8, linestyle=":")
        ax.axhline(middle[1], color=SOFT, linewidth=0.8, linestyle=":")
        for row, (colour, shape, filled) in zip(rows.index, looks, strict=True):
            fill = colour if filled else "none"
            ax.plot(rows[x][row], rows[y][row], shape, color=colour, markerfacecolor=fill, markersize=9)
            right = rows[x][row] > middle[0]
            text = f"{names[row]}: {rows[place][row]}"
            side = {"offset": (-9 if right else 9, 9), "align": "right" if right else "left"}
            charts._beside(ax, text, rows[x][row], rows[y][row], halo=True, **side)
        ax.set(xlabel=heading(x), ylabel=heading(y))
        _written(ax, (x, y), show)
        if rows[y].min() >= 0:
            ax.set_ylim(bottom=0)

    said = "; ".join(
        f"{r[label]}: {heading(y)} {show(y, r[y])}, {heading(x)} {show(x, r[x])}, {r[place]}"
        for _, r in rows.iterrows()
    )
    return charts._chart(draw, title, about, f"{title}. {said}", height=4.6)


def _written(ax: Axes, columns: tuple[str, str], show: Show) -> None:
    """Both axes in the units of their columns, with room for what stands at the points."""
    x, y = columns
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: show(x, value)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: show(y, value)))
    ax.xaxis.set_major_locator(MaxNLocator(6))
    ax.margins(x=0.22, y=0.2)


def _look(
    row: pd.Series, columns: tuple[str, str], middle: tuple[float, float], filled: bool
) -> tuple[str, str, bool]:
    """Colour and shape of a point by its quarter, and whether it is filled."""
    well, heavy = (row[name] >= mean for name, mean in zip(columns, middle, strict=True))
    places = {
        (True, False): "put_right",
        (True, True): "keep",
        (False, False): "watch",
        (False, True): "leave",
    }
    look = PLACES[places[bool(heavy), bool(well)]] if filled else ELSE
    return (*look, bool(filled))


def course(
    table: pd.DataFrame,
    *,
    x: str,
    y: str,
    by: str,
    title: str,
    about: str,
    heading: Heading,
    show: Show,
) -> Chart | None:
    """A small picture for each group over time, side by side on one scale, with intervals (`…_low`, `…_high`).

    The table may stand in any order: periods are drawn by name, the oldest first.
    """
    rows = table.dropna(subset=[y])
    groups = [*dict.fromkeys(rows[by])][:MOST_PANELS]
    if not groups:
        return None
    moments = sorted(set(rows[x]))
    across = min(len(groups), 2)
    down = -(-len(groups) // across)
    with house_look():
        figure = Figure(figsize=(WIDTH, 1.0 + 1.75 * down), layout="constrained")
        axes = np.atleast_1d(figure.subplots(down, across, sharex=True, sharey=True)).ravel()
        for ax in axes[len(groups) :]:
            ax.set_axis_off()
        names = charts._words(pd.Series(groups))
        for at, (ax, group) in enumerate(zip(axes, groups, strict=False)):
            _panel(ax, rows[rows[by] == group], moments, (x, y), show)
            ax.set_title(names[at], fontsize=10, fontweight="normal")
            # The lowest of each column bears the periods, also where no picture stands beneath it.
            ax.tick_params(axis="x", labelbottom=at + across >= len(groups))
        charts.titled(figure, title)
        figure.supylabel(drawable(heading(y)), fontsize=9, color=SOFT)
        png = charts._png(figure, about)
    last = rows[rows[x] == moments[-1]]
    said = charts._said(last, by, y, show)
    return Chart(png, f"{title}. {heading(y)}, {moments[0]} – {moments[-1]}; {moments[-1]}: {said}")


def _panel(ax: Axes, mine: pd.DataFrame, moments: list[str], columns: tuple[str, str], show: Show) -> None:
    """One group's points with their intervals; the first and the last have their values."""
    x, y = columns
    ordered = mine.sort_values(x)
    places = [moments.index(moment) for moment in ordered[x]]
    low, high, points = (ordered[name].astype(float) for name in (f"{y}_low", f"{y}_high", y))
    ax.vlines(places, low, high, color=BLUE, linewidth=3, alpha=0.45)
    ax.plot(places, points, "o-", color=BLUE, linewidth=1.2, markersize=4)
    for end in sorted({0, len(places) - 1}):
        charts._beside(
            ax, show(y, points.iloc[end]), places[end], high.iloc[end], offset=(0, 7), align="center"
        )
    step = max(-(-len(moments) // 4), 1)
    shown = range((len(moments) - 1) % step, len(moments), step)
    ax.set_xticks(shown, [moments[at] for at in shown], fontsize=8)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: show(y, value)))
    ax.yaxis.set_major_locator(MaxNLocator(4))
    ax.tick_params(axis="y", labelsize=8)
    ax.margins(x=0.12, y=0.18)


def grouped(
    table: pd.DataFrame,
    *,
    label: str,
    by: str,
    value: str,
    title: str,
    about: str,
    heading: Heading,
    show: Show,
    against: str = "against",
) -> Chart | None:
    """Points with their intervals (`…_low`, `…_high`) under the heading of each group `by`, in the table's order.

    A point is filled where `against` tells it apart, and a ring where that is one of `SAME` in the reader's words.
    """
    rows = table.dropna(subset=[value]).reset_index(drop=True)
    if rows.empty:
        return None
    low, high = (rows[f"{value}_{end}"].astype(float).fillna(rows[value]) for end in ("low", "high"))
    places, names = _under_headings(rows, label, by)
    apart = ~rows[against].isin([heading(word) for word in SAME])

    def draw(ax: Axes) -> None:
        if rows[value].min() < 0:
            ax.axvline(0, color=SOFT, linewidth=0.8, linestyle=":")
        ax.hlines(places, low, high, color=BLUE, linewidth=3, alpha=0.45)
        for row, place in zip(rows.index, places, strict=True):
            fill = BLUE if apart[row] else "white"
            ax.plot(rows[value][row], place, "o", color=BLUE, markerfacecolor=fill)
            said = show(value, rows[value][row])
            charts._beside(ax, said, rows[value][row], place, offset=(0, 9), align="center")
        ax.set_yticks(range(len(names)), charts._words(pd.Series(names)))
        for place, text in enumerate(ax.get_yticklabels()):
            if place not in places:
                text.set_color(SOFT)
                ax.axhline(place, color=FAINT, linewidth=0.8, zorder=0)
        ax.set(xlabel=f"{heading(value)}   ○ {heading('not_told')}", ylabel="", ylim=(len(names) - 0.4, -0.7))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda at, _: show(value, at)))

    said = charts._said(rows, label, value, show)
    height = 1.2 + 0.42 * len(names)
    return charts._chart(draw, title, about, f"{title}. {heading(value)}: {said}", height=height)


def _under_headings(rows: pd.DataFrame, label: str, by: str) -> tuple[list[int], list[str]]:
    """Places of the rows, and what stands at each place: the heading of a group, then its labels."""
    places: list[int] = []
    names: list[str] = []
    for row in rows.index:
        if row == 0 or rows[by][row] != rows[by][row - 1]:
            names.append(str(rows[by][row]))
        places.append(len(names))
        names.append(str(rows[label][row]))
    return places, names


def pairs(
    table: pd.DataFrame,
    *,
    label: str,
    value: str,
    other: str,
    title: str,
    about: str,
    heading: Heading,
    show: Show,
) -> Chart | None:
    """Two values a row, filled and ring, joined by a line: how far a group lies from all others."""
    rows = table.dropna(subset=[value, other]).head(charts.MOST_BARS).reset_index(drop=True)
    if rows.empty:
        return None

    def draw(ax: Axes) -> None:
        ax.hlines(rows.index, rows[other], rows[value], color=GREY, linewidth=1.5)
        ax.plot(rows[value], rows.index, "o", color=BLUE)
        ax.plot(rows[other], rows.index, "o", markerfacecolor="white", color=ORANGE)
        for row in rows.index:
            further = rows[value][row] >= rows[other][row]
            side = {"offset": (8 if further else -8, 0), "align": "left" if further else "right"}
            charts._beside(ax, show(value, rows[value][row]), rows[value][row], row, **side)
        ax.set_yticks(rows.index, charts._words(rows[label]))
        ax.set(xlabel=f"● {heading(value)}   ○ {heading(other)}", ylabel="", ylim=(len(rows) - 0.4, -0.6))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda place, _: show(value, place)))
        ax.margins(x=0.14)

    said = "; ".join(
        f"{r[label]}: {show(value, r[value])}, {heading(other)} {show(other, r[other])}"
        for _, r in rows.head(6).iterrows()
    )
    return charts._chart(
        draw, title, about, f"{title}. {heading(value)}: {said}", height=1.4 + 0.36 * len(rows)
    )
