"""Measures of how the market knows us, as outside surveys tell (D03, K14)."""

from crmlib.definitions.measure import measures

MARKET = [
    *measures(
        "market",
        (
            "market.{question}",
            "share",
            "Market survey, whole market",
            "share of those asked in the newest wave by as_of who know us, think well of us, would choose us first, "
            "or of all sales in the market; by question",
        ),
        (
            "market.{question}.{segment}",
            "share",
            "Market survey by segment",
            "the same of those asked in the segment",
        ),
    ),
]
