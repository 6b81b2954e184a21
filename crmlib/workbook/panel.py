"""The mapping as a panel in notebook 01: look at the files, mend a guess, *Save* the same `client.yml`.

Nothing is read before somebody presses a button, so that a batch which runs the cell loses no time.
Saving keeps the comments of the file, replaces it in one step and keeps the one before as
`client.yml.bak`; a file that was good is never replaced by one that is not.
"""

import re
from collections.abc import Callable
from pathlib import Path

import ipywidgets as widgets
from ruamel.yaml.comments import CommentedMap

from crmlib import client as clients
from crmlib import language as languages
from crmlib import tables
from crmlib.collection import sources
from crmlib.collection.conventions import TODO
from crmlib.collection.headers import names_people
from crmlib.collection.proposed import Proposed
from crmlib.collection.recognition import Profile
from crmlib.collection.vocabulary import ALIASES
from crmlib.errors import ConfigError, Refused
from crmlib.language import Language
from crmlib.workbook import draft
from crmlib.workbook.client_file import ClientFile, parsed, written

NONE = "(not used)"
SETTINGS = ("name", "currency", "timezone", "delivered_on")
MOST_WORDS = 25  # characters beyond which a cell is somebody's words


def mapping(name: str) -> widgets.Widget:
    """The panel for a client of this name, whether it has a `client.yml` yet or not.

    Without a front end the panel is an object that shows nothing and does nothing.
    """
    return Mapping(name).box


class Mapping:
    """The panel's parts, and what its buttons do."""

    def __init__(self, name: str) -> None:
        self.name = clients.checked_name(name)
        self.folder = clients.home() / "data" / self.name
        self.file = ClientFile(self.folder / "client.yml")
        self.config = self.file.path
        self.language = _language(self.name, self.config)
        text = self.language.text
        self.rows: dict[tuple[str, str], widgets.Dropdown] = {}
        self.settings = {key: widgets.Text(description=key) for key in SETTINGS}
        self.files = widgets.SelectMultiple(description="raw/", options=self._raw())
        self.upload = widgets.FileUpload(multiple=True, description=text("Add files"))
        self.said = widgets.Textarea(disabled=True, layout={"width": "100%"})
        self.grid = widgets.VBox()
        buttons = []
        acts = ((text("Look at the files"), self.look), (text("Save"), self.save), (text("Undo"), self.undo))
        for label, act in acts:
            buttons.append(widgets.Button(description=label))
            buttons[-1].on_click(self._told(act))
        self.upload.observe(self._told(self.add), "value")
        self.box = widgets.VBox(
            [widgets.HBox([self.files, self.upload]), self.grid, widgets.HBox(buttons), self.said]
        )
        self._document = CommentedMap()

    def _told(self, act: Callable[[], str]) -> Callable[[object], None]:
        def told(_event: object) -> None:
            try:
                self.said.value = act()
            except Refused as problem:
                self.said.value = str(problem)
            except OSError as problem:
                self.said.value = f"{problem.filename or 'a file'}: {problem.strerror}."

        return told

    def _raw(self) -> list[str]:
        raw = self.folder / "raw"
        return sorted(p.name for p in raw.glob("*") if p.is_file() and not p.name.startswith((".", "~$")))

    def add(self) -> str:
        """Uploaded files into raw/; one that is there stays as it is."""
        raw, added = self.folder / "raw", []
        for file in self.upload.value:
            name = Path(str(file["name"]).replace("\\", "/")).name
            if not name or name.startswith("."):
                raise Refused(f"{name or 'A file'} has no usable name.")
            if (raw / name).exists():
                raise Refused(f"{clients.shown(raw / name)} exists already and is left as it is.")
            tables.replace(raw / name, bytes(file["content"]))
            added.append(name)
        self.files.options = self._raw()
        self.files.value = tuple(n for n in self.files.options if n in {*self.files.value, *added})
        return self.language.text("Added: {files:names}.", files=added)

    def look(self) -> str:
        """Guess what the chosen files are, beside what `client.yml` says already."""
        chosen = self.files.value or self.files.options
        if not chosen:
            raise Refused(f"{clients.shown(self.folder / 'raw')} holds no file yet. Add one.")
        made = draft.draft(self.name, [self.folder / "raw" / name for name in chosen], copied=True)
        self._document = self.file.read() if self.file.seen() else parsed(made.text)
        new = parsed(made.text)
        for table, part in new["tables"].items():
            if table not in self._document["tables"]:
                self._document["tables"][table] = part
        for source, part in (new.get("sources") or {}).items():
            self._document.setdefault("sources", CommentedMap()).setdefault(source, part)
        for key, box in self.settings.items():
            box.value = str(self._document.get(key) or "")
        self._show(made)
        found = {"columns": len(self.rows), "open": _open(self._document)}
        return self.language.text(
            "{columns:count} columns; {open:count} TODO. Mend what is wrong, then Save.", **found
        )

    def _show(self, made: draft.Draft) -> None:
        self.rows, lines = {}, [*self.settings.values()]
        for name, part in self._document["tables"].items():
            guessed = made.found.tables.get(name)
            lines.append(widgets.HTML(f"<b>{name}</b>"))
            mapped = part.setdefault("columns", CommentedMap())
            headers = _headers(guessed, mapped)
            for wanted in dict.fromkeys([*ALIASES[name], *mapped]):
                column = tables.ALL[name].column(wanted) or tables.CUSTOMERS.column(wanted)
                if column and wanted not in ("returned", *(part.get("answers") or ())):
                    lines.append(self._row(made, (name, guessed), column, headers))
        self.grid.children = lines

    def _row(
        self, made: draft.Draft, table: tuple[str, Proposed | None], column: tables.Column, headers: list[str]
    ) -> widgets.Widget:
        """One column of ours: the headers it may be, how sure the guess is, and masked samples."""
        name, guessed = table
        choice = guessed.choices.get(column.name) if guessed else None
        value = self._document["tables"][name]["columns"].get(column.name) or NONE
        options = [
            (self.language.text("(not used)"), NONE),
            *((header, header) for header in (TODO, *headers)),
        ]
        box = widgets.Dropdown(description=column.name, options=options, value=value)
        sure = f"{choice.guess.confidence} %: {choice.guess.reason}" if choice else ""
        sample = widgets.Label()

        def shown(_change: object = None) -> None:
            mine = choice if choice and choice.header == box.value else None
            about = made.found.profile(mine) if mine else _own(made, guessed, box.value)
            hidden = column.personal or names_people(box.value)
            sample.value = " · ".join(samples(about, hidden=hidden)) if about else ""

        box.observe(shown, "value")
        shown()
        self.rows[name, column.name] = box
        return widgets.HBox([box, widgets.Label(sure), sample])

    def save(self) -> str:
        """The panel's state as `client.yml`."""
        if not self._document:
            raise Refused("Look at the files first.")
        self.file.untouched("Look again.")
        for key, box in self.settings.items():
            _put(self._document, key, box.value.strip())
        for (table, column), box in self.rows.items():
            _put(self._document["tables"][table]["columns"], column, "" if box.value == NONE else box.value)
        text = written(self._document)
        fault = self._fault(text)
        if fault and (self.file.mark and not self._fault(self.config.read_text("utf-8"))):
            raise ConfigError(f"Not saved. {fault}")
        self.file.put(text)
        asked = _open(self._document)
        told = {"file": str(self.file), "asked": asked, "fault": fault}
        return self.language.text(
            "{file} saved; {asked:count} TODO left. {fault}" if fault else "{file} saved; it is complete.",
            **told,
        )

    def undo(self) -> str:
        """The file as it was before the last *Save*; a second time brings that back."""
        self.file.undo()
        self._document = CommentedMap()
        return self.language.text("{file} is as it was before. Look at the files again.", file=str(self.file))

    def _fault(self, text: str) -> str:
        """What is wrong with this `client.yml`; empty where nothing is."""
        fault = self.file.fault(text)
        return fault or next(filter(None, (_lack(*part) for part in parsed(text)["tables"].items())), "")


def _language(name: str, config: Path) -> Language:
    """The first language of a client; English as long as its file cannot tell."""
    try:
        return languages.of(clients.load(name)) if config.exists() else Language("en", "EUR")
    except Refused:
        return Language("en", "EUR")


def samples(about: Profile, *, hidden: bool) -> list[str]:
    """Three cells of a column; of what names people, or is in somebody's words, the shape alone.

    Returns
    -------
    Texts of at most 40 characters; letters and digits are `•` where hidden.
    """
    hidden = hidden or about.contacts > 0.2 or about.length > MOST_WORDS
    cells = sorted(about.cells)[:3]
    return [(re.sub(r"\w", "•", cell) if hidden else cell)[:40] for cell in cells]


def _lack(table: str, part: CommentedMap) -> str:
    """What a table cannot do without and has not; empty where nothing is."""
    have = {column for column, header in (part.get("columns") or {}).items() if header != TODO}
    needs = sources.NEEDS.get(table, ())
    if not needs or any(need <= have for need in needs):
        return ""
    return f"{table} needs {' or '.join(' and '.join(sorted(need)) for need in needs)}."


def _own(made: draft.Draft, guessed: Proposed | None, header: str) -> Profile | None:
    return made.found.looks[guessed.base.name].profiles.get(header) if guessed else None


def _headers(guessed: Proposed | None, mapped: CommentedMap) -> list[str]:
    """The headers a column may be given: those of the rows, and those the file names already."""
    own = [*guessed.base.headers, *(choice.header for choice in guessed.choices.values())] if guessed else []
    return [h for h in dict.fromkeys([*own, *map(str, mapped.values())]) if h not in (NONE, TODO)]


def _put(part: CommentedMap, key: str, value: str) -> None:
    """A value in its place; one that was changed is no guess any more."""
    if str(part.get(key) or "") == value:
        return
    if not value:
        part.pop(key, None)
        return
    part[key] = value
    part.ca.items.pop(key, None)
    part.yaml_add_eol_comment("chosen by hand", key, column=0)


def _open(document: CommentedMap) -> int:
    """Values still to be told."""
    if isinstance(document, dict):
        return sum(_open(value) for value in document.values())
    if isinstance(document, list):
        return sum(map(_open, document))
    return int(document == TODO)
