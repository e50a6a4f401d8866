"""The rooms of the house: which room imports which, and what every room must have beside it."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import autodiff
import autodiff.view
from tests.support.process import ROOT, printed

SOURCES = sorted(path for package in ("autodiff", "nn") for path in (ROOT / package).rglob("*.py"))

# A room (a folder or a module) imports from rooms above its own, and from itself.
FLOORS = [
    "autodiff.checks",
    "autodiff.pytree",
    "autodiff.rows",
    "autodiff.ops",
    "autodiff.engine",
    "autodiff.calculus",
    "autodiff.checking",
    "autodiff.compiler.arguments autodiff.compiler.instructions",
    "autodiff.compiler.algebra",
    "autodiff.compiler.scalars",
    "autodiff.compiler.arrays",
    "autodiff.compiler.numpy",
    "autodiff.compiler",
    "autodiff.view",
    "autodiff",
    "autodiff.testing",
    "nn.data",
    "nn.metrics nn.module",
    "nn.layers",
    "nn.train",
    "nn.view",
    "nn",
    "nn.cli nn.testing",
    "nn.__main__",
]
ROOMS = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms.split()}

# Rooms that need the standard library alone, but for the modules that say what ops mean on arrays.
STANDARD = [
    "autodiff.checks", "autodiff.pytree", "autodiff.rows", "autodiff.ops", "autodiff.engine",
    "autodiff.calculus", "autodiff.checking",
]  # fmt: skip
ARRAYS = {
    "autodiff.rows.arrays", "autodiff.rows.special", "autodiff.engine.forms",
    "autodiff.engine.trial", "autodiff.checking.kernels",
}  # fmt: skip

# Imports inside functions: what, and why it is not at the top.
INNER = {
    ("autodiff.checking.gradcheck", "autodiff.checking.kernels"): "it needs NumPy, as kernels do",
    ("autodiff.pytree", "numpy"): "arrays are made only where arrays were given",
    ("autodiff.engine.operators", "numpy"): "only NumPy asks for it; the engine needs none",
    ("nn.train.curves", "matplotlib.figure"): "an optional extra",
    ("nn.train.files", "safetensors.numpy"): "an optional extra",
    ("nn.train.progress", "IPython.display"): "it is there in a notebook alone",
    ("nn.train.progress", "rich"): "an optional extra",
    ("nn.train.progress", "rich.console"): "an optional extra",
}


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path) for path in SOURCES}


def room_of(module: str) -> str:
    """The innermost room that holds `module`: itself, or a folder above it."""
    while module not in ROOMS:
        module = module.rpartition(".")[0]
    return module


def imports(path: Path) -> Iterator[tuple[str, list[str], bool]]:
    """Each import, for type checking too: module, imported names, whether inside a function."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inner = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, [], id(node) in inner
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            assert node.module is not None
            yield node.module, [alias.name for alias in node.names], id(node) in inner


def ours(module: str, names: list[str]) -> set[str]:
    """The modules of ours that an import names."""
    if module.partition(".")[0] not in ("autodiff", "nn"):
        return set()
    submodules = {f"{module}.{name}" for name in names} & MODULES
    is_package_itself = len(submodules) < len(names) or not names
    return submodules | ({module} if is_package_itself else set())


GRAPH = {
    name_of(path): {
        target
        for module, names, _ in imports(path)
        for target in ours(module, names) - {name_of(path)}
    }
    for path in SOURCES
}


@pytest.mark.parametrize("module", sorted(GRAPH))
def test_imports_go_down(module: str) -> None:
    room = room_of(module)
    for target in GRAPH[module]:
        assert room_of(target) == room or ROOMS[room_of(target)] < ROOMS[room], (
            f"{module} imports {target}"
        )


def test_no_imports_form_a_cycle() -> None:
    try:
        TopologicalSorter(GRAPH).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


def test_every_room_is_there() -> None:
    assert set(ROOMS) <= MODULES


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_imports_inside_functions_have_a_reason(path: Path) -> None:
    for imported, _, is_inner in imports(path):
        assert not is_inner or (name_of(path), imported) in INNER, imported


def test_every_reason_is_still_needed() -> None:
    found = {
        (name_of(path), module) for path in SOURCES for module, _, inner in imports(path) if inner
    }
    assert found == set(INNER)


def for_type_checkers(path: Path) -> set[str]:
    """The modules that are imported under TYPE_CHECKING alone."""
    blocks = [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    return {
        getattr(node, "module", None) or node.names[0].name
        for block in blocks
        for node in ast.walk(block)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_the_engine_imports_the_standard_library_alone(path: Path) -> None:
    if room_of(name_of(path)) not in STANDARD or name_of(path) in ARRAYS:
        return
    types = for_type_checkers(path)
    for imported, _, is_inner in imports(path):
        if imported in types:
            continue
        outside = imported.partition(".")[0] in ("numpy", "graphviz", "matplotlib", "rich", "nn")
        outside &= imported != "numpy.typing"
        assert is_inner or not outside, imported


WITHOUT_NUMPY = """
import sys, types

package = types.ModuleType("autodiff")  # whose __init__ imports the compiler
package.__path__ = ["autodiff"]
sys.modules |= {"autodiff": package, "numpy": None}
from autodiff.calculus.derivatives import grad
from autodiff.calculus.products import jvp
from autodiff.checking.gradcheck import gradcheck

def f(xs):
    return xs[0] * xs[1] + xs[0].tanh()

print(grad(f)([0.0, 2.0]), jvp(f, ([0.0, 2.0],), ([1.0, 0.0],)), gradcheck(f, [0.5, 2.0]).passed)
"""


def test_the_eager_rooms_run_without_numpy() -> None:
    assert printed(WITHOUT_NUMPY) == "[3.0, 0.0] (0.0, 3.0) True\n"


@pytest.mark.parametrize("path", [p for p in SOURCES if name_of(p).startswith("nn")], ids=name_of)
def test_nn_uses_only_public_names_of_autodiff(path: Path) -> None:
    modules = (autodiff, autodiff.view, autodiff.checks, autodiff.pytree)
    public = {module.__name__: set(module.__all__) for module in modules}
    public["autodiff"] |= {"checks", "pytree"}
    public["autodiff.engine.frames"] = {"warn"}
    for imported, names, _ in imports(path):
        if imported.startswith("autodiff"):
            assert set(names) <= public[imported], f"{imported}: {names}"


FOLDERS = sorted({path.parent for path in SOURCES})


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_every_folder_has_its_tests_and_says_what_it_is_for(folder: Path) -> None:
    inside = folder.relative_to(ROOT)
    parts = inside.parts[1:] if inside.parts[0] == "autodiff" else inside.parts
    assert list(ROOT.joinpath("tests", *parts).glob("test_*.py"))
    docstring = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
    assert docstring


def test_modules_and_functions_do_not_share_names() -> None:
    modules = {name.removeprefix("autodiff.") for name in MODULES if name.count(".") == 1}
    assert not (modules & set(autodiff.__all__)) - {"ops"}
