"""Masks: a person's number, name and telephone never show outside `internal/`.

A mask is a keyed hash: equal values get equal masks, so that masked tables still join, and without
the key nobody can try values until one fits. The key comes from the environment
(`CRM_KEY_<CLIENT>`), or from `data/<client>/.key`, made on first use and ignored by git; only the
demo's is public, so that its committed outputs repeat.
"""

import hashlib
import hmac
import os
import secrets
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from crmlib.client import Client, shown
from crmlib.errors import ConfigError
from crmlib.tables import Table

SHORTEST = 16


def key(client: Client) -> bytes:
    """The client's key, made on first use; `ConfigError` where it is too short to protect anybody."""
    if client.privacy.public_key:
        return client.privacy.public_key.encode()
    name = "CRM_KEY_" + client.id.upper().replace("-", "_")
    path = client.folder / ".key"
    found = os.environ.get(name) or (path if path.exists() else _made(path)).read_text("utf-8").strip()
    if len(found) < SHORTEST:
        source = name if name in os.environ else shown(path)
        raise ConfigError(f"The key in {source} has fewer than {SHORTEST} characters. Give a longer one.")
    return found.encode()


def _made(path: Path) -> Path:
    """A new key, whole or not at all: of two first runs side by side, both use the one that came first."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".key.")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(secrets.token_hex(32))
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(temporary)
    return path


def mask(value: str, key: bytes, prefix: str = "C") -> str:
    """The mask of one value: a letter and sixteen hexadecimal digits.

    >>> mask("000123", b"public") == mask("000123", b"public") != mask("000123", b"other")
    True
    >>> len(mask("000123", b"public"))
    18
    """
    digest = hmac.new(key, f"{prefix}\0{value}".encode(), hashlib.sha256).hexdigest()
    return f"{prefix}-{digest[:16]}"


def masked(values: pd.Series, key: bytes, prefix: str = "C") -> pd.Series:
    """A column of masks; empty stays empty."""
    lookup = {value: mask(str(value), key, prefix) for value in values.dropna().unique()}
    return values.map(lookup).astype("str")


def masked_table(table: pd.DataFrame, contract: Table | Iterable[str], key: bytes) -> pd.DataFrame:
    """The table with every personal column masked (`raw` text, which cannot be, left out)."""
    personal = contract.personal if isinstance(contract, Table) else frozenset(contract)
    shown = table.drop(columns=["raw"], errors="ignore")
    letters = {"customer_id": "C", "name": "N", "contact": "T"}
    return shown.assign(
        **{
            name: masked(shown[name], key, letters.get(name, "P"))
            for name in shown.columns
            if name in personal
        }
    )
