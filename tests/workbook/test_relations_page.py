"""`relations.html` and the panel: what is shown, that names are masked and texts inert, and that it opens."""

import dataclasses
import json
import re
import shutil
import subprocess
from datetime import date

import pandas as pd
import pytest

from crmlib import client as clients
from crmlib import findings
from crmlib.analysis import relations
from crmlib.analysis.picture import picture
from crmlib.bonds import Relations
from crmlib.language import Language
from crmlib.period import Period
from crmlib.workbook import network_panel, relations_page, report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
Q4 = Period.parse("2024-Q4")
ENGLISH = Language("en", "CNY")
WILD = '</script><b onclick="x">$\\foo$ 😀 母公司'


@pytest.fixture
def demo(monkeypatch) -> clients.Client:
    monkeypatch.delenv("CRM_HOME", raising=False)
    return clients.load("demo")


def seen(kinds: tuple[str, ...] = ("partner", "influencer", WILD), *, known: bool = True):
    """Four tied customers: a–b partners, b–c influencer, c–d of a wild kind; net 100, 200, 300 and unknown."""
    folk = pd.DataFrame(
        {
            "customer_id": ["000001", "000002", "000003", "000004"],
            "sales": [1, 2, 3, 4],
            "net": pd.array([10000, 20000, 30000, None], dtype="Int64"),
            "tier": "high",
            "behaviour": ["active", "churned", "dormant", "not_graded"],
            "satisfaction": ["satisfied", "dissatisfied", "neutral", "not_graded"],
            "customer_type": "personal",
        }
    )
    ties = pd.DataFrame(
        {
            "customer_id": ["000001", "000002", "000003"],
            "other_id": ["000002", "000003", "000004"],
            "kind": kinds,
            "strength": 1.0,
            "since_day": None,
            "known": known,
            "other_known": known,
        }
    )
    return picture(relations.graph(ties, folk, Relations()))


def page(client, whole=None) -> str:
    return relations_page.page(client, Q4, seen() if whole is None else whole, ENGLISH)


@pytest.mark.parametrize(
    ("chosen", "customers", "ties"),
    [
        ({}, [0, 1, 2, 3], 3),
        ({"kinds": ["partner"]}, [0, 1], 1),
        ({"kinds": ["partner", "influencer"]}, [0, 1, 2], 2),
        ({"kinds": []}, [], 0),
        ({"least": 20000}, [1, 2], 1),
        ({"least": 20001}, [], 0),  # c alone is left without a tie
        ({"community": 2}, [2, 3], 1),
        ({"community": 9}, [], 0),
        ({"kinds": ["influencer"], "least": 1}, [1, 2], 1),
    ],
)
def test_what_is_shown_is_what_was_chosen_and_nobody_without_a_tie(chosen, customers, ties):
    whole = seen()
    whole = dataclasses.replace(whole, nodes=whole.nodes.assign(community=[1, 1, 2, 2]))
    part = network_panel.shown(whole, **chosen)
    assert part.customers.tolist() == customers
    assert len(part.ties) == ties


def test_the_panel_draws_anew_and_counts_what_is_left(demo):
    book = findings.Book("10-analysis-relationships", demo, Q4)
    whole = seen()
    part = network_panel.shown(whole, kinds=["partner"])
    assert network_panel.counted(book, whole, part) == "2 of 4 customers, 1 of 3 relations shown."
    chart = network_panel.drawn(book, whole, part)
    assert chart.alt.startswith("Relations between customers. Customers: 2. Partner 1.")
    assert "00000" not in chart.alt
    assert network_panel.drawn(book, whole, network_panel.shown(whole, kinds=[])) is None
    box = network_panel.panel(book, whole)
    described = [child.description for child in box.children[:3]]
    assert described == ["Kinds of relation", "Least net sales", "Community"]
    assert box.children[1].options[0] == ("CN¥0", 0.0)


def test_a_panel_without_relations_says_so(demo):
    book = findings.Book("10-analysis-relationships", demo, Q4)
    assert "nothing to explore" in network_panel.panel(book, seen(known=False)).value


def test_customers_are_masked_and_texts_from_data_end_nothing(demo):
    whole = page(demo)
    assert not re.search(r"00000[1-4]", whole)
    assert WILD not in whole
    assert "<b onclick" not in whole
    data = json.loads(re.search(r'id="data">(.*?)</script>', whole, re.DOTALL)[1])
    wild = next(kind for kind in data["kinds"] if kind["kind"] == WILD)
    assert wild["id"].startswith("kind-")
    assert {kind["id"] for kind in data["kinds"]} >= {"kind-partner", "kind-influencer"}
    assert data["nodes"]["value"] == [100.0, 200.0, 300.0, None]
    assert [data["nodes"]["sad"][at] for at in range(4)] == [0, 1, 0, 0]
    assert all(re.fullmatch(r"C-[0-9a-f]{16}", id) for id in data["nodes"]["id"])


def test_the_page_lets_nothing_run_but_its_own_scripts_and_loads_nothing(demo):
    whole = page(demo)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', whole)[1]
    assert policy.startswith(report.POLICY + "; script-src 'sha256-")
    assert policy.count("'sha256-") == 2
    assert "unsafe-inline" not in policy.split("script-src")[1]
    own = re.sub(r"<script.*?</script>", "", whole, flags=re.DOTALL)
    assert not re.search(r'\b(src|href)="(?!#|data:|report\.html)', own)
    assert not re.search(r"<[^>]*\son\w+=", own)
    assert "The Cytoscape Consortium" in whole  # its licence asks that its notice stays with it


def test_every_control_has_a_name_and_the_table_says_what_the_picture_shows(demo):
    whole = page(demo)
    for id in ("kind-partner", "kind-influencer", "least-value", "community", "search"):
        assert f'id="{id}"' in whole
        assert f'<label for="{id}">' in whole
    assert 'id="shown-count"' in whole
    assert 'aria-label="Picture of the relations between customers' in whole
    rows = re.findall(r'<button type="button" class="choose" data-at="(\d)"', whole)
    assert sorted(rows) == ["0", "1"]  # a and b influence somebody; c's kind carries nothing


@pytest.mark.parametrize(
    ("whole", "said"),
    [
        (seen(known=False), "None of 3 relations is between two different known customers"),
        (
            picture(relations.graph(None, seen().graph.nodes, Relations())),
            "Not supplied: no relations between customers",
        ),
    ],
)
def test_a_page_without_relations_says_why_and_runs_no_script(demo, whole, said):
    text = page(demo, whole)
    assert said in text
    assert "<script" not in text
    assert "script-src" not in text
    assert 'data-ready="0"' in text


def test_the_page_is_the_same_for_the_same_graph(demo):
    assert page(demo) == page(demo)
    assert Q4.as_of == date(2024, 12, 31)


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
def test_a_browser_paints_the_page_without_a_complaint_and_counts_like_the_panel(demo, tmp_path):
    path = tmp_path / "relations.html"
    # What a reader would do, and how wide the page came out on a telephone.
    chosen = "document.getElementById('kind-partner').click();"
    wide = "document.title = document.documentElement.scrollWidth + ' of ' + innerWidth;"
    script = f"addEventListener('load', () => {{ {chosen} {wide} }});"
    whole = page(demo)
    allowed = f"script-src 'sha256-{relations_page._hash(script)}' "
    path.write_text(
        whole.replace("script-src ", allowed, 1).replace("</body>", f"<script>{script}</script></body>"),
        "utf-8",
    )
    flags = (
        "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    )
    more = "--window-size=390,844 --virtual-time-budget=10000 --enable-logging=stderr --dump-dom"
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    done = subprocess.run(
        [CHROMIUM, *flags.split(), *more.split(), profile, path.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert re.search(r'<html[^>]* data-ready="\d+"', done.stdout)
    assert "CONSOLE" not in done.stderr
    part = network_panel.shown(seen(), kinds=["influencer", WILD])
    told = f"{len(part.customers)} of 4 customers, {len(part.ties)} of 3 relations shown."
    assert f">{told}</output>" in done.stdout
    width, window = map(int, re.search(r"<title>(\d+) of (\d+)</title>", done.stdout).groups())
    assert width <= window
