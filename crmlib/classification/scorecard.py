"""The scorecard (X10): weighted satisfaction and loyalty toward product, service and brand.

Every part has points from 0 to 100. Satisfaction is the answer of the latest form on its scale.
Loyalty toward the product is buying again, toward the service staying, toward the brand
recommending: the three parts of the loyalty class, its low, medium and high as 0, 50 and 100, and
recommendation as it was answered. A part that is not known is left out and the weights of the
others grow alike, so that the contributions of the parts always add up to the points.
"""

import numpy as np
import pandas as pd

from crmlib.classification.answered import latest, percent
from crmlib.classification.grades import LEVELS, NOT_GRADED, by_cuts
from crmlib.rules import Classes, ScorecardRule

SCALE = {"high": 100.0, "medium": 50.0, "low": 0.0}


def weights(rule: ScorecardRule) -> pd.Series:
    """The weight of each part by its name: `satisfaction_product` … `loyalty_brand`."""
    named = {f"satisfaction_{name}": w for name, w in rule.satisfaction.model_dump().items()}
    named |= {f"loyalty_{name}": w for name, w in rule.loyalty.model_dump().items()}
    return pd.Series(named, dtype=float)


def points(
    facts: pd.DataFrame, answers: pd.DataFrame | None, recommend: pd.Series, rules: Classes
) -> pd.DataFrame:
    """Points 0–100 of every part, a row per customer in the order of `facts`; empty where not known.

    Parameters
    ----------
    facts : customer_id, orders, tenure_days
    answers : survey answers by as_of, or None
    recommend : willingness to recommend, 0–10, in the order of `facts`
    rules : the client's standards
    """
    graded = {
        "product": by_cuts(facts["orders"].astype(float), rules.loyalty.orders),
        "service": by_cuts(facts["tenure_days"].astype(float), rules.loyalty.tenure_days),
    }
    loyal = {f"loyalty_{name}": part.map(SCALE).astype(float) for name, part in graded.items()}
    loyal["loyalty_brand"] = recommend.astype(float) * 10
    content = pd.DataFrame(index=facts.index)
    if answers is not None and len(answers):
        form = latest(answers)
        by_aspect = percent(form).groupby([form["customer_id"], form["aspect"]]).mean().unstack()
        # An answer over all stands for the aspects where none was asked; beside them it would count twice.
        if "overall" in by_aspect:
            apart = by_aspect.drop(columns="overall").notna().any(axis=1)
            by_aspect["overall"] = by_aspect["overall"].mask(apart)
        content = by_aspect.reindex(facts["customer_id"]).set_index(facts.index).add_prefix("satisfaction_")
    return content.assign(**loyal).reindex(columns=weights(rules.scorecard).index).astype(float)


def scored(points: pd.DataFrame, rule: ScorecardRule) -> pd.DataFrame:
    """The class of every customer with its points.

    A card joins satisfaction and loyalty: who has told nothing of the one has none, as an empty half
    would make the other look like the whole.

    Returns
    -------
    scorecard (high, medium, low, not_graded), scorecard_points (0–100), scorecard_known (the share of the
    weights whose part is known, 0–1; a part that is known of nobody is not asked of anybody).
    """
    weight = weights(rule)
    told = weight[points.notna().any()].sum()
    known = points.notna().mul(weight)
    total = known.sum(axis=1)
    halves = [known.filter(like=f"{half}_").sum(axis=1) > 0 for half in ("satisfaction", "loyalty")]
    both = halves[0] & halves[1]
    mean = (points.mul(weight).sum(axis=1) / total.replace(0, np.nan)).round(9).where(both)
    classed = by_cuts(mean, rule.cuts)
    return pd.DataFrame(
        {"scorecard": classed, "scorecard_points": mean, "scorecard_known": total / max(told, 1e-9)}
    )


def card(ids: pd.Series, points: pd.DataFrame, rule: ScorecardRule) -> pd.DataFrame:
    """The scorecard part by part, so that it can be added up: a row per customer and part.

    Returns
    -------
    customer_id, part, points (0–100, empty where not known), weight (as in `client.yml`), weight_share (of
    the known parts' weights; 0 for an unknown part), contribution (points × weight_share); a customer's
    contributions add up to `scorecard_points`. Customers without a card have no rows.
    """
    weight = weights(rule)
    graded = (scored(points, rule)["scorecard"] != NOT_GRADED).to_numpy()
    mine = points[graded]
    share = mine.notna().mul(weight)
    share = share.div(share.sum(axis=1), axis=0)
    long = pd.DataFrame(
        {
            "customer_id": np.repeat(ids[graded].to_numpy(), len(weight)),
            "part": np.tile(weight.index.to_numpy(), len(mine)),
            "points": mine.to_numpy().ravel(),
            "weight": np.tile(weight.to_numpy(), len(mine)),
            "weight_share": share.to_numpy().ravel(),
        }
    )
    return long.assign(contribution=long["points"].fillna(0) * long["weight_share"])


def lowest(card: pd.DataFrame) -> pd.DataFrame:
    """The card of one customer as an example: of those with fewest points the first by number."""
    total = card.groupby("customer_id")["contribution"].sum().round(9)
    one = total.index[total == total.min()].min() if len(total) else None
    return card[card["customer_id"] == one].drop(columns="customer_id").reset_index(drop=True)


def parts(points: pd.DataFrame, rule: ScorecardRule) -> pd.DataFrame:
    """What the cards are made of: part, weight, customers (of whom it is known), mean_points."""
    weight = weights(rule)
    return pd.DataFrame(
        {
            "part": weight.index,
            "weight": weight.to_numpy(),
            "customers": points.notna().sum().to_numpy(),
            "mean_points": points.mean().to_numpy(),
        }
    )


def figures(classes: pd.DataFrame) -> dict[str, dict]:
    """Customers by class of the scorecard; not supplied where nobody has one."""
    graded = int((classes["scorecard"] != NOT_GRADED).sum())
    why = {"value": None, "why": "nobody has answered a survey, so nobody has a scorecard"}
    return {
        f"scorecard.{level}.customers": {"value": int((classes["scorecard"] == level).sum()), "n": graded}
        if graded
        else why
        for level in LEVELS
    }


def held(classes: pd.DataFrame) -> dict[str, float]:
    """Of customers with a card: how many, those in its low class, and the share of its high one."""
    found = classes["scorecard"].value_counts()
    graded = int(found.drop(NOT_GRADED, errors="ignore").sum())
    high = int(found.get("high", 0))
    return {"graded": graded, "high": high, "low": int(found.get("low", 0)), "share": high / max(graded, 1)}
