"""One function, five engines, one answer: equal bit for bit, and any other engine refused."""

import datetime as dt

import narwhals as nw
import numpy as np
import pandas as pd
import polars
import pytest
from builders import day, lines

from crmlib import tables
from crmlib.classification import cohorts, facts
from crmlib.errors import Refused
from crmlib.period import Period
from crmlib.rules import BehaviourRule

AS_OF = day("2024-12-31")


def typed() -> list[dict]:
    """Three years of forty customers: returns, gifts, strangers, fractions, gaps in what is known, later lines."""
    chance = np.random.default_rng(11)
    rows, whose = [], chance.integers(40, size=260)
    for n in range(600):
        order = int(chance.integers(260))
        amount = int(chance.integers(-900, 1500)) if n % 9 else 0
        rows.append(
            {
                "customer": None if n % 41 == 0 else f"c{whose[order]}",
                "day": f"{dt.date(2022, 1, 3) + dt.timedelta(days=order * 4 + n % 2)}",
                "order": f"{order}",
                "amount": amount,
                "quantity": float(chance.integers(1, 9)) / (3 if n % 5 == 0 else 1),
                "profit": None if n % 3 == 0 else amount // 4,
                "discount": [None, 0.0, 0.1, 0.35][int(chance.integers(4))],
                "product": [None, "tea", "cups", "pots"][int(chance.integers(4))],
                "product_group": [None, "food", "china"][int(chance.integers(3))],
            }
            | ({"known": False} if n % 37 == 0 else {})
        )
    return rows


@pytest.fixture(scope="module")
def table():
    return lines(*typed())


@pytest.fixture(scope="module")
def expected(table):
    return answers(tables.engine().from_arrow(table))


def answers(transactions) -> dict[str, pd.DataFrame]:
    """Everything that is asked of order lines here, as it goes on into the chain."""
    rule = BehaviourRule(active_days=40, dormant_days=75)
    return {
        "facts": facts.facts(transactions, as_of=AS_OF),
        "activity": facts.activity(transactions, Period.parse("2024-Q3")),
        "months": cohorts.cohorts(transactions, as_of=AS_OF),
        "quarters": cohorts.cohorts(transactions, as_of=AS_OF, by="quarter"),
        "states": cohorts.monthly_states(transactions, as_of=AS_OF, rule=rule),
    }


def same(found: dict[str, pd.DataFrame], expected: dict[str, pd.DataFrame]) -> None:
    for name, content in expected.items():
        pd.testing.assert_frame_equal(found[name], content, check_exact=True, obj=name)


def test_there_is_something_to_compare(expected):
    assert len(expected["facts"]) > 30
    assert expected["facts"].notna().any().all()
    assert (expected["activity"]["orders"] == 0).any()
    assert (expected["states"][list(cohorts.STATES)].sum() > 0).all()


@pytest.mark.parametrize(
    "as_engine",
    [
        polars.from_arrow,
        lambda table: polars.from_arrow(table).lazy(),
        lambda table: table.to_pandas(),
        lambda table: table,
        lambda table: tables.engine().from_arrow(table),
    ],
    ids=["polars", "polars-lazy", "pandas", "arrow", "duckdb"],
)
def test_an_engine_tells_the_same_to_the_last_bit(table, expected, as_engine):
    same(answers(as_engine(table)), expected)


@pytest.mark.slow
def test_spark_tells_the_same_to_the_last_bit(table, expected, spark):
    same(answers(spark.createDataFrame(table)), expected)


def test_an_engine_that_nobody_has_proved_is_refused_with_those_that_are():
    with pytest.raises(Refused) as refused:
        facts.facts([{"customer_id": "c1"}], as_of=AS_OF)
    assert str(refused.value) == (
        "Facts are not taken from a builtins list: its engine is not proved exact here. Exact are DuckDB relations, "
        "Polars frames (eager or lazy), pandas frames, PySpark DataFrames, Arrow tables. Convert it first, for "
        "instance with to_arrow(), to_pandas() or compute(), or write it to Parquet and read that with DuckDB."
    )


@pytest.mark.parametrize("name", ["DASK", "MODIN", "CUDF", "IBIS", "SQLFRAME", "PYSPARK_CONNECT", "UNKNOWN"])
def test_what_narwhals_speaks_beside_is_not_exact_here(name):
    assert nw.Implementation[name] not in facts.EXACT


def test_an_engine_that_narwhals_speaks_is_refused_all_the_same(monkeypatch, table):
    monkeypatch.delitem(facts.EXACT, nw.Implementation.POLARS)
    for asked in (
        lambda frame: facts.facts(frame, as_of=AS_OF),
        lambda frame: cohorts.cohorts(frame, as_of=AS_OF),
        lambda frame: cohorts.monthly_states(frame, as_of=AS_OF, rule=BehaviourRule()),
    ):
        with pytest.raises(Refused, match="not taken from a polars DataFrame"):
            asked(polars.from_arrow(table))
