"""Python programs in a process of their own."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(program, folder=ROOT, **environment):
    """The finished process of a program that imports from this checkout."""
    here = {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, cwd=folder, check=False,
        env=os.environ | here | environment, encoding="utf-8",
    )  # fmt: skip


def printed(program, folder=ROOT, **environment):
    """What a program prints that ends well and has no errors to tell."""
    done = run(program, folder, **environment)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def printed_under_any_hash_seed(program):
    """What a program prints: the same under every hash seed."""
    texts = {printed(program, PYTHONHASHSEED=seed) for seed in ("0", "1", "77")}
    assert len(texts) == 1
    return texts.pop()


def printed_alone(program):
    """What a program prints that sees neither this folder nor the variables."""
    command = [sys.executable, "-I", "-c", program]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd="/").stdout
