"""The graph of customers: who is tied to whom, by which kind of relation, and what each is worth.

A relation is *from* one customer *to* another. An influencer influences the customer they are tied to, never
the other way; partners influence each other; competitors influence nobody and bind nobody; any other kind is
shown and carries no influence, unless `relations` of `client.yml` says so. What cannot be drawn into a graph,
because a customer is unknown or tied to themselves, is counted and left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import sparse

from crmlib.bonds import Relations

UNNAMED = "unnamed"
NEVER = "never_bought"
TRAITS = ("tier", "behaviour", "satisfaction", "customer_type")
WHY = {
    "not_supplied": "no relations are supplied",
    "nobody": "no relation between two known customers is left",
}


@dataclass(frozen=True)
class Graph:
    """Customers with a tie, their ties, and what was left out.

    Parameters
    ----------
    nodes : customer_id, sales (of the period), net (so far; both smallest unit), tier, behaviour,
        satisfaction, customer_type; in order of customer_id
    ties : source, target (places in `nodes`), kind, strength, since_day; one row for a pair and kind
    told : rows, strangers, loops, repeated, unweighed: rows as delivered, and what became of them
    everybody : all customers, with a tie or without, by customer_id: the columns of `nodes`
    rule : which kinds carry influence
    why : why there is no graph, or nothing
    """

    nodes: pd.DataFrame
    ties: pd.DataFrame
    told: Mapping[str, int]
    everybody: pd.DataFrame
    rule: Relations
    why: str = ""

    def __len__(self) -> int:
        return len(self.nodes)

    @property
    def ids(self) -> pd.Series:
        """Customer numbers by place."""
        return self.nodes["customer_id"]

    def within(self, kinds: tuple[str, ...]) -> pd.DataFrame:
        """The ties of these kinds."""
        return self.ties[self.ties["kind"].isin(kinds)]

    @cached_property
    def influence(self) -> sparse.csr_array:
        """How strongly the customer of a row influences that of a column."""
        one, both = self.within(self.rule.one_way), self.within(self.rule.both_ways)
        rows = np.concatenate([one["source"], both["source"], both["target"]]).astype(int)
        columns = np.concatenate([one["target"], both["target"], both["source"]]).astype(int)
        weight = np.concatenate([one["strength"], both["strength"], both["strength"]]).astype(float)
        shape = (len(self), len(self))
        return sparse.coo_array((weight, (rows, columns)), shape=shape).tocsr()

    @cached_property
    def bonds(self) -> sparse.csr_array:
        """How strongly two customers belong together, whichever way: every kind but rivalry."""
        bound = self.ties[~self.ties["kind"].isin(self.rule.against)]
        places = bound["source"].to_numpy(int), bound["target"].to_numpy(int)
        one = sparse.coo_array((bound["strength"].to_numpy(float), places), shape=(len(self), len(self)))
        return (one + one.T).tocsr()


def people(
    customers: pd.DataFrame, facts: pd.DataFrame, classes: pd.DataFrame, activity: pd.DataFrame | None
) -> pd.DataFrame:
    """Every customer that a relation may name, with what they bring and how they are classed.

    Parameters
    ----------
    customers : the customer table; who stands there and never bought is a customer all the same
    facts, classes : a row per customer with a sale
    activity : what each did within the period; None where there are no order lines

    Returns
    -------
    customer_id, sales (gross, of the period; empty without order lines), net (so far), tier, behaviour,
    satisfaction, customer_type; `never_bought` is the tier and behaviour of who never did.
    """
    ids = pd.Index(customers["customer_id"]).union(pd.Index(facts["customer_id"])).rename("customer_id")
    found = pd.DataFrame(index=ids)
    found["net"] = facts.set_index("customer_id")["net"].reindex(ids).astype("Float64")
    found["sales"] = pd.Series(pd.NA, index=ids, dtype="Float64")
    if activity is not None:
        gross = activity.set_index("customer_id")["gross"].reindex(ids)
        found["sales"] = gross.fillna(0).astype("Float64")
        found["net"] = found["net"].fillna(0)
    judged = classes.set_index("customer_id")[list(TRAITS)].reindex(ids).astype(object)
    judged[["tier", "behaviour"]] = judged[["tier", "behaviour"]].fillna(NEVER)
    if "customer_type" in customers:
        kinds = customers.drop_duplicates("customer_id").set_index("customer_id")["customer_type"]
        judged["customer_type"] = judged["customer_type"].fillna(kinds.reindex(ids).astype(object))
    judged = judged.fillna({"satisfaction": "not_graded", "customer_type": "unknown"})
    whole = pd.concat([found, judged.astype("str")], axis=1)
    return whole.reset_index()[["customer_id", "sales", "net", *TRAITS]]


def graph(relations: pd.DataFrame | None, people: pd.DataFrame, rule: Relations) -> Graph:
    """The graph of known customers, whatever the order of the rows.

    Parameters
    ----------
    relations : in the columns of `tables.RELATIONS`, as known at the period's end; None: not supplied
    people : as `people` gives them

    Returns
    -------
    A graph without customers, and why, where there is nothing to draw. One pair and kind is one tie, as strong
    as its strongest row, since its earliest day; without a day it has always been there. A tie of unknown
    strength (none, or not above 0) is as strong as the middle one of its kind, of all, or 1.

    Examples
    --------
    >>> two = pd.DataFrame({"customer_id": ["a", "b"], "sales": [1, 2], "net": [5, 7], "tier": "high"})
    >>> tie = {"customer_id": "a", "other_id": "b", "known": True, "other_known": True}
    >>> rows = pd.DataFrame([tie | {"kind": "partner", "strength": 0.5, "since_day": None}] * 2)
    >>> found = graph(rows, two, Relations())
    >>> len(found), len(found.ties), found.told["repeated"]
    (2, 1, 1)
    """
    if relations is None:
        return _empty(people, rule, "not_supplied", {"rows": 0})
    listed = people.set_index("customer_id").index
    known = relations["customer_id"].isin(listed) & relations["other_id"].isin(listed)
    known &= relations["known"].astype(bool) & relations["other_known"].astype(bool)
    loop = relations["customer_id"] == relations["other_id"]
    left = relations[known & ~loop]
    told = {"rows": len(relations), "strangers": int((~known).sum()), "loops": int((loop & known).sum())}
    ties, unweighed = _weighed(left, rule)
    ties = _once(ties)
    told |= {"repeated": len(left) - len(ties), "unweighed": unweighed}
    if ties.empty:
        return _empty(people, rule, "nobody", told)
    ids = pd.Index(sorted({*ties["customer_id"], *ties["other_id"]}))
    nodes = people[people["customer_id"].isin(ids)].sort_values("customer_id", ignore_index=True)
    places = {"source": ids.get_indexer(ties["customer_id"]), "target": ids.get_indexer(ties["other_id"])}
    placed = ties.assign(**places)[["source", "target", "kind", "strength", "since_day"]]
    order = ["source", "target", "kind"]
    everybody = people.set_index("customer_id")
    return Graph(nodes, placed.sort_values(order, ignore_index=True), told, everybody, rule)


def _empty(people: pd.DataFrame, rule: Relations, why: str, told: Mapping[str, int]) -> Graph:
    ties = pd.DataFrame({"source": [], "target": [], "kind": [], "strength": [], "since_day": []})
    kept = dict.fromkeys(("rows", "strangers", "loops", "repeated", "unweighed"), 0) | dict(told)
    types = {"source": int, "target": int, "kind": "str", "strength": float, "since_day": float}
    return Graph(people.head(0), ties.astype(types), kept, people.set_index("customer_id"), rule, why)


def _weighed(rows: pd.DataFrame, rule: Relations) -> tuple[pd.DataFrame, int]:
    """Ties with a kind and a strength each; a tie that has no direction is named one way. How many had no strength."""
    kind = rows["kind"].astype(object).where(rows["kind"].notna(), UNNAMED).astype("str")
    given = pd.to_numeric(rows["strength"], errors="coerce").astype(float)
    strength = given.where((given > 0) & np.isfinite(given))
    usual = strength.groupby(kind).transform("median").fillna(strength.median()).fillna(1.0)
    mutual = kind.isin([*rule.both_ways, *rule.against])
    turn = mutual & (rows["customer_id"] > rows["other_id"])
    ties = pd.DataFrame(
        {
            "customer_id": rows["customer_id"].where(~turn, rows["other_id"]),
            "other_id": rows["other_id"].where(~turn, rows["customer_id"]),
            "kind": kind,
            "strength": strength.fillna(usual),
            "since_day": rows["since_day"].astype("Float64").astype(float).fillna(-np.inf),
        }
    )
    return ties, int(strength.isna().sum())


def _once(ties: pd.DataFrame) -> pd.DataFrame:
    """A row for each pair and kind."""
    return ties.groupby(["customer_id", "other_id", "kind"], as_index=False).agg(
        strength=("strength", "max"), since_day=("since_day", "min")
    )


KINDS_UNITS = {"kind": "word", "ties": "count", "customers": "count", "carries": "word", "strength": "number"}


def kinds(graph: Graph) -> pd.DataFrame:
    """Kind by kind, the most frequent first: kind, ties, customers, strength (median), carries (which way influence goes)."""
    ways = {
        **dict.fromkeys(graph.rule.one_way, "one_way"),
        **dict.fromkeys(graph.rule.both_ways, "both_ways"),
        **dict.fromkeys(graph.rule.against, "rivalry"),
    }
    rows = [
        (kind, len(part), len({*part["source"], *part["target"]}), part["strength"].median())
        for kind, part in graph.ties.groupby("kind")
    ]
    found = pd.DataFrame(rows, columns=["kind", "ties", "customers", "strength"])
    found["carries"] = [ways.get(kind, "carries_nothing") for kind in found["kind"]]
    return found.sort_values(["ties", "kind"], ascending=[False, True], ignore_index=True)


def figures(graph: Graph) -> dict[str, dict]:
    """How many customers and ties there are, and what was left out."""
    if graph.why == "not_supplied":
        return {f"relations.{name}": {"value": None, "why": WHY[graph.why]} for name in COUNTED}
    found = {"customers": len(graph), "ties": len(graph.ties)} | {n: graph.told[n] for n in COUNTED[2:]}
    return {f"relations.{name}": {"value": found[name], "n": graph.told["rows"]} for name in COUNTED}


COUNTED = ("customers", "ties", "strangers", "loops", "repeated", "unweighed")


def told(graph: Graph) -> dict:
    """What a sentence says of the graph: counts, and the kinds that carry no influence by name."""
    silent = kinds(graph)
    named = silent.loc[silent["carries"] == "carries_nothing", "kind"].tolist()
    counted = {"customers": len(graph), "ties": len(graph.ties), "n": len(graph)}
    return counted | dict(graph.told) | {"others": named}


def supplied(graph: Graph, holds: bool | None) -> bool | None:
    """Whether a sentence holds; None where no relation is supplied, so that nothing can be said."""
    return None if graph.why == "not_supplied" else bool(holds)
