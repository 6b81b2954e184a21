"""The 515 naughty strings as names of customers, products, regions: each stays text, everywhere."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook

CRM = Path(sys.executable).parent / "crm"
CONFIG = """\
name: "<script>alert('firm')</script>"
currency: CNY
delivered_on: 2025-01-06
tables:
  customers:
    files: [customers.csv]
    columns: {customer_id: id, name: name, region: region, city: city}
  transactions:
    files: [orders.csv]
    columns: {order_id: order, customer_id: id, ordered_at: day, product: product, product_group: group, amount: amount}
"""


def as_read(text: str) -> str:
    """What a reader may keep of a cell: no C0 control sign but tab and line ends, no DEL, no blanks at its ends."""
    kept = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "", text)
    return kept.strip(" \t\r\n\u00a0\u3000")


def as_shown(text: str) -> str:
    """What a workbook can hold of it: U+FFFE stands in no XML, and line ends are blanks to who compares."""
    return re.sub(r"\s+", " ", as_read(text).replace("\ufffe", ""))


@pytest.fixture(scope="module")
def naughty(shared) -> list[str]:
    return json.loads((shared / "corpora" / "blns" / "blns.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def published(naughty, tmp_path_factory) -> Path:
    """A home in which a firm has been run whose every customer, product and region bears such a name."""
    home = tmp_path_factory.mktemp("naughty")
    raw = home / "data" / "acme" / "raw"
    raw.mkdir(parents=True)
    (raw.parent / "client.yml").write_text(CONFIG, "utf-8")
    ids = [f"K{n:03}" for n in range(len(naughty))]
    people = pd.DataFrame({"id": ids, "name": naughty, "region": naughty, "city": naughty})
    people.to_csv(raw / "customers.csv", index=False)
    orders = pd.DataFrame({"order": [f"O{n}" for n in range(len(ids))], "id": ids, "day": "2024-11-05"})
    orders.assign(product=naughty, group=naughty, amount=100).to_csv(raw / "orders.csv", index=False)
    done = subprocess.run(
        [str(CRM), "run", "acme", "--period", "2024-Q4"],
        env=os.environ | {"CRM_HOME": str(home)},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return home


def test_every_name_is_kept_sign_by_sign(published, naughty):
    kept = pq.read_table(published / "data/acme/built/delivery/customers.parquet").to_pandas()
    assert len(kept) == len(naughty)
    wanted = {f"K{n:03}": as_read(text) or None for n, text in enumerate(naughty)}
    for column in ("name", "region", "city"):
        found = dict(zip(kept["customer_id"], kept[column], strict=True))
        assert {id: (None if pd.isna(text) else text) for id, text in found.items()} == wanted


def test_every_order_is_kept_with_its_product(published, naughty):
    kept = pq.read_table(published / "data/acme/built/delivery/transactions.parquet").to_pandas()
    assert len(kept) == len(naughty)
    assert kept["amount"].sum() == len(naughty) * 100_00


def test_the_tier_table_names_them_as_text(published, naughty):
    book = CalamineWorkbook.from_path(str(published / "reports/acme/2024-Q4/internal/tiers.xlsx"))
    names = {row[0] for row in book.get_sheet_by_index(0).to_python(skip_empty_area=False)}
    there = {as_shown(text) for text in naughty} - {""}
    assert {re.sub(r"\s+", " ", name) for name in map(str, names)} >= there


def test_the_report_is_inert(published):
    page = (published / "reports/acme/2024-Q4/report.html").read_text("utf-8")
    tags = re.findall(r"<(\w+)((?:\s+[\w-]+(?:=\"[^\"]*\")?)*)\s*/?>", page)
    assert not {"script", "iframe", "object", "embed", "link", "form", "base"} & {t.lower() for t, _ in tags}
    assert not [a for _, a in tags if re.search(r"\son\w+=|javascript:", a, re.IGNORECASE)]
    sources = re.findall(r"""<[^>]*?\s(?:src|href)="([^"]*)\"""", page)
    assert all(source.startswith(("data:", "#")) for source in sources)
