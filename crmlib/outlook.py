"""How far ahead customers' value is looked for: the `value` part of `client.yml`."""

from pydantic import Field

from crmlib.rules import Rule

DAYS_A_MONTH = 365.25 / 12


class Outlook(Rule):
    """How far ahead, at which discount, and from how many customers on."""

    horizon_months: int = Field(12, ge=1, le=120)  # a year holds every season once
    discount: float = Field(0.1, ge=0, le=1)  # a year: what money a year from now is worth less
    at_least: int = Field(100, ge=10)  # customers; the habits of fewer are not told apart
    came_again: int = Field(30, ge=5)  # of these with a second purchase, without which no rhythm shows

    @property
    def days(self) -> int:
        """The horizon in whole days.

        >>> Outlook().days
        365
        """
        return round(self.horizon_months * DAYS_A_MONTH)
