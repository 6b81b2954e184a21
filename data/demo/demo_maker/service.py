"""Service records and social media: enquiries, complaints, after-sales with their hours; posts and mentions."""

import numpy as np
import pandas as pd

from . import days, flaws, meetings
from .customers import LARGE, weighted
from .meetings import MINUTES
from .survey import DROP

SHARED = ["客户编号", "开始时间", "首次答复", "解决时间", "类型", "渠道", "主题", "情感", "内容"]
COUNT, SOCIAL = 1100, 420
# kind: share, median minutes to the first answer, median hours to the end
KINDS = {"咨询": (58, 18, 4), "投诉": (17, 95, 44), "售后": (25, 60, 28)}
CHANNELS = {"热线": 46, "网点": 20, "微信": 22, "客户经理": 12}
TOPICS = {
    "咨询": {"利率": 30, "额度": 22, "手续费": 18, "网点营业时间": 10, "产品说明": 20},
    "投诉": {"收费": 30, "排队": 22, "审批慢": 28, "售后": 20},
    "售后": {"对账": 34, "补办材料": 36, "提前还款": 30},
}
SAYINGS = {
    "咨询": ["请问最新利率是多少", "想了解办理条件", "怎样提高额度", "周末营业吗"],
    "投诉": ["扣费没有提前说明", "打了三次电话没人处理", "排队两个小时", "材料交了又让重交"],
    "售后": ["请补发对账单", "合同复印件如何领取", "提前还款怎么算", "回单打印不出来"],
}
# Complaints about after-sales pile up here a month before the survey's fall, and wait longer.
PILED_FROM, PILED, SLOWER = days.LAST_QUARTER - 30, 75, 4.0
PLATFORMS = {"微博": 30, "微信": 28, "抖音": 26, "知乎": 16}
MOODS = {"正面": 34, "中性": 38, "负面": 28}
MENTIONS = {
    "正面": ["云澜手机银行越来越顺手", "客户经理很专业，点赞", "贷款三天就批下来了"],
    "中性": ["云澜和别家利率差不多", "有人用过云澜的理财吗", "云澜换新网点了"],
    "负面": ["云澜的售后没人接电话", "手续费又涨了<生气>", "排队一上午，=服务零分"],
}
POSTS = ["开户有礼", "理财课堂", "小微贷款问答", "反诈提醒"]


def service(rng, folk: pd.DataFrame, *, lines: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Service records as text, and what they mean: province, kind, minutes."""
    made = meetings.met(rng, lines, COUNT)
    made["kind"] = weighted(rng, {k: share for k, (share, _, _) in KINDS.items()}, count=COUNT)
    made["topic"] = [str(weighted(rng, TOPICS[kind], count=1)[0]) for kind in made["kind"]]
    here = (folk["province"] == DROP["province"]).to_numpy()[lines["customer"]]
    pool = lines[here & lines["day"].between(PILED_FROM, PILED_FROM + 75)]
    piled = meetings.met(rng, pool, PILED, later=8).assign(kind="投诉", topic="售后")
    made = pd.concat([made, piled]).sort_values(["day", "customer"], kind="stable", ignore_index=True)
    who = folk.iloc[made["customer"]].reset_index(drop=True)
    made["province"], made["type"] = who["province"], who["type"]
    slow = (made["province"] == DROP["province"]) & (made["day"] >= PILED_FROM) & (made["kind"] != "咨询")
    pace = np.where(slow, SLOWER, 1.0) * np.where(made["type"] == LARGE, 0.5, 1.0)
    usual = np.array([KINDS[kind][1:] for kind in made["kind"]])
    made["opened"] = meetings.office_hours(rng, made["day"])
    wait = np.exp(rng.normal(0, 0.7, (len(made), 2))) * usual * pace[:, None]
    made["answered"] = made["opened"] + np.maximum(np.round(wait[:, 0]), 1).astype(int)
    made["resolved"] = made["answered"] + np.maximum(np.round(wait[:, 1] * 60), 5).astype(int)
    made.loc[rng.uniform(size=len(made)) < 0.03, "resolved"] = meetings.CUT
    mood = np.where(made["kind"] == "投诉", "负面", weighted(rng, MOODS, count=len(made)))
    text = pd.DataFrame(
        {
            "工单号": [f"GD{n:06d}" for n in range(1, len(made) + 1)],
            "客户编号": who["id"],
            "开始时间": meetings.stamp(made["opened"]),
            "首次答复": meetings.stamp(made["answered"]),
            "解决时间": meetings.stamp(made["resolved"]),
            "类型": made["kind"],
            "渠道": weighted(rng, CHANNELS, count=len(made)),
            "主题": made["topic"],
            "情感": mood,
            "内容": [str(rng.choice(SAYINGS[kind])) for kind in made["kind"]],
        },
        dtype=object,
    )
    return text, made


def service_flaws(rng, text: pd.DataFrame, *, strangers: list[str]):
    """The service records as delivered, each row's kind of defect, and where they stand."""

    def earlier(row: pd.Series) -> dict[str, str]:
        return {"首次答复": str(int(row["开始时间"][:4]) - 1) + row["开始时间"][4:].replace("02-29", "02-28")}

    plan = {
        "impossible_order": [earlier] * 5,
        "missing_dates": flaws.cell("开始时间", "", "", ""),
        "invalid_dates": flaws.cell("解决时间", "2024-02-30 10:00", "处理完", "2024-13-05"),
        "future_dates": flaws.cell("开始时间", "2025-03-04 10:20", "2026-01-02 09:00"),
        "strangers": flaws.cell("客户编号", *strangers),
    }
    settled = (text["首次答复"] != "") & (text["解决时间"] != "")
    return flaws.planted(rng, text, plan, settled=settled, copies=9, id="客户编号")


def social(rng, folk: pd.DataFrame, *, lines: pd.DataFrame) -> pd.DataFrame:
    """Posts of the bank and mentions of it, as text; few mentions can be tied to a customer."""
    made = meetings.met(rng, lines, SOCIAL)
    own = rng.uniform(size=SOCIAL) < 0.22
    mood = np.where(own, "", weighted(rng, MOODS, count=SOCIAL))
    opened = np.asarray(made["day"]) * MINUTES + rng.integers(420, 1430, SOCIAL)
    wait = np.exp(rng.normal(np.log(np.where(mood == "负面", 240, 90)), 0.9))
    answered = np.where(~own & (rng.uniform(size=SOCIAL) < 0.6), opened + 1 + np.round(wait), meetings.CUT)
    named = ~own & (rng.uniform(size=SOCIAL) < 0.25)
    fame = np.exp(rng.normal(2.2, 1.1, (SOCIAL, 3))).astype(int)
    said = [str(rng.choice(MENTIONS[m] if m else POSTS)) for m in mood]
    text = {
        "客户编号": np.where(named, folk["id"].to_numpy()[made["customer"]], ""),
        "开始时间": meetings.stamp(opened),
        "首次答复": meetings.stamp(answered),
        "解决时间": "",
        "类型": np.where(own, "发帖", "提及"),
        "渠道": weighted(rng, PLATFORMS, count=SOCIAL),
        "主题": [
            next((t for t in ("售后", "手续费", "排队", "贷款", "理财") if t in s), "品牌") for s in said
        ],
        "情感": mood,
        "内容": said,
        "点赞": fame[:, 0].astype(str),
        "转发": fame[:, 1].astype(str),
        "评论": fame[:, 2].astype(str),
    }
    return pd.DataFrame(text, dtype=object)


def social_flaws(rng, text: pd.DataFrame, *, strangers: list[str]):
    """The social file as delivered, each row's kind of defect, and where they stand."""
    plan = {
        "invalid_dates": flaws.cell("开始时间", "刚刚", "2024-11-31 08:00"),
        "strangers": flaws.cell("客户编号", *strangers),
    }
    settled = (text["类型"] == "提及") & (text["首次答复"] != "")
    return flaws.planted(rng, text, plan, settled=settled, copies=4, id="客户编号")


def truths(made: pd.DataFrame) -> dict:
    """Complaints about after-sales in the province of the fall and elsewhere, by quarter, with their waits.

    Minutes run from the opening to the end of all complaints that were resolved.
    """
    asked = made[made["kind"] == "投诉"].assign(
        quarter=meetings.quarter(made.loc[made["kind"] == "投诉", "day"])
    )
    told: dict = {"province": DROP["province"], "from": str(days.START + PILED_FROM), "topic": "售后"}
    for name in ("2024-Q1", "2024-Q2", "2024-Q3", "2024-Q4"):
        now = asked[asked["quarter"] == name]
        told[name] = {}
        for place, rows in {
            "there": now[now["province"] == DROP["province"]],
            "elsewhere": now[now["province"] != DROP["province"]],
        }.items():
            done = rows[rows["resolved"] < meetings.CUT]
            told[name][place] = {
                "complaints": len(rows),
                "after_sales": int((rows["topic"] == "售后").sum()),
                "resolved": len(done),
                "minutes": int((done["resolved"] - done["opened"]).sum()),
            }
    return told
