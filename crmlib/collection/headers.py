"""Which column of a file means what: matching headers as people write them.

`tidy` brings a header to one form (full-width to half-width, no invisible characters, single
spaces), so that a mapping in `client.yml` still holds when the next export adds a blank. The names
themselves are in `vocabulary`.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from crmlib.collection.vocabulary import ALIASES

INVISIBLE = dict.fromkeys([*map(ord, "\ufeff\u200b\u200c\u200d\u2060\u00ad"), *range(9), *range(14, 28), 127])


def tidy(header: str) -> str:
    """A header in its one form.

    >>> tidy(" 客户\\u3000编号\\u200b ")
    '客户 编号'
    """
    text = unicodedata.normalize("NFKC", str(header)).translate(INVISIBLE)
    return re.sub(r"\s+", " ", text).strip()


@lru_cache(maxsize=10_000)
def plain(header: str) -> str:
    """A header for comparing: small letters, words apart, no punctuation.

    >>> plain("InvoiceNo"), plain("Customer_ID"), plain("客户编号")
    ('invoice no', 'customer id', '客户编号')
    """
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", tidy(header))
    return re.sub(r"[\W_]+", " ", words).strip().lower()


def joined(header: str) -> str:
    """The same without blanks: 客户 ID and 客户ID are one header.

    >>> joined("客户 ID") == joined("客户ID")
    True
    """
    return plain(header).replace(" ", "")


@lru_cache(maxsize=1)
def _converter():
    # Imported only where a header needs it: its dictionaries are read from disk.
    import opencc

    return opencc.OpenCC("t2s")


@lru_cache(maxsize=10_000)
def known_as(header: str) -> str:
    """A header as the vocabulary writes it: `joined`, in Simplified characters.

    >>> known_as("客戶 編號"), known_as("Ｏrder＿ID")
    ('客户编号', 'orderid')
    """
    form = joined(header)
    return form if form.isascii() else _converter().convert(form)


def nearest(wanted: str, headers: Iterable[str]) -> str | None:
    """The header a reader probably meant, if any comes near."""
    by_form = {plain(header): header for header in headers}
    found = difflib.get_close_matches(plain(wanted), by_form, 1, cutoff=0.5)
    return by_form[found[0]] if found else None


PERSONAL = ("customer_id", "name", "contact")
CARDS = (
    "id card",
    "id number",
    "passport",
    "card number",
    "身份证",
    "身份证号",
    "证件号码",
    "银行卡号",
    "卡号",
)


def names_people(header: str) -> bool:
    """Whether a header is one under which people are named or numbered.

    >>> names_people("联系电话"), names_people("身份证号"), names_people("Quantity")
    (True, True, False)
    """
    return known_as(header) in _naming_people()


@lru_cache(maxsize=1)
def _naming_people() -> frozenset[str]:
    known = (alias for column in PERSONAL for alias in (column, *ALIASES["customers"][column]))
    return frozenset(known_as(alias) for alias in (*known, *CARDS))
