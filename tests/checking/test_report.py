"""The report of a check: its text and its dict."""

import json
import math

from autodiff.checking.differences import Difference
from autodiff.checking.report import Entry, GradcheckError, Report, judge


def table(n, verdict):
    """The text of a report of `n` entries alike."""
    return str(Report((Entry("w", 1.0, 2.0, 0.0, 0.5, verdict),) * n, n, n)).splitlines()


def test_a_short_table_shows_all_entries_and_a_long_one_the_bad_entries():
    assert table(0, "ok") == ["gradcheck of 0 derivatives: ; largest relative error 0.0e+00"]
    assert [len(table(n, "ok")) for n in (1, 10, 11)] == [2 + 1, 2 + 10, 1]
    assert [len(table(n, "kink")) for n in (1, 10, 11)] == [2 + 1, 2 + 10, 2 + 11]
    assert [len(table(n, "wrong")) for n in (20, 21, 1020)] == [2 + 20, 2 + 21, 2 + 21]
    assert table(21, "wrong")[-1] == "… 1 more"
    assert table(1020, "wrong")[-1] == "… 1,000 more"
    assert table(1020, "wrong")[0].startswith("gradcheck of 1,020 derivatives: 1,020 wrong;")


def test_the_first_line_names_the_order_and_the_coverage():
    entries = (Entry("x × y", 1.0, 1.0, 0.0, 0.0, "ok", order=2),)
    said = [
        str(Report(entries, 1200, 1, coverage)).partition(": ")[0]
        for coverage in ("every input", "a random sample", "random directions")
    ]
    assert said == [
        "gradcheck of 1 derivative to order 2",
        "gradcheck of 1 derivative to order 2 (by a random sample of 1 of 1,200 inputs)",
        "gradcheck of 1 derivative to order 2 (in 1 random direction of 1,200 inputs)",
    ]


ENTRIES = (
    Entry("x", 1.0, 1.5, 1e-12, 0.5, "wrong"),
    Entry("y", math.nan, -math.inf, 0.0, math.inf, "wrong"),
    Entry("z", 2.0, 2.0, 0.0, 0.0, "ok"),
)


def test_columns_stand_below_their_names():
    lines = str(Report(ENTRIES, 3, 3)).splitlines()[1:]
    last = ["verdict", "wrong", "wrong", "ok"]
    assert {line.rindex(word) for line, word in zip(lines, last, strict=True)} == {
        len(lines[0]) - len("verdict")
    }


def test_a_dict_is_strict_json_and_complete():
    report = Report(ENTRIES, 7, 3, "a random sample")
    read = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert read == report.to_dict()
    entries = [
        Entry(**{k: float(v) if v in ("nan", "inf", "-inf") else v for k, v in entry.items()})
        for entry in read.pop("entries")
    ]
    assert repr(entries) == repr(list(ENTRIES))
    assert read == {
        "passed": False,
        "total": 7,
        "checked": 3,
        "coverage": "a random sample",
        "largest_relative_error": "inf",
    }


def test_a_report_is_true_if_it_passed():
    assert Report(ENTRIES[2:], 1, 1)
    assert not Report(ENTRIES, 3, 3)
    assert Report((Entry("x", 0.0, 0.5, 0.0, 1.0, "kink"),), 1, 1)
    assert not Report((Entry("x", 0.0, 0.5, 0.0, 1.0, "unclear"),), 1, 1)


def test_the_error_has_the_report_if_there_is_one():
    assert GradcheckError("text").report is None
    assert str(GradcheckError("text", Report(ENTRIES, 3, 3))) == "text"


def verdict(analytic, slope, error, *, bend=0.0, largest=0.0, noise=0.0, atol=0.0, rtol=1e-6):
    difference = Difference(slope, error, noise)
    return judge("x", 1, analytic, difference, bend, atol=atol, rtol=rtol, largest=largest).verdict


def test_tolerances_add_up():
    assert verdict(1.0, 1.0 + 9e-7, 1e-12) == "ok"
    assert verdict(1.0, 1.0 + 2e-6, 1e-12) == "wrong"
    assert verdict(1.0, 1.0 + 2e-6, 1e-12, atol=1.5e-6) == "ok"
    assert verdict(1.0, 1.0 + 2e-6, 1e-12, rtol=3e-6) == "ok"
    assert verdict(1.0, 1.0 + 2e-6, 1e-12, noise=3e-6) == "ok"
    assert verdict(1.0, 1.0 + 2e-6, 1e-5) == "unclear"


def test_a_slope_of_zero_is_judged_by_the_slopes_beside_it():
    assert verdict(0.0, 1e-9, 1e-8) == "unclear"
    assert verdict(0.0, 1e-9, 1e-8, bend=1.0) == "ok"
    assert verdict(0.0, 1e-9, 1e-8, largest=1.0) == "ok"
    assert verdict(0.0, 1e-7, 1e-8, largest=1.0) == "wrong"
