"""python -m tests.properties.mutants: wrong edits of the compiler, and which program notices each.

Each is made in a copy of the package, which judges the quick set in a process of its own. A
mutant is killed by a program that fails there and not in the package as it is. A survivor is a
gap in the relations.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from tests.properties.run import judged, quick_set, relations_of
from tests.support.process import ROOT


class Mutant(NamedTuple):
    """An edit of a file of `autodiff/compiler`, whose old text stands there once."""

    file: str
    old: str
    new: str


MUTANTS = [
    Mutant("scalars/program.py", "key = x.hex()", "key = x"),
    Mutant("algebra.py", "for exponent in (1.0, 2.0, 3.0, 4.0):", "for exponent in (1.0, 2.0, 4.0, 3.0):"),
    Mutant("algebra.py", "program.spread(x if only else y,", "program.spread(y if only else x,"),
    Mutant("algebra.py", "return xs[0] if len(xs) == 1 else None", "return xs[0] if xs else None"),
    Mutant("algebra.py", "zip(wx[:half], wx[half:], strict=True)", "zip(wx[:half], wx[:half], strict=True)"),
    Mutant("scalars/tracer.py", "return numbers if modes.is_recording() else", "return numbers if True else"),
    Mutant("scalars/tracer.py", "return ops.where.apply((index, rows[1], rows[0]))", "return ops.where.apply((index, rows[0], rows[1]))"),
    Mutant("scalars/tracer.py", "if value not in self.own:", "if False:"),
    Mutant("../pytree.py", "else kind(*parts)", "else tuple(parts)"),
    Mutant("arguments.py", '"lists" if isinstance(leaf, list) else "array"', '"array"'),
    Mutant("arguments.py", "axis=-1) if found", "axis=0) if found"),
    Mutant("scalars/sums.py", "(sign * s, operand)", "(sign, operand)"),
    Mutant("scalars/sums.py", "is_inside = j in inner or j == i", "is_inside = True"),
    Mutant("arrays/lowering/lower.py", "np.argsort(self.order)", "self.order"),
    Mutant("scalars/packing.py", "return tuple(dict.fromkeys(numbers)) if is_free else numbers", "return ()"),
    Mutant("arrays/lowering/sums.py", "total = views[0] if parts[0][0] > 0 else", "total = views[0] if True else"),
    Mutant("arrays/lowering/sums.py", "self.builder.apply(ops.add if sign > 0 else ops.sub,", "self.builder.apply(ops.add,"),
    Mutant("arrays/lowering/sums.py", "terms.append((bias[0][0], inputs.size))", "terms.append((bias[0][0], 0))"),
    Mutant("arrays/lowering/lower.py", "{}, row.neutral)", "{}, 0.0)"),
    Mutant("arrays/lowering/sums.py", "if dots.is_ragged:", "if False:"),
    Mutant("arrays/lowering/contract.py", "u + row_at % u", "u + column_at % u"),
    Mutant("arrays/lowering/contract.py", "self.has_spare |= len(lanes) < grids * u * v", "pass"),
    Mutant("arrays/reverse/elementwise.py", "[2.0 * first, None]", "[first, None]"),
    Mutant("arrays/reverse/cotangents.py", "ct = ct if known < 0 else builder.apply(ops.add, [known, ct])", "pass"),
    Mutant("arrays/reverse/cotangents.py", "is_once = len(np.unique(positions)) == positions.size", "is_once = True"),
    Mutant("arrays/reverse/rules.py", "start += size", "start += 1"),
    Mutant("arrays/reverse/rules.py", "step.give(0, step.builder.reshape(step.ct, kept))", "step.give(0, step.builder.reshape(step.ct, kept)) if len(kept) < 2 else None"),
    Mutant("algebra.py", "return program.apply(ops.sub, [x, inner[0]])", "return program.apply(ops.add, [x, inner[0]])"),
    Mutant("algebra.py", "return program.apply(ops.neg, [program.apply(ops.div, [inner[0], y])])", "return program.apply(ops.div, [inner[0], y])"),
    Mutant("eager.py", "found[i] = values[int(_data(index))]", "found[i] = values[0]"),
    Mutant("eager.py", "root.backward()", "root.backward(2.0)"),
    Mutant("numpy/memory.py", "and self._until[owner] == i", "and True"),
    Mutant("numpy/memory.py", "and array not in self.live.static", "and True"),
    Mutant("dispatch.py", "ordered[self.indices] = flat", "ordered[: len(self.indices)] = flat"),
]  # fmt: skip


def where(mutant: Mutant, folder: Path = ROOT) -> Path:
    """The file of a mutant; ValueError unless the old text stands there once."""
    path = folder / "autodiff" / "compiler" / mutant.file
    count = path.read_text(encoding="utf-8").count(mutant.old)
    if count != 1:
        raise ValueError(f"{mutant.file} has {count} times: {mutant.old}")
    return path


def copied(folder: Path) -> None:
    """A copy of the packages and the tests."""
    for name in ("autodiff", "nn", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))


def failing(folder: Path, known: list[str], is_first: bool) -> list[list[str]]:
    """What fails in a copy, beside the programs `known`: all, or the first."""
    command = [sys.executable, "-m", "tests.properties.mutants", "--judge", json.dumps(known)]
    command += ["--first"] * is_first
    run = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=900, check=False
    )
    if run.returncode:
        return [["import", "", run.stderr.strip().splitlines()[-1]]]
    found: list[list[str]] = json.loads(run.stdout.splitlines()[-1])
    return found


def judge(known: list[str], is_first: bool) -> list[list[str]]:
    """The names, relations and checks of the programs of the quick set that fail."""
    found = []
    for name, make in quick_set().items():
        program = None if name in known else make()
        verdict = program and judged(program)
        if program and verdict and verdict.kind == "failed":
            relations = " + ".join(relations_of(program)) or "none"
            found.append([name, relations, f"{verdict.check}: {verdict.detail}"[:100]])
            if is_first:
                break
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.properties.mutants")
    parser.add_argument("--judge", type=json.loads, help=argparse.SUPPRESS)
    parser.add_argument("--first", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--only", default="", help="mutants whose file or text holds this alone")
    options = parser.parse_args()
    if options.judge is not None:
        print(json.dumps(judge(options.judge, options.first)))
        return
    for mutant in MUTANTS:
        where(mutant)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copied(folder)
        known = [row[0] for row in failing(folder, [], is_first=False)]
        print(f"{len(known)} programs fail without a mutant", flush=True)
        survivors = 0
        for mutant in MUTANTS:
            if options.only not in mutant.file + mutant.old:
                continue
            path = where(mutant, folder)
            text = path.read_text(encoding="utf-8")
            path.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
            try:
                found = failing(folder, known, is_first=True)
            finally:
                path.write_text(text, encoding="utf-8")
            survivors += not found
            killer = " | ".join(found[0]) if found else "SURVIVED"
            print(
                f"{mutant.file:13} {mutant.old[:60]!r} → {mutant.new[:40]!r}\n    {killer}",
                flush=True,
            )
    print(f"{survivors} survived")


if __name__ == "__main__":
    main()
