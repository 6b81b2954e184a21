"""The twelve-column tier table: as firms know it, in Excel, and inert."""

import io
import re
import zipfile

import builders
import pandas as pd
import pytest
from builders import answers
from python_calamine import CalamineWorkbook

from crmlib import tables
from crmlib.classification import classes, migration, rfm, tiers
from crmlib.rules import Classes

RULES = Classes.model_validate(
    {
        "value": {
            "orders": {"high": 10, "medium": 5},
            "spend": {"high": 10000, "medium": 5000},
            "profit": {"high": 5000, "medium": 2000},
        },
        "frequency": {"cuts": {"high": 10, "medium": 5}},
        "loyalty": {"orders": {"high": 10, "medium": 5}, "tenure_days": {"high": 300, "medium": 200}},
    }
)


def people(*rows: dict) -> pd.DataFrame:
    full = [dict.fromkeys(tables.CUSTOMERS.schema.names) | row for row in rows]
    return pd.DataFrame(full, columns=tables.CUSTOMERS.schema.names)


def three():
    """Ten, five and two orders within one year; the third has been silent for 200 days."""
    known = builders.facts(
        {
            "customer_id": "3",
            "orders": 2,
            "gross": 200000,
            "net": 200000,
            "profit": 100000,
            "orders_a_year": 2.0,
            "recency_days": 200,
            "tenure_days": 199,
        },
        {
            "customer_id": "1",
            "orders": 10,
            "gross": 1000000,
            "net": 1000000,
            "profit": 500000,
            "orders_a_year": 10.0,
            "gap_days": 30.0,
            "recency_days": 60,
            "tenure_days": 330,
        },
        {
            "customer_id": "2",
            "orders": 5,
            "gross": 500000,
            "net": 500000,
            "profit": 200000,
            "orders_a_year": 5.0,
            "gap_days": 50.0,
            "recency_days": 101,
            "tenure_days": 299,
        },
    )
    said = answers(
        ("1", "2024-10-01", "overall", 5),
        ("2", "2024-10-01", "overall", 4),
        ("3", "2024-10-01", "overall", 1),
    )
    judged = classes.classes(known, rfm.rfm(known, RULES.rfm), said, RULES, decimals=2)
    listed = people(
        {
            "customer_id": "1",
            "name": "客户A",
            "contact": "12345678",
            "industry": "制造业",
            "need": "price_sensitive",
        },
        {
            "customer_id": "2",
            "name": "客户B",
            "contact": "87654321",
            "industry": "零售业",
            "need": "quality_seeking",
        },
        {
            "customer_id": "3",
            "name": "客户C",
            "contact": "12348765",
            "industry": "服务业",
            "need": "personalised",
        },
    )
    return known, judged, listed


def table() -> pd.DataFrame:
    known, judged, listed = three()
    return tiers.tiers(known, judged, listed, currency="CNY", decimals=2)


def written(shown: pd.DataFrame) -> bytes:
    _, judged, _ = three()
    moved = pd.DataFrame({"customer_id": ["1", "2"], "before": "low", "now": ["high", "medium"]})
    return tiers.workbook(shown, counts=tiers.counts(judged), moved=moved, rules=tiers.rules_used(RULES))


def sheet(data: bytes, name: str) -> list[list]:
    return CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_name(name).to_python()


def test_the_sources_three_customers_come_back_as_they_are():
    shown = table()
    assert list(shown.columns) == builders.SEED_HEADER
    assert shown.values.tolist() == builders.SEED


def test_excel_shows_the_twelve_columns_and_the_three_customers():
    assert sheet(written(table()), "客户分级") == [builders.SEED_HEADER, *builders.SEED]


def test_a_customer_nobody_described_shows_his_number_and_blanks():
    known, judged, _ = three()
    shown = tiers.tiers(known, judged.assign(satisfaction=None), people(), currency="CHF", decimals=2)
    assert shown.iloc[0].tolist() == [
        "1",
        "",
        "",
        "10次",
        "10000CHF",
        "5000CHF",
        "高",
        "高",
        "高",
        "",
        "",
        "高价值客户",
    ]


def test_spend_after_returns_keeps_its_cents_and_its_sign():
    known, judged, listed = three()
    known = known.assign(net=[-50, 123456, 100010], profit=pd.array([None, -1, 0], "Int64"))
    shown = tiers.tiers(known, judged, listed, currency="CNY", decimals=2)
    assert shown.loc[["3", "1", "2"], "消费金额"].tolist() == ["-0.5元", "1234.56元", "1000.1元"]
    assert shown.loc[["3", "1", "2"], "利润贡献"].tolist() == ["", "-0.01元", "0元"]


def test_a_customer_without_a_tier_is_said_to_have_none():
    known, judged, listed = three()
    shown = tiers.tiers(known, judged.assign(tier="not_graded"), listed, currency="CNY", decimals=2)
    assert set(shown["分级"]) == {"未分级"}


EVIL = [
    "=1+1",
    '=HYPERLINK("http://x","y")',
    "+1",
    "-1",
    "@SUM(A1)",
    "http://x.example",
    "{=A1}",
    "007",
    "\t=1",
    "<b>&",
]


@pytest.mark.parametrize("name", EVIL)
def test_a_customer_called_like_a_formula_stays_a_name(name):
    shown = table()
    shown["客户名称"] = [name, name, name]
    data = written(shown)
    assert [row[0] for row in sheet(data, "客户分级")[1:]] == [name] * 3
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        for part in packed.namelist():
            if part.startswith("xl/worksheets/"):
                text = packed.read(part).decode()
                assert not re.search(r"<f[ >]", text)
                assert "<hyperlink" not in text


def test_the_same_table_gives_the_same_bytes():
    assert written(table()) == written(table())


def test_the_companions_show_rules_counts_and_moves():
    data = written(table())
    rules = dict(sheet(data, "规则")[1:])
    assert rules["classes.value.spend.high"] == "10000.0"
    assert rules["classes.behaviour.active_days"] == "90"
    assert sheet(data, "分级统计")[:4] == [
        ["分类", "类别", "客户数", "占比"],
        *[["分级", f"{level}价值客户", 1, pytest.approx(1 / 3)] for level in "高中低"],
    ]
    head, *rows = sheet(data, "变动")
    assert head[:6] == ["客户编号", "客户名称", "上期分级", "本期分级", "变动原因", "依据"]
    assert head[6:] == ["上期值", "本期值", "本期净销售额", "较上期增减"]
    assert [row[:4] for row in rows] == [
        ["1", "客户A", "低价值客户", "高价值客户"],
        ["2", "客户B", "低价值客户", "中价值客户"],
    ]


def test_an_empty_table_is_still_a_workbook_with_its_headers():
    known, judged, listed = three()
    nobody = tiers.tiers(known.head(0), judged.head(0), listed, currency="CNY", decimals=2)
    moved = pd.DataFrame(columns=migration.MOVES)
    data = tiers.workbook(
        nobody, counts=tiers.counts(judged.head(0)), moved=moved, rules=tiers.rules_used(RULES)
    )
    assert sheet(data, "客户分级") == [builders.SEED_HEADER]
