"""What is wrong or odd with the delivered order lines, and the lines as the file shows them."""

import numpy as np
import pandas as pd

from . import days
from .customers import LARGE
from .orders import CHANNELS, PRODUCTS, TEXT_DATES

COLUMNS = ["单据号", "客户编号", "业务日期", "产品名称", "产品类别", "渠道", "数量", "单价", "折扣", "利润"]
# kind: how many; each is a row of its own, so that no row has two defects
COUNTS = {
    "bookkeeping": 6,
    "stock_corrections": 20,
    "invalid_dates": 8,
    "missing_dates": 3,
    "future_dates": 5,
    "invalid_numbers": 4,
    "orphans": 25,
    "no_customer": 60,
    "gifts": 60,
    "abnormal": 3,
}
QUARANTINED = [
    "bookkeeping",
    "stock_corrections",
    "invalid_dates",
    "missing_dates",
    "future_dates",
    "invalid_numbers",
    "not_records",
]
ON_A_NORMAL_DOCUMENT = {"stock_corrections", "gifts"}
INVALID_DATES = ["2024-02-30", "2024-13-05", "待定", "2023/02/29", "2022-00-10", "31日"]
INVALID_DATES += ["见附件", "2024-04-31"]
INVALID_NUMBERS = [("数量", "两笔"), ("单价", "面议"), ("数量", "若干"), ("单价", "见合同")]
ABNORMAL_PRODUCT = "结算手续费"
NOBODY = -1


def with_odd_lines(rng: np.random.Generator, lines: pd.DataFrame, *, folk: pd.DataFrame):
    """Lines with every injected row added, each still dated by the day it belongs to."""
    # large enterprises are left out: an unidentified line should not weigh like a hundred others
    small = (folk["type"] != LARGE).to_numpy()[lines["customer"]] & (lines["kind"] == "sale")
    pool = lines[small].reset_index(drop=True)
    used, parts, next_doc = np.array([], dtype=int), [lines], int(lines["doc"].max()) + 1
    for kind, count in COUNTS.items():
        free = np.setdiff1d(np.arange(len(pool)), used)
        picked = free[days.spread(rng, pool["day"].to_numpy()[free], count)]
        used = np.append(used, picked)
        odd = pool.iloc[picked].assign(kind=kind)
        if kind not in ON_A_NORMAL_DOCUMENT:
            odd["doc"] = next_doc + np.arange(count)
            next_doc += count
        parts.append(altered(rng, odd, kind=kind))
    return pd.concat(parts, ignore_index=True)


def altered(rng: np.random.Generator, odd: pd.DataFrame, *, kind: str) -> pd.DataFrame:
    """Copies of ordinary lines turned into the given kind of odd line."""
    count = len(odd)
    if kind in ("gifts", "stock_corrections"):
        odd["price"], odd["profit"], odd["off"] = 0, 0, 0
        odd["quantity"] = rng.integers(1, 4, count) * (1 if kind == "gifts" else -1)
    elif kind == "bookkeeping":
        odd["price"], odd["profit"], odd["quantity"] = -odd["price"], 0, 1
    elif kind == "orphans":
        odd["customer"] = NOBODY - 1 - rng.integers(0, 12, count)
    elif kind == "no_customer":
        odd["customer"] = NOBODY
    elif kind == "abnormal":
        odd["customer"], odd["quantity"] = NOBODY, 1
        odd["product"] = PRODUCTS.index[PRODUCTS["product"] == ABNORMAL_PRODUCT][0]
        usual = PRODUCTS["price"].to_numpy()[odd["product"]]
        odd["price"] = np.round(usual * rng.uniform(1500, 4500, count)).astype(np.int64)
        odd["profit"] = np.round(odd["price"] * 0.3).astype(np.int64)
    return odd


def numbered(rng: np.random.Generator, lines: pd.DataFrame) -> pd.DataFrame:
    """Lines in the order of the file, each with its document's number."""
    shuffled = rng.permutation(int(lines["doc"].max()) + 1)
    lines = lines.assign(within=shuffled[lines["doc"]])
    lines = lines.sort_values(["day", "within"], kind="stable", ignore_index=True)
    prefix = np.where(lines["kind"] == "return", "TH", "XS")
    date = np.char.replace(days.iso(lines["day"]).astype(str), "-", "")
    serial = lines.groupby([prefix, lines["day"].to_numpy()])["within"].rank("dense").astype(int)
    number = [f"{p}{d[2:]}{n:03d}" for p, d, n in zip(prefix, date, serial, strict=True)]
    return lines.assign(number=number).drop(columns="within")


def money_text(cents) -> list[str]:
    """Cents as the shortest decimal text in yuan."""
    texts = []
    for value in np.asarray(cents).tolist():
        whole, rest = divmod(abs(value), 100)
        text = f"{whole}.{rest:02d}".rstrip("0").rstrip(".")
        texts.append(f"-{text}" if value < 0 else text)
    return texts


def as_text(lines: pd.DataFrame, folk: pd.DataFrame, *, strangers: list[str]) -> pd.DataFrame:
    """The lines as text, before anything in a cell is spoilt."""
    # negative positions count from the end: NOBODY is the last name, strangers stand before it
    names = np.array([*folk["id"], *reversed(strangers), ""], dtype=object)
    goods = PRODUCTS.iloc[lines["product"]]
    text = {
        "单据号": lines["number"],
        "客户编号": names[lines["customer"]],
        "业务日期": days.iso(lines["day"]),
        "产品名称": goods["product"].to_numpy(),
        "产品类别": goods["group"].to_numpy(),
        "渠道": np.array(CHANNELS, dtype=object)[lines["channel"]],
        "数量": lines["quantity"].astype(str),
        "单价": money_text(lines["price"]),
        "折扣": money_text(lines["off"]),
        "利润": money_text(lines["profit"]),
    }
    return pd.DataFrame(text, dtype=object)


def spoil(rng: np.random.Generator, text: pd.DataFrame, *, kind: pd.Series) -> None:
    """Write the wrong dates and numbers, and the dates typed as text, into the cells."""
    text.loc[kind == "invalid_dates", "业务日期"] = rng.permutation(INVALID_DATES)
    text.loc[kind == "missing_dates", "业务日期"] = ""
    late = days.COUNT + rng.integers(40, 500, COUNTS["future_dates"])
    text.loc[kind == "future_dates", "业务日期"] = days.iso(late)
    wrong = zip(np.flatnonzero(kind == "invalid_numbers"), INVALID_NUMBERS, strict=True)
    for row, (column, value) in wrong:
        text.loc[row, column] = value
    typed = np.sort(rng.choice(np.flatnonzero(kind == "sale"), TEXT_DATES, replace=False))
    for nth, row in enumerate(typed):
        year, month, day = map(int, text.at[row, "业务日期"].split("-"))
        forms = (f"{year}年{month}月{day}日", f"{year}/{month}/{day}")
        text.loc[row, "业务日期"] = forms[nth % 2]


def total(above: pd.DataFrame, label: str) -> pd.DataFrame:
    """A total row over the rows above it, as an accounting program prints it."""
    row = dict.fromkeys(COLUMNS, "") | {"单据号": label}
    row["数量"] = str(int(pd.to_numeric(above["数量"], errors="coerce").sum()))
    profit = above["利润"].astype(float).mul(100).round().astype(np.int64)
    row["利润"] = money_text([profit.sum()])[0]
    return pd.DataFrame([row], dtype=object)


def delivered(rng, lines: pd.DataFrame, *, folk: pd.DataFrame, strangers: list[str]):
    """The order file as text, and its lines with `kind`, one for each row of the file."""
    lines = numbered(rng, with_odd_lines(rng, lines, folk=folk))
    text = as_text(lines, folk, strangers=strangers)
    spoil(rng, text, kind=lines["kind"])
    ordinary = np.flatnonzero(lines["kind"] == "sale")
    twice = ordinary[days.spread(rng, lines["day"].to_numpy()[ordinary], 40)]
    places = np.concatenate([np.arange(len(text)), twice + rng.integers(0, 40, 40) + 0.5])
    order = np.argsort(places, kind="stable")
    text = pd.concat([text, text.iloc[twice]], ignore_index=True).iloc[order]
    copies = lines.iloc[twice].assign(kind="exact_duplicates")
    lines = pd.concat([lines, copies], ignore_index=True).iloc[order]
    middle = int(np.flatnonzero(lines["day"] > 546)[0])
    parts = [text[:middle], total(text[:middle], "小计"), text[middle:], total(text, "合计")]
    sums = pd.DataFrame({"kind": ["not_records"]})
    made = pd.concat([lines[:middle], sums, lines[middle:], sums], ignore_index=True)
    return pd.concat(parts, ignore_index=True), made


def defects(table: pd.DataFrame, made: pd.DataFrame) -> dict:
    """Where each planted defect stands."""
    found = {}
    for kind in ["exact_duplicates", *COUNTS, "not_records", "return"]:
        at = np.flatnonzero(made["kind"] == kind)
        found[kind] = {"count": len(at), "rows": (at + 1).tolist()}
        found[kind]["ids"] = table["单据号"].iloc[at].tolist()
    returns = found["returns"] = found.pop("return")
    back = made[made["kind"] == "return"]
    returns["sum"] = int((back["quantity"] * back["price"]).sum())
    found["orphans"]["customer_ids"] = sorted(set(table["客户编号"][made["kind"] == "orphans"]))
    found["abnormal"]["note"] = "blank customer; counted here and not in no_customer"
    return found
