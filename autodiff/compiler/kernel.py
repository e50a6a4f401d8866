"""`Kernel`: a compiled function, its gradients and its source."""

import threading
from collections.abc import Callable
from itertools import count
from math import isfinite
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from autodiff.checks import integer
from autodiff.compiler.arguments import Block, describe, filled, restored
from autodiff.compiler.arrays.program import Program
from autodiff.compiler.build import BATCHES, Function, Trace
from autodiff.compiler.comparison import compare
from autodiff.compiler.fallback import Fallback
from autodiff.compiler.scalars.tracer import trace_error
from autodiff.engine import modes, reverse
from autodiff.engine.value import Value

Array = npt.NDArray[np.floating[Any]]

_TRACES = 64  # structures of arguments that a kernel remembers


class CacheInfo(NamedTuple):
    """How often a call found its trace, how often it had to be made, how many are kept."""

    hits: int
    misses: int
    size: int


class _Bound(NamedTuple):
    """What a call found out, for the next one with arrays of the same shapes and types."""

    trace: Trace
    function: Function
    is_fresh: bool
    """Whether the gradient is an array that no later step writes over."""
    steps: dict[Any, Any]
    """The steps of this thread that wait for a call."""
    key: tuple[int, float]
    """The size of the batch, and 1 over it."""
    forms: tuple[tuple[tuple[int, ...], Any], ...]
    """The shape, and the type if it is another, in which the step takes each array."""


class Kernel:
    """A scalar function at array speed; what `autodiff.compile` returns.

    Calls trace the function once for each structure of arguments. Sums are reassociated, so
    results agree with eager execution to rounding, not to the bit. A kernel may be called from
    several threads, from a signal handler, and from inside itself; copied, unpickled or in a
    forked process it goes on by itself. While a function is traced, kernels that it calls
    become part of the trace.
    """

    def __init__(self, f: Callable[..., Any], *, batched: bool = True, dtype: Any = float) -> None:
        self._f = f
        self._is_batched = batched
        self._dtype = np.dtype(dtype)
        if self._dtype.kind != "f":
            raise TypeError(f"compile: dtype must be a float type, got {self._dtype}")
        self._traces: dict[Any, Trace] = {}
        self._uses = count(1)
        self._latest: Trace | None = None
        self._parameters: dict[Value, None] = {}  # in order; none ever goes
        self._local = threading.local()
        self._hits = self._misses = 0
        self.__doc__ = getattr(f, "__doc__", None)

    def __reduce__(self) -> tuple[Any, ...]:
        return _kernel, (type(self), self._f, self._is_batched, self._dtype)

    def __call__(self, *args: Any, parameters: npt.ArrayLike | None = None) -> Any:
        """The result of the function, in its structure: shape (B,) for each number in it.

        An array of numbers of shape S gives one of shape (B, *S).
        """
        if modes.switched and modes.recorder():
            return self._traced_call(args, parameters)
        trace, leaves, batch = self._trace(args)
        values = self._values(trace, parameters, leaves, batch)
        return restored(trace.structure, values, (batch,) * self._is_batched)

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
    ) -> tuple[Any, Any]:
        """The mean and its gradient; unless `exact`, only as far as to tell that one is infinite.

        Then the mean, if that is not finite, else the gradient, may be that of the examples up
        to the first for which it is not, in eager execution.
        """
        (trace, function, is_fresh, steps, key, _), leaves = self._bound(args)
        theta = self._theta(trace, parameters)
        step = steps.pop(key, None) or function.bound(*key)
        found, gradient = step(theta, *leaves)
        value = found.item() if key[0] else 0.0  # the mean of none
        if not is_fresh:
            gradient = gradient.copy()
        steps[key] = step
        if len(steps) > BATCHES:
            function.trim(steps)
        # The square of a gradient is inf or nan where an element is.
        if trace.may_differ and not isfinite(value + np.vdot(gradient, gradient).item()):
            fallback = Fallback(trace, theta, leaves, key[0])
            value, gradient = fallback.mean(value, in_full=exact)
        return value, self._reordered(trace, gradient)

    def _by_arguments(
        self, args: tuple[Any, ...], parameters: Any, argnums: int | tuple[int, ...]
    ) -> tuple[Any, Any]:
        trace, leaves, batch = self._trace(args)
        self._check_scalar(trace)
        are_many = isinstance(argnums, tuple | list)
        given = argnums if isinstance(argnums, tuple | list) else [argnums]
        chosen = tuple([integer("argnums", k) for k in given])
        parts: dict[int, list[Any]] = {owner: [] for owner in trace.owner}
        for k in chosen:
            if k not in parts:
                raise ValueError(f"argnums: argument {k} has no numbers to differentiate by")
        if not chosen:
            return self._values(trace, parameters, leaves, batch)[0], ()
        theta = self._theta(trace, parameters)
        value, *gradients = trace.function("grad", chosen)(batch, 1.0, [theta, *leaves])
        if trace.may_differ and not all(np.isfinite(x).all() for x in (value, *gradients)):
            fallback = Fallback(trace, theta, leaves, batch)
            value, *gradients = fallback.each([value, *gradients], chosen)
        values = self._one_each(value, batch)
        owner_of = dict(zip(trace.inputs, trace.owner, strict=True))
        for leaf, gradient in zip(trace.inputs_of(chosen), gradients, strict=True):
            parts[owner_of[leaf]].append(gradient)
        by_argument = tuple(self._shaped(trace, k, parts[k], batch) for k in chosen)
        return values, by_argument if are_many else by_argument[0]

    def backward(self, *args: Any) -> float:
        """Add the gradient of the mean over the batch to each parameter's `grad`; the mean.

        Raises TypeError if an argument is a Value, which would not receive its gradient.
        """
        if not all(type(x) is np.ndarray and not x.dtype.hasobject for x in args):
            trace, _, _ = self._trace(args)
            if any(block.has_values for block in trace.blocks):
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
        trace, leaves, batch = self._trace(args)
        self._check_scalar(trace)
        direction = self._flat(trace, vector, "vector")
        theta = self._theta(trace, parameters)
        function = trace.function("hvp")
        (product,) = function(batch, 1.0 / max(batch, 1), [theta, *leaves, direction])
        if not np.isfinite(product).all():
            product = Fallback(trace, theta, leaves, batch).hvp(direction)
        return self._reordered(trace, product)

    @property
    def parameters(self) -> list[Value]:
        """The leaf Values that the function has reached so far, in order of first use."""
        self._known_trace()
        return list(self._parameters)

    @property
    def source(self) -> str:
        """The NumPy program that runs for the arguments of the latest call: with gradients."""
        return self._known_trace().shown.source

    def standalone(self) -> str:
        """`source` as a module that imports NumPy and the standard library alone."""
        return self._known_trace().shown.standalone()

    @property
    def program(self) -> Program:
        """The array program of `source`."""
        return self._known_trace().shown.program

    def explain(self) -> str:
        """How the scalars of the latest call became arrays, and what stayed irregular."""
        return self._known_trace().explain()

    def cache_info(self) -> CacheInfo:
        """How the traces were used."""
        return CacheInfo(self._hits, self._misses, len(self._traces))

    def check(self, *args: Any, rtol: float | None = None) -> None:
        """Compare with eager execution: every value, the gradient, and a product of the Hessian.

        Raises GradcheckError, which names the first difference of more than `rtol`: by default
        1e-9 in double precision, 1e-4 in any other.
        """
        if rtol is None:
            rtol = 1e-9 if self._dtype.itemsize >= 8 else 1e-4
        trace, leaves, batch = self._trace(args)
        results = self._values(trace, None, leaves, batch)
        each = [results if not self._is_batched else [x[b] for x in results] for b in range(batch)]
        gradient = vector = product = None
        if trace.is_scalar:
            gradient = self.value_and_grad(*args)[1][trace.order]
            vector = np.cos(np.arange(len(self._parameters)))  # no entry is 0, no two are equal
            product = self.hvp(*args, vector=vector)[trace.order]
            vector = vector[trace.order]
        compare(self._f, trace, leaves, each, gradient, vector, product, rtol)

    # Arguments

    def _trace(self, args: tuple[Any, ...]) -> tuple[Trace, list[Array], int]:
        """The trace for these arguments, their arrays as (B, size), and B."""
        if modes.switched and modes.recorder():
            raise trace_error("a derivative of a kernel", "take derivatives of the outer kernel")
        arrays: list[Any] = []
        specs = tuple([describe(arg, arrays, self._is_batched) for arg in args])
        batch = 1
        if self._is_batched:
            sizes = {len(array) for array in arrays if array.ndim}
            if len(sizes) > 1:
                shown = ", ".join(map(str, sorted(sizes)))
                raise ValueError(f"the arguments have different batch sizes: {shown}")
            batch = sizes.pop() if sizes else 1
        # Without a lock: whoever comes here while the function is traced, on another thread, in
        # a handler or in a forked process, traces it as well, and the first one is kept.
        trace = self._traces.get(specs)
        if trace is None:
            self._misses += 1
            trace = self._traces.setdefault(specs, self._new_trace(specs))
        else:
            self._hits += 1
        trace.latest_use = next(self._uses)
        self._latest = trace
        if len(self._traces) > _TRACES:
            oldest = min(list(self._traces.items()), key=lambda item: item[1].latest_use)
            self._traces.pop(oldest[0], None)
        flat = [
            np.ascontiguousarray(
                np.broadcast_to(x, (batch,)) if self._is_batched and not x.ndim else x,
                int if leaf.is_index else self._dtype,
            ).reshape(batch, trace.sizes[leaf])
            for x, leaf in zip(arrays, trace.inputs, strict=True)
        ]
        trace.check_indices(flat)
        return trace, flat, batch

    def _new_trace(self, specs: tuple[Any, ...]) -> Trace:
        """The trace of a structure of arguments; the kernel learns its parameters."""
        trace = Trace(self._f, specs, self._dtype)
        for parameter in trace.scalars.parameters:
            self._parameters.setdefault(parameter)
        place = {parameter: k for k, parameter in enumerate(list(self._parameters))}
        order = [place[parameter] for parameter in trace.scalars.parameters]
        trace.order = np.array(order, dtype=int)
        trace.is_in_order = order == list(range(len(order)))
        return trace

    def _flat(self, trace: Trace, given: npt.ArrayLike, name: str) -> Array:
        """A flat array in the kernel's order of parameters, in the trace's order."""
        array = np.asarray(given, dtype=self._dtype)
        if array.shape != (len(self._parameters),):
            raise ValueError(
                f"{name} has shape {array.shape}, the kernel has {len(self._parameters)} parameters"
            )
        return array if len(trace.order) == len(array) and trace.is_in_order else array[trace.order]

    def _theta(self, trace: Trace, given: npt.ArrayLike | None) -> Array:
        """The parameters of a trace, as they are now or as they are given."""
        if given is None:
            data = [parameter._primal for parameter in trace.scalars.parameters]
            return np.array(data, self._dtype)
        return self._flat(trace, given, "parameters")

    def _bound(self, args: tuple[Any, ...]) -> tuple[_Bound, list[Array]]:
        """The step for these arguments, and their arrays as it takes them."""
        calls: dict[Any, _Bound] = self._local.__dict__
        form: tuple[Any, ...] | None = None
        for x in args:
            if type(x) is not np.ndarray:
                break
        else:
            form = tuple([(x.shape, x.dtype) for x in args])
        known = None if modes.switched and modes.recorder() else calls.get(form)
        if known is not None:  # most calls are like an earlier one: no questions asked
            self._hits += 1
            self._latest = known.trace
            arrays = [
                x.reshape(shape) if dtype is None else x.reshape(shape).astype(dtype)
                for x, (shape, dtype) in zip(args, known.forms, strict=True)
            ]
            if known.trace.indices:
                known.trace.check_indices(arrays)
            return known, arrays
        trace, leaves, batch = self._trace(args)
        self._check_scalar(trace)
        function = trace.function("grad")
        key = batch, 1.0 / max(batch, 1)
        bound = _Bound(trace, function, function.fresh[1], function.kept, key, ())
        # Objects may be other numbers at the next call, or Values: these are looked at each time.
        if form is not None and not any(x.dtype.hasobject for x in args):
            forms = [
                (leaf.shape, None if leaf.dtype == x.dtype else leaf.dtype)
                for leaf, x in zip(leaves, args, strict=True)
            ]
            if len(calls) >= _TRACES:
                calls.clear()
            calls[form] = bound._replace(forms=tuple(forms))
        return bound, leaves

    # Results

    def _values(self, trace: Trace, parameters: Any, leaves: list[Array], batch: int) -> list[Any]:
        """An array of shape (B,) for each scalar of the result, a number without a batch."""
        theta = self._theta(trace, parameters)
        results = trace.function("call")(batch, 1.0, [theta, *leaves])
        if trace.is_ragged and not all(np.isfinite(x).all() for x in results):
            results = Fallback(trace, theta, leaves, batch).values(results)
        pairs = zip(results, trace.are_conditions, strict=True)
        given = [x.astype(bool) if is_condition else x for x, is_condition in pairs]
        return [self._one_each(result, batch) for result in given]

    def _one_each(self, result: Any, batch: int) -> Any:
        value = np.broadcast_to(result, (batch, 1))[:, 0].copy()
        return value if self._is_batched else value[0]

    def _reordered(self, trace: Trace, flat: Any) -> Array:
        if len(trace.order) == len(self._parameters) and trace.is_in_order:
            whole: Array = flat
            return whole
        ordered = np.zeros(len(self._parameters), self._dtype)
        ordered[trace.order] = flat
        return ordered

    def _shaped(self, trace: Trace, k: int, gradients: list[Any], batch: int) -> Any:
        """The gradients by argument k, in its structure."""
        mine = iter(gradients)
        lead = (batch,) if self._is_batched else ()

        def gradient(block: Block, _: str) -> Any:
            flat = np.broadcast_to(next(mine), (batch, int(np.prod(block.shape))))
            return flat.reshape((*lead, *block.shape)).copy()

        return filled(trace.specs[k], gradient)

    # While another function is traced

    def _traced_call(self, args: tuple[Any, ...], parameters: Any) -> Any:
        """The call as a part of the trace: the function on tracers, an example at a time."""
        if parameters is not None:
            raise trace_error("a kernel with parameters=", "let its function read them")
        if self._is_batched or self._dtype != np.dtype(float):
            kind = "a batch" if self._is_batched else str(self._dtype)
            raise trace_error(f"a kernel of {kind}", "call its function instead")
        return self._f(*args)

    def _check_scalar(self, trace: Trace) -> None:
        if not trace.is_scalar:
            raise TypeError("a gradient needs a function that returns a single number")

    def _known_trace(self) -> Trace:
        if self._latest is None:
            raise RuntimeError("the kernel was never called, so it has not been traced")
        return self._latest


def _kernel(kind: type[Kernel], f: Callable[..., Any], batched: bool, dtype: Any) -> Kernel:
    """The kernel that a copy or a pickle makes; it traces again."""
    return kind(f, batched=batched, dtype=dtype)
