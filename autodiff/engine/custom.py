"""`custom_op`: a user's own row of the op table, with the rights of ours."""

import ast
import inspect
import math
import re
from collections.abc import Callable, Sequence
from keyword import iskeyword
from math import isfinite
from typing import Any

import numpy as np

from autodiff.checks import number, show
from autodiff.engine.value import Value
from autodiff.rows.arrays import CUSTOM
from autodiff.rows.interpreter import NUMBERS, interpreter_of_type
from autodiff.rows.primitive import Domain, Partial, Primitive, declare, retract

Form = Callable[..., Any]


def custom_op(
    name: str,
    forward: Callable[..., float],
    partials: Partial | Sequence[Partial | None],
    *,
    array: Form | str | None = None,
    domain: Domain | Sequence[Domain] = (),
    label: str = "",
    defaults: Sequence[float] = (),
    selects: bool = False,
    ties: bool = False,
) -> Primitive:
    """A new op: on numbers, arrays and Values, with derivatives of every order, in kernels.

    `forward` takes a float an operand and returns one; it should give nan or inf where it has
    no value, and not raise. `partials` is the derivative by each operand, a function of
    (*operands, out) written in autodiff's ops: `div` and `pow` for / and **, which would raise
    on floats. One operand may have it bare; None says that an operand has no derivative, and
    is a number.

    `array` is the same on NumPy arrays: a function (a ufunc runs in place) or an expression
    such as "np.exp(-{0})"; without it `forward` runs element by element. `domain` says where
    `forward` is smooth, an operand each. `label` is what a drawing writes. Trailing operands
    with `defaults` may be left out. With `selects`, the op chooses between its operands: nothing
    flows back where a partial is 0, not even inf or nan, at any order. `ties` says that there
    is a kink where two operands are equal.

    The op is tried at one point of its domain. Raises ValueError or TypeError, and declares
    nothing, for a name that is taken or no identifier, for a wrong number of partials, and if
    a function fails there, gives no number, or disagrees with `array`.
    """
    if not isinstance(name, str) or not name.isidentifier() or iskeyword(name):
        raise ValueError(f"custom_op: the name of an op is an identifier, got {show(name)}")
    if not callable(partials) and not isinstance(partials, Sequence):
        raise TypeError(f"{name}: partials is a function or a list of them: {show(partials)}")
    rows = (partials,) if callable(partials) else tuple(partials)
    domains = (domain,) if isinstance(domain, Domain) else tuple(domain)
    domains = domains or (Domain(),) * len(rows)
    _check(name, forward, rows, domains, defaults)
    text, ufunc, form = _spelling(name, array, forward, len(rows))
    row = Primitive(
        name,
        _checked(name, "forward", forward),
        tuple(
            None if partial is None else _checked(name, f"partial {i}", partial)
            for i, partial in enumerate(rows)
        ),
        array=text,
        domain=domains,
        label=label or name,
        ufunc=ufunc,
        defaults=tuple(map(number, defaults)),
        selects=selects,
        ties=ties,
        guards=selects,
        singular=True,  # for all that is known
        hides_nan=True,
        signed=tuple(range(len(rows))),
    )
    declare(row)
    CUSTOM[name] = form
    try:
        _try(row)
    except BaseException:
        retract(row)
        del CUSTOM[name]
        raise
    return row


def _check(
    name: str,
    forward: Any,
    partials: tuple[Any, ...],
    domains: tuple[Any, ...],
    defaults: Sequence[float],
) -> None:
    """Raise if what was given cannot be a row: counts, kinds and signatures."""
    if not partials:
        raise ValueError(f"{name}: an op has at least one operand, and a partial for each")
    if len(domains) != len(partials) or not all(isinstance(d, Domain) for d in domains):
        raise ValueError(f"{name}: {len(partials)} operands need a Domain each, got {domains}")
    if len(defaults) >= len(partials):
        raise ValueError(f"{name}: {len(defaults)} defaults for {len(partials)} operands")
    operands = [0.0] * len(partials)
    for what, function, args in [
        ("forward", forward, operands),
        *((f"partial {i}", p, [*operands, 0.0]) for i, p in enumerate(partials) if p is not None),
    ]:
        if not callable(function):
            raise TypeError(f"{name}: {what} is no function: {show(function)}")
        try:
            signature = inspect.signature(function)
        except ValueError:  # a builtin that does not say
            continue
        try:
            signature.bind(*args)
        except TypeError:
            with_result = "" if what == "forward" else ", and the result last"
            raise ValueError(
                f"{name}: {what} takes {signature}, but the op has a partial each for "
                f"{len(partials)} operand{'s' * (len(partials) != 1)}{with_result}"
            ) from None


def _checked(name: str, what: str, function: Form) -> Form:
    """`function`, whose result is a float, or what an op gives on operands that are no numbers."""

    def checked(*args: Any) -> Any:
        try:
            out = function(*args)
        except (ZeroDivisionError, OverflowError) as error:
            error.add_note(f"in {what} of {name}: write autodiff's div, pow, exp, which give inf")
            raise
        if type(out) is float or interpreter_of_type(type(out)) is not NUMBERS:
            return out
        try:
            return number(out)
        except TypeError:
            raise TypeError(f"{what} of {name} gave no real number: {show(out)}") from None

    return checked


def _checked_form(name: str, form: Form) -> Form:
    """`form`, whose result has the shape of its operands, which it can only read."""

    def checked(*arrays: Any) -> Any:
        out = form(*map(_read_only, arrays))
        shapes = [np.shape(x) for x in arrays]
        if np.shape(out) != np.broadcast_shapes(*shapes):
            raise ValueError(f"{name}: its array form gave {np.shape(out)} on shapes {shapes}")
        # An operand itself, or a part of one, would change with it.
        is_part = isinstance(out, np.ndarray) and not out.flags.writeable
        return out.copy() if is_part else out

    return checked


def _read_only(x: Any) -> Any:
    """A view of `x` that refuses to be written: the operands are the caller's, or read again."""
    if not isinstance(x, np.ndarray):
        return x
    view = x.view()
    view.flags.writeable = False
    return view


def _spelling(name: str, array: Any, forward: Form, count: int) -> tuple[str, str, Form | None]:
    """The NumPy spelling of a row, the ufunc that it is, and the function that it calls."""
    holes = ", ".join(f"{{{i}}}" for i in range(count))
    ufunc = array.__name__ if isinstance(array, np.ufunc) else ""
    if ufunc and vars(np).get(ufunc) is array:
        taken = getattr(np, ufunc).nin  # a further operand would be where it writes its result
        if taken != count:
            raise ValueError(f"{name}: np.{ufunc} takes {taken} operands, the op {count}")
        return f"np.{ufunc}({holes})", ufunc, None
    if array is None:
        array = np.vectorize(forward, otypes=[float])
    if not callable(array):
        text, array = _expression(name, array, count)
        if text:
            return text, "", None
    return f"custom[{name!a}]({holes})", "", _checked_form(name, array)


def _expression(name: str, text: Any, count: int) -> tuple[str, Form]:
    """An expression, "" if it has names of its own, and the function of its operands.

    In the text of a kernel its own names could be those of arrays.
    """
    stem = "x"
    while stem in str(text):
        stem += "_"
    names = [f"{stem}{i}" for i in range(count)]
    try:
        tree = ast.parse(text.format(*names).strip(), mode="eval")
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, SyntaxError) as error:
        holes = ", ".join(f"{{{i}}}" for i in range(count))
        raise ValueError(
            f"{name}: array is neither a function nor an expression in {holes}: {text!r} ({error})"
        ) from None
    # On one line, without comments.
    line = ast.unparse(tree)
    function: Form = eval(f"lambda {', '.join(names)}: {line}", {"np": np, "math": math})
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    if not used <= {"np", "math", *names} or not line.isascii():
        return "", function
    line = line.replace("{", "{{").replace("}", "}}")
    return re.sub(rf"\b{stem}(\d+)\b", r"{\1}", line), function


def _sample(row: Primitive) -> list[float]:
    """A point inside the domain, off its kinks, with no two operands equal."""
    point = []
    for i, domain in enumerate(row.domain):
        step = 0.5 + 0.05 * i
        if isfinite(domain.low) and isfinite(domain.high):
            x = domain.low + (domain.high - domain.low) * step / (1 + step)
        else:
            x = domain.low + step if isfinite(domain.low) else min(domain.high, 1.0) - step
        while x in domain.kinks:
            x += 0.01
        point.append(x)
    return point


def _try(row: Primitive) -> None:
    """Raise if a part of the row fails at one point, or two parts disagree."""
    point = _sample(row)
    at = ", ".join(f"{x:g}" for x in point)
    out = _attempt(f"{row.name}: forward fails at ({at})", row.value_at, point)
    _attempt(f"{row.name}: a partial fails at ({at})", row.partials_at, point, out)
    values = [x if p is None else Value(x) for x, p in zip(point, row.partials, strict=True)]
    _attempt(
        f"{row.name}: a partial fails on Values; write it in autodiff's ops",
        row.partials_at,
        values,
        row.apply(tuple(values)),
    )
    arrays = [np.array([x, x]) for x in point]
    on_arrays = _attempt(f"{row.name}: the array form fails at ({at})", row.apply, tuple(arrays))
    if np.shape(on_arrays) != (2,):
        raise ValueError(f"{row.name}: its array form gave {np.shape(on_arrays)} on shape (2,)")
    if not np.allclose(on_arrays, out, rtol=1e-6, equal_nan=True):
        raise ValueError(f"{row.name}: at ({at}) forward gives {out:g}, array {on_arrays[0]:g}")


def _attempt(what: str, function: Form, *args: Any) -> Any:
    """The result; ValueError for whatever it raises."""
    try:
        return function(*args)
    except Exception as error:
        raise ValueError(f"{what}: {type(error).__name__}: {error}") from error
