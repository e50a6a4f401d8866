"""How to measure: interleaved runs in one process, ratios of neighbors, their median and spread."""

import gc
import tracemalloc
from dataclasses import dataclass
from statistics import median, quantiles
from time import perf_counter


class MissingPeerError(Exception):
    """What to install."""


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
    """The time of one call, on a heap that has just been collected; the collector stays on."""
    gc.collect()
    start = perf_counter()
    run()
    return perf_counter() - start


def speedups(ours, theirs, repeats):
    """Their time over ours, for `repeats` neighboring runs: A B A B … after one run of each."""
    ours()
    theirs()
    ratios = []
    for _ in range(repeats):
        mine = seconds(ours)
        ratios.append(seconds(theirs) / mine)
    return tuple(ratios)


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
