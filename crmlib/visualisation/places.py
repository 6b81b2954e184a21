"""Where customers are: a grid of tiles, or a map of the client's own, each place with its number.

The same grammar as `visualisation.charts`. Nothing is loaded from outside: the ground comes as plain numbers.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from crmlib.visualisation import charts
from crmlib.visualisation.charts import Chart, Heading, Show
from crmlib.visualisation.theme import INK, SCALE, SOFT, drawable

EMPTY = "#F1F1F1"
BESIDE = 8  # places named beside the ground, the rest together
PALEST = 0.12  # of the scale: somebody is there
WRAP = 8  # letters of a tile's line
GAP = 0.06
SHORT = 12  # letters of a name beside the ground

Ring = tuple[tuple[float, float], ...]


def picture(
    table: pd.DataFrame,
    *,
    ground: Any,
    title: str,
    about: str,
    heading: Heading,
    show: Show,
    place: str = "place",
    region: str = "region",
    size: str = "customers",
) -> Chart | None:
    """Places shaded by a number that stands in each; what lies nowhere is named at the side with its number.

    Parameters
    ----------
    table : `place` (empty where the ground knows none), `region` (its name as delivered), `size`
    ground : `kind` (tiles, map or none), `tiles` (place → row and column), `shapes` (place → polygons, each its
        outer ring and its holes)
    """
    known, lost = table[table[place].notna()], table[table[place].isna()]
    if ground.kind == "none" or known.empty:
        return None
    values = dict(zip(known[place], known[size].astype(float), strict=True))
    most = max(values.values(), default=0.0) or 1.0
    shade = _shades(values, most)

    def draw(ax: Axes) -> None:
        if ground.kind == "tiles":
            right = _tiles(ax, ground.tiles, values, shade, write=lambda value: show(size, value))
        else:
            right = _shapes(ax, ground.shapes, values, shade, write=lambda value: show(size, value))
        named = list(zip(lost[region].astype(str), lost[size], strict=True))
        _beside_ground(ax, named, right, heading=heading, write=lambda value: show(size, value))
        ax.set_xticks([])
        ax.set_yticks([])
        ax.spines[:].set_visible(False)

    said = [f"{name}: {show(size, value)}" for name, value in list(values.items())[:6]]
    said += [f"{heading('not_on_map')}: {show(size, lost[size].sum())}"] if len(lost) else []
    height = 6.0 if ground.kind == "tiles" else 5.6
    return charts._chart(draw, title, about, f"{title}. {heading(size)}: {'; '.join(said)}", height=height)


def _shades(values: Mapping[str, float], most: float) -> dict[str, tuple]:
    """The colour of each place by its number: none is grey, few is pale, the most is darkest."""
    return {
        name: SCALE(PALEST + (1 - PALEST) * max(value, 0) / most) if value > 0 else to_rgb(EMPTY)
        for name, value in values.items()
    }


def _on(colour: tuple) -> str:
    """Ink or white, whichever is read on a colour (relative luminance, WCAG 2)."""
    parts = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
    light = sum(part * weight for part, weight in zip(parts, (0.2126, 0.7152, 0.0722), strict=True))
    return "white" if light < 0.3 else INK


def _tiles(
    ax: Axes,
    tiles: Mapping[str, tuple[int, int]],
    values: Mapping[str, float],
    shade: Mapping[str, tuple],
    *,
    write: Callable[[float], str],
) -> float:
    """A square a place with its name and number; returns where the ground ends."""
    for name, (row, column) in tiles.items():
        value, colour = values.get(name, 0.0), shade.get(name, to_rgb(EMPTY))
        side = 1 - GAP
        ax.add_patch(Rectangle((column, row), side, side, facecolor=colour, linewidth=0))
        tone = _on(colour) if value else SOFT
        lines = _lines(name)
        longest = max(len(line) for line in lines)
        fontsize = 9.5 if not name.isascii() else 8 if longest <= WRAP else 7
        middle = (column + side / 2, row + side / 2)
        ax.text(
            middle[0],
            middle[1] - 0.17,
            "\n".join(lines),
            ha="center",
            va="center",
            color=tone,
            fontsize=fontsize,
        )
        ax.text(
            *(middle[0], middle[1] + (0.2 if len(lines) == 1 else 0.27), drawable(write(value))),
            ha="center",
            va="center",
            color=tone,
            fontsize=9.5,
            fontweight="bold" if value else "normal",
        )
    rows, across = (max(place[n] for place in tiles.values()) + 1 for n in (0, 1))
    ax.set_ylim(rows, 0)
    ax.set_xlim(0, across)
    ax.set_aspect("equal")
    ax.set_anchor("W")
    return across + 0.4


def _lines(name: str) -> list[str]:
    """A name on one line of a tile, or on two.

    >>> _lines("Inner Mongolia"), _lines("广东")
    (['Inner', 'Mongolia'], ['广东'])
    """
    first, _, rest = drawable(name).partition(" ")
    return [first, rest] if rest and len(name) > WRAP else [drawable(name)]


def _shapes(
    ax: Axes,
    shapes: Mapping[str, tuple[tuple[Ring, ...], ...]],
    values: Mapping[str, float],
    shade: Mapping[str, tuple],
    *,
    write: Callable[[float], str],
) -> float:
    """Areas with their numbers; returns where the ground ends."""
    points = [point for polygons in shapes.values() for polygon in polygons for point in polygon[0]]
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    wide, high = (max(xs) - min(xs)) or 1.0, (max(ys) - min(ys)) or 1.0
    for name, polygons in shapes.items():
        path = Path.make_compound_path(*(_outline(polygon) for polygon in polygons))
        colour = shade.get(name, to_rgb(EMPTY))
        ax.add_patch(PathPatch(path, facecolor=colour, edgecolor="white", linewidth=0.8))
    for name in sorted(values, key=values.get):  # the largest last: its words lie on top
        if name in shapes:
            _named(ax, name, write(values[name]), shapes[name], shade[name], letter=0.016 * wide)
    degrees = max(map(abs, ys)) <= 90 and max(map(abs, xs)) <= 180.0001
    middle = math.radians((max(ys) + min(ys)) / 2)
    # A degree of longitude is the narrower, the further from the equator.
    ax.set_aspect(1 / max(math.cos(middle), 0.2) if degrees else 1.0)
    ax.set_xlim(min(xs) - 0.02 * wide, max(xs) + 0.02 * wide)
    ax.set_ylim(min(ys) - 0.02 * high, max(ys) + 0.02 * high)
    return max(xs) + 0.05 * wide


def _named(
    ax: Axes,
    name: str,
    text: str,
    polygons: tuple[tuple[Ring, ...], ...],
    colour: tuple,
    *,
    letter: float,
) -> None:
    """A number within its area, under its name where there is room, else right of it, so that its colour is seen."""
    x, y, room = _inside(polygons)
    if room < letter * len(text):
        halo = [charts.withStroke(linewidth=2.2, foreground="white")]
        more = {"ha": "left", "color": INK, "path_effects": halo}
        x += room / 2 + letter / 2
    else:
        more = {"ha": "center", "color": _on(colour)}
        text = f"{name}\n{text}" if room > 1.5 * letter * max(len(name), len(text)) else text
    ax.text(x, y, "\n".join(map(drawable, text.split("\n"))), va="center", fontsize=8.5, **more)


def _outline(polygon: tuple[Ring, ...]) -> Path:
    """A polygon with its holes: turned against each other, so that what is within a hole is left free."""
    parts = []
    for place, ring in enumerate(polygon):
        turned = ring if (_area(ring) > 0) == (place == 0) else ring[::-1]
        closed = [*turned, turned[0]]
        codes = [Path.MOVETO, *[Path.LINETO] * (len(closed) - 2), Path.CLOSEPOLY]
        parts.append(Path(closed, codes))
    return Path.make_compound_path(*parts)


def _area(ring: Ring) -> float:
    """Twice the area of a ring; positive where it turns left.

    >>> _area(((0, 0), (1, 0), (1, 1), (0, 1)))
    2
    """
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, (*ring[1:], ring[0]), strict=True))


def _inside(polygons: tuple[tuple[Ring, ...], ...]) -> tuple[float, float, float]:
    """A point well within the largest polygon, not in a hole of it, and how wide it is there."""
    rings = max(polygons, key=lambda polygon: abs(_area(polygon[0])))
    ys = [point[1] for point in rings[0]]
    best = (rings[0][0][0], rings[0][0][1], 0.0)
    for part in (0.5, 0.4, 0.6, 0.3, 0.7):
        y = min(ys) + part * (max(ys) - min(ys))
        cuts = sorted(
            a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0])
            for ring in rings
            for a, b in zip(ring, (*ring[1:], ring[0]), strict=True)
            if (a[1] > y) != (b[1] > y)
        )
        for left, right in zip(cuts[::2], cuts[1::2], strict=False):
            # A line nearer to the middle is kept unless another is clearly wider.
            if right - left > 1.15 * best[2]:
                best = ((left + right) / 2, y, right - left)
    return best


def _beside_ground(
    ax: Axes, named: list[tuple[str, float]], at: float, *, heading: Heading, write: Callable[[float], str]
) -> None:
    """What lies nowhere on the ground, with its numbers, at the right side."""
    if not named:
        return
    left, right = ax.get_xlim()
    ax.set_xlim(left, max(right, at + 0.3 * (at - left)))
    shown = named if len(named) <= BESIDE + 1 else named[:BESIDE]
    rest = named[len(shown) :]
    lines = [f"{_cut(name)}: {write(value)}" for name, value in shown]
    if rest:
        lines.append(f"+ {len(rest)}: {write(sum(value for _, value in rest))}")
    words = [drawable(line) for line in lines]
    low, high = ax.get_ylim()
    top = high + 0.03 * (low - high)
    heads = drawable(heading("not_on_map"))
    ax.text(at, top, heads, va="top", color=SOFT, fontsize=9, fontweight="bold")
    ax.text(
        at, top + 0.055 * (low - high), "\n".join(words), va="top", color=INK, fontsize=9, linespacing=1.35
    )


def _cut(name: str) -> str:
    return name if len(name) <= SHORT else f"{name[: SHORT - 1]}…"
