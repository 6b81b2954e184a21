"""The house's rules, read from the files themselves."""

import ast
import re
import subprocess
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
LIBRARY = sorted((ROOT / "crmlib").rglob("*.py"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CHAIN = ["collection", "cleaning", "classification", "analysis", "action"]


def package(path: Path) -> str:
    """The folder of crmlib a module stands in; "" for a base module."""
    parts = path.relative_to(ROOT / "crmlib").parts
    return parts[0] if len(parts) > 1 else ""


def imported(path: Path) -> set[str]:
    """Every module of crmlib that a file names in an import, wherever in the file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.split(".")[0] == "crmlib"}


def folders(path: Path) -> set[str]:
    names = {name.split(".")[1] for name in imported(path) if "." in name}
    return {name for name in names if (ROOT / "crmlib" / name).is_dir()} - {"language", "definitions"}


def modules(*where: str) -> list:
    return [
        pytest.param(path, id=str(path.relative_to(ROOT)))
        for path in LIBRARY
        if not where or package(path) in where
    ]


@pytest.mark.parametrize("path", modules(*CHAIN))
def test_arrows_point_one_way(path):
    mine = CHAIN.index(package(path))
    assert folders(path) <= set(CHAIN[: mine + 1])


@pytest.mark.parametrize("path", modules("visualisation"))
def test_pictures_know_no_sibling(path):
    assert folders(path) <= {"visualisation"}
    assert (
        not imported(path)
        - {name for name in imported(path) if name.startswith("crmlib.visualisation")}
        - {"crmlib"}
    )


@pytest.mark.parametrize("path", modules("", "language"))
def test_base_modules_lean_on_no_step(path):
    assert folders(path) <= ({"language"} if package(path) else set())


@pytest.mark.parametrize("path", [p for p in modules() if package(p.values[0]) != "workbook"])
def test_nothing_imports_the_shell(path):
    assert not any(name.startswith("crmlib.workbook") for name in imported(path))


@pytest.mark.parametrize("path", modules())
def test_functions_are_short_and_modules_too(path):
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= 400
    functions = [
        n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    long = {node.name: length(node) for node in functions if length(node) > 40}
    assert not long


def length(function: ast.FunctionDef) -> int:
    """Lines of a function without its docstring, which house-style §3 wants long."""
    lines = function.end_lineno - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None:
        lines -= first.end_lineno - first.lineno + 1
    return lines


@pytest.mark.parametrize("path", modules())
def test_every_module_has_a_name_that_means_something(path):
    assert path.stem not in {"utils", "util", "helpers", "helper", "common", "core", "misc", "tools"}
    if path != ROOT / "crmlib" / "__init__.py":  # the package's own says only its version
        assert ast.get_docstring(ast.parse(path.read_text("utf-8")))


@pytest.mark.parametrize("path", modules(*CHAIN, "visualisation"))
def test_no_step_reads_a_clock(path):
    assert not re.search(r"\b(now|today|utcnow)\(\)|\btime\.time\b", path.read_text("utf-8"))


@pytest.mark.parametrize("path", modules(*CHAIN, "visualisation", "", "language"))
def test_functions_take_few_arguments_by_place(path):
    # house-style §3: at most two, unless tables that belong together (facts, classes, customers)
    many = [
        node.name
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef) and len(node.args.args) > 5
    ]
    assert not many


notebooks = pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in NOTEBOOKS])


def cells(path: Path, kind: str) -> list:
    return [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == kind]


def code_lines(cell) -> list[str]:
    return [line for line in cell.source.splitlines() if line.strip() and not line.strip().startswith("#")]


def test_the_notebooks_are_there():
    numbers = ["01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "12"]
    assert [path.stem[:2] for path in NOTEBOOKS] == numbers


@notebooks
def test_a_notebook_argues_and_defines_nothing(path):
    for cell in cells(path, "code"):
        for node in ast.walk(ast.parse(cell.source)):
            assert not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef), cell.source
            called = getattr(getattr(node, "func", None), "attr", "")
            assert called not in {"iterrows", "itertuples"}, cell.source


@notebooks
def test_a_cell_holds_one_idea_in_twelve_lines(path):
    long = {cell.source.splitlines()[0]: len(code_lines(cell)) for cell in cells(path, "code")}
    assert {first: count for first, count in long.items() if count > 12} == {}


@notebooks
def test_committed_outputs_are_those_of_one_run_from_top_to_bottom(path):
    counts = [cell.execution_count for cell in cells(path, "code")]
    assert counts == list(range(1, len(counts) + 1))
    errors = [
        out for cell in cells(path, "code") for out in cell.outputs if out.output_type in ("error", "stream")
    ]
    assert errors == []


@notebooks
def test_parameters_are_one_tagged_cell_of_literals_with_a_type_and_help(path):
    tagged = [cell for cell in cells(path, "code") if "parameters" in cell.metadata.get("tags", [])]
    assert len(tagged) == 1
    for line, node in zip(tagged[0].source.splitlines(), ast.parse(tagged[0].source).body, strict=True):
        assert isinstance(node, ast.AnnAssign)
        ast.literal_eval(node.value)
        assert "  # " in line
    assert [node.target.id for node in ast.parse(tagged[0].source).body][:2] == ["client", "period"]


@notebooks
def test_a_notebook_runs_on_any_machines_python(path):
    assert nbformat.read(path, 4).metadata.kernelspec.name == "python3"


@notebooks
def test_a_notebook_begins_with_a_question_and_says_what_it_does_not_show(path):
    headings = [
        line for cell in cells(path, "markdown") for line in cell.source.splitlines() if line.startswith("#")
    ]
    assert headings[0].startswith("# ")
    assert headings[0].endswith("?")
    assert headings[-2:] == ["## What this does not show", "## Files written"] or (
        headings[-1] == "## What this does not show"
    )
    assert headings[0][2:] in [heading[3:] for heading in headings[1:]], (
        "the title's question is never answered"
    )


@notebooks
def test_the_last_cell_tells_the_session_and_is_not_compared(path):
    last = cells(path, "code")[-1]
    assert "nbval-ignore-output" in last.metadata.tags
    ignored = [c for c in cells(path, "code")[:-1] if "nbval-ignore-output" in c.metadata.get("tags", [])]
    # Widgets differ from run to run; nothing else does.
    assert all("explore" in c.metadata.tags for c in ignored)


@notebooks
def test_every_finding_can_be_yes_no_and_too_few_or_absent(path):
    said = 0
    for cell in cells(path, "code"):
        for node in ast.walk(ast.parse(cell.source)):
            if getattr(getattr(node, "func", None), "attr", "") == "say":
                said += 1
                given = {keyword.arg for keyword in node.keywords}
                assert {"yes", "no", "when"} <= given, cell.source
                if "few" in given:
                    assert {"n", "at_least"} <= given, cell.source
                assert node.args[0].value.split(".")[0]
    assert said > 0


def test_a_finding_about_customers_can_be_too_few_or_absent():
    # Findings that count what is there (files, rows of the ledger, periods) hold for any number of rows.
    paths = [path for path in NOTEBOOKS if path.stem[:2] not in ("01", "02", "12")]
    assert len(paths) >= 3
    for path in paths:
        check_that_it_can_be_too_few(path)


def check_that_it_can_be_too_few(path):
    for cell in cells(path, "code"):
        for node in ast.walk(ast.parse(cell.source)):
            if getattr(getattr(node, "func", None), "attr", "") == "say":
                given = {keyword.arg for keyword in node.keywords}
                assert given & {"few", "absent"}, cell.source


@notebooks
def test_every_exhibit_says_how_many_from_where_and_what_it_serves(path):
    from crmlib.measures import ALL, measure

    ids = {known.id for known in ALL}
    trees = [ast.parse(cell.source) for cell in cells(path, "code")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    named: dict[str, set[str]] = {}  # names given to texts in the notebook may stand for them
    for node in nodes:
        if isinstance(node, ast.Assign):
            for name, text in given_names(node):
                named.setdefault(name, set()).add(text)
    for node in nodes:
        if getattr(getattr(node, "func", None), "attr", "") == "exhibit":
            given = {keyword.arg: keyword.value for keyword in node.keywords}
            assert {"title", "about", "serves"} <= set(given), ast.unparse(node)
            serves = given["serves"]
            meant = named[serves.id] if isinstance(serves, ast.Name) else {ast.literal_eval(serves)}
            assert all(id in ids or measure(id) for id in meant), ast.unparse(node)


def given_names(node: ast.Assign) -> list[tuple[str, str]]:
    """Names and the texts they are given, also where several are given at once."""
    pairs = []
    for target in node.targets:
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs += zip(target.elts, node.value.elts, strict=True)
        else:
            pairs.append((target, node.value))
    return [
        (name.id, text.value)
        for name, text in pairs
        if isinstance(name, ast.Name) and isinstance(text, ast.Constant) and isinstance(text.value, str)
    ]


@notebooks
def test_a_number_that_data_can_change_never_stands_in_prose(path):
    # Thresholds are small and round; an amount or a count from the demo has four digits or a decimal.
    for cell in cells(path, "markdown"):
        assert not re.findall(r"\b\d{1,3}(?:,\d{3})+\b|\b\d{5,}\b|\d+\.\d+", cell.source), cell.source


def tracked() -> list[Path]:
    """Files that are or would be committed."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_file_knows_the_machine_it_was_written_on():
    home = re.compile(r"(?<![\w.])/(?:home/\w+|Users/\w+|root/|work/)|[A-Z]:\\\\Users", re.ASCII)
    found = []
    for path in tracked():
        if path.suffix in {
            ".py",
            ".md",
            ".yml",
            ".yaml",
            ".toml",
            ".ipynb",
            ".json",
            ".lock",
            "",
        } and path != Path(__file__):
            text = path.read_text("utf-8", errors="replace")
            found += [f"{path.relative_to(ROOT)}: {hit.group()}" for hit in home.finditer(text)]
    assert found == []


def test_no_clients_data_is_committed_but_the_demos():
    kept = {path.relative_to(ROOT).as_posix() for path in tracked() if path.is_relative_to(ROOT / "data")}
    others = {name for name in kept if not name.startswith("data/demo/")}
    assert all(name.endswith(("/client.yml", "/README.md")) for name in others), others
    demo = {name.removeprefix("data/demo/") for name in kept - others}
    allowed = re.compile(
        r"client\.yml|README\.md|truth\.json|make_demo\.py|demo_maker/\w+\.py|raw/\w+\.(csv|xlsx|jsonl)"
    )
    assert {name for name in demo if not allowed.fullmatch(name)} == set()


def test_the_demos_raw_files_are_small():
    assert sum(path.stat().st_size for path in (ROOT / "data" / "demo" / "raw").iterdir()) <= 5 * 1024**2


def test_every_test_module_has_its_own_name():
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert len(names) == len(set(names))
