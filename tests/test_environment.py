"""The three ways to the same packages: pyproject.toml, uv.lock, environment.yml."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import environment
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from ruamel.yaml import YAML

ROOT = environment.ROOT


@pytest.fixture(scope="module")
def pip_section() -> list[str]:
    """The pip lines of environment.yml."""
    content = YAML(typ="safe").load((ROOT / "environment.yml").read_text("utf-8"))
    sections = [part["pip"] for part in content["dependencies"] if isinstance(part, dict)]
    assert len(sections) == 1
    return sections[0]


@pytest.fixture(scope="module")
def pinned(pip_section: list[str]) -> dict[str, set[str]]:
    """Package → the versions that environment.yml pins (one for each Python where they differ)."""
    found: dict[str, set[str]] = {}
    for line in pip_section:
        if line != "-e .":
            requirement = Requirement(line)
            found.setdefault(canonicalize_name(requirement.name), set()).add(str(requirement.specifier))
    return found


def wanted() -> list[Requirement]:
    """What pyproject.toml asks for, development included."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    groups = project["dependency-groups"].values()
    return [Requirement(r) for r in [*project["project"]["dependencies"], *(r for g in groups for r in g)]]


def locked_versions() -> dict[str, set[str]]:
    """Package → the versions in uv.lock."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))
    found: dict[str, set[str]] = {}
    for package in lock["package"]:
        if "version" in package:
            found.setdefault(canonicalize_name(package["name"]), set()).add(f"=={package['version']}")
    return found


def test_conda_gets_every_package_that_pyproject_asks_for(pinned):
    for requirement in wanted():
        versions = pinned.get(canonicalize_name(requirement.name))
        assert versions, f"{requirement.name} is not in environment.yml; run make lock"
        for version in versions:
            assert requirement.specifier.contains(version.removeprefix("==")), (requirement, version)


def test_conda_gets_no_package_or_version_that_the_lock_does_not_know(pinned):
    known = locked_versions()
    strange = {name: versions - known.get(name, set()) for name, versions in pinned.items()}
    assert not {name: versions for name, versions in strange.items() if versions}


def installed() -> set[str]:
    """What the lock installs without an extra of crmlib itself: its packages, theirs, and so on."""
    packages: dict[str, list[dict]] = {}
    for package in tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))["package"]:
        packages.setdefault(package["name"], []).append(package)
    (own,) = packages["crmlib"]
    left = [*own["dependencies"], *(need for group in own["dev-dependencies"].values() for need in group)]
    seen: set[tuple[str, str]] = set()
    while left:
        need = left.pop()
        for part in {"", *need.get("extra", ())} - {extra for name, extra in seen if name == need["name"]}:
            seen.add((need["name"], part))
            for package in packages[need["name"]]:
                left += (
                    package.get("optional-dependencies", {})[part]
                    if part
                    else package.get("dependencies", [])
                )
    return {canonicalize_name(name) for name, _ in seen}


def test_conda_lacks_no_package_that_the_lock_installs(pinned):
    assert installed() == set(pinned)


def test_an_extra_is_in_the_lock_and_not_in_everybodys_environment(pinned):
    assert set(locked_versions()) - installed() == {"crmlib", "pyspark", "py4j"}


def test_conda_itself_brings_only_python_and_pip():
    content = YAML(typ="safe").load((ROOT / "environment.yml").read_text("utf-8"))
    plain = [part for part in content["dependencies"] if isinstance(part, str)]
    assert [re.split(r"[<>=]", part)[0] for part in plain] == ["python", "pip"]


def test_an_environment_built_from_the_pip_section_runs_crm(pip_section, tmp_path: Path):
    uv = next((p for p in (ROOT / ".tools/bin/uv", shutil.which("uv")) if p and Path(p).exists()), None)
    if uv is None:
        pytest.skip("uv is not here; make test brings it")
    # The editable project is installed from a copy: a test leaves nothing in the work tree.
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "crmlib"):
        item = ROOT / name
        (shutil.copytree if item.is_dir() else shutil.copy)(item, source / name)
    requirements = source / "requirements.txt"
    requirements.write_text("\n".join(pip_section) + "\n", "utf-8")
    clean = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "PYTHONPATH", "CRM_HOME")}

    def run(*command: object) -> subprocess.CompletedProcess:
        return subprocess.run(list(map(str, command)), cwd=source, env=clean, capture_output=True, text=True)

    python = tmp_path / "env" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    made = run(uv, "venv", "--quiet", "--python", sys.executable, tmp_path / "env")
    assert made.returncode == 0, made.stderr
    built = run(uv, "pip", "install", "--quiet", "--python", python, "-r", requirements)
    if built.returncode and "network" in built.stderr.lower() and not os.environ.get("CRM_REQUIRE_SHARED"):
        pytest.skip("no package registry in reach")
    assert built.returncode == 0, built.stderr
    told = run(python.parent / "crm", "--version")
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("crm, version ")
