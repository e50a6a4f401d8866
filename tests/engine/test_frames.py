"""The user's line: the innermost frame of neither ours nor a library."""

import copy
import inspect
import linecache
import math
import pickle
import runpy
import warnings

import numpy as np
import pytest

import autodiff
import nn
from autodiff import AnomalyError, TraceError, Value, detect_anomaly
from autodiff.engine import frames

V = Value(2.0)


def line_of(function):
    """The place of the first line in the body of a function of this file."""
    return f"{__file__}:{function.__code__.co_firstlineno + 1}: "


def through_layers(i):
    return nn.Embedding(3, 2)([1.5 * i])


def through_vectorize(x):
    return np.vectorize(math.exp)(np.array([x, x]))


def through_frompyfunc(x):
    return np.frompyfunc(Value.item, 1, 1)(np.array([V, V], object))


def through_sort(x):
    return np.sort(np.array([x, x + 1.0], object))


def through_deepcopy(x):
    return copy.deepcopy([x])


def through_pickle(x):
    return pickle.dumps([V])


def through_round(x):
    return sorted([x, V], key=lambda y: -y)


@pytest.mark.parametrize(
    "f",
    [through_layers, through_vectorize, through_frompyfunc, through_sort, through_deepcopy,
     through_pickle, through_round],
    ids=lambda f: f.__name__,
)  # fmt: skip
def test_a_trace_error_names_the_users_line(f):
    with pytest.raises(TraceError) as caught:
        autodiff.compile(f)(np.array([0.5, 1.0]))
    assert str(caught.value).startswith(line_of(f))


def test_an_anomaly_in_a_library_names_the_users_line():
    def run():
        return np.frompyfunc(Value.log, 1, 1)(np.array([Value(0.0)] * 2))

    with detect_anomaly(), pytest.raises(AnomalyError) as caught:
        run()
    assert line_of(run)[:-2] in str(caught.value)


@pytest.mark.parametrize(
    "file", ["<stdin>", "<string>", "<ipython-input-3-0a1b>", "/tmp/ipykernel_7/42.py", "job.py"]
)
def test_code_that_was_typed_in_is_the_users(file):
    scope = {"frames": frames}
    exec(compile("\n\nplace = frames.user_line()", file, "exec"), scope)
    assert scope["place"] == f"{file}:3"


@pytest.mark.parametrize("owner", [autodiff, nn, np, copy, pytest])
def test_code_of_packages_and_libraries_is_not_the_users(owner):
    scope = {"frames": frames}
    exec(compile("def ask():\n    return frames.user_line()", owner.__file__, "exec"), scope)
    here = inspect.currentframe()
    assert scope["ask"]() == f"{__file__}:{here.f_lineno}"


def test_texts_of_kernels_are_not_the_users():
    kernel = autodiff.compile(lambda x: x * x)
    kernel(np.ones(2))
    names = [name for name in linecache.cache if name.startswith("<autodiff kernel")]
    assert names
    assert all(frames._is_ours(name) for name in names)


def test_without_a_frame_of_the_user_it_is_the_innermost_of_a_library(monkeypatch):
    monkeypatch.setattr(frames, "_is_library", lambda file: True)
    assert frames.user_line().startswith(f"{__file__}:")


def test_a_warning_is_at_the_users_line():
    scope = {"frames": frames}
    exec(compile("def warn():\n    frames.warn('look')", nn.__file__, "exec"), scope)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        scope["warn"]()
    (warning,) = found
    assert (warning.filename, warning.category) == (__file__, RuntimeWarning)
    assert linecache.getline(__file__, warning.lineno).strip() == 'scope["warn"]()'


def test_a_script_is_the_users(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("from autodiff.engine import frames\nplace = frames.user_line()\n")
    assert runpy.run_path(str(script))["place"] == f"{script}:2"
