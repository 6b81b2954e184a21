"""The measures of a period by class, type, region and channel (K02, K04, K05, K09).

Whether somebody came back is asked of the class he had *before* the period: whoever bought in it has a higher
class now because he bought, and by his new class he would always seem loyal. What nobody dates (type, region, scale,
grade, industry) is as delivered. What a class earned in a period is told by the class at its end.
"""

from collections.abc import Iterable, Sequence

import pandas as pd

from crmlib.analysis import intervals
from crmlib.analysis.efficiency import LINES, shared
from crmlib.analysis.kpis import Figures
from crmlib.classification import classes
from crmlib.classification.beside import ATTRIBUTES
from crmlib.rules import BehaviourRule

# Customers of a group; below it a share with its interval says next to nothing.
ENOUGH = 10
DIMENSIONS = ("tier", "customer_type", "region", "habit_channel")
NEW, UNKNOWN, FEW, NOT_SUPPLIED = "new", "unknown", "too few", "not supplied"
UNTOLD = ("not_supplied", "not_graded", "not_known")
PARTS = ("retention", "repurchase", "churn", "fixed")
OF = {
    "retention": "buyers_before",
    "repurchase": "active",
    "churn": "held_before",
    "fixed": "held_before_fixed",
}
RATES = ["class", "level"]
for _name, _of in OF.items():
    RATES += [_of, _name, f"{_name}_low", f"{_name}_high"]
IDS = {"retention": "retention.rate", "repurchase": "repurchase.rate", "churn": "churn.rate"}
IDS |= {"fixed": "churn.fixed.rate"}
CAME = [c for c in RATES if not c.startswith(("churn", "fixed", "held_before"))]
LEFT = [c for c in RATES if not c.startswith(("retention", "repurchase", "buyers", "active"))]
DEFINITIONS = ["definition", "customers", "churned", "held_before", "lost", "rate", "rate_low", "rate_high"]
UNITS = {"class": "word", "level": "word", "definition": "word", "active": "count", "churned": "count"}
UNITS |= dict.fromkeys(("buyers_before", "held_before", "held_before_fixed", "lost"), "count")
UNITS |= {f"{name}{end}": "share" for name in (*PARTS, "rate") for end in ("", "_low", "_high")}


def rates(
    now: pd.DataFrame,
    before: pd.DataFrame,
    judged: pd.DataFrame,
    judged_before: pd.DataFrame,
    dimensions: Sequence[str] = DIMENSIONS,
) -> pd.DataFrame:
    """Retention, repurchase and churn by class, type, region and channel.

    Parameters
    ----------
    now, before : `classification.facts.activity` of this period and of the previous one
    judged, judged_before : classes at `as_of` and at the previous `as_of`
    dimensions : columns of the classes

    Returns
    -------
    class (the dimension), level (`new`: no customer yet at the previous as_of), and for each of four shares what
    it is of, its value and its 90 % Wilson interval (empty below `ENOUGH`): buyers_before, retention · active,
    repurchase · held_before (not churned before), churn · held_before_fixed, fixed (churn by fixed days). A dimension
    that nobody supplies has no rows.
    """
    people = _people(now, before, judged, judged_before)
    parts = [
        _rates(people, _levels(people["customer_id"], judged, judged_before, name)) for name in dimensions
    ]
    named = [part.assign(**{"class": name}) for name, part in zip(dimensions, parts, strict=True)]
    filled = [part for part in named if len(part)]
    return pd.concat(filled, ignore_index=True)[RATES] if filled else pd.DataFrame(columns=RATES)


def _people(
    now: pd.DataFrame, before: pd.DataFrame, judged: pd.DataFrame, judged_before: pd.DataFrame
) -> pd.DataFrame:
    """A row per customer: whether each is counted in a share, and beneath it."""
    ids = pd.concat([part["customer_id"] for part in (judged, judged_before, now, before)]).drop_duplicates()
    orders, then = (ids.map(part.set_index("customer_id")["orders"]).fillna(0) for part in (now, before))
    found = {"customer_id": ids, "active": orders > 0, "repurchase": orders >= 2, "buyers_before": then > 0}
    found["retention"] = (orders > 0) & (then > 0)
    for name, column in (("churn", "behaviour"), ("fixed", "behaviour_fixed")):
        state, earlier = (ids.map(part.set_index("customer_id")[column]) for part in (judged, judged_before))
        stayed = earlier.isin(["active", "dormant"])
        found |= {OF[name]: stayed, name: stayed & (state == "churned")}
    return pd.DataFrame(found).reset_index(drop=True)


def _levels(ids: pd.Series, judged: pd.DataFrame, judged_before: pd.DataFrame, name: str) -> pd.Series:
    """Each customer's level: as delivered, or of a class that is computed the one before the period."""
    if name in ATTRIBUTES:
        found = ids.map(judged.set_index("customer_id")[name])
    else:
        found = ids.map(judged_before.set_index("customer_id")[name]).astype(object).fillna(NEW)
    told = found.mask(found.isin(UNTOLD))
    # Where everybody lacks it, or has only just come, it tells no groups.
    return found if len(set(told.dropna()) - {NEW, UNKNOWN}) else told.mask(found.notna())


def _rates(people: pd.DataFrame, level: pd.Series) -> pd.DataFrame:
    rows = []
    for name, group in people.groupby(level):
        row = {"level": name}
        for part in PARTS:
            whole = int(group[OF[part]].sum())
            held = intervals.share(int(group[part].sum()), whole) if whole >= ENOUGH else {}
            row |= {OF[part]: whole, part: held.get("value")}
            row |= {f"{part}_{end}": held.get(end) for end in ("low", "high")}
        rows.append(row)
    order = {name: place for place, name in enumerate(("high", "medium", "low"))}
    table = pd.DataFrame(rows, columns=[c for c in RATES if c != "class"])
    shares = [c for c in table.columns if UNITS.get(c) == "share"]
    table = table.astype(dict.fromkeys(shares, float))
    place = table["level"].map(order).fillna(len(order))
    weight = table[["buyers_before", "active", "held_before"]].sum(axis=1)
    ordered = table.assign(place=place, weight=-weight).sort_values(["place", "weight", "level"])
    return ordered.drop(columns=["place", "weight"]).reset_index(drop=True)


def told(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Some columns of `rates` (`CAME`, `LEFT`), of the groups in which anybody counts beneath one of their shares.

    Without order lines nobody is known to have bought, which is not the same as that nobody did.
    """
    whole = [column for column in columns if column in OF.values()]
    return table.loc[table[whole].sum(axis=1) > 0, list(columns)].reset_index(drop=True)


def figures(table: pd.DataFrame) -> Figures:
    """The rows of `rates` as figures; a group too small is told to be so, one that holds nobody has none."""
    found: Figures = {}
    for row in table.to_dict("records"):
        for part in PARTS:
            count, id = row[OF[part]], f"{IDS[part]}.{row['class']}.{row['level']}"
            told = {"value": row[part], "low": row[f"{part}_low"], "high": row[f"{part}_high"]}
            refused = {"value": None, "why": FEW}
            if count:
                found[id] = (refused if pd.isna(row[part]) else told) | {"n": count}
    return found


def contribution(now: pd.DataFrame, judged: pd.DataFrame, dimensions: Iterable[str]) -> pd.DataFrame:
    """What customers of each class brought and earned in a period (K09), by the class at its end.

    Parameters
    ----------
    now : `classification.facts.activity` of the period
    judged : classes at `as_of`

    Returns
    -------
    class, level, customers (with a line in the period), orders, gross, net, mean_order, earned, profit_margin,
    share_of_sales, share_of_profit, as `efficiency.by_line`. A dimension that nobody supplies has no rows.
    """
    parts = []
    for name in dimensions:
        level = now["customer_id"].map(judged.set_index("customer_id")[name]).astype(object).fillna(UNKNOWN)
        if not set(level) - {UNKNOWN, *UNTOLD}:
            continue
        lines = now.assign(level=level, profit_lines=now["profit"].notna().astype("int64"))
        summed = ["orders", "gross", "returned", "profit", "profit_on", "profit_lines"]
        sums = lines.groupby("level")[summed].sum().reset_index()
        counted = level.value_counts().rename("customers").rename_axis("level").reset_index()
        parts.append(shared(sums.merge(counted, on="level").assign(**{"class": name})))
    columns = ["class", "level", "customers", *LINES[2:]]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def earned(table: pd.DataFrame) -> Figures:
    """Profit and margin by group, from `contribution` or `efficiency.by_line`."""
    found: Figures = {}
    for row in table.to_dict("records"):
        place = f"{row['class']}.{row['level']}"
        count = int(row["customers"] if "customers" in row else row["orders"])
        for id, value in (("profit.amount", row["earned"]), ("profit.margin", row["profit_margin"])):
            known = {"value": None, "why": NOT_SUPPLIED} if pd.isna(value) else {"value": value}
            found[f"{id}.{place}"] = known | {"n": count}
    return found


def ends(table: pd.DataFrame) -> dict:
    """Of groups with a profit: which brings most, what share, which has the least margin, and who loses.

    Returns
    -------
    names (most profit), share (of all profit), sales (its share of sales), least (names of the lowest
    margin), margin, losing (names of groups with a loss), lost (their loss, above 0), groups
    """
    known = table[table["earned"].notna()]
    if not len(known):
        nothing = dict.fromkeys(("share", "sales", "margin", "lost"))
        return {"names": [], "least": [], "losing": [], "groups": 0} | nothing
    profit = known["earned"].astype(float)
    top = known.loc[[profit.idxmax()]].iloc[0]
    margins = known.dropna(subset=["profit_margin"])
    low = margins.loc[[margins["profit_margin"].idxmin()]] if len(margins) else margins
    return {
        "names": [top["level"]],
        "share": None if pd.isna(top["share_of_profit"]) else float(top["share_of_profit"]),
        "sales": float(top["share_of_sales"]),
        "least": low["level"].tolist(),
        "margin": float(low["profit_margin"].iloc[0]) if len(low) else None,
        "losing": known.loc[profit < 0, "level"].tolist(),
        "lost": int(-known.loc[profit < 0, "earned"].sum()),
        "groups": len(known),
    }


def apart(table: pd.DataFrame, dimension: str, part: str = "retention") -> dict:
    """The groups of one dimension with the highest and the lowest share, and whether their intervals part.

    Returns
    -------
    apart (None below two groups that are told), best, worst (names), best_share, worst_share, groups, least
    (customers of the smaller of the two)
    """
    told = table[table["class"] == dimension].dropna(subset=[part])
    if len(told) < 2:
        nothing = dict.fromkeys(("apart", "best_share", "worst_share"))
        return nothing | {"best": [], "worst": [], "groups": len(told), "least": 0}
    first, last = told.loc[told[part].idxmax()], told.loc[told[part].idxmin()]
    return {
        "apart": bool(first[f"{part}_low"] > last[f"{part}_high"]),
        "best": [first["level"]],
        "worst": [last["level"]],
        "best_share": float(first[part]),
        "worst_share": float(last[part]),
        "groups": len(told),
        "least": int(min(first[OF[part]], last[OF[part]])),
    }


def definitions(
    facts: pd.DataFrame,
    facts_before: pd.DataFrame,
    rule: BehaviourRule,
    said: pd.DataFrame | None = None,
    said_before: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Churn by each definition in use: own rhythm, fixed days, and the firm's own mark.

    Parameters
    ----------
    facts, facts_before : at `as_of` and at the previous `as_of`
    said, said_before : what the firm says of customers on these days (`classification.stated.stated`)

    Returns
    -------
    definition (`by_rhythm`, `by_days`, `by_mark`; those that can be asked), customers (judged), churned, held_before
    (not churned at the previous as_of), lost (churned since), rate (lost ÷ held_before) with its 90 % interval,
    empty below `ENOUGH`. A mark without a day is of no two dates: nobody is lost by it.
    """
    rows = []
    then, today = (
        classes.behaviour(part, rule).set_axis(part["customer_id"]) for part in (facts_before, facts)
    )
    for name, column in (("by_rhythm", "behaviour"), ("by_days", "behaviour_fixed")):
        states = [part[column].where(part[column] != classes.NOT_GRADED).dropna() for part in (then, today)]
        rows.append((name, *_lost(*((part == "churned") for part in states))))
    marks = [_marked(part, of) for part, of in ((said_before, facts_before), (said, facts))]
    rows.append(("by_mark", *_lost(*marks)))
    table = pd.DataFrame([row for row in rows if row[1]], columns=DEFINITIONS)
    return table.astype(dict.fromkeys(DEFINITIONS[5:], float))


def _marked(said: pd.DataFrame | None, facts: pd.DataFrame) -> pd.Series:
    """Whether each customer of whom anything was known on a day is marked as gone; no mark, no row."""
    if said is None:
        return pd.Series(dtype=bool)
    marks = said.set_index("customer_id")["churned"].dropna().astype(bool)
    return marks[marks.index.isin(facts["customer_id"])]


def _lost(before: pd.Series, now: pd.Series) -> tuple:
    """Customers judged, churned, at risk before, lost since, and the share lost with its interval."""
    stayed = before.index[~before.to_numpy(dtype=bool)]
    gone = now.index[now.to_numpy(dtype=bool)]
    lost = len(stayed.intersection(gone))
    share = intervals.share(lost, len(stayed)) if len(stayed) >= ENOUGH else {}
    return (len(now), len(gone), len(stayed), lost, *(share.get(key) for key in ("value", "low", "high")))


def churned(table: pd.DataFrame) -> Figures:
    """The rows of `definitions` as figures; a definition that cannot be asked is not supplied."""
    found: Figures = {}
    for name, stem in (("by_rhythm", "rhythm"), ("by_days", "fixed"), ("by_mark", "flagged")):
        rows = table[table["definition"] == name].to_dict("records")
        count, rate = f"churn.{stem}.customers", f"churn.{stem}.rate"
        if not rows:
            found |= {id: {"value": None, "n": 0, "why": NOT_SUPPLIED} for id in (count, rate)}
            continue
        row = rows[0]
        found[count] = {"value": row["churned"], "n": row["customers"]}
        told = {"value": row["rate"], "low": row["rate_low"], "high": row["rate_high"]}
        refused = {"value": None, "why": FEW}
        found[rate] = (refused if pd.isna(row["rate"]) else told) | {"n": row["held_before"]}
    return found


def between(table: pd.DataFrame) -> dict:
    """How far the definitions of churn lie apart: least and most lost, by which, and whether that is close.

    Close: the interval of each reaches the other's value.

    Returns
    -------
    definitions (with a share), least, most, least_by, most_by (words), close (None below two definitions)
    """
    told = table.dropna(subset=["rate"])
    if len(told) < 2:
        nothing = {"least": None, "most": None, "least_by": [], "most_by": [], "close": None}
        return {"definitions": len(told)} | nothing
    low, high = told.loc[told["rate"].idxmin()], told.loc[told["rate"].idxmax()]
    return {
        "definitions": len(told),
        "least": float(low["rate"]),
        "most": float(high["rate"]),
        "least_by": [low["definition"]],
        "most_by": [high["definition"]],
        "close": bool(low["rate_high"] >= high["rate"] and high["rate_low"] <= low["rate"]),
    }
