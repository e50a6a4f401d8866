"""The backward sweep: cotangents flow from the root to the leaves, each edge once."""

from typing import Any

from autodiff.graph import interior


def backward(root: Any, seed: float) -> None:
    """Add d root / d leaf, times `seed`, to the `_grad` of every leaf.

    A node has `operands` and, one for each, `_partials`: None where no cotangent crosses.
    """
    order = interior(root)
    for node in order:
        node._grad = None
    root._grad = seed if root._grad is None else root._grad + seed
    # A node reached by two paths must have both cotangents before it passes them on.
    for node in reversed(order):
        ct = node._grad
        if ct is None:  # every path that leads here is cut
            continue
        operands, partials = node.operands, node._partials
        if node.op.selects:
            for x, p in zip(operands, partials):
                if p is not None:
                    grad = x._grad
                    x._grad = ct * p if grad is None else grad + ct * p
        elif len(operands) == 2:  # as the loop below, a tenth faster on scalar code
            x, y = operands
            p, q = partials
            grad = x._grad
            x._grad = ct * p if grad is None else grad + ct * p
            grad = y._grad
            y._grad = ct * q if grad is None else grad + ct * q
        else:
            for x, p in zip(operands, partials):
                grad = x._grad
                x._grad = ct * p if grad is None else grad + ct * p
