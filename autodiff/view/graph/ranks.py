"""The modules that stand below one another in a picture: neurons of a layer, heads, branches."""

from autodiff.engine.value import Value
from autodiff.view.graph.folding import Box, Boxes, last_name
from autodiff.view.modules import enclosing


def rows(boxes: Boxes) -> list[list[Box]]:
    """The boxes of modules in one list that are equally far from the leaves, in its order."""
    levels = _levels(boxes)
    found: dict[tuple[str, str, int], list[Box]] = {}
    for box in dict.fromkeys(boxes.values()):
        if box.module:
            found.setdefault((*siblings(box), levels.get(box, 0)), []).append(box)
    return [sorted(row, key=lambda box: _natural(box.module)) for row in found.values()]


def siblings(box: Box) -> tuple[str, str]:
    """What the boxes of one list have in common: the module around them, and their name."""
    if not box.module:
        return "", ""
    *_, around = ["", *enclosing(box.module)[:-1]]
    return around, last_name(box.module)


def _levels(boxes: Boxes) -> dict[Box, int]:
    """How many lines between boxes come before a box is first reached, on the longest path."""
    depths: dict[Value, int] = {}
    levels: dict[Box, int] = {}
    for node, box in boxes.items():
        before = (depths[x] + (boxes[x] is not box) for x in node.operands)
        depths[node] = max(before, default=0)
        if depths[node]:
            levels[box] = min(levels.get(box, depths[node]), depths[node])
    return levels


def _natural(path: str) -> list[tuple[bool, int, str]]:
    """A key that has neurons.10 behind neurons.9."""
    words = path.split(".")
    return [(w.isdecimal(), int(w), "") if w.isdecimal() else (False, 0, w) for w in words]
