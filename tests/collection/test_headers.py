"""Headers as people write them."""

import pytest

from crmlib.collection import headers


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (" 客户\u3000编号\u200b ", "客户 编号"),
        ("Ａmount（元）", "Amount(元)"),
        ("\ufeffid", "id"),
        ("a\n b", "a b"),
    ],
)
def test_a_header_has_one_form_however_it_was_typed(written, meant):
    assert headers.tidy(written) == meant


def test_a_new_clients_headers_are_recognised_in_chinese_and_english():
    # UCI Online Retail's own header, and a Chinese shop's
    english = [
        "InvoiceNo",
        "StockCode",
        "Description",
        "Quantity",
        "InvoiceDate",
        "UnitPrice",
        "CustomerID",
        "Country",
    ]
    assert headers.guess(english, "transactions") == {
        "order_id": "InvoiceNo",
        "product_id": "StockCode",
        "product": "Description",
        "quantity": "Quantity",
        "ordered_at": "InvoiceDate",
        "price": "UnitPrice",
        "customer_id": "CustomerID",
    }
    chinese = ["订单编号", "客户编号", "订单日期", "产品名称", "数量", "销售额", "利润"]
    assert headers.guess(chinese, "transactions") == {
        "order_id": "订单编号",
        "customer_id": "客户编号",
        "ordered_at": "订单日期",
        "product": "产品名称",
        "quantity": "数量",
        "amount": "销售额",
        "profit": "利润",
    }


@pytest.mark.parametrize(
    ("found", "table"),
    [
        (["订单日期", "销售额", "客户编号"], "transactions"),
        (["respondent", "answered_on", "service"], "surveys"),
        (["客户编号", "客户名称", "省份"], "customers"),
        (["colour", "weight"], None),
    ],
)
def test_a_files_headers_tell_which_table_it_is(found, table):
    assert headers.table_of(found) == table


def test_no_header_is_taken_for_two_columns():
    found = headers.guess(["date", "sales", "customer"], "transactions")
    assert len(set(found.values())) == len(found)
