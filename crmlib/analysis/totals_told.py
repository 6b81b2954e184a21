"""What a snapshot says of each customer beside the outcome: every column it came with, typed (M03).

A snapshot's columns carry no date. Any of them may have been written down after a customer had left, and then tells
the outcome and foretells nothing: `leakage` looks for such columns.
"""

from collections.abc import Collection

import numpy as np
import pandas as pd

from crmlib import tables
from crmlib.client import Client
from crmlib.collection import sources
from crmlib.collection.files import FILE, ROW
from crmlib.collection.headers import names_people

MOST_WORDS = 30  # different words in a column; more name single customers or places
READ = 0.95  # share of filled cells that are numbers, from which on a column is one
# Never inputs: who it is, and the outcome itself.
NOT_INPUTS = ("customer_id", "name", "contact", "churned", "taken_day")


def delivered(client: Client) -> pd.DataFrame:
    """The snapshot's records as step 01 collected them: every column as text, without those that name people."""
    part = sources.as_collected(client)[tables.SNAPSHOT.name]
    kept = [name for name in part.rows.column_names if name not in part.personal]
    return part.rows.select(kept).to_pandas()


def inputs(
    totals: pd.DataFrame, collected: pd.DataFrame, *, mapped: dict[str, str], leave_out: Collection[str] = ()
) -> tuple[pd.DataFrame, list[str], list[str]]:
    """Each customer's outcome, worth and inputs; and which inputs are numbers, which words.

    Parameters
    ----------
    totals : as `stated.totals` gives them
    collected : the rows they come from as delivered, every column text, with their file and row
    mapped : our columns and their headers

    Returns
    -------
    customer_id, left, worth (smallest unit: spend ÷ months stayed × 12; empty where not known) and every usable column
    under its own header. Columns of more than `MOST_WORDS` different words, of people's names and of the outcome
    are left out.
    """
    rows = totals.merge(
        collected,
        left_on=["source_file", "source_row"],
        right_on=[FILE, ROW],
        how="left",
        validate="many_to_one",
    )
    months = rows["tenure_months"].astype(float).clip(lower=1)
    told = pd.DataFrame(
        {
            "customer_id": rows["customer_id"],
            "left": rows["churned"].astype(object),
            "worth": rows["spend"].astype(float) / months * 12,
        }
    )
    never = {mapped.get(name) for name in NOT_INPUTS} | set(leave_out) | {FILE, ROW}
    own = [header for header in collected.columns if header not in never and not names_people(header)]
    numbers, words = [], []
    for header in own:
        cells = rows[f"{header}_y" if f"{header}_y" in rows else header]
        column, kind = typed(cells)
        if kind:
            told[header] = column
            (numbers if kind == "number" else words).append(header)
    return told, numbers, words


def typed(cells: pd.Series) -> tuple[pd.Series, str]:
    """A column of text as numbers or as words; "" where it is neither.

    >>> typed(pd.Series(["1", "2.5", None, "4"]))[1], typed(pd.Series(["Yes", "No", None, "Yes"]))[1]
    ('number', 'word')
    """
    text = cells.astype(object).where(cells.notna(), None)
    text = text.map(lambda cell: cell.strip() or None, na_action="ignore")
    filled = text.notna()
    read = pd.to_numeric(text.where(filled), errors="coerce").astype(float).replace([np.inf, -np.inf], np.nan)
    if filled.any() and read.notna().sum() >= READ * filled.sum():
        return read, "number"
    return text, "word" if 0 < text.nunique() <= MOST_WORDS else ""
