"""Who may leave, in pictures: what a threshold earns, and how the probability goes with one input."""

from collections.abc import Callable

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from crmlib.visualisation.charts import Chart, Heading, Show, _beside, _chart, _png, _words, titled
from crmlib.visualisation.theme import BLUE, GREY, ORANGE, SOFT, WIDTH, drawable, house_look

MOST = 3  # inputs side by side


def earned(
    table: pd.DataFrame,
    *,
    x: str,
    y: str,
    at: float | None,
    title: str,
    about: str,
    heading: Heading,
    show: Show,
) -> Chart | None:
    """What is earned by going further down a list, with the place `at` (of x) where one would stop; losses lie below
    the line."""
    if len(table) < 2:
        return None
    rows = table.astype({x: float, y: float})
    point = None if at is None else rows.loc[(rows[x] - at).abs().idxmin()]
    named = "" if point is None else f"{show(x, point[x])}: {show(y, point[y])}"

    def draw(ax: Axes) -> None:
        ax.axhline(0, color=GREY, linewidth=1)
        ax.plot([0, *rows[x]], [0, *rows[y]], color=BLUE)
        if point is not None:
            ax.plot(point[x], point[y], "o", color=ORANGE)
            side = 1 if point[x] < 0.6 else -1
            _beside(
                ax, named, point[x], point[y], offset=(8 * side, -14), align="left" if side > 0 else "right"
            )
        ax.set(xlabel=heading(x), ylabel=heading(y), xlim=(0, 1))
        ax.margins(y=0.15)
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: show(x, value)))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: show(y, value)))
        ax.yaxis.set_major_locator(MaxNLocator(6))

    said = named or f"{show(x, rows[x].iloc[-1])}: {show(y, rows[y].iloc[-1])}"
    return _chart(draw, title, about, f"{title}. {heading(x)}, {heading(y)}: {said}", height=3.6)


def dependence(
    table: pd.DataFrame,
    *,
    label: str,
    x: str,
    y: str,
    title: str,
    about: str,
    heading: Heading,
    show: Show,
) -> Chart | None:
    """How `y` goes with each of the first inputs, side by side on one height; what is no number stands as points."""
    names = list(dict.fromkeys(table[label]))[:MOST]
    if not names:
        return None
    top = float(table.loc[table[label].isin(names), y].max())
    said = []
    with house_look():
        figure = Figure(figsize=(WIDTH, 3.2), layout="constrained")
        axes = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
        for ax, name in zip(axes, names, strict=True):
            rows = table[table[label] == name].rename(columns={x: "x", y: "y"})
            _line(ax, rows, lambda at: show(x, at))
            ax.set_xlabel(drawable(str(name)), color=SOFT)
            ax.set_ylim(0, top * 1.15)
            ends = rows[["x", "y"]].iloc[[0, -1]].to_numpy()
            said.append(f"{name}: {'; '.join(f'{show(x, at)}: {show(y, height)}' for at, height in ends)}")
        axes[0].set_ylabel(heading(y))
        axes[0].yaxis.set_major_formatter(FuncFormatter(lambda value, _: show(y, value)))
        titled(figure, title)
        return Chart(_png(figure, about), f"{title}. {heading(y)}: {' · '.join(said)}")


def _line(ax: Axes, rows: pd.DataFrame, written: Callable[[float], str]) -> None:
    """`y` over `x`: a line over numbers, points over words."""
    number = pd.to_numeric(rows["x"], errors="coerce")
    if number.notna().all():
        ax.plot(number, rows["y"].astype(float), "-o", color=BLUE, markersize=4)
        ax.xaxis.set_major_locator(MaxNLocator(3))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: written(value)))
        return
    ax.plot(range(len(rows)), rows["y"].astype(float), "o", color=BLUE, markersize=4)
    ax.set_xticks(range(len(rows)), _words(rows["x"]), rotation=40, ha="right")
