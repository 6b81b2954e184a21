"""The firm's own twelve-column tier table, read as a source."""

import datetime as dt

import pytest
from builders import made, text
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlib import tables
from crmlib.cleaning import delivery, tier_table, words
from crmlib.collection import sources

COLUMNS = """{name: 客户名称, contact: 联系方式, industry: 所属行业, orders: 历史购买记录, spend: 消费金额,
      profit: 利润贡献, frequency: 购买频率, activity: 活跃度, loyalty: 忠诚度, need: 需求和偏好, satisfaction: 满意度,
      tier: 分级}"""
CONFIG = f"name: 公司\ncurrency: CNY\ntables:\n  tiers:\n    files: [t.csv]\n    columns: {COLUMNS}\n"
HEADER = (
    "客户名称,联系方式,所属行业,历史购买记录,消费金额,利润贡献,购买频率,活跃度,忠诚度,需求和偏好,满意度,分级"
)
# capabilities T01
A = "客户A,12345678,制造业,10次,10000元,5000元,高,高,高,价格敏感型,满意,高价值客户"
C = "客户C,12348765,服务业,2次,2000元,1000元,低,低,低,个性化需求,不满意,低价值客户"


@pytest.fixture
def clean(home):
    def cleaned(*rows: str, header: str = HEADER, config: str = CONFIG, numbers=None):
        client = made(home, config, files={})
        return tier_table.tiers(sources.from_text("tiers", text(header, *rows)), client, numbers=numbers)

    return cleaned


def kept(found) -> list[list]:
    own = [c for c in tables.TIERS.schema.names if not c.startswith("source_")]
    return [[row[c] for c in own] for row in found.kept.to_pylist()]


def test_the_twelve_columns_are_read_with_their_units_and_words(clean):
    found = clean(A, C)
    assert kept(found) == [
        [
            "客户A",
            "客户A",
            "12345678",
            "制造业",
            10,
            1000000,
            500000,
            "high",
            "high",
            "high",
            "price_sensitive",
            "satisfied",
            "high",
        ],
        [
            "客户C",
            "客户C",
            "12348765",
            "服务业",
            2,
            200000,
            100000,
            "low",
            "low",
            "low",
            "personalised",
            "dissatisfied",
            "low",
        ],
    ]
    assert found.people.select(["customer_id", "name", "contact", "industry", "need"]).to_pylist()[0] == {
        "customer_id": "客户A",
        "name": "客户A",
        "contact": "12345678",
        "industry": "制造业",
        "need": "price_sensitive",
    }


def test_traditional_characters_and_other_units_say_the_same(clean):
    found = clean(
        "客戶A,1,製造業,１０次,3.2万,¥1,234,高,中等,低,品質追求型,滿意,高價值客戶".replace(
            "¥1,234", "¥1234.50"
        )
    )
    assert kept(found)[0][4:] == [
        10,
        3200000,
        123450,
        "high",
        "medium",
        "low",
        "quality_seeking",
        "satisfied",
        "high",
    ]


def test_a_word_of_no_list_leaves_its_cell_empty_and_is_told(clean):
    found = clean(A.replace("制造业,10次", "制造业,").replace(",满意,高价值客户", ",还行,特级客户"))
    (row,) = kept(found)
    assert (row[4], row[11], row[12]) == (None, None, None)
    assert found.repairs.select(["column", "old", "rule"]).to_pylist() == [
        {"column": "分级", "old": "特级客户", "rule": "unknown-word"},
        {"column": "利润贡献", "old": "5000元", "rule": "currency"},
        {"column": "消费金额", "old": "10000元", "rule": "currency"},
        {"column": "满意度", "old": "还行", "rule": "unknown-word"},
    ]
    assert tier_table.unread(found).values.tolist() == [["分级", 1], ["满意度", 1]]


def test_lines_of_totals_copies_nameless_rows_and_unknown_units_are_accounted_for(clean):
    found = clean(A, A, "合计,,,12次,12000元,,,,,,,", ",1,,1次,1元,,,,,,,", C.replace("2次", "2头"))
    assert found.quarantine[["source_row", "reason", "column", "money"]].values.tolist() == [
        [4, "not-a-record", "", 1200000],
        [5, "missing-id", "", 100],
        [6, "unreadable-number", "历史购买记录", 200000],
    ]
    total = found.ledger
    assert (total["rows_in"].iloc[0], total["rows_kept"].iloc[-1], total["rows_merged"].sum()) == (5, 1, 1)
    # 10,000 twice, 12,000, 1 and 2,000 yuan
    assert (total["money_in"].iloc[0], total["money_kept"].iloc[-1]) == (3400100, 1000000)


def test_two_different_rows_of_one_name_are_two_customers_and_told_of(clean):
    other = A.replace("12345678", "99999999").replace("10次", "1次")
    first, second = clean(A, C, other), clean(other, C, A)
    own = [[row[0], row[1], row[2]] for row in kept(first)]
    assert own == [
        ["客户A (1)", "客户A", "12345678"],
        ["客户A (2)", "客户A", "99999999"],
        ["客户C", "客户C", "12348765"],
    ]
    assert kept(first) == kept(second)
    assert tier_table.namesakes(first) == {"names": 1, "rows": 2}


def test_rows_of_one_number_are_one_customer_the_later_row_winning(clean):
    config = CONFIG.replace("{name:", "{customer_id: 编号, name:")
    found = clean(f"7,{A}", f"7,{C}", header=f"编号,{HEADER}", config=config)
    assert [row[:2] for row in kept(found)] == [["7", "客户C"]]
    assert found.ledger["money_merged"].sum() == 1000000
    assert tier_table.namesakes(found) == {"names": 0, "rows": 0}


def test_a_name_that_one_customer_has_elsewhere_is_that_customer(home):
    config = CONFIG + (
        "  customers:\n    files: [c.csv]\n    columns: {customer_id: id, name: name}\n"
        "  transactions:\n    files: [o.csv]\n    columns: {customer_id: id, ordered_at: day, amount: paid}\n"
    )
    files = {
        "t.csv": f"{HEADER}\n{A}\n{C}\n",
        "c.csv": "id,name\n1,客户A\n2,客户C\n3,客户C\n",
        "o.csv": "id,day,paid\n1,2024-12-01,5\n",
    }
    client = made(home, config, files=files)
    collected = sources.delivery(client)
    found = delivery.cleaned(collected, client, delivered_on=dt.date(2024, 12, 31))
    # Two customers are called 客户C: which of them is meant nobody knows.
    assert found["tiers"].kept["customer_id"].to_pylist() == ["1", "客户C"]
    people = delivery.customer_table(found, collected, client).to_pylist()
    assert [(p["customer_id"], p["contact"], p["industry"]) for p in people] == [
        *(("1", "12345678", "制造业"), ("2", None, None)),
        ("3", None, None),
    ]


SPELT = [
    (
        words.LEVELS,
        {"高": "high", " 中 ": "medium", "低": "low", "ＨＩＧＨ": "high", "較高": "high", "Low": "low"},
    ),
    (words.CONTENT, {"满意": "satisfied", "不滿意": "dissatisfied", "中立": "neutral", "一般": "neutral"}),
    (words.TIERS, {"高价值客户": "high", "中價值客戶": "medium", "低": "low", "High value": "high"}),
    (words.MARKS, {"Yes": "yes", "否": "no", "1": "yes", "0": "no", "Stayed": "no", "已流失": "yes"}),
]


@pytest.mark.parametrize("words_of, cell, word", [(w, c, m) for w, spelt in SPELT for c, m in spelt.items()])
def test_words_are_known_in_both_scripts_and_in_english(words_of, cell, word):
    assert words.meaning(cell, words_of) == word


@pytest.mark.parametrize("words_of", [words.LEVELS, words.CONTENT, words.TIERS, words.MARKS])
def test_no_word_has_two_meanings(words_of):
    forms = [form for spelt in words_of.values() for form in spelt]
    assert len(forms) == len(set(forms))
    assert all(words.bare(form) == form for form in forms)


@settings(max_examples=60)
@given(st.text(max_size=8))
def test_any_text_is_one_word_or_none(cell):
    assert words.meaning(cell, words.LEVELS) in (None, "high", "medium", "low")
