"""Charts of many measures at once, each in its own unit and on its own scale: sparklines and bullets.

Narrower than other charts, so that their words can still be read on a telephone. They take what those of
`crmlib.visualisation.charts` take; `show` is told the row's unit too (column, value, unit → text).
"""

from collections.abc import Callable, Sequence

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from crmlib.visualisation.charts import Chart, Heading, packed, titled
from crmlib.visualisation.theme import BLUE, GREY, INK, ORANGE, RED, SOFT, cut, drawable, house_look

NARROW = 5.4  # inches: on a screen of 390 points its letters are still ten points high
BAND = "#E4E4E4"
MOST_ROWS = 18
Show = Callable[[str, float, str], str]


def sparklines(
    table: pd.DataFrame,
    *,
    label: str = "id",
    value: str = "value",
    periods: Sequence[str],
    year_before: str,
    title: str,
    about: str,
    heading: Heading,
    show: Show,
) -> Chart | None:
    """A row a measure: a line over the last periods, from the row's own lowest to its highest.

    Parameters
    ----------
    table : `label`, a column for each of `periods` (oldest first), `last_year`, `value_low`, `value_high`,
        `moved` and `moved_on_last_year` (words, as `analysis.panel` gives them), `unit`
    value : the column whose name values are shown by
    year_before : the name of the same period a year ago, which may lie before the first of `periods`
    """
    known = table[list(periods)].notna().sum(axis=1)
    shown = table[known > 0].head(MOST_ROWS).reset_index(drop=True)
    if not (known > 1).any():  # one period is no movement
        return None
    last = len(periods) - 1
    at = list(periods).index(year_before) if year_before in periods else -1

    def draw(ax: Axes) -> None:
        for place, row in shown.iterrows():
            _sparkline(ax, row, place, periods=periods, at=at)
            newest = row[periods[last]]
            text = show(value, newest, row["unit"]) if pd.notna(newest) else "–"
            _written(ax, text, last + 0.35, place, weight="bold")
        ax.set_yticks(shown.index, [_cut(str(name), 22) for name in shown[label]])
        # A stretch of days has a long name: from above, to below.
        ax.set_xticks([0, last], [periods[at].replace("_", "\n") for at in (0, last)])
        ax.set(xlim=(min(at, 0) - 0.4, last + 1.9), ylim=(len(shown) - 0.4, -0.6))
        ax.spines[:].set_visible(False)
        ax.tick_params(length=0)

    said = "; ".join(
        _movement(row, label, heading, lambda v, u: show(value, v, u), periods) for _, row in shown.iterrows()
    )
    marks = _marks(shown, heading, at=at, last=last)
    words = {"title": title, "about": about, "alt": f"{title}. {said}"}
    return _picture(draw, marks, **words, height=0.8 + 0.4 * len(shown))


def _sparkline(ax: Axes, row: pd.Series, place: int, *, periods: Sequence[str], at: int) -> None:
    """One line with its marks, brought into the height of its row."""
    values, last = row[list(periods)].astype(float), len(periods) - 1
    known = [*values.to_list(), row["last_year"], row["value_low"], row["value_high"]]
    known = pd.Series(known, dtype=float).dropna()
    low, reach = known.min(), known.max() - known.min()

    def height(amount: float) -> float:
        # Rows grow downward; what never moved lies in the middle.
        return place + 0.32 - 0.64 * ((amount - low) / reach if reach else 0.5)

    ax.axhline(place + 0.5, color=BAND, linewidth=0.6)
    ax.plot(range(len(periods)), [height(v) for v in values], color=GREY, linewidth=1.4)
    if pd.notna(row["value_low"]) and pd.notna(values.iloc[last]):
        ax.vlines(
            last, height(row["value_low"]), height(row["value_high"]), color=BLUE, linewidth=10, alpha=0.25
        )
    if last and pd.notna(values.iloc[last - 1]):
        ax.plot(
            last - 1, height(values.iloc[last - 1]), "o", color=GREY, markerfacecolor="white", markersize=6
        )
    if pd.notna(row["last_year"]) and at != last - 1:
        ax.plot(at, height(row["last_year"]), "D", color=ORANGE, markersize=5.5)
    if pd.notna(values.iloc[last]):
        ax.plot(last, height(values.iloc[last]), "o", color=BLUE, markersize=7)


def _marks(shown: pd.DataFrame, heading: Heading, *, at: int, last: int) -> list[Line2D | Patch]:
    """What the marks mean; only those that are drawn."""
    marks = [_mark("o", BLUE, heading("value")), _mark("o", GREY, heading("previous"), hollow=True)]
    if at != last - 1 and shown["last_year"].notna().any():
        marks.append(_mark("D", ORANGE, heading("last_year")))
    if shown["value_low"].notna().any():
        marks.append(Patch(color=BLUE, alpha=0.3, label=drawable(heading("interval"))))
    return marks


def _movement(
    row: pd.Series,
    label: str,
    heading: Heading,
    show: Callable[[float, str], str],
    periods: Sequence[str],
) -> str:
    """In words: what it is now, and how it moved."""
    *_, newest = periods
    if pd.isna(row[newest]):
        return f"{row[label]}: –"
    parts = [f"{row[label]}: {show(row[newest], row['unit'])}"]
    others = [("previous", row[periods[-2]] if len(periods) > 1 else None, row["moved"])]
    others.append(("last_year", row["last_year"], row["moved_on_last_year"]))
    for name, other, moved in others:
        if pd.notna(other) and pd.notna(moved):
            parts.append(f"{heading(name)} {show(other, row['unit'])} ({moved})")
    return ", ".join(parts)


def bullets(
    table: pd.DataFrame,
    *,
    label: str = "goal",
    value: str = "actual",
    title: str,
    about: str,
    heading: Heading,
    show: Show,
) -> Chart | None:
    """A bullet a goal, each on its own scale from zero: what is reached, target, plan, history, competitor.

    Parameters
    ----------
    table : `label`, `value` (what is reached), `target`, `plan`, `benchmark`, `usual_low` and `usual_high`
        (the range of its history), `status` (in words), `unit`; all but label, target, status and unit may be empty

    Source: Few (2006), Information Dashboard Design, and his "Bullet Graph Design Specification" (2013).
    """
    shown = table.head(MOST_ROWS).reset_index(drop=True)
    if shown.empty:
        return None

    def draw(ax: Axes) -> None:
        for place, row in shown.iterrows():
            _bullet(ax, row, place, label=label, value=value, show=show)
        ax.set(xlim=(-0.02, 1.04), ylim=(len(shown) - 0.35, -0.62))
        ax.set_xticks([])
        ax.set_yticks([])
        ax.spines[:].set_visible(False)

    said = "; ".join(_standing(row, label, value, heading, show) for _, row in shown.iterrows())
    words = {"title": title, "about": about, "alt": f"{title}. {said}"}
    return _picture(draw, _bullet_marks(shown, value, heading), **words, height=0.4 + 0.95 * len(shown))


AMOUNTS = ("target", "plan", "benchmark", "usual_low", "usual_high")


def _bullet(ax: Axes, row: pd.Series, place: int, *, label: str, value: str, show: Show) -> None:
    """One bullet: its words above, the scale's ends beneath."""
    known = row[[value, *AMOUNTS]].dropna().astype(float)
    low, high = min(known.min(), 0.0), max(known.max(), 0.0)
    reach = (high - low) or 1.0

    def across(amount: float) -> float:
        return float((amount - low) / reach)

    def bar(start: float, end: float, height: float, colour: str) -> None:
        left, right = sorted((across(start), across(end)))
        ax.add_patch(Rectangle((left, place - height / 2), right - left, height, color=colour, linewidth=0))

    bar(low, high, 0.34, "#F4F4F4")
    if pd.notna(row["usual_low"]):
        bar(row["usual_low"], row["usual_high"], 0.34, "#C9C9C9")
    if pd.notna(row[value]) and row[value] >= 0:
        bar(0.0, row[value], 0.13, BLUE)
    elif pd.notna(row[value]):
        # A bar from zero would be the longer the less is reached: below zero a block marks the place.
        at = across(row[value])
        ax.add_patch(Rectangle((at - 0.008, place - 0.13), 0.016, 0.26, color=BLUE, linewidth=0))
    if pd.notna(row["plan"]):
        ax.plot(across(row["plan"]), place, "o", color="white", markeredgecolor=INK, markersize=6.5)
    if pd.notna(row["benchmark"]):
        ax.plot(across(row["benchmark"]), place, "D", color=ORANGE, markeredgecolor="white", markersize=7)
    at = across(row["target"])
    ax.plot([at, at], [place - 0.22, place + 0.22], color=RED, linewidth=3, solid_capstyle="butt")
    reached = show(value, row[value], row["unit"]) if pd.notna(row[value]) else "–"
    _written(ax, _cut(str(row[label]), 34), 0, place - 0.36, weight="bold")
    _written(ax, f"{reached} / {show(value, row['target'], row['unit'])}", 1, place - 0.36, align="right")
    _written(ax, _cut(str(row["status"]), 30), 0.5, place + 0.3, align="center", colour=SOFT)
    for end, align in ((low, "left"), (high, "right")):
        _written(ax, show(value, end, row["unit"]), across(end), place + 0.3, align=align, colour=SOFT)


def _bullet_marks(shown: pd.DataFrame, value: str, heading: Heading) -> list[Line2D | Patch]:
    marks: list[Line2D | Patch] = [
        Patch(color=BLUE, label=drawable(heading(value))),
        _mark("|", RED, heading("target"), wide=True),
    ]
    if shown["plan"].notna().any():
        marks.append(_mark("o", INK, heading("plan"), hollow=True))
    if shown["benchmark"].notna().any():
        marks.append(_mark("D", ORANGE, heading("benchmark")))
    if shown["usual_low"].notna().any():
        marks.append(Patch(color="#C9C9C9", label=drawable(heading("usual"))))
    return marks


def _standing(row: pd.Series, label: str, value: str, heading: Heading, show: Show) -> str:
    """A bullet in words."""
    parts = [f"{row[label]}: {row['status']}"]
    for column in (value, "target", "plan", "benchmark"):
        if pd.notna(row[column]):
            parts.append(f"{heading(column)} {show(value, row[column], row['unit'])}")
    if pd.notna(row["usual_low"]):
        ends = (show(value, row[end], row["unit"]) for end in ("usual_low", "usual_high"))
        parts.append(f"{heading('usual')} {' – '.join(ends)}")
    return ", ".join(parts)


def _mark(sign: str, colour: str, text: str, *, hollow: bool = False, wide: bool = False) -> Line2D:
    """An entry of the key."""
    inside = "white" if hollow else colour
    return Line2D(
        [],
        [],
        marker=sign,
        color=colour,
        markerfacecolor=inside,
        linestyle="",
        markersize=11 if wide else 6,
        markeredgewidth=3 if wide else 1,
        label=drawable(text),
    )


def _written(
    ax: Axes, text: str, x: float, y: float, *, align: str = "left", colour: str = INK, weight: str = "normal"
) -> None:
    size = 10 if colour == INK else 9
    ax.text(x, y, drawable(text), ha=align, va="center", color=colour, fontweight=weight, fontsize=size)


def _cut(text: str, most: int) -> str:
    return cut(drawable(text), most)


def _picture(
    draw: Callable[[Axes], None], marks: Sequence[Artist], *, title: str, about: str, alt: str, height: float
) -> Chart:
    """The rows, and under them the key and what the picture is about."""
    with house_look():
        across = 4 if len(marks) <= 4 else 3
        lines = -(-len(marks) // across)
        foot = 0.3 + 0.22 * lines  # inches
        size = (NARROW, min(height, 11) + foot)
        figure = Figure(figsize=size, layout="constrained")
        figure.get_layout_engine().set(rect=(0, foot / size[1], 1, 1 - foot / size[1]))
        draw(figure.add_subplot())
        titled(figure, title, 52)
        key = {"ncols": across, "frameon": False, "fontsize": 9, "handletextpad": 0.4, "columnspacing": 1.2}
        figure.legend(
            handles=marks, loc="lower left", bbox_to_anchor=(0, 0.2 / size[1]), borderpad=0.2, **key
        )
        figure.text(0.01, 0.06 / size[1], drawable(about), fontsize=8, color=SOFT)
        return Chart(packed(figure), alt)
