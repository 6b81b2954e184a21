"""Applications for loans and project finance: who asks for how much, and who gets it."""

import numpy as np
import pandas as pd

from . import days, flaws, meetings
from .customers import ENTERPRISE, LARGE, PERSONAL

COUNT = 780
# customer type: weight among applicants, product, purposes, middle amount in yuan, terms in months
OFFERS = {
    PERSONAL: (3, "消费贷款", "装修 购车 教育", 80_000, (12, 24, 36)),
    ENTERPRISE: (4, "企业贷款", "流动资金 设备采购 厂房建设", 1_500_000, (12, 24, 36, 60)),
    LARGE: (5, "项目融资", "产业园建设 新能源电站 轨道交通", 60_000_000, (60, 84, 120)),
}
APPROVED = {"AAA": 0.95, "AA": 0.90, "A": 0.80, "BBB": 0.62, "BB": 0.40, "B": 0.20}
WORDS = {"approved": ("批准", "通过"), "declined": ("拒绝", "拒绝"), "pending": ("审批中", "审批中")}


def applications(rng, folk: pd.DataFrame, *, lines: pd.DataFrame, grade: pd.Series):
    """Applications as text, and what they mean: type, grade, days, decision."""
    weight = folk["type"].map({kind: offer[0] for kind, offer in OFFERS.items()}).to_numpy()
    pool = lines[rng.uniform(size=len(lines)) < (weight / 5)[lines["customer"]]]
    made = meetings.met(rng, pool, COUNT, later=20)
    made["type"] = folk["type"].to_numpy()[made["customer"]]
    made["grade"] = grade.to_numpy()[made["customer"]]
    offers = [OFFERS[kind] for kind in made["type"]]
    middle = np.array([offer[3] for offer in offers])
    amount = np.maximum(np.round(middle * np.exp(rng.normal(0, 0.6, COUNT)) / 1000), 1).astype(int) * 1000
    made["decided"] = made["day"] + rng.integers(2, 36, COUNT) + np.where(made["type"] == LARGE, 20, 0)
    granted = rng.uniform(size=COUNT) < made["grade"].map(APPROVED).to_numpy()
    made["decision"] = np.where(granted, "approved", "declined")
    made.loc[made["decided"] >= days.COUNT, "decision"] = "pending"
    spoken = rng.integers(0, 2, COUNT)
    text = {
        "申请编号": [f"SQ{n:05d}" for n in range(1, COUNT + 1)],
        "客户编号": folk["id"].to_numpy()[made["customer"]],
        "申请日期": days.iso(made["day"]),
        "决定日期": np.where(made["decision"] == "pending", "", days.iso(made["decided"])),
        "产品": [offer[1] for offer in offers],
        "用途": [str(rng.choice(offer[2].split())) for offer in offers],
        "申请金额": amount.astype(str),
        "期限": [str(rng.choice(offer[4])) for offer in offers],
        "信用等级": made["grade"],
        "审批结果": [WORDS[d][n] for d, n in zip(made["decision"], spoken, strict=True)],
    }
    made = made.assign(product=text["产品"], purpose=text["用途"], amount=amount)
    return pd.DataFrame(text, dtype=object), made


def with_flaws(rng, text: pd.DataFrame, *, strangers: list[str]):
    """The applications as delivered, each row's kind of defect, and where they stand."""

    def before(row: pd.Series) -> dict[str, str]:
        return {"决定日期": str(np.datetime64(row["申请日期"]) - np.timedelta64(9, "D"))}

    plan = {
        "impossible_order": [before] * 4,
        "negative_amounts": [lambda row: {"申请金额": f"-{row['申请金额']}"}] * 3,
        "invalid_numbers": flaws.cell("申请金额", "面议", "见合同") + flaws.cell("期限", "长期"),
        "invalid_dates": flaws.cell("申请日期", "2023-02-29", "上周"),
        "future_dates": flaws.cell("决定日期", "2026-01-15"),
        "strangers": flaws.cell("客户编号", *strangers),
    }
    return flaws.planted(rng, text, plan, settled=text["决定日期"] != "", copies=6, id="客户编号")


def truths(made: pd.DataFrame) -> dict:
    """Approved among decided, by grade and by customer type, of valid applications decided in a year."""
    begin = int((np.datetime64("2024-01-01") - days.START).astype(int))
    decided = made[(made["decision"] != "pending") & (made["decided"] >= begin)]
    told: dict = {"year": "2024", "by": "day of the decision"}
    for column in ("grade", "type"):
        groups = decided.groupby(column)["decision"]
        told[column] = {
            name: {"approved": int((group == "approved").sum()), "decided": len(group)}
            for name, group in groups
        }
    return told
