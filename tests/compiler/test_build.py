import numpy as np
import pytest

from autodiff import Value
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

    trace = latest(f, X, {"a": X, "b": (X,)}, X)
    assert [leaf.name for leaf in trace.inputs] == ["point", "table_a", "table_b_0", "rest"]
    assert trace.owner == [0, 1, 1, 2]


def test_names_of_more_arguments_than_parameters_are_numbered():
    trace = latest(lambda *xs: xs[0] * xs[1], X, X)
    assert [leaf.name for leaf in trace.inputs] == ["x0", "x1"]


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_reserved_names_are_changed(name):
    space = {}
    exec(f"def f({name}): return {name} * 2", space)
    trace = latest(space["f"], X)
    assert [leaf.name for leaf in trace.inputs] == [f"{name}_in"]


def test_keys_that_are_no_names_are_replaced():
    trace = latest(lambda d: d["a b"] * d["class"] * d[1], {"a b": X, "class": X, 1: X})
    names = [leaf.name for leaf in trace.inputs]
    assert len(set(names)) == 3
    assert all(name.isidentifier() for name in names)


def test_functions_are_made_once_for_what_is_wanted():
    trace = latest(lambda x, y: x * y * w, X, X)
    assert trace.function("grad") is trace.function("grad")
    assert trace.function("grad", (0,)) is not trace.function("grad", (1,))
    assert trace.shown is trace.function("grad")


def test_a_structure_shows_its_values():
    trace = latest(lambda x: [x * w], X)
    assert not trace.is_scalar
    assert trace.shown is trace.function("call")


def test_a_thread_keeps_the_arrays_of_eight_batch_sizes():
    trace = latest(lambda x: x * w, X)
    function = trace.function("call")
    for batch in range(1, 20):
        function(batch, 1.0, [np.array([2.0]), np.ones((batch, 1))])
    assert [batch for batch, _ in function._local.__dict__] == list(range(12, 20))


def test_results_are_copies_of_the_arrays():
    function = latest(lambda x: x * w, X).function("call")
    (first,) = function(2, 1.0, [np.array([2.0]), X.reshape(2, 1)])
    (second,) = function(2, 1.0, [np.array([2.0]), 3 * X.reshape(2, 1)])
    assert first.tolist() == [[2.0], [4.0]]
    assert second.tolist() == [[6.0], [12.0]]


def test_warnings_of_numpy_are_quiet():
    kernel = Kernel(lambda x: 1 / x)
    assert kernel(np.array([0.0])).tolist() == [np.inf]


def test_explain_counts_scalars_packs_and_instructions():
    trace = latest(lambda xs: (xs[0] * w).exp() + (xs[1] * w).exp(), np.ones((2, 2)))
    text = trace.explain()
    assert f"{len(trace.scalars.ops)} scalars → 3 packs" in text
    assert "× exp" in text
    assert "regular throughout" in text
