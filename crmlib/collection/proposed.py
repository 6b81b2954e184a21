"""What a proposal is made of: which columns a table must have, what was chosen for them, and from where."""

from dataclasses import dataclass, field

from crmlib.collection.recognition import Guess, Profile
from crmlib.collection.relating import Link, Look
from crmlib.collection.samples import Export

ASPECTS = ("product", "service", "after_sales", "brand", "overall", "recommend")
# Any of these sets must be found before a file is taken for the table at all.
NEEDS: dict[str, tuple[set[str], ...]] = {
    "transactions": ({"ordered_at", "amount"}, {"ordered_at", "price"}),
    "tiers": tuple(
        {one, other} for one in ("tier", "loyalty", "activity") for other in ("spend", "frequency")
    ),
    "snapshot": tuple(
        {"customer_id", one} for one in ("spend", "tenure_months", "lifetime_value", "churned", "orders")
    ),
    "applications": ({"applied_day", "decision"},),
    "relations": ({"customer_id", "other_id"},),
    "market": (
        {"asked_day", "question", "answer", "respondents"},
        {"asked_day", "question", "answer", "firm"},
    ),
    "campaigns": tuple({"campaign", one} for one in ("reach", "engagement", "conversions", "cost")),
    "costs": ({"amount", "cost_day"},),
    "surveys": tuple({"customer_id", "answered_day", aspect} for aspect in ASPECTS),
    "interactions": tuple(
        {"opened_at", one} for one in ("answered_at", "resolved_at", "kind", "topic", "sentiment")
    ),
    "feedback": ({"text", "said_day"},),
    "needs": tuple(
        {"customer_id", one}
        for one in ("need", "product_preference", "price_sensitivity", "service_expectation")
    ),
    "customers": tuple(
        {"customer_id", one}
        for one in (
            "name",
            "contact",
            "customer_type",
            "industry",
            "region",
            "city",
            "gender",
            "birth_year",
            "scale",
        )
    ),
}
# Two headers as good as each other are asked about.
DECIDING = {"customer_id", "ordered_at", "amount", "answered_day"}


@dataclass(frozen=True)
class Choice:
    """A column of a table: the export and header that hold it, and others that are as good."""

    guess: Guess
    export: str
    header: str  # as the table's rows name it
    others: tuple[str, ...] = ()  # as good; where the column decides, it is left to the client


@dataclass(frozen=True)
class Proposed:
    """One table: its base, what is joined to it, and what its columns are."""

    table: str
    base: Export
    choices: dict[str, Choice]
    joins: tuple[Link, ...] = ()
    returns: tuple[Export, str, str, str] | None = None  # export, its order number, its mark, ours
    score: float = 0.0

    @property
    def complete(self) -> bool:
        """Whether everything the table needs was found."""
        return any(
            need <= {c for c, choice in self.choices.items() if not self.open(c)}
            for need in NEEDS[self.table]
        )

    def open(self, column: str) -> bool:
        """Whether a column is left to the client, two headers being as good."""
        return bool(self.choices[column].others) and column in DECIDING


@dataclass
class Proposal:
    """Every table that was recognised, and the exports that are none."""

    looks: dict[str, Look]
    links: list[Link] = field(default_factory=list)
    tables: dict[str, Proposed] = field(default_factory=dict)

    def profile(self, choice: Choice) -> Profile:
        """The cells behind a choice."""
        return self.looks[choice.export].profiles[choice.guess.header]

    @property
    def joined(self) -> set[str]:
        """Exports that a table's query names."""
        found = set()
        for proposed in self.tables.values():
            if proposed.joins or proposed.returns or proposed.base.parts:
                found |= {proposed.base.name, *(link.parent for link in proposed.joins)}
                found |= {proposed.returns[0].name} if proposed.returns else set()
        return found

    @property
    def spare(self) -> list[Export]:
        """Exports that no table is made of."""
        used = self.joined | {proposed.base.name for proposed in self.tables.values()}
        return [look.export for look in self.looks.values() if look.export.name not in used]
