"""The array program as NumPy source: instructions → lines → text.

Before any text exists, `liveness` finds until when each array is read, and `memory` decides who
computes into whose array. `records` are the lines of a text; `names` and `views` say what they
call an array and how they write a part of it. `lines`, with `sums`, `products` and `indices`,
holds the function of each op that adds its lines to a `writer`. `source` leaves out lines that
nothing needs, breaks long ones, and joins the text. `runtime` holds all that a text may name
besides, and `loading` makes it Python or a module. `function` runs it, with arrays per thread and
batch size, and large batches in `blocks`.
"""
