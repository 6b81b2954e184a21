"""Why customers leave: after-sales cases that waited for days, soon after what became the last order."""

import numpy as np
import pandas as pd

from . import days, meetings
from .customers import weighted
from .service import CHANNELS, MOODS, SAYINGS, TOPICS

KIND = "售后"
STREAM = 40  # the numbers of files stand below
SHARE = 0.4  # of those who have left
HOURS, SPREAD = 170, 0.4  # until the end: middle and spread (log); other cases take 28 and 0.7
SOON = (2, 12)  # days after the last order
SILENT, OWN_GAPS, OWN_FROM = 180, 4, 4  # the rule of behaviour by which somebody has left


def gone(lines: pd.DataFrame) -> pd.Series:
    """Day of the last order of everybody who has left by the last day, by customer."""
    by = lines.groupby("customer")
    first, last, dates = by["day"].min(), by["day"].max(), by["day"].nunique()
    silence = days.COUNT - 1 - last
    gap = (last - first) / (dates - 1).where(dates > 1)
    own = (by["doc"].nunique() >= OWN_FROM) & gap.notna()
    return last[np.where(own, silence > OWN_GAPS * gap, silence > SILENT)]


def cases(rng: np.random.Generator, folk: pd.DataFrame, *, lines: pd.DataFrame) -> tuple[pd.DataFrame, dict]:
    """Service records of those who waited and left, as text; and what is true of them.

    They come from another office, at the end of the file and under numbers of their own.
    """
    left = gone(lines[lines["kind"] == "sale"])
    picked = np.sort(rng.choice(len(left), size=round(SHARE * len(left)), replace=False))
    made = pd.DataFrame({"customer": left.index[picked], "day": left.to_numpy()[picked]})
    made["day"] = np.minimum(made["day"] + rng.integers(*SOON, len(made)), days.COUNT - 1)
    made = made.sort_values(["day", "customer"], kind="stable", ignore_index=True)
    opened = meetings.office_hours(rng, made["day"])
    answered = opened + np.round(np.exp(rng.normal(np.log(600), 0.6, len(made)))).astype(int)
    wait = np.exp(rng.normal(np.log(HOURS * 60), SPREAD, len(made)))
    resolved = answered + np.round(wait).astype(int)
    who = folk["id"].to_numpy()[made["customer"]]
    text = {
        "工单号": [f"GD9{n:05d}" for n in range(1, len(made) + 1)],
        "客户编号": who,
        "开始时间": meetings.stamp(opened),
        "首次答复": meetings.stamp(answered),
        "解决时间": meetings.stamp(resolved),
        "类型": KIND,
        "渠道": weighted(rng, CHANNELS, count=len(made)),
        "主题": weighted(rng, TOPICS[KIND], count=len(made)),
        "情感": weighted(rng, MOODS, count=len(made)),
        "内容": rng.choice(SAYINGS[KIND], len(made)),
    }
    truth = {
        "cause": "after-sales cases that waited for days, 2 to 11 days after the last order",
        "kind": KIND,
        "left": len(left),
        "waited": len(made),
        "median_hours": round(float(np.median((resolved - opened) / 60)), 1),
        "ids": sorted(who.tolist()),
    }
    return pd.DataFrame(text, dtype=object), truth
