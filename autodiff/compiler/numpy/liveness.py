"""Which instructions read each array, and until when it is needed."""

import math
from collections import Counter

from autodiff.compiler.arrays.ops import CONSTANT, LEAF, SUM, SUM_BATCH, VIEW
from autodiff.compiler.arrays.program import Instr, Program, base
from autodiff.rows.primitive import Primitive


class Liveness:
    """The readers of each array of a program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.results = frozenset(program.results)
        self.readers: dict[int, list[int]] = {}
        self.uses: Counter[int] = Counter(program.results)
        """How often each array is read, or is a result."""
        self.viewed: set[int] = set()
        """Arrays that a view looks at."""
        self.static: set[int] = set()
        """Instructions whose result is the same in every step of one batch size."""
        self.fused: set[int] = set()
        """Products that are summed as they are made: a dot along the last axis, or the batch."""
        self.last: dict[int, int] = {}
        """For each array, the last instruction that reads it, itself or through a view."""
        self.numbers: dict[int, float] = {}
        """The constants that the text writes as numbers."""
        for i, instr in enumerate(program.instrs):
            self._read(i, instr)
        for i, instr in enumerate(program.instrs):
            if self._is_fused(i, instr):
                self.fused.add(i)
            read = self.readers[i][0] if i in self.fused else i
            for operand in instr.operands:
                array = self.base(operand)
                self.last[array] = max(read, self.last.get(array, 0))
            if instr.op is CONSTANT:
                self._find_number(i, instr)
        end = len(program.instrs)
        self.last.update(dict.fromkeys(map(self.base, program.results), end))

    def base(self, i: int) -> int:
        """The instruction whose array holds the elements of `i`: itself, unless a view."""
        return base(self.program.instrs, i)

    def _read(self, i: int, instr: Instr) -> None:
        for operand in instr.operands:
            self.uses[operand] += 1
            self.readers.setdefault(operand, []).append(i)
        if instr.op is VIEW:
            self.viewed.add(instr.operands[0])
        is_given = instr.op is LEAF and instr.leaf != "seed"
        if not is_given and self.static.issuperset(instr.operands):
            self.static.add(i)

    def _is_fused(self, i: int, instr: Instr) -> bool:
        is_product = isinstance(instr.op, Primitive) and instr.op.multiplies
        if not is_product or self.uses[i] > 1 or i in self.results:
            return False
        made = [self.program.instrs[operand] for operand in instr.operands]
        reader = self.program.instrs[self.readers[i][0]]
        if any(x.op is CONSTANT or x.kind != "f" for x in made):
            return False
        if reader.op is SUM_BATCH:
            return all(x.size == 1 and x.is_batched for x in made)
        is_last = reader.op is SUM and reader.axes == (len(instr.shape) - 1,)
        return is_last and all(x.shape == instr.shape for x in made)

    def _find_number(self, i: int, instr: Instr) -> None:
        if instr.size != 1 or i in self.results:
            return
        readers = [self.program.instrs[reader].op for reader in self.readers.get(i, ())]
        value: float = instr.values.flat[0].item()
        may_be_number = all(isinstance(op, Primitive) or op.takes_numbers for op in readers)
        if may_be_number and math.isfinite(value):
            self.numbers[i] = value
