"""The pictures that executed notebooks show, by the exhibit they belong to."""

import base64
import binascii
from pathlib import Path

import nbformat

from crmlib.workbook.sheet_look import Picture, Pictures

PNG = "image/png"


def pictures(notebooks: Path) -> Pictures:
    """Every picture of an exhibit in the notebooks of this folder.

    An output that names no exhibit, or holds no picture, is passed over.
    """
    found: dict[tuple[str, str], Picture] = {}
    for path in sorted(notebooks.glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            for output in cell.get("outputs", ()):
                about = output.get("metadata", {}).get(PNG, {})
                data = output.get("data", {}).get(PNG)
                png = _decoded(data) if isinstance(about, dict) and about.get("exhibit") else None
                if png:
                    found[path.stem, about["exhibit"]] = Picture(png, str(about.get("alt", "")))
    return Pictures(found)


def _decoded(data: object) -> bytes | None:
    try:
        png = base64.b64decode("".join(data) if isinstance(data, list) else str(data or ""), validate=False)
    except binascii.Error:
        return None
    return png if png.startswith(b"\x89PNG") else None
