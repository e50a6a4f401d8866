"""Checkpoints: training that goes on from one gives the bits of training that never stopped."""

import json
import os

import numpy as np
import pytest

import nn
from autodiff import Value, mean
from nn import MLP
from nn.train.engines.snapshot import generators
from nn.train.loop.archive import read, write
from tests.nn.trainees import Seen, Unused
from tests.support.values import bits

X, Y = nn.data.moons(50, seed=1)
VALIDATION = nn.data.moons(20, seed=2)
OPTIMIZERS = {
    "adam": lambda p: nn.Adam(p, lr=0.02),
    "sgd": lambda p: nn.SGD(p, lr=0.1, momentum=0.9),
}


def trained(path, epochs, *, resume=False, progress=False, optimizer="adam", seed=0, **options):
    """The model and the history of a training with everything switched on."""
    model = MLP(2, [5, 2], "tanh", seed=0 if not resume else 9)
    chosen = OPTIMIZERS[optimizer](model.parameters())
    history = nn.fit(
        model, X, Y, loss=nn.cross_entropy, optimizer=chosen, batch_size=8, epochs=epochs,
        schedule=nn.ReduceLROnPlateau(chosen, patience=0, factor=0.7), seed=seed,
        validation=tuple(VALIDATION), metrics=["accuracy"], tolerance=1e-9, early_stopping=30,
        checkpoint=path, checkpoint_every=2, resume=resume, progress=progress, **options,
    )  # fmt: skip
    return bits(model), history


@pytest.mark.parametrize("engine", ["eager", "compiled"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_resumed_training_gives_the_same_bits(tmp_path, engine, optimizer):
    options = {"engine": engine, "optimizer": optimizer}
    whole, history = trained(tmp_path / "whole.npz", 7, **options)
    trained(tmp_path / "part.npz", 3, **options)  # the file is that of epoch 2
    found, resumed = trained(tmp_path / "part.npz", 7, resume=True, **options)
    assert found == whole
    assert resumed == history


def test_a_crash_loses_what_came_after_the_checkpoint_only(tmp_path):
    def crash(number):
        if number == 5:
            raise RuntimeError

    whole, history = trained(tmp_path / "whole.npz", 8)
    with pytest.raises(RuntimeError):
        trained(tmp_path / "part.npz", 8, progress=Seen(crash))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["part.npz", "whole.npz"]
    assert trained(tmp_path / "part.npz", 8, resume=True) == (whole, history)


def test_training_that_is_over_stays_over(tmp_path):
    whole, history = trained(tmp_path / "file.npz", 4)
    assert trained(tmp_path / "file.npz", 4, resume=True) == (whole, history)
    longer = trained(tmp_path / "other.npz", 6)
    assert trained(tmp_path / "file.npz", 6, resume=True) == longer


def test_a_checkpoint_is_of_whole_epochs(tmp_path):
    def run(name, iterations, resume=False):
        model = MLP(2, [3, 2], "tanh", seed=0)
        history = nn.fit(
            model, X, Y, loss=nn.cross_entropy, iterations=iterations, batch_size=20,
            checkpoint=tmp_path / name, resume=resume, progress=False,
        )  # fmt: skip
        return bits(model), history

    whole = run("whole.npz", 9)
    run("part.npz", 4)  # an epoch is 3 iterations
    assert run("part.npz", 9, resume=True) == whole


def test_without_a_file_training_begins(tmp_path):
    _, history = trained(tmp_path / "file.npz", 2, resume=True)
    assert len(history.epochs["loss"]) == 2
    assert (tmp_path / "file.npz").is_file()


def test_early_stopping_is_resumed(tmp_path):
    def run(epochs, resume):
        model = nn.Neuron(1, nonlin=False)
        model.w[0].data, model.b.data = 0.0, 0.0
        x = np.linspace(-1, 1, 12)
        options = {"validation": (x, x), "early_stopping": 4, "batch_size": 12, "epochs": epochs}
        path = tmp_path / ("whole.npz" if epochs == 60 and not resume else "part.npz")
        history = nn.fit(
            model, x, 3 * x, optimizer=nn.SGD(model.parameters(), lr=0.1), checkpoint=path,
            resume=resume, progress=False, **options,
        )  # fmt: skip
        return bits(model), history

    whole, history = run(60, False)
    assert (history.stopped, history.best_epoch + 4) == ("early stopping", len(history.losses))
    run(history.best_epoch + 2, False)
    assert run(60, True) == (whole, history)
    assert run(60, True) == (whole, history), "and it does not begin again"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"optimizer": "sgd"},
            "the optimizer differs: its state has betas, .*; here it has dampening, ",
        ),
        ({"engine": "eager"}, "the engine differs: compiled, here eager"),
        ({"seed": 1}, "the seed differs: 0, here 1"),
    ],
)
def test_the_checkpoint_of_another_training_is_refused(tmp_path, options, message):
    trained(tmp_path / "file.npz", 2)
    with pytest.raises(ValueError, match=f"file.npz does not fit this training: {message}"):
        trained(tmp_path / "file.npz", 3, resume=True, **options)


def test_other_data_or_another_model_are_refused(tmp_path):
    def run(model, x, resume=False):
        options = {"checkpoint": tmp_path / "file.npz", "epochs": 1, "resume": resume}
        nn.fit(model, x, x[:, 0], progress=False, **options)

    run(MLP(2, [1], seed=0), X)
    with pytest.raises(ValueError, match="the training examples differ"):
        run(MLP(2, [1], seed=0), X + 1e-9, True)
    model = MLP(2, [2, 1], seed=0)
    before = bits(model)
    with pytest.raises(ValueError, match="the model differs: 3 parameters, here 9"):
        run(model, X, True)
    assert bits(model) == before


def renamed(optimizer):
    """The same optimizer as an instance of a class of another name."""
    kind = type(optimizer)
    optimizer.__class__ = type("Renamed", (kind,), {})
    return optimizer


def test_a_checkpoint_names_no_class_and_survives_renaming_one(tmp_path, monkeypatch):
    whole, history = trained(tmp_path / "whole.npz", 4)
    trained(tmp_path / "part.npz", 2)
    facts = json.dumps(read(tmp_path / "part.npz")[1])
    for name in ("Adam", "ReduceLROnPlateau", "MLP", "Eager", "Compiled", "PCG64"):
        assert name not in facts
    adam = OPTIMIZERS["adam"]
    monkeypatch.setitem(OPTIMIZERS, "adam", lambda ps: renamed(adam(ps)))
    assert trained(tmp_path / "part.npz", 4, resume=True) == (whole, history)


class Signs(nn.Optimizer):
    def update(self, theta, gradient):
        theta -= self.lr * np.sign(gradient)


class Steps(nn.Optimizer):
    def update(self, theta, gradient):
        theta -= self.lr * gradient


@pytest.mark.parametrize(
    ("saved", "other"),
    [
        (lambda ps: nn.Adam(ps, weight_decay=0.01), nn.AdamW),
        (lambda ps: Signs(ps, lr=0.01), lambda ps: Steps(ps, lr=0.01)),
    ],
)
def test_an_optimizer_with_the_same_state_and_another_step_is_refused(tmp_path, saved, other):
    def run(make, epochs, resume=False):
        model = MLP(2, [3, 2], "tanh", seed=0)
        nn.fit(
            model, X, Y, loss=nn.cross_entropy, optimizer=make(model.parameters()), epochs=epochs,
            checkpoint=tmp_path / "file.npz", resume=resume, progress=False,
        )  # fmt: skip
        return bits(model)

    run(saved, 2)
    message = "the optimizer differs: from the same state it goes on otherwise"
    with pytest.raises(ValueError, match=message):
        run(other, 4, resume=True)
    found = run(saved, 4, resume=True)
    (tmp_path / "file.npz").unlink()
    assert found == run(saved, 4)


def test_a_schedule_that_the_checkpoint_lacks_is_refused(tmp_path):
    def run(schedule, resume=False):
        model = MLP(2, [3, 2], "tanh", seed=0)
        sgd = nn.SGD(model.parameters(), lr=0.1)
        nn.fit(
            model, X, Y, loss=nn.cross_entropy, optimizer=sgd, epochs=2, progress=False,
            schedule=schedule and schedule(sgd), checkpoint=tmp_path / "file.npz", resume=resume,
        )  # fmt: skip

    run(None)
    with pytest.raises(ValueError, match="the schedule differs: here it has base_lr, gamma, last"):
        run(lambda sgd: nn.ExponentialLR(sgd, 0.9), resume=True)
    run(lambda sgd: nn.ExponentialLR(sgd, 0.9))
    with pytest.raises(ValueError, match="the schedule differs: its state has base_lr, gamma"):
        run(None, resume=True)
    with pytest.raises(ValueError, match="its state has gamma; here it has T_max"):
        run(lambda sgd: nn.CosineAnnealingLR(sgd, 9), resume=True)


def test_an_optimizer_of_other_parameters_is_refused(tmp_path):
    def run(choose, resume=False):
        model = MLP(2, [2, 2], "tanh", seed=0)
        sgd = nn.SGD(choose(model.parameters()), lr=0.1)
        nn.fit(
            model, X, Y, loss=nn.cross_entropy, optimizer=sgd, epochs=1, progress=False,
            checkpoint=tmp_path / "file.npz", resume=resume,
        )  # fmt: skip

    run(lambda ps: ps[:6])
    run(lambda ps: ps[:6], resume=True)
    with pytest.raises(ValueError, match="the optimizer differs: 6 parameters, here 12"):
        run(lambda ps: ps, resume=True)
    for other in (lambda ps: ps[6:], lambda ps: ps[5::-1]):
        with pytest.raises(ValueError, match="the parameters of the optimizer"):
            run(other, resume=True)


def test_other_random_generators_are_refused(tmp_path):
    def run(*layers, resume=False):
        model = nn.Sequential(nn.Linear(2, 2, seed=0), *layers)
        nn.fit(
            model, X, Y, loss=nn.cross_entropy, epochs=1, progress=False,
            checkpoint=tmp_path / "file.npz", resume=resume,
        )  # fmt: skip

    run(nn.Dropout(0.5, seed=0))
    with pytest.raises(ValueError, match="the random generators differ: 2, here 1"):
        run(resume=True)


def test_an_older_checkpoint_can_be_resumed(tmp_path):
    whole, history = trained(tmp_path / "whole.npz", 6)
    path = tmp_path / "part.npz"
    trained(path, 4)
    arrays, facts = read(path)
    del arrays["frozen"], facts["next"]
    facts["identity"] |= {"optimizer": "Adam", "schedule": "ReduceLROnPlateau"}
    for saved in facts["generators"]:
        del saved["next"]
        saved["bit_generator"] = "PCG64"
    write(path, arrays, facts)
    assert trained(path, 6, resume=True) == (whole, history)
    facts["generators"][0]["bit_generator"] = "SFC64"
    write(path, arrays, facts)
    with pytest.raises(ValueError, match="the kind of a random generator differs"):
        trained(path, 6, resume=True)


def test_frozen_parameters_stay_frozen_after_resuming(tmp_path):
    def run(epochs, resume=False):
        model = Unused()
        adamw = nn.AdamW(model.parameters(), weight_decay=0.5)
        x = np.ones(6)
        nn.fit(
            model, x, x, optimizer=adamw, epochs=epochs, progress=False,
            checkpoint=tmp_path / "file.npz", resume=resume,
        )  # fmt: skip
        return model.idle.data

    assert [run(1), run(2, True)] == [1.0, 1.0]


@pytest.mark.parametrize("damage", ["truncated", "foreign", "flipped", "empty", "array"])
def test_a_damaged_file_is_refused(tmp_path, damage):
    path = tmp_path / "file.npz"
    trained(path, 2)
    content = path.read_bytes()
    path.write_bytes({
        "truncated": content[: len(content) // 2], "foreign": b"hello", "empty": b"",
        "flipped": content[:400] + bytes([content[400] ^ 255]) + content[401:], "array": b"",
    }[damage])  # fmt: skip
    if damage == "array":
        np.savez(tmp_path / "other.npz", a=np.zeros(2))
        os.replace(tmp_path / "other.npz", path)
    with pytest.raises(ValueError, match=r"file\.npz"):
        trained(path, 4, resume=True)


class Noisy(nn.Module):
    """A weight times 1 plus noise of its own."""

    def __init__(self):
        self.w = Value(0.0)
        self.rng = np.random.default_rng(3)

    def __call__(self, x):
        return self.w * (1.0 + self.rng.normal())


def test_generators_of_the_model_go_on_where_they_were(tmp_path):
    def run(epochs, resume=False):
        model = Noisy()
        history = nn.fit(
            model, np.ones(6), np.ones(6), epochs=epochs, engine="eager", batch_size=4,
            checkpoint=tmp_path / "file.npz", resume=resume, progress=False,
            loss=lambda ps, ts: mean([(p - t) ** 2 for p, t in zip(ps, ts, strict=True)]),
        )  # fmt: skip
        return bits(model), history

    whole = run(5)
    run(2)
    assert run(5, resume=True) == whole


def test_generators_are_found_once_wherever_they_are():
    outer = Noisy()
    outer.inner = [Noisy(), Noisy()]
    outer.inner[1].rng = outer.rng
    assert generators(outer) == [outer.rng, outer.inner[0].rng]
