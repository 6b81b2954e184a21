"""Survey answers: one row an answer, on the scale it was asked."""

import pandas as pd

from crmlib import tables
from crmlib.cleaning.ledger import ledger
from crmlib.cleaning.transactions import MISFITS, Cleaned, aside, misfit_fates
from crmlib.client import Client
from crmlib.collection import values
from crmlib.collection.files import ROW
from crmlib.collection.headers import tidy
from crmlib.collection.sources import FILE, Collected
from crmlib.mapping import Surveys
from crmlib.period import day_number

STEPS = [*MISFITS, "exact-duplicate", "missing-id", "unreadable-date", "future-date"]
ANSWER_STEPS = ["unreadable-number", "out-of-scale"]


def surveys(collected: Collected, client: Client, *, delivered_on, known: set[str] | None) -> Cleaned:
    """Answers within their scale, a row each; the ledger has a part for forms and one for answers.

    A form with one answer outside its scale keeps its other answers.

    Returns
    -------
    `kept` in the columns of `tables.SURVEYS`.
    """
    source = client.tables.surveys
    forms = _forms(collected, source)
    forms["reason"] = _reasons(forms, source, day_number(delivered_on))
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
    )


def _forms(collected: Collected, source: Surveys) -> pd.DataFrame:
    engine = tables.engine()
    collected.delivered(engine)
    customer, day = (values.name(tidy(source.columns[c])) for c in ("customer_id", "answered_day"))
    originals = ", ".join(values.name(c) for c in collected.headers)
    parts = ", ".join(
        f"{values.given(h)} AS given_{aspect}, CAST({values.number(h)} AS DOUBLE) AS score_{aspect}"
        for aspect, answer in source.answers.items()
        for h in [values.name(tidy(answer.column))]
    )
    return engine.sql(
        f"SELECT {values.text(customer)} AS customer_id, {values.day(day, source.date_format)} AS answered_day, {parts}, "
        f"{FILE} AS source_file, {ROW} AS source_row, "
        f"row_number() OVER (PARTITION BY {originals} ORDER BY {FILE}, {ROW}) AS copy "
        f"FROM delivered ORDER BY {FILE}, {ROW}"
    ).df()


def _reasons(forms: pd.DataFrame, source: Surveys, delivered_on: int) -> pd.Series:
    reason = pd.Series(None, index=forms.index, dtype=object)
    reason[forms["answered_day"] > delivered_on] = "future-date"
    reason[forms["answered_day"].isna()] = "unreadable-date"
    reason[forms["customer_id"].isna()] = "missing-id"
    if source.exact_duplicates == "merge":
        reason[forms["copy"] > 1] = "exact-duplicate"
    return reason


def _answers(forms: pd.DataFrame, source: Surveys) -> pd.DataFrame:
    """A row for every cell that holds anything; `reason` where it is no answer on its scale."""
    columns = ["customer_id", "answered_day", "source_file", "source_row"]
    parts = []
    for aspect, answer in source.answers.items():
        low, high = answer.scale
        given = forms[forms[f"given_{aspect}"]]
        rows = given[columns].assign(aspect=aspect, score=given[f"score_{aspect}"], low=low, high=high)
        rows["reason"] = pd.Series(None, index=rows.index, dtype=object)
        rows.loc[~rows["score"].between(low, high), "reason"] = "out-of-scale"
        rows.loc[rows["score"].isna(), "reason"] = "unreadable-number"
        parts.append(rows)
    return pd.concat(parts, ignore_index=True)


def _fates(rows: pd.DataFrame) -> pd.DataFrame:
    counts = rows["reason"].fillna("").value_counts().rename_axis("reason").reset_index(name="rows")
    return counts.assign(reason=counts["reason"].replace("", None), money=0)
