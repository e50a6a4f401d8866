"""Neural networks whose every weight is a Value."""

from nn import data, metrics
from nn.functional import log_softmax, softmax
from nn.layers import ACTIVATIONS, MLP, Layer, Neuron
from nn.losses import (
    binary_cross_entropy,
    cross_entropy,
    hinge,
    huber,
    kl_divergence,
    mae,
    mse,
)
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
    "binary_cross_entropy",
    "cross_entropy",
    "data",
    "fit",
    "hinge",
    "huber",
    "kl_divergence",
    "log_softmax",
    "mae",
    "metrics",
    "mse",
    "predict",
    "softmax",
]
