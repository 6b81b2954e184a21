"""The bytes of a text file as UTF-8: which encoding it is in, and which of its lines are in another.

Encodings are tried strictly: a byte-order mark, UTF-8, then GB18030. Nothing is ever read as
Latin-1, which never fails and so proves nothing. Where one file holds two encodings, every line is
read on its own: lines in the other encoding are told apart, and lines in neither are kept escaped.
"""

import codecs
import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from crmlib.errors import SourceError

BLOCK = 2 * 1024**2
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
LINE = re.compile(rb"[^\r\n]*+(?:\r\n|\r|\n|\Z)")
# A Western letter in its own encoding stands between ASCII letters; GB18030 takes it and the letter
# after it for one rare character. Real Chinese text has characters of two high bytes side by side.
WESTERN = re.compile(
    rb"(?:[\x00-\x7f]++|(?<=[A-Za-z])[\xc0-\xff][A-Za-z]|[\xc0-\xff][A-Za-z](?=[A-Za-z]))*+\Z"
)


@dataclass(frozen=True)
class Text:
    """What a first reading of a text file found."""

    path: Path
    name: str  # as messages call it
    fingerprint: str  # SHA-256 of its bytes
    encoding: str
    mark: int = 0  # bytes of the byte-order mark
    lines: int = 0  # physical lines, counted without regard to quotes
    mixed: bool = False  # some lines are in another encoding, or in none
    stated: bool = False  # the client said which

    @property
    def form(self) -> str:
        """The encoding as people write it."""
        return re.sub("-[lb]e$", "", self.encoding).upper()


@dataclass(frozen=True)
class Mark:
    """A line that was not in its file's encoding: where it begins in the decoded bytes, and what it was."""

    at: int
    kind: str  # gb18030, utf-8 or undecodable
    old: str  # the line as delivered, bytes escaped


def text(path: Path, *, name: str, stated: str | None = None) -> Text:
    """A file read once, to its end: fingerprint, number of lines, encoding.

    Raises
    ------
    SourceError : mostly not text in any encoding that is read
    """
    with path.open("rb") as file:
        start = file.read(65_536)
        mark, encoding = _marked(start, stated)
        file.seek(0)
        mixed, fingerprint, lines = _passed(file, encoding, mark, name)
    known = Text(path, name, fingerprint, encoding, mark, lines, mixed, bool(stated))
    if not mixed:
        return known
    return known if stated else _voted(known)


def _marked(start: bytes, stated: str | None) -> tuple[int, str]:
    """The length of the byte-order mark, and the encoding to try first."""
    for mark, encoding in MARKS:
        if start.startswith(mark):
            return len(mark), encoding
    # Unicode text without its mark: every delimiter and line end has a zero byte beside it, always on
    # the same side. Zero bytes strewn into other text are fewer, and what is left is UTF-8.
    odd, even = start[1::2].count(0), start[0::2].count(0)
    wide = "utf-16-le" if odd > even else "utf-16-be"
    if max(odd, even) * 20 > len(start) and min(odd, even) * 10 < max(odd, even):
        check = Utf8()
        check.add(start)
        if check.broken or (odd + even) * 5 >= len(start) * 2:
            return 0, wide
    return 0, wide if stated == "utf-16" else stated or "utf-8"


def _passed(file: BinaryIO, encoding: str, mark: int, name: str) -> tuple[bool, str, int]:
    """Whether some of the file is not in the encoding, its SHA-256, and its lines."""
    digest, lines, done = hashlib.sha256(), Lines(), 0
    wide = encoding.startswith(("utf-16", "utf-32"))
    check = Utf8() if encoding == "utf-8" else Strict(encoding)
    while block := file.read(BLOCK):
        digest.update(block)
        content = block if done else block[mark:]
        done += len(block)
        found = check.add(content)
        lines.add(found if wide else content)
        if wide and check.broken:
            break
    check.end()
    if wide and check.broken:
        raise SourceError(_unreadable(name, encoding, done))
    return check.broken, digest.hexdigest(), lines.total


class Strict:
    """Tells whether bytes, a block at a time, are text in an encoding."""

    def __init__(self, encoding: str) -> None:
        """Nothing read yet."""
        self._decoder = codecs.getincrementaldecoder(encoding)("strict")
        self.broken = False

    def add(self, block: bytes, final: bool = False) -> bytes:
        """The block in UTF-8; nothing once something was no text."""
        try:
            return b"" if self.broken else self._decoder.decode(block, final).encode("utf-8")
        except UnicodeError:
            self.broken = True
            return b""

    def end(self) -> None:
        """What was begun must be whole."""
        self.add(b"", final=True)


class Utf8:
    """The same for UTF-8, four times as fast: Arrow looks at a block without making text of it."""

    def __init__(self) -> None:
        """Nothing read yet."""
        self._rest, self.broken = b"", False

    def add(self, block: bytes) -> bytes:
        """Look at the block up to its last whole character."""
        data = self._rest + block
        # A character that a block cuts short began in its last three bytes.
        cut = next((n for n in (1, 2, 3) if data[-n : len(data) - n + 1] >= b"\xc0"), 0)
        cut = cut if cut and len(data) >= cut and _needs(data[-cut]) > cut else 0
        self._rest = data[len(data) - cut :]
        self._look(data[: len(data) - cut])
        return b""

    def end(self) -> None:
        """What was begun must be whole."""
        self._look(self._rest)

    def _look(self, data: bytes) -> None:
        if self.broken or not data:
            return
        ends = pa.py_buffer(np.array([0, len(data)], np.int32))
        try:
            pa.StringArray.from_buffers(1, ends, pa.py_buffer(data)).validate(full=True)
        except pa.ArrowInvalid:
            self.broken = True


def _needs(lead: int) -> int:
    """The bytes of a character that begins with this one."""
    return 4 if lead >= 0xF0 else 3 if lead >= 0xE0 else 2


def _unreadable(name: str, encoding: str, before: int) -> str:
    return (
        f"{name} is not text in {encoding.upper()[:6]}, as it begins: within its first {before:,} bytes "
        "something else stands. It was cut short or damaged; ask for the file again, or save it as UTF-8."
    )


class Lines:
    r"""Counts physical lines: those that end in \n, \r or \r\n, and a last one without an end.

    >>> lines = Lines()
    >>> for part in (b"a\r", b"\nb\rc\n", b"d"):
    ...     lines.add(part)
    >>> lines.total
    4
    """

    def __init__(self) -> None:
        """Nothing counted yet."""
        self._ends, self._last = 0, b""

    def add(self, data: bytes) -> None:
        """Count what comes next."""
        if not data:
            return
        self._ends += int(np.count_nonzero(np.frombuffer(data, np.uint8) == 10))
        if b"\r" in data:
            self._ends += data.count(b"\r") - data.count(b"\r\n")
        if self._last == b"\r" and data[:1] == b"\n":
            self._ends -= 1
        self._last = data[-1:]

    @property
    def total(self) -> int:
        """The lines so far."""
        return self._ends + (self._last not in (b"", b"\n", b"\r"))


def _voted(known: Text) -> Text:
    """A file that is not UTF-8 throughout: GB18030, or one of the two with lines in the other.

    Lines vote that can be read one way only; in a file of one encoding all of them agree.
    """
    votes = Counter({"utf-8": 0, "gb18030": 0, "undecodable": 0})
    first, before = 0, 0
    for block in _whole_lines(known):
        lines = LINE.findall(block)[:-1]
        plain, doubtful = _sorted_out(block, lines)
        votes["gb18030"] += plain
        for place in doubtful:
            kind = reading(lines[place], None)
            votes[kind] += 1
            first = first or (before + place + 1 if kind == "undecodable" else 0)
        before += len(lines)
    chosen = "utf-8" if votes["utf-8"] >= votes["gb18030"] else "gb18030"
    lost = votes["undecodable"]
    if lost > votes["utf-8"] + votes["gb18030"] and lost * 10 >= known.lines and lost > 2:
        raise SourceError(
            f"{known.name} is not text in UTF-8 or GB18030: {lost} of its {known.lines} lines cannot be read "
            f"as either, line {first} first. Save it as UTF-8, or say `encoding` in client.yml."
        )
    mixed = bool(lost or (votes["utf-8"] and votes["gb18030"]))
    return Text(known.path, known.name, known.fingerprint, chosen, known.mark, known.lines, mixed)


def _sorted_out(block: bytes, lines: list[bytes]) -> tuple[int, list[int]]:
    """How many lines are GB18030 and plainly nothing else, and which must be looked at alone.

    Of a million lines nearly all are told by arithmetic on the whole block: they break the pattern
    of UTF-8, and hold two high bytes side by side.
    """
    signs = np.frombuffer(block, np.uint8)
    starts = np.cumsum([0, *map(len, lines[:-1])])
    high = signs >= 0x80
    if not high.any():
        return 0, []
    follows = np.zeros(len(signs), bool)
    for lead, after in ((0xC0, 1), (0xE0, 2), (0xF0, 3)):
        follows[after:] |= signs[: len(signs) - after] >= lead
    broken = follows != (high & (signs < 0xC0))
    paired = np.zeros(len(signs), bool)
    paired[1:] = high[1:] & high[:-1]
    foreign, broken, paired = (np.logical_or.reduceat(mask, starts) for mask in (high, broken, paired))
    plain = broken & paired if _decoded(block, "gb18030") is not None else np.zeros(len(starts), bool)
    return int(plain.sum()), np.flatnonzero(foreign & ~plain).tolist()


def reading(line: bytes, chosen: str | None, stated: bool = False) -> str | None:
    """The encoding of a line that is not ASCII: utf-8, gb18030 or undecodable.

    None where both could be and the file's own, `chosen`, is not known. A GB18030 line that happens
    to be UTF-8 as well is common Chinese in the one and rubbish in the other, and the reverse.

    >>> reading("张三李四".encode("gb18030"), "utf-8"), reading("张三李四".encode(), "gb18030")
    ('gb18030', 'utf-8')
    >>> reading("Orléans".encode("latin-1"), None)
    'undecodable'
    """
    if stated:
        return chosen if _decoded(line, chosen) is not None else "undecodable"
    one, other = _decoded(line, "utf-8"), _decoded(line, "gb18030")
    if one is None:
        return "undecodable" if other is None or WESTERN.match(line) else "gb18030"
    if other is None or (_common(one) and not _common(other)):
        return "utf-8"
    return chosen


def _decoded(line: bytes, encoding: str) -> str | None:
    try:
        return line.decode(encoding)
    except UnicodeDecodeError:
        return None


def _common(text: str) -> bool:
    """Whether all of a text is in the set of characters that everyday Chinese needs."""
    try:
        text.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _whole_lines(known: Text) -> Iterator[bytes]:
    """The blocks of a file in UTF-8 or GB18030, cut at line ends, which are bytes of their own there."""
    rest = b""
    for block in _raw(known):
        data = rest + block
        # A return at the end may be half of a line end.
        cut = max(data.rfind(b"\n"), data.rfind(b"\r", 0, len(data) - 1)) + 1
        rest = data[cut:]
        if cut:
            yield data[:cut]
    if rest:
        yield rest


def _lines(known: Text) -> Iterator[bytes]:
    """The physical lines of such a file."""
    for block in _whole_lines(known):
        yield from LINE.findall(block)[:-1]


def _raw(known: Text) -> Iterator[bytes]:
    """The bytes of a file below its mark; refused if they are no longer those that were first read."""
    digest = hashlib.sha256()
    with known.path.open("rb") as file:
        first = file.read(known.mark)
        digest.update(first)
        while block := file.read(BLOCK):
            digest.update(block)
            yield block
    if digest.hexdigest() != known.fingerprint:
        raise changed(known.name)


def changed(name: str) -> SourceError:
    """The refusal of a file that was written to meanwhile."""
    return SourceError(
        f"{name} changed while it was read. Wait until it has been written whole, then run again."
    )


def blocks(known: Text) -> Iterator[tuple[bytes, list[Mark]]]:
    """A file as UTF-8, a block at a time, and the lines in it that were in another encoding.

    Raises
    ------
    SourceError : the file is not the one that `text` read
    """
    if known.mixed:
        yield from _by_line(known)
    elif known.encoding == "utf-8":
        yield from ((block, []) for block in _raw(known))
    else:
        decoder = codecs.getincrementaldecoder(known.encoding)("strict")
        try:
            for block in _raw(known):
                yield decoder.decode(block).encode("utf-8", "surrogatepass"), []
            yield decoder.decode(b"", True).encode(), []
        except UnicodeDecodeError:
            raise changed(known.name) from None


def _by_line(known: Text) -> Iterator[tuple[bytes, list[Mark]]]:
    done = 0
    parts: list[bytes] = []
    marks: list[Mark] = []
    size = 0
    for line in _lines(known):
        part = line
        if not line.isascii():
            kind = reading(line, known.encoding, known.stated) or known.encoding
            lost = kind == "undecodable"
            part = (line.decode("utf-8", "backslashreplace") if lost else line.decode(kind)).encode()
            if kind != known.encoding:
                old = line.decode("ascii", "backslashreplace").rstrip("\r\n")
                marks.append(Mark(done + size, kind, old))
        parts.append(part)
        size += len(part)
        if size >= BLOCK:
            yield b"".join(parts), marks
            done, size, parts, marks = done + size, 0, [], []
    yield b"".join(parts), marks
