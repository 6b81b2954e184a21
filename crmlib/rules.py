"""Every rule a client may set in `client.yml`, with its default and the reason for it.

These are the *classes* of design: value, behaviour, ABC, satisfaction, tier. A rule is a frozen
pydantic model, so that an unknown key, a cut out of order or a weight that is no number is
refused where it stands.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

Share = Annotated[float, Field(gt=0, lt=1)]


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
    """Recency, frequency and money are scored 1–5 by rank among all customers."""

    at_least: int = Field(30, ge=5)  # below this, fifths of a list mean nothing


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


class TierWeights(Rule):
    """What each part weighs in the combined tier; a missing part is left out."""

    frequency: float = Field(1, ge=0, allow_inf_nan=False)
    spend: float = Field(1, ge=0, allow_inf_nan=False)
    loyalty: float = Field(1, ge=0, allow_inf_nan=False)
    lifetime: float = Field(1, ge=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _something(self) -> "TierWeights":
        if self.frequency + self.spend + self.loyalty + self.lifetime == 0:
            raise ValueError("all weights are 0, so nothing would decide the tier")
        return self


class TierRule(Rule):
    """The combined tier (X16): weighted mean of points 3, 2, 1; halfway belongs to the upper."""

    weights: TierWeights = TierWeights()
    cuts: Cuts = Cuts(high=2.5, medium=1.5)


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
    cluster: ClusterRule = ClusterRule()
    profile: ProfileRule = ProfileRule()


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
