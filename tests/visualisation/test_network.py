"""The graph as a picture: what it says, whom it names, and when there is none."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from crmlib.visualisation import network

HEADINGS = {"reach_1": "Reach", "customers": "Customers", "partner": "Partner"}
SHOWN = {
    "title": "Relations",
    "about": "n = 4 customers",
    "heading": lambda column: HEADINGS.get(column, column),
    "show": lambda column, value: f"{value:g}",
}
TABLE = pd.DataFrame({"customer_id": ["C-0123456789abcdef", "C-fedcba9876543210"], "reach_1": [2, 1]})
NODES = pd.DataFrame(
    {
        "x": [0.0, 1.0, 2.0, 9.0],
        "y": [0.0, 1.0, 0.0, 3.0],
        "net": [100.0, 0.0, np.nan, -5.0],
        "behaviour": ["active", "churned", "not_graded", "never_bought"],
        "community": [1, 1, 1, 0],
        "rank": [2.0, 1.0, 0.5, 0.5],
        "sad": [False, True, False, False],
    }
)
TIES = pd.DataFrame({"source": [0, 0, 1], "target": [1, 2, 3], "kind": ["partner", "partner", "$landlord$"]})
DRAWN = {"nodes": NODES, "ties": TIES, "named": {0: 0, 1: 1}}


def test_the_picture_says_how_many_there_are_of_which_kind_and_who_comes_first():
    chart = network.network(TABLE, **DRAWN, **SHOWN)
    assert chart.alt == (
        "Relations. Customers: 4. Partner 2, $landlord$ 1. C-012345: Reach 2; C-fedcba: Reach 1"
    )
    picture = Image.open(io.BytesIO(chart.png))
    assert picture.width > 700
    assert len(picture.getcolors(1 << 20)) > 10


def test_the_same_graph_gives_the_same_picture():
    one, other = (network.network(TABLE, **DRAWN, **SHOWN) for _ in range(2))
    assert one == other


@pytest.mark.parametrize(
    "part", [{"nodes": NODES.head(0), "ties": TIES.head(0)}, {"ties": TIES.head(0)}], ids=["nobody", "no tie"]
)
def test_without_a_relation_there_is_no_picture(part):
    assert network.network(TABLE.head(0), **DRAWN | {"named": {}} | part, **SHOWN) is None


def test_two_customers_are_a_picture():
    pair = {"nodes": NODES.head(2), "ties": TIES.head(1), "named": {0: 0}}
    assert network.network(TABLE, **pair, **SHOWN).alt.startswith("Relations. Customers: 2. Partner 1.")


def test_names_are_cut_to_what_still_tells_them_apart_and_never_to_less():
    names = pd.Series(["C-0123456789", "C-0123456700", "<b>$x$</b>"])
    assert network.short(names) == ["C-012345678", "C-012345670", "<b>$x$</b>"]
    assert network.short(pd.Series([], dtype="str")) == []


def test_every_kind_has_a_line_and_the_usual_ones_always_the_same():
    alone = network.line_styles(pd.Series(["competitor"]))
    many = network.line_styles(pd.Series(["competitor", "z", "a", "partner", "influencer"]))
    assert alone["competitor"] == many["competitor"] == ":"
    assert len({str(style) for style in many.values()}) == 5


def test_a_loss_or_unknown_sales_are_the_smallest_dot():
    small, *rest = sorted(network.areas(NODES["net"]))
    assert rest[:2] == [small, small]
    assert rest[2] > 10 * small


def test_of_very_many_relations_those_between_communities_are_one_line():
    many = pd.concat([NODES.assign(community=c, x=NODES["x"] + 20 * c) for c in range(1, 400)])
    ends = np.random.default_rng(2).integers(0, len(many), (2, 5000))
    ties = pd.DataFrame({"source": ends[0], "target": ends[1], "kind": "partner"})
    chart = network.network(TABLE, nodes=many.reset_index(drop=True), ties=ties, named={0: 0, 1: 5}, **SHOWN)
    assert "Customers: 1596. Partner 5000" in chart.alt
    assert len(chart.png) < 400_000
