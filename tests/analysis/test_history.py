"""A KPI over time, against sums by hand over the order lines."""

import datetime as dt
import random

import builders
import pytest

from crmlib import tables
from crmlib.analysis import history, kpis, satisfaction
from crmlib.classification import classes, facts
from crmlib.cleaning import delivery as cleaning
from crmlib.collection import sources
from crmlib.period import Period


@pytest.fixture
def client(home):
    """Three quarters of 2024; c1 buys in each, c2 in the first and third, c3 in the third."""
    orders = [
        *[("A1", "c1", "2024-01-10", "100"), ("A2", "c2", "2024-02-10", "50")],
        *[("A3", "c1", "2024-05-10", "110")],
        *[
            ("A4", "c1", "2024-08-10", "120"),
            ("A5", "c2", "2024-08-11", "60"),
            ("A6", "c3", "2024-09-11", "7"),
        ],
    ]
    rows = "".join(f"{','.join(row[:3])},1,{row[3]}\n" for row in orders)
    client = builders.made(home, files={"orders.csv": "order,customer,day,pieces,price\n" + rows})
    delivery = sources.delivery(client)
    sources.write(client, delivery)
    found = cleaning.cleaned(delivery, client, delivered_on=sources.delivered_on(client))
    cleaning.write(found, delivery, client)
    return client


def test_each_period_has_its_own_value_and_nothing_later_is_seen(client):
    found = history.history(client, Period.parse("2024-Q3"))
    assert [value for *_, value in found["sales.identified"]] == [110, 187]
    # The first quarter begins before the data, on the tenth of January: it may not be whole.
    assert [first for first, *_ in found["sales.identified"]] == [dt.date(2024, 4, 1), dt.date(2024, 7, 1)]


def test_what_takes_the_period_before_is_told_only_where_that_is_whole(client):
    found = history.history(client, Period.parse("2024-Q3"))
    assert [(last, value) for _, last, value in found["retention.rate"]] == [(dt.date(2024, 9, 30), 1.0)]
    assert [value for *_, value in found["customers.new"]] == [1]
    # Who began before the data does is not known: without a year of it nothing is compared with.
    assert history.past(client, Period.parse("2024-Q3")).now.figure("customers.new") == {}


MANY = """\
name: Many
currency: CNY
decimals: 2
delivered_on: 2025-01-06
tables:
  customers:
    files: [customers.csv]
    columns: {customer_id: id, region: place, customer_type: kind}
  transactions:
    files: [orders.csv]
    columns: {order_id: order, customer_id: customer, ordered_at: day, quantity: pieces, price: price, profit: profit, channel: channel}
    returns: {order_id_starts_with: TH}
  surveys:
    files: [said.csv]
    columns: {customer_id: who, answered_day: day}
    answers:
      service: {column: service, scale: [1, 5]}
      recommend: {column: recommend, scale: [0, 10]}
"""
LAST = Period.parse("2024-Q4")


def written(home, config: str, files: dict):
    """A client whose files are collected and cleaned."""
    client = builders.made(home, config, files=files, name="many")
    delivery = sources.delivery(client)
    sources.write(client, delivery)
    cleaned = cleaning.cleaned(delivery, client, delivered_on=sources.delivered_on(client))
    cleaning.write(cleaned, delivery, client)
    return client


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Forty customers over three years, with all that makes a period's end awkward.

    Orders that go on over midnight of a period's last day, an order number of two customers, lines of nobody,
    returns, customers who only return, lines without a profit, a stretch in which nobody answers.
    """
    home = tmp_path_factory.mktemp("history")
    (home / "data").mkdir()
    chance = random.Random(5)
    rows = []
    for number in range(700):
        who = f"c{chance.randrange(40)}" if chance.random() > 0.05 else ""
        day = dt.date(2022, 1, 1) + dt.timedelta(days=chance.randrange(1096))
        back = chance.random() < 0.06
        order = f"{'TH' if back else 'A'}{number}"
        for line in range(chance.randrange(1, 4)):
            pieces = -1 if back else chance.randrange(1, 5)
            price = chance.randrange(100, 9000) / 100
            profit = "" if chance.random() < 0.3 else f"{pieces * price / 4:.2f}"
            channel = chance.choice(["web", "shop"])
            later = day + dt.timedelta(days=1 if line and day.day >= 28 else 0)
            rows.append((order, who, min(later, dt.date(2024, 12, 31)), pieces, price, profit, channel))
    rows += [
        ("S1", "c1", "2024-06-30", 1, 10, 1, "web"),
        ("S1", "c1", "2024-07-01", 1, 20, 1, "web"),
        ("S2", "c2", "2024-09-30", 1, 30, "", "shop"),
        ("S2", "c3", "2024-10-01", 1, 40, "", "shop"),
        ("TH9", "c99", "2024-05-05", -1, 7, "", "shop"),
    ]
    said = [
        (f"c{chance.randrange(40)}", dt.date(2022, 1, 1) + dt.timedelta(days=chance.randrange(1096)))
        for _ in range(500)
    ]
    answers = [
        (who, day, chance.randrange(1, 6), chance.randrange(11)) for who, day in said if day.year != 2023
    ]
    files = {
        "orders.csv": ("order,customer,day,pieces,price,profit,channel", rows),
        "customers.csv": ("id,place,kind", [(f"c{n}", "NESW"[n % 4], "ab"[n % 2]) for n in range(100)]),
        "said.csv": ("who,day,service,recommend", answers),
    }
    text = {
        name: "\n".join([head, *(",".join(map(str, row)) for row in lines)]) + "\n"
        for name, (head, lines) in files.items()
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CRM_HOME", str(home))
        yield written(home, MANY, text)


def alone(client, part: Period) -> kpis.Figures:
    """Every measure of one period by the functions of one period, as of its own end."""
    lines = [
        tables.relation(client.delivery, tables.TRANSACTIONS, until=one.day_range[1])
        for one in (part, part.previous())
    ]
    known, before = (
        facts.facts(rows, as_of=one.day_range[1])
        for rows, one in zip(lines, (part, part.previous()), strict=True)
    )
    now, then = (facts.activity(lines[0], one) for one in (part, part.previous()))
    judged = [classes.judged_behaviour(rows, client.classes.behaviour) for rows in (known, before)]
    answers = tables.supplied(client.delivery, tables.SURVEYS, until=part.day_range[1])
    found = kpis.sales(lines[0], part) | kpis.customers(known, now, then, part) | kpis.orders(lines[0], part)
    return found | kpis.profit(now) | kpis.churn(*judged) | satisfaction.satisfaction(answers, part)


@pytest.mark.parametrize(
    ("name", "periods"), [("2024-Q4", 5), ("2024-12", 2), ("2024", 3), ("2024-05-17_2024-07-02", 2)]
)
def test_every_measure_of_every_period_is_what_that_period_alone_would_tell(many, name, periods):
    past = history.past(many, Period.parse(name), periods=periods)
    assert len(past.periods) == periods
    assert past.last_year.span == Period.parse(name).last_year()
    for told in (*past.periods, past.last_year):
        assert told.figures == alone(many, told.span), told.span.name


def test_what_comes_later_changes_no_period_before(many):
    longer = {told.span.name: told.figures for told in history.past(many, LAST, periods=6).periods}
    shorter = history.past(many, Period.parse("2024-Q2"), periods=4)
    assert {told.span.name: told.figures for told in shorter.periods} == {
        told.span.name: longer[told.span.name] for told in shorter.periods
    }


def test_a_groups_sales_over_time_are_those_of_plain_sql(many):
    ids = ["sales.identified.region.N", "sales.identified.channel.web", "sales.identified.industry.steel"]
    past = history.past(many, LAST, periods=4, groups=ids)
    lines, people = (
        tables.relation(many.delivery, table) for table in (tables.TRANSACTIONS, tables.CUSTOMERS)
    )
    for told in past.periods:
        first, last = told.span.day_range
        within = f"kind = 'sale' AND known AND order_day BETWEEN {first} AND {last}"
        web = lines.query("l", f"SELECT sum(amount) FROM l WHERE channel = 'web' AND {within}").fetchall()[0][
            0
        ]
        numbers = [
            row[0] for row in people.query("p", "SELECT customer_id FROM p WHERE region = 'N'").fetchall()
        ]
        inside = ", ".join(f"'{number}'" for number in numbers)
        north = lines.query(
            "l", f"SELECT sum(amount) FROM l WHERE customer_id IN ({inside}) AND {within}"
        ).fetchall()[0][0]
        assert told.figures[ids[0]]["value"] == north
        assert told.figures[ids[1]]["value"] == web
        assert told.figures[ids[2]]["value"] is None  # no industry was supplied


def test_a_measure_of_another_table_is_one_line(many, monkeypatch):
    asked = []

    def success(client, span):
        asked.append(span.name)
        return {"finance.success_rate": {"value": 0.5, "n": 10, "low": 0.3, "high": 0.7}}

    monkeypatch.setattr(history, "FURTHER", (success,))
    past = history.past(many, LAST, periods=3)
    assert asked == ["2024-Q2", "2024-Q3", "2024-Q4", "2023-Q4"]
    assert past.now.figure("finance.success_rate")["value"] == 0.5


def test_the_year_before_is_not_compared_with_where_the_data_begins_within_it(many):
    past = history.past(many, Period.parse("2022-Q4"), periods=4)
    assert past.last_year.figures["sales.all"]["value"] is None
    assert past.last_year.figure("sales.all") == {}
    assert past.now.figure("sales.all")["value"] > 0
    assert [bool(told.figure("customers.new")) for told in past.periods] == [False] * 4
    later = history.past(many, Period.parse("2023-Q2"), periods=5).series()
    assert [first for first, *_ in later["customers.new"]] == [dt.date(2023, 1, 1), dt.date(2023, 4, 1)]
    assert next(first for first, *_ in later["retention.rate"]) == dt.date(2022, 4, 1)
    assert [bool(told.figure("retention.rate")) for told in past.periods] == [
        False,
        True,
        True,
        True,
    ]  # from 1 January on


def test_the_first_period_there_is_has_none_before_it(many):
    past = history.past(many, Period.parse("1900-Q3"))
    assert [told.span.name for told in past.periods] == ["1900-Q2", "1900-Q3"]
    assert past.last_year is None
    assert past.series() == {}
