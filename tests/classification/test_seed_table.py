"""Seed table in, seed table out (B01): the source's three rows through the whole chain, and one threshold at a time."""

import datetime as dt
import io

import builders
import openpyxl
import pandas as pd
import pytest
from builders import day, made

from crmlib import tables
from crmlib.classification import classes, facts, migration, passage, rfm, stated, tiers
from crmlib.cleaning import delivery as cleaning
from crmlib.collection import sources
from crmlib.findings import Book
from crmlib.period import Period

CONFIG = """\
name: 公司
currency: CNY
tables:
  tiers:
    files: [t.csv]
    columns: {name: 客户名称, contact: 联系方式, industry: 所属行业, orders: 历史购买记录, spend: 消费金额,
      profit: 利润贡献, frequency: 购买频率, activity: 活跃度, loyalty: 忠诚度, need: 需求和偏好, satisfaction: 满意度,
      tier: 分级}
"""
USUAL = {"spend": (10000, 5000), "profit": (5000, 2000), "tier": (2.5, 1.5)}
AS_OF = day("2024-12-31")


def yaml(weights: str = "{}", **cuts: tuple) -> str:
    """client.yml with absolute cuts; what is not said is as in the three rows."""
    told = {name: f"{{high: {high}, medium: {medium}}}" for name, (high, medium) in (USUAL | cuts).items()}
    value = f"{{spend: {told['spend']}, profit: {told['profit']}}}"
    return CONFIG + f"classes:\n  value: {value}\n  tier: {{cuts: {told['tier']}, weights: {weights}}}\n"


def chain(home, config: str):
    """Collection, cleaning and classification of the three rows: the client, what is known, and the classes."""
    content = "\n".join(",".join(row) for row in (builders.SEED_HEADER, *builders.SEED)) + "\n"
    client = made(home, config, files={"t.csv": content})
    collected = sources.delivery(client)
    found = cleaning.cleaned(collected, client, delivered_on=dt.date(2025, 1, 6))
    cleaning.write(found, collected, client)
    tables.write(cleaning.account(found, collected), client.delivery, tables.LEDGER)
    known, said = facts.known(client, as_of=AS_OF), stated.stated(client, as_of=AS_OF)
    scores = rfm.rfm(known, client.classes.rfm)
    judged = classes.classes(known, scores, None, client.classes, decimals=client.decimals, stated=said)
    return client, known, said, judged


def table(home, config: str) -> pd.DataFrame:
    client, known, _, judged = chain(home, config)
    people = tables.customers(client.delivery, until=AS_OF)
    return tiers.tiers(known, judged, people, currency=client.currency, decimals=client.decimals)


def test_the_seed_table_comes_back_byte_for_byte(home):
    shown = table(home, yaml())
    assert list(shown.columns) == builders.SEED_HEADER
    assert shown.values.tolist() == builders.SEED


def test_without_cuts_three_customers_are_too_few_and_the_report_says_so(home):
    client, known, _, judged = chain(home, CONFIG)
    assert set(judged["tier"]) == {"not_graded"}
    people = tables.customers(client.delivery, until=AS_OF)
    shown = tiers.tiers(known, judged, people, currency="CNY", decimals=2)
    assert set(shown["分级"]) == {"未分级"}
    assert shown.sort_values("客户名称").iloc[:, :-1].values.tolist() == [row[:-1] for row in builders.SEED]
    few = "Too few customers for classes by share, so none has a tier; give absolute cuts in client.yml."
    book = Book("03-classification", client, Period.parse("2024-Q4"))
    n = classes.graded_customers(judged)
    assert book.say("x", {}, when=True, n=n, at_least=1, yes="yes", no="no", few=few).sentence == few


SPEND, PROFIT = "{frequency: 0, loyalty: 0, lifetime: 0}", "{frequency: 0, loyalty: 0, spend: 0}"
HIGH, MEDIUM, LOW = "高价值客户", "中价值客户", "低价值客户"


# Means of the four parts: A 3, B 2, C 1.
@pytest.mark.parametrize(
    ("weights", "changed", "name", "tier"),
    [
        ("{}", {"tier": (3.5, 1.5)}, "客户A", MEDIUM),
        ("{}", {"tier": (2, 1.5)}, "客户B", HIGH),
        ("{}", {"tier": (2.5, 2.25)}, "客户B", LOW),
        ("{}", {"tier": (2.5, 1)}, "客户C", MEDIUM),
        ("{}", {"spend": (10001, 5000)}, "", ""),  # A: (3 + 2 + 3 + 3) ÷ 4 = 2.75 is high still
        (SPEND, {"spend": (10001, 5000)}, "客户A", MEDIUM),
        (SPEND, {"spend": (5000, 4999)}, "客户B", HIGH),
        (SPEND, {"spend": (10000, 5001)}, "客户B", LOW),
        (SPEND, {"spend": (10000, 2000)}, "客户C", MEDIUM),
        (SPEND, {"profit": (5001, 5000)}, "", ""),
        (PROFIT, {"profit": (5001, 2000)}, "客户A", MEDIUM),
        (PROFIT, {"profit": (5000, 1000)}, "客户C", MEDIUM),
    ],
)
def test_one_threshold_changes_exactly_the_rows_it_should(home, weights, changed, name, tier):
    shown = table(home, yaml(weights, **changed)).sort_values("客户名称")
    expected = [[*row[:-1], tier] if row[0] == name else row for row in builders.SEED]
    assert shown.values.tolist() == expected


@pytest.mark.parametrize(
    ("weights", "changed", "row"),
    [
        (SPEND, {"spend": (10001, 5000)}, ["客户A", "high", "medium", "spend"]),
        (PROFIT, {"profit": (5000, 1000)}, ["客户C", "low", "medium", "lifetime"]),
        ("{}", {"tier": (2, 1.5)}, ["客户B", "medium", "high", "tier_cuts"]),
        # Activity and satisfaction are asked as well: B is content, (2 + 3) ÷ 2 is high.
        (
            "{frequency: 0, loyalty: 0, lifetime: 0, satisfaction: 1}",
            {},
            ["客户B", "medium", "high", "satisfaction"],
        ),
    ],
)
def test_each_other_tier_than_the_given_one_is_explained_by_the_rule_that_decided(
    home, weights, changed, row
):
    client, known, said, judged = chain(home, yaml(weights, **changed))
    apart = tiers.regraded(judged, said, known, client.classes, decimals=2)
    assert apart[["customer_id", "given", "tier", "decided_by"]].values.tolist() == [row]


def book(home) -> openpyxl.Workbook:
    client, known, _, judged = chain(home, yaml())
    people = tables.customers(client.delivery, until=AS_OF)
    shown = tiers.tiers(known, judged, people, currency="CNY", decimals=2)
    now = passage.Known(known.assign(net=[1000000, 500000, 1234567]))
    way = passage.Passage(passage.Known(known), now, client.classes, client.classes, 2)
    moved = migration.moves(way, passage.steps(way))
    used = tiers.rules_used(client.classes)
    data = tiers.workbook(shown, counts=tiers.counts(judged), moved=moved, rules=used, decimals=2)
    return openpyxl.load_workbook(io.BytesIO(data))


def test_the_workbook_filters_keeps_its_header_in_sight_and_colours_by_word(home):
    workbook = book(home)
    assert workbook.sheetnames == ["客户分级", "规则", "分级统计", "变动"]
    page = workbook["客户分级"]
    assert [[cell.value for cell in row] for row in page.iter_rows()] == [
        builders.SEED_HEADER,
        *builders.SEED,
    ]
    assert {cell.data_type for row in page.iter_rows() for cell in row} == {"s"}
    assert (page.freeze_panes, page.auto_filter.ref) == ("B2", "A1:L4")
    assert page.column_dimensions["A"].width > 20
    rules = {
        str(area.sqref): [r.formula[0] for r in page.conditional_formatting[area]]
        for area in page.conditional_formatting
    }
    level = ['"高"', '"中"', '"低"']
    assert rules == {
        **dict.fromkeys(("G2:G4", "H2:H4", "I2:I4"), level),
        "K2:K4": ['"满意"', '"中立"', '"不满意"'],
        "L2:L4": ['"高价值客户"', '"中价值客户"', '"低价值客户"'],
    }
    for sheet in workbook:
        assert sheet.auto_filter.ref
        assert sheet.freeze_panes == "B2"


def test_the_sheet_of_changes_tells_the_cause_and_the_money(home):
    # C's spend of 12,345.67 is high, profit low: one part of two that are known of facts, (3 + 1) ÷ 2 = 2.
    rows = [[cell.value for cell in row] for row in book(home)["变动"].iter_rows()]
    assert rows == [
        [
            "客户编号",
            "客户名称",
            "上期分级",
            "本期分级",
            "变动原因",
            "依据",
            "上期值",
            "本期值",
            "本期净销售额",
            "较上期增减",
        ],
        ["客户C", "客户C", "低价值客户", "中价值客户", "金额", "累计净消费", 2000, 12345.67, 10345.67, None],
    ]


def test_a_table_without_a_day_tells_of_no_change(home):
    client, *_ = chain(home, yaml())
    way = passage.passage(client, Period.parse("2024-Q4"), client.classes)
    steps = passage.steps(way)
    moved = migration.moves(way, steps)
    assert (len(steps), len(moved), len(migration.flow(way, steps))) == (0, 0, 0)
    assert migration.told(moved, steps)["both"] == 0
    assert migration.by_cause(moved).empty
