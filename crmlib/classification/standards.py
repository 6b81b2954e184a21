"""The standards that were in force: each run writes its own down, so that the next knows what has changed."""

import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ValidationError

from crmlib import tables
from crmlib.client import Client
from crmlib.period import Period
from crmlib.rules import Classes, Cuts, Rule, Shares, earlier

FILE = "rules.json"
BY_SHARE = "by share"


@dataclass(frozen=True)
class Standards:
    """The rules of a period, and who says so: `client`, `run`, or `unknown` (then they are today's)."""

    rules: Classes
    source: str


def written(folder: Path, rules: Classes) -> Path:
    """The rules of a run beside its classes, as JSON."""
    text = json.dumps(rules.model_dump(mode="json"), ensure_ascii=False, sort_keys=True, indent=1)
    return tables.replace(folder / FILE, f"{text}\n".encode())


def in_force(client: Client, period: Period) -> Standards:
    """The standards of an earlier period: as `classes_before` says, as its own run wrote, else today's.

    A published report counts before what a run left unpublished.
    """
    if client.classes_before is not None:
        return Standards(earlier(client.classes_before, client.classes), "client")
    for folder in (client.report(period), client.built(period)):
        try:
            said = json.loads((folder / FILE).read_text("utf-8"))
            return Standards(Classes.model_validate(said), "run")
        except (OSError, ValueError, ValidationError):
            continue  # not there, or of a version that knew other keys: then it tells nothing
    return Standards(client.classes, "unknown")


def settings(rules: Rule, key: str = "classes") -> dict[str, object]:
    """Every setting by its key in `client.yml`; a pair of cuts or shares is one setting.

    >>> settings(Classes())["classes.tier.cuts"]
    Cuts(high=2.5, medium=1.5)
    """
    found: dict[str, object] = {}
    for name in type(rules).model_fields:
        value = getattr(rules, name)
        inner = isinstance(value, BaseModel) and not isinstance(value, Cuts | Shares)
        found |= settings(value, f"{key}.{name}") if inner else {f"{key}.{name}": value}
    return found


def changed(before: Classes, rules: Classes) -> list[str]:
    """Keys of the settings in which two standards differ, in the order of `client.yml`."""
    then, now = settings(before), settings(rules)
    return [key for key in now if then[key] != now[key]]


def exchanged(before: Classes, rules: Classes, keys: tuple[str, ...]) -> Classes | None:
    """The earlier standards with these settings of the later; None where together they contradict."""
    values, now = before.model_dump(), settings(rules)
    for key in keys:
        *path, last = key.split(".")[1:]
        place = values
        for name in path:
            place = place[name]
        value = now[key]
        place[last] = value.model_dump() if isinstance(value, BaseModel) else value
    try:
        return Classes.model_validate(values)
    except ValidationError:
        return None


def shown(value: object) -> str:
    """A setting as a reader meets it.

    >>> shown(Cuts(high=2.5, medium=1)), shown(None), shown(90)
    ('2.5 / 1', 'by share', '90')
    """
    if value is None:
        return BY_SHARE
    if isinstance(value, BaseModel):
        return " / ".join(f"{part:g}" for part in value.model_dump().values())
    return f"{value:g}" if isinstance(value, int | float) else str(value)
