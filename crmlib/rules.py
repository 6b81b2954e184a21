"""Every rule a client may set in `client.yml`, with its default and the reason for it.

These are the *classes* of design: value, behaviour, ABC, satisfaction, tier. A rule is a frozen
pydantic model, so that an unknown key, a cut out of order or a weight that is no number is
refused where it stands.
"""

import difflib
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from crmlib import contracts
from crmlib.contract import TEXT
from crmlib.language import WORDS

Share = Annotated[float, Field(gt=0, lt=1)]
Weight = Annotated[FiniteFloat, Field(ge=0)]


class Rule(BaseModel):
    """A group of settings: unknown keys are refused, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Cuts(Rule):
    """Two amounts that part high, medium and low; a value on a cut belongs to the upper class.

    Left out, the cuts are by cumulative share (`shares` of the rule that uses them).
    """

    high: FiniteFloat
    medium: FiniteFloat

    @model_validator(mode="after")
    def _in_order(self) -> "Cuts":
        if self.medium >= self.high:
            raise ValueError(f"medium ({self.medium:g}) must lie below high ({self.high:g})")
        return self


class Shares(Rule):
    """Cumulative shares that part three classes.

    Customers are taken from the largest down; those who begin below `first` of the total are in
    the first class, those who begin below `second` in the second, the rest in the third.
    """

    first: Share = 0.5
    second: Share = 0.8

    @model_validator(mode="after")
    def _in_order(self) -> "Shares":
        if self.first >= self.second:
            raise ValueError(f"first ({self.first:g}) must lie below second ({self.second:g})")
        return self


class RfmRule(Rule):
    """Recency, frequency and money are scored 1–5 by rank among all customers; a short list by thirds."""

    at_least: int = Field(30, ge=5)  # below this, fifths of a list mean nothing
    thirds_from: int = Field(10, ge=3)  # below this, thirds mean nothing either


class BehaviourRule(Rule):
    """Active, dormant, churned: by the customer's own rhythm, or by fixed days."""

    own_rhythm_from: int = Field(4, ge=2)  # orders before a mean gap says anything
    active_gaps: float = Field(2, gt=0)
    dormant_gaps: float = Field(4, gt=0)
    active_days: int = Field(90, ge=1)
    dormant_days: int = Field(180, ge=1)

    @model_validator(mode="after")
    def _in_order(self) -> "BehaviourRule":
        if self.active_gaps >= self.dormant_gaps or self.active_days >= self.dormant_days:
            raise ValueError("active_… must lie below dormant_…")
        return self


class ValueRule(Rule):
    """Value (X01): the mean of the points for orders, spend and profit, as far as known."""

    orders: Cuts | None = None
    spend: Cuts | None = None
    profit: Cuts | None = None
    shares: Shares = Shares()
    at_least: int = Field(30, ge=1)  # without given cuts, shares of a shorter list mean nothing


class AbcRule(Rule):
    """ABC (X05) by cumulative share of purchases."""

    shares: Shares = Shares(first=0.8, second=0.95)
    at_least: int = Field(30, ge=1)


class SatisfactionRule(Rule):
    """Satisfied, neutral, dissatisfied (X04) on 0–100; neutral is a band around the middle."""

    satisfied: float = Field(60, ge=0, le=100)
    dissatisfied: float = Field(40, ge=0, le=100)

    @model_validator(mode="after")
    def _in_order(self) -> "SatisfactionRule":
        if self.dissatisfied > self.satisfied:
            raise ValueError("dissatisfied must not lie above satisfied")
        return self


class FrequencyRule(Rule):
    """Purchase frequency (购买频率): orders a year since the first one."""

    cuts: Cuts | None = None
    shares: Shares = Shares()
    at_least: int = Field(30, ge=1)


class LoyaltyRule(Rule):
    """Loyalty (忠诚度): mean of the points for repurchase, tenure and recommendation."""

    orders: Cuts = Cuts(high=4, medium=2)
    tenure_days: Cuts = Cuts(high=730, medium=365)
    recommend: Cuts = Cuts(high=9, medium=7)  # promoters and passives of the NPS


class NeedRule(Rule):
    """Need groups (X03) as behaviour tells them; the first that holds, in this order."""

    orders: int = Field(3, ge=1)  # fewer show no habit
    discount_share: Share = 0.5  # price-sensitive: so much of what they buy is bought at a discount
    price_index: float = Field(1.25, gt=1, allow_inf_nan=False)  # quality: paid ÷ usual price of the same
    price_lines: int = Field(10, ge=2)  # a usual price needs so many lines
    breadth: int = Field(4, ge=2)  # personalised: product groups, or products where nobody names groups
    at_least: int = Field(30, ge=1)  # customers for a share of agreement between stated and derived


class SatisfactionWeights(Rule):
    """What satisfaction with each aspect weighs in the scorecard."""

    product: Weight = 1
    service: Weight = 1
    after_sales: Weight = 1
    brand: Weight = 1
    overall: Weight = 1


class LoyaltyWeights(Rule):
    """What loyalty weighs: toward the product (buys again), the service (stays), the brand (recommends)."""

    product: Weight = 1
    service: Weight = 1
    brand: Weight = 1


class ScorecardRule(Rule):
    """The scorecard (X10): weighted mean of points 0–100; high from three quarters of them, medium from half."""

    satisfaction: SatisfactionWeights = SatisfactionWeights()
    loyalty: LoyaltyWeights = LoyaltyWeights()
    cuts: Cuts = Cuts(high=75, medium=50)

    @model_validator(mode="after")
    def _something(self) -> "ScorecardRule":
        for name in ("satisfaction", "loyalty"):
            if not any(getattr(self, name).model_dump().values()):
                raise ValueError(f"all weights of {name} are 0; a scorecard joins satisfaction and loyalty")
        return self


class LifetimeRule(Rule):
    """Lifetime value as asked (X09): net sales − what winning and serving the customer cost."""

    cuts: Cuts | None = None
    shares: Shares = Shares()
    at_least: int = Field(30, ge=1)


class PotentialRule(Rule):
    """Potential high-value customers (X15): not in the high tier, but on the way by so many signs."""

    days: int = Field(365, ge=30)  # recent: a whole year, so that no season decides
    signs: int = Field(2, ge=1, le=4)  # of spend, frequency, size of order, breadth
    at_least: int = Field(10, ge=1)  # high-tier customers to compare with


class TierWeights(Rule):
    """What each part weighs in the combined tier; a missing part is left out.

    Activity and satisfaction weigh nothing unless the client says so: they tell of today's mood, the
    other four of what a customer is worth (X16).
    """

    frequency: Weight = 1
    spend: Weight = 1
    loyalty: Weight = 1
    lifetime: Weight = 1
    activity: Weight = 0
    satisfaction: Weight = 0

    @model_validator(mode="after")
    def _something(self) -> "TierWeights":
        if not any(self.model_dump().values()):
            raise ValueError("all weights are 0, so nothing would decide the tier")
        return self


class TierRule(Rule):
    """The combined tier (X16): weighted mean of points 3, 2, 1; halfway belongs to the upper."""

    weights: TierWeights = TierWeights()
    cuts: Cuts = Cuts(high=2.5, medium=1.5)


# What a tag may ask about, beside text: money is in main units, as in every cut.
_ASKED = {c.name: c.type for t in (contracts.FACTS, contracts.CLASSES) for c in t.columns}
TAGGED = {name: type for name, type in _ASKED.items() if name not in ("customer_id", "tags")}
TAGGED |= dict.fromkeys(("returned_share", "discount_share"), contracts.NUMBER)


class TagRule(Rule):
    """One condition on a fact or a class: a number within bounds (both included), or one of some words."""

    column: str
    at_least: FiniteFloat | None = None
    at_most: FiniteFloat | None = None
    equals: str | list[str] | None = None

    @model_validator(mode="after")
    def _askable(self) -> "TagRule":
        if self.column not in TAGGED:
            raise ValueError(f"no column {self.column}; known here: {', '.join(sorted(TAGGED))}")
        bounds = self.at_least is not None or self.at_most is not None
        worded = TAGGED[self.column] == TEXT
        if bounds == (self.equals is not None) or worded == bounds:
            wanted = "equals" if worded else "at_least, at_most or both"
            raise ValueError(f"{self.column} is {'text' if worded else 'a number'}: give {wanted}")
        if None not in (self.at_least, self.at_most) and self.at_least > self.at_most:
            raise ValueError(f"at_least ({self.at_least:g}) must not lie above at_most ({self.at_most:g})")
        return self


def _word(name: str) -> str:
    if name not in WORDS:
        near = difflib.get_close_matches(name, WORDS, 1)
        raise ValueError(f"no class {name}" + (f"; did you mean {near[0]}?" if near else ""))
    return name


def _called(name: str) -> str:
    if not name.strip():
        raise ValueError("a class needs a name")
    return name


def _tag(name: str) -> str:
    if not name.strip() or "," in name:
        raise ValueError("a tag needs a name without commas")
    return name


TAGS = {
    "new": TagRule(column="tenure_days", at_most=90),
    "one_order": TagRule(column="orders", at_most=1),
    "returns_much": TagRule(column="returned_share", at_least=0.2),
    "at_a_loss": TagRule(column="served", equals="at_a_loss"),
    "discount_buyer": TagRule(column="discount_share", at_least=0.5),
}


class SamePerson(Rule):
    """One customer under several numbers: from which match probability rows are merged, or listed."""

    merge_from: Share = 0.99
    list_from: Share = 0.8

    @model_validator(mode="after")
    def _in_order(self) -> "SamePerson":
        if self.list_from > self.merge_from:
            raise ValueError("list_from must not lie above merge_from")
        return self


class ClusterRule(Rule):
    """Groups alike (X08): how many, and how clear and how steady they must be to be told.

    Below a silhouette of 0.25 a clustering shows no substantial structure (Kaufman & Rousseeuw 1990,
    Finding Groups in Data, table 4); from a stability of 0.75 on it is taken as valid (Hennig 2007,
    Comput. Stat. Data Anal. 52, 258-271).
    """

    at_least: int = Field(30, ge=10)  # customers; fewer fall into groups by chance
    fewest: int = Field(2, ge=2)  # groups tried
    most: int = Field(8, le=12)  # more kinds of customer than these nobody keeps in mind
    least_members: int = Field(10, ge=2)  # of the smallest group; fewer are exceptions, not a kind
    least_silhouette: float = Field(0.25, ge=-1, le=1)
    least_stability: float = Field(0.75, ge=0, le=1)  # mean adjusted Rand index of half samples
    # Among numbers of groups so steady, and less clear by no more than this, the most groups are taken.
    sure_stability: float = Field(0.98, ge=0, le=1)
    nearly_as_clear: float = Field(0.15, ge=0, le=2)
    repeats: int = Field(20, ge=5)  # half samples drawn for each number of groups
    sample: int = Field(2000, ge=200)  # customers drawn to choose the number of groups
    least_known: Share = 0.95  # a fact known of fewer customers is left out
    skewed_from: float = Field(1, ge=0)  # skewness from which a fact is taken by its logarithm

    @model_validator(mode="after")
    def _in_order(self) -> "ClusterRule":
        if self.fewest > self.most:
            raise ValueError(f"fewest ({self.fewest}) must not lie above most ({self.most})")
        return self


class ProfileRule(Rule):
    """What is told of a class (X14): from how many customers on, and which differences."""

    at_least: int = Field(30, ge=2)  # customers of the class, and of all others
    least_effect: Share = 0.147  # below it a difference is negligible (Romano et al. 2006)
    most: int = Field(3, ge=1)  # differences a class


class Classes(Rule):
    """All standards of classification; the goal says what they are for (X11)."""

    goal: Literal["raise_satisfaction", "raise_loyalty", "lower_churn"] = "raise_loyalty"
    rfm: RfmRule = RfmRule()
    behaviour: BehaviourRule = BehaviourRule()
    value: ValueRule = ValueRule()
    abc: AbcRule = AbcRule()
    satisfaction: SatisfactionRule = SatisfactionRule()
    frequency: FrequencyRule = FrequencyRule()
    loyalty: LoyaltyRule = LoyaltyRule()
    tier: TierRule = TierRule()
    need: NeedRule = NeedRule()
    scorecard: ScorecardRule = ScorecardRule()
    lifetime: LifetimeRule = LifetimeRule()
    potential: PotentialRule = PotentialRule()
    tags: dict[Annotated[str, AfterValidator(_tag)], TagRule] = TAGS
    # The client's own names of classes, as in `champion: 明星客户`; the tier table keeps its twelve columns' words.
    words: dict[Annotated[str, AfterValidator(_word)], Annotated[str, AfterValidator(_called)]] = {}
    cluster: ClusterRule = ClusterRule()
    profile: ProfileRule = ProfileRule()


def earlier(before: Rule | None, today: Rule) -> Rule:
    """Yesterday's standards from what is said of them; what is not said is as today.

    >>> today = Classes(tier=TierRule(cuts=Cuts(high=2.4, medium=1.2)))
    >>> then = earlier(Classes(abc=AbcRule(at_least=5)), today)
    >>> then.abc.at_least, then.tier.cuts.high
    (5, 2.4)
    """
    return today if before is None else type(today).model_validate(_said(before, today))


def _said(before: Rule, today: Rule) -> dict:
    """The settings of today with those of `before` that somebody wrote in their place."""
    values = today.model_dump()
    for name in before.model_fields_set:
        old, new = getattr(before, name), getattr(today, name)
        both = isinstance(old, Rule) and isinstance(new, Rule)
        values[name] = _said(old, new) if both else old.model_dump() if isinstance(old, Rule) else old
    return values


class Quality(Rule):
    """What counts as fresh (D10), and what in a delivery is unlike the last one."""

    fresh_days: int = Field(31, ge=0)  # so old may the newest record be: a month's export comes monthly
    stale_days: int = Field(365, ge=1)  # from then on it tells nothing of today
    updated_within_days: int = Field(365, ge=1)  # a record looked at within a year is up to date
    rows_fewer: Share = 0.1  # a history does not shrink
    rows_more: float = Field(1, gt=0)  # 1: twice as many rows
    filled_less: Share = 0.05  # points of a column's filled share, beyond chance
    unit_tolerance: Share = 0.2  # a middle value 100 or 10,000 times the last, give or take

    @model_validator(mode="after")
    def _in_order(self) -> "Quality":
        if self.fresh_days >= self.stale_days:
            raise ValueError("fresh_days must lie below stale_days")
        return self
