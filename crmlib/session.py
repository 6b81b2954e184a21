"""What a notebook ran on: versions, and the fingerprint of the data it read."""

import hashlib
import platform
from importlib.metadata import version

from crmlib.client import Client

PACKAGES = ("crmlib", "duckdb", "matplotlib", "narwhals", "numpy", "pandas", "pyarrow", "seaborn")


def session(client: Client) -> dict[str, str]:
    """Versions, and one fingerprint over the delivery's tables (their names and contents)."""
    whole = hashlib.sha256()
    for mark in sorted(client.delivery.glob("**/*.sha256")):
        whole.update(f"{mark.stem}:{mark.read_text()}\n".encode())
    versions = {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}
    return versions | {"delivery": whole.hexdigest()[:16]}
