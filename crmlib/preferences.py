"""How preferences are looked for: the `preferences` part of `client.yml`."""

from typing import Literal

from pydantic import Field

from crmlib.rules import Rule


class Preferences(Rule):
    """From how many baskets on a rule is told, how many products are proposed, how far ahead demand is foretold."""

    support: float = Field(0.01, gt=0, le=1)  # least share of baskets that hold all of a rule
    confidence: float = Field(0.1, ge=0, le=1)  # of orders mostly of one product, one in ten is much
    longest: int = Field(3, ge=2, le=6)  # products in a rule; longer ones nobody acts on
    at_least: int = Field(100, ge=10)  # baskets with several products, or customers; fewer tell no habit
    proposed: int = Field(2, ge=1, le=10)  # products proposed to a customer
    bought_again: float = Field(
        0.1, ge=0, le=1
    )  # buyers on several days, from which share a product is bought again
    by: Literal["week", "month"] = "month"
    ahead: int = Field(3, ge=1, le=24)  # weeks or months that demand is foretold for: a quarter


WEEKS_A_YEAR, MONTHS_A_YEAR = 52, 12
