"""What customers will buy and spend in a time ahead: what is expected, and what may come of it.

Expectations are by formula. What may come is played out: for sets of parameters that the data allow, each
customer has left or not, has a rate, buys, may leave after each purchase, spends. So an interval holds what
chance does beside what is not known of the parameters.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from crmlib.analysis import bgnbd, gamma_gamma
from crmlib.analysis.estimation import LEVEL, Estimate
from crmlib.analysis.purchases import EVERY
from crmlib.outlook import Outlook

WEEK = bgnbd.WEEK
PLAYED = 2_000_000  # customers times plays, of all; more only costs time
MOST, LEAST = 1000, 100  # plays
BLOCK = 1_000_000  # customers times plays at once
WAYS = ("own", "one", "none")


@dataclass(frozen=True)
class Model:
    """How customers buy and what they spend; `why` says why that is not estimable.

    Parameters
    ----------
    full : the fit in which each customer has an own chance to leave, whether it could be had or not
    buying : the fit that is used: the richest whose parameters the data tell apart
    leaving : its kind, a key of `bgnbd.LEAVING`
    spending : the fit of amounts of all customers, in main units of money
    kinds : the fits of amounts that are used, by kind of customer; `EVERY` where they are not told apart
    """

    full: Estimate
    buying: Estimate
    leaving: str
    spending: Estimate
    why: str = ""
    customers: int = 0
    again: int = 0
    kinds: dict[str, Estimate] = field(default_factory=dict)
    parameters: np.ndarray = field(default_factory=lambda: np.empty(0))

    @property
    def values_too(self) -> bool:
        """Whether what customers spend can be told, beside how often they buy."""
        return not self.why and bool(self.kinds)


def nothing(why: str, customers: int = 0, again: int = 0) -> Model:
    """The model of customers who have none."""
    full = Estimate(bgnbd.NAMES, why=why)
    return Model(full, full, "own", Estimate(gamma_gamma.NAMES, why=why), why, customers, again)


def model(people: pd.DataFrame | None, rule: Outlook, *, decimals: int | None) -> Model:
    """The model of a client's customers.

    Parameters
    ----------
    people : as `purchases.purchases` gives them, with `kind` where kinds of customer are known; None where no
        order lines are supplied
    decimals : of money; None where only purchases are asked for

    Notes
    -----
    Where chances to leave are not told apart between customers, a and b run on without end and only their
    ratio is known: then one chance is taken for all; and where nobody is seen to leave, none. These are the
    same model at its edge, with fewer parameters, and what is used is told.
    """
    if people is None:
        return nothing("no_order_lines")
    again = int((people["repeats"] > 0).sum())
    if len(people) < rule.at_least or 0 < again < rule.came_again:
        return nothing("few_customers", len(people), again)
    fits = {}
    for leaving in WAYS:
        fits[leaving] = bgnbd.fit(people, leaving=leaving)
        if not fits[leaving].why or fits[leaving].why == "all_one_time":
            break
    buying, full = fits[leaving], fits["own"]
    every, kinds = _spending(people, rule, decimals)
    sizes = {"customers": len(people), "again": again, "kinds": kinds}
    if buying.why:
        return Model(full, buying, leaving, every, full.why, **sizes)
    return Model(full, buying, leaving, every, parameters=bgnbd.whole(buying.logs, leaving), **sizes)


def _spending(
    people: pd.DataFrame, rule: Outlook, decimals: int | None
) -> tuple[Estimate, dict[str, Estimate]]:
    """The fit of all amounts, and those that are used by kind of customer.

    A person's and a firm's orders lie so far apart that one distribution over both has no end.
    """
    if decimals is None:
        return Estimate(gamma_gamma.NAMES, why="not_asked"), {}
    main = people.assign(repeat_spend=people["repeat_spend"] / 10**decimals)
    every = gamma_gamma.fit(main)
    kind = kind_of(people)
    again = kind[people["repeats"] > 0].value_counts()
    asked = [
        name for name in sorted(kind.unique()) if again.get(name, 0) >= rule.came_again and name != EVERY
    ]
    each = {name: gamma_gamma.fit(main[kind == name]) for name in asked}
    kinds = {name: fit for name, fit in each.items() if not fit.why}
    if not every.why:
        kinds[EVERY] = every
    # Customers of a kind without a fit of its own lean on that of all.
    return every, kinds if EVERY in kinds or set(kind) <= set(kinds) else {}


def kind_of(people: pd.DataFrame) -> pd.Series:
    """Each customer's kind, `EVERY` where none is known."""
    return people["kind"] if "kind" in people else pd.Series(EVERY, index=people.index)


def _place(model: Model, people: pd.DataFrame) -> np.ndarray:
    """The place of each customer's kind among the fits of amounts."""
    places = {kind: place for place, kind in enumerate(model.kinds)}
    return kind_of(people).map(places).fillna(places.get(EVERY, 0)).to_numpy(int)


def times(people: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Repeats, and active and whole time in weeks."""
    return (
        people["repeats"].to_numpy(),
        people["active_days"].to_numpy() / WEEK,
        people["tenure_days"].to_numpy() / WEEK,
    )


def alive(model: Model, people: pd.DataFrame) -> np.ndarray:
    """The probability of each customer to buy still."""
    return bgnbd.alive(model.parameters, *times(people))


def expected(model: Model, people: pd.DataFrame, *, days: float) -> np.ndarray:
    """Purchases that each customer is expected to make within so many days; customers alike are asked once."""
    columns = ["repeats", "active_days", "tenure_days"]
    codes = people.groupby(columns, sort=False).ngroup().to_numpy()
    kinds = people[columns].iloc[np.unique(codes, return_index=True)[1]]
    return bgnbd.expected(model.parameters, *times(kinds), days / WEEK)[codes]


def discounted(model: Model, people: pd.DataFrame, rule: Outlook) -> np.ndarray:
    """Purchases expected within the horizon, each counting less by the time until it comes.

    By parts: what is bought by the end, at its discount, and the interest on what was bought before, taken
    at the places of Gauss and Legendre; the expectation is smooth and bends one way.
    """
    rate = np.log1p(rule.discount) / 365.25
    total = np.exp(-rate * rule.days) * expected(model, people, days=rule.days)
    if rate:
        places, weights = np.polynomial.legendre.leggauss(6)
        for place, weight in zip((places + 1) / 2 * rule.days, weights / 2 * rule.days, strict=True):
            total += weight * rate * np.exp(-rate * place) * expected(model, people, days=place)
    return total


def spend(model: Model, people: pd.DataFrame, *, decimals: int) -> np.ndarray:
    """What each customer is expected to spend an order, in the smallest unit."""
    main = people["repeat_spend"].to_numpy() / 10**decimals
    parameters = np.array([fit.values for fit in model.kinds.values()])[_place(model, people)].T
    return gamma_gamma.spend(parameters, people["repeats"].to_numpy(), main) * 10**decimals


@dataclass(frozen=True)
class Played:
    """What came of playing: per customer the interval, per group every play's sum."""

    low: np.ndarray
    high: np.ndarray
    sums: dict[str, pd.DataFrame]  # of value: group by play
    counts: dict[str, pd.DataFrame]  # of purchases

    def interval(self, name: str, *, of: str = "sums") -> pd.DataFrame:
        """low and high of each group of a column's sums, or `of` its counts."""
        return quantiles(getattr(self, of)[name])

    def total(self, *, of: str = "sums") -> tuple[float, float]:
        """low and high over all customers."""
        every = next(iter(getattr(self, of).values())).sum(axis=0)
        low, high = np.quantile(every, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return float(low), float(high)


def quantiles(plays: pd.DataFrame) -> pd.DataFrame:
    """The 90 % interval of every row: low, high."""
    low, high = np.quantile(plays.to_numpy(), [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=1)
    return pd.DataFrame({"low": low, "high": high}, index=plays.index)


def played(
    model: Model,
    people: pd.DataFrame,
    groups: pd.DataFrame,
    *,
    days: float,
    decimals: int,
    discount: float = 0.0,
    seed: int = 0,
) -> Played:
    """What may come of the next days, played out.

    Parameters
    ----------
    people : as `purchases.purchases` gives them
    groups : classes of the same customers, row by row; sums are kept for each column
    days, discount : the time ahead, and what money a year from now is worth less
    """
    plays = int(np.clip(PLAYED // max(len(people), 1), LEAST, MOST))
    rng = np.random.default_rng(seed)
    sets = bgnbd.whole(model.buying.draws[rng.integers(0, len(model.buying.draws), plays)], model.leaving)
    amounts, kind = None, _place(model, people) if model.kinds else np.zeros(len(people), int)
    if model.kinds:
        each = [fit.draws[rng.integers(0, len(fit.draws), plays)] for fit in model.kinds.values()]
        amounts = np.exp(np.stack(each))
    codes = {name: pd.factorize(groups[name], sort=True) for name in groups}
    sums = {name: np.zeros((len(levels), plays)) for name, (_, levels) in codes.items()}
    counts = {name: np.zeros((len(levels), plays)) for name, (_, levels) in codes.items()}
    low, high = np.empty(len(people)), np.empty(len(people))
    people = people.assign(main_spend=people["repeat_spend"] / 10**decimals)
    size = max(BLOCK // plays, 1)
    for at in range(0, len(people), size):
        part = slice(at, at + size)
        bought, value = _play(
            sets, amounts, kind[part], people.iloc[part], days=days, discount=discount, rng=rng
        )
        value *= 10**decimals
        low[part], high[part] = np.quantile(value, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
        for name, (code, _) in codes.items():
            of_each = np.eye(len(sums[name]))[code[part]]
            sums[name] += (value @ of_each).T
            counts[name] += (bought @ of_each).T
    named = ({n: pd.DataFrame(part[n], index=codes[n][1]) for n in codes} for part in (sums, counts))
    return Played(low, high, *named)


def _play(
    sets: np.ndarray,
    amounts: np.ndarray | None,
    kind: np.ndarray,
    people: pd.DataFrame,
    *,
    days: float,
    discount: float,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Purchases, and their discounted value in main units: plays by customers."""
    x, active, tenure = times(people)
    stays = rng.random((len(sets), len(people))) < bgnbd.alive(sets.T[:, :, None], x, active, tenure)
    play, who = np.nonzero(stays)
    r, alpha, _, _ = sets[play].T
    wished = rng.poisson(rng.gamma(r + x[who]) / (alpha + tenure[who]) * (days / WEEK))
    play, who, wished = (part[wished > 0] for part in (play, who, wished))
    _, _, a, b = sets[play].T
    chance = np.clip(rng.beta(a, b + x[who]), 1e-300, 1 - 1e-16)
    # After so many purchases they leave.
    last = np.ceil(np.log(rng.random(len(who))) / np.log1p(-chance))
    bought = np.minimum(wished, np.maximum(last, 1))
    counts, value = np.zeros(stays.shape), np.zeros(stays.shape)
    counts[play, who] = bought
    if amounts is not None:
        p, q, gamma = amounts[kind[who], play].T
        spent = people["main_spend"].to_numpy()[who]
        told = np.where(spent > 0, x[who], 0)
        scale = (gamma + np.where(told > 0, spent, 0.0)) / rng.gamma(q + p * told)
        value[play, who] = rng.gamma(p * bought) * scale * _until(bought, wished, days, discount)
    return counts, value


def _until(bought: np.ndarray, wished: np.ndarray, days: float, discount: float) -> np.ndarray:
    """The mean discount of purchases that come evenly: of so many in the time, the first ones.

    >>> _until(np.array([1.0]), np.array([1]), 365.25, 0.21).round(4).tolist()
    [0.9091]
    """
    step = np.log1p(discount) / 365.25 * days / (wished + 1)
    if not discount:
        return np.ones(len(bought))
    return np.exp(-step) * np.expm1(-bought * step) / (bought * np.expm1(-step))
