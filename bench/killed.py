"""Twenty times killed at a random moment of collecting and cleaning a million order lines, then run again."""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import big
import pyarrow.compute as pc
import pyarrow.parquet as pq

HERE = Path(__file__).parent
ROWS, KILLS = 1_000_000, 20


def started(home: Path) -> subprocess.Popen:
    """The chain, in a process of its own."""
    env = {**os.environ, "CRM_HOME": str(home)}
    return subprocess.Popen(
        [sys.executable, str(HERE / "chain.py"), "big"], env=env, stdout=subprocess.DEVNULL
    )


def rows_on_disk(home: Path) -> tuple[int, int]:
    """Rows that the clean tables and the ledger account for, and how many different ones are kept."""
    built = home / "data" / "big" / "built" / "delivery"
    ledger = pq.read_table(built / "ledger.parquet").to_pandas()
    lines = ledger[ledger["table"] == "transactions"]
    kept = pq.read_table(built / "transactions.parquet", columns=["source_row"])["source_row"]
    aside = pq.read_table(built / "quarantine.parquet", columns=["source_row"])["source_row"]
    gone = int(lines["rows_merged"].sum())
    different = len(pc.unique(kept)) + len(pc.unique(aside))
    return len(kept) + len(aside) + gone, different + gone


if __name__ == "__main__":
    chance = random.Random(7)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        big.client(home, ROWS)
        began = time.monotonic()
        assert started(home).wait() == 0
        whole = time.monotonic() - began
        wrong = 0
        for number in range(KILLS):
            run = started(home)
            time.sleep(chance.uniform(0, whole))
            run.send_signal(signal.SIGKILL)
            run.wait()
            assert started(home).wait() == 0
            found = rows_on_disk(home)
            stale = list((home / "data" / "big" / "built").rglob("*.tmp"))
            wrong += found != (ROWS, ROWS)
            print(
                f"kill {number + 1:2}: {found[0]:,} rows accounted for, {found[1]:,} different, {len(stale)} stale"
            )
        print(f"{KILLS} kills: {KILLS - wrong} runs afterwards held every row once ({whole:.0f} s a run)")
        sys.exit(wrong > 0)
