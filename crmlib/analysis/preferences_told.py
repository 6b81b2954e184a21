"""What sentences tell of preferences, demand and price: values of findings, and figures by their ids."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from crmlib.analysis import intervals
from crmlib.analysis.association import AND
from crmlib.analysis.demand import ALL, Demand
from crmlib.analysis.demanded import Demanded
from crmlib.analysis.itemsets import Baskets, Itemsets
from crmlib.analysis.price_response import OTHER, SENSITIVE
from crmlib.analysis.proposals import BASELINE, WAYS, Tried
from crmlib.analysis.together import LESS, MORE, NEITHER

TOO_FEW, NOT_ESTIMABLE = "too few", "not estimable"
UNITS = {
    **dict.fromkeys(("given_items", "then_item", "product", "other", "pair", "item", "has", "lacks"), "name"),
    **dict.fromkeys(
        ("support", "confidence", "q", "coverage", "held_share", "held_after", "owned_share"), "share"
    ),
    **dict.fromkeys(
        ("both_baskets", "given_baskets", "then_baskets", "hits", "forecasts", "wishes", "times"), "count"
    ),
    **dict.fromkeys(("lines_expected", "lines_expected_low", "lines_expected_high", "lines_before"), "count"),
    **dict.fromkeys(("lift", "lift_low", "lift_high", "mase", "widened", "chance_alone"), "number"),
    **dict.fromkeys(("times_chance", "times_chance_low", "times_chance_high"), "number"),
    **dict.fromkeys(("elasticity", "elasticity_low", "elasticity_high"), "number"),
    **dict.fromkeys(("beats_by", "beats_low", "beats_high"), "points"),
    **dict.fromkeys((SENSITIVE, OTHER, "not_told"), "count"),
    **dict.fromkeys(("verdict", "way", "level", "chosen"), "word"),
    "from_day": "date",
    "asked_for": "count",
}
MOST = 12  # pairs that a picture still shows


def shown_rules(rules: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Rules as they are shown, each pair with the verdict on it beside chance within kind and size of order."""
    verdicts = {
        frozenset(row[:2]): row[2] for row in pairs[["product", "other", "verdict"]].itertuples(index=False)
    }
    sets = [
        frozenset([*given.split(AND), then])
        for given, then in zip(rules["given_items"], rules["then_item"], strict=True)
    ]
    told = [verdicts.get(products, "not_told") for products in sets]
    names = [
        "given_items",
        "then_item",
        "both_baskets",
        "support",
        "confidence",
        "lift",
        "lift_low",
        "lift_high",
        "q",
    ]
    return rules[names].assign(verdict=told)


def shown_pairs(pairs: pd.DataFrame) -> pd.DataFrame:
    """Pairs beyond chance, the surest of each kind first, under one name: what a picture is drawn from."""
    told = pairs[pairs["verdict"] != NEITHER]
    told = pd.concat(
        [told[told["verdict"] == kind].head(MOST // 2) for kind in (MORE, LESS)], ignore_index=True
    )
    names = [
        "pair",
        "both_baskets",
        "chance_alone",
        "times_chance",
        "times_chance_low",
        "times_chance_high",
        "verdict",
    ]
    return told.assign(pair=told["product"] + AND + told["other"])[names]


def several(of: Baskets) -> int:
    """Baskets with two products or more: the others cannot say what goes with what."""
    return int((of.sizes >= 2).sum())


def strongest(rules: pd.DataFrame, pairs: pd.DataFrame) -> dict:
    """The surest rule beyond chance, if there is one that holds within kind and size of order too.

    Returns
    -------
    rules (how many), given, then, both, of (orders), confidence, lift with its interval, holds
    """
    values = {
        "rules": len(rules),
        "given": "",
        "then": "",
        "both": 0,
        "of": 0,
        "confidence": 0.0,
        "holds": False,
    }
    values |= {"lift": 0.0, "low": 0.0, "high": 0.0}
    if rules.empty:
        return values
    told = shown_rules(rules, pairs)
    sound = told["verdict"] == MORE
    at = int(np.flatnonzero(sound)[0]) if sound.any() else 0
    row = rules.iloc[at]
    return values | {
        "given": row["given_items"],
        "then": row["then_item"],
        "both": int(row["both_baskets"]),
        "of": int(row["given_baskets"]),
        "confidence": float(row["confidence"]),
        "lift": float(row["lift"]),
        "low": float(row["lift_low"]),
        "high": float(row["lift_high"]),
        "holds": bool(sound.any()),
    }


def pairing(pairs: pd.DataFrame, verdict: str) -> dict:
    """The surest pair of one verdict: pairs (how many), looked (pairs judged), one, other, both, chance, times."""
    mine = pairs[pairs["verdict"] == verdict]
    values = {
        "pairs": len(mine),
        "looked": len(pairs),
        "one": "",
        "other": "",
        "both": 0,
        "chance": 0.0,
        "times": 0.0,
    }
    if mine.empty:
        return values | {"low": 0.0, "high": 0.0}
    row = mine.iloc[0]
    return values | {
        "one": row["product"],
        "other": row["other"],
        "both": int(row["both_baskets"]),
        "chance": float(row["chance_alone"]),
        "times": float(row["times_chance"]),
        "low": float(row["times_chance_low"]),
        "high": float(row["times_chance_high"]),
    }


def rule_figures(
    of: Baskets, sets: Itemsets, rules: pd.DataFrame, pairs: pd.DataFrame, *, at_least: int
) -> dict:
    """Rules, complements and substitutes by id; none where too few orders hold several products."""
    n = several(of)
    found = {"preferences.baskets.several": {"value": n, "n": of.n}}
    ids = ("preferences.rules", "preferences.complements", "preferences.substitutes")
    if n < at_least or sets.why:
        return found | {
            id: {"value": None, "n": n, "why": TOO_FEW if n < at_least else NOT_ESTIMABLE} for id in ids
        }
    counts = (len(rules), (pairs["verdict"] == MORE).sum(), (pairs["verdict"] == LESS).sum())
    return found | {id: {"value": int(value), "n": n} for id, value in zip(ids, counts, strict=True)}


def crossed(sales: pd.DataFrame) -> dict:
    """Who lacks what goes with what they have: customers, chances (pairs of customer and product), product, has, most."""
    values = {
        "customers": sales["customer_id"].nunique(),
        "chances": len(sales),
        "has": "",
        "lacks": "",
        "most": 0,
    }
    if sales.empty:
        return values
    top = sales.groupby(["has", "lacks"]).size().sort_index().sort_values(ascending=False, kind="stable")
    return values | {"has": top.index[0][0], "lacks": top.index[0][1], "most": int(top.iloc[0])}


def proposing(found: Tried) -> dict:
    """Which way proposes best: way, share of customers hit with its interval, beside popularity; more, coverage, n."""
    values = {
        "way": found.chosen,
        "why": found.why or "nothing",
        "n": found.customers,
        "better": found.chosen != BASELINE,
    }
    rows = found.table.set_index("way") if len(found.table) else None
    if rows is None:
        return values | dict.fromkeys(("share", "low", "high", "popular", "more", "coverage"), 0.0)
    row = rows.loc[found.chosen]
    best = rows.drop(index=BASELINE)["beats_by"].max()
    return values | {
        "share": float(row["share"]),
        "low": float(row["share_low"]),
        "high": float(row["share_high"]),
        "popular": float(rows.loc[BASELINE, "share"]),
        "more": float(best if found.chosen == BASELINE else row["beats_by"]),
        "coverage": float(row["coverage"]),
    }


def proposal_figures(found: Tried) -> dict[str, dict]:
    """The share of customers hit by each way, and the coverage of the chosen one, by id."""
    ids = {f"proposals.hit.{way}": way for way in WAYS}
    if found.why:
        return {id: {"value": None, "n": 0, "why": NOT_ESTIMABLE} for id in (*ids, "proposals.coverage")}
    rows = found.table.set_index("way")
    told = {
        id: intervals.share(int(rows.loc[way, "hits"]), int(rows.loc[way, "customers"]))
        for id, way in ids.items()
    }
    return told | {
        "proposals.coverage": {"value": float(rows.loc[found.chosen, "coverage"]), "n": found.customers}
    }


def coming(found: Demand, past: Demanded) -> pd.DataFrame:
    """The next step by product group: asked for then, a year before, and its interval; the total is not among them."""
    one = found.told[(found.told["step"] == 1) & (found.told["customer_type"] == ALL)]
    one = one[one["product_group"] != ALL]
    before = [_year_before(past, group) for group in one["product_group"]]
    names = ["product_group", "lines_expected", "lines_expected_low", "lines_expected_high"]
    table = one[names].assign(lines_before=before)
    return table.sort_values(["lines_expected", "product_group"], ascending=[False, True], ignore_index=True)


def _sum(past: Demanded, group: str | None) -> np.ndarray:
    parts = [values for key, values in past.series.items() if group in (None, key[0])]
    return np.sum(parts, axis=0)


def _year_before(past: Demanded, group: str | None) -> float:
    values = _sum(past, group)
    return float(values[-past.season]) if len(values) >= past.season else np.nan


def ahead(found: Demand, past: Demanded, *, shown: int = 16) -> pd.DataFrame:
    """The total, past and to come: from_day, asked_for, lines_expected with its interval; the last past step has both."""
    names = ["from_day", "asked_for", "lines_expected", "lines_expected_low", "lines_expected_high"]
    if found.why:
        return pd.DataFrame(columns=names)
    values = _sum(past, None)[-shown:]
    old = pd.DataFrame(
        {"from_day": [past.began(at - len(values) + 1) for at in range(len(values))], "asked_for": values}
    )
    total = found.total()
    new = total.assign(from_day=[past.began(int(step)) for step in total["step"]])[
        [n for n in names if n != "asked_for"]
    ]
    old = old.assign(**dict.fromkeys(names[2:], np.nan))
    old.loc[old.index[-1], names[2:]] = old["asked_for"].iloc[-1]  # the lines meet
    return pd.concat([old, new.assign(asked_for=np.nan)], ignore_index=True)[names]


def expecting(found: Demand, past: Demanded) -> dict:
    """The next step in all, and the product group that moves most: from_day, lines, low, high, before (a year ago) …

    Returns
    -------
    from_day; lines, low, high; before; left (lines of series that are not estimable, as a share); group, group_lines,
    group_low, group_high, group_now (asked for in the newest step); moves: its interval lies apart from what is asked now;
    way, mase, seasonal (the baseline's error), better
    """
    names = ("lines", "low", "high", "before", "left", "group_lines", "group_low", "group_high", "group_now")
    values = dict.fromkeys((*names, "mase", "naive"), 0.0) | {"group": "", "way": "nothing", "moves": False}
    values |= {
        "from_day": past.began(1) if past.series else None,
        "why": found.why or "nothing",
        "better": False,
    }
    if found.why:
        return values
    total = found.total().iloc[0]
    table = coming(found, past)
    now = np.array([float(_sum(past, group)[-1]) for group in table["product_group"]])
    half = (table["lines_expected_high"] - table["lines_expected_low"]).to_numpy(dtype=float) / 2
    # What chance alone moved in the newest step counts as well, so the interval is held against it twice.
    strays = np.abs(table["lines_expected"].to_numpy(dtype=float) - now) / (
        np.sqrt(2) * np.maximum(half, 1e-9)
    )
    at = int(strays.argmax())
    tried = found.tried.set_index("way")["mase"] if len(found.tried) else pd.Series(dtype=float)
    return values | {
        "lines": int(total["lines_expected"]),
        "low": float(total["lines_expected_low"]),
        "high": float(total["lines_expected_high"]),
        "before": _year_before(past, None),
        "left": float(found.refused["lines"].sum()) / max(past.lines, 1),
        "group": table["product_group"].iloc[at],
        "group_lines": int(table["lines_expected"].iloc[at]),
        "group_low": float(table["lines_expected_low"].iloc[at]),
        "group_high": float(table["lines_expected_high"].iloc[at]),
        "group_now": now[at],
        "moves": bool(strays[at] > 1),
        "way": found.way,
        "mase": float(tried.get(found.way, np.nan)),
        "naive": float(tried.get("seasonal_naive", np.nan)),
        "better": bool(tried.get(found.way, np.inf) < 1),
    }


def holding(found: Demand) -> dict:
    """How often intervals of single series held: held (before), widened (factor), after, n (forecasts tried)."""
    rows = found.covered.set_index("level") if len(found.covered) else None
    if rows is None:
        return {"held": 0.0, "widened": 1.0, "after": 0.0, "n": 0, "enough": None}
    row = rows.loc["each_series"]
    values = {
        "held": float(row["held_share"]),
        "widened": float(row["widened"]),
        "after": float(row["held_after"]),
    }
    return values | {"n": int(row["forecasts"]), "enough": row["held_share"] >= intervals.LEVEL}


def demand_figures(found: Demand, wishes: Mapping) -> dict[str, dict]:
    """Lines to come, the error and coverage of forecasts, what wishes add, by id."""
    ids = ("demand.lines", "demand.mase", "demand.coverage")
    told = {"demand.wishes.more": {"value": None, "n": 0, "why": "not supplied"}}
    if wishes["asked"]:
        told = {
            "demand.wishes.more": {
                "value": wishes["more"],
                "low": wishes["more_low"],
                "high": wishes["more_high"],
                "n": wishes["asked"],
            }
        }
    if found.why:
        return told | {id: {"value": None, "n": 0, "why": NOT_ESTIMABLE} for id in ids}
    total, held = found.total().iloc[0], holding(found)
    span = {"low": total["lines_expected_low"], "high": total["lines_expected_high"]}
    told |= {"demand.lines": {"value": int(total["lines_expected"])} | span}
    if not held["n"]:
        return told | {id: {"value": None, "n": 0, "why": TOO_FEW} for id in ids[1:]}
    mase = float(found.tried.set_index("way").loc[found.way, "mase"])
    return told | {
        "demand.mase": {"value": mase, "n": held["n"]},
        "demand.coverage": {"value": held["after"], "n": held["n"]},
    }


def pricing(slopes: pd.DataFrame) -> dict:
    """How pieces answer a price ten per cent higher, over all customers: moved (a share), low, high, responds, n."""
    row = slopes.iloc[0] if len(slopes) else None
    if row is None or row["why"]:
        why = "not_supplied" if row is None else row["why"]
        return {
            "value": None,
            "low": None,
            "high": None,
            "moved": 0.0,
            "n": 0 if row is None else int(row["customers"]),
        } | {"moved_low": 0.0, "moved_high": 0.0, "responds": None, "why": why}
    ends = {
        name: float(row[column])
        for name, column in (("value", "elasticity"), ("low", "elasticity_low"), ("high", "elasticity_high"))
    }
    moved = {
        f"moved{end}": 1.1 ** ends[name] - 1
        for name, end in (("value", ""), ("low", "_low"), ("high", "_high"))
    }
    return ends | moved | {"n": int(row["customers"]), "responds": bool(ends["high"] < 0), "why": "nothing"}


def responding(each: pd.DataFrame) -> dict:
    """How many customers respond to price: responds, customers (of whom that is told at all)."""
    return {"responds": int((each["response"] == SENSITIVE).sum()), "customers": len(each)}


def price_figures(
    each: pd.DataFrame, slopes: pd.DataFrame, agreed: Mapping, *, at_least: int
) -> dict[str, dict]:
    """Who responds to price, how pieces do, and how often behaviour and words agree, by id."""
    slope = pricing(slopes)
    few = {"value": None, "n": agreed["n"], "why": TOO_FEW}
    nobody = {"value": None, "n": 0, "why": "not supplied"}
    told = {"value": slope["value"], "low": slope["low"], "high": slope["high"], "n": slope["n"]}
    return {
        "price.responding.customers": {"value": responding(each)["responds"], "n": len(each)}
        if len(each)
        else nobody,
        "price.elasticity": told
        if slope["value"] is not None
        else {"value": None, "n": slope["n"], "why": NOT_ESTIMABLE},
        "price.agreement": intervals.share(agreed["agree"], agreed["n"]) if agreed["n"] >= at_least else few,
    }
