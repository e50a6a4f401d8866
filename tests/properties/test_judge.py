"""The judge can fail, what it prints runs, and the list of mutants is true."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from autodiff.compiler import Kernel, TraceError
from tests.properties.kinds import KINDS
from tests.properties.mutants import MUTANTS, Mutant, where
from tests.properties.points import settled
from tests.properties.program import Program
from tests.properties.relations import RELATIONS, related
from tests.properties.run import judged, make, quick_set
from tests.properties.shrink import shrunk
from tests.properties.styles import random_program
from tests.support.process import printed_under_any_hash_seed


@pytest.fixture
def program() -> Program:
    found = settled(KINDS["detached"](), 0)
    assert found is not None
    return found


def test_a_kernel_that_is_right_agrees(program: Program) -> None:
    assert judged(program).kind == "agreed"


@pytest.mark.parametrize(
    ("method", "check"),
    [("__call__", "value"), ("value_and_grad", "mean"), ("hvp", "hvp")],
)
def test_a_kernel_that_is_off_by_a_millionth_fails(
    method: str, check: str, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = getattr(Kernel, method)

    def wrong(self, *args, **options):
        found = right(self, *args, **options)
        return (found[0] * (1 + 1e-6), found[1]) if isinstance(found, tuple) else found + 1e-6

    monkeypatch.setattr(Kernel, method, wrong)
    assert judged(program)[:2] == ("failed", check)


def test_a_gradient_of_another_parameter_fails(program, monkeypatch) -> None:
    right = Kernel.value_and_grad

    def wrong(self, *args, **options):
        value, gradient = right(self, *args, **options)
        return value, gradient[::-1] if isinstance(gradient, np.ndarray) else gradient

    monkeypatch.setattr(Kernel, "value_and_grad", wrong)
    assert judged(program)[:2] == ("failed", "gradient")


def test_errors_are_failures_but_for_those_of_a_trace(program, monkeypatch) -> None:
    def raising(error):
        def call(self, *args, **options):
            raise error

        return call

    monkeypatch.setattr(Kernel, "__call__", raising(TraceError("here: no")))
    assert judged(program).kind == "refused"
    monkeypatch.setattr(Kernel, "__call__", raising(NameError("d_x")))
    assert judged(program)[:2] == ("failed", "value")


def test_a_kernel_that_runs_where_eager_execution_raises_fails(monkeypatch) -> None:
    found = settled(KINDS["unequal dots"](), 0)
    assert found is not None
    assert judged(found).kind == "raised"
    monkeypatch.setattr(Kernel, "__call__", lambda self, *args: np.zeros(1))
    assert judged(found)[:2] == ("failed", "error")


@pytest.mark.parametrize("name", RELATIONS)
def test_every_relation_has_something_to_do(name: str) -> None:
    starts = [settled(random_program(seed), seed) for seed in range(12)]
    made = [related(start, Random(1), [name]) for start in starts if start is not None]
    assert any(used for _, used in made)


def test_a_failure_is_made_small() -> None:
    found = settled(random_program(3), 3)
    assert found is not None
    bigger = replace(
        found, function=found.function.replace("return", "z = x.tanh()\n    return", 1)
    )
    small = shrunk(bigger, lambda p: "tanh" in p.function)
    assert "tanh" in small.function
    assert len(small.function.splitlines()) <= 3


def test_a_printed_program_runs(capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(1, 30, 3):
        program = make(number, 7)
        if program is not None and judged(program).kind == "agreed":
            exec(compile(program.script(), "<script>", "exec"), {})
            assert "kernel" in capsys.readouterr().out


def test_programs_are_the_same_whatever_the_hash_seed() -> None:
    code = (
        "import hashlib; from tests.properties.run import make\n"
        "found = [make(n, 3) for n in range(30)]\n"
        "text = ''.join(p.script() for p in found if p)\n"
        "print(hashlib.sha256(text.encode()).hexdigest())"
    )
    printed_under_any_hash_seed(code)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.file}: {mutant.old[:30]}")
def test_every_mutant_has_its_place(mutant: Mutant) -> None:
    assert where(mutant).is_file()
    assert mutant.old != mutant.new


def test_the_quick_set_has_some_hundred_programs() -> None:
    assert len(quick_set()) > 300
