"""Text in pictures: one short line without invisible characters."""

import re

LONGEST = 32
"""Characters of a label that are shown."""

# Control characters, direction marks and lone surrogates: none is visible, UTF-8 or XML lacks
# some, and some reverse or erase the text beside them.
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
# In a record label these mean structure, in any label & begins a character reference.
_RECORD = str.maketrans({c: f"\\{c}" for c in "\\{}|<>"} | {"&": "&amp;"})
_PLAIN = str.maketrans({"\\": "\\\\", "&": "&amp;", "<": "&lt;", ">": "&gt;"})


def readable(text: str) -> str:
    """`text` on one line with at most `LONGEST` characters, � for each invisible one."""
    # Only a few times the shown length is read, so that 10,000 characters cost no more than 32.
    words = " ".join(str(text)[: 8 * LONGEST].split())
    if len(words) > LONGEST:
        words = words[: LONGEST - 1] + "…"
    return _INVISIBLE.sub("\N{REPLACEMENT CHARACTER}", words)


def cell(text: str) -> str:
    """The `readable` form of `text`, escaped for a cell of a record."""
    return readable(text).translate(_RECORD)


def across(*cells: str) -> str:
    """One cell of a record, with `cells` that run across the direction of those around it."""
    return f"{{{'|'.join(cells)}}}"


def lines(*texts: str) -> str:
    """`texts` below one another, escaped for a label outside records; "" has no line."""
    return "\\n".join(text.translate(_PLAIN) for text in texts if text)


def digits(number: float, precision: int) -> str:
    """`number` with `precision` significant digits."""
    return f"{number:.{precision}g}"


def counted(count: int, noun: str, plural: str = "") -> str:
    """A count with its noun: `1 node`, `2,000 nodes`."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"
