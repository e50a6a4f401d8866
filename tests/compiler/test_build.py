"""The pipeline: its forms, as text, and that no pass writes into its input."""

from dataclasses import replace

import numpy as np
import pytest

from autodiff import Value
from autodiff.compiler.arrays.differentiate import differentiate
from autodiff.compiler.arrays.lowering.lower import lower
from autodiff.compiler.build import analyze
from autodiff.compiler.kernel import Kernel
from autodiff.compiler.numpy.names import input_names
from autodiff.compiler.scalars.order import arrange
from autodiff.compiler.scalars.packing import pack
from autodiff.compiler.scalars.sums import reassociate
from autodiff.compiler.scalars.tracing import trace
from tests.support.programs import PROGRAMS, compiled

w, b = Value(2.0), Value(1.0)


def f(x):
    return (w * x[0] - x[1] + b).exp()


def forms(f, *args):
    """The forms that a function takes on its way through the pipeline."""
    kernel = Kernel(f)
    kernel(*args)
    specs = kernel._latest.specs
    traced = trace(f, specs, input_names(f, specs))
    sums = reassociate(traced.scalars, traced.results)
    packs = pack(sums)
    lowered = lower(packs, arrange(packs))
    inputs = [item.leaf for item in traced.inputs]
    return traced, sums, packs, lowered, differentiate(
        lowered, traced.are_conditions, "grad", inputs
    )  # fmt: skip


TEXTS = [
    """%0 = x[0]
%1 = x[1]
%2 = parameters[0]
%3 = mul(%2, %0)
%4 = sub(%3, %1)
%5 = parameters[1]
%6 = add(%4, %5)
%7 = exp(%6)
return %7""",
    """%0 = x[0]
%1 = x[1]
%2 = parameters[0]
%5 = parameters[1]
%6 = +%2·%0 −%1 +%5
%7 = exp(%6)
return %7""",
    """#0: level 0, x()
#1: level 0, parameters()
#2: level 1, 1 × sum of products(#1, #0)
#3: level 2, 1 × exp(#2)
return #3[0]""",
]


def test_forms_print_themselves():
    made = forms(f, np.ones((3, 2)))
    assert [str(form) for form in made[:3]] == TEXTS
    assert str(made[3]).startswith("#0 (x): %0 at [0, 1]")
    assert str(made[4]).splitlines()[-1].startswith("return %")


@pytest.mark.parametrize("name", PROGRAMS)
def test_forms_are_valid_and_no_pass_writes_into_its_input(name):
    program, kernel = compiled(name)
    specs = kernel._latest.specs
    traced = trace(program.f, specs, input_names(program.f, specs))
    made, texts = [traced], [str(traced)]

    def take(form):
        form.verify()
        made.append(form)
        texts.append(str(form))
        assert [str(form) for form in made] == texts
        return form

    packs = take(pack(take(reassociate(traced.scalars, traced.results))))
    lowered = take(lower(packs, arrange(packs)))
    inputs = [item.leaf for item in traced.inputs]
    for wanted in ("call", "grad", "hvp"):
        take(differentiate(lowered, traced.are_conditions, wanted, inputs))


def broken(form, **changes):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in changes.items():
            patch.setattr(form, name, value)
        with pytest.raises(AssertionError):
            form.verify()


def test_scalars_that_read_what_comes_later_are_invalid():
    traced = forms(f, np.ones((3, 2)))[0]
    scalars = traced.scalars
    broken(scalars, operands=[*scalars.operands[:3], (4, 0), *scalars.operands[4:]])
    broken(scalars, operands=[(2,), *scalars.operands[1:]])  # x has two lanes
    broken(scalars, ops=[*scalars.ops[:3], "mul", *scalars.ops[4:]])


def test_packs_before_their_operands_are_invalid():
    packs = forms(f, np.ones((3, 2)))[2]
    with pytest.raises(AssertionError, match="an operand not before"):
        replace(packs, packs=packs.packs[::-1]).verify()


def test_sums_that_lack_what_they_read_are_invalid():
    sums = forms(f, np.ones((3, 2)))[1]
    object.__setattr__(sums, "live", sums.live[1:])
    with pytest.raises(AssertionError, match="an operand not before"):
        sums.verify()


def test_the_parameters_are_in_the_order_of_the_arrays():
    weights = [Value(float(k)) for k in range(4)]

    def neuron(x):
        return weights[3] + weights[2] * x[0] + weights[1] * x[1] + weights[0]

    kernel = Kernel(neuron)
    kernel(np.ones((1, 2)))
    analyzed = analyze(neuron, kernel._latest.specs)
    assert [weights.index(p) for p in analyzed.parameters] == [2, 1, 3, 0]
    assert [p.data for p in kernel.parameters] == [2.0, 1.0, 3.0, 0.0]
