"""China's 34 provinces: what they are called, and where each stands on a grid of tiles.

The names are those of the Ministry of Civil Affairs; the letters those of ISO 3166-2:CN. On the grid every
province is one tile near its true place, so that small ones are seen as well as large ones.
"""

from dataclasses import dataclass

import pandas as pd

from crmlib.cleaning import normal


@dataclass(frozen=True)
class Province:
    """A province: letters of ISO 3166-2, short names, the letter on number plates, and its tile (from the top left)."""

    code: str
    chinese: str
    english: str
    letters: str  # one-letter names
    row: int
    column: int
    more: tuple[str, ...] = ()  # other names in Latin letters


PROVINCES = (
    Province("HL", "黑龙江", "Heilongjiang", "黑", 0, 6),
    Province(
        "NM",
        "内蒙古",
        "Inner Mongolia",
        "蒙",
        1,
        4,
        ("nei mongol", "neimenggu", "nei menggu", "nei mongolia"),
    ),
    Province("JL", "吉林", "Jilin", "吉", 1, 6),
    Province("XJ", "新疆", "Xinjiang", "新", 2, 0, ("xinjiang uygur", "xinjiang uyghur", "sinkiang")),
    Province("GS", "甘肃", "Gansu", "甘陇", 2, 1),
    Province("NX", "宁夏", "Ningxia", "宁", 2, 2, ("ningxia hui",)),
    Province("SX", "山西", "Shanxi", "晋", 2, 3),
    Province("HE", "河北", "Hebei", "冀", 2, 4),
    Province("BJ", "北京", "Beijing", "京", 2, 5, ("peking",)),
    Province("LN", "辽宁", "Liaoning", "辽", 2, 6),
    Province("XZ", "西藏", "Tibet", "藏", 3, 0, ("xizang",)),
    Province("QH", "青海", "Qinghai", "青", 3, 1),
    Province("SN", "陕西", "Shaanxi", "陕秦", 3, 2),
    Province("HA", "河南", "Henan", "豫", 3, 3),
    Province("SD", "山东", "Shandong", "鲁", 3, 4),
    Province("TJ", "天津", "Tianjin", "津", 3, 5),
    Province("SC", "四川", "Sichuan", "川蜀", 4, 1, ("szechuan",)),
    Province("CQ", "重庆", "Chongqing", "渝", 4, 2),
    Province("HB", "湖北", "Hubei", "鄂", 4, 3),
    Province("AH", "安徽", "Anhui", "皖", 4, 4),
    Province("JS", "江苏", "Jiangsu", "苏", 4, 5),
    Province("SH", "上海", "Shanghai", "沪", 4, 6),
    Province("YN", "云南", "Yunnan", "滇云", 5, 1),
    Province("GZ", "贵州", "Guizhou", "黔贵", 5, 2),
    Province("HN", "湖南", "Hunan", "湘", 5, 3),
    Province("JX", "江西", "Jiangxi", "赣", 5, 4),
    Province("ZJ", "浙江", "Zhejiang", "浙", 5, 5),
    Province("GX", "广西", "Guangxi", "桂", 6, 2, ("guangxi zhuang",)),
    Province("GD", "广东", "Guangdong", "粤", 6, 3, ("canton",)),
    Province("FJ", "福建", "Fujian", "闽", 6, 4, ("fukien",)),
    Province("TW", "台湾", "Taiwan", "台", 6, 6),
    Province("HI", "海南", "Hainan", "琼", 7, 2),
    Province("MO", "澳门", "Macao", "澳", 7, 3, ("macau", "aomen")),
    Province("HK", "香港", "Hong Kong", "港", 7, 4, ("hongkong", "xianggang")),
)
# Written after the name: they say what it is, not which.
CHINESE_ENDS = (
    "特别行政区",
    "壮族自治区",
    "回族自治区",
    "维吾尔自治区",
    "维吾尔族自治区",
    "自治区",
    "省",
    "市",
)
LATIN_ENDS = (
    *("special administrative region", "autonomous region", "municipality", "province", "zizhiqu", "sheng"),
    *("city", "shi", "region", "sar"),
)


def _names() -> dict[str, Province]:
    """Every accepted form, in normal form, to its province."""
    found: dict[str, Province] = {}
    for one in PROVINCES:
        english = one.english.casefold()
        for name in (
            one.chinese,
            english,
            english.replace(" ", ""),
            *one.letters,
            *one.more,
            f"cn {one.code}".casefold(),
        ):
            found[name] = one
    return found


NAMES = _names()


def province(name: str) -> Province | None:
    """The province a name means; None where it means none of them.

    Short and long names, simplified and traditional characters, half and full width, names in Latin letters
    with or without "Province", the letter of number plates and ISO 3166-2 (CN-GD) are known.

    >>> [province(name).code for name in ("广东", "廣東省", "内蒙古自治区", "Guangdong Province", "CN-GD")]
    ['GD', 'GD', 'NM', 'GD', 'GD']
    >>> province("华东") is None
    True
    """
    plain = normal.text(pd.Series([str(name)], dtype=object)).iloc[0]
    if plain is None:
        return None
    plain = plain.removeprefix("中国").removeprefix("china ").strip()
    for end in ("", *CHINESE_ENDS):
        if end and plain.endswith(end) and plain[: -len(end)] in NAMES and len(plain) > len(end) + 1:
            return NAMES[plain[: -len(end)]]
    while plain not in NAMES:
        end = next((end for end in LATIN_ENDS if plain.endswith(f" {end}")), None)
        if end is None:
            return None
        plain = plain.removesuffix(f" {end}")
    return NAMES[plain]
