"""What all lines are written with: the names, arrays and records of one program so far."""

from collections.abc import Mapping, Sequence

from autodiff.compiler.arrays.layout import Positions, View, contiguous
from autodiff.compiler.arrays.ops import CONSTANT, SCATTER
from autodiff.compiler.arrays.program import Instr, Program
from autodiff.compiler.numpy.memory import Memory, Slot, starts
from autodiff.compiler.numpy.names import ArrayNames
from autodiff.compiler.numpy.records import NOTHING, Expr, Line, Piece, name, written
from autodiff.compiler.numpy.runtime import Array
from autodiff.compiler.numpy.views import view_of


class Writer:
    """Collects the `lines` of a program, and the `arrays` that they read but cannot write down."""

    def __init__(
        self,
        program: Program,
        leaves: Sequence[str],
        cotangent_of: Mapping[int, int],
        paths: Sequence[str],
    ) -> None:
        self.program = program
        self.memory = Memory(program)
        self.live = self.memory.live
        self.names = ArrayNames(program, leaves, cotangent_of, paths)
        self.lines: list[Line] = []
        self.arrays: list[Array] = []
        self.transposed: dict[str, Expr] = {}
        """For the name of a transpose, the matrix."""
        self.indices: dict[tuple[int, str, int], Expr] = {}
        """The names of positions that run-time indices choose."""
        self._per_step = set(leaves)
        """Names that are bound anew in each step."""
        self._bound: dict[str, Expr] = {}
        self._known: dict[tuple[object, ...], int] = {}

    # Lines

    def assign(self, new: str, expression: Expr, comment: str = "", is_step: bool = False) -> Expr:
        """Bind a new name: in each step if `is_step` or if what it reads is; else once."""
        is_step = is_step or not self.is_bound_once(expression)
        if is_step:
            self._per_step.add(new)
        self.lines.append(Line(expression, binds=new, comment=comment, is_step=is_step))
        return name(new)

    def bind(self, expression: Expr, stem: str, comment: str = "") -> Expr:
        """A name, made of `stem`, for an expression; the same for equal ones."""
        known = self._bound.get(str(expression))
        if known is None:
            known = self.assign(self.names.plain(stem), expression, comment)
            self._bound[str(expression)] = known
        return known

    def compute(self, i: int, stem: str, expression: Expr) -> Expr:
        """A new name for something that the line of `i` needs."""
        return self.assign(self.names.numbered(stem), expression, is_step=self.is_step(i))

    def write(
        self,
        i: int,
        expression: Expr,
        into: Expr | None = None,
        sign: str = "=",
        when: Expr | None = None,
    ) -> None:
        """Add a line for `i` that writes into an array, `when` a condition holds."""
        self.lines.append(Line(expression, "", into, sign, when, is_step=self.is_step(i)))

    def finish(self, i: int, expression: Expr, into: Expr | None = None) -> None:
        """Add the line for `i` that says the shape of its result."""
        shape = self.shape(self.program.instrs[i])
        self.lines.append(Line(expression, into=into, comment=shape, is_step=self.is_step(i)))

    def is_step(self, i: int) -> bool:
        """Whether `i` has to be computed in each step."""
        return i not in self.live.static

    def is_bound_once(self, expression: Expr) -> bool:
        """Whether no step binds a name that an expression reads."""
        return self._per_step.isdisjoint(expression.reads)

    # Expressions

    def operands(self, instr: Instr) -> list[Expr]:
        """The names of operands, or their numbers; nothing for those that have no array."""
        return [self.names.of.get(operand, NOTHING) for operand in instr.operands]

    def array(self, values: Array | Positions, stem: str, suffix: str = "") -> Expr:
        """A name for an array that comes with the text; the same for equal ones."""
        key = values.shape, values.dtype.str, values.tobytes(), suffix
        number = self._known.setdefault(key, len(self.arrays))
        if number == len(self.arrays):
            self.arrays.append(values)
        return self.bind(written("arrays[{}]{}", number, suffix), stem)

    def shape(self, instr: Instr) -> str:
        """The shape of an array, with its batch."""
        sizes = list(map(str, instr.shape))
        if instr.is_batched:
            sizes.insert(len(sizes) if self.memory.batch_last else 0, "batch")
        return f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(sizes)})"

    def indexed(self, array: Expr, instr: Instr, at: Piece) -> Expr:
        """An array at an index of its first axis besides that of the batch."""
        return written("{}[{}{}]", array, ":, " * self.memory.axis(instr), at)

    def view(self, array: Expr, instr: Instr, view: View) -> Expr:
        """The expression of a view of an array."""
        return view_of(array, instr, view, self.memory.batch_last)

    def flat(self, i: int, array: Expr) -> Expr:
        """The array of `i` with a single axis besides that of the batch."""
        instr = self.program.instrs[i]
        shape = (instr.size,)
        text = self.view(array, instr, View(0, shape, contiguous(shape)))
        return self.bind(text, f"{array}_flat")

    def beside(self, i: int, operand: int) -> Expr:
        """An operand of `i`, as a column if it meets arrays whose batch comes last."""
        array, instr = self.names.of[operand], self.program.instrs[operand]
        if not self.memory.batch_last or instr.is_batched or instr.size == 1:
            return array
        if not self.program.instrs[i].is_batched:
            return array
        return self.bind(written("{}[:, None]", array), f"{array}_column")

    def transpose(self, matrix: Expr) -> Expr:
        """The name of a matrix's transpose."""
        known = self.transposed.get(str(matrix))
        return known or self.bind(written("{}.T", matrix), f"{matrix}_T")

    # Arrays of results

    def empty(self, instr: Instr, kind: str = "empty") -> Expr:
        """The expression that allocates an array."""
        dtype = {"b": "bool", "i": "int"}.get(instr.kind, "dtype")
        return written("np.{}({}, {})", kind, self.shape(instr), dtype)

    def out(self, i: int) -> Expr:
        """The array that `i` writes, where `Memory` has put it."""
        slot = self.memory.slots.get(i)
        if slot is not None:
            return self._in_slot(i, slot)
        new = self.names.result(i)
        operand = self.memory.over.get(i)
        if operand is None:
            array = self.assign(new, self.empty(self.program.instrs[i]))
        else:
            array = self.assign(new, self.names.of[operand], "in its memory")
        self.names.of[i] = array
        return array

    def _in_slot(self, i: int, slot: Slot) -> Expr:
        whole = self.program.instrs[slot.whole]
        new = self.names.gradient(slot.whole, slot.view) or self.names.result(i)
        self.names.of[i] = name(new)
        if slot.operand < 0:  # in the order in which it is read
            ordered = self.assign(self.names.plain(f"{new}_ordered"), self.empty(whole))
            self.names.of[slot.whole] = ordered
        else:
            ordered = self.whole(slot.whole)
        return self.assign(new, self.view(ordered, whole, slot.view))

    def whole(self, i: int) -> Expr:
        """The array of a scatter or a concatenation, allocated with what never changes in it."""
        if i in self.names.of:
            return self.names.of[i]
        instr = self.program.instrs[i]
        new = self.names.result(i)
        self.names.of[i] = name(new)
        if instr.op is SCATTER:
            kind = "empty" if self.memory.is_filled(i) else "zeros"
            return self.assign(new, self.empty(instr, kind), is_step=self.memory.is_fresh(i))
        array = self.assign(new, self.empty(instr))
        for start, operand in starts(self.program, instr):
            made = self.program.instrs[operand]
            if made.op is CONSTANT:
                self.constant(operand)
                span = self.indexed(array, instr, f"{start}:{start + made.size}")
                self.lines.append(Line(self.beside(i, operand), into=span, is_step=False))
        return array

    def constant(self, i: int) -> Expr:
        """A constant as a number, or the name of its array."""
        if i not in self.names.of:
            instr = self.program.instrs[i]
            if i in self.live.numbers:
                known = Expr((repr(self.live.numbers[i]),))
            elif instr.kind == "b":
                known = self.array(instr.values, "mask")
            else:
                known = self.array(instr.values, "constant", ".astype(dtype)")
            self.names.of[i] = known
        return self.names.of[i]
