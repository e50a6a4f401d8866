"""Engines: how the loss of a batch and its gradient are computed.

`eager` does it on Values, `compiled` by a kernel, and `fallback` uses the kernel for as long as it
does what the eager engine does; `comparison`, `trust` and `snapshot` find that out.
"""
