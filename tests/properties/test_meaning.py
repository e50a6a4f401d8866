"""Kernels mean what their functions mean: programs of each kind, and related ones."""

import pytest

from tests.properties.judge import Verdict
from tests.properties.program import Program
from tests.properties.run import judged, quick_set

QUICK = quick_set()


def told(program: Program, verdict: Verdict) -> str:
    return (
        f"{verdict.check}: {verdict.detail}\n{' → '.join(program.trail)}\n\n"
        f"{program.script(check=verdict.check)}"
    )


@pytest.mark.parametrize("name", QUICK)
def test_a_kernel_is_eager_execution_or_says_that_it_cannot_be(name: str) -> None:
    program = QUICK[name]()
    if program is not None:
        verdict = judged(program)
        assert verdict.kind in ("agreed", "refused", "raised"), told(program, verdict)
