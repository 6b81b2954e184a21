"""The Chinese characters of a page as a small font inside it: never a box, whatever the reader has.

The reader's own fonts come first; this one only draws what they lack.
"""

import base64
import io
from importlib.util import find_spec
from pathlib import Path

FAMILY = "Workbook Sans SC"
FIRST_CJK = 0x2E80  # below, every system has a font
BLOCKS = range(0x2581, 0x2589)  # but not for the blocks of a line in a table, which must all be of one font


def face(text: str) -> str:
    """An `@font-face` rule with the glyphs this text needs; empty where it needs none."""
    wanted = {ord(sign) for sign in text if ord(sign) >= FIRST_CJK or ord(sign) in BLOCKS}
    if not wanted:
        return ""
    from fontTools import subset  # half a second that an English page need not pay
    from fontTools.ttLib import TTFont

    # Found without importing the package, which would set fonts of its own.
    path = Path(find_spec("zhplot").origin).parent / "fonts" / "NotoSansSC-Regular.ttf"
    # The font's own date, so that the same page has the same bytes.
    font = TTFont(path, lazy=True, recalcTimestamp=False)
    subsetter = subset.Subsetter(subset.Options(hinting=False, layout_features=[], notdef_outline=True))
    subsetter.populate(unicodes=wanted)
    subsetter.subset(font)
    font.flavor = "woff"
    whole = io.BytesIO()
    font.save(whole)
    data = base64.b64encode(whole.getvalue()).decode()
    return (
        f'@font-face {{ font-family: "{FAMILY}"; src: url(data:font/woff;base64,{data}) format("woff"); }}\n'
    )
