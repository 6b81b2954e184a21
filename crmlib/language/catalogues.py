"""Which languages there are, and the texts of each: a `.po` file under `locale/`, read as it stands.

No compiled `.mo` lies beside it, which would go stale unseen: reading the file takes a twentieth of a second.
English is the language of the keys and needs no file.
"""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from babel import Locale

LOCALES = Path(__file__).parent / "locale"
DOMAIN = "crmlib.po"
ENGLISH = "en"
# Chinese in traditional characters is the Chinese catalogue, converted: by whose words, territory by territory.
TRADITIONAL = {"TW": "s2twp", "HK": "s2hk", "MO": "s2hk"}


def known() -> tuple[str, ...]:
    """The languages that a report can be written in.

    >>> known()
    ('en', 'zh')
    """
    return tuple(sorted({ENGLISH, *(path.parts[-3] for path in LOCALES.glob(f"*/LC_MESSAGES/{DOMAIN}"))}))


def translator(locale: Locale) -> Callable[[str, str | None], str]:
    """Text of the catalogue, and in which sense, if it has several → the same in this language.

    A sense without a translation of its own has that of the text; a text without one stays as it is.
    """
    if locale.language == ENGLISH:
        return lambda key, sense: key
    texts = _texts(LOCALES, locale.language)

    def found(key: str, sense: str | None) -> str | None:
        return texts.get((sense, key)) or texts.get((None, key))

    if locale.script != "Hant":
        return lambda key, sense: found(key, sense) or key
    converted = _converter(TRADITIONAL.get(locale.territory or "", "s2t"))
    return lambda key, sense: converted(text) if (text := found(key, sense)) else key


@lru_cache(maxsize=8)
def _texts(folder: Path, language: str) -> dict[tuple[str | None, str], str]:
    """Sense and key → translation; what a translator marked as doubtful counts as not translated."""
    from babel.messages.pofile import read_po  # an English run need not pay for it

    path = folder / language / "LC_MESSAGES" / DOMAIN
    if not path.is_file():
        return {}
    with path.open("rb") as file:
        catalogue = read_po(file, locale=language)
    return {(m.context, m.id): m.string for m in catalogue if m.id and m.string and not m.fuzzy}


@lru_cache(maxsize=4)
def _converter(rules: str) -> Callable[[str], str]:
    from opencc import OpenCC

    return lru_cache(maxsize=4096)(OpenCC(rules).convert)
