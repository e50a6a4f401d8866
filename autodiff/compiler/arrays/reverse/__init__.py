"""Reverse mode on the array program.

`adjoint` sweeps back: a `step` per instruction, `rules` for array ops, `elementwise` for scalar
rows, whose partials are given arrays as `operands` and multiply cotangents in `products`;
`cotangents` collects the parts. `reach` finds the elements that are sent a cotangent: `readers`
say so, as `masks`, and `choices` are what rows with a guard choose.
"""
