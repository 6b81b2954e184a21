"""Survey answers: one row an answer, on the scale it was asked."""

import duckdb
import pandas as pd

from crmlib import tables
from crmlib.cleaning.ledger import ledger
from crmlib.cleaning.outcome import MISFITS, Cleaned, aside, misfit_fates
from crmlib.client import Client
from crmlib.collection import readings, values
from crmlib.collection.files import ROW
from crmlib.collection.headers import tidy
from crmlib.collection.readings import Reading
from crmlib.collection.sources import FILE, Collected
from crmlib.mapping import Surveys
from crmlib.period import day_number

STEPS = list(
    dict.fromkeys(
        [*MISFITS, "exact-duplicate", "digits-lost", "missing-id", "unreadable-date", "future-date"]
    )
)
ANSWER_STEPS = ["unreadable-number", "out-of-scale"]


def surveys(collected: Collected, client: Client, *, delivered_on, known: set[str] | None) -> Cleaned:
    """Answers within their scale, a row each; the ledger has a part for forms and one for answers.

    A form with one answer outside its scale keeps its other answers.

    Returns
    -------
    `kept` in the columns of `tables.SURVEYS`.
    """
    source = client.tables.surveys
    engine = tables.engine()
    collected.delivered(engine)
    found = _cells(engine, source, client)
    forms = _forms(engine, collected, found)
    forms["reason"] = _reasons(forms, source, day_number(delivered_on))
    dated = forms["reason"].isin(["unreadable-date", "future-date"])
    forms["column"] = dated.map({True: found["answered_day"].header, False: found["customer_id"].header})
    answers = _answers(forms[forms["reason"].isna()], source)
    answers["known"] = answers["customer_id"].isin(known) if known is not None else True
    kept = answers[answers["reason"].isna()].sort_values(["source_file", "source_row", "aspect"])
    lost = pd.concat(
        [
            forms[forms["reason"].notna() & (forms["reason"] != "exact-duplicate")],
            answers[answers["reason"].notna()],
        ]
    )
    return Cleaned(
        tables.conform(kept, tables.SURVEYS),
        aside(lost.assign(money=0), collected),
        pd.concat(
            [
                ledger(pd.concat([_fates(forms), misfit_fates(collected)]), "surveys", STEPS),
                ledger(_fates(answers), "answers", ANSWER_STEPS),
            ],
            ignore_index=True,
        ),
        forms=int(forms["reason"].isna().sum()),
        repaired=readings.repairs(engine, "surveys", found.values()),
    )


def _cells(engine: duckdb.DuckDBPyConnection, source: Surveys, client: Client) -> dict[str, Reading]:
    """How the customer, the day and each question (by its aspect) are read."""
    form = readings.said(client, "surveys")
    return {
        "customer_id": readings.identifier(engine, source.columns["customer_id"]),
        "answered_day": readings.moment(engine, source.columns["answered_day"], form),
        **{
            aspect: readings.number(engine, answer.column, form, units=values.POINTS)
            for aspect, answer in source.answers.items()
        },
    }


def _forms(
    engine: duckdb.DuckDBPyConnection, collected: Collected, found: dict[str, Reading]
) -> pd.DataFrame:
    originals = ", ".join(f"delivered.{values.name(c)}" for c in collected.headers)
    customer, day = found["customer_id"], found["answered_day"]
    parts = ", ".join(
        f"CAST({read.value} AS DOUBLE) AS score_{aspect}, {read.bad} AS bad_{aspect}"
        for aspect, read in found.items()
        if aspect not in ("customer_id", "answered_day")
    )
    return engine.sql(
        f"SELECT {customer.value} AS customer_id, {customer.bad} AS lost, {readings.day(day)} AS answered_day, {parts}, "
        f"{FILE} AS source_file, {ROW} AS source_row, "
        f"row_number() OVER (PARTITION BY {originals} ORDER BY {FILE}, {ROW}) AS copy "
        f"FROM delivered {readings.joins(found.values())} ORDER BY {FILE}, {ROW}"
    ).df()


def _reasons(forms: pd.DataFrame, source: Surveys, delivered_on: int) -> pd.Series:
    reason = pd.Series(None, index=forms.index, dtype=object)
    reason[forms["answered_day"] > delivered_on] = "future-date"
    reason[forms["answered_day"].isna()] = "unreadable-date"
    reason[forms["customer_id"].isna()] = "missing-id"
    reason[forms["lost"]] = "digits-lost"
    if source.exact_duplicates == "merge":
        reason[forms["copy"] > 1] = "exact-duplicate"
    return reason


def _answers(forms: pd.DataFrame, source: Surveys) -> pd.DataFrame:
    """A row for every cell that holds anything; `reason` where it is no answer on its scale."""
    columns = ["customer_id", "answered_day", "source_file", "source_row"]
    parts = []
    for aspect, answer in source.answers.items():
        low, high = answer.scale
        given = forms[forms[f"score_{aspect}"].notna() | forms[f"bad_{aspect}"]]
        rows = given[columns].assign(aspect=aspect, score=given[f"score_{aspect}"], low=low, high=high)
        rows["column"] = tidy(answer.column)
        rows["reason"] = pd.Series(None, index=rows.index, dtype=object)
        rows.loc[~rows["score"].between(low, high), "reason"] = "out-of-scale"
        rows.loc[rows["score"].isna(), "reason"] = "unreadable-number"
        parts.append(rows)
    return pd.concat(parts, ignore_index=True)


def _fates(rows: pd.DataFrame) -> pd.DataFrame:
    counts = rows["reason"].fillna("").value_counts().rename_axis("reason").reset_index(name="rows")
    return counts.assign(reason=counts["reason"].replace("", None), money=0)
