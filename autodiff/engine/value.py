"""`Value`: the eager node. An op on Values computes its result and records how."""

import operator
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from math import inf
from typing import Any, NoReturn

from autodiff import ops
from autodiff.checks import number
from autodiff.engine import anomaly, copying, modes, reverse
from autodiff.rows.interpreter import interpret, interpreter_of, interpreter_of_type
from autodiff.rows.primitive import INNER, UFUNCS, Primitive

_ADD, _SUB, _MUL = ops.add, ops.sub, ops.mul
_ONES = (1.0, 1.0)
_ONE_MINUS_ONE = (1.0, -1.0)
_new = object.__new__


def _node(
    row: Primitive,
    out: float,
    operands: tuple["Value", ...],
    partials: Sequence[float | None],
    constants: tuple[float | None, ...] | None = None,
) -> "Value":
    node = _new(Value)
    node._primal = out
    node._grad = None
    node._partials = tuple(partials)
    node.op = row
    node.operands = operands
    if constants is not None:
        node._constants = constants
    return node


def _record(row: Primitive, operands: tuple[Any, ...]) -> "Value":
    """The node of `row` on operands that are Values and numbers."""
    if row.has_conditions:
        check_conditions(row, [isinstance(x, Value) for x in operands])
    try:
        primals = [value._primal for value in operands]
    except AttributeError:
        return _record_with_constants(row, operands)
    out = row.value_at(primals)
    if modes.switched:
        return _record_in_mode(row, operands, out)
    partials = row.partials_at(primals, out)
    if row.selects:
        partials = [partial or None for partial in partials]
    return _node(row, out, operands, partials)


def check_conditions(row: Primitive, are_values: Sequence[bool]) -> None:
    """Raise TypeError if an operand without derivative is a Value, whose graph would be cut."""
    for i, (partial, is_value) in enumerate(zip(row.partials, are_values, strict=True)):
        if partial is None and is_value:
            what = "the condition" if row is ops.where else f"operand {i}, without derivative,"
            raise TypeError(
                f"{row.name}: {what} is a Value; compare it, as in v > 0, or pass v.data"
            )


def _record_with_constants(row: Primitive, operands: tuple[Any, ...]) -> "Value":
    """As `_record`, with numbers among the operands; what is neither hands over, or raises."""
    primals: list[float] = []
    constants: list[float | None] = []
    nodes: list[Value] = []
    for x in operands:
        if isinstance(x, Value):
            primals.append(x._primal)
            constants.append(None)
            nodes.append(x)
        elif type(x) is float:
            primals.append(x)
            constants.append(x)
        else:
            interpreter = interpreter_of(operands)
            if interpreter.rank > _Values.rank:
                result: Value = interpreter.apply(row, operands)
                return result
            (constant,) = row.numbers((x,))
            primals.append(constant)
            constants.append(constant)
    out = row.value_at(primals)
    if modes.switched:
        pairs = zip(operands, constants, strict=True)
        return _record_in_mode(row, [x if c is None else c for x, c in pairs], out)
    partials = row.partials_at(primals, out, constants)
    if row.selects:
        partials = [partial or None for partial in partials]
    return _node(row, out, tuple(nodes), partials, tuple(constants))


def _record_in_mode(row: Primitive, arguments: Sequence["Value | float"], out: float) -> "Value":
    """The node of `row` on Values and floats, as the modes of this thread and task want it."""
    if recorder := modes.recorder_of_ops():
        traced: Value = recorder.apply(row, arguments)
        return traced
    is_watching = modes.is_watching()
    if is_watching:
        anomaly.check(row, arguments, out)
    if not modes.is_recording():
        return Value(out)
    nodes = tuple([x for x in arguments if isinstance(x, Value)])
    primals = [x._primal if isinstance(x, Value) else x for x in arguments]
    constants = tuple([None if isinstance(x, Value) else x for x in arguments])
    partials = row.partials_at(primals, out, constants)
    if row.selects:
        partials = [partial or None for partial in partials]
    is_whole = len(nodes) == len(arguments)
    node = _node(row, out, nodes, partials, None if is_whole else constants)
    if is_watching:
        anomaly.remember(node)
    return node


class _Values:
    """Values record; numbers among them are constants."""

    rank = 1
    hands_over = True

    apply = staticmethod(_record)

    def quiet(self) -> AbstractContextManager[None]:
        return nullcontext()

    def fit(self, cotangent: Any, operand: Any) -> Any:
        return cotangent

    def select(self, cotangent: Any, partial: Any) -> Any:
        return cotangent * partial if partial else 0.0


def _unary(row: Primitive) -> Callable[["Value"], "Value"]:
    """The method of a row of one operand."""
    forward, (partial,), selects = row.forward, row.partials, row.selects
    assert partial is not None

    def method(self: "Value") -> "Value":
        try:
            primal = self._primal
        except AttributeError:  # Value.tanh(x) where x is a tracer
            result: Value = row.apply((self,))
            return result
        out = forward(primal)
        if modes.switched:
            return _record_in_mode(row, (self,), out)
        slope = partial(primal, out)
        return _node(row, out, (self,), ((slope or None) if selects else slope,))

    return _documented(method, row)


def _method(row: Primitive) -> Callable[..., "Value"]:
    """The method of a row of several operands, the first of them self."""

    def method(self: "Value", *others: Any) -> "Value":
        return _record(row, row.bind(self, *others))

    return _documented(method, row)


def _documented(method: Callable[..., "Value"], row: Primitive) -> Callable[..., "Value"]:
    method.__name__ = row.name
    method.__qualname__ = f"Value.{row.name}"
    method.__doc__ = f"`autodiff.{row.name}` of this value."
    return method


def _operator(row: Primitive) -> Callable[["Value", Any], "Value"]:
    """The operator of `row`, self first; NotImplemented for neither a Value nor a number."""
    forward, (partial, _) = row.forward, row.partials
    assert partial is not None

    def method(self: "Value", other: Any) -> Any:
        if isinstance(other, Value):
            return _record(row, (self, other))
        if interpreter_of_type(type(other)).rank > _Values.rank:
            return NotImplemented  # an array or a tracer takes over
        try:
            constant = number(other)
        except TypeError:
            return NotImplemented
        primal = self._primal
        out = forward(primal, constant)
        if modes.switched:
            return _record_in_mode(row, (self, constant), out)
        return _node(row, out, (self,), (partial(primal, constant, out),), (None, constant))

    return method


def _reflected(row: Primitive) -> Callable[["Value", Any], "Value"]:
    """The operator of `row` with a number first."""
    forward, (_, partial) = row.forward, row.partials
    assert partial is not None

    def method(self: "Value", other: Any) -> Any:
        try:
            constant = number(other)
        except TypeError:
            return NotImplemented
        primal = self._primal
        out = forward(constant, primal)
        if modes.switched:
            return _record_in_mode(row, (constant, self), out)
        return _node(row, out, (self,), (partial(constant, primal, out),), (constant, None))

    return method


def _comparison(compare: Callable[[float, float], bool]) -> Callable[["Value", Any], bool]:
    """The comparison of data with a Value or a number."""

    def method(self: "Value", other: Any) -> Any:
        try:
            bound = other._primal if isinstance(other, Value) else number(other)
        except TypeError:
            return NotImplemented
        except OverflowError:  # an integer too large for a float still compares with one
            bound = other
        if modes.switched and (recorder := modes.recorder()):
            return recorder.compare(compare, self, other)
        return compare(self._primal, bound)

    return method


def _refusal(what: str, instead: str) -> Callable[["Value"], Any]:
    """A conversion that would cut the graph in silence."""

    def method(self: "Value") -> NoReturn:
        raise TypeError(
            f"{what} of a Value would lose its graph: use v.data or v.item() for the number, "
            f"or {instead}"
        )

    return method


_add = _operator(ops.add)
_sub = _operator(ops.sub)
_mul = _operator(ops.mul)
_equal = _comparison(operator.eq)
_unequal = _comparison(operator.ne)


class Value:
    """A number that knows how it was computed, so that gradients can flow back through it.

    `data` is the number, `grad` the derivative of the last root whose `backward` reached this
    value. `op` and `operands` say which op made it from which Values; a leaf has none. Numbers
    are not nodes: `2 * x` has one operand and a constant.

    Comparisons compare data, `==` and `!=` with a number too. Between Values these two, and
    `hash`, are those of the object. Raises TypeError if `data` is not a real number.
    """

    __slots__ = (
        "__weakref__",
        "_constants",
        "_grad",
        "_label",
        "_partials",
        "_primal",
        "op",
        "operands",
    )
    # A node that an op makes has its constants and label unset, which saves time and reads as
    # none. Its partials are those of the forward pass, one an operand; None where no cotangent
    # crosses. `_grad` is None until a backward pass has reached the node.
    _constants: tuple[float | None, ...]
    _grad: float | None
    _label: str
    _partials: tuple[float | None, ...]
    _primal: float
    op: Primitive | None
    operands: tuple["Value", ...]

    def __init__(self, data: Any, label: str = "") -> None:
        self._primal = number(data)
        self._grad = None
        self._label = label
        self._partials = ()
        self.op = None
        self.operands = ()
        if modes.deriving:
            modes.note(self)

    @property
    def data(self) -> float:
        """The value of the original function. Setting it does not recompute what it fed."""
        return self._number(".data")

    @data.setter
    def data(self, data: Any) -> None:
        if modes.switched:
            self._refuse_in_trace("setting .data of a Value")
        self._primal = number(data)

    @property
    def grad(self) -> float:
        """d root / d self; 0 until a backward pass. Leaves accumulate over passes."""
        if modes.switched:
            self._refuse_in_trace(".grad of a Value")
        return self._grad or 0.0

    @grad.setter
    def grad(self, grad: Any) -> None:
        if modes.switched:
            self._refuse_in_trace("setting .grad of a Value")
        self._grad = number(grad)

    @property
    def has_grad(self) -> bool:
        """Whether a backward pass has reached this value, or its `grad` was set."""
        if modes.switched:
            self._refuse_in_trace(".has_grad of a Value")
        return self._grad is not None

    def _number(self, reader: str) -> float:
        """The number, which leaves its graph through `reader`."""
        if modes.switched:
            self._refuse_in_trace(f"{reader} of a Value")
        return self._primal

    def _refuse_in_trace(self, what: str) -> None:
        """Raise TraceError where a kernel would freeze what is read here, or write it only once."""
        if recorder := modes.recorder():
            recorder.refuse(self, what)

    @property
    def label(self) -> str:
        """A name for drawings and messages; empty by default."""
        return getattr(self, "_label", "")

    @label.setter
    def label(self, label: str) -> None:
        self._label = label

    @property
    def arguments(self) -> tuple["Value | float", ...]:
        """What `op` was applied to: the operands, and the constants between them."""
        operands = iter(self.operands)
        constants = getattr(self, "_constants", (None,) * len(self.operands))
        return tuple(next(operands) if c is None else c for c in constants)

    @property
    def _prev(self) -> tuple["Value", ...]:
        """micrograd's name of `operands`."""
        return self.operands

    @property
    def _op(self) -> str:
        """micrograd's name of the op: its label, and the exponent if that is a constant."""
        if self.op is ops.pow and not isinstance(self.arguments[1], Value):
            return f"**{self.arguments[1]:.15g}"
        return self.op.label if self.op else ""

    def item(self) -> float:
        """The number, as `data`."""
        return self._number("item()")

    def detach(self) -> "Value":
        """A leaf with the same data and label: no gradient flows through it.

        In a trace, `autodiff.stop_gradient` of the value.
        """
        if modes.switched and modes.recorder():
            return _record(ops.stop_gradient, (self,))
        return Value(self.data, self.label)

    def backward(self, seed: float = 1.0) -> None:
        """Add d self / d leaf, times `seed`, to the `grad` of every leaf.

        Visits each node once in reverse topological order, without recursion, so depth is
        bounded by memory. The nodes between start from zero on each call; calling it twice
        doubles the leaves and nothing else.
        """
        seed = number(seed)
        if modes.switched:
            self._refuse_in_trace("backward() of a Value")
            if modes.is_watching():
                anomaly.check_backward(self, seed)
        reverse.backward(self, seed)

    # The three ops that scalar code is made of, unrolled: `_record` on two Values in the usual
    # mode gives the same node, and a test holds them to the rows.
    def __add__(self, other: "Value | float") -> "Value":
        if type(other) is not Value or modes.switched:
            return _add(self, other)
        node = _new(Value)
        node._primal = self._primal + other._primal
        node._grad = None
        node._partials = _ONES
        node.op = _ADD
        node.operands = (self, other)
        return node

    def __sub__(self, other: "Value | float") -> "Value":
        if type(other) is not Value or modes.switched:
            return _sub(self, other)
        node = _new(Value)
        node._primal = self._primal - other._primal
        node._grad = None
        node._partials = _ONE_MINUS_ONE
        node.op = _SUB
        node.operands = (self, other)
        return node

    def __mul__(self, other: "Value | float") -> "Value":
        if type(other) is not Value or modes.switched:
            return _mul(self, other)
        node = _new(Value)
        x = self._primal
        y = other._primal
        node._primal = x * y
        node._grad = None
        node._partials = (y, x)
        node.op = _MUL
        node.operands = (self, other)
        return node

    __radd__ = _reflected(ops.add)
    __rsub__ = _reflected(ops.sub)
    __rmul__ = _reflected(ops.mul)
    __truediv__ = _operator(ops.div)
    __rtruediv__ = _reflected(ops.div)
    __pow__ = _operator(ops.pow)
    __rpow__ = _reflected(ops.pow)
    __neg__ = _unary(ops.neg)
    __abs__ = _unary(ops.abs)

    def __pos__(self) -> "Value":
        return self

    __lt__ = _comparison(operator.lt)
    __le__ = _comparison(operator.le)
    __gt__ = _comparison(operator.gt)
    __ge__ = _comparison(operator.ge)

    def __eq__(self, other: object) -> Any:
        return self is other if isinstance(other, Value) else _equal(self, other)

    def __ne__(self, other: object) -> Any:
        return self is not other if isinstance(other, Value) else _unequal(self, other)

    __hash__ = object.__hash__

    # Every method has the name of its row, and that of NumPy's ufunc, which np.exp(array of
    # Values) calls.
    abs = absolute = _unary(ops.abs)
    sign = _unary(ops.sign)
    sqrt = _unary(ops.sqrt)
    exp = _unary(ops.exp)
    expm1 = _unary(ops.expm1)
    log = _unary(ops.log)
    log1p = _unary(ops.log1p)
    sin = _unary(ops.sin)
    cos = _unary(ops.cos)
    tan = _unary(ops.tan)
    asin = arcsin = _unary(ops.asin)
    acos = arccos = _unary(ops.acos)
    atan = arctan = _unary(ops.atan)
    atan2 = arctan2 = _method(ops.atan2)
    sinh = _unary(ops.sinh)
    cosh = _unary(ops.cosh)
    tanh = _unary(ops.tanh)
    erf = _unary(ops.erf)
    erfc = _unary(ops.erfc)
    relu = _unary(ops.relu)
    leaky_relu = _method(ops.leaky_relu)
    sigmoid = _unary(ops.sigmoid)
    softplus = _unary(ops.softplus)
    gelu = _unary(ops.gelu)
    silu = _unary(ops.silu)
    elu = _method(ops.elu)
    maximum = _method(ops.maximum)
    minimum = _method(ops.minimum)

    def clip(
        self, low: "Value | float | None", high: "Value | float | None", out: None = None
    ) -> "Value":
        """`autodiff.clip` of this value, None for no bound; np.clip passes `out`."""
        bounds = (-inf if low is None else low, inf if high is None else high)
        clipped: Value = ops.clip(self, *bounds)
        return clipped

    __float__ = _refusal("float()", "a function of autodiff, as autodiff.exp(v) for math.exp(v)")
    __int__ = _refusal("int()", "round(v) for the nearest integer")
    __complex__ = _refusal("complex()", "keep to real numbers")
    __bool__ = _refusal("bool()", "a comparison, as in v > 0")

    def __round__(self, digits: int | None = None) -> float:
        return round(self._number("round()"), digits)

    def __format__(self, spec: str) -> str:
        return format(self._number("formatting"), spec) if spec else repr(self)

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label else ""
        return f"Value(data={self._number('repr()')}, grad={self.grad}{label})"

    def __copy__(self) -> "Value":
        if modes.switched:
            self._refuse_in_trace("a copy of a Value")
        copied: Value = copying.shallow(self)
        return copied

    def __deepcopy__(self, memo: dict[int, Any]) -> "Value":
        if modes.switched:
            self._refuse_in_trace("a copy of a Value")
        copied: Value = copying.deepcopy(self, memo)
        return copied

    def __reduce__(self) -> tuple[Any, ...]:
        if modes.switched:
            self._refuse_in_trace("a pickle of a Value")
        return copying.reduce(self)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """NumPy's ufuncs on Values: the op of that name, else the loop over objects."""
        row, inner = UFUNCS.get(ufunc.__name__), INNER.get(ufunc.__name__)
        is_call = method == "__call__" and not options
        if row and is_call:
            return row(*inputs)
        # Only NumPy calls this, so it is there; the engine itself does without it.
        import numpy as np

        if inner and is_call and not any(getattr(x, "ndim", 0) for x in inputs):
            # A comparison gives a bool of Python's: the sum of two of NumPy's is their "or".
            scalars = [x if isinstance(x, Value) else np.asarray(x).item() for x in inputs]
            return inner.forward(*scalars)
        wrapped = [np.array(x, object) if isinstance(x, Value) else x for x in inputs]
        with np.errstate(all="ignore"):
            return getattr(ufunc, method)(*wrapped, **options)


interpret(Value, _Values())
