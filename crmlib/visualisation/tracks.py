"""Predictions beside what came: over time, and class by class."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from crmlib.visualisation.charts import Chart, Heading, Show, _beside, _chart, _words
from crmlib.visualisation.theme import BLUE, GREY, INK, ORANGE, SOFT, drawable


def tracks(
    table: pd.DataFrame,
    *,
    x: str,
    told: str = "foreseen",
    came: str = "came",
    cut: object,
    title: str,
    about: str,
    heading: Heading,
    show: Show,
) -> Chart | None:
    """Two lines over time, what was told and what came; a dotted line where the telling begins.

    `cut` is the row of `x` at which it does. The last points carry their values.
    """
    if len(table) < 2:
        return None
    rows = table.reset_index(drop=True)
    place = rows.index[rows[x] == cut]
    end = rows.iloc[-1]

    def draw(ax: Axes) -> None:
        for column, colour, style in ((came, INK, "-"), (told, BLUE, "--")):
            ax.plot(rows.index, rows[column].astype(float), color=colour, linestyle=style, linewidth=2)
            # Apart by their heights, so that lines that end together have names that do not.
            above = end[column] >= max(end[told], end[came])
            words = f"{heading(column)} {show(column, end[column])}"
            _beside(ax, words, rows.index[-1], end[column], offset=(5, 7 if above else -7))
        for at in place:
            ax.axvline(at, color=GREY, linewidth=1, linestyle=":")
        step = max(-(-len(rows) // 5), 1)
        ticks = list(range(0, len(rows), step))
        ax.set_xticks(ticks, [show(x, rows[x][tick]) for tick in ticks])
        ax.set(xlabel="", ylabel="", ylim=(0, None), xlim=(-0.3, len(rows) * 1.24))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: show(came, value)))

    said = "; ".join(f"{heading(column)}: {show(column, end[column])}" for column in (told, came))
    return _chart(draw, title, about, f"{title}. {show(x, end[x])}: {said}", height=3.8)


def foretold(
    table: pd.DataFrame,
    *,
    label: str,
    told: str,
    came: str | None = None,
    title: str,
    about: str,
    heading: Heading,
    show: Show,
) -> Chart | None:
    """What is told with its interval (`…_low`, `…_high`); beside it, as a ring, what came, once it is known."""
    rows = table.dropna(subset=[told, *([came] if came else [])]).reset_index(drop=True)
    if rows.empty:
        return None
    written = [show(told, row[told]) for _, row in rows.iterrows()]
    known = [show(came, row[came]) for _, row in rows.iterrows()] if came else []
    most = rows[[f"{told}_high", *([came] if came else [])]].astype(float).max(axis=1)

    def draw(ax: Axes) -> None:
        spans = (rows[f"{told}_low"].astype(float), rows[f"{told}_high"].astype(float))
        ax.hlines(rows.index, *spans, color=BLUE, linewidth=4, alpha=0.45)
        ax.plot(rows[told].astype(float), rows.index, "o", color=BLUE)
        if came:
            ring = {"markerfacecolor": "none", "markersize": 10, "markeredgewidth": 2}
            ax.plot(rows[came].astype(float), rows.index, "o", color=ORANGE, **ring)
        for place in rows.index:
            words = f"{written[place]}   ○ {known[place]}" if came else written[place]
            _beside(ax, words, most[place], place, offset=(9, 0))
        ax.set_yticks(rows.index, _words(rows[label]))
        ax.set(ylabel="", ylim=(len(rows) - 0.4, -0.6), xlim=(0, most.max() * 1.3))
        axis = f"● {heading(told)}   ○ {heading(came)}" if came else heading(told)
        ax.set_xlabel(drawable(axis), color=SOFT)
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: show(told, value)))
        ax.xaxis.set_major_locator(MaxNLocator(5))

    names = rows[label].tolist()
    said = [f"{name}: {text}" for name, text in zip(names, written, strict=True)]
    said = [f"{text}, {heading(came)} {c}" for text, c in zip(said, known, strict=True)] if came else said
    alt = f"{title}. {heading(told)}: {'; '.join(said)}"
    return _chart(draw, title, about, alt, height=1.4 + 0.42 * len(rows))


def ahead(
    table: pd.DataFrame,
    *,
    x: str,
    came: str,
    told: str,
    title: str,
    about: str,
    heading: Heading,
    show: Show,
) -> Chart | None:
    """A line of what came, and from its end what is told, in a band as wide as its interval (`…_low`, `…_high`)."""
    if len(table) < 3:
        return None
    rows = table.reset_index(drop=True)
    low, high = rows[f"{told}_low"].astype(float), rows[f"{told}_high"].astype(float)
    past, end = rows[came].dropna(), rows.iloc[-1]

    def draw(ax: Axes) -> None:
        ax.fill_between(rows.index, low, high, color=BLUE, alpha=0.2, linewidth=0)
        ax.plot(past.index, past.astype(float), color=INK, linewidth=2)
        ax.plot(rows.index, rows[told].astype(float), color=BLUE, linestyle="--", linewidth=2)
        _beside(ax, f"{heading(told)} {show(told, end[told])}", rows.index[-1], end[told], offset=(5, 0))
        step = max(-(-len(rows) // 6), 1)
        ticks = list(range(0, len(rows), step))
        ax.set_xticks(ticks, [show(x, rows[x][tick]) for tick in ticks])
        ax.set(xlabel="", ylabel=heading(came), ylim=(0, None), xlim=(-0.3, len(rows) * 1.2))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: show(came, value)))

    said = f"{show(x, end[x])}: {heading(told)} {show(told, end[told])}"
    words = f"{said} ({show(told, end[f'{told}_low'])} – {show(told, end[f'{told}_high'])})"
    return _chart(draw, title, about, f"{title}. {words}", height=3.8)
