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


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("訂單編號", "订单编号"),
        ("客 戶 ID", "客户id"),
        ("Customer_ID", "customerid"),
        ("ｃｕｓｔｏｍｅｒＩＤ", "customerid"),
    ],
)
def test_a_header_is_known_in_either_script_and_any_case(written, known):
    assert headers.known_as(written) == known
