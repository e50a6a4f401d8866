"""Array program → the text that runs, by way of lines.

The text has two parts. `bind` runs once for each batch size: it allocates every array and makes
every view, so that `step`, which it returns, consists of calls that write into them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from autodiff.compiler.arrays.program import Program
from autodiff.compiler.numpy.lines import lines_of
from autodiff.compiler.numpy.records import Line
from autodiff.compiler.numpy.runtime import ARGUMENTS, Array
from autodiff.compiler.numpy.writer import Writer

WIDTH = 92
"""The longest line, without the eight columns before it."""


@dataclass(frozen=True)
class Source:
    """A program as text, and what goes with it."""

    text: str
    arrays: Sequence[Array]
    """What the text reads as `arrays`: constants and indices."""
    fresh: Sequence[bool]
    """For each result, whether it is an array that no later step writes over."""


def write(
    program: Program,
    leaves: Sequence[str],
    cotangent_of: Mapping[int, int] | None = None,
    backward: int = -1,
    paths: Sequence[str] = (),
) -> Source:
    """The text of a program whose step takes `leaves`.

    `cotangent_of` says of which array another is the cotangent, `backward` where the backward
    pass begins, `paths` what the user calls each parameter.
    """
    writer = Writer(program, leaves, cotangent_of or {}, paths)
    lines = lines_of(writer, backward)
    results = [writer.names.of[i] for i in program.results]
    read = frozenset(name for result in results for name in result.reads)
    steps, read = needed([line for line in lines if line.is_step], read)
    binding, _ = needed([line for line in lines if not line.is_step], read)
    has_batch_last = [writer.memory.has_batch_last(program.instrs[i]) for i in program.results]
    returned = " ".join(
        f"{result}{'.T' * is_turned},"
        for result, is_turned in zip(results, has_batch_last, strict=True)
    )
    text = [
        f"def bind({', '.join(ARGUMENTS)}):",
        *(f"    {line}" for line in broken(binding)),
        "",
        f"    def step({', '.join(leaves)}):",
        *(f"        {line}" for line in broken(steps)),
        f"        return {returned or '()'}",
        "",
        "    return step",
        "",
    ]
    fresh = [writer.memory.is_fresh(i) for i in program.results]
    return Source("\n".join(text), writer.arrays, fresh)


def needed(lines: Sequence[Line], read: frozenset[str]) -> tuple[list[Line], frozenset[str]]:
    """The lines without bindings that nothing reads, and all names that are read.

    `read` are the names that later lines read.
    """
    found, names = [], set(read)
    for line in reversed(lines):
        if not line.binds or line.binds in names:
            names.update(line.reads)
            found.append(line)
    return found[::-1], frozenset(names)


def broken(lines: Iterable[Line]) -> Iterator[str]:
    """The text of lines, each at most `WIDTH` long where it can be broken."""
    for line in lines:
        comment = f"  # {line.comment}" if line.comment else ""
        target = f"{line.binds or line.into} {line.sign} " if line.binds or line.into else ""
        whole = f"{target}{line.expression}{comment}".lstrip()
        atoms = line.expression.atoms
        if line.when:
            yield from (f"if {line.when}:", f"    {whole}")
        elif len(whole) <= WIDTH or not (line.comment or line.binds):
            yield whole
        elif line.binds:
            yield from (f"{target}(", f"    {line.expression}{comment}", ")")
        elif line.into:
            yield f"{target}({comment}"
            yield from (f"    {row}" for row in wrapped(atoms, WIDTH - 4))
            yield ")"
        else:
            yield f"{atoms[0]}{comment}"
            yield from (f"    {atom}" for atom in atoms[1:])


def wrapped(words: Sequence[str], width: int) -> Iterator[str]:
    """Words in rows of at most `width` (a longer word has its own); the last `/` begins a row."""
    quotient = len(words) - 1 - words[::-1].index("/") if "/" in words else -1
    row = ""
    for k, word in enumerate(words):
        if row and (k == quotient or len(row) + 1 + len(word) > width):
            yield row
            row = word
        else:
            row = f"{row} {word}" if row else word
    yield row
