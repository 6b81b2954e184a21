"""Order lines whose headers say nothing (`col1`, or a language unknown here): what their cells alone tell.

A date, an amount of money and a number that comes again make an order line. Which number is the
customer's follows from who determines whom: an order has one customer, a customer many orders.
"""

import pyarrow as pa

from crmlib.collection.recognition import Guess, Profile, told
from crmlib.collection.relating import Look
from crmlib.collection.samples import different


def lines(look: Look) -> list[Guess]:
    """The columns of order lines, by their cells; none where no date or no money is there."""
    profiles = {name: about for name, about in look.profiles.items() if about.filled > about.rows / 2}
    dates = [name for name, about in profiles.items() if about.dates > 0.9]
    numbers = [name for name, about in profiles.items() if about.numbers > 0.95 and name not in dates]
    money = _money({name: profiles[name] for name in numbers}, look.export.rows)
    if not dates or not ({"amount", "price"} & set(money)):
        return []
    found = {"ordered_at": (dates[0], 70 if len(dates) == 1 else 50)} | money
    taken = {header for header, _ in found.values()}
    found |= _numbers(look, [name for name in profiles if name not in taken and name not in dates])
    return [
        Guess(column, header, sure, f"by its cells: {told(_kind(column), profiles[header])}")
        for column, (header, sure) in found.items()
    ]


def _kind(column: str) -> str:
    return {"ordered_at": "date", "quantity": "number", "price": "number", "amount": "number"}.get(
        column, "id"
    )


def _money(numbers: dict[str, Profile], rows: pa.Table) -> dict[str, tuple[str, int]]:
    """Pieces, price and amount: where one column is the product of two others, all three are plain."""
    fine = [name for name, about in numbers.items() if about.integers < 0.9]
    small = [
        n
        for n, p in numbers.items()
        if n not in fine and p.integers > 0.99 and p.high < 100_000 and p.distinct > 1
    ]
    small = [name for name in small if numbers[name].distinct < numbers[name].filled / 2]
    cells = {name: _values(rows, name) for name in (*fine, *small)}
    for amount in fine:
        for price in fine:
            for quantity in small:
                if price != amount and _product(cells[quantity], cells[price], cells[amount]):
                    return {"quantity": (quantity, 80), "price": (price, 80), "amount": (amount, 80)}
    if len(fine) != 1:
        return {}
    if not small:
        return {"amount": (fine[0], 65)}
    quantity = min(small, key=lambda name: numbers[name].high)
    # A line's amount grows with its pieces; a price does not.
    column = "amount" if _grows(cells[quantity], cells[fine[0]]) else "price"
    return {"quantity": (quantity, 60), column: (fine[0], 55)}


def _values(rows: pa.Table, name: str) -> list[float | None]:
    found: list[float | None] = []
    for cell in rows[name].slice(0, 20_000).to_pylist():
        try:
            found.append(float(cell.replace(",", "")))
        except ValueError:
            found.append(None)
    return found


def _product(one: list, other: list, whole: list) -> bool:
    """Whether two columns multiplied are the third, in nearly every row and not only where one is 1."""
    full = [(a, b, c) for a, b, c in zip(one, other, whole, strict=True) if None not in (a, b, c)]
    right = sum(abs(a * b - c) < 0.011 for a, b, c in full)
    return len(full) > 1 and right > 0.95 * len(full) and any(abs(a) != 1 for a, _, _ in full)


def _grows(pieces: list, money: list) -> bool:
    """Whether money is higher, in the median, on lines of more pieces."""
    pairs = [(p, m) for p, m in zip(pieces, money, strict=True) if p is not None and m is not None and p > 0]
    one = sorted(m for p, m in pairs if p <= 1)
    more = sorted(m for p, m in pairs if p > 1)
    return bool(one and more) and more[len(more) // 2] > 1.3 * one[len(one) // 2]


def _numbers(look: Look, names: list[str]) -> dict[str, tuple[str, int]]:
    """Orders and customers among the numbers of things, by who determines whom."""
    profiles = look.profiles
    ids = [n for n in names if profiles[n].identifying >= 0.8 and profiles[n].distinct < profiles[n].filled]
    rows = look.export.rows.slice(0, 200_000)
    for order in ids:
        for customer in ids:
            if (
                order != customer
                and _determines(rows, order, customer)
                and not _determines(rows, customer, order)
            ):
                return {"order_id": (order, 65), "customer_id": (customer, 65)}
    return {"customer_id": (ids[0], 55)} if len(ids) == 1 else {}


def _determines(rows: pa.Table, one: str, other: str) -> bool:
    """Whether each value of one column comes with a single value of another."""
    pairs = different(rows.select([one, other]))
    singles = different(rows.select([one]))
    return pairs <= 1.001 * singles
