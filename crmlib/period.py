"""Reporting periods: what "2024-Q4" covers, and which period came before.

A period is a year (`2024`), a quarter (`2024-Q4`), a month (`2024-12`) or a stretch of days
(`2010-12-01_2011-12-09`, both included). Its last day is the report's `as_of`.
"""

import calendar
import datetime as dt
import re
from dataclasses import dataclass

from crmlib.errors import ConfigError

MONTHS = {"year": 12, "quarter": 3, "month": 1}
FORMS = "2024, 2024-Q4, 2024-12, or two dates like 2024-01-01_2024-03-31"
_CALENDAR = re.compile(r"(\d{4})(?:-(?:Q([1-4])|(0[1-9]|1[0-2])))?", re.ASCII)
_DAYS = re.compile(r"(\d{4}-\d{2}-\d{2})_(\d{4}-\d{2}-\d{2})", re.ASCII)


@dataclass(frozen=True, order=True)
class Period:
    """A stretch of whole days, first and last included.

    >>> quarter = Period.parse("2024-Q4")
    >>> quarter.start.isoformat(), quarter.as_of.isoformat(), quarter.previous().name
    ('2024-10-01', '2024-12-31', '2024-Q3')
    >>> Period.parse("2024-01-11_2024-01-20").previous().name
    '2024-01-01_2024-01-10'
    """

    start: dt.date
    as_of: dt.date
    name: str
    unit: str

    @classmethod
    def parse(cls, name: str | int) -> "Period":
        """The period that a name stands for; `ConfigError` where it stands for none."""
        # papermill hands over 2024 as a number.
        name = str(name) if isinstance(name, int) and not isinstance(name, bool) else name
        found = _CALENDAR.fullmatch(name) if isinstance(name, str) else None
        try:
            if found:
                year, quarter, month = (int(part) if part else None for part in found.groups())
                unit = "quarter" if quarter else "month" if month else "year"
                first = month or ((quarter - 1) * 3 + 1 if quarter else 1)
                return cls.calendar(year, first, unit)
            days = _DAYS.fullmatch(name) if isinstance(name, str) else None
            if days:
                return cls.days(*(dt.date.fromisoformat(day) for day in days.groups()))
        except ValueError as problem:
            raise ConfigError(f"Period {name!r}: {problem}. Write it as {FORMS}.") from None
        raise ConfigError(f"Period {name!r} is not a period. Write it as {FORMS}.")

    @classmethod
    def calendar(cls, year: int, month: int, unit: str) -> "Period":
        """The year, quarter or month that begins with this month."""
        if not 1900 <= year <= 2200:
            raise ValueError("the year must lie between 1900 and 2200")
        last = month + MONTHS[unit] - 1
        name = {
            "year": f"{year}",
            "quarter": f"{year}-Q{(month + 2) // 3}",
            "month": f"{year}-{month:02d}",
        }[unit]
        end = dt.date(year, last, calendar.monthrange(year, last)[1])
        return cls(dt.date(year, month, 1), end, name, unit)

    @classmethod
    def days(cls, start: dt.date, end: dt.date) -> "Period":
        """The stretch from one day to another, both included."""
        if end < start:
            raise ValueError("the second date lies before the first")
        return cls(start, end, f"{start.isoformat()}_{end.isoformat()}", "days")

    @classmethod
    def newest_complete(cls, day: dt.date, unit: str) -> "Period":
        """The newest period of a unit that a delivery of this day covers whole.

        >>> import datetime as dt
        >>> Period.newest_complete(dt.date(2025, 1, 6), "quarter").name
        '2024-Q4'
        >>> Period.newest_complete(dt.date(2024, 12, 31), "quarter").name
        '2024-Q4'
        """
        step = MONTHS[unit]
        current = cls.calendar(day.year, (day.month - 1) // step * step + 1, unit)
        return current if current.as_of <= day else current.previous()

    def previous(self) -> "Period":
        """The previous calendar unit; for a stretch of days, as many days just before it."""
        try:
            if self.unit == "days":
                length = self.as_of - self.start
                end = self.start - dt.timedelta(days=1)
                return Period.days(end - length, end)
            month = self.start.year * 12 + self.start.month - 1 - MONTHS[self.unit]
            return Period.calendar(month // 12, month % 12 + 1, self.unit)
        except (ValueError, OverflowError):
            raise ConfigError(f"Period {self.name!r} has no period before it.") from None

    def last_year(self) -> "Period":
        """The same period a year before; 29 February, which few years have, is then 28 February.

        >>> [Period.parse(name).last_year().name for name in ("2024", "2024-Q4", "2024-12")]
        ['2023', '2023-Q4', '2023-12']
        >>> Period.parse("2024-01-01_2024-02-29").last_year().name
        '2023-01-01_2023-02-28'
        """
        try:
            if self.unit == "days":
                return Period.days(_year_before(self.start), _year_before(self.as_of))
            return Period.calendar(self.start.year - 1, self.start.month, self.unit)
        except ValueError:
            raise ConfigError(f"Period {self.name!r} has no period a year before it.") from None

    @property
    def day_range(self) -> tuple[int, int]:
        """First and last day as whole day numbers, the form that tables carry."""
        return day_number(self.start), day_number(self.as_of)


EPOCH = dt.date(1970, 1, 1)


def _year_before(day: dt.date) -> dt.date:
    """The same day of the year before."""
    last = calendar.monthrange(day.year - 1, day.month)[1]
    return dt.date(day.year - 1, day.month, min(day.day, last))


def day_number(day: dt.date) -> int:
    """Days since 1970-01-01: the form of a date on which every engine computes alike.

    >>> import datetime as dt
    >>> day_number(dt.date(1970, 1, 2))
    1
    """
    return (day - EPOCH).days


def day_of(number: int) -> dt.date:
    """The date of a day number."""
    return EPOCH + dt.timedelta(days=int(number))
