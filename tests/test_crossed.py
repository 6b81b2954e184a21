"""Every way in which rows go wrong, in every way in which files are written: nothing lost, nothing bent."""

import os
import re
from collections import Counter
from decimal import Decimal

import faults
import pandas as pd
import pytest
from builders import made

from crmlib.cleaning import delivery as cleaning
from crmlib.collection import sources

# All of them under `make bench`; every second one by default.
PAIRS = faults.crossed(every=os.environ.get("CRM_EVERY") == "1")


def test_there_are_at_least_five_hundred_of_them():
    assert len(PAIRS) >= 500


@pytest.mark.parametrize(("fault", "form"), PAIRS, ids=[f"{fa.name[:40]} × {fo.name}" for fa, fo in PAIRS])
def test_every_row_is_kept_as_meant_or_set_aside_with_its_reason(home, fault, form):
    file = f"orders.{form.suffix}"
    client = made(home, faults.CONFIG.format(file=file), {file: form.written(fault.rows)})
    delivery = sources.delivery(client)
    found = cleaning.cleaned(delivery, client, delivered_on=sources.delivered_on(client))
    lines = cleaning.account(found, delivery)  # refuses a ledger that does not balance

    kept = found["transactions"].kept.to_pandas()
    seen = Counter(
        (
            line.order_id,
            "" if pd.isna(line.customer_id) else line.customer_id,
            str(line.ordered_at),
            line.product,
            Decimal(str(line.quantity)),
            Decimal(line.price) / 100,
        )
        for line in kept.itertuples()
    )
    assert seen == Counter(one.clean for one in fault.rows if one.clean)
    gone = Counter()
    for line in lines.itertuples():
        if line.rows_merged + line.rows_quarantined:
            gone[line.step] += line.rows_merged + line.rows_quarantined
    assert gone == Counter(one.reason for one in fault.rows if one.reason)
    assert Counter(found["transactions"].quarantine["reason"]) == Counter(
        one.reason for one in fault.rows if one.reason and one.reason != "exact-duplicate"
    )
    # Every row that is set aside keeps its text, whatever its length: nothing is lost.
    raw = " ".join(found["transactions"].quarantine["raw"])
    for one in fault.rows:
        if one.reason and one.reason != "exact-duplicate":
            words = [word for cell in one.cells for word in re.findall(r"\w+", cell) if word.isalnum()]
            assert all(word in raw for word in words)
