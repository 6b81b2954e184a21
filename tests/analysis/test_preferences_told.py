"""Clients of whom little can be told: words, and the rest goes on."""

import numpy as np
import pandas as pd
import pytest

from crmlib.analysis import (
    association,
    bought,
    demand,
    demanded,
    itemsets,
    preferences_told,
    price_response,
    proposals,
    together,
)
from crmlib.measures import measure
from crmlib.period import day_number
from crmlib.preferences import Preferences

RULE = Preferences(at_least=10)
START = day_number(pd.Timestamp("2024-01-01").date())


def shop(rows, *, kind="sale", price=100):
    """Order lines: customer, day, products of one order."""
    made = [
        (f"o{number}", who, START + day, item)
        for number, (who, day, items) in enumerate(rows)
        for item in items
    ]
    table = pd.DataFrame(made, columns=["order_id", "customer_id", "order_day", "product"])
    month = pd.to_datetime(table["order_day"], unit="D")
    return (
        table.assign(
            order_month=month.dt.year * 12 + month.dt.month - 1,
            known=True,
            kind=kind,
            product_id=None,
            product_group=None,
            price=price,
            quantity=1.0,
            discount=np.nan,
        )
        .astype({"product_id": "str", "product_group": "str"})
        .replace({"product_id": "nan", "product_group": "nan"}, None)
    )


CLIENTS = {
    "nothing": shop([("c1", 1, ["tea"])]).head(0),
    "one_product": shop([(f"c{n}", day, ["tea"]) for n in range(30) for day in (1, 40, 90)]),
    "one_basket_each": shop([(f"c{n}", n % 28, ["tea", "milk", "ham"][: n % 3 + 1]) for n in range(60)]),
    "all_returned": shop([(f"c{n}", n % 28, ["tea", "milk"]) for n in range(30)], kind="return"),
    "worth_nothing": shop([(f"c{n}", n % 28, ["tea", "milk"]) for n in range(30)], price=0),
    "below_nothing": shop([(f"c{n}", n % 28, ["tea", "milk"]) for n in range(30)], price=-5),
}


@pytest.mark.parametrize("name", CLIENTS)
def test_words_stand_where_nothing_can_be_told(name):
    orders, last = CLIENTS[name], START + 120
    people = pd.DataFrame({"customer_id": [f"c{n}" for n in range(60)], "customer_type": None})
    sold, back = bought.bought(orders, people, as_of=last), bought.returned(orders, as_of=last)
    of, kinds, whose = bought.by_order(sold)
    sets = itemsets.frequent(of, support=0.01, longest=3)
    rules = association.telling(association.rules(sets, confidence=0.1))
    pairs = together.pairs(of, kinds=kinds, whose=whose)
    tried = proposals.tried(sold, back, RULE)
    past = demanded.demanded(orders, people, as_of=last, by="month")
    coming = demand.demand(past, ahead=3)
    priced = price_response.lines(orders, people, as_of=last)
    each = price_response.at_discount(priced, at_least=10)
    slopes = price_response.elasticities(priced, pd.Series(dtype=object), at_least=10)
    judged = pd.DataFrame({"customer_id": ["c1"], "need": ["x"], "need_source": ["stated"]})
    _, agreed = price_response.beside_stated(each, judged)
    figures = (
        preferences_told.rule_figures(of, sets, rules, pairs, at_least=10)
        | preferences_told.proposal_figures(tried)
        | preferences_told.demand_figures(coming, {"asked": 0})
        | preferences_told.price_figures(each, slopes, agreed, at_least=10)
    )
    for id, figure in figures.items():
        assert measure(id)
        assert figure["value"] is not None or figure["why"]
    assert (tried.why, coming.why) != ("", "")
    assert figures["demand.lines"]["value"] is None  # four months say nothing of a fifth
    assert figures["price.elasticity"]["value"] is None
    assert proposals.proposals(sold, back, RULE, tried).empty == bool(tried.why)
    assert proposals.cross_sales(sold, back, pairs[pairs["verdict"] == "complements"]).empty
    assert preferences_told.shown_rules(rules, pairs).columns[-1] == "verdict"
    assert preferences_told.ahead(coming, past).empty
    assert preferences_told.coming(coming, past).empty
    assert preferences_told.holding(coming)["enough"] is None
    assert not preferences_told.expecting(coming, past)["moves"]
    assert preferences_told.proposing(tried)["way"] == "popular"


def test_the_rule_told_is_one_that_kinds_of_customers_do_not_explain():
    rules = pd.DataFrame(
        {
            "given_items": ["a", "b"],
            "then_item": ["c", "c"],
            "both_baskets": [9, 8],
            "given_baskets": [10, 10],
        }
    )
    rules = rules.assign(
        **dict.fromkeys(("support", "confidence", "lift", "lift_low", "lift_high", "q"), 0.5)
    )
    pairs = pd.DataFrame(
        {"product": ["a", "b"], "other": ["c", "c"], "verdict": ["by_chance", "complements"]}
    )
    told = preferences_told.strongest(rules, pairs)
    assert (told["given"], told["both"], told["of"], told["holds"]) == ("b", 8, 10, True)
    assert not preferences_told.strongest(rules, pairs.assign(verdict="by_chance"))["holds"]
