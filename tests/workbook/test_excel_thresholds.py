"""Limits edited in a workbook and read back: what is taken, and what is told by the address of its cell."""

import datetime as dt
import shutil

import builders
import openpyxl
import pytest
from click.testing import CliRunner

from crmlib import client as clients
from crmlib import tables
from crmlib.classification import thresholds
from crmlib.errors import ConfigError, SourceError
from crmlib.language import Language
from crmlib.period import Period
from crmlib.rules import Classes
from crmlib.workbook import excel, threshold_sheet
from crmlib.workbook.cli import main

RULES = Classes()
ROWS = {one.key: row for row, one in enumerate(thresholds.thresholds(RULES), 5)}
HIGH = f"C{ROWS['classes.tier.cuts.high']}"


@pytest.fixture
def client(home):
    """Two customers: 1 bought for 20.10 twice, 2 for 7.00 once."""
    client = home.client("tiny")
    bought = [("1", "2024-10-02", 1010), ("1", "2024-11-02", 1000), ("2", "2024-12-01", 700)]
    lines = [dict(zip(("customer", "day", "amount"), line, strict=True)) for line in bought]
    tables.write(builders.lines(*lines), client.delivery, tables.TRANSACTIONS)
    return client


@pytest.fixture
def path(client):
    path = client.folder / "exhibits.xlsx"
    excel.exhibits(path, [], Language("en", "CNY"), client=client, period=Period.parse("2024-Q4"))
    return path


def edited(path, **cells):
    book = openpyxl.load_workbook(path)
    for address, value in cells.items():
        book["Thresholds"][address] = value
    book.save(path)
    return path


def cell(key: str) -> str:
    return f"C{ROWS[key]}"


def test_a_workbook_as_published_changes_nothing(path):
    rules, cells = threshold_sheet.read(path, RULES)
    assert rules == RULES
    assert len(cells) == len(ROWS)


def test_edited_limits_are_the_rules_one_would_write_by_hand(path):
    edited(
        path,
        **{
            HIGH: 2.25,
            cell("classes.behaviour.active_days"): 60,
            cell("classes.value.spend.high"): 5000,
            cell("classes.value.spend.medium"): 800.5,
        },
    )
    rules, _ = threshold_sheet.read(path, RULES)
    assert rules == Classes.model_validate(
        {
            "tier": {"cuts": {"high": 2.25, "medium": 1.5}},
            "behaviour": {"active_days": 60},
            "value": {"spend": {"high": 5000, "medium": 800.5}},
        }
    )


def test_amounts_that_are_emptied_go_by_share_again(path):
    given = thresholds.with_values(RULES, {"classes.value.spend.high": 5, "classes.value.spend.medium": 1})
    assert threshold_sheet.read(path, given)[0] == RULES


def test_a_limit_whose_line_was_deleted_stays_as_it_is(path):
    book = openpyxl.load_workbook(path)
    book["Thresholds"].delete_rows(ROWS["classes.tier.cuts.high"])
    book.save(path)
    given = thresholds.with_values(RULES, {"classes.tier.cuts.high": 2.75})
    assert threshold_sheet.read(path, given)[0].tier.cuts.high == 2.75


def test_the_sheet_is_found_by_its_columns_whatever_it_is_called(path):
    book = openpyxl.load_workbook(path)
    book["Thresholds"].title = "阈值"
    book["阈值"].insert_rows(1)
    book.save(path)
    assert threshold_sheet.read(path, RULES)[0] == RULES


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("two", "classes.tier.cuts.high must be a number, found the text 'two'."),
        ("2,25", "classes.tier.cuts.high must be a number, found the text '2,25'."),
        (True, "classes.tier.cuts.high must be a number, found TRUE."),
        ("=C40*2", "holds the formula =C40*2 without a value. Open the file in Excel and save it."),
        (None, "classes.tier.cuts.high: Is empty."),
        (1.5, "classes.tier.cuts: Out of order: the lower class must end below the upper one."),
    ],
)
def test_a_cell_that_cannot_be_taken_is_told_by_its_address(path, value, said):
    with pytest.raises(ConfigError) as problem:
        threshold_sheet.read(edited(path, **{HIGH: value}), RULES)
    assert said in str(problem.value)
    assert f"exhibits.xlsx, sheet Thresholds, {HIGH}" in str(problem.value)


def test_a_date_is_no_number(path):
    with pytest.raises(ConfigError, match="found the date or time 2024-01-02"):
        threshold_sheet.read(edited(path, **{HIGH: dt.datetime(2024, 1, 2)}), RULES)


def test_all_bad_cells_are_told_at_once(path):
    days, share = cell("classes.behaviour.active_days"), cell("classes.abc.shares.first")
    with pytest.raises(ConfigError) as problem:
        threshold_sheet.read(edited(path, **{days: 9.5, share: 1}), RULES)
    assert str(problem.value).splitlines() == [
        f"exhibits.xlsx, sheet Thresholds, {days}: classes.behaviour.active_days: Only whole numbers.",
        f"exhibits.xlsx, sheet Thresholds, {share}: classes.abc.shares.first: Outside what is allowed.",
    ]


def test_a_key_that_is_not_known_or_stands_twice_is_told(path):
    key = f"A{ROWS['classes.tier.cuts.high']}"
    with pytest.raises(ConfigError, match=f"{HIGH}: classes.tier.cut.high is not a known key; did you mean"):
        threshold_sheet.read(edited(path, **{key: "classes.tier.cut.high"}), RULES)
    with pytest.raises(ConfigError, match=r"classes\.rfm\.at_least stands here a second time"):
        threshold_sheet.read(edited(path, **{key: "classes.rfm.at_least"}), RULES)


def test_a_file_that_is_no_such_workbook_is_told(tmp_path, path):
    with pytest.raises(SourceError, match=r"nowhere\.xlsx does not exist"):
        threshold_sheet.read(tmp_path / "nowhere.xlsx", RULES)
    (tmp_path / "text.xlsx").write_text("key,value\n")
    with pytest.raises(SourceError, match="incomplete or damaged"):
        threshold_sheet.read(tmp_path / "text.xlsx", RULES)
    book = openpyxl.load_workbook(path)
    del book["Thresholds"]
    book.save(path)
    with pytest.raises(SourceError, match="has no sheet with the columns key and value"):
        threshold_sheet.read(path, RULES)


def test_a_spreadsheet_itself_refuses_what_a_limit_cannot_be(path):
    checks = openpyxl.load_workbook(path)["Thresholds"].data_validations.dataValidation
    found = {str(check.sqref): (check.type, float(check.formula1), float(check.formula2)) for check in checks}
    kind, least, most = found[cell("classes.abc.shares.first")]
    assert kind == "decimal"
    assert 0 < least < 1e-6
    assert 1 - 1e-6 < most < 1
    assert found[cell("classes.behaviour.active_days")][:2] == ("whole", 1)


def test_a_name_that_a_client_gave_a_class_is_text_and_never_a_formula(client):
    path = client.folder / "inert.xlsx"
    words = Language("en", "CNY", {"high": "=1+1", "rule_high": "=cmd()"})
    excel.exhibits(path, [], words, client=client, period=Period.parse("2024-Q4"))
    cells = openpyxl.load_workbook(path)["Thresholds"]
    assert all(c.data_type != "f" for row in cells.iter_rows() for c in row)


def crm(*arguments):
    return CliRunner().invoke(main, list(map(str, arguments)))


def test_the_command_shows_what_would_change_and_writes_nothing(client, path):
    before = client.config.read_bytes()
    result = crm("thresholds", "tiny", edited(path, **{HIGH: 2.25}))
    assert result.exit_code == 0, result.output
    assert f"  classes.tier.cuts.high: 2.5 → 2.25 ({HIGH})" in result.stdout.splitlines()
    assert "of 2 customers would move" in result.stdout
    assert "Nothing is saved. To save: crm thresholds tiny" in result.stdout
    assert client.config.read_bytes() == before


def test_saved_by_the_command_a_run_reads_it(client, path):
    before = client.config.read_bytes()
    result = crm("thresholds", "tiny", edited(path, **{HIGH: 2.25}), "--save")
    assert "data/tiny/client.yml saved; the one before is data/tiny/client.yml.bak." in result.stdout
    assert clients.load("tiny").classes.tier.cuts.high == 2.25
    assert client.config.with_name("client.yml.bak").read_bytes() == before
    assert "nothing would change" in crm("thresholds", "tiny", path).stdout


def test_customers_who_would_move_are_named_by_their_own_numbers(client, path):
    # Two customers are too few for shares: only with amounts is spend graded, and with it the tier. Of loyalty,
    # 1 has low tenure and medium orders (1.5 points: medium), 2 low and low. With spend 3 and 2 points the means
    # are (2 + 3) / 2 = 2.5 and (1 + 2) / 2 = 1.5, each just on its limit.
    spend = {cell("classes.value.spend.high"): 20.1, cell("classes.value.spend.medium"): 5}
    result = crm("thresholds", "tiny", edited(path, **spend), "--period", "2024-Q4")
    assert "2024-Q4: 2 of 2 customers would move" in result.stdout
    assert "2 into or out of the ungraded" in result.stdout
    assert "    1: Not graded → High, net sales so far CN¥20.10" in result.stdout
    assert "    2: Not graded → Medium, net sales so far CN¥7.00" in result.stdout


def test_before_any_run_the_changes_are_shown_without_customers(home, path, client):
    shutil.rmtree(client.delivery)
    result = crm("thresholds", "tiny", edited(path, **{HIGH: 2.25}))
    assert "Who would move is known once the client has run: crm run tiny" in result.stdout


def test_a_workbook_with_a_bad_cell_is_one_message_with_status_2(client, path):
    before = client.config.read_bytes()
    result = crm("thresholds", "tiny", edited(path, **{HIGH: "high"}), "--save")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: exhibits.xlsx, sheet Thresholds, {HIGH}: ")
    assert client.config.read_bytes() == before
