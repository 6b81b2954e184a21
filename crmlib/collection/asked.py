"""What is asked of one delivered file, and the mark by which a file is known."""

import hashlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Asked:
    """A file to be read, and how, as far as the client says."""

    path: Path  # as delivered
    name: str  # as messages call it
    file: Path  # where it lies unpacked
    expected: frozenset[str] = frozenset()
    sheet: str | None = None
    delimiter: str | None = None
    encoding: str | None = None
    header_row: int | None = None


def fingerprint(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
