"""python -m tests.properties --runs 5000 --seed 0: many programs, and each failure shrunk."""

import argparse
import ast
import time

from tests.properties.program import Program
from tests.properties.relations import RELATIONS
from tests.properties.run import Tally, judged, key_of, make
from tests.properties.shrink import shrunk


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.properties", description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--start", type=int, default=0, help="number of the first program")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--relations", nargs="*", choices=list(RELATIONS), default=None)
    parser.add_argument("--shrink", type=int, default=2, help="failures of each look to shrink")
    parser.add_argument("--seconds", type=float, default=8.0, help="time to shrink one")
    options = parser.parse_args()
    start = time.monotonic()
    tally = Tally()
    for number in range(options.start, options.start + options.runs):
        tally.add(make(number, options.seed, options.relations))
    print(tally.report())
    print(f"\n{options.runs} programs in {time.monotonic() - start:.0f} s", flush=True)
    shapes: set[str] = set()
    for key, found in sorted(tally.failures.items()):
        for program, _ in found[: options.shrink]:
            small = shrunk(program, lambda p, key=key: _fails(p, key), options.seconds)
            shape = key[0] + _shape(small)
            if shape not in shapes:
                shapes.add(shape)
                verdict = judged(small)
                print(f"\n# {'-' * 70}\n# {verdict.check}: {verdict.detail[:300]}")
                print(f"# {' → '.join(program.trail)}; {len(found)} of this look")
                print(small.script(min(3, len(set(map(str, small.points)))), verdict.check))


def _fails(program: Program, key: tuple[str, str]) -> bool:
    try:
        verdict = judged(program)
    except Exception:
        return False
    return verdict.kind == "failed" and key_of(program, verdict) == key


def _shape(program: Program) -> str:
    """The function without its names and numbers."""
    tree = ast.parse(program.function)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            node.value = 0
        elif isinstance(node, ast.Name):
            node.id = node.id.rstrip("0123456789")
    return ast.unparse(tree)


if __name__ == "__main__":
    main()
