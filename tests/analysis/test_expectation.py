"""What customers expect of the service against what they got, by hand."""

import builders
import pandas as pd
import pytest
from builders import answers, day

from crmlib.analysis import expectation
from crmlib.errors import ConfigError

LAST = day("2024-12-31")


def needs(*rows: tuple) -> pd.DataFrame:
    """Needs survey from (customer, day, expected service)."""
    table = pd.DataFrame(rows, columns=["customer_id", "asked_day", "service_expectation"])
    table["asked_day"] = [day(date) if isinstance(date, str) else None for date in table["asked_day"]]
    return table.assign(known=True, source_file="typed", source_row=range(2, len(table) + 2))


def test_the_newest_expectation_counts_and_one_without_a_day_is_the_oldest():
    said = needs(("a", "2024-06-01", 5), ("a", "2023-06-01", 1), ("b", None, 1), ("b", "2022-01-01", 3))
    found, why = expectation.expected(said, (1, 5))
    assert found.to_dict() == {"a": 100, "b": 50}
    assert why == ""


@pytest.mark.parametrize(
    ("said", "scale", "why"),
    [
        (None, (1, 5), "no_needs_survey"),
        (needs(("a", "2024-06-01", None)), (1, 5), "nobody_told"),
        (needs(("a", "2024-06-01", 4), ("b", "2024-06-01", 7)), (1, 5), "outside_scale"),
    ],
)
def test_what_cannot_be_told_has_its_reason(said, scale, why):
    found, reason = expectation.expected(said, scale)
    assert found.empty
    assert reason == why


def test_strangers_expect_nothing_of_us():
    said = needs(("a", "2024-06-01", 5)).assign(known=False)
    assert expectation.expected(said, (1, 5))[1] == "nobody_told"


def test_experience_is_the_mean_of_a_years_answers():
    said = answers(
        ("a", "2024-12-31", "service", 5),
        ("a", "2024-02-01", "service", 3),
        ("a", "2023-12-31", "service", 1),  # 366 days back
        ("a", "2024-05-05", "after_sales", 1),
        ("a", "2024-05-05", "brand", 1),
    )
    got = expectation.experienced(said, as_of=LAST)
    assert got.loc["a"].to_dict() == {"service": 75, "after_sales": 0}
    assert expectation.experienced(None, as_of=LAST).empty


def both(level: str, expected: list[int], got: list[int], first: int = 0):
    ids = [f"c{n}" for n in range(first, first + len(got))]
    wished = pd.Series([(e - 1) * 25 for e in expected], index=ids, dtype=float)
    table = pd.DataFrame({"service": [(g - 1) * 25.0 for g in got], "after_sales": float("nan")}, index=ids)
    return wished, table, pd.DataFrame({"customer_id": ids, "customer_type": level})


def test_the_gap_is_what_the_same_customers_got_less_what_they_expect():
    # firms expect 5 (100) and get 3, 2, 3, 2 …: 37.5 on average, a gap of −62.5; persons get what they expect
    firms = both("enterprise", [5] * 10, [3, 2] * 5)
    persons = both("personal", [3, 4] * 6, [4, 3] * 6, first=10)
    wished, got, people = (pd.concat(parts) for parts in zip(firms, persons, strict=True))
    table = expectation.gaps(wished, got, people, "customer_type")
    assert table[["class", "level", "expected", "experienced", "gap", "n"]].values.tolist() == [
        ["service", "personal", 62.5, 62.5, 0, 12],
        ["service", "enterprise", 100, 37.5, -62.5, 10],
    ]
    # standard deviation 12.5 × √(10 ÷ 9) = 13.176; ÷ √10 = 4.1667; t₉ of two rows together (97.5 %) 2.262157
    assert table["gap_high"].iloc[1] == pytest.approx(-62.5 + 2.262157 * 4.166667, abs=1e-4)
    assert table["against"].tolist() == ["not_told", "gets_less"]
    told = expectation.worst(table)
    assert (told["level"], told["customers"], told["short"]) == ("enterprise", 10, True)
    assert expectation.figures(table)["expectation.gap.service.enterprise"]["value"] == -62.5
    assert expectation.counted(wished, got) == 22


def test_answers_that_do_not_differ_tell_no_interval():
    table = expectation.gaps(*both("personal", [5] * 12, [3] * 12), "customer_type")
    assert table["gap"].tolist() == [-50]
    assert table["gap_low"].isna().all()
    assert table["against"].tolist() == ["not_told"]
    assert not expectation.worst(table)["short"]


def test_nine_customers_of_a_type_are_left_out():
    table = expectation.gaps(*both("personal", [5] * 9, [3, 2, 4] * 3), "customer_type")
    assert table.empty
    assert expectation.worst(table)["known"] == 0


NEEDS = """  needs:
    files: [needs.csv]
    columns: {customer_id: who, service_expectation: service}
    service_scale: [%s]
"""


def test_the_scale_of_the_service_expected_is_the_clients(home):
    assert builders.made(home, builders.CONFIG + NEEDS % "0, 10").tables.needs.service_scale == (0, 10)
    with pytest.raises(ConfigError, match="the scale's first end must lie below its second"):
        builders.made(home, builders.CONFIG + NEEDS % "5, 1", name="other")
