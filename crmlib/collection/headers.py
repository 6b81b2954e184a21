"""Which column of a file means what: matching headers as people write them.

`tidy` brings a header to one form (full-width to half-width, no invisible characters, single
spaces), so that a mapping in `client.yml` still holds when the next export adds a blank. `guess`
proposes a mapping for a new client from the names people use in Chinese and English.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence

INVISIBLE = dict.fromkeys([*map(ord, "\ufeff\u200b\u200c\u200d\u2060\u00ad"), *range(9), *range(14, 28), 127])

ALIASES: dict[str, dict[str, tuple[str, ...]]] = {
    "customers": {
        "customer_id": (
            "customer id",
            "customer",
            "customer no",
            "client id",
            "account id",
            "member id",
            "客户编号",
            "客户id",
            "客户号",
            "會員編號",
            "会员编号",
            "客戶編號",
        ),
        "name": (
            "customer name",
            "name",
            "company",
            "company name",
            "客户名称",
            "客户姓名",
            "姓名",
            "公司名称",
            "客戶名稱",
        ),
        "contact": (
            "phone",
            "telephone",
            "mobile",
            "contact",
            "email",
            "联系方式",
            "联系电话",
            "电话",
            "手机",
            "聯絡電話",
        ),
        "customer_type": ("customer type", "segment", "客户类型", "细分", "客戶類型"),
        "industry": ("industry", "sector", "所属行业", "行业", "所屬行業"),
        "region": ("region", "province", "state", "country", "地区", "省份", "省/自治区", "地區"),
        "city": ("city", "town", "城市"),
        "gender": ("gender", "sex", "性别", "性別"),
        "birth_year": ("birth year", "year of birth", "出生年份"),
        "scale": ("company size", "business scale", "size", "企业规模", "规模"),
        "credit_grade": ("credit grade", "credit rating", "信用等级", "信用等級"),
        "opened_day": ("opened on", "signup date", "registered on", "开户日期", "注册日期"),
        "need": ("need", "needs", "preference", "需求类型", "需求和偏好"),
        "updated_day": ("updated on", "updated at", "last modified", "更新日期"),
    },
    "transactions": {
        "customer_id": (
            "customer id",
            "customer",
            "customer no",
            "client id",
            "account id",
            "member id",
            "master id",
            "客户编号",
            "客户id",
            "客户号",
            "会员编号",
            "客戶編號",
        ),
        "order_id": (
            "order id",
            "order",
            "order no",
            "invoice",
            "invoice no",
            "invoice id",
            "receipt",
            "订单编号",
            "订单号",
            "订单 id",
            "单据号",
            "發票號碼",
            "訂單編號",
        ),
        "ordered_at": (
            "order date",
            "invoice date",
            "date",
            "day",
            "ordered at",
            "purchase date",
            "order purchase timestamp",
            "订单日期",
            "下单时间",
            "业务日期",
            "日期",
            "訂單日期",
        ),
        "product_id": ("product id", "stock code", "sku", "item id", "产品编号", "产品 id", "商品编码"),
        "product": ("product name", "product", "description", "item", "产品名称", "商品名称", "產品名稱"),
        "product_group": ("category", "product category", "product group", "类别", "产品类别", "子类别"),
        "channel": ("channel", "渠道", "通路"),
        "quantity": ("quantity", "qty", "n cds", "units", "数量", "數量"),
        "price": ("unit price", "price", "单价", "單價"),
        "amount": ("amount", "sales", "total", "line total", "revenue", "销售额", "金额", "金額"),
        "profit": ("profit", "margin", "利润", "利潤"),
    },
    "surveys": {
        "customer_id": ("respondent", "respondent id", "customer id", "受访者", "客户编号"),
        "answered_day": (
            "answered on",
            "survey date",
            "response date",
            "submitted at",
            "填写日期",
            "调查日期",
        ),
        "product": ("product", "product satisfaction", "产品满意度"),
        "service": ("service", "service satisfaction", "服务满意度"),
        "after_sales": ("after sales", "after sales satisfaction", "售后满意度"),
        "brand": ("brand", "brand satisfaction", "品牌满意度"),
        "overall": ("overall", "overall satisfaction", "satisfaction", "总体满意度"),
        "recommend": ("recommend", "nps", "likelihood to recommend", "推荐意愿"),
    },
}


def tidy(header: str) -> str:
    """A header in its one form.

    >>> tidy(" 客户\\u3000编号\\u200b ")
    '客户 编号'
    """
    text = unicodedata.normalize("NFKC", str(header)).translate(INVISIBLE)
    return re.sub(r"\s+", " ", text).strip()


def plain(header: str) -> str:
    """A header for comparing: small letters, words apart, no punctuation.

    >>> plain("InvoiceNo"), plain("Customer_ID"), plain("客户编号")
    ('invoice no', 'customer id', '客户编号')
    """
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", tidy(header))
    return re.sub(r"[\W_]+", " ", words).strip().lower()


def joined(header: str) -> str:
    """The same without blanks: 客户 ID and 客户ID are one header.

    >>> joined("客户 ID") == joined("客户ID")
    True
    """
    return plain(header).replace(" ", "")


def nearest(wanted: str, headers: Iterable[str]) -> str | None:
    """The header a reader probably meant, if any comes near."""
    by_form = {plain(header): header for header in headers}
    found = difflib.get_close_matches(plain(wanted), by_form, 1, cutoff=0.5)
    return by_form[found[0]] if found else None


def guess(headers: Sequence[str], table: str) -> dict[str, str]:
    """Canonical column → header, for the headers whose name says what they are.

    >>> guess(["InvoiceNo", "CustomerID", "Quantity"], "transactions")
    {'customer_id': 'CustomerID', 'order_id': 'InvoiceNo', 'quantity': 'Quantity'}
    """
    by_form = {joined(header): header for header in reversed(headers)}
    found = {}
    for column, aliases in ALIASES[table].items():
        header = next((by_form[joined(a)] for a in (column, *aliases) if joined(a) in by_form), None)
        if header is not None and header not in found.values():
            found[column] = header
    return found


def table_of(headers: Sequence[str]) -> str | None:
    """The table a file most probably holds; None where no table's needs are met.

    >>> table_of(["InvoiceNo", "InvoiceDate", "Quantity", "UnitPrice", "CustomerID"])
    'transactions'
    """
    needs = {
        "transactions": ({"ordered_at", "amount"}, {"ordered_at", "quantity", "price"}),
        "surveys": ({"customer_id", "answered_day"},),
        "customers": ({"customer_id", "name"}, {"customer_id", "region"}, {"customer_id", "customer_type"}),
    }
    for table, choices in needs.items():
        found = set(guess(headers, table))
        if any(choice <= found for choice in choices):
            return table
    return None


PERSONAL = ("customer_id", "name", "contact")
CARDS = (
    "id card",
    "id number",
    "passport",
    "card number",
    "身份证",
    "身份证号",
    "证件号码",
    "银行卡号",
    "卡号",
)


def names_people(header: str) -> bool:
    """Whether a header is one under which people are named or numbered.

    >>> names_people("联系电话"), names_people("身份证号"), names_people("Quantity")
    (True, True, False)
    """
    known = (alias for column in PERSONAL for alias in (column, *ALIASES["customers"][column]))
    return joined(header) in {joined(alias) for alias in (*known, *CARDS)}
