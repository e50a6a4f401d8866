"""The array program as NumPy source.

`memory` decides whose memory each array is computed in, `names` what it is called, `views` how a
view is written, `lines` the line of each instruction, `source` the whole text, and `loading` runs
it.
"""
