"""What Hypothesis strategies draw, for tests of the strategies themselves."""

from typing import Any

from hypothesis import Phase, find, given, settings


def examples(strategy: Any, n: int = 300) -> list[Any]:
    """The first `n` examples of `strategy`, the same in every run."""
    found = []

    @settings(max_examples=n, derandomize=True, database=None, phases=[Phase.generate])
    @given(strategy)
    def collect(x: Any) -> None:
        found.append(x)

    collect()
    return found


def smallest(strategy: Any, holds: Any) -> Any:
    """The simplest example for which `holds`."""
    return find(
        strategy, holds, settings=settings(max_examples=2000, derandomize=True, database=None)
    )
