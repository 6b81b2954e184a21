"""What complaints are about, how long they wait, and what they say where satisfaction fell (P09, P10)."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from crmlib.analysis import apart, intervals, satisfaction
from crmlib.analysis.voices import within
from crmlib.period import Period, day_of

TOPICS = ["topic", "complaints", "share", "share_low", "share_high", "complaints_before"]
FALLS = ["class", "level", "aspect", "score", "score_before", "margin", "n"]
THERE = ["topic", "complaints_there", "share_there", "complaints_elsewhere", "share_elsewhere", "against"]
WAITS = ["wait", "hours", "hours_low", "hours_high", "hours_before", "n", "open"]
COUNTS = ("complaints", "complaints_before", "complaints_there", "complaints_elsewhere")
UNITS = dict.fromkeys(COUNTS, "count") | dict.fromkeys(("share_there", "share_elsewhere"), "share")
UNITS |= {"aspect": "word", "topic": "name", "against": "word"}
WAIT_UNITS = {"wait": "word", "open": "count"} | dict.fromkeys(WAITS[1:5], "score")
MANY = 24  # months of complaints that are shown


def complaints(said: pd.DataFrame | None) -> pd.DataFrame:
    """Complaints among what was said, whoever wrote them down; as `voices.voices` returns them."""
    if said is None:
        return pd.DataFrame(columns=["day", "customer_id", "known", "kind", "channel", "topic", "tone"])
    return said[said["kind"] == "complaint"]


def topics(made: pd.DataFrame, span: Period, before: Period) -> pd.DataFrame:
    """What complaints of a period are about, the most frequent first.

    Returns
    -------
    topic, complaints, share of those with a topic and its 90 % interval, complaints_before (of the period before)
    """
    now, then = (within(made, part)["topic"].dropna() for part in (span, before))
    counts = now.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    rows = []
    for topic, count in counts.items():
        found = intervals.share(int(count), len(now))
        rows.append(
            (topic, int(count), found["value"], found["low"], found["high"], int((then == topic).sum()))
        )
    return pd.DataFrame(rows, columns=TOPICS)


def counts(made: pd.DataFrame, span: Period, *, supplied: bool) -> dict[str, dict]:
    """Complaints of the period, `complaints.count`; a count of what came in needs no interval."""
    if not supplied:
        return {"complaints.count": {"value": None, "n": 0, "why": "not supplied"}}
    many = len(within(made, span))
    return {"complaints.count": {"value": many, "n": many}}


def first(table: pd.DataFrame) -> dict:
    """The most frequent topic, its share and interval, and whether it was complained of oftener than before.

    Returns
    -------
    n, topics, topic, share, low, high, count, before, rose: the topic's count is compared as a Poisson
    count with the
    period before (exact conditional test, 5 % to one side)
    """
    values = {"n": int(table["complaints"].sum()), "topics": [], "share": 0.0, "low": 0.0, "high": 0.0}
    values |= {"count": 0, "before": 0, "rose": False}
    if len(table):
        top = table.iloc[0]
        both = int(top["complaints"] + top["complaints_before"])
        chance = stats.binomtest(int(top["complaints"]), both, 0.5, alternative="greater").pvalue
        values |= {
            "topics": [top["topic"]],
            "share": top["share"],
            "low": top["share_low"],
            "high": top["share_high"],
        }
        values |= {
            "count": int(top["complaints"]),
            "before": int(top["complaints_before"]),
            "rose": chance < 0.05,
        }
    return values


def everywhere(
    answers: pd.DataFrame | None, spans: tuple[Period, Period], groups: Mapping[str, pd.Series]
) -> pd.DataFrame:
    """Satisfaction with each aspect in each group beside the period before, the deepest fall first.

    Parameters
    ----------
    spans : the period and the one before
    groups : class → the level of each customer, by customer_id

    Returns
    -------
    class, level, aspect, score, score_before, margin (wide enough for every class, level and aspect looked at), n,
    fell (whether the score fell by more than the margin)
    """
    aspects = [] if answers is None else sorted(set(answers["aspect"]) - {"recommend"})
    parts = []
    for name, level in groups.items():
        for aspect in aspects:
            table = satisfaction.groups_compared(answers, spans, level, [aspect])
            table = table.assign(**{"class": name, "aspect": aspect, "looked": len(table)})
            told = table["score_before"].notna() & ~table["group"].isin(satisfaction.NOT_TOLD)
            parts.append(table[told])
    found = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    if not len(found):
        return pd.DataFrame(columns=[*FALLS, "fell"])
    # Each margin allows for its own levels; here all comparisons of all aspects are looked at together.
    own, every = (stats.norm.ppf(1 - 0.05 / many) for many in (found["looked"], len(found)))
    depth = found["score_before"] - found["score"]
    found = found.assign(margin=found["margin"] * every / own, depth=depth).rename(columns={"group": "level"})
    found["fell"] = found["depth"] > found["margin"]
    order = ["fell", "depth", "class", "level"]
    return found.sort_values(order, ascending=[False, False, True, True], ignore_index=True)[[*FALLS, "fell"]]


def falls(looked: pd.DataFrame) -> pd.DataFrame:
    """The falls beyond chance of `everywhere`, without the mark."""
    return looked[looked["fell"].astype(bool)].drop(columns="fell")


def members(fell: pd.DataFrame, levels: pd.DataFrame) -> set[str]:
    """Customers of the group in which satisfaction fell most; nobody where it fell nowhere.

    Parameters
    ----------
    fell : as `falls` returns it
    levels : classes by customer_id
    """
    if not len(fell):
        return set()
    top = fell.iloc[0]
    return set(levels.index[levels[top["class"]] == top["level"]])


def there(made: pd.DataFrame, spans: Sequence[Period], members: set[str]) -> pd.DataFrame:
    """What complaints of some customers are about, against those of all others, over the periods together.

    Returns
    -------
    topic, complaints_there, share_there, complaints_elsewhere, share_elsewhere (of the complaints with a topic),
    against: above
    where it is complained of oftener there, below where seldomer, or not_told; the largest difference first
    """
    now = pd.concat([within(made, span) for span in spans]) if len(made) else made
    told = now[now["known"].astype(bool) & now["topic"].notna()] if len(now) else now
    mine = told["customer_id"].isin(members)
    here, others = told.loc[mine, "topic"].value_counts(), told.loc[~mine, "topic"].value_counts()
    total, rest = int(here.sum()), int(others.sum())
    if min(total, rest) < intervals.ENOUGH:
        return pd.DataFrame(columns=THERE)
    names, rows = sorted(set(here.index) | set(others.index)), []
    for topic in names:
        ours, theirs = int(here.get(topic, 0)), int(others.get(topic, 0))
        low, high = apart.difference(ours, total, theirs, rest, comparisons=len(names))
        rows.append(
            (topic, ours, ours / total, theirs, theirs / rest, apart.SIDES[int(low > 0) - int(high < 0)])
        )
    table = pd.DataFrame(rows, columns=THERE)
    further = (table["share_elsewhere"] - table["share_there"]).to_numpy()
    return table.iloc[np.lexsort((table["topic"], further))].reset_index(drop=True)


def monthly(made: pd.DataFrame, span: Period, members: set[str], topic: Sequence[str]) -> pd.DataFrame:
    """Complaints of some customers about a topic, month by month up to the period's end: month, complaints."""
    if not topic or not len(made):
        return pd.DataFrame(columns=["month", "complaints"])
    mine = made[made["customer_id"].isin(members) & made["topic"].isin(topic)]
    month = [day_of(day).year * 12 + day_of(day).month - 1 for day in mine["day"]]
    last = span.as_of.year * 12 + span.as_of.month - 1
    begin = max(min(month, default=last), last - MANY + 1)
    counts = pd.Series(month, dtype="int64").value_counts().reindex(range(begin, last + 1), fill_value=0)
    names = [f"{m // 12}-{m % 12 + 1:02d}" for m in counts.index]
    return pd.DataFrame({"month": names, "complaints": counts.to_numpy()})


def told(looked: pd.DataFrame, table: pd.DataFrame) -> dict:
    """What is told of the deepest fall, and of the complaints there.

    Parameters
    ----------
    looked, table : as `everywhere` and `there` return them

    Returns
    -------
    falls (how many), looked (comparisons made), level, aspect, score, before; topic (a list of the one complained
    of most above elsewhere), share_there, share_elsewhere, named (whether that is more than chance), n
    (complaints there), complaints (there and elsewhere)
    """
    fell = falls(looked)
    values: dict = {
        "falls": len(fell),
        "looked": len(looked),
        "level": "",
        "aspect": "",
        "score": 0.0,
        "before": 0.0,
        "n": 0,
    }
    values |= {"topic": [], "share_there": 0.0, "share_elsewhere": 0.0, "named": False, "complaints": 0}
    if len(fell):
        top = fell.iloc[0]
        values |= {"level": top["level"], "aspect": top["aspect"], "score": top["score"]}
        values |= {"before": top["score_before"]}
    if len(table):
        row = table.iloc[0]
        values["complaints"] = int(table[["complaints_there", "complaints_elsewhere"]].to_numpy().sum())
        values |= {
            "n": int(table["complaints_there"].sum()),
            "topic": [row["topic"]],
            "named": row["against"] == "above",
        }
        values |= {"share_there": row["share_there"], "share_elsewhere": row["share_elsewhere"]}
    return values


def waits(interactions: pd.DataFrame | None, span: Period, before: Period) -> pd.DataFrame:
    """How long complaints wait for the first answer and for their end: the middle complaint's hours.

    One that is still open has waited longer than any that was closed, so that it is no shorter for being
    open. The
    interval is that of the median by order statistics (Conover 1999, §3.2), 90 %.

    Returns
    -------
    wait (answer, end), hours (empty where half are still open), hours_low, hours_high (empty where it reaches
    into the open ones), hours_before, n, open
    """
    if interactions is None or not (interactions["kind"] == "complaint").any():
        return pd.DataFrame(columns=WAITS)
    made, rows = interactions[interactions["kind"] == "complaint"], []
    for wait, column in (("answer", "answered_at"), ("end", "resolved_at")):
        hours = [_hours(made, column, part) for part in (span, before)]
        if len(hours[0]) >= intervals.ENOUGH:
            middle, low, high = _median(hours[0])
            then = _median(hours[1])[0] if len(hours[1]) >= intervals.ENOUGH else None
            still = int(np.isinf(hours[0]).sum())
            rows.append((wait, middle, low, high, then, len(hours[0]), still))
    kinds = dict.fromkeys(WAITS[1:5], float)
    return pd.DataFrame(rows, columns=WAITS).astype(kinds).replace(np.inf, np.nan)


def _hours(made: pd.DataFrame, column: str, span: Period) -> np.ndarray:
    now = made[made["opened_day"].between(*span.day_range)]
    hours = (now[column] - now["opened_at"]).dt.total_seconds() / 3600
    return np.sort(hours.fillna(np.inf).to_numpy())


def _median(hours: np.ndarray) -> tuple[float, float, float]:
    """Median and its interval: the order statistics between which it lies nine times in ten."""
    n = len(hours)
    rank = int(stats.binom.ppf((1 - intervals.LEVEL) / 2, n, 0.5))
    low, high = hours[max(rank - 1, 0)], hours[min(n - rank, n - 1)]
    return float(hours[(n - 1) // 2] + hours[n // 2]) / 2, float(low), float(high)


def figures(table: pd.DataFrame) -> dict[str, dict]:
    """The waits by id: `complaints.answer.hours`, `complaints.end.hours`."""
    found = {}
    for name in ("answer", "end"):
        row = table[table["wait"] == name]
        value = row["hours"].iloc[0] if len(row) else None
        n = int(row["n"].iloc[0]) if len(row) else 0
        parts = {
            "value": None,
            "n": n,
            "why": "half are still open" if len(row) else "not supplied, or too few",
        }
        if value is not None and not pd.isna(value):
            low, high = (row[c].iloc[0] for c in ("hours_low", "hours_high"))
            parts = {"value": value, "low": low, "high": high, "n": n}
        found[f"complaints.{name}.hours"] = parts
    return found


def slower(table: pd.DataFrame) -> dict:
    """The wait for the end, for a sentence: n, hours, low, high, before, longer (whether before lies below low)."""
    row = table[table["wait"] == "end"]
    values = {
        "n": int(row["n"].sum()),
        "hours": None,
        "low": None,
        "high": None,
        "before": None,
        "longer": False,
    }
    if len(row):
        top = row.iloc[0]
        values |= {"hours": top["hours"], "low": top["hours_low"], "high": top["hours_high"]}
        values |= {"before": top["hours_before"], "longer": bool(top["hours_before"] < top["hours_low"])}
    return values
