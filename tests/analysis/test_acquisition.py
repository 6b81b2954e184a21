"""What it costs to win a customer: by hand, by a published table, and what cannot be told."""

import builders
import numpy as np
import pandas as pd
import pytest
from builders import day
from scipy import stats

from crmlib import tables
from crmlib.analysis import acquisition
from crmlib.classification import facts
from crmlib.period import Period

Q4, Q3 = Period.parse("2024-Q4"), Period.parse("2024-Q3")


def costs(*rows: tuple) -> pd.DataFrame:
    """Costs from (day or None, channel, amount), of winning unless a kind follows."""
    full = [
        dict.fromkeys(tables.COSTS.schema.names)
        | {"known": False, "cost_day": None if on is None else day(on), "channel": channel, "amount": amount}
        | {"kind": kind[0] if kind else "acquisition"}
        for on, channel, amount, *kind in rows
    ]
    return tables.conform(pd.DataFrame(full, columns=tables.COSTS.schema.names), tables.COSTS).to_pandas()


def won(*rows: tuple[str, str, int]) -> pd.DataFrame:
    """Customers won from (day, channel, how many)."""
    people = [(day(on), channel) for on, channel, count in rows for _ in range(count)]
    table = pd.DataFrame(people, columns=["first_day", "channel"])
    return table.assign(customer_id=[f"c{n}" for n in range(len(table))])


def test_the_cost_of_a_period_is_divided_by_those_who_were_new_in_it():
    spent = costs(
        ("2024-10-01", "ads", 700),
        ("2024-12-31", "fair", 500),
        ("2024-09-30", "ads", 9999),  # the day before
        ("2025-01-01", "ads", 9999),  # the day after
        ("2024-11-01", "ads", 9999, "serve"),
        ("2024-11-01", "ads", 9999, "rent"),
    )
    came = won(("2024-10-01", "shop", 11), ("2024-12-31", "web", 1), ("2024-09-30", "web", 5))
    told = acquisition.figures(spent, came, Q4)
    assert told["acquisition.amount"] == {"value": 1200, "n": 2}
    assert (told["cac.amount"]["value"], told["cac.amount"]["n"]) == (100, 12)


def test_the_interval_is_garwoods():
    # Pearson and Hartley (1966), Biometrika Tables for Statisticians I, table 40: for a count of 10 the 90 % limits
    # of its expectation are 5.43 and 16.96, for 20 they are 13.25 and 29.06.
    for count, low, high in ((10, 5.43, 16.96), (20, 13.25, 29.06)):
        told = acquisition.each(1_000_000, count)
        assert told["low"] == pytest.approx(1_000_000 / high, rel=1e-3)
        assert told["high"] == pytest.approx(1_000_000 / low, rel=1e-3)


def test_the_interval_covers_at_every_number_that_it_is_told_for():
    rng = np.random.default_rng(5)
    for expected in (15, 30, 100):
        counts = rng.poisson(expected, 2000)
        told = [acquisition.each(9000, int(count)) for count in counts if count >= acquisition.ENOUGH]
        held = [part["low"] <= 9000 / expected <= part["high"] for part in told]
        assert np.mean(held) >= 0.87


def test_few_new_customers_are_too_few_and_none_is_none():
    spent = costs(("2024-10-01", "ads", 700))
    for count, why in ((9, "too few"), (1, "too few"), (0, "nobody was won in the period")):
        told = acquisition.figures(spent, won(("2024-10-05", "shop", count)), Q4)["cac.amount"]
        assert told == {"value": None, "n": count, "why": why}


@pytest.mark.parametrize(
    ("spent", "came", "why"),
    [
        (None, won(("2024-10-05", "shop", 50)), "not supplied"),
        (costs(), won(("2024-10-05", "shop", 50)), "no such cost in the period"),
        (costs((None, "ads", 5)), won(("2024-10-05", "shop", 50)), "the costs name no day"),
        (costs(("2024-10-01", "ads", 5, "rent")), won(), "no such cost in the period"),
        (costs(("2024-10-01", "ads", 5)), None, "no order lines"),
    ],
)
def test_what_is_missing_is_told_and_is_never_nothing(spent, came, why):
    told = acquisition.figures(spent, came, Q4)
    assert (told["cac.amount"]["value"], told["cac.amount"]["why"]) == (None, why)
    assert acquisition.over_time(None, came, Q4).empty
    assert acquisition.dearer(told, told)["apart"] is None


def test_by_channel_only_where_customers_come_through_the_channels_of_costs():
    came = won(("2024-10-05", "shop", 20), ("2024-10-05", "web", 4), ("2024-10-05", "agent", 30))
    alike = costs(("2024-10-01", "shop", 4000), ("2024-10-01", "web", 400), ("2024-07-01", "shop", 2000))
    told = acquisition.figures(alike, came, Q4)
    assert told["cac.amount.shop"]["value"] == 200
    assert told["cac.amount.web"] == {"value": None, "n": 4, "why": "too few"}
    table = acquisition.channels(alike, came, Q4).set_index("channel")
    assert table.loc["shop", ["amount", "amount_before", "change", "won", "cost_each"]].tolist() == [
        *(4000, 2000, 1.0, 20, 200.0)
    ]
    assert table["share"].tolist() == [4000 / 4400, 400 / 4400]
    apart = costs(("2024-10-01", "shop", 4000), ("2024-10-01", "WeChat", 400))
    told = acquisition.figures(apart, came, Q4)
    assert told["acquisition.amount.shop"]["value"] == 4000
    assert told["cac.amount.shop"]["why"] == "the channels of costs are not those of orders"
    assert "won" not in acquisition.channels(apart, came, Q4)
    nameless = costs(("2024-10-01", None, 10), ("2024-10-01", "shop", 20))
    assert acquisition.channels(nameless, came, Q4)["channel"].tolist() == ["shop", "unknown"]
    assert "won" not in acquisition.channels(nameless, came, Q4)


def test_a_channel_that_cost_only_in_the_previous_period_keeps_its_row():
    spent = costs(("2024-10-01", "ads", 300), ("2024-07-01", "fair", 200))
    table = acquisition.channels(spent, None, Q4)
    assert table[["channel", "amount", "amount_before"]].fillna(0).values.tolist() == [
        ["ads", 300, 0],
        ["fair", 0, 200],
    ]
    assert acquisition.largest(table) == {"names": ["ads"], "share": 1.0, "money": 300, "channels": 1}
    nameless = acquisition.channels(costs(("2024-10-01", None, 300)), None, Q4)
    assert acquisition.largest(nameless)["channels"] == 0


def test_over_time_the_first_period_of_the_data_is_left_out_for_everyone_in_it_seems_new():
    spent = costs(*((f"2024-{month:02}-01", "ads", 1000) for month in range(1, 13)))
    came = won(("2024-02-15", "shop", 90), ("2024-05-01", "shop", 30), ("2024-08-01", "shop", 15))
    table = acquisition.over_time(spent, came, Q4)
    assert table[["period", "amount", "won"]].values.tolist() == [
        ["2024-Q2", 3000, 30],
        ["2024-Q3", 3000, 15],
        ["2024-Q4", 3000, 0],
    ]
    assert table["cost_each"].tolist()[:2] == [100, 200]
    assert pd.isna(table["cost_each"].iloc[2])


@pytest.mark.parametrize(
    ("now", "then", "apart"), [((6000, 20), (3000, 60), True), ((3100, 60), (3000, 60), False)]
)
def test_dearer_is_told_apart_from_chance(now, then, apart):
    spent = costs(("2024-10-01", "ads", now[0]), ("2024-07-01", "ads", then[0]))
    came = won(("2024-10-05", "shop", now[1]), ("2024-07-05", "shop", then[1]))
    told = acquisition.dearer(*(acquisition.figures(spent, came, part) for part in (Q4, Q3)))
    assert (told["grew"], told["apart"]) == (True, apart)
    assert told["size"] == pytest.approx((now[0] / now[1]) / (then[0] / then[1]) - 1)
    # by hand: if one cost as much in both, 20 of 80 would have come for two thirds of the money
    assert (stats.binom.cdf(now[1], now[1] + then[1], now[0] / (now[0] + then[0])) < 0.05) is np.bool_(apart)


def test_customers_are_won_through_the_channel_of_their_first_day():
    lines = builders.lines(
        {"customer": "a", "day": "2024-10-01", "amount": 5, "channel": "shop"},
        {"customer": "a", "day": "2024-11-01", "amount": 5, "channel": "web"},
        {"customer": "b", "day": "2024-10-02", "amount": 5, "channel": "shop"},
        {"customer": "b", "day": "2024-10-02", "amount": 5, "channel": "web"},
        {"customer": None, "day": "2024-10-02", "amount": 5, "channel": "web"},
    )
    table = acquisition.won(facts.facts(lines, as_of=day("2024-12-31")), lines)
    assert table["customer_id"].tolist() == ["a", "b"]
    assert table["first_day"].tolist() == [day("2024-10-01"), day("2024-10-02")]
    assert table["channel"].fillna("-").tolist() == ["shop", "-"]
