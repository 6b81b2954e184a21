"""How long contracts last: by hand, by scipy's own words, and what cannot be told."""

import numpy as np
import pandas as pd
import pytest

from crmlib.analysis import staying
from crmlib.outlook import Outlook


def totals(*rows) -> pd.DataFrame:
    columns = ["customer_id", "tenure_months", "churned", "spend"]
    return pd.DataFrame([(f"c{n}", *row) for n, row in enumerate(rows)], columns=columns)


# Twelve leave after two months of thirty; ten more after five; eight are still there after six.
CLIENT = totals(*[(2, True, 200)] * 12, *[(5, True, 500)] * 10, *[(6, False, 600)] * 8)


def test_the_curve_is_the_share_of_those_still_there_each_time():
    found = staying.staying(CLIENT)
    # (30 − 12) ÷ 30 = .6; of the 18 left 10 leave: .6 × 8 ÷ 18
    assert found.table["months"].tolist() == [2, 5]
    assert found.table["staying"].tolist() == pytest.approx([0.6, 0.6 * 8 / 18])
    assert found.table["at_risk"].tolist() == [30, 18]
    assert (found.customers, found.ended) == (30, 22)
    assert staying.at(found, np.array([0.5, 2, 4.9, 5, 99])).tolist() == pytest.approx(
        [1, 0.6, 0.6, 8 / 30, 8 / 30]
    )


def test_its_interval_is_the_exponential_greenwood_one():
    # at two months: var(log(−log S)) = (d ÷ (n (n − d))) ÷ log(S)²
    low, high = staying.staying(CLIENT).table.loc[0, ["staying_low", "staying_high"]]
    error = np.sqrt(12 / (30 * 18)) / abs(np.log(0.6))
    assert (low, high) == pytest.approx(
        (0.6 ** np.exp(1.645 * error), 0.6 ** np.exp(-1.645 * error)), abs=1e-4
    )


def test_running_contracts_bring_what_they_pay_as_long_as_they_are_expected_to_last():
    # One more has run two months at 100 a month: it lasts 3 and 4 with chance 1, and 5 to 12 with 8 ÷ 18.
    client = pd.concat([CLIENT, totals((2, False, 200)).assign(customer_id="new")], ignore_index=True)
    found = staying.staying(client)
    worth = staying.contracts(found, client, Outlook(discount=0)).set_index("customer_id")
    stay = found.table["staying"].iloc[1] / found.table["staying"].iloc[0]
    assert worth.loc["new", "months"] == pytest.approx(2 + 10 * stay)
    assert worth.loc["new", "value"] == pytest.approx(100 * (2 + 10 * stay))
    # nobody is seen to leave after six months
    assert worth.loc["c22", "value"] == pytest.approx(12 * 100)
    assert staying.contracts(found, client, Outlook(discount=0.1))["value"].sum() < worth["value"].sum()


def test_without_totals_nothing_is_said_and_few_endings_say_nothing():
    assert staying.staying(None).why == "not_supplied"
    assert staying.staying(CLIENT.assign(churned=None)).why == "not_supplied"
    few = staying.staying(totals(*[(4, True, 10)] * 9, *[(5, False, 10)] * 50))
    assert (few.why, few.ended) == ("few_endings", 9)
    assert (
        staying.figures(few, staying.contracts(few, CLIENT, Outlook()), [])["value.contracts.amount"]["value"]
        is None
    )


def test_what_contracts_may_bring_holds_what_they_are_expected_to():
    client = pd.concat([CLIENT, totals(*[(2, False, 200)] * 30)], ignore_index=True)
    found = staying.staying(client)
    low, high = staying.may_bring(found, client, Outlook())
    expected = staying.contracts(found, client, Outlook())["value"].sum()
    # 30 contracts at 100 a month and 8 for all twelve months: chance alone moves the sum by some hundreds
    assert low < expected < high
    assert high - low > 1_000
    assert staying.may_bring(staying.staying(None), None, Outlook()) == []
