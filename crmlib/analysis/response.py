"""Who answered, against who is a customer: response by class, and means brought to the customer base.

A survey tells of those who answered. Where a class answers more often than the others it weighs more in a
mean than among customers; post-stratification gives each class its share of customers again. It cannot
mend what differs between those who answer and those who do not *within* a class.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from crmlib.analysis import apart, intervals
from crmlib.analysis.satisfaction import NOT_SUPPLIED, during
from crmlib.classification.classes import percent
from crmlib.classification.profiles import in_order
from crmlib.period import Period

DIMENSIONS = ("customer_type", "tier", "behaviour", "region")
# Nobody's tier is weighed by: it looks at recommending, which only those who answered have told.
WEIGHED = ("customer_type", "value", "behaviour", "region")
NOT_TOLD = ("not_supplied", "not_graded")
RESPONSE = ["class", "level", "customers", "answered", "share", "share_low", "share_high", "against"]
WEIGHTED = ["class", "score", "score_low", "score_high", "move", "move_low", "move_high", "thin"]
UNITS = {"answered": "count", "thin": "tags", "against": "word"} | dict.fromkeys(
    ("move", "move_low", "move_high"), "score"
)


def answered(answers: pd.DataFrame | None, span: Period) -> set[str]:
    """Known customers who answered in a period."""
    return set() if answers is None else set(during(answers, span)["customer_id"])


def shares(judged: pd.DataFrame, said: set[str], dimensions: Sequence[str] = DIMENSIONS) -> pd.DataFrame:
    """How many of each class answered: class, level, customers, answered, share with interval, against.

    Parameters
    ----------
    judged : every customer with a sale by as_of, in the columns of `tables.CLASSES`
    said : who answered, as `answered` returns it

    Returns
    -------
    Classes that nobody supplies are left out, and all where nobody answered; `against` as `apart.shares`
    gives it.
    """
    mine = judged["customer_id"].isin(said)
    parts = []
    for name in dimensions:
        if said and not judged[name].isin(NOT_TOLD).all():
            table = pd.DataFrame({"customers": judged[name].value_counts()})
            table["answered"] = judged.loc[mine, name].value_counts().reindex(table.index).fillna(0)
            parts.append(
                table.loc[in_order(table.index)].rename_axis("level").reset_index().assign(**{"class": name})
            )
    if not parts:
        return pd.DataFrame(columns=RESPONSE)
    counts = pd.concat(parts, ignore_index=True).astype({"answered": "int64"})
    return apart.shares(counts, count="answered", of="customers")[RESPONSE]


def figures(judged: pd.DataFrame, said: set[str], table: pd.DataFrame) -> dict[str, dict]:
    """Response of all customers, and of each class; ids `response.rate` and `response.rate.{class}.{level}`."""
    count = int(judged["customer_id"].isin(said).sum())
    if not said or not len(judged):
        return {"response.rate": {"value": None, "n": len(judged), "why": NOT_SUPPLIED}}
    found = {"response.rate": intervals.share(count, len(judged))}
    for row in table.dropna(subset=["share"]).itertuples():
        parts = {"value": row.share, "low": row.share_low, "high": row.share_high, "n": row.customers}
        found[f"response.rate.{row[1]}.{row.level}"] = parts
    return found


def told(table: pd.DataFrame, rate: dict[str, dict]) -> dict:
    """For a sentence: the share that answered, and the levels of classes that answered oftener (`above`)
    or more seldom (`below`) than the others; `biased` where any did."""
    values = {"share": rate["response.rate"]["value"]} | apart.ends(table)
    return values | {"biased": bool((table["against"] != "not_told").any())}


def reweighted(
    answers: pd.DataFrame | None,
    span: Period,
    judged: pd.DataFrame,
    dimensions: Sequence[str] = WEIGHED,
) -> pd.DataFrame:
    """Satisfaction as answered, and with every class weighing as much as it does among customers.

    Returns
    -------
    class (`as_answered`, then each dimension), score with its interval, move (score − as answered) with
    its own, both 0–100; thin: classes of so few respondents (below ten) that the mean is refused, comma
    between. No rows where there is no mean as answered.
    """
    rows: list[tuple] = []
    if answers is not None and len(judged):
        said = during(answers, span)
        said = said[(said["aspect"] != "recommend") & said["customer_id"].isin(judged["customer_id"])]
        raw = intervals.clustered_mean(percent(said), said["customer_id"], ends=(0, 100))
        if raw["value"] is not None:
            rows.append(("as_answered", raw["value"], raw["low"], raw["high"], None, None, None, ""))
            per = pd.DataFrame({"customer_id": said["customer_id"], "score": percent(said)})
            per = per.groupby("customer_id")["score"].agg(["sum", "size"])
            classes = judged.set_index("customer_id")
            named = (name for name in dimensions if not judged[name].isin(NOT_TOLD).all())
            rows += [(name, *_by_class(per, classes[name])) for name in named]
    kinds = dict.fromkeys(WEIGHTED[1:7], float) | {"class": "str", "thin": "str"}
    return pd.DataFrame(rows, columns=WEIGHTED).astype(kinds)


def _by_class(per: pd.DataFrame, level: pd.Series) -> tuple:
    """A mean by post-stratification, its move, and both intervals; or the classes that forbid it.

    Parameters
    ----------
    per : sum and number of the answers of each person; persons are drawn, not answers
    level : the class of every customer

    Source: Cochran (1977), Sampling Techniques, 3rd ed., §5A.9; the move by linearisation over persons.
    """
    share, mine = level.value_counts(normalize=True), level.reindex(per.index)
    persons = mine.value_counts().reindex(share.index).fillna(0)
    thin = [name for name in in_order(share.index) if persons[name] < intervals.ENOUGH]
    if thin:
        return (*[None] * 6, ",".join(thin))
    total, size = (per[c].groupby(mine).sum() for c in ("sum", "size"))
    means = total / size
    score = float((share * means).sum())
    left = per["sum"] - mine.map(means).astype(float) * per["size"]
    own = mine.map(share / size).astype(float) * left
    many = mine.map(persons).astype(float)
    error = np.sqrt((own**2 * many / (many - 1)).sum())
    raw = per["sum"].sum() / per["size"].sum()
    apart_by = own - (per["sum"] - raw * per["size"]) / per["size"].sum()
    move_error = np.sqrt((apart_by**2).sum() * len(per) / (len(per) - 1))
    reach = stats.t.ppf((1 + intervals.LEVEL) / 2, len(per) - len(share))
    move = score - raw
    bounds = (score - reach * error, score + reach * error, move)
    return score, *bounds, move - reach * move_error, move + reach * move_error, ""


def weighted_figures(table: pd.DataFrame) -> dict[str, dict]:
    """The means of `reweighted` by id: `satisfaction.weighted.{class}`, refused ones with the reason."""
    found = {}
    for row in table[table["class"] != "as_answered"].itertuples():
        parts = {"value": None, "n": None, "why": "a class has too few respondents"}
        if not pd.isna(row.score):
            parts = {"value": row.score, "low": row.score_low, "high": row.score_high}
        found[f"satisfaction.weighted.{row[1]}"] = parts
    return found


def bias(table: pd.DataFrame) -> dict:
    """The class that moves satisfaction most when it weighs as among customers, and by how much.

    Returns
    -------
    told (how many classes could be weighed), real (whether any move is more than chance, all classes together),
    first (the class of the largest move, of the real ones if there are any), score, move, low, high, raw (as answered),
    refused (the classes that could not be weighed)
    """
    raw, known = table[table["class"] == "as_answered"], table.dropna(subset=["move"])
    values = {"told": len(known), "first": "", "score": None, "raw": raw["score"].sum(), "real": False}
    values |= {"move": 0.0, "low": 0.0, "high": 0.0}
    values["refused"] = table.loc[table["score"].isna(), "class"].tolist() or ["nothing"]
    if len(known):
        wider = stats.norm.ppf(1 - 0.05 / len(known)) / stats.norm.ppf(0.95)
        known = known.assign(reach=(known["move_high"] - known["move"]) * wider, size=known["move"].abs())
        known["real"] = known["size"] > known["reach"]
        top = known.sort_values(["real", "size", "class"], ascending=[False, False, True]).iloc[0]
        values |= {
            "first": top["class"],
            "score": top["score"],
            "move": top["move"],
            "real": bool(top["real"]),
        }
        values |= {"low": top["move"] - top["reach"], "high": top["move"] + top["reach"]}
    return values
