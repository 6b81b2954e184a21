"""What customers say: satisfaction by aspect and over time, who would recommend us, and the groups of X04."""

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from crmlib.analysis import apart, intervals
from crmlib.classification.classes import NOT_GRADED, percent
from crmlib.classification.profiles import in_order
from crmlib.period import Period

NOT_SUPPLIED = "not supplied"
PERIODS = 8  # two years of quarters: a year ago is among them
COURSE = ["period", "group", "score", "score_low", "score_high", "n"]
LEVELS = ("satisfied", "neutral", "dissatisfied")
CLASSES = ("customer_type", "value", "behaviour", "region")  # the tier looks at answers itself
NOT_TOLD = ("not_supplied", "not_graded", "unknown")
WORTH = ["level", "customers", "share", "net", "share_of_sales", "buyers"]
SPREAD = ["class", "level", "asked_customers", "dissatisfied", "share", "share_low", "share_high", "against"]
UNITS = {"buyers": "count", "asked_customers": "count", "dissatisfied": "count", "against": "word"}


def satisfaction(answers: pd.DataFrame | None, span: Period) -> dict[str, dict]:
    """Satisfaction of a period, all aspects and each, on 0–100 and as asked, and the NPS.

    Parameters
    ----------
    answers : in the columns of `tables.SURVEYS`; None where no survey is supplied

    Returns
    -------
    Figures by id; answers of people who are no known customers are left out.
    """
    if answers is None:
        return {id: {"value": None, "n": 0, "why": NOT_SUPPLIED} for id in ("satisfaction.mean", "nps.score")}
    said = during(answers, span)
    rated = said[said["aspect"] != "recommend"]
    figures = {"satisfaction.mean": _mean(percent(rated), rated)}
    if rated[["low", "high"]].drop_duplicates().shape[0] <= 1:
        figures["satisfaction.mean.raw"] = _mean(rated["score"], rated, _ends(rated))
    for aspect, part in rated.groupby("aspect"):
        figures[f"satisfaction.{aspect}"] = _mean(percent(part), part)
        figures[f"satisfaction.{aspect}.raw"] = _mean(part["score"], part, _ends(part))
    return figures | {"nps.score": nps(said)}


def during(answers: pd.DataFrame, span: Period) -> pd.DataFrame:
    """Answers of known customers within a period."""
    first, last = span.day_range
    return answers[answers["known"] & answers["answered_day"].between(first, last)]


def _mean(values: pd.Series, answers: pd.DataFrame, ends: tuple[float, float] = (0, 100)) -> dict:
    return intervals.clustered_mean(values, answers["customer_id"], ends=ends)


def _ends(answers: pd.DataFrame) -> tuple[float, float]:
    """The ends of the scale that answers were given on."""
    return float(answers["low"].min()), float(answers["high"].max())


def nps(answers: pd.DataFrame) -> dict:
    """Share of 9–10 less share of 0–6, −100…100, with its interval.

    It is the mean of answers that count −100, 0 or 100, and has the interval of a mean on a scale from −100 to
    100: where all recommend, the next person may still warn, and answers of one person hang together. The
    definition's source: Reichheld (2003), Harvard Business Review 81 (12), 46–54.
    """
    asked = answers[answers["aspect"] == "recommend"]
    score = asked.loc[(asked["low"] == 0) & (asked["high"] == 10), "score"]
    if len(score) < len(asked):
        return {"value": None, "n": len(asked), "why": "not asked on 0–10"}
    counts = 100.0 * (score >= 9) - 100.0 * (score <= 6)
    return _mean(counts, asked, (-100, 100))


def aspects(figures: dict[str, dict]) -> pd.DataFrame:
    """Aspects from the worst to the best: group (the aspect), score, score_low, score_high, n."""
    rows = [
        (id.partition(".")[2], figure["value"], figure.get("low"), figure.get("high"), figure["n"])
        for id, figure in figures.items()
        if id.startswith("satisfaction.") and id.count(".") == 1 and id != "satisfaction.mean"
    ]
    return _scores(rows)


def compared(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Scores of groups with the previous period's beside them, and how far apart they must lie.

    Parameters
    ----------
    now, before : as `aspects` or `by_group` return them; groups without a score are left out

    Returns
    -------
    `now` and score_before, margin. A fall larger than `margin` is real: the margin is how far the 90 %
    interval of the difference (`intervals.difference`) reaches towards no fall, wide enough for all groups
    together (Bonferroni), since among twelve regions one would always seem to have fallen.
    """
    known = now.dropna(subset=["score"])
    then = before.rename(columns={"score": "score_before"})
    both = known.merge(then, on="group", how="left", suffixes=("", "_before"), validate="one_to_one")
    reach = np.hypot(both["score_high"] - both["score"], both["score_before"] - both["score_low_before"])
    wider = stats.norm.ppf(1 - 0.05 / max(len(both), 1)) / stats.norm.ppf(0.95)
    return both[list(known.columns)].assign(score_before=both["score_before"], margin=reach * wider)


def fallen(scores: pd.DataFrame) -> pd.Series:
    """Groups of `compared` that really fell, the deepest fall first."""
    fall = scores["score_before"] - scores["score"]
    lost = scores.assign(fall=fall)[fall > scores["margin"]]
    return lost.sort_values(["fall", "group"], ascending=[False, True])["group"]


def periods(span: Period, many: int = PERIODS) -> list[Period]:
    """A period and those before it, the oldest first.

    >>> [part.name for part in periods(Period.parse("2024-Q4"), 3)]
    ['2024-Q2', '2024-Q3', '2024-Q4']
    """
    spans = [span]
    while len(spans) < many:
        spans.append(spans[-1].previous())
    return spans[::-1]


def course(answers: pd.DataFrame | None, spans: Sequence[Period]) -> pd.DataFrame:
    """Each aspect over time, the newest period first.

    Returns
    -------
    period, group (the aspect), score (0–100), score_low, score_high, n; what too few answered is left out
    """
    parts = [
        aspects(satisfaction(answers, span)).dropna(subset=["score"]).assign(period=span.name)
        for span in reversed(spans)
        if answers is not None
    ]
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COURSE)
    return table.sort_values(["period", "group"], ascending=[False, True], ignore_index=True)[COURSE]


def year_ago(span: Period) -> Period:
    """The same year, quarter or month of the year before; of a stretch of days, as many days 365 days earlier.

    >>> year_ago(Period.parse("2024-Q4")).name, year_ago(Period.parse("2024-03")).name
    ('2023-Q4', '2023-03')
    >>> year_ago(Period.parse("2024-03-01_2024-03-31")).name
    '2023-03-02_2023-04-01'
    """
    if span.unit == "days":
        back = dt.timedelta(days=365)
        return Period.days(span.start - back, span.as_of - back)
    return Period.calendar(span.start.year - 1, span.start.month, span.unit)


def since(answers: pd.DataFrame | None, span: Period, then: Period) -> dict:
    """Which aspects moved between two periods by more than chance.

    Returns
    -------
    both (aspects with a score in both), rose, fell (names), moved; the reach of the differences is wide enough for all
    aspects together (Bonferroni)
    """
    now, before = (aspects(satisfaction(answers, part)) for part in (span, then))
    both = compared(now, before).dropna(subset=["score_before"])
    gain = both["score"] - both["score_before"]
    rose, fell = (both.loc[side > both["margin"], "group"].tolist() for side in (gain, -gain))
    values = {"both": len(both), "moved": bool(rose or fell)}
    return values | {"rose": rose or ["nothing"], "fell": fell or ["nothing"]}


def by_group(
    answers: pd.DataFrame | None, span: Period, group: pd.Series, aspects: list[str]
) -> pd.DataFrame:
    """Aspects together, by a class or attribute of the customer (`group` by customer_id).

    Returns
    -------
    group, score (0–100), score_low, score_high, n; groups with too few respondents have no score.
    """
    rows = []
    if answers is not None:
        said = during(answers, span)
        said = said[said["aspect"].isin(aspects)]
        for name, part in said.groupby(said["customer_id"].map(group)):
            found = _mean(percent(part), part)
            rows.append((name, found["value"], found.get("low"), found.get("high"), found["n"]))
    return _scores(rows)


def groups_compared(
    answers: pd.DataFrame | None, spans: tuple[Period, Period], group: pd.Series, aspects: list[str]
) -> pd.DataFrame:
    """`by_group` of a period and, beside it, of the one before, as `compared` returns them."""
    now, then = (by_group(answers, span, group, aspects) for span in spans)
    return compared(now, then)


def _scores(rows: list[tuple]) -> pd.DataFrame:
    columns = {"group": "str", "score": float, "score_low": float, "score_high": float, "n": "int64"}
    table = pd.DataFrame(rows, columns=list(columns)).astype(columns)
    return table.sort_values(["score", "group"], ignore_index=True)


def weakest(scores: pd.DataFrame) -> dict:
    """The group with the lowest score, the groups that really fell, and the deepest fall (0 if none).

    `groups` counts those with a score in both periods: of the others nobody can say that they did not fall.
    """
    first, fell = scores.head(1), fallen(scores).tolist()
    deepest = scores[scores["group"].isin(fell[:1])]
    return {
        "names": first["group"].tolist(),
        "score": float(first["score"].sum()),
        "fell": fell,
        "now": float(deepest["score"].sum()),
        "before": float(deepest["score_before"].sum()),
        "groups": int(scores["score_before"].notna().sum()),
    }


def told_apart(figures: dict[str, dict], before: dict[str, dict], id: str = "satisfaction.mean") -> dict:
    """Whether a mean moved by more than chance: value, low, high, before, apart, both (0 or 1).

    The two periods' intervals are reached over together, as of two independent samples.
    """
    now, then = figures[id], before[id]
    both = now["value"] is not None and then["value"] is not None
    apart = bool(both and intervals.told(intervals.difference(now, then)))
    parts = {"value": now["value"], "low": now.get("low"), "high": now.get("high"), "before": then["value"]}
    return parts | {"apart": apart, "both": int(both)}


def worth(judged: pd.DataFrame, facts: pd.DataFrame, active: set[str] | None) -> pd.DataFrame:
    """Customers by how content they are, and what they brought so far.

    Parameters
    ----------
    judged, facts : a row a customer, in the columns of `tables.CLASSES` and `tables.FACTS`
    active : who bought in the period; None where nobody knows

    Returns
    -------
    level (satisfied, neutral, dissatisfied, not_graded), customers, share of all, net (smallest unit; empty where
    nobody's is known), share_of_sales (of all net sales), buyers (who bought in the period)
    """
    if not len(judged) or (judged["satisfaction"] == NOT_GRADED).all():
        return pd.DataFrame(columns=WORTH)
    both = judged.merge(facts[["customer_id", "net"]], on="customer_id", validate="one_to_one")
    both["here"] = both["customer_id"].isin(active or set())
    grouped = both.groupby("satisfaction")
    net = grouped["net"].sum(min_count=1).astype("Float64").round().astype("Int64")
    table = pd.DataFrame(
        {
            "customers": grouped.size(),
            "net": net,
            "buyers": grouped["here"].sum() if active is not None else None,
        }
    )
    names = [name for name in (*LEVELS, NOT_GRADED) if name in table.index]
    table = table.loc[names].rename_axis("level").reset_index()
    total = both["net"].sum()
    table["share"] = table["customers"] / len(both)
    table["share_of_sales"] = (table["net"].astype(float) / float(total)) if total > 0 else float("nan")
    return table[WORTH]


def counted(table: pd.DataFrame) -> dict[str, dict]:
    """Customers of each level and their share of those with a level; what the dissatisfied brought so far."""
    graded = table[table["level"] != NOT_GRADED]
    asked = int(graded["customers"].sum())
    if not asked:
        return {"content.dissatisfied.customers": {"value": None, "n": 0, "why": "not supplied"}}
    found: dict[str, dict] = {}
    for name in LEVELS:
        row = graded[graded["level"] == name]
        count = int(row["customers"].sum())
        found[f"content.{name}.customers"] = {"value": count, "n": asked}
        found[f"content.{name}.share"] = {"value": count / asked, "n": asked}
        known = row["net"].dropna()
        net = (
            {"value": int(known.sum())} if len(known) or not count else {"value": None, "why": "not supplied"}
        )
        found[f"content.{name}.net"] = net | {"n": count}
    return found


def spread(judged: pd.DataFrame, dimensions: Sequence[str] = CLASSES) -> pd.DataFrame:
    """How many of those who were asked are dissatisfied, class by class.

    Returns
    -------
    class, level, asked_customers, dissatisfied, share with its 90 % interval, against (`apart.shares`)
    """
    graded = judged[judged["satisfaction"] != NOT_GRADED]
    parts = []
    for name in dimensions:
        known = graded[~graded[name].isin(NOT_TOLD)]
        levels = in_order(set(known[name]))
        counts = known[name].value_counts().reindex(levels)
        sad = (
            known.loc[known["satisfaction"] == "dissatisfied", name].value_counts().reindex(levels).fillna(0)
        )
        table = pd.DataFrame({"asked_customers": counts, "dissatisfied": sad.astype("int64")})
        parts.append(table.rename_axis("level").reset_index().assign(**{"class": name}))
    filled = [part for part in parts if len(part)]
    if not filled:
        return pd.DataFrame(columns=SPREAD)
    counts = pd.concat(filled, ignore_index=True)
    return apart.shares(counts, count="dissatisfied", of="asked_customers")[SPREAD]


def frequent(table: pd.DataFrame) -> dict:
    """Levels of `spread` that are dissatisfied oftener (`above`) or more seldom (`below`) than the others.

    Returns
    -------
    above, below (names), apart (whether there are any), asked (the most customers of one class who were asked)
    """
    asked = table.groupby("class")["asked_customers"].sum().max() if len(table) else 0
    return apart.ends(table) | {"apart": bool((table["against"] != "not_told").any()), "asked": int(asked)}


def lost(table: pd.DataFrame) -> dict:
    """What is told of the dissatisfied: asked, dissatisfied, share of those asked, net, sales (their share)."""
    graded = table[table["level"] != NOT_GRADED] if len(table) else table
    sad = graded[graded["level"] == "dissatisfied"]
    asked, count = int(graded["customers"].sum()), int(sad["customers"].sum())
    net = sad["net"].dropna()
    return {
        "asked": asked,
        "dissatisfied": count,
        "share": count / max(asked, 1),
        "net": int(net.sum()) if len(net) else None,
        "sales": float(sad["share_of_sales"].sum()),
    }
