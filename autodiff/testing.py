"""Hypothesis strategies and an assertion, for gradient checks in your own tests.

`expressions()` draws random functions over the op table, `operands(op)` tuples from the domain of
an op, `values()` leaves. The first two stay away from kinks and from the ends of domains; all
shrink to small programs and simple numbers. No other module of autodiff needs
Hypothesis.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar, Unpack

from autodiff import ops
from autodiff.checking.expressions import (
    MARGIN,
    Expression,
    ExpressionBuilder,
    domain_of,
    has_tie,
    numbers_inside,
    sequences,
)
from autodiff.checking.gradcheck import Options, gradcheck
from autodiff.checking.report import GradcheckError, Report
from autodiff.checks import integer, show
from autodiff.engine.value import Value
from autodiff.rows.primitive import TABLE, Primitive
from autodiff.rows.reduction import Selection

try:
    from hypothesis import strategies as st
except ImportError as error:
    raise ImportError("autodiff.testing needs Hypothesis: pip install hypothesis") from error

T = TypeVar("T")

OPS = tuple(row for row in TABLE.values() if getattr(ops, row.name, None) is row)
"""The ops of autodiff, without those that users added."""

__all__ = ["OPS", "Expression", "assert_gradients", "expressions", "operands", "values"]


def assert_gradients(
    f: Callable[..., object], inputs: object = (), *, order: int = 2, **options: Unpack[Options]
) -> Report:
    """Raise GradcheckError unless all derivatives of `f` up to `order` are right at `inputs`.

    The report is that of `gradcheck`, which takes the same options, with one difference: a kink
    is an error too, because a test at a kink would pass without checking anything.
    """
    __tracebackhide__ = True
    report = gradcheck(f, inputs, order=order, **options)
    if report.kinks:
        raise GradcheckError(f"at a kink there is nothing to check\n{report}", report)
    return report


def values(
    min_value: float = -2.0, max_value: float = 2.0, *, kinks: Iterable[float] = ()
) -> st.SearchStrategy[Value]:
    """Leaf Values between the bounds, each at least 0.2 away from all `kinks`."""
    avoided = tuple(kinks)
    return (
        st.floats(min_value, max_value)
        .filter(lambda x: all(abs(x - kink) >= MARGIN for kink in avoided))
        .map(Value)
    )


def operands(op: Primitive) -> st.SearchStrategy[tuple[float, ...]]:
    """A number per operand, from its domain; a few numbers if `op` takes any number of them."""

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
    """Random expressions over `ops`, with shared results and with constants.

    `expressions([*OPS, mine])` adds an op of your own to those of autodiff.

    At the point of an expression the operands of every op lie inside its domain and away from
    kinks; its result is below 10, and its slope as a function of the inputs below 30.
    """
    rows = list(ops)
    for row in rows:
        _require_op("expressions", row)
    if not rows:
        raise ValueError("expressions: ops must not be empty")
    integer("expressions: max_inputs", max_inputs, least=1)
    integer("expressions: max_ops", max_ops, least=1)

    def built(calls: list[tuple[Primitive, list[int]]]) -> ExpressionBuilder:
        builder = ExpressionBuilder(max_inputs)
        for row, choices in calls:
            builder.call(row, choices)
        return builder

    call = st.one_of([st.tuples(st.just(row), _choices(row)) for row in rows])
    builders = st.lists(call, min_size=1, max_size=max_ops).map(built)
    has_calls = builders.filter(lambda builder: builder.has_calls)
    return _shown(has_calls.map(ExpressionBuilder.expression))


def _require_op(name: str, op: object) -> None:
    if not isinstance(op, Primitive):
        raise TypeError(f"{name} takes ops, as autodiff.tanh, got {show(op)}")


@st.composite
def _shown(draw: st.DrawFn, strategy: st.SearchStrategy[T]) -> T:
    """What `strategy` draws; a failing test shows that instead of the calls that made it."""
    return draw(strategy)


def _choices(row: Primitive) -> st.SearchStrategy[list[int]]:
    """A number per operand of a call, which decides what the operand is."""
    choice = st.integers(0, 10**6)
    if row.arity is not None and not isinstance(row, Selection):
        return st.lists(choice, min_size=row.arity, max_size=row.arity)
    size = sequences(row)
    return st.lists(choice, min_size=size, max_size=4 * size).map(
        lambda choices: choices[: len(choices) // size * size]
    )
