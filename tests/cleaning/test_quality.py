"""Accuracy, completeness and timeliness, counted by hand, before cleaning and after it."""

import builders
import pandas as pd
import pytest

from crmlib.cleaning import delivery as cleaning
from crmlib.cleaning import quality
from crmlib.collection import sources
from crmlib.measures import measure

CONFIG = """\
name: Acme
currency: CNY
delivered_on: 2025-01-06
quality: {fresh_days: 30, stale_days: 130, updated_within_days: 365}
tables:
  customers:
    files: [customers.csv]
    columns: {customer_id: number, name: called, city: town, region: area, birth_year: born, updated_day: changed}
  transactions:
    files: [orders.csv]
    columns: {order_id: order, customer_id: customer, ordered_at: day, quantity: pieces, price: price, amount: paid}
  surveys:
    files: [survey.csv]
    columns: {customer_id: who, answered_day: when}
    answers:
      product: {column: product, scale: [1, 5]}
      service: {column: service, scale: [1, 5]}
"""
CUSTOMERS = """\
number,called,town,area,born,changed
c1,NA,Ulm,South,1980,2024-12-01
c2,Li,Ulm,South,1875,2020-01-01
c3,Wu,Ulm,South,,2024-02-01
c4,He,Ulm,North,1990,
"""
ORDERS = """\
order,customer,day,pieces,price,paid
A1,c1,2024-11-17,2,10,20
A2,c9,2024-11-17,1,10,10
A3,c2,2024-02-30,two,10,20
A4,c3,2025-03-01,1,N/A,15
A5,c1,2024-11-16,3,10,31
"""
SURVEY = """\
who,when,product,service
c1,2025-01-01,5,9
c2,2025-01-02,-,3
"""


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """Scores before and after cleaning."""
    files = {"customers.csv": CUSTOMERS, "orders.csv": ORDERS, "survey.csv": SURVEY}
    home = tmp_path_factory.mktemp("scored")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CRM_HOME", str(home))
        yield _scored(builders.made(home, CONFIG, files))


def _scored(client):
    came = sources.delivery(client)
    day = client.delivered_on
    kept = cleaning.cleaned(came, client, delivered_on=day)
    return quality.both(came, kept, client, delivered_on=day)


def score(scores: pd.DataFrame, table: str, field: str, what: str) -> float:
    return scores.set_index(["table", "field"]).loc[(table, field), what]


@pytest.mark.parametrize(
    ("table", "field", "accuracy", "completeness"),
    [
        ("customers", "customer_id", 1, 1),
        ("customers", "name", 1, 1),  # somebody is called NA
        ("customers", "region", 1, 1),  # four rows of one city prove nothing of where it lies
        ("customers", "birth_year", 2 / 3, 3 / 4),  # nobody alive was born in 1875
        ("customers", "updated_day", 1, 3 / 4),
        ("transactions", "customer_id", 4 / 5, 1),  # nobody knows c9
        ("transactions", "ordered_at", 3 / 5, 1),  # 30 February; after the delivery
        ("transactions", "quantity", 4 / 5, 1),  # "two"
        ("transactions", "price", 1, 4 / 5),  # N/A is an empty cell
        ("transactions", "amount", 4 / 5, 1),  # 3 × 10 is not 31
        ("surveys", "product", 1, 1 / 2),
        ("surveys", "service", 1 / 2, 1),  # 9 of 5
    ],
)
def test_a_field_is_scored_by_what_can_be_read_and_can_be_true(scored, table, field, accuracy, completeness):
    before, _ = scored
    assert score(before, table, field, "accuracy") == pytest.approx(accuracy)
    assert score(before, table, field, "completeness") == pytest.approx(completeness)


def test_a_region_that_is_not_its_citys_is_not_accurate(home):
    places = [
        f"c{n},A,{town},{area},," for n, (town, area) in enumerate([("Ulm", "South"), ("Kiel", "North")] * 10)
    ]
    places[0] = "c0,A,Ulm,North,,"
    files = {"customers.csv": "\n".join([CUSTOMERS.splitlines()[0], *places]), "orders.csv": ORDERS}
    client = builders.made(home, CONFIG.split("  surveys:")[0], files)
    part = sources.collected(client, "customers")
    scores = quality.delivered(part, client, delivered_on=client.delivered_on)
    assert score(scores, "customers", "region", "accuracy") == pytest.approx(19 / 20)
    assert score(scores, "customers", "city", "accuracy") == 1


def test_a_tables_scores_are_over_its_cells_and_not_over_its_fields(scored):
    before, _ = scored
    # 30 cells, one of them N/A: 29 filled; wrong are c9, two days, "two" and 31
    assert score(before, "transactions", "", "completeness") == pytest.approx(29 / 30)
    assert score(before, "transactions", "", "accuracy") == pytest.approx(24 / 29)
    assert score(before, "transactions", "", "cells") == 30


def test_cleaning_makes_what_is_kept_more_accurate(scored):
    _, after = scored
    # A1, A2 and A5 stay: of 18 cells c9 and 31 remain, because they are kept under a flag
    assert score(after, "transactions", "", "accuracy") == pytest.approx(16 / 18)
    assert score(after, "transactions", "ordered_at", "accuracy") == 1
    assert score(after, "surveys", "service", "accuracy") == 1
    assert score(after, "surveys", "service", "completeness") == pytest.approx(1 / 2)


def test_timeliness_falls_with_the_age_of_the_newest_order(scored):
    before, after = scored
    # 2024-11-17 is 50 days before 2025-01-06: (130 − 50) ÷ (130 − 30); 2025-03-01 is no true date
    assert score(before, "transactions", "", "timeliness") == pytest.approx(0.8)
    assert score(after, "transactions", "", "timeliness") == pytest.approx(0.8)
    assert score(before, "surveys", "", "timeliness") == 1


def test_records_that_nobody_has_looked_at_for_years_are_not_timely(scored):
    before, _ = scored
    # newest change 36 days ago: (130 − 36) ÷ 100 = .94; but only 2 of 4 records changed within a year
    assert score(before, "customers", "", "timeliness") == pytest.approx(0.5)


def test_a_table_without_dates_has_no_timeliness_and_says_why(home):
    config = CONFIG.replace(", updated_day: changed", "")
    files = {"customers.csv": CUSTOMERS, "orders.csv": ORDERS, "survey.csv": SURVEY}
    client = builders.made(home, config, files)
    part = sources.collected(client, "customers")
    scores = quality.delivered(part, client, delivered_on=client.delivered_on)
    assert pd.isna(score(scores, "customers", "", "timeliness"))
    figures = quality.figures(scores, "before")
    assert figures["quality.customers.timeliness.before"] == {"value": None, "n": 4, "why": "no date"}
    assert "quality.customers.name.timeliness.before" not in figures


def test_the_order_of_rows_changes_no_score(home):
    header, *lines = CUSTOMERS.splitlines()
    found = []
    for rows in (lines, lines[::-1]):
        files = {
            "customers.csv": "\n".join([header, *rows]) + "\n",
            "orders.csv": ORDERS,
            "survey.csv": SURVEY,
        }
        client = builders.made(home, CONFIG, files)
        part = sources.collected(client, "customers")
        found.append(quality.delivered(part, client, delivered_on=client.delivered_on))
    assert found[0].equals(found[1])


def test_an_empty_table_has_no_share_of_anything(home):
    files = {"customers.csv": CUSTOMERS.splitlines()[0] + "\n", "orders.csv": ORDERS, "survey.csv": SURVEY}
    client = builders.made(home, CONFIG, files)
    part = sources.collected(client, "customers")
    scores = quality.delivered(part, client, delivered_on=client.delivered_on)
    assert scores[["accuracy", "completeness", "timeliness"]].isna().all(axis=None)
    figures = quality.figures(scores, "before")
    assert figures["quality.customers.accuracy.before"]["why"] == "no rows"


def test_every_score_is_a_figure_with_a_definition_and_n(scored):
    before, after = scored
    figures = quality.figures(before, "before") | quality.figures(after, "after")
    assert figures["quality.transactions.accuracy.before"] == {"value": pytest.approx(24 / 29), "n": 29}
    assert figures["quality.surveys.service.completeness.after"] == {"value": 0.5, "n": 2}
    assert {measure(id).unit for id in figures} == {"share"}
    assert (
        measure("quality.transactions.price.accuracy.before").label == "Accuracy of a field before cleaning"
    )
    assert measure("quality.transactions.accuracy.before").label == "Accuracy before cleaning"


def test_before_and_after_stand_side_by_side_and_are_never_merged_into_one(scored):
    table = quality.compared(*scored)
    assert list(table.columns) == [
        *("table", "accuracy_before", "accuracy", "completeness_before", "completeness"),
        *("timeliness_before", "timeliness"),
    ]
    assert table["table"].tolist() == ["customers", "transactions", "surveys"]
    fields = quality.compared(*scored, fields=True)
    assert len(fields) == 6 + 6 + 4


def test_the_table_that_is_most_in_doubt_is_named_with_its_cells(scored):
    before, _ = scored
    assert quality.doubtful(before) == {"table": "transactions", "filled": 29, "wrong": 5}
    assert quality.doubtful(before.iloc[:0]) == {"table": None, "filled": 0, "wrong": 0}
