"""The scalar program: one instruction per number.

`tracer` records what a function does, `program` holds it, `zeros` knows where the sign of a zero
is seen, and `packs` puts equal scalars side by side.
"""
