"""The derivative of a graph as a linear map: pull and push, in numbers and as a graph."""

import random

import pytest
from numpy.testing import assert_allclose

from autodiff import Value, dot, log, maximum, relu, where
from autodiff.calculus.linear import Linear
from autodiff.engine import graph
from tests.support.samples import draw_program


def linear(roots, inputs, *, as_graph):
    order, _ = graph.between(roots, inputs, (), 0)
    return Linear(order, inputs, as_graph=as_graph)


def primal(x):
    return getattr(x, "data", x)


@pytest.mark.parametrize("seed", range(30))
def test_pull_push_and_backward_are_one_matrix(seed):
    """ct · (J t) = (ct · J) · t, and the row of `backward`, in numbers and in nodes."""
    draw = random.Random(seed)
    program = draw_program(draw)
    values = [Value(x) for x in program.leaves]
    roots = program.results(values)[-3:]
    cts, tangents = ([draw.uniform(-1, 1) for _ in range(3)] for _ in range(2))
    expected = [0.0] * 3
    for root, ct in zip(roots, cts, strict=True):
        root.backward(ct)
    expected = [value.grad for value in values]
    for as_graph in False, True:
        jacobian = linear(roots, values, as_graph=as_graph)
        pulled = [primal(x) for x in jacobian.pull(zip(roots, cts, strict=True))]
        pushed = [primal(x) for x in jacobian.push(zip(values, tangents, strict=True), roots)]
        assert_allclose(pulled, expected, rtol=1e-12, atol=1e-12)
        assert_allclose(
            sum(ct * t for ct, t in zip(cts, pushed, strict=True)),
            sum(ct * t for ct, t in zip(pulled, tangents, strict=True)),
            rtol=1e-9,
            atol=1e-12,
        )


def test_only_nodes_between_inputs_and_roots_are_swept():
    w, x = Value(3.0), Value(2.0)
    y = w * x
    root = y * y + w
    assert linear([root], [y], as_graph=False).pull([(root, 1.0)]) == [12.0]
    assert linear([root], [x], as_graph=False).push([(x, 1.0)], [root, w]) == [36.0, 0.0]
    assert not w.has_grad


def test_edges_that_lead_elsewhere_cost_nothing():
    class Counted(float):
        products = 0

        def __mul__(self, other):
            Counted.products += 1
            return Counted(float(self) * other)

    w, x = Value(3.0), Value(2.0)
    root = dot([w, x, w], [w, w, w]) * w
    assert linear([root], [x], as_graph=False).pull([(root, Counted(1.0))]) == [9.0]
    assert Counted.products == 2


def test_a_root_among_the_nodes_of_another_adds_up():
    x = Value(2.0)
    y = x * x
    z = y * 3
    jacobian = linear([y, z], [x], as_graph=False)
    assert jacobian.pull([(y, 1.0), (z, 1.0), (y, 1.0), (x, 5.0)]) == [4 + 12 + 4 + 5]
    assert jacobian.push([(x, 1.0)], [z, y, x, y]) == [12.0, 4.0, 1.0, 4.0]
    assert jacobian.pull([]) == [0.0]


CUT = [
    lambda x: where(x > 0, log(x), 0.0),
    lambda x: relu(x).sqrt(),
    lambda x: maximum(x - 1, 0.0).sqrt(),
]


@pytest.mark.parametrize("f", CUT)
@pytest.mark.parametrize("as_graph", [False, True])
def test_nothing_crosses_a_cut_edge(f, as_graph):
    x = Value(0.0)
    root = f(x)
    jacobian = linear([root], [x], as_graph=as_graph)
    assert jacobian.pull([(root, 1.0)]) == [0.0]
    assert jacobian.push([(x, 1.0)], [root]) == [0.0]
    assert linear([root], [x], as_graph=as_graph).pull([(root, float("nan"))]) == [0.0]


def test_unneeded_partials_are_not_computed():
    x = Value(-2.0)
    exponent = Value(3.0)
    root = x**exponent
    (slope,) = linear([root], [x], as_graph=True).pull([(root, 1.0)])
    assert slope.data == 12.0
    assert exponent in graph.leaves(slope)
    slope.backward()  # d 3x²/dx; by the exponent it would be nan
    assert x.grad == -12.0


def test_a_factor_of_one_makes_no_node():
    x, y = Value(2.0), Value(3.0)
    root = x + y
    assert linear([root], [x], as_graph=True).pull([(root, 1.0)]) == [1.0]
    product = x * y
    assert linear([product], [x], as_graph=True).pull([(product, 1.0)]) == [y]
    assert linear([root], [x], as_graph=True).pull([(root, y)]) == [y]


def test_data_that_changed_after_the_forward_pass_is_refused():
    x, w = Value(2.0), Value(3.0)
    root = dot([x, 2.0], [w, x]) * x
    w.data = 3.5
    with pytest.raises(RuntimeError, match=r"the data of a node changed .* slope of dot was 3, is"):
        linear([root], [x], as_graph=True)
    w.data = 3.0
    linear([root], [x], as_graph=True)


def test_an_unchanged_slope_of_nan_or_inf_is_accepted():
    x = Value(0.0)
    root = (x / x) + log(x) + (x * float("nan"))
    linear([root], [x], as_graph=True)
