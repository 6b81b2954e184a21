"""What customers say: the needs survey, interviews, feedback, online reviews."""

import numpy as np
import pandas as pd

from . import days, flaws, meetings
from .customers import ENTERPRISE, LARGE, PERSONAL, weighted
from .orders import PRODUCTS
from .service import PILED_FROM
from .survey import DROP

SHARED = ["客户编号", "日期", "类型", "渠道", "主题", "评分", "内容"]
NEEDS, INTERVIEWS, COMMENTS, REVIEWS = 900, 110, 320, 480
WAVES = ("2023-06-15", "2024-06-17")
# need: price sensitivity and expected service on 1–5, a third either way
TASTES = {"价格敏感型": (4.4, 3.0), "品质追求型": (2.2, 4.3), "个性化需求": (2.8, 4.6)}
# Large enterprises expect so much more of the service, on the same 1–5, and are served like all others.
EXPECT_MORE = 1.2
WISHES = ["利率再低一点", "有人主动联系", "少跑网点", "定制还款计划", "手续费透明", "", "", "", ""]
NOTES = [
    "客户对授信流程较满意，希望缩短审批时间；下季度有扩产计划，或需追加额度。",
    "客户提到同业报价更低，正在比较；服务评价中等。",
    "客户认可现金管理，建议增加多币种归集；提及上下游三家企业可介绍。",
    "客户反映售后响应慢，两次未按约定回电，情绪不满。",
    "客户近期无新增融资需求，关注汇率风险管理工具。",
]
WORDS = {
    "建议": ["建议延长网点营业时间", "希望手机银行支持发票下载", "建议增加英文界面", "可否免短信费"],
    "表扬": ["大堂经理耐心细致", "客户经理专业, 值得信赖", "放款很快"],
    "投诉": ["售后电话一直占线", "收费没有提前告知", "审批进度查不到"],
}
RATED = {
    1: ["太差了", "打不开, 卸载了"],
    2: ["经常闪退", "客服答非所问"],
    3: ["还行", "一般般吧"],
    4: ["挺好用", "比以前快"],
    5: ["非常好", "推荐给朋友了👍"],
}


def needs(rng, folk: pd.DataFrame, *, lines: pd.DataFrame, stated: pd.Series) -> pd.DataFrame:
    """The needs survey in two waves, as text; most state the need that the customer file has."""
    made = meetings.met(rng, lines[lines["day"] < 880].drop_duplicates("customer"), NEEDS, later=1)
    who = folk.iloc[made["customer"]].reset_index(drop=True)
    file = stated.to_numpy()[made["customer"]]
    drawn = weighted(rng, dict.fromkeys(TASTES, 1), count=NEEDS)
    need = np.where((file != "") & (rng.uniform(size=NEEDS) < 0.88), file, drawn)
    second = rng.uniform(size=NEEDS) < 0.55
    begin = [int((np.datetime64(wave) - days.START).astype(int)) for wave in WAVES]
    # nobody answers before having become a customer
    second |= np.asarray(made["day"]) > begin[0]
    day = np.where(second, begin[1], begin[0]) + rng.integers(0, 21, NEEDS)
    usual = np.array([TASTES[name] for name in need]) + rng.normal(0, 0.7, (NEEDS, 2))
    usual[:, 1] += np.where(who["type"] == LARGE, EXPECT_MORE, 0.0)
    score = np.clip(np.round(usual), 1, 5).astype(int).astype(str)
    goods = {kind: PRODUCTS.loc[PRODUCTS["type"] == kind, "product"].to_numpy() for kind in set(folk["type"])}
    text = {
        "客户编号": who["id"],
        "填写日期": days.iso(day),
        "需求类型": need,
        "期望产品": [str(rng.choice(goods[kind])) for kind in who["type"]],
        "价格敏感度": score[:, 0],
        "服务期望": score[:, 1],
        "说明": rng.choice(WISHES, size=NEEDS),
    }
    table = pd.DataFrame(text, dtype=object)
    return table.iloc[np.argsort(day, kind="stable")].reset_index(drop=True)


def expectations(text: pd.DataFrame, folk: pd.DataFrame) -> pd.DataFrame:
    """What the rows of the needs survey mean: type of customer, expected service."""
    kinds = folk.set_index("id")["type"]
    expected = text["服务期望"].astype(int)
    return pd.DataFrame({"type": text["客户编号"].map(kinds), "expected": expected})


def truths(made: pd.DataFrame) -> dict:
    """Who expects more of the service than all others: number and sum of the answers by type, as asked."""
    told: dict = {"customer_type": LARGE, "more": EXPECT_MORE, "scale": [1, 5]}
    for kind, scores in made.groupby("type")["expected"]:
        told[kind] = {"n": len(scores), "sum": int(scores.sum())}
    return told


def needs_flaws(rng, text: pd.DataFrame, *, strangers: list[str]):
    """The needs survey as delivered, each row's kind of defect, and where they stand."""
    plan = {
        "invalid_numbers": flaws.cell("价格敏感度", "很高", "看情况") + flaws.cell("服务期望", "越快越好"),
        "invalid_dates": flaws.cell("填写日期", "2024-06-31", "六月"),
        "missing_dates": flaws.cell("填写日期", "", ""),
        "strangers": flaws.cell("客户编号", *strangers),
    }
    return flaws.planted(rng, text, plan, settled=text["说明"] == "", copies=6, id="客户编号")


def interviews(rng, folk: pd.DataFrame, *, lines: pd.DataFrame) -> pd.DataFrame:
    """Notes of visits and calls to firms, as text."""
    firms = folk["type"].isin([ENTERPRISE, LARGE]).to_numpy()[lines["customer"]]
    made = meetings.met(rng, lines[firms], INTERVIEWS, later=30)
    text = {
        "客户编号": folk["id"].to_numpy()[made["customer"]],
        "日期": meetings.chinese(made["day"]),
        "类型": "访谈",
        "渠道": weighted(rng, {"面谈": 6, "电话": 4}, count=INTERVIEWS),
        "主题": weighted(rng, {"授信": 4, "结算": 3, "外汇": 2, "售后": 1}, count=INTERVIEWS),
        "评分": "",
        "内容": rng.choice(NOTES, size=INTERVIEWS),
        "访谈人": [f"员工{n:02d}" for n in rng.integers(1, 24, INTERVIEWS)],
    }
    return pd.DataFrame(text, dtype=object)


def interview_flaws(rng, text: pd.DataFrame, *, strangers: list[str]):
    """The interviews as delivered, each row's kind of defect, and where they stand."""
    plan = {
        "future_dates": flaws.cell("日期", "2025年3月1日"),
        "strangers": flaws.cell("客户编号", *strangers),
    }
    return flaws.planted(rng, text, plan, settled=text["内容"] != "", copies=2, id="客户编号")


def comments(rng, folk: pd.DataFrame, *, lines: pd.DataFrame) -> pd.DataFrame:
    """Feedback from counters, the hotline and the mobile bank, as text."""
    made = meetings.met(rng, lines, COMMENTS)
    who = folk.iloc[made["customer"]].reset_index(drop=True)
    kind = weighted(rng, {"建议": 42, "表扬": 33, "投诉": 25}, count=COMMENTS)
    fallen = (who["province"] == DROP["province"]) & (made["day"] >= PILED_FROM)
    kind = np.where(fallen & (rng.uniform(size=COMMENTS) < 0.6), "投诉", kind)
    named = rng.uniform(size=COMMENTS) < 0.85
    said = [str(rng.choice(WORDS[name])) for name in kind]
    text = {
        "客户编号": np.where(named, who["id"], ""),
        "日期": days.iso(made["day"]),
        "类型": kind,
        "渠道": weighted(rng, {"意见簿": 2, "热线": 4, "手机银行": 4}, count=COMMENTS),
        "主题": [
            next((t for t in ("售后", "收费", "审批", "网点", "手机银行") if t in s), "服务") for s in said
        ],
        "评分": "",
        "内容": said,
    }
    return pd.DataFrame(text, dtype=object)


def comment_flaws(rng, text: pd.DataFrame, *, strangers: list[str]):
    """The feedback as delivered, each row's kind of defect, and where they stand."""
    plan = {"missing_dates": flaws.cell("日期", "", "", ""), "strangers": flaws.cell("客户编号", *strangers)}
    return flaws.planted(rng, text, plan, settled=text["客户编号"] != "", copies=4, id="客户编号")


def reviews(rng, folk: pd.DataFrame, *, lines: pd.DataFrame) -> pd.DataFrame:
    """Ratings in app stores and on the web, as text; few name a customer."""
    people = (folk["type"] == PERSONAL).to_numpy()[lines["customer"]]
    made = meetings.met(rng, lines[people], REVIEWS)
    felt = 3.7 + 0.6 * folk["content"].to_numpy()[made["customer"]] + rng.normal(0, 1.0, REVIEWS)
    stars = np.clip(np.round(felt), 1, 5).astype(int)
    text = {
        "客户编号": np.where(rng.uniform(size=REVIEWS) < 0.3, folk["id"].to_numpy()[made["customer"]], ""),
        "日期": meetings.slashed(made["day"]),
        "类型": "评价",
        "渠道": weighted(rng, {"应用商店": 7, "官网": 3}, count=REVIEWS),
        "主题": "手机银行",
        "评分": stars.astype(str),
        "内容": [str(rng.choice(RATED[n])) for n in stars],
        "昵称": [f"用户{n}" for n in rng.integers(10_000, 99_999, REVIEWS)],
    }
    return pd.DataFrame(text, dtype=object)


def review_flaws(rng, text: pd.DataFrame, *, strangers: list[str]):
    """The reviews as delivered, each row's kind of defect, and where they stand."""
    plan = {
        "invalid_numbers": flaws.cell("评分", "五星好评", "差评"),
        "invalid_dates": flaws.cell("日期", "昨天"),
        "strangers": flaws.cell("客户编号", *strangers),
    }
    settled = text["客户编号"] != ""
    return flaws.planted(rng, text, plan, settled=settled, copies=3, header=True, id="客户编号")
