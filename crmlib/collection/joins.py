"""`sql:` of a table: one SELECT over the client's named sources, answered as text.

DuckDB answers, in an engine that sees these sources and nothing else: no file, no network, no
extension, no variable of Python. Rows keep the place of the source row they came from.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from crmlib import tables
from crmlib.collection import values
from crmlib.collection.files import FILE, ROW
from crmlib.collection.headers import tidy
from crmlib.errors import SourceError

PLACE = (FILE, ROW)
NOWHERE = "sql"  # the file of a row that no single source row stands behind
BATCH = 200_000


def named(sql: str, sources: Iterable[str]) -> list[str]:
    """The sources that a query names, the first-named first.

    >>> named('SELECT items.*, o.day FROM items JOIN "订单" o USING (id)', ["订单", "items", "item"])
    ['items', '订单']
    """
    found = {name: re.search(rf"(?<!\w){re.escape(name)}(?!\w)", sql, re.IGNORECASE) for name in sources}
    return sorted((name for name, at in found.items() if at), key=lambda name: found[name].start())


def answer(sql: str, sources: Mapping[str, Path], path: Path, *, where: str) -> Path:
    """The rows of a query as a Parquet file of text, in an order that does not depend on the engine.

    Parameters
    ----------
    sql : one SELECT
    sources : name → Parquet file of text with `_file` and `_row`
    path : where the answer is written, with its fingerprint
    where : the key of `client.yml` that a message names

    Returns
    -------
    `path`; every column text ("" for NULL, ISO dates, exact decimals), `_row` and `_file` last. They are
    the first of the query's own if it selects them, so that a row is known by its place in the source
    (a row that a join repeats is of `items.csv, copy 2`); otherwise `_file` is `sql` and `_row` a number in the
    order of the row's content.

    Raises
    ------
    SourceError : more than one SELECT, another statement, anything DuckDB refuses
    """
    raw = path.with_name(f".{path.stem}-as-answered.parquet")
    engine = _engine(sources)
    try:
        _one_select(sql, where)
        engine.execute(f"CREATE TEMP VIEW answer AS {sql}")
        texts, types = _texts(engine, where)
        reader = engine.sql(f"SELECT {', '.join(texts)} FROM answer").to_arrow_reader(BATCH)
        tables.write_batches(reader, reader.schema, raw)
    except duckdb.Error as problem:
        raise _refusal(problem, where, sources) from None
    finally:
        engine.close()
    try:
        return tables.write_batches(_placed(raw, types), pa.schema(types), path)
    finally:
        raw.unlink()
        raw.with_suffix(".sha256").unlink()


def _engine(sources: Mapping[str, Path]) -> duckdb.DuckDBPyConnection:
    """An engine in which a query can read the named sources and reach nothing else."""
    engine = tables.engine(alone=True)
    engine.execute("SET TimeZone = 'UTC'")
    allowed = ", ".join(values.literal(str(path)) for path in sources.values())
    engine.execute(f"SET allowed_paths = [{allowed}]")
    for name, path in sources.items():
        engine.execute(f"CREATE VIEW {values.name(name)} AS FROM read_parquet({values.literal(str(path))})")
    for lock in ("python_enable_replacements = false", "enable_external_access = false"):
        engine.execute(f"SET {lock}")
    engine.execute("SET lock_configuration = true")
    return engine


def _one_select(sql: str, where: str) -> None:
    kinds = [str(statement.type).rpartition(".")[2] for statement in duckdb.extract_statements(sql)]
    if kinds != ["SELECT"]:
        found = " and ".join(kinds) or "nothing"
        raise SourceError(f"{where}: only one SELECT is answered; this is {found}.")


def _texts(engine: duckdb.DuckDBPyConnection, where: str) -> tuple[list[str], list[tuple[str, pa.DataType]]]:
    """Every column of an answer as text, the first place as it is; and the schema of that."""
    # A view numbers names that come twice: `_row` and `_row_1`.
    again = re.compile(rf"({ROW}|{FILE})_\d+", re.IGNORECASE)
    texts, types = [], []
    described = [found[:2] for found in engine.sql("DESCRIBE answer").fetchall()]
    for column, kind in described:
        if column.casefold() in PLACE or again.fullmatch(column):
            continue
        header = tidy(column)
        if not header or header.casefold() in {name.casefold() for name, _ in types}:
            raise SourceError(f"{where}: column {column!r} needs a name of its own. Say AS with one.")
        texts.append(f"{_text(column, kind, where)} AS {values.name(header)}")
        types.append((header, pa.string()))
    if not types:
        raise SourceError(f"{where}: the query selects no column.")
    own = {column.casefold(): values.name(column) for column, _ in described}
    # Half a place is none.
    file, row = (own.get(part, "NULL") if own.keys() >= set(PLACE) else "NULL" for part in PLACE)
    texts += [f"TRY_CAST({row} AS BIGINT) AS {ROW}", f"CAST({file} AS VARCHAR) AS {FILE}"]
    return texts, [*types, (ROW, pa.int64()), (FILE, pa.string())]


def _text(column: str, kind: str, where: str) -> str:
    name = values.name(column)
    if kind == "BLOB":
        raise SourceError(
            f"{where}: column {column!r} holds bytes (BLOB), which are no text. Leave it out of the SELECT."
        )
    if kind.endswith("]") or kind.startswith(("STRUCT(", "MAP(", "UNION(")):
        name = f"to_json({name})"
    shown = f"CAST({name} AS VARCHAR)"
    return f"coalesce({f'upper({shown})' if kind == 'BOOLEAN' else shown}, '')"


def _placed(raw: Path, types: list[tuple[str, pa.DataType]]) -> Iterator[pa.RecordBatch]:
    """The answer with a place of its own for every row, sorted by it."""
    engine = tables.engine()
    engine.execute(f"CREATE TEMP VIEW answer AS FROM read_parquet({values.literal(str(raw))})")
    columns = [values.name(header) for header, _ in types[:-2]]
    content = ", ".join(columns)
    once = engine.sql(
        f"SELECT count({ROW}) = count(*) AND count({FILE}) = count(*) AND count(DISTINCT ({FILE}, {ROW})) = count(*) FROM answer"
    ).fetchall()[0][0]
    placed = f"SELECT {content}, {ROW}, {FILE} FROM answer"
    if not once:
        known = f"({ROW} IS NOT NULL AND {FILE} IS NOT NULL)"
        placed = f"""
        SELECT {content},
          CASE WHEN {known} THEN {ROW} ELSE copy END AS {ROW},
          CASE WHEN NOT {known} THEN '{NOWHERE}' WHEN copy > 1 THEN {FILE} || ', copy ' || copy ELSE {FILE} END AS {FILE}
        FROM (SELECT *, row_number() OVER (
                PARTITION BY CASE WHEN {known} THEN {FILE} END, CASE WHEN {known} THEN {ROW} END ORDER BY {content}) AS copy
              FROM answer)"""
    reader = engine.sql(f"{placed} ORDER BY {FILE}, {ROW}").to_arrow_reader(BATCH)
    schema = pa.schema(types)
    for batch in reader:
        yield batch.cast(schema)


def _refusal(problem: duckdb.Error, where: str, sources: Iterable[str]) -> SourceError:
    """What DuckDB said, in one line; values it could not convert are not shown."""
    said = re.split(r"\n|Did you mean|Candidate", str(problem).strip())[0].strip()
    if isinstance(problem, duckdb.ConversionException):
        said = re.sub(r"'.*'", "'…'", said) + ". Every column of a source is text: use TRY_CAST"
    return SourceError(
        f"{where} cannot be answered: {said.rstrip('.! ')}. "
        f"It may read these sources and nothing else: {', '.join(sources) or 'none are named'}."
    )


def told(joined: pd.DataFrame) -> dict[str, int]:
    """Of the account of joins: how many there are, and rows lost and repeated, as far as it is known."""
    lost, repeated = (int(joined[what].fillna(0).sum()) for what in ("lost", "repeated"))
    return {"joins": len(joined), "lost": lost, "repeated": repeated, "changed": lost + repeated}


def account(collection: Mapping, sql: Mapping[str, str], sources: Mapping) -> pd.DataFrame:
    """What each join did to the rows of its first-named source.

    Parameters
    ----------
    collection : table → `Collected`
    sql : table → its query
    sources : source → `Collected`

    Returns
    -------
    table, source (the first named), source_rows, rows (of the answer), lost (source rows that no row of the
    answer comes from), repeated (rows of the answer beyond the first from a source row). The last two are
    empty where the query does not select `_file` and `_row`.
    """
    told = []
    for table, query in sql.items():
        first = sources[named(query, sources)[0]] if named(query, sources) else None
        came = pq.read_metadata(first.path).num_rows if first else None
        lost, repeated = _fate(collection[table].path, first.path) if first else (None, None)
        rows = pq.read_metadata(collection[table].path).num_rows
        told.append((table, first.table if first else "", came, rows, lost, repeated))
    columns = ["table", "source", "source_rows", "rows", "lost", "repeated"]
    return pd.DataFrame(told, columns=columns).astype(dict.fromkeys(columns[2:], "Int64"))


def _fate(answered: Path, source: Path) -> tuple[int | None, int | None]:
    engine = tables.engine()
    for name, path in (("answered", answered), ("source", source)):
        engine.execute(f"CREATE TEMP VIEW {name} AS FROM read_parquet({values.literal(str(path))})")
    file = f"regexp_replace({FILE}, ', copy \\d+$', '')"
    nowhere, repeated = engine.sql(
        f"SELECT count(*) FILTER ({FILE} = '{NOWHERE}'),"
        f" count(*) FILTER ({FILE} <> '{NOWHERE}' AND {FILE} NOT IN (SELECT {FILE} FROM source)) FROM answered"
    ).fetchall()[0]
    if nowhere and nowhere == pq.read_metadata(answered).num_rows:
        return None, None
    lost = engine.sql(
        f"SELECT count(*) FROM source ANTI JOIN (SELECT DISTINCT {FILE}, {ROW} FROM answered"
        f" UNION SELECT {file}, {ROW} FROM answered) USING ({FILE}, {ROW})"
    ).fetchall()[0][0]
    return lost, repeated
