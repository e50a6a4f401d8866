"""Derivatives of functions: `grad`, `vjp`, `jvp`, `jacobian`, `hessian`, `hvp`, of any order.

`evaluation` runs a function once on nodes of its own, `linear` is its derivative as a linear map,
and `derivatives` has the public functions.
"""
