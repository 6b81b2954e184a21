"""Why a measure moved (B03): `change.{measure}.{part}`, in the unit of the measure itself."""

from crmlib.definitions.measure import Measure

_STAYED = "of customers who bought in both periods"
_ORDERS = {
    "volume": f"{_STAYED}: the change of orders × the mean order of both",
    "mix": f"{_STAYED}: orders moved between groups of dearer and cheaper orders",
    "rate": f"{_STAYED}: within groups, the change of the mean order × the mean number of orders",
    "new": "what those bought who had not bought in the previous period",
    "lost": "what those bought then who did not buy in this period, negative",
}
_PROFIT = {part: text.replace("mean order", "profit of an order") for part, text in _ORDERS.items()} | {
    "mix": f"{_STAYED}: orders moved between groups that earn more and less an order",
    "new": "what was earned from those who had not bought in the previous period",
    "lost": "what was earned then from those who did not buy in this period, negative",
}
_RATIO = {
    "mix": "{whom}: weight moved between groups of higher and lower {rate}",
    "rate": "{whom}: within groups, the change of {rate}",
    "new": "{rate} with {came} − without them",
    "lost": "{rate} then without {went} − with them",
}


def _ratio(rate: str, *, whom: str, came: str, went: str) -> dict[str, str]:
    named = {"rate": rate, "whom": whom, "came": came, "went": went}
    return {part: text.format(**named) for part, text in _RATIO.items()}


_BUYERS = {
    "whom": _STAYED,
    "came": "those who had not bought then",
    "went": "those who did not buy now",
}
_ANSWERS = {
    "whom": "of respondents of both periods",
    "came": "those new among them",
    "went": "those not asked again",
}
_CHANNELS = {
    "volume": "the change of 1 ÷ new customers × the mean cost, where channels share new customers",
    "mix": "new customers moved between dearer and cheaper channels, where each channel has its own",
    "rate": "of channels of both periods: the change of their cost per new customer, or of their cost",
    "new": "channels that cost in this period alone",
    "lost": "channels that cost in the previous period alone",
}
_PRICED = {
    "volume": "of products sold in both periods: the change of pieces × the mean price of both",
    "mix": "of the same: pieces moved between dearer and cheaper products",
    "price": "of the same: the change of each product's price × its mean share of the mean number of pieces",
    "new": "sales of products not sold in the previous period",
    "lost": "sales then of products not sold in this period, negative",
    "returns": "the change of what known customers returned",
}
PARTS = {
    "volume": "more or less",
    "mix": "shift between groups",
    "rate": "change within groups",
    "price": "prices",
    "new": "who came",
    "lost": "who left",
    "returns": "returns",
}
_APPLIED = {
    "whom": "of products decided on in both periods",
    "came": "products decided on only now",
    "went": "products decided on only then",
}
_HELD = {
    "whom": "of customers already known before the period they may come back from",
    "came": "customers won in that period",
    "went": "customers won in the one before it",
}
# Measure → unit, what it is called, table, part → how it is computed.
SUBJECTS = {
    "sales.identified": ("money", "Identified sales", "transactions", _ORDERS),
    "sales.net": ("money", "Net sales", "transactions", _PRICED),
    "profit.amount": ("money", "Profit", "transactions", _PROFIT),
    "profit.margin": ("share", "Profit margin", "transactions", _ratio("the margin", **_BUYERS)),
    "orders.mean": ("money", "Mean order", "transactions", _ratio("the mean order", **_BUYERS)),
    "retention.rate": ("share", "Retention", "transactions", _ratio("retention", **_HELD)),
    "satisfaction.{aspect}": ("score", "Satisfaction", "surveys", _ratio("the mean score", **_ANSWERS)),
    "nps.score": ("score", "Net promoter score", "surveys", _ratio("the net promoter score", **_ANSWERS)),
    "finance.success_rate": (
        "share",
        "Success of applications",
        "applications",
        _ratio("the share approved", **_APPLIED),
    ),
    "cac.amount": ("money", "Cost of a new customer", "costs", _CHANNELS),
}
CHANGES = [
    Measure(f"change.{id}.{part}", unit, f"{name}: {PARTS.get(part, 'nothing known')}", formula, source)
    for id, (unit, name, source, formulas) in SUBJECTS.items()
    for part, formula in (formulas | {"residual": "the change − all parts; always 0"}).items()
]
