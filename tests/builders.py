"""Small hand-made clients and tables: what a test types in, and nothing computed."""

import datetime as dt
import importlib.util
import os
import pickle
import sys
from pathlib import Path
from types import ModuleType

import pandas as pd
import pyarrow as pa
import pytest

from crmlib import client as clients
from crmlib import contract, tables

LINES = """\
name: Acme
currency: CNY
decimals: 2
delivered_on: 2025-01-06
tables:
  transactions:
    files: [orders.csv]
    columns: {%s}
"""
CONFIG = (
    LINES % "order_id: order, customer_id: customer, ordered_at: day, quantity: pieces, price: price"
    + "    returns: {order_id_starts_with: TH}\n"
)
ORDERS = """\
order,customer,day,pieces,price
A1,c1,2024-10-01,2,10.50
A1,c1,2024-10-01,1,3
A2,c2,2024-11-15,1,100
TH1,c1,2024-12-01,-1,10.50
"""

# The tier table's own three rows (T01), as firms pass them around.
SEED_HEADER = [
    "客户名称",
    "联系方式",
    "所属行业",
    "历史购买记录",
    "消费金额",
    "利润贡献",
    "购买频率",
    "活跃度",
    "忠诚度",
    "需求和偏好",
    "满意度",
    "分级",
]
SEED = [
    row.split(",")
    for row in (
        "客户A,12345678,制造业,10次,10000元,5000元,高,高,高,价格敏感型,满意,高价值客户",
        "客户B,87654321,零售业,5次,5000元,2000元,中,中,中,品质追求型,满意,中价值客户",
        "客户C,12348765,服务业,2次,2000元,1000元,低,低,低,个性化需求,不满意,低价值客户",
    )
]


def demo_maker() -> ModuleType:
    """The demo's own script, which uses nothing of crmlib."""
    if "make_demo" not in sys.modules:
        path = Path(__file__).resolve().parent.parent / "data" / "demo" / "make_demo.py"
        spec = importlib.util.spec_from_file_location("make_demo", path)
        sys.modules["make_demo"] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules["make_demo"]


def demo(seed: int) -> tuple[dict[str, pd.DataFrame], dict, clients.Client]:
    """The demo's tables of another seed, what is true of them, and its own client."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("CRM_HOME", raising=False)
        return *_drawn(seed), clients.load("demo")


def _drawn(seed: int) -> tuple[dict[str, pd.DataFrame], dict]:
    """Tables and truth of a seed: drawn once for all modules and workers of a test run, to each a copy of its own."""
    if "CRM_TEST_DEMOS" not in os.environ:
        return demo_maker().tables(seed)
    path = Path(os.environ["CRM_TEST_DEMOS"]) / f"{seed}.pickle"
    if not path.exists():
        written = path.with_suffix(f".{os.getpid()}")
        written.write_bytes(pickle.dumps(demo_maker().tables(seed)))
        written.replace(path)  # whole, even where two workers drew it at once
    return pickle.loads(path.read_bytes())


def made(home: Path, config: str = CONFIG, files: dict[str, str | bytes] | None = None, name: str = "acme"):
    """A client as a user would make one: a folder, a client.yml, files in raw/."""
    folder = home / "data" / name
    (folder / "raw").mkdir(parents=True, exist_ok=True)
    (folder / "client.yml").write_text(config, "utf-8")
    for file, content in ({"orders.csv": ORDERS} if files is None else files).items():
        path = folder / "raw" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return clients.load(name)


def day(iso: str) -> int:
    """A day as tables carry it."""
    return (dt.date.fromisoformat(iso) - dt.date(1970, 1, 1)).days


def text(header: str, *rows: str) -> pd.DataFrame:
    """Records as text from lines with commas."""
    names = header.split(",")
    return pd.DataFrame([row.split(",") for row in rows], columns=names, dtype=object)


def lines(*rows: dict) -> pa.Table:
    """Order lines in the columns of `tables.TRANSACTIONS` from few typed values.

    A row says customer, day and amount (smallest unit); order, kind, returned, profit … if it matters.
    """
    full = []
    for number, row in enumerate(rows, start=1):
        given = dict(row)
        customer, date, amount = given.pop("customer"), given.pop("day"), given.pop("amount")
        at = dt.datetime.fromisoformat(date)
        order = given.pop("order", f"{customer}@{at.date()}")
        kind = given.pop("kind", "sale" if amount > 0 else "return" if amount < 0 else "gift")
        full.append(
            {
                "line_id": number,
                "customer_id": customer,
                "known": customer is not None,
                "order_id": order,
                "ordered_at": at,
                "order_day": day(at.date().isoformat()),
                "order_month": at.year * 12 + at.month - 1,
                "product_id": None,
                "product": None,
                "product_group": None,
                "channel": None,
                "quantity": 1.0,
                "price": abs(amount),
                "amount": amount,
                "profit": None,
                "discount": None,
                "kind": kind,
                "returned": amount if kind == "return" else 0,
                "flags": "",
                "source_file": "typed",
                "source_row": number + 1,
                **given,
            }
        )
    return tables.conform(pa.Table.from_pylist(full, schema=tables.TRANSACTIONS.schema), tables.TRANSACTIONS)


def facts(*rows: dict) -> pd.DataFrame:
    """Customers in the columns of `tables.FACTS`; what is not said is 0, or empty where it may be unknown."""
    numbers = [field.name for field in tables.FACTS.schema if field.type == contract.NUMBER]
    unknown = dict.fromkeys([*numbers, "profit", "products", "product_groups"])
    usual = dict.fromkeys(tables.FACTS.schema.names, 0) | unknown | {"orders_a_year": 0.0}
    full = [usual | {"customer_id": f"c{n}"} | row for n, row in enumerate(rows, start=1)]
    table = pd.DataFrame(full, columns=tables.FACTS.schema.names)
    counts = dict.fromkeys(("profit", "products", "product_groups"), "Int64")
    return table.astype(counts | dict.fromkeys(numbers, float))


def answers(*rows: tuple) -> pd.DataFrame:
    """Survey answers from (customer, day, aspect, score); scale 1–5, of `recommend` 0–10."""
    return pd.DataFrame(
        [
            {
                "customer_id": customer,
                "known": True,
                "answered_day": day(date),
                "aspect": aspect,
                "score": float(score),
                "low": 0.0 if aspect == "recommend" else 1.0,
                "high": 10.0 if aspect == "recommend" else 5.0,
                "source_file": "typed",
                "source_row": number,
            }
            for number, (customer, date, aspect, score) in enumerate(rows, start=2)
        ],
        columns=tables.SURVEYS.schema.names,
    )
