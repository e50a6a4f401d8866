"""`Module`: which parameters and modules it finds, under which names, and their state."""

import math

import numpy as np
import pytest

import nn
from autodiff import Value, dot
from nn import Module
from tests.support.values import data


def module(**attributes):
    made = Module()
    vars(made).update(attributes)
    return made


def names(found):
    return [name for name, _ in found.named_parameters()]


def test_parameters_are_named_by_their_path_in_the_order_of_attributes():
    found = module(
        z=Value(0), skipped=3.0, text="text", a=[Value(1), (Value(2),)], none=None,
        zero_d=np.array(None), d={"k": Value(3), 7: [module(w=Value(4))]},
        m=module(inner=module(b=Value(5))), y=Value(6),
    )  # fmt: skip
    assert names(found) == ["z", "a.0", "a.1.0", "d.k", "d.7.0.w", "m.inner.b", "y"]
    assert [p.data for p in found.parameters()] == list(range(7))
    assert [p for _, p in found.named_parameters()] == found.parameters()


def test_parameters_are_the_values_of_named_parameters_in_its_order():
    class Chosen(Module):
        """A module whose names, and choice, of parameters are its own."""

        def __init__(self):
            self.a, self.b, self.c = Value(1.0), Value(2.0), Value(3.0)

        def named_parameters(self):
            yield "last", self.c
            yield "first", self.a

    w = Value(4.0)
    tied, array = module(w=w, v=[Value(5.0)]), np.array([[Value(6.0), w]])
    renamed = module(a=Value(7.0), b=Value(8.0))
    renamed.named_parameters = lambda: iter([("mine", renamed.b)])
    outer = module(
        array=array, chosen=Chosen(), ties=(tied, {"x": [tied, w * 2.0]}), renamed=renamed, z=w
    )
    for found in (outer, outer.chosen, renamed, nn.MLP(2, [3, 1]), nn.GPT(5, 4, 4)):
        by_name = [leaf for _, leaf in found.named_parameters()]
        assert list(map(id, found.parameters())) == list(map(id, by_name))
    assert [p.data for p in outer.parameters()] == [6.0, 4.0, 3.0, 1.0, 5.0, 8.0]


def test_the_parameters_of_a_network_are_those_of_its_neurons_in_order():
    model = nn.MLP(3, [4, 2])
    names = [name for name, _ in model.named_parameters()]
    neuron = ["w.0", "w.1", "w.2"]
    assert names[:5] == [*(f"layers.0.neurons.0.{w}" for w in neuron), "layers.0.neurons.0.b",
                         "layers.0.neurons.1.w.0"]  # fmt: skip
    assert "layers.0.neurons.3.w.2" in names
    assert names[-1] == "layers.1.neurons.1.b"
    assert len(names) == len(set(names)) == 4 * 4 + 2 * 5
    assert model.parameters()[0] is model.layers[0].neurons[0].w[0]


def test_shared_parameters_count_once_under_their_first_name():
    w = Value(1.0)
    part = module(w=w, b=Value(2.0))
    assert names(module(one=part, tied=[w, part], two={"again": part})) == ["one.w", "one.b"]
    # Equal numbers are not the same parameter.
    assert names(module(ws=[Value(1.0), Value(1.0)])) == ["ws.0", "ws.1"]


def test_a_module_without_attributes_has_no_parameters():
    assert Module().parameters() == []
    assert repr(Module()) == "Module()"


def test_an_array_of_values_holds_parameters():
    assert names(module(w=np.array([Value(1.0), Value(2.0)]))) == ["w.0", "w.1"]


def test_a_result_is_not_a_parameter():
    w = Value(1.0)
    assert names(module(w=w, last_output=w * 2)) == ["w"]


def test_zero_grad_clears_parameters_and_nothing_else():
    inner, outside = module(w=Value(1.0)), Value(2.0)
    model = module(inner=[inner], b=Value(3.0))
    (inner.w * model.b * outside).backward()
    assert [inner.w.grad, model.b.grad, outside.grad] == [6.0, 2.0, 3.0]
    model.zero_grad()
    assert [inner.w.grad, model.b.grad, outside.grad] == [0.0, 0.0, 3.0]
    assert [inner.w.data, model.b.data] == [1.0, 3.0]


def test_zero_grad_clears_the_parameters_that_a_subclass_chooses():
    class Frozen(Module):
        def __init__(self):
            self.a, self.b = Value(1.0), Value(2.0)

        def parameters(self):
            return [self.b]

    class Renamed(Frozen):
        parameters = Module.parameters

        def named_parameters(self):
            yield "b", self.b

    for model in (Frozen(), Renamed()):
        (model.a * model.b).backward()
        model.zero_grad()
        assert [model.a.grad, model.b.grad] == [2.0, 0.0]


def test_a_subclass_defines_call():
    class Linear(Module):
        def __init__(self):
            self.w = [Value(2.0), Value(3.0)]

        def __call__(self, x):
            return dot(self.w, x)

    assert Linear()([5.0, 7.0]).data == 31.0
    with pytest.raises(NotImplementedError, match="Module defines no __call__"):
        Module()([1.0])


def test_repr_shows_the_modules_inside():
    assert repr(nn.MLP(2, [3, 1], "tanh")) == (
        "MLP(\n"
        "  (layers.0): Layer(2, 3, activation='tanh')\n"
        "  (layers.1): Layer(3, 1, activation=None)\n"
        ")"
    )
    outer = module(net=module(a=nn.Neuron(1)), pair=(nn.Neuron(2, nonlin=False),), w=Value(1.0))
    assert repr(outer) == (
        "Module(\n"
        "  (net): Module(\n"
        "    (a): Neuron(1, activation='relu')\n"
        "  )\n"
        "  (pair.0): Neuron(2, activation=None)\n"
        ")"
    )


@pytest.mark.parametrize("nested", [{"a": nn.Neuron(1)}, [[nn.Neuron(1)]]])
def test_modules_whose_parameters_are_found_are_shown(nested):
    assert "Neuron" in repr(module(nested=nested))


# Modules


def test_children_are_the_modules_right_below_and_modules_all():
    inner = module(w=Value(1.0))
    part, tail = module(inner=inner), module()
    outer = module(part=part, list=[inner, {"tail": tail}], b=Value(2.0))
    assert list(outer.named_children()) == [
        ("part", part), ("list.0", inner), ("list.1.tail", tail),
    ]  # fmt: skip
    assert list(outer.children()) == [part, inner, tail]
    assert list(module(a=tail, b=tail).children()) == [tail]
    assert dict(outer.named_modules()) == {
        "": outer, "part": part, "part.inner": inner, "list.1.tail": tail,
    }  # fmt: skip
    assert list(outer.modules()) == [outer, part, inner, tail]


def test_apply_visits_the_inside_first():
    inner = module()
    outer = module(inner=[inner])
    visited = []
    assert outer.apply(visited.append) is outer
    assert visited == [inner, outer]


def test_train_and_eval_set_every_module():
    model = module(net=nn.MLP(1, [2, 1]))
    assert all(m.training for m in model.modules())
    assert model.eval() is model
    assert not any(m.training for m in model.modules())
    assert model.train() is model
    assert all(m.training for m in model.modules())
    model.train(False)
    assert not model.net.layers[0].neurons[0].training
    with pytest.raises(TypeError, match="train: mode must be True or False, got 'eval'"):
        model.train("eval")


# State


def test_the_state_of_an_mlp_is_one_weight_and_one_bias_per_layer():
    model = nn.MLP(3, [4, 2], seed=0)
    state = model.state_dict()
    assert {name: array.shape for name, array in state.items()} == {
        "layers.0.weight": (4, 3), "layers.0.bias": (4,),
        "layers.1.weight": (2, 4), "layers.1.bias": (2,),
    }  # fmt: skip
    assert state["layers.0.weight"][2, 1] == model.layers[0].neurons[2].w[1].data
    state["layers.0.weight"][2, 1] = 99.0
    assert model.layers[0].neurons[2].w[1].data != 99.0
    assert list(nn.Neuron(2).state_dict()) == ["w", "b"]


def test_values_in_nested_lists_of_equal_length_are_one_array():
    v = Value
    found = module(
        b=v(1), row=[v(2), v(3)], table=[(v(4), v(5)), (v(6), v(7))], box=np.array([v(8), v(9)]),
        ragged=[[v(10)], [v(11), v(12)]], d={"k": [v(13)]}, parts=[module(w=[v(14)])], none=[],
        result=[v(1) * 2], mixed=[v(15), v(1) * 2],
    )  # fmt: skip
    assert {name: array.tolist() for name, array in found.state_dict().items()} == {
        "b": 1.0, "row": [2.0, 3.0], "table": [[4.0, 5.0], [6.0, 7.0]], "box": [8.0, 9.0],
        "ragged.0": [10.0], "ragged.1": [11.0, 12.0], "d.k": [13.0], "parts.0.w": [14.0],
        "mixed.0": 15.0,
    }  # fmt: skip
    other = module(**vars(found))
    state = {name: array + 100 for name, array in found.state_dict().items()}
    assert other.load_state_dict(state) == ([], [])
    assert sorted(data(other)) == [float(x) for x in range(101, 116)]


def test_a_state_goes_into_another_module_exactly():
    model, other = nn.MLP(3, [4, 2], seed=0), nn.MLP(3, [4, 2], seed=1)
    other.load_state_dict(model.state_dict())
    assert [x.hex() for x in data(other)] == [x.hex() for x in data(model)]
    assert all(type(x) is float for x in data(other))


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.update({"layers.0.bias": np.zeros(3)}),
         r"layers.0.bias has shape \(3,\), must have \(2,\)"),
        (lambda s: s.update({"layers.0.weight": s["layers.0.weight"].T}),
         r"layers.0.weight has shape \(3, 2\), must have \(2, 3\)"),
        (lambda s: s.update({"layers.1.bias": np.array(["x"])}),
         "layers.1.bias has dtype <U1, must have numbers"),
        (lambda s: s.update({"layers.0.weight": [[1.0], [2.0, 3.0]]}),
         "layers.0.weight is not an array"),
        (lambda s: s.update({"layers.1.bias": [None]}), "layers.1.bias has dtype object"),
        (lambda s: s.update({"layers.1.bias": np.array([1j])}), "dtype complex128"),
    ],
)  # fmt: skip
def test_arrays_that_do_not_fit_are_named_and_nothing_changes(change, message, strict):
    model = nn.MLP(3, [2, 1], seed=0)
    before, state = data(model), nn.MLP(3, [2, 1], seed=1).state_dict()
    change(state)
    with pytest.raises(ValueError, match=f"MLP.load_state_dict: .*{message}"):
        model.load_state_dict(state, strict=strict)
    assert data(model) == before


@pytest.mark.parametrize("wrong", [None, [1.0], "model.npz"])
def test_a_state_is_a_dict(wrong):
    with pytest.raises(TypeError, match="takes what state_dict returned, a dict, got"):
        nn.Neuron(1).load_state_dict(wrong)


def test_keys_that_do_not_fit_are_named_unless_strict_is_off():
    model, state = nn.MLP(3, [2, 1], seed=0), nn.MLP(3, [2, 1], seed=1).state_dict()
    before = data(model)
    state["layers.2.bias"] = state.pop("layers.0.bias")
    with pytest.raises(ValueError, match=r"missing 'layers.0.bias'; unexpected 'layers.2.bias'"):
        model.load_state_dict(state)
    assert data(model) == before
    keys = model.load_state_dict(state, strict=False)
    assert keys.missing_keys == ["layers.0.bias"]
    assert keys.unexpected_keys == ["layers.2.bias"]
    assert model.state_dict()["layers.0.weight"].tolist() == state["layers.0.weight"].tolist()


def test_a_shared_parameter_has_one_number():
    w = Value(1.0)
    model = module(one=w, two=[w])
    assert list(model.state_dict()) == ["one", "two"]
    model.load_state_dict({"one": 5.0, "two": [5.0]})
    assert w.data == 5.0
    model.load_state_dict({"one": math.nan, "two": [math.nan]})
    with pytest.raises(ValueError, match="one and two share a parameter, but differ"):
        model.load_state_dict({"one": 5.0, "two": [6.0]})
    assert math.isnan(w.data)


def test_a_subclass_may_name_its_arrays():
    class Pair(Module):
        def __init__(self):
            self.first, self.second = Value(1.0), Value(2.0)

        def named_arrays(self):
            yield "both", np.array([self.first, self.second])

    model = module(pair=Pair())
    assert model.state_dict()["pair.both"].tolist() == [1.0, 2.0]
    model.load_state_dict({"pair.both": [3.0, 4.0]})
    assert model.pair.second.data == 4.0


def test_a_module_that_is_a_list_is_a_module():
    class Stack(Module, list):
        def __init__(self, *items):
            list.__init__(self, items)
            self.w = Value(7.0)

        __hash__ = object.__hash__

    outer = module(stack=Stack(Value(1.0)), pair=[Stack()])
    assert names(outer) == list(outer.state_dict()) == ["stack.w", "pair.0.w"]


def test_an_array_of_numbers_is_not_searched():
    class Closed(np.ndarray):
        def __iter__(self):
            raise AssertionError("searched")

    found = module(table=np.zeros(2).view(Closed), b=Value(1.0))
    assert names(found) == list(found.state_dict()) == ["b"]


def test_a_module_with_forward_is_told_the_name_of_the_call():
    class Torchy(Module):
        def forward(self, x):
            return x

    with pytest.raises(NotImplementedError, match="Torchy defines no __call__; rename forward to"):
        Torchy()(1.0)
