"""A KPI over time, against sums by hand over the order lines."""

import datetime as dt

import builders
import pytest

from crmlib.analysis import history
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
