"""A whole delivery cleaned: customers first, because they tell whose order lines are known."""

import datetime as dt

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from crmlib import tables
from crmlib.cleaning import customers, ledger, snapshot, surveys, tier_table, transactions
from crmlib.cleaning.transactions import Cleaned
from crmlib.client import Client
from crmlib.collection.sources import Collected
from crmlib.errors import SchemaError


def cleaned(delivery: dict[str, Collected], client: Client, *, delivered_on: dt.date) -> dict[str, Cleaned]:
    """Every delivered table cleaned; a `customers` table is made from order lines where none came."""
    found: dict[str, Cleaned] = {}
    known = None
    if "customers" in delivery:
        found["customers"] = customers.customers(delivery["customers"], client)
        known = set(found["customers"].kept["customer_id"].to_pylist())
    told = {"delivered_on": delivered_on, "known": known}
    if "transactions" in delivery:
        found["transactions"] = transactions.transactions(delivery["transactions"], client, **told)
    if "snapshot" in delivery:
        found["snapshot"] = snapshot.snapshot(delivery["snapshot"], client, **told)
    if "tiers" in delivery:
        numbers = _numbers(found, delivery, client)
        found["tiers"] = tier_table.tiers(delivery["tiers"], client, numbers=numbers)
    if known is None:
        named = [part.kept["customer_id"].drop_null().to_pylist() for part in found.values()]
        known = set().union(*named)
    if "surveys" in delivery:
        found["surveys"] = surveys.surveys(
            delivery["surveys"], client, delivered_on=delivered_on, known=known
        )
    return found


def _numbers(found: dict[str, Cleaned], delivery: dict[str, Collected], client: Client) -> dict[str, str]:
    """Customer number by name, of names that only one customer has; a tier table may have only names."""
    if "customer_id" in client.tables.tiers.columns:
        return {}
    listed = _told(found, delivery, client).select(["customer_id", "name"]).to_pandas().dropna()
    listed = listed.drop_duplicates()
    alone = listed[~listed["name"].duplicated(keep=False)]
    return dict(zip(alone["name"], alone["customer_id"], strict=True))


def account(found: dict[str, Cleaned], delivery: dict[str, Collected]) -> pd.DataFrame:
    """The ledger of the whole delivery, held against what came, what was kept, and what was set aside."""
    lines = pd.concat([part.ledger for part in found.values()], ignore_index=True)
    kept = {name: (part.kept.num_rows, _money(part.kept, name)) for name, part in found.items()}
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


# The tables whose rows carry money, and the column it stands in.
MONEY = {"transactions": "amount", "snapshot": "spend", "tiers": "spend"}


def _money(kept: pa.Table, table: str) -> int:
    return (pc.sum(kept[MONEY[table]]).as_py() or 0) if table in MONEY else 0


def customer_table(found: dict[str, Cleaned], delivery: dict[str, Collected], client: Client) -> pa.Table:
    """Customers as delivered, or as their order lines tell of them, completed by what totals tell.

    A customer table says who is a customer; without one, whoever a snapshot or a tier table names is
    one too.
    """
    base = _told(found, delivery, client)
    told = [part.people for part in found.values() if part.people is not None]
    return customers.completed(base, told, add="customers" not in found) if told else base


def _told(found: dict[str, Cleaned], delivery: dict[str, Collected], client: Client) -> pa.Table:
    """Customers by the customer table, else by order lines; nobody where neither is supplied."""
    if "customers" in found:
        return found["customers"].kept
    if "transactions" in found:
        return customers.from_lines(found["transactions"].kept, delivery["transactions"], client)
    return tables.CUSTOMERS.schema.empty_table()


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
    # Of a customer or an answer money is not 0 but no question.
    gone["money"] = gone["money"].astype("Int64").where(gone["table"].isin(list(MONEY)))
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


def kept(found: dict[str, Cleaned], table: tables.Table) -> pa.Table:
    """A cleaned table; no rows where it is not supplied."""
    return found[table.name].kept if table.name in found else table.schema.empty_table()


def answers(found: dict[str, Cleaned]) -> pa.Table:
    """Survey answers; none where no survey is supplied."""
    return kept(found, tables.SURVEYS)


def abnormal(flags: pd.DataFrame) -> dict[str, int]:
    """Lines whose price is far outside the usual, and their amount."""
    odd = flags[flags["flag"] == "abnormal-price"]
    return {"lines": int(odd["lines"].sum()), "money": int(odd["amount"].sum())}


def rules(client: Client) -> list[str]:
    """What this client's `client.yml` makes different from the glossary, as words; or that nothing does."""
    lines = client.tables.transactions
    if lines is None:
        return ["not_supplied"]
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
