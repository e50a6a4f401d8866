"""The README's table of slopes at kinks and edges: what it says, and what libraries give.

`python -m tests.conventions` measures every library that is installed and writes its column.
"""

import warnings
from typing import NamedTuple

from tests.op_table import README
from tests.support import peers

LIBRARIES = {
    "autodiff": peers.ours,
    "PyTorch": peers.pytorch,
    "JAX": peers.jax,
    "HIPS autograd": peers.hips,
}
BEGIN, END = "<!-- conventions: python -m tests.conventions -->\n", "<!-- end of conventions -->\n"


class Row(NamedTuple):
    function: str
    """An expression in the names of `at` and in those of ops."""
    at: str
    """The point, as in `x = 0, y = 1`."""
    slopes: list[str]
    """One text a library: the slopes by the names, in their order."""

    @property
    def point(self) -> dict[str, float]:
        pairs = [part.split(" = ") for part in self.at.split(", ")]
        return {name: float(text) for name, text in pairs}

    def measured(self, library) -> str:
        """The slopes that a library gives, as the table writes them."""

        def f(*xs):
            return eval(self.function, vars(library) | dict(zip(self.point, xs, strict=True)))

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _, slopes = library.gradient(f, tuple(self.point.values()))
        return ", ".join(f"{x + 0.0:.4g}" for x in slopes)  # + 0.0: no sign of zero


def rows(readme: str) -> list[Row]:
    """The rows of the table in the README."""
    table = readme.partition(BEGIN)[2].partition(END)[0]
    lines = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    return [Row(cells[0].strip("`"), cells[1], cells[2:]) for cells in lines]


def rewritten(readme: str) -> str:
    """`readme` with every column measured whose library is here."""
    before, _, rest = readme.partition(BEGIN)
    after = rest.partition(END)[2]
    heads, found = [], rows(readme)
    for column, (name, load) in enumerate(LIBRARIES.items()):
        try:
            library = load()
        except ImportError:
            print(f"{name} is not installed; its column stays as it is")
            heads.append(rest.splitlines()[0].strip("| ").split(" | ")[2 + column])
            continue
        heads.append(name if name == "autodiff" else f"{name} {library.version.partition('+')[0]}")
        for i, row in enumerate(found):
            slopes = [*row.slopes, *[""] * (len(LIBRARIES) - len(row.slopes))]
            slopes[column] = row.measured(library)
            found[i] = row._replace(slopes=slopes)
    lines = [f"| slope of | at | {' | '.join(heads)} |", f"|{' --- |' * (2 + len(heads))}"]
    lines += [f"| `{row.function}` | {row.at} | {' | '.join(row.slopes)} |" for row in found]
    return before + BEGIN + "\n".join(lines) + "\n" + END + after


if __name__ == "__main__":
    README.write_text(rewritten(README.read_text(encoding="utf-8")), encoding="utf-8")
