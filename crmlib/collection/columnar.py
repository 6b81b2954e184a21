"""Parquet as a text table: typed columns in canonical text."""

import json
import math
from collections.abc import Iterator
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from crmlib.collection import encodings
from crmlib.collection.asked import Asked, fingerprint
from crmlib.collection.headings import columns, heading
from crmlib.collection.texttable import TextTable, balanced, raw, settled
from crmlib.collection.workbooks import EXACT, text
from crmlib.errors import SourceError

PART = 50_000  # rows


def parquet(asked: Asked) -> TextTable:
    """A Parquet file as text: dates in ISO form, exact decimals, TRUE and FALSE, nothing where null.

    Raises
    ------
    SourceError : cut short or damaged, none of the expected columns, columns named twice
    """
    mark = fingerprint(asked.file)
    try:
        with pq.ParquetFile(asked.file) as file:
            names, rows = list(file.schema_arrow.names), file.metadata.num_rows
    except (pa.ArrowException, OSError, ValueError):
        raise _damaged(asked.name) from None
    header = heading([names], asked.expected, None, name=asked.name)
    return TextTable(
        path=asked.path,
        name=asked.name,
        form="Parquet",
        titles=0,
        fingerprint=mark,
        heading=header,
        columns=columns(header, lambda: (cells for cells, _ in _parts(asked)), name=asked.name),
        read=partial(_batches, asked, mark, rows),
        expected=asked.expected,
    )


def _damaged(name: str) -> SourceError:
    return SourceError(f"{name} is incomplete or damaged (Parquet). Ask for the file again.")


def _parts(asked: Asked) -> Iterator[tuple[list[pa.Array], dict[int, str]]]:
    """The records as text columns, and which places of a part are in doubt, and why."""
    try:
        with pq.ParquetFile(asked.file, page_checksum_verification=True) as file:
            for batch in file.iter_batches(PART):
                doubt: dict[int, str] = {}
                yield [_texts(column, doubt) for column in batch.columns], doubt
    except (pa.ArrowException, OSError):
        raise _damaged(asked.name) from None


def _batches(asked: Asked, mark: str, counted: int, table: TextTable) -> Iterator[pa.RecordBatch]:
    done = 0
    for cells, doubt in _parts(asked):
        count = len(cells[0]) if cells else 0
        for column in cells:
            large = pc.greater(pc.binary_length(column), 128 * 1024)
            if large.true_count:
                doubt |= dict.fromkeys(np.flatnonzero(large.to_numpy(zero_copy_only=False)), "oversized-cell")
        for place, reason in doubt.items():
            table.aside(done + int(place) + 1, reason, raw([column[place].as_py() for column in cells]))
        keep = np.delete(np.arange(count), list(doubt))
        taken = pa.array(keep)
        yield settled(table, [column.take(taken) for column in cells], keep + done + 1)
        done += count
    balanced(table, counted, done, "records")
    if fingerprint(asked.file) != mark:
        raise encodings.changed(asked.name)


def _texts(column: pa.Array, doubt: dict[int, str]) -> pa.Array:
    """A typed column as text."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_date(kind):
        return column.cast(pa.string()).fill_null("")
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        try:
            column.validate(full=True)  # Parquet promises text and checks nothing
            return column.cast(pa.string()).fill_null("")
        except pa.ArrowInvalid:
            return _decoded(column.cast(pa.binary()).to_pylist(), doubt)
    if pa.types.is_floating(kind):
        values = column.cast(pa.float64()).to_pylist()
        doubt |= {at: "digits-lost" for at, v in enumerate(values) if v is not None and _inexact(v)}
        return pa.array([_number(value) for value in values], pa.string())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return _decoded(column.to_pylist(), doubt)
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        column = column.cast(pa.timestamp("us", kind.tz), safe=False)
    return pa.array([_told(value) for value in column.to_pylist()], pa.string())


def _inexact(value: float) -> bool:
    return math.isfinite(value) and abs(value) >= EXACT


def _number(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else text(value)


def _decoded(values: list[bytes | None], doubt: dict[int, str]) -> pa.Array:
    found = []
    for at, value in enumerate(values):
        try:
            found.append((value or b"").decode())
        except UnicodeDecodeError:
            found.append(value.decode("utf-8", "backslashreplace"))
            doubt[at] = "undecodable"
    return pa.array(found, pa.string())


def _told(value: object) -> str:
    """A value as text; what is nested, as JSON.

    >>> _told([{"city": "Ulm"}]), _told(None)
    ('[{"city": "Ulm"}]', '')
    """
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=text)
    return text(value)
