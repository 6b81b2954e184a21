"""How long a graph takes to draw, beside computing it: 5,000 customers, 20,000 relations.

Prints the seconds of PageRank and layout (communities among them), of the figure, and their ratio; how far our PageRank
is from networkx's; The figure is to take at most five times as long.
Run: python bench/relations.py [customers] [relations]
"""

import sys
import time
from collections.abc import Callable

import networkx as nx
import numpy as np
import pandas as pd

from crmlib.analysis import communities, influence, relations
from crmlib.analysis.picture import picture
from crmlib.bonds import Relations
from crmlib.visualisation import network

KINDS = ("partner", "influencer", "competitor", "supplier")
NEIGHBOURS, FAR = 100, 0.3


def made(customers: int, ties: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Customers and relations, most of these among neighbours."""
    rng = np.random.default_rng(5)
    ids = np.array([f"{number:06d}" for number in range(customers)])
    people = pd.DataFrame(
        {
            "customer_id": ids,
            "sales": rng.gamma(1, 1e5, customers).astype(int),
            "net": rng.gamma(0.5, 1e6, customers).astype(int),
            "tier": rng.choice(["high", "medium", "low"], customers),
            "behaviour": rng.choice(["active", "dormant", "churned"], customers),
            "satisfaction": rng.choice(
                ["satisfied", "neutral", "dissatisfied"], customers, p=[0.6, 0.37, 0.03]
            ),
            "customer_type": "personal",
        }
    )
    one = rng.integers(0, customers, ties)
    other = (one // NEIGHBOURS * NEIGHBOURS + rng.integers(0, NEIGHBOURS, ties)) % customers
    far = rng.random(ties) < FAR
    other[far] = rng.integers(0, customers, far.sum())
    rows = {"customer_id": ids[one], "other_id": ids[other], "known": True, "other_known": True}
    drawn = {"kind": rng.choice(KINDS, ties), "strength": rng.random(ties), "since_day": None}
    return people, pd.DataFrame(rows | drawn)


def seconds(work: Callable[[], object], times: int = 3) -> float:
    """The shortest of several times: what else the machine did is no part of it."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return min(taken)


def main() -> None:
    """Print the table."""
    many, ties = (int(number) for number in (*sys.argv[1:], 5000, 20000)[:2])
    people, rows = made(many, ties)
    graph = relations.graph(rows, people, Relations())
    whole = picture(graph)

    def computed() -> None:
        rank = influence.ranks(graph.influence, damping=graph.rule.damping)
        communities.layout(graph, communities.communities(graph), rank)

    def drawn() -> network.Chart | None:
        table = influence.listed(whole.ranked)
        words = {
            "title": "Relations",
            "about": "bench",
            "heading": str,
            "show": lambda _, value: f"{value:.0f}",
        }
        return network.network(table, **whole.drawing(decimals=2), **words)

    ours, figure = seconds(computed), seconds(drawn)
    print(f"{len(graph):,} customers, {len(graph.ties):,} relations, {int(whole.found.max())} communities")
    print(f"PageRank and layout {ours:.2f} s, figure {figure:.2f} s: {figure / ours:.2f} times as long")
    print(f"figure: {len(drawn().png) / 1024:.0f} kB")
    other = nx.from_scipy_sparse_array(graph.influence.T.tocsr(), create_using=nx.DiGraph)
    theirs = np.array(list(nx.pagerank(other, alpha=graph.rule.damping, tol=1e-12, max_iter=1000).values()))
    off = np.abs(influence.ranks(graph.influence, damping=graph.rule.damping) - theirs).max() * len(graph)
    print(f"PageRank at most {off:.1e} of a mean customer's from networkx's")


if __name__ == "__main__":
    main()
