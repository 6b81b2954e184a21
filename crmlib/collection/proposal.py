"""Which export is which table, and through which joins: a mapping proposed for files nobody has described.

Order lines are chosen first, then their returns and customers, then everything else. Money and
pieces must stand in the lines themselves; a join only ever adds what a key of another file says.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from crmlib.collection import relating, unnamed
from crmlib.collection.headers import known_as
from crmlib.collection.proposed import ASPECTS, NEEDS, Choice, Proposal, Proposed
from crmlib.collection.recognition import SURE, Guess, named
from crmlib.collection.relating import Link, Look
from crmlib.collection.samples import Export
from crmlib.collection.vocabulary import ALIASES, FILES, RETURNS

# Columns that many tables have say little about which one a file is.
COMMON = {
    "customer_id",
    "channel",
    "text",
    "comment",
    "region",
    "topic",
    "name",
    "contact",
    "said_day",
    "ordered_at",
}
COMMON |= {"answered_day", "cost_day", "opened_at", "asked_day", "industry", "product"}
# What a key of another file may add to a table's rows; money never, or it would count once a line.
ADDED = {
    "transactions": {"customer_id", "ordered_at", "product", "product_group", "channel", "price"},
    **{
        table: {"customer_id"}
        for table in ("surveys", "feedback", "needs", "interactions", "applications", "costs")
    },
}


def proposal(exports: Iterable[Export]) -> Proposal:
    """The tables that exports hold."""
    looks = {export.name: Look(export) for export in exports}
    found = Proposal(looks, relating.links(looks))
    by_name = {
        table: [made for name in found.looks if (made := _proposed(found, table, name)) is not None]
        for table in NEEDS
    }
    _foundation(found, by_name)
    known = found.tables.get("transactions") or found.tables.get("snapshot")
    for table, name in _roles(by_name, found):
        made = _proposed(found, table, name, who=known)
        if made is not None and table not in found.tables:
            found.tables[table] = made
    if "transactions" in found.tables and "customers" not in found.tables:
        found.tables["transactions"] = _with_attributes(found, found.tables["transactions"])
    return found


def _with_attributes(found: Proposal, lines: Proposed) -> Proposed:
    """Order lines with what they say of their customers: where no other file does, that is all there is."""
    look, known = found.looks[lines.base.name], {"customer_id", "updated_day", *lines.choices}
    pool = [
        (look.export.name, guess)
        for column in ALIASES["customers"]
        for guess in look.candidates("customers", column)
        if column not in known and guess.header not in {c.guess.header for c in lines.choices.values()}
    ]
    more = {
        c: choice
        for c, choice in _chosen("customers", pool, set()).items()
        if choice.guess.confidence >= SURE
    }
    return replace(lines, choices=lines.choices | more)


def _foundation(found: Proposal, by_name: dict[str, list[Proposed]]) -> None:
    """Order lines, else a tier table, else a snapshot; else what cells alone say."""
    lines = [
        made for made in by_name["transactions"] if _best(by_name, made.base.name) in ("transactions", None)
    ]
    if lines:
        chosen = max(
            lines, key=lambda made: (made.complete, made.score, made.base.rows.num_rows, made.base.name)
        )
        found.tables["transactions"] = replace(chosen, returns=_returns(found, chosen))
    for table in ("tiers", "snapshot"):
        fitting = [made for made in by_name[table] if _best(by_name, made.base.name) == table]
        taken = {made.base.name for made in found.tables.values()}
        fitting = [made for made in fitting if made.base.name not in taken]
        if fitting:
            found.tables[table] = max(fitting, key=lambda m: (m.base.rows.num_rows, m.score, m.base.name))
    if not found.tables:
        unsaid = [
            (len(guesses), name) for name, look in found.looks.items() if (guesses := unnamed.lines(look))
        ]
        if unsaid:
            look = found.looks[max(unsaid)[1]]
            choices = {g.column: Choice(g, look.export.name, g.header) for g in unnamed.lines(look)}
            found.tables["transactions"] = Proposed("transactions", look.export, choices)
        elif not any(by_name.values()):
            _half_told(found)


def _half_told(found: Proposal) -> None:
    """Nothing is whole: the export most like order lines, with what could be told of it."""
    told = []
    for name, look in found.looks.items():
        pool = list(_pool(found, "transactions", {name: []}))
        chosen = {
            c: choice
            for c, choice in _chosen("transactions", pool, set()).items()
            if choice.guess.confidence >= SURE
        }
        told.append((len(chosen), look.export.rows.num_rows, name, chosen))
    _, _, name, chosen = max(told, key=lambda one: one[:3])
    found.tables["transactions"] = Proposed("transactions", found.looks[name].export, chosen)


def _best(by_name: dict[str, list[Proposed]], export: str) -> str | None:
    """The table that an export most looks like."""
    fitting = [made for many in by_name.values() for made in many if made.base.name == export]
    return max(fitting, key=lambda made: made.score).table if fitting else None


def _roles(by_name: dict[str, list[Proposed]], found: Proposal) -> Iterator[tuple[str, str]]:
    """Every other table and the export that is most like it; a review is an answer and a word at once."""
    lines = found.tables.get("transactions")
    taken = {made.base.name for made in found.tables.values() if made.table != "snapshot"}
    best = {name: _best(by_name, name) for name in found.looks}
    for table, fitting in by_name.items():
        twins = {"feedback": "surveys", "surveys": "feedback"}
        mine = [
            made
            for made in fitting
            if made.base.name not in taken
            and (best[made.base.name] in (table, twins.get(table)) or table == "customers")
            and not (table == "customers" and best[made.base.name] not in ("customers", "snapshot"))
        ]
        if mine and table not in ("transactions", "snapshot", "tiers"):
            if table == "customers" and lines is None:
                mine.sort(key=lambda made: made.base.name in taken)
            yield table, max(mine, key=lambda made: (made.complete, made.score, made.base.name)).base.name


def _proposed(found: Proposal, table: str, name: str, *, who: Proposed | None = None) -> Proposed | None:
    """The table as an export holds it; None where it holds too little of it."""
    look = found.looks[name]
    ways = _ways(found, table, name)
    pool = list(_pool(found, table, ways))
    choices = _chosen(table, pool, _identity(found, pool, who))
    if table == "transactions":
        choices = _paid(choices, name)
    have = {column: choice for column, choice in choices.items() if choice.guess.confidence >= SURE}
    if not any(need <= set(have) for need in NEEDS[table]) or not _fits(table, look, have):
        return None
    joins = _joins(ways, {choice.export for choice in have.values()})
    in_order = {column: _apart(found, have[column]) for column in ALIASES[table] if column in have}
    return Proposed(
        table, look.export, _spelt(look.export, in_order), joins, score=_score(table, look.export, have)
    )


def _apart(found: Proposal, choice: Choice) -> Choice:
    """A choice without those others whose cells are the same, row for row: these leave nothing to ask."""
    rows = found.looks[choice.export].export.rows
    others = tuple(name for name in choice.others if not rows[name].equals(rows[choice.guess.header]))
    return replace(choice, others=others)


def _ways(found: Proposal, table: str, name: str) -> dict[str, list[Link]]:
    """The exports whose columns a table may use; of customers' tables those that have the same key."""
    if table not in ("customers", "snapshot"):
        return relating.paths(name, found.links) if table in ADDED else {name: []}
    same = [
        link
        for link in found.links
        if link.child == name
        and link.column in found.looks[name].keys
        and relating.same_name(link.column, link.key)
    ]
    return {name: []} | {link.parent: [link] for link in same}


def _pool(found: Proposal, table: str, ways: dict[str, list[Link]]) -> Iterator[tuple[str, Guess]]:
    """Every guess for every column, with the export it is from; the base's own first."""
    for column in ALIASES[table]:
        for name, way in ways.items():
            if way and column not in ADDED.get(table, {column}):
                continue
            for guess in found.looks[name].candidates(table, column):
                yield name, replace(guess, confidence=guess.confidence - min(len(way), 1))


def _identity(found: Proposal, pool: list[tuple[str, Guess]], who: Proposed | None) -> set[tuple[str, str]]:
    """Columns that look like customers' numbers and are not: another for every order, or not the lines' own."""
    mine = {(name, guess.header) for name, guess in pool if guess.column == "customer_id"}
    if who is not None and "customer_id" in who.choices:
        theirs = who.choices["customer_id"]
        known = found.looks[theirs.export].values(theirs.guess.header)
        same = {(name, h) for name, h in mine if _overlap(found.looks[name].values(h), known) >= 0.5}
        if same:
            return mine - same
    once = {
        (name, header)
        for name, header in mine
        if header in found.looks[name].keys
        and any(
            key != header and named(key, "transactions", "order_id") > 0.9 for key in found.looks[name].keys
        )
    }
    if not once:
        return set()
    ends = [((link.child, link.column), (link.parent, link.key)) for link in found.links]
    for one, other in [*ends, *((b, a) for a, b in ends)]:
        once |= {other} if one in once else set()
    return once if mine - once else set()


def _overlap(ours: frozenset[str], theirs: frozenset[str]) -> float:
    """The share of the smaller set of values that the other has."""
    return len(ours & theirs) / max(1, min(len(ours), len(theirs)))


def _chosen(table: str, pool: list[tuple[str, Guess]], wrong: set[tuple[str, str]]) -> dict[str, Choice]:
    """The surest header for each column, none for two columns; headers as good as it beside it."""
    order = sorted(pool, key=lambda pair: (-pair[1].confidence, list(ALIASES[table]).index(pair[1].column)))
    order = [(e, g) for e, g in order if not (g.column == "customer_id" and (e, g.header) in wrong)]
    found: dict[str, Choice] = {}
    taken: set[tuple[str, str]] = set()
    for export, guess in order:
        if guess.column not in found and (export, guess.header) not in taken:
            found[guess.column] = Choice(guess, export, guess.header)
            taken.add((export, guess.header))
    for column, choice in found.items():
        equal = [
            guess.header
            for export, guess in order
            if guess.column == column
            and guess.confidence == choice.guess.confidence
            and guess.confidence >= SURE
            if (export, guess.header) not in taken and export == choice.export
        ]
        found[column] = replace(choice, others=tuple(dict.fromkeys(equal)))
    return found


def _paid(choices: dict[str, Choice], base: str) -> dict[str, Choice]:
    """Order lines whose money and pieces are the lines' own: a price may be looked up, an amount never."""
    kept = dict(choices)
    sure = {column: choice.guess.confidence for column, choice in kept.items()}
    if "amount" in kept and sure["amount"] < 80 and sure.get("price", 0) >= 80:
        del kept["amount"]  # half a name beside a whole one: freight_value beside price
    if "price" in kept and kept["price"].export != base and "quantity" not in kept:
        del kept["price"]
    return kept


def _fits(table: str, look: Look, have: dict[str, Choice]) -> bool:
    """What no name tells: a snapshot has one row a customer, ratings lie on a scale."""
    own = {column: look.profiles.get(choice.guess.header) for column, choice in have.items()}
    if table == "snapshot":
        numbered = any(named(header, "transactions", "order_id") > 0.9 for header in look.export.headers)
        return have["customer_id"].guess.header in look.keys and not numbered
    if table == "surveys":
        asked = [own[aspect] for aspect in ASPECTS if own.get(aspect)]
        return any(0 <= p.low < p.high <= 100 and p.integers > 0.5 and p.distinct <= 101 for p in asked)
    return True


def _joins(ways: dict[str, list[Link]], used: set[str]) -> tuple[Link, ...]:
    """The links that lead to the exports whose columns are used, each once, in order."""
    return tuple(dict.fromkeys(link for name, way in ways.items() if name in used for link in way))


def _spelt(base: Export, choices: dict[str, Choice]) -> dict[str, Choice]:
    """Headers as the joined rows carry them: one that the base has too is told apart by its file."""
    taken = {header.casefold() for header in base.headers}
    found = {}
    for column, choice in choices.items():
        header = choice.guess.header
        if choice.export != base.name:
            header = f"{choice.export} {header}" if header.casefold() in taken else header
            taken.add(header.casefold())
        found[column] = replace(choice, header=header)
    return found


def _score(table: str, export: Export, have: dict[str, Choice]) -> float:
    """How much an export looks like a table."""
    told = sum(c.guess.confidence * (0.4 if column in COMMON else 1) for column, c in have.items()) / 100
    called = known_as(" ".join((export.name, export.sheet or "", export.paths[0].stem)))
    return told + (1.0 if any(known_as(word) in called for word in FILES[table]) else 0.0)


def _returns(found: Proposal, lines: Proposed) -> tuple[Export, str, str, str] | None:
    """A list of returned orders: order numbers that the lines have, and perhaps a mark."""
    order = lines.choices.get("order_id")
    if order is None or "returned" in lines.choices:
        return None
    ours = found.looks[order.export].values(order.guess.header)
    for name, look in found.looks.items():
        said = [header for header in look.export.headers if named(header, "transactions", "returned") > 0.85]
        numbers = [
            header for header in look.export.headers if named(header, "transactions", "order_id") > 0.9
        ]
        called = any(known_as(word) == known_as(name) for word in RETURNS)
        if name != lines.base.name and numbers and (said or called) and order.export == lines.base.name:
            theirs = look.values(numbers[0])
            if theirs and len(ours & theirs) / len(theirs) >= 0.5:
                return look.export, numbers[0], said[0] if said else "", order.guess.header
    return None
