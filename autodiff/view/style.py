"""Colors, shapes and directions that all pictures share."""

from collections.abc import Iterable, Sequence
from math import isfinite, sqrt
from typing import Literal

from autodiff.view.text import across, digits

Direction = Literal["LR", "RL", "TB", "BT"]

# In inches: a picture of 1,000 nodes in a row would be 29 GB of pixels.
GRAPH = {"rankdir": "LR", "nodesep": "0.15", "ranksep": "0.5", "size": "100"}
NODE = {
    "shape": "record",
    "style": "filled",
    "fillcolor": "#dbe9f6",
    "color": "#555555",
    "fontname": "Helvetica",
    "fontsize": "11",
    "height": "0.2",
}
EDGE = {"color": "#555555", "arrowsize": "0.6"}
COUNTS = {"fontname": "Helvetica", "fontsize": "10"}
LEAF = {"fillcolor": "#fff4cc"}
FOLDED = {"shape": "box", "style": "filled,rounded", "fillcolor": "#e3f1e1", "margin": "0.12,0.06"}
STUB = {"shape": "plaintext", "style": "", "label": "…"}
HIGHLIGHT = {"color": "#00a03e", "penwidth": "2"}
ARRAY_MOVE = {"fillcolor": "#ffffff"}
RESULT = {"penwidth": "2"}
NOTE = {"labelloc": "b", "labeljust": "l", "fontname": "Helvetica", "fontsize": "11"}

# Where an arrow leaves a box and where it arrives, by direction.
PORTS: dict[str, tuple[str, str]] = {
    "LR": ("e", "w"), "RL": ("w", "e"), "TB": ("s", "n"), "BT": ("n", "s")}  # fmt: skip

# From 0 to the largest, as red, green and blue.
_SCALE = ((255, 255, 255), (253, 212, 158), (252, 141, 89), (215, 48, 31), (150, 0, 0))
_NOT_FINITE = {"fillcolor": "#c51bbf", "fontcolor": "white"}


def record(ins: Sequence[str], op: str, outs: Sequence[str], direction: Direction) -> str:
    """The label of a record: operands on the side where arrows arrive, the op, the result."""
    parts = [across(*ins), op, across(*outs)]
    return across(*(parts if direction in ("LR", "TB") else reversed(parts)))


class Shades:
    """Fills by magnitude, from white for 0 to dark red for the largest finite one."""

    def __init__(self, numbers: Iterable[float]) -> None:
        self._largest = max((abs(x) for x in numbers if isfinite(x)), default=0.0)

    def fill(self, number: float) -> dict[str, str]:
        """The attributes of a box for `number`; nan and inf have their own color."""
        if not isfinite(number):
            return _NOT_FINITE
        # Gradients differ by orders of magnitude: a hundredth of the largest must not look like 0.
        share = sqrt(abs(number) / self._largest) if self._largest else 0.0
        position = share * (len(_SCALE) - 1)
        low = min(int(position), len(_SCALE) - 2)
        color = "".join(
            f"{round(a + (b - a) * (position - low)):02x}"
            for a, b in zip(_SCALE[low], _SCALE[low + 1], strict=True)
        )
        return {"fillcolor": f"#{color}", "fontcolor": "white" if share > 0.7 else "black"}

    def legend(self, precision: int) -> str:
        """The meaning of the fills, for a note in the picture."""
        return f"color: |grad|, white for 0, dark red for {digits(self._largest, precision)}"


def weight_line(number: float, largest: float, faintest: int = 25) -> dict[str, str]:
    """The attributes of a line for a weight: blue if positive, orange if negative.

    Its width and opacity grow with the size of the weight relative to `largest`; a weight of 0
    has the opacity `faintest` (out of 255).
    """
    strength = min(1.0, abs(number) / largest) ** 2 if largest else 0.0
    color = "#1f6fb4" if number >= 0 else "#e0701b"
    shade = f"{round(faintest + (230 - faintest) * strength):02x}"
    return {"color": color + shade, "penwidth": f"{0.3 + 1.7 * strength:.2f}"}
