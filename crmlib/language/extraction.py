"""Every text a reader may see, gathered into `messages.pot`: what a translator starts from.

Texts stand where they are used: in the library's calls of `text`, `note`, `say`, `about` and
`exhibit`, in a `title` named before such a call, in the library's tables of words, headings, reasons
and measures, and in the notebooks, whose Markdown cells are texts too.
"""

import ast
import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

# Function → which positional arguments are texts. Keyword arguments count wherever they stand.
CALLS = {"text": (0,), "note": (0,), "about": (1,)}
KEYWORDS = {"yes", "no", "few", "absent", "title", "why"}


def messages(root: Path) -> bytes:
    """The template of all catalogues, in the order of files and lines."""
    catalogue = Catalog(project="crmlib", header_comment="# Texts of the CRM workbook.", fuzzy=False)
    for text, place in texts(root):
        catalogue.add(text, locations=[(place, None)])
    sink = BytesIO()
    write_po(sink, catalogue, omit_header=True, include_lineno=False, width=0)
    return sink.getvalue()


def texts(root: Path) -> Iterator[tuple[str, str]]:
    """Every text with the file it stands in."""
    for path in sorted((root / "crmlib").rglob("*.py")):
        place = path.relative_to(root).as_posix()
        yield from ((text, place) for text in _of_code(path.read_text("utf-8")))
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        place = path.relative_to(root).as_posix()
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            source = "".join(cell["source"])
            found = [source] if cell["cell_type"] == "markdown" else _of_code(source)
            yield from ((text, place) for text in found)
    yield from _tables()


def _of_code(source: str) -> list[str]:
    """The texts in calls and in what is named for them, in the order of the code.

    >>> _of_code('title, n = "Sales", 3\\nbook.exhibit("sales", table, title=title, about=book.about(n, "lines"))')
    ['Sales', 'lines']
    """
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call | ast.Assign)]
    found = []
    for node in sorted(nodes, key=lambda node: (node.lineno, node.col_offset)):
        places = _said(node) if isinstance(node, ast.Call) else _titles(node)
        found += [n.value for n in places if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return [text for text in found if text]


def _said(call: ast.Call) -> list[ast.expr]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    places = [call.args[i] for i in CALLS.get(name, ()) if i < len(call.args)]
    return places + [keyword.value for keyword in call.keywords if keyword.arg in KEYWORDS]


def _titles(assigned: ast.Assign) -> list[ast.expr]:
    names, values = (getattr(side, "elts", [side]) for side in (assigned.targets[0], assigned.value))
    pairs = zip(names, values, strict=False)
    return [value for name, value in pairs if isinstance(name, ast.Name) and name.id == "title"]


def _tables() -> Iterator[tuple[str, str]]:
    """Texts that stand in tables of the library."""
    from crmlib.exhibits import HEADINGS
    from crmlib.language import WORDS
    from crmlib.measures import ALL

    for place, found in (("words", WORDS), ("headings", HEADINGS)):
        yield from ((text, place) for text in found.values())
    for measure in ALL:
        yield measure.label, "measures"
        yield measure.formula, "measures"
