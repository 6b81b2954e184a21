"""Customers whose lives are played from the first day on, purchase by purchase, as the BG/NBD model's words say.

Nothing of crmlib is used: what the library fits and foretells is held against what really came of these.
"""

import numpy as np
import pandas as pd


def lives(
    customers: int,
    *,
    seed: int,
    buying: tuple[float, float, float, float] = (0.243, 4.414, 0.793, 2.426),
    amounts: tuple[float, float, float] = (6.25, 3.74, 15.44),
    days: int = 273,
    ahead: int = 273,
    won: int = 84,
) -> pd.DataFrame:
    """Customers won within the first days, seen for so many days, and what came of them in the days ahead.

    Returns
    -------
    customer_id, repeats, active_days, tenure_days, first_spend and repeat_spend (cents), and of the days
    ahead: came (purchases), sales_came (cents). A purchase falls on a whole day, so that times are to the day.
    """
    rng = np.random.default_rng(seed)
    r, alpha, a, b = buying
    p, q, gamma = amounts
    rate = rng.gamma(r, 1 / alpha, customers) / 7
    leaving = rng.beta(a, b, customers)
    scale = rng.gamma(q, 1 / gamma, customers)
    tenure = days - rng.integers(0, won, customers)
    now = np.zeros(customers)
    last, again = np.zeros(customers), np.zeros(customers, int)
    came, spent, sales = np.zeros(customers, int), np.zeros(customers), np.zeros(customers)
    there = np.arange(customers)
    while len(there):
        now[there] += rng.exponential(1 / np.maximum(rate[there], 1e-12))
        there = there[now[there] <= tenure[there] + ahead]
        amount = rng.gamma(p, 1 / scale[there])
        seen = now[there] <= tenure[there]
        early, late = there[seen], there[~seen]
        again[early] += 1
        last[early] = now[early]
        spent[early] += amount[seen]
        came[late] += 1
        sales[late] += amount[~seen]
        there = there[rng.random(len(there)) >= leaving[there]]
    return pd.DataFrame(
        {
            "customer_id": [f"c{n}" for n in range(customers)],
            "repeats": again,
            "active_days": np.where(again > 0, np.clip(np.ceil(last), 1, tenure), 0).astype(int),
            "tenure_days": tenure,
            "first_spend": np.round(rng.gamma(p, 1 / scale) * 100).astype(int),
            "repeat_spend": np.round(spent * 100).astype(int),
            "came": came,
            "sales_came": np.round(sales * 100).astype(int),
        }
    )
