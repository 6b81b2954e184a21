"""An exhibit: one table, its picture, and what a reader must know to trust it.

The table is shown under its figure and travels whole to `exhibits.xlsx`; text from data is escaped
wherever it is shown.
"""

import base64
import datetime as dt
import html
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from crmlib.language import WORDS, Language
from crmlib.measures import measure

SHOWN_ROWS = 20
NEAR = {"moved", "so_far"}  # two values that lie close together are told apart
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
    about : n, as-of date, source, in the reader's language
    serves : the measure this exhibit explains (the first design principle of V05)
    sought : what the table lists was looked for, so that a table without rows says that there is none
    chart : an object with `png` (bytes) and `alt` (text), or None
    """

    id: str
    title: str
    table: pd.DataFrame
    language: Language
    units: dict[str, str] = field(default_factory=dict)
    about: str = ""
    serves: str = ""
    sought: bool = False
    chart: Any = None

    def _ipython_display_(self) -> None:
        from IPython.display import display  # only a notebook has one

        if self.chart is not None:
            picture = base64.b64encode(self.chart.png).decode()
            display(
                {"image/png": picture, "text/plain": self.chart.alt},
                raw=True,
                metadata={"image/png": {"alt": self.chart.alt}},
            )
        display({"text/html": self.html(), "text/plain": self.plain()}, raw=True)

    def heading(self, column: str) -> str:
        """What a column is called in the reader's language."""
        return self.language.text(heading(column))

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
        shown = [
            c
            for c in self.columns
            if self._unit(c, "text") in ("word", "name", "tags", "group", "joint", "measure")
        ]
        translated = {c: [self.cell(c, name) for name in self.table[c]] for c in shown}
        return self.table.assign(**translated)

    @property
    def columns(self) -> list[str]:
        """The columns that are shown; `unit`, where rows differ in theirs, is not."""
        return [name for name in self.table.columns if name != "unit"]

    @property
    def nothing(self) -> str:
        """What stands in place of rows: that there is none, or that nobody could tell."""
        if self.sought:
            return self.language.text("None.")
        return self.language.text("Nothing to show: not supplied, or too few.")

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
            return f'<p class="finding {form}">{title}. {html.escape(self.nothing)}</p>'
        head = "".join(
            f'<th scope="col" class="{self._side(c, "row")}">{html.escape(self.heading(c))}</th>'
            for c in self.columns
        )
        rows = "".join(f"<tr>{self._cells(row, unit)}</tr>" for row, unit in self._rows(SHOWN_ROWS))
        more = len(self.table) - SHOWN_ROWS
        note = (
            self.language.text("and {more:count} more rows in exhibits.xlsx", more=more) if more > 0 else ""
        )
        foot = " · ".join(part for part in (self.about, note) if part)
        return (
            f'<table class="exhibit"><caption>{title}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
            f'<p class="about">{html.escape(foot)}</p>'
        )

    def plain(self) -> str:
        """The table for a screen without HTML."""
        if self.table.empty:
            return f"{self.language.text(self.title)}. {self.nothing}"
        lines = [self.language.text(self.title), " | ".join(map(self.heading, self.columns))]
        for row, unit in self._rows(SHOWN_ROWS):
            lines.append(" | ".join(self.cell(c, v, unit) for c, v in zip(self.columns, row, strict=True)))
        return "\n".join([*lines, self.about])

    def record(self) -> dict:
        """The whole exhibit as JSON: what `exhibits.xlsx` is made from.

        A column's unit may be "row": the row's own unit then stands in `row_units`.
        """
        columns = [
            {"name": name, "heading": heading(name), "unit": self._unit(name, "row")} for name in self.columns
        ]
        rows = [([_plain_value(value) for value in row], unit) for row, unit in self._rows(len(self.table))]
        kept = {"id": self.id, "title": self.title, "about": self.about, "serves": self.serves}
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

    >>> heading("birth_year"), heading("open_cases")
    ('Year of birth', 'Open cases')
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
    return ", ".join(language.text(heading(name)) for name in names.split(", ") if name)


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
    "joint": "cause",
}
UNITS = {column: unit for unit, columns in _UNITS.items() for column in columns.split()}
# Headings where the column's own name would not say enough.
HEADINGS = {
    "odds": "Odds",
    "actual": "Reached",
    "plan": "Plan today",
    "target": "Target",
    "status": "Status",
    "driver": "Driven by",
    "by": "By",
    "owner": "Owner",
    "supervisor": "Supervisor",
    "benchmark": "Best competitor",
    "criterion": "Criterion",
    "met": "Met",
    "why": "Why",
    "kpi": "KPI",
    "goal": "Goal",
    "performance": "Score of 100",
    "quadrant": "What to do",
    "shapley": "Shapley's share",
    "weight_low": "Lowest",
    "weight_high": "Highest",
    "so_far": "So far",
    "moved": "Change",
    "moved_high": "90% high",
    "moved_low": "90% low",
    "then": "Then",
    "today": "Now",
    "n_then": "n then",
    "rest_then": "All others then",
    "rest_today": "All others now",
    "strayed": "Standard errors from all others",
    "acquired": "Sales of customers won",
    "agreeing": "Agree in",
    "apart": "Lift, or how often larger",
    "apart_high": "Highest",
    "apart_low": "Lowest",
    "asked": "Whose need is known",
    "before": "Tier then",
    "birth_year": "Year of birth",
    "bought": "Bought again",
    "bought_share": "Bought again, share",
    "bought_share_high": "90% high",
    "bought_share_low": "90% low",
    "breadth": "Product groups",
    "by_fixed_days": "By fixed days",
    "cause": "Moved by",
    "change": "Change",
    "churned_share": "Churned since, share",
    "city": "City",
    "cluster": "Group",
    "cohort": "First order · customers",
    "column": "Our column",
    "condition": "Condition",
    "contact": "Contact",
    "contribution": "Contribution",
    "credit_grade": "Credit grade",
    "customer_id": "Customer (masked)",
    "customer_type": "Customer type",
    "days_old": "Days old at delivery",
    "days_silent": "Days since the last order",
    "decided_by": "Decided by",
    "detail": "Detail",
    "difference": "Difference",
    "different": "Differ in",
    "differ_by": "Differ by",
    "listed": "In the customer table",
    "effect": "Effect, -1 to 1",
    "evidence": "Evidence",
    "fact": "Fact",
    "fell": "Fell",
    "figure": "Figure",
    "file": "File",
    "filled": "Filled",
    "form": "Read as",
    "from_share": "From this share of sales on",
    "gender": "Gender",
    "given": "Given tier",
    "grade": "Grade",
    "gross": "Sales",
    "gross_before": "Sales, previous period",
    "group_name": "What sets it apart",
    "groups": "Groups",
    "header": "Header in the file",
    "id": "Measure",
    "industry": "Industry",
    "inside": "In the class",
    "least_gross": "Least sales",
    "loss": "Lost by serving",
    "margin": "Margin of chance",
    "mean_order": "Mean order",
    "mean_points": "Mean points, 0–100",
    "measure": "Measured by",
    "misfits": "Records that misfit",
    "money_in": "Worth",
    "money_kept": "Worth kept",
    "money_merged": "Worth merged",
    "money_quarantined": "Worth set aside",
    "month": "Month",
    "n": "n",
    "name": "Name",
    "nameless": "Naming nobody",
    "near": "Nearly agree in",
    "need": "Need",
    "net": "Net sales",
    "net_change": "Its change",
    "net_each": "Net sales a customer",
    "now": "Tier now",
    "numbers": "Numbers",
    "one_side": "New or gone",
    "opened_day": "Customer since",
    "orders": "Orders",
    "orders_a_year": "Orders a year",
    "other_id": "Other number (masked)",
    "others": "All other customers",
    "part": "Part",
    "placed": "Orders placed",
    "points": "Points, 0–100",
    "points_1": "Frequency and money 1",
    "points_2": "2",
    "points_3": "3",
    "points_4": "4",
    "points_5": "5",
    "previous": "Previous period",
    "probability": "Likely to be one",
    "product_group": "Product group",
    "recency_days": "Mean days since last order",
    "recency_points": "Recency",
    "region": "Region",
    "repeated": "Repeated",
    "retained": "Sales of customers held",
    "rfm_score": "Score",
    "rose": "Rose",
    "rows": "Rows",
    "rows_in": "Came in",
    "rows_kept": "Kept",
    "rows_merged": "Merged",
    "rows_quarantined": "Set aside",
    "rule": "How it was read",
    "same": "Agree in",
    "scale": "Business scale",
    "score": "Mean, 0–100",
    "score_before": "Previous period",
    "score_high": "90% high",
    "score_low": "90% low",
    "service": "Cost of serving",
    "share": "Share",
    "share_high": "90% high",
    "share_low": "90% low",
    "share_of_customers": "Share of customers, largest first",
    "share_of_sales": "Share of sales",
    "sign": "Sign",
    "signs": "Signs",
    "silhouette": "Silhouette",
    "smallest": "Smallest group",
    "spend_ahead": "After one more such year",
    "stability": "Stability",
    "stayed": "Stayed",
    "strangers": "Of unknown customers",
    "tag": "Tag",
    "tier": "Computed tier",
    "value": "This period",
    "value_class": "Value",
    "value_high": "90% high",
    "value_low": "90% low",
    "weight": "Weight",
    "weight_share": "Share of the weights",
    "word": "Which",
}
