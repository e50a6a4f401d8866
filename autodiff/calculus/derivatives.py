"""Derivatives of functions, with JAX's names: they compose to any order and in any way.

Each runs its function once and sweeps over the graph of that run. Numbers give numbers. Where
Values take part, as arguments or because the function reads them, the results are Values: nodes
of a graph that can be differentiated further. Inside `no_grad` they are not.
"""

from collections.abc import Callable, Sequence
from functools import wraps
from itertools import islice
from typing import Any, Literal, overload

from autodiff import pytree
from autodiff.calculus.evaluation import Evaluation, real
from autodiff.calculus.linear import Linear
from autodiff.checks import show
from autodiff.engine.graph import interior, leaves
from autodiff.engine.value import Value
from autodiff.ops import stop_gradient as stop
from autodiff.rows.interpreter import NUMBERS, interpreter_of_type

Function = Callable[..., Any]
Argnums = int | Sequence[int]


def grad(f: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """The function x ↦ d f / d x, in the structure of x, for an f that returns one number.

    `argnums` says by which arguments; several give a tuple. With `has_aux`, f returns a pair
    whose first part is differentiated, and the result is (gradient, second part). Takes one run
    of f and one sweep back, however many inputs there are.
    """
    _require("grad", f, argnums)
    both = value_and_grad(f, argnums, has_aux)

    @wraps(f)
    def gradient(*args: Any, **options: Any) -> Any:
        value, slopes = both(*args, **options)
        return (slopes, value[1]) if has_aux else slopes

    return gradient


def value_and_grad(f: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """The function x ↦ (f(x), d f / d x), as `grad`; with `has_aux` f(x) is the pair."""
    _require("value_and_grad", f, argnums)

    @wraps(f)
    def value_and_gradient(*args: Any, **options: Any) -> Any:
        run = Evaluation("grad", f, args, argnums, options=options, has_aux=has_aux)
        if not run.is_scalar:
            raise TypeError(
                f"grad: f has to return one number, got {show(run.result)}; "
                "jacobian differentiates several"
            )
        slopes = pytree.filled(_chosen(run, argnums), iter(run.pull([1.0])))
        return ((run.primal(), run.aux) if has_aux else run.primal()), slopes

    return value_and_gradient


def vjp(f: Function, *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """f(*primals) and the function ct ↦ ct · J, a tuple with a part for each of `primals`.

    ct has the structure of the result. f runs once, and each call is one sweep back. With
    `has_aux`, f returns a pair, whose second part comes third.
    """
    _require("vjp", f)
    run = Evaluation("vjp", f, primals, range(len(primals)), has_aux=has_aux)

    def pull(cotangent: Any) -> Any:
        places = pytree.along(run.result, cotangent, "vjp: the cotangent")
        cotangents = run.pull([real(x, place) for place, x in places])
        return pytree.filled(run.arguments, iter(cotangents))

    return (run.primal(), pull, run.aux) if has_aux else (run.primal(), pull)


def jvp(
    f: Function, primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False
) -> tuple[Any, ...]:
    """f(*primals) and J · tangents, in the structure of the result.

    Takes one run of f and one sweep forward over its graph. With `has_aux`, f returns a pair,
    whose second part comes third.
    """
    _require("jvp", f)
    _require_tuples("jvp", primals, tangents)
    places = list(pytree.along(tuple(primals), tangents, "jvp: tangents"))
    run = Evaluation("jvp", f, tuple(primals), range(len(primals)), has_aux=has_aux)
    pushed = run.push([real(x, place) for place, x in places])
    tangent = pytree.filled(run.result, iter(pushed))
    return (run.primal(), tangent, run.aux) if has_aux else (run.primal(), tangent)


def jacobian(f: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """The function x ↦ d f / d x: the structure of the result, with that of x for each part.

    The slopes of an array of shape S by one of shape T are an array of shape S + T. Takes one
    run of f, and one sweep for each output or for each input, whichever are fewer. `has_aux`
    as in `grad`.
    """
    _require("jacobian", f, argnums)

    @wraps(f)
    def slopes(*args: Any, **options: Any) -> Any:
        run = Evaluation("jacobian", f, args, argnums, options=options, has_aux=has_aux)
        rows = iter(run.rows())

        def of(block: Any) -> Any:
            """d block / d every part of x."""
            taken = [iter(next(rows)) for _ in pytree.scalars(block)]

            def by(part: Any) -> Any:
                size = len(pytree.scalars(part))
                flat = [x for row in taken for x in islice(row, size)]
                return pytree.shaped(pytree.shape(block) + pytree.shape(part), flat)

            return pytree.mapped(by, _chosen(run, argnums))

        found = pytree.mapped(of, run.result)
        return (found, run.aux) if has_aux else found

    return slopes


def hessian(f: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """The function x ↦ d² f / d x², in the structure of x with that of x for each part.

    Takes one run of f, one sweep back, and one over the graph of that for each input.
    `has_aux` as in `grad`.
    """
    _require("hessian", f, argnums)
    return jacobian(grad(f, argnums, has_aux), argnums, has_aux)


def hvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """The Hessian of f at `primals` times `tangents`: a part an argument, several in a tuple.

    Takes one run of f, one sweep back and one forward, however many inputs there are.
    """
    _require("hvp", f)
    _require_tuples("hvp", primals, tangents)
    argnums = 0 if len(primals) == 1 else tuple(range(len(primals)))
    _, product = jvp(grad(f, argnums), primals, tangents)
    return product


@overload
def backward(root: Value, seed: Any = ..., *, as_graph: Literal[False] = ...) -> None: ...
@overload
def backward(root: Value, seed: Any = ..., *, as_graph: Literal[True]) -> dict[Value, Value]: ...
def backward(root: Value, seed: Any = 1.0, *, as_graph: bool = False) -> dict[Value, Value] | None:
    """Add d root / d leaf, times `seed`, to the `grad` of every leaf, as `root.backward(seed)`.

    With `as_graph`, change nothing and return the derivative by every leaf as a Value, which can
    be differentiated further; `seed` may then be a Value. The leaves come in the order of first
    use. RuntimeError if data was changed since the forward pass: the graph would be of both.
    """
    if not isinstance(root, Value):
        raise TypeError(f"backward takes a Value, got {show(root)}")
    if not as_graph:
        root.backward(seed)
        return None
    inputs = leaves(root)
    linear = Linear(interior(root), inputs, as_graph=True)
    cotangents = linear.pull([(root, real(seed, "backward: the seed"))])
    return {
        leaf: Value(ct) if type(ct) is float else ct
        for leaf, ct in zip(inputs, cotangents, strict=True)
    }


def stop_gradient(tree: Any) -> Any:
    """`tree` with its numbers as they are and no derivative, of any order, through them.

    Values become nodes that send nothing back, elements of arrays of Values too; numbers, and
    arrays of numbers, are returned as they are. In kernels as in eager execution.
    """

    def stopped(block: Any) -> Any:
        is_numeric = pytree.is_array(block) and block.dtype != object
        is_number = interpreter_of_type(type(block)) is NUMBERS
        return block if is_numeric or is_number else stop.apply((block,))

    return pytree.mapped(stopped, tree)


def _chosen(run: Evaluation, argnums: Argnums) -> Any:
    """The arguments that are differentiated by: one, or a tuple."""
    return run.arguments if isinstance(argnums, Sequence) else run.arguments[0]


def _require(name: str, f: Any, argnums: Any = ()) -> None:
    """TypeError unless `f` is a function and `argnums` one or several integers."""
    if hasattr(f, "value_and_grad"):
        raise TypeError(f"{name} takes a function; a kernel has value_and_grad and hvp of its own")
    if not callable(f):
        raise TypeError(f"{name} takes a function, got {show(f)}")
    chosen = argnums if isinstance(argnums, list | tuple | range) else (argnums,)
    if not all(isinstance(i, int) for i in chosen):
        raise TypeError(f"{name}: argnums is an int or a tuple of ints, got {show(argnums)}")


def _require_tuples(name: str, *parts: Any) -> None:
    if not all(isinstance(part, list | tuple) for part in parts):
        raise TypeError(f"{name}: primals and tangents have to be tuples, one part an argument")
