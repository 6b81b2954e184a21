"""What customers will be worth: lives played out, money kept, refusals, and the backtest's own rules."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from builders import day, lines
from lives import lives

from crmlib.analysis import backtest, bgnbd, prediction, purchases, value, value_told
from crmlib.outlook import Outlook

RULE = Outlook()


@pytest.fixture(scope="module")
def people():
    return lives(3_000, seed=11)


@pytest.fixture(scope="module")
def model(people):
    return prediction.model(people, RULE, decimals=2)


def test_orders_of_one_day_are_one_purchase_and_a_return_is_none():
    table = lines(
        {"customer": "c1", "day": "2024-01-01", "amount": 1000, "order": "A"},
        {"customer": "c1", "day": "2024-01-01", "amount": 200, "order": "B"},
        {"customer": "c1", "day": "2024-01-11", "amount": 300},
        {"customer": "c1", "day": "2024-01-20", "amount": -300, "order": "R"},
        {"customer": "c1", "day": "2024-03-01", "amount": 900},
        {"customer": "c2", "day": "2024-01-05", "amount": 700},
        {"customer": None, "day": "2024-01-05", "amount": 50},
    )
    found = purchases.purchases(table, as_of=day("2024-01-31"))
    # c1: first day 1,200, then 300 ten days later; the third day lies after as_of
    assert found.values.tolist() == [
        ["c1", day("2024-01-01"), 1, 10, 30, 1200, 300],
        ["c2", day("2024-01-05"), 0, 0, 26, 700, 0],
    ]
    assert purchases.daily(table, as_of=day("2024-03-31"), first_by=day("2024-01-01")).values.tolist() == [
        [day("2024-01-11"), 1],
        [day("2024-03-01"), 1],
    ]


def test_what_is_played_out_comes_to_what_is_expected(model, people):
    groups = backtest.classed(people).to_frame()
    play = prediction.played(model, people, groups, days=365, decimals=2)
    mean = play.counts["orders_so_far"].mean(axis=1).sum()
    expected = prediction.expected(model, people, days=365)
    # plays draw parameters too, so their mean lies a little off the expectation at the best ones
    assert mean == pytest.approx(expected.sum(), rel=0.03)
    sales = expected * prediction.spend(model, people, decimals=2)
    assert play.sums["orders_so_far"].mean(axis=1).sum() == pytest.approx(sales.sum(), rel=0.04)


def test_intervals_of_what_comes_hold_nine_times_in_ten():
    # 24 clients by 5 classes, in purchases and in sales: 240 intervals. If each held with .9, a share of so many,
    # dependent within a client, would lie within .84 and .96; bench/value.py asks 120 clients.
    inside = []
    for seed in range(24):
        client = lives(700, seed=100 + seed)
        fitted = prediction.model(client, RULE, decimals=2)
        groups = backtest.classed(client).to_frame()
        play = prediction.played(fitted, client, groups, days=273, decimals=2, seed=seed)
        for what, of in (("came", "counts"), ("sales_came", "sums")):
            truth = client.groupby(groups["orders_so_far"])[what].sum()
            span = play.interval("orders_so_far", of=of).loc[truth.index]
            inside += ((span["low"] <= truth) & (truth <= span["high"])).tolist()
    assert len(inside) == 240
    assert 0.84 <= np.mean(inside) <= 0.96


def test_money_of_a_later_day_counts_less_and_without_a_discount_all_counts(model, people):
    plain = prediction.discounted(model, people, Outlook(discount=0))
    assert plain == pytest.approx(prediction.expected(model, people, days=365))
    later = prediction.discounted(model, people, Outlook(discount=0.1))
    # between the discount of today and that of the horizon's last day
    assert (later < plain).all()
    assert (later > plain / 1.1).all()
    # by its definition, month by month: what is bought in each at the discount of its middle
    edges = np.linspace(0, 365, 366)
    bought = np.array([prediction.expected(model, people.head(40), days=d).sum() if d else 0 for d in edges])
    middle = np.exp(-np.log(1.1) / 365.25 * (edges[1:] + edges[:-1]) / 2)
    assert later[:40].sum() == pytest.approx((np.diff(bought) * middle).sum(), rel=1e-6)


def test_value_by_class_adds_up_and_profit_is_its_margin(model, people):
    classes = pd.DataFrame(
        {
            "customer_id": people["customer_id"],
            "tier": np.where(people["repeats"] > 2, "high", "low"),
            "lifetime_value": pd.array([pd.NA] * len(people), dtype="Int64"),
        }
    )
    found = value.worth(model, people, classes[["customer_id", "tier"]], RULE, decimals=2, margin=0.25)
    table = value.by_class(found, classes, "tier", ("high", "medium", "low"))
    assert table["tier"].tolist() == ["high", "low"]
    assert table["predicted"].sum() == pytest.approx(found.table["predicted"].sum())
    assert table["so_far"].sum() == (people["first_spend"] + people["repeat_spend"]).sum()
    assert table["predicted_profit"].sum() == pytest.approx(table["predicted"].sum() / 4)
    assert table["lifetime_value"].isna().all()
    assert (
        (table["predicted_low"] < table["predicted"]) & (table["predicted"] < table["predicted_high"])
    ).all()
    assert (
        value.worth(model, people, classes[["customer_id"]], RULE, decimals=2)
        .table["predicted_profit"]
        .isna()
        .all()
    )


def test_the_order_of_rows_decides_nothing(people):
    mixed = people.sample(frac=1, random_state=3).reset_index(drop=True)
    one, other = (prediction.model(rows, RULE, decimals=2) for rows in (people, mixed))
    assert other.buying.values == pytest.approx(one.buying.values, rel=1e-9)
    back = pd.Series(prediction.expected(other, mixed, days=90), index=mixed["customer_id"])
    assert back[people["customer_id"]].to_numpy() == pytest.approx(prediction.expected(one, people, days=90))


def test_customers_of_another_kind_spend_by_a_distribution_of_their_own():
    small = lives(1_500, seed=1, buying=(1, 4, 0.5, 3)).assign(kind="personal")
    large = lives(1_500, seed=2, buying=(1, 4, 0.5, 3), amounts=(6.25, 3.74, 1544.0)).assign(
        kind="enterprise"
    )
    both = pd.concat([small, large], ignore_index=True)
    found = prediction.model(both, RULE, decimals=2)
    assert {"personal", "enterprise"} <= set(found.kinds)
    once = both[both["repeats"] == 0]
    each = pd.Series(prediction.spend(found, once, decimals=2)).groupby(once["kind"].to_numpy()).first()
    # what is expected of one-time buyers is the mean order of each kind: p·gamma ÷ (q − 1) = 35.2, and a hundred times that
    assert each["personal"] == pytest.approx(3_520, rel=0.1)
    assert each["enterprise"] == pytest.approx(352_000, rel=0.1)


def refused(people, why):
    found = prediction.model(people, RULE, decimals=2)
    assert (found.why, found.values_too) == (why, False)
    empty = value.worth(found, people, pd.DataFrame({"customer_id": []}), RULE, decimals=2)
    assert empty.table.empty
    assert value.habits(found, decimals=2).empty
    assert {figure["value"] for figure in value.figures(empty, found.why).values()} == {None}
    assert all(figure["why"] for figure in value.fitted(found).values() if figure["value"] is None)


def test_few_customers_tell_no_rhythm():
    refused(lives(90, seed=1), "few_customers")


def test_many_customers_of_whom_few_came_again_tell_none_either():
    once = lives(500, seed=1).assign(repeats=0, active_days=0, repeat_spend=0)
    again = once.assign(repeats=np.where(once.index < 20, 1, 0), active_days=np.where(once.index < 20, 9, 0))
    refused(again, "few_customers")


def test_one_time_buyers_alone_are_not_estimable():
    refused(lives(500, seed=1).assign(repeats=0, active_days=0, repeat_spend=0), "all_one_time")


def test_a_client_without_order_lines_is_not_supplied():
    refused(None, "no_order_lines")


def test_purchases_are_told_where_amounts_are_not():
    free = lives(3_000, seed=11).assign(repeat_spend=0)
    found = prediction.model(free, RULE, decimals=2)
    assert (found.why, found.spending.why, found.values_too) == ("", "no_repeat_spend", False)
    assert prediction.expected(found, free, days=30).sum() > 0


def test_where_chances_to_leave_do_not_differ_one_is_taken_for_all_and_said():
    # everybody leaves with chance .05 after a purchase
    alike = lives(4_000, seed=6, buying=(1.2, 3.0, 5e5, 9.5e6), won=30)
    found = prediction.model(alike, RULE, decimals=2)
    assert (found.full.why, found.leaving) == ("weakly_identified", "one")
    low, high = found.buying.interval("odds")
    assert low < 0.05 / 0.95 < high
    told = value_told.rhythm(found)
    assert told["apart"] is False
    assert told["leaving_low"] < 0.05 < told["leaving_high"]
    assert value.fitted(found)["value.bgnbd.a"]["value"] is None
    assert value.fitted(found)["value.buying.odds"]["value"] == pytest.approx(0.0526, rel=0.2)


def test_where_nobody_leaves_everybody_is_still_there():
    steady = lives(800, seed=6, buying=(8.0, 8.0, 1e-9, 1e9), won=30)
    found = prediction.model(steady, RULE, decimals=2)
    assert found.leaving in ("one", "none")
    assert prediction.alive(found, steady)[steady["repeats"] > 5].mean() > 0.95
    assert prediction.expected(found, steady, days=70).sum() == pytest.approx(800 * 10, rel=0.1)


def test_a_correction_is_chosen_only_if_it_came_nearer_on_every_stretch():
    def chosen(*ratios):
        return backtest.correction(pd.DataFrame({"ratio": ratios}))

    assert chosen(0.8, 0.8, 0.8, 0.8) == pytest.approx(0.8)
    # each nearer to the one before than to 1
    assert chosen(1.1, 1.2, 1.3, 1.4) == pytest.approx(1.4)
    # one stretch on the other side is enough to leave the model as it is
    assert chosen(0.8, 0.8, 1.1, 0.8) == 1
    assert chosen(1.0, 1.0, 1.0, 1.0) == 1
    assert chosen(0.8, 0.8) == 1
    assert chosen(0.8, np.nan, 0.8, 0.8) == 1


def test_a_correction_that_the_hold_out_does_not_bear_out_is_not_used():
    test = backtest._nothing(100, "")
    for correction, foreseen, came, expected in (
        (0.8, 100, 82, 0.8),
        (0.8, 100, 98, 1.0),
        (1.0, 100, 50, 1.0),
    ):
        told = backtest.Backtest(
            **vars(test) | {"correction": correction, "totals": {"foreseen": foreseen, "came": came}}
        )
        assert value.used(told) == expected


def orders_of(client: pd.DataFrame, first: str):
    """Order lines of a few customers who buy every ten days, and a share who stop."""
    rows = []
    for number, row in client.iterrows():
        for turn in range(int(row["turns"])):
            date = pd.Timestamp(first) + pd.Timedelta(
                days=int(row["start"] + 10 * turn + (number + turn) % 7)
            )
            rows.append(
                {"customer": f"c{number}", "day": date.date().isoformat(), "amount": 1000 + 10 * number % 700}
            )
    return lines(*rows)


@pytest.fixture(scope="module")
def bought():
    rng = np.random.default_rng(2)
    client = pd.DataFrame({"start": rng.integers(0, 60, 150), "turns": rng.geometric(0.06, 150).clip(max=30)})
    return orders_of(client, "2023-01-01")


def test_the_backtest_counts_what_really_came(bought):
    as_of = day("2023-12-31")
    people = purchases.purchases(bought, as_of=as_of)
    test = backtest.backtest(bought, people, as_of=as_of, rule=RULE, decimals=2)
    frame = bought.to_pandas()
    first = frame.groupby("customer_id")["order_day"].transform("min")
    later = frame[(first <= test.cut) & (frame["order_day"] > test.cut) & (frame["order_day"] <= as_of)]
    assert test.why == ""
    assert test.cut == as_of - (as_of - frame["order_day"].min() + 1) // 2
    assert (
        test.totals["came"]
        == test.table["came"].sum()
        == len(later.drop_duplicates(["customer_id", "order_day"]))
    )
    assert test.totals["sales_came"] == test.table["sales_came"].sum() == later["amount"].sum()
    assert (
        test.track["came"].iloc[-1]
        == (frame[first <= test.cut]["order_day"] > first[first <= test.cut]).sum()
    )
    assert test.track.loc[test.track["day"] == test.cut, "came"].tolist() == [people_at(bought, test.cut)]


def people_at(bought, cut):
    return purchases.purchases(bought, as_of=cut)["repeats"].sum()


def test_what_comes_after_the_cut_changes_nothing_that_was_said_at_it(bought):
    as_of = day("2023-12-31")
    people = purchases.purchases(bought, as_of=as_of)
    test = backtest.backtest(bought, people, as_of=as_of, rule=RULE, decimals=2)
    frame = bought.to_pandas()
    # Later days are thinned out by half; the first and the last stay, so that the cut does.
    keep = (
        (frame["order_day"] <= test.cut)
        | (frame["order_day"] % 2 == 0)
        | (frame["order_day"] == frame["order_day"].max())
    )
    fewer = bought.filter(keep.to_numpy())
    other = backtest.backtest(
        fewer, purchases.purchases(fewer, as_of=as_of), as_of=as_of, rule=RULE, decimals=2
    )
    assert other.totals["came"] < test.totals["came"]
    assert other.totals["foreseen"] == test.totals["foreseen"]
    assert other.correction == test.correction
    pd.testing.assert_frame_equal(other.folds, test.folds)
    assert other.table["foreseen_low"].tolist() == test.table["foreseen_low"].tolist()


def test_the_middle_of_a_short_history_is_the_cut_and_of_a_long_one_the_horizon():
    # CDNOW as of 1998-06-30: 39 weeks are seen, 39 are foretold, as published
    assert backtest.cut_of(day("1997-01-01"), day("1998-06-30"), RULE) == day("1997-09-30")
    assert backtest.cut_of(day("2015-01-01"), day("2024-12-31"), RULE) == day("2024-01-01")


def test_p_alive_falls_with_silence_the_sooner_the_busier():
    parameters = np.array([0.243, 4.414, 0.793, 2.426])
    silent = bgnbd.alive(parameters, np.array([3, 3, 12]), np.array([20.0, 38, 20]), np.full(3, 39.0))
    assert silent[1] > silent[0] > silent[2]


def test_a_habit_that_the_data_hardly_bound_is_no_habit(model):
    # A small Olist was once told that its middle customer buys every 10^27 days.
    buying = model.buying
    logs = np.vstack([buying.draws, buying.draws])
    logs[: len(buying.draws), 0] -= 5  # half of the sets of parameters know next to nobody who buys
    loose = dataclasses.replace(model, buying=dataclasses.replace(buying, draws=logs))
    assert not set(value.habits(loose, decimals=2)["fact"]) & {"gap_middle", "gap_busiest"}
    told = value_told.rhythm(loose)
    assert (told["apart"], told["why"]) == (None, "weakly_identified")
    assert value_told.rhythm(model)["why"] == "nothing"
