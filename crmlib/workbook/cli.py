"""The command line: `crm`."""

import datetime as dt
import importlib.metadata
import os
import sys
from pathlib import Path

import click

from crmlib import client as clients
from crmlib.errors import Refused
from crmlib.period import FORMS, Period

HELP = {"help_option_names": ["-h", "--help"]}


class Commands(click.Group):
    """Commands whose refusals are one message and exit status 2, never a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        """The command's result, or its refusal told."""
        try:
            return super().invoke(ctx)
        except Refused as problem:
            click.echo(f"Error: {problem}", err=True)
        except OSError as problem:
            click.echo(f"Error: {problem.filename or 'a file'}: {problem.strerror}.", err=True)
        ctx.exit(2)


@click.group(cls=Commands, context_settings=HELP)
@click.version_option(importlib.metadata.version("crmlib"), prog_name="crm")
def main() -> None:
    """Turn a client's exports into a published report, period after period.

    A client is a folder under data/ with a client.yml; `crm list` shows them.
    """


@main.command()
@click.argument("names", metavar="CLIENT...", nargs=-1, required=True)
@click.option("--period", "periods", multiple=True, metavar="P", help=f"{FORMS}. May be given several times.")
@click.option("--jobs", default=2, show_default=True, type=click.IntRange(1, 64), help="Notebooks at a time.")
@click.option("--pdf", is_flag=True, help="Print the report to PDF too, with a Chromium on this machine.")
def run(names: tuple[str, ...], periods: tuple[str, ...], jobs: int, pdf: bool) -> None:
    """Run the notebooks for each CLIENT and period, and publish the reports.

    Without --period: the newest one that the client's delivery covers whole. A period that reaches
    past the delivery runs and is marked incomplete.

    Exit status: 0 everything published, 1 something failed (the others were finished), 2 bad
    configuration, input or parameter, 75 the client is already running, 130 or 143 stopped.
    """
    chosen = list(dict.fromkeys(clients.checked_name(name) for name in names))
    spans = list({(period := Period.parse(name)).name: period for name in periods}.values())
    for span in spans:
        span.previous().previous()  # what a run compares with must exist before anything starts
    from crmlib.workbook import printing
    from crmlib.workbook.runner import Batch  # papermill's imports only where something runs

    batch = Batch(chosen, spans, jobs=jobs, browser=printing.browser() if pdf else None)
    status = batch.run()
    for path in sorted(batch.published):
        for printed in sorted(path.parent.glob("report*.pdf")):
            click.echo(_near(printed))
        click.echo(_near(path))
    if status > 128:
        # Threads that would not end must not hold up a process that was told to.
        sys.stdout.flush()
        os._exit(status)
    sys.exit(status)


@main.command()
@click.argument("name", metavar="CLIENT")
def check(name: str) -> None:
    """Check a client's configuration and delivered files, without running anything."""
    from crmlib.collection import corrections, sources

    client = clients.load(name)
    click.echo(f"{clients.shown(client.config)}: {client.name}, {client.currency}, by {client.unit}")
    problems, spans, delivery = [], [], {}
    for table in client.tables.named():
        try:
            delivery[table] = sources.collected(client, table)
        except Refused as problem:
            problems.append(str(problem))
    if not problems:
        delivery = corrections.applied(delivery, client)
    for table, found in delivery.items():
        for file in found.files.itertuples():
            use = "" if file.use == "used" else f", {file.use}"
            misfits = f", {file.misfits} not fitting their header" if file.misfits else ""
            click.echo(f"  {table}: {file.file}, {file.form}, {file.records} records{misfits}{use}")
        span = sources.span(client, found)
        if span:
            spans.append(span)
            click.echo(f"  {table}: {span[0]} to {span[1]}")
    if problems:
        raise Refused("\n".join(problems))
    if spans or client.delivered_on:
        day = client.delivered_on or max(last for _, last in spans)
        newest = Period.newest_complete(day, client.unit).name
        how = (
            "" if client.delivered_on else " (the newest date in the data; say delivered_on if it was later)"
        )
        click.echo(f"  delivered on {day}{how}; the newest complete {client.unit} is {newest}")
        _cleaned(client, delivery, day)
        _goals(client, Period.newest_complete(day, client.unit).as_of)


def _cleaned(client: clients.Client, delivery: dict, day: dt.date) -> None:
    """What cleaning would set aside, by reason, and what will be missing for want of a column."""
    from crmlib.cleaning import delivery as cleaning
    from crmlib.language import WORDS

    lines = cleaning.account(cleaning.cleaned(delivery, client, delivered_on=day), delivery)
    for reason in cleaning.reasons(lines).itertuples():
        click.echo(
            f"  {reason.table}: {reason.rows} rows {reason.fate.replace('_', ' ')}: {WORDS[reason.reason]}"
        )
    orders = client.tables.transactions
    if orders is not None and "customer_id" not in orders.columns:
        click.echo("  transactions: no customer_id is mapped, so no figure of customers can be had")


def _goals(client: clients.Client, as_of: dt.date) -> None:
    """What goals lack as they are written; what only their KPIs can tell stands in notebook 05."""
    from crmlib.analysis import answering
    from crmlib.language import WORDS

    if not client.goals:
        return
    found = answering.beforehand(client.goals, supplied=client.tables.named(), as_of=as_of)
    for key, why, detail in found:
        click.echo(
            f"  goals.{key}: {WORDS[why][0].lower()}{WORDS[why][1:]}{f' ({detail})' if detail else ''}"
        )
    if not found:
        click.echo(f"  goals: {len(client.goals)}, nothing wanting in how they are written")


@main.command("list")
def list_() -> None:
    """List the clients, each with its published periods."""
    from crmlib.workbook.runs import published

    runs: dict[str, list[str]] = {name: [] for name in clients.listed()}
    for manifest in published():
        mark = " (incomplete)" if manifest["incomplete"] else ""
        runs.setdefault(manifest["client"], []).append(manifest["period"] + mark)
    if not runs:
        click.echo(f"No client yet under {clients.home() / 'data'}. Make one with: crm new NAME FILE")
    for name, periods in sorted(runs.items()):
        click.echo(f"{name}: {', '.join(periods) or 'nothing published yet'}")


@main.command()
@click.argument("name", metavar="[CLIENT]", default="demo")
@click.argument("arguments", metavar="[-- JUPYTER OPTIONS]", nargs=-1, type=click.UNPROCESSED)
@click.option("--period", metavar="P", help=f"{FORMS}. Without it: the newest complete one.")
@click.option("--copies-only", is_flag=True, help="Make the copies; do not start JupyterLab.")
def lab(name: str, arguments: tuple[str, ...], period: str | None, copies_only: bool) -> None:
    """Open JupyterLab on working copies of the notebooks for CLIENT (demo, if none is named).

    The copies lie in data/CLIENT/lab/, which git ignores. A copy you changed is never overwritten.
    """
    from crmlib.workbook import lab as bench

    client = clients.load(name)
    made = bench.copies(client, bench.period_of(client, period))
    if made.made:
        click.echo(f"Copied to {_near(made.folder)}: {', '.join(made.made)}", err=True)
    if made.kept:
        click.echo(
            f"Left as you changed them: {', '.join(made.kept)}. "
            "Their parameters are yours too; delete or rename a copy to get a new one.",
            err=True,
        )
    if not copies_only:
        sys.exit(bench.start(made.folder, arguments))


@main.command()
@click.argument("name", metavar="CLIENT")
@click.argument("files", metavar="FILES…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--copy", is_flag=True, help="Copy the files to data/CLIENT/raw/ instead of naming them where they lie."
)
def new(name: str, files: tuple[Path, ...], copy: bool) -> None:
    """Make CLIENT from its exports: writes data/CLIENT/client.yml.

    FILES are CSV, Excel, Parquet or JSON lines, packed or not; of a folder, all of these in it. Tables, columns
    and the ids that join them are recognised by header and by content. Every guess stands in the file with how
    sure it is; what could not be told is marked TODO. An existing client.yml is never overwritten.
    """
    from crmlib.workbook import draft

    path, made = draft.write(
        name, files, copy=copy, progress=lambda file: click.echo(f"Reading {file.name} …", err=True)
    )
    for line in draft.summary(made):
        click.echo(line)
    click.echo(f"{_near(path)} written; {made.open_questions} TODO to answer. Then: crm check {name}")


@main.command()
@click.argument("name", metavar="CLIENT")
@click.argument("file", metavar="FILE.xlsx", type=click.Path(path_type=Path))
@click.option("--period", metavar="P", help=f"{FORMS}. Without it: the newest complete one.")
@click.option("--save", is_flag=True, help="Write client.yml; the one before is kept as client.yml.bak.")
def thresholds(name: str, file: Path, period: str | None, save: bool) -> None:
    """Show what the limits in FILE.xlsx would change for CLIENT: tiers, and who would move.

    FILE is an exhibits.xlsx whose sheet Thresholds was edited, or a workbook with its columns key and value.
    Nothing is written without --save.
    """
    from crmlib.workbook import lab, threshold_command

    span = lab.period_of(clients.load(name), period)
    for line in threshold_command.lines(name, file, period=span, save=save):
        click.echo(line)


@main.command()
@click.argument("name", metavar="[CLIENT]", required=False)
def config(name: str | None) -> None:
    """Print every effective setting of CLIENT as YAML; without one, every default."""
    from ruamel.yaml import YAML

    if name is None:
        fields = clients.Settings.model_fields
        settings = {key: _default(field) for key, field in fields.items()}
    else:
        settings = clients.load(name).settings.model_dump(mode="json")
    writer = YAML()
    writer.default_flow_style = False
    writer.allow_unicode = True
    writer.dump(settings, sys.stdout)


def _default(field: object) -> object:
    if field.is_required():
        return "(required)"
    value = field.get_default(call_default_factory=True)
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value


def _near(path: Path) -> str:
    """A path from where the user stands, if it lies below."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
