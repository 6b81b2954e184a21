"""Widgets to explore with: choices, a question of `workbook.questions`, its answer below.

Nothing is asked before somebody chooses: a batch that runs the cell loses no time, and where no browser is the
widgets are objects that show nothing.
"""

import html
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets

from crmlib import client as clients
from crmlib.classification.standards import FILE
from crmlib.errors import Refused
from crmlib.exhibits import Exhibit, heading
from crmlib.findings import Book
from crmlib.language import WORDS, Language
from crmlib.measures import measure

WIDE = {"description_width": "14em"}
COLUMNS = ("by", "attribute", "group", "dimension", "shown")  # choices among columns
MOST_LISTED = 60  # more is typed, with suggestions


@dataclass(frozen=True)
class Range:
    """A number to be chosen: from, to, by which steps, and where it stands at first."""

    low: float
    high: float
    step: float
    value: float


Choice = Range | Iterable[Any]


def explore(
    book: Book, question: Callable[..., Exhibit | list[Exhibit]], **choices: Choice
) -> widgets.Widget:
    """The widgets for a question: one for each of its choices, named as the question names them.

    Parameters
    ----------
    question : takes the choices by name
    choices : the words or numbers to choose from; the first is chosen at first
    """
    return Explorer(book, question, choices).box


class Explorer:
    """Choices, and the answer to the question they make."""

    def __init__(
        self, book: Book, question: Callable[..., Exhibit | list[Exhibit]], choices: Mapping[str, Choice]
    ) -> None:
        self.book, self.question, self._begun = book, question, False
        self.controls = {name: control(name, choice, book.language) for name, choice in choices.items()}
        self.button = widgets.Button(description=book.text("Show"))
        self.button.on_click(lambda _button: self.show())
        self.output = widgets.interactive_output(self._answer, self.controls)
        self.output.add_class("crm-answer")
        self.box = widgets.VBox([*self.controls.values(), self.button, self.output]).add_class("crm-explore")

    @property
    def chosen(self) -> dict[str, Any]:
        """What stands chosen."""
        return {name: one.value for name, one in self.controls.items()}

    def answer(self, **chosen: Any) -> list[Exhibit] | str:
        """The exhibits for these choices, or in words why there are none."""
        try:
            found = self.question(**chosen)
        except Refused as problem:
            return str(problem)
        return found if isinstance(found, list) else [found]

    def show(self) -> None:
        """The answer to what stands chosen, without another choice."""
        self._begun = True
        with self.output:
            self.output.clear_output(wait=True)
            self._answer(**self.chosen)

    def _answer(self, **chosen: Any) -> None:
        """Called when something is chosen, and once before anything is."""
        from IPython.display import HTML, display  # only a notebook has one

        if not self._begun:
            self._begun = True
            display(HTML(f'<p class="note">{html.escape(self.book.text("Choose: the answer follows."))}</p>'))
            return
        found = self.answer(**chosen)
        if isinstance(found, str):
            display(HTML(f'<p class="finding absent">{html.escape(found)}</p>'))
            return
        for exhibit in found:
            display(exhibit)


def control(name: str, choice: Choice, language: Language) -> widgets.Widget:
    """A widget for one choice: a list, a slider, or a field with suggestions where a list would be too long."""
    about = {"description": language.text(heading(name)), "style": WIDE, "layout": {"width": "40em"}}
    if isinstance(choice, Range):
        whole = all(float(part).is_integer() for part in (choice.low, choice.high, choice.step))
        kind = widgets.IntSlider if whole else widgets.FloatSlider
        ends = {"min": choice.low, "max": choice.high, "step": choice.step, "value": choice.value}
        # An answer may take a second: it is asked for when the hand rests.
        return kind(**ends, **about, continuous_update=False)
    values = list(dict.fromkeys(choice))
    if len(values) > MOST_LISTED:
        return widgets.Combobox(options=[str(value) for value in values], ensure_option=False, **about)
    options = [(_called(name, str(value), language), value) for value in values]
    return widgets.Dropdown(options=options, **about)


def _called(name: str, value: str, language: Language) -> str:
    """What a choice is called: a measure by its label, a column by its heading, all else by its word or name."""
    if name == "kpi":
        return language.text(measure(value).label)
    known = value in WORDS or name not in COLUMNS
    return language.show(value, "word") if known else language.text(heading(value))


def those(client: str) -> list[str]:
    """Clients to choose from, this one first."""
    return list(dict.fromkeys([client, *clients.listed()]))


def periods(client: str, period: str) -> list[str]:
    """Periods of which notebook 03 has classes, of any client, this one first."""
    found = {path.parent.name for path in (clients.home() / "data").glob(f"*/built/*/{FILE}")}
    return list(dict.fromkeys([period, *sorted(found, reverse=True)]))
