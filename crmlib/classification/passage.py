"""From one date to the next: what was known of every customer, and the tier it comes to at each step."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crmlib.classification import beside, stated
from crmlib.classification import classes as classing
from crmlib.classification import facts as facts_of
from crmlib.classification.lifetime import lifetime
from crmlib.client import Client
from crmlib.period import Period
from crmlib.rules import Classes, Cuts, Shares

NEW, GONE = "new", "gone"


@dataclass(frozen=True)
class Known:
    """What is known of every customer at a date: facts, survey answers, what the firm says itself."""

    facts: pd.DataFrame
    answers: pd.DataFrame | None = None
    stated: pd.DataFrame | None = None

    def of(self, ids: Iterable[str]) -> "Known":
        """Of these customers alone, all in one order."""
        chosen = pd.Index(ids).sort_values()
        rows = self.facts.set_index("customer_id").loc[chosen].rename_axis("customer_id").reset_index()
        said = None if self.answers is None else self.answers[self.answers["customer_id"].isin(chosen)]
        return Known(rows, said, self.stated)


@dataclass(frozen=True)
class Passage:
    """From one date to the next: what was known, and by which rules it was graded."""

    then: Known
    now: Known
    rules: Classes
    before: Classes
    decimals: int


def passage(client: Client, span: Period, before: Classes) -> Passage:
    """What is known at the end of a period and of the one before it.

    Totals without a day belong to any period, hence tell of no change: both dates are then empty.
    """
    first, last = span.previous().day_range[1], span.day_range[1]
    then, now = (
        Known(
            _with_lifetime(client, facts_of.known(client, as_of=day, dated=day == first), as_of=day),
            stated.answers(client, as_of=day),
            stated.stated(client, as_of=day),
        )
        for day in (first, last)
    )
    if not facts_of.comparable(client, as_of=first):
        now = Known(now.facts.head(0), now.answers, now.stated)
    return Passage(then, now, client.classes, before, client.decimals)


def _with_lifetime(client: Client, facts: pd.DataFrame, *, as_of: int) -> pd.DataFrame:
    """Facts with the lifetime value after costs, a fact like any other from here on; as they are without costs.

    It is worked out for all customers together, because they share the cost of winning them.
    """
    around = beside.beside(client, as_of=as_of)
    worth = lifetime(facts, around.costs, around.habits)["lifetime_value"].set_axis(facts.index)
    return facts.assign(lifetime_value=worth) if worth.notna().any() else facts


def graded(known: Known, rules: Classes, decimals: int) -> pd.DataFrame:
    """Tier and its points by customer_id."""
    said = {"stated": known.stated, "lifetime": known.facts.get("lifetime_value")}
    judged = classing.tiered(known.facts, known.answers, rules, decimals=decimals, **said)
    return judged[["tier", "tier_points"]].set_index(pd.Index(known.facts["customer_id"]))


def frozen(facts: pd.DataFrame, rules: Classes, *, decimals: int) -> Classes:
    """Rules by amounts alone: where a class goes by share, the least amount that reached it here.

    A list too short for shares stays without classes.
    """
    often, value, after, main = rules.frequency, rules.value, rules.lifetime, 10**decimals
    spend = facts["net"].astype(float) / main
    profit = facts["profit"].astype("Float64").astype(float) / main
    rate = facts["orders_a_year"].astype(float)
    worth = facts.get("lifetime_value", pd.Series(dtype="Int64")).astype("Float64").astype(float) / main
    least = after.cuts or effective(worth, after.shares, after.at_least)
    cuts = often.cuts or effective(rate, often.shares, often.at_least)
    amounts = {
        "spend": value.spend or effective(spend, value.shares, value.at_least),
        "profit": value.profit or effective(profit, value.shares, value.at_least),
    }
    never = {"at_least": np.iinfo("int64").max}
    return rules.model_copy(
        update={
            "frequency": often.model_copy(update={"cuts": cuts} | never),
            "value": value.model_copy(update=amounts | never),
            "lifetime": after.model_copy(update={"cuts": least} | never),
        }
    )


def effective(values: pd.Series, shares: Shares, at_least: int) -> Cuts | None:
    """The amounts that classes by share come to; None where the list is too short for shares.

    >>> effective(pd.Series([50, 30, 10, 10]), Shares(first=0.5, second=0.8), 4)
    Cuts(high=50.0, medium=30.0)
    """
    if values.notna().sum() < at_least:
        return None
    named = classing.by_share(values, shares)
    high, medium = (values[named == level].min() for level in ("high", "medium"))
    # Where nobody had anything, anything would have been the most; a class may be empty.
    high = float(np.nextafter(0, 1) if pd.isna(high) else high)
    return Cuts.model_construct(high=high, medium=high if pd.isna(medium) else float(medium))


def steps(way: Passage) -> pd.DataFrame:
    """The tier of every customer at each step, by customer_id.

    Returns
    -------
    given (by the rules of then), then (the same facts by today's rules), own (today's facts with the
    amounts needed then), now. `then` and before it "new" for who was not known then, `own` and `now`
    "gone" for who is no longer known.
    """
    amounts = frozen(way.then.facts, way.rules, decimals=way.decimals)
    graded_as = {
        "given": (way.then, way.before),
        "then": (way.then, way.rules),
        "own": (way.now, amounts),
        "now": (way.now, way.rules),
    }
    found = {name: graded(known, rules, way.decimals)["tier"] for name, (known, rules) in graded_as.items()}
    table = pd.DataFrame(found).astype(object).rename_axis("customer_id").sort_index()
    table[["given", "then"]] = table[["given", "then"]].fillna(NEW)
    table[["own", "now"]] = table[["own", "now"]].fillna(GONE)
    return table


def all_facts(known: Known) -> list[str]:
    """Whatever is known of a customer, by name; answers as `recommend` and, all other aspects, `score`."""
    said = [] if known.stated is None else [c for c in known.stated.columns if c != "customer_id"]
    return list(dict.fromkeys([*known.facts.columns[1:], *said, "recommend", "score"]))


def mixed(then: Known, now: Known, facts: set[str]) -> Known:
    """What was known then, with these facts as they are now; both of the same customers in one order."""
    taken = [c for c in now.facts.columns if c in facts]
    return Known(
        then.facts.assign(**{c: now.facts[c] for c in taken}),
        _mixed_answers(then.answers, now.answers, facts),
        _mixed_stated(then, now, facts),
    )


def _mixed_answers(
    then: pd.DataFrame | None, now: pd.DataFrame | None, facts: set[str]
) -> pd.DataFrame | None:
    if then is None or now is None:
        return now if "score" in facts else then
    asked = [now if "recommend" in facts else then, now if "score" in facts else then]
    parts = [asked[0][asked[0]["aspect"] == "recommend"], asked[1][asked[1]["aspect"] != "recommend"]]
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)


def _mixed_stated(then: Known, now: Known, facts: set[str]) -> pd.DataFrame | None:
    if then.stated is None or now.stated is None:
        return then.stated
    ids = pd.Index(then.facts["customer_id"])
    old, new = (part.set_index("customer_id").reindex(ids) for part in (then.stated, now.stated))
    chosen = {c: new[c] for c in old.columns if c in facts}
    return old.assign(**chosen).rename_axis("customer_id").reset_index()
