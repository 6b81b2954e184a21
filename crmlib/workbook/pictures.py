"""The pictures that executed notebooks show, by the exhibit they belong to."""

import base64
import binascii
from pathlib import Path

import nbformat

from crmlib.language import Language
from crmlib.sentences import FURTHER
from crmlib.workbook.sheet_look import Picture, Pictures

PNG = "image/png"


def pictures(notebooks: Path, language: Language) -> Pictures:
    """Every picture of an exhibit in the notebooks of this folder, as it was drawn in this language.

    An output that names no exhibit, or holds no picture, is passed over.
    """
    found: dict[tuple[str, str], Picture] = {}
    for path in sorted(notebooks.glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            for output in cell.get("outputs", ()):
                about = output.get("metadata", {}).get(PNG, {})
                named = about.get("exhibit") if isinstance(about, dict) else None
                told = _told(output, language) if named else None
                if told:
                    found[path.stem, named] = told
    return Pictures(found)


def _told(output: nbformat.NotebookNode, language: Language) -> Picture | None:
    """The picture of an output in the reader's own language, or in a further one."""
    further = output.metadata.get(FURTHER, {}).get(language.code)
    if language.first or further is None:
        png, alt = output.get("data", {}).get(PNG), output.metadata[PNG].get("alt", "")
    else:
        png, alt = further.get(PNG), further.get("text/plain", "")
    drawn = _decoded(png)
    return Picture(drawn, str(alt)) if drawn else None


def _decoded(data: object) -> bytes | None:
    try:
        png = base64.b64decode("".join(data) if isinstance(data, list) else str(data or ""), validate=False)
    except binascii.Error:
        return None
    return png if png.startswith(b"\x89PNG") else None
