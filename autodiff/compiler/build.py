"""`Trace`: one structure of arguments, from the function to the programs that run."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np

from autodiff import ops
from autodiff.compiler.arguments import Block, Part, filled, flattened
from autodiff.compiler.arrays.adjoint import adjoint
from autodiff.compiler.arrays.builder import Builder
from autodiff.compiler.arrays.doubt import doubtful
from autodiff.compiler.arrays.lower import Lowering
from autodiff.compiler.arrays.program import Program
from autodiff.compiler.numpy.loading import load, standalone
from autodiff.compiler.numpy.names import Names, argument_names, parameter_paths
from autodiff.compiler.numpy.source import Emitter
from autodiff.compiler.scalars.packs import SUM, pack
from autodiff.compiler.scalars.program import CONSTANTS, PARAMETERS, TAKE, Leaf, Scalars
from autodiff.compiler.scalars.tracer import (
    CONDITION,
    KIND_OF_ELEMENTS,
    Recorder,
    Tracer,
    kind_of,
    number_of,
)
from autodiff.engine.collector import collector_paused
from autodiff.engine.modes import tracing
from autodiff.rows.primitive import Primitive

_SHOWN = 10  # gathers that an explanation lists
BATCHES = 8
"""For how many batch sizes a thread keeps arrays."""


class Function:
    """A program as Python: its source, and its arrays for each thread and batch size."""

    def __init__(self, program: Program, emitter: Emitter, name: str, dtype: Any) -> None:
        self.program = program
        self.source = emitter.text
        self._arrays = emitter.arrays
        self.fresh = emitter.fresh
        self._bind = load(self.source, name)
        self._dtype = dtype
        self._local = threading.local()

    @property
    def kept(self) -> dict[Any, Any]:
        """The steps of this thread that wait for a call, by (batch, scale).

        A call takes its step out and puts it back: a call inside a call (a signal handler's,
        say) finds it gone, and has arrays of its own.
        """
        steps: dict[Any, Any] = self._local.__dict__
        return steps

    def bound(self, batch: int, scale: float) -> Callable[..., Any]:
        """A new step: the function of the leaves, with arrays of its own, which it returns."""
        with np.errstate(all="ignore"):  # what every step would compute is computed here
            made = self._bind(batch, scale, self._dtype, self._arrays)
        return cast(Callable[..., Any], np.errstate(all="ignore")(made))

    @staticmethod
    def trim(steps: dict[Any, Any]) -> None:
        """Let go of the steps that were used longest ago."""
        for key in list(steps)[:-BATCHES]:
            steps.pop(key, None)

    def standalone(self) -> str:
        """The source as a module that imports NumPy and the standard library alone."""
        return standalone(self.source, self._arrays)

    def __call__(self, batch: int, scale: float, leaves: Sequence[Any]) -> list[Any]:
        """The results, copied, each with the batch axis first if it has one."""
        steps, key = self.kept, (batch, scale)
        step = steps.pop(key, None) or self.bound(*key)
        results = step(*leaves)
        copies = [x if new else x.copy() for x, new in zip(results, self.fresh, strict=True)]
        steps[key] = step
        self.trim(steps)
        return copies


class Trace:
    """What one structure of arguments traces to, and the functions made of it."""

    def __init__(self, f: Callable[..., Any], specs: tuple[Any, ...], dtype: Any) -> None:
        start = time.perf_counter()
        self.scalars = Scalars()
        self.inputs: list[Leaf] = []
        self.sizes: dict[Leaf, int] = {}
        self.specs = specs
        self.blocks: list[Block] = []
        self.owner: list[int] = []
        self._dtype = dtype
        self._functions: dict[Any, Function] = {}
        self.order = np.arange(0)  # of its parameters among the kernel's, which sets it
        self.is_in_order = True
        self.latest_use = 0  # among the calls of the kernel, which sets it
        self._names = Names()  # of the inputs
        names = argument_names(f, len(specs))
        with collector_paused():
            args = []
            for k, spec in enumerate(specs):
                args.append(self._tracers(spec, names[k], k))
            try:
                with tracing(Recorder(self.scalars)):
                    result = f(*args)
                    scalars, self.structure = flattened(result)
                    self.results = [number_of(self.scalars, x) for x in scalars]
                    self.are_conditions = [kind_of(x) <= CONDITION for x in scalars]
            finally:
                self.scalars.close()
            self.indices = self._mark_indices()
            """Which of the inputs choose elements."""
            self.packs = pack(self.scalars, self.results)
            self.paths = parameter_paths(f, self.scalars.parameters)
            self.sizes[PARAMETERS] = len(self.scalars.parameters)
            self.sizes[CONSTANTS] = len(self.scalars.constants)
            self.lowering = Lowering(self.scalars, self.packs, self.sizes)
        self.is_ragged = bool(self.lowering.ragged)
        """Whether a zero that eager execution has not may meet an infinity in the results."""
        self.may_differ = self.lowering.has_spare or self.is_ragged or self._cuts()
        """Whether a zero that eager execution would not have sent may meet one in a gradient."""
        self.seconds = time.perf_counter() - start

    def _cuts(self) -> bool:
        """Whether some op sends nothing to an operand: to what was not chosen, to conditions."""
        rows = {op for op in self.scalars.ops if isinstance(op, Primitive)}
        return TAKE in self.scalars.ops or any(row.selects or None in row.partials for row in rows)

    def _mark_indices(self) -> list[int]:
        """The inputs that choose elements; other integers are numbers like any."""
        instructions = zip(self.scalars.ops, self.scalars.operands, strict=True)
        found = {self.scalars.ops[operands[-1]] for op, operands in instructions if op is TAKE}
        for leaf in self.inputs:
            leaf.is_index = leaf in found
        return [k for k, leaf in enumerate(self.inputs) if leaf.is_index]

    def check_indices(self, leaves: Sequence[Any]) -> None:
        """Raise IndexError if an index is negative: a kernel does not count from the end."""
        for k in self.indices:
            least = leaves[k].min(initial=0)
            if least < 0:
                raise IndexError(f"argument {self.inputs[k].name}: index {least} is negative")

    def _tracers(self, spec: Any, name: str, owner: int) -> Any:
        """The argument that `spec` describes, tracers for its numbers."""

        def tracers(block: Block, path: str) -> Any:
            leaf = Leaf(self._names.given(path), True, block.kind != "f")
            self.inputs.append(leaf)
            self.blocks.append(block)
            self.owner.append(owner)
            size = self.sizes[leaf] = int(np.prod(block.shape))
            numbers = [self.scalars.add(leaf, (k,)) for k in range(size)]
            kind = KIND_OF_ELEMENTS[block.kind]
            return block.filled([Tracer(self.scalars, number, kind) for number in numbers])

        return filled(spec, tracers, name)

    def function(self, wanted: str, argnums: tuple[int, ...] = ()) -> Function:
        """The program for the values alone ("call"), with gradients ("grad"), or "hvp"."""
        found = self._functions.get((wanted, argnums))
        if found is None:  # two threads may both make it
            made = self._make(wanted, argnums)
            found = self._functions.setdefault((wanted, argnums), made)
        return found

    def inputs_of(self, argnums: tuple[int, ...]) -> list[Leaf]:
        """The inputs that come from some arguments."""
        owners = zip(self.inputs, self.owner, strict=True)
        chosen = set(argnums)
        return [leaf for leaf, owner in owners if owner in chosen]

    @property
    def is_batched(self) -> bool:
        """Whether a result of the function is another for each example."""
        arrays = [self.lowering.result(i)[0] for i in self.results]
        return any(self.lowering.builder.instrs[array].is_batched for array in arrays)

    @property
    def is_scalar(self) -> bool:
        """Whether the function returns one number, so that it has a gradient."""
        is_number = isinstance(self.structure, Part) and not self.structure.shape
        return is_number and not self.are_conditions[0]

    @property
    def shown(self) -> Function:
        """The function whose source says most: with gradients if there are any."""
        return self.function("grad" if self.is_scalar else "call")

    def _make(self, wanted: str, argnums: tuple[int, ...]) -> Function:
        start = time.perf_counter()
        builder = Builder(self.lowering.builder.instrs)
        arguments = ["parameters", *(leaf.name for leaf in self.inputs)]
        cotangent_of: dict[int, int] = {}
        outputs, doubts = self._outputs(builder)
        backward = len(builder.instrs)
        if wanted != "call":
            sources = self._sources(builder, argnums)
            seed = builder.leaf("seed", 1, True)
            gradients = adjoint(builder, [(outputs[0], seed)], sources, cotangent_of)
            value = _unless(builder, outputs[0], doubts[0])
            if not argnums and builder.instrs[value].is_batched:  # the mean
                value = builder.sum_batch(builder.apply(ops.mul, [value, seed]))
            outputs = [value, *gradients]
        else:
            outputs = [_unless(builder, *pair) for pair in zip(outputs, doubts, strict=True)]
        if wanted == "hvp":
            arguments.append("vector")
            vector = builder.leaf("vector", self.sizes[PARAMETERS], False)
            # The gradient is a function of the parameters whose adjoint at `vector` is H vector.
            ends = [(outputs[-1], vector)]
            (product,) = adjoint(builder, ends, self._sources(builder, ()), cotangent_of)
            # Masks send nothing through a relu of nan, whose slope is 1; where the value is nan,
            # so is the product, and examples are evaluated again.
            zero = builder.constant(np.zeros(1))
            nothing = builder.apply(ops.clip, [builder.number(outputs[0]), zero, zero])
            product = _unless(builder, product, nothing)
            outputs = [builder.broadcast(product, (self.sizes[PARAMETERS],))]
        program, new = builder.program(outputs)
        cotangent_of = {
            new[ct]: new[of] for ct, of in cotangent_of.items() if ct in new and of in new
        }
        first = min((place for old, place in new.items() if old >= backward), default=-1)
        emitter = Emitter(program, arguments, cotangent_of, first, self.paths)
        function = Function(program, emitter, wanted, self._dtype)
        self.seconds += time.perf_counter() - start
        return function

    def _outputs(self, builder: Builder) -> tuple[list[int], list[int | None]]:
        """The results, and for each what is nan where it does not show a nan that is in doubt."""
        outputs = []
        for i, is_condition in zip(self.results, self.are_conditions, strict=True):
            array = builder.fetch(*self.lowering.result(i))
            outputs.append(builder.condition(array) if is_condition else builder.number(array))
        return outputs, doubtful(builder, outputs, self.lowering.ragged)

    def _sources(self, builder: Builder, argnums: tuple[int, ...]) -> list[int]:
        """The arrays to differentiate by: the parameters, or the leaves of some arguments."""
        if not argnums:
            return [builder.leaf("parameters", self.sizes[PARAMETERS], False)]
        return [self._source(builder, leaf) for leaf in self.inputs_of(argnums)]

    def _source(self, builder: Builder, leaf: Leaf) -> int:
        array = builder.leaf(leaf.name, self.sizes[leaf], True, "i" if leaf.is_index else "f")
        return builder.cast(array) if leaf.is_index else array

    def explain(self) -> str:
        """How the scalars became arrays."""
        program = self.shown.program
        counts = Counter(
            instr.op if isinstance(instr.op, str) else "elementwise" for instr in program.instrs
        )
        packs = [p for p in self.packs.packs if not isinstance(p.op, Leaf)]
        lines = [
            f"{len(self.scalars.ops):,} scalars → {len(packs)} packs → "
            f"{program.calls} array instructions, in {self.seconds:.2f} s",
            ", ".join(f"{n} {op}" for op, n in sorted(counts.items())),
        ]
        for p in packs:
            name = "sum of products" if p.op == SUM else getattr(p.op, "name", p.op)
            array = self.lowering.builder.instrs[self.lowering.arrays[p.number]]
            made = array.op if isinstance(array.op, str) else array.op.name
            lines.append(f"  level {p.level:3d}  {len(p.lanes):7,} × {name:16} → {made}")
        gathers = [instr for instr in program.instrs if instr.op == "gather"]
        if not gathers:
            lines.append("regular throughout: no gather")
            return "\n".join(lines)
        lines.append(f"irregular: {len(gathers)} gather{'s' * (len(gathers) > 1)}")
        for instr in sorted(gathers, key=lambda instr: -instr.size)[:_SHOWN]:
            source = program.instrs[instr.operands[0]]
            of = source.fact if source.op == "leaf" else source.name
            lines.append(f"  {instr.size:,} elements picked from the {source.size:,} of {of}")
        return "\n".join(lines)


def _unless(builder: Builder, output: int, doubt: int | None) -> int:
    """`output`, but nan where that is in doubt."""
    if doubt is None:
        return output
    output = builder.number(output)
    if builder.instrs[doubt].is_batched and not builder.instrs[output].is_batched:
        doubt = builder.sum_batch(doubt)
    return builder.apply(ops.sub, [output, doubt])  # which keeps the sign of a zero
