"""The threshold laboratory: move a limit and see at once who would be in which tier; *Save* writes `client.yml`.

Nothing is computed before a slider is moved. What it then shows is `classification.trial.trial`, by the same
functions that a run uses; what it saves are the keys that a run reads.
"""

import html
import math
from collections.abc import Callable

import ipywidgets as widgets
import pandas as pd
from pydantic import ValidationError

from crmlib import client as clients
from crmlib.classification import trial
from crmlib.classification.beside import Beside
from crmlib.classification.grades import Kept
from crmlib.classification.thresholds import Threshold, Value, faults, of_tiers, with_values
from crmlib.errors import Refused
from crmlib.exhibits import Exhibit
from crmlib.findings import Book
from crmlib.language import Language
from crmlib.period import Period
from crmlib.rules import Classes
from crmlib.sentences import About
from crmlib.visualisation import charts
from crmlib.workbook import standing

STEP = "03-classification"
WIDE = {"description_width": "24em"}
STEPS = 100  # of a slider, about
MOST_NAMED = 10  # movers shown; the others are counted
NICE = (1, 2, 5, 10)
SCALES = {
    "tier.cuts": (1, 3),
    "loyalty.recommend": (0, 10),
    "scorecard.cuts": (0, 100),
}  # what is measured there


def laboratory(
    name: str,
    period: str,
    facts: pd.DataFrame,
    *,
    answers: pd.DataFrame | None = None,
    stated: pd.DataFrame | None = None,
    beside: Beside = Beside(),  # noqa: B008 — frozen and empty
) -> widgets.Widget:
    """The laboratory for a client's customers as notebook 03 knows them.

    Without a front end it is an object that shows nothing and computes nothing.
    """

    def known(client: clients.Client) -> trial.Grounds:
        return trial.grounds(facts, answers, stated=stated, beside=beside, decimals=client.decimals)

    return Laboratory(name, Period.parse(period), known).box


class Laboratory:
    """The sliders, what they show, and what the buttons do."""

    def __init__(self, name: str, span: Period, known: Callable[[clients.Client], trial.Grounds]) -> None:
        self.file = standing.RuleFile(name)
        self.book = Book(STEP, self.file.client, span)
        self.text: Callable[..., str] = self.book.text
        self._known, self._grounds, self._kept = known, None, Kept()
        self.sliders: dict[str, widgets.Widget] = {}
        self.faults: dict[str, widgets.HTML] = {}
        self._quiet = False
        self.parts = widgets.HBox(layout={"flex_flow": "row wrap"})
        self.said = widgets.HTML()
        first = f'<p class="note">{self.text("Move a limit: the table follows.")}</p>'
        self.table = widgets.HTML(first).add_class("crm-trial")
        self.figure = widgets.Image(format="png", width=560, layout={"display": "none"})
        self.figure.add_class("crm-trial-figure")
        labels = (
            (self.text("Save"), self.save),
            (self.text("Undo"), self.undo),
            (self.text("As saved"), self.reset),
        )
        buttons = [self._button(label, act) for label, act in labels]
        self.box = widgets.VBox([self.parts, widgets.HBox(buttons), self.said, self.table, self.figure])
        self.box.add_class("crm-laboratory")
        self._build()

    def _button(self, label: str, act: Callable[[], str]) -> widgets.Button:
        button = widgets.Button(description=label)

        def pressed(_button: object) -> None:
            try:
                self._say(act())
            except Refused as problem:
                self._say(str(problem), fault=True)
            except OSError as problem:
                self._say(f"{problem.filename or 'client.yml'}: {problem.strerror}.", fault=True)

        button.on_click(pressed)
        return button

    def _build(self) -> None:
        """A slider for every limit that has a part in the tier, at its value as saved."""
        self.sliders, self.faults, groups = {}, {}, {}
        for one in of_tiers(self.file.rules):
            slider, fault = slid(one, self.book.language), widgets.HTML()
            slider.observe(self._moved, "value")
            self.sliders[one.key], self.faults[one.key] = slider, fault
            groups.setdefault(one.group, []).append(widgets.HBox([slider, fault]))
        self.parts.children = [
            widgets.VBox([widgets.HTML(f"<b>{self.book.language.show(group, 'word')}</b>"), *rows])
            for group, rows in groups.items()
        ]
        self._saved: pd.Series | None = None

    @property
    def values(self) -> dict[str, Value]:
        """Where the sliders stand, by key."""
        return {key: slider.value for key, slider in self.sliders.items()}

    def rules(self) -> Classes | None:
        """The rules as the sliders stand; None where they contradict, which is then said beside them."""
        found: list = []
        try:
            rules = with_values(self.file.rules, self.values)
        except ValidationError as problem:
            rules, found = None, faults(problem)
        for key, place in self.faults.items():
            why = next((fault.why for fault in found if fault.concerns(key)), None)
            place.value = "" if why is None else self._fault(self.book.language.show(why, "word"))
        return rules

    def _moved(self, _change: object = None) -> None:
        if self._quiet:
            return
        self._say("")
        rules = self.rules()
        if rules is not None:
            self.show(self.tried(rules))

    def tried(self, rules: Classes) -> trial.Trial:
        """What these rules would change."""
        if self._grounds is None:
            self._grounds = self._known(self.file.client)
        if self._saved is None:
            self._saved = trial.tiers(self._grounds, self.file.rules, self._kept)
        return trial.trial(self._grounds, rules=rules, saved=self._saved, kept=self._kept)

    def show(self, found: trial.Trial) -> None:
        """The table, the movers and the figure of a trial."""
        counted, moved = shown(found, self.book)
        movers = moved.html() if len(found.movers) else ""
        self.table.value = counted.html() + told(found, self.book) + movers
        # The table is there before the figure, which takes longest, is drawn.
        chart = flow(found, self.book).chart
        self.figure.layout.display = "none" if chart is None else None
        if chart is not None:
            self.figure.value = chart.png

    def save(self) -> str:
        """The limits as they stand written to `client.yml`, as far as they differ from it."""
        rules = self.rules()
        if rules is None:
            raise Refused(self.text("Not saved: see the words beside the limits."))
        keys = self.file.save(rules)
        self._saved = None
        if not keys:
            return self.text("Nothing was changed, so nothing is saved.")
        self.show(self.tried(rules))
        return self.text("{file} saved: {keys}.", file=str(self.file), keys=", ".join(keys))

    def undo(self) -> str:
        """`client.yml` as it was before the last *Save*, and the sliders with it."""
        self.file.undo()
        self.reset()
        return self.text("{file} is as it was before.", file=str(self.file))

    def reset(self) -> str:
        """The sliders as `client.yml` has them."""
        self._build()
        if self._grounds is not None:
            self.show(self.tried(self.file.rules))
        return ""

    def _say(self, text: str, *, fault: bool = False) -> None:
        self.said.value = (
            self._fault(text) if fault else f'<p class="note">{_inert(text)}</p>' if text else ""
        )

    def _fault(self, text: str) -> str:
        return f'<span class="crm-fault" role="alert">{_inert(text)}</span>'


def shown(found: trial.Trial, book: Book) -> tuple[Exhibit, Exhibit]:
    """A trial as a reader sees it: the tiers, and the largest movers, their numbers masked."""
    about = _about(found, book)
    asked = {"serves": "tier.{level}.customers", "units": trial.UNITS, "about": about}
    title = "Tiers by these limits beside those as saved"
    counted = book.exhibit("trial.tiers", found.tiers, title=title, **asked)
    title = "Who would move, the largest net sales first"
    return counted, book.exhibit("trial.movers", found.movers.head(MOST_NAMED), title=title, **asked)


def flow(found: trial.Trial, book: Book) -> Exhibit:
    """The figure of who moves."""
    return book.exhibit(
        "trial.flow",
        found.flow,
        title="From the limits as saved to these",
        about=_about(found, book),
        serves="tier.moved.customers",
        units=trial.UNITS,
        draw=charts.flows,
        source="tier_saved",
        target="tier_tried",
        size="customers",
    )


def _about(found: trial.Trial, book: Book) -> About:
    return book.about(int(found.tiers["customers"].sum()), "customers", "client.yml")


def told(found: trial.Trial, book: Book) -> str:
    """Who would move and with what money, and what serving them costs where that is known."""
    values = found.told | {"of": int(found.tiers["customers"].sum())}
    money = {key: book.money(values[key]) for key in ("net_up", "net_down")}
    sentences = [
        book.text(
            "{moved:count} of {of:count} customers would move: {up:count} up (net sales so far {net_up:money}), "
            "{down:count} down ({net_down:money}), {other:count} into or out of the ungraded.",
            **values | money,
        )
    ]
    if found.tiers["service"].isna().all():
        sentences.append(book.text("Cost to serve: not supplied."))
    return "".join(f'<p class="note">{_inert(sentence)}</p>' for sentence in sentences)


def slid(one: Threshold, language: Language) -> widgets.Widget:
    """A slider for a threshold, wide enough to reach twice its value."""
    label = " · ".join(language.show(word, "word") for word in one.words[1:])
    least, most, step = reach(one)
    kind = widgets.IntSlider if one.whole else widgets.FloatSlider
    form = {} if one.whole else {"readout_format": ",.0f" if step >= 1 else ".2f" if step >= 0.01 else ".3f"}
    return kind(
        value=one.value,
        min=least,
        max=most,
        step=step,
        description=label,
        style=WIDE,
        layout={"width": "42em"},
        tooltip=one.key,
        **form,
    )


def reach(one: Threshold) -> tuple[float, float, float]:
    """How far a slider goes, and by which steps.

    >>> reach(Threshold("classes.abc.shares.first", 0.8, 0.8, 0, 1, above=True, below=True))
    (0.01, 0.99, 0.01)
    >>> reach(Threshold("classes.behaviour.active_days", 90, 90, 1, whole=True))
    (1, 180, 1)
    >>> reach(Threshold("classes.value.spend.high", 30000.0, None))
    (0, 60000.0, 500)
    """
    value, scale = abs(one.value) or 1, SCALES.get(".".join(one.key.split(".")[1:3]), (None, None))
    low, high = (
        given if given is not None else end for given, end in zip((one.low, one.high), scale, strict=True)
    )
    least = min(0, 2 * one.value) if low is None else min(low, one.value)
    most = (2 * value if value > 3 else value + 2) if high is None else max(high, one.value)
    if one.whole:
        return int(least), int(most), 1
    rough = (most - least) / STEPS
    power = 10.0 ** math.floor(math.log10(rough))
    step = min(max(next(n for n in NICE if n * power >= rough * 0.8) * power, 0.01), 1e9)
    step = int(step) if step >= 1 else round(step, 6)
    return least + step * one.above, most - step * one.below, step


def _inert(text: str) -> str:
    return html.escape(text)
