"""What a type checker sees of networks: no Any, and Values where there are Values."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PROGRAM = """\
import numpy as np
import nn
from autodiff import Value

v, x = Value(1.0), [1.0, 2.0]
reveal_type(nn.MLP(2, [4, 1]).parameters())  # list[Value]
reveal_type(nn.MLP(2, [4, 1])(x) - 1.0)  # Value
reveal_type(nn.MLP(2, [4, 3])(np.ones(2))[0])  # Value
reveal_type(nn.MLP(2, [4, 3])(nn.MLP(2, [4, 2])(x))[0])  # Value
reveal_type(nn.Neuron(2)([v, 2.0]))  # Value
reveal_type(nn.Linear(2, 3)(x))  # list[Value]
reveal_type(nn.Linear(2, 3)([x, x]))  # list[list[Value]]
reveal_type(nn.LayerNorm(2)(x))  # list[Value]
reveal_type(nn.Embedding(5, 2)(3))  # list[Value]
reveal_type(nn.Embedding(5, 2)([3, 4]))  # list[list[Value]]
reveal_type(nn.SelfAttention(2, 1)([x, x]))  # list[list[Value]]
reveal_type(nn.GPT(5, 4)([1, 2]))  # list[list[Value]]
reveal_type(nn.Activation("relu")(2.0))  # float
reveal_type(nn.Activation("relu")([v, v]))  # list[Value]
reveal_type(nn.Dropout()(x))  # list[float]
reveal_type(nn.softmax(x))  # list[float]
reveal_type(nn.softmax([[v], [v]]))  # list[list[Value]]
reveal_type(nn.mse(nn.MLP(2, [4, 1])(x), 1.0))  # Value
reveal_type(nn.mse([v], x))  # Value
reveal_type(nn.mse(x, np.ones(2)))  # float
reveal_type(nn.huber(x, x, delta=0.5))  # float
reveal_type(nn.huber(v, 1.0))  # Value
reveal_type(nn.cross_entropy(logits=[[v, v]], targets=[1]))  # Value
reveal_type(nn.predict(nn.MLP(2, [1]), [x]))  # ndarray[tuple[Any, ...], dtype[float64]]
reveal_type(nn.fit(nn.MLP(2, [1]), [x], [1.0], loss=nn.mae).losses)  # list[float]
reveal_type(nn.data.standardize(x))  # ndarray[tuple[Any, ...], dtype[float64]]
reveal_type(nn.data.moons().features)  # tuple[str, ...]
"""


def test_outputs_have_types(tmp_path):
    api = pytest.importorskip("mypy.api")
    file = tmp_path / "program.py"
    file.write_text(PROGRAM, encoding="utf-8")
    report, errors, _ = api.run(
        ["--strict", "--follow-imports=silent", "--no-error-summary", "--show-absolute-path",
         "--config-file", str(ROOT / "pyproject.toml"), str(file)]
    )  # fmt: skip
    assert errors == ""
    found = {
        int(line): re.sub(r"\b\w+\.(?=\w)", "", kind)
        for line, kind in re.findall(r'program\.py:(\d+): note: Revealed type is "(.*)"', report)
    }
    wanted = {
        number: line.split("  # ")[1]
        for number, line in enumerate(PROGRAM.splitlines(), start=1)
        if "reveal_type" in line
    }
    assert found == wanted, report
    assert "error" not in report
