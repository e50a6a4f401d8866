"""The report of a check of derivatives: a table for people, a dict for programs."""

from collections import Counter
from dataclasses import asdict, dataclass
from math import inf, isfinite
from typing import Literal, TypeVar

from autodiff.checking.differences import Difference

T = TypeVar("T")

Verdict = Literal["ok", "kink", "unclear", "wrong"]
Coverage = Literal["every input", "a random sample", "random directions"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One derivative, computed in two ways."""

    name: str
    """The inputs that f is differentiated by, one per order: `x × y`."""
    analytic: float
    numeric: float
    noise: float
    """How far rounding of f alone may change `numeric`."""
    relative_error: float
    """|analytic - numeric|, relative to the larger of both, or to what rounding lets show."""
    verdict: Verdict
    """kink: the slopes on both sides differ; unclear: the differences did not converge."""
    order: int = 1


def judge(
    name: str,
    order: int,
    analytic: float,
    numeric: Difference,
    bend: float,
    *,
    atol: float,
    rtol: float,
    largest: float,
) -> Entry:
    """The entry of a derivative, from its two values.

    `bend` is the steepest slope nearby, `largest` the largest derivative of the same order.
    """
    gap = abs(analytic - numeric.slope)
    size = max(abs(analytic), abs(numeric.slope), numeric.noise / rtol)
    # A slope of zero has no size of its own. It is small if it is small beside the slopes nearby
    # or the rest of the gradient.
    is_settled = gap <= max(numeric.error, 1e-9 * bend) <= rtol * max(bend, largest)
    verdict: Verdict
    if not isfinite(analytic):
        verdict = "wrong"
    elif numeric.is_kink:
        verdict = "kink"
    elif gap <= atol + rtol * size or is_settled:
        verdict = "ok"
    else:
        verdict = "wrong" if numeric.error <= gap else "unclear"
    relative = (
        inf
        if not isfinite(gap)
        else gap / max(size, bend, largest if is_settled else 0.0)
        if gap
        else 0.0
    )
    return Entry(name, analytic, numeric.slope, numeric.noise, relative, verdict, order)


@dataclass(frozen=True, slots=True)
class Report:
    """The findings of `gradcheck`; true if the check passed.

    `str` is a table of the entries that are not ok, or of all if there are few.
    """

    entries: tuple[Entry, ...]
    total: int
    """The number of inputs."""
    checked: int
    """The number of inputs, or of directions, that f was differentiated by."""
    coverage: Coverage = "every input"

    @property
    def passed(self) -> bool:
        """Whether no derivative is wrong or unclear; kinks are not judged."""
        return all(entry.verdict in ("ok", "kink") for entry in self.entries)

    def __bool__(self) -> bool:
        return self.passed

    @property
    def kinks(self) -> tuple[Entry, ...]:
        """The derivatives that do not exist because f has a kink."""
        return tuple(entry for entry in self.entries if entry.verdict == "kink")

    @property
    def largest_relative_error(self) -> float:
        """The largest relative error of entries without a kink; 0 if there are none."""
        errors = (entry.relative_error for entry in self.entries if entry.verdict != "kink")
        return max(errors, default=0.0)

    def to_dict(self) -> dict[str, object]:
        """The report as strict JSON: dicts, lists, texts and numbers, with inf and nan as text."""
        return {
            "passed": self.passed,
            "total": self.total,
            "checked": self.checked,
            "coverage": self.coverage,
            "largest_relative_error": _json(self.largest_relative_error),
            "entries": [
                {key: _json(x) for key, x in asdict(entry).items()} for entry in self.entries
            ],
        }

    def __str__(self) -> str:
        shown = [entry for entry in self.entries if len(self.entries) <= 10 or _is_bad(entry)]
        lines = [self._summary()]
        if shown:
            width = max(len("name"), *(len(entry.name) for entry in shown))
            lines.append(
                f"{'name':{width}}  {'analytic':>16}  {'numeric':>16}  {'error':>7}  verdict"
            )
        lines += [
            f"{entry.name:{width}}  {entry.analytic:16.9g}  {entry.numeric:16.9g}  "
            f"{entry.relative_error:7.1e}  {entry.verdict}"
            for entry in shown[:20]
        ]
        if len(shown) > 20:
            lines.append(f"… {len(shown) - 20:,} more")
        return "\n".join(lines)

    def _summary(self) -> str:
        counts = Counter(entry.verdict for entry in self.entries)
        tally = ", ".join(f"{counts[verdict]:,} {verdict}" for verdict in sorted(counts))
        order = max((entry.order for entry in self.entries), default=1)
        to_order = f" to order {order}" * (order > 1)
        inputs = f"of {self.total:,} inputs"
        how = {
            "every input": "",
            "a random sample": f" (by a random sample of {self.checked:,} {inputs})",
            "random directions": f" (in {_count(self.checked, 'random direction')} {inputs})",
        }[self.coverage]
        return (
            f"gradcheck of {_count(len(self.entries), 'derivative')}{to_order}{how}: {tally}; "
            f"largest relative error {self.largest_relative_error:.1e}"
        )


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'s' * (n != 1)}"


def _is_bad(entry: Entry) -> bool:
    return entry.verdict != "ok"


def _json(x: T) -> T | str:
    return repr(x) if isinstance(x, float) and not isfinite(x) else x


class GradcheckError(AssertionError):
    """Raised where finite differences contradict a derivative; its text is the report."""

    def __init__(self, text: str, report: Report | None = None) -> None:
        super().__init__(text)
        self.report = report
        """The report of `gradcheck`; None if the error is from another comparison."""
