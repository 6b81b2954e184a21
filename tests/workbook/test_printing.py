"""`crm run --pdf`: a browser is found or asked for before anything runs, and never left behind."""

import os
import stat
import time
from pathlib import Path

import browsing
import pytest
from click.testing import CliRunner

from crmlib.errors import Refused
from crmlib.period import Period
from crmlib.workbook import printing, publish, runner
from crmlib.workbook.cli import main
from crmlib.workbook.execution import Failure
from crmlib.workbook.kernels import Kernel

Q4 = Period.parse("2024-Q4")
# What Chromium does with its last two arguments, in one line of shell.
PRINTS = 'for a; do case $a in --print-to-pdf=*) printf "%%PDF-1.4 ${a##*/}" > "${a#*=}";; esac; done'
pytestmark = pytest.mark.skipif(os.name != "posix", reason="the browsers here are scripts of a shell")


def program(place, does=PRINTS):
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f"#!/bin/sh\n{does}\n", "utf-8")
    place.chmod(place.stat().st_mode | stat.S_IXUSR)
    return place


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """A machine without any browser."""
    for name in (printing.CHOSEN, "PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("HOME", str(tmp_path / "owner"))
    return tmp_path


@pytest.fixture
def page(tmp_path):
    (tmp_path / "report.html").write_text("<h1>Tiny</h1>", "utf-8")
    return tmp_path / "report.html"


def test_without_a_browser_a_pdf_is_refused_before_any_notebook_runs(home, bare, monkeypatch):
    home.client("tiny")
    ran = []
    monkeypatch.setattr(runner.execution, "execute", lambda *_: ran.append(1))
    said = CliRunner().invoke(main, ["run", "tiny", "--period", "2024-Q4", "--pdf"])
    assert (said.exit_code, ran) == (2, [])
    assert said.stderr == (
        "Error: --pdf needs a Chromium, Chrome or Edge on this machine, and none was found: looked for "
        "chromium, chromium-browser, google-chrome, google-chrome-stable, chrome, msedge, microsoft-edge, "
        "brave-browser on PATH, and where macOS and Windows keep programs. Install one (Debian: apt-get "
        "install chromium), or set CRM_CHROMIUM to its path. Nothing was run; without --pdf the report is "
        "published as HTML, which prints from any browser.\n"
    )


def test_the_tests_say_what_they_lack_for_a_browser(bare):
    assert "a Chromium" in browsing.lacking()
    program(bare / "bin" / "chromium")
    assert "a Chromium" not in browsing.lacking()


def test_a_named_browser_that_is_none_is_refused_by_its_name(bare, monkeypatch):
    monkeypatch.setenv(printing.CHOSEN, "/opt/nothing")
    with pytest.raises(Refused) as problem:
        printing.browser()
    assert str(problem.value) == (
        "CRM_CHROMIUM is '/opt/nothing', which is no program that can be run. "
        "Set it to the path of a Chromium, Chrome or Edge, or unset it to have one looked for."
    )


@pytest.mark.parametrize(
    "place",
    [
        "bin/chromium",
        "bin/google-chrome",
        "bin/msedge",
        "owner/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    ],
)
def test_a_browser_is_found_under_its_usual_names_and_places(bare, place):
    made = program(bare / place)
    assert printing.browser() == made


def test_the_named_browser_goes_before_those_found(bare, monkeypatch):
    program(bare / "bin" / "chromium")
    mine = program(bare / "elsewhere" / "my-browser")
    monkeypatch.setenv(printing.CHOSEN, str(mine))
    assert printing.browser() == mine


def test_the_browser_prints_beside_the_page_and_is_told_to_ask_nobody(page):
    told = page.parent / "told"
    path = printing.printed(
        page, program(page.parent / "chromium", f'printf "%s\\n" "$@" > {told}; {PRINTS}')
    )
    assert path == page.with_suffix(".pdf") and path.read_bytes() == b"%PDF-1.4 page.pdf"
    flags = told.read_text().splitlines()
    assert {"--headless", "--host-resolver-rules=MAP * ~NOTFOUND", "--no-pdf-header-footer"} <= set(flags)
    assert flags[-1] == page.as_uri()
    profile = next(flag.partition("=")[2] for flag in flags if flag.startswith("--user-data-dir="))
    assert not os.path.exists(os.path.dirname(profile))  # what it kept of itself is gone


@pytest.mark.parametrize(
    ("does", "said"),
    [
        ("echo first >&2; echo the profile is in use >&2; exit 1", "the profile is in use"),
        ("exit 0", "it said nothing"),
        ('for a; do case $a in --print-to-pdf=*) echo "<html>" > "${a#*=}";; esac; done', "it said nothing"),
    ],
)
def test_a_browser_that_prints_nothing_fails_the_run_with_its_own_words(page, does, said):
    script = program(page.parent / "chromium", does)
    with pytest.raises(Failure) as problem:
        printing.printed(page, script)
    assert problem.value.message == f"{script} printed no report.pdf: {said}"
    assert not page.with_suffix(".pdf").exists()


def test_a_browser_that_hangs_is_stopped_with_its_helpers(page):
    helper = page.parent / "helper"
    script = program(page.parent / "chromium", f"sleep 60 & echo $! > {helper}; sleep 60")
    with pytest.raises(Failure, match="it had not ended after 1 seconds"):
        printing.printed(page, script, seconds=1)
    assert _gone(int(helper.read_text()))


def test_a_run_that_is_stopped_stops_its_browser(page, monkeypatch):
    monkeypatch.setattr(Kernel, "stopping", lambda: True)
    with pytest.raises(Failure, match="printed no PDF: the run was stopped"):
        printing.printed(page, program(page.parent / "chromium", "sleep 60"))


def test_a_pdf_is_published_with_the_rest_and_what_fails_leaves_the_last_good_one(home):
    client = home.client("tiny")
    prints, fails = program(home.root / "prints"), program(home.root / "fails", "exit 1")
    place = publish.publish(publish.Run(client, Q4, home.hand_over(client, Q4), browser=prints))
    assert (place / "report.pdf").read_bytes() == b"%PDF-1.4 page.pdf"
    with pytest.raises(Failure, match=r"printed no report\.pdf"):
        publish.publish(publish.Run(client, Q4, home.hand_over(client, Q4), browser=fails))
    assert (place / "report.pdf").is_file() and (place / "report.html").is_file()


def test_without_the_option_no_browser_is_looked_for(home, bare):
    client = home.client("tiny")
    place = publish.publish(publish.Run(client, Q4, home.hand_over(client, Q4)))
    assert not list(place.glob("*.pdf"))


def _gone(pid):
    """Whether a process has ended; a killed one may still wait to be noticed."""
    for _ in range(50):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.1)
    return False
