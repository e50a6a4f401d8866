"""Golden DOT texts; WRITE_GOLDEN=1 pytest tests/view writes them anew."""

import os
from pathlib import Path


def is_golden(name: str, text: str) -> bool:
    """Whether `text` is what the file says."""
    path = Path(__file__).parent / f"{name}.gv"
    if "WRITE_GOLDEN" in os.environ:
        path.write_text(text, encoding="utf-8")
    return path.read_text(encoding="utf-8") == text
