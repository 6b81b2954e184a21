"""`relations.html`: the graph of customers to look around in, on a page that stands alone.

One library draws (cytoscape.js, with its licence under `vendor/`); it stands in the page, and the page's policy lets
nothing run but these very scripts, and nothing be loaded. Customers are masks, texts from data stand in JSON whose
signs cannot end it, and are written as text. What is filtered is what `network_panel.shown` says.
"""

import base64
import hashlib
import json
import re

import numpy as np
import pandas as pd
from markupsafe import Markup

from crmlib.analysis.picture import Picture
from crmlib.client import Client
from crmlib.exhibits import heading
from crmlib.language import Language
from crmlib.period import Period
from crmlib.privacy import key, masked
from crmlib.visualisation.network import COLOURS, short
from crmlib.workbook import report
from crmlib.workbook.kernels import ROOT

VENDOR = ROOT / "crmlib" / "workbook" / "vendor" / "cytoscape"
LISTED = 20  # customers in the table that says what the picture shows
AT_ONCE = 1000  # customers drawn at first, those of the largest net sales; all on demand
STATES = (*COLOURS, "not_graded")
DOT = (5.0, 42.0)  # diameters


def page(client: Client, period: Period, picture: Picture, language: Language) -> str:
    """The page in one language; without a graph it says why there is none."""
    text = language.text
    about = text("as of {day:date}", day=period.as_of)
    nothing = "" if len(picture.graph) else _nothing(picture, language)
    data = {} if nothing else _data(client, picture, language)
    library, code = ((VENDOR / "cytoscape.min.js").read_text("utf-8"), _script("relations.js"))
    scripts = () if nothing else (library, code)
    hashes = " ".join(f"'sha256-{_hash(script)}'" for script in scripts)
    policy = report.POLICY + (f"; script-src {hashes}" if hashes else "")
    return report.whole_page(
        "relations.html.j2",
        policy=policy,
        lang=language.tag,
        report=language.file("report.html"),
        title=text("Relations between customers"),
        whose=f"{client.name} · {period.name}",
        about=about,
        nothing=nothing,
        data=Markup(_inert(data)),
        scripts=[Markup(script) for script in scripts],
        css_own=Markup((report.TEMPLATES / "relations.css").read_text("utf-8")),
        words=_words(language),
        kinds=data.get("kinds", []),
        communities=data.get("communities", []),
        states=[state | {"dot": f"dot-{state['name']}"} for state in data.get("states", [])],
        table=[] if nothing else _table(client, picture, language),
        headings=[language.heading(heading(name)) for name in _COLUMNS],
    )


def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _script(name: str) -> str:
    return (report.TEMPLATES / name).read_text("utf-8")


def _inert(data: dict) -> str:
    """JSON that no text in it can end, whatever it holds.

    >>> _inert({"a": "</script>"})
    '{"a":"\\\\u003c/script\\\\u003e"}'
    """
    whole = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign in "<>&\u2028\u2029":
        whole = whole.replace(sign, f"\\u{ord(sign):04x}")
    return whole


def _nothing(picture: Picture, language: Language) -> str:
    if picture.graph.why == "not_supplied":
        return language.text("Not supplied: no relations between customers, so nobody's influence is known.")
    key = "None of {rows:count} relations is between two different known customers: nothing to draw."
    return language.text(key, rows=picture.graph.told["rows"])


def _data(client: Client, picture: Picture, language: Language) -> dict:
    """What the page draws: nodes and ties as columns, kinds, communities, states and texts."""
    nodes, main = picture.nodes, 10**client.decimals
    net = nodes["net"].astype(float).to_numpy() / main
    numbers = masked(picture.graph.ids, key(client))
    state = nodes["behaviour"].where(nodes["behaviour"].isin(STATES), "not_graded")
    kinds = _kinds(picture, language)
    order = {kind["kind"]: place for place, kind in enumerate(kinds)}
    return {
        "lang": language.tag,
        "kinds": kinds,
        "communities": _communities(nodes, language),
        "states": [
            {"name": name, "text": language.show(name, "word")} for name in STATES if (state == name).any()
        ],
        "nodes": {
            "id": numbers.tolist(),
            "name": short(numbers),
            "x": _round(nodes["x"]),
            "y": _round(-nodes["y"]),
            "size": _round(_sizes(net)),
            "value": [None if np.isnan(value) else round(float(value), 2) for value in net],
            "shown": [language.show(None if np.isnan(v) else float(v), "short_money") for v in net],
            "state": state.tolist(),
            "community": nodes["community"].astype(int).tolist(),
            "place": nodes["place"].astype(int).tolist(),
            "reach": nodes["reach_1"].astype(int).tolist(),
            "sad": nodes["sad"].astype(int).tolist(),
        },
        "ties": {
            "source": picture.ties["source"].astype(int).tolist(),
            "target": picture.ties["target"].astype(int).tolist(),
            "kind": [order[kind] for kind in picture.ties["kind"]],
        },
        "first": _first(net),
        "texts": _words(language),
    }


def _kinds(picture: Picture, language: Language) -> list[dict]:
    """Kinds with the id of their box, the name, how many ties, and which line they have; the most frequent first."""
    counts = picture.ties["kind"].value_counts().sort_index().sort_values(ascending=False, kind="stable")
    rule, taken, found = picture.graph.rule, set(), []
    usual = {**dict.fromkeys(rule.one_way, "dashed"), **dict.fromkeys(rule.against, "dotted")}
    for kind, many in counts.items():
        id = "kind-" + (re.sub(r"[^\w-]+", "-", kind).strip("-") or "other")
        while id in taken:
            id += "-again"
        taken.add(id)
        arrow = kind in rule.one_way or kind not in (*rule.both_ways, *rule.against)
        line = "solid" if kind in rule.both_ways else usual.get(kind, "own")
        shown = {"text": language.show(kind, "word"), "many": language.show(many, "count")}
        found.append({"kind": kind, "id": id, "line": line, "arrow": bool(arrow)} | shown)
    return found


def _communities(nodes: pd.DataFrame, language: Language) -> list[dict]:
    sizes = nodes.loc[nodes["community"] > 0, "community"].value_counts().sort_index()
    words = "{number:count}: {customers:count} customers"
    return [{"number": int(c), "text": language.text(words, number=c, customers=n)} for c, n in sizes.items()]


def _sizes(net: np.ndarray) -> np.ndarray:
    """Diameters: areas in proportion to net sales."""
    amounts = np.nan_to_num(net).clip(min=0)
    most = amounts.max(initial=0)
    return DOT[0] + (DOT[1] - DOT[0]) * np.sqrt(amounts / most if most else amounts)


def _first(net: np.ndarray) -> float:
    """The least value that a large graph begins with; 0 for one that can be drawn whole."""
    known = np.sort(np.nan_to_num(net))[::-1]
    return 0 if len(known) <= 1.5 * AT_ONCE else max(float(np.floor(known[AT_ONCE - 1])), 0)


def _round(values: pd.Series | np.ndarray) -> list[float]:
    return [round(float(value), 2) for value in values]


_COLUMNS = ("customer_id", "position", "reach_1", "community", "net", "behaviour", "satisfaction")


def _table(client: Client, picture: Picture, language: Language) -> list[dict]:
    """The most influential customers: what the picture shows, in words."""
    rows = picture.ranked[picture.ranked["reach_1"] > 0].head(LISTED)
    numbers = masked(rows["customer_id"], key(client))
    found = []
    for (_, row), number in zip(rows.iterrows(), numbers, strict=True):
        net = None if pd.isna(row["net"]) else float(row["net"]) / 10**client.decimals
        cells = [language.show(row["place"], "count"), language.show(row["reach_1"], "count")]
        cells.append(language.show(row["community"], "count") if row["community"] else "—")
        cells += [language.show(net, "money")]
        words = [language.show(row[name], "word") for name in ("behaviour", "satisfaction")]
        found.append({"number": number, "at": int(row["at"]), "figures": cells, "words": words})
    return found


def _words(language: Language) -> dict[str, str]:
    """The page's own texts."""
    text = language.text
    return {
        "intro": text(
            "Each dot is a customer, as large as their net sales so far; lines are relations. Who belongs together stands together."
        ),
        "filters": text("What to show"),
        "kinds": text("Kinds of relation"),
        "least": text("Least net sales"),
        "community": text("Community"),
        "all": text("All customers"),
        "search": text("Find a customer (masked number)"),
        "find": text("Find"),
        "nobody": text("No customer shown has such a number."),
        "shown": text("{customers} of {all} customers, {ties} of {every} relations shown."),
        "first": text(
            "At first only customers with the largest net sales are shown; a least value of 0 shows all."
        ),
        "graph": text(
            "Picture of the relations between customers; the table below names the most influential."
        ),
        "closer": text("Closer"),
        "further": text("Further away"),
        "whole": text("The whole picture"),
        "chosen": text("Chosen customer"),
        "none": text("Choose a customer in the picture or in the table."),
        "about": text(
            "{name}: rank {place}, reach {reach}, net sales {value}, {state}, {ties} relations shown."
        ),
        "table": text("The most influential customers"),
        "show": text("Show in the picture"),
        "legend": text("Colours and lines"),
        "sad": language.show("sad", "word"),
        "script": text("The picture needs scripts, which are switched off here; the table below does not."),
        "back": text("Back to the report"),
    }
