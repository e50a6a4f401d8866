"""`Store`: the instructions made so far, equal ones once, and those that are given or known."""

from collections.abc import Hashable, Iterable, Sequence

import numpy as np
import numpy.typing as npt

from autodiff.compiler.arrays.layout import Shape
from autodiff.compiler.arrays.ops import CAST, CONSTANT, LEAF, VIEW, ArrayOp, Fact, Values
from autodiff.compiler.arrays.program import Instr, Program


class Store:
    """The instructions so far. A method that makes one returns its number."""

    def __init__(self, instrs: Iterable[Instr] = ()) -> None:
        self.instrs = list(instrs)
        self._known = {_key(instr): i for i, instr in enumerate(self.instrs)}

    def program(self, results: Sequence[int]) -> tuple[Program, dict[int, int]]:
        """The instructions on which `results` depend, and a map from old numbers to new."""
        live = set(results)
        for i in range(len(self.instrs) - 1, -1, -1):
            if i in live:
                live.update(self.instrs[i].operands)
        number = {old: new for new, old in enumerate(sorted(live))}
        instrs = []
        for old in number:
            instr = self.instrs[old]
            operands = tuple([number[x] for x in instr.operands])
            instrs.append(
                Instr(instr.op, operands, instr.shape, instr.is_batched, instr.fact, instr.kind)
            )
        return Program(tuple(instrs), tuple(number[result] for result in results)), number

    def enter(self, instr: Instr) -> int:
        """The number of an instruction, a new one unless there is an equal one."""
        known = self._known.setdefault(_key(instr), len(self.instrs))
        if known == len(self.instrs):
            self.instrs.append(instr)
        return known

    def add(
        self,
        op: ArrayOp,
        operands: Sequence[int],
        fact: Fact = None,
        *,
        shape: Shape | None = None,
        is_batched: bool | None = None,
    ) -> int:
        """An array op on operands; its shape and batch where they do not follow from these."""
        if not op.reads_conditions:
            operands = [self.number(i) for i in operands]
        read = [self.instrs[i] for i in operands]
        if shape is None:
            assert op.shape is not None
            shape = op.shape(fact, read)
        if is_batched is None:
            is_batched = any(x.is_batched for x in read)
        kind = "f" if op is CAST else read[0].kind
        return self.enter(Instr(op, tuple(operands), shape, is_batched, fact, kind))

    def shape(self, i: int) -> Shape:
        """The shape of an instruction's array, without the batch axis."""
        return self.instrs[i].shape

    # Given or known

    def leaf(self, name: str, size: int, is_batched: bool, kind: str = "f") -> int:
        """An array that the caller gives."""
        return self.enter(Instr(LEAF, (), (size,), is_batched, name, kind))

    def constant(self, values: npt.ArrayLike) -> int:
        """An array known now; of one element if all its elements are the same."""
        array = np.asarray(values)
        array = array.astype(bool if array.dtype.kind == "b" else float)
        bits = np.ascontiguousarray(array).reshape(-1).view(f"V{array.itemsize}")
        if array.size and (bits == bits[0]).all():
            array = array.reshape(-1)[:1].reshape((1,) * array.ndim)
        return self.known(array)

    def known(self, array: Values) -> int:
        """An array known now, with all its elements."""
        kind = "b" if array.dtype.kind == "b" else "f"
        return self.enter(Instr(CONSTANT, (), array.shape, False, array, kind))

    def beside(self, i: int, x: float) -> int:
        """The constant `x`, of the rank of array `i`."""
        return self.constant(np.full((1,) * len(self.shape(i)), x))

    def is_known(self, i: int) -> bool:
        """Whether `i` is a constant."""
        return self.instrs[i].op is CONSTANT

    def only(self, i: int) -> float | None:
        """The element of a constant that has one; None for anything else."""
        instr = self.instrs[i]
        return float(instr.values.flat[0]) if instr.op is CONSTANT and instr.size == 1 else None

    # Kinds

    def number(self, i: int) -> int:
        """The array as numbers: 1.0 and 0.0 for booleans."""
        return self.cast(i) if self.instrs[i].kind == "b" else i

    def cast(self, i: int) -> int:
        """Integers or booleans as floats."""
        instr = self.instrs[i]
        if instr.op is CONSTANT:
            return self.known(instr.values.astype(float))
        if instr.op is VIEW:  # an array that is read in several ways is cast once
            return self.add(VIEW, [self.cast(instr.operands[0])], instr.view)
        return self.add(CAST, [i])


def _key(instr: Instr) -> Hashable:
    fact: object = instr.fact
    if isinstance(fact, np.ndarray):
        fact = fact.shape, fact.tobytes()
    return instr.op, instr.operands, instr.shape, instr.is_batched, fact, instr.kind
