"""Packs → the array program.

`lower` makes an array per pack, a `Lowered` of all. `sums` lowers sums of terms, with `contract`
(dots as matrix products), and `mixed` packs whose lanes read several packs, with `columns` and
`homes` (arrays that hold what is read together). `align` finds the shape and order of operands.
"""
