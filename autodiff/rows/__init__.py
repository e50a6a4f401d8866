"""Rows of the op table: what an op is, on numbers, on arrays and on whatever registers.

`row` is an op's functions and facts, `interpreter` the meaning of ops on each kind of operand,
`primitive` the row as an op that can be called, and the table. `reduction` has the rows of any
number of operands, `signatures` the types of calls, `documentation` what `help` shows, `ieee` the
float functions, and `arrays` (the only one here that needs NumPy) runs ops on NumPy arrays. The
rows themselves are in `autodiff.ops`.
"""
