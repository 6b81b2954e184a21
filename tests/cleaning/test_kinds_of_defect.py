"""Impossible, invalid and abnormal are told apart, and every reason is one of them."""

import ast
import re
from pathlib import Path

import pandas as pd
import pytest

from crmlib.cleaning import customers, defects, surveys, transactions
from crmlib.cleaning.ledger import MERGED

CRMLIB = Path(defects.__file__).resolve().parent.parent


def test_every_step_of_cleaning_has_exactly_one_kind():
    steps = {*customers.STEPS, *transactions.STEPS, *surveys.STEPS, *surveys.ANSWER_STEPS}
    assert {step: defects.kind(step) for step in steps if step not in defects.KIND} == {}
    named = [reason for reasons in defects.KINDS.values() for reason in reasons]
    assert len(named) == len(set(named))


def reasons_in_the_code() -> set[str]:
    """Texts that look like a reason (`future-date`) in modules that set rows aside."""
    found = set()
    for path in [*(CRMLIB / "cleaning").glob("*.py"), *(CRMLIB / "collection").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Assign | ast.AnnAssign) and re.search(
                r"STEPS|DEFECTS|MISFITS|MERGED", ast.unparse(node).split("=")[0]
            ):
                texts = [n.value for n in ast.walk(node) if isinstance(n, ast.Constant)]
                found |= {t for t in texts if isinstance(t, str) and re.fullmatch(r"[a-z]+(-[a-z]+)+", t)}
    return found


def test_a_reason_that_is_added_anywhere_needs_a_kind():
    found = reasons_in_the_code()
    assert {"future-date", "extra-cell", "out-of-scale", "same-customer"} <= found  # the search finds reasons
    assert found - set(defects.KIND) == set()


def test_flags_of_kept_lines_have_a_kind():
    marks = set(re.findall(r'"([a-z]+-[a-z]+)": f?"', Path(transactions.__file__).read_text("utf-8")))
    assert {"abnormal-price", "orphan-customer", "amount-differs"} <= marks
    assert marks - set(defects.KIND) == set()


def test_what_is_merged_is_repeated():
    assert {defects.kind(reason) for reason in MERGED} == {"repeated"}


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("out-of-scale", "impossible"),
        ("future-date", "impossible"),
        ("unreadable-number", "invalid"),
        ("missing-cell", "invalid"),
        ("abnormal", "abnormal"),
        ("exact-duplicate", "repeated"),
        ("stock-correction", "elsewhere"),
    ],
)
def test_a_score_of_nine_on_a_scale_of_five_is_impossible_not_abnormal(reason, kind):
    assert defects.kind(reason) == kind


def test_a_reason_nobody_classified_is_refused():
    with pytest.raises(ValueError, match=r"reason .odd-moon. has no kind in crmlib\.cleaning\.defects"):
        defects.kind("odd-moon")


def test_defects_are_listed_by_kind_with_rows_and_money():
    reasons = pd.DataFrame(
        [
            ("transactions", "unreadable-number", "set_aside", 3, 0),
            ("transactions", "future-date", "set_aside", 2, 900),
            ("surveys", "exact-duplicate", "merged", 5, None),
        ],
        columns=["table", "reason", "fate", "rows", "money"],
    )
    flags = pd.DataFrame([("abnormal-price", 4, 70_000)], columns=["flag", "lines", "amount"])
    found = defects.kinds(reasons, flags)
    assert found.fillna(-1).values.tolist() == [
        ["impossible", "future-date", "transactions", "set_aside", 2, 900],
        ["invalid", "unreadable-number", "transactions", "set_aside", 3, 0],
        ["abnormal", "abnormal-price", "transactions", "kept", 4, 70_000],
        ["repeated", "exact-duplicate", "surveys", "merged", 5, -1],
    ]
    assert defects.told(found) == {"impossible": 2, "invalid": 3, "abnormal": 4, "errors": 9}
