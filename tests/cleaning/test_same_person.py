"""One customer under several numbers: what is merged, what is only listed, and what is left alone."""

import importlib.util
import logging
import random
import warnings
from pathlib import Path

import pandas as pd
import pytest
from builders import CONFIG, ORDERS, day, lines, made, text
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crmlib import tables
from crmlib.cleaning import delivery, same_person
from crmlib.cleaning.outcome import Cleaned
from crmlib.collection import sources
from crmlib.errors import ConfigError
from crmlib.rules import SamePerson

ROOT = Path(__file__).resolve().parent.parent.parent
RULE = SamePerson()


def folk(*rows: dict) -> pd.DataFrame:
    """Customers from what is said of them: nothing else is known."""
    empty = dict.fromkeys(tables.CUSTOMERS.schema.names)
    return pd.DataFrame([empty | row for row in rows], dtype=object)


def crowd(count: int, seed: int = 1) -> list[dict]:
    """Customers who have nothing to do with each other, in whose midst a few are looked at."""
    pick = random.Random(seed)
    surnames, given = "王李张刘陈杨黄赵吴周徐孙马朱胡", "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚玲桂英华"
    return [
        {
            "customer_id": f"x{n:04d}",
            "name": pick.choice(surnames) + pick.choice(given) + pick.choice(given),
            "contact": f"1500000{n:04d}",
            "birth_year": pick.randrange(1950, 2004),
            "gender": pick.choice("男女"),
            "city": pick.choice(
                ["广州市", "深圳市", "杭州市", "宁波市", "成都市", "武汉市", "西安市", "青岛市"]
            ),
            "industry": pick.choice(["制造业", "零售业", "服务业", "教育", "医疗"]),
        }
        for n in range(count)
    ]


ANN = {"name": "欧阳晓雯", "contact": "13900001111", "birth_year": 1980, "gender": "女", "city": "广州市"}
TWICE = [
    {"customer_id": "a1", "opened_day": day("2020-01-01"), **ANN},
    # the same in Traditional, full width and with the country's code, and no word of the year of birth
    {
        **ANN,
        "customer_id": "a0",
        "opened_day": day("2022-01-01"),
        "name": "歐陽曉雯",
        "contact": "＋86 139 0000 1111",
    }
    | {"birth_year": None},
]


def found(*rows: dict, rule: SamePerson = RULE) -> same_person.Matches:
    return same_person.same_person(folk(*rows), rule, country="CN")


def test_one_person_written_in_two_ways_is_one_and_the_older_number_stays():
    matches = found(*TWICE, *crowd(60))
    assert matches.merged == {"a0": "a1"}
    assert matches.groups == {"a1": ["a1", "a0"]}
    told = matches.pairs.iloc[0]
    assert told[["left", "right", "same", "near", "different", "fate"]].tolist() == [
        *("a0", "a1", "name,contact,gender,city", "", "", "merged")
    ]
    assert 0.99 <= told["probability"] <= 1


def test_a_firm_of_five_customers_finds_its_double_too():
    others = [
        {"customer_id": "b", "name": "王伟", "contact": "13900002222", "birth_year": 1975, "city": "深圳市"},
        {"customer_id": "c", "name": "李娜", "contact": "13900003333", "birth_year": 1990, "city": "广州市"},
        {"customer_id": "d", "name": "张敏", "contact": "13900004444", "birth_year": 1966, "city": "杭州市"},
    ]
    assert found(*TWICE, *others).merged == {"a0": "a1"}


def test_of_numbers_opened_on_unknown_days_the_smallest_stays():
    unknown = [row | {"opened_day": None} for row in TWICE]
    assert found(*unknown, *crowd(60)).merged == {"a1": "a0"}
    one = [TWICE[0] | {"opened_day": None}, TWICE[1]]
    assert found(*one, *crowd(60)).merged == {"a1": "a0"}


def test_a_name_alone_never_merges_however_rare():
    namesakes = [{"customer_id": n, "name": "欧阳晓雯"} for n in ("a0", "a1")]
    matches = found(*namesakes, *crowd(60), rule=SamePerson(merge_from=0.02, list_from=0.01))
    assert matches.merged == {}
    assert matches.candidates[["left", "right"]].values.tolist() == [["a0", "a1"]]


def test_numbers_and_names_alone_merge_nothing():
    rows = [
        {"customer_id": f"n{n}", "name": name}
        for n, name in enumerate(["张伟", "李芳", "张伟", "王磊", "李芳"])
    ]
    assert found(*rows).merged == {}


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(
            {"name": "欧阳国栋", "birth_year": 1952, "gender": "男"}, id="her father at her telephone"
        ),
        pytest.param({"name": "欧阳晓霞", "gender": "男"}, id="a brother whose name is a slip away"),
        pytest.param({"birth_year": 2006}, id="her daughter of the same name"),
        pytest.param({"name": "陈志强", "gender": "男"}, id="her husband"),
    ],
)
def test_relatives_at_one_telephone_are_never_merged(other):
    assert found(TWICE[0], ANN | {"customer_id": "a2"} | other, *crowd(60)).merged == {}


FIRM = {"contact": "020-88887777", "city": "广州市", "industry": "信息技术"}


@pytest.mark.parametrize(
    "name", ["广州瑞恒科技（集团）有限公司", "廣州瑞恆科技股份有限公司", "广州瑞恒科技 Co., Ltd."]
)
def test_a_firm_is_one_under_any_legal_form(name):
    firms = [
        {"customer_id": "f1", "name": "广州瑞恒科技有限公司", **FIRM},
        {"customer_id": "f2", "name": name, **FIRM},
    ]
    assert found(*firms, *crowd(60)).merged == {"f2": "f1"}


@pytest.mark.parametrize(
    "name", ["广州瑞恒物流有限公司", "广州瑞恒科技有限公司佛山分公司", "广州瑞恒科技二店"]
)
def test_firms_of_one_group_and_branches_of_one_firm_are_listed_and_not_merged(name):
    firms = [
        {"customer_id": "f1", "name": "广州瑞恒科技有限公司", **FIRM},
        {"customer_id": "f2", "name": name, **FIRM},
    ]
    matches = found(*firms, *crowd(60))
    assert matches.merged == {}
    assert matches.candidates[["left", "right"]].values.tolist() == [["f1", "f2"]]


def test_two_persons_are_not_joined_by_a_third_who_resembles_both():
    # Of the third neither the year of birth nor the gender is known: it may be either of them.
    parent = {
        "customer_id": "p",
        "name": "欧阳晓雯",
        "contact": "13900001111",
        "birth_year": 1955,
        "city": "广州市",
    }
    child, third = (
        parent | {"customer_id": "q", "birth_year": 1985},
        parent | {"customer_id": "r", "birth_year": None},
    )
    matches = found(parent, child, third, *crowd(60))
    assert matches.merged == {}
    assert {("p", "r"), ("q", "r")} <= set(
        zip(matches.candidates["left"], matches.candidates["right"], strict=True)
    )


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(order=st.randoms(use_true_random=False))
def test_the_order_of_the_rows_decides_nothing(order):
    rows = [*TWICE, *crowd(80), *(row | {"customer_id": f"y{n}"} for n, row in enumerate(crowd(6)))]
    expected = found(*rows)
    order.shuffle(rows)
    again = found(*rows)
    assert again.merged == expected.merged
    pd.testing.assert_frame_equal(again.pairs, expected.pairs)
    assert set(again.merged) | set(again.groups) <= {row["customer_id"] for row in rows}


@pytest.mark.parametrize("size", [0, 1, 2, 5, 29, 30, 31])
def test_a_table_of_any_size_has_an_answer(size):
    assert found(*crowd(size)).merged == {}


def test_customers_of_whom_nothing_is_known_have_an_answer():
    assert found(*({"customer_id": f"n{n}"} for n in range(40))).pairs.empty


def test_customers_who_are_all_alike_are_not_all_one():
    # A telephone that 300 share is a switchboard or a stopgap, and says nothing of who is meant.
    alike = [{"customer_id": f"n{n:03d}", "name": "散客", "contact": "13800138000"} for n in range(300)]
    assert found(*alike).merged == {}


def test_nothing_is_said_while_it_searches(capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a deprecation too
        found(*TWICE, *crowd(60))
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger().level == logging.WARNING


COLUMNS = "id,name,phone,born,sex,city,opened,changed"
CONFIG_P = CONFIG + (
    "  customers:\n    files: [c.csv]\n    columns: {customer_id: id, name: name, contact: phone, birth_year: born, "
    "gender: sex, city: city, opened_day: opened, updated_day: changed}\n"
)
ROWS = (
    "c1,欧阳晓雯,13900001111,1980,女,广州市,2020-01-01,2024-01-01",
    "c9,歐陽曉雯,+86 139 0000 1111,,女,佛山市,2022-01-01,2024-06-01",  # newer, without a year of birth
    "c2,王伟,13900002222,1975,男,深圳市,2019-01-01,2024-01-01",
)


@pytest.fixture
def cleaned(home):
    client = made(home, CONFIG_P, files={})
    orders = ORDERS.replace("A2,c2", "A2,c9").splitlines()
    came = {
        "customers": sources.from_text("customers", text(COLUMNS, *ROWS)),
        "transactions": sources.from_text("transactions", text(orders[0], *orders[1:])),
    }
    done = delivery.cleaned(came, client, delivered_on=client.delivered_on)
    delivery.account(done, came)
    return done, came


def test_of_each_field_the_newest_word_under_any_number_is_kept_and_the_oldest_opening(cleaned):
    done, _ = cleaned
    kept = done["customers"].kept.select(["customer_id", "name", "city", "birth_year", "opened_day"])
    assert kept.to_pylist() == [
        {
            "customer_id": "c1",
            "name": "歐陽曉雯",
            "city": "佛山市",
            "birth_year": 1980,
            "opened_day": day("2020-01-01"),
        },
        {
            "customer_id": "c2",
            "name": "王伟",
            "city": "深圳市",
            "birth_year": 1975,
            "opened_day": day("2019-01-01"),
        },
    ]
    step = done["customers"].ledger.set_index("step").loc["same-person"]
    assert (step["rows_in"], step["rows_kept"], step["rows_merged"]) == (3, 2, 1)


def test_orders_under_a_merged_number_are_the_customers_and_the_delivery_keeps_them_as_they_came(cleaned):
    done, came = cleaned
    assert done["transactions"].kept.select(["order_id", "customer_id", "known"]).to_pylist() == [
        {"order_id": order, "customer_id": "c1", "known": True} for order in ("A1", "A1", "A2", "TH1")
    ]
    assert came["transactions"].rows["customer"].to_pylist() == ["c1", "c1", "c9", "c1"]


def test_a_merge_is_told_with_its_evidence_and_what_it_is_worth(cleaned):
    done, _ = cleaned
    told = delivery.merged_numbers(done)
    assert told.drop(columns="probability").to_dict("records") == [
        # 2 × 10.50 + 3 + 100 are sold; the return is a line, and no sale
        {"customer_id": "c1", "numbers": 2, "agreeing": "name, contact, gender", "lines": 4, "money": 12_400}
    ]
    assert delivery.candidates(done).empty


def test_candidates_are_told_with_what_parts_them(home):
    client = made(home, CONFIG_P, files={})
    rows = (ROWS[0], ROWS[1].replace("女", "男"), ROWS[2])
    came = {
        "customers": sources.from_text("customers", text(COLUMNS, *rows)),
        "transactions": sources.from_text("transactions", text(*ORDERS.splitlines())),
    }
    done = delivery.cleaned(came, client, delivered_on=client.delivered_on)
    told = delivery.candidates(done).drop(columns="probability").to_dict("records")
    assert told == [
        {
            "customer_id": "c1",
            "other_id": "c9",
            "same": "name, contact",
            "near": "",
            "different": "gender, city",
        }
        | {"money": 2_400}
    ]
    assert delivery.merged_numbers(done).empty


def test_a_client_without_a_customer_table_has_nobody_merged(acme):
    came = {"transactions": sources.from_text("transactions", text(*ORDERS.splitlines()))}
    done = delivery.cleaned(came, acme, delivered_on=acme.delivered_on)
    assert delivery.merged_numbers(done).empty
    assert delivery.candidates(done).empty


def test_without_order_numbers_what_one_customer_bought_on_a_day_under_two_numbers_is_one_order():
    rows = lines(
        {"customer": "c1", "day": "2024-01-05", "amount": 100, "order": "@1"},
        {"customer": "c9", "day": "2024-01-05", "amount": 200, "order": "@2"},
        {"customer": "c9", "day": "2024-01-06", "amount": 300, "order": "@3"},
        {"customer": "c2", "day": "2024-01-05", "amount": 400, "order": "@4"},
        {"customer": None, "day": "2024-01-05", "amount": 500, "order": "@5"},
        {"customer": "c9", "day": "2024-01-05", "amount": 600, "order": "@home"},  # delivered so
    )
    part = Cleaned(rows, pd.DataFrame(), pd.DataFrame())
    united = same_person.united(part, tables.TRANSACTIONS, {"c9": "c1"}).kept
    assert united.select(["customer_id", "order_id"]).to_pydict() == {
        "customer_id": ["c1", "c1", "c1", "c2", None, "c1"],
        "order_id": ["@1", "@1", "@3", "@4", "@5", "@home"],
    }
    assert united.schema == tables.TRANSACTIONS.schema
    others = [name for name in rows.column_names if name not in ("customer_id", "order_id")]
    assert united.select(others).to_pydict() == rows.select(others).to_pydict()


def test_both_ends_of_a_relation_follow():
    ties = pd.DataFrame(
        {"customer_id": ["c9", "c2"], "other_id": ["c2", "c9"], "kind": "partner", "known": True}
        | {
            "other_known": True,
            "strength": 1.0,
            "since_day": None,
            "source_file": "r.csv",
            "source_row": [2, 3],
        }
    )
    rows = tables.conform(ties, tables.RELATIONS)
    part = Cleaned(rows, pd.DataFrame(), pd.DataFrame())
    united = same_person.united(part, tables.RELATIONS, {"c9": "c1"}).kept
    assert united.select(["customer_id", "other_id"]).to_pydict() == {
        "customer_id": ["c1", "c2"],
        "other_id": ["c2", "c1"],
    }
    assert united.drop(["customer_id", "other_id"]) == rows.drop(["customer_id", "other_id"])


def test_a_listing_threshold_above_the_merging_one_is_refused(home):
    with pytest.raises(ConfigError, match="list_from must not lie above merge_from"):
        made(home, CONFIG_P + "same_person: {merge_from: 0.8, list_from: 0.9}\n", files={})


def bench():
    """The bench of this search, which names Febrl's fields."""
    spec = importlib.util.spec_from_file_location("bench_same_person", ROOT / "bench" / "same_person.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("number", "least"), [(1, 0.99), (3, 0.99)])
def test_febrls_doubles_are_found(shared, number, least):
    # The issue asks .99 of dataset 3; golden.md has .993 for splink.
    found = bench().febrl(shared / "corpora" / "febrl" / f"dataset{number}.csv")
    assert found["workbook"][2] >= least
    assert found["naive"][2] < 0.6
