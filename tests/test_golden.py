"""Online Retail, exactly: published figures, through the library's functions."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmlib import client as clients
from crmlib import tables
from crmlib.analysis import change, explained, kpis, tallies
from crmlib.classification import facts
from crmlib.cleaning import delivery as cleaning
from crmlib.cleaning import ledger
from crmlib.collection import accounts, sources
from crmlib.findings import Book
from crmlib.period import Period

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def retail(shared, tmp_path_factory):
    """The whole delivery cleaned once."""
    home = tmp_path_factory.mktemp("retail")
    folder = home / "data" / "online-retail"
    (folder / "raw").mkdir(parents=True)
    shutil.copy(ROOT / "data" / "online-retail" / "client.yml", folder)
    (folder / "raw" / "online_retail.csv.gz").symlink_to(shared / "data" / "online_retail.csv.gz")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CRM_HOME", str(home))
        client = clients.load("online-retail")
        delivery = sources.delivery(client)
        sources.write(client, delivery)
        found = cleaning.cleaned(delivery, client, delivered_on=sources.delivered_on(client))
        tables.write(found["transactions"].kept, client.delivery, tables.TRANSACTIONS)
        yield client, delivery, found


@pytest.fixture(scope="module")
def told(retail):
    """Figures of a period under their ids, as `results.json` writes them."""
    client, collected, found = retail
    books = {}

    def book(name: str) -> dict[str, float]:
        if name not in books:
            period = Period.parse(name)
            first, last = period.day_range
            orders = tables.relation(client.delivery, tables.TRANSACTIONS, until=last)
            page = Book("05-analysis-performance", client, period)
            known = facts.facts(orders, as_of=last)
            now, before = (facts.activity(orders, span) for span in (period, period.previous()))
            for part in (
                kpis.sales(orders, period),
                kpis.customers(known, now, before, period),
                kpis.orders(orders, period),
                kpis.rfm(known),
                ledger.figures(ledger.totals(cleaning.account(found, collected))),
            ):
                page.take(part)
            assert known["first_day"].max() <= last
            assert first <= last
            books[name] = {id: figure["value"] for id, figure in page.figures.items()}
        return books[name]

    return book


WHOLE = "2010-12-01_2011-12-09"


@pytest.mark.parametrize(
    ("id", "value"),
    [
        ("ledger.transactions.rows_in", 541909),
        ("ledger.transactions.rows_kept", 535303),
        ("ledger.transactions.rows_merged", 5268),
        ("ledger.transactions.rows_quarantined", 1338),
        ("sales.identified", 8887208.894),
        ("sales.lines", 392692),
        ("customers.total", 4338),
        ("customers.active", 4338),
        ("orders.count", 18532),
        ("sales.all", 10642110.804),
        ("sales.returns", -893979.730),
        ("sales.returns.identified", -608689.470),
        ("sales.net", 8278519.424),  # 8,887,208.894 − 608,689.470
        ("customers.one_order", 1493),
    ],
)
def test_online_retail_is_exact_to_the_last_decimal(told, id, value):
    assert told(WHOLE)[id] == value


@pytest.mark.parametrize(
    ("id", "value"),
    [("rfm.recency.mean", 92.059), ("rfm.frequency.mean", 4.272), ("rfm.monetary.mean", 2048.688)],
)
def test_online_retails_customers_are_as_recent_frequent_and_large_as_published(told, id, value):
    assert round(told(WHOLE)[id], 3) == value


def test_with_exact_duplicates_kept_customers_are_as_large_as_published(retail, tmp_path, monkeypatch):
    client, collected, _ = retail
    told = client.config.read_text("utf-8")
    folder = tmp_path / "data" / "online-retail"
    folder.mkdir(parents=True)
    keeping = told.replace("    returns:", "    exact_duplicates: keep\n    returns:")
    (folder / "client.yml").write_text(keeping, "utf-8")
    monkeypatch.setenv("CRM_HOME", str(tmp_path))
    found = cleaning.cleaned(
        collected, clients.load("online-retail"), delivered_on=sources.delivered_on(client)
    )
    known = facts.facts(found["transactions"].kept, as_of=Period.parse(WHOLE).day_range[1])
    means = {id: figure["value"] / 1000 ** ("monetary" in id) for id, figure in kpis.rfm(known).items()}
    assert {id: round(value, 3) for id, value in means.items()} == {
        "rfm.recency.mean": 92.059,
        "rfm.frequency.mean": 4.272,
        "rfm.monetary.mean": 2054.266,
    }


@pytest.mark.parametrize(
    ("id", "value"),
    [("sales.identified", 2193704.143), ("customers.active", 2161), ("orders.count", 4366)],
)
def test_the_third_quarter_of_2011_is_exact(told, id, value):
    assert told("2011-Q3")[id] == value


def test_the_money_of_online_retail_balances(told):
    book = told(WHOLE)
    parts = [book[f"ledger.transactions.money_{part}"] for part in ("kept", "merged", "quarantined")]
    # 9,747,747.934 is the sum of quantity × price of the raw file (shared/data/README.md)
    assert book["ledger.transactions.money_in"] == 9747747.934
    assert round(sum(parts), 3) == 9747747.934


def test_1336_stock_corrections_and_two_negative_prices_are_set_aside(retail):
    _, _, found = retail
    counts = found["transactions"].quarantine["reason"].value_counts().to_dict()
    assert counts == {"stock-correction": 1336, "bookkeeping-entry": 2}


def test_bad_debt_of_11062_06_is_flagged_and_not_lost(retail):
    _, _, found = retail
    kept = found["transactions"].kept.to_pandas()
    odd = kept[(kept["product"] == "Adjust bad debt") & (kept["amount"] > 0)]
    assert odd["amount"].tolist() == [11062060]
    assert odd["flags"].str.contains("abnormal-price").tolist() == [True]


def test_what_came_is_told_as_it_came(retail):
    _, delivery, _ = retail
    figures = accounts.delivered(delivery["transactions"])
    assert figures["delivered.transactions.rows"]["value"] == 541909
    assert figures["delivered.transactions.Quantity.sum"]["value"] == 5176450  # pandas read_csv, sum


SALES_OF_2011 = {"2011-Q1": 1608267990, "2011-Q2": 1805775531, "2011-Q3": 2193704143, "2011-Q4": 2709038500}

BUYERS_OF_2011 = {"2011-Q1": 1776, "2011-Q2": 1991, "2011-Q3": 2161, "2011-Q4": 2560}


@pytest.mark.parametrize("name", SALES_OF_2011)
def test_the_quarters_of_2011_have_the_published_sales_and_customers(retail, name):
    client, _, _ = retail
    span = Period.parse(name)
    orders = tables.relation(client.delivery, tables.TRANSACTIONS, until=span.day_range[1])
    bought = facts.activity(orders, span).query("orders > 0")
    assert kpis.sales(orders, span)["sales.identified"]["value"] == SALES_OF_2011[name]
    assert (bought["gross"].sum(), len(bought)) == (SALES_OF_2011[name], BUYERS_OF_2011[name])


QUARTERS = ["2010-Q4", *SALES_OF_2011]
NOBODY = pd.DataFrame({"customer_id": [], "region": []}, dtype="str")


@pytest.fixture(scope="module")
def by_hand(retail):
    """The quarters in SQL written from the definitions: sales, orders, net sales, buyers, by quarter."""
    client, _, _ = retail
    orders = tables.relation(client.delivery, tables.TRANSACTIONS)
    rows = orders.query(
        "lines",
        """select year(ordered_at) || '-Q' || quarter(ordered_at) as quarter,
             sum(case when kind = 'sale' then amount else 0 end)::bigint as sales,
             count(distinct case when kind = 'sale' then order_id end) as orders,
             sum(case when kind = 'sale' then amount else 0 end + returned)::bigint as net,
             list(distinct case when kind = 'sale' then customer_id end) as buyers
           from lines where known group by 1""",
    ).df()
    return rows.set_index("quarter")


def tallied(client, now: str) -> dict:
    span = Period.parse(now)
    before = span.previous()
    orders = tables.relation(client.delivery, tables.TRANSACTIONS, until=span.day_range[1])
    activities = tuple(facts.activity(orders, part) for part in (span, before, before.previous()))
    known = facts.facts(orders, as_of=span.day_range[1])
    spans, here = (span, before), activities[:2]
    built = (
        tallies.sales(*here, NOBODY),
        tallies.mean_order(*here, NOBODY, tallies.order_shares(orders, spans)),
        tallies.retention(activities, known, NOBODY, spans),
        tallies.priced(orders, spans),
    )
    return {tally.id: tally for tally in built}


@pytest.mark.parametrize("now", list(SALES_OF_2011))
def test_every_change_closes_on_the_quarters_of_2011(retail, by_hand, now):
    told = tallied(retail[0], now)
    then = QUARTERS[QUARTERS.index(now) - 1]
    found = {id: explained.explained(tally, "product") for id, tally in told.items()}
    assert {explained.residual(part) for part in found.values() if not part.why} == {0}
    assert found["sales.identified"].why is None
    assert explained.ends(found["sales.identified"]) == tuple(by_hand.loc[[then, now], "sales"])
    assert explained.ends(found["sales.identified"])[1] == SALES_OF_2011[now]
    assert explained.ends(found["sales.net"]) == tuple(by_hand.loc[[then, now], "net"])
    means = by_hand["sales"] / by_hand["orders"]
    assert list(map(float, explained.ends(found["orders.mean"]))) == pytest.approx(
        list(means[[then, now]]), rel=1e-12
    )
    if now == "2011-Q1":  # of the quarter before the data begins nothing is known
        assert found["retention.rate"].why == "nobody bought in one of the two periods before"
        return
    first, second, third = (
        {who for who in by_hand.loc[quarter, "buyers"] if who is not None}
        for quarter in QUARTERS[QUARTERS.index(now) - 2 : QUARTERS.index(now) + 1]
    )
    came_back = (len(first & second) / len(first), len(second & third) / len(second))
    assert tuple(map(float, explained.ends(found["retention.rate"]))) == pytest.approx(came_back, rel=1e-12)
    # Where the data begins with December 2010, of its buyers nobody can tell who was new.
    assert bool(found["retention.rate"].tally.untold.get("new")) == (now == "2011-Q2")


def test_products_sold_in_one_quarter_alone_are_new_or_discontinued(retail):
    # By hand: what was sold in 2011-Q3 of products without a piece sold to a known customer in 2011-Q2.
    orders = tables.relation(retail[0].delivery, tables.TRANSACTIONS)
    rows = orders.query(
        "lines",
        """with sold as (
             select coalesce(product_id, product) as item, quarter(ordered_at) as quarter, sum(amount)::bigint as money
             from lines where known and kind = 'sale' and year(ordered_at) = 2011 group by all)
           select sum(case when quarter = 3 then money end)::bigint as came,
             sum(case when quarter = 2 then money end)::bigint as gone
           from sold where quarter in (2, 3)
             and item not in (select item from sold where quarter in (2, 3) group by 1 having count(*) > 1)""",
    ).df()
    found = explained.explained(tallied(retail[0], "2011-Q3")["sales.net"], "product")
    assert (found.sums["new"], found.sums["lost"]) == (rows["came"][0], -rows["gone"][0])


def test_sales_may_be_as_low_as_the_sums_and_squares_of_sql_say(retail):
    client, _, _ = retail
    span = Period.parse("2011-Q3")
    first, last = span.day_range
    orders = tables.relation(client.delivery, tables.TRANSACTIONS, until=last)
    ((gross, squares),) = orders.query(
        "orders",
        f"""SELECT sum(gross), sum(gross::DOUBLE ^ 2) FROM (
            SELECT sum(amount) AS gross FROM orders
            WHERE known AND kind = 'sale' AND order_day >= {first} GROUP BY customer_id)""",
    ).fetchall()
    found = kpis.sales(orders, span)["sales.identified"]
    assert found["value"] == gross == SALES_OF_2011["2011-Q3"]
    # The lower end is a gamma's: mean and variance are the sum and the sum of squares over customers.
    expected = stats.gamma.ppf(0.05, float(gross) ** 2 / squares, scale=squares / float(gross))
    assert found["low"] == pytest.approx(expected)
    assert found["low"] < found["value"] < found["high"] < 1.25 * found["value"]


@pytest.mark.parametrize("now", ["2011-Q2", "2011-Q3", "2011-Q4"])
def test_a_change_of_sales_is_told_as_pairs_of_customers_tell_it(retail, now):
    # Beside it by other means: 2,000 times as many customers drawn again, both quarters of each together.
    client, _, _ = retail
    span = Period.parse(now)
    orders = tables.relation(client.delivery, tables.TRANSACTIONS, until=span.day_range[1])
    before, today = (facts.activity(orders, part) for part in (span.previous(), span))
    found = change.beyond_chance(before, today)
    moved = today.set_index("customer_id")["gross"].sub(
        before.set_index("customer_id")["gross"], fill_value=0
    )
    chance = np.random.default_rng(0)
    drawn = [float(moved.to_numpy() @ chance.poisson(1.0, len(moved))) for _ in range(2000)]
    low, high = np.quantile(drawn, [0.05, 0.95])
    # The bootstrap is the narrower of the two, but for its own chance (2 % of its width): it knows no customer
    # larger than the largest, and here one alone moves a third of the change. One more like that makes the
    # interval half as wide again, and no more than twice as wide.
    assert found["low"] < low + 0.02 * (high - low)
    assert found["high"] > high - 0.02 * (high - low)
    assert found["high"] - found["low"] < 2 * (high - low)
    # From Q1 to Q2 sales rose by 12 %, which the bootstrap tells from none by a hair, without that one more.
    assert found["beyond"] is (now != "2011-Q2")
