"""Programs written for micrograd run on `from autodiff import Value` and nothing else of ours."""

import ast
import math
import random
import runpy
import sys
import types
from pathlib import Path

import pytest

from autodiff import Value
from tests.support.samples import micrograd

PROGRAMS = sorted((Path(__file__).parent / "programs").glob("*.py"))
README, DRAWING, MOONS, GPT = (
    Path(__file__).parent / "programs" / f"{name}.py"
    for name in ("readme", "drawing", "moons", "gpt")
)


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_a_program_imports_value_and_nothing_else_of_ours(path):
    tree = ast.parse(path.read_text())
    modules = {
        (node.module, tuple(alias.name for alias in node.names))
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
    }
    names = {a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
    assert modules == {("autodiff", ("Value",))}
    assert names <= {"math", "random"}


def slope(f, leaf, step=1e-5):
    """d f() / d leaf by central differences."""
    x, ends = leaf.data, []
    for shifted in (x + step, x - step):
        leaf.data = shifted
        ends.append(f().data)
    leaf.data = x
    return (ends[0] - ends[1]) / (2 * step)


def test_the_readme_prints_what_micrograd_prints(capsys):
    runpy.run_path(str(README))
    assert capsys.readouterr().out == "24.7041\n138.8338\n645.5773\n"


# micrograd's own engine tests compare with PyTorch; here the values are worked out.


def sanity(x):
    z = 2 * x + 2 + x
    q = z.relu() + z * x
    h = (z * z).relu()
    return h + q + q * x


@pytest.mark.parametrize(
    ("f", "xs", "value", "gradients"),
    [
        # At -4: z = -10, q = 40, h = 100, and d/dx (9x² + 12x + 4 + (3x² + 2x)(1 + x)) = 46.
        (sanity, [-4.0], -20.0, [46.0]),
        (micrograd, [-4.0, 2.0], 24.70408163265306, [138.8338192419825, 645.5772594752187]),
    ],
    ids=["sanity", "micrograd"],
)
def test_the_engine_agrees_with_hand_and_differences(f, xs, value, gradients):
    leaves = [Value(x) for x in xs]
    root = f(*leaves)
    root.backward()
    assert math.isclose(root.data, value, rel_tol=1e-14)
    for leaf, gradient in zip(leaves, gradients, strict=True):
        assert math.isclose(leaf.grad, gradient, rel_tol=1e-14)
        assert math.isclose(leaf.grad, slope(lambda: f(*leaves), leaf), rel_tol=1e-7)


def test_drawing_code_finds_nodes_edges_and_ops():
    program = types.SimpleNamespace(**runpy.run_path(str(DRAWING)))
    x, y = Value(1.0), Value(2.0)
    product = x * y
    root = (product + x * x).relu() ** 2
    root.backward()
    nodes, edges = program.trace(root)
    assert {x, y, product, root} < nodes
    assert (len(nodes), len(edges)) == (7, 7)
    assert {(x, product), (y, product)} < edges
    text = program.draw_dot(root)
    for op in ("+", "*", "ReLU", "**2"):
        assert f'[label="{op}"]' in text
    assert "{ data 1.0000 | grad 24.0000 }" in text  # d (xy + x²)² / dx = 2 · 3 · (y + 2x)
    assert text.count("->") == 7 + 5  # an edge for each operand, one from each op


def test_the_demo_separates_the_moons():
    program = types.SimpleNamespace(**runpy.run_path(str(MOONS)))
    history, gradients = program.main()
    losses, accuracies = zip(*history, strict=True)
    assert losses[-1] < 0.3 * losses[0]
    assert accuracies[-1] >= 0.9
    assert len(gradients) == 2 * 8 + 8 + 8 * 8 + 8 + 8 + 1


@pytest.mark.parametrize("path", [README, DRAWING, MOONS], ids=lambda path: path.stem)
def test_a_program_gives_what_it_gives_on_micrograd(path, monkeypatch, capsys):
    """The same source with the other Value: same names, same numbers up to rounding."""
    engine = pytest.importorskip("micrograd.engine")

    def run():
        program = types.SimpleNamespace(**runpy.run_path(str(path)))
        if path == MOONS:
            history, gradients = program.main(8)
            return [x for pair in history for x in pair] + gradients
        if path == DRAWING:
            x = program.Value(3.0)
            return [sum(map(len, program.trace(x * x + x)))]
        return list(map(float, capsys.readouterr().out.split()))

    ours = run()
    monkeypatch.setitem(sys.modules, "autodiff", engine)
    assert ours == pytest.approx(run(), rel=1e-9, abs=1e-12)


def test_a_language_model_of_lists_learns():
    program = types.SimpleNamespace(**runpy.run_path(str(GPT)))
    history = program.main(20)
    assert math.isclose(history[0], math.log(len(program.CHARACTERS) + 1), rel_tol=0.3)
    assert sum(history[-5:]) < 0.5 * sum(history[:5])


def test_gradients_of_the_language_model_agree_with_differences():
    program = types.SimpleNamespace(**runpy.run_path(str(GPT)))
    state = program.make_state()
    program.loss(state, "hann").backward()
    rng = random.Random(0)
    for name, rows in state.items():
        leaf = max(rng.choice(rows[:5]), key=lambda p: abs(p.grad))
        assert leaf.has_grad, name
        numeric = slope(lambda: program.loss(state, "hann"), leaf)
        assert math.isclose(leaf.grad, numeric, rel_tol=1e-6, abs_tol=1e-9), name
