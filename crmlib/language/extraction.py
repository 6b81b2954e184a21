"""Every text a reader may see, gathered into `messages.pot`: what a translator starts from.

Texts stand where they are used: in the library's calls of `text`, `Said`, `note`, `say`, `about` and `exhibit`, in
what is named `title` or `why`, in the library's tables of words, headings and measures, in the templates of
pages, and in the notebooks, whose Markdown cells are texts too. A constant is followed to where it is defined, and of
a choice every branch is a text.
"""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from crmlib.language.words import HEADING, PHRASES, SOURCE, TWO_SENSES, WORDS

# Function → which positional arguments are texts. Keyword arguments count wherever they stand.
CALLS = {
    **dict.fromkeys(("text", "Said", "note"), (0,)),
    "about": (1,),
    "Exhibit": (1,),
    "Tally": (-2,),
    "nothing": (2,),
}
KEYWORDS = {"yes", "no", "few", "absent", "title"}
# What is so named, by assignment, as a key or a keyword, is a text unless it is a code that has its own word.
NAMES = {"title", "why", "of", "nothing"}
_CODE = re.compile(r"[a-z0-9]+([._][a-z0-9]+)+|[A-Z_]+")  # an id or the name of a column


def messages(root: Path) -> bytes:
    """The template of all catalogues, in the order of files and lines."""
    catalogue = Catalog(project="crmlib", header_comment="# Texts of the CRM workbook.", fuzzy=False)
    for text, place, sense in texts(root):
        catalogue.add(text, locations=[(place, None)], context=sense)
    return _written(catalogue, omit_header=True)


def updated(catalogue: bytes, template: bytes) -> bytes:
    """A language's catalogue with the texts of the template: translations stay, new texts wait for theirs.

    What the template no longer has is dropped: a text that comes back is translated again.
    """
    found = read_po(BytesIO(catalogue))
    found.update(read_po(BytesIO(template)), no_fuzzy_matching=True)
    found.obsolete.clear()
    return _written(found)


def _written(catalogue: Catalog, **how: bool) -> bytes:
    sink = BytesIO()
    write_po(sink, catalogue, include_lineno=False, width=0, **how)
    return sink.getvalue()


Text = tuple[str, str | None]  # and its sense, where the same words have several


def texts(root: Path) -> Iterator[tuple[str, str, str | None]]:
    """Every text with the file it stands in and its sense."""
    modules = {path: ast.parse(path.read_text("utf-8")) for path in sorted((root / "crmlib").rglob("*.py"))}
    known = dict(constant for tree in modules.values() for constant in _constants(tree))
    for path, tree in modules.items():
        place = path.relative_to(root).as_posix()
        yield from ((text, place, sense) for text, sense in _of_code(tree, known))
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        place = path.relative_to(root).as_posix()
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            source = "".join(cell["source"])
            prose = cell["cell_type"] == "markdown"
            found = [(source, None)] if prose else _of_code(ast.parse(source), known)
            yield from ((text, place, sense) for text, sense in found)
    yield from _tables()


def _of_code(tree: ast.AST, known: Mapping[str, str] | None = None) -> list[Text]:
    """The texts in calls and in what is named for them, in the order of the code.

    >>> of = 'title, n = "Sales", 3\\nbook.exhibit("sales", table, title=title, about=book.about(n, "lines", "costs"))'
    >>> _of_code(ast.parse(of))
    [('Sales', None), ('lines', None), ('costs', 'source')]
    >>> _of_code(ast.parse('language.text("Some" if several else NONE)'), {"NONE": "None"})
    [('Some', None), ('None', None)]
    """
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Call | ast.Assign | ast.Dict)]
    found: list[Text] = []
    for node in sorted(nodes, key=lambda node: (node.lineno, node.col_offset)):
        found += [(text, None) for place in _said(node) for text in _choices(place, known or {})]
        named = (text for place in _named(node) for text in _choices(place, known or {}))
        found += [(text, None) for text in named if not _is_code(text)]
        found += [(text, SOURCE) for text in _sources(node)]
    return [(text, sense) for text, sense in found if text]


def _is_code(text: str) -> bool:
    """Whether what is named like a text is a code of the library, which has its own word."""
    from crmlib.exhibits import UNITS

    return text in WORDS or text in UNITS.values() or _CODE.fullmatch(text) is not None


def _named(node: ast.AST) -> list[ast.expr]:
    """Where an assignment or a table names a text."""
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return [value for key, value in pairs if isinstance(key, ast.Constant) and key.value in NAMES]
    if isinstance(node, ast.Call):
        return [keyword.value for keyword in node.keywords if keyword.arg == "why"]
    if not isinstance(node, ast.Assign):
        return []
    names, values = (getattr(side, "elts", [side]) for side in (node.targets[0], node.value))
    pairs = zip(names, values, strict=False)
    return [value for name, value in pairs if isinstance(name, ast.Name) and name.id in NAMES]


def _said(node: ast.AST) -> list[ast.expr]:
    """Where a call takes a text."""
    if not isinstance(node, ast.Call):
        return []
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    places = [node.args[i] for i in CALLS.get(name, ()) if -len(node.args) <= i < len(node.args)]
    if name == "about" and any(isinstance(argument, ast.Starred) for argument in node.args):
        places = []  # what is counted comes from elsewhere
    return places + [keyword.value for keyword in node.keywords if keyword.arg in KEYWORDS]


def _sources(node: ast.AST) -> list[str]:
    """What an exhibit was computed from: listed in one text, each translated for itself."""
    if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "about" and len(node.args) > 1:
        source = node.args[-1]
        return source.value.split(", ") if isinstance(source, ast.Constant) else []
    return []


def _choices(place: ast.expr, known: Mapping[str, str]) -> list[str]:
    """Every text that may stand here."""
    if isinstance(place, ast.IfExp):
        return _choices(place.body, known) + _choices(place.orelse, known)
    if isinstance(place, ast.BoolOp):
        return [text for value in place.values for text in _choices(value, known)]
    if isinstance(place, ast.Name | ast.Attribute):
        named = known.get(place.id if isinstance(place, ast.Name) else place.attr)
        return [named] if named else []
    return [place.value] if isinstance(place, ast.Constant) and isinstance(place.value, str) else []


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Texts that a module names in capitals."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            name = node.targets[0]
            if isinstance(name, ast.Name) and name.id.isupper() and isinstance(node.value.value, str):
                yield name.id, node.value.value


def _tables() -> Iterator[tuple[str, str, str | None]]:
    """Texts that stand in tables of the library."""
    from crmlib import tables
    from crmlib.exhibits import HEADINGS
    from crmlib.measures import ALL

    for place, found in (("words", WORDS.values()), ("words", PHRASES), ("headings", HEADINGS.values())):
        yield from ((text, place, None) for text in found)
    yield from ((text, "headings", HEADING) for text in TWO_SENSES)
    for measure in ALL:
        yield measure.label, "measures", None
        yield measure.formula, "measures", None
    yield from ((name, "tables", SOURCE) for name in tables.ALL)
