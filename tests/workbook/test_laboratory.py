"""The threshold laboratory without a browser: sliders set by code as a hand would, buttons pressed by code."""

import builders
import pytest

from crmlib import client as clients
from crmlib import tables
from crmlib.classification import classes, facts, rfm, stated, trial
from crmlib.classification.beside import beside
from crmlib.period import Period
from crmlib.workbook import laboratory

SPAN = Period.parse("2024-Q4")
LAST = SPAN.day_range[1]
ABOUT = """\
classes:   # our own words
  loyalty:
    # a 9 counts as a promoter too
    recommend: {high: 9, medium: 7}

# how often we look
quality:
  fresh_days: 40
"""
CUT = "classes.tier.cuts.high"


@pytest.fixture
def firm(home):
    """Fifty customers; customer n has n % 6 + 1 orders of n² each, the last of them ten days per n ago."""
    client = home.client("firm", more=ABOUT)
    lines = [
        {
            "customer": f"k{n:02d}",
            "day": f"2024-{1 + (n + 2 * k) % 12:02d}-{1 + n % 28:02d}",
            "amount": 1000 * n * n,
        }
        for n in range(1, 51)
        for k in range(n % 6 + 1)
    ]
    tables.write(builders.lines(*lines), client.delivery, tables.TRANSACTIONS)
    return client


def of(client) -> laboratory.Laboratory:
    return laboratory.Laboratory(client.id, SPAN, lambda c: trial.of_client(c, as_of=LAST))


def press(made: laboratory.Laboratory, label: str) -> str:
    (button,) = [b for b in made.box.children[1].children if b.description == label]
    button.click()
    return made.said.value


def test_nothing_is_computed_before_a_slider_is_moved(firm):
    def never(_client):
        raise AssertionError("asked for customers")

    made = laboratory.Laboratory(firm.id, SPAN, never)
    assert "Move a limit" in made.table.value
    assert not made.figure.value
    assert press(made, "Save") == '<p class="note">Nothing was changed, so nothing is saved.</p>'


def test_a_browser_finds_the_laboratory_its_table_and_its_buttons(firm):
    made = of(firm)
    assert "crm-laboratory" in made.box._dom_classes
    assert "crm-trial" in made.table._dom_classes
    assert [button.description for button in made.box.children[1].children] == ["Save", "Undo", "As saved"]
    assert all(slider.description for slider in made.sliders.values())


def test_a_moved_limit_shows_counts_money_and_a_figure_at_once(firm):
    made = of(firm)
    made.sliders[CUT].value = 2.0
    first, picture = made.table.value, bytes(made.figure.value)
    assert "Tiers by these limits beside those as saved" in first
    assert "customers would move" in first
    assert "Cost to serve: not supplied." in first
    assert picture.startswith(b"\x89PNG")
    made.sliders[CUT].value = 1.6
    assert made.table.value != first
    assert bytes(made.figure.value) != picture


def test_no_customers_number_stands_in_clear(firm):
    made = of(firm)
    made.sliders[CUT].value = 1.6
    assert "Who would move" in made.table.value
    assert not any(f"k{n:02d}" in made.table.value for n in range(1, 51))


def test_what_the_laboratory_shows_is_what_a_run_by_the_saved_rules_gives_every_customer(firm):
    made = of(firm)
    changes = {CUT: 2.2, "classes.frequency.shares.first": 0.3, "classes.loyalty.orders.medium": 3}
    changes |= {"classes.tier.weights.activity": 0.5, "classes.behaviour.active_days": 40}
    for key, value in changes.items():
        made.sliders[key].value = value
    found = made.tried(made.rules())
    assert len(found.movers) > 3
    press(made, "Save")
    # As notebook 03 does it, from the file that was written.
    client = clients.load(firm.id)
    known, answers = facts.known(client, as_of=LAST), stated.answers(client, as_of=LAST)
    judged = classes.classes(
        known,
        rfm.rfm(known, client.classes.rfm),
        answers,
        client.classes,
        decimals=client.decimals,
        stated=stated.stated(client, as_of=LAST),
        beside=beside(client, as_of=LAST),
    )
    by_run = judged["tier"].value_counts()
    assert dict(zip(found.tiers["tier"], found.tiers["customers"], strict=True)) == {
        tier: int(by_run.get(tier, 0)) for tier in found.tiers["tier"]
    }
    tier = judged.set_index("customer_id")["tier"]
    assert found.movers["tier_tried"].tolist() == tier[found.movers["customer_id"]].tolist()


def test_saving_writes_the_keys_that_a_run_reads_and_keeps_the_rest_to_the_letter(firm):
    before = firm.config.read_text("utf-8")
    made = of(firm)
    made.sliders[CUT].value = 2.2
    made.sliders["classes.loyalty.recommend.high"].value = 10
    said = press(made, "Save")
    assert said == (
        '<p class="note">data/firm/client.yml saved: classes.loyalty.recommend.high, classes.tier.cuts.high.</p>'
    )
    after = firm.config.read_text("utf-8")
    limits = "    recommend: {high: 10, medium: 7}\n  tier:\n    cuts: {high: 2.2, medium: 1.5}\n"
    expected = before.replace("    recommend: {high: 9, medium: 7}\n", limits)
    assert after == expected
    assert firm.config.with_name("client.yml.bak").read_text("utf-8") == before
    assert clients.load(firm.id).classes.tier.cuts.high == 2.2


def test_after_saving_nobody_would_move(firm):
    made = of(firm)
    made.sliders[CUT].value = 1.6
    press(made, "Save")
    assert ">0 of 50 customers would move" in made.table.value


def test_undo_brings_the_file_and_the_sliders_back_and_a_second_time_the_change(firm):
    before = firm.config.read_bytes()
    made = of(firm)
    made.sliders[CUT].value = 2.2
    press(made, "Save")
    press(made, "Undo")
    assert firm.config.read_bytes() == before
    assert made.sliders[CUT].value == 2.5
    press(made, "Undo")
    assert made.sliders[CUT].value == 2.2


def test_a_file_of_before_that_no_run_would_read_is_not_brought_back(firm):
    before = firm.config.read_bytes()
    made = of(firm)
    assert "There is nothing to undo." in press(made, "Undo")
    firm.config.with_name("client.yml.bak").write_text("name: half a file\n", "utf-8")
    assert "Not undone. data/firm/client.yml: currency is missing; add it." in press(made, "Undo")
    assert firm.config.read_bytes() == before


def test_sliders_go_back_to_what_is_saved(firm):
    made = of(firm)
    made.sliders[CUT].value = 2.2
    press(made, "As saved")
    assert made.sliders[CUT].value == 2.5


def test_limits_that_contradict_are_told_beside_them_and_nothing_is_saved(firm):
    before = firm.config.read_bytes()
    made = of(firm)
    made.sliders[CUT].value = 1.2
    marked = {key for key, place in made.faults.items() if "Out of order" in place.value}
    assert marked == {"classes.tier.cuts.high", "classes.tier.cuts.medium"}
    assert press(made, "Save") == (
        '<span class="crm-fault" role="alert">Not saved: see the words beside the limits.</span>'
    )
    assert firm.config.read_bytes() == before
    made.sliders[CUT].value = 2.5
    assert not any(place.value for place in made.faults.values())


def test_weights_that_decide_nothing_are_told_beside_every_weight(firm):
    made = of(firm)
    weights = [key for key in made.sliders if ".weights." in key]
    for key in weights:
        made.sliders[key].value = 0
    assert all("All weights are 0" in made.faults[key].value for key in weights)


def test_a_file_that_somebody_else_changed_is_left_alone(firm):
    made = of(firm)
    made.sliders[CUT].value = 2.2
    changed = firm.config.read_text("utf-8") + "unit: month\n"
    firm.config.write_text(changed, "utf-8")
    assert "was changed meanwhile and is left as it is" in press(made, "Save")
    assert "was changed meanwhile" in press(made, "Undo")
    assert firm.config.read_text("utf-8") == changed


def test_a_good_file_is_never_replaced_by_one_that_contradicts_the_rules_of_before(home):
    # Then customers were active up to 100 days; with a dormant_days of 95 those rules could not have been.
    client = home.client("firm", more="classes_before:\n  behaviour: {active_days: 100}\n")
    before = client.config.read_bytes()
    made = of(client)
    made.sliders["classes.behaviour.dormant_days"].value = 95
    made.sliders["classes.behaviour.active_days"].value = 50
    said = press(made, "Save")
    assert "Not saved. data/firm/client.yml" in said
    assert "classes_before" in said
    assert client.config.read_bytes() == before
