"""The rules that stand in `client.yml`, and other ones written in their place: by the laboratory, by a command.

Only what differs is written, where the batch reads it; comments, order and everything else stay.
"""

from typing import Any

from ruamel.yaml.comments import CommentedMap

from crmlib import client as clients
from crmlib.classification.thresholds import differing, whole_pairs
from crmlib.errors import ConfigError
from crmlib.rules import Classes
from crmlib.workbook.client_file import ClientFile, pair, placed, written


class RuleFile:
    """A client's `client.yml` as far as it says how classes are made."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._read(ClientFile(clients.home() / "data" / clients.checked_name(name) / "client.yml"))

    def __str__(self) -> str:
        return str(self._file)

    def _read(self, file: ClientFile) -> None:
        self._file = file
        file.seen()
        self.client = clients.load(self.name)
        self.rules: Classes = self.client.classes

    def save(self, rules: Classes) -> list[str]:
        """The rules written; the keys that changed, none where they are those that stand there.

        Raises
        ------
        Refused : the file was changed since it was read
        ConfigError : with these rules it would contradict itself; it is left as it is
        """
        self._file.untouched("Look at it, then begin again.")
        changed = list(differing(self.rules, rules))
        if not changed:
            return []
        document = self._file.read()
        for key, value in whole_pairs(self.rules, rules).items():
            _set(document, key.split("."), value)
        text = written(document)
        if fault := self._file.fault(text):
            raise ConfigError(f"Not saved. {fault}")
        self._file.put(text)
        self._read(self._file)
        return changed

    def undo(self) -> None:
        """The file as it was before the last save; a second time brings that back.

        Raises
        ------
        Refused : nothing to undo, or the file was changed since it was read
        ConfigError : the file of before is not one that a run would read; it is left where it lies
        """
        self._file.untouched("Nothing is undone.")
        there = self._file.before.exists()
        fault = self._file.fault(self._file.before.read_text("utf-8")) if there else ""
        if fault:
            raise ConfigError(f"Not undone. {fault}")
        self._file.undo()
        self._read(self._file)


def _set(part: CommentedMap, path: list[str], value: Any) -> None:
    """A value at its place, the groups above it made where they are not there yet.

    A pair of amounts that is none is taken out, so that its classes go by share again.
    """
    *groups, last = path
    for name in groups:
        if not isinstance(part.get(name), dict):
            if name in part:
                part[name] = CommentedMap()
            else:
                placed(part, name, CommentedMap())
        part = part[name]
    if value is None:
        part.pop(last, None)
    elif isinstance(value, dict) and isinstance(part.get(last), dict):
        for end, amount in value.items():
            _set(part[last], [end], amount)
    else:
        value = (
            pair({end: _plain(n) for end, n in value.items()}) if isinstance(value, dict) else _plain(value)
        )
        if last in part:
            part[last] = value
        else:
            placed(part, last, value)


def _plain(value: float) -> float | int:
    """A number as somebody would write it: 3, not 3.0; no trace of how a slider counts.

    >>> _plain(3.0), _plain(0.30000000000000004)
    (3, 0.3)
    """
    number = round(value, 9)
    return int(number) if number == int(number) else number
