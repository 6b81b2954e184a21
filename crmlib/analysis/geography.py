"""Where customers are, on a ground that is drawn without asking anybody: a client's own map, or China's provinces.

Regions are as delivered. What a ground does not know is listed beside it and counted, never dropped.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from crmlib.analysis.distribution import UNKNOWN
from crmlib.analysis.provinces import PROVINCES, province
from crmlib.cleaning import normal
from crmlib.client import Client
from crmlib.language import WORDS
from crmlib.pictures import Map

LARGEST = 30_000_000  # bytes of a map that is read: a country's provinces need one or two million
PLACED = ["place", "region", "customers", "share"]
UNITS = {"place": "text"}

Ring = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Ground:
    """What regions are drawn on.

    Parameters
    ----------
    kind : tiles, map or none
    places : the place that each region as delivered lies in; regions that lie nowhere are not there
    tiles : place → row and column, from the top left
    shapes : place → rings of its polygons, the outer one of each first
    why : why there is none, or what is amiss with it: keys of the catalogue with their values
    """

    kind: str
    places: Mapping[str, str] = field(default_factory=dict)
    tiles: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    shapes: Mapping[str, tuple[tuple[Ring, ...], ...]] = field(default_factory=dict)
    why: str = ""
    said: Mapping[str, Any] = field(default_factory=dict)


def ground(client: Client, regions: pd.DataFrame) -> Ground:
    """The ground for a client's regions: the map that `client.yml` names, else tiles where most are Chinese provinces.

    `regions` is every region with its customers, as `distribution.by` returns it. A map that cannot be used is told (`why`), and the tiles take its place where they fit.
    """
    known = regions[regions["region"].notna() & (regions["region"] != UNKNOWN)]
    named = known["region"].tolist()
    asked = client.charts.map
    fallback = tiled(dict(zip(named, known["customers"], strict=True)))
    if asked is None:
        return fallback
    shapes, why, said = shapes_of(client.folder / asked.file, asked)
    said = {"file": asked.file, "property": asked.property} | said
    if not shapes:
        return Ground(fallback.kind, fallback.places, fallback.tiles, why=why, said=said)
    places = _matched(named, shapes)
    if not places:
        why = WORDS["map_foreign"]
        said |= {"example": named[0] if named else UNKNOWN, "there": sorted(shapes)[:5]}
        return Ground(fallback.kind, fallback.places, fallback.tiles, why=why, said=said)
    return Ground("map", places, shapes=shapes, why=why, said=said)


def tiled(customers: Mapping[str, int]) -> Ground:
    """Tiles of China's provinces, where more than half of the customers are in such a region; else no ground.

    Provinces are called as the client calls most of them: in Chinese or in Latin letters.
    """
    found = {name: one for name in customers if (one := province(name))}
    if 2 * sum(customers[name] for name in found) <= sum(customers.values()):
        return Ground("none")
    latin = sum(name.isascii() for name in found)
    chinese = 2 * latin <= len(found)
    called = {one.code: one.chinese if chinese else one.english for one in PROVINCES}
    tiles = {called[one.code]: (one.row, one.column) for one in PROVINCES}
    return Ground("tiles", {name: called[one.code] for name, one in found.items()}, tiles=tiles)


def _matched(named: list[str], shapes: Mapping[str, Any]) -> dict[str, str]:
    """The shape of each region: by its normal form, without the word that says what kind it is, or as a province."""
    there: dict[object, str] = {}
    for form in (_province_code, _short, _plain):  # the last to be written is the nearest form
        there |= {form(name): name for name in shapes if form(name) is not None}
    found = {}
    for name in named:
        hits = (there[key] for form in (_plain, _short, _province_code) if (key := form(name)) in there)
        if hit := next(hits, None):
            found[name] = hit
    return found


def _plain(name: str) -> str | None:
    return normal.text(pd.Series([name], dtype=object)).iloc[0]


def _short(name: str) -> str | None:
    return normal.place(pd.Series([name], dtype=object)).iloc[0]


def _province_code(name: str) -> tuple[str] | None:
    one = province(name)
    return (one.code,) if one else None


def shapes_of(path: Path, asked: Map) -> tuple[dict[str, tuple], str, dict[str, Any]]:
    """Shapes by the name of their region, and in words what is amiss: shapes, key, values of the key."""
    try:
        size = path.stat().st_size
        if size > LARGEST:
            return {}, WORDS["map_large"], {"size": size / 1e6, "most": LARGEST / 1e6}
        content = json.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        return {}, WORDS["map_missing"], {}
    except (OSError, ValueError, RecursionError):
        return {}, WORDS["map_broken"], {}
    features = content.get("features") if isinstance(content, dict) else None
    if not isinstance(features, list) or not features:
        return {}, WORDS["map_empty"], {}
    shapes: dict[str, tuple] = {}
    nameless = shapeless = 0
    for feature in features:
        name, polygons = _named(feature, asked.property), _polygons(feature)
        nameless += name is None
        shapeless += name is not None and not polygons
        if name is not None and polygons:
            shapes[name] = (*shapes.get(name, ()), *polygons)
    if not shapes:
        return {}, WORDS["map_nameless"], {}
    partly = WORDS["map_partly"] if nameless or shapeless else ""
    return shapes, partly, {"nameless": nameless, "shapeless": shapeless}


def _named(feature: Any, key: str) -> str | None:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    name = properties.get(key) if isinstance(properties, dict) else None
    if isinstance(name, bool) or not isinstance(name, str | int | float):
        return None
    return str(name).strip() or None


def _polygons(feature: Any) -> tuple[tuple[Ring, ...], ...]:
    """Polygons of a feature, each an outer ring and its holes; what is no area is left out."""
    shape = feature.get("geometry") if isinstance(feature, dict) else None
    if not isinstance(shape, dict):
        return ()
    kinds = {"Polygon": lambda c: [c], "MultiPolygon": list}
    parts = shape.get("coordinates")
    if shape.get("type") == "GeometryCollection" and isinstance(shape.get("geometries"), list):
        inner = (_polygons({"geometry": part}) for part in shape["geometries"])
        return tuple(polygon for found in inner for polygon in found)
    if shape.get("type") not in kinds or not isinstance(parts, list):
        return ()
    found = []
    for polygon in kinds[shape["type"]](parts):
        rings = [_ring(ring) for ring in polygon] if isinstance(polygon, list) else []
        if rings and rings[0]:
            found.append(tuple(ring for ring in rings if ring))
    return tuple(found)


def _ring(points: Any) -> Ring:
    """Points of a ring; none where they are no area."""
    if not isinstance(points, list) or len(points) < 3:
        return ()
    ring = []
    for point in points:
        pair = point[:2] if isinstance(point, list) else ()
        if len(pair) < 2 or not all(type(n) in (int, float) and math.isfinite(n) for n in pair):
            return ()
        ring.append((float(pair[0]), float(pair[1])))
    return tuple(ring) if len(set(ring)) >= 3 else ()


def placed(regions: pd.DataFrame, on: Ground) -> pd.DataFrame:
    """Customers by place of a ground, the largest first; regions that lie nowhere on it after them.

    Parameters
    ----------
    regions : every region with its customers, as `distribution.by` returns it

    Returns
    -------
    place (empty where the ground knows none), region (as delivered; several spellings with a comma between),
    customers, share
    """
    rows = regions.assign(place=regions["region"].map(on.places))
    known = rows[rows["place"].notna()]
    together = known.groupby("place", sort=False).agg(
        region=("region", ", ".join), customers=("customers", "sum"), share=("share", "sum")
    )
    together = together.reset_index().sort_values(["customers", "place"], ascending=[False, True])
    table = pd.concat([together, rows[rows["place"].isna()][PLACED]], ignore_index=True)[PLACED]
    return table.astype({"place": object}).astype({"customers": "int64", "share": float})


def as_shown(table: pd.DataFrame, on: Ground) -> pd.DataFrame:
    """The table of `placed` where there is a ground, else none of its rows: the bars by region say it all."""
    return table if on.kind != "none" else table.head(0)


def coverage(table: pd.DataFrame, on: Ground) -> dict:
    """How many of the customers a ground shows, and where there are none.

    Returns
    -------
    n (customers), shown (share on the ground), names (regions that lie nowhere on it, without "unknown"),
    elsewhere (their customers), unknown (customers whose region nobody knows), places, empty (places without any)
    """
    lost = table[table["place"].isna()]
    unknown = lost["region"] == UNKNOWN
    n, there = int(table["customers"].sum()), on.tiles or on.shapes
    return {
        "n": n,
        "shown": 1 - float(lost["customers"].sum()) / max(n, 1),
        "names": lost.loc[~unknown, "region"].tolist()[:5],
        "elsewhere": int(lost.loc[~unknown, "customers"].sum()),
        "unknown": int(lost.loc[unknown, "customers"].sum()),
        "places": len(there),
        "empty": len(there) - int(table["place"].notna().sum()),
        "kind": on.kind,
    }
