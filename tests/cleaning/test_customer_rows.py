"""Customers: one row each, the newest word winning."""

import itertools

import pandas as pd
import pytest
from builders import CONFIG, made, text

from crmlib.cleaning import customers
from crmlib.collection import sources

COLUMNS = "id,name,phone,type,need,born,opened,changed"
CONFIG_C = CONFIG + (
    "  customers:\n    files: [c.csv]\n    columns: {customer_id: id, name: name, contact: phone, "
    "customer_type: type, need: need, birth_year: born, opened_day: opened, updated_day: changed}\n"
)


@pytest.fixture
def clean(home):
    def cleaned(*rows: str, config: str = CONFIG_C):
        client = made(home, config, files={})
        collected = sources.from_text("customers", text(COLUMNS, *rows))
        return customers.customers(collected, client), customers.conflicts(collected, client)

    return cleaned


ROWS = (
    "c1,Ann,111,个人客户,,1980,2020-01-01,2024-01-01",
    "c1,Ann Lee,222,,,,,2024-06-01",  # newer, but says nothing of type, birth or opening
    "c1,Anne,,,,,,",  # without a date: older than any
    "c2,NA,333,企业客户,价格敏感型,,,2024-01-01",
)


@pytest.mark.parametrize(
    "rows", list(itertools.permutations(ROWS)), ids=lambda rows: "".join(r[3] for r in rows)
)
def test_the_newest_word_on_every_field_wins_in_whatever_order_the_rows_came(clean, rows):
    found, _ = clean(*rows)
    table = found.kept.to_pandas()
    shown = table[["customer_id", "name", "contact", "customer_type", "need", "birth_year"]].astype(object)
    assert shown.where(shown.notna(), None).values.tolist() == [
        ["c1", "Ann Lee", "222", "personal", None, 1980],
        ["c2", "NA", "333", "enterprise", "price_sensitive", None],
    ]


def test_fields_that_differ_are_told_without_their_values(clean):
    _, conflicts = clean(*ROWS)
    assert conflicts.values.tolist() == [["c1", "contact", 2], ["c1", "name", 3]]


def test_copies_and_older_versions_are_merged_and_a_row_without_number_is_set_aside(clean):
    found, _ = clean(*ROWS, ROWS[0], ",Nobody,9,,,,,")
    part = found.ledger.set_index("step")
    assert part.loc["exact-duplicate", "rows_merged"] == 1
    assert part.loc["same-customer", "rows_merged"] == 2
    assert part.loc["missing-id", "rows_quarantined"] == 1
    assert (part["rows_in"].iloc[0], part["rows_kept"].iloc[-1]) == (6, 2)
    assert found.quarantine[["source_row", "reason"]].values.tolist() == [[7, "missing-id"]]
    assert '"Nobody"' in found.quarantine["raw"][0]


def test_of_a_whole_date_of_birth_only_the_year_is_kept(clean):
    found, _ = clean(
        "c1,Ann,1,,,1980-05-17,,", "c2,Bob,2,,,17/05/1991,,", "c3,Cy,3,,,unknown,,", "c4,Di,4,,,05021979,,"
    )
    born = found.kept.to_pandas()["birth_year"]
    assert born[:2].tolist() == [1980, 1991]
    assert born[2:3].isna().all()


def test_a_word_for_a_class_that_nobody_knows_stays_as_it_came(clean):
    found, _ = clean("c1,Ann,1,VIP,whatever,,,", "c2,Bob,2,CORPORATE,Quality Seeking,,,")
    assert found.kept.to_pandas()[["customer_type", "need"]].values.tolist() == [
        ["VIP", "whatever"],
        ["enterprise", "quality_seeking"],
    ]


def test_numbers_with_leading_zeros_are_different_customers(clean):
    found, _ = clean("007,Ann,1,,,,,", "7,Bob,2,,,,,", "07,Cy,3,,,,,")
    assert found.kept["customer_id"].to_pylist() == ["007", "07", "7"]


def test_a_firm_that_sends_no_customer_table_has_no_conflicts(acme):
    assert customers.differing({}, acme).empty


def test_differing_fields_are_counted_by_customer(home):
    client = made(home, CONFIG_C, files={})
    rows = (*ROWS, "c2,NA,444,企业客户,价格敏感型,,,2024-02-01")
    collected = sources.from_text("customers", text(COLUMNS, *rows))
    found = customers.differing({"customers": collected}, client)
    assert found.values.tolist() == [["contact", 2], ["name", 1]]
    assert isinstance(found, pd.DataFrame)
