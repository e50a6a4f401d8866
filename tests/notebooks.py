"""The notebooks, run anew and written in one form: `python -m tests.notebooks [NAME …]`.

NAME is a part of a file's name; without one all are run. A notebook is its cells and their
outputs: no counters of the kernel, no times, no ids of chance, so that a second run changes
nothing but what a cell measures.
"""

import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))

MEASURED = "measured"
"""The tag of a cell whose outputs differ from run to run, as times do."""

_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
_ADDRESS = re.compile(r" at 0x[0-9a-f]+(?=>)")


def read(path: Path) -> Any:
    """The notebook as it is stored."""
    return nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)


def written(notebook: Any) -> str:
    """Its text, with nothing in it but cells, their tags, and outputs."""
    cells = []
    for number, cell in enumerate(notebook.cells, start=1):
        tags = cell.metadata.get("tags", [])
        plain = {
            "cell_type": cell.cell_type,
            "id": f"cell-{number}",
            "metadata": {"tags": list(tags)} if tags else {},
            "source": cell.source,
        }
        if cell.cell_type == "code":
            plain["execution_count"] = cell.execution_count
            plain["outputs"] = [_plain(output) for output in cell.outputs]
        cells.append(plain)
    whole = {"cells": cells, "metadata": _METADATA, "nbformat": 4, "nbformat_minor": 5}
    return nbformat.writes(nbformat.from_dict(whole)) + "\n"


def executed(notebook: Any) -> Any:
    """The notebook with the outputs of a run in an empty folder, on one thread."""
    notebook = nbformat.from_dict(notebook)
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook,
            timeout=300,
            kernel_name="python3",
            record_timing=False,
            coalesce_streams=True,
            extra_arguments=["--log-level=ERROR"],
            resources={"metadata": {"path": folder}},
        )
        # A profile of the user's could change what is shown.
        own = {"IPYTHONDIR": folder, "OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": ""}
        client.execute(env={**os.environ, **own})
    return nbformat.reads(written(notebook), as_version=4)


def texts(cell: Any) -> list[Any]:
    """What a cell has put out: its texts as they are, of each picture only that it is there."""
    found: list[Any] = []
    for output in cell.get("outputs", []):
        if output.output_type == "stream":
            found.append((output.name, output.text))
        else:
            # A picture's bytes are its renderer's, whose versions differ.
            found.append(
                {kind: x if kind == "text/plain" else "" for kind, x in output["data"].items()}
            )
    return found


def is_measured(cell: Any) -> bool:
    """Whether the outputs of the cell differ from run to run."""
    return MEASURED in cell.metadata.get("tags", [])


def _plain(output: Any) -> Any:
    """An output without metadata, and without the addresses of objects."""
    output = nbformat.from_dict(output)
    if "metadata" in output:
        output.metadata = {}
    if "text/plain" in output.get("data", {}):
        output.data["text/plain"] = _ADDRESS.sub("", output.data["text/plain"])
    return output


def main(parts: list[str]) -> int:
    """Run the notebooks that are named; the exit status."""
    chosen = [p for p in NOTEBOOKS if not parts or any(part in p.name for part in parts)]
    if not chosen:
        names = ", ".join(path.name for path in NOTEBOOKS)
        print(f"{' or '.join(parts)} is in none of the names {names}")
        return 2
    for path in chosen:
        text = written(executed(read(path)))
        path.write_text(text, encoding="utf-8")
        print(f"{path.name}: {len(text.encode()) / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
