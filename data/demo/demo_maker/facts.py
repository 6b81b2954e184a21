"""What is true of the demo's clean data, counted here in plain integers and by no other code.

The tests hold `crmlib` to these figures, so nothing of `crmlib` may be used to make them.
Money is in cents. Definitions: the glossary of the workbook.
"""

import numpy as np
import pandas as pd

from . import days
from .customers import ENTERPRISE, LARGE, PERSONAL
from .orders import PRICE_FIRST
from .survey import ASPECTS, DROP

PERIODS = {"2023-Q4": "2023-Q3", "2024-Q3": "2024-Q2", "2024-Q4": "2024-Q3"}
PERIODS |= {"2024-12": "2024-11", "2024": "2023"}
ENOUGH_ORDERS, DORMANT_AFTER, CHURNED_AFTER = 4, 2, 4
DORMANT_DAYS, CHURNED_DAYS = 90, 180
SALES = ("sale", "orphans", "no_customer", "abnormal")


def bounds(period: str) -> tuple[int, int]:
    """First and last day number of a year, quarter or month."""
    form = "Y" if len(period) == 4 else "Q" if "Q" in period else "M"
    span = pd.Period(period.replace("-Q", "Q"), form)
    ends = np.array([span.start_time, span.end_time], dtype="datetime64[D]") - days.START
    return int(ends[0].astype(int)), int(ends[1].astype(int))


def clean_lines(made: pd.DataFrame) -> pd.DataFrame:
    """Sale and return lines that survive cleaning, with amount and whether they are known."""
    lines = made[made["kind"].isin([*SALES, "return"])]
    lines = lines.astype({"doc": int, "customer": int, "day": int, "price": int, "profit": int})
    lines["amount"] = lines["price"] * lines["quantity"].astype(int)
    return lines.assign(known=lines["customer"] >= 0, sold=lines["kind"] != "return")


def rhythm(lines: pd.DataFrame, as_of: int) -> pd.DataFrame:
    """Per known customer with a sale by `as_of`: orders, order days, first and last day, money."""
    past = lines[lines["known"] & lines["sold"] & (lines["day"] <= as_of)]
    grouped = past.groupby("customer")
    made = grouped.agg(orders=("doc", "nunique"), order_days=("day", "nunique"))
    made["first"], made["last"] = grouped["day"].min(), grouped["day"].max()
    made["money"] = grouped["amount"].sum()
    made["silence"] = as_of - made["last"]
    return made


def silent_beyond(made: pd.DataFrame, *, gaps: int, fixed: int) -> pd.Series:
    """Whether silence exceeds so many own gaps, or so many days where there is no rhythm."""
    own = (made["orders"] >= ENOUGH_ORDERS) & (made["order_days"] > 1)
    # silence > gaps x (last - first) / (days - 1), kept in whole numbers
    by_rhythm = made["silence"] * (made["order_days"] - 1) > gaps * (made["last"] - made["first"])
    return by_rhythm.where(own, made["silence"] > fixed)


def sales_facts(lines: pd.DataFrame, period: str) -> dict:
    """Sales, returns, orders and profit of a period."""
    first, last = bounds(period)
    now = lines[lines["day"].between(first, last)]
    sold, known = now[now["sold"]], now[now["known"]]
    back, bought = now[~now["sold"]], known[known["sold"]]
    return {
        "sales_all": int(sold["amount"].sum()),
        "sales_all_lines": len(sold),
        "sales_identified": int(bought["amount"].sum()),
        "sales_identified_lines": len(bought),
        "sales_returns": int(back["amount"].sum()),
        "sales_returns_lines": len(back),
        "sales_net": int(known["amount"].sum()),
        "orders_count": bought["doc"].nunique(),
        "profit_amount": int(known["profit"].sum()),
        "profit_all": int(now["profit"].sum()),
    }


def customer_facts(lines: pd.DataFrame, period: str, *, previous: str) -> dict:
    """Customers, retention, repurchase, churn and RFM of a period."""
    first, last = bounds(period)
    past, then = rhythm(lines, last), rhythm(lines, bounds(previous)[1])
    bought = lines[lines["known"] & lines["sold"]]
    orders = bought[bought["day"].between(first, last)].groupby("customer")["doc"].nunique()
    before = bought["customer"][bought["day"].between(*bounds(previous))].unique()
    gone = silent_beyond(past, gaps=CHURNED_AFTER, fixed=CHURNED_DAYS)
    gone_then = silent_beyond(then, gaps=CHURNED_AFTER, fixed=CHURNED_DAYS)
    quiet = silent_beyond(past, gaps=DORMANT_AFTER, fixed=DORMANT_DAYS)
    still = gone_then.index[~gone_then]
    return {
        "customers_active": len(orders),
        "customers_new": int((past["first"] >= first).sum()),
        "customers_total": len(past),
        "customers_one_order": int((past["orders"] == 1).sum()),
        "active_previous": len(before),
        "retained": int(orders.index.isin(before).sum()),
        "repurchase_customers": int((orders >= 2).sum()),
        "churned_customers": int(gone.sum()),
        "dormant_customers": int((quiet & ~gone).sum()),
        "churned_new": int(gone.reindex(still).sum()),
        "not_churned_previous": len(still),
        "rfm_recency_days": int(past["silence"].sum()),
        "rfm_orders": int(past["orders"].sum()),
        "rfm_monetary": int(past["money"].sum()),
    }


def clean_answers(table: pd.DataFrame, defects: dict, *, folk: pd.DataFrame) -> pd.DataFrame:
    """Answers that count, long: day, province, aspect, score."""
    said = defects["survey"]
    out = said["exact_duplicates"]["rows"] + said["unknown_respondents"]["rows"]
    asked = [*ASPECTS, "recommend"]
    kept = table.copy()
    for cell in said["out_of_scale"]["cells"]:
        kept.loc[cell["row"] - 1, cell["column"]] = ""
    kept = kept.drop(index=[row - 1 for row in out])
    kept["day"] = (kept["answered_on"].to_numpy().astype("datetime64[D]") - days.START).astype(int)
    # a second number is the same customer
    planted = defects["customers"]["second_numbers"]
    whose = kept["respondent"].replace(dict(zip(planted["ids"], planted["of"], strict=True)))
    kept["province"] = whose.map(folk.set_index("id")["province"])
    long = kept.melt(["day", "province"], asked, var_name="aspect", value_name="score")
    long = long[long["score"] != ""]
    return long.assign(score=long["score"].astype(int))


def satisfaction_facts(answers: pd.DataFrame, period: str) -> dict:
    """Number and sum of the answers of a period, by aspect, as asked."""
    now = answers[answers["day"].between(*bounds(period))].groupby("aspect")["score"]
    made = {name: {"n": len(group), "sum": int(group.sum())} for name, group in now}
    points = answers["score"][answers["day"].between(*bounds(period)) & (answers["aspect"] == "recommend")]
    made["recommend"] |= {"promoters": int((points >= 9).sum())}
    made["recommend"] |= {"detractors": int((points <= 6).sum())}
    return made


def planted(lines: pd.DataFrame, answers: pd.DataFrame, *, folk: pd.DataFrame) -> dict:
    """The planted truths, each checked against the clean data before it is written down."""
    past = rhythm(lines, days.COUNT - 1)
    own = past[(past["orders"] >= 8) & (past["order_days"] > 1)]
    gaps = own["silence"] / ((own["last"] - own["first"]) / (own["order_days"] - 1))
    role = folk["role"].reindex(own.index)
    tops = own[["orders", "money"]].ge(past[["orders", "money"]].quantile(0.9)).all(axis=1)
    firms = folk["type"].reindex(own.index).isin([ENTERPRISE, LARGE])
    rules = {
        "churned": ("silence above 6 own gaps, at least 8 orders", gaps > 6),
        "dormant": ("silence of 2.5 to 3.5 own gaps, at least 8 orders", gaps.between(2.5, 3.5)),
        "steady": ("silence of at most 1 own gap, at least 8 orders", gaps <= 1),
        "champions": (
            "enterprise or large, last order within 30 days, top tenth in orders and gross sales",
            firms & tops & (own["silence"] <= 30),
        ),
    }
    made = {}
    for name, (rule, holds) in rules.items():
        ids = folk["id"].loc[own.index[(role == name) & holds]].tolist()
        made[name] = {"as_of": str(days.END), "rule": rule, "count": len(ids), "ids": ids}
    made["after_sales_drop"] = aspect_drop(answers)
    made["growing_channel"] = channel_shares(lines, folk)
    return made | {"pareto": pareto(lines)}


def aspect_drop(answers: pd.DataFrame) -> dict:
    """Scores of the planted aspect before and after, in its province and in all others."""
    made = dict(DROP)
    asked = answers[answers["aspect"] == DROP["aspect"]]
    here = asked["province"] == DROP["province"]
    for place, rows in {"there": asked[here], "elsewhere": asked[~here]}.items():
        for when in ("before", "period"):
            scores = rows["score"][rows["day"].between(*bounds(DROP[when]))]
            total, count = int(scores.sum()), len(scores)
            figures = {"n": count, "sum": total, "mean": round(total / count, 6)}
            made[f"{place}_{'after' if when == 'period' else when}"] = figures
    return made


def channel_shares(lines: pd.DataFrame, folk: pd.DataFrame) -> dict:
    """Share of the mobile bank among personal customers' sale lines, by year."""
    rows = lines[lines["known"] & lines["sold"]]
    rows = rows[folk["type"].loc[rows["customer"]].to_numpy() == PERSONAL]
    made = {"channel": "手机银行", "customer_type": PERSONAL, "of": "sale lines"}
    for year in ("2022", "2023", "2024"):
        now = rows["channel_name"][rows["day"].between(*bounds(year))]
        hits = int((now == made["channel"]).sum())
        made[year] = {"lines": hits, "of": len(now), "share": round(hits / len(now), 6)}
    return made


def pareto(lines: pd.DataFrame) -> dict:
    """Share of a year's identified sales that its best tenth of customers bring."""
    now = lines[lines["known"] & lines["sold"] & lines["day"].between(*bounds("2024"))]
    money = now.groupby("customer")["amount"].sum().sort_values(ascending=False)
    # rounded up, so that the tenth is never empty
    best = -(-len(money) // 10)
    top, total = int(money.iloc[:best].sum()), int(money.sum())
    return {
        "period": "2024",
        "customers": len(money),
        "top_customers": best,
        "top_sales": top,
        "sales": total,
        "share": round(top / total, 6),
    }


def discounts(lines: pd.DataFrame, need: pd.Series) -> dict:
    """Known customers' sales, and what of them went below the list price, by the need they state first."""
    sold = lines[lines["known"] & lines["sold"]]
    sensitive = (need == PRICE_FIRST).to_numpy()[sold["customer"]]
    made = {"unit": "cents", "need": PRICE_FIRST}
    for name, chosen in (("stated", sensitive), ("others", ~sensitive)):
        money = sold["amount"][chosen]
        made[name] = {"sales": int(money.sum()), "discounted": int(money[sold["off"][chosen] > 0].sum())}
    return made


def ledger(delivered: dict, defects: dict, *, made: pd.DataFrame, quarantined: list) -> dict:
    """Rows in, kept, merged and set aside for each table; money in cents for the orders."""
    out = {}
    merged = {"customers": ["exact_duplicates", "conflicting", "second_numbers"]}
    for name, table in delivered.items():
        gone = sum(defects[name][kind]["count"] for kind in merged.get(name, ["exact_duplicates"]))
        aside = sum(defects[name][kind]["count"] for kind in quarantined if name == "orders")
        kept = len(table) - gone - aside
        out[name] = {"rows_in": len(table), "rows_kept": kept}
        out[name] |= {"rows_merged": gone, "rows_quarantined": aside}
    # a row whose quantity or price cannot be read carries no money
    readable = ~made["kind"].isin(["invalid_numbers", "not_records"])
    amount = (made["quantity"] * made["price"]).where(readable, 0).astype(np.int64)
    copies = made["kind"] == "exact_duplicates"
    parts = {"merged": copies, "quarantined": made["kind"].isin(quarantined)}
    parts["kept"] = ~(parts["merged"] | parts["quarantined"])
    out["orders"]["money_in"] = int(amount.sum())
    for part, rows in parts.items():
        out["orders"][f"money_{part}"] = int(amount[rows].sum())
    return out


def second_numbers(planted: pd.DataFrame, alike: list[dict], delivered: dict, *, first: int) -> dict:
    """Which numbers are further ones of a customer, what stands under them, and who only seems so."""
    numbers = planted["id"].tolist()
    return {
        "second_numbers": {
            "count": len(planted),
            "rows": list(range(first + 1, first + len(planted) + 1)),
            "ids": numbers,
            "of": planted["of"].tolist(),
            "ways": planted["way"].tolist(),
            "order_lines": int(delivered["orders"]["客户编号"].isin(numbers).sum()),
            "survey_forms": int(delivered["survey"]["respondent"].isin(numbers).sum()),
        },
        "look_alikes": {"count": len(alike), "pairs": alike},
    }
