"""The array program: one instruction per array.

`ops` is the table of array ops, `program` the form with its verifier and printer, `layout` where
arrays are read. `builder` makes instructions in simplest form, on top of `store` (equal ones
once) and `moves` (the same elements elsewhere); `signs` are facts about elements. `lowering`
brings packs here, `reverse` differentiates, with `doubt` (where a nan may hide), `parts` takes
rows apart that are made of others, and
`differentiate` puts together the program that is wanted.
"""
