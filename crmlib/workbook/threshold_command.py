"""`crm thresholds`: what a workbook's limits would change, told in lines; saved only when asked."""

from collections.abc import Iterator
from pathlib import Path

from crmlib.classification import thresholds, trial
from crmlib.client import Client
from crmlib.errors import MissingStep
from crmlib.findings import Book
from crmlib.language import WORDS
from crmlib.period import Period
from crmlib.rules import Classes
from crmlib.workbook import standing, threshold_sheet

MOST = 20  # customers named
STEP = "03-classification"


def lines(name: str, path: Path, *, period: Period | None, save: bool) -> Iterator[str]:
    """What would change, who would move, and whether it was saved.

    Parameters
    ----------
    period : at whose end customers are looked at; None where the client's delivery has none

    Raises
    ------
    Refused : a workbook that cannot be taken, or a `client.yml` that was changed meanwhile
    """
    file = standing.RuleFile(name)
    rules, cells = threshold_sheet.read(path, file.rules)
    changed = thresholds.differing(file.rules, rules)
    if not changed:
        yield f"{path.name} has the limits of {file}: nothing would change."
        return
    where = {cell.key: cell.address for cell in cells}
    for key, (before, now) in changed.items():
        yield f"  {key}: {_shown(before)} → {_shown(now)} ({where[key]})"
    yield from _moved(file.client, rules, period)
    if save:
        file.save(rules)
        yield f"{file} saved; the one before is {file}.bak."
    else:
        yield f"Nothing is saved. To save: crm thresholds {name} {path} --save"


def _moved(client: Client, rules: Classes, period: Period | None) -> Iterator[str]:
    """Tiers by these limits beside those as saved, and who would move, by the client's own numbers."""
    try:
        known = None if period is None else trial.of_client(client, as_of=period.day_range[1])
    except MissingStep:
        known = None
    if known is None:
        yield f"  Who would move is known once the client has run: crm run {client.id}"
        return
    book = Book(STEP, client, period)
    found = trial.trial(known, rules=rules, saved=trial.tiers(known, client.classes))
    for row in found.tiers.itertuples():
        sales = book.language.show(row.share_of_sales, "share")
        cost = book.language.show(book.money(row.service), "money")
        sales = f"{sales} of sales" if known.facts["gross"].notna().any() else "sales not supplied"
        cost = cost if known.service is not None else "not supplied"
        told = f"{row.customers_saved} → {row.customers} customers, {sales}"
        yield f"  {WORDS[row.tier]}: {told}, cost of serving {cost}"
    told = found.told
    up, down = (book.language.show(book.money(told[key]), "money") for key in ("net_up", "net_down"))
    yield (
        f"  {period.name}: {told['moved']} of {len(known.facts)} customers would move: {told['up']} up "
        f"(net sales so far {up}), {told['down']} down ({down}), {told['other']} into or out of the ungraded"
    )
    for row in found.movers.head(MOST).itertuples():
        net = book.language.show(book.money(row.net), "money")
        yield f"    {row.customer_id}: {WORDS[row.tier_saved]} → {WORDS[row.tier_tried]}, net sales so far {net}"
    if len(found.movers) > MOST:
        yield f"    and {len(found.movers) - MOST} more"


def _shown(value: thresholds.Value) -> str:
    return "by share" if value is None else f"{value:.9g}"
