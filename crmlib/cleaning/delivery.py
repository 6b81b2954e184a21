"""A whole delivery cleaned: customers first, because they tell whose order lines are known."""

import dataclasses
import datetime as dt

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from crmlib import tables
from crmlib.cleaning import customers, ledger, same_person, surveys, transactions
from crmlib.cleaning.transactions import Cleaned
from crmlib.client import Client
from crmlib.collection.sources import Collected
from crmlib.errors import SchemaError


def cleaned(delivery: dict[str, Collected], client: Client, *, delivered_on: dt.date) -> dict[str, Cleaned]:
    """Every delivered table cleaned; a `customers` table is made from order lines where none came.

    Numbers that are one customer's are one number in every table; the delivery keeps them as they came.
    """
    found: dict[str, Cleaned] = {}
    known, merged = None, {}
    if "customers" in delivery:
        found["customers"] = customers.customers(delivery["customers"], client)
        merged = found["customers"].matches.merged
        known = {*found["customers"].kept["customer_id"].to_pylist(), *merged}
    found["transactions"] = transactions.transactions(
        delivery["transactions"], client, delivered_on=delivered_on, known=known
    )
    if known is None:
        known = set(found["transactions"].kept["customer_id"].drop_null().to_pylist())
    if "surveys" in delivery:
        found["surveys"] = surveys.surveys(
            delivery["surveys"], client, delivered_on=delivered_on, known=known
        )
    return {
        name: dataclasses.replace(part, kept=same_person.united(part.kept, merged))
        for name, part in found.items()
    }


def account(found: dict[str, Cleaned], delivery: dict[str, Collected]) -> pd.DataFrame:
    """The ledger of the whole delivery, held against what came, what was kept, and what was set aside."""
    lines = pd.concat([part.ledger for part in found.values()], ignore_index=True)
    kept = {name: (part.kept.num_rows, _money(part.kept)) for name, part in found.items()}
    if "surveys" in found:
        kept |= {"answers": kept["surveys"], "surveys": (found["surveys"].forms, 0)}
    total = ledger.balanced(lines, kept).set_index("table")
    for name, part in found.items():
        aside = int(total.loc[[name, "answers"] if name == "surveys" else [name], "rows_quarantined"].sum())
        came = int(total.loc[name, "rows_in"])
        if (came, aside) != (delivery[name].records, len(part.quarantine)):
            raise SchemaError(
                f"The ledger of {name} tells of {came} rows in and {aside} set aside, but "
                f"{delivery[name].records} were delivered and {len(part.quarantine)} stand in the quarantine."
            )
    return lines


def _money(kept: pa.Table) -> int:
    return (pc.sum(kept["amount"]).as_py() or 0) if "amount" in kept.column_names else 0


def customer_table(found: dict[str, Cleaned], delivery: dict[str, Collected], client: Client) -> pa.Table:
    """Customers as delivered, or as their order lines tell of them."""
    if "customers" in found:
        return found["customers"].kept
    return customers.from_lines(found["transactions"].kept, delivery["transactions"], client)


def quarantine(found: dict[str, Cleaned]) -> pd.DataFrame:
    """Every row that was set aside, with file, row, reason and raw text."""
    return pd.concat([part.quarantine for part in found.values()], ignore_index=True)


def reasons(lines: pd.DataFrame) -> pd.DataFrame:
    """What left the tables and why: table, reason, fate, rows, money; only what occurred."""
    gone = lines.assign(
        rows=lines["rows_merged"] + lines["rows_quarantined"],
        money=lines["money_merged"] + lines["money_quarantined"],
        fate=(lines["rows_merged"] > 0).map({True: "merged", False: "set_aside"}),
        reason=lines["step"],
    )
    # Only order lines carry money; of a customer or an answer it is not 0 but no question.
    gone["money"] = gone["money"].astype("Int64").where(gone["table"] == "transactions")
    return gone.loc[gone["rows"] > 0, ["table", "reason", "fate", "rows", "money"]].reset_index(drop=True)


def set_aside(lines: pd.DataFrame, table: str = "transactions") -> dict[str, float]:
    """What a table's rows set aside were worth: rows, sales and their share, negative bookings."""
    gone = lines[lines["table"] == table]
    worth = gone["money_quarantined"]
    return {
        "rows": int(gone["rows_quarantined"].sum()),
        "sales": int(worth[worth > 0].sum()),
        "share": worth[worth > 0].sum() / max(gone["money_in"].head(1).sum(), 1),
        "negative": int(worth[worth < 0].sum()),
    }


def flags(kept: pa.Table) -> pd.DataFrame:
    """What is unusual about lines that were kept: flag, lines, amount."""
    lines = kept.select(["flags", "amount"]).to_pandas()
    each = lines[lines["flags"] != ""].assign(flag=lambda t: t["flags"].str.split(",")).explode("flag")
    table = each.groupby("flag").agg(lines=("amount", "size"), amount=("amount", "sum")).reset_index()
    return table.sort_values(["lines", "flag"], ascending=[False, True], ignore_index=True)


def answers(found: dict[str, Cleaned]) -> pa.Table:
    """Survey answers; none where no survey is supplied."""
    return found["surveys"].kept if "surveys" in found else tables.SURVEYS.schema.empty_table()


def abnormal(flags: pd.DataFrame) -> dict[str, int]:
    """Lines whose price is far outside the usual, and their amount."""
    odd = flags[flags["flag"] == "abnormal-price"]
    return {"lines": int(odd["lines"].sum()), "money": int(odd["amount"].sum())}


def rules(client: Client) -> list[str]:
    """What this client's `client.yml` makes different from the glossary, as words; or that nothing does."""
    lines = client.tables.transactions
    departures = {
        "no_order_id": "order_id" not in lines.columns,
        "zero_price_purchase": lines.zero_price == "purchase",
        "keep_duplicates": lines.exact_duplicates == "keep",
        "quarantine_abnormal": client.abnormal == "quarantine",
        "no_returns": lines.returns is None,
    }
    return [name for name, departs in departures.items() if departs] or ["by_default"]


def unmarked(lines: pd.DataFrame) -> dict[str, int]:
    """Lines set aside because nothing marks their negative quantity as a return: rows, money."""
    gone = lines[(lines["table"] == "transactions") & (lines["step"] == "unmarked-return")]
    return {"rows": int(gone["rows_quarantined"].sum()), "money": int(gone["money_quarantined"].sum())}


def merged_numbers(found: dict[str, Cleaned]) -> pd.DataFrame:
    """Customers that stood under several numbers, and why they are one; empty without a customer table.

    Returns
    -------
    customer_id (the number kept), numbers, probability (of the least likely pair), evidence (fields in which
    some pair of the numbers is the same or nearly so), lines, money (sales of all its numbers, smallest unit).
    """
    return same_person.merged_numbers(_matches(found), found["transactions"].kept)


def candidates(found: dict[str, Cleaned]) -> pd.DataFrame:
    """Pairs of numbers that may be one customer and were left apart, the likeliest first.

    Returns
    -------
    customer_id, other_id, probability, same, near, different (fields), money (sales of both, smallest unit).
    """
    return same_person.candidates(_matches(found), found["transactions"].kept)


def _matches(found: dict[str, Cleaned]) -> same_person.Matches:
    return found["customers"].matches if "customers" in found else same_person.NONE
