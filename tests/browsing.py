"""A real browser for the tests: Debian's Chromium, every request of a page recorded, faults found by axe-core."""

import os
import re
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

from runs import CRM

FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
GRAVE = ("serious", "critical")
# Contrast is dear to judge and a matter of style alone: of text that stands in elements of the same names and classes,
# from the page down, one place is judged for all.
FAULTS = """async () => {
  const faults = { resultTypes: ['violations'], rules: { 'color-contrast': { enabled: false } } };
  const found = (await axe.run(faults)).violations;
  const kinds = new Map();
  for (const e of document.body.querySelectorAll('*')) {
    const text = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
    if (!text || !e.offsetParent) continue;
    let kind = '';
    for (let up = e; up; up = up.parentElement) kind += ` ${up.tagName}.${up.className}`;
    if (!kinds.has(kind)) kinds.set(kind, e);
  }
  const contrast = { resultTypes: ['violations'], runOnly: ['color-contrast'] };
  return [...found, ...(await axe.run([...kinds.values()], contrast)).violations];
}"""
LOCAL = re.compile(r"^(data:|blob:|about:|file:|(http|ws)://127\.0\.0\.1[:/])")


def lacking() -> list[str]:
    """What a browser test needs and this machine has not."""
    from importlib.util import find_spec

    from crmlib.errors import Refused
    from crmlib.workbook import printing

    lacks = [f"the package {name}" for name in ("playwright", "axe_playwright_python") if not find_spec(name)]
    try:
        printing.browser()
    except Refused:
        lacks.append("a Chromium")
    return lacks


class Seen:
    """A page that is looked at: what it asked for and what it complained of."""

    def __init__(self, page):
        self.page, self.asked, self.complaints = page, [], []
        page.on("console", lambda said: said.type == "error" and self.complaints.append(said.text))
        page.on("pageerror", lambda problem: self.complaints.append(str(problem)))
        page.on("websocket", lambda socket: self.asked.append(socket.url))

    @property
    def outside(self) -> list[str]:
        """Requests that would have left the machine."""
        return [url for url in self.asked if not LOCAL.match(url)]

    def too_wide(self) -> list[str]:
        """What makes the page scroll sideways; nothing, if it does not."""
        return self.page.evaluate(
            """() => document.documentElement.scrollWidth <= innerWidth ? [] :
            [...document.body.querySelectorAll('*')]
              .filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll, pre'))
              .map(e => `${e.tagName}.${e.className}`).concat(['the page'])"""
        )

    def grave(self) -> list[str]:
        """What axe-core finds serious or critical, each with the first element it is about."""
        from axe_playwright_python.sync_playwright import Axe

        # The shade at the side of a table is an image, before which axe-core judges no contrast.
        self.page.add_style_tag(content=".scroll { background: none !important }")
        self.page.evaluate(Axe().axe_script)
        found = self.page.evaluate(FAULTS)
        return [
            f"{fault['id']} ({len(fault['nodes'])}): {fault['nodes'][0]['html'][:200]}"
            for fault in found
            if fault["impact"] in GRAVE
        ]


@contextmanager
def browser():
    """Chromium, started and ended."""
    from playwright.sync_api import sync_playwright

    from crmlib.workbook import printing

    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=str(printing.browser()), args=list(FLAGS))
        try:
            yield running
        finally:
            running.close()


@contextmanager
def look(running, url: str, *, width: int = 1280, height: int = 900, scheme: str = "light"):
    """The page at this address in a fresh window; what would leave the machine is stopped and recorded."""
    context = running.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    seen = Seen(page)

    def asked(route):
        seen.asked.append(route.request.url)
        route.continue_() if LOCAL.match(route.request.url) else route.abort()

    context.route("**/*", asked)
    try:
        page.goto(url)
        yield seen
    finally:
        context.close()


def picture(seen: Seen, run: Path, name: str, **how) -> Path:
    """A screenshot, kept in the run's folder and, if `CRM_SCREENSHOTS` names one, in that folder too."""
    folder = run / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.png"
    seen.page.screenshot(path=path, **how)
    kept = os.environ.get("CRM_SCREENSHOTS")
    if kept:
        Path(kept).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, kept)
    return path


def until(what, *, seconds: float = 20) -> bool:
    """Whether this comes true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.1)
    return False


@contextmanager
def jupyter(home: Path, client: str):
    """JupyterLab as `crm lab` starts it, with settings of its own; its address without a notebook."""
    own = home / "jupyter"
    folders = {
        **dict.fromkeys(("JUPYTER_CONFIG_DIR", "JUPYTERLAB_SETTINGS_DIR"), own / "config"),
        "JUPYTER_DATA_DIR": own / "data",
        "JUPYTERLAB_WORKSPACES_DIR": own / "workspaces",
        "JUPYTER_RUNTIME_DIR": own / "runtime",
        "IPYTHONDIR": own / "ipython",
        "HOME": own,
    }
    own.mkdir()
    command = [
        CRM,
        "lab",
        client,
        "--",
        "--no-browser",
        "--ServerApp.port=0",
        "--IdentityProvider.token=open",
    ]
    environment = os.environ | {name: str(folder) for name, folder in folders.items()}
    with (own / "said").open("w+b") as said:
        server = subprocess.Popen(
            list(map(str, command)),
            env=environment | {"CRM_HOME": str(home)},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
        try:
            address = re.compile(rb"http://127\.0\.0\.1:\d+/lab")
            assert until(lambda: address.search((own / "said").read_bytes()), seconds=120), _said(own)
            yield address.search((own / "said").read_bytes())[0].decode()
        finally:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def _said(own: Path) -> str:
    return "JupyterLab did not start:\n" + (own / "said").read_text("utf-8", "replace")


@contextmanager
def notebook(running, lab: str, step: str):
    """A notebook opened in JupyterLab and run from its first cell to its last."""
    with look(running, f"{lab}/tree/{step}.ipynb?token=open&reset", height=1400) as seen:
        page = seen.page
        page.set_default_timeout(120_000)
        # A cell run before the kernel is ready is forgotten.
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        assert until(lambda: _ran(page), seconds=240), f"{step} did not come to its end"
        errors = page.locator("[data-mime-type='application/vnd.jupyter.error']")
        assert errors.count() == 0, errors.first.inner_text()
        # JupyterLab ends with the last cell in sight, and drops what is far from it, the error's own cell perhaps.
        left = page.locator(".jp-InputPrompt").filter(has_text="[ ]:").count()
        assert left == 0, f"{step} stopped at an error: cells at its end never ran"
        yield seen


def _ran(page, *, still: float = 3) -> bool:
    """Whether no cell waits or runs and the kernel stays idle: between two cells it is so for a moment."""
    end = time.monotonic() + still
    while time.monotonic() < end:
        waiting = page.locator(".jp-InputPrompt").filter(has_text="[*]").count()
        if waiting or not page.get_by_text("Python 3 (ipykernel) | Idle").count():
            return False
        time.sleep(0.2)
    return True
