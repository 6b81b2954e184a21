"""Who can introduce us (X15 by graph): ways from key customers we have to potential high-value ones.

*Potential* is who shows the signs of `crmlib.classification.potential`, and besides, by the graph, who is outside the
high tier (or never bought) but tied to key customers: so many of them, by kinds of relation that carry influence,
whichever way. A way begins at an active customer of the high tier who is not dissatisfied, goes along influence, and is
the shortest; of several as short, the one whose ties are strongest (their product).
"""

import itertools
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crmlib.analysis.relation_risk import KEY
from crmlib.analysis.relations import Graph
from crmlib.classification.potential import NOT_SUPPLIED, TOO_FEW

COMPANY = "company"
SAME = 1e-12
UNITS = {"key_ties": "count", "steps": "count", "strength": "number", "behaviour": "word", "as_good": "count"}
UNITS |= {"way": "count", "step": "count", "kind": "word"}
LIST = ["customer_id", "tier", "signs", "key_ties", "behaviour", "customer_type", "net"]


@dataclass(frozen=True)
class Introductions:
    """Ways to potential customers.

    Parameters
    ----------
    ways : way (its number, shortest and strongest first), customer_id (to whom), start_id (from whom), steps,
        strength (product of its ties'), signs, tier, net (of whom it leads to), as_good (other ways)
    steps : way, step, customer_id, other_id, kind, strength: each tie of each way
    starts : customers a way may begin at
    """

    ways: pd.DataFrame
    steps: pd.DataFrame
    starts: int


def key_ties(graph: Graph) -> pd.Series:
    """How many key customers each is tied to by a kind that carries influence, in the order of the nodes."""
    either = ((graph.influence + graph.influence.T) != 0).astype(int)
    key = (graph.nodes["tier"] == KEY).to_numpy().astype(int)
    return pd.Series(either @ key if len(graph) else key, index=graph.nodes.index, dtype=int)


def potentials(graph: Graph, classes: pd.DataFrame) -> pd.DataFrame:
    """Potential high-value customers, by their own signs or by the company they keep: most signs first.

    Returns
    -------
    customer_id, tier, signs (names, comma between; `company` is the graph's), key_ties, behaviour, customer_type, net
    """
    own = classes.set_index("customer_id")["potential"]
    own = own[~own.isin(["", NOT_SUPPLIED, TOO_FEW])]
    ties = key_ties(graph).set_axis(graph.ids)
    outside = (graph.nodes["tier"] != KEY).to_numpy()
    company = ties[outside & (ties >= graph.rule.key_ties).to_numpy()]
    rows = graph.everybody.loc[own.index.union(company.index)].copy()
    rows["key_ties"] = ties.reindex(rows.index).fillna(0).astype(int)
    signs = own.reindex(rows.index).fillna("")
    kept = pd.Series(np.where(rows.index.isin(company.index), COMPANY, ""), index=rows.index)
    rows["signs"] = (signs + "," + kept).str.strip(",")
    rows["shown"] = rows["signs"].str.count(",") + 1
    order = ["shown", "key_ties", "net", "customer_id"]
    found = rows.reset_index(names="customer_id").sort_values(order, ascending=[False, False, False, True])
    return found[LIST].reset_index(drop=True)


def introductions(graph: Graph, potentials: pd.DataFrame) -> Introductions:
    """The best way to each potential customer whom anybody can introduce."""
    nodes = graph.nodes
    starts = (
        (nodes["tier"] == KEY) & (nodes["behaviour"] == "active") & (nodes["satisfaction"] != "dissatisfied")
    )
    starts &= ~graph.ids.isin(potentials["customer_id"])
    level, best, before, alike = _followed(graph, starts.to_numpy())
    about = potentials.set_index("customer_id")
    rows = []
    for place, id in enumerate(graph.ids):
        if id in about.index and level[place] > 0:
            path = _path(place, before)
            told = about.loc[id]
            ends = (id, graph.ids[path[0]], int(level[place]), float(best[place]))
            rows.append((*ends, told["signs"], told["tier"], told["net"], int(alike[place]), path))
    names = ["customer_id", "start_id", "steps", "strength", "signs", "tier", "net", "as_good", "path"]
    ways = pd.DataFrame(rows, columns=names)
    order = ["steps", "strength", "net", "customer_id"]
    ways = ways.sort_values(order, ascending=[True, False, False, True], ignore_index=True)
    ways.insert(0, "way", np.arange(1, len(ways) + 1))
    return Introductions(ways.drop(columns="path"), _steps(graph, ways), int(starts.sum()))


def _followed(graph: Graph, starts: np.ndarray) -> tuple[np.ndarray, ...]:
    """Steps to each customer (0 for starts, −1 where nobody leads), strength, who leads there, other ways as good."""
    many = len(graph)
    level, best = np.where(starts, 0, -1), np.where(starts, 1.0, 0.0)
    before, alike = np.full(many, -1), np.zeros(many, dtype=int)
    ties = graph.influence.tocoo()
    for step in range(1, graph.rule.introduced_within + 1):
        here = (level[ties.row] == step - 1) & (level[ties.col] == -1)
        found = pd.DataFrame({"to": ties.col[here], "from": ties.row[here], "tie": ties.data[here]})
        found["strength"] = found["tie"] * best[found["from"]]
        if found.empty:
            break
        top = found.groupby("to")["strength"].transform("max")
        good = found[found["strength"] >= top * (1 - SAME)]
        first = good.sort_values(["to", "from"]).drop_duplicates("to")
        level[first["to"]], best[first["to"]], before[first["to"]] = step, first["strength"], first["from"]
        others = good.groupby("to").size().reindex(first["to"]).to_numpy() - 1
        alike[first["to"]] = others + alike[first["from"]]
    return level, best, before, alike


def _path(place: int, before: np.ndarray) -> list[int]:
    """The places of a way, from its beginning on."""
    path = [place]
    while before[path[0]] >= 0:
        path.insert(0, int(before[path[0]]))
    return path


def _steps(graph: Graph, ways: pd.DataFrame) -> pd.DataFrame:
    """Each tie of each way with its kind; of two kinds between the same two the stronger."""
    ties = graph.within((*graph.rule.one_way, *graph.rule.both_ways))
    back = ties[ties["kind"].isin(graph.rule.both_ways)]
    turned = back.rename(columns={"source": "target", "target": "source"})
    led = pd.concat([ties, turned[ties.columns]]).sort_values(["strength", "kind"], ascending=[False, True])
    kinds = led.drop_duplicates(["source", "target"]).set_index(["source", "target"])[["kind", "strength"]]
    rows = []
    for way, path in zip(ways["way"], ways["path"], strict=True):
        for step, (a, b) in enumerate(itertools.pairwise(path), start=1):
            rows.append((way, step, graph.ids[a], graph.ids[b], *kinds.loc[(a, b)]))
    return pd.DataFrame(rows, columns=["way", "step", "customer_id", "other_id", "kind", "strength"])


def lengths(found: Introductions) -> pd.DataFrame:
    """How many potential customers a way of so many steps leads to: steps, customers."""
    counts = found.ways["steps"].astype(int).value_counts().sort_index()
    return pd.DataFrame({"steps": counts.index, "customers": counts.to_numpy()})


def figures(graph: Graph, potentials: pd.DataFrame, found: Introductions) -> dict[str, dict]:
    """Potential customers by the graph, all of them together, and how many somebody can introduce."""
    names = (
        "potential.graph.customers",
        "potential.all.customers",
        "introductions.reached",
        "introductions.steps",
    )
    if not len(graph):
        why = (
            "no relations are supplied"
            if graph.why == "not_supplied"
            else "no relation between known customers"
        )
        return {name: {"value": None, "why": why} for name in names}
    by_graph = potentials["signs"].str.split(",").map(lambda signs: COMPANY in signs)
    ways = found.ways
    mean = {"value": float(ways["steps"].mean()), "n": len(ways)}
    return {
        names[0]: {"value": int(by_graph.sum()), "n": len(graph)},
        names[1]: {"value": len(potentials), "n": len(graph.everybody)},
        names[2]: {"value": len(ways), "n": len(potentials)},
        names[3]: mean if len(ways) else {"value": None, "why": "nobody can be introduced"},
    }


def told(graph: Graph, potentials: pd.DataFrame, found: Introductions) -> dict:
    """What a sentence says: potential customers, those the graph alone names, and who can be introduced how far."""
    ways = found.ways
    alone = int((potentials["signs"] == COMPANY).sum()) if len(potentials) else 0
    return {
        "n": len(graph),
        "targets": len(potentials),
        "alone": alone,
        "reached": len(ways),
        "direct": int((ways["steps"] == 1).sum()),
        "starts": found.starts,
        "from": int(ways["start_id"].nunique()),
        "within": graph.rule.introduced_within,
        "ties": graph.rule.key_ties,
    }
