"""Records beside the order lines: needs, feedback, interactions, relations, costs, campaigns, market, applications.

One cleaner for all of them. The contract says what a column is, and so what can be wrong with it; the
few words that are counted by are brought to one form, and every other word stays as delivered.
"""

from dataclasses import dataclass
from datetime import date

import duckdb
import pandas as pd
import pyarrow as pa

from crmlib import tables
from crmlib.cleaning import customers
from crmlib.cleaning.ledger import ledger
from crmlib.cleaning.order_cells import TOTAL_WORDS
from crmlib.cleaning.outcome import MISFITS, Cleaned, aside, misfit_fates
from crmlib.cleaning.words import Words, one_word
from crmlib.client import Client
from crmlib.collection import readings, values
from crmlib.collection.files import ROW
from crmlib.collection.headers import tidy
from crmlib.collection.readings import FILE, Reading
from crmlib.collection.sources import Collected, mappable
from crmlib.contract import COUNT, DAY, TEXT, Table
from crmlib.errors import SchemaError, SourceError
from crmlib.mapping import Source
from crmlib.period import day_number

TABLES = (
    *(tables.NEEDS, tables.FEEDBACK, tables.INTERACTIONS, tables.RELATIONS),
    *(tables.COSTS, tables.CAMPAIGNS, tables.MARKET, tables.APPLICATIONS),
)
STEPS = [
    *(*MISFITS, "exact-duplicate", "missing-id", "missing-name", "missing-date"),
    *("unreadable-date", "future-date", "unreadable-number", "missing-number", "negative-amount"),
    "impossible-order",
]
MONEY = {"costs": "amount", "campaigns": "cost", "applications": "amount"}  # what a row is worth
# An end may lie ahead; so may nothing else.
AHEAD = {"ended_day"}
NEVER_NEGATIVE = {*MONEY.values(), "reach", "engagement", "conversions", "term_months", "respondents"}
ORDER = (
    *(("opened_at", "answered_at"), ("opened_at", "resolved_at")),
    *(("applied_day", "decided_day"), ("began_day", "ended_day")),
)
# A tie holds until told otherwise, so that it needs no day; every other record belongs to one.
STANDING = {"relations"}
MOST = "1e12"  # beyond it no amount of a firm, and no whole number of the smallest unit at every scale
WORDS: dict[tuple[str, str], Words] = {
    ("needs", "need"): customers.WORDS["need"],
    ("feedback", "kind"): {
        "interview": ("interview", "访谈", "面谈", "电话访谈", "客户访谈", "訪談", "面談"),
        "review": ("review", "评价", "评论", "在线评价", "評價", "評論"),
        "complaint": ("complaint", "投诉", "投訴"),
        "suggestion": ("suggestion", "建议", "建議"),
        "praise": ("praise", "compliment", "表扬", "表揚"),
    },
    ("interactions", "kind"): {
        "enquiry": ("enquiry", "inquiry", "咨询", "諮詢", "查询", "查詢"),
        "complaint": ("complaint", "投诉", "投訴"),
        "after_sales": ("after_sales", "after-sales", "after sales", "售后", "售后服务", "售後", "售後服務"),
        "contact": ("contact", "回访", "拜访", "联系", "回訪", "拜訪", "聯繫"),
        "post": ("post", "发帖", "帖子", "發帖"),
        "mention": ("mention", "提及"),
    },
    ("interactions", "sentiment"): {
        "positive": ("positive", "正面", "积极", "積極"),
        "neutral": ("neutral", "中性"),
        "negative": ("negative", "负面", "消极", "負面", "消極"),
    },
    ("relations", "kind"): {
        "partner": ("partner", "合作伙伴", "合作夥伴", "伙伴", "夥伴"),
        "competitor": ("competitor", "竞争对手", "競爭對手", "竞争", "競爭"),
        "influencer": ("influencer", "影响者", "影響者"),
    },
    ("costs", "kind"): {
        "acquisition": ("acquisition", "获客", "获客成本", "獲客", "獲客成本"),
        "serve": ("serve", "service", "cost to serve", "服务", "服务成本", "服務", "服務成本"),
    },
    ("market", "question"): {
        "awareness": ("awareness", "brand awareness", "知名度", "品牌知名度", "认知度", "品牌认知度"),
        "image": ("image", "brand image", "形象", "品牌形象", "美誉度", "品牌美誉度"),
        "preference": ("preference", "first choice", "首选", "首选率", "偏好度"),
        "market_share": ("market_share", "market share", "市场份额", "市场占有率", "市占率"),
    },
    ("market", "firm"): {"us": ("us", "we", "本行", "我行", "本公司", "我司", "我们", "本企业")},
    ("applications", "decision"): {
        "approved": ("approved", "approve", "批准", "通过", "已批准", "已通过", "核准", "通過"),
        "declined": ("declined", "rejected", "refused", "拒绝", "未通过", "已拒绝", "拒絕", "未通過"),
        "pending": ("pending", "审批中", "待审批", "審批中", "待審批"),
    },
}


@dataclass(frozen=True)
class _Defect:
    """What a step looks for: its reason, the SQL that finds it, and the column at fault (None: the row)."""

    reason: str
    test: str
    column: str | None = None


def records(
    collected: Collected, client: Client, *, table: Table, delivered_on: date, known: set[str] | None
) -> Cleaned:
    """A table of records in the types of its contract; what cannot be read is set aside with its reason.

    Parameters
    ----------
    collected : the records as text
    client : its mapping; `exact_duplicates: keep` keeps copies
    table : the contract, one of `TABLES`
    delivered_on : a date after it is in the future, but for the end of a campaign
    known : numbers of known customers; None where none are supplied: whoever is named is known

    Returns
    -------
    `kept` in the columns of the contract, money in the smallest unit, days since 1970-01-01. Records of
    nobody, and of customers whom nobody knows, are kept with `known` false.

    Raises
    ------
    SourceError : most dates cannot be read; SchemaError : money finer than the client keeps
    """
    source = client.tables.named()[table.name]
    engine = tables.engine()
    collected.delivered(engine)
    engine.register("known", pa.table({"id": pa.array(sorted(known or ()), pa.string())}))
    found = _cells(engine, source, client, table)
    engine.execute(f"CREATE TEMP TABLE typed AS {_typed(collected, source, table, found)}")
    _refuse_unreadable_dates(engine, source, table)
    defects = _defects(source, table, day_number(delivered_on))
    engine.execute(f"CREATE TEMP TABLE judged AS SELECT *, {_case(defects, source)} FROM typed")
    _refuse_finer_money(engine, table, client.decimals)
    worth = _worth(table, client.decimals)
    fates = engine.sql(
        f"SELECT reason, count(*) AS rows, CAST(sum({worth}) AS BIGINT) AS money FROM judged GROUP BY reason"
    ).df()
    lost = engine.sql(
        f"SELECT {FILE} AS source_file, {ROW} AS source_row, reason, {worth} AS money, "
        '"at fault" AS "column" FROM judged WHERE reason IS NOT NULL AND reason <> \'exact-duplicate\''
    ).df()
    return Cleaned(
        _kept(engine, table, client.decimals, known is not None),
        aside(lost, collected),
        ledger(pd.concat([fates, misfit_fates(collected)]), table.name, STEPS),
        repaired=readings.repairs(engine, table.name, found.values()),
    )


def _form(table: Table, column: str) -> str:
    """How a column is read and judged: text, day, moment, money, count or number."""
    type = table.column(column).type
    if column == MONEY.get(table.name):
        return "money"
    if pa.types.is_timestamp(type):
        return "moment"
    return {TEXT: "text", DAY: "day", COUNT: "count"}.get(type, "number")


STORED = {"text": "VARCHAR", "day": "INTEGER", "moment": "TIMESTAMP"}


def _cells(
    engine: duckdb.DuckDBPyConnection, source: Source, client: Client, table: Table
) -> dict[str, Reading]:
    """How each mapped column but plain text is read."""
    form, found = readings.said(client, table.name), {}
    for column in mappable(table.name):
        kind, header = _form(table, column), source.columns.get(column)
        if header is None:
            continue
        if kind in ("day", "moment"):
            found[column] = readings.moment(engine, header, form)
        elif kind != "text":
            found[column] = readings.number(engine, header, form)
        elif column.endswith("_id"):
            found[column] = readings.identifier(engine, header)
    return found


def _cell(form: str, reading: Reading) -> tuple[str, str]:
    """A cell in its form as SQL, and whether it holds something that is none."""
    if form == "text":
        return reading.value, reading.bad
    if form == "day":
        return readings.day(reading), reading.bad
    if form == "moment":
        return f"date_trunc('second', {reading.value})", reading.bad
    whole = f"AND {reading.value} = trunc({reading.value})" if form == "count" else ""
    fits = f"abs({reading.value}) < {MOST} {whole}"
    return (
        f"CASE WHEN {fits} THEN {reading.value} END",
        f"({reading.bad} OR coalesce(NOT ({fits}), false))",
    )


def _typed(collected: Collected, source: Source, table: Table, found: dict[str, Reading]) -> str:
    """Source columns as columns of the contract, and for each whether it held something that is none."""
    parts = []
    for column in mappable(table.name):
        form = _form(table, column)
        if column not in source.columns:
            parts.append(f"CAST(NULL AS {STORED.get(form, values.NUMBER)}) AS {column}")
            continue
        plain = values.text(f"delivered.{values.name(tidy(source.columns[column]))}")
        read, bad = _cell(form, found[column]) if column in found else (plain, "false")
        words = WORDS.get((table.name, column))
        parts.append(f"{one_word(read, words) if words else read} AS {column}")
        parts.append(f'({bad}) AS "{column} bad"')
    originals = ", ".join(f"delivered.{values.name(c)}" for c in collected.headers)
    copies = (
        f"row_number() OVER (PARTITION BY {originals} ORDER BY {FILE}, {ROW})"
        if source.exact_duplicates == "merge"
        else "1"
    )
    return (
        f"SELECT {FILE}, {ROW}, {', '.join(parts)}, {copies} AS copy, {_total(collected, source, table)} AS is_total "
        f"FROM delivered {readings.joins(found.values())}"
    )


def _total(collected: Collected, source: Source, table: Table) -> str:
    """SQL: a line of totals (it begins with the word and has no day)."""
    first = ", ".join(values.text(f"delivered.{values.name(c)}") for c in collected.headers)
    day = source.columns.get(_day(table))
    dated = values.text(f"delivered.{values.name(tidy(day))}") if day else "NULL"
    words = ", ".join(map(values.literal, TOTAL_WORDS))
    return f"(coalesce(lower(coalesce({first})) IN ({words}), false) AND {dated} IS NULL)"


def _day(table: Table) -> str:
    """The column by which a record belongs to a period, as it is delivered."""
    return "opened_at" if table.name == "interactions" else tables.DAYS[table.name]


def _defects(source: Source, table: Table, newest: int) -> list[_Defect]:
    """Everything that can be wrong with a row of this table, in the order of `STEPS`."""
    forms = {column: _form(table, column) for column in mappable(table.name) if column in source.columns}
    dates = [c for c, form in forms.items() if form in ("day", "moment")]
    numbers = [c for c, form in forms.items() if form in ("money", "count", "number")]
    must = {c.name for c in table.columns if c.required and c.name in forms}
    must |= {_day(table)} & set(dates) if table.name not in STANDING else set()

    def missing(what: str, columns: list[str]) -> list[_Defect]:
        return [_Defect(f"missing-{what}", f'{c} IS NULL AND NOT "{c} bad"', c) for c in columns if c in must]

    texts = [
        _Defect("missing-id" if c.endswith("_id") else "missing-name", f"{c} IS NULL", c)
        for c, form in forms.items()
        if form == "text" and c in must
    ]
    ahead = [c for c in dates if c not in AHEAD]
    pairs = [(begin, end) for begin, end in ORDER if {begin, end} <= set(dates)]
    found = [
        _Defect("not-a-record", "is_total"),
        _Defect("exact-duplicate", "copy > 1"),
        *(_Defect("digits-lost", f'"{c} bad"', c) for c, form in forms.items() if form == "text"),
        *texts,
        *missing("date", dates),
        *(_Defect("unreadable-date", f'"{c} bad"', c) for c in dates),
        *(_Defect("future-date", f"{_day_of(c, forms[c])} > {newest}", c) for c in ahead),
        *(_Defect("unreadable-number", f'"{c} bad"', c) for c in numbers),
        *missing("number", numbers),
        *(_Defect("negative-amount", f"{c} < 0", c) for c in numbers if c in NEVER_NEGATIVE),
        *(_Defect("impossible-order", _ends_first(b, e, forms[e]), e) for b, e in pairs),
    ]
    return sorted(found, key=lambda defect: STEPS.index(defect.reason))


def _day_of(column: str, form: str) -> str:
    if form == "day":
        return column
    return f"date_diff('day', DATE '1970-01-01', CAST({column} AS DATE))"


def _ends_first(begin: str, end: str, form: str) -> str:
    """SQL: the end lies before the beginning. A moment at midnight is a day whose hour nobody noted."""
    if form == "day":
        return f"{end} < {begin}"
    return f"{end} < {begin} AND ({end} <> date_trunc('day', {end}) OR CAST({end} AS DATE) < CAST({begin} AS DATE))"


def _case(defects: list[_Defect], source: Source) -> str:
    """SQL: the first reason that holds, and the header of the cell at fault."""
    reasons = " ".join(f"WHEN {d.test} THEN {values.literal(d.reason)}" for d in defects)
    cells = " ".join(
        f"WHEN {d.test} THEN {values.literal(tidy(source.columns[d.column]) if d.column else '')}"
        for d in defects
    )
    return f'CASE {reasons} END AS reason, CASE {cells} END AS "at fault"'


def _scaled(column: str, decimals: int) -> str:
    return f"CAST(round({column} * {10**decimals}) AS BIGINT)"


def _worth(table: Table, decimals: int) -> str:
    """SQL: what a row is worth; a line of totals is worth nothing of its own."""
    column = MONEY.get(table.name)
    return f"CASE WHEN is_total THEN 0 ELSE coalesce({_scaled(column, decimals)}, 0) END" if column else "0"


def _kept(engine: duckdb.DuckDBPyConnection, table: Table, decimals: int, listed: bool) -> pa.Table:
    """The records that stay, in the columns of the contract."""

    def stored(column: str) -> str:
        if column in ("known", "other_known"):
            number = "customer_id" if column == "known" else "other_id"
            return (
                f"coalesce({number} IN (SELECT id FROM known), false)" if listed else f"{number} IS NOT NULL"
            )
        if column == "opened_day":
            return _day_of("opened_at", "moment")
        if column in ("source_file", "source_row"):
            return FILE if column == "source_file" else ROW
        form = _form(table, column)
        cast = {"money": _scaled(column, decimals), "count": f"CAST({column} AS BIGINT)"}
        return cast.get(form) or (f"CAST({column} AS DOUBLE)" if form == "number" else column)

    columns = ", ".join(f"{stored(c.name)} AS {c.name}" for c in table.columns)
    rows = engine.sql(f"SELECT {columns} FROM judged WHERE reason IS NULL ORDER BY {FILE}, {ROW}")
    return tables.conform(rows.to_arrow_table(), table)


def _refuse_unreadable_dates(engine: duckdb.DuckDBPyConnection, source: Source, table: Table) -> None:
    """Dates that mostly cannot be read are a question of form, not of single bad rows."""
    day = _day(table)
    if day not in source.columns:
        return
    bad, read = engine.sql(
        f'SELECT count(*) FILTER ("{day} bad"), count({day}) FROM typed WHERE NOT is_total'
    ).fetchall()[0]
    if bad > read:
        raise SourceError(
            f"{table.name}: {bad:,} of {bad + read:,} dates in column {source.columns[day]!r} cannot be read. "
            "Year-first dates are read as they are; for any other form say date_format in client.yml, "
            'as in date_format: "%d/%m/%Y".'
        )


def _refuse_finer_money(engine: duckdb.DuckDBPyConnection, table: Table, decimals: int) -> None:
    """Money finer than the client keeps would be rounded away in silence."""
    column = MONEY.get(table.name)
    if not column:
        return
    rows, file, row = engine.sql(
        f"SELECT count(*), min({FILE}), arg_min({ROW}, ({FILE}, {ROW})) FROM judged "
        f"WHERE reason IS NULL AND {column} <> round({column}, {decimals})"
    ).fetchall()[0]
    if rows:
        raise SchemaError(
            f"{table.name}: {rows:,} amounts (the first in {file}, row {row}) are finer than {decimals} "
            f"decimals. Say decimals: {decimals + 1} in client.yml, or round them in the source."
        )
