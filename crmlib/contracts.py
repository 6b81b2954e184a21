"""What each table promises. Types and units: `crmlib.contract`."""

import pyarrow as pa

from crmlib.contract import COUNT, DAY, FLAG, MONEY, NUMBER, TEXT, NotYet, Table
from crmlib.contract import columns as _columns
from crmlib.derived import (
    AT_RISK,
    CLASSES,
    CLASSES_BEFORE,
    CROSS_SALES,
    DEMAND,
    FACTS,
    PREDICTED,
    PROPOSED,
    VIEW,
)

CUSTOMERS = Table(
    "customers",
    "02-cleaning",
    _columns(
        ("customer_id", TEXT, "the firm's own number for the customer", True, True),
        ("name", TEXT, "person or company", False, True),
        ("contact", TEXT, "telephone or e-mail", False, True),
        ("customer_type", TEXT, "personal, enterprise or large_enterprise (X06)"),
        ("industry", TEXT, "as delivered"),
        ("region", TEXT, "province or region, as delivered"),
        ("city", TEXT, "as delivered"),
        ("gender", TEXT, "as delivered"),
        ("birth_year", pa.int32(), "year of birth"),
        ("scale", TEXT, "business scale, as delivered"),
        ("credit_grade", TEXT, "as delivered"),
        ("opened_day", DAY, "day the relationship began, as delivered"),
        ("need", TEXT, "price_sensitive, quality_seeking or personalised, as stated (X03)"),
        ("updated_day", DAY, "day the record was last changed; decides between conflicting records"),
        ("as_from_day", DAY, "first day this version was seen on an order line; empty for a delivered table"),
        ("source_file", TEXT, "file it came from"),
        ("source_row", COUNT, "row in that file, the header being row 1 of a plain file"),
    ),
)

TRANSACTIONS = Table(
    "transactions",
    "02-cleaning",
    _columns(
        ("line_id", COUNT, "number of the line in the delivery"),
        ("customer_id", TEXT, "as delivered; empty where none was given", False, True),
        ("known", FLAG, "the customer is known: named, and listed where a customer table is supplied"),
        ("order_id", TEXT, "one basket; its lines share it"),
        ("ordered_at", pa.timestamp("s"), "in the client's time zone", True),
        ("order_day", DAY, "day of the order"),
        ("order_month", pa.int32(), "year × 12 + month − 1"),
        ("product_id", TEXT, "as delivered"),
        ("product", TEXT, "as delivered"),
        ("product_group", TEXT, "as delivered"),
        ("channel", TEXT, "as delivered"),
        ("region", TEXT, "where the line says it went, as delivered; empty where only the customer has one"),
        ("quantity", NUMBER, "pieces, negative on a return"),
        ("price", MONEY, "of one piece, in the smallest unit"),
        ("amount", MONEY, "quantity × price unless supplied"),
        ("profit", MONEY, "of the line; empty where not supplied"),
        ("discount", NUMBER, "share of the list price given off, 0–1; empty where not supplied"),
        ("kind", TEXT, "sale, return or gift"),
        ("returned", MONEY, "what the line takes back: 0, or a negative amount"),
        ("flags", TEXT, "what is unusual about a line that was kept, comma between"),
        ("source_file", TEXT, "file it came from"),
        ("source_row", COUNT, "row in that file"),
    ),
)

SURVEYS = Table(
    "surveys",
    "02-cleaning",
    _columns(
        ("customer_id", TEXT, "who answered", True, True),
        ("known", FLAG, "the customer is known"),
        ("answered_day", DAY, "day of the answer", True),
        ("aspect", TEXT, "product, service, after_sales, brand, overall or recommend"),
        ("score", NUMBER, "on the scale as asked"),
        ("low", NUMBER, "worst end of the scale"),
        ("high", NUMBER, "best end of the scale"),
        ("source_file", TEXT, "file it came from"),
        ("source_row", COUNT, "row in that file"),
    ),
)

QUARANTINE = Table(
    "quarantine",
    "02-cleaning",
    _columns(
        ("table", TEXT, "the table the row was meant for"),
        ("reason", TEXT, "why it was set aside"),
        ("money", MONEY, "what the row was worth, as far as its amount could be read"),
        ("source_file", TEXT, "file it came from"),
        ("sheet", TEXT, "sheet of a workbook; empty otherwise"),
        ("source_row", COUNT, "row in that file"),
        ("column", TEXT, "header of the cell at fault; empty where the row as a whole is"),
        ("raw", TEXT, "the row as delivered, JSON of header: text", False, True),
    ),
)

LEDGER = Table(
    "ledger",
    "02-cleaning",
    _columns(
        ("table", TEXT, "the table"),
        ("step", TEXT, "what the step looked for, in order"),
        ("rows_in", COUNT, "rows"),
        ("rows_kept", COUNT, "rows"),
        ("rows_merged", COUNT, "rows that said nothing new"),
        ("rows_quarantined", COUNT, "rows set aside with a reason"),
        ("money_in", MONEY, "smallest unit"),
        ("money_kept", MONEY, "smallest unit"),
        ("money_merged", MONEY, "smallest unit"),
        ("money_quarantined", MONEY, "smallest unit"),
    ),
)


_PLACE = (
    ("source_file", TEXT, "file it came from"),
    ("source_row", COUNT, "row in that file"),
)
_WHO = (
    ("customer_id", TEXT, "the customer; empty where none is named", False, True),
    ("known", FLAG, "the customer is known"),
)

REPAIRS = Table(
    "repairs",
    "02-cleaning",
    _columns(
        ("table", TEXT, "the table"),
        ("rule", TEXT, "how the cell was read"),
        *_PLACE,
        ("column", TEXT, "header of the cell"),
        ("old", TEXT, "as delivered", False, True),
        ("new", TEXT, "as read", False, True),
    ),
)

SNAPSHOT = Table(
    "snapshot",
    "02-cleaning",
    _columns(
        ("customer_id", TEXT, "the customer", True, True),
        ("known", FLAG, "the customer is known"),
        ("taken_day", DAY, "day the totals are of; empty where the file names none"),
        ("orders", COUNT, "orders so far"),
        ("spend", MONEY, "what the customer has paid so far"),
        ("profit", MONEY, "profit contribution so far"),
        ("last_day", DAY, "day of the last order"),
        ("first_day", DAY, "day of the first order, or of the beginning"),
        ("tenure_months", NUMBER, "months the customer has stayed"),
        ("satisfaction", NUMBER, "score, on the scale as asked"),
        ("lifetime_value", MONEY, "as the firm itself estimates it"),
        ("churned", FLAG, "the firm says that the customer has left"),
        *_PLACE,
    ),
)

TIERS = Table(
    "tiers",
    "02-cleaning",
    _columns(
        ("customer_id", TEXT, "number where the table has one, else the name", True, True),
        ("name", TEXT, "客户名称", False, True),
        ("contact", TEXT, "联系方式", False, True),
        ("industry", TEXT, "所属行业"),
        ("orders", COUNT, "历史购买记录, times"),
        ("spend", MONEY, "消费金额"),
        ("profit", MONEY, "利润贡献"),
        ("frequency", TEXT, "购买频率: high, medium or low"),
        ("activity", TEXT, "活跃度: high, medium or low"),
        ("loyalty", TEXT, "忠诚度: high, medium or low"),
        ("need", TEXT, "需求和偏好: price_sensitive, quality_seeking or personalised, or as delivered"),
        ("satisfaction", TEXT, "满意度: satisfied, neutral or dissatisfied"),
        ("tier", TEXT, "分级: high, medium or low"),
        *_PLACE,
    ),
)

NEEDS = Table(
    "needs",
    "02-cleaning",
    _columns(
        *_WHO,
        ("asked_day", DAY, "day of the answer"),
        ("need", TEXT, "price_sensitive, quality_seeking or personalised, or as delivered"),
        ("product_preference", TEXT, "which product is wanted"),
        ("price_sensitivity", NUMBER, "as asked"),
        ("service_expectation", NUMBER, "as asked"),
        ("comment", TEXT, "in the customer's words", False, True),
        *_PLACE,
    ),
)

FEEDBACK = Table(
    "feedback",
    "02-cleaning",
    _columns(
        *_WHO,
        ("said_day", DAY, "day it was said", True),
        ("kind", TEXT, "interview, review, complaint, suggestion, praise …, as delivered"),
        ("channel", TEXT, "as delivered"),
        ("topic", TEXT, "as delivered"),
        ("rating", NUMBER, "as given"),
        ("text", TEXT, "in the customer's words", False, True),
        *_PLACE,
    ),
)

INTERACTIONS = Table(
    "interactions",
    "02-cleaning",
    _columns(
        *_WHO,
        ("opened_at", pa.timestamp("s"), "when it began, in the client's time zone", True),
        ("opened_day", DAY, "the same as a day"),
        ("answered_at", pa.timestamp("s"), "first answer; empty while none"),
        ("resolved_at", pa.timestamp("s"), "put right; empty while not"),
        ("kind", TEXT, "enquiry, complaint, after_sales, contact, post, mention …, as delivered"),
        ("channel", TEXT, "telephone, counter, WeChat, Weibo …, as delivered"),
        ("topic", TEXT, "as delivered"),
        ("sentiment", TEXT, "as delivered"),
        ("text", TEXT, "in the customer's words", False, True),
        *_PLACE,
    ),
)

RELATIONS = Table(
    "relations",
    "02-cleaning",
    _columns(
        ("customer_id", TEXT, "from whom", True, True),
        ("known", FLAG, "that customer is known"),
        ("other_id", TEXT, "to whom", True, True),
        ("other_known", FLAG, "that customer is known"),
        ("kind", TEXT, "partner, competitor, influencer …, as delivered"),
        ("strength", NUMBER, "as delivered"),
        ("since_day", DAY, "since when"),
        *_PLACE,
    ),
)

COSTS = Table(
    "costs",
    "02-cleaning",
    _columns(
        *_WHO,
        ("cost_day", DAY, "day, or first day of the month, it belongs to"),
        ("kind", TEXT, "acquisition or serve, or as delivered"),
        ("channel", TEXT, "as delivered"),
        ("amount", MONEY, "what it cost", True),
        *_PLACE,
    ),
)

CAMPAIGNS = Table(
    "campaigns",
    "02-cleaning",
    _columns(
        ("campaign", TEXT, "its name", True),
        ("channel", TEXT, "platform, as delivered"),
        ("began_day", DAY, "first day"),
        ("ended_day", DAY, "last day"),
        ("reach", COUNT, "people who saw it"),
        ("engagement", COUNT, "people who did something with it"),
        ("conversions", COUNT, "people who bought"),
        ("cost", MONEY, "what it cost"),
        *_PLACE,
    ),
)

MARKET = Table(
    "market",
    "02-cleaning",
    _columns(
        ("asked_day", DAY, "day, or first day of the wave, it was asked", True),
        ("segment", TEXT, "of whom: customer type, region …, as delivered; empty for the whole market"),
        ("firm", TEXT, "whom it is about: us, or a competitor as delivered; empty for us"),
        ("question", TEXT, "awareness, image, preference, market_share, or as delivered", True),
        ("answer", NUMBER, "share of those asked, 0–1 or in per cent, or a value as delivered", True),
        ("respondents", COUNT, "people or firms asked"),
        *_PLACE,
    ),
)

APPLICATIONS = Table(
    "applications",
    "02-cleaning",
    _columns(
        *_WHO,
        ("application_id", TEXT, "as delivered"),
        ("applied_day", DAY, "day of the application", True),
        ("decided_day", DAY, "day of the decision; empty while pending"),
        ("product", TEXT, "loan, project finance …, as delivered"),
        ("purpose", TEXT, "as delivered"),
        ("amount", MONEY, "applied for"),
        ("term_months", NUMBER, "months"),
        ("credit_grade", TEXT, "as delivered"),
        ("decision", TEXT, "approved, declined or pending, or as delivered"),
        *_PLACE,
    ),
)


# The day by which a row belongs to a period; a row whose day is empty belongs to every one.
DAYS = {"transactions": "order_day", "surveys": "answered_day", "needs": "asked_day"}
DAYS |= {"feedback": "said_day", "interactions": "opened_day", "relations": "since_day"}
DAYS |= {"costs": "cost_day", "campaigns": "began_day", "applications": "applied_day"}
DAYS |= {"snapshot": "taken_day", "market": "asked_day"}

# What a row tells only from a later day of its own on.
NOT_YET = {
    "interactions": {"answered_at": NotYet("answered_at"), "resolved_at": NotYet("resolved_at")},
    "campaigns": {"ended_day": NotYet("ended_day")},
    "applications": {"decided_day": NotYet("decided_day"), "decision": NotYet("decided_day", "pending")},
}


ALL = {
    table.name: table
    for table in (
        *(CUSTOMERS, TRANSACTIONS, SNAPSHOT, TIERS, SURVEYS, NEEDS, FEEDBACK, INTERACTIONS),
        *(RELATIONS, COSTS, CAMPAIGNS, MARKET, APPLICATIONS, QUARANTINE, REPAIRS, LEDGER),
        *(VIEW, FACTS, CLASSES, CLASSES_BEFORE, PREDICTED, AT_RISK),
        *(PROPOSED, CROSS_SALES, DEMAND),
    )
}
