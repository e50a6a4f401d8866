"""`in_mode`: a model in training or in evaluation mode for a while."""

from collections.abc import Iterator
from contextlib import contextmanager

from nn.module import Module


@contextmanager
def in_mode(model: Module, *, training: bool) -> Iterator[None]:
    """A context in which all modules of `model` are in one mode; each then goes back to its own."""
    before = [(module, module.training) for module in model.modules()]
    model.train(training)
    try:
        yield
    finally:
        for module, was_training in before:
            module.training = was_training
