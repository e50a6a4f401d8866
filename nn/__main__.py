"""`python -m nn`: fit a 5-layer network to a function of x, check it, and draw it."""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import numpy as np

import autodiff
import nn
from autodiff import gradcheck
from autodiff.view import find_renderer
from nn.drawing import draw_network
from nn.expression import parse
from nn.plots import can_plot, plot_fit, plot_loss
from nn.progress import Lines, Progress, Silent, best

LOW, HIGH = -5.0, 5.0
TRAINING_POINTS = 200
TEST_POINTS = 100
SAMPLE = 300
"""How many parameters the gradient check draws."""
Number = TypeVar("Number", int, float)
SHOWN = (-5.0, -2.5, -1.0, 0.0, 1.0, 2.5, 5.0)

INTERRUPTED = 130  # as shells report a program that SIGINT ended
DEFAULTS = {"compiled": (10_000, 100, 0.005), "eager": (1000, 16, 0.01)}
"""Iterations, batch and learning rate of each engine."""
OPTIMIZERS: dict[str, Callable[..., nn.Optimizer]] = {"adam": nn.Adam, "sgd": nn.SGD}


HEADER = '''"""The squared error of a {sizes} network and its gradient, as derived from scalar code.

`bind(batch, 1 / batch, float, [])` makes the arrays and returns `step`, which takes the flat
parameters, x and y of shape (batch, 1), and returns the errors and the gradient of their mean.
"""

import numpy as np
{imports}

{source}'''


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line, where argparse prints the usage as well."""
        self.exit(2, f"{self.prog}: error: {message}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status."""
    parser = _command_line()
    options = parser.parse_args(argv)
    try:
        return _run(options)
    except BrokenPipeError:  # whoever read the output has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        print(f"{parser.prog}: error: cannot write to {options.out}: {error}", file=sys.stderr)
        return 2
    except (ValueError, ArithmeticError) as error:
        print(f"{parser.prog}: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{parser.prog}: interrupted", file=sys.stderr)
        return INTERRUPTED


def _command_line() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m nn",
        description="Fit y = f(x) on [-5, 5] with a fully connected network of scalar neurons.",
        epilog="example: python -m nn --target 'sin(x) * x' --activation tanh --iterations 500",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--target", default="x**2 + 2*x - 3", metavar="EXPR", help="f(x); default: %(default)s")
    add("--layers", type=_positive, nargs="+", default=[10, 20, 30, 40, 1], metavar="N",
        help="neurons in each layer, the last 1; default: 10 20 30 40 1")  # fmt: skip
    add("--activation", choices=["linear", *nn.ACTIVATIONS], nargs="+", default=["relu"],
        metavar="NAME", help="one for all layers but the last, which is linear, or one a layer: "
        f"{', '.join(nn.ACTIVATIONS)}, linear; default: relu")  # fmt: skip
    add("--optimizer", choices=sorted(OPTIMIZERS), default="adam", help="default: %(default)s")
    add("--lr", type=_rate, help="learning rate; default: 0.005 compiled, 0.01 eager")
    add("--engine", choices=sorted(DEFAULTS), default="compiled",
        help="arrays, or one node a number; default: %(default)s")  # fmt: skip
    add("--iterations", type=_positive, metavar="N",
        help="default: 10000 compiled, 1000 eager")  # fmt: skip
    add("--batch", type=_positive, metavar="N",
        help=f"examples an iteration, of {TRAINING_POINTS}; default: 100 compiled, 16 eager",
    )  # fmt: skip
    add("--tolerance", type=_rate, metavar="LOSS",
        help="stop when 100 iterations have not lowered the least loss by this")  # fmt: skip
    add("--seed", type=_seed, default=0, help="of weights, points and batches; default: 0")
    add("--out", type=Path, default=Path("runs"), metavar="DIR",
        help="where plots and drawing go; default: %(default)s")  # fmt: skip
    add("--no-progress", action="store_true", help="print neither a bar nor the loss")
    return parser


def _positive(text: str) -> int:
    return _bounded(int, text, 1, "a positive integer")


def _seed(text: str) -> int:
    return _bounded(int, text, 0, "an integer, at least 0")


def _rate(text: str) -> float:
    return _bounded(float, text, sys.float_info.min, "a positive number")


def _bounded(kind: type[Number], text: str, least: float, wanted: str) -> Number:
    try:
        value = kind(text)
        if least <= value < float("inf"):
            return value
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is not {wanted}")


def _run(options: argparse.Namespace) -> int:
    function = parse(options.target)

    def target(points: Any) -> Any:
        return np.array([function(float(x)) for x in points])

    if options.layers[-1] != 1:
        raise ValueError(f"--layers: the last layer has 1 neuron, got {options.layers[-1]}")
    iterations, batch, lr = DEFAULTS[options.engine]
    options.iterations = options.iterations or iterations
    options.batch = options.batch or batch
    options.lr = options.lr or lr
    if options.batch > TRAINING_POINTS:
        raise ValueError(f"--batch: at most {TRAINING_POINTS}, the training points")
    rng = np.random.default_rng(options.seed)
    names = options.activation
    model = nn.MLP(1, options.layers, names[0] if len(names) == 1 else names, rng=rng)
    x_train = rng.uniform(LOW, HIGH, TRAINING_POINTS)
    x_test = np.linspace(LOW, HIGH, TEST_POINTS)
    y_train, y_test = target(x_train), target(x_test)
    if not np.isfinite([*y_train, *y_test, *target(SHOWN)]).all():
        raise ValueError(f"--target: {options.target} is not finite everywhere on [-5, 5]")

    with _output_folder(options.out) as folder:
        count = len(model.parameters())
        sizes = "-".join(map(str, [1, *options.layers]))
        print(f"fitting y = {options.target} with a {sizes} network of {count:,} parameters")
        history = nn.fit(
            model,
            x_train,
            y_train,
            optimizer=OPTIMIZERS[options.optimizer](model.parameters(), lr=options.lr),
            iterations=options.iterations,
            batch_size=options.batch,
            tolerance=options.tolerance,
            seed=options.seed,
            engine=options.engine,
            progress=_progress(options),
        )
        print(f"stopped after {len(history.losses):,} iterations: {history.stopped}")
        _print_errors(model, x_train, y_train, x_test, y_test)
        kernel = autodiff.compile(lambda x, y: nn.mse(model([x]), y))
        some = np.linspace(0, TEST_POINTS - 1, 6).round().astype(int)[1:-1]
        points = x_test[some], y_test[some]
        kernel(*points)
        if options.engine == "compiled":
            print(gradcheck(kernel, points, raise_exception=False))
        else:
            _print_check(model, *points, options.seed)
        _print_predictions(model, target)
        plot_fit(folder, x_test, y_test, nn.predict(model, x_test), (x_train, y_train))
        plot_loss(folder, history.losses)
        _draw(folder, model)
        _write_source(folder, sizes, kernel.source)
        written = sorted(path.name for path in folder.iterdir())
    print("wrote", ", ".join(str(options.out / name) for name in written))
    for missing, extra in ((not can_plot(), "plot"), (find_renderer("svg") is None, "draw")):
        if missing:
            print(f'pip install "scalar-autodiff[{extra}]" to {extra} these as pictures')
    return INTERRUPTED if history.stopped == "interrupted" else 0


def _progress(options: argparse.Namespace) -> Progress:
    if options.no_progress:
        return Silent()
    progress = best()
    if isinstance(progress, Lines) and sys.stderr.isatty():
        print('pip install "scalar-autodiff[pretty]" to see this as a progress bar')
    return progress


def _print_errors(model: nn.MLP, x_train: Any, y_train: Any, x_test: Any, y_test: Any) -> None:
    train = nn.mse(nn.predict(model, x_train), y_train)
    test = nn.mse(nn.predict(model, x_test), y_test)
    if not isfinite(train + test):
        raise ArithmeticError("the trained network's output is not finite; lower --lr")
    print(f"train MSE {train:.4g} on {len(x_train)} points, test MSE {test:.4g} on {len(x_test)}")


def _print_check(model: nn.MLP, x: Any, y: Any, seed: int) -> None:
    """Check a sample of the gradient of the mean squared error at some points."""

    def loss(checked: nn.MLP) -> Any:
        return nn.mse([checked([point]) for point in x], y)

    print(gradcheck(loss, model, sample=SAMPLE, seed=seed, raise_exception=False))


def _print_predictions(model: nn.MLP, target: Callable[[Any], Any]) -> None:
    print(f"{'x':>8}  {'predicted':>10}  {'true':>10}")
    for x, predicted, true in zip(SHOWN, nn.predict(model, SHOWN), target(SHOWN), strict=True):
        print(f"{x:8g}  {predicted:10.4f}  {true:10.4f}")


def _write_source(folder: Path, sizes: str, source: str) -> None:
    """Write `backprop.py`, the derived program as a module."""
    imports = "from autodiff.compiler.emit import strided\n" if "strided(" in source else ""
    text = HEADER.format(sizes=sizes, imports=imports, source=source)
    (folder / "backprop.py").write_text(text, encoding="utf-8")


def _draw(folder: Path, model: nn.MLP) -> None:
    """Write `network.svg`, or its DOT text where nothing can draw it."""
    drawing = draw_network(model)
    if find_renderer("svg"):
        (folder / "network.svg").write_bytes(drawing.pipe("svg"))
    else:
        (folder / "network.gv").write_text(drawing.source, encoding="utf-8")


@contextmanager
def _output_folder(out: Path) -> Iterator[Path]:
    """A folder whose files move to `out` at the end; on an error nothing is left of it."""
    made = [folder for folder in (out, *out.parents) if not os.path.exists(folder)]
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out, prefix=".unfinished-") as temporary:
            folder = Path(temporary)
            yield folder
            files = sorted(folder.iterdir())
            for path in files:
                if (out / path.name).is_dir():
                    raise IsADirectoryError(f"{out / path.name} is a folder")
            for path in files:
                path.replace(out / path.name)
    except BaseException:
        for made_here in made:
            if os.path.isdir(made_here) and not os.listdir(made_here):
                os.rmdir(made_here)
        raise


if __name__ == "__main__":
    sys.exit(main())
