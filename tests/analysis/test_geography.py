"""Regions on a ground: names of provinces in every form, maps of every kind of bad make."""

import json

import builders
import pandas as pd
import pytest

from crmlib.analysis import distribution, geography
from crmlib.analysis.provinces import NAMES, PROVINCES, province

# Seats of government, longitude and latitude in whole degrees, from any atlas.
SEATS = {
    "HL": (127, 46),
    "JL": (125, 44),
    "LN": (123, 42),
    "NM": (112, 41),
    "BJ": (116, 40),
    "TJ": (117, 39),
    "HE": (115, 38),
    "SX": (113, 38),
    "SD": (117, 37),
    "NX": (106, 38),
    "GS": (104, 36),
    "QH": (102, 37),
    "XJ": (88, 44),
    "XZ": (91, 30),
    "SN": (109, 34),
    "HA": (114, 35),
    "JS": (119, 32),
    "AH": (117, 32),
    "SH": (121, 31),
    "ZJ": (120, 30),
    "HB": (114, 31),
    "SC": (104, 31),
    "CQ": (107, 30),
    "HN": (113, 28),
    "JX": (116, 29),
    "GZ": (107, 27),
    "FJ": (119, 26),
    "YN": (103, 25),
    "TW": (122, 25),
    "GX": (108, 23),
    "GD": (113, 23),
    "HK": (114, 22),
    "MO": (113, 22),
    "HI": (110, 20),
}
# Provinces that share a border (a few of each part of the country).
BORDERS = ["HL-JL", "JL-LN", "HE-BJ", "BJ-TJ", "SX-HE", "SX-HA", "SN-HA", "HB-HN", "JS-SH", "JS-AH", "ZJ-JX"]
BORDERS += ["GD-GX", "SC-CQ", "YN-GZ", "XJ-GS", "QH-XZ", "GX-HI", "GD-FJ", "JX-HN", "GD-HK", "GD-MO", "SC-YN"]


def test_there_are_34_provinces_and_each_has_a_tile_of_its_own():
    assert {one.code for one in PROVINCES} == set(SEATS)
    assert len(PROVINCES) == len({(one.row, one.column) for one in PROVINCES}) == 34


def test_tiles_lie_as_the_provinces_do():
    tiles = pd.DataFrame([(one.row, one.column, *SEATS[one.code]) for one in PROVINCES])
    assert tiles[1].corr(tiles[2], method="spearman") > 0.9  # further right, further east
    assert tiles[0].corr(tiles[3], method="spearman") < -0.9  # further down, further south


@pytest.mark.parametrize("pair", BORDERS)
def test_neighbours_are_near_each_other_on_the_grid(pair):
    first, second = (next(one for one in PROVINCES if one.code == code) for code in pair.split("-"))
    assert max(abs(first.row - second.row), abs(first.column - second.column)) <= 2


@pytest.mark.parametrize(
    ("name", "code"),
    [
        *[
            ("广东", "GD"),
            ("广东省", "GD"),
            ("廣東", "GD"),
            ("廣東省", "GD"),
            ("粤", "GD"),
            ("Guangdong", "GD"),
        ],
        *[
            ("GUANGDONG PROVINCE", "GD"),
            ("guangdong sheng", "GD"),
            ("ＣＮ－ＧＤ", "GD"),
            ("中国广东省", "GD"),
        ],
        *[
            ("内蒙古自治区", "NM"),
            ("內蒙古", "NM"),
            ("Nei Mongol", "NM"),
            ("Inner Mongolia Autonomous Region", "NM"),
        ],
        *[
            ("新疆维吾尔自治区", "XJ"),
            ("广西壮族自治区", "GX"),
            ("宁夏回族自治区", "NX"),
            ("西藏自治区", "XZ"),
        ],
        *[("北京市", "BJ"), ("重慶市", "CQ"), ("Beijing Municipality", "BJ"), ("Shanghai Shi", "SH")],
        *[("香港特别行政区", "HK"), ("Hong Kong SAR", "HK"), ("Macau", "MO"), ("澳門", "MO"), ("臺灣", "TW")],
        *[
            ("山西", "SX"),
            ("陕西", "SN"),
            ("陝西省", "SN"),
            ("Shanxi", "SX"),
            ("Shaanxi", "SN"),
            ("Xizang", "XZ"),
        ],
        *[(" 江苏 省 ", "JS"), ("Jiang su", None), ("华东", None), ("", None), ("省", None), ("$x", None)],
        *[("Victoria", None), ("广东省广州市", None), ("GD", None), ("😀", None)],
    ],
)
def test_a_province_is_known_by_every_usual_name_and_by_no_other(name, code):
    found = province(name)
    assert (found.code if found else None) == code


def test_no_name_means_two_provinces():
    claimed: dict[str, set] = {}
    for one in PROVINCES:
        for name in (one.chinese, one.english.casefold(), *one.letters, *one.more):
            claimed.setdefault(name, set()).add(one.code)
    assert all(len(codes) == 1 for codes in claimed.values())
    assert {one.code for one in NAMES.values()} == set(SEATS)


def regions(**customers: int) -> pd.DataFrame:
    people = pd.DataFrame({"region": [name for name, many in customers.items() for _ in range(many)]})
    return distribution.by(people.replace({"nobody": None}), "region", most=None)


@pytest.fixture
def mapped(home):
    """A client whose client.yml names a map, with this content."""

    def made(content: object, name: str = "name"):
        config = builders.CONFIG + f"charts:\n  map: {{file: map.geojson, property: {name}}}\n"
        client = builders.made(home, config)
        text = content if isinstance(content, str | bytes) else json.dumps(content, ensure_ascii=False)
        (client.folder / "map.geojson").write_bytes(text if isinstance(text, bytes) else text.encode())
        return client

    return made


def area(name: object, *, at: float = 0, kind: str = "Polygon", property: str = "name") -> dict:
    ring = [[at, 0], [at + 1, 0], [at + 1, 1], [at, 1], [at, 0]]
    hole = [[at + 0.4, 0.4], [at + 0.6, 0.4], [at + 0.6, 0.6], [at + 0.4, 0.4]]
    shape = {"Polygon": [ring, hole], "MultiPolygon": [[ring], [[[at, 2], [at + 1, 2], [at, 3], [at, 2]]]]}
    return {"properties": {property: name}, "geometry": {"type": kind, "coordinates": shape[kind]}}


def collection(*features: dict) -> dict:
    return {"type": "FeatureCollection", "features": list(features)}


def told(client, ground) -> str:
    from crmlib import findings
    from crmlib.period import Period

    return (
        findings.Book("04-visualisation", client, Period.parse("2024-Q4"))
        .note(ground.why, **ground.said)
        .sentence
    )


def test_spellings_of_one_province_are_one_tile_and_what_is_none_stands_beside(acme):
    table = regions(广东省=3, 廣東=2, Guangdong=1, 火星=2, nobody=1)
    ground = geography.ground(acme, table)
    found = geography.placed(table, ground)
    assert ground.kind == "tiles"
    assert found[["place", "customers"]].values.tolist()[0] == ["广东", 6]
    assert sorted(found["region"][0].split(", ")) == ["Guangdong", "广东省", "廣東"]
    assert found["region"].tolist()[1:] == ["火星", "unknown"]
    assert found["customers"].sum() == 9 and found["share"].sum() == pytest.approx(1)
    cover = geography.coverage(found, ground)
    assert (cover["elsewhere"], cover["unknown"], cover["names"]) == (2, 1, ["火星"])
    assert (cover["places"], cover["empty"]) == (34, 33)


def test_a_firm_that_writes_pinyin_reads_pinyin(acme):
    ground = geography.ground(acme, regions(Guangdong=3, Tibet=1))
    assert set(ground.places.values()) == {"Guangdong", "Tibet"}


@pytest.mark.parametrize(
    "table", [regions(Bavaria=5, 北京=4), regions(nobody=3), regions().head(0), regions(nobody=1)]
)
def test_where_few_are_in_chinese_provinces_there_is_no_ground(acme, table):
    ground = geography.ground(acme, table)
    assert (ground.kind, ground.why) == ("none", "")
    found = geography.placed(table, ground)
    assert found["place"].isna().all()
    assert found["customers"].sum() == table["customers"].sum()
    assert geography.as_shown(found, ground).empty


def test_a_map_of_the_clients_own_is_drawn_with_its_holes_and_islands(mapped):
    client = mapped(collection(area("Bayern"), area("Sachsen", at=5, kind="MultiPolygon")))
    ground = geography.ground(client, regions(bayern=2, Sachsen=1, Mars=1))
    assert (ground.kind, ground.places) == ("map", {"bayern": "Bayern", "Sachsen": "Sachsen"})
    assert [len(rings) for rings in ground.shapes["Bayern"]] == [2]
    assert [len(rings) for rings in ground.shapes["Sachsen"]] == [1, 1]
    assert geography.coverage(geography.placed(regions(Mars=1, bayern=2), ground), ground)["names"] == [
        "Mars"
    ]


def test_a_map_of_provinces_is_matched_in_every_form(mapped):
    client = mapped(collection(area("廣東省"), area("Xizang", at=3)))
    ground = geography.ground(client, regions(广东=2, 西藏自治区=1))
    assert ground.places == {"广东": "廣東省", "西藏自治区": "Xizang"}


def test_several_features_of_one_region_are_one_place(mapped):
    client = mapped(collection(area("Bayern"), area("Bayern", at=5)))
    assert len(geography.ground(client, regions(Bayern=1)).shapes["Bayern"]) == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "The map map.geojson cannot be read: it is no GeoJSON in UTF-8."),
        (b"\xff\xfe\x00", "The map map.geojson cannot be read: it is no GeoJSON in UTF-8."),
        ("[" * 100_000, "The map map.geojson cannot be read: it is no GeoJSON in UTF-8."),
        ("[1, 2]", "The map map.geojson holds no features: it is no FeatureCollection."),
        (collection(), "The map map.geojson holds no features: it is no FeatureCollection."),
        (collection(area("X", property="id")), "The map map.geojson has no area with the property name."),
        (collection({"properties": None}, 7, {}), "The map map.geojson has no area with the property name."),
        (
            collection({"properties": {"name": "X"}, "geometry": {"type": "Point", "coordinates": [1, 2]}}),
            "The map map.geojson has no area with the property name.",
        ),
        (
            collection(area("Atlantis")),
            "The map map.geojson names none of the regions that customers are in, as 北京 is; it names Atlantis.",
        ),
        (
            collection(area("北京"), area(None), {"properties": {"name": "Y"}, "geometry": None}),
            "The map map.geojson: 1 features lack the property name, 1 have no area that can be drawn.",
        ),
    ],
)
def test_what_is_amiss_with_a_map_is_said_and_tiles_take_its_place(mapped, content, said):
    client = mapped(content)
    ground = geography.ground(client, regions(北京=2, 上海=1))
    assert told(client, ground) == said
    assert ground.kind == ("map" if said.endswith("drawn.") else "tiles")


@pytest.mark.parametrize(
    "bad", [[[0, 0]], [[0, 0], [1, 1]], [[0, "x"], [1, 1], [2, 2]], [[0, 0]] * 4, "x", None, [1, 2, 3]]
)
def test_a_ring_that_is_no_area_is_left_out_and_the_rest_drawn(mapped, bad):
    broken = {"properties": {"name": "上海"}, "geometry": {"type": "Polygon", "coordinates": [bad]}}
    client = mapped(collection(area("北京"), broken))
    ground = geography.ground(client, regions(北京=2, 上海=1))
    assert set(ground.shapes) == {"北京"}


def test_an_endless_number_is_no_place(mapped):
    client = mapped(json.dumps(collection(area("北京"))).replace("0.4", "1e999"))
    assert geography.ground(client, regions(北京=1)).shapes["北京"][0][1:] == ()  # its hole is left out


def test_a_map_of_two_hundred_megabytes_is_not_read(mapped):
    client = mapped("")
    with (client.folder / "map.geojson").open("wb") as file:
        file.truncate(200_000_000)  # sparse: it takes no room
    ground = geography.ground(client, regions(北京=1))
    assert told(client, ground) == (
        "The map map.geojson has 200 MB; at most 30 MB are read. Simplify its lines."
    )


def test_a_map_that_is_not_there_is_named(mapped):
    client = mapped("")
    (client.folder / "map.geojson").unlink()
    assert told(client, geography.ground(client, regions(北京=1))) == (
        "The map map.geojson is not in the client's folder."
    )
