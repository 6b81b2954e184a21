"""How dear and how right the models of customer value are, beside the package they are known from.

    python bench/value.py [folder with lifetimes and autograd]

The package (lifetimes) is archived and no part of this project: install it into a folder of its own, without what
it leans on, as in `uv pip install --target FOLDER --no-deps lifetimes autograd dill`, and name the folder.
Without it ours is measured alone. Data: CDNOW in ../shared/data where it is, and a million customers made up.
"""

import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from lives import lives  # noqa: E402

from crmlib.analysis import backtest, bgnbd, gamma_gamma, prediction  # noqa: E402
from crmlib.outlook import Outlook  # noqa: E402

CDNOW = ROOT.parent / "shared" / "data" / "cdnow"
LAST = pd.Timestamp("1997-09-30")
WANTED = {"sample": 1.5, "full": 3.0, "million": 5.0}
CLIENTS, OF_EACH = 200, 1000


def cdnow(file: str) -> pd.DataFrame:
    """Purchases of the calibration, a day of each customer once."""
    rows = pd.read_csv(CDNOW / file, dtype={"customer_id": str}, parse_dates=["date"])
    days = rows[rows["date"] <= LAST].groupby(["customer_id", "date"], as_index=False)["amount"].sum()
    each = days.sort_values("date", kind="stable").groupby("customer_id")
    first, last = each["date"].min(), each["date"].max()
    spend = each["amount"].sum() - each["amount"].first()
    return pd.DataFrame(
        {
            "repeats": each.size() - 1,
            "active_days": (last - first).dt.days,
            "tenure_days": (LAST - first).dt.days,
            "repeat_spend": spend,
        }
    )


def ours(people: pd.DataFrame) -> list[float]:
    """The parameters of both fits, in weeks and main units; intervals are found on the way."""
    return [*bgnbd.fit(people).values, *gamma_gamma.fit(people).values]


def theirs(people: pd.DataFrame) -> list[float]:
    """The same by lifetimes, at its own settings."""
    from lifetimes import BetaGeoFitter, GammaGammaFitter

    buying = BetaGeoFitter().fit(people["repeats"], people["active_days"] / 7, people["tenure_days"] / 7)
    again = people[(people["repeats"] > 0) & (people["repeat_spend"] > 0)]
    spending = GammaGammaFitter().fit(again["repeats"], again["repeat_spend"] / again["repeats"])
    return [*buying.params_[["r", "alpha", "a", "b"]], *spending.params_[["p", "q", "v"]]]


def measured(ways: dict[str, Callable], people: pd.DataFrame, rounds: int) -> dict[str, tuple[float, list]]:
    """The least seconds of CPU of each way, in turn, and its answer."""
    found: dict[str, tuple[float, list]] = {}
    for _ in range(rounds):
        for name, way in ways.items():
            began = time.process_time()
            answer = way(people)
            took = time.process_time() - began
            if name not in found or took < found[name][0]:
                found[name] = took, answer
    return found


def covered(clients: int) -> None:
    """How often the 90 % intervals hold what came, by orders so far and over all."""
    inside, asked = {}, {}
    for seed in range(clients):
        people = lives(OF_EACH, seed=seed)
        model = prediction.model(people, Outlook(), decimals=2)
        if not model.values_too:
            continue
        groups = backtest.classed(people).to_frame()
        play = prediction.played(model, people, groups, days=273, decimals=2, seed=seed)
        for what, of in (("came", "counts"), ("sales_came", "sums")):
            truth = people.groupby(groups["orders_so_far"])[what].sum()
            span = play.interval("orders_so_far", of=of)
            for level, value in truth.items():
                key = (what, level)
                asked[key] = asked.get(key, 0) + 1
                inside[key] = inside.get(key, 0) + bool(
                    span.loc[level, "low"] <= value <= span.loc[level, "high"]
                )
    for what in ("came", "sales_came"):
        keys = [key for key in asked if key[0] == what]
        whole = sum(inside[key] for key in keys) / sum(asked[key] for key in keys)
        each = ", ".join(f"{key[1]} {inside[key] / asked[key]:.1%}" for key in sorted(keys))
        print(f"90 % intervals of {what} over {clients} clients hold {whole:.1%} (87-93 % wanted): {each}")


def main() -> None:
    """Speed on three sizes, then coverage."""
    warnings.simplefilter("ignore")
    ways: dict[str, Callable] = {"ours": ours}
    if sys.argv[1:]:
        sys.path.append(sys.argv[1])
        ways["lifetimes"] = theirs
    made = lives(1_000_000, seed=1)
    sets = {"million": made.assign(repeat_spend=made["repeat_spend"] / 100)}
    if CDNOW.is_dir():
        sets = {"sample": cdnow("cdnow_sample.csv"), "full": cdnow("cdnow_master.csv")} | sets
    for name, people in sets.items():
        found = measured(ways, people, 5 if len(people) < 100_000 else 2)
        line = f"{name}, {len(people):,} customers: ours {found['ours'][0]:.3f} s CPU"
        if "lifetimes" in found:
            took, answer = found["lifetimes"]
            if not np.allclose(answer, found["ours"][1], rtol=0.01):
                line += f" (other answers: {np.round(answer, 3)} and {np.round(found['ours'][1], 3)})"
            line += f", lifetimes {took:.3f} = {took / found['ours'][0]:.1f} × ours (at least {WANTED[name]})"
        print(line, flush=True)
    covered(CLIENTS)


if __name__ == "__main__":
    main()
