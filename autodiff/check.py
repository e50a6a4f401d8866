"""`gradcheck`: the derivatives of the engine against finite differences."""

import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf, isfinite, nan
from typing import Any, Literal

import numpy as np

from autodiff.graph import leaves
from autodiff.interpreter import number
from autodiff.modes import no_grad
from autodiff.ops import dot
from autodiff.value import Value

Verdict = Literal["ok", "kink", "unclear", "wrong"]

_EPS = sys.float_info.epsilon
_STEPS = tuple(2.0**-10 / 16**k for k in range(7))
# A difference quotient is trusted when its estimated error is below this fraction of it.
_SETTLED = 1e-8


class GradcheckError(AssertionError):
    """A gradient that finite differences contradict; the text is the report."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One partial derivative, computed twice."""

    name: str
    analytic: float
    numeric: float
    noise: float
    """What rounding of f alone may change `numeric` by."""
    relative_error: float
    """|analytic - numeric| relative to the larger, or to the least that rounding lets be seen."""
    verdict: Verdict
    """kink: the slopes on both sides differ; unclear: the differences did not converge."""


@dataclass(frozen=True, slots=True)
class Report:
    """What `gradcheck` found; `str` is a table of what is not ok, or of everything if short."""

    entries: tuple[Entry, ...]
    total: int
    """How many derivatives there are; more than entries if only a random sample was checked."""

    @property
    def passed(self) -> bool:
        """No gradient is wrong or unclear. Points at a kink are not judged."""
        return all(entry.verdict in ("ok", "kink") for entry in self.entries)

    @property
    def kinks(self) -> tuple[Entry, ...]:
        """The derivatives that do not exist, because f has a kink there."""
        return tuple(entry for entry in self.entries if entry.verdict == "kink")

    @property
    def largest_relative_error(self) -> float:
        """Over all entries that are not at a kink; 0 if there are none."""
        errors = (entry.relative_error for entry in self.entries if entry.verdict != "kink")
        return max(errors, default=0.0)

    def __str__(self) -> str:
        counts = Counter(entry.verdict for entry in self.entries)
        tally = ", ".join(f"{counts[verdict]:,} {verdict}" for verdict in sorted(counts))
        checked = len(self.entries)
        sample = "" if checked == self.total else f" (a random sample of {self.total:,})"
        lines = [
            f"gradcheck of {checked:,} derivative{'s' * (checked != 1)}{sample}: {tally}; "
            f"largest relative error {self.largest_relative_error:.1e}"
        ]
        shown = [entry for entry in self.entries if checked <= 10 or entry.verdict != "ok"]
        if shown:
            width = max(len("name"), *(len(entry.name) for entry in shown))
            lines.append(f"{'name':{width}}  {'analytic':>16}  {'numeric':>16}  {'error':>7}")
        lines += [
            f"{entry.name:{width}}  {entry.analytic:16.9g}  {entry.numeric:16.9g}  "
            f"{entry.relative_error:7.1e}  {entry.verdict}"
            for entry in shown[:20]
        ]
        if len(shown) > 20:
            lines.append(f"… {len(shown) - 20:,} more")
        return "\n".join(lines)


def gradcheck(
    f: Any,
    inputs: Any = (),
    *,
    rtol: float = 1e-6,
    sample: int | None = None,
    seed: int = 0,
    raise_exception: bool = True,
) -> Report:
    """Compare d f / d input from `backward` with central differences, one input at a time.

    `inputs` is the tuple of arguments of `f`, or its only argument: numbers, Values, modules,
    and lists, tuples, dicts or arrays of them. Numbers become Values; Values and the parameters
    of modules are changed in place and put back, gradients too. If `f` is itself a module, its
    parameters are checked, at `inputs`; likewise a kernel, whose result is averaged over the
    batch. A result of several Values is checked through one
    weighted sum of them. With `sample`, only that many inputs are checked, drawn with `seed`.

    The quotients are extrapolated (Richardson) with steps from 1e-3, relative to the input if
    that is large, downwards until they settle. A gradient is wrong if it is off by more than
    `rtol`, beyond what the rounding of f explains, or if either side is not finite. Where the
    slopes from the left and from the right differ, the entry says kink and is not judged.

    Raises GradcheckError if a gradient is wrong or unclear, unless `raise_exception` is False.
    """
    if sample is not None and sample < 1:
        raise ValueError(f"gradcheck: sample must be at least 1, got {sample}")
    args = inputs if isinstance(inputs, tuple) else (inputs,)
    named: list[tuple[str, Value]] = []
    if hasattr(f, "value_and_grad"):
        _, gradient = f.value_and_grad(*args)
        named.extend((f"parameters[{i}]", x) for i, x in enumerate(f.parameters))
        analytic = gradient.tolist()
    elif hasattr(f, "named_parameters"):
        named.extend(f.named_parameters())
    else:
        args = tuple(_as_values(arg, f"inputs[{i}]", named) for i, arg in enumerate(args))
    if not named:
        raise ValueError("gradcheck: there is nothing to differentiate by: no number, no Value")
    if not hasattr(f, "value_and_grad"):
        analytic = _analytic(f, args, [leaf for _, leaf in named])
    checks = list(zip(named, analytic, strict=True))
    if sample is not None and sample < len(checks):
        chosen = sorted(random.Random(seed).sample(range(len(checks)), sample))
        checks = [checks[i] for i in chosen]
    largest = max((abs(gradient) for gradient in analytic if isfinite(gradient)), default=0.0)
    with no_grad():
        entries = [
            _judge(leaf.label or name, gradient, lambda: _number(f(*args)), leaf, rtol, largest)
            for (name, leaf), gradient in checks
        ]
    report = Report(tuple(entries), len(named))
    if raise_exception and not report.passed:
        raise GradcheckError(str(report))
    return report


def _as_values(tree: Any, path: str, leaves: list[tuple[str, Value]]) -> Any:
    """`tree` with its numbers as Values; what it can be differentiated by goes into `leaves`."""
    if isinstance(tree, Value):
        if tree.operands:
            raise ValueError(f"gradcheck: {path} is the result of an op; pass {path}.detach()")
        leaves.append((path, tree))
    elif hasattr(tree, "named_parameters"):
        leaves.extend(tree.named_parameters())
    elif isinstance(tree, dict):
        return {key: _as_values(item, f"{path}[{key!r}]", leaves) for key, item in tree.items()}
    elif isinstance(tree, np.ndarray) and tree.ndim:
        array = np.empty(tree.shape, dtype=object)
        for place in np.ndindex(tree.shape):
            array[place] = _as_values(tree[place], f"{path}[{', '.join(map(str, place))}]", leaves)
        return array
    elif isinstance(tree, list | tuple):
        branches = [_as_values(item, f"{path}[{i}]", leaves) for i, item in enumerate(tree)]
        return tuple(branches) if isinstance(tree, tuple) else branches
    elif not isinstance(tree, bool | str | None):
        leaves.append((path, Value(number(tree))))
        return leaves[-1][1]
    return tree


def _outputs(tree: Any) -> Iterator[Any]:
    if isinstance(tree, dict):
        tree = list(tree.values())
    if isinstance(tree, list | tuple) or getattr(tree, "ndim", 0) > 0:
        for branch in tree:
            yield from _outputs(branch)
    else:
        yield tree


def _scalar(result: Any) -> Value:
    """The result if it is one Value, else a sum of its parts with unequal weights."""
    parts = list(_outputs(result))
    if not any(isinstance(part, Value) for part in parts):
        raise TypeError(f"gradcheck: f must return a Value, got {type(result).__name__}")
    if len(parts) == 1:
        only: Value = parts[0]
        return only
    # Multiples of the golden ratio modulo 1 are spread evenly and never repeat.
    weighted: Value = dot([0.5 + i * 0.6180339887498949 % 1 for i in range(len(parts))], parts)
    return weighted


def _number(result: Any) -> float:
    """The scalar of a result: of a kernel's, the mean over the batch."""
    if isinstance(result, np.ndarray) and result.dtype.kind == "f":
        return float(result.mean())
    return _scalar(result).data


def _analytic(f: Callable[..., Any], args: tuple[Any, ...], inputs: list[Value]) -> list[float]:
    """The gradients from `backward`; every leaf keeps the `grad` that it had."""
    root = _scalar(f(*args))
    reached = {leaf: leaf._grad for leaf in (*leaves(root), *inputs)}
    for leaf in reached:
        leaf._grad = None
    root.backward()
    gradients = [leaf.grad for leaf in inputs]
    for leaf, grad in reached.items():
        leaf._grad = grad
    return gradients


@dataclass(frozen=True, slots=True)
class _Difference:
    """A difference quotient and what is known of it."""

    slope: float = nan
    error: float = inf
    noise: float = 0.0
    is_kink: bool = False


def _judge(
    name: str, analytic: float, f: Callable[[], float], leaf: Value, rtol: float, largest: float
) -> Entry:
    numeric, bend = _differentiate(f, leaf)
    gap = abs(analytic - numeric.slope)
    size = max(abs(analytic), abs(numeric.slope), numeric.noise / rtol)
    # Where the slope vanishes it has no size: how much it changes nearby, and how large the
    # gradient is elsewhere, say what is small.
    is_settled = gap <= max(numeric.error, 1e-9 * bend) <= rtol * max(bend, largest)
    verdict: Verdict
    if not isfinite(analytic):
        verdict = "wrong"
    elif numeric.is_kink:
        verdict = "kink"
    elif gap <= rtol * size or is_settled:
        verdict = "ok"
    else:
        verdict = "wrong" if numeric.error <= gap else "unclear"
    relative = (
        inf
        if not isfinite(gap)
        else gap / max(size, bend, largest if is_settled else 0.0)
        if gap
        else 0.0
    )
    return Entry(name, analytic, numeric.slope, numeric.noise, relative, verdict)


def _differentiate(f: Callable[[], float], leaf: Value) -> tuple[_Difference, float]:
    """d f / d leaf, and the steepest slope of f from here to a first step away."""
    x = leaf.data
    best, bend = _Difference(), 0.0
    try:
        center = f()
        for relative_step in _STEPS:
            step = relative_step * max(1.0, abs(x))
            values = []
            for offset in (-step, -step / 2, step / 2, step):
                leaf.data = x + offset
                values.append(f())
            candidate = _extrapolate(x, center, values, step)
            if relative_step == _STEPS[0]:
                rise = max(abs(values[0] - center), abs(values[-1] - center))
                bend = rise / step if isfinite(rise) else 0.0
            if candidate.error < best.error:
                best = candidate
            if best.error <= max(_SETTLED * abs(best.slope), _SETTLED * bend, 2 * best.noise):
                break
    finally:
        leaf.data = x
    return best, bend


def _extrapolate(x: float, center: float, values: list[float], step: float) -> _Difference:
    """Richardson's extrapolation from f at x ± step and x ± step / 2."""
    low, near_low, near_high, high = values
    wide = (high - low) / (2 * step)
    narrow = (near_high - near_low) / step
    slope = (4 * narrow - wide) / 3
    # The jump between the slopes from the right and from the left: proportional to the step
    # where f is smooth, the same for every step at a kink.
    jump = (high - 2 * center + low) / step
    near_jump = (near_high - 2 * center + near_low) / (step / 2)
    # Rounding of f, and of x, by which the slope at x is that of a point beside it.
    noise = 4 * _EPS * (max(map(abs, (center, *values))) + abs(x * near_jump)) / step
    error = abs(narrow - wide) + noise
    if not isfinite(error):
        return _Difference()
    is_kink = abs(near_jump) > max(0.75 * abs(jump), 1e-6 * abs(slope), 16 * noise)
    return _Difference(slope, error, noise, is_kink)
