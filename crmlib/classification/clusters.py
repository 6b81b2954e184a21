"""Groups of customers alike, found and not ruled: clustering that may find nothing (X08, M02).

Facts are brought to one scale, k-means is run for several numbers of groups, and a number is taken
only where the groups are clear (silhouette), steady (two halves of the customers give the same
groups) and clearer than in a cloud of the same spread that has no groups. Nothing is imputed:
who lacks a fact in use is in no group. Rows are ordered by their values before anything is drawn, and
one thread computes, so that neither the order of rows nor customer numbers nor threads decide.
"""

import warnings
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score, silhouette_score
from threadpoolctl import threadpool_limits

from crmlib.classification import profiles
from crmlib.classification.classes import NOT_GROUPED
from crmlib.rules import ClusterRule, ProfileRule

SEED = 20_240_131
STARTS = 5  # of every k-means: fewer end in poor groupings that look like unsteadiness
CLOUDS = 19  # the best of 19 clouds without groups is the limit passed by chance once in twenty times
SMALL = 0.1  # nine in ten are larger, and taken nearly by their logarithm
LAST_BITS = 1e-9  # 0.3 of every spend is the same margin, though a division leaves other last bits
TRIED = ["groups", "silhouette", "stability", "smallest"]


@dataclass(frozen=True)
class Groups:
    """What clustering found.

    `reason` is `found`, or why there are no groups: `too_few`, `no_facts` (nothing known of enough
    customers), `alike` (no fact differs), `unclear`, `unsteady`, `exceptions` (a group would be too
    small), `no_clearer` (than a cloud without groups).
    """

    reason: str
    features: pd.DataFrame  # fact, known, use, logged, unit_of_log, mean, deviation
    customers: int  # of whom every fact in use is known
    tried: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=TRIED))
    cloud: float | None = None  # the clearest silhouette of a cloud without groups
    centres: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))

    @property
    def count(self) -> int:
        """How many groups; 0 where there are none."""
        return len(self.centres)

    @property
    def chosen(self) -> dict[str, float]:
        """Groups, silhouette, stability, smallest of the number taken, else of the one that came nearest."""
        if self.tried.empty:
            return dict.fromkeys(TRIED)
        taken = self.tried["groups"] == self.count
        return self.tried[taken if taken.any() else self.tried["best"]].iloc[0].to_dict()


def groups(facts: pd.DataFrame, rule: ClusterRule) -> Groups:
    """The groups that customers fall into by their facts, if they do.

    Parameters
    ----------
    facts : a row per customer in the columns of `tables.FACTS`
    rule : how clear and steady groups must be
    """
    known = profiles.numbers(facts)
    features = scales(known, rule)
    used = features[features["use"] == "used"]
    points = scaled(known, used)
    points = points[~np.isnan(points).any(axis=1)]
    if len(facts) < rule.at_least or (len(used) and len(points) < rule.at_least):
        return Groups("too_few", features, len(points))
    if not len(used):
        return Groups("alike" if (features["use"] == "alike").any() else "no_facts", features, 0)
    with threadpool_limits(1):
        return _chosen(points[np.lexsort(points.T[::-1])], features, rule)


def scales(known: pd.DataFrame, rule: ClusterRule) -> pd.DataFrame:
    """How each fact is brought to one scale.

    Returns
    -------
    fact, known (share of customers), use (`used`, `seldom_known`, `not_supplied`, `alike`), logged,
    unit_of_log, mean, deviation. A skewed fact is taken as asinh(value ÷ a small one), which is a
    logarithm for all but small amounts, passes through 0, and is the same in any currency. Were more of it
    left unlogged, a skewed cloud would thin out to one side and seem to fall into groups.
    """
    rows = []
    for fact in known:
        values = np.sort(known[fact].dropna().to_numpy(dtype="float64"))
        share = len(values) / max(len(known), 1)
        use = "not_supplied" if not len(values) else "seldom_known" if share < rule.least_known else "used"
        if use == "used" and values[-1] - values[0] <= LAST_BITS * max(-values[0], values[-1]):
            use = "alike"
        sizes = np.abs(values[values != 0])
        small = float(np.quantile(sizes, SMALL)) if len(sizes) else 1.0
        skewed = use == "used" and _skewness(values) > rule.skewed_from
        taken = np.arcsinh(values / small) if skewed else values
        mean, deviation = (float(taken.mean()), float(taken.std())) if len(values) else (np.nan, np.nan)
        rows.append((fact, share, use, skewed, small, mean, deviation))
    columns = ["fact", "known", "use", "logged", "unit_of_log", "mean", "deviation"]
    return pd.DataFrame(rows, columns=columns)


def _skewness(values: np.ndarray) -> float:
    """The third standardised moment."""
    apart = (values - values.mean()) / values.std()
    return float((apart**3).mean())


def scaled(known: pd.DataFrame, used: pd.DataFrame) -> np.ndarray:
    """Facts in use on one scale, a row per customer: mean 0 and deviation 1; empty where not known."""
    points = np.empty((len(known), len(used)))
    for place, row in enumerate(used.itertuples(index=False)):
        values = known[row.fact].to_numpy(dtype="float64")
        taken = np.arcsinh(values / row.unit_of_log) if row.logged else values
        points[:, place] = (taken - row.mean) / row.deviation
    return points


def _chosen(points: np.ndarray, features: pd.DataFrame, rule: ClusterRule) -> Groups:
    """The clearest number of groups among those that hold; `points` in the order of their values."""
    rng = np.random.default_rng(SEED)
    drawn = np.sort(rng.permutation(len(points))[: rule.sample])
    sample = points[drawn]
    # No more groups than different customers, nor than the customers of a half.
    most = min(rule.most, len(np.unique(sample, axis=0)), len(sample) // 2)
    fits = {count: _centres(sample, count) for count in range(rule.fewest, most + 1)}
    if not fits:
        return Groups("alike", features, len(points))
    rows = []
    for count, centres in fits.items():
        sizes = np.bincount(nearest(points, centres), minlength=count)
        clear, steady = silhouette(sample, centres), stability(sample, count, rule.repeats)
        rows.append((count, clear, steady, int(sizes.min())))
    tried = pd.DataFrame(rows, columns=TRIED)
    clear = tried["silhouette"] >= rule.least_silhouette
    steady = tried["stability"] >= rule.least_stability
    sized = tried["smallest"] >= rule.least_members
    tests = (("unclear", clear), ("unsteady", clear & steady), ("exceptions", clear & steady & sized))
    reason = next((name for name, passed in tests if not passed.any()), None)
    best = _best(tried[next((p for _, p in reversed(tests) if p.any()), clear | True)], rule)
    tried = tried.assign(best=tried.index == best)
    about = {"features": features, "customers": len(points), "tried": tried}
    if reason:
        return Groups(reason, **about)
    count = int(tried.loc[best, "groups"])
    cloud = clearest_cloud(sample, count)
    if tried.loc[best, "silhouette"] <= cloud:
        return Groups("no_clearer", **about, cloud=cloud)
    return Groups("found", **about, cloud=cloud, centres=_ordered(points, fits[count], features))


def _best(held: pd.DataFrame, rule: ClusterRule) -> int:
    """The row of the clearest number of groups; of those nearly as clear and all but sure, the most groups.

    Silhouettes favour few groups: two that lie near each other are clearer as one, though every half of
    the customers parts them alike. So the largest number that is steady enough is taken, as in
    Tibshirani & Walther (2005), J. Comput. Graph. Stat. 14, 511-528.
    """
    near = held["silhouette"] >= held["silhouette"].max() - rule.nearly_as_clear
    sure = held[near & (held["stability"] >= rule.sure_stability)]
    return sure["groups"].idxmax() if len(sure) else held["silhouette"].idxmax()


def _centres(points: np.ndarray, count: int, start: np.ndarray | None = None) -> np.ndarray:
    """The centres of k-means, from a start or the best of several seeded ones."""
    first = {"init": start, "n_init": 1} if start is not None else {"n_init": STARTS}
    with warnings.catch_warnings():
        # Fewer different points than groups: the groups that stay empty are then seen to be unsteady.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return KMeans(count, random_state=SEED, **first).fit(points).cluster_centers_


def nearest(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """The nearest centre of each point; equal points have the same, and of equally near ones the first.

    >>> nearest(np.array([[0.0], [1.0], [5.0]]), np.array([[0.0], [2.0]])).tolist()
    [0, 0, 1]
    """
    best, least = np.zeros(len(points), dtype=np.intp), np.full(len(points), np.inf)
    for place, centre in enumerate(centres):
        apart = ((points - centre) ** 2).sum(axis=1)
        closer = apart < least
        best[closer], least[closer] = place, apart[closer]
    return best


def silhouette(points: np.ndarray, centres: np.ndarray) -> float:
    """How much nearer customers are to their own group than to the next, -1 to 1 (Rousseeuw 1987)."""
    labels = nearest(points, centres)
    if not 2 <= len(np.unique(labels)) < len(points):
        return -1.0
    return float(silhouette_score(points, labels))


def stability(points: np.ndarray, count: int, repeats: int) -> float:
    """How alike the groups are that two halves of the customers give: mean adjusted Rand index.

    The customers are halved at random, each half gives its own centres, and all customers are put to
    the nearest centre of either: 1 where both ways give the same groups, about 0 where they agree as by
    chance (Hubert & Arabie 1985).
    """
    rng, half, found = np.random.default_rng(SEED), len(points) // 2, []
    for _ in range(repeats):
        mixed = rng.permutation(len(points))
        ways = (np.sort(mixed[:half]), np.sort(mixed[half:]))
        one, other = (nearest(points, _centres(points[way], count)) for way in ways)
        found.append(adjusted_rand_score(one, other))
    return float(np.mean(found))


def clearest_cloud(points: np.ndarray, count: int) -> float:
    """The clearest silhouette of clouds without groups, of the same spread and direction.

    A long cloud falls into a "large" and a "small" half that are quite steady and rather clear, though
    nothing parts them. Half of the clouds are normal, half are evenly filled.
    """
    rng, many = np.random.default_rng(SEED), min(len(points), 1000)
    spreads, ways = np.linalg.eigh(np.atleast_2d(np.cov(points.T)))
    size = np.sqrt(np.clip(spreads, 0, None))
    found = []
    for _ in range(CLOUDS):
        for draw in (rng.standard_normal, lambda shape: rng.uniform(-(3**0.5), 3**0.5, shape)):
            cloud = (draw((many, len(size))) * size) @ ways.T
            found.append(silhouette(cloud, _centres(cloud, count)))
    return max(found)


def _ordered(points: np.ndarray, start: np.ndarray, features: pd.DataFrame) -> np.ndarray:
    """The centres over all customers, the group of the largest median first, fact by fact, then by size."""
    centres = _centres(points, len(start), start)
    labels = nearest(points, centres)
    keys = []
    for place, centre in enumerate(centres):
        mine = points[labels == place]
        middle = np.median(mine, axis=0) if len(mine) else centre
        keys.append((*(-middle), -len(mine), *centre))
    return centres[sorted(range(len(centres)), key=keys.__getitem__)]


def labels(found: Groups, facts: pd.DataFrame) -> pd.Series:
    """The group of each customer, `group_1` and so on, or `not_grouped`.

    Facts of another day are put into the same groups, by the same scale: only customers move, never
    a group.
    """
    named = pd.Series(NOT_GROUPED, index=facts.index, dtype="str")
    if not found.count:
        return named
    points = scaled(profiles.numbers(facts), _used(found))
    known = ~np.isnan(points).any(axis=1)
    words = np.array(names(found), dtype=object)
    named[known] = words[nearest(points[known], found.centres)]
    return named


def table(found: Groups, labels: pd.Series, facts: pd.DataFrame, rule: ProfileRule) -> pd.DataFrame:
    """One row a group: cluster, group_name (as the unit `group` shows it), customers, share, net, share_of_net.

    A group's name holds the facts in use that set it apart most, the strongest first.
    """
    apart = profiles.traits(facts, labels, None, rule)
    most = profiles.strongest(apart[apart["fact"].isin(_used(found)["fact"])], rule.most)
    signs = most["effect"].gt(0).map({True: "higher", False: "lower"})
    words = (most["fact"] + "." + signs).groupby(most["level"]).agg(" ".join)
    grouped = facts.groupby(labels)
    order = [name for name in names(found) if name in grouped.groups]
    rows = grouped.agg(customers=("customer_id", "size"), net=("net", "sum")).reindex(order)
    rows = rows.rename_axis("cluster").reset_index()
    named = [f"{name} {words.get(name, '')}".strip() for name in order]
    rows = rows.assign(group_name=named, share=rows["customers"] / max(len(facts), 1))
    return rows[["cluster", "group_name", "customers", "share", "net"]]


def account(found: Groups) -> pd.DataFrame:
    """What was done with each fact: fact, known (share of customers), use."""
    rows = found.features
    logged = (rows["use"] == "used") & rows["logged"].astype(bool)
    return rows.assign(use=rows["use"].mask(logged, "used_logged"))[["fact", "known", "use"]]


def heights(found: Groups, labels: pd.Series, facts: pd.DataFrame) -> pd.DataFrame:
    """Groups (rows) by facts in use (columns): the median on one scale, 0 the mean of all, 1 a deviation."""
    used = _used(found)
    points = scaled(profiles.numbers(facts), used).round(2)
    middle = pd.DataFrame(points, columns=used["fact"], index=facts.index).groupby(labels).median()
    rows = middle.reindex([name for name in names(found) if name in middle.index])
    named = rows.rename_axis("cluster").rename_axis(None, axis=1).reset_index()
    return named.rename(columns=profiles.SILENT)


def names(found: Groups) -> list[str]:
    """The names of the groups, in order."""
    return [f"group_{number}" for number in range(1, found.count + 1)]


def _used(found: Groups) -> pd.DataFrame:
    return found.features[found.features["use"] == "used"]


def told(found: Groups) -> dict:
    """What a sentence about the groups needs: how many, how clear and steady, or why there are none."""
    return found.chosen | {"count": found.count, "reason": found.reason, "cloud": found.cloud}


def figures(found: Groups, labels: pd.Series) -> dict[str, dict]:
    """`cluster.…` by id: how many groups, their customers, how clear and how steady they are."""
    absent = {"value": None, "n": found.customers, "why": "no stable groups"}
    if found.reason in ("too_few", "no_facts"):
        absent |= {"why": "too few" if found.reason == "too_few" else "not supplied"}
        return {f"cluster.{part}": absent for part in ("count", "silhouette", "stability")}
    about, known = {"n": found.customers}, found.chosen
    sizes = labels.value_counts()
    parts = {name: known[name] for name in ("silhouette", "stability")}
    return {
        "cluster.count": about | {"value": found.count},
        **{f"cluster.{k}": about | {"value": v} if found.count else absent for k, v in parts.items()},
        **{f"cluster.{name}.customers": about | {"value": int(sizes.get(name, 0))} for name in names(found)},
    }
