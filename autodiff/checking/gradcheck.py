"""`gradcheck`: the derivatives of the engine against finite differences."""

import random
from collections.abc import Callable
from dataclasses import replace
from math import isfinite
from typing import TypedDict, cast

from autodiff.checking.differences import FIRST_STEP, Difference, differentiate
from autodiff.checking.directions import Direction, random_directions
from autodiff.checking.functions import CheckedFunction, EagerFunction
from autodiff.checking.report import Coverage, Entry, GradcheckError, Report, judge
from autodiff.checks import integer, within

__all__ = ["GradcheckError", "Options", "gradcheck"]


class Options(TypedDict, total=False):
    """The options of `gradcheck` that other checks pass on to it."""

    eps: float | None
    atol: float
    rtol: float
    sample: int | None
    directions: int | None
    seed: int
    raise_exception: bool


def gradcheck(
    f: Callable[..., object],
    inputs: object = (),
    *,
    order: int = 1,
    eps: float | None = None,
    atol: float = 0.0,
    rtol: float = 1e-6,
    sample: int | None = None,
    directions: int | None = None,
    seed: int = 0,
    raise_exception: bool = True,
) -> Report:
    """Compare the derivatives of `f` by its inputs with central differences; return the report.

    `inputs` is the tuple of arguments of `f`, or its only argument: numbers, Values, modules,
    and lists, tuples, dicts or arrays of them. Numbers become Values. Values and the parameters
    of modules are changed in place and restored, as are their gradients. If `f` is a module, its
    parameters are checked, with `inputs` as its arguments. So are those of a kernel, whose result
    is averaged over the batch; a kernel without parameters is checked by its arguments. If the
    result has several Values, one weighted sum of them is checked.

    The gradient is compared with differences of f and, up to `order`, each further derivative
    with differences of the one before: n inputs have n² second derivatives. `sample` limits the
    check to that many inputs, drawn with `seed`. `directions` instead checks along that many
    random directions in the space of all inputs, which finds an error in any of them.

    Difference quotients are extrapolated (Richardson). The first step is `eps` (by default
    2**-10), relative to a large input; smaller steps follow until the quotients settle. A
    derivative is wrong if it is off by more than `atol` + `rtol` times its size and more than the
    rounding of f explains, or if either side is not finite. Where the slopes from the left and
    from the right differ, the entry says kink and is not judged.

    Raises GradcheckError if a derivative is wrong or unclear, unless `raise_exception` is False.
    """
    _check_options(order, eps, atol, rtol, sample, directions)
    function = _function(f, inputs if isinstance(inputs, tuple) else (inputs,))
    total = len(function.variables)
    if not total:
        raise ValueError("gradcheck: there is nothing to differentiate by: no number, no Value")
    coverage: Coverage = "every input"
    if sample is not None and sample < total:
        coverage = "a random sample"
        chosen = sorted(random.Random(seed).sample(range(total), sample))
        function.directions = [function.directions[i] for i in chosen]
    if directions is not None:
        coverage = "random directions"
        rng = random.Random(seed)
        function.directions = list(random_directions(function.variables, directions, rng))
    __tracebackhide__ = True
    entries: list[Entry] = []
    below: list[Entry] = []
    for k in range(1, order + 1):
        below = _compare(function, k, below, eps or FIRST_STEP, atol, rtol)
        entries += below
    report = Report(tuple(entries), total, len(function.directions), coverage)
    if raise_exception and not report.passed:
        raise GradcheckError(str(report), report)
    return report


def _function(f: Callable[..., object], args: tuple[object, ...]) -> CheckedFunction:
    if not hasattr(f, "value_and_grad"):
        return EagerFunction(f, args)
    from autodiff.checking.kernels import Kernel, KernelFunction

    return KernelFunction(cast(Kernel, f), args)


def _check_options(
    order: int,
    eps: float | None,
    atol: float,
    rtol: float,
    sample: int | None,
    directions: int | None,
) -> None:
    for name, count in ("order", order), ("sample", sample), ("directions", directions):
        if count is not None:
            integer(f"gradcheck: {name}", count, least=1)
    if sample is not None and directions is not None:
        raise ValueError("gradcheck: give sample or directions, not both")
    for name, size in ("eps", eps), ("rtol", rtol):
        if size is not None:
            within(f"gradcheck: {name}", size, above=0)
    within("gradcheck: atol", atol, least=0)


def _compare(
    function: CheckedFunction,
    order: int,
    below: list[Entry],
    eps: float,
    atol: float,
    rtol: float,
) -> list[Entry]:
    """The entries of one order: each entry of the order below, by each direction."""
    analytic = function.derivatives(order)
    largest = max((abs(x) for x in analytic if isfinite(x)), default=0.0)
    center = function.derivatives(order - 1)
    # A derivative may lose more to rounding within the graph than its size tells: f's size does.
    values = (*center, *function.derivatives(0)) if below else ()
    level = 2 * max((abs(x) for x in values if isfinite(x)), default=0.0)

    def column(direction: Direction) -> list[tuple[Difference, float]]:
        def at(offset: float) -> list[float]:
            return function.derivatives_at(direction, offset, order - 1)

        return differentiate(at, center, direction.size, eps, function.epsilon, level)

    columns = list(map(column, function.directions))
    entries: list[Entry] = []
    for i in range(len(center)):
        for direction, differences in zip(function.directions, columns, strict=True):
            numeric, bend = differences[i]
            name = f"{below[i].name} × {direction.name}" if below else direction.name
            if below and below[i].verdict == "kink":
                numeric = replace(numeric, is_kink=True)
            value = analytic[len(entries)]
            entry = judge(name, order, value, numeric, bend, atol=atol, rtol=rtol, largest=largest)
            entries.append(entry)
    return entries
