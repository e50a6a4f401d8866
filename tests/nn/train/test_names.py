"""A GPT that learns names, in batches of one length, and makes up new ones."""

import re
import signal

import numpy as np
import pytest

from nn import GPT, Adam
from nn.data.names import Names
from nn.train import names
from nn.train.engines.trust import DiffersError
from nn.train.names import fit_names, sample
from nn.train.progress import Silent

FEW = Names(("bo", "ann", "ada", "bob", "abba", "dan"))


def trained(steps=60, seed=0, **options):
    model = GPT(6, FEW.length, 4, 2, seed=0)
    return model, fit_names(model, FEW, steps=steps, seed=seed, lr=0.05, **options)


def test_names_are_learned():
    told = []
    model, history = trained(150, told=told.append)
    losses = history.epochs["loss"]
    assert losses[-1] < 0.6 * losses[0]
    assert (len(history.losses), history.stopped) == (150, "iterations")
    assert re.fullmatch(r"compiled 3 lengths in [\d.]+ s", told[0])
    assert set(sample(model, FEW, 20, temperature=0.3)) <= set(FEW.names)


def test_a_pass_goes_through_all_names_in_batches_of_one_length():
    seen = []

    class Seen(Silent):
        def __call__(self, step):
            seen.append((step.number, step.total, step.loss))

    _, history = trained(8, batch_size=3, progress=Seen())
    # A pass is lengths 4, 3, 3 and 2 in batches of 1, 3, 1 and 1.
    assert len(history.epochs["loss"]) == 2
    assert seen == [(k, 8, loss) for k, loss in enumerate(history.losses, start=1)]
    batches = list(names._batches(FEW.by_length(FEW.names), 3, np.random.default_rng(0)))
    assert sorted(len(batch) for batch in batches) == [1, 1, 1, 3]
    rows = [FEW.decode(row[1:]) for batch in batches for row in batch.tolist()]
    assert sorted(rows) == sorted(FEW.names)


def test_names_held_out_are_measured_and_not_learned():
    _, alone = trained(40)
    model, history = trained(40, held_out=["dan", "bo"])
    assert len(history.epochs["validation_loss"]) == len(history.epochs["loss"])
    assert history.losses != alone.losses
    tokens = FEW.by_length(["dan", "bo"])
    total = 0.0
    for rows in tokens.values():
        for row in rows.tolist():
            logits = model(row[:-1])
            terms = [np.log(sum(np.exp(z.data) for z in zs)) - zs[k].data
                     for zs, k in zip(logits, row[1:], strict=True)]  # fmt: skip
            total += np.mean(terms)
    assert history.epochs["validation_loss"][-1] == pytest.approx(total / 2, rel=1e-9)


def test_the_rate_falls_along_a_cosine(monkeypatch):
    rates = []

    class Watched(Adam):
        def update(self, theta, gradient):
            assert np.linalg.norm(gradient) <= 1.0
            rates.append(self.lr)
            super().update(theta, gradient)

    monkeypatch.setattr(names, "Adam", Watched)
    trained(10)
    expected = 0.05 * (1 + np.cos(np.pi * np.arange(10) / 10)) / 2
    assert rates == pytest.approx(expected.tolist())


def test_a_seed_fixes_every_bit():
    (one, first), (same, second), (_, third) = (trained(20, seed=seed) for seed in (0, 0, 1))
    assert first == second != third
    assert [p.data for p in one.parameters()] == [p.data for p in same.parameters()]
    drawn = [sample(one, FEW, 10, seed=seed) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_greedy_decoding_takes_the_likeliest_letter():
    model, _ = trained()
    (name,) = set(sample(model, FEW, 3, temperature=0))
    tokens = [0]
    while True:
        row = [z.data for z in model(tokens)[-1]]
        tokens.append(row.index(max(row)))
        if tokens[-1] == 0 or len(tokens) == FEW.length:
            break
    assert name == FEW.decode(tokens[1:])


def test_draws_follow_the_softmax():
    model = GPT(3, 2, 2, 1, seed=0)  # of two letters, names of one
    few = Names(("a", "b"))
    logits = np.array([z.data for z in model([0])[0]]) / 0.7
    expected = np.exp(logits) / np.exp(logits).sum()
    made = sample(model, few, 20_000, temperature=0.7)
    shares = [made.count(name) / len(made) for name in ("", "a", "b")]
    assert shares == pytest.approx(expected, abs=0.015)


def test_ctrl_c_keeps_what_was_learned():
    class Pressing(Silent):
        def __call__(self, step):
            if step.number == 3:
                signal.raise_signal(signal.SIGINT)

    model, history = trained(50, progress=Pressing())
    same, _ = trained(0)
    assert (len(history.losses), history.stopped) == (3, "interrupted")
    assert len(history.epochs["loss"]) == 1, "the epoch that was cut counts"
    assert [p.data for p in model.parameters()] != [p.data for p in same.parameters()]


class Bent(GPT):
    """Does something else on tracers than on Values."""

    bend = 1.0 + 1e-6

    def __call__(self, tokens):
        rows = super().__call__(tokens)
        return (
            rows if isinstance(tokens[0], int) else [[x * self.bend for x in row] for row in rows]
        )


def test_a_kernel_that_differs_is_not_trained():
    model = Bent(6, FEW.length, 4, 2, seed=0)
    before = [parameter.data for parameter in model.parameters()]
    message = r"the loss of a name of 4 letters is [\d.]+ on Values, [\d.]+ compiled"
    with pytest.raises(DiffersError, match=message):
        fit_names(model, FEW, steps=2)
    assert [parameter.data for parameter in model.parameters()] == before
    with pytest.raises(DiffersError, match=r"output \d+ of row 0 is"):
        sample(model, FEW, 3)


def test_a_model_sees_tokens_in_a_list():
    class Growing(GPT):
        def __call__(self, tokens):
            end = [0]
            return super().__call__((end + tokens)[1:])

    model, same = (kind(6, FEW.length, 4, 2, seed=0) for kind in (Growing, GPT))
    assert fit_names(model, FEW, steps=3).losses == fit_names(same, FEW, steps=3).losses
    assert sample(model, FEW, 5, seed=1) == sample(same, FEW, 5, seed=1)
