"""How a client's files write things: currency, decimals, order of day and month, what marks a return.

Every function proposes one setting of `client.yml` with its reason, or None where nothing need be said;
its value is `TODO` where it matters and cannot be told.
"""

import datetime as dt
import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow.compute as pc
from babel import Locale
from babel.core import get_global
from babel.numbers import get_territory_currencies, list_currencies

from crmlib.collection.headers import joined, known_as
from crmlib.collection.proposed import ASPECTS, Proposal, Proposed
from crmlib.collection.recognition import Profile, kind_of, named
from crmlib.collection.samples import different
from crmlib.collection.vocabulary import YES

TODO = "TODO"
SIGNS = {
    "£": "GBP",
    "€": "EUR",
    "R$": "BRL",
    "₹": "INR",
    "₩": "KRW",
    "HK$": "HKD",
    "NT$": "TWD",
    "US$": "USD",
}
SIGNS |= {"元": "CNY", "人民币": "CNY", "RMB": "CNY", "美元": "USD", "$": "USD"}
FORMS = (
    "%d-%b-%Y",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%d-%b-%y",
    "%Y-%m",
    "%Y/%m",
    "%Y年%m月",
    "%b-%Y",
)
NOISE = 10  # digits after the point that only a float's rounding writes


_BARE = re.compile(r"[^\W\d_][\w ./()-]*[\w)]|[^\W\d_]")
_WORDS_OF_YAML = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null", "none", "todo"])


def scalar(text: str) -> str:
    """A text as YAML takes it, in quotation marks only where it must be.

    >>> scalar("Customer ID"), scalar("订单 ID"), scalar("no"), scalar("a: b"), scalar("2024")
    ('Customer ID', '订单 ID', '"no"', '"a: b"', '"2024"')
    """
    bare = _BARE.fullmatch(text) and text.casefold() not in _WORDS_OF_YAML
    if bare and text.isprintable():
        return text
    # YAML refuses signs that do not show; escaped they are still the header's own.
    escaped = json.dumps(text, ensure_ascii=False)
    return "".join(sign if sign.isprintable() else f"\\U{ord(sign):08x}" for sign in escaped)


@dataclass(frozen=True)
class Setting:
    """A value for `client.yml`, how sure it is in per cent (None: it is simply so), and why."""

    value: str
    reason: str
    confidence: int | None = None

    @property
    def comment(self) -> str:
        """The reason as it stands beside the value."""
        return f"{self.confidence} %: {self.reason}" if self.confidence else self.reason


def currency(found: Proposal) -> Setting:
    """By what stands beside amounts, in their headers, by the country most rows name, by the language."""
    cells, headers = _money(found)
    said = Counter()
    for cell, often in cells.items():
        words = re.sub(r"[\d\s.,()+-]", "", cell)
        code = SIGNS.get(words) or (words if words in list_currencies() else None)
        said[code] += often if code else 0
    said = +said
    if len(said) > 1:
        return Setting(TODO, f"amounts are in {' and '.join(sorted(said))}; only one can be summed")
    if said:
        return Setting(next(iter(said)), "amounts say so", 95)
    for header in headers:
        for sign, code in [*SIGNS.items(), *((c, c) for c in sorted(list_currencies()))]:
            if re.search(rf"[(_\s]{re.escape(sign)}\)?$", header, re.IGNORECASE):
                return Setting(code, f"the header {scalar(header)} says so", 90)
    country, share = _country(found)
    if country and (codes := get_territory_currencies(country)):
        return Setting(codes[0], f"{share:.0%} of the rows name {_called(country)}", 80)
    if _chinese(found) == "simplified":
        return Setting("CNY", "the headers are Chinese", 80)
    return Setting(TODO, "three letters, such as CNY, EUR or USD")


def timezone(found: Proposal) -> Setting:
    """The zone of the country most rows name, where it has one."""
    country, share = _country(found)
    if country is None and _chinese(found) == "simplified":
        return Setting("Asia/Shanghai", "the headers are Chinese", 80)
    zones = sorted(zone for zone, place in get_global("zone_territories").items() if place == country)
    if len(zones) == 1 or country == "CN":
        return Setting(zones[0], f"{share:.0%} of the rows name {_called(country)}", 80)
    return Setting("UTC", "TODO where the client does business, such as Asia/Shanghai or America/Chicago")


def _money(found: Proposal) -> tuple[Counter, list[str]]:
    """Cells and headers of every amount."""
    cells, headers = Counter(), []
    for proposed in found.tables.values():
        for column in ("price", "amount", "spend", "profit", "cost"):
            choice = proposed.choices.get(column)
            if choice is not None and kind_of(proposed.table, column) == "number":
                cells += found.profile(choice).cells
                headers.append(choice.guess.header)
    return cells, headers


def _country(found: Proposal) -> tuple[str | None, float]:
    """The country that most rows of a column name, and their share."""
    for look in found.looks.values():
        for header, about in look.profiles.items():
            if known_as(header) in ("country", "国家", "国别", "countryname") and about.filled:
                cell, often = about.cells.most_common(1)[0]
                share = often / about.cells.total()
                if share >= 0.8:
                    return _countries().get(cell.casefold()), share
    return None, 0.0


def _countries() -> dict[str, str]:
    found = {"usa": "US", "uk": "GB", "united states of america": "US", "great britain": "GB"}
    for language in ("zh", "en"):
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha():
                found |= {name.casefold(): code, code.casefold(): code}
    return found


def _called(country: str) -> str:
    return Locale("en").territories[country]


def _chinese(found: Proposal) -> str | None:
    """Whether most headers are Chinese, and in which characters."""
    headers = [header for look in found.looks.values() for header in look.export.headers]
    told = [header for header in headers if re.search("[\u4e00-\u9fff]", header)]
    if len(told) <= len(headers) / 2:
        return None
    return "traditional" if any(known_as(header) != joined(header) for header in told) else "simplified"


def delivered_on(found: Proposal) -> Setting | None:
    """Asked for where no table has a date to tell it."""
    dated = any(
        kind_of(made.table, column) == "date"
        for made in found.tables.values()
        if made.table != "customers"
        for column in made.choices
    )
    return (
        None
        if dated
        else Setting(TODO, "the day the files were handed over, such as 2025-01-31: no date tells it")
    )


def decimals(found: Proposal) -> Setting | None:
    """How fine the money is, where it is finer than cents."""
    finest = 0
    for proposed in found.tables.values():
        for column in ("price", "amount", "profit", "spend", "lifetime_value"):
            choice = proposed.choices.get(column)
            if choice is not None and found.profile(choice).text is not None:
                told = pc.unique(found.profile(choice).text)
                parts = pc.extract_regex(told, r"[.,](?P<part>\d*?[1-9])0*$")
                lengths = pc.utf8_length(pc.struct_field(parts, "part")) if len(told) else None
                fine = (
                    [n for n in pc.unique(lengths).to_pylist() if n and n < NOISE and n != 3]
                    if lengths
                    else []
                )
                thirds = _thirds(found.profile(choice)) if lengths else 0
                finest = max(finest, thirds, *fine, 0)
    return Setting(str(min(finest, 6)), "the finest amount in the files") if finest > 2 else None


def _thirds(about: Profile) -> int:
    """3 where amounts have three digits after a point: behind a comma they may be thousands."""
    return 3 if pc.any(pc.match_substring_regex(about.text, r"\.\d\d[1-9]$")).as_py() else 0


def dates(found: Proposal, proposed: Proposed) -> list[tuple[str, Setting]]:
    """`day_first` or `date_format`, where the dates of a table do not begin with the year."""
    told = [
        found.profile(choice)
        for column, choice in proposed.choices.items()
        if kind_of(proposed.table, column) == "date"
    ]
    numeric = [about for about in told if about.date_form[0] == "numeric"]
    if numeric:
        return [("day_first", _day_first(numeric))]
    for about in told:
        if about.date_form[0] in ("named", "month"):
            for form in FORMS:
                if all(_reads(cell, form) for cell in about.cells):
                    return [("date_format", Setting(f'"{form}"', "every date fits it", 95))]
    return []


def _day_first(columns: Iterable[Profile]) -> Setting:
    first = second = 0
    for about in columns:
        first += pc.sum(pc.match_substring_regex(about.text, r"^(1[3-9]|2\d|3[01])[-/.]\d{1,2}[-/.]")).as_py()
        second += pc.sum(
            pc.match_substring_regex(about.text, r"^\d{1,2}[-/.](1[3-9]|2\d|3[01])[-/.]")
        ).as_py()
    if first and not second:
        return Setting("true", f"{first:,} dates begin with more than 12", 95)
    if second and not first:
        return Setting("false", f"{second:,} dates have more than 12 in the second place", 95)
    why = "both orders stand in one column" if first else "03/04 may be 3 April or 4 March"
    return Setting(TODO, f"true where the day comes first, else false: {why}")


def _reads(cell: str, form: str) -> bool:
    try:
        dt.datetime.strptime(cell, form)
    except ValueError:
        return False
    return True


def decimal(found: Proposal, proposed: Proposed) -> Setting | None:
    """The comma, where numbers can be read with no other decimal sign."""
    for column, choice in proposed.choices.items():
        about = found.profile(choice)
        if (
            kind_of(proposed.table, column) == "number"
            and about.comma_decimals > 0.05
            and about.numbers > 0.5
        ):
            return Setting(
                '","',
                f"{about.comma_decimals:.0%} of {scalar(choice.header)} can be read in no other way",
                95,
            )
    return None


def repeated(proposed: Proposed) -> Setting | None:
    """Equal rows are kept where nothing tells a line from another: they may be two purchases."""
    if {"order_id", "product_id", "product"} & set(proposed.choices):
        return None
    rows = proposed.base.rows
    twice = rows.num_rows - different(rows)
    return (
        Setting("keep", f"{twice:,} equal rows, and no order number to tell a copy from a purchase", 70)
        if twice
        else None
    )


def free(found: Proposal, proposed: Proposed) -> Setting | None:
    """Purchases of nothing are purchases where no product says what was given away."""
    amount = proposed.choices.get("amount")
    if amount is None or {"price", "product_id", "product"} & set(proposed.choices):
        return None
    none = pc.sum(pc.match_substring_regex(found.profile(amount).text, r"^[-+]?0*[.,]?0+$")).as_py() or 0
    return Setting("purchase", f"{none:,} amounts of 0, and no product that was a gift", 65) if none else None


def scale(about: Profile, aspect: str) -> Setting:
    """The ends of a question's scale: the narrowest usual one that nearly every answer lies on."""
    told = sum(often for _, often in about.values)
    for low, high in [(0, 10)] if aspect == "recommend" else [(1, 5), (1, 7), (1, 10), (0, 10), (0, 100)]:
        inside = sum(often for value, often in about.values if low <= value <= high)
        top = sum(often for value, often in about.values if value == high)
        # A misprint is no answer; an end that nobody chose is no end.
        if inside >= 0.98 * told and (top or aspect == "recommend"):
            return Setting(f"[{low}, {high}]", f"{inside:,} of {told:,} answers lie on it", 90)
    low, high = about.low, about.high
    return Setting(TODO, f"the lowest and the highest answer that could be given; {low:g} to {high:g} were")


def returns(found: Proposal, proposed: Proposed) -> Setting | None:
    """A mark of its own, or the letters that begin the documents of negative lines and no others."""
    if proposed.returns:
        listed, _, mark, _ = proposed.returns
        return Setting(f"{{column: {scalar(mark or 'returned')}}}", f"orders in {listed.name}", 90)
    mark = proposed.choices.get("returned")
    if mark is not None:
        cells = found.profile(mark).cells
        yes = sorted(cell for cell in cells if cell.lower() in YES)
        values = f", values: [{', '.join(map(scalar, yes))}]" if yes and len(yes) < len(cells) else ""
        return Setting(f"{{column: {scalar(mark.header)}{values}}}", mark.guess.reason, mark.guess.confidence)
    return _by_letter(proposed)


def _by_letter(proposed: Proposed) -> Setting | None:
    order, pieces = (proposed.choices.get(column) for column in ("order_id", "quantity"))
    pieces = pieces or proposed.choices.get("amount")
    if order is None or pieces is None or {order.export, pieces.export} != {proposed.base.name}:
        return None
    rows = proposed.base.rows
    below = pc.match_substring_regex(rows[pieces.guess.header], r"^\s*[-(]")
    letters = pc.struct_field(
        pc.extract_regex(rows[order.guess.header], r"^\s*(?P<letters>[A-Za-z]{0,4})"), "letters"
    )
    taken = Counter(letters.filter(below).to_pylist())
    if not taken:
        return None
    sold = Counter(letters.filter(pc.invert(below)).to_pylist())
    letter, often = taken.most_common(1)[0]
    if letter and often > taken.total() / 2 and sold[letter] <= often / 100:
        why = f"{often:,} of {taken.total():,} negative lines are on such documents"
        return Setting(f"{{order_id_starts_with: {scalar(letter)}}}", why, 90)
    return Setting(
        TODO, f"{taken.total():,} lines are negative; say what marks a return, or they are set aside"
    )


def answers(found: Proposal, proposed: Proposed) -> dict[str, tuple[str, Setting]]:
    """Each question of a survey: its header, and its scale."""
    return {
        aspect: (choice.header, scale(found.profile(choice), aspect))
        for aspect, choice in proposed.choices.items()
        if aspect in ASPECTS and named(choice.guess.header, "surveys", aspect)
    }
