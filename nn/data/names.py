"""Names: a list of them as data, read from a file and encoded as tokens."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

Tokens = npt.NDArray[np.int_]

OWN = Path(__file__).with_name("names.txt")
"""A list of common given names, one per line."""

_END = 0
"""The token before the first letter and after the last."""
_FEWEST, _LONGEST, _LETTERS = 10, 32, 100


@dataclass(frozen=True)
class Names:
    """A list of names as tokens: one for each letter in it, and one for the ends of a name."""

    names: tuple[str, ...]

    @cached_property
    def letters(self) -> tuple[str, ...]:
        """The letters, sorted; the token of letter k, counted from 0, is k + 1."""
        return tuple(sorted(set("".join(self.names))))

    @property
    def length(self) -> int:
        """The most tokens that a model sees at once: the end, and the letters of a name."""
        return 1 + max(map(len, self.names))

    def encode(self, name: str) -> list[int]:
        """The tokens of a name, between two ends."""
        return [_END, *(1 + self.letters.index(letter) for letter in name), _END]

    def decode(self, tokens: Sequence[int]) -> str:
        """The name up to its end."""
        letters = []
        for token in tokens:
            if token == _END:
                break
            letters.append(self.letters[token - 1])
        return "".join(letters)

    def by_length(self, names: Sequence[str]) -> dict[int, Tokens]:
        """Tokens of shape (names, length + 2) for each length of a name, the longest first."""
        groups: dict[int, list[list[int]]] = defaultdict(list)
        for name in sorted(names, key=len, reverse=True):
            groups[len(name)].append(self.encode(name))
        return {length: np.array(tokens) for length, tokens in groups.items()}


def read_names(path: str | Path) -> Names:
    """The names in a UTF-8 text file, one per line; blank lines are skipped.

    Raises ValueError, with file and line, for fewer than 10 different names, for a name of more
    than 32 letters, and for more than 100 different letters; OSError if there is no such file.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not text in UTF-8: {error}") from None
    names = Names(tuple(line.strip() for line in lines if line.strip()))
    for number, line in enumerate(lines, start=1):
        if len(line.strip()) > _LONGEST:
            raise ValueError(
                f"{path}, line {number}: a name of {len(line.strip())} letters; the limit is "
                f"{_LONGEST}"
            )
    count = len(set(names.names))
    if count < _FEWEST:
        raise ValueError(f"{path} has {count} different names; at least {_FEWEST} are needed")
    if len(names.letters) > _LETTERS:
        raise ValueError(
            f"{path} has {len(names.letters)} different letters; the limit is {_LETTERS}"
        )
    return names
