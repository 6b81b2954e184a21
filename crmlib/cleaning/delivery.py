"""A whole delivery cleaned: customers first, because they tell whose order lines are known."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa

from crmlib import tables
from crmlib.cleaning import (
    customers,
    ledger,
    records,
    same_person,
    snapshot,
    surveys,
    tier_table,
    transactions,
)
from crmlib.cleaning.outcome import Cleaned
from crmlib.client import Client, shown
from crmlib.collection.sources import Collected
from crmlib.errors import SchemaError, SourceError

# What a row of a table is worth; a table that is not named here carries no money.
MONEY = {"transactions": "amount", "snapshot": "spend", "tiers": "spend"} | records.MONEY


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
    told = {"delivered_on": delivered_on, "known": known}
    if "transactions" in delivery:
        found["transactions"] = transactions.transactions(delivery["transactions"], client, **told)
    if "snapshot" in delivery:
        found["snapshot"] = snapshot.snapshot(delivery["snapshot"], client, **told)
    if "tiers" in delivery:
        numbers = _numbers(found, delivery, client)
        found["tiers"] = tier_table.tiers(delivery["tiers"], client, numbers=numbers)
    if known is None and delivery.keys() & {"surveys", *(table.name for table in records.TABLES)}:
        named = "SELECT DISTINCT customer_id FROM kept WHERE customer_id IS NOT NULL"
        known = {customer for part in found.values() for (customer,) in part.asked(named)}
    if "surveys" in delivery:
        found["surveys"] = surveys.surveys(
            delivery["surveys"], client, delivered_on=delivered_on, known=known
        )
    for table in records.TABLES:
        if table.name in delivery:
            found[table.name] = records.records(
                delivery[table.name], client, table=table, delivered_on=delivered_on, known=known
            )
    return {name: same_person.united(part, tables.ALL[name], merged) for name, part in found.items()}


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
    kept = {name: (part.count, _money(part, name)) for name, part in found.items()}
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


def _money(part: Cleaned, name: str) -> int:
    if name not in MONEY:
        return 0
    ((money,),) = part.asked(f"SELECT CAST(sum({MONEY[name]}) AS BIGINT) FROM kept")
    return money or 0


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
        return customers.from_lines(found["transactions"], delivery["transactions"], client)
    return tables.CUSTOMERS.schema.empty_table()


def quarantine(found: dict[str, Cleaned]) -> pd.DataFrame:
    """Every row that was set aside, with file, row, reason and raw text."""
    return pd.concat([part.quarantine for part in found.values()], ignore_index=True)


def repairs(found: dict[str, Cleaned], delivery: dict[str, Collected]) -> Iterator[pa.RecordBatch]:
    """Every cell that was not read as it stands, in the columns of `tables.REPAIRS`, a part at a time."""
    for name, part in found.items():
        read = delivery[name].repairs.assign(table=name)
        yield from tables.conform(read, tables.REPAIRS).to_batches()
        yield from part.repair_batches()


def write(found: dict[str, Cleaned], delivery: dict[str, Collected], client: Client) -> dict[str, int]:
    """Everything that cleaning makes, written to `built/delivery/`; rows kept by table.

    A table that is not supplied is not written, but for those on which later steps stand: empty.
    """
    folder, lines = client.delivery, account(found, delivery)
    tables.write(customer_table(found, delivery, client), folder, tables.CUSTOMERS)
    for table in (tables.TRANSACTIONS, tables.SNAPSHOT, tables.TIERS, tables.SURVEYS, *records.TABLES):
        if table.name in found or table not in records.TABLES:
            rows = found[table.name].rows if table.name in found else table.schema.empty_table()
            if isinstance(rows, Path):
                tables.put(rows, folder / f"{table.name}.parquet")
            else:
                tables.write(rows, folder, table)
    tables.write(quarantine(found), folder, tables.QUARANTINE)
    tables.write_batches(
        repairs(found, delivery), tables.REPAIRS.schema, folder / f"{tables.REPAIRS.name}.parquet"
    )
    tables.write(lines, folder, tables.LEDGER)
    refuse_nothing_left(found, client)
    return {name: part.count for name, part in found.items()}


def refuse_nothing_left(found: dict[str, Cleaned], client: Client) -> None:
    """Nothing, where every delivered table has a row left or came without any.

    Raises
    ------
    SourceError : every row of a table was set aside; called after the quarantine is written, to which it leads
    """
    for name, part in found.items():
        # Headers and totals are no rows: a month without orders may consist of them.
        lost = part.quarantine[~part.quarantine["reason"].isin(("repeated-header", "not-a-record"))]
        if part.count or lost.empty:
            continue
        counts = lost["reason"].value_counts().sort_index().sort_values(ascending=False, kind="stable")
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in counts.items())
        first = lost.sort_values(["source_file", "source_row"]).iloc[0]
        raise SourceError(
            f"{name}: not one row could be used, all were set aside: {reasons}. The first is row "
            f"{first['source_row']} of {first['source_file']}. They stand with their reasons in "
            f"{shown(client.delivery / 'quarantine.parquet')}. Mend tables.{name} in {shown(client.config)} or "
            f"the rows; to go on without them, leave the table out."
        )


def reasons(lines: pd.DataFrame) -> pd.DataFrame:
    """What left the tables and why: table, reason, fate, rows, money; only what occurred."""
    gone = lines.assign(
        rows=lines["rows_merged"] + lines["rows_quarantined"],
        money=lines["money_merged"] + lines["money_quarantined"],
        fate=(lines["rows_merged"] > 0).map({True: "merged", False: "set_aside"}),
        reason=lines["step"],
    )
    # Of a customer or an answer money is not 0 but no question.
    gone["money"] = gone["money"].astype("Int64").where(gone["table"].isin(MONEY))
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


def repaired(found: dict[str, Cleaned], delivery: dict[str, Collected]) -> pd.DataFrame:
    """Cells that were not read as they stand, counted: table, header, rule, cells."""
    keys = ["table", "header", "rule"]
    told = [part.select(["table", "column", "rule"]).to_pandas() for part in repairs(found, delivery)]
    counts = pd.concat([pd.DataFrame(columns=keys), *(t.set_axis(keys, axis=1) for t in told)])
    counts = counts.value_counts(keys, sort=False).rename("cells").reset_index()
    return counts.sort_values(keys, ignore_index=True)


def flags(found: dict[str, Cleaned]) -> pd.DataFrame:
    """What is unusual about order lines that were kept: flag, lines, amount."""
    each = _lines(found).asked(
        "SELECT unnest(string_split(flags, ',')) AS flag, count(*), CAST(sum(amount) AS BIGINT) FROM kept"
        " WHERE flags <> '' GROUP BY flag"
    )
    table = pd.DataFrame(each, columns=["flag", "lines", "amount"])
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


def merged_numbers(found: dict[str, Cleaned]) -> pd.DataFrame:
    """Customers that stood under several numbers, and why they are one; empty without a customer table.

    Returns
    -------
    customer_id (the number kept), numbers, probability (of the least likely pair), agreeing (fields in which
    some pair of the numbers is the same or nearly so), lines, money (sales of all its numbers, smallest unit).
    """
    return same_person.merged_numbers(_matches(found), _lines(found))


def candidates(found: dict[str, Cleaned]) -> pd.DataFrame:
    """Pairs of numbers that may be one customer and were left apart, the likeliest first.

    Returns
    -------
    customer_id, other_id, probability, same, near, different (fields), money (sales of both, smallest unit).
    """
    return same_person.candidates(_matches(found), _lines(found))


def _lines(found: dict[str, Cleaned]) -> Cleaned:
    """Order lines; none where none are supplied."""
    nothing = pd.DataFrame()
    return found.get("transactions") or Cleaned(tables.TRANSACTIONS.schema.empty_table(), nothing, nothing)


def _matches(found: dict[str, Cleaned]) -> same_person.Matches:
    return found["customers"].matches if "customers" in found else same_person.NONE
