"""`fit`: what its arguments mean, and which it refuses."""

import numpy as np
import pytest

import nn
from autodiff import Value
from nn import MLP, SGD, metrics
from tests.nn.trainees import Number, X, Y, branching, total
from tests.support.values import data

XX = X.reshape(6, 2)


@pytest.mark.parametrize("batch_size", [None, 5])
def test_the_loss_falls(batch_size):
    model = MLP(1, [5, 1], "tanh", seed=0)
    before = nn.mse(nn.predict(model, X), Y)
    adam = nn.Adam(model.parameters(), lr=0.05)
    history = nn.fit(model, X, Y, optimizer=adam, iterations=150, batch_size=batch_size)
    assert nn.mse(nn.predict(model, X), Y) < 0.2 * before
    assert (len(history.losses), history.stopped) == (150, "iterations")
    assert {type(value) for value in history.losses} == {float}


def test_an_iteration_is_one_step_on_the_loss_before_it():
    model, same = MLP(1, [2, 1], seed=0), MLP(1, [2, 1], seed=0)
    optimizer = SGD(same.parameters(), lr=0.1)
    losses = []
    for _ in range(3):
        same.zero_grad()
        root = nn.mse([same([x]) for x in X.tolist()], Y.tolist())
        root.backward()
        optimizer.step()
        losses.append(root.data)
    model.parameters()[0].grad = 99.0
    history = nn.fit(
        model, X, Y, optimizer=SGD(model.parameters(), lr=0.1), iterations=3, engine="eager"
    )
    assert history.losses == losses
    assert data(model) == data(same)


def test_adam_at_a_hundredth_is_the_default():
    one, two = (MLP(1, [2, 1], seed=0) for _ in range(2))
    nn.fit(one, X, Y, iterations=4)
    nn.fit(two, X, Y, iterations=4, optimizer=nn.Adam(two.parameters(), lr=0.01))
    assert data(one) == data(two)


def test_a_seed_fixes_the_batches():
    def trained(seed):
        model = MLP(1, [3, 1], seed=0)
        options = {} if seed is None else {"seed": seed}
        history = nn.fit(model, X, Y, iterations=10, batch_size=3, **options)
        return [x.hex() for x in data(model) + history.losses]

    assert trained(1) == trained(1) != trained(2)
    assert trained(None) == trained(0)


@pytest.mark.parametrize("engine", ["eager", "compiled"])
def test_no_iterations_leave_the_model_alone(engine):
    model = Number(3.0)
    assert nn.fit(model, X, Y, epochs=0, engine=engine) == nn.History([], "epochs")
    assert nn.fit(model, X, Y, iterations=0, engine=engine) == nn.History([], "iterations")
    assert data(model) == [3.0]


@pytest.mark.parametrize(
    ("x", "y", "options", "message"),
    [
        (X, Y[1:], {}, "12 examples in x, 11 in y"),
        (X, Y, {"batch_size": 0}, "batch_size must be an integer from 1 to 12, got 0"),
        (X, Y, {"batch_size": 13}, "batch_size must be an integer from 1 to 12, got 13"),
        (X, Y, {"validation": (X, Y[1:])}, "12 examples in validation x, 11 in validation y"),
        (
            X,
            Y,
            {"validation": (XX, Y[:6])},
            r"x have shape \(1,\), rows of validation x have shape \(2,\)",
        ),
        (
            X,
            Y,
            {"validation": (X, X[:, None])},
            r"y have shape \(\), rows of validation y have shape \(1,\)",
        ),
        (X, Y, {"validation": (X,)}, "a share of the examples, .* got a tuple of 1"),
        (
            X,
            Y,
            {"validation": 1.0},
            "above 0 and below 1, or a pair .* got 1.0",
        ),
        (X, Y, {"metrics": ["f1"]}, "no metric 'f1'; there are accuracy, r2"),
        (X, Y, {"metrics": ["r2", metrics.r2]}, "two metrics have one name"),
        (X, Y, {"engine": "jit"}, "engine must be 'auto', 'compiled' or 'eager', got 'jit'"),
        (X, Y, {"resume": True}, "resume needs checkpoint"),
        (X * np.inf, Y, {}, "x is not finite in row 0"),
        (X, [*Y[:9], np.nan, 0, 0], {}, "y is not finite in row 9"),
        (X.reshape(3, 2, 2), Y[:3], {}, "MLP takes 1 inputs, got 2"),
        (X.reshape(6, 2), Y[:6], {}, "MLP takes 1 inputs, got 2"),
        (X[:6], Y.reshape(6, 2), {}, "mse of 6 predictions and 12 targets"),
    ],
)
def test_sizes_that_do_not_fit_are_named(x, y, options, message):
    model = MLP(1, [1], seed=0)
    before = data(model)
    with pytest.raises(ValueError, match=message):
        nn.fit(model, x, y, **options)
    assert data(model) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "mse"}, "loss must be a function of predictions and targets, as nn.mse, got 'ms"),
        ({"loss": nn.MLP}, "loss must be a function .* got <class"),
        (
            {"optimizer": "adam"},
            r"optimizer must be .* as nn.Adam\(model.parameters\(\)\), got 'adam'",
        ),
        ({"optimizer": nn.Adam}, "optimizer must be .* got the class Adam; pass an instance"),
        ({"schedule": nn.StepLR}, "schedule must be .* got the class StepLR; pass an instance"),
        ({"schedule": "cosine"}, "schedule must be a schedule, as nn.StepLR.* got 'cosine'"),
        ({"progress": 10}, r"progress must be True, False .* as nn.Lines\(every=10\), got 10"),
        ({"progress": nn.Lines}, "progress must be .* got <class"),
        ({"metrics": [None]}, "a metric must be a name or a function .*, got None"),
        ({"metrics": metrics.r2}, "metrics must be a list of names and functions, got <function"),
        ({"validation": 1.5}, "validation must be a share .* or a pair .*, got 1.5"),
        ({"validation": "20%"}, "validation must be a share .* or a pair .*, got '20%'"),
        ({"validation": True}, "validation must be a share .* or a pair .*, got True"),
        ({"validation": 0.95}, "validation 0.95 of 12 examples leaves none to train on"),
        ({"epochs": 2.5}, "epochs must be an integer of at least 0, got 2.5"),
        ({"iterations": "9"}, "iterations must be an integer of at least 0, got '9'"),
        ({"batch_size": True}, "batch_size must be an integer from 1 to 12, got True"),
        ({"seed": "x"}, "seed must be an integer of at least 0, got 'x'"),
        ({"tolerance": "low"}, "tolerance must be a number, got 'low'"),
        ({"checkpoint": 5}, "checkpoint must be the path of an .npz file, got 5"),
        ({"resume": "yes"}, "resume must be True or False, got 'yes'"),
        ({"engine": None}, "engine must be 'auto', 'compiled' or 'eager', got None"),
    ],
)
def test_arguments_of_a_wrong_kind_are_named_at_the_call(options, message):
    model = MLP(1, [1], seed=0)
    before = data(model)
    with pytest.raises((TypeError, ValueError), match=f"^fit: {message}"):
        nn.fit(model, X, Y, **options)
    assert data(model) == before


@pytest.mark.parametrize("model", [MLP, lambda x: x, None])
def test_a_model_is_a_module(model):
    for name, arguments in (("fit", (X, Y)), ("predict", (X,))):
        with pytest.raises(TypeError, match=rf"^{name}: model must be a Module, as nn.MLP\(2, "):
            getattr(nn, name)(model, *arguments)


@pytest.mark.parametrize("engine", ["eager", "compiled", "auto"])
def test_an_optimizer_of_another_model_is_refused(engine):
    model, other = MLP(1, [1], seed=0), MLP(1, [1], seed=0)
    message = "optimizer must have parameters of the model, got 2 of which none belong"
    with pytest.raises(ValueError, match=message):
        nn.fit(model, X, Y, optimizer=SGD(other.parameters()), engine=engine)
    both = SGD(model.parameters() + other.parameters())
    with pytest.raises(ValueError, match="got 4 of which only 2 belong to the model or the loss"):
        nn.fit(model, X, Y, optimizer=both, engine=engine)


@pytest.mark.parametrize("engine", ["eager", "compiled"])
def test_an_optimizer_may_have_parameters_of_the_loss(engine):
    model, scale = Number(1.0), Value(2.0)

    def loss(predictions, targets):
        return nn.mse([scale * p for p in predictions], targets)

    sgd = SGD([model.w, scale], lr=0.1)
    nn.fit(model, X, Y, loss=loss, optimizer=sgd, iterations=2, engine=engine)
    assert scale.data != 2.0
    assert model.w.data != 1.0


@pytest.mark.parametrize("batch_size", [1, 12])
def test_batch_size_may_be_1_or_all(batch_size):
    assert len(nn.fit(Number(), X, Y, iterations=2, batch_size=batch_size).losses) == 2


@pytest.mark.parametrize("y", [[[1.0, 2.0], [3.0, 4.0]], np.array([[1, 2], [3, 4]])])
def test_examples_may_have_several_inputs_and_outputs(y):
    model = MLP(2, [3, 2], "tanh", seed=0)
    history = nn.fit(model, [[0.0, 1.0], [1.0, 0.0]], y, iterations=200)
    assert history.losses[-1] < 0.01 * history.losses[0]


@pytest.mark.parametrize("engine", ["eager", "compiled", "auto"])
def test_a_loss_must_be_a_value(engine):
    with pytest.raises(TypeError, match="Value"):
        nn.fit(Number(), X, Y, loss=lambda predictions, targets: 1.0, engine=engine)


# The choice of the engine


def test_auto_compiles_what_can_be_compiled(monkeypatch):
    found = {}
    for engine in ("auto", "compiled", "eager"):
        model = MLP(1, [3, 1], "tanh", seed=0)
        nn.fit(model, X, Y, iterations=5, engine=engine)
        found[engine] = data(model)
    assert found["auto"] == found["compiled"] != found["eager"]
    assert found["auto"] == pytest.approx(found["eager"], rel=1e-9)


@pytest.mark.parametrize(
    ("loss", "reason"),
    [
        (branching, "trainees.py"),
        (total, "of 12 examples is 12, the mean of their losses 1; a loss that is a mean over"),
    ],
)
def test_auto_trains_on_values_with_a_warning_otherwise(loss, reason):
    model, same = Number(1.0), Number(1.0)
    with pytest.warns(RuntimeWarning, match=f"fit: running on Values, .*{reason}") as caught:
        nn.fit(model, X, Y, loss=loss, iterations=3)
    assert caught[0].filename == __file__
    nn.fit(same, X, Y, loss=loss, iterations=3, engine="eager")
    assert data(model) == data(same) != [1.0]


class Typed(Number):
    """Works on Values alone, and does not say so to tracers."""

    def __call__(self, x):
        out = self.w * x[0]
        return {Value: out}[type(out)]


def test_a_model_that_fails_on_tracers_in_its_own_way_is_trained_on_values():
    model, same = Typed(1.0), Typed(1.0)
    with pytest.warns(RuntimeWarning, match="fit: running on Values, .*KeyError: "):
        nn.fit(model, X, Y, iterations=3)
    nn.fit(same, X, Y, iterations=3, engine="eager")
    assert data(model) == data(same) != [1.0]
    with pytest.raises(KeyError):
        nn.fit(model, X, Y, iterations=3, engine="compiled")


def test_an_error_of_the_model_itself_is_raised_as_it_is():
    def wrong(predictions, targets):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        nn.fit(Number(), X, Y, loss=wrong)


def test_a_schedule_brings_its_optimizer():
    models = [MLP(1, [2, 1], seed=0) for _ in range(2)]
    sgd, same = (SGD(model.parameters(), lr=0.1) for model in models)
    nn.fit(models[0], X, Y, epochs=2, schedule=nn.StepLR(sgd, 1))
    nn.fit(models[1], X, Y, epochs=2, schedule=nn.StepLR(same, 1), optimizer=same)
    assert data(models[0]) == data(models[1])
    with pytest.raises(
        ValueError, match="schedule must be a schedule of the optimizer, got one of another"
    ):
        nn.fit(models[0], X, Y, schedule=nn.StepLR(sgd, 1), optimizer=same)


def test_metrics_are_a_list():
    with pytest.raises(TypeError, match=r"metrics must be a list, as \['r2'\]"):
        nn.fit(Number(), X, Y, metrics="r2")


def test_progress_is_shown_unless_it_is_false(capsys):
    nn.fit(Number(), X, Y, iterations=3)
    assert capsys.readouterr().out.startswith("iteration 3  loss")
    nn.fit(Number(), X, Y, iterations=3, progress=False)
    assert capsys.readouterr() == ("", "")


def test_a_batch_is_32_examples_for_epochs_and_all_for_iterations():
    x = np.linspace(-1, 1, 70)
    assert len(nn.fit(Number(), x, x, epochs=2).losses) == 2 * 3
    assert len(nn.fit(Number(), X, X, epochs=2).losses) == 2
    history = nn.fit(Number(), x, x, iterations=3)
    assert len(history.epochs["loss"]) == 3


def test_a_share_is_held_out_of_training_and_a_pair_is_validated_on():
    seen = []

    class Watched(Number):
        def __call__(self, x):
            seen.append(x[0])
            return super().__call__(x)

    options = {"engine": "eager", "epochs": 1, "batch_size": 3}
    history = nn.fit(Watched(), X, Y, validation=0.25, **options)
    held_out = set(seen[9:])
    assert (len(seen), len(held_out)) == (12, 3)
    assert held_out | set(seen) == set(X.tolist())
    assert len(history.epochs["validation_loss"]) == 1
    seen.clear()
    nn.fit(Watched(), X, Y, validation=0.25, seed=1, **options)
    assert set(seen[9:]) != held_out
    seen.clear()
    nn.fit(Watched(), X, Y, validation=([7, 8], [0, 0]), **options)
    assert seen[12:] == [7, 8]


def test_labels_stay_integers_for_the_loss():
    x, y = nn.data.moons(40)
    model = MLP(2, [8, 2], seed=0)
    history = nn.fit(model, x, y, loss=nn.cross_entropy, epochs=30, metrics=["accuracy"])
    assert history.epochs["accuracy"][-1] > 0.8
