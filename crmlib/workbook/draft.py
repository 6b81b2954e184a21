"""A first `client.yml` for any set of exports: each guess with how sure it is and why, TODO for the rest."""

import itertools
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from crmlib import client as clients
from crmlib import tables
from crmlib.collection import conventions, proposal, relating, samples
from crmlib.collection.conventions import TODO, Setting, scalar
from crmlib.collection.proposed import ASPECTS, NEEDS, Choice, Proposal, Proposed
from crmlib.collection.relating import spelt
from crmlib.collection.samples import Export
from crmlib.errors import Refused

MOST_NAMED = 12  # headers in a comment


@dataclass(frozen=True)
class Draft:
    """A `client.yml` to be, and the proposal behind it."""

    text: str
    found: Proposal

    @property
    def open_questions(self) -> int:
        """Lines that hold a TODO, the first one's own aside."""
        return sum(TODO in line for line in self.text.splitlines()[1:])


def draft(
    name: str, files: Iterable[Path], *, copied: bool = False, progress: Callable[[Path], None] | None = None
) -> Draft:
    """What `client.yml` would say of these files; with `copied`, of their copies in raw/."""
    exports = samples.exports(files, progress or (lambda path: None))
    found = proposal.proposal(exports)
    return Draft("\n".join(_lines(name, found, copied)) + "\n", found)


def write(
    name: str, files: Iterable[Path], *, copy: bool, progress: Callable[[Path], None] | None = None
) -> tuple[Path, Draft]:
    """`data/<name>/client.yml` for these files; an existing one is never touched."""
    folder = clients.home() / "data" / clients.checked_name(name)
    config = folder / "client.yml"
    if config.exists():
        raise Refused(f"{clients.shown(config)} exists already and is left as it is. Change it by hand.")
    made = draft(name, files, copied=copy, progress=progress)
    folder.mkdir(parents=True, exist_ok=True)
    if copy:
        _copied(
            sorted({path for look in made.found.looks.values() for path in look.export.paths}), folder / "raw"
        )
    try:
        # Exclusive: two commands at once cannot overwrite each other's file.
        with open(os.open(config, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "w", encoding="utf-8") as out:
            out.write(made.text)
    except FileExistsError:
        raise Refused(f"{clients.shown(config)} exists already and is left as it is.") from None
    return config, made


def _copied(files: list[Path], raw: Path) -> None:
    names = [file.name.casefold() for file in files]
    for file in files:
        if names.count(file.name.casefold()) > 1:
            raise Refused(
                f"Two files are called {file.name}; nothing was copied. Rename one, or leave out --copy."
            )
        if (raw / file.name).exists():
            raise Refused(f"{clients.shown(raw / file.name)} exists already; nothing was copied.")
    raw.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copyfile(file, raw / file.name)


def _lines(name: str, found: Proposal, copied: bool) -> list[str]:
    """The file, line by line."""
    settings = {"currency": conventions.currency(found), "decimals": conventions.decimals(found)}
    settings |= {"timezone": conventions.timezone(found), "delivered_on": conventions.delivered_on(found)}
    lines = [
        f"# Written by `crm new {name}`: each guess with how sure it is. Answer each TODO, then: crm check {name}",
        f"name: {scalar(name)}",
        *(_set(key, setting) for key, setting in settings.items() if setting),
        "languages: [en]",
    ]
    spare = {export.name for export in found.spare}
    listed = [look.export for name, look in found.looks.items() if name in found.joined | spare]
    parts = [(export, part) for export in listed for part in (export.parts or (export,))]
    if parts:
        lines.append("sources:")
        lines += [_source(part, copied, export.name in spare) for export, part in parts]
    lines.append("tables:")
    for made in found.tables.values():
        lines += _table(found, made, copied)
    if not {"transactions", "tiers", "snapshot"} & set(found.tables):
        lines += [
            "  transactions:",
            "    files: [TODO]  # order lines are needed",
            "    columns: {ordered_at: TODO}",
        ]
    return lines


def _set(key: str, setting: Setting, indent: str = "") -> str:
    return f"{indent}{key}: {setting.value}  # {setting.comment}"


def _source(export: Export, copied: bool, spare: bool) -> str:
    more = f", sheet: {scalar(export.sheet)}" if export.sheet else ""
    more += f", header_row: {export.titles + 1}" if export.titles else ""
    what = "  # no table of ours; its totals are told" if spare else ""
    return f"  {scalar(export.name)}: {{files: [{_files(export, copied)}]{more}}}{what}"


def _files(export: Export, copied: bool) -> str:
    """The files as `client.yml` names them: by a pattern where it finds them and nothing else."""
    paths = sorted(export.paths)
    if len(paths) > 1:
        names = [path.name for path in paths]
        first = names[0][: _alike(names)].rstrip("0123456789")  # 2024-0 would leave out October
        last = names[0][len(names[0]) - _alike([name[len(first) :][::-1] for name in names]) :]
        pattern = f"{first}*{last}"
        folder = paths[0].parent
        if not set("[]?*") & set(first + last) and sorted(folder.glob(pattern)) == paths:
            return scalar(pattern if copied else str(folder / pattern))
    return ", ".join(scalar(path.name if copied else str(path)) for path in paths)


def _alike(names: list[str]) -> int:
    """How many characters all names begin with."""
    return sum(1 for _ in itertools.takewhile(lambda signs: len(set(signs)) == 1, zip(*names, strict=False)))


def _table(found: Proposal, made: Proposed, copied: bool) -> list[str]:
    """One table's part."""
    lines = [f"  {made.table}:", *_rows(made, copied), "    columns:"]
    asked = conventions.answers(found, made) if made.table == "surveys" else {}
    for column, choice in made.choices.items():
        if column not in asked and column != "returned":
            lines.append(_column(made, column, choice))
    lines += [f"      {column}: TODO  # {_meaning(made.table, column)}" for column in _missing(made)]
    lines += [f"    {line}" for line in _options(found, made, asked)]
    return [*lines, *_unused(made)]


def _rows(made: Proposed, copied: bool) -> list[str]:
    """Where a table's rows are from: its files, or a query over several."""
    if made.joins or made.returns or made.base.parts:
        asked = query(made)
        if all(line.isprintable() for line in asked):
            return ["    sql: |", *(f"      {line}" for line in asked)]
        return [f"    sql: {scalar(' '.join(asked))}"]
    sheet = [f"    sheet: {scalar(made.base.sheet)}"] if made.base.sheet else []
    return [f"    files: [{_files(made.base, copied)}]", *sheet]


def _column(made: Proposed, column: str, choice: Choice) -> str:
    if made.open(column):
        names = " or ".join(map(scalar, (choice.header, *choice.others)))
        return f"      {column}: TODO  # {names}: as good as each other"
    also = f"; perhaps {', '.join(map(scalar, choice.others[:3]))}" if choice.others else ""
    return (
        f"      {column}: {scalar(choice.header)}  # {choice.guess.confidence} %: {choice.guess.reason}{also}"
    )


def _missing(made: Proposed) -> list[str]:
    """Columns without which the table says nothing."""
    have = set(made.choices)
    if any(need <= have for need in NEEDS[made.table]):
        return []
    return sorted(min((need - have for need in NEEDS[made.table]), key=len))


def _options(found: Proposal, made: Proposed, asked: dict[str, tuple[str, Setting]]) -> list[str]:
    """How the table's files write things, beyond its columns."""
    told = list(conventions.dates(found, made))
    told.append(("decimal", conventions.decimal(found, made)))
    if made.table == "transactions":
        told.append(("returns", conventions.returns(found, made)))
        told.append(("exact_duplicates", conventions.repeated(made)))
        told.append(("zero_price", conventions.free(found, made)))
    if made.table == "snapshot" and "satisfaction" in made.choices:
        told.append(
            ("satisfaction_scale", conventions.scale(found.profile(made.choices["satisfaction"]), "overall"))
        )
    lines = []
    for key, setting in told:
        if setting is not None:
            # Not even a TODO where the table can do without: what is negative is set aside and told.
            lines.append(
                f"# {_set(key, setting)}" if (key, setting.value) == ("returns", TODO) else _set(key, setting)
            )
    if asked:
        lines.append("answers:")
        for aspect, (header, scale) in asked.items():
            lines.append(f"  {aspect}: {{column: {scalar(header)}, scale: {scale.value}}}  # {scale.comment}")
    return lines


def _unused(made: Proposed) -> list[str]:
    """The headers that no column was found for, in one comment."""
    used = {choice.guess.header for choice in made.choices.values() if choice.export == made.base.name}
    used |= {link.column for link in made.joins if link.child == made.base.name}
    unused = [header for header in made.base.headers if header not in used]
    lines = []
    if made.table == "transactions" and "customer_id" not in made.choices:
        lines.append("      # customer_id:  # TODO: without it there are no figures of customers")
    if unused and not (made.table == "feedback" and len(made.joins)):
        more = f" and {len(unused) - MOST_NAMED} more" if len(unused) > MOST_NAMED else ""
        lines.append(f"    # Not used: {', '.join(map(scalar, unused[:MOST_NAMED]))}{more}")
    return lines


def _meaning(table: str, column: str) -> str:
    found = tables.ALL[table].column(column) or tables.CUSTOMERS.column(column)
    return found.meaning if found else "a question's column" if column in ASPECTS else column


def query(made: Proposed) -> list[str]:
    """The SELECT that attaches what keys of other files say to the rows of a base; it never doubles one."""
    base = spelt(made.base.name)
    added = [
        f"{spelt(choice.export)}.{spelt(choice.guess.header)}"
        + (f" AS {spelt(choice.header)}" if choice.header != choice.guess.header else "")
        for choice in made.choices.values()
        if choice.export != made.base.name
    ]
    joins = [_join(link) for link in made.joins]
    if made.returns:
        listed, number, mark, ours = made.returns
        one, said, key = spelt(listed.name), spelt(mark or "returned"), spelt(number)
        value = f"max({said})" if mark else "'yes'"
        added.append(f"{one}.{said}")
        joins.append(
            f"LEFT JOIN (SELECT {key}, {value} AS {said} FROM {one} GROUP BY {key}) AS {one}"
            f" ON {base}.{spelt(ours)} = {one}.{key}"
        )
    parts = " UNION ALL BY NAME ".join(f"SELECT * FROM {spelt(part.name)}" for part in made.base.parts)
    rows = f"({parts}) AS {base}" if parts else base
    return [f"SELECT {', '.join([f'{base}.*', *added])}", f"FROM {rows}", *joins]


def _join(link: relating.Link) -> str:
    """A key's row; where a part alone was read, the first row of each key, that none may come twice."""
    parent, key = spelt(link.parent), spelt(link.key)
    rows = parent if link.sure else f"(SELECT DISTINCT ON ({key}) * FROM {parent} ORDER BY ALL) AS {parent}"
    return f"LEFT JOIN {rows} ON {spelt(link.child)}.{spelt(link.column)} = {parent}.{key}"


def summary(made: Draft) -> list[str]:
    """What was recognised, a line a table, for the terminal."""
    lines = []
    for table in made.found.tables.values():
        sure = [choice.guess.confidence for choice in table.choices.values()]
        with_ = (
            f", joined to {', '.join(dict.fromkeys(link.parent for link in table.joins))}"
            if table.joins
            else ""
        )
        places = ", ".join(path.name for path in table.base.paths[:3])
        more = f" and {len(table.base.paths) - 3} more" if len(table.base.paths) > 3 else ""
        span = f"{min(sure)}–{max(sure)} % sure" if sure else "nothing told"
        lines.append(f"{table.table}: {places}{more}{with_}; {len(sure)} columns, {span}")
    lines += [f"no table: {export.place}" for export in itertools.islice(made.found.spare, 20)]
    return lines
