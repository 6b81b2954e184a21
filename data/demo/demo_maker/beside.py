"""Every delivered table beside customers, orders and the survey; their truths, and the forms they come in."""

import csv
import io
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import xlsxwriter

from . import days, flaws, loans, market, money, service, spending, ties, voices, waited
from .files import BANK, csv_text

# What was delivered: its file, and the table it belongs to.
FILES = {
    "needs": ("needs.csv", "needs"),
    "interviews": ("interviews.csv", "feedback"),
    "comments": ("feedback.jsonl", "feedback"),
    "reviews": ("reviews.csv", "feedback"),
    "service": ("service.xlsx", "interactions"),
    "social": ("social.csv", "interactions"),
    "relations": ("relations.csv", "relations"),
    "costs": ("costs.csv", "costs"),
    "campaigns": ("campaigns.csv", "campaigns"),
    "applications": ("applications.csv", "applications"),
    "market": ("market.csv", "market"),
}
NAMELESS = {"market"}  # came later, and names nobody: it takes no number of nobody
# The stream of each file's random numbers; a number never changes.
STREAMS = {name: number for number, name in enumerate(FILES, start=10)} | {"waited": waited.STREAM}
STRANGERS = 3  # for each file
SPARE = slice(
    1000, 1000 + STRANGERS * (len(FILES) - len(NAMELESS))
)  # numbers of nobody; the first are the other tables'
MERGED = {flaws.COPY}
KEPT = {"", "strangers"}
Stream = Callable[[str, int], np.random.Generator]


def tables(
    stream: Stream,
    folk: pd.DataFrame,
    *,
    lines: pd.DataFrame,
    said: pd.DataFrame,
    listed: pd.DataFrame,
    strangers,
) -> tuple[dict[str, pd.DataFrame], dict]:
    """The delivered tables, all text, and what is true of them: defects, truths, ledger."""
    lines = lines[lines["kind"] == "sale"].reset_index(drop=True)
    free = {name: strangers[n * STRANGERS : (n + 1) * STRANGERS] for n, name in enumerate(FILES)}
    made, planted, truths = {}, {}, {}

    def keep(name: str, outcome: tuple[pd.DataFrame, pd.Series, dict]) -> pd.Series:
        made[name], kinds, planted[name] = outcome
        return kinds

    for name, maker, spoil in (
        ("interviews", voices.interviews, voices.interview_flaws),
        ("comments", voices.comments, voices.comment_flaws),
        ("reviews", voices.reviews, voices.review_flaws),
        ("social", service.social, service.social_flaws),
    ):
        text = maker(stream(name, 1), folk, lines=lines)
        keep(name, spoil(stream(name, 2), text, strangers=free[name]))
    wanted = voices.needs(stream("needs", 1), folk, lines=lines, stated=listed["需求类型"])
    kinds = keep("needs", voices.needs_flaws(stream("needs", 2), wanted, strangers=free["needs"]))
    truths["service_expectation"] = voices.truths(clean(voices.expectations(wanted, folk), kinds))
    text, meant = service.service(stream("service", 1), folk, lines=lines)
    kinds = keep("service", service.service_flaws(stream("service", 2), text, strangers=free["service"]))
    truths["complaints_before_the_fall"] = service.truths(clean(meant, kinds))
    late, truths["waited"] = waited.cases(stream("waited", 1), folk, lines=lines)
    made["service"] = pd.concat([made["service"], late], ignore_index=True)
    text, risks = ties.relations(stream("relations", 1), folk, said=said, lines=lines)
    keep("relations", ties.with_flaws(stream("relations", 2), text, strangers=free["relations"], risks=risks))
    truths["relationship_risks"] = risks
    text, meant, wasted = spending.costs(stream("costs", 1), folk, lines=lines)
    kinds = keep("costs", spending.cost_flaws(stream("costs", 2), text, strangers=free["costs"]))
    truths["costs"] = spending.truths(clean(meant, kinds), lines, folk=folk, wasted=wasted)
    truths["spent"] = money.spent(clean(meant, kinds, strangers=True))
    keep(
        "campaigns",
        spending.campaign_flaws(stream("campaigns", 2), spending.campaigns(stream("campaigns", 1))),
    )
    text, meant = loans.applications(stream("applications", 1), folk, lines=lines, grade=listed["信用等级"])
    kinds = keep(
        "applications", loans.with_flaws(stream("applications", 2), text, strangers=free["applications"])
    )
    truths["loans"] = loans.truths(clean(meant, kinds))
    told = clean(meant, kinds, strangers=True)
    # An application counts whoever made it; of what type a stranger is nobody knows.
    told["type"] = told["type"].mask(told["stranger"], "unknown")
    truths["applications"] = money.applications(told)
    text, meant = market.market(stream("market", 1))
    keep("market", market.with_flaws(stream("market", 2), text))
    truths["market"] = market.truths(meant)
    return {name: made[name] for name in FILES}, {
        "defects": planted,
        "truths": truths,
        "ledger": ledger(planted, made),
    }


def clean(meant: pd.DataFrame, kinds: pd.Series, *, strangers: bool = False) -> pd.DataFrame:
    """What rows mean, those left out that cleaning sets aside or, unless asked for, whose customer nobody knows.

    `stranger` tells the latter.
    """
    # Copies, totals and repeated headers stand between the rows that were made; these keep their order.
    own = kinds[~kinds.isin([flaws.COPY, flaws.TOTAL, flaws.HEADER])].reset_index(drop=True)
    kept = own.isin(KEPT) if strangers else own == ""
    told = meant.assign(stranger=(own == "strangers").to_numpy())
    return told[kept.to_numpy()].reset_index(drop=True)


def ledger(planted: dict, made: dict[str, pd.DataFrame]) -> dict:
    """Rows in, kept, merged and set aside for each table of our own, over its files."""
    out: dict = {}
    for name, (_, table) in FILES.items():
        counts = {kind: entry["count"] for kind, entry in planted[name].items()}
        merged = sum(n for kind, n in counts.items() if kind in MERGED)
        aside = sum(n for kind, n in counts.items() if kind not in MERGED | KEPT)
        line = out.setdefault(
            table, dict.fromkeys(("rows_in", "rows_kept", "rows_merged", "rows_quarantined"), 0)
        )
        line["rows_in"] += len(made[name])
        line["rows_merged"] += merged
        line["rows_quarantined"] += aside
        line["rows_kept"] += len(made[name]) - merged - aside
    return out


def write(raw: Path, delivered: dict[str, pd.DataFrame]) -> list[Path]:
    """Write the files in the forms that clients send, and return their paths."""
    paths = []
    for name, (file, _) in FILES.items():
        table, path = delivered[name], raw / file
        if file.endswith(".xlsx"):
            workbook(path, table)
        elif file.endswith(".jsonl"):
            path.write_bytes(json_lines(table).encode("utf-8"))
        else:
            # Excel saves what its users type with a mark in front, older systems in GB18030.
            coding = {"social": "utf-8-sig", "interviews": "gb18030", "costs": "gb18030"}.get(name, "utf-8")
            path.write_bytes(delimited(table, name).encode(coding))
        paths.append(path)
    return paths


def delimited(table: pd.DataFrame, name: str) -> str:
    """A table as CSV; the applications come with semicolons."""
    if name != "applications":
        return csv_text(table, "\r\n" if name in ("costs", "interviews") else "\n")
    out = io.StringIO()
    rows = csv.writer(out, delimiter=";", lineterminator="\n")
    rows.writerow(table.columns)
    rows.writerows(table.itertuples(index=False, name=None))
    return out.getvalue()


def json_lines(table: pd.DataFrame) -> str:
    """A record a line; nothing is null."""
    records = ({name: cell or None for name, cell in row.items()} for row in table.to_dict("records"))
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def workbook(path: Path, table: pd.DataFrame) -> None:
    """Service records under a title; moments are real where they are moments."""
    book = xlsxwriter.Workbook(path)
    book.set_properties({"created": datetime(2025, 1, 6)})
    sheet = book.add_worksheet("服务记录")
    form = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    sheet.write_string(0, 0, f"{BANK}　服务记录　{days.START} 至 {days.END}")
    for at, column in enumerate(table.columns):
        sheet.write_string(2, at, column)
        for row, text in enumerate(table[column], start=3):
            moment = as_moment(text) if column in ("开始时间", "首次答复", "解决时间") else None
            if moment:
                sheet.write_datetime(row, at, moment, form)
            elif text:
                sheet.write_string(row, at, text)
    book.close()


def as_moment(text: str) -> datetime | None:
    """The moment that a text names; None for anything else."""
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M")
    except ValueError:
        return None
