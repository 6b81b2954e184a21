"""How a sheet looks and prints: Chinese myriads by number format, the picture beside its table, the page set up.

A number format of a spreadsheet scales by thousands alone. Ten thousands are shown by one comma and a point that
is only written, before the last digit: `0\\.0,` shows 123456 as 12.3, for its 123.456 thousand rounded are 123.
Two commas and two such digits show hundreds of millions. The cell keeps the whole number.
"""

import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

MYRIAD, HUNDRED_MILLION = 10_000, 100_000_000
A4 = 9
SCALE = 0.75  # of a picture, beside its table
BESIDE = 110  # signs: a wider table has its picture beneath
TALL = 60  # rows: a longer one has it beside, however wide
PIXELS = 20  # of a row
MOST_BYTES = 3_000_000  # of all pictures of a workbook, which is sent by mail
FORMATS = {"myriad": "0\\.0,", "hundred_million": "0\\.00,,"}
SIGNS = {"myriad": "万", "hundred_million": "亿"}
UNITS = {"CNY": "元", "USD": "美元", "EUR": "欧元", "GBP": "英镑", "JPY": "日元", "HKD": "港元"}


@dataclass(frozen=True)
class Picture:
    """A picture of an exhibit and its words."""

    png: bytes
    alt: str


@dataclass
class Pictures:
    """The pictures of a workbook by notebook and exhibit; what would make the file too large is left out."""

    by_exhibit: dict[tuple[str, str], Picture] = field(default_factory=dict)
    room: int = MOST_BYTES

    def of(self, step: str, exhibit: str) -> Picture | None:
        """The picture of a notebook's exhibit, once, if it has one and there is room left."""
        # Two exhibits of one id: the picture is that of the first, and no other shows it again.
        found = self.by_exhibit.pop((step, exhibit), None)
        if found is None or len(found.png) > self.room:
            return None
        self.room -= len(found.png)
        return found


def in_myriads(code: str) -> bool:
    """Whether a language counts money in ten thousands.

    >>> in_myriads("zh-Hans"), in_myriads("en")
    (True, False)
    """
    return code.split("-")[0] == "zh"


def money_formats(book: Any, currency: str) -> dict[str, Any]:
    """The formats of money in ten thousands and in hundreds of millions, the unit written behind."""
    unit = UNITS.get(currency, currency)
    return {
        f"money_{name}": book.add_format({"num_format": f'{shape}"{SIGNS[name]}{unit}"'})
        for name, shape in FORMATS.items()
    }


def money_unit(values: Iterable[Any], code: str) -> str:
    """The format of a column of money by the largest of its amounts, so that the column has one unit.

    >>> money_unit([3, -25000.5, None], "zh"), money_unit([2e8], "zh"), money_unit([9999], "zh")
    ('money_myriad', 'money_hundred_million', 'money')
    >>> money_unit([2e8], "en")
    'money'
    """
    numbers = [abs(v) for v in values if isinstance(v, (int, float)) and not isinstance(v, bool)]
    largest = max(numbers, default=0) if in_myriads(code) else 0
    if largest >= HUNDRED_MILLION:
        return "money_hundred_million"
    return "money_myriad" if largest >= MYRIAD else "money"


def printed(sheet: Any, *, heading: int) -> None:
    """A sheet that prints: landscape A4, as wide as the page, its heading on every page, pages numbered."""
    sheet.set_landscape()
    sheet.set_paper(A4)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(heading)
    sheet.set_footer("&C&P / &N")
    sheet.hide_gridlines(1)


def pictured(sheet: Any, picture: Picture | None, *, heading: int, rows: int, widths: list[int]) -> None:
    """The picture right of the table, or beneath one that is too wide for that and not too long."""
    if picture is None:
        return
    beneath = sum(widths) > BESIDE and rows <= TALL
    row, column = (heading + rows + 3, 0) if beneath else (heading, len(widths) + 1)
    about = {"image_data": io.BytesIO(picture.png), "description": picture.alt, "object_position": 2}
    sheet.insert_image(row, column, "chart.png", about | {"x_scale": SCALE, "y_scale": SCALE})
