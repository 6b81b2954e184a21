"""Files that tests write into a workbook of their own."""

import pytest


@pytest.fixture
def file(home):
    """Writes one file into the workbook and returns where."""

    def write(content: bytes | str, name: str = "f.csv"):
        path = home / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write
