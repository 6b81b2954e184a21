"""Who left: cases to learn from, each a customer on a day in the past and what became of them (M03).

With order lines the outcome is the glossary's own: who was not churned (X02) on the cut-off and is churned when
the horizon ends has left. The `gap` lies between: whoever was churned by its end left too soon for anybody to do something
about it, and is no case; nor is whoever could not be churned by the end even if they never came again. With totals alone the outcome is the firm's own mark, and there is one case a customer.
"""

import hashlib
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from crmlib.analysis import evidence, intervals, totals_told
from crmlib.analysis.evidence import Evidence
from crmlib.classification import classes, stated
from crmlib.client import Client
from crmlib.period import day_of
from crmlib.retention import ChurnRule
from crmlib.rules import BehaviourRule

UNITS = {
    "cut_off": "date",
    "left": "count",
    "left_share": "share",
    "left_share_low": "share",
    "left_share_high": "share",
}
UNITS |= {"share_of_left": "share", "share_asked": "share"} | dict.fromkeys(
    ("logistic", "tree", "network", "boosting"), "number"
)
PLAIN = ("customer_id", "cut_off", "left", "worth")


@dataclass(frozen=True)
class Cases:
    """What is learnt from, and whom it is told of.

    Parameters
    ----------
    table : customer_id, cut_off (day number; 0 of totals), left, worth (smallest unit: sales of the year before),
        and the inputs
    current : the customers still there, in the same columns but `left`
    numbers, words : names of the inputs
    undated : inputs of which nobody knows whether they are older than the outcome
    horizon, gap : days; 0 of totals
    why : why there is nothing; "" otherwise
    """

    table: pd.DataFrame
    current: pd.DataFrame
    numbers: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    undated: tuple[str, ...] = ()
    source: str = ""
    horizon: int = 0
    gap: int = 0
    why: str = ""
    constant: tuple[str, ...] = field(default=())

    @property
    def inputs(self) -> list[str]:
        """Names of everything learnt from."""
        return [*self.numbers, *self.words]

    @property
    def cut_offs(self) -> list[int]:
        """The days in the past, oldest first."""
        return sorted(self.table["cut_off"].unique().tolist()) if len(self.table) else []

    @property
    def left(self) -> int:
        """How many cases left."""
        return int(self.table["left"].sum()) if len(self.table) else 0


def nothing(why: str, source: str = "") -> Cases:
    """No cases, and the reason."""
    empty = pd.DataFrame(columns=list(PLAIN))
    return Cases(empty, empty.drop(columns="left"), source=source, why=why)


def cut_offs(first: int, last: int, *, rule: ChurnRule, horizon: int) -> list[int]:
    """Days from which is learnt, oldest first: each one's outcome is known when the next one comes.

    Parameters
    ----------
    first, last : day numbers of the first order and of `as_of`

    Examples
    --------
    Half a year and two weeks each, and a year of history before the first:

    >>> cut_offs(0, 1000, rule=ChurnRule(cut_offs=4), horizon=180)
    [418, 612, 806]
    """
    step = rule.gap_days + horizon
    days = [last - step * n for n in range(1, rule.cut_offs + 1)]
    return sorted(day for day in days if day - first >= evidence.YEAR)


def cases(client: Client, known: Evidence | None, *, as_of: int) -> Cases:
    """Cases of whatever a client supplies: order lines, else totals with a mark of who has left.

    Parameters
    ----------
    known : as `evidence.evidence` gives it; None where no order line is supplied
    """
    if known is not None:
        return by_orders(known, client.churn, client.classes.behaviour, as_of=as_of)
    totals = stated.totals(client, as_of=as_of)
    if totals is None:
        return nothing("not_supplied")
    mapped = dict(client.tables.snapshot.columns)
    return by_mark(totals, totals_told.delivered(client), client.churn, mapped=mapped)


def by_orders(found: Evidence, rule: ChurnRule, behaviour: BehaviourRule, *, as_of: int) -> Cases:
    """Cases from order lines, as known on `as_of`.

    Returns
    -------
    Cases; rows stand in the order of a hash of the customer's number, so that neither the order of files nor
    the number decides in which part a customer is tried
    """
    now, horizon = found.facts(as_of), rule.horizon(behaviour)
    if now.empty:
        return nothing("not_supplied", "transactions")
    days = cut_offs(int(now["first_day"].min()), as_of, rule=rule, horizon=horizon)
    if not days:
        return nothing("short_history", "transactions")
    parts = [_case(found, rule, behaviour, day=day, horizon=horizon) for day in days]
    current = there(found, behaviour, day=as_of, ahead=rule.gap_days + horizon)
    inputs = [
        name
        for name in (*evidence.NUMBERS, *evidence.WORDS)
        if name in current and name not in rule.leave_out
    ]
    table = hashed(pd.concat(parts, ignore_index=True).reindex(columns=[*PLAIN, *inputs]))
    return _varied(
        Cases(
            table,
            hashed(current)[[*(name for name in PLAIN if name != "left"), *inputs]],
            tuple(name for name in evidence.NUMBERS if name in inputs),
            tuple(name for name in evidence.WORDS if name in inputs),
            tuple(name for name in evidence.WORDS if name in inputs and name != "habit_channel"),
            "transactions",
            horizon,
            rule.gap_days,
        )
    )


def there(found: Evidence, behaviour: BehaviourRule, *, day: int, ahead: int) -> pd.DataFrame:
    """Customers not churned on a day whom so many days of silence would make so, with what is known of them on it.

    Of a customer whose own rhythm is slow the rule itself says that they cannot have left by then, whatever they do: to
    foretell that is no art, and would only make a model look better than it is.
    """
    known = found.facts(day)
    silent = classes.judged_behaviour(known.assign(recency_days=known["recency_days"] + ahead), behaviour)
    could = silent.set_index("customer_id")["behaviour"] == "churned"
    rows = evidence.features(found, cut_off=day, rule=behaviour)
    state = rows["customer_id"].map(found.behaviour(day, behaviour))
    here = rows[state.isin(("active", "dormant")) & rows["customer_id"].map(could)]
    return here.assign(cut_off=day, worth=here["gross_year"])


def _case(
    found: Evidence, rule: ChurnRule, behaviour: BehaviourRule, *, day: int, horizon: int
) -> pd.DataFrame:
    known = there(found, behaviour, day=day, ahead=rule.gap_days + horizon)
    soon, end = (
        known["customer_id"].map(found.behaviour(at, behaviour)) == "churned"
        for at in (day + rule.gap_days, day + rule.gap_days + horizon)
    )
    return known.assign(left=end)[~soon]


def by_mark(
    totals: pd.DataFrame | None, collected: pd.DataFrame, rule: ChurnRule, *, mapped: dict[str, str]
) -> Cases:
    """Cases from a snapshot whose customers are marked as gone or still there.

    Parameters
    ----------
    totals : each customer's totals, as `stated.totals` gives them; None where no snapshot is supplied
    collected : the snapshot as delivered, every column text
    mapped : our columns and their headers
    """
    if totals is None or "churned" not in totals or not totals["churned"].notna().any():
        return nothing("not_supplied", "snapshot")
    rows, numbers, words = totals_told.inputs(totals, collected, mapped=mapped, leave_out=rule.leave_out)
    rows = hashed(rows[rows["left"].notna()].assign(cut_off=0))
    rows["left"] = rows["left"].astype(bool)
    columns = [*PLAIN, *numbers, *words]
    current = rows.loc[~rows["left"], columns].drop(columns="left")
    found = Cases(rows[columns], current, tuple(numbers), tuple(words), (*numbers, *words), "snapshot")
    return _varied(found)


def _varied(found: Cases) -> Cases:
    """The cases without inputs that are the same for everyone: these tell nothing."""
    alike = tuple(name for name in found.inputs if found.table[name].nunique(dropna=False) < 2)
    keep = {
        part: tuple(n for n in getattr(found, part) if n not in alike)
        for part in ("numbers", "words", "undated")
    }
    return Cases(
        found.table.drop(columns=list(alike)),
        found.current.drop(columns=list(alike)),
        source=found.source,
        horizon=found.horizon,
        gap=found.gap,
        constant=alike,
        **keep,
    )


def without(found: Cases, names: list[str]) -> Cases:
    """The cases without some inputs."""
    drop = [name for name in names if name in found.inputs]
    keep = {
        part: tuple(n for n in getattr(found, part) if n not in drop)
        for part in ("numbers", "words", "undated")
    }
    return Cases(
        found.table.drop(columns=drop),
        found.current.drop(columns=drop),
        source=found.source,
        horizon=found.horizon,
        gap=found.gap,
        constant=found.constant,
        why=found.why,
        **keep,
    )


def hashed(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows by cut-off and, within, by a hash of the customer's number."""
    marks = [mark(id) for id in rows["customer_id"]]
    ordered = rows.assign(_mark=marks).sort_values(["cut_off", "_mark", "customer_id"], ignore_index=True)
    return ordered.drop(columns="_mark")


def mark(id: str) -> int:
    """A number of 32 bits that a customer's number always gives and that says nothing of it."""
    return int.from_bytes(hashlib.sha256(str(id).encode()).digest()[:4])


def estimable(found: Cases, rule: ChurnRule) -> str:
    """Why nothing can be learnt; "" where it can.

    Every part that is learnt from or tried on needs both outcomes; a model of fewer cases than `events` is a guess.
    """
    if found.why:
        return found.why
    stayed = len(found.table) - found.left
    if not found.left or not stayed:
        return "one_class"
    if min(found.left, stayed) < rule.events:
        return "few_events"
    return "" if found.inputs else "no_inputs"


def by_cut_off(found: Cases) -> pd.DataFrame:
    """Cases of each cut-off: day (a number), customers, left, left_share with its 90 % interval."""
    rows = []
    for day, part in found.table.groupby("cut_off") if len(found.table) else ():
        share = intervals.share(int(part["left"].sum()), len(part))
        rows.append(
            (int(day), len(part), int(part["left"].sum()), share["value"], share["low"], share["high"])
        )
    columns = ["cut_off", "customers", "left", "left_share", "left_share_low", "left_share_high"]
    return pd.DataFrame(rows, columns=columns)


def dated(table: pd.DataFrame) -> pd.DataFrame:
    """The table with its cut-offs as dates; totals have none."""
    return table.assign(cut_off=[day_of(int(day)) if day else None for day in table["cut_off"]])


def part(found: Cases, rows: np.ndarray | pd.Series) -> pd.DataFrame:
    """Some of the cases."""
    return found.table[np.asarray(rows)].reset_index(drop=True)
