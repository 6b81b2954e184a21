"""Whole runs of clients without order lines, as a user starts them: a snapshot, a tier table, both with surveys or orders."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook

ROOT = Path(__file__).resolve().parent.parent
CRM = Path(sys.executable).parent / "crm"
pytestmark = pytest.mark.slow

TIERS = """\
客户名称,联系方式,所属行业,历史购买记录,消费金额,利润贡献,购买频率,活跃度,忠诚度,需求和偏好,满意度,分级
客户A,12345678,制造业,10次,10000元,5000元,高,高,高,价格敏感型,满意,高价值客户
客户B,87654321,零售业,5次,5000元,2000元,中,中,中,品质追求型,满意,中价值客户
客户C,12348765,服务业,2次,2000元,1000元,低,低,低,个性化需求,不满意,低价值客户
"""
TIER_COLUMNS = """{name: 客户名称, contact: 联系方式, industry: 所属行业, orders: 历史购买记录, spend: 消费金额,
              profit: 利润贡献, frequency: 购买频率, activity: 活跃度, loyalty: 忠诚度, need: 需求和偏好,
              satisfaction: 满意度, tier: 分级}"""
CUTS = """classes:
  value: {orders: {high: 10, medium: 5}, spend: {high: 10000, medium: 5000}, profit: {high: 5000, medium: 2000}}
"""
TIER_CLIENT = f"""name: 公司
currency: CNY
delivered_on: 2024-12-31
tables:
  tiers:
    files: [tiers.csv]
    columns: {TIER_COLUMNS}
{CUTS}"""
BANK_CLIENT = """name: Bank
currency: EUR
tables:
  snapshot:
    files: ["totals-*.csv"]
    columns: {customer_id: id, taken_day: taken, orders: times, spend: paid, last_day: last, churned: left}
  surveys:
    files: [asked.csv]
    columns: {customer_id: id, answered_day: on}
    answers: {overall: {column: score, scale: [1, 5]}}
"""
BOTH_CLIENT = f"""name: 公司
currency: CNY
delivered_on: 2024-12-31
tables:
  transactions:
    files: [orders.csv]
    columns: {{order_id: order, customer_id: customer, name: who, ordered_at: day, amount: paid}}
  tiers:
    files: [tiers.csv]
    columns: {TIER_COLUMNS}
{CUTS}"""
ORDERS = "order,customer,who,day,paid\n1,c1,客户A,2024-10-02,12000\n2,c2,客户B,2024-11-02,300\n"


def bank(month: str, left: int) -> str:
    """Totals of thirty customers at a month's end, of whom the first few have left."""
    rows = [f"k{n:02d},2024-{month},{n + 1},{10 * n}.50,2024-{month[:2]}-01,{n < left}" for n in range(30)]
    return "\n".join(["id,taken,times,paid,last,left", *rows]) + "\n"


FILES = {
    "tierco": (TIER_CLIENT, {"tiers.csv": TIERS}),
    "bank": (
        BANK_CLIENT,
        {
            "totals-09.csv": bank("09-30", 1),
            "totals-12.csv": bank("12-31", 4),
            "asked.csv": "id,on,score\n"
            + "".join(f"k{n:02d},2024-12-0{n % 9 + 1},{n % 5 + 1}\n" for n in range(30)),
        },
    ),
    "both": (BOTH_CLIENT, {"tiers.csv": TIERS, "orders.csv": ORDERS}),
}


def crm(home: Path, *arguments: str) -> subprocess.CompletedProcess:
    environment = os.environ | {"CRM_HOME": str(home)}
    return subprocess.run(
        [CRM, *arguments], env=environment, capture_output=True, text=True, encoding="utf-8"
    )


def value(home: Path, client: str, period: str = "2024-Q4") -> dict:
    """The figures a run published, their values by id."""
    found = json.loads((home / "reports" / client / period / "results.json").read_text("utf-8"))
    return {id: figure["value"] for id, figure in found.items()}


def forms(home: Path, client: str, period: str = "2024-Q4") -> dict[str, str]:
    """Form of every finding."""
    built = home / "data" / client / "built"
    books = [*built.glob(f"{period}/books/*.json"), *built.glob("delivery/books/*.json")]
    return {f["id"]: f["form"] for book in books for f in json.loads(book.read_text("utf-8"))["findings"]}


@pytest.fixture(scope="module")
def firms(tmp_path_factory) -> Path:
    """A home with three small firms, each run without a word of its period."""
    home = tmp_path_factory.mktemp("firms")
    for name, (config, files) in FILES.items():
        folder = home / "data" / name
        (folder / "raw").mkdir(parents=True)
        (folder / "client.yml").write_text(config, "utf-8")
        for file, content in files.items():
            (folder / "raw" / file).write_text(content, "utf-8")
    done = crm(home, "run", *FILES)
    assert done.returncode == 0, done.stderr
    return home


def test_the_sources_own_tier_table_comes_back_as_it_is(firms):
    book = CalamineWorkbook.from_path(str(firms / "reports/tierco/2024-Q4/internal/tiers.xlsx"))
    assert book.get_sheet_by_name("客户分级").to_python() == [line.split(",") for line in TIERS.splitlines()]


def test_a_tier_table_alone_tells_totals_and_of_a_period_nothing(firms):
    found = value(firms, "tierco")
    assert (found["totals.spend"], found["totals.profit"], found["totals.orders"]) == (17000, 8000, 17)
    assert (found["value.amount"], forms(firms, "tierco")["value.worth"]) == (None, "absent")
    assert (found["customers.total"], found["tier.high.customers"], found["tier.regraded.customers"]) == (
        3,
        1,
        0,
    )
    of_a_period = (
        "sales.identified",
        "customers.active",
        "customers.new",
        "retention.rate",
        "churn.customers",
    )
    assert [found[id] for id in (*of_a_period, "satisfaction.mean", "rfm.recency.mean")] == [None] * 7
    told = forms(firms, "tierco")
    assert (told["classes.regraded"], told["classes.behaviour"], told["classes.moved"]) == (
        "yes",
        "few",
        "few",
    )
    assert (told["sales.change"], told["retention.change"], told["churn.balance"]) == ("absent",) * 3


def test_monthly_totals_are_held_against_those_of_the_quarter_before(firms):
    found = value(firms, "bank")
    assert (found["churn.customers"], found["totals.customers"]) == (4, 30)
    assert found["churn.rate"] == 3 / 29  # one of thirty had left before, three more left since
    assert found["totals.spend"] == 4365  # 10 × (0 + … + 29) + 30 × 0.50
    assert found["rfm.recency.mean"] == 30  # 1 December to 31 December
    assert found["satisfaction.mean"] == 50  # the survey tells, six of each score
    assert found["ledger.snapshot.rows_kept"] == 60
    assert forms(firms, "bank")["classes.regraded"] == "absent"


def test_order_lines_go_before_a_tier_table_that_only_knows_names(firms):
    found = value(firms, "both")
    assert (found["customers.total"], found["sales.identified"]) == (2, 12300)
    # Loyalty is low by one order in 90 days: A (3 + 3 + 1) ÷ 3 = 2.33, B (2 + 1 + 1) ÷ 3 = 1.33.
    assert found["tier.regraded.customers"] == 2
    assert "totals.spend" not in found
    told = forms(firms, "both")
    assert (told["classes.regraded"], told["sales.change"]) == ("no", "few")
    sheet = CalamineWorkbook.from_path(str(firms / "reports/both/2024-Q4/internal/tiers.xlsx"))
    rows = sheet.get_sheet_by_name("客户分级").to_python()
    # Name, contact and industry as the tier table has them; times and spend as the orders tell.
    assert [row[:5] for row in rows[1:]] == [
        ["客户A", "12345678", "制造业", "1次", "12000元"],
        ["客户B", "87654321", "零售业", "1次", "300元"],
    ]


def test_nobody_of_a_tier_table_is_named_outside_internal(firms):
    report = firms / "reports" / "tierco" / "2024-Q4"
    for path in report.glob("tables/*.parquet"):
        table = pq.read_table(path)
        cells = {cell for name in table.column_names for cell in map(str, table[name].to_pylist())}
        assert not cells & {"客户A", "客户B", "客户C", "12345678"}, path.name
    assert (report / "tables" / "tiers.parquet").is_file()
    for path in [report / "report.html", report / "results.json", *report.glob("notebooks/*.ipynb")]:
        assert "12345678" not in path.read_text("utf-8"), path.name


TELCO = {
    "churn.customers": 1_869,
    "customers.total": 7_043,
    "totals.spend": 21_371_131.69,
    "totals.lifetime_value": 30_991_283,
    "ledger.snapshot.rows_in": 7_043,
    "ledger.snapshot.rows_kept": 7_043,
    "ledger.snapshot.money_kept": 21_371_131.69,
    "delivered.snapshot.rows": 7_043,
    "delivered.snapshot.Total Revenue.sum": 21_371_131.69,
    "delivered.snapshot.CLTV.sum": 30_991_283,
    "sales.identified": None,
    "retention.rate": None,
    "rfm.recency.mean": None,
}


def test_telco_is_published_to_the_cent(telco):
    # ../shared/data/README.md counts these from the same bytes.
    found = value(telco, "telco", "2019-Q3")
    assert {id: found[id] for id in TELCO} == TELCO
    assert round(found["satisfaction.overall.raw"], 4) == 3.2449


def test_telcos_contracts_last_as_long_as_a_product_of_shares_says(telco):
    # Kaplan and Meier by hand over the delivered files: at every month with an end, those left over those at risk.
    raw = telco / "data" / "telco" / "raw"
    months = dict(rows(raw / "Telco_customer_churn_services.csv", "Customer ID", "Tenure in Months"))
    sheet = (
        CalamineWorkbook.from_path(str(raw / "Telco_customer_churn_status.xlsx"))
        .get_sheet_by_index(0)
        .to_python()
    )
    ended = {
        row[sheet[0].index("Customer ID")]: row[sheet[0].index("Churn Label")] == "Yes" for row in sheet[1:]
    }
    share, found = 1.0, value(telco, "telco", "2019-Q3")
    for month in range(1, 25):
        at_risk = sum(int(stay) >= month for stay in months.values())
        share *= 1 - sum(int(stay) == month and ended[one] for one, stay in months.items()) / at_risk
        if month in (12, 24):
            assert found[f"value.staying.{month}"] == pytest.approx(share)
    assert found["value.bgnbd.r"] is None
    assert forms(telco, "telco", "2019-Q3")["value.worth"] == "absent"


def rows(path: Path, *columns: str) -> list[tuple[str, ...]]:
    """Cells of a delivered CSV."""
    with path.open(encoding="utf-8") as file:
        return [tuple(row[column] for column in columns) for row in csv.DictReader(file)]


def test_telcos_notebook_warns_of_the_column_that_knows_who_left_and_names_it(telco):
    place = telco / "data" / "telco" / "built" / "2019-Q3" / "books" / "08-analysis-churn.json"
    book = json.loads(place.read_text("utf-8"))
    leak = next(one for one in book["findings"] if one["id"] == "leaving.leak")
    assert (leak["form"], leak["values"]["columns"]) == ("no", ["Satisfaction Score"])
    told = json.loads((telco / "reports" / "telco" / "2019-Q3" / "results.json").read_text("utf-8"))
    assert 0.88 <= told["churn.model.auc"]["low"] < told["churn.model.auc"]["high"] <= 0.92
    page = (telco / "reports" / "telco" / "2019-Q3" / "report.html").read_text("utf-8")
    assert "Warning: left out, because they seem to know who left: Satisfaction Score." in page
