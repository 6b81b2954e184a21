"""What a column is, by its header and by its cells."""

import pyarrow as pa
import pytest

from crmlib import tables
from crmlib.collection import recognition, vocabulary
from crmlib.mapping import Tables


def about(*cells: str) -> recognition.Profile:
    return recognition.profile(pa.chunked_array([list(cells)], pa.string()))


@pytest.mark.parametrize(
    ("header", "table", "column"),
    [
        ("InvoiceNo", "transactions", "order_id"),
        ("訂單編號", "transactions", "order_id"),
        ("客户 ID", "transactions", "customer_id"),
        ("ｃｕｓｔｏｍｅｒ＿ｉｄ", "customers", "customer_id"),
        ("单价（元）", "transactions", "price"),
        ("Total Amount (USD)", "transactions", "amount"),
        ("\u200b销售额 ", "transactions", "amount"),
        ("Tenure in Months", "snapshot", "tenure_months"),
        ("历史购买记录", "tiers", "orders"),
        ("触达人数", "campaigns", "reach"),
        ("指标", "market", "question"),
        ("样本量", "market", "respondents"),
        ("首次响应时间", "interactions", "answered_at"),
        ("期限(月)", "applications", "term_months"),
    ],
)
def test_a_header_names_a_column_however_it_is_written(header, table, column):
    assert recognition.named(header, table, column) > 0.9


@pytest.mark.parametrize(
    "header", ["freight_value", "Total Refunds", "运费金额", "tax amount", "Credit Limit"]
)
def test_money_that_nobody_paid_for_a_thing_is_no_amount(header):
    assert recognition.named(header, "transactions", "amount") == 0


def test_every_table_and_column_has_its_names():
    assert set(vocabulary.ALIASES) == set(Tables.model_fields)
    for table, columns in vocabulary.ALIASES.items():
        promised = {column.name for column in tables.ALL[table].columns}
        aspects = (
            {"product", "service", "after_sales", "brand", "overall", "recommend"}
            if table == "surveys"
            else set()
        )
        assert set(columns) - promised - aspects - {"returned"} == set()


@pytest.mark.parametrize(
    ("cells", "measure", "share"),
    [
        (("2024-01-05", "2024/1/6", "2024年1月7日", "soon"), "dates", 0.75),
        (("05/01/2024", "13/01/2024"), "dates", 1),
        (("20240105", "20241399"), "dates", 0.5),
        (("10次", "10000元", "¥1,234.50", "3.2万", "(5)", "12%"), "numbers", 1),
        (("1.234,56", "12,5", "7"), "comma_decimals", 2 / 3),
        (("13800138000", "a@b.cn", "010-12345678", "x"), "contacts", 0.75),
        (("是", "否", "是"), "flags", 1),
        (("浙江省", "内蒙古", "Paris", "上海"), "provinces", 0.75),
    ],
)
def test_cells_tell_what_they_are(cells, measure, share):
    assert getattr(about(*cells), measure) == pytest.approx(share)


def test_a_name_is_believed_less_where_the_cells_contradict_it():
    profiles = {"order date": about("red", "green", "blue")}
    (guess,) = recognition.candidates("transactions", "ordered_at", profiles)
    assert guess.confidence < recognition.SURE


def test_a_reason_holds_counts_and_no_cell():
    profiles = {"客户姓名": about("张三", "李四", "王五")}
    (guess,) = recognition.candidates("customers", "name", profiles)
    assert (guess.confidence, guess.reason) == (94, "by its name; 3 different values")


def test_telephones_are_known_without_a_header():
    profiles = {"col9": about("13800138000", "13900139000")}
    (guess,) = recognition.candidates("customers", "contact", profiles)
    assert (guess.header, guess.confidence) == ("col9", 65)


def test_an_empty_column_and_no_column_at_all_are_no_fault():
    assert about().dates == about("", " ").numbers == 0
    assert recognition.fit("date", about("")) == 0.5
