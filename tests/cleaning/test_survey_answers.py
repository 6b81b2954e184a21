"""Survey answers: one row an answer, on the scale it was asked."""

import datetime as dt

import pytest
from builders import CONFIG, day, made, text

from crmlib.cleaning import surveys
from crmlib.collection import sources

CONFIG_S = CONFIG + (
    "  surveys:\n    files: [s.csv]\n    columns: {customer_id: who, answered_day: on}\n    answers:\n"
    "      service: {column: service, scale: [1, 5]}\n      recommend: {column: nps, scale: [0, 10]}\n"
)


@pytest.fixture
def clean(home):
    def cleaned(*rows: str, config: str = CONFIG_S, known=frozenset({"c1", "c2"})):
        client = made(home, config, files={})
        collected = sources.from_text("surveys", text("who,on,service,nps", *rows))
        return surveys.surveys(collected, client, delivered_on=dt.date(2025, 1, 6), known=known)

    return cleaned


def shown(found) -> list[list]:
    return found.kept.to_pandas()[["customer_id", "aspect", "score", "low", "high"]].values.tolist()


def ends(found, table: str) -> tuple[int, ...]:
    part = found.ledger[found.ledger["table"] == table]
    return (
        *(int(part["rows_in"].iloc[0]), int(part["rows_kept"].iloc[-1])),
        *(int(part["rows_merged"].sum()), int(part["rows_quarantined"].sum())),
    )


def test_an_answer_outside_its_scale_leaves_the_rest_of_the_form_standing(clean):
    found = clean("c1,2024-10-05,7,9", "c2,2024-10-06,5,11", "c2,2024-10-07,0,10")
    assert shown(found) == [
        ["c1", "recommend", 9, 0, 10],
        ["c2", "service", 5, 1, 5],
        ["c2", "recommend", 10, 0, 10],
    ]
    assert found.quarantine[["source_row", "reason"]].values.tolist() == [
        [2, "out-of-scale"],
        [3, "out-of-scale"],
        [4, "out-of-scale"],
    ]
    assert ends(found, "surveys") == (3, 3, 0, 0)
    assert ends(found, "answers") == (6, 3, 0, 3)


def test_the_ends_of_a_scale_are_on_it_and_an_empty_cell_is_no_answer(clean):
    found = clean("c1,2024-10-05,1,0", "c1,2024-10-06,5,10", "c2,2024-10-06,,N/A")
    assert [row[2] for row in shown(found)] == [0, 1, 10, 5]
    assert ends(found, "answers") == (4, 4, 0, 0)


def test_forms_that_cannot_count_are_set_aside(clean):
    found = clean(
        *("c1,2024-10-05,4,8", "c1,2024-10-05,4,8", ",2024-10-05,4,8"),
        *("c1,2024-02-30,4,8", "c1,,4,8", "c1,2025-01-07,4,8", "c2,2024-10-05,good,8"),
    )
    assert found.quarantine[["source_row", "reason"]].values.tolist() == [
        [4, "missing-id"],
        [5, "unreadable-date"],
        [6, "unreadable-date"],
        [7, "future-date"],
        [8, "unreadable-number"],
    ]
    assert ends(found, "surveys") == (7, 2, 1, 4)
    assert ends(found, "answers") == (4, 3, 0, 1)
    assert shown(found) == [
        ["c1", "recommend", 8, 0, 10],
        ["c1", "service", 4, 1, 5],
        ["c2", "recommend", 8, 0, 10],
    ]


def test_respondents_whom_nobody_knows_are_kept_and_not_known(clean):
    found = clean("c1,2024-10-05,4,8", "x9,2024-10-05,1,1").kept.to_pandas()
    assert found[["customer_id", "known"]].drop_duplicates().values.tolist() == [["c1", True], ["x9", False]]
    assert found["answered_day"].tolist() == [day("2024-10-05")] * 4


def test_the_same_answers_on_two_days_are_two_answers(clean):
    assert ends(clean("c1,2024-10-05,4,8", "c1,2024-11-05,4,8"), "surveys") == (2, 2, 0, 0)
