"""How dear is care? A million order lines from CSV to clean Parquet beside a bare `pandas.read_csv`,

which checks nothing; and ten million lines in how much memory.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import big

HERE = Path(__file__).parent
ROUNDS = 5  # of both in turn, so that what else the machine does falls on both; the least of each counts
BARE = (
    "import sys, time, pandas; t = time.process_time(); pandas.read_csv(sys.argv[1]); "
    "print(time.process_time() - t)"
)


def told(*command: str, home: Path) -> str:
    """What a process of its own prints."""
    env = {**os.environ, "CRM_HOME": str(home), "OMP_NUM_THREADS": "1"}
    run = subprocess.run([sys.executable, *command], env=env, capture_output=True, text=True, check=True)
    return run.stdout


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, "one")
        file = big.client(home, 1_000_000)
        rounds = [
            (
                float(told("-c", BARE, str(file), home=home)),
                json.loads(told(str(HERE / "chain.py"), "big", home=home)),
            )
            for _ in range(ROUNDS)
        ]
        bare, runs = min(bare for bare, _ in rounds), [run for _, run in rounds]
        best = min(runs, key=lambda run: run["collection"] + run["cleaning"])
        ours = best["collection"] + best["cleaning"]
        print(f"1M order lines: bare pandas.read_csv {bare:.2f} s CPU")
        print(
            f"1M order lines: collection {best['collection']:.2f} s + cleaning {best['cleaning']:.2f} s CPU"
            f" = {ours / bare:.1f} × bare read_csv (at most 10, aim 4), {best['bytes'] / 1e9:.2f} GB"
        )
        home = Path(folder, "ten")
        big.client(home, 10_000_000)
        ten = json.loads(told(str(HERE / "chain.py"), "big", home=home))
        print(
            f"10M order lines: {ten['collection'] + ten['cleaning']:.1f} s CPU, "
            f"{ten['bytes'] / 1e9:.2f} GB at most (limit 2 GB)"
        )
