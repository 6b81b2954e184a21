"""Groups alike: found where they are, refused where there are none, the same on any machine."""

import os
import subprocess
import sys
from pathlib import Path

import builders
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score, silhouette_score
from threadpoolctl import threadpool_limits

from crmlib import tables
from crmlib.classification import clusters, profiles
from crmlib.language import WORDS, Language
from crmlib.rules import ClusterRule, ProfileRule

RULE = ClusterRule()
EVERY = os.environ.get("CRM_EVERY") == "1"  # every seed: `make bench` asks for them
QUICK = ClusterRule(repeats=5, most=4)  # where it is not the choice of a number that is asked
REASONS = ("alike", "unclear", "unsteady", "exceptions", "no_clearer")  # told in words, not as too few


def people(points: np.ndarray) -> pd.DataFrame:
    """Customers whose net, orders, recency and tenure are the columns of `points`; nothing else is known."""
    usual = dict.fromkeys(tables.FACTS.schema.names)
    named = dict(zip(("net", "orders", "recency_days", "tenure_days"), points.T, strict=False))
    table = pd.DataFrame(usual | named | {"customer_id": [f"c{n:06}" for n in range(len(points))]})
    numbers = [name for name in usual if name != "customer_id"]
    return table.astype(dict.fromkeys(numbers, "float64") | {"profit": "Float64"})


def three(size: int = 200) -> tuple[pd.DataFrame, np.ndarray]:
    """Three kinds of customer, ten deviations apart."""
    points, truth = make_blobs(size, centers=[[0, 0, 0], [10, 0, 0], [0, 10, 5]], random_state=1)
    return people(points), truth


@pytest.mark.parametrize(("count", "seed"), [(2, 0), (4, 0), (6, 2)])
def test_as_many_groups_are_found_as_there_are(count, seed):
    points, truth = make_blobs(400, n_features=4, centers=count, random_state=seed)
    table = people(points)
    found = clusters.groups(table, RULE)
    assert (found.reason, found.count) == ("found", count)
    assert adjusted_rand_score(truth, clusters.labels(found, table)) >= 0.95


def cloud(kind: str, seed: int, size: int = 300) -> pd.DataFrame:
    """Customers without groups: a round cloud, an even one, a long one, and a long skewed one."""
    rng = np.random.default_rng(seed)
    if kind == "even":
        return people(rng.uniform(size=(size, 4)))
    points = rng.standard_normal((size, 4))
    if kind != "round":
        points = 0.9 * rng.standard_normal((size, 1)) + 0.44 * points
    return people(np.exp(points) if kind == "skewed" else points)


@pytest.mark.parametrize("kind", ["round", "even", "long", "skewed"])
def test_where_there_are_no_groups_none_is_told(kind):
    found = clusters.groups(cloud(kind, seed=7), RULE)
    assert found.count == 0
    assert found.reason in ("unclear", "unsteady", "no_clearer")


@pytest.mark.slow
def test_nineteen_times_in_twenty_the_number_of_groups_is_the_true_one():
    # Centres fall where they like; where two lie near each other, one scale for all facts may blur them.
    right, counts, seeds = 0, (2, 3, 4, 5, 6, 8), range(10 if EVERY else 2)
    for count in counts:
        for seed in seeds:
            points, truth = make_blobs(400, n_features=4, centers=count, random_state=seed)
            found = clusters.groups(people(points), RULE)
            labels = clusters.labels(found, people(points))
            right += found.count == count and adjusted_rand_score(truth, labels) >= 0.95
    # One in twenty may be missed; of few, one.
    assert right >= len(counts) * len(seeds) - max(len(counts) * len(seeds) // 20, 1)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["round", "even", "long", "skewed"])
def test_of_a_hundred_clouds_without_groups_ninety_five_are_refused(kind):
    seeds = range(100 if EVERY else 6)
    refused = sum(clusters.groups(cloud(kind, seed), RULE).count == 0 for seed in seeds)
    assert refused >= len(seeds) - max(len(seeds) // 20, 1)


def test_neither_the_order_of_rows_nor_numbers_nor_threads_decide_a_group():
    table, _ = three()
    first = clusters.groups(table, QUICK)
    labels = clusters.labels(first, table).to_list()
    mixed = table.sample(frac=1, random_state=3)
    renamed = mixed.assign(customer_id=[f"x{n}" for n in range(len(mixed))])
    for threads in (1, 2):
        with threadpool_limits(threads):
            again = clusters.groups(renamed, QUICK)
        np.testing.assert_array_equal(again.centres, first.centres)
        pd.testing.assert_frame_equal(again.tried, first.tried)
        assert clusters.labels(again, renamed).sort_index().to_list() == labels


def test_a_machine_with_more_threads_finds_the_same_to_the_last_bit():
    code = (
        "import test_clusters as t, hashlib; f = t.clusters.groups(t.cloud('long', 3), t.QUICK);"
        "g = t.clusters.groups(t.three(400)[0], t.QUICK);"
        "print(hashlib.sha256(f.tried.to_csv().encode() + g.tried.to_csv().encode() + g.centres.tobytes())"
        ".hexdigest())"
    )
    here = Path(__file__).resolve().parent
    path = os.pathsep.join([str(here), str(here.parent), str(here.parent.parent)])
    told = []
    for threads in ("1", "2"):
        env = os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
        done = subprocess.run(
            [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        told.append(done.stdout)
    assert told[0] == told[1]


def test_money_in_another_currency_gives_the_same_groups():
    rng = np.random.default_rng(5)
    small, large = np.exp(rng.normal(3, 0.3, 85)), np.exp(rng.normal(8, 0.3, 15))
    table = people(np.column_stack([np.concatenate([small, large]).round(), rng.normal(9, 1, 100)]))
    dear = table.assign(net=table["net"] * 100)
    found, again = clusters.groups(table, QUICK), clusters.groups(dear, QUICK)
    assert found.features.set_index("fact").loc["net", "logged"]
    assert clusters.labels(found, table).equals(clusters.labels(again, dear))
    assert found.count == 2


def test_the_first_group_is_the_one_that_spent_most_and_equal_customers_share_a_group():
    table, _ = three()
    twice = pd.concat([table, table.assign(customer_id="t" + table["customer_id"])], ignore_index=True)
    found = clusters.groups(twice, QUICK)
    labels = clusters.labels(found, twice)
    assert labels[: len(table)].to_list() == labels[len(table) :].to_list()
    middle = twice["net"].groupby(labels).median()
    assert middle.index.to_list() == ["group_1", "group_2", "group_3"]
    assert middle.is_monotonic_decreasing


def test_figures_are_those_of_scikit_learn():
    points, _ = make_blobs(200, n_features=3, centers=3, cluster_std=2.5, random_state=4)
    centres = points[[0, 50, 100]]
    apart = np.linalg.norm(points[:, None] - centres[None], axis=2)
    assert clusters.nearest(points, centres).tolist() == apart.argmin(axis=1).tolist()
    assert clusters.silhouette(points, centres) == silhouette_score(points, apart.argmin(axis=1))
    # Two kinds ten deviations apart are parted alike by every half; one round cloud is not.
    blobs, _ = make_blobs(200, centers=[[0, 0], [10, 10]], random_state=0)
    assert clusters.stability(blobs, 2, 10) == 1
    assert clusters.stability(np.random.default_rng(0).standard_normal((200, 2)), 2, 10) < 0.75


def test_a_silhouette_is_what_one_computes_by_hand():
    # 0, 1 | 10, 11: own distance 1; to the others 10.5 for 0 and 11, 9.5 for 1 and 10.
    points = np.array([[0.0], [1.0], [10.0], [11.0]])
    by_hand = (2 * (1 - 1 / 10.5) + 2 * (1 - 1 / 9.5)) / 4
    assert clusters.silhouette(points, np.array([[0.5], [10.5]])) == pytest.approx(by_hand)


@pytest.mark.parametrize("size", [0, 1, 2, 5, 29])
def test_too_few_customers_fall_into_no_groups_and_that_is_told(size):
    table, _ = three(max(size, 3))
    found = clusters.groups(table.head(size), QUICK)
    assert (found.reason, found.count) == ("too_few", 0)
    labels = clusters.labels(found, table.head(size))
    assert labels.tolist() == ["not_grouped"] * size
    figures = clusters.figures(found, labels)
    assert {f["why"] for f in figures.values()} == {"too few"}
    assert clusters.told(found)["silhouette"] is None


def test_thirty_customers_are_enough():
    table, truth = three(30)
    found = clusters.groups(table, QUICK)
    assert found.count == 3
    assert adjusted_rand_score(truth, clusters.labels(found, table)) == 1


def test_customers_all_alike_are_no_groups():
    alike = builders.facts(*[{"recency_days": 5, "orders": 1, "gross": 100, "net": 100}] * 40)
    found = clusters.groups(alike, QUICK)
    assert found.reason == "alike"
    assert set(found.features["use"]) == {"alike", "not_supplied"}
    assert clusters.figures(found, clusters.labels(found, alike))["cluster.count"]["value"] == 0


def test_a_margin_that_differs_in_its_last_bits_alone_is_one_margin():
    rows = [{"net": n * 1000, "gross": n * 1000, "profit": n * 300, "orders": n % 7} for n in range(1, 41)]
    uses = clusters.groups(builders.facts(*rows), QUICK).features.set_index("fact")["use"]
    assert (uses["profit_margin"], uses["net"]) == ("alike", "used")


def test_what_is_not_known_or_is_endless_is_never_made_up():
    table, _ = three(200)
    table.loc[3, "net"], table.loc[4, "net"], table.loc[5, "orders"] = np.inf, -np.inf, np.nan
    table.loc[:20, "tenure_days"] = 1.0
    table.loc[21:, "tenure_days"] = np.nan
    found = clusters.groups(table, QUICK)
    uses = clusters.account(found).set_index("fact")["use"]
    assert uses["tenure_days"] == "seldom_known"
    assert uses["profit_margin"] == "not_supplied"
    labels = clusters.labels(found, table)
    assert labels.index[labels == "not_grouped"].tolist() == [3, 4, 5]
    assert (found.count, found.customers) == (3, 197)


def test_where_nothing_is_known_of_anybody_there_is_nothing_to_group_by():
    table = people(np.empty((50, 0)))
    found = clusters.groups(table, QUICK)
    assert found.reason == "no_facts"
    figures = clusters.figures(found, clusters.labels(found, table))
    assert {f["why"] for f in figures.values()} == {"not supplied"}


def test_two_kinds_of_identical_customers_are_two_groups():
    table = people(np.array([[1.0, 1.0]] * 20 + [[5.0, 9.0]] * 25))
    found = clusters.groups(table, QUICK)
    assert clusters.labels(found, table).tolist() == ["group_2"] * 20 + ["group_1"] * 25


def test_a_fact_spread_evenly_over_all_splits_no_group():
    # Once seven groups for four: halves of an even spread agree nearly, but not quite, with each other.
    rng = np.random.default_rng(0)
    kind = rng.choice(4, 2000, p=[0.1, 0.3, 0.3, 0.3])
    centres = np.array([[11, 3.4, 2.3], [8, 2.1, 3.4], [8, 2.1, 3.0], [6, 0.5, 5.7]])[kind]
    apart = np.column_stack([centres + rng.normal(0, 0.3, (2000, 3)), np.array([90, 80, 30, 50])[kind]])
    points = np.column_stack([apart[:, :3], apart[:, 3] + rng.normal(0, 4, 2000)])
    table = people(points).assign(gross=1.0, returned=-rng.uniform(0.1, 0.4, 2000))
    found = clusters.groups(table, ClusterRule(repeats=10))
    assert found.count == 4
    assert adjusted_rand_score(kind, clusters.labels(found, table)) >= 0.95


def test_a_few_exceptions_are_no_kind_of_customer():
    points, _ = make_blobs(200, centers=[[0.0, 0.0]], random_state=0)
    odd = np.vstack([points, [[60.0, 60.0]] * 4])
    found = clusters.groups(people(odd), ClusterRule(most=2, repeats=5))
    assert found.count == 0
    assert found.reason in ("exceptions", "unsteady")


def test_each_threshold_of_the_rule_refuses():
    table, _ = three()
    refusals = {
        "unclear": ClusterRule(least_silhouette=0.99, repeats=5),
        "unsteady": ClusterRule(least_stability=1, repeats=5, fewest=6, most=6),
        "exceptions": ClusterRule(least_members=190, repeats=5, most=4),
        "too_few": ClusterRule(at_least=201),
    }
    assert {name: clusters.groups(table, rule).reason for name, rule in refusals.items()} == {
        name: name for name in refusals
    }
    assert clusters.groups(table, ClusterRule(least_members=190, repeats=5, most=4)).chosen["groups"] == 3


def test_customers_of_another_day_are_put_into_the_same_groups():
    table, _ = three()
    found = clusters.groups(table, QUICK)
    then = table.head(50)
    assert clusters.labels(found, then).equals(clusters.labels(found, table).head(50))


def test_a_group_is_named_by_what_sets_it_apart():
    rng = np.random.default_rng(2)
    usual = np.column_stack([rng.normal(100, 5, 60), rng.normal(9, 1, 60), rng.normal(300, 20, 60)])
    lively = np.column_stack([rng.normal(900, 5, 40), rng.normal(9, 1, 40), rng.normal(10, 2, 40)])
    table = people(np.vstack([usual, lively]))
    found = clusters.groups(table, QUICK)
    labels = clusters.labels(found, table)
    shown = clusters.table(found, labels, table, ProfileRule())
    assert shown["customers"].tolist() == [40, 60]
    english = Language("en", "CNY")
    # Orders are alike in both (mean 9), so no name speaks of them.
    assert [english.show(name, "group") for name in shown["group_name"]] == [
        "Group 1: large, recent",
        "Group 2: small, long silent",
    ]
    heights = clusters.heights(found, labels, table).set_index("cluster")
    assert heights.loc["group_1", "net"] > 1 > -0.5 > heights.loc["group_2", "net"]
    few = clusters.table(found, labels, table, ProfileRule(at_least=50))
    assert few["group_name"].tolist() == ["group_1", "group_2"]


def test_no_groups_are_an_empty_table_and_no_chart():
    table = people(np.random.default_rng(0).standard_normal((60, 4)))
    found = clusters.groups(table, QUICK)
    labels = clusters.labels(found, table)
    assert found.count == 0
    assert clusters.table(found, labels, table, ProfileRule()).empty
    assert clusters.heights(found, labels, table).empty


def test_every_word_of_groups_is_in_the_catalogue():
    traits = {f"{fact}.{sign}" for fact in profiles.NUMBERS for sign in ("higher", "lower")}
    uses = {"used", "used_logged", "seldom_known", "not_supplied", "alike"}
    names = {f"group_{number}" for number in range(1, ClusterRule.model_fields["most"].metadata[0].le + 1)}
    assert traits | uses | names | set(REASONS) | {"not_grouped", *profiles.NUMBERS} <= set(WORDS)
