"""`Results`: what calls of a kernel return, by its programs or, where it must be, on Values."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from autodiff.checks import integer
from autodiff.compiler.arguments import Block, Spec, filled, restored
from autodiff.compiler.dispatch import Call
from autodiff.compiler.fallback import Fallback

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Results:
    """Runs the programs of calls; with a batch, results have its axis first."""

    is_batched: bool

    def structured(self, call: Call, theta: Array) -> object:
        """The result in the structure that the function returned."""
        lead = (call.batch,) * self.is_batched
        return restored(call.made.structure, self.values(call, theta), lead)

    def values(self, call: Call, theta: Array) -> list[Array]:
        """An array of shape (B,) for each scalar of the result, a number without a batch."""
        made = call.made
        found = made.function("call")(call.batch, 1.0, [theta, *call.arrays])
        if made.is_ragged and not all(np.isfinite(x).all() for x in found):
            found = Fallback(made, theta, call.arrays, call.batch).values(found)
        pairs = zip(found, made.are_conditions, strict=True)
        given = [x.astype(bool) if is_condition else x for x, is_condition in pairs]
        return [self._one_each(x, call.batch) for x in given]

    def by_arguments(
        self, call: Call, theta: Array, argnums: int | Sequence[int]
    ) -> tuple[Array, Any]:
        """The values of all examples, and the gradients by arguments, each shaped like its own."""
        made, batch = call.made, call.batch
        made.check_scalar()
        given = argnums if isinstance(argnums, tuple | list) else [argnums]
        chosen = tuple([integer("argnums", k) for k in given])
        parts: dict[int, list[Array]] = {item.argument: [] for item in made.inputs}
        for k in chosen:
            if k not in parts:
                raise ValueError(f"argnums: argument {k} has no numbers to differentiate by")
        if not chosen:
            return self.values(call, theta)[0], ()
        value, *gradients = made.function("grad", chosen)(batch, 1.0, [theta, *call.arrays])
        if made.may_differ and not all(np.isfinite(x).all() for x in (value, *gradients)):
            fallback = Fallback(made, theta, call.arrays, batch)
            value, *gradients = fallback.each([value, *gradients], chosen)
        for item, gradient in zip(made.inputs_of(chosen), gradients, strict=True):
            parts[item.argument].append(gradient)
        shaped = tuple(self._shaped(made.specs[k], parts[k], batch) for k in chosen)
        is_one = not isinstance(argnums, tuple | list)
        return self._one_each(value, batch), shaped[0] if is_one else shaped

    def _one_each(self, result: Array, batch: int) -> Array:
        value = np.broadcast_to(result, (batch, 1))[:, 0].copy()
        return value if self.is_batched else cast(Array, value[0])

    def _shaped(self, spec: Spec, gradients: Sequence[Array], batch: int) -> object:
        """The gradients by an argument of this spec, in its structure."""
        mine = iter(gradients)
        lead = (batch,) if self.is_batched else ()

        def gradient(block: Block, _: str) -> Array:
            flat = np.broadcast_to(next(mine), (batch, int(np.prod(block.shape))))
            return flat.reshape((*lead, *block.shape)).copy()

        return filled(spec, gradient)
