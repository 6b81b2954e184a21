"""Complaints: topics, waits and what is said where satisfaction fell, by hand."""

import pandas as pd
import pytest
from builders import answers, day

from crmlib.analysis import complaints
from crmlib.period import Period

Q3, Q4 = Period.parse("2024-Q3"), Period.parse("2024-Q4")


def made(*rows: tuple) -> pd.DataFrame:
    """Complaints from (customer, day, topic)."""
    table = pd.DataFrame(rows, columns=["customer_id", "day", "topic"])
    more = {
        "known": table["customer_id"].notna(),
        "kind": "complaint",
        "channel": "hotline",
        "tone": "negative",
    }
    return table.assign(day=table["day"].map(day), **more)


def test_topics_stand_by_how_often_they_are_complained_of():
    said = made(
        *[("a", "2024-11-01", "fees")] * 12,
        *[("a", "2024-11-01", "queues")] * 3,
        *[("a", "2024-08-01", "fees")] * 2,
    )
    table = complaints.topics(complaints.complaints(said), Q4, Q3)
    assert table[["topic", "complaints", "share", "complaints_before"]].values.tolist() == [
        ["fees", 12, 0.8, 2],
        ["queues", 3, 0.2, 0],
    ]
    told = complaints.first(table)
    # twelve or more of fourteen by chance: (91 + 14 + 1) ÷ 2¹⁴ = 0.6 %
    assert (told["topics"], told["n"], told["rose"]) == (["fees"], 15, True)
    assert not complaints.first(complaints.topics(said, Q3, Q3))["rose"]


def test_without_complaints_nothing_is_complained_of():
    none = complaints.complaints(None)
    assert complaints.counts(none, Q4, supplied=False)["complaints.count"]["value"] is None
    assert complaints.counts(none, Q4, supplied=True)["complaints.count"]["value"] == 0
    assert complaints.first(complaints.topics(none, Q4, Q3))["topics"] == []
    assert complaints.there(none, (Q3, Q4), {"a"}).empty
    assert complaints.monthly(none, Q4, {"a"}, ["fees"]).empty


def records(*hours: float | None, opened: str = "2024-11-01", kind: str = "complaint") -> pd.DataFrame:
    at = pd.Timestamp(opened)
    ends = [pd.NaT if h is None else at + pd.Timedelta(hours=h) for h in hours]
    return pd.DataFrame(
        {
            "kind": kind,
            "opened_at": at,
            "opened_day": day(opened),
            "answered_at": at + pd.Timedelta(hours=1),
            "resolved_at": ends,
        }
    )


def test_an_open_complaint_has_waited_longer_than_all_that_were_closed():
    # 1 … 9 hours and two still open: the middle of eleven is the sixth
    rows = pd.concat([records(*range(1, 10), None, None), records(*range(11, 22), opened="2024-08-01")])
    table = complaints.waits(rows, Q4, Q3).set_index("wait")
    assert table.loc["end", ["hours", "hours_before", "n", "open"]].tolist() == [6, 16, 11, 2]
    # at most two of eleven below the middle: (1 + 11 + 55) ÷ 2¹¹ = 3.3 %, at most three 11.3 %: third and ninth
    assert table.loc["end", ["hours_low", "hours_high"]].tolist() == [3, 9]
    assert table.loc["answer", "hours"] == 1
    told = complaints.slower(table.reset_index())
    assert (told["hours"], told["longer"]) == (6, False)
    assert complaints.figures(table.reset_index())["complaints.end.hours"]["value"] == 6


def test_where_half_are_open_nobody_knows_how_long_they_wait():
    table = complaints.waits(records(*[1] * 5, *[None] * 6), Q4, Q3)
    assert pd.isna(table.set_index("wait").loc["end", "hours"])
    assert complaints.figures(table)["complaints.end.hours"]["why"] == "half are still open"


@pytest.mark.parametrize("rows", [None, records(1, 2, 3, kind="enquiry"), records(*range(9))])
def test_too_few_complaints_tell_no_wait(rows):
    table = complaints.waits(rows, Q4, Q3)
    assert table.empty
    assert complaints.slower(table)["n"] == 0
    assert complaints.figures(table)["complaints.answer.hours"]["value"] is None


def survey():
    """North fell on after-sales from 4 to 2, all else stayed."""
    rows = []
    for place, aspect, then, now in (
        ("n", "after_sales", [4, 5, 3], [2, 3, 1]),
        ("n", "product", [4, 5, 3], [4, 5, 3]),
        ("s", "after_sales", [4, 5, 3], [4, 5, 3]),
        ("s", "product", [4, 5, 3], [4, 4, 3]),
    ):
        for number in range(30):
            rows.append((f"{place}{number}", "2024-08-15", aspect, then[number % 3]))
            rows.append((f"{place}{number}", "2024-11-15", aspect, now[number % 3]))
    return answers(*rows)


def places() -> pd.DataFrame:
    ids = [f"{place}{number}" for place in "ns" for number in range(30)]
    level = ["north"] * 30 + ["south"] * 30
    return pd.DataFrame({"region": level, "value": "not_graded"}, index=pd.Index(ids, name="customer_id"))


def test_the_fall_is_found_where_it_was_and_the_complaints_there_are_named():
    levels = places()
    looked = complaints.everywhere(survey(), (Q4, Q3), dict(levels.items()))
    fell = complaints.falls(looked)
    assert len(looked) == 4  # a class that is not graded is none
    assert fell[["class", "level", "aspect", "score", "score_before"]].values.tolist() == [
        ["region", "north", "after_sales", 25, 75]
    ]
    members = complaints.members(fell, levels)
    said = made(
        *[(f"n{n}", "2024-09-20", "calls") for n in range(18)],
        *[(f"n{n}", "2024-10-20", "fees") for n in range(2)],
        *[(f"s{n}", "2024-10-20", "fees") for n in range(15)],
        ("s1", "2024-10-20", "calls"),
        (None, "2024-10-20", "calls"),  # of whom nobody knows where they live
    )
    table = complaints.there(said, (Q3, Q4), members)
    assert table[
        ["topic", "complaints_there", "share_there", "complaints_elsewhere", "share_elsewhere"]
    ].values.tolist() == [
        ["calls", 18, 0.9, 1, 0.0625],
        ["fees", 2, 0.1, 15, 0.9375],
    ]
    assert table["against"].tolist() == ["above", "below"]
    told = complaints.told(looked, table)
    assert (told["level"], told["aspect"], told["topic"], told["named"]) == (
        "north",
        "after_sales",
        ["calls"],
        True,
    )
    assert (told["falls"], told["looked"], told["n"], told["complaints"]) == (1, 4, 20, 36)
    months = complaints.monthly(said, Q4, members, told["topic"])
    assert months.values.tolist() == [["2024-09", 18], ["2024-10", 0], ["2024-11", 0], ["2024-12", 0]]


def test_where_nothing_fell_nothing_is_looked_for():
    levels = places()
    looked = complaints.everywhere(survey(), (Q3, Q4), dict(levels.items()))  # backwards, north rose
    assert complaints.falls(looked).empty
    assert complaints.members(complaints.falls(looked), levels) == set()
    assert complaints.told(looked, complaints.there(made(), (Q3, Q4), set()))["falls"] == 0


def test_without_a_survey_nowhere_is_looked():
    looked = complaints.everywhere(None, (Q4, Q3), dict(places().items()))
    assert looked.empty
    assert complaints.told(looked, complaints.there(made(), (Q3, Q4), set()))["looked"] == 0
