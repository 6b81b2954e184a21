"""What a notebook says: findings, notes and answers, as text and as HTML in which all text is inert."""

import datetime as dt
import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from crmlib.language import Language

# Where the metadata of an output keep what it says in further languages.
FURTHER = "crmlib"
Bundle = dict[str, str]  # kind of content → content, as a notebook keeps an output


def spoken(told: Callable[[Language], Bundle], language: Language) -> tuple[Bundle, dict]:
    """An output in its own language, and as metadata the same in every further one."""
    others = {other.code: told(other) for other in language.further}
    return told(language), {FURTHER: others} if others else {}


@dataclass(frozen=True)
class Said:
    """A text that can be told in any language: its key in the catalogue, and the values of its places."""

    key: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def told(self, language: Language) -> str:
        """The text in this language."""
        return language.text(self.key, **self.values)

    def record(self) -> list:
        """The text as JSON: the same whatever the reader's language is.

        >>> Said("as of {day:date}", {"day": dt.date(2024, 12, 31)}).record()
        ['as of {day:date}', {'day': {'date': '2024-12-31'}}]
        """
        return [self.key, {name: written(value) for name, value in self.values.items()}]

    @classmethod
    def read(cls, record: Sequence) -> "Said":
        """The text that `record` wrote."""
        key, values = record
        return cls(key, {name: unwritten(value) for name, value in values.items()})


@dataclass(frozen=True)
class About:
    """What stands under an exhibit: several texts in one line."""

    parts: tuple[Said, ...] = ()

    @property
    def n(self) -> int | None:
        """How many it says; None where it says nothing of that."""
        return self._value("n")

    @property
    def source(self) -> str:
        """Where it says the figures are from; empty where it does not."""
        return self._value("source") or ""

    @property
    def dated(self) -> bool:
        """Whether it says as of when."""
        return self._value("day") is not None

    def _value(self, name: str) -> Any:
        return next((part.values[name] for part in self.parts if name in part.values), None)

    def told(self, language: Language) -> str:
        """The line in this language."""
        return " · ".join(part.told(language) for part in self.parts)

    def record(self) -> list[list]:
        """The line as JSON."""
        return [part.record() for part in self.parts]

    @classmethod
    def read(cls, record: Sequence[Sequence]) -> "About":
        """The line that `record` wrote."""
        return cls(tuple(map(Said.read, record)))


def written(value: Any) -> Any:
    """A value of a sentence as JSON knows it."""
    return {"date": value.isoformat()} if isinstance(value, dt.date) else value


def unwritten(value: Any) -> Any:
    """A value as `written` wrote it."""
    return dt.date.fromisoformat(value["date"]) if isinstance(value, dict) else value


class _Told:
    """What a cell shows as a sentence or a list: in the reader's language, and in every further one."""

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[Bundle, dict]:
        return spoken(self._bundle, self._language())

    def _bundle(self, language: Language) -> Bundle:
        told = self._in(language)
        return {"text/html": told._repr_html_(), "text/plain": repr(told)}


@dataclass(frozen=True)
class Finding(_Told):
    """One computed sentence: which form was true, and the values in it."""

    id: str
    form: str  # yes, no, few or absent
    key: str
    values: Mapping[str, Any]
    language: Language
    aside: bool = False  # told in its place alone, not among the answers
    step: str = ""  # the notebook that tells it

    @property
    def anchor(self) -> str:
        """Where a page shows the sentence with its evidence.

        >>> Finding("sales.region", "yes", "", {}, Language("en", "EUR")).anchor
        'finding-sales.region'
        """
        return "finding-" + re.sub(r"[^\w.-]", "-", self.id)

    @property
    def sentence(self) -> str:
        """The finding in the reader's language."""
        return self.language.text(self.key, **self.values)

    def _in(self, language: Language) -> "Finding":
        return replace(self, language=language)

    def _language(self) -> Language:
        return self.language

    def __repr__(self) -> str:
        return self.sentence

    def _repr_html_(self) -> str:
        return f'<p class="finding {self.form}" id="{self.anchor}">{html.escape(self.sentence)}</p>'


@dataclass(frozen=True)
class Answer(_Told):
    """Findings as a list.

    `linked`: each leads to its evidence in the notebook that tells it. `first`: here they are told, and led to.
    """

    findings: list[Finding]
    linked: bool = False
    first: bool = False

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[Bundle, dict]:
        # Without a sentence there is nothing to tell in any language.
        return super()._repr_mimebundle_() if self.findings else ({"text/html": "", "text/plain": ""}, {})

    def _in(self, language: Language) -> "Answer":
        return replace(self, findings=[replace(finding, language=language) for finding in self.findings])

    def _language(self) -> Language:
        return self.findings[0].language

    def __repr__(self) -> str:
        return "\n".join(f"- {finding.sentence}" for finding in self.findings)

    def _repr_html_(self) -> str:
        items = "".join(
            f'<li class="{finding.form}"{self._place(finding)}>{self._item(finding)}</li>'
            for finding in self.findings
        )
        return f'<ul class="answer">{items}</ul>' if items else ""

    def _place(self, finding: Finding) -> str:
        return f' id="{finding.anchor}"' if self.first else ""

    def _item(self, finding: Finding) -> str:
        text = html.escape(finding.sentence)
        if not self.linked:
            return text
        return f'<a href="{finding.step}.ipynb#{finding.anchor}">{text}</a>'


@dataclass(frozen=True)
class Note(_Told):
    """A sentence that says by which rule something was judged."""

    said: Said
    language: Language

    @property
    def sentence(self) -> str:
        """The note in the reader's language."""
        return self.said.told(self.language)

    def _in(self, language: Language) -> "Note":
        return replace(self, language=language)

    def _language(self) -> Language:
        return self.language

    def __repr__(self) -> str:
        return self.sentence

    def _repr_html_(self) -> str:
        return f'<p class="note">{html.escape(self.sentence)}</p>'
