"""One cell of text: the number, moment or id that it says, and by which rule it was read.

Cells that are plain are read by the fast SQL of `crmlib.collection.readings`; this module reads every
other one, once per distinct text. What is not surely read is None, and its row is set aside: `1,5` is
not 15, `45356` is no day of 1970, `10²` is not 102.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal
from functools import lru_cache

from babel.numbers import list_currencies

# Nine decimals hold every price seen; whatever comes with more is the noise of a float.
NUMBER, DECIMALS, MOST = "DECIMAL(28,9)", Decimal("1e-9"), Decimal("1e19")
EXACT = Context(prec=80)
# What firms write where there is nothing; in text columns only the empty cell counts as nothing,
# because customers are called NA and None.
NOTHING = ("", "-", "--", "N/A", "n/a", "NULL", "null", r"\N", "无", "空", "未知")
BLANK = " \t\r\n\u00a0\u3000"
BLANKS = f"'{BLANK}'"
# The full-width forms of ASCII, the yen and pound beside them, the minus sign. Not the whole of NFKC,
# which makes 102 of 10² and 1 of ①.
NARROW = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {
    0xFFE5: "¥",
    0xFFE1: "£",
    0x2212: "-",
    0x3000: " ",
    0x00A0: " ",
}

_YUAN = frozenset({"CNY", "TWD", "HKD", "MOP"})
_DOLLARS = frozenset(
    ["USD", "AUD", "BND", "CAD", "HKD", "MXN", "NZD", "SGD", "TWD", "CLP", "COP", "ARS", "FJD", "JMD", "NAD"]
)
# A sign, and the currencies it may mean.
SIGNS: Mapping[str, frozenset[str]] = {
    "¥": frozenset({"CNY", "JPY"}),
    "$": _DOLLARS,
    "€": frozenset({"EUR"}),
    "£": frozenset({"GBP"}),
    "₩": frozenset({"KRW"}),
    "₹": frozenset({"INR"}),
    "₽": frozenset({"RUB"}),
    **dict.fromkeys(("元", "圆", "圓", "块", "塊", "元整", "角", "毛", "分"), _YUAN),
    **dict.fromkeys(("RMB", "rmb", "人民币", "人民幣", "元人民币", "元人民幣"), frozenset({"CNY"})),
    **dict.fromkeys(("US$", "美元", "美金"), frozenset({"USD"})),
    **dict.fromkeys(("HK$", "港币", "港元", "港幣"), frozenset({"HKD"})),
    **dict.fromkeys(("NT$", "新台币", "新臺幣", "台币", "臺幣"), frozenset({"TWD"})),
    **dict.fromkeys(("日元", "円", "日圓"), frozenset({"JPY"})),
    **dict.fromkeys(("欧元", "歐元"), frozenset({"EUR"})),
    **dict.fromkeys(("英镑", "英鎊"), frozenset({"GBP"})),
}
OF_POINT = _YUAN | {"JPY", "GBP"}  # who counts in these writes a point, not a comma
PARTS = {"角": Decimal("0.1"), "毛": Decimal("0.1"), "分": Decimal("0.01")}
ONE = Decimal(1)


@dataclass(frozen=True)
class Units:
    """What may stand beside a column's digits: words and their factors, currencies, per cent; or a share's 折."""

    words: Mapping[str, Decimal] = field(default_factory=dict)
    money: bool = False
    percent: bool = False
    share: bool = False  # of a price given off: 0–1, and 8折 (eight tenths are paid) is 0.2


_COUNTED = "次 件 个 個 台 臺 盒 箱 套 笔 筆 单 單 人 名 位 份 只 隻 支 瓶 包 袋 双 雙 条 條 张 張 本 pcs pieces times"
MONEY = Units(money=True)
COUNTS = Units(dict.fromkeys(_COUNTED.split(), ONE))
POINTS = Units(dict.fromkeys(("分", "点", "點", "星", "points"), ONE))
SHARE = Units(percent=True, share=True)
ANY = Units(COUNTS.words, money=True, percent=True)
# A thousand in English as k or K. Not M, a thousand to a banker and a million to a shop; nor W.
SCALES = {
    **dict.fromkeys(("百",), Decimal(100)),
    **dict.fromkeys(("千", "k", "K"), Decimal(1000)),
    **dict.fromkeys(("万", "萬"), Decimal(10**4)),
    **dict.fromkeys(("十万", "十萬"), Decimal(10**5)),
    **dict.fromkeys(("百万", "百萬"), Decimal(10**6)),
    **dict.fromkeys(("千万", "千萬"), Decimal(10**7)),
    **dict.fromkeys(("亿", "億"), Decimal(10**8)),
    **dict.fromkeys(("万亿", "萬億"), Decimal(10**12)),
}
_SIGN = "|".join(re.escape(s) for s in sorted(SIGNS, key=len, reverse=True))
_FORM = re.compile(
    rf"(?P<open>\()?\s*(?P<minus>[-+])?\s*(?P<sign>{_SIGN}|[A-Z]{{3}})?\s*(?P<inner>[-+])?\s*"
    r"(?P<digits>[0-9.,]*[0-9])(?:[eE](?P<power>[-+]?[0-9]{1,2}))?\s*"
    rf"(?P<scale>{'|'.join(sorted(SCALES, key=len, reverse=True))})?\s*"
    r"(?P<word>[^0-9()+,.-]*?)\s*(?P<after>-)?\s*(?P<close>\))?"
)
_PLAIN = {sign: re.compile(rf"[0-9]+(\{sign}[0-9]+)?|\{sign}[0-9]+") for sign in ".,"}
_GROUPED = {
    sign: re.compile(rf"[1-9][0-9]{{0,2}}(\{other}[0-9]{{3}})+(\{sign}[0-9]+)?")
    for sign, other in (".,", ",.")
}
_LOST = re.compile(r"([1-9](?:\.[0-9]+)?)[eE]\+([0-9]{2,3})")
_TENTHS_PAID = re.compile(r"([1-9])\.?([1-9]?)\s*折")  # 85折 and 8.5折 are the same; 10折 is nobody's word
LONGEST = 64  # characters of a number or a date


def name(header: str) -> str:
    """A column's name, quoted for SQL.

    >>> name('Say "price"')
    '"Say ""price\"""'
    """
    return '"' + header.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text, quoted for SQL.

    >>> literal("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def text(column: str) -> str:
    """The trimmed text; NULL where the cell is empty.

    Most texts have nothing to trim, which is told sooner than they are trimmed, if they are ASCII.
    """
    return f"CASE WHEN {bare(column)} THEN {column} ELSE nullif(trim({column}, {BLANKS}), '') END"


def bare(column: str) -> str:
    """Whether a text is ASCII, not empty, and surely neither begins nor ends with a blank."""
    return f"{column} >= '!' AND ({column})[-1] >= '!' AND strlen({column}) = length({column})"


def given(column: str) -> str:
    """Whether a cell that should hold a number or a date holds anything."""
    return f"({text(column)} IS NOT NULL AND NOT {among(text(column), NOTHING)})"


def among(column: str, words: Iterable[str]) -> str:
    """Whether a text is one of some words; not `IN`, which DuckDB makes a join that reads every row.

    >>> among("a", ["x", "y"])
    "list_contains(['x', 'y'], a)"
    """
    return f"list_contains([{', '.join(map(literal, words))}], {column})"


def number_of(
    text: str, *, decimal: str = ".", units: Units = ANY, currency: str | None = None, sure: bool = True
) -> tuple[Decimal, str] | None:
    """The exact number of a cell, and the rule it was read by; None where it is not surely one.

    Parameters
    ----------
    decimal : the column's decimal sign; the other of `.` and `,` parts thousands, strictly in threes
    units : what may stand beside the digits; 千, 万, 亿 and k always may
    currency : the only one allowed; every one unless said
    sure : whether a cell that either sign could explain (`1,234`) follows `decimal`, or is none

    Returns
    -------
    A number of at most nine decimals below 10^19, and the rule that says most: "" (plain), width,
    thousands, exponent, decimal-comma, negative, currency, percent or unit.

    Examples
    --------
    >>> number_of("3.2万元"), number_of("(￥1,234.50)"), number_of("12%")
    ((Decimal('32000.0'), 'unit'), (Decimal('-1234.50'), 'currency'), (Decimal('0.12'), 'percent'))
    >>> number_of("1,5"), number_of("1,5", decimal=","), number_of("1_000"), number_of("5 GBP", currency="CNY")
    (None, (Decimal('1.5'), 'decimal-comma'), None, None)
    >>> [number_of(text, units=SHARE) for text in ("8折", "85折", "40%", "40")]
    [(Decimal('0.2'), 'unit'), (Decimal('0.15'), 'unit'), (Decimal('0.40'), 'percent'), None]
    """
    if units.share and (paid := _TENTHS_PAID.fullmatch(text.translate(NARROW).strip(BLANK))):
        return 1 - Decimal(f"0.{paid[1]}{paid[2]}"), "unit"
    form = _form(text)
    if form is None or not (sure or decimal_told(text) != "either"):
        return None
    (digits, rule), (factor, unit) = _digits(form, decimal), _factor(form, units, currency)
    marks = [form["minus"], form["inner"], form["after"], form["open"]]
    twice = bool(form["open"]) != bool(form["close"]) or len(list(filter(None, marks))) > 1
    if digits is None or factor is None or twice:
        return None
    value = EXACT.multiply(digits, factor)
    value = value if value.as_tuple().exponent >= -9 else EXACT.quantize(value, DECIMALS)
    below = "-" in marks or "(" in marks
    if abs(value) >= MOST or (units.share and (value > 1 or (below and value))):
        return None
    bracketed = "negative" if form["open"] or form["after"] else ""
    width = "width" if form.string != text.strip(BLANK) else ""
    return (-value if below else value), unit or bracketed or rule or width


def _form(text: str) -> re.Match | None:
    return _FORM.fullmatch(text.translate(NARROW).strip(BLANK)) if len(text) <= LONGEST else None


def _digits(form: re.Match, decimal: str) -> tuple[Decimal | None, str]:
    digits, other = form["digits"], "," if decimal == "." else "."
    grouped = bool(_GROUPED[decimal].fullmatch(digits))
    if not (grouped or _PLAIN[decimal].fullmatch(digits)) or (grouped and form["power"]):
        return None, ""
    number = Decimal(digits.replace(other, "").replace(decimal, "."))
    if form["power"]:
        return number.scaleb(int(form["power"]), EXACT), "exponent"
    return number, "decimal-comma" if decimal == "," and "," in digits else "thousands" if grouped else ""


def _factor(form: re.Match, units: Units, currency: str | None) -> tuple[Decimal | None, str]:
    """What the sign before the digits and the words behind them make of one."""
    before, scale, word = form["sign"], SCALES.get(form["scale"], ONE), form["word"]
    named = f"{before or ''}{form['scale'] or ''}{word}"
    if named and form["power"]:
        return None, ""
    if not before and word in units.words:
        return scale * units.words[word], "unit"
    if word == "%":
        return (Decimal("0.01"), "percent") if units.percent and named == "%" else (None, "")
    meant = [_currencies(sign) for sign in (before, word) if sign]
    common = frozenset.intersection(*meant) if meant else frozenset({currency})
    if (meant and not units.money) or not common or (currency and currency not in common):
        return None, ""
    factor = scale * PARTS.get(word, ONE)
    return factor, "unit" if factor != 1 else "currency" if meant else ""


@lru_cache
def _currencies(sign: str) -> frozenset[str]:
    return SIGNS.get(sign) or frozenset({sign} & list_currencies())


def foreign(text: str, currency: str) -> bool:
    """Whether a cell holds money, but of another currency.

    >>> foreign("USD 12.50", "CNY"), foreign("￥12.50", "CNY"), foreign("two", "CNY")
    (True, False, False)
    """
    return any(
        number_of(text, decimal=sign, units=MONEY) and not number_of(text, decimal=sign, currency=currency)
        for sign in ".,"
    )


def currency_of(text: str) -> frozenset[str]:
    """The currencies that a cell of a currency column may mean; none where it names none.

    >>> currency_of("人民币"), currency_of(" usd ")
    (frozenset({'CNY'}), frozenset({'USD'}))
    """
    bare = text.translate(NARROW).strip(BLANK)
    return _currencies(bare) or _currencies(bare.upper())


def decimal_told(text: str) -> str | None:
    """Which decimal sign a cell tells of: "." or ","; "either" for `1,234`; None where it has none.

    >>> [decimal_told(t) for t in ("1,234.50", "1.234,50", "1,5", "1.234.567", "1,234", "¥1,234", "12")]
    ['.', ',', ',', ',', 'either', '.', None]
    """
    form = _form(text)
    if form is None or not set(form["digits"]) & {",", "."}:
        return None
    could = [s for s in ".," if _digits(form, s)[0] is not None]
    if len(could) < 2:
        return could[0] if could else None
    currencies = [_currencies(sign) for sign in (form["sign"], form["word"]) if sign]
    of_point = any(meant and meant <= OF_POINT for meant in currencies)
    return "." if of_point or form["scale"] in ("万", "萬", "亿", "億") else "either"


def id_of(text: str) -> tuple[str, str] | None:
    """An id as one spelling: full-width digits and letters narrow, and nothing else; None where digits are lost.

    A spreadsheet shows a long number as 1.38E+10: where all its digits stand there it is that number,
    where not, nobody knows whose it was. `007.0` may be another than `007`.

    >>> id_of(" Ｃ００７ "), id_of("007.0"), id_of("1.3800138E+10"), id_of("1.38E+10"), id_of("12E5")
    (('C007', 'width'), ('007.0', ''), None, None, ('12E5', ''))
    >>> id_of("1.3800138001E+10")
    ('13800138001', 'exponent')
    """
    bare = text.strip(BLANK)
    narrow = unicodedata.normalize("NFKC", bare).strip(BLANK)
    lost = _LOST.fullmatch(narrow)
    if lost is None:
        return narrow, "width" if narrow != bare else ""
    mantissa, power = lost.groups()
    if len(mantissa.replace(".", "")) - 1 < int(power):
        return None
    whole = Decimal(mantissa).scaleb(int(power), EXACT)
    return (format(whole, "f"), "exponent") if whole == whole.to_integral_value() else None
