"""Whole runs, as a user starts them: a home of its own, the command, what it published."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CRM = Path(sys.executable).parent / "crm"


def command(home: Path, *arguments: object) -> subprocess.CompletedProcess:
    """A command on this home's clients."""
    return subprocess.run(
        list(map(str, arguments)),
        env=os.environ | {"CRM_HOME": str(home)},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


def results(home: Path, client: str, period: str) -> dict:
    """What a run published."""
    return json.loads((home / "reports" / client / period / "results.json").read_text("utf-8"))


def client_of(home: Path, name: str) -> Path:
    """A client's folder in this home, with its committed configuration."""
    folder = home / "data" / name
    (folder / "raw").mkdir(parents=True)
    shutil.copy(ROOT / "data" / name / "client.yml", folder)
    return folder
