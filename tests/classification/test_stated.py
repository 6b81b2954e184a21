"""Facts and classes of customers without order lines: what totals tell, and nothing more."""

import json

import builders
import pandas as pd
import pytest
from builders import day, made

from crmlib import client as clients
from crmlib import tables
from crmlib.analysis import kpis, totals
from crmlib.classification import classes, facts, rfm, stated, tiers
from crmlib.period import Period
from crmlib.rules import Classes

CONFIG = """\
name: Bank
currency: CNY
tables:
  snapshot:
    files: [s.csv]
    columns: {customer_id: id, satisfaction: score}
    satisfaction_scale: [1, 5]
"""
AS_OF = day("2024-12-31")


def rows(table: tables.Table, *given: dict) -> pd.DataFrame:
    full = [
        dict.fromkeys(table.schema.names) | {"source_file": "typed", "source_row": 2} | row for row in given
    ]
    return pd.DataFrame(full, columns=table.schema.names)


def supplied(client: clients.Client, **parts: list[dict]) -> clients.Client:
    """A client whose step 02 wrote these tables: name → rows."""
    known = {"snapshot": {"known": True}}
    for name, given in parts.items():
        table = tables.ALL[name]
        tables.write(rows(table, *(known.get(name, {}) | row for row in given)), client.delivery, table)
    nothing = dict.fromkeys(tables.LEDGER.schema.names, 0)
    lines = [nothing | {"table": name, "step": "missing-id"} for name in parts]
    tables.write(pd.DataFrame(lines), client.delivery, tables.LEDGER)
    return client


@pytest.fixture
def bank(home):
    return made(home, CONFIG, files={})


def test_totals_become_facts_and_what_they_do_not_tell_stays_empty(bank):
    client = supplied(
        bank,
        snapshot=[
            {
                "customer_id": "a",
                "orders": 6,
                "spend": 1000,
                "first_day": AS_OF - 730,
                "last_day": AS_OF - 10,
            },
            {"customer_id": "b", "spend": 500, "tenure_months": 12.0},
        ],
    )
    known = facts.known(client, as_of=AS_OF).astype(object).where(lambda t: t.notna(), None)
    first, second = known.to_dict("records")
    assert (first["gross"], first["net"], first["returned"], first["orders"]) == (1000, 1000, None, 6)
    assert (first["recency_days"], first["tenure_days"]) == (10, 730)
    assert round(first["orders_a_year"], 3) == 3.002  # 6 ÷ 730 × 365.25
    assert (second["orders"], second["recency_days"], second["profit"], second["last_day"]) == (None,) * 4
    assert second["tenure_days"] == 365  # 12 × 30.4375 = 365.25
    assert facts.source(client) == "snapshot"


def test_the_newest_totals_by_the_day_count_and_later_ones_are_not_seen(bank):
    client = supplied(
        bank,
        snapshot=[
            {"customer_id": "a", "taken_day": AS_OF - 92, "spend": 100},
            {"customer_id": "a", "taken_day": AS_OF, "spend": 150},
            {"customer_id": "a", "taken_day": AS_OF + 1, "spend": 999},
        ],
    )
    assert [facts.known(client, as_of=at)["gross"].tolist() for at in (AS_OF, AS_OF - 1, AS_OF - 93)] == [
        *([150], [100]),
        [],
    ]
    assert facts.comparable(client, as_of=AS_OF - 92)


def test_totals_without_a_day_belong_to_any_period_but_are_not_compared_with_themselves(bank):
    client = supplied(bank, snapshot=[{"customer_id": "a", "spend": 100, "satisfaction": 4.0}])
    for at in (AS_OF, AS_OF - 4000):
        assert facts.known(client, as_of=at)["gross"].tolist() == [100]
        assert stated.answers(client, as_of=at)["answered_day"].tolist() == [at]
    assert len(facts.known(client, as_of=AS_OF, dated=True)) == 0
    assert not facts.comparable(client, as_of=AS_OF)


def test_a_score_of_the_snapshot_is_an_answer_on_its_scale_unless_a_survey_tells(bank):
    asked = {"customer_id": "a", "known": True, "answered_day": AS_OF, "aspect": "brand", "score": 1.0}
    scored = {"customer_id": "a", "satisfaction": 4.0, "taken_day": AS_OF}
    client = supplied(bank, snapshot=[scored])
    (one,) = stated.answers(client, as_of=AS_OF).to_dict("records")
    assert (one["aspect"], one["score"], one["low"], one["high"]) == ("overall", 4.0, 1.0, 5.0)
    client = supplied(bank, snapshot=[scored], surveys=[asked | {"low": 0.0, "high": 10.0}])
    assert stated.answers(client, as_of=AS_OF)["aspect"].tolist() == ["brand"]


def judged(client: clients.Client, rules: Classes | None = None) -> pd.DataFrame:
    known, said = facts.known(client, as_of=AS_OF), stated.stated(client, as_of=AS_OF)
    rules = rules or Classes()
    scores = rfm.rfm(known, rules.rfm)
    return classes.classes(known, scores, None, rules, decimals=2, stated=said)


def test_the_firms_own_mark_tells_who_has_gone_before_any_silence(bank):
    long_ago = {"last_day": AS_OF - 400, "orders": 1}
    client = supplied(
        bank,
        snapshot=[
            {"customer_id": "a", "churned": True, "last_day": AS_OF, "orders": 1},
            {"customer_id": "b", "churned": False} | long_ago,
            {"customer_id": "c", "churned": False},
            {"customer_id": "d"} | long_ago,
            {"customer_id": "e"},
        ],
    )
    found = judged(client)
    assert found["behaviour"].tolist() == ["churned", "dormant", "active", "churned", "not_graded"]
    assert found["behaviour_fixed"].tolist() == ["active", "churned", "not_graded", "churned", "not_graded"]
    assert found["activity"].tolist() == ["low", "medium", "high", "low", "not_graded"]


def test_a_mark_alone_tells_nothing_of_dormancy(bank):
    client = supplied(
        bank, snapshot=[{"customer_id": "a", "churned": True}, {"customer_id": "b", "churned": False}]
    )
    found = judged(client)
    figures = kpis.classed(found)
    assert figures["behaviour.churned.customers"] == {"value": 1, "n": 2}
    assert figures["behaviour.dormant.customers"] == {"value": None, "why": "not supplied", "n": 2}
    states = classes.states(classes.beside_fixed(found))
    assert (states["churned"], states["dated"], states["judged"]) == (0.5, False, 2)


def test_without_a_last_order_there_is_no_segment_even_in_a_long_list(bank):
    client = supplied(
        bank, snapshot=[{"customer_id": f"c{n:02d}", "orders": n, "spend": n} for n in range(40)]
    )
    found = judged(client)
    assert set(found["segment"]) == {"not_supplied"}
    assert set(found["recency_score"]) == {0}
    assert found["monetary_score"].tolist() == [1] * 8 + [2] * 8 + [3] * 8 + [4] * 8 + [5] * 8
    assert not [id for id in kpis.classed(found) if id.startswith("segment.")]
    assert not rfm.champions(rfm.segments(found, facts.known(client, as_of=AS_OF)))["told"]


def tier_row(name: str, orders: int, spend: int, profit: int, word: str, tier: str) -> dict:
    return {
        "customer_id": name,
        "name": name,
        "orders": orders,
        "spend": spend,
        "profit": profit,
        "tier": tier,
        **dict.fromkeys(("frequency", "activity", "loyalty"), word),
    }


CUTS = Classes.model_validate(
    {"value": {"spend": {"high": 10000, "medium": 5000}, "profit": {"high": 5000, "medium": 2000}}}
)


GIVEN = [
    tier_row("A", 10, 1000000, 500000, "high", "high"),
    tier_row("B", 5, 500000, 200000, "medium", "high"),
    tier_row("C", 2, 1200000, 600000, "low", "low"),
]


def test_classes_that_cannot_be_computed_are_as_stated_and_the_tier_is_computed(bank):
    client = supplied(bank, tiers=GIVEN)
    found = judged(client, CUTS)
    assert found[["frequency", "activity", "loyalty"]].values.tolist() == [
        ["high"] * 3,
        ["medium"] * 3,
        ["low"] * 3,
    ]
    # C: frequency and loyalty low, spend and profit high: (1 + 1 + 3 + 3) ÷ 4 = 2
    assert found["tier"].tolist() == ["high", "medium", "medium"]
    assert found["tier_points"].tolist() == [3.0, 2.0, 2.0]


def test_each_other_tier_than_the_given_one_is_explained_by_the_part_that_pulls_most(bank):
    more = [
        tier_row("D", 2, 1200000, 100000, "low", "high"),
        tier_row("E", 2, None, 100000, "low", "low"),
    ]
    client = supplied(bank, tiers=GIVEN + more)
    found, said = judged(client, CUTS), stated.stated(client, as_of=AS_OF)
    known = facts.known(client, as_of=AS_OF)
    apart = tiers.regraded(found, said, known, CUTS, decimals=2)
    told = ["customer_id", "given", "tier", "decided_by"]
    assert apart[told].values.tolist() == [
        ["C", "low", "medium", "spend"],  # spend and profit pull up alike; spend is named first
        # D: spend is high as given; profit, frequency and loyalty pull down alike; profit is named first.
        ["D", "high", "medium", "lifetime"],
        ["B", "high", "medium", "spend"],
        ["E", "low", "not_graded", "no_cuts"],
    ]
    values = tiers.disagreement(apart, found, said)
    assert (values["given"], values["apart"], values["up"], values["down"], values["ungraded"]) == (
        5,
        4,
        1,
        2,
        1,
    )
    assert values["decided"] == ["spend"]
    assert tiers.figures(values) == {"tier.regraded.customers": {"value": 4, "n": 5}}


def test_given_tiers_of_customers_without_an_order_are_counted_and_not_compared():
    said = pd.DataFrame({"customer_id": ["a", "x"], "tier": ["high", "low"]})
    found = pd.DataFrame({"customer_id": ["a"], "tier": ["high"]})
    empty = pd.DataFrame({"given": [], "tier": [], "decided_by": []})
    values = tiers.disagreement(empty, found, said)
    assert (values["given"], values["unheard"], values["apart"]) == (1, 1, 0)


def test_figures_of_a_period_are_unknown_without_order_lines_and_never_0(bank):
    client = supplied(bank, snapshot=[{"customer_id": "a", "orders": 1, "churned": True}])
    known, span = facts.known(client, as_of=AS_OF), Period.parse("2024-Q4")
    nothing = builders.lines()
    now = facts.activity(nothing, span)
    of_lines = kpis.customers(known, now, now, span) | kpis.orders(nothing, span) | kpis.sales(nothing, span)
    of_lines |= kpis.churn(judged(client), judged(client).head(0)) | kpis.profit(now)
    told = totals.instead(of_lines, known, client)
    assert set(told) == set(of_lines)
    known_ids = {id: figure["value"] for id, figure in told.items() if figure["value"] is not None}
    assert known_ids == {"customers.total": 1, "customers.one_order": 1, "churn.customers": 1}
    assert {f["why"] for f in told.values() if f["value"] is None} == {"no order lines"}
    assert totals.counted(told) == (1, "customers")
    json.dumps(told, allow_nan=False)


def test_sums_of_totals_are_of_what_is_known(bank):
    client = supplied(
        bank,
        snapshot=[{"customer_id": "a", "spend": 100, "lifetime_value": 7}, {"customer_id": "b", "spend": 50}],
    )
    known, said = facts.known(client, as_of=AS_OF), stated.stated(client, as_of=AS_OF)
    assert totals.figures(known, said, client) == {
        "totals.customers": {"value": 2, "n": 2},
        "totals.orders": {"value": None, "n": 0, "why": "not supplied"},
        "totals.spend": {"value": 150, "n": 2},
        "totals.profit": {"value": None, "n": 0, "why": "not supplied"},
        "totals.lifetime_value": {"value": 7, "n": 1},
    }


def test_a_period_before_any_totals_knows_nothing(bank):
    client = supplied(
        bank, snapshot=[{"customer_id": "a", "taken_day": AS_OF, "spend": 100, "churned": True}]
    )
    known, said = facts.known(client, as_of=AS_OF - 1), stated.stated(client, as_of=AS_OF - 1)
    unknown = {"value": None, "n": 0, "why": "no totals by the end of the period"}
    assert totals.figures(known, said, client) == {"totals.customers": unknown}
    span, nothing = Period.parse("2024-Q3"), builders.lines()
    now = facts.activity(nothing, span)
    told = totals.instead(kpis.customers(known, now, now, span), known, client)
    assert {figure["value"] for figure in told.values()} == {None}


def test_a_client_whose_only_totals_came_after_the_newest_quarter_is_shown_as_of_their_day(bank):
    taken = day("2025-01-05")
    client = supplied(bank, snapshot=[{"customer_id": "a", "taken_day": taken}])
    found = stated.newest_period(client, pd.Timestamp("2025-01-05").date())
    assert found.name == "2024-10-06_2025-01-05"  # 92 days, as the quarter
    client = supplied(bank, snapshot=[{"customer_id": "a", "taken_day": day("2024-12-31")}])
    assert stated.newest_period(client, pd.Timestamp("2025-01-05").date()).name == "2024-Q4"
    client = supplied(bank, snapshot=[{"customer_id": "a"}])
    assert stated.newest_period(client, pd.Timestamp("2025-01-05").date()).name == "2024-Q4"
