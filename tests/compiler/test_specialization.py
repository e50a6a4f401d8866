import numpy as np
import pytest

from autodiff import Value
from autodiff.compiler.explanation import explain
from autodiff.compiler.kernel import Kernel
from autodiff.compiler.numpy.names import RESERVED

w = Value(2.0)
X = np.array([1.0, 2.0])


def latest(f, *args):
    kernel = Kernel(f)
    kernel(*args)
    return kernel._latest


def test_leaves_are_named_after_the_arguments():
    def f(point, table, *rest):
        return point * table["a"] * table["b"][0] * rest[0]

    made = latest(f, X, {"a": X, "b": (X,)}, X)
    assert [item.leaf.name for item in made.inputs] == ["point", "table_a", "table_b_0", "rest"]
    assert [item.argument for item in made.inputs] == [0, 1, 1, 2]


def test_names_of_more_arguments_than_parameters_are_numbered():
    made = latest(lambda *xs: xs[0] * xs[1], X, X)
    assert [item.leaf.name for item in made.inputs] == ["x0", "x1"]


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_reserved_names_are_changed(name):
    space = {}
    exec(f"def f({name}): return {name} * 2", space)
    made = latest(space["f"], X)
    assert [item.leaf.name for item in made.inputs] == [f"{name}_in"]


def test_keys_that_are_no_names_are_replaced():
    made = latest(lambda d: d["a b"] * d["class"] * d[1], {"a b": X, "class": X, 1: X})
    names = [item.leaf.name for item in made.inputs]
    assert len(set(names)) == 3
    assert all(name.isidentifier() for name in names)


def test_functions_are_made_once_for_what_is_wanted():
    made = latest(lambda x, y: x * y * w, X, X)
    assert made.function("grad") is made.function("grad")
    assert made.function("grad", (0,)) is not made.function("grad", (1,))
    assert made.shown is made.function("grad")


def test_a_structure_shows_its_values():
    made = latest(lambda x: [x * w], X)
    assert not made.is_scalar
    assert made.shown is made.function("call")


def test_a_thread_keeps_the_arrays_of_eight_batch_sizes():
    made = latest(lambda x: x * w, X)
    function = made.function("call")
    for batch in range(1, 20):
        function(batch, 1.0, [np.array([2.0]), np.ones((batch, 1))])
    assert [batch for batch, _ in function._local.__dict__] == list(range(12, 20))


def test_warnings_of_numpy_are_quiet():
    kernel = Kernel(lambda x: 1 / x)
    assert kernel(np.array([0.0])).tolist() == [np.inf]


def test_explain_counts_scalars_packs_and_instructions():
    made = latest(lambda xs: (xs[0] * w).exp() + (xs[1] * w).exp(), np.ones((2, 2)))
    text = explain(made)
    assert f"{len(made.analyzed.traced.scalars.ops)} scalars → 3 packs" in text
    assert "× exp" in text
    assert "regular throughout" in text
