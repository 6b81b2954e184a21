"""Who belongs together: communities of the graph (Louvain), and a place for every customer to be drawn at.

Source: Blondel, Guillaume, Lambiotte, Lefebvre (2008), Journal of Statistical Mechanics P10008. The method takes
customers in a shuffled order; the seed is fixed and customers stand by number, so that rows in any order give the same.
"""

import math
from itertools import count

import networkx as nx
import numpy as np
import pandas as pd
from scipy.sparse.csgraph import connected_components

from crmlib.analysis.relations import Graph

SEED = 1
SMALLEST = 3  # two who know each other are a pair, no community
SHARP = 0.3  # modularity from which on groups are real ones (Newman and Girvan 2004, Physical Review E 69, 026113)
FEWEST = 30  # customers, below which communities are not told
GOLDEN = math.pi * (3 - math.sqrt(5))
NONE = 0  # the community of who is in none
PLACED = 60  # communities with a disc of their own; smaller ones stand on the rings
STEP = 1.1  # between two customers of a disc


def communities(graph: Graph) -> np.ndarray:
    """The community of each customer, in the order of the graph's nodes: 1 is the largest; 0 is in none.

    Of two as large the one with the larger net sales comes first.
    """
    bonds = graph.bonds.tocoo()
    whole = nx.Graph()
    whole.add_nodes_from(range(len(graph)))
    above = bonds.row < bonds.col
    whole.add_weighted_edges_from(
        sorted(
            zip(bonds.row[above].tolist(), bonds.col[above].tolist(), bonds.data[above].tolist(), strict=True)
        )
    )
    if not whole.number_of_edges():
        return np.zeros(len(graph), dtype=int)
    parts = [sorted(part) for part in nx.community.louvain_communities(whole, seed=SEED)]
    net = graph.nodes["net"].fillna(0).astype(float).to_numpy()
    parts = sorted(parts, key=lambda part: (-len(part), -net[part].sum(), part[0]))
    found = np.zeros(len(graph), dtype=int)
    for number, part in enumerate(parts, start=1):
        found[part] = number if len(part) >= SMALLEST else NONE
    return found


def modularity(graph: Graph, found: np.ndarray) -> float | None:
    """How much more of the ties' strength lies within communities than chance would have it, below 1.

    Who is in none is a community of their own. Source: Newman (2004), Physical Review E 69, 066133.
    """
    bonds = graph.bonds
    total = bonds.sum()
    if not total:
        return None
    own = np.where(found == NONE, found.max() + 1 + np.arange(len(found)), found)
    rows, columns = bonds.nonzero()
    weight = np.asarray(bonds[rows, columns]).ravel()
    inside = weight[own[rows] == own[columns]].sum() / total
    strength = pd.Series(np.asarray(bonds.sum(axis=1)).ravel()).groupby(own).sum() / total
    return float(inside - (strength**2).sum())


def table(graph: Graph, found: np.ndarray, ranked: pd.DataFrame) -> pd.DataFrame:
    """Community by community, the largest first.

    Returns
    -------
    community, customers, ties (within it), key_customers (in the high tier), sold (in the period), net (so far),
    active (share of customers), dissatisfied (customers), customer_id (its most influential customer)
    """
    nodes = graph.nodes.assign(community=found)
    inside = found[graph.ties["source"]] == found[graph.ties["target"]]
    ties = pd.Series(found[graph.ties["source"]][inside]).value_counts()
    first = ranked.assign(community=found[ranked["at"].to_numpy(int)]).drop_duplicates("community")
    parts = nodes[nodes["community"] != NONE].groupby("community")
    rows = pd.DataFrame(
        {
            "customers": parts.size(),
            "key_customers": parts["tier"].agg(lambda tier: int((tier == "high").sum())),
            "sold": parts["sales"].sum(min_count=1),
            "net": parts["net"].sum(min_count=1),
            "active": parts["behaviour"].agg(lambda state: float((state == "active").mean())),
            "dissatisfied": parts["satisfaction"].agg(lambda said: int((said == "dissatisfied").sum())),
        }
    )
    rows["ties"] = ties.reindex(rows.index).fillna(0).astype(int)
    rows["customer_id"] = first.set_index("community")["customer_id"].reindex(rows.index)
    order = [
        "community",
        "customers",
        "ties",
        "key_customers",
        "sold",
        "net",
        "active",
        "dissatisfied",
        "customer_id",
    ]
    return rows.rename_axis("community").reset_index()[order]


UNITS = {"community": "count", "ties": "count", "key_customers": "count", "sold": "money", "active": "share"}
UNITS |= {"dissatisfied": "count"}


def figures(graph: Graph, found: np.ndarray) -> dict[str, dict]:
    """How many communities there are, how sharply they part, and how many customers the largest holds."""
    names = ("communities.count", "communities.modularity", "communities.largest.share")
    if len(graph) < FEWEST:
        why = (
            "no relations are supplied"
            if graph.why == "not_supplied"
            else "too few customers with a relation"
        )
        return {name: {"value": None, "why": why, "n": len(graph)} for name in names}
    sharp, many = modularity(graph, found), int(found.max())
    largest = int((found == 1).sum()) / len(graph)
    return {
        names[0]: {"value": many, "n": len(graph)},
        names[1]: {"value": sharp, "n": len(graph), "why": "no tie that binds"},
        names[2]: {"value": largest, "n": len(graph)},
    }


def told(graph: Graph, table: pd.DataFrame, found: np.ndarray) -> dict:
    """What a sentence says of communities: how many, the largest, and the one on which most net sales rest."""
    sharp = modularity(graph, found) if len(graph) else None
    worth = table.dropna(subset=["net"]).sort_values(["net", "community"], ascending=[False, True])
    best = worth.iloc[0] if len(worth) else None
    every = float(graph.nodes["net"].fillna(0).sum()) if len(graph) else 0.0
    return {
        "n": len(graph),
        "many": len(table),
        "largest": int(table["customers"].iloc[0]) if len(table) else 0,
        "sharp": sharp or 0.0,
        "best": 0 if best is None else int(best["community"]),
        "net": 0 if best is None else float(best["net"]),
        "share": 0.0 if best is None or not every else float(best["net"]) / every,
    }


def layout(graph: Graph, found: np.ndarray, rank: np.ndarray) -> pd.DataFrame:
    """Where each customer is drawn: a disc for each community, its most influential customer in the middle.

    Discs are put down from the largest on, each at the nearest free place to the middle; whoever is in no community
    stands around them. Nothing is left to chance, and it takes no longer for twice the ties.

    Returns
    -------
    x, y, in the order of the nodes; one unit is the room of one customer
    """
    places = np.zeros((len(graph), 2))
    order = np.lexsort((np.arange(len(graph)), -np.asarray(rank, dtype=float)))
    members = [order[found[order] == c] for c in range(1, min(int(found.max(initial=0)), PLACED) + 1)]
    rooms = [STEP * (math.sqrt(len(part)) + 1) for part in members]
    centres = packed(rooms)
    for centre, part in zip(centres, members, strict=True):
        places[part] = centre + STEP * _sunflower(len(part))
    ends = [math.hypot(*centre) + room for centre, room in zip(centres, rooms, strict=True)]
    loose = order[(found[order] == NONE) | (found[order] > PLACED)]
    # Who belongs together stands together on the rings as well, the larger groups first.
    group = connected_components(graph.bonds, directed=False)[1] if len(graph) else found
    size = np.bincount(group)[group] if len(graph) else found
    loose = loose[np.lexsort((found[loose], group[loose], -size[loose]))]
    places[loose] = _rings(len(loose), max(ends, default=0.0))
    return pd.DataFrame(places, columns=["x", "y"])


def _sunflower(many: int) -> np.ndarray:
    """Places in a disc, evenly spread, from the middle outwards.

    >>> _sunflower(2).round(2).tolist()
    [[0.0, 0.0], [-0.74, 0.68]]
    """
    at = np.arange(many)
    return np.sqrt(at)[:, None] * np.column_stack([np.cos(at * GOLDEN), np.sin(at * GOLDEN)])


def _rings(many: int, edge: float) -> np.ndarray:
    """Places on rings around everything, from the inside outwards."""
    found: list[tuple[float, float]] = []
    for ring in count(1):
        if len(found) >= many:
            return np.array(found[:many]).reshape(-1, 2)
        radius = edge + 2.2 * ring - 1
        room = max(int(2 * math.pi * radius / 2.2), 1)
        room = min(room, many - len(found))
        turns = 2 * math.pi * np.arange(room) / room
        found += list(zip(radius * np.cos(turns), radius * np.sin(turns), strict=True))
    raise AssertionError  # rings never end


def packed(radii: list[float]) -> list[np.ndarray]:
    """Centres of discs that do not overlap, each as near the middle as its forerunners leave room.

    >>> [centre.round(1).tolist() for centre in packed([2, 1])]
    [[0.0, 0.0], [-3.0, 0.0]]
    """
    centres: list[np.ndarray] = []
    for number, radius in enumerate(radii):
        if not number:
            centres.append(np.zeros(2))
            continue
        known, sizes = np.array(centres), np.array(radii[:number])
        centres.append(_nearest(known, sizes, radius))
    return centres


def _nearest(known: np.ndarray, sizes: np.ndarray, radius: float) -> np.ndarray:
    """The free place nearest to the middle: touching one disc, and overlapping none."""
    turns = 2 * math.pi * np.arange(48) / 48
    around = np.column_stack([np.cos(turns), np.sin(turns)])
    tried = (known[:, None] + (sizes + radius)[:, None, None] * around).reshape(-1, 2)
    apart = np.hypot(*(tried[:, None] - known[None]).transpose(2, 0, 1))
    free = tried[(apart >= (sizes + radius) - 1e-9).all(axis=1)]
    # Wider than high, as a page is.
    far = np.hypot(free[:, 0], 1.35 * free[:, 1])
    return free[np.lexsort((free[:, 1], free[:, 0], np.round(far, 6)))[0]]
