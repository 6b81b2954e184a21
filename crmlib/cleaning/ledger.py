"""The account of every row and its money: in = kept + merged + set aside, at every step."""

from collections.abc import Sequence

import pandas as pd

from crmlib import tables
from crmlib.errors import SchemaError

MERGED = {"corrected", "exact-duplicate", "same-customer"}
TOTALS = ["rows_in", "rows_kept", "rows_merged", "rows_quarantined"]
MONEYS = ["money_in", "money_kept", "money_merged", "money_quarantined"]


def ledger(fates: pd.DataFrame, table: str, steps: Sequence[str]) -> pd.DataFrame:
    """One line a step, each step receiving what the one before it kept.

    Parameters
    ----------
    fates : reason (None for a kept row), rows, money (smallest unit); one line a reason
    table : the table's name
    steps : every reason the table knows, in the order the steps run

    Returns
    -------
    The columns of `tables.LEDGER`.

    Examples
    --------
    >>> fates = pd.DataFrame({"reason": [None, "future-date"], "rows": [8, 2], "money": [800, 150]})
    >>> ledger(fates, "transactions", ["future-date"])[["rows_in", "rows_kept", "money_kept"]].values.tolist()
    [[10, 8, 800]]
    """
    unknown = set(fates["reason"].dropna()) - set(steps)
    if unknown:
        raise ValueError(f"reasons without a step: {sorted(unknown)}")
    by_reason = fates.assign(reason=fates["reason"].fillna("")).set_index("reason")[["rows", "money"]]
    rows, money = int(by_reason["rows"].sum()), int(by_reason["money"].sum())
    lines = []
    for step in steps:
        taken = by_reason.loc[step] if step in by_reason.index else {"rows": 0, "money": 0}
        out_rows, out_money = int(taken["rows"]), int(taken["money"])
        merged = step in MERGED
        lines.append(
            {
                "table": table,
                "step": step,
                **_parts("rows", rows, out_rows, merged),
                **_parts("money", money, out_money, merged),
            }
        )
        rows, money = rows - out_rows, money - out_money
    return pd.DataFrame(lines, columns=tables.LEDGER.schema.names)


def _parts(what: str, before: int, taken: int, merged: bool) -> dict[str, int]:
    return {
        f"{what}_in": before,
        f"{what}_kept": before - taken,
        f"{what}_merged": taken if merged else 0,
        f"{what}_quarantined": 0 if merged else taken,
    }


def totals(lines: pd.DataFrame) -> pd.DataFrame:
    """One line a table: what came, what was kept, merged, set aside.

    >>> fates = pd.DataFrame({"reason": [None, "future-date"], "rows": [8, 2], "money": [800, 150]})
    >>> totals(ledger(fates, "transactions", ["future-date"])).rows_quarantined.tolist()
    [2]
    """
    grouped = lines.groupby("table", sort=False)
    first_in = grouped[["rows_in", "money_in"]].first()
    last_kept = grouped[["rows_kept", "money_kept"]].last()
    out = grouped[["rows_merged", "rows_quarantined", "money_merged", "money_quarantined"]].sum()
    return pd.concat([first_in, last_kept, out], axis=1)[TOTALS + MONEYS].reset_index()


def balanced(lines: pd.DataFrame, kept: dict[str, tuple[int, int]]) -> pd.DataFrame:
    """The totals, if they balance against the rows and money really kept; `SchemaError` if not.

    `kept` is counted from the tables that are about to be written, not from the ledger: a ledger
    can only be wrong if something else is asked.
    """
    total = totals(lines)
    for line in total.itertuples():
        for what, found in zip(("rows", "money"), kept[line.table], strict=True):
            came, merged, aside = (
                getattr(line, f"{what}_{part}") for part in ("in", "merged", "quarantined")
            )
            if came != found + merged + aside:
                raise SchemaError(
                    f"The ledger of {line.table} does not balance in {what}: {came} came in, but "
                    f"{found} kept + {merged} merged + {aside} set aside = {found + merged + aside}."
                )
    return total


def figures(total: pd.DataFrame) -> dict[str, dict]:
    """The ledger's totals under their ids."""
    return {
        f"ledger.{line['table']}.{column}": {"value": int(line[column]), "n": int(line["rows_in"])}
        for line in total.to_dict("records")
        for column in TOTALS + MONEYS
    }


def kept(total: pd.DataFrame, table: str) -> dict[str, float]:
    """Of a table: rows that came, rows kept, and their share."""
    if table not in set(total["table"]):
        return {"rows": 0, "kept": 0, "share": None}
    line = total.set_index("table").loc[table]
    return {
        "rows": line["rows_in"],
        "kept": line["rows_kept"],
        "share": line["rows_kept"] / max(line["rows_in"], 1),
    }
