"""Neural networks whose every weight is a Value."""

from nn.layers import ACTIVATIONS, MLP, Layer, Neuron
from nn.losses import mse
from nn.module import Module
from nn.optim import SGD, Adam, Optimizer
from nn.progress import Bar, Lines, Progress
from nn.training import History, fit, predict

__all__ = [
    "ACTIVATIONS",
    "MLP",
    "SGD",
    "Adam",
    "Bar",
    "History",
    "Layer",
    "Lines",
    "Module",
    "Neuron",
    "Optimizer",
    "Progress",
    "fit",
    "mse",
    "predict",
]
