"""The op table of the README, from the rows. `python -m tests.op_table` writes it there."""

import inspect
from math import inf, pi
from pathlib import Path

from autodiff import ops
from autodiff.rows.primitive import TABLE, Domain, Primitive
from autodiff.rows.reduction import Reduction, Selection

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- op table: python -m tests.op_table -->\n", "<!-- end of op table -->\n"


def markdown() -> str:
    """The table, a line an op."""
    lines = ["| op | drawn as | NumPy | smooth inside |", "| --- | --- | --- | --- |"]
    ours = [row for row in TABLE.values() if getattr(ops, row.name, None) is row]
    lines += [_line(row) for row in ours]
    return "\n".join(lines) + "\n"


def rewritten(readme: str) -> str:
    """`readme` with the table of today."""
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{markdown()}{END}{after}"


def _line(row: Primitive) -> str:
    names = _operands(row)
    plain = [name.partition("=")[0].lstrip("*") for name in names]
    array = "xs[index]" if isinstance(row, Selection) else row.array.format(*plain)
    cells = (f"`{row.name}({', '.join(names)})`", f"`{row.label}`", f"`{array}`", _inside(row))
    return f"| {' | '.join(cells)} |"


def _operands(row: Primitive) -> list[str]:
    if isinstance(row, Selection):
        return ["xs", "index"]
    if isinstance(row, Reduction):
        return {0: ["*xs"], 1: ["xs"], 2: ["ws", "xs"]}[row.sequences]
    names = _names(row)
    first_default = len(names) - len(row.defaults)
    return [
        name if i < first_default else f"{name}={row.defaults[i - first_default]:g}"
        for i, name in enumerate(names)
    ]


def _names(row: Primitive) -> list[str]:
    """The operands as a partial of the row names them; its last parameter is the result."""
    for partial in filter(None, row.partials):
        names = list(inspect.signature(partial).parameters)[:-1]
        if len(names) == len(row.partials):
            return names
    return list("xyz"[: len(row.partials)])


def _inside(row: Primitive) -> str:
    texts = [_domain(name, domain) for name, domain in zip(_names(row), row.domain, strict=True)]
    texts.append("no two equal" if row.ties else "")
    return ", ".join(filter(None, texts)) or "ℝ"


def _domain(name: str, domain: Domain) -> str:
    bounds = {-inf: "", inf: "", pi / 2: "π/2", -pi / 2: "-π/2"}
    low = bounds.get(domain.low, f"{domain.low:g}")
    high = bounds.get(domain.high, f"{domain.high:g}")
    between = f"{low} < {name} < {high}" if low and high else f"{name} > {low}" if low else ""
    return ", ".join(filter(None, [between, *(f"{name} ≠ {kink:g}" for kink in domain.kinks)]))


if __name__ == "__main__":
    README.write_text(rewritten(README.read_text(encoding="utf-8")), encoding="utf-8")
