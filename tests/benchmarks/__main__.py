"""The command line: which groups, how often."""

import argparse
import os
import platform
import sys
from importlib import import_module

from tests.benchmarks import GROUPS
from tests.benchmarks.harness import Settings, Unmeasured, table


def main(arguments=None):
    """Print a table a group, then what to install; 1 if a peer was missing."""
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
    missing = {}
    for group in options.groups or GROUPS:
        print(f"\n{group}", flush=True)
        rows = list(import_module(f"{__package__}.{group}").measure(settings))
        print(table(rows), flush=True)
        missing |= {row.reason: None for row in rows if isinstance(row, Unmeasured)}
    for reason in missing:
        print(reason, file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
