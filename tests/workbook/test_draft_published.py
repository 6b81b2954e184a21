"""From exports to a published report with at most ten edited lines: the real sets, end to end."""

import json

import pytest
from click.testing import CliRunner

from crmlib.workbook.cli import main

pytestmark = pytest.mark.slow
# What an analyst types: the line as drafted → the line as it should be.
EDITS = {
    "superstore_cn": {},
    "olist_sample": {"currency: TODO": "currency: BRL", "timezone: UTC": "timezone: America/Sao_Paulo"},
    "telco_multi": {
        "delivered_on: TODO": "delivered_on: 2024-09-30",
        "timezone: UTC": "timezone: America/Los_Angeles",
    },
    "online_retail.csv.gz": {},
    "cdnow/cdnow_master.csv": {
        "currency: TODO": "currency: USD",
        "timezone: UTC": "timezone: America/New_York",
    },
}


@pytest.fixture(scope="module")
def published(shared, tmp_path_factory):
    """`results.json` of each set, published once."""
    told: dict[tuple[str, str], dict] = {}
    root = tmp_path_factory.mktemp("home")
    (root / "data").mkdir()

    def run(name: str, period: str) -> dict:
        client = name.split(".")[0].split("/")[0].replace("_", "-")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CRM_HOME", str(root))
            config = root / "data" / client / "client.yml"
            if not config.exists():
                _crm("new", client, str(shared / "data" / name))
                _edit(config, EDITS[name])
            if (name, period) not in told:
                _crm("run", client, "--period", period)
                path = root / "reports" / client / period / "results.json"
                told[name, period] = json.loads(path.read_text("utf-8"))
        return told[name, period]

    return run


def _crm(*arguments: str) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output + result.stderr


def _edit(config, edits: dict[str, str]) -> None:
    assert len(edits) <= 10
    lines = config.read_text("utf-8").splitlines()
    for old, new in edits.items():
        (place,) = [n for n, line in enumerate(lines) if line.startswith(old)]
        lines[place] = new
    config.write_text("\n".join(lines) + "\n", "utf-8")


# Totals of the files as their owners and golden.md tell them (README of the shared data).
@pytest.mark.parametrize(
    ("name", "period", "id", "value"),
    [
        ("superstore_cn", "2014-01-01_2017-12-30", "sales.all", 16117548.237),
        ("superstore_cn", "2014-01-01_2017-12-30", "sales.returns", -1961954.995),
        ("superstore_cn", "2014-01-01_2017-12-30", "profit.amount", 2156559.517),
        ("superstore_cn", "2014-01-01_2017-12-30", "customers.total", 790),
        ("online_retail.csv.gz", "2010-12-01_2011-12-09", "sales.identified", 8887208.894),
        ("online_retail.csv.gz", "2010-12-01_2011-12-09", "customers.total", 4338),
        ("cdnow/cdnow_master.csv", "1997-01-01_1998-06-30", "customers.total", 23570),
        ("cdnow/cdnow_master.csv", "1997-01-01_1998-06-30", "ledger.transactions.rows_kept", 69659),
        ("olist_sample", "2016-09-01_2018-10-31", "ledger.transactions.money_in", 1093264.35),
        ("olist_sample", "2016-09-01_2018-10-31", "delivered.order_payments.payment_value.sum", 1428602.81),
        ("olist_sample", "2016-09-01_2018-10-31", "delivered.order_items.price.sum", 1093264.35),
        ("olist_sample", "2016-09-01_2018-10-31", "delivered.geolocation.duplicates", 9028),
        ("olist_sample", "2016-09-01_2018-10-31", "ledger.customers.rows_kept", 8016),
        ("superstore_cn", "2014-01-01_2017-12-30", "delivered.订单.销售额.sum", 16117548.237),
        ("superstore_cn", "2014-01-01_2017-12-30", "delivered.退货.rows", 296),
        ("telco_multi", "2024-Q3", "ledger.snapshot.rows_kept", 7043),
        ("telco_multi", "2024-Q3", "customers.total", 7043),
        ("telco_multi", "2024-Q3", "churn.customers", 1869),
        ("telco_multi", "2024-Q3", "totals.spend", 21371131.69),
        ("telco_multi", "2024-Q3", "totals.lifetime_value", 30991283),
        ("telco_multi", "2024-Q3", "delivered.services.Total Revenue.sum", 21371131.69),
        ("telco_multi", "2024-Q3", "delivered.status.CLTV.sum", 30991283),
    ],
)
def test_a_drafted_client_publishes_the_totals_its_files_are_known_for(published, name, period, id, value):
    figures = published(name, period)
    figures = figures.get("figures", figures)
    assert figures[id]["value"] == value
