"""What customers say of us: to others in reviews and posts, and to us in complaints and praise (K04, P10).

Only what has a tone is counted for or against us: a stated sentiment, a complaint or a praise, or stars. Stars
tell only where all of them lie on 1–5; of another scale nobody knows which end is the good one's.
"""

from collections.abc import Sequence

import pandas as pd

from crmlib.analysis import apart, intervals
from crmlib.period import Period

TO_OTHERS = ("review", "mention")
TONE = {"complaint": "negative", "praise": "positive"}
STARS = (1, 5)
VOICES = ["day", "customer_id", "known", "kind", "channel", "topic", "tone"]
COURSE = ["period", "group", "share", "share_low", "share_high", "n"]
PLATFORMS = ["class", "level", "said", "against_us", "share", "share_low", "share_high", "against"]
UNITS = {"said": "count", "against_us": "count", "level": "name", "against": "word"}


def voices(feedback: pd.DataFrame | None, interactions: pd.DataFrame | None) -> pd.DataFrame | None:
    """Everything that anybody said, a row each; None where neither table is supplied.

    Returns
    -------
    day, customer_id, known, kind, channel, topic, tone (positive, neutral, negative, or empty where nothing
    tells it); the firm's own posts are left out
    """
    parts = []
    if feedback is not None:
        tone = feedback["kind"].map(TONE).astype(object)
        tone = tone.where(tone.notna(), _by_stars(feedback["rating"]))
        parts.append(feedback.rename(columns={"said_day": "day"}).assign(tone=tone)[VOICES])
    if interactions is not None:
        mood = interactions["sentiment"].where(
            interactions["sentiment"].isin(["positive", "neutral", "negative"])
        )
        tone = interactions["kind"].map(TONE).astype(object)
        told = interactions.rename(columns={"opened_day": "day"})
        told = told.assign(tone=mood.astype(object).where(mood.notna(), tone))
        parts.append(told.loc[told["kind"] != "post", VOICES])
    return pd.concat(parts, ignore_index=True) if parts else None


def _by_stars(rating: pd.Series) -> pd.Series:
    """Four and five stars are positive, one and two negative; nothing on another scale than 1–5.

    >>> _by_stars(pd.Series([5, 3, 1])).tolist(), len(_by_stars(pd.Series([10, 3, 1])).dropna())
    (['positive', 'neutral', 'negative'], 0)
    """
    known = rating.dropna()
    named = pd.Series(None, index=rating.index, dtype=object)
    if len(known) and known.between(*STARS).all():
        named[known.index] = "neutral"
        named[known.index[known >= 4]] = "positive"
        named[known.index[known <= 2]] = "negative"
    return named


def within(said: pd.DataFrame, span: Period) -> pd.DataFrame:
    """What was said in a period."""
    return said[said["day"].between(*span.day_range)]


def to_others(said: pd.DataFrame | None) -> pd.DataFrame:
    """Reviews and mentions with a tone: word of mouth."""
    if said is None:
        return pd.DataFrame(columns=VOICES)
    return said[said["kind"].isin(TO_OTHERS) & said["tone"].notna()]


def course(told: pd.DataFrame, spans: Sequence[Period]) -> pd.DataFrame:
    """Positive and negative word of mouth over time, the newest period first.

    Parameters
    ----------
    told : as `to_others` returns it

    Returns
    -------
    period, group (for_us, against_us), share of all that was said with its 90 % interval, n; periods in which
    fewer than ten were said are left out
    """
    rows = []
    for span in reversed(spans):
        now = within(told, span)
        if len(now) >= intervals.ENOUGH:
            for name, tone in (("for_us", "positive"), ("against_us", "negative")):
                found = intervals.share(int((now["tone"] == tone).sum()), len(now))
                rows.append((span.name, name, found["value"], found["low"], found["high"], len(now)))
    return pd.DataFrame(rows, columns=COURSE)


def figures(told: pd.DataFrame, span: Period, *, supplied: bool) -> dict[str, dict]:
    """Share of positive and of negative word of mouth: `word_of_mouth.positive`, `word_of_mouth.negative`."""
    now = within(told, span)
    why = "not supplied" if not supplied else "too few"
    found = {}
    for tone in ("positive", "negative"):
        parts = {"value": None, "n": len(now), "why": why}
        if len(now) >= intervals.ENOUGH:
            parts = intervals.share(int((now["tone"] == tone).sum()), len(now))
        found[f"word_of_mouth.{tone}"] = parts
    return found


def balance(now: dict[str, dict], before: dict[str, dict]) -> dict:
    """Good and bad word of mouth for a sentence: n, good, bad, low and high of bad, bad before.

    `side` is 1 where the bad part grew by more than chance since the previous period, -1 where it
    shrank, else 0;
    `least` the smaller n of both.
    """
    good, bad, then = (
        part[f"word_of_mouth.{tone}"]
        for part, tone in ((now, "positive"), (now, "negative"), (before, "negative"))
    )
    values = {"n": bad["n"], "good": good["value"], "bad": bad["value"], "before": then["value"], "side": 0}
    values |= {"low": bad.get("low"), "high": bad.get("high"), "least": min(bad["n"], then["n"])}
    if bad["value"] is not None and then["value"] is not None:
        counts = (round(part["value"] * part["n"]) for part in (bad, then))
        ours, theirs = counts
        low, high = apart.difference(ours, bad["n"], theirs, then["n"])
        values["side"] = int(low > 0) - int(high < 0)
    return values


def platforms(told: pd.DataFrame, span: Period) -> pd.DataFrame:
    """Word of mouth of a period by platform: class (`channel`), level, said, against_us, share, interval, against.

    The most is said on the first. `against` as `apart.shares` gives it.
    """
    now = within(told, span)
    if now["channel"].isna().all():
        return pd.DataFrame(columns=PLATFORMS)
    counts = now.groupby("channel").agg(
        said=("tone", "size"), against_us=("tone", lambda t: int((t == "negative").sum()))
    )
    counts = counts.rename_axis("level").reset_index().sort_values(["said", "level"], ascending=[False, True])
    counts = counts.assign(**{"class": "channel"}).reset_index(drop=True)
    return apart.shares(counts, count="against_us", of="said")[PLATFORMS]
