"""What customers cost: acquisition by channel and month, service by customer and quarter; campaigns."""

import numpy as np
import pandas as pd

from . import days, flaws
from .customers import ENTERPRISE, LARGE
from .order_defects import money_text

CHANNELS = {"微信": 0.24, "抖音": 0.18, "网点推广": 0.34, "客户经理": 0.24}
# Cents to win one customer at the beginning, and its growth a month.
WON_AT, DEARER = 180_000, 0.012
SERVED_FROM, WASTED = 4, 12
PLATFORMS = {"微信": (52_000, 0.050, 0.00), "抖音": (38_000, 0.062, 0.16), "微博": (60_000, 0.034, -0.10)}
NAMES = ("开户有礼", "理财课堂", "小微贷款季")


def costs(rng, folk: pd.DataFrame, *, lines: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Costs as text, the same as kind, day and cents, and firms that cost far more than they bring."""
    month = pd.PeriodIndex(pd.to_datetime(days.iso(np.arange(days.COUNT))), freq="M")
    first = lines.groupby("customer")["day"].min().to_numpy()
    won = pd.Series(month[first]).value_counts().sort_index()
    rows = []
    for at, name in enumerate(pd.period_range(str(days.START), str(days.END), freq="M")):
        day = int((np.datetime64(str(name.start_time.date())) - days.START).astype(int))
        newcomers = min(int(won.get(name, 0)), 60)
        for channel, share in CHANNELS.items():
            cents = newcomers * WON_AT * (1 + DEARER) ** at * share * np.exp(rng.normal(0, 0.05))
            rows.append(("获客", day, channel, -1, round(cents / 100) * 100))
    bought = lines.groupby("customer")["price"].sum()
    old = folk["opened"] < int((np.datetime64("2023-01-01") - days.START).astype(int))
    firms = folk.index[old & (folk["type"] == ENTERPRISE)].intersection(bought.index)
    wasted = np.sort(bought[firms].sort_values(kind="stable").index[:60].to_numpy())[:WASTED]
    large = folk.index[folk["type"] == LARGE].intersection(bought.index)
    for name in pd.period_range("2023-01-01", str(days.END), freq="Q"):
        day = int((np.datetime64(str(name.start_time.date())) - days.START).astype(int))
        served = [c for c in [*large, *wasted] if folk["opened"].iloc[c] <= day]
        for customer in served:
            middle = 900_000 if customer in wasted else 260_000
            rows.append(("服务", day, "客户经理", customer, int(middle * np.exp(rng.normal(0, 0.35)))))
    made = pd.DataFrame(rows, columns=["kind", "day", "channel", "customer", "cents"])
    made = made.sort_values(["day", "kind"], kind="stable", ignore_index=True)
    ids = np.append(folk["id"].to_numpy(), "")
    text = {
        "日期": days.iso(made["day"]),
        "客户编号": ids[made["customer"]],
        "类别": made["kind"],
        "渠道": made["channel"],
        "金额": money_text(made["cents"]),
    }
    return pd.DataFrame(text, dtype=object), made, folk["id"].iloc[wasted].tolist()


def cost_flaws(rng, text: pd.DataFrame, *, strangers: list[str]):
    """The costs as delivered, each row's kind of defect, and where they stand."""
    plan = {
        "negative_amounts": [lambda row: {"金额": f"-{row['金额']}"}] * 4,
        "invalid_numbers": flaws.cell("金额", "面议", "见附件", "若干"),
        "missing_numbers": flaws.cell("金额", "", ""),
        "missing_dates": flaws.cell("日期", "", ""),
        "strangers": flaws.cell("客户编号", *strangers),
    }
    total = {"日期": "合计", "金额": money_text([int(sum(round(float(v) * 100) for v in text["金额"]))])[0]}
    settled = text["类别"] == "服务"
    return flaws.planted(rng, text, plan, settled=settled, copies=5, total=total, id="客户编号")


def truths(made: pd.DataFrame, lines: pd.DataFrame, *, folk: pd.DataFrame, wasted: list[str]) -> dict:
    """Acquisition costs of a period in cents beside the customers won in it; firms served at a loss.

    At a loss: serving them has cost more than all their orders ever earned.
    """
    served = made[made["kind"] == "服务"].groupby("customer")["cents"].sum()
    served.index = folk["id"].to_numpy()[served.index]
    earned = lines.groupby("customer")["profit"].sum()
    earned.index = folk["id"].to_numpy()[earned.index]
    loss = {id: int(served[id]) for id in wasted if served[id] > max(earned[id], 0)}
    told: dict = {"unit": "cents", "served_at_a_loss": loss}
    first = lines.groupby("customer")["day"].min()
    for name in ("2024-Q3", "2024-Q4"):
        span = pd.Period(name.replace("-", ""), "Q")
        ends = np.array([span.start_time, span.end_time], dtype="datetime64[D]") - days.START
        begin, end = (int(part.astype(int)) for part in ends)
        now = made[made["day"].between(begin, end) & (made["kind"] == "获客")]
        told[name] = {
            "acquisition": int(now["cents"].sum()),
            "first_sales": int(first.between(begin, end).sum()),
        }
    return told


def campaigns(rng) -> pd.DataFrame:
    """A campaign for each platform and quarter, as text; one platform grows, one shrinks."""
    rows = []
    for at, name in enumerate(pd.period_range(str(days.START), str(days.END), freq="Q")):
        for nth, (platform, (reach, engaged, growth)) in enumerate(PLATFORMS.items()):
            begin = int((np.datetime64(str(name.start_time.date())) - days.START).astype(int)) + 7 + nth * 9
            seen = int(reach * (1 + growth) ** (at / 2) * np.exp(rng.normal(0, 0.08)))
            acted = int(seen * engaged * (1 + growth) ** (at / 4) * np.exp(rng.normal(0, 0.08)))
            bought = int(acted * rng.uniform(0.006, 0.012))
            cents = round(seen * rng.uniform(9, 13)) * 10
            title = f"{name.year}年{name.quarter}季度{NAMES[(at + nth) % 3]}·{platform}"
            cells = (title, platform, begin, begin + 20 + int(rng.integers(0, 20)))
            rows.append((*cells, str(seen), str(acted), str(bought), money_text([cents])[0]))
    names = ["活动名称", "平台", "开始日期", "结束日期", "触达人数", "互动人数", "转化人数", "费用"]
    text = pd.DataFrame(rows, columns=names, dtype=object)
    return text.assign(**{c: days.iso(text[c].astype(int)) for c in ("开始日期", "结束日期")}).astype(object)


def campaign_flaws(rng, text: pd.DataFrame):
    """The campaigns as delivered, each row's kind of defect, and where they stand."""
    plan = {
        "missing_names": flaws.cell("活动名称", ""),
        "impossible_order": [lambda row: {"结束日期": "2021-12-31"}],
        "negative_amounts": flaws.cell("触达人数", "-1"),
        "invalid_numbers": flaws.cell("互动人数", "很多"),
    }
    return flaws.planted(rng, text, plan, settled=text["平台"] != "", copies=1, id="活动名称")
