"""The import table, and what every source file must have beside it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import autodiff
import autodiff.view

ROOT = Path(__file__).parent.parent
SOURCES = sorted(path for package in ("autodiff", "nn") for path in (ROOT / package).rglob("*.py"))

# A module imports only from rows above its own.
ROWS = [
    "autodiff.ieee autodiff.graph autodiff.modes autodiff.interpreter",
    "autodiff.primitive autodiff.reverse autodiff.copying autodiff.anomaly",
    "autodiff.reduction autodiff.linear",
    "autodiff.ops autodiff.array",
    "autodiff.value",
    "autodiff.pytree autodiff.custom",
    "autodiff.evaluation",
    "autodiff.derivatives",
    "autodiff.differences autodiff.drafts",
    "autodiff.report autodiff.moves",
    "autodiff.subjects",
    "autodiff.check",
    "autodiff.view.renderer autodiff.view.modules autodiff.view.text autodiff.view.nearest",
    "autodiff.view.sweeps autodiff.view.formula autodiff.view.style autodiff.view.folding",
    "autodiff.view.playback autodiff.view.links autodiff.view.facts autodiff.view.rows",
    "autodiff.view.terminal",
    "autodiff.view.player autodiff.view.graphs autodiff.compiler.access autodiff.compiler.scalars",
    "autodiff.compiler.trace autodiff.compiler.structure autodiff.compiler.zeros",
    "autodiff.compiler.pack autodiff.compiler.ir autodiff.compiler.exact autodiff.compiler.names",
    "autodiff.view.programs",
    "autodiff.view.drawing",
    "autodiff.view.notebook",
    "autodiff.compiler.simplify",
    "autodiff.compiler.builder autodiff.compiler.homes autodiff.compiler.viewing",
    "autodiff.compiler.lanes autodiff.compiler.contract autodiff.compiler.spelling",
    "autodiff.compiler.masks autodiff.compiler.doubt",
    "autodiff.compiler.reach",
    "autodiff.compiler.lower autodiff.compiler.adjoint autodiff.compiler.emit "
    "autodiff.compiler.loading",
    "autodiff.compiler.traced",
    "autodiff.compiler.comparison autodiff.compiler.fallback",
    "autodiff.compiler.kernel",
    "autodiff.compiler",
    "autodiff.view",
    "autodiff",
    "nn.init nn.functional nn.sizes nn.stateful nn.progress nn.expression nn.plots",
    "nn.module nn.losses nn.optim nn.clipping",
    "nn.schedule nn.state nn.activations nn.containers nn.dropout nn.embedding nn.normalization",
    "nn.layers",
    "nn.attention",
    "nn.metrics nn.table nn.examples nn.stopping nn.interruption nn.mode",
    "nn.snapshot",
    "nn.trust",
    "nn.data nn.plan nn.prediction nn.history nn.checkpoint",
    "nn.engines",
    "nn.comparison",
    "nn.compiled",
    "nn.fallback",
    "nn.run",
    "nn.training nn.drawing nn.gpt",
    "nn.names nn.notebook",
    "nn",
    "nn.commands",
    "nn.commands.options nn.commands.output",
    "nn.commands.regression",
    "nn.commands.tables nn.commands.polynomial",
    "nn.commands.fitting nn.commands.classifying nn.commands.naming",
    "autodiff.testing nn.__main__",
]
ROW = {module: row for row, modules in enumerate(ROWS) for module in modules.split()}
ENGINE = {module for module in ROW if ROW[module] <= ROW["autodiff.value"]} - {"autodiff.array"}

# Imports inside functions: what, and why it is not at the top.
INNER = {
    ("autodiff.value", "numpy"): "only NumPy calls __array_ufunc__; the engine does without it",
    ("nn.plots", "matplotlib.figure"): "an optional extra",
    ("nn.state", "safetensors.numpy"): "an optional extra",
    ("nn.progress", "IPython.display"): "it is there in a notebook alone",
    ("nn.progress", "rich"): "an optional extra",
    ("nn.progress", "rich.console"): "an optional extra",
}


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[tuple[str, list[str], bool]]:
    """Module, imported names and whether inside a function, of each import that runs."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    inner = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, [], id(node) in inner
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            assert node.module is not None
            yield node.module, [alias.name for alias in node.names], id(node) in inner


def ours(module: str, names: list[str]) -> list[str]:
    """The modules of ours that an import names."""
    if module.partition(".")[0] not in ("autodiff", "nn"):
        return []
    submodules = [f"{module}.{name}" for name in names if f"{module}.{name}" in ROW]
    is_package_itself = len(submodules) < len(names) or not names
    return submodules + ([module] if is_package_itself else [])


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_imports_go_down_the_table(path: Path) -> None:
    module = name_of(path)
    for imported, names, _ in imports(path):
        for target in ours(imported, names):
            assert ROW[target] < ROW[module], f"{module} imports {target}"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_imports_inside_functions_have_a_reason(path: Path) -> None:
    for imported, _, is_inner in imports(path):
        assert not is_inner or (name_of(path), imported) in INNER, imported


def test_every_reason_is_still_needed() -> None:
    found = {
        (name_of(path), module) for path in SOURCES for module, _, inner in imports(path) if inner
    }
    assert found == set(INNER)


def test_the_table_names_every_module() -> None:
    assert set(ROW) == {name_of(path) for path in SOURCES}


@pytest.mark.parametrize("path", [p for p in SOURCES if name_of(p) in ENGINE], ids=name_of)
def test_the_engine_imports_the_standard_library_alone(path: Path) -> None:
    for imported, _, is_inner in imports(path):
        outside = imported.partition(".")[0] in ("numpy", "graphviz", "matplotlib", "rich", "nn")
        assert is_inner or not outside, imported


@pytest.mark.parametrize("path", [p for p in SOURCES if name_of(p).startswith("nn")], ids=name_of)
def test_nn_uses_only_public_names_of_autodiff(path: Path) -> None:
    public = {"autodiff": set(autodiff.__all__), "autodiff.view": set(autodiff.view.__all__)}
    for imported, names, _ in imports(path):
        if imported.startswith("autodiff"):
            assert set(names) <= public[imported], f"{imported}: {names}"


@pytest.mark.parametrize("path", [p for p in SOURCES if p.name != "__init__.py"], ids=name_of)
def test_every_source_has_its_test(path: Path) -> None:
    inside = path.relative_to(ROOT)
    folders = inside.parts[1:-1] if inside.parts[0] == "autodiff" else inside.parts[:-1]
    name = f"test_{path.stem.strip('_')}.py"
    assert (ROOT / "tests").joinpath(*folders, name).is_file()


def test_modules_and_functions_do_not_share_names() -> None:
    modules = {name.rpartition(".")[2] for name in ROW}
    assert not (modules & set(autodiff.__all__)) - {"ops"}
