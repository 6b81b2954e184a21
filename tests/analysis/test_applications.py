"""Who is granted what they apply for: by hand, and what decisions cannot tell."""

import pandas as pd
import pytest
from builders import day

from crmlib import as_of, tables
from crmlib.analysis import applications
from crmlib.period import Period

Q4 = Period.parse("2024-Q4")
PEOPLE = pd.DataFrame({"customer_id": ["a", "b"], "customer_type": ["personal", "enterprise"]})
CLASSES = pd.DataFrame({"customer_id": ["a", "b"], "tier": ["high", "low"]})


def applied(*rows: dict, until: str = "2024-12-31") -> pd.DataFrame:
    """Applications as known on a day; unless said otherwise of `a`, made and approved in October for 100."""
    usual = dict.fromkeys(tables.APPLICATIONS.schema.names)
    usual |= {"customer_id": "a", "known": True, "applied_day": "2024-10-01", "decided_day": "2024-10-11"}
    usual |= {"amount": 100, "decision": "approved"}
    full = [usual | row for row in rows]
    for row in full:
        row |= {c: row[c] and day(row[c]) for c in ("applied_day", "decided_day")}
    table = tables.conform(pd.DataFrame(full, columns=tables.APPLICATIONS.schema.names), tables.APPLICATIONS)
    return as_of.known(table, tables.APPLICATIONS, day(until)).to_pandas()


def told(rows: pd.DataFrame | None) -> dict:
    judged = applications.judged(rows, PEOPLE, CLASSES, Q4)
    return applications.figures(rows, judged, Q4)


def values(rows: pd.DataFrame | None) -> dict:
    return {id.removeprefix("finance."): figure["value"] for id, figure in told(rows).items()}


def test_an_application_counts_in_the_period_in_which_it_is_decided():
    rows = applied(
        {"applied_day": "2024-08-01", "decided_day": "2024-10-01", "amount": 7},
        {"decision": "declined"},
        {"applied_day": "2024-08-01", "decided_day": "2024-09-30"},  # of the previous quarter
        {"applied_day": "2024-12-20", "decided_day": "2025-01-02"},  # still waiting at the end
        {"applied_day": "2024-12-20", "decided_day": None, "decision": "pending"},
        {"known": False, "customer_id": "stranger", "decision": "declined"},  # an applicant all the same
    )
    found = values(rows)
    assert found.pop("success_rate") == pytest.approx(1 / 3)
    assert found == {
        "made": 4,
        "decided": 3,
        "approved": 1,
        "pending": 2,
        "unread": 0,
        "granted": 7,
        "days.mean": 27,  # (61 + 10 + 10) ÷ 3; of two people nobody can tell how far chance reaches
    }
    # Wilson's with Newcombe's correction, 1 of 3 at 90 %: (2 + z² − 1 − z √(z² − 2 − 1/3 + 4)) ÷ (6 + 2 z²), z = 1.64485
    assert told(rows)["finance.success_rate"]["low"] == pytest.approx(0.0233, abs=1e-4)
    assert told(rows)["finance.days.mean"]["why"] == "too few"


def test_days_to_a_decision_are_a_mean_with_an_interval_from_fifty_applicants_on():
    def decided(people: int) -> pd.DataFrame:
        days = (f"2024-10-{2 + n % 12:02}" for n in range(people))  # after 1 to 12 days, as many of each
        return applied(*({"customer_id": f"c{n}", "decided_day": day} for n, day in enumerate(days)))

    few, many = (told(decided(people))["finance.days.mean"] for people in (12, 60))
    assert (few["value"], few["n"], few["why"], "low" in few) == (6.5, 12, "too few", False)
    assert (many["value"], many["n"]) == (6.5, 60)
    # Five of each of 1 to 12: s = √(5 × 143 ÷ 59) = 3.481, t(59) at 95 % = 1.671; never narrower than Student's.
    assert 6.5 - many["low"] == pytest.approx(many["high"] - 6.5)
    assert 1.671 * 3.481 / 60**0.5 <= many["high"] - 6.5 <= 2 * 1.671 * 3.481 / 60**0.5


def test_without_a_day_of_decision_the_day_of_the_application_stands_for_it():
    rows = applied(
        {"decided_day": None},
        {"decided_day": None, "decision": "declined"},
        {"decided_day": None, "applied_day": "2024-09-30"},
        {"decided_day": None, "decision": None},  # nobody wrote down what became of it
    )
    assert values(rows)["decided"] == 2
    assert values(rows)["unread"] == 0
    assert told(rows)["finance.days.mean"]["why"] == "not supplied"


def test_words_that_are_neither_yes_nor_no_are_counted_and_never_guessed():
    rows = applied({"decision": "withdrawn"}, {"decision": None}, {"decision": "有条件通过"})
    found = told(rows)
    assert found["finance.unread"]["value"] == 3
    assert found["finance.success_rate"] == {
        "value": None,
        "n": 0,
        "why": "no decision is a word that is known",
    }
    judged = applications.judged(rows, PEOPLE, CLASSES, Q4)
    assert applications.groups(judged, applications.BY_CUSTOMER).empty


def test_no_applications_none_decided_one_and_all_approved_each_have_their_words():
    assert told(None)["finance.success_rate"] == {"value": None, "n": 0, "why": "not supplied"}
    assert applications.judged(None, PEOPLE, CLASSES, Q4) is None
    assert applications.groups(None, applications.BY_PURPOSE).empty
    waiting = applied({"decided_day": None, "decision": "pending"})
    assert told(waiting)["finance.success_rate"]["why"] == "no application was decided in the period"
    assert told(waiting)["finance.granted"] == {"value": None, "n": 0, "why": "nothing was approved"}
    early = told(applied({"applied_day": "2024-12-01"}, until="2024-11-30"))
    assert {figure["why"] for figure in early.values()} == {"before the data begins"}
    one = told(applied({}))
    assert (one["finance.success_rate"]["value"], one["finance.success_rate"]["n"]) == (1.0, 1)
    every = applied(*({"credit_grade": grade} for grade in "AB" for _ in range(12)))
    judged = applications.judged(every, PEOPLE, CLASSES, Q4)
    assert applications.apart(applications.by(judged, "credit_grade"))["apart"] is False
    unnamed = applied({"amount": None})
    assert told(unnamed)["finance.granted"]["why"] == "not supplied"


def test_groups_too_small_are_refused_and_what_nobody_supplies_has_no_rows():
    rows = applied(
        *({"credit_grade": "A", "customer_id": "a"} for _ in range(10)),
        *({"credit_grade": "C", "customer_id": "b", "decision": "declined"} for _ in range(12)),
        *({"credit_grade": "B", "customer_id": "b"} for _ in range(9)),
        {"customer_id": None, "known": False},
    )
    judged = applications.judged(rows, PEOPLE, CLASSES, Q4)
    table = applications.by(judged, "credit_grade")
    assert table[["level", "decided", "approved"]].values.tolist() == [
        ["A", 10, 10],
        ["C", 12, 0],
        ["B", 9, 9],
        ["unknown", 1, 1],
    ]
    assert table["approved_share"].isna().tolist() == [False, False, True, True]
    assert table["granted"].fillna(0).tolist() == [1000, 0, 900, 100]
    grades = applications.apart(table)
    assert (grades["apart"], grades["best"], grades["worst"]) == (True, ["A"], ["C"])
    figures = applications.rates(applications.groups(judged, ("tier", "product", "credit_grade")))
    assert "finance.success_rate.product.unknown" not in figures
    assert figures["finance.success_rate.tier.high"]["value"] == 1.0
    assert figures["finance.success_rate.tier.low"]["value"] == pytest.approx(9 / 21)
    assert figures["finance.success_rate.credit_grade.B"] == {"value": None, "why": "too few", "n": 9}


@pytest.mark.parametrize(
    ("product", "purpose", "kind"),
    [
        ("项目融资", None, "project_finance"),
        (None, "Project Finance: wind park", "project_finance"),
        ("消费贷款", "购车", "loan"),
        (None, None, None),
    ],
)
def test_project_finance_is_told_by_what_it_is_called(product, purpose, kind):
    judged = applications.judged(applied({"product": product, "purpose": purpose}), PEOPLE, CLASSES, Q4)
    assert judged["kind"].tolist() == [kind]
