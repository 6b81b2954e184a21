"""The house look, in one place: theme first, font second (the other way round undoes the font)."""

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from unicodedata import east_asian_width

import matplotlib as mpl
import seaborn as sns
from matplotlib import font_manager

# Colours that people with any kind of colour blindness tell apart, also in grey print
# (Okabe & Ito 2008, "Color Universal Design").
BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#8C8C8C"
INK, SOFT = "#222222", "#5A5A5A"
SCALE = sns.light_palette(BLUE, as_cmap=True)
WIDTH = 7.2

# Found without importing the package, which would set a font of its own for the whole process.
_FONT = str(Path(find_spec("zhplot").origin).parent / "fonts" / "NotoSansSC-Regular.ttf")
font_manager.fontManager.addfont(_FONT)
FONT = font_manager.FontProperties(fname=_FONT).get_name()
FALLBACK = "DejaVu Sans"
CLOSING = "，。；：、！？）》”%…"  # no line begins with one
# What stays on one line: a word with the blank behind it, or one Chinese character.
_PART = re.compile(r"[^\s\u2e80-\uffef]+\s*|\s+|[\u2e80-\uffef]\s*")
NO_GLYPH = "\N{GETA MARK}"  # what Chinese type sets for a character it lacks


@lru_cache(maxsize=1)
def _characters() -> frozenset[int]:
    """Every character that one of the two fonts can draw."""
    paths = (_FONT, font_manager.findfont(FALLBACK))
    return frozenset().union(*(font_manager.get_font(path).get_charmap() for path in paths))


def drawable(text: str) -> str:
    """Text from data with a mark for each character that no font has (rare names).

    >>> drawable("张三"), drawable("\\U000F0000 shop")
    ('张三', '〓 shop')
    """
    return "".join(c if ord(c) in _characters() else NO_GLYPH for c in " ".join(text.split()))


def letters(text: str) -> int:
    """How wide a text is, in letters; a Chinese character is as wide as two.

    >>> letters("Sales"), letters("销售额")
    (5, 6)
    """
    return sum(2 if east_asian_width(sign) in "WF" else 1 for sign in text)


def cut(text: str, most: int) -> str:
    """A text that is no wider than so many letters.

    >>> cut("Satisfaction", 8), cut("客户满意度", 8), cut("满意度", 8)
    ('Satisfa…', '客户满…', '满意度')
    """
    if letters(text) <= most:
        return text
    while letters(text) > most - 1:
        text = text[:-1]
    return f"{text}…"


def folded(text: str, most: int) -> str:
    """A text in lines of at most so many letters: folded between words, Chinese between characters.

    >>> folded("Sales by month and region", 14)
    'Sales by month\\nand region'
    >>> folded("各地区的销售额", 8)
    '各地区的\\n销售额'
    """
    lines = [""]
    for part in _PART.findall(text):
        joined = lines[-1] + part
        if lines[-1] and letters(joined.rstrip()) > most and part not in CLOSING:
            lines.append("")
            joined = part
        lines[-1] = joined.lstrip() if len(lines) > 1 and not lines[-1] else joined
    return "\n".join(line.rstrip() for line in lines)


@contextmanager
def house_look() -> Iterator[None]:
    """The look within which every figure is drawn and saved.

    A glyph that no font has is an error here, not a box on the page.
    """
    with mpl.rc_context(), warnings.catch_warnings():
        sns.set_theme(style="white", context="notebook")
        mpl.rcParams.update(
            {
                "font.family": [FONT, FALLBACK],
                "font.size": 10,
                "axes.titlesize": 12,
                "axes.titlelocation": "left",
                "axes.titleweight": "bold",
                "axes.edgecolor": SOFT,
                "axes.labelcolor": SOFT,
                "axes.spines.top": False,
                "axes.spines.right": False,
                "axes.unicode_minus": False,
                "xtick.color": SOFT,
                "ytick.color": INK,
                "text.color": INK,
                # A customer called $\foo$ is a name, not mathematics.
                "text.parse_math": False,
                "figure.dpi": 110,
                "savefig.dpi": 110,
                "svg.hashsalt": "crm",
            }
        )
        warnings.filterwarnings("error", message="Glyph .* missing")
        logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
        yield
