"""Kernels of random functions with guards, poles and infinities give what eager execution does."""

import pytest

from .guards import Recipe
from .programs import check_derivatives


@pytest.mark.parametrize("seed", range(150))
def test_every_derivative_is_that_of_eager_execution(seed):
    recipe = Recipe(seed)
    check_derivatives(recipe, recipe.weights, recipe.rows, recipe.vector, tolerance=1e-9)
