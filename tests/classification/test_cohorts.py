"""Cohorts and monthly states, worked out by hand and by hand-written SQL."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from builders import day, lines
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlib import tables
from crmlib.classification import classes, cohorts, facts
from crmlib.rules import BehaviourRule

AS_OF, RULE = day("2024-06-15"), BehaviourRule()
JANUARY = 2024 * 12
SEEN = lines(
    {"customer": "a", "day": "2024-01-05", "amount": 100, "order": "A1"},
    {"customer": "a", "day": "2024-01-20", "amount": 50, "order": "A2"},
    {"customer": "a", "day": "2024-03-10", "amount": 30, "order": "A3"},
    {"customer": "b", "day": "2024-01-31 23:50", "amount": 7, "order": "B1"},
    {"customer": "b", "day": "2024-02-01 00:10", "amount": 3, "order": "B1"},
    {"customer": "c", "day": "2024-04-01", "amount": 9, "order": "C1"},
    {"customer": "c", "day": "2024-05-01", "amount": -9, "order": "TH1"},
    {"customer": "d", "day": "2024-06-16", "amount": 9, "order": "D1"},
    {"customer": None, "day": "2024-04-01", "amount": 9},
    {"customer": "gift", "day": "2024-04-01", "amount": 0},
)


def test_a_cohort_is_followed_month_by_month_and_nobody_is_a_zero():
    found = cohorts.cohorts(SEEN, as_of=AS_OF)
    january = found[found["cohort"] == JANUARY]
    # a and b began in January; an order over midnight belongs to its first day; in February nobody bought
    assert january["since"].tolist() == [0, 1, 2, 3, 4, 5]
    assert january["customers"].tolist() == [2, 0, 1, 0, 0, 0]
    assert january["gross"].tolist() == [160, 0, 30, 0, 0, 0]
    assert january["share"].tolist() == [1, 0, 0.5, 0, 0, 0]
    assert set(january["size"]) == {2}
    assert january["complete"].tolist() == [True] * 5 + [False]  # June goes on after the fifteenth
    april = found[found["cohort"] == JANUARY + 3]
    assert april["customers"].tolist() == [1, 0, 0]  # what is taken back is no purchase
    assert set(found["cohort"]) == {JANUARY, JANUARY + 3}


def test_a_cohort_of_a_quarter_is_followed_by_quarters():
    found = cohorts.cohorts(SEEN, as_of=AS_OF, by="quarter")
    assert found[["cohort", "since", "size", "customers", "gross"]].values.tolist() == [
        [JANUARY, 0, 2, 2, 190],
        [JANUARY, 1, 2, 0, 0],
        [JANUARY + 3, 0, 1, 1, 9],
    ]
    assert found["complete"].tolist() == [True, False, False]


def test_every_customer_is_in_one_state_of_a_month():
    table = cohorts.monthly_states(
        lines(
            {"customer": "a", "day": "2024-01-05", "amount": 1, "order": "1"},
            {"customer": "a", "day": "2024-02-10", "amount": 1, "order": "2"},
            {"customer": "a", "day": "2024-06-10", "amount": 1, "order": "3"},
            {"customer": "b", "day": "2024-01-31", "amount": 1, "order": "4"},
        ),
        as_of=day("2024-08-31"),
        rule=RULE,
    ).set_index("month")
    # a: new, returning, then 49 and 80 days of silence at the ends of March and April (quiet) and 111 at May's
    # (dormant), back on 10 June after 121 days, 51 and 82 days of silence.
    # b: 29, 60 and 90 days at the ends of February, March, April: quiet; 121 and 151: dormant; 182, 213: churned.
    told = [[n for n in row if n] for row in table[list(cohorts.STATES)].values.tolist()]
    assert told == [[2], [1, 1], [2], [2], [2], [1, 1], [1, 1], [1, 1]]
    assert table["new"].tolist() == [2, 0, 0, 0, 0, 0, 0, 0]
    assert table["returning"].tolist() == [0, 1, 0, 0, 0, 0, 0, 0]
    assert table["reactivated"].tolist() == [0, 0, 0, 0, 0, 1, 0, 0]
    assert table["quiet"].tolist() == [0, 1, 2, 2, 0, 0, 1, 1]
    assert table["dormant"].tolist() == [0, 0, 0, 0, 2, 1, 0, 0]
    assert table["churned"].tolist() == [0, 0, 0, 0, 0, 0, 1, 1]
    assert table["total"].tolist() == [2] * 8
    assert table["complete"].all()


@pytest.mark.parametrize("by", ["month", "quarter"])
def test_without_a_purchase_there_is_no_cohort_and_no_month(by):
    none = lines({"customer": "a", "day": "2024-01-05", "amount": -1})
    for table in (lines(), none):
        assert list(cohorts.cohorts(table, as_of=AS_OF, by=by).columns)[:2] == ["cohort", "since"]
        assert cohorts.cohorts(table, as_of=AS_OF, by=by).empty
        states = cohorts.monthly_states(table, as_of=AS_OF, rule=RULE)
        assert states.empty
        assert list(states.columns) == ["month", *cohorts.STATES, "total", "complete"]


COHORTS = """
WITH bought AS (
  SELECT customer_id, order_id, min(order_day) AS placed, CAST(sum(amount) AS BIGINT) AS gross
  FROM typed WHERE known AND kind = 'sale' AND order_day <= {as_of} GROUP BY ALL),
dated AS (SELECT *, DATE '1970-01-01' + CAST(placed AS INTEGER) AS on_day FROM bought),
firsts AS (SELECT customer_id, date_trunc('{by}', min(on_day)) AS began FROM dated GROUP BY ALL)
SELECT year(began) * 12 + month(began) - 1 AS cohort, date_diff('{by}', began, date_trunc('{by}', on_day)) AS since,
  count(DISTINCT customer_id) AS customers, CAST(sum(gross) AS BIGINT) AS gross
FROM dated JOIN firsts USING (customer_id) GROUP BY ALL ORDER BY ALL
"""
# Every customer and every month, one by one: what the lazy function never builds.
STATES = """
WITH bought AS (
  SELECT DISTINCT customer_id, order_id, min(order_day) OVER (PARTITION BY customer_id, order_id) AS placed
  FROM typed WHERE known AND kind = 'sale' AND order_day <= {as_of}),
ends AS (
  SELECT CAST(m AS DATE) - DATE '1970-01-01' AS first,
    least(last_day(CAST(m AS DATE)) - DATE '1970-01-01', {as_of}) AS last, year(m) * 12 + month(m) - 1 AS month
  FROM generate_series(
    (SELECT date_trunc('month', DATE '1970-01-01' + CAST(min(placed) AS INTEGER)) FROM bought),
    TIMESTAMP '1970-01-01' + INTERVAL ({as_of}) DAY, INTERVAL 1 MONTH) AS series(m)),
seen AS (
  SELECT month, last, customer_id, min(placed) FILTER (placed >= first) AS came, max(placed) AS newest,
    max(placed) FILTER (placed < first) AS before
  FROM ends JOIN bought ON placed <= last GROUP BY ALL)
SELECT month,
  count(*) FILTER (came IS NOT NULL AND before IS NULL) AS new,
  count(*) FILTER (came - before <= {active}) AS returning,
  count(*) FILTER (came - before > {active}) AS reactivated,
  count(*) FILTER (came IS NULL AND last - newest <= {active}) AS quiet,
  count(*) FILTER (came IS NULL AND last - newest > {active} AND last - newest <= {dormant}) AS dormant,
  count(*) FILTER (came IS NULL AND last - newest > {dormant}) AS churned
FROM seen GROUP BY month ORDER BY month
"""
BOUGHT = st.lists(
    st.tuples(st.sampled_from("abcd"), st.integers(0, 900), st.integers(-3, 90), st.sampled_from("123456")),
    min_size=1,
    max_size=25,
)


def asked(table, query: str, **said) -> pd.DataFrame:
    engine = tables.engine()
    engine.register("typed", table)
    return engine.sql(query.format(**said)).df().astype("int64")


@settings(max_examples=20, deadline=None)
@given(BOUGHT, st.integers(0, 900), st.integers(1, 60), st.integers(1, 100))
def test_hand_written_sql_counts_the_same_cohorts_and_states(rows, until, active, more):
    begin = dt.date(2022, 1, 1)
    table = lines(
        *(
            {
                "customer": c,
                "day": f"{begin + dt.timedelta(days=d)}",
                "amount": amount,
                "order": f"{c}{order}",
            }
            for c, d, amount, order in rows
        )
    )
    as_of, rule = day("2022-01-01") + until, BehaviourRule(active_days=active, dormant_days=active + more)
    for by in ("month", "quarter"):
        mine = cohorts.cohorts(table, as_of=as_of, by=by)
        mine = mine[mine["customers"] > 0][["cohort", "since", "customers", "gross"]]
        theirs = asked(table, COHORTS, as_of=as_of, by=by)
        assert mine.astype("int64").values.tolist() == theirs.values.tolist()
    mine = cohorts.monthly_states(table, as_of=as_of, rule=rule)
    theirs = asked(table, STATES, as_of=as_of, active=active, dormant=active + more)
    assert mine[["month", *cohorts.STATES]].astype("int64").values.tolist() == theirs.values.tolist()


def test_the_last_months_silent_customers_are_those_of_the_classes_by_fixed_days():
    chance = np.random.default_rng(7)
    rows = (
        {"customer": f"c{chance.integers(40)}", "day": f"{dt.date(2023, 1, 1) + dt.timedelta(days=int(d))}"}
        | {"amount": 5, "order": f"{n}"}
        for n, d in enumerate(chance.integers(0, 530, 150))
    )
    table = lines(*rows)
    last = cohorts.monthly_states(table, as_of=AS_OF, rule=RULE).iloc[-1]
    known = facts.facts(table, as_of=AS_OF)
    judged = classes.judged_behaviour(known, RULE)["behaviour_fixed"].value_counts()
    assert (last["dormant"], last["churned"]) == (judged["dormant"], judged["churned"])
    assert last["total"] == len(known)


def test_cohorts_side_by_side_show_only_what_is_over():
    table = cohorts.stayed(cohorts.cohorts(SEEN, as_of=AS_OF), by="month")
    # c began in April and had one whole month since; a and b had four, of which they bought in March alone
    assert table["cohort"].tolist() == ["2024-01 · 2", "2024-04 · 1"]
    assert table[["1", "2", "3", "4"]].fillna(-1).values.tolist() == [[0, 0.5, 0, 0], [0, -1, -1, -1]]
    assert cohorts.again(cohorts.cohorts(SEEN, as_of=AS_OF)) == {"share": 0, "before": 0, "customers": 1}
    months = cohorts.newest_months(cohorts.monthly_states(SEEN, as_of=AS_OF, rule=RULE))
    assert months["month"].tolist() == ["2024-01", "2024-02", "2024-03", "2024-04", "2024-05"]


def test_without_order_lines_nothing_is_shown_of_cohorts():
    none = cohorts.cohorts(lines(), as_of=AS_OF, by="quarter")
    assert cohorts.stayed(none, by="quarter").empty
    assert cohorts.again(none) is None
    assert cohorts.newest_months(cohorts.monthly_states(lines(), as_of=AS_OF, rule=RULE)).empty
