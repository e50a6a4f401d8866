"""`fit --csv`: a user's table, and every fault of it in one line."""

import re

import numpy as np
import pytest

import nn

HEADER = "width,height,kind,price\n"


@pytest.fixture
def table(folder):
    """Writes a table of 40 rows, whose price is 3 width - height."""
    rng = np.random.default_rng(0)
    width, height = rng.uniform(0, 10, (2, 40))
    rows = [f"{w},{h},oak,{3 * w - h}" for w, h in zip(width, height, strict=True)]
    (folder / "table.csv").write_text(HEADER + "\n".join(rows), encoding="utf-8")
    return folder / "table.csv"


SMALL = ("--layers", "1", "--lr", "0.05", "--no-progress")
COLUMNS = ("--x", "width", "height", "--y", "price")


def test_a_table_is_fitted_and_tested_on_rows_held_out(run, table, folder):
    status, out, err = run("fit", "--csv", "table.csv", *COLUMNS, *SMALL)
    assert (status, err) == (0, [])
    text = "\n".join(out)
    assert "fitting price by width, height in table.csv with a 2-1 network of 3 parameters" in text
    assert re.search(r"^MSE: \S+ on 25 training rows, \S+ on 8 test rows$", text, re.MULTILINE)
    assert float(re.search(r"R²: (\S+) on the test rows, with", text).group(1)) > 0.999
    rows = [
        list(map(float, line.split())) for line in out if re.fullmatch(r"(\s+[-\d.e]+){4}", line)
    ]
    assert len(rows) == 7
    for width, height, predicted, true in rows:
        assert predicted == pytest.approx(3 * width - height, abs=0.3)
        assert true == pytest.approx(3 * width - height, abs=0.02)
    names = {path.name.partition(".")[0] for path in (folder / "runs").iterdir()}
    assert names == {"backprop", "curves", "fit", "network"}


def test_one_input_is_drawn_as_a_curve(run, table, monkeypatch):
    from nn.cli import columns

    drawn = []
    monkeypatch.setattr(columns, "plot_fit", lambda *args, **more: drawn.append((args, more)))
    assert run("--csv", "table.csv", "--x", "width", "--y", "price", *SMALL)[0] == 0
    (((_, grid, target, curve, (x, y)), more),) = drawn
    assert (target, more) == (None, {"names": ("width", "price")})
    assert (grid[0], grid[-1]) == (x.min(), x.max())
    # In the units of the table: the line runs through the middle of the points.
    assert np.interp(x, grid, curve).mean() == pytest.approx(y.mean(), abs=0.5)


def test_training_stops_early_with_the_best_parameters(run, table, monkeypatch):
    lines = table.read_text(encoding="utf-8").splitlines()
    noise = np.random.default_rng(0).normal(size=len(lines))
    noisy = [f"{line.rpartition(',')[0]},{x}" for line, x in zip(lines[1:], noise, strict=False)]
    table.write_text("\n".join([lines[0], *noisy]), encoding="utf-8")
    found = []
    fit = nn.fit
    monkeypatch.setattr(nn, "fit", lambda *a, **more: found.append(fit(*a, **more)) or found[-1])
    _, out, _ = run("--csv", "table.csv", *COLUMNS, "--layers", "8", "1", "--no-progress")
    (history,) = found
    assert history.stopped == "early stopping"
    assert f"with the parameters of epoch {history.best_epoch}" in "\n".join(out)


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        (None, ("--x", "width", "--y", "price"), "--x and --y name columns of a table; give"),
        (None, ("--csv", "none.csv"), "--csv: cannot read none.csv: No such file"),
        (None, ("--csv", "table.csv"), "needs --x and --y; the columns are width, height, kind, p"),
        (None, ("--csv", "table.csv", "--x", "width"), "needs --x and --y"),
        (None, ("--csv", "table.csv", *COLUMNS, "--target", "x"), "not both"),
        (None, ("--csv", "table.csv", "--x", "width", "price", "--y", "price"), "named twice"),
        (None, ("--csv", "table.csv", "--x", "Width", "--y", "price"), "no column 'Width'; the co"),
        (None, ("--csv", "table.csv", "--x", "kind", "--y", "price"),
         "table.csv, line 2: column 'kind' has 'oak' where a number belongs"),
        (None, ("--csv", "table.csv", *COLUMNS, "--batch", "26"), "--batch must be at most 25"),
        (lambda t: t + "\n1,2", ("--csv", "table.csv", *COLUMNS), "line 42: 2 cells, the header"),
        (lambda t: t + "\n,2,oak,1", ("--csv", "table.csv", *COLUMNS),
         "table.csv, line 42: column 'width' has no value"),
        (lambda t: re.sub(r"\n[\d.]+,", "\n7,", t), ("--csv", "table.csv", *COLUMNS),
         "column 'width' is 7.0 in all 40 rows"),
        (lambda t: "\n".join(t.splitlines()[:2]), ("--csv", "table.csv", *COLUMNS), "has one row"),
        (lambda t: "\n".join(t.splitlines()[:9]), ("--csv", "table.csv", *COLUMNS),
         "has 8 rows; at least 10 are needed"),
    ],
)  # fmt: skip
def test_a_fault_is_one_line_and_nothing_is_written(run, table, folder, change, arguments, message):
    if change:
        table.write_text(change(table.read_text(encoding="utf-8")), encoding="utf-8")
    status, _, err = run("fit", *arguments, *SMALL)
    assert status == 2
    assert len(err) == 1
    assert err[0].startswith("python -m nn fit: error: ")
    assert message in err[0]
    assert [*folder.iterdir()] == [table]
