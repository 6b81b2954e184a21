"""Where tests keep clients, and where the real data lies."""

import importlib.util
import os
import shutil
import tempfile
from pathlib import Path

import browsing
import builders
import pytest
from runs import CRM, client_of, command

# A conftest holds no doctests; collected as modules (--doctest-modules) two of one name would clash.
collect_ignore_glob = ["conftest.py", "*/conftest.py"]
ROOT = Path(__file__).resolve().parent.parent


def pytest_configure(config):
    """A folder for the demo's drawn seeds, which workers find by the environment (see `builders.demo`)."""
    if not hasattr(config, "workerinput"):
        os.environ["CRM_TEST_DEMOS"] = tempfile.mkdtemp(prefix="crm-demos-")


def pytest_unconfigure(config):
    """The seeds go when all workers have."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop("CRM_TEST_DEMOS", ""), ignore_errors=True)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """With `-n 2` the tests are shared out by module; see `sharing`."""
    import sharing  # only where pytest-xdist is in use

    return sharing.Shares(config, log)


def pytest_collection_modifyitems(config, items):
    """A worker begins with what takes longest; without workers the order stays."""
    if hasattr(config, "workerinput"):
        import sharing

        items[:] = sharing.longest_first(items)


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
def retail(tmp_path_factory, shared):
    """A home where Online Retail has been run for all of its days and for a quarter."""
    home = tmp_path_factory.mktemp("retail")
    raw = client_of(home, "online-retail") / "raw"
    (raw / "online_retail.csv.gz").symlink_to(shared / "data" / "online_retail.csv.gz")
    periods = ("--period", "2010-12-01_2011-12-09", "--period", "2011-Q3")
    done = command(home, CRM, "run", "online-retail", *periods)
    assert done.returncode == 0, done.stderr
    return home


def _demo(home):
    folder = client_of(home, "demo")
    shutil.copytree(ROOT / "data" / "demo" / "raw", folder / "raw", dirs_exist_ok=True)
    done = command(home, CRM, "run", "demo")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("reports/demo/2024-Q4/report.html")
    return home


@pytest.fixture(scope="session")
def demo_run(tmp_path_factory):
    """A home where the demo has been run as it is committed."""
    return _demo(tmp_path_factory.mktemp("first"))


@pytest.fixture(scope="session")
def twice(tmp_path_factory, demo_run):
    """Two homes in which the demo was run alike."""
    return [demo_run, _demo(tmp_path_factory.mktemp("second"))]


@pytest.fixture(scope="session")
def telco(tmp_path_factory, shared):
    """A home where Telco's five files have been run as its committed client.yml says."""
    home = tmp_path_factory.mktemp("telco")
    raw = client_of(home, "telco") / "raw"
    for file in (shared / "data" / "telco_multi").iterdir():
        (raw / file.name).symlink_to(file)
    done = command(home, CRM, "run", "telco")
    assert done.returncode == 0, done.stderr
    return home


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


@pytest.fixture(scope="session")
def chromium():
    """A real browser; its absence is said, or refused where one is demanded."""
    lacks = browsing.lacking()
    if lacks:
        message = f"no browser to test with: {' and '.join(lacks)} not installed (see CONTRIBUTING.md)"
        if os.environ.get("CRM_REQUIRE_BROWSER") == "1":
            pytest.fail(message)
        pytest.skip(message)
    with browsing.browser() as running:
        yield running
