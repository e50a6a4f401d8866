"""Array program → NumPy source.

The text has two parts. `bind` runs once for each batch size: it allocates every array and makes
every view, so that `step`, which it returns, consists of calls that write into them.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from textwrap import wrap
from typing import Any

from autodiff.compiler.arrays.layout import View
from autodiff.compiler.arrays.ops import CONCATENATE, CONSTANT, LEAF, SCATTER, VIEW
from autodiff.compiler.arrays.program import Instr, Program
from autodiff.compiler.numpy.lines import line_of
from autodiff.compiler.numpy.memory import Homes, Place, covers, is_disjoint, starts
from autodiff.compiler.numpy.names import Names, common_name, identifier
from autodiff.compiler.numpy.views import view_text
from autodiff.rows.primitive import Primitive

WIDTH = 92
"""The longest line, without the eight columns before it."""
LARGE = 8192
"""From how many elements on a copy takes longer than the views that it would save."""

_WORD = re.compile(r"[^\W\d]\w*")


class Emitter:
    """Writes one program: `text` is its source, `arrays` the constants and indices it names.

    `cotangent_of` says of which array another is the cotangent, `backward` where the backward
    pass begins, `paths` what the user calls each parameter.
    """

    def __init__(
        self,
        program: Program,
        leaves: Sequence[str],
        cotangent_of: Mapping[int, int] | None = None,
        backward: int = -1,
        paths: Sequence[str] = (),
    ) -> None:
        self.program = program
        self.leaves = leaves
        self.arrays: list[Any] = []
        self.binding: list[str] = []
        self.steps: list[str] = []
        self.names: dict[int, str] = {}
        self.homes = Homes(program)
        self.batch_last = has_rows_alone(program)
        """Whether arrays are (n, batch): their parts, also those in front of a 1, are one piece."""
        self.indices: dict[Any, str] = {}
        """Names of the places that run-time indices choose."""
        self.straight: dict[str, str] = {}
        """Of the name of a transposed matrix, that of the matrix."""
        self._cotangent_of = cotangent_of or {}
        self._paths = paths
        self._new = Names(leaves)
        self._bound: dict[str, str] = {}
        self.stepwise = set(leaves)
        self._places_of: dict[Any, int] = {}
        self._owned: dict[int, int] = {}
        for i, instr in enumerate(program.instrs):
            if i == backward:
                self.steps.append("# backward")
            names = [self.names.get(x, "") for x in instr.operands]
            if instr.op is LEAF:
                self._leaf(i, instr)
            elif instr.op is CONSTANT:
                self._constant(i, instr)
            elif instr.op is VIEW:
                self._view(i, instr, *names)
            else:
                line_of(instr)(self, i, instr, *names)

    @property
    def fresh(self) -> list[bool]:
        """Whether each result is an array that no later step writes over."""
        instrs = self.program.instrs
        return [
            instrs[i].op is SCATTER and self.names[i] in self.stepwise for i in self.program.results
        ]

    @property
    def text(self) -> str:
        """The source of the program."""
        turned = [
            self.batch_last and self.program.instrs[i].is_batched for i in self.program.results
        ]
        results = "".join(
            f"{self.names[i]}{'.T' * turn}, "
            for i, turn in zip(self.program.results, turned, strict=True)
        ).rstrip()
        used = set(_WORD.findall(results))
        steps = _needed(self.steps, used)
        lines = ["def bind(batch, scale, dtype, arrays):"]
        lines += [f"    {line}" for line in _broken(_needed(self.binding, used))]
        lines += ["", f"    def step({', '.join(self.leaves)}):"]
        lines += [f"        {line}" for line in _broken(steps)]
        lines += [f"        return {results or '()'}", "", "    return step", ""]
        return "\n".join(lines)

    # Names and arrays

    def bind(self, expression: str, stem: str) -> str:
        """A name, made of `stem`, for an expression that `bind` evaluates once."""
        known = self._bound.get(expression)
        if known is None:
            known = self._bound[expression] = self._new.plain(stem)
            self.binding.append(f"{known} = {expression}")
        return known

    def part(self, of: str, expression: str, stem: str) -> str:
        """As `bind`, of an array that may be an argument or made in each step: then steps do it."""
        if of not in self.stepwise:
            return self.bind(expression, stem)
        known = self._bound.get(expression)
        if known is None:
            known = self._bound[expression] = self._new.plain(stem)
            self.stepwise.add(known)
            self.steps.append(f"{known} = {expression}")
        return known

    def array(self, values: Any, stem: str, suffix: str = "") -> str:
        """A name for an array that the text cannot spell; equal ones once."""
        key = (values.shape, values.dtype.str, values.tobytes(), suffix)
        place = self._places_of.setdefault(key, len(self.arrays))
        if place == len(self.arrays):
            self.arrays.append(values)
        return self.bind(f"arrays[{place}]{suffix}", stem)

    def shape_text(self, instr: Instr, shape: Sequence[int] | None = None) -> str:
        """The shape of an array, with its batch."""
        sizes = list(map(str, shape or instr.shape))
        if instr.is_batched:
            sizes.insert(len(sizes) if self.batch_last else 0, "batch")
        return f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(sizes)})"

    def axis(self, instr: Instr) -> int:
        """The first axis of an array that is not that of the batch."""
        return int(instr.is_batched and not self.batch_last)

    def span(self, instr: Instr, at: str) -> str:
        """An index of that axis."""
        return f"[{':, ' * self.axis(instr)}{at}]"

    def view_text(self, name: str, instr: Instr, view: View) -> str:
        """The expression of a view of an array."""
        if not (self.batch_last and instr.is_batched):
            return view_text(name, instr, view)
        one = f"{name}[{view.offset}:{view.offset + 1}]"
        if view.repeated:
            return f"np.broadcast_to({one}, ({view.shape[0]}, batch))"
        return view_text(name, replace(instr, is_batched=False), view)

    def beside(self, i: int, operand: int) -> str:
        """The name of an operand, as a column if it meets arrays whose batch comes last."""
        name, instr = self.names[operand], self.program.instrs[operand]
        if not self.batch_last or instr.is_batched or instr.size == 1:
            return name
        is_column = self.program.instrs[i].is_batched
        return self.part(name, f"{name}[:, None]", f"{name}_column") if is_column else name

    def empty(self, instr: Instr, kind: str = "empty") -> str:
        """The expression that allocates an array."""
        dtype = {"b": "bool", "i": "int"}.get(instr.kind, "dtype")
        return f"np.{kind}({self.shape_text(instr)}, {dtype})"

    def _cotangent_stem(self, i: int) -> str:
        """d_ and the name of what `i` is the cotangent of, if it is one."""
        of = self.names.get(self._cotangent_of.get(i, -1), "")
        return f"d_{of.rstrip('_')}" if of.isidentifier() else ""

    def name(self, i: int) -> str:
        """A new name for what an instruction computes."""
        stem = self._cotangent_stem(i)
        if stem:
            return self._new.plain(stem)
        instr = self.program.instrs[i]
        ends = [self.program.instrs[operand].op for operand in instr.operands[1:]]
        if instr.op is CONCATENATE and ends == [CONSTANT] and instr.operands[0] in self.names:
            return self._new.plain(f"{self.names[instr.operands[0]].rstrip('_')}_and_1")
        return self._new.numbered(stem_of(instr) or "op")

    def out(self, i: int, instr: Instr, may_overwrite: bool = False) -> str:
        """The array that instruction `i` writes: at its place in another, or of its own."""
        place = self.homes.places.get(i)
        if place is not None:
            return self._out_at(i, place)
        name = self.name(i)
        for operand in instr.operands if may_overwrite else ():
            if self.over(i, instr, operand, name):
                return name
        self._owned[i] = i
        self.binding.append(f"{name} = {self.empty(instr)}")
        self.names[i] = name
        return name

    def over(self, i: int, instr: Instr, operand: int, name: str = "") -> str:
        """The memory of an operand that nothing else reads any more, for its result; "" if not."""
        if i in self.homes.places or not self._is_dying(operand, i, instr):
            return ""
        name = name or self.name(i)
        owner = self._owned[i] = self._owned[self.homes.base(operand)]
        self.homes.last[owner] = self.homes.last.get(i, i)
        self.binding.append(f"{name} = {self.names[operand]}  # in its memory")
        self.names[i] = name
        return name

    def numbered(self, stem: str) -> str:
        """`stem` with a number that makes it new."""
        return self._new.numbered(stem)

    def _out_at(self, i: int, place: Place) -> str:
        whole = self.program.instrs[place.whole]
        name = self.names[i] = self._gradient_name(place) or self.name(i)
        if place.part < 0:  # in the order in which it is read
            ordered = self.names[place.whole] = self._new.plain(f"{name}_ordered")
            self.binding.append(f"{ordered} = {self.empty(whole)}")
        else:
            ordered = self.whole(place.whole, whole)
        line = f"{name} = {self.view_text(ordered, whole, place.view)}"
        if ordered in self.stepwise:
            self.stepwise.add(name)
            self.steps.append(line)
        else:
            self.binding.append(line)
        return name

    def _gradient_name(self, place: Place) -> str:
        """Of a part of a gradient, after the part of the parameters that it belongs to."""
        of = self._cotangent_of.get(place.whole)
        if of is None or self.program.instrs[of].leaf != "parameters":
            return ""
        stem = self._part_name(place.view)
        return self._new.plain(f"d_{stem}") if stem else ""

    def _is_dying(self, operand: int, i: int, instr: Instr) -> bool:
        """Whether instruction `i`, of the same shape, is the last to read an operand's memory."""
        made = self.program.instrs[operand]
        base = self.homes.base(operand)
        owner = self._owned.get(base)
        return (
            owner is not None
            and self.homes.last[owner] == i
            and base not in self.homes.static
            and (made.shape, made.is_batched, made.kind)
            == (instr.shape, instr.is_batched, instr.kind)
            and (made.op is not VIEW or made.view.is_run())
            and self.program.instrs[owner].size == made.size
            and all(
                other == operand or self._owned.get(self.homes.base(other)) != owner
                for other in instr.operands
            )
        )

    def lies_in_one_piece(self, i: int, may_turn: bool = True) -> bool:
        """Whether an array, or its transpose if that may be, is contiguous."""
        instrs = self.program.instrs
        base = self.homes.base(i)
        place = self.homes.places.get(base)
        if place is not None and i != place.whole:
            whole = instrs[place.whole]
            is_filled = place.view.is_permutation(whole.size) or not self.axis(whole)
            return i == base and place.view.is_run() and is_filled
        if i == base or place is not None:
            return True
        view = instrs[i].view
        if view.is_turned and may_turn:
            view = view.transposed()
        return bool(
            view.is_run() and (instrs[base].size == instrs[i].size or not self.axis(instrs[base]))
        )

    def line(self, text: str, i: int) -> None:
        """A line of the step, or of `bind` if every step would compute the same."""
        (self.binding if i in self.homes.static else self.steps).append(text)

    def step(self, text: str, i: int) -> None:
        """A line that ends with the shape of the result; several if it is long."""
        shape = f"  # {self.shape_text(self.program.instrs[i])}"
        if len(text) + len(shape) <= WIDTH:
            self.line(text + shape, i)
            return
        head, assigned, tail = text.partition("[...] = ")
        if assigned:
            left, mark, right = tail.rpartition(" / ")
            self.line(f"{head}[...] = ({shape}", i)
            for part in (left, mark[1:] + right):
                for line in wrap(part, WIDTH - 4, break_long_words=False, break_on_hyphens=False):
                    self.line(f"    {line}", i)
            self.line(")", i)
        else:
            head, _, out = text.rpartition(" out=")
            self.line(f"{head}{shape}", i)
            self.line(f"    out={out}", i)

    def _part_name(self, view: View) -> str:
        """What the parameters of a view have in common."""
        if not self._paths:
            return ""
        return common_name([self._paths[k] for k in view.positions().ravel().tolist()])

    # Arrays that are there

    def _leaf(self, i: int, instr: Instr) -> None:
        given = instr.leaf
        if given == "seed":
            self.names[i] = "seed"
            self.binding.append(f"seed = np.full({self.shape_text(instr)}, scale, dtype)")
        elif instr.size < LARGE and self._has_views(i):
            # Its views are made once, so it is copied to where they look.
            name = self.names[i] = self._new.plain(
                "theta" if given == "parameters" else f"{given}_"
            )
            self.binding.append(f"{name} = {self.empty(instr)}")
            turn = ".T" * (self.batch_last and instr.is_batched)
            self.steps.append(f"{name}[...] = {given}{turn}")
        elif self.batch_last and instr.is_batched:
            name = self.names[i] = self.part(given, f"{given}.T", f"{given}_T")
            self.straight[name] = given
        else:
            self.names[i] = given

    def _has_views(self, i: int) -> bool:
        return any(self.program.instrs[user].op is VIEW for user in self.homes.users.get(i, ()))

    def _constant(self, i: int, instr: Instr) -> None:
        if i in self.names:
            return
        value = instr.values.flat[0].item() if instr.size == 1 else math.nan
        users = [self.program.instrs[user].op for user in self.homes.users.get(i, ())]
        may_be_number = all(isinstance(op, Primitive) or op.takes_numbers for op in users)
        if math.isfinite(value) and may_be_number and i not in self.homes.results:
            self.names[i] = repr(value)
        elif instr.kind == "b":
            self.names[i] = self.array(instr.values, "mask")
        else:
            self.names[i] = self.array(instr.values, "constant", ".astype(dtype)")

    def _view(self, i: int, instr: Instr, source: str) -> None:
        if i in self.names:  # its source is computed in its order
            return
        made = self.program.instrs[instr.operands[0]]
        view = instr.view
        is_parameters = made.leaf == "parameters"
        straight = view.transposed() if view.is_turned else view
        stem = self._part_name(straight) if is_parameters else self._cotangent_stem(i)
        text = self.view_text(source, made, straight)
        name = self.part(source, text, stem or f"{source.rstrip('_')}_v")
        if view.is_turned:
            is_matrix = len(view.shape) == 2 and not made.is_batched
            turned = f"{name}.T" if is_matrix else f"{name}.swapaxes(-1, -2)"
            turned_name = self.part(name, turned, f"{name}_T")
            self.straight[turned_name] = name
            name = turned_name
        self.names[i] = name

    def whole(self, i: int, instr: Instr) -> str:
        """The array of a scatter or a concatenation, allocated with what never changes in it."""
        if i in self.names:
            return self.names[i]
        name = self.names[i] = self.name(i)
        if instr.op is SCATTER:
            fills = is_disjoint(instr) and covers(instr)
            is_new = instr.size >= LARGE and i in self.homes.results
            if fills and is_new and i not in self.homes.static:
                self.steps.append(f"{name} = {self.empty(instr)}")
                self.stepwise.add(name)
                return name
            if fills:  # else nothing may be written over its zeros
                self._owned[i] = i
            self.binding.append(f"{name} = {self.empty(instr, 'empty' if fills else 'zeros')}")
            return name
        self.binding.append(f"{name} = {self.empty(instr)}")
        for start, operand in starts(self.program, instr):
            made = self.program.instrs[operand]
            if made.op is CONSTANT:
                if operand not in self.names:
                    self._constant(operand, made)
                span = f"{name}{self.span(instr, f'{start}:{start + made.size}')}"
                self.binding.append(f"{span} = {self.beside(i, operand)}")
        return name


def stem_of(instr: Instr) -> str:
    """What an array is named after: a word of its array op, or the name of its scalar row."""
    return identifier(instr.name) if isinstance(instr.op, Primitive) else instr.op.stem


def _needed(lines: Sequence[str], used: set[str]) -> list[str]:
    """Without names for what nothing below reads; `used` receives what these lines read."""
    needed = []
    for line in reversed(lines):
        name, assigned, _ = line.partition(" = ")
        if not (assigned and name.isidentifier() and name not in used):
            used.update(_WORD.findall(line))
            needed.append(line)
    return needed[::-1]


def has_rows_alone(program: Program) -> bool:
    """Whether an example has no array of more than one axis."""
    return all(
        (not instr.is_batched or len(instr.shape) == 1)
        and (isinstance(instr.op, Primitive) or instr.op.works_turned)
        for instr in program.instrs
    )


def _broken(lines: Iterable[str]) -> Iterator[str]:
    """Lines that name an array, on three lines where they are long."""
    for line in lines:
        name, _, expression = line.partition(" = ")
        if len(line) > WIDTH and name.isidentifier():
            yield from (f"{name} = (", f"    {expression}", ")")
        else:
            yield line
