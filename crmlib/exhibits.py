"""An exhibit: one table, its picture, and what a reader must know to trust it.

The table is shown under its figure and travels whole to `exhibits.xlsx`; text from data is escaped
wherever it is shown.
"""

import base64
import datetime as dt
import html
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from crmlib.headings import HEADINGS
from crmlib.language import WORDS, Language
from crmlib.measures import measure
from crmlib.sentences import About, Bundle, Said, spoken

SHOWN_ROWS = 20
NEAR = {"moved", "so_far"}  # two values that lie close together are told apart
WORDED = ("word", "name", "tags", "group", "joint", "phrase", "form")  # shown by a word of the catalogue
NUMERIC = ("change", "count", "money", "share", "days", "score", "number", "points", "shift")


@dataclass(frozen=True)
class Exhibit:
    """A titled table, with the picture drawn from it.

    Parameters
    ----------
    id : name of the exhibit's sheet and anchor
    title : catalogue key
    table : what is shown; its columns are named in `units`
    units : column → unit, where it is not the one of `UNITS`
    about : n, as-of date, source
    serves : the measure this exhibit explains (the first design principle of V05)
    sought : what the table lists was looked for, so that a table without rows says that there is none
    chart : an object with `png` (bytes) and `alt` (text), or None
    draw : what a chart is drawn with, in whichever language
    """

    id: str
    title: str
    table: pd.DataFrame
    language: Language
    units: dict[str, str] = field(default_factory=dict)
    about: About = field(default_factory=About)
    serves: str = ""
    sought: bool = False
    chart: Any = None
    draw: Callable[..., Any] | None = None

    def _ipython_display_(self) -> None:
        from IPython.display import display  # only a notebook has one

        told = {self.language: self} | {
            other: self.told_in(other, with_chart=self.chart is not None) for other in self.language.further
        }
        if self.chart is not None:
            picture, others = spoken(lambda language: told[language]._picture(), self.language)
            display(
                picture,
                raw=True,
                metadata={"image/png": {"alt": self.chart.alt, "exhibit": self.id}} | others,
            )
        table, others = spoken(lambda language: told[language]._table(), self.language)
        display(table, raw=True, metadata=others)

    def _picture(self) -> Bundle:
        return {"image/png": base64.b64encode(self.chart.png).decode(), "text/plain": self.chart.alt}

    def _table(self) -> Bundle:
        return {"text/html": self.html(), "text/plain": self.plain()}

    def drawn(self) -> "Exhibit":
        """The exhibit with its chart, drawn in its language from its table."""
        shown = {"title": self.language.text(self.title), "about": self.about.told(self.language)}
        chart = self.draw(self.words(), **shown, heading=self.heading, show=self.axis)
        # A chart says what it shows in parts, whose signs are for the language to set.
        return replace(self, chart=chart and replace(chart, alt=self.language.composed(chart.alt)))

    def told_in(self, language: Language, *, with_chart: bool = True) -> "Exhibit":
        """The same exhibit in another language."""
        other = replace(self, language=language, chart=None)
        return other.drawn() if with_chart and self.draw is not None else other

    def heading(self, column: str) -> str:
        """What a column is called in the reader's language."""
        return self.language.heading(heading(column))

    def cell(self, column: str, value: Any, row_unit: str = "text") -> str:
        """What a cell shows."""
        unit = self._unit(column, row_unit)
        empty = value is None or pd.isna(value)
        if unit == "change":
            return self.language.change(None if empty else value, row_unit)
        if unit == "measure":
            return self.language.text(measure(value).label)
        if unit == "fields" and not empty:
            return fields(value, self.language)
        return self.language.show(None if empty else value, unit)

    def axis(self, column: str, value: float, row_unit: str = "number") -> str:
        """How a chart writes a value of this column: money short, but where rows differ in their units."""
        unit = self._unit(column, row_unit)
        short = "near_money" if column in NEAR else "short_money"
        return self.language.show(value, short if self._unit(column, "row") == "money" else unit)

    def words(self) -> pd.DataFrame:
        """The table with the library's words in the reader's language: what a chart is drawn from."""
        shown = [c for c in self.columns if self._unit(c, "text") in (*WORDED, "measure")]
        translated = {c: [self.cell(c, name) for name in self.table[c]] for c in shown}
        return self.table.assign(**translated)

    @property
    def columns(self) -> list[str]:
        """The columns that are shown; `unit`, where rows differ in theirs, is not."""
        return [name for name in self.table.columns if name != "unit"]

    @property
    def nothing(self) -> str:
        """What stands in place of rows, as a key: that there is none, or that nobody could tell."""
        nothing = "None." if self.sought else "Nothing to show: not supplied, or too few."
        return nothing

    def _unit(self, column: str, row_unit: str) -> str:
        unit = self.units.get(column) or UNITS.get(column, "text")
        return row_unit if unit == "row" else unit

    def _side(self, column: str, row_unit: str) -> str:
        """The class of a cell: n for numbers, which stand to the right, t for text."""
        return "n" if self._unit(column, row_unit) in (*NUMERIC, "row") else "t"

    def _rows(self, most: int) -> Iterator[tuple[list, str]]:
        """Rows as lists of the shown columns, each with its unit."""
        # Of months the newest are what a reader looks for.
        shown = self.table.tail(most) if "month" in self.table.columns else self.table.head(most)
        units = shown["unit"] if "unit" in shown.columns else ["text"] * len(shown)
        yield from zip(shown[self.columns].astype(object).values.tolist(), units, strict=True)

    def html(self) -> str:
        """The table for a page: escaped, numbers to the right, long tables cut with a word."""
        title = html.escape(self.language.text(self.title))
        if self.table.empty:
            form = "no" if self.sought else "absent"
            return f'<p class="finding {form}">{html.escape(self._empty())}</p>'
        head = "".join(
            f'<th scope="col" class="{self._side(c, "row")}">{html.escape(self.heading(c))}</th>'
            for c in self.columns
        )
        rows = "".join(f"<tr>{self._cells(row, unit)}</tr>" for row, unit in self._rows(SHOWN_ROWS))
        more = len(self.table) - SHOWN_ROWS
        named = {"more": more, "file": self.language.file("exhibits.xlsx")}
        note = (Said("and {more:count} more rows in {file}", named),) if more > 0 else ()
        foot = About((*self.about.parts, *note)).told(self.language)
        return (
            f'<table class="exhibit"><caption>{title}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
            f'<p class="about">{html.escape(foot)}</p>'
        )

    def plain(self) -> str:
        """The table for a screen without HTML."""
        if self.table.empty:
            return self._empty()
        lines = [self.language.text(self.title), " | ".join(map(self.heading, self.columns))]
        for row, unit in self._rows(SHOWN_ROWS):
            lines.append(" | ".join(self.cell(c, v, unit) for c, v in zip(self.columns, row, strict=True)))
        return "\n".join([*lines, self.about.told(self.language)])

    def _empty(self) -> str:
        """The title, and that there are no rows."""
        values = {"title": self.title, "nothing": self.nothing}
        return self.language.text("{title:phrase}. {nothing:phrase}", **values)

    def record(self) -> dict:
        """The whole exhibit as JSON: what `exhibits.xlsx` is made from.

        A column's unit may be "row": the row's own unit then stands in `row_units`.
        """
        columns = [
            {"name": name, "heading": heading(name), "unit": self._unit(name, "row")} for name in self.columns
        ]
        rows = [([_plain_value(value) for value in row], unit) for row, unit in self._rows(len(self.table))]
        kept = {"id": self.id, "title": self.title, "about": self.about.record(), "serves": self.serves}
        kept |= {"alt": self.chart.alt} if self.chart is not None else {}
        return kept | {
            "columns": columns,
            "nothing": self.nothing,
            "rows": [row for row, _ in rows],
            "row_units": [unit for _, unit in rows],
        }

    def _cells(self, row: list, unit: str) -> str:
        return "".join(
            f'<td class="{self._side(column, unit)}">{html.escape(self.cell(column, value, unit))}</td>'
            for column, value in zip(self.columns, row, strict=True)
        )


def heading(column: str) -> str:
    """What a column is called, as a key of the catalogue.

    >>> heading("birth_year"), heading("red_wagons")
    ('Year of birth', 'Red wagons')
    >>> heading("2024-Q4")
    '2024-Q4'
    """
    if column[:1].isdigit():  # the name of a period
        return column
    return HEADINGS.get(column) or WORDS.get(column) or column.replace("_", " ").capitalize()


def fields(names: str, language: Language) -> str:
    """Columns that a cell lists, as they are called.

    >>> fields("name, birth_year", Language("en", "EUR"))
    'Name, Year of birth'
    """
    return language.text(", ").join(language.text(heading(name)) for name in names.split(", ") if name)


def _plain_value(value: Any) -> Any:
    """A cell as JSON knows it."""
    if value is None or pd.isna(value):
        return None
    if isinstance(value, dt.date | dt.datetime):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else value


# One column, one meaning, hence one unit; a column that is not named here is text as delivered.
# "row": the rows differ, and each names its own in the column `unit`.
_UNITS = {
    "count": "asked by_fixed_days customers days_old derived fell groups high lines low medium misfits n "
    "nameless not_graded numbers orders recency_points records rfm_score rose rows rows_in "
    "rows_kept rows_merged rows_quarantined smallest stated strangers title_rows",
    "share": "bought_share bought_share_high bought_share_low churned_share filled from_share probability "
    "share share_high share_low share_of_customers share_of_sales weight_share",
    "money": "acquired amount difference gross gross_before least_gross loss mean_order money money_in "
    "money_kept money_merged money_quarantined net net_change net_each retained service "
    "so_far spend_ahead",
    "score": "margin mean_points score score_before score_high score_low",
    "days": "days_silent recency_days",
    "number": "apart apart_high apart_low breadth contribution effect figure orders_a_year points "
    "silhouette stability strayed weight",
    "date": "first_date last_date",
    "row": "inside least median most others previous value value_high value_low",
    "change": "change",
    "measure": "id",
    "word": "activity before behaviour class cluster customer_type decided_by fact fate file flag "
    "frequency given group level lifetime loyalty measure need now part points_1 points_2 "
    "points_3 points_4 points_5 reason satisfaction segment sign spend table tag tier use "
    "value_class why word",
    "name": "channel industry product_group region",
    "fields": "agreeing different field near same",
    "tags": "signs tags",
    "group": "group_name",
    "phrase": "age what",
    "form": "form",
    "joint": "cause",
}
UNITS = {column: unit for unit, columns in _UNITS.items() for column in columns.split()}
