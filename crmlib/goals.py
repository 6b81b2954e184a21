"""Goals as a client states them in `client.yml`: what is to be reached by when, who owns it, what it serves;
and what was undertaken, with the KPI by which it is judged."""

import datetime as dt
from typing import Literal

from pydantic import Field, FiniteFloat, field_validator, model_validator

from crmlib.measures import measure
from crmlib.rules import Rule


class Goal(Rule):
    """One goal: a KPI, an amount, a day. Sub-goals name their parent."""

    name: str = Field(min_length=1)
    kpi: str  # an id of GLOSSARY.md
    target: FiniteFloat  # money in main units, shares 0–1
    by: dt.date
    start: dt.date | None = None  # from when it is worked for; a total is summed from here
    direction: Literal["up", "down"] = "up"  # down: no more than the target
    parent: str | None = None
    serves: str = ""  # of a goal without a parent: the strategy it stands for
    owner: str = ""
    supervisor: str = ""
    benchmarks: dict[str, FiniteFloat] = Field(default_factory=dict)  # competitor: their value of the KPI

    @model_validator(mode="after")
    def _sound(self) -> "Goal":
        if self.start is not None and self.start >= self.by:
            raise ValueError(f"start ({self.start}) must lie before by ({self.by})")
        try:
            measure(self.kpi)
        except KeyError:
            raise ValueError(f"kpi {self.kpi!r} is no id of GLOSSARY.md") from None
        return self


class Undertaking(Rule):
    """Something that was done from a day on, and the KPI by which it is judged."""

    name: str = Field(min_length=1)
    day: dt.date
    kpi: str  # an id of GLOSSARY.md
    direction: Literal["up", "down"] = "up"  # down: it is to become less

    @field_validator("kpi")
    @classmethod
    def _known(cls, kpi: str) -> str:
        try:
            measure(kpi)
        except KeyError:
            raise ValueError(f"{kpi!r} is no id of GLOSSARY.md") from None
        return kpi


def checked_tree(goals: dict[str, Goal]) -> dict[str, Goal]:
    """The goals, if every parent is there and none is its own ancestor; `ValueError` otherwise."""
    for key, goal in goals.items():
        line, seen = goal, {key}
        while line.parent is not None:
            if line.parent not in goals:
                raise ValueError(f"{key}: parent {line.parent!r} is no goal here")
            if line.parent in seen:
                raise ValueError(f"{key}: goes in a circle through {line.parent!r}")
            seen.add(line.parent)
            line = goals[line.parent]
    return goals
