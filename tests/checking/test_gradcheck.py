"""`gradcheck`: right derivatives pass, wrong ones fail, and kinks are named."""

import math
from contextlib import nullcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autodiff as ad
import nn
from autodiff import GradcheckError, Value, gradcheck
from autodiff.rows.primitive import Domain, Primitive
from tests.support.samples import unlisted_op


def check(f, *inputs, **options):
    return gradcheck(f, inputs, raise_exception=False, **options)


def verdicts(f, *inputs):
    return [entry.verdict for entry in check(f, *inputs).entries]


def x_abs_x(x):
    return x * abs(x)


RIGHT = [
    (lambda x: 1 / x, 1e-5), (lambda x: x**3, -2.0), (ad.sin, 1e6), (ad.log, 1e-3), (ad.exp, 700.0),
    (ad.log, 1e-8), (ad.tanh, 20.0), (ad.sigmoid, -40.0), (ad.erf, 5.0), (ad.sqrt, 1e-4),
    (lambda x: 1e-8 * ad.sin(x), 0.7), (lambda x: 1e-300 * ad.sin(x), 0.7),
    (lambda x: 1e6 + ad.sin(x), 0.7), (lambda x: (ad.sin(x) + 1e5) - 1e5, 0.7),
    (lambda x: 1e16 + ad.sin(x), 0.7),
    (lambda x: ad.sin(1e6 * x), 0.3), (lambda x: ad.exp(100 * x), 0.1), (lambda x: x * 1e-310, 1.0),
    # No kinks: slope 0, slope 0 to third order, bent more sharply to one side, bent tightly
    (lambda x: x * x, 0.0), (lambda x: x**4, 0.0), (ad.cos, 0.0), (lambda x: 0 * x + 3, 1.0),
    (ad.elu, 0.0), (lambda x: ad.where(abs(x) < 1, x * x / 2, abs(x) - 0.5), 1.0),
    (lambda x: ad.softplus(1000 * x) / 1000, 0.0), (lambda x: (x - 1e6) ** 2, 1e6),
    # Close to a kink
    (ad.relu, 1e-6), (ad.relu, -1e-6), (abs, 1e-9), (lambda x: ad.maximum(x, 2 * x - 1), 1 - 1e-6),
]  # fmt: skip


@pytest.mark.parametrize(("f", "x"), RIGHT)
def test_right_gradients_pass(f, x):
    report = gradcheck(f, x)
    (entry,) = report.entries
    assert report.passed
    assert entry.verdict == "ok"
    assert not report.kinks
    assert report.largest_relative_error == entry.relative_error < 1e-6
    assert abs(entry.analytic - entry.numeric) <= max(1e-6 * abs(entry.numeric), entry.noise)


@pytest.mark.parametrize("f", [lambda x: 1 / x, ad.log])
def test_a_pole_one_step_away_costs_no_precision(f):
    (entry,) = check(f, 2.0**-10).entries
    assert entry.verdict == "ok"
    assert entry.relative_error < 1e-9


SMOOTH = [
    pytest.param(lambda x: ad.relu(x) ** 2, 0.0, id="squared hinge"),
    pytest.param(x_abs_x, 0.0, id="x|x|"),
    pytest.param(lambda w: (w * 0.7 - 0.21) ** 2, 0.3, id="perfect fit"),
    pytest.param(lambda x: x * x - 2.2 * x + 1.21, 1.1, id="double root"),
]


@pytest.mark.parametrize(("f", "x"), SMOOTH)
def test_a_slope_of_zero_passes_where_rounding_or_the_bend_shows(f, x):
    assert verdicts(f, x) == ["ok"]


@pytest.mark.parametrize("seed", range(3))
def test_a_network_that_fits_perfectly_passes(seed):
    model = nn.MLP(2, [4, 3, 1], ["tanh", "relu", None], seed=seed)
    rows = np.random.default_rng(seed).normal(size=(4, 2)).tolist()
    targets = [model(row).data for row in rows]
    gradcheck(lambda m: nn.mse([m(row) for row in rows], targets), model)


WRONG = {
    "2.5e-4": (math.sin, lambda x, out: ad.cos(x) * (1 + 2.5e-4)),
    "1.2e-6": (math.sin, lambda x, out: ad.cos(x) * (1 + 1.2e-6)),
    "100 % at 1e-8": (lambda x: 1e-8 * math.sin(x), lambda x, out: 2e-8 * ad.cos(x)),
    "0 at 1e-8": (lambda x: 1e-8 * math.sin(x), lambda x, out: 0.0),
    "2.5e-4 under an offset": (lambda x: 1e5 + math.sin(x), lambda x, out: ad.cos(x) * 1.00025),
    "nan": (math.sin, lambda x, out: math.nan),
    "inf": (math.sin, lambda x, out: math.inf),
    "factor": (lambda x: x * x, lambda x, out: x),
    "sign": (math.cos, lambda x, out: ad.sin(x)),
    "not 0": (lambda x: 3.0, lambda x, out: 1e-3),
    "nan at a kink": (lambda x: abs(x - 0.7), lambda x, out: math.nan),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_gradients_fail(name):
    wrong = unlisted_op(*WRONG[name])
    (entry,) = check(wrong, 0.7).entries
    assert entry.verdict == "wrong"
    assert entry.relative_error > 1e-6  # so it is no nan
    with pytest.raises(GradcheckError):
        gradcheck(wrong, 0.7)
    with pytest.raises(GradcheckError):
        gradcheck(lambda x, y: wrong(x * 1.0) + y * y, (0.7, 2.0))


def test_wrong_gradients_near_a_kink_fail():
    wrong = unlisted_op(lambda x: max(x, 0.0), lambda x, out: 0.999 if x > 0 else 0.0)
    assert verdicts(wrong, 1e-6) == ["wrong"]
    assert verdicts(wrong, -1e-6) == ["ok"]


def test_it_is_called_and_its_result_used_as_in_pytorch():
    slightly = unlisted_op(math.sin, lambda x, out: ad.cos(x) * (1 + 1e-4))
    assert gradcheck(ad.sin, (0.7,), eps=1e-6, atol=1e-5, rtol=1e-3, raise_exception=True)
    assert gradcheck(slightly, (0.7,), eps=1e-6, atol=1e-4)
    assert not gradcheck(slightly, (0.7,), eps=1e-6, atol=1e-5, raise_exception=False)


def test_eps_is_the_first_step():
    offsets = set()

    def f(x):
        offsets.add(abs(x.data - 3.0))
        return x * x

    gradcheck(f, 3.0, eps=2.0**-20)
    assert max(offsets) == 3 * 2.0**-20


def test_rtol_decides_between_right_and_wrong():
    slightly = unlisted_op(math.sin, lambda x, out: ad.cos(x) * (1 + 1e-4))
    assert check(slightly, 0.7, rtol=1e-3).passed
    assert not check(slightly, 0.7, rtol=1e-5).passed


KINKS = [
    (ad.relu, 0.0), (abs, 0.0), (lambda x: abs(x - 1000), 1000.0), (ad.leaky_relu, 0.0),
    (lambda x: ad.maximum(x, 2 * x - 1), 1.0), (lambda x: 10 * x + 1e-4 * ad.relu(x), 0.0),
    (lambda x: 1e-8 * abs(x), 0.0), (lambda x: ad.exp(abs(x - 2)), 2.0),
    # Jumps, by whatever the value there is
    (ad.sign, 0.0), (lambda x: ad.where(x > 0, 1.0, 0.0) + x, 0.0),
    (lambda x: 1e-8 * ad.where(x >= 2, 1.0, 0.0) + x, 2.0),
]  # fmt: skip


@pytest.mark.parametrize(("f", "x"), KINKS)
def test_kinks_are_named_and_not_judged(f, x):
    report = gradcheck(f, x)
    assert report.passed
    assert report.kinks == report.entries
    assert report.largest_relative_error == 0.0
    assert "1 kink" in str(report)
    assert str(report).endswith("  kink")


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: x**1.5, 0.0),
        (ad.sqrt, 1e-12),
        (ad.log, 1e-14),
        (unlisted_op(lambda x: math.nan, lambda x, out: 1.0), 0.7),
        (unlisted_op(lambda x: x if x == 0.7 else math.inf, lambda x, out: 1.0), 0.7),
    ],
)
def test_where_differences_do_not_converge_the_verdict_is_unclear(f, x):
    assert verdicts(f, x) == ["unclear"]
    with pytest.raises(GradcheckError, match="unclear"):
        gradcheck(f, x)


unit = st.floats(-1, 1)


def polynomial(coefficients, at):
    total = 0.0
    for coefficient in reversed(coefficients):
        total = total * at + coefficient
    return total


@given(st.lists(unit, min_size=2, max_size=5), st.floats(0.8, 1.5), st.data())
def test_random_polynomials_pass_and_a_thousandth_off_fails(coefficients, x, data):
    assert check(lambda x: polynomial(coefficients, x), x).passed
    slopes = [i * c for i, c in enumerate(coefficients)][1:]

    def p(x):
        return polynomial(coefficients, x)

    assert check(unlisted_op(p, lambda x, out: polynomial(slopes, x)), x).passed
    slopes[data.draw(st.integers(0, len(slopes) - 1))] += 1e-3
    assert not check(unlisted_op(p, lambda x, out: polynomial(slopes, x)), x).passed


# What it takes: arguments of f


def nested(tree):
    assert (type(tree["b"]), type(tree["b"][1])) == (list, tuple)
    return 2 * tree["a"] + tree["b"][0] * tree["b"][1][0]


@pytest.mark.parametrize(
    ("f", "inputs", "expected"),
    [
        (lambda x: 3 * x, 2.0, {"inputs[0]": 3.0}),
        (lambda x: 3 * x, 2, {"inputs[0]": 3.0}),
        (lambda x, y: x * y, (2.0, 5.0), {"inputs[0]": 5.0, "inputs[1]": 2.0}),
        (lambda xs: xs[0] * xs[1], [2.0, 5.0], {"inputs[0][0]": 5.0, "inputs[0][1]": 2.0}),
        (
            nested,
            {"a": 1.0, "b": [2.0, (3.0,)]},
            {"inputs[0]['a']": 2.0, "inputs[0]['b'][0]": 3.0, "inputs[0]['b'][1][0]": 2.0},
        ),
        (lambda xs: xs[0] - xs[1], np.array([1, 2]), {"inputs[0][0]": 1.0, "inputs[0][1]": -1.0}),
        (lambda x: 3 * x, np.array(2.0), {"inputs[0]": 3.0}),
        (lambda x: 3 * x[0, 1], np.array([[1, 2]]), {"inputs[0][0, 0]": 0, "inputs[0][0, 1]": 3}),
        (lambda x, n, *_: x**2 if n else x, (3.0, True, "a", None), {"inputs[0]": 6.0}),
        (lambda x, y: x * y, (Value(2.0, "left"), Value(5.0)), {"left": 5.0, "inputs[1]": 2.0}),
        (lambda x: {"p": [x, 1.0], "q": (x * x,)}, 3.0, {"inputs[0]": 0.5 + 6 * (0.5 + 0.236068)}),
        (lambda x: np.array([x, -x]), 3.0, {"inputs[0]": 0.5 - (0.5 + 0.618034)}),
    ],
)  # fmt: skip
def test_inputs_and_outputs_may_be_nested(f, inputs, expected):
    report = gradcheck(f, inputs)
    assert {entry.name: entry.analytic for entry in report.entries} == pytest.approx(expected)
    assert report.total == len(expected)


def test_every_output_is_checked():
    wrong = unlisted_op(math.sin, lambda x, out: 2 * ad.cos(x))
    for outputs in (
        lambda x: [x, wrong(x)],
        lambda x: [wrong(x), x],
        lambda x: [wrong(x), -wrong(x)],
    ):
        assert verdicts(outputs, 0.7) == ["wrong"]


@pytest.mark.parametrize("kind", [np.array, lambda xs: np.array([Value(x) for x in xs])])
def test_an_array_stays_an_array(kind):
    assert check(lambda x: (x * x).sum(), kind([1.0, 2.0])).passed


@pytest.mark.parametrize(
    ("f", "inputs", "error", "message"),
    [
        (lambda: Value(1.0), (), ValueError, "nothing to differentiate by"),
        (lambda x: Value(1.0), "text", ValueError, "nothing to differentiate by"),
        (lambda x: 2.0, 1.0, TypeError, "f must return a Value, got float"),
        (lambda x: [], 1.0, TypeError, "f must return a Value, got list"),
        (lambda x, y: y, (1.0, Value(1.0) * 2), ValueError, r"inputs\[1\] is the result of an op"),
        (lambda x: x, {1.0}, TypeError, "expected a real number, got set"),
    ],
)
def test_wrong_arguments_are_named(f, inputs, error, message):
    with pytest.raises(error, match=message):
        gradcheck(f, inputs)


# What it leaves as it was


@pytest.mark.parametrize("fails", [False, True])
def test_values_are_put_back_also_after_an_exception(fails):
    x, unreached, closed_over = leaves = Value(0.1), Value(3.0), Value(2.0)
    x.grad, closed_over.grad = 7.0, 8.0
    before = [(v.data, v.grad, v.has_grad) for v in leaves]
    seen = set()

    def f(x, _):
        seen.add(x.data)
        if fails and len(seen) > 2:
            raise ZeroDivisionError
        return x * x * closed_over

    with pytest.raises(ZeroDivisionError) if fails else nullcontext():
        assert gradcheck(f, (x, unreached)).entries[0].analytic == pytest.approx(0.4)
    assert len(seen) > 2
    assert [(v.data, v.grad, v.has_grad) for v in leaves] == before


def test_f_records_one_graph_only():
    recorded = []

    def f(x):
        recorded.append(bool((x * x).operands))
        return x * x

    gradcheck(f, 3.0)
    assert recorded[0]
    assert not any(recorded[1:])
    assert len(recorded) <= 1 + 1 + 4, "one step settles it"


# Orders


def test_every_order_is_checked_and_named():
    report = gradcheck(lambda x, y: ad.sin(x) * y**2, (Value(0.5, "x"), Value(2.0, "y")), order=3)
    assert report.passed
    assert [entry.name for entry in report.entries] == [
        *("x", "y"),
        *("x × x", "x × y", "y × x", "y × y"),
        *(f"{a} × {b} × {c}" for a in "xy" for b in "xy" for c in "xy"),
    ]
    found = {entry.name: (entry.order, entry.analytic) for entry in report.entries}
    assert found["x × y"] == (2, pytest.approx(4 * math.cos(0.5)))
    assert found["y × x × y"] == (3, pytest.approx(2 * math.cos(0.5)))
    assert str(report).startswith("gradcheck of 14 derivatives to order 3: 14 ok;")


def product(partials):
    return Primitive("op", lambda x, y: x * y * y, partials, "", (Domain(), Domain()), "op")


ORDERS = {  # the partials of x y², and the lowest order that fails
    "right": ((lambda x, y, out: y * y, lambda x, y, out: 2 * x * y), None),
    "sign": ((lambda x, y, out: -y * y, lambda x, y, out: 2 * x * y), 1),
    "2.5e-4": ((lambda x, y, out: y * y, lambda x, y, out: 2.0005 * x * y), 1),
    "swapped": ((lambda x, y, out: 2 * x * y, lambda x, y, out: y * y), 1),
    "nan": ((lambda x, y, out: y * y, lambda x, y, out: math.nan * x), 1),
    "detached": ((lambda x, y, out: number(y) * y, lambda x, y, out: 2 * x * y), 2),
    "constant": ((lambda x, y, out: number(y) * number(y), lambda x, y, out: 2 * x * y), 2),
    "2.5e-4 of the slope": (
        (lambda x, y, out: y * y, lambda x, y, out: 2 * x * y + 5e-4 * (x - number(x))), 2
    ),
    "nan of the slope": (
        (lambda x, y, out: y * y + 0 * ad.sqrt(x - number(x)), lambda x, y, out: 2 * x * y), 2
    ),
}  # fmt: skip


def number(x):
    """Cuts the graph: right at order 1, wrong beyond."""
    return getattr(x, "data", x)


@pytest.mark.parametrize("name", ORDERS)
@pytest.mark.parametrize("options", [{}, {"directions": 2}], ids=["all", "directions"])
def test_a_wrong_derivative_fails_at_its_order_and_beyond(name, options):
    partials, lowest = ORDERS[name]

    def f(x, y):
        return ad.exp(product(partials)(x, y) / 10)

    passed = [check(f, 1.5, -0.7, order=order, **options).passed for order in (1, 2)]
    assert passed == [lowest is None or order < lowest for order in (1, 2)]


def test_rounding_within_the_graph_is_not_an_error():
    def right_angle(x):
        y = ad.sin(ad.log(x))
        return ad.asin(y) + ad.acos(y)

    report = gradcheck(right_angle, 2.0, order=2)
    assert report.entries[1].analytic != 0.0 == report.entries[1].numeric
    assert report.passed
    wrong = unlisted_op(
        lambda x: 1 + 1e-8 * x * x, lambda x, out: 2e-8 * number(x) + 1e-8 * (x - number(x))
    )
    assert not check(wrong, 0.7, order=2).passed


def test_a_kink_of_the_slope_is_a_kink_at_order_two():
    report = gradcheck(lambda x: ad.relu(x) ** 2, 0.0, order=2)
    assert [entry.verdict for entry in report.entries] == ["ok", "kink"]
    for f in ad.relu, lambda x: ad.maximum(x, 2 * x):
        report = gradcheck(f, 0.0, order=2)
        assert [entry.verdict for entry in report.entries] == ["kink", "kink"]
    mixed = gradcheck(lambda x, y: x * abs(y), (0.0, 0.0), order=2)
    assert [entry.name for entry in mixed.kinks] == ["inputs[0] × inputs[1]"]


def test_second_derivatives_of_a_module_by_a_sample_of_its_parameters():
    model = nn.MLP(2, [5, 1], "tanh", seed=0)
    before = [(p.data, p.has_grad) for p in model.parameters()]
    report = gradcheck(model, ([0.3, -0.5],), order=2, sample=4)
    assert len(report.entries) == 4 + 16
    assert max(abs(entry.analytic) for entry in report.entries[4:]) > 1e-3
    assert [(p.data, p.has_grad) for p in model.parameters()] == before
    assert gradcheck(model, ([0.3, -0.5],), order=2, directions=3)


# Modules


def test_the_parameters_of_a_module_are_checked_as_f_and_as_argument():
    neuron = nn.Neuron(2, activation="tanh", seed=0)
    before = [(p.data, p.has_grad) for p in neuron.parameters()]
    as_f = gradcheck(neuron, ([0.3, -0.5],))
    as_argument = gradcheck(lambda n: n([0.3, -0.5]), neuron)
    assert [entry.name for entry in as_f.entries] == ["w.0", "w.1", "b"]
    assert as_f == as_argument
    assert [(p.data, p.has_grad) for p in neuron.parameters()] == before
    (w0, w1, b) = (entry.analytic for entry in as_f.entries)
    assert (w0, w1) == (pytest.approx(0.3 * b), pytest.approx(-0.5 * b))


def test_the_parameters_of_a_kernel_are_checked_over_the_batch():
    model = nn.MLP(1, [2, 1], "tanh", seed=0)
    kernel = ad.compile(lambda x, y: nn.mse(model([x]), y))
    xs, ys = np.array([0.3, -0.5, 1.2]), np.array([1.0, 2.0, -1.0])
    before = [(p.data, p.has_grad) for p in model.parameters()]
    found = gradcheck(kernel, (xs, ys))
    eager = gradcheck(lambda m: nn.mse([m([x]) for x in xs], ys), model)
    assert [entry.name for entry in found.entries] == [f"parameters[{i}]" for i in range(7)]
    place = {p: i for i, p in enumerate(kernel.parameters)}
    for p, entry in zip(model.parameters(), eager.entries, strict=True):
        assert found.entries[place[p]].analytic == pytest.approx(entry.analytic, rel=1e-12)
    assert [(p.data, p.has_grad) for p in model.parameters()] == before

    value_and_grad = kernel.value_and_grad

    class Wrong:
        parameters = kernel.parameters

        def __call__(self, *args):
            return kernel(*args)

        def value_and_grad(self, *args):
            value, gradient = value_and_grad(*args)
            return value, gradient * [1, 1, 1 + 1e-4, 1, 1, 1, 1]

    assert [entry.verdict for entry in check(Wrong(), xs, ys).entries].index("wrong") == 2


# The report


def weighted(n):
    return lambda xs: ad.dot([float(i + 1) for i in range(n)], xs)


def test_a_sample_is_seeded_and_says_so():
    def names(seed, size=5):
        report = gradcheck(weighted(40), [0.0] * 40, sample=size, seed=seed)
        assert report.total == 40
        return [entry.name for entry in report.entries], str(report).splitlines()[0]

    drawn, line = names(0)
    assert line.startswith(
        "gradcheck of 5 derivatives (by a random sample of 5 of 40 inputs): 5 ok;"
    )
    assert names(0)[0] == drawn != names(1)[0]
    default = gradcheck(weighted(40), [0.0] * 40, sample=5)
    assert [entry.name for entry in default.entries] == drawn
    assert len(set(drawn)) == 5
    for everything in (40, 1000):
        whole, line = names(0, everything)
        assert len(set(whole)) == 40
        assert line.startswith("gradcheck of 40 derivatives: 40 ok;")


@pytest.mark.parametrize("option", ["sample", "directions"])
def test_a_sample_of_one_is_enough(option):
    assert len(gradcheck(weighted(3), [0.0] * 3, **{option: 1}).entries) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sample": 0}, "sample must be a positive integer, got 0"),
        ({"order": 0}, "order must be a positive integer, got 0"),
        ({"sample": 1, "directions": 1}, "sample or directions, not both"),
        ({"eps": 0.0}, "eps must be positive, got 0.0"),
        ({"eps": math.inf}, "eps must be positive, got inf"),
        ({"rtol": 0.0}, "rtol must be positive, got 0.0"),
        ({"rtol": math.nan}, "rtol must be positive, got nan"),
        ({"atol": -1.0}, "atol must be at least 0, got -1.0"),
    ],
)
def test_wrong_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        gradcheck(ad.sin, 0.7, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"eps": "1e-6"}, "gradcheck: eps must be a number, got '1e-6'"),
        ({"directions": 0.5}, "gradcheck: directions must be a positive integer, got 0.5"),
        ({"order": True}, "gradcheck: order must be a positive integer, got True"),
    ],
)
def test_options_of_a_wrong_kind_are_named(options, message):
    with pytest.raises(TypeError, match=message):
        gradcheck(ad.sin, 0.7, **options)


def test_directions_find_one_wrong_partial_among_thousands():
    wrong = unlisted_op(lambda x: x * x, lambda x, out: x * 2.0002)
    xs = [Value(math.cos(i)) for i in range(2000)]

    def f(at):
        return lambda xs: sum([(wrong(x) if i == at else x * x) for i, x in enumerate(xs)], 0.0)

    right = check(f(None), xs, directions=3)
    assert [entry.verdict for entry in right.entries] == ["ok"] * 3
    assert str(right).startswith(
        "gradcheck of 3 derivatives (in 3 random directions of 2,000 inputs): 3 ok;"
    )
    for at in 0, 777, 1999:
        report = check(f(at), xs, directions=3)
        assert [entry.verdict for entry in report.entries] == ["wrong"] * 3
    one_sided = [check(f(3), xs, directions=1, seed=seed).passed for seed in range(20)]
    assert not any(one_sided)


def test_directions_are_seeded_and_independent():
    def analytic(**options):
        return [e.analytic for e in gradcheck(weighted(9), [0.5] * 9, **options).entries]

    drawn = analytic(directions=2, seed=4)
    assert drawn == analytic(directions=2, seed=4) != analytic(directions=2, seed=5)
    assert abs(drawn[0]) != abs(drawn[1])


def test_the_error_is_the_table():
    wrong = unlisted_op(lambda x: x * x, lambda x, out: x)
    xs = [Value(i + 1.0, f"x{i}") for i in range(12)]
    with pytest.raises(AssertionError) as caught:
        gradcheck(lambda xs: sum(xs[:-1]) + wrong(xs[-1]), xs)
    assert type(caught.value) is GradcheckError
    assert caught.value.report.entries[-1].verdict == "wrong"
    assert str(caught.value) == (
        "gradcheck of 12 derivatives: 11 ok, 1 wrong; largest relative error 5.0e-01\n"
        "name          analytic           numeric    error  verdict\n"
        "x11                 12                24  5.0e-01  wrong"
    )
    assert str(check(wrong, 3.0)) == (
        "gradcheck of 1 derivative: 1 wrong; largest relative error 5.0e-01\n"
        "name               analytic           numeric    error  verdict\n"
        "inputs[0]                 3                 6  5.0e-01  wrong"
    )
