"""What to propose to each customer next, by the way that has foretold last orders best (M11).

Four ways: what most customers of one's kind buy (`popular`, the baseline); what one bought oneself most often
(`own_habit`); what customers buy who bought the same (`item_to_item`, by cosine); what goes into an order
with what one ordered last (`by_rules`). Each is tried by hiding every customer's last day with an order and
proposing from what went before. The best one is used if it hits oftener than popularity beyond chance; else
popularity is.

Never proposed: what a customer took back and has not bought since, and what they own of products that
hardly anybody buys twice.
Source: Sarwar et al. (2001), WWW 10, 285–295.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import sparse, stats

from crmlib.analysis import intervals
from crmlib.preferences import Preferences

WAYS = ("popular", "own_habit", "item_to_item", "by_rules")
BASELINE = WAYS[0]
MOST_ITEMS = 4000  # the most bought ones are proposed; of others nobody knows enough
MOST_TESTED = 20_000  # customers
MOST_PAIRS = 100  # of which it is told who lacks one product; a longer list nobody works through
AT_ONCE = 500  # customers scored together: memory
TRIED = [
    "way",
    "hits",
    "customers",
    "share",
    "share_low",
    "share_high",
    "beats_by",
    "beats_low",
    "beats_high",
]
TRIED += ["coverage"]
WRITTEN = ["customer_id", "place", "item", "way"]


@dataclass(frozen=True)
class Known:
    """What is known of customers before a day: counts of days with each product, and what may not be proposed."""

    customers: np.ndarray
    items: np.ndarray
    kinds: np.ndarray
    days: sparse.csr_matrix
    newest: sparse.csr_matrix  # what the last day with an order brought
    together: np.ndarray  # share of orders with one product (row) that hold another (column)
    barred: sparse.csr_matrix

    @cached_property
    def alike(self) -> np.ndarray:
        """The cosine of each two products over customers who bought them."""
        return alike(self.days)

    @cached_property
    def popular(self) -> tuple[np.ndarray, np.ndarray]:
        """The share of customers of each kind (row) that bought each product; and the row of each customer."""
        kinds, number = np.unique(self.kinds.astype(str), return_inverse=True)
        place = (number, np.arange(len(number)))
        member = sparse.csr_matrix((np.ones(len(number)), place), (len(kinds), len(number)))
        buyers = np.asarray((member @ (self.days > 0)).todense(), dtype=float)
        return buyers / np.maximum(np.bincount(number, minlength=len(kinds))[:, None], 1), number


@dataclass(frozen=True)
class Tried:
    """How each way did, in the columns of `TRIED`; which is used; `why` nothing can be proposed."""

    table: pd.DataFrame
    chosen: str = BASELINE
    why: str = ""

    @property
    def customers(self) -> int:
        """Customers whose last day was hidden."""
        return int(self.table["customers"].max()) if len(self.table) else 0


def known(rows: pd.DataFrame, back: pd.DataFrame, rule: Preferences) -> Known:
    """What `bought` rows and returns tell of each known customer."""
    rows = rows[rows["customer_id"].notna()]
    most = rows["item"].value_counts()
    listed = sorted(most.sort_index().sort_values(ascending=False, kind="stable").index[:MOST_ITEMS])
    rows = rows[rows["item"].isin(listed)]
    each = rows.groupby(["customer_id", "item"], as_index=False).agg(
        days=("day", "nunique"), last=("day", "max")
    )
    customers, items = np.unique(rows["customer_id"].astype("str")), np.array(listed, dtype=object)
    shape = (len(customers), len(items))
    who, what = (
        pd.Index(customers).get_indexer(each["customer_id"]),
        pd.Index(items).get_indexer(each["item"]),
    )
    days = sparse.csr_matrix((each["days"].astype(float), (who, what)), shape)
    newest = each["last"].to_numpy() == each.groupby("customer_id")["last"].transform("max").to_numpy()
    last = sparse.csr_matrix((newest.astype(float), (who, what)), shape)
    last.eliminate_zeros()
    kinds = rows.drop_duplicates("customer_id").set_index("customer_id")["kind"].reindex(customers)
    barred = _returned(each, back, (who, what), shape) + _owned(days, rule)
    return Known(customers, items, kinds.to_numpy(dtype=object), days, last, _together(rows, items), barred)


def _returned(each: pd.DataFrame, back: pd.DataFrame, place: tuple, shape: tuple) -> sparse.csr_matrix:
    """What each customer took back after buying it last."""
    gone = each.merge(back, on=["customer_id", "item"], how="left")["day"].to_numpy(dtype=float)
    mine = gone >= each["last"].to_numpy()
    return sparse.csr_matrix((np.ones(mine.sum()), (place[0][mine], place[1][mine])), shape)


def _owned(days: sparse.csr_matrix, rule: Preferences) -> sparse.csr_matrix:
    """What each customer owns of products that hardly anybody buys on two days."""
    buyers = np.asarray((days > 0).sum(axis=0)).ravel()
    again = np.asarray((days > 1).sum(axis=0)).ravel()
    once = again < rule.bought_again * buyers
    return ((days > 0).astype(float) @ sparse.diags(once.astype(float))).tocsr()


def _together(rows: pd.DataFrame, items: np.ndarray) -> np.ndarray:
    """Of orders with one product, the share that hold another; nothing of a product with itself."""
    orders = pd.factorize(rows["order"])[0]
    held = sparse.csr_matrix(
        (np.ones(len(rows), dtype=np.float32), (orders, pd.Index(items).get_indexer(rows["item"]))),
        (int(orders.max(initial=-1)) + 1, len(items)),
    )
    both = (held.T @ held).toarray()
    counts = np.maximum(both.diagonal().copy(), 1)
    np.fill_diagonal(both, 0)
    return (both / counts[:, None]).astype(float)


def scores(of: Known, way: str, who: np.ndarray) -> np.ndarray:
    """How strongly a way speaks for each product to each of these customers; barred ones are out.

    What a way cannot tell apart goes by popularity among customers of one's kind.
    """
    shares, row = of.popular
    popular = shares[row[who]]
    own = of.days[who]
    if way == "popular":
        told = np.zeros_like(popular)
    elif way == "own_habit":
        told = own.toarray()
    elif way == "item_to_item":
        told = np.asarray(own @ of.alike)
    else:
        told = np.asarray(of.newest[who] @ of.together)
    found = told + popular * 1e-6
    found[of.barred[who].nonzero()] = -np.inf
    found[popular + told == 0] = -np.inf  # nobody of one's kind bought it
    return found


def alike(days: sparse.csr_matrix) -> np.ndarray:
    """The cosine of each two products over customers who bought them: 1 of a product with itself."""
    bought = (days > 0).astype(np.float32)
    both = (bought.T @ bought).toarray()
    size = np.sqrt(np.maximum(both.diagonal(), 1))
    return (both / size[:, None] / size[None, :]).astype(float)


def best(of: Known, way: str, *, most: int, who: np.ndarray) -> np.ndarray:
    """The products (numbers) a way proposes to each of these customers, the best first; -1 where there is none."""
    found = np.full((len(who), most), -1)
    for start in range(0, len(who), AT_ONCE):
        told = scores(of, way, who[start : start + AT_ONCE])
        rows = np.arange(len(told))
        for place in range(min(most, told.shape[1])):
            top = told.argmax(axis=1)
            found[start : start + AT_ONCE, place] = np.where(np.isfinite(told[rows, top]), top, -1)
            told[rows, top] = -np.inf
    return found


def tried(rows: pd.DataFrame, back: pd.DataFrame, rule: Preferences) -> Tried:
    """Each way tried on every customer's hidden last day.

    Returns
    -------
    way; hits (customers of whom at least one proposal was among what they bought); customers; share (of them hit, with
    its 90 % interval); beats_by (hits more than popularity, as a share of customers, with an interval that holds for
    all ways together); coverage (share of products proposed to anybody)
    """
    mine = rows[rows["customer_id"].notna()]
    last = mine.groupby("customer_id")["day"].transform("max")
    before = mine[mine["day"] < last]
    if before["customer_id"].nunique() < rule.at_least:
        return Tried(pd.DataFrame(columns=TRIED), why="few_customers")
    if before["item"].nunique() < 2:
        return Tried(pd.DataFrame(columns=TRIED), why="one_product")
    ends = last.groupby(mine["customer_id"]).first()
    of = known(
        before, back[back["day"].to_numpy() <= back["customer_id"].map(ends).to_numpy(dtype=float)], rule
    )
    hidden = mine[
        (mine["day"] == last) & mine["item"].isin(of.items) & mine["customer_id"].isin(of.customers)
    ]
    who = np.unique(pd.Index(of.customers).get_indexer(hidden["customer_id"]))
    who = who[:: -(-len(who) // MOST_TESTED)]
    place = pd.Index(of.customers).get_indexer(hidden["customer_id"])
    place = (place, pd.Index(of.items).get_indexer(hidden["item"]))
    truth = sparse.csr_matrix((np.ones(len(hidden)), place), of.days.shape)[who]
    told = {way: best(of, way, most=rule.proposed, who=who) for way in WAYS}
    rank = np.repeat(np.arange(len(who)), rule.proposed)
    hit = {}
    for way, found in told.items():
        met = np.asarray(truth[rank, found.ravel()]).reshape(found.shape) > 0
        hit[way] = (met & (found >= 0)).any(axis=1)
    table = pd.DataFrame([_row(way, hit, told[way], len(of.items)) for way in WAYS], columns=TRIED)
    return Tried(table, _chosen(table))


def _row(way: str, hit: dict[str, np.ndarray], told: np.ndarray, items: int) -> tuple:
    mine = hit[way]
    share = intervals.share(int(mine.sum()), len(mine))
    more = mine.astype(float) - hit[BASELINE]
    # Three ways are held against one: each interval is as much wider that all hold nine times in ten.
    reach = (
        stats.norm.ppf(1 - (1 - intervals.LEVEL) / 2 / (len(WAYS) - 1))
        * more.std()
        / max(len(more), 1) ** 0.5
    )
    beats = (np.nan,) * 3 if way == BASELINE else (more.mean(), more.mean() - reach, more.mean() + reach)
    covered = len(np.setdiff1d(np.unique(told), [-1])) / items
    return (way, int(mine.sum()), len(mine), share["value"], share["low"], share["high"], *beats, covered)


def _chosen(table: pd.DataFrame) -> str:
    """The way that hits oftenest among those that beat popularity beyond chance; else popularity."""
    better = table[table["beats_low"] > 0]
    return BASELINE if better.empty else str(better.sort_values("hits", kind="stable")["way"].iloc[-1])


def proposals(rows: pd.DataFrame, back: pd.DataFrame, rule: Preferences, found: Tried) -> pd.DataFrame:
    """What to propose to each known customer, in the columns of `WRITTEN`: place 1 is the first proposal."""
    if found.why:
        return pd.DataFrame(columns=WRITTEN)
    of = known(rows, back, rule)
    who = np.arange(len(of.customers))
    told = best(of, found.chosen, most=rule.proposed, who=who)
    row, place = np.nonzero(told >= 0)
    content = (of.customers[row], place + 1, of.items[told[row, place]], found.chosen)
    return pd.DataFrame(dict(zip(WRITTEN, content, strict=True)))


def cross_sales(rows: pd.DataFrame, back: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Who bought one product of a pair that goes together and never the other, the likeliest first.

    Parameters
    ----------
    pairs : complements, as `together.pairs` finds them over orders; the surest `MOST_PAIRS` are looked at

    Returns
    -------
    customer_id, has (bought), lacks (never bought, or taken back and not bought since: then left out), times (days with
    what they have), times_chance (how much oftener than chance the two go together)
    """
    names = ["customer_id", "has", "lacks", "times", "times_chance"]
    pairs = pairs.head(MOST_PAIRS)
    mine = rows[rows["customer_id"].notna() & rows["item"].isin([*pairs["product"], *pairs["other"]])]
    if mine.empty:
        return pd.DataFrame(columns=names)
    customers = pd.Index(mine["customer_id"].unique())
    mine = mine.assign(who=customers.get_indexer(mine["customer_id"]))
    kind = pd.factorize(mine.drop_duplicates("who")["kind"])[0]
    days = dict(iter(mine.groupby(["item", "who"])["day"].nunique().groupby(level=0)))
    gone = back.assign(who=customers.get_indexer(back["customer_id"])).groupby("item")["who"].agg(list)
    parts = []
    for pair in pairs.to_dict("records"):
        for has, lacks in ((pair["product"], pair["other"]), (pair["other"], pair["product"])):
            times = days[has].droplevel(0)
            buyers = days[lacks].index.get_level_values("who")
            out = np.zeros(len(customers) + 1, dtype=bool)  # the last for those who bought neither
            out[[*buyers, *gone.get(lacks, []), *gone.get(has, [])]] = True
            alike = np.isin(kind[times.index], kind[buyers])
            able = times[alike & ~out[times.index]]
            content = (customers[able.index], has, lacks, able.to_numpy(), pair["times_chance"])
            parts.append(pd.DataFrame(dict(zip(names, content, strict=True))))
    return pd.concat(parts).sort_values(
        ["times", "times_chance", "customer_id", "lacks"],
        ascending=[False, False, True, True],
        ignore_index=True,
    )
