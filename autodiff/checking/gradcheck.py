"""`gradcheck`: the derivatives of the engine against finite differences."""

import random
from dataclasses import replace
from math import inf, isfinite
from typing import Any, TypedDict

from autodiff.checking.differences import FIRST_STEP, Difference, differentiate
from autodiff.checking.directions import Move, Subject, random_directions
from autodiff.checking.functions import Compiled, Eager
from autodiff.checking.report import Coverage, Entry, GradcheckError, Report, judge
from autodiff.checks import number

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
    f: Any,
    inputs: Any = (),
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
    """Compare the derivatives of `f` by its inputs with central differences; the report.

    `inputs` is the tuple of arguments of `f`, or its only argument: numbers, Values, modules,
    and lists, tuples, dicts or arrays of them. Numbers become Values; Values and the parameters
    of modules are changed in place and put back, gradients too. If `f` is itself a module, its
    parameters are checked, at `inputs`; likewise a kernel, whose result is averaged over the
    batch, by its arguments if it has no parameters. A result of several Values is checked
    through one weighted sum of them.

    The gradient is compared with differences of f and, up to `order`, each derivative of it with
    differences of the one before: n inputs have n² second derivatives. With `sample`, only that
    many inputs are differentiated by, drawn with `seed`; with `directions`, that many random
    directions in the space of all inputs, which finds an error anywhere at the price of few.

    The quotients are extrapolated (Richardson) with steps from `eps` (2**-10), relative to the
    input if that is large, downwards until they settle. A derivative is wrong if it is off by
    more than `atol` + `rtol` times its size, beyond what the rounding of f explains, or if
    either side is not finite. Where the slopes from the left and from the right differ, the
    entry says kink and is not judged.

    Raises GradcheckError if a derivative is wrong or unclear, unless `raise_exception` is False.
    """
    _check_options(order, eps, atol, rtol, sample, directions)
    args = inputs if isinstance(inputs, tuple) else (inputs,)
    is_kernel = hasattr(f, "value_and_grad")
    subject: Subject = Compiled(f, args) if is_kernel else Eager(f, args)
    named, total = subject.named, len(subject.named)
    if not named:
        raise ValueError("gradcheck: there is nothing to differentiate by: no number, no Value")
    coverage: Coverage = "every input"
    if sample is not None and sample < total:
        coverage = "a random sample"
        chosen = sorted(random.Random(seed).sample(range(total), sample))
        subject.moves = [subject.moves[i] for i in chosen]
    if directions is not None:
        coverage = "random directions"
        subject.moves = list(random_directions(named, directions, random.Random(seed)))
    entries: list[Entry] = []
    below: list[Entry] = []
    for k in range(1, order + 1):
        below = _compare(subject, k, below, eps or FIRST_STEP, atol, rtol)
        entries += below
    report = Report(tuple(entries), total, len(subject.moves), coverage)
    if raise_exception and not report.passed:
        raise GradcheckError(str(report), report)
    return report


def _check_options(
    order: int,
    eps: float | None,
    atol: float,
    rtol: float,
    sample: int | None,
    directions: int | None,
) -> None:
    for name, count in ("order", order), ("sample", sample), ("directions", directions):
        if count is not None and (not isinstance(count, int) or count < 1):
            raise ValueError(f"gradcheck: {name} must be an integer of at least 1, got {count!r}")
    if sample is not None and directions is not None:
        raise ValueError("gradcheck: give sample or directions, not both")
    for name, size in ("eps", eps), ("rtol", rtol):
        if size is not None and not 0 < number(size) < inf:
            raise ValueError(f"gradcheck: {name} must be positive, got {size!r}")
    if not 0 <= number(atol) < inf:
        raise ValueError(f"gradcheck: atol must be 0 or more, got {atol!r}")


def _compare(
    subject: Subject,
    order: int,
    below: list[Entry],
    eps: float,
    atol: float,
    rtol: float,
) -> list[Entry]:
    """The entries of one order, given those of the order below: each of them by each move."""
    analytic = subject.derivatives(order)
    largest = max((abs(x) for x in analytic if isfinite(x)), default=0.0)
    center = subject.derivatives(order - 1)
    # What a derivative loses to rounding within the graph may not show in its size, but in f's.
    values = (*center, *subject.derivatives(0)) if below else ()
    level = 2 * max((abs(x) for x in values if isfinite(x)), default=0.0)

    def column(move: Move) -> list[tuple[Difference, float]]:
        def aside(offset: float) -> list[float]:
            return subject.moved(move, offset, order - 1)

        return differentiate(aside, center, move.size, eps, subject.epsilon, level)

    columns = list(map(column, subject.moves))
    entries: list[Entry] = []
    for i in range(len(center)):
        for move, differences in zip(subject.moves, columns, strict=True):
            numeric, bend = differences[i]
            name = f"{below[i].name} × {move.name}" if below else move.name
            if below and below[i].verdict == "kink":
                numeric = replace(numeric, is_kink=True)
            value = analytic[len(entries)]
            entry = judge(name, order, value, numeric, bend, atol=atol, rtol=rtol, largest=largest)
            entries.append(entry)
    return entries
