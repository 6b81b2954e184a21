"""Relations between customers: partners, competitors, influencers."""

import numpy as np
import pandas as pd

from . import days, flaws
from .customers import ENTERPRISE, LARGE
from .survey import ASPECTS

PARTNER, COMPETITOR, INFLUENCER = "合作伙伴", "竞争对手", "影响者"
PARTNERS, COMPETITORS, OTHER, UNHAPPY, REACH, TIED = 260, 70, 40, 6, 4, 8


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


def relations(rng, folk: pd.DataFrame, *, said: pd.DataFrame) -> tuple[pd.DataFrame, dict]:
    """Ties as text, and the planted risks: discontented influencers beside key customers, rivals of these."""
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
    return pd.DataFrame(text, dtype=object), risks


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
