"""Need groups (X03): as customers state them, else as their purchases tell, else not known.

Stated beats derived: what somebody says of themselves is not corrected by a rule of thumb. How often
the two agree where both are known is a figure, and tells how far the rule can be trusted.
"""

import pandas as pd

from crmlib.rules import NeedRule

GROUPS = ("price_sensitive", "quality_seeking", "personalised")
NOT_KNOWN = "not_known"


def newest(survey: pd.DataFrame) -> pd.Series:
    """What each customer stated last in a needs survey, by customer_id; answers without a need say nothing.

    Of answers of one day the later row of the files counts; an answer without a day is the oldest.
    """
    said = survey[survey["known"] & survey["need"].notna() & survey["customer_id"].notna()]
    ordered = said.sort_values(["asked_day", "source_file", "source_row"], na_position="first")
    return ordered.groupby("customer_id")["need"].last()


def stated(*sources: pd.Series | None) -> pd.Series:
    """The stated need by customer_id from the first source that has one: survey, customers, tier table.

    >>> survey, table = pd.Series({"a": "personalised"}), pd.Series({"a": "x", "b": "price_sensitive"})
    >>> stated(survey, None, table).to_dict()
    {'a': 'personalised', 'b': 'price_sensitive'}
    """
    found = pd.Series(dtype=object)
    for source in sources:
        if source is not None:
            told = source.dropna()
            found = pd.concat([found, told[~told.index.isin(found.index)]])
    return found


def derived(facts: pd.DataFrame, habits: pd.DataFrame | None, rule: NeedRule) -> pd.Series:
    """The need that purchases tell, in the order of `facts`; `not_known` where no cut is reached.

    The first that holds: bought at a discount so often (`discount_share`); paid so much more than the usual
    price of the same products (`paid` ÷ `usual`); bought so many product groups (`breadth`). A customer
    with few orders has no habit to tell of, and what is not supplied reaches no cut.
    """
    nothing = pd.Series(float("nan"), index=facts.index)
    own = facts[["customer_id"]]
    if habits is not None:
        own = own.merge(habits, on="customer_id", how="left", validate="one_to_one").set_index(facts.index)
    discount = facts.get("discount_share", nothing).astype(float)
    price = own.get("paid", nothing).astype(float) / own.get("usual", nothing).astype(float).where(
        own.get("usual", nothing) > 0
    )
    broad = own.get("breadth", nothing).astype(float)
    found = pd.Series(NOT_KNOWN, index=facts.index, dtype="str")
    found = found.mask(broad >= rule.breadth, "personalised")
    found = found.mask(price >= rule.price_index, "quality_seeking")
    found = found.mask(discount >= rule.discount_share, "price_sensitive")
    return found.where(facts["orders"].astype(float) >= rule.orders, NOT_KNOWN)


def needs(
    facts: pd.DataFrame, said: pd.Series | None, habits: pd.DataFrame | None, rule: NeedRule
) -> pd.DataFrame:
    """Each customer's need and where it is known from, in the order of `facts`.

    Returns
    -------
    need (one of `GROUPS`, another word where the customer stated it so, or `not_known`), need_source
    (stated, derived, not_known), derived (what purchases alone tell).
    """
    told = derived(facts, habits, rule)
    spoken = facts["customer_id"].map(said) if said is not None and len(said) else None
    if spoken is None:
        spoken = pd.Series(None, index=facts.index, dtype=object)
    need = spoken.astype(object).where(spoken.notna(), told)
    source = pd.Series("stated", index=facts.index).where(spoken.notna(), "derived")
    return pd.DataFrame(
        {
            "need": need.astype("str"),
            "need_source": source.mask(need == NOT_KNOWN, NOT_KNOWN).astype("str"),
            "derived": told,
        }
    )


def agreement(classes: pd.DataFrame, told: pd.Series) -> dict[str, float]:
    """How often stated and derived needs agree, of customers of whom both are known.

    Parameters
    ----------
    classes : need and need_source of each customer
    told : what purchases alone tell of each, in the same order

    Returns
    -------
    n, agree (how many), share, by_chance (the share that would agree if the two had nothing to do with
    each other); shares are 0 where n is 0.
    """
    both = (classes["need_source"] == "stated") & (told != NOT_KNOWN)
    said, seen = classes["need"][both], told[both]
    n = int(both.sum())
    chance = (said.value_counts() * seen.value_counts()).dropna().sum() / max(n, 1) ** 2
    agree = int((said == seen).sum())
    return {"n": n, "agree": agree, "share": agree / max(n, 1), "by_chance": float(chance)}


def groups(classes: pd.DataFrame) -> pd.DataFrame:
    """Customers by need and source: need, stated, derived, customers, share; `not_known` last."""
    by = pd.crosstab(classes["need"], classes["need_source"]).reindex(columns=["stated", "derived"])
    by = by.fillna(0).astype("int64")
    total = classes["need"].value_counts()
    order = [n for n in GROUPS if n in total.index]
    order += sorted(set(total.index) - set(GROUPS) - {NOT_KNOWN})
    order += [NOT_KNOWN] if NOT_KNOWN in total.index else []
    table = by.loc[order].assign(customers=total[order], share=total[order] / max(len(classes), 1))
    return table.rename_axis("need").reset_index()[["need", "stated", "derived", "customers", "share"]]


def figures(classes: pd.DataFrame, agreed: dict[str, float], rule: NeedRule) -> dict[str, dict]:
    """Customers in each need group, and how often stated and derived needs agree."""
    few = {"value": None, "n": agreed["n"], "why": "too few customers with a stated and a derived need"}
    share = {"value": agreed["share"], "n": agreed["n"]} if agreed["n"] >= rule.at_least else few
    found = {
        f"need.{name}.customers": {"value": int((classes["need"] == name).sum()), "n": len(classes)}
        for name in (*GROUPS, NOT_KNOWN)
    }
    return found | {"need.agreement": share}
