"""Who is granted what they apply for (K07): loans and project finance.

An application counts in the period in which it is decided, whoever made it: applicants who were declined
may never have become customers, and to leave them out would flatter the rate. Applications without a customer
are of an unknown type and tier.
"""

from collections.abc import Iterable

import pandas as pd
from scipy import stats

from crmlib.analysis import intervals
from crmlib.analysis.kpis import NO_DATA, Figures
from crmlib.period import Period

# Decided applications of a group; below it a share with its interval says next to nothing.
ENOUGH = 10
APPROVED, DECLINED, PENDING = "approved", "declined", "pending"
PROJECT, LOAN, UNKNOWN = "project_finance", "loan", "unknown"
PROJECTS = ("项目融资", "項目融資", "项目贷款", "項目貸款", "project finance", "project financing")
NOT_SUPPLIED, FEW = "not supplied", "too few"
BY_CUSTOMER = ("customer_type", "tier", "credit_grade")
BY_PURPOSE = ("kind", "product", "purpose")
COLUMNS = ["application_id", "customer_id", "day", "waited", "decision", "amount", "kind", "product"]
COLUMNS += ["purpose", "credit_grade", "customer_type", "tier"]
GROUPS = ["class", "level", "decided", "approved", "approved_share", "approved_share_low"]
GROUPS += ["approved_share_high", "granted"]
UNITS = {"class": "word", "level": "word", "decided": "count", "approved": "count", "granted": "money"}
UNITS |= dict.fromkeys(("approved_share", "approved_share_low", "approved_share_high"), "share")


def judged(
    applications: pd.DataFrame | None, people: pd.DataFrame, classes: pd.DataFrame, span: Period
) -> pd.DataFrame | None:
    """Applications decided in a period, with what they are grouped by.

    Where no application names the day of its decision, the day it was made stands for it.

    Parameters
    ----------
    applications : by as_of, in the columns of `tables.APPLICATIONS`; None where not supplied
    people : customer_id, customer_type; classes : customer_id, tier, both of known customers

    Returns
    -------
    application_id, customer_id, day, waited (days from the application to its decision; empty where that day is
    not known), decision (approved, declined, or a word that is neither), amount (applied for), kind
    (`project_finance` where product or purpose says so, else `loan`), product, purpose, credit_grade (of
    the application, else empty), customer_type, tier (empty where the customer is not known)
    """
    if applications is None:
        return None
    rows = applications[applications["decision"] != PENDING]
    day = rows["applied_day"] if rows["decided_day"].isna().all() else rows["decided_day"]
    rows = rows.assign(day=day, waited=rows["decided_day"] - rows["applied_day"])
    rows = rows[rows["day"].between(*span.day_range)]
    # A decision that nobody wrote down is one only where its day is known.
    rows = rows[rows["decision"].notna() | rows["decided_day"].notna()]
    types, tiers = (
        table.set_index("customer_id")[name] for table, name in ((people, "customer_type"), (classes, "tier"))
    )
    whose = rows["customer_id"].where(rows["known"])
    rows = rows.assign(kind=_kind(rows), customer_type=whose.map(types), tier=whose.map(tiers))
    return rows[COLUMNS].reset_index(drop=True)


def _kind(rows: pd.DataFrame) -> pd.Series:
    """Loan or project finance, by what product and purpose are called; empty where neither is."""
    words = rows["product"].astype(object).fillna("") + " " + rows["purpose"].astype(object).fillna("")
    words = words.astype(str).str.lower()
    named = words.map(lambda said: PROJECT if any(word in said for word in PROJECTS) else LOAN)
    return named.astype(object).where(words.str.strip() != "", None)


def read(judged: pd.DataFrame) -> pd.DataFrame:
    """Those whose decision is approved or declined."""
    return judged[judged["decision"].isin([APPROVED, DECLINED])]


def figures(applications: pd.DataFrame | None, judged: pd.DataFrame | None, span: Period) -> Figures:
    """Applications of a period and what became of them; before the first application nothing is known of any.

    Parameters
    ----------
    applications : by as_of, in the columns of `tables.APPLICATIONS`; None where not supplied
    judged : as `judged` returns it
    """
    if applications is None or judged is None or not len(applications):
        counted = ("made", "decided", "approved", "pending", "unread")
        ids = [f"finance.{name}" for name in (*counted, "success_rate", "granted", "days.mean")]
        why = NOT_SUPPLIED if applications is None else NO_DATA
        return {id: {"value": None, "n": 0, "why": why} for id in ids}
    told = read(judged)
    yes = told[told["decision"] == APPROVED]
    made = int(applications["applied_day"].between(*span.day_range).sum())
    waiting = int((applications["decision"] == PENDING).sum())
    why = "no application was decided in the period"
    if len(judged) and not len(told):
        why = "no decision is a word that is known"
    rate = intervals.share(len(yes), len(told))
    return {
        "finance.made": {"value": made, "n": len(applications)},
        "finance.decided": {"value": len(told), "n": len(told)},
        "finance.approved": {"value": len(yes), "n": len(told)},
        "finance.pending": {"value": waiting, "n": len(applications)},
        "finance.unread": {"value": len(judged) - len(told), "n": len(judged)},
        "finance.success_rate": rate if len(told) else rate | {"why": why},
        "finance.granted": _granted(yes),
        "finance.days.mean": _waited(told),
    }


def _granted(yes: pd.DataFrame) -> dict:
    """What approved applications asked for; None where none was approved, or none names an amount."""
    known = yes["amount"].dropna()
    if not len(known):
        return {"value": None, "n": 0, "why": NOT_SUPPLIED if len(yes) else "nothing was approved"}
    return {"value": int(known.sum()), "n": len(known)}


def _waited(told: pd.DataFrame) -> dict:
    """Mean days to a decision; applications of one customer resemble each other."""
    known = told.dropna(subset=["waited"])
    if not len(known):
        return {"value": None, "n": 0, "why": NOT_SUPPLIED if len(told) else "nothing was decided"}
    alone = pd.Series([f"row {n}" for n in range(len(known))], index=known.index, dtype=object)
    whose = known["customer_id"].astype(object).where(known["customer_id"].notna(), alone)
    each = known["waited"].astype(float).groupby(whose).agg(["sum", "size"])
    return intervals.ratio(each["sum"], each["size"]) | {"n": len(known)}


def by(judged: pd.DataFrame | None, dimension: str) -> pd.DataFrame:
    """Success by one thing that applications differ in.

    Returns
    -------
    level ("unknown" where empty), decided, approved, approved_share with its 90 % Wilson interval (empty below
    `ENOUGH` decided), granted (amounts applied for and approved; empty where none is named); the largest share
    first, groups too small to tell last. No rows where it is empty for everyone: it was not supplied.
    """
    rows = None if judged is None else read(judged)
    if rows is None or not rows[dimension].notna().any():
        return pd.DataFrame(columns=GROUPS[1:])
    named, rows = rows.groupby(rows[dimension].astype(object).fillna(UNKNOWN)), []
    for level, group in named:
        yes = group[group["decision"] == APPROVED]
        share = intervals.share(len(yes), len(group)) if len(group) >= ENOUGH else {}
        told = [share.get(key) for key in ("value", "low", "high")]
        rows.append((level, len(group), len(yes), *told, _granted(yes)["value"]))
    table = pd.DataFrame(rows, columns=GROUPS[1:])
    table = table.astype(dict.fromkeys(GROUPS[4:7], float) | {"granted": "Int64"})
    order = ["approved_share", "decided", "level"]
    return table.sort_values(order, ascending=[False, False, True], na_position="last", ignore_index=True)


def groups(judged: pd.DataFrame | None, dimensions: Iterable[str]) -> pd.DataFrame:
    """The tables of `by` for several dimensions in one: class (the dimension), level, …"""
    parts = [by(judged, name).assign(**{"class": name}) for name in dimensions]
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True)[GROUPS] if filled else pd.DataFrame(columns=GROUPS)


def rates(table: pd.DataFrame) -> Figures:
    """The rows of `groups` as figures; a group too small is told to be so."""
    found: Figures = {}
    for row in table.to_dict("records"):
        id, count = f"finance.success_rate.{row['class']}.{row['level']}", row["decided"]
        share = {"value": row["approved_share"]}
        share |= {end: row[f"approved_share_{end}"] for end in ("low", "high")}
        refused = {"value": None, "why": FEW}
        found[id] = (refused if pd.isna(row["approved_share"]) else share) | {"n": count}
    return found


def apart(table: pd.DataFrame) -> dict:
    """Whether the groups of `by` differ beyond chance, and which are granted most and least often.

    Of groups large enough to be told; the χ² test of their table at 90 %.

    Returns
    -------
    apart (None below two groups), best and worst (names), best_share, worst_share, groups (told), decided
    """
    told = table.dropna(subset=["approved_share"])
    found = {"groups": len(told), "decided": int(told["decided"].sum())}
    if len(told) < 2:
        nothing = dict.fromkeys(("apart", "best_share", "worst_share"))
        return found | nothing | {"best": [], "worst": []}
    yes, no = told["approved"].to_numpy(), (told["decided"] - told["approved"]).to_numpy()
    odds = stats.chi2_contingency([yes, no]).pvalue if yes.sum() and no.sum() else 1.0
    first, last = told.iloc[0], told.iloc[-1]
    ends = {"best": [first["level"]], "worst": [last["level"]]}
    shares = {"best_share": float(first["approved_share"]), "worst_share": float(last["approved_share"])}
    return found | {"apart": bool(odds < 1 - intervals.LEVEL)} | ends | shares
