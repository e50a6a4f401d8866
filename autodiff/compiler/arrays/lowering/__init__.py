"""Packs → the array program.

`lower` makes an array per pack, a `Lowered` of all; `sums` lowers sums of terms, with `contract`
(dots as matrix products). `align` finds the shape and order in which operands are read.
"""
