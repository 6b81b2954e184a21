"""The satisfaction survey: who answers each quarter, what they say, and planted defects."""

import numpy as np
import pandas as pd

from . import days
from .customers import ENTERPRISE, LARGE, PERSONAL

ASPECTS = {"product": 3.85, "service": 3.95, "after_sales": 3.75, "brand": 4.0}
COLUMNS = ["respondent", "answered_on", *ASPECTS, "recommend", "comment"]
RESPONSE = {PERSONAL: 1.0, ENTERPRISE: 1.3, LARGE: 1.7}
# Recommending hangs on these answers and on nothing else: what the brand is given only goes with them.
WEIGHTS = {"after_sales": 1.3, "service": 0.85, "product": 0.45, "brand": 0.0}
USUAL_RECOMMENDATION, WHIM = 7.35, 0.9
DROP = {"province": "广东省", "aspect": "after_sales", "period": "2024-Q4", "before": "2024-Q3"}
DROP_POINTS = 1.2
OUT_OF_SCALE = [("product", "7"), ("service", "0"), ("recommend", "11"), ("brand", "6")]
OUT_OF_SCALE += [("after_sales", "9"), ("recommend", "-1"), ("service", "55"), ("product", "10")]
OUT_OF_SCALE += [("recommend", "99"), ("after_sales", "7")]
COMMENTS = [
    "服务很好",
    "办理速度快，很满意",
    '客户经理说"三天到账", 实际等了一周',
    "手续费偏高,希望优惠",
    "网点排队太久\n希望多开窗口",
    "手机银行好用",
    "贷款审批慢",
    "一般",
    "=没什么意见",
    "利率 > 同行, <希望调整>",
]


def waves(rng: np.random.Generator, folk: pd.DataFrame, *, lines: pd.DataFrame) -> pd.DataFrame:
    """Who answers on which day: some of those who bought in the year before each wave."""
    willing = np.log(folk["type"].map(RESPONSE).to_numpy(dtype=float))
    parts = []
    for quarter in pd.period_range(str(days.START), str(days.END), freq="Q"):
        last = int((np.datetime64(quarter.end_time.date()) - days.START).astype(int))
        bought = lines["customer"][lines["day"].between(last - 400, last - 36)].unique()
        score = np.full(len(folk), -np.inf)
        score[bought] = willing[bought] + rng.gumbel(size=len(folk))[bought]
        size = min(int(rng.integers(430, 570)), len(bought))
        answering = np.sort(np.argsort(-score)[:size])
        day = last - 35 + rng.integers(0, 30, size)
        part = pd.DataFrame({"customer": answering, "day": day, "quarter": str(quarter)})
        parts.append(part.sort_values("day", kind="stable"))
    return pd.concat(parts, ignore_index=True)


def answers(rng: np.random.Generator, folk: pd.DataFrame, *, lines: pd.DataFrame) -> pd.DataFrame:
    """The survey file without defects, every value text."""
    made = waves(rng, folk, lines=lines)
    who = folk.iloc[made["customer"]].reset_index(drop=True)
    mood = 0.5 * who["content"] + rng.normal(0, 0.35, len(made))
    text = pd.DataFrame({"respondent": who["id"], "answered_on": days.iso(made["day"])})
    late = made["quarter"] == DROP["period"].replace("-", "")
    hit = late & (who["province"] == DROP["province"])
    recommend = np.full(len(made), USUAL_RECOMMENDATION)
    for aspect, usual in ASPECTS.items():
        score = usual + mood + rng.normal(0, 0.55, len(made))
        score = score - np.where(hit & (aspect == DROP["aspect"]), DROP_POINTS, 0.0)
        given = np.clip(np.round(score), 1, 5).astype(int)
        recommend += WEIGHTS[aspect] * (given - usual)
        text[aspect] = given.astype(str)
        text.loc[rng.uniform(size=len(made)) < 0.04, aspect] = ""
    recommend += rng.normal(0, WHIM, len(made))
    text["recommend"] = np.clip(np.round(recommend), 0, 10).astype(int).astype(str)
    text.loc[rng.uniform(size=len(made)) < 0.05, "recommend"] = ""
    said = rng.choice(COMMENTS, size=len(made)).astype(object)
    text["comment"] = np.where(rng.uniform(size=len(made)) < 0.07, said, "")
    return text.astype(object)


def truths() -> dict:
    """What recommending hangs on, from the heaviest down; what it does not hang on; and who answers how often."""
    heavy = sorted((name for name in WEIGHTS if WEIGHTS[name]), key=WEIGHTS.get, reverse=True)
    light = [name for name in WEIGHTS if not WEIGHTS[name]]
    return {"drivers": heavy, "weights": WEIGHTS, "none": light, "answers_so_much_oftener": RESPONSE}


def with_defects(rng: np.random.Generator, text: pd.DataFrame, *, strangers: list[str]):
    """The survey file as delivered, and where its planted defects stand."""
    text = text.assign(mark="")
    date = text["answered_on"].to_numpy().astype("datetime64[D]")
    day = (date - days.START).astype(int)
    full = np.flatnonzero((text[[*ASPECTS, "recommend"]] != "").all(axis=1))
    picked = rng.permutation(full[days.spread(rng, day[full], 24)])
    spoilt, twice, alike = np.split(picked, [10, 18])
    for row, (column, value) in zip(np.sort(spoilt), OUT_OF_SCALE, strict=True):
        text.loc[row, [column, "mark"]] = [value, "scale"]
    unknown = text.iloc[alike].assign(respondent=strangers, mark="unknown", comment="")
    parts = [text, text.iloc[twice].assign(mark="copy"), unknown]
    places = np.concatenate([np.arange(len(text)), twice + 3.5, alike + 0.25])
    order = np.argsort(places, kind="stable")
    table = pd.concat(parts, ignore_index=True).iloc[order].reset_index(drop=True)
    mark = table.pop("mark")
    names = {"exact_duplicates": "copy", "out_of_scale": "scale", "unknown_respondents": "unknown"}
    found = {}
    for name, sign in names.items():
        at = np.flatnonzero(mark == sign)
        ids = table["respondent"].iloc[at].tolist()
        found[name] = {"count": len(at), "rows": (at + 1).tolist(), "ids": ids}
    found["out_of_scale"]["cells"] = [
        {"row": row, "column": column, "value": value}
        for row, (column, value) in zip(found["out_of_scale"]["rows"], OUT_OF_SCALE, strict=True)
    ]
    return table, found
