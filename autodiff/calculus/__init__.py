"""Derivatives of functions: `grad`, `vjp`, `jvp`, `jacobian`, `hessian`, `hvp`, of any order.

`linear` is the derivative of a graph as a linear map. `evaluation` runs a function once on nodes
of its own. `derivatives` has the functions that return functions, as `grad`, and `products` those
that multiply with vectors, as `vjp`. `signatures` are the types of what they return.
"""
