import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autodiff.compiler.arrays.layout import View
from autodiff.compiler.arrays.ops import LEAF
from autodiff.compiler.arrays.program import Instr
from autodiff.compiler.numpy.runtime import strided
from autodiff.compiler.numpy.views import view_text

axes = st.tuples(st.integers(1, 4), st.integers(0, 12))


def read(text, array, batch):
    return eval(text, {"a": array, "strided": strided, "batch": batch, "np": np})


@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=3),
    st.sampled_from([None, 0, 2]),
    st.integers(0, 6),
    st.lists(axes, min_size=1, max_size=3),
)
def test_the_text_reads_where_the_view_says_and_copies_nothing(shape, batch, offset, found):
    sizes, strides = zip(*found, strict=True)
    size = int(np.prod(shape))
    view = View(offset, sizes, strides)
    if view.positions().max() >= size:
        return
    lead = () if batch is None else (batch,)
    array = np.arange(float(np.prod((*lead, *shape)))).reshape((*lead, *shape))
    source = Instr(LEAF, (), tuple(shape), batch is not None)
    result = read(view_text("a", source, view), array, batch)
    expected = array.reshape(*lead, size)[..., view.positions()]
    assert result.shape == expected.shape
    assert result.tolist() == expected.tolist()
    assert np.shares_memory(result, array) or batch == 0


@pytest.mark.parametrize(
    ("shape", "view", "text"),
    [
        ((12,), View(2, (3,), (1,)), "a[2:5]"),
        ((12,), View(1, (4,), (3,)), "a[1:11:3]"),
        ((12,), View(0, (3, 4), (4, 1)), "a.reshape(3, 4)"),
        ((13,), View(1, (3, 3), (4, 1)), "a[1:13].reshape(3, 4)[:, 0:3]"),
        ((12,), View(0, (4, 3), (1, 4)), "a.reshape(3, 4).transpose(1, 0)"),
        ((3, 4), View(0, (3, 4), (4, 1)), "a"),
        ((3, 4), View(0, (12,), (1,)), "a.reshape(12)"),
        ((8,), View(0, (8, 1), (1, 0)), "a.reshape(8, 1)"),
        ((3,), View(0, (3, 4), (1, 0)), "strided(a, 0, (3, 4), (1, 0))"),
    ],
)
def test_the_text_is_what_one_would_write(shape, view, text):
    assert view_text("a", Instr(LEAF, (), shape, False), view) == text


def test_the_text_leaves_the_batch_alone():
    source = Instr(LEAF, (), (8, 48), True)
    heads = View(16, (4, 8, 4), (4, 48, 1))
    assert view_text("a", source, heads) == (
        "a.reshape(batch, 8, 12, 4)[:, :, 4:8].transpose(0, 2, 1, 3)"
    )


def test_strided_reads_where_a_view_says():
    array = np.arange(24.0).reshape(2, 12)
    found = strided(array, 1, (2, 3), (6, 2))
    assert found.tolist() == [[[1, 3, 5], [7, 9, 11]], [[13, 15, 17], [19, 21, 23]]]
    found[0, 0, 0] = -1
    assert array[0, 1] == -1
