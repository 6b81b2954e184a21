"""Where a file's header stands, and what each of its columns is called.

A header stands below titles, takes one row or two, and may lack names or say one twice. It is found
by the headers that `client.yml` maps; what cannot be told is refused, never guessed.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import count, zip_longest

from crmlib.collection.headers import nearest, tidy
from crmlib.errors import SourceError

TITLE_ROWS = 20  # a header stands within the first rows, below titles
ROW, FILE = "_row", "_file"
RESERVED = {ROW, FILE}  # what collection adds to every table


@dataclass(frozen=True)
class Heading:
    """A header: the rows above it, its cells, and how many rows it takes."""

    titles: int
    cells: list[str]  # tidied
    raw: list[str]  # as delivered, to find them repeated
    depth: int = 1


@dataclass(frozen=True)
class Columns:
    """Which columns of a file are kept, and under what names."""

    names: list[str]
    places: list[int]
    width: int  # columns delivered
    notes: tuple[tuple[str, str], ...] = ()


def heading(
    rows: Sequence[Sequence[str]], expected: frozenset[str], row: int | None, *, name: str
) -> Heading:
    """The header among a file's first rows.

    Parameters
    ----------
    rows : the file's first rows, at least `TITLE_ROWS` where it has them
    expected : headers that tell the header from titles; empty: the first row that holds anything
    row : where it stands (1-based), if the client says so
    name : of the file, for messages

    Raises
    ------
    SourceError : none found, or two that differ
    """
    first = [[tidy(cell) for cell in cells] for cells in rows[: max(TITLE_ROWS, row or 0)]]
    if row is not None:
        if row > len(first) or not any(first[row - 1]):
            raise SourceError(
                f"{name} has no header in row {row}, which `header_row` in client.yml names. Mend it."
            )
        return Heading(row - 1, first[row - 1], list(rows[row - 1]))
    if not expected:
        place = next((place for place, cells in enumerate(first) if any(cells)), 0)
        return Heading(place, first[place], list(rows[place]))
    known = [len(expected.intersection(cells)) for cells in first]
    if not max(known, default=0):
        raise SourceError(_no_header(name, first, expected))
    place = known.index(max(known))
    found = _of_two_rows(first, place, expected) or Heading(place, first[place], list(rows[place]))
    _refuse_second(first, found, expected, name)
    return found


def _of_two_rows(rows: list[list[str]], place: int, expected: frozenset[str]) -> Heading | None:
    """A header over two rows, groups above names; a name that spans both stands in the upper."""
    for upper in (place, place - 1):
        if not 0 <= upper < len(rows) - 1:
            continue
        over, under = rows[upper], rows[upper + 1]
        gained = expected.intersection(under) - set(over)
        # Where names stand below a group, the group's row is empty or says something else there.
        if expected.intersection(over) and gained and not set(filter(None, over)) & set(under):
            both = [low or high for high, low in zip_longest(over, under, fillvalue="")]
            return Heading(upper, both, both, 2)
    return None


def _refuse_second(rows: list[list[str]], found: Heading, expected: frozenset[str], name: str) -> None:
    """Two headers that differ are two tables; by empty cells at their end they do not differ."""
    for place, cells in enumerate(rows):
        same = all(one == other for one, other in zip_longest(cells, found.cells, fillvalue=""))
        if found.titles <= place < found.titles + found.depth or same:
            continue
        if is_header(cells, expected | set(found.cells)):
            raise second_header(name, found.titles + 1, place + 1)


def is_header(cells: Iterable[str], known: set[str]) -> bool:
    """Whether a row of tidied cells reads like a header: two known names, and half of what it holds."""
    filled = [cell for cell in cells if cell]
    hits = sum(cell in known for cell in filled)
    return hits >= 2 and hits * 2 >= len(filled)


def second_header(name: str, row: int, other: int) -> SourceError:
    """The refusal of a file that holds two tables."""
    return SourceError(
        f"{name} holds two headers that differ, in rows {min(row, other)} and {max(row, other)}: two tables in "
        "one file. Deliver them apart, or say which is meant (`header_row` in client.yml) and take out the other."
    )


def _no_header(name: str, rows: list[list[str]], expected: frozenset[str]) -> str:
    filled = [(place, [cell for cell in cells if cell]) for place, cells in enumerate(rows, 1) if any(cells)]
    shown = "; ".join(f"row {place}: {_seemly(filled, at)}" for at, (place, _) in enumerate(filled[:3]))
    wanted = sorted(expected)
    first = filled[0][1] if filled else []
    near = {want: nearest(want, first) for want in wanted}
    hints = [f"{want} → {found}" for want, found in near.items() if found and _plain(first)]
    hint = f" Perhaps: {', '.join(hints)}." if hints else ""
    return (
        f"{name} has no known header: none of the mapped columns ({', '.join(wanted)}) is in its first "
        f"{len(rows)} rows. It begins with {shown or 'nothing'}.{hint} "
        "Mend `columns` in client.yml, or say `header_row`."
    )


def _plain(cells: list[str]) -> bool:
    return not any(sign.isdigit() or sign == "@" for cell in cells for sign in cell)


def _seemly(filled: list[tuple[int, list[str]]], at: int) -> str:
    """A row in words that name no person: a first row without figures is shown, others are counted.

    A file without a header begins with a record, and a record may name a person; one without
    figures is taken for a header only if figures follow it.
    """
    cells = filled[at][1]
    below = filled[at + 1 : at + 2]
    if at == 0 and _plain(cells) and (not below or not _plain(below[0][1])) and len(cells) > 1:
        return ", ".join(cells[:12])
    return f"{len(cells)} {'cell' if len(cells) == 1 else 'cells'}"


def columns(found: Heading, look: Callable[[], Iterable[list]], *, name: str) -> Columns:
    """What each column is called; columns without a name that hold nothing are left out.

    Parameters
    ----------
    found : the header
    look : the records as Arrow columns by place, a part at a time: read once, where a name is missing
        or said twice
    name : of the file, for messages

    Raises
    ------
    SourceError : two columns of one name that differ
    """
    names = found.cells
    blank = {place for place, cell in enumerate(names) if not cell}
    twice = _twice(found, name)
    full, apart = _compared(look, blank, twice) if blank or twice else (set(), set())
    if apart:
        raise _named_twice(name, {names[place] for pair in apart for place in pair})
    dropped = (blank - full) | set(twice)
    taken = {cell.casefold() for cell in names if cell}
    kept, places, notes = [], [], []
    for place, cell in enumerate(names):
        if place in dropped:
            continue
        if not cell or cell.casefold() in RESERVED:
            number = next(n for n in count(place + 1) if f"column {n}" not in taken)
            taken.add(cell := f"column {number}")
            notes.append(("unnamed-column", cell))
        kept.append(cell)
        places.append(place)
    if blank - full:
        notes.append(("empty-columns-dropped", ", ".join(str(place + 1) for place in sorted(blank - full))))
    notes += [("repeated-column-dropped", names[place]) for place in sorted(twice)]
    return Columns(kept, places, len(names), tuple(notes))


def _twice(found: Heading, name: str) -> dict[int, int]:
    """Columns whose name stood before, by place, and where. DuckDB takes `Price` and `price` for one."""
    first: dict[str, int] = {}
    again = {}
    for place, cell in enumerate(found.cells):
        if not cell:
            continue
        at = first.setdefault(cell.casefold(), place)
        if at != place:
            if found.raw[at] != found.raw[place]:
                raise _named_twice(name, {cell, found.cells[at]})
            again[place] = at
    return again


def _named_twice(name: str, names: set[str]) -> SourceError:
    return SourceError(f"{name} names a column twice: {', '.join(sorted(names))}. Rename one of them.")


def _compared(look, blank: set[int], twice: dict[int, int]) -> tuple[set[int], set[tuple[int, int]]]:
    """Nameless columns that hold something, and pairs of one name that differ."""
    full: set[int] = set()
    apart: set[tuple[int, int]] = set()
    for part in look():
        full |= {place for place in blank - full if any(cell.strip() for cell in part[place].to_pylist())}
        apart |= {(at, place) for place, at in twice.items() if not part[place].equals(part[at])}
    return full, apart
