"""One cell of text: the moment that it says, in the client's own time.

Year first is read as it stands; day or month first only as the whole column tells (`order_told`) or the
client says. A cell that says Z or an offset is brought to the client's zone, one that says none is
already there. 1900-01-01, 9999-12-31 and the like are how systems write "no date".
"""

import datetime as dt
import re
from functools import lru_cache
from zoneinfo import ZoneInfo

from crmlib.collection.values import BLANK, LONGEST, NARROW

FIRST, END = dt.datetime(1900, 1, 2), dt.datetime(2200, 1, 1)
NO_YEARS = {0, 1, 9999}
NO_DATES = {(1753, 1, 1), (1899, 12, 30), (1899, 12, 31), (1900, 1, 0), (1900, 1, 1)}
NO_DATE = (None, "no-date")
# A spreadsheet counts days from here; its own mistake of 29 February 1900 lies before the first serial.
SPREADSHEET, FIRST_SERIAL, LAST_SERIAL = dt.datetime(1899, 12, 30), 20_000, 60_000
_TIME = (
    r"(?:(?:[ T]+|(?<=[日号號])|(?<=[0-9])T)(?P<half>上午|下午)?(?P<hour>[0-9]{1,2})[:时時](?P<minute>[0-9]{2})分?"
    r"(?:[:]?(?P<second>[0-9]{2})(?:\.[0-9]{1,9})?秒?)?(?: ?(?P<noon>[AaPp][Mm]))?"
    r"(?P<zone> ?(?:Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2}|[+-][0-9]{2}))?)?"
)
_FORMS = {
    "ymd": re.compile(
        r"(?P<y>[0-9]{4})(?P<part>[-/.])(?P<m>[0-9]{1,2})(?P=part)(?P<d>[0-9]{1,2})" + _TIME, re.ASCII
    ),
    "cjk": re.compile(
        r"(?P<y>[0-9]{4}) ?年 ?(?P<m>[0-9]{1,2}) ?月 ?(?P<d>[0-9]{1,2}) ?[日号號]?" + _TIME, re.ASCII
    ),
    "dense": re.compile(
        r"(?P<y>[0-9]{4})(?P<m>[0-9]{2})(?P<d>[0-9]{2})"
        r"(?:T?(?P<hour>[0-9]{2})(?P<minute>[0-9]{2})(?P<second>[0-9]{2})?(?P<zone>Z)?)?",
        re.ASCII,
    ),
    "dense-day": re.compile(r"(?P<y>[0-9]{4})(?P<m>[0-9]{2})(?P<d>[0-9]{2})" + _TIME, re.ASCII),
}
_SHORT = re.compile(
    r"(?P<a>[0-9]{1,2})(?P<part>[-/.])(?P<b>[0-9]{1,2})(?P=part)(?P<y>[0-9]{4})" + _TIME, re.ASCII
)
_SERIAL = re.compile(r"[0-9]{5}(?:\.[0-9]+)?")
SHORT_RULES = {"dmy": "day-first", "mdy": "month-first"}


def moment_of(
    text: str,
    *,
    order: str | None = None,
    zone: str = "UTC",
    date_format: str | None = None,
    sure: bool = True,
) -> tuple[dt.datetime | None, str] | None:
    """The moment of a cell, and the rule it was read by; None where it is not surely one.

    Parameters
    ----------
    order : "dmy" or "mdy", what the column's short dates are; without it they cannot be read
    zone : the client's, in which the moment is told
    date_format : strptime form of cells without a year first; nothing else is tried for those
    sure : whether a short date that either order could explain follows `order`, or is none

    Returns
    -------
    A moment without zone, from 1900-01-02 to 2199, and the rule: "" (plain), year-first, day-first,
    month-first, zone, excel-serial; or None with "no-date" for what systems write where there is none.

    Examples
    --------
    >>> moment_of("2024年3月5日"), moment_of("45356")
    ((datetime.datetime(2024, 3, 5, 0, 0), 'year-first'), (datetime.datetime(2024, 3, 5, 0, 0), 'excel-serial'))
    >>> moment_of("2024-03-05T16:30:00Z", zone="Asia/Shanghai")
    (datetime.datetime(2024, 3, 6, 0, 30), 'zone')
    >>> moment_of("03/04/2024"), moment_of("03/04/2024", order="dmy"), moment_of("2024-03-05 24:00")
    (None, (datetime.datetime(2024, 4, 3, 0, 0), 'day-first'), None)
    """
    bare = text.translate(NARROW).strip(BLANK)
    read = _read(bare, order, zone, date_format) if len(bare) <= LONGEST else None
    if read is None or (not sure and order_told(text) == "either"):
        return None
    return read if read[1] or bare == text.strip(BLANK) else (read[0], "width")


def _read(bare: str, order: str | None, zone: str, date_format: str | None):
    if _SERIAL.fullmatch(bare):
        return _of_serial(bare)
    found = next(((form, hit) for form, pattern in _FORMS.items() if (hit := pattern.fullmatch(bare))), None)
    short = _SHORT.fullmatch(bare)
    if date_format:
        read = _moment(*(found or ("dmy", short)), zone) if found or short else None
        # A workbook mixes text in its own form with true dates, which come as year first.
        true_date = found and found[0] == "ymd" and not date_format.startswith("%Y")
        return read if true_date or read == NO_DATE else None
    if found:
        return _moment(*found, zone)
    if short is None or (order is None and int(short["y"]) not in NO_YEARS):
        return None
    return _moment(order or "dmy", short, zone)


def _moment(form: str, found: re.Match, zone: str) -> tuple[dt.datetime | None, str] | None:
    parts = found.groupdict()
    day, month = (parts["a"], parts["b"]) if form == "dmy" else (parts.get("b"), parts.get("a"))
    year, month, day = int(parts["y"]), int(parts.get("m") or month), int(parts.get("d") or day)
    if year in NO_YEARS or (year, month, day) in NO_DATES:
        return NO_DATE
    hour = _hour(parts)
    if hour is None:
        return None
    try:
        told = dt.datetime(year, month, day, hour, int(parts["minute"] or 0), int(parts["second"] or 0))
    except ValueError:
        return None
    own = _own_time(told, (parts["zone"] or "").strip(), zone)
    rule = "zone" if parts["zone"] else SHORT_RULES.get(form) or _unlike_plain(found)
    return (own, rule) if own and FIRST <= own < END else None


def _unlike_plain(found: re.Match) -> str:
    return (
        "" if re.fullmatch(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[ T][0-9:.]*)?", found.string) else "year-first"
    )


def _hour(parts: dict[str, str | None]) -> int | None:
    """The hour of the day; None for a 13th hour of an afternoon."""
    hour, half = int(parts["hour"] or 0), (parts.get("noon") or parts.get("half") or "").lower()
    if not half:
        return hour
    return hour % 12 + (12 if half in ("pm", "下午") else 0) if 1 <= hour <= 12 else None


def _own_time(told: dt.datetime, said: str, zone: str) -> dt.datetime | None:
    """The moment in the client's zone; None where its clocks skip it."""
    own = ZoneInfo(zone)
    if said:
        away = said.lstrip("ZUTCGM") or "+0000"
        minutes = int(away[1:3]) * 60 + int(away[3:].lstrip(":") or 0)
        east = dt.timedelta(minutes=-minutes if away[0] == "-" else minutes)
        return (told - east).replace(tzinfo=dt.UTC).astimezone(own).replace(tzinfo=None)
    # Midnight without a zone is a day, and a day is never skipped.
    back = told.replace(tzinfo=own).astimezone(dt.UTC).astimezone(own).replace(tzinfo=None)
    return told if back == told or told.time() == dt.time() else None


def _of_serial(bare: str) -> tuple[dt.datetime, str] | None:
    days = float(bare)
    if not FIRST_SERIAL <= days < LAST_SERIAL + 1:
        return None
    return SPREADSHEET + dt.timedelta(seconds=round(days * 86_400)), "excel-serial"


def order_told(text: str) -> str | None:
    """Which order a short date tells of: "dmy" or "mdy"; "either" for 03/04/2024; None where it tells of none.

    >>> [order_told(t) for t in ("13/04/2024", "04/13/2024", "03/04/2024", "04/04/2024", "2024-03-05", "13/13/2024")]
    ['dmy', 'mdy', 'either', None, None, None]
    """
    short = _SHORT.fullmatch(text.translate(NARROW).strip(BLANK)) if len(text) <= LONGEST else None
    if short is None or int(short["y"]) in NO_YEARS or short["a"].zfill(2) == short["b"].zfill(2):
        return None
    a, b = int(short["a"]), int(short["b"])
    could = {"dmy": 1 <= b <= 12 and 1 <= a <= 31, "mdy": 1 <= a <= 12 and 1 <= b <= 31}
    if all(could.values()):
        return "either"
    return next((order for order, can in could.items() if can), None)


@lru_cache
def skipped(zone: str, first: int, last: int) -> tuple[tuple[dt.datetime, dt.datetime], ...]:
    """Stretches of local time that a zone's clocks skip, from one year to another, both included.

    >>> skipped("Europe/London", 2024, 2024)
    ((datetime.datetime(2024, 3, 31, 1, 0), datetime.datetime(2024, 3, 31, 2, 0)),)
    >>> skipped("Asia/Shanghai", 2000, 2030)
    ()
    """
    own, found = ZoneInfo(zone), []
    at, end = dt.datetime(first, 1, 1, tzinfo=dt.UTC), dt.datetime(last + 1, 1, 2, tzinfo=dt.UTC)
    step = dt.timedelta(hours=1)
    day = dt.timedelta(days=1)
    while at < end:
        before, after = (moment.astimezone(own).utcoffset() for moment in (at, at + day))
        if after > before:
            turn = at
            while (turn + step).astimezone(own).utcoffset() == before:
                turn += step
            turn += step
            while (turn - dt.timedelta(minutes=1)).astimezone(own).utcoffset() != before:
                turn -= dt.timedelta(minutes=1)
            local = turn.replace(tzinfo=None)
            found.append((local + before, local + after))
        at += day
    return tuple(found)
