"""What the documents say is so: commands run, paths exist, repeated sentences are the notebooks' own."""

import os
import re
import shutil
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

import documents
import pytest

ROOT = documents.ROOT
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "data/demo/*.md", "data/online-retail/*.md")
    for path in ROOT.glob(pattern)
)
COMMANDS = re.findall(r"```bash\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
ORDERS = """订单编号,客户编号,订单日期,产品名称,数量,单价
A1,007,2024-10-02,茶,2,12.50
A2,008,2024-11-03,茶,1,12.50
A3,007,2024-12-31,杯,1,30.00
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """What a stranger has after cloning: the files git knows, and nothing that was installed."""
    folder = tmp_path_factory.mktemp("clone") / "crm"
    known = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, known.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    (folder / "exports").mkdir()
    (folder / "exports" / "orders.csv").write_text(ORDERS, "utf-8")
    return folder


def said(command: str) -> list[str]:
    """Lines of the README's code that run this command, without their comments."""
    lines = [line.split("#")[0].strip() for block in COMMANDS for line in block.splitlines()]
    return [line for line in lines if line.startswith(command)]


def outside() -> dict[str, str]:
    """The environment without what this one, or a `make` around it, has put there."""
    inside = ("VIRTUAL_ENV", "CRM_HOME", "PYTHONPATH", "JPY_PARENT_PID", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    return {name: value for name, value in os.environ.items() if name not in inside}


def run(command: str, folder: Path) -> subprocess.CompletedProcess:
    """A command as a stranger types it: nothing of this environment in the way."""
    return subprocess.run(command, shell=True, cwd=folder, env=outside(), capture_output=True, text=True)


@pytest.fixture(scope="module")
def reported(checkout: Path) -> subprocess.CompletedProcess:
    """`make report`, the first thing a stranger runs."""
    assert said("make report")
    done = run("make report", checkout)
    if done.returncode and "network" in done.stderr.lower() and not os.environ.get("CRM_REQUIRE_SHARED"):
        pytest.skip("no package registry in reach")
    return done


def test_make_report_is_enough_on_a_fresh_machine_and_ends_with_the_path(checkout, reported):
    assert reported.returncode == 0, reported.stderr
    path = checkout / reported.stdout.strip().splitlines()[-1]
    assert path == checkout / "reports/demo/2024-Q4/report.html"
    assert path.stat().st_size <= 3_000_000


def test_own_data_in_the_three_commands_of_the_readme(checkout, reported):
    for command in said(".venv/bin/crm"):
        if " acme" in command:
            done = run(command, checkout)
            assert done.returncode == 0, (command, done.stderr)
    assert (checkout / "reports/acme/2024-Q4/report.html").is_file()


def test_every_other_crm_command_of_the_readme_is_a_command(checkout, reported):
    text = (ROOT / "README.md").read_text("utf-8")
    for command in sorted(set(re.findall(r"`crm (\w+)", text))):
        assert run(f".venv/bin/crm {command} --help", checkout).returncode == 0, command
    assert run(".venv/bin/crm list", checkout).stdout.startswith("acme: 2024-Q4")


def test_the_way_without_make_runs_too(checkout, reported):
    (command,) = said("uv sync")
    uv = checkout / ".tools" / "bin"
    done = run(f'PATH="{uv}:$PATH" {command}', checkout)
    assert done.returncode == 0, done.stderr
    assert ".venv/bin/crm run demo --period 2024-Q4" in said(".venv/bin/crm")


@pytest.mark.skipif(os.name == "nt", reason="make lab is for systems with make")
def test_make_lab_serves_the_working_copies(checkout, reported):
    assert said("make lab")
    process = subprocess.Popen(
        ["make", "lab"],
        cwd=checkout,
        env=outside() | {"BROWSER": "true"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        address = served(process)
        assert "JupyterLab" in answered(address)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert (checkout / "data/demo/lab/12-summary.ipynb").is_file()


def answered(address: str) -> str:
    """What a server says that has just begun to listen."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for _ in range(60):
        try:
            return direct.open(address, timeout=30).read().decode()
        except OSError:
            time.sleep(0.5)
    raise AssertionError(f"nothing answers at {address}")


def served(process: subprocess.Popen) -> str:
    """The address that JupyterLab says it serves."""
    deadline, lines = time.monotonic() + 90, []
    for line in process.stdout:
        lines.append(line)
        found = re.search(r"http://(?:127\.0\.0\.1|localhost):\d+/lab\?token=\w+", line)
        if found:
            return found[0]
        if time.monotonic() > deadline:
            break
    raise AssertionError("JupyterLab did not start:\n" + "".join(lines))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_path_a_document_links_to_exists(path: Path):
    for target in re.findall(r"\]\(([^)#\s]+)", path.read_text("utf-8")):
        if not target.startswith(("http://", "https://")):
            assert (path.parent / target).exists(), target


def test_the_readme_repeats_what_the_notebooks_found():
    text = (ROOT / "README.md").read_text("utf-8")
    assert documents.readme(text) == text, "run make demo"
    assert text.count("](notebooks/") >= 3 + 6


def test_the_readme_shows_the_figure_of_the_notebook():
    assert (ROOT / "docs/figure.png").read_bytes() == documents.figure()


def test_the_glossary_has_every_measure():
    text = (ROOT / "GLOSSARY.md").read_text("utf-8")
    assert documents.glossary(text) == text, "run make demo"
    assert "`sales.identified`" in text


def test_the_catalogue_template_has_every_text():
    assert (ROOT / "crmlib/language/messages.pot").read_bytes() == documents.messages(ROOT), "run make demo"


def test_make_help_tells_every_recipe_in_one_line():
    told = run("make help", ROOT).stdout
    recipes = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert {"report", "test", "lab", "demo", "clean"} <= set(recipes)
    assert [line.split()[0] for line in told.splitlines()] == recipes
    assert all(len(line.split()) > 3 for line in told.splitlines())
