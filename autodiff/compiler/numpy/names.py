"""Names for the arrays of a program, taken from the user's names where there are some."""

import inspect
import keyword
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import zip_longest

import numpy as np

from autodiff.compiler.arguments import Block, Spec, filled
from autodiff.compiler.arrays.layout import View
from autodiff.compiler.arrays.ops import CONCATENATE, CONSTANT
from autodiff.compiler.arrays.program import Program
from autodiff.compiler.numpy.records import Expr
from autodiff.compiler.numpy.runtime import ARGUMENTS, BUILTINS, NAMESPACE
from autodiff.engine.value import Value
from autodiff.rows.primitive import Primitive

_DEPTH = 6
"""Parameters are looked for in this many containers and functions, one inside the other."""
_LONGEST = 32
"""This many characters of an array's name are kept, before its number."""
_LONGEST_GIVEN = 24
"""This many characters of the user's names are kept."""

RESERVED = frozenset(
    {*NAMESPACE, *BUILTINS, *ARGUMENTS, "bind", "step", "seed", "parameters", "vector"}
)
"""Names that the emitted text uses for itself."""


def parameter_paths(f: Callable[..., object], parameters: Sequence[Value]) -> list[str]:
    """For each parameter, the path by which `f` reaches it: `layers.1.w.0`; "" if it is not found.

    Searches the variables that `f` closes over, and their contents: lists, tuples, dicts, object
    arrays, functions, and modules by their `named_parameters`. A label wins.
    """
    wanted = set(parameters)
    paths: dict[Value, str] = {}
    for path, leaf in _reached(f, "", set(), 0):
        if leaf in wanted:
            paths.setdefault(leaf, path)
    return [identifier(p.label) or paths.get(p, "") for p in parameters]


def _reached(x: object, path: str, seen: set[int], depth: int) -> Iterator[tuple[str, Value]]:
    if isinstance(x, Value):
        yield path, x
        return
    if depth > _DEPTH or id(x) in seen or isinstance(x, str | int | float | type | None):
        return
    seen.add(id(x))
    for name, inner, is_named in _contents(x):
        joined = f"{path}.{name}" if path and is_named else name if is_named else path
        yield from _reached(inner, joined, seen, depth + 1)


def _contents(x: object) -> Iterator[tuple[str, object, bool]]:
    """The contents of `x`: name, item, and whether the name belongs to the path."""
    if hasattr(x, "named_parameters"):
        yield from ((name, leaf, True) for name, leaf in x.named_parameters())
    elif isinstance(x, dict):
        yield from ((str(key), item, True) for key, item in x.items())
    elif isinstance(x, list | tuple) or (isinstance(x, np.ndarray) and x.dtype == object):
        if len(x) and isinstance(x[0], int | float | str):
            return  # data
        yield from ((str(i), item, True) for i, item in enumerate(x))
    elif inspect.ismethod(x):
        yield "self", x.__self__, False
        yield "function", x.__func__, False
    elif inspect.isfunction(x):
        try:
            variables = inspect.getclosurevars(x)
        except ValueError:  # an empty cell
            return
        for name, item in {**variables.nonlocals, **variables.globals}.items():
            # The path begins at the variable; a module's own paths say enough.
            yield name, item, not hasattr(item, "named_parameters") and not callable(item)
        for given in inspect.signature(x).parameters.values():
            if given.default is not given.empty:
                yield given.name, given.default, not hasattr(given.default, "named_parameters")


def common_name(paths: Sequence[str]) -> str:
    """The common part of paths as an identifier: `layers.1.w.0`, `layers.1.w.2` → layers_1_w.

    Indices that differ are left out, and the plural that they number; up to three names that
    differ are joined. "" if a path is unknown or the paths have nothing in common.
    """
    if not all(paths):
        return ""
    words: list[str] = []
    for column in zip_longest(*[path.split(".") for path in paths]):
        found = list(dict.fromkeys(word for word in column if word is not None))
        named = [word for word in found if not word.isdigit()]
        if len(found) == 1 and (named or None not in column):
            words += found
        elif named and len(named) <= 3:
            words.append("_".join(named))
        elif len(words) > 1 and words[-1].endswith("s"):
            words.pop()
    return identifier("_".join(words))


@lru_cache(maxsize=1024)
def identifier(text: str) -> str:
    """`text` as an ASCII identifier of at most 24 characters; "" if nothing is left.

    Python reads two names as one where their compatibility forms (NFKC) are equal, as ASCII
    names never are.
    """
    if not text.isascii():
        text = "".join(map(_in_ascii, unicodedata.normalize("NFKD", text)))
    name = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_")[:_LONGEST_GIVEN].rstrip("_")
    return f"p_{name}" if name and (name[0].isdigit() or keyword.iskeyword(name)) else name


def _in_ascii(letter: str) -> str:
    """A letter of another script by its name, θ as theta; nothing for accents."""
    if letter.isascii() or unicodedata.combining(letter):
        return letter * letter.isascii()
    name = unicodedata.name(letter, "").rpartition(" ")[2].lower()
    return name if letter.isalpha() and name.isalpha() else "-"


def argument_names(f: Callable[..., object], count: int) -> list[str]:
    """The names that `f` gives to `count` arguments; x0, x1, … if it gives none."""
    try:
        names = list(inspect.signature(f).parameters)
    except (TypeError, ValueError):
        names = []
    if len(names) < count or len(set(names)) < len(names):
        names = [f"x{k}" for k in range(count)]
    return [f"{name}_in" if name in RESERVED else name for name in names]


def input_names(f: Callable[..., object], specs: Sequence[Spec]) -> list[str]:
    """A name for each array in arguments of these specs: x_weights_0 for x["weights"][0]."""
    names, found = Names(), list[str]()

    def name(_: Block, path: str) -> None:
        found.append(names.given(path))

    for spec, argument in zip(specs, argument_names(f, len(specs)), strict=False):
        filled(spec, name, argument)
    return found


class Names:
    """Gives every array a name of its own, besides those that the text uses for itself."""

    def __init__(self, taken: Sequence[str] = ()) -> None:
        self._taken = {*RESERVED, *taken}
        self._counts: Counter[str] = Counter()

    def numbered(self, stem: str) -> str:
        """`stem` with the next number that makes it new; an underscore keeps atan2 from atan."""
        stem = stem[:_LONGEST]
        while True:
            self._counts[stem] += 1
            name = f"{stem}{'_' if stem[-1].isdigit() else ''}{self._counts[stem]}"
            if name not in self._taken:
                self._taken.add(name)
                return name

    def given(self, text: str) -> str:
        """A user's name, shortened, in ASCII; numbered if that is not new."""
        is_name = text.isascii() and text.isidentifier()
        return self.plain(text[:_LONGEST_GIVEN] if is_name else identifier(text) or "x")

    def plain(self, stem: str) -> str:
        """`stem` itself if it is new, else numbered."""
        stem = stem[:_LONGEST]
        if stem in self._taken or keyword.iskeyword(stem):
            return self.numbered(stem)
        self._taken.add(stem)
        return stem


class ArrayNames(Names):
    """Names for the arrays of a program: after its parameters, what they are for, or their op.

    `cotangent_of` says of which array another is the cotangent, `paths` what the user calls each
    parameter.
    """

    def __init__(
        self,
        program: Program,
        leaves: Sequence[str],
        cotangent_of: Mapping[int, int],
        paths: Sequence[str],
    ) -> None:
        super().__init__(leaves)
        self.of: dict[int, Expr] = {}
        """The name of each array that has one, or its number."""
        self._program = program
        self._cotangent_of = cotangent_of
        self._paths = paths

    def result(self, i: int) -> str:
        """A new name for what instruction `i` computes."""
        stem = self.cotangent(i)
        if stem:
            return self.plain(stem)
        instr = self._program.instrs[i]
        if instr.op is CONCATENATE:
            first, *others = instr.operands
            ends = [self._program.instrs[other].op for other in others]
            if first in self.of and ends == [CONSTANT]:
                return self.plain(f"{str(self.of[first]).rstrip('_')}_and_1")
        row = instr.op
        stem = identifier(row.name) if isinstance(row, Primitive) else row.stem
        return self.numbered(stem or "op")

    def cotangent(self, i: int) -> str:
        """d_ and the name of the array that `i` is the cotangent of; "" if it is none."""
        of = self.of.get(self._cotangent_of.get(i, -1))
        return f"d_{str(of).rstrip('_')}" if of is not None and of.is_name else ""

    def parameters(self, view: View) -> str:
        """A stem for a view of the parameters: what their paths have in common; "" if nothing."""
        if not self._paths:
            return ""
        return common_name([self._paths[k] for k in view.positions().ravel().tolist()])

    def gradient(self, whole: int, view: View) -> str:
        """A new name for a part of the parameters' gradient; "" for parts of other arrays."""
        of = self._cotangent_of.get(whole)
        if of is None or self._program.instrs[of].leaf != "parameters":
            return ""
        stem = self.parameters(view)
        return self.plain(f"d_{stem}") if stem else ""
