"""The mapping panel without a browser: values set as a hand would set them, buttons pressed by code."""

import datetime as dt

import pytest

from crmlib import client as clients
from crmlib.workbook import panel

UPLOADED = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
LINES = "订单编号,会员编号,成交时间,商品名称,备注,实付金额\n" + "".join(
    f"A{n},K{n % 3},2024-01-{n + 1:02d},茶,好,{n}.5\n" for n in range(9)
)


@pytest.fixture
def acme(home):
    raw = home.root / "data" / "acme" / "raw"
    raw.mkdir(parents=True)
    (raw / "orders.csv").write_text(LINES, "utf-8")
    return panel.Mapping("acme")


def press(made: panel.Mapping, label: str) -> str:
    (button,) = [b for b in made.box.children[2].children if b.description == label]
    button.click()
    return made.said.value


def shown(made: panel.Mapping, column: str) -> list[str]:
    (row,) = [
        row
        for row in made.grid.children
        if getattr(row, "children", [None])[0] is made.rows["transactions", column]
    ]
    return [part.value for part in row.children]


def test_nothing_is_read_before_a_button_is_pressed(home):
    (home.root / "data" / "acme").mkdir()
    assert panel.mapping("acme") is not None
    assert press(panel.Mapping("acme"), "Save") == "Look at the files first."
    assert press(panel.Mapping("acme"), "Look at the files") == "data/acme/raw holds no file yet. Add one."


def test_guesses_are_shown_with_their_confidence_and_people_masked(acme):
    press(acme, "Look at the files")
    assert shown(acme, "order_id") == ["订单编号", "94 %: by its name; 9 different values", "A0 · A1 · A2"]
    assert shown(acme, "customer_id") == ["会员编号", "94 %: by its name; 3 different values", "•• · •• · ••"]


def test_saving_writes_the_yaml_that_the_batch_reads(acme):
    press(acme, "Look at the files")
    acme.rows["transactions", "product_group"].value = "备注"
    acme.rows["transactions", "product"].value = panel.NONE
    acme.settings["currency"].value = "USD"
    assert press(acme, "Save") == "data/acme/client.yml saved; it is complete."
    client = clients.load("acme")
    assert client.currency == "USD"
    assert client.tables.transactions.columns == {
        "customer_id": "会员编号",
        "order_id": "订单编号",
        "ordered_at": "成交时间",
        "amount": "实付金额",
        "product_group": "备注",
    }
    text = client.config.read_text("utf-8")
    assert "      customer_id: 会员编号  # 94 %: by its name; 3 different values" in text.splitlines()
    assert "currency: USD # chosen by hand" in text.splitlines()


def test_comments_of_a_file_that_was_there_are_kept_and_undo_brings_it_back(acme):
    before = (
        "name: Acme  # the firm\ncurrency: CNY\n# what we sell\ntables:\n  transactions:\n    files: [orders.csv]\n"
        "    columns:\n      ordered_at: 成交时间  # paid, not ordered\n      amount: 实付金额\n"
    )
    acme.config.write_text(before, "utf-8")
    press(acme, "Look at the files")
    acme.rows["transactions", "customer_id"].value = "会员编号"
    press(acme, "Save")
    assert acme.config.read_text("utf-8") == before + "      customer_id: 会员编号 # chosen by hand\n"
    press(acme, "Undo")
    assert acme.config.read_text("utf-8") == before
    press(acme, "Undo")
    assert "chosen by hand" in acme.config.read_text("utf-8")


def test_a_good_file_is_never_replaced_by_one_that_is_not(acme):
    press(acme, "Look at the files")
    press(acme, "Save")
    good = acme.config.read_text("utf-8")
    acme.rows["transactions", "amount"].value = panel.NONE
    said = press(acme, "Save")
    assert said == "Not saved. transactions needs amount and ordered_at or ordered_at and price."
    acme.settings["currency"].value = "yuan"
    assert press(acme, "Save").startswith("Not saved. data/acme/client.yml, line 3: currency:")
    assert acme.config.read_text("utf-8") == good


def test_a_file_changed_meanwhile_is_left_alone(acme):
    press(acme, "Look at the files")
    press(acme, "Save")
    acme.config.write_text(acme.config.read_text("utf-8") + "unit: month\n", "utf-8")
    assert (
        press(acme, "Save") == "data/acme/client.yml was changed meanwhile and is left as it is. Look again."
    )


def test_an_added_file_lies_in_raw_and_overwrites_none(acme):
    file = {
        "name": "../people.csv",
        "type": "text/csv",
        "size": 3,
        "content": b"a,b",
        "last_modified": UPLOADED,
    }
    acme.upload.value = ({**file},)
    assert (acme.folder / "raw" / "people.csv").read_bytes() == b"a,b"
    acme.upload.value = ({**file, "name": "orders.csv"},)
    assert acme.said.value == "data/acme/raw/orders.csv exists already and is left as it is."
    assert (acme.folder / "raw" / "orders.csv").read_text("utf-8") == LINES
