"""The command line: which groups, how often."""

import argparse
import os
import platform
import sys
from importlib import import_module

from . import GROUPS
from .harness import MissingPeerError, Settings, table


def main(arguments=None):
    """Print a table a group; 1 if a peer is missing."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="group", help=f"of {', '.join(GROUPS)}")
    parser.add_argument("--repeats", type=int, default=40, help="timed pairs a row (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="few repeats, small sizes")
    options = parser.parse_args(arguments)
    unknown = set(options.groups) - set(GROUPS)
    if unknown:
        parser.error(f"no group {', '.join(sorted(unknown))}; there are {', '.join(GROUPS)}")
    repeats = min(options.repeats, 5) if options.quick else options.repeats
    settings = Settings(repeats, options.quick)

    python = f"{platform.python_implementation()} {platform.python_version()}"
    print(f"{python}, {platform.machine()}, {os.cpu_count()} cores, {repeats} repeats")
    for group in options.groups or GROUPS:
        print(f"\n{group}")
        try:
            print(table(import_module(f"{__package__}.{group}").measure(settings)))
        except MissingPeerError as missing:
            print(missing, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
