"""Order lines: what is a sale, a return, a gift, and what is set aside and why."""

import datetime as dt

import pandas as pd
import pytest
from builders import CONFIG, day, made, text

from crmlib.cleaning import customers, delivery, surveys, transactions
from crmlib.collection import sources
from crmlib.errors import SchemaError, SourceError
from crmlib.language import WORDS

HEADER = "order,customer,day,pieces,price"


class Outcome:
    """What cleaning made of typed rows; row 2 is the first record."""

    def __init__(self, found, customers, collected):
        self.found, self.customers = found, customers
        self.ledger = delivery.account(found, collected)  # refuses what does not balance
        self.part = found["transactions"]
        self.kept = self.part.kept.to_pandas()

    @property
    def aside(self) -> list[tuple[int, str, int]]:
        """Row, reason and money of every order line set aside."""
        table = self.part.quarantine
        return list(table[["source_row", "reason", "money"]].itertuples(index=False, name=None))

    def totals(self, name: str = "transactions") -> dict[str, int]:
        """The ledger's ends: in, kept, merged, quarantined."""
        part = self.ledger[self.ledger["table"] == name]
        out = {}
        for what in ("rows", "money"):
            out[f"{what}_in"] = int(part[f"{what}_in"].iloc[0])
            out[f"{what}_kept"] = int(part[f"{what}_kept"].iloc[-1])
            for fate in ("merged", "quarantined"):
                out[f"{what}_{fate}"] = int(part[f"{what}_{fate}"].sum())
        return out


@pytest.fixture
def clean(home):
    """Cleans typed order lines (and a customer or survey table) under a client.yml."""

    def cleaned(*rows: str, config: str = CONFIG, header: str = HEADER, **others: pd.DataFrame) -> Outcome:
        client = made(home, config, files={})
        content = {"transactions": text(header, *rows), **others}
        collected = {name: sources.from_text(name, table) for name, table in content.items()}
        found = delivery.cleaned(collected, client, delivered_on=dt.date(2025, 1, 6))
        return Outcome(found, delivery.customer_table(found, collected, client).to_pandas(), collected)

    return cleaned


SALE = "A1,c1,2024-10-01,2,10.50"
PROFIT = CONFIG.replace("price: price", "price: price, profit: profit")


def test_a_sale_is_pieces_times_price_in_the_smallest_unit(clean):
    kept = clean(SALE).kept
    row = kept.iloc[0]
    assert (row["amount"], row["price"], row["quantity"], row["kind"], row["returned"]) == (
        2100,
        1050,
        2,
        "sale",
        0,
    )
    assert (row["customer_id"], row["order_id"], row["known"], row["source_row"]) == ("c1", "A1", True, 2)
    assert row["order_day"] == day("2024-10-01")
    assert row["order_month"] == 2024 * 12 + 9
    assert row["flags"] == ""


# row, reason, money (of what it would have been worth), one line of each defect
DEFECTS = [
    ("小计,,,3,", "not-a-record", 0),
    ("Total,,,,999", "not-a-record", 0),
    ("A2,c1,,1,5", "missing-date", 500),
    ("A2,c1,2024-02-30,1,5", "unreadable-date", 500),
    ("A2,c1,2025-01-07,1,5", "future-date", 500),
    ("A2,c1,2024-10-01,two,5", "unreadable-number", 0),
    ("A2,c1,2024-10-01,1,free", "unreadable-number", 0),
    ("A2,c1,2024-10-01,,5", "missing-number", 0),
    ("A2,c1,2024-10-01,1,", "missing-number", 0),
    ("A2,c1,2024-10-01,1,-11062.06", "bookkeeping-entry", -1106206),
    ("A2,c1,2024-10-01,-9,0", "stock-correction", 0),
    ("A2,c1,2024-10-01,-2,5", "unmarked-return", -1000),
]


@pytest.mark.parametrize(
    ("row", "reason", "money"), DEFECTS, ids=[f"{r}-{n}" for n, (_, r, _) in enumerate(DEFECTS)]
)
def test_a_line_that_cannot_count_is_set_aside_with_its_reason_and_worth(clean, row, reason, money):
    # four good lines keep one bad date from being most of them
    found = clean(SALE, "A3,c2,2024-10-02,1,1", row, "A4,c2,2024-10-03,1,1")
    assert found.aside == [(4, reason, money)]
    assert found.kept["source_row"].tolist() == [2, 3, 5]
    raw = found.part.quarantine["raw"][0]
    assert all(f'"{cell}"' in raw for cell in row.split(",") if cell)


def test_the_day_of_delivery_itself_is_not_the_future(clean):
    assert clean("A2,c1,2025-01-06 23:59,1,5").aside == []


def test_the_first_reason_wins_so_that_no_row_leaves_twice(clean):
    found = clean(SALE, SALE, "A2,c1,,two,-5")
    assert found.aside == [(4, "missing-date", 0)]


def test_a_subtotal_with_a_date_is_an_order_called_total(clean):
    assert clean("Total,c1,2024-10-01,1,5").kept["order_id"].tolist() == ["Total"]


def test_an_exact_copy_is_merged_and_the_first_stays(clean):
    found = clean(SALE, "A2,c2,2024-10-02,1,5", SALE, SALE)
    assert found.kept["source_row"].tolist() == [2, 3]
    assert found.aside == []
    assert found.totals() == {
        "rows_in": 4,
        "rows_kept": 2,
        "rows_merged": 2,
        "rows_quarantined": 0,
        # 21 + 5 + 21 + 21 = 68
        "money_in": 6800,
        "money_kept": 2600,
        "money_merged": 4200,
        "money_quarantined": 0,
    }


def test_a_copy_must_agree_in_every_source_column_mapped_or_not(clean):
    header = "order,customer,day,pieces,price,till"
    found = clean(f"{SALE},1", f"{SALE},2", f"{SALE},1", header=header)
    assert found.kept["source_row"].tolist() == [2, 3]
    assert found.totals()["rows_merged"] == 1


def test_copies_are_kept_where_the_client_says_so(clean):
    found = clean(SALE, SALE, config=CONFIG + "    exact_duplicates: keep\n")
    assert found.kept["amount"].tolist() == [2100, 2100]
    assert found.totals()["rows_merged"] == 0


def test_a_copy_of_a_bad_row_is_merged_and_the_bad_row_set_aside_once(clean):
    found = clean(SALE, "A2,c1,2024-10-01,-9,0", "A2,c1,2024-10-01,-9,0")
    assert found.aside == [(3, "stock-correction", 0)]
    assert found.totals()["rows_merged"] == 1


def test_a_line_on_a_return_document_takes_money_back(clean):
    row = clean("TH9,c1,2024-12-01,-1,10.50").kept.iloc[0]
    assert (row["kind"], row["amount"], row["returned"]) == ("return", -1050, -1050)


def test_a_return_document_of_another_firm_begins_with_its_own_letter(clean):
    config = CONFIG.replace("TH}", "C}")
    found = clean("C536379,14527,2010-12-01 09:41,-1,27.50", "TH1,14527,2010-12-01,-1,5", config=config)
    assert found.kept[["kind", "amount"]].values.tolist() == [["return", -2750]]
    assert found.aside == [(3, "unmarked-return", -500)]


def test_a_positive_line_on_a_return_document_stays_a_sale_and_is_taken_back_on_its_day(clean):
    row = clean("TH9,c1,2024-12-01,2,10.50").kept.iloc[0]
    assert (row["kind"], row["amount"], row["returned"]) == ("sale", 2100, -2100)
    assert row["order_day"] == day("2024-12-01")


def test_a_price_of_zero_is_a_gift_and_no_sale(clean):
    row = clean("A2,c1,2024-10-01,3,0").kept.iloc[0]
    assert (row["kind"], row["amount"], row["returned"]) == ("gift", 0, 0)


def test_a_price_of_zero_is_a_purchase_where_the_client_says_so(clean):
    row = clean("A2,c1,2024-10-01,3,0", config=CONFIG + "    zero_price: purchase\n").kept.iloc[0]
    assert (row["kind"], row["amount"]) == ("sale", 0)


def test_a_quantity_of_zero_is_kept_and_flagged(clean):
    row = clean("A2,c1,2024-10-01,0,5").kept.iloc[0]
    assert (row["kind"], row["amount"], row["flags"]) == ("gift", 0, "zero-quantity")


def test_an_amount_that_is_not_pieces_times_price_is_believed_and_flagged(clean):
    config = CONFIG.replace("price: price", "price: price, amount: amount")
    header = "order,customer,day,pieces,price,amount"
    found = clean("A1,c1,2024-10-01,2,10,18", "A2,c1,2024-10-01,2,10,20", config=config, header=header)
    assert found.kept[["amount", "flags"]].values.tolist() == [[1800, "amount-differs"], [2000, ""]]


def test_without_quantity_an_amount_is_one_piece(clean):
    config = CONFIG.replace("quantity: pieces, price: price", "amount: amount")
    row = clean("A1,c1,2024-10-01,29.33", config=config, header="order,customer,day,amount").kept.iloc[0]
    assert (row["quantity"], row["price"], row["amount"]) == (1, 2933, 2933)


def test_twelve_times_ten_cents_is_one_twenty(clean):
    # 12 × 0.1 is 1.2000000000000002 in binary
    assert clean("A1,c1,2024-10-01,12,0.1").kept["amount"].tolist() == [120]


def test_profit_is_kept_per_line_and_unknown_where_empty(clean):
    found = clean(
        f"{SALE},3.25",
        "A2,c1,2024-10-01,1,5,",
        config=PROFIT,
        header="order,customer,day,pieces,price,profit",
    )
    assert found.kept["profit"].astype(object).where(found.kept["profit"].notna(), None).tolist() == [
        325,
        None,
    ]


def test_a_discount_is_the_share_of_the_price_given_off_however_it_is_written(clean):
    config = CONFIG.replace("price: price", "price: price, discount: off")
    cells = ("0.4", "40%", "8折", "85折", "0", "", "1", "1.5", "-0.2", "买一送一")
    rows = [f"A{n},c1,2024-10-01,1,10,{cell}" for n, cell in enumerate(cells)]
    found = clean(*rows, config=config, header=HEADER + ",off")
    kept = found.kept["discount"].astype(object).where(found.kept["discount"].notna(), None)
    # 85折: 85 parts of a hundred are paid. No line is lost for a discount that nobody can read.
    assert kept.tolist() == [0.4, 0.4, 0.2, 0.15, 0, None, 1, None, None, None]
    told = pd.read_parquet(found.part.repaired)[["rule", "source_row", "old", "new"]]
    assert told.values.tolist() == [
        ["percent", 3, "40%", "0.4"],
        ["unit", 4, "8折", "0.2"],
        ["unit", 5, "85折", "0.15"],
        ["unreadable-number", 9, "1.5", ""],
        ["unreadable-number", 10, "-0.2", ""],
        ["unreadable-number", 11, "买一送一", ""],
    ]


def test_a_discount_that_nobody_supplied_is_not_nothing(clean):
    assert clean(SALE).kept["discount"].isna().tolist() == [True]


def test_lines_without_an_order_number_are_one_order_per_customer_and_day(clean):
    config = CONFIG.replace("order_id: order, ", "").replace("    returns: {order_id_starts_with: TH}\n", "")
    rows = [
        "c1,2024-10-01 08:00,1,5",
        "c1,2024-10-01 20:00,1,6",
        "c1,2024-10-02,1,7",
        ",2024-10-02,1,8",
        ",2024-10-02,1,9",
    ]
    found = clean(*rows, config=config, header="customer,day,pieces,price")
    first, second, third, fourth, fifth = found.kept["order_id"]
    assert first == second
    assert len({first, third, fourth, fifth}) == 4  # each line of nobody's is an order of its own


def test_a_line_without_a_customer_counts_but_is_nobodys(clean):
    found = clean("A1,,2024-10-01,1,5")
    row = found.kept.iloc[0]
    assert (row["known"], row["kind"], row["flags"]) == (False, "sale", "unknown-customer")


def test_a_customer_whom_the_customer_table_lacks_is_kept_flagged_and_not_known(clean):
    config = CONFIG + "  customers:\n    files: [c.csv]\n    columns: {customer_id: id}\n"
    listed = pd.DataFrame({"id": ["c1"]})
    found = clean(SALE, "A2,c9,2024-10-01,1,5", config=config, customers=listed)
    assert found.kept[["customer_id", "known", "flags"]].values.tolist() == [
        ["c1", True, ""],
        ["c9", False, "orphan-customer"],
    ]
    assert found.aside == []


def test_customers_called_na_and_none_are_customers(clean):
    found = clean("A1,NA,2024-10-01,1,5", "A2,None,2024-10-01,1,5", "A3,null,2024-10-01,1,5")
    assert found.kept["customer_id"].tolist() == ["NA", "None", "null"]
    assert found.kept["known"].all()


def test_money_finer_than_the_client_keeps_is_refused_not_rounded(clean):
    with pytest.raises(SchemaError) as refused:
        clean(SALE, "A2,c1,2024-10-01,1,5.125", "A3,c1,2024-10-01,1,0.001")
    assert str(refused.value) == (
        "transactions: 2 lines (the first in memory, row 3) hold money finer than 2 decimals. "
        "Say decimals: 3 in client.yml, or more."
    )


def test_fine_money_on_a_line_that_is_set_aside_troubles_nobody(clean):
    assert clean(SALE, "A2,c1,2024-02-30,1,5.125", "A3,c1,2024-10-02,1,1").kept["source_row"].tolist() == [
        2,
        4,
    ]


def test_dates_that_mostly_cannot_be_read_are_a_question_of_form(clean):
    with pytest.raises(SourceError) as refused:
        clean("A1,c1,5th of March,1,5", "A2,c1,week 10,1,5", "A3,c1,2024-03-07,1,5", "A4,c1,,1,5")
    assert str(refused.value) == (
        "transactions: 2 of 3 dates in column 'day' cannot be read. Year-first dates are read as they are; "
        'for any other form say date_format in client.yml, as in date_format: "%d/%m/%Y".'
    )


def test_day_first_dates_are_read_as_the_client_says(clean):
    found = clean("A1,c1,05/03/2024,1,5", config=CONFIG + '    date_format: "%d/%m/%Y"\n')
    assert found.kept["order_day"].tolist() == [day("2024-03-05")]


def usual(count: int) -> list[str]:
    """Ordinary lines at prices from 9 to 11."""
    return [f"B{n},c2,2024-10-0{n % 9 + 1},1,{9 + n % 3}" for n in range(count)]


def test_a_price_a_thousandfold_of_the_usual_is_flagged_and_counts(clean):
    found = clean(*usual(40), "A1,c1,2024-10-01,1,11062.06")
    odd = found.kept[found.kept["flags"] != ""]
    assert odd[["amount", "flags", "kind"]].values.tolist() == [[1106206, "abnormal-price", "sale"]]


def test_a_price_a_thousandfold_of_the_usual_is_set_aside_where_the_client_says_so(clean):
    found = clean(*usual(40), "A1,c1,2024-10-01,1,11062.06", config=CONFIG + "abnormal: quarantine\n")
    assert found.aside == [(42, "abnormal", 1106206)]


def test_nothing_is_called_unusual_among_a_handful_of_lines(clean):
    found = clean(*usual(28), "A1,c1,2024-10-01,1,11062.06")
    assert set(found.kept["flags"]) == {""}


def test_ninefold_of_the_usual_is_dear_but_not_unusual(clean):
    found = clean(*usual(40), "A1,c1,2024-10-01,1,90")
    assert set(found.kept["flags"]) == {""}


def test_what_left_is_told_with_its_reason(clean):
    found = clean(SALE, SALE, "A2,c1,2024-10-01,-2,5")
    assert delivery.reasons(found.ledger).values.tolist() == [
        ["transactions", "exact-duplicate", "merged", 1, 2100],
        ["transactions", "unmarked-return", "set_aside", 1, -1000],
    ]
    steps = {*transactions.STEPS, *customers.STEPS, *surveys.STEPS, *surveys.ANSWER_STEPS}
    assert all(reason in WORDS for reason in steps)  # each has a sentence for readers
    assert delivery.set_aside(found.ledger) == {"rows": 1, "sales": 0, "share": 0, "negative": -1000}


def test_a_telephone_on_an_order_line_is_the_customers_and_the_newest_wins(clean):
    config = CONFIG.replace("price: price", "price: price, contact: phone, region: region")
    header = "order,customer,day,pieces,price,phone,region"
    found = clean(
        *("A2,c1,2024-11-01,1,5,222,", "A1,c1,2024-10-01,1,5,111,North", "A3,c2,2024-10-01,1,5,333,South"),
        config=config,
        header=header,
    )
    table = found.customers
    # a row for every change: the newest telephone, and the newest region that was given at all
    assert table[["customer_id", "contact", "region", "as_from_day"]].values.tolist() == [
        ["c1", "111", "North", day("2024-10-01")],
        ["c1", "222", "North", day("2024-11-01")],
        ["c2", "333", "South", day("2024-10-01")],
    ]


def test_a_column_called_reason_or_money_is_a_column_like_any_other(clean):
    header = "order,customer,day,pieces,price,reason,money,source_row"
    found = clean(
        "A1,c1,2024-10-01,2,5,why not,x,7",
        "A2,c1,2024-13-01,2,5,because,y,8",
        "A3,c1,2024-10-02,2,5,z,z,9",
        header=header,
    )
    assert found.aside == [(3, "unreadable-date", 1000)]
    assert "because" in found.part.quarantine["raw"].iloc[0]


@pytest.mark.parametrize("cells", ["100000000000000,1000000000000", "1,99999999999999"])
def test_a_number_that_no_firm_has_is_set_aside_and_the_rest_goes_on(clean, cells):
    found = clean(SALE, f"A2,c1,2024-10-02,{cells}")
    assert [reason for _, reason, _ in found.aside] == ["unreadable-number"]
    assert len(found.kept) == 1


def test_a_negative_amount_of_a_positive_price_is_bookkeeping_and_no_gift(clean):
    config = CONFIG.replace("price: price", "price: price, amount: amount")
    found = clean(
        "A1,c1,2024-10-01,2,10.50,-21",
        "A2,c1,2024-10-01,0,5,50",
        "A3,c1,2024-10-01,1,5,5",
        config=config,
        header="order,customer,day,pieces,price,amount",
    )
    assert [reason for _, reason, _ in found.aside] == ["bookkeeping-entry", "zero-quantity"]


def test_a_year_of_birth_on_an_order_line_is_the_customers(clean):
    config = CONFIG.replace("price: price", "price: price, birth_year: born")
    found = clean("A1,c1,2024-10-01,1,5,1980", config=config, header="order,customer,day,pieces,price,born")
    assert found.customers["birth_year"].tolist() == [1980]


def test_the_day_an_account_was_opened_may_stand_on_an_order_line(clean):
    config = CONFIG.replace("price: price", "price: price, opened_day: opened")
    found = clean(
        "A1,c1,2024-10-01,1,5,2020-01-01", config=config, header="order,customer,day,pieces,price,opened"
    )
    assert found.customers["opened_day"].tolist() == [day("2020-01-01")]
