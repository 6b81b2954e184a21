"""The charting grammar: a handful of charts, each drawn from one table.

Every chart carries its title, what stands on its axes with units, and at its foot the number of
customers, the as-of date and the source. `alt` says in words what the picture shows. Where there
is nothing to draw there is no chart (None), never an empty axis.
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

Show = Callable[[float], str]


@dataclass(frozen=True)
class Chart:
    """A finished picture and its words."""

    png: bytes
    alt: str


def plain(value: float) -> str:
    """A number as an axis shows it."""
    return f"{value:,.0f}"


def bars(
    table: pd.DataFrame,
    label: str,
    size: str,
    *,
    title: str,
    about: str,
    axis: str,
    show: Show = plain,
    mark: dict[str, float] | None = None,
) -> Chart | None:
    """Horizontal bars in the table's order, each with its value beside it; `mark` draws thresholds."""
    rows = table.dropna(subset=[size])
    if rows.empty:
        return None

    def draw(ax: Axes) -> None:
        sns.barplot(x=rows[size], y=_words(rows[label]), ax=ax, color=BLUE, orient="h", errorbar=None)
        for place, value in enumerate(rows[size]):
            ax.annotate(
                show(value), (max(value, 0), place), xytext=(4, 0), textcoords="offset points", va="center"
            )
        _limits(ax, mark)
        ax.set(xlabel=axis, ylabel="")
        # The values stand at the bars; ticks would say them again.
        ax.set_xticks([])
        ax.spines["bottom"].set_visible(False)
        ax.margins(x=0.14)

    said = "; ".join(f"{name}: {show(v)}" for name, v in zip(rows[label].head(6), rows[size], strict=False))
    return _chart(draw, title, about, f"{title}. {axis}: {said}", height=1.1 + 0.34 * len(rows))


def lines(
    table: pd.DataFrame, x: str, ys: dict[str, str], *, title: str, about: str, axis: str, show: Show = plain
) -> Chart | None:
    """One or several lines over time, named at their right end (`ys`: column → name)."""
    if table.empty:
        return None

    def draw(ax: Axes) -> None:
        for (column, name), colour in zip(ys.items(), (BLUE, ORANGE, GREY), strict=False):
            sns.lineplot(x=table[x], y=table[column], ax=ax, color=colour, marker="o", legend=False)
            if len(ys) > 1:
                ax.annotate(
                    name,
                    (len(table) - 1, table[column].iloc[-1]),
                    xytext=(6, 0),
                    textcoords="offset points",
                    color=colour,
                )
        ax.set(xlabel="", ylabel=axis, ylim=(0, None))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: show(value)))
        step = max(len(table) // 8, 1)
        ax.set_xticks(range(0, len(table), step), table[x].iloc[::step])
        ax.margins(x=0.04)

    ends = "; ".join(
        f"{name}: {table[x].iloc[0]} {show(table[column].iloc[0])}, {table[x].iloc[-1]} {show(table[column].iloc[-1])}"
        for column, name in ys.items()
    )
    return _chart(draw, title, about, f"{title}. {ends}", height=3.4)


def intervals(
    table: pd.DataFrame,
    label: str,
    value: str,
    *,
    title: str,
    about: str,
    axis: str,
    show: Show = plain,
    previous: str | None = None,
    previous_name: str = "",
    span: tuple[float, float] | None = None,
) -> Chart | None:
    """Points with their intervals (`low_90`, `high_90`), and the previous period's points as rings."""
    table = table.dropna(subset=[value]).reset_index(drop=True)
    if table.empty:
        return None

    def draw(ax: Axes) -> None:
        places = range(len(table))
        ax.hlines(places, table["low_90"], table["high_90"], color=BLUE, linewidth=3, alpha=0.45)
        ax.plot(table[value], places, "o", color=BLUE)
        if previous is not None and table[previous].notna().any():
            ax.plot(table[previous], places, "o", markerfacecolor="none", color=ORANGE)
            last = int(table[previous].last_valid_index())
            ax.annotate(
                previous_name,
                (table[previous][last], last),
                xytext=(0, -14),
                textcoords="offset points",
                color=SOFT,
                ha="center",
                fontsize=9,
            )
        for place, point in zip(places, table[value], strict=True):
            ax.annotate(show(point), (point, place), xytext=(0, 7), textcoords="offset points", ha="center")
        ax.set_yticks(list(places), _words(table[label]))
        ax.set(xlabel=axis, ylabel="", ylim=(-0.7, len(table) - 0.3))
        if span:
            ax.set_xlim(*span)

    said = "; ".join(f"{n}: {show(v)}" for n, v in zip(table[label], table[value], strict=True))
    return _chart(draw, title, about, f"{title}. {axis}: {said}", height=1.3 + 0.55 * len(table))


def heat(table: pd.DataFrame, *, title: str, about: str, show: Show = plain) -> Chart | None:
    """A table of counts as shaded cells: first column the rows' names, the others the columns."""
    grid = table.set_index(table.columns[0])
    if not grid.size:
        return None

    def draw(ax: Axes) -> None:
        sns.heatmap(grid, ax=ax, cmap=SCALE, annot=grid.map(show), fmt="", cbar=False, linewidths=1)
        ax.set(xlabel="", ylabel="")
        ax.tick_params(left=False, bottom=False)
        ax.set_yticklabels(_words(pd.Series(grid.index)), rotation=0)
        ax.set_xticklabels(_words(pd.Series(grid.columns)), rotation=0)

    top = grid.stack().sort_values(ascending=False, kind="stable").head(3)
    said = "; ".join(f"{row} × {column}: {show(v)}" for (row, column), v in top.items())
    return _chart(draw, title, about, f"{title}. {said}", height=1.2 + 0.36 * len(grid))


def curve(
    table: pd.DataFrame,
    x: str,
    y: str,
    *,
    title: str,
    about: str,
    axes: tuple[str, str],
    show: Show = plain,
    mark: tuple[float, float, str] | None = None,
) -> Chart | None:
    """A curve from the origin, with the line of equality; `mark` names one point of it."""
    if table.empty:
        return None

    def draw(ax: Axes) -> None:
        ax.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=":")
        ax.plot([0, *table[x]], [0, *table[y]], color=BLUE)
        if mark:
            ax.plot(mark[0], mark[1], "o", color=ORANGE)
            ax.annotate(mark[2], mark[:2], xytext=(10, -12), textcoords="offset points", color=INK)
        ax.set(xlabel=axes[0], ylabel=axes[1], xlim=(0, 1), ylim=(0, 1.02))
        for side in (ax.xaxis, ax.yaxis):
            side.set_major_formatter(FuncFormatter(lambda value, _: show(value)))

    return _chart(draw, title, about, f"{title}. {mark[2] if mark else ''}", height=3.6)


def _chart(draw: Callable[[Axes], None], title: str, about: str, alt: str, height: float) -> Chart:
    with house_look():
        figure = Figure(figsize=(WIDTH, min(height, 9)), layout="constrained")
        ax = figure.add_subplot()
        draw(ax)
        ax.set_title(title)
        figure.supxlabel(about, x=0.01, ha="left", fontsize=8, color=SOFT)
        sink = io.BytesIO()
        figure.savefig(sink, format="png", metadata={"Software": None})
    return Chart(sink.getvalue(), alt)


def _limits(ax: Axes, mark: dict[str, float] | None) -> None:
    for name, value in (mark or {}).items():
        ax.axvline(value, color=ORANGE, linestyle="--", linewidth=1)
        ax.annotate(
            name,
            (value, 1),
            xycoords=("data", "axes fraction"),
            xytext=(3, -10),
            textcoords="offset points",
            fontsize=9,
        )


def _words(names: pd.Series) -> list[str]:
    """Labels of an axis: long ones cut, characters that no font has marked."""
    shown = [drawable(str(name)) for name in names]
    return [name if len(name) <= 24 else f"{name[:23]}…" for name in shown]
