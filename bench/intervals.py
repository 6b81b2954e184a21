"""How often each kind of interval holds the truth: 2,000 clients for every kind, shape and size.

A client is drawn from customers whose truth is known, its interval is computed as the workbook computes it,
and the truth lies in it or not. Printed are, for each kind, shape and size, how many of the given intervals
hold the truth, how many were refused, and how wide they are in the middle, as a share of the truth (of the
whole scale where there is one, of the total before where it is a change). Then what cheaper or better known intervals hold on the same clients, and
shapes beyond the promise, which are shown and not judged. Ends with an error where a size that is not refused
holds the truth less than 87 times in a hundred. Run: python bench/intervals.py [clients]
"""

import sys
import time
import zlib
from collections.abc import Callable, Iterator

import numpy as np
from scipy import stats

from crmlib.analysis import intervals

CLIENTS, LEAST = 2_000, 0.87
LADDER = (10, 12, 15, 20, 30, 50, 100, 300, 500, 1000)
SMALL = (1, 3, *LADDER)
# Hundreds of sizes are judged: one that holds the truth just 87 times in a hundred falls below it in half of all
# runs by chance. What falls below is therefore drawn again with ten times the clients, and judged with three
# standard errors of that (0.7 points), which a size that keeps the promise passes 999 times in 1,000.
AGAIN, ERRORS = 10, 3
Bounds = tuple[np.ndarray, np.ndarray]
Drawn = tuple[np.ndarray, np.ndarray, float]  # low, high, truth
Draw = Callable[[np.random.Generator, int, int], Drawn]  # chance, clients, size


def two_kinds(few: float, times: float, within: float) -> Callable:
    """Amounts of two kinds of customer: a few bring so many times more."""
    return lambda chance, shape: (
        np.where(chance.random(shape) < few, times, 1.0) * chance.lognormal(-(within**2) / 2, within, shape)
    )


def segments(chance: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Private customers, firms and a few large firms, each log-normal: median 1, 6 and 30."""
    kind = chance.random(shape)
    level = np.where(kind < 0.07, 30.0, np.where(kind < 0.3, 6.0, 1.0))
    return level * chance.lognormal(0, 0.8, shape)


# What a customer brings: drawn, and its true mean.
AMOUNTS: dict[str, tuple[Callable, float]] = {
    "all the same": (lambda chance, shape: np.ones(shape), 1.0),
    "even, 0 to 1": (lambda chance, shape: chance.random(shape), 0.5),
    "exponential": (lambda chance, shape: chance.exponential(1, shape), 1.0),
    "gamma 0.3": (lambda chance, shape: chance.gamma(0.3, 1, shape), 0.3),
    "log-normal, sigma 1": (lambda chance, shape: chance.lognormal(0, 1, shape), np.exp(0.5)),
    "log-normal, sigma 1.5": (lambda chance, shape: chance.lognormal(0, 1.5, shape), np.exp(1.125)),
    "log-normal, sigma 2": (lambda chance, shape: chance.lognormal(0, 2, shape), np.exp(2)),
    "Pareto 2.5": (lambda chance, shape: 1 + chance.pareto(2.5, shape), 2.5 / 1.5),
    "one in ten x 20": (two_kinds(0.1, 20, 0.5), 2.9),
    "one in twenty x 10": (two_kinds(0.05, 10, 0), 1.45),
    "one in twenty x 40": (two_kinds(0.05, 40, 0), 2.95),
    "private, firms, large firms": (segments, (0.07 * 30 + 0.23 * 6 + 0.7) * np.exp(0.32)),
    "half bring nothing": (lambda chance, shape: (chance.random(shape) < 0.5) * 1.0, 0.5),
    "returns, one in ten": (
        lambda chance, shape: (
            chance.lognormal(0, 1, shape) * np.where(chance.random(shape) < 0.1, -chance.random(shape), 1)
        ),
        0.85 * np.exp(0.5),
    ),
    "profit, one in six a loss": (
        lambda chance, shape: chance.lognormal(0, 1, shape) * chance.normal(0.3, 0.3, shape),
        0.3 * np.exp(0.5),
    ),
}
BEYOND: dict[str, tuple[Callable, float]] = {
    "log-normal, sigma 2.5": (lambda chance, shape: chance.lognormal(0, 2.5, shape), np.exp(3.125)),
    "Pareto 1.5 (no variance)": (lambda chance, shape: 1 + chance.pareto(1.5, shape), 3.0),
    "one in a hundred x 100": (two_kinds(0.01, 100, 0), 1.99),
}
ANSWERS = {  # shares of the answers 0, 1, 2, 3, 4
    "even": [0.2, 0.2, 0.2, 0.2, 0.2],
    "mostly content": [0.05, 0.1, 0.2, 0.4, 0.25],
    "nearly all at the top": [0.02, 0.02, 0.03, 0.13, 0.8],
    "top, one in thirty at the bottom": [0.03, 0, 0, 0, 0.97],
    "all but alike": [0, 0, 0, 0.03, 0.97],
    "one half at either end": [0.5, 0, 0, 0, 0.5],
    "one in ten at the far end": [0.9, 0, 0, 0, 0.1],
}
RECOMMEND = {  # shares of detractors, passives, promoters
    "a third each": [1 / 3, 1 / 3, 1 / 3],
    "no passives": [0.4, 0, 0.6],
    "nearly all promoters": [0.01, 0.04, 0.95],
    "nearly all passives": [0.02, 0.96, 0.02],
    "promoters, one in thirty detracts": [0.03, 0, 0.97],
}


def _came(chance: np.random.Generator, clients: int, size: int, draw: Callable) -> np.ndarray:
    """Amounts of as many customers as happen to come, `size` of them on average; 0 for who did not."""
    number = chance.poisson(size, clients)
    amounts = draw(chance, (clients, max(int(number.max()), 1)))
    return np.where(np.arange(amounts.shape[1]) < number[:, None], amounts, 0.0)


def shares(truth: float) -> Draw:
    """Clients with `size` customers, each of whom does it with the same chance."""

    def draw(chance: np.random.Generator, clients: int, size: int) -> Drawn:
        low, high = (
            np.array([intervals.share(n, size)[end] for n in range(size + 1)]) for end in ("low", "high")
        )
        found = chance.binomial(size, truth, clients)
        return low[found], high[found], truth

    return draw


def counts(numbers: Callable, cost: float | None = None) -> Draw:
    """Clients to whom `size` customers come on average; with a cost, what each of them cost."""

    def draw(chance: np.random.Generator, clients: int, size: int) -> Drawn:
        found, where = np.unique(numbers(chance, clients, size), return_inverse=True)
        told = [intervals.count(int(n)) if cost is None else intervals.each(cost, int(n)) for n in found]
        low, high = (np.array([one.get(end, np.nan) for one in told])[where] for end in ("low", "high"))
        return low, high, size if cost is None else cost / size

    return draw


def totals(shape: tuple[Callable, float]) -> Draw:
    """Clients to whom `size` customers come on average, each with an amount."""

    def draw(chance: np.random.Generator, clients: int, size: int) -> Drawn:
        return *intervals.total_bounds(_came(chance, clients, size, shape[0])), size * shape[1]

    return draw


def changes(growth: float, stay: float, sigma: float) -> Draw:
    """Two periods with so many customers in both, who bring alike; the others come in one of them alone."""

    def moved(chance: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
        level = chance.lognormal(0, sigma, shape)
        now, then = (level * chance.lognormal(-0.125, 0.5, shape) for _ in range(2))
        alone, new = chance.random(shape) >= stay, chance.random(shape) < 0.5
        return growth * np.where(alone & ~new, 0, now) - np.where(alone & new, 0, then)

    truth = (growth - 1) * (stay + (1 - stay) / 2) * np.exp(sigma**2 / 2)
    return totals((moved, truth))


def means(shape: tuple[Callable, float]) -> Draw:
    """Clients with `size` customers, each with an amount."""

    def draw(chance: np.random.Generator, clients: int, size: int) -> Drawn:
        amounts = shape[0](chance, (clients, size))
        return *intervals.ratio_bounds(amounts, np.ones_like(amounts)), shape[1]

    return draw


def orders(within: float, between: float) -> Draw:
    """Mean orders: customers with one order or many, whose orders are like each other."""

    def draw(chance: np.random.Generator, clients: int, size: int) -> Drawn:
        number = 1 + chance.negative_binomial(0.7, 0.4, (clients, size))
        level, paid = chance.lognormal(0, between, (clients, size)), np.zeros((clients, size))
        for nth in range(number.max()):
            paid += (number > nth) * level * chance.lognormal(0, within, (clients, size))
        return *intervals.ratio_bounds(paid, number * 1.0), np.exp((between**2 + within**2) / 2)

    return draw


def margins(sigma: float, returning: float = 0.0) -> Draw:
    """Profit over sales: log-normal sales, some of them only returns, and margins of their own."""

    def draw(chance: np.random.Generator, clients: int, size: int) -> Drawn:
        sold = chance.lognormal(0, sigma, (clients, size))
        sold = np.where(chance.random(sold.shape) < returning, -sold / 2, sold)
        return *intervals.ratio_bounds(sold * chance.normal(0.3, 0.25, sold.shape), sold), 0.3

    return draw


def _asked(
    chance: np.random.Generator, clients: int, size: int, forms: tuple[list[float], np.ndarray, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Sums and numbers of answers of `size` persons: one to `most` each, four in five alike."""
    weights, values, most = forms
    number = chance.integers(1, most + 1, (clients, size))
    cut = np.cumsum(weights)[:-1]
    own, sums = (
        values[np.searchsorted(cut, chance.random((clients, size)), "right")],
        np.zeros((clients, size)),
    )
    for nth in range(most):
        other = values[np.searchsorted(cut, chance.random((clients, size)), "right")]
        sums += (number > nth) * np.where(chance.random((clients, size)) < 0.8, own, other)
    return sums, number * 1.0


def answers(weights: list[float], values: tuple[float, ...], most: int) -> Draw:
    """Survey means: persons with one answer or up to `most`, on a scale from the first value to the last."""
    scale = np.array(values)

    def draw(chance: np.random.Generator, clients: int, size: int) -> Drawn:
        ends = (scale[0], scale[-1])
        asked = _asked(chance, clients, size, (weights, scale, most))
        return *intervals.ratio_bounds(*asked, ends=ends), float(np.dot(weights, scale))

    return draw


def apart(weights: list[float], same: float) -> Draw:
    """Differences of two survey means, when so many of the persons answer alike in both periods."""
    scale = np.arange(5.0)

    def draw(chance: np.random.Generator, clients: int, size: int) -> Drawn:
        first, again = (_asked(chance, clients, size, (weights, scale, 1))[0] for _ in range(2))
        told = []
        for sums in (first, np.where(chance.random(first.shape) < same, first, again)):
            low, high = intervals.ratio_bounds(sums, np.ones_like(sums), ends=(0, 4))
            told.append({"value": sums.mean(-1), "low": low, "high": high})
        return *_between(*told), 0.0

    return draw


def shares_apart(now: float, before: float) -> Draw:
    """Differences of two shares of independent customers."""

    def draw(chance: np.random.Generator, clients: int, size: int) -> Drawn:
        told = [intervals.share(n, size) for n in range(size + 1)]
        ends = {end: np.array([one[end] for one in told]) for end in ("value", "low", "high")}
        found = [chance.binomial(size, p, clients) for p in (now, before)]
        return *_between(*({end: of[many] for end, of in ends.items()} for many in found)), now - before

    return draw


def _between(now: dict, before: dict) -> Bounds:
    """`intervals.difference` of many figures at once."""
    found = [
        intervals.difference(
            *({name: part[name][nth] for name in ("value", "low", "high")} for part in (now, before))
        )
        for nth in range(len(now["value"]))
    ]
    return tuple(np.array([one[end] for one in found]) for end in ("low", "high"))


def kinds() -> Iterator[tuple[str, str, Draw, tuple[int, ...], float | Callable | None]]:
    """Kind, shape, how clients are drawn, their sizes, and what a width is a share of: the truth if None."""
    for truth in (0.5, 0.3, 0.1, 0.03, 0.01):
        yield "share", f"{truth:.0%}", shares(truth), SMALL, 1.0
    streams = {
        "independent": lambda chance, clients, size: chance.poisson(size, clients),
        "of a list, one in four comes": lambda chance, clients, size: chance.binomial(
            4 * size, 0.25, clients
        ),
    }
    for name, numbers in streams.items():
        yield "count", name, counts(numbers), SMALL, None
    yield "cost of each", "independent", counts(streams["independent"], 1000.0), LADDER, None
    for name, shape in AMOUNTS.items():
        yield "total", name, totals(shape), LADDER, None
    for growth, stay, sigma in ((1, 0.6, 1), (1, 0.6, 2), (1, 0.1, 1.5), (1.3, 0.6, 1.5), (0.5, 0.9, 1)):
        name = f"x {growth:g}, {stay:.0%} in both, sigma {sigma:g}"
        before = (1 + stay) / 2 * np.exp(sigma**2 / 2)
        yield "change of total", name, changes(growth, stay, sigma), LADDER, lambda n, of=before: n * of
    for name, shape in AMOUNTS.items():
        if name != "all the same":  # refused: no variance
            yield "mean", name, means(shape), LADDER, None
    for within, between in ((0.8, 0.5), (1, 1), (1, 1.5)):
        yield (
            "mean order",
            f"sigma {within:g} within, {between:g} between",
            orders(within, between),
            LADDER,
            None,
        )
    for sigma, returning in ((0.5, 0), (1, 0), (1.5, 0), (2, 0), (1, 0.05)):
        name = f"sigma {sigma:g}" + (", one in twenty returns" if returning else "")
        yield "profit margin", name, margins(sigma, returning), LADDER, None
    for name, weights in ANSWERS.items():
        for most in (1, 6):
            form = f"{name}, {'one answer' if most == 1 else 'up to six answers'}"
            yield "survey mean", form, answers(weights, (0, 1, 2, 3, 4), most), LADDER, 4.0
    for name, weights in RECOMMEND.items():
        for most in (1, 3):
            form = f"{name}, {'one answer' if most == 1 else 'up to three answers'}"
            yield "net promoter score", form, answers(weights, (-100, 0, 100), most), LADDER, 200.0
    for name in ("mostly content", "nearly all at the top", "top, one in thirty at the bottom"):
        for same in (0.0, 0.5):
            yield "two survey means", f"{name}, {same:.0%} as before", apart(ANSWERS[name], same), LADDER, 4.0
    for now, before in ((0.5, 0.5), (0.1, 0.05), (0.02, 0.02)):
        yield "two shares", f"{now:.0%} and {before:.0%}", shares_apart(now, before), LADDER, 1.0


def held(drawn: Drawn) -> tuple[float, float, float]:
    """Of the intervals given how many hold the truth, how many were refused, and their middle width."""
    low, high, truth = drawn
    given = ~np.isnan(low)
    if not given.any():
        return np.nan, 1.0, np.nan
    slack = 1e-9 * max(abs(truth), 1)  # sums of floats
    holds = (low[given] <= truth + slack) & (truth - slack <= high[given])
    return float(holds.mean()), 1 - float(given.mean()), float(np.median((high - low)[given]))


def row(
    name: str, draw: Draw, size: int, clients: int, again: int = AGAIN
) -> tuple[float, float, float, int]:
    """`held` of a size, drawn again where the first clients fall short; and how many clients it is of."""
    for many in (clients, clients * again):
        chance = np.random.default_rng(zlib.crc32(f"{name} {size} {many}".encode()))
        found = held(draw(chance, many, size))
        if not found[0] < LEAST or again == 1:
            break
    return *found, many


def short(covers: float, refused: float, clients: int) -> bool:
    """Whether a size breaks the promise by more than chance.

    A size that nearly all clients are refused at is one that the report does not allow.
    """
    given = clients * (1 - refused)
    return refused < MOSTLY and covers < LEAST - ERRORS * np.sqrt(LEAST * (1 - LEAST) / given)


MOSTLY = 0.9


def table(clients: int) -> list[str]:
    """Every kind, shape and size printed; the sizes that break the promise."""
    broken, line = [], "{:<19}{:<49}{:>6}{:>9}{:>9}{:>9}"
    print(line.format("kind", "shape", "n", "holds", "refused", "width"))
    for kind, shape, draw, sizes, scale in kinds():
        refused_sizes = []
        for size in sizes:
            name = f"{kind}: {shape}"
            covers, refused, width, many = row(name, draw, size, clients)
            if refused >= MOSTLY:
                refused_sizes.append(size)
                continue
            whole = scale(size) if callable(scale) else scale or draw(np.random.default_rng(0), 1, size)[2]
            shown = f"{width / whole:.2f}"
            drawn_again = "  (drawn again)" if many > clients else ""
            print(line.format(kind, shape, size, f"{covers:.1%}", f"{refused:.1%}", shown) + drawn_again)
            if short(covers, refused, many):
                broken.append(f"{name} at {size}: {covers:.1%}")
        if refused_sizes:
            print(line.format(kind, shape, "", "", "too few", "") + f"  at {refused_sizes}")
    return broken


def least_share(most: int = 300) -> tuple[float, int]:
    """The least that the interval of a share holds, exactly, over every share and every total up to `most`.

    It is least just beside an end of an interval, where one more number leaves it.
    """
    found = []
    for size in (*range(1, 61), *range(70, most + 1, 10)):
        told = [intervals.share(n, size) for n in range(size + 1)]
        low, high = (np.array([one[end] for one in told]) for end in ("low", "high"))
        ends = np.unique(np.concatenate([low, high]))
        ends = ends[(ends > 0) & (ends < 1)]
        for truth in np.concatenate([ends - 1e-9, ends + 1e-9]):
            within = (low <= truth) & (truth <= high)
            found.append((float(stats.binom.pmf(np.flatnonzero(within), size, truth).sum()), size))
    return min(found)


def others(clients: int) -> None:
    """What other intervals hold of the same clients."""
    print("\nOf totals and means, what others hold on the same clients (ours, normal or Student's, Hall's, ")
    print("percentile bootstrap, bootstrap-t), and how wide they are")
    for shape in ("exponential", "log-normal, sigma 1", "private, firms, large firms", "log-normal, sigma 2"):
        draw, mean = AMOUNTS[shape]
        for size in (50, 100, 300):
            chance = np.random.default_rng(size)
            for kind, amounts, truth in (
                ("total", _came(chance, clients, size, draw), size * mean),
                ("mean", draw(chance, (clients, size)), mean),
            ):
                ways = _ways(chance, amounts, kind)
                told = [held((*bounds, truth)) for bounds in ways]
                cells = "  ".join(f"{covers:6.1%} {width / truth:5.2f}" for covers, _, width in told)
                print(f"{kind:<8}{shape:<30}{size:>6}  {cells}")


def _ways(chance: np.random.Generator, amounts: np.ndarray, kind: str) -> list[Bounds]:
    """Ours, normal or Student's, Hall's, percentile bootstrap, bootstrap-t of totals or means."""
    size = amounts.shape[1]
    counted = kind == "total"
    centre = np.zeros(len(amounts)) if counted else amounts.mean(-1)
    value = amounts.sum(-1) if counted else centre
    apart, scale = amounts - centre[:, None], 1 if counted else size
    squares = (apart**2).sum(-1)
    skew = (apart**3).sum(-1) / squares**1.5
    error = np.sqrt(squares) / scale
    reach = stats.norm.ppf(0.95) if counted else stats.t.ppf(0.95, size - 1)
    bent = [3 / skew * (np.cbrt(1 + skew * (at - skew / 6)) - 1) for at in (reach, -reach)]
    # One set of weights serves all clients: what is drawn again is drawn alike.
    draws = 500
    weights = (
        chance.poisson(1.0, (draws, size))
        if counted
        else chance.multinomial(size, np.full(size, 1 / size), draws)
    ).astype(float)
    again, again_squares = weights @ amounts.T / scale, weights @ (amounts.T**2)
    spread = again_squares if counted else again_squares - size * again**2
    studentised = (again - value) / (np.sqrt(np.maximum(spread, 1e-12)) / scale)
    low, high = np.quantile(again, [0.05, 0.95], axis=0)
    t_low, t_high = np.quantile(studentised, [0.05, 0.95], axis=0)
    ours = (
        intervals.total_bounds(amounts) if counted else intervals.ratio_bounds(amounts, np.ones_like(amounts))
    )
    return [
        ours,
        (value - reach * error, value + reach * error),
        (value - error * bent[0], value - error * bent[1]),
        (low, high),
        (value - error * t_high, value - error * t_low),
    ]


def beyond(clients: int) -> None:
    """Shapes and sizes that nothing is promised of."""
    print("\nNot promised: what so few customers do not show")
    for shape, amounts in BEYOND.items():
        for size in (50, 100, 300, 1000):
            for kind, draw in (("total", totals(amounts)), ("mean", means(amounts))):
                covers, refused, *_ = row(f"{kind}: {shape}", draw, size, clients, 1)
                print(f"{kind:<8}{shape:<30}{size:>6}{covers:>9.1%}{refused:>9.1%}")
    print("\nNot promised: clients shown in their better periods only (40 customers on average, 50 needed)")
    for shape in ("all the same", "log-normal, sigma 1"):
        covers, refused, *_ = row(f"total: {shape}", totals(AMOUNTS[shape]), 40, clients, 1)
        print(f"total   {shape:<30}{40:>6}{covers:>9.1%}{refused:>9.1%}")


def main() -> int:
    """All of it; 1 where the promise is broken."""
    clients, began = int(sys.argv[1]) if len(sys.argv) > 1 else CLIENTS, time.process_time()
    broken = table(clients)
    worst, size = least_share()
    print(
        f"\nA share's interval holds the truth at least {worst:.2%}, exactly, over every share and total (n = {size})"
    )
    if worst < LEAST:
        broken.append(f"share, exactly: {worst:.2%} at {size}")
    others(clients)
    beyond(clients)
    print(f"\n{time.process_time() - began:.0f} s CPU")
    for line in broken:
        print(f"Below {LEAST:.0%}: {line}")
    return bool(broken)


if __name__ == "__main__":
    sys.exit(main())
