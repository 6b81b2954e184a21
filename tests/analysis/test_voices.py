"""Word of mouth: what counts for and against us, by hand."""

import pandas as pd
import pytest
from builders import day

from crmlib.analysis import voices
from crmlib.period import Period

Q3, Q4 = Period.parse("2024-Q3"), Period.parse("2024-Q4")


def feedback(*rows: tuple) -> pd.DataFrame:
    """From (day, kind, rating); the channel is the counter."""
    table = pd.DataFrame(rows, columns=["said_day", "kind", "rating"])
    more = {"customer_id": None, "known": False, "channel": "counter", "topic": "fees", "text": ""}
    return table.assign(said_day=table["said_day"].map(day), rating=table["rating"].astype(float), **more)


def posts(*rows: tuple) -> pd.DataFrame:
    """From (day, kind, sentiment, channel)."""
    table = pd.DataFrame(rows, columns=["opened_day", "kind", "sentiment", "channel"])
    more = {"customer_id": None, "known": False, "topic": None}
    return table.assign(opened_day=table["opened_day"].map(day), **more)


def test_a_complaint_is_against_us_a_praise_for_us_and_stars_tell_where_they_lie_on_five():
    said = voices.voices(
        feedback(
            ("2024-10-01", "complaint", None),
            ("2024-10-01", "praise", None),
            ("2024-10-01", "review", 4),
            ("2024-10-01", "review", 3),
            ("2024-10-01", "review", 2),
            ("2024-10-01", "interview", None),
        ),
        None,
    )
    tones = ["negative", "positive", "positive", "neutral", "negative"]
    assert said["tone"].tolist()[:5] == tones
    assert pd.isna(said["tone"].iloc[5])


@pytest.mark.parametrize("stars", [[8, 3, 1], [0, 5, 5]])
def test_stars_of_another_scale_tell_nothing(stars):
    said = voices.voices(feedback(*(("2024-10-01", "review", n) for n in stars)), None)
    assert said["tone"].isna().all()
    assert voices.to_others(said).empty


def test_our_own_posts_and_complaints_to_us_are_no_word_of_mouth():
    said = voices.voices(
        feedback(("2024-10-01", "complaint", None), ("2024-10-02", "review", 5)),
        posts(
            ("2024-10-03", "mention", "negative", "Weibo"),
            ("2024-10-04", "mention", None, "Weibo"),
            ("2024-10-05", "post", "positive", "Weibo"),
            ("2024-10-06", "enquiry", "neutral", "hotline"),
        ),
    )
    assert len(said) == 5
    told = voices.to_others(said)
    assert told[["kind", "tone"]].values.tolist() == [["review", "positive"], ["mention", "negative"]]


def mentions(good: int, bad: int, date: str, channel: str = "Weibo"):
    return [(date, "mention", "positive", channel)] * good + [(date, "mention", "negative", channel)] * bad


def test_word_of_mouth_that_turns_against_us_is_told_and_a_wobble_is_not():
    told = voices.to_others(
        voices.voices(None, posts(*mentions(40, 10, "2024-08-01"), *mentions(10, 40, "2024-11-01")))
    )
    now, then = (voices.figures(told, span, supplied=True) for span in (Q4, Q3))
    assert now["word_of_mouth.negative"]["value"] == 0.8
    values = voices.balance(now, then)
    assert (values["bad"], values["before"], values["side"], values["least"]) == (0.8, 0.2, 1, 50)
    assert voices.balance(then, then)["side"] == 0
    course = voices.course(told, [Q3, Q4])
    assert course[["period", "group", "share"]].values.tolist() == [
        ["2024-Q4", "for_us", 0.2],
        ["2024-Q4", "against_us", 0.8],
        ["2024-Q3", "for_us", 0.8],
        ["2024-Q3", "against_us", 0.2],
    ]


def test_platforms_stand_by_how_much_is_said_there():
    told = voices.to_others(
        voices.voices(
            None,
            posts(
                *mentions(5, 25, "2024-11-01"),
                *mentions(20, 0, "2024-11-01", "Zhihu"),
                *mentions(0, 3, "2024-11-01", "X"),
            ),
        )
    )
    table = voices.platforms(told, Q4)
    assert table[["level", "said", "against_us", "against"]].values.tolist() == [
        ["Weibo", 30, 25, "above"],
        ["Zhihu", 20, 0, "below"],
        ["X", 3, 3, "not_told"],
    ]
    assert pd.isna(table["share"].iloc[2])


def test_without_feedback_and_posts_nothing_is_known():
    assert voices.voices(None, None) is None
    told = voices.to_others(None)
    figures = voices.figures(told, Q4, supplied=False)
    assert figures["word_of_mouth.positive"] == {"value": None, "n": 0, "why": "not supplied"}
    assert voices.course(told, [Q3, Q4]).empty
    assert voices.platforms(told, Q4).empty
    assert voices.balance(figures, figures)["least"] == 0
    few = voices.to_others(voices.voices(None, posts(*mentions(9, 0, "2024-11-01"))))
    assert voices.figures(few, Q4, supplied=True)["word_of_mouth.positive"]["why"] == "too few"
