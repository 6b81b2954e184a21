"""Predictions beside what came: what the pictures say, and when there is none."""

import pandas as pd

from crmlib.visualisation import tracks

SHOWN = {
    "title": "Foretold and come",
    "about": "n = 3 customers",
    "heading": lambda column: {"foreseen": "Foretold", "came": "Came"}.get(column, column),
    "show": lambda column, value: f"{value:g}" if isinstance(value, int | float) else str(value),
}


def test_a_track_ends_with_what_was_foretold_and_what_came():
    track = pd.DataFrame({"day": ["May", "June", "July"], "foreseen": [1.0, 4.0, 8.0], "came": [2, 4, 6]})
    chart = tracks.tracks(track, x="day", cut="June", **SHOWN)
    assert chart.alt == "Foretold and come. July: Foretold: 8; Came: 6"
    assert chart.png.startswith(b"\x89PNG")


def test_a_track_of_one_day_is_no_picture():
    track = pd.DataFrame({"day": ["May"], "foreseen": [1.0], "came": [2]})
    assert tracks.tracks(track, x="day", cut="May", **SHOWN) is None
    assert tracks.tracks(track.head(0), x="day", cut="May", **SHOWN) is None


def test_what_came_is_told_beside_what_was_foretold_class_by_class():
    table = pd.DataFrame(
        {
            "kind": ["one", "two"],
            "foreseen": [5.0, 9.0],
            "foreseen_low": [3.0, 7.0],
            "foreseen_high": [7.0, 12.0],
        }
    )
    chart = tracks.foretold(table.assign(came=[4, 13]), label="kind", told="foreseen", came="came", **SHOWN)
    assert chart.alt == "Foretold and come. Foretold: one: 5, Came 4; two: 9, Came 13"
    alone = tracks.foretold(table, label="kind", told="foreseen", **SHOWN)
    assert alone.alt == "Foretold and come. Foretold: one: 5; two: 9"
    nothing = table.assign(foreseen=float("nan"))
    assert tracks.foretold(nothing, label="kind", told="foreseen", **SHOWN) is None


def test_the_same_table_gives_the_same_picture():
    track = pd.DataFrame({"day": ["May", "June"], "foreseen": [1.0, 4.0], "came": [2, 4]})
    one, other = (tracks.tracks(track, x="day", cut="May", **SHOWN) for _ in range(2))
    assert one == other
