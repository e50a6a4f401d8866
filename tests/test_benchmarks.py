"""The benchmark harness does its arithmetic; nothing here is timed."""

import sys
from types import ModuleType

import pytest

from tests.benchmarks import __main__ as command
from tests.benchmarks import harness
from tests.benchmarks.harness import Bar, MissingPeerError, Row


def test_runs_alternate_and_give_a_ratio_a_pair(monkeypatch):
    calls = []
    monkeypatch.setattr(harness, "seconds", lambda run: run() or {"a": 2.0, "b": 6.0}[calls[-1]])
    ratios = harness.speedups(lambda: calls.append("a"), lambda: calls.append("b"), 3)
    assert calls == ["a", "b"] * 4  # the first pair warms up
    assert ratios == (3.0, 3.0, 3.0)


def test_the_heap_is_collected_before_the_clock_starts(monkeypatch):
    events, ticks = [], iter([10.0, 12.5])
    monkeypatch.setattr(harness.gc, "collect", lambda: events.append("collect"))
    monkeypatch.setattr(harness, "perf_counter", lambda: events.append("clock") or next(ticks))
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


def test_a_missing_peer_is_one_line(fake_group, capsys):
    def measure(settings):
        raise MissingPeerError("pip install it")
        yield

    fake_group.measure = measure
    assert command.main([]) == 1
    assert capsys.readouterr().err == "pip install it\n"


def test_without_micrograd_the_engine_group_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "micrograd", None)
    assert command.main(["engine"]) == 1
    assert capsys.readouterr().err.endswith('pip install -e ".[bench]"\n')


def test_an_unknown_group_is_refused(fake_group, capsys):
    with pytest.raises(SystemExit):
        command.main(["real"])
    assert "no group real; there are fake" in capsys.readouterr().err


def test_the_engine_group_has_a_row_for_every_bar():
    pytest.importorskip("micrograd")
    from tests.benchmarks import engine

    settings = harness.Settings(1, quick=True)
    rows = [row for row, _ in zip(engine.measure(settings), range(4), strict=False)]
    assert [row.bar for row in rows] == [Bar("≥", 2), Bar("≤", 0.5), Bar("≥", 8), None]
    build, backward, free = engine.chain(100)
    assert min(build, backward, free) > 0
