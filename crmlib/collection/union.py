"""Several files as one table: each file once, each under a name of its own, all under one header."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa

from crmlib.collection.files import FILE, ROW, TextTable

REPAIRED = ["source_file", "source_row", "column", "old", "new", "rule"]
PART = 8 * 1024**2  # bytes
KNOWN = {"encoding", "delimiter"}  # told by the form already
BROKEN = ["source_file", "sheet", "source_row", "reason", "raw"]
ACCOUNT = ["table", "file", "form", "sheet", "title_rows", "records", "misfits", "use", "notes", "sha256"]


def once(read: list[TextTable]) -> tuple[list[TextTable], list[TextTable]]:
    """Files apart from those delivered twice, under whatever name."""
    kept: dict[str, TextTable] = {}
    twice = []
    for file in read:
        if file.fingerprint in kept:
            twice.append(file)
        else:
            kept[file.fingerprint] = file
    return list(kept.values()), twice


def named(files: list[TextTable], raw: Path) -> dict[str, TextTable]:
    """Files by the name under which their rows are known: two branches may both send an orders.csv."""
    named: dict[str, TextTable] = {}
    for file in files:
        inside = file.path.is_relative_to(raw)
        name = file.path.relative_to(raw).as_posix() if inside else file.path.name
        taken = sum(known == name or known.startswith(f"{name} (") for known in named)
        named[f"{name} ({taken + 1})" if taken else name] = file
    return named


def account(table: str, kept: dict[str, TextTable], twice: list[TextTable]) -> pd.DataFrame:
    """One line a file: what it is, how many records, what was found in it."""
    return pd.DataFrame(
        [
            {
                "table": table,
                "file": name,
                "form": file.form,
                "sheet": file.sheet,
                "title_rows": file.titles,
                "records": file.records if used else 0,
                "misfits": len(file.broken) if used else 0,
                "use": "used" if used else "delivered twice",
                "notes": "; ".join(f"{code}: {value}" for code, value in file.notes if code not in KNOWN),
                "sha256": file.fingerprint,
            }
            for used, files in ((True, kept.items()), (False, [(f.path.name, f) for f in twice]))
            for name, file in files
        ]
    )


def schema(files: list[TextTable]) -> pa.Schema:
    """The headers of all files, each under the spelling of the first that has it: `Note` is `note`.

    No cell is null, which is told once and so written and read sooner.
    """
    first: dict[str, str] = {}
    for file in files:
        for header in file.headers:
            first.setdefault(header.casefold(), header)
    types = dict.fromkeys(first.values(), pa.string()) | {ROW: pa.int64(), FILE: pa.string()}
    return pa.schema([pa.field(name, type, nullable=False) for name, type in types.items()])


def parts(named: dict[str, TextTable]) -> Iterator[pa.Table]:
    """Every file's records in parts of some megabytes: many small ones are dearer to write, and to read again."""
    held: list[pa.RecordBatch] = []
    for batch in batches(named):
        held.append(batch)
        if sum(one.nbytes for one in held) >= PART:
            yield pa.Table.from_batches(held)
            held = []
    if held:
        yield pa.Table.from_batches(held)


def batches(named: dict[str, TextTable]) -> Iterator[pa.RecordBatch]:
    """Every file's records under one header; empty text where a file lacks an optional column."""
    whole = schema(list(named.values()))
    for name, file in named.items():
        spelt = {header.casefold(): header for header in file.headers}
        for batch in file.batches():
            empty = pa.repeat(pa.scalar("", pa.string()), batch.num_rows)
            yield pa.record_batch(
                [
                    batch[spelt[header.casefold()]].fill_null("") if header.casefold() in spelt else empty
                    for header in whole.names[:-2]
                ]
                + [batch[ROW], pa.repeat(pa.scalar(name, pa.string()), batch.num_rows)],
                schema=whole,
            )


def broken(named: dict[str, TextTable]) -> pd.DataFrame:
    """Records that did not fit their header: source_file, sheet, source_row, reason, raw."""
    return pd.DataFrame(
        [(name, f.sheet, b.row, b.reason, b.raw) for name, f in named.items() for b in f.broken],
        columns=BROKEN,
    )


def repaired(named: dict[str, TextTable]) -> pd.DataFrame:
    """Cells whose text was changed on reading: source_file, source_row, column, old, new, rule."""
    return pd.DataFrame(
        [(name, r.row, r.column, r.old, r.new, r.rule) for name, f in named.items() for r in f.repairs],
        columns=REPAIRED,
    )
