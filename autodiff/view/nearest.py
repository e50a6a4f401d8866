"""The part of a large graph that is shown: the elements nearest to its end."""

from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def nearest(starts: Iterable[T], before: Callable[[T], Iterable[T]], count: int) -> dict[T, None]:
    """The first `count` of `starts` and their ancestors, those reached in the fewest steps first.

    `before` has the elements one step from its argument.
    """
    reached = dict.fromkeys(starts)
    queue = list(reached)[:count]
    for one in queue:
        if len(queue) >= count:
            break
        for source in before(one):
            if source not in reached:
                reached[source] = None
                queue.append(source)
    return dict.fromkeys(queue[:count])
