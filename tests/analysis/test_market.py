"""How the market knows us: the newest wave, ours beside a rival's, and what is no more than chance."""

import math

import builders
import pandas as pd
import pytest
from builders import day
from scipy import stats

from crmlib import client as clients
from crmlib import tables
from crmlib.analysis import market
from crmlib.cleaning import records
from crmlib.collection import sources


def asked(*rows: tuple) -> pd.DataFrame:
    """Rows of a market survey: day, segment, firm, question, share, how many were asked."""
    names = ["asked_day", "segment", "firm", "question", "answer", "respondents"]
    table = pd.DataFrame(rows, columns=names, dtype=object)
    table["asked_day"] = table["asked_day"].map(day)
    place = {"source_file": "market.csv", "source_row": range(2, len(table) + 2)}
    return table.assign(**place)


def one(*rows: tuple) -> dict:
    (found,) = market.standing(asked(*rows), own="Acme").to_dict("records")
    return found


def test_the_newest_wave_counts_and_the_one_before_stands_beside_it():
    found = one(
        ("2024-06-01", "persons", "us", "awareness", 0.50, 100),
        ("2023-06-01", "persons", "us", "awareness", 0.40, 100),
        ("2022-06-01", "persons", "us", "awareness", 0.10, 100),
    )
    assert (found["share"], found["share_before"], found["n"]) == (0.50, 0.40, 100)
    assert found["asked_on"].isoformat() == "2024-06-01"
    # Wilson's with Newcombe's correction, 50 of 100 at 90 %: (100 + z² − 1 − z √(z² − 2 − 0.01 + 102)) ÷ (200 + 2 z²)
    assert (round(found["share_low"], 4), round(found["share_high"], 4)) == (0.4140, 0.5860)


def test_a_survey_that_calls_us_by_our_name_or_by_none_means_us():
    rows = [
        ("2024-06-01", "a", "Acme", "awareness", 0.5, 90),
        ("2024-06-01", "b", None, "awareness", 0.5, 90),
    ]
    assert market.standing(asked(*rows), own="Acme")["firm"].tolist() == ["own_firm", "own_firm"]


def test_a_score_is_no_share_and_is_left_out():
    assert market.standing(asked(("2024-06-01", "a", "us", "image", 4.2, 90)), own="Acme").empty


def test_a_share_of_nobody_knows_how_many_has_no_interval_and_is_not_judged():
    rows = [
        ("2024-06-01", None, "us", "market_share", 0.1, None),
        ("2024-06-01", None, "B", "market_share", 0.9, None),
    ]
    table = market.standing(asked(*rows), own="Acme")
    assert table["share_low"].isna().all() and table["segment"].eq("whole_market").all()
    assert market.rivals(table)["asked"] == 0
    assert market.figures(table) == {"market.market_share": {"value": 0.1}}


@pytest.mark.parametrize(
    ("before", "now", "n", "way"),
    [(0.40, 0.60, 100, "rose"), (0.60, 0.40, 100, "fell"), (0.50, 0.55, 100, "within_chance")],
)
def test_a_share_moved_only_beyond_chance(before, now, n, way):
    found = one(("2023-06-01", "a", "us", "image", before, n), ("2024-06-01", "a", "us", "image", now, n))
    assert found["move"] == way
    # A second way: the z test of two proportions at 10 % agrees in these clear cases.
    pooled = (before + now) / 2
    z = abs(now - before) / math.sqrt(pooled * (1 - pooled) * 2 / n)
    assert (z > stats.norm.ppf(0.95)) == (way != "within_chance")


def test_the_rival_farthest_before_us_is_named_and_one_within_chance_is_not():
    rows = [
        ("2024-06-01", "persons", "us", "image", 0.50, 200),
        ("2024-06-01", "persons", "B", "image", 0.52, 200),
        ("2024-06-01", "firms", "us", "image", 0.40, 200),
        ("2024-06-01", "firms", "B", "image", 0.70, 200),
        ("2024-06-01", "firms", "us", "awareness", 0.90, 200),
        ("2024-06-01", "firms", "B", "awareness", 0.30, 200),
    ]
    found = market.rivals(market.standing(asked(*rows), own="Acme"))
    assert (found["asked"], found["behind"], found["ahead"]) == (3, 1, 1)
    assert (found["question"], found["segment"], found["firm"]) == ("image", "firms", "B")
    assert (found["share"], found["ours"]) == (0.70, 0.40)


def test_few_people_asked_tell_nothing_of_rivals():
    rows = [("2024-06-01", "a", "us", "image", 0.1, 20), ("2024-06-01", "a", "B", "image", 0.9, 20)]
    assert market.rivals(market.standing(asked(*rows), own="Acme"))["asked"] == 0


def test_without_a_survey_nothing_is_told():
    table = market.standing(None, own="Acme")
    assert table.empty
    assert market.figures(table)["market.awareness"]["why"] == "not supplied"
    assert market.rivals(table)["asked"] == market.moved(table)["told"] == 0


@pytest.fixture(params=range(20))
def surveyed(request, monkeypatch) -> tuple[dict, pd.DataFrame]:
    """One seed's truth of the market, and its survey as it was cleaned."""
    monkeypatch.delenv("CRM_HOME", raising=False)
    maker, client = builders.demo_maker(), clients.load("demo")
    text, meant = maker.beside.market.market(maker.stream(request.param, "market"))
    came = sources.from_text("market", text)
    kept = records.records(came, client, table=tables.MARKET, delivered_on=client.delivered_on, known=None)
    return maker.beside.market.truths(meant), market.standing(kept.kept.to_pandas(), own=client.name)


WORDS = {"品牌知名度": "awareness", "品牌形象": "image", "首选率": "preference", "本行": "own_firm"}


def test_the_demos_newest_wave_is_told_to_the_person(surveyed):
    truth, table = surveyed
    told = table.set_index(["question", "segment", "firm"])
    for segment, firm, question, yes, n in truth["now"]:
        row = told.loc[(WORDS[question], segment, WORDS.get(firm, firm))]
        assert row["n"] == n
        assert round(row["share"], 3) == round(yes / n, 3)  # the survey tells shares to a tenth of a per cent


def test_the_rival_that_large_enterprises_think_better_of_is_found(surveyed):
    truth, table = surveyed
    found = market.rivals(table)
    assert found["behind"] >= 1
    assert (found["segment"], found["firm"]) == (truth["rival_leads"], "华信银行")
