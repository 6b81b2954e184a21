"""What a class is like: how its customers differ from all others, and what they need (X14).

A class is any column of labels: tier, segment, behaviour, cluster. It is held against all other
customers who have a class. Numbers are compared by ranks, shares by their lift, and a difference is
told only where its interval excludes none, with all comparisons of the column kept in mind.
"""

from collections.abc import Iterable, Mapping

import narwhals as nw
import numpy as np
import pandas as pd
from scipy import stats

from crmlib import tables
from crmlib.classification.facts import in_memory, known_lines, source
from crmlib.client import Client
from crmlib.findings import Answer, Book, Finding
from crmlib.language import WORDS
from crmlib.rules import ProfileRule

LEVEL = 0.9  # of every interval; of all differences of one column together
NO_CLASS = ("", "not_graded", "not_grouped", "not_supplied", "too_few")
# What is known of a customer in numbers, and its unit; the order decides between equal differences.
NUMBERS = {
    "net": "money",
    "orders": "count",
    "recency_days": "days",
    "gap_days": "days",
    "profit_margin": "share",
    "returned_share": "share",
    "discount_share": "share",
    "tenure_days": "days",
}
SILENT = {"recency_days": "days_silent"}  # elsewhere the column is a mean over customers
ATTRIBUTES = ("need", "customer_type", "region", "industry", "channel")
# What a class's own rule looks at: that its customers differ there says nothing new.
BY_RULE = {
    "value": ("net", "orders"),
    "abc": ("net", "orders"),
    "tier": ("net", "orders", "tenure_days"),
    "segment": ("recency_days", "orders", "net"),
    "behaviour": ("recency_days", "gap_days"),
    "activity": ("recency_days", "gap_days"),
    "frequency": ("orders", "gap_days"),
    "loyalty": ("orders", "tenure_days"),
    **{fact: (fact,) for fact in ATTRIBUTES},
}
TRAITS = ["level", "customers", "fact", "word", "unit", "inside", "others", "effect"]
TRAITS += ["apart", "apart_low", "apart_high", "told"]


def numbers(facts: pd.DataFrame) -> pd.DataFrame:
    """What is known of every customer, as numbers; what is not known, or is not finite, is empty.

    Returns
    -------
    The columns of `NUMBERS` that facts tell: `returned_share` is what was taken back ÷ gross,
    `profit_margin` is profit ÷ net; neither is known of a customer without that amount.
    """
    known = {c: facts[c].astype("Float64").astype(float) for c in facts if c in NUMBERS}
    gross, net = (facts[c].astype("Float64").astype(float) for c in ("gross", "net"))
    known["returned_share"] = -facts["returned"].astype("Float64").astype(float) / gross.where(gross > 0)
    known["profit_margin"] = facts["profit"].astype("Float64").astype(float) / net.where(net > 0)
    table = pd.DataFrame(known, index=facts.index, dtype="float64")
    table = table.replace([np.inf, -np.inf], np.nan) + 0.0  # a share of -0.0 is 0
    return table[[name for name in NUMBERS if name in table]]


def attributes(
    judged: pd.DataFrame, customers: pd.DataFrame | None = None, channels: pd.DataFrame | None = None
) -> pd.DataFrame:
    """What is known of customers in words, a row for each: customer_id, fact, word.

    Parameters
    ----------
    judged : classes; a need group that they name goes before the need as delivered
    customers : attributes as delivered
    channels : customer_id, channel; a customer may use several
    """
    tables = [judged, *(t for t in (customers, channels) if t is not None)]
    parts, seen = [], set()
    for table in tables:
        for fact in ATTRIBUTES:
            if fact in table and fact not in seen:
                seen.add(fact)
                rows = table[["customer_id"]].assign(fact=fact, word=table[fact].astype(object))
                parts.append(rows[rows["word"].notna() & ~rows["word"].isin(NO_CLASS)])
    found = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["customer_id", "fact"])
    found = found.reindex(columns=["customer_id", "fact", "word"])
    return found[found["customer_id"].isin(judged["customer_id"])].drop_duplicates(ignore_index=True)


def channels(client: Client, *, as_of: int) -> pd.DataFrame | None:
    """The channels each customer has bought through: customer_id, channel; None without order lines."""
    if source(client) != tables.TRANSACTIONS.name:
        return None
    lines = known_lines(tables.relation(client.delivery, tables.TRANSACTIONS, until=as_of), last_day=as_of)
    bought = lines.filter(nw.col("kind") == "sale", ~nw.col("channel").is_null())
    return in_memory(bought.group_by("customer_id", "channel").agg(nw.len().alias("lines")))


def medians(facts: pd.DataFrame, labels: pd.Series) -> pd.DataFrame:
    """One row a class: level, customers, and the median of every number that is known; money smallest unit."""
    classed = ~labels.isin(NO_CLASS)
    grouped = numbers(facts)[classed].groupby(labels[classed])
    table = grouped.median().dropna(axis="columns", how="all")
    table.insert(0, "customers", grouped.size())
    ordered = table.loc[in_order(table.index)].rename_axis("level").reset_index()
    return ordered.rename(columns=SILENT)


def in_order(levels: Iterable[str]) -> list[str]:
    """Classes in the order in which the library names them, then by name."""
    known = {word: place for place, word in enumerate(WORDS)}
    return sorted(levels, key=lambda level: (known.get(level, len(known)), level))


def larger(inside: np.ndarray, others: np.ndarray, level: float = LEVEL) -> tuple[float, float, float]:
    """How often one of a class is larger than one of the others, ties half: value, low, high.

    Source: Brunner & Munzel (2000), Biometrical Journal 42, 17–25: the interval of their statistic.

    Parameters
    ----------
    inside, others : how many have the first, second, … of the ordered values

    >>> larger(np.array([0, 1, 1]), np.array([1, 1, 0]))[0]
    0.875
    """
    sizes = n, m = inside.sum(), others.sum()
    below = (np.cumsum(others) - others / 2) / m  # of the others, ties half, at each value
    above = (np.cumsum(inside) - inside / 2) / n
    value = float(inside @ below / n)
    spreads = [
        (count @ (place - mean) ** 2) / (size - 1) / size
        for count, place, mean, size in zip(
            (inside, others), (below, above), (value, 1 - value), sizes, strict=True
        )
    ]
    error = sum(spreads)
    if not error:
        return value, value, value
    freedom = error**2 / sum(part**2 / (size - 1) for part, size in zip(spreads, sizes, strict=True))
    reach = float(stats.t.ppf((1 + level) / 2, freedom) * np.sqrt(error))
    return value, value - reach, value + reach


def lift(inside: int, n: int, others: int, m: int, level: float = LEVEL) -> tuple[float, float, float]:
    """A share of a class ÷ the share of all others: value, low, high.

    Source: Katz et al. (1978), Biometrics 34, 469–474; a half is added to both counts where one is
    0 (Walter 1975), so that the interval stays finite.

    >>> [round(part, 2) for part in lift(30, 100, 10, 100, level=0.95)]
    [3.0, 1.55, 5.8]
    """
    empty = 0.5 * (inside == 0 or others == 0)
    a, b, in_all, of_all = inside + empty, others + empty, n + empty, m + empty
    ratio = (a / in_all) / (b / of_all)
    reach = stats.norm.ppf((1 + level) / 2) * np.sqrt(1 / a - 1 / in_all + 1 / b - 1 / of_all)
    return float(ratio), float(ratio * np.exp(-reach)), float(ratio * np.exp(reach))


def traits(
    facts: pd.DataFrame, labels: pd.Series, words: pd.DataFrame | None, rule: ProfileRule
) -> pd.DataFrame:
    """How each class differs from all other customers with a class.

    Parameters
    ----------
    facts : a row per customer; `labels` the class of each, in the same order
    words : what is known of customers in words, as `attributes` returns it, or None
    rule : from how many customers on a class is described, and what difference is worth telling

    Returns
    -------
    level, customers (of the class), fact, word (empty for a number), unit, inside, others (median, or
    share of customers with that word), effect (−1…1: how much more often larger than smaller, or the
    difference of the shares), apart (lift; for a number how often larger than another's), apart_low,
    apart_high (90 % for all rows together), told (the interval excludes none, and the effect is not
    negligible); the strongest first within a class. Classes too small to describe are left out.
    """
    named = labels.where(~labels.isin(NO_CLASS))
    size = named.value_counts()
    described = in_order(size.index[(size >= rule.at_least) & (size.sum() - size >= rule.at_least)])
    known, held = numbers(facts), _held(facts["customer_id"], words, rule)
    tests = len(described) * (known.notna().any().sum() + len(held))
    level = 1 - (1 - LEVEL) / max(tests, 1)
    rows = []
    for number in known:
        rows += _by_number(known[number], named, described, level=level)
    for (fact, word), (has, asked) in held.items():
        rows += _by_word(has, asked, named, described, level=level, fact=fact, word=word)
    table = pd.DataFrame(rows, columns=TRAITS[:1] + TRAITS[2:-1])
    table = table.assign(customers=table["level"].map(size).astype("int64"))
    none = table["word"].isna().map({True: 0.5, False: 1.0})
    apart = (table["apart_low"] > none) | (table["apart_high"] < none)
    unequal = np.sign(table["inside"] - table["others"]) == np.sign(table["effect"])
    worth = table["effect"].abs() >= rule.least_effect
    table = table.assign(told=apart & unequal & worth, strength=-table["effect"].abs().round(9))
    place = table["level"].map({name: place for place, name in enumerate(described)})
    ordered = table.assign(place=place).sort_values(["place", "strength"], kind="stable", ignore_index=True)
    return ordered[TRAITS]


def _held(ids: pd.Series, words: pd.DataFrame | None, rule: ProfileRule) -> dict[tuple, tuple]:
    """Of each word that enough customers have: who has it, and of whom the fact is known at all."""
    found, rows = {}, pd.Index(ids)
    for fact, told in [] if words is None else words.groupby("fact", sort=True):
        place = rows.get_indexer(told["customer_id"])
        told, place = told[place >= 0], place[place >= 0]
        asked = np.zeros(len(ids), dtype=bool)
        asked[place] = True
        often = told["word"].value_counts()
        for word in sorted(often.index[often >= rule.at_least]):
            has = np.zeros(len(ids), dtype=bool)
            has[place[(told["word"] == word).to_numpy()]] = True
            found[fact, word] = has, asked
    return found


def _by_number(values: pd.Series, labels: pd.Series, described: list[str], *, level: float) -> list[tuple]:
    """One number compared, class by class."""
    use = (values.notna() & labels.notna()).to_numpy()
    ordered, place = np.unique(values.to_numpy()[use], return_inverse=True)
    of, rows = labels[use].to_numpy(), []
    every = np.bincount(place, minlength=len(ordered))
    for name in described:
        inside = np.bincount(place[of == name], minlength=len(ordered))
        others = every - inside
        if min(inside.sum(), others.sum()) < 2:
            continue
        value, low, high = larger(inside, others, level)
        middle = [float(np.median(np.repeat(ordered, count))) for count in (inside, others)]
        rows.append((name, values.name, None, NUMBERS[values.name], *middle, 2 * value - 1, value, low, high))
    return rows


def _by_word(
    has: np.ndarray, asked: np.ndarray, labels: pd.Series, described: list[str], *, level, fact, word
) -> list[tuple]:
    """One word compared, class by class, among customers of whom the fact is known."""
    rows, classed = [], labels.notna().to_numpy()
    for name in described:
        mine = (labels == name).to_numpy() & asked
        rest = classed & asked & ~mine
        n, m = int(mine.sum()), int(rest.sum())
        if min(n, m) == 0 or not (has & (mine | rest)).any():
            continue
        inside, others = int((has & mine).sum()), int((has & rest).sum())
        shares = inside / n, others / m
        rows.append(
            (name, fact, word, "share", *shares, shares[0] - shares[1], *lift(inside, n, others, m, level))
        )
    return rows


def strongest(traits: pd.DataFrame, most: int, *, of: str = "") -> pd.DataFrame:
    """The differences worth telling, at most so many a class: the columns of `traits` but `told`.

    Those that the rule of the class column `of` itself looks at are left out.
    """
    told = traits[traits["told"] & ~traits["fact"].isin(BY_RULE.get(of, ()))]
    return told.groupby("level", sort=False).head(most).drop(columns="told").reset_index(drop=True)


def needs(labels: pd.Series, ids: pd.Series, words: pd.DataFrame, rule: ProfileRule) -> pd.DataFrame:
    """What each class needs: level, need, customers, share of those asked, share_low, share_high, asked.

    The interval is Wilson's at 90 %, corrected for continuity; a class in which too few were asked has no share.
    """
    asked = words.loc[words["fact"] == "need", ["customer_id", "word"]]
    classed = pd.DataFrame({"customer_id": ids, "level": labels})[~labels.isin(NO_CLASS)]
    joined = asked.merge(classed, on="customer_id")
    table = joined.groupby(["level", "word"]).size().rename("customers").reset_index()
    table["asked"] = table.groupby("level")["customers"].transform("sum")
    enough = table["asked"] >= rule.at_least
    bounds = [
        _wilson(c, n) if n >= rule.at_least else (np.nan, np.nan)
        for c, n in zip(table["customers"], table["asked"], strict=True)
    ]
    table = table.assign(share=(table["customers"] / table["asked"]).where(enough))
    table[["share_low", "share_high"]] = np.array(bounds, dtype=float).reshape(-1, 2)
    place = table["level"].map({name: place for place, name in enumerate(in_order(set(table["level"])))})
    ordered = table.assign(place=place).sort_values(
        ["place", "customers", "word"], ascending=[True, False, True]
    )
    columns = ["level", "need", "customers", "share", "share_low", "share_high", "asked"]
    return ordered.rename(columns={"word": "need"}).reset_index(drop=True)[columns]


def _wilson(count: int, total: int) -> tuple[float, float]:
    bounds = stats.binomtest(int(count), int(total)).proportion_ci(LEVEL, method="wilsoncc")
    return float(bounds.low), float(bounds.high)


def described(book: Book, of: str, traits: pd.DataFrame, labels: pd.Series, rule: ProfileRule) -> Answer:
    """A sentence for each class of a column: by what it differs from all other customers.

    Parameters
    ----------
    of : the column of classes
    traits : what `traits` returned for these labels
    """
    sizes = labels[~labels.isin(NO_CLASS)].value_counts()
    sizes, found = sizes[in_order(sizes.index)], strongest(traits, rule.most, of=of)
    said = []
    for level, size in sizes.items():
        values = {"level": level, "customers": int(size), "rest": int(sizes.sum() - size)}
        values["traits"] = spoken(found[found["level"] == level], book)
        said.append(_sentence(book, f"profile.{of}.{level}", values, at_least=rule.at_least))
    return Answer(said or [_sentence(book, f"profile.{of}", None, at_least=rule.at_least)])


def _sentence(book: Book, id: str, values: Mapping | None, *, at_least: int) -> Finding:
    return book.say(
        id,
        values,
        when=bool(values["traits"]) if values else None,
        n=min(values["customers"], values["rest"]) if values else 0,
        at_least=at_least,
        aside=True,  # a summary tells what is to be decided, not what each class is like
        yes="{level:word} ({customers:count} customers) stands apart from all others by: {traits:traits}.",
        no="{level:word} ({customers:count} customers): nothing known, beyond what its rule looks at, sets it apart from all others.",
        few="{level:word}: {customers:count} customers against {rest:count} others are too few to describe (at least {at_least:count} each).",
        absent="No customer has a class here, so none is described.",
    )


def figures(of: str, labels: pd.Series) -> dict[str, dict]:
    """`profile.CLASS.LEVEL.customers` by id: the customers of each class."""
    sizes = labels[~labels.isin(NO_CLASS)].value_counts().sort_index()
    n = int(sizes.sum())
    return {f"profile.{of}.{name}.customers": {"value": int(size), "n": n} for name, size in sizes.items()}


def spoken(traits: pd.DataFrame, book: Book) -> list[dict]:
    """Differences as the unit `traits` of a sentence takes them, money in main units."""
    rows = traits[["fact", "word", "unit", "inside", "others"]].to_dict("records")
    for row in rows:
        row["word"] = None if pd.isna(row["word"]) else row["word"]
        if row["unit"] == "money":
            row |= {"inside": book.money(row["inside"]), "others": book.money(row["others"])}
    return rows


def need_told(book: Book, of: str, needs: pd.DataFrame, rule: ProfileRule) -> Answer:
    """A sentence for each class: which need prevails in it, with its interval.

    A need prevails where, of those with the first or the second need, more than half have the first
    beyond chance.
    """
    said = []
    for level, rows in needs.groupby("level", sort=False):
        first, second = [*rows["customers"], 0][:2]
        clear = bool(_wilson(first, first + second)[0] > 0.5)
        said.append(_need(book, f"profile.{of}.{level}.need", rows.iloc[0].to_dict(), clear, rule))
    return Answer(said or [_need(book, f"profile.{of}.need", {"asked": 0}, None, rule)])


def _need(book: Book, id: str, row: Mapping, clear: bool | None, rule: ProfileRule) -> Finding:
    return book.say(
        id,
        {k: v for k, v in row.items() if k != "customers"},
        when=clear,
        n=int(row["asked"]),
        at_least=rule.at_least,
        aside=True,
        yes="{level:word}: needed most often is {need:word}, by {share:share} of {asked:count} (90% interval {share_low:share} to {share_high:share}).",
        no="{level:word}: no need prevails; the first is {need:word} with {share:share} of {asked:count} (90% interval {share_low:share} to {share_high:share}).",
        few="{level:word}: the need of {asked:count} customers is known, too few to say what this class needs (at least {at_least:count}).",
        absent="Not supplied: of no customer with a class is the need known.",
    )
