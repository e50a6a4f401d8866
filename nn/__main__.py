"""`python -m nn`: train a network on a function, a table, real data or names, and draw it."""

import os
import sys
from collections.abc import Sequence
from types import ModuleType

from nn.cli import classifying, fitting, naming
from nn.cli.output import INTERRUPTED

COMMANDS: dict[str, ModuleType] = {"fit": fitting, "classify": classifying, "names": naming}
DEFAULT = "fit"
PROG = "python -m nn"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    prog, name = PROG, DEFAULT
    if arguments and not arguments[0].startswith("-"):
        name = arguments.pop(0)
        prog = f"{PROG} {name}"
        if name not in COMMANDS:
            message = f"unknown command {name!r}; the commands are {_listed()}"
            print(f"{PROG}: error: {message}", file=sys.stderr)
            return 2
    parser = COMMANDS[name].command_line(prog)
    if prog == PROG:
        parser.description += f" The commands are {_listed()}; the default is {DEFAULT}."
    options = parser.parse_args(arguments)
    try:
        status: int = COMMANDS[name].run(options)
        return status
    except BrokenPipeError:  # the reader of the output has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        print(f"{prog}: error: cannot write to {options.out}: {error}", file=sys.stderr)
        return 2
    except (ValueError, ArithmeticError, ImportError) as error:
        print(f"{prog}: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{prog}: interrupted", file=sys.stderr)
        return INTERRUPTED


def _listed() -> str:
    return ", ".join(COMMANDS)


if __name__ == "__main__":
    sys.exit(main())
