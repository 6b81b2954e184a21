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
from collections.abc import Iterable

import pandas as pd

from crmlib.client import Client
from crmlib.tables import Table


def key(client: Client) -> bytes:
    """The client's key, made on first use."""
    if client.privacy.public_key:
        return client.privacy.public_key.encode()
    given = os.environ.get("CRM_KEY_" + client.id.upper().replace("-", "_"))
    if given:
        return given.encode()
    path = client.folder / ".key"
    try:
        # Exclusive creation: of two first runs side by side, one makes the key, both use it.
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
    except FileExistsError:
        pass
    return path.read_text().strip().encode()


def mask(value: str, key: bytes, prefix: str = "C") -> str:
    """The mask of one value: a letter and ten hexadecimal digits.

    >>> mask("000123", b"public") == mask("000123", b"public") != mask("000123", b"other")
    True
    >>> len(mask("000123", b"public"))
    12
    """
    digest = hmac.new(key, f"{prefix}\0{value}".encode(), hashlib.sha256).hexdigest()
    return f"{prefix}-{digest[:10]}"


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
