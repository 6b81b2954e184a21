"""What is planted in the demo is found, in twenty clients that differ by their seed alone.

The truth comes from `data/demo/make_demo.py`, which counts it in plain integers and uses nothing of
`crmlib`. A record's row in the source is its number + 1: the header is row 1.
"""

from dataclasses import dataclass

import pandas as pd
import pytest
from builders import demo_maker

from crmlib import client as clients
from crmlib.analysis import distribution, kpis, satisfaction
from crmlib.classification import classes, facts, rfm
from crmlib.cleaning import customers as customer_rows
from crmlib.cleaning import delivery as cleaning
from crmlib.cleaning import ledger
from crmlib.cleaning.delivery import Cleaned
from crmlib.collection import sources
from crmlib.period import Period

SEEDS = range(20)
TABLES = {"customers": "customers", "orders": "transactions", "survey": "surveys"}
QUARTER, BEFORE = Period.parse("2024-Q4"), Period.parse("2024-Q3")
pytestmark = pytest.mark.slow


@dataclass
class Demo:
    """One seed's client: what is true of it, and what crmlib made of it."""

    seed: int
    truth: dict
    found: dict[str, Cleaned]
    collected: dict[str, sources.Collected]
    conflicts: pd.DataFrame
    client: clients.Client

    def rows(self, table: str, kind: str) -> set[int]:
        """Rows of a planted defect as the source counts them."""
        return {number + 1 for number in self.truth["defects"][table][kind]["rows"]}

    @property
    def orders(self):
        return self.found["transactions"].kept


@pytest.fixture(scope="module", params=SEEDS)
def demo(request):
    delivered, truth = demo_maker().tables(request.param)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("CRM_HOME", raising=False)
        client = clients.load("demo")
        collected = {
            TABLES[name]: sources.from_text(TABLES[name], rows)
            for name, rows in delivered.items()
            if name in TABLES
        }
        found = cleaning.cleaned(collected, client, delivered_on=client.delivered_on)
        conflicts = customer_rows.conflicts(collected["customers"], client)
    return Demo(request.param, truth, found, collected, conflicts, client)


def by_reason(part: Cleaned) -> dict[str, set[int]]:
    return {reason: set(rows) for reason, rows in part.quarantine.groupby("reason")["source_row"]}


def test_every_planted_defect_is_set_aside_and_nothing_else(demo):
    reasons = {
        "bookkeeping": "bookkeeping-entry",
        "stock_corrections": "stock-correction",
        "invalid_dates": "unreadable-date",
        "missing_dates": "missing-date",
        "future_dates": "future-date",
        "invalid_numbers": "unreadable-number",
        "not_records": "not-a-record",
    }
    assert by_reason(demo.found["transactions"]) == {
        reason: demo.rows("orders", kind) for kind, reason in reasons.items()
    }
    assert by_reason(demo.found["customers"]) == {}
    assert by_reason(demo.found["surveys"]) == {"out-of-scale": demo.rows("survey", "out_of_scale")}


def test_copies_are_merged_and_the_first_of_them_stays(demo):
    part = demo.found["transactions"]
    came = set(range(2, demo.truth["ledger"]["orders"]["rows_in"] + 2))
    stayed = set(part.kept["source_row"].to_pylist()) | set(part.quarantine["source_row"])
    assert came - stayed == demo.rows("orders", "exact_duplicates")
    answered = set(demo.found["surveys"].kept["source_row"].to_pylist())
    assert not answered & demo.rows("survey", "exact_duplicates")


def test_gifts_returns_orphans_and_nameless_lines_are_kept_for_what_they_are(demo):
    lines = demo.orders.to_pandas()

    def rows(which: pd.Series) -> set[int]:
        return set(lines.loc[which, "source_row"])

    flags = lines["flags"].str.split(",")
    nameless = demo.rows("orders", "no_customer") | demo.rows("orders", "abnormal")
    assert rows(lines["kind"] == "gift") == demo.rows("orders", "gifts")
    assert rows(lines["kind"] == "return") == demo.rows("orders", "returns")
    assert rows(flags.map(lambda f: "orphan-customer" in f)) == demo.rows("orders", "orphans")
    assert rows(flags.map(lambda f: "unknown-customer" in f)) == nameless
    assert rows(~lines["known"]) == nameless | demo.rows("orders", "orphans")
    assert (
        lines.loc[lines["kind"] == "return", "amount"].sum()
        == demo.truth["defects"]["orders"]["returns"]["sum"]
    )


def test_prices_far_outside_the_usual_are_flagged_and_hardly_any_others(demo):
    # Prices are drawn with long tails, so now and then an honest line lies tenfold from its product's middle
    # too; more than five of 26,000 would make the flag worthless.
    lines = demo.orders.to_pandas()
    odd = lines[lines["flags"].str.contains("abnormal-price")]
    planted = demo.rows("orders", "abnormal")
    assert planted <= set(odd["source_row"])
    assert len(odd) - len(planted) <= 5
    middle = lines[(lines["price"] > 0) & (lines["quantity"] > 0)].groupby("product")["price"].median()
    fold = odd["price"] / odd["product"].map(middle)
    assert ((fold >= 10) | (fold <= 0.1)).all()


def test_the_newer_of_two_versions_of_a_customer_is_kept(demo):
    planted = demo.truth["defects"]["customers"]["conflicting"]
    assert set(demo.conflicts["customer_id"]) == set(planted["ids"])
    kept = demo.found["customers"].kept.to_pandas().set_index("customer_id")
    winners = {id: (right["联系电话"], right["城市"]) for id, right in planted["winning_values"].items()}
    assert {id: tuple(kept.loc[id, ["contact", "city"]]) for id in winners} == winners
    counts = demo.found["customers"].ledger.set_index("step")["rows_merged"]
    assert (counts["exact-duplicate"], counts["same-customer"]) == (12, planted["count"])


def test_strangers_who_answered_are_not_known(demo):
    answers = demo.found["surveys"].kept.to_pandas()
    assert set(answers.loc[~answers["known"], "source_row"]) == demo.rows("survey", "unknown_respondents")


def test_the_ledger_balances_to_the_cent_the_maker_counted(demo):
    total = ledger.totals(cleaning.account(demo.found, demo.collected)).set_index("table")
    for name in TABLES:
        true = demo.truth["ledger"][name]
        assert {column: int(total.loc[TABLES[name], column]) for column in true} == true


def figures(demo: Demo, period: Period) -> dict:
    last = period.day_range[1]
    known, then = (facts.facts(demo.orders, as_of=span.day_range[1]) for span in (period, period.previous()))
    now, before = (facts.activity(demo.orders, span) for span in (period, period.previous()))
    rule = demo.client.classes.behaviour
    judged, judged_then = (classes.judged_behaviour(part, rule) for part in (known, then))
    told = kpis.sales(demo.orders, period) | kpis.customers(known, now, before, period)
    told |= kpis.churn(judged, judged_then) | kpis.profit(now) | kpis.rfm(known)
    told |= kpis.orders(demo.orders, period)
    answers = demo.found["surveys"].kept.to_pandas()
    told |= satisfaction.satisfaction(answers[answers["answered_day"] <= last], period)
    told["dormant"] = {"value": int((judged["behaviour"] == "dormant").sum())}
    return told


def compare(told: dict, true: dict) -> None:
    value = {id: parts["value"] for id, parts in told.items()}
    n = {id: parts.get("n") for id, parts in told.items()}
    assert {
        "sales_all": value["sales.all"],
        "sales_all_lines": n["sales.all"],
        "sales_identified": value["sales.identified"],
        "sales_identified_lines": n["sales.identified"],
        "sales_returns": value["sales.returns"],
        "sales_returns_lines": n["sales.returns"],
        "sales_net": value["sales.net"],
        "orders_count": value["orders.count"],
        "profit_amount": value["profit.amount"],
        "customers_active": value["customers.active"],
        "customers_new": value["customers.new"],
        "customers_total": value["customers.total"],
        "customers_one_order": value["customers.one_order"],
        "active_previous": n["retention.rate"],
        "churned_customers": value["churn.customers"],
        "not_churned_previous": n["churn.rate"],
        "dormant_customers": value["dormant"],
    } == {key: true[key] for key in true if key not in RATIOS}
    assert value["retention.rate"] == true["retained"] / true["active_previous"]
    assert value["repurchase.rate"] == true["repurchase_customers"] / true["customers_active"]
    assert value["churn.rate"] == true["churned_new"] / true["not_churned_previous"]
    assert value["rfm.recency.mean"] == true["rfm_recency_days"] / true["customers_total"]
    assert value["rfm.frequency.mean"] == true["rfm_orders"] / true["customers_total"]
    assert value["rfm.monetary.mean"] == true["rfm_monetary"] / true["customers_total"]
    for aspect, said in true["satisfaction"].items():
        if aspect == "recommend":
            assert n["nps.score"] == said["n"]
            assert value["nps.score"] == pytest.approx(
                100 * (said["promoters"] - said["detractors"]) / said["n"]
            )
        else:
            assert n[f"satisfaction.{aspect}.raw"] == said["n"]
            assert value[f"satisfaction.{aspect}.raw"] == pytest.approx(said["sum"] / said["n"], abs=1e-12)


RATIOS = {"retained", "repurchase_customers", "churned_new", "rfm_recency_days", "rfm_orders", "rfm_monetary"}
RATIOS |= {"satisfaction", "profit_all"}


def test_every_figure_is_the_makers_to_the_cent(demo):
    # The quarter for every seed; a year, a month and other quarters for one.
    names = ["2024-Q4"] if demo.seed else list(demo.truth["facts"])
    for name in names:
        compare(figures(demo, Period.parse(name)), demo.truth["facts"][name])


@pytest.fixture(scope="module")
def judged(demo):
    known = facts.facts(demo.orders, as_of=QUARTER.day_range[1])
    answers = demo.found["surveys"].kept.to_pandas()
    rules = demo.client.classes
    return classes.classes(known, rfm.rfm(known, rules.rfm), answers, rules, decimals=2).set_index(
        "customer_id"
    )


@pytest.mark.parametrize(
    ("role", "state"), [("churned", "churned"), ("dormant", "dormant"), ("steady", "active")]
)
def test_who_left_is_churned_who_went_quiet_is_dormant_who_stayed_is_active(demo, judged, role, state):
    ids = demo.truth["truths"][role]["ids"]
    assert len(ids) > 30
    assert set(judged.loc[ids, "behaviour"]) == {state}


def test_champions_are_champions_and_nearly_all_of_the_high_tier(demo, judged):
    # Planted: a firm, an order within 30 days, among the top tenth in orders and in sales. Top tenth twice is
    # 5 and 5, and an order within 30 days is among the two most recent fifths: always "champion". The tier also
    # asks for loyalty, and nothing is planted about recommendation: a few may be medium, four in five are high.
    best = judged.loc[demo.truth["truths"]["champions"]["ids"]]
    assert len(best) > 20
    assert set(best["segment"]) == {"champion"}
    assert set(best["behaviour"]) == {"active"}
    assert set(best["abc"]) == {"A"}
    assert "low" not in set(best["tier"])
    assert (best["tier"] == "high").mean() >= 0.8


def test_the_mobile_bank_takes_over_as_planted(demo):
    true = demo.truth["truths"]["growing_channel"]
    people = demo.found["customers"].kept.to_pandas()
    personal = set(people.loc[people["customer_type"] == "personal", "customer_id"])
    lines = demo.orders.to_pandas()
    theirs = lines[lines["customer_id"].isin(personal)]
    shares = []
    for year in ("2022", "2023", "2024"):
        table = kpis.by_line(theirs, Period.parse(year), "channel").set_index("channel")["lines"]
        assert (int(table[true["channel"]]), int(table.sum())) == (true[year]["lines"], true[year]["of"])
        shares.append(table[true["channel"]] / table.sum())
    assert shares[0] < shares[1] < shares[2]


def test_the_best_tenth_of_customers_bring_as_much_as_planted(demo):
    true = demo.truth["truths"]["pareto"]
    year = facts.activity(demo.orders, Period.parse("2024"))
    bought = year[year["orders"] > 0]
    assert (len(bought), int(bought["gross"].sum())) == (true["customers"], true["sales"])
    assert distribution.top_share(bought) == pytest.approx(true["top_sales"] / true["sales"], abs=1e-12)


FALSE_ALARMS: dict[int, list[str]] = {}


def test_the_province_where_after_sales_fell_is_found_and_named_first(demo):
    # Fair, and strict: 1.2 of 4 points are planted among about 90 answers, so it must be found in every seed.
    true = demo.truth["truths"]["after_sales_drop"]
    place = demo.found["customers"].kept.to_pandas().set_index("customer_id")["region"]
    answers = demo.found["surveys"].kept.to_pandas()
    now, before = (
        satisfaction.by_group(answers, span, place, [true["aspect"]]) for span in (QUARTER, BEFORE)
    )
    here = now.set_index("group").loc[true["province"]]
    assert here["n"] == true["there_after"]["n"]
    assert here["score"] == pytest.approx((true["there_after"]["sum"] / true["there_after"]["n"] - 1) * 25)
    fell = satisfaction.fallen(satisfaction.compared(now, before)).tolist()
    FALSE_ALARMS[demo.seed] = fell[1:]
    assert fell[0] == true["province"]


def test_false_alarms_are_as_rare_as_the_margin_promises():
    # All groups together may raise one in 5 % of deliveries. In 20, more than three has a chance of 1.6 %.
    if len(FALSE_ALARMS) < len(SEEDS):
        pytest.skip("only with all seeds")
    alarmed = {seed: places for seed, places in FALSE_ALARMS.items() if places}
    assert len(alarmed) <= 3, alarmed
