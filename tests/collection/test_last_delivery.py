"""A delivery is held against the last one: units, columns, rows, ids and what is filled."""

import datetime as dt
import json
import random
import subprocess

import builders
import pytest

from crmlib import client as clients
from crmlib.collection import profile, sources
from crmlib.rules import Quality

CONFIG = """\
name: Acme
currency: CNY
delivered_on: {day}
tables:
  transactions:
    files: [orders.csv]
    columns: {{order_id: order, customer_id: customer, ordered_at: day, amount: paid}}
"""
PRICES = [120, 80, 99, 150, 200, 110, 95, 130, 70, 180]  # in yuan; the middle one is 115


def orders(factor=1, rows=10, start=1, header="order,customer,day,paid", note=None) -> str:
    lines = [header + (",note" if note is not None else "")]
    for n in range(rows):
        cells = [
            f"A{n}",
            f"{n:05}",
            f"2024-{start + n % 3:02}-{1 + n % 28:02}",
            f"{PRICES[n % 10] * factor:g}",
        ]
        lines.append(",".join(cells + ([note(n)] if note is not None else [])))
    return "\n".join(lines) + "\n"


def delivery(home, content: str, day: str = "2025-01-06"):
    """A delivery collected as step 01 does it: its profile, and the one it is held against."""
    client = builders.made(home, CONFIG.format(day=day), {"orders.csv": content})
    now = profile.profile(sources.delivery(client), client, delivered_on=client.delivered_on)
    before = profile.last(client, now)
    profile.kept(client, now)
    return now, profile.compared(now, before, Quality())


def found(table) -> list[tuple]:
    """Findings beside the rows of each table."""
    return list(
        table.loc[table["finding"] != "rows", ["header", "finding"]].itertuples(index=False, name=None)
    )


def test_a_first_delivery_has_nothing_to_be_compared_with(home):
    assert delivery(home, orders())[1].empty


@pytest.mark.parametrize(
    ("unit", "factor", "middle"),
    [("fen", 100, 11_500), ("wan yuan", 0.0001, 0.0115)],
)
def test_yuan_that_come_as_fen_or_wan_yuan_are_a_change_of_unit(home, unit, factor, middle):
    delivery(home, orders())
    _, table = delivery(home, orders(factor, rows=12, start=2), "2025-02-06")
    line = table[table["finding"] == "unit-change"].iloc[0]
    assert (line["table"], line["header"], line["last"]) == ("transactions", "paid", 115)
    assert line["now"] == pytest.approx(middle, rel=0.2)


def test_prices_that_rose_by_a_tenth_are_no_change_of_unit(home):
    delivery(home, orders())
    assert ("paid", "unit-change") not in found(delivery(home, orders(1.1), "2025-02-06")[1])


def test_the_same_delivery_again_gives_the_same_answer_and_is_not_compared_with_itself(home):
    delivery(home, orders())
    first = delivery(home, orders(100), "2025-02-06")[1]
    again = delivery(home, orders(100), "2025-02-06")[1]
    assert ("paid", "unit-change") in found(first)
    assert again.equals(first)


def test_a_first_delivery_collected_twice_still_has_nothing_to_be_compared_with(home):
    delivery(home, orders())
    assert delivery(home, orders())[1].empty


def test_the_very_same_files_on_a_later_day_are_said_to_be_the_same(home):
    delivery(home, orders())
    assert found(delivery(home, orders(), "2025-02-06")[1]) == [("", "same-files")]


def test_an_older_delivery_that_comes_late_is_not_held_against_a_newer_one(home):
    delivery(home, orders(), "2025-03-01")
    assert delivery(home, orders(100), "2025-01-06")[1].empty


def test_two_deliveries_of_one_day_are_compared_in_the_order_they_came(home):
    delivery(home, orders())
    assert ("paid", "unit-change") in found(delivery(home, orders(100))[1])
    assert delivery(home, orders())[1].empty


def test_columns_that_come_and_go_are_named(home):
    delivery(home, orders(note=lambda n: "x"))
    content = orders(note=lambda n: "x").replace(",note", ",remark")
    assert found(delivery(home, content, "2025-02-06")[1])[:2] == [
        ("note", "vanished-column"),
        ("remark", "new-column"),
    ]


def test_a_header_in_other_letters_is_the_same_column(home):
    delivery(home, orders(note=lambda n: "x"))
    content = orders(note=lambda n: "x").replace(",note", ",Note")
    assert [f for _, f in found(delivery(home, content, "2025-02-06")[1])] == ["nothing-newer"]


def test_ids_that_lost_their_leading_zeros_are_told(home):
    delivery(home, orders(rows=20))
    lines = orders(rows=20).splitlines()
    bare = [
        ",".join([c.lstrip("0") or "0" if at == 1 else c for at, c in enumerate(line.split(","))])
        for line in lines
    ]
    _, table = delivery(home, "\n".join(bare) + "\n", "2025-02-06")
    line = table[table["finding"] == "zeros-lost"].iloc[0]
    assert (line["header"], line["last"], line["now"]) == ("customer", 5, 1)


def test_a_column_that_is_suddenly_half_empty_is_told(home):
    delivery(home, orders(rows=200, note=lambda n: "x"))
    _, table = delivery(home, orders(rows=200, note=lambda n: "x" if n % 2 else "N/A"), "2025-02-06")
    line = table[table["finding"] == "emptier"].iloc[0]
    assert (line["header"], line["last"], line["now"], line["change"]) == ("note", 1, 0.5, -0.5)


def test_two_empty_cells_of_ten_more_are_chance(home):
    delivery(home, orders(note=lambda n: "x"))
    assert ("note", "emptier") not in found(
        delivery(home, orders(note=lambda n: "x" if n > 1 else ""), "2025-02-06")[1]
    )


def test_a_history_that_begins_later_and_shrinks_is_told(home):
    delivery(home, orders(rows=100))
    _, table = delivery(home, orders(rows=60, start=2), "2025-02-06")
    assert found(table) == [("", "history-cut"), ("", "rows-fewer")]
    fewer = table[table["finding"] == "rows-fewer"].iloc[0]
    assert (fewer["last"], fewer["now"], fewer["change"]) == (100, 60, -0.4)


def test_every_table_says_how_its_rows_grew(home):
    delivery(home, orders(rows=100))
    _, table = delivery(home, orders(rows=110, start=1), "2025-02-06")
    rows = table[table["finding"] == "rows"].iloc[0]
    assert (rows["last"], rows["now"], round(rows["change"], 9)) == (100, 110, 0.1)


def test_the_order_of_rows_never_matters(home):
    straight, _ = delivery(home, orders(rows=50))
    header, *lines = orders(rows=50).splitlines()
    random.Random(7).shuffle(lines)
    shuffled, _ = delivery(home, "\n".join([header, *lines]) + "\n")
    for one in (straight, shuffled):  # the files differ; what is in them does not
        one.pop("fingerprint"), one["tables"]["transactions"].pop("files")
    assert shuffled == straight


def test_no_cell_of_a_delivery_can_be_read_from_its_profile(home):
    names = ["王小明", "Erika Mustermann", "13800138000"]
    content = orders(note=lambda n: names[n % 3])
    delivery(home, content)
    text = "".join(p.read_text("utf-8") for p in (home / "data/acme/deliveries").iterdir())
    assert [name for name in [*names, "00003", "A3", "1.38e", "13800"] if name in text] == []


def test_a_telephone_number_has_no_middle(home):
    content = orders(note=lambda n: f"1380013{n:04}").replace(",note", ",联系电话")
    now, _ = delivery(home, content)
    assert "median" not in now["tables"]["transactions"]["columns"]["联系电话"]


def test_a_damaged_profile_stops_nothing(home):
    delivery(home, orders())
    (home / "data/acme/deliveries/2025-01-01-abc.json").write_text("{")
    assert ("paid", "unit-change") in found(delivery(home, orders(100), "2025-02-06")[1])


def test_profiles_are_kept_by_day_and_fingerprint_and_outlive_what_can_be_made_again(home):
    now, _ = delivery(home, orders())
    (path,) = (home / "data/acme/deliveries").iterdir()
    assert path.name == f"2025-01-06-{now['fingerprint'][:12]}.json"
    assert json.loads(path.read_text("utf-8"))["delivered_on"] == dt.date(2025, 1, 6).isoformat()
    root = clients.Path(clients.__file__).resolve().parent.parent
    clean = (root / "Makefile").read_text("utf-8").split("clean:")[1].split("\n\n")[0]
    assert "built" in clean and "deliveries" not in clean


@pytest.mark.parametrize("client", ["demo", "acme"])
def test_git_never_sees_a_profile(client):
    root = clients.Path(clients.__file__).resolve().parent.parent
    asked = subprocess.run(
        ["git", "check-ignore", "-q", f"data/{client}/deliveries/2025-01-06-abc.json"], cwd=root, check=False
    )
    if asked.returncode > 1:
        pytest.skip("not a git checkout")
    assert asked.returncode == 0
