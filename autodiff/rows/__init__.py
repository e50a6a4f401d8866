"""What a row of the op table is: one op, on numbers, on arrays and on whatever registers.

`primitive` is the row, `interpreter` finds what an op means on its operands, `reduction` has the
rows of any number of operands, `ieee` their float functions, and `arrays` (the only one here that
needs NumPy) runs them on NumPy arrays. The table itself is `autodiff.ops`.
"""
