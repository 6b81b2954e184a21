"""Every KPI once more: SQL by hand over the files as they were delivered, written from the definitions.

Nothing of crmlib computes here, and no table of its making is read: the files come in as text, and `tests/second/*.sql`
cleans, counts and divides them in whole numbers. One step is no arithmetic and is taken as crmlib did it: which numbers
of the demo are one customer's is a matter of likeness. The pairs are those that `truth.json` says were planted; which of
them were found is told by the numbers that the cleaned customers still have.
"""

import datetime as dt
import json
import math
import re
from fractions import Fraction
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from python_calamine import CalamineWorkbook
from runs import ROOT, results

from crmlib.measures import measure

SQL = Path(__file__).parent / "second"
DEMO = ROOT / "data" / "demo"
pytestmark = pytest.mark.slow

# What definitions.md promises, by the first word of its ids.
SOURCES = "transactions|customers|surveys|answers|costs|applications"
PROMISED = {
    "delivered": rf"delivered\.({SOURCES})\.(rows|.+\.(sum|mean))",
    "ledger": rf"ledger\.({SOURCES})\.(rows|money)_(in|kept|merged|quarantined)",
    "sales": r"sales\.(all|identified|returns|net)|sales\.identified\.(region|product_group|channel|customer_type)\..+",
    "customers": r"customers\.(active|new|total|one_order)",
    "rfm": r"rfm\.(recency|frequency|monetary)\.mean",
    "orders": r"orders\.(count|mean)",
    "retention": r"retention\.rate",
    "repurchase": r"repurchase\.rate",
    "churn": r"churn\.(rate|customers)",
    "satisfaction": r"satisfaction\.(mean|product|service|after_sales|brand)(\.raw)?",
    "nps": r"nps\.score",
    "cac": r"cac\.amount",
    "finance": r"finance\.success_rate",
    "profit": r"profit\.(amount|margin)",
    "tier": r"tier\.(high|medium|low)\.(customers|share)",
    "change": r"change\.sales\.identified\.(volume|mix|rate|new|lost|residual)",
}
ASKED_FOR = ("satisfaction", "nps", "cac", "finance", "profit")  # Online Retail supplies nothing of these
WHOLE, QUARTER, DEMO_QUARTER = "online-retail whole", "online-retail 2011-Q3", "demo 2024-Q4"
# first and last day of the period and of the one before: of two dates, as many days just before
SPANS = {
    WHOLE: ("2010-12-01", "2011-12-09", "2009-11-22", "2010-11-30"),
    QUARTER: ("2011-07-01", "2011-09-30", "2011-04-01", "2011-06-30"),
    DEMO_QUARTER: ("2024-10-01", "2024-12-31", "2024-07-01", "2024-09-30"),
}


def known(id: str) -> bool:
    """Whether crmlib has such a measure at all."""
    try:
        return bool(measure(id))
    except KeyError:
        return False


def families(run: str) -> list[str]:
    """The promised families that a client's files can tell of and crmlib knows."""
    lacking = {WHOLE: (*ASKED_FOR, "change"), QUARTER: ASKED_FOR}.get(run, ())
    unknown = {
        name for name, id in {"cac": "cac.amount", "finance": "finance.success_rate"}.items() if not known(id)
    }
    return [name for name in PROMISED if name not in lacking and name not in unknown]


def opened(**tables: pd.DataFrame) -> duckdb.DuckDBPyConnection:
    """A database with these tables, every cell text."""
    engine = duckdb.connect(config={"threads": 1})
    for name, table in tables.items():
        engine.register("given", table)
        engine.execute(f"CREATE TABLE {name} AS FROM given")
    return engine


def told(engine: duckdb.DuckDBPyConnection, run: str, unit: int, *scripts: str) -> duckdb.DuckDBPyConnection:
    """The database after the scripts, for the days of a run."""
    days = ", ".join(f"DATE '{day}'" for day in SPANS[run])
    names = "first, last, first_before, last_before, unit"
    engine.execute(f"CREATE TABLE span AS SELECT * FROM (VALUES ({days}, {unit}::HUGEINT)) one ({names})")
    for script in scripts:
        engine.execute((SQL / f"{script}.sql").read_text("utf-8"))
    return engine


def numbers(
    engine: duckdb.DuckDBPyConnection, source: str, table: str, personal: tuple = (), only: str = "true"
) -> None:
    """Adds `delivered.…` of a table to `figure`: every row, and the columns of which nine in ten cells are numbers.

    Parameters
    ----------
    personal : columns that name people
    only : which rows are records; a line of totals would count all others twice
    """
    ((rows,),) = engine.execute(f"SELECT count(*) FROM {table}").fetchall()
    engine.execute("INSERT INTO figure VALUES (?, ?, 1, NULL)", [f"delivered.{source}.rows", rows])
    for column in engine.table(table).columns:
        cells = f"SELECT nullif(\"{column}\", '') AS cell FROM {table} WHERE {only}"
        filled, found, total = engine.execute(
            "SELECT count(cell), count(number), CAST(sum(number) * 1000000 AS HUGEINT) FROM "
            f"(SELECT cell, TRY_CAST(cell AS DECIMAL(28, 6)) AS number FROM ({cells}))"
        ).fetchall()[0]
        if column not in personal and found >= 0.9 * filled:
            sums = (("sum", total, 10**6, found), ("mean", total, 10**6 * found, found))
            for what, *parts in sums:
                engine.execute(
                    "INSERT INTO figure VALUES (?, ?, ?, ?)", [f"delivered.{source}.{column}.{what}", *parts]
                )


def online_retail(shared: Path, run: str) -> duckdb.DuckDBPyConnection:
    engine = opened()
    engine.execute(
        f"CREATE TABLE raw AS FROM read_csv('{shared}/data/online_retail.csv.gz', all_varchar = true, header = true,"
        " delim = ',', quote = '\"', escape = '\"', nullstr = '\\N')"
    )
    told(engine, run, 1000, "retail", "measures", "change", "tiers")
    numbers(engine, "transactions", "raw", personal=("CustomerID",))
    return engine


def cell(value: object) -> str:
    """A cell of a workbook as text."""
    if isinstance(value, dt.date):
        return value.isoformat()[:10]
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def sheet(path: Path, name: str, header: int) -> pd.DataFrame:
    """A sheet as text; of two header rows the lower names the column unless it is empty."""
    rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_name(name).to_python(skip_empty_area=False)
    upper, lower = rows[header - 1], rows[header]
    headers = [below or above for above, below in zip(upper, lower, strict=True)]
    return pd.DataFrame(
        [[cell(value) for value in row] for row in rows[header + 1 :]], columns=headers, dtype="str"
    )


def one_customers(found: Path) -> pd.DataFrame:
    """Which number stands for which: number, kept; the planted pairs of which one number is left."""
    planted = json.loads((DEMO / "truth.json").read_text("utf-8"))["defects"]["customers"]["second_numbers"]
    left = set(pd.read_parquet(found, columns=["customer_id"])["customer_id"])
    pairs = [(a, b) if b in left else (b, a) for a, b in zip(planted["ids"], planted["of"], strict=True)]
    return pd.DataFrame([pair for pair in pairs if not left.issuperset(pair)], columns=["number", "kept"])


def demo(home: Path, run: str) -> duckdb.DuckDBPyConnection:
    def text(file: str, encoding: str = "utf-8", sep: str = ",") -> pd.DataFrame:
        return pd.read_csv(
            DEMO / "raw" / file, dtype="str", keep_default_na=False, encoding=encoding, sep=sep
        )

    engine = opened(
        orders=sheet(DEMO / "raw" / "orders.xlsx", "业务明细", header=4),
        customers=text("customers.csv", "gb18030"),
        survey=text("satisfaction.csv"),
        costs=text("costs.csv", "gb18030"),
        applications=text("applications.csv", sep=";"),
        same=one_customers(home / "data/demo/built/delivery/customers.parquet"),
    )
    told(engine, run, 100, "demo", "measures", "surveys", "firm", "change", "tiers")
    numbers(engine, "transactions", "orders", personal=("客户编号",), only="单据号 NOT IN ('小计', '合计')")
    numbers(engine, "customers", "customers", personal=("客户编号", "客户名称", "联系电话"))
    numbers(engine, "surveys", "survey", personal=("respondent",))
    numbers(engine, "costs", "costs", personal=("客户编号",), only="日期 <> '合计'")
    numbers(engine, "applications", "applications", personal=("客户编号",))
    return engine


@pytest.fixture(scope="module")
def second(request, shared):
    """The database of a run by its name, each made once; the runs themselves are those of `test_runs`."""
    made: dict[str, duckdb.DuckDBPyConnection] = {}

    def of(run: str) -> duckdb.DuckDBPyConnection:
        if run not in made and run == DEMO_QUARTER:
            made[run] = demo(request.getfixturevalue("demo_run"), run)
        elif run not in made:
            made[run] = online_retail(shared, run)
        return made[run]

    return of


@pytest.fixture(scope="module")
def home(request):
    """Where a run was published: home, client, period."""

    def of(run: str) -> tuple[Path, str, str]:
        client, period = run.split()
        period = "2010-12-01_2011-12-09" if run == WHOLE else period
        return (
            (request.getfixturevalue("demo_run") if client == "demo" else request.getfixturevalue("retail")),
            client,
            period,
        )

    return of


def agree(published: dict, numerator: int, denominator: int, n: int | None) -> bool:
    """Whether a figure is this fraction: to its last decimal where that ends, else as near as a float comes."""
    value = Fraction(numerator, denominator)
    ends = denominator in (1, 100, 1000)
    same = (
        Fraction(str(published["value"])) == value
        if ends
        else math.isclose(published["value"], value, rel_tol=1e-12, abs_tol=0)
    )
    return same and n in (None, published["n"])


@pytest.mark.parametrize(
    ("run", "family"),
    [(run, family) for run in SPANS for family in families(run)],
    ids=lambda part: part.replace(" ", "_"),
)
def test_a_figure_is_what_sql_over_the_delivered_files_says(run, family, second, home):
    mine = {
        id: (num, den, n)
        for id, num, den, n in second(run).sql("FROM figure").fetchall()
        if re.fullmatch(PROMISED[family], id)
    }
    published = {
        id: figure for id, figure in results(*home(run)).items() if re.fullmatch(PROMISED[family], id)
    }
    assert mine
    # What has nothing to be divided by is not to be had, in either.
    had = {id: parts for id, parts in mine.items() if parts[1]}
    assert set(had) == {id for id, figure in published.items() if figure["value"] is not None}
    apart = {id: (parts, published[id]) for id, parts in had.items() if not agree(published[id], *parts)}
    assert apart == {}


@pytest.mark.parametrize("run", SPANS)
def test_every_customers_tier_and_behaviour_is_what_sql_says(run, second, home):
    folder, client, period = home(run)
    columns = ["customer_id", "behaviour", "behaviour_fixed", "tier"]
    built = pd.read_parquet(folder / "data" / client / "built" / period / "classes.parquet", columns=columns)
    mine = second(run).sql(
        "SELECT customer, behaviour, fixed, tier FROM behaviour JOIN span ON as_of = last JOIN tier USING (customer)"
    )
    assert set(mine.fetchall()) == set(built.itertuples(index=False, name=None))


@pytest.mark.parametrize("run", (QUARTER, DEMO_QUARTER))
def test_the_parts_of_every_change_add_up_to_it(run, home):
    found = results(*home(run))
    changed = {
        id.removesuffix(".residual")[len("change.") :]
        for id in found
        if re.fullmatch(r"change\..+\.residual", id)
    }
    assert "sales.identified" in changed
    for id in changed:
        parts = [figure["value"] for name, figure in found.items() if name.startswith(f"change.{id}.")]
        if None in parts:
            continue
        assert found[f"change.{id}.residual"]["value"] == 0
        assert sum(parts) == pytest.approx(found[id]["value"] - found[id]["previous"], rel=1e-9, abs=1e-9), id


# ../shared/golden.md and the issue; quarters of 2011, the last up to 9 December.
QUARTERS = [(1608267990, 1776), (1805775531, 1991), (2193704143, 2161), (2709038500, 2560)]


def test_the_quarters_of_2011_are_those_published(second):
    quarters = second(QUARTER).sql(
        "SELECT CAST(sum(amount) AS BIGINT), count(DISTINCT customer) FROM sold WHERE year(day) = 2011"
        " GROUP BY quarter(day) ORDER BY quarter(day)"
    )
    assert quarters.fetchall() == QUARTERS


def test_telcos_snapshot_is_what_sql_over_its_files_says(shared, telco):
    files = shared / "data" / "telco_multi"
    (book,) = files.glob("*status*.xlsx")
    rows = CalamineWorkbook.from_path(str(book)).get_sheet_by_index(0).to_python()
    engine = opened(
        status=pd.DataFrame([[cell(v) for v in row] for row in rows[1:]], columns=rows[0], dtype="str")
    )
    churned, score, n = engine.execute(
        'SELECT count(*) FILTER ("Churn Label" = \'Yes\'), sum(CAST("Satisfaction Score" AS INTEGER)), count(*) FROM status'
    ).fetchall()[0]
    (services,) = files.glob("*services*")
    (revenue,) = engine.execute(
        f"SELECT CAST(100 * sum(CAST(\"Total Revenue\" AS DECIMAL(18, 2))) AS HUGEINT) FROM read_csv('{services}', all_varchar = true)"
    ).fetchall()[0]
    assert (churned, round(score / n, 4), revenue) == (1869, 3.2449, 2137113169)
    found = results(telco, "telco", "2019-Q3")
    assert agree(found["churn.customers"], churned, 1, n)
    assert agree(found["satisfaction.mean.raw"], score, n, n)
    # Scores from 1 to 5 as 0 to 100.
    assert agree(found["satisfaction.mean"], 100 * (score - n), 4 * n, n)
    assert agree(found["totals.spend"], revenue, 100, n)


def test_no_id_of_the_definitions_is_left_out(shared):
    text = (shared / "definitions.md").read_text("utf-8")
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    assert {re.match(r" `(\w+)\.", row)[1] for row in rows} == set(PROMISED)
