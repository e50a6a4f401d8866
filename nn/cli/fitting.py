"""`python -m nn fit`: a network fits a function of x, or a column of a table."""

import argparse

from nn.cli import columns, functions
from nn.cli.options import Parser, add_network, add_output, add_table, has_table, positive, rate
from nn.cli.regression import DEFAULTS


def command_line(prog: str) -> Parser:
    """The parser of the command."""
    parser = Parser(
        prog,
        "Fit y = f(x) on [-5, 5], or a column of a table, with a fully connected network of "
        "scalar neurons.",
        f"{prog} --target 'sin(x) * x' --activation tanh --iterations 500; "
        f"{prog} --csv table.csv --x width height --y price",
    )
    add = parser.add_argument
    add("--target", metavar="EXPR", help=f"f(x); default: {functions.TARGET}")
    add_table(parser, "numbers to fit")
    add("--layers", type=positive, nargs="+", default=[10, 20, 30, 40, 1], metavar="N",
        help="neurons per layer; the last layer has 1; default: 10 20 30 40 1")  # fmt: skip
    add_network(parser)
    add("--lr", type=rate, help="learning rate; default: 0.005 compiled, 0.01 eager")
    add("--engine", choices=sorted(DEFAULTS), default="compiled",
        help="compiled to arrays, or eager, one node per number; default: %(default)s")  # fmt: skip
    add("--iterations", type=positive, metavar="N",
        help="default: 10000 compiled, 1000 eager")  # fmt: skip
    add("--batch", type=positive, metavar="N",
        help=f"examples per iteration, at most {functions.TRAINING_POINTS} or the training rows "
        "of the table; default: 100 compiled, 16 eager")  # fmt: skip
    add("--tolerance", type=rate, metavar="LOSS",
        help="stop when the best loss has not improved by this in 100 iterations")  # fmt: skip
    add_output(parser, "weights, points and batches")
    return parser


def run(options: argparse.Namespace) -> int:
    """Fit; return the exit status."""
    return columns.run(options) if has_table(options) else functions.run(options)
