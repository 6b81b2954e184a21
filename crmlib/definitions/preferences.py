"""Measures of what goes with what, what to propose, what will be asked for, and how customers respond to price."""

from crmlib.definitions.measure import measures

PREFERENCES = [
    *measures(
        "transactions",
        (
            "preferences.baskets.several",
            "count",
            "Orders with several products",
            "orders by as_of with two different products or more; n is all orders with a named product",
        ),
        (
            "preferences.rules",
            "count",
            "Rules beyond chance",
            "rules of the least support and confidence with a lift above 1 (Fisher, false discoveries at most one in "
            "twenty), but for those that a shorter rule makes needless",
        ),
        (
            "preferences.complements",
            "count",
            "Pairs that go together",
            "pairs of products in more orders than chance would bring them into, within the same kinds of customer and "
            "sizes of order (false discoveries at most one in twenty)",
        ),
        (
            "preferences.substitutes",
            "count",
            "Pairs that stand for each other",
            "pairs of products in fewer orders than chance would bring them into, reckoned alike",
        ),
        (
            "proposals.hit.{way}",
            "share",
            "Proposals that hit",
            "share of customers who bought one of the products proposed on their last day with an order, which the "
            "proposal did not know; by way: popular, own_habit, item_to_item, by_rules",
        ),
        (
            "proposals.coverage",
            "share",
            "Products proposed",
            "share of products that the chosen way proposes to anybody",
        ),
        (
            "demand.lines",
            "count",
            "Order lines to come",
            "order lines expected in the next month or week, the sum of what is expected of every product group and "
            "customer type; the interval holds what may come",
        ),
        (
            "demand.mase",
            "number",
            "Scaled error of forecasts",
            "mean error of the chosen way at several days in the past ÷ mean error of last year's same season (MASE); "
            "below 1 is better than that",
        ),
        (
            "demand.coverage",
            "share",
            "Intervals of demand that held",
            "share of the past's forecasts whose 90 % interval, widened where it fell short, held what came",
        ),
        (
            "price.responding.customers",
            "count",
            "Customers who respond to price",
            "customers whose share of lines below the list price lies above that of their type with its whole "
            "90 % interval",
        ),
        (
            "price.elasticity",
            "number",
            "Price elasticity",
            "per cent more pieces a line for a price one per cent higher, of the same product and customer",
        ),
        (
            "price.agreement",
            "share",
            "Agreement of stated and shown response to price",
            "share of customers of whom both are known who state to look at the price and respond to it, or neither",
        ),
    ),
    *measures(
        "needs",
        (
            "demand.wishes.more",
            "share",
            "What a stated wish adds",
            "share of stated wishes bought within the horizon − the same of customers of their type who wished for "
            "another product at the same time",
        ),
    ),
]
