"""What a notebook says: findings, notes and answers, as text and as HTML in which all text is inert."""

import html
import re
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

    def __repr__(self) -> str:
        return self.sentence

    def _repr_html_(self) -> str:
        return f'<p class="finding {self.form}" id="{self.anchor}">{html.escape(self.sentence)}</p>'


@dataclass(frozen=True)
class Answer:
    """Findings as a list.

    `linked`: each leads to its evidence in the notebook that tells it. `first`: here they are told, and led to.
    """

    findings: list[Finding]
    linked: bool = False
    first: bool = False

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
class Note:
    """A sentence that says by which rule something was judged."""

    sentence: str

    def __repr__(self) -> str:
        return self.sentence

    def _repr_html_(self) -> str:
        return f'<p class="note">{html.escape(self.sentence)}</p>'
