"""Cleaning by hand: a few typed rows, and what became of each."""

import datetime as dt

import pandas as pd
import pytest
from builders import CONFIG, made, text

from crmlib.cleaning import delivery
from crmlib.collection import sources

HEADER = "order,customer,day,pieces,price"


class Outcome:
    """What cleaning made of typed rows; row 2 is the first record."""

    def __init__(self, found):
        self.found = found
        self.ledger = delivery.account(found)  # refuses what does not balance
        self.part = found["transactions"]
        self.kept = self.part.kept.to_pandas()

    @property
    def aside(self) -> list[tuple[int, str, int]]:
        """Row, reason and money of every order line set aside."""
        table = self.part.quarantine
        return list(table[["source_row", "reason", "money"]].itertuples(index=False, name=None))

    def totals(self, name: str = "transactions") -> dict[str, int]:
        """The ledger's ends: in, kept, merged, quarantined."""
        part = self.ledger[self.ledger["table"] == name]
        out = {}
        for what in ("rows", "money"):
            out[f"{what}_in"] = int(part[f"{what}_in"].iloc[0])
            out[f"{what}_kept"] = int(part[f"{what}_kept"].iloc[-1])
            for fate in ("merged", "quarantined"):
                out[f"{what}_{fate}"] = int(part[f"{what}_{fate}"].sum())
        return out


@pytest.fixture
def clean(home):
    """Cleans typed order lines (and a customer or survey table) under a client.yml."""

    def cleaned(*rows: str, config: str = CONFIG, header: str = HEADER, **others: pd.DataFrame) -> Outcome:
        client = made(home, config, files={})
        content = {"transactions": text(header, *rows), **others}
        collected = {name: sources.from_text(name, table) for name, table in content.items()}
        return Outcome(delivery.cleaned(collected, client, delivered_on=dt.date(2025, 1, 6)))

    return cleaned
