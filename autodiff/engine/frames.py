"""The user's line: the innermost frame whose code is neither ours nor a library's.

Ours are `autodiff`, `nn` beside it and the texts of kernels. Libraries are the standard library
(copy.py, which calls `__deepcopy__`) and what is installed (NumPy, which calls methods of
elements). Code that was typed in, at a prompt or in a notebook, is the user's.
"""

import os
import sys
import warnings
from functools import cache
from pathlib import Path
from types import FrameType

_PACKAGE = Path(__file__).absolute().parents[1]
_OURS = (str(_PACKAGE) + os.sep, str(_PACKAGE.with_name("nn")) + os.sep, "<autodiff ")
_STANDARD = (os.path.dirname(os.__file__) + os.sep, "<frozen ", "<__array_function__ ")
_INSTALLED = {"site-packages", "dist-packages"}


@cache
def _path(file: str) -> str:
    return file if file.startswith("<") else os.path.abspath(file)


@cache
def _is_ours(file: str) -> bool:
    return _path(file).startswith(_OURS)


@cache
def _is_library(file: str) -> bool:
    path = _path(file)
    return path.startswith(_STANDARD) or not _INSTALLED.isdisjoint(Path(path).parts)


def user_frame() -> FrameType:
    """The innermost frame of the user; without one, the innermost that is not ours."""
    innermost = sys._getframe(1)
    while _is_ours(innermost.f_code.co_filename) and innermost.f_back is not None:
        innermost = innermost.f_back
    frame = innermost
    while _is_ours(frame.f_code.co_filename) or _is_library(frame.f_code.co_filename):
        if frame.f_back is None:
            return innermost
        frame = frame.f_back
    return frame


def user_line() -> str:
    """The user's line as "file:line"."""
    frame = user_frame()
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def warn(message: str) -> None:
    """Warn (RuntimeWarning) at the user's line."""
    frame, wanted, level = sys._getframe(0), user_frame(), 1
    while frame is not wanted and frame.f_back is not None:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, RuntimeWarning, stacklevel=level)
