"""Hypothesis strategies and an assertion, for gradient checks in your own tests.

`expressions()` are random functions over the op table, `operands(op)` tuples from the domain of
an op, `values()` leaves and `modules()` small networks. The first two stay away from kinks and
from the ends of domains; all shrink to small programs and simple numbers. Only this module needs
Hypothesis.
"""

from collections.abc import Iterable
from typing import Any, TypeVar

from autodiff import ops
from autodiff.checking.expressions import (
    MARGIN,
    Draft,
    Expression,
    domain_of,
    has_tie,
    numbers_inside,
    sequences,
)
from autodiff.checking.gradcheck import gradcheck
from autodiff.checking.report import GradcheckError, Report
from autodiff.checks import show
from autodiff.engine.value import Value
from autodiff.rows.primitive import TABLE, Primitive
from autodiff.rows.reduction import Selection
from nn import MLP

try:
    from hypothesis import strategies as st
except ImportError as error:
    raise ImportError("autodiff.testing needs Hypothesis: pip install hypothesis") from error

T = TypeVar("T")

OPS = tuple(row for row in TABLE.values() if getattr(ops, row.name, None) is row)
"""The ops of autodiff, without those of users."""

__all__ = ["OPS", "Expression", "assert_gradients", "expressions", "modules", "operands", "values"]


def assert_gradients(f: Any, inputs: Any = (), *, order: int = 2, **options: Any) -> Report:
    """Raise GradcheckError unless all derivatives of `f` up to `order` are right at `inputs`.

    As `gradcheck`, which takes the `options`, with one difference: a kink is an error too, as
    a test that judges nothing there would pass for nothing. The result is the report.
    """
    report = gradcheck(f, inputs, order=order, **options)
    if report.kinks:
        raise GradcheckError(f"at a kink there is nothing to check\n{report}", report)
    return report


def values(
    min_value: float = -2.0, max_value: float = 2.0, *, kinks: Iterable[float] = ()
) -> st.SearchStrategy[Value]:
    """Leaf Values between the bounds, none within 0.2 of one of `kinks`."""
    avoided = tuple(kinks)
    return (
        st.floats(min_value, max_value)
        .filter(lambda x: all(abs(x - kink) >= MARGIN for kink in avoided))
        .map(Value)
    )


def operands(op: Primitive) -> st.SearchStrategy[tuple[float, ...]]:
    """Numbers from the domain of `op`, one an operand; some for an op of any number."""

    _require_op("operands", op)

    def number(i: int, choice: int) -> float:
        domain = domain_of(op, i)
        numbers = numbers_inside(domain) if domain else (0.0, 1.0)
        return numbers[choice % len(numbers)]

    def numbers(choices: list[int]) -> tuple[float, ...]:
        return tuple(map(number, range(len(choices)), choices))

    return _shown(_choices(op).map(numbers).filter(lambda xs: not (op.ties and has_tie(xs))))


def expressions(
    ops: Iterable[Primitive] = OPS, *, max_inputs: int = 3, max_ops: int = 8
) -> st.SearchStrategy[Expression]:
    """Random expressions over `ops`, which share results and hold constants.

    `[*OPS, mine]` are all ops of autodiff and one of your own.

    At the expression's point every op has operands inside its domain and away from kinks, a
    result below 10, and a slope below 30 as a function of the inputs.
    """
    rows = list(ops)
    for row in rows:
        _require_op("expressions", row)
    for name, count in ("ops", len(rows)), ("max_inputs", max_inputs), ("max_ops", max_ops):
        if count < 1:
            raise ValueError(f"expressions: {name} is at least one, got {count}")

    def written(calls: list[tuple[Primitive, list[int]]]) -> Draft:
        draft = Draft(max_inputs)
        for row, choices in calls:
            draft.call(row, choices)
        return draft

    call = st.one_of([st.tuples(st.just(row), _choices(row)) for row in rows])
    drafts = st.lists(call, min_size=1, max_size=max_ops).map(written)
    return _shown(drafts.filter(lambda draft: draft.has_calls).map(Draft.expression))


def modules(max_inputs: int = 3, max_layers: int = 3) -> st.SearchStrategy[MLP]:
    """Small networks with smooth activations."""
    return st.builds(
        MLP,
        st.integers(1, max_inputs),
        st.lists(st.integers(1, 4), min_size=1, max_size=max_layers),
        activation=st.sampled_from(["tanh", "sigmoid"]),
        seed=st.integers(0, 99),
    )


def _require_op(name: str, op: Any) -> None:
    if not isinstance(op, Primitive):
        raise TypeError(f"{name} takes ops, as autodiff.tanh, got {show(op)}")


@st.composite
def _shown(draw: st.DrawFn, strategy: st.SearchStrategy[T]) -> T:
    """What `strategy` draws; a failing test shows it, and not the calls that made it."""
    return draw(strategy)


def _choices(row: Primitive) -> st.SearchStrategy[list[int]]:
    """What decides over the operands of a call: one number each."""
    choice = st.integers(0, 10**6)
    if row.arity is not None and not isinstance(row, Selection):
        return st.lists(choice, min_size=row.arity, max_size=row.arity)
    size = sequences(row)
    return st.lists(choice, min_size=size, max_size=4 * size).map(
        lambda choices: choices[: len(choices) // size * size]
    )
