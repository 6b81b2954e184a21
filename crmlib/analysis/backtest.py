"""Does the model of customer value hold? What it would have said then, beside what came.

The known time is cut in two: the model sees the first part (calibration) and foretells the second
(hold-out), in purchases and in sales, for all and for classes by orders so far. A correction of its level
is learnt inside the calibration alone, walking forward, and is only opened in the hold-out.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from crmlib.analysis import bgnbd, prediction
from crmlib.analysis.prediction import Model, Played
from crmlib.analysis.purchases import daily, purchases
from crmlib.outlook import Outlook
from crmlib.period import day_of

STEPS = 13  # of the hold-out, at which prediction and truth are set side by side
FOLDS = 4  # stretches of the calibration's second half, each foretold from its beginning
LEVELS = ((1, "one_order"), (2, "two_orders"), (3, "three_orders"), (6, "four_to_six"))
MOST = "seven_or_more"
UNITS = {
    "orders_so_far": "word",
    "foreseen": "count",
    "foreseen_low": "count",
    "foreseen_high": "count",
    "came": "count",
    "off": "share",
    "sales_foreseen": "money",
    "sales_foreseen_low": "money",
    "sales_foreseen_high": "money",
    "sales_came": "money",
    "sales_off": "share",
}
TRACK_UNITS = {"day": "date", "foreseen": "count", "came": "count"}
FOLD_UNITS = {"from_day": "date", "to_day": "date", "foreseen": "count", "came": "count", "ratio": "number"}


@dataclass(frozen=True)
class Backtest:
    """What was foretold and what came; `why` where nothing could be foretold.

    Parameters
    ----------
    cut, as_of : last day of the calibration and of the hold-out, as day numbers
    model : as it was known at the cut
    table : by orders so far, in the columns of `UNITS`, with customers
    track : day, foreseen and came so far, from the first day on
    folds : from_day, to_day, foreseen, came, ratio of each stretch inside the calibration
    correction : what the stretches chose; 1 where nothing beat the plain model
    totals : foreseen, foreseen_low, foreseen_high, came, and the same of sales
    """

    cut: int
    as_of: int
    model: Model
    table: pd.DataFrame
    track: pd.DataFrame
    folds: pd.DataFrame
    correction: float
    totals: dict[str, float]
    why: str = ""


def cut_of(first_day: int, as_of: int, rule: Outlook) -> int:
    """The last day that the model sees: the horizon before as_of, or the middle of a shorter history.

    >>> cut_of(0, 1095, Outlook()), cut_of(0, 545, Outlook())
    (730, 272)
    """
    return as_of - min(rule.days, (as_of - first_day + 1) // 2)


def classed(people: pd.DataFrame) -> pd.Series:
    """Customers by their days with an order so far.

    >>> classed(pd.DataFrame({"repeats": [0, 4, 9]})).tolist()
    ['one_order', 'four_to_six', 'seven_or_more']
    """
    orders = people["repeats"] + 1
    names = np.select([orders <= most for most, _ in LEVELS], [name for _, name in LEVELS], MOST)
    return pd.Series(names, index=people.index, name="orders_so_far")


def backtest(
    transactions: Any, people: pd.DataFrame | None, *, as_of: int, rule: Outlook, decimals: int
) -> Backtest:
    """The model fitted at the cut, and what came of its words by as_of.

    Parameters
    ----------
    transactions : order lines up to as_of, in the columns of `tables.TRANSACTIONS`
    people : their purchases by as_of; None where no order lines are supplied
    """
    if people is None or people.empty:
        return _nothing(as_of, "no_order_lines")
    first = int(people["first_day"].min())
    cut = cut_of(first, as_of, rule)
    then = purchases(transactions, as_of=cut)
    if "kind" in people:
        then["kind"] = then["customer_id"].map(people.set_index("customer_id")["kind"])
    told = prediction.model(then, rule, decimals=decimals)
    if told.why:
        return _nothing(as_of, told.why, told, cut)
    folds = walked(lambda day: purchases(transactions, as_of=day), first, cut, rule)
    factor = correction(folds)
    came = outcome(then, people)
    expected = prediction.expected(told, then, days=as_of - cut)
    groups = classed(then).to_frame()
    play = prediction.played(told, then, groups, days=as_of - cut, decimals=decimals)
    table, totals = _beside(told, then, expected, came, play, decimals=decimals)
    track = tracked(daily(transactions, as_of=as_of, first_by=cut), then, told, cut=cut, as_of=as_of)
    return Backtest(cut, as_of, told, table, track, folds, factor, totals)


def _nothing(as_of: int, why: str, model: Model | None = None, cut: int | None = None) -> Backtest:
    empty = pd.DataFrame(columns=["orders_so_far", "customers", *list(UNITS)[1:]])
    folds = pd.DataFrame(columns=list(FOLD_UNITS))
    track = pd.DataFrame(columns=["day", "foreseen", "came"])
    model = model or prediction.nothing(why)
    return Backtest(as_of if cut is None else cut, as_of, model, empty, track, folds, 1.0, {}, why)


def outcome(then: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """What customers of then did since, in their order: came (days with an order), sales_came."""
    later = now.set_index("customer_id").reindex(then["customer_id"])
    sales = [frame["first_spend"].to_numpy() + frame["repeat_spend"].to_numpy() for frame in (later, then)]
    came = later["repeats"].to_numpy() - then["repeats"].to_numpy()
    return pd.DataFrame({"came": came.astype("int64"), "sales_came": (sales[0] - sales[1]).astype("int64")})


def _beside(
    model: Model,
    then: pd.DataFrame,
    expected: np.ndarray,
    came: pd.DataFrame,
    play: Played,
    *,
    decimals: int,
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Prediction and truth by orders so far, and over all."""
    told = model.values_too
    each = prediction.spend(model, then, decimals=decimals) if told else np.nan
    rows = came.assign(foreseen=expected, sales_foreseen=expected * each, customers=1)
    sums = rows.groupby(classed(then).to_numpy()).sum(min_count=1)
    totals = rows.sum(min_count=1).to_dict()
    for name, of in (("foreseen", "counts"), ("sales_foreseen", "sums")):
        known = told or of == "counts"
        span = (
            play.interval("orders_so_far", of=of)
            if known
            else pd.DataFrame({"low": np.nan, "high": np.nan}, sums.index)
        )
        sums[[f"{name}_low", f"{name}_high"]] = span[["low", "high"]]
        totals[f"{name}_low"], totals[f"{name}_high"] = play.total(of=of) if known else (np.nan, np.nan)
    sums["off"] = sums["foreseen"] / sums["came"].where(sums["came"] > 0) - 1
    sums["sales_off"] = sums["sales_foreseen"] / sums["sales_came"].where(sums["sales_came"] > 0) - 1
    order = [name for _, name in LEVELS] + [MOST]
    table = sums.reindex([name for name in order if name in sums.index]).rename_axis("orders_so_far")
    return table.reset_index()[["orders_so_far", "customers", *list(UNITS)[1:]]], totals


def tracked(by_day: pd.DataFrame, then: pd.DataFrame, model: Model, *, cut: int, as_of: int) -> pd.DataFrame:
    """Repeat purchases so far of the customers known at the cut: day, foreseen, came.

    Up to the cut `foreseen` is what the model says of new customers, by the days on which they came; from then on
    what came by the cut and what it foretells of each customer.
    """
    step = max((as_of - cut) / STEPS, 1.0)
    first = int(then["first_day"].min())
    before = np.arange(cut, first, -step)[::-1].round().astype(int)
    after = np.arange(cut + step, as_of + step / 2, step).round().astype(int)
    new = np.bincount(then["first_day"] - first, minlength=cut - first + 1)
    bought = bgnbd.bought(model.parameters, np.arange(cut - first + 1) / bgnbd.WEEK)
    told = np.convolve(new, bought)[: cut - first + 1]
    so_far = float(then["repeats"].sum())
    foreseen = [told[day - first] for day in before]
    foreseen += [so_far + prediction.expected(model, then, days=day - cut).sum() for day in after]
    days = np.concatenate([before, after])
    sums = np.concatenate([[0], by_day["purchases"].cumsum()])
    came = sums[np.searchsorted(by_day["order_day"], days, side="right")]
    return pd.DataFrame({"day": days, "foreseen": foreseen, "came": came})


def walked(known: Callable[[int], pd.DataFrame], first: int, cut: int, rule: Outlook) -> pd.DataFrame:
    """The second half of the calibration in stretches, each foretold by what was known when it began.

    Parameters
    ----------
    known : purchases by a day

    Returns
    -------
    from_day, to_day, foreseen, came, ratio (came ÷ foreseen); none where a stretch cannot be foretold
    """
    ends = np.linspace(first + (cut - first) / 2, cut, FOLDS + 1).round().astype(int)
    rows = []
    then = known(int(ends[0]))
    for begin, end in itertools.pairwise(ends):
        told, now = prediction.model(then, rule, decimals=None), known(int(end))
        if told.why:
            return pd.DataFrame(columns=list(FOLD_UNITS))
        foreseen = float(prediction.expected(told, then, days=end - begin).sum())
        came = int(outcome(then, now)["came"].sum())
        rows.append((int(begin), int(end), foreseen, came, came / foreseen if foreseen else np.nan))
        then = now
    return pd.DataFrame(rows, columns=list(FOLD_UNITS))


def correction(folds: pd.DataFrame) -> float:
    """The factor on the level that the stretches choose, 1 where nothing beats the plain model.

    Two are tried on every stretch after the first: the mean ratio of the stretches before it, and the ratio
    of the last one. The better of them is taken if on each of these stretches it came nearer than the
    plain model; a model that is off by chance passes that seldom, one that is off always does.

    >>> correction(pd.DataFrame({"ratio": [0.8, 0.82, 0.79, 0.81]})).__round__(3)
    0.805
    >>> correction(pd.DataFrame({"ratio": [0.95, 1.04, 0.97, 1.01]}))
    1.0
    """
    logs = np.log(folds["ratio"].to_numpy(float)) if len(folds) == FOLDS else np.empty(0)
    if len(logs) < FOLDS or not np.isfinite(logs).all():
        return 1.0
    tries = {"mean": lambda past: past.mean(), "last": lambda past: past[-1]}
    plain, found = np.abs(logs[1:]), {}
    for name, factor in tries.items():
        error = np.abs([logs[n] - factor(logs[:n]) for n in range(1, FOLDS)])
        if (error < plain).all():
            found[name] = error.mean()
    return float(np.exp(tries[min(found, key=found.get)](logs))) if found else 1.0


def helped(test: Backtest) -> bool:
    """Whether the chosen correction came nearer in the hold-out than the plain model."""
    if test.why or test.correction == 1:
        return False
    foreseen, came = test.totals["foreseen"], test.totals["came"]
    return bool(came > 0 and abs(np.log(test.correction * foreseen / came)) < abs(np.log(foreseen / came)))


def dated(table: pd.DataFrame) -> pd.DataFrame:
    """The table with its day numbers as dates."""
    days = [name for name in ("day", "from_day", "to_day") if name in table]
    return table.assign(**{name: [day_of(day) for day in table[name]] for name in days})
