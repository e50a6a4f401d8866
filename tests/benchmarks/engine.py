"""The eager engine against micrograd 0.1.0 from PyPI: time, memory, and very long graphs."""

import gc
import random
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from multiprocessing import get_context
from time import process_time

from autodiff import Value, detect_anomaly, grad, hvp, jvp
from nn import MLP
from tests.benchmarks.harness import (
    Bar,
    MissingPeerError,
    Row,
    Unmeasured,
    peak_bytes,
    peer,
    speedups,
)

SIZES = (1, 10, 20, 30, 40, 1)
NET, PEER = "1-10-20-30-40-1", "micrograd 0.1.0"


def unfused(kind):
    """A step of the net as micrograd writes it, on `kind`: forward and backward, one example."""
    rng = random.Random(0)
    layers = [
        [([kind(rng.uniform(-1, 1)) for _ in range(nin)], kind(0.0)) for _ in range(nout)]
        for nin, nout in pairwise(SIZES)
    ]

    def step():
        x = [0.7]
        for layer in layers:
            sums = [
                sum((wi * xi for wi, xi in zip(w, x)), b)  # noqa: B905 (as micrograd has it)
                for w, b in layer
            ]
            x = sums if layer is layers[-1] else [s.relu() for s in sums]
        x[0].backward()

    return step


def of_model(model):
    """A step of `model` as users write it: gradients cleared, forward, backward; one example."""

    def step():
        model.zero_grad()
        model([0.7]).backward()

    return step


def chain(count):
    """Nanoseconds a node to build, differentiate and free a chain of `count` nodes."""
    gc.collect()
    x = Value(0.5)
    start = process_time()
    y = x
    for _ in range(count // 2):
        y = y * x + 1.0
    built = process_time()
    y.backward()
    swept = process_time()
    del y
    freed = process_time()
    return [1e9 * t / count for t in (built - start, swept - built, freed - swept)]


def chains(settings):
    """The same at two sizes, each in a fresh process with an ordinary stack."""
    small, large = (10**4, 10**5) if settings.quick else (10**5, 10**6)
    samples = {small: [], large: []}
    for _ in range(max(3, settings.repeats // 8)):
        for count, taken in samples.items():
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                taken.append(pool.submit(chain, count).result())
    for i, what in enumerate(("build", "backward", "free")):
        a, b = (tuple(times[i] for times in taken) for taken in samples.values())
        for count, taken in ((small, a), (large, b)):
            yield Row(f"{what} a chain of {count:,} nodes", "—", taken, "ns a node")
        ratios = tuple(y / x for x, y in zip(a, b, strict=True))
        yield Row(f"{what}: a node of {large:,}", f"one of {small:,}", ratios, "× its time")


def measure(settings):
    """Yield the rows."""
    try:
        yield from against_micrograd(settings)
    except MissingPeerError as missing:
        yield Unmeasured(NET, PEER, str(missing))
    yield from chains(settings)
    yield from costs(settings)


def costs(settings):
    """What derivatives and `detect_anomaly` take, in runs of the function."""

    def f(x):
        y = x
        for _ in range(1_000):
            y = (y * x + 1.0).sin()
        return y

    def run():
        f(Value(0.5))

    def watched():
        with detect_anomaly():
            f(Value(0.5))

    derivatives = {
        "jvp of 3,000 ops": lambda: jvp(f, (0.5,), (1.0,)),
        "grad": lambda: grad(f)(0.5),
        "hvp": lambda: hvp(f, (0.5,), (1.0,)),
        "the same ops inside detect_anomaly": watched,
    }
    for what, derivative in derivatives.items():
        ratios = speedups(run, derivative, settings.repeats)
        yield Row(what, "running them on Values", ratios, "× its time")


def against_micrograd(settings):
    """The rows of the net, in time and memory."""
    engine, nn = (peer(f"micrograd.{module}", "bench") for module in ("engine", "nn"))
    # micrograd's backward recurses once a node of the longest path, here well below the limit.
    ours, theirs = unfused(Value), unfused(engine.Value)
    ratios = speedups(ours, theirs, settings.repeats)
    yield Row(f"{NET} written as in micrograd", PEER, ratios, bar=Bar("≥", 2))
    memory = (peak_bytes(ours) / peak_bytes(theirs),)
    yield Row("its peak memory", PEER, memory, "of the bytes", Bar("≤", 0.5))

    ours = of_model(MLP(SIZES[0], list(SIZES[1:])))
    theirs = of_model(nn.MLP(SIZES[0], list(SIZES[1:])))
    ratios = speedups(ours, theirs, settings.repeats)
    yield Row(f"nn.MLP {NET}, with zero_grad", f"{PEER}, its MLP", ratios, bar=Bar("≥", 6))
    memory = (peak_bytes(ours) / peak_bytes(theirs),)
    yield Row("its peak memory", f"{PEER}, its MLP", memory, "of the bytes")
