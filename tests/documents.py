"""Documents that repeat what stands elsewhere, written again by `make demo` and held by tests.

The README's findings and figure come from the committed notebooks, the glossary from
`crmlib.measures`, the template of catalogues from every text a reader may see, and each catalogue from the template:
its translations stay, new texts stand there untranslated.
"""

import base64
import html
import json
import re
from pathlib import Path
from urllib.parse import quote

from crmlib.language.catalogues import LOCALES as CATALOGUES
from crmlib.language.extraction import messages, updated
from crmlib.measures import ALL

ROOT = Path(__file__).resolve().parent.parent
# Finding → notebook and heading that prove it.
FINDINGS = {
    "classes.champions": ("03-classification", "How recent, how frequent, how large? (RFM)"),
    "satisfaction.place": ("04-visualisation", "Where is the weakest aspect weakest?"),
    "churn.balance": ("05-analysis-performance", "Who bought, who came back, who left?"),
}
FIGURE = ("04-visualisation", "The weakest aspect by region")
BLOCK = re.compile(r"(<!-- findings -->\n).*?(<!-- /findings -->)", re.DOTALL)


def cells(notebook: str) -> list[dict]:
    """The cells of a committed notebook."""
    return json.loads((ROOT / "notebooks" / f"{notebook}.ipynb").read_text("utf-8"))["cells"]


def sentence(notebook: str, finding: str) -> str:
    """A finding as the committed notebook prints it."""
    for cell in cells(notebook):
        if f'"{finding}"' in "".join(cell["source"]):
            (output,) = (o for o in cell["outputs"] if "data" in o)
            return "".join(output["data"]["text/plain"])
    raise LookupError(f"{notebook} has no finding {finding}")


def findings() -> str:
    """The README's findings, each a link to the section that proves it."""
    lines = []
    for finding, (notebook, heading) in FINDINGS.items():
        anchor = quote(heading.replace(" ", "-"))
        lines.append(f"- [{sentence(notebook, finding)}](notebooks/{notebook}.ipynb#{anchor})")
    return "\n".join(lines) + "\n"


def readme(text: str) -> str:
    """The README with the findings of the committed notebooks."""
    return BLOCK.sub(lambda found: found[1] + findings() + found[2], text)


def figure() -> bytes:
    """The README's figure as the committed notebook shows it."""
    notebook, title = FIGURE
    for cell in cells(notebook):
        for output in cell.get("outputs", []):
            alt = output.get("metadata", {}).get("image/png", {}).get("alt", "")
            if alt.startswith(title):
                return base64.b64decode(output["data"]["image/png"])
    raise LookupError(f"{notebook} has no figure {title}")


def glossary(text: str) -> str:
    """The glossary with one line a measure."""
    rows = [f"| `{html.escape(m.id, quote=False)}` | {m.label} | {m.unit} | {m.formula} |" for m in ALL]
    table = "\n".join(["| id | name | unit | how it is computed |", "|---|---|---|---|", *rows])
    return re.sub(
        r"(<!-- measures -->\n).*?(<!-- /measures -->)",
        lambda f: f"{f[1]}{table}\n{f[2]}",
        text,
        flags=re.DOTALL,
    )


def quiet(text: str) -> str:
    """A notebook whose cells of widgets show nothing: what they would show has new ids at every run."""
    content = json.loads(text)
    content["metadata"].pop("widgets", None)
    for cell in content["cells"]:
        if cell["cell_type"] == "code" and "explore" in cell["metadata"].get("tags", []):
            cell["outputs"] = []
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def rewrite() -> None:
    """All of them written."""
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        path.write_text(quiet(path.read_text("utf-8")), "utf-8")
    for name, document in (("README.md", readme), ("GLOSSARY.md", glossary)):
        path = ROOT / name
        path.write_text(document(path.read_text("utf-8")), "utf-8")
    (ROOT / "docs" / "figure.png").write_bytes(figure())
    template = messages(ROOT)
    (ROOT / "crmlib" / "language" / "messages.pot").write_bytes(template)
    for catalogue in CATALOGUES.glob("*/LC_MESSAGES/*.po"):
        catalogue.write_bytes(updated(catalogue.read_bytes(), template))


if __name__ == "__main__":
    rewrite()
