"""Derivatives of functions, with JAX's names: they compose to any order and in any way.

Each runs its function once and sweeps over the graph of that run. Numbers give numbers. Where
Values take part, as arguments or because the function reads them, the results are Values: nodes
of a graph that can be differentiated further. Inside `no_grad` they are not.
"""

from collections.abc import Callable, Sequence
from functools import wraps
from itertools import islice
from typing import Any, Literal, TypeVar, overload

from autodiff import pytree
from autodiff.calculus.evaluation import Argnums, Evaluation, Function, real, require_function
from autodiff.calculus.linear import Linear, Scalar
from autodiff.calculus.signatures import (
    Gradient,
    GradientAndAux,
    Hessian,
    JacobianOfList,
    ValueAndGradient,
    ValueAndGradientAndAux,
)
from autodiff.checks import number, show
from autodiff.engine.graph import interior, leaves
from autodiff.engine.value import Value
from autodiff.ops import stop_gradient as stop
from autodiff.rows.interpreter import NUMBERS, interpreter_of_type

A = TypeVar("A")
X = TypeVar("X")


@overload
def grad(f: Function, argnums: Literal[0] = 0, has_aux: Literal[False] = False) -> Gradient: ...
@overload
def grad(
    f: Callable[..., tuple[object, A]], argnums: Literal[0] = 0, *, has_aux: Literal[True]
) -> GradientAndAux[A]: ...
@overload
def grad(f: Function, argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]: ...
def grad(f: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """The function x ↦ d f / d x, in the structure of x, for an f that returns one number.

    `argnums` selects the arguments to differentiate by; several give a tuple. With `has_aux`, f
    returns a pair whose first part is differentiated, and the result is (gradient, second part).
    Takes one run of f and one sweep back, however many inputs there are.
    """
    require_function("grad", f, argnums)

    @wraps(f)
    def gradient(*args: object, **options: object) -> object:
        run, slopes = _run_and_slopes(f, argnums, has_aux, args, options)
        return (slopes, run.aux) if has_aux else slopes

    return gradient


@overload
def value_and_grad(
    f: Function, argnums: Literal[0] = 0, has_aux: Literal[False] = False
) -> ValueAndGradient: ...
@overload
def value_and_grad(
    f: Callable[..., tuple[object, A]], argnums: Literal[0] = 0, *, has_aux: Literal[True]
) -> ValueAndGradientAndAux[A]: ...
@overload
def value_and_grad(
    f: Function, argnums: Argnums = 0, has_aux: bool = False
) -> Callable[..., tuple[Any, Any]]: ...
def value_and_grad(f: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """The function x ↦ (f(x), d f / d x), as `grad`; with `has_aux` f(x) is the pair."""
    require_function("value_and_grad", f, argnums)

    @wraps(f)
    def value_and_gradient(*args: object, **options: object) -> object:
        run, slopes = _run_and_slopes(f, argnums, has_aux, args, options)
        return ((run.primal(), run.aux) if has_aux else run.primal()), slopes

    return value_and_gradient


def _run_and_slopes(
    f: Function,
    argnums: Argnums,
    has_aux: bool,
    args: tuple[object, ...],
    options: dict[str, object],
) -> tuple[Evaluation, object]:
    """An evaluation of f, which has to return one number, and its gradient."""
    run = Evaluation("grad", f, args, argnums, options=options, has_aux=has_aux)
    if not run.is_scalar:
        raise TypeError(
            f"grad: f has to return one number, got {show(run.result)}; "
            "jacobian differentiates several"
        )
    return run, pytree.filled(_chosen(run, argnums), iter(run.pull([1.0])))


@overload
def jacobian(  # type: ignore[overload-overlap]  # a gradient may also be a number
    f: Gradient, argnums: Literal[0] = 0, has_aux: Literal[False] = False
) -> Hessian: ...
@overload
def jacobian(
    f: Callable[..., Scalar], argnums: Literal[0] = 0, has_aux: Literal[False] = False
) -> Gradient: ...
@overload
def jacobian(
    f: Callable[..., list[Value] | list[float]],
    argnums: Literal[0] = 0,
    has_aux: Literal[False] = False,
) -> JacobianOfList: ...
@overload
def jacobian(f: Function, argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]: ...
def jacobian(f: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """The function x ↦ d f / d x: the structure of the result, with that of x for each part.

    The slopes of an array of shape S by an array of shape T are an array of shape S + T. Takes
    one run of f, and one sweep for each output or for each input, whichever are fewer. `has_aux`
    as in `grad`.
    """
    require_function("jacobian", f, argnums)

    @wraps(f)
    def slopes_by_inputs(*args: object, **options: object) -> object:
        run = Evaluation("jacobian", f, args, argnums, options=options, has_aux=has_aux)
        slopes_of_output = iter(run.slopes())

        def of(output: object) -> object:
            """d output / d every part of x."""
            taken = [iter(next(slopes_of_output)) for _ in pytree.scalars(output)]

            def by(part: object) -> object:
                size = len(pytree.scalars(part))
                flat = [x for slopes in taken for x in islice(slopes, size)]
                return pytree.shaped(pytree.shape(output) + pytree.shape(part), flat)

            return pytree.mapped(by, _chosen(run, argnums))

        found = pytree.mapped(of, run.result)
        return (found, run.aux) if has_aux else found

    return slopes_by_inputs


@overload
def hessian(f: Function, argnums: Literal[0] = 0, has_aux: Literal[False] = False) -> Hessian: ...
@overload
def hessian(f: Function, argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]: ...
def hessian(f: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """The function x ↦ d² f / d x², in the structure of x with that of x for each part.

    Takes one run of f, one sweep back, and one over the graph of that for each input.
    `has_aux` as in `grad`.
    """
    require_function("hessian", f, argnums)
    return jacobian(grad(f, argnums, has_aux), argnums, has_aux)


@overload
def backward(root: Value, seed: Scalar = ..., *, as_graph: Literal[False] = ...) -> None: ...
@overload
def backward(root: Value, seed: Scalar = ..., *, as_graph: Literal[True]) -> dict[Value, Value]: ...
def backward(
    root: Value, seed: Scalar = 1.0, *, as_graph: bool = False
) -> dict[Value, Value] | None:
    """Add d root / d leaf, times `seed`, to the `grad` of every leaf, as `root.backward(seed)`.

    With `as_graph`, change nothing and return the derivative by every leaf as a Value, which can
    be differentiated further; `seed` may then be a Value. The leaves come in the order of first
    use. RuntimeError if data was changed since the forward pass: the graph would be of both.
    """
    if not isinstance(root, Value):
        raise TypeError(f"backward takes a Value, got {show(root)}")
    if not as_graph:
        root.backward(number(seed))
        return None
    inputs = leaves(root)
    linear = Linear(interior(root), inputs, as_graph=True)
    cotangents = linear.pull([(root, real(seed, "backward: the seed"))])
    return {
        leaf: Value(ct) if isinstance(ct, float) else ct
        for leaf, ct in zip(inputs, cotangents, strict=True)
    }


def stop_gradient(tree: X) -> X:
    """`tree` with the same numbers, but with no derivative of any order through them.

    Values become nodes that send nothing back, also in arrays. Numbers and arrays of numbers are
    returned as they are. Kernels do the same as eager execution.
    """

    def stopped(leaf: object) -> object:
        is_numeric = pytree.is_array(leaf) and leaf.dtype != object
        is_number = interpreter_of_type(type(leaf)) is NUMBERS
        return leaf if is_numeric or is_number else stop.apply((leaf,))

    same: X = pytree.mapped(stopped, tree)
    return same


def _chosen(run: Evaluation, argnums: Argnums) -> object:
    """The arguments to differentiate by: one, or a tuple of several."""
    return run.arguments if isinstance(argnums, Sequence) else run.arguments[0]
