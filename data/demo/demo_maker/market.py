"""What an outside survey tells of the bank and two rivals: known, thought well of, first choice, market share."""

import numpy as np
import pandas as pd

from . import flaws

US, RIVAL, OTHER = "本行", "华信银行", "东川银行"
QUESTIONS = ("品牌知名度", "品牌形象", "首选率")
# Segment: how many are asked in each wave, and of each firm the shares to the three questions at the beginning.
SEGMENTS = {
    "个人客户": (420, {US: (0.52, 0.46, 0.24), RIVAL: (0.66, 0.48, 0.27), OTHER: (0.31, 0.33, 0.12)}),
    "企业客户": (210, {US: (0.58, 0.52, 0.30), RIVAL: (0.61, 0.50, 0.28), OTHER: (0.36, 0.35, 0.15)}),
    "大型企业客户": (120, {US: (0.71, 0.48, 0.21), RIVAL: (0.78, 0.74, 0.46), OTHER: (0.44, 0.38, 0.12)}),
}
# More persons know the bank with each wave; large enterprises go on thinking better of the rival.
GROWTH = {("个人客户", US, "品牌知名度"): 0.05}
SHARE = {US: 0.112, RIVAL: 0.187, OTHER: 0.064}
WAVES = pd.to_datetime(["2022-06-15", "2022-12-01", "2023-06-15", "2023-12-01", "2024-06-15", "2024-12-01"])


def market(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The survey as text, and the same as wave, segment, firm, question, how many of how many."""
    rows = []
    for wave, day in enumerate(WAVES):
        for segment, (asked, firms) in SEGMENTS.items():
            for firm, shares in firms.items():
                for question, share in zip(QUESTIONS, shares, strict=True):
                    grown = share + GROWTH.get((segment, firm, question), 0.0) * wave
                    rows.append((day, segment, firm, question, int(rng.binomial(asked, grown)), asked))
    made = pd.DataFrame(rows, columns=["day", "segment", "firm", "question", "yes", "asked"])
    text = {
        "调查日期": made["day"].dt.strftime("%Y-%m-%d"),
        "客群": made["segment"],
        "机构": made["firm"],
        "指标": made["question"],
        "比例": [f"{100 * yes / asked:.1f}%" for yes, asked in zip(made["yes"], made["asked"], strict=True)],
        "样本量": made["asked"].astype(str),
    }
    whole = [
        (f"{day:%Y-%m-%d}", "", firm, "市场份额", f"{100 * share * np.exp(rng.normal(0, 0.03)):.1f}%", "")
        for day in WAVES
        for firm, share in SHARE.items()
    ]
    table = pd.concat([pd.DataFrame(text), pd.DataFrame(whole, columns=list(text))], ignore_index=True)
    return table.astype(object), made


def with_flaws(rng: np.random.Generator, text: pd.DataFrame):
    """The survey as delivered, each row's kind of defect, and where they stand."""
    plan = {
        "missing_names": flaws.cell("指标", ""),
        "invalid_numbers": flaws.cell("比例", "约三成") + flaws.cell("样本量", "若干"),
        "invalid_dates": flaws.cell("调查日期", "2023-06-31"),
    }
    # Of the newest wave nothing is lost.
    settled = (text["调查日期"] < "2024-06") & (text["样本量"] != "")
    return flaws.planted(rng, text, plan, settled=settled, copies=2, id="指标")


def truths(made: pd.DataFrame) -> dict:
    """How many of how many said yes in the newest wave and the one before, of each firm, segment and question."""
    told: dict = {"newest": str(WAVES[-1].date()), "grows": "个人客户", "rival_leads": "大型企业客户"}
    for name, wave in (("now", WAVES[-1]), ("before", WAVES[-2])):
        told[name] = [
            [row.segment, row.firm, row.question, row.yes, row.asked]
            for row in made[made["day"] == wave].itertuples()
        ]
    return told
