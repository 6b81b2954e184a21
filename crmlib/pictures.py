"""How a client wants its charts: by what customers are classed and sorted, and on which map they are shown."""

from pathlib import PurePosixPath
from typing import Literal

from pydantic import Field, ValidationError, field_validator

from crmlib.errors import ConfigError
from crmlib.rules import Rule

ORDERS = ("descending", "ascending")
# What groups of customers may be sorted by: columns of `analysis.groups.classed`.
SORTED_BY = ("group", "customers", "net", "net_each", "orders_each", "recency_days")
CLASSED = (
    *("tier", "value", "abc", "segment", "behaviour", "frequency", "activity", "loyalty", "satisfaction"),
    *("scorecard", "served", "cluster", "habit_group", "habit_channel", "habit_season"),
)
ATTRIBUTES = ("customer_type", "industry", "region", "city", "gender", "scale", "credit_grade", "need")


class Map(Rule):
    """A map of the client's regions as GeoJSON."""

    file: str = Field(min_length=1)  # in the client's own folder
    property: str = Field(min_length=1)  # which property of a feature names the region

    @field_validator("file")
    @classmethod
    def _inside(cls, file: str) -> str:
        path = PurePosixPath(file.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in file:
            raise ValueError("must lie in the client's own folder")
        if path.suffix.lower() not in (".json", ".geojson"):
            raise ValueError("must be a GeoJSON file (.geojson or .json)")
        return file


class Charts(Rule):
    """The charts of notebook 04 that a client may turn to what it asks."""

    attribute: Literal[(*ATTRIBUTES, *CLASSED)] = (
        "industry"  # by what customers are classed: a class or an attribute
    )
    sorted_by: Literal[SORTED_BY] = "net"  # the measure that the groups are sorted by and drawn with
    order: Literal[ORDERS] = "descending"
    compare: Literal[CLASSED] = "tier"  # the class whose groups are held against each other
    map: Map | None = None  # without one, China's provinces are known

    def asked(self, **other: str) -> "Charts":
        """These settings with what a reader asks instead; what is empty stays as it is.

        >>> Charts().asked(attribute="region", order="").attribute
        'region'
        """
        said = {name: value for name, value in other.items() if value}
        try:
            return Charts.model_validate(self.model_dump() | said)
        except ValidationError as problem:
            first = problem.errors(include_url=False)[0]
            key = ".".join(map(str, first["loc"]))
            raise ConfigError(f"{key} {first['input']!r} cannot be charted. {first['msg']}.") from None
