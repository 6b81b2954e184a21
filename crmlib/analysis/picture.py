"""What a picture of the graph is drawn from: every customer at a place, every tie, and who is named."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from crmlib.analysis.communities import communities, layout
from crmlib.analysis.influence import ranked
from crmlib.analysis.relation_risk import dissatisfied
from crmlib.analysis.relations import Graph

MOST_NAMED = 10  # by influence; more names than that nobody reads
MOST_SAD = 6  # dissatisfied influencers besides


@dataclass(frozen=True)
class Picture:
    """A graph with everything computed that is drawn, listed or filtered.

    Parameters
    ----------
    graph : customers and ties
    ranked : the customers by influence, with their community
    found : the community of each node
    nodes : x, y, net, sales, behaviour, tier, community, rank, place, reach_1, sad (a dissatisfied influencer), in
        the order of the graph's nodes, without anybody's number
    """

    graph: Graph
    ranked: pd.DataFrame
    found: np.ndarray
    nodes: pd.DataFrame

    @property
    def ties(self) -> pd.DataFrame:
        """source, target, kind."""
        return self.graph.ties[["source", "target", "kind"]]

    @property
    def named(self) -> list[int]:
        """Rows of the table of influence whose customers are named: the first, and dissatisfied influencers."""
        moving = self.ranked[self.ranked["reach_1"] > 0].reset_index(drop=True)
        sad = set(dissatisfied(self.graph)) if len(self.graph) else set()
        theirs = [row for row in moving.index[moving["at"].isin(sad)] if row >= MOST_NAMED][:MOST_SAD]
        return [*moving.index[:MOST_NAMED], *theirs]

    def drawing(self, *, decimals: int) -> dict:
        """What the figure needs beside the table of influence: nodes (money in main units), ties, named.

        `named` leads from a row of the table to its node.
        """
        moving = self.ranked[self.ranked["reach_1"] > 0].reset_index(drop=True)
        named = {row: int(moving["at"].iloc[row]) for row in self.named}
        nodes = self.nodes.assign(net=self.nodes["net"].astype(float) / 10**decimals)
        return {"nodes": nodes, "ties": self.ties, "named": named}


def picture(graph: Graph) -> Picture:
    """Influence, communities and places of a graph, computed once for figure, page and panel."""
    order = ranked(graph)
    found = communities(graph)
    by_node = order.set_index("at").reindex(range(len(graph)))
    places = layout(graph, found, by_node["rank"].to_numpy(float))
    sad = np.zeros(len(graph), dtype=bool)
    sad[dissatisfied(graph) if len(graph) else []] = True
    nodes = pd.concat([graph.nodes[["net", "sales", "behaviour", "tier"]], places], axis=1).assign(
        community=found, rank=by_node["rank"], place=by_node["place"], reach_1=by_node["reach_1"], sad=sad
    )
    with_community = order.assign(community=found[order["at"].to_numpy(int)] if len(order) else [])
    return Picture(graph, with_community, found, nodes)
