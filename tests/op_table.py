"""The op table of the README, from the rows. `python -m tests.op_table` writes it there."""

from pathlib import Path

from autodiff import ops
from autodiff.rows.documentation import domain_in_words
from autodiff.rows.primitive import TABLE, Primitive
from autodiff.rows.reduction import Selection

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
    array = (
        "xs[index]" if isinstance(row, Selection) else row.array.format(*row.signature.parameters)
    )
    call = f"{row.name}{row.signature}".replace(".0)", ")")
    cells = (f"`{call}`", f"`{row.label}`", f"`{array}`", domain_in_words(row))
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    README.write_text(rewritten(README.read_text(encoding="utf-8")), encoding="utf-8")
