"""`Kernel`: a compiled function, its gradients and its source."""

from collections.abc import Callable
from math import isfinite
from typing import Any, Generic, TypeVar, cast, overload

import numpy as np
import numpy.typing as npt

from autodiff.checks import integer
from autodiff.compiler.arguments import Block, filled, restored
from autodiff.compiler.arrays.program import Program
from autodiff.compiler.comparison import Derivatives, compare
from autodiff.compiler.dispatch import CacheInfo, Call, Dispatch
from autodiff.compiler.explanation import explain
from autodiff.compiler.fallback import Fallback
from autodiff.compiler.numpy.function import BATCHES
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
        self._f = f
        self._is_batched = batched
        self._dtype = np.dtype(dtype)
        if self._dtype.kind != "f":
            raise TypeError(f"compile: dtype must be a float type, got {self._dtype}")
        self._dispatch = Dispatch(f, batched, self._dtype)
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
        values = self._values(call, parameters)
        return cast(R_co, restored(call.made.structure, values, (call.batch,) * self._is_batched))

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
            return self._by_arguments(args, parameters, argnums)
        return self._value_and_grad(args, parameters)

    def _value_and_grad(
        self, args: tuple[Any, ...], parameters: npt.ArrayLike | None, exact: bool = True
    ) -> tuple[float, Array]:
        """The mean and its gradient; unless `exact`, only as far as to tell that one is infinite.

        Then the mean, if that is not finite, else the gradient, may be that of the examples up
        to the first for which it is not, in eager execution.
        """
        (made, order, function, is_fresh, steps, key, _), leaves = self._dispatch.step(args)
        theta = self._dispatch.theta(made, order, parameters)
        if key[0] > function.whole and made.is_batched:
            found, gradient = function.summed(*key, theta, leaves)
            value = found.item()
        else:
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

    def _by_arguments(
        self, args: tuple[Any, ...], parameters: Any, argnums: int | tuple[int, ...]
    ) -> tuple[Array, Any]:
        call = self._dispatch(args)
        made, batch = call.made, call.batch
        made.check_scalar()
        are_many = isinstance(argnums, tuple | list)
        given = argnums if isinstance(argnums, tuple | list) else [argnums]
        chosen = tuple([integer("argnums", k) for k in given])
        parts: dict[int, list[Array]] = {item.argument: [] for item in made.inputs}
        for k in chosen:
            if k not in parts:
                raise ValueError(f"argnums: argument {k} has no numbers to differentiate by")
        if not chosen:
            return self._values(call, parameters)[0], ()
        theta = self._dispatch.theta(made, call.order, parameters)
        value, *gradients = made.function("grad", chosen)(batch, 1.0, [theta, *call.arrays])
        if made.may_differ and not all(np.isfinite(x).all() for x in (value, *gradients)):
            fallback = Fallback(made, theta, call.arrays, batch)
            value, *gradients = fallback.each([value, *gradients], chosen)
        values = self._one_each(value, batch)
        for item, gradient in zip(made.inputs_of(chosen), gradients, strict=True):
            parts[item.argument].append(gradient)
        by_argument = tuple(self._shaped(made.specs[k], parts[k], batch) for k in chosen)
        return values, by_argument if are_many else by_argument[0]

    def backward(self, *args: Any) -> float:
        """Add the gradient of the mean over the batch to each parameter's `grad`; the mean.

        Raises TypeError if an argument is a Value, which would not receive its gradient.
        """
        are_plain = all(type(x) is np.ndarray and not x.dtype.hasobject for x in args)
        if not are_plain and any(x.block.has_values for x in self._dispatch(args).made.inputs):
            raise TypeError(
                "backward: an argument is a Value, of which a kernel takes the number; its "
                "gradient is that of value_and_grad(…, argnums=…), or let the function read it"
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
        results, chosen = self._values(call, None), call.order.chosen
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

    # Results

    def _values(self, call: Call, parameters: npt.ArrayLike | None) -> list[Array]:
        """An array of shape (B,) for each scalar of the result, a number without a batch."""
        made = call.made
        theta = self._dispatch.theta(made, call.order, parameters)
        results = made.function("call")(call.batch, 1.0, [theta, *call.arrays])
        if made.is_ragged and not all(np.isfinite(x).all() for x in results):
            results = Fallback(made, theta, call.arrays, call.batch).values(results)
        pairs = zip(results, made.are_conditions, strict=True)
        given = [x.astype(bool) if is_condition else x for x, is_condition in pairs]
        return [self._one_each(result, call.batch) for result in given]

    def _one_each(self, result: Array, batch: int) -> Array:
        value = np.broadcast_to(result, (batch, 1))[:, 0].copy()
        return value if self._is_batched else cast(Array, value[0])

    def _shaped(self, spec: Any, gradients: list[Array], batch: int) -> Any:
        """The gradients by an argument of this spec, in its structure."""
        mine = iter(gradients)
        lead = (batch,) if self._is_batched else ()

        def gradient(block: Block, _: str) -> Any:
            flat = np.broadcast_to(next(mine), (batch, int(np.prod(block.shape))))
            return flat.reshape((*lead, *block.shape)).copy()

        return filled(spec, gradient)

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
