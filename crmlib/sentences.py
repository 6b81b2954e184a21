"""What a notebook says: findings, notes and answers, as text and as HTML in which all text is inert."""

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crmlib.language import Language


@dataclass(frozen=True)
class Finding:
    """One computed sentence: which form was true, and the values in it."""

    id: str
    form: str  # yes, no, few or absent
    key: str
    values: Mapping[str, Any]
    language: Language
    aside: bool = False  # told in its place alone, not among the answers

    @property
    def sentence(self) -> str:
        """The finding in the reader's language."""
        return self.language.text(self.key, **self.values)

    def __repr__(self) -> str:
        return self.sentence

    def _repr_html_(self) -> str:
        return f'<p class="finding {self.form}">{html.escape(self.sentence)}</p>'


@dataclass(frozen=True)
class Answer:
    """Findings as a list."""

    findings: list[Finding]

    def __repr__(self) -> str:
        return "\n".join(f"- {finding.sentence}" for finding in self.findings)

    def _repr_html_(self) -> str:
        items = "".join(
            f'<li class="{finding.form}">{html.escape(finding.sentence)}</li>' for finding in self.findings
        )
        return f'<ul class="answer">{items}</ul>'


@dataclass(frozen=True)
class Note:
    """A sentence that says by which rule something was judged."""

    sentence: str

    def __repr__(self) -> str:
        return self.sentence

    def _repr_html_(self) -> str:
        return f'<p class="note">{html.escape(self.sentence)}</p>'
