"""Whether the kernel of a program is equal to its eager execution, or says that it cannot be."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from autodiff import TraceError
from tests.properties.case import (
    Case,
    DifferenceError,
    by,
    has_product,
    kind_of,
    mean_gradient,
    mean_product,
    mean_value,
    per_example,
    rows_of,
    values,
)
from tests.properties.program import INTEGERS, Program
from tests.properties.reference import flat


class Verdict(NamedTuple):
    """agreed, refused (by a TraceError), raised (both raise), or failed, and in what."""

    kind: str
    check: str = ""
    detail: str = ""


def check_batch(case: Case, kernel: Any, chosen: Sequence[int], tag: str = "") -> None:
    """Values, and all derivatives of a result of one number, of a batch."""
    args = case.args(chosen)
    outcomes = [case.outcomes[i] for i in chosen]
    check = f"value{tag}"
    found = case.attempt(check, lambda: kernel(*args))
    case.compare(check, rows_of(check, found, outcomes, True), values, chosen)
    if not case.is_number:
        return
    check = f"gradient{tag}"
    value, gradient = case.attempt(check, lambda: kernel.value_and_grad(*args))
    case.compare(f"mean{tag}", value, mean_value, chosen)
    case.compare(check, case.gradient(check, kernel, gradient), mean_gradient, chosen)
    for k, a in enumerate(case.program.arguments):
        if a.kind in (*INTEGERS, "static"):
            continue
        check = f"argument{tag}"
        each, found = case.attempt(check, lambda k=k: kernel.value_and_grad(*args, argnums=k))
        case.compare(f"value by argument{tag}", np.reshape(each, (-1, 1)), values, chosen)
        case.compare(check, per_example(a, found, len(chosen)), by(a), chosen)
    if case.reference.parameters and has_product(outcomes):
        check = f"hvp{tag}"
        vector = case.vector(kernel)
        product = case.attempt(check, lambda: kernel.hvp(*args, vector=vector))
        case.compare(check, case.gradient(check, kernel, product), mean_product, chosen)


def check_unbatched(case: Case, row: int = 0) -> None:
    """The same without a batch."""
    kernel = case.kernel(batched=False)
    args = case.program.given_one(case.names, case.points[row])
    outcomes = [case.outcomes[row]]
    check = "value, unbatched"
    found = case.attempt(check, lambda: kernel(*args))
    case.compare(check, rows_of(check, found, outcomes, False), values, [row])
    if not case.is_number:
        return
    check = "gradient, unbatched"
    _, gradient = case.attempt(check, lambda: kernel.value_and_grad(*args))
    case.compare(check, case.gradient(check, kernel, gradient), mean_gradient, [row])
    for k, a in enumerate(case.program.arguments):
        if a.kind in (*INTEGERS, "static"):
            continue
        check = "argument, unbatched"
        _, found = case.attempt(check, lambda k=k: kernel.value_and_grad(*args, argnums=k))
        case.compare(check, per_example(a, found, 1), by(a), [row])
    if case.reference.parameters and has_product(outcomes):
        check = "hvp, unbatched"
        vector = case.vector(kernel)
        product = case.attempt(check, lambda: kernel.hvp(*args, vector=vector))
        case.compare(check, case.gradient(check, kernel, product), mean_product, [row])


def check_single(case: Case, chosen: Sequence[int]) -> None:
    """Values and gradients in float32."""
    kernel = case.kernel(dtype=np.float32)
    args = case.args(chosen)
    outcomes = [case.outcomes[i] for i in chosen]
    check = "value, float32"
    with np.errstate(all="ignore"):  # numbers may be beyond float32
        found = case.attempt(check, lambda: kernel(*args))
    case.compare(check, rows_of(check, found, outcomes, True), values, chosen, single=True)
    if case.is_number:
        check = "gradient, float32"
        with np.errstate(all="ignore"):
            _, gradient = case.attempt(check, lambda: kernel.value_and_grad(*args))
        if gradient.dtype != np.float32:
            raise DifferenceError(check, f"of type {gradient.dtype}")
        whole = case.gradient(check, kernel, gradient)
        case.compare(check, whole, mean_gradient, chosen, single=True)


def check_changed(case: Case, kernel: Any, chosen: Sequence[int]) -> None:
    """The kernel that is there, after the data of all parameters changed."""
    before = [x.data for x in case.reference.parameters]
    outcomes = case.outcomes
    try:
        for k, x in enumerate(case.reference.parameters):
            x.data = before[k] * (1.03 if k % 2 else 0.96) + 0.01
        case.outcomes = [case.reference.outcome(row) for row in case.points]
        errors = [o.error for o in case.outcomes]
        if any(errors) or any(not np.isfinite(flat(o.result)).all() for o in case.outcomes):
            return  # the program is not defined there
        check_batch(case, kernel, chosen, ", changed")
    finally:
        case.outcomes = outcomes
        for x, data in zip(case.reference.parameters, before, strict=True):
            x.data = data


def agree(program: Program, extra: Callable[[Case, Any, str], None] | None = None) -> Verdict:
    """The verdict over a program; `extra(case, kernel, name)` runs each of its `checks`."""
    try:
        case = Case(program)
    except Exception as error:
        return Verdict("void", "", f"{type(error).__name__}: {error}")
    count = len(case.points)
    chosen = list(range(min(3, count)))
    kernel = case.kernel()
    if any(o.error for o in case.outcomes):
        return _both_raise(case, kernel)
    try:
        case.attempt("value", lambda: kernel(*case.args(chosen)))
    except DifferenceError as found:
        if isinstance(found.__cause__, TraceError):
            return Verdict("refused", "", _without_place(str(found.__cause__)))
        return Verdict("failed", found.check, found.detail)
    try:
        check_batch(case, kernel, chosen)
        check_batch(case, kernel, [0], ", batch of 1")
        check_batch(case, kernel, [(7 * i + 3) % count for i in range(17)], ", batch of 17")
        check_unbatched(case)
        check_single(case, chosen)
        check_changed(case, kernel, chosen)
        for name in program.checks if extra else ():
            extra(case, kernel, name)  # type: ignore[misc]
    except DifferenceError as found:
        if isinstance(found.__cause__, TraceError):
            detail = f"refused here alone: {_without_place(str(found.__cause__))}"
            return Verdict("failed", found.check, detail)
        return Verdict("failed", found.check, found.detail)
    return Verdict("agreed")


def _both_raise(case: Case, kernel: Any) -> Verdict:
    """A kernel raises where eager execution does, in one call or the other."""
    row = next(i for i, o in enumerate(case.outcomes) if o.error)
    error = case.outcomes[row].error
    if "the condition is a Value" in str(error):  # a float argument is a number for a kernel
        return Verdict("refused", "", "a float argument as a condition, by eager execution")
    try:
        found = kernel(*case.args([row]))
    except Exception as raised:
        return Verdict("raised", "", f"{type(raised).__name__} for {type(error).__name__}")
    return Verdict("failed", "error", f"{kind_of(found)} for {type(error).__name__}: {error}"[:200])


def _without_place(message: str) -> str:
    return message.partition(": ")[2]
