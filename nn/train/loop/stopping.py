"""`Patience`: how long a loss has not fallen."""

from dataclasses import dataclass
from math import inf


@dataclass
class Patience:
    """Runs out when `limit` losses in a row are not below the least by more than `tolerance`."""

    limit: int
    tolerance: float = 0.0
    least: float = inf
    since: int = 0

    def __post_init__(self) -> None:
        if self.limit < 1:
            raise ValueError(f"patience must be at least 1, got {self.limit}")

    def see(self, loss: float) -> bool:
        """Record a loss; return whether it improved on the least so far."""
        is_gain = loss < self.least - self.tolerance
        self.since = 0 if is_gain else self.since + 1
        self.least = min(self.least, loss)
        return is_gain

    @property
    def is_out(self) -> bool:
        """Whether the last gain was `limit` losses ago."""
        return self.since >= self.limit
