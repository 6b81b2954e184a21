"""`client.yml` → a checked `Client`: everything that differs between clients, and nothing else."""

import datetime as dt
import difflib
import os
import re
import zoneinfo
from pathlib import Path
from typing import Annotated, Any, Literal

from babel import Locale, UnknownLocaleError
from pydantic import AfterValidator, BaseModel, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from crmlib.bonds import Relations
from crmlib.errors import ConfigError
from crmlib.goals import Goal, Undertaking, checked_tree
from crmlib.language import catalogues
from crmlib.mapping import Sources, Tables
from crmlib.outlook import Outlook
from crmlib.period import Period
from crmlib.pictures import Charts
from crmlib.preferences import Preferences
from crmlib.retention import ChurnRule
from crmlib.rules import Classes, Quality, Rule, SamePerson, earlier

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)
WINDOWS_DEVICES = {"con", "prn", "aux", "nul"} | {f"{p}{n}" for p in ("com", "lpt") for n in range(10)}


def _zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("not a known time zone; write one like Asia/Shanghai") from None
    return name


def _language(code: str) -> str:
    code = code.replace("_", "-")
    try:
        locale = Locale.parse(code, sep="-")
    except (UnknownLocaleError, ValueError):
        raise ValueError("not a known language; write a code like en or zh") from None
    if locale.language not in catalogues.known():
        raise ValueError(f"no catalogue of this language is here; there are {', '.join(catalogues.known())}")
    return code


def _once(codes: list[str]) -> list[str]:
    """Each language once: two reports would take the same place."""
    twice = [code for code in codes if codes.count(code) > 1]
    if twice:
        raise ValueError(f"{twice[0]} stands here more than once")
    return codes


class Privacy(Rule):
    """The key of the masks; only the demo's is public, every other comes from outside the file."""

    public_key: str | None = None


class Settings(Rule):
    """The whole of `client.yml`."""

    name: str = Field(min_length=1)
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    decimals: int = Field(2, ge=0, le=6)  # digits after the point that money is kept to
    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"
    languages: Annotated[list[Annotated[str, AfterValidator(_language)]], AfterValidator(_once)] = Field(
        ["en"], min_length=1
    )
    unit: Literal["year", "quarter", "month"] = "quarter"
    delivered_on: dt.date | None = None
    abnormal: Literal["flag", "quarantine"] = "flag"
    sources: Sources = Field(
        default_factory=dict
    )  # files by a name, for `sql:` and for their totals as delivered
    tables: Tables
    corrections: list[str] = Field(default_factory=list)  # quarantine files that came back corrected
    same_person: SamePerson = SamePerson()
    quality: Quality = Quality()
    classes: Classes = Classes()
    classes_before: Classes | None = None  # of the previous period; what is left out is as in classes
    goals: Annotated[dict[str, Goal], AfterValidator(checked_tree)] = Field(default_factory=dict)
    undertakings: dict[str, Undertaking] = Field(default_factory=dict)  # what was done, and when
    value: Outlook = Outlook()
    charts: Charts = Charts()
    relations: Relations = Relations()
    churn: ChurnRule = ChurnRule()
    preferences: Preferences = Preferences()
    privacy: Privacy = Privacy()

    @model_validator(mode="after")
    def _both_in_order(self) -> "Settings":
        try:
            earlier(self.classes_before, self.classes)
        except ValidationError as problem:
            said = problem.errors(include_url=False)[0]
            key = ".".join(str(part) for part in said["loc"])
            message = said["msg"].removeprefix("Value error, ")
            raise ValueError(f"classes_before with what classes adds: {key}: {message}") from None
        return self


class Client(BaseModel):
    """A client: its checked settings, and where its files stand."""

    model_config = {"frozen": True}
    id: str
    home: Path
    settings: Settings

    def __getattr__(self, name: str) -> Any:
        # A reader writes client.currency, not client.settings.currency.
        settings = object.__getattribute__(self, "__dict__").get("settings")
        if settings is not None and name in Settings.model_fields:
            return getattr(settings, name)
        return super().__getattr__(name)

    @property
    def folder(self) -> Path:
        """The client's own folder."""
        return self.home / "data" / self.id

    @property
    def config(self) -> Path:
        """The client's `client.yml`."""
        return self.folder / "client.yml"

    @property
    def raw(self) -> Path:
        """Where delivered files lie; never written by the workbook."""
        return self.folder / "raw"

    @property
    def delivery(self) -> Path:
        """What steps 01 and 02 write, for the whole delivery."""
        return self.folder / "built" / "delivery"

    def built(self, period: Period) -> Path:
        """What steps 03 onward write, for one period."""
        return self.folder / "built" / period.name

    def report(self, period: Period) -> Path:
        """Where a run of this period is published."""
        return self.home / "reports" / self.id / period.name


def home() -> Path:
    """The folder that holds `data/` and `reports/`: `CRM_HOME`, else the project's own."""
    chosen = os.environ.get("CRM_HOME")
    return Path(chosen).resolve() if chosen else Path(__file__).resolve().parent.parent


def listed() -> list[str]:
    """Every client with a `client.yml`, by name."""
    return sorted(file.parent.name for file in (home() / "data").glob("*/client.yml"))


def checked_name(name: str) -> str:
    """The name, if a folder may be called so on every system; else `ConfigError`.

    >>> checked_name("demo")
    'demo'
    """
    name = str(name) if isinstance(name, int) and not isinstance(name, bool) else name
    if not isinstance(name, str) or not NAME.fullmatch(name) or name in WINDOWS_DEVICES:
        raise ConfigError(
            f"Client {name!r} is not a usable name. Use small letters, digits and hyphens, as in acme-north."
        )
    return name


def load(name: str) -> Client:
    """The client of this name; `ConfigError` says what is wrong in which line."""
    path = home() / "data" / checked_name(name) / "client.yml"
    if not path.is_file():
        there = listed()
        near = difflib.get_close_matches(name, there, 1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise ConfigError(
            f"No client {name!r}: {shown(path)} does not exist. "
            f"Clients: {', '.join(there) or 'none yet'}.{hint} "
            f"Make one with: crm new {name} FILE"
        )
    return Client(id=name, home=home(), settings=settings(path))


def shown(path: Path) -> str:
    """A path as a reader knows it: from the project's root where it lies inside."""
    try:
        return path.relative_to(home()).as_posix()
    except ValueError:
        return str(path)


def settings(path: Path) -> Settings:
    """The checked content of a `client.yml`."""
    where = shown(path)
    try:
        text = path.read_text("utf-8")
        content = YAML(typ="rt").load(text)
    except UnicodeDecodeError as problem:
        raise ConfigError(f"{where} is not UTF-8 text (byte {problem.start}). Save it as UTF-8.") from None
    except MarkedYAMLError as problem:
        line = problem.problem_mark.line + 1 if problem.problem_mark else "?"
        raise ConfigError(f"{where}, line {line}: not valid YAML: {problem.problem}.") from None
    except YAMLError as problem:
        raise ConfigError(f"{where}: not valid YAML: {problem}.") from None
    if not isinstance(content, dict):
        raise ConfigError(f"{where} is empty or not a list of keys. See data/demo/client.yml for a model.")
    try:
        return Settings.model_validate(content)
    except ValidationError as problem:
        errors = problem.errors(include_url=False)
        # A key that is only misspelt is one fault, not a missing key and a strange one.
        meant = {(*e["loc"][:-1], _near(e["loc"])) for e in errors if e["type"] == "extra_forbidden"}
        told = [e for e in errors if e["type"] != "missing" or e["loc"] not in meant]
        said = [_sentence(where, content, error) for error in told]
        raise ConfigError("\n".join(said)) from None


def _near(place: tuple) -> str | None:
    """The key that was probably meant at this place."""
    parts = [part for part in place if part != "[key]"]
    near = difflib.get_close_matches(str(parts[-1]), _known_keys(parts[:-1]), 1)
    return near[0] if near else None


def _sentence(where: str, content: Any, error: dict) -> str:
    """One pydantic error as file, line, key, what was found and what was expected."""
    parts = [part for part in error["loc"] if part != "[key]"]
    line, found = _found(content, parts)
    key = ".".join(str(part) for part in parts)
    place = f"{where}, line {line}: " if line else f"{where}: "
    if error["type"] == "extra_forbidden":
        near = _near(error["loc"])
        hint = f"did you mean {near}?" if near else f"known here: {', '.join(_known_keys(parts[:-1]))}."
        return f"{place}{key} is not a known key; {hint}"
    if error["type"] == "missing":
        return f"{place}{key} is missing; add it."
    message = error["msg"].removeprefix("Value error, ")
    value = "" if isinstance(found, dict) else f", found {found!r}"
    said = f"{key}: " if key else ""  # what concerns several keys names them itself
    return f"{place}{said}{message[:1].lower()}{message[1:]}{value}."


def _found(content: Any, parts: list) -> tuple[int | None, Any]:
    """The line of a key as deep as the file goes, and the value that stands there."""
    line = None
    for part in parts:
        try:
            marks = content.lc.key(part) if isinstance(content, dict) else content.lc.item(part)
            content, line = content[part], marks[0] + 1
        except (KeyError, IndexError, TypeError, AttributeError):
            break
    return line, content


def _known_keys(parts: list) -> list[str]:
    """The keys that may stand under a path of settings."""
    model: Any = Settings
    for part in parts:
        field = model.model_fields.get(part) if isinstance(model, type) else None
        if field is None:
            return []
        options = getattr(field.annotation, "__args__", (field.annotation,))
        model = next((o for o in options if isinstance(o, type) and issubclass(o, BaseModel)), None)
        if model is None:
            return []
    return sorted(model.model_fields)
