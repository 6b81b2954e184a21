"""What a measure's change is split over: every tally against the measure itself and against tables by hand."""

import os
from fractions import Fraction

import builders
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlib import tables
from crmlib.analysis import explained, kpis, satisfaction, tallies
from crmlib.classification import facts
from crmlib.period import Period

NOW, THEN = Period.parse("2024-Q4"), Period.parse("2024-Q3")
SPANS = (NOW, THEN)
EARLIER = THEN.previous()
# Every table of a thousand takes minutes; `CRM_EVERY=1` runs them all.
EXAMPLES = 1000 if os.environ.get("CRM_EVERY") == "1" else 25
PEOPLE = pd.DataFrame({"customer_id": list("abcdefgh"), "customer_type": ["personal", "enterprise"] * 4})


def activity(*rows: tuple) -> pd.DataFrame:
    """Customer, orders, gross, profit, profit_on."""
    table = pd.DataFrame(rows, columns=["customer_id", "orders", "gross", "profit", "profit_on"])
    return table.astype({"customer_id": "str", "profit": "Int64"})


def parts(tally, by="customer_type") -> dict:
    """Each part by its name, as floats, after it was seen that nothing is left over."""
    found = explained.explained(tally, by)
    assert explained.residual(found) == 0
    return {part: float(value) for part, value in found.sums.items()}


# --- by hand ---


def test_profit_counts_for_those_whose_profit_is_known():
    then = activity(("a", 1, 100, 30, 100), ("b", 1, 50, None, 0))
    now = activity(("a", 2, 200, 50, 200), ("c", 1, 80, 8, 80))
    tally = tallies.profit(now, then, PEOPLE)
    assert tally.values == (30, 58)
    # Of a: orders 1 → 2 at a mean profit of (30 + 25) / 2 = 27.5; an order earns 5 less, on 1.5 orders −7.5. Of two
    # halves the first is rounded up, so that the sum is the 20 that a earned more.
    assert parts(tally) == {"volume": 28, "rate": -8, "new": 8, "lost": 0}


def test_a_margin_moves_by_those_who_came():
    then = activity(("a", 1, 100, 30, 100))
    now = activity(("a", 1, 100, 30, 100), ("c", 1, 100, 10, 100))
    # 30 % then; with c, who earns 10 %, it is 20 %.
    tally = tallies.margin(now, then, PEOPLE)
    assert tally.values == (Fraction(30, 100), Fraction(40, 200))
    assert parts(tally) == {"rate": 0, "new": pytest.approx(-0.1), "lost": 0}  # all are of one kind: no mix


def test_an_order_of_two_customers_is_one_order():
    rows = [
        {"customer": "a", "day": "2024-08-01", "amount": 100, "order": "X"},
        {"customer": "b", "day": "2024-08-01", "amount": 200, "order": "X"},
        {"customer": "a", "day": "2024-11-01", "amount": 300, "order": "Y"},
        {"customer": "b", "day": "2024-11-02", "amount": 500, "order": "Z"},
    ]
    lines = builders.lines(*rows)
    now, then = (facts.activity(lines, span) for span in SPANS)
    tally = tallies.mean_order(now, then, PEOPLE, tallies.order_shares(lines, SPANS))
    assert tally.values == (300, 400)  # 300 on one order, 800 on two
    assert [kpis.orders(lines, span)["orders.mean"]["value"] for span in (THEN, NOW)] == [300, 400]
    assert sum(parts(tally).values()) == 100


def test_where_every_order_has_one_customer_no_shares_are_needed():
    lines = builders.lines({"customer": "a", "day": "2024-08-01", "amount": 100})
    assert tallies.order_shares(lines, SPANS) is None


def retained(*buyers: str, first: dict[str, str]) -> tallies.Tally:
    """Who bought in this period, the one before and the one before that; the day of each one's first order."""
    activities = tuple(activity(*((c, 1, 1, None, 0) for c in part)) for part in buyers)
    known = pd.DataFrame({"customer_id": list(first), "first_day": [builders.day(d) for d in first.values()]})
    return tallies.retention(activities, known, PEOPLE, SPANS)


OLD = "2020-01-01"


def test_customers_just_won_pull_retention_by_themselves():
    # Held longer: a b c, all came back then; now a b of a b. Just won: d then (came back), e f now (neither did).
    tally = retained(
        "ab",
        "abcdef",
        "abcd",
        first=dict.fromkeys("abc", OLD) | {"d": "2024-05-01", "e": "2024-08-01", "f": "2024-08-01"},
    )
    # Then 4 of 4; now 2 of 6. Held longer (a b c d, of whom d is no longer new): 3 of 3 then, 2 of 4 now.
    assert tally.values == (1, Fraction(1, 3))
    found = parts(tally, "region")
    # New now: with e and f 2/6, without them 2/4: −1/6. New then: with d 4/4, without 3/3: nothing.
    assert found["new"] == pytest.approx(-1 / 6)
    assert found["lost"] == 0
    assert found["rate"] == pytest.approx(-1 / 2)


def test_where_the_data_begins_with_the_period_nobody_tells_who_was_new():
    tally = retained("a", "ab", "ab", first={"a": "2024-04-01", "b": "2024-05-01"})
    figures = explained.figures(explained.explained(tally, "customer_type"))
    assert figures["change.retention.rate.new"]["value"] is None
    assert "does not reach back" in figures["change.retention.rate.new"]["why"]
    assert figures["change.retention.rate.residual"]["value"] == 0


def test_points_are_exact_whatever_the_scale():
    said = builders.answers(
        ("a", "2024-08-01", "service", 2),
        ("a", "2024-08-01", "product", 4),
        ("a", "2024-11-01", "service", 3),
        ("b", "2024-11-01", "service", 5),
    )
    # One to seven: each step is 100 / 6 points.
    said = said.assign(high=7.0)
    tally = tallies.satisfaction(said, SPANS, PEOPLE)
    assert tally.values == (
        Fraction(100 + 300, 12),
        Fraction(200 + 400, 12),
    )  # (1/6 + 3/6) / 2, (2/6 + 4/6) / 2
    found = parts(tally)
    assert found["new"] == pytest.approx(50 - 100 / 3)


def test_an_aspect_is_told_alone():
    said = builders.answers(
        ("a", "2024-08-01", "service", 2),
        ("a", "2024-11-01", "service", 3),
        ("a", "2024-11-01", "product", 1),
    )
    assert tallies.satisfaction(said, SPANS, PEOPLE, "service").values == (25, 50)


def test_promoters_less_detractors():
    said = builders.answers(
        ("a", "2024-08-01", "recommend", 9),
        ("b", "2024-08-01", "recommend", 7),
        ("a", "2024-11-01", "recommend", 6),
    )
    assert tallies.nps(said, SPANS, PEOPLE).values == (50, -100)
    assert tallies.nps(said.assign(high=5.0), SPANS, PEOPLE).why == "not asked on 0–10"


def applications(*rows: tuple) -> pd.DataFrame:
    """Customer, day of the decision, product, grade, decision."""
    told = [
        dict.fromkeys(tables.APPLICATIONS.schema.names)
        | {
            "customer_id": who,
            "known": True,
            "applied_day": builders.day("2024-01-01"),
            "decided_day": builders.day(day) if day else None,
            "product": product,
            "credit_grade": grade,
            "decision": decision,
            "source_file": "typed",
            "source_row": n,
        }
        for n, (who, day, product, grade, decision) in enumerate(rows, start=2)
    ]
    return pd.DataFrame(told, columns=tables.APPLICATIONS.schema.names)


def test_better_cases_are_mix_and_a_milder_judgement_is_rate():
    then = [("a", "2024-08-01", "loan", "A", "approved"), ("b", "2024-08-02", "loan", "B", "declined")]
    better = [(who, "2024-11-01", "loan", "A", "approved") for who in "ab"]
    milder = [("a", "2024-11-01", "loan", "A", "approved"), ("b", "2024-11-01", "loan", "B", "approved")]
    waiting = [("c", None, "loan", "A", "pending")]
    found = parts(tallies.success(applications(*then, *better, *waiting), SPANS, PEOPLE), "credit_grade")
    assert found == {"mix": 0.5, "rate": 0, "new": 0, "lost": 0}
    found = parts(tallies.success(applications(*then, *milder), SPANS, PEOPLE), "credit_grade")
    assert found == {"mix": 0, "rate": 0.5, "new": 0, "lost": 0}


def test_a_product_decided_on_only_now_is_new():
    rows = [("a", "2024-08-01", "loan", "A", "approved"), ("a", "2024-11-01", "loan", "A", "approved")]
    more = [("b", "2024-11-02", "project", "A", "declined")]
    found = parts(tallies.success(applications(*rows, *more), SPANS, PEOPLE), "credit_grade")
    assert found == {"rate": 0, "new": -0.5, "lost": 0}


def costs(*rows: tuple) -> pd.DataFrame:
    """Day, channel, amount."""
    told = [
        dict.fromkeys(tables.COSTS.schema.names)
        | {
            "known": False,
            "cost_day": builders.day(day),
            "kind": "acquisition",
            "channel": channel,
            "amount": amount,
        }
        for day, channel, amount in rows
    ]
    return pd.DataFrame(told, columns=tables.COSTS.schema.names)


def test_where_channels_share_the_customers_more_of_them_cost_less_each():
    spent = costs(("2024-07-01", "web", 600), ("2024-10-01", "web", 600), ("2024-10-01", "fair", 300))
    # 600 on 60 is 10; 900 on 120 is 7.50. As many more share 750, the mean cost: 750 × (1/120 − 1/60) = −6.25. The
    # fair's 300 on the mean of 1/60 and 1/120 is 3.75.
    tally = tallies.acquisition(spent, SPANS, (120, 60))
    assert tally.values == (10, Fraction(15, 2))
    assert parts(tally, "channel") == {"volume": -6.25, "rate": 0, "new": 3.75, "lost": 0}
    figure = explained.figures(explained.explained(tally, "channel"))["change.cac.amount.mix"]
    assert (figure["value"], figure["why"]) == (
        None,
        "orders do not say which channel of spending won a customer",
    )


def test_where_each_channel_wins_its_own_customers_they_may_shift_to_the_dear_one():
    spent = costs(
        ("2024-07-01", "web", 100),
        ("2024-07-01", "fair", 300),
        ("2024-10-01", "web", 50),
        ("2024-10-01", "fair", 450),
    )
    won = tuple(pd.DataFrame({"channel": ["web", "fair"], "won": n}) for n in ([5, 15], [10, 10]))
    # A customer costs 10 by web and 30 by fair, both times; half of them by fair then, three quarters now: 20 → 25.
    tally = tallies.acquisition(spent, SPANS, (20, 20), won)
    assert tally.values == (20, 25)
    assert parts(tally, "channel") == {"mix": 5, "rate": 0, "new": 0, "lost": 0}


def priced(*rows: tuple) -> tallies.Tally:
    """Day, product, pieces, price."""
    lines = [
        {"customer": "a", "day": day, "product": product, "quantity": float(pieces), "amount": pieces * price}
        for day, product, pieces, price in rows
    ]
    return tallies.priced(builders.lines(*lines), SPANS)


def test_a_dearer_product_is_price_and_more_pieces_are_volume():
    both = [("2024-08-01", "tea", 10, 5), ("2024-11-01", "tea", 10, 6)]
    assert parts(priced(*both), "product") == {"volume": 0, "price": 10, "new": 0, "lost": 0, "returns": 0}
    both = [("2024-08-01", "tea", 10, 5), ("2024-11-01", "tea", 14, 5)]
    assert parts(priced(*both), "product") == {"volume": 20, "price": 0, "new": 0, "lost": 0, "returns": 0}


def test_a_new_product_a_discontinued_one_and_what_came_back():
    tally = priced(
        ("2024-08-01", "tea", 10, 5),
        ("2024-08-01", "mug", 1, 7),
        ("2024-11-01", "tea", 10, 5),
        ("2024-11-01", "pot", 2, 9),
        ("2024-11-02", "tea", -3, 5),
    )
    found = parts(tally, "product")
    assert found == {"volume": 0, "mix": 0, "price": 0, "new": 18, "lost": -7, "returns": -15}


def test_without_pieces_or_products_there_is_no_price():
    line = {"customer": "a", "amount": 100, "product": "tea"}
    weighed = [line | {"day": day, "quantity": None} for day in ("2024-08-01", "2024-11-01")]
    assert (
        tallies.priced(builders.lines(*weighed), SPANS).why
        == "not every line tells how many pieces were sold"
    )
    unnamed = [line | {"day": day, "product": None} for day in ("2024-08-01", "2024-11-01")]
    assert tallies.priced(builders.lines(*unnamed), SPANS).why == "no product is named"


# --- bad input: one sentence in its place ---


NOBODY = activity().astype({"orders": "int64", "gross": "int64", "profit_on": "int64"})
SOMEBODY = activity(("a", 1, 100, 10, 100))


@pytest.mark.parametrize(
    ("tally", "why"),
    [
        (tallies.sales(SOMEBODY, NOBODY, PEOPLE), "nobody bought in the period before"),
        (tallies.mean_order(SOMEBODY, NOBODY, PEOPLE), "nobody bought in one of the two periods"),
        (tallies.profit(SOMEBODY, NOBODY, PEOPLE), "not supplied"),
        (
            tallies.margin(SOMEBODY, activity(("a", 1, 1, 5, 0)), PEOPLE),
            "no sales with a known profit in one of the two periods",
        ),
        (tallies.satisfaction(None, SPANS, PEOPLE), "not supplied"),
        (
            tallies.satisfaction(builders.answers(), SPANS, PEOPLE),
            "nobody answered in one of the two periods",
        ),
        (tallies.nps(None, SPANS, PEOPLE), "not supplied"),
        (tallies.success(None, SPANS, PEOPLE), "not supplied"),
        (
            tallies.success(applications(), SPANS, PEOPLE),
            "no application was decided in one of the two periods",
        ),
        (tallies.acquisition(None, SPANS, (1, 1)), "not supplied"),
        (tallies.acquisition(costs(), SPANS, (1, 1)), "not supplied"),
        (
            tallies.acquisition(costs(("2024-10-01", "web", 1)), SPANS, (1, 0)),
            "nobody was won in one of the two periods",
        ),
        (
            tallies.acquisition(costs(("2024-10-01", "web", 1)), SPANS, (10, 10)),
            "no cost of winning is supplied for one of the two periods",
        ),
        (
            tallies.acquisition(costs(("2024-10-01", "web", 1)), SPANS, (10, 9)),
            "fewer than ten customers were won in one of the two periods",
        ),
        (
            retained("a", "a", "", first={"a": OLD}),
            "nobody bought in one of the two periods before",
        ),
        (tallies.priced(builders.lines(), SPANS), "nothing was sold in one of the two periods"),
    ],
    ids=lambda given: given if isinstance(given, str) else given.id,
)
def test_what_cannot_be_told_is_refused_in_one_sentence_in_its_place(tally, why):
    found = explained.explained(tally, "customer_type")
    assert found.why == why
    assert explained.steps(found, ("then", "now")).empty
    figures = explained.figures(found)
    assert {figure["value"] for figure in figures.values()} == {None}
    assert {figure["why"] for figure in figures.values()} == {why}


# --- random tables: every builder's tally closes exactly, and is the measure it says ---

WHO = st.sampled_from("abcdefgh")
MONEY = st.integers(-(10**9), 10**9)
ACTIVITY = st.dictionaries(
    WHO,
    st.tuples(st.integers(0, 9), st.integers(0, 10**9), st.none() | MONEY, st.integers(-(10**9), 10**9)),
    max_size=8,
).map(lambda rows: activity(*((who, *row) for who, row in rows.items())))
CLOSES = settings(max_examples=EXAMPLES, deadline=None)


def closes(tally, by="customer_type"):
    found = explained.explained(tally, by)
    if found.why:
        return
    then, now = explained.ends(found)
    assert explained.residual(found) == 0
    # What is printed closes as far as floats do.
    shown = [float(f["value"]) for f in explained.figures(found).values() if f["value"] is not None]
    size = max(map(abs, [*shown, float(then), float(now), 1e-9]))
    assert sum(shown) == pytest.approx(float(now - then), abs=1e-9 * size)


@given(ACTIVITY, ACTIVITY)
@CLOSES
def test_sales_profit_margin_and_mean_order_close_on_random_tables(now, then):
    for build in (tallies.sales, tallies.profit, tallies.margin, tallies.mean_order):
        closes(build(now, then, PEOPLE))


@given(ACTIVITY, ACTIVITY, ACTIVITY, st.dictionaries(WHO, st.integers(19000, 20100)))
@CLOSES
def test_retention_closes_on_random_tables(now, then, earlier, first):
    known = pd.DataFrame({"customer_id": list("abcdefgh")})
    known["first_day"] = known["customer_id"].map(first).fillna(18000)
    tally = tallies.retention((now, then, earlier), known, PEOPLE, SPANS)
    closes(tally)
    if not tally.why:
        for value, (here, back) in zip(tally.values, ((then, earlier), (now, then)), strict=True):
            told = kpis.customers(known.assign(orders=1), here, back, NOW)["retention.rate"]["value"]
            assert float(value) == pytest.approx(told, abs=1e-12)


ANSWERS = st.lists(
    st.tuples(
        WHO,
        st.sampled_from(["2024-08-01", "2024-09-09", "2024-11-01", "2024-12-31"]),
        st.sampled_from(["service", "product", "recommend"]),
        st.integers(0, 10),
        st.sampled_from([5, 7, 10, 100]),
    ),
    max_size=30,
)


@given(ANSWERS)
@CLOSES
def test_satisfaction_and_recommending_close_on_random_tables(rows):
    said = builders.answers(*(row[:4] for row in rows))
    said["high"] = [10.0 if row[2] == "recommend" else max(float(row[3]), float(row[4])) for row in rows]
    said["low"] = 0.0
    tally = tallies.satisfaction(said, SPANS, PEOPLE)
    for one in (
        tally,
        tallies.satisfaction(said, SPANS, PEOPLE, "service"),
        tallies.nps(said, SPANS, PEOPLE),
    ):
        closes(one)
    if not tally.why:
        rated = satisfaction.during(said[said["aspect"] != "recommend"], NOW)
        assert float(tally.values[1]) == pytest.approx(float(np.mean(rated["score"] / rated["high"] * 100)))


@given(
    st.lists(
        st.tuples(
            WHO,
            st.sampled_from(["2024-08-01", "2024-11-01", "2024-01-01"]),
            st.sampled_from(["loan", "project", None]),
            st.sampled_from(["A", "B", None]),
            st.sampled_from(["approved", "declined", "pending"]),
        ),
        max_size=20,
    )
)
@CLOSES
def test_decided_applications_close_on_random_tables(rows):
    closes(tallies.success(applications(*rows), SPANS, PEOPLE), "credit_grade")


CHANNELS = st.sampled_from(["web", "fair", "bank"])
WON = st.lists(st.tuples(CHANNELS, st.integers(0, 50)), max_size=4).map(
    lambda rows: pd.DataFrame(rows, columns=["channel", "won"]).astype({"won": "int64"})
)


@given(
    st.lists(
        st.tuples(st.sampled_from(["2024-07-01", "2024-10-01"]), CHANNELS, st.integers(0, 10**9)), max_size=8
    ),
    st.tuples(st.integers(0, 99), st.integers(0, 99)),
    st.none() | st.tuples(WON, WON),
)
@CLOSES
def test_the_cost_of_a_new_customer_closes_on_random_tables(rows, won, through):
    closes(tallies.acquisition(costs(*rows), SPANS, won, through), "channel")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["2024-08-01", "2024-11-01"]),
            st.sampled_from(["tea", "mug", "pot", None]),
            st.integers(-5, 20).filter(bool),
            st.integers(1, 10**6),
        ),
        max_size=12,
    )
)
@CLOSES
def test_price_times_volume_closes_on_random_tables(rows):
    closes(priced(*rows), "product")
