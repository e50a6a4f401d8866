"""What rows say of their algebra: products, and the constants that leave an operand as it is."""

import math

import pytest

from tests.support.samples import ROWS, count, every_row, grid

NUMBERS = (0.0, -0.0, 1.5, -2.25, 1e200, 1e-320, math.inf, -math.inf, math.nan)


@every_row
def test_a_row_says_whether_it_is_a_sum_of_products(row):
    if count(row) % 2:
        assert not row.bilinear
        return
    half = count(row) // 2
    agree = [
        math.isclose(row.apply(xs), sum(map(float.__mul__, xs[:half], xs[half:])), abs_tol=1e-12)
        for xs in grid(row)
    ]
    assert all(agree) == row.bilinear


@pytest.mark.parametrize("row", [row for row in ROWS if row.units], ids=lambda row: row.name)
def test_a_unit_leaves_the_other_operand_as_it_is(row):
    for i, unit in enumerate(row.units):
        for x in NUMBERS if unit is not None else ():
            operands = (unit, x) if i == 0 else (x, unit)
            assert math.copysign(1.0, row.apply(operands)) == math.copysign(1.0, x) or x != x
            assert row.apply(operands) == x or x != x


@every_row
def test_a_row_says_whether_it_is_a_sum(row):
    agree = [math.isclose(row.apply(xs), math.fsum(xs), abs_tol=1e-12) for xs in grid(row)]
    is_sum = all(agree) and count(row) > 1
    assert row.adds == is_sum
