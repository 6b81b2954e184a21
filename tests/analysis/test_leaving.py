"""Who left: by hand, without a look at what came later, and without columns that know the outcome."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from builders import answers, day, lines

from crmlib import tables
from crmlib.analysis import evidence, leakage, learning, leaving, totals_told
from crmlib.analysis.evidence import Evidence
from crmlib.retention import ChurnRule
from crmlib.rules import BehaviourRule

BEHAVIOUR = BehaviourRule()
RULE = ChurnRule(cut_offs=1)
AS_OF = day("2024-07-13")  # 194 days after the cut-off: a fortnight to act, 180 days of horizon
CUT = day("2024-01-01")


def people(*ids: str) -> pd.DataFrame:
    empty = tables.CUSTOMERS.schema.empty_table().to_pandas()
    return pd.DataFrame({"customer_id": list(ids), "region": "north"}).reindex(columns=empty.columns)


def bought(customer: str, *dates: str) -> list[dict]:
    return [{"customer": customer, "day": date, "amount": 1000} for date in dates]


# Fewer than four orders each, so that 180 days of silence mean churned.
STORY = lines(
    *bought("long ago", "2022-06-01"),  # the history begins; churned long before the cut-off
    *bought("left", "2023-11-01"),  # 61 days silent on the cut-off, 255 at the end
    *bought("stayed", "2023-11-01", "2024-05-01"),
    *bought("too soon", "2023-07-10"),  # 175 days silent on the cut-off, 189 when the time to act is over
    # Every 100 days: by their own rhythm churned after 400, which no silence since the cut-off can come to.
    *bought("slow", "2023-01-30", "2023-05-10", "2023-08-18", "2023-11-26"),
    *bought("later", "2024-03-01"),
)


def test_who_left_is_who_is_churned_when_the_horizon_ends_and_was_not_when_the_time_to_act_was_over():
    found = leaving.by_orders(Evidence(STORY, people()), RULE, BEHAVIOUR, as_of=AS_OF)
    assert found.cut_offs == [CUT]
    assert dict(zip(found.table["customer_id"], found.table["left"], strict=True)) == {
        "left": True,
        "stayed": False,
    }
    # Today: 73, 134 and 230 days silent; 194 more are beyond 180 days, and beyond four gaps of 100.
    assert set(found.current["customer_id"]) == {"stayed", "later", "slow"}


def test_a_history_of_less_than_a_year_before_the_cut_off_says_so():
    short = lines(*bought("a", "2023-06-01", "2024-05-01"))
    found = leaving.by_orders(Evidence(short, people()), RULE, BEHAVIOUR, as_of=AS_OF)
    assert found.why == "short_history"
    assert learning.learnt(found, RULE).why == "short_history"
    assert leaving.by_orders(Evidence(lines(), people()), RULE, BEHAVIOUR, as_of=AS_OF).why == "not_supplied"


def table(name: str, rows: list[dict]) -> pa.Table:
    empty = dict.fromkeys(tables.ALL[name].schema.names)
    return pa.Table.from_pylist([empty | row for row in rows], schema=tables.ALL[name].schema)


def case(customer: str, opened: str, resolved: str | None, kind: str = "complaint") -> dict:
    moment = pd.Timestamp(opened)
    return {
        "customer_id": customer,
        "known": True,
        "opened_at": moment,
        "opened_day": day(opened[:10]),
        "resolved_at": None if resolved is None else pd.Timestamp(resolved),
        "kind": kind,
        "source_file": "typed",
        "source_row": 2,
    }


def told(customer: str, said: str) -> dict:
    place = {"source_file": "typed", "source_row": 2}
    return {"customer_id": customer, "known": True, "said_day": day(said), "kind": "complaint"} | place


def tie(customer: str, other: str, since: str) -> dict:
    place = {"source_file": "typed", "source_row": 2}
    known = {"known": True, "other_known": True, "kind": "partner", "since_day": day(since)}
    return {"customer_id": customer, "other_id": other} | known | place


BEFORE = {
    "surveys": pa.Table.from_pandas(
        answers(
            ("left", "2023-09-01", "service", 5),
            ("left", "2023-12-01", "service", 2),
            ("left", "2023-12-01", "recommend", 3),
        ),
        schema=tables.SURVEYS.schema,
        preserve_index=False,
    ),
    "interactions": table(
        "interactions",
        [
            case("left", "2023-12-30 10:00", "2024-01-05 10:00"),
            case("stayed", "2023-12-01 08:00", "2023-12-01 12:00", "enquiry"),
        ],
    ),
    "feedback": table("feedback", [told("left", "2023-12-20")]),
    "relations": table(
        "relations", [tie("left", "long ago", "2023-01-01"), tie("left", "stayed", "2023-02-01")]
    ),
}


def test_what_is_known_on_the_cut_off_is_counted_by_hand():
    found = evidence.features(Evidence(STORY, people("left"), BEFORE), cut_off=CUT, rule=BEHAVIOUR)
    one = found.set_index("customer_id").loc["left"]
    # Answers of 5 and 2 on a scale of 1 to 5 are 100 and 25; recommending 3 of 0 to 10.
    assert one[["score", "score_change", "recommend"]].tolist() == [25, -75, 30]
    # The case is still open: from 30 December at ten to the end of 1 January, 62 hours. A second complaint was said.
    assert one[["contacts_year", "complaints_year", "longest_wait", "open_cases"]].tolist() == [1, 2, 62, 1]
    # Tied to one who is churned and one who is not.
    assert one[["ties", "ties_gone"]].tolist() == [2, 0.5]
    assert one[["orders", "recency_days", "tenure_year", "gross_year"]].tolist() == [1, 61, 61, 1000]
    stayed = found.set_index("customer_id").loc["stayed"]
    assert stayed[["longest_wait", "open_cases", "complaints_year"]].tolist() == [4, 0, 0]
    slow = found.set_index("customer_id").loc["slow"]
    assert slow["own_gaps"] == pytest.approx(36 / 100)


def as_bytes(rows: pd.DataFrame) -> bytes:
    sink = pa.BufferOutputStream()
    content = pa.Table.from_pandas(rows, preserve_index=False)
    with pa.ipc.new_stream(sink, content.schema) as out:
        out.write_table(content)
    return sink.getvalue().to_pybytes()


def test_what_comes_after_the_cut_off_changes_no_byte_of_what_was_known_on_it():
    plain = Evidence(STORY, people("left"), BEFORE)
    more = lines(
        *bought("left", "2024-01-02"),
        *bought("stayed", "2024-02-02", "2024-03-03"),
        *bought("new", "2024-06-01"),
    )
    later = {
        "surveys": pa.Table.from_pandas(
            answers(("left", "2024-01-02", "service", 1), ("stayed", "2024-02-01", "recommend", 9)),
            schema=tables.SURVEYS.schema,
            preserve_index=False,
        ),
        "interactions": table(
            "interactions", [case("left", "2024-01-02 09:00", None), case("stayed", "2024-03-01 09:00", None)]
        ),
        "feedback": table("feedback", [told("stayed", "2024-01-02")]),
        "relations": table(
            "relations", [tie("left", "later", "2024-01-02"), tie("stayed", "slow", "2024-05-05")]
        ),
    }
    both = {name: pa.concat_tables([later[name], BEFORE[name]]) for name in BEFORE}
    # What was still open on the cut-off is put right at another time, and a later line is another one.
    both["interactions"] = pa.concat_tables(
        [
            table("interactions", [case("left", "2023-12-30 10:00", "2024-06-01 10:00")]),
            both["interactions"].filter(
                pa.compute.not_equal(both["interactions"]["opened_at"], pd.Timestamp("2023-12-30 10:00"))
            ),
        ]
    )
    kept = STORY.filter(pa.compute.less_equal(STORY["order_day"], CUT))
    changed = Evidence(pa.concat_tables([more, kept]), people("left"), both)
    expected, found = (evidence.features(part, cut_off=CUT, rule=BEHAVIOUR) for part in (plain, changed))
    assert as_bytes(found) == as_bytes(expected)


def made(n: int = 1200, seed: int = 3) -> leaving.Cases:
    """Customers of whom long waits make one in two leave, and all else says nothing."""
    rng = np.random.default_rng(seed)
    waits = np.where(rng.random(n) < 0.3, 200.0, 5.0)
    left = rng.random(n) < np.where(waits > 100, 0.6, 0.1)
    rows = pd.DataFrame(
        {
            "customer_id": [f"c{k}" for k in range(n)],
            "cut_off": 0,
            "left": left,
            "worth": 10_000.0,
            "wait": waits + rng.normal(0, 1, n),
            "noise": rng.normal(0, 1, n),
            "place": rng.choice(["north", "south"], n).astype(object),
        }
    )
    rows = leaving.hashed(rows)
    names = ("wait", "noise"), ("place",)
    return leaving.Cases(
        rows, rows[~rows["left"]].drop(columns="left"), *names, ("wait", "noise", "place"), "snapshot"
    )


def test_shuffled_outcomes_are_foretold_no_better_than_by_lot():
    found = made(3000)
    rng = np.random.default_rng(1)
    shuffled = found.table.assign(left=rng.permutation(found.table["left"].to_numpy()))
    told_by_lot = leaving.Cases(
        shuffled, found.current, found.numbers, found.words, found.undated, "snapshot"
    )
    learnt = learning.learnt(told_by_lot, ChurnRule(), kinds=("logistic", "tree", "boosting"))
    for kind, told in learnt.told.items():
        # 750 customers of the trial: the standard error of an AUC of one half is .025.
        assert 0.45 <= leakage.auc(told, learnt.outcome) <= 0.55, kind
        assert 0.45 <= learnt.tuned[kind].aucs.mean() <= 0.55, kind


def test_the_order_of_rows_decides_nothing():
    found = made()
    mixed = leaving.hashed(found.table.sample(frac=1, random_state=5))
    again = leaving.Cases(mixed, found.current, found.numbers, found.words, found.undated, "snapshot")
    one, other = (learning.learnt(part, ChurnRule(), kinds=("logistic", "tree")) for part in (found, again))
    assert one.chosen == other.chosen
    assert all((one.told[kind] == other.told[kind]).all() for kind in one.told)


def test_a_column_that_knows_the_outcome_is_named_and_one_that_only_helps_is_not():
    found = made()
    left = found.table["left"].to_numpy(bool)
    leaking = found.table.assign(
        **{
            "Reason": np.where(left, "price", None),  # filled for leavers alone
            "Points": np.where(left, 90.0, 20.0) + found.table["noise"],
            "Churn band": "A",  # says nothing, but its name speaks of it
            "客户状态": np.where(left, "gone", "there"),
        }
    )
    words = ("place", "Reason", "Churn band", "客户状态")
    numbers = ("wait", "noise", "Points")
    there = leaking[~left].drop(columns="left")
    cases = leaving.Cases(leaking, there, numbers, words, (*numbers, *words), "snapshot")
    suspected = leakage.suspected(cases, ChurnRule()).set_index("input")["sign"]
    assert suspected.to_dict() == {
        "Reason": "filled_when_left",
        "Points": "tells_outcome",
        "客户状态": "tells_outcome",
        "Churn band": "named_so",
    }
    clean = leaving.without(cases, list(suspected.index))
    assert clean.inputs == ["wait", "noise", "place"] and "Reason" not in clean.table
    trusting = ChurnRule(trusted=["Churn band", "Points"])
    assert set(leakage.suspected(cases, trusting)["input"]) == {"Reason", "客户状态"}


def test_one_class_few_leavers_and_inputs_that_never_differ_are_refused_with_their_reason():
    found, rule = made(), ChurnRule()

    def changed(rows: pd.DataFrame, numbers=("wait",)) -> leaving.Cases:
        return leaving.Cases(rows, found.current, numbers, (), numbers, "snapshot")

    rows = found.table
    assert learning.learnt(changed(rows.assign(left=False)), rule).why == "one_class"
    assert learning.learnt(changed(rows.assign(left=True)), rule).why == "one_class"
    few = rows.assign(left=np.arange(len(rows)) < 29)
    assert learning.learnt(changed(few), rule).why == "few_events"
    assert learning.learnt(changed(rows, ()), rule).why == "no_inputs"
    alike = leaving._varied(changed(rows.assign(wait=1.0)))
    assert (alike.constant, learning.learnt(alike, rule).why) == (("wait",), "no_inputs")


def test_totals_without_a_mark_are_not_supplied_and_their_columns_are_typed():
    assert leaving.by_mark(None, pd.DataFrame(), ChurnRule(), mapped={}).why == "not_supplied"
    totals = pd.DataFrame(
        {
            "customer_id": ["a", "b", "c"],
            "source_file": "f",
            "source_row": [2, 3, 4],
            "churned": pd.array([True, False, None], dtype="boolean"),
            "tenure_months": [6.0, 24, 3],
            "spend": [600, 4800, 30],
        }
    )
    came = pd.DataFrame(
        {
            "ID": ["a", "b", "c"],
            "Gone": ["Yes", "No", ""],
            "Plan": ["x", "y", "x"],
            "Fee": ["1.5", "2", " 3 "],
            "Alike": ["1"] * 3,
        }
    ).assign(_file="f", _row=[2, 3, 4])
    found = leaving.by_mark(totals, came, ChurnRule(), mapped={"customer_id": "ID", "churned": "Gone"})
    # Of c nobody says whether they left. A year of a is 600 ÷ 6 × 12, of b 4,800 ÷ 24 × 12.
    assert (found.numbers, found.words, found.constant) == (("Fee",), ("Plan",), ("Alike",))
    by = found.table.set_index("customer_id")
    assert by["worth"].to_dict() == {"a": 1200.0, "b": 2400.0}
    assert by["left"].to_dict() == {"a": True, "b": False}
    assert found.current["customer_id"].tolist() == ["b"]


def test_a_column_of_many_words_is_no_input():
    assert totals_told.typed(pd.Series([f"street {n}" for n in range(31)]))[1] == ""
    assert totals_told.typed(pd.Series([None, None]))[1] == ""


FILES = ("demographics", "location", "services", "status")
# What tells the outcome outright: satisfaction, status, and every column about leaving but the label.
TELLING = [
    "Satisfaction Score",
    "Customer Status",
    "Churn Value",
    "Churn Score",
    "Churn Category",
    "Churn Reason",
]


def telco(folder) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Totals and records of Telco's four files about customers, joined by hand."""
    rows = None
    for name in FILES:
        path = folder / f"Telco_customer_churn_{name}.{'xlsx' if name == 'status' else 'csv'}"
        read = (
            pd.read_excel(path, dtype=str, engine="calamine")
            if name == "status"
            else pd.read_csv(path, dtype=str)
        )
        read = read.drop(columns=["Count", "Quarter"], errors="ignore")
        rows = read if rows is None else rows.merge(read, on="Customer ID")
    rows = rows.astype(object).where(rows.notna(), None).assign(_file="t", _row=range(2, len(rows) + 2))
    totals = pd.DataFrame(
        {
            "customer_id": rows["Customer ID"],
            "source_file": "t",
            "source_row": rows["_row"],
            "churned": rows["Churn Label"].eq("Yes").astype("boolean"),
            "tenure_months": rows["Tenure in Months"].astype(float),
            "spend": (rows["Total Revenue"].astype(float) * 100).round(),
        }
    )
    return totals, rows


@pytest.mark.slow
def test_telcos_columns_that_tell_the_outcome_are_all_found_and_without_them_it_is_foretold_as_published(
    shared,
):
    totals, rows = telco(shared / "data" / "telco_multi")
    mapped = {"customer_id": "Customer ID", "churned": "Churn Label"}
    found = leaving.by_mark(totals, rows, ChurnRule(), mapped=mapped)
    assert (len(found.table), found.left) == (7043, 1869)
    suspected = leakage.suspected(found, ChurnRule())
    assert set(suspected["input"]) == set(TELLING)
    clean = leaving.without(found, TELLING)
    learnt = learning.learnt(clean, ChurnRule(), kinds=("logistic",))
    # About .90 by stratified parts with honest preparation; a jump above would be a leak.
    assert 0.88 <= learnt.tuned["logistic"].aucs.mean() <= 0.92
    assert 0.88 <= leakage.auc(learnt.told["logistic"], learnt.outcome) <= 0.92
    # With one of them left in, the figure jumps: that is what the warning is for.
    leaking = leaving.without(found, [name for name in TELLING if name != "Churn Score"])
    jumped = learning.learnt(leaking, ChurnRule(), kinds=("logistic",))
    assert leakage.auc(jumped.told["logistic"], jumped.outcome) > 0.97
