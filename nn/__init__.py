"""Neural networks whose every weight is a Value."""

# `notebook` registers what notebooks show.
from nn import data, metrics
from nn import notebook as notebook
from nn.activations import ACTIVATIONS, Activation
from nn.attention import SelfAttention
from nn.clipping import clip_grad_norm_, clip_grad_value_
from nn.containers import Sequential
from nn.dropout import Dropout, uniforms
from nn.embedding import Embedding
from nn.functional import log_softmax, softmax
from nn.gpt import GPT
from nn.history import History
from nn.layers import MLP, Layer, Linear, Neuron
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
from nn.normalization import LayerNorm, RMSNorm
from nn.optim import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop
from nn.prediction import predict
from nn.progress import Bar, Lines, Progress, Silent, Step
from nn.schedule import CosineAnnealingLR, ExponentialLR, ReduceLROnPlateau, Schedule, StepLR
from nn.state import load, save
from nn.training import fit
from nn.trust import DiffersError

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
