"""Optimizers: their steps against PyTorch's, and the arguments that they refuse."""

import math

import numpy as np
import pytest

from autodiff import Value
from nn import MLP, SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop


def trajectory(make, steps):
    """The parameters after each step on 3x² + xy + y²/2 - 2x, from (1, -2)."""
    x, y = parameters = [Value(1.0), Value(-2.0)]
    optimizer = make(parameters)
    for _ in range(steps):
        optimizer.zero_grad()
        (3 * x * x + x * y + y * y / 2 - 2 * x).backward()
        optimizer.step()
        yield x.data, y.data


# From torch 2.13 (torch.optim.SGD, torch.optim.Adam) in float64
PYTORCH = [
    (lambda ps: SGD(ps, lr=0.1), [
        (0.8, -1.9), (0.71, -1.7899999999999998), (0.663, -1.6819999999999997),
        (0.6334, -1.5800999999999998), (0.61137, -1.4854299999999998),
        (0.593091, -1.3980239999999997)]),
    (lambda ps: SGD(ps, lr=0.1, momentum=0.9), [
        (0.8, -1.9), (0.5299999999999999, -1.7), (0.33899999999999986, -1.403),
        (0.30399999999999994, -1.0293), (0.39303, -0.62044),
        (0.4993830000000001, -0.2297249999999999)]),
    (lambda ps: Adam(ps, lr=0.1), [
        (0.9000000005, -1.900000001), (0.8017424928976679, -1.8000000019986975),
        (0.7073765186918779, -1.7000061977772072), (0.620098379445133, -1.6000385300664801),
        (0.5440072420955084, -1.5001439529874836), (0.48313743499249473, -1.400416180337086)]),
    (lambda ps: Adam(ps, 0.05, (0.5, 0.8), 0.1), [
        (0.9523809523809523, -1.9545454545454546), (0.9056928155124697, -1.9090750494666258),
        (0.8605150611161321, -1.8635912416326368), (0.817406258137098, -1.8181084266357728),
        (0.7768788813898057, -1.7726542857651182), (0.7393875437810327, -1.7272690454059862)]),
    (lambda ps: SGD(ps, 0.1, 0.9, dampening=0.5, weight_decay=0.1), [
        (0.7899999999999999, -1.88), (0.5540499999999999, -1.7081),
        (0.35811475, -1.487147), (0.24690537625000003, -1.2244019525)]),
    (lambda ps: SGD(ps, 0.1, momentum=0.9, nesterov=True), [
        (0.62, -1.81), (0.4751, -1.5029000000000001),
        (0.46052700000000013, -1.138328), (0.45998584000000003, -0.7739330099999999)]),
    (lambda ps: Adagrad(ps, 0.5, lr_decay=0.1, weight_decay=0.1, initial_accumulator_value=2.0), [
        (0.5852749346113644, -1.6765016804071267), (0.6043470710794854, -1.4212301113743537),
        (0.5609634158163995, -1.2573396165237414), (0.5361772990984798, -1.134449519042618)]),
    (lambda ps: RMSprop(ps, 0.1, 0.9, weight_decay=0.1, momentum=0.5, centered=True), [
        (0.6666666719576718, -1.6666666759259257), (0.43337579802125376, -1.2485281938925705),
        (0.41397190545917634, -0.8474876798434438), (0.45739250290565353, -0.5365301969072301)]),
    (lambda ps: Adam(ps, 0.1, weight_decay=0.5), [
        (0.9000000003999999, -1.9000000005), (0.8013947378183428, -1.8000739958342324),
        (0.7057902018831297, -1.7002768717342254), (0.6155092131968286, -1.6006720620875865)]),
    (lambda ps: AdamW(ps, 0.1, weight_decay=0.5), [
        (0.8500000004999999, -1.800000001), (0.7107588918944875, -1.610166487581876),
        (0.5861948163435422, -1.430118956402297), (0.4819589835271495, -1.2595400356329058)]),
    (SGD, [(0.998, -1.999)]),
    (Adam, [(0.999000000005, -1.9990000000099999)]),
]  # fmt: skip


@pytest.mark.parametrize(("make", "expected"), PYTORCH)
def test_steps_are_those_of_pytorch(make, expected):
    np.testing.assert_allclose(list(trajectory(make, len(expected))), expected, rtol=1e-14)


@pytest.mark.parametrize("make", [lambda ps: SGD(ps, 0.2, momentum=0.5), lambda ps: Adam(ps, 0.1)])
def test_the_minimum_is_reached(make):
    *_, last = trajectory(make, 400)
    assert last == pytest.approx((0.4, -0.4), abs=1e-3)


def test_a_step_changes_data_once_and_keeps_gradients():
    x, idle = Value(3.0), Value(5.0)
    optimizer = SGD([x, idle], lr=0.5)
    x.grad = 2.0
    optimizer.step()
    assert (x.data, x.grad, idle.data) == (2.0, 2.0, 5.0)
    assert type(x.data) is float


def test_zero_grad_clears_the_parameters_given():
    x, other = Value(3.0), Value(5.0)
    x.grad = other.grad = 2.0
    SGD(iter([x])).zero_grad()
    assert (x.grad, other.grad) == (0.0, 2.0)


def test_a_learning_rate_may_change_between_steps():
    x = Value(3.0)
    optimizer = SGD([x], lr=0.5)
    x.grad = 1.0
    optimizer.step()
    optimizer.lr = 0.25
    optimizer.step()
    assert x.data == 3.0 - 0.5 - 0.25


def test_a_custom_optimizer_defines_update():
    class Signs(Optimizer):
        def update(self, theta, gradient):
            theta -= self.lr * np.sign(gradient)

    x, y = Value(1.0), Value(2.0)
    x.grad, y.grad = -7.0, 0.1
    Signs([x, y], lr=0.5).step()
    assert (x.data, y.data) == (1.5, 1.5)
    with pytest.raises(NotImplementedError):
        Optimizer([x], lr=0.1).step()


NAN, INF = math.nan, math.inf
WRONG = [
    *[(lambda ps, k=k, lr=lr: k(ps, lr=lr), rf"lr must be at least 0, got {lr}")
      for k in (SGD, Adam) for lr in (-0.1, NAN, INF)],
    *[(lambda ps, m=m: SGD(ps, momentum=m), "momentum must be at least 0, got")
      for m in (-0.1, NAN, INF)],
    *[(lambda ps, b=b: Adam(ps, betas=(b, 0.9)), r"betas\[0\] must be at least 0 and below 1")
      for b in (-0.1, 1.0, NAN)],
    *[(lambda ps, b=b: Adam(ps, betas=(0.9, b)), r"betas\[1\] must be at least 0 and below 1")
      for b in (-0.1, 1.0, NAN)],
    *[(lambda ps, e=e: Adam(ps, eps=e), "eps must be at least 0, got") for e in (-1e-8, NAN, INF)],
    *[(lambda ps, k=k, o=o: k(ps, **{o: -1.0}), f"{o} must be at least 0, got -1.0")
      for k, names in {
          SGD: "dampening weight_decay",
          Adagrad: "lr lr_decay weight_decay initial_accumulator_value eps",
          RMSprop: "lr eps weight_decay momentum",
          AdamW: "lr weight_decay",
      }.items() for o in names.split()],
    (lambda ps: RMSprop(ps, alpha=1.0), "alpha must be at least 0 and below 1, got 1.0"),
    (lambda ps: SGD(ps, nesterov=True), "nesterov needs a momentum above 0 and no dampening"),
    (lambda ps: SGD(ps, momentum=0.9, dampening=0.1, nesterov=True), "and no dampening"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "message"), WRONG)
def test_arguments_out_of_range_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make([Value(1.0)])


@pytest.mark.parametrize("kind", [SGD, Adam])
def test_parameters_are_values_at_least_one(kind):
    with pytest.raises(ValueError, match="at least one parameter"):
        kind([])
    with pytest.raises(TypeError, match="a parameter is a Value, got float"):
        kind([Value(1.0), 2.0])
    with pytest.raises(TypeError, match="takes a list of parameters, got MLP"):
        kind(MLP(1, [1]))
    with pytest.raises(TypeError, match="lr must be a number, got 'fast'"):
        kind([Value(1.0)], lr="fast")


def test_ranges_include_their_ends():
    x = Value(1.0)
    x.grad = 4.0
    SGD([x], lr=0, momentum=0).step()
    Adam([x], lr=0.25, betas=(0, 0), eps=0).step()
    assert x.data == 0.75


def test_a_parameter_is_a_leaf_and_given_once():
    x = Value(1.0)
    with pytest.raises(ValueError, match="each parameter once"):
        SGD([x, Value(2.0), x])
    with pytest.raises(ValueError, match="a parameter is a leaf, got the result of others"):
        SGD([x, x * 2])


MAKERS = [
    lambda ps: SGD(ps, 0.01, momentum=0.9, dampening=0.5),
    lambda ps: SGD(ps, 0.01, momentum=0.9, nesterov=True, weight_decay=0.1),
    lambda ps: Adagrad(ps, 0.1, lr_decay=0.1),
    lambda ps: RMSprop(ps, 0.01, momentum=0.9, centered=True),
    lambda ps: Adam(ps, 0.1, weight_decay=0.1),
    lambda ps: AdamW(ps, 0.1),
]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("at", [0, 1, 7])
def test_an_optimizer_goes_on_from_a_saved_state_with_the_same_bits(make, at):
    def run(optimizer, steps):
        x, y = optimizer.parameters
        for _ in range(steps):
            optimizer.zero_grad()
            (3 * x * x + x * y + y * y / 2 - 2 * x).backward()
            optimizer.step()
        return [v.data.hex() for v in (x, y)]

    whole = make([Value(1.0), Value(-2.0)])
    run(whole, at)
    data, state = [v.data for v in whole.parameters], whole.state_dict()
    whole_end = run(whole, 5)
    resumed = make([Value(x) for x in data])
    resumed.lr = 17.0  # the state knows better
    resumed.load_state_dict(state)
    assert run(resumed, 5) == whole_end


def test_the_state_of_another_optimizer_is_refused():
    adam, sgd = Adam([Value(1.0)]), SGD([Value(1.0)])
    with pytest.raises(ValueError, match=r"SGD\.load_state_dict: missing 'momentum', "):
        sgd.load_state_dict(adam.state_dict())
    state = SGD([Value(1.0), Value(2.0)]).state_dict()
    with pytest.raises(ValueError, match=r"velocity is float64 of shape \(2,\), must be"):
        sgd.load_state_dict(state)


def test_a_gradient_without_variance_does_not_make_a_root_of_a_negative():
    x = Value(0.0)
    optimizer = RMSprop([x], lr=1e-12, centered=True, alpha=0.5)
    for _ in range(100):
        x.grad = 0.7
        optimizer.step()
    assert math.isfinite(x.data)


def test_adam_and_adamw_differ_by_where_they_decay():
    """Without a gradient, Adam's decay takes a step of lr, AdamW's shrinks θ by lr · decay."""
    x, y = Value(8.0), Value(8.0)
    Adam([x], lr=0.1, weight_decay=0.5).step()
    AdamW([y], lr=0.1, weight_decay=0.5).step()
    assert (x.data, y.data) == (pytest.approx(7.9), 7.6)
