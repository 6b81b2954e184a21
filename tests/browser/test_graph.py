"""`relations.html` in a real browser: a filter changes picture and counts, and five thousand customers are soon drawn."""

import numpy as np
import pandas as pd
from browsing import look, picture, until

RUN = "reports/demo/2024-Q4"
CUSTOMERS, TIES = 5_000, 20_000


def test_a_filter_of_the_graph_changes_picture_and_counts(chromium, demo_run):
    page = demo_run / RUN / "relations.html"
    assert page.is_file(), "the run published no relations.html"
    with look(chromium, page.as_uri()) as seen:
        assert until(lambda: _ready(seen) is not None), "the graph was never drawn"
        counts, graph = seen.page.locator("#shown-count"), seen.page.locator("#graph")
        told, drawn = counts.inner_text(), graph.screenshot()
        picture(seen, demo_run / RUN, "relations-graph", full_page=True)
        seen.page.locator("#filters input[type=checkbox]").first.uncheck()
        assert until(lambda: counts.inner_text() != told), "the counts stand still"
        assert until(lambda: graph.screenshot() != drawn), "the picture stands still"
        picture(seen, demo_run / RUN, "relations-filtered", full_page=True)
        assert (seen.outside, seen.complaints) == ([], [])


def test_a_customer_of_the_list_is_shown_with_whom_they_are_tied_to(chromium, demo_run):
    with look(chromium, (demo_run / RUN / "relations.html").as_uri()) as seen:
        first = seen.page.locator("button.choose").first
        number, before = first.inner_text(), seen.page.locator("#graph").screenshot()
        first.click()
        assert until(lambda: number in seen.page.locator("#chosen").inner_text())
        assert until(lambda: seen.page.locator("#graph").screenshot() != before)


def test_five_thousand_customers_are_drawn_and_can_all_be_shown(
    chromium, demo_run, monkeypatch, tmp_path, capsys
):
    page = tmp_path / "relations.html"
    page.write_text(_page(demo_run, monkeypatch), "utf-8")
    with look(chromium, page.as_uri()) as seen:
        assert until(lambda: _ready(seen) is not None, seconds=60), "the graph was never drawn"
        painted = seen.page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime")
        began = seen.page.evaluate("performance.now()")
        seen.page.locator("#least-value").fill("0")
        every = f"{CUSTOMERS:,} of {CUSTOMERS:,}"
        assert until(lambda: every in seen.page.locator("#shown-count").inner_text(), seconds=60)
        took = (
            seen.page.evaluate("new Promise(done => requestAnimationFrame(() => done(performance.now())))")
            - began
        )
        picture(seen, tmp_path, "relations-5000")
        assert (seen.outside, seen.complaints) == ([], [])
        with capsys.disabled():
            print(
                f"\nrelations.html, {CUSTOMERS:,} customers, {TIES:,} ties: words after {painted:.0f} ms, "
                f"graph after {_ready(seen)} ms, all of them {took:.0f} ms after asking"
            )


def _ready(seen) -> str | None:
    """After how many milliseconds the graph was first drawn."""
    return seen.page.evaluate("document.documentElement.dataset.ready ?? null")


def _page(home, monkeypatch) -> str:
    """The page of a firm with many customers, each tied to some."""
    from crmlib import client as clients
    from crmlib.analysis import relations
    from crmlib.analysis.picture import picture as drawing
    from crmlib.bonds import Relations
    from crmlib.language import Language
    from crmlib.period import Period
    from crmlib.workbook import relations_page

    monkeypatch.setenv("CRM_HOME", str(home))
    draw = np.random.default_rng(7)
    ids = [f"c{number:04}" for number in range(CUSTOMERS)]
    net = np.round(draw.lognormal(12, 1.5, CUSTOMERS)).astype(int)
    people = pd.DataFrame({"customer_id": ids, "sales": net, "net": net}).assign(
        tier="medium", behaviour="active", satisfaction="neutral", customer_type="enterprise"
    )
    # A ring, so that everybody has a tie; the rest between any two.
    first = np.arange(TIES) % CUSTOMERS
    step = np.concatenate([np.ones(CUSTOMERS, int), draw.integers(2, CUSTOMERS - 1, TIES - CUSTOMERS)])
    ties = pd.DataFrame(
        {
            "customer_id": np.take(ids, first),
            "other_id": np.take(ids, (first + step) % CUSTOMERS),
            "kind": draw.choice(["partner", "competitor", "influencer"], TIES),
            "strength": 1.0,
            "since_day": None,
            "known": True,
            "other_known": True,
        }
    )
    graph = relations.graph(ties, people, Relations())
    assert len(graph) == CUSTOMERS
    client, period = clients.load("demo"), Period.parse("2024-Q4")
    return relations_page.page(client, period, drawing(graph), Language("en", "CNY"))
