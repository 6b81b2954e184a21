"""Classes by rule: value, behaviour, ABC, satisfaction, and the combined tier with its points.

How a number becomes a class stands in `classification.grades`.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from crmlib.classification.answered import (  # noqa: F401 — one door for everything that makes a class
    percent,
    recommendation,
    satisfaction,
)
from crmlib.classification.beside import Beside, attributes
from crmlib.classification.grades import (  # noqa: F401
    HALVES,
    LEVELS,
    NOT_GRADED,
    POINTS,
    Kept,
    by_cuts,
    by_share,
    graded,
    mean_points,
)
from crmlib.classification.lifetime import lifetime
from crmlib.classification.needs import needs
from crmlib.classification.potential import potential
from crmlib.classification.scorecard import points as card_points
from crmlib.classification.scorecard import scored
from crmlib.classification.tags import tags
from crmlib.rules import AbcRule, BehaviourRule, Classes, FrequencyRule

NOT_GROUPED = "not_grouped"
AS_LEVEL = {"satisfied": "high", "neutral": "medium", "dissatisfied": "low"}


def value(facts: pd.DataFrame, rule, decimals: int) -> pd.Series:
    """Value (X01): points for orders, net spend and profit, their mean at least 2.5, 1.5."""
    main = 10**decimals
    parts = {
        "orders": (facts["orders"].astype(float), rule.orders),
        "spend": (facts["net"].astype(float) / main, rule.spend),
        "profit": (facts["profit"].astype("Float64").astype(float) / main, rule.profit),
    }
    grades = {name: graded(v, cuts, rule.shares, rule.at_least) for name, (v, cuts) in parts.items()}
    return by_cuts(mean_points(grades), HALVES)


def abc(facts: pd.DataFrame, rule: AbcRule) -> pd.Series:
    """ABC (X05): A the customers who begin below the first share of purchases, B the second, C the rest."""
    if facts["gross"].notna().sum() < rule.at_least:
        return pd.Series(NOT_GRADED, index=facts.index, dtype="str")
    return by_share(facts["gross"], rule.shares, ("A", "B", "C"))


def behaviour(facts: pd.DataFrame, rule: BehaviourRule, stated: pd.DataFrame | None = None) -> pd.DataFrame:
    """Active, dormant or churned (X02), by own rhythm and by fixed days.

    From `own_rhythm_from` orders on, silence is measured in the customer's own mean gap between
    order days; before that, or where all orders fell on one day, in fixed days. The firm's own mark
    (`stated`) goes before any of these: who is marked as gone has churned, who is marked as not
    gone is at most dormant, and active where nobody knows of a last order.

    Returns
    -------
    behaviour, behaviour_fixed
    """
    days = facts["recency_days"]
    fixed = _state(days, rule.active_days, rule.dormant_days)
    own = (facts["orders"] >= rule.own_rhythm_from) & (facts["gap_days"] > 0)
    rhythm = _state(days / facts["gap_days"], rule.active_gaps, rule.dormant_gaps)
    judged, gone = rhythm.where(own, fixed), _as_stated(facts, stated, "churned")
    stays = judged.map({"active": "active", "dormant": "dormant", "churned": "dormant", NOT_GRADED: "active"})
    marked = judged.mask(gone.eq(False), stays).mask(gone.eq(True), "churned")
    return pd.DataFrame({"behaviour": marked, "behaviour_fixed": fixed})


def _state(silence: pd.Series, active: float, dormant: float) -> pd.Series:
    states = ["active", "dormant", "churned"]
    named = np.select([silence <= active, silence <= dormant, silence.notna()], states, NOT_GRADED)
    return pd.Series(named, index=silence.index, dtype="str")


def _as_stated(facts: pd.DataFrame, stated: pd.DataFrame | None, column: str) -> pd.Series:
    """What the firm itself says of each customer, in the order of `facts`; empty where nothing."""
    if stated is None:
        return pd.Series(None, index=facts.index, dtype=object)
    return facts["customer_id"].map(stated.set_index("customer_id")[column].astype(object))


def classes(
    facts: pd.DataFrame,
    rfm: pd.DataFrame,
    answers: pd.DataFrame | None,
    rules: Classes,
    *,
    decimals: int,
    stated: pd.DataFrame | None = None,
    beside: Beside = Beside(),  # noqa: B008 — frozen and empty
) -> pd.DataFrame:
    """Every class of every customer with a sale.

    Value, ABC and tier are computed. Of frequency, activity, loyalty and satisfaction what cannot be
    computed is as the firm states it. Where costs are supplied the tier takes the lifetime value after
    costs, else the profit so far.

    Parameters
    ----------
    facts, rfm : a row per customer, in the same order
    answers : survey answers by as_of, or None where no survey is supplied
    rules : the client's standards
    stated : what the firm itself says, as `classification.stated.stated` returns it
    beside : what is known beside the facts, as `classification.beside.beside` returns it

    Returns
    -------
    The columns of `tables.CLASSES`. Classes never use a model's output.
    """
    ids = facts["customer_id"]
    worth = lifetime(facts, beside.costs, beside.habits).set_index(facts.index)
    known = worth["lifetime_value"] if worth["lifetime_value"].notna().any() else None
    judged = tiered(facts, answers, rules, decimals=decimals, stated=stated, lifetime=known)
    signs = potential(facts, judged["tier"], beside.habits, beside.recent, rules, decimals=decimals)
    recommend = recommended(facts, answers)
    judged = pd.concat([rfm, judged], axis=1).assign(
        value=value(facts, rules.value, decimals),
        abc=abc(facts, rules.abc),
        **scored(card_points(facts, answers, recommend, rules), rules.scorecard),
        **needs(facts, beside.need, beside.habits, rules.need)[["need", "need_source"]],
        **worth[["lifetime_value", "served"]],
        potential=signs,
        **attributes(ids, beside),
        cluster=NOT_GROUPED,  # until `clusters.labels` has looked at all customers together
    )
    return judged.assign(tags=tags(facts, judged, rules.tags, decimals=decimals))


def tiered(
    facts: pd.DataFrame,
    answers: pd.DataFrame | None,
    rules: Classes,
    *,
    decimals: int,
    stated: pd.DataFrame | None = None,
    lifetime: pd.Series | None = None,
    kept: Kept | None = None,
) -> pd.DataFrame:
    """The combined tier and the classes behind it, in the order of `facts`.

    Parameters
    ----------
    lifetime : lifetime value after costs; None where no cost is known of anybody, and profit takes its place
    kept : gradings of the same customers by other rules; what these do not touch is taken from there

    Returns
    -------
    behaviour, behaviour_fixed, frequency, activity, loyalty, satisfaction, tier, tier_points
    """
    often, once = rules.frequency, (kept or Kept()).once
    frequency = once("frequency", often, lambda: _frequency(facts, often, stated))
    states, activity = once("behaviour", rules.behaviour, lambda: _activity(facts, rules.behaviour, stated))
    loyal = once("loyalty", rules.loyalty, lambda: _loyal(facts, recommended(facts, answers), rules, stated))
    content = once("satisfaction", rules.satisfaction, lambda: _content(facts, answers, rules, stated))
    habits = {"activity": activity, "satisfaction": content}
    points = tier_points(
        facts, frequency, loyal, rules, decimals, lifetime=lifetime, habits=habits, kept=kept
    )
    return states.assign(
        frequency=frequency,
        activity=activity,
        loyalty=loyal,
        satisfaction=_or_not_graded(content, facts.index),
        tier=by_cuts(points, rules.tier.cuts),
        tier_points=points,
    )


def _frequency(facts: pd.DataFrame, often: FrequencyRule, stated: pd.DataFrame | None) -> pd.Series:
    """How often, by its rule; as stated where it cannot be computed."""
    found = graded(facts["orders_a_year"], often.cuts, often.shares, often.at_least)
    return _completed(found, _as_stated(facts, stated, "frequency"))


def _activity(
    facts: pd.DataFrame, rule: BehaviourRule, stated: pd.DataFrame | None
) -> tuple[pd.DataFrame, pd.Series]:
    """Behaviour, and the activity that follows from it or is stated."""
    states = behaviour(facts, rule, stated)
    activity = states["behaviour"].map({"active": "high", "dormant": "medium", "churned": "low"})
    return states, _completed(activity.fillna(NOT_GRADED), _as_stated(facts, stated, "activity"))


def recommended(facts: pd.DataFrame, answers: pd.DataFrame | None) -> pd.Series:
    """Each customer's latest willingness to recommend, 0–10, in the order of `facts`; NaN where not asked."""
    if answers is None or not len(answers):
        return pd.Series(np.nan, index=facts.index)
    return facts["customer_id"].map(recommendation(answers))


def _content(
    facts: pd.DataFrame, answers: pd.DataFrame | None, rules: Classes, stated: pd.DataFrame | None
) -> pd.Series | None:
    """Satisfaction as answered; as stated where nobody was asked; None where neither is known of anybody."""
    asked = answers is not None and len(answers) > 0
    content = facts["customer_id"].map(satisfaction(answers, rules.satisfaction)) if asked else None
    if stated is None:
        return content
    said = _as_stated(facts, stated, "satisfaction")
    return said if content is None else content.astype(object).where(content.notna(), said)


def _or_not_graded(named: pd.Series | None, index: pd.Index) -> pd.Series:
    """A class for everyone: who has none is told to be not graded."""
    found = pd.Series(NOT_GRADED, index=index) if named is None else named.astype(object).fillna(NOT_GRADED)
    return found.astype("str")


def _completed(computed: pd.Series, said: pd.Series) -> pd.Series:
    """Classes as computed; where they could not be, as the firm states them."""
    return computed.where((computed != NOT_GRADED) | said.isna(), said).astype("str")


def _loyal(
    facts: pd.DataFrame, recommend: pd.Series, rules: Classes, stated: pd.DataFrame | None
) -> pd.Series:
    """Loyalty by its points; as stated where the firm states it and nobody knows since when they buy."""
    computed = by_cuts(loyalty(facts, recommend, rules), HALVES)
    said = _as_stated(facts, stated, "loyalty")
    return computed.where(facts["tenure_days"].notna() | said.isna(), said).astype("str")


def loyalty(facts: pd.DataFrame, recommend: pd.Series, rules: Classes) -> pd.Series:
    """Points of the scorecard's loyalty part: repurchase, tenure, recommendation where known."""
    rule = rules.loyalty
    return mean_points(
        {
            "orders": by_cuts(facts["orders"].astype(float), rule.orders),
            "tenure": by_cuts(facts["tenure_days"].astype(float), rule.tenure_days),
            "recommend": by_cuts(recommend, rule.recommend),
        }
    )


def tier_points(
    facts: pd.DataFrame,
    frequency: pd.Series,
    loyal: pd.Series,
    rules: Classes,
    decimals: int,
    *,
    lifetime: pd.Series | None = None,
    habits: Mapping[str, pd.Series | None] | None = None,
    kept: Kept | None = None,
) -> pd.Series:
    """Points of the combined tier (X16): frequency, spend, loyalty, lifetime value as far as known.

    Lifetime value is what the customer brought after costs; without costs, the profit so far. Where
    spend is all that is graded, the tier is the value class of spend.
    """
    more = {"lifetime": lifetime, "habits": habits, "kept": kept}
    parts = tier_parts(facts, frequency, loyal, rules, decimals, **more)
    points = mean_points(parts, rules.tier.weights.model_dump())
    # Without a graded amount, habits alone would make a tier that says nothing of worth.
    return points.where(parts["spend"] != NOT_GRADED)


def tier_parts(
    facts: pd.DataFrame,
    frequency: pd.Series,
    loyal: pd.Series,
    rules: Classes,
    decimals: int,
    *,
    lifetime: pd.Series | None = None,
    habits: Mapping[str, pd.Series | None] | None = None,
    kept: Kept | None = None,
) -> dict[str, pd.Series]:
    """The gradings behind the combined tier: frequency, spend, loyalty, lifetime.

    Parameters
    ----------
    lifetime : lifetime value after costs (`classes.lifetime_value`), in the order of `facts`; where it is
        not given, because it is known of nobody, the profit so far takes its place
    habits : activity and satisfaction, which take part only where the client lets them weigh
    """
    weights = rules.tier.weights.model_dump()
    more = {n: part for n, part in (habits or {}).items() if weights[n] and part is not None}
    more = {n: part.replace(AS_LEVEL).fillna(NOT_GRADED) for n, part in more.items()}
    rule, main, once = rules.value, 10**decimals, (kept or Kept()).once
    by = (rule.spend, rule.shares, rule.at_least)
    spend = once("spend", by, lambda: graded(facts["net"].astype(float) / main, *by))
    if lifetime is not None:
        after, own = pd.Series(lifetime.to_numpy(), index=facts.index), rules.lifetime
        by_own = (own.cuts, own.shares, own.at_least)
        worth = once("lifetime", by_own, lambda: graded(_amount(after) / main, *by_own))
    else:
        by_profit = (rule.profit, rule.shares, rule.at_least)
        worth = once("lifetime", by_profit, lambda: graded(_amount(facts["profit"]) / main, *by_profit))
    return {"frequency": frequency, "spend": spend, "loyalty": loyal, "lifetime": worth} | more


def _amount(values: pd.Series) -> pd.Series:
    """Amounts that may be unknown as numbers that may be NaN."""
    return values.astype("Float64").astype(float)


def counts(classes: pd.DataFrame, column: str, order: tuple[str, ...] = ()) -> pd.DataFrame:
    """Customers and their share by one class, in the order given, then by name."""
    found = classes[column].value_counts()
    names = [n for n in order if n in found.index] + sorted(set(found.index) - set(order))
    return pd.DataFrame(
        {
            column: names,
            "customers": found[names].to_numpy(),
            "share": found[names].to_numpy() / max(found.sum(), 1),
        }
    )


def beside_fixed(classes: pd.DataFrame) -> pd.DataFrame:
    """Behaviour by own rhythm with the count by fixed days beside: behaviour, customers, share, by_fixed_days."""
    table = counts(classes, "behaviour", ("active", "dormant", "churned"))
    fixed = classes["behaviour_fixed"].value_counts()
    beside = table["behaviour"].map(fixed).fillna(0).astype("int64")
    if len(classes) and set(fixed.index) == {NOT_GRADED}:
        beside = pd.Series(None, index=table.index, dtype=object)  # nobody knows of a last order
    return table.assign(by_fixed_days=beside)


def levels(classes: pd.DataFrame, facts: pd.DataFrame) -> pd.DataFrame:
    """Customers and gross sales by value, ABC and tier: class, level, customers, share, gross, share_of_sales."""
    joined = classes.merge(facts[["customer_id", "gross"]], on="customer_id", validate="one_to_one")
    parts = []
    for name, order in (("value", LEVELS), ("abc", ("A", "B", "C")), ("tier", LEVELS)):
        table = counts(classes, name, order).rename(columns={name: "level"})
        gross = joined.groupby(name)["gross"].sum()
        parts.append(
            table.assign(gross=table["level"].map(gross)).pipe(lambda t, n=name: t.assign(**{"class": n}))
        )
    found = pd.concat(parts, ignore_index=True)
    found["share_of_sales"] = found["gross"] / max(int(joined["gross"].sum()), 1)
    return found[["class", "level", "customers", "share", "gross", "share_of_sales"]]


def judged_behaviour(
    facts: pd.DataFrame, rule: BehaviourRule, stated: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Behaviour alone: customer_id, behaviour, behaviour_fixed."""
    return pd.concat([facts[["customer_id"]], behaviour(facts, rule, stated)], axis=1)


def held(levels: pd.DataFrame, name: str, level: str) -> dict[str, float]:
    """Of one class of `levels`: customers, their share, their share of sales; 0 where it is empty."""
    one = levels[(levels["class"] == name) & (levels["level"] == level)]
    return {
        "customers": int(one["customers"].sum()),
        "share": float(one["share"].sum()),
        "sales": float(one["share_of_sales"].sum()),
    }


def states(behaviours: pd.DataFrame) -> dict[str, float]:
    """Share of customers active, dormant and churned, and how many customers have a behaviour.

    `dated` is False where nobody knows when any customer last bought: the firm's own mark then tells
    who has gone, but not who is dormant.
    """
    shares = behaviours.set_index("behaviour")["share"]
    judged = behaviours[behaviours["behaviour"] != NOT_GRADED]
    dated = not len(judged) or bool(behaviours["by_fixed_days"].notna().any())
    found = {state: float(shares.get(state, 0.0)) for state in ("active", "dormant", "churned")}
    return found | {"dated": dated, "judged": int(judged["customers"].sum())}


def loose(classes: pd.DataFrame) -> dict[str, float]:
    """Customers of high value with low loyalty, and their share of those of high value."""
    valuable = classes[classes["value"] == "high"]
    weak = int((valuable["loyalty"] == "low").sum())
    return {"customers": weak, "share": weak / max(len(valuable), 1), "valuable": len(valuable)}


def graded_customers(classes: pd.DataFrame) -> int:
    """How many customers have a tier."""
    return int((classes["tier"] != NOT_GRADED).sum())
