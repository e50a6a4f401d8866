import numpy as np
import pytest

import autodiff
from autodiff import Value
from autodiff.compiler import Kernel
from autodiff.compiler.names import Names, common_name, parameter_paths
from nn import MLP


@pytest.mark.parametrize(
    ("paths", "name"),
    [
        (["layers.1.neurons.0.w.0", "layers.1.neurons.4.w.2"], "layers_1_w"),
        (["layers.1.neurons.0.w.0", "layers.1.neurons.0.b", "layers.1.neurons.1.b"],
         "layers_1_w_b"),
        (["w.0.0", "w.0.1"], "w_0"),
        (["w.0.0", "w.1.1"], "w"),
        (["bias"], "bias"),
        (["0.1"], "p_0_1"),
        (["lambda"], "p_lambda"),
        (["a", ""], ""),
        (["a", "b", "c", "d"], ""),
        (["x" * 80], "x" * 24),
        (["größe.0", "größe.1"], "gr_e"),
    ],
)  # fmt: skip
def test_a_name_is_what_the_paths_have_in_common(paths, name):
    assert common_name(paths) == name
    assert name == "" or name.isidentifier()


def test_modules_give_their_paths():
    model = MLP(2, [2, 1], seed=0)
    expected = [name for name, _ in model.named_parameters()]
    assert parameter_paths(lambda x: model(x) * 2, model.parameters()) == expected
    assert parameter_paths(model.__call__, model.parameters()) == expected


def test_containers_give_the_way_to_what_they_hold():
    w = {"in": [[Value(1.0)], [Value(2.0)]], "out": np.array([Value(3.0)])}

    def inner(x):
        return w["in"][0][0] * x

    def outer(x):
        return 2 * inner(x)

    leaves = [w["in"][0][0], w["in"][1][0], w["out"][0]]
    assert parameter_paths(outer, leaves) == ["w.in.0.0", "w.in.1.0", "w.out.0"]


def test_defaults_are_looked_into_and_labels_win():
    a, b = Value(1.0), Value(2.0, label="slope of it")

    def f(x, p=(a, b)):
        return p[0] * x + p[1]

    assert parameter_paths(f, [a, b]) == ["p.0", "slope_of_it"]


def test_what_is_not_found_has_no_path():
    assert parameter_paths(lambda x: x, [Value(1.0)]) == [""]
    assert parameter_paths(np.sin, [Value(1.0)]) == [""]


def test_containers_that_hold_themselves_end():
    loop: list = [Value(1.0)]
    loop.append(loop)
    assert parameter_paths(lambda x: loop[0] * x, [loop[0]]) == ["loop.0"]


def test_names_are_new():
    names = Names(["x1", "plain"])
    assert [names.numbered("x") for _ in range(2)] == ["x2", "x3"]
    assert [names.plain("plain"), names.plain("y"), names.plain("y")] == ["plain1", "y", "y1"]
    assert names.numbered("atan2") == "atan2_1"
    assert names.plain("lambda") == "lambda1"
    assert [names.plain("long" * 20), names.numbered("long" * 20)] == ["long" * 8, "long" * 8 + "1"]


@pytest.mark.parametrize("label", ["step", "bool", "int", "bind", "np", "seed", "theta"])
def test_parameters_may_have_any_label(label):
    w, v = Value(0.5, label=label), Value(2.0, label=label)
    kernel = Kernel(lambda x, k: autodiff.where(w * x > v, autodiff.take([w, x], k), v * x))
    kernel.check(np.array([1.0, 7.0]), np.array([0, 1]))


def test_the_text_names_parameters_as_the_model_does():
    model = MLP(3, [4, 2], seed=0)
    kernel = Kernel(lambda x: model(x)[0] * model(x)[1])
    kernel.value_and_grad(np.ones((2, 3)))
    for name in ("layers_0_w_b", "layers_1_w_b", "d_layers_0_w_b", "d_layers_1_w_b"):
        assert f" {name} = " in kernel.source
