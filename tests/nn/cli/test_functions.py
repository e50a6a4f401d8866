"""A function is learned; tests/nn/test_main.py has the output and the errors."""

import re


def test_a_function_is_learned(run):
    status, out, _ = run("--target", "x", "--layers", "8", "1", "--iterations", "400")
    (line,) = [line for line in out if line.startswith("MSE")]
    assert status == 0
    assert (
        float(re.search(r", ([\d.e-]+) on 100 test points", line).group(1)) < 0.1
    )  # the variance is 8.5


def test_predictions_stand_beside_the_truth(run):
    _, out, _ = run("--target", "2*x", "--layers", "1", "--iterations", "2000", "--lr", "0.05")
    rows = [line.split() for line in out[out.index(next(l for l in out if "predicted" in l)) + 1 :]]
    for x, predicted, true in rows[:7]:
        assert float(true) == 2 * float(x)
        assert abs(float(predicted) - float(true)) < 0.01
