"""Cells that are probably wrong are found without labels, and right ones are left alone."""

import random

import builders
import pandas as pd
import pyarrow as pa
import pytest

from crmlib.cleaning import suspicion
from crmlib.collection import sources


def found(**columns: list[str]) -> list[tuple[int, str, str]]:
    """(row, column, kind) of every suspicious cell."""
    cells = suspicion.cells(pa.table({name: pa.array(cells, pa.string()) for name, cells in columns.items()}))
    return list(cells[["row", "column", "kind"]].itertuples(index=False, name=None))


@pytest.mark.parametrize("wrong", ["Hambrug", "Hamburq", "Hambug", "hamburg", "Haamburg"])
def test_a_rare_spelling_of_a_frequent_town_is_a_slip(wrong):
    assert found(town=["Hamburg"] * 9 + [wrong]) == [(9, "town", "typo")]


@pytest.mark.parametrize(
    ("often", "seldom"),
    [
        ("Hamburg", "Bremen"),  # another town
        ("pn-5b", "pn-4b"),  # another number
        ("2401", "2461"),
        ("湖北省分公司", "湖南省分公司"),  # one Chinese character is a word
        ("Anchor Brewing Company", "Asher Brewing Company"),  # firms share their last words
        ("100g 咖啡", "250g 咖啡"),
    ],
)
def test_another_thing_with_a_similar_name_is_no_slip(often, seldom):
    assert found(what=[often] * 9 + [seldom]) == []


def test_names_that_hardly_repeat_are_not_corrected_to_each_other():
    assert (
        found(
            name=["Anderson"] * 6 + ["Andersen", *(f"Family {chr(65 + n)}{chr(97 + n)}x" for n in range(15))]
        )
        == []
    )


def test_an_empty_cell_is_an_exception_only_where_nearly_all_are_filled():
    assert found(town=["Ulm"] * 19 + [""]) == [(19, "town", "missing")]
    assert found(town=["Ulm"] * 10 + [""] * 10) == []


def test_a_word_for_nothing_is_not_a_value():
    assert found(grade=["A"] * 12 + ["N/A"] * 8) == [(row, "grade", "placeholder") for row in range(12, 20)]
    assert found(grade=["甲"] * 18 + ["未知", "无"]) == [
        (18, "grade", "placeholder"),
        (19, "grade", "placeholder"),
    ]


def test_none_that_half_the_customers_answer_is_an_answer():
    assert found(offer=["None"] * 10 + ["Offer A"] * 10) == []


def test_a_person_called_na_is_no_missing_name():
    assert found(name=["NA", "Li Na", "Wu", "He", "Zhao", "Qian"]) == []


def test_a_code_of_another_form_is_seen_among_two_hundred():
    codes = [f"KH{n % 50:04}" for n in range(200)]
    assert found(code=[*codes, "KH00x1"]) == [(200, "code", "pattern")]


def test_units_written_in_several_ways_cannot_be_added_up():
    cells = ["12 oz", "16 oz", "12 oz.", "16 oz.", "12", "16"] * 4
    wrong = [row for row, cell in enumerate(cells) if "oz" in cell]
    assert found(size=cells) == [(row, "size", "unit") for row in wrong]


def test_one_unit_throughout_is_a_way_of_writing():
    assert found(size=["12 oz", "16 oz", "20 oz"] * 8) == []


def test_streets_are_no_units():
    streets = ["Abbey", "Birch", "Cedar", "Dale", "Elm", "Fir", "Glen", "Hill"]
    assert found(street=[f"{n} {street} Road" for n, street in enumerate(streets, start=1)] * 4) == []


def test_a_price_a_hundred_times_the_others_is_an_outlier():
    assert found(price=[f"{20 + n % 9}.50" for n in range(40)] + ["2450.50"]) == [(40, "price", "outlier")]


def test_counters_begin_at_one_and_have_no_outliers():
    assert found(number=[str(n) for n in range(1, 301)]) == []


TOWNS = {
    "Ulm": "South",
    "Kiel": "North",
    "Husum": "North",
    "Passau": "South",
    "Bonn": "West",
    "Essen": "West",
}


def test_a_region_that_its_towns_other_rows_contradict_is_told():
    towns = list(TOWNS) * 5
    regions = [TOWNS[town] for town in towns]
    regions[6] = "West"  # Ulm
    assert found(town=towns, region=regions) == [(6, "region", "dependency")]


def test_columns_that_have_nothing_to_do_with_each_other_decide_nothing():
    chance = random.Random(3)
    towns = [chance.choice(list(TOWNS)) for _ in range(300)]
    grades = [chance.choice("ABC") for _ in range(300)]
    assert found(town=towns, grade=grades) == []


def test_a_rare_value_that_other_columns_confirm_is_no_slip():
    # Ulme is no slip of Ulmen: its own code says so in every row.
    towns = ["Ulmen"] * 40 + ["Ulme"] * 4 + ["Kiel"] * 20 + ["Bonn"] * 20 + ["Essen"] * 20
    codes = ["56766"] * 40 + ["31008"] * 4 + ["24103"] * 20 + ["53111"] * 20 + ["45127"] * 20
    assert found(town=towns, code=codes) == []
    assert found(town=towns)[:1] == [(40, "town", "typo")]


def test_a_state_that_slipped_into_the_town_is_seen_in_both_cells():
    towns = ["Portland", "Salem", "Boise", "Eugene"] * 10 + ["Portland OR"]
    states = ["OR", "OR", "ID", "OR"] * 10 + [""]
    assert found(town=towns, state=states) == [(40, "town", "two-fields"), (40, "state", "missing")]


def test_the_order_of_rows_changes_nothing():
    chance = random.Random(5)
    towns = list(TOWNS) * 8 + ["Husun", ""]
    regions = [TOWNS.get(town, "North") for town in towns]
    regions[3] = "North"
    rows = list(zip(towns, regions, strict=True))
    straight = sorted((rows[row], column, kind) for row, column, kind in found(town=towns, region=regions))
    chance.shuffle(rows)
    turned = found(town=[t for t, _ in rows], region=[r for _, r in rows])
    assert sorted((rows[row], column, kind) for row, column, kind in turned) == straight
    assert len(straight) == 3


@pytest.mark.parametrize("cells", [[], [""], ["Ulm"], ["", ""], ["1"], [None, "x"]])
def test_a_table_of_hardly_anything_holds_nothing_suspicious(cells):
    assert found(town=cells, other=cells) == []


CONFIG = (
    builders.LINES
    % "customer_id: customer, name: called, ordered_at: day, amount: paid, product: what, region: area"
)


def test_a_notebook_is_told_how_many_and_never_shows_a_cell(home):
    rows = [f"c{n % 7},Li,2024-10-{1 + n % 9:02},5,Coffee,South" for n in range(30)]
    rows[4] = rows[4].replace("Coffee", "Cofee")
    rows[5] = rows[5].replace("South", "N/A")
    rows[6] = rows[6].replace("Li", "L")
    content = "\n".join(["customer,called,day,paid,what,area", *rows])
    client = builders.made(home, CONFIG, {"orders.csv": content})
    table = suspicion.suspicious(sources.delivery(client), client)
    assert table.drop(columns="share").values.tolist() == [
        ["transactions", "area", "placeholder", 1, "N/·", "stands for nothing"],
        ["transactions", "what", "typo", 1, "C····", "Coffee stands 29 times"],
    ]
    assert table["share"].tolist() == [1 / 30, 1 / 30]


@pytest.mark.parametrize(("name", "least"), [("hospital", 0.9), ("beers", 0.9)])
def test_most_of_the_wrong_cells_of_a_public_table_are_found(shared, name, least):
    folder = shared / "corpora" / "raha" / name
    dirty, clean = (
        pd.read_csv(folder / f"{twin}.csv", dtype=str, keep_default_na=False) for twin in ("dirty", "clean")
    )
    wrong = {(row, c) for at, c in enumerate(dirty) for row in dirty.index[dirty[c] != clean.iloc[:, at]]}
    assert len(wrong) == {"hospital": 509, "beers": 4362}[name]
    cells = suspicion.cells(pa.Table.from_pandas(dirty, preserve_index=False))
    flagged = set(zip(cells["row"], cells["column"], strict=True))
    hits = len(wrong & flagged)
    assert min(hits / len(flagged), hits / len(wrong)) >= least
