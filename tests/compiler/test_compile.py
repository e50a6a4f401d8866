"""Whole programs: kernels equal eager execution, and their text is stable."""

import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import autodiff
from autodiff import Value
from autodiff.compiler import Kernel
from tests.compiler.reading import unbound_names
from tests.support import programs
from tests.support.eager import eager, example, is_close, leaves_of
from tests.support.golden import recorded
from tests.support.process import printed_under_any_hash_seed
from tests.support.programs import PROGRAMS, compiled, random_program

CALLS = {
    "mlp_module": 38, "mixed": 42, "chain": 78, "classifier": 27, "gpt_4": 116, "conv": 18,
    "recurrent": 346, "runge_kutta": 1155, "mixture": 38,
}  # fmt: skip
"""How many array instructions compute, forward and backward."""
GOLDEN = Path(__file__).parent / "golden"
LONGEST = 125
"""The most lines of a text that is recorded as it is."""


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("batch", [1, 2, 7])
def test_kernels_equal_eager_execution(name, batch):
    program, kernel = compiled(name)
    args = program.arguments(np.random.default_rng(batch), batch)
    value, gradient = kernel.value_and_grad(*args)
    expected, expected_gradient = eager(program.f, kernel.parameters, *args)
    assert is_close(value, expected)
    assert is_close(gradient, expected_gradient)
    assert np.abs(gradient).max() > 0
    again, gradient_again = kernel.value_and_grad(*args)
    assert again == value
    assert gradient_again.tobytes() == gradient.tobytes()


@pytest.mark.parametrize("name", PROGRAMS)
def test_check_passes_and_values_come_one_each(name):
    program, kernel = compiled(name)
    args = program.arguments(np.random.default_rng(5), 2)
    kernel.check(*args)
    values = [program.f(*[example(arg, b) for arg in args]).data for b in range(2)]
    assert is_close(kernel(*args), values)


@pytest.mark.parametrize("name", PROGRAMS)
def test_parameters_are_read_at_every_call(name):
    program, kernel = compiled(name)
    args = program.arguments(np.random.default_rng(5), 2)
    before, _ = kernel.value_and_grad(*args)
    parameters = kernel.parameters
    kept = [p.data for p in parameters]
    try:
        for p in parameters:
            p.data = p.data * 0.9 + 0.01
        value, gradient = kernel.value_and_grad(*args)
        expected, expected_gradient = eager(program.f, parameters, *args)
    finally:
        for p, data in zip(parameters, kept, strict=True):
            p.data = data
    assert value != before
    assert is_close(value, expected)
    assert is_close(gradient, expected_gradient)


# Text


@pytest.mark.parametrize("name", CALLS)
def test_source_is_as_recorded(name):
    check_golden(name, compiled(name)[1].source)


def check_golden(name, source):
    """Short texts are recorded as they are, long ones by their digest."""
    path, text = GOLDEN / f"{name}.txt", source
    if source.count("\n") > LONGEST:
        path, text = path.with_suffix(".sha256"), hashlib.sha256(source.encode()).hexdigest() + "\n"
    assert text == recorded(path, text)


NAMES = programs.Sizes(width=16, heads=4, tokens=27, positions=16)
LARGE = {
    "classifier_784": (lambda: programs.classifier(784, (50, 10)), 27),
    "gpt_names_4": (lambda: programs.gpt(4, NAMES), 116),
    "gpt_names_16": (lambda: programs.gpt(16, NAMES), 116),
}


@pytest.mark.parametrize("name", LARGE)
def test_source_of_large_programs_is_as_recorded(name):
    make, calls = LARGE[name]
    program = make()
    kernel = Kernel(program.f)
    args = program.arguments(np.random.default_rng(0), 2)
    value, gradient = kernel.value_and_grad(*args)
    assert kernel.program.calls == calls
    expected, exact = eager(program.f, kernel.parameters, *args)
    assert is_close(value, expected)
    assert is_close(gradient, exact)
    check_golden(name, kernel.source)


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_line_is_over_100_columns(name):
    longest = max(compiled(name)[1].source.splitlines(), key=len)
    assert len(longest) <= 100, longest


def counts(name):
    return Counter(instr.name for instr in compiled(name)[1].program.instrs)


@pytest.mark.parametrize("name", ["mlp_module", "mlp_arrays", "mlp_loops", "mixed"])
def test_layers_are_matrix_products(name):
    found = counts(name)
    # Five layers forward and to the weights; four to their inputs.
    assert (found["matmul"], found["matmul_batch"]) == (9, 5)
    assert found["gather"] == 0


def test_sizes_of_programs_are_as_recorded():
    assert {name: compiled(name)[1].program.calls for name in CALLS} == CALLS


def test_attention_makes_as_many_instructions_at_every_length():
    assert compiled("gpt_4")[1].program.calls == compiled("gpt_8")[1].program.calls
    assert counts("gpt_4") == counts("gpt_8")


SHOW = """
from tests.support.programs import compiled
print(compiled("mlp_module")[1].source, compiled("gpt_4")[1].source)
"""


def test_source_is_the_same_whatever_the_hash_seed():
    assert printed_under_any_hash_seed(SHOW).count("def step") == 2


# Random programs


@pytest.mark.parametrize("block", range(10))
def test_random_programs_equal_eager_execution(block):
    for seed in range(15 * block, 15 * block + 15):
        check_random(seed)


def check_random(seed):
    rng = np.random.default_rng(seed)
    weights = rng.uniform(-2, 2, rng.integers(1, 5))
    parameters = [Value(x) for x in weights]
    batch = int(rng.integers(1, 4))
    x = rng.uniform(-2, 2, (batch, int(rng.integers(1, 4))))
    f = random_program(seed)
    kernel = Kernel(lambda row: f(parameters, list(row)))
    value, gradient = kernel.value_and_grad(x)
    values, by_input = kernel.value_and_grad(x, argnums=0)
    total, expected, expected_by_input = [], np.zeros(len(parameters)), np.zeros_like(x)
    for b, row in enumerate(x):
        result, w, inputs = leaves_of(f, weights, row)
        total.append(result.data)
        expected += [p.grad / batch for p in w]
        expected_by_input[b] = [v.grad for v in inputs]
    for function in kernel._latest._functions.values():
        assert unbound_names(function.source) == []
    at = {p: k for k, p in enumerate(kernel.parameters)}
    assert gradient.shape == (len(at),)
    mine = np.array([gradient[at[p]] if p in at else 0.0 for p in parameters])
    assert np.allclose(value, np.mean(total), 1e-10, 1e-12, equal_nan=True), seed
    assert np.allclose(values, total, 1e-10, 1e-12, equal_nan=True), seed
    assert np.allclose(mine, expected, 1e-9, 1e-11, equal_nan=True), seed
    assert np.allclose(by_input, expected_by_input, 1e-9, 1e-11, equal_nan=True), seed


def test_compile_is_exported_and_takes_options():
    kernel = autodiff.compile(lambda x: 2 * x, batched=False, dtype=np.float32)
    assert kernel(3.0) == 6.0
    assert kernel(3.0).dtype == np.float32
    assert isinstance(autodiff.compile(abs), Kernel)
