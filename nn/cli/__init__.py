"""The commands of `python -m nn`, one per module: `fitting`, `classifying` and `naming`.

`fitting` runs `functions` or `columns`, which share `regression`. `options` has what commands take,
`output` what they write, `expression` reads a function of x.
"""
