"""`environment.yml` from `uv.lock`: conda brings Python and pip, pip brings the locked packages.

`make lock` writes the file with this; the test holds the file against it.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEAD = """\
# Written by `make lock` from uv.lock; change pyproject.toml, not this file.
# conda brings Python and pip; pip brings the same packages that uv locks.
name: crm
channels:
  - conda-forge
dependencies:
  - python>=3.11,<3.14
  - pip
  - pip:
"""


def locked() -> list[str]:
    """Every locked package as pip reads it, in order of name."""
    uv = next((p for p in (ROOT / ".tools/bin/uv", ROOT / ".tools/Scripts/uv.exe") if p.exists()), "uv")
    export = ["export", "--frozen", "--all-groups", "--no-emit-project"]
    plain = ["--no-hashes", "--no-annotate", "--no-header", "--format", "requirements-txt"]
    done = subprocess.run([uv, *export, *plain], cwd=ROOT, capture_output=True, text=True, check=True)
    return [line for line in done.stdout.splitlines() if re.match(r"[A-Za-z0-9]", line)]


def environment(packages: list[str]) -> str:
    """The whole file: the packages, then the project itself, so that `crm` is there."""
    return HEAD + "".join(f"      - {line}\n" for line in [*packages, "-e ."])


if __name__ == "__main__":
    sys.stdout.write(environment(locked()))
