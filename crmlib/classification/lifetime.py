"""Lifetime value as asked (X09): total revenue − customer cost. What it is so far, never a forecast.

Revenue is net sales. Cost is what it took to win the customer and what it takes to serve them. A part
that nobody supplies is empty, never 0; where no cost is supplied at all there is no lifetime value.
"""

import pandas as pd

WON, SERVED = "acquisition", "serve"
COLUMNS = ["customer_id", "net", "acquisition", "acquisition_from", "service", "lifetime_value", "served"]
COLUMNS += ["loss"]


def month(days: pd.Series) -> pd.Series:
    """The month of a day number, year × 12 + month − 1, as `transactions.order_month`.

    >>> month(pd.Series([0, 31])).tolist()
    [23640, 23641]
    """
    dates = pd.to_datetime(days.astype(float), unit="D")
    return (dates.dt.year * 12 + dates.dt.month - 1).astype("Int64")


def named(costs: pd.DataFrame, kind: str) -> pd.Series:
    """Costs of a kind that name a known customer, summed by customer_id."""
    theirs = costs[(costs["kind"] == kind) & costs["known"] & costs["customer_id"].notna()]
    return theirs.groupby("customer_id")["amount"].sum()


def shared(costs: pd.DataFrame, won: pd.DataFrame) -> pd.DataFrame:
    """What winning a customer cost in each month: cost that names nobody ÷ customers won then.

    By channel too where each of its channels is one that customers are won through; else by month alone,
    because a channel of advertising and a channel of sale need not be the same list.

    Parameters
    ----------
    costs : the columns of `tables.COSTS`
    won : customer_id, month (of the first order), channel (of the first day; empty where not one)

    Returns
    -------
    customer_id, acquisition (smallest unit, rounded half up), acquisition_from (`month` or
    `month_and_channel`); only customers won in a month, and a channel, with a cost.
    """
    open_cost = costs[(costs["kind"] == WON) & costs["customer_id"].isna() & costs["cost_day"].notna()]
    open_cost = open_cost.assign(month=month(open_cost["cost_day"]))
    channels = set(open_cost["channel"].dropna())
    by_channel = bool(channels) and open_cost["channel"].notna().all() and channels <= set(won["channel"])
    keys = ["month", "channel"] if by_channel else ["month"]
    cost = open_cost.groupby(keys)["amount"].sum().rename("cost").reset_index()
    people = won.dropna(subset=keys).groupby(keys).size().rename("people").reset_index()
    each = cost.merge(people, on=keys, validate="one_to_one")
    # Half up in whole numbers: equal customers cost the same, at most half a unit each goes astray.
    each["acquisition"] = (2 * each["cost"] + each["people"]) // (2 * each["people"])
    found = won.merge(each, on=keys, how="inner", validate="many_to_one")
    return found[["customer_id", "acquisition"]].assign(
        acquisition_from="month_and_channel" if by_channel else "month"
    )


def lifetime(
    facts: pd.DataFrame, costs: pd.DataFrame | None, habits: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Lifetime value of every customer with its parts, in the order of `facts`.

    Parameters
    ----------
    facts : customer_id, first_day, net, profit
    costs : costs by as_of in the columns of `tables.COSTS`; None where not supplied
    habits : won_channel by customer_id, where order lines tell it

    Returns
    -------
    customer_id, net, acquisition and service (smallest unit; empty where not supplied), acquisition_from
    (`named`: of this very customer; `month_and_channel`, `month`: their share; `not_supplied`),
    lifetime_value (net − the known parts; empty where none is known), served (`at_a_loss` where serving
    has cost more than all orders earned, `with_profit`, `not_supplied`), loss (how much more, else 0).
    What orders earned is their profit, where nobody tells it the net sales.
    """
    rows = facts[["customer_id", "first_day", "net"]].reset_index(drop=True)
    empty = pd.Series(pd.NA, index=rows.index, dtype="Int64")
    acquisition, service, source = empty, empty, pd.Series("not_supplied", index=rows.index)
    if costs is not None:
        acquisition, source = _won(rows, costs, habits)
        service = rows["customer_id"].map(named(costs, SERVED)).astype("Int64")
    known = acquisition.notna() | service.notna()
    value = rows["net"].astype("Int64") - acquisition.fillna(0) - service.fillna(0)
    net, profit = (facts[c].reset_index(drop=True).astype("Int64") for c in ("net", "profit"))
    loss = (service - profit.fillna(net).clip(lower=0)).clip(lower=0)
    served = pd.Series("not_supplied", index=rows.index).mask(loss.notna(), "with_profit")
    return rows.assign(
        net=net,
        acquisition=acquisition,
        acquisition_from=source.astype("str"),
        service=service,
        lifetime_value=value.where(known),
        served=served.mask(loss.fillna(0) > 0, "at_a_loss").astype("str"),
        loss=loss,
    )[COLUMNS]


def _won(rows: pd.DataFrame, costs: pd.DataFrame, habits: pd.DataFrame | None) -> tuple[pd.Series, pd.Series]:
    """What winning each customer cost, and from where that is known."""
    channel = (
        None if habits is None else rows["customer_id"].map(habits.set_index("customer_id")["won_channel"])
    )
    won = pd.DataFrame(
        {"customer_id": rows["customer_id"], "month": month(rows["first_day"]), "channel": channel}
    )
    parts = shared(costs, won).set_index("customer_id")
    own = rows["customer_id"].map(named(costs, WON)).astype("Int64")
    share = rows["customer_id"].map(parts["acquisition"]).astype("Int64")
    source = rows["customer_id"].map(parts["acquisition_from"].astype(object)).astype(object)
    source = source.fillna("not_supplied")
    return own.fillna(share), source.mask(own.notna(), "named")


def parts(worth: pd.DataFrame) -> pd.DataFrame:
    """The sum over customers of each part: part, customers (of whom it is known), amount; costs negative.

    Of customers of whom some cost is known; the first three rows add up to the last.
    """
    told = worth["lifetime_value"].notna()
    rows = [
        ("net", int(told.sum()), int(worth["net"][told].sum())),
        ("cost_of_winning", int(worth["acquisition"].notna().sum()), -int(worth["acquisition"].sum())),
        ("cost_of_serving", int(worth["service"].notna().sum()), -int(worth["service"].sum())),
        ("lifetime_value", int(told.sum()), int(worth["lifetime_value"].sum())),
    ]
    return pd.DataFrame(rows, columns=["part", "customers", "amount"])


def at_a_loss(worth: pd.DataFrame) -> pd.DataFrame:
    """Customers served at a loss, the largest first: customer_id, net, service, loss."""
    lost = worth[worth["served"] == "at_a_loss"]
    ordered = lost.sort_values(["loss", "customer_id"], ascending=[False, True])
    return ordered[["customer_id", "net", "service", "loss"]].reset_index(drop=True)


def unplaced(costs: pd.DataFrame | None, worth: pd.DataFrame) -> int:
    """Cost of winning customers that could be laid on nobody: of months without a new one, or undated."""
    if costs is None:
        return 0
    spent = costs[(costs["kind"] == WON) & (costs["customer_id"].isna() | costs["known"])]
    return int(spent["amount"].sum()) - int(worth["acquisition"].sum())


def figures(worth: pd.DataFrame) -> dict[str, dict]:
    """Lifetime value, its costs, and customers served at a loss; what nobody supplies has no value."""
    found = {}
    for id, column in (
        ("lifetime.amount", "lifetime_value"),
        ("lifetime.acquisition", "acquisition"),
        ("lifetime.service", "service"),
    ):
        known = int(worth[column].notna().sum())
        told = {"value": int(worth[column].sum()), "n": known}
        found[id] = told if known else {"value": None, "why": "no such cost is supplied"}
    judged = int((worth["served"] != "not_supplied").sum())
    lost = {"value": int((worth["served"] == "at_a_loss").sum()), "n": judged}
    none = {"value": None, "why": "no cost of serving is supplied"}
    return found | {"served.at_a_loss.customers": lost if judged else none}


def losses(worth: pd.DataFrame) -> dict[str, float]:
    """Customers served at a loss, of how many whose cost of serving is known, and the money lost."""
    judged = worth[worth["served"] != "not_supplied"]
    lost = judged[judged["served"] == "at_a_loss"]
    return {"customers": len(lost), "known": len(judged), "loss": int(lost["loss"].sum())}


def whole(worth: pd.DataFrame) -> dict[str, float]:
    """Of customers with a known cost: how many, their value, and the share of net sales that costs took."""
    told = worth[worth["lifetime_value"].notna()]
    value, net = int(told["lifetime_value"].sum()), int(told["net"].sum())
    return {"customers": len(told), "value": value, "share": (net - value) / net if net > 0 else None}
