"""A finished run → `reports/<client>/<period>/`: built beside its place, then put there in one step."""

import datetime as dt
import hashlib
import importlib.metadata
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pyarrow as pa
import pyarrow.parquet as pq

from crmlib import as_of, findings, tables
from crmlib import language as languages
from crmlib.classification import standards
from crmlib.cleaning import records
from crmlib.client import Client
from crmlib.collection import corrections, sources
from crmlib.language import Language
from crmlib.period import Period, day_number
from crmlib.privacy import key, masked_table
from crmlib.workbook import (
    excel,
    exchange,
    execution,
    graph_source,
    pictures,
    printing,
    relations_page,
    report,
)
from crmlib.workbook.kernels import ROOT

PACKAGES = (
    "crmlib",
    "duckdb",
    "jupyterlab",
    "matplotlib",
    "narwhals",
    "numpy",
    "pandas",
    "papermill",
    "pyarrow",
    "scikit-learn",
)
# Only where the client supplies them.
DELIVERED = (
    *("customers", "transactions", "snapshot", "tiers", "surveys"),
    *(table.name for table in records.TABLES),
)
PUBLISHED = (*DELIVERED, "ledger", "quarantine", "facts", "classes")
BATCH = 1 << 17


@dataclass(frozen=True)
class Run:
    """What was executed: the client, the period, the notebooks, and how long each took."""

    client: Client
    period: Period
    folder: Path  # the staging folder of this period; holds notebooks/ already
    seconds: dict[str, float] = field(default_factory=dict)
    browser: Path | None = None  # what prints the pages to PDF, if they shall be

    @property
    def incomplete(self) -> bool:
        """The period reaches past the delivery."""
        return self.period.as_of > sources.delivered_on(self.client)


def publish(run: Run) -> Path:
    """The whole report in its place, or an error and the last good one left as it was."""
    client, period, folder = run.client, run.period, run.folder
    execution.check_balance(client, period)
    books = [findings.read(step, client, period) for step in findings.STEPS]
    known = languages.languages(client)
    pages = report.pages(client, period, folder / "notebooks", incomplete=run.incomplete)
    for name, page in pages.items():
        (folder / name).write_text(page, "utf-8")
        if run.browser:
            printing.printed(folder / name, run.browser)
    for language in known:
        path = folder / language.file("exhibits.xlsx")
        drawn = pictures.pictures(folder / "notebooks", language)
        excel.exhibits(path, books, language, client=client, period=period, pictures=drawn)
    _relations(client, period, folder)
    _own_language(folder / "notebooks")
    (folder / "results.json").write_bytes(execution.results(client, period))
    fingerprints = masked_tables(client, period, folder / "tables")
    _internal(client, period, folder / "internal", known[0])
    _standards(client, period, folder)
    manifest = _manifest(run) | {"tables": fingerprints}
    (folder / "manifest.json").write_text(_json(manifest), "utf-8")
    place = client.report(period)
    exchange.put(folder, place)
    return place


def _own_language(notebooks: Path) -> None:
    """The executed notebooks without what they told for the pages of further languages."""
    for path in sorted(notebooks.glob("*.ipynb")):
        notebook = report.without_further(nbformat.read(path, as_version=4))
        path.write_text(nbformat.writes(notebook), "utf-8")


def masked_tables(client: Client, period: Period, folder: Path) -> dict[str, str]:
    """One masked Parquet file a table, each as it was known on `as_of`; their fingerprints."""
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for name in PUBLISHED:
        table = tables.ALL[name]
        if name in DELIVERED and name not in client.tables.named():
            continue
        built = client.built(period) if table.step not in findings.DELIVERY_STEPS else client.delivery
        source = tables.verified(built / f"{name}.parquet", table.step)
        path = folder / f"{name}.parquet"
        _masked_copy(source, path, table, secret=key(client), until=day_number(period.as_of))
        found[name] = _fingerprint(path)
    return found


def _masked_copy(source: Path, path: Path, table: tables.Table, *, secret: bytes, until: int) -> None:
    """A table batch by batch, so that a long one never lies in memory whole."""
    kept = pa.schema([part for part in table.schema if part.name != "raw"])
    personal = [name for name in kept.names if name in table.personal]
    with (
        pq.ParquetFile(source, page_checksum_verification=True) as file,
        pq.ParquetWriter(path, kept, compression="zstd", write_page_checksum=True) as out,
    ):
        for batch in file.iter_batches(BATCH, columns=kept.names):
            rows = as_of.known(pa.Table.from_batches([batch]).select(kept.names).cast(kept), table, until)
            if personal:
                names = masked_table(rows.select(personal).to_pandas(), table, secret)
                for name in personal:
                    column = pa.array(names[name], pa.string(), from_pandas=True)
                    rows = rows.set_column(kept.get_field_index(name), kept.field(name), column)
            out.write_table(rows)


def _relations(client: Client, period: Period, folder: Path) -> None:
    """The graph to look around in, in every language of the client."""
    picture = graph_source.of_run(client, period)
    for language in languages.languages(client):
        whole = relations_page.page(client, period, picture, language)
        (folder / language.file("relations.html")).write_text(whole, "utf-8")


def _internal(client: Client, period: Period, folder: Path, language: Language) -> None:
    """What must name people, readable by its owner only."""
    folder.mkdir(mode=0o700)
    folder.chmod(0o700)
    tiers = client.built(period) / "tiers.xlsx"
    if not tiers.is_file():
        raise execution.Failure("did not write tiers.xlsx", step="03-classification")
    shutil.copyfile(tiers, folder / "tiers.xlsx")
    rows = tables.frame(client.delivery, tables.QUARANTINE)
    headers = sources.headers(client)
    excel.quarantine(folder / "quarantine.xlsx", rows, language, client=client, headers=headers)
    if (client.built(period) / f"{tables.AT_RISK.name}.parquet").is_file():
        risks = tables.frame(client.built(period), tables.AT_RISK)
        people = tables.customers(client.delivery, until=day_number(period.as_of))
        excel.at_risk(folder / "at_risk.xlsx", risks, people, language, client=client)
    whole = corrections.cut_off(rows)
    if len(whole):
        # As JSON a row never begins with a sign that a spreadsheet takes for a formula.
        raw = [json.dumps(corrections.split(text, []), ensure_ascii=False) for text in whole["raw"]]
        place = ["table", "reason", "source_file", "source_row"]
        whole[place].assign(row=raw).to_csv(folder / "quarantine.csv", index=False, encoding="utf-8-sig")
    for path in folder.iterdir():
        path.chmod(0o600)


def _standards(client: Client, period: Period, folder: Path) -> None:
    """The rules this run graded by, where the next period's run looks for them when `built/` is gone."""
    written = client.built(period) / standards.FILE
    if written.is_file():
        shutil.copyfile(written, folder / standards.FILE)


def _manifest(run: Run) -> dict:
    """What this run was made from."""
    client, period = run.client, run.period
    ledger = tables.frame(client.delivery, tables.LEDGER)
    return {
        "client": client.id,
        "name": client.name,
        "currency": client.currency,
        "decimals": client.decimals,
        "language": client.languages[0],
        "languages": client.languages,
        "period": period.name,
        "start": period.start.isoformat(),
        "as_of": period.as_of.isoformat(),
        "delivered_on": sources.delivered_on(client).isoformat(),
        "incomplete": run.incomplete,
        # The one place where the clock is read: when the report appeared, never what is in it.
        "published_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "parameters": {"client": client.id, "period": period.name},
        "inputs": _inputs(client),
        "code": _code(),
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        "seconds": {step: round(taken, 2) for step, taken in sorted(run.seconds.items())},
        "ledger": json.loads(ledger.to_json(orient="records")),
    }


def _inputs(client: Client) -> dict[str, dict[str, str]]:
    """Every delivered file, what databases answered, and `client.yml`, by name and fingerprint."""
    found = {"client.yml": {"client.yml": _fingerprint(client.config)}}
    for name, source in (client.tables.named() | client.sources).items():
        found[name] = {
            _known_as(client, path): _fingerprint(path) for path in sources.paths(client, source, name)
        }
        if source.database:  # by the name of the variable: its URL stays where it is
            found[name] = {source.database: _fingerprint(sources.place(client, name))}
    if client.corrections:
        found["corrections"] = {
            _known_as(client, path): _fingerprint(path) for path in sources.corrections(client)
        }
    return found


def _known_as(client: Client, path: Path) -> str:
    return path.relative_to(client.raw).as_posix() if path.is_relative_to(client.raw) else path.name


def _code() -> dict[str, str]:
    """Library, notebooks and lock file as one fingerprint each."""
    parts = {
        "crmlib": sorted(p for p in (ROOT / "crmlib").rglob("*") if p.is_file() and p.suffix != ".pyc"),
        "notebooks": sorted(execution.NOTEBOOKS.glob("*.ipynb")),
        "uv.lock": [path for path in (ROOT / "uv.lock",) if path.is_file()],
    }
    return {name: _fingerprint(*paths) for name, paths in parts.items()}


def _fingerprint(*paths: Path) -> str:
    whole = hashlib.sha256()
    for path in paths:
        if len(paths) > 1:
            whole.update(f"{path.name}\0{path.stat().st_size}\0".encode())
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                whole.update(block)
    return whole.hexdigest()


def _json(content: dict) -> str:
    return json.dumps(content, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False) + "\n"
