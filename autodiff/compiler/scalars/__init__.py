"""The scalar program: one instruction per number.

`tracer` has the scalars that a function computes with, `operators` what one writes with them, and
`tracing` runs a function on them. `program` holds what it did; identities that need all of it wait
in `identities`. `sums` turns chains of additions into sums of terms, with `prefixes` (sums that
begin alike) and `zeros` (where the sign of a zero is seen). `packs` is the form in which equal
scalars lie side by side, `packing` makes it level by level, with `roles` (lanes that are read
together though they are made differently) and `costs`. `order` is that of the parameters.
"""
