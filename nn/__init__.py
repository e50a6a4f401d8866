"""Neural networks in which every weight is a Value.

`module` says what has parameters, `layers` has modules, `train` fits them to `data`, `metrics` and
`view` show how well, and `cli` is the command line.
"""

# Importing `notebook` registers what notebooks show.
from nn import data, metrics
from nn.layers.activations import ACTIVATIONS, Activation
from nn.layers.attention import SelfAttention
from nn.layers.containers import Sequential
from nn.layers.dropout import Dropout, uniforms
from nn.layers.embedding import Embedding
from nn.layers.functional import log_softmax, softmax
from nn.layers.gpt import GPT
from nn.layers.mlp import MLP, Layer, Linear, Neuron
from nn.layers.normalization import LayerNorm, RMSNorm
from nn.module import Module
from nn.train.clipping import clip_grad_norm_, clip_grad_value_
from nn.train.engines.prediction import predict
from nn.train.engines.trust import DiffersError
from nn.train.files import load, save
from nn.train.fit import fit
from nn.train.history import History
from nn.train.losses import (
    binary_cross_entropy,
    cross_entropy,
    hinge,
    huber,
    kl_divergence,
    mae,
    mse,
)
from nn.train.optim import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop
from nn.train.progress import Bar, Lines, Progress, Silent, Step
from nn.train.schedule import CosineAnnealingLR, ExponentialLR, ReduceLROnPlateau, Schedule, StepLR
from nn.view import notebook as notebook
from nn.view.network import draw_network

__all__ = [
    "ACTIVATIONS",
    "GPT",
    "MLP",
    "SGD",
    "Activation",
    "Adagrad",
    "Adam",
    "AdamW",
    "Bar",
    "CosineAnnealingLR",
    "DiffersError",
    "Dropout",
    "Embedding",
    "ExponentialLR",
    "History",
    "Layer",
    "LayerNorm",
    "Linear",
    "Lines",
    "Module",
    "Neuron",
    "Optimizer",
    "Progress",
    "RMSNorm",
    "RMSprop",
    "ReduceLROnPlateau",
    "Schedule",
    "SelfAttention",
    "Sequential",
    "Silent",
    "Step",
    "StepLR",
    "binary_cross_entropy",
    "clip_grad_norm_",
    "clip_grad_value_",
    "cross_entropy",
    "data",
    "draw_network",
    "fit",
    "hinge",
    "huber",
    "kl_divergence",
    "load",
    "log_softmax",
    "mae",
    "metrics",
    "mse",
    "predict",
    "save",
    "softmax",
    "uniforms",
]
