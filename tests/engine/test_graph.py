"""Walks over a graph: each node once, behind its operands, in an order that hashing cannot move."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autodiff import Value, depth, leaves, toposort
from autodiff.engine.graph import interior


@dataclass(frozen=True, eq=False, repr=False)  # its text would be as long as its paths
class Node:
    """Anything with operands is a node; the salt decides where sets and dicts put it."""

    operands: tuple["Node", ...]
    salt: int = 0

    def __hash__(self):
        return self.salt


def build(recipe, salts):
    """Nodes in order of birth: node i has as operands the nodes at recipe[i], modulo i."""
    nodes = []
    for i, picks in enumerate(recipe):
        operands = tuple(nodes[pick % i] for pick in picks if i)
        nodes.append(Node(operands, salts[i]))
    return nodes


RECIPES = st.lists(st.lists(st.integers(0, 10**6), max_size=4), min_size=1, max_size=40)
SALTS = st.lists(st.integers(0, 10**6), min_size=40, max_size=40)


def reachable(root):
    found, frontier = {root}, [root]
    while frontier:
        frontier = [operand for node in frontier for operand in node.operands]
        frontier = [node for node in dict.fromkeys(frontier) if node not in found]
        found.update(frontier)
    return found


@given(RECIPES, SALTS)
def test_toposort_has_every_node_once_after_its_operands(recipe, salts):
    root = build(recipe, salts)[-1]
    order = toposort(root)
    assert order[-1] is root
    assert len(order) == len(set(order))
    assert set(order) == reachable(root)
    place = {node: i for i, node in enumerate(order)}
    assert all(place[x] < place[node] for node in order for x in node.operands)


@given(RECIPES, SALTS)
def test_interior_and_leaves_part_the_toposort(recipe, salts):
    root = build(recipe, salts)[-1]
    order = toposort(root)
    assert interior(root) == [node for node in order if node.operands]
    assert leaves(root) == [node for node in order if not node.operands]


@given(RECIPES, SALTS)
def test_leaves_come_in_the_order_of_first_use(recipe, salts):
    root = build(recipe, salts)[-1]
    used = [x for node in interior(root) for x in node.operands if not x.operands]
    assert leaves(root) == (list(dict.fromkeys(used)) or [root])


@given(RECIPES, SALTS)
def test_a_leaf_comes_right_before_its_first_use(recipe, salts):
    order = toposort(build(recipe, salts)[-1])
    for i, leaf in enumerate(order[:-1]):
        following = next(node for node in order[i + 1 :] if node.operands)
        assert leaf.operands or leaf in following.operands


@given(RECIPES, SALTS, SALTS)
def test_the_order_depends_on_the_graph_alone(recipe, salts, others):
    first, second = build(recipe, salts), build(recipe, others)
    for walk in (interior, toposort, leaves):
        one = [first.index(node) for node in walk(first[-1])]
        two = [second.index(node) for node in walk(second[-1])]
        assert one == two


@given(RECIPES, SALTS)
def test_depth_is_the_longest_path(recipe, salts):
    nodes = build(recipe, salts)
    longest = {}
    for node in nodes:
        longest[node] = max((1 + longest[x] for x in node.operands), default=0)
    assert depth(nodes[-1]) == longest[nodes[-1]]


def test_a_leaf_is_a_graph():
    leaf = Value(1.0)
    assert interior(leaf) == []
    assert toposort(leaf) == leaves(leaf) == [leaf]
    assert depth(leaf) == 0


def test_the_nodes_of_values_in_order():
    x, y = Value(2.0), Value(3.0)
    product = x * y
    root = product + x
    assert toposort(root) == [x, y, product, root]
    assert interior(root) == [product, root]
    assert leaves(root) == [x, y]
    assert depth(root) == 2


def test_walks_take_time_linear_in_edges():
    node = Node(())
    for salt in range(200):  # a ladder; 2^200 paths lead down
        node = Node((node, node), salt)
    sizes = [len(walk(node)) for walk in (interior, toposort, leaves)]
    assert [*sizes, depth(node)] == [200, 201, 1, 200]


@pytest.mark.parametrize("walk", [interior, toposort, leaves, depth])
def test_walks_do_not_recurse(walk):
    nodes = [Node((), 0)]
    for i in range(1, 50_000):
        nodes.append(Node((nodes[-1],), i))
    walk(nodes[-1])
    while nodes:  # frees them from the root down
        nodes.pop()
