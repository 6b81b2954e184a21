"""Normal forms, in which two spellings of one thing are equal: for comparing, never for showing.

Half and full width, Traditional and Simplified, capitals, blanks, punctuation, the legal form of a firm and
the way a telephone number is written say nothing of who is meant.
"""

import re
import unicodedata
from functools import cache

import opencc
import pandas as pd
import phonenumbers
from babel.core import get_global

FIRM_ENDS = ("股份有限公司", "有限责任公司", "有限公司", "集团公司", "总公司", "公司", "集团", "有限合伙")
LATIN_ENDS = {
    *("ltd", "limited", "co", "company", "corp", "corporation", "inc", "incorporated", "llc", "llp", "plc"),
    *("gmbh", "ag", "kg", "sa", "sarl", "srl", "spa", "bv", "nv", "ab", "oy", "pty", "pte", "group"),
}
BRANCH = re.compile(
    r"(?:\w{0,2}(?:分公司|分行|支行|分店|分部|营业部|办事处|店)|branch|\d+|[一二三四五六七八九十]+(?=[厂店部号]))"
)
OF_A_FIRM = re.compile(r"(?<=公司)[^公]{0,8}(?:分公司|营业部|办事处|分店|分部)$")
DIVISIONS = re.compile(r"(?<=..)(?:特别行政区|壮族自治区|回族自治区|维吾尔自治区|自治区|自治州|地区|省|市)$")
GENDERS = {
    **dict.fromkeys(("男", "男性", "先生", "m", "male", "man", "mr"), "male"),
    **dict.fromkeys(("女", "女性", "女士", "小姐", "f", "female", "woman", "mrs", "ms", "miss"), "female"),
}
EXTENSION = re.compile(r"\s*(?:转|轉|分机|分機|ext\.?|x|#)\s*(\d{1,6})$", re.IGNORECASE)
FEWEST_DIGITS = 5  # shorter is an extension or a stopgap, and reaches nobody


def text(values: pd.Series) -> pd.Series:
    """Half width, Simplified, small letters, words parted by one blank, no punctuation; empty where nothing is left.

    >>> text(pd.Series(["ＡＣＭＥ,  Ltd.", "陳\u200b 偉", "…"])).tolist()
    ['acme ltd', '陈伟', None]
    """
    plain = {value: _plain(value) for value in values.dropna().unique()}
    # In one call: OpenCC's own cost is in the calls, not in the length.
    simple = (
        dict(zip(plain, _simplified("\n".join(plain.values())).split("\n"), strict=True)) if plain else {}
    )
    return _mapped(values, lambda value: simple[value])


@cache
def _converter() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


def _simplified(whole: str) -> str:
    return _converter().convert(whole)


def _plain(value: str) -> str:
    folded = unicodedata.normalize("NFKC", str(value)).casefold()
    # Letters, marks and numbers stay; what is invisible goes; the rest parts words.
    kept = "".join(
        c
        if (kind := unicodedata.category(c))[0] in "LMN"
        else ""
        if kind in ("Cf", "Cc") and c not in "\t\n\r"
        else " "
        for c in folded
    )
    parted = " ".join(kept.split())
    # Chinese is written without blanks; one between two characters is a matter of layout.
    return re.sub(
        r"(?<=[\u3400-\u9fff\U00020000-\U0003ffff]) (?=[\u3400-\u9fff\U00020000-\U0003ffff])", "", parted
    )


def _mapped(values: pd.Series, form) -> pd.Series:
    """A form of each value, computed once for each that differs; None for empty ones."""
    forms = {value: form(value) or None for value in values.dropna().unique()}
    return pd.Series(
        [forms.get(v) if isinstance(v, str) else None for v in values], index=values.index, dtype=object
    )


def name(values: pd.Series) -> pd.Series:
    """A name without its legal form.

    A branch keeps what marks it: it is not its head office.

    >>> name(pd.Series(["瑞恆科技（北京）股份有限公司", "Acme Co., Ltd.", "瑞恒科技有限公司上海分公司"])).tolist()
    ['瑞恒科技北京', 'acme', '瑞恒科技上海分公司']
    """
    return _mapped(text(values), _without_form)


def _without_form(whole: str) -> str:
    mark = OF_A_FIRM.search(whole)
    body, tail = (whole[: mark.start()], mark.group()) if mark else (whole, "")
    if not body.endswith("分公司"):
        while end := next((e for e in FIRM_ENDS if body.endswith(e) and len(body) > len(e) + 1), None):
            body = body[: -len(end)].strip()
    words = body.split(" ")
    while len(words) > 1 and words[-1] in LATIN_ENDS:
        words.pop()
    return " ".join(words) + tail


def marks(values: pd.Series) -> pd.Series:
    """What tells apart houses of one firm: branch words and numbers within a name; "" where there are none.

    >>> marks(pd.Series(["瑞恒科技上海分公司", "瑞恒科技", "Acme branch 12"])).tolist()
    ['上海分公司', '', 'branch 12']
    """
    forms = _mapped(name(values), lambda whole: " ".join(BRANCH.findall(whole)))
    return forms.where(forms.notna(), "")


def contact(values: pd.Series, region: str | None = None) -> pd.Series:
    """A telephone number as +country and digits, an e-mail in small letters; empty where it reaches nobody.

    Parameters
    ----------
    values : as delivered
    region : country in which numbers without a country code are meant (ISO 3166, as CN)

    >>> contact(pd.Series(["１３８ 0013-8000", "+86 138 0013 8000", "Ann@Acme.COM ", "000000"]), "CN").tolist()
    ['+8613800138000', '+8613800138000', 'ann@acme.com', None]
    """
    return _mapped(values, lambda value: _reach(value, region))


def _reach(value: str, region: str | None) -> str | None:
    plain = "".join(
        c for c in unicodedata.normalize("NFKC", value) if unicodedata.category(c) != "Cf"
    ).strip()
    if "@" in plain:
        return plain.casefold()
    number, extension = plain, ""
    if found := EXTENSION.search(plain):
        number, extension = plain[: found.start()], f"x{found.group(1)}"
    digits = re.sub(r"\D", "", number)
    if len(digits) < FEWEST_DIGITS or len(set(digits)) == 1:
        return None
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return digits + extension
    if not phonenumbers.is_possible_number(parsed):
        return digits + extension
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) + extension


def country(timezone: str, currency: str) -> str | None:
    """The country of a client: of its time zone, else the only one that pays in its currency; None where unclear.

    >>> country("Asia/Shanghai", "USD"), country("UTC", "CNY"), country("UTC", "EUR")
    ('CN', 'CN', None)
    """
    of_zone = get_global("zone_territories").get(timezone)
    if of_zone and of_zone != "001":
        return of_zone
    paying = [
        land
        for land, moneys in get_global("territory_currencies").items()
        if any(code == currency and until is None and tender for code, _, until, tender in moneys)
    ]
    return paying[0] if len(paying) == 1 else None


def place(values: pd.Series) -> pd.Series:
    """A town or province without the word that says which of them it is.

    >>> place(pd.Series(["廣州市", "广东省", "沙市", "New  York"])).tolist()
    ['广州', '广东', '沙市', 'new york']
    """
    return _mapped(text(values), lambda whole: DIVISIONS.sub("", whole))


def gender(values: pd.Series) -> pd.Series:
    """male, female, or the word as it came.

    >>> gender(pd.Series(["男", "Ms.", "x"])).tolist()
    ['male', 'female', 'x']
    """
    return _mapped(text(values), lambda word: GENDERS.get(word, word))
