"""Whose tier has changed, and what changed it (B02): own facts, a rule, or where the others stand.

From the tier that was given then to the tier of today lead three steps, each computed apart:

1. *rule*: the facts of then by the rules that were in force then, and by today's;
2. *own facts*: by today's rules, with the amounts that one needed then, the facts of then and of now;
3. *cut*: the same facts of now, where classes go by share and others moved the amount one needs.

So nobody is said to have moved whose facts did not. Which facts made the second step is found by
exchanging them, one group at a time: the smallest set of groups that makes the whole step alone.
"""

from collections.abc import Callable, Iterable
from itertools import combinations

import numpy as np
import pandas as pd

from crmlib.classification import classes as classing
from crmlib.classification import standards
from crmlib.classification.passage import GONE, NEW, Known, Passage, all_facts, frozen, graded, mixed
from crmlib.rules import Classes, Cuts

# What is told of a customer, by group; of several that would do alone and equally, the first is the cause.
# Whatever else is known is money.
GROUPS = {
    "money": ("net", "profit", "lifetime_value"),
    "frequency": ("orders_a_year", "orders", "order_days"),
    "satisfaction": ("recommend", "score"),
    "recency": ("recency_days", "last_day", "gap_days", "churned", "activity"),
    "time": ("tenure_days", "first_day"),
}
OWN = tuple(GROUPS)
UNITS = {
    "net": "money",
    "profit": "money",
    "lifetime_value": "money",
    "orders_a_year": "number",
    "orders": "count",
}
UNITS |= {"recommend": "number", "score": "score", "recency_days": "days", "tenure_days": "days"}
SHOWN = {group: tuple(fact for fact in facts if fact in UNITS) for group, facts in GROUPS.items()}
MOVES = ["customer_id", "before", "now", "cause", "fact", "unit", "previous", "value", "net", "net_change"]
Graded = Callable[[tuple[str, ...]], pd.DataFrame | None]


def moves(way: Passage, steps: pd.DataFrame, *, earlier: pd.DataFrame | None = None) -> pd.DataFrame:
    """Every step that changed a tier, with its cause, the fact that decided, and the money involved.

    A customer stands here once for each step: the tiers of the rows lead from the one given then to
    today's. Where today's tier is that of then by today's rules, nothing moved since, even if own
    facts and the others' took it up and down again. Who is new or gone is not here.

    Parameters
    ----------
    earlier : facts at the beginning of the previous period, for its spend; without them no change is told

    Returns
    -------
    customer_id, before, now (tiers of the step), cause (a group of `GROUPS`, several joined by "+",
    "cut", or "rule"), fact (the one that decided; of a rule its key, of a cut the amount's fact), unit,
    previous and value (the fact then and now), net (net sales of the period) and net_change (against the
    previous period), both in the smallest unit. Own movements first, the largest money first.
    """
    both = steps[(steps["given"] != NEW) & (steps["now"] != GONE)]
    since = both[both["then"] != both["now"]]
    parts = [
        _by_own(way, since[since["then"] != since["own"]]),
        _by_cut(way, since[since["own"] != since["now"]]),
        _by_rule(way, both[both["given"] != both["then"]]),
    ]
    rows = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    spent = money(way, earlier)
    rows = rows.assign(**{name: rows["customer_id"].map(spent[name]) for name in ("net", "net_change")})
    place = rows["cause"].map({"cut": 1, "rule": 2}).fillna(0)
    size = -rows["net_change"].astype("Float64").abs().fillna(0)
    order = pd.DataFrame({"place": place, "size": size, "id": rows["customer_id"]})
    rows = rows.loc[order.sort_values(["place", "size", "id"]).index, MOVES].reset_index(drop=True)
    plain = {name: rows[name].astype(object) for name in ("previous", "value")}
    return rows.assign(**{name: part.where(part.notna(), None) for name, part in plain.items()})


def money(way: Passage, earlier: pd.DataFrame | None = None) -> pd.DataFrame:
    """Net sales of the period and their change against the previous one, by customer_id."""
    so_far = [
        part.set_index("customer_id")["net"].astype("Int64") for part in (way.now.facts, way.then.facts)
    ]
    now, then = so_far[0], so_far[1].reindex(so_far[0].index)
    net = now - then.fillna(0)
    if earlier is None:
        return pd.DataFrame({"net": net, "net_change": pd.array([pd.NA] * len(net), "Int64")})
    before = then.fillna(0) - earlier.set_index("customer_id")["net"].astype("Int64").reindex(
        now.index
    ).fillna(0)
    return pd.DataFrame({"net": net, "net_change": net - before})


def _by_own(way: Passage, stepped: pd.DataFrame) -> pd.DataFrame:
    """Steps that own facts made: the groups that alone make them, and the fact that weighs most."""
    if stepped.empty:
        return pd.DataFrame(columns=MOVES)
    then, now = way.then.of(stepped.index), way.now.of(stepped.index)
    amounts = frozen(way.then.facts, way.rules, decimals=way.decimals)

    def exchange(facts: Iterable[str]) -> pd.DataFrame:
        return graded(mixed(then, now, set(facts)), amounts, way.decimals)

    def groups(names: tuple[str, ...]) -> pd.DataFrame:
        return exchange(name for group in names for name in _facts(group, now))

    stepped = stepped.sort_index()
    cause = _smallest(OWN, groups, stepped["own"])
    single = {fact: exchange([fact])["tier_points"] for facts in SHOWN.values() for fact in facts}
    start, way_up = exchange([])["tier_points"], exchange(all_facts(now))["tier_points"]
    pull = pd.DataFrame({fact: (points - start) * np.sign(way_up - start) for fact, points in single.items()})
    values = _values(then), _values(now)
    fact = [_decided(pull.loc[id], cause[id], id, values) for id in stepped.index]
    return _rows(stepped["then"], stepped["own"], cause, fact, values)


def _decided(pull: pd.Series, cause: str, id: str, values: tuple[pd.DataFrame, pd.DataFrame]) -> str:
    """Of the facts of a cause that changed, the one that pulls most; of equals the first."""
    facts = [fact for group in cause.split("+") for fact in SHOWN[group]]
    then, now = (table.loc[id] for table in values)
    told = [fact for fact in facts if then[fact] != now[fact] and not pd.isna([then[fact], now[fact]]).all()]
    return pull.reindex(told or facts).fillna(-np.inf).idxmax()


def _by_cut(way: Passage, stepped: pd.DataFrame) -> pd.DataFrame:
    """Steps that others made: of the amounts needed, the one that moved the customer, then and now."""
    if stepped.empty:
        return pd.DataFrame(columns=MOVES)
    stepped, now = stepped.sort_index(), way.now.of(stepped.index)
    old, new = (frozen(k.facts, way.rules, decimals=way.decimals) for k in (way.then, way.now))

    def exchange(names: tuple[str, ...]) -> pd.DataFrame:
        return graded(now, _with_cuts(old, new, names), way.decimals)

    found = _smallest(tuple(standards.changed(old, new)), exchange, stepped["now"])
    values, rows = _values(now), []
    for id, key in found.str.split("+").str[0].items():
        fact, (then, today) = NEEDED[key], (standards.settings(rules)[key] for rules in (old, new))
        scale = 10**way.decimals if UNITS[fact] == "money" else 1
        needed = _needed(values.at[id, fact] / scale, then, today)
        shown = [_plain(amount * scale, UNITS[fact]) for amount in needed]
        rows.append((id, *stepped.loc[id, ["own", "now"]], "cut", f"{fact}_needed", UNITS[fact], *shown))
    return pd.DataFrame(rows, columns=MOVES[:8]).astype({"previous": object, "value": object})


NEEDED = {"classes.frequency.cuts": "orders_a_year"}
NEEDED |= {"classes.value.spend": "net", "classes.value.profit": "profit"}
NEEDED |= {"classes.lifetime.cuts": "lifetime_value"}


def _needed(own: float, then: Cuts | None, now: Cuts | None) -> tuple[float, float]:
    """The amount that a value reaches at one date only, as it was and as it is; NaN where none was asked.

    >>> _needed(7, Cuts(high=10, medium=8), Cuts(high=9, medium=6))
    (8.0, 6.0)
    """
    levels = [(getattr(then, name, np.nan), getattr(now, name, np.nan)) for name in ("high", "medium")]
    apart = [pair for pair in levels if (own >= pair[0]) != (own >= pair[1])]
    return (apart or levels)[0]


def _with_cuts(old: Classes, new: Classes, keys: tuple[str, ...]) -> Classes:
    """Frozen rules with some amounts of others; they need no check, being no client's words."""
    value = {
        key.rsplit(".", 1)[1]: getattr(new.value, key.rsplit(".", 1)[1]) for key in keys if ".value." in key
    }
    whole = {
        name: getattr(new if f"classes.{name}.cuts" in keys else old, name)
        for name in ("frequency", "lifetime")
    }
    return old.model_copy(update=whole | {"value": old.value.model_copy(update=value)})


def _by_rule(way: Passage, stepped: pd.DataFrame) -> pd.DataFrame:
    """Steps that a changed rule made: the settings that alone make them, then and now."""
    if stepped.empty:
        return pd.DataFrame(columns=MOVES)
    stepped = stepped.sort_index()
    keys = tuple(standards.changed(way.before, way.rules))

    def exchange(names: tuple[str, ...]) -> pd.DataFrame | None:
        rules = standards.exchanged(way.before, way.rules, names)
        return None if rules is None else graded(way.then, rules, way.decimals).loc[stepped.index]

    found = _smallest(keys, exchange, stepped["then"])
    first = found.str.split("+").str[0]
    old, new = (
        first.map(standards.settings(rules)).map(standards.shown) for rules in (way.before, way.rules)
    )
    rows = {"customer_id": stepped.index, "before": stepped["given"], "now": stepped["then"], "cause": "rule"}
    rows |= {"fact": found, "unit": "text", "previous": old, "value": new}
    return pd.DataFrame(rows).reset_index(drop=True)


def _smallest(units: tuple[str, ...], exchange: Graded, goal: pd.Series) -> pd.Series:
    """Of each customer the smallest set of units that alone makes the whole step, its names joined by "+".

    Of several equally small the one that moves the points furthest towards the step's end, then the
    first. All units together always make it, so every step has a cause.
    """
    found = pd.Series(None, index=goal.index, dtype=object)
    if goal.empty:
        return found
    start, end = exchange(())["tier_points"], exchange(units)["tier_points"]
    sizes = range(1, len(units) + 1) if len(units) <= 8 else (1, 2, len(units))
    for size in sizes:
        strength = {}
        for names in combinations(units, size):
            judged = exchange(names)
            if judged is not None:
                pull = ((judged["tier_points"] - start) * np.sign(end - start)).fillna(0)
                strength["+".join(names)] = pull.where(judged["tier"] == goal)
        ranked = pd.DataFrame(strength, index=goal.index)
        makes = found.isna() & ranked.notna().any(axis=1)
        found[makes] = ranked[makes].idxmax(axis=1)
        if found.notna().all():
            break
    return found


def _facts(group: str, known: Known) -> list[str]:
    """The facts of a group; what no other group names is money."""
    named = [fact for facts in GROUPS.values() for fact in facts]
    rest = [c for c in all_facts(known) if c not in named] if group == "money" else []
    return [*GROUPS[group], *rest]


def _values(known: Known) -> pd.DataFrame:
    """The facts that a reader is shown, by customer_id; NaN where not known."""
    table = known.facts.set_index("customer_id")
    found = {fact: table[fact].astype("Float64").astype(float) for fact in UNITS if fact in table.columns}
    said, none = known.answers, pd.Series(dtype=float)
    asked = said is not None and len(said) > 0
    found["recommend"] = (classing.recommendation(said) if asked else none).reindex(table.index)
    found["score"] = (_score(said) if asked else none).reindex(table.index)
    return pd.DataFrame(found, index=table.index).reindex(columns=list(UNITS))


def _score(answers: pd.DataFrame) -> pd.Series:
    """Mean of each customer's latest form on 0–100, by which satisfaction is classed."""
    rated = answers[answers["aspect"] != "recommend"]
    newest = rated[rated["answered_day"] == rated.groupby("customer_id")["answered_day"].transform("max")]
    return classing.percent(newest).groupby(newest["customer_id"]).mean()


def _rows(
    before: pd.Series, now: pd.Series, cause: pd.Series, fact: list[str], values: tuple
) -> pd.DataFrame:
    then, today = (
        [_plain(table.at[id, name], UNITS[name]) for id, name in zip(before.index, fact, strict=True)]
        for table in values
    )
    rows = {"customer_id": before.index, "before": before, "now": now, "cause": cause, "fact": fact}
    rows |= {"unit": [UNITS[name] for name in fact], "previous": then, "value": today}
    return pd.DataFrame(rows).astype({"previous": object, "value": object}).reset_index(drop=True)


def _plain(value: float, unit: str) -> float | int | None:
    if pd.isna(value):
        return None
    return round(value) if unit in ("money", "count") else float(value)


LEVELS = (*classing.LEVELS, classing.NOT_GRADED)


def flow(way: Passage, steps: pd.DataFrame) -> pd.DataFrame:
    """Customers by tier then, by today's rules ("new" for new ones), and tier now ("gone" for lost ones).

    Returns
    -------
    before, now, customers, net (their net sales of the period, smallest unit; 0 for who is gone); the
    highest tiers first, a row for who stayed in each tier even where nobody did
    """
    net = money(way)["net"].reindex(steps.index).fillna(0).astype("int64")
    pairs = steps.assign(net=net).groupby(["then", "now"])["net"].agg(["size", "sum"])
    there = set(steps["then"]) | set(steps["now"])
    held = [(a, b) for a in (*LEVELS, NEW) for b in (*LEVELS, GONE)]
    order = [(a, b) for a, b in held if (a, b) in pairs.index or (a == b and a in there)]
    rows = [(*pair, *map(int, pairs.loc[pair] if pair in pairs.index else (0, 0))) for pair in order]
    return pd.DataFrame(rows, columns=["before", "now", "customers", "net"])


def by_cause(moves: pd.DataFrame) -> pd.DataFrame:
    """Steps by cause: cause, customers, rose, fell, net, net_change; own movements first, then the most."""
    way = moves["now"].map(classing.POINTS).astype(float) - moves["before"].map(classing.POINTS).astype(float)
    rows = moves.assign(rose=way > 0, fell=way < 0, place=moves["cause"].map({"cut": 1, "rule": 2}).fillna(0))
    table = rows.groupby("cause", sort=True).agg(
        customers=("customer_id", "size"),
        rose=("rose", "sum"),
        fell=("fell", "sum"),
        net=("net", "sum"),
        net_change=("net_change", lambda part: part.sum(min_count=1)),
        place=("place", "first"),
    )
    order = table.reset_index().sort_values(["place", "customers", "cause"], ascending=[True, False, True])
    return order.drop(columns="place").reset_index(drop=True)


def told(moves: pd.DataFrame, steps: pd.DataFrame) -> dict:
    """Of a migration what sentences tell.

    Returns
    -------
    both (customers with a tier at both dates), own (of these moved by own facts), rose, fell, cut and
    rule (moved by these alone in a step), new, gone, net (net sales of the period of those who moved
    themselves), decided (the groups of facts most often among the causes)
    """
    table = by_cause(moves)
    own = table[~table["cause"].isin(["cut", "rule"])]
    at = steps[(steps["then"] != NEW) & (steps["now"] != GONE)]
    known = (at[["then", "now"]] != classing.NOT_GRADED).all(axis=1)
    counted = table.set_index("cause")["customers"]
    parts = own.assign(cause=own["cause"].str.split("+")).explode("cause").groupby("cause")["customers"].sum()
    return {
        "both": int(known.sum()),
        "own": int(own["customers"].sum()),
        "rose": int(own["rose"].sum()),
        "fell": int(own["fell"].sum()),
        "cut": int(counted.get("cut", 0)),
        "rule": int(counted.get("rule", 0)),
        "new": int((steps["then"] == NEW).sum()),
        "gone": int((steps["now"] == GONE).sum()),
        "net": int(own["net"].sum()),
        "decided": sorted(parts.index[parts == parts.max()]),
    }


def figures(moves: pd.DataFrame, steps: pd.DataFrame) -> dict[str, dict]:
    """Customers whose tier moved, by cause; not known where nobody has a tier at both dates."""
    values = told(moves, steps)
    counts = {"customers": values["own"], "rose": values["rose"], "fell": values["fell"]}
    counts |= {f"{part}.customers": values[part] for part in ("cut", "rule")}
    for group in OWN:
        counts[f"{group}.customers"] = int(moves["cause"].str.split("+").map(lambda c, g=group: g in c).sum())
    if not values["both"]:
        return {f"tier.moved.{id}": {"value": None, "n": 0, "why": "too few"} for id in counts}
    return {f"tier.moved.{id}": {"value": count, "n": values["both"]} for id, count in counts.items()}
