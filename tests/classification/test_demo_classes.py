"""Classes of the demo against its own maker's truth and against SQL by hand, for several seeds."""

from dataclasses import dataclass

import builders
import pandas as pd
import pyarrow as pa
import pytest
from builders import day

from crmlib import tables
from crmlib.classification import beside, classes, composition, facts, habits, lifetime, rfm
from crmlib.cleaning import delivery as cleaning
from crmlib.collection import sources
from crmlib.period import Period
from crmlib.rules import NeedRule

AS_OF = day("2024-12-31")
TABLES = {"customers": "customers", "orders": "transactions", "costs": "costs"}
pytestmark = pytest.mark.slow


@dataclass
class Demo:
    """One seed's client: its truth, its rules, and order lines and costs under the customer's first number."""

    truth: dict
    rules: object
    orders: pa.Table
    costs: pd.DataFrame


@pytest.fixture(scope="module", params=[20241231, 0, 1, 2])
def demo(request) -> Demo:
    delivered, truth, client = builders.demo(request.param)
    collected = {ours: sources.from_text(ours, delivered[theirs]) for theirs, ours in TABLES.items()}
    found = cleaning.cleaned(collected, client, delivered_on=client.delivered_on)
    planted = truth["defects"]["customers"]["second_numbers"]
    first = dict(zip(planted["ids"], planted["of"], strict=True))

    def under_first(table: str) -> pd.DataFrame:
        kept = found[table].kept.to_pandas()
        return kept.assign(customer_id=kept["customer_id"].map(lambda one: first.get(one, one)))

    orders = pa.Table.from_pandas(
        under_first("transactions"), schema=tables.TRANSACTIONS.schema, preserve_index=False
    )
    return Demo(truth, client.classes, orders, under_first("costs"))


def sql(demo: Demo, query: str) -> pd.DataFrame:
    engine = tables.engine()
    engine.register("t", demo.orders)
    engine.register("costs", demo.costs)
    return engine.sql(query.format(day=AS_OF)).df()


def test_who_is_served_at_a_loss_is_who_was_made_so(demo):
    known = facts.facts(demo.orders, as_of=AS_OF)
    worth = lifetime.lifetime(known, demo.costs)
    lost = lifetime.at_a_loss(worth).set_index("customer_id")
    planted = demo.truth["truths"]["costs"]["served_at_a_loss"]
    assert len(planted) > 5
    # What was spent on serving each, to the cent; others may cost more than they bring by chance.
    assert lost.loc[list(planted), "service"].to_dict() == planted
    by_hand = sql(
        demo,
        "WITH earned AS (SELECT customer_id, sum(profit) AS profit FROM t WHERE known AND order_day <= {day} "
        "GROUP BY ALL), served AS (SELECT customer_id, sum(amount) AS cost FROM costs WHERE kind = 'serve' "
        "AND known GROUP BY ALL) SELECT customer_id, (cost - greatest(profit, 0))::BIGINT AS loss "
        "FROM served JOIN earned USING (customer_id) WHERE cost > greatest(profit, 0)",
    )
    assert (
        lost["loss"].sort_index().to_dict() == by_hand.set_index("customer_id")["loss"].sort_index().to_dict()
    )


def test_lifetime_value_is_net_sales_less_each_months_cost_of_winning_and_ones_own_of_serving(demo):
    known = facts.facts(demo.orders, as_of=AS_OF)
    worth = lifetime.lifetime(known, demo.costs).set_index("customer_id")["lifetime_value"]
    by_hand = sql(
        demo,
        "WITH net AS (SELECT customer_id, sum(CASE kind WHEN 'sale' THEN amount ELSE 0 END + returned) AS net, "
        "min(order_month) FILTER (kind = 'sale') AS m FROM t WHERE known AND order_day <= {day} GROUP BY ALL "
        "HAVING m IS NOT NULL), won AS (SELECT m, count(*) AS n FROM net GROUP BY m), spent AS (SELECT "
        "date_part('year', DATE '1970-01-01' + cost_day) * 12 + date_part('month', DATE '1970-01-01' + cost_day)"
        " - 1 AS m, sum(amount) AS cost FROM costs WHERE kind = 'acquisition' GROUP BY ALL), served AS (SELECT "
        "customer_id, sum(amount) AS cost FROM costs WHERE kind = 'serve' AND known GROUP BY ALL) "
        "SELECT customer_id, (net - floor(spent.cost / won.n + 0.5) - coalesce(served.cost, 0))::BIGINT AS value "
        "FROM net JOIN won USING (m) JOIN spent USING (m) LEFT JOIN served USING (customer_id)",
    ).set_index("customer_id")["value"]
    assert worth.dropna().astype("int64").sort_index().to_dict() == by_hand.sort_index().to_dict()


def test_usual_prices_and_breadth_are_those_of_sql_by_hand(demo):
    by_hand = sql(
        demo,
        "WITH sold AS (SELECT * FROM t WHERE known AND kind = 'sale' AND order_day <= {day}), usual AS (SELECT "
        "product, median(price) AS middle FROM sold GROUP BY product HAVING count(*) >= 10) SELECT customer_id, "
        "sum(amount)::BIGINT AS paid, sum(round(middle * quantity))::BIGINT AS usual, count(DISTINCT "
        "product_group) AS n FROM sold JOIN usual USING (product) GROUP BY ALL ORDER BY customer_id",
    )
    mine = habits.habits(demo.orders, NeedRule(), as_of=AS_OF)
    assert mine["customer_id"].tolist() == by_hand["customer_id"].tolist()
    assert (
        mine[["paid", "usual", "breadth"]].values.tolist() == by_hand[["paid", "usual", "n"]].values.tolist()
    )


def test_the_sales_of_a_quarter_are_those_of_customers_held_and_of_customers_won(demo):
    span = Period.parse("2024-Q4")
    known = facts.facts(demo.orders, as_of=AS_OF)
    activity = facts.activity(demo.orders, span)
    one = known[["customer_id"]].assign(tier="any")
    table = composition.composition(activity, known, one, column="tier", first_day=span.day_range[0])
    told, true = composition.whole(table), demo.truth["facts"]["2024-Q4"]
    assert told["gross"] == true["sales_identified"]
    assert told["customers"] == true["customers_active"]
    assert told["retained"] + told["acquired"] == true["sales_identified"]


def test_costs_make_the_tier_take_the_lifetime_value(demo):
    known = facts.facts(demo.orders, as_of=AS_OF)
    scores = rfm.rfm(known, demo.rules.rfm)
    found = classes.classes(
        known, scores, None, demo.rules, decimals=2, beside=beside.Beside(costs=demo.costs)
    ).set_index("customer_id")
    lost = list(demo.truth["truths"]["costs"]["served_at_a_loss"])
    assert set(found.loc[lost, "served"]) == {"at_a_loss"}
    assert all("at_a_loss" in tags.split(",") for tags in found.loc[lost, "tags"])
    assert "high" not in set(found.loc[lost, "tier"])
