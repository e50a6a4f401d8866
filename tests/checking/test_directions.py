"""The ways in which a point is moved."""

import random

import numpy as np

from autodiff import Value
from autodiff.checking.directions import Move, random_directions


def test_directions_move_every_input_by_about_its_size():
    named = [("x", Value(0.0)), ("y", Value(-1000.0)), ("z", Value(0.5)), ("w", Value(2.0))]
    moves = list(random_directions(named, 50, random.Random(0)))
    assert [move.name for move in moves[:2]] == ["direction 0", "direction 1"]
    weights = np.array([move.weights for move in moves]) * 2 / [1, 1000, 1, 2]
    assert (np.abs(weights) >= 0.5).all()
    assert (np.abs(weights) <= 1).all()
    assert (np.sign(weights).mean(axis=0) < 0.5).all(), "both signs occur"
    assert {move.places for move in moves} == {(0, 1, 2, 3)}


def test_a_move_takes_its_part_of_a_gradient():
    assert Move("y", (1,), (1.0,), 0.0).along([5.0, 7.0]) == 7.0
    assert Move("both", (0, 1), (2.0, -1.0), 0.0).along([5.0, 7.0]) == 3.0
