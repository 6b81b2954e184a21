"""Measures of relations between customers (V07, V08, B07, X15 by the graph)."""

from crmlib.definitions.measure import measures

RELATIONS = measures(
    "relations",
    (
        "relations.customers",
        "count",
        "Customers with a relation",
        "known customers with a relation to another known customer, as known at as_of; a relation without a day belongs to every day",
    ),
    (
        "relations.ties",
        "count",
        "Relations between customers",
        "pairs of known customers and kind of relation; several rows of one pair and kind are one relation",
    ),
    (
        "relations.strangers",
        "count",
        "Relations to unknown customers",
        "rows that name a customer whom nobody knows",
    ),
    (
        "relations.loops",
        "count",
        "Relations of a customer to themselves",
        "rows whose two ends are one known customer",
    ),
    ("relations.repeated", "count", "Repeated relations", "rows beyond the first of a pair and kind"),
    (
        "relations.unweighed",
        "count",
        "Relations without a strength",
        "rows whose strength is empty or not above 0; taken as strong as the middle one of their kind",
    ),
    (
        "influence.customers",
        "count",
        "Customers who influence others",
        "customers with a relation along which influence goes: from an influencer to whom they are tied, between partners both ways, between competitors none",
    ),
    (
        "influence.top.share",
        "share",
        "Influence of the first ten",
        "PageRank of the ten most influential ÷ that of all; weight flows from the influenced to who influences them, in proportion to strength",
    ),
    (
        "influence.reach",
        "number",
        "Mean reach",
        "customers influenced within the longest reach looked at, mean over those who influence anybody",
    ),
    (
        "influence.effect",
        "share",
        "Difference within reach of a dissatisfied influencer",
        "share that ordered again in the window after the influencer became dissatisfied − that of comparable others "
        "(same type, as many orders in the window before); over all influencers with customers enough",
    ),
    (
        "communities.count",
        "count",
        "Communities",
        "groups of at least three customers by Louvain, rivalry left out",
    ),
    (
        "communities.modularity",
        "number",
        "Modularity of communities",
        "share of the strength of relations within communities − what chance would have there",
    ),
    (
        "communities.largest.share",
        "share",
        "Largest community",
        "customers of the largest community ÷ customers with a relation",
    ),
    (
        "risk.influencers",
        "count",
        "Dissatisfied influencers",
        "customers named as somebody's influencer who are dissatisfied by their latest answer",
    ),
    (
        "risk.customers",
        "count",
        "Customers within reach of a dissatisfied influencer",
        "customers whom a dissatisfied influencer influences directly, each once",
    ),
    (
        "risk.sales",
        "money",
        "Sales within reach of a dissatisfied influencer",
        "their gross sales of the period",
    ),
    ("risk.net", "money", "Net sales within reach of a dissatisfied influencer", "their net sales so far"),
    ("risk.share", "share", "Share of sales within reach", "risk.sales ÷ sales.identified"),
    (
        "rivals.customers",
        "count",
        "Key customers tied to a competitor",
        "customers of the high tier with a relation to a competitor, whichever way",
    ),
    ("rivals.net", "money", "Net sales of key customers tied to a competitor", "their net sales so far"),
    (
        "potential.graph.customers",
        "count",
        "Potential customers by the graph",
        "customers outside the high tier, or who never bought, tied to key customers by relations that carry influence, two at least unless the client says so",
    ),
    (
        "potential.all.customers",
        "count",
        "Potential high-value customers, by signs or graph",
        "those with signs enough of their own and those by the graph, each once",
    ),
    (
        "introductions.reached",
        "count",
        "Potential customers somebody can introduce",
        "potential customers to whom a way leads along influence, within the longest looked at, from an active customer of the high tier who is not dissatisfied",
    ),
    (
        "introductions.steps",
        "number",
        "Mean length of a way",
        "relations on the shortest way to each of them",
    ),
)
