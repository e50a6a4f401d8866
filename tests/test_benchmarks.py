"""The benchmark harness does its arithmetic; nothing here is timed."""

import sys
from importlib import import_module
from types import ModuleType

import numpy as np
import pytest

from tests.benchmarks import __main__ as command
from tests.benchmarks import activations, engine, fit, gpt, harness, irregular, tracing, training
from tests.benchmarks.harness import Bar, Row, Unmeasured
from tests.support import programs

SETTINGS = harness.Settings(1, quick=True)


def test_runs_alternate_and_give_a_ratio_a_pair(monkeypatch):
    calls = []
    monkeypatch.setattr(harness, "seconds", lambda run: run() or {"a": 2.0, "b": 6.0}[calls[-1]])
    ratios = harness.speedups(lambda: calls.append("a"), lambda: calls.append("b"), 3)
    assert calls == ["a", "b"] * 4  # the first pair warms up
    assert ratios == (3.0, 3.0, 3.0)


def test_the_heap_is_collected_before_the_clock_starts(monkeypatch):
    events, ticks = [], iter([10.0, 12.5])
    monkeypatch.setattr(harness.gc, "collect", lambda: events.append("collect"))
    monkeypatch.setattr(harness, "process_time", lambda: events.append("clock") or next(ticks))
    assert harness.seconds(lambda: events.append("run")) == 2.5
    assert events == ["collect", "clock", "run", "clock"]


def test_peak_bytes_counts_what_a_call_takes():
    taken = harness.peak_bytes(lambda: bytearray(10**6))
    assert 10**6 <= taken < 1.1 * 10**6


@pytest.mark.parametrize(
    ("bar", "median", "verdict"),
    [(Bar("≥", 2), 2.0, "met"), (Bar("≥", 2), 1.9, "MISSED"), (Bar("≤", 0.5), 0.6, "MISSED")],
)
def test_a_bar_is_on_the_median(bar, median, verdict):
    *_, shown, said = Row("w", "p", (0.0, median, 99.0), bar=bar).cells()
    assert (shown, said) == (f"{bar.relation} {bar.bound:g}", verdict)


def test_a_row_shows_median_and_quartiles():
    cells = Row("w", "p", (1.0, 2.0, 3.0, 4.0, 500.0), "ns").cells()
    assert cells == ("w", "p", "3 ns", "2 … 4", "", "")
    assert Row("w", "p", (1234.5,)).cells()[2:4] == ("1234 × faster", "1234 … 1234")


@pytest.fixture
def fake_group(monkeypatch):
    group = ModuleType("tests.benchmarks.fake")
    monkeypatch.setitem(sys.modules, group.__name__, group)
    monkeypatch.setattr(command, "GROUPS", ("fake",))
    return group


def test_the_command_prints_a_table_a_group(fake_group, capsys):
    def measure(settings):
        ratios = harness.speedups(lambda: None, lambda: None, settings.repeats)
        yield Row("nothing", "nobody", ratios, bar=Bar("≥", 0))
        assert (len(ratios), settings.quick) == (5, True)

    fake_group.measure = measure
    assert command.main(["fake", "--quick"]) == 0
    _, _, name, header, _, row = capsys.readouterr().out.splitlines()
    assert name == "fake"
    assert header.split() == ["workload", "peer", "median", "quartiles", "bar"]
    assert row.startswith("nothing   nobody")
    assert row.endswith("≥ 0  met")


def test_a_missing_peer_is_a_row_and_one_line(fake_group, capsys):
    def measure(settings):
        yield Unmeasured("one", "p", "pip install it")
        yield Unmeasured("two", "p", "pip install it")
        yield Row("three", "q", (1.0,))

    fake_group.measure = measure
    assert command.main([]) == 1
    printed = capsys.readouterr()
    assert [line.split() for line in printed.out.splitlines()[-3:]] == [
        ["one", "p", "not", "measured"],
        ["two", "p", "not", "measured"],
        ["three", "q", "1", "×", "faster", "1", "…", "1"],
    ]
    assert printed.err == "pip install it\n"


def test_without_micrograd_the_other_rows_still_run(monkeypatch):
    monkeypatch.setitem(sys.modules, "micrograd", None)
    monkeypatch.setattr(engine, "chains", lambda settings: [Row("chain", "—", (1.0,))])
    missing, chain, *costs = engine.measure(SETTINGS)
    assert missing.reason == 'micrograd is not installed: pip install -e ".[bench]"'
    assert chain.workload == "chain"
    assert [row.unit for row in costs] == ["× its time"] * 4


def test_without_libraries_each_says_what_to_install(monkeypatch):
    for name in ("jax", "torch", "tests.benchmarks.peer_jax", "tests.benchmarks.peer_torch"):
        monkeypatch.setitem(sys.modules, name, None)
        if "peer" in name:
            monkeypatch.delitem(sys.modules, name)
    rows = list(training.against_libraries("step", None, None, SETTINGS))
    assert [row.reason for row in rows] == [
        f'{library} is not installed: pip install -e ".[peers]"' for library in ("jax", "torch")
    ]


def test_the_fit_group_says_what_to_install(monkeypatch):
    for name in ("torch", "sklearn", "sklearn.neural_network", "sklearn.datasets"):
        monkeypatch.setitem(sys.modules, name, None)
    (row,) = fit.measure(SETTINGS)
    assert row.reason == 'sklearn is not installed: pip install -e ".[data]"'


def test_the_fit_group_has_times_and_accuracies(monkeypatch):
    pytest.importorskip("sklearn")
    monkeypatch.setitem(sys.modules, "torch", None)  # which takes seconds to load
    torch, sklearn, *accuracies = fit.measure(SETTINGS)
    assert (torch.peer, sklearn.peer, sklearn.bar) == (fit.TORCH, fit.SKLEARN, Bar("≤", 1.0))
    assert isinstance(torch, Unmeasured)
    assert [row.peer for row in accuracies] == ["nn.fit", fit.SKLEARN]
    assert all(min(row.samples) > 70 for row in accuracies), "per cent, after two epochs"


def test_an_unknown_group_is_refused(fake_group, capsys):
    with pytest.raises(SystemExit):
        command.main(["real"])
    assert "no group real; there are fake" in capsys.readouterr().err


def test_the_engine_group_has_a_row_for_every_bar():
    pytest.importorskip("micrograd")
    rows = list(engine.against_micrograd(SETTINGS))
    assert [row.bar for row in rows] == [Bar("≥", 2), Bar("≤", 0.5), Bar("≥", 6), None]
    build, backward, free = engine.chain(100)
    assert min(build, backward, free) > 0


def test_runs_of_many_calls_count_for_one(monkeypatch):
    calls = []
    monkeypatch.setattr(harness, "seconds", lambda run: run() or {"a": 6.0, "b": 6.0}[calls[-1]])
    ratios = harness.speedups(lambda: calls.append("a"), lambda: calls.append("b"), 1, (3, 2))
    assert calls == ["a", "a", "a", "b", "b"] * 2
    assert ratios == (1.5,)


def test_a_share_of_time_calls_both_as_often(monkeypatch):
    calls = []
    monkeypatch.setattr(harness, "seconds", lambda run: run() or {"a": 0.005, "b": 0.01}[calls[-1]])
    ratios = harness.share_of_time(lambda: calls.append("a"), lambda: calls.append("b"), 2)
    assert calls == ["a"] * 2 + (["a"] * 4 + ["b"] * 4) * 3
    assert ratios == (0.5, 0.5)


# What is compared computes the same.


@pytest.mark.parametrize("name", activations.ACTIVATIONS)
def test_a_network_with_buffers_has_the_kernels_value_and_gradient(name):
    if name == "gelu":
        pytest.importorskip("scipy")
    ours, theirs = activations.networks(name)
    value, gradient = ours.value_and_grad()
    assert theirs.step() == pytest.approx(value, rel=1e-12)
    assert np.allclose(theirs.gradient, ours.ordered(gradient), rtol=1e-9, atol=1e-12)


def test_an_embedding_by_hand_has_the_kernels_value_and_gradient():
    ours, theirs = activations.embeddings()
    value, gradient = ours()
    expected, *gradients = theirs.step()
    assert value == pytest.approx(expected, rel=1e-12)
    by_hand = np.concatenate([x.ravel() for x in gradients])
    assert np.allclose(np.sort(gradient), np.sort(by_hand), rtol=1e-9, atol=1e-12)


def data(sizes, make, batch):
    rng = np.random.default_rng(1)
    if make is training.regression:
        x = rng.uniform(-5, 5, batch)
        return x, x * x
    return rng.normal(size=(batch, sizes[0])), rng.integers(0, sizes[-1], batch)


REGRESSION = ((1, 4, 3, 1), training.regression)
CLASSIFICATION = ((6, 5, 3), training.classification)


@pytest.mark.parametrize(
    ("library", "sizes", "make"),
    [
        (None, *REGRESSION),
        (None, *CLASSIFICATION),
        ("jax", *REGRESSION),
        ("torch", *REGRESSION),
    ],
)
def test_three_steps_of_training_end_at_the_same_parameters(library, sizes, make):
    trainer = training.ByHand
    if library:
        pytest.importorskip(library)
        trainer = import_module(f"tests.benchmarks.peer_{library}").Trainer
    ours, theirs = training.competitors(sizes, make, *data(sizes, make, 7), lr=1e-2)
    peer = theirs(trainer)
    start = ours.parameters()
    for _ in range(3):
        ours.step()
        peer.step()
    assert np.abs(ours.parameters() - start).max() > 1e-3
    np.testing.assert_allclose(peer.parameters(), ours.parameters(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("batch", "length"), [(1, 3), (4, 2)])
def test_the_transformer_by_hand_has_the_gradient_of_the_kernel(batch, length):
    made = gpt.Transformer(length, programs.SMALL)
    arguments = made.arguments(np.random.default_rng(1), batch)
    value, gradient = made.kernel.value_and_grad(*arguments)
    by_hand, gradient_by_hand = made.by_hand(*arguments)
    assert by_hand == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(gradient_by_hand[made.order()], gradient, rtol=1e-9, atol=1e-12)


def test_the_straight_line_graph_has_the_gradient_of_the_kernel():
    made = irregular.competitors(300, 5)
    value, gradient = made.kernel.value_and_grad(made.x)
    straight, straight_gradient = made.straight(made.theta, made.x)
    assert straight == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(straight_gradient[made.order], gradient, rtol=1e-9, atol=1e-12)


def test_a_random_graph_has_every_op_and_is_the_same_for_a_seed():
    nodes = irregular.random_graph(300)
    assert len(nodes) == 300
    assert {name for name, _ in nodes} == set(irregular.OPS)
    assert nodes == irregular.random_graph(300) != irregular.random_graph(300, seed=1)


def test_first_calls_are_of_fresh_kernels():
    x = np.ones(2)
    assert tracing.first_call(training.regression, (1, 2, 1), x, x) > 0
    assert tracing.compile_scalars(600) > 0
    assert tracing.compile_irregular(60) > 0


def test_epochs_of_one_batch_end_at_the_same_logits_in_pytorch():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(fit.BATCH, fit.SIZES[0])), rng.integers(0, fit.SIZES[-1], fit.BATCH)
    ours, theirs = (trainer(x, y, 5, 1)(x) for trainer in (fit.ours, fit.by_torch(torch)))
    np.testing.assert_allclose(ours, theirs, rtol=1e-8)
