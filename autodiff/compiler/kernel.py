"""`Kernel`: a compiled function, its gradients and its source."""

from collections.abc import Callable
from math import isfinite
from typing import Any, Generic, TypeVar, cast, overload

import numpy as np
import numpy.typing as npt

from autodiff.checks import function
from autodiff.compiler.arrays.program import Program
from autodiff.compiler.comparison import Derivatives, compare
from autodiff.compiler.dispatch import CacheInfo, Dispatch
from autodiff.compiler.explanation import explain
from autodiff.compiler.fallback import Fallback
from autodiff.compiler.numpy.function import BATCHES
from autodiff.compiler.results import Results
from autodiff.compiler.scalars.tracer import trace_error
from autodiff.compiler.specialization import Specialization
from autodiff.engine import modes, reverse
from autodiff.engine.value import Value

Array = npt.NDArray[np.float64]
R_co = TypeVar("R_co", covariant=True)
"""What a call returns: the structure of the function's result, with arrays for numbers."""


class Kernel(Generic[R_co]):
    """A scalar function at array speed; what `autodiff.compile` returns.

    Calls trace the function once for each structure of arguments. Sums are reassociated, so
    results agree with eager execution to rounding, not to the bit. A kernel may be called from
    several threads, from a signal handler, and from inside itself; copied, unpickled or in a
    forked process it goes on by itself. While a function is traced, kernels that it calls
    become part of the trace.
    """

    def __init__(
        self, f: Callable[..., object], *, batched: bool = True, dtype: npt.DTypeLike = float
    ) -> None:
        self._f = function("compile: f", f)
        self._is_batched = batched
        self._dtype = np.dtype(dtype)
        if self._dtype.kind != "f":
            raise TypeError(f"compile: dtype must be a float type, got {self._dtype}")
        self._dispatch = Dispatch(f, batched, self._dtype)
        self._results = Results(batched)
        self.__doc__ = getattr(f, "__doc__", None)

    def __reduce__(self) -> tuple[Any, ...]:
        return _kernel, (type(self), self._f, self._is_batched, self._dtype)

    def __call__(self, *args: Any, parameters: npt.ArrayLike | None = None) -> R_co:
        """The result of the function, in its structure: shape (B,) for each number in it.

        An array of numbers of shape S gives one of shape (B, *S).
        """
        if modes.switched and modes.recorder():
            return cast(R_co, self._traced_call(args, parameters))
        call = self._dispatch(args)
        theta = self._dispatch.theta(call.made, call.order, parameters)
        return cast(R_co, self._results.structured(call, theta))

    @overload
    def value_and_grad(
        self, *args: Any, parameters: npt.ArrayLike | None = None, argnums: None = None
    ) -> tuple[float, Array]: ...
    @overload
    def value_and_grad(
        self,
        *args: Any,
        parameters: npt.ArrayLike | None = None,
        argnums: int | tuple[int, ...],
    ) -> tuple[Array, Any]: ...
    def value_and_grad(
        self,
        *args: Any,
        parameters: npt.ArrayLike | None = None,
        argnums: int | tuple[int, ...] | None = None,
    ) -> tuple[Any, Any]:
        """The mean of the result over the batch, and its gradient of shape (P,).

        With `argnums`, instead the result of every example, (B,), and its gradient by that
        argument, shaped like it (a tuple of them for a tuple).
        """
        if argnums is not None:
            call = self._dispatch(args)
            theta = self._dispatch.theta(call.made, call.order, parameters)
            return self._results.by_arguments(call, theta, argnums)
        return self._value_and_grad(args, parameters)

    def _value_and_grad(
        self, args: tuple[Any, ...], parameters: npt.ArrayLike | None, exact: bool = True
    ) -> tuple[float, Array]:
        """The mean and its gradient; unless `exact`, infinite ones only until that is known.

        Then a mean that is not finite, or the gradient of a finite one, may be that of the first
        examples alone, up to one for which it is not finite in eager execution either.
        """
        (made, order, function, is_fresh, steps, key, _), leaves = self._dispatch.step(args)
        theta = self._dispatch.theta(made, order, parameters)
        step = steps.pop(key, None) or function.bound(*key)
        found, gradient = step(theta, *leaves)
        value = found.item() if key[0] else 0.0  # the mean of none
        if not is_fresh:
            gradient = gradient.copy()
        steps[key] = step
        if len(steps) > BATCHES:
            function.trim(steps)
        # The square of a gradient is inf or nan where an element is.
        if made.may_differ and not isfinite(value + np.vdot(gradient, gradient).item()):
            fallback = Fallback(made, theta, leaves, key[0])
            value, gradient = fallback.mean(value, in_full=exact)
        return value, order.spread(gradient, len(self._dispatch.parameters))

    def backward(self, *args: Any) -> float:
        """Add the gradient of the mean over the batch to each parameter's `grad`; return the mean.

        Raises TypeError if an argument is a Value, which would not receive its gradient.
        """
        are_plain = all(type(x) is np.ndarray and not x.dtype.hasobject for x in args)
        if not are_plain and any(x.block.has_values for x in self._dispatch(args).made.inputs):
            raise TypeError(
                "backward: an argument is a Value, of which a kernel reads only the number; use "
                "value_and_grad(…, argnums=…), or read the Value inside the function"
            )
        value, gradient = self.value_and_grad(*args)
        reverse.add(self.parameters, gradient.tolist())
        return float(value)

    def hvp(
        self, *args: Any, vector: npt.ArrayLike, parameters: npt.ArrayLike | None = None
    ) -> Array:
        """The Hessian of the mean over the batch, by the parameters, times `vector`: (P,)."""
        call = self._dispatch(args)
        made, arrays, batch = call.made, call.arrays, call.batch
        made.check_scalar()
        direction = self._dispatch.flat(call.order, vector, "vector")
        theta = self._dispatch.theta(made, call.order, parameters)
        (product,) = made.function("hvp")(batch, 1.0 / max(batch, 1), [theta, *arrays, direction])
        if not np.isfinite(product).all():
            product = Fallback(made, theta, arrays, batch).hvp(direction)
        return call.order.spread(product, len(self._dispatch.parameters))

    @property
    def parameters(self) -> list[Value]:
        """The leaf Values that the function has reached so far, in order of first use."""
        assert self._latest
        return list(self._dispatch.parameters)

    @property
    def source(self) -> str:
        """The NumPy program that runs for the arguments of the latest call: with gradients."""
        return self._latest.shown.source

    def standalone(self) -> str:
        """`source` as a module that imports NumPy and the standard library alone."""
        return self._latest.shown.standalone()

    @property
    def program(self) -> Program:
        """The array program of `source`."""
        return self._latest.shown.program

    def explain(self) -> str:
        """How the scalars of the latest call became arrays, and what stayed irregular."""
        return explain(self._latest)

    def cache_info(self) -> CacheInfo:
        """How the specializations were used."""
        return self._dispatch.info()

    def check(self, *args: Any, rtol: float | None = None) -> None:
        """Compare with eager execution: every value, the gradient, and a product of the Hessian.

        Raises GradcheckError, which names the first difference of more than `rtol`: by default
        1e-9 in double precision, 1e-4 in any other.
        """
        if rtol is None:
            rtol = 1e-9 if self._dtype.itemsize >= 8 else 1e-4
        call = self._dispatch(args)
        theta = self._dispatch.theta(call.made, call.order, None)
        results, chosen = self._results.values(call, theta), call.order.chosen
        examples = range(call.batch)
        each = [
            np.array([x[b] for x in results] if self._is_batched else results) for b in examples
        ]
        derivatives: Derivatives | None = None
        if call.made.is_scalar:
            gradient = chosen(self.value_and_grad(*args)[1])
            vector = np.cos(np.arange(len(self.parameters)))  # no entry is 0, no two are equal
            product = chosen(self.hvp(*args, vector=vector))
            derivatives = Derivatives(gradient, chosen(vector), product)
        compare(self._f, call.made, call.arrays, each, derivatives, rtol)

    # While another function is traced

    def _traced_call(self, args: tuple[Any, ...], parameters: npt.ArrayLike | None) -> object:
        """The call as a part of the trace: the function on tracers, an example at a time."""
        if parameters is not None:
            raise trace_error("a kernel with parameters=", "let its function read them")
        if self._is_batched or self._dtype != np.dtype(float):
            kind = "a batch" if self._is_batched else str(self._dtype)
            raise trace_error(f"a kernel of {kind}", "call its function instead")
        return self._f(*args)

    @property
    def _latest(self) -> Specialization:
        """The specialization of the latest call."""
        if self._dispatch.latest is None:
            raise RuntimeError("the kernel was never called, so it has not been traced")
        return self._dispatch.latest


def _kernel(
    kind: type[Kernel[R_co]], f: Callable[..., object], batched: bool, dtype: npt.DTypeLike
) -> Kernel[R_co]:
    """The kernel that a copy or a pickle makes; it traces again."""
    return kind(f, batched=batched, dtype=dtype)
