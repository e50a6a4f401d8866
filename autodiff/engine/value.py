"""`Value`: the eager node. An op on Values computes its result and records how."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NoReturn

from autodiff import ops
from autodiff.checks import number, parameters
from autodiff.engine import anomaly, copying, modes, reverse
from autodiff.engine.operators import Operators, double, loop, row_of_ufunc
from autodiff.rows.primitive import Primitive

if TYPE_CHECKING:
    import numpy as np

    from autodiff.rows.signatures import Number


def _refusal(what: str, instead: str) -> Callable[["Value"], NoReturn]:
    """A conversion that would cut the graph silently, refused."""

    def method(self: "Value") -> NoReturn:
        raise TypeError(
            f"{what} of a Value would lose its graph: use v.data or v.item() for the number, "
            f"or {instead}"
        )

    return method


class Value(Operators["Value", bool]):
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
    # An op leaves constants and label unset, which saves time and reads as none. Partials are
    # those of the forward pass, one per operand; None where no cotangent crosses.
    # `_grad` is None until a backward pass has reached the node.
    _constants: tuple[float | None, ...]
    _grad: float | None
    _label: str
    _partials: tuple[float | None, ...]
    _primal: float
    op: Primitive | None
    operands: tuple["Value", ...]

    def __init__(self, data: "Number", label: str = "") -> None:
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
        """The value of the original function. Setting it does not recompute later nodes."""
        return self._number(".data")

    @data.setter
    def data(self, data: "Number") -> None:
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
    def grad(self, grad: "Number") -> None:
        if modes.switched:
            self._refuse_in_trace("setting .grad of a Value")
        self._grad = grad if type(grad) is float else number(grad)

    @property
    def has_grad(self) -> bool:
        """True if a backward pass has reached this value, or its `grad` was set."""
        if modes.switched:
            self._refuse_in_trace(".has_grad of a Value")
        return self._grad is not None

    def _number(self, reader: str) -> float:
        """The number, which leaves its graph through `reader`."""
        if modes.switched:
            self._refuse_in_trace(f"{reader} of a Value")
        return self._primal

    def _refuse_in_trace(self, what: str) -> None:
        """Raise TraceError in a trace: a kernel would freeze this number, or write it only once."""
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
        """The arguments of `op`: operands, and the constants between them."""
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
        if self.op is None:
            return ""
        if self.op.label_at_constant and not isinstance(last := self.arguments[-1], Value):
            return self.op.label_at_constant.format(last)
        return self.op.label

    def item(self) -> float:
        """The number, as `data`."""
        return self._number("item()")

    def detach(self) -> "Value":
        """A leaf with the same data and label: no gradient flows through it.

        In a trace, `autodiff.stop_gradient` of the value.
        """
        if modes.switched and modes.recorder():
            traced: Value = ops.stop_gradient.apply((self,))
            return traced
        return Value(self.data, self.label)

    def backward(self, seed: float = 1.0) -> None:
        """Add d self / d leaf, times `seed`, to the `grad` of every leaf.

        Visits each node once in reverse topological order, without recursion, so depth is
        bounded by memory. Interior nodes start from zero on each call; calling it twice
        doubles the leaves and nothing else.
        """
        seed = number(seed)
        if modes.switched:
            self._refuse_in_trace("backward() of a Value")
            if modes.is_watching():
                anomaly.check_backward(self, seed)
        reverse.backward(self, seed)

    def __pos__(self) -> "Value":
        return self

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

    def __deepcopy__(self, memo: dict[int, "Value"]) -> "Value":
        if modes.switched:
            self._refuse_in_trace("a copy of a Value")
        copied: Value = copying.deepcopy(self, memo)
        return copied

    def __reduce__(self) -> tuple[object, ...]:
        if modes.switched:
            self._refuse_in_trace("a pickle of a Value")
        return copying.reduce(self)

    def __array_ufunc__(
        self, ufunc: "np.ufunc", method: str, *inputs: Any, **options: object
    ) -> object:
        """NumPy's ufuncs on Values: the op of that name, else the loop over objects."""
        row = row_of_ufunc(ufunc, method, options)
        if row is None:
            return loop(Value, ufunc, method, inputs, options)
        if not row.is_predicate:
            return row(*inputs)
        if any(getattr(x, "ndim", 0) for x in inputs):
            return loop(Value, ufunc, method, inputs, options)
        # A comparison gives a bool of Python's: the sum of two of NumPy's is their "or".
        scalars = [double(x).item() if hasattr(x, "dtype") else x for x in inputs]
        return row.forward(*scalars)


def zero_grad(values: Iterable[Value]) -> None:
    """Set the `grad` of each of `values` to 0, sooner than one at a time.

    Raises TypeError, with every `grad` as it was, if one of them is no Value.
    """
    leaves = parameters("zero_grad", values, Value)
    if modes.switched:
        for value in leaves:
            value.grad = 0.0  # which a trace refuses
    else:
        for value in leaves:
            value._grad = 0.0
