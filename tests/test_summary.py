"""Of all that was found, what a person who decides must read, in which order, and where its proof stands."""

import ast
from pathlib import Path

import nbformat
import pytest

from crmlib import summary
from crmlib.language import Language
from crmlib.sentences import Finding

ROOT = Path(__file__).resolve().parent.parent
ENGLISH = Language("en", "CNY")


def told(id: str, form: str, **values) -> Finding:
    return Finding(id, form, f"{id} is {form}.", values, ENGLISH, step="05-analysis-performance")


def said(answer) -> list[str]:
    return [finding.id for finding in answer.findings]


def test_bad_news_asks_for_a_decision_and_good_news_goes_well():
    page = summary.weighed([told("churn.balance", "yes"), told("goals.standing", "no")])
    assert (said(page.asks), said(page.well)) == (["goals.standing"], ["churn.balance"])


def test_more_sold_is_good_news_only_beyond_chance():
    more, chance = told("sales.chance", "yes", moved=5), told("sales.chance", "no", moved=5)
    assert said(summary.weighed([more]).well) == ["sales.chance"]
    assert said(summary.weighed([chance]).well) == []
    assert said(summary.weighed([told("sales.chance", "yes", moved=-5)]).asks) == ["sales.chance"]


def test_the_most_pressing_stands_first_whatever_notebook_told_it_first():
    found = [told("churn.balance", "no"), told("goals.standing", "no"), told("collection.units", "yes")]
    assert said(summary.weighed(found).asks) == ["collection.units", "goals.standing", "churn.balance"]


def test_a_move_of_satisfaction_is_good_or_bad_by_its_direction():
    up = told("satisfaction.change", "yes", value=70.0, before=60.0)
    down = told("satisfaction.change", "yes", value=60.0, before=70.0)
    assert said(summary.weighed([up]).well) == ["satisfaction.change"]
    assert said(summary.weighed([down]).asks) == ["satisfaction.change"]


def test_what_is_neither_stays_in_its_notebook_and_is_counted():
    page = summary.weighed([told("behaviour.once", "yes"), told("classes.behaviour", "no")])
    assert page.others == 2
    assert not (page.asks.findings or page.well.findings or page.rests.findings or page.untold.findings)


def test_what_could_not_be_told_is_said_apart():
    page = summary.weighed([told("sales.change", "absent"), told("retention.change", "few")])
    assert said(page.untold) == ["sales.change", "retention.change"]


def test_no_heading_holds_more_than_can_be_read():
    apart = {"then_1": ["share", 2], "today_1": ["share", 1]}
    every = [told(id, form, **apart) for id in summary.ASKS for form in summary.ASKS[id].forms]
    assert len(summary.weighed(every).asks.findings) <= summary.MOST


def test_a_sentence_leads_to_its_proof_and_is_inert():
    finding = Finding("churn.balance", "no", "Sold to {name}.", {"name": "<b>"}, ENGLISH, step="05-x")
    page = summary.weighed([finding]).asks._repr_html_()
    assert '<a href="05-x.ipynb#finding-churn.balance">Sold to &lt;b&gt;.</a>' in page
    assert 'id="finding-churn.balance"' in finding._repr_html_()


def ids() -> set[str]:
    """Every finding that a notebook may tell among its answers."""
    found = set()
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in nbformat.read(path, 4).cells:
            if cell.cell_type == "code":
                for node in ast.walk(ast.parse(cell.source)):
                    # Aside by a condition, it stands among them when that is not so.
                    aside = [k for k in getattr(node, "keywords", ()) if ast.unparse(k) == "aside=True"]
                    if getattr(getattr(node, "func", None), "attr", "") == "say" and not aside:
                        found.add(ast.literal_eval(node.args[0]))
    return found - {"summary.others"}


def test_every_finding_is_weighed_or_said_to_be_background():
    weighed = {*summary.ASKS, *summary.WELL, *summary.RESTS}
    # Why a measure moved, and which segment, is said by the library: of every measure in the same words.
    said_of_every_measure = {id for id in weighed if id.startswith(("because.", "segment."))}
    assert ids() == (weighed - said_of_every_measure) | set(summary.BACKGROUND)
    assert weighed.isdisjoint(summary.BACKGROUND)


@pytest.mark.parametrize("id", sorted(summary.ASKS.keys() & summary.WELL.keys()))
def test_nothing_is_good_and_bad_news_at_once(id):
    for value, before, rose, fell in ((1, 2, 1, 2), (2, 1, 2, 1), (1, 1, 1, 1)):
        values = {"value": value, "before": before, "rose": rose, "fell": fell}
        values |= {"then_1": ["share", before], "today_1": ["share", value]}
        for form in ("yes", "no"):
            page = summary.weighed([told(id, form, **values)])
            assert len(page.asks.findings) + len(page.well.findings) <= 1
