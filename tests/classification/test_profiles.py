"""What a class is like: told only where it is more than chance, and by numbers that others compute too."""

import builders
import numpy as np
import pandas as pd
import pytest
from builders import lines, made
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.stats.contingency import relative_risk

from crmlib import findings
from crmlib.classification import profiles
from crmlib.period import Period
from crmlib.rules import ProfileRule

RULE = ProfileRule(at_least=20)


def counted(inside: list[float], others: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """How many of each have every value, as `profiles.larger` takes them."""
    values = sorted({*inside, *others})
    return tuple(np.array([side.count(value) for value in values]) for side in (inside, others))


def test_how_often_one_is_larger_is_counted_pair_by_pair():
    inside, others = [3, 5, 5], [1, 3, 5, 9]
    # Pairs won: 3 beats 1 and ties 3; each 5 beats 1 and 3 and ties 5: 1.5 + 2.5 + 2.5 of 12.
    assert profiles.larger(*counted(inside, others))[0] == pytest.approx(6.5 / 12)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 6), min_size=5, max_size=30), st.lists(st.integers(0, 6), min_size=5, max_size=30)
)
def test_the_interval_of_ranks_is_that_of_brunner_and_munzel(inside, others):
    value, low, high = profiles.larger(*counted(inside, others))
    wins = np.mean([(a > b) + (a == b) / 2 for a in inside for b in others])
    assert value == pytest.approx(wins)
    if high > low:  # where neither side varies the statistic has no spread
        chance = stats.brunnermunzel(others, inside).pvalue
        # At the level 1 - p the interval ends just at one half.
        _, low, high = profiles.larger(*counted(inside, others), level=1 - chance)
        assert min(abs(low - 0.5), abs(high - 0.5)) < 1e-6


@pytest.mark.parametrize(("a", "n", "b", "m"), [(30, 100, 10, 100), (3, 40, 200, 900), (50, 60, 5, 300)])
def test_a_lift_and_its_interval_are_those_of_scipy(a, n, b, m):
    told = relative_risk(a, n, b, m)
    bounds = told.confidence_interval(0.9)
    assert profiles.lift(a, n, b, m) == pytest.approx((told.relative_risk, bounds.low, bounds.high))


def test_a_lift_over_nothing_stays_finite():
    value, low, high = profiles.lift(5, 50, 0, 100)
    assert np.isfinite([value, low, high]).all()
    assert low > 1


def firm(size: int = 60) -> tuple[pd.DataFrame, pd.Series, pd.DataFrame]:
    """The first half is of the high tier, gives much back and needs quality; else nothing parts them."""
    rows = [
        {
            "net": 1000 + n % 7,
            "gross": 1000 + n % 7,
            "returned": -(300 + n % 5) if n < size // 2 else -(n % 5),
            "orders": 3 + n % 4,
            "recency_days": 10 + n % 9,
        }
        for n in range(size)
    ]
    tier = pd.Series(["high"] * (size // 2) + ["low"] * (size - size // 2))
    need = ["quality_seeking" if n < size // 2 and n % 10 else "price_sensitive" for n in range(size)]
    region = ["北京市" if n % 2 else "上海市" for n in range(size)]
    table = builders.facts(*rows)
    known = pd.DataFrame({"customer_id": table["customer_id"], "need": need, "region": region})
    return table, tier, profiles.attributes(table[["customer_id"]], known)


def test_what_sets_a_class_apart_is_told_and_nothing_else():
    table, tier, words = firm()
    found = profiles.traits(table, tier, words, RULE)
    told = profiles.strongest(found, 3)
    high = told[told["level"] == "high"].set_index("fact")
    assert set(high.index) == {"returned_share", "need"}
    assert high.loc["returned_share", "effect"] == 1
    # 27 of 30 against none; 3 of 30 against all: both shares part them alike, quality by name last.
    shares = told[(told["level"] == "high") & (told["fact"] == "need")].set_index("word")
    assert shares.loc["quality_seeking", ["inside", "others"]].tolist() == [0.9, 0]
    assert shares.loc["price_sensitive", ["inside", "others"]].tolist() == [0.1, 1]


def test_a_class_that_differs_from_chance_alone_is_told_as_such_nine_times_in_ten():
    # All comparisons of a column together: at most one in ten firms hears of a difference that is none.
    rng, heard = np.random.default_rng(1), 0
    for _ in range(60):
        rows = {name: rng.exponential(size=90) for name in ("net", "gross", "orders", "recency_days")}
        table = builders.facts(*[{} for _ in range(90)]).assign(**rows)
        table = table.assign(returned=-table["gross"] * rng.uniform(size=90))
        tier = pd.Series(rng.permutation(["high", "medium", "low"] * 30))
        words = table[["customer_id"]].assign(fact="need", word=rng.choice(["a", "b", "c"], 90))
        heard += len(profiles.strongest(profiles.traits(table, tier, words, RULE), 3)) > 0
    assert heard <= 12  # 6 expected at most, and 2.6 standard deviations of chance


def test_what_a_rule_looks_at_is_no_news_of_its_classes():
    table, tier, _ = firm()
    table = table.assign(net=[5000] * 30 + [10 + n for n in range(30)])
    found = profiles.traits(table, tier, None, RULE)
    assert "net" in set(profiles.strongest(found, 3)["fact"])
    assert "net" not in set(profiles.strongest(found, 3, of="tier")["fact"])


def test_a_negligible_difference_is_not_told_however_certain():
    rng = np.random.default_rng(0)
    table = builders.facts(*[{} for _ in range(20000)]).assign(net=rng.standard_normal(20000))
    tier = pd.Series(["high", "low"] * 10000)
    table.loc[tier == "high", "net"] += 0.1  # an effect of about 0.056
    found = profiles.traits(table, tier, None, RULE)
    assert (found[found["fact"] == "net"]["apart_low"] > 0.5).any()
    assert profiles.strongest(found, 3).empty


@pytest.fixture
def book(home):
    client = made(home)
    return findings.Book("03-classification", client, Period.parse("2024-Q4"))


def test_each_class_is_told_in_a_sentence_that_can_be_told_again(book):
    table, tier, words = firm()
    answer = profiles.described(book, "tier", profiles.traits(table, tier, words, RULE), tier, RULE)
    assert [f.id for f in answer.findings] == ["profile.tier.high", "profile.tier.low"]
    assert answer.findings[0].sentence == (
        "High (30 customers) stands apart from all others by: Share taken back 30.1% against 0.2%; "
        "Need Price-sensitive: 10.0% against 100.0%; Need Quality-seeking: 90.0% against 0.0%."
    )
    book.save()
    again = findings.findings(book.client, book.period, "03-classification")
    assert [f.sentence for f in again] == [f.sentence for f in answer.findings]


def test_a_class_like_all_others_a_small_one_and_none_have_sentences_too(book):
    table, _, _ = firm()
    alike = pd.Series(["high", "low"] * 30)
    small = pd.Series(["high"] * 50 + ["low"] * 10)
    none = pd.Series(["not_graded"] * 60)
    told = {
        name: [(f.form, f.sentence) for f in profiles.described(book, "tier", traits, labels, RULE).findings]
        for name, labels in (("alike", alike), ("small", small), ("none", none))
        if (traits := profiles.traits(table, labels, None, RULE)) is not None
    }
    beyond = "nothing known, beyond what its rule looks at, sets it apart from all others."
    few = "are too few to describe (at least 20 each)."
    assert told == {
        "alike": [("no", f"{tier} (30 customers): {beyond}") for tier in ("High", "Low")],
        "small": [
            ("few", f"High: 50 customers against 10 others {few}"),
            ("few", f"Low: 10 customers against 50 others {few}"),
        ],
        "none": [("absent", "No customer has a class here, so none is described.")],
    }


def test_money_is_told_in_main_units(book):
    table, _, _ = firm()
    table = table.assign(net=[500_000] * 30 + [1000 + n for n in range(30)])
    group = pd.Series(["group_1"] * 30 + ["group_2"] * 30)
    said = profiles.described(book, "cluster", profiles.traits(table, group, None, RULE), group, RULE)
    assert "Net sales so far CN¥5,000 against CN¥10.14" in said.findings[0].sentence


def asked(*counts: tuple[str, str, int]) -> tuple[pd.Series, pd.Series, pd.DataFrame]:
    """Labels, numbers and needs of so many customers each: class, need, how many."""
    rows = [(tier, need) for tier, need, many in counts for _ in range(many)]
    ids = pd.Series([f"c{n}" for n in range(len(rows))])
    words = pd.DataFrame({"customer_id": ids, "fact": "need", "word": [need for _, need in rows]})
    return pd.Series([tier for tier, _ in rows]), ids, words[words["word"] != ""]


def test_what_a_class_needs_has_an_interval_and_is_told_where_it_prevails(book):
    labels, ids, words = asked(
        ("high", "quality_seeking", 30),
        ("high", "price_sensitive", 10),
        ("high", "", 5),
        ("low", "price_sensitive", 16),
        ("low", "personalised", 14),
        ("medium", "personalised", 19),
    )
    table = profiles.needs(labels, ids, words, RULE)
    first = table.iloc[0]
    wilson = stats.binomtest(30, 40).proportion_ci(0.9, method="wilsoncc")
    assert (first["level"], first["need"], first["share"], first["asked"]) == (
        "high",
        "quality_seeking",
        0.75,
        40,
    )
    assert (first["share_low"], first["share_high"]) == pytest.approx((wilson.low, wilson.high))
    assert table.groupby("level")["share"].sum().loc[["high", "low"]].tolist() == pytest.approx([1, 1])
    assert table.loc[table["level"] == "medium", "share"].isna().all()
    said = {f.id: (f.form, f.sentence) for f in profiles.need_told(book, "tier", table, RULE).findings}
    assert {id: form for id, (form, _) in said.items()} == {
        "profile.tier.high.need": "yes",  # 30 of 40 is beyond chance
        "profile.tier.medium.need": "few",  # 19 asked, 20 wanted
        "profile.tier.low.need": "no",  # 16 of 30 is not
    }
    assert said["profile.tier.high.need"][1] == (
        "High: needed most often is Quality-seeking, by 75.0% of 40 (90% interval 61.1% to 85.4%)."
    )


def test_where_no_need_is_known_that_is_told(book):
    labels, ids, words = asked(("high", "", 40))
    answer = profiles.need_told(book, "tier", profiles.needs(labels, ids, words, RULE), RULE)
    assert [f.form for f in answer.findings] == ["absent"]


def test_a_need_that_classes_name_goes_before_the_one_delivered_and_a_customer_may_use_two_channels():
    judged = pd.DataFrame({"customer_id": ["a", "b", "c"], "need": ["personalised", "not_graded", None]})
    customers = pd.DataFrame({"customer_id": ["a", "b"], "need": ["x", "y"], "region": ["r", None]})
    channels = pd.DataFrame({"customer_id": ["a", "a", "z"], "channel": ["web", "shop", "web"]})
    words = profiles.attributes(judged, customers, channels)
    assert sorted(map(tuple, words.to_numpy().tolist())) == [
        ("a", "channel", "shop"),
        ("a", "channel", "web"),
        ("a", "need", "personalised"),
        ("a", "region", "r"),
    ]


def test_numbers_are_what_facts_tell_and_nothing_is_made_up():
    table = builders.facts(
        {"gross": 200, "returned": -50, "net": 150, "profit": 30, "orders": 2},
        {"gross": 0, "returned": 0, "net": 0},
    )
    known = profiles.numbers(table)
    assert known.loc[0, ["returned_share", "profit_margin"]].tolist() == [0.25, 0.2]
    assert known.loc[1, ["returned_share", "profit_margin"]].isna().all()
    labels = pd.Series(["high", "not_graded"])
    middle = profiles.medians(table, labels)
    assert middle[["level", "customers", "net", "orders"]].to_numpy().tolist() == [["high", 1, 150, 2]]


def test_channels_are_those_of_sales_by_as_of(home):
    from crmlib import tables

    client = made(home)
    rows = [
        {"customer": "a", "day": "2024-10-01", "amount": 5, "channel": "web"},
        {"customer": "a", "day": "2024-10-02", "amount": 5, "channel": "shop"},
        {"customer": "a", "day": "2024-10-03", "amount": -5, "channel": "post"},
        {"customer": "b", "day": "2024-10-04", "amount": 5},
        {"customer": "b", "day": "2025-01-04", "amount": 5, "channel": "web"},
    ]
    tables.write(lines(*rows), client.delivery, tables.TRANSACTIONS)
    ledger = pd.DataFrame(
        [dict.fromkeys(tables.LEDGER.schema.names, 0) | {"table": "transactions", "step": "x"}]
    )
    tables.write(ledger, client.delivery, tables.LEDGER)
    found = profiles.channels(client, as_of=builders.day("2024-12-31"))
    assert sorted(zip(found["customer_id"], found["channel"], strict=True)) == [("a", "shop"), ("a", "web")]


def test_no_customers_have_no_traits():
    table, tier, words = firm()
    found = profiles.traits(table.head(0), tier.head(0), words.head(0), RULE)
    assert found.empty
    assert list(found.columns) == profiles.TRAITS
    assert profiles.strongest(found, 3).empty
    assert profiles.medians(table.head(0), tier.head(0)).empty
