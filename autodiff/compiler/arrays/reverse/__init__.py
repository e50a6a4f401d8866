"""Reverse mode on the array program.

`adjoint` sweeps back, one rule per array op, and collects parts in `cotangents`; `operands` are
arrays given to the partials of scalar rows, `products` cotangents times partials. `reach` finds
the elements that are sent a cotangent, as `masks`; `choices` are what rows with a guard send.
"""
