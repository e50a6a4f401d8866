"""`predict`: one row per example, on Values or compiled."""

import numpy as np
import pytest

import autodiff
import nn
from nn import MLP
from tests.nn.trainees import Number, X


@pytest.mark.parametrize(
    ("nin", "nouts", "x", "shape"),
    [
        (1, [1], X, (12,)),
        (1, [1], X.reshape(-1, 1), (12,)),
        (1, [2], X.tolist(), (12, 2)),
        (2, [1], X.reshape(6, 2), (6,)),
        (2, [3], X.reshape(6, 2).tolist(), (6, 3)),
        (2, [2], X[:2].reshape(1, 2), (1, 2)),
    ],
)
def test_predict_returns_one_row_per_example(nin, nouts, x, shape):
    model = MLP(nin, nouts, [None], seed=0)
    found = nn.predict(model, x)
    assert (found.shape, found.dtype) == (shape, float)
    rows = np.reshape(x, (shape[0], -1)).tolist()
    outputs = [model(row) for row in rows]
    expected = [[v.data for v in out] if isinstance(out, list) else out.data for out in outputs]
    assert found.tolist() == expected


def test_a_model_sees_lists_of_numbers():
    given = []

    class Watched(Number):
        def __call__(self, x):
            given.append(x)
            return self.w

    nn.predict(Watched(), [1.5, 2])
    nn.predict(Watched(), np.array([[True, False]]))
    assert given == [[1.5], [2.0], [1.0, 0.0]]
    assert {(type(row), type(x)) for row in given for x in row} == {(list, float)}
    given.clear()
    nn.predict(Watched(), np.array([[3, 4]], dtype=np.uint8))
    assert given == [[3, 4]]
    assert {type(x) for x in given[0]} == {int}, "as an embedding wants them"


def test_predict_records_no_graph():
    recorded = []

    class Watched(Number):
        def __call__(self, x):
            recorded.append((self.w * 1.0).operands)
            return self.w

    nn.predict(Watched(), X)
    assert recorded == [()] * 12


LONG = np.linspace(-2, 2, 66).reshape(33, 2)


class Branching(Number):
    def __call__(self, x):
        return self.w + (1.0 if x[0] > 0 else -1.0)


@pytest.mark.parametrize("nouts", [[1], [3]])
def test_engines_agree_to_rounding(nouts):
    model = MLP(2, [4, *nouts], "tanh", seed=0)
    eager, compiled = (nn.predict(model, LONG, engine=name) for name in ("eager", "compiled"))
    np.testing.assert_allclose(compiled, eager, rtol=1e-12)
    assert nn.predict(model, LONG).tobytes() == compiled.tobytes()
    assert nn.predict(model, LONG[:32]).tobytes() == eager[:32].tobytes()


@pytest.mark.parametrize("engine", ["eager", "compiled"])
def test_a_list_of_one_output_is_one_output(engine):
    model = nn.Linear(2, 1, seed=0)
    found = nn.predict(model, LONG, engine=engine)
    np.testing.assert_allclose(found, [model(row)[0].data for row in LONG], rtol=1e-14)


def test_a_model_may_return_nested_lists():
    class Pairs(Number):
        def __call__(self, x):
            return [[self.w + x[0], self.w], [self.w - x[1], self.w], [x[0] * 1.0, 2.0]]

    eager, compiled = (nn.predict(Pairs(3.0), LONG, engine=name) for name in ("eager", "compiled"))
    assert eager.shape == (33, 3, 2)
    np.testing.assert_array_equal(compiled, eager)


def test_a_model_that_branches_runs_on_values_with_a_warning():
    expected = np.where(LONG[:, 0] > 0, 1.0, -1.0)
    with pytest.warns(
        RuntimeWarning, match="predict: running on Values, .*test_prediction"
    ) as said:
        found = nn.predict(Branching(), LONG)
    assert said[0].filename == __file__
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(nn.predict(Branching(), LONG, engine="eager"), expected)
    with pytest.raises(autodiff.TraceError):
        nn.predict(Branching(), LONG, engine="compiled")


def test_an_error_of_the_model_itself_is_raised_as_it_is():
    with pytest.raises(ValueError, match="MLP takes 3 inputs, got 2"):
        nn.predict(MLP(3, [1], seed=0), LONG)


def test_an_unknown_engine_is_refused():
    with pytest.raises(ValueError, match="predict: engine must be 'auto', 'compiled' or 'eager'"):
        nn.predict(Number(), X, engine="jit")


class Appending(Number):
    """Its input is a list, to which it adds a number."""

    def __call__(self, x):
        one = [1.0]
        return sum(w * xi for w, xi in zip([self.w, 0.25, 0.5], x + one, strict=True))


def test_a_row_is_a_list_on_both_engines():
    found = nn.predict(Appending(0.7), LONG)
    assert found[:32] == pytest.approx(nn.predict(Appending(0.7), LONG[:32]), rel=1e-14)
    assert found[3] == pytest.approx(0.7 * LONG[3, 0] + 0.25 * LONG[3, 1] + 0.5)


class Lying(Number):
    """One of its two outputs is another on tracers."""

    def __call__(self, x):
        out = self.w * x[0]
        return [out, out if isinstance(x[0], float) else out + 1e-6]


def test_a_kernel_that_differs_is_not_trusted():
    message = r"DiffersError: output 1 of row \d+ is [\d.e-]+ on Values, [\d.e-]+ compiled"
    with pytest.warns(RuntimeWarning, match=message) as said:
        found = nn.predict(Lying(2.0), LONG)
    assert said[0].filename == __file__
    np.testing.assert_array_equal(found, 2 * LONG[:, [0, 0]])
    with pytest.raises(nn.DiffersError, match=r"output 1 of row"):
        nn.predict(Lying(2.0), LONG, engine="compiled")


def test_an_output_that_is_not_finite_on_either_engine_is_trusted():
    class Overflowing(Number):
        def __call__(self, x):
            return [self.w * x[0] * 1e308 * 1e308, x[0] * self.w]

    eager, compiled = (nn.predict(Overflowing(2.0), LONG, engine=e) for e in ("eager", "compiled"))
    np.testing.assert_array_equal(compiled, eager)
    assert np.isinf(eager).sum() == 33


@pytest.mark.parametrize("engine", ["eager", "compiled"])
def test_a_dict_is_not_an_output(engine):
    class Keyed(Number):
        def __call__(self, x):
            return {"out": self.w * x[0]}

    with pytest.raises(TypeError, match=r"^the model returns a dict; outputs are a number, a list"):
        nn.predict(Keyed(), LONG, engine=engine)


@pytest.mark.parametrize("engine", ["eager", "compiled"])
def test_an_array_of_outputs_is_a_list_of_them(engine):
    class Grid(Number):
        def __call__(self, x):
            return np.array([[self.w * x[0], x[1] * 1.0], [self.w * x[1], x[0] * 1.0]])

    found = nn.predict(Grid(3.0), LONG, engine=engine)
    a, b = LONG.T
    np.testing.assert_allclose(found, np.stack([3 * a, b, 3 * b, a], 1).reshape(33, 2, 2))


def test_generators_of_a_model_are_where_values_would_leave_them():
    class Noisy(Number):
        def __init__(self):
            super().__init__(1.0)
            self.rng = np.random.default_rng(0)

        def __call__(self, x):
            return self.w * x[0] + self.rng.normal()

    with pytest.warns(RuntimeWarning, match="the same call gives other numbers each time"):
        found = nn.predict(Noisy(), LONG)
    np.testing.assert_array_equal(found, nn.predict(Noisy(), LONG, engine="eager"))
