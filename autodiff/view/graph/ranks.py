"""The modules that a picture puts below one another: neurons of a layer, heads, branches."""

from autodiff.engine.value import Value
from autodiff.view.graph.folding import Box, Boxes, last_name
from autodiff.view.modules import enclosing


def ranks(boxes: Boxes) -> list[list[Box]]:
    """The modules of each list that are equally far from the leaves, in the order of the list."""
    depths = _depths(boxes)
    found: dict[tuple[str, str, int], list[Box]] = {}
    for box in dict.fromkeys(boxes.values()):
        if box.module:
            found.setdefault((*siblings(box), depths.get(box, 0)), []).append(box)
    return [sorted(rank, key=lambda box: _natural(box.module)) for rank in found.values()]


def siblings(box: Box) -> tuple[str, str]:
    """What the modules of one list share: the module around them, and their name."""
    if not box.module:
        return "", ""
    *_, around = ["", *enclosing(box.module)[:-1]]
    return around, last_name(box.module)


def _depths(boxes: Boxes) -> dict[Box, int]:
    """How many edges between boxes precede the first node of a box, on its longest path."""
    depth_of: dict[Value, int] = {}
    depths: dict[Box, int] = {}
    for node, box in boxes.items():
        before = (depth_of[x] + (boxes[x] is not box) for x in node.operands)
        depth_of[node] = max(before, default=0)
        if depth_of[node]:
            depths[box] = min(depths.get(box, depth_of[node]), depth_of[node])
    return depths


def _natural(path: str) -> list[tuple[bool, int, str]]:
    """A sort key that puts neurons.10 behind neurons.9."""
    words = path.split(".")
    return [(w.isdecimal(), int(w), "") if w.isdecimal() else (False, 0, w) for w in words]
