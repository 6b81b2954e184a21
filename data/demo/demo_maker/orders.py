"""The order lines: rhythms, what is bought, reversals, and planted defects."""

import numpy as np
import pandas as pd

from . import days
from .customers import ENTERPRISE, LARGE, PERSONAL

# customer type, product, group, usual price in cents, price step in cents, weight, margin,
# mean of the quantity beyond one
PRODUCTS = pd.DataFrame(
    [
        (PERSONAL, "账户管理费", "存款与结算", 4_500, 500, 24, 0.38, 0.6),
        (PERSONAL, "信用卡年费", "存款与结算", 24_000, 1_000, 17, 0.42, 0.0),
        (PERSONAL, "理财管理费", "理财", 62_000, 1, 21, 0.36, 0.0),
        (PERSONAL, "消费贷款利息", "贷款", 118_000, 1, 25, 0.29, 0.0),
        (PERSONAL, "保险佣金", "保险", 58_000, 1, 13, 0.33, 0.3),
        (ENTERPRISE, "结算手续费", "存款与结算", 12_000, 1, 34, 0.40, 5.0),
        (ENTERPRISE, "企业贷款利息", "贷款", 560_000, 1, 26, 0.28, 0.0),
        (ENTERPRISE, "代发工资", "存款与结算", 26_000, 1, 25, 0.35, 2.0),
        (ENTERPRISE, "保函手续费", "国际业务", 175_000, 1, 15, 0.37, 0.3),
        (LARGE, "项目融资安排费", "项目融资", 1_450_000, 1, 14, 0.33, 0.0),
        (LARGE, "银团贷款利息", "贷款", 960_000, 1, 26, 0.27, 0.0),
        (LARGE, "外汇避险", "国际业务", 265_000, 1, 27, 0.31, 0.5),
        (LARGE, "现金管理", "存款与结算", 130_000, 1, 33, 0.39, 0.5),
    ],
    columns=["type", "product", "group", "price", "step", "weight", "margin", "more"],
)
CHANNELS = ["网点", "手机银行", "客户经理", "网上银行"]
CHANNEL_WEIGHTS = {ENTERPRISE: [0.30, 0.12, 0.26, 0.32], LARGE: [0.14, 0.04, 0.58, 0.24]}
MOBILE_FIRST, MOBILE_LAST = 0.28, 0.60
MOBILE_ELSE = [0.56, 0.0, 0.12, 0.32]

# type: usual days between orders, their spread among customers (log), yearly rate of leaving,
# mean lines beyond one, spread of spend among customers (log)
HABITS = {
    PERSONAL: (192, 0.50, 0.13, 0.08, 0.75),
    ENTERPRISE: (108, 0.45, 0.09, 0.18, 0.75),
    LARGE: (56, 0.40, 0.05, 0.28, 0.65),
}
# role: shortest and longest gap in days, then the silence on the last day in gaps
RHYTHMS = {
    "steady": (26, 42, 0.05, 0.70),
    "dormant": (26, 40, 2.90, 3.10),
    "champions": (19, 25, 0.00, 0.45),
    "churned": (24, 34, 7.00, 20.0),
}
# Who says to look at the price buys most lines below it; mean and spread of a customer's share of lines.
PRICE_FIRST = "价格敏感型"
DISCOUNTED, SELDOM, GIVEN_OFF = (0.72, 0.12), (0.12, 0.07), (5, 10, 15, 20)
STEPS = 140
RETURN_SHARE = 0.015
TEXT_DATES = 400


def first_times(rng: np.random.Generator, folk: pd.DataFrame, *, gap, shape) -> np.ndarray:
    """Clock time of each first order; customers held before are met in mid-rhythm."""
    joined = days.CLOCK[folk["joined"].to_numpy()] - rng.uniform(0, 0.9, len(folk))
    # the gap that contains a fixed day is longer than usual: gamma with one more in its shape
    met = rng.uniform(size=len(folk)) * rng.gamma(shape + 1) * gap / shape
    return np.where(folk["held"], met, joined)


def free_times(rng: np.random.Generator, folk: pd.DataFrame) -> np.ndarray:
    """Order times of everyone as though nobody had a planted role; NaN where there is none."""
    habit = np.array([HABITS[kind] for kind in folk["type"]])
    gap = np.clip(habit[:, 0] * np.exp(habit[:, 1] * rng.normal(size=len(folk))), 16, 420)
    shape = rng.uniform(2, 7, len(folk))
    first = first_times(rng, folk, gap=gap, shape=shape)
    step = rng.gamma(shape[:, None], size=(len(folk), STEPS)) * (gap / shape)[:, None]
    times = np.column_stack([first, first[:, None] + np.cumsum(step, axis=1)])
    # the discontented leave a little sooner
    rate = habit[:, 2] / 365 * np.exp(-0.4 * folk["content"].to_numpy())
    start = np.where(folk["held"], 0.0, first)
    leaves = start + rng.exponential(size=len(folk)) / rate
    times[times > np.minimum(leaves, days.CLOCK[-1])[:, None]] = np.nan
    return times


def planted_times(rng: np.random.Generator, folk: pd.DataFrame) -> np.ndarray:
    """Order times of the customers with a role, counted back from a chosen last order."""
    low, high, near, far = np.array([RHYTHMS[role] for role in folk["role"]]).T
    gap = rng.uniform(low, high)
    silence = np.round(rng.uniform(near, far) * gap).astype(int)
    # spread over the quarters, so that leaving makes no dip in any one of them
    spread = rng.uniform(7 * gap, days.COUNT - 420).astype(int)
    silence = np.where(folk["role"] == "churned", spread, silence)
    last = days.time_of(days.COUNT - 1 - silence)
    step = rng.uniform(0.75, 1.25, size=(len(folk), STEPS)) * gap[:, None]
    times = last[:, None] - np.column_stack([np.zeros(len(folk)), np.cumsum(step, axis=1)])
    times[times <= 0] = np.nan
    return times


def documents(rng: np.random.Generator, folk: pd.DataFrame) -> pd.DataFrame:
    """One row per order: customer, day, channel and how many lines."""
    times = free_times(rng, folk)
    planted = np.flatnonzero(folk["role"] != "")
    times[planted] = np.nan
    times[planted, : STEPS + 1] = planted_times(rng, folk.iloc[planted])
    customer, at = np.nonzero(~np.isnan(times))
    made = pd.DataFrame({"customer": customer, "day": days.day_of(times[customer, at])})
    made["type"] = folk["type"].to_numpy()[customer]
    more = np.array([HABITS[kind][3] for kind in made["type"]])
    made["lines"] = 1 + np.minimum(rng.poisson(more), 3)
    made["channel"] = channels(rng, made)
    return made


def channels(rng: np.random.Generator, made: pd.DataFrame) -> np.ndarray:
    """Channel of each order; people move to the mobile bank year by year."""
    share = np.zeros((len(made), len(CHANNELS)))
    for kind, weights in CHANNEL_WEIGHTS.items():
        share[made["type"] == kind] = weights
    person = (made["type"] == PERSONAL).to_numpy()
    mobile = np.interp(made["day"][person], [0, days.COUNT], [MOBILE_FIRST, MOBILE_LAST])
    share[person] = (1 - mobile)[:, None] * MOBILE_ELSE
    share[person, CHANNELS.index("手机银行")] = mobile
    return (rng.uniform(size=(len(made), 1)) > share.cumsum(axis=1)[:, :-1]).sum(axis=1)


def order_lines(rng: np.random.Generator, made: pd.DataFrame, *, customers: int) -> pd.DataFrame:
    """One row per order line: no product twice on a document, each customer with own tastes."""
    taste = rng.normal(0, 0.9, (customers, len(PRODUCTS)))[made["customer"]]
    score = np.log(PRODUCTS["weight"].to_numpy()) + taste + rng.gumbel(size=taste.shape)
    offered = made["type"].to_numpy()[:, None] == PRODUCTS["type"].to_numpy()[None, :]
    ranked = np.argsort(-np.where(offered, score, -np.inf), axis=1)
    doc = np.repeat(np.arange(len(made)), made["lines"])
    nth = np.arange(len(doc)) - np.repeat(np.cumsum(made["lines"]) - made["lines"], made["lines"])
    lines = made[["customer", "day", "channel"]].iloc[doc].reset_index(drop=True)
    return lines.assign(doc=doc, product=ranked[doc, nth])


def sales(rng: np.random.Generator, folk: pd.DataFrame) -> pd.DataFrame:
    """Ordinary order lines, money in cents."""
    made = documents(rng, folk)
    lines = order_lines(rng, made, customers=len(folk))
    spread = np.array([HABITS[kind][4] for kind in folk["type"]])
    wealth = np.exp(spread * rng.normal(size=len(folk)))
    best = np.flatnonzero(folk["role"] == "champions")
    wealth[best] = np.exp(rng.normal(0.75, 0.25, len(best)))
    goods = PRODUCTS.iloc[lines["product"]].reset_index(drop=True)
    price = goods["price"] * wealth[lines["customer"]] * np.exp(0.3 * rng.normal(size=len(lines)))
    step = goods["step"]
    lines["price"] = (np.maximum(np.round(price / step), 1) * step).astype(np.int64)
    lines["quantity"] = 1 + rng.poisson(goods["more"])
    margin = goods["margin"] + rng.normal(0, 0.04, len(lines))
    loss = rng.uniform(size=len(lines)) < 0.025
    margin = np.where(loss, -rng.uniform(0.02, 0.25, len(lines)), margin)
    lines["profit"] = np.round(lines["price"] * lines["quantity"] * margin).astype(np.int64)
    return lines.assign(kind="sale")


def discounts(rng: np.random.Generator, lines: pd.DataFrame, *, need: pd.Series) -> np.ndarray:
    """Per cent of the list price given off each line; the price on it is what was paid."""
    mean, spread = np.where((need == PRICE_FIRST).to_numpy()[:, None], DISCOUNTED, SELDOM).T
    share = np.clip(rng.normal(mean, spread), 0, 1)
    given = rng.uniform(size=len(lines)) < share[lines["customer"]]
    return np.where(given, rng.choice(GIVEN_OFF, len(lines)), 0)


def reversals(rng: np.random.Generator, lines: pd.DataFrame) -> pd.DataFrame:
    """Lines that take back an earlier sale, each on a document of its own, some days later."""
    picked = np.sort(rng.choice(len(lines), round(len(lines) * RETURN_SHARE), replace=False))
    made = lines.iloc[picked].copy()
    made["day"] += rng.integers(2, 22, len(made))
    made = made[(made["day"] < days.COUNT) & (made["profit"] > 0)]
    back = (made["quantity"] * rng.choice([1.0, 1.0, 0.5], len(made))).clip(lower=1).astype(int)
    made["profit"] = -(made["profit"] * back / made["quantity"]).round().astype(np.int64)
    made["quantity"] = -back
    made["doc"] = lines["doc"].max() + 1 + np.arange(len(made))
    return made.assign(kind="return")
