"""How leaving is foretold, and when somebody should be asked to stay: the `churn` part of `client.yml`."""

from pydantic import Field, FiniteFloat

from crmlib.rules import BehaviourRule, Rule


class ChurnRule(Rule):
    """From which days on leaving counts, how much must be known, and what a contact costs and keeps."""

    gap_days: int = Field(14, ge=0, le=180)  # between knowing and leaving: time to do something about it
    horizon_days: int | None = Field(None, ge=30, le=730)  # unsaid: as long as a silence that means churned
    cut_offs: int = Field(4, ge=1, le=12)  # days in the past from which is learnt, each followed to its end
    events: int = Field(30, ge=10)  # who left, and who stayed, without whom nothing is told
    # A guess until the client knows better: a contact costs a fiftieth of what the middle customer brings a year.
    contact_cost: FiniteFloat | None = Field(None, ge=0)  # main units of money
    contact_share: float = Field(0.02, ge=0, le=1)
    # Of those who would leave and are asked to stay, so many do; also a guess, low in the range that firms
    # report (Neslin and others 2006, Journal of Marketing Research 43, 204-211, try .05 to .35).
    save_rate: float = Field(0.1, gt=0, le=1)
    kept_years: float = Field(1, gt=0, le=20)  # so long a kept customer goes on as in the year before
    budget: FiniteFloat | None = Field(None, ge=0)  # main units; unsaid: whatever pays
    suspicious: float = Field(0.9, gt=0.5, le=1)  # AUC of a single column from which on it tells the outcome
    leave_out: list[str] = Field(default_factory=list)  # columns that are not to be learnt from
    trusted: list[str] = Field(default_factory=list)  # columns known to be older than the outcome

    def horizon(self, behaviour: BehaviourRule) -> int:
        """Days in which leaving counts.

        >>> ChurnRule().horizon(BehaviourRule())
        180
        """
        return self.horizon_days or behaviour.dormant_days
