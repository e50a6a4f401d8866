"""The order of the parameters in their array: weights of a neuron side by side, its bias behind."""

from collections.abc import Iterable

from autodiff.compiler.scalars.packs import Pack, Packs
from autodiff.compiler.scalars.program import PARAMETERS, TAKE, Leaf


def arrange(packs: Packs) -> tuple[int, ...]:
    """The parameters in the order of the packs that use them first, lane by lane.

    The k-th number is the lane, among the scalars, of the parameter that comes k-th. A lane of a
    sum takes its factors, then what is added alone: so the weights of a neuron lie side by side
    with its bias behind them. If there are more inputs than neurons, all biases come after all
    weights. A table lies row by row.
    """
    scalars = packs.scalars
    ordered: dict[int, None] = {}

    def put(found: Iterable[int]) -> None:
        ordered.update(
            (scalars.operands[i][0], None) for i in found if scalars.ops[i] is PARAMETERS
        )

    for pack in packs.packs:
        if pack.op is TAKE:
            columns = [scalars.operands[i][:-1] for i in pack.lanes]
            for row in zip(*columns, strict=True):
                put(row)
        others: list[int] = []
        alone: list[int] = []
        for i in pack.lanes if not isinstance(pack.op, Leaf) else ():
            if i not in packs.terms:
                put(scalars.operands[i])
                continue
            terms = packs.terms[i]
            put(x for _, x, y in terms if y >= 0)
            others += [y for _, _, y in terms if y >= 0]
            alone += [x for _, x, y in terms if y < 0]
            if not _is_long(packs, pack, i):
                put(alone)
                alone.clear()
        put([*alone, *others])
    ordered.update(dict.fromkeys(range(len(scalars.parameters))))
    return tuple(ordered)


def _is_long(packs: Packs, pack: Pack, i: int) -> bool:
    """Whether a sum has products with more elements of an argument than its pack has lanes."""
    products = [y for _, _, y in packs.terms[i] if y >= 0]
    return len(products) > len(pack.lanes) and isinstance(packs.pack_of[products[0]].op, Leaf)
