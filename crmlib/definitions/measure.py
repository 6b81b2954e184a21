"""What a measure is."""

from dataclasses import dataclass

UNITS = ("count", "money", "share", "days", "score", "number")


@dataclass(frozen=True)
class Measure:
    """What a figure is: its unit, its name, how it is computed, from which table."""

    id: str
    unit: str
    label: str
    formula: str
    source: str


def measures(source: str, *rows: tuple[str, str, str, str]) -> list[Measure]:
    """Measures of one source: id, unit, label, formula of each."""
    return [Measure(*row, source) for row in rows]
