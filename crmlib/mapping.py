"""Where each table comes from, and which of its columns means what: the `tables` part of `client.yml`."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from crmlib.rules import Rule

WORD = re.compile(r"[^\W\d]\w*")


def _word(name: str) -> str:
    if not WORD.fullmatch(name):
        raise ValueError("not usable as a name in SQL; begin with a letter, then letters, digits and _")
    return name


class Delivered(Rule):
    """Files, or one database query, and how they are read."""

    files: list[str] = Field(default_factory=list)  # relative to data/<client>/raw/, globs allowed
    sheet: str | None = None  # of a workbook; the first visible one unless said
    header_row: int | None = Field(None, ge=1)  # where the header stands, if it cannot be told
    delimiter: str | None = Field(None, min_length=1, max_length=1)
    encoding: Literal["utf-8", "utf-16", "gb18030"] | None = None
    database: str | None = Field(None, pattern=r"^[A-Z][A-Z0-9_]*$")  # environment variable with its URL
    query: str | None = Field(None, min_length=1)  # what to ask that database

    @model_validator(mode="after")
    def _from_one_place(self) -> "Delivered":
        if (self.database is None) != (self.query is None):
            raise ValueError("database and query go together")
        if bool(self.files) + (self.database is not None) + bool(getattr(self, "sql", None)) != 1:
            raise ValueError(
                "say files, or database and query" + (", or sql" if hasattr(self, "sql") else "")
            )
        return self


class Source(Delivered):
    """One of our tables: where it comes from, and which of its columns means what."""

    sql: str | None = Field(None, min_length=1)  # a query over `sources`, answered by DuckDB
    columns: dict[str, str]  # canonical column: header in the file
    date_format: str | None = None  # strptime form, where nothing else tells
    day_first: bool | None = None  # 03/04/2024 is 3 April; found from the column unless said
    decimal: Literal[".", ","] | None = None  # the decimal sign; found from the column unless said
    exact_duplicates: Literal["merge", "keep"] = "merge"


class Returns(Rule):
    """How a return is told from a sale: by its order number, or by a column that marks it."""

    order_id_starts_with: str | None = Field(None, min_length=1)
    column: str | None = None  # header of the mark
    values: list[str] = Field(
        default_factory=list
    )  # what the mark says of a return; anything at all unless said

    @model_validator(mode="after")
    def _one_way(self) -> "Returns":
        if (self.order_id_starts_with is None) == (self.column is None):
            raise ValueError("say order_id_starts_with or column, one of them")
        return self


class Transactions(Source):
    """Order lines."""

    returns: Returns | None = None
    zero_price: Literal["gift", "purchase"] = "gift"


class Answer(Rule):
    """The column of one question, and the ends of its scale."""

    column: str
    scale: tuple[float, float]

    @model_validator(mode="after")
    def _in_order(self) -> "Answer":
        if self.scale[0] >= self.scale[1]:
            raise ValueError("the scale's first end must lie below its second")
        return self


class Surveys(Source):
    """Answers to a satisfaction survey, a column for each question."""

    answers: dict[Literal["product", "service", "after_sales", "brand", "overall", "recommend"], Answer]


class Needs(Source):
    """Answers to a needs survey; the service a customer expects is an answer on a scale."""

    service_scale: tuple[float, float] = (1, 5)  # ends of the scale of service_expectation

    @model_validator(mode="after")
    def _in_order(self) -> "Needs":
        if self.service_scale[0] >= self.service_scale[1]:
            raise ValueError("the scale's first end must lie below its second")
        return self


class Snapshot(Source):
    """Totals of each customer at one date; its satisfaction score needs the ends of its scale."""

    satisfaction_scale: tuple[float, float] | None = None

    @model_validator(mode="after")
    def _scale_told(self) -> "Snapshot":
        if (self.satisfaction_scale is None) != ("satisfaction" not in self.columns):
            raise ValueError("columns.satisfaction and satisfaction_scale go together")
        if self.satisfaction_scale and self.satisfaction_scale[0] >= self.satisfaction_scale[1]:
            raise ValueError("the scale's first end must lie below its second")
        return self


class Tables(Rule):
    """The tables a client delivers; one that is absent is reported as not supplied.

    One of order lines, a tier table or a customer snapshot is needed: the others lean on it.
    """

    customers: Source | None = None
    transactions: Transactions | None = None
    snapshot: Snapshot | None = None
    tiers: Source | None = None
    surveys: Surveys | None = None
    needs: Needs | None = None
    feedback: Source | None = None
    interactions: Source | None = None
    relations: Source | None = None
    costs: Source | None = None
    campaigns: Source | None = None
    market: Source | None = None
    applications: Source | None = None

    @model_validator(mode="after")
    def _something_to_stand_on(self) -> "Tables":
        if not (self.transactions or self.snapshot or self.tiers):
            raise ValueError("one of transactions, snapshot or tiers is needed")
        return self

    def named(self) -> dict[str, Source]:
        """The tables that were supplied, by name."""
        return {name: getattr(self, name) for name in type(self).model_fields if getattr(self, name)}


def _apart(sources: dict[str, Delivered]) -> dict[str, Delivered]:
    """Names that nothing else bears: figures and SQL know sources and tables by name alone."""
    taken = set(Tables.model_fields)
    for name in sources:
        if name.casefold() in taken:
            raise ValueError(f"{name} is the name of a table or of another source; call it something else")
        taken.add(name.casefold())
    return sources


Sources = Annotated[dict[Annotated[str, AfterValidator(_word)], Delivered], AfterValidator(_apart)]
