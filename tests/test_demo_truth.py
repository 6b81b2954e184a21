"""What is planted in the demo is found, in twenty clients that differ by their seed alone.

The truth comes from `data/demo/make_demo.py`, which counts it in plain integers and uses nothing of
`crmlib`. A record's row in the source is its number + 1: the header is row 1.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import chain, combinations

import builders
import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from crmlib import as_of, tables
from crmlib import client as clients
from crmlib.analysis import (
    acquisition,
    applications,
    bought,
    breakdown,
    by_class,
    demand,
    demanded,
    distribution,
    drill,
    drivers,
    efficiency,
    evidence,
    expectation,
    introductions,
    kpis,
    leakage,
    learning,
    leaving,
    leaving_told,
    preferences_told,
    price_response,
    reasons,
    relation_risk,
    relations,
    response,
    satisfaction,
    structure,
    tallies,
    together,
    word_of_mouth,
)
from crmlib.classification import classes, facts, migration, passage, rfm
from crmlib.cleaning import customers as customer_rows
from crmlib.cleaning import delivery as cleaning
from crmlib.cleaning import ledger, records
from crmlib.cleaning.delivery import Cleaned
from crmlib.collection import sources
from crmlib.period import Period
from crmlib.rules import Classes, TierWeights, earlier

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
    delivered: dict[str, pd.DataFrame]

    def rows(self, table: str, kind: str) -> set[int]:
        """Rows of a planted defect as the source counts them."""
        return {number + 1 for number in self.truth["defects"][table][kind]["rows"]}

    @property
    def merged(self) -> dict[str, str]:
        """Numbers that were taken for another number's customer, and that number."""
        return self.found["customers"].matches.merged

    @cached_property
    def orders(self) -> pa.Table:
        """Order lines under whom they truly belong to: figures are asked apart from who was found to be one."""
        return self.truly("transactions", "orders", "客户编号")

    @cached_property
    def answers(self) -> pd.DataFrame:
        return self.truly("surveys", "survey", "respondent").to_pandas()

    def truly(self, table: str, file: str, header: str) -> pa.Table:
        planted = self.truth["defects"]["customers"]["second_numbers"]
        first = dict(zip(planted["ids"], planted["of"], strict=True))
        kept = self.found[table].kept
        told = self.delivered[file][header].to_numpy()[kept["source_row"].to_numpy() - 2]
        whose = [first.get(number, number) or None for number in told]
        at = kept.column_names.index("customer_id")
        return kept.set_column(at, "customer_id", pa.array(whose, pa.string()))

    def known_by(self, name: str, period: Period) -> pd.DataFrame:
        """Records beside the orders as they were known at a period's end."""
        table, known = tables.ALL[name], set(self.people.index)
        given = {"table": table, "delivered_on": self.client.delivered_on, "known": known}
        if name not in self.beside:
            came = sources.from_text(name, self.delivered[name])
            self.beside[name] = records.records(came, self.client, **given).kept
        return as_of.known(self.beside[name], table, period.day_range[1]).to_pandas()

    @cached_property
    def beside(self) -> dict[str, pa.Table]:
        return {}

    @cached_property
    def won(self) -> pd.DataFrame:
        return acquisition.won(facts.facts(self.orders, as_of=QUARTER.day_range[1]), self.orders)

    @cached_property
    def people(self) -> pd.DataFrame:
        """Customers by every number they had."""
        kept = self.found["customers"].kept.to_pandas().set_index("customer_id")
        others = kept.loc[list(self.merged.values())].set_axis(list(self.merged))
        return pd.concat([kept, others])


@pytest.fixture(scope="module", params=SEEDS)
def demo(request):
    delivered, truth, client = builders.demo(request.param)
    collected = {
        TABLES[name]: sources.from_text(TABLES[name], rows)
        for name, rows in delivered.items()
        if name in TABLES
    }
    found = cleaning.cleaned(collected, client, delivered_on=client.delivered_on)
    conflicts = customer_rows.conflicts(collected["customers"], client)
    return Demo(request.param, truth, found, collected, conflicts, client, delivered)


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
    assert counts["same-person"] == len(demo.merged)


def test_strangers_who_answered_are_not_known(demo):
    answers = demo.answers
    assert set(answers.loc[~answers["known"], "source_row"]) == demo.rows("survey", "unknown_respondents")


def test_the_ledger_balances_to_the_cent_the_maker_counted(demo):
    total = ledger.totals(cleaning.account(demo.found, demo.collected)).set_index("table")
    # Not every second number can be proved: those left apart are kept, and asked about below.
    apart = demo.truth["defects"]["customers"]["second_numbers"]["count"] - len(demo.merged)
    demo.truth["ledger"]["customers"]["rows_kept"] += apart
    demo.truth["ledger"]["customers"]["rows_merged"] -= apart
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
    answers = demo.answers
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
    answers = demo.answers
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


@pytest.fixture(scope="module")
def tied(demo, judged):
    """The graph as a run of the quarter sees it: relations as cleaned, and customers by the number they truly have."""
    known = facts.facts(demo.orders, as_of=QUARTER.day_range[1])
    done = facts.activity(demo.orders, QUARTER)
    folk = relations.people(demo.people.reset_index(names="customer_id"), known, judged.reset_index(), done)
    return relations.graph(demo.known_by("relations", QUARTER), folk, demo.client.relations)


def test_after_the_planted_influencer_turned_fewer_of_theirs_ordered_again(demo, tied):
    true = demo.truth["truths"]["relationship_risks"]["effect"]
    below = demo.client.classes.satisfaction.dissatisfied
    last = QUARTER.day_range[1]
    found = word_of_mouth.spread(tied, demo.answers, demo.orders, dissatisfied_below=below, as_of=last)
    row = found.table.set_index("customer_id").loc[true["influencer"]]
    assert row["spreads"] == "fewer_came"
    assert row["fewer_high"] < 0
    # Some of those who are tied were moved to another story, or answered for it: the turn is the maker's day.
    assert row["turned"].isoformat() == true["turned_on"]
    assert row["n"] >= 14
    assert row["again"] < 0.35


def test_every_planted_way_to_a_potential_customer_is_listed(demo, tied, judged):
    true = demo.truth["truths"]["relationship_risks"]["introductions"]
    potentials = introductions.potentials(tied, judged.reset_index())
    found = introductions.introductions(tied, potentials)
    ways = found.ways.set_index("customer_id")
    assert len(true) == 5
    for way in true:
        row = ways.loc[way["to"]]
        steps = found.steps[found.steps["way"] == row["way"]]
        assert steps["customer_id"].tolist() == [way["from"], way["over"]]
        assert steps["other_id"].tolist() == [way["over"], way["to"]]


def test_every_planted_risk_and_rival_is_found(demo, tied):
    true = demo.truth["truths"]["relationship_risks"]
    sad = set(relation_risk.sources(tied)["customer_id"])
    assert set(true["unhappy_influencers"]) | {true["effect"]["influencer"]} <= sad
    near = set(relation_risk.at_risk(tied)["customer_id"])
    assert {id for reached in true["unhappy_influencers"].values() for id in reached} <= near
    high = set(tied.ids[tied.nodes["tier"] == "high"])
    rivals = set(relation_risk.rivals(tied)["customer_id"])
    assert set(true["rivals_of_key_customers"]) & high <= rivals


def test_the_mobile_bank_takes_over_as_planted(demo):
    true = demo.truth["truths"]["growing_channel"]
    personal = set(demo.people.index[demo.people["customer_type"] == "personal"])
    lines = demo.orders.to_pandas()
    theirs = lines[lines["customer_id"].isin(personal)]
    shares = []
    for year in ("2022", "2023", "2024"):
        table = breakdown.by_line(theirs, Period.parse(year), "channel").set_index("channel")["lines"]
        assert (int(table[true["channel"]]), int(table.sum())) == (true[year]["lines"], true[year]["of"])
        shares.append(table[true["channel"]] / table.sum())
    assert shares[0] < shares[1] < shares[2]


def test_the_best_tenth_of_customers_bring_as_much_as_planted(demo):
    true = demo.truth["truths"]["pareto"]
    year = facts.activity(demo.orders, Period.parse("2024"))
    bought = year[year["orders"] > 0]
    assert (len(bought), int(bought["gross"].sum())) == (true["customers"], true["sales"])
    assert distribution.top_share(bought) == pytest.approx(true["top_sales"] / true["sales"], abs=1e-12)


def test_who_looks_at_the_price_buys_below_it_as_planted(demo):
    true = demo.truth["truths"]["discounts"]
    known = facts.facts(demo.orders, as_of=QUARTER.day_range[1]).set_index("customer_id")
    listed = demo.delivered["customers"].drop_duplicates("客户编号").set_index("客户编号")
    stated = listed["需求类型"].reindex(known.index) == true["need"]
    shares = []
    for name, theirs in (("stated", known[stated]), ("others", known[~stated])):
        discounted = (theirs["discount_share"] * theirs["gross"]).sum()
        assert int(theirs["gross"].sum()) == true[name]["sales"]
        assert discounted == pytest.approx(true[name]["discounted"], rel=1e-12)
        shares.append(discounted / theirs["gross"].sum())
    assert shares[0] > 0.6 > 0.2 > shares[1]


FALSE_ALARMS: dict[int, list[str]] = {}


TYPES = {"个人客户": "personal", "企业客户": "enterprise", "大型企业客户": "large_enterprise"}


def test_what_customers_cost_in_every_period_is_the_makers_to_the_cent(demo):
    won, true, new = demo.won, demo.truth["truths"]["spent"], demo.truth["truths"]["won"]
    for name in new if demo.seed == SEEDS[0] else ["2024-Q4", "2024-12", "2024"]:
        span = Period.parse(name)
        costs = demo.known_by("costs", span)
        told = acquisition.figures(costs, won, span)
        assert told["acquisition.amount"]["value"] == true[name]["acquisition"]
        assert told["cac.amount"]["value"] == true[name]["acquisition"] / new[name]
        assert told["cac.amount"]["n"] == new[name]
        table = acquisition.channels(costs, won, span)
        assert dict(zip(table["channel"], table["amount"], strict=True)) == true[name]["channels"]
        # No customer comes through an advertisement: nothing is told by channel but the cost itself.
        assert "cost_each" not in table
        served = acquisition.total(costs, span, "serve")["value"]
        assert (served or 0) == true[name]["service"]


def test_winning_a_customer_grows_dearer_as_planted(demo):
    # 1.2 % a month from the middle of 2023-Q2 to that of 2024-Q4, eighteen months later. Costs vary by 5 % in each
    # of the twelve cells of a quarter, hence by some 2 % in a ratio of two; before, months of more than sixty
    # newcomers cost as sixty.
    costs = demo.known_by("costs", QUARTER)
    table = acquisition.over_time(costs, demo.won, QUARTER, periods=7).set_index("period")["cost_each"]
    assert list(table.index[[0, -1]]) == ["2023-Q2", "2024-Q4"]
    assert table["2024-Q4"] / table["2023-Q2"] == pytest.approx(1.012**18, rel=0.08)


def test_who_is_granted_what_in_every_period_is_the_makers(demo):
    people = pd.DataFrame({"customer_id": demo.people.index, "customer_type": demo.people["customer_type"]})
    nobody = pd.DataFrame({"customer_id": [], "tier": []})
    columns = {"grade": "credit_grade", "type": "customer_type", "product": "product", "purpose": "purpose"}
    for name, true in demo.truth["truths"]["applications"].items():
        if name in ("unit", "by"):
            continue
        span = Period.parse(name)
        made = demo.known_by("applications", span)
        judged = applications.judged(made, people, nobody, span)
        told = {id: figure["value"] for id, figure in applications.figures(made, judged, span).items()}
        assert told["finance.success_rate"] == true["approved"] / true["decided"]
        assert told["finance.days.mean"] == pytest.approx(true["days"] / true["decided"], abs=1e-12)
        counted = {"made", "decided", "approved", "pending", "granted"}
        assert {part: told[f"finance.{part}"] for part in counted} == {part: true[part] for part in counted}
        for of, column in columns.items():
            table = applications.by(judged, column).fillna({"granted": 0}).set_index("level")
            found = table[["decided", "approved", "granted"]].astype(int).to_dict("index")
            assert found == {TYPES.get(level, level): counts for level, counts in true[of].items()}


GRANTED: dict[str, list[tuple[int, int]]] = {}


def test_project_finance_stands_apart_and_the_grades_are_noted(demo):
    span = Period.parse("2022-01-01_2024-12-31")
    people = pd.DataFrame({"customer_id": [], "customer_type": []})
    judged = applications.judged(
        demo.known_by("applications", span), people, pd.DataFrame({"customer_id": [], "tier": []}), span
    )
    kinds, products = (applications.by(judged, name).set_index("level") for name in ("kind", "product"))
    assert kinds.loc["project_finance"].tolist() == products.loc["项目融资"].tolist()
    assert int(kinds.loc["loan", "decided"]) == int(products["decided"].sum()) - int(
        kinds.loc["project_finance", "decided"]
    )
    by_grade = applications.by(judged, "credit_grade")
    assert applications.apart(by_grade)["apart"]
    for row in by_grade.itertuples():
        GRANTED.setdefault(row.level, []).append((row.approved, row.decided))


def test_over_all_clients_loans_are_granted_in_the_planted_order_of_grades():
    if not GRANTED:
        pytest.skip("asked after the clients alone")
    rate = {grade: sum(y for y, _ in rows) / sum(n for _, n in rows) for grade, rows in GRANTED.items()}
    assert sorted(rate, key=rate.get, reverse=True) == ["AAA", "AA", "A", "BBB", "BB", "B"]


def test_groups_come_back_leave_and_earn_as_the_maker_counts(demo):
    kind = demo.people["customer_type"]
    place = demo.people["region"]
    for name in demo.truth["facts"] if demo.seed == SEEDS[0] else ["2024-Q4"]:
        span, rule = Period.parse(name), demo.client.classes.behaviour
        now, then = (facts.activity(demo.orders, part) for part in (span, span.previous()))
        known = [facts.facts(demo.orders, as_of=part.day_range[1]) for part in (span, span.previous())]
        judged, before = (
            classes.judged_behaviour(part, rule).assign(
                customer_type=part["customer_id"].map(kind), region=part["customer_id"].map(place)
            )
            for part in known
        )
        true = demo.truth["truths"]["groups"][name]
        rates = by_class.rates(now, then, judged, before, ("customer_type", "region"))
        brought = by_class.contribution(now, judged, ("customer_type", "region"))
        for of, column in (("type", "customer_type"), ("province", "region")):
            told = rates[rates["class"] == column].set_index("level")
            money = brought[brought["class"] == column].set_index("level")
            for level, counts in true[of].items():
                one = told.loc[TYPES.get(level, level)]
                assert {part: one[part] for part in ("buyers_before", "active")} == {
                    part: counts[part] for part in ("buyers_before", "active")
                }
                for part, top, under in (
                    ("retention", "retained", "buyers_before"),
                    ("repurchase", "repurchase", "active"),
                    ("churn", "churn_lost", "churn_before"),
                    ("fixed", "fixed_lost", "fixed_before"),
                ):
                    assert one[by_class.OF[part]] == counts[under]
                    if counts[under] >= 10:
                        assert one[part] == counts[top] / counts[under]
                    else:
                        assert pd.isna(one[part])
                line = money.loc[TYPES.get(level, level)]
                assert line[["orders", "gross", "net", "earned"]].tolist() == [
                    counts[part] for part in ("orders", "sales", "net", "profit")
                ]
        by = by_class.definitions(*known, rule).set_index("definition")
        for definition, part in (("by_rhythm", "churn"), ("by_days", "fixed")):
            row = by.loc[definition, ["churned", "held_before", "lost"]].tolist()
            assert row == [true["all"][f"{part}_{what}"] for what in ("customers", "before", "lost")]
        mixed = structure.mix(judged, before, ["behaviour"]).set_index("level")
        count = demo.truth["facts"][name]["customers_total"]
        assert mixed.loc["churned", "share"] == true["all"]["churn_customers"] / count


def test_what_sales_cost_is_the_makers_ratio(demo):
    span = QUARTER
    now = facts.activity(demo.orders, span)
    costs, true = demo.known_by("costs", span), demo.truth["truths"]["spent"]["2024-Q4"]
    figures = demo.truth["facts"]["2024-Q4"]
    results = kpis.sales(demo.orders, span) | kpis.orders(demo.orders, span) | kpis.profit(now)
    results["customers.active"] = {"value": int((now["orders"] > 0).sum()), "n": len(now)}
    told = efficiency.figures(costs, results, interactions=None, span=span)
    cost = true["acquisition"] + true["service"]
    assert told["cost.amount"]["value"] == cost
    assert told["cost.to_sales"]["value"] == cost / figures["sales_net"]
    assert told["efficiency.sales"]["value"] == figures["sales_net"] / cost
    assert told["efficiency.profit"]["value"] == figures["profit_amount"] / cost
    assert told["cost.an_order"]["value"] == cost / figures["orders_count"]
    assert told["service.mean"]["value"] == true["service"] / figures["customers_active"]
    assert told["service.named.mean"]["value"] == pytest.approx(true["service_named"] / true["served"])
    assert told["efficiency.contact"] == {"value": None, "n": 0, "why": "not supplied"}
    lines = efficiency.by_line(demo.orders, span, "product_group")
    assert (int(lines["gross"].sum()), int(lines["earned"].sum())) == (
        figures["sales_identified"],
        figures["profit_amount"],
    )


def test_the_province_where_after_sales_fell_is_found_and_named_first(demo):
    # Fair, and strict: 1.2 of 4 points are planted among about 90 answers, so it must be found in every seed.
    true = demo.truth["truths"]["after_sales_drop"]
    place = demo.people["region"]
    answers = demo.answers
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


SEGMENTS: dict[tuple[int, str], list[tuple[str, str]]] = {}


def segments(demo: Demo, span: Period) -> dict[str, list[tuple[str, str]]]:
    """The segment that each measure's change is said to come from, by id."""
    before = span.previous()
    spans, people = (span, before), demo.people.rename_axis("customer_id").reset_index()
    now, then, earlier = (facts.activity(demo.orders, part) for part in (*spans, before.previous()))
    known = facts.facts(demo.orders, as_of=span.day_range[1])
    aspects = (None, "product", "service", "after_sales", "brand")
    told = (
        tallies.sales(now, then, people, tallies.lines(demo.orders, spans, people)),
        tallies.profit(now, then, people),
        tallies.margin(now, then, people),
        tallies.mean_order(now, then, people),
        tallies.retention((now, then, earlier), known, people, spans),
        tallies.nps(demo.answers, spans, people),
        *(tallies.satisfaction(demo.answers, spans, people, aspect) for aspect in aspects),
    )
    return {tally.id: drill.drill(tally).path for tally in told}


def test_the_drill_goes_down_to_the_province_where_after_sales_fell(demo):
    true = demo.truth["truths"]["after_sales_drop"]
    found = segments(demo, QUARTER)
    assert found["satisfaction.after_sales"][0] == ("region", true["province"])
    # Of all aspects together, by whichever way it is reached.
    planted = {("region", true["province"]), ("aspect", true["aspect"])}
    assert set(found["satisfaction.mean"]) == planted
    del found["satisfaction.after_sales"], found["satisfaction.mean"]
    SEGMENTS.update({(demo.seed, id): path for id, path in found.items()})


def test_segments_are_named_where_nothing_was_planted_as_seldom_as_promised():
    # Nine measures of 20 deliveries, each allowed 5 %: nine of 180. Aspects of one form go together, so that a
    # segment named by one may be named by several: more than 18 has a chance below one in a hundred even if they
    # came in pairs.
    if len(SEGMENTS) < 9 * len(SEEDS):
        pytest.skip("only with all seeds")
    named = {key: path for key, path in SEGMENTS.items() if path}
    assert len(named) <= 18, named


UNTOLD: dict[int, bool] = {}


def test_recommending_hangs_on_the_planted_aspects_in_their_order_and_not_on_the_brand(demo):
    true = demo.truth["truths"]["recommending"]
    found = drivers.drivers(satisfaction.during(demo.answers, QUARTER), "recommend")
    planted, (none,) = true["drivers"], true["none"]
    assert planted == ["after_sales", "service", "product"]
    for method in ("weight", "shapley"):
        assert found.sort_values(method, ascending=False)["aspect"].tolist() == [*planted, none]
    own = found.set_index("aspect")
    assert own.loc[planted, "told"].all()
    UNTOLD[demo.seed] = own.loc[none, "own_low"] <= 0 <= own.loc[none, "own_high"]


def test_the_interval_of_an_aspect_that_only_goes_along_covers_zero():
    # With four aspects each interval is one of 97.5 %: in 20 seeds half a miss is due, three have a chance of 1.3 %.
    if len(UNTOLD) < len(SEEDS):
        pytest.skip("only with all seeds")
    missed = [seed for seed, covered in UNTOLD.items() if not covered]
    assert len(missed) <= 2, missed


def test_who_waited_for_days_and_left_is_what_leaving_is_foretold_by(demo):
    true = demo.truth["truths"]["waited"]
    came = sources.from_text("interactions", demo.delivered["service"])
    given = {
        "table": tables.INTERACTIONS,
        "delivered_on": demo.client.delivered_on,
        "known": set(demo.people.index),
    }
    beside = {"interactions": records.records(came, demo.client, **given).kept}
    people = demo.people.rename_axis("customer_id").reset_index()
    known = evidence.Evidence(demo.orders, people, beside)
    rule, last = demo.client.churn, QUARTER.day_range[1]
    found = leaving.by_orders(known, rule, demo.client.classes.behaviour, as_of=last)
    # Whom the maker let wait have left, by the glossary's own rule.
    gone = known.behaviour(last, demo.client.classes.behaviour)
    # Some customers' orders are written anew, so that their tier moves.
    waited = [id for id in true["ids"] if id not in demo.truth["truths"]["moves"]["customers"]]
    assert (gone.reindex(waited) == "churned").mean() > 0.97
    learnt = learning.learnt(found, rule, kinds=("logistic",))
    table = reasons.importance(learnt).set_index("input")
    assert table.loc["longest_wait", "importance_low"] > 0.02
    told = leaving_told.causes(table.reset_index())
    assert told["doing"] == ["longest_wait"]
    assert 0.7 < leakage.auc(learnt.told["logistic"], learnt.outcome) < 0.95


def test_large_enterprises_get_less_of_the_service_than_they_expect(demo):
    true = demo.truth["truths"]["service_expectation"]
    rows = {"needs": sources.from_text("needs", demo.delivered["needs"])}
    said = cleaning.cleaned(rows, demo.client, delivered_on=demo.client.delivered_on)[
        "needs"
    ].kept.to_pandas()
    said["known"] = said["customer_id"].isin(demo.people.index)
    kind = demo.people["customer_type"].rename_axis("customer_id").reset_index()
    for word, name in (
        ("个人客户", "personal"),
        ("企业客户", "enterprise"),
        (true["customer_type"], "large_enterprise"),
    ):
        mine = said.loc[said["known"] & said["customer_id"].map(demo.people["customer_type"]).eq(name)]
        assert {"n": len(mine), "sum": int(mine["service_expectation"].sum())} == true[word]
    wished, _ = expectation.expected(said, tuple(true["scale"]))
    got = expectation.experienced(demo.answers, as_of=QUARTER.day_range[1])
    table = expectation.gaps(wished, got, kind, "customer_type").set_index(["class", "level"])
    assert table.loc[("service", "large_enterprise"), "against"] == "gets_less"
    assert table.loc[("after_sales", "large_enterprise"), "against"] == "gets_less"
    assert table.loc[("service", "enterprise"), "against"] != "gets_less"
    assert table.loc[("service", "personal"), "against"] != "gets_less"


def test_persons_answer_more_seldom_than_firms_as_planted(demo, judged):
    oftener = demo.truth["truths"]["recommending"]["answers_so_much_oftener"]
    assert oftener["个人客户"] < oftener["企业客户"] < oftener["大型企业客户"]
    kind = judged.index.to_series().map(demo.people["customer_type"])
    people = pd.DataFrame({"customer_id": judged.index, "customer_type": kind.to_numpy()})
    table = response.shares(people, response.answered(demo.answers, QUARTER), ("customer_type",)).set_index(
        "level"
    )
    assert table.loc["personal", "against"] == "below"
    assert table["share"].idxmin() == "personal"


def paired(groups) -> set[tuple[str, str]]:
    return {pair for group in groups for pair in combinations(sorted(group), 2)}


SAME_PERSON: dict[int, tuple[int, int, int]] = {}


def test_customers_under_several_numbers_are_found_and_those_who_look_alike_left_apart(demo):
    planted = demo.truth["defects"]["customers"]["second_numbers"]
    groups: dict[str, set[str]] = {}
    for number, of in zip(planted["ids"], planted["of"], strict=True):
        groups.setdefault(of, {of}).add(number)
    true = paired(groups.values())
    found = paired(demo.found["customers"].matches.groups.values())
    SAME_PERSON[demo.seed] = (len(found & true), len(found), len(true))
    alike = {tuple(pair["ids"]) for pair in demo.truth["defects"]["customers"]["look_alikes"]["pairs"]}
    assert len(alike) == 50
    # Two firms of one group, one telephone and one trade may part by a single character, as a slip does.
    assert len(found & alike) <= 1
    assert len(found - true) <= 1
    # The first number stays, being the older one.
    assert {demo.merged[number] for number in demo.merged if number in planted["ids"]} <= set(groups) | {
        new for old, new in demo.merged.items() if old not in planted["ids"]
    }


def test_nobody_is_lost_and_nobody_keeps_a_number_that_was_merged(demo):
    kept = set(demo.found["customers"].kept["customer_id"].to_pylist())
    assert not kept & set(demo.merged)
    assert kept | set(demo.merged) == set(demo.delivered["customers"]["客户编号"])
    for table, file, header in (("transactions", "orders", "客户编号"), ("surveys", "survey", "respondent")):
        part = demo.found[table].kept
        told = demo.delivered[file][header].to_numpy()[part["source_row"].to_numpy() - 2]
        assert part["customer_id"].to_pylist() == [demo.merged.get(n, n) or None for n in told]
    planted = demo.truth["defects"]["customers"]["second_numbers"]
    assert planted["order_lines"] > 50
    assert planted["survey_forms"] > 10


def test_over_all_clients_one_in_a_hundred_merges_is_wrong_at_most_and_one_in_twenty_missed():
    if len(SAME_PERSON) < len(SEEDS):
        pytest.skip("only with all seeds")
    precision = [right / found for right, found, _ in SAME_PERSON.values()]
    recall = [right / true for right, _, true in SAME_PERSON.values()]
    assert sum(precision) / len(SEEDS) >= 0.99
    assert sum(recall) / len(SEEDS) >= 0.95


def way(demo: Demo, rules: Classes, before: Classes) -> passage.Passage:
    """What was known of the customers at the end of the previous quarter and of this one."""
    known = []
    for span in (BEFORE, QUARTER):
        last = span.day_range[1]
        said = demo.answers[demo.answers["answered_day"] <= last]
        known.append(passage.Known(facts.facts(demo.orders, as_of=last), said))
    return passage.Passage(*known, rules, before, 2)


@pytest.fixture(scope="module")
def moved(demo):
    rules = demo.client.classes
    whole = way(demo, rules, earlier(demo.client.classes_before, rules))
    return migration.moves(whole, passage.steps(whole))


def told(moved: pd.DataFrame, ids) -> dict[str, list]:
    rows = moved[moved["customer_id"].isin(set(ids))]
    return {id: part[["before", "now", "cause"]].values.tolist() for id, part in rows.groupby("customer_id")}


def test_every_planted_change_of_tier_is_found_with_its_true_cause(demo, moved):
    true = demo.truth["truths"]["moves"]["customers"]
    assert len(true) == 32
    assert {story["cause"] for story in true.values()} == {
        "money",
        "frequency",
        "satisfaction",
        "time",
        "rule",
    }
    assert told(moved, true) == {id: [[s["from"], s["to"], s["cause"]]] for id, s in true.items()}


def test_where_activity_weighs_silence_and_return_are_found_and_where_not_nobody_moves(demo, moved):
    planted = demo.truth["truths"]["moves"]["with_activity"]
    true, rules = planted["customers"], demo.client.classes
    assert len(true) == 8
    assert told(moved, true) == {}
    tier = rules.tier.model_copy(update={"weights": TierWeights(**planted["weights"])})
    weighed = rules.model_copy(update={"tier": tier})
    whole = way(demo, weighed, weighed)
    found = told(migration.moves(whole, passage.steps(whole)), true)
    assert found == {id: [[s["from"], s["to"], s["cause"]]] for id, s in true.items()}


def raw_facts(demo: Demo) -> pd.DataFrame:
    """Per customer and date the facts that a move may name, by plain SQL over cleaned lines and answers."""
    lines, answers = demo.orders, demo.answers  # noqa: F841  DuckDB finds them by name
    sides = {"then": BEFORE.day_range[1], "now": QUARTER.day_range[1]}
    parts = []
    for side, last in sides.items():
        table = duckdb.sql(
            f"""with bought as (
                  select customer_id, count(distinct order_id) orders, {last} - min(order_day) tenure_days
                  from lines where known and kind = 'sale' and order_day <= {last} group by all),
                money as (
                  select customer_id, sum(case when kind in ('sale', 'return') then amount end) net, sum(profit) profit
                  from lines where known and order_day <= {last} group by all),
                said as (
                  select customer_id, arg_max(score, answered_day) recommend from answers
                  where known and aspect = 'recommend' and answered_day <= {last} group by all)
                select customer_id, orders, tenure_days, net::bigint net, profit::bigint profit, recommend,
                  orders * 365.25 / greatest(tenure_days, 365.25) orders_a_year
                from bought left join money using (customer_id) left join said using (customer_id)"""
        ).df()
        parts.append(table.set_index("customer_id").add_suffix(f"_{side}"))
    return parts[0].join(parts[1], how="inner")


NAMED = {"money": ("net", "profit"), "frequency": ("orders", "orders_a_year"), "satisfaction": ("recommend",)}
NAMED |= {"time": ("tenure_days",)}


def test_nobody_is_said_to_have_moved_whose_facts_did_not(demo, moved):
    raw = raw_facts(demo)
    own = moved[~moved["cause"].isin(["cut", "rule"])]
    assert len(own) > 100
    assert own["customer_id"].is_unique
    for row in own.to_dict("records"):
        mine = raw.loc[row["customer_id"]]
        for cause in row["cause"].split("+"):
            pairs = [(mine[f"{fact}_then"], mine[f"{fact}_now"]) for fact in NAMED[cause]]
            assert any(then != now for then, now in pairs if not pd.isna([then, now]).all()), row
        then, now = mine[f"{row['fact']}_then"], mine[f"{row['fact']}_now"]
        assert (row["previous"], row["value"]) == (
            pytest.approx(then, nan_ok=True) if not pd.isna(then) else None,
            pytest.approx(now),
        )
    # Who neither bought, nor took back, nor answered can only have grown older or rarer.
    still = raw[
        (raw["orders_then"] == raw["orders_now"])
        & (raw["net_then"] == raw["net_now"])
        & (raw["profit_then"] == raw["profit_now"])
        & (raw["recommend_then"].fillna(-1) == raw["recommend_now"].fillna(-1))
    ]
    quiet = own[own["customer_id"].isin(still.index)]
    assert set(chain.from_iterable(quiet["cause"].str.split("+"))) <= {"frequency", "time"}
    assert set(quiet["fact"]) <= {"orders_a_year", "tenure_days"}


def test_what_is_planted_to_go_together_is_found_and_what_it_displaces(demo):
    planted, customers = demo.truth["truths"]["together"], demo.people.reset_index()
    rows = bought.bought(demo.orders, customers, as_of=QUARTER.day_range[1])
    of, kinds, whose = bought.by_order(rows)
    assert abs(of.n - planted["baskets"]) <= 0.002 * planted["baskets"]  # gifts and strangers apart
    pairs = together.pairs(of, kinds=kinds, whose=whose)
    # By words: two products are one pair whichever stands first.
    found = {
        frozenset(row[:2]): row
        for row in pairs[["product", "other", "both_baskets", "verdict"]].values.tolist()
    }
    both = found[frozenset([planted["given"], planted["then"]])]
    instead = found[frozenset([planted["given"], planted["instead"]])]
    assert (both[3], instead[3]) == ("complements", "substitutes")
    assert abs(both[2] - planted["both"]) <= 5  # a line that is set aside may be one of a pair


def test_the_planted_season_is_found(demo):
    season = demo.truth["truths"]["season"]
    past = demanded.demanded(demo.orders, demo.people.reset_index(), as_of=QUARTER.day_range[1], by="month")
    own = past.series[season["product_group"], "personal"]
    mine = demanded.Demanded({(season["product_group"], "personal"): own}, past.season, past.by, past.last)
    found = demand.demand(mine, ahead=4)
    lines = found.total()["lines_expected"].tolist()
    # January to March are its months, April is not.
    assert min(lines[:3]) > lines[3]
    values = preferences_told.expecting(found, mine)
    assert values["moves"] and values["group_lines"] > values["group_now"]


def test_who_states_to_look_at_the_price_responds_to_it(demo):
    need = demo.people["need"].rename_axis("customer_id").reset_index().dropna()
    priced = price_response.lines(demo.orders, demo.people.reset_index(), as_of=QUARTER.day_range[1])
    each = price_response.at_discount(priced, at_least=30)
    _, agreed = price_response.beside_stated(each, need.assign(need_source="stated"))
    assert agreed["n"] > 300
    assert agreed["share"] > 0.9 > agreed["by_chance"] + 0.2
    # Pieces were drawn apart from prices: nothing but chance may be told of them.
    slopes = price_response.elasticities(priced, pd.Series(dtype=object), at_least=30)
    assert abs(slopes.loc[0, "elasticity"]) < 0.1
