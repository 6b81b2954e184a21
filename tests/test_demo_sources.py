"""What is planted in the demo's other sources is found by its very rows, in clients that differ by their seed.

The truth comes from `data/demo/make_demo.py`, which uses nothing of `crmlib`. A record's row is its
number + 1: the header is row 1.
"""

import json
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import builders
import pandas as pd
import pytest
from builders import day, demo_maker

from crmlib import client as clients
from crmlib import tables
from crmlib.classification import classes
from crmlib.cleaning import delivery, ledger, records, view
from crmlib.cleaning.delivery import Cleaned
from crmlib.collection import sources, union
from crmlib.collection.files import text_table
from crmlib.rules import Classes

SEEDS = range(3)
REASONS = {
    "missing_ids": "missing-id",
    "missing_names": "missing-name",
    "missing_dates": "missing-date",
    "missing_numbers": "missing-number",
    "invalid_dates": "unreadable-date",
    "invalid_numbers": "unreadable-number",
    "future_dates": "future-date",
    "negative_amounts": "negative-amount",
    "impossible_order": "impossible-order",
    "not_records": "not-a-record",
    "repeated_headers": "repeated-header",
}
pytestmark = pytest.mark.slow


@dataclass
class Demo:
    """One seed's client: what is true of it, and what crmlib made of it."""

    truth: dict
    found: dict[str, Cleaned]
    collected: dict[str, sources.Collected]
    known: set[str]

    def kept(self, table: str) -> pd.DataFrame:
        return self.found[table].kept.to_pandas()

    def planted(self, table: str, kinds: set[str]) -> set[tuple[str, int]]:
        """File and row of every planted defect of these kinds in the files of a table."""
        return {
            (file, row + 1)
            for name, (file, belongs) in files().items()
            if belongs == table
            for kind, entry in self.truth["defects"][name].items()
            if kind in kinds
            for row in entry["rows"]
        }


@cache
def files() -> dict[str, tuple[str, str]]:
    """The demo's other files: name, file, table."""
    return dict(demo_maker().beside.FILES)


def together(table: str, delivered: dict[str, pd.DataFrame], client: clients.Client) -> sources.Collected:
    """A table's files as one delivery, each read under its own name with its header in row 1."""
    folder = Path(tempfile.mkdtemp(dir=tables.spill()))
    headers = set(sources.mapped(client.tables.named()[table]).values())
    for name, (file, of) in files().items():
        if of == table:
            delivered[name].to_csv(folder / file, index=False)
    # Every file as plain text: what workbooks and titles add is the matter of the committed files.
    read = [text_table(path, expected=headers) for path in sorted(folder.iterdir())]
    named = union.named(read, folder)
    path = tables.write_batches(union.batches(named), union.schema(read), folder / "together.parquet")
    account = union.account(table, named, [])
    return sources.Collected(table, path, union.broken(named), account, repairs=union.repaired(named))


@pytest.fixture(scope="module", params=SEEDS)
def demo(request):
    delivered, truth, client = builders.demo(request.param)
    collected = {
        "customers": sources.from_text("customers", delivered["customers"]),
        # few, because order lines are test_demo_truth's matter
        "transactions": sources.from_text("transactions", delivered["orders"].head(50)),
        "surveys": sources.from_text("surveys", delivered["survey"]),
    }
    collected |= {table.name: together(table.name, delivered, client) for table in records.TABLES}
    found = delivery.cleaned(collected, client, delivered_on=client.delivered_on)
    known = set(found["customers"].kept["customer_id"].to_pylist())
    return Demo(truth, found, collected, known)


@pytest.mark.parametrize("table", [table.name for table in records.TABLES])
def test_every_planted_defect_is_set_aside_by_its_reason_and_nothing_else(demo, table):
    aside = demo.found[table].quarantine
    found = {
        reason: set(zip(rows["source_file"], rows["source_row"], strict=True))
        for reason, rows in aside.groupby("reason")
    }
    expected = {
        reason: demo.planted(table, {kind for kind, means in REASONS.items() if means == reason})
        for reason in set(REASONS.values())
    }
    assert found == {reason: rows for reason, rows in expected.items() if rows}


@pytest.mark.parametrize("table", [table.name for table in records.TABLES])
def test_copies_are_merged_and_the_first_of_them_stays(demo, table):
    kept, aside = demo.kept(table), demo.found[table].quarantine
    stayed = {
        (file, row)
        for part in (kept, aside)
        for file, row in zip(part["source_file"], part["source_row"], strict=True)
    }
    came = demo.collected[table].rows.select([sources.FILE, sources.ROW]).to_pylist()
    came = {(line[sources.FILE], line[sources.ROW]) for line in came}
    assert came - stayed == demo.planted(table, {"exact_duplicates"})


@pytest.mark.parametrize("table", [table.name for table in records.TABLES if table.column("known")])
def test_strangers_are_kept_and_not_known(demo, table):
    kept = demo.kept(table)
    known = kept["known"] & kept.get("other_known", True)
    odd = kept[~known & kept["customer_id"].notna()]
    assert set(zip(odd["source_file"], odd["source_row"], strict=True)) == demo.planted(table, {"strangers"})


def test_the_ledger_counts_the_rows_the_maker_counted_and_balances_in_money(demo):
    total = ledger.totals(delivery.account(demo.found, demo.collected)).set_index("table")
    for table in records.TABLES:
        true = demo.truth["ledger"][table.name]
        assert {column: int(total.loc[table.name, column]) for column in true} == true


@pytest.fixture(scope="module")
def committed():
    """The demo as it is committed: made again, and as its files are read."""
    delivered, truth, client = builders.demo(demo_maker().SEED)
    return (delivered, truth), client


def test_the_truth_of_the_demo_is_what_the_maker_makes(committed):
    # whoever changes the maker must make the demo again
    (_, truth), _ = committed
    written = json.loads((demo_maker().HERE / "truth.json").read_text("utf-8"))
    assert written == json.loads(json.dumps(truth))


@pytest.mark.parametrize(
    "table",
    [pytest.param(table, id=table.name) for table in records.TABLES],
)
def test_the_files_of_the_demo_are_read_as_they_were_made(committed, table):
    (delivered, _), client = committed
    given = {"table": table, "delivered_on": client.delivered_on, "known": None}
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("CRM_HOME", raising=False)
        read = sources.collected(client, table.name)
    made = together(table.name, delivered, client)
    # headers that come again and lines of totals leave at reading
    assert sorted(read.broken["reason"]) == sorted(made.broken["reason"])
    # a title above the header moves the rows of the one
    place = ["source_file", "source_row"]
    of_files, as_made = (
        records.records(part, client, **given).kept.drop_columns(place) for part in (read, made)
    )
    assert of_files.equals(as_made)


def test_complaints_pile_up_and_wait_before_the_scores_fall(demo):
    true = demo.truth["truths"]["complaints_before_the_fall"]
    place = demo.kept("customers").set_index("customer_id")["region"]
    asked = demo.kept("interactions")
    asked = asked[(asked["kind"] == "complaint") & asked["known"] & (asked["source_file"] == "service.xlsx")]
    asked = asked.assign(there=asked["customer_id"].map(place) == true["province"])
    quarters = {
        "2024-Q1": "2024-01-01",
        "2024-Q2": "2024-04-01",
        "2024-Q3": "2024-07-01",
        "2024-Q4": "2024-10-01",
    }
    ends = [*list(quarters.values())[1:], "2025-01-01"]
    for (name, begin), end in zip(quarters.items(), ends, strict=True):
        now = asked[asked["opened_day"].between(day(begin), day(end) - 1)]
        for where, rows in {"there": now[now["there"]], "elsewhere": now[~now["there"]]}.items():
            waited = (rows["resolved_at"] - rows["opened_at"]).dropna()
            assert true[name][where] == {
                "complaints": len(rows),
                "after_sales": int((rows["topic"] == "售后").sum()),
                "resolved": len(waited),
                "minutes": int(waited.dt.total_seconds().sum() / 60),
            }
    assert true["2024-Q3"]["there"]["after_sales"] > 10 * max(true["2024-Q2"]["there"]["after_sales"], 1)


def test_loans_are_granted_by_grade_as_planted(demo):
    true = demo.truth["truths"]["loans"]
    kept = demo.kept("applications")
    decided = kept[kept["known"] & kept["decided_day"].between(day("2024-01-01"), day("2024-12-31"))]
    for grade, rows in decided.groupby("credit_grade"):
        approved = int((rows["decision"] == "approved").sum())
        assert {"approved": approved, "decided": len(rows)} == true["grade"][grade]
    assert set(kept["decision"]) == {"approved", "declined", "pending"}
    rate = {grade: counts["approved"] / counts["decided"] for grade, counts in true["grade"].items()}
    assert rate["AAA"] > rate["BB"]


def test_what_it_cost_to_win_customers_is_the_makers_to_the_cent(demo):
    true = demo.truth["truths"]["costs"]
    kept = demo.kept("costs")
    won = kept[
        (kept["kind"] == "acquisition") & kept["cost_day"].between(day("2024-10-01"), day("2024-12-31"))
    ]
    assert int(won["amount"].sum()) == true["2024-Q4"]["acquisition"]
    assert true["2024-Q4"]["first_sales"] == demo.truth["facts"]["2024-Q4"]["customers_new"]


def test_the_influencers_beside_key_customers_are_dissatisfied(demo):
    true = demo.truth["truths"]["relationship_risks"]
    answers = demo.kept("surveys")
    judged = classes.satisfaction(answers[answers["known"]], Classes().satisfaction)
    ties = demo.kept("relations")
    ties = ties[ties["kind"] == "influencer"].groupby("customer_id")["other_id"].agg(set)
    champions = set(demo.truth["truths"]["champions"]["ids"])
    assert len(true["unhappy_influencers"]) == 6
    for who, reached in true["unhappy_influencers"].items():
        assert judged[who] == "dissatisfied"
        assert set(reached) <= ties[who]
        assert set(reached) & champions
    rivals = demo.kept("relations").query("kind == 'competitor'")
    assert set(true["rivals_of_key_customers"]) <= set(rivals["customer_id"])


def test_firms_served_at_a_loss_stand_out_in_the_view(demo):
    seen = view.view(demo.found).to_pandas().set_index("customer_id")
    assert len(seen) == len(demo.known)
    true = demo.truth["truths"]["costs"]["served_at_a_loss"]
    assert len(true) >= 6
    assert seen.loc[list(true), "cost_to_serve"].tolist() == list(true.values())
    # eight quarters at some 9,000 yuan, where a large firm costs 2,600
    assert min(true.values()) > seen.loc[seen["cost_to_serve"] > 0, "cost_to_serve"].median()
    covered = view.coverage(demo.found).set_index("table")
    assert covered.loc["feedback", "strangers"] == 9  # three in each of three files
    assert covered.loc["needs", "nameless"] == 0
    assert covered.loc["needs", "customers"] == demo.kept("needs").query("known")["customer_id"].nunique()
