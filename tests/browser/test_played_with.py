"""What an analyst plays with, in a real JupyterLab: a limit is moved, the picture and the counts follow, *Save* writes.

Each notebook is opened on a copy of the demo's run, run with *Run All Cells* and then used with the mouse and keys.
"""

import re
import shutil

import pytest
from browsing import jupyter, notebook, picture, until
from ruamel.yaml import YAML

RUN = "reports/demo/2024-Q4"


@pytest.fixture(scope="module")
def home(tmp_path_factory, demo_run):
    """The demo's run in a home of its own, which a panel may change."""
    home = tmp_path_factory.mktemp("panels")
    shutil.copytree(demo_run / "data", home / "data")
    shutil.copytree(demo_run / "reports", home / "reports")
    return home


@pytest.fixture(scope="module")
def lab(home, chromium):
    """The address of a JupyterLab on the demo's working copies, as `crm lab demo` starts it."""
    with jupyter(home, "demo") as address:
        yield address


def test_the_mapping_panel_of_notebook_01_looks_at_the_files(chromium, lab, home):
    with notebook(chromium, lab, "01-collection") as seen:
        panel = seen.page.locator(".crm-mapping, .jp-OutputArea-output").filter(
            has=seen.page.get_by_role("button", name="Look at the files")
        )
        panel.last.get_by_role("button", name="Look at the files").click()
        rows = panel.last.get_by_role("combobox")
        assert until(lambda: rows.count() > 20, seconds=90), "the mapping of the files never appeared"
        picture(seen, home / RUN, "lab-01-mapping")
        assert (seen.outside, seen.complaints) == ([], [])


def test_a_limit_moved_in_notebook_03_moves_figure_and_counts_and_save_writes_it(chromium, lab, home):
    config = home / "data" / "demo" / "client.yml"
    before = YAML().load(config.read_text("utf-8"))
    comments = re.findall(r"#.*", config.read_text("utf-8"))
    with notebook(chromium, lab, "03-classification") as seen:
        panel = seen.page.locator(".crm-laboratory").last
        assert until(lambda: panel.count() > 0), "notebook 03 shows no laboratory of thresholds"
        table, figure = (
            panel.locator(".crm-trial"),
            panel.locator("img.crm-trial-figure, .crm-trial-figure img"),
        )
        assert _moves(seen, panel, lambda: table.locator("td").count() > 0), "no counts appeared"
        assert until(lambda: figure.last.is_visible()), "no figure appeared"
        counts, drawn = table.inner_text(), figure.last.get_attribute("src")
        picture(seen, home / RUN, "lab-03-laboratory")
        table.scroll_into_view_if_needed()
        picture(seen, home / RUN, "lab-03-counts")
        assert _moves(seen, panel, lambda: table.inner_text() != counts), "the counts stand still"
        assert until(lambda: figure.last.get_attribute("src") != drawn, seconds=60), "the figure stands still"
        panel.get_by_role("button", name="Save", exact=True).click()
        assert until(lambda: YAML().load(config.read_text("utf-8")) != before), "Save wrote nothing"
        picture(seen, home / RUN, "lab-03-saved")
        assert (seen.outside, seen.complaints) == ([], [])
    # Only the rules of classes are other ones, and what the firm wrote beside them still stands.
    after = YAML().load(config.read_text("utf-8"))
    assert {key for key in {*before, *after} if before.get(key) != after.get(key)} == {"classes"}
    assert set(comments) <= set(re.findall(r"#.*", config.read_text("utf-8")))


def test_a_filter_of_the_graph_in_notebook_10_changes_figure_and_counts(chromium, lab, home):
    with notebook(chromium, lab, "10-analysis-relationships") as seen:
        counts = seen.page.locator(".jp-OutputArea .shown-count").last
        assert until(lambda: counts.count() > 0, seconds=60), "notebook 10 shows no graph to filter"
        panel = seen.page.locator(".jp-Cell").filter(has=seen.page.locator(".shown-count")).last
        figure = panel.locator("img").last
        told, drawn = counts.inner_text(), figure.get_attribute("src")
        picture(seen, home / RUN, "lab-10-graph")
        assert _moves(seen, panel, lambda: counts.inner_text() != told), "the counts stand still"
        assert until(lambda: figure.get_attribute("src") != drawn, seconds=60), "the figure stands still"
        picture(seen, home / RUN, "lab-10-filtered")
        assert (seen.outside, seen.complaints) == ([], [])


def _moves(seen, panel, what) -> bool:
    """Whether this comes true as the panel's sliders go a step to the right, one after the other; one may move nobody."""
    handles = panel.locator(".noUi-handle")
    for number in range(handles.count()):
        handles.nth(number).scroll_into_view_if_needed()
        handles.nth(number).focus()
        seen.page.keyboard.press("ArrowRight")
        if until(what, seconds=15):
            return True
    return False
