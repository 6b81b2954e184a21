"""Relations between customers: partners, competitors, influencers."""

import numpy as np
import pandas as pd

from . import days, flaws
from .customers import ENTERPRISE, LARGE, PERSONAL
from .survey import ASPECTS

PARTNER, COMPETITOR, INFLUENCER = "合作伙伴", "竞争对手", "影响者"
PARTNERS, COMPETITORS, OTHER, UNHAPPY, REACH, TIED = 260, 70, 40, 6, 4, 8
# Whom the planted influencer reaches: those who stopped ordering within half a year of the turn, and who did not.
HALF_YEAR, STOPPED, WENT_ON = 180, 16, 2
WAYS = 5  # planted ways to a firm that hardly buys yet


def unhappy(said: pd.DataFrame, folk: pd.DataFrame) -> list[int]:
    """Customers whose latest form, and all their forms of the last year, are bad: the worst first."""
    known = said.assign(customer=said["respondent"].map(pd.Series(folk.index, index=folk["id"])))
    long = known.dropna(subset=["customer"]).melt(
        ["customer", "answered_on"], list(ASPECTS), value_name="score"
    )
    long = long[long["score"].isin(list("12345")) & (long["answered_on"] >= "2024-01-01")]
    score = long.assign(score=long["score"].astype(int)).groupby(["customer", "answered_on"])["score"].mean()
    forms = score.groupby("customer").agg(["max", "last"])
    bad = forms[forms["max"] < 2.55].sort_values(["last", "max"], kind="stable")
    return [int(customer) for customer in bad.index]


def relations(
    rng, folk: pd.DataFrame, *, said: pd.DataFrame, lines: pd.DataFrame
) -> tuple[pd.DataFrame, dict]:
    """Ties as text, and what is planted: discontented influencers, rivals of key customers, an effect, ways."""
    firms = np.flatnonzero(folk["type"].isin([ENTERPRISE, LARGE]))
    keys = np.flatnonzero(folk["role"] == "champions")
    known = unhappy(said, folk)
    sad = [c for c in known if folk["role"].iloc[c] != "champions"][:UNHAPPY]
    near = {c: np.sort(rng.choice(keys, size=REACH, replace=False)) for c in sad}
    rivals = np.sort(rng.choice(keys, size=TIED, replace=False))
    parts = [(PARTNER, *pair) for pair in pairs(rng, firms, PARTNERS)]
    parts += [(COMPETITOR, *pair) for pair in pairs(rng, np.setdiff1d(firms, keys), COMPETITORS)]
    content = np.setdiff1d(np.arange(len(folk)), known)
    parts += [(INFLUENCER, *pair) for pair in pairs(rng, content, OTHER)]
    parts += [(INFLUENCER, c, key) for c, reached in near.items() for key in reached]
    parts += [
        (COMPETITOR, key, other) for key, (_, other) in zip(rivals, pairs(rng, firms, TIED), strict=True)
    ]
    made = pd.DataFrame(parts, columns=["kind", "a", "b"])
    made = made[made["a"] != made["b"]].drop_duplicates(["kind", "a", "b"]).reset_index(drop=True)
    made = made.iloc[rng.permutation(len(made))].reset_index(drop=True)
    since = np.maximum(folk["opened"].to_numpy()[made["a"]], folk["opened"].to_numpy()[made["b"]])
    dated = rng.uniform(size=len(made)) < 0.8
    ids = folk["id"].to_numpy()
    text = {
        "客户编号": ids[made["a"]],
        "关联客户编号": ids[made["b"]],
        "关系": made["kind"],
        "强度": [f"{n / 10:.1f}" for n in rng.integers(1, 11, len(made))],
        "起始日期": np.where(dated, days.iso(np.minimum(since, days.COUNT - 1)), ""),
    }
    risks = {
        "unhappy_influencers": {str(ids[c]): ids[reached].tolist() for c, reached in near.items()},
        "rivals_of_key_customers": ids[rivals].tolist(),
    }
    # Drawn from a branch of the stream, and put behind: what stood here before stays as it was.
    branch = rng.spawn(1)[0]
    tied = set(made["a"]) | set(made["b"])
    more, effect = spread(branch, folk, said=said, lines=lines, tied=tied)
    ways, led = introduced(branch, folk, lines=lines, said=said, tied=tied | set(more["b"]))
    return pd.concat(
        [pd.DataFrame(text, dtype=object), written(pd.concat([more, ways]), ids)], ignore_index=True
    ), risks | {
        "effect": effect,
        "introductions": led,
    }


def turned(said: pd.DataFrame, folk: pd.DataFrame) -> dict[int, int]:
    """The day since which each customer's forms are all bad, up to the last one."""
    known = said.assign(customer=said["respondent"].map(pd.Series(folk.index, index=folk["id"])))
    long = known.dropna(subset=["customer"]).melt(
        ["customer", "answered_on"], list(ASPECTS), value_name="score"
    )
    long = long[long["score"].isin(list("12345"))]
    forms = long.assign(score=long["score"].astype(int)).groupby(["customer", "answered_on"])["score"].mean()
    since: dict[int, int] = {}
    for (customer, answered), score in forms.sort_index().items():
        if score >= 2.6:
            since.pop(int(customer), None)
        else:
            day = int((np.datetime64(answered) - days.START).astype(int))
            since.setdefault(int(customer), day)
    return since


def spread(rng, folk: pd.DataFrame, *, said: pd.DataFrame, lines: pd.DataFrame, tied: set[int]):
    """An unhappy influencer whose customers mostly stopped ordering after the turn.

    Nobody's orders are changed: of those who ordered before the influencer turned, mostly such are tied to them as
    stopped afterwards of themselves. In the data the two are told apart by nothing.
    """
    turns = turned(said, folk)
    able = [
        c
        for c in unhappy(said, folk)
        if folk["role"].iloc[c] != "champions" and folk["type"].iloc[c] == PERSONAL
    ]
    able = [c for c in able if HALF_YEAR <= turns.get(c, -1) <= days.COUNT - HALF_YEAR - 10]
    fresh = [c for c in able if c not in tied]
    who = (fresh or able)[0]
    day = turns[who]
    before = set(lines["customer"][lines["day"].between(day - HALF_YEAR, day - 1)])
    after = set(lines["customer"][lines["day"].between(day, day + HALF_YEAR - 1)])
    plain = set(np.flatnonzero((folk["type"] == PERSONAL) & (folk["role"] == "") & (folk["opened"] < day)))
    free = plain - tied - {who} - set(turns)
    stopped = np.array(sorted((before - after) & free))
    went_on = np.array(sorted(before & after & free))
    reached = np.concatenate(
        [rng.choice(stopped, size=STOPPED, replace=False), rng.choice(went_on, size=WENT_ON, replace=False)]
    )
    made = pd.DataFrame({"kind": INFLUENCER, "a": who, "b": np.sort(reached), "strength": "0.8"})
    ids = folk["id"].to_numpy()
    truth = {
        "influencer": str(ids[who]),
        "turned_on": str(days.START + np.timedelta64(day, "D")),
        "reached": ids[np.sort(reached)].tolist(),
        "stopped": STOPPED,
        "went_on": WENT_ON,
    }
    return made, truth


def introduced(rng, folk: pd.DataFrame, *, lines: pd.DataFrame, said: pd.DataFrame, tied: set[int]):
    """Firms that hardly buy, but have the ear of two of the best customers; a small partner leads to each.

    The best customer at the beginning of each way is among the largest, and nobody who ever answered badly.
    """
    spent = (
        (lines["price"] * lines["quantity"]).groupby(lines["customer"]).sum().reindex(folk.index).fillna(0)
    )
    keys = np.flatnonzero((folk["role"] == "champions") & ~folk.index.isin(turned(said, folk)))
    # Of the best, those who bought most: their tier is high whoever else is in the list.
    best = keys[np.argsort(-spent.to_numpy()[keys], kind="stable")][: 4 * WAYS]
    first = best[:WAYS]
    silent = ~folk["id"].isin(said["respondent"]) & (folk["role"] == "") & ~folk.index.isin(tied)
    firms = np.flatnonzero(silent & folk["type"].isin([ENTERPRISE, LARGE]))
    small = firms[np.argsort(spent.to_numpy()[firms], kind="stable")][: 2 * WAYS]
    targets, between = np.sort(small[:WAYS]), np.sort(small[WAYS:])
    parts, truth, ids = [], [], folk["id"].to_numpy()
    for key, partner, target in zip(first, between, targets, strict=True):
        ears = rng.choice(np.setdiff1d(best, [key]), size=2, replace=False)
        parts += [(PARTNER, key, partner), (PARTNER, partner, target)]
        parts += [(INFLUENCER, target, ear) for ear in ears]
        truth.append({"from": str(ids[key]), "over": str(ids[partner]), "to": str(ids[target])})
    return pd.DataFrame(parts, columns=["kind", "a", "b"]).assign(strength="1.0"), truth


def written(made: pd.DataFrame, ids: np.ndarray) -> pd.DataFrame:
    """Planted ties as they are delivered: without a day, as ties that have always been there."""
    text = {
        "客户编号": ids[made["a"]],
        "关联客户编号": ids[made["b"]],
        "关系": made["kind"].to_numpy(),
        "强度": made["strength"].to_numpy(),
        "起始日期": "",
    }
    return pd.DataFrame(text, dtype=object)


def pairs(rng: np.random.Generator, among: np.ndarray, count: int) -> np.ndarray:
    """Pairs of different customers."""
    first = rng.choice(among, size=count)
    second = rng.choice(among, size=count)
    return np.column_stack([first, np.where(first == second, among[0], second)])


def with_flaws(rng, text: pd.DataFrame, *, strangers: list[str], risks: dict):
    """The relations as delivered, each row's kind of defect, and where they stand; the risks are left whole."""
    plan = {
        "missing_ids": flaws.cell("关联客户编号", "", "", ""),
        "invalid_numbers": flaws.cell("强度", "很强", "一般"),
        "future_dates": flaws.cell("起始日期", "2026-05-01"),
        "strangers": flaws.cell("关联客户编号", *strangers),
    }
    risky = set(risks["unhappy_influencers"]) | set(risks["rivals_of_key_customers"])
    settled = (text["起始日期"] != "") & ~text["客户编号"].isin(risky)
    return flaws.planted(rng, text, plan, settled=settled, copies=5, id="客户编号")
