"""`python -m nn names`: a small GPT learns a list of names and makes up new ones."""

import argparse
from pathlib import Path
from time import perf_counter

import numpy as np

from nn.cli.options import Parser, add_output, positive, rate, temperature
from nn.cli.output import INTERRUPTED, output_folder, print_missing, print_written, progress
from nn.data.names import OWN, Names, read_names
from nn.layers.gpt import GPT
from nn.train.names import fit_names, sample
from nn.view.plots import plot_curves

HELD_OUT = 10
"""One name in this many is held out."""


def command_line(prog: str) -> Parser:
    """The parser of the command."""
    parser = Parser(
        prog,
        "Learn a list of names, letter by letter, with a transformer of scalars, and make up "
        "new ones.",
        f"{prog} --temperature 0.5 --seed 1; {prog} --file towns.txt --steps 500",
    )
    add = parser.add_argument
    add("--file", type=Path, metavar="FILE",
        help="one name per line; default: a list of common given names")  # fmt: skip
    add("--steps", type=positive, default=300, metavar="N", help="default: %(default)s")
    add("--width", type=positive, default=16, metavar="N",
        help="numbers per letter; default: %(default)s")  # fmt: skip
    add("--heads", type=positive, default=4, metavar="N",
        help="attention heads; must divide the width; default: %(default)s")  # fmt: skip
    add("--lr", type=rate, default=0.01, help="initial learning rate; default: %(default)s")
    add("--batch", type=positive, default=32, metavar="N",
        help="most names per step; default: %(default)s")  # fmt: skip
    add("--samples", type=positive, default=20, metavar="N",
        help="number of names to make up; default: %(default)s")  # fmt: skip
    add("--temperature", type=temperature, default=0.8, metavar="T",
        help="0 takes the likeliest letters; default: %(default)s")  # fmt: skip
    add_output(parser, "weights, batches and new names")
    return parser


def run(options: argparse.Namespace) -> int:
    """Learn names and make up new ones; return the exit status."""
    names = _names(options.file)
    rng = np.random.default_rng(options.seed)
    different = sorted(set(names.names))
    held_out = rng.permutation(different)[: len(different) // HELD_OUT].tolist()
    model = GPT(1 + len(names.letters), names.length, options.width, options.heads, rng=rng)
    with output_folder(options.out) as folder:
        print(f"learning {len(names.names):,} names of {len(names.letters)} letters with a GPT "
              f"of {len(model.parameters()):,} parameters")  # fmt: skip
        start = perf_counter()
        history = fit_names(
            model,
            names,
            held_out=held_out,
            steps=options.steps,
            batch_size=options.batch,
            lr=options.lr,
            seed=options.seed,
            progress=progress(options.no_progress),
            told=print,
        )
        seconds = perf_counter() - start
        losses = history.epochs
        print(f"{len(history.losses):,} steps, {len(losses['loss'])} epochs in {seconds:.1f} s")
        chance = np.log(1 + len(names.letters))
        print(f"loss per letter: {losses['loss'][-1]:.3f} (held out "
              f"{losses['validation_loss'][-1]:.3f}; uniform guess {chance:.3f})")  # fmt: skip
        _print_samples(options, model, names)
        plot_curves(folder, history.epochs)
        print_written(options.out, folder)
    print_missing(draws=False)
    return INTERRUPTED if history.stopped == "interrupted" else 0


def _names(file: Path | None) -> Names:
    try:
        return read_names(file or OWN)
    except OSError as error:
        raise ValueError(f"--file: cannot read {file}: {error.strerror}") from None


def _print_samples(options: argparse.Namespace, model: GPT, names: Names) -> None:
    (likeliest,) = sample(model, names, 1, temperature=0)
    print(f"most likely name: {likeliest}")
    made = sample(model, names, options.samples, temperature=options.temperature, seed=options.seed)
    known = set(names.names)
    new = [name for name in made if name not in known]
    shown = ", ".join(name if name in known else f"{name}*" for name in made)
    print(f"{len(made)} names made up at temperature {options.temperature:g}, {len(new)} new (*): "
          f"{shown}")  # fmt: skip
