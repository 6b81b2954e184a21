"""Hardly anything, nothing left, everything alike: each has an answer, and no figure is made up."""

import itertools
import random
import re

import builders
import pandas as pd
import pyarrow as pa
import pytest
from builders import LINES, day, made
from python_calamine import CalamineWorkbook

from crmlib import client as clients
from crmlib import language, tables
from crmlib.analysis import distribution, kpis
from crmlib.classification import classes, facts, migration, rfm, tiers
from crmlib.cleaning import delivery as cleaning
from crmlib.cleaning import ledger
from crmlib.collection import accounts, corrections, sources
from crmlib.errors import SourceError
from crmlib.period import Period
from crmlib.rules import RfmRule
from crmlib.workbook import excel

CONFIG = LINES % "order_id: order, customer_id: customer, ordered_at: day, amount: paid"
Q4 = Period.parse("2024-Q4")
AS_OF = day("2024-12-31")


def written(client: clients.Client) -> dict:
    """What steps 01 and 02 make of a delivery, on disk."""
    sources.write(client, sources.delivery(client))
    delivered = sources.as_collected(client)
    found = cleaning.cleaned(delivered, client, delivered_on=client.delivered_on)
    cleaning.write(found, delivered, client)
    return found


def judged(client: clients.Client):
    """What step 03 makes of it: facts, scores, classes."""
    known = facts.known(client, as_of=AS_OF)
    scores = rfm.rfm(known, client.classes.rfm)
    return known, scores, classes.classes(known, scores, None, client.classes, decimals=client.decimals)


def bought(customers: int, *, day: str = "2024-11-05", paid: str = "100") -> str:
    """One order each, all on a day and for a price."""
    lines = [f"O{n},c{n:02},{day},{paid}" for n in range(customers)]
    return "\n".join(["order,customer,day,paid", *lines]) + "\n"


def test_a_header_alone_goes_through_every_step_and_no_figure_is_zero_in_place_of_unknown(home):
    client = made(home, CONFIG, {"orders.csv": "order,customer,day,paid\n"})
    written(client)
    known, scores, classed = judged(client)
    assert (len(known), len(scores), len(classed)) == (0, 0, 0)
    orders = tables.relation(client.delivery, tables.TRANSACTIONS, until=AS_OF)
    now, before = (facts.activity(orders, span) for span in (Q4, Q4.previous()))
    sales = kpis.sales(orders, Q4)
    people = kpis.customers(known, now, before, Q4) | kpis.orders(orders, Q4) | kpis.churn(classed, classed)
    assert sales["sales.identified"]["value"] is None
    for figure in ("orders.mean", "retention.rate", "repurchase.rate", "churn.rate"):
        assert (people[figure]["value"], bool(people[figure]["why"])) == (None, True)
    assert distribution.pareto(known).empty
    assert tiers.workbook(
        tiers.tiers(known, classed, tables.customers(client.delivery, AS_OF), currency="CNY", decimals=2),
        counts=tiers.counts(classed),
        moved=pd.DataFrame(columns=migration.MOVES),
        rules=tiers.rules_used(client.classes),
    )


def test_a_delivery_of_which_no_row_is_left_is_refused_and_its_rows_are_kept_aside(home):
    lines = ["A1,c1,2024-10-01,much", "A2,c2,2024-10-02,little", "A3,c3,2026-01-01,5"]
    client = made(home, CONFIG, {"orders.csv": "\n".join(["order,customer,day,paid", *lines]) + "\n"})
    with pytest.raises(SourceError) as refused:
        written(client)
    assert str(refused.value) == (
        "transactions: not one row could be used, all were set aside: 2 unreadable-number, 1 future-date. "
        "The first is row 2 of orders.csv. They stand with their reasons in "
        "data/acme/built/delivery/quarantine.parquet. Mend tables.transactions in data/acme/client.yml or the "
        "rows; to go on without them, leave the table out."
    )
    aside = tables.frame(client.delivery, tables.QUARANTINE)
    assert aside["source_row"].tolist() == [2, 3, 4]
    assert all(paid in raw for paid, raw in zip(("much", "little", "5"), aside["raw"], strict=True))


def test_a_month_of_a_header_and_a_total_of_nothing_is_no_refusal(home):
    client = made(home, CONFIG, {"orders.csv": "order,customer,day,paid\n合计,,,0\n"})
    assert written(client)["transactions"].count == 0


def test_one_good_row_is_enough(home):
    client = made(home, CONFIG, {"orders.csv": bought(1) + "A9,c9,someday,1\nA8,c8,2024-11-06,much\n"})
    assert written(client)["transactions"].count == 1


# Below ten nobody has a score and nobody is missing; from then on customers all alike are one group.
@pytest.mark.parametrize("size", [0, 1, 2, 5, 29, 30])
def test_a_firm_of_any_size_has_every_customer_once_and_is_scored_from_ten_on(home, size):
    client = made(home, CONFIG, {"orders.csv": bought(size)})
    written(client)
    known, scores, classed = judged(client)
    everybody = [f"c{n:02}" for n in range(size)]
    assert [*known["customer_id"]] == [*scores["customer_id"]] == [*classed["customer_id"]] == everybody
    assert (scores["segment"] == "too_few").sum() == (size if size < 10 else 0)
    assert rfm.segments(scores, known)["customers"].sum() == size
    orders = tables.relation(client.delivery, tables.TRANSACTIONS, until=AS_OF)
    assert kpis.orders(orders, Q4)["orders.count"]["value"] == size
    assert kpis.orders(orders, Q4)["orders.mean"]["value"] == (10_000 if size else None)


def test_customers_who_are_all_alike_are_one_segment_one_class_and_none_is_left_out(home):
    client = made(home, CONFIG, {"orders.csv": bought(40)})
    written(client)
    known, scores, classed = judged(client)
    assert set(scores[["recency_score", "frequency_score", "monetary_score"]].to_numpy().ravel()) == {3}
    assert len(rfm.segments(scores, known)) == 1
    for column in ("segment", "behaviour", "abc", "value", "tier"):
        assert classed[column].notna().all()
        assert classed[column].nunique() == 1
    # 40 customers of one size: the largest tenth made a tenth.
    assert distribution.top_share(known) == pytest.approx(0.1)


def test_where_nobody_left_churn_is_zero_and_where_all_left_it_is_whole(home):
    client = made(home, CONFIG, {"orders.csv": bought(40)})
    written(client)
    _, _, classed = judged(client)
    gone = classed.assign(behaviour="churned")
    assert kpis.churn(classed, classed)["churn.rate"]["value"] == 0
    assert kpis.churn(gone, classed)["churn.rate"]["value"] == 1
    assert kpis.churn(gone, gone)["churn.rate"]["value"] is None


def test_the_scores_of_people_all_alike_hang_on_no_order_of_rows():
    alike = builders.facts(*[{"recency_days": 5, "orders": 1, "gross": 100}] * 30)
    mixed = alike.sample(frac=1, random_state=random.Random(7).randrange(100))
    assert set(rfm.rfm(mixed, RfmRule())["segment"]) == set(rfm.rfm(alike, RfmRule())["segment"])


OPTIONAL = {
    "customers": ("{customer_id: id, name: name}", "id,name\nc00,王伟\nc01,李娜\n"),
    "surveys": (
        "{customer_id: id, answered_day: on}\n    answers: {service: {column: s, scale: [1, 5]}}",
        "id,on,s\nc00,2024-12-01,4\n",
    ),
    "snapshot": ("{customer_id: id, spend: sum}", "id,sum\nc00,100\n"),
    "tiers": ("{customer_id: id, tier: grade}", "id,grade\nc00,高\n"),
}
SUBSETS = [some for size in range(len(OPTIONAL) + 1) for some in itertools.combinations(OPTIONAL, size)]


@pytest.mark.parametrize("chosen", SUBSETS, ids=lambda chosen: "+".join(chosen) or "none")
def test_beside_order_lines_any_of_the_other_tables_may_be_missing_and_that_is_told(home, chosen):
    parts = [f"  {name}:\n    files: [{name}.csv]\n    columns: {OPTIONAL[name][0]}\n" for name in chosen]
    files = {"orders.csv": bought(2)} | {f"{name}.csv": OPTIONAL[name][1] for name in chosen}
    client = made(home, CONFIG + "".join(parts), files)
    found = written(client)
    assert set(found) == {"transactions", *chosen}
    assert set(OPTIONAL) & set(accounts.absent(client)) == set(OPTIONAL) - set(chosen)
    for name in OPTIONAL:
        assert (tables.supplied(client.delivery, tables.ALL[name]) is None) == (name not in chosen)
    total = ledger.totals(tables.frame(client.delivery, tables.LEDGER)).set_index("table")
    assert total.loc["transactions", "rows_kept"] == 2
    known, _, classed = judged(client)
    assert len(known) == len(classed) == 2


def test_a_long_cell_is_cut_in_a_workbook_where_one_sees_it_and_whole_in_the_quarantine(home):
    long = "长" * 40_000
    config = CONFIG.replace("amount: paid", "amount: paid, product: what")
    rows = f"order,customer,day,paid,what\nA1,c1,2024-10-01,5,tea\nA2,c2,someday,5,{long}\n"
    client = made(home, config, {"orders.csv": rows})
    written(client)
    aside = tables.frame(client.delivery, tables.QUARANTINE)
    assert long in aside["raw"].iloc[0]
    words = language.Language("en", "CNY")
    path = excel.quarantine(home / "q.xlsx", aside, words, client=client)
    header, row = CalamineWorkbook.from_path(str(path)).get_sheet_by_name("transactions").to_python()
    assert re.fullmatch(r"长{32000,}… \(40,000 characters\)", row[header.index("what")])
    assert len(row[header.index("what")]) == 32_767
    assert corrections.cut_off(aside).index.tolist() == aside.index.tolist()


def test_a_name_longer_than_a_cell_is_cut_in_the_tier_table_and_its_row_is_there(home):
    known = builders.facts({"customer_id": "c1", "gross": 100, "orders": 1})
    scores = rfm.rfm(known, RfmRule())
    client = made(home, CONFIG, {"orders.csv": bought(1)})
    classed = classes.classes(known, scores, None, client.classes, decimals=2)
    person = dict.fromkeys(tables.CUSTOMERS.schema.names) | {"customer_id": "c1", "name": "长" * 40_000}
    person |= {"source_file": "typed", "source_row": 2}
    people = pa.Table.from_pylist([person], schema=tables.CUSTOMERS.schema).to_pandas()
    book = tiers.workbook(
        tiers.tiers(known, classed, people, currency="CNY", decimals=2),
        counts=tiers.counts(classed),
        moved=pd.DataFrame(columns=migration.MOVES),
        rules=tiers.rules_used(client.classes),
    )
    path = home / "tiers.xlsx"
    path.write_bytes(book)
    header, row = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    assert row[0] == "长" * 32_766 + "…"
    assert len(row) == len(header) == 12
