"""Array program → NumPy source, and source → function.

The text has two parts. `bind` runs once for each batch size: it allocates every array and makes
every view, so that `step`, which it returns, consists of calls that write into them.
"""

import linecache
import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autodiff import ops
from autodiff.compiler.access import Gather, View
from autodiff.compiler.ir import Instr, Program
from autodiff.primitive import Primitive
from autodiff.reduction import Reduction

_UFUNC_CALL = re.compile(r"(np\.(?!where|vectorize)\w+)\(([^()]*)\)")
_ALIASES = ("view", "reshape", "transpose", "broadcast")
_SHORT = {
    "matmul": "z", "matmul_batch": "m", "concatenate": "joined", "scatter": "s", "gather": "g",
    "sum": "total", "sum_batch": "total", "reduce": "r", "take": "row", "untake": "s",
}  # fmt: skip


class Emitter:
    """Writes one program: `text` is its source, `arrays` the constants and indices it names."""

    def __init__(
        self, program: Program, leaves: Sequence[str], names: dict[int, str], backward: int
    ) -> None:
        self.program = program
        self.leaves = leaves
        self.arrays: list[Any] = []
        self.binding: list[str] = []
        self.steps: list[str] = []
        self.names: dict[int, str] = {}
        self._hints = names
        self._taken: Counter[str] = Counter()
        self._uses = Counter(x for instr in program.instrs for x in instr.operands)
        self._uses.update(program.results)
        self._bases = self._find_bases()
        self._merged: dict[int, int] = {}
        self._user = {x: instr for instr in reversed(program.instrs) for x in instr.operands}
        self._last = self._find_last_uses()
        self._owned: set[int] = set()
        self._bound: dict[str, str] = {}
        self._scattered: set[int] = set()
        self._targets = self._find_targets()
        self._joined = self._find_joined()
        for i, instr in enumerate(program.instrs):
            if i == backward:
                self.steps.append("# backward")
            self._emit(i, instr)

    @property
    def text(self) -> str:
        """The source of the program."""
        results = "".join(f"{self.names[i]}, " for i in self.program.results).rstrip()
        lines = ["def bind(batch, scale, dtype, arrays):"]
        lines += [f"    {line}" for line in self.binding]
        lines += ["", f"    def step({', '.join(self.leaves)}):"]
        lines += [f"        {line}" for line in self.steps]
        lines += [f"        return {results}", "", "    return step", ""]
        return "\n".join(lines)

    def _emit(self, i: int, instr: Instr) -> None:
        operands = [self.names.get(x, "") for x in instr.operands]
        if isinstance(instr.op, Primitive):
            self._apply(i, instr, *operands)
        else:
            getattr(self, f"_{instr.op}")(i, instr, *operands)

    # What is known of the program before a line is written

    def _find_bases(self) -> list[int]:
        """For each instruction the one whose array holds its elements: itself, unless a view."""
        bases: list[int] = []
        for i, instr in enumerate(self.program.instrs):
            is_alias = instr.op in _ALIASES and not self._copies(instr)
            bases.append(bases[instr.operands[0]] if is_alias else i)
        return bases

    def _copies(self, instr: Instr) -> bool:
        """Whether a reshape has to copy: its operand is no array of its own."""
        source = self.program.instrs[instr.operands[0]]
        return instr.op == "reshape" and source.op in ("view", "transpose", "broadcast")

    def _find_last_uses(self) -> dict[int, int]:
        """The last instruction that reads an array, itself or through a view."""
        last: dict[int, int] = {}
        for i, instr in enumerate(self.program.instrs):
            for operand in instr.operands:
                last[self._bases[operand]] = i
        for result in self.program.results:
            last[self._bases[result]] = len(self.program.instrs)
        return last

    def _find_targets(self) -> dict[int, tuple[int, int, bool]]:
        """What is only scattered, and may be computed at its place: where, and if transposed."""
        targets = {}
        for i, instr in enumerate(self.program.instrs):
            if instr.op != "scatter" or not _is_disjoint(instr):
                continue
            for k, (operand, access) in enumerate(zip(instr.operands, instr.fact, strict=True)):
                source, flipped = operand, False
                while self.program.instrs[source].op == "transpose" and self._uses[source] == 1:
                    source, flipped = self.program.instrs[source].operands[0], not flipped
                made = self.program.instrs[source]
                if (
                    made.op in ("matmul_batch", "sum_batch")
                    and self._uses[source] == 1
                    and isinstance(access, View)
                    and made.is_batched == instr.is_batched
                ):
                    targets[source] = (i, k, flipped)
        return targets

    def _find_joined(self) -> dict[int, tuple[int, int]]:
        """What may be computed at its place in a concatenation: which, and from where on."""
        users: dict[int, list[Instr]] = {}
        for instr in self.program.instrs:
            for operand in instr.operands:
                users.setdefault(operand, []).append(instr)
        joined: dict[int, tuple[int, int]] = {}
        for i, instr in enumerate(self.program.instrs):
            start = 0
            for operand in instr.operands if instr.op == "concatenate" else ():
                made = self.program.instrs[operand]
                is_free = isinstance(made.op, Primitive) and made.is_batched == instr.is_batched
                if is_free and all(user.op not in _ALIASES for user in users[operand]):
                    joined.setdefault(operand, (i, start))
                start += made.shape[0]
        return joined

    # Names and arrays

    def _bind(self, expression: str, name: str = "") -> str:
        """A name for an expression that `bind` evaluates once."""
        known = self._bound.get(expression)
        if known is not None and not name:
            return known
        name = self._fresh(name or "v")
        self._bound[expression] = name
        self.binding.append(f"{name} = {expression}")
        return name

    def _fresh(self, stem: str) -> str:
        """`stem` with the next number that makes it new; an underscore keeps atan2 from atan."""
        while True:
            self._taken[stem] += 1
            name = f"{stem}{'_' if stem[-1].isdigit() else ''}{self._taken[stem]}"
            if name not in self.leaves:
                return name

    def _stem(self, i: int, instr: Instr) -> str:
        hint = self._hints.get(i)
        if hint is not None:
            return hint
        return instr.op.name if isinstance(instr.op, Primitive) else _SHORT.get(instr.op, "v")

    def _array(self, values: Any) -> str:
        self.arrays.append(values)
        return f"arrays[{len(self.arrays) - 1}]"

    def _shape(self, instr: Instr) -> str:
        sizes = [*(["batch"] if instr.is_batched else []), *map(str, instr.shape)]
        return f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(sizes)})"

    def _empty(self, instr: Instr, kind: str = "empty") -> str:
        return f"np.{kind}({self._shape(instr)}, {'bool' if instr.kind == 'b' else 'dtype'})"

    def _out(self, i: int, instr: Instr) -> str:
        """The array that instruction `i` writes: at its place in a scatter, or of its own."""
        if i in self._targets:
            scatter, k, flipped = self._targets[i]
            target = self.program.instrs[scatter]
            view = self._view_text(self._scatter_array(scatter), target, target.fact[k])
            name = self._fresh(self._stem(i, instr))
            self.binding.append(f"{name} = {view}{'.T' if flipped else ''}")
        elif i in self._joined:
            whole, start = self._joined[i]
            target = self.program.instrs[whole]
            batch = ":, " if target.is_batched else ""
            span = f"[{batch}{start}:{start + instr.shape[0]}]"
            name = self._fresh(self._stem(i, instr))
            self.binding.append(f"{name} = {self._whole_array(whole)}{span}")
        else:
            name = self._fresh(self._stem(i, instr))
            self.binding.append(f"{name} = {self._empty(instr)}")
            self._owned.add(i)
        self.names[i] = name
        return name

    def _out_over(self, i: int, instr: Instr) -> str:
        """As `_out`, but an operand's array if nothing reads that any more."""
        for operand in instr.operands if i not in self._joined else ():
            if self._is_free(operand, i, instr):
                self.names[i] = self.names[operand]
                base = self._base(operand)
                self._owned.add(i)
                self._merged[i] = base
                self._last[base] = self._last.get(i, i)
                return self.names[i]
        return self._out(i, instr)

    def _base(self, i: int) -> int:
        """The instruction for which the array that holds the elements of `i` was made."""
        base = self._bases[i]
        return self._merged.get(base, base)

    def _is_free(self, operand: int, i: int, instr: Instr) -> bool:
        """Whether instruction `i` may write over its operand."""
        made = self.program.instrs[operand]
        base = self._base(operand)
        source = self.program.instrs[base]
        return (
            base in self._owned
            and self._last[base] == i
            and math.prod(source.shape) == math.prod(made.shape)
            and (made.shape, made.is_batched, made.kind)
            == (instr.shape, instr.is_batched, instr.kind)
            and all(self._base(other) != base for other in instr.operands if other != operand)
            and made.op not in ("view", "transpose", "broadcast")
        )

    def _step(self, line: str, instr: Instr) -> None:
        self.steps.append(f"{line}  # {self._shape(instr)}")

    # Arrays that are there

    def _leaf(self, i: int, instr: Instr) -> None:
        given = str(instr.fact)
        if given == "seed":
            self.names[i] = "seed"
            self.binding.append(f"seed = np.full({self._shape(instr)}, scale, dtype)")
            return
        own = f"{given}_"
        while own in self.leaves or own in self.names.values():
            own += "_"
        self.names[i] = own
        self.binding.append(f"{own} = {self._empty(instr)}")
        self.steps.append(f"{own}[...] = {given}")

    def _constant(self, i: int, instr: Instr) -> None:
        value = float(instr.fact.flat[0]) if instr.fact.size == 1 else math.nan
        if math.isfinite(value):
            self.names[i] = repr(value)
        else:
            self.names[i] = self._bind(f"{self._array(instr.fact)}.astype(dtype)", "constant")

    def _view(self, i: int, instr: Instr, source: str) -> None:
        made = self.program.instrs[instr.operands[0]]
        self.names[i] = self._bind(self._view_text(source, made, instr.fact), self._part_name(i))

    def _part_name(self, i: int) -> str:
        """w for parameters that a product takes, b for those that are added, else nothing."""
        if self.program.instrs[self.program.instrs[i].operands[0]].fact != "parameters":
            return self._hints.get(i, "")
        user = self._user[i].op
        if user in (ops.add, ops.sub):
            return "b"
        return "w" if user in ("matmul", "transpose", ops.mul) else "p"

    def _view_text(self, array: str, source: Instr, view: View) -> str:
        batch, lead = (":, ", "batch, ") if source.is_batched else ("", "")
        if len(view.shape) == 1:
            (n,), (stride,) = view.shape, view.strides
            end = view.offset + (n - 1) * stride + 1
            return f"{array}[{batch}{view.offset}:{end}{f':{stride}' if stride > 1 else ''}]"
        if len(view.shape) == 2:
            (rows, n), (far, near) = view.shape, view.strides
            far, near = far if rows > 1 else n, near if n > 1 else 1
            end = view.offset + rows * far
            if near == 1 and far >= n and end <= source.shape[0]:
                is_whole = (view.offset, end) == (0, source.shape[0])
                span = "" if is_whole else f"[{batch}{view.offset}:{end}]"
                part = "" if far == n else f"[..., :{n}]"
                return f"{array}{span}.reshape({lead}{rows}, {far}){part}"
        return f"strided({array}, {view.offset}, {view.shape}, {view.strides})"

    def _reshape(self, i: int, instr: Instr, source: str) -> None:
        if self.program.instrs[instr.operands[0]].op == "constant":
            self.names[i] = self._bind(f"np.reshape({source}, {self._shape(instr)})")
        elif self._copies(instr):
            own = self._out(i, instr)
            self._step(f"{self._bind(f'{own}.reshape({source}.shape)')}[...] = {source}", instr)
        else:
            self.names[i] = self._bind(f"{source}.reshape({self._shape(instr)})")

    def _transpose(self, i: int, instr: Instr, source: str) -> None:
        if self._is_at_its_place(i):
            self.names[i] = ""
        elif self.program.instrs[instr.operands[0]].op == "constant":
            self.names[i] = self._bind(f"np.swapaxes({source}, -1, -2)")
        else:
            self.names[i] = self._bind(f"{source}.swapaxes(-1, -2)")

    def _is_at_its_place(self, i: int) -> bool:
        while self.program.instrs[i].op == "transpose":
            i = self.program.instrs[i].operands[0]
        return i in self._targets

    def _broadcast(self, i: int, instr: Instr, source: str) -> None:
        self.names[i] = self._bind(f"np.broadcast_to({source}, {self._shape(instr)})")

    # What every step computes

    def _apply(self, i: int, instr: Instr, *operands: str) -> None:
        row = instr.op
        assert isinstance(row, Primitive)
        if row is ops.where and operands[1] == "0.0" and self._masks(i, instr, *operands):
            return
        text = row.array.format(*operands)
        if isinstance(row, Reduction):
            text = f"np.{row.ufunc}({', '.join(operands)})"
        call = _UFUNC_CALL.fullmatch(text)
        own = self._out_over(i, instr)
        self._step(f"{call[1]}({call[2]}, out={own})" if call else f"{own}[...] = {text}", instr)

    def _masks(self, i: int, instr: Instr, mask: str, zero: str, kept: str) -> bool:
        """where(mask, 0, kept) by writing zeros over `kept`, or a copy of it."""
        made = self.program.instrs[instr.operands[0]]
        if (made.shape, made.is_batched) != (instr.shape, instr.is_batched):
            return False
        if i not in self._joined and self._is_free(instr.operands[2], i, instr):
            self._out_over(i, instr)
        else:
            self._step(f"{self._out(i, instr)}[...] = {kept}", instr)
        self._step(f"np.putmask({self.names[i]}, {mask}, {zero})", instr)
        return True

    def _gather(self, i: int, instr: Instr, source: str) -> None:
        axis = int(self.program.instrs[instr.operands[0]].is_batched)
        at = self._bind(self._array(instr.fact.places), "at")
        own = self._out(i, instr)
        self._step(f"np.take({source}, {at}, axis={axis}, out={own}, mode='clip')", instr)

    def _sum(self, i: int, instr: Instr, source: str) -> None:
        is_batched = self.program.instrs[instr.operands[0]].is_batched
        axes = tuple(axis + is_batched for axis in instr.fact)
        text = axes[0] if len(axes) == 1 else axes
        self._step(f"np.add.reduce({source}, axis={text}, out={self._out(i, instr)})", instr)

    def _reduce(self, i: int, instr: Instr, source: str) -> None:
        text = instr.fact.array.format(source).replace("axis=0", "axis=-1")
        self._step(f"{self._out(i, instr)}[...] = {text}", instr)

    def _sum_batch(self, i: int, instr: Instr, source: str) -> None:
        self._step(f"np.add.reduce({source}, axis=0, out={self._out(i, instr)})", instr)

    def _flat(self, i: int) -> str:
        """A batch of matrices as one matrix, each row below the other."""
        instr, name = self.program.instrs[i], self.names[i]
        rows, columns = instr.shape
        if instr.op == "reshape" and not self._copies(instr):
            source = self.program.instrs[instr.operands[0]]
            if source.shape == (columns,) and rows == 1:
                return self.names[instr.operands[0]]
        if rows == 1:
            return self._bind(f"{name}[:, 0]")
        if instr.op in ("view", "transpose", "broadcast"):
            own = self._bind(f"np.empty((batch, {rows}, {columns}), dtype)", "copy")
            self.steps.append(f"{own}[...] = {name}")
            name = own
        return self._bind(f"{name}.reshape(batch * {rows}, {columns})")

    def _matmul(self, i: int, instr: Instr, a: str, b: str) -> None:
        x, w = (self.program.instrs[operand] for operand in instr.operands)
        if x.is_batched and not w.is_batched and len(x.shape) == 2:
            left = self._flat(instr.operands[0])
            own = self._out(i, instr)
            out = f"{own}[:, 0]" if instr.shape[0] == 1 else None
            out = out or f"{own}.reshape(batch * {instr.shape[0]}, {instr.shape[1]})"
            self._step(f"np.matmul({left}, {b}, out={self._bind(out)})", instr)
        else:
            self._step(f"np.matmul({a}, {b}, out={self._out(i, instr)})", instr)

    def _matmul_batch(self, i: int, instr: Instr, a: str, b: str) -> None:
        own = self._out(i, instr)
        if len(self.program.instrs[instr.operands[0]].shape) == 2:
            left, right = (self._flat(operand) for operand in instr.operands)
            self._step(f"np.matmul({self._bind(f'{left}.T')}, {right}, out={own})", instr)
        else:
            product = f"np.matmul({a}.swapaxes(-1, -2), {b})"
            self._step(f"np.add.reduce({product}, axis=0, out={own})", instr)

    def _whole_array(self, i: int) -> str:
        """The array of a concatenation, with its constant parts in it."""
        if i not in self._scattered:
            self._scattered.add(i)
            instr = self.program.instrs[i]
            own = self.names[i] = self._fresh(self._stem(i, instr))
            self.binding.append(f"{own} = {self._empty(instr)}")
            start = 0
            for operand in instr.operands:
                made = self.program.instrs[operand]
                end = start + made.shape[0]
                if made.op == "constant":
                    batch = ":, " if instr.is_batched else ""
                    values = made.fact.tolist() if made.shape[0] > 1 else float(made.fact[0])
                    self.binding.append(f"{own}[{batch}{start}:{end}] = {values}")
                start = end
        return self.names[i]

    def _concatenate(self, i: int, instr: Instr, *operands: str) -> None:
        own = self._whole_array(i)
        batch = ":, " if instr.is_batched else ""
        start = 0
        for operand, name in zip(instr.operands, operands, strict=True):
            made = self.program.instrs[operand]
            end = start + made.shape[0]
            is_there = made.op == "constant" or self._joined.get(operand) == (i, start)
            if not is_there:
                part = self._bind(f"{own}[{batch}{start}:{end}]")
                self.steps.append(f"{part}[...] = {name}")
            start = end

    # Adding up at places

    def _scatter_array(self, i: int) -> str:
        """The array of a scatter; zeros once if its parts never write everywhere."""
        if i not in self._scattered:
            instr = self.program.instrs[i]
            self._scattered.add(i)
            self.names[i] = self._fresh(self._stem(i, instr))
            fills = _is_disjoint(instr) and _covers(instr)
            self.binding.append(
                f"{self.names[i]} = {self._empty(instr, 'empty' if fills else 'zeros')}"
            )
        return self.names[i]

    def _scatter(self, i: int, instr: Instr, *operands: str) -> None:
        own = self._scatter_array(i)
        is_disjoint = _is_disjoint(instr)
        if not is_disjoint:
            self._step(f"{own}[...] = 0.0", instr)
        at_place = {k for scatter, k, _ in self._targets.values() if scatter == i}
        for k, (access, ct) in enumerate(zip(instr.fact, operands, strict=True)):
            if k not in at_place:
                self._put(own, instr, access, ct, "=" if is_disjoint else "+=")

    def _put(self, own: str, instr: Instr, access: Any, ct: str, sign: str) -> None:
        batch, lead, axis = (":, ", "batch, ", 1) if instr.is_batched else ("", "", 0)
        if isinstance(access, View):
            part = self._bind(self._view_text(own, instr, access))
            self.steps.append(f"{part}[...] {sign} {ct}")
            return
        places = access.places.ravel()
        flat = ct if len(access.shape) == 1 else f"{ct}.reshape({lead}-1)"
        order = np.argsort(places, kind="stable")
        starts = np.flatnonzero(np.r_[True, np.diff(places[order]) != 0])
        if len(starts) == len(places):
            at = self._bind(self._array(places), "at")
            self.steps.append(f"{own}[{batch}{at}] {sign} {flat}")
            return
        # np.add.at is slow: equal places side by side are summed first.
        at = self._bind(self._array(places[order][starts]), "at")
        by = self._bind(self._array(order), "order")
        starting = self._bind(self._array(starts), "starts")
        self.steps.append(f"sorted_ = np.take({flat}, {by}, axis={axis})")
        self.steps.append(
            f"{own}[{batch}{at}] {sign} np.add.reduceat(sorted_, {starting}, axis={axis})"
        )

    def _take(self, i: int, instr: Instr, source: str, index: str) -> None:
        at = self._at(instr.fact, index)
        own = self._out(i, instr)
        if self.program.instrs[instr.operands[0]].is_batched:
            self._step(f"{own}[...] = np.take_along_axis({source}, {at}, axis=1)", instr)
        else:
            self._step(f"{own}[...] = {source}[{at}]", instr)

    def _at(self, fact: Gather, index: str) -> str:
        """Where each lane is in the source, from the index of each lane."""
        table = self._bind(self._array(fact.places), "table")
        lanes = self._bind(f"np.arange({len(fact.places)})", "lanes")
        at = self._fresh("at")
        self.steps.append(f"{at} = {table}[{lanes}, {index}.astype(int)]")
        return at

    def _untake(self, i: int, instr: Instr, ct: str, index: str) -> None:
        at = self._at(instr.fact, index)
        own = self._out(i, instr)
        self._step(f"{own}[...] = 0.0", instr)
        rows = f"(np.arange(batch)[:, None], {at})" if instr.is_batched else at
        self.steps.append(f"np.add.at({own}, {rows}, {ct})")


def _places(instr: Instr) -> Any:
    return np.concatenate([access.positions().ravel() for access in instr.fact])


def _is_disjoint(instr: Instr) -> bool:
    """Whether no two parts of a scatter go to one place."""
    places = _places(instr)
    return len(np.unique(places)) == len(places)


def _covers(instr: Instr) -> bool:
    """Whether the parts of a scatter, none over another, fill all of it."""
    return len(_places(instr)) == instr.shape[0]


def strided(array: Any, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> Any:
    """The view of the last axis that `View` describes."""
    step = array.strides[-1]
    return np.lib.stride_tricks.as_strided(
        array[..., offset:],
        (*array.shape[:-1], *shape),
        (*array.strides[:-1], *(step * stride for stride in strides)),
    )


def load(text: str, name: str) -> Callable[..., Any]:
    """The function `bind` of emitted text; tracebacks and debuggers show its lines."""
    filename = f"<autodiff kernel {name}>"
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    namespace: dict[str, Any] = {"np": np, "math": math, "strided": strided}
    exec(compile(text, filename, "exec"), namespace)
    bind: Callable[..., Any] = namespace["bind"]
    return bind
