"""The middle of prices that are each told so often, beside numpy's median of all of them."""

import numpy as np
import pytest

from crmlib.cleaning.usual import middle


@pytest.mark.parametrize("seed", range(20))
def test_the_middle_of_counted_prices_is_the_median_of_all_of_them(seed):
    chance = np.random.default_rng(seed)
    size = int(chance.integers(1, 40))
    groups, values, counts = (chance.integers(low, high, size) for low, high in ((-1, 4), (0, 9), (1, 5)))
    named, medians, lines = middle(groups, values / 7, counts)
    for group, median, number in zip(named, medians, lines, strict=True):
        every = np.repeat(values[groups == group] / 7, counts[groups == group])
        assert number == len(every)
        assert median == pytest.approx(np.median(every), rel=1e-12)
    assert set(named) == set(groups)
