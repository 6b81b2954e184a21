"""How likely two rows tell of one person or firm: splink's model, learnt without labels, over DuckDB.

Any table will do: a caller names its fields and of what kind each is. A field agrees exactly, nearly or
not; how much each answer says is learnt from the table (Fellegi and Sunter 1969, by splink), beginning
with the usual values stated in `KINDS`. These weigh as much as a few dozen pairs do, so that a table too
small to learn from is judged by them alone.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from rapidfuzz import process
from rapidfuzz.distance import OSA, JaroWinkler
from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from splink import comparison_level_library as levels
from splink.comparison_library import CustomComparison

from crmlib import tables


@dataclass(frozen=True)
class Kind:
    """How fields of a kind are compared, and the usual answers before any table is seen.

    `near` are tests in SQL over {l} and {r}, the nearest first. `one` and `two` are the shares of answers
    (exact, each of `near`, none of them) among pairs that are one, and among pairs that are two.
    """

    near: tuple[str, ...]
    one: tuple[float, ...]
    two: tuple[float, ...]
    rare_says_more: bool = False  # to share a rare value says more than to share a common one


# DuckDB's own distances count bytes, of which a Chinese character has three: right for digits alone.
SLIP = "abs(length({l}) - length({r})) <= 1 AND damerau_levenshtein({l}, {r}) <= 1"
CLOSE = "closeness({l}, {r}) >= "
KINDS = {
    "name": Kind((CLOSE + "0.92", CLOSE + "0.8"), (0.8, 0.1, 0.05, 0.05), (0.002, 0.01, 0.05, 0.938), True),
    "id": Kind((SLIP,), (0.75, 0.05, 0.2), (0.0005, 0.001, 0.9985), True),
    "number": Kind((SLIP,), (0.8, 0.08, 0.12), (0.01, 0.05, 0.94)),
    "date": Kind((SLIP,), (0.9, 0.06, 0.04), (0.001, 0.005, 0.994)),
    "year": Kind(("abs({l} - {r}) <= 1",), (0.93, 0.02, 0.05), (0.02, 0.04, 0.94)),
    "place": Kind((CLOSE + "0.9",), (0.75, 0.1, 0.15), (0.05, 0.05, 0.9), True),
    "word": Kind((), (0.92, 0.08), (0.4, 0.6), True),
}
SAME, NEAR, LIKE, DIFFERENT, EMPTY = 3, 2, 1, 0, -1
FEW = 30  # rows below which nothing is learnt
SAMPLE = 100_000  # pairs drawn to learn how often two persons agree by chance
COMMON = 200  # rows of one key beyond which it is too common to make pairs of
USUAL_ONE, USUAL_TWO, USUAL_VALUES = 20, 50, 100  # pairs, pairs and values that the usual answers weigh
STEPS = 5  # of EM, which begins near its end; an answer that never comes sinks to 0 with each
MOST_TO_LEARN = 2_000_000  # pairs of a block beyond which learning from it costs more than it tells
LONG = 15  # bytes: five Chinese characters, or fifteen letters
EVEN = 0.0001  # share of pairs that are one, replaced once the pairs are weighed
HOPELESS = -12  # bits, at that share, below which a pair weighs nothing and is not kept in memory
LEAST = 1e-7  # no answer is impossible
SEED = 1


def pairs(
    rows: pd.DataFrame, fields: Mapping[str, str], *, key: str, blocks: Sequence[tuple[str, ...]]
) -> pd.DataFrame:
    """Pairs of rows that share a block, and how likely each is one and the same.

    Parameters
    ----------
    rows : `key` (text, unique), the fields (normal forms, empty where unknown), and columns of `blocks`
    fields : column → its kind, a name in `KINDS`
    blocks : columns that a pair must share to be looked at, one of these groups at least; a value
        shared by more than 200 rows makes no pairs

    Returns
    -------
    left, right (keys, left < right), probability (0–1), and for each field SAME, NEAR (a slip apart),
    LIKE, DIFFERENT or EMPTY (on a side); by left and right, whatever the order of the rows.
    """
    table = rows.sort_values(key, kind="stable", ignore_index=True)
    known = {field: kind for field, kind in fields.items() if table[field].notna().sum() >= 2}
    table, keys = _keyed(table[[key, *known]], rows.sort_values(key, kind="stable"), blocks)
    if not keys or not known:
        return pd.DataFrame(columns=["left", "right", "probability", *fields])
    usual = {field: (KINDS[kind].one, KINDS[kind].two) for field, kind in known.items()}
    answers = usual if len(table) < FEW else _learnt(table, known, usual, key=key, blocks=blocks)
    model = _linker(table, known, answers, key=key, keys=keys)
    found = model.inference.predict(threshold_match_weight=HOPELESS, warning_mode="never")
    return _judged(found.as_pandas_dataframe(), known, rows=len(table), key=key).reindex(
        columns=["left", "right", "probability", *fields], fill_value=EMPTY
    )


def _keyed(table: pd.DataFrame, rows: pd.DataFrame, blocks: Sequence[tuple[str, ...]]):
    """The table with a column for every block that makes pairs at all."""
    keys = []
    for number, block in enumerate(blocks):
        parts = rows[list(block)].astype("string").reset_index(drop=True)
        # Empty where any part is empty: nothing is shared by two rows that say nothing.
        whole = parts.iloc[:, 0].str.cat(parts.iloc[:, 1:], sep="\n")
        many = whole.map(whole.value_counts())
        shared = whole.where(many.between(2, COMMON))
        if shared.notna().any():
            keys.append(f"block_{number}")
            table = table.assign(**{keys[-1]: shared.astype(object).where(shared.notna(), None)})
    return table, keys


def closeness(left: pa.Array, right: pa.Array) -> pa.Array:
    """How close two texts are, 0–1: Jaro-Winkler's similarity, at least .95 where one slip parts them.

    >>> closeness(pa.array(["王伟", "王伟"]), pa.array(["王玮", "李娜"])).to_pylist()
    [0.95, 0.0]
    """
    sides = left.to_pylist(), right.to_pylist()
    alike = process.cpdist(*sides, scorer=JaroWinkler.similarity, dtype=np.float64)
    slips = process.cpdist(*sides, scorer=OSA.distance, score_cutoff=1)
    return pa.array(np.where(slips <= 1, np.maximum(alike, 0.95), alike))


def _linker(table: pd.DataFrame, fields, answers, *, key: str, keys: Sequence[str] = ()) -> Linker:
    """Splink's model of these fields with these shares of answers, silent and on one thread.

    Sums of floats depend on who adds first: on one thread they are the same in every run.
    """
    engine = tables.engine(alone=True)
    engine.execute("SET threads = 1")
    engine.create_function("closeness", closeness, ["VARCHAR", "VARCHAR"], "DOUBLE", type="arrow")
    api = DuckDBAPI(engine)
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name=key,
        comparisons=[_comparison(field, KINDS[kind], *answers[field]) for field, kind in fields.items()],
        blocking_rules_to_generate_predictions=[block_on(name) for name in keys],
        probability_two_random_records_match=EVEN,
        max_iterations=STEPS,
    )
    linker = Linker(api.register(table), settings, log_level=logging.CRITICAL, validate_settings=False)
    for field, kind in fields.items():
        if KINDS[kind].rare_says_more:
            chances = api.register(_chances(table[field], KINDS[kind].two[0]))
            linker.table_management.register_term_frequency_lookup(chances, field)
    return linker


def _comparison(field: str, kind: Kind, one: Sequence[float], two: Sequence[float]) -> CustomComparison:
    sides = {"l": f'"{field}_l"', "r": f'"{field}_r"'}
    answers = [
        levels.ExactMatchLevel(field, term_frequency_adjustments=kind.rare_says_more),
        *(levels.CustomLevel(test.format(**sides)) for test in kind.near),
        levels.ElseLevel(),
    ]
    for answer, m, u in zip(answers, one, two, strict=True):
        answer.configure(m_probability=m, u_probability=u)
    return CustomComparison([levels.NullLevel(field), *answers], output_column_name=field)


def _chances(values: pd.Series, usual: float) -> pd.DataFrame:
    """For each value, how likely a third row has it too: the two that share it are left out of the count.

    A long value, as a firm's whole name is, is shared by chance ten times less.
    """
    counts = values.value_counts()
    long = counts.index.str.encode("utf-8").str.len() >= LONG
    others = np.maximum(counts.to_numpy() - 2, 0)
    chance = (others + USUAL_VALUES * usual * np.where(long, 0.1, 1)) / (values.notna().sum() + USUAL_VALUES)
    return pd.DataFrame({values.name: counts.index, f"tf_{values.name}": chance})


def _learnt(table: pd.DataFrame, fields, usual, *, key: str, blocks: Sequence[tuple[str, ...]]):
    """The shares of answers, learnt: by chance from pairs at random, of one person by EM in each block."""
    linker = _linker(table, fields, usual, key=key)
    train = linker.training
    train.estimate_u_using_random_sampling(SAMPLE, seed=SEED, min_count_per_level=None, num_chunks=1)
    seen = dict.fromkeys(fields, 0.0)
    for block in blocks:
        matched = _pairs_in(table, block) if set(block) <= set(fields) and set(fields) - set(block) else 0
        if FEW <= matched <= MOST_TO_LEARN:
            share = _trained(train, block)
            seen = {f: n + (0 if f in block else share * matched) for f, n in seen.items()}
    drawn = min(SAMPLE, len(table) * (len(table) - 1) // 2)
    model = {
        c["output_column_name"]: c["comparison_levels"]
        for c in linker.misc.save_model_to_json()["comparisons"]
    }
    return {
        field: (
            _blended(model[field], "m_probability", usual[field][0], seen[field] / USUAL_ONE),
            _blended(model[field], "u_probability", usual[field][1], drawn / USUAL_TWO),
        )
        for field in fields
    }


def _trained(train, block: tuple[str, ...]) -> float:
    """The share of a block's pairs that are one, by EM; 0 where it failed and nothing was learnt."""
    try:
        session = train.estimate_parameters_using_expectation_maximisation(
            block_on(*block), estimate_without_term_frequencies=True
        )
    except ValueError:  # splink keeps no share below 1e-300, to which an answer that never comes may sink
        return 0.0
    return session.core_model_settings.probability_two_random_records_match


def _pairs_in(table: pd.DataFrame, block: tuple[str, ...]) -> int:
    sizes = table.groupby(list(block)).size()
    return int((sizes * (sizes - 1) // 2).sum())


def _blended(learnt: list[dict], name: str, usual: Sequence[float], weight: float) -> list[float]:
    """Learnt shares and the usual ones, by their weights; an answer that never came counts as none."""
    found = [level.get(name) for level in learnt if not level.get("is_null_level")]
    shares = np.array([value if isinstance(value, float) else 0.0 for value in found])
    total = shares.sum()
    mixed = (shares / total * weight + np.array(usual)) / (weight + 1) if total else np.array(usual)
    # Rounded, so that the last bits of a sum decide nothing.
    return np.maximum(mixed, LEAST).round(8).tolist()


def _judged(found: pd.DataFrame, fields, *, rows: int, key: str) -> pd.DataFrame:
    """Weights as probabilities: how many pairs are one is found from the pairs themselves."""
    weight = found["match_weight"].to_numpy() - np.log2(EVEN / (1 - EVEN))
    evidence = np.exp2(np.clip(weight, -60, 60)).round(9)
    possible = rows * (rows - 1) / 2
    ones = 1.0
    for _ in range(100):
        odds = ones / max(possible - ones, 1)
        ones = (odds * evidence / (1 + odds * evidence)).sum() * possible / (possible + 1) + 0.5
    odds = ones / max(possible - ones, 1)
    probability = (odds * evidence / (1 + odds * evidence)).round(6)
    answers = {field: _answer(found[f"gamma_{field}"], KINDS[kind]) for field, kind in fields.items()}
    first, second = found[f"{key}_l"], found[f"{key}_r"]
    ordered = first < second
    return pd.DataFrame(
        {
            "left": first.where(ordered, second),
            "right": second.where(ordered, first),
            "probability": probability,
        }
        | answers
    ).sort_values(["left", "right"], kind="stable", ignore_index=True)


def _answer(gamma: pd.Series, kind: Kind) -> np.ndarray:
    """Splink's number of an answer, from the bottom, as ours, from the top."""
    from_top = len(kind.near) + 1 - gamma
    return np.select(
        [gamma == -1, gamma == 0, from_top == 0, from_top == 1], [EMPTY, DIFFERENT, SAME, NEAR], LIKE
    )
