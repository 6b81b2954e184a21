"""What relations put at risk (B07): sales within one step of a dissatisfied influencer, and key customers with rivals.

An *influencer* is a customer from whom a relation of a one-way kind leads to somebody; within their reach are all whom
they influence directly, by that kind or as a partner. A customer whom two of them reach is counted once.
"""

import pandas as pd

from crmlib.analysis.relations import Graph

KEY = "high"
UNITS = {
    "reached": "count",
    "key_customers": "count",
    "sold": "money",
    "reached_net": "money",
    "reached_sales": "money",
}
UNITS |= {"rivals": "count", "since": "date", "behaviour": "word", "satisfaction": "word", "tier": "word"}


def influencers(graph: Graph) -> set[int]:
    """Places of the customers who are named as somebody's influencer."""
    return {int(place) for place in graph.within(graph.rule.one_way)["source"]}


def dissatisfied(graph: Graph) -> list[int]:
    """Places of the influencers who are dissatisfied by their latest answer."""
    sad = graph.nodes["satisfaction"] == "dissatisfied"
    return [place for place in sorted(influencers(graph)) if sad[place]]


def reached(graph: Graph, place: int) -> list[int]:
    """Places of the customers whom one influences directly."""
    row = graph.influence[[place]].tocoo()
    return sorted({int(column) for column in row.col})


def at_risk(graph: Graph) -> pd.DataFrame:
    """Every customer within one step of a dissatisfied influencer, once: the largest net sales first.

    Returns
    -------
    customer_id, tier, behaviour, satisfaction, sold (in the period), net (so far), influencers (how many reach them)
    """
    near = [place for sad in dissatisfied(graph) for place in reached(graph, sad)]
    times = pd.Series(near, dtype=int).value_counts()
    rows = graph.nodes.iloc[times.index].assign(influencers=times.to_numpy())
    columns = ["customer_id", "tier", "behaviour", "satisfaction", "sales", "net", "influencers"]
    order = ["net", "customer_id"]
    rows = rows.sort_values(order, ascending=[False, True], ignore_index=True)[columns]
    return rows.rename(columns={"sales": "sold"})


def sources(graph: Graph) -> pd.DataFrame:
    """The dissatisfied influencers, the one with the largest sales of the period within reach first.

    Returns
    -------
    customer_id, reached (customers one step away), key_customers (of these in the high tier), reached_sales (of the period),
    reached_net (so far), behaviour, sold (to themselves, in the period)
    """
    rows = []
    for place in dissatisfied(graph):
        near, own = graph.nodes.iloc[reached(graph, place)], graph.nodes.iloc[place]
        sums = (near["sales"].sum(min_count=1), near["net"].sum(min_count=1))
        key = int((near["tier"] == KEY).sum())
        rows.append((own["customer_id"], len(near), key, *sums, own["behaviour"], own["sales"]))
    columns = ["customer_id", "reached", "key_customers", "reached_sales", "reached_net", "behaviour", "sold"]
    found = pd.DataFrame(rows, columns=columns)
    order = ["reached_sales", "reached_net", "customer_id"]
    return found.sort_values(order, ascending=[False, False, True], ignore_index=True)


def rivals(graph: Graph) -> pd.DataFrame:
    """Key customers (high tier) tied to a competitor, the largest net sales first.

    Returns
    -------
    customer_id, rivals (competitors they are tied to), other_id (the one with the strongest tie), behaviour,
    satisfaction, sold (in the period), net (so far)
    """
    ties = graph.within(graph.rule.against)[["source", "target", "strength"]]
    turned = ties.rename(columns={"source": "target", "target": "source"})
    both = pd.concat([ties, turned[ties.columns]], ignore_index=True)
    both = both[(graph.nodes["tier"].to_numpy() == KEY)[both["source"]]] if len(both) else both
    both = both.sort_values(["source", "strength", "target"], ascending=[True, False, True])
    many = both.groupby("source")["target"].nunique()
    first = both.drop_duplicates("source").set_index("source")["target"]
    rows = graph.nodes.iloc[many.index.to_numpy(int)].assign(
        rivals=many.to_numpy(), other_id=graph.ids.iloc[first.reindex(many.index).to_numpy(int)].to_numpy()
    )
    columns = ["customer_id", "rivals", "other_id", "behaviour", "satisfaction", "sales", "net"]
    rows = rows.sort_values(["net", "customer_id"], ascending=[False, True], ignore_index=True)[columns]
    return rows.rename(columns={"sales": "sold"})


def figures(graph: Graph, sold: float | None) -> dict[str, dict]:
    """Customers, sales and net sales at risk; key customers with a competitor.

    Parameters
    ----------
    sold : identified sales of the period, of which those at risk are a share
    """
    names = (
        "risk.influencers",
        "risk.customers",
        "risk.sales",
        "risk.net",
        "risk.share",
        "rivals.customers",
        "rivals.net",
    )
    if not len(graph):
        why = (
            "no relations are supplied"
            if graph.why == "not_supplied"
            else "no relation between known customers"
        )
        return {name: {"value": None, "why": why} for name in names}
    near, key = at_risk(graph), rivals(graph)
    sales, net = _sum(near["sold"], graph), _sum(near["net"], graph)
    share = None if sales is None or not sold else sales / float(sold)
    values = (len(dissatisfied(graph)), len(near), sales, net, share, len(key), _sum(key["net"], graph))
    why = "no sales of the period are known"
    return {
        name: {"value": value, "n": len(influencers(graph)) if name == names[0] else len(graph), "why": why}
        for name, value in zip(names, values, strict=True)
    }


def _sum(amounts: pd.Series, graph: Graph) -> float | None:
    """A sum of amounts; None where nobody's is known, 0 of nobody."""
    if not graph.nodes["net" if amounts.name == "net" else "sales"].notna().any():
        return None
    return round(float(amounts.fillna(0).sum()))


def told(graph: Graph, figures: dict[str, dict]) -> dict:
    """What a sentence says of risk: influencers, those dissatisfied, customers and sales within their reach."""
    near = at_risk(graph) if len(graph) else graph.nodes
    value = {name: part["value"] for name, part in figures.items()}
    asked = [p for p in influencers(graph) if graph.nodes["satisfaction"].iloc[p] != "not_graded"]
    return {
        "n": len(influencers(graph)),
        "asked": len(asked),
        "sad": value["risk.influencers"] or 0,
        "customers": value["risk.customers"] or 0,
        "key": int((near["tier"] == KEY).sum()),
        "sales": value["risk.sales"],
        "net": value["risk.net"],
        "share": value["risk.share"],
        "rivals": value["rivals.customers"] or 0,
        "rivals_net": value["rivals.net"],
        "keys": int((graph.nodes["tier"] == KEY).sum()),
    }
