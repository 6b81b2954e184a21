"""Why a measure moved, in sentences: its three strongest parts, and the segment that moved apart.

The sentences stand here and not in the notebook because every measure is told in the same ones, each in
its own unit.
"""

from typing import Any

from crmlib.analysis.drill import Drilled
from crmlib.analysis.explained import WRITTEN, Explained, ends
from crmlib.findings import Book
from crmlib.sentences import Answer, Finding

CAUSES = 3


def causes(found: Explained) -> list[dict]:
    """The parts of a change, the strongest first: part (its word), moved, low, high, sure.

    A part is sure where its interval lies on one side of 0. Of a measure that is counted whole nothing is left
    to chance: there every part that is not 0 is sure.
    """
    told = []
    for part, moved in found.sums.items():
        low, high = found.intervals.get(part, (None, None))
        apart = low is not None and (low > 0 or high < 0)
        sure = bool(moved) and (apart or not found.tally.sampled)
        word = {"part": found.tally.parts[part], "moved": float(moved), "low": low, "high": high}
        told.append(word | {"sure": sure})
    # Parts of one size keep the order of the waterfall.
    return sorted(told, key=lambda cause: -abs(cause["moved"]))


def told(book: Book, found: Explained, previous: str) -> Answer:
    """The three strongest parts of a change, each a finding of its own; the first stands among the answers.

    Why nothing can be told is one sentence.

    Parameters
    ----------
    previous : name of the period before
    """
    ranked = [] if found.why else causes(found)
    level = {"then": None, "now": None} if found.why else dict(zip(("then", "now"), ends(found), strict=True))
    findings = []
    # What cannot be told is told once.
    many = 1 if found.why or (found.tally.sampled and not found.intervals) else CAUSES
    for place in range(1, many + 1):
        none = {"part": "", "moved": 0, "low": None, "high": None, "sure": False}
        cause = ranked[place - 1] if place <= len(ranked) else none
        values: dict[str, Any] = {
            "measure": found.name,
            "previous": previous,
            "place": place,
            "why": found.why,
        }
        values |= {"of": found.tally.of, "part": cause["part"]}
        values |= {name: _figure(book, found, level[name], 1) for name in level}
        values |= {name: _figure(book, found, cause[name], 0) for name in ("moved", "low", "high")}
        say = _sampled if found.intervals else _unsure if found.tally.sampled else _counted
        if not found.why and not cause["moved"]:
            say = _counted  # an exact nothing owes nothing to chance
        given = {"when": None if found.why else cause["moved"] > 0, "n": int(cause["sure"])}
        findings.append(say(book, f"because.{found.id}.{place}", values, aside=place > 1, **given))
    return Answer(findings, first=True)


def _figure(book: Book, found: Explained, value: Any, of_level: int) -> list | None:
    """A value with its unit, money in main units: the form of a place `{…:figure}`."""
    if value is None:
        return None
    unit = WRITTEN[found.unit][of_level]
    plain = float(value)
    return [unit, book.money(plain) if unit == "money" else plain]


def _counted(book: Book, id: str, values: dict, *, when: bool | None, n: int, aside: bool) -> Finding:
    return book.say(
        id,
        values,
        when=when,
        n=n,
        at_least=1,
        aside=aside,
        yes="{measure:word}, {then:figure} in {previous} and {now:figure} now, was raised by (cause {place:count}): {part:word}, {moved:figure}.",
        no="{measure:word}, {then:figure} in {previous} and {now:figure} now, was lowered by (cause {place:count}): {part:word}, {moved:figure}.",
        few="{measure:word}, {then:figure} in {previous} and {now:figure} now, has no cause {place:count}: nothing else moved it.",
        absent="{measure:word}: nobody can say what moved it since {previous}: {why:phrase}.",
    )


def _sampled(book: Book, id: str, values: dict, *, when: bool | None, n: int, aside: bool) -> Finding:
    return book.say(
        id,
        values,
        when=when,
        n=n,
        at_least=1,
        aside=aside,
        yes="{measure:word}, {then:figure} in {previous} and {now:figure} now, was raised by (cause {place:count}): {part:word}, {moved:figure} ({low:figure} to {high:figure}).",
        no="{measure:word}, {then:figure} in {previous} and {now:figure} now, was lowered by (cause {place:count}): {part:word}, {moved:figure} ({low:figure} to {high:figure}).",
        few="{measure:word}, {then:figure} in {previous} and {now:figure} now, has no cause {place:count}: {part:word}, {moved:figure} ({low:figure} to {high:figure}), is no more than chance would do.",
    )


def _unsure(book: Book, id: str, values: dict, *, when: bool | None, n: int, aside: bool) -> Finding:
    return book.say(
        id,
        values,
        when=when,
        n=n,
        at_least=1,
        aside=aside,
        yes="{measure:word}, cause {place:count}: {part:word} raised it.",
        no="{measure:word}, cause {place:count}: {part:word} lowered it.",
        few="{measure:word}: too few {of:phrase} in {previous} or now to say what moved it.",
        absent="{measure:word}: nobody can say what moved it since {previous}: {why:phrase}.",
    )


def segment(book: Book, found: Explained, drilled: Drilled, previous: str) -> Finding:
    """The segment that moved apart from all others, and the one within it; or that none did."""
    values: dict[str, Any] = {"measure": found.name, "previous": previous, "why": drilled.why}
    values |= {"of": found.tally.of, "tried": drilled.tried}
    for nth, level in enumerate(drilled.found, start=1):
        first = level.tried.iloc[0]
        values |= {f"attribute_{nth}": first["attribute"], f"group_{nth}": first["group"]}
        for name in ("then", "today", "rest_then", "rest_today"):
            values[f"{name}_{nth}"] = _figure(book, found, first[name], 1)
        if level.within:
            values |= {"attribute_0": level.within[0], "group_0": level.within[1]}
    say = _in_a_matter if "group_0" in values else _deeper if len(drilled.found) > 1 else _one_level
    told_apart = None if drilled.why else bool(drilled.found)
    return say(book, f"segment.{found.id}", values, when=told_apart, n=values["tried"])


def _one_level(book: Book, id: str, values: dict, *, when: bool | None, n: int) -> Finding:
    return book.say(
        id,
        values,
        when=when,
        n=n,
        at_least=1,
        yes="{measure:word}: of {tried:count} segments one moved most apart from all others since {previous}: {attribute_1:word} {group_1:word}, from {then_1:figure} to {today_1:figure}; all others from {rest_then_1:figure} to {rest_today_1:figure}.",
        no="{measure:word}: of {tried:count} segments none moved otherwise than all others since {previous} by more than chance.",
        few="{measure:word}: no segment has enough {of:phrase} in {previous} and now to be held against all others.",
        absent="{measure:word}: nobody can say which segment moved it since {previous}: {why:phrase}.",
    )


def _deeper(book: Book, id: str, values: dict, *, when: bool | None, n: int) -> Finding:
    return book.say(
        id,
        values,
        when=when,
        yes="{measure:word}: of {tried:count} segments one moved most apart from all others since {previous}: {attribute_1:word} {group_1:word}, from {then_1:figure} to {today_1:figure}; all others from {rest_then_1:figure} to {rest_today_1:figure}. Within it: {attribute_2:word} {group_2:word}, from {then_2:figure} to {today_2:figure}; the rest of it from {rest_then_2:figure} to {rest_today_2:figure}.",
        no="",
        n=n,
    )


def _in_a_matter(book: Book, id: str, values: dict, *, when: bool | None, n: int) -> Finding:
    return book.say(
        id,
        values,
        when=when,
        yes="{measure:word}: of {tried:count} segments one moved most apart since {previous}: {attribute_0:word} {group_0:word}, {attribute_1:word} {group_1:word}, from {then_1:figure} to {today_1:figure}; the rest of {group_0:word} from {rest_then_1:figure} to {rest_today_1:figure}.",
        no="",
        n=n,
    )


def carrier(book: Book, found: Explained, previous: str) -> Finding:
    """Of a measure counted whole, the group that carries most of its change, as far as one does.

    It carries it where it makes up more than half of all that groups moved, up or down.
    """
    values: dict[str, Any] = {"measure": found.name, "previous": previous, "why": found.why, "by": found.by}
    moved = (
        [] if found.why else [(abs(row.change), row.group, row.change) for row in found.parts.itertuples()]
    )
    whole = sum(size for size, *_ in moved)
    if whole:
        size, group, change = max(moved, key=lambda each: each[0])
        values |= {"group": group, "share": float(size / whole), "moved": _figure(book, found, change, 0)}
    return book.say(
        f"carrier.{found.id}",
        values,
        when=None if found.why else values.get("share", 0) > 0.5,
        n=len(moved) if whole else 0,
        at_least=2,
        yes="{measure:word}: most of what moved since {previous} lies with {group:word} ({by:word}): {moved:figure}, {share:share} of all ups and downs.",
        no="{measure:word}: no group makes up half of what moved since {previous}; the largest is {group:word} ({by:word}): {moved:figure}, {share:share} of all ups and downs.",
        few="{measure:word}: there are no two groups that could have moved apart since {previous}.",
        absent="{measure:word}: nobody can say which group moved it since {previous}: {why:phrase}.",
    )
