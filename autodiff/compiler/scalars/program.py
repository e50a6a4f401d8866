"""The scalar program: one instruction per number, equal ones once; its verifier and its printer."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from autodiff import ops
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
    """Of each op, the number of the instruction that has these operands."""
    _constants: dict[str, int] = field(default_factory=dict)
    _values: dict[Value, int] = field(default_factory=dict)
    _is_still: list[bool] = field(default_factory=list)
    """Of the instructions so far for which it was asked: whether nothing flows back from them."""

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
                assert isinstance(index, Leaf), f"{self.line(i)}: the index is no argument"
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
        """Take no further instructions, and forget what only these would need."""
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
                is_cut = op is ops.stop_gradient or getattr(op, "is_predicate", False)
                self._is_still.append(is_cut or all(self._is_still[x] for x in self.operands[k]))
        return i if self._is_still[i] else self.apply(ops.stop_gradient, (i,))

    def apply(self, row: Primitive, operands: Sequence[int]) -> int:
        """The number of an op's result, in a simpler form if there is one."""
        if all(self.ops[i] is CONSTANTS for i in operands):
            numbers = [self.constants[self.operands[i][0]] for i in operands]
            return self.constant(float(row.value_at(numbers)))
        rewrite = _REWRITES.get(row)
        known = rewrite(self, *operands) if rewrite else None
        return self.add(row, tuple(operands)) if known is None else known

    def is_constant(self, i: int, value: float) -> bool:
        """Whether an instruction is this constant, to the sign of a zero."""
        return self._constants.get(value.hex()) == i

    def dot(self, *wx: int) -> int:
        """A dot as a sum of products."""
        half = len(wx) // 2
        products = [self.apply(ops.mul, pair) for pair in zip(wx[:half], wx[half:], strict=True)]
        return self.add(ops.sum, tuple(products))

    def mean(self, *xs: int) -> int:
        """A mean as a sum and a quotient."""
        return self.apply(ops.div, (self.apply(ops.sum, xs), self.constant(float(len(xs)))))

    def where(self, condition: int, x: int, y: int) -> int | None:
        """The branch taken, if that is known."""
        if self.ops[condition] is not CONSTANTS:
            return None
        return x if self.constants[self.operands[condition][0]] else y


def _add(self: Scalars, x: int, y: int) -> int | None:
    for zero, other in ((x, y), (y, x)):
        if self.is_constant(zero, -0.0):
            return other
        if self.is_constant(zero, 0.0):
            return _from_zero(self, other)
    return None


def _sub(self: Scalars, x: int, y: int) -> int | None:
    if self.is_constant(y, -0.0):
        return _from_zero(self, x)
    return x if self.is_constant(y, 0.0) else None


def _from_zero(self: Scalars, x: int) -> int:
    """0 + x, which is x but for -0.0: where a loop of sums began.

    It is a reduction of one term, in one pack with the longer.
    """
    return x if self.ops[x] is ops.sum else self.add(ops.sum, (x,))


def _mul(self: Scalars, x: int, y: int) -> int | None:
    return y if self.is_constant(x, 1.0) else x if self.is_constant(y, 1.0) else None


def _pow(self: Scalars, x: int, y: int) -> int | None:
    power = x
    for exponent in (1.0, 2.0, 3.0, 4.0):
        if self.is_constant(y, exponent):
            return power
        power = self.apply(ops.mul, (x, power))
    return None


def _only(self: Scalars, *xs: int) -> int | None:
    return xs[0] if len(xs) == 1 else None


# Each gives a simpler equal instruction, or None.
_REWRITES: dict[Primitive, Any] = {
    ops.add: _add,  # 0 + x → sum(x), -0 + x → x
    ops.sub: _sub,  # x - 0 → x, x - -0 → sum(x)
    ops.mul: _mul,  # 1 * x → x
    ops.div: lambda self, x, y: x if self.is_constant(y, 1.0) else None,  # x / 1 → x
    ops.pow: _pow,  # x ** 1 → x, x ** 2 → x * x, up to 4
    ops.dot: Scalars.dot,
    ops.mean: Scalars.mean,
    ops.where: Scalars.where,  # where(True, x, y) → x
    ops.take: lambda self, x: x,
    ops.prod: _only,
}
