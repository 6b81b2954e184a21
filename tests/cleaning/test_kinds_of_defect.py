"""Impossible, invalid and abnormal are told apart, and every reason is one of them."""

import ast
import re
from pathlib import Path

import pandas as pd
import pytest

from crmlib.cleaning import (
    customers,
    defects,
    records,
    snapshot,
    surveys,
    suspicion,
    tier_table,
    transactions,
)
from crmlib.cleaning.ledger import MERGED
from crmlib.collection import profile

CRMLIB = Path(defects.__file__).resolve().parent.parent


# Codes of the same form that set no row aside: notes on a file, rules by which a cell is read, words people write.
NO_REASONS = {
    *("blank-rows", "empty-columns-dropped", "hidden-columns", "hidden-sheets", "mixed-encodings"),
    *("repeated-column-dropped", "sheet-chosen", "trailing-delimiter", "trailing-delimiter-header"),
    *("unnamed-column", "control-characters", "day-first", "month-first", "year-first", "decimal-comma"),
    *(
        "excel-serial",
        "no-date",
        "dense-day",
        "after-sales",
        "price-sensitive",
        "quality-seeking",
        "sub-total",
    ),
    *profile.FINDINGS,
    *suspicion.KINDS,
}


def test_every_step_of_cleaning_has_exactly_one_kind():
    modules = (customers, transactions, surveys, records, snapshot, tier_table)
    steps = {
        step
        for module in modules
        for name in vars(module)
        if "STEPS" in name
        for step in getattr(module, name)
    }
    assert {"corrected", "abnormal", "undecodable", "not-json", "repeated-key", "other-delimiter"} <= steps
    assert steps - set(defects.KIND) == set()
    named = [reason for reasons in defects.KINDS.values() for reason in reasons]
    assert len(named) == len(set(named))


def codes_in_the_code() -> set[str]:
    """Every text of the form of a reason (`future-date`) in modules that may set rows aside."""
    paths = [*(CRMLIB / "cleaning").glob("*.py"), *(CRMLIB / "collection").glob("*.py")]
    nodes = [
        node
        for path in paths
        if path != Path(defects.__file__)
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
    ]
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {text for text in texts if re.fullmatch(r"[a-z]+(-[a-z]+)+", text)}


def test_a_reason_that_is_added_anywhere_needs_a_kind():
    found = codes_in_the_code()
    assert {"future-date", "extra-cell", "out-of-scale", "same-customer"} <= found  # the search finds reasons
    assert found - set(defects.KIND) - NO_REASONS == set()
    assert NO_REASONS.isdisjoint(defects.KIND)


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
