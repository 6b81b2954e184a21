"""The catalogue of bad inputs: seventy ways in which data goes wrong, and the tests that hold what becomes of each.

Of every input exactly one thing may become: it is repaired and that is written down, its row is set aside with
a reason, or its source is refused in one message. The numbers are those of the catalogue.
"""

import ast
from pathlib import Path

import faults
import pytest

TESTS = Path(__file__).resolve().parent
ENCODINGS, RECORDS = "collection/test_files_encodings.py", "collection/test_files_records.py"
HEADERS, PACKED = "collection/test_files_headers.py", "collection/test_files_packed.py"
BOOKS, NUMBERS = "collection/test_files_workbooks.py", "collection/test_values_numbers.py"
READINGS, MOMENTS = "collection/test_readings.py", "collection/test_moments.py"
TRIP, SOURCES = "collection/test_files_roundtrip.py", "collection/test_sources.py"
LAST, ORDERS = "collection/test_last_delivery.py", "cleaning/test_orders.py"
CELLS, SAME = "cleaning/test_order_cells.py", "cleaning/test_same_person.py"
CUSTOMERS, HARDLY = "cleaning/test_customer_rows.py", "test_degenerate.py"
CROSSED = "faults.py"  # the name of a fault or a form of tests/test_crossed.py

# Number → what it is, and the tests: {file: (names)}.
CATALOGUE: dict[int, tuple[str, dict[str, tuple[str, ...]]]] = {
    1: (
        "a mark of byte order",
        {CROSSED: ("1 BOM",), ENCODINGS: ("test_a_file_in_another_encoding_equals_its_utf8_twin",)},
    ),
    2: (
        "Excel's Unicode text",
        {
            CROSSED: ("2 UTF-16 with tabs",),
            ENCODINGS: ("test_excels_unicode_text_with_tabs_equals_its_plain_twin",),
        },
    ),
    3: (
        "GB18030",
        {
            CROSSED: ("3 GB18030",),
            "collection/test_files.py": ("test_rare_names_arrive_whole_from_every_encoding",),
        },
    ),
    4: (
        "UTF-8 that could be GB18030",
        {
            ENCODINGS: ("test_utf8_that_happens_to_be_gb18030_too_stays_utf8",),
            TRIP: ("test_chinese_is_told_from_chinese_without_being_told",),
        },
    ),
    5: (
        "two encodings in one file",
        {
            ENCODINGS: (
                "test_a_line_in_gb18030_among_utf8_is_read_and_written_down",
                "test_a_line_in_utf8_among_gb18030_is_read_and_written_down",
                "test_a_line_in_no_encoding_is_set_aside_with_its_bytes",
            )
        },
    ),
    6: (
        "control characters",
        {
            CROSSED: ("6 a control sign", "6 a NUL"),
            ENCODINGS: ("test_control_characters_are_taken_out_and_written_down",),
        },
    ),
    7: ("an empty file", {ENCODINGS: ("test_an_empty_file_is_refused_whatever_its_mark",)}),
    8: (
        "a header and nothing else",
        {
            ENCODINGS: ("test_a_header_alone_is_a_table_without_rows",),
            HARDLY: (
                "test_a_header_alone_goes_through_every_step_and_no_figure_is_zero_in_place_of_unknown",
            ),
        },
    ),
    9: (
        "a gzip cut short",
        {"collection/test_files.py": ("test_a_gzip_that_was_cut_short_is_not_taken_for_the_whole",)},
    ),
    10: (
        "Parquet or a workbook cut short",
        {
            PACKED: ("test_what_cannot_be_read_is_refused_with_its_mend",),
            BOOKS: ("test_a_workbook_cut_short_is_refused",),
        },
    ),
    11: (
        "a flipped bit",
        {
            "test_tables.py": ("test_one_flipped_bit_is_noticed",),
            PACKED: ("test_every_flipped_bit_in_parquet_with_checksums_is_noticed",),
        },
    ),
    12: (
        "a file that is not what its name says",
        {
            CROSSED: ("12 a workbook called csv",),
            PACKED: (
                "test_what_a_file_is_its_bytes_tell_and_not_its_name",
                "test_what_cannot_be_read_is_refused_with_its_mend",
            ),
        },
    ),
    13: (
        "a workbook that swells",
        {PACKED: ("test_a_small_file_that_swells_to_a_hundred_megabytes_is_refused",)},
    ),
    14: ("XML that multiplies itself", {BOOKS: ("test_xml_that_declares_entities_is_not_opened",)}),
    15: (
        "an archive that swells, a password, an old or binary workbook",
        {
            PACKED: (
                "test_an_archive_that_lies_about_its_size_is_stopped_too",
                "test_what_cannot_be_read_is_refused_with_its_mend",
            ),
            BOOKS: ("test_a_legacy_workbook_behind_a_password_is_refused",),
        },
    ),
    16: (
        "a cell of megabytes",
        {
            CROSSED: ("16 a cell that is far too long",),
            RECORDS: ("test_a_cell_of_thirty_megabytes_is_set_aside",),
        },
    ),
    17: (
        "a file that changes while it is read",
        {
            ENCODINGS: ("test_a_file_that_changes_while_it_is_read_is_refused",),
            BOOKS: ("test_a_workbook_changed_while_it_is_read_is_refused",),
        },
    ),
    18: (
        "a delimiter at the end of every row",
        {
            CROSSED: ("18 trailing delimiter",),
            RECORDS: ("test_a_delimiter_at_the_end_of_every_record_shifts_nothing",),
        },
    ),
    19: (
        "a cell too many in the first row",
        {CROSSED: ("19 an extra cell in the first row", "19 an extra cell in the middle")},
    ),
    20: (
        "a cell too many later",
        {
            CROSSED: ("20 an extra cell in the last row",),
            RECORDS: ("test_one_record_with_a_cell_too_many_is_set_aside_and_the_others_stay",),
        },
    ),
    21: (
        "a cell too few",
        {CROSSED: ("21 a short row",), RECORDS: ("test_a_record_with_a_cell_too_few_is_set_aside",)},
    ),
    22: (
        "a stray quotation mark",
        {
            RECORDS: (
                "test_a_stray_quotation_mark_costs_its_own_line_only",
                "test_two_stray_marks_that_make_one_cell_of_three_records_are_seen",
            )
        },
    ),
    23: (
        "a quotation mark never closed",
        {RECORDS: ("test_a_mark_that_is_never_closed_is_refused_with_the_line_that_opened_it",)},
    ),
    24: (
        "line ends and quotation marks within cells",
        {
            CROSSED: ("24 a cell of two lines", "24 everything quoted"),
            RECORDS: ("test_the_twelve_files_of_csv_spectrum_are_what_their_json_says",),
        },
    ),
    25: (
        "another delimiter",
        {
            CROSSED: ("25 semicolons", "25 tabs", "25 bars"),
            RECORDS: ("test_delimiters_and_line_ends_change_nothing",),
        },
    ),
    26: ("one row with another delimiter", {RECORDS: ("test_a_record_with_another_delimiter_is_set_aside",)}),
    27: (
        "other line ends",
        {
            CROSSED: ("27 CR", "27 CRLF"),
            RECORDS: ("test_line_ends_of_all_kinds_in_one_file_change_nothing",),
        },
    ),
    28: ("no header", {HEADERS: ("test_records_without_a_header_are_refused_and_nobody_is_named",)}),
    29: (
        "a header said twice",
        {
            HEADERS: (
                "test_a_column_named_twice_with_the_same_cells_is_one_column",
                "test_a_column_named_twice_with_other_cells_is_refused",
            )
        },
    ),
    30: (
        "a column without a header",
        {
            HEADERS: (
                "test_a_nameless_column_that_holds_nothing_is_left_out",
                "test_a_nameless_column_that_holds_something_is_kept_under_a_name",
            )
        },
    ),
    31: (
        "titles, headers over two rows, two tables",
        {
            CROSSED: ("31 titles",),
            HEADERS: (
                "test_titles_are_passed_over",
                "test_a_header_over_two_rows_names_every_column",
                "test_two_tables_in_one_file_are_refused",
            ),
        },
    ),
    32: (
        "the header again, and totals",
        {
            CROSSED: ("32 the header again", "32 a line of totals"),
            RECORDS: ("test_a_total_is_no_record_and_a_firm_called_total_is_one",),
        },
    ),
    33: (
        "blank lines",
        {CROSSED: ("33 blank lines",), RECORDS: ("test_blank_lines_are_counted_and_are_no_records",)},
    ),
    34: (
        "a header in another spelling",
        {
            CROSSED: ("34 header as people write it",),
            "collection/test_recognition.py": ("test_a_header_names_a_column_however_it_is_written",),
            HEADERS: ("test_two_headers_that_are_one_once_tidied_are_refused",),
        },
    ),
    35: (
        "a title merged over the table",
        {CROSSED: ("35 xlsx with titles",), BOOKS: ("test_titles_merged_over_the_table_are_passed_over",)},
    ),
    36: (
        "hidden sheets, rows, columns",
        {
            BOOKS: (
                "test_hidden_rows_are_set_aside_and_hidden_columns_are_told",
                "test_the_sheet_that_has_the_headers_is_read_and_named",
            )
        },
    ),
    37: ("a formula never computed", {BOOKS: ("test_a_formula_that_was_never_computed_is_set_aside",)}),
    38: ("an error cell", {BOOKS: ("test_an_error_cell_is_set_aside_with_its_error",)}),
    39: (
        "dates, serials and text in one column",
        {
            CROSSED: ("39 a serial among dates",),
            BOOKS: ("test_dates_are_iso_under_either_epoch_and_numbers_stay_numbers",),
            READINGS: ("test_an_excel_serial_is_repaired_and_an_empty_century_is_nothing",),
        },
    ),
    40: (
        "digits that a spreadsheet lost",
        {
            CROSSED: ("40 digits that are lost",),
            BOOKS: ("test_ids_and_telephones_keep_their_digits_or_are_set_aside",),
        },
    ),
    41: (
        "leading zeros",
        {CROSSED: ("41 leading zeros stay",), LAST: ("test_ids_that_lost_their_leading_zeros_are_told",)},
    ),
    42: (
        "a cell too long for a workbook",
        {
            BOOKS: ("test_a_long_cell_keeps_its_whole_text",),
            HARDLY: (
                "test_a_long_cell_is_cut_in_a_workbook_where_one_sees_it_and_whole_in_the_quarantine",
                "test_a_name_longer_than_a_cell_is_cut_in_the_tier_table_and_its_row_is_there",
            ),
            "workbook/test_publish.py": (
                "test_a_row_that_no_workbook_holds_stands_whole_beside_it_and_no_other_does",
            ),
        },
    ),
    43: ("full-width figures", {CROSSED: ("43 full-width digits", "43 full-width money")}),
    44: (
        "figures with their unit",
        {
            CROSSED: (
                "44 pieces with their unit",
                "44 money in ten thousands",
                "44 a unit that nobody knows",
            ),
            NUMBERS: (
                "test_a_number_is_read_exactly_and_its_rule_is_told",
                "test_whatever_form_a_number_is_written_in_it_is_that_number",
            ),
        },
    ),
    45: (
        "a decimal comma",
        {
            READINGS: (
                "test_the_decimal_sign_is_what_the_column_tells",
                "test_a_column_that_does_not_tell_its_decimal_sign_is_asked_for",
            )
        },
    ),
    46: (
        "infinity and what programs read as figures",
        {CROSSED: ("46 infinity", "46 not a number", "46 digits with underscores", "46 hexadecimal")},
    ),
    47: (
        "words for nothing, and people called so",
        {
            CROSSED: ("47 a token for nothing", "47 a customer called NA", "47 a customer called None"),
            ORDERS: ("test_customers_called_na_and_none_are_customers",),
        },
    ),
    48: (
        "a negative quantity",
        {
            CROSSED: ("48 a negative quantity that nothing marks",),
            ORDERS: ("test_a_line_on_a_return_document_takes_money_back",),
        },
    ),
    49: (
        "nothing paid, nothing sold, another amount",
        {
            CROSSED: ("49 a gift",),
            ORDERS: (
                "test_a_quantity_of_zero_is_kept_and_flagged",
                "test_an_amount_that_is_not_pieces_times_price_is_believed_and_flagged",
            ),
        },
    ),
    50: (
        "two currencies",
        {
            CELLS: ("test_two_currencies_are_never_summed",),
            READINGS: ("test_another_currency_refuses_the_whole_source",),
        },
    ),
    51: (
        "another unit than last time",
        {LAST: ("test_yuan_that_come_as_fen_or_wan_yuan_are_a_change_of_unit",)},
    ),
    52: ("dates that could be either", {READINGS: ("test_a_column_of_open_dates_is_asked_for",)}),
    53: (
        "dates that tell, and that contradict",
        {
            READINGS: (
                "test_the_order_of_day_and_month_is_what_the_column_tells",
                "test_a_contradicting_date_waits_and_among_many_it_casts_no_doubt",
            )
        },
    ),
    54: (
        "dates in Chinese, with points, without signs",
        {
            CROSSED: ("54 a Chinese date", "54 a date with points", "54 a date without signs"),
            MOMENTS: ("test_a_date_with_its_year_first_is_that_date",),
        },
    ),
    55: (
        "time zones",
        {
            CROSSED: ("55 a date with its offset",),
            MOMENTS: ("test_a_moment_with_an_offset_is_told_in_the_clients_zone",),
            CELLS: ("test_an_order_half_past_midnight_in_shanghai_is_of_that_day",),
        },
    ),
    56: (
        "the future and the ends of time",
        {
            CROSSED: ("56 a date after the delivery", "56 the end of time", "56 the year one"),
            MOMENTS: ("test_what_systems_write_for_no_date_is_no_date_and_no_fault",),
        },
    ),
    57: (
        "days and hours that never were",
        {
            CROSSED: ("57 the thirtieth of February", "57 hour twenty-four"),
            MOMENTS: ("test_an_hour_that_the_clocks_skip_is_none_and_midnight_is_a_day",),
        },
    ),
    58: (
        "an exact copy",
        {CROSSED: ("58 an exact copy",), ORDERS: ("test_an_exact_copy_is_merged_and_the_first_stays",)},
    ),
    59: (
        "one number, two descriptions",
        {
            CUSTOMERS: (
                "test_the_newest_word_on_every_field_wins_in_whatever_order_the_rows_came",
                "test_fields_that_differ_are_told_without_their_values",
            )
        },
    ),
    60: (
        "one person, several numbers",
        {SAME: ("test_febrls_doubles_are_found", "test_a_name_alone_never_merges_however_rare")},
    ),
    61: (
        "a file delivered twice",
        {
            SOURCES: ("test_a_file_delivered_twice_is_used_once_whatever_its_name",),
            "test_metamorphic.py": ("test_a_file_delivered_twice_tells_the_same",),
        },
    ),
    62: (
        "a number in other spellings",
        {
            CROSSED: (
                "62 an id among blanks",
                "62 an id in full width",
                "62 an id with a decimal stays apart",
            ),
            READINGS: ("test_ids_are_trimmed_and_narrow_and_nothing_else",),
            "cleaning/test_alike_numbers.py": (
                "test_two_numbers_that_look_alike_are_told_with_how_they_differ",
                "test_alike_numbers_stay_two_customers_and_are_listed_with_their_money",
            ),
        },
    ),
    63: (
        "orders of nobody and of strangers",
        {
            CROSSED: ("63 nobody's order",),
            ORDERS: ("test_a_customer_whom_the_customer_table_lacks_is_kept_flagged_and_not_known",),
        },
    ),
    64: (
        "names that are code",
        {
            CROSSED: ("64 products with names that are code",),
            "test_naughty.py": ("test_every_name_is_kept_sign_by_sign", "test_the_report_is_inert"),
            "workbook/test_report.py": ("test_naughty_strings_are_inert",),
        },
    ),
    65: (
        "hardly any customers",
        {HARDLY: ("test_a_firm_of_any_size_has_every_customer_once_and_is_scored_from_ten_on",)},
    ),
    66: (
        "customers all alike",
        {HARDLY: ("test_customers_who_are_all_alike_are_one_segment_one_class_and_none_is_left_out",)},
    ),
    67: (
        "one class only",
        {
            HARDLY: ("test_where_nobody_left_churn_is_zero_and_where_all_left_it_is_whole",),
            SAME: ("test_customers_who_are_all_alike_are_not_all_one",),
        },
    ),
    68: (
        "a table that is not supplied",
        {
            HARDLY: ("test_beside_order_lines_any_of_the_other_tables_may_be_missing_and_that_is_told",),
            "cleaning/test_records.py": (
                "test_a_delivery_of_any_of_the_optional_tables_is_collected_cleaned_and_balances",
            ),
        },
    ),
    69: (
        "a column that is not there",
        {SOURCES: ("test_a_column_that_is_not_there_is_named_with_the_one_that_was_meant",)},
    ),
    70: (
        "not one row left",
        {HARDLY: ("test_a_delivery_of_which_no_row_is_left_is_refused_and_its_rows_are_kept_aside",)},
    ),
}


def there(file: str) -> set[str]:
    """The tests of a file, or the faults and forms that are crossed."""
    if file == CROSSED:
        pairs = faults.crossed(every=False)
        return {name for fault, form in pairs for name in (fault.name, form.name)}
    parsed = ast.parse((TESTS / file).read_text("utf-8"))
    return {node.name for node in parsed.body if isinstance(node, ast.FunctionDef)}


def test_the_catalogue_has_all_seventy_and_no_other():
    assert sorted(CATALOGUE) == list(range(1, 71))


@pytest.mark.parametrize("number", CATALOGUE)
def test_what_becomes_of_a_bad_input_is_held_by_a_test_that_exists(number):
    meaning, held = CATALOGUE[number]
    assert meaning
    assert held
    for file, names in held.items():
        assert names
        assert set(names) <= there(file), f"{number} ({meaning}): {file} lacks {set(names) - there(file)}"


def test_every_fault_that_is_crossed_is_one_of_the_catalogue_and_named_by_its_number():
    numbered = [fault.name for fault in faults.FAULTS if fault.name[0].isdigit()]
    numbered += [form.name for form in faults.FORMS if form.name[0].isdigit()]
    assert {int(name.split()[0]) for name in numbered} <= set(CATALOGUE)
    for number, (_, held) in CATALOGUE.items():
        assert all(name.startswith(f"{number} ") for name in held.get(CROSSED, ()))
