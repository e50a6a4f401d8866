"""`custom_op`: a user's own row of the op table, with the rights of ours."""

import inspect
from collections.abc import Callable, Sequence
from keyword import iskeyword
from typing import Any, Concatenate, ParamSpec, TypedDict, Unpack, overload

from autodiff.checks import number, show
from autodiff.engine.forms import Form, spelling_of
from autodiff.engine.trial import try_row
from autodiff.rows.arrays import CUSTOM
from autodiff.rows.documentation import document
from autodiff.rows.interpreter import NUMBERS, interpreter_of_type
from autodiff.rows.primitive import Domain, Partial, Primitive, declare, retract
from autodiff.rows.signatures import Binary, Unary

P = ParamSpec("P")

_KINDS: dict[int, type[Primitive]] = {1: Unary, 2: Binary}


class Facts(TypedDict, total=False):
    """The keywords of `custom_op`, for type checkers."""

    array: Form | str | None
    domain: Domain | Sequence[Domain]
    label: str
    defaults: Sequence[float]
    selects: bool
    ties: bool
    singular: bool
    signs: Sequence[int]
    textbook: Partial | Sequence[Partial]


@overload
def custom_op(
    name: str,
    forward: Callable[[float], float],
    partials: Partial | Sequence[Partial | None],
    **facts: Unpack[Facts],
) -> Unary: ...
@overload
def custom_op(
    name: str,
    forward: Callable[[float, float], float],
    partials: Sequence[Partial | None],
    **facts: Unpack[Facts],
) -> Binary: ...
@overload
def custom_op(
    name: str,
    forward: Callable[Concatenate[float, float, float, P], float],
    partials: Sequence[Partial | None],
    **facts: Unpack[Facts],
) -> Primitive: ...
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
    singular: bool = True,
    signs: Sequence[int] = (),
    textbook: Partial | Sequence[Partial] = (),
) -> Primitive:
    """A new op: on numbers, arrays and Values, with derivatives of every order, in kernels.

    `forward` takes a float per operand and returns one; it should give nan or inf where it has
    no value, and not raise. The op has the names of its parameters, and its docstring.
    `partials` is the derivative by each operand, a function of (*operands, out) written in
    autodiff's ops: `div` and `pow` for / and **, which would raise on floats. One operand may
    have it bare; None says that an operand has no derivative, and is a number.

    `array` is the same on NumPy arrays: a function (a ufunc runs in place) or an expression
    such as "np.exp(-{0})"; without it `forward` runs element by element. `domain` says where
    `forward` is smooth, one per operand. `label` is what a drawing writes. Trailing operands
    with `defaults` may be left out. With `selects`, the op chooses between its operands: nothing
    flows back where a partial is 0, not even inf or nan, at any order. `ties` says that there
    is a kink where two operands are equal. `singular=False` promises that no partial is infinite
    or nan at finite operands. `signs`, 1 or -1 per operand, says that the result is the sum of
    the operands with these signs. `textbook` are the partials as books write them, for pages
    and pictures, if `partials` differ to keep digits.

    The op is tried at one point of its domain. Raises ValueError or TypeError, and declares
    nothing, for a name that is taken or not an identifier, for a wrong number of partials, and
    if a function fails there, gives no number, or disagrees with another.
    """
    if not isinstance(name, str) or not name.isidentifier() or iskeyword(name):
        raise ValueError(f"custom_op: the name of an op is an identifier, got {show(name)}")
    rows = _functions(name, "partials", partials)
    books = _functions(name, "textbook", textbook)
    domains = (domain,) if isinstance(domain, Domain) else tuple(domain)
    domains = domains or (Domain(),) * len(rows)
    _check(name, forward, rows, domains, defaults)
    _check_facts(name, len(rows), books, signs)
    text, ufunc, form = spelling_of(name, array, forward, len(rows))
    row = _KINDS.get(len(rows), Primitive)(
        name,
        _checked(name, "forward", forward),
        tuple([p and _checked(name, f"partial {i}", p) for i, p in enumerate(rows)]),
        array=text,
        domain=domains,
        label=label or name,
        ufunc=ufunc,
        defaults=tuple(map(number, defaults)),
        selects=selects,
        ties=ties,
        guards=selects,
        singular=singular,
        hides_nan=True,  # for all that is known
        signed=tuple(range(len(rows))),
        signs=tuple(signs),
        textbook=tuple([p and _checked(name, f"textbook {i}", p) for i, p in enumerate(books)]),
        parameters=_parameters(forward, rows),
    )
    _enter(row, form, inspect.getdoc(forward) if inspect.isroutine(forward) else None)
    return row


def _enter(row: Primitive, form: Form | None, about: str | None) -> None:
    """Declare a row and give it its docstring; if the trial fails, take it out again."""
    declare(row)
    CUSTOM[row.name] = form
    try:
        try_row(row)
    except BaseException:
        retract(row)
        del CUSTOM[row.name]
        raise
    document(row, about or "")


def _functions(name: str, what: str, given: Any) -> tuple[Any, ...]:
    """One function, or a sequence of them, as a tuple."""
    if callable(given):
        return (given,)
    if not isinstance(given, Sequence):
        raise TypeError(f"{name}: {what} must be a function or a list of them, got {show(given)}")
    return tuple(given)


def _parameters(forward: Form, partials: Sequence[Partial | None]) -> tuple[str, ...]:
    """The names of the operands: those of `forward`, else those of a partial, if they say them."""
    for function, others in [(forward, 0), *[(p, 1) for p in partials if p is not None]]:
        try:
            parameters = list(inspect.signature(function).parameters.values())
        except ValueError:  # a builtin that does not say
            continue
        names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, _NAMED)]
        if len(names) == len(parameters) == len(partials) + others:
            return tuple(names[: len(partials)])
    return ()


_NAMED = inspect.Parameter.POSITIONAL_OR_KEYWORD


def _check(
    name: str,
    forward: Form,
    partials: tuple[Partial | None, ...],
    domains: tuple[object, ...],
    defaults: Sequence[float],
) -> None:
    """Raise if the arguments cannot be a row: counts, kinds and signatures."""
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
            raise TypeError(f"{name}: {what} must be a function, got {show(function)}")
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


def _check_facts(
    name: str, count: int, textbook: Sequence[object], signs: Sequence[object]
) -> None:
    """Raise if facts are not one per operand, or not what they can be."""
    if textbook and len(textbook) != count:
        raise ValueError(f"{name}: {len(textbook)} textbook partials for {count} operands")
    if not isinstance(signs, tuple | list):
        raise TypeError(f"{name}: signs must be a list of 1 and -1, got {show(signs)}")
    if signs and (len(signs) != count or not set(signs) <= {1, -1}):
        raise ValueError(f"{name}: signs must be 1 or -1 per operand, got {show(signs)}")


def _checked(name: str, what: str, function: Form) -> Form:
    """`function` with its result made a float, unless it ran on Values, arrays or tracers."""

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
