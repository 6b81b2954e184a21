"""A first client.yml for any exports, held to what an analyst would have typed."""

import csv
import io
import shutil

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from crmlib import client as clients
from crmlib.errors import ConfigError, Refused, SourceError
from crmlib.workbook import draft

CHINESE = "订单编号,客户编号,订单日期,产品名称,数量,金额\n"
LINES = CHINESE + "".join(
    f"A{n // 2},c{n % 7},2024-01-{n % 28 + 1:02d},茶,{n % 3 + 1},{n}.5\n" for n in range(60)
)


def content(text: str) -> dict:
    return YAML(typ="safe").load(io.StringIO(text))


def edited(made: draft.Draft, edits: list[tuple[str, str]], most: int = 10) -> dict:
    """The draft after an analyst's edits, each of them of one line."""
    lines = made.text.splitlines()
    assert len(edits) <= most
    for old, new in edits:
        (place,) = [n for n, line in enumerate(lines) if line.startswith(old)]
        lines[place] = new
    return content("\n".join(lines))


def columns(found: dict) -> dict:
    return {table: dict(part["columns"]) for table, part in found["tables"].items()}


def sql(found: dict, table: str) -> list[str]:
    return found["tables"][table]["sql"].splitlines()


@pytest.fixture(scope="module")
def made(shared):
    def drafted(*names: str) -> draft.Draft:
        return draft.draft("acme", [shared / "data" / name for name in names])

    return drafted


def test_the_chinese_superstore_needs_no_edit(made):
    found = edited(made("superstore_cn"), [])
    assert (found["currency"], found["decimals"], found["timezone"]) == ("CNY", 3, "Asia/Shanghai")
    assert [source["sheet"] for source in found["sources"].values()] == ["订单", "退货", "销售人员"]
    assert columns(found) == {
        "transactions": {
            "customer_id": "客户 ID",
            "order_id": "订单 ID",
            "ordered_at": "订单日期",
            "product_id": "产品 ID",
            "product": "产品名称",
            "product_group": "类别",
            "region": "地区",
            "quantity": "数量",
            "amount": "销售额",
            "profit": "利润",
            "discount": "折扣",
            "name": "客户名称",
            "customer_type": "细分",
            "city": "城市",
        }
    }
    assert found["tables"]["transactions"]["returns"] == {"column": "退回"}
    assert sql(found, "transactions") == [
        'SELECT "订单".*, "退货"."退回"',
        'FROM "订单"',
        'LEFT JOIN (SELECT "订单 ID", max("退回") AS "退回" FROM "退货" GROUP BY "订单 ID") AS "退货" ON "订单"."订单 ID" = "退货"."订单 ID"',
    ]


def test_olist_needs_its_currency_and_its_time_zone(made):
    edits = [("currency: TODO", "currency: BRL"), ("timezone: UTC", "timezone: America/Sao_Paulo")]
    found = edited(made("olist_sample"), edits)
    assert columns(found) == {
        "transactions": {
            "customer_id": "customer_unique_id",
            "order_id": "order_id",
            "ordered_at": "order_purchase_timestamp",
            "product_id": "product_id",
            "product_group": "product_category_name",
            "price": "price",
        },
        "surveys": {"customer_id": "customer_unique_id", "answered_day": "review_creation_date"},
        "feedback": {
            "customer_id": "customer_unique_id",
            "said_day": "review_creation_date",
            "topic": "review_comment_title",
            "rating": "review_score",
            "text": "review_comment_message",
        },
        "customers": {
            "customer_id": "customer_unique_id",
            "region": "customer_state",
            "city": "customer_city",
        },
    }
    assert found["tables"]["surveys"]["answers"] == {"overall": {"column": "review_score", "scale": [1, 5]}}
    assert sorted(sql(found, "transactions")[2:]) == [
        "LEFT JOIN customers_file ON orders.customer_id = customers_file.customer_id",
        "LEFT JOIN orders ON order_items.order_id = orders.order_id",
        "LEFT JOIN products ON order_items.product_id = products.product_id",
    ]
    assert len(found["sources"]) == 9


def test_telco_needs_its_day_and_its_time_zone(made):
    edits = [
        ("delivered_on: TODO", "delivered_on: 2024-09-30"),
        ("timezone: UTC", "timezone: America/Los_Angeles"),
    ]
    found = edited(made("telco_multi"), edits)
    assert found["currency"] == "USD"
    assert columns(found) == {
        "snapshot": {
            "customer_id": "Customer ID",
            "spend": "Total Revenue",
            "tenure_months": "Tenure in Months",
            "satisfaction": "Satisfaction Score",
            "lifetime_value": "CLTV",
            "churned": "Churn Value",
        },
        "customers": {"customer_id": "Customer ID", "region": "State", "city": "City", "gender": "Gender"},
    }
    assert found["tables"]["snapshot"]["satisfaction_scale"] == [1, 5]
    assert set(found["sources"]) == {"demographics", "location", "population", "services", "status"}


def test_online_retail_needs_no_edit(made):
    found = edited(made("online_retail.csv.gz"), [])
    assert (found["currency"], found["decimals"], found["timezone"]) == ("GBP", 3, "Europe/London")
    assert columns(found) == {
        "transactions": {
            "customer_id": "CustomerID",
            "order_id": "InvoiceNo",
            "ordered_at": "InvoiceDate",
            "product_id": "StockCode",
            "product": "Description",
            "region": "Country",
            "quantity": "Quantity",
            "price": "UnitPrice",
        }
    }
    assert found["tables"]["transactions"]["returns"] == {"order_id_starts_with": "C"}


def test_cdnow_needs_its_currency_and_its_time_zone(made):
    edits = [("currency: TODO", "currency: USD"), ("timezone: UTC", "timezone: America/New_York")]
    found = edited(made("cdnow/cdnow_master.csv"), edits)
    lines = found["tables"]["transactions"]
    assert columns(found)["transactions"] == {
        "customer_id": "customer_id",
        "ordered_at": "date",
        "quantity": "n_cds",
        "amount": "amount",
    }
    assert (lines["exact_duplicates"], lines["zero_price"]) == ("keep", "purchase")


@pytest.mark.parametrize("name", ["superstore_cn", "olist_sample", "telco_multi", "online_retail.csv.gz"])
def test_a_draft_loads_once_its_questions_are_answered(made, tmp_path, name):
    text = made(name).text.replace("currency: TODO", "currency: BRL")
    path = tmp_path / "client.yml"
    path.write_text(text.replace("delivered_on: TODO", "delivered_on: 2024-09-30"), "utf-8")
    assert clients.settings(path).tables.named()


def typed(tmp_path, **files: str) -> draft.Draft:
    for name, text in files.items():
        (tmp_path / f"{name}.csv").write_text(text, "utf-8")
    return draft.draft("acme", [tmp_path])


def test_headers_that_say_nothing_are_guessed_from_the_cells(tmp_path):
    rows = "".join(
        f"S{n // 2 + 5000},K{n // 2 * 7 % 40:03d},{n % 28 + 1:02d}.03.2024,{n % 4 + 1},{1.5 + n % 9},{(n % 4 + 1) * (1.5 + n % 9)}\n"
        for n in range(200)
    )
    found = content(typed(tmp_path, a="a1,a2,a3,a4,a5,a6\n" + rows).text)
    assert columns(found)["transactions"] == {
        "ordered_at": "a3",
        "quantity": "a4",
        "price": "a5",
        "amount": "a6",
        "order_id": "a1",
        "customer_id": "a2",
    }
    assert found["tables"]["transactions"]["day_first"] is True


def test_a_decimal_comma_is_proposed_and_an_ambiguous_day_is_asked(tmp_path):
    made = typed(
        tmp_path, a='order date,customer id,amount\n03/04/2024,c1,"1.234,50"\n05/06/2024,c2,"7,25"\n'
    )
    lines = content(made.text)["tables"]["transactions"]
    assert (lines["decimal"], lines["day_first"]) == (",", "TODO")
    assert "  # true where the day comes first, else false: 03/04 may be 3 April or 4 March" in made.text


def test_two_headers_as_good_as_each_other_are_both_named_and_asked(tmp_path):
    made = typed(tmp_path, a="下单日期,成交日期,金额\n2024-01-01,2024-01-03,5\n2024-01-02,2024-01-09,6\n")
    assert "      ordered_at: TODO  # 下单日期 or 成交日期: as good as each other" in made.text.splitlines()


def test_two_currencies_are_asked_about(tmp_path):
    made = typed(tmp_path, a="order date,amount\n2024-01-01,£5\n2024-01-02,€6\n")
    assert "currency: TODO  # amounts are in EUR and GBP; only one can be summed" in made.text.splitlines()


def test_nothing_recognised_is_all_asked_and_nothing_is_invented(tmp_path):
    made = typed(tmp_path, a="colour,weight\nred,heavy\nblue,light\n")
    assert content(made.text)["tables"]["transactions"]["columns"] == {"amount": "TODO", "ordered_at": "TODO"}
    (tmp_path / "client.yml").write_text(made.text, "utf-8")
    with pytest.raises(ConfigError, match="currency"):
        clients.settings(tmp_path / "client.yml")


def test_customers_alone_ask_for_what_they_stand_on(tmp_path):
    made = typed(tmp_path, a="客户编号,客户名称,省份\n1,甲,浙江\n2,乙,江苏\n")
    assert content(made.text)["tables"]["transactions"]["files"] == ["TODO"]


def test_nobody_is_named_in_a_draft(tmp_path):
    people = "会员编号,姓名,手机号,邮箱\nK1,张三丰,13812345678,zhang@example.cn\nK2,李四光,13912345678,li@example.cn\n"
    text = typed(tmp_path, orders=LINES, people=people).text
    for secret in ("张三丰", "李四光", "13812345678", "zhang@", "K1"):
        assert secret not in text


def test_months_are_one_entry_that_finds_the_next_one_too(tmp_path, monkeypatch):
    monkeypatch.setenv("CRM_HOME", str(tmp_path))
    months = tmp_path / "data" / "acme" / "months"
    months.mkdir(parents=True)
    for month in ("01", "02"):
        (months / f"orders-2024-{month}.csv").write_text(LINES, "utf-8")
    found = content(draft.draft("acme", [months]).text)
    assert found["tables"]["transactions"]["files"] == [str(months / "orders-2024-*.csv")]


def test_sheets_of_one_header_are_one_table(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.title = "2023"
    for sheet in (book["2023"], book.create_sheet("2024")):
        for row in (("order id", "order date", "amount"), (f"A{sheet.title}", f"{sheet.title}-01-05", 7)):
            sheet.append(row)
    book.save(tmp_path / "orders.xlsx")
    found = content(draft.draft("acme", [tmp_path]).text)
    assert found["sources"] == {
        "orders_1": {"files": [str(tmp_path / "orders.xlsx")], "sheet": "2023"},
        "orders_2": {"files": [str(tmp_path / "orders.xlsx")], "sheet": "2024"},
    }
    assert sql(found, "transactions") == [
        "SELECT orders.*",
        "FROM (SELECT * FROM orders_1 UNION ALL BY NAME SELECT * FROM orders_2) AS orders",
    ]


def test_the_twelve_columns_of_the_tier_table_are_tiers(tmp_path):
    header = "客户名称,联系方式,所属行业,历史购买记录,消费金额,利润贡献,购买频率,活跃度,忠诚度,需求和偏好,满意度,分级"
    rows = "客户A,12345678,制造业,10次,10000元,5000元,高,高,高,价格敏感型,满意,高价值客户\n客户B,87654321,零售业,5次,5000元,2000元,中,中,中,品质追求型,中立,中价值客户\n"
    found = content(typed(tmp_path, a=f"{header}\n{rows}").text)
    assert list(columns(found)["tiers"].values()) == header.split(",")


def test_what_is_written_is_never_overwritten_and_copies_only_when_asked(home, tmp_path):
    file = tmp_path / "orders.csv"
    file.write_text(LINES, "utf-8")
    path, made = draft.write("acme", [file], copy=False)
    assert path.read_text("utf-8") == made.text
    assert not (path.parent / "raw").exists()
    with pytest.raises(Refused, match="exists already and is left as it is"):
        draft.write("acme", [file], copy=True)
    draft.write("other", [file], copy=True)
    assert (path.parent.parent / "other" / "raw" / "orders.csv").read_text("utf-8") == LINES


def test_two_files_of_one_name_are_not_copied_over_each_other(home, tmp_path):
    for folder in ("north", "south"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "orders.csv").write_text(LINES, "utf-8")
    with pytest.raises(Refused, match=r"Two files are called orders\.csv; nothing was copied"):
        draft.write("acme", [tmp_path / "north", tmp_path / "south"], copy=True)


def test_a_file_that_cannot_be_read_leaves_no_client_behind(home, tmp_path):
    shutil.copyfile(__file__, tmp_path / "orders.xlsx")
    (tmp_path / "orders.xlsx").write_bytes(b"PK\x03\x04")
    with pytest.raises(SourceError, match=r"orders\.xlsx is incomplete or damaged"):
        draft.write("acme", [tmp_path / "orders.xlsx"], copy=False)
    assert not (clients.home() / "data" / "acme").exists()


WORDS = st.text(st.characters(exclude_categories=("Cs",)), max_size=12) | st.sampled_from(
    [
        "金额",
        "date",
        "yes",
        "- a",
        "a: b",
        "#x",
        "{a}",
        "*",
        "&a",
        "'",
        '"',
        "order id",
        "2024-01-05",
        "1.5",
        "{{TODO}}",
    ]
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.lists(WORDS, min_size=3, max_size=3), min_size=2, max_size=6))
@example([["", "", ""], ["", ":", "."]])  # Arrow takes a name that begins with a dot for a path
def test_whatever_a_file_holds_its_draft_is_yaml_or_its_refusal_one_message(tmp_path, rows):
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    (tmp_path / "a.csv").write_bytes(out.getvalue().encode())
    try:
        found = content(draft.draft("acme", [tmp_path / "a.csv"]).text)
    except Refused as refused:
        assert "a.csv" in str(refused)
        return
    for part in found["tables"].values():
        assert all(isinstance(header, str) for header in part["columns"].values())
