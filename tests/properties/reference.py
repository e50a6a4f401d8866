"""Eager execution, one example at a time: what a kernel has to be equal to."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import numpy as np

import autodiff
from autodiff import Value
from tests.properties.program import Example, Program, values_in


@dataclass
class Outcome:
    """The result of one example, and its derivatives if it is a number."""

    result: Any = None
    error: Exception | None = None
    is_number: bool = False
    by_parameter: list[float] = field(default_factory=list)
    by_argument: dict[str, list[float]] = field(default_factory=dict)
    product: list[float] = field(default_factory=list)
    """The Hessian by the parameters times `direction`."""


def direction(count: int) -> list[float]:
    """A vector to multiply Hessians with."""
    return [0.25 + 0.5 * (7 * i % 5 - 2) for i in range(count)]


def number(x: Any) -> float:
    return x.data if isinstance(x, Value) else float(x)


class Reference:
    """A loaded program in eager execution; `parameters` are the Values that it holds."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.names = program.load()
        self.f = self.names["f"]
        self.parameters = list(values_in(self.names))

    def _arguments(self, row: Example, nudge: Any = None) -> tuple[list[Any], dict[str, Any]]:
        args, values = [], {}
        for a in self.program.arguments:
            arg, values[a.name] = a.eager(row[a.name], self.names)
            for x in values[a.name] if nudge else ():
                x.data = nudge(x.data)
            args.append(arg)
        return args, values

    def outcome(self, row: Example, nudge: Any = None) -> Outcome:
        """What f gives at an example, with its derivatives."""
        with np.errstate(all="ignore"):
            return self._outcome(row, nudge)

    def _outcome(self, row: Example, nudge: Any) -> Outcome:
        try:
            args, values = self._arguments(row, nudge)
            result = self.f(*args)
        except Exception as error:
            return Outcome(error=error)
        is_number = isinstance(result, Value | int | float | np.number)
        outcome = Outcome(result, is_number=is_number)
        if not is_number:
            return outcome
        inputs = [x for some in values.values() for x in some]
        for x in (*self.parameters, *inputs):
            x.grad = 0.0
        if isinstance(result, Value):
            result.backward()
        outcome.by_parameter = [x.grad for x in self.parameters]
        outcome.by_argument = {name: [x.grad for x in some] for name, some in values.items()}
        outcome.product = self._product(result)
        for x in self.parameters:
            x.grad = 0.0
        return outcome

    def _product(self, result: Any) -> list[float]:
        for x in self.parameters:
            x.grad = 0.0
        if isinstance(result, Value):
            slopes = autodiff.backward(result, as_graph=True)
            along = zip(self.parameters, direction(len(self.parameters)), strict=True)
            terms = [slopes[x] * v for x, v in along if x in slopes]
            total = autodiff.sum(terms) if terms else None
            if isinstance(total, Value):
                total.backward()
        return [x.grad for x in self.parameters]

    def spread(self, rows: Sequence[Example], size: float, of: Any) -> Any:
        """How far a quantity of outcomes moves when all numbers do, by `size` of themselves."""
        center = np.asarray(of([self.outcome(row) for row in rows]), float)
        found = np.zeros(center.shape)
        before = [x.data for x in self.parameters]
        for sign in (1, -1):
            for k, x in enumerate(self.parameters):
                x.data = before[k] * (1 + sign * size * (1 if k % 3 else -0.7))
            flip = iter(range(10**9))

            def nudge(x: float, sign: int = sign, flip: Any = flip) -> float:
                return x * (1 + sign * size * (0.9 if next(flip) % 2 else -0.6))

            try:
                moved = np.asarray(of([self.outcome(row, nudge) for row in rows]), float)
            finally:
                for x, data in zip(self.parameters, before, strict=True):
                    x.data = data
            if moved.shape != center.shape:
                return np.full(center.shape, np.inf)
            with np.errstate(all="ignore"):
                change = np.abs(moved - center)
            same = (moved == center) | (np.isnan(moved) & np.isnan(center))
            found = np.maximum(
                found, np.where(same, 0.0, np.where(np.isnan(change), np.inf, change))
            )
        return found


def is_smooth(reference: Reference, row: Example) -> bool:
    """Whether f and its slopes are finite at an example and hardly change beside it."""

    def all_of(outcomes: list[Outcome]) -> list[float]:
        return [x for o in outcomes for x in numbers_of(o)]

    outcome = reference.outcome(row)
    if outcome.error is not None:
        return True
    found = numbers_of(outcome)
    if not all(isfinite(x) and abs(x) < 1e6 for x in found):
        return False
    try:
        spread = reference.spread([row], 1e-7, all_of)
    except Exception:
        return False
    size = max((abs(x) for x in found), default=0.0)
    return bool((spread <= 1e-4 * (1.0 + size)).all())


def numbers_of(outcome: Outcome) -> list[float]:
    """All numbers of an outcome."""
    by_argument = [x for some in outcome.by_argument.values() for x in some]
    return [*flat(outcome.result), *outcome.by_parameter, *by_argument, *outcome.product]


def flat(tree: Any) -> list[float]:
    """The numbers of a result, in order."""
    if tree is None:
        return []
    if isinstance(tree, dict):
        return [x for branch in tree.values() for x in flat(branch)]
    if isinstance(tree, np.ndarray):
        return flat(tree.tolist()) if tree.ndim else [number(tree.item())]
    if isinstance(tree, list | tuple):
        return [x for branch in tree for x in flat(branch)]
    return [number(tree)]
