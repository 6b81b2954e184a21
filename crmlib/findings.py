"""Computed sentences, and the record of every printed figure.

A notebook keeps one `Book`: its figures (by the ids of `crmlib.measures`), its findings (a
sentence with a "yes", a "no" and a "too few" form, chosen by the data) and its exhibits. The book
is written as JSON beside the step's tables; summary, report, `results.json` and tests read it.
"""

import dataclasses
import json
import math
import string
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from crmlib import language, principles, tables
from crmlib.client import Client
from crmlib.errors import MissingStep, SchemaError
from crmlib.exhibits import UNITS, Exhibit
from crmlib.measures import measure
from crmlib.period import Period
from crmlib.privacy import key, masked
from crmlib.sentences import About, Answer, Finding, Note, Said, unwritten, written

# Steps 01 and 02 serve the whole delivery; the others one period of it.
STEPS = (
    "01-collection",
    "02-cleaning",
    "03-classification",
    "04-visualisation",
    "05-analysis-performance",
    "06-analysis-satisfaction",
    "07-analysis-value",
    "08-analysis-churn",
    "09-analysis-preferences",
    "10-analysis-relationships",
    "12-summary",
)
DELIVERY_STEPS = STEPS[:2]
NEVER_SHOWN = {"name", "contact", "raw"}
NUMBERS = {"customer_id", "other_id", "start_id"}  # of customers: masked wherever they are shown


class Book:
    """What one notebook says: figures, findings, exhibits.

    `period` is None for steps 01 and 02, which serve every period of a delivery.
    """

    def __init__(self, step: str, client: Client, period: Period | None = None):
        self.step, self.client, self.period = step, client, period
        self.language = language.of(client)
        self.figures: dict[str, dict] = {}
        self.findings: list[Finding] = []
        self.exhibits: list[Exhibit] = []

    @property
    def folder(self) -> Path:
        """Where this step writes."""
        return self.client.built(self.period) if self.period else self.client.delivery

    def money(self, amount: float | None) -> float | None:
        """An amount of the smallest unit in main units, exact to the last decimal."""
        if amount is None or pd.isna(amount):
            return None
        if isinstance(amount, float):
            return amount / 10**self.client.decimals
        return float(Decimal(int(amount)).scaleb(-self.client.decimals))

    def figure(
        self,
        id: str,
        value: float | None,
        *,
        n: int | None = None,
        low: float | None = None,
        high: float | None = None,
        why: str | None = None,
        previous: float | None = None,
    ) -> float | None:
        """A figure recorded under its id; `value` None needs a `why`, as in "not supplied".

        Money is given in the smallest unit and recorded in main units.
        """
        means = measure(id)
        if means.unit == "money":
            value, low, high, previous = map(self.money, (value, low, high, previous))
        value, low, high, previous = map(_number, (value, low, high, previous))
        if value is None and not why:
            raise ValueError(f"{id} has neither a value nor a reason for having none")
        self.figures[id] = {
            "value": value,
            "unit": means.unit,
            "low": low,
            "high": high,
            "n": None if n is None else int(n),
            "label": means.label,
            "formula": means.formula,
            "source": means.source,
            **({"why": why} if value is None else {}),
            **({"previous": previous} if previous is not None else {}),
        }
        return value

    def take(self, figures: Mapping[str, Mapping], before: Mapping[str, Mapping] | None = None) -> None:
        """Several figures at once, as the functions of `crmlib.analysis` return them.

        With `before`, the previous period's figures of the same ids are recorded beside them.
        """
        for id, parts in figures.items():
            previous = (before or {}).get(id, {}).get("value")
            self.figure(id, **parts, previous=previous)

    def say(
        self,
        id: str,
        values: Mapping[str, Any] | None = None,
        *,
        when: bool | None,
        yes: str,
        no: str,
        few: str = "",
        absent: str = "",
        n: int | None = None,
        at_least: int = 0,
        aside: bool = False,
    ) -> Finding:
        """The form of a finding that the data make true.

        `absent` where `when` is None (not supplied), `few` where `n` is below `at_least`, else
        `yes` or `no`. Places in the sentence name their units; money is given in the smallest one.
        `aside`: it stands in its place alone, not among the answers.
        """
        if when is None:
            form, key = "absent", absent
        elif n is not None and n < at_least:
            form, key = "few", few
        else:
            form, key = ("yes", yes) if when else ("no", no)
        if not key:
            raise ValueError(f"finding {id} has no sentence for the form {form!r}")
        given = {name: _plain(value) for name, value in (values or {}).items()}
        for _, name, unit, _ in string.Formatter().parse(key):
            if unit == "money":
                given[name] = self.money(given[name])
        given |= {"n": n, "at_least": at_least}
        finding = Finding(id, form, key, given, self.language, aside, self.step)
        self.findings.append(finding)
        return finding

    def note(self, key: str, **values: Any) -> Note:
        """How to read what follows, with the client's own rules in it; no finding."""
        return Note(Said(key, values), self.language)

    def about(self, n: int, of: str, source: str) -> About:
        """What stands under every exhibit: how many of what, as of when, from where."""
        day = [Said("as of {day:date}", {"day": self.period.as_of})] if self.period else []
        counted = Said("n = {n:count} {of:phrase}", {"n": int(n), "of": of})
        return About((counted, *day, Said("source: {source:sources}", {"source": source})))

    def exhibit(
        self,
        id: str,
        table: pd.DataFrame,
        *,
        title: str,
        about: About,
        serves: str,
        units: Mapping[str, str] | None = None,
        sought: bool = False,
        main_units: bool = False,
        draw: Callable | None = None,
        **drawing: Any,
    ) -> Exhibit:
        """An exhibit recorded and shown; customer numbers are masked, names are refused.

        Parameters
        ----------
        title : catalogue key
        about : n, as-of date and source, as `about` gives them
        serves : the measure it explains
        units : where a column's unit is not the one of `exhibits.UNITS`
        sought : what it lists was looked for: without a row it says "None.", else that nothing can be shown
        main_units : money comes as it is to be shown, not in the smallest unit
        draw : a chart of `visualisation.charts`; what it needs to know follows as `drawing`

        Raises
        ------
        FigureError : what was drawn breaks one of the principles of `crmlib.principles`
        """
        clear = NEVER_SHOWN.intersection(table.columns)
        if clear:
            raise SchemaError(f"exhibit {id} would show personal data in clear: {', '.join(sorted(clear))}")
        for number in NUMBERS.intersection(table.columns):
            table = table.assign(**{number: masked(table[number], key(self.client))})
        if not main_units:
            table = self._main_units(table, units or {})
        exhibit = Exhibit(id, title, table, self.language, dict(units or {}), about, serves, sought)
        if draw is not None:
            exhibit = dataclasses.replace(exhibit, draw=partial(draw, **drawing)).drawn()
        if exhibit.chart is not None:
            drawn = {"draw": draw.__name__} | drawing
            principles.check(exhibit, drawn, self.client.goals, period=self.period is not None)
        self.exhibits.append(exhibit)
        return exhibit

    def _main_units(self, table: pd.DataFrame, units: Mapping[str, str]) -> pd.DataFrame:
        """Money of the smallest unit in main units, whole columns or, by `unit`, single rows."""
        scaled = {}
        for column in table.columns:
            unit = units.get(column) or UNITS.get(column)
            if unit == "money":
                scaled[column] = [self.money(value) for value in table[column]]
            elif unit == "row" and "unit" in table.columns:
                pairs = zip(table[column], table["unit"], strict=True)
                scaled[column] = [self.money(value) if own == "money" else value for value, own in pairs]
        return table.assign(**{c: pd.Series(v, index=table.index, dtype=object) for c, v in scaled.items()})

    def text(self, key: str, /, **values: Any) -> str:
        """A text of the catalogue in the reader's language."""
        return self.language.text(key, **values)

    def written(self, rows: Mapping[str, int]) -> Exhibit:
        """The book saved, and what the step wrote: table by table, with its rows."""
        path = self.save()
        table = pd.DataFrame({"file": [*rows, path.stem], "rows": [*rows.values(), len(self.figures)]})
        place = self.folder.relative_to(self.client.home).as_posix()
        about = About((Said("in {place}", {"place": place}),))
        return Exhibit("written", "Files written", table, self.language, about=about)

    def answer(self) -> Answer:
        """Every finding of the notebook, gathered under its title's question."""
        return Answer([finding for finding in self.findings if not finding.aside])

    def save(self) -> Path:
        """The book as JSON in the step's folder."""
        content = {
            "step": self.step,
            "figures": self.figures,
            "findings": [
                {
                    "id": f.id,
                    "form": f.form,
                    "key": f.key,
                    "values": {k: written(v) for k, v in f.values.items()},
                    "aside": f.aside,
                }
                for f in self.findings
            ],
            "exhibits": [exhibit.record() for exhibit in self.exhibits],
        }
        text = json.dumps(content, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False)
        return tables.replace(self.folder / "books" / f"{self.step}.json", text.encode())


def read(step: str, client: Client, period: Period) -> dict:
    """A step's book as it was written."""
    folder = client.delivery if step in DELIVERY_STEPS else client.built(period)
    path = folder / "books" / f"{step}.json"
    if not path.is_file():
        raise MissingStep(f"{step} has not run for this client and period. Run notebook {step} first.")
    return json.loads(path.read_text("utf-8"))


def figures(client: Client, period: Period, steps: tuple[str, ...] = STEPS) -> dict[str, dict]:
    """Every figure of these steps by id: the content of `results.json`."""
    found: dict[str, dict] = {}
    for step in steps:
        found |= read(step, client, period)["figures"]
    return dict(sorted(found.items()))


def findings(client: Client, period: Period, step: str) -> list[Finding]:
    """A step's findings, ready to be told again."""
    reader = language.of(client)
    return [
        Finding(*(f["id"], f["form"], f["key"]), _again(f["values"]), reader, f["aside"], step)
        for f in read(step, client, period)["findings"]
    ]


def _again(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: unwritten(value) for name, value in values.items()}


def _number(value: Any) -> float | int | None:
    """A figure's value as JSON writes it; what is not finite is no value."""
    if value is None or pd.isna(value):
        return None
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _plain(value: Any) -> Any:
    """A value of a sentence as JSON knows it; not a number is nothing."""
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and math.isnan(value) else value
