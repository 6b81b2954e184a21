"""A client's `client.yml` under the hands of a widget or a command: comments and order kept, nothing lost.

It is replaced in one step, the one before stays as `client.yml.bak`, and a file that somebody else changed
meanwhile is left as it is.
"""

import hashlib
import io
import os
import tempfile
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from crmlib import client as clients
from crmlib import tables
from crmlib.errors import ConfigError, Refused


class ClientFile:
    """The file, and what it was when it was last read or written (`mark`; empty where there was none)."""

    def __init__(self, path: Path) -> None:
        self.path, self.mark = path, ""

    def __str__(self) -> str:
        return clients.shown(self.path)

    def read(self) -> CommentedMap:
        """What stands in it; from here on a change by somebody else is noticed."""
        self.mark = self._fingerprint()
        return parsed(self.path.read_text("utf-8"))

    def seen(self) -> bool:
        """Whether the file is there; from here on a change by somebody else is noticed."""
        self.mark = self._fingerprint()
        return bool(self.mark)

    def untouched(self, then: str) -> None:
        """Nothing, or a refusal where somebody else changed the file meanwhile; `then` says what to do."""
        if self._fingerprint() != self.mark:
            raise Refused(f"{self} was changed meanwhile and is left as it is. {then}")

    def put(self, text: str) -> None:
        """The file replaced in one step, the one before kept."""
        if self.mark:
            tables.replace(self.before, self.path.read_bytes())
        tables.replace(self.path, text.encode())
        self.mark = self._fingerprint()

    def undo(self) -> None:
        """The file as it was before it was last put; a second time brings that back."""
        if not self.before.exists():
            raise Refused("There is nothing to undo.")
        now = self.path.read_bytes() if self.path.exists() else None
        tables.replace(self.path, self.before.read_bytes())
        if now is not None:
            tables.replace(self.before, now)
        self.mark = ""

    def fault(self, text: str) -> str:
        """What the settings say is wrong with such a file; empty where nothing is."""
        handle, path = tempfile.mkstemp(suffix=".yml")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as out:
                out.write(text)
            clients.settings(Path(path))
        except ConfigError as problem:
            return str(problem).replace(path, str(self))
        finally:
            os.unlink(path)
        return ""

    @property
    def before(self) -> Path:
        """Where the file of before lies."""
        return self.path.with_name(f"{self.path.name}.bak")

    def _fingerprint(self) -> str:
        return hashlib.sha256(self.path.read_bytes()).hexdigest() if self.path.exists() else ""


def parsed(text: str) -> CommentedMap:
    """The content of a `client.yml` with its comments."""
    try:
        return _yaml().load(text)
    except YAMLError as problem:
        raise ConfigError(f"client.yml is not valid YAML: {problem}.") from None


def written(document: CommentedMap) -> str:
    """The text of a content, its comments in their places."""
    out = io.StringIO()
    _yaml().dump(document, out)
    return out.getvalue()


def pair(values: dict[str, Any]) -> CommentedMap:
    """Values on one line: `{high: 3, medium: 2}`."""
    found = CommentedMap(values)
    found.fa.set_flow_style()
    return found


def placed(part: CommentedMap, key: str, value: Any) -> None:
    """A new key where no comment speaks of what follows it.

    >>> part = parsed("a: 1  # one\\n\\n# of b\\nb: 2\\n\\n# of what comes next\\n")
    >>> placed(part, "new", 3)
    >>> print(written(part), end="")
    new: 3
    a: 1  # one
    <BLANKLINE>
    # of b
    b: 2
    <BLANKLINE>
    # of what comes next
    """
    headed = bool(part.ca.comment and len(part.ca.comment) > 1 and part.ca.comment[1])
    free = [place for place, name in enumerate(part, 1) if not _tail(part, name)]
    part.insert(free[-1] if free else 0 if not headed else len(part), key, value)


def _tail(part: Any, key: Any) -> bool:
    """Whether anything follows a value beside its own comment: an empty line, a comment of its own lines."""
    tokens = part.ca.items.get(key) or ()
    if any(token is not None and str(getattr(token, "value", "")).count("\n") > 1 for token in tokens):
        return True
    value = part[key]
    if not hasattr(value, "ca") or not len(value):
        return False
    return _tail(value, next(reversed(value)) if isinstance(value, dict) else len(value) - 1)


def _yaml() -> YAML:
    yaml = YAML(typ="rt")
    yaml.preserve_quotes, yaml.width, yaml.allow_unicode = True, 4096, True
    return yaml
