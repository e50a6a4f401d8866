"""A program, loaded, with its outcomes; and what of a kernel is compared with them."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import autodiff
from tests.properties.program import Program
from tests.properties.reference import Outcome, Reference, direction, flat

TOLERANCE = 1e-9


class DifferenceError(AssertionError):
    """A kernel and eager execution differ, in the check `check`."""

    def __init__(self, check: str, detail: str) -> None:
        super().__init__(f"{check}: {detail}")
        self.check = check
        self.detail = detail


class Case:
    """A program, loaded; the outcomes of its examples, and comparisons with them."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.reference = Reference(program)
        self.names = self.reference.names
        self.points = list(program.points)
        self.outcomes = [self.reference.outcome(row) for row in self.points]
        self.is_number = all(o.is_number for o in self.outcomes)

    def kernel(self, **options: Any) -> Any:
        """A new kernel of f."""
        return autodiff.compile(self.names["f"], **options)

    def args(self, chosen: Sequence[int]) -> tuple[Any, ...]:
        """The arguments for a batch of some of the examples."""
        return self.program.given(self.names, [self.points[i] for i in chosen])

    def attempt(self, check: str, call: Callable[[], Any]) -> Any:
        """The result of a call that eager execution promises; what it raises is a difference."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                return call()
        except Exception as error:
            raise DifferenceError(check, f"raises {type(error).__name__}: {error}") from error

    def compare(
        self,
        check: str,
        found: Any,
        of: Callable[[list[Outcome]], Any],
        chosen: Sequence[int],
        single: bool = False,
    ) -> None:
        """Raise DifferenceError unless `found` is a quantity of some outcomes, to rounding."""
        expected = np.asarray(of([self.outcomes[i] for i in chosen]), float)
        found = np.asarray(found, float)
        if found.shape != expected.shape:
            raise DifferenceError(check, f"shape {found.shape} for {expected.shape}")
        wrong = _far(found, expected, *((5e-4, 1e-6) if single else (TOLERANCE, 1e-13)))
        if not wrong.any():
            return
        rows = [self.points[i] for i in chosen]
        spread = self.reference.spread(rows, 2.0**-21 if single else 2.0**-40, of)
        finite = np.isfinite(expected) & np.isfinite(found)
        with np.errstate(all="ignore"):
            near = np.abs(found - expected) <= 1e3 * spread
            excused = np.where(finite, near, ~np.isfinite(spread))
        if single:
            # What passes the range of float32 on the way is not to be known from the outcome.
            excused |= ~np.isfinite(found) | (np.abs(expected) > 1e9)
        if (wrong & ~excused).any():
            shown = [float(f"{x:.6g}") for x in found.ravel()[:6]]
            wanted = [float(f"{x:.6g}") for x in expected.ravel()[:6]]
            raise DifferenceError(check, f"{shown} for {wanted}")

    def gradient(self, check: str, kernel: Any, gradient: Any) -> np.ndarray[Any, Any]:
        """A gradient by the parameters of a kernel in the order of the reference's."""
        place = {x: i for i, x in enumerate(self.reference.parameters)}
        whole = np.zeros(len(place))
        known = kernel.parameters
        if len(known) != len(gradient):
            raise DifferenceError(check, f"{len(gradient)} slopes for {len(known)} parameters")
        for x, slope in zip(known, gradient, strict=True):
            if x not in place:
                raise DifferenceError("parameters", f"a Value that no name holds is one: {x.data}")
            whole[place[x]] = slope
        return whole

    def vector(self, kernel: Any) -> list[float]:
        """The direction of Hessians in the order of a kernel's parameters."""
        along = zip(
            self.reference.parameters, direction(len(self.reference.parameters)), strict=True
        )
        known = dict(along)
        return [known.get(x, 0.0) for x in kernel.parameters]


def _far(found: Any, expected: Any, relative: float, absolute: float) -> Any:
    """Where two arrays differ; as large as the largest finite element is the measure."""
    size = np.max(np.abs(expected[np.isfinite(expected)]), initial=0.0)
    if size and size < 1e-30 and relative == TOLERANCE:
        absolute = 0.0
    with np.errstate(all="ignore"):
        near = np.abs(found - expected) <= relative * size + absolute
    same = (found == expected) | (np.isnan(found) & np.isnan(expected))
    return ~(near & np.isfinite(expected) | same)


# Results in their structure


def rows_of(check: str, found: Any, outcomes: list[Outcome], is_batched: bool) -> list[list[float]]:
    """The numbers of a kernel's results, a row an example; DifferenceError at another structure."""
    count = len(outcomes)
    columns: list[Any] = []

    def walk(found: Any, eager: list[Any]) -> None:
        first = eager[0]
        if first is None:
            _require(check, found is None, f"{found!r} for None")
        elif isinstance(first, dict):
            same = type(found) is type(first) and [*found] == [*first]
            _require(check, same, f"structure: {kind_of(found)} for {kind_of(first)}")
            for key in first:
                walk(found[key], [x[key] for x in eager])
        elif isinstance(first, list | tuple):
            same = type(found) is type(first) and len(found) == len(first)
            _require(check, same, f"structure: {kind_of(found)} for {kind_of(first)}")
            for k in range(len(first)):
                walk(found[k], [x[k] for x in eager])
        elif isinstance(first, np.ndarray) and first.ndim:
            _require(check, isinstance(found, np.ndarray), f"structure: {kind_of(found)} for array")
            block = _numbers(found, count if is_batched else 0, first.shape)
            _require(check, block is not None, f"structure: {found.shape} for {first.shape}")
            columns.extend(block)
        else:
            block = np.asarray(found, float)
            shape = (count,) if is_batched else ()
            _require(check, block.shape == shape, f"structure: shape {block.shape} for {shape}")
            columns.append(block.reshape(count))

    walk(found, [o.result for o in outcomes])
    return [[column[b] for column in columns] for b in range(count)]


def _numbers(found: Any, batch: int, shape: tuple[int, ...]) -> Any:
    """The columns of an array result, whose batch axis is first, or within its elements."""
    size = int(np.prod(shape))
    if found.dtype == object and found.shape == shape:
        return [np.asarray(x, float).reshape(max(batch, 1)) for x in found.ravel()]
    if not batch and found.shape == shape:
        return [np.array([x]) for x in found.ravel().astype(float)]
    if found.shape == (batch, *shape):
        return list(found.reshape(batch, size).T.astype(float))
    return None


def kind_of(tree: Any) -> str:
    if isinstance(tree, dict):
        return f"dict of {[*tree]}"
    size = f" of {len(tree)}" if isinstance(tree, list | tuple) else ""
    return type(tree).__name__ + size


def _require(check: str, holds: bool, detail: str) -> None:
    if not holds:
        raise DifferenceError(check, detail)


def per_example(argument: Any, found: Any, batch: int) -> Any:
    """A gradient by an argument as (B, size)."""
    if isinstance(found, dict | tuple):
        parts = found.values() if isinstance(found, dict) else found
        return np.concatenate([np.asarray(x, float).reshape(batch, -1) for x in parts], 1)
    if isinstance(found, list):
        block = np.asarray(found, float)
        size = int(np.prod(argument.size))
        if block.shape == (size, batch) and (argument.kind == "columns" or size != batch):
            return block.T
        return block.reshape(batch, -1)
    return np.asarray(found, float).reshape(batch, -1)


# Quantities of outcomes


def values(outcomes: list[Outcome]) -> list[list[float]]:
    return [flat(o.result) for o in outcomes]


def mean_value(outcomes: list[Outcome]) -> Any:
    with np.errstate(all="ignore"):
        return np.mean([flat(o.result)[0] for o in outcomes])


def mean_gradient(outcomes: list[Outcome]) -> Any:
    with np.errstate(all="ignore"):
        return np.mean([o.by_parameter for o in outcomes], 0)


def mean_product(outcomes: list[Outcome]) -> Any:
    with np.errstate(all="ignore"):
        return np.mean([o.product for o in outcomes], 0)


def has_product(outcomes: list[Outcome]) -> bool:
    """Whether the Hessian is finite; where not, its zeros depend on the way it is computed."""
    return bool(np.isfinite([o.product for o in outcomes]).all())


def by(argument: Any) -> Callable[[list[Outcome]], Any]:
    return lambda outcomes: [o.by_argument[argument.name] for o in outcomes]
