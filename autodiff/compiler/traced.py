"""`Trace`: one structure of arguments, from the function to the programs that run."""

import inspect
import keyword
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autodiff.compiler.adjoint import adjoint
from autodiff.compiler.emit import Emitter, load
from autodiff.compiler.ir import Builder, Program
from autodiff.compiler.lower import Lowering
from autodiff.compiler.pack import SUM, pack
from autodiff.compiler.scalars import CONSTANTS, PARAMETERS, Leaf, Scalars
from autodiff.compiler.structure import flattened, restored
from autodiff.compiler.trace import Recorder, Tracer, number_of
from autodiff.modes import collector_paused, tracing

_BATCHES = 8  # batch sizes for which a thread keeps arrays

RESERVED = frozenset(
    {"batch", "scale", "dtype", "arrays", "np", "math", "strided", "seed", "parameters", "vector"}
)
"""Names that the emitted text uses for itself."""


class Function:
    """A program as Python: its source, and its arrays for each thread and batch size."""

    def __init__(self, program: Program, emitter: Emitter, name: str, dtype: Any) -> None:
        self.program = program
        self.source = emitter.text
        self._arrays = emitter.arrays
        self._bind = load(self.source, name)
        self._dtype = dtype
        self._local = threading.local()

    def __call__(self, batch: int, scale: float, leaves: Sequence[Any]) -> list[Any]:
        """The results, copied, each with the batch axis first if it has one."""
        bound: OrderedDict[Any, Any] = self._local.__dict__.setdefault("bound", OrderedDict())
        step = bound.get((batch, scale))
        if step is None:
            step = bound[batch, scale] = self._bind(batch, scale, self._dtype, self._arrays)
            if len(bound) > _BATCHES:
                bound.popitem(last=False)
        with np.errstate(all="ignore"):
            results = step(*leaves)
        return [
            # A copy, as the next step writes over its arrays; a constant result is a number.
            x.copy()
            if isinstance(x, np.ndarray)
            else np.full(self._shape(k, batch), x, self._dtype)
            for k, x in enumerate(results)
        ]

    def _shape(self, k: int, batch: int) -> tuple[int, ...]:
        instr = self.program.instrs[self.program.results[k]]
        return (batch, *instr.shape) if instr.is_batched else instr.shape


class Trace:
    """What one structure of arguments traces to, and the functions made of it."""

    def __init__(self, f: Callable[..., Any], specs: tuple[Any, ...], dtype: Any) -> None:
        start = time.perf_counter()
        self.scalars = Scalars()
        self.inputs: list[Leaf] = []
        self.sizes: dict[Leaf, int] = {}
        self.shapes: list[tuple[int, ...]] = []
        self.owner: list[int] = []
        self._dtype = dtype
        self._functions: dict[Any, Function] = {}
        self.order = np.arange(0)  # of its parameters among the kernel's, which sets it
        self.is_in_order = True
        names = _argument_names(f, len(specs))
        with collector_paused():
            args = []
            for k, spec in enumerate(specs):
                args.append(self._tracers(spec, names[k], k))
            try:
                with tracing(Recorder(self.scalars)):
                    result = f(*args)
                scalars = flattened(result)
                self.results = [number_of(self.scalars, x) for x in scalars]
            finally:
                self.scalars.is_closed = True
            self.structure = restored(result, iter(range(len(scalars))))
            self.packs = pack(self.scalars, self.results)
            self.sizes[PARAMETERS] = len(self.scalars.parameters)
            self.sizes[CONSTANTS] = len(self.scalars.constants)
            self.lowering = Lowering(self.scalars, self.packs, self.sizes)
        self.seconds = time.perf_counter() - start

    def _tracers(self, spec: Any, name: str, owner: int) -> Any:
        """The argument that `spec` describes, tracers for its numbers."""
        kind, content, *facts = spec
        if kind == "static":
            return facts[0]
        if kind == "dict":
            return {key: self._tracers(item, f"{name}_{key}", owner) for key, item in content}
        if kind in ("list", "tuple"):
            items = [self._tracers(x, f"{name}_{i}", owner) for i, x in enumerate(content)]
            return tuple(items) if kind == "tuple" else items
        taken = {leaf.name for leaf in self.inputs}
        while not name.isidentifier() or keyword.iskeyword(name) or name in taken:
            name = f"x{len(taken)}" if not name.isidentifier() else f"{name}_"
        leaf = Leaf(name, True, facts[0])
        self.inputs.append(leaf)
        self.shapes.append(content)
        self.owner.append(owner)
        size = self.sizes[leaf] = int(np.prod(content))
        tracers = [Tracer(self.scalars, self.scalars.add(leaf, (k,))) for k in range(size)]
        if not content:
            return tracers[0]
        box = np.empty(size, dtype=object)
        box[:] = tracers
        return box.reshape(content)

    def function(self, wanted: str, argnums: tuple[int, ...] = ()) -> Function:
        """The program for the values alone ("call"), with gradients ("grad"), or "hvp"."""
        found = self._functions.get((wanted, argnums))
        if found is None:
            found = self._functions[wanted, argnums] = self._make(wanted, argnums)
        return found

    @property
    def is_scalar(self) -> bool:
        """Whether the function returns one number, so that it has a gradient."""
        return bool(self.structure == 0)

    @property
    def shown(self) -> Function:
        """The function whose source says most: with gradients if there are any."""
        return self.function("grad" if self.is_scalar else "call")

    def _make(self, wanted: str, argnums: tuple[int, ...]) -> Function:
        start = time.perf_counter()
        builder = Builder(self.lowering.builder.instrs)
        outputs = []
        for i in self.results:
            array, place = self.lowering.result(i)
            outputs.append(builder.fetch(array, np.array([place])))
        arguments = ["parameters", *(leaf.name for leaf in self.inputs)]
        backward = len(builder.instrs)
        names: dict[int, str] = {}
        if wanted != "call":
            sources = self._sources(builder, argnums)
            seed = builder.leaf("seed", 1, True)
            outputs += adjoint(builder, [(outputs[0], seed)], sources, names)
        if wanted == "hvp":
            arguments.append("vector")
            vector = builder.leaf("vector", self.sizes[PARAMETERS], False)
            # The gradient is a function of the parameters whose adjoint at `vector` is H vector.
            outputs = adjoint(builder, [(outputs[-1], vector)], self._sources(builder, ()), names)
        program, renumbered = builder.program(outputs)
        names = {renumbered[i]: name for i, name in names.items() if i in renumbered}
        forward = [new for old, new in renumbered.items() if old >= backward]
        emitter = Emitter(program, arguments, names, min(forward, default=-1))
        function = Function(program, emitter, f"{id(self)}, {wanted}", self._dtype)
        self.seconds += time.perf_counter() - start
        return function

    def _sources(self, builder: Builder, argnums: tuple[int, ...]) -> list[int]:
        """The arrays to differentiate by: the parameters, or the leaves of some arguments."""
        if not argnums:
            return [builder.leaf("parameters", self.sizes[PARAMETERS], False)]
        return [
            builder.leaf(leaf.name, self.sizes[leaf], True)
            for leaf, owner in zip(self.inputs, self.owner, strict=True)
            if owner in argnums
        ]

    def explain(self) -> str:
        """How the scalars became arrays."""
        program = self.shown.program
        counts = Counter(
            instr.op if isinstance(instr.op, str) else "elementwise" for instr in program.instrs
        )
        packs = [p for p in self.packs.packs if not isinstance(p.op, Leaf)]
        gathered = sum(instr.op == "gather" for instr in program.instrs)
        lines = [
            f"{len(self.scalars.ops):,} scalars → {len(packs)} packs → "
            f"{len(program.instrs)} array instructions, in {self.seconds:.2f} s",
            ", ".join(f"{n} {op}" for op, n in sorted(counts.items())),
        ]
        for p in packs:
            name = "sum of products" if p.op == SUM else getattr(p.op, "name", p.op)
            array = self.lowering.builder.instrs[self.lowering.arrays[p.number]]
            made = array.op if isinstance(array.op, str) else array.op.name
            lines.append(f"  level {p.level:3d}  {len(p.lanes):7,} × {name:16} → {made}")
        lines.append(
            f"irregular: {gathered} gathers" if gathered else "regular throughout: no gather"
        )
        return "\n".join(lines)


def _argument_names(f: Callable[..., Any], count: int) -> list[str]:
    try:
        names = list(inspect.signature(f).parameters)
    except (TypeError, ValueError):
        names = []
    if len(names) < count or len(set(names)) < len(names):
        names = [f"x{k}" for k in range(count)]
    return [f"{name}_in" if name in RESERVED else name for name in names]
