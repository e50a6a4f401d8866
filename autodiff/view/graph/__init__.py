"""Pictures of graphs of Values, in DOT.

`drawing` has `draw`. `folding` puts nodes into boxes. For the boxes, `captions` has the text of
those with many nodes, `edges` what flows between them, and `ranks` which of them belong below
one another. `picture` writes all of it as DOT.
"""
