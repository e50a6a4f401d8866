"""Training: `fit`, and what it is made of.

`fit` checks its arguments and makes a `plan`, `run` is the loop, `engines` compute losses and
gradients; `losses`, `optim`, `schedule` and `clipping` are the parts that users choose, `history`,
`progress` and `checkpoint` what comes out.
"""
