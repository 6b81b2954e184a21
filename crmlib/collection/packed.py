"""Files that are packed (gzip, zip), brought to disk unpacked; bombs are refused before they swell."""

import gzip
import os
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO

from crmlib import tables
from crmlib.errors import SourceError

MOST_BYTES = 8 * 1024**3  # of one file, unpacked
MOST_RATIO = 200  # unpacked to packed; beyond it, a bomb
FREE = 16 * 1024**2  # unpacked bytes that are never a bomb
STEP = 4 * 1024**2
GZIP = b"\x1f\x8b"
ZIP = b"PK\x03\x04"
EMPTY_ZIP = b"PK\x05\x06"
DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, OSError, NotImplementedError)


def unpacked_gzip(path: Path, *, name: str) -> Path:
    """A gzip's content in a file of this process.

    Raises
    ------
    SourceError : cut short, damaged, or far larger than an honest export
    """
    try:
        with gzip.open(path) as file:
            return _copied(file, path.stat().st_size, name)
    except DAMAGED:
        raise SourceError(f"{name} is incomplete or damaged (gzip). Ask for the file again.") from None


def unpacked_member(path: Path, member: zipfile.ZipInfo, *, name: str) -> Path:
    """One file of a zip archive, as a file of this process; the archive's own checksum must hold."""
    if member.flag_bits & 1:
        raise SourceError(f"{name} is protected by a password. Unpack it and deliver the files themselves.")
    try:
        with zipfile.ZipFile(path) as archive, archive.open(member) as file:
            return _copied(file, max(member.compress_size, 1), name)
    except DAMAGED:
        raise SourceError(f"{name} is incomplete or damaged (zip). Ask for the file again.") from None


def _copied(file: BinaryIO, packed: int, name: str) -> Path:
    most = min(MOST_BYTES, max(packed * MOST_RATIO, FREE))
    handle, target = tempfile.mkstemp(dir=tables.spill(), prefix="unpacked-")
    done = 0
    try:
        with os.fdopen(handle, "wb") as out:
            while block := file.read(STEP):
                done += len(block)
                if done > most:
                    raise SourceError(
                        f"{name} unpacks to more than {most:,} bytes; that is no honest export."
                    )
                out.write(block)
    except BaseException:
        Path(target).unlink(missing_ok=True)
        raise
    return Path(target)


def members(path: Path, *, name: str) -> list[zipfile.ZipInfo]:
    """What a zip archive holds, folders and a Mac's shadow files apart.

    Raises
    ------
    SourceError : cut short, damaged, or far larger unpacked than an honest export
    """
    try:
        with zipfile.ZipFile(path) as archive:
            inside = archive.infolist()
    except DAMAGED:
        raise SourceError(f"{name} is incomplete or damaged (zip). Ask for the file again.") from None
    size = sum(member.file_size for member in inside)
    if size > min(MOST_BYTES, max(path.stat().st_size * MOST_RATIO, FREE)):
        raise SourceError(f"{name} unpacks to {size:,} bytes; that is no honest export.")
    return [
        member
        for member in inside
        if not member.is_dir()
        and not member.filename.startswith("__MACOSX/")
        and not Path(member.filename).name.startswith((".", "~$"))
    ]


def chosen(path: Path, inside: list[zipfile.ZipInfo], sheet: str | None, *, name: str) -> zipfile.ZipInfo:
    """The member to read: the only one, or the one that `sheet` names."""
    named = [m for m in inside if sheet in (m.filename, Path(m.filename).name)]
    if len(named) == 1 or len(inside) == 1:
        return (named or inside)[0]
    if not inside:
        raise SourceError(f"{name} holds no file. Ask for it again.")
    listed = ", ".join(sorted(m.filename for m in inside)[:12])
    raise SourceError(
        f"{name} holds {len(inside)} files: {listed}. Say which one is meant (`sheet` in client.yml), "
        "or unpack it and deliver them apart."
    )
