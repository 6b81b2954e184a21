"""Cells found to be wrong without labels: precision, recall and F1, beside what simpler means find.

Two public pairs of dirty and clean twins (Raha's hospital and beers, whose errors were made or gathered by
others), and two tables whose errors are made here, so that the rules are also seen on data they were not
thought out on. Run: python bench/errors.py [folder with corpora/ and data/]
"""

import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.ensemble import IsolationForest

from crmlib.cleaning import suspicion

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"
MADE = 0.02  # of the cells of a clean table are made wrong
Cells = set[tuple[int, str]]


def read(path: Path) -> pd.DataFrame:
    """A CSV as text, every cell as it stands."""
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def twins(folder: Path) -> tuple[pd.DataFrame, Cells]:
    """A dirty table, and its cells that differ from the clean twin's."""
    dirty, clean = read(folder / "dirty.csv"), read(folder / "clean.csv")
    clean.columns = dirty.columns
    rows, columns = np.nonzero((dirty != clean).to_numpy())
    return dirty, {(int(row), dirty.columns[column]) for row, column in zip(rows, columns, strict=True)}


def spoilt(clean: pd.DataFrame, seed: int = 1) -> tuple[pd.DataFrame, dict[tuple[int, str], str]]:
    """A clean table with errors made in it, and which kind each is."""
    chance = random.Random(seed)
    dirty, made = clean.copy(), {}
    kinds: dict[str, Callable[[str, list[str]], str]] = {
        "swapped": lambda text, _: _swapped(text, chance),
        "dropped": lambda text, _: text[: (at := chance.randrange(len(text)))] + text[at + 1 :],
        "other-value": lambda _, values: chance.choice(values),
        "emptied": lambda *_: "",
        "placeholder": lambda *_: chance.choice(["N/A", "-", "未知"]),
        "unit": lambda text, _: text + chance.choice([" pcs", " pcs.", "%"]),
    }
    values = {column: sorted(set(clean[column]) - {""}) for column in clean}
    for row in range(len(clean)):
        for column in clean:
            text = clean.at[row, column]
            if not text or chance.random() >= MADE:
                continue
            kind = chance.choice(sorted(kinds))
            number = text.replace(".", "").isdigit()
            if kind == "unit" and not number:
                kind = "dropped"
            if kind in ("swapped", "dropped") and number:
                kind = "other-value"
            wrong = kinds[kind](text, values[column])
            if wrong != text:
                dirty.at[row, column] = wrong
                made[row, column] = kind
    return dirty, made


def _swapped(text: str, chance: random.Random) -> str:
    if len(text) < 2:
        return text * 2
    at = chance.randrange(len(text) - 1)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def ours(table: pd.DataFrame) -> Cells:
    """What `crmlib.cleaning.suspicion` flags."""
    found = suspicion.cells(pa.Table.from_pandas(table, preserve_index=False))
    return set(zip(found["row"], found["column"], strict=True))


def rare_forms(table: pd.DataFrame) -> Cells:
    """Cells whose form (digits, letters, signs) less than one in a hundred of its column has."""
    found: Cells = set()
    for column in table:
        forms = table[column].str.replace(r"\d+", "0", regex=True).str.replace(r"[^\W\d_]+", "a", regex=True)
        rare = forms.map(forms.value_counts()) < 0.01 * len(table)
        found |= {(int(row), column) for row in np.flatnonzero(rare)}
    return found


def outvoted(table: pd.DataFrame) -> Cells:
    """Cells that differ from the commonest of equal rows, for any column that agrees with another on nine in ten."""
    found: Cells = set()
    for deciding in table:
        if not 1 < table[deciding].nunique() < len(table):
            continue
        for decided in table.columns.drop(deciding):
            pairs = table.groupby([deciding, decided]).size().reset_index(name="rows")
            first = pairs.sort_values("rows", ascending=False, kind="stable").drop_duplicates(deciding)
            odd = table[deciding].map(first.set_index(deciding)[decided]) != table[decided]
            if odd.mean() <= 0.1:
                found |= {(int(row), decided) for row in np.flatnonzero(odd)}
    return found


def isolated(table: pd.DataFrame) -> Cells:
    """Cells that an isolation forest finds odd by their length, kinds of signs and frequency."""
    found: Cells = set()
    for column in table:
        cells = table[column]
        features = np.column_stack(
            [
                cells.str.len(),
                *(cells.str.count(kind) for kind in (r"\d", r"[^\W\d_]", r"\s", r"[^\w\s]")),
                np.log(cells.map(cells.value_counts())),
            ]
        )
        odd = IsolationForest(random_state=0, contamination=0.05).fit_predict(features) < 0
        found |= {(int(row), column) for row in np.flatnonzero(odd)}
    return found


def measured(found: Cells, truth: Cells) -> tuple[float, float, float]:
    """Precision, recall and F1.

    >>> measured({(1, "a"), (2, "a")}, {(1, "a")})
    (0.5, 1.0, 0.6666666666666666)
    """
    hits = len(found & truth)
    precision, recall = hits / max(len(found), 1), hits / max(len(truth), 1)
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-12)


def main(shared: Path) -> None:
    """The whole table, and of the errors made here the share found of each kind."""
    sets = {name: twins(shared / "corpora" / "raha" / name) for name in ("hospital", "beers")}
    superstore = pd.read_excel(
        next((shared / "data" / "superstore_cn").glob("*.xls")), dtype=str, engine="calamine"
    )
    wanted = [
        "细分",
        "城市",
        "省/自治区",
        "国家/地区",
        "地区",
        "产品 ID",
        "类别",
        "子类别",
        "产品名称",
        "数量",
        "折扣",
    ]
    location = read(shared / "data" / "telco_multi" / "Telco_customer_churn_location.csv")
    kinds = {}
    for name, clean in (
        ("superstore, errors made", superstore[[c for c in superstore if c in wanted]].fillna("")),
        ("telco places, errors made", location.drop(columns=[location.columns[0]])),
    ):
        dirty, made = spoilt(clean)
        sets[name], kinds[name] = (dirty, set(made)), made
    print(
        f"{'data':26} {'method':18} {'wrong':>6} {'flagged':>7} {'prec.':>6} {'recall':>6} {'F1':>6} {'sec.':>6}"
    )
    for name, (table, truth) in sets.items():
        for method in (ours, rare_forms, outvoted, isolated):
            start = time.perf_counter()
            found = method(table)
            spent = time.perf_counter() - start
            precision, recall, f1 = measured(found, truth)
            numbers = f"{len(truth):6} {len(found):7} {precision:6.3f} {recall:6.3f} {f1:6.3f} {spent:6.1f}"
            print(f"{name:26} {method.__name__:18} {numbers}", flush=True)
            if method is ours and name in kinds:
                each = (
                    pd.Series({cell: cell in found for cell in truth})
                    .groupby(kinds[name])
                    .agg(["mean", "size"])
                )
                print(
                    "   found of each kind: "
                    + ", ".join(f"{k} {m:.2f} of {n}" for k, m, n in each.itertuples())
                )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else SHARED)
