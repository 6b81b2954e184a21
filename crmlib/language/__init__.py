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
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_compact_currency, format_currency, format_decimal, format_percent

CATALOGUES = Path(__file__).parent / "locale"
MISSING = "—"


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
        if 0 < abs(value) < 1000:
            return self._money(value)
        return format_compact_currency(value, self.currency, locale=self._locale, fraction_digits=1)

    def _days(self, value: float) -> str:
        return format_decimal(value, format="#,##0.0", locale=self._locale)

    _score = _days

    def _number(self, value: Any) -> str:
        return format_decimal(value, format="#,##0.###", locale=self._locale)

    def _date(self, value: dt.date) -> str:
        return format_date(value, format="d MMM y" if self.code == "en" else "medium", locale=self._locale)

    def _word(self, value: str) -> str:
        return self._own.get(value) or self.text(WORDS.get(value, value))

    def _joint(self, value: str) -> str:
        """Several of the library's words in one cell, as in "money+time"."""
        return " + ".join(map(self._word, value.split("+")))

    def _name(self, value: str) -> str:
        # A client's own word stays as it came, even where the library has the same one.
        return self._word(value) if value in ("unknown", "other", "not_supplied", "mixed") else value

    def _names(self, values: list[str]) -> str:
        return ", ".join(map(self._name, values))

    def _tags(self, value: str) -> str:
        return self._words([tag for tag in value.split(",") if tag]) or MISSING

    def _words(self, values: list[str]) -> str:
        return ", ".join(map(self._word, values))

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


# Words the library itself puts into tables, and headings of their columns. A word that comes from
# a client's data is shown as it came.
WORDS = {
    "high": "High",
    "medium": "Medium",
    "low": "Low",
    "active": "Active",
    "dormant": "Dormant",
    "churned": "Churned",
    "satisfied": "Satisfied",
    "neutral": "Neutral",
    "dissatisfied": "Dissatisfied",
    "personal": "Personal",
    "enterprise": "Enterprise",
    "large_enterprise": "Large enterprise",
    "price_sensitive": "Price-sensitive",
    "quality_seeking": "Quality-seeking",
    "personalised": "Personalised",
    "champion": "Champion",
    "loyal": "Loyal",
    "promising": "Promising",
    "newcomer": "Newcomer",
    "needs_attention": "Needs attention",
    "fading": "Fading",
    "at_risk": "At risk",
    "must_not_lose": "Must not lose",
    "hibernating": "Hibernating",
    "lost": "Lost",
    "best": "Best",
    "recent": "Recent",
    "middling": "In the middle",
    "quiet_but_large": "Quiet, but large",
    "quiet": "Quiet",
    "alike": "All alike",
    "too_few": "Too few to score",
    "not_graded": "Not graded",
    "not_supplied": "Not supplied",
    "not_known": "Not known",
    "stated": "Stated",
    "derived": "Told by purchases",
    "at_a_loss": "Served at a loss",
    "with_profit": "Served with profit",
    "one_order": "One order",
    "returns_much": "Returns much",
    "discount_buyer": "Buys at a discount",
    "order_size": "Size of order",
    "breadth": "Breadth of products",
    "mixed": "Mixed",
    "all_year": "All the year round",
    "q1": "First quarter",
    "q2": "Second quarter",
    "q3": "Third quarter",
    "q4": "Fourth quarter",
    "satisfaction_product": "Satisfaction with the product",
    "satisfaction_service": "Satisfaction with the service",
    "satisfaction_after_sales": "Satisfaction with after-sales",
    "satisfaction_brand": "Satisfaction with the brand",
    "satisfaction_overall": "Satisfaction over all",
    "loyalty_product": "Loyalty to the product: buys again",
    "loyalty_service": "Loyalty to the service: stays",
    "loyalty_brand": "Loyalty to the brand: recommends",
    "cost_of_winning": "Cost of winning",
    "cost_of_serving": "Cost of serving",
    "lifetime_value": "Lifetime value",
    "net": "Net sales so far",
    "scale": "Business scale",
    "credit_grade": "Credit grade",
    "industry": "Industry",
    "region": "Region",
    "habit_group": "Mostly bought",
    "habit_channel": "Mostly through",
    "habit_season": "Mostly in",
    "customer_type": "Customer type",
    "scorecard": "Scorecard",
    "need": "Need",
    "product": "Product",
    "service": "Service",
    "after_sales": "After-sales",
    "brand": "Brand",
    "overall": "Overall",
    "recommend": "Recommendation",
    "unknown": "Unknown",
    "other": "Other",
    "value": "Value",
    "abc": "ABC",
    "tier": "Tier",
    "new": "New",
    "orders": "Orders",
    "gross": "Sales so far",
    "returned": "Taken back",
    "recency_days": "Days since the last order",
    "gap_days": "Days between orders",
    "items": "Pieces bought",
    "products": "Different products",
    "discount_share": "Share of sales at a discount",
    "peak_quarter_share": "Share of sales in the strongest quarter",
    "returning": "Came again",
    "reactivated": "Came back",
    "exhibits": "Exhibits",
    "facts": "Facts",
    "classes": "Classes",
    "classes_before": "Classes of the previous period",
    "tiers": "Tier table",
    "no_order_id": "a customer's lines of one day are one order, because no order number is supplied",
    "zero_price_purchase": "price 0 is a purchase",
    "keep_duplicates": "exact copies are kept",
    "quarantine_abnormal": "prices far outside the usual are set aside",
    "no_returns": "no mark of returns is given, so a negative quantity is set aside",
    "by_default": "all as in the glossary",
    "impossible": "Impossible: cannot be true",
    "invalid": "Invalid: cannot be read, or lacks what it needs",
    "repeated": "Repeated: says nothing new",
    "elsewhere": "Elsewhere: true, but no record of this table",
    "kept": "Kept, flagged",
    "missing": "Empty where nearly all are filled",
    "placeholder": "A word for nothing",
    "typo": "Nearly a word that is much more frequent",
    "pattern": "Unlike the form of the others",
    "unit": "Written with its unit",
    "outlier": "Far from the middle",
    "dependency": "Against what equal rows say",
    "two-fields": "Two fields in one cell",
    "same-files": "The same files as last time",
    "vanished-table": "Table no longer there",
    "new-table": "New table",
    "vanished-column": "Column no longer there",
    "new-column": "New column",
    "unit-change": "Middle value 100 or 10,000 times as large or small: another unit?",
    "zeros-lost": "Numbers lost their leading zeros",
    "history-cut": "Begins later than last time",
    "nothing-newer": "Nothing newer than last time",
    "rows-fewer": "Fewer rows",
    "rows-more": "Many more rows",
    "rows": "Rows",
    "emptier": "Less filled",
    "fuller": "More filled",
    "corrected": "replaced by a corrected row",
    "unknown-row": "a correction of no delivered row",
    "mixed-encodings": "Several encodings in one file; each line read in its own",
    "trailing-delimiter": "A delimiter at the end of every row, taken off",
    "trailing-delimiter-header": "A delimiter at the end of the header, taken off",
    "hidden-sheets": "Hidden sheets, not read",
    "hidden-columns": "Hidden columns, read",
    "sheet-chosen": "The sheet that has the mapped columns",
    "unnamed-column": "A column without a name",
    "empty-columns-dropped": "Empty columns without a name, left out",
    "repeated-column-dropped": "A column that stands twice alike, read once",
    "blank-rows": "Blank rows, counted and left out",
    "control-characters": "Control characters taken out",
    "read-as-gb18030": "A line read as GB18030",
    "read-as-utf-8": "A line read as UTF-8",
    "member": "The file read inside an archive",
    "width": "Full-width signs made narrow",
    "thousands": "Commas between thousands",
    "exponent": "Written with an exponent",
    "decimal-comma": "A comma before the decimals",
    "negative": "Brackets or a sign behind: negative",
    "currency": "With a sign of money",
    "percent": "Per cent",
    "year-first": "A date in another form, year first",
    "day-first": "A date, day first",
    "month-first": "A date, month first",
    "zone": "Brought to the client's time zone",
    "excel-serial": "A spreadsheet's day number",
    "no-date": "A date that stands for none",
    "undecodable": "signs of no known encoding",
    "oversized-cell": "a cell far too long to be one",
    "stray-quote": "a stray quotation mark",
    "other-delimiter": "another delimiter than the rest",
    "not-json": "a line that is no JSON",
    "repeated-key": "a key that stands twice in one record",
    "extra-cell": "more cells than the header",
    "hidden-row": "a hidden row of a sheet",
    "uncomputed-formula": "a formula that was never computed",
    "error-cell": "an error instead of a value",
    "repeated-header": "the header again",
    "missing-cell": "fewer cells than the header",
    "not-a-record": "a line of totals",
    "exact-duplicate": "an exact copy of an earlier row",
    "same-customer": "an older version of the same customer",
    "same-person": "another number of the same customer",
    "missing-id": "no customer number",
    "missing-name": "no name",
    "digits-lost": "a number that a spreadsheet cut short, as in 1.38E+10",
    "missing-date": "no date",
    "unreadable-date": "a date that is none",
    "future-date": "a date after the delivery",
    "unreadable-number": "a number that is none",
    "missing-number": "no quantity or amount",
    "negative-amount": "a negative amount where none can be",
    "impossible-order": "an end before its beginning",
    "bookkeeping-entry": "a negative price: bookkeeping",
    "stock-correction": "a negative quantity without a price: stock correction",
    "unmarked-return": "a negative quantity that is no marked return",
    "abnormal": "Abnormal: far outside the usual",
    "out-of-scale": "an answer outside its scale",
    "unknown-word": "a word that is not in the list",
    "merged": "Merged",
    "set_aside": "Set aside",
    "abnormal-price": "Price far outside the usual",
    "unknown-customer": "No customer named",
    "orphan-customer": "Customer not in the customer table",
    "zero-quantity": "quantity 0",
    "amount-differs": "Amount is not quantity × price",
    "customers": "Customers",
    "transactions": "Order lines",
    "surveys": "Survey forms",
    "snapshot": "Customer totals",
    "frequency": "Purchase frequency",
    "spend": "Spend",
    "money": "Money",
    "recency": "Recency",
    "satisfaction": "Satisfaction",
    "activity": "Activity",
    "time": "Time as a customer",
    "cut": "Others: the amount needed moved",
    "rule": "A changed rule",
    "gone": "Gone",
    "profit": "Profit so far",
    "orders_a_year": "Orders a year",
    "tenure_days": "Days since the first order",
    "score": "Latest survey form, 0–100",
    "net_needed": "Net spend needed",
    "profit_needed": "Profit needed",
    "orders_a_year_needed": "Orders a year needed",
    "loyalty": "Loyalty",
    "lifetime": "Lifetime value",
    "no_cuts": "No cuts to grade by",
    "tier_cuts": "The cuts of the tier itself",
    "answers": "Survey answers",
    "needs": "Needs surveys",
    "feedback": "Feedback",
    "interactions": "Service records and posts",
    "relations": "Relations",
    "costs": "Costs",
    "campaigns": "Campaigns",
    "applications": "Applications",
    "sale": "Sale",
    "return": "Return",
    "gift": "Gift",
    "not_grouped": "Not grouped",
    **{f"group_{number}": f"Group {number}" for number in range(1, 13)},
    "profit_margin": "Profit margin",
    "returned_share": "Share taken back",
    "channel": "Channel",
    # What sets a group apart, in the words of its name.
    "net.higher": "large",
    "net.lower": "small",
    "orders.higher": "frequent",
    "orders.lower": "seldom",
    "recency_days.higher": "long silent",
    "recency_days.lower": "recent",
    "gap_days.higher": "long gaps",
    "gap_days.lower": "short gaps",
    "profit_margin.higher": "high margin",
    "profit_margin.lower": "low margin",
    "returned_share.higher": "much taken back",
    "returned_share.lower": "little taken back",
    "discount_share.higher": "much discount",
    "discount_share.lower": "little discount",
    "tenure_days.higher": "long known",
    "tenure_days.lower": "new",
    # How a fact is used in grouping, and why there may be no groups.
    "used": "Used",
    "used_logged": "Used, by its logarithm",
    "seldom_known": "Known of too few customers",
    "unclear": "no number of groups is clear enough",
    "unsteady": "two halves of the customers give different groups",
    "exceptions": "the groups are a few exceptions and all others",
    "no_clearer": "the groups are no clearer than in a cloud without groups",
}
