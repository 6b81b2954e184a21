"""A waterfall: from a measure then to the measure now, part by part."""

import pandas as pd
from matplotlib.axes import Axes

from crmlib.visualisation.charts import Chart, Heading, Show, _beside, _chart
from crmlib.visualisation.theme import BLUE, GREY, INK, ORANGE, SOFT, cut, drawable, folded

# Of the height of the ends: where parts and their intervals reach over less, bars from zero would hide them.
SEEN = 0.25
LETTERS = 40  # of a part's name on one line


def waterfall(
    table: pd.DataFrame,
    *,
    label: str,
    size: str,
    level: str,
    title: str,
    about: str,
    heading: Heading,
    show: Show,
) -> Chart | None:
    """Each part hangs where the last one ended, blue where it raises and orange where it lowers.

    The ends are bars from zero where the parts can be seen beside them. Else they are marks, and the axis
    begins where the parts need it: a bar that does not begin at zero would lie. Lines are intervals.

    Parameters
    ----------
    table : a row for each end, its `size` empty, and for each part between them
    label, size : columns of a row's name and of what a part moves, with `…_low` and `…_high` where it has an
        interval
    level : column of the measure after it
    """
    if len(table) < 2:
        return None
    rows = table.reset_index(drop=True)
    text = [
        show(level, rows[level][n]) if n in (0, len(rows) - 1) else show(size, rows[size][n])
        for n in rows.index
    ]

    def draw(ax: Axes) -> None:
        _hung(ax, rows[level].astype(float), _reach(rows, size, level), text)
        ax.set_yticks(rows.index, [_folded(str(name)) for name in rows[label]])
        ax.invert_yaxis()
        ax.set(xlabel=heading(level), ylabel="")
        ax.set_xticks([])
        ax.tick_params(axis="y", length=0)
        ax.spines[["bottom", "left"]].set_visible(False)

    said = "; ".join(f"{name}: {value}" for name, value in zip(rows[label], text, strict=True))
    return _chart(draw, title, about, f"{title}. {heading(level)}: {said}", height=1.1 + 0.42 * len(rows))


def _reach(rows: pd.DataFrame, size: str, level: str) -> pd.DataFrame:
    """Where the interval of each part begins and ends on the axis; no columns where parts have none."""
    starts = rows[level].astype(float).shift(1)
    named = [f"{size}_{end}" for end in ("low", "high") if f"{size}_{end}" in rows]
    return pd.DataFrame({name: starts + rows[name].astype(float) for name in named}, index=rows.index)


def _hung(ax: Axes, stands: pd.Series, reach: pd.DataFrame, text: list[str]) -> None:
    """The ends, and the parts between them, each with its text to the right."""
    last, starts = len(stands) - 1, stands.shift(1)
    reached = pd.concat([stands, starts, reach], axis=1, ignore_index=True)
    seen = reached.stack()
    from_zero = not _hidden(seen)
    seen = pd.concat([seen, pd.Series([0.0] if from_zero else [])])
    _ends(ax, stands.iloc[[0, last]], from_zero=from_zero)
    for place in range(1, last):
        moves = stands[place] - starts[place]
        ax.barh(place, moves, left=starts[place], color=BLUE if moves >= 0 else ORANGE, height=0.62)
        if len(reach.columns):
            ax.hlines(place, *reach.loc[place], color=INK, linewidth=1.2)
    for place in range(last):
        ax.plot([stands[place]] * 2, [place, place + 1], color=SOFT, linewidth=0.8, linestyle=":")
    for place in range(last + 1):
        beside = max(stands[place], 0 if from_zero else stands[place])
        right = reached.loc[place].max() if 0 < place < last else beside
        _beside(ax, text[place], right, place, offset=(8, 0))
    # Room for what stands right of a bar.
    wide = seen.max() - seen.min() or 1
    ax.set_xlim(seen.min() - 0.03 * wide, seen.max() + 0.25 * wide)


def _hidden(seen: pd.Series) -> bool:
    """Whether bars from zero would leave too little room for all that is seen."""
    one_side = seen.min() > 0 or seen.max() < 0
    return one_side and seen.max() - seen.min() < SEEN * seen.abs().max()


def _ends(ax: Axes, ends: pd.Series, *, from_zero: bool) -> None:
    if from_zero:
        ax.barh(ends.index, ends, color=GREY, height=0.62)
        ax.axvline(0, color=INK, linewidth=0.8)
    else:
        ax.plot(ends, ends.index, "D", color=INK, markersize=7)


def _folded(name: str) -> str:
    """A part's name on two lines at most.

    >>> _folded("Customers just won then, now no longer new, and more")
    'Customers just won then, now no longer\\nnew, and more'
    """
    text = drawable(name)
    first, *others = folded(text, LETTERS).split("\n")
    return "\n".join([first, cut(text[len(first) :].lstrip(), LETTERS)] if others else [first])
