"""How the market knows us (D03, K14): awareness, image, first choice, market share, beside competitors (K12).

An outside survey asks a segment, not our customers: its waves come when they come, so of each question the newest
wave by the end of the period counts, with the wave before it beside. A share of those asked has an interval where
the survey says how many were asked; a share without is shown and never judged.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from crmlib.analysis import intervals
from crmlib.analysis.kpis import Figures
from crmlib.period import day_of

QUESTIONS = ("awareness", "image", "preference", "market_share")
US, WHOLE = "own_firm", "whole_market"  # as `_name` of the language knows them
ENOUGH = 30  # people asked: below it two shares are hardly ever told apart
COLUMNS = [
    "question",
    "segment",
    "firm",
    "share",
    "share_low",
    "share_high",
    "share_before",
    "move",
    "asked_on",
    "n",
]
UNITS = dict.fromkeys(("share", "share_low", "share_high", "share_before"), "share")
UNITS |= {"question": "word", "segment": "name", "firm": "name", "asked_on": "date", "n": "count"}
UNITS |= {"move": "word"}
KEY = ["question", "segment", "firm"]
SHARE = ["share", "share_low", "share_high"]


def standing(market: pd.DataFrame | None, *, own: str) -> pd.DataFrame:
    """Of each question, segment and firm the newest answer that is a share, and the one before it.

    Parameters
    ----------
    market : in the columns of `tables.MARKET`, read as of a day
    own : the client's name, under which a survey may list us

    Returns
    -------
    question, segment (`whole_market` where none is named), firm (`own_firm`, or as delivered), share (0–1), share_low,
    share_high (90 %, where it is known how many were asked), share_before, move (rose, fell, within_chance; empty where
    nobody can tell), asked_on (day), n; we first, then the largest
    share. An answer above 1 that is no per cent, as a score of 4.2, is no share and is left out.
    """
    told = pd.DataFrame() if market is None else _shares(market, own)
    if not len(told):
        return pd.DataFrame(columns=COLUMNS)
    told = told.sort_values(["asked_day", "source_file", "source_row"])
    reach = [_reach(*pair) for pair in zip(told["share"], told["respondents"], strict=True)]
    told[["share_low", "share_high"]] = np.reshape(np.array(reach, dtype=float), (-1, 2))
    found = told.groupby(KEY, as_index=False).last()
    then = told.merge(found[[*KEY, "asked_day"]], on=KEY, suffixes=("", "_newest"))
    then = then[then["asked_day"] < then["asked_day_newest"]].groupby(KEY)[SHARE].last()
    found = found.join(then.add_suffix("_before"), on=KEY)
    found["move"] = [_move(row) for row in found.to_dict("records")]
    found = found.assign(
        asked_on=[day_of(int(day)) for day in found["asked_day"]], n=found["respondents"].astype("Int64")
    )
    place = found["question"].map({name: at for at, name in enumerate(QUESTIONS)}).fillna(len(QUESTIONS))
    order = found.assign(place=place, rival=found["firm"] != US, whole=found["segment"] != WHOLE)
    by = ["place", "question", "whole", "segment", "rival", "share", "firm"]
    return order.sort_values(by, ascending=[True, True, True, True, True, False, True])[COLUMNS].reset_index(
        drop=True
    )


def _shares(market: pd.DataFrame, own: str) -> pd.DataFrame:
    """Answers that are shares, each question, segment and firm under one name."""
    firm = market["firm"].astype(object).fillna(US).replace("us", US)
    named = market.assign(
        firm=firm.where(firm != own, US).astype("str"),
        segment=market["segment"].astype(object).fillna(WHOLE).astype("str"),
        share=market["answer"].astype(float),
    )
    return named[named["share"].between(0, 1)]


def _reach(share: float, n: int | None) -> tuple[float, float]:
    if pd.isna(n) or not n:
        return np.nan, np.nan
    found = intervals.share(round(share * n), n)
    return (found.get("low", np.nan), found.get("high", np.nan))


def figures(table: pd.DataFrame) -> Figures:
    """Our own shares by question and segment, as ids of the glossary."""
    found: Figures = {}
    for row in table[table["firm"] == US].to_dict("records"):
        of = "" if row["segment"] == WHOLE else f".{row['segment']}"
        bounds = {} if pd.isna(row["share_low"]) else {"low": row["share_low"], "high": row["share_high"]}
        n = {} if pd.isna(row["n"]) else {"n": int(row["n"])}
        found[f"market.{row['question']}{of}"] = {"value": row["share"]} | bounds | n
    return found or {"market.awareness": {"value": None, "n": 0, "why": "not supplied"}}


def _move(row: dict) -> str | None:
    """Which way a share went since the wave before, if by more than chance."""
    then = {name: row[f"{name}_before"] for name in SHARE}
    if pd.isna(row["share_low"]) or pd.isna(then["share_low"]):
        return None
    if not _apart(row, then):
        return "within_chance"
    return "rose" if row["share"] > then["share"] else "fell"


def _apart(one: Mapping, other: Mapping) -> bool:
    """Whether two shares with Wilson intervals differ by more than chance: the interval of their difference leaves out 0.

    Source: Newcombe (1998), "Interval estimation for the difference between independent proportions", Statistics in
    Medicine 17, 873–890, method 10.
    """
    low, high = sorted((one, other), key=lambda row: row["share"])
    reach = np.hypot(high["share"] - high["share_low"], low["share_high"] - low["share"])
    return bool(high["share"] - low["share"] > reach)


def rivals(table: pd.DataFrame) -> dict:
    """Where a competitor stands before us by more than chance, and where we stand before all of them.

    The same people may name several firms; taken as if others had been asked, a difference is told a little too seldom.

    Returns
    -------
    asked (pairs of question and segment with a competitor, and at least `ENOUGH` people asked of each), behind and ahead
    (how many of them), and of the widest gap behind: question, segment, firm, share, ours
    """
    behind, ahead, asked = [], 0, 0
    for _, group in table.dropna(subset=["share_low"]).groupby(["question", "segment"], sort=False):
        ours, others = group[group["firm"] == US], group[group["firm"] != US]
        if ours.empty or others.empty or int(group["n"].min()) < ENOUGH:
            continue
        asked += 1
        us, best = ours.iloc[0], others.iloc[0]  # the largest share stands first
        if _apart(us, best):
            behind += [(us, best)] if best["share"] > us["share"] else []
            ahead += bool(us["share"] > best["share"])
    widest = max(behind, key=lambda pair: pair[1]["share"] - pair[0]["share"], default=None)
    named = {"question": "", "segment": "", "firm": "", "share": None, "ours": None}
    if widest:
        us, best = widest
        named = {name: best[name] for name in ("question", "segment", "firm", "share")} | {
            "ours": us["share"]
        }
    return {"asked": asked, "behind": len(behind), "ahead": ahead} | named


def moved(table: pd.DataFrame) -> dict:
    """Our own shares since the wave before: how many can be told, rose, fell, and the widest fall.

    Returns
    -------
    told, rose, fell (pairs of question and segment), and of the widest fall, else of the widest rise: question, segment,
    share, before
    """
    ours = table[(table["firm"] == US) & table["move"].notna()]
    rose, fell = (ours[ours["move"] == way] for way in ("rose", "fell"))
    shown = fell if len(fell) else rose
    size = (shown["share"] - shown["share_before"]).abs()
    most = shown.loc[size.idxmax()] if len(shown) else dict.fromkeys(("question", "segment"), "")
    named = {"question": most["question"], "segment": most["segment"]}
    values = {"share": most.get("share"), "before": most.get("share_before")}
    return {"told": len(ours), "rose": len(rose), "fell": len(fell)} | named | values
