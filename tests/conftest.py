"""Where tests keep clients, and where the real data lies."""

import importlib.util
import os
import shutil
from pathlib import Path

import builders
import pytest

# A conftest holds no doctests; collected as modules (--doctest-modules) two of one name would clash.
collect_ignore_glob = ["conftest.py", "*/conftest.py"]
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty workbook of its own: `data/` and `reports/`, never the project's."""
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("CRM_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def acme(home):
    """A firm with three orders and a return."""
    return builders.made(home)


@pytest.fixture(scope="session")
def shared():
    """Real data beside the project; its absence is said, or refused where it is demanded."""
    folder = ROOT.parent / "shared"
    if not (folder / "data").is_dir():
        message = f"real data is not here: {folder} (see README.md of ../shared/data)"
        if os.environ.get("CRM_REQUIRE_SHARED") == "1":
            pytest.fail(message)
        pytest.skip(message)
    return folder


@pytest.fixture(scope="session")
def postgres():
    """The URL of a PostgreSQL to test with; its absence is said, or refused where one is demanded."""
    url = os.environ.get("CRM_TEST_POSTGRES")
    if not url:
        message = "no PostgreSQL to test with: CRM_TEST_POSTGRES is not set (see CONTRIBUTING.md)"
        if os.environ.get("CRM_REQUIRE_POSTGRES") == "1":
            pytest.fail(message)
        pytest.skip(message)
    return url


@pytest.fixture(scope="session")
def spark(tmp_path_factory):
    """A Spark of one thread; its absence is said, or refused where one is demanded."""
    lacks = [] if importlib.util.find_spec("pyspark") else ["pyspark, the package's extra spark"]
    lacks += [] if shutil.which("java") or os.environ.get("JAVA_HOME") else ["a Java"]
    if lacks:
        message = f"no Spark to test with: {' and '.join(lacks)} not installed (see CONTRIBUTING.md)"
        if os.environ.get("CRM_REQUIRE_SPARK") == "1":
            pytest.fail(message)
        pytest.skip(message)
    from pyspark.sql import SparkSession

    home = tmp_path_factory.mktemp("spark")
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "512m",
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.session.timeZone": "UTC",
        "spark.local.dir": str(home),
        "spark.sql.warehouse.dir": str(home),
        "spark.log.level": "ERROR",
    }
    builder = SparkSession.builder.master("local[1]").appName("facts")
    for key, value in settings.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    yield session
    session.stop()
