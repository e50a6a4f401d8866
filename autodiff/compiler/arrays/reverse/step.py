"""`Step`: an instruction on the way back, and the cotangent of its result."""

from dataclasses import dataclass

from autodiff.compiler.arrays.builder import Builder
from autodiff.compiler.arrays.program import Instr
from autodiff.compiler.arrays.reverse.cotangents import Cotangents


@dataclass(frozen=True, slots=True)
class Step:
    """Instruction `i` and its cotangent, from which a rule makes those of its operands."""

    cotangents: Cotangents
    i: int
    instr: Instr
    ct: int

    @property
    def builder(self) -> Builder:
        """The program that is extended."""
        return self.cotangents.builder

    def operand(self, k: int) -> Instr:
        """The instruction of operand k."""
        return self.builder.instrs[self.instr.operands[k]]

    def depends(self, operand: int) -> bool:
        """Whether an operand depends on what is differentiated by."""
        return operand in self.cotangents.dependent

    def give(self, k: int, ct: int) -> None:
        """Add to the cotangent of operand k."""
        self.cotangents.give(self.instr.operands[k], ct)
