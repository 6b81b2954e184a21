"""How a change is told: figures, steps, three causes and the segment that moved apart."""

import builders
import numpy as np
import pandas as pd
import pytest

from crmlib.analysis import because, chance, change, drill, explained, tallies
from crmlib.analysis.tally import Tally
from crmlib.findings import Book
from crmlib.period import Period

SPANS = (Period.parse("2024-Q4"), Period.parse("2024-Q3"))
MIX = {"mix": "answered_mix", "rate": "answered_rate", "new": "answered_new", "lost": "answered_lost"}


@pytest.fixture
def book(acme):
    return Book("05-analysis-performance", acme, SPANS[0])


def people(*groups: str, attribute: str = "region") -> pd.DataFrame:
    """Customers 0, 1, 2 … of these regions."""
    return pd.DataFrame({"customer_id": [str(n) for n in range(len(groups))], attribute: groups})


def sales(then: dict, now: dict, customers: pd.DataFrame) -> Tally:
    """Customer → orders and money in the smallest unit."""
    sides = [
        pd.DataFrame([(who, *row) for who, row in part.items()], columns=["customer_id", "orders", "gross"])
        for part in (now, then)
    ]
    return tallies.sales(*sides, customers)


def rated(then: list[tuple], now: list[tuple]) -> Tally:
    """Respondent, region, points of one answer."""
    sides = [pd.DataFrame(part, columns=["unit", "region", "value"]).assign(weight=1) for part in (then, now)]
    return Tally("satisfaction.mean", *sides, MIX, "answers", "surveys", sampled=True)


# Of customers 0 and 1: 100 and 40 then; 0 pays 200 for twice as many orders, 1 is gone, 2 came with 10.
BOUGHT = sales({"0": (1, 10000), "1": (1, 4000)}, {"0": (2, 20000), "2": (1, 1000)}, people("x", "y", "y"))


def test_the_steps_lead_from_then_to_now():
    steps = explained.steps(explained.explained(BOUGHT, "region"), ("Q3", "Q4"))
    assert steps["part"].tolist()[0] == "Q3"
    assert steps["part"].tolist()[-1] == "Q4"
    assert steps["moved"].astype(object).where(steps["moved"].notna(), None).tolist() == [
        None,
        10000,
        0,
        0,
        1000,
        -4000,
        None,
    ]
    assert steps["so_far"].tolist() == [14000, 24000, 24000, 24000, 25000, 21000, 21000]


def test_figures_are_in_the_measures_own_unit_and_leave_nothing_over(book):
    book.take(explained.figures(explained.explained(BOUGHT, "region")))
    told = {id.removeprefix("change.sales.identified."): f for id, f in book.figures.items()}
    assert {id: f["value"] for id, f in told.items()} == {
        "volume": 100,
        "mix": 0,
        "rate": 0,
        "new": 10,
        "lost": -40,
        "residual": 0,
    }
    assert {f["unit"] for f in told.values()} == {"money"}


def test_three_causes_are_three_findings_the_first_among_the_answers(book):
    found = explained.explained(BOUGHT, "region")
    answer = because.told(book, found, "2024-Q3")
    assert [f.id for f in answer.findings] == [f"because.sales.identified.{n}" for n in (1, 2, 3)]
    assert [f.form for f in answer.findings] == ["yes", "no", "yes"]
    assert [f.aside for f in answer.findings] == [False, True, True]
    assert answer.findings[1].sentence == (
        "Identified sales, CN¥140.00 in 2024-Q3 and CN¥210.00 now, was lowered by (cause 2): "
        "Bought then but not now, -CN¥40.00."
    )


def test_where_nothing_else_moved_there_is_no_further_cause(book):
    tally = sales({"0": (1, 10000)}, {"0": (2, 20000)}, people("x"))
    answer = because.told(book, explained.explained(tally, "region"), "2024-Q3")
    assert [f.form for f in answer.findings] == ["yes", "few", "few"]
    assert answer.findings[1].sentence.endswith("has no cause 2: nothing else moved it.")


def test_all_of_one_kind_have_no_mix_and_where_nobody_stayed_only_who_came_and_left_is_told():
    one = explained.figures(explained.explained(sales({"0": (1, 5)}, {"0": (1, 6)}, people("x")), "region"))
    assert one["change.sales.identified.mix"] == {"value": None, "n": 0, "why": "all are of one kind"}
    none = explained.figures(
        explained.explained(sales({"0": (1, 5)}, {"1": (1, 6)}, people("x", "y")), "region")
    )
    told = {id.split(".")[-1]: figure for id, figure in none.items()}
    assert {part: f["value"] for part, f in told.items() if f["value"] is not None} == {
        "new": 6,
        "lost": -5,
        "residual": 0,
    }
    assert told["rate"]["why"] == "nobody was there in both periods"


def test_an_attribute_that_nobody_knows_gives_way_to_one_that_is_known():
    found = explained.explained(BOUGHT, "industry")
    assert found.by == "region"
    assert set(found.parts["group"]) == {"x", "y"}


def test_why_nothing_can_be_told_is_told(book):
    found = explained.explained(tallies.satisfaction(None, SPANS, people("x")), "region")
    answer = because.told(book, found, "2024-Q3")
    assert [f.form for f in answer.findings] == ["absent"]
    assert answer.findings[0].sentence == (
        "Satisfaction: nobody can say what moved it since 2024-Q3: not supplied."
    )
    told = because.segment(book, found, drill.drill(found.tally), "2024-Q3")
    assert (told.form, told.sentence) == (
        "absent",
        "Satisfaction: nobody can say which segment moved it since 2024-Q3: not supplied.",
    )


def noisy(seed: int, n: int = 400, fall: int = 0) -> Tally:
    """Answers of 0–100 about 60, half of the respondents asked twice; region a's fall by so much."""
    dice = np.random.default_rng(seed)
    sides = []
    for nth, first in ((0, 0), (1, n // 2)):
        names = [str(n) for n in range(first, first + n)]
        region = ["abcdefgh"[int(name) % 8] for name in names]
        points = dice.integers(1, 6, n) * 25 - 25
        lower = [fall if nth and r == "a" else 0 for r in region]
        sides.append(list(zip(names, region, (points - lower).tolist(), strict=True)))
    return rated(*sides)


def test_a_change_no_larger_than_chance_has_no_cause(book):
    found = explained.explained(noisy(1), "region")
    answer = because.told(book, found, "2024-Q3")
    small = [f for f in answer.findings if "no more than chance would do" in f.sentence]
    assert len(small) >= 2


def test_an_interval_of_a_part_is_that_of_a_bootstrap():
    # Another way to the same: units drawn anew 150 times, each with all its answers; the jackknife needs no dice.
    tally = noisy(3, n=120)
    sides = [side.assign(group=side["region"]) for side in tally.sides]
    found = chance.part_intervals(*sides)
    names = np.array(sorted(set(sides[0]["unit"]) | set(sides[1]["unit"]), key=int))
    dice, drawn = np.random.default_rng(5), []
    held = [side.set_index("unit") for side in sides]
    for _ in range(150):
        again = names[dice.integers(0, len(names), len(names))]
        parts = []
        for side in held:
            named = pd.DataFrame({"old": again, "unit": [f"u{n}" for n in range(len(again))]})
            parts.append(named[named["old"].isin(side.index)].join(side, on="old"))
        drawn.append(change.ratio(*parts)[["mix", "rate", "new", "lost"]].sum())
    spread = pd.DataFrame(drawn).std() * 1.645
    for part, (low, high) in ((p, found[p]) for p in ("mix", "rate", "new", "lost")):
        # 150 draws know a spread to 6 %; four spreads may lie twice as far off, and leaving one out is no drawing anew.
        assert (high - low) / 2 == pytest.approx(spread[part], rel=0.2)


def test_the_jackknifes_parts_are_those_of_the_fractions():
    sides = [side.assign(group=side["region"]) for side in noisy(4, n=60).sides]
    exact, bounds = change.ratio(*sides), chance.part_intervals(*sides)
    for part in ("mix", "rate", "new", "lost", "change"):
        assert sum(bounds[part]) / 2 == pytest.approx(exact[part].sum(), abs=1e-9)


def test_too_few_units_have_no_interval_and_no_cause(book):
    tally = rated([("a", "x", 10), ("b", "y", 90)], [("a", "x", 90), ("b", "y", 90)])
    answer = because.told(book, explained.explained(tally, "region"), "2024-Q3")
    assert answer.findings[0].sentence == (
        "Satisfaction: too few answers in 2024-Q3 or now to say what moved it."
    )


# --- the segment that moved apart ---


def test_the_region_that_fell_is_found_and_the_others_are_its_measure(book):
    tally = noisy(7, fall=40)
    drilled = drill.drill(tally)
    assert drilled.path == [("region", "a")]
    table = drill.shown(tally, drilled)
    assert table["region"].tolist()[0] == "a"
    whole = change.ratio(*(side.assign(group=side["region"]) for side in tally.sides))
    assert table["moved"].sum() == pytest.approx(whole["change"].sum())
    told = because.segment(book, explained.explained(tally, "region"), drilled, "2024-Q3")
    assert told.form == "yes"
    assert "Region a, from" in told.sentence


def test_where_all_fall_alike_no_segment_is_named(book):
    then, now = (list(side[["unit", "region", "value"]].itertuples(index=False)) for side in noisy(8).sides)
    lower = [(who, region, points - 40) for who, region, points in now]
    drilled = drill.drill(rated(then, lower))
    assert drilled.path == []
    told = because.segment(book, explained.explained(rated(then, lower), "region"), drilled, "2024-Q3")
    assert told.form == "no"


def test_within_the_segment_the_next_attribute_is_tried():
    rows = [[], []]
    for n in range(480):
        region, kind = "ab"[n % 2], "pqr"[n % 3]
        base = 50 + n % 5
        rows[0].append((str(n), region, kind, base))
        rows[1].append(
            (str(n), region, kind, base - 40 * (region == "a" and kind == "p") - 5 * (region == "a"))
        )
    sides = [
        pd.DataFrame(part, columns=["unit", "region", "industry", "value"]).assign(weight=1) for part in rows
    ]
    tally = Tally("satisfaction.mean", *sides, MIX, "answers", "surveys", sampled=True)
    assert drill.drill(tally).path == [("region", "a"), ("industry", "p")]


def test_a_fall_of_one_aspect_in_one_place_is_found_though_neither_alone_stands_out():
    dice, said = np.random.default_rng(2), []
    places = ["abcdefghij"[n % 10] for n in range(600)]
    for n in range(600):
        for aspect in ("product", "service", "after_sales"):
            for day, later in (("2024-08-01", False), ("2024-11-01", True)):
                fell = later and aspect == "after_sales" and places[n] == "c"
                said.append((str(n), day, aspect, int(dice.integers(1, 4 if fell else 6))))
    tally = tallies.satisfaction(builders.answers(*said), SPANS, people(*places))
    assert set(drill.drill(tally).path) == {("aspect", "after_sales"), ("region", "c")}


def test_the_segment_whose_sales_left_the_others_behind_is_found():
    dice = np.random.default_rng(3)
    groups = ["abcd"[n % 4] for n in range(400)]
    then = {str(n): (1, int(dice.integers(50, 150))) for n in range(400)}
    now = {who: (1, int(dice.integers(50, 150)) // (3 if groups[int(who)] == "b" else 1)) for who in then}
    tally = sales(then, now, people(*groups))
    drilled = drill.drill(tally)
    assert drilled.path == [("region", "b")]
    table = drill.shown(tally, drilled).set_index("region")
    # What a group moved is a sum of whole money, by hand.
    for group in "abcd":
        own = [who for who in then if groups[int(who)] == group]
        assert table.loc[group, "moved"] == sum(now[who][1] - then[who][1] for who in own)


def test_tiny_groups_the_unknown_and_lists_of_names_are_no_segments():
    then = [(str(n), "few" if n < 9 else "many" if n < 100 else "unknown", n % 7) for n in range(200)]
    assert drill.segments(*(side for side in rated(then, then).sides), "region")["group"].tolist() == ["many"]
    names = [(str(n), f"street {n % 41}", n % 7) for n in range(900)]
    assert drill.segments(*(side for side in rated(names, names).sides), "region").empty


def test_without_an_attribute_there_is_nothing_to_drill_by():
    drilled = drill.drill(sales({"0": (1, 5)}, {"0": (1, 6)}, pd.DataFrame({"customer_id": ["0"]})))
    assert drilled.why == "no attribute is known that it could be drilled by"


def test_where_nothing_happened_a_segment_is_named_as_seldom_as_promised():
    # Eight regions of nothing but noise, 200 times: 5 % are 10; more than 18 has a chance of .5 %.
    alarms = sum(bool(drill.drill(noisy(seed)).path) for seed in range(200))
    assert alarms <= 18


def test_the_group_that_carries_a_counted_change_is_named_only_where_one_does(book):
    found = explained.explained(BOUGHT, "region")
    told = because.carrier(book, found, "2024-Q3")
    assert told.sentence == (
        "Identified sales: most of what moved since 2024-Q3 lies with x (Region): CN¥100.00, 76.9% of all ups and downs."
    )
    even = sales({"0": (1, 10), "1": (1, 10)}, {"0": (1, 20), "1": (1, 0)}, people("x", "y"))
    assert because.carrier(book, explained.explained(even, "region"), "2024-Q3").form == "no"
