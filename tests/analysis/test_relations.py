"""Relations between customers: who is in the graph, who moves whom, what is at risk, who introduces us."""

import math

import duckdb
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from builders import answers, day, lines
from scipy import sparse

from crmlib.analysis import (
    communities,
    influence,
    introductions,
    relation_risk,
    relations,
    word_of_mouth,
)
from crmlib.analysis.picture import picture
from crmlib.bonds import Relations
from crmlib.errors import ConfigError
from crmlib.measures import measure

RULE = Relations()


def people(**about: dict) -> pd.DataFrame:
    """Customers a, b, c … as told; else medium, active, never asked, 10 sold and 100 net."""
    usual = {"sales": 10, "net": 100, "tier": "medium", "behaviour": "active", "satisfaction": "not_graded"}
    rows = [usual | {"customer_type": "personal", "customer_id": id} | part for id, part in about.items()]
    return pd.DataFrame(rows).astype({"sales": "Float64", "net": "Float64"})


def rows(*ties: tuple) -> pd.DataFrame:
    """Relations from (from, to, kind, strength, since, known ends)."""
    full = [(*tie, 1.0, None, True)[: len(tie)] + (1.0, None, True)[len(tie) - 3 :] for tie in ties]
    table = pd.DataFrame(full, columns=["customer_id", "other_id", "kind", "strength", "since_day", "known"])
    return table.assign(other_known=table["known"])


def letters(names: str, **about: dict) -> pd.DataFrame:
    return people(**{name: about.get(name, {}) for name in names})


# Random but fixed: what no hand table would think of.
CHANCE = np.random.default_rng(11)
MANY = people(
    **{
        f"c{n:03d}": {
            "net": int(CHANCE.integers(1, 1000)),
            "sales": int(CHANCE.integers(0, 100)),
            "tier": str(CHANCE.choice(["high", "medium", "low"])),
            "satisfaction": str(CHANCE.choice(["satisfied", "dissatisfied", "not_graded"])),
        }
        for n in range(60)
    }
)
TIED = rows(
    *(
        (
            f"c{CHANCE.integers(60):03d}",
            f"c{CHANCE.integers(60):03d}",
            str(CHANCE.choice(["partner", "influencer", "competitor", "landlord"])),
            float(CHANCE.integers(1, 9)) / 8,
        )
        for _ in range(150)
    )
)


def test_strangers_loops_and_repeated_relations_are_counted_and_left_out():
    given = rows(
        ("a", "b", "partner", 0.2),
        ("b", "a", "partner", 0.6),  # partners have no direction: the same relation, and the stronger counts
        ("a", "b", "influencer", 0.3),
        ("b", "a", "influencer", 0.3),  # influence has one: another relation
        ("a", "a", "partner", 1.0),
        ("a", "x", "partner", 1.0, None, False),
        ("c", "a", "landlord", 0.0),  # a strength of 0 is none: the middle of the known ones, 0.3
    )
    found = relations.graph(given, letters("abc"), RULE)
    assert found.told == {"rows": 7, "strangers": 1, "loops": 1, "repeated": 1, "unweighed": 1}
    assert found.ids.tolist() == ["a", "b", "c"]
    assert found.ties[["source", "target", "kind", "strength"]].values.tolist() == [
        [0, 1, "influencer", 0.3],
        [0, 1, "partner", 0.6],
        [1, 0, "influencer", 0.3],
        [2, 0, "landlord", pytest.approx(0.3)],
    ]
    values = {name: part["value"] for name, part in relations.figures(found).items()}
    assert values == {
        "relations.customers": 3,
        "relations.ties": 4,
        "relations.strangers": 1,
        "relations.loops": 1,
        "relations.repeated": 1,
        "relations.unweighed": 1,
    }
    kinds = relations.kinds(found).set_index("kind")["carries"].to_dict()
    assert kinds == {"influencer": "one_way", "partner": "both_ways", "landlord": "carries_nothing"}
    assert relations.told(found)["others"] == ["landlord"]


def test_an_unknown_kind_carries_influence_only_where_the_client_says_so():
    given = rows(("a", "b", "landlord"))
    assert relations.graph(given, letters("ab"), RULE).influence.nnz == 0
    told = Relations(one_way=("influencer", "landlord"))
    assert relations.graph(given, letters("ab"), told).influence.toarray().tolist() == [[0, 1], [0, 0]]


def test_a_kind_cannot_carry_influence_one_way_and_both_ways():
    with pytest.raises((ConfigError, ValueError), match="partner stands in two lists"):
        Relations(one_way=("partner",))


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (None, "not_supplied"),
        (rows(("a", "a", "partner")), "nobody"),
        (rows(("a", "x", "partner", 1.0, None, False)), "nobody"),
        (rows(), "nobody"),
    ],
    ids=["not supplied", "one customer tied to themselves", "strangers only", "an empty file"],
)
def test_without_a_relation_every_step_says_so_and_none_breaks(given, why):
    found = relations.graph(given, letters("ab"), RULE)
    assert (len(found), found.why) == (0, why)
    seen = picture(found)
    judged = pd.DataFrame({"customer_id": ["a"], "potential": ["spend"]})
    potentials = introductions.potentials(found, judged)
    assert potentials["customer_id"].tolist() == ["a"]
    ways = introductions.introductions(found, potentials)
    spread = word_of_mouth.spread(found, None, None, dissatisfied_below=40, as_of=0)
    figures = (
        influence.figures(found, seen.ranked)
        | communities.figures(found, seen.found)
        | relation_risk.figures(found, 1.0)
        | introductions.figures(found, potentials, ways)
        | word_of_mouth.figures(spread)
    )
    assert {part["value"] for part in figures.values()} == {None}
    assert all(part["why"] for part in figures.values())
    assert all(measure(id) for id in figures)
    assert relations.told(found)["rows"] == len(given if given is not None else [])
    assert influence.told(found, seen.ranked)["moving"] == 0
    assert communities.told(found, communities.table(found, seen.found, seen.ranked), seen.found)["many"] == 0
    assert relation_risk.told(found, relation_risk.figures(found, None))["sad"] == 0
    assert relation_risk.sources(found).empty
    assert relation_risk.at_risk(found).empty
    assert relation_risk.rivals(found).empty
    assert introductions.told(found, potentials, ways)["reached"] == 0
    assert introductions.lengths(ways).empty
    assert influence.listed(seen.ranked).empty


def test_weight_flows_to_who_influences_and_not_to_who_is_influenced():
    # a influences b and c. b = c = x: 0.15/3 and a third of 0.85 of what a holds, whom nobody influences;
    # a = 1 − 2x. x = 0.05 + 0.85 (1 − 2x)/3, so x = (0.05 + 0.85/3)/(1 + 1.7/3) = 0.21277.
    found = relations.graph(rows(("a", "b", "influencer"), ("a", "c", "influencer")), letters("abc"), RULE)
    rank = influence.ranks(found.influence, damping=0.85)
    assert rank.round(5).tolist() == [0.57447, 0.21277, 0.21277]
    listed = influence.ranked(found)
    assert listed["customer_id"].tolist() == ["a", "b", "c"]
    assert listed["place"].tolist() == [1, 2, 2]
    assert listed["reach_1"].tolist() == [2, 0, 0]
    assert listed["reached_net"].tolist() == [200, 0, 0]


def test_the_stronger_of_two_influencers_gets_more_of_the_weight():
    # b passes 0.85 of its own, 3/4 of it to a and 1/4 to c.
    found = relations.graph(
        rows(("a", "b", "influencer", 0.6), ("c", "b", "influencer", 0.2)), letters("abc"), RULE
    )
    a, b, c = influence.ranks(found.influence, damping=0.85)
    assert a - c == pytest.approx(0.85 * b / 2)


def test_ranks_are_those_of_another_library():
    found = relations.graph(TIED, MANY, RULE)
    other = nx.DiGraph()
    other.add_nodes_from(range(len(found)))
    for tie in found.ties.itertuples():
        for a, b in {"influencer": [(0, 1)], "partner": [(0, 1), (1, 0)]}.get(tie.kind, []):
            ends = (tie.source, tie.target)
            had = other.get_edge_data(ends[b], ends[a], {"weight": 0})["weight"]
            other.add_edge(ends[b], ends[a], weight=had + tie.strength)
    theirs = nx.pagerank(other, alpha=0.85, tol=1e-14, max_iter=1000)
    ours = influence.ranks(found.influence, damping=0.85)
    assert ours == pytest.approx([theirs[place] for place in range(len(found))], abs=1e-9)
    steps = influence.reach(found.influence, hops=3)
    back = other.reverse()
    for place in range(len(found)):
        far = nx.single_source_shortest_path_length(back, place, cutoff=3)
        assert steps[place].tolist() == [sum(0 < d <= hop for d in far.values()) for hop in (1, 2, 3)]


def test_the_order_of_rows_decides_nothing():
    one = picture(relations.graph(TIED, MANY, RULE))
    mixed = TIED.sample(frac=1, random_state=3), MANY.sample(frac=1, random_state=4)
    other = picture(relations.graph(*mixed, RULE))
    pd.testing.assert_frame_equal(one.ranked, other.ranked)
    pd.testing.assert_frame_equal(one.nodes, other.nodes)


def test_two_circles_of_friends_are_two_communities_and_rivals_are_none():
    circle = [("a", "b"), ("b", "c"), ("a", "c"), ("d", "e"), ("e", "f"), ("d", "f"), ("g", "h")]
    given = rows(*((*pair, "partner") for pair in circle), ("a", "d", "competitor"), ("g", "i", "competitor"))
    found = relations.graph(given, letters("abcdefghi", d={"net": 500}), RULE)
    parts = communities.communities(found)
    # Two of three each, the one with the larger net sales first; a pair is none, and a rivalry neither.
    assert parts.tolist() == [2, 2, 2, 1, 1, 1, 0, 0, 0]
    table = communities.table(found, parts, influence.ranked(found))
    assert table[["community", "customers", "ties", "net"]].values.tolist() == [
        [1, 3, 3, 700],
        [2, 3, 3, 300],
    ]
    # Seven ties of one strength: 6/7 within; the circles hold 3/7 of all ends each, g and h 1/14 each.
    expected = 6 / 7 - (2 * (3 / 7) ** 2 + 2 * (1 / 14) ** 2)
    assert communities.modularity(found, parts) == pytest.approx(expected)


def test_modularity_is_that_of_another_library():
    found = relations.graph(TIED, MANY, RULE)
    parts = communities.communities(found)
    whole = nx.from_scipy_sparse_array(sparse.triu(found.bonds), create_using=nx.Graph)
    alone = [{place} for place in np.flatnonzero(parts == 0)]
    groups = [set(np.flatnonzero(parts == c)) for c in range(1, parts.max() + 1)] + alone
    assert communities.modularity(found, parts) == pytest.approx(nx.community.modularity(whole, groups))


def test_discs_of_communities_never_overlap():
    radii = [9.0, 7.5, 7.5, 4, 4, 4, 2, 2, 1]
    centres = communities.packed(radii)
    for one in range(len(radii)):
        for other in range(one):
            apart = math.dist(centres[one], centres[other])
            assert apart >= radii[one] + radii[other] - 1e-6


def test_sales_at_risk_are_what_sql_by_hand_says():
    found = relations.graph(TIED, MANY, RULE)
    ties, folk = TIED, MANY  # noqa: F841 — read by name in the SQL
    (near,) = duckdb.sql(
        """
        WITH flows AS (
            SELECT customer_id AS f, other_id AS t FROM ties WHERE kind IN ('influencer', 'partner')
            UNION SELECT other_id, customer_id FROM ties WHERE kind = 'partner'),
        sad AS (
            SELECT DISTINCT t.customer_id AS id FROM ties t JOIN folk p ON p.customer_id = t.customer_id
            WHERE t.kind = 'influencer' AND t.customer_id <> t.other_id AND p.satisfaction = 'dissatisfied')
        SELECT count(*), sum(sales), sum(net), (SELECT count(*) FROM sad) FROM folk
        WHERE customer_id IN (SELECT t FROM flows JOIN sad ON f = id WHERE f <> t)
        """
    ).fetchall()
    figures = relation_risk.figures(found, 1000.0)
    names = ("risk.customers", "risk.sales", "risk.net", "risk.influencers")
    assert tuple(figures[name]["value"] for name in names) == tuple(map(int, near))
    assert figures["risk.share"]["value"] == pytest.approx(int(near[1]) / 1000)
    assert near[3] > 3
    rivals = duckdb.sql(
        """
        WITH pairs AS (SELECT customer_id AS a, other_id AS b FROM ties WHERE kind = 'competitor'
            UNION SELECT other_id, customer_id FROM ties WHERE kind = 'competitor')
        SELECT a, count(DISTINCT b) FROM pairs JOIN folk ON customer_id = a
        WHERE a <> b AND tier = 'high' GROUP BY a ORDER BY a
        """
    ).fetchall()
    told = relation_risk.rivals(found).sort_values("customer_id")
    assert list(zip(told["customer_id"], told["rivals"], strict=True)) == rivals


def test_a_customer_whom_two_dissatisfied_influencers_reach_is_counted_once():
    sad = {"satisfaction": "dissatisfied"}
    given = rows(
        ("a", "c", "influencer"),
        ("b", "c", "influencer"),
        ("b", "d", "partner"),
        ("e", "f", "partner"),  # dissatisfied, but nobody's influencer
    )
    found = relations.graph(given, letters("abcdef", a=sad, b=sad, e=sad, c={"tier": "high"}), RULE)
    figures = {name: part["value"] for name, part in relation_risk.figures(found, 40).items()}
    assert figures["risk.influencers"] == 2
    assert (figures["risk.customers"], figures["risk.sales"], figures["risk.net"]) == (2, 20, 200)
    assert figures["risk.share"] == 0.5
    assert relation_risk.at_risk(found)[["customer_id", "influencers"]].values.tolist() == [
        ["c", 2],
        ["d", 1],
    ]
    sources = relation_risk.sources(found)[["customer_id", "reached", "key_customers", "reached_sales"]]
    assert sources.values.tolist() == [["b", 2, 1, 20], ["a", 1, 1, 10]]


KEY = {"tier": "high"}


def ways_of(given: pd.DataFrame, folk: pd.DataFrame, *, potential: str):
    found = relations.graph(given, folk, RULE)
    judged = pd.DataFrame({"customer_id": list(potential), "potential": ["spend,frequency"] * len(potential)})
    potentials = introductions.potentials(found, judged)
    return found, potentials, introductions.introductions(found, potentials)


def test_the_shortest_way_is_taken_and_of_two_as_short_the_stronger():
    given = rows(
        ("a", "b", "partner", 0.5),
        ("b", "z", "influencer", 0.5),  # a, b, z: 0.25
        ("a", "c", "partner", 0.9),
        ("c", "z", "influencer", 0.4),  # a, c, z: 0.36, the stronger
        ("a", "d", "partner", 1.0),
        ("d", "e", "partner", 1.0),
        ("e", "z", "partner", 1.0),  # three steps: longer
        ("z", "y", "influencer", 1.0),  # against influence nobody introduces y to z
    )
    _, _, found = ways_of(given, letters("abcdezy", a=KEY), potential="z")
    (way,) = found.ways.to_dict("records")
    told = {name: way[name] for name in ("way", "customer_id", "start_id", "steps", "as_good")}
    assert told == {"way": 1, "customer_id": "z", "start_id": "a", "steps": 2, "as_good": 0}
    assert way["strength"] == pytest.approx(0.36)
    steps = found.steps[["step", "customer_id", "other_id", "kind"]].values.tolist()
    assert steps == [[1, "a", "c", "partner"], [2, "c", "z", "influencer"]]


@pytest.mark.parametrize(
    "start",
    [
        {"tier": "medium"},
        {"tier": "high", "behaviour": "dormant"},
        {"tier": "high", "satisfaction": "dissatisfied"},
    ],
    ids=["no key customer", "not active", "dissatisfied"],
)
def test_only_an_active_key_customer_who_is_not_dissatisfied_introduces_us(start):
    _, potentials, found = ways_of(rows(("a", "z", "partner")), letters("az", a=start), potential="z")
    assert len(potentials) == 1
    assert found.ways.empty


def test_nobody_is_introduced_over_more_steps_than_asked_for_nor_by_a_rival():
    chain = rows(*((a, b, "partner") for a, b in ("ab", "bc", "cd", "dz")), ("a", "y", "competitor"))
    _, _, found = ways_of(chain, letters("abcdzy", a=KEY), potential="zyd")
    assert found.ways["customer_id"].tolist() == ["d"]
    assert found.ways["steps"].tolist() == [3]


def test_who_is_tied_to_two_key_customers_is_potential_by_the_graph():
    given = rows(
        ("a", "z", "partner"),
        ("z", "b", "influencer"),
        ("a", "y", "partner"),
        ("b", "y", "competitor"),  # a rival of a key customer is not in its company
        ("a", "b", "partner"),  # key customers are no potential ones
        ("a", "x", "partner"),
        ("b", "x", "partner"),
    )
    folk = letters("abzyx", a=KEY, b=KEY, z={"tier": "never_bought", "behaviour": "never_bought"})
    found, potentials, ways = ways_of(given, folk, potential="x")
    listed = potentials[["customer_id", "signs", "key_ties"]].values.tolist()
    assert listed == [["x", "spend,frequency,company", 2], ["z", "company", 2]]
    figures = introductions.figures(found, potentials, ways)
    assert figures["potential.graph.customers"]["value"] == 2
    assert figures["potential.all.customers"]["value"] == 2
    assert figures["introductions.reached"]["value"] == 2
    assert introductions.told(found, potentials, ways)["alone"] == 1


def test_an_influencer_turned_with_the_first_of_the_bad_forms_that_go_on_to_the_last():
    said = answers(
        ("a", "2024-01-01", "service", 1),
        ("a", "2024-02-01", "service", 5),
        ("a", "2024-03-01", "service", 1),
        ("a", "2024-03-01", "product", 2),
        ("a", "2024-03-01", "recommend", 10),  # recommending is no satisfaction
        ("a", "2024-04-01", "service", 1),
        ("b", "2024-04-01", "service", 5),
    )
    assert word_of_mouth.turned(said, dissatisfied=40).to_dict() == {"a": day("2024-03-01")}


def spread_of(*, reached_again: int, others_again: int, reached: int = 10, others: int = 20):
    """An influencer who turned on 2024-03-01; everyone ordered once before, so many of them after it again."""
    near = [f"n{number:02d}" for number in range(reached)]
    far = [f"o{number:02d}" for number in range(others)]
    folk = people(i={"satisfaction": "dissatisfied"}, **{id: {} for id in [*near, *far]})
    sold = [{"customer": id, "day": "2024-02-10", "amount": 100} for id in [*near, *far]]
    again = near[:reached_again] + far[:others_again]
    sold += [{"customer": id, "day": "2024-04-10", "amount": 100} for id in again]
    # An order after the window is none within it.
    sold += [{"customer": id, "day": "2024-12-10", "amount": 100} for id in near]
    found = relations.graph(rows(*(("i", id, "influencer") for id in near)), folk, RULE)
    said = answers(("i", "2024-03-01", "service", 1))
    return word_of_mouth.spread(found, said, lines(*sold), dissatisfied_below=40, as_of=day("2024-12-31"))


def newcombe(k1: int, n1: int, k2: int, n2: int) -> tuple[float, float]:
    """The published formula (Newcombe 1998, method 10), written out; z of a two-sided 90 % interval."""
    z, ends = 1.6448536269514722, []
    for k, n in ((k1, n1), (k2, n2)):
        p = k / n
        half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        ends.append([(p + z * z / (2 * n) + sign * half) / (1 + z * z / n) for sign in (-1, 1)])
    p, q = k1 / n1, k2 / n2
    (l1, u1), (l2, u2) = ends
    low = p - q - math.sqrt((p - l1) ** 2 + (u2 - q) ** 2)
    return low, p - q + math.sqrt((u1 - p) ** 2 + (q - l2) ** 2)


def test_fewer_came_again_of_those_a_dissatisfied_influencer_reaches():
    # 2 of 10 against 14 of 20: all of one kind, so the others weigh as many as they are.
    found = spread_of(reached_again=2, others_again=14)
    (row,) = found.table.to_dict("records")
    assert (row["n"], row["again"], row["others_again"]) == (10, 0.2, 0.7)
    low, high = newcombe(2, 10, 14, 20)
    assert (row["fewer_low"], row["fewer_high"]) == pytest.approx((low, high), abs=1e-9)
    assert row["spreads"] == "fewer_came"
    assert row["turned"].isoformat() == "2024-03-01"
    assert word_of_mouth.figures(found)["influence.effect"]["value"] == pytest.approx(-0.5)
    assert word_of_mouth.told(found)["fell"] == 1


def test_a_difference_within_chance_is_told_as_none():
    found = spread_of(reached_again=6, others_again=14)
    assert found.table["spreads"].tolist() == ["not_told"]
    assert word_of_mouth.told(found)["fell"] == 0


def test_with_too_few_customers_reached_nothing_is_estimated():
    found = spread_of(reached_again=0, others_again=14, reached=7)
    assert found.table.empty
    assert (found.sad, found.few, found.early) == (1, 1, 0)
    assert word_of_mouth.figures(found)["influence.effect"]["value"] is None


def test_others_are_weighted_like_those_reached():
    # Reached: 8 persons and 2 firms. Others: of 10 persons 5 came again, of 10 firms 9: 0.8·0.5 + 0.2·0.9 = 0.58.
    near = {f"n{k}": {"customer_type": "personal" if k < 8 else "enterprise"} for k in range(10)}
    far = {f"o{k:02d}": {"customer_type": "personal" if k < 10 else "enterprise"} for k in range(20)}
    folk = people(i={"satisfaction": "dissatisfied"}, **near, **far)
    again = [*(f"o{k:02d}" for k in (*range(5), *range(10, 19)))]
    sold = [{"customer": id, "day": "2024-02-10", "amount": 1} for id in [*near, *far]]
    sold += [{"customer": id, "day": "2024-04-10", "amount": 1} for id in again]
    found = relations.graph(rows(*(("i", id, "influencer") for id in near)), folk, RULE)
    said = answers(("i", "2024-03-01", "service", 1))
    told = word_of_mouth.spread(found, said, lines(*sold), dissatisfied_below=40, as_of=day("2024-12-31"))
    assert told.table["others_again"].tolist() == [pytest.approx(0.58)]


def test_who_turned_too_lately_is_told_to_be_too_early():
    near = [f"n{number}" for number in range(10)]
    folk = people(i={"satisfaction": "dissatisfied"}, **{id: {} for id in near})
    found = relations.graph(rows(*(("i", id, "influencer") for id in near)), folk, RULE)
    sold = lines({"customer": "n1", "day": "2024-02-10", "amount": 1})
    said = answers(("i", "2024-03-01", "service", 1))
    told = word_of_mouth.spread(found, said, sold, dissatisfied_below=40, as_of=day("2024-03-31"))
    assert (told.early, told.few, told.table.empty) == (1, 0, True)


def test_a_customer_who_never_bought_is_known_all_the_same():
    listed = pd.DataFrame({"customer_id": ["a", "b"], "customer_type": ["personal", "enterprise"]})
    known = pd.DataFrame({"customer_id": ["a"], "net": [500]})
    judged = pd.DataFrame({"customer_id": ["a"], "tier": ["high"], "behaviour": ["active"]})
    judged = judged.assign(satisfaction="satisfied", customer_type="personal")
    done = pd.DataFrame({"customer_id": ["a"], "gross": [50]})
    told = relations.people(listed, known, judged, done).set_index("customer_id")
    assert told.loc["b"].to_dict() == {
        "sales": 0,
        "net": 0,
        "tier": "never_bought",
        "behaviour": "never_bought",
        "satisfaction": "not_graded",
        "customer_type": "enterprise",
    }
    # Without order lines nobody knows of sales within the period.
    assert relations.people(listed, known, judged, None)["sales"].isna().all()
