"""Directions: which inputs move, how far, and what the slope along them is."""

import random

import numpy as np

from autodiff import Value
from autodiff.checking.directions import Direction, along_inputs, random_directions


def test_directions_move_every_input_by_about_its_size():
    named = [("x", Value(0.0)), ("y", Value(-1000.0)), ("z", Value(0.5)), ("w", Value(2.0))]
    directions = list(random_directions(named, 50, random.Random(0)))
    assert [direction.name for direction in directions[:2]] == ["direction 0", "direction 1"]
    weights = np.array([direction.weights for direction in directions]) * 2 / [1, 1000, 1, 2]
    assert (np.abs(weights) >= 0.5).all()
    assert (np.abs(weights) <= 1).all()
    assert (np.sign(weights).mean(axis=0) < 0.5).all(), "both signs occur"
    assert {direction.inputs for direction in directions} == {(0, 1, 2, 3)}


def test_a_direction_along_an_input_has_its_name_and_size():
    named = [("x", Value(0.0)), ("y", Value(-3.0))]
    assert along_inputs(named) == [
        Direction("x", (0,), (1.0,), 0.0),
        Direction("y", (1,), (1.0,), 3.0),
    ]


def test_the_slope_along_a_direction_is_a_weighted_sum_of_the_gradient():
    assert Direction("y", (1,), (1.0,), 0.0).slope([5.0, 7.0]) == 7.0
    assert Direction("both", (0, 1), (2.0, -1.0), 0.0).slope([5.0, 7.0]) == 3.0
