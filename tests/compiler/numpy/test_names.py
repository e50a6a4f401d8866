from collections import Counter

import numpy as np
import pytest

import autodiff
from autodiff import Value
from autodiff.compiler import Kernel
from autodiff.compiler.numpy.names import RESERVED, Names, common_name, identifier, parameter_paths
from nn import MLP
from tests.compiler.reading import unbound_names


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
        (["größe.0", "größe.1"], "grose"),
    ],
)  # fmt: skip
def test_a_name_is_the_common_part_of_paths(paths, name):
    assert common_name(paths) == name
    assert name == "" or name.isidentifier()


def test_modules_give_their_paths():
    model = MLP(2, [2, 1], seed=0)
    expected = [name for name, _ in model.named_parameters()]
    assert parameter_paths(lambda x: model(x) * 2, model.parameters()) == expected
    assert parameter_paths(model.__call__, model.parameters()) == expected


def test_paths_go_through_containers():
    w = {"in": [[Value(1.0)], [Value(2.0)]], "out": np.array([Value(3.0)])}

    def inner(x):
        return w["in"][0][0] * x

    def outer(x):
        return 2 * inner(x)

    leaves = [w["in"][0][0], w["in"][1][0], w["out"][0]]
    assert parameter_paths(outer, leaves) == ["w.in.0.0", "w.in.1.0", "w.out.0"]


def test_defaults_are_searched_and_labels_win():
    a, b = Value(1.0), Value(2.0, label="slope of it")

    def f(x, p=(a, b)):
        return p[0] * x + p[1]

    assert parameter_paths(f, [a, b]) == ["p.0", "slope_of_it"]


def test_a_parameter_that_is_not_found_has_no_path():
    assert parameter_paths(lambda x: x, [Value(1.0)]) == [""]
    assert parameter_paths(np.sin, [Value(1.0)]) == [""]


def test_containers_that_hold_themselves_are_searched_once():
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


@pytest.mark.parametrize("label", [*sorted(RESERVED), "theta", "None", "θ", "ﬁ", "x_T", "a" * 99])
def test_parameters_may_have_any_label(label):
    w, v = Value(0.5, label=label), Value(2.0, label=label)
    kernel = Kernel(lambda x, k: autodiff.where(w * x > v, autodiff.take([w, x], k), v * x))
    kernel.check(np.array([1.0, 7.0]), np.array([0, 1]))
    kernel.hvp(np.array([1.0, 7.0]), np.array([0, 1]), vector=[1.0, 2.0])
    for made in kernel._latest._functions.values():
        assert made.source.isascii()
        assert unbound_names(made.source) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [("x", "x"), ("θ", "theta"), ("Δx", "deltax"), ("été", "ete"), ("ﬁ", "fi"), ("a_Ｔ", "a_T"),
     ("मान", "ma_na"), ("文", ""), ("🦊", ""), ("\ud800", ""), ("a — b", "a_b"), ("²", "p_2"),
     ("None", "p_None"), ("", ""), ("_x_", "x"), ("a\nb", "a_b"), ("ſ", "s")],
)  # fmt: skip
def test_any_text_gives_an_ascii_identifier(text, name):
    assert identifier(text) == name
    assert name == "" or (name.isascii() and name.isidentifier())


def test_given_names_stay_as_they_are_or_become_new_ones():
    names = Names()
    given = [
        "x",
        "_x",
        "x_0",
        "x",
        "x_0",
        "é",
        "文",
        "字",
        "np",
        "True",
        "a" * 30,
        "a" * 31,
        "my key",
    ]
    found = [names.given(text) for text in given]
    assert found == ["x", "_x", "x_0", "x1", "x_0_1", "e", "x2", "x3", "np1", "True1", "a" * 24,
                     "a" * 24 + "1", "my_key"]  # fmt: skip


ARGUMENTS = {
    "combining marks": "lambda मान, y: मान * 2 + y * y",
    "of other scripts": "lambda 文, 字: 文 * 2 + 字 * 字",
    "a ligature": "lambda ﬁ, y: fi * 2 + y * y",
    "of the text": "lambda step, bind: step * 2 + bind * bind",
    "of its modules": "lambda np, math: np * 2 + math * math",
    "of its functions": "lambda int, bool: int * 2 + bool * bool",
    "of its arrays": "lambda theta, x_T: theta * 2 + x_T * x_T",
    "underscores": "lambda _, __: _ * 2 + __ * __",
}


@pytest.mark.parametrize("text", ARGUMENTS.values(), ids=ARGUMENTS)
def test_arguments_may_have_any_name(text):
    x, y = np.array([1.0, 2.0]), np.array([3.0, -1.0])
    kernel = checked(eval(text), x, y)
    slopes = kernel.value_and_grad(x, y, argnums=(0, 1))[1]
    assert [slope.tolist() for slope in slopes] == [[2.0, 2.0], [6.0, -2.0]]


def test_an_argument_may_have_the_name_of_a_type_that_the_text_names():
    x = np.array([1.0, 2.0])
    checked(lambda float, bool: autodiff.erf(float) * bool, x, x)


def checked(f, *args):
    kernel = Kernel(f)
    kernel.check(*args)
    assert kernel.source.isascii()
    assert unbound_names(kernel.source) == []
    return kernel


@pytest.mark.parametrize(
    "keys",
    [("ﬁ", "fi"), ("a", "a_Ｔ"), ("a", "a_T"), ("T", "Ｔ"), (1, "1"), (-1, 1), ("文", "字"),
     ("", "_"), ("a" * 40 + "b", "a" * 40 + "c"), ("my key", "my_key"), ("None", None),
     ((0, 1), "0_1"), ("a\n", "a"), ("K", "\u212a"), ("_v", "v"), ("x\ud800", "x")],
)  # fmt: skip
def test_items_of_a_dict_may_have_any_keys(keys):
    first, second = keys
    given = {first: np.array([[1.0, 2.0], [3.0, 4.0]]), second: np.array([[5.0, 6.0], [7.0, 8.0]])}

    def f(d):
        return sum(x * x for x in d[first]) + sum(x for x in d[second]) * d[first][1]

    slopes = checked(f, given).value_and_grad(given, argnums=0)[1]
    assert slopes[second].tolist() == [[2.0, 2.0], [4.0, 4.0]]
    assert slopes[first].tolist() == [[2.0, 4.0 + 11.0], [6.0, 8.0 + 15.0]]


def test_names_of_many_leaves_are_short_and_found_by_counting():
    steps = Counter()

    class Taken(set):
        def __contains__(self, name):
            steps[len(self) >> 10] += 1
            return super().__contains__(name)

    names = Names()
    names._taken = Taken(names._taken)
    found = [names.given(f"{'feature_of_a_long_name':->30}_{k}") for k in range(4096)]
    assert len(set(found)) == 4096
    assert max(map(len, found)) < 40
    assert sum(steps.values()) < 4 * 4096


def test_the_text_names_parameters_as_the_model_does():
    model = MLP(3, [4, 2], seed=0)
    kernel = Kernel(lambda x: model(x)[0] * model(x)[1])
    kernel.value_and_grad(np.ones((2, 3)))
    for name in ("layers_0_w_b", "layers_1_w_b", "d_layers_0_w_b", "d_layers_1_w_b"):
        assert f" {name} = " in kernel.source
