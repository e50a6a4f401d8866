"""The scalar program: one instruction per number.

`tracer` has the scalars that a function computes with, `operators` what one writes with them, and
`tracing` runs a function on them. `program` holds what it did; `sums` turns chains of additions
into sums of terms, with `zeros`, which knows where the sign of a zero is seen; `packs` puts equal
scalars side by side, and `order` says how the parameters lie in their array.
"""
