"""Five principles every figure keeps (V05), checked while it is made: a run with a figure that breaks one stops.

1. It serves an aim: a measure of GLOSSARY.md, or a goal of the client's own `client.yml`. Which goals a figure
   serves is recorded with it, so that a goal no figure explains can be told.
2. Its groups are complete: no two of one name, none without a name, and parts of a whole make the whole.
3. It is accurate: it says how many, as of when and from where; what it counts comes to that number.
4. Its structure is clear: a title, an order that the eye finds, no more bars than can be read.
5. It is visual for everybody: a picture, and words in its place that name values.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from crmlib.errors import FigureError
from crmlib.exhibits import UNITS, Exhibit
from crmlib.goals import Goal
from crmlib.language import WORDS
from crmlib.measures import measure
from crmlib.pictures import CLASSED
from crmlib.sentences import About

LONGEST_TITLE = 110  # letters: three lines over a chart are no title
WHOLE = 1e-6
SHOWN = {"kpi": "measure", "figures": "count"}
PNG = b"\x89PNG\r\n"
GOAL = "goal."  # before the key of a goal in `client.yml`
REST = ("unknown", "other", "not_supplied", "not_graded", "not_grouped", "too_few")
# Labels with an order of their own, in which their tables come; classes come in the order of their rule.
ORDINAL = (
    *("age", "placed", "month", "period", "weekday", "season", "orders_so_far", "over_days", "from_amount"),
    *("level", *CLASSED),
)
# Charts whose bars the eye compares by their lengths.
RANKED = ("bars",)
NAMED = ("bars", "ordinal", "diverging", "mirror", "intervals")


def goals_served(serves: str, goals: Mapping[str, Goal]) -> list[str]:
    """The client's goals that a figure explains: those named, or whose KPI it serves.

    A figure of a group's measure (`sales.identified.region.{value}`) serves the goal of that group, a figure of why a
    measure changed (`change.sales.identified.new`) the goal of that measure.
    """
    if serves.startswith(GOAL):
        return [key for key in goals if key == serves.removeprefix(GOAL)]
    found = []
    for key, goal in goals.items():
        kpi = {goal.kpi, measure(goal.kpi).id}
        if serves in kpi or any(serves.startswith(f"change.{one}.") for one in kpi):
            found.append(key)
    return found


def check(exhibit: Exhibit, drawing: Mapping[str, Any], goals: Mapping[str, Goal], *, period: bool) -> None:
    """Nothing, if a drawn exhibit keeps the principles.

    Parameters
    ----------
    drawing : what its chart was drawn with, and `draw`, the chart's name
    goals : of `client.yml`
    period : the figure is one of a period, and says as of when

    Raises
    ------
    FigureError : it names every principle that is broken, and by what
    """
    told = faults(exhibit, drawing, goals, period=period)
    if told:
        raise FigureError(f"Figure {exhibit.id} breaks what every figure keeps: " + "; ".join(told) + ".")


def faults(
    exhibit: Exhibit, drawing: Mapping[str, Any], goals: Mapping[str, Goal], *, period: bool
) -> list[str]:
    """What is wrong with a drawn exhibit, in words, principle by principle; empty where nothing is."""
    return [
        *_aim(exhibit.serves, goals),
        *_groups(exhibit.table, drawing),
        *_accuracy(exhibit, drawing, period=period),
        *_structure(exhibit, drawing),
        *_visual(exhibit),
    ]


def _aim(serves: str, goals: Mapping[str, Goal]) -> list[str]:
    if not serves:
        return ["it serves no aim: name a measure or a goal"]
    if serves.startswith(GOAL):
        known = ", ".join(goals) or "none"
        return [] if goals_served(serves, goals) else [f"{serves} is no goal of client.yml (there: {known})"]
    try:
        measure(serves)
    except KeyError:
        return [f"it serves {serves!r}, which GLOSSARY.md does not know"]
    return []


def _groups(table: pd.DataFrame, drawing: Mapping[str, Any]) -> list[str]:
    told = []
    label = drawing.get("label")
    if label in table and drawing["draw"] in NAMED and "class" not in table:
        names = table[label]
        nameless = int(names.isna().sum())
        if nameless:
            told.append(f"{nameless} of its groups have no name; call them unknown")
        twice = names[names.notna() & names.duplicated()]
        if len(twice):
            told.append(f"two of its groups are called {twice.iloc[0]!r}")
    if _of_a_whole(table):
        whole = float(table["share"].sum())
        if abs(whole - 1) > WHOLE:
            told.append(f"its parts make {whole:.1%} of the whole; show the rest as unknown or other")
    for parts in [list(drawing["parts"])] if "parts" in drawing else []:
        sums = table[parts].dropna().sum(axis=1)
        if ((sums - 1).abs() > WHOLE).any():
            told.append(f"the parts of a row make {sums[(sums - 1).abs() > WHOLE].iloc[0]:.1%} of it")
    return told


def _of_a_whole(table: pd.DataFrame) -> bool:
    """Whether rows are parts of one whole: a share without an interval, of groups of one kind."""
    estimate = {"share_low", "class"}.intersection(table.columns)
    return "share" in table and not estimate and bool(table["share"].notna().any())


def _accuracy(exhibit: Exhibit, drawing: Mapping[str, Any], *, period: bool) -> list[str]:
    about, table, told = exhibit.about, exhibit.table, []
    if not isinstance(about, About) or about.n is None:
        return ["it does not say how many it shows, as of when and from where (book.about)"]
    if about.n <= 0:
        told.append(f"it shows something of n = {about.n}")
    if not about.source:
        told.append("it names no source")
    if period and not about.dated:
        told.append("it does not say as of when")
    size = drawing.get("size", "customers")
    counts = {"count", "number"}.intersection([exhibit.units.get(size) or UNITS.get(size)])
    if counts and size in table and _of_a_whole(table) and int(table[size].sum()) != about.n:
        told.append(f"it says n = {about.n}, and its groups count {int(table[size].sum())}")
    for low in [name for name in table.columns if name.endswith("_low")]:
        high = f"{low.removesuffix('_low')}_high"
        if high in table and (table[low].astype(float) > table[high].astype(float)).any():
            told.append(f"an interval ends before it begins ({low}, {high})")
    return told


def _structure(exhibit: Exhibit, drawing: Mapping[str, Any]) -> list[str]:
    told, table = [], exhibit.table
    if not exhibit.title.strip():
        told.append("it has no title")
    elif len(exhibit.title) > LONGEST_TITLE:
        told.append(f"its title has {len(exhibit.title)} letters, at most {LONGEST_TITLE} are read")
    if drawing["draw"] in RANKED and not _in_order(table, drawing["label"], drawing["size"]):
        told.append(f"its bars stand in no order, neither by {drawing['size']} nor by {drawing['label']}")
    return told


def _in_order(table: pd.DataFrame, label: str, size: str) -> bool:
    """Whether bars stand by their length, or their names in an order of their own; the rest last, or anywhere."""
    if label in ORDINAL:
        return True
    named = table[~table[label].isin(REST)]
    sizes = named[size].dropna().astype(float)
    return sizes.is_monotonic_decreasing or sizes.is_monotonic_increasing or _by_name(named[label].tolist())


def _by_name(names: Sequence[str]) -> bool:
    """Whether names stand as the library orders them (high, medium, low), or by the alphabet, either way round."""
    known = {word: place for place, word in enumerate(WORDS)}
    places = [(known.get(name, len(known)), str(name)) for name in names]
    return places in (sorted(places), sorted(places, reverse=True))


def _visual(exhibit: Exhibit) -> list[str]:
    told = []
    if not bytes(exhibit.chart.png).startswith(PNG):
        told.append("its picture is none")
    title = exhibit.language.text(exhibit.title)
    words = exhibit.chart.alt.removeprefix(title)
    if words == exhibit.chart.alt:
        told.append("its words do not begin with its title")
    if not any(letter.isdigit() for letter in words):
        told.append("its words name no value")
    return told


def served(figures: Sequence[Exhibit], goals: Mapping[str, Goal]) -> pd.DataFrame:
    """How many figures explain each goal of a client: goal (its name), kpi (an id), figures."""
    rows = [
        (goal.name, goal.kpi, sum(key in goals_served(e.serves, goals) for e in figures if e.chart))
        for key, goal in goals.items()
    ]
    return pd.DataFrame(rows, columns=["goal", "kpi", "figures"])


def unserved(table: pd.DataFrame) -> dict:
    """What `served` comes to: goals (how many), names (of those no figure explains), left (how many)."""
    none = table.loc[table["figures"] == 0, "goal"].tolist()
    return {"goals": len(table), "names": none, "left": len(none)}
