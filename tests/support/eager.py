"""What a kernel is compared with: eager execution, and when two results are close."""

import numpy as np

import autodiff
from autodiff import Value
from autodiff.compiler import Kernel


def is_close(x, y, tolerance=1e-11, least=0.0):
    """Whether x is y to a tolerance relative to the largest element of y; nan are equal.

    A largest element below `least` counts as that.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    size = np.abs(y[np.isfinite(y)]).max(initial=least)
    return x.shape == y.shape and np.allclose(
        x, y, rtol=tolerance, atol=tolerance * size, equal_nan=True
    )


def example(arg, b):
    """What f sees of an argument for example b in eager execution."""
    return arg[b].item() if arg.ndim == 1 else arg[b]


def eager(f, parameters, *args):
    """The mean over the batch and its gradient by the parameters, one example at a time."""
    batch = len(args[0])
    for parameter in parameters:
        parameter.grad = 0.0
    value = 0.0
    for b in range(batch):
        result = f(*[example(arg, b) for arg in args])
        result.backward(1 / batch)
        value += result.data / batch
    gradient = np.array([parameter.grad for parameter in parameters])
    for parameter in parameters:
        parameter.grad = 0.0
    return value, gradient


def leaves_of(f, weights, row):
    """f of Values for the weights and a row of inputs, after a sweep back, and these Values."""
    w, x = [Value(t) for t in weights], [Value(t) for t in row]
    root = f(w, x)
    if isinstance(root, Value):
        root.backward()
    return root, w, x


def check_derivatives(f, weights, rows, vector, *, dtype=float, tolerance=1e-11):
    """A kernel of f(weights, row) gives every value and derivative that eager execution gives."""
    parameters = [Value(t) for t in weights]
    kernel = Kernel(lambda x: f(parameters, list(x)), dtype=dtype)
    values, slopes, gradient, product = [], [], 0.0, 0.0
    with np.errstate(all="ignore"):
        for row in rows:
            root, w, x = leaves_of(f, weights, row)
            values.append(getattr(root, "data", root))
            slopes.append([t.grad for t in x])
            gradient += np.array([t.grad for t in w]) / len(rows)
            by_weights = lambda w, row=row: f(w, [Value(t) for t in row])  # noqa: E731
            hvp = autodiff.hvp(by_weights, (list(weights),), (list(vector),))
            product += np.array([getattr(t, "data", t) for t in hvp]) / len(rows)
        x = np.array(rows, dtype)
        assert is_close(kernel(x), values, tolerance)
        order = [parameters.index(p) for p in kernel.parameters]
        mean, found = kernel.value_and_grad(x)
        assert is_close(mean, np.mean(values), tolerance)
        assert is_close(found, gradient[order], tolerance)
        assert is_close(kernel.hvp(x, vector=np.array(vector)[order]), product[order], tolerance)
        each, found = kernel.value_and_grad(x, argnums=0)
        assert is_close(each, values, tolerance)
        assert is_close(found, slopes, tolerance)
    return kernel
