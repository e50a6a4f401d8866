"""Sweeps: the right one has the bits of the engine, the others err as they say."""

import pytest
from hypothesis import given, settings

from autodiff import Value, dot, toposort, where
from autodiff.engine.graph import interior
from autodiff.testing import expressions
from autodiff.view.player.sweeps import depth_first, overwriting, topological

on_random_expressions = settings(derandomize=True, deadline=None, database=None, max_examples=60)


def root_of(expression):
    return expression(*map(Value, expression.point))


def totals(root, contributions):
    """The cotangent of each node after the last contribution, 0 without one."""
    found = dict.fromkeys(toposort(root), 0.0)
    found[root] = 1.0
    for one in contributions:
        if one.product is not None:
            found[one.node.operands[one.position]] = one.total
    return found


def reference(root, visits, adds=True):
    """The cotangents after a sweep over `visits`, by the definition."""
    found = {root: 1.0}
    for node in visits:
        for operand, partial in zip(node.operands, node._partials, strict=True):
            if node in found and partial is not None:
                product = found[node] * partial
                found[operand] = found[operand] + product if adds and operand in found else product
    return dict.fromkeys(toposort(root), 0.0) | found


@on_random_expressions
@given(expressions())
def test_the_topological_sweep_has_the_bits_of_backward(expression):
    root = root_of(expression)
    contributions = topological(root)
    root.backward()
    # `grad` is 0.0 for a cotangent of -0.0.
    assert [(x or 0.0).hex() for x in totals(root, contributions).values()] == [
        node.grad.hex() for node in toposort(root)
    ]


@on_random_expressions
@given(expressions())
def test_depth_first_is_the_recursion_in_its_docstring(expression):
    root, order = root_of(expression), []

    def visit(node):
        if node not in order and node.operands:
            order.append(node)
            for operand in node.operands:
                visit(operand)

    visit(root)
    assert totals(root, depth_first(root)) == reference(root, order)


@on_random_expressions
@given(expressions())
def test_overwriting_keeps_the_last_share(expression):
    root = root_of(expression)
    order = reversed(interior(root))
    assert totals(root, overwriting(root)) == reference(root, order, adds=False)


def test_a_value_used_twice_is_passed_on_too_early_without_a_topological_sort():
    x = Value(3.0)
    a = x * 2.0
    root = a + a * a  # d/dx = 2 + 8x = 26
    assert totals(root, topological(root))[x] == 26.0
    contributions = depth_first(root)
    assert [(s.node.op.label, s.cotangent, s.product, s.total) for s in contributions] == [
        ("+", 1.0, 1.0, 1.0),  # a has one of its three contributions
        ("+", 1.0, 1.0, 1.0),
        ("*", 1.0, 2.0, 2.0),  # and passes it on
        ("*", 1.0, 6.0, 7.0),
        ("*", 1.0, 6.0, 13.0),
    ]
    assert totals(root, contributions)[x] == 2.0


def test_overwriting_loses_all_contributions_but_one():
    x = Value(3.0)
    root = x * x
    assert totals(root, topological(root))[x] == 6.0
    assert totals(root, overwriting(root))[x] == 3.0


@pytest.mark.parametrize("sweep", [depth_first, overwriting])
def test_every_sweep_is_right_in_a_tree(sweep):
    a, b, c = Value(2.0), Value(-3.0), Value(0.5)
    root = (a * b + c).tanh() / 3.0
    assert totals(root, sweep(root)) == totals(root, topological(root))


def test_no_contribution_crosses_to_an_operand_that_was_not_selected():
    a, b = Value(2.0), Value(-1.0)
    root = where(True, a, b) + b.relu()
    products = {a: [], b: []}
    for one in topological(root):
        products.get(one.node.operands[one.position], []).append(one.product)
    assert (products[a], products[b]) == ([1.0], [None, None])


@pytest.mark.parametrize("sweep", [topological, depth_first, overwriting])
def test_a_sweep_leaves_the_gradients_alone_and_does_not_recurse(sweep):
    x = Value(1.0)
    x.grad = 7.0
    root = x
    for _ in range(5000):
        root = root * 1.0
    assert len(sweep(root)) == 5000
    assert (x.grad, root.has_grad) == (7.0, False)
    assert sweep(Value(1.0)) == []
    assert len(sweep(dot([x, x], [2.0, 3.0]))) == 2
