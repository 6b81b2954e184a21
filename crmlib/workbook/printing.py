"""A report's pages as PDF, printed by a Chromium that is on the machine; none is ever downloaded.

The browser runs without a window, under a profile of its own that is deleted, and resolves no host but the
machine itself; the page has no script and loads nothing in any case.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from crmlib.errors import Refused
from crmlib.workbook.execution import Failure
from crmlib.workbook.kernels import Kernel

CHOSEN = "CRM_CHROMIUM"  # names the browser where it lies elsewhere, or where one of several is meant
NAMES = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"),
    *("msedge", "microsoft-edge", "brave-browser"),
)
# macOS and Windows put no browser on the path of commands.
MAC = (
    "Google Chrome.app/Contents/MacOS/Google Chrome",
    "Chromium.app/Contents/MacOS/Chromium",
    "Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)
WINDOWS = (
    r"Google\Chrome\Application\chrome.exe",
    r"Chromium\Application\chrome.exe",
    r"Microsoft\Edge\Application\msedge.exe",
)
SECONDS = 180  # a page of a hundred sheets took 5 to 25 on two busy cores
GLANCE = 0.2  # seconds between looks whether the run is told to stop
QUIET = (
    *("--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--no-default-browser-check"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-extensions", "--disable-default-apps", "--disable-breakpad", "--use-mock-keychain"),
    "--host-resolver-rules=MAP * ~NOTFOUND",
)


def browser() -> Path:
    """The browser to print with; `Refused` where there is none."""
    chosen = os.environ.get(CHOSEN)
    if chosen:
        found = shutil.which(chosen)
        if not found:
            raise Refused(
                f"{CHOSEN} is {chosen!r}, which is no program that can be run. "
                "Set it to the path of a Chromium, Chrome or Edge, or unset it to have one looked for."
            )
        return Path(found)
    for place in _places():
        found = shutil.which(place)
        if found:
            return Path(found)
    raise Refused(
        "--pdf needs a Chromium, Chrome or Edge on this machine, and none was found: "
        f"looked for {', '.join(NAMES)} on PATH, and where macOS and Windows keep programs. "
        f"Install one (Debian: apt-get install chromium), or set {CHOSEN} to its path. "
        "Nothing was run; without --pdf the report is published as HTML, which prints from any browser."
    )


def _places() -> Iterator[str]:
    """Where a browser may lie, the likeliest first."""
    yield from NAMES
    for root in (Path("/Applications"), Path.home() / "Applications"):
        yield from (str(root / app) for app in MAC)
    for root in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"):
        if os.environ.get(root):
            yield from (os.environ[root] + "\\" + app for app in WINDOWS)


def printed(page: Path, program: Path, *, seconds: float = SECONDS) -> Path:
    """The page as a PDF beside it, of the same name; `Failure` where the browser wrote none."""
    target = page.with_suffix(".pdf")
    with tempfile.TemporaryDirectory(prefix="crm-print-", ignore_cleanup_errors=True) as private:
        written = Path(private) / "page.pdf"
        said = _run(_command(program, page, written, Path(private)), Path(private), seconds)
        if not written.is_file() or not written.read_bytes().startswith(b"%PDF-"):
            last = said.strip().splitlines()[-1:] or ["it said nothing"]
            raise Failure(f"{program} printed no {target.name}: {last[0]}")
        shutil.copyfile(written, target)
    return target


def _command(program: Path, page: Path, written: Path, private: Path) -> list[str]:
    return [
        str(program),
        *QUIET,
        # Root is what a container's user is, and Chromium's own walls do not stand for root.
        *(["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
        f"--user-data-dir={private / 'profile'}",
        # The page numbers are the style sheet's; the browser's own would show the file's path.
        "--no-pdf-header-footer",
        "--generate-pdf-document-outline",
        f"--print-to-pdf={written}",
        page.resolve().as_uri(),
    ]


def _run(command: list[str], private: Path, seconds: float) -> str:
    """What the browser said; it and all its helpers are gone afterwards."""
    # To a file: a helper that outlives its parent would hold a pipe open.
    with (private / "said").open("w+b") as said:
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
            )
        except OSError as problem:
            raise Failure(f"{command[0]} could not be started: {problem.strerror}") from None
        try:
            _wait(process, seconds)
        finally:
            _end(process)
        said.seek(0)
        return said.read().decode("utf-8", "replace")


def _wait(process: subprocess.Popen, seconds: float) -> None:
    """Until the browser has ended; `Failure` where it takes too long, or the run is told to stop."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and not Kernel.stopping():
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GLANCE)
            return
    why = "the run was stopped" if Kernel.stopping() else f"it had not ended after {seconds:g} seconds"
    raise Failure(f"{process.args[0]} printed no PDF: {why}")


def _end(process: subprocess.Popen) -> None:
    """The browser ended, its helpers with it where the system knows them as one group."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(OSError):  # all gone already
            os.killpg(process.pid, 9)
    elif process.poll() is None:
        process.kill()
    process.wait()
