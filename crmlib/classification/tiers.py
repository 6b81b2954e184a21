"""The customer tier-management table (T01): twelve columns, in the forms firms pass around, to Excel."""

from datetime import datetime
from io import BytesIO

import numpy as np
import pandas as pd
import xlsxwriter
from pydantic import BaseModel

from crmlib.classification.classes import POINTS, tier_parts
from crmlib.classification.tags import condition
from crmlib.rules import Classes

COLUMNS = (
    "客户名称",
    "联系方式",
    "所属行业",
    "历史购买记录",
    "消费金额",
    "利润贡献",
    "购买频率",
    "活跃度",
    "忠诚度",
    "需求和偏好",
    "满意度",
    "分级",
)
LEVELS = {"high": "高", "medium": "中", "low": "低"}
NEEDS = {"price_sensitive": "价格敏感型", "quality_seeking": "品质追求型", "personalised": "个性化需求"}
SATISFACTION = {"satisfied": "满意", "neutral": "中立", "dissatisfied": "不满意"}
TIERS = {"high": "高价值客户", "medium": "中价值客户", "low": "低价值客户"}
NOT_GRADED = "未分级"
UNITS = {"CNY": "元", "USD": "美元", "EUR": "欧元", "GBP": "英镑", "JPY": "日元", "HKD": "港元"}
COLOURS = ("#D9EAD3", "#FFF2CC", "#F4CCCC")
NUMBERS = "#,##0.00"
CAUSES = {"money": "金额", "frequency": "频率", "recency": "最近购买", "satisfaction": "满意与推荐"}
CAUSES |= {"time": "客户年限", "cut": "他人变动（分界移动）", "rule": "规则变更"}
FACTS = {"net": "累计净消费", "profit": "累计利润", "orders_a_year": "年订单数", "orders": "累计订单数"}
FACTS |= {"recommend": "推荐意愿", "score": "最近满意度", "recency_days": "距上次购买天数"}
FACTS |= {"tenure_days": "客户天数", "net_needed": "净消费分界", "profit_needed": "利润分界"}
FACTS |= {
    "orders_a_year_needed": "年订单数分界",
    "lifetime_value": "客户终身价值",
    "lifetime_value_needed": "终身价值分界",
}
LONGEST = 32_767  # characters of a workbook's cell


def tiers(
    facts: pd.DataFrame, classes: pd.DataFrame, customers: pd.DataFrame, *, currency: str, decimals: int
) -> pd.DataFrame:
    """The table as firms know it, best customers first.

    Parameters
    ----------
    facts, classes : a row per customer with a sale
    customers : names and attributes; a customer who is not listed shows his number

    Returns
    -------
    The twelve `COLUMNS` as text (`10次`, `10000元`, 高/中/低), indexed by customer_id. What is not
    known is empty; spend is net of returns.
    """
    rows = facts.merge(classes, on="customer_id", validate="one_to_one").merge(
        customers, on="customer_id", how="left", validate="one_to_one", suffixes=("_class", "")
    )
    rows = rows.sort_values(
        ["tier_points", "net", "customer_id"], ascending=[False, False, True], na_position="last"
    )
    unit = UNITS.get(currency, currency)
    table = pd.DataFrame(
        {
            "客户名称": rows["name"].fillna(rows["customer_id"]),
            "联系方式": rows["contact"],
            "所属行业": rows["industry"],
            "历史购买记录": rows["orders"].map(lambda count: "" if pd.isna(count) else f"{int(count)}次"),
            "消费金额": rows["net"].map(lambda amount: _amount(amount, decimals, unit)),
            "利润贡献": rows["profit"].map(lambda amount: _amount(amount, decimals, unit)),
            "购买频率": rows["frequency"].map(LEVELS),
            "活跃度": rows["activity"].map(LEVELS),
            "忠诚度": rows["loyalty"].map(LEVELS),
            "需求和偏好": _needed(rows).map(lambda need: NEEDS.get(need, need)),
            "满意度": rows["satisfaction"].map(SATISFACTION),
            "分级": rows["tier"].map(TIERS).fillna(NOT_GRADED),
        }
    )
    return table[list(COLUMNS)].astype(object).fillna("").set_axis(rows["customer_id"], axis=0)


def _needed(rows: pd.DataFrame) -> pd.Series:
    """The need group of each customer; where there is none, the need as the customer table states it."""
    return rows["need_class"].where(rows["need_class"] != "not_known", rows["need"])


def _amount(amount: int | None, decimals: int, unit: str) -> str:
    """An amount with its unit, without needless zeros.

    >>> _amount(1000000, 2, "元"), _amount(1050, 2, "元"), _amount(-5, 3, "元")
    ('10000元', '10.5元', '-0.005元')
    """
    if pd.isna(amount):
        return ""
    whole, rest = divmod(abs(int(amount)), 10**decimals)
    digits = f"{rest:0{decimals}d}".rstrip("0") if decimals else ""
    return f"{'-' if amount < 0 else ''}{whole}{'.' + digits if digits else ''}{unit}"


def regraded(
    classes: pd.DataFrame, stated: pd.DataFrame, facts: pd.DataFrame, rules: Classes, *, decimals: int
) -> pd.DataFrame:
    """Customers whose tier is not the one the firm has given them, and the part that decides it.

    Parameters
    ----------
    classes, facts : a row per customer, in the same order
    stated : what the firm itself says, as `classification.stated.stated` returns it

    Returns
    -------
    customer_id, given, tier (computed), decided_by, spend, lifetime, frequency, loyalty (the parts of
    the tier; activity and satisfaction where they weigh). `decided_by` is the part whose weighted points
    pull furthest from the given tier towards the computed one, of equals the first in this order;
    `tier_cuts` where no part pulls that way, so that only the cuts of the mean itself decide; `no_cuts`
    where no tier could be computed. The largest spend first.
    """
    habits = {name: classes[name] for name in ("activity", "satisfaction")}
    judged, worth = (classes["frequency"], classes["loyalty"]), classes.get("lifetime_value")
    worth = None if worth is None or worth.isna().all() else worth
    parts = tier_parts(facts, *judged, rules, decimals, lifetime=worth, habits=habits)
    names = ("spend", "lifetime", "frequency", "loyalty", *(name for name in habits if name in parts))
    pair = classes[["customer_id", "tier"]].assign(
        given=classes["customer_id"].map(stated.set_index("customer_id")["tier"]),
        net=facts["net"].to_numpy(),
        **{name: parts[name] for name in names},
    )
    apart = pair[pair["given"].notna() & (pair["given"] != pair["tier"])].copy()
    given = apart["given"].map(POINTS).astype(float)
    way = np.sign(apart["tier"].map(POINTS).astype(float) - given)
    weights = rules.tier.weights.model_dump()
    pull = pd.DataFrame({n: (apart[n].map(POINTS).astype(float) - given) * way * weights[n] for n in names})
    decided = pull.fillna(-np.inf).idxmax(axis=1) if len(pull) else pd.Series(dtype=object)
    decided = decided.mask(pull.max(axis=1) <= 0, "tier_cuts")
    apart["decided_by"] = decided.where(way.notna(), "no_cuts")
    ordered = apart.sort_values(["net", "customer_id"], ascending=[False, True], na_position="last")
    return ordered[["customer_id", "given", "tier", "decided_by", *names]].reset_index(drop=True)


def disagreement(regraded: pd.DataFrame, classes: pd.DataFrame, stated: pd.DataFrame) -> dict:
    """How far given and computed tiers part.

    Returns
    -------
    given (customers held against their given tier), apart (with another one computed) and its share,
    up, down, ungraded (with none computed), decided (the parts that most often decide), unheard (given
    tiers of customers of whom nothing else is known).
    """
    given, apart = compared(classes, stated), len(regraded)
    way = regraded["tier"].map(POINTS).astype(float) - regraded["given"].map(POINTS).astype(float)
    decided = regraded["decided_by"].value_counts()
    return {
        "given": given,
        "apart": apart,
        "share": apart / max(given, 1),
        "up": int((way > 0).sum()),
        "down": int((way < 0).sum()),
        "ungraded": int(way.isna().sum()),
        "unheard": int(stated["tier"].notna().sum()) - given,
        "decided": sorted(decided.index[decided == decided.max()]),
    }


def figures(disagreement: dict) -> dict[str, dict]:
    """Customers with another tier than the given one; no figure where none is given."""
    if not disagreement["given"]:
        return {}
    return {"tier.regraded.customers": {"value": disagreement["apart"], "n": disagreement["given"]}}


def compared(classes: pd.DataFrame, stated: pd.DataFrame) -> int:
    """How many customers have a given tier to hold theirs against."""
    given = stated.loc[stated["tier"].notna(), "customer_id"]
    return int(classes["customer_id"].isin(given).sum())


def rules_used(rules: Classes) -> pd.DataFrame:
    """Every setting that decided a class, as it stands in `client.yml` or by default: key, value."""
    return pd.DataFrame(list(_settings("classes", rules)), columns=["key", "value"])


def _settings(key: str, rule: BaseModel):
    for name in type(rule).model_fields:
        value = getattr(rule, name)
        if isinstance(value, BaseModel):
            yield from _settings(f"{key}.{name}", value)
        elif name == "tags":
            yield from ((f"{key}.tags.{tag}", condition(value[tag])) for tag in sorted(value))
        else:
            yield f"{key}.{name}", "by share" if value is None else str(value)


def workbook(
    table: pd.DataFrame,
    *,
    counts: pd.DataFrame,
    moved: pd.DataFrame,
    rules: pd.DataFrame,
    decimals: int = 2,
) -> bytes:
    """The tier table and its companions as an Excel file: rules used, counts per class, changes.

    Text from data stays text: nothing becomes a formula, a link or a number.

    Parameters
    ----------
    moved : as `classification.migration.moves` returns it, money in the smallest unit
    """
    sink = BytesIO()
    inert = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "in_memory": True,
    }
    with xlsxwriter.Workbook(sink, inert) as book:
        # The same table gives the same bytes.
        book.set_properties({"created": datetime(2000, 1, 1)})
        page = _sheet(book, "客户分级", table, (30, 16, 12, 14, 16, 16, 10, 10, 10, 14, 10, 14))
        _coloured(book, page, len(table))
        _sheet(book, "规则", rules.set_axis(["设置", "取值"], axis=1), (44, 28))
        _sheet(book, "分级统计", counts, (14, 14, 12, 12))
        changes = changed(moved, table["客户名称"], decimals=decimals)
        _sheet(book, "变动", changes, (18, 30, 14, 14, 20, 26, 14, 14, 16, 16), NUMBERS)
    return sink.getvalue()


def _coloured(book: xlsxwriter.Workbook, page: xlsxwriter.worksheet.Worksheet, rows: int) -> None:
    """Colours that follow the words: high and content green, the middle yellow, low and discontent red."""
    shades = [book.add_format({"bg_color": colour}) for colour in COLOURS]
    for column, words in (
        *((COLUMNS.index(name), LEVELS) for name in ("购买频率", "活跃度", "忠诚度")),
        (COLUMNS.index("满意度"), SATISFACTION),
        (COLUMNS.index("分级"), TIERS),
    ):
        for word, shade in zip(words.values(), shades, strict=True):
            rule = {"type": "cell", "criteria": "==", "value": f'"{word}"', "format": shade}
            page.conditional_format(1, column, max(rows, 1), column, rule)


def changed(moved: pd.DataFrame, names: pd.Series, *, decimals: int) -> pd.DataFrame:
    """Changes since the previous period as firms read them: who, from, to, why, and the money in main units.

    Parameters
    ----------
    moved : as `classification.migration.moves` returns it
    names : customers' names by customer_id
    """
    wanted = [
        "customer_id",
        "before",
        "now",
        "cause",
        "fact",
        "unit",
        "previous",
        "value",
        "net",
        "net_change",
    ]
    rows = moved.reindex(columns=wanted)
    words = {**TIERS, "not_graded": NOT_GRADED, "": "新客户"}
    main = pd.Series(10**decimals, index=rows.index)
    of_fact = main.where(rows["unit"] == "money", 1)
    return pd.DataFrame(
        {
            "客户编号": rows["customer_id"],
            "客户名称": rows["customer_id"].map(names).fillna(""),
            "上期分级": rows["before"].map(words),
            "本期分级": rows["now"].map(words),
            "变动原因": [
                "、".join(CAUSES.get(c, c) for c in str(cause).split("+"))
                for cause in rows["cause"].astype(object).fillna("")
            ],
            "依据": [FACTS.get(fact, fact) for fact in rows["fact"].astype(object).fillna("")],
            "上期值": _in_main(rows["previous"], of_fact),
            "本期值": _in_main(rows["value"], of_fact),
            "本期净销售额": _in_main(rows["net"], main),
            "较上期增减": _in_main(rows["net_change"], main),
        }
    )


def _in_main(values: pd.Series, scale: pd.Series) -> list:
    """Numbers in main units; text as it is, nothing where nothing is known."""
    pairs = zip(values.astype(object), scale, strict=True)
    return ["" if pd.isna(v) else v if isinstance(v, str) else float(v) / by for v, by in pairs]


def counts(classes: pd.DataFrame) -> pd.DataFrame:
    """How many customers each class holds: 分类 (dimension), 类别 (class), 客户数, 占比."""
    words = {"tier": ("分级", TIERS), "frequency": ("购买频率", LEVELS), "activity": ("活跃度", LEVELS)}
    words |= {"loyalty": ("忠诚度", LEVELS), "satisfaction": ("满意度", SATISFACTION), "abc": ("ABC", {})}
    rows = []
    for column, (name, translated) in words.items():
        held = classes[column].dropna().value_counts()
        order = [c for c in (*translated, "A", "B", "C", "not_graded") if c in held.index]
        rows += [
            (
                name,
                translated.get(c, NOT_GRADED if c == "not_graded" else c),
                int(held[c]),
                held[c] / held.sum(),
            )
            for c in order
        ]
    return pd.DataFrame(rows, columns=["分类", "类别", "客户数", "占比"])


def _sheet(
    book: xlsxwriter.Workbook, name: str, table: pd.DataFrame, widths: tuple[int, ...], numbers: str = "0.0%"
):
    """A table as a sheet: its header stays in sight and filters, the first column stays too."""
    page = book.add_worksheet(name)
    head = book.add_format({"bold": True, "bottom": 1, "bg_color": "#EFEFEF"})
    broken = book.add_format({"num_format": numbers})
    for place, (column, width) in enumerate(zip(table.columns, widths, strict=True)):
        page.set_column(place, place, width)
        page.write_string(0, place, column, head)
        for row, value in enumerate(table[column], start=1):
            if isinstance(value, float):
                page.write_number(row, place, value, broken)
            elif isinstance(value, int):
                page.write_number(row, place, value)
            elif text := str(value):
                page.write_string(row, place, text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…")
    page.freeze_panes(1, 1)
    page.autofilter(0, 0, max(len(table), 1), len(table.columns) - 1)
    return page
