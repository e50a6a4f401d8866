"""Recorded texts; WRITE_GOLDEN=1 pytest … records them anew."""

import os


def recorded(path, text):
    """What a file says that records `text`."""
    if "WRITE_GOLDEN" in os.environ:
        path.write_text(text, encoding="utf-8")
    return path.read_text(encoding="utf-8")
