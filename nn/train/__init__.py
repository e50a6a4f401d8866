"""Training: `fit`, and what it is made of.

`fit` checks its arguments, makes the parts of a training and runs it; `names` does so for a GPT.
`loop` holds these parts, `engines` compute losses and gradients. Users choose `losses`, `optim`,
`schedule` and `clipping`; `history`, `progress` and `files` are what comes out.
"""
