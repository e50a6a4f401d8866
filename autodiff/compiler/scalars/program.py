"""The scalar program: one instruction per number, equal ones once; its verifier and its printer."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from autodiff import ops
from autodiff.compiler.algebra import SCALARS, simplified, waits
from autodiff.engine.value import Value
from autodiff.rows.primitive import Primitive


@dataclass(eq=False, slots=True)
class Leaf:
    """A source of scalars: the parameters, the constants, or one array of the arguments."""

    name: str
    is_batched: bool = False
    is_index: bool = False
    """Whether it may choose elements; once the function is traced, whether it does."""
    size: int = 0
    """How many numbers one example has; parameters and constants are counted by the program."""


TAKE = "take"
"""The op of a choice by an index that is known at run time; the index is the last operand."""

PARAMETERS = Leaf("parameters")
CONSTANTS = Leaf("constants")


@dataclass(eq=False)
class Scalars:
    """Instructions in order of creation; each is an op, or a leaf, and its operands.

    The operands of a leaf's instruction are its lane in that leaf, of an op's the numbers of
    earlier instructions.
    """

    ops: list[Any] = field(default_factory=list)
    operands: list[tuple[int, ...]] = field(default_factory=list)
    parameters: list[Value] = field(default_factory=list)
    constants: list[float] = field(default_factory=list)
    is_closed: bool = False
    own: set[Any] = field(default_factory=set)
    """The Values made while the function is traced: they are constants."""
    _known: dict[Any, dict[tuple[int, ...], int]] = field(default_factory=lambda: defaultdict(dict))
    """For each op, the numbers of its instructions by their operands."""
    _constants: dict[str, int] = field(default_factory=dict)
    _values: dict[Value, int] = field(default_factory=dict)
    _is_still: list[bool] = field(default_factory=list)
    """For the first instructions, whether nothing flows back from them."""

    def __str__(self) -> str:
        return "\n".join(map(self.line, range(len(self.ops))))

    def line(self, i: int) -> str:
        """One instruction as text: `%5 = mul(%0, %3)`, `%0 = x[2]`, or a constant."""
        op, operands = self.ops[i], self.operands[i]
        if op is CONSTANTS:
            return f"%{i} = {self.constants[operands[0]]!r}"
        if isinstance(op, Leaf):
            return f"%{i} = {op.name}[{operands[0]}]"
        name = op if isinstance(op, str) else op.name
        return f"%{i} = {name}({', '.join(f'%{k}' for k in operands)})"

    def verify(self) -> None:
        """Raise AssertionError unless operands come first and every op has its operands."""
        for i, (op, operands) in enumerate(zip(self.ops, self.operands, strict=True)):
            if isinstance(op, Leaf):
                (lane,) = operands
                assert 0 <= lane < self.size(op), f"{self.line(i)}: out of bounds"
                continue
            assert all(0 <= k < i for k in operands), f"{self.line(i)}: an operand not before"
            if op is TAKE:
                index = self.ops[operands[-1]]
                assert isinstance(index, Leaf), f"{self.line(i)}: the index is not an argument"
                assert len(operands) > 1, f"{self.line(i)}: nothing to choose from"
            else:
                assert isinstance(op, Primitive), f"{self.line(i)}: no op"
                assert op.arity in (None, len(operands)), f"{self.line(i)}: operands"

    def size(self, leaf: Leaf) -> int:
        """How many lanes a leaf has."""
        if leaf is CONSTANTS:
            return len(self.constants)
        return len(self.parameters) if leaf is PARAMETERS else leaf.size

    def close(self) -> None:
        """Forget what only tracing needs; tracers of a closed program refuse to be used."""
        self.is_closed = True
        for kept in (self._known, self._values, self.own):
            kept.clear()

    def add(self, op: Any, operands: tuple[int, ...]) -> int:
        """The number of the instruction, a new one unless there is an equal one."""
        alike = self._known[op]
        known = alike.get(operands)
        if known is None:
            known = alike[operands] = len(self.ops)
            self.ops.append(op)
            self.operands.append(operands)
        return known

    def constant(self, x: float) -> int:
        """The number of a constant; -0.0 and 0.0 are two, all nan are one."""
        key = x.hex()
        known = self._constants.get(key)
        if known is None:
            known = self._constants[key] = self.add(CONSTANTS, (len(self.constants),))
            self.constants.append(x)
        return known

    def value(self, root: Value) -> int:
        """The number of a Value: a parameter if it is a leaf, else imported with its graph.

        A graph is imported in the order in which it was written, operands from first to last.
        """
        stack: list[Any] = [root]
        while stack:
            node = stack.pop()
            if node in self._values or node in self.own:
                continue
            unknown = [x for x in node.operands if x not in self._values and x not in self.own]
            if unknown:
                stack.append(node)
                stack.extend(reversed(unknown))
            elif node.op is None:
                self._values[node] = self.add(PARAMETERS, (len(self.parameters),))
                self.parameters.append(node)
            else:
                numbers = tuple([self._argument(x) for x in node.arguments])
                self._values[node] = self.apply(node.op, numbers)
        return self._argument(root)

    def _argument(self, x: Any) -> int:
        """The number of a Value that is imported, of one of its own, or of a constant."""
        if not isinstance(x, Value):
            return self.constant(x)
        return self.constant(x._primal) if x in self.own else self._values[x]

    def still(self, i: int) -> int:
        """`stop_gradient` of an instruction; itself if nothing flows back from it anyway."""
        for k in range(len(self._is_still), len(self.ops)):
            op = self.ops[k]
            if isinstance(op, Leaf):
                self._is_still.append(op is CONSTANTS)
            else:
                is_cut = isinstance(op, Primitive) and (op.stops or op.is_predicate)
                self._is_still.append(is_cut or all(self._is_still[x] for x in self.operands[k]))
        return i if self._is_still[i] else self.apply(ops.stop_gradient, (i,))

    def apply(self, row: Primitive, operands: Sequence[int]) -> int:
        """The number of an op's result, in a simpler form if there is one."""
        if all(self.ops[i] is CONSTANTS for i in operands):
            numbers = [self.constants[self.operands[i][0]] for i in operands]
            return self.constant(float(row.value_at(numbers)))
        if waits(row):
            return self.add(row, tuple(operands))
        simpler = simplified(SCALARS, self, row, operands)
        return self.add(row, tuple(operands)) if simpler is None else simpler

    # What the identities of `algebra` ask

    def only(self, i: int) -> float | None:
        """The number of a constant; None for anything else."""
        return self.constants[self.operands[i][0]] if self.ops[i] is CONSTANTS else None

    def operands_of(self, i: int, row: Primitive) -> tuple[int, ...] | None:
        """The operands of `i` if it is a `row`."""
        return self.operands[i] if self.ops[i] is row else None

    def beside(self, i: int, x: float) -> int:
        """The constant `x`."""
        return self.constant(x)

    def spans(self, i: int, operands: Sequence[int]) -> bool:
        """True: a scalar has one shape."""
        return True

    def spread(self, i: int, operands: Sequence[int]) -> int:
        """`i` itself."""
        return i
