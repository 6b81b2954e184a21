"""What customers say: satisfaction by aspect, and who would recommend us."""

import numpy as np
import pandas as pd
from scipy import stats

from crmlib.analysis import intervals
from crmlib.classification.classes import percent
from crmlib.period import Period

NOT_SUPPLIED = "not supplied"


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
