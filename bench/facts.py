"""How dear are facts, cohorts and monthly states, beside hand-written SQL and beside pandas?

Every way reads the same Parquet file in the columns of `tables.TRANSACTIONS` and answers the same
three questions, each in a process of its own; the answers must agree before a ratio is told.
`bench/facts.py 100000000` measures ours alone on so many lines.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from crmlib import tables
from crmlib.classification import cohorts, facts
from crmlib.rules import BehaviourRule

FIRST, DAYS = 18_993, 1096  # 2022-01-01, three years
AS_OF, RULE = FIRST + DAYS - 1, BehaviourRule()
# Five lines an order, twenty orders a customer, one line in five nobody's, one in fifty a return. A number's
# bits are mixed by hash(), so that the same lines come out however many threads make them.
LINES = """
WITH drawn AS (SELECT i, i // 5 AS o, hash(i) AS h, hash(i // 5 + 1000000007) AS g FROM range({rows}) AS t(i)),
dated AS (SELECT *, CAST({first} + g % {days} AS INTEGER) AS d, (g >> 20) % {customers} AS c,
  h % 4000 AS p, (h >> 24) % 50 = 0 AS back, 1 + (h >> 32) % 24 AS pieces FROM drawn)
SELECT i AS line_id, CASE WHEN (g >> 40) % 5 > 0 THEN CAST(10000 + c AS VARCHAR) END AS customer_id,
  (g >> 40) % 5 > 0 AS known, CAST(500000 + o AS VARCHAR) AS order_id,
  CAST(DATE '1970-01-01' + d AS TIMESTAMP_S) AS ordered_at, d AS order_day,
  CAST(year(DATE '1970-01-01' + d) * 12 + month(DATE '1970-01-01' + d) - 1 AS INTEGER) AS order_month,
  CAST(20000 + p AS VARCHAR) AS product_id, 'ARTICLE, KIND ' || p AS product, 'GROUP ' || p % 40 AS product_group,
  NULL::VARCHAR AS channel, NULL::VARCHAR AS region,
  CAST(CASE WHEN back THEN -1 ELSE 1 END * pieces::BIGINT AS DOUBLE) AS quantity, CAST(5 + p % 977 AS BIGINT) AS price,
  CASE WHEN back THEN -1 ELSE 1 END * pieces::BIGINT * (5 + p % 977)::BIGINT AS amount,
  CAST(pieces * (5 + p % 977) // 4 AS BIGINT) AS profit,
  CASE WHEN (h >> 44) % 3 > 0 THEN ((h >> 48) % 4) / 10 END AS discount,
  CASE WHEN back THEN 'return' ELSE 'sale' END AS kind,
  CASE WHEN back THEN -1 * pieces::BIGINT * (5 + p % 977)::BIGINT ELSE 0 END AS returned,
  '' AS flags, 'orders.csv' AS source_file, i + 2 AS source_row
FROM dated
"""
SQL_FACTS = """
WITH lines AS (FROM read_parquet('{path}') WHERE known AND order_day <= {as_of}),
orders AS (
  SELECT customer_id, order_id, min(order_day) FILTER (kind = 'sale') AS d, min(order_month) FILTER (kind = 'sale') AS m,
    sum(amount) FILTER (kind = 'sale') AS gross, sum(quantity) FILTER (kind = 'sale') AS items,
    sum(returned) AS returned, sum(profit) AS profit, sum(amount) FILTER (profit IS NOT NULL) AS profit_on,
    sum(amount) FILTER (kind = 'sale' AND discount > 0) AS discounted,
    sum(amount) FILTER (kind = 'sale' AND discount IS NOT NULL) AS discount_on
  FROM lines GROUP BY ALL),
customers AS (
  SELECT customer_id, min(d) AS first_day, max(d) AS last_day, count(d) AS orders, sum(items) AS items,
    sum(gross) AS gross, sum(returned) AS returned, sum(profit) AS profit, sum(profit_on) AS profit_on,
    sum(discounted) / sum(discount_on) AS discount_share,
    greatest(sum(gross) FILTER (m % 12 < 3), sum(gross) FILTER (m % 12 BETWEEN 3 AND 5),
      sum(gross) FILTER (m % 12 BETWEEN 6 AND 8), sum(gross) FILTER (m % 12 > 8)) / sum(gross) AS peak
  FROM orders GROUP BY customer_id HAVING count(d) > 0),
gaps AS (
  SELECT customer_id, count(*) AS order_days, stddev_samp(gap) AS gap_spread FROM (
    SELECT customer_id, d - lag(d) OVER (PARTITION BY customer_id ORDER BY d) AS gap
    FROM (SELECT DISTINCT customer_id, d FROM orders WHERE d IS NOT NULL)) GROUP BY customer_id),
wide AS (
  SELECT customer_id, count(*) AS products FROM (
    SELECT DISTINCT customer_id, coalesce(product_id, product) AS p FROM lines WHERE kind = 'sale')
  WHERE p IS NOT NULL GROUP BY customer_id),
groups AS (
  SELECT customer_id, count(DISTINCT product_group) AS product_groups FROM lines WHERE kind = 'sale' GROUP BY customer_id)
SELECT customers.*, order_days, gap_spread, products, product_groups, {as_of} - last_day AS recency_days,
  {as_of} - first_day AS tenure_days, (last_day - first_day) / nullif(order_days - 1, 0) AS gap_days
FROM customers JOIN gaps USING (customer_id) LEFT JOIN wide USING (customer_id) LEFT JOIN groups USING (customer_id)
ORDER BY customer_id
"""
SQL_BOUGHT = """
WITH bought AS (
  SELECT customer_id, order_id, min(order_day) AS d, min(order_month) AS m, sum(amount) AS gross
  FROM read_parquet('{path}') WHERE known AND order_day <= {as_of} AND kind = 'sale' GROUP BY ALL),
months AS (
  SELECT customer_id, m, min(d) AS came, max(d) AS last, sum(gross) AS gross FROM bought GROUP BY ALL),
"""
SQL_COHORTS = (
    SQL_BOUGHT
    + """
begun AS (SELECT *, min(m) OVER (PARTITION BY customer_id) AS cohort FROM months)
SELECT cohort, m - cohort AS since, count(*) AS customers, CAST(sum(gross) AS BIGINT) AS gross
FROM begun GROUP BY ALL ORDER BY ALL
"""
)
SQL_STATES = (
    SQL_BOUGHT
    + """
ends AS (
  SELECT DISTINCT m AS month, least({as_of}, last_day(make_date(m // 12, m % 12 + 1, 1)) - DATE '1970-01-01') AS last_day
  FROM months),
near AS (
  SELECT *, lag(last) OVER of_one AS before, lead(m) OVER of_one AS next FROM months
  WINDOW of_one AS (PARTITION BY customer_id ORDER BY m)),
active AS (
  SELECT m AS month, count(*) FILTER (before IS NULL) AS new, count(*) FILTER (came - before <= {active}) AS "returning",
    count(*) FILTER (came - before > {active}) AS reactivated FROM near GROUP BY m),
silences AS (SELECT m, last, next, count(*) AS n FROM near GROUP BY ALL),
silent AS (
  SELECT month, sum(n) FILTER (last_day - last <= {active}) AS quiet,
    sum(n) FILTER (last_day - last > {active} AND last_day - last <= {dormant}) AS dormant,
    sum(n) FILTER (last_day - last > {dormant}) AS churned
  FROM ends JOIN silences ON month > m AND (next IS NULL OR month < next) GROUP BY month)
SELECT month, new, "returning", reactivated, coalesce(quiet, 0) AS quiet, coalesce(dormant, 0) AS dormant,
  coalesce(churned, 0) AS churned
FROM active LEFT JOIN silent USING (month) ORDER BY month
"""
)
COLUMNS = ["customer_id", "order_id", "order_day", "order_month", "product_id", "product", "product_group"]
COLUMNS += ["quantity", "amount", "profit", "discount", "kind", "returned"]


def of_pandas(path: str, columns: list[str]) -> pd.DataFrame:
    """Lines of known customers by `AS_OF`, in memory."""
    asked = [("known", "==", True), ("order_day", "<=", AS_OF)]
    return pd.read_parquet(path, columns=columns, filters=asked)


def pandas_facts(path: str) -> pd.DataFrame:
    """Facts as an analyst writes them with pandas."""
    lines = of_pandas(path, COLUMNS)
    sold = lines[lines["kind"] == "sale"]
    orders = sold.groupby(["customer_id", "order_id"], as_index=False).agg(
        d=("order_day", "min"), m=("order_month", "min"), gross=("amount", "sum"), items=("quantity", "sum")
    )
    rows = orders.groupby("customer_id").agg(
        first_day=("d", "min"),
        last_day=("d", "max"),
        orders=("d", "size"),
        gross=("gross", "sum"),
        items=("items", "sum"),
    )
    rows[["returned", "profit"]] = lines.groupby("customer_id")[["returned", "profit"]].sum()
    told = sold[sold["discount"].notna()]
    discounted = told[told["discount"] > 0].groupby("customer_id")["amount"].sum()
    rows["discount_share"] = (
        discounted.reindex(rows.index).fillna(0) / told.groupby("customer_id")["amount"].sum()
    )
    days = orders[["customer_id", "d"]].drop_duplicates().sort_values(["customer_id", "d"])
    gaps = days.assign(gap=days.groupby("customer_id")["d"].diff()).groupby("customer_id")["gap"]
    rows["order_days"], rows["gap_spread"] = gaps.size(), gaps.std()
    rows["gap_days"] = (rows["last_day"] - rows["first_day"]) / (rows["order_days"] - 1).where(
        rows["order_days"] > 1
    )
    quarters = orders.assign(q=orders["m"] % 12 // 3).groupby(["customer_id", "q"])["gross"].sum()
    rows["peak"] = quarters.groupby("customer_id").max() / rows["gross"]
    named = sold.assign(p=sold["product_id"].fillna(sold["product"]))
    rows["products"] = named.groupby("customer_id")["p"].nunique()
    rows["product_groups"] = sold.groupby("customer_id")["product_group"].nunique()
    return rows.assign(
        recency_days=AS_OF - rows["last_day"], tenure_days=AS_OF - rows["first_day"]
    ).reset_index()


def pandas_months(path: str) -> pd.DataFrame:
    """Each customer's months with an order."""
    lines = of_pandas(path, ["customer_id", "order_id", "order_day", "order_month", "amount", "kind"])
    orders = lines[lines["kind"] == "sale"].groupby(["customer_id", "order_id"], as_index=False)
    bought = orders.agg(d=("order_day", "min"), m=("order_month", "min"), gross=("amount", "sum"))
    months = bought.groupby(["customer_id", "m"], as_index=False)
    return months.agg(came=("d", "min"), last=("d", "max"), gross=("gross", "sum"))


def pandas_cohorts(path: str) -> pd.DataFrame:
    """Cohorts by month with pandas."""
    months = pandas_months(path)
    months["cohort"] = months.groupby("customer_id")["m"].transform("min")
    months["since"] = months["m"] - months["cohort"]
    return months.groupby(["cohort", "since"], as_index=False).agg(
        customers=("m", "size"), gross=("gross", "sum")
    )


def pandas_states(path: str) -> pd.DataFrame:
    """Monthly states with pandas, month by month."""
    months = pandas_months(path).sort_values(["customer_id", "m"])
    months["before"] = months.groupby("customer_id")["last"].shift()
    found = []
    for month in range(months["m"].min(), months["m"].max() + 1):
        end = int(pd.Timestamp(month // 12, month % 12 + 1, 1).days_in_month)
        end += (pd.Timestamp(month // 12, month % 12 + 1, 1) - pd.Timestamp(0)).days - 1
        seen = months[months["m"] <= month].drop_duplicates("customer_id", keep="last")
        now, silence = seen["m"] == month, min(end, AS_OF) - seen["last"]
        back = seen["came"] - seen["before"]
        parts = [
            now & seen["before"].isna(),
            now & (back <= RULE.active_days),
            now & (back > RULE.active_days),
        ]
        parts += [~now & (silence <= RULE.active_days)]
        parts += [~now & (silence > RULE.active_days) & (silence <= RULE.dormant_days)]
        parts += [~now & (silence > RULE.dormant_days)]
        found.append([month, *(int(part.sum()) for part in parts)])
    return pd.DataFrame(found, columns=["month", *cohorts.STATES])


def asked_of_duckdb(query: str, path: str) -> pd.DataFrame:
    """The answer to hand-written SQL, under the same limits as ours."""
    said = {"path": path, "as_of": AS_OF, "active": RULE.active_days, "dormant": RULE.dormant_days}
    return tables.engine().sql(query.format(**said)).df()


def ours(path: str) -> duckdb.DuckDBPyRelation:
    """The lines as the chain hands them to classification."""
    return tables.engine().read_parquet(path)


WAYS = {
    "ours": {
        "facts": lambda path: facts.facts(ours(path), as_of=AS_OF),
        "cohorts": lambda path: cohorts.cohorts(ours(path), as_of=AS_OF),
        "states": lambda path: cohorts.monthly_states(ours(path), as_of=AS_OF, rule=RULE),
    },
    "sql": {
        "facts": lambda path: asked_of_duckdb(SQL_FACTS, path),
        "cohorts": lambda path: asked_of_duckdb(SQL_COHORTS, path),
        "states": lambda path: asked_of_duckdb(SQL_STATES, path),
    },
    "pandas": {"facts": pandas_facts, "cohorts": pandas_cohorts, "states": pandas_states},
}


def mark(question: str, answer: pd.DataFrame) -> list[float]:
    """What the answers of all ways must agree in."""
    if question == "facts":
        whole = ["orders", "order_days", "items", "gross", "returned", "profit", "products", "product_groups"]
        parts = ["recency_days", "tenure_days", "gap_days", "gap_spread", "discount_share"]
        return [len(answer), *(float(answer[column].astype(float).sum()) for column in [*whole, *parts])]
    columns = {"cohorts": ["customers", "gross"], "states": list(cohorts.STATES)}[question]
    return [float(answer[column].sum()) for column in columns]


def measured(way: str, path: str) -> dict:
    """What one way answers in this process, and its cost: seconds of CPU and by the clock, the most memory."""
    told = {}
    for question, answer in WAYS[way].items():
        cpu, clock = time.process_time(), time.perf_counter()
        mine = mark(question, answer(path))
        told[question] = {
            "cpu": time.process_time() - cpu,
            "wall": time.perf_counter() - clock,
            "mark": mine,
        }
    told["bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return told


def written(path: Path, rows: int) -> Path:
    """Order lines in the columns of `tables.TRANSACTIONS`."""
    said = {"rows": rows, "first": FIRST, "days": DAYS, "customers": rows // 100}
    query = LINES.format(**said)
    tables.engine().execute(f"COPY ({query}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
    return path


def run(way: str, path: Path) -> dict:
    """The same in a process of its own."""
    command = [sys.executable, __file__, "--one", way, str(path)]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    return json.loads(subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout)


def compared(path: Path, rounds: int = 3) -> None:
    """All ways in turn, several times; the best of each is told."""
    found = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way in WAYS:
            found[way].append(run(way, path))
    for question in WAYS["ours"]:
        marks = [told[question]["mark"] for way in WAYS for told in found[way]]
        if any(not np.allclose(one, marks[0], rtol=1e-10, atol=0) for one in marks):
            raise SystemExit(f"{question}: the answers differ: {marks}")
    for what, name in (("cpu", "s CPU"), ("wall", "s")):
        best = {way: {q: min(told[q][what] for told in found[way]) for q in WAYS[way]} for way in WAYS}
        for question in [*WAYS["ours"], "all"]:
            mine, sql, frames = (
                sum(best[way].values()) if question == "all" else best[way][question] for way in WAYS
            )
            print(
                f"{question}: ours {mine:.2f} {name} = {mine / sql:.2f} × hand-written SQL {sql:.2f} (at most 1.5); "
                f"pandas {frames:.2f} = {frames / mine:.1f} × ours (at least 2)"
            )
    for way in WAYS:
        print(f"{way}: {max(told['bytes'] for told in found[way]) / 1e9:.2f} GB at most")


def main() -> None:
    """Ten million lines three ways, or so many lines ours alone."""
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measured(*sys.argv[2:4])))
        return
    rows = int(sys.argv[1]) if sys.argv[1:] else 10_000_000
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder, "lines.parquet"), rows)
        print(f"{rows:,} order lines, {path.stat().st_size / 1e9:.2f} GB of Parquet")
        if rows <= 10_000_000:
            compared(path)
            return
        told = run("ours", path)
        for question in WAYS["ours"]:
            print(f"{question}: {told[question]['cpu']:.1f} s CPU, {told[question]['wall']:.1f} s")
        print(f"ours: {told['bytes'] / 1e9:.2f} GB at most (limit 4 GB)")


if __name__ == "__main__":
    main()
