"""The array program: one instruction per array.

`program` is its form, `builder` makes instructions in simplest form by the rules of `rewrite`.
`lower` brings packs here, with `layout` (where arrays are read) and `contract` (dots as matrix
products). `adjoint` differentiates, with `operands` (arrays as operands of ops), `reach` and
`masks` (which elements receive a cotangent) and `doubt` (where a nan may hide).
"""
