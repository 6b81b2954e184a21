"""Needs, feedback, service, relations, costs, campaigns, loans: what is kept, what is set aside and why."""

import datetime as dt
import itertools

import pytest
from builders import CONFIG, ORDERS, day, made, text
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crmlib import tables
from crmlib.cleaning import delivery, ledger, records
from crmlib.collection import sources
from crmlib.errors import SchemaError, SourceError
from crmlib.language import WORDS

COLUMNS = {
    "needs": "customer_id: who, asked_day: on, need: need, price_sensitivity: price, comment: said",
    "feedback": "customer_id: who, said_day: on, kind: kind, rating: stars, text: said",
    "interactions": "customer_id: who, opened_at: opened, answered_at: answered, resolved_at: done, kind: kind, "
    "sentiment: mood",
    "relations": "customer_id: who, other_id: whom, kind: kind, strength: weight, since_day: since",
    "costs": "customer_id: who, cost_day: on, kind: kind, channel: channel, amount: amount",
    "campaigns": "campaign: name, began_day: from, ended_day: to, reach: reach, cost: cost",
    "market": "asked_day: on, segment: whom, firm: firm, question: what, answer: share, respondents: asked",
    "applications": "customer_id: who, applied_day: on, decided_day: decided, amount: amount, term_months: months, "
    "credit_grade: grade, decision: decision",
}
HEADERS = {
    name: ",".join(pair.split(": ")[1] for pair in columns.split(", ")) for name, columns in COLUMNS.items()
}
# One good record of each table.
GOOD = {
    "needs": "c1,2024-06-01,价格敏感型,4,便宜一点",
    "feedback": "c1,2024-06-01,投诉,2,too slow",
    "interactions": "c1,2024-06-01 09:30,2024-06-01 10:00,2024-06-03 12:00,投诉,负面",
    "relations": "c1,c2,合作伙伴,0.5,2020-01-01",
    "costs": "c1,2024-06-01,服务,branch,12.50",
    "campaigns": "Spring,2024-04-01,2024-04-30,1000,5000",
    "market": "2024-06-01,个人客户,本行,品牌知名度,45.5%,400",
    "applications": "c1,2024-06-01,2024-06-20,100000,36,AA,批准",
}


def config(*names: str, more: str = "") -> str:
    """A client with these tables beside its order lines."""
    return CONFIG + "".join(
        f"  {name}:\n    files: [{name}.csv]\n    columns: {{{COLUMNS[name]}}}\n{more}" for name in names
    )


@pytest.fixture
def clean(home):
    def cleaned(name: str, *rows: str, known=frozenset({"c1", "c2"}), more: str = "", settings: str = ""):
        client = made(home, config(name, more=more) + settings, files={})
        collected = sources.from_text(name, text(HEADERS[name], *rows))
        return records.records(
            collected, client, table=tables.ALL[name], delivered_on=dt.date(2025, 1, 6), known=known
        )

    return cleaned


def aside(found) -> list[tuple]:
    """Row, reason, header at fault and money of what was set aside."""
    return list(
        found.quarantine[["source_row", "reason", "column", "money"]].itertuples(index=False, name=None)
    )


def ends(found) -> tuple[int, ...]:
    """Rows in, kept, merged, set aside; money alike."""
    line = ledger.totals(found.ledger).iloc[0]
    return tuple(int(line[column]) for column in [*ledger.TOTALS, *ledger.MONEYS])


def only(found) -> dict:
    (row,) = found.kept.to_pylist()
    return row


def test_a_loan_application_is_typed_and_its_decision_brought_to_one_word(clean):
    assert only(clean("applications", GOOD["applications"])) == {
        "customer_id": "c1",
        "known": True,
        "application_id": None,
        "applied_day": day("2024-06-01"),
        "decided_day": day("2024-06-20"),
        "product": None,
        "purpose": None,
        "amount": 10000000,  # 100,000.00 in cents
        "term_months": 36.0,
        "credit_grade": "AA",
        "decision": "approved",
        "source_file": "memory",
        "source_row": 2,
    }


def test_a_service_record_keeps_its_hours_and_gets_its_day(clean):
    row = only(clean("interactions", GOOD["interactions"]))
    assert row["opened_at"] == dt.datetime(2024, 6, 1, 9, 30)
    assert row["answered_at"] == dt.datetime(2024, 6, 1, 10, 0)
    assert row["resolved_at"] == dt.datetime(2024, 6, 3, 12, 0)
    assert (row["opened_day"], row["kind"], row["sentiment"]) == (day("2024-06-01"), "complaint", "negative")


@pytest.mark.parametrize(
    ("name", "column", "place", "words"),
    [
        ("relations", "kind", 2, {"竞争对手": "competitor", "Partner": "partner", "影響者": "influencer"}),
        ("relations", "kind", 2, {"supplier": "supplier", "母公司": "母公司"}),
        ("costs", "kind", 2, {"获客": "acquisition", "SERVE": "serve", "rent": "rent"}),
        (
            "applications",
            "decision",
            6,
            {"通过": "approved", "拒绝": "declined", "審批中": "pending", "撤回": "撤回"},
        ),
        ("feedback", "kind", 2, {"访谈": "interview", "评价": "review", "Praise": "praise", "闲聊": "闲聊"}),
        ("interactions", "kind", 4, {"咨询": "enquiry", "售后": "after_sales", "发帖": "post", "fax": "fax"}),
        ("market", "question", 3, {"品牌知名度": "awareness", "First choice": "preference", "口碑": "口碑"}),
        ("market", "firm", 2, {"本行": "us", "华信银行": "华信银行"}),
        ("needs", "need", 2, {"品质追求型": "quality_seeking", "随便": "随便"}),
    ],
)
def test_words_that_are_counted_by_have_one_form_and_others_stay(clean, name, column, place, words):
    rows = []
    for word in words:
        cells = GOOD[name].split(",")
        cells[place] = word
        rows.append(",".join(cells))
    assert clean(name, *rows).kept[column].to_pylist() == list(words.values())


# table, row, reason, header at fault, money in cents
DEFECTS = [
    ("relations", "c1,,partner,1,", "missing-id", "whom", 0),
    ("relations", ",c2,partner,1,", "missing-id", "who", 0),
    ("relations", "c1,c2,partner,strong,", "unreadable-number", "weight", 0),
    ("campaigns", ",2024-04-01,2024-04-30,1000,5000", "missing-name", "name", 500000),
    ("campaigns", "Spring,2024-04-30,2024-04-01,1000,5000", "impossible-order", "to", 500000),
    ("campaigns", "Spring,2024-04-01,2024-04-30,-5,5000", "negative-amount", "reach", 500000),
    ("campaigns", "Spring,2024-04-01,2024-04-30,10.5,5000", "unreadable-number", "reach", 500000),
    ("market", "2024-06-01,个人客户,本行,,45%,400", "missing-name", "what", 0),
    ("market", "2024-06-01,个人客户,本行,品牌知名度,约半,400", "unreadable-number", "share", 0),
    ("market", "2024-06-01,个人客户,本行,品牌知名度,45%,-400", "negative-amount", "asked", 0),
    ("feedback", "c1,,complaint,2,slow", "missing-date", "on", 0),
    ("feedback", "c1,2024-02-30,complaint,2,slow", "unreadable-date", "on", 0),
    ("feedback", "c1,2025-01-07,complaint,2,slow", "future-date", "on", 0),
    ("feedback", "c1,2024-06-01,complaint,two,slow", "unreadable-number", "stars", 0),
    ("needs", "c1,,price,4,", "missing-date", "on", 0),
    ("costs", "c1,2024-06-01,serve,web,", "missing-number", "amount", 0),
    ("costs", "c1,2024-06-01,serve,web,-12.50", "negative-amount", "amount", -1250),
    ("costs", "c1,2024-06-01,serve,web,面议", "unreadable-number", "amount", 0),
    ("costs", "c1,2024-06-01,serve,web,9999999999999", "unreadable-number", "amount", 0),
    ("costs", "合计,,,,12345", "not-a-record", "", 0),
    ("applications", "c1,2024-06-20,2024-06-01,100,36,AA,批准", "impossible-order", "decided", 10000),
    ("applications", "c1,2024-06-20,soon,100,36,AA,批准", "unreadable-date", "decided", 10000),
    ("applications", "c1,2024-06-20,2025-02-01,100,36,AA,批准", "future-date", "decided", 10000),
    ("applications", "c1,2024-06-20,,100,-36,AA,审批中", "negative-amount", "months", 10000),
    ("interactions", "c1,2024-06-01 09:30,2024-06-01 09:29,,投诉,", "impossible-order", "answered", 0),
    ("interactions", "c1,2024-06-01 09:30,,2024-05-31,投诉,", "impossible-order", "done", 0),
    ("interactions", "c1,2025-01-07 00:00,,,投诉,", "future-date", "opened", 0),
]


@pytest.mark.parametrize(("name", "row", "reason", "header", "money"), DEFECTS)
def test_a_record_that_cannot_be_is_set_aside_with_its_reason_and_cell(
    clean, name, row, reason, header, money
):
    found = clean(name, GOOD[name], row)
    assert aside(found) == [(3, reason, header, money)]
    assert found.kept["source_row"].to_pylist() == [2]


def test_an_answer_noted_by_its_day_alone_is_not_before_the_question_of_that_day(clean):
    found = clean("interactions", "c1,2024-06-01 09:30,2024-06-01,,投诉,")
    assert only(found)["answered_at"] == dt.datetime(2024, 6, 1)


def test_a_campaign_may_still_be_running_after_the_delivery(clean):
    assert only(clean("campaigns", "New year,2025-01-01,2025-02-28,10,5000"))["ended_day"] == day(
        "2025-02-28"
    )


def test_a_relation_needs_no_day_and_a_pending_application_no_decision_day(clean):
    assert only(clean("relations", "c1,c2,partner,,"))["since_day"] is None
    assert only(clean("applications", "c1,2024-12-30,,5000,12,A,pending"))["decided_day"] is None


def test_an_exact_copy_is_merged_and_the_first_stays_unless_the_client_keeps_copies(clean):
    rows = [GOOD["costs"], "c2,2024-06-01,serve,web,1", GOOD["costs"]]
    merged = clean("costs", *rows)
    assert merged.kept["source_row"].to_pylist() == [2, 3]
    # 12.50 + 1 + 12.50 = 26; 13.50 stay, 12.50 are merged
    assert ends(merged) == (3, 2, 1, 0, 2600, 1350, 1250, 0)
    kept = clean("costs", *rows, more="    exact_duplicates: keep\n")
    assert ends(kept) == (3, 3, 0, 0, 2600, 2600, 0, 0)


def test_records_of_nobody_and_of_strangers_are_kept_and_not_known(clean):
    found = clean("feedback", GOOD["feedback"], ",2024-06-01,review,5,nice", "x9,2024-06-01,review,5,nice")
    assert found.kept.select(["customer_id", "known"]).to_pylist() == [
        {"customer_id": "c1", "known": True},
        {"customer_id": None, "known": False},
        {"customer_id": "x9", "known": False},
    ]
    assert found.quarantine.empty


def test_both_ends_of_a_relation_may_be_strangers(clean):
    found = clean("relations", "c1,x9,partner,1,", "x9,c1,partner,1,").kept
    assert found.select(["known", "other_known"]).to_pylist() == [
        {"known": True, "other_known": False},
        {"known": False, "other_known": True},
    ]


def test_whoever_is_named_is_known_where_nobody_tells_who_is(clean):
    found = clean("feedback", GOOD["feedback"], ",2024-06-01,review,5,nice", known=None)
    assert found.kept["known"].to_pylist() == [True, False]


def test_a_source_column_that_is_called_like_one_of_ours_is_not_taken_for_it(home):
    columns = "{customer_id: who, cost_day: on, amount: real}"
    client = made(home, CONFIG + f"  costs:\n    files: [c.csv]\n    columns: {columns}\n", files={})
    rows = text("who,on,real,amount,cost_day,copy,no_record", "c1,2024-06-01,7,soon,never,x,y")
    found = records.records(
        sources.from_text("costs", rows),
        client,
        table=tables.COSTS,
        delivered_on=dt.date(2025, 1, 6),
        known={"c1"},
    )
    assert (only(found)["amount"], only(found)["cost_day"]) == (700, day("2024-06-01"))


def test_dates_that_mostly_cannot_be_read_are_a_question_of_form(clean):
    with pytest.raises(SourceError) as refused:
        clean("feedback", "c1,3rd of April,review,5,a", "c1,week 15,review,5,b", GOOD["feedback"])
    assert str(refused.value) == (
        "feedback: 2 of 3 dates in column 'on' cannot be read. Year-first dates are read as they are; for any "
        'other form say date_format in client.yml, as in date_format: "%d/%m/%Y".'
    )


def test_money_finer_than_the_client_keeps_is_refused_not_rounded(clean):
    with pytest.raises(SchemaError) as refused:
        clean("costs", GOOD["costs"], "c1,2024-06-01,serve,web,0.125", "c1,2024-06-02,serve,web,0.001")
    assert str(refused.value) == (
        "costs: 2 amounts (the first in memory, row 3) are finer than 2 decimals. "
        "Say decimals: 3 in client.yml, or round them in the source."
    )


def test_every_reason_has_a_sentence_for_readers():
    assert [reason for reason in records.STEPS if reason not in WORDS] == []
    assert [table.name for table in records.TABLES if table.name not in WORDS] == []


CELL = st.sampled_from(
    ["", "c1", "x", "2024-06-01", "2024-13-01", "2026-01-01", "-3", "7", "1.25", "合计", "投诉", "N/A"]
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(sorted(COLUMNS)), data=st.data(), keep=st.booleans())
def test_no_record_is_lost_whatever_a_firm_sends(home, name, data, keep):
    width = len(HEADERS[name].split(","))
    dirty = data.draw(st.lists(st.tuples(*[CELL] * width), max_size=12))
    # as many good dates as bad ones, or the file is refused as a whole
    rows = [",".join(row) for row in dirty] + [GOOD[name]] * len(dirty)
    client = made(home, config(name, more="    exact_duplicates: keep\n" if keep else ""), files={})
    collected = {name: sources.from_text(name, text(HEADERS[name], *rows))}
    found = records.records(
        collected[name], client, table=tables.ALL[name], delivered_on=dt.date(2025, 1, 6), known={"c1"}
    )
    delivery.account({name: found}, collected)  # refuses what does not balance, in rows or in money
    merged = int(found.ledger["rows_merged"].sum())
    assert found.kept.num_rows + len(found.quarantine) + merged == len(rows)
    seen = found.kept["source_row"].to_pylist() + found.quarantine["source_row"].tolist()
    assert len(seen) == len(set(seen))


SUBSETS = [
    chosen for size in range(len(COLUMNS) + 1) for chosen in itertools.combinations(sorted(COLUMNS), size)
]


@pytest.mark.parametrize("chosen", SUBSETS[::13], ids=lambda chosen: "+".join(chosen) or "none")
def test_a_delivery_of_any_of_the_optional_tables_is_collected_cleaned_and_balances(home, chosen):
    files = {f"{name}.csv": f"{HEADERS[name]}\n{GOOD[name]}\n{GOOD[name]}\n" for name in chosen}
    client = made(home, config(*chosen), files={"orders.csv": ORDERS} | files)
    collected = sources.delivery(client)
    sources.write(client, collected)
    found = delivery.cleaned(sources.as_collected(client), client, delivered_on=client.delivered_on)
    total = ledger.totals(delivery.account(found, collected)).set_index("table")
    assert set(total.index) == {"transactions", *chosen}
    assert [tuple(total.loc[name, ledger.TOTALS]) for name in chosen] == [(2, 1, 1, 0)] * len(chosen)
    lines = delivery.account(found, collected)
    tables.write(lines, client.delivery, tables.LEDGER)
    for name in chosen:
        tables.write(found[name].kept, client.delivery, tables.ALL[name])
    for name in COLUMNS:  # absent is not supplied, never empty
        kept = tables.supplied(client.delivery, tables.ALL[name])
        assert (None if kept is None else len(kept)) == (1 if name in chosen else None)


@pytest.mark.parametrize(
    ("name", "columns", "needs"),
    [
        ("costs", "customer_id: who", "amount"),
        ("applications", "applied_day: on", "applied_day and decision"),
        ("relations", "customer_id: who", "customer_id and other_id"),
        (
            "needs",
            "customer_id: who",
            "need or product_preference or price_sensitivity or service_expectation",
        ),
        ("feedback", "text: said", "said_day and text or rating and said_day or said_day and topic"),
    ],
)
def test_a_mapping_that_lacks_what_the_table_is_about_says_what_it_needs(home, name, columns, needs):
    extra = f"  {name}:\n    files: [x.csv]\n    columns: {{{columns}}}\n"
    client = made(home, CONFIG + extra, {"orders.csv": ORDERS, "x.csv": "who,on,said\nc1,2024-01-01,hi\n"})
    with pytest.raises(SourceError) as refused:
        sources.delivery(client)
    mapped = columns.split(":")[0]
    assert str(refused.value) == (
        f"data/acme/client.yml: tables.{name}.columns needs {needs}; it has {mapped}."
    )


def test_what_cleaning_adds_cannot_be_mapped(home):
    extra = "  costs:\n    files: [x.csv]\n    columns: {amount: a, known: k}\n"
    with pytest.raises(SourceError, match=r"tables\.costs\.columns\.known is no column of costs\."):
        sources.delivery(made(home, CONFIG + extra))


def test_of_the_other_end_of_a_relation_not_even_a_sum_is_told(home):
    from crmlib.collection import accounts

    extra = "  relations:\n    files: [r.csv]\n    columns: {customer_id: who, other_id: whom}\n"
    client = made(home, CONFIG + extra, {"orders.csv": ORDERS, "r.csv": "who,whom,w\n1,2,3\n4,5,6\n"})
    told = accounts.delivered(sources.delivery(client)["relations"])
    assert {id for id in told if id.endswith("sum")} == {"delivered.relations.w.sum"}


def test_rows_without_a_day_belong_to_every_period(home):
    client = made(home, config("relations"), {"orders.csv": ORDERS})
    collected = sources.from_text(
        "relations", text(HEADERS["relations"], "c1,c2,partner,1,2024-11-01", "c2,c1,partner,1,")
    )
    found = records.records(
        collected, client, table=tables.RELATIONS, delivered_on=dt.date(2025, 1, 6), known={"c1", "c2"}
    )
    tables.write(found.kept, client.delivery, tables.RELATIONS)
    seen = tables.frame(client.delivery, tables.RELATIONS, until=day("2024-10-31"))
    assert seen["customer_id"].tolist() == ["c2"]
    lazily = tables.relation(client.delivery, tables.RELATIONS, until=day("2024-10-31"))
    assert [row[0] for row in lazily.fetchall()] == ["c2"]
