"""Text → numbers and dates, as SQL expressions over a text column.

A cell that is not plainly a number or a date becomes NULL, and cleaning sets its row aside: no
engine's own guess is trusted (`1,5` is not 15, `45356` is no day of 1970).
"""

# Nine decimals hold every price seen; whatever comes with more is the noise of a float.
NUMBER = "DECIMAL(28,9)"
_NUMBER_FORM = r"[-+]?(\d+|\d{1,3}(,\d{3})+)?(\.\d+)?([eE][-+]?\d{1,2})?"
_DAY_FORM = r"\d{4}-\d{1,2}-\d{1,2}([ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?)?"
# What firms write where there is nothing; in text columns only the empty cell counts as nothing,
# because customers are called NA and None.
NOTHING = ("", "-", "--", "N/A", "n/a", "NULL", "null", r"\N", "无", "空", "未知")


BLANKS = "' \t\r\n\u00a0\u3000'"


def name(header: str) -> str:
    """A column's name, quoted for SQL.

    >>> name('Say "price"')
    '"Say ""price\"""'
    """
    return '"' + header.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text, quoted for SQL.

    >>> literal("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def text(column: str) -> str:
    """The trimmed text; NULL where the cell is empty."""
    return f"nullif(trim({column}, {BLANKS}), '')"


def given(column: str) -> str:
    """Whether a cell that should hold a number or a date holds anything."""
    return f"coalesce({text(column)} NOT IN ({', '.join(map(literal, NOTHING))}), false)"


def number(column: str) -> str:
    """The exact decimal of a cell; NULL where it is not plainly a number."""
    bare = f"trim(translate({column}, '¥￥', ''), {BLANKS})"
    return (
        f"CASE WHEN regexp_full_match({bare}, {literal(_NUMBER_FORM)}) AND regexp_matches({bare}, '\\d') "
        f"THEN try_cast(replace({bare}, ',', '') AS {NUMBER}) END"
    )


# Units that only say what is counted, and those that multiply.
_COUNTED = "次|元|圆|圓|块|笔|筆|单|單|件|个|個|人民币|人民幣|个月|個月|月|天|日|年"
_TIMES = {"千": 10**3, "万": 10**4, "萬": 10**4, "百万": 10**6, "百萬": 10**6, "千万": 10**7, "千萬": 10**7}
_TIMES |= {"亿": 10**8, "億": 10**8}
_WIDE, _NARROW = "０１２３４５６７８９．，－＋", "0123456789.,-+"


def measured(column: str) -> str:
    """The exact decimal of a cell that may name its unit: `10次`, `10000元`, `3.2万`, `¥1,234.50`.

    NULL where it is not plainly a number with a unit that is known.
    """
    bare = f"trim(translate({column}, {literal(_WIDE)}, {literal(_NARROW)}), {BLANKS})"
    times = "|".join(sorted(_TIMES, key=len, reverse=True))
    form = rf"[-+]?[¥￥]?[-+]?(\d+|\d{{1,3}}(,\d{{3}})+)?(\.\d+)? *({times})? *({_COUNTED})?"
    cases = " ".join(f"WHEN {literal(word)} THEN {factor}" for word, factor in _TIMES.items())
    digits = f"try_cast(regexp_replace({bare}, '[^0-9.+-]', '', 'g') AS {NUMBER})"
    factor = f"(CASE regexp_extract({bare}, {literal(times)}) {cases} ELSE 1 END)"
    with_unit = f"CASE WHEN regexp_full_match({bare}, {literal(form)}) THEN try_cast({digits} * {factor} AS {NUMBER}) END"
    return f"coalesce({number(column)}, {with_unit})"


def moment(column: str, date_format: str | None = None) -> str:
    """The timestamp of a cell; NULL where it is not plainly a date.

    Year first needs no format: 2024-03-05, 2024/3/5, 2024.3.5, 2024年3月5日, 20240305, with a time
    or without. Day or month first is ambiguous and needs `date_format` (strptime form). 1900-01-01,
    9999-12-31 and the like are how systems write "no date", and no date they are.
    """
    bare = f"trim({column}, {BLANKS})"
    if date_format:
        return _of_our_time(f"try_strptime({bare}, {literal(date_format)})")
    iso = (
        f"regexp_replace(regexp_replace({bare}, '^(\\d{{4}})[年/.](\\d{{1,2}})[月/.](\\d{{1,2}})日?', '\\1-\\2-\\3'),"
        f" '^(\\d{{4}})(\\d{{2}})(\\d{{2}})$', '\\1-\\2-\\3')"
    )
    return _of_our_time(
        f"CASE WHEN regexp_full_match({iso}, {literal(_DAY_FORM)}) THEN try_cast({iso} AS TIMESTAMP) END"
    )


def _of_our_time(moment: str) -> str:
    return (
        f"CASE WHEN {moment} > TIMESTAMP '1900-01-02' AND {moment} < TIMESTAMP '2200-01-01' THEN {moment} END"
    )


def day(column: str, date_format: str | None = None) -> str:
    """The day number (days since 1970-01-01) of a cell."""
    return f"date_diff('day', DATE '1970-01-01', CAST({moment(column, date_format)} AS DATE))"
