"""Every number that decides a class, one by one: its key in `client.yml`, its value, what it may be.

What a slider moves and what a cell of a workbook holds is one threshold. Those of the combined tier come
first (`of_tiers`). A pair of amounts that is not given (classes then go by share) has no value.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Any, get_args

import annotated_types
from pydantic import BaseModel, ValidationError

from crmlib.rules import Classes, Cuts

FIRST = "classes"
# The settings that a tier is made from, in the order in which a reader meets them.
TIERS = ("tier", "frequency", "value", "lifetime", "loyalty", "behaviour", "satisfaction")
UNASKED = ("value.orders", "frequency.at_least", "value.at_least", "lifetime.at_least")
MONEY = ("value.spend.", "value.profit.", "lifetime.cuts.")
Value = float | int | None


@dataclass(frozen=True)
class Threshold:
    """One number of the rules.

    Parameters
    ----------
    key : as in `client.yml`, joined by dots
    value, default : None where a pair of amounts is not given
    low, high : what it may be; None without an end. `above`, `below`: the end itself is not allowed
    whole : only whole numbers
    """

    key: str
    value: Value
    default: Value
    low: float | None = None
    high: float | None = None
    above: bool = False
    below: bool = False
    whole: bool = False

    @property
    def group(self) -> str:
        """The rule it belongs to, as a word."""
        return self.key.split(".")[1]

    @property
    def words(self) -> list[str]:
        """What it is, as words from the rule down.

        >>> Threshold("classes.tier.weights.spend", 1, 1).words
        ['tier', 'rule_weights', 'spend']
        """
        return [PARTS.get(part, part) for part in self.key.split(".")[1:]]

    @property
    def pair(self) -> str | None:
        """The key of the pair it is one end of; None where it stands alone."""
        parent, _, name = self.key.rpartition(".")
        return parent if name in ("high", "medium", "first", "second") else None

    @property
    def money(self) -> bool:
        """An amount in main units."""
        return self.key.removeprefix(f"{FIRST}.").startswith(MONEY)


# Names of settings that are no words of the library yet, or other ones.
PARTS = {
    name: f"rule_{name}"
    for name in (
        *("weights", "cuts", "shares", "high", "medium", "first", "second", "at_least", "thirds_from"),
        *("own_rhythm_from", "active_gaps", "dormant_gaps", "active_days", "dormant_days", "satisfied"),
        *("dissatisfied", "orders", "spend", "profit", "tenure_days", "recommend", "discount_share"),
        *("price_index", "price_lines", "breadth", "days", "signs", "fewest", "most", "least_members"),
        *("least_silhouette", "least_stability", "sure_stability", "nearly_as_clear", "repeats", "sample"),
        *("least_known", "skewed_from", "least_effect", "rfm", "scorecard", "cluster", "profile"),
        *("product", "service", "after_sales", "brand", "overall"),
    )
} | {"spend": "spend", "orders": "orders"}


@dataclass(frozen=True)
class Fault:
    """What is wrong with a value, or with several together: `key` begins the keys it concerns, `why` a word."""

    key: str
    why: str

    def concerns(self, key: str) -> bool:
        """Whether a threshold of this key is among them."""
        return key == self.key or key.startswith(f"{self.key}.")


def thresholds(rules: Classes) -> list[Threshold]:
    """Every number of the rules, in the order of `client.yml`, a value for each that has one."""
    return list(_within(FIRST, Classes, rules, Classes()))


def of_tiers(rules: Classes) -> list[Threshold]:
    """The numbers that decide the combined tier now.

    Where a rule has amounts its shares decide nothing, and where it goes by share it has no amounts.
    """
    asked = [one for one in thresholds(rules) if one.group in TIERS and not _idle(one, rules)]
    return sorted((one for one in asked if one.value is not None), key=lambda one: TIERS.index(one.group))


def _idle(one: Threshold, rules: Classes) -> bool:
    """Whether a threshold has no part in the tier by these rules."""
    inner = one.key.removeprefix(f"{FIRST}.")
    given = {
        "frequency.shares": rules.frequency.cuts is not None,
        "lifetime.shares": rules.lifetime.cuts is not None,
        "value.shares": None not in (rules.value.spend, rules.value.profit),
    }
    return inner.startswith(UNASKED) or given.get(inner.rpartition(".")[0], False)


def _within(key: str, model: type[BaseModel], rules: Any, default: Any):
    for name, field in model.model_fields.items():
        place, value, usual = f"{key}.{name}", getattr(rules, name, None), getattr(default, name, None)
        kinds = get_args(field.annotation) if isinstance(field.annotation, UnionType) else (field.annotation,)
        kind = next((k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)), kinds[0])
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _within(place, kind, value, usual)
        elif kind in (int, float):
            ends = _ends(field.metadata)
            yield Threshold(place, value, usual, whole=kind is int, **ends)


def _ends(metadata: list) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for said in metadata:
        if isinstance(said, annotated_types.Ge):
            found |= {"low": said.ge}
        elif isinstance(said, annotated_types.Gt):
            found |= {"low": said.gt, "above": True}
        elif isinstance(said, annotated_types.Le):
            found |= {"high": said.le}
        elif isinstance(said, annotated_types.Lt):
            found |= {"high": said.lt, "below": True}
    return found


def with_values(rules: Classes, values: Mapping[str, Value]) -> Classes:
    """The rules with other values; of a pair of amounts both None makes classes by share again.

    >>> with_values(Classes(), {"classes.tier.cuts.high": 2.25}).tier.cuts
    Cuts(high=2.25, medium=1.5)

    Raises
    ------
    ValidationError : values that contradict each other or lie outside what is allowed; see `faults`
    """
    content = rules.model_dump()
    for key, value in values.items():
        *path, last = key.split(".")[1:]
        place = content
        for name in path:
            place[name] = {} if place[name] is None else place[name]
            place = place[name]
        place[last] = value
    for rule, name in _open_pairs():
        if not any(v is not None for v in (content[rule][name] or {}).values()):
            content[rule][name] = None
    return Classes.model_validate(content)


def _open_pairs() -> list[tuple[str, str]]:
    """The pairs of amounts that need not be given."""
    found = []
    for rule, field in Classes.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            parts = inner.model_fields.items()
            found += [(rule, name) for name, part in parts if part.annotation == Cuts | None]
    return found


def faults(problem: ValidationError) -> list[Fault]:
    """What is wrong, by key, each in a word of the library."""
    found = []
    for error in problem.errors(include_url=False):
        key = ".".join((FIRST, *(str(part) for part in error["loc"] if part != "[key]")))
        if error["type"] == "value_error":
            why = "rule_all_zero" if "weights" in error["msg"] else "rule_out_of_order"
        elif error["type"] in ("int_from_float", "int_parsing", "int_type"):
            why = "rule_not_whole"
        else:
            empty = error.get("input") is None or error["type"] == "missing"
            why = "rule_empty" if empty else "rule_out_of_range"
        found.append(Fault(key, why))
    return found


def differing(before: Classes, rules: Classes) -> dict[str, tuple[Value, Value]]:
    """Thresholds in which two sets of rules differ: key → value before and now."""
    then = {one.key: one.value for one in thresholds(before)}
    return {one.key: (then[one.key], one.value) for one in thresholds(rules) if one.value != then[one.key]}


def whole_pairs(before: Classes, rules: Classes) -> dict[str, Any]:
    """What has to be written for the changed rules: a key a value, of a pair both ends together.

    >>> changed = with_values(Classes(), {"classes.abc.shares.first": 0.75})
    >>> whole_pairs(Classes(), changed)
    {'classes.abc.shares': {'first': 0.75, 'second': 0.95}}
    """
    now = {one.key: one for one in thresholds(rules)}
    found: dict[str, Any] = {}
    for key in differing(before, rules):
        pair = now[key].pair
        if pair is None:
            found[key] = now[key].value
            continue
        ends = {name.rpartition(".")[2]: one.value for name, one in now.items() if one.pair == pair}
        found[pair] = None if None in ends.values() else ends
    return found
