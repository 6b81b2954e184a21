"""The customer file: who the customers are, hidden traits that drive what they do, and defects."""

import numpy as np
import pandas as pd

from . import days

PERSONAL, ENTERPRISE, LARGE = "个人客户", "企业客户", "大型企业客户"
TYPES = {PERSONAL: 2400, ENTERPRISE: 480, LARGE: 120}
# Customers who banked here before the history begins; as many as keep the number of buyers steady.
HELD_BEFORE = {PERSONAL: 1260, ENTERPRISE: 270, LARGE: 75}
ROLES = {
    "churned": {PERSONAL: 44, ENTERPRISE: 13, LARGE: 3},
    "dormant": {PERSONAL: 29, ENTERPRISE: 9, LARGE: 2},
    "steady": {PERSONAL: 75, ENTERPRISE: 20, LARGE: 5},
    "champions": {ENTERPRISE: 22, LARGE: 28},
}
REGIONS = {
    "广东省": (18, "广州市 深圳市 佛山市 东莞市"),
    "江苏省": (12, "南京市 苏州市 无锡市"),
    "浙江省": (11, "杭州市 宁波市 温州市"),
    "山东省": (10, "济南市 青岛市 烟台市"),
    "上海市": (9, "上海市"),
    "北京市": (9, "北京市"),
    "四川省": (7, "成都市 绵阳市"),
    "湖北省": (6, "武汉市 宜昌市"),
    "福建省": (6, "福州市 厦门市 泉州市"),
    "河南省": (5, "郑州市 洛阳市"),
    "陕西省": (4, "西安市 咸阳市"),
    "重庆市": (3, "重庆市"),
}
FIRM_INDUSTRIES = {
    "制造业": (28, "机械 电子 纺织 材料"),
    "零售业": (18, "商贸 百货"),
    "服务业": (14, "咨询 物业 餐饮"),
    "建筑业": (12, "建设 装饰"),
    "信息技术": (11, "科技 软件"),
    "交通运输": (9, "物流 运输"),
    "农业": (8, "农业 食品"),
}
# Banks ask a person for the trade they work in, so the column is filled for people as well;
# it stays blank for those who have none (retired, students) or would not say.
WORK_INDUSTRIES = {"制造业": 17, "零售业": 14, "服务业": 18, "建筑业": 9, "信息技术": 11}
WORK_INDUSTRIES |= {"交通运输": 7, "教育": 6, "医疗": 5, "": 13}
FIRM_FORMS = {"有限公司": 7, "股份有限公司": 2, "集团有限公司": 1}
GRADES = {
    PERSONAL: {"AAA": 6, "AA": 16, "A": 34, "BBB": 27, "BB": 12, "B": 5},
    ENTERPRISE: {"AAA": 7, "AA": 19, "A": 32, "BBB": 24, "BB": 12, "B": 6},
    LARGE: {"AAA": 34, "AA": 33, "A": 21, "BBB": 8, "BB": 3, "B": 1},
}
SIZES = {
    PERSONAL: {"": 1},
    ENTERPRISE: {"中型": 35, "小型": 45, "微型": 20},
    LARGE: {"大型": 1},
}
NEEDS = {
    PERSONAL: {"价格敏感型": 44, "品质追求型": 27, "个性化需求": 15, "": 14},
    ENTERPRISE: {"价格敏感型": 33, "品质追求型": 34, "个性化需求": 23, "": 10},
    LARGE: {"价格敏感型": 15, "品质追求型": 38, "个性化需求": 40, "": 7},
}
SURNAMES = list("王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余")
GIVEN = list("伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚玲桂英华玉萍红鹏飞鑫波斌宇浩凯健俊帆雪梅琳晨")
BRANDS = list("瑞恒鑫盛博远嘉宏泰晟凯隆达裕丰卓腾禾启辰朗迈锦途澜沐硕颂")
RARE_NAMES = ["李㐀", "陈𠮷", "王䶮", "张㛃", "刘𬍛", "赵㭎", "NA"]
RARE_FIRMS = ["NA电子有限公司", "𠮷禾食品有限公司", "㐀山科技股份有限公司"]
COLUMNS = [
    "客户编号",
    "客户名称",
    "客户类型",
    "联系电话",
    "所属行业",
    "省份",
    "城市",
    "性别",
    "出生年份",
    "企业规模",
    "信用等级",
    "开户日期",
    "需求类型",
    "更新日期",
]


def weighted(rng: np.random.Generator, weights: dict[str, float], *, count: int) -> np.ndarray:
    """`count` draws from the names, each with its weight."""
    share = np.array(list(weights.values())) / sum(weights.values())
    return np.array(list(weights), dtype=object)[rng.choice(len(weights), size=count, p=share)]


def people(rng: np.random.Generator) -> pd.DataFrame:
    """Customers with the traits no file shows: role, joining day, contentment."""
    count = sum(TYPES.values())
    number = rng.choice(299_999, size=count, replace=False) + 1
    kind = rng.permutation(np.repeat(list(TYPES), list(TYPES.values())))
    made = pd.DataFrame({"id": [f"{n:06d}" for n in np.sort(number)], "type": kind, "role": ""})
    made["held"] = False
    for name, held in HELD_BEFORE.items():
        of_type = rng.permutation(np.flatnonzero(kind == name))[:held]
        made.loc[of_type, "held"] = True
        for role, wanted in ROLES.items():
            chosen, of_type = np.split(of_type, [wanted.get(name, 0)])
            made.loc[chosen, "role"] = role
    made["joined"] = days.day_of(rng.uniform(0, days.CLOCK[-1], count))
    before = rng.integers(int((np.datetime64("2008-01-01") - days.START).astype(int)), 0, count)
    opened = np.where(made["held"], before, made["joined"] - rng.integers(0, 8, count))
    made["opened"] = opened
    made["content"] = rng.normal(0, 1, count)
    weights = {name: weight for name, (weight, _) in REGIONS.items()}
    made["province"] = weighted(rng, weights, count=count)
    return made


def firm_names(rng: np.random.Generator, city: np.ndarray, *, industry: np.ndarray) -> list[str]:
    """Invented company names, no two alike."""
    pairs = rng.choice(len(BRANDS) ** 2, size=len(city), replace=False)
    forms = weighted(rng, FIRM_FORMS, count=len(city))
    names = []
    for pair, town, trade, form in zip(pairs, city, industry, forms, strict=True):
        first, second = divmod(int(pair), len(BRANDS))
        word = rng.choice(FIRM_INDUSTRIES[trade][1].split())
        names.append(f"{town[:-1]}{BRANDS[first]}{BRANDS[second]}{word}{form}")
    return names


def customer_rows(rng: np.random.Generator, folk: pd.DataFrame) -> pd.DataFrame:
    """The customer file without defects, every value text."""
    person = (folk["type"] == PERSONAL).to_numpy()
    rows = pd.DataFrame("", index=folk.index, columns=COLUMNS, dtype=object)
    rows["客户编号"], rows["客户类型"], rows["省份"] = folk["id"], folk["type"], folk["province"]
    rows["城市"] = [rng.choice(REGIONS[name][1].split()) for name in folk["province"]]
    weights = {name: weight for name, (weight, _) in FIRM_INDUSTRIES.items()}
    trades = weighted(rng, weights, count=int((~person).sum()))
    rows.loc[~person, "所属行业"] = trades
    names = firm_names(rng, rows.loc[~person, "城市"].to_numpy(), industry=trades)
    names[: len(RARE_FIRMS)] = RARE_FIRMS
    rows.loc[~person, "客户名称"] = rng.permutation(np.array(names, dtype=object))
    about = personal_columns(rng, folk["opened"].to_numpy()[person])
    rows.loc[person, about.columns] = about.to_numpy()
    # 1990000…: well formed, in a block nobody is given
    rows["联系电话"] = [f"1990000{n:04d}" for n in rng.permutation(10_000)[: len(folk)]]
    for column, choices in {"企业规模": SIZES, "信用等级": GRADES, "需求类型": NEEDS}.items():
        for kind, weights in choices.items():
            drawn = weighted(rng, weights, count=TYPES[kind])
            rows.loc[(folk["type"] == kind).to_numpy(), column] = drawn
    rows["开户日期"] = days.iso(folk["opened"])
    last = int((days.DELIVERED - days.START).astype(int))
    rows["更新日期"] = days.iso(rng.integers(folk["opened"], last))
    return rows


def personal_columns(rng: np.random.Generator, opened: np.ndarray) -> pd.DataFrame:
    """What the file holds of persons alone; nobody opens an account before the age of 18."""
    count = len(opened)
    born = np.clip(rng.normal(1983, 12, count), 1942, 2004)
    born = np.minimum(born, 2022 - 18 + opened // 365).astype(int)
    columns = {
        "客户名称": person_names(rng, count),
        "所属行业": weighted(rng, WORK_INDUSTRIES, count=count),
        "性别": weighted(rng, {"男": 49, "女": 51}, count=count),
        "出生年份": born.astype(str),
    }
    return pd.DataFrame(columns, dtype=object)


def person_names(rng: np.random.Generator, count: int) -> np.ndarray:
    """Invented personal names, a few with characters that GBK lacks, and one that reads NA."""
    second = rng.choice([*GIVEN, *[""] * 14], size=count)
    whole = rng.choice(SURNAMES, size=count).astype(object) + rng.choice(GIVEN, size=count)
    whole = whole + second
    whole[: len(RARE_NAMES)] = RARE_NAMES
    return rng.permutation(whole)


def with_defects(rng: np.random.Generator, rows: pd.DataFrame) -> tuple[pd.DataFrame, dict]:
    """The customer file as delivered, and where its planted defects stand."""
    settled = np.flatnonzero((rows["开户日期"] < "2023-12-31").to_numpy())
    twice, torn = np.split(rng.choice(settled, size=27, replace=False), [12])
    rows = rows.copy()
    older = rows.loc[torn].copy()
    rows.loc[torn, "更新日期"] = days.iso(rng.integers(900, days.COUNT, len(torn)))
    older["更新日期"] = days.iso(rng.integers(740, 890, len(torn)))
    for position, at in enumerate(torn):
        others = [c for c in REGIONS[rows.at[at, "省份"]][1].split() if c != rows.at[at, "城市"]]
        if position % 2 and others:
            older.at[at, "城市"] = others[0]
        else:
            # 1990001…: no other customer has it, so nobody seems to share a telephone
            older.at[at, "联系电话"] = f"1990001{position:04d}"
    parts = [rows.assign(mark=""), rows.loc[twice].assign(mark="copy"), older.assign(mark="older")]
    places = [np.arange(len(rows)), twice + rng.integers(1, 60, 12) + 0.5]
    places.append(torn + rng.choice([-40.5, -0.5, 0.5, 25.5], size=15))
    order = np.argsort(np.concatenate(places), kind="stable")
    table = pd.concat(parts).iloc[order].reset_index(drop=True)
    mark, ids = table.pop("mark"), table["客户编号"]
    split = sorted(rows.loc[torn, "客户编号"])
    newest = table[ids.isin(split) & (mark == "")].set_index("客户编号")
    copies = np.flatnonzero(mark == "copy")
    defects = {
        "exact_duplicates": {
            "count": 12,
            "rows": (copies + 1).tolist(),
            "ids": ids.iloc[copies].tolist(),
        },
        "conflicting": {
            "count": 15,
            "rows": (np.flatnonzero(mark == "older") + 1).tolist(),
            "winning_rows": (np.flatnonzero(ids.isin(split) & (mark == "")) + 1).tolist(),
            "ids": split,
            "winning_values": newest[["联系电话", "城市", "更新日期"]].to_dict("index"),
        },
    }
    return table, defects
