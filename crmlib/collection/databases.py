"""`database:` and `query:` of a source: one SELECT that a database answers, as text.

SQLite and PostgreSQL are asked through ADBC, any other by its SQLAlchemy URL. The URL comes from an
environment variable and is shown nowhere: drivers put user and host into what they say, so of that
only a cause in our own words is passed on, with words that stand in the query itself.
"""

import datetime as dt
import decimal
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from crmlib import tables
from crmlib.collection import values
from crmlib.collection.files import ROW
from crmlib.collection.headers import tidy
from crmlib.collection.joins import BATCH, FILE
from crmlib.errors import SourceError
from crmlib.mapping import Delivered

WAIT = 10  # seconds for a server to answer at all
QUOTED = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|--[^\n]*|/\*.*?\*/""", re.DOTALL)
REFUSED_LOGIN = "the database refused the user or the password"
NO_SERVER = "no server answers at its address"
NO_DATABASE = "the server has no such database"
NO_TABLE = "the query names a table that is not there"
NO_COLUMN = "the query names a column that is not there"
ONLY_READING = "the query would change the database, and it is only read"
# By SQLSTATE or by what drivers say; the first that fits.
CAUSES = {
    r"28P01|28000|password authentication failed|no password supplied|access denied|login failed": REFUSED_LOGIN,
    r"3D000|database \S+ does not exist|unknown database": NO_DATABASE,
    r"connection refused|could not translate|name or service|timeout expired|timed out|can't connect"
    r"|could not connect|no route|no such file or directory|08\d{3}": NO_SERVER,
    r"25006|readonly database|read-only": ONLY_READING,
    r"42501|permission denied|not authorized": "its user may not read what the query names",
    r"42P01|no such table|relation \S+ does not exist|table \S+ doesn't exist|invalid object name": NO_TABLE,
    r"42703|no such column|column \S+ does not exist|unknown column": NO_COLUMN,
    r"42601|syntax error": "it does not understand the query",
    r"57014|canceling statement": "it stopped the query, which took too long",
    r"invalid utf8": "a text in it is not UTF-8",
    r"file is not a database|not a database": "its file is no SQLite database",
    r"unable to open database|failed to open": "its file cannot be opened",
}


def answer(source: Delivered, path: Path, *, where: str, raw: Path, timezone: str) -> str:
    """The rows of a database's answer as a Parquet file of text, in the order they came.

    Parameters
    ----------
    source : `database`, the environment variable that holds the URL, and `query`
    path : where the answer is written, with its fingerprint
    where : the place in `client.yml` that a message names
    raw : the folder from which the path of a SQLite file is meant, unless it begins at the root
    timezone : in which moments with a time zone are told

    Returns
    -------
    What answered: SQLite, PostgreSQL or the name of another kind. At `path` every column is text ("" for
    NULL, exact numbers, ISO dates, TRUE and FALSE, lists and objects as JSON); `_row` counts from 1 and
    `_file` is the variable's name. Only a query with ORDER BY comes in the same order again.

    Raises
    ------
    SourceError : no such variable, no server, wrong password, not one SELECT, no such table, bytes
    """
    name = source.database
    url = os.environ.get(name, "").strip()
    if not url:
        raise SourceError(
            f"{where}: the environment variable {name} is not set. It should hold the URL of the database, "
            "as in postgresql://user:password@host/database; set it before the run."
        )
    query = _one_select(source.query, f"{where}.query")
    form, rows = _reader(url, query, raw, timezone)
    batches = _told(rows, query, f"{where}: no rows came from the database of {name}")
    # An empty batch comes first: even an answer without rows has columns.
    headers = _headers(next(batches).schema.names, f"{where}.query")
    schema = pa.schema([*((h, pa.string()) for h in headers), (ROW, pa.int64()), (FILE, pa.string())])
    tables.write_batches(_placed(batches, schema, name), schema, path)
    return form


def _one_select(query: str, where: str) -> str:
    """The query without its last semicolon."""
    bare = QUOTED.sub(lambda part: " " * len(part[0]), query).rstrip()
    ends = bare.rstrip("; \n\t\r")
    first = re.match(r"[\s(]*(\w+)", bare)
    if ";" in ends or not first or first[1].upper() not in ("SELECT", "WITH", "VALUES", "TABLE"):
        raise SourceError(f"{where}: only one SELECT is asked, and nothing that changes the database.")
    return query[: len(ends)]


def _reader(url: str, query: str, raw: Path, timezone: str) -> tuple[str, Iterator[pa.RecordBatch]]:
    scheme = url.partition(":")[0]
    if scheme == "sqlite":
        return "SQLite", _sqlite(url, query, raw)
    if scheme in ("postgresql", "postgres"):
        return "PostgreSQL", _postgresql(url, query, timezone)
    return scheme.partition("+")[0], _by_sqlalchemy(url, query)


def _told(rows: Iterator[pa.RecordBatch], query: str, where: str) -> Iterator[pa.RecordBatch]:
    """The same rows; whatever a driver raises becomes one message of ours."""
    try:
        yield from rows
    except SourceError as problem:
        raise SourceError(f"{where}: {problem}.") from None
    # A driver may raise anything, and any of it may hold the URL.
    except Exception as problem:
        raise SourceError(f"{where}: {_cause(problem, query)}.") from None


def _cause(problem: Exception, query: str) -> str:
    """Why a database did not answer, in words that are ours or the query's."""
    if isinstance(problem, ModuleNotFoundError):
        return f"its URL needs a driver that is not installed ({problem.name})"
    said, state = str(problem), getattr(problem, "sqlstate", None) or ""
    fitting = (c for signs, c in CAUSES.items() if re.search(signs, f"{state} {said}", re.IGNORECASE))
    cause = next(fitting, "the database cannot be reached or asked")
    # `relation "nope" does not exist`, `no such table: nope`: a name that the query holds is no secret.
    named = re.search(r"""(?:relation|column|table:|column:|near|table)\s+["'`]?([\w.]+)""", said)
    if cause in (NO_TABLE, NO_COLUMN) and named and named[1] in re.findall(r"[\w.]+", query):
        cause += f" ({named[1]})"
    return cause + (f" (SQLSTATE {state})" if state else "")


def _headers(names: list[str], where: str) -> list[str]:
    headers = [tidy(name) for name in names]
    taken = {ROW, FILE, ""}
    for name, header in zip(names, headers, strict=True):
        if header.casefold() in taken:
            raise SourceError(f"{where}: column {name!r} needs a name of its own. Say AS with one.")
        taken.add(header.casefold())
    return headers


def _placed(batches: Iterator[pa.RecordBatch], schema: pa.Schema, name: str) -> Iterator[pa.RecordBatch]:
    """The rows with `_row`, counted as they came, and `_file`, the variable's name."""
    row = 0
    for batch in batches:
        places = pa.array(range(row + 1, row + batch.num_rows + 1), pa.int64())
        files = pa.array([name] * batch.num_rows, pa.string())
        columns = [column.cast(pa.string()) for column in batch.columns]
        yield pa.record_batch([*columns, places, files], schema=schema)
        row += batch.num_rows


def _sqlite(url: str, query: str, raw: Path) -> Iterator[pa.RecordBatch]:
    import adbc_driver_sqlite.dbapi as sqlite
    from sqlalchemy import make_url

    file = raw / (make_url(url).database or "")
    if not file.is_file():
        raise SourceError("the file of the SQLite database does not exist")

    def text(column: str) -> str:
        return f"coalesce(CAST({column} AS TEXT), '')"

    with closing(sqlite.connect(f"{file.resolve().as_uri()}?mode=ro")) as database:
        names = [field.name for field in _columns(database, query)]
        blobs = " ".join(f"WHEN typeof(c{n}) = 'blob' THEN {n + 1}" for n in range(len(names)))
        parts = ", ".join(f"{text(f'c{n}')} AS c{n}" for n in range(len(names)))
        found = _asked(
            database, f"{_numbered(query, len(names))} SELECT CASE {blobs} ELSE 0 END, {parts} FROM q"
        )
        for batch in found:
            if bytes_in := pc.max(batch.column(0)).as_py():
                raise _bytes(names[bytes_in - 1])
            batch.validate(full=True)  # SQLite keeps text that is not UTF-8
            yield pa.record_batch(batch.columns[1:], names=names)


def _postgresql(url: str, query: str, timezone: str) -> Iterator[pa.RecordBatch]:
    import adbc_driver_postgresql.dbapi as postgresql

    if "connect_timeout" not in url:
        url += f"{'&' if '?' in url else '?'}connect_timeout={WAIT}"
    with closing(postgresql.connect(url)) as database:
        with closing(database.cursor()) as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
            cursor.execute("SET LOCAL DateStyle = 'ISO'")
            cursor.execute(f"SET LOCAL TimeZone = {values.literal(timezone)}")
        fields = list(_columns(database, query))
        parts = ", ".join(
            f"coalesce({_server_text(f'c{n}', field)}, '') AS c{n}" for n, field in enumerate(fields)
        )
        for batch in _asked(database, f"{_numbered(query, len(fields))} SELECT {parts} FROM q"):
            yield pa.record_batch(batch.columns, names=[field.name for field in fields])


def _columns(database, query: str) -> pa.Schema:
    """The columns of a query, which is asked for no row."""
    with closing(database.cursor()) as cursor:
        cursor.execute(f"SELECT * FROM (\n{query}\n) AS q LIMIT 0")
        with cursor.fetch_record_batch() as found:
            return found.schema


def _numbered(query: str, columns: int) -> str:
    """The query as `q`, its columns by number: a name may come twice."""
    return f"WITH q({', '.join(f'c{n}' for n in range(columns))}) AS (\n{query}\n)"


def _asked(database, query: str) -> Iterator[pa.RecordBatch]:
    with closing(database.cursor()) as cursor:
        cursor.execute(query)
        with cursor.fetch_record_batch() as found:
            yield pa.record_batch([pa.array([], field.type) for field in found.schema], schema=found.schema)
            yield from found


def _server_text(column: str, field: pa.Field) -> str:
    """A PostgreSQL column as text, by the server itself, which knows all its types."""
    kind = (field.metadata or {}).get(b"POSTGRESQL:type", b"").decode()
    if kind == "bytea":
        raise _bytes(field.name)
    if kind == "bool":
        return f"upper({column}::text)"
    if kind.startswith("_") or kind == "record":
        return f"to_json({column})::text"
    if kind == "timestamptz":
        moment = f"to_char({column}, 'YYYY-MM-DD HH24:MI:SS.USTZH:TZM')"
        return f"CASE WHEN isfinite({column}) THEN replace({moment}, '.000000', '') ELSE {column}::text END"
    return f"{column}::text"


def _bytes(column: str) -> SourceError:
    return SourceError(f"column {column!r} holds bytes, which are no text. Leave it out of the query")


def _by_sqlalchemy(url: str, query: str) -> Iterator[pa.RecordBatch]:
    from sqlalchemy import create_engine
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    try:
        engine = create_engine(url, hide_parameters=True)
    except NoSuchModuleError:
        raise SourceError("its URL needs a driver that is not installed") from None
    except (ArgumentError, ValueError):
        raise SourceError(
            "it holds no database URL. Write it like postgresql://user:password@host/database"
        ) from None
    try:
        with engine.connect().execution_options(stream_results=True, max_row_buffer=BATCH) as database:
            if said := READ_ONLY.get(engine.dialect.name):
                database.exec_driver_sql(said)
            found = database.exec_driver_sql(query)
            names = list(found.keys())
            yield pa.record_batch([pa.array([], pa.string()) for _ in names], names=names)
            for rows in found.partitions(BATCH):
                columns = zip(*rows, strict=True)
                yield pa.record_batch(
                    [
                        pa.array([_text(value, name) for value in column], pa.string())
                        for name, column in zip(names, columns, strict=True)
                    ],
                    names=names,
                )
    finally:
        engine.dispose()


READ_ONLY = {
    **dict.fromkeys(("mysql", "mariadb", "oracle", "postgresql"), "SET TRANSACTION READ ONLY"),
    "sqlite": "PRAGMA query_only = ON",
}


def _text(value: object, column: str) -> str:
    """A value of Python as text."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        raise _bytes(column)
    for kind, text in TEXTS.items():
        if isinstance(value, kind):
            return text(value)
    return str(value)


TEXTS: dict[type | tuple[type, ...], Callable[..., str]] = {
    type(None): lambda value: "",
    bool: lambda value: str(value).upper(),
    decimal.Decimal: lambda value: f"{value:f}",
    dt.datetime: lambda value: value.isoformat(" "),
    (list, tuple, dict): lambda value: json.dumps(value, ensure_ascii=False, default=str),
}
