"""What must not matter does not, and what must scale does: one small delivery, told in other ways."""

import datetime as dt

import builders
import pandas as pd
import pytest
from builders import made, text

from crmlib import tables
from crmlib.analysis import kpis
from crmlib.classification import classes, cohorts, facts, rfm
from crmlib.cleaning import delivery as cleaning
from crmlib.collection import sources
from crmlib.period import Period, day_number, day_of
from crmlib.rules import BehaviourRule

HEADER = "order,customer,day,pieces,price,off"
CONFIG = builders.CONFIG.replace("price: price", "price: price, discount: off")
AS_OF = dt.date(2024, 12, 31)
OFF = ("", "0", "0.1", "15%")


def delivery() -> pd.DataFrame:
    """Forty customers with one to eight orders over two years, returns, gifts, a stranger, and dirt."""
    rows = []
    for n in range(1, 41):
        for k in range(n % 8 + 1):
            date = dt.date(2023, 1, 5) + dt.timedelta(days=(37 * n + 61 * k) % 720)
            rows.append(f"A{n}-{k},c{n},{date},{k % 3 + 1},{3 * n + k}.50,{OFF[(n + k) % 4]}")
        if n % 6 == 0:
            rows.append(f"TH{n},c{n},2024-11-{n % 28 + 1:02d},-1,{3 * n}.50,")
    rows += [
        "G1,c1,2024-10-10,1,0,",
        "X1,,2024-10-11,1,99,0.1",
        "D1,c2,2024-02-30,1,5,",
        "S1,c3,2024-10-12,-4,0,",
        rows[0],
    ]
    return text(HEADER, *rows)


def cleaned(client, table: pd.DataFrame, *, as_of: dt.date = AS_OF, collected=None):
    """The delivery's order lines after cleaning."""
    collected = collected or {"transactions": sources.from_text("transactions", table)}
    found = cleaning.cleaned(collected, client, delivered_on=as_of + dt.timedelta(days=6))
    cleaning.account(found, collected)
    return found["transactions"].kept


def flow(home, table: pd.DataFrame, *, as_of: dt.date = AS_OF) -> list[pd.DataFrame]:
    """Cohorts by month and by quarter, and the states of every month."""
    orders, last = cleaned(made(home, CONFIG, files={}), table, as_of=as_of), day_number(as_of)
    states = cohorts.monthly_states(orders, as_of=last, rule=BehaviourRule())
    return [*(cohorts.cohorts(orders, as_of=last, by=by) for by in ("month", "quarter")), states]


def story(
    home, table: pd.DataFrame, *, as_of: dt.date = AS_OF, name: str = "acme", client=None, collected=None
):
    """Facts, classes and figures of the ninety-two days up to as_of."""
    client = client or made(home, CONFIG, files={}, name=name)
    orders = cleaned(client, table, as_of=as_of, collected=collected)
    span = Period.days(as_of - dt.timedelta(days=91), as_of)
    known = facts.facts(orders, as_of=span.day_range[1])
    rules = client.classes
    judged = classes.classes(known, rfm.rfm(known, rules.rfm), None, rules, decimals=client.decimals)
    now, before = (facts.activity(orders, part) for part in (span, span.previous()))
    figures = kpis.sales(orders, span) | kpis.customers(known, now, before, span) | kpis.rfm(known)
    figures |= kpis.orders(orders, span)
    return known, judged, {id: parts["value"] for id, parts in figures.items()}


MONEY = {
    "sales.all",
    "sales.identified",
    "sales.unidentified",
    "sales.returns",
    "sales.returns.identified",
    "sales.net",
}
MONEY |= {"sales.abnormal", "sales.all.without_abnormal", "orders.mean", "rfm.monetary.mean"}


NOT_TOLD = ["profit", "products", "product_groups"]  # the delivery has no such columns


@pytest.fixture
def plain(home):
    return story(home, delivery())


def test_the_delivery_has_something_of_everything(plain):
    known, judged, figures = plain
    assert len(known) == 40
    assert figures["sales.returns"] < 0 < figures["sales.unidentified"]
    assert set(judged["tier"]) == {"high", "medium", "low"}
    assert set(judged["behaviour"]) == {"active", "dormant", "churned"}
    assert 0 < figures["retention.rate"] < 1
    assert known.drop(columns=NOT_TOLD).notna().any().all()
    assert known["discount_share"].between(0.1, 0.9).any()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_rows_in_another_order_tell_the_same(home, plain, seed):
    known, judged, figures = story(home, delivery().sample(frac=1, random_state=seed, ignore_index=True))
    pd.testing.assert_frame_equal(known, plain[0])
    pd.testing.assert_frame_equal(judged, plain[1])
    assert figures == plain[2]


def test_columns_in_another_order_tell_the_same(home, plain):
    known, _, figures = story(home, delivery()[["price", "day", "off", "customer", "pieces", "order"]])
    pd.testing.assert_frame_equal(known, plain[0])
    assert figures == plain[2]


def test_a_file_delivered_twice_tells_the_same(home, plain):
    raw = delivery().to_csv(index=False)
    config = CONFIG.replace("[orders.csv]", '["*.csv"]').replace("2025-01-06", "2025-01-06")
    client = made(home, config, {"orders.csv": raw, "copy of orders.csv": raw}, name="twice")
    known, judged, figures = story(home, None, client=client, collected=sources.delivery(client))
    pd.testing.assert_frame_equal(known, plain[0])
    pd.testing.assert_frame_equal(judged, plain[1])
    assert figures == plain[2]


def test_every_row_delivered_twice_tells_the_same(home, plain):
    once = delivery()
    known, _, figures = story(home, pd.concat([once, once], ignore_index=True))
    pd.testing.assert_frame_equal(known, plain[0])
    assert figures == plain[2]


def test_prices_a_hundredfold_are_totals_a_hundredfold_and_the_same_classes(home, plain):
    dear = delivery()
    dear["price"] = [str(round(float(price) * 100)) for price in dear["price"]]
    known, judged, figures = story(home, dear)
    pd.testing.assert_frame_equal(judged, plain[1])
    for column in ("gross", "returned", "net"):
        assert known[column].tolist() == [100 * amount for amount in plain[0][column]]
    for id, value in plain[2].items():
        assert figures[id] == (pytest.approx(100 * value) if id in MONEY else value), id


@pytest.mark.parametrize("days", [7, -7, 364])
def test_everything_some_weeks_later_tells_the_same(home, plain, days):
    moved = delivery()
    shifted = pd.to_datetime(moved["day"], errors="coerce") + pd.Timedelta(days=days)
    moved["day"] = shifted.dt.strftime("%Y-%m-%d").fillna("2024-02-30")
    known, judged, figures = story(home, moved, as_of=AS_OF + dt.timedelta(days=days))
    pd.testing.assert_frame_equal(judged, plain[1])
    # The strongest quarter is one of the calendar: a year that begins elsewhere has others.
    dated = ["first_day", "last_day", "peak_quarter_share"]
    pd.testing.assert_frame_equal(known.drop(columns=dated), plain[0].drop(columns=dated))
    assert day_of(known["last_day"].max() - days) == day_of(plain[0]["last_day"].max())
    assert figures == plain[2]


def test_customers_under_other_numbers_are_the_same_customers(home, plain):
    renamed = delivery()
    # reversed, so that the order of numbers turns round
    renamed["customer"] = [f"z{99 - int(id[1:]):03d}" if id else "" for id in renamed["customer"]]
    known, judged, figures = story(home, renamed)
    name = {f"c{n}": f"z{99 - n:03d}" for n in range(1, 41)}
    for mine, theirs in ((known, plain[0]), (judged, plain[1])):
        mapped = theirs.assign(customer_id=theirs["customer_id"].map(name))
        mapped = mapped.sort_values("customer_id", ignore_index=True)
        pd.testing.assert_frame_equal(mine, mapped, check_dtype=False)
    assert figures == plain[2]


def test_a_client_split_in_two_adds_up_to_the_whole(home, plain):
    whole = delivery()
    odd = whole["customer"].str[1:].map(lambda digits: bool(digits) and int(digits) % 2 == 1)
    parts = [
        story(home, part.reset_index(drop=True), name=name)[2]
        for part, name in ((whole[odd], "a"), (whole[~odd], "b"))
    ]
    for id in (
        "sales.all",
        "sales.identified",
        "sales.returns",
        "sales.net",
        "customers.active",
        "customers.total",
        "orders.count",
    ):
        assert parts[0][id] + parts[1][id] == plain[2][id], id


def test_a_client_split_in_two_and_united_tells_the_same_of_each_customer(home, plain):
    whole = delivery()
    odd = whole["customer"].str[1:].map(lambda digits: bool(digits) and int(digits) % 2 == 1)
    parts = [
        story(home, part.reset_index(drop=True), name=name)[0]
        for part, name in ((whole[odd], "a"), (whole[~odd], "b"))
    ]
    united = pd.concat(parts).sort_values("customer_id", ignore_index=True)
    pd.testing.assert_frame_equal(united, plain[0], check_exact=True)


@pytest.fixture
def flows(home):
    return flow(home, delivery())


def test_cohorts_and_states_know_no_order_of_rows_no_copies_and_no_names(home, flows):
    mixed = delivery().sample(frac=1, random_state=4, ignore_index=True)
    twice = pd.concat([delivery(), delivery()], ignore_index=True)
    renamed = delivery()
    renamed["customer"] = [f"z{99 - int(id[1:]):03d}" if id else "" for id in renamed["customer"]]
    assert all(len(table) > 8 for table in flows)
    for table in (mixed, twice, renamed):
        for mine, theirs in zip(flow(home, table), flows, strict=True):
            pd.testing.assert_frame_equal(mine, theirs, check_exact=True)


def test_cohorts_hundredfold_and_states_the_same_where_prices_are_hundredfold(home, flows):
    dear = delivery()
    dear["price"] = [str(round(float(price) * 100)) for price in dear["price"]]
    *mine, states = flow(home, dear)
    pd.testing.assert_frame_equal(states, flows[2])
    for found, was in zip(mine, flows[:2], strict=True):
        pd.testing.assert_frame_equal(found, was.assign(gross=was["gross"] * 100))


def test_four_years_later_cohorts_and_states_are_the_same_four_years_later(home, flows):
    # 1,461 days are four whole years: months and quarters fall alike
    moved = delivery()
    shifted = pd.to_datetime(moved["day"], errors="coerce") + pd.Timedelta(days=1461)
    moved["day"] = shifted.dt.strftime("%Y-%m-%d").fillna("2024-02-30")
    later = flow(home, moved, as_of=AS_OF + dt.timedelta(days=1461))
    for mine, theirs, month in zip(later, flows, ("cohort", "cohort", "month"), strict=True):
        pd.testing.assert_frame_equal(mine.assign(**{month: mine[month] - 48}), theirs)


def test_cohorts_and_states_of_a_client_split_in_two_add_up(home, flows):
    whole = delivery()
    odd = whole["customer"].str[1:].map(lambda digits: bool(digits) and int(digits) % 2 == 1)
    parts = [flow(home, part.reset_index(drop=True)) for part in (whole[odd], whole[~odd])]
    for one, other, all_, keys in zip(*parts, flows, (["cohort", "since"],) * 2 + (["month"],), strict=True):
        counts = [c for c in all_ if c not in (*keys, "share", "complete")]
        added = pd.concat([one, other]).groupby(keys, as_index=False)[counts].sum()
        pd.testing.assert_frame_equal(added, all_[[*keys, *counts]])


def test_the_same_input_gives_the_same_bytes(home, tmp_path):
    written = []
    for name in ("one", "two"):
        known, judged, _ = story(home, delivery())
        tables.write(known, tmp_path / name, tables.FACTS)
        tables.write(judged, tmp_path / name, tables.CLASSES)
        written.append([path.read_bytes() for path in sorted((tmp_path / name).iterdir())])
    assert written[0] == written[1]
