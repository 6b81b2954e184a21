"""What sentences tell of the models of customer value, of their backtest, and of what customers will be worth."""

import numpy as np
import pandas as pd

from crmlib.analysis import gamma_gamma
from crmlib.analysis.backtest import Backtest, helped
from crmlib.analysis.prediction import Model
from crmlib.analysis.value import GONE, Worth, habits
from crmlib.outlook import Outlook
from crmlib.period import day_of


def sizes(model: Model, rule: Outlook) -> dict[str, int]:
    """How many customers a sentence rests on and how many it needs: n, at_least."""
    if model.customers < rule.at_least:
        return {"n": model.customers, "at_least": rule.at_least}
    return {"n": model.again or rule.came_again, "at_least": rule.came_again}


def estimable(why: str, holds: bool | None) -> bool | None:
    """What a sentence hangs on: None where it is not estimable; too few are told by their number."""
    return holds if why in ("", "few_customers") else None


def rhythm(model: Model) -> dict:
    """What sentences tell of how customers buy: gap and busy (days), leaving with its interval, why.

    `apart`: chances to leave differ between customers as far as the data tell; None where the data hardly
    bound how often anybody comes.
    """
    told = {row["fact"]: row for row in habits(model, decimals=0).to_dict("records")}
    empty = {"estimate": 0.0, "estimate_low": 0.0, "estimate_high": 0.0}
    leaving = told.get("leaving", empty)
    bounded = {"gap_middle", "gap_busiest"} <= told.keys() or bool(model.why)
    return {
        "gap": told.get("gap_middle", empty)["estimate"],
        "busy": told.get("gap_busiest", empty)["estimate"],
        "leaving": leaving["estimate"],
        "leaving_low": leaving["estimate_low"],
        "leaving_high": leaving["estimate_high"],
        "apart": model.leaving == "own" if bounded else None,
        "why": (model.why or model.spending.why or "nothing") if bounded else "weakly_identified",
    }


def held(test: Backtest) -> dict:
    """What sentences tell of the backtest: foreseen with its interval, came, off, worst class, holds, days."""
    told = test.totals
    values = {id: told.get(id) or 0.0 for id in ("foreseen", "foreseen_low", "foreseen_high", "came")}
    values |= {id: told.get(id) or 0.0 for id in ("sales_foreseen", "sales_came")}
    came, foreseen = values["came"], values["foreseen"]
    sized = test.table.dropna(subset=["off"])
    worst = sized.loc[sized["off"].abs().idxmax()] if len(sized) else {"orders_so_far": "nothing", "off": 0}
    return values | {
        "off": abs(foreseen / came - 1) if came else 0.0,
        "side": "too_many" if foreseen > came else "too_little",
        "verdict": "nothing_nearer" if test.correction == 1 else "no_nearer_since",
        "cut": day_of(test.cut),
        "holds": bool(values["foreseen_low"] <= came <= values["foreseen_high"]),
        "worst": worst["orders_so_far"],
        "worst_off": worst["off"],
        "days": test.as_of - test.cut,
        "why": test.why or "nothing",
        "correction": test.correction,
        "helped": helped(test),
        "corrected_off": abs(test.correction * foreseen / came - 1) if came else 0.0,
        "customers": int(told.get("customers", 0)),
    }


def outlook(found: Worth, classes: pd.DataFrame) -> dict:
    """What sentences tell of predicted value: value with its interval, its share in the high tier, who leads."""
    values = {"value": 0.0, "low": 0.0, "high": 0.0, "share": 0.0, "customers": len(found.table)}
    values |= {"so_far": 0.0, "tenth": 0.0, "tier_share": 0.0, "profit": None}
    if found.play is None:
        return values
    rows = found.table.merge(classes[["customer_id", "tier"]], on="customer_id", how="left")
    total = float(rows["predicted"].sum())
    low, high = (part * found.correction for part in found.play.total())
    tenth = rows["predicted"].nlargest(max(len(rows) // 10, 1)).sum()
    high_tier = rows["tier"].eq("high")
    profit = float(rows["predicted_profit"].sum(min_count=1))
    return values | {
        "value": total,
        "low": low,
        "high": high,
        "so_far": float(rows["so_far"].sum()),
        "tenth": float(tenth / total) if total else 0.0,
        "share": float(rows.loc[high_tier, "predicted"].sum() / total) if total else 0.0,
        "tier_share": float(high_tier.mean()),
        "profit": None if np.isnan(profit) else profit,
    }


def against_rule(there: pd.DataFrame) -> dict:
    """Whether the model and the rule of behaviour (X02) agree on who has left.

    Returns
    -------
    churned (customers so classed who came more than once), gone (of them, the share that the model holds for
    likelier gone), alive (mean P(alive) of the active), agrees (gone is at least half)
    """
    rows = there.set_index("behaviour") if len(there) else there
    values = {"churned": 0, "gone": 0.0, "alive_churned": 0.0, "alive_active": 0.0, "agrees": False}
    if "churned" not in getattr(rows, "index", ()):
        return values
    churned = rows.loc["churned"]
    again = int(churned["customers"] - churned["one_time"])
    gone = float(churned["likely_gone"]) / again if again else 0.0
    active = rows["alive"].get("active", np.nan)
    return {
        "churned": again,
        "gone": gone,
        "alive_churned": float(churned["alive"]) if again else 0.0,
        "alive_active": 0.0 if pd.isna(active) else float(active),
        "agrees": gone >= GONE,
    }


def overlap(found: Worth, classes: pd.DataFrame) -> dict:
    """Whether who was worth most so far (X09) is who will be: same, the share of one tenth in the other; n."""
    rows = found.table.merge(classes[["customer_id", "lifetime_value"]], on="customer_id", how="left")
    known = rows.dropna(subset=["lifetime_value"])
    tenth = len(known) // 10
    if not tenth:
        return {"same": None, "tenth": 0, "n": len(known)}
    best = [
        set(known.sort_values([column, "customer_id"], ascending=[False, True])["customer_id"].head(tenth))
        for column in ("lifetime_value", "predicted")
    ]
    return {"same": len(best[0] & best[1]) / tenth, "tenth": tenth, "n": len(known)}


def independence(people: pd.DataFrame | None) -> dict:
    """Whether how often and how much go apart: free (None where nobody can say), value, low, high, n."""
    if people is None:
        return {"value": None, "low": None, "high": None, "n": 0, "free": None}
    told = gamma_gamma.independence(people)
    return told | {"free": None if told["apart"] is None else not told["apart"]}
