"""Engines: what computes the loss of a batch and its gradient.

`eager` computes on Values, `compiled` with a kernel, and `auto` with the kernel as long as that
does what the eager engine does. `comparison` says what is compared, `trust` when two results are
the same, `snapshot` what a call has changed in a model; `prediction` is `nn.predict` and
the choice of an engine, `training_mode` sets the mode of a model for a while.
"""
