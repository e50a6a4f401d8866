"""Many programs, each after some relations: who agreed, who refused, and what failed."""

import re
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.properties.checks import extra
from tests.properties.judge import Verdict, agree
from tests.properties.points import settled
from tests.properties.program import Program
from tests.properties.relations import RELATIONS, related
from tests.properties.seeds import KINDS, QUICK, seed_program

_SECONDS = 120


@contextmanager
def limited(seconds: int) -> Iterator[None]:
    """TimeoutError after some seconds, where signals are to be had."""

    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def stop(*_: Any) -> None:
        raise TimeoutError(f"not done in {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def judged(program: Program) -> Verdict:
    """The verdict over a program with its checks; a program that hangs has failed."""
    try:
        with limited(_SECONDS):
            return agree(program, extra)
    except TimeoutError as error:
        return Verdict("failed", "time", str(error))
    except Exception as error:
        return Verdict("failed", "result", f"{type(error).__name__}: {error}")


def make(number: int, seed: int = 0, names: list[str] | None = None) -> Program | None:
    """Program `number` of a run: a seed after one to three relations; None if it has no points."""
    rng = Random(f"run {seed} {number}")
    start = settled(seed_program(number + 3000003 * seed), number)
    if start is None:
        return None
    chosen = names or list(RELATIONS)
    program, _ = related(start, rng, rng.choices(chosen, k=rng.randrange(1, 4)))
    return program


def relations_of(program: Program) -> list[str]:
    """The relations that made a program, in order, each once."""
    found = [step.partition(":")[0] for step in program.trail[1:]]
    return [*dict.fromkeys("change" if name == "door" else name for name in found)]


def key_of(program: Program, verdict: Verdict) -> tuple[str, str]:
    """What tells one failure from another before it is shrunk."""
    detail = re.sub(r"-?\d[\d.e+-]*|nan|inf|\[.*\]|'[^']*'", "#", verdict.detail)
    return verdict.check.partition(",")[0], detail[:90]


@dataclass
class Tally:
    """Counts of a run, and the failures by what they look like."""

    counts: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    by_relation: Counter[str] = field(default_factory=Counter)
    used: Counter[str] = field(default_factory=Counter)
    failures: dict[tuple[str, str], list[tuple[Program, Verdict]]] = field(default_factory=dict)

    def add(self, program: Program | None) -> Verdict:
        """Judge a program and count it."""
        if program is None:
            self.counts["void"] += 1
            return Verdict("void")
        verdict = judged(program)
        names = relations_of(program) or ["none"]
        self.used.update(names)
        self.counts[verdict.kind] += 1
        if verdict.kind == "refused":
            self.refused[verdict.detail[:70]] += 1
        elif verdict.kind == "failed":
            self.by_relation.update(names)
            self.failures.setdefault(key_of(program, verdict), []).append((program, verdict))
        return verdict

    def report(self) -> str:
        lines = [
            ", ".join(f"{n} {kind}" for kind, n in self.counts.most_common()),
            "",
            "refused with:",
        ]
        lines += [f"  {n:5d}  {text}" for text, n in self.refused.most_common()]
        lines += ["", "relation     applied  failed"]
        lines += [
            f"{r:12} {self.used[r]:7d} {self.by_relation[r]:7d}" for r in [*RELATIONS, "none"]
        ]
        lines += ["", "failures by kind:"]
        ordered = sorted(self.failures.items(), key=lambda item: -len(item[1]))
        lines += [f"  {len(found):5d}  {' | '.join(key)}" for key, found in ordered]
        return "\n".join(lines)


def quick_set(count: int = 300) -> dict[str, Callable[[], Program | None]]:
    """Programs of each kind as they are, and some after relations, by their names."""
    plain = {name: lambda name=name: settled(KINDS[name](), name) for name in QUICK}
    return plain | {f"run {n}": lambda n=n: make(n, 7) for n in range(count)}
