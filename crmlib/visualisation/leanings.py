"""Parts around a middle: answers that lean against us or for us, ages of women and men, states of customers.

The same grammar as `visualisation.charts`: a table in, a picture with words out.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from crmlib.visualisation import charts
from crmlib.visualisation.charts import Chart, Heading, Show
from crmlib.visualisation.theme import BLUE, GREEN, GREY, INK, ORANGE, SOFT, WIDTH, drawable, house_look

MIDDLE = "#D9D9D9"
DARK = "#9A6A00"  # orange that can be read as a word on white
READ = 0.09  # of the axis: a narrower part has no room for its number
NAMED = 0.42  # of a whole, left and right of the middle: room for what the sides are called
RISING = (BLUE, "#7FB8D8", GREEN)  # who came in a month
SINKING = ("#F3CF80", ORANGE, DARK)  # who stayed away, the longer the darker


def diverging(
    table: pd.DataFrame,
    *,
    label: str,
    parts: Sequence[str],
    value: str,
    title: str,
    about: str,
    heading: Heading,
    show: Show,
    ends: tuple[float, float] = (0, 100),
) -> Chart | None:
    """Bars of three parts around the middle of the second, and beside them a value with its interval.

    Parameters
    ----------
    table : `label`, a share for each of `parts` (against, between, for), `value` with `…_low` and `…_high`, and
        where it is known `…_before`, drawn as a ring
    ends : of the scale of `value`
    """
    rows = table.dropna(subset=[*parts, value]).reset_index(drop=True)
    if rows.empty:
        return None
    names = charts._words(rows[label])
    with house_look():
        figure = Figure(figsize=(WIDTH, 1.65 + 0.5 * len(rows)), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=(2.6, 1))
        _leaning(left, rows[list(parts)].astype(float), show)
        left.set_yticks(rows.index, names)
        left.set_ylim(len(rows) - 0.45, -0.62)
        _keyed(left, parts, heading)
        _valued(right, rows, value, show, ends)
        before = rows[f"{value}_before"] if f"{value}_before" in rows else pd.Series(dtype=float)
        below = [heading(value), *([f"○ {heading(f'{value}_before')}"] if before.notna().any() else [])]
        right.set_xlabel("\n".join(map(drawable, below)), fontsize=9)
        charts.titled(figure, title)
        png = charts._png(figure, about)
    said = "; ".join(
        f"{row[label]}: "
        + ", ".join(f"{heading(part)} {show(part, row[part])}" for part in parts)
        + f", {heading(value)} {show(value, row[value])}"
        for _, row in rows.iterrows()
    )
    return Chart(png, f"{title}. {said}")


def _leaning(ax: Axes, shares: pd.DataFrame, show: Show) -> None:
    """The bars: what is against us left of the middle of the neutral part, what is for us right of it."""
    against, between, pro = (shares[name] for name in shares.columns)
    start = -(against + between / 2)
    reach = [max(side.max() + 0.12, NAMED) for side in (against + between / 2, pro + between / 2)]
    for name, colour in zip(shares.columns, (ORANGE, MIDDLE, BLUE), strict=True):
        ax.barh(shares.index, shares[name], left=start, color=colour, height=0.62)
        for row in shares.index:
            part, text = shares[name][row], drawable(show(name, shares[name][row]))
            if part >= READ * sum(reach):
                tone = "white" if colour == BLUE else INK
                ax.text(start[row] + part / 2, row, text, ha="center", va="center", color=tone, fontsize=9)
            elif part > 0 and colour == ORANGE:  # beside its end, as its side is the outer one
                ax.text(start[row] - 0.012, row, text, ha="right", va="center", color=INK, fontsize=9)
            elif part > 0 and colour == BLUE:
                ax.text(start[row] + part + 0.012, row, text, ha="left", va="center", color=INK, fontsize=9)
        start = start + shares[name]
    ax.axvline(0, color=SOFT, linewidth=0.8, linestyle=":", zorder=0)
    ax.set_xlim(-reach[0], reach[1])
    ax.set_xticks([])
    ax.spines[["bottom", "left"]].set_visible(False)
    ax.tick_params(axis="y", length=0)


def _keyed(ax: Axes, parts: Sequence[str], heading: Heading) -> None:
    """What the parts are called, under the bars in their colours: left, at the middle and right, as they lie."""
    left, right = ax.get_xlim()
    places = ((left, "left", DARK), (0.0, "center", SOFT), (right, "right", BLUE))
    for part, (at, align, colour) in zip(parts, places, strict=True):
        ax.text(
            *(at, -0.04, drawable(heading(part))),
            transform=ax.get_xaxis_transform(),
            ha=align,
            va="top",
            color=colour,
            fontweight="bold",
            fontsize=9,
        )


def _valued(ax: Axes, rows: pd.DataFrame, value: str, show: Show, ends: tuple[float, float]) -> None:
    """Points with their intervals on the whole scale; rings are the period before."""
    low, high = (rows[f"{value}_{end}"].astype(float) for end in ("low", "high"))
    ax.hlines(rows.index, low, high, color=BLUE, linewidth=3, alpha=0.45)
    ax.plot(rows[value], rows.index, "o", color=BLUE)
    if f"{value}_before" in rows:
        ax.plot(rows[f"{value}_before"], rows.index, "o", markerfacecolor="none", color=ORANGE)
    for row in rows.index:
        at = rows[value][row]
        charts._beside(ax, show(value, at), at, row, offset=(0, 11), align="center", halo=True)
    middle = sum(ends) / 2
    ax.axvline(middle, color=SOFT, linewidth=0.8, linestyle=":")
    ax.set_xlim(ends[0] - 0.03 * (ends[1] - ends[0]), ends[1] + 0.03 * (ends[1] - ends[0]))
    ax.set_xticks([ends[0], middle, ends[1]])
    ax.xaxis.set_major_formatter(FuncFormatter(lambda at, _: f"{at:g}"))
    ax.tick_params(axis="x", labelsize=8)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def mirror(
    table: pd.DataFrame,
    *,
    label: str,
    sides: tuple[str, str],
    rest: str | None = None,
    title: str,
    about: str,
    heading: Heading,
    show: Show,
) -> Chart | None:
    """Counts of two sides left and right of one line, an ordered label a row from below: an age pyramid.

    `rest` is of neither side: shown in grey at the right end, so that nobody is left out.
    """
    rows = table.reset_index(drop=True)
    if rows.empty or not rows[[*sides, *([rest] if rest else [])]].to_numpy().sum():
        return None
    counts = rows[[*sides]].astype(float)
    more = rows[rest].astype(float) if rest else pd.Series(0.0, index=rows.index)

    def draw(ax: Axes) -> None:
        reach = _sides(ax, counts, more, show)
        named = [(sides[0], -reach / 2, DARK), (sides[1], reach / 2, BLUE)]
        named += [(rest, reach * 0.93, SOFT)] if rest and more.any() else []
        for name, at, colour in named:
            align = "right" if name == rest else "center"
            ax.text(at, len(rows) - 0.35, drawable(heading(name)), ha=align, color=colour, fontweight="bold")
        ax.set_yticks(rows.index, charts._words(rows[label]))
        ax.set_ylim(-0.6, len(rows) + 0.1)

    said = "; ".join(
        f"{row[label]}: "
        + ", ".join(
            f"{heading(side)} {show(side, row[side])}" for side in (*sides, *([rest] if rest else []))
        )
        for _, row in rows.iterrows()
    )
    return charts._chart(draw, title, about, f"{title}. {said}", height=1.3 + 0.38 * len(rows))


def _sides(ax: Axes, counts: pd.DataFrame, more: pd.Series, show: Show) -> float:
    """Both sides with their numbers, and what is of neither at the right end; returns how far the axis reaches."""
    left, right = (counts[side] for side in counts.columns)
    ax.barh(counts.index, -left, color=ORANGE, height=0.7)
    ax.barh(counts.index, right, color=BLUE, height=0.7)
    ax.barh(counts.index, more, left=right, color=MIDDLE, height=0.7)
    for row in counts.index:
        first, second = (show(side, counts[side][row]) for side in counts.columns)
        charts._beside(ax, first, -left[row], row, offset=(-4, 0), align="right")
        told = f"{second} + {show(left.name, more[row])}" if more[row] else second
        charts._beside(ax, told, right[row] + more[row], row)
    ax.axvline(0, color="white", linewidth=1.5)
    reach = float(max(left.max(), (right + more).max(), 1) * 1.18)
    ax.set(xlabel="", ylabel="", xlim=(-reach, reach))
    ax.set_xticks([])
    ax.spines[["bottom", "left"]].set_visible(False)
    ax.tick_params(axis="y", length=0)
    return reach


def stack(
    table: pd.DataFrame,
    *,
    x: str,
    above: Sequence[str],
    below: Sequence[str],
    title: str,
    about: str,
    heading: Heading,
    show: Show,
) -> Chart | None:
    """Parts of a whole over time: some stacked upward from a line, the others downward; named at the last ones.

    Parameters
    ----------
    table : `x`, and a count for each of `above` and `below`, nearest to the line first
    """
    rows = table.reset_index(drop=True)
    if len(rows) < 2 or not rows[[*above, *below]].to_numpy().sum():
        return None
    colours = dict(zip((*above, *below), (*RISING[: len(above)], *SINKING[: len(below)]), strict=True))

    def draw(ax: Axes) -> None:
        ends: list[tuple[float, str]] = []
        for side, sign in ((above, 1), (below, -1)):
            start = np.zeros(len(rows))
            for part in side:
                many = rows[part].to_numpy(dtype=float) * sign
                ax.bar(rows.index, many, bottom=start, color=colours[part], width=0.86, linewidth=0)
                ends.append((start[-1] + many[-1] / 2, part))
                start = start + many
        ax.plot([-0.5, len(rows) - 0.5], [0, 0], color=INK, linewidth=1)
        low, high = ax.get_ylim()
        _named_ends(ax, ends, rows, heading=heading, show=show, least=0.075 * (high - low))
        step = max(-(-len(rows) // 7), 1)
        ticks = list(range((len(rows) - 1) % step, len(rows), step))
        ax.set_xticks(ticks, [show(x, rows[x][tick]) for tick in ticks])
        ax.yaxis.set_major_formatter(FuncFormatter(lambda at, _: show(above[0], abs(at))))
        ax.yaxis.set_major_locator(MaxNLocator(6, integer=True))
        ax.set(xlabel="", ylabel="", xlim=(-0.6, len(rows) * 1.3))
        ax.spines["bottom"].set_visible(False)

    last = rows.iloc[-1]
    said = ", ".join(f"{heading(part)} {show(part, last[part])}" for part in (*above, *below))
    return charts._chart(draw, title, about, f"{title}. {show(x, last[x])}: {said}", height=4.4)


def _named_ends(
    ax: Axes,
    ends: list[tuple[float, str]],
    rows: pd.DataFrame,
    *,
    heading: Heading,
    show: Show,
    least: float,
) -> None:
    """Names with the last values right of the last bars, apart enough to be read, in the order of the parts."""
    last = len(rows) - 1
    ordered = sorted(ends, reverse=True)
    places: list[float] = []
    for at, _ in ordered:
        places.append(min(at, places[-1] - least) if places else at)
    # Pushed down too far: the whole column of names moves up again by half of it.
    places = list(np.array(places) + max((ordered[-1][0] - places[-1]) / 2, 0))
    for (at, part), place in zip(ordered, places, strict=True):
        text = f"{heading(part)} {show(part, rows[part].iloc[-1])}"
        ax.plot([last + 0.45, last + 0.8], [at, place], color=GREY, linewidth=0.7)
        charts._beside(ax, text, last + 0.8, place)
