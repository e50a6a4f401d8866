"""Pickle and copy keep the graph: its sharing, gradients, labels, constants and ops."""

import copy
import gc
import io
import pickle
import threading
import weakref

import pytest

from autodiff import Value, dot, grad, leaves, maximum, toposort, where
from autodiff.engine import copying
from tests.support.interruptions import (
    amid,
    at_opcode,
    can_fork,
    codes_of,
    opcodes,
    passes_in_child,
)
from tests.support.process import printed


def pickled(protocol, pickler, unpickler):
    def copied(x):
        file = io.BytesIO()
        pickler(file, protocol).dump(x)
        file.seek(0)
        return unpickler(file).load()

    return copied


C, PYTHON = (pickle.Pickler, pickle.Unpickler), (pickle._Pickler, pickle._Unpickler)
COPIES = {"deepcopy": copy.deepcopy} | {
    f"{name}-pickle-{protocol}": pickled(protocol, *kind)
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)
    for name, kind in {"c": C, "python": PYTHON}.items()
}
every_copy = pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)


def example():
    """Two parameters and a loss that has every kind of node."""
    x, w = Value(0.5, "x"), Value(-2.0, "w")
    hidden = (2 / x - w) ** 2 + dot([x, w, 3.0], [w, 1.0, x])
    hidden.label = "hidden"
    loss = maximum(hidden, x) * where(x > 0, hidden, 1.0) + (-x).relu() + hidden.clip(0, 1)
    return x, w, loss


def facts(root):
    """All that there is to a graph, with operands by their place."""
    order = toposort(root)
    place = {node: i for i, node in enumerate(order)}
    return [
        (
            type(node),
            node.op,
            node.data,
            (node.grad, node.has_grad),
            node.label,
            node._partials,
            [place[a] if isinstance(a, Value) else a for a in node.arguments],
        )
        for node in order
    ]


@every_copy
@pytest.mark.parametrize("done", [True, False], ids=["backward", "forward"])
def test_a_copy_is_the_same_graph_of_new_nodes(copied, done):
    *_, loss = example()
    if done:
        loss.backward()
    other = copied(loss)
    assert facts(other) == facts(loss)
    assert not set(toposort(other)) & set(toposort(loss))


@every_copy
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (2, 0, 2)], ids=str)
def test_a_parameter_copied_beside_the_loss_is_still_its_leaf(copied, order):
    nodes = example()
    model = {"parts": [nodes[i] for i in order], "loss": nodes[2]}
    others = copied(model)
    assert facts(others["loss"]) == facts(model["loss"])
    found = dict(zip(leaves(nodes[2]), leaves(others["loss"]), strict=True))
    found[nodes[2]] = others["loss"]
    assert all(found[v] is other for v, other in zip(model["parts"], others["parts"], strict=True))


@every_copy
def test_gradients_of_a_copy_are_its_own(copied):
    x, w, loss = example()
    y, v, other = copied((x, w, loss))
    other.backward()
    assert y.has_grad
    assert not x.has_grad
    loss.backward()
    assert (y.grad, v.grad) == (x.grad, w.grad)
    y.data = 7.0
    assert x.data == 0.5


def test_two_copies_are_two_graphs():
    x, _, loss = example()
    for copied in COPIES.values():
        one, two = copied(loss), copied(loss)
        assert not set(toposort(one)) & set(toposort(two))
        assert copied([x, loss])[0] not in leaves(one)


@pytest.mark.parametrize(("pickler", "unpickler"), [C, PYTHON], ids=["c", "python"])
def test_the_dumps_of_one_pickler_share(pickler, unpickler):
    x, _, loss = example()
    file = io.BytesIO()
    stream = pickler(file)
    for item in (x, loss, [x]):
        stream.dump(item)
    file.seek(0)
    stream = unpickler(file)
    y, other, [again] = (stream.load() for _ in range(3))
    assert y is again is leaves(other)[0]


SHELLS = codes_of(copying._shell)
LOOKUPS = SHELLS | codes_of(weakref.WeakValueDictionary.get, weakref.WeakValueDictionary.setdefault)


@pytest.mark.parametrize(
    ("thread", "codes"), [(True, LOOKUPS), (False, SHELLS)], ids=["thread", "handler"]
)
def test_two_threads_may_pickle_one_graph(thread, codes):
    x, w, loss = example()

    def dumped():
        return pickle.dumps((x, w, loss))

    assert opcodes(dumped, codes) > 120
    for position in range(120):  # the first nodes; it is the same with all
        pickler = pickle.Pickler(file := io.BytesIO())
        interrupted = threading.Thread(target=pickler.dump, args=(loss,))

        def interrupt(pickler=pickler, interrupted=interrupted):
            if thread:
                interrupted.start()
                interrupted.join(0.03)
            else:
                pickler.dump(loss)

        data = []
        at_opcode(position, interrupt, lambda data=data: data.append(dumped()), codes)
        if thread:
            interrupted.join(30)
        pickler.dump([x, w])
        file.seek(0)
        unpickler = pickle.Unpickler(file)
        root, parameters = unpickler.load(), unpickler.load()
        for y, v, other in [(*parameters, root), pickle.loads(*data)]:
            assert facts(other) == facts(loss), position
            assert leaves(other) == [y, v], position


@can_fork
def test_a_child_forked_while_another_thread_pickles_may_pickle():
    x, w, loss = example()

    def check():
        y, v, other = pickle.loads(pickle.dumps((x, w, loss)))
        return leaves(other) == [y, v]

    for position in range(0, opcodes(check, SHELLS), 40):
        with amid(check, position, SHELLS):
            assert passes_in_child(check), position


def test_a_pickle_opens_in_another_process():
    x, w, loss = example()
    loss.backward()
    program = (
        f"import pickle; x, w, loss = pickle.loads({pickle.dumps((x, w, loss))}); loss.backward();"
        "print(x.grad.hex(), w.grad.hex())"
    )
    assert printed(program).split() == [(2 * x.grad).hex(), (2 * w.grad).hex()]


@every_copy
def test_copying_keeps_nothing_alive(copied):
    x, w, loss = example()
    other = copied((x, w, loss))[2]
    alive = weakref.ref(loss), weakref.ref(other)
    del x, w, loss, other
    gc.collect()
    assert [node() for node in alive] == [None, None]


@pytest.mark.parametrize("name", ["deepcopy", "c-pickle-5"])
def test_a_deep_graph_is_copied_without_recursion(name):
    x = Value(0.5)
    y = x
    for _ in range(50_000):
        y = y * x + 1.0
    other, leaf = COPIES[name]((y, x))
    other.backward()
    assert (other.data, leaf.grad) == (2.0, 4.0)


def test_a_graph_of_derivatives_is_copied_without_recursion():
    def chain(x):
        y = x
        for _ in range(5_000):
            y = y * x + 1.0
        return y

    slope = grad(chain)(Value(0.5))
    assert len(toposort(slope)) > 20_000
    assert repr(slope) == "Value(data=4.0, grad=0.0)"
    for copied in COPIES["deepcopy"], COPIES["c-pickle-5"]:
        other = copied(slope)
        other.backward()
        assert leaves(other)[0].grad == pytest.approx(16.0, rel=1e-12)


def test_a_deep_graph_goes_through_the_python_pickler():
    y = Value(0.0)
    for _ in range(5_000):
        y = y + 1.0
    assert COPIES["python-pickle-5"](y).data == 5_000.0


def test_a_shallow_copy_has_the_same_operands():
    x, _, loss = example()
    loss.backward()
    loss.label = "loss"
    other = copy.copy(loss)
    assert other is not loss
    assert facts(other) == facts(loss)
    assert other.operands == loss.operands
    leaf = copy.copy(x)
    leaf.data = 9.0
    assert (x.data, leaf.grad, leaf.label) == (0.5, x.grad, "x")


class Parameter(Value):
    """A Value with attributes."""

    def __init__(self, data, tags):
        super().__init__(data, "p")
        self.tags = tags


class Named(Value):
    """A Value with a slot."""

    __slots__ = "name"  # noqa: PLC0205 (as some write it)


class Hidden(Named):
    """A Value with a slot that its class alone names."""

    __slots__ = ("__secret",)

    def __init__(self, data):
        super().__init__(data)
        self.__secret = "s"

    @property
    def secret(self):
        return self.__secret


@pytest.mark.parametrize("copied", [copy.copy, *COPIES.values()], ids=["copy", *COPIES])
def test_a_subclass_keeps_its_type_and_attributes(copied):
    p = Parameter(3.0, ["a"])
    other = copied(p)
    assert type(other) is Parameter
    assert (other.data, other.label, other.tags) == (3.0, "p", ["a"])
    q, loss = COPIES["deepcopy"]((p, p * 2))
    assert type(q) is Parameter
    assert leaves(loss) == [q]


def test_deepcopy_copies_the_attributes_of_a_subclass():
    p = Parameter(3.0, ["a"])
    assert copy.deepcopy(p).tags is not p.tags


@every_copy
def test_an_attribute_may_refer_to_its_node(copied):
    p = Parameter(3.0, None)
    p.tags = p
    other = copied(p)
    assert other.tags is other


@pytest.mark.parametrize("copied", [copy.copy, *COPIES.values()], ids=["copy", *COPIES])
def test_a_subclass_keeps_its_slots(copied):
    v = Hidden(3.0)
    v.name = "v"
    other = copied(v)
    assert (other.name, other.secret) == ("v", "s")
    assert not hasattr(copied(Named(3.0)), "name")


def test_an_op_is_copied_as_itself():
    op = (Value(1.0) * 2).op
    assert copy.copy(op) is copy.deepcopy(op) is pickle.loads(pickle.dumps(op)) is op
