"""Relations that a kernel keeps with itself: what `Program.checks` names."""

import copy
import functools
import pickle
import sys
import threading
from types import ModuleType
from typing import Any

import numpy as np

import autodiff
from autodiff.compiler.arrays.program import verify
from tests.properties.case import Case, DifferenceError, values
from tests.properties.judge import check_batch
from tests.properties.reference import direction, flat


def extra(case: Case, kernel: Any, name: str) -> None:
    """Run the check of a name."""
    if name != "twin" and not case.points:
        return
    CHECKS[name](case, kernel)


def twin(case: Case, kernel: Any) -> None:
    """The program that this was made of gives the same numbers, in eager execution."""
    program = case.program.twin
    if program is None:
        return
    names = {a.name for a in program.arguments}
    if not all(names <= set(row) for row in case.points):
        return
    other = Case(program.with_points(case.points))
    if any(o.error for o in other.outcomes):
        raise DifferenceError("twin", "the other spelling raises")
    for mine, its in zip(case.outcomes, other.outcomes, strict=True):
        a, b = np.array(flat(mine.result)), np.array(flat(its.result))
        if a.shape != b.shape or not np.allclose(a, b, rtol=1e-7, atol=1e-9, equal_nan=True):
            raise DifferenceError("twin", f"{a} for {b}")


def change(case: Case, kernel: Any) -> None:
    """After changes of parameters between calls of each kind, a kernel is as one made now."""
    before = [x.data for x in case.reference.parameters]
    chosen = list(range(min(3, len(case.points))))
    outcomes = case.outcomes
    fresh = case.kernel()
    _call_otherwise(case, fresh, chosen)
    try:
        check_batch(case, fresh, chosen, ", first")
        for scale in (0.9, 1.1):
            for x, data in zip(case.reference.parameters, before, strict=True):
                x.data = data * scale
            case.outcomes = [case.reference.outcome(row) for row in case.points]
            if not all(np.isfinite(flat(o.result)).all() for o in case.outcomes if not o.error):
                return
            check_batch(case, fresh, chosen[::-1], ", changed twice")
            check_batch(case, kernel, chosen[:2], ", changed twice")
    finally:
        case.outcomes = outcomes
        for x, data in zip(case.reference.parameters, before, strict=True):
            x.data = data


def _call_otherwise(case: Case, kernel: Any, chosen: list[int]) -> None:
    """Call a kernel with other static arguments, which may reach other parameters."""
    args = list(case.args(chosen))
    statics = [k for k, a in enumerate(case.program.arguments) if a.kind == "static"]
    for k in statics:
        args[k] = (
            not args[k] if isinstance(args[k], bool) else {2: 3, "mean": "sum"}.get(args[k], 0)
        )
    try:
        if statics and case.is_number:
            kernel.value_and_grad(*args)
    except Exception:
        return  # f need not be defined there


def batch(case: Case, kernel: Any) -> None:
    """Permuted, repeated and other batches in between; results that are held stay as they are."""
    count = len(case.points)
    chosen = [i % count for i in range(6)]

    def run(some: list[int]) -> list[Any]:
        found = [kernel(*case.args(some))]
        if case.is_number:
            found += kernel.value_and_grad(*case.args(some))
        return found

    held = case.attempt("batch", lambda: run(chosen))
    kept = copy.deepcopy(held)
    for size in (1, 2, 11, 5, 6):
        case.attempt("batch", lambda size=size: run([(3 * i + 1) % count for i in range(size)]))
    for a, b in zip(_arrays(held), _arrays(kept), strict=True):
        if not np.array_equal(a, b, equal_nan=True):
            raise DifferenceError("batch", "a result that was held changed")
    again = case.attempt("batch", lambda: run(chosen))
    for a, b in zip(_arrays(again), _arrays(kept), strict=True):
        if not np.array_equal(a, b, equal_nan=True):
            raise DifferenceError("batch", "the same call gives other bits")
    check_batch(case, kernel, [1 % count] * 4, ", one example four times")


def _arrays(tree: Any) -> list[Any]:
    if isinstance(tree, dict):
        tree = list(tree.values())
    if isinstance(tree, list | tuple):
        return [x for branch in tree for x in _arrays(branch)]
    if tree is None:
        return []
    if isinstance(tree, np.ndarray) and tree.dtype.kind == "O":
        return [np.asarray(x, float) for x in tree.ravel()]
    return [np.asarray(tree, float)]


def calculus(case: Case, kernel: Any) -> None:
    """Scaling, linearity, symmetry of the Hessian, and slopes by differences."""
    if not case.is_number or not all(np.isfinite(flat(o.result)).all() for o in case.outcomes):
        return
    f = case.names["f"]
    args = case.args([0, 1])
    value, gradient = case.attempt("calculus", lambda: kernel.value_and_grad(*args))
    _close("mean of the values", np.mean(kernel(*args)), value)
    scaled = autodiff.compile(lambda *given: 4.0 * f(*given))
    v4, g4 = case.attempt("calculus", lambda: scaled.value_and_grad(*args))
    _close("value of 4 f", v4, 4 * value)
    whole = case.gradient("calculus", kernel, gradient)
    _close("gradient of 4 f", case.gradient("calculus", scaled, g4), 4 * whole)
    twice = autodiff.compile(lambda *given: f(*given) - 3.0 * f(*given))
    _, g2 = case.attempt("calculus", lambda: twice.value_and_grad(*args))
    _close("gradient of f - 3 f", case.gradient("calculus", twice, g2), -2 * whole)
    if kernel.parameters:
        _second_order(case, kernel, args, gradient)


def _second_order(case: Case, kernel: Any, args: Any, gradient: Any) -> None:
    count = len(kernel.parameters)
    u = np.array(direction(count))
    v = np.cos(np.arange(count) + 0.5)
    hu, hv = (kernel.hvp(*args, vector=x) for x in (u, v))
    _close("symmetry of the Hessian", v @ hu, u @ hv)
    theta = np.array([x.data for x in kernel.parameters])
    step = 1e-5
    ends = [
        kernel.value_and_grad(*args, parameters=theta + s * step * u) for s in (1, -1, 2, -2, 0)
    ]
    slope = (ends[0][0] - ends[1][0]) / (2 * step)
    wide = (ends[2][0] - ends[3][0]) / (4 * step)
    if not np.array_equal(ends[4][1], gradient, equal_nan=True):
        raise DifferenceError("calculus", "parameters= with today's data gives another gradient")
    if _has_modes(case.program.text):
        return
    if abs(slope - wide) < 1e-6 * (1 + abs(slope)):
        _close("slope of the value", gradient @ u, slope, 1e-4)
    bend = (ends[0][1] - ends[1][1]) / (2 * step)
    far = (ends[2][1] - ends[3][1]) / (4 * step)
    if np.abs(bend - far).max(initial=0) < 1e-6 * (1 + np.abs(bend).max(initial=0)):
        _close("slope of the gradient", hu, bend, 1e-4)


def _has_modes(text: str) -> bool:
    """Whether a number on the way has no derivative, as differences have."""
    return any(word in text for word in ("no_grad", "detach", "stop_gradient"))


def _close(what: str, found: Any, expected: Any, relative: float = 1e-8) -> None:
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    size = np.abs(expected[np.isfinite(expected)]).max(initial=1.0)
    if not np.allclose(found, expected, rtol=relative, atol=relative * size, equal_nan=True):
        raise DifferenceError("calculus", f"{what}: {found} for {expected}")


def ways(case: Case, kernel: Any) -> None:
    """Its own check, `verify`, a thread, copies, pickles, a call inside of another function."""
    chosen = list(range(min(3, len(case.points))))
    args = case.args(chosen)
    expected = [case.outcomes[i] for i in chosen]
    finite = all(
        np.isfinite([*flat(o.result), *o.by_parameter, *o.product]).all() for o in expected
    )
    if finite:
        case.attempt("ways: check", lambda: kernel.check(*args, rtol=1e-6))
    case.attempt("ways: verify", lambda: verify(kernel.program))
    case.attempt("ways: explain", kernel.explain)
    before = _arrays(kernel(*args))
    found = []
    thread = threading.Thread(target=lambda: found.append(_arrays(kernel(*args))))
    thread.start()
    thread.join()
    if not found or not all(
        np.array_equal(a, b, equal_nan=True) for a, b in zip(found[0], before, strict=True)
    ):
        raise DifferenceError("ways: thread", "other values")
    f = case.names["f"]

    class Model:
        def __call__(self, *given: Any) -> Any:
            return f(*given)

        def loss(self, *given: Any) -> Any:
            return f(*given)

    for g in (Model(), Model().loss, functools.partial(f)):
        other = autodiff.compile(g)
        result = case.attempt("ways: callable", lambda other=other: _arrays(other(*args)))
        if not all(
            np.array_equal(a, b, equal_nan=True) for a, b in zip(result, before, strict=True)
        ):
            raise DifferenceError("ways: callable", "other values")
    for what, make in (("deepcopy", copy.deepcopy), ("pickle", _pickled(case))):
        other = case.attempt(f"ways: {what}", lambda make=make: make(kernel))
        found = case.attempt(f"ways: {what}", lambda other=other: _arrays(other(*args)))
        if not all(map(np.allclose, found, before)) and finite:
            raise DifferenceError(f"ways: {what}", "other values")


def _pickled(case: Case) -> Any:
    def make(kernel: Any) -> Any:
        module = ModuleType("program")
        module.__dict__.update(case.names)
        sys.modules["program"] = module
        try:
            return pickle.loads(pickle.dumps(kernel))
        finally:
            del sys.modules["program"]

    return make


def poisoned_row(case: Case, kernel: Any) -> None:
    """An example that is not finite leaves the others as they are."""
    floats = [a for a in case.program.arguments if a.kind == "number"]
    if not floats:
        return
    for bad in (np.inf, -np.inf, np.nan, 0.0):
        row = {**case.points[0], floats[0].name: bad}
        case.points.append(row)
        case.outcomes.append(case.reference.outcome(row))
        last = len(case.points) - 1
        try:
            if case.outcomes[last].error:
                continue
            some = [0, last, 1, 2]
            check = f"poisoned by {bad}"
            found = case.attempt(check, lambda some=some: kernel(*case.args(some)))
            rows = np.array(_columns(found, len(some)))
            case.compare(check, rows[[0, 2, 3]], values, [0, 1, 2])
            case.compare(f"value at {bad}", rows[[1]], values, [last])
        finally:
            case.points.pop()
            case.outcomes.pop()


def _columns(found: Any, batch: int) -> list[list[float]]:
    arrays = [x.reshape(batch, -1) for x in _arrays(found)]
    return np.concatenate(arrays, 1).tolist() if arrays else [[]] * batch


CHECKS = {
    "twin": twin, "change": change, "batch": batch, "calculus": calculus, "ways": ways,
    "poison": poisoned_row,
}  # fmt: skip
