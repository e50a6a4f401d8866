"""`explain`: how the scalars of a function became arrays, and what stayed irregular."""

from collections import Counter

from autodiff.compiler.arrays.ops import GATHER, LEAF, ArrayOp
from autodiff.compiler.scalars.program import Leaf
from autodiff.compiler.specialization import Specialization

_SHOWN = 10
"""How many gathers are listed."""


def explain(made: Specialization) -> str:
    """Counts of scalars, packs and instructions, a line per pack, and the largest gathers."""
    program, analyzed = made.shown.program, made.analyzed
    counts = Counter(
        instr.op.name if isinstance(instr.op, ArrayOp) else "elementwise"
        for instr in program.instrs
    )
    packs = [p for p in analyzed.packs.packs if not isinstance(p.op, Leaf)]
    lines = [
        f"{len(analyzed.traced.scalars.ops):,} scalars → {len(packs)} packs → "
        f"{program.calls} array instructions, in {made.seconds:.2f} s",
        ", ".join(f"{n} {op}" for op, n in sorted(counts.items())),
    ]
    for p in packs:
        array = analyzed.lowered.instrs[analyzed.lowered.arrays[p.number]]
        lines.append(f"  level {p.level:3d}  {len(p.lanes):7,} × {p.name:16} → {array.name}")
    gathers = [instr for instr in program.instrs if instr.op is GATHER]
    if not gathers:
        lines.append("regular throughout: no gather")
        return "\n".join(lines)
    lines.append(f"irregular: {len(gathers)} gather{'s' * (len(gathers) > 1)}")
    for instr in sorted(gathers, key=lambda instr: -instr.size)[:_SHOWN]:
        source = program.instrs[instr.operands[0]]
        of = source.fact if source.op is LEAF else source.name
        lines.append(f"  {instr.size:,} elements picked from the {source.size:,} of {of}")
    return "\n".join(lines)
