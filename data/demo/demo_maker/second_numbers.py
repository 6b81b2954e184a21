"""Customers who stand in the file under several numbers, and others who only look as though they did.

A second row is the customer's own as another clerk would have typed it, on a later day. Look-alikes share
what relatives, firms of one group and people of one name share in life, and are different customers.
"""

import numpy as np
import pandas as pd

from . import days
from .customers import BRANDS, FIRM_INDUSTRIES, PERSONAL, REGIONS

# A little under three in a hundred customers; some have a third number.
SECOND, THIRD = 84, 6
LOOK_ALIKES = {"parent_and_child": 12, "spouses": 8, "one_group": 12, "head_and_branch": 4}
LOOK_ALIKES |= {"one_name": 10, "one_name_no_birth_year": 4}
COMMON_NAMES = ["王伟", "李娜", "张伟", "王芳", "刘洋", "李强", "张敏"]
COMMON_GENDERS = dict(zip(COMMON_NAMES, "男女男女男男女", strict=True))
# Typed by hand, as the file must not depend on any converter.
SIMPLE = "张刘陈杨黄赵吴孙马罗谢许邓冯韩萧伟丽强军艳杰涛红鹏飞华远凯达丰腾启迈锦澜颂硕机电纺织贸货询业饮设装饰软运输农广东苏无宁温济岛庆门绵阳汉郑众团"
OLD = "張劉陳楊黃趙吳孫馬羅謝許鄧馮韓蕭偉麗強軍艷傑濤紅鵬飛華遠凱達豐騰啟邁錦瀾頌碩機電紡織貿貨詢業飲設裝飾軟運輸農廣東蘇無寧溫濟島慶門綿陽漢鄭眾團"
TRADITIONAL = dict(zip(SIMPLE, OLD, strict=True))
SUFFIXES = {"股份有限公司": ["股份公司", "有限公司"], "集团有限公司": ["（集团）有限公司", "集团"]}
ANY_SUFFIX = ["有限责任公司", "公司", " Co., Ltd.", ""]
TYPOS = list("伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚")
FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
NAME, PHONE, CITY, BORN, GENDER = "客户名称", "联系电话", "城市", "出生年份", "性别"
ID, OPENED, CHANGED = "客户编号", "开户日期", "更新日期"
# How a second row differs, and how often; each of these and then the way its telephone is written.
WAYS = {
    "as_it_was": 16,
    "typo": 20,
    "traditional": 18,
    "suffix": 10,
    "moved": 12,
    "no_birth_year": 10,
    "new_telephone": 10,
    "new_telephone_and_moved": 2,
    "no_telephone": 4,
}
OF_PERSONS, OF_FIRMS = {"no_birth_year"}, {"suffix"}


def with_look_alikes(rng: np.random.Generator, rows: pd.DataFrame, *, free: np.ndarray):
    """The customer file with some pairs of rows made alike, and which they are; `free` rows may be changed."""
    rows, pairs = rows.copy(), []
    left, told = list(rng.permutation(free)), rows.to_dict("index")
    for kind, count in LOOK_ALIKES.items():
        for nth in range(count):
            first, second = _couple(told, left, kind)
            left = [row for row in left if row not in (first, second)]
            _made_alike(rng, rows, first, second, kind=kind, nth=nth)
            pairs.append({"kind": kind, "ids": sorted(rows.loc[[first, second], ID])})
    return rows, pairs, np.sort(np.array(left))


def _couple(told: dict[int, dict], left: list[int], kind: str) -> tuple[int, int]:
    """Two rows of one province that the kind may happen to: provinces stay, as the survey speaks of them."""
    firms = kind in ("one_group", "head_and_branch")
    for at, first in enumerate(left):
        a = told[first]
        if (a["客户类型"] == PERSONAL) == firms or a[NAME] == "NA":
            continue
        for second in left[at + 1 :]:
            b = told[second]
            if b["省份"] != a["省份"] or (b["客户类型"] == PERSONAL) == firms or b[NAME] == "NA":
                continue
            if firms or _apart(a, b, kind):
                return first, second
    raise ValueError(f"no two customers left for {kind}")


def _apart(a: dict, b: dict, kind: str) -> bool:
    years = abs(int(a[BORN]) - int(b[BORN]))
    return years >= 20 if kind == "parent_and_child" else years >= 3


def _made_alike(rng, rows: pd.DataFrame, first: int, second: int, *, kind: str, nth: int) -> None:
    rows.at[second, CITY] = rows.at[first, CITY]
    town, phone = rows.at[first, CITY][:-1], rows.at[first, PHONE]
    if kind in ("one_name", "one_name_no_birth_year"):
        name = COMMON_NAMES[nth % len(COMMON_NAMES)]
        rows.loc[[first, second], [NAME, GENDER]] = [name, COMMON_GENDERS[name]]
        if kind == "one_name_no_birth_year":
            rows.at[second, BORN] = ""
        return
    rows.at[second, PHONE] = phone
    if kind == "parent_and_child":
        rows.loc[[first, second], GENDER] = "男"
        rows.at[first, NAME], rows.at[second, NAME] = (
            f"{rows.at[first, NAME][0]}国栋",
            rows.at[first, NAME][0] + "子轩",
        )
    elif kind == "spouses":
        rows.loc[[first, second], GENDER] = ["男", "女"]
    else:
        brand = "".join(rng.choice(BRANDS, 2, replace=False)) + "众"
        trades = rng.choice(
            [w for _, words in FIRM_INDUSTRIES.values() for w in words.split()], 2, replace=False
        )
        rows.at[first, NAME] = f"{town}{brand}{trades[0]}有限公司"
        branch = f"{town}{brand}{trades[0]}有限公司{town}分公司"
        rows.at[second, NAME] = branch if kind == "head_and_branch" else f"{town}{brand}{trades[1]}有限公司"


def with_second_numbers(
    rng, rows: pd.DataFrame, lines: pd.DataFrame, *, free: np.ndarray, numbers: list[str], folk
):
    """The file with the second rows at its end, and what they are: id, of (the first number), way, opened."""
    whose = rng.choice(free, SECOND, replace=False)
    whose = np.append(whose, whose[:THIRD])
    customer = dict(zip(folk["id"], folk.index, strict=True))
    ordered = lines[lines["kind"] == "sale"].groupby("customer")["day"].unique()
    made, planted = [], []
    for row, number in zip(whose, numbers, strict=True):
        first = rows.loc[row]
        bought = np.sort(ordered.get(customer[first[ID]], np.array([], dtype=int)))
        earliest = int((np.datetime64(first[OPENED]) - days.START).astype(int)) + 30
        later = bought[1:][bought[1:] >= earliest]
        day = (
            int(rng.choice(later))
            if len(later)
            else min(max(earliest, 0) + int(rng.integers(400)), days.COUNT + 4)
        )
        way = _way(rng, first)
        second = _second(rng, first, way=way) | {ID: number, OPENED: str(days.iso([day])[0])}
        second[CHANGED] = str(days.iso([int(rng.integers(day, days.COUNT + 5))])[0])
        made.append(second)
        planted.append({"id": number, "of": first[ID], "way": way, "opened": day})
    table = pd.concat([rows, pd.DataFrame(made, columns=rows.columns)], ignore_index=True).astype(object)
    return table, pd.DataFrame(planted)


def _way(rng: np.random.Generator, first: pd.Series) -> str:
    barred = OF_FIRMS if first["客户类型"] == PERSONAL else OF_PERSONS
    barred = barred | ({"typo", "traditional"} if first[NAME] == "NA" else set())
    ways = {way: weight for way, weight in WAYS.items() if way not in barred}
    share = np.array(list(ways.values())) / sum(ways.values())
    return str(rng.choice(list(ways), p=share))


def _second(rng: np.random.Generator, first: pd.Series, *, way: str) -> dict[str, str]:
    """The customer once more, as typed on another day."""
    row = first.to_dict()
    if way == "typo":
        row[NAME] = typo(rng, row[NAME])
    elif way == "traditional":
        row[NAME] = "".join(TRADITIONAL.get(c, c) for c in row[NAME])
    elif way == "suffix":
        end = next((e for e in [*SUFFIXES, "有限公司"] if row[NAME].endswith(e)), "")
        body = row[NAME][: len(row[NAME]) - len(end)]
        row[NAME] = body + str(rng.choice([*SUFFIXES.get(end, []), *ANY_SUFFIX]))
    if way.endswith("moved"):
        others = [town for town in REGIONS[row["省份"]][1].split() if town != row[CITY]]
        row[CITY] = str(rng.choice(others)) if others else row[CITY]
    if way == "no_birth_year":
        row[BORN] = ""
    if way.startswith("new_telephone"):
        row[PHONE] = f"1990002{int(rng.integers(10_000)):04d}"
    row[PHONE] = "" if way == "no_telephone" else rewritten(rng, row[PHONE])
    row["需求类型"] = str(rng.choice([row["需求类型"], ""]))
    return row


def typo(rng: np.random.Generator, name: str) -> str:
    """A name with one character wrong, never its first."""
    at = int(rng.integers(1, min(len(name), 6)))
    return name[:at] + str(rng.choice([c for c in TYPOS if c != name[at]])) + name[at + 1 :]


def rewritten(rng: np.random.Generator, phone: str) -> str:
    """The same telephone in one of the ways people write it."""
    groups = (phone[:3], phone[3:7], phone[7:])
    ways = [phone, "+86 " + " ".join(groups), "0086-" + "-".join(groups), "-".join(groups), " ".join(groups)]
    ways += ["86" + phone, phone.translate(FULL_WIDTH)]
    return str(rng.choice(ways))


def spread_orders(rng, sold: pd.DataFrame, made: pd.DataFrame, *, planted: pd.DataFrame) -> pd.DataFrame:
    """Order lines of which some documents, from the second number's first day on, stand under that number."""
    sold = sold.copy()
    dated = made[made["doc"].notna() & made["day"].notna() & sold[ID].isin(planted["of"])]
    theirs = dict(list(dated.groupby(sold.loc[dated.index, ID])))
    for second in planted.itertuples():
        if second.of not in theirs:
            continue
        lines = theirs[second.of]
        lines = lines[(lines["day"] >= second.opened) & (sold.loc[lines.index, ID] == second.of)]
        documents = np.sort(lines["doc"].unique())
        taken = documents[rng.uniform(size=len(documents)) < 0.5]
        sold.loc[lines.index[lines["doc"].isin(taken)], ID] = second.id
    return sold


def spread_answers(rng, said: pd.DataFrame, *, planted: pd.DataFrame, spared: set[str]) -> pd.DataFrame:
    """Survey forms of which some stand under the second number; those of `spared` customers are left."""
    said = said.copy()
    for second in planted.itertuples():
        if second.of in spared:
            continue
        theirs = (said["respondent"] == second.of) & (
            said["answered_on"] >= str(days.iso([second.opened])[0])
        )
        dates = np.sort(said.loc[theirs, "answered_on"].unique())
        taken = dates[rng.uniform(size=len(dates)) < 0.4]
        said.loc[theirs & said["answered_on"].isin(taken), "respondent"] = second.id
    return said
