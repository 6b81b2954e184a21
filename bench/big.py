"""Order lines by the million, as a shop exports them: the same bytes every time."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

CONFIG = """\
name: Big
currency: GBP
decimals: 2
timezone: Europe/London
tables:
  transactions:
    files: [orders.csv]
    columns:
      order_id: InvoiceNo
      product_id: StockCode
      product: Description
      quantity: Quantity
      ordered_at: InvoiceDate
      price: UnitPrice
      customer_id: CustomerID
      region: Country
    returns: {order_id_starts_with: C}
"""
PART = 250_000


def lines(number: int, rng: np.random.Generator) -> pd.DataFrame:
    """One part of the file: a handful of lines an order, one in fifty a return, a few that are wrong."""
    size = PART
    order = number * PART + np.sort(rng.integers(0, PART // 5, size))
    returned = rng.random(size) < 0.02
    product = rng.integers(0, 4000, size)
    start = np.datetime64("2022-01-01T08:00:00")
    when = start + (order % 1_500_000).astype("timedelta64[m]")
    customer = pd.Series(10_000 + order * 7919 % 50_000).astype(str)
    customer[rng.random(size) < 0.2] = ""
    return pd.DataFrame(
        {
            "InvoiceNo": np.where(returned, "C", "") + pd.Series(order + 500_000).astype(str),
            "StockCode": 20_000 + product,
            "Description": "ARTICLE, KIND " + pd.Series(product).astype(str),
            "Quantity": np.where(returned, -1, 1) * rng.integers(1, 25, size),
            "InvoiceDate": pd.Series(when).dt.strftime("%Y-%m-%d %H:%M:%S"),
            "UnitPrice": (product % 977 + 5) / 100,
            "CustomerID": customer,
            "Country": np.array(["United Kingdom", "France", "Germany", "EIRE"])[rng.integers(0, 4, size)],
        }
    )


def write(path: Path, rows: int) -> Path:
    """A file of this many lines (a multiple of a quarter million); one line in a thousand stands twice."""
    rng = np.random.default_rng(20241231)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as out:
        for number in range(rows // PART):
            part = lines(number, rng)
            twice = np.arange(0, PART, 1000)
            part.loc[twice + 1] = part.loc[twice].to_numpy()
            part.to_csv(out, index=False, header=not number, lineterminator="\n")
    return path


def client(home: Path, rows: int) -> Path:
    """A client called `big` under a home of its own, with such a file."""
    folder = home / "data" / "big"
    file = folder / "raw" / "orders.csv"
    if not file.is_file():
        write(file, rows)
        (folder / "client.yml").write_text(CONFIG, "utf-8")
    return file


if __name__ == "__main__":
    print(client(Path(sys.argv[1]), int(sys.argv[2])))
