"""Who stands under several numbers: precision, recall and F1 on Febrl's files and on the demo's clients.

Beside the workbook's own search stands a naive peer in the same run: rows whose normal forms of name and
telephone (Febrl: names and date of birth) are both equal. Run it as `python bench/same_person.py`.
"""

import importlib.util
import sys
import time
from itertools import combinations
from pathlib import Path

import pandas as pd

from crmlib import client as clients
from crmlib.cleaning import customers, likeness, same_person
from crmlib.cleaning.normal import country
from crmlib.collection import sources

ROOT = Path(__file__).resolve().parent.parent
FEBRL = {
    "given_name": "name",
    "surname": "name",
    "street_number": "number",
    "address_1": "place",
    "address_2": "place",
    "suburb": "place",
    "postcode": "number",
    "state": "word",
    "date_of_birth": "date",
    "soc_sec_id": "id",
}
FEBRL_BLOCKS = [
    *(("soc_sec_id",), ("date_of_birth",), ("given_name", "surname"), ("surname", "postcode")),
    *(("given_name", "suburb"), ("street_number", "address_1")),
]
MERGE_FROM = 0.99
SEEDS = range(20)


def pairs_of(numbers: pd.Series) -> set[tuple[str, str]]:
    """Pairs of the index that share a value."""
    groups = numbers.dropna().groupby(numbers.dropna()).groups.values()
    return {pair for group in groups for pair in combinations(sorted(group), 2)}


def scores(found: set, true: set) -> tuple[float, float, float]:
    """Precision, recall and F1."""
    right = len(found & true)
    return right / max(len(found), 1), right / len(true), 2 * right / (len(found) + len(true))


def febrl(path: Path) -> dict[str, tuple[float, float, float]]:
    """Scores on one of Febrl's files, of the workbook and of the naive peer."""
    rows = pd.read_csv(path, dtype=str, keep_default_na=False, skipinitialspace=True)
    rows = rows.rename(columns=str.strip).replace("", None)
    whose = rows["rec_id"].str.extract(r"rec-(\d+)-")[0].set_axis(rows["rec_id"])
    found = likeness.pairs(rows, FEBRL, key="rec_id", blocks=FEBRL_BLOCKS)
    likely = found[found["probability"] >= MERGE_FROM]
    joined = same_person.connected(likely)
    groups = pd.Series({number: at for at, group in enumerate(joined) for number in group})
    plain = rows[["given_name", "surname", "date_of_birth"]].astype("string")
    naive = plain.iloc[:, 0].str.cat(plain.iloc[:, 1:], sep="|").set_axis(rows["rec_id"])
    true = pairs_of(whose)
    return {"workbook": scores(pairs_of(groups), true), "naive": scores(pairs_of(naive), true)}


def demo(seed: int) -> dict[str, tuple[float, float, float]]:
    """The same on the demo's client of one seed."""
    delivered, truth = maker().tables(seed)
    client = clients.load("demo")
    rows = sources.from_text("customers", delivered["customers"])
    found = customers.customers(rows, client).matches
    table = same_person.forms(
        delivered["customers"].drop_duplicates("客户编号").rename(columns=columns(client)),
        country(client.timezone, client.currency),
    ).set_index("customer_id")
    planted = truth["defects"]["customers"]["second_numbers"]
    whose = dict(zip(planted["ids"], planted["of"], strict=True))
    true = pairs_of(pd.Series(whose | {first: first for first in whose.values()}))
    groups = pd.Series({number: kept for kept, group in found.groups.items() for number in group})
    naive = table["name"].str.cat(table["contact"], sep="|")
    return {"workbook": scores(pairs_of(groups), true), "naive": scores(pairs_of(naive), true)}


def columns(client: clients.Client) -> dict[str, str]:
    """Header → our column, of the client's customer table."""
    return {header: column for column, header in client.tables.customers.columns.items()}


def maker():
    """The demo's own script."""
    if "make_demo" not in sys.modules:
        spec = importlib.util.spec_from_file_location("make_demo", ROOT / "data" / "demo" / "make_demo.py")
        sys.modules["make_demo"] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules["make_demo"]


def line(what: str, who: str, found: tuple[float, float, float], note: str = "") -> str:
    """One line of the bench."""
    precision, recall, f1 = found
    return f"{what:<18} {who:<9} precision {precision:.4f}  recall {recall:.4f}  F1 {f1:.4f}{note}"


def main() -> None:
    """Print every score."""
    for number in (1, 3):
        path = ROOT.parent / "shared" / "corpora" / "febrl" / f"dataset{number}.csv"
        if not path.is_file():
            print(f"Febrl {number}: not here ({path.name})")
            continue
        began = time.process_time()
        for who, found in febrl(path).items():
            print(line(f"Febrl {number}", who, found))
        print(f"Febrl {number} took {time.process_time() - began:.1f} s CPU")
    runs = [demo(seed) for seed in SEEDS]
    for who in ("workbook", "naive"):
        table = pd.DataFrame([run[who] for run in runs])
        worst = f"  (worst seed: precision {table[0].min():.4f}, recall {table[1].min():.4f})"
        print(line(f"demo, {len(runs)} seeds", who, tuple(table.mean()), worst))


if __name__ == "__main__":
    main()
