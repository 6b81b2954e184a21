"""JSON lines as a text table: one object on each line, numbers as they were written."""

import json
from collections.abc import Iterator
from functools import partial

import numpy as np
import pyarrow as pa

from crmlib.collection import encodings, records
from crmlib.collection.asked import Asked
from crmlib.collection.encodings import Mark, Text
from crmlib.collection.headings import columns, heading
from crmlib.collection.texttable import Repair, TextTable, balanced, oversized, settled

PART = 50_000  # lines
Line = tuple[str, Mark | None]


def is_object(begin: bytes) -> bool:
    """Whether a file that begins so has an object on its first line that holds anything."""
    first = next((line for line in begin.splitlines() if line.strip()), b"")
    text = first.decode("utf-8", "replace")
    if len(first) >= len(begin.rstrip()):  # the line may go on
        return text.lstrip()[1:].lstrip()[:1] in ('"', "}")
    return isinstance(_object(text), dict)


def json_lines(text: Text, asked: Asked) -> TextTable:
    """A file of objects as text: what is nested as JSON, an absent or null value as nothing.

    Raises
    ------
    SourceError : none of the expected keys, keys that are one name
    """
    keys: dict[str, None] = {}
    for line, _ in _lines(text):
        if isinstance(found := _object(line), dict):
            keys |= dict.fromkeys(found)
    header = heading([list(keys)], asked.expected, None, name=text.name)
    return TextTable(
        path=asked.path,
        name=text.name,
        form=f"{text.form}, JSON lines",
        titles=0,
        fingerprint=text.fingerprint,
        heading=header,
        columns=columns(header, lambda: _look(text, list(keys)), name=text.name),
        read=partial(_batches, text, list(keys)),
        expected=asked.expected,
        found=[("mixed-encodings", text.form)] if text.mixed else [],
    )


def _lines(text: Text) -> Iterator[Line]:
    """The lines of a file, and which were in another encoding."""
    rest, at = b"", 0
    marks: dict[int, Mark] = {}
    for block, new in encodings.blocks(text):
        marks |= {mark.at: mark for mark in new}
        *whole, rest = records.LINE.findall(rest + block)[:-1] or [b""]
        for line in whole:
            yield line.decode(), marks.pop(at, None)
            at += len(line)
    if rest:
        yield rest.decode(), marks.pop(at, None)


def _object(line: str) -> dict[str, object] | str:
    """A line's object, numbers as written; why it is none."""
    try:
        found = json.loads(line, object_pairs_hook=_once, parse_int=_Number, parse_float=_Number)
    except _TwiceError:
        return "repeated-key"
    except (ValueError, RecursionError):
        return "not-json"
    return found if isinstance(found, dict) else "not-json"


class _Number(str):
    """A number as it was written."""


class _TwiceError(Exception):
    """An object says one key twice."""


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _TwiceError
    return found


def _cell(value: object, line: str, key: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, dict | list):
        return json.dumps(json.loads(line)[key], ensure_ascii=False)
    return str(value)


def _look(text: Text, keys: list[str]) -> Iterator[list[pa.Array]]:
    for line, _ in _lines(text):
        if isinstance(found := _object(line), dict):
            yield [pa.array([_cell(found.get(key), line, key)]) for key in keys]


def _batches(text: Text, keys: list[str], table: TextTable) -> Iterator[pa.RecordBatch]:
    kept: list[list[str]] = []
    rows: list[int] = []
    number = 0
    for number, (line, mark) in enumerate(_lines(text), 1):
        found = "undecodable" if mark and mark.kind == "undecodable" else _object(line)
        if not line.strip():
            table.blank += 1
            continue
        if mark and mark.kind != "undecodable":
            new = line.rstrip("\r\n")
            table.repairs.append(Repair(number, "", mark.old, new, f"read-as-{mark.kind}"))
        cells = [_cell(found.get(key), line, key) for key in keys] if isinstance(found, dict) else []
        if not isinstance(found, dict) or oversized(cells):
            table.aside(number, "oversized-cell" if cells else found, line.rstrip("\r\n"))
            continue
        kept.append(cells)
        rows.append(number)
        if len(kept) == PART:
            yield _batch(table, kept, rows)
            kept, rows = [], []
    yield _batch(table, kept, rows)
    balanced(table, text.lines, number, "lines")


def _batch(table: TextTable, kept: list[list[str]], rows: list[int]) -> pa.RecordBatch:
    cells = [pa.array([row[at] for row in kept], pa.string()) for at in range(table.columns.width)]
    return settled(table, cells, np.array(rows, np.int64))
