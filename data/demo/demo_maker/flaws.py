"""Planting defects into a table of text, never two in one row, and telling where they stand."""

from collections.abc import Callable

import numpy as np
import pandas as pd

# What a row of each kind becomes: new cells, or a function of the row that gives them.
Change = dict[str, str] | Callable[[pd.Series], dict[str, str]]
COPY, TOTAL, HEADER = "exact_duplicates", "not_records", "repeated_headers"


def planted(
    rng: np.random.Generator,
    rows: pd.DataFrame,
    plan: dict[str, list[Change]],
    *,
    settled: pd.Series,
    copies: int = 0,
    total: dict[str, str] | None = None,
    header: bool = False,
    id: str = "",
) -> tuple[pd.DataFrame, pd.Series, dict]:
    """The table as delivered, each row's kind ("" where nothing is wrong), and where each kind stands.

    Only `settled` rows are spoilt or copied. Rows are counted from 1, the header left out.
    """
    wanted = sum(map(len, plan.values()))
    picked = rng.choice(np.flatnonzero(settled), size=wanted + copies, replace=False)
    table, kinds = rows.copy(), np.full(len(rows), "", dtype=object)
    for at, (kind, change) in zip(picked, ((k, c) for k, cs in plan.items() for c in cs), strict=False):
        cells = change(rows.iloc[at]) if callable(change) else change
        table.loc[table.index[at], list(cells)] = list(cells.values())
        kinds[at] = kind
    twice = picked[wanted:]
    parts, marks = [table, table.iloc[twice]], [kinds, np.full(copies, COPY, dtype=object)]
    places = [np.arange(len(table)), np.minimum(twice + rng.integers(1, 30, copies) + 0.5, len(table))]
    if header:
        parts.append(pd.DataFrame([dict(zip(table.columns, table.columns, strict=True))]))
        marks.append(np.array([HEADER], dtype=object))
        places.append(np.array([len(table) // 2 + 0.25]))
    if total is not None:
        parts.append(pd.DataFrame([dict.fromkeys(table.columns, "") | total]))
        marks.append(np.array([TOTAL], dtype=object))
        places.append(np.array([len(table) + 1.0]))
    order = np.argsort(np.concatenate(places), kind="stable")
    whole = pd.concat(parts, ignore_index=True).iloc[order].reset_index(drop=True)
    kind = pd.Series(np.concatenate(marks)[order], dtype=object)
    return whole.astype(object), kind, found(whole, kind, id=id)


def found(table: pd.DataFrame, kind: pd.Series, *, id: str) -> dict:
    """Where each kind of defect stands: count, rows, and whom it concerns."""
    told = {}
    for name in sorted(set(kind) - {""}):
        at = np.flatnonzero(kind == name)
        told[name] = {"count": len(at), "rows": (at + 1).tolist()}
        if id:
            told[name]["ids"] = table[id].iloc[at].tolist()
    return told


def cell(column: str, *values: str) -> list[dict[str, str]]:
    """A change of one cell for each value."""
    return [{column: value} for value in values]
