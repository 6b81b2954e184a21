"""What goes with what, and what is asked for in its season.

Both are written into orders that stand already, by another product for a line of the same amount, so that no
sum of money and no day of any order moves.
"""

import numpy as np
import pandas as pd

from . import days
from .customers import ENTERPRISE, PERSONAL
from .facts import clean_lines
from .orders import PRODUCTS

# Firms that pay interest on a loan let us run their payroll, where others pay for settlements one by one:
# with a loan payroll stands for settlements, and beside anything else settlements for payroll.
GIVEN, THEN, INSTEAD, HOW_OFTEN = "企业贷款利息", "代发工资", "结算手续费", 0.9
# Insurance is sold at the beginning of the year, when money is put in order; savings plans the rest of it.
SEASONAL, OTHERWISE, MONTHS = "保险佣金", "理财管理费", (1, 2, 3)
INTO, OUT_OF = 0.7, 0.5


def numbers(*names: str) -> list[int]:
    """Rows of `PRODUCTS` by name."""
    return [int(PRODUCTS.index[PRODUCTS["product"] == name][0]) for name in names]


def planted(rng: np.random.Generator, lines: pd.DataFrame) -> pd.DataFrame:
    """The lines, some of another product: half or twice the pieces at a price that keeps the amount, or as many."""
    lines, chance = lines.copy(), rng.uniform(size=len(lines))
    given, then, instead = numbers(GIVEN, THEN, INSTEAD)
    loan, several = holds(lines, given), lines.groupby("doc").size() > 1
    for is_sold, becomes, docs, by, into in (
        (instead, then, loan & ~holds(lines, then), "quantity", "price"),
        (then, instead, several & ~loan & ~holds(lines, instead), "price", "quantity"),
    ):
        swapped = lines["doc"].map(docs) & (lines["product"] == is_sold) & (chance < HOW_OFTEN)
        swapped &= lines[by] % 2 == 0  # halves are whole
        lines.loc[swapped, "product"] = becomes
        lines.loc[swapped, by] //= 2
        lines.loc[swapped, into] *= 2
    insurance, savings = numbers(SEASONAL, OTHERWISE)
    alone = lines["doc"].map(~(holds(lines, insurance) & holds(lines, savings)))
    season = pd.Series(in_season(lines["day"]), index=lines.index)
    sold = alone & season & (lines["product"] == savings) & (chance < INTO)
    left = alone & ~season & (lines["product"] == insurance) & (chance < OUT_OF)
    lines.loc[sold, "product"], lines.loc[left, "product"] = insurance, savings
    return lines


def holds(lines: pd.DataFrame, product: int) -> pd.Series:
    """Whether each document holds a product."""
    return (lines["product"] == product).groupby(lines["doc"]).any()


def in_season(day: pd.Series) -> np.ndarray:
    """Whether a day lies in the season."""
    dates = days.START + day.to_numpy().astype(int).astype("timedelta64[D]")
    return np.isin(dates.astype("datetime64[M]").astype(int) % 12 + 1, MONTHS)


def truth(made: pd.DataFrame) -> dict:
    """Baskets and lines behind both, counted in what survives cleaning."""
    sold = clean_lines(made)
    sold = sold[sold["sold"]].astype({"product": int})
    products = sold.groupby("doc")["product"].agg(frozenset)
    told = {"baskets": len(products), "several": int(products.map(len).gt(1).sum())}
    rows = dict(zip(("given", "then", "instead"), numbers(GIVEN, THEN, INSTEAD), strict=True))
    firms = {
        name: sum(rows["given"] in held and rows[name] in held for held in products)
        for name in ("then", "instead")
    }
    season = in_season(sold["day"])
    mine = (sold["product"] == numbers(SEASONAL)[0]).to_numpy()
    return {
        "together": told
        | {"customer_type": ENTERPRISE, "given": GIVEN, "then": THEN, "both": firms["then"]}
        | {"instead": INSTEAD, "both_instead": firms["instead"]},
        "season": {
            "customer_type": PERSONAL,
            "product": SEASONAL,
            "product_group": str(PRODUCTS["group"][numbers(SEASONAL)[0]]),
            "months": list(MONTHS),
            "lines_in": int((mine & season).sum()),
            "lines_out": int((mine & ~season).sum()),
        },
    }
