"""Who moves others: weighted PageRank along influence, and how many customers each reaches.

Weight flows from whoever is influenced to those who influence them, in proportion to how strongly each does; so
a customer ranks high who influences many, or few who rank high themselves. Of a customer whom nobody influences,
and of a small share of everybody's (1 − damping), the weight goes to all alike.
Source: Page, Brin, Motwani, Winograd (1999), The PageRank Citation Ranking, Stanford InfoLab 1999-66.
"""

import numpy as np
import pandas as pd
from scipy import sparse

from crmlib.analysis.relations import Graph

NEAR = 1e-12  # summed over customers, two rounds that differ by less are the same
ROUNDS = 1000
BLOCK = 512  # customers whose reach is followed together
SHOWN = 12


def ranks(influence: sparse.csr_array, *, damping: float) -> np.ndarray:
    """PageRank of each customer; together 1.

    Parameters
    ----------
    influence : how strongly the customer of a row influences that of a column

    Examples
    --------
    One who influences two others, with damping 0.85: the others hold a share x each, which is 0.05 and a third of
    0.85 of what the first holds (whom nobody influences), y = 1 − 2x: x = 0.05 + 0.85 y / 3.

    >>> one = sparse.csr_array(np.array([[0, 1, 1], [0, 0, 0], [0, 0, 0]], dtype=float))
    >>> ranks(one, damping=0.85).round(4).tolist()
    [0.5745, 0.2128, 0.2128]
    """
    many = influence.shape[0]
    if not many:
        return np.zeros(0)
    given = np.asarray(influence.sum(axis=0)).ravel()
    scale = np.divide(1.0, given, out=np.zeros(many), where=given > 0)
    step, free = influence @ sparse.diags_array(scale), given == 0
    rank = np.full(many, 1 / many)
    for _ in range(ROUNDS):
        last = rank
        rank = damping * (step @ last + last[free].sum() / many) + (1 - damping) / many
        if np.abs(rank - last).sum() < NEAR * many:
            break
    return rank / rank.sum()


def reach(influence: sparse.csr_array, *, hops: int) -> np.ndarray:
    """How many others each customer influences within 1, 2 … `hops` steps: a row a customer, a column a step.

    >>> chain = sparse.csr_array(np.array([[0, 1, 0], [0, 0, 1], [0, 0, 0]], dtype=float))
    >>> reach(chain, hops=2).tolist()
    [[1, 2], [1, 1], [0, 0]]
    """
    many = influence.shape[0]
    step = (influence != 0).astype(np.float32).T.tocsr()
    found = np.zeros((many, hops), dtype=int)
    for start in range(0, many, BLOCK):
        own = np.arange(start, min(start + BLOCK, many))
        seen = np.zeros((many, len(own)), dtype=bool)
        seen[own, own - start] = True
        new = seen.astype(np.float32)
        for hop in range(hops):
            new = ((step @ new > 0) & ~seen).astype(np.float32)
            seen |= new > 0
            found[own, hop] = seen.sum(axis=0) - 1
    return found


def ranked(graph: Graph) -> pd.DataFrame:
    """Every customer of the graph by influence, the most influential first.

    Returns
    -------
    customer_id, place (1 for the first; equal ranks share one), rank (PageRank × customers: 1 is the mean), reach_1 …
    (others influenced within so many steps), reached_net (net sales so far of those one step away), sales, net, tier,
    behaviour, satisfaction, customer_type, at (place in the graph's nodes)
    """
    if not len(graph):
        return graph.nodes.assign(place=[], rank=[], reach_1=[], reached_net=[], at=[])
    steps = reach(graph.influence, hops=graph.rule.hops)
    # Sums in another order differ in their last digits; those are not a difference of rank.
    rank = np.round(ranks(graph.influence, damping=graph.rule.damping) * len(graph), 6)
    near = (graph.influence != 0).astype(float)
    own = graph.nodes["net"].fillna(0).astype(float).to_numpy()
    found = graph.nodes.assign(
        rank=rank,
        place=pd.Series(-rank).rank(method="min").astype(int).to_numpy(),
        reached_net=np.round(near @ own).astype("int64"),
        at=np.arange(len(graph)),
        **{f"reach_{hop + 1}": steps[:, hop] for hop in range(steps.shape[1])},
    )
    order = ["place", "reach_1", "net", "customer_id"]
    found = found.sort_values(order, ascending=[True, False, False, True], ignore_index=True)
    first = [
        "customer_id",
        "place",
        "rank",
        *(f"reach_{n + 1}" for n in range(steps.shape[1])),
        "reached_net",
    ]
    return found[[*first, *(c for c in found.columns if c not in first)]]


UNITS = {
    **{f"reach_{hop}": "count" for hop in range(1, 7)},
    "position": "count",
    "influence": "number",
    "reached_net": "money",
    "community": "count",
    "behaviour": "word",
    "tier": "word",
    "satisfaction": "word",
}
LISTED = ["customer_id", "place", "rank", "reach_1", "reach_2", "reach_3", "reached_net", "community"]
LISTED += ["net", "tier", "behaviour", "satisfaction"]


def listed(ranked: pd.DataFrame) -> pd.DataFrame:
    """The table of influence as it is shown: who influences somebody, the most influential first."""
    rows = ranked[ranked["reach_1"] > 0] if len(ranked) else ranked
    shown = rows[[name for name in LISTED if name in rows.columns]].reset_index(drop=True)
    return shown.rename(columns={"place": "position", "rank": "influence"})


def figures(graph: Graph, ranked: pd.DataFrame) -> dict[str, dict]:
    """How many influence anybody, how far the first reaches, and how much of all weight ten hold."""
    names = ("influence.customers", "influence.top.share", "influence.reach")
    if not len(graph):
        why = {"not_supplied": "no relations are supplied"}.get(
            graph.why, "no relation between known customers"
        )
        return {name: {"value": None, "why": why} for name in names}
    moving = ranked[ranked["reach_1"] > 0]
    last = f"reach_{graph.rule.hops}"
    return {
        names[0]: {"value": len(moving), "n": len(graph)},
        names[1]: {"value": float(ranked["rank"].head(10).sum() / len(graph)), "n": len(graph)},
        names[2]: {"value": float(moving[last].mean()), "n": len(moving)}
        if len(moving)
        else {"value": None, "why": "nobody influences anybody"},
    }


def told(graph: Graph, ranked: pd.DataFrame) -> dict:
    """What a sentence says of influence: who moves how many, and how much weight the first ten hold."""
    moving = ranked[ranked["reach_1"] > 0] if len(ranked) else ranked
    first = moving.iloc[0] if len(moving) else None
    ten = ranked["rank"].head(10).sum() / max(len(graph), 1)
    return {
        "n": len(graph),
        "moving": len(moving),
        "share": float(ten),
        "even": min(10 / max(len(graph), 1), 1.0),
        "reach": 0 if first is None else int(first["reach_1"]),
        "far": 0 if first is None else int(first[f"reach_{graph.rule.hops}"]),
        "hops": graph.rule.hops,
        "rank": 0.0 if first is None else float(first["rank"]),
    }
