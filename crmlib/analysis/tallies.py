"""Every tally, by one door: `crmlib.analysis.tally` says what a tally is."""

from crmlib.analysis.tallied_answers import nps, satisfaction
from crmlib.analysis.tallied_finance import acquisition, success, won, won_through
from crmlib.analysis.tallied_orders import (
    lines,
    margin,
    mean_order,
    order_shares,
    priced,
    profit,
    retention,
    sales,
)
from crmlib.analysis.tally import Tally

__all__ = [
    "Tally",
    "acquisition",
    "lines",
    "margin",
    "mean_order",
    "nps",
    "order_shares",
    "priced",
    "profit",
    "retention",
    "sales",
    "satisfaction",
    "success",
    "won",
    "won_through",
]
