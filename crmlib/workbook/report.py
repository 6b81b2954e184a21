"""Executed notebooks → one page that stands alone: no script, no request, text from data inert."""

import base64
import binascii
import datetime as dt
import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import jinja2
import nbformat
from bleach.html5lib_shim import Filter
from bleach.sanitizer import Cleaner
from markupsafe import Markup
from nbconvert.exporters import HTMLExporter

from crmlib import findings
from crmlib import language as languages
from crmlib.client import Client
from crmlib.language import Language
from crmlib.measures import change, measure
from crmlib.period import Period
from crmlib.sentences import FURTHER
from crmlib.workbook import glyphs
from crmlib.workbook.boxes import Boxed
from crmlib.workbook.execution import Failure

TEMPLATES = Path(__file__).parent / "templates"
# The answer comes first; the argument follows in its own order.
ORDER = (findings.STEPS[-1], *findings.STEPS[:-1])
LEFT_OUT = {"parameters", "injected-parameters", "session", "explore", "files"}
HEADLINES = ("sales.identified", "customers.active", "retention.rate", "satisfaction.mean")
# At the head of a report stand the first of these that the client's data tell.
CARDS = (*HEADLINES, "churn.rate", "nps.score", "profit.margin", "customers.total", "orders.count")
MOST_CARDS = 6
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
PICTURES = ("image/png", "image/jpeg", "image/svg+xml")
WIDGET = "application/vnd.jupyter.widget-view+json"

_TABLES = {"table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"}
_BLOCKS = _TABLES | {"p", "ul", "ol", "li", "br", "hr", "pre", "code", "blockquote"}
_INLINE = {"em", "strong", "b", "i", "s", "sub", "sup", "span", "small", "kbd"}
_HEADINGS = [f"h{level}" for level in range(1, 7)]
_PROSE = {"*": ["class"], "th": ["scope", "class"], "a": ["href"]}
_OUTPUT = {"*": ["class"], "th": ["scope", "class"], "td": ["class", "colspan", "rowspan"]}
# A finding has an anchor, and a sentence of the summary leads to it; nothing else that a cell puts out links.
_ANCHOR = re.compile(r"finding-[\w.-]+")
_EVIDENCE = re.compile(r"([\w-]+)\.ipynb#(finding-[\w.-]+)")
_UNSEEN = re.compile(r"<(style|script|template|title)\b.*?(</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)


@dataclass
class Section:
    """One notebook of the report."""

    step: str
    title: str = ""
    body: str = ""
    headings: list[tuple[str, str]] = field(default_factory=list)  # anchor and text of each question

    @property
    def id(self) -> str:
        """The section's anchor."""
        return self.step


def pages(client: Client, period: Period, notebooks: Path, *, incomplete: bool) -> dict[str, str]:
    """The report in every language of the client, by the name of its file: the same figures, told again."""
    known = languages.languages(client)
    read = {step: nbformat.read(notebooks / f"{step}.ipynb", as_version=4) for step in ORDER}
    return {
        language.file("report.html"): _told(client, period, read, language, known, incomplete=incomplete)
        for language in known
    }


def page(client: Client, period: Period, notebooks: Path, *, incomplete: bool) -> str:
    """`report.html` in the client's first language."""
    return pages(client, period, notebooks, incomplete=incomplete)["report.html"]


def _told(
    client: Client,
    period: Period,
    read: Mapping[str, nbformat.NotebookNode],
    language: Language,
    known: Sequence[Language],
    *,
    incomplete: bool,
) -> str:
    """One page of the report, with links to the same in the other languages."""
    code = language.text("How this was computed")
    day = {"day": period.as_of}
    banner = language.text("Incomplete period: the delivery ends before {day:date}.", **day)
    return whole_page(
        "page.html.j2",
        lang=language.tag,
        title=f"{client.name} · {period.name}",
        about=language.text("as of {day:date}", **day),
        banner=banner if incomplete else "",
        others=[(o.file("report.html"), o.tag, o.own_name) for o in known if o is not language],
        languages=language.text("Other languages"),
        cards=_cards(client, period, language),
        graph=language.file("relations.html") if "relations" in client.tables.named() else "",
        to_graph=language.text("Go to the graph of relations"),
        summary=language.text("Go to the summary"),
        contents=language.text("Contents"),
        questions=language.text("Questions"),
        back=language.text("Back to the contents"),
        sections=[section(step, notebook, code=code, language=language) for step, notebook in read.items()],
    )


def section(
    step: str, notebook: nbformat.NotebookNode, *, code: str = "", language: Language | None = None
) -> Section:
    """One notebook as a part of the page: prose, outputs, and under the word `code`, if any, each cell's code.

    In a `language` prose is translated by the catalogue, and each output gives way to what the cell told in it.
    """
    found = Section(step)
    exporter = _Exporter(extra_template_basedirs=[str(TEMPLATES)], template_name="report")
    exporter.register_filter("translated", lambda text: language.text(text) if language else text)
    exporter.register_filter("prose", lambda text: _prose(text, found))
    exporter.register_filter("shown", lambda output, cell: _output(told_in(output, language), cell, step))
    exporter.register_filter("folded", lambda source: _folded(source, code))
    kept = [
        cell
        for cell in notebook.cells
        if cell.cell_type in ("markdown", "code") and not LEFT_OUT.intersection(cell.metadata.get("tags", []))
    ]
    for cell in kept:
        if "setup" in cell.metadata.get("tags", []):
            cell.outputs = []
    body, _ = exporter.from_notebook_node(nbformat.v4.new_notebook(cells=kept, metadata=notebook.metadata))
    found.body = _safe(body)
    found.title = found.title or step
    return found


def told_in(output: nbformat.NotebookNode, language: Language | None) -> nbformat.NotebookNode:
    """An output as it was told in this language; as it stands where it was not, or where it is the reader's own."""
    if language is None or language.first or "data" not in output:
        return output
    told = output.metadata.get(FURTHER, {}).get(language.code)
    if told is None:
        return output
    drawn = [kind for kind in PICTURES if kind in told]
    metadata = {kind: dict(output.metadata.get(kind, {}), alt=told["text/plain"]) for kind in drawn}
    return nbformat.from_dict(dict(output, data=told, metadata=metadata))


def without_further(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A notebook whose outputs are told in its own language alone, as a reader of it needs them."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            output.get("metadata", {}).pop(FURTHER, None)
    return notebook


def _cards(client: Client, period: Period, language: Language) -> list[dict]:
    """The figures a reader looks for first, each with the previous period's and what changed."""
    known = {id: part for id, part in findings.figures(client, period).items() if part["value"] is not None}
    return [_card(id, known[id], period, language) for id in CARDS if id in known][:MOST_CARDS]


def _card(id: str, figure: dict, period: Period, language: Language) -> dict:
    value, before, unit = figure["value"], figure.get("previous"), figure["unit"]
    moved = language.change(change(unit, value, before), unit) if before is not None else ""
    then = language.show(before, unit)
    return {
        "label": language.text(measure(id).label),
        "value": language.show(value, unit),
        "moved": moved,
        "before": language.text("{period}: {value}", period=period.previous().name, value=then)
        if moved
        else "",
    }


class _Exporter(HTMLExporter):
    """nbconvert without what a page of one's own does not need: styles, scripts, highlighting."""

    exclude_anchor_links = True
    embed_images = False

    def _init_preprocessors(self) -> None:
        self._preprocessors = []


def _prose(text: str, section: Section) -> str:
    """Markdown, cleaned; headings one level down, so that the page has one first heading."""
    cleaner = Cleaner(
        tags={*_BLOCKS, *_INLINE, *_HEADINGS, "a"},
        attributes=_PROSE,
        protocols={"https", "http", "mailto"},
        strip=True,
        filters=[lambda source: _Page(source, section), Boxed],
    )
    return cleaner.clean(_UNSEEN.sub("", text))


def _fragment(text: str) -> str:
    """HTML that a cell put out, cleaned: tables, sentences and lists, no picture, no link but to a finding."""
    allowed = _OUTPUT | {"a": _to_evidence, "p": _of_a_finding, "li": _of_a_finding}
    cleaner = Cleaner(
        tags={*_BLOCKS, *_INLINE, "a"}, attributes=allowed, strip=True, filters=[_Evidence, Boxed]
    )
    return cleaner.clean(_UNSEEN.sub("", text))


def _to_evidence(tag: str, name: str, value: str) -> bool:
    link = _EVIDENCE.fullmatch(value) if name == "href" else None
    return link is not None and link[1] in ORDER


def _of_a_finding(tag: str, name: str, value: str) -> bool:
    return name == "class" or (name == "id" and _ANCHOR.fullmatch(value) is not None)


class _Evidence(Filter):
    """Links to the findings of notebooks as links on the page."""

    def __iter__(self) -> Iterator[dict]:
        for token in super().__iter__():
            target = (
                token["data"].get((None, "href")) if token.get("name") == "a" and token.get("data") else None
            )
            if target:
                token["data"][None, "href"] = f"#{target.partition('#')[2]}"
            yield token


def _folded(source: str, word: str) -> str:
    """Code as text, shut until a reader opens it."""
    if not word or not source.strip():
        return ""
    inside = f"<pre><code>{html.escape(source)}</code></pre>"
    return f'<details class="code"><summary>{html.escape(word)}</summary>{inside}</details>'


def _output(output: nbformat.NotebookNode, cell: nbformat.NotebookNode, step: str) -> str:
    """One output of a cell as HTML; a picture without a description fails the run."""
    if output.output_type == "stream":
        return "" if output.name == "stderr" else f"<pre>{html.escape(output.text)}</pre>"
    if output.output_type not in ("display_data", "execute_result"):
        return ""
    data = output.data
    if WIDGET in data:
        return ""  # nothing to move on a page without a script
    for kind in PICTURES:
        if kind in data:
            alt = output.metadata.get(kind, {}).get("alt", "")
            if not isinstance(alt, str) or not alt.strip():
                message = f"a {kind} output has no alternative text"
                raise Failure(message, step=step, cell=cell.execution_count)
            return f'<img src="data:{kind};base64,{_picture(data[kind], kind)}" alt="{html.escape(alt)}">'
    if "text/html" in data:
        return _fragment(data["text/html"])
    if "text/markdown" in data:
        return _fragment(f"<p>{html.escape(data['text/markdown'])}</p>")
    return f"<pre>{html.escape(data['text/plain'])}</pre>" if "text/plain" in data else ""


def _picture(content: str, kind: str) -> str:
    """The picture's bytes in base 64, whatever stood in the notebook."""
    if kind == "image/svg+xml":
        return base64.b64encode(content.encode()).decode()
    try:
        return base64.b64encode(base64.b64decode(content)).decode()
    except (binascii.Error, ValueError):
        return ""


class _Page(Filter):
    """Headings shifted, the first one noted as the title; links between notebooks turned into links on the page."""

    def __init__(self, source: Iterator, section: Section):
        super().__init__(source)
        self.section = section

    def __iter__(self) -> Iterator[dict]:
        heading: dict | None = None
        text: list[str] = []
        dropped = 0
        for token in super().__iter__():
            name = token.get("name", "")
            if token["type"] == "StartTag" and name == "a" and not self._linked(token):
                dropped += 1
                continue
            if token["type"] == "EndTag" and name == "a" and dropped:
                dropped -= 1
                continue
            if name in _HEADINGS:
                token = dict(token, name=f"h{min(int(name[1]) + 1, 6)}")
                if token["type"] == "StartTag":
                    token["data"] = self._anchor(token["name"])
                    heading, text = token, []
                elif heading is not None:
                    self._title(heading, "".join(text).strip())
                    heading = None
            elif heading is not None and token["type"] in ("Characters", "SpaceCharacters", "Entity"):
                text.append(token.get("data") or html.unescape(f"&{token.get('name', '')};"))
            yield token

    def _linked(self, token: dict) -> bool:
        """Whether a link leads somewhere from this page; one to a notebook leads to its section."""
        target = token["data"].get((None, "href"), "")
        notebook = re.fullmatch(r"(?:\./)?([\w-]+)\.ipynb(?:#.*)?", target)
        if notebook:
            if notebook[1] not in ORDER:
                return False
            token["data"][None, "href"] = f"#{notebook[1]}"
            return True
        return target.startswith(("https://", "http://", "mailto:"))

    def _anchor(self, name: str) -> dict:
        """A question can be led to; the title is the section's own anchor."""
        place = f"{self.section.step}-{len(self.section.headings) + 1}"
        return {(None, "id"): place} if name == "h3" else {}

    def _title(self, token: dict, text: str) -> None:
        if token["name"] == "h2" and not self.section.title:
            self.section.title = text
        if token["name"] == "h3":
            self.section.headings.append((token["data"][None, "id"], text))


def index(runs: Sequence[dict]) -> str:
    """`reports/index.html`: every run with its headline figures, in the language that all clients read first.

    Where they differ in it, the page is in English; each row links to its report in every language.
    """
    first = {run.get("language", "en") for run in runs}
    reader = Language(first.pop() if len(first) == 1 else "en", "EUR")
    figures = [measure(id).label for id in HEADLINES]
    columns = [
        reader.text("Client"),
        reader.text("Period"),
        *map(reader.text, figures),
        reader.text("Published"),
    ]
    numbers = range(2, 2 + len(figures))
    return whole_page(
        "index.html.j2",
        lang=reader.tag,
        title=reader.text("Reports"),
        headings=[(text, place in numbers) for place, text in enumerate(columns)],
        rows=[_row(run, Language(reader.code, run["currency"])) for run in runs],
        nothing=reader.text("Nothing has been published yet."),
    )


def _row(run: dict, language: Language) -> dict:
    figures = [run["results"].get(id) or {"value": None, "unit": "number"} for id in HEADLINES]
    published = dt.datetime.fromisoformat(run["published_at"])
    further = [Language(code, "EUR", first=False) for code in run.get("languages", [])[1:]]
    return {
        "client": f"{run['name']} ({run['client']})",
        "period": run["period"],
        "href": f"{run['folder']}/report.html",
        "others": [(f"{run['folder']}/{o.file('report.html')}", o.tag, o.own_name) for o in further],
        "mark": language.text("incomplete") if run["incomplete"] else "",
        "figures": [language.show(f["value"], f["unit"]) for f in figures],
        "published": published.strftime("%Y-%m-%d %H:%M UTC"),
    }


def whole_page(template: str, *, policy: str = POLICY, **content: object) -> str:
    """A whole page, and within it the glyphs that its reader's fonts may lack."""
    found = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True)
    css = _safe((TEMPLATES / "report.css").read_text("utf-8"))
    bare = found.get_template(template).render(content | {"css": css, "font": "", "policy": policy})
    font = glyphs.face(bare)
    if not font:
        return bare
    whole = {"css": css, "font": _safe(font), "policy": f"{policy}; font-src data:"}
    return found.get_template(template).render(content | whole)


def _safe(text: str) -> Markup:
    # Only for what was cleaned above, or is our own.
    return Markup(text)
