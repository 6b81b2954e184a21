"""What campaigns reached and brought: by hand."""

import pandas as pd
import pytest
from builders import day

from crmlib import tables
from crmlib.analysis import campaigns
from crmlib.period import Period

Q4 = Period.parse("2024-Q4")


def told(*rows: tuple) -> pd.DataFrame:
    """Campaigns from (day, channel, reach, engagement, conversions, cost)."""
    names = ["began_day", "channel", "reach", "engagement", "conversions", "cost"]
    full = [
        dict.fromkeys(tables.CAMPAIGNS.schema.names)
        | dict(zip(names, (day(row[0]), *row[1:]), strict=True))
        | {"campaign": f"k{n}"}
        for n, row in enumerate(rows)
    ]
    table = pd.DataFrame(full, columns=tables.CAMPAIGNS.schema.names)
    return tables.conform(table, tables.CAMPAIGNS).to_pandas()


def test_reach_engagement_effect_and_cost_by_platform_beside_the_previous_period():
    rows = told(
        ("2024-10-01", "WeChat", 1000, 100, 20, 4000),
        ("2024-11-01", "WeChat", 500, 50, 10, 2000),
        ("2024-10-01", "Weibo", 2000, 20, 2, 900),
        ("2024-07-01", "WeChat", 1000, 10, 1, 1),
        ("2024-09-30", "Weibo", 4000, 10, 1, 1),
    )
    figures = {id.removeprefix("campaigns."): f["value"] for id, f in campaigns.figures(rows, Q4).items()}
    assert figures == {
        "reach": 3500,
        "engagement": 170,
        "conversions": 32,
        "cost": 6900,
        "engaged": 170 / 3500,
        "converted": 32 / 170,
        "conversion.cost": 6900 / 32,
    }
    table = campaigns.by_channel(rows, Q4).set_index("channel")
    assert list(table.index) == ["Weibo", "WeChat"]
    assert table.loc["WeChat", ["campaigns", "reach", "conversion_cost", "change"]].tolist() == [
        2,
        1500,
        200,
        0.5,
    ]
    assert pd.isna(table.loc["Weibo", "conversion_cost"])  # two conversions are too few
    moved = campaigns.moved(table.reset_index())
    assert (moved["grew"], moved["fell"], moved["fall"]) == (["WeChat"], ["Weibo"], 0.5)


def test_what_platforms_do_not_count_is_not_supplied_and_never_nothing():
    none = campaigns.figures(None, Q4)
    assert {figure["why"] for figure in none.values()} == {"not supplied"}
    early = campaigns.figures(told(("2024-07-01", "WeChat", 1, 1, 1, 1)), Q4)
    assert early["campaigns.reach"]["why"] == "no campaign began in the period"
    bare = campaigns.figures(told(("2024-10-01", None, None, None, None, 50)), Q4)
    assert bare["campaigns.cost"] == {"value": 50, "n": 1}
    assert {bare[f"campaigns.{name}"]["why"] for name in ("reach", "engaged", "conversion.cost")} == {
        "not supplied"
    }
    assert campaigns.by_channel(None, Q4).empty
    assert campaigns.moved(campaigns.by_channel(None, Q4))["platforms"] == 0


def test_more_engagement_than_reach_is_no_share():
    odd = campaigns.figures(told(("2024-10-01", "WeChat", 10, 30, 1, 5)), Q4)["campaigns.engaged"]
    assert (odd["value"], odd["why"]) == (None, "more engagement than reach")


def test_a_platform_without_a_name_is_unknown():
    table = campaigns.by_channel(told(("2024-10-01", None, 10, 3, 0, 5)), Q4)
    assert table["channel"].tolist() == ["unknown"]
    assert table["converted"].tolist() == pytest.approx([0])
