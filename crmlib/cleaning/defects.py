"""What kind of defect a reason is (C02): impossible, invalid and abnormal told apart.

*Impossible* cannot be true, however it is read: 30 February, a score off its scale, an end before its
beginning, an order of tomorrow. *Invalid* cannot be read, or lacks what the row needs: a number that is
none, a record that does not fit its header, a customer nobody knows. *Abnormal* is valid and can be
true, but lies far outside the usual. *Repeated* rows say what another one says, and rows that *belong
elsewhere* are true but no records of this table: totals, stock corrections, bookkeeping.
"""

import pandas as pd

KINDS = {
    "impossible": ("future-date", "impossible-order", "out-of-scale", "negative-amount", "amount-differs"),
    "invalid": (
        *(
            "undecodable",
            "oversized-cell",
            "stray-quote",
            "other-delimiter",
            "not-json",
            "repeated-key",
            "extra-cell",
            "missing-cell",
            "unknown-row",
        ),
        *("uncomputed-formula", "error-cell", "digits-lost", "unreadable-date", "unreadable-number"),
        *("missing-id", "missing-name", "missing-date", "missing-number", "unknown-word"),
        *("unknown-customer", "orphan-customer"),
    ),
    "abnormal": ("abnormal", "abnormal-price", "zero-quantity"),
    "repeated": ("corrected", "exact-duplicate", "same-customer", "same-person"),
    "elsewhere": (
        *("not-a-record", "repeated-header", "hidden-row", "bookkeeping-entry", "stock-correction"),
        "unmarked-return",
    ),
}
KIND = {reason: kind for kind, reasons in KINDS.items() for reason in reasons}


def kind(reason: str) -> str:
    """The kind of a reason or flag; a reason that has none is a mistake of ours.

    >>> kind("out-of-scale"), kind("unreadable-number"), kind("abnormal-price")
    ('impossible', 'invalid', 'abnormal')
    """
    if reason not in KIND:
        raise ValueError(f"reason {reason!r} has no kind in crmlib.cleaning.defects")
    return KIND[reason]


def kinds(reasons: pd.DataFrame, flags: pd.DataFrame) -> pd.DataFrame:
    """Every defect found, by kind: set aside, merged, or kept under a flag.

    Parameters
    ----------
    reasons : what left the tables, as `crmlib.cleaning.delivery.reasons` tells it
    flags : what is unusual about order lines that were kept, as `crmlib.cleaning.delivery.flags` tells it

    Returns
    -------
    kind, reason, table, fate (set_aside, merged, kept), rows, money (smallest unit; empty where rows
    carry none); kinds in the order of `KINDS`, the most rows first.
    """
    kept = flags.rename(columns={"flag": "reason", "lines": "rows", "amount": "money"})
    both = pd.concat([reasons, kept.assign(table="transactions", fate="kept")], ignore_index=True)
    both = both.assign(kind=[kind(reason) for reason in both["reason"]])
    order = {name: place for place, name in enumerate(KINDS)}
    both = both.assign(at=both["kind"].map(order), money=both["money"].astype("Int64"))
    both = both.sort_values(["at", "rows", "reason", "table"], ascending=[True, False, True, True])
    return both[["kind", "reason", "table", "fate", "rows", "money"]].reset_index(drop=True)


def told(found: pd.DataFrame) -> dict[str, int]:
    """Rows of each kind of error: impossible, invalid, abnormal; and all of them."""
    rows = found.groupby("kind")["rows"].sum()
    three = {name: int(rows.get(name, 0)) for name in ("impossible", "invalid", "abnormal")}
    return three | {"errors": sum(three.values())}
