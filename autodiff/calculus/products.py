"""Products of a Jacobian or Hessian with vectors: `vjp`, `jvp` and `hvp`.

They have JAX's names, and cost one sweep each, however many inputs and outputs there are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeVar, overload

from autodiff import pytree
from autodiff.calculus.derivatives import grad
from autodiff.calculus.evaluation import Evaluation, Function, real, require_function
from autodiff.calculus.linear import Scalar
from autodiff.calculus.signatures import Floats, Gradient, Values
from autodiff.engine.value import Value

A = TypeVar("A")
R = TypeVar("R")
X = TypeVar("X")
F = TypeVar("F", bound=Floats)
V = TypeVar("V", bound=Values)

# Overloads overlap where an argument holds no numbers at all, as an empty list: the first one
# counts.


@overload
def vjp(  # type: ignore[overload-overlap]
    f: Callable[..., Scalar], x: F, /, *, has_aux: Literal[False] = False
) -> tuple[float, Callable[[Scalar], tuple[F]]]: ...
@overload
def vjp(  # type: ignore[overload-overlap]
    f: Callable[..., Scalar], x: V, /, *, has_aux: Literal[False] = False
) -> tuple[Value, Callable[[Scalar], tuple[V]]]: ...
@overload
def vjp(
    f: Callable[..., R], *primals: object, has_aux: Literal[False] = False
) -> tuple[R, Callable[[object], tuple[Any, ...]]]: ...
@overload
def vjp(
    f: Callable[..., tuple[R, A]], *primals: object, has_aux: Literal[True]
) -> tuple[R, Callable[[object], tuple[Any, ...]], A]: ...
def vjp(f: Function, *primals: object, has_aux: bool = False) -> tuple[Any, ...]:
    """f(*primals) and the function ct ↦ ct · J, a tuple with a part for each of `primals`.

    ct has the structure of the result. f runs once, and each call is one sweep back. With
    `has_aux`, f returns a pair, whose second part comes third.
    """
    require_function("vjp", f)
    run = Evaluation("vjp", f, primals, range(len(primals)), has_aux=has_aux)

    def pull(cotangent: object) -> tuple[object, ...]:
        parts = pytree.along(run.result, cotangent, "vjp: the cotangent")
        cotangents = run.pull([real(x, place) for place, x in parts])
        slopes: tuple[object, ...] = pytree.filled(run.arguments, iter(cotangents))
        return slopes

    return (run.primal(), pull, run.aux) if has_aux else (run.primal(), pull)


@overload
def jvp(  # type: ignore[overload-overlap]
    f: Gradient, primals: tuple[X], tangents: tuple[X], has_aux: Literal[False] = False
) -> tuple[X, X]: ...
@overload
def jvp(  # type: ignore[overload-overlap]
    f: Callable[..., Scalar],
    primals: Sequence[Floats],
    tangents: Sequence[Floats],
    has_aux: Literal[False] = False,
) -> tuple[float, float]: ...
@overload
def jvp(
    f: Callable[..., Scalar],
    primals: Sequence[Values],
    tangents: Sequence[Values | Floats],
    has_aux: Literal[False] = False,
) -> tuple[Value, Value]: ...
@overload
def jvp(  # type: ignore[overload-overlap]
    f: Callable[..., tuple[R, A]],
    primals: Sequence[object],
    tangents: Sequence[object],
    has_aux: Literal[True],
) -> tuple[R, R, A]: ...
@overload
def jvp(
    f: Callable[..., R],
    primals: Sequence[object],
    tangents: Sequence[object],
    has_aux: bool = False,
) -> tuple[R, R]: ...
def jvp(
    f: Function, primals: Sequence[object], tangents: Sequence[object], has_aux: bool = False
) -> tuple[Any, ...]:
    """f(*primals) and J · tangents, in the structure of the result.

    Takes one run of f and one sweep forward over its graph. With `has_aux`, f returns a pair,
    whose second part comes third.
    """
    require_function("jvp", f)
    _require_tuples("jvp", primals, tangents)
    parts = pytree.along(tuple(primals), tangents, "jvp: tangents")
    run = Evaluation("jvp", f, tuple(primals), range(len(primals)), has_aux=has_aux)
    pushed = run.push([real(x, place) for place, x in parts])
    tangent = pytree.filled(run.result, iter(pushed))
    return (run.primal(), tangent, run.aux) if has_aux else (run.primal(), tangent)


@overload
def hvp(f: Function, primals: tuple[X] | list[X], tangents: tuple[X] | list[X]) -> X: ...
@overload
def hvp(f: Function, primals: Sequence[object], tangents: Sequence[object]) -> Any: ...
def hvp(f: Function, primals: Sequence[object], tangents: Sequence[object]) -> object:
    """The Hessian of f at `primals` times `tangents`: one part per argument, several in a tuple.

    Takes one run of f, one sweep back and one forward, however many inputs there are.
    """
    require_function("hvp", f)
    _require_tuples("hvp", primals, tangents)
    argnums = 0 if len(primals) == 1 else tuple(range(len(primals)))
    _, product = jvp(grad(f, argnums), primals, tangents)
    return product


def _require_tuples(name: str, *parts: object) -> None:
    if not all(isinstance(part, list | tuple) for part in parts):
        raise TypeError(
            f"{name}: primals and tangents have to be tuples, with one part per argument"
        )
