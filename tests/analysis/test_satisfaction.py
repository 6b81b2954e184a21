"""What customers say, worked out by hand."""

import pandas as pd
import pytest
from builders import answers

from crmlib.analysis import satisfaction
from crmlib.period import Period

Q3, Q4 = Period.parse("2024-Q3"), Period.parse("2024-Q4")


def said(aspect: str, scores: list[float], date: str = "2024-10-15", who: str = "c"):
    return [(f"{who}{n}", date, aspect, score) for n, score in enumerate(scores)]


def test_satisfaction_is_brought_to_a_hundred_from_the_scales_ends():
    # service: 4 ×10 → 75; product: 2 ×10 → 25; together 50, as asked 3
    found = satisfaction.satisfaction(answers(*said("service", [4] * 10), *said("product", [2] * 10)), Q4)
    assert {id: parts["value"] for id, parts in found.items() if id != "nps.score"} == {
        "satisfaction.mean": 50,
        "satisfaction.mean.raw": 3,
        "satisfaction.service": 75,
        "satisfaction.service.raw": 4,
        "satisfaction.product": 25,
        "satisfaction.product.raw": 2,
    }
    assert found["satisfaction.mean"]["n"] == 20
    assert found["nps.score"] == {"value": None, "n": 0, "why": "no answers in the period"}


def test_scales_that_differ_have_no_common_raw_mean():
    table = answers(*said("service", [4] * 10), *said("product", [2] * 10))
    table.loc[table["aspect"] == "product", ["low", "high"]] = [0, 4]
    found = satisfaction.satisfaction(table, Q4)
    assert "satisfaction.mean.raw" not in found
    assert found["satisfaction.product"]["value"] == 50
    assert found["satisfaction.mean"]["value"] == 62.5


def test_only_known_customers_of_the_period_are_asked():
    table = answers(
        *said("service", [4] * 10),
        *said("service", [1] * 10, "2024-09-30", "d"),
        *said("service", [1], who="x"),
    )
    table.loc[table["customer_id"] == "x0", "known"] = False
    assert satisfaction.satisfaction(table, Q4)["satisfaction.service.raw"]["value"] == 4


def test_a_firm_without_a_survey_knows_nothing_of_satisfaction():
    found = satisfaction.satisfaction(None, Q4)
    assert found["nps.score"] == {"value": None, "n": 0, "why": "not supplied"}
    assert satisfaction.by_group(None, Q4, pd.Series({"c0": "A"}), ["service"]).empty


def test_promoters_less_detractors_is_the_net_promoter_score():
    # 0–6 detract, 7–8 are passive, 9–10 promote: 5 of 20 for, 6 against
    scores = [10, 9, 9, 9, 10, 8, 7, 8, 7, 7, 8, 8, 7, 7, 6, 0, 5, 6, 3, 6]
    found = satisfaction.nps(answers(*said("recommend", scores)))
    assert found["value"] == pytest.approx(-5)
    # Counted as 100, 0, −100: squares about −5 sum to 11 × 100² − 20 × 25 = 109,500. One more who recommends lies
    # 105 above: √((109,500 + 105²) × 20 ÷ 19) = 356.1848; t(19; 0.95) = 1.729133; 21 answers then.
    assert found["high"] == pytest.approx(-5 + (105 + 1.729133 * 356.1848) / 21, abs=1e-3)
    assert found["n"] == 20


def test_a_score_never_leaves_its_scale_and_is_never_certain():
    found = satisfaction.nps(answers(*said("recommend", [10] * 12)))
    assert (found["value"], found["high"]) == (100, 100)
    # The thirteenth may warn, 200 below: √(200² × 12 ÷ 11) = 208.8932; t(11; 0.95) = 1.795885
    assert found["low"] == pytest.approx(100 - (200 + 1.795885 * 208.8932) / 13, abs=1e-3)
    nearly = satisfaction.nps(answers(*said("recommend", [10] * 11 + [5])))
    assert nearly["high"] == 100


def test_a_customer_who_recommends_us_ten_times_is_still_one():
    often = answers(*(("c1", "2024-10-15", "recommend", 10) for _ in range(10)))
    assert satisfaction.nps(often) == {"value": None, "n": 10, "why": "too few"}


def test_nine_answers_are_too_few_for_a_score():
    assert satisfaction.nps(answers(*said("recommend", [10] * 9))) == {
        "value": None,
        "n": 9,
        "why": "too few",
    }


def test_aspects_stand_from_the_worst_to_the_best():
    table = answers(*said("service", [4, 5] * 5), *said("product", [2, 3] * 5), *said("brand", [3] * 3))
    shown = satisfaction.aspects(satisfaction.satisfaction(table, Q4))
    assert shown[["group", "score", "n"]].dropna().values.tolist() == [
        ["product", 37.5, 10],
        ["service", 87.5, 10],
    ]
    assert shown.loc[shown["score"].isna(), ["group", "n"]].values.tolist() == [["brand", 3]]


def regions(now: dict[str, list], before: dict[str, list]):
    place, rows = {}, []
    for date, groups in (("2024-10-15", now), ("2024-08-15", before)):
        for region, scores in groups.items():
            rows += said("after_sales", scores, date, region)
            place |= {f"{region}{n}": region for n in range(len(scores))}
    table, group = answers(*rows), pd.Series(place)
    return (satisfaction.by_group(table, span, group, ["after_sales"]) for span in (Q4, Q3))


def test_a_fall_that_chance_would_not_make_is_found_and_a_wobble_is_not():
    steady, fell = [3, 4, 4, 5] * 10, [1, 2, 2, 3] * 10
    now, before = regions(
        {"north": fell, "south": [3, 4, 4, 4] * 10, "west": steady, "new": steady},
        {"north": steady, "south": steady, "west": fell, "tiny": [5] * 3},
    )
    table = satisfaction.compared(now, before)
    assert satisfaction.fallen(table).tolist() == ["north"]
    shown = table.set_index("group")
    assert shown.loc["north", ["score", "score_before"]].tolist() == [25, 75]
    assert pd.isna(shown.loc["new", "score_before"])


def test_the_margin_is_the_reach_of_the_difference_wide_enough_for_all_groups():
    now = pd.DataFrame(
        {
            "group": ["a", "b"],
            "score": [50.0, 60.0],
            "score_low": [47, 56],
            "score_high": [53.0, 64.0],
            "n": [40, 40],
        }
    )
    before = now.assign(score=[54.0, 60.0], score_low=[50.0, 57.0])
    table = satisfaction.compared(now, before)
    # Now it may be as high, and have been as low: √(3² + 4²) = 5 and √(4² + 3²) = 5; two groups: 1.959964 ÷
    # 1.644854 = 1.191573
    assert table["margin"].tolist() == pytest.approx([5.957865, 5.957865], abs=1e-5)
    assert satisfaction.fallen(table).tolist() == []
    assert satisfaction.fallen(
        satisfaction.compared(now.head(1), before.head(1).assign(score=55.1, score_low=51.1))
    ).tolist() == ["a"]


def test_an_aspect_that_fell_since_a_year_ago_is_named_and_one_that_wobbled_is_not():
    rows = []
    for date, service, product in (("2023-11-01", 4, 4), ("2024-08-01", 4, 3), ("2024-11-01", 2, 4)):
        rows += said("service", [service, service + 1, service - 1] * 20, date)
        rows += said("product", [product, product + 1, product - 1] * 20, date)
    spans = satisfaction.periods(Q4, 5)
    table = satisfaction.course(answers(*rows), spans)
    assert table[["period", "group", "score"]].values.tolist() == [
        ["2024-Q4", "product", 75],
        ["2024-Q4", "service", 25],
        ["2024-Q3", "product", 50],
        ["2024-Q3", "service", 75],
        ["2023-Q4", "product", 75],
        ["2023-Q4", "service", 75],
    ]
    told = satisfaction.since(answers(*rows), Q4, satisfaction.year_ago(Q4))
    assert told == {"both": 2, "moved": True, "rose": ["nothing"], "fell": ["service"]}
    assert satisfaction.since(answers(*rows), Q4, Period.parse("2022-Q4"))["both"] == 0


def test_answers_of_a_few_have_no_course():
    assert satisfaction.course(None, [Q3, Q4]).empty
    assert satisfaction.course(answers(*said("service", [4])), [Q3, Q4]).empty
    assert satisfaction.since(None, Q4, Q3)["moved"] is False


def people(*levels: str, **more) -> pd.DataFrame:
    table = pd.DataFrame({"customer_id": [f"c{n}" for n in range(len(levels))], "satisfaction": levels})
    return table.assign(**(dict.fromkeys(satisfaction.CLASSES, "not_supplied") | more))


def test_the_dissatisfied_are_worth_what_they_brought():
    judged = people("satisfied", "dissatisfied", "dissatisfied", "not_graded")
    facts = pd.DataFrame({"customer_id": judged["customer_id"], "net": [600, 100, 200, 100]})
    table = satisfaction.worth(judged, facts, {"c1", "c3"})
    assert table.values.tolist() == [
        ["satisfied", 1, 0.25, 600, 0.6, 0],
        ["dissatisfied", 2, 0.5, 300, 0.3, 1],
        ["not_graded", 1, 0.25, 100, 0.1, 1],
    ]
    told = satisfaction.lost(table)
    assert (told["asked"], told["dissatisfied"], told["net"]) == (3, 2, 300)
    figures = satisfaction.counted(table)
    assert figures["content.dissatisfied.share"]["value"] == 2 / 3
    assert figures["content.dissatisfied.net"]["value"] == 300
    assert figures["content.neutral.customers"]["value"] == 0


def test_where_nobody_was_asked_nobody_is_dissatisfied_or_content():
    judged = people("not_graded", "not_graded")
    facts = pd.DataFrame({"customer_id": judged["customer_id"], "net": [1, 2]})
    table = satisfaction.worth(judged, facts, set())
    assert table.empty
    assert satisfaction.counted(table)["content.dissatisfied.customers"]["why"] == "not supplied"
    assert satisfaction.lost(table)["asked"] == 0
    assert satisfaction.frequent(satisfaction.spread(judged))["asked"] == 0


def test_what_nobody_knows_of_the_dissatisfied_is_not_nothing():
    judged = people("satisfied", "dissatisfied")
    facts = pd.DataFrame({"customer_id": judged["customer_id"], "net": [None, None]})
    table = satisfaction.worth(judged, facts, None)  # totals tell nothing of a period
    assert table["buyers"].isna().all()
    assert satisfaction.counted(table)["content.dissatisfied.net"]["value"] is None
    assert satisfaction.lost(table)["net"] is None


def test_a_kind_of_customer_that_is_dissatisfied_oftener_is_named_with_its_class():
    judged = people(
        *["dissatisfied"] * 15,
        *["satisfied"] * 5,
        *["satisfied"] * 20,
        behaviour=["churned"] * 20 + ["active"] * 20,
    )
    told = satisfaction.frequent(satisfaction.spread(judged))
    assert (told["above"], told["below"]) == ([["behaviour", "churned"]], [["behaviour", "active"]])
    assert told["asked"] == 40
