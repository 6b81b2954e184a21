"""What a reader reads, in the reader's language: texts by gettext, figures by Babel.

English texts are the keys of the catalogue. A place in a text names its unit, so that the same
sentence shows `45.3%` or `CN¥1,234` as the language writes it:

>>> Language("en", "CNY").text("{share:share} of {n:count} customers", share=0.4529, n=1234)
'45.3% of 1,234 customers'
"""

import datetime as dt
import math
import os
import re
import string
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from babel import Locale
from babel.dates import format_date
from babel.numbers import (
    format_compact_currency,
    format_currency,
    format_decimal,
    format_percent,
    format_scientific,
)

from crmlib.language import catalogues
from crmlib.language.words import HEADING, SOURCE, WORDS

MISSING = "—"
# Set where a run is published: what is shown is then told in every language of the client, not in the first alone.
EVERY = "CRM_EVERY_LANGUAGE"
VAST = 1e15  # from here on a number is written by its power of ten

# Signs between the parts of a text, as Chinese sets them: full, without a space behind.
FULL = {".": "。", ":": "：", ";": "；", ",": "，"}
_BETWEEN = re.compile(r"([.:;,])(?: |$)")

# Words of the library among names that a client delivered.
OURS = ("unknown", "other", "not_supplied", "mixed", "own_firm", "whole_market")


class Language:
    """One language and the currency it shows money in; `words` are a client's own names of classes.

    `further` are the other languages in which the same is told at once, `first` whether the report's own is this one.
    """

    def __init__(
        self, code: str, currency: str, words: Mapping[str, str] | None = None, *, first: bool = True
    ):
        self.code = code
        self.currency = currency
        self.first = first
        self.further: tuple[Language, ...] = ()
        self._own = words or {}
        self._locale = Locale.parse(code, sep="-")
        self._translated = catalogues.translator(self._locale)
        self._formatter = _Formatter(self)

    @property
    def tag(self) -> str:
        """What a page calls the language of its text.

        >>> Language("zh", "CNY").tag, Language("zh-TW", "TWD").tag, Language("en-GB", "GBP").tag
        ('zh-Hans', 'zh-Hant', 'en')
        """
        script = self._locale.script or {"zh": "Hans"}.get(self._locale.language)
        return f"{self._locale.language}-{script}" if script else self._locale.language

    @property
    def own_name(self) -> str:
        """What the language calls itself.

        >>> Language("zh", "CNY").own_name, Language("en", "CNY").own_name
        ('中文', 'English')
        """
        return self._locale.get_display_name(self._locale)

    @property
    def thousand(self) -> int:
        """The first number that this language writes short: 1,000, in Chinese 10,000."""
        return 10_000 if self._locale.language == "zh" else 1_000

    def file(self, name: str) -> str:
        """The name of a published file in this language: plain in the first, else with its code.

        >>> Language("zh", "CNY").file("report.html"), Language("zh", "CNY", first=False).file("report.html")
        ('report.html', 'report.zh.html')
        """
        stem, _, ending = name.rpartition(".")
        return name if self.first else f"{stem}.{self.code}.{ending}"

    def text(self, key: str, /, **values: Any) -> str:
        """The text of this key in this language, its places filled."""
        text = self._translated(key, None) if key else ""
        return self._formatter.vformat(text, (), values) if values else text

    def heading(self, key: str) -> str:
        """A text of the catalogue as the heading of a column, where one word in English is two in this language."""
        return self._translated(key, HEADING)

    def composed(self, text: str) -> str:
        """A text put together from parts, with the signs between them that this language sets.

        >>> Language("zh", "CNY").composed("客户. 地区: 12,500; 城市, 省")
        '客户。地区：12,500；城市，省'
        """
        return _BETWEEN.sub(lambda sign: FULL[sign[1]], text) if self._locale.language == "zh" else text

    def show(self, value: Any, unit: str) -> str:
        """A value as this language writes it; a dash where there is none."""
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return MISSING
        write = getattr(self, f"_{unit}", None)
        return write(value) if write else str(value)

    def change(self, value: float | None, unit: str) -> str:
        """A change with its sign: of shares in points, of scores as they are, of all else in per cent."""
        if value is None:
            return MISSING
        if unit == "share":
            shown = format_decimal(100 * value, format="+0.0;-0.0", locale=self._locale)
            return self.text("{points} points", points=shown)
        if unit == "score":
            return format_decimal(value, format="+0.0;-0.0", locale=self._locale)
        return format_percent(value, format="+0.0%;-0.0%", locale=self._locale)

    def _count(self, value: Any) -> str:
        return format_decimal(round(value), locale=self._locale)

    def _share(self, value: float) -> str:
        small = 0 < abs(value) < 0.0005
        shown = format_percent(0.001 if small else value, format="0.0%", locale=self._locale)
        return shown if not small else f"<{shown}" if value > 0 else f">-{shown}"

    def _money(self, value: Any) -> str:
        if abs(value) >= VAST:
            return f"{self.currency} {self._decimal(value, '')}"
        # Whole units from a thousand up: cents would only make the figure harder to read.
        whole = abs(value) >= 1000 or value == 0
        return format_currency(
            round(value) if whole else value,
            self.currency,
            locale=self._locale,
            format="¤#,##0" if whole else None,
            currency_digits=not whole,
        )

    def _short_money(self, value: Any) -> str:
        if 0 < abs(value) < self.thousand or abs(value) >= VAST:
            return self._money(value)
        return format_compact_currency(value, self.currency, locale=self._locale, fraction_digits=1)

    def _near_money(self, value: Any) -> str:
        """Short, but so that 2.04M is not 1.95M."""
        if abs(value) < 100_000:
            return self._money(value)
        return format_compact_currency(value, self.currency, locale=self._locale, fraction_digits=2)

    def _days(self, value: float) -> str:
        return self._decimal(value, "#,##0.0")

    def _decimal(self, value: float, form: str) -> str:
        # An end of an interval may lie beyond all bounds; its digits would tell nothing.
        if abs(value) >= VAST:
            return format_scientific(value, format="0.#E0", locale=self._locale)
        return format_decimal(value, format=form, locale=self._locale)

    _score = _days

    def _points(self, value: float) -> str:
        """A difference of shares."""
        return self.change(value, "share")

    def _shift(self, value: float) -> str:
        """A difference of scores."""
        return self.change(value, "score")

    def _phrase(self, value: str) -> str:
        """A text of the catalogue within another."""
        return self.text(value)

    def _figure(self, value: Sequence) -> str:
        """A value that brings its unit, as in ["share", 0.5]."""
        return self.show(value[1], value[0])

    def _number(self, value: Any) -> str:
        return self._decimal(value, "#,##0.###")

    def _date(self, value: dt.date) -> str:
        return format_date(
            value, format="d MMM y" if self._locale.language == "en" else "medium", locale=self._locale
        )

    def _word(self, value: str) -> str:
        return self._own.get(value) or self.text(WORDS.get(value, value))

    def _joint(self, value: str) -> str:
        """Several of the library's words in one cell, as in "money+time"."""
        return " + ".join(map(self._word, value.split("+")))

    def _name(self, value: str) -> str:
        # A client's own word stays as it came, even where the library has the same one.
        return self._word(value) if value in OURS else value

    def _names(self, values: list[str]) -> str:
        # A list without a name is said to be so, never left as a gap in a sentence.
        return self._list(map(self._name, values)) or self._word("nothing")

    def _form(self, value: str) -> str:
        """How a file was read, as in "GB18030, comma" or "sheet Orders"."""
        return self._list(map(self._read_as, value.split(", ")))

    def _read_as(self, part: str) -> str:
        kind, _, name = part.partition(" ")
        return self.text("sheet {name}", name=name) if kind == "sheet" and name else self.text(part)

    def _tags(self, value: str) -> str:
        return self._words([tag for tag in value.split(",") if tag]) or MISSING

    def _words(self, values: list[str]) -> str:
        return self._list(map(self._word, values))

    def _list(self, parts: Iterable[str]) -> str:
        return self.text(", ").join(parts)

    def _sources(self, value: str) -> str:
        """Tables and files that something was computed from, as in "surveys, classes"."""
        return self._list(self._translated(name, SOURCE) for name in value.split(", "))

    def _levels(self, values: list[list[str]]) -> str:
        """Levels of classes, each with its class: "High" alone may be a tier or a value."""
        named = [self.text("{level:word} ({kind:word})", kind=kind, level=level) for kind, level in values]
        return self._list(named) or self._word("nobody")

    def _group(self, value: str) -> str:
        # A group of customers and, behind it, what sets it apart: "group_1 orders.higher".
        group, *traits = value.split()
        return (
            self.text("{group:word}: {traits:words}", group=group, traits=traits)
            if traits
            else self._word(group)
        )

    def _traits(self, values: list[dict]) -> str:
        return self.text("; ").join(map(self._trait, values))

    def _trait(self, trait: dict) -> str:
        """One difference of a class: fact, word (of a fact in words), unit, inside, others."""
        sides = {side: self.show(trait[side], trait["unit"]) for side in ("inside", "others")}
        if trait["word"] is None:
            return self.text("{fact:word} {inside} against {others}", fact=trait["fact"], **sides)
        return self.text("{fact:word} {word:word}: {inside} against {others}", **trait | sides)


def of(client: Any) -> Language:
    """The first language of a client, with the further ones of its report where a run is published."""
    first, *further = languages(client)
    first.further = tuple(further) if os.environ.get(EVERY) else ()
    return first


def languages(client: Any) -> list[Language]:
    """Every language of a client's report, each with the client's currency and own names of classes."""
    return [
        Language(code, client.currency, client.classes.words, first=not place)
        for place, code in enumerate(client.languages)
    ]


class _Formatter(string.Formatter):
    """`{n:count}`: the part after the colon is a unit."""

    def __init__(self, language: Language):
        self.language = language

    def format_field(self, value: Any, unit: str) -> str:
        return self.language.show(value, unit or "plain")
