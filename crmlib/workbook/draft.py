"""A first `client.yml` for one file with plain headers: what could be told, and TODO for the rest."""

import json
import os
import re
import shutil
from collections import Counter
from pathlib import Path

from crmlib import client as clients
from crmlib import tables
from crmlib.collection import headers
from crmlib.collection.files import TextTable, text_table
from crmlib.errors import Refused

DECIMALS = re.compile(r"[-¥￥\d,]*\.(\d+?)0*")
NEEDED = {
    "transactions": ("ordered_at", "amount", "price", "quantity"),
    "customers": ("customer_id",),
    "surveys": ("customer_id", "answered_day"),
}
ASPECTS = ("product", "service", "after_sales", "brand", "overall", "recommend")


def write(name: str, file: Path, *, copy: bool) -> Path:
    """`data/<name>/client.yml` for this file; an existing one is never touched."""
    folder = clients.home() / "data" / clients.checked_name(name)
    config = folder / "client.yml"
    if config.exists():
        raise Refused(f"{clients.shown(config)} exists already and is left as it is. Change it by hand.")
    text = _text(name, file.name if copy else str(file.resolve()), delivered(file))
    folder.mkdir(parents=True, exist_ok=True)
    if copy:
        _copied(file, folder / "raw" / file.name)
    try:
        # Exclusive: two commands at once cannot overwrite each other's file.
        with open(os.open(config, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "w", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError:
        raise Refused(f"{clients.shown(config)} exists already and is left as it is.") from None
    return config


def delivered(file: Path) -> TextTable:
    """The file as text; `Refused` where its first row names no columns."""
    found = text_table(file, expected=set())
    if len(found.headers) < 2:
        raise Refused(
            f"{file}: its first row holds {len(found.headers)} header(s): {', '.join(found.headers) or 'none'}. "
            "This command needs a file whose first row names its columns."
        )
    return found


def _copied(file: Path, place: Path) -> None:
    if place.exists():
        raise Refused(f"{clients.shown(place)} exists already; nothing was copied.")
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, place)


def _text(name: str, file: str, found: TextTable) -> str:
    """The file's text: every guess with its reason beside it, TODO where nothing could be told."""
    table = headers.table_of(found.headers)
    guessed = _guessed(found.headers, table or "transactions")
    lines = [
        f"# Written by `crm new {name}`. Check each guess, answer each TODO, then: crm check {name}",
        f"name: {json.dumps(name)}",
        _currency(found.headers),
        *_decimals(found, guessed),
        "timezone: UTC  # TODO: where the client does business, such as Asia/Shanghai",
        "languages: [en]",
        "tables:",
    ]
    if table is None:
        lines.append("  # TODO: what this file holds could not be told; orders were assumed.")
    lines += _table(table or "transactions", file, found.headers, guessed)
    lines += _returns(found, guessed) if (table or "transactions") == "transactions" else []
    if table in ("customers", "surveys"):
        lines += [
            "  transactions:",
            "    files: [TODO]  # order lines are needed",
            "    columns: {ordered_at: TODO}",
        ]
    return "\n".join(lines) + "\n"


def _currency(found: list[str]) -> str:
    """Chinese headers make yuan likely; no header makes it sure."""
    if any("\u4e00" <= sign <= "\u9fff" for header in found for sign in header):
        return "currency: CNY  # guessed: the headers are Chinese"
    return "currency: TODO  # three letters, such as CNY, EUR or USD"


def _decimals(found: TextTable, guessed: dict[str, str]) -> list[str]:
    """How fine the file's money is, where it is finer than cents."""
    money = [guessed[column] for column in ("price", "amount", "profit") if column in guessed]
    cells = [cell for header in money for cell in found.rows[header].to_pylist()]
    finest = max((len(part[1]) for cell in cells if (part := DECIMALS.fullmatch(cell.strip()))), default=0)
    return [f"decimals: {min(finest, 6)}  # the finest amount in the file"] if finest > 2 else []


def _returns(found: TextTable, guessed: dict[str, str]) -> list[str]:
    """How returns are told: by the letter that begins most documents of negative lines and no others."""
    if not {"order_id", "quantity"} <= set(guessed):
        return []
    pairs = zip(
        found.rows[guessed["order_id"]].to_pylist(), found.rows[guessed["quantity"]].to_pylist(), strict=True
    )
    taken, sold = Counter(), Counter()
    for order, quantity in pairs:
        (taken if quantity.strip().startswith("-") else sold)[order.strip()[:1]] += 1
    if not taken:
        return []
    letter, often = taken.most_common(1)[0]
    rule = "    returns: {order_id_starts_with: "
    if letter.isalpha() and often > taken.total() / 2 and sold[letter] <= often / 100:
        return [
            f"{rule}{_quoted(letter)}}}  # guessed: {often} of {taken.total()} negative lines are on such documents"
        ]
    return [f"  # TODO {rule.strip()} …}} under transactions: {taken.total()} lines have a negative quantity"]


def _guessed(found: list[str], table: str) -> dict[str, str]:
    """The table's columns by their headers; order lines may tell of their customers too."""
    guessed = headers.guess(found, table)
    if table == "transactions":
        attributes = headers.guess([h for h in found if h not in guessed.values()], "customers")
        guessed |= {c: h for c, h in attributes.items() if c not in (*guessed, "customer_id", "updated_day")}
    return guessed


def _table(table: str, file: str, found: list[str], guessed: dict[str, str]) -> list[str]:
    lines = [f"  {table}:", f"    files: [{_quoted(file)}]", "    columns:"]
    answers = [column for column in guessed if table == "surveys" and column in ASPECTS]
    for column, header in guessed.items():
        if column not in answers:
            why = "the same name" if headers.plain(header) == headers.plain(column) else "by its name"
            lines.append(f"      {column}: {_quoted(header)}  # guessed {why}: {_meaning(table, column)}")
    lines += [f"      {column}: TODO  # {_meaning(table, column)}" for column in _missing(table, guessed)]
    if table == "surveys":
        lines.append("    answers:" if answers else "    answers: TODO  # a question's column and scale")
        lines += [
            f"      {aspect}: {{column: {_quoted(guessed[aspect])}, scale: [1, 5]}}  # TODO: the scale's ends"
            for aspect in answers
        ]
    unused = [header for header in found if header not in guessed.values()]
    if table == "transactions" and "customer_id" not in guessed:
        lines.append("      # customer_id:  # TODO: without it there are no figures of customers")
    if unused:
        lines.append(f"    # Not used: {', '.join(_quoted(header) for header in unused)}")
    return lines


def _missing(table: str, guessed: dict[str, str]) -> list[str]:
    """Columns without which the table says nothing."""
    needed = [column for column in NEEDED[table] if column not in guessed]
    if "amount" in guessed or "price" in guessed:
        # Either is enough: an amount, or a price to multiply with.
        needed = [column for column in needed if column not in ("amount", "price", "quantity")]
    return needed


def _meaning(table: str, column: str) -> str:
    found = tables.ALL[table].column(column) or tables.CUSTOMERS.column(column)
    return found.meaning if found else "a question"


def _quoted(text: str) -> str:
    """A text as YAML takes it, whatever signs it holds."""
    return json.dumps(text, ensure_ascii=False)
