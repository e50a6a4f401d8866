"""How to measure: interleaved runs in one process, ratios of neighbors, their median and spread."""

import gc
import tracemalloc
from dataclasses import dataclass
from importlib import import_module
from statistics import median, quantiles
from time import process_time


class MissingPeerError(Exception):
    """What to install."""


def peer(module, extra):
    """The module of a peer; raises MissingPeerError, which names the extra that installs it."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        library = error.name.partition(".")[0]
        raise MissingPeerError(f'{library} is not installed: pip install -e ".[{extra}]"') from None


@dataclass(frozen=True)
class Settings:
    """What the command line asked for."""

    repeats: int
    quick: bool = False


@dataclass(frozen=True)
class Bar:
    """What a median should reach: at least or at most `bound`."""

    relation: str
    bound: float

    def is_met_by(self, x):
        """Whether x is on the right side of the bound."""
        return x >= self.bound if self.relation == "≥" else x <= self.bound


@dataclass(frozen=True)
class Row:
    """One line of a table: samples of one quantity, all taken under equal conditions."""

    workload: str
    peer: str
    samples: tuple[float, ...]
    unit: str = "× faster"
    bar: Bar | None = None

    def cells(self):
        """Workload, peer, median and unit, interquartile range, bar, verdict."""
        middle = median(self.samples)
        low, high = interquartile(self.samples)
        verdict, bar = "", ""
        if self.bar:
            bar = f"{self.bar.relation} {self.bar.bound:g}"
            verdict = "met" if self.bar.is_met_by(middle) else "MISSED"
        figure = f"{show(middle)} {self.unit}"
        return self.workload, self.peer, figure, f"{show(low)} … {show(high)}", bar, verdict


@dataclass(frozen=True)
class Unmeasured:
    """A line of a table for what could not be measured, and why."""

    workload: str
    peer: str
    reason: str

    def cells(self):
        """Workload, peer, and nothing."""
        return self.workload, self.peer, "not measured", "", "", ""


def show(x):
    """Three digits, and no exponent."""
    return f"{x:.0f}" if abs(x) >= 100 else f"{x:.3g}"


def interquartile(samples):
    """The first and the third quartile."""
    if len(samples) < 2:
        return samples[0], samples[0]
    low, _, high = quantiles(samples, method="inclusive")
    return low, high


def seconds(run):
    """The processor time of one call, on a heap just collected; the collector stays on.

    Of all threads, which is the time on the clock of a machine that does nothing else: what
    others do on it leaves the figures alone.
    """
    gc.collect()
    start = process_time()
    run()
    return process_time() - start


def speedups(ours, theirs, repeats, calls=(1, 1)):
    """Their time over ours, for `repeats` neighboring runs: A B A B … after one run of each.

    A run is that many calls of ours and of theirs, and counts for one.
    """
    mine, yours = (times(run, count) for run, count in zip((ours, theirs), calls, strict=True))
    mine()
    yours()
    ratios = []
    gc.collect()
    gc.freeze()  # a large library's objects are not what a run leaves to collect
    for _ in range(repeats):
        taken = seconds(mine) / calls[0]
        ratios.append(seconds(yours) / calls[1] / taken)
    gc.unfreeze()
    return tuple(ratios)


def share_of_time(ours, theirs, repeats, least=0.02):
    """Our time over theirs, both called as often as takes us `least` seconds a run."""
    ours()
    count = max(1, int(least / seconds(ours)))
    return tuple(1 / ratio for ratio in speedups(ours, theirs, repeats, (count, count)))


def times(run, count):
    """Run it so many times."""

    def repeated():
        for _ in range(count):
            run()

    return run if count == 1 else repeated


def peak_bytes(run):
    """The most memory that Python objects took in one call, beyond what was there before."""
    run()  # whatever it caches is there now
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    run()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak - before


HEADER = ("workload", "peer", "median", "quartiles", "bar", "")


def table(rows):
    """Aligned text of all rows."""
    cells = [HEADER, *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in cells]
    lines.insert(1, "─" * sum(widths, 2 * len(widths) - 2))
    return "\n".join(lines)
