"""All classes at once: every customer has each of them by a name, and no order of rows decides any."""

import builders
import pandas as pd
import pytest
from builders import day
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlib import tables
from crmlib.classification import beside, classes, rfm
from crmlib.contract import TEXT
from crmlib.language import WORDS
from crmlib.rules import Classes

RULES = Classes()
# Empty where it says so: whom nobody asked, and who has no sign or tag.
MAY_BE_EMPTY = {"satisfaction", "potential", "tags"}
NAMED = [c.name for c in tables.CLASSES.columns if c.type == TEXT and c.name not in MAY_BE_EMPTY]
OURS = [name for name in NAMED if name not in ("customer_id", "need", "customer_type", *beside.ATTRIBUTES)]


def judged(known: pd.DataFrame, around: beside.Beside = beside.Beside()) -> pd.DataFrame:  # noqa: B008
    scores = rfm.rfm(known, RULES.rfm)
    return classes.classes(known, scores, None, RULES, decimals=2, beside=around)


def customers(rows: list[tuple]) -> pd.DataFrame:
    """Facts from (orders, net, recency)."""
    return builders.facts(
        *(
            {"orders": o, "net": n, "gross": max(n, 0), "recency_days": r, "orders_a_year": float(o)}
            | {"first_day": day("2024-01-01"), "tenure_days": 365, "gap_days": 10.0}
            for o, n, r in rows
        )
    )


def around(known: pd.DataFrame) -> beside.Beside:
    """Habits, pace and costs that follow from the facts alone, so that equal customers have equal ones."""
    ids = known["customer_id"]
    habits = pd.DataFrame({"customer_id": ids, "breadth": known["orders"] % 3 + 1})
    habits = habits.assign(paid=known["net"], usual=100, won_channel=None, habit_group="x")
    habits = habits.assign(habit_channel=None, habit_season=None)
    late = pd.DataFrame({"customer_id": ids, "orders": known["orders"], "gross": known["gross"]})
    late = late.assign(net=known["net"], breadth=habits["breadth"])
    cost = dict.fromkeys(tables.COSTS.schema.names) | {"kind": "acquisition", "known": False}
    cost |= {"cost_day": day("2024-01-01"), "amount": 777}
    return beside.Beside(costs=pd.DataFrame([cost]), habits=habits, recent=late[late["orders"] > 1])


@pytest.mark.parametrize("size", [0, 1, 2, 5, 29, 30])
@pytest.mark.parametrize("money", [1000, -1000], ids=["sold", "taken back"])
def test_a_list_of_any_length_has_every_class_by_a_name(size, money):
    known = customers([(n % 4 + 1, money * n, n) for n in range(size)])
    for what in (beside.Beside(), around(known) if size else beside.Beside()):
        found = judged(known, what)
        assert len(found) == size
        assert not found[NAMED].isna().any(axis=None)
        for name in OURS:
            assert set(found[name]) <= {*WORDS, "A", "B", "C", "x"}, name
        tables.conform(found, tables.CLASSES)


def test_without_anything_beside_the_facts_it_says_not_supplied_and_never_nothing():
    found = judged(customers([(1, 100, 1)])).iloc[0]
    for name in (*beside.ATTRIBUTES, *beside.HABITS, "served", "potential"):
        assert found[name] == "not_supplied", name
    assert (found["need"], found["need_source"]) == ("not_known", "not_known")
    assert pd.isna(found["lifetime_value"])


def test_an_attribute_nobody_supplies_is_not_an_attribute_this_customer_lacks():
    people = pd.DataFrame({"customer_id": ["c1", "c2"], "region": ["北京市", None]})
    people = people.assign(**dict.fromkeys(("customer_type", "scale", "credit_grade", "industry")))
    found = beside.attributes(pd.Series(["c1", "c2", "c3"]), beside.Beside(people=people))
    assert found["region"].tolist() == ["北京市", "unknown", "unknown"]
    assert set(found["scale"]) == set(found["habit_group"]) == {"not_supplied"}


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 4), st.integers(-50, 5000), st.integers(0, 400)), min_size=1, max_size=45
    ),
    st.randoms(use_true_random=False),
)
def test_equal_customers_share_every_class_and_no_order_of_rows_decides_any(rows, chance):
    known = customers(rows)
    found = judged(known, around(known)).set_index("customer_id")
    mixed = known.sample(frac=1, random_state=chance.randrange(1000)).reset_index(drop=True)
    again = judged(mixed, around(known)).set_index("customer_id").loc[found.index]
    pd.testing.assert_frame_equal(found, again)
    for ids in known.groupby(["orders", "net", "recency_days"])["customer_id"].agg(list):
        assert len(found.loc[ids].drop_duplicates()) == 1


def test_a_client_reads_what_stands_beside_the_facts_up_to_a_day(home):
    from crmlib.cleaning import delivery as cleaning
    from crmlib.collection import sources

    config = builders.CONFIG.replace("price: price}", "price: price, channel: how, product: what}") + (
        "  costs:\n    files: [costs.csv]\n    columns: {customer_id: who, cost_day: on, kind: kind, amount: sum}\n"
        "  needs:\n    files: [needs.csv]\n    columns: {customer_id: who, asked_day: on, need: need}\n"
    )
    files = {
        "orders.csv": "order,customer,day,pieces,price,how,what\n"
        "A1,c1,2024-10-01,1,10,web,tea\nA2,c2,2024-11-01,1,20,shop,tea\nA3,c1,2025-01-02,1,10,web,cup\n",
        "costs.csv": "who,on,kind,sum\n,2024-10-01,获客,3\nc1,2024-10-05,服务,4\nc1,2025-01-02,服务,100\n",
        "needs.csv": "who,on,need\nc1,2024-10-01,价格敏感型\nc1,2025-01-03,品质追求型\n",
    }
    client = builders.made(home, config, files)
    sources.write(client, sources.delivery(client))
    delivered = sources.as_collected(client)
    cleaning.write(cleaning.cleaned(delivered, client, delivered_on=client.delivered_on), delivered, client)
    found = beside.beside(client, as_of=day("2024-12-31"))
    assert found.need.to_dict() == {"c1": "price_sensitive"}
    assert found.costs["amount"].tolist() == [300, 400]
    assert found.habits["breadth"].tolist() == [1, 1]
    assert found.recent["customer_id"].tolist() == ["c1", "c2"]
