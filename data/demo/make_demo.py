"""Makes the demo client: an invented finance institution, with planted defects and truths.

Each table is drawn from a stream of its own, named by a number that never changes, so that a
table added later moves no number of the others.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).resolve().parent
# a test may load this file by its path, when its folder is not on the search path
if str(HERE) not in sys.path:
    sys.path.insert(0, str(HERE))

from demo_maker import (
    beside,
    customers,
    days,
    facts,
    files,
    money,
    moves,
    order_defects,
    orders,
    second_numbers,
    survey,
    tastes,
)

SEED = 20241231
STREAMS = {
    "customers": 1,
    "orders": 2,
    "survey": 3,
    "strangers": 4,
    "second_numbers": 5,
    "discounts": 6,
    "moves": 7,
    "tastes": 109,
} | beside.STREAMS
PEOPLE, VALUES, DEFECTS = 0, 1, 2


def stream(seed: int, table: str, part: int = VALUES) -> np.random.Generator:
    """The random numbers of one part of one table."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(STREAMS[table], part)))


def stranger_ids(seed: int, folk: pd.DataFrame, *, count: int) -> list[str]:
    """Well-formed customer ids that belong to nobody."""
    numbers = stream(seed, "strangers").permutation(299_999) + 1
    taken = set(folk["id"])
    free = (f"{number:06d}" for number in numbers)
    return [text for text, _ in zip((t for t in free if t not in taken), range(count), strict=False)]


def tables(seed: int) -> tuple[dict[str, pd.DataFrame], dict]:
    """The delivered tables, all text, row i being data record i + 1, and what is true of them."""
    folk = customers.people(stream(seed, "customers", PEOPLE))
    spare = stranger_ids(seed, folk, count=18 + second_numbers.SECOND + second_numbers.THIRD)
    strangers, numbers = spare[:18], spare[18:]
    described = customers.customer_rows(stream(seed, "customers"), folk)
    listed, listed_defects = customers.with_defects(stream(seed, "customers", DEFECTS), described)
    rng = stream(seed, "orders")
    lines = tastes.planted(stream(seed, "tastes"), orders.sales(rng, folk))
    lines["off"] = orders.discounts(stream(seed, "discounts"), lines, need=described["需求类型"])
    lines = pd.concat([lines, orders.reversals(rng, lines)], ignore_index=True)
    said = survey.answers(stream(seed, "survey"), folk, lines=lines[lines["kind"] == "sale"])
    said, said_defects = survey.with_defects(stream(seed, "survey", DEFECTS), said, strangers=strangers[12:])
    rng, spoilt = stream(seed, "moves"), said_defects["out_of_scale"]["ids"]
    movers = moves.chosen(rng, folk, lines[lines["kind"] == "sale"], said, spoilt=spoilt)
    usual, said = said, moves.answered(said, movers, folk=folk)
    moved = moves.ordered(rng, lines, movers)
    rng = stream(seed, "orders", DEFECTS)
    sold, made = order_defects.delivered(rng, moved, folk=folk, strangers=strangers[:12])
    defects = {
        "customers": listed_defects,
        "orders": order_defects.defects(sold, made),
        "survey": said_defects,
    }
    made["channel_name"] = sold["渠道"]
    more, known = beside.tables(
        lambda name, part: stream(seed, name, part),
        folk,
        lines=lines,
        said=usual,
        listed=described,
        strangers=stranger_ids(seed, folk, count=beside.SPARE.stop)[beside.SPARE],
    )
    found = {"customers": listed, "orders": sold, "survey": said}
    delivered, planted = under_second_numbers(
        seed, found, defects=defects, folk=folk, lines=moved, made=made, numbers=numbers
    )
    defects["customers"] |= planted
    truth = {"seed": seed} | truths(folk, delivered, defects=defects, made=made, need=described["需求类型"])
    truth["truths"]["moves"] = moves.truth(movers, folk=folk)
    truth["truths"]["recommending"] = survey.truths()
    truth["truths"] |= tastes.truth(made)
    return delivered | more, truth | {part: truth[part] | known[part] for part in known}


def under_second_numbers(seed: int, found: dict, *, defects, folk, lines, made, numbers) -> tuple[dict, dict]:
    """The tables with some customers under several numbers, some only seeming so, and who they are.

    `made` keeps whose line it really is: the facts know nothing of numbers.
    """
    listed = found["customers"]
    told = {id for kind in defects["customers"].values() for id in kind["ids"]}
    free = np.flatnonzero(~listed["客户编号"].isin(told))
    listed, alike, free = second_numbers.with_look_alikes(
        stream(seed, "second_numbers", PEOPLE), listed, free=free
    )
    both, planted = second_numbers.with_second_numbers(
        stream(seed, "second_numbers"), listed, lines, free=free, numbers=numbers, folk=folk
    )
    rng = stream(seed, "second_numbers", DEFECTS)
    spared = {id for kind in defects["survey"].values() for id in kind["ids"]}
    delivered = {
        "customers": both,
        "orders": second_numbers.spread_orders(rng, found["orders"], made, planted=planted),
        "survey": second_numbers.spread_answers(rng, found["survey"], planted=planted, spared=spared),
    }
    return delivered, facts.second_numbers(planted, alike, delivered, first=len(listed))


def truths(
    folk: pd.DataFrame, delivered: dict, *, defects: dict, made: pd.DataFrame, need: pd.Series
) -> dict:
    """Everything truth.json says beside the seed."""
    lines = facts.clean_lines(made)
    answers = facts.clean_answers(delivered["survey"], defects, folk=folk)
    figures = {
        period: facts.sales_facts(lines, period)
        | facts.customer_facts(lines, period, previous=previous)
        | {"satisfaction": facts.satisfaction_facts(answers, period)}
        for period, previous in facts.PERIODS.items()
    }
    return {
        "client": {
            "first_day": str(days.START),
            "last_day": str(days.END),
            "delivered_on": str(days.DELIVERED),
            "currency": "CNY",
            "money_unit": "0.01",
        },
        "truths": facts.planted(lines, answers, folk=folk)
        | {"discounts": facts.discounts(lines, need)}
        | {"won": money.won(lines), "groups": money.groups(lines, folk)},
        "defects": defects,
        "facts": figures,
        "ledger": facts.ledger(delivered, defects, made=made, quarantined=order_defects.QUARANTINED),
    }


def write(folder: Path, seed: int = SEED) -> list[Path]:
    """Write the raw files and truth.json under `folder`; the same seed gives the same bytes."""
    delivered, truth = tables(seed)
    paths = files.write_all(Path(folder), delivered, truth=truth)
    return paths + beside.write(Path(folder) / "raw", delivered)


def main() -> None:
    """Write the demo and say what was written."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seed", type=int, default=SEED, help="another seed, another client")
    options.add_argument("--folder", type=Path, default=HERE, help="where raw/ and truth.json go")
    chosen = options.parse_args()
    for path in write(chosen.folder, chosen.seed):
        print(f"{path.stat().st_size:>9,} bytes  {path}")


if __name__ == "__main__":
    main()
