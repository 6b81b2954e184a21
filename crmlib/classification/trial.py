"""Other rules tried on the customers we have: who would be in which tier, who would move, and with what money.

What the sliders of the threshold laboratory and `crm thresholds` show. The tiers are those of
`classes.tiered`, so that a run by the tried rules gives every customer the very same.
"""

from dataclasses import dataclass

import pandas as pd

from crmlib.classification import facts as facts_of
from crmlib.classification import stated as said_of
from crmlib.classification.beside import Beside, beside
from crmlib.classification.classes import LEVELS, NOT_GRADED, POINTS, Kept, tiered
from crmlib.classification.lifetime import lifetime
from crmlib.client import Client
from crmlib.rules import Classes

TIERS = [
    "tier",
    "customers",
    "customers_saved",
    "entered",
    "left",
    "share",
    "gross",
    "share_of_sales",
    "service",
]
MOVERS = ["customer_id", "tier_saved", "tier_tried", "net"]
UNITS = {"customers_saved": "count", "entered": "count", "left": "count"}
UNITS |= {"tier_saved": "word", "tier_tried": "word"}


@dataclass(frozen=True)
class Grounds:
    """What a tier rests on, of every customer in the order of `facts`.

    Parameters
    ----------
    facts, answers, stated : as `classes.tiered` takes them
    lifetime : lifetime value after costs; None where no cost is known of anybody
    service : what serving each customer cost, empty where unknown; None where nobody supplies it
    """

    facts: pd.DataFrame
    answers: pd.DataFrame | None
    stated: pd.DataFrame | None
    lifetime: pd.Series | None
    service: pd.Series | None
    decimals: int


@dataclass(frozen=True)
class Trial:
    """What the tried rules would change.

    Parameters
    ----------
    tiers : tier, customers, customers_saved (by the rules as saved), entered and left (since those), share (of all
        customers), gross and share_of_sales (so far), service (what serving them cost; empty where not supplied)
    movers : customer_id, tier_saved (by the rules as saved), tier_tried, net (sales so far, smallest unit); the largest
        amount first
    """

    tiers: pd.DataFrame
    movers: pd.DataFrame

    @property
    def told(self) -> dict[str, int]:
        """Customers up, down, newly graded or no longer, and the net sales of those up and down."""
        points = {side: self.movers[side].map(POINTS).astype(float) for side in MOVERS[1:3]}
        way = points["tier_tried"] - points["tier_saved"]
        up, down = way > 0, way < 0
        return {
            "moved": len(self.movers),
            "up": int(up.sum()),
            "down": int(down.sum()),
            "other": int(way.isna().sum()),
            "net_up": int(self.movers.loc[up, "net"].sum()),
            "net_down": int(self.movers.loc[down, "net"].sum()),
        }

    @property
    def flow(self) -> pd.DataFrame:
        """Customers from tier to tier: tier_saved, tier_tried, customers; with those who stay, best tiers first."""
        order = {tier: place for place, tier in enumerate((*LEVELS, NOT_GRADED))}
        sides = MOVERS[1:3]
        moved = self.movers.groupby(sides).size().rename("customers").reset_index()
        stay = self.tiers["customers_saved"] - self.tiers["left"]
        rows = pd.DataFrame(dict.fromkeys(sides, self.tiers["tier"]) | {"customers": stay})
        rows = pd.concat([rows, moved], ignore_index=True)
        rows = rows[rows["customers"] > 0].astype({"customers": "int64"})
        return rows.sort_values(sides, key=lambda part: part.map(order), ignore_index=True)


def grounds(
    facts: pd.DataFrame,
    answers: pd.DataFrame | None = None,
    *,
    stated: pd.DataFrame | None = None,
    beside: Beside = Beside(),  # noqa: B008 — frozen and empty
    decimals: int,
) -> Grounds:
    """What tiers rest on, from what `classes.classes` takes."""
    worth = lifetime(facts, beside.costs, beside.habits).set_index(facts.index)
    known, served = (worth[c] if worth[c].notna().any() else None for c in ("lifetime_value", "service"))
    return Grounds(facts, answers, stated, known, served, decimals)


def of_client(client: Client, *, as_of: int) -> Grounds:
    """The same, read from a client's own tables as they stand on a day."""
    return grounds(
        facts_of.known(client, as_of=as_of),
        said_of.answers(client, as_of=as_of),
        stated=said_of.stated(client, as_of=as_of),
        beside=beside(client, as_of=as_of),
        decimals=client.decimals,
    )


def tiers(known: Grounds, rules: Classes, kept: Kept | None = None) -> pd.Series:
    """The tier of every customer by these rules, in the order of the facts."""
    judged = tiered(
        known.facts,
        known.answers,
        rules,
        decimals=known.decimals,
        stated=known.stated,
        lifetime=known.lifetime,
        kept=kept,
    )
    return judged["tier"]


def trial(known: Grounds, *, rules: Classes, saved: pd.Series, kept: Kept | None = None) -> Trial:
    """What the rules would change against the tiers as saved.

    Parameters
    ----------
    saved : tiers by the rules as saved, as `tiers` returns them
    kept : gradings of these customers by rules tried before, so that only what changed is graded again
    """
    now = tiers(known, rules, kept)
    gross = known.facts["gross"].astype("Int64")
    rows = [_line(tier, now, saved, gross, known.service) for tier in (*LEVELS, NOT_GRADED)]
    table = pd.DataFrame(rows, columns=TIERS)
    sales = _sum(gross, gross.notna()) or 0
    table = table.assign(
        share=table["customers"] / max(len(now), 1),
        gross=table["gross"].astype("Int64"),
        share_of_sales=table["gross"].astype(float) / (sales if sales > 0 else float("nan")),
        service=table["service"].astype("Int64"),
    )
    # Nobody is left ungraded in most firms; a row of nothing would only ask what it means.
    table = table[(table["tier"] != NOT_GRADED) | (table[["customers", "customers_saved"]].sum(axis=1) > 0)]
    moved = (now != saved).to_numpy()
    movers = pd.DataFrame(
        {
            "customer_id": known.facts["customer_id"][moved],
            "tier_saved": saved[moved],
            "tier_tried": now[moved],
            "net": known.facts["net"].astype("Int64")[moved],
        }
    )
    size = {"size": movers["net"].abs().fillna(0)}
    movers = movers.assign(**size).sort_values(["size", "customer_id"], ascending=[False, True])
    return Trial(table.reset_index(drop=True), movers[MOVERS].reset_index(drop=True))


def _line(tier: str, now: pd.Series, saved: pd.Series, gross: pd.Series, service: pd.Series | None) -> tuple:
    """One tier, in the order of `TIERS`; its shares follow when all are there."""
    here, there = now == tier, saved == tier
    moved = (int((here & ~there).sum()), int((there & ~here).sum()))
    sold, cost = _sum(gross, here), None if service is None else _sum(service, here)
    return tier, int(here.sum()), int(there.sum()), *moved, None, sold, None, cost


def _sum(amounts: pd.Series, here: pd.Series) -> int | None:
    """A sum over these customers; of nobody it is 0, of customers whose amount nobody knows it is none."""
    if amounts[here].isna().all() and (here.any() or amounts.isna().all()):
        return None
    return int(amounts[here].sum())
