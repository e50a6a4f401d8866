"""Pictures of graphs of Values, in DOT.

`drawing` has `draw`; `folding` says which nodes share a box, `captions` what a box of many nodes
says, `edges` the lines between boxes, `ranks` which boxes stand below one another, and `picture`
writes it down.
"""
