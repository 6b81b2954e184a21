"""What a reader reads, in the reader's language: texts by gettext, figures by Babel.

English texts are the keys of the catalogue. A place in a text names its unit, so that the same
sentence shows `45.3%` or `CN¥1,234` as the language writes it:

>>> Language("en", "CNY").text("{share:share} of {n:count} customers", share=0.4529, n=1234)
'45.3% of 1,234 customers'
"""

import datetime as dt
import gettext
import math
import string
from collections.abc import Mapping, Sequence
from pathlib import Path
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

from crmlib.language.words import WORDS

CATALOGUES = Path(__file__).parent / "locale"
MISSING = "—"
VAST = 1e15  # from here on a number is written by its power of ten

# Words of the library among names that a client delivered.
OURS = ("unknown", "other", "not_supplied", "mixed", "own_firm", "whole_market")


class Language:
    """One language and the currency it shows money in; `words` are a client's own names of classes."""

    def __init__(self, code: str, currency: str, words: Mapping[str, str] | None = None):
        self.code = code
        self.currency = currency
        self._own = words or {}
        self._locale = Locale.parse(code)
        self._catalogue = gettext.translation("crmlib", CATALOGUES, languages=[code], fallback=True)
        self._formatter = _Formatter(self)

    def text(self, key: str, /, **values: Any) -> str:
        """The text of this key in this language, its places filled."""
        text = self._catalogue.gettext(key) if key else ""
        return self._formatter.vformat(text, (), values) if values else text

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
        if 0 < abs(value) < 1000 or abs(value) >= VAST:
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
        return format_date(value, format="d MMM y" if self.code == "en" else "medium", locale=self._locale)

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
        return ", ".join(map(self._name, values)) or self._word("nothing")

    def _tags(self, value: str) -> str:
        return self._words([tag for tag in value.split(",") if tag]) or MISSING

    def _words(self, values: list[str]) -> str:
        return ", ".join(map(self._word, values))

    def _levels(self, values: list[list[str]]) -> str:
        """Levels of classes, each with its class: "High" alone may be a tier or a value."""
        named = [self.text("{level:word} ({kind:word})", kind=kind, level=level) for kind, level in values]
        return ", ".join(named) or self._word("nobody")

    def _group(self, value: str) -> str:
        # A group of customers and, behind it, what sets it apart: "group_1 orders.higher".
        group, *traits = value.split()
        return (
            self.text("{group:word}: {traits:words}", group=group, traits=traits)
            if traits
            else self._word(group)
        )

    def _traits(self, values: list[dict]) -> str:
        return "; ".join(map(self._trait, values))

    def _trait(self, trait: dict) -> str:
        """One difference of a class: fact, word (of a fact in words), unit, inside, others."""
        sides = {side: self.show(trait[side], trait["unit"]) for side in ("inside", "others")}
        if trait["word"] is None:
            return self.text("{fact:word} {inside} against {others}", fact=trait["fact"], **sides)
        return self.text("{fact:word} {word:word}: {inside} against {others}", **trait | sides)


class _Formatter(string.Formatter):
    """`{n:count}`: the part after the colon is a unit."""

    def __init__(self, language: Language):
        self.language = language

    def format_field(self, value: Any, unit: str) -> str:
        return self.language.show(value, unit or "plain")
