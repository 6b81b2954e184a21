"""How two workers share the tests out (`pytest -n 2`): whole modules, those that take longest first.

What a module's tests share is made once a worker, so a module stays whole. Some modules share more than that and stay
together: the notebooks hand files on to one another in `data/demo/built`, and whole runs are published once for all that
look at them. Whoever comes last decides when everything ends, so the long ones begin.
"""

from xdist.scheduler import LoadScopeScheduling

NOTEBOOKS, RUNS = "notebooks", "whole runs"
TOGETHER = dict.fromkeys(
    (
        *("tests/test_runs.py", "tests/test_totals_runs.py", "tests/test_second_computation.py"),
        "tests/test_two_languages.py",
        *("tests/browser/test_pages.py", "tests/browser/test_graph.py", "tests/browser/test_played_with.py"),
    ),
    RUNS,
)
# By seconds of processor, roughly: some four hundred of whole runs, two hundred and forty, a hundred and forty …
LONGEST = (
    RUNS,
    "tests/test_demo_truth.py",
    "tests/classification/test_clusters.py",
    "tests/workbook/test_draft_published.py",
    "tests/test_readme.py",
    NOTEBOOKS,
    "tests/workbook/test_runner.py",
    "tests/analysis/test_change.py",
    "tests/test_crossed.py",
    "tests/classification/test_engines.py",
    "tests/test_naughty.py",
    "tests/test_environment.py",
    "tests/test_demo_sources.py",
    "tests/test_golden.py",
    "tests/classification/test_demo_classes.py",
)


def share(nodeid: str) -> str:
    """What a test must stay together with: its module, or several.

    >>> share("tests/test_period.py::test_a_quarter[2024]"), share("notebooks/01-collection.ipynb::Cell 3")
    ('tests/test_period.py', 'notebooks')
    """
    module = nodeid.split("::", 1)[0]
    return NOTEBOOKS if module.startswith("notebooks/") else TOGETHER.get(module, module)


def longest_first(items: list) -> list:
    """The tests with the longest shares first; otherwise as they were found."""
    rank = {name: place for place, name in enumerate(LONGEST)}
    return sorted(items, key=lambda item: rank.get(share(item.nodeid), len(LONGEST)))


class Shares(LoadScopeScheduling):
    """Hands out one share after the other, in the order of the tests."""

    def __init__(self, config, log=None):
        # Not by number of tests, which tells nothing of how long they take.
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return share(nodeid)
